"""What retention rules would do, on a terminal or as JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from math import floor
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Group, RenderableType
from rich.filesize import decimal

from pipelines.deciding.rules import SWITCHES, Reading, words, words_of_switch
from pipelines.page.in_use import deleted_in_use, seen_words
from pipelines.page.plain_text import printable_json
from pipelines.page.tables import SIGNS_EXPLAINED, plain_table, shown_bytes, shown_reclaimable
from pipelines.warehouse.retention import Retention

_SHOWN = 10
_PATTERNS = 3
_COUNTED = ("together", "rules", "repositories", "readings")
_COUNTS = ("tags", "deleted", "gives back")
_NAMES = ("namespace", "repository", "tag")
# Of each kind of break why a tag is at risk.
_BREAKS = {
    "lost_child": "a platform of its index loses its last tag",
    "shared_digest": "a deleted tag has the same digest",
    "left_behind": "what it follows loses its last tag",
}
Row = dict[str, Any]


def retention_answer(answer: Retention, reading: Reading) -> RenderableType:
    """What rules would do, for a terminal of 100 columns."""
    return Group(
        f"Registry as of {answer.as_of:%Y-%m-%d %H:%M:%S} UTC",
        f"Assumes: {', '.join(words(reading))}.",
        readings_line(answer.readings),
        f"They delete {answer.together['deleted_tag_count']:,} of"
        f" {answer.together['live_tag_count']:,}"
        f" tags, which gives back {shown_reclaimable(answer.together)}.",
        seen_words(answer.seen),
        *deleted_in_use(answer.breaks),
        "",
        _rules(answer),
        "",
        _repositories(answer.repositories),
        "",
        _deleted(answer.tags),
        *_compared(answer),
        *at_risk(answer.breaks),
        *_legend(answer),
        "",
        "Nothing is deleted. --output FILE writes every tag with its verdict and reason.",
    )


def retention_json(answer: Retention, reading: Reading) -> str:
    """All of it as one JSON object; bytes are numbers, each with its basis."""
    whole = {
        "as_of": answer.as_of,
        "assumes": asdict(reading),
        **{
            name: getattr(answer, name)
            for name in ("together", "rules", "repositories", "readings")
        },
        "breaks": answer.breaks.to_pylist(),
        "snapshots": answer.seen.snapshots.to_pylist(),
        "other": _difference(answer),
        "tags": answer.tags.to_pylist(),
    }
    return printable_json(msgspec.json.format(msgspec.json.encode(whole), indent=1).decode())


def readings_line(readings: Sequence[Row]) -> str:
    """The range in which the readings differ that the documents leave open, in one line."""
    assumed, *others = readings
    differing = [row for row in others if _result(row) != _result(assumed)]
    if not differing:
        return "Every other reading gives the same."
    least = min(readings, key=lambda row: row["deleted_tag_count"])
    most = max(readings, key=lambda row: row["deleted_tag_count"])
    sizes = [row["reclaimable_bytes"] or 0 for row in readings]
    return (
        f"Other readings: {least['deleted_tag_count']:,} ({least['reading']}) to"
        f" {most['deleted_tag_count']:,} tags ({most['reading']}),"
        f" {decimal(min(sizes))} to {decimal(max(sizes))}."
    )


def log_line(best: Sequence[Row]) -> str:
    """Which readings fit the registry's own log best, in one line."""
    if not best:
        return "The registry's log names no deletion yet that could be compared."
    said = filter(None, (words_of_switch(name, best) for name in SWITCHES))
    # Not rounded up: 100 is wholly.
    percent = floor(best[0]["agreement_percent"] * 10) / 10
    counted = f"The registry's log of {best[0]['execution_count']:,} executions"
    return f"{counted} agrees to {percent:g} % with: {', '.join(said)}."


def at_risk(breaks: pa.Table) -> Iterator[RenderableType]:
    """What tags that stay would lose; nothing where they lose nothing."""
    rows = [row for row in breaks.to_pylist() if row["kind"] in _BREAKS]
    if not rows:
        return
    tags = len({(row["namespace"], row["repository"], row["tag"]) for row in rows})
    kinds = Counter(row["kind"] for row in rows)
    counted = "; ".join(f"{_BREAKS[kind]}: {count:,}" for kind, count in sorted(kinds.items()))
    yield ""
    yield f"At risk, for what SWR does then is not documented: {tags:,} tags that stay."
    yield f"{counted}."
    table = plain_table("tag at risk", "why", "deleted")
    for row in rows[:_SHOWN]:
        gone = f"{row['deleted_namespace']}/{row['deleted_repository']}:{row['deleted_tag']}"
        more = f" and {row['deleted_count'] - 1:,} more" if row["deleted_count"] > 1 else ""
        table.add_row(_name_of(row), _BREAKS[row["kind"]], gone + more)
    yield table
    if len(rows) > _SHOWN:
        yield f"… and {len(rows) - _SHOWN:,} more; --json has all"


