"""The landing zone as an asset: tag pages by namespace, as SWR said them.

Reading is `pipelines.ingest.read_registry`; here it is cut by partition and described.
https://docs.dagster.io/guides/build/partitions-and-backfills
"""

from collections import Counter
from typing import Any

import dagster as dg

from assets.partitions import NAMESPACES
from pipelines.crawl import Progress
from pipelines.discovery import Scope
from pipelines.ingest import Order, ReadSummary, read_registry
from pipelines.settings import Settings

REGISTRY = dg.AssetSpec(
    ["swr", "registry"],
    group_name="swr",
    description="The tag lists of Huawei Cloud SWR, as its API shows them. Not ours to change.",
    kinds={"huaweicloud"},
)
TAG_PAGES = dg.AssetKey(["swr", "tag_pages"])


class IngestConfig(dg.Config):
    """What a run reads; empty lists mean what the settings say, else everything visible."""

    full: bool = False
    namespaces: list[str] = []  # noqa: RUF012 - pydantic copies defaults
    repositories: list[str] = []  # noqa: RUF012


@dg.asset(
    key=TAG_PAGES,
    deps=[REGISTRY],
    partitions_def=NAMESPACES,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="swr",
    kinds={"python", "parquet"},
)
def tag_pages(
    context: dg.AssetExecutionContext,
    config: IngestConfig,
    warehouse: dg.ResourceParam[Settings],
    progress: dg.ResourceParam[Progress],
) -> None:
    """One row per tag record read, verbatim, by namespace: the landing zone.

    Without a partition key all visible namespaces are read, and each gets a materialization.
    """
    scope = Scope(
        _chosen_namespaces(context, config, warehouse),
        tuple(config.repositories) or warehouse.repositories,
    )
    summary = read_registry(warehouse, Order(context.run.run_id, config.full, scope), progress)
    context.instance.add_dynamic_partitions(NAMESPACES.name or "", summary.visible_namespaces)
    context.add_output_metadata(_metadata(summary.crawls.to_pylist()) | _totals(summary))
    if not context.has_partition_key:
        for namespace, rows in _by_namespace(summary).items():
            context.log_event(
                dg.AssetMaterialization(TAG_PAGES, partition=namespace, metadata=_metadata(rows))
            )


def _chosen_namespaces(
    context: dg.AssetExecutionContext, config: IngestConfig, settings: Settings
) -> tuple[str, ...]:
    if context.has_partition_key:
        return tuple(context.partition_keys)
    return tuple(config.namespaces) or settings.namespaces


def _by_namespace(summary: ReadSummary) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in summary.crawls.to_pylist():
        rows.setdefault(row["namespace"], []).append(row)
    return rows


def _metadata(crawls: list[dict[str, Any]]) -> dict[str, int]:
    """Count how the reading of some repositories ended, and what it took."""
    ended = Counter(f"repositories_{row['status']}" for row in crawls)
    return {
        **ended,
        "requests": sum(row["requests"] for row in crawls),
        "pages": sum(row["pages"] for row in crawls),
        "tags": sum(row["received"] for row in crawls),
    }


def _totals(summary: ReadSummary) -> dict[str, Any]:
    return {
        "requests": summary.totals.requests,
        "retries": summary.totals.retries,
        "throttled_seconds": summary.totals.throttled_seconds,
        "bytes": summary.totals.bytes,
        "failed": dg.MetadataValue.md(_failures(summary)),
    }


def _failures(summary: ReadSummary) -> str:
    rows = [(name, error) for name, error in summary.failed_namespaces.items()]
    rows += [
        (f"{row['namespace']}/{row['repository']}", row["error"])
        for row in summary.crawls.to_pylist()
        if row["error"]
    ]
    lines = [f"| {name} | {error.replace('|', '/')} |" for name, error in rows]
    return "\n".join(["| what | why |", "|---|---|", *lines]) if rows else "nothing failed"
