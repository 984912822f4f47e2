"""Several processes read registries side by side into one directory, and one of them is killed."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest
from ingest_site import AT, manifest
from plain_run import run_one_of_several, run_steps

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.landing.reader import read_crawls
from pipelines.registries import read_one
from pipelines.warehouse.query import run_query

NAMES = ("east", "north", "south", "west")
REPOSITORIES = 24
# Each repository has a layer of its own, of so many bytes more than its number; all share a layer
# of 1000 bytes and a configuration of 100.
OWN_BYTES = {"east": 10, "north": 20, "south": 30, "west": 40}
SIZES = "select registry, tag_count, deduplicated_bytes from reports.registry_size order by all"
TAGS = "select registry, repository, tag from tags order by all"


def expected_sizes(*names: str) -> list[tuple[str, int, int]]:
    """A tag a repository; the shared layer and configuration once in each registry."""
    numbers = sum(range(REPOSITORIES))
    return [
        (name, REPOSITORIES, 1000 + 100 + OWN_BYTES[name] * REPOSITORIES + numbers)
        for name in names
    ]


def expected_tags(*names: str) -> list[tuple[str, str, str]]:
    """Each of them once."""
    return [(name, f"app{number:02}", "v1") for name in names for number in range(REPOSITORIES)]


def registry_of(name: str) -> Registry:
    """Repositories of the same names in each."""
    registry = Registry()
    for number in range(REPOSITORIES):
        own = (f"{name}-{number}", OWN_BYTES[name] + number)
        registry.push("shop", f"app{number:02}", "v1", manifest(("base", 1000), own), at=AT)
    return registry


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Emulator]]:
    """Four registries and the file that names them; the eastern one is far away."""
    with ExitStack() as stack:
        latency = dict.fromkeys(NAMES, 0.0) | {"east": 0.3}
        served = {
            name: stack.enter_context(Emulator(registry_of(name), latency_seconds=latency[name]))
            for name in NAMES
        }
        listed = [
            f"- {{name: {name}, endpoint: '{server.url}', credentials: {{auth_token: TOKEN}}}}"
            for name, server in served.items()
        ]
        (tmp_path / "registries.yaml").write_text("\n".join(["registries:", *listed]))
        monkeypatch.setenv("SWR_REGISTRIES", str(tmp_path / "registries.yaml"))
        monkeypatch.setenv("TOKEN", "emulator-token")
        monkeypatch.setenv("SWR_REQUESTS_PER_SECOND", "0")
        monkeypatch.setenv("SWR_CONCURRENCY", "2")
        monkeypatch.setenv("SWR_WAREHOUSE_DIR", str(tmp_path / "warehouse"))
        yield served


def crawler(name: str) -> SpawnProcess:
    """Start a process of its own for one registry."""
    arguments = (name, dict(os.environ))
    process = multiprocessing.get_context("spawn").Process(
        target=run_one_of_several, args=arguments
    )
    process.start()
    return process


def finished_repositories(landing: Path) -> set[str]:
    """What a dead run's landing holds the outcome of."""
    [folder] = landing.iterdir()
    return {row["repository"] for row in read_crawls(folder).to_pylist()}


def kill_while_landing(process: SpawnProcess, landing: Path) -> None:
    """Kill it once some outcomes are on disk."""
    while not list(landing.glob("*/crawls-*.parquet")):
        assert process.exitcode is None
        time.sleep(0.02)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def rows(directory: Path, sql: str) -> list[tuple[object, ...]]:
    """What a query of a published warehouse gives."""
    return [tuple(row.values()) for row in run_query(directory, sql).to_pylist()]


def test_four_read_at_once_and_one_is_killed(servers: dict[str, Emulator], tmp_path: Path) -> None:
    """The others are published; the killed one's next run asks only for what it had not read.

    Nothing is lost and nothing is there twice.
    """
    directory = tmp_path / "warehouse"
    started = {name: crawler(name) for name in NAMES}
    landing = directory / "registries" / "east" / "landing"
    kill_while_landing(started.pop("east"), landing)
    for process in started.values():
        process.join()
        assert process.exitcode == 0
    assert rows(directory, SIZES) == expected_sizes(*started)
    assert rows(directory, TAGS) == expected_tags(*started)

    finished = finished_repositories(landing)
    servers["east"].log.clear()
    run_steps(read_one("east"))
    asked = [entry.path for entry in servers["east"].log if entry.path.endswith("/tags")]
    assert len(asked) == len(set(asked)) == REPOSITORIES - len(finished)
    assert not [name for name in finished if any(f"/{name}/" in path for path in asked)]
    assert rows(directory, SIZES) == expected_sizes(*NAMES)
    assert rows(directory, TAGS) == expected_tags(*NAMES)
