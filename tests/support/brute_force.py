"""The slow and obvious reference for every report: `{table: rows}` in, `{report: rows}` out.

Plain Python over rows of plain dicts; shares no code and no SQL with the product. Rows come in
the reports' order. Needs at least one run and a crawl of every live repository.
"""

from collections.abc import Callable

from brute_force_history import daily_growth, tag_events
from brute_force_integrity import integrity
from brute_force_layers import base_images, shared_layers, stale_tags
from brute_force_registry import Registry, Row, Tables
from brute_force_sizes import (
    age_buckets,
    namespace_sizes,
    registry_size,
    repository_sizes,
    tag_ages,
    tag_sizes,
)

REPORTS: dict[str, Callable[[Registry], list[Row]]] = {
    "age_buckets": age_buckets,
    "base_images": base_images,
    "daily_growth": daily_growth,
    "integrity": integrity,
    "namespace_sizes": namespace_sizes,
    "registry_size": registry_size,
    "repository_sizes": repository_sizes,
    "shared_layers": shared_layers,
    "stale_tags": stale_tags,
    "tag_ages": tag_ages,
    "tag_events": tag_events,
    "tag_sizes": tag_sizes,
}


def reports(tables: Tables) -> dict[str, list[Row]]:
    """Compute every report from the rows of `main` and `ingest`."""
    registry = Registry(tables)
    return {name: report(registry) for name, report in REPORTS.items()}
