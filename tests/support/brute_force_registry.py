"""What the brute force knows of one registry: live tags, what is unread or in doubt, and so how far
the bytes of a set of tags are known.

What a set would give back is the difference between two whole sums. Nothing is optimised.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from brute_force_knowledge import Knowledge, Row, Tables

Name = tuple[str, str]
Key = tuple[str, str, str]
State = dict[Key, str]
# Of what something unread is a part: of a repository, or of a namespace.
Place = tuple[str, ...]

BUCKETS = [(7, "0-7d"), (30, "8-30d"), (90, "31-90d"), (180, "91-180d"), (365, "181-365d")]
BUCKET_NAMES = [*(name for _, name in BUCKETS), ">365d", "unknown"]
NO_DATE = datetime(1980, 1, 1, 0, 0, 1, tzinfo=UTC)
FIRST_YEAR = 1971


@dataclass
class TagSet:
    """Some live tags, and what else is unread or in doubt inside and outside."""

    keys: list[Key]
    unread_inside: bool = False
    unread_outside: bool = False
    doubt_inside: bool = False


class Registry:
    """One registry as of its latest run."""

    def __init__(self, tables: Tables, name: str | None = None) -> None:
        self.tables = tables
        self.known = Knowledge(tables)
        self.name = tables["runs"][0]["registry"] if name is None else name
        self.runs = sorted(self.rows("runs"), key=lambda run: (run["as_of"], run["run_id"]))
        self.run = self.runs[-1]
        self.as_of: datetime = self.run["as_of"]
        # A run that forgets lists nothing.
        self.listed_at = max((r["as_of"] for r in self.runs if r["mode"] != "forget"), default=None)
        hours = self.run["exact_hours"]
        self.oldest_exact = self.as_of - timedelta(hours=48 if hours is None else hours)
        self.tags = {(t["namespace"], t["repository"], t["tag"]): t for t in self.rows("tags")}
        self.state: State = {key: tag["manifest_digest"] for key, tag in self.tags.items()}
        self.repositories = {
            name_of(row): row
            for row in self.rows("repositories")
            if row["deleted_detected_at"] is None
        }
        self.namespaces = sorted({namespace for namespace, _ in self.repositories})
        self.readings = {name: self._latest_reading(name) for name in self.repositories}
        self.rejected: dict[Name, list[str]] = {name: [] for name in self.repositories}
        for row in self.rows("counted_records"):
            if row["reason"] == "rejected" and name_of(row) in self.rejected:
                self.rejected[name_of(row)].append(row["record_key"])
        self.unread: set[Place] = set(self._unread())
        self.doubts: set[Name] = set(filter(self._is_in_doubt, self.repositories))

    def rows(self, table: str) -> list[Row]:
        """The rows of a table that belong to this registry."""
        return [row for row in self.tables[table] if row["registry"] == self.name]

    # What was read, and how well.

    def _latest_reading(self, name: Name) -> Row | None:
        """The latest crawl that read anything, with its run's moment."""
        for run in reversed(self.runs):
            for crawl in self.rows("crawls"):
                is_here = name_of(crawl) == name and crawl["run_id"] == run["run_id"]
                if is_here and crawl["status"] != "failed":
                    return {**crawl, "as_of": run["as_of"]}
        return None

    def is_incomplete(self, name: Name) -> bool:
        """Whether the latest reading of a repository could not be proven."""
        reading = self.readings[name]
        return reading is not None and reading["status"] == "incomplete"

    def is_never_read(self, name: Name) -> bool:
        """Whether nobody has read a repository at all."""
        return self.repositories[name]["read_at"] is None and not self.is_incomplete(name)

    def has_unseen(self, name: Name) -> bool:
        """Whether the latest reading left a known tag unseen."""
        reading = self.readings[name]
        return reading is not None and (reading["unseen_tag_count"] or 0) > 0

    def is_too_old(self, name: Name) -> bool:
        """Whether the last proof of a repository, or its only reading, is too old."""
        at = self.repositories[name]["read_at"]
        reading = self.readings[name]
        if at is None and reading is not None and self.is_incomplete(name):
            at = reading["as_of"]
        return at is not None and at < self.oldest_exact

    def _unread(self) -> Iterator[Place]:
        for name in self.repositories:
            if self.rejected[name] or self.is_incomplete(name) or self.is_never_read(name):
                yield name
        for row in self.rows("namespaces"):
            if self.is_unread_list(row):
                yield (row["namespace"],)

    def is_unread_list(self, row: Row) -> bool:
        """Whether a visible namespace may have repositories that no list showed."""
        if row["last_seen_at"] != self.listed_at:
            return False
        is_cut: bool = row["listed_at"] is None or row["list_status"] == "incomplete"
        return is_cut or row["unreadable_repositories"] > 0

    def _is_in_doubt(self, name: Name) -> bool:
        return (
            self.is_too_old(name)
            or self.has_unseen(name)
            or any((*name, key) in self.state for key in self.rejected[name])
            or self.repositories[name]["unlisted_since"] is not None
        )

    # Sets of tags.

    def within(self, *names: str) -> list[Key]:
        """The live tags of a namespace, of a repository, or all."""
        return sorted(key for key in self.state if key[: len(names)] == names)

    def scope(self, *names: str) -> TagSet:
        """A namespace, a repository, or all, with everything unread and in doubt in it."""
        inside = {place for place in self.unread if place[: len(names)] == names}
        doubts = {name for name in self.doubts if name[: len(names)] == names}
        outside = self.unread - inside
        return TagSet(self.within(*names), bool(inside), bool(outside), bool(doubts))

    def listed(self, keys: Iterable[Key]) -> TagSet:
        """Just these tags: whatever else is unread is outside."""
        return TagSet(list(keys), unread_outside=bool(self.unread))

    def bucket_of(self, name: Name, bucket: str) -> TagSet:
        """The tags of an age; an unread tag of the repository may be of this age or of another."""
        keys = [key for key in self.within(*name) if self.bucket(key) == bucket]
        return TagSet(keys, name in self.unread, bool(self.unread), name in self.doubts)

    def deduplicated(self, keys: Iterable[Key]) -> int:
        """Bytes of the union of some tags."""
        return self.known.total(self.known.union(self.state[key] for key in keys))

    def logical(self, keys: Iterable[Key]) -> int:
        """Sum of the bytes of some tags."""
        return sum(self.known.logical(self.state[key]) or 0 for key in keys)

    def tag_basis(self, key: Key) -> str:
        """How far the size of a tag is known."""
        return self.known.basis(self.state[key])

    def is_unknown(self, some: TagSet) -> bool:
        """Whether nothing is known of a set and something in it is unread."""
        bases = [self.tag_basis(key) for key in some.keys]
        nothing_known = all(basis == "unknown" for basis in bases)
        return nothing_known and (bool(bases) or some.unread_inside)

    def basis(self, some: TagSet) -> str:
        """How far the bytes of a set are known."""
        if self.is_unknown(some):
            return "unknown"
        if some.doubt_inside:
            return "estimate"
        is_lower = some.unread_inside or any(self.tag_basis(key) != "exact" for key in some.keys)
        return "lower_bound" if is_lower else "exact"

    def given_back(self, some: TagSet) -> tuple[int | None, str]:
        """What deleting a set would give back, and how far that is known."""
        if self.is_unknown(some):
            return None, "unknown"
        digests = [self.state[key] for key in some.keys]
        rest = [digest for key, digest in self.state.items() if key not in set(some.keys)]
        lost = self.known.union(digests) - self.known.union(rest)
        back = self.deduplicated(self.state) - self.known.total(self.known.union(rest))
        return back, self.basis_beside_others(some, lost)

    def basis_beside_others(self, some: TagSet, blobs: Collection[str]) -> str:
        """How far bytes are known that others, unread, may hold as well."""
        if not some.keys and not some.unread_inside and not some.doubt_inside:
            return "exact"
        known = self.known
        rest = [digest for key, digest in self.state.items() if key not in set(some.keys)]
        is_lower = (
            some.unread_inside
            or any(known.is_open(self.state[key]) for key in some.keys)
            or any(map(known.is_uncertain, blobs))
        )
        is_upper = some.unread_outside or any(map(known.is_unread, rest))
        return judge(is_lower=is_lower, is_upper=is_upper, in_doubt=bool(self.doubts))

    # Dates.

    def is_date(self, at: datetime | None) -> bool:
        """Whether a moment can be the date of something."""
        if at is None or at.astimezone(UTC).year < FIRST_YEAR or at == NO_DATE:
            return False
        return at <= self.as_of + timedelta(days=1)

    def age(self, key: Key, clock: str) -> int | None:
        """Whole days since created_at or updated_at."""
        at = self.tags[key][clock]
        return self.days_since(at) if self.is_date(at) else None

    def days_since(self, at: datetime | None) -> int | None:
        """Whole days since a date."""
        return None if at is None else max(0, (self.as_of - at) // timedelta(days=1))

    def pulled_at(self, key: Key) -> datetime | None:
        """When a tag was pulled, if that is a date."""
        at: datetime | None = self.tags[key]["pulled_at"]
        return at if self.is_date(at) else None

    def built_at(self, key: Key) -> datetime | None:
        """When the newest of a tag's images was built, as far as configurations tell."""
        nodes = self.known.reachable(self.state[key])
        built = [self.known.configs[node]["built_at"] for node in nodes & self.known.configs.keys()]
        return max(filter(self.is_date, built), default=None)

    def bucket(self, key: Key) -> str:
        """The age bucket."""
        days = self.age(key, "updated_at")
        if days is None:
            return "unknown"
        return next((name for limit, name in BUCKETS if days <= limit), ">365d")


def judge(*, is_lower: bool, is_upper: bool, in_doubt: bool) -> str:
    """Combine what may be missing with what may be too much."""
    if in_doubt or (is_lower and is_upper):
        return "estimate"
    return "lower_bound" if is_lower else "upper_bound" if is_upper else "exact"


def divide(total: int, names: Iterable[Any]) -> dict[Any, int]:
    """Divide bytes equally, the remainder one each in name order."""
    ordered = sorted(set(names))
    share, rest = divmod(total, len(ordered))
    return {name: share + (number < rest) for number, name in enumerate(ordered)}


def name_of(row: Row) -> Name:
    """The repository a row is about."""
    return (row["namespace"], row["repository"])


def named(registry: Registry, key: Key) -> Row:
    """The columns that name a tag."""
    names = ("registry", "namespace", "repository", "tag")
    return dict(zip(names, (registry.name, *key), strict=True))
