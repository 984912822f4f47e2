"""The brute force's tables about change: tag_events and daily_growth, from whole states.

The state after every run is rebuilt from the history, and compared with the one before: once as
much was known then, once as is known after the run.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC
from typing import Any

from brute_force_registry import Key, Knowledge, Registry, Row, State, divide, judge, named


class Past:
    """The state after each run, and what was known by then."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.history = registry.tables["tag_history"]
        self.known = [Knowledge(registry.tables, run["as_of"]) for run in registry.runs]
        self.states = [self._state_after(number) for number in range(len(registry.runs))]

    def run_of(self, row: Row, moment: Any) -> int | None:
        """Number of the run whose crawl of this repository ended at a moment."""
        name = (row["namespace"], row["repository"])
        for number, run in enumerate(self.registry.runs):
            for crawl in self.registry.tables["crawls"]:
                is_here = name == (crawl["namespace"], crawl["repository"])
                if crawl["run_id"] == run["run_id"] and is_here and crawl["finished_at"] == moment:
                    return number
        return None

    def _state_after(self, number: int) -> State:
        state = {}
        for row in self.history:
            begin, end = self.run_of(row, row["valid_from"]), self.run_of(row, row["valid_to"])
            is_open = begin is not None and begin <= number and (end is None or end > number)
            if is_open and row["manifest_digest"] is not None:
                state[key_of(row)] = row["manifest_digest"]
        return state

    def before(self, number: int) -> State:
        """The state before a run."""
        return self.states[number - 1] if number else {}

    def orphans(self, number: int) -> set[str]:
        """Blobs reachable before a run and not after it, as known after it."""
        known = self.known[number]
        return known.union(self.before(number).values()) - known.union(self.states[number].values())

    def old_digest(self, row: Row) -> str | None:
        """What a tag pointed at until an event."""
        for other in self.history:
            if key_of(other) == key_of(row) and other["valid_to"] == row["valid_from"]:
                digest: str | None = other["manifest_digest"]
                return digest
        return None

    def is_unread(self, number: int) -> bool:
        """Whether a run left anything unread."""
        run = self.registry.runs[number]
        return (
            run["status"] != "complete"
            or bool(run["unread_namespaces"] or run["unread_repositories"])
            or any(map(self.known[number].is_unread, self.states[number].values()))
        )


def key_of(row: Row) -> Key:
    """The tag a row is about."""
    return (row["namespace"], row["repository"], row["tag"])


def shares_of(past: Past, number: int) -> dict[str, dict[Key, int]]:
    """Divide every blob a run orphaned among the events whose old manifest reached it."""
    known = past.known[number]
    old = {
        key_of(row): past.old_digest(row)
        for row in past.history
        if row["change"] in ("moved", "deleted") and past.run_of(row, row["valid_from"]) == number
    }
    shares: dict[str, dict[Key, int]] = {}
    for blob in past.orphans(number):
        users = [key for key, digest in old.items() if digest and blob in known.blobs(digest)]
        parts: Counter[Key] = Counter()
        for namespace, part in divide(known.size(blob) or 0, (u[0] for u in users)).items():
            here = [user for user in users if user[0] == namespace]
            for name, smaller in divide(part, (user[:2] for user in here)).items():
                parts.update(divide(smaller, (user for user in here if user[:2] == name)))
        shares[blob] = dict(parts)
    return shares


def tag_events(registry: Registry) -> list[Row]:
    """One row per event."""
    past = Past(registry)
    shares = [shares_of(past, number) for number in range(len(registry.runs))]
    rows = []
    for row in sorted(past.history, key=lambda row: (row["valid_from"], *key_of(row))):
        number = past.run_of(row, row["valid_from"])
        assert number is not None
        orphaned, basis = _orphaned(past, row, number, shares[number])
        rows.append(
            {
                **named(key_of(row)),
                "change": row["change"],
                "previous_digest": past.old_digest(row),
                "manifest_digest": row["manifest_digest"],
                "detected_at": row["valid_from"],
                "earliest_at": row["valid_from_earliest"],
                "run_id": registry.runs[number]["run_id"],
                "orphaned_bytes": orphaned,
                "orphaned_basis": basis,
            }
        )
    return rows


def _orphaned(
    past: Past, row: Row, number: int, shares: dict[str, dict[Key, int]]
) -> tuple[int | None, str]:
    digest = past.old_digest(row)
    if row["change"] in ("created", "restored"):
        return 0, "exact"
    if digest is None or past.registry.known.basis(digest) == "unknown":
        return None, "unknown"
    mine = {blob: parts[key_of(row)] for blob, parts in shares.items() if key_of(row) in parts}
    known = past.known[number]
    is_lower = (
        any(known.size(blob) is None for blob in mine)
        or any(map(past.registry.known.is_uncertain, mine))
        or known.is_open(digest)
    )
    return sum(mine.values()), judge(is_lower=is_lower, is_upper=past.is_unread(number))


def daily_growth(registry: Registry) -> list[Row]:
    """One row per run."""
    past, rows = Past(registry), []
    for number, run in enumerate(registry.runs):
        known, old = past.known[number], past.known[number - 1] if number else past.known[0]
        before = old.total(old.union(past.before(number).values()))
        revalued = known.union(past.before(number).values())
        after = known.union(past.states[number].values())
        rows.append(
            {
                "run_id": run["run_id"],
                "as_of": run["as_of"],
                "day": run["as_of"].astimezone(UTC).date(),
                **_counts(past, number),
                "tag_count": len(past.states[number]),
                "deduplicated_before_bytes": before,
                "added_bytes": known.total(after - revalued),
                "orphaned_bytes": known.total(revalued - after),
                "learned_bytes": known.total(revalued) - before,
                "deduplicated_after_bytes": known.total(after),
            }
        )
    return rows


def _counts(past: Past, number: int) -> Row:
    run_id = past.registry.runs[number]["run_id"]
    statuses = [c["status"] for c in past.registry.tables["crawls"] if c["run_id"] == run_id]
    changes: Iterable[str] = (
        row["change"] for row in past.history if past.run_of(row, row["valid_from"]) == number
    )
    counted = Counter(changes)
    kinds = ("created", "moved", "deleted", "restored")
    return {
        **{f"{kind}_count": counted[kind] for kind in kinds},
        "repository_count": len(statuses),
        "repositories_complete": sum(s in ("complete", "unchanged") for s in statuses),
    }
