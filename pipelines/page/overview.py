"""The warehouse on one screen: what takes the space, what grew, how old it is, what may go.

Bytes of a table's rows and of its rest add up: tables show allocated or exclusive bytes, which
count every byte once.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec
from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.text import Text

from pipelines.errors import WarehouseError
from pipelines.page.plain_text import printable_json
from pipelines.page.tables import SIGNS_EXPLAINED, plain_table, shown_bytes, signed
from pipelines.warehouse.page_answers import terminal_answers

Row = dict[str, Any]
Order = Literal["allocated", "exclusive", "deduplicated", "logical", "tags", "growth"]
_COLUMNS: dict[Order, str] = {
    "allocated": "allocated_bytes",
    "exclusive": "exclusive_bytes",
    "deduplicated": "deduplicated_bytes",
    "logical": "logical_bytes",
    "tags": "tag_count",
    "growth": "growth_bytes",
}
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
_GROWN = 4
_BAR = 40
_BUCKETS = ("0-7d", "8-30d", "31-90d", "91-180d", "181-365d", ">365d", "unknown")
# Columns of which a rest row has the sum, each with the column of its basis.
_SUMMED = {"tag_count": None, "allocated_bytes": "allocated_basis", "growth_bytes": "growth_basis"}


class Overview(NamedTuple):
    """What one screen shows of a registry, or of one namespace of it.

    Attributes:
        whole: of all of it: a row of sql/terminal/registry.sql or namespaces.sql.
        repositories: of all that are shown, in the order asked for.
        rest: sums of those that are not.
        grown: the repositories that grew most in seven days.
        ages: tags and exclusive bytes by days since the last update.
        gaps: kinds of what nobody could read, the most harmful first.
    """

    whole: Row
    repositories: list[Row]
    rest: Row
    grown: list[Row]
    ages: list[Row]
    gaps: list[Row]


def overview(
    directory: Path, *, namespace: str | None = None, top: int = 8, order: Order = "allocated"
) -> Overview:
    """What the published warehouse holds.

    Args:
        directory: of the warehouse.
        namespace: tell of this one alone.
        top: so many repositories.
        order: what they are the largest by.

    Raises:
        WarehouseMissing: there is no warehouse yet.
        WarehouseError: it holds no such namespace.
    """
    answers = {
        name: answer.rows.to_pylist() for name, answer in terminal_answers(directory).items()
    }
    rows = _within(answers["repositories"], namespace)
    column = _COLUMNS[order]
    rows.sort(key=lambda row: (-(row[column] or 0), row["namespace"], row["repository"]))
    grown = [row for row in rows if row["growth_bytes"] > 0]
    grown.sort(key=lambda row: -row["growth_bytes"])
    return Overview(
        whole=_whole(answers, namespace),
        repositories=rows[:top],
        rest=_sum(rows[top:]),
        grown=grown[:_GROWN],
        ages=_ages(_within(answers["ages"], namespace)),
        gaps=answers["gaps"],
    )


def overview_answer(found: Overview, program: str = "swr-warehouse") -> RenderableType:
    """One screen of 100 columns and 40 lines, with the eight largest repositories.

    The command it ends with begins with `program`.
    """
    legend = [] if found.whole["size_basis"] == "exact" and not found.gaps else SIGNS_EXPLAINED
    return Group(
        *_headlines(found),
        _reading(found.whole),
        "",
        *_grown(found),
        _by_age(found.ages),
        "",
        _largest(found),
        "",
        *_advice(found, program),
        *legend,
    )


def overview_json(found: Overview) -> str:
    """The same numbers as one JSON object, by the names of their columns."""
    return printable_json(
        msgspec.json.format(msgspec.json.encode(found._asdict()), indent=1).decode()
    )


def how_exact(whole: Row, causes: Sequence[Row]) -> str:
    """Say in one line how much is exact, and the two largest causes why the rest is not.

    Args:
        whole: a row with counts of tags.
        causes: kinds of reports.gaps with their counts, the largest first.
    """
    if not causes:
        return "Exact: every figure."
    shown = [f"{row['gap_count']:,} {_CAUSE_WORDS[row['kind']]}" for row in causes[:_SHOWN_CAUSES]]
    return (
        f"Exact: {whole['exact_size_tag_count']:,}/{whole['tag_count']:,} sizes,"
        f" {whole['exact_reclaimable_tag_count']:,} reclaimable; {', '.join(shown)}"
    )


def _within(rows: list[Row], namespace: str | None) -> list[Row]:
    return [row for row in rows if namespace in {None, row["namespace"]}]


def _whole(answers: dict[str, list[Row]], namespace: str | None) -> Row:
    [since] = answers["since"]
    if namespace is None:
        [registry] = answers["registry"]
        return {**registry, **since}
    for row in answers["namespaces"]:
        if row["namespace"] == namespace:
            return {**row, **since}
    known = ", ".join(row["namespace"] for row in answers["namespaces"])
    raise WarehouseError(f"The warehouse holds no namespace {namespace}; it holds {known}.")


def _sum(rows: Sequence[Row]) -> Row:
    """A row that stands for others."""
    summed: Row = {"repository_count": len(rows)}
    for column, basis in _SUMMED.items():
        known = [row[column] for row in rows if row[column] is not None]
        summed[column] = sum(known) if known or not rows else None
        if basis:
            summed[basis] = _joined(row[basis] for row in rows)
    costs = [row["monthly_cost"] for row in rows if row["monthly_cost"] is not None]
    return {**summed, "monthly_cost": sum(costs) if costs else None}


def _joined(bases: Iterable[str]) -> str:
    """The basis of a sum: what is unknown counts as nothing, and may add."""
    found = {"lower_bound" if basis == "unknown" else basis for basis in bases} - {"exact"}
    if not found:
        return "exact"
    return found.pop() if len(found) == 1 else "estimate"


def _ages(rows: Iterable[Row]) -> list[Row]:
    """One row for each age, newest first, whatever the namespace."""
    found: list[Row] = []
    for bucket in _BUCKETS:
        same = [row for row in rows if row["age_bucket"] == bucket]
        sizes = [row["exclusive_bytes"] for row in same if row["exclusive_bytes"] is not None]
        found.append(
            {
                "age_bucket": bucket,
                "tag_count": sum(row["tag_count"] for row in same),
                "exclusive_bytes": sum(sizes),
                "is_exact": all(row["is_exact"] for row in same),
            }
        )
    return found


def _headlines(found: Overview) -> list[RenderableType]:
    whole = found.whole
    name = f"Namespace {whole['namespace']}" if "namespace" in whole else "Registry"
    complete, repositories = whole["repositories_complete"], whole["repository_count"]
    title = Text(f"{name} as of {whole['as_of']:%Y-%m-%d %H:%M:%S} UTC", style="bold")
    title.append(f" · {complete:,} of {repositories:,} repositories complete", style="not bold")
    held = [
        f"{shown_bytes(whole, 'deduplicated_bytes', 'size_basis')} deduplicated",
        f"{shown_bytes(whole, 'logical_bytes', 'size_basis')} logical",
    ]
    if "allocated_bytes" in whole:
        held.insert(0, f"{shown_bytes(whole, 'allocated_bytes', 'allocated_basis')} allocated")
    if whole["monthly_cost"] is not None:
        held.append(f"{whole['monthly_cost']:,} {whole['currency']} a month")
    return [
        title,
        f"{whole['tag_count']:,} tags hold {', '.join(held)}.",
        how_exact(whole, found.gaps),
    ]


def _reading(whole: Row) -> str:
    """Say of when the oldest of it is."""
    since = whole["oldest_read_at"]
    moment = f"since {since:%Y-%m-%d %H:%M} UTC" if since else "never"
    return f"As last read, {moment}, by what these credentials can see."


def _grown(found: Overview) -> list[RenderableType]:
    since = found.whole["grown_since"]
    if not found.grown:
        return [f"Nothing has grown since {since:%Y-%m-%d}."] if since else []
    numbers = ("allocated", "growth", "tags new", "gone")
    title = f"What grew most since {since:%Y-%m-%d}"
    table = plain_table("repository", *numbers, numbers=numbers, title=title)
    for row in found.grown:
        table.add_row(
            f"{row['namespace']}/{row['repository']}",
            shown_bytes(row, "allocated_bytes", "allocated_basis"),
            signed(f"+{decimal(row['growth_bytes'])}", row["growth_basis"]),
            f"{row['new_tag_count']:,}",
            f"{row['gone_tag_count']:,}",
        )
    return [table, ""]


def _by_age(rows: Sequence[Row]) -> RenderableType:
    """An empty age of no date is left out."""
    numbers = ("tags", "exclusive")
    table = plain_table("updated", *numbers, "", numbers=numbers, title="Bytes by age")
    most = max(1, *(row["exclusive_bytes"] for row in rows))
    for row in rows:
        if row["tag_count"] or row["age_bucket"] != "unknown":
            table.add_row(
                row["age_bucket"],
                f"{row['tag_count']:,}",
                signed(decimal(row["exclusive_bytes"]), "exact" if row["is_exact"] else "estimate"),
                "█" * (row["exclusive_bytes"] * _BAR // most),
            )
    return table


def _largest(found: Overview) -> RenderableType:
    """Repositories, the rest of them, and the sum of both."""
    has_price = found.whole["monthly_cost"] is not None
    numbers = ["tags", "deduplicated", "exclusive", "allocated", "growth"]
    numbers += ["cost a month"] if has_price else []
    table = plain_table("repository", *numbers, numbers=numbers, title="The largest repositories")

    def add(name: str, row: Row, own: Sequence[str]) -> None:
        cost = row["monthly_cost"]
        cells = [
            name,
            f"{row['tag_count']:,}",
            *own,
            shown_bytes(row, "allocated_bytes", "allocated_basis"),
            _growth(row),
        ]
        table.add_row(*cells, *(["?" if cost is None else f"{cost:,}"] if has_price else []))

    for row in found.repositories:
        own = [
            shown_bytes(row, f"{what}_bytes", basis)
            for what, basis in (("deduplicated", "size_basis"), ("exclusive", "exclusive_basis"))
        ]
        add(f"{row['namespace']}/{row['repository']}", row, own)
    if found.rest["repository_count"]:
        add(f"{found.rest['repository_count']:,} others", found.rest, ["", ""])
    table.add_section()
    add("all", _sum([*found.repositories, found.rest]), ["", ""])
    return table


def _growth(row: Row) -> str:
    size: int = row["growth_bytes"]
    if not size:
        return "" if row["growth_basis"] == "exact" else signed("0 bytes", row["growth_basis"])
    return signed(f"{'+' if size > 0 else '-'}{decimal(abs(size))}", row["growth_basis"])


def _advice(found: Overview, program: str) -> list[RenderableType]:
    """What stale tags hold, and one next command."""
    whole = found.whole
    back = shown_bytes(whole, "stale_reclaimable_bytes", "stale_reclaimable_basis")
    days, stale = whole["stale_days"], whole["stale_tag_count"]
    lines: list[RenderableType] = []
    if days is not None:
        lines.append(f"{stale:,} tags not updated for {days} days would give back {back} together.")
    if found.gaps:
        return [*lines, f'Next: {program} query "from reports.gaps"']
    if stale and "namespace" not in whole:
        return [*lines, f"Next: {program} plan --older-than {days}d --max-tags {stale}"]
    return lines
