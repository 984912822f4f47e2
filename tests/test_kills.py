"""Killed at any moment, a run leaves the warehouse of before or of after, and is taken up.

Each attempt runs in a child forked from this warm process (the real command for a share of them),
is killed with SIGKILL, and leaves a directory that is then held against what was there before,
against what the child was about to publish, and against the registry itself.
"""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ingesting import AT, manifest
from stepping import run_steps

from pipelines.landing import folder as landing
from pipelines.settings import read_settings
from pipelines.swr.stand_in.registry import Registry
from pipelines.swr.stand_in.server import StandIn
from pipelines.warehouse.building import BUILDING, PUBLISHED
from pipelines.warehouse.connection import open_read_only

REPOSITORIES = 40
STAGES = ("crawl", "load", "reports", "publish")
# What of publishing comes before and after: an audit hook sees each from inside the child.
RENAMING = {
    "between fsync and rename": ("os.rename", PUBLISHED),
    "between rename and fsync of the directory": ("open", "directory"),
}
ROWS = "select namespace, repository, tag, manifest_digest from tags order by all"
DOUBLED = {
    "tags": "namespace, repository, tag",
    "manifests": "manifest_digest",
    "layers": "manifest_digest, position",
    "repositories": "namespace, repository",
    "ingest.runs": "run_id",
    "ingest.crawls": "run_id, namespace, repository",
}
Name = tuple[str, str]


@dataclass
class Outcome:
    """How one killed attempt ended."""

    stage: str
    published: bool
    finished: int


@dataclass
class Proof:
    """A registry, its warehouse, and what has been killed so far."""

    server: StandIn
    directory: Path
    draw: random.Random
    seconds: dict[str, float] = field(default_factory=dict)
    finished: set[Name] = field(default_factory=set)
    outcomes: list[Outcome] = field(default_factory=list)
    pushes: int = 0

    def state(self) -> str:
        """A hash of every row of every table of what is published; none for none."""
        path = self.directory / PUBLISHED
        return contents(path) if path.exists() else "none"

    def change(self) -> None:
        """Let the registry move on, so that the next run has something to publish.

        Not while a dead run's reading waits to be taken up: it is not asked for again.
        """
        if self.finished:
            return
        self.pushes += 1
        number = self.draw.randrange(REPOSITORIES)
        text = manifest(("base", 1000), (f"n{self.pushes}", self.pushes))
        at = AT + timedelta(days=1, minutes=self.pushes)
        self.server.registry.push("shop", f"app{number}", f"new{self.pushes}", text, at=at)

    def attempt(self, target: str | None) -> Outcome:
        """Start a run, kill it at a moment of the target, and hold what it left to the promise."""
        before = self.state()
        self.server.log.clear()
        child, pipe = fork_run(self.directory, target if target in RENAMING else None)
        with open(pipe, closefd=True) as told:  # noqa: PTH123 - a file descriptor
            stage, after = self.kill_at(child, told, target)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        return self.judge(stage, before, after)

    def kill_at(self, child: int, told: Any, target: str | None) -> tuple[str, str]:
        """Kill at a moment drawn evenly from the target's duration, or from the whole run's."""
        if target in RENAMING:
            lines = told.read().splitlines()  # to its end: it kills itself there
            return target, _after(lines)
        first = target if target in STAGES else STAGES[0]
        seen = []
        for line in told:
            seen.append(line.strip())
            if line.strip() == first:
                break
        whole = self.seconds[target] if target else sum(self.seconds.values())
        time.sleep(self.draw.uniform(0, whole))
        os.kill(child, signal.SIGKILL)
        seen += told.read().splitlines()
        return [line for line in seen if not line.startswith("after ")][-1], _after(seen)

    def judge(self, stage: str, before: str, after: str) -> Outcome:
        """Compare what is published, and what was asked of the registry."""
        now = self.state()
        assert now in (before, after), f"killed in {stage}: neither before nor after"
        self.assert_nothing_was_fetched_again()
        published = now != before
        if published:
            self.finished.clear()
            self.assert_equals_registry()
        else:
            self.finished |= finished_repositories(self.directory)
        outcome = Outcome(stage, published, len(self.finished))
        self.outcomes.append(outcome)
        return outcome

    def assert_nothing_was_fetched_again(self) -> None:
        """No tags request of this attempt was for a repository that dead runs had finished."""
        asked = {entry.path for entry in self.server.log if entry.path.endswith("/tags")}
        again = {
            name
            for name in self.finished
            if f"/v2/manage/namespaces/{name[0]}/repos/{name[1]}/tags" in asked
        }
        assert again == set()

    def finish(self) -> None:
        """Let a run end undisturbed; it takes up what the dead ones landed."""
        self.server.log.clear()
        began: list[tuple[str, float]] = []
        run_steps(read_settings(), enter=lambda step: began.append((step, time.monotonic())))
        self.assert_nothing_was_fetched_again()
        self.finished.clear()
        self.assert_equals_registry()
        if not self.seconds:
            self.seconds = {step: end - start for (step, start), (_, end) in pairwise(began)}

    def assert_equals_registry(self) -> None:
        """Every tag of the registry once, with its digest, and no key of any table twice."""
        registry = self.server.registry
        there = [
            ("shop", record["name"], tag.name, tag.wire["digest"])
            for record in registry.repository_records()
            for tag in registry.tags("shop", record["name"])
        ]
        with closing(open_read_only(self.directory / PUBLISHED)) as con:
            assert con.sql(ROWS).fetchall() == sorted(there)
            for table, key in DOUBLED.items():
                twice = f"select {key} from {table} group by all having count(*) > 1"
                assert con.sql(twice).fetchall() == [], table


