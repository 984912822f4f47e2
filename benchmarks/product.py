"""The product end to end, without Dagster: each step of a run measured by itself.

    python benchmarks/product.py FOLDER DATABASE URL CONNECTIONS

DATABASE is the warehouse to be published; one that is there already makes the run incremental.
"""

import sys
from pathlib import Path
from uuid import uuid4

from measuring import measured

from pipelines.run.crawl import crawl_registry
from pipelines.run.load import load_landing
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import Settings, read_settings
from pipelines.warehouse.building import connect_building, writer_lock
from pipelines.warehouse.checks import raise_if_blocked, run_checks
from pipelines.warehouse.publish import publish
from pipelines.warehouse.reports import build_reports
from pipelines.warehouse.resources import resources_of


def main(database: Path, url: str, connections: int) -> None:
    """Make one run."""
    settings = read_settings(
        endpoint_setting=url,
        auth_token="any",  # noqa: S106 - the benchmark's server takes any
        requests_per_second=0,
        concurrency=connections,
        warehouse_dir=database.parent,
    )
    with writer_lock(settings.warehouse_dir):
        ingest(settings, f"run-{uuid4()}")


def ingest(settings: Settings, run_id: str) -> None:
    """Crawl and land, load, build and check the reports, publish."""
    with measured("crawl"):
        summary = crawl_registry(
            settings, RunRequest(run_id, full=False, scope=Scope()), NoProgress()
        )
    if not summary.is_complete:
        raise SystemExit("the crawl is not complete")
    with measured("load"):
        load_landing(settings, run_id)
    with measured("reports"):
        resources = resources_of(settings)
        with connect_building(settings.warehouse_dir, resources) as con:
            build_reports(con, resources.cursors)
            raise_if_blocked(run_checks(con, cursors=resources.cursors))
        publish(settings.warehouse_dir)


if __name__ == "__main__":
    main(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
