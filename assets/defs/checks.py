"""Every check as an asset check; the blocking ones come before publishing.

`pipelines.warehouse.checks` runs them. Tables are checked before reports are built from them,
reports before they are published.
https://docs.dagster.io/guides/test/asset-checks
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from pipelines.page.markdown import markdown_table
from pipelines.run.failure import undone_if_failed
from pipelines.run.ingest import Step
from pipelines.run.log import RunLog
from pipelines.schemas import TABLES
from pipelines.settings import Settings
from pipelines.warehouse.build_plan import report_names
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.check_rules import Check
from pipelines.warehouse.checks import (
    CheckOutcome,
    all_checks,
    raise_if_blocked,
    report_checks,
    run_checks,
    table_checks,
)
from pipelines.warehouse.resources import resources_of

# A check is named by its table; `warehouse` is all of them, known once reports are built.
_KEYS = {table: [schema, table] for schema, table in TABLES}
_KEYS |= {name: ["reports", name] for name in report_names()}
_KEYS["warehouse"] = ["reports", "registry_size"]


def _spec(entry: Check) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        entry.name,
        asset=_KEYS[entry.name.split("__", 1)[0]],
        blocking=entry.is_blocking,
        description=entry.meaning,
    )


_SPECS = {entry.name: _spec(entry) for entry in all_checks()}


@dg.multi_asset_check(specs=[_SPECS[name] for name in sorted(table_checks())])
def check_tables(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Settings]
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of the loaded tables."""
    yield from _results(context, warehouse, Step.CHECK_TABLES, table_checks())


@dg.multi_asset_check(specs=[_SPECS[name] for name in sorted(report_checks())])
def check_reports(
    context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Settings]
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of the reports."""
    yield from _results(context, warehouse, Step.CHECK_REPORTS, report_checks())


def _results(
    context: dg.AssetCheckExecutionContext, settings: Settings, step: Step, names: set[str]
) -> Iterator[dg.AssetCheckResult]:
    log = RunLog(context.run.run_id)
    with log.step(step), undone_if_failed(settings):
        with connect_building(settings.warehouse_dir, resources_of(settings)) as con:
            outcomes = run_checks(con, names, resources_of(settings).cursors)
        for outcome in outcomes:
            yield _result(outcome)
        # Dagster would stop here as well, without saying which checks failed.
        raise_if_blocked(outcomes)


def _result(outcome: CheckOutcome) -> dg.AssetCheckResult:
    severity = dg.AssetCheckSeverity
    return dg.AssetCheckResult(
        asset_key=_SPECS[outcome.name].asset_key,
        check_name=outcome.name,
        passed=outcome.count == 0,
        severity=severity.ERROR if outcome.is_blocking else severity.WARN,
        metadata=_metadata(outcome),
    )


def _metadata(outcome: CheckOutcome) -> dict[str, Any]:
    if not outcome.count:
        return {"rows": 0}
    return {
        "rows": outcome.count,
        "sample": dg.MetadataValue.md(markdown_table(outcome.sample)),
    }
