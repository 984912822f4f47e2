"""Launch the job `ingest` in this process, as the command line does.

Keeps Dagster's state beside the warehouse, so that `ui` shows the runs made here.
Imports Dagster only when asked to launch: it takes seconds.
"""

import errno
import os
import shutil
import sqlite3
import stat
import time
import uuid
import warnings
from collections import defaultdict
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.cli.held_lines import store_lines_held
from assets.cli.stopping import on_stop, terminable_children
from pipelines.errors import RunStoreError, SwrWarehouseError, WarehouseError
from pipelines.registries import read_one
from pipelines.run.ingest import Step, is_published, latest_status
from pipelines.settings import Settings, read_settings
from pipelines.warehouse.building import discard_building, writer_lock

if TYPE_CHECKING:
    import dagster as dg

    from pipelines.run.progress import Progress

WORKSPACE = Path(__file__).parents[1] / "workspace.yaml"
_CONFIGURATION = Path(__file__).parents[1] / "dagster.yaml"
_UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class LaunchedRun:
    """How a run went: its status as published, and what all of it and each step took in seconds.

    `unlogged` says what Dagster could not write of it; None where it wrote everything.
    """

    status: str
    seconds: float
    step_seconds: Mapping[str, float]
    unlogged: str | None = None


def launch_ingest(
    *,
    full: bool,
    namespaces: tuple[str, ...],
    repositories: tuple[str, ...],
    progress: "Progress",
    rebuild: bool = False,
    registry: str | None = None,
) -> LaunchedRun:
    """Run the job `ingest` to its end, on the Dagster instance of `prepare_home`.

    Of several registries it reads the one that is named.

    Raises:
        SwrWarehouseError: nothing was published; the text says why.
    """
    began = time.monotonic()
    # Its previews warn about parameters that this project uses on purpose.
    warnings.filterwarnings("ignore", category=Warning, module=r"(dagster|assets)\b.*")
    config = {"full": full, "namespaces": list(namespaces), "repositories": list(repositories)}
    run_id = str(uuid.uuid4())
    unlogged: str | None = None
    seconds: Mapping[str, float] = {}
    with store_lines_held() as held:
        try:
            seconds = _run(config, progress, run_id, rebuild=rebuild, registry=registry)
        except Exception as error:  # noqa: BLE001 - raised again unless the run is published
            unlogged = _what_is_unlogged(error, run_id, read_one(registry))
            held.clear()
    status = latest_status(read_one(registry))
    return LaunchedRun(status, time.monotonic() - began, seconds, unlogged)


def _run(
    config: dict[str, Any], progress: "Progress", run_id: str, **asked: Any
) -> Mapping[str, float]:
    """Run the job; give the seconds of its steps."""
    with (
        private_files(),
        # Dagster ends those that it starts by terminating them.
        terminable_children(),
        _instance(prepare_home()) as instance,
        on_stop(lambda: _cancel(instance, run_id)),
        ThreadPoolExecutor(1, thread_name_prefix="dagster") as thread,
    ):
        # In the main thread Dagster would take signals for itself.
        job = partial(run_job, instance, config, progress, run_id, **asked)
        return _step_seconds(thread.submit(job).result())


