"""What of the registry runs, on a terminal or as JSON.

The words are seen and not seen: no snapshot can tell that something is unused.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pyarrow as pa
from rich.console import Group, RenderableType

from pipelines.page.plain_text import printable, printable_json
from pipelines.page.tables import plain_table
from pipelines.warehouse.in_use_seen import Seen

Row = dict[str, Any]
_SHOWN = 10
_WIDEST = 58
_MATCHED = {
    "digest": "the digest of a tag",
    "child": "a child of a tag's index",
    "config": "the configuration of a tag's image",
    "name": "repository and tag",
    "history": "a digest that a tag left since",
}
_REASONS = {
    "other_host": "another host",
    "unknown_repository": "unknown repository",
    "unknown_tag": "unknown tag",
    "deleted_tag": "a tag that is gone",
    "unknown_digest": "unknown digest",
    "unreadable": "no image reference",
}
_NO_WAREHOUSE = "There is no warehouse yet: `swr-warehouse ingest` makes one, and loads it."


def in_use_answer(snapshot: pa.Table, found: pa.Table | None) -> RenderableType:
    """A snapshot (LANDED_IN_USE) and what it matches, for a terminal of 100 columns."""
    about = snapshot.slice(0, 1).to_pylist()[0]
    cluster, at = printable(about["cluster"]), f"{about['taken_at']:%Y-%m-%d %H:%M:%S} UTC"
    kept = f"Snapshot of {cluster} at {at}: kept for the next run."
    if found is None:
        return Group(kept, _counted(snapshot["reference"].drop_null().to_pylist()), _NO_WAREHOUSE)
    rows = found.to_pylist()
    return Group(kept, _counted(rows), "", _ways(rows), *_tags(rows), *_unmatched(rows))


def in_use_json(snapshot: pa.Table, found: pa.Table | None) -> str:
    """All of it as one JSON object; `matched` and `unmatched` add up to `read`."""
    about = snapshot.slice(0, 1).to_pylist()[0]
    rows = None if found is None else found.to_pylist()
    read = len(snapshot["reference"].drop_null())
    matched = None if rows is None else sum(row["matched_by"] is not None for row in rows)
    whole = {
        **{name: about[name] for name in ("snapshot_id", "cluster", "taken_at")},
        "read": read,
        "matched": matched,
        "unmatched": None if matched is None else read - matched,
        "matched_by": None if rows is None else _counts(rows, "matched_by", _MATCHED),
        "reasons": None if rows is None else _counts(rows, "reason", _REASONS),
        "references": rows,
    }
    return printable_json(msgspec.json.format(msgspec.json.encode(whole), indent=1).decode())


def seen_words(seen: Seen) -> str:
    """What is known of what runs, in one sentence."""
    snapshots = seen.snapshots.to_pylist()
    if not snapshots:
        return "No snapshot of what runs counts: see `swr-warehouse in-use`."
    clusters = ", ".join(sorted({printable(row["cluster"]) for row in snapshots}))
    tags, count = _number(len(seen.tag_keys), "tag"), _number(len(snapshots), "snapshot")
    return (
        f"Seen running: {tags}, in {count} of {clusters},"
        f" the latest of {snapshots[-1]['taken_at']:%Y-%m-%d %H:%M} UTC."
    )


def deleted_in_use(breaks: pa.Table) -> Iterator[RenderableType]:
    """What of the deleted was seen running; nothing where nothing was."""
    rows = [row for row in breaks.to_pylist() if row["kind"] == "in_use"]
    if not rows:
        return
    tags = len({(row["namespace"], row["repository"], row["tag"]) for row in rows})
    yield ""
    yield f"WARNING: of the tags to delete {tags:,} were seen running."
    table = plain_table("deleted tag", "seen in cluster", "on")
    for row in rows[:_SHOWN]:
        table.add_row(_name_of(row), row["cluster"], f"{row['last_seen_at']:%Y-%m-%d}")
    yield table
    if len(rows) > _SHOWN:
        yield f"… and {len(rows) - _SHOWN:,} more; --json has all"


def _counts(rows: Sequence[Row], column: str, words: dict[str, str]) -> dict[str, int]:
    counts = Counter(row[column] for row in rows)
    return {name: counts[name] for name in words}


def _counted(rows: Sequence[object]) -> str:
    return f"{_number(len(rows), 'image reference')} read."


def _number(count: int, what: str) -> str:
    return f"1 {what}" if count == 1 else f"{count:,} {what}s"


def _ways(rows: Sequence[Row]) -> RenderableType:
    """How many references match, each way, and how many do not, for each reason."""
    numbers = ("references", "containers")
    table = plain_table("", *numbers, numbers=numbers)
    for title, column, words in (
        ("matched by", "matched_by", _MATCHED),
        ("not matched:", "reason", _REASONS),
    ):
        some = [row for row in rows if row[column] is not None]
        for name, told in words.items():
            if mine := [row for row in some if row[column] == name]:
                table.add_row(f"{title} {told}", *_sums(mine))
        table.add_row("matched" if column == "matched_by" else "not matched", *_sums(some))
        table.add_section()
    table.add_row("read", *_sums(rows))
    return table


def _sums(rows: Sequence[Row]) -> list[str]:
    return [f"{len(rows):,}", f"{sum(row['container_count'] for row in rows):,}"]


def _tags(rows: Sequence[Row]) -> Iterator[RenderableType]:
    """The tags that most containers run."""
    matched = [row for row in rows if row["matched_by"]]
    containers: Counter[tuple[str, str]] = Counter()
    for row in matched:
        left = "" if row["left_at"] is None else f" until {row['left_at']:%Y-%m-%d}"
        containers[_name_of(row) + left, row["matched_by"]] += row["container_count"]
    if not containers:
        return
    first = sorted(containers.items(), key=lambda item: (-item[1], item[0]))[:_SHOWN]
    yield ""
    title = f"Tags by containers ({len(first)} of {len(containers):,})"
    table = plain_table("tag", "matched by", "containers", numbers=("containers",), title=title)
    for (name, way), count in first:
        table.add_row(name, way, f"{count:,}")
    yield table


def _unmatched(rows: Sequence[Row]) -> Iterator[RenderableType]:
    """References that match nothing, those of this registry first."""
    order = [*(name for name in _REASONS if name != "other_host"), "other_host"]
    unmatched = [row for row in rows if row["reason"]]
    unmatched.sort(key=lambda row: (order.index(row["reason"]), -row["container_count"]))
    if not unmatched:
        return
    yield ""
    title = f"Not matched ({min(_SHOWN, len(unmatched))} of {len(unmatched):,})"
    table = plain_table("reference", "why", "found in", title=title)
    for row in unmatched[:_SHOWN]:
        text = row["image"] or row["image_id"]
        table.add_row(_short(text), _REASONS[row["reason"]], row["found_in"].replace("_", " "))
    yield table
    if len(unmatched) > _SHOWN:
        yield f"… and {len(unmatched) - _SHOWN:,} more; --output FILE has all"


def _short(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"


def _name_of(row: Row) -> str:
    return f"{row['namespace']}/{row['repository']}:{row['tag']}"
