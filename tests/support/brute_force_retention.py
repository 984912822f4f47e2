"""The slow and obvious reference for retention rules: one tag at a time, in plain Python.

Written from docs/deciding.md; shares no code with the product. Tags and rules are plain dicts, a
reading is a dict of switches.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from fnmatch import fnmatchcase
from typing import Any

Row = dict[str, Any]
ZONES = {"utc": UTC, "utc+8": timezone(timedelta(hours=8))}


def verdicts(
    tags: Sequence[Row], rules: Sequence[Row], as_of: datetime, reading: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Verdict and reason of each tag."""
    return [_verdict(tag, tags, rules, as_of, reading) for tag in tags]


def _verdict(
    tag: Row, tags: Sequence[Row], rules: Sequence[Row], as_of: datetime, reading: Mapping[str, str]
) -> tuple[str, str]:
    rule = rule_for(tag, rules)
    if rule is None:
        return "kept", "no rule"
    selector = _selecting(tag, rule, reading)
    if reading["selectors"] == "included" and rule["selectors"] and selector is None:
        return "kept", "no selector includes it"
    if reading["selectors"] != "included" and selector is not None:
        return "kept", f"excepted by {selector}"
    if rule["template"] == "date_rule":
        return _by_age(tag, rule, as_of, reading)
    rivals = [
        other
        for other in tags
        if (other["namespace"], other["repository"]) == (tag["namespace"], tag["repository"])
        and _is_counted(other, rule, reading)
    ]
    rank = _rank(tag, rivals, reading)
    verdict = "deleted" if rank > rule["keeps"] else "kept"
    return verdict, f"{verdict}: rank {rank}, keeps {rule['keeps']}"


def rule_for(tag: Row, rules: Sequence[Row]) -> Row | None:
    """The first rule that matches the repository of a tag."""
    name = f"{tag['namespace']}/{tag['repository']}"
    return next((rule for rule in rules if fnmatchcase(name, rule["repositories"])), None)


def _selecting(tag: Row, rule: Row, reading: Mapping[str, str]) -> str | None:
    for kind, pattern in rule["selectors"]:
        if kind == "label":
            is_selected = tag["tag"] == pattern
        elif reading["match"] == "full":
            is_selected = re.fullmatch(pattern, tag["tag"]) is not None
        else:
            is_selected = re.search(pattern, tag["tag"]) is not None
        if is_selected:
            return str(pattern)
    return None


def _is_counted(tag: Row, rule: Row, reading: Mapping[str, str]) -> bool:
    if reading["selectors"] == "excepted_after_count":
        return True
    is_selected = _selecting(tag, rule, reading) is not None
    if reading["selectors"] == "included":
        return is_selected or not rule["selectors"]
    return not is_selected


def _by_age(tag: Row, rule: Row, as_of: datetime, reading: Mapping[str, str]) -> tuple[str, str]:
    at = tag[f"known_{reading['clock']}_at"]
    if at is None:
        return "kept", "kept: no date"
    zone = ZONES.get(reading["days"])
    if zone is None:
        days = (as_of - at) // timedelta(days=1)
    else:
        days = (as_of.astimezone(zone).date() - at.astimezone(zone).date()).days
    days = max(days, 0)
    is_over = days > rule["keeps"] or (days == rule["keeps"] and reading["days"] != "24h_passed")
    verdict = "deleted" if is_over else "kept"
    return verdict, f"{verdict}: {days} days, keeps {rule['keeps']}"


def _rank(tag: Row, rivals: Sequence[Row], reading: Mapping[str, str]) -> int:
    """How many stand before it, and itself."""
    clock = f"{reading['clock']}_at"
    if reading["unit"] == "tags":
        return 1 + sum(_is_before(other, tag, clock, reading) for other in rivals)
    newest: dict[str, Row] = {}
    for other in rivals:
        digest = other["manifest_digest"]
        leader = newest.get(digest)
        if leader is None or _stands_before(other, leader, clock, reading):
            newest[digest] = other
    mine = newest[tag["manifest_digest"]]
    return 1 + sum(_is_before(other, mine, clock, reading) for other in newest.values())


def _is_before(other: Row, tag: Row, clock: str, reading: Mapping[str, str]) -> bool:
    if reading["ties"] == "kept" and other[clock] == tag[clock]:
        return False
    return _stands_before(other, tag, clock, reading)


def _stands_before(other: Row, tag: Row, clock: str, reading: Mapping[str, str]) -> bool:
    if other[clock] != tag[clock]:
        return tag[clock] is None or (other[clock] is not None and other[clock] > tag[clock])
    if reading["ties"] == "last_name":
        return bool(other["tag"] > tag["tag"])
    return bool(other["tag"] < tag["tag"])
