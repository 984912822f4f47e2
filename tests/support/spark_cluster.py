"""A Spark cluster on this machine: a master and two workers, each a process of its own.

As a program it makes the reports of the emulator's registry there: `make spark`.
"""

import json
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.request import urlopen

from pipelines.emulator.built_in.registry import built_in_registry
from pipelines.emulator.server import Emulator
from pipelines.run.ingest import ingest
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import read_settings
from pipelines.warehouse.query import run_query

_ROOM = "org.apache.spark.deploy"
_WORKERS = 2
_SECONDS_TO_START = 120


class Cluster(NamedTuple):
    """Where its master is, and its workers."""

    url: str
    workers: list[subprocess.Popen[bytes]]


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Have a cluster of two workers while the block lasts; their files are in a folder."""
    port, page = _free_port(), _free_port()
    url = f"spark://127.0.0.1:{port}"
    with ExitStack() as stopped_after:
        master = ["master.Master", "--port", str(port), "--webui-port", str(page)]
        stopped_after.enter_context(_running(folder, "master", master))
        options = ["--cores", "1", "--memory", "1g", "--webui-port", "0"]
        workers = [
            stopped_after.enter_context(
                _running(folder, f"worker{number}", ["worker.Worker", *options, url])
            )
            for number in range(_WORKERS)
        ]
        _wait_for_workers(page)
        yield Cluster(url, workers)


@contextmanager
def _running(folder: Path, name: str, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    import pyspark  # noqa: PLC0415 - may be missing

    home = Path(pyspark.__file__).parent
    kind, *options = command
    own = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_DIR": str(folder / "work")}
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [home / "bin" / "spark-class", f"{_ROOM}.{kind}", *options, "--host", "127.0.0.1"],
            env=os.environ | own,
            stdout=log,
            stderr=log,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def _wait_for_workers(page: int) -> None:
    begun = time.monotonic()
    while time.monotonic() - begun < _SECONDS_TO_START:
        try:
            with urlopen(f"http://127.0.0.1:{page}/json/") as answer:
                if json.load(answer)["aliveworkers"] == _WORKERS:
                    return
        except OSError:
            pass  # it has not begun to listen
        time.sleep(0.5)
    raise TimeoutError(f"no {_WORKERS} workers in {_SECONDS_TO_START} seconds")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def main() -> None:
    """Ingest the emulator's registry, its reports made on a cluster; say what is published."""
    registry = built_in_registry(datetime.now(UTC).date())
    with TemporaryDirectory() as name, Emulator(registry) as site, cluster(Path(name)) as spark:
        print(f"A master on {spark.url} and {_WORKERS} workers; a run on them takes a minute.")
        settings = read_settings(
            endpoint_setting=site.url,
            auth_token="emulator-token",
            requests_per_second=0,
            warehouse_dir=Path(name) / "warehouse",
            engine="spark",
            spark=spark.url,
        )
        began = time.monotonic()
        ingest(settings, RunRequest(str(uuid.uuid4()), full=False, scope=Scope()), NoProgress())
        print(f"Published in {time.monotonic() - began:.1f} s:")
        print(run_query(settings.warehouse_dir, "from reports.registry_size").to_pylist()[0])


if __name__ == "__main__":
    main()
