"""The reports as assets: one for each file of `sql/reports`, its key the table's name.

How they are built, and in which order, is `pipelines.warehouse.reports`; what of them is shown to
people, `pipelines.page.previews` and `assets.cli.pictures`.
"""

from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import Any

import dagster as dg
from duckdb import DuckDBPyConnection

from assets.graph import (
    INTERMEDIATE,
    PUBLISHED,
    upstream_of_intermediate,
    upstream_of_report,
)
from assets.table_specs import OWNERS, sql_files, table_spec
from pipelines.engines.engine import engine_of
from pipelines.page.previews import PICTURED, figures, previews
from pipelines.run.building import building
from pipelines.run.failure import undone_if_failed
from pipelines.run.ingest import Step
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.settings import Settings
from pipelines.warehouse.build_plan import intermediates, report_names
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.catalog import stored_bytes
from pipelines.warehouse.column_lineage import column_lineage, lineage_markdown
from pipelines.warehouse.rebuild import rebuild_reports
from pipelines.warehouse.reports import BuiltReport
from pipelines.warehouse.resources import resources_of

REBUILD_TAG = "swr-warehouse/rebuild"
_INTERMEDIATE = dg.AssetSpec(
    INTERMEDIATE,
    deps=upstream_of_intermediate(),
    group_name="reports",
    kinds={"duckdb", "sql"},
    owners=OWNERS,
    skippable=True,
    description="The tables of `sql/intermediate`, from which the reports are built: which blobs a"
    " tag holds, who else uses them, what nobody has read. They last as long as the step.",
)


def _spec(name: str) -> dg.AssetSpec:
    own = files("sql") / "reports" / f"{name}.sql"
    spec = table_spec(
        "reports",
        name,
        deps=upstream_of_report(name),
        group_name="reports",
        made_by=[own, *sql_files("intermediate")],
    )
    # Dagster shows the description first.
    picture = f"\n\n![{name} as a picture](/pictures/{name}.png)" if name in PICTURED else ""
    return spec.replace_attributes(
        description=f"{spec.description}{picture}", skippable=True
    ).merge_attributes(
        metadata={
            "dagster/column_lineage": _column_lineage(name),
            # Dagster's own pages do not draw the lineage of columns.
            "columns_come_from": dg.MetadataValue.md(lineage_markdown(name)),
        }
    )


def _column_lineage(name: str) -> dg.TableColumnLineage:
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep([s.schema, s.table], s.column) for s in sources]
            for column, sources in column_lineage(name).items()
        }
    )


@dg.multi_asset(specs=[_INTERMEDIATE, *map(_spec, report_names())], can_subset=True)
def build(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Settings],
    progress: dg.ResourceParam[Progress],
) -> Iterator[dg.MaterializeResult[None]]:
    """Rebuild the chosen reports, all in the job, from the tables of the building file.

    With the tag `swr-warehouse/rebuild` also what earlier runs have appended, from history. Where
    no run is building, what is published is built upon and published again, if it is not the run's
    last step that does so.
    """
    chosen = {key.path[-1] for key in context.selected_asset_keys} - {INTERMEDIATE[-1]}
    publishes = dg.AssetKey(PUBLISHED) in (context.run.asset_selection or {dg.AssetKey(PUBLISHED)})
    with (
        RunLog(context.run.run_id).step(Step.BUILD),
        undone_if_failed(warehouse),
        building(warehouse, context.run.run_id, progress, publishes_later=publishes),
        connect_building(warehouse.warehouse_dir, resources_of(warehouse)) as con,
    ):
        built = _build(con, context, chosen, progress, warehouse)
        sizes = stored_bytes(con, "reports")
        shown = {report.name: _shown(con, report, sizes) for report in built}
    context.log.info(_built_words(built))
    if dg.AssetKey(INTERMEDIATE) in context.selected_asset_keys:
        yield dg.MaterializeResult(
            asset_key=INTERMEDIATE, metadata={"tables": len(intermediates())}
        )
    for name, metadata in shown.items():
        yield dg.MaterializeResult(asset_key=["reports", name], metadata=metadata)


def _build(
    con: DuckDBPyConnection,
    context: dg.AssetExecutionContext,
    names: set[str],
    progress: Progress,
    settings: Settings,
) -> list[BuiltReport]:
    engine, cursors = engine_of(settings), resources_of(settings).cursors
    if REBUILD_TAG not in context.run.tags:
        return engine.build_reports(con, cursors, names=names)
    built, rebuilt = rebuild_reports(con, cursors, engine.build_reports)
    for report in rebuilt:
        progress.notice(str(report))
    return built


def _built_words(built: Sequence[BuiltReport]) -> str:
    slowest = max(built, key=lambda report: report.seconds, default=None)
    told = f"; {slowest.name} took longest, {slowest.seconds:.2f} s" if slowest else ""
    return f"Built {len(built)} reports of {sum(r.rows for r in built):,} rows{told}."


def _shown(
    con: DuckDBPyConnection, report: BuiltReport, sizes: Mapping[str, int]
) -> dict[str, Any]:
    """What Dagster shows of a report just built: figures, which it plots, and its first rows."""
    return {
        **figures(con, report.name),
        "dagster/row_count": report.rows,
        "stored_bytes": sizes[f"reports.{report.name}"],
        "seconds": round(report.seconds, 3),
        "rows": dg.MetadataValue.md(previews(con, report.name)),
    }
