"""Random registries with random faults, ingested again and again without Dagster, and judged."""

import random
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any

import odd_records
import rare_faults
import stamina
from changing_registry import Moving
from oracle import Found, Live, Oracle
from rare_faults import ALL_FAULTS, ODD_RECORDS
from warehouse_rows import empty_building
from watched_registry import TickingClock, WatchedRegistry, small_image

from pipelines.emulator import faults
from pipelines.emulator.faults import Fault, sometimes
from pipelines.emulator.messages import Request, Response
from pipelines.emulator.server import Emulator
from pipelines.errors import NothingRead, SwrError
from pipelines.run.crawl import crawl_registry
from pipelines.run.load import load_landing
from pipelines.run.progress import NoProgress
from pipelines.run.request import Name, RunRequest, Scope
from pipelines.settings import Settings, read_settings
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.checks import raise_if_blocked, run_checks, table_checks
from pipelines.warehouse.publish import publish
from pipelines.warehouse.query import connect_published, is_published
from pipelines.warehouse.reports import build_reports
from pipelines.warehouse.resources import resources_of
from pipelines.warehouse.state import STATE

RUNS = 3
# Of so many seeds one begins with no file at all, the others with an empty state.
FRESH = 4
NAMES = ("app", "deep/er/app", 'it\'s "50%"', "..", "line\nbreak", "\U0001f600", "empty", "a..b")
CREDENTIALS: tuple[dict[str, str], ...] = (
    {"auth_token": "emulator-token"},
    {
        "username": "emulator-user",
        "password": "emulator-password",
        "domain_name": "emulator-domain",
        "project_name": "cn-north-4",
    },
    {"access_key": "STANDINKEY", "secret_key": "emulator-secret-key"},
)
_TAGS = "select namespace, repository, tag, manifest_digest, updated_at from tags"
_CRAWLS = "select namespace, repository, status, error from ingest.crawls where run_id = ?"
_REJECTED = "select namespace, repository, record from ingest.rejected_records"
# Where totals are not to be had, an incomplete reading is newest first and may miss tags.
UNCOUNTED = {"no-total", "garbled-total", "total-too-high", "total-too-low"}
# Of these the table's own would wait too long, or be too large for repositories so small.
_SMALLER: Mapping[str, Callable[[random.Random], Fault]] = {
    "page-size-clamped": lambda draw: rare_faults.page_size_clamped(draw.randrange(2, 8)),
    "expiring-tokens": lambda draw: faults.ExpiringTokens(draw.randrange(2, 9)),
    "throttled-for-a-second": lambda _: rare_faults.throttled_for(0),
    "slow-first-byte": lambda _: rare_faults.slow_first_byte(0.005),
    "slow-body": lambda _: faults.slow_body(0.005),
}


@dataclass
class Chronicle:
    """What seeds went through: crawls by fault and outcome, strikes by fault, and problems."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    strikes: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Chronicle") -> None:
        """Add another one's."""
        self.outcomes += other.outcomes
        self.strikes += other.strikes
        self.runs += other.runs
        self.problems += other.problems

    def table(self) -> str:
        """Faults by outcomes of the crawls that they were part of."""
        columns = ("complete", "unchanged", "incomplete", "failed", "missing", "nothing read")
        head = f"{'fault':<24}{'runs':>6}{'strikes':>9}" + "".join(f"{c:>14}" for c in columns)
        rows = [
            f"{name:<24}{self.runs[name]:>6}{self.strikes[name]:>9}"
            + "".join(f"{self.outcomes[name, column]:>14}" for column in columns)
            for name in ("none", *ALL_FAULTS)
        ]
        return "\n".join([head, *rows, f"{len(self.problems)} problems"])


