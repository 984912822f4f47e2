"""The brute force's retention_coverage: the rule of each repository tried on one day after another.

The verdicts are those of `brute_force_retention`, as of the day.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import timedelta

from brute_force_knowledge import Row
from brute_force_registry import Key, Name, Registry
from brute_force_retention import verdicts
from brute_force_sizes import LARGEST_SUM

DOCUMENTED = {
    "clock": "updated",
    "days": "24h",
    "selectors": "excepted",
    "unit": "tags",
    "match": "search",
    "ties": "first_name",
}
HORIZONS = {"now": 0, "in_7_days": 7, "in_30_days": 30}
# No rule of the random ones keeps more.
LAST_DAY = 400


def retention_coverage(registry: Registry) -> list[Row]:
    """One row per live repository."""
    return [_row(registry, name) for name in sorted(registry.repositories)]


def taken_within_30_days(registry: Registry) -> Iterator[Key]:
    """Tags that the rules of their repositories delete until then if nothing is pushed."""
    for name in registry.repositories:
        rule = _latest(registry, name)
        if rule and rule["template"]:
            yield from _taken(registry, registry.within(*name), rule, HORIZONS["in_30_days"])


def _latest(registry: Registry, name: Name) -> Row | None:
    rules = [
        row
        for row in registry.rows("retention_rules")
        if (row["namespace"], row["repository"]) == name
    ]
    return max(rules, key=lambda row: row["last_read_at"], default=None)


def _row(registry: Registry, name: Name) -> Row:
    latest = _latest(registry, name)
    row = {
        "registry": registry.name,
        "namespace": name[0],
        "repository": name[1],
        "coverage": _coverage(latest),
        "template": latest and latest["template"],
        "keeps": latest and latest["keeps"],
        "live_tag_count": None,
        "excepted_tag_count": None,
        "next_in_days": None,
        "read_at": latest and latest["last_read_at"],
        "as_of": registry.as_of,
    }
    for horizon in HORIZONS:
        for what in ("tag_count", "reclaimable_bytes", "reclaimable_basis"):
            row[f"{horizon}_{what}"] = None
    return row | _judged(registry, name, latest) if latest and latest["template"] else row


def _coverage(latest: Row | None) -> str:
    if latest is None:
        return "not_read"
    if latest["outcome"] != "read":
        return "refused"
    if latest["problem"]:
        return "unreadable"
    return "rule" if latest["template"] else "no_rule"


def _judged(registry: Registry, name: Name, rule: Row) -> Row:
    keys = registry.within(*name)
    reasons = [reason for _, reason in _verdicts(registry, keys, rule, 0)]
    excepted = [reason for reason in reasons if reason.startswith("excepted")]
    never = [*excepted, *(reason for reason in reasons if reason == "kept: no date")]
    days = (day for day in range(LAST_DAY) if _taken(registry, keys, rule, day))
    row: Row = {
        "live_tag_count": len(keys),
        "excepted_tag_count": len(excepted),
        "next_in_days": next(days, None),
    }
    if keys and len(never) == len(keys):
        row["coverage"] = "never_fires"
    for horizon, day in HORIZONS.items():
        taken = _taken(registry, keys, rule, day)
        back, basis = registry.given_back(registry.listed(taken))
        is_within = back is not None and back <= LARGEST_SUM
        row[f"{horizon}_tag_count"] = len(taken)
        row[f"{horizon}_reclaimable_bytes"] = back if is_within else None
        row[f"{horizon}_reclaimable_basis"] = basis if is_within else "unknown"
    return row


def _taken(registry: Registry, keys: list[Key], rule: Row, day: int) -> list[Key]:
    found = _verdicts(registry, keys, rule, day)
    return [key for key, (verdict, _) in zip(keys, found, strict=True) if verdict == "deleted"]


def _verdicts(
    registry: Registry, keys: Iterable[Key], rule: Row, day: int
) -> list[tuple[str, str]]:
    tags = []
    for key in keys:
        tag = registry.tags[key]
        at = tag["updated_at"]
        tags.append({**tag, "known_updated_at": at if registry.is_date(at) else None})
    one = {"repositories": "*", "template": rule["template"], "keeps": rule["keeps"]}
    pairs = [(s["kind"], s["pattern"]) for s in json.loads(rule["tag_selectors"])]
    as_of = registry.as_of + timedelta(days=day)
    return verdicts(tags, [one | {"selectors": pairs}], as_of, DOCUMENTED)
