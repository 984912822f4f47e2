"""What the brute force knows of a registry: manifests, sizes, live tags, what sets would give back.

Slow and obvious on purpose, in plain Python over rows of plain dicts; shares no code with the
product. What a set of tags would give back is the difference between two whole sums.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]
Name = tuple[str, str]
Key = tuple[str, str, str]
State = dict[Key, str]

BUCKETS = [(7, "0-7d"), (30, "8-30d"), (90, "31-90d"), (180, "91-180d"), (365, "181-365d")]


class Knowledge:
    """What is known of manifests, of those first seen until a moment, or of all."""

    def __init__(self, tables: Tables, until: Any = None) -> None:
        self.manifests = {
            row["manifest_digest"]: row
            for row in tables["manifests"]
            if until is None or row["first_seen_at"] <= until
        }
        self.layers: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(tables["layers"], key=lambda row: row["position"]):
            if row["manifest_digest"] in self.manifests:
                self.layers[row["manifest_digest"]].append(row)
        self.children: dict[str, list[Row]] = defaultdict(list)
        for row in tables["platforms"]:
            if row["index_digest"] in self.manifests:
                self.children[row["index_digest"]].append(row)
        self.statements: dict[str, list[int]] = defaultdict(list)
        self.stored: set[str] = set()
        for manifest in self.manifests.values():
            if manifest["config_digest"] is not None:
                self._state(manifest["config_digest"], manifest["config_bytes"], stored=True)
        for layers in self.layers.values():
            for row in layers:
                self._state(row["blob_digest"], row["size_bytes"], stored=row["is_stored"])

    def _state(self, blob: str, size: int | None, *, stored: bool) -> None:
        if size is not None:
            self.statements[blob].append(size)
        if stored:
            self.stored.add(blob)

    def size(self, blob: str) -> int | None:
        """The smallest size stated."""
        return min(self.statements[blob], default=None)

    def is_uncertain(self, blob: str) -> bool:
        """Whether no size or several are stated."""
        return len(set(self.statements[blob])) != 1

    def kind(self, digest: str) -> str:
        """The kind, `unread` if never seen."""
        return self.manifests[digest]["manifest_kind"] if digest in self.manifests else "unread"

    def reachable(self, digest: str) -> set[str]:
        """The manifests reachable from one, itself included."""
        found, waiting = set(), [digest]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                if self.kind(node) not in ("unread", "invalid", "unknown"):
                    waiting += [child["manifest_digest"] for child in self.children[node]]
        return found

    def blobs(self, digest: str) -> set[str]:
        """The distinct stored blobs reachable from a manifest."""
        found = set()
        for node in self.reachable(digest):
            if self.kind(node) not in ("unread", "invalid", "unknown"):
                found |= {row["blob_digest"] for row in self.layers[node]}
                if self.manifests[node]["config_digest"] is not None:
                    found.add(self.manifests[node]["config_digest"])
        return found & self.stored

    def is_unread(self, digest: str) -> bool:
        """Whether some part of a manifest could not be read."""
        kinds = {self.kind(node) for node in self.reachable(digest)}
        return bool(kinds & {"unread", "invalid", "unknown"})

    def is_open(self, digest: str) -> bool:
        """Whether a manifest has parts that were not read or never state their sizes."""
        return self.is_unread(digest) or any(
            self.kind(node) == "schema1" for node in self.reachable(digest)
        )

    def union(self, digests: Iterable[str]) -> set[str]:
        """The distinct stored blobs of several manifests."""
        return set().union(*(self.blobs(digest) for digest in set(digests)))

    def total(self, blobs: Iterable[str]) -> int:
        """The sum of the sizes known."""
        return sum(self.size(blob) or 0 for blob in blobs)

    def basis(self, digest: str) -> str:
        """How far the size of a manifest is known."""
        blobs = self.blobs(digest)
        if not self.is_open(digest) and not any(map(self.is_uncertain, blobs)):
            return "exact"
        return "lower_bound" if any(self.size(b) is not None for b in blobs) else "unknown"

    def logical(self, digest: str) -> int | None:
        """The bytes of a manifest, None when nothing is known."""
        return None if self.basis(digest) == "unknown" else self.total(self.blobs(digest))


class Registry:
    """The live registry as of its latest run."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.known = Knowledge(tables)
        self.runs = sorted(tables["runs"], key=lambda run: (run["as_of"], run["run_id"]))
        self.run = self.runs[-1]
        self.tags = {(t["namespace"], t["repository"], t["tag"]): t for t in tables["tags"]}
        self.state: State = {key: tag["manifest_digest"] for key, tag in self.tags.items()}
        self.repositories = {
            (row["namespace"], row["repository"]): row
            for row in tables["repositories"]
            if row["deleted_detected_at"] is None
        }
        self.crawls = {name: self._latest_crawl(name) for name in self.repositories}
        self.namespaces = sorted({namespace for namespace, _ in self.repositories})
        self.is_crawled = (
            not self.run["unread_namespaces"]
            and not self.run["unread_repositories"]
            and all(c["status"] in ("complete", "unchanged") for c in self.crawls.values())
        )

    def _latest_crawl(self, name: tuple[str, str]) -> Row:
        numbers = {run["run_id"]: number for number, run in enumerate(self.runs)}
        mine = [c for c in self.tables["crawls"] if (c["namespace"], c["repository"]) == name]
        return max(mine, key=lambda crawl: numbers[crawl["run_id"]])

    def within(self, *names: str) -> list[Key]:
        """The live tags of a namespace, of a repository, or all."""
        return sorted(key for key in self.state if key[: len(names)] == names)

    def age(self, key: Key, clock: str) -> int | None:
        """Whole days since created_at or updated_at."""
        at = self.tags[key][clock]
        return None if at is None else max(0, (self.run["as_of"] - at) // timedelta(days=1))

    def bucket(self, key: Key) -> str:
        """The age bucket."""
        days = self.age(key, "updated_at")
        assert days is not None
        return next((name for limit, name in BUCKETS if days <= limit), ">365d")

    def deduplicated(self, keys: Iterable[Key]) -> int:
        """Bytes of the union of some tags."""
        return self.known.total(self.known.union(self.state[key] for key in keys))

    def logical(self, keys: Iterable[Key]) -> int:
        """Sum of the bytes of some tags."""
        return sum(self.known.logical(self.state[key]) or 0 for key in keys)

    def basis(self, keys: Collection[Key]) -> str:
        """How far the bytes of some tags are known."""
        bases = {self.known.basis(self.state[key]) for key in keys}
        if bases <= {"exact"}:
            return "exact"
        return "unknown" if bases == {"unknown"} else "lower_bound"

    def given_back(self, keys: Collection[Key]) -> tuple[int | None, str]:
        """What deleting some tags together would give back, and how far that is known."""
        rest = [key for key in self.state if key not in set(keys)]
        if not keys:
            return 0, "exact"
        if self.basis(keys) == "unknown":
            return None, "unknown"
        bytes_back = self.deduplicated(self.state) - self.deduplicated(rest)
        mine = self.known.union(self.state[k] for k in keys)
        lost = mine - self.known.union(self.state[k] for k in rest)
        is_lower = any(map(self.known.is_uncertain, lost)) or any(
            self.known.is_open(self.state[key]) for key in keys
        )
        is_upper = not self.is_crawled or any(self.known.is_unread(self.state[key]) for key in rest)
        return bytes_back, judge(is_lower=is_lower, is_upper=is_upper)


def judge(*, is_lower: bool, is_upper: bool) -> str:
    """Combine what may be missing with what may be too much."""
    if is_lower and is_upper:
        return "unknown"
    return "lower_bound" if is_lower else "upper_bound" if is_upper else "exact"


def divide(total: int, names: Iterable[Any]) -> dict[Any, int]:
    """Divide bytes equally, the remainder one each in name order."""
    ordered = sorted(set(names))
    share, rest = divmod(total, len(ordered))
    return {name: share + (number < rest) for number, name in enumerate(ordered)}


def named(key: Key) -> Row:
    """The columns that name a tag."""
    return dict(zip(("namespace", "repository", "tag"), key, strict=True))
