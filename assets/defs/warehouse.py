"""The warehouse's own tables and its publication as assets.

Loading is `pipelines.run.load`, publishing `pipelines.warehouse.publish`; the tables' descriptions
are the comments of `sql/migrations`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from assets.defs.landing import REGISTRY, TAG_PAGES
from assets.defs.reports import REPORT_KEYS
from assets.reexecution import run_that_read
from assets.table_specs import FRESHNESS, OWNERS, sql_files, table_spec
from pipelines.page.html.writing import PAGE
from pipelines.run.failure import undone_if_failed
from pipelines.run.ingest import Step, publish_run
from pipelines.run.load import load_landing
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.run.resolve import Resolved
from pipelines.run.resolve import resolve as resolve_what_is_missing
from pipelines.schemas import TABLES
from pipelines.settings import Settings
from pipelines.warehouse.build_plan import report_inputs, report_names
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.catalog import stored_bytes
from pipelines.warehouse.checks import raise_if_blocked, run_checks
from pipelines.warehouse.load import row_counts
from pipelines.warehouse.resources import resources_of

# The tables that only answers of the registry's pull API fill.
_RESOLVED = (["main", "image_configs"], ["main", "image_labels"], ["ingest", "pulls"])


@dg.multi_asset(
    specs=[
        table_spec(
            schema,
            table,
            deps=[TAG_PAGES],
            group_name="warehouse",
            made_by=sql_files("migrations", "load"),
        )
        for schema, table in TABLES
        if [schema, table] not in _RESOLVED
    ]
)
def load(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Settings]
) -> Iterator[dg.MaterializeResult[None]]:
    """Turn what was landed into rows of the building file, which nobody else opens."""
    with RunLog(context.run.run_id).step(Step.LOAD):
        landed = run_that_read(context.instance, context.run, warehouse)
        with undone_if_failed(warehouse, landed):
            rows = load_landing(warehouse, landed)
            with connect_building(warehouse.warehouse_dir, resources_of(warehouse)) as con:
                sizes = stored_bytes(con, "main", "ingest")
    for schema, table in TABLES:
        if [schema, table] not in _RESOLVED:
            name = f"{schema}.{table}"
            yield dg.MaterializeResult(
                asset_key=[schema, table],
                metadata={"dagster/row_count": rows[name], "stored_bytes": sizes[name]},
            )


@dg.multi_asset(
    specs=[
        table_spec(
            schema,
            table,
            # Not of tags as well: their checks come after, and would wait for themselves.
            deps=[["main", "platforms"], REGISTRY],
            group_name="warehouse",
            made_by=sql_files("migrations", "load"),
        )
        for schema, table in _RESOLVED
    ]
)
def resolve(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Settings],
    progress: dg.ResourceParam[Progress],
) -> Iterator[dg.MaterializeResult[None]]:
    """Ask the registry for what the tag lists leave out: children, sizes, configurations."""
    with RunLog(context.run.run_id).step(Step.RESOLVE), undone_if_failed(warehouse):
        resolved = resolve_what_is_missing(warehouse, context.run.run_id, progress)
        with connect_building(warehouse.warehouse_dir, resources_of(warehouse)) as con:
            rows, sizes = row_counts(con), stored_bytes(con, "main", "ingest")
    for schema, table in _RESOLVED:
        name = f"{schema}.{table}"
        yield dg.MaterializeResult(
            asset_key=[schema, table],
            metadata={
                "dagster/row_count": rows[name],
                "stored_bytes": sizes[name],
                **(_asked(resolved) if table == "pulls" else {}),
            },
        )


def _asked(resolved: Resolved) -> dict[str, Any]:
    """What was asked for in this run, by kind and outcome, and what is left."""
    counts = {f"{kind}s_{outcome}": n for (kind, outcome), n in sorted(resolved.answers.items())}
    problem = {"problem": resolved.problem} if resolved.problem else {}
    left = {} if resolved.left is None else {"left": resolved.left}
    return {**counts, **left, **problem}


def _ends() -> list[list[str]]:
    """The tables and reports that no report reads: all others lead to them."""
    read = {table for name in report_names() for table in report_inputs(name)}
    everything = [*(list(table) for table in TABLES), *REPORT_KEYS]
    return [table for table in everything if ".".join(table) not in read]


_PUBLISHED = dg.AssetSpec(
    ["warehouse", "published"],
    deps=_ends(),
    group_name="reports",
    kinds={"duckdb"},
    owners=OWNERS,
    freshness_policy=FRESHNESS,
    description="The one file people query: replaced at once, after every blocking check.",
)


@dg.multi_asset(specs=[_PUBLISHED])
def publish(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Settings],
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult[None]:
    """Publish what was built and checked."""
    with RunLog(context.run.run_id).step(Step.PUBLISH), undone_if_failed(warehouse):
        if context.run.asset_selection:
            # Chosen alone, without the steps that check: nothing is published unchecked.
            with connect_building(warehouse.warehouse_dir, resources_of(warehouse)) as con:
                raise_if_blocked(run_checks(con))
        path = publish_run(warehouse, context.run.run_id, progress)
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(path),
            "bytes": path.stat().st_size,
            **(_page(path.with_name(PAGE)) if warehouse.write_page else {}),
        }
    )


def _page(file: Path) -> dict[str, Any]:
    """Where the page is: on this machine, and for whom `assets.cli.pages` serves."""
    return {"page": dg.MetadataValue.path(file), "open_page": dg.MetadataValue.url(f"/{PAGE}")}
