"""Launch the job `ingest` in this process, as the command line does.

Keeps Dagster's state in `.dagster` of the checkout, so that the UI shows the runs made here.
Imports Dagster only when asked to launch: it takes seconds.
"""

import os
import shutil
import stat
import time
import uuid
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.cli.stopping import on_stop
from pipelines.errors import SwrWarehouseError
from pipelines.run.ingest import Step, latest_status
from pipelines.settings import read_settings

if TYPE_CHECKING:
    import dagster as dg

    from pipelines.run.progress import Progress

_CHECKOUT = Path(__file__).resolve().parents[2]
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class LaunchedRun:
    """How a run went: its status as published, and what all of it and each step took in seconds."""

    status: str
    seconds: float
    step_seconds: Mapping[str, float]


def launch_ingest(
    *,
    full: bool,
    namespaces: tuple[str, ...],
    repositories: tuple[str, ...],
    progress: "Progress",
) -> LaunchedRun:
    """Run the job `ingest` to its end, on the Dagster instance of `prepare_home`.

    Raises:
        SwrWarehouseError: nothing was published; the text says why.
    """
    began = time.monotonic()
    # Its previews warn about parameters that this project uses on purpose.
    warnings.filterwarnings("ignore", category=Warning, module=r"(dagster|assets)\b.*")
    import dagster as dg  # noqa: PLC0415 - see the module's docstring

    config = {"full": full, "namespaces": list(namespaces), "repositories": list(repositories)}
    run_id = str(uuid.uuid4())
    with (
        private_files(),
        dg.DagsterInstance.from_config(str(prepare_home())) as instance,
        on_stop(lambda: _cancel(instance, run_id)),
        ThreadPoolExecutor(1, thread_name_prefix="dagster") as thread,
    ):
        # In the main thread Dagster would take signals for itself.
        result = thread.submit(run_job, instance, config, progress, run_id).result()
        seconds = _step_seconds(result)
    return LaunchedRun(latest_status(read_settings()), time.monotonic() - began, seconds)


def _cancel(instance: "dg.DagsterInstance", run_id: str) -> None:
    """Have Dagster know that a run was stopped on purpose, lest it is tried again."""
    run = instance.get_run_by_id(run_id)
    if run and not run.is_finished:
        instance.report_run_canceled(run)


def run_job(
    instance: "dg.DagsterInstance",
    config: dict[str, Any],
    progress: "Progress",
    run_id: str | None = None,
) -> "dg.ExecuteInProcessResult":
    """Run the job `ingest` on an instance, with the config of its reading step.

    Raises:
        SwrWarehouseError: nothing was published; the text says why.
    """
    from assets.definitions import defs  # noqa: PLC0415 - see the module's docstring
    from assets.resources import WarehouseResource  # noqa: PLC0415 - see the module's docstring
    from assets.run_launcher import DIRECTORY_TAG  # noqa: PLC0415 - see the module's docstring

    try:
        return defs.resolve_job_def("ingest").execute_in_process(
            run_config={
                "ops": {Step.CRAWL.value: {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            instance=instance,
            run_id=run_id,
            # The daemon asks it whether this run is alive.
            tags={DIRECTORY_TAG: str(read_settings().warehouse_dir.absolute())},
            resources={"warehouse": WarehouseResource(), "progress": progress},
        )
    except Exception as error:
        raise _own_cause(error) from error


def prepare_home() -> Path:
    """Make the folder Dagster keeps its state in and name it: `DAGSTER_HOME`, else `.dagster`.

    The project's configuration is put there if there is none yet: Dagster reads it nowhere else.
    All of it is then its owner's alone.
    """
    has_checkout = (_CHECKOUT / "dagster.yaml").exists()
    root = _CHECKOUT if has_checkout else Path.cwd()
    home = Path(os.environ.get("DAGSTER_HOME") or root / ".dagster").absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if has_checkout and not (home / "dagster.yaml").exists():
        shutil.copyfile(_CHECKOUT / "dagster.yaml", home / "dagster.yaml")
    for path in (home, *home.rglob("*")):
        _make_private(path)
    return home


def _make_private(path: Path) -> None:
    """Take a file or folder from everybody but its owner; another user's stays as it is."""
    with suppress(PermissionError, FileNotFoundError):
        mode = path.lstat().st_mode
        if mode & _OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~_OTHERS)


@contextmanager
def private_files() -> Iterator[None]:
    """Have whatever is made meanwhile readable by its owner only: Dagster sets no modes."""
    before = os.umask(_OTHERS)
    try:
        yield
    finally:
        os.umask(before)


def _step_seconds(result: "dg.ExecuteInProcessResult") -> Mapping[str, float]:
    """Seconds of each kind of step; both steps of checks count as `check`."""
    seconds: dict[str, float] = defaultdict(float)
    for event in result.all_events:
        if event.is_step_success and event.step_key in set(Step):
            seconds[event.step_key.split("_")[0]] += event.step_success_data.duration_ms / 1000
    return seconds


def _own_cause(error: BaseException) -> BaseException:
    """Find the error of ours that Dagster wrapped; what is not ours is a bug and stays as it is."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SwrWarehouseError):
            return cause
        cause = cause.__cause__
    return error
