"""The brute force's tables about layers and stale tags: shared_layers, base_images, stale_tags."""

from collections import defaultdict
from collections.abc import Collection

from brute_force_registry import Key, Knowledge, Registry, Row, named

HEX = set("0123456789abcdef")


def shared_layers(registry: Registry) -> list[Row]:
    """One row per layer of several tags."""
    known, rows = registry.known, []
    layers = {row["blob_digest"] for row in registry.tables["layers"]}
    for blob in sorted(layers & known.union(registry.state.values())):
        users = [key for key, digest in registry.state.items() if blob in known.blobs(digest)]
        size = known.size(blob)
        if len(users) > 1:
            rows.append(
                {
                    "blob_digest": blob,
                    "size_bytes": size,
                    "size_basis": _blob_basis(known, [blob]),
                    "tag_count": len(users),
                    "manifest_count": len({registry.state[key] for key in users}),
                    "repository_count": len({key[:2] for key in users}),
                    "namespace_count": len({key[0] for key in users}),
                    "saved_bytes": None if size is None else size * (len(users) - 1),
                    "as_of": registry.run["as_of"],
                }
            )
    return rows


def _blob_basis(known: Knowledge, blobs: Collection[str]) -> str:
    if not any(map(known.is_uncertain, blobs)):
        return "exact"
    return "unknown" if all(known.size(blob) is None for blob in blobs) else "lower_bound"


def base_images(registry: Registry) -> list[Row]:
    """One row per common beginning of images."""
    known = registry.known
    images: dict[str, list[Row]] = {}
    for digest in set().union(*map(known.reachable, registry.state.values())):
        if known.kind(digest) in ("image", "schema1") and known.layers[digest]:
            images[digest] = known.layers[digest]
    prefixes: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for digest, layers in images.items():
        blobs = tuple(row["blob_digest"] for row in layers)
        for length in range(1, len(blobs) + 1):
            prefixes[blobs[:length]].append(digest)
    rows = []
    for prefix, digests in prefixes.items():
        longer = [d for d in digests if len(images[d]) > len(prefix)]
        nexts = {images[d][len(prefix)]["blob_digest"] for d in longer}
        parts_here = len(nexts) > 1 or len(longer) < len(digests)
        if len(digests) > 1 and longer and parts_here:
            whole = [d for d in digests if d not in longer]
            rows.append(_base_image(registry, images[digests[0]][: len(prefix)], longer, whole))
    return sorted(rows, key=lambda row: row["prefix_digest"])


def _base_image(registry: Registry, layers: list[Row], longer: list[str], whole: list[str]) -> Row:
    known, state = registry.known, registry.state
    users = [k for k in registry.within() if known.reachable(state[k]) & set(longer)]
    bases = [k for k in registry.within() if known.reachable(state[k]) & set(whole)]
    stored = {row["blob_digest"] for row in layers} & known.stored
    basis = _blob_basis(known, stored)
    first = bases[0] if bases else (None, None, None)
    return {
        "prefix_digest": layers[-1]["prefix_digest"],
        "layer_count": len(layers),
        "size_bytes": None if basis == "unknown" else known.total(stored),
        "size_basis": basis,
        "base_namespace": first[0],
        "base_repository": first[1],
        "base_tag": first[2],
        "base_tag_count": len(bases),
        "image_count": len(longer),
        "tag_count": len(users),
        "repository_count": len({key[:2] for key in users}),
        "namespace_count": len({key[0] for key in users}),
        "as_of": registry.run["as_of"],
    }


def subject_of(registry: Registry, key: Key) -> str | None:
    """The digest a tag follows, if it is a signature or the like."""
    manifest: Row = registry.known.manifests.get(registry.state[key], {})
    if manifest.get("subject_digest") is not None:
        subject: str = manifest["subject_digest"]
        return subject
    stem, _, ending = key[2].partition(".")
    hexadecimal = stem.removeprefix("sha256-")
    is_follower = stem != hexadecimal and len(hexadecimal) == 64 and set(hexadecimal) <= HEX
    return f"sha256:{hexadecimal}" if is_follower and ending in ("sig", "att", "sbom") else None


def is_stale(registry: Registry, key: Key) -> bool:
    """Whether a tag, or all a signature belongs to in the end, went without an update."""
    seen, waiting, deciding = set(), [key], []
    while waiting:
        tag = waiting.pop()
        subject = subject_of(registry, tag)
        if subject is None:
            deciding.append(tag)
        elif tag not in seen:
            seen.add(tag)
            waiting += [
                other
                for other in registry.within(*key[:2])
                if subject in registry.known.reachable(registry.state[other])
            ]
    limit = registry.run["stale_days"]
    return all((registry.age(tag, "updated_at") or 0) >= limit for tag in deciding)


def stale_tags(registry: Registry) -> list[Row]:
    """One row per stale tag."""
    stale = [key for key in registry.within() if is_stale(registry, key)]
    rows = []
    everywhere = registry.given_back(stale)
    for key in stale:
        here = registry.given_back([other for other in stale if other[:2] == key[:2]])
        alone = registry.given_back([key])
        digest, tag = registry.state[key], registry.tags[key]
        rows.append(
            {
                **named(key),
                "manifest_digest": digest,
                "subject_digest": subject_of(registry, key),
                "created_at": tag["created_at"],
                "updated_at": tag["updated_at"],
                "updated_age_days": registry.age(key, "updated_at"),
                "stale_days": registry.run["stale_days"],
                "logical_bytes": registry.known.logical(digest),
                "size_basis": registry.known.basis(digest),
                "reclaimable_bytes": alone[0],
                "reclaimable_basis": alone[1],
                "repository_reclaimable_bytes": here[0],
                "repository_reclaimable_basis": here[1],
                "registry_reclaimable_bytes": everywhere[0],
                "registry_reclaimable_basis": everywhere[1],
                "as_of": registry.run["as_of"],
            }
        )
    return rows
