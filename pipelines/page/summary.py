"""The warehouse in one screen: sizes and ages by namespace, and what changed last.

Reads the published reports and shows them.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from pipelines.page.plain_text import printable_json
from pipelines.page.tables import (
    SIGNS_EXPLAINED,
    plain_table,
    shown_bytes,
    shown_reclaimable,
    signed,
)
from pipelines.page.tag_listing import ReceivedRecord
from pipelines.swr.wire import TagRecord, read_record
from pipelines.warehouse.query import run_query

_SIZES = ("logical_bytes", "deduplicated_bytes", "saved_bytes")
_BUCKETS = ("0-7d", "8-30d", "31-90d", "91-180d", "181-365d", ">365d", "unknown")
_SHOWN_CHANGES = 12

_REGISTRY = "select * from reports.registry_size"
_NAMESPACES = "select * from reports.namespace_sizes order by namespace"
_REPOSITORIES = """
    select * from reports.repository_sizes
    order by exclusive_bytes desc nulls last, namespace, repository
    limit 8
"""
_COSTS = "select * from reports.costs where repository is null order by namespace"
_AGES = """
    select namespace, age_bucket, cast(sum(tag_count) as bigint) as tag_count
    from reports.age_buckets group by namespace, age_bucket order by namespace
"""
# Causes by how many live tags' sizes they touch, then by how many they are.
_CAUSES = """
    select kind, count(*) as gap_count from reports.gaps
    group by kind order by sum(affected_tag_count) desc, gap_count desc, kind
"""
_CAUSE_WORDS = {
    "unread_child": "unread manifests",
    "invalid_manifest": "invalid manifests",
    "unknown_manifest": "unknown manifests",
    "rejected_record": "rejected records",
    "size_unknown": "unsized blobs",
    "size_conflict": "size conflicts",
    "repository_incomplete": "repositories incomplete",
    "repository_never_read": "repositories never read",
    "repository_too_old": "repositories read too long ago",
    "repository_not_confirmed": "repositories not confirmed",
    "namespace_not_read": "namespaces not read",
    "list_contradicted": "lists contradicted",
}
_SHOWN_CAUSES = 2
_CHANGES = """
    select namespace || '/' || repository || ':' || tag as tag, change
    from tag_history
    where (namespace, repository, valid_from) in (
        select (namespace, repository, finished_at) from ingest.crawls
        where run_id = (select run_id from ingest.runs order by as_of desc, run_id desc limit 1)
    )
    order by change, tag
"""


def report_overview(directory: Path) -> RenderableType:
    """Sizes and ages of the published warehouse, for a terminal of 80 columns.

    Raises:
        WarehouseMissing: there is none yet.
    """
    registry = run_query(directory, _REGISTRY).to_pylist()[0]
    return Group(
        _headline(registry),
        _reading(registry),
        how_exact(registry, run_query(directory, _CAUSES).to_pylist()),
        "",
        _sizes(run_query(directory, _NAMESPACES).to_pylist(), registry),
        *_costs(run_query(directory, _COSTS).to_pylist()),
        "",
        _ages(run_query(directory, _AGES).to_pylist()),
        "",
        _largest(run_query(directory, _REPOSITORIES).to_pylist()),
        *_legend(registry),
    )


def latest_changes(directory: Path) -> RenderableType:
    """What the last run saw change: a count of each kind, and the first few tags."""
    rows = run_query(directory, _CHANGES).to_pylist()
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["change"]] = counts.get(row["change"], 0) + 1
    counted = ", ".join(f"{count} {change}" for change, count in counts.items()) or "nothing"
    table = plain_table("change", "tag")
    for row in rows[:_SHOWN_CHANGES]:
        table.add_row(row["change"], row["tag"])
    more = len(rows) - _SHOWN_CHANGES
    return Group(f"Tags changed: {counted}", table, f"… and {more} more" if more > 0 else "")


def reclaimable_answer(answer: pa.Table) -> RenderableType:
    """What deleting some tags would give back, in sentences: an answer of `reclaimable`."""
    [row] = answer.to_pylist()
    back = shown_reclaimable(row)
    held = shown_bytes(row, "deduplicated_bytes", "size_basis")
    lines = [
        f"Registry as of {row['as_of']:%Y-%m-%d %H:%M:%S} UTC",
        f"{row['tag_count']:,} tags hold {held}.",
        f"Deleting them together would give back {back}; what is left, other tags use too.",
    ]
    if row["not_live_count"]:
        lines.append(f"Rows of the query that are no live tag: {row['not_live_count']:,}.")
    if row["break_count"]:
        lines.append(f"At risk, what other tags would lose: {row['break_count']:,}.")
    is_exact = row["size_basis"] == row["reclaimable_basis"] == "exact"
    return Group(*lines, *([] if is_exact else SIGNS_EXPLAINED))


def tag_listing(records: Iterable[ReceivedRecord]) -> RenderableType:
    """Tag records as a table, in the order they came; what cannot be read is named as such."""
    table = plain_table("tag", "size", "updated", "digest", numbers=("size",))
    for received in records:
        table.add_row(*_tag_cells(received))
    return table


def _tag_cells(received: ReceivedRecord) -> Sequence[str]:
    try:
        record: TagRecord = read_record(received.raw)
    except ValueError as error:
        return received.listed.key, "", "", f"unusable record: {error}"
    size = "" if record.size is None else decimal(record.size)
    return record.name, size, f"{record.updated:%Y-%m-%d %H:%M:%S}", record.digest[:19]


def as_json_line(received: ReceivedRecord) -> str:
    """A tag record on one line, as the emulator's catalogues want it."""
    return printable_json(msgspec.json.format(received.raw, indent=-1).decode())


