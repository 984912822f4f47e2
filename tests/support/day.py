"""Run after run in one process against a registry that moves, and what the process holds on to."""

import os
import random
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from changing_registry import Moving
from watched_registry import TickingClock, WatchedRegistry, small_image

from pipelines.emulator.server import Emulator
from pipelines.run.crawl import crawl_registry
from pipelines.run.load import load_landing
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import read_settings
from pipelines.warehouse.publish import publish

REPOSITORIES = 4
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Holdings:
    """What a process and its directory hold at one moment; sizes in bytes."""

    crawls: int
    memory: int
    open_files: int
    threads: int
    landing_folders: int
    landing: int
    warehouse: int


def pass_a_day(crawls: int, directory: Path, looks: set[int]) -> Iterator[Holdings]:
    """Read, load and publish so often; tell after some of them what is held."""
    draw = random.Random(24)
    clock = TickingClock(draw)
    registry = WatchedRegistry()
    for number in range(REPOSITORIES * 25):
        name = f"app-{number % REPOSITORIES}"
        registry.push("shop", name, f"v{number}", small_image(number), at=clock())
    with Emulator(registry, faults=[Moving(registry, draw, clock, 0.3)]) as server:
        settings = read_settings(
            endpoint_setting=server.url,
            auth_token="emulator-token",
            requests_per_second=0,
            page_size=10,
            warehouse_dir=directory,
        )
        for number in range(1, crawls + 1):
            run_id = f"run-{number:05}"
            crawl_registry(settings, RunRequest(run_id, number % 50 == 0, Scope()), NoProgress())
            load_landing(settings, run_id)
            publish(directory)
            # The emulator's own memory is not what is measured.
            server.log.clear()
            registry.forget()
            if number in looks:
                yield holdings(number, directory)


def holdings(crawls: int, directory: Path) -> Holdings:
    """Look at this process and its directory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    landing = directory / "landing"
    return Holdings(
        crawls=crawls,
        memory=pages * _PAGE_BYTES,
        open_files=len(list(Path("/proc/self/fd").iterdir())),
        threads=threading.active_count(),
        landing_folders=len(list(landing.iterdir())),
        landing=sum(path.stat().st_size for path in landing.rglob("*") if path.is_file()),
        warehouse=(directory / "warehouse.duckdb").stat().st_size,
    )


def table(looks: list[Holdings]) -> str:
    """A line for each thing held, a column for each look."""
    names = [field.name for field in fields(Holdings)]
    return "\n".join(
        f"{name:<16}" + "".join(f"{getattr(look, name):>16,}" for look in looks) for name in names
    )
