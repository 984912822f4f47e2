"""The brute force's tables about layers: shared_layers, base_images."""

from collections import defaultdict
from collections.abc import Collection

from brute_force_knowledge import Knowledge, Row
from brute_force_registry import Registry


def shared_layers(registry: Registry) -> list[Row]:
    """One row per layer of several tags."""
    known, rows = registry.known, []
    layers = {row["blob_digest"] for row in registry.tables["layers"]}
    layers |= {r["manifest_digest"] for r in registry.tables["platforms"] if r["is_blob"]}
    for blob in sorted(layers & known.union(registry.state.values())):
        users = [key for key, digest in registry.state.items() if blob in known.blobs(digest)]
        size = known.size(blob)
        if len(users) > 1:
            rows.append(
                {
                    "registry": registry.name,
                    "blob_digest": blob,
                    "size_bytes": size,
                    "size_basis": _blob_basis(known, [blob]),
                    "tag_count": len(users),
                    "manifest_count": len({registry.state[key] for key in users}),
                    "repository_count": len({key[:2] for key in users}),
                    "namespace_count": len({key[0] for key in users}),
                    "saved_bytes": None if size is None else size * (len(users) - 1),
                    "as_of": registry.as_of,
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
        "registry": registry.name,
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
        "as_of": registry.as_of,
    }
