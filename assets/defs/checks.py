"""The checks as asset checks; the blocking ones come before publishing.

`pipelines.warehouse.checks` runs them. Tables are checked before reports are built from them,
reports before they are published. The checks that people look for are declared by name; the others
of each step are rows of one more, because Dagster stores two events for each declared check.
https://docs.dagster.io/guides/test/asset-checks
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import dagster as dg
import pyarrow as pa

from pipelines.engines.engine import engine_of
from pipelines.page.markdown import markdown_table
from pipelines.run.failure import undone_if_failed
from pipelines.run.ingest import Step
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.schemas import LOADED
from pipelines.settings import Settings
from pipelines.warehouse.build_plan import report_names
from pipelines.warehouse.building import BUILDING, connect_building
from pipelines.warehouse.checks import (
    CheckOutcome,
    all_checks,
    raise_if_blocked,
    report_checks,
    table_checks,
)
from pipelines.warehouse.resources import resources_of
from pipelines.warehouse.state import connect_state, has_state

_DECLARED = {
    "crawls__complete_ones_hold_every_tag",
    "daily_growth__complete_share_holds",
    "daily_growth__is_usual",
    "gaps__explain_every_bound",
    "registry_size__exactly_one_row",
    "registry_size__ledger_balances",
    "repository_sizes__ledger_balances",
    "tag_history__intervals_do_not_overlap",
    "tags__equal_open_history",
    "tags__manifest_exists",
}
_ASSETS = {table: [schema, table] for schema, table in LOADED}
_ASSETS |= {name: ["reports", name] for name in report_names()}
_RULES = {entry.name: entry for entry in all_checks()}


def _own_spec(name: str) -> dg.AssetCheckSpec:
    """Declare one check by its name, at the table that the name begins with."""
    rule = _RULES[name]
    asset = _ASSETS[name.split("__", 1)[0]]
    return dg.AssetCheckSpec(name, asset=asset, blocking=rule.is_blocking, description=rule.meaning)


def _spec_of_others(
    name: str, asset: list[str], step_checks: set[str], after: Sequence[list[str]] = ()
) -> dg.AssetCheckSpec:
    """Declare one check for all of a step that are not declared by name."""
    others = sorted(step_checks - _DECLARED)
    return dg.AssetCheckSpec(
        name,
        asset=asset,
        additional_deps=after,
        blocking=True,
        description=f"{len(others)} more, each a row of the table: {', '.join(others)}.",
    )


_OTHER_TABLE_CHECKS = _spec_of_others(
    "tables__other_checks", ["main", "tags"], table_checks(), after=[["ingest", "pulls"]]
)
_OTHER_REPORT_CHECKS = _spec_of_others(
    "reports__other_checks", ["reports", "registry_size"], report_checks()
)
_SPECS = {name: _own_spec(name) for name in sorted(_DECLARED)}


def _specs(step_checks: set[str], others: dg.AssetCheckSpec) -> list[dg.AssetCheckSpec]:
    return [*(spec for name, spec in _SPECS.items() if name in step_checks), others]


@dg.multi_asset_check(specs=_specs(table_checks(), _OTHER_TABLE_CHECKS), can_subset=True)
def check_tables(
    context: dg.AssetCheckExecutionContext,
    warehouse: dg.ResourceParam[Settings],
    progress: dg.ResourceParam[Progress],
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of the loaded tables."""
    with RunLog(context.run.run_id).step(Step.CHECK_TABLES), undone_if_failed(warehouse):
        chosen = _chosen(context, table_checks(), _OTHER_TABLE_CHECKS)
        outcomes = _outcomes(context, warehouse, progress, chosen)
        yield from _results(outcomes, _names(context), _OTHER_TABLE_CHECKS)
        # Dagster would stop here as well, without saying which checks failed.
        raise_if_blocked(outcomes)


