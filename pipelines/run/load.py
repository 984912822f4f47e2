"""The second step of a run: normalize what was landed and load it, a bounded chunk at a time."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseShortOfMemory
from pipelines.images.manifest import READER_VERSION, read_manifest
from pipelines.images.tables import image_tables
from pipelines.images.text_choice import TextChoice
from pipelines.landing import writer as landing
from pipelines.landing.reader import (
    read_crawls,
    read_namespaces,
    read_repositories,
    read_retention,
    read_run,
    read_service_figures,
    read_totals,
)
from pipelines.run.clock import present
from pipelines.run.crawl import UNPROVEN, landing_zone
from pipelines.run.identity import RegistryIdentity, refuse_another
from pipelines.run.in_use import load_snapshots
from pipelines.run.known import registry_in
from pipelines.run.log import RunLog
from pipelines.run.normalize import normalize
from pipelines.run.request import Scope
from pipelines.schemas import CRAWLS, REGISTRIES
from pipelines.settings import Settings
from pipelines.warehouse import load
from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.resources import Resources, resources_of
from pipelines.warehouse.retention_fits import store_fits


def load_landing(settings: Settings, run_id: str) -> dict[str, int]:
    """Load what the run landed into the building file, a bounded chunk at a time.

    Returns:
        Rows by table of the building file.
    """
    resources = resources_of(settings)
    try:
        # A load streams, and DuckDB can spill: the other half is for the records in hand.
        return _load_landing(settings, run_id, resources.half())
    except WarehouseShortOfMemory:
        # A checkpoint, which may take up two thousand texts of many megabytes, fails but once.
        return _load_landing(settings, run_id, resources.unlimited())


def _load_landing(settings: Settings, run_id: str, resources: Resources) -> dict[str, int]:
    directory = settings.warehouse_dir
    path = landing_zone(settings) / run_id
    asked, totals, crawls = read_run(path), read_totals(path), read_crawls(path)
    registry = RegistryIdentity(asked.registry, asked.endpoint, asked.region, asked.domain)
    start_building(directory)
    with connect_building(directory, resources) as con:
        load.begin(con, registry.name)
        _read_anew(con, totals.as_of)

        def final(digests: Collection[str]) -> set[str]:
            return load.final_digests(con, list(digests))

        for chunk in normalize(path, final):
            load.stage_tags(con, chunk.tags)
            load.stage_rejected(con, chunk.counted, chunk.rejected)
            load.load_images(con, chunk.images, totals.as_of)
            del chunk  # before the next is made
        accounts = [*filter(None, [registry.domain]), *load.staged_accounts(con)]
        refuse_another(registry_in(con), registry, accounts, directory)
        registry = replace(registry, domain=next(iter(accounts), None))
        found = load.Found(
            _as_row(registry),
            read_namespaces(path),
            read_repositories(path),
            read_service_figures(path),
            *read_retention(path),
        )
        run = _run_row(settings, run_id, asked, totals, crawls)
        load.apply(con, run, found, crawls.select(CRAWLS.names))
        store_fits(con)
        load_snapshots(con, directory)
        rows = load.row_counts(con)
    RunLog(run_id).event("run loaded", status=run.status, rows=rows)
    return rows


def _read_anew(con: DuckDBPyConnection, as_of: datetime) -> None:
    """Read the stored texts once more, if another release has read them: this one knows more."""
    if load.reader_version(con) == READER_VERSION:
        return
    for texts in load.stored_texts(con):
        read = [read_manifest(text, digest, source) for digest, text, source in texts]
        load.load_images(con, image_tables(read), as_of, is_reread=True)
        choice = TextChoice(())
        embedded = [pair for manifest in read for pair in manifest.embedded]
        found = [*choice.choose(embedded, "embedded"), *choice.undecided()]
        load.load_images(con, image_tables(found), as_of)


def _as_row(registry: RegistryIdentity) -> pa.Table:
    """A registry as a row of REGISTRIES."""
    row = {
        "endpoint": registry.endpoint,
        "region": registry.region,
        "domain": registry.domain,
    }
    return pa.Table.from_pylist([row], schema=REGISTRIES)


def _run_row(
    settings: Settings,
    run_id: str,
    asked: landing.CrawlRequest,
    totals: landing.CrawlTotals,
    crawls: pa.Table,
) -> load.Run:
    failed = set(crawls["status"].to_pylist()) & set(UNPROVEN)
    finished: list[Any] = crawls["finished_at"].to_pylist()
    scope = Scope(asked.namespaces, asked.repositories).as_dict()
    return load.Run(
        run_id=run_id,
        registry=asked.registry,
        as_of=totals.as_of,
        mode=asked.mode,
        started_at=totals.as_of,
        finished_at=max([present(), totals.as_of, *finished]),
        status="partial" if failed or totals.failed_namespaces else "complete",
        scope=msgspec.json.encode(scope).decode(),
        unread_namespaces=totals.unread_namespaces,
        unread_repositories=totals.unread_repositories,
        stale_days=settings.stale_days,
        requests=totals.requests,
        retries=totals.retries,
        throttled_seconds=totals.throttled_seconds,
        failed_namespaces=totals.failed_namespaces,
        received_bytes=totals.bytes,
        exact_hours=settings.exact_hours,
        clock_set_back_seconds=totals.clock_set_back_seconds,
        clock_offset_seconds=totals.clock_offset_seconds,
        reader_version=READER_VERSION,
        report_labels="\n".join(settings.report_labels) or None,
        price_per_gb_month=settings.price_per_gb_month,
        currency=settings.currency,
        in_use_days=settings.in_use_days,
    )
