"""The published warehouse as OpenMetrics text, for a textfile collector.

Figures are gauges; what is unknown has no sample. deploy/grafana.json is a dashboard of them.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.exposition import generate_latest

from pipelines.page.plain_text import printable
from pipelines.warehouse.query import open_published, writing


class _Family(NamedTuple):
    """A query whose rows give a sample of each metric: named by a column, with what it is."""

    prefix: str
    labels: tuple[str, ...]
    query: str
    metrics: Mapping[str, str]


_SIZES = {
    "tags": "Live tags.",
    "logical_bytes": "Logical bytes of the live tags.",
    "deduplicated_bytes": "Bytes of the blobs that live tags reach, each once.",
}
_HELD = {
    **_SIZES,
    "exclusive_bytes": "Bytes of blobs that nothing else reaches.",
    "allocated_bytes": "Its share of the registry's deduplicated bytes: all shares add up.",
}
_FAMILIES = (
    _Family(
        "swr",
        ("registry",),
        """
        select
            registry,
            tag_count as tags,
            repository_count as repositories,
            logical_bytes,
            deduplicated_bytes,
            exact_size_tag_count as exact_size_tags,
            exact_reclaimable_tag_count as exact_reclaimable_tags,
            epoch(as_of) as as_of_timestamp_seconds,
            epoch(oldest_read_at) as oldest_read_timestamp_seconds
        from reports.registry_size where run_id is not null
        """,
        {
            **_SIZES,
            "repositories": "Live repositories.",
            "exact_size_tags": "Live tags whose size is exact.",
            "exact_reclaimable_tags": "Live tags of which it is exact what each gives back.",
            "as_of_timestamp_seconds": "The moment that the latest published run describes.",
            "oldest_read_timestamp_seconds": "When the repository proven longest ago was proven.",
        },
    ),
    _Family(
        "swr_namespace",
        ("registry", "namespace"),
        "select *, tag_count as tags from reports.namespace_sizes order by namespace",
        _HELD,
    ),
    _Family(
        "swr_repository",
        ("registry", "namespace", "repository"),
        """
        select *, tag_count as tags, download_count as pulls
        from reports.repository_sizes order by namespace, repository
        """,
        {**_HELD, "pulls": "Pulls since the repository was made, as the registry counts them."},
    ),
    _Family(
        "swr_namespace",
        ("registry", "namespace", "currency"),
        "select * from reports.costs where repository is null order by namespace",
        {"monthly_cost": "What the allocated bytes cost a month."},
    ),
    _Family(
        "swr",
        ("registry",),
        """
        select
            registry.registry,
            count(stale.tag) as stale_tags,
            case when count(stale.tag) > 0 then max(stale.registry_reclaimable_bytes) else 0 end
                as stale_reclaimable_bytes
        from reports.registry_size as registry
        left join reports.stale_tags as stale on registry.registry = stale.registry
        where registry.run_id is not null
        group by registry.registry
        """,
        {
            "stale_tags": "Live tags that nobody has updated for long.",
            "stale_reclaimable_bytes": "What deleting all stale tags together would give back.",
        },
    ),
    _Family(
        "swr",
        ("registry", "kind"),
        """
        select registry.registry, gaps.kind, count(*) as gaps
        from reports.gaps as gaps
        cross join reports.registry_size as registry
        where registry.run_id is not null
        group by registry.registry, gaps.kind order by gaps.kind
        """,
        {"gaps": "Things that nobody could read, which keep figures from being exact."},
    ),
    _Family(
        "swr_run",
        ("registry",),
        """
        select
            *,
            epoch(finished_at) - epoch(started_at) as duration_seconds,
            repositories_failed as failed_repositories,
            repositories_incomplete as incomplete_repositories
        from ingest.runs order by as_of desc limit 1
        """,
        {
            "duration_seconds": "From the beginning of the latest run until it was loaded.",
            "requests": "Requests of the latest run.",
            "failed_repositories": "Repositories that the latest run could not read.",
            "incomplete_repositories": "Repositories that the latest run could not prove.",
            "rejected_records": "Tag records of the latest run that could not be used.",
        },
    ),
)


def write_metrics(directory: Path, target: Path) -> None:
    """Write the published warehouse's figures to a file, which is replaced at once.

    Raises:
        WarehouseError: there is no warehouse, or the file cannot be written.
    """
    text = metrics_text(directory)
    with writing(target, "metrics") as file:
        file.write(text)


def metrics_text(directory: Path) -> bytes:
    """The published warehouse's figures as OpenMetrics text.

    Raises:
        WarehouseMissing: there is none yet.
    """
    registry = CollectorRegistry()
    with open_published(directory) as con:
        for family in _FAMILIES:
            _add(registry, family, con.sql(family.query).to_arrow_table().to_pylist())
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call] # untyped there
    return text


def _add(registry: CollectorRegistry, family: _Family, rows: list[dict[str, Any]]) -> None:
    for name, meaning in family.metrics.items():
        gauge = Gauge(f"{family.prefix}_{name}", meaning, family.labels, registry=registry)
        for labels, value in _samples(family.labels, name, rows):
            gauge.labels(*labels).set(value)


def _samples(
    labels: tuple[str, ...], name: str, rows: list[dict[str, Any]]
) -> Iterator[tuple[list[str], float]]:
    """Labels and value of each row that knows one."""
    for row in rows:
        value: float | Decimal | None = row[name]
        if value is not None:
            yield [printable(str(row[label])) for label in labels], float(value)
