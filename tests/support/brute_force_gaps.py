"""The brute force's list of everything that keeps a figure from being exact."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from brute_force_knowledge import Row
from brute_force_registry import Key, Name, Registry

COLUMNS = ("kind", "namespace", "repository", "tag", "manifest_digest")


def gaps(registry: Registry) -> list[Row]:
    """One row per manifest, blob, record, repository and namespace; words are left out."""
    parts = (_manifests, _blobs, _rejected, _repositories, _namespaces)
    rows = [{"registry": registry.name, **row} for part in parts for row in part(registry)]
    return sorted(rows, key=lambda row: [(row[name] is None, row[name] or "") for name in COLUMNS])


def _gap(kind: str, since: Any, place: Collection[str | None] = (), **columns: Any) -> Row:
    names = ("namespace", "repository", "tag")
    named = dict(zip(names, (*place, None, None, None), strict=False))
    rest = {"manifest_digest": None, "affected_tag_count": 0, "since": since}
    return {"kind": kind, **named, **rest, **columns}


def _concerned(
    registry: Registry, kind: str, digest: str, since: Any, concerns: Callable[[str], bool]
) -> Row:
    users: list[Key] = [key for key in registry.within() if concerns(registry.state[key])]
    columns = {"manifest_digest": digest, "affected_tag_count": len(users)}
    return _gap(kind, since, users[0], **columns)


def _live(registry: Registry) -> set[str]:
    """Every manifest that a live tag reaches."""
    return set().union(*map(registry.known.reachable, registry.state.values()))


def _manifests(registry: Registry) -> Iterator[Row]:
    known, live = registry.known, _live(registry)
    kinds = {
        "unread": "unread_child",
        "invalid": "invalid_manifest",
        "unknown": "unknown_manifest",
        "schema1": "size_unknown",
    }
    for digest in live:
        is_sized = known.kind(digest) == "schema1" and not known.is_unsized(digest)
        if known.kind(digest) in kinds and not is_sized:
            seen = known.manifests.get(digest, {}).get("first_seen_at")
            if known.kind(digest) == "unread":
                parents = [d for d in live if digest in _children(registry, d)]
                seen = _first_seen(registry, parents)
            yield _concerned(
                registry,
                kinds[known.kind(digest)],
                digest,
                seen,
                lambda root, digest=digest: digest in known.reachable(root),  # type: ignore[misc]  # bound now
            )


def _children(registry: Registry, digest: str) -> set[str]:
    if registry.known.kind(digest) in ("unread", "invalid", "unknown"):
        return set()
    return {row["manifest_digest"] for row in registry.known.child_manifests(digest)}


def _first_seen(registry: Registry, digests: Collection[str]) -> Any:
    moments = [registry.known.manifests[digest]["first_seen_at"] for digest in digests]
    return min(moments, default=None)


def _blobs(registry: Registry) -> Iterator[Row]:
    known = registry.known
    readable = [d for d in _live(registry) if known.kind(d) not in ("unread", "invalid", "unknown")]
    for blob in filter(known.is_uncertain, known.union(registry.state.values())):
        naming = [d for d in readable if blob in {named for named, _, _ in known.named_blobs(d)}]
        kind = "size_unknown" if known.size(blob) is None else "size_conflict"
        yield _concerned(
            registry,
            kind,
            min(naming),
            _first_seen(registry, naming),
            lambda root, blob=blob: blob in known.blobs(root),  # type: ignore[misc]  # bound now
        )


def _rejected(registry: Registry) -> Iterator[Row]:
    for name, keys in registry.rejected.items():
        for key in keys:
            yield _gap("rejected_record", None, (*name, None if key.startswith("#") else key))


def _repositories(registry: Registry) -> Iterator[Row]:
    for name in registry.repositories:
        gap = _repository_gap(registry, name)
        if gap:
            yield _gap(*gap, name)


def _repository_gap(registry: Registry, name: Name) -> tuple[str, Any] | None:
    row, reading = registry.repositories[name], registry.readings[name]
    if row["unlisted_since"] is not None:
        return "repository_not_confirmed", row["unlisted_since"]
    if registry.is_incomplete(name) and reading and reading["cause"] == "list_contradicted":
        return "list_contradicted", row["read_at"]
    if registry.is_incomplete(name) or registry.has_unseen(name):
        return "repository_incomplete", row["read_at"]
    if registry.is_never_read(name):
        return "repository_never_read", row["first_seen_at"]
    if registry.is_too_old(name):
        return "repository_too_old", row["read_at"]
    return None


def _namespaces(registry: Registry) -> Iterator[Row]:
    for row in registry.rows("namespaces"):
        if registry.is_unread_list(row):
            since = row["listed_at"] or row["first_seen_at"]
            yield _gap("namespace_not_read", since, (row["namespace"],))
