"""The reports as assets: one for each file of `sql/reports`, its key the table's name.

How they are built, and in which order, is `pipelines.warehouse.models`.
"""

from collections.abc import Iterator

import dagster as dg

from assets.tables import described
from pipelines.settings import Settings
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.models import build_reports, report_names, report_sources

REPORT_KEYS = [["reports", name] for name in report_names()]


@dg.multi_asset(
    specs=[
        described(
            "reports",
            name,
            deps=[source.split(".") for source in sorted(report_sources(name))],
            group_name="reports",
        )
        for name in report_names()
    ]
)
def reports(warehouse: dg.ResourceParam[Settings]) -> Iterator[dg.MaterializeResult[None]]:
    """Rebuild every report from the tables of the building file."""
    with connect_building(warehouse.warehouse_dir) as con:
        built = build_reports(con)
    for report in built:
        yield dg.MaterializeResult(
            asset_key=["reports", report.name],
            metadata={"dagster/row_count": report.rows, "seconds": round(report.seconds, 3)},
        )
