"""Launches runs as Dagster does, and knows whether a run is still alive.

Dagster's own launcher cannot: a run that died with its machine would stay "started" for ever, and
would keep every later one waiting. The daemon's run monitoring asks here; dagster.yaml names this.
https://docs.dagster.io/deployment/execution/run-monitoring
"""

import time
from pathlib import Path

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

from pipelines.warehouse.building import is_being_written

# Names the directory that a run of the command line writes, in its tags.
DIRECTORY_TAG = "swr_warehouse/directory"
_TIME_TO_LOCK_SECONDS = 60


class WatchedRunLauncher(dg.DefaultRunLauncher):
    """The default launcher, with an answer to whether a run's worker lives."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It is supported."""
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Ask the code server that started the run; a run of the command line is asked its lock."""
        client = self._get_grpc_client_for_termination(run.run_id)  # type: ignore[no-untyped-call] # untyped there
        is_alive = _knows(client, run.run_id) if client else self._writes(run)
        if is_alive:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.FAILED, "the run's process is gone")

    def _writes(self, run: dg.DagsterRun) -> bool:
        record = self._instance.get_run_record_by_id(run.run_id)
        began = record.start_time if record else None
        if began is None or time.time() - began < _TIME_TO_LOCK_SECONDS:
            return True
        return is_being_written(Path(run.tags.get(DIRECTORY_TAG, "data")))


def _knows(client: DagsterGrpcClient, run_id: str) -> bool:
    """Whether the code server has the run's process; one that is only slow counts as having it."""
    try:
        reply = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run_id))
    except DagsterUserCodeUnreachableError as error:
        return "DEADLINE_EXCEEDED" in repr(error.__cause__)
    return deserialize_value(reply, CanCancelExecutionResult).can_cancel
