"""What runs by itself: the job `ingest` and its daily schedule.

https://docs.dagster.io/guides/automate/schedules
"""

import dagster as dg

# One process, few fat steps: concurrency is threads inside the crawl.
INGEST = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.all(),
    executor_def=dg.in_process_executor,
    description="Read the registry, load it, build and audit the reports, publish the warehouse.",
)
DAILY = dg.ScheduleDefinition(
    name="daily",
    job=INGEST,
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    description="Every day: unchanged repositories cost one request each.",
)
