"""The graph that Dagster draws: which asset comes from which (ADR 11).

It leads from the registry to the published file with few edges. Everything that a report's SQL
reads, through `sql/intermediate` too, is in docs/lineage.md and in the metadata of its columns.
"""

from pipelines.schemas import LOADED
from pipelines.warehouse.build_plan import report_inputs, report_names

Key = list[str]

REGISTRY: Key = ["swr", "registry"]
TAG_PAGES: Key = ["swr", "tag_pages"]
INTERMEDIATE: Key = ["warehouse", "intermediate"]
PUBLISHED: Key = ["warehouse", "published"]
REPORTS: list[Key] = [["reports", name] for name in report_names()]

# The tables that only answers of the registry's pull API fill. They come not from `tags` as well:
# its checks come after them, and would wait for themselves.
RESOLVED: dict[tuple[str, str], list[Key]] = {
    ("ingest", "pulls"): [["main", "platforms"], REGISTRY],
    ("main", "image_configs"): [["ingest", "pulls"]],
    ("main", "image_labels"): [["main", "image_configs"]],
}


def upstream_of_table(schema: str, table: str) -> list[Key]:
    """What is read to fill a table."""
    return RESOLVED.get((schema, table), [TAG_PAGES])


def upstream_of_intermediate() -> list[Key]:
    """The tables that reports read, less those that another one of them comes from."""
    passed = [key for keys in RESOLVED.values() for key in keys]
    return [[*table] for table in LOADED if ".".join(table) in _read() and [*table] not in passed]


def upstream_of_report(name: str) -> list[Key]:
    """The reports it reads, less those it reads through another; else the intermediate tables."""
    read = {key for key in report_inputs(name) if _is_report(key)}
    further = {key for other in read for key in report_inputs(other.removeprefix("reports."))}
    return [key.split(".") for key in sorted(read - further)] or [INTERMEDIATE]


def upstream_of_published() -> list[Key]:
    """The tables and reports that no report reads: all others lead to them."""
    everything = [*([*table] for table in LOADED), *REPORTS]
    return [key for key in everything if ".".join(key) not in _read()]


def _read() -> set[str]:
    """Tables and reports that some report reads, `schema.table`."""
    return set[str]().union(*map(report_inputs, report_names()))


def _is_report(key: str) -> bool:
    return key.startswith("reports.")
