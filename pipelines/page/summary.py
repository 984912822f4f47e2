"""Answers for a terminal: what the last run changed, what tags would give back, tag listings."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa
from rich.console import Group, RenderableType
from rich.filesize import decimal

from pipelines.page.plain_text import printable_json
from pipelines.page.tables import (
    SIGNS_EXPLAINED,
    plain_table,
    shown_bytes,
    shown_reclaimable,
)
from pipelines.page.tag_listing import ReceivedRecord
from pipelines.swr.wire import TagRecord, read_record
from pipelines.warehouse.query import run_query

_SHOWN_CHANGES = 12
_CHANGES = """
    select namespace || '/' || repository || ':' || tag as tag, change
    from tag_history
    where (namespace, repository, valid_from) in (
        select (namespace, repository, finished_at) from ingest.crawls
        where run_id = (select run_id from ingest.runs order by as_of desc, run_id desc limit 1)
    )
    order by change, tag
"""


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
        lines.append(f"At risk, what other tags or clusters would lose: {row['break_count']:,}.")
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
