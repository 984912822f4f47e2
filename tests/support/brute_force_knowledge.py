"""What the brute force knows of manifests and blobs, in whatever registry they are.

Slow and obvious on purpose, in plain Python over rows of plain dicts; shares no code with the
product. Which tags are live, and what is unread or in doubt, is `brute_force_registry`'s.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]
# A blob that a manifest names, the size it states, and whether it says the registry holds it.
Stated = tuple[str, int | None, bool]

LARGEST_BLOB = 2**46
NOTHING = {f"{name}:{hashlib.new(name).hexdigest()}" for name in ("sha256", "sha384", "sha512")}
UNREADABLE = {"unread", "invalid", "unknown"}


class Knowledge:
    """Every manifest ever seen, and what follows from all of them together."""

    def __init__(self, tables: Tables) -> None:
        self.manifests = {row["manifest_digest"]: row for row in tables["manifests"]}
        self.layers = _grouped(tables["layers"], "manifest_digest")
        self.children = _grouped(tables["platforms"], "index_digest")
        self.configs = {row["manifest_digest"]: row for row in tables.get("image_configs", [])}
        self.measured = {
            row["digest"]: row["size_bytes"]
            for row in tables.get("pulls", [])
            if (row["kind"], row["outcome"]) == ("blob", "read")
        }
        self.statements: dict[str, set[int]] = defaultdict(set)
        self.stored: set[str] = set()
        for digest in self.manifests:
            for blob, size, is_stored in self.named_blobs(digest):
                if states_size(blob, size):
                    self.statements[blob].add(size or 0)
                elif states_size(blob, self.measured.get(blob)):
                    self.statements[blob].add(self.measured[blob])
                if is_stored:
                    self.stored.add(blob)
        self.stored |= {blob for tag in tables["tags"] for blob in self._proven_stored(tag)}
        self._reachable: dict[str, set[str]] = {}
        self._blobs: dict[str, set[str]] = {}

    def named_blobs(self, digest: str) -> list[Stated]:
        """The blobs a manifest itself names, repeated ones as often as it lists them."""
        manifest = self.manifests[digest]
        named: list[Stated] = []
        if manifest["config_digest"] is not None:
            named.append((manifest["config_digest"], manifest["config_bytes"], True))
        named += [(r["blob_digest"], r["size_bytes"], r["is_stored"]) for r in self.layers[digest]]
        # A cache repeats its children as layers.
        if manifest["manifest_kind"] == "index":
            blobs = [row for row in self.children[digest] if row["is_blob"]]
            named += [(row["manifest_digest"], row["manifest_bytes"], True) for row in blobs]
        return named

    def _proven_stored(self, tag: Row) -> Iterator[str]:
        """Foreign layers that the registry's own size of a tag counts."""
        digest = tag["manifest_digest"]
        if self.kind(digest) not in ("image", "artifact"):
            return
        named = self.named_blobs(digest)
        foreign = {blob: size or 0 for blob, size, is_stored in named if not is_stored}
        is_stated = all(states_size(blob, size) for blob, size, _ in named)
        foreign_bytes: int = sum(foreign.values())
        if is_stated and foreign_bytes and tag["api_size_bytes"] in both_sums(named):
            yield from foreign

    def kind(self, digest: str) -> str:
        """The kind, `unread` if never seen."""
        return self.manifests[digest]["manifest_kind"] if digest in self.manifests else "unread"

    def child_manifests(self, digest: str) -> list[Row]:
        """The children of an index that are manifests."""
        return [row for row in self.children[digest] if not row["is_blob"]]

    def reachable(self, digest: str) -> set[str]:
        """The manifests reachable from one, itself included, read or not."""
        if digest not in self._reachable:
            found, waiting = set(), [digest]
            while waiting:
                node = waiting.pop()
                if node not in found:
                    found.add(node)
                    if self.kind(node) not in UNREADABLE:
                        waiting += [row["manifest_digest"] for row in self.child_manifests(node)]
            self._reachable[digest] = found
        return self._reachable[digest]

    def blobs(self, digest: str) -> set[str]:
        """The distinct stored blobs reachable from a manifest."""
        if digest not in self._blobs:
            readable = (d for d in self.reachable(digest) if self.kind(d) not in UNREADABLE)
            named = {blob for node in readable for blob, _, _ in self.named_blobs(node)}
            self._blobs[digest] = named & self.stored
        return self._blobs[digest]

    def size(self, blob: str) -> int | None:
        """The smallest size stated."""
        return min(self.statements[blob], default=None)

    def is_uncertain(self, blob: str) -> bool:
        """Whether no size or several are stated."""
        return len(self.statements[blob]) != 1

    def kinds(self, digest: str) -> set[str]:
        """The kinds of the manifests reachable from one."""
        return {self.kind(node) for node in self.reachable(digest)}

    def is_unread(self, digest: str) -> bool:
        """Whether some part of a manifest could not be read."""
        return bool(self.kinds(digest) & UNREADABLE)

    def is_open(self, digest: str) -> bool:
        """Whether a manifest has parts that were not read, or that state no sizes."""
        return self.is_unread(digest) or any(map(self.is_unsized, self.reachable(digest)))

    def is_unsized(self, digest: str) -> bool:
        """Whether it is a schema 1 manifest with a layer whose size the registry has not told."""
        blobs = {row["blob_digest"] for row in self.layers[digest] if row["size_bytes"] is None}
        return self.kind(digest) == "schema1" and not blobs <= self.measured.keys()

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


def _grouped(rows: Iterable[Row], owner: str) -> dict[str, list[Row]]:
    """Rows by what they belong to, in the order of their positions."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["position"]):
        groups[row[owner]].append(row)
    return groups


def states_size(blob: str, size: int | None) -> bool:
    """Whether a number says how large a blob is: only nothing has no bytes, and none has 2^46."""
    if size is None or size > LARGEST_BLOB:
        return False
    return size > 0 or blob in NOTHING


def both_sums(named: Collection[Stated]) -> set[int]:
    """What the blobs add up to, each counted once, and as often as it is listed."""
    once: dict[str, int] = {}
    for blob, size, _ in named:
        once[blob] = min(size or 0, once.get(blob, size or 0))
    return {sum(once.values()), sum(size or 0 for _, size, _ in named)}
