"""Which tags a retention rule deletes, by any way to read it: each switch is a choice of `Reading`.

Written apart from the simulator of `deciding`, so that each tests the other.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.deciding.rules import Reading
from pipelines.emulator.records import instant, stamp
from pipelines.emulator.repository import StoredTag

_DAY = timedelta(days=1) // timedelta(microseconds=1) * 1000
_HOUR = _DAY // 24
_ZONES = {"utc": 0, "utc+8": 8 * _HOUR}


def tags_taken(
    tags: Sequence[StoredTag], rule: Mapping[str, Any], at: datetime, reading: Reading
) -> list[StoredTag]:
    """The tags of a repository that a rule deletes at a moment, the oldest name first."""
    selectors = rule.get("tag_selectors") or []
    selected = {tag.name for tag in tags if any(_selects(s, tag.name, reading) for s in selectors)}
    is_for_selected = reading.selectors == "included" and bool(selectors)
    open_ones = [tag for tag in tags if (tag.name in selected) == is_for_selected]
    counted = list(tags) if reading.selectors == "excepted_after_count" else open_ones
    if rule["template"] == "date_rule":
        least = int(rule["params"]["days"]) + (reading.days == "24h_passed")
        return [tag for tag in open_ones if _age(tag, at, reading) >= least]
    ranks = _ranks(counted, reading)
    return [tag for tag in open_ones if ranks[tag.name] > int(rule["params"]["num"])]


def _selects(selector: Mapping[str, str], name: str, reading: Reading) -> bool:
    if selector["kind"] == "label":
        return name == selector["pattern"]
    match = re.fullmatch if reading.match == "full" else re.search
    return match(selector["pattern"], name) is not None


def _moment(tag: StoredTag, reading: Reading) -> int:
    """Nanoseconds since 1970."""
    return tag.updated if reading.clock == "updated" else instant(tag.wire.get("created"))


def _age(tag: StoredTag, at: datetime, reading: Reading) -> int:
    """Whole days, or midnights of a time zone, that have passed."""
    now, then = instant(stamp(at.astimezone(UTC))), _moment(tag, reading)
    if reading.days in _ZONES:
        shift = _ZONES[reading.days]
        return (now + shift) // _DAY - (then + shift) // _DAY
    return (now - then) // _DAY


def _ranks(tags: Sequence[StoredTag], reading: Reading) -> dict[str, int]:
    """The place of each tag, the newest first; tags on one digest may have one place."""
    by_name = sorted(tags, key=lambda tag: tag.name, reverse=reading.ties == "last_name")
    places: dict[str, int] = {}
    first_of_moment: dict[int, int] = {}
    ranks: dict[str, int] = {}
    for tag in sorted(by_name, key=lambda tag: -_moment(tag, reading)):
        unit = str(tag.wire.get("digest")) if reading.unit == "digests" else tag.name
        if unit not in places:
            place = len(places) + 1
            first = first_of_moment.setdefault(_moment(tag, reading), place)
            places[unit] = first if reading.ties == "kept" else place
        ranks[tag.name] = places[unit]
    return ranks
