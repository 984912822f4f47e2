"""Runs programs against the benchmark's server, one after the other, and judges what they leave.

Every program is a process of its own. What a step takes is measured inside it, imports aside
(`measuring`), or of a command all of it; peak memory is the largest process's.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

HERE = Path(__file__).resolve().parent
PEERS = HERE.parent / ".venv" / "peers" / "bin" / "python"


class WrongDatabase(Exception):
    """A program left other rows than the registry has."""


@dataclass(frozen=True)
class Program:
    """A program to run: `python SCRIPT FOLDER DATABASE URL CONNECTIONS`, and its database's shape.

    `layers` names the table or view of one row a tag and layer, `digest` the column of `tags` with
    the manifest's digest; without `layers` no database is left to judge.
    """

    name: str
    argv: Sequence[str]
    layers: str = ""
    digest: str = "digest"


@dataclass
class Result:
    """What a program took: wall and CPU seconds by step; peak memory in MB."""

    wall: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0


def make_registry(folder: Path, repositories: int, tags: int) -> list[dict[str, int]]:
    """Have a registry written by another process, for a program's peak memory begins at ours.

    Returns:
        The totals of each of its days.
    """
    options = ["--repositories", str(repositories), "--tags", str(tags)]
    argv = [sys.executable, str(HERE / "registry.py"), str(folder), *options]
    subprocess.run(argv, check=True)
    totals: list[dict[str, int]] = json.loads((folder / "registry.json").read_text())["totals"]
    return totals


@contextmanager
def serving(folder: Path, *, day: int = 0, latency_ms: float = 0) -> Iterator[str]:
    """Serve a registry from another process; gives the URL."""
    options = ["--day", str(day), "--latency-ms", str(latency_ms)]
    argv = [sys.executable, str(HERE / "server.py"), str(folder), *options]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None  # noqa: S101 - asked for above
            yield server.stdout.readline().strip()
        finally:
            # It keeps nothing, and may have been started with the politer signal ignored.
            server.kill()


def run(program: Program, folder: Path, database: Path, url: str, connections: int) -> Result:
    """Run a program to its end.

    Raises:
        RuntimeError: it failed.
    """
    arguments = [str(folder), str(database), url, str(connections)]
    environment = _environment(database, url, connections)
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            [*program.argv, *arguments], stdout=out, stderr=out, env=environment
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        printed = out.read()
    if process.returncode:
        raise RuntimeError(f"{program.name} failed: {printed[-2000:]}")
    result = Result(peak_mb=usage.ru_maxrss / 1024)
    for line in filter(lambda line: line.startswith("{"), printed.splitlines()):
        step = json.loads(line)
        result.wall[step["step"]], result.cpu[step["step"]] = step["wall"], step["cpu"]
    if not result.wall:
        result.wall["all"], result.cpu["all"] = wall, usage.ru_utime + usage.ru_stime
    return result


def check(program: Program, database: Path, totals: Mapping[str, Any]) -> None:
    """Hold a database against the registry's totals.

    Raises:
        WrongDatabase: says what differs.
    """
    with duckdb.connect(str(database), read_only=True) as con:
        tags = con.table("main.tags").aggregate(f"count(*), count(distinct {program.digest})")
        layers = con.sql(f"from {program.layers}").aggregate(
            "count(*), sum(size_bytes)::bigint, count(distinct blob_digest)"
        )
        counted = *tags.fetchall()[0], *layers.fetchall()[0]
    names = ("tags", "manifests", "tag_layers", "tag_layer_bytes", "blobs")
    found = dict(zip(names, counted, strict=True))
    if wrong := {name: found[name] for name in names if found[name] != totals[name]}:
        raise WrongDatabase(f"{program.name}: {wrong} instead of {dict(totals)}")


def _environment(database: Path, url: str, connections: int) -> dict[str, str]:
    return os.environ | {
        "SWR_ENDPOINT": url,
        "SWR_AUTH_TOKEN": "any",
        "SWR_CONCURRENCY": str(connections),
        "SWR_REQUESTS_PER_SECOND": "0",
        "SWR_WAREHOUSE_DIR": str(database.parent),
        "DAGSTER_HOME": str(database.parent / "dagster"),
        "NO_PROXY": "127.0.0.1",
    }
