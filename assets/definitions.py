"""The code location: every asset, check, job, schedule and resource, put together. No logic.

Loads with an empty environment: settings are read when a run starts.
"""

import dagster as dg

from assets.defs.checks import check_reports, check_tables
from assets.defs.clear_up import CLEAR_UP
from assets.defs.landing import REGISTRY, crawl
from assets.defs.reports import build
from assets.defs.schedules import CLEARING, DAILY, INGEST, WEEKLY
from assets.defs.sensors import namespaces, run_failures
from assets.defs.warehouse import load, publish, resolve
from assets.resources import ProgressResource, WarehouseResource

defs = dg.Definitions(
    assets=[REGISTRY, crawl, load, resolve, build, publish],
    asset_checks=[check_tables, check_reports],
    jobs=[INGEST, CLEAR_UP],
    schedules=[DAILY, WEEKLY, CLEARING],
    sensors=[namespaces, run_failures],
    resources={"warehouse": WarehouseResource(), "progress": ProgressResource()},
)
