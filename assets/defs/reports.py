"""The reports as assets: one for each file of `sql/reports`, its key the table's name.

How they are built, and in which order, is `pipelines.warehouse.reports`; what of them is shown to
people, `pipelines.page.previews` and `assets.cli.pictures`.
"""

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import dagster as dg
from duckdb import DuckDBPyConnection

from assets.table_specs import sql_files, table_spec
from pipelines.page.previews import PICTURED, previews
from pipelines.run.failure import undone_if_failed
from pipelines.run.ingest import Step
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.settings import Settings
from pipelines.warehouse.build_plan import report_inputs, report_names
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.catalog import stored_bytes
from pipelines.warehouse.column_lineage import column_lineage, lineage_markdown
from pipelines.warehouse.rebuild import rebuild_reports
from pipelines.warehouse.reports import BuiltReport, build_reports
from pipelines.warehouse.resources import resources_of

REBUILD_TAG = "swr-warehouse/rebuild"
REPORT_KEYS = [["reports", name] for name in report_names()]


def direct_inputs(name: str) -> list[str]:
    """The tables that a report reads, `schema.table`, less those that it reads through a report.

    Dagster's pages draw no more than two hundred edges; docs/lineage.md has all that the SQL reads.
    """
    inputs = report_inputs(name)
    read = [table.removeprefix("reports.") for table in inputs if table.startswith("reports.")]
    return sorted(inputs.difference(*map(report_inputs, read)))


def _spec(name: str) -> dg.AssetSpec:
    own = files("sql") / "reports" / f"{name}.sql"
    spec = table_spec(
        "reports",
        name,
        deps=[source.split(".") for source in direct_inputs(name)],
        group_name="reports",
        made_by=[own, *sql_files("intermediate")],
    )
    return spec.merge_attributes(
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


@dg.multi_asset(specs=[_spec(name) for name in report_names()])
def build(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Settings],
    progress: dg.ResourceParam[Progress],
) -> Iterator[dg.MaterializeResult[None]]:
    """Rebuild every report from the tables of the building file.

    With the tag `swr-warehouse/rebuild` also what earlier runs have appended, from history.
    """
    log = RunLog(context.run.run_id)
    with (
        log.step(Step.BUILD),
        undone_if_failed(warehouse),
        connect_building(warehouse.warehouse_dir, resources_of(warehouse)) as con,
    ):
        cursors = resources_of(warehouse).cursors
        if REBUILD_TAG in context.run.tags:
            built, rebuilt = rebuild_reports(con, cursors)
            for report in rebuilt:
                progress.notice(str(report))
        else:
            built = build_reports(con, cursors)
        sizes = stored_bytes(con, "reports")
        shown = {report.name: _shown(con, report, sizes) for report in built}
    for name, metadata in shown.items():
        yield dg.MaterializeResult(asset_key=["reports", name], metadata=metadata)


def _shown(
    con: DuckDBPyConnection, report: BuiltReport, sizes: Mapping[str, int]
) -> dict[str, Any]:
    """What Dagster shows of a report just built: figures, its first rows, where its picture is."""
    metadata: dict[str, Any] = {
        "dagster/row_count": report.rows,
        "stored_bytes": sizes[f"reports.{report.name}"],
        "seconds": round(report.seconds, 3),
        "rows": dg.MetadataValue.md(previews(con, report.name)),
    }
    if report.name in PICTURED:
        picture = f"![{report.name} as a picture](/pictures/{report.name}.png)"
        metadata["picture"] = dg.MetadataValue.md(picture)
    return metadata
