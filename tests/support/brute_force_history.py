"""The brute force's tables about change: tag_events and daily_growth, from whole states.

A run is judged by the tables as they were after it. What was live before it is looked at twice:
as it was known then, and as it is known after the run.
"""

from collections import Counter
from datetime import UTC

from brute_force_gaps import gaps
from brute_force_knowledge import Row
from brute_force_registry import Key, Registry, State, divide, judge, named

ENDS = ("moved", "deleted", "forgotten")
CHANGES = ("created", "moved", "deleted", "restored", "forgotten")


class Day:
    """One run: the registry after it, and after the registry's run before it, if any."""

    def __init__(self, registry: Registry, before: "Day | None") -> None:
        self.registry = registry
        self.before = before
        self.known = registry.known
        self.old_state: State = before.registry.state if before else {}
        self.history = registry.rows("tag_history")
        reported = set(map(moment_of, before.history)) if before else set()
        self.events = [row for row in self.history if moment_of(row) not in reported]
        self.events.sort(key=order_of)
        self.is_exact = not gaps(registry)
        # Both before and after the run: others may have let go of the same bytes unseen.
        self.unread = registry.unread | (before.registry.unread if before else set())
        self.doubts = registry.doubts | (before.registry.doubts if before else set())

    @property
    def orphans(self) -> set[str]:
        """Blobs reachable before the run and not after it, as known after it."""
        after = self.known.union(self.registry.state.values())
        return self.known.union(self.old_state.values()) - after

    def old_digest(self, event: Row) -> str | None:
        """What a tag pointed at until an event ended that."""
        for row in self.history:
            is_ended = row["valid_to"] == event["valid_from"] and row["manifest_digest"] is not None
            if event["change"] in ENDS and key_of(row) == key_of(event) and is_ended:
                digest: str = row["manifest_digest"]
                return digest
        return None

    def shares(self) -> dict[str, dict[Key, int]]:
        """Divide every blob the run orphaned among the events whose old manifest reached it."""
        ends = [event for event in self.events if event["change"] in ENDS]
        shares: dict[str, dict[Key, int]] = {}
        for blob in self.orphans:
            users = [key_of(event) for event in ends if blob in self._old_blobs(event)]
            parts: Counter[Key] = Counter()
            whole = self.known.size(blob) or 0
            for namespace, part in divide(whole, (u[0] for u in users)).items():
                here = [user for user in users if user[0] == namespace]
                for name, smaller in divide(part, (user[:2] for user in here)).items():
                    parts.update(divide(smaller, (user for user in here if user[:2] == name)))
            shares[blob] = dict(parts)
        return shares

    def _old_blobs(self, event: Row) -> set[str]:
        digest = self.old_digest(event)
        return set() if digest is None else self.known.blobs(digest)


def key_of(row: Row) -> Key:
    """The tag a row is about."""
    return (row["namespace"], row["repository"], row["tag"])


def moment_of(row: Row) -> tuple[object, ...]:
    """What tells one event from another."""
    return (*key_of(row), row["valid_from"], row["change"])


def order_of(event: Row) -> tuple[object, ...]:
    """By time and name; what ends at a moment comes before what begins."""
    return (event["valid_from"], *key_of(event), event["change"] not in ENDS)


def tag_events(day: Day) -> list[Row]:
    """One row per event of a run."""
    shares = day.shares()
    rows = []
    for event in day.events:
        orphaned, basis = _orphaned(day, event, shares)
        rows.append(
            {
                **named(day.registry, key_of(event)),
                "change": event["change"],
                "previous_digest": day.old_digest(event),
                "manifest_digest": event["manifest_digest"],
                "detected_at": event["valid_from"],
                "earliest_at": event["valid_from_earliest"],
                "run_id": day.registry.run["run_id"],
                "orphaned_bytes": orphaned,
                "orphaned_basis": basis,
            }
        )
    return rows


def _orphaned(day: Day, event: Row, shares: dict[str, dict[Key, int]]) -> tuple[int | None, str]:
    digest, known, registry = day.old_digest(event), day.known, day.registry
    if event["change"] not in ENDS:
        return 0, "exact"
    if digest is None or known.basis(digest) == "unknown":
        return None, "unknown"
    key = key_of(event)
    mine = {blob: parts[key] for blob, parts in shares.items() if key in parts}
    others = [old for other, old in day.old_state.items() if other != key]
    basis = judge(
        is_lower=known.is_open(digest) or any(map(known.is_uncertain, mine)),
        is_upper=bool(day.unread) or any(map(known.is_unread, (*others, *registry.state.values()))),
        in_doubt=bool(day.doubts),
    )
    return sum(mine.values()), basis


def daily_growth(day: Day) -> Row:
    """The row of a run."""
    known, registry = day.known, day.registry
    before = day.before.known.total(_reached(day.before)) if day.before else 0
    revalued, after = known.union(day.old_state.values()), _reached(day)
    is_exact = day.is_exact and (day.before is None or day.before.is_exact)
    return {
        "registry": registry.name,
        "run_id": registry.run["run_id"],
        "as_of": registry.as_of,
        "day": registry.as_of.astimezone(UTC).date(),
        **_counts(day),
        "tag_count": len(registry.state),
        "deduplicated_before_bytes": before,
        "added_bytes": known.total(after - revalued),
        "orphaned_bytes": known.total(revalued - after),
        "learned_bytes": known.total(revalued) - before,
        "deduplicated_after_bytes": known.total(after),
        "is_fully_read": day.is_exact,
        "basis": "exact" if is_exact else "estimate",
        "has_unread": bool(registry.unread),
        "is_in_doubt": bool(registry.doubts),
    }


def _reached(day: Day) -> set[str]:
    return day.known.union(day.registry.state.values())


def _counts(day: Day) -> Row:
    run_id = day.registry.run["run_id"]
    crawls = [row for row in day.registry.rows("crawls") if row["run_id"] == run_id]
    counted = Counter(event["change"] for event in day.events)
    return {
        **{f"{change}_count": counted[change] for change in CHANGES},
        "repository_count": len(crawls),
        "repositories_complete": sum(c["status"] in ("complete", "unchanged") for c in crawls),
    }
