"""The landing zone as an asset: tag pages by namespace, as SWR said them.

`pipelines.run.crawl` does the work; here it is cut by partition and described.
https://docs.dagster.io/guides/build/partitions-and-backfills
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import dagster as dg
import pyarrow as pa
from rich.filesize import decimal

from assets import graph
from assets.partitions import NAMESPACES
from assets.registries import namespaces_of, partition_of
from assets.table_specs import FRESHNESS, OWNERS
from pipelines.page.markdown import markdown_table
from pipelines.run.crawl import CrawlSummary, crawl_registry
from pipelines.run.ingest import Step
from pipelines.run.log import RunLog
from pipelines.run.progress import Progress
from pipelines.run.request import RunRequest, Scope
from pipelines.schemas import PAGES, comment_of
from pipelines.settings import Settings
from pipelines.swr.paging import CrawlStatus

REGISTRY = dg.AssetSpec(
    graph.REGISTRY,
    group_name="swr",
    description="The tag lists of Huawei Cloud SWR, as its API shows them. Not ours to change.",
    kinds={"huaweicloud"},
    owners=OWNERS,
)
TAG_PAGES = dg.AssetKey(graph.TAG_PAGES)


_SPENT = ("requests", "retries", "throttled_seconds", "pages", "bytes")


class IngestConfig(dg.Config):
    """What a run reads; empty lists mean what the settings say, else everything visible."""

    full: bool = False
    namespaces: list[str] = []  # noqa: RUF012 - pydantic copies defaults
    repositories: list[str] = []  # noqa: RUF012 - pydantic copies defaults


_SPEC = dg.AssetSpec(
    TAG_PAGES,
    deps=[REGISTRY],
    group_name="swr",
    kinds={"python", "parquet"},
    owners=OWNERS,
    freshness_policy=FRESHNESS,
    description="One row per page of tag records read, verbatim, by namespace: the landing zone.",
    metadata={
        "dagster/column_schema": dg.TableSchema(
            [dg.TableColumn(field.name, str(field.type), comment_of(field)) for field in PAGES]
        )
    },
)


@dg.multi_asset(
    name=Step.CRAWL.value,
    specs=[_SPEC],
    partitions_def=NAMESPACES,
    backfill_policy=dg.BackfillPolicy.single_run(),
)
def crawl(
    context: dg.AssetExecutionContext,
    config: IngestConfig,
    warehouse: dg.ResourceParam[Settings],
    progress: dg.ResourceParam[Progress],
) -> None:
    """Discover, crawl and land.

    Without a partition key all visible namespaces in scope are read. Each that was read gets a
    materialization; one of which nothing could be read gets an observation that says why.
    """
    scope = Scope(
        _chosen_namespaces(context, config, warehouse),
        tuple(config.repositories) or warehouse.repositories,
    )
    request = RunRequest(context.run.run_id, config.full, scope)
    with RunLog(request.run_id).step(Step.CRAWL):
        summary = crawl_registry(warehouse, request, progress)
    visible = summary.visible_namespaces
    keys = [partition_of(warehouse.registry, namespace) for namespace in visible]
    context.instance.add_dynamic_partitions(NAMESPACES.name or "", keys)
    read = {name: key for name, key in zip(visible, keys, strict=True) if scope.has_namespace(name)}
    _report(context, read, summary)


def _chosen_namespaces(
    context: dg.AssetExecutionContext, config: IngestConfig, settings: Settings
) -> tuple[str, ...]:
    chosen = namespaces_of(settings.registry, _keys(context))
    return chosen or tuple(config.namespaces) or settings.namespaces


def _keys(context: dg.AssetExecutionContext) -> tuple[str, ...]:
    """The partitions that were chosen, one or several."""
    is_partitioned = context.has_partition_key or context.has_partition_key_range
    return tuple(context.partition_keys) if is_partitioned else ()


def _report(
    context: dg.AssetExecutionContext, partitions: Mapping[str, str], summary: CrawlSummary
) -> None:
    """Report to Dagster how the crawl went, for each namespace by its partition, and in all."""
    context.log.info(_words(summary))
    # What is not ours to materialize has been seen.
    visible = {"namespaces": len(summary.visible_namespaces), "requests": summary.totals.requests}
    context.log_event(dg.AssetObservation(REGISTRY.key, metadata=visible))
    of_each = {key: _of_one(namespace, summary) for namespace, key in partitions.items()}
    if _keys(context):
        # Dagster makes the materializations itself, one for each key.
        for key, metadata in of_each.items():
            context.add_asset_metadata(metadata, asset_key=TAG_PAGES, partition_key=key)
        return
    context.add_asset_metadata(_totals(summary), asset_key=TAG_PAGES)
    for key, metadata in of_each.items():
        context.log_event(_event(key, metadata))


def _words(summary: CrawlSummary) -> str:
    """How the crawl went, in two sentences."""
    ended = Counter(summary.crawls["status"].to_pylist())
    told = ", ".join(f"{ended[status]:,} {status}" for status in CrawlStatus if ended[status])
    totals = summary.totals
    return (
        f"Repositories: {told or 'none'}."
        f" It took {totals.requests:,} requests and {decimal(totals.bytes)}."
    )


def _of_one(namespace: str, summary: CrawlSummary) -> dict[str, Any]:
    rows = [row for row in summary.crawls.to_pylist() if row["namespace"] == namespace]
    error = summary.failed_namespaces.get(namespace)
    return _counts(rows) | _failures(rows, {namespace: error} if error else {})


def _event(
    partition: str, metadata: dict[str, Any]
) -> dg.AssetMaterialization | dg.AssetObservation:
    """A materialization, or an observation of a namespace of which nothing could be read."""
    ended = {status: metadata[f"repositories_{status}"] for status in CrawlStatus}
    is_read = sum(ended.values()) > ended[CrawlStatus.FAILED] or "not_read" not in metadata
    kind = dg.AssetMaterialization if is_read else dg.AssetObservation
    return kind(TAG_PAGES, partition=partition, metadata=metadata)


def _totals(summary: CrawlSummary) -> dict[str, Any]:
    """Count how all repositories of the run ended; the traffic includes discovery."""
    rows = summary.crawls.to_pylist()
    traffic = {
        "requests": summary.totals.requests,
        "retries": summary.totals.retries,
        "throttled_seconds": summary.totals.throttled_seconds,
        "bytes": summary.totals.bytes,
    }
    return _counts(rows) | traffic | _failures(rows, summary.failed_namespaces)


def _counts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Count how the crawls of some repositories ended, and what they cost."""
    ended = Counter(row["status"] for row in rows)
    return {
        **{f"repositories_{status}": ended[status] for status in CrawlStatus},
        **{name: sum(row[name] for row in rows) for name in _SPENT},
        "tags": sum(row["received"] for row in rows),
    }


def _failures(rows: list[dict[str, Any]], namespaces: Mapping[str, str]) -> dict[str, Any]:
    """Show what could not be read, and why, as a table; empty if there is nothing."""
    failed = [
        {"namespace": name, "repository": "(all)", "status": "failed", "why": error}
        for name, error in namespaces.items()
    ]
    failed += [
        {
            "namespace": row["namespace"],
            "repository": row["repository"],
            "status": row["status"],
            "why": row["error"],
        }
        for row in rows
        if row["error"]
    ]
    if not failed:
        return {}
    return {"not_read": dg.MetadataValue.md(markdown_table(pa.Table.from_pylist(failed)))}
