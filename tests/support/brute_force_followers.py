"""The brute force's tables about followers and stale tags: stale_tags, orphaned_followers.

Followers are signatures, attestations and the like: they go with the manifest they are about.
"""

import re

from brute_force_knowledge import Row
from brute_force_registry import Key, Registry, named

NAME = re.compile(r"sha(256|512)-([0-9a-f]{64})")


def subject_of(registry: Registry, key: Key) -> str | None:
    """The digest a tag follows: of its manifest's subject, else of its name.

    A tag that reaches that digest itself keeps it, and follows nothing.
    """
    manifest: Row = registry.known.manifests.get(registry.state[key], {})
    subject: str | None = manifest.get("subject_digest") or _named_subject(registry, key)
    return None if subject in registry.known.reachable(registry.state[key]) else subject


def _named_subject(registry: Registry, key: Key) -> str | None:
    """The digest that a tag's name holds."""
    name = NAME.match(key[2])
    if name is None:
        return None
    digest = f"sha{name[1]}:{name[2]}"
    return digest if name[1] == "256" else _uncut(registry, digest)


def _uncut(registry: Registry, digest: str) -> str:
    """The whole of a SHA-512 of which a name holds half; the half if none is known."""
    children = {r["manifest_digest"] for r in registry.tables["platforms"] if not r["is_blob"]}
    known = sorted({*registry.known.manifests, *children})
    return next((other for other in known if other.startswith(digest)), digest)


def reaching(registry: Registry, subject: str) -> list[Key]:
    """The live tags, in whatever repository, that reach a manifest."""
    reachable = registry.known.reachable
    return [key for key in registry.within() if subject in reachable(registry.state[key])]


def deciding(registry: Registry, key: Key) -> list[Key]:
    """Whose age counts for a tag: its own, or that of all it follows in the end."""
    seen, waiting, found = set(), [key], []
    while waiting:
        tag = waiting.pop()
        if tag in seen:
            continue
        seen.add(tag)
        subject = subject_of(registry, tag)
        followed = [] if subject is None else reaching(registry, subject)
        if subject is None or not (followed or subject in registry.known.manifests):
            found.append(tag)
        waiting += followed
    return found


def is_stale(registry: Registry, key: Key) -> bool:
    """Whether a tag, or all that it follows, went without an update."""
    ages = [registry.age(tag, "updated_at") for tag in deciding(registry, key)]
    return all(age is not None and age >= registry.run["stale_days"] for age in ages)


def is_orphaned(registry: Registry, key: Key) -> bool:
    """Whether no live tag reaches the subject of a follower."""
    subject = subject_of(registry, key)
    return subject is not None and not reaching(registry, subject)


def stale_tags(registry: Registry) -> list[Row]:
    """One row per stale tag."""
    stale = [key for key in registry.within() if is_stale(registry, key)]
    rows = []
    everywhere = registry.given_back(registry.listed(stale))
    for key in stale:
        here = registry.given_back(registry.listed(k for k in stale if k[:2] == key[:2]))
        tag = registry.tags[key]
        rows.append(
            {
                **_alone(registry, key),
                "created_at": tag["created_at"],
                "pulled_at": registry.pulled_at(key),
                "updated_age_days": registry.age(key, "updated_at"),
                "stale_days": registry.run["stale_days"],
                "repository_reclaimable_bytes": here[0],
                "repository_reclaimable_basis": here[1],
                "registry_reclaimable_bytes": everywhere[0],
                "registry_reclaimable_basis": everywhere[1],
            }
        )
    return rows


def orphaned_followers(registry: Registry) -> list[Row]:
    """One row per follower of nothing that is left."""
    orphaned = [key for key in registry.within() if is_orphaned(registry, key)]
    together = registry.given_back(registry.listed(orphaned))
    return [
        {
            **_alone(registry, key),
            "together_reclaimable_bytes": together[0],
            "together_reclaimable_basis": together[1],
        }
        for key in orphaned
    ]


def _alone(registry: Registry, key: Key) -> Row:
    """What both tables say of a tag by itself."""
    digest = registry.state[key]
    back, basis = registry.given_back(registry.listed([key]))
    return {
        **named(registry, key),
        "manifest_digest": digest,
        "subject_digest": subject_of(registry, key),
        "logical_bytes": registry.known.logical(digest),
        "size_basis": registry.known.basis(digest),
        "reclaimable_bytes": back,
        "reclaimable_basis": basis,
        "updated_at": registry.tags[key]["updated_at"],
        "as_of": registry.as_of,
    }