@dataclass
class World:
    """One seed's registry, server and warehouse."""

    draw: random.Random
    registry: WatchedRegistry
    clock: TickingClock
    server: Emulator
    directory: Path
    odd: Mapping[str, Callable[[bytes], bytes]]
    struck: Counter[str] = field(default_factory=Counter)

    def settings(self, drawn: Mapping[str, float]) -> Settings:
        """Settings of one run, such that what was drawn can strike."""
        which = 1 if "expiring-tokens" in drawn else 2 if "clock-skew" in drawn else None
        credentials = self.draw.choice(CREDENTIALS) if which is None else CREDENTIALS[which]
        large = "page-size-refused" in drawn
        given: dict[str, Any] = {
            "endpoint_setting": self.server.url,
            "iam_endpoint_setting": self.server.url,
            "warehouse_dir": self.directory,
            "requests_per_second": 0,
            "concurrency": 4,
            "page_size": 1000 if large else self.draw.choice((3, 7, 20, 1000)),
            # As much as such registries need; what there is would be found out for each load.
            "memory_bytes": 250_000_000,
            "threads": 1,
        }
        return read_settings(**given, **credentials)

    def faults(self, drawn: Mapping[str, float]) -> list[Fault]:
        """The faults of one run, in the table's order, each counting what it strikes."""
        made = []
        for name, named in ALL_FAULTS.items():
            if name in self.odd:
                fault = rare_faults.altered_records(self.odd[name])
            elif name not in drawn:
                continue
            elif name in _SMALLER:
                fault = sometimes(_SMALLER[name](self.draw), drawn[name], self.draw)
            elif name == "moving":
                fault = Moving(self.registry, self.draw, self.clock, drawn[name])
            else:
                fault = named.make(self.registry, self.draw, drawn[name])
            made.append(self._counting(name, fault))
        return made

    def _counting(self, name: str, fault: Fault) -> Fault:
        def counted(request: Request, response: Response) -> Response:
            before = self.registry.changes
            after = fault(request, response)
            self.struck[name] += after != response or self.registry.changes != before
            return after

        return counted


def live_through(seed: int, directory: Path) -> Chronicle:
    """Let one seed's registry be ingested several times, with faults, at last without."""
    chronicle = Chronicle()
    draw = random.Random(seed)
    clock = TickingClock(draw)
    registry = random_registry(draw, clock)
    chosen = draw.sample(list(ODD_RECORDS), draw.choice((0, 1, 2, 3)))
    odd = {
        name: odd_records.share_of_records(odd, 0.03 if name == "huge-manifest" else 0.2)
        for name, odd in ODD_RECORDS.items()
        if name in chosen
    }
    oracle = Oracle(registry, odd)
    with (
        tempfile.TemporaryDirectory(dir=directory) as warehouse,
        Emulator(registry) as server,
        stamina.set_testing(True, attempts=7),
    ):
        world = World(draw, registry, clock, server, Path(warehouse), odd)
        if seed % FRESH:
            (world.directory / STATE).write_bytes(empty_building())
        for number in range(RUNS):
            is_last = number == RUNS - 1
            drawn = {} if is_last else draw_faults(draw)
            full = is_last or draw.random() < 0.3
            order = RunRequest(f"{seed}-{number}", full, Scope())
            problems = [*run(world, order, drawn, oracle, chronicle)]
            chronicle.problems += [f"seed {seed}, run {number} {drawn}: {p}" for p in problems]
            evolve(world)
    return chronicle


def draw_faults(draw: random.Random) -> dict[str, float]:
    """Up to three faults and their shares, mostly with a registry in motion."""
    names = [name for name in ALL_FAULTS if name not in ODD_RECORDS and name != "moving"]
    drawn = {
        name: ALL_FAULTS[name].share
        if ALL_FAULTS[name].share == 1
        else draw.choice((0.1, 0.3, 0.6))
        for name in draw.sample(names, draw.randrange(4))
    }
    return drawn | ({"moving": draw.choice((0.1, 0.5, 1))} if draw.random() < 0.6 else {})


def random_registry(draw: random.Random, clock: TickingClock) -> WatchedRegistry:
    """A few repositories of up to thirty tags in two namespaces."""
    registry = WatchedRegistry()
    for namespace in ("shop", "data"):
        for repository in draw.sample(NAMES, draw.randrange(1, 4)):
            for number in range(draw.choice((1, 4, 12, 30))):
                image = small_image(draw.randrange(40))
                registry.push(namespace, repository, f"v{number}", image, at=clock())
            if repository == "empty":
                for tag in list(registry.now((namespace, repository)) or ()):
                    registry.delete_tag(namespace, repository, tag)
    return registry