def _headline(registry: dict[str, Any]) -> Text:
    complete, total = registry["repositories_complete"], registry["repository_count"]
    text = Text(f"Registry as of {registry['as_of']:%Y-%m-%d %H:%M:%S} UTC", style="bold")
    text.append(f" · {complete} of {total} repositories complete", style="not bold")
    for count, what in (
        (registry["unread_namespaces"], "namespaces"),
        (registry["unread_repositories"], "repositories"),
    ):
        if count:
            text.append(f" · {count} {what} not read", style="not bold")
    return text


def how_exact(registry: dict[str, Any], causes: list[dict[str, Any]]) -> str:
    """Say in one line how much is exact, and the two largest causes why the rest is not.

    Args:
        registry: the row of reports.registry_size.
        causes: kinds of reports.gaps with their counts, the largest first.
    """
    if not causes:
        return "Exact: every figure."
    shown = [f"{row['gap_count']:,} {_CAUSE_WORDS[row['kind']]}" for row in causes[:_SHOWN_CAUSES]]
    return (
        f"Exact: {registry['exact_size_tag_count']:,}/{registry['tag_count']:,} sizes,"
        f" {registry['exact_reclaimable_tag_count']:,} reclaimable; {', '.join(shown)}"
    )


def _reading(registry: dict[str, Any]) -> str:
    """Say whose registry and of when the figures are."""
    since = registry["oldest_read_at"]
    moment = f"since {since:%Y-%m-%d %H:%M} UTC" if since else "never"
    return f"As last read, {moment}, by what these credentials can see."


def _legend(registry: dict[str, Any]) -> list[str]:
    """Explain the signs, where there can be any."""
    if registry["is_fully_read"]:
        return []
    return SIGNS_EXPLAINED


def _sizes(namespaces: list[dict[str, Any]], registry: dict[str, Any]) -> Table:
    columns = ("tags", "logical", "deduplicated", "saved", "exclusive", "allocated")
    table = plain_table("namespace", *columns, numbers=columns, title="Sizes")
    for row in namespaces:
        table.add_row(
            row["namespace"],
            f"{row['tag_count']:,}",
            *(shown_bytes(row, name, "size_basis") for name in _SIZES),
            shown_bytes(row, "exclusive_bytes", "exclusive_basis"),
            shown_bytes(row, "allocated_bytes", "allocated_basis"),
        )
    table.add_section()
    table.add_row(
        "all",
        f"{registry['tag_count']:,}",
        *(shown_bytes(registry, name, "size_basis") for name in _SIZES),
        "",
        shown_bytes(registry, "deduplicated_bytes", "size_basis"),
    )
    return table


def _costs(rows: list[dict[str, Any]]) -> list[RenderableType]:
    """What a month costs by namespace, where a price is set."""
    if not rows:
        return []
    price, currency = rows[0]["price_per_gb_month"].normalize(), rows[0]["currency"]
    title = f"Cost a month in {currency}, {price:f} a GB of 2^30 bytes"
    table = plain_table(
        "namespace", "allocated", "cost", numbers=("allocated", "cost"), title=title
    )
    for row in rows:
        cost = row["monthly_cost"]
        table.add_row(
            row["namespace"],
            shown_bytes(row, "allocated_bytes", "allocated_basis"),
            "?" if cost is None else signed(f"{cost:,}", row["allocated_basis"]),
        )
    table.add_section()
    known = [row["monthly_cost"] for row in rows if row["monthly_cost"] is not None]
    table.add_row("all", "", f"{sum(known):,}")
    return ["", table]


def _ages(rows: list[dict[str, Any]]) -> Table:
    table = plain_table("namespace", *_BUCKETS, numbers=_BUCKETS, title="Tags by days since update")
    namespaces: dict[str, dict[str, int]] = {}
    for row in rows:
        namespaces.setdefault(row["namespace"], {})[row["age_bucket"]] = row["tag_count"]
    for namespace, counts in namespaces.items():
        table.add_row(namespace, *(f"{counts.get(bucket, 0):,}" for bucket in _BUCKETS))
    return table


def _largest(rows: list[dict[str, Any]]) -> Table:
    columns = ("tags", "deduplicated", "exclusive")
    title = "Repositories by exclusive bytes"
    table = plain_table("repository", *columns, numbers=columns, title=title)
    for row in rows:
        table.add_row(
            f"{row['namespace']}/{row['repository']}",
            f"{row['tag_count']:,}",
            shown_bytes(row, "deduplicated_bytes", "size_basis"),
            shown_bytes(row, "exclusive_bytes", "exclusive_basis"),
        )
    return table