@dg.multi_asset_check(specs=_specs(report_checks(), _OTHER_REPORT_CHECKS), can_subset=True)
def check_reports(
    context: dg.AssetCheckExecutionContext,
    warehouse: dg.ResourceParam[Settings],
    progress: dg.ResourceParam[Progress],
) -> Iterator[dg.AssetCheckResult]:
    """Run the checks of the reports."""
    with RunLog(context.run.run_id).step(Step.CHECK_REPORTS), undone_if_failed(warehouse):
        chosen = _chosen(context, report_checks(), _OTHER_REPORT_CHECKS)
        outcomes = _outcomes(context, warehouse, progress, chosen)
        yield from _results(outcomes, _names(context), _OTHER_REPORT_CHECKS)
        # Dagster would stop here as well, without saying which checks failed.
        raise_if_blocked(outcomes)


def _names(context: dg.AssetCheckExecutionContext) -> set[str]:
    return {key.name for key in context.selected_asset_check_keys}


def _chosen(
    context: dg.AssetCheckExecutionContext, step_checks: set[str], others: dg.AssetCheckSpec
) -> set[str]:
    """The checks of a step that were chosen, by their own names or with the others."""
    names = _names(context)
    return {name for name in step_checks if (name if name in _DECLARED else others.name) in names}


def _outcomes(
    context: dg.AssetCheckExecutionContext,
    settings: Settings,
    progress: Progress,
    names: set[str],
) -> list[CheckOutcome]:
    """Run checks of what is being built, else of what is published; name those that warn."""
    outcomes = _run(settings, names)
    warnings = [outcome for outcome in outcomes if outcome.count and not outcome.is_blocking]
    failed = sum(1 for outcome in outcomes if outcome.count) - len(warnings)
    context.log.info("%d checks: %d failed, %d warn.", len(outcomes), failed, len(warnings))
    for outcome in warnings:
        progress.notice(f"{outcome.name} warns: {_RULES[outcome.name].meaning}")
    return outcomes


def _run(settings: Settings, names: set[str]) -> list[CheckOutcome]:
    directory, resources = settings.warehouse_dir, resources_of(settings)
    engine = engine_of(settings)
    if has_state(directory) and not (directory / BUILDING).exists():
        with closing(connect_state(directory)) as con:
            return engine.run_checks(con, names)
    with connect_building(directory, resources) as con:
        return engine.run_checks(con, names, resources.cursors)


def _results(
    outcomes: Sequence[CheckOutcome], names: set[str], others: dg.AssetCheckSpec
) -> Iterator[dg.AssetCheckResult]:
    """Report the declared ones one by one, the others together."""
    for outcome in outcomes:
        if outcome.name in _DECLARED:
            yield _result(_SPECS[outcome.name], [outcome], {"rows": outcome.count})
    if others.name in names:
        together = [outcome for outcome in outcomes if outcome.name not in _DECLARED]
        yield _result(others, together, {"checks": dg.MetadataValue.md(_table(together))})


def _result(
    spec: dg.AssetCheckSpec, outcomes: Sequence[CheckOutcome], metadata: dict[str, Any]
) -> dg.AssetCheckResult:
    """What Dagster is to show: the worst of some outcomes, and a sample of the rows of each."""
    failed = [outcome for outcome in outcomes if outcome.count]
    is_warning = not spec.blocking or (failed and not any(o.is_blocking for o in failed))
    samples = {
        _sample_name(outcome): dg.MetadataValue.md(markdown_table(outcome.sample))
        for outcome in failed
    }
    return dg.AssetCheckResult(
        asset_key=spec.asset_key,
        check_name=spec.name,
        passed=not failed,
        severity=dg.AssetCheckSeverity.WARN if is_warning else dg.AssetCheckSeverity.ERROR,
        metadata=metadata | samples,
    )


def _sample_name(outcome: CheckOutcome) -> str:
    return "sample" if outcome.name in _DECLARED else f"sample of {outcome.name}"


def _table(outcomes: Sequence[CheckOutcome]) -> str:
    """A row for each check, those that found something first."""
    rows = [
        {
            "check": outcome.name,
            "verdict": _verdict(outcome),
            "rows": outcome.count,
            "rule": _RULES[outcome.name].meaning,
        }
        for outcome in sorted(outcomes, key=lambda outcome: (not outcome.count, outcome.name))
    ]
    return markdown_table(pa.Table.from_pylist(rows))


def _verdict(outcome: CheckOutcome) -> str:
    if not outcome.count:
        return "passed"
    return "failed" if outcome.is_blocking else "warns"