def evolve(world: World) -> None:
    """Let time pass between two runs."""
    prefix = f"later-{world.registry.changes}"
    mover = Moving(world.registry, world.draw, world.clock, prefix=prefix)
    for _ in range(world.draw.randrange(8)):
        mover.change(*world.draw.choice(sorted(world.registry.states)))
    if world.draw.random() < 0.1:
        name = ("shop", f"new-{world.draw.randrange(1000)}")
        world.registry.push(*name, "v1", small_image(3), at=world.clock())


def askable(registry: WatchedRegistry) -> list[Name]:
    """The repositories that are there and whose names can be asked for."""
    there = (name for name, states in registry.states.items() if states[-1] is not None)
    return [name for name in there if name[1] != ".."]


def run(
    world: World,
    order: RunRequest,
    drawn: Mapping[str, float],
    oracle: Oracle,
    chronicle: Chronicle,
) -> list[str]:
    """Ingest once; what is wrong with the result."""
    world.struck.clear()
    world.server.faults = world.faults(drawn)
    begun = {name: len(states) - 1 for name, states in world.registry.states.items()}
    settings = world.settings(drawn)
    try:
        failed = ingest(settings, order, whole=not drawn)
    except (SwrError, NothingRead):
        note(chronicle, world.struck, ["nothing read"])
        _, found = holdings(settings.warehouse_dir, order.run_id)
        may_fail = bool(drawn) or not askable(world.registry)
        return [] if found.live == oracle.live and may_fail else ["nothing read, rows changed"]
    crawls, found = holdings(settings.warehouse_dir, order.run_id)
    note(chronicle, world.struck, [row["status"] for row in crawls])
    counted, true = not drawn.keys() & UNCOUNTED, "total-too-high" not in drawn
    problems = list(oracle.judge(crawls, begun, found, counted=counted, true=true))
    problems += overlooked(world.registry, begun, crawls, failed)
    if not drawn:
        problems += [
            f"{row['repository']!r} {row['status']} without a fault: {row['error']}"
            for row in crawls
            if row["status"] not in {"complete", "unchanged", "missing"}
            and row["repository"] != ".."
        ]
    return problems


def ingest(settings: Settings, order: RunRequest, *, whole: bool) -> set[str]:
    """Do what a run does, without Dagster; namespaces that could not be listed.

    Reports, which take most of the time, are built and checked where the `whole` is asked for.
    """
    summary = crawl_registry(settings, order, NoProgress())
    load_landing(settings, order.run_id)
    with connect_building(settings.warehouse_dir, resources_of(settings)) as con:
        if whole:
            build_reports(con)
        raise_if_blocked(run_checks(con, None if whole else table_checks()))
    publish(settings.warehouse_dir)
    return set(summary.failed_namespaces)


def overlooked(
    registry: WatchedRegistry,
    begun: Mapping[Name, int],
    crawls: list[dict[str, Any]],
    failed: set[str],
) -> list[str]:
    """Repositories that were there all the time and are not in the crawl log."""
    read = {(row["namespace"], row["repository"]) for row in crawls}
    return [
        f"{name} was overlooked"
        for name, number in begun.items()
        if None not in registry.states[name][number:] and name not in read and name[0] not in failed
    ]


def note(chronicle: Chronicle, struck: Counter[str], outcomes: list[str]) -> None:
    """Count a run under every fault that struck."""
    names = [name for name, strikes in struck.items() if strikes] or ["none"]
    for name in names:
        chronicle.runs[name] += 1
        chronicle.strikes[name] += struck[name]
        for outcome in outcomes:
            chronicle.outcomes[name, outcome] += 1


def holdings(directory: Path, run_id: str) -> tuple[list[dict[str, Any]], Found]:
    """The crawls of a run, and what the published warehouse holds."""
    crawls: list[dict[str, Any]] = []
    live: dict[Name, Live] = {}
    rejected: dict[Name, set[str]] = {}
    if is_published(directory):
        with closing(connect_published(directory)) as con:
            rows = con.execute(_CRAWLS, [run_id]).fetchall()
            columns = ("namespace", "repository", "status", "error")
            crawls = [dict(zip(columns, row, strict=True)) for row in rows]
            for *name, tag, digest, updated in con.execute(_TAGS).fetchall():
                tags = live.setdefault((name[0], name[1]), {})
                tags[tag] = (digest, updated.astimezone(UTC))
            for namespace, repository, text in con.execute(_REJECTED).fetchall():
                rejected.setdefault((namespace, repository), set()).add(text)
    return crawls, Found(live, rejected)
