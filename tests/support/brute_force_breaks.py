"""The slow and obvious reference for what a deletion gives back to each tag, and what it breaks."""

from collections import Counter
from collections.abc import Collection, Iterator

from brute_force_followers import reaching, subject_of
from brute_force_knowledge import Row
from brute_force_registry import Key, Registry, divide
from brute_force_use import Use


def breaks(registry: Registry, deleted: Collection[Key]) -> list[Row]:
    """One row per tag that stays and thing that it would lose, and per deleted one seen."""
    found = [*_seen(registry, deleted)]
    found += [
        {
            "kind": kind,
            **dict(zip(("namespace", "repository", "tag"), key, strict=True)),
            "lost_digest": digest,
            **dict(
                zip(
                    ("deleted_namespace", "deleted_repository", "deleted_tag"),
                    min(gone),
                    strict=True,
                )
            ),
            "deleted_count": len(gone),
            "cluster": None,
            "last_seen_at": None,
        }
        for key in registry.within()
        if key not in deleted
        for kind, digest, gone in _losses(registry, key, set(deleted))
    ]
    return sorted(
        found,
        key=lambda row: (
            [row[name] for name in list(row)[1:4]]
            + [row["kind"], row["lost_digest"], row["cluster"] or ""]
        ),
    )


def _seen(registry: Registry, deleted: Collection[Key]) -> Iterator[Row]:
    """A row for each cluster that a deleted tag was seen in."""
    for key, found in Use(registry).uses().items():
        clusters = {snapshot["cluster"] for snapshot, _, _ in found if key in deleted}
        for cluster in clusters:
            names = ("namespace", "repository", "tag")
            at = [s["taken_at"] for s, _, _ in found if s["cluster"] == cluster]
            yield {
                "kind": "in_use",
                **dict(zip(names, key, strict=True)),
                "lost_digest": registry.state[key],
                **dict(zip((f"deleted_{name}" for name in names), key, strict=True)),
                "deleted_count": 1,
                "cluster": cluster,
                "last_seen_at": max(at),
            }


def _losses(
    registry: Registry, key: Key, deleted: set[Key]
) -> Iterator[tuple[str, str, list[Key]]]:
    digest = registry.state[key]
    here = registry.within(*key[:2])
    for child in registry.known.reachable(digest) - {digest}:
        tagged = [other for other in here if registry.state[other] == child]
        if tagged and deleted.issuperset(tagged):
            yield "lost_child", child, tagged
    same = [other for other in here if registry.state[other] == digest and other in deleted]
    if same:
        yield "shared_digest", digest, same
    subject = subject_of(registry, key)
    followed = [] if subject is None else reaching(registry, subject)
    if subject is not None and followed and deleted.issuperset(followed):
        yield "left_behind", subject, followed


def shares(registry: Registry, deleted: Collection[Key]) -> dict[Key, int | None]:
    """What each tag of a set gives back of all that the set does."""
    known, state = registry.known, registry.state
    rest = known.union(digest for key, digest in state.items() if key not in deleted)
    given: Counter[Key] = Counter()
    for blob in known.union(state[key] for key in deleted) - rest:
        users = [key for key in deleted if blob in known.blobs(state[key])]
        for namespace, part in divide(known.size(blob) or 0, [key[0] for key in users]).items():
            mine = [key for key in users if key[0] == namespace]
            for name, piece in divide(part, [key[:2] for key in mine]).items():
                given.update(divide(piece, [key for key in mine if key[:2] == name]))
    return {key: None if known.logical(state[key]) is None else given[key] for key in deleted}
