"""The steps of a run without Dagster, which takes longer to start than these runs take."""

import uuid
from collections.abc import Callable

from ingest_site import NoProgress

from pipelines.run.discover import Scope
from pipelines.run.ingest import RunRequest, crawl_registry, load_landing, publish_run
from pipelines.settings import Settings
from pipelines.warehouse.building import connect_building, writer_lock
from pipelines.warehouse.models import audit, build_reports, run_checks


def run_steps(settings: Settings, *, enter: Callable[[str], None] = lambda _: None) -> str:
    """Do what the job `ingest` does, in its order; give the run's identifier.

    Args:
        settings: of the run.
        enter: told the name of each step before it.
    """
    run_id = str(uuid.uuid4())
    with writer_lock(settings.warehouse_dir):
        enter("crawl")
        crawl_registry(settings, RunRequest(run_id, full=False, scope=Scope()), NoProgress())
        enter("load")
        load_landing(settings, run_id)
        enter("reports")
        with connect_building(settings.warehouse_dir) as con:
            build_reports(con)
            audit(run_checks(con))
        enter("publish")
        publish_run(settings, run_id)
        enter("published")
    return run_id
