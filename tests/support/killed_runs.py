"""Runs killed with SIGKILL at chosen moments, and what they leave held against what is promised.

An attempt runs in a child forked from this warm process, or is the real command. What it leaves is
compared with what was there before, with what it was about to publish, and with the registry.
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from ingest_site import AT, manifest
from plain_run import STAGES, run_steps

from pipelines.emulator.server import Emulator
from pipelines.landing.reader import read_crawls
from pipelines.settings import read_settings
from pipelines.warehouse.building import BUILDING
from pipelines.warehouse.connection import open_read_only
from pipelines.warehouse.state import PUBLISHED, STATE

REPOSITORIES = 24
COMMAND = "swr-warehouse ingest"
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
class CrawlOutcome:
    """How one killed attempt ended."""

    stage: str
    published: bool
    finished: int


@dataclass
class Proof:
    """A registry, its warehouse, and what has been killed so far."""

    server: Emulator
    directory: Path
    draw: random.Random
    seconds: dict[str, float] = field(default_factory=dict)
    finished: set[Name] = field(default_factory=set)
    outcomes: list[CrawlOutcome] = field(default_factory=list)
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

    def attempt(self, target: str | None) -> CrawlOutcome:
        """Start a run, kill it at a moment of the target, and hold what it left to the promise.

        Args:
            target: a stage, a side of the rename, the command, or None for any moment of a run.
        """
        if target == COMMAND:
            return self.attempt_command()
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
        # Where a dead run's reading is taken up, there is little left to crawl.
        stages = [target] if target else STAGES[bool(self.finished) :]
        whole = sum(self.seconds[stage] for stage in stages)
        time.sleep(self.draw.uniform(0, whole))
        os.kill(child, signal.SIGKILL)
        seen += told.read().splitlines()
        return [line for line in seen if not line.startswith("after ")][-1], _after(seen)

    def attempt_command(self) -> CrawlOutcome:
        """The same with the real command, between its first request and its publishing."""
        if COMMAND not in self.seconds:
            self.seconds[COMMAND] = self.measure_command()
            self.change()
        before = self.state()
        with self.command() as process:
            time.sleep(self.draw.uniform(0, self.seconds[COMMAND]))
            process.kill()
        now = self.state()
        building = (self.directory / BUILDING).exists()
        stage = "building" if building else "published" if now != before else "crawl"
        return self.judge(f"{COMMAND}, {stage}", before, now)

    @contextmanager
    def command(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start `swr-warehouse ingest`; it has sent its first request."""
        self.server.log.clear()
        command = [sys.executable, "-m", "assets.cli", "ingest"]
        with subprocess.Popen(
            command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            wait_until(lambda: bool(self.server.log), process)
            yield process

    def measure_command(self) -> float:
        """Seconds from the command's first request to its publishing."""
        inode = (self.directory / PUBLISHED).stat().st_ino
        with self.command() as process:
            began = time.monotonic()
            wait_until(lambda: (self.directory / PUBLISHED).stat().st_ino != inode, process)
            seconds = time.monotonic() - began
            assert process.wait() == 0
        self.finished.clear()
        self.assert_equals_registry()
        return seconds

    def judge(self, stage: str, before: str, after: str) -> CrawlOutcome:
        """Compare what is published, and what was asked of the registry."""
        now = self.state()
        assert now in (before, after), f"killed in {stage}: neither before nor after"
        self.assert_nothing_was_fetched_again()
        published = now != before
        if published:
            self.assert_equals_registry()
        # One that reached the state is not taken up any more, be it published or not.
        self.finished = finished_repositories(self.directory)
        outcome = CrawlOutcome(stage, published, len(self.finished))
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
        """Let a run end undisturbed; it takes up what the dead ones landed.

        One that reads everything itself tells how long each stage lasts just now.
        """
        takes_up = bool(self.finished)
        self.server.log.clear()
        began: list[tuple[str, float]] = []
        run_steps(read_settings(), enter=lambda step: began.append((step, time.monotonic())))
        self.assert_nothing_was_fetched_again()
        self.finished.clear()
        self.assert_equals_registry()
        if not takes_up:
            self.seconds |= {step: end - start for (step, start), (_, end) in pairwise(began)}

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


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Look every few milliseconds, while the process lives and once more when it has ended."""
    while True:
        has_ended = process.poll() is not None
        if holds():
            return
        assert not has_ended, "the command ended by itself"
        time.sleep(0.005)


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
    """What dead runs have finished, as their landing says, and what is not in the state yet."""
    loaded = loaded_runs(directory)
    return {
        (row["namespace"], row["repository"])
        for path in (directory / "landing").iterdir()
        if path.name not in loaded
        for row in read_crawls(path).to_pylist()
        if row["status"] != "failed"
    }


def loaded_runs(directory: Path) -> set[str]:
    """The runs that reached the state, from which they are published."""
    if not (directory / STATE).exists():
        return set()
    with closing(open_read_only(directory / STATE)) as con:
        return {run_id for (run_id,) in con.execute("select run_id from ingest.runs").fetchall()}


def fork_run(directory: Path, point: str | None) -> tuple[int, int]:
    """Start the steps of a run in a forked child that tells each on a pipe."""
    read_end, write_end = os.pipe()
    parent = os.getpid()
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
        while os.getppid() == parent:
            time.sleep(1)  # the run is over; the kill is still to come, however busy the machine
    except BaseException:  # noqa: BLE001 - nothing may pass from here into the forked test
        traceback.print_exc()
    finally:
        os._exit(1)


def die_at(directory: Path, event: str, what: str) -> None:
    """Have this process kill itself when the interpreter reports that event about that path."""
    path = str(directory if what == "directory" else directory / what)

    def watch(seen: str, arguments: tuple[Any, ...]) -> None:
        if seen == event and path in map(str, arguments[:2]):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
