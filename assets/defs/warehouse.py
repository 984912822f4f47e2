"""The warehouse's own tables and its publication as assets.

Loading is `pipelines.run.load`, publishing `pipelines.warehouse.publish`; the tables' descriptions
are the comments of `sql/migrations`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from rich.filesize import decimal

from assets.graph import (
    PUBLISHED,
    RESOLVED,
    upstream_of_published,
    upstream_of_table,
)
from assets.reexecution import run_that_read
from assets.registries import query_of
from assets.table_specs import FRESHNESS, OWNERS, sql_files, table_spec
from pipelines.engines.engine import engine_of
from pipelines.page.html.writing import PAGE
from pipelines.run.failure import undone_if_failed
from pipelines.run.ingest import Step, publish_run
from pipelines.run.load import load_landing
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.run.resolve import Resolved
from pipelines.run.resolve import resolve as resolve_what_is_missing
from pipelines.schemas import LOADED
from pipelines.settings import Settings
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.catalog import stored_bytes
from pipelines.warehouse.checks import raise_if_blocked
from pipelines.warehouse.load import row_counts
from pipelines.warehouse.resources import resources_of

_LOADED = [table for table in LOADED if table not in RESOLVED]


def _spec(schema: str, table: str) -> dg.AssetSpec:
    return table_spec(
        schema,
        table,
        deps=upstream_of_table(schema, table),
        group_name="warehouse",
        made_by=sql_files("migrations", "load"),
    )


@dg.multi_asset(specs=[_spec(*table) for table in _LOADED])
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
    context.log.info(_loaded_words(rows))
    for schema, table in _LOADED:
        name = f"{schema}.{table}"
        yield dg.MaterializeResult(
            asset_key=[schema, table],
            metadata={"dagster/row_count": rows[name], "stored_bytes": sizes[name]},
        )


@dg.multi_asset(specs=[_spec(*table) for table in RESOLVED])
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
    context.log.info(_asked_words(resolved))
    for schema, table in RESOLVED:
        name = f"{schema}.{table}"
        yield dg.MaterializeResult(
            asset_key=[schema, table],
            metadata={
                "dagster/row_count": rows[name],
                "stored_bytes": sizes[name],
                **(_asked(resolved) if table == "pulls" else {}),
            },
        )


def _loaded_words(rows: Mapping[str, int]) -> str:
    told = [f"{rows[f'main.{name}']:,} {name}" for name in ("tags", "manifests", "layers")]
    return f"Loaded; known now: {', '.join(told)}."


def _asked(resolved: Resolved) -> dict[str, Any]:
    """What was asked for in this run, by kind and outcome, and what is left."""
    counts = {f"{kind}s_{outcome}": n for (kind, outcome), n in sorted(resolved.answers.items())}
    problem = {"problem": resolved.problem} if resolved.problem else {}
    left = {} if resolved.left is None else {"left": resolved.left}
    return {**counts, **left, **problem}


def _asked_words(resolved: Resolved) -> str:
    count = sum(resolved.answers.values())
    left = f", {resolved.left:,} are left for later runs" if resolved.left else ""
    return f"Asked the registry for {count:,} manifests and sizes{left}."


_PUBLISHED = dg.AssetSpec(
    PUBLISHED,
    deps=upstream_of_published(),
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
                raise_if_blocked(engine_of(warehouse).run_checks(con))
        path = publish_run(warehouse, context.run.run_id, progress)
    context.log.info("Published %s: %s.", path.name, decimal(path.stat().st_size))
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(path),
            "bytes": path.stat().st_size,
            **(_page(path.with_name(PAGE), warehouse) if warehouse.write_page else {}),
        }
    )


def _page(file: Path, settings: Settings) -> dict[str, Any]:
    """Where the page is: on this machine, and for whom `assets.cli.pages` serves."""
    address = f"/{PAGE}{query_of(settings)}"
    return {"page": dg.MetadataValue.path(file), "open_page": dg.MetadataValue.url(address)}
