"""The brute force's tables about growth by repository and namespace, from whole states.

A run is looked at thrice: what was live before it, as was known then and as is known since, and
what is live after it. Each time every blob is divided anew.
"""

from collections import Counter
from collections.abc import Iterator

from brute_force_history import CHANGES, Day, daily_growth, key_of
from brute_force_knowledge import Knowledge, Row
from brute_force_registry import Name, State, divide

Shares = dict[str, dict[Name, int]]
Change = tuple[Name, str, int]


def shares(known: Knowledge, state: State) -> Shares:
    """Each repository's share of each blob."""
    found: Shares = {}
    for blob in known.union(state.values()):
        users = {key[:2] for key, digest in state.items() if blob in known.blobs(digest)}
        parts: dict[Name, int] = {}
        for namespace, part in divide(known.size(blob) or 0, [user[0] for user in users]).items():
            parts |= divide(part, [user for user in users if user[0] == namespace])
        found[blob] = parts
    return found


def _changes(day: Day) -> Iterator[Change]:
    """What a run changed of repositories, by column."""
    then = shares(day.before.known, day.before.registry.state) if day.before else {}
    before, after = shares(day.known, day.old_state), shares(day.known, day.registry.state)
    for column, sign, found in (("learned", -1, then), ("learned", 1, before)):
        for parts in found.values():
            yield from ((name, column, sign * part) for name, part in parts.items())
    for blob in before.keys() | after.keys():
        stays = blob in before and blob in after
        for name, part in before.get(blob, {}).items():
            yield name, "shifted" if stays else "orphaned", -part if stays else part
        for name, part in after.get(blob, {}).items():
            yield name, "shifted" if stays else "added", part


def _totals(found: Shares) -> Counter[Name]:
    total: Counter[Name] = Counter()
    for parts in found.values():
        total.update(parts)
    return total


def growth(day: Day, depth: int) -> list[Row]:
    """A row for each scope that changed: a namespace (depth 1) or a repository (depth 2)."""
    bytes_of: dict[tuple[str, ...], Counter[str]] = {}
    for name, column, part in _changes(day):
        bytes_of.setdefault(name[:depth], Counter())[column] += part
    counts: dict[tuple[str, ...], Counter[str]] = {}
    for event in day.events:
        counts.setdefault(key_of(event)[:depth], Counter())[event["change"]] += 1
    before: Counter[tuple[str, ...]] = Counter()
    if day.before:
        for name, part in _totals(shares(day.before.known, day.before.registry.state)).items():
            before[name[:depth]] += part
    rows = []
    for scope in sorted(bytes_of.keys() | counts.keys()):
        parts = bytes_of.get(scope, Counter())
        if any(parts.values()) or scope in counts:
            rows.append(_row(day, scope, counts.get(scope, Counter()), parts, before[scope]))
    return rows


def _row(
    day: Day, scope: tuple[str, ...], counts: Counter[str], parts: Counter[str], before: int
) -> Row:
    whole = daily_growth(day)
    grown = parts["added"] - parts["orphaned"] + parts["learned"] + parts["shifted"]
    return {
        **{name: whole[name] for name in ("registry", "run_id", "as_of", "day", "basis")},
        **dict(zip(("namespace", "repository"), scope, strict=False)),
        **{f"{change}_count": counts[change] for change in CHANGES},
        **{f"{n}_bytes": parts[n] for n in ("added", "orphaned", "learned", "shifted")},
        "allocated_before_bytes": before,
        "allocated_after_bytes": before + grown,
    }


def namespace_growth(day: Day) -> list[Row]:
    """One row per namespace that a run changed."""
    return growth(day, 1)


def repository_growth(day: Day) -> list[Row]:
    """One row per repository that a run changed."""
    return growth(day, 2)
