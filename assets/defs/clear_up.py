"""The job `clear_up`: what nobody needs to keep goes, in the warehouse directory and in Dagster.

What goes there is `pipelines.run.clear_up`'s to know; Dagster's own old runs go here.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from pipelines.run.clear_up import clear_up
from pipelines.settings import Settings

_RUNS_AT_ONCE = 100


@dg.op
def clear_warehouse(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Settings]) -> None:
    """Remove old landing folders, texts of rejected records and snapshots; reports stay."""
    cleared = clear_up(warehouse, datetime.now(UTC))
    context.add_output_metadata(
        {
            "landing_folders_removed": len(cleared.landing_folders),
            "runs_without_rejected_records": len(cleared.rejected_records),
            "snapshots_removed": len(cleared.snapshots),
        }
    )


@dg.op(ins={"after": dg.In(dg.Nothing)})
def clear_runs(context: dg.OpExecutionContext, warehouse: dg.ResourceParam[Settings]) -> None:
    """Remove Dagster's records of runs that ended long ago, with their logs."""
    before = datetime.now(UTC) - timedelta(days=warehouse.keep_history_days)
    ended = dg.RunsFilter(
        statuses=[
            dg.DagsterRunStatus.SUCCESS,
            dg.DagsterRunStatus.FAILURE,
            dg.DagsterRunStatus.CANCELED,
        ],
        created_before=before,
    )
    count = 0
    while runs := context.instance.get_runs(ended, limit=_RUNS_AT_ONCE):
        for run in runs:
            context.instance.delete_run(run.run_id)
            count += 1
    context.add_output_metadata({"runs_removed": count, "began_before": before.isoformat()})


@dg.job(
    name="clear_up",
    executor_def=dg.in_process_executor,
    tags={"dagster/retry_strategy": "ALL_STEPS"},
    description="Remove what is older than SWR_KEEP_LANDING_DAYS and SWR_KEEP_HISTORY_DAYS:"
    " landing folders of published runs, texts of rejected records, snapshots of what runs that"
    " are older than SWR_IN_USE_DAYS too, Dagster's own runs."
    " Tags, their history and every number of the reports stay.",
)
def CLEAR_UP() -> None:  # noqa: N802 - a job is a constant here, as `INGEST`
    """Clear up the warehouse directory, then Dagster's own storage."""
    clear_runs(after=clear_warehouse())
