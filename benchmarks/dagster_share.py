"""What of an `ingest` is Dagster's: the same steps with it and without, on the demo's registry.

The steps are also run in a process that has imported Dagster and does not use it: what is above
that is the run's. Each is a process of its own against the same emulator, with a new warehouse,
taken in turns; medians of wall and CPU seconds, the interpreter's start included.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from pipelines.emulator.built_in.registry import built_in_registry
from pipelines.emulator.server import Emulator

_ROUNDS = 3
_TOKEN = "benchmark"  # noqa: S105 - opens nothing but this emulator
_STEPS = """
from pipelines.run.ingest import ingest
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import read_settings

ingest(read_settings(), RunRequest("bench", False, Scope()), NoProgress())
"""
_PROGRAMS = {
    "import dagster": ["-c", "import dagster"],
    "the steps alone": ["-c", _STEPS],
    "… with it imported": ["-c", f"import dagster\n{_STEPS}"],
    "ingest, in Dagster": ["-m", "assets.cli", "ingest"],
}


def main() -> None:
    """Print the table."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in _PROGRAMS}
    with Emulator(built_in_registry(datetime.now(UTC).date()), token=_TOKEN) as server:
        for _ in range(_ROUNDS):
            for name, arguments in _PROGRAMS.items():
                seconds[name].append(_measured(arguments, server.url))
    print(f"{'':<22}{'wall s':>8}{'CPU s':>8}")
    for name, measured in seconds.items():
        print(f"{name:<22}{_median(measured, 0):>8.2f}{_median(measured, 1):>8.2f}")
    whole, ours = (seconds[name] for name in ("ingest, in Dagster", "… with it imported"))
    wall, cpu = (_median(whole, part) - _median(ours, part) for part in (0, 1))
    print(f"{'above that':<22}{wall:>8.2f}{cpu:>8.2f}")


def _measured(arguments: list[str], url: str) -> tuple[float, float]:
    """Wall and CPU seconds of a program with a warehouse and a Dagster home of its own."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "SWR_ENDPOINT": url,
            "SWR_AUTH_TOKEN": _TOKEN,
            "SWR_REQUESTS_PER_SECOND": "0",
            "SWR_WAREHOUSE_DIR": str(Path(folder) / "warehouse"),
            "DAGSTER_HOME": str(Path(folder) / "dagster"),
        }
        began, before = time.perf_counter(), _cpu()
        command = [sys.executable, "-W", "ignore", *arguments]
        subprocess.run(command, check=True, env=environment, capture_output=True)
        return time.perf_counter() - began, _cpu() - before


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _median(measured: list[tuple[float, float]], part: int) -> float:
    return median(each[part] for each in measured)


if __name__ == "__main__":
    main()
