"""The code location: every asset, check, job, schedule and resource, put together. No logic.

Loads with an empty environment: settings are read when a run starts.
"""

import dagster as dg

from assets.automation import CLEARING, DAILY, INGEST, WEEKLY
from assets.checks import audit_reports, audit_tables
from assets.clearing import CLEAR_UP
from assets.landing import REGISTRY, tag_pages
from assets.reports import reports
from assets.resources import ProgressResource, WarehouseResource
from assets.sensors import namespaces, run_failures
from assets.warehouse import load, published

defs = dg.Definitions(
    assets=[REGISTRY, tag_pages, load, reports, published],
    asset_checks=[audit_tables, audit_reports],
    jobs=[INGEST, CLEAR_UP],
    schedules=[DAILY, WEEKLY, CLEARING],
    sensors=[namespaces, run_failures],
    resources={"warehouse": WarehouseResource(), "progress": ProgressResource()},
)
