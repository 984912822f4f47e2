"""Ctrl-C, a termination and a closed pipe, at any moment of any command, as people run it."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from ingest_site import small_registry
from plain_run import run_steps

from pipelines.emulator.messages import Request
from pipelines.emulator.server import Emulator
from pipelines.settings import read_settings

COMMAND = [sys.executable, "-m", "assets.cli"]
# Each takes longer than it is given, but for those that just read.
COMMANDS = {
    "ingest": ["ingest"],
    "demo": ["demo"],
    "emulator": ["emulator"],
    "tags": ["tags", "shop/cart"],
    "doctor": ["doctor"],
    "query": ["query", "select count(*) from range(1000000) a, range(1000000) b where a.range < 0"],
    "report": ["report"],
    "reclaimable": ["reclaimable", "from tags"],
    "forget": ["forget", "shop/cart"],
}


@pytest.fixture
def server(site_settings: Callable[[str], Path]) -> Iterator[Emulator]:
    """A small registry, and settings that fit it."""
    with Emulator(small_registry()) as running:
        site_settings(running.url)
        yield running


def delay(server: Emulator, seconds: float) -> None:
    """Have the registry take its time from now on."""
    server.fault = lambda _: time.sleep(seconds)


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, check=True, text=True, env=os.environ
    )


@contextmanager
def started(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Start a command; give it once it can be stopped."""
    with subprocess.Popen(
        [*COMMAND, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    ) as process:
        while not catches(process.pid, signal.SIGTERM):
            time.sleep(0.01)
        yield process
        process.kill()


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process handles a signal by itself."""
    status = Path(f"/proc/{pid}/status").read_text()
    [mask] = [line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")]
    return bool(int(mask, 16) >> (number - 1) & 1)


def assert_ends_with_a_sentence(
    process: "subprocess.Popen[str]", number: signal.Signals, *, may_end: bool = False
) -> str:
    """Stop a command: it says one thing, at once; or it ended before, if it may."""
    began = time.monotonic()
    process.send_signal(number)
    _, said = process.communicate()
    if may_end and process.returncode in {0, 2}:
        return ""
    assert process.returncode == 128 + number, said
    assert time.monotonic() - began < 10
    assert "Traceback" not in said
    sentence = said.splitlines()[-1]
    assert sentence.startswith({2: "Interrupted: ", 15: "Terminated: "}[number])
    assert sentence.endswith(".")
    return sentence


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_command_ends_with_one_sentence(server: Emulator, number: signal.Signals) -> None:
    """Soon after its start, whichever it is, with 128 and the signal's number."""
    delay(server, 0.5)
    for seed, arguments in enumerate(COMMANDS.values()):
        with started(*arguments) as process:
            # Before the quickest would have ended by itself.
            time.sleep(random.Random(seed).uniform(0, 0.2))
            assert_ends_with_a_sentence(process, number)


@pytest.mark.soak
def test_commands_are_stopped_at_any_moment(server: Emulator) -> None:
    """The same for two hundred moments of the first eight seconds."""
    delay(server, 0.5)
    draw = random.Random(0)
    for _ in range(200):
        with started(*draw.choice(list(COMMANDS.values()))) as process:
            time.sleep(draw.uniform(0, 8))
            number = draw.choice([signal.SIGINT, signal.SIGTERM])
            assert_ends_with_a_sentence(process, number, may_end=True)


def wait_for_tags(server: Emulator, count: int) -> None:
    """Wait until so many requests for tags are answered."""
    while len([entry for entry in server.log if entry.path.endswith("/tags")]) < count:
        time.sleep(0.01)


def test_the_next_run_goes_on_where_one_was_interrupted(server: Emulator) -> None:
    """What is finished is not read again, and Dagster knows that the run was stopped on purpose."""
    over = threading.Event()

    def hold_spark(request: Request) -> None:
        if request.path.endswith("/spark/tags"):
            over.wait(60)

    server.fault = hold_spark
    with started("ingest") as process:
        wait_for_tags(server, 2)
        time.sleep(1)
        sentence = assert_ends_with_a_sentence(process, signal.SIGINT)
    assert sentence == (
        "Interrupted: 2 of 3 repositories are read and kept;"
        " run the same command again to go on from there."
    )
    over.set()
    # What the first run waited for is logged only now.
    wait_for_tags(server, 3)
    delay(server, 0)
    server.log.clear()
    assert run("ingest").stdout.startswith("Published in ")
    paths = [entry.path for entry in server.log if entry.path.endswith("/tags")]
    assert paths == ["/v2/manage/namespaces/data/repos/spark/tags"]
    with dg.DagsterInstance.from_config(os.environ["DAGSTER_HOME"]) as instance:
        statuses = [run.status for run in instance.get_runs()]
    assert statuses == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.CANCELED]


READ_IN_PART = [
    ["query", "from range(300000)", "--format", "csv"],
    ["query", "from range(300000)", "--format", "json"],
    ["query", "from range(30000)"],
    ["tags", "shop/cart", "--format", "jsonl"],
    ["report"],
    ["doctor"],
    ["ingest"],
]


@pytest.mark.usefixtures("server")
def test_a_closed_pipe_is_no_error() -> None:
    """Nobody reads on: nothing is said, what has to be done is done, and the exit code is 0."""
    run_steps(read_settings())
    for arguments in READ_IN_PART:
        with subprocess.Popen(
            [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            said = process.stderr.read()
        assert process.returncode == 0, said
        assert b"Traceback" not in said
        assert b"Error" not in said


@pytest.mark.usefixtures("server")
def test_a_run_whose_progress_nobody_reads_is_published() -> None:
    """Its lines go nowhere."""
    with subprocess.Popen(
        [*COMMAND, "ingest"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=os.environ
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
    assert process.returncode == 0
    told = run("query", "select tag_count from reports.registry_size", "--format", "csv")
    assert told.stdout.split() == ['"tag_count"', "62"]


@pytest.mark.usefixtures("server")
def test_a_run_ends_also_where_signals_are_ignored() -> None:
    """As of a program that was started so that it survives them: what Dagster starts must not."""
    launching = (
        "import os, signal, sys;"
        "[signal.signal(number, signal.SIG_IGN) for number in (2, 15)];"
        "os.execv(sys.executable, sys.argv[1:])"
    )
    done = subprocess.run(
        [sys.executable, "-c", launching, *COMMAND, "ingest"],
        capture_output=True,
        check=True,
        env=os.environ,
        timeout=100,
    )
    assert done.stdout.startswith(b"Published in ")
