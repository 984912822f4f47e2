"""A deployment as it is run for months: Dagster's daemon with its code server, and a webhook."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import IO, Any

import dagster as dg
from checkout import ROOT

_PATIENCE_SECONDS = 300
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


class Deployment:
    """A running daemon, its instance, and what it posted to the webhook."""

    def __init__(self, home: Path, instance: dg.DagsterInstance, alerts: list[Any]) -> None:
        self.instance = instance
        self.alerts = alerts
        self.today = home / "today"

    def runs_of(self, day: int) -> list[dg.RunRecord]:
        """The runs of a day, oldest first."""
        tagged = dg.RunsFilter(tags={"day": str(day)})
        return list(self.instance.get_run_records(tagged, ascending=True))

    def begin(self, day: int) -> None:
        """Let the clock strike."""
        self.today.write_text(str(day))

    def live(self, day: int, runs: int) -> list[dg.RunRecord]:
        """Wait until so many runs of a day have ended."""
        await_that(lambda: len(self.ended(day)) >= runs, f"{runs} ended runs on day {day}")
        return self.runs_of(day)

    def ended(self, day: int) -> list[dg.RunRecord]:
        """The runs of a day that have ended."""
        return [run for run in self.runs_of(day) if run.dagster_run.status in ENDED]

    def worker(self, run_id: str) -> int:
        """The process of a run."""
        told = (
            re.search(r"Started process for run \(pid: (\d+)\)", entry.message)
            for entry in self.instance.all_logs(run_id)
        )
        return next(int(found[1]) for found in told if found)


def await_that(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.2)


@contextmanager
def deployed(home: Path, definitions: Path, environment: dict[str, str]) -> Iterator[Deployment]:
    """Run the daemon on the project's own dagster.yaml, with a shorter look at the queue."""
    home.mkdir()
    shutil.copyfile(ROOT / "assets" / "dagster.yaml", home / "dagster.yaml")
    with (home / "dagster.yaml").open("a") as file:
        file.write("\nrun_queue:\n  dequeue_interval_seconds: 1\n")
    (home / "today").write_text("")
    with (
        webhook() as (url, alerts),
        # Opened first: storage is not made by two processes at once.
        dg.DagsterInstance.from_config(str(home)) as instance,
        (home / "daemon.log").open("w") as log,
    ):
        settings = environment | {
            "DAGSTER_HOME": str(home),
            "MONTH_TODAY": str(home / "today"),
            "SWR_ALERT_WEBHOOK_URL": url,
        }
        with started(code_server(home, definitions), settings, log):
            # A daemon that finds no code server looks again only a minute later.
            await_that((home / "code.sock").exists, "the code server")
            with started(daemon(home), settings, log):
                yield Deployment(home, instance, alerts)


def code_server(home: Path, definitions: Path) -> list[str]:
    """A code server of its own, as in production: the daemon would restart one every minute."""
    socket = home / "code.sock"
    workspace = f"load_from:\n  - grpc_server:\n      socket: {socket}\n"
    (home / "workspace.yaml").write_text(workspace)
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "api", "grpc"]
    return [*command, "--python-file", str(definitions), "--socket", str(socket)]


def daemon(home: Path) -> list[str]:
    """The daemon: scheduler, sensors, queue, monitoring, retries."""
    program = Path(sys.executable).with_name("dagster-daemon")
    return [str(program), "run", "-w", str(home / "workspace.yaml")]


@contextmanager
def started(command: list[str], settings: dict[str, str], log: IO[str]) -> Iterator[None]:
    """Run a program until the block ends."""
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | settings, stdout=log, stderr=subprocess.STDOUT
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


@contextmanager
def webhook() -> Iterator[tuple[str, list[Any]]]:
    """Take alerts on a free port of this machine."""
    taken: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append(json.loads(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hook", taken
        finally:
            server.shutdown()
            thread.join()
