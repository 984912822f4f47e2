"""Launch the job `ingest` in this process, as the command line does.

Keeps Dagster's state in `.dagster` of the checkout, so that the UI shows the runs made here.
Imports Dagster only when asked to launch: it takes seconds.
"""

import os
import shutil
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import SwrWarehouseError
from pipelines.ingest import latest_status
from pipelines.settings import read_settings

if TYPE_CHECKING:
    import dagster as dg

    from pipelines.crawl import Progress

_CHECKOUT = Path(__file__).resolve().parent.parent
_STEP_TIMES = {
    "swr__tag_pages": "read",
    "load": "load",
    "audit_tables": "audit tables",
    "reports": "reports",
    "audit_reports": "audit reports",
    "warehouse__published": "publish",
}


@dataclass(frozen=True)
class Launched:
    """How a run went: its id, its status as published, and what each step took in seconds."""

    run_id: str
    status: str
    seconds: float
    step_seconds: Mapping[str, float]


def launch_ingest(
    *,
    full: bool,
    namespaces: tuple[str, ...],
    repositories: tuple[str, ...],
    progress: "Progress",
) -> Launched:
    """Run the job `ingest` to its end.

    Raises:
        SwrWarehouseError: nothing was published; the text says why.
    """
    began = time.monotonic()
    # Its previews warn about parameters that this project uses on purpose.
    warnings.filterwarnings("ignore", category=Warning, module=r"dagster\b.*")
    import dagster as dg  # noqa: PLC0415 - see the module's docstring

    from assets.definitions import defs  # noqa: PLC0415

    config = {"full": full, "namespaces": list(namespaces), "repositories": list(repositories)}
    with dg.DagsterInstance.from_config(str(prepare_home())) as instance:
        try:
            result = defs.resolve_job_def("ingest").execute_in_process(
                run_config={
                    "ops": {"swr__tag_pages": {"config": config}},
                    "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
                },
                instance=instance,
                resources=_resources(progress),
            )
        except Exception as error:
            raise _own_error(error) from error
        seconds = _step_seconds(result)
    return Launched(
        result.run_id, latest_status(read_settings()), time.monotonic() - began, seconds
    )


def prepare_home() -> Path:
    """Make the folder Dagster keeps its state in, with the project's configuration; name it."""
    if home := os.environ.get("DAGSTER_HOME"):
        return Path(home)
    root = _CHECKOUT if (_CHECKOUT / "dagster.yaml").exists() else Path.cwd()
    home_path = root / ".dagster"
    home_path.mkdir(mode=0o700, exist_ok=True)
    configuration = home_path / "dagster.yaml"
    if not configuration.exists() and (root / "dagster.yaml").exists():
        shutil.copyfile(root / "dagster.yaml", configuration)
    return home_path


def _resources(progress: "Progress") -> dict[str, Any]:
    from assets.resources import WarehouseResource  # noqa: PLC0415

    return {"warehouse": WarehouseResource(), "progress": progress}


def _step_seconds(result: "dg.ExecuteInProcessResult") -> dict[str, float]:
    ended = [event for event in result.all_events if event.is_step_success]
    return {
        _STEP_TIMES[event.step_key]: event.step_success_data.duration_ms / 1000
        for event in ended
        if event.step_key in _STEP_TIMES
    }


def _own_error(error: BaseException) -> BaseException:
    """Find the error of ours that Dagster wrapped; what is not ours is a bug and stays as it is."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, SwrWarehouseError):
            return cause
        cause = cause.__cause__
    return error