def _instance(home: Path) -> "dg.DagsterInstance":
    """Open Dagster's state in this folder, without a copy of the steps' standard streams.

    For such copies Dagster starts four programs a step, which takes a second.
    """
    import dagster as dg  # noqa: PLC0415 - see the module's docstring
    from dagster._core.instance.ref import InstanceRef  # noqa: PLC0415 - see the module's docstring

    no_copy = {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
    reference = InstanceRef.from_dir(str(home), overrides={"compute_logs": no_copy})
    return dg.DagsterInstance.from_ref(reference)


def _what_is_unlogged(error: Exception, run_id: str, settings: Settings) -> str:
    """Say what Dagster's pages lack of a run that is published all the same.

    Raises:
        Exception: the error; nothing was published.
        RunStoreError: nothing was published, and Dagster's own store is to blame.
    """
    problem = _store_problem(error)
    if is_published(settings, run_id):
        return f"Dagster's pages lack some of this run: {problem or repr(error)}."
    _discard_what_was_built(settings.warehouse_dir)
    if problem:
        raise RunStoreError(_unstored(problem)) from error
    raise error


def _discard_what_was_built(directory: Path) -> None:
    """Also where Dagster failed between two steps; another run that writes keeps its own."""
    with suppress(WarehouseError), writer_lock(directory):
        discard_building(directory)


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
    *,
    rebuild: bool = False,
    registry: str | None = None,
) -> "dg.ExecuteInProcessResult":
    """Run the job `ingest` on an instance, with the config of its reading step.

    Of several registries it reads the one that is named.

    Raises:
        SwrWarehouseError: nothing was published; the text says why.
    """
    from assets.definitions import defs  # noqa: PLC0415 - see the module's docstring
    from assets.resources import WarehouseResource  # noqa: PLC0415 - see the module's docstring

    try:
        return defs.resolve_job_def("ingest").execute_in_process(
            run_config={
                "ops": {Step.CRAWL.value: {"config": config}},
                "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            },
            instance=instance,
            run_id=run_id,
            tags=_tags_of_run(registry, rebuild=rebuild),
            resources={"warehouse": WarehouseResource(), "progress": progress},
        )
    except Exception as error:
        if own := _own_cause(error):
            raise own from error
        raise


def _tags_of_run(registry: str | None, *, rebuild: bool) -> dict[str, str]:
    """What Dagster keeps of a run that a command began."""
    from assets.defs.reports import REBUILD_TAG  # noqa: PLC0415 - see the module's docstring
    from assets.registries import tags_of  # noqa: PLC0415 - see the module's docstring
    from assets.run_launcher import DIRECTORY_TAG  # noqa: PLC0415 - see the module's docstring

    return {
        # The daemon asks it whether this run is alive.
        DIRECTORY_TAG: str(read_one(registry).warehouse_dir.absolute()),
        # It cannot start it again: it has not started it.
        "dagster/max_retries": "0",
        **({REBUILD_TAG: "true"} if rebuild else {}),
        **tags_of(registry),
    }


def _home() -> Path:
    own = os.environ.get("DAGSTER_HOME")
    return Path(own or read_settings().warehouse_dir / "dagster").absolute()


def prepare_home() -> Path:
    """Make Dagster's folder and name it: `DAGSTER_HOME`, else `dagster` beside the warehouse.

    The project's configuration is put there if there is none yet: Dagster reads it nowhere else.
    All of it is then its owner's alone.
    """
    home = _home()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (home / _CONFIGURATION.name).exists():
        shutil.copyfile(_CONFIGURATION, home / _CONFIGURATION.name)
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


def _store_problem(error: BaseException) -> str | None:
    """What keeps Dagster from writing its own files; None where something else went wrong."""
    for cause in _causes(error):
        if isinstance(cause, SwrWarehouseError):
            return None
        if isinstance(cause, sqlite3.Error):
            return f"{_home()} cannot be written ({cause})"
        if isinstance(cause, OSError) and cause.errno in _UNWRITABLE:
            return f"{_home()} cannot be written ({cause.strerror})"
    return None


def _unstored(problem: str) -> str:
    return (
        f"Dagster's folder {problem}, so nothing was published: free some space on its disk, or set"
        " DAGSTER_HOME to another folder; the next ingest goes on from what was read."
    )


def _own_cause(error: BaseException) -> SwrWarehouseError | None:
    """Find the error of ours that Dagster wrapped; None where it is not ours."""
    return next((cause for cause in _causes(error) if isinstance(cause, SwrWarehouseError)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error, what it was raised from or while, and so on; they may come round in a circle."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__