def _after(lines: list[str]) -> str:
    return next((line[len("after ") :] for line in lines if line.startswith("after ")), "none yet")


def contents(path: Path) -> str:
    """A hash over all rows of all tables of a file, in an order of their own."""
    digest = hashlib.sha256()
    with closing(open_read_only(path)) as con:
        names = con.sql(
            "select schema_name || '.' || table_name from duckdb_tables()"
            " where database_name = current_database() order by 1"
        ).fetchall()
        for (name,) in names:
            digest.update(f"{name} {con.sql(f'from {name} order by all').fetchall()}\n".encode())
    return digest.hexdigest()


def finished_repositories(directory: Path) -> set[Name]:
    """What dead runs have finished, as their landing says."""
    return {
        (row["namespace"], row["repository"])
        for path in (directory / "landing").iterdir()
        for row in landing.read_crawls(path).to_pylist()
        if row["status"] != "failed" and not is_published(directory, path.name)
    }


def is_published(directory: Path, run_id: str) -> bool:
    """Whether a run reached the warehouse."""
    if not (directory / PUBLISHED).exists():
        return False
    with closing(open_read_only(directory / PUBLISHED)) as con:
        return con.execute("from ingest.runs where run_id = ?", [run_id]).fetchall() != []


def fork_run(directory: Path, point: str | None) -> tuple[int, int]:
    """Start the steps of a run in a forked child that tells each on a pipe."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child:
        os.close(write_end)
        return child, read_end

    def tell(step: str) -> None:
        if step == "publish":
            os.write(write_end, f"after {contents(directory / BUILDING)}\n".encode())
            if point:
                die_at(directory, *RENAMING[point])
        os.write(write_end, f"{step}\n".encode())

    try:
        run_steps(read_settings(), enter=tell)
        time.sleep(60)  # the run is over; the kill is still to come
    finally:
        os._exit(1)


def die_at(directory: Path, event: str, what: str) -> None:
    """Have this process kill itself when the interpreter reports that event about that path."""
    path = str(directory if what == "directory" else directory / what)

    def watch(seen: str, arguments: tuple[Any, ...]) -> None:
        if seen == event and path in map(str, arguments[:2]):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


@pytest.fixture
def proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proof]:
    """Forty repositories behind 20 ms of latency, and a warehouse of a first run."""
    registry = Registry()
    for number in range(REPOSITORIES):
        for tag in range(3):
            text = manifest(("base", 1000), (f"a{number}", 10), (f"t{number % 7}-{tag}", 5))
            registry.push("shop", f"app{number}", f"v{tag}", text, at=AT + timedelta(minutes=tag))
    # Written often, so that a crawl of a second leaves finished repositories behind.
    monkeypatch.setattr(landing, "_PART_SECONDS", 0.1)
    with StandIn(registry, latency_seconds=0.02) as server:
        monkeypatch.setenv("SWR_ENDPOINT", server.url)
        monkeypatch.setenv("SWR_AUTH_TOKEN", "stand-in-token")
        monkeypatch.setenv("SWR_REQUESTS_PER_SECOND", "0")
        monkeypatch.setenv("SWR_CONCURRENCY", "2")
        monkeypatch.setenv("SWR_WAREHOUSE_DIR", str(tmp_path / "warehouse"))
        found = Proof(server, tmp_path / "warehouse", random.Random(20261124))
        found.finish()
        yield found


def run_kills(proof: Proof, targets: list[str | None]) -> None:
    """Kill once at each target; two in five dead runs are followed by one that ends."""
    for target in targets:
        proof.change()
        proof.attempt(target)
        if proof.draw.random() < 0.4:
            proof.finish()
    proof.finish()


def test_a_killed_run_leaves_before_or_after_and_is_taken_up(proof: Proof) -> None:
    """A few kills, one in each stage and on each side of the rename."""
    run_kills(proof, [*STAGES[:3], *RENAMING])
    before, after = proof.outcomes[-2:]
    assert (before.published, after.published) == (False, True)


@pytest.mark.soak
@pytest.mark.parametrize("quarter", range(4))
def test_two_hundred_kills(
    proof: Proof, quarter: int, record_property: Callable[[str, object], None]
) -> None:
    """Fifty each: 21 at any moment, 20 aimed at a stage, 4 beside the rename, 5 of the command.

    The command's are told apart by what they left: see `kill_the_command`.
    """
    proof.draw.seed(quarter)
    targets: list[str | None] = [None] * 21
    targets += [*STAGES * 5, *RENAMING, *RENAMING]
    proof.draw.shuffle(targets)
    run_kills(proof, targets)
    for _ in range(5):
        kill_the_command(proof)
    record_property("printed", told(proof.outcomes))
    assert len(proof.outcomes) == 50


def kill_the_command(proof: Proof) -> None:
    """Kill `swr-warehouse ingest` itself, at any moment of ten seconds."""
    proof.change()
    before = proof.state()
    proof.server.log.clear()
    home = proof.directory.parent / "dagster"
    command = [sys.executable, "-m", "assets.cli", "ingest"]
    environment = os.environ | {"DAGSTER_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        time.sleep(proof.draw.uniform(1.5, 10))
        process.kill()
    now = proof.state()
    building = (proof.directory / BUILDING).exists()
    stage = "the command, " + ("building" if building else "crawling, or over")
    proof.judge(stage, before, before if now == before else now)
    proof.finish()
    shutil.rmtree(home, ignore_errors=True)


def told(outcomes: list[Outcome]) -> str:
    """The table of kills by stage."""
    stages = Counter(outcome.stage for outcome in outcomes)
    published = Counter(outcome.stage for outcome in outcomes if outcome.published)
    lines = [f"\n{'killed in':<45}{'kills':>6}{'before':>8}{'after':>7}"]
    lines += [
        f"{stage:<45}{kills:>6}{kills - published[stage]:>8}{published[stage]:>7}"
        for stage, kills in sorted(stages.items())
    ]
    taken_up = sum(outcome.finished > 0 for outcome in outcomes)
    lines.append(f"{len(outcomes)} kills; 0 rows lost or doubled; {taken_up} left finished")
    lines.append("repositories behind, none of which was fetched again.")
    return "\n".join(lines)
