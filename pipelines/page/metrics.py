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
from pipelines.warehouse.page_answers import metrics_answers
from pipelines.warehouse.query import writing


class _Family(NamedTuple):
    """Metrics named by the columns of a query, and what each is; a row is a sample of each."""

    prefix: str
    labels: tuple[str, ...]
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
# By the files of sql/metrics.
_FAMILIES = {
    "registry": _Family(
        "swr",
        ("registry",),
        {
            **_SIZES,
            "repositories": "Live repositories.",
            "exact_size_tags": "Live tags whose size is exact.",
            "exact_reclaimable_tags": "Live tags of which it is exact what each gives back.",
            "as_of_timestamp_seconds": "The moment that the latest published run describes.",
            "oldest_read_timestamp_seconds": "When the repository proven longest ago was proven.",
        },
    ),
    "namespaces": _Family("swr_namespace", ("registry", "namespace"), _HELD),
    "repositories": _Family(
        "swr_repository",
        ("registry", "namespace", "repository"),
        {**_HELD, "pulls": "Pulls since the repository was made, as the registry counts them."},
    ),
    "costs": _Family(
        "swr_namespace",
        ("registry", "namespace", "currency"),
        {"monthly_cost": "What the allocated bytes cost a month."},
    ),
    "stale": _Family(
        "swr",
        ("registry",),
        {
            "stale_tags": "Live tags that nobody has updated for long.",
            "stale_reclaimable_bytes": "What deleting all stale tags together would give back.",
        },
    ),
    "gaps": _Family(
        "swr",
        ("registry", "kind"),
        {"gaps": "Things that nobody could read, which keep figures from being exact."},
    ),
    "latest_run": _Family(
        "swr_run",
        ("registry",),
        {
            "duration_seconds": "From the beginning of the latest run until it was loaded.",
            "requests": "Requests of the latest run.",
            "failed_repositories": "Repositories that the latest run could not read.",
            "incomplete_repositories": "Repositories that the latest run could not prove.",
            "rejected_records": "Tag records of the latest run that could not be used.",
        },
    ),
}


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
    for name, answer in metrics_answers(directory).items():
        _add(registry, _FAMILIES[name], answer.rows.to_pylist())
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