def _result(row: Row) -> tuple[int, int]:
    return row["deleted_tag_count"], row["reclaimable_bytes"]


def _name_of(row: Row) -> str:
    return f"{row['namespace']}/{row['repository']}:{row['tag']}"


def _counts(row: Row) -> list[str]:
    counts = [f"{row[name]:,}" for name in ("live_tag_count", "deleted_tag_count")]
    return [*counts, shown_bytes(row, "reclaimable_bytes", "reclaimable_basis")]


def _rules(answer: Retention) -> RenderableType:
    table = plain_table("rule", "repositories", "keeps", *_COUNTS, numbers=("rule", *_COUNTS))
    for row in answer.rules:
        table.add_row(str(row["rule"]), row["repositories"], _keeps(row), *_counts(row))
    table.add_section()
    ruled = sum(row["live_tag_count"] for row in answer.rules)
    table.add_row("", "no rule", "all", f"{answer.together['live_tag_count'] - ruled:,}", "0", "")
    table.add_row("", "together", "", *_counts(answer.together))
    return table


def _keeps(row: Row) -> str:
    """What a rule keeps, and its first selectors."""
    [(what, number)] = row["params"].items()
    kept = f"{number} days" if what == "days" else f"the newest {number}"
    patterns = [selector["pattern"] for selector in row["tag_selectors"]]
    more = ["…"] if len(patterns) > _PATTERNS else []
    selectors = ", ".join([*patterns[:_PATTERNS], *more])
    return f"{kept}; selectors {selectors}" if selectors else kept


def _repositories(rows: Sequence[Row]) -> RenderableType:
    losing = [row for row in rows if row["deleted_tag_count"]]
    losing.sort(key=lambda row: -(row["reclaimable_bytes"] or 0))
    title = (
        f"Repositories by what each gives back alone ({min(_SHOWN, len(losing))} of {len(losing)})"
    )
    table = plain_table("repository", "rule", *_COUNTS, numbers=("rule", *_COUNTS), title=title)
    for row in losing[:_SHOWN]:
        table.add_row(f"{row['namespace']}/{row['repository']}", str(row["rule"]), *_counts(row))
    return table


def _deleted(tags: pa.Table) -> RenderableType:
    deleted = tags.filter(pc.field("verdict") == "deleted")
    keys: Any = [("bytes", "descending"), *((name, "ascending") for name in _NAMES)]
    first = deleted.sort_by(keys).slice(0, _SHOWN).to_pylist()
    title = f"Deleted tags by their share of it ({len(first)} of {deleted.num_rows:,})"
    table = plain_table("tag", "reason", "share", numbers=("share",), title=title)
    for row in first:
        share = "?" if row["bytes"] is None else decimal(row["bytes"])
        table.add_row(_name_of(row), row["reason"], share)
    return table


def _compared(answer: Retention) -> Iterator[RenderableType]:
    difference = _difference(answer)
    if difference is None:
        return
    sizes = shown_bytes(difference, "reclaimable_bytes", "reclaimable_basis")
    between = difference["between_bytes"]
    yield ""
    yield (
        f"The other rules delete {difference['deleted_tag_count']:,} tags and give back {sizes}:"
        f" {'?' if between is None else decimal(abs(between))}"
        f" {'more' if between is not None and between > 0 else 'less'}."
    )
    table = plain_table("deleted only by", "tag", "reason there")
    names = {"kept": "the other rules", "deleted": "these rules"}
    differing = answer.tags.filter(pc.field("verdict") != pc.field("other_verdict"))
    for row in differing.slice(0, _SHOWN).to_pylist():
        reason = row["reason"] if row["verdict"] == "deleted" else row["other_reason"]
        table.add_row(names[row["verdict"]], _name_of(row), reason)
    yield table
    if differing.num_rows > _SHOWN:
        yield f"… and {differing.num_rows - _SHOWN:,} more; --output FILE has all"


def _difference(answer: Retention) -> Row | None:
    """What the other rules delete, beside these."""
    if answer.other is None:
        return None
    pairs = answer.tags.select(["verdict", "other_verdict"])
    counts = Counter((row["verdict"], row["other_verdict"]) for row in pairs.to_pylist())
    sizes = [row["reclaimable_bytes"] for row in (answer.together, answer.other)]
    return {
        **answer.other,
        "only_these_tag_count": counts["deleted", "kept"],
        "only_other_tag_count": counts["kept", "deleted"],
        "between_bytes": None if None in sizes else sizes[1] - sizes[0],
    }


def _legend(answer: Retention) -> list[str]:
    bases = {row["reclaimable_basis"] for row in [answer.together, *answer.repositories]}
    return [] if bases <= {"exact"} else SIGNS_EXPLAINED
