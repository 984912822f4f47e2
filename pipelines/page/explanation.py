"""Where figures come from, on a terminal: blobs, who shares them, and why a figure is a bound."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from pipelines.page.plain_text import printable
from pipelines.page.tables import SIGNS_EXPLAINED, plain_table, shown_bytes
from pipelines.warehouse.explain import Explanation
from pipelines.warehouse.targets import Target

_SHOWN_BLOBS = 40
_SHOWN_GAPS = 10
# Columns that the names of users may take; one is shown whatever its length.
_NAMES_WIDTH = 30
_DIGITS = 12
Row = dict[str, Any]


def explanation(found: Explanation) -> RenderableType:
    """Explain it for a terminal of 100 columns."""
    return Group(
        Text(printable(_headline(found)), style="bold"),
        f"Registry as of {found.as_of:%Y-%m-%d %H:%M:%S} UTC",
        *map(_plain, _figures(found)),
        "",
        *_blobs(found),
        "",
        *map(_plain, _reasons(found)),
        *(SIGNS_EXPLAINED if found.gaps else []),
    )


def _plain(line: str) -> Text:
    return Text(printable(line))


def _headline(found: Explanation) -> str:
    target = found.target
    points = f" → {target.digest}" if target.tag else ""
    kind = f" ({found.manifest_kind})" if found.manifest_kind else ""
    return f"{target}{points}{kind}"


def _figures(found: Explanation) -> Iterator[str]:
    row, target = found.sizes, found.target
    if target.tag:
        back = shown_bytes(row, "reclaimable_bytes", "reclaimable_basis")
        held = shown_bytes(row, "logical_bytes", "size_basis")
        yield f"Holds {held}; deleting this tag alone would give back {back}."
        if row["is_seen"]:
            yield f"Seen in {row['clusters']}, last on {row['last_seen_at']:%Y-%m-%d %H:%M} UTC."
        elif row["is_seen"] is not None:
            yield "Not seen in the snapshots of what runs, which may not show all that does."
    elif target.digest:
        yield f"Holds {shown_bytes(row, 'logical_bytes', 'size_basis')}."
    else:
        yield f"{row['tag_count']:,} tags on {row['manifest_count']:,} manifests."
        yield _sizes(row)
    others = [user for user in found.users if user[:3] != target[:3]]
    if others:
        names = _names(others, found.user_count - bool(target.tag), target)
        yield f"{'Also r' if target.tag else 'R'}eached by {names}."


def _sizes(row: Row) -> str:
    shown = (
        ("logical", "size"),
        ("deduplicated", "size"),
        ("exclusive", "exclusive"),
        ("shared", "exclusive"),
        ("allocated", "allocated"),
    )
    return ", ".join(
        f"{name} {shown_bytes(row, f'{name}_bytes', f'{basis}_basis')}" for name, basis in shown
    )


def _blobs(found: Explanation) -> Iterator[RenderableType]:
    title = None if found.target.digest else "Largest blobs that it uses alone"
    counts = ("size", "tags", "repositories")
    table = plain_table("blob", "what", *counts, "used by", numbers=counts, title=title)
    rows = found.blobs
    if found.manifest_kind not in {None, "index"}:
        rows = sorted(rows, key=_position)
    for row in rows[:_SHOWN_BLOBS]:
        size = shown_bytes(row, "size_bytes", "size_basis") if row["is_stored"] else "-"
        table.add_row(
            short(row["blob_digest"]),
            _what(row),
            size,
            f"{row['tag_count']:,}",
            f"{row['repository_count']:,}",
            _users(row, found.target),
        )
    yield table
    if len(found.blobs) > _SHOWN_BLOBS:
        yield f"… and {len(found.blobs) - _SHOWN_BLOBS:,} more"


def _position(row: Row) -> int:
    return -1 if row["position"] is None else int(row["position"])


def short(digest: str) -> str:
    """A digest with its first digits, as the command takes it."""
    algorithm, sign, digits = digest.partition(":")
    return f"{algorithm}{sign}{digits[:_DIGITS]}"


def _what(row: Row) -> str:
    what = "configuration" if row["position"] is None else f"layer {row['position']}"
    if not row["is_stored"]:
        return f"{what}, foreign"
    return what if row["manifest_count"] == 1 else f"{what} of {row['manifest_count']}"


def _users(row: Row, target: Target) -> str:
    if not row["is_stored"]:
        return "the registry does not store it"
    others = [user for user in row["users"] if user[:3] != target[:3]]
    if not others:
        return "only this tag" if target.tag else "no live tag"
    return _names(others, row["tag_count"] - bool(target.tag), target)


def _names(users: Sequence[Target], count: int, target: Target) -> str:
    """Of so many users the first by name that fit; tags of the target's repository alone."""
    names = [f":{user.tag}" if user[:2] == target[:2] else str(user) for user in users[:3]]
    while len(names) > 1 and len(", ".join(names)) > _NAMES_WIDTH:
        names.pop()
    return ", ".join([*names, *["…"] * (count > len(names))])


def _reasons(found: Explanation) -> Iterator[str]:
    """Why figures are bounds, and what would make them exact."""
    inside = [row for row in found.gaps if row["is_inside"]]
    outside = [row for row in found.gaps if not row["is_inside"]]
    # Of a manifest nothing is said of what it alone uses.
    is_bound_by_others = found.sizes.get("exclusive_basis", "exact") != "exact"
    if inside:
        yield "Its own bytes are not exact, for of its parts:"
        yield from _named_gaps(inside)
    if outside and is_bound_by_others:
        yield "What it alone uses is not exact, for elsewhere something may use the same blobs:"
        yield from _counted_gaps(outside)
    if not inside and not (outside and is_bound_by_others):
        yield "Every figure is exact."


def _named_gaps(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows[:_SHOWN_GAPS]:
        yield f"  {row['kind']} {_place(row)}: {row['detail']}"
        yield f"    → {row['remedy']}"
    if len(rows) > _SHOWN_GAPS:
        yield f"  … and {len(rows) - _SHOWN_GAPS:,} more rows of reports.gaps"


def _counted_gaps(rows: Sequence[Row]) -> Iterator[str]:
    kinds: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        kinds[row["kind"]].append(row)
    for kind, found in kinds.items():
        first = found[0]
        named = f"{first['namespace']}/{first['repository'] or ''}"
        tag = f":{first['tag']}" if first["tag"] else ""
        times = f"{len(found):,} {kind}, first" if len(found) > 1 else kind
        yield f"  {times} {named}{tag}: {first['detail']}"
        yield f"    → {first['remedy']}"


def _place(row: Row) -> str:
    if row["digest"]:
        return short(row["digest"])
    return f"of tag {row['tag']}" if row["tag"] else "of the repository"
