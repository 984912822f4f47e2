"""The warehouse's own tables and its publication as assets.

Loading is `pipelines.ingest.load_landing`, publishing `pipelines.warehouse.publish`; the tables'
descriptions are the comments of `sql/migrations`.
"""

from collections.abc import Iterator

import dagster as dg

from assets.landing import TAG_PAGES
from assets.reports import REPORT_KEYS
from assets.tables import described
from pipelines.ingest import load_landing
from pipelines.settings import Settings
from pipelines.warehouse.publish import publish

TABLES = (
    ("main", "repositories"),
    ("main", "tags"),
    ("main", "tag_history"),
    ("main", "manifests"),
    ("main", "layers"),
    ("main", "platforms"),
    ("ingest", "runs"),
    ("ingest", "crawls"),
    ("ingest", "rejected_records"),
    ("ingest", "counted_records"),
)


@dg.multi_asset(
    specs=[
        described(schema, table, deps=[TAG_PAGES], group_name="warehouse")
        for schema, table in TABLES
    ]
)
def load(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Settings]
) -> Iterator[dg.MaterializeResult[None]]:
    """Turn what was landed into rows of the building file, which nobody else opens."""
    rows = load_landing(warehouse, context.run.run_id)
    for schema, table in TABLES:
        yield dg.MaterializeResult(
            asset_key=[schema, table],
            metadata={"dagster/row_count": rows[f"{schema}.{table}"]},
        )


@dg.asset(
    key=["warehouse", "published"],
    deps=[*(list(table) for table in TABLES), *REPORT_KEYS],
    group_name="reports",
    kinds={"duckdb"},
)
def published(warehouse: dg.ResourceParam[Settings]) -> dg.MaterializeResult[None]:
    """The one file people query: replaced at once, after every blocking check has passed."""
    path = publish(warehouse.warehouse_dir)
    return dg.MaterializeResult(
        metadata={"path": dg.MetadataValue.path(path), "bytes": path.stat().st_size}
    )
