"""A plan of what to delete, on a terminal, as JSON or as the requests of SWR's API."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import numpy as np
import pyarrow as pa
from rich.console import Group, RenderableType
from rich.filesize import decimal

from pipelines.deciding.plan import Wish
from pipelines.page.in_use import deleted_in_use, seen_words
from pipelines.page.plain_text import printable, printable_json
from pipelines.page.retention import at_risk
from pipelines.page.tables import SIGNS_EXPLAINED, plain_table, shown_reclaimable
from pipelines.warehouse.planning import Planned
from pipelines.warehouse.reclaimable import GIVEN_BACK

_SHOWN = 10
_POINTS = 12
_BAR = 30
# Points of the curve in JSON.
_MOST_POINTS = 1_000


def plan_answer(planned: Planned, wish: Wish) -> RenderableType:
    """A plan, for a terminal of 100 columns."""
    together = dict(planned.together)
    back = shown_reclaimable(together)
    return Group(
        f"Registry as of {planned.as_of:%Y-%m-%d %H:%M:%S} UTC",
        f"{planned.live_tag_count:,} tags, of which nothing protects {planned.ready_tag_count:,}.",
        f"The plan: delete {_tag_count(planned.plan.tags)}, which gives back {back}.",
        proof(planned, wish),
        seen_words(planned.seen),
        *deleted_in_use(planned.breaks),
        "",
        _curve(planned),
        "",
        _tags(planned.tags),
        *at_risk(planned.breaks),
        *([] if together["reclaimable_basis"] == "exact" else SIGNS_EXPLAINED),
        "",
        "Nothing is deleted. --output FILE writes the tags, --format http the requests.",
    )


def proof(planned: Planned, wish: Wish) -> str:
    """How near the plan is to what none can beat."""
    plan = planned.plan
    if not plan.is_met:
        return f"That is all that may go: less than {decimal(wish.least_bytes or 0)}."
    if wish.least_bytes is not None:
        given, beaten = decimal(wish.least_bytes), plan.tags - plan.bound
        if not beaten:
            return f"No plan gives back {given} for fewer tags."
        return (
            f"No plan gives back {given} for fewer than {_tag_count(plan.bound)}: {beaten:,} less."
        )
    beaten = plan.bound - plan.bytes
    if not beaten:
        return f"No plan of {_tag_count(wish.most_tags or 0)} gives back more."
    return (
        f"No plan of {_tag_count(wish.most_tags or 0)} gives back more than {decimal(plan.bound)}:"
        f" {decimal(beaten)} more."
    )


def plan_json(planned: Planned) -> str:
    """All of it as one JSON object; the curve is thinned out to a thousand points."""
    plan = planned.plan
    whole = {
        "as_of": planned.as_of,
        "live_tag_count": planned.live_tag_count,
        "ready_tag_count": planned.ready_tag_count,
        "plan": {
            "tag_count": plan.tags,
            "bytes": plan.bytes,
            "bound": plan.bound,
            "is_met": plan.is_met,
            **{name: planned.together[name] for name in GIVEN_BACK},
        },
        "curve": [{"tag_count": t, "bytes": b} for t, b in _points(planned, _MOST_POINTS)],
        "breaks": planned.breaks.to_pylist(),
        "snapshots": planned.seen.snapshots.to_pylist(),
        "tags": planned.tags.to_pylist(),
    }
    return printable_json(msgspec.json.format(msgspec.json.encode(whole), indent=1).decode())


def plan_requests(tags: pa.Table) -> Iterator[str]:
    """The requests that delete the tags, for a tool of one's own that knows address and token.

    Whoever sends them checks before each that the tag still points at its digest.
    """
    for row in tags.to_pylist():
        repository = quote(row["repository"].replace("/", "$"), safe="$")
        path = f"{quote(row['namespace'], safe='')}/repos/{repository}"
        tag = quote(row["tag"], safe="")
        yield printable(f"### {_name_of(row)} must still point at {row['manifest_digest']}")
        yield f"DELETE {{{{endpoint}}}}/v2/manage/namespaces/{path}/tags/{tag}"
        yield "X-Auth-Token: {{token}}"
        yield ""


def _tag_count(count: int) -> str:
    return "1 tag" if count == 1 else f"{count:,} tags"


def _name_of(row: dict[str, Any]) -> str:
    return f"{row['namespace']}/{row['repository']}:{row['tag']}"


def _points(planned: Planned, most: int) -> list[tuple[int, int]]:
    """Tags and bytes after some steps, the first and the last among them."""
    tags = np.concatenate([[0], np.cumsum(planned.steps.tags)])
    given = np.concatenate([[0], np.cumsum(planned.steps.bytes)])
    # Evenly by bytes.
    wanted = np.linspace(0, int(given[-1]), min(most, len(given)))
    places = np.unique(np.append(np.searchsorted(given, wanted), len(given) - 1))
    return list(zip(tags[places].tolist(), given[places].tolist(), strict=True))


def _curve(planned: Planned) -> RenderableType:
    """Bytes over tags, where the best plans are."""
    numbers = ("tags", "give back")
    table = plain_table(*numbers, "", numbers=numbers, title="What the best plans give back")
    points = _points(planned, _POINTS)
    most = max(points[-1][1], 1)
    for tags, given in points:
        table.add_row(f"{tags:,}", decimal(given), "█" * (given * _BAR // most))
    return table


def _tags(tags: pa.Table) -> RenderableType:
    title = f"The first to delete ({min(_SHOWN, tags.num_rows)} of {tags.num_rows:,})"
    table = plain_table("tag", "why", "share", numbers=("share",), title=title)
    for row in tags.slice(0, _SHOWN).to_pylist():
        share = "?" if row["bytes"] is None else decimal(row["bytes"])
        table.add_row(_name_of(row), _readable(row["reason"]), share)
    return table


def _readable(reason: str) -> str:
    """A reason with its bytes as people read them."""
    text = reason.removeprefix("deleted: ")
    return re.sub(r"(\d+) bytes$", lambda found: decimal(int(found[1])), text)
