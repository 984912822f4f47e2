"""The brute force's tables about layers and labels: shared_layers, base_images, label_sizes."""

from collections import defaultdict
from collections.abc import Collection

from brute_force_knowledge import Knowledge, Row
from brute_force_registry import Key, Registry, divide, judge


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
            rows.append(_of_layers(registry, images[digests[0]][: len(prefix)], longer, whole))
    rows.sort(key=lambda row: row["prefix_digest"])
    return [*rows, *_named_bases(registry)]


def _of_layers(registry: Registry, layers: list[Row], longer: list[str], whole: list[str]) -> Row:
    known = registry.known
    bases = [k for k in registry.within() if known.reachable(registry.state[k]) & set(whole)]
    stored = {row["blob_digest"] for row in layers} & known.stored
    basis = _blob_basis(known, stored)
    own = {
        "found_by": "layers",
        "prefix_digest": layers[-1]["prefix_digest"],
        "layer_count": len(layers),
        "size_bytes": None if basis == "unknown" else known.total(stored),
        "size_basis": basis,
        "base_name": None,
        "base_digest": None,
    }
    return own | _standing(registry, set(longer), bases)


def _named_bases(registry: Registry) -> list[Row]:
    """One row per base that configurations name."""
    known = registry.known
    live = set().union(*map(known.reachable, registry.state.values()))
    named: dict[tuple[str, str], set[str]] = defaultdict(set)
    for digest in live & known.configs.keys():
        config = known.configs[digest]
        if config["base_digest"] is not None:
            named[config["base_digest"], ""].add(digest)
        elif config["base_name"] is not None:
            named["", config["base_name"]].add(digest)
    rows = [_of_label(registry, *key, images) for key, images in named.items()]
    return sorted(rows, key=lambda row: [row["base_digest"] or "~", row["base_name"] or ""])


def _of_label(registry: Registry, digest: str, name: str, images: set[str]) -> Row:
    known = registry.known
    configs = [c for c in known.configs.values() if c["base_digest"] == digest]
    names = [config["base_name"] for config in configs if config["base_name"]]
    bases = [
        key
        for key in registry.within()
        if (digest in known.reachable(registry.state[key]) if digest else False)
        or (name and name in (registry.tags[key]["path"], registry.tags[key]["internal_path"]))
    ]
    own = {
        "found_by": "label",
        "prefix_digest": None,
        "layer_count": None,
        "size_bytes": None,
        "size_basis": "unknown",
        "base_name": name or min(names, default=None),
        "base_digest": digest or None,
    }
    return own | _standing(registry, images, bases)


def _newer(registry: Registry, bases: list[Key]) -> Key | None:
    """The newest tag of the first base's repository, if it is newer than the bases there."""
    here = [key for key in bases if key[:2] == bases[0][:2]]

    def dated(keys: list[Key]) -> list[Key]:
        return [key for key in keys if registry.is_date(registry.tags[key]["updated_at"])]

    if not dated(here):
        return None
    latest = max(registry.tags[key]["updated_at"] for key in dated(here))
    others = dated(registry.within(*bases[0][:2]))
    newest = max(registry.tags[key]["updated_at"] for key in others)
    first = next(key for key in others if registry.tags[key]["updated_at"] == newest)
    return first if newest > latest else None


def _standing(registry: Registry, images: set[str], bases: list[Key]) -> Row:
    """Who stands on a base, and what is newer than it."""
    known, state = registry.known, registry.state
    users = [k for k in registry.within() if known.reachable(state[k]) & images]
    first = bases[0] if bases else (None, None, None)
    newer = _newer(registry, bases) if bases else None
    blobs = known.union(state[key] for key in users)
    is_sized = newer is not None and any(known.size(blob) is not None for blob in blobs)
    return {
        "registry": registry.name,
        "base_namespace": first[0],
        "base_repository": first[1],
        "base_tag": first[2],
        "base_tag_count": len(bases),
        "newer_tag": newer[2] if newer else None,
        "newer_updated_at": registry.tags[newer]["updated_at"] if newer else None,
        "dependent_bytes": known.total(blobs) if is_sized else None,
        "image_count": len(images),
        "tag_count": len(users),
        "repository_count": len({key[:2] for key in users}),
        "namespace_count": len({key[0] for key in users}),
        "as_of": registry.as_of,
    }


def label_sizes(registry: Registry) -> list[Row]:
    """One row per chosen label and value that live tags have."""
    known, chosen = registry.known, (registry.run["report_labels"] or "").split("\n")
    values: dict[str, dict[Key, set[str | None]]] = defaultdict(lambda: defaultdict(set))
    for row in registry.tables.get("image_labels", []):
        for key in registry.within() if row["label_key"] in chosen else ():
            nodes = known.reachable(registry.state[key]) & known.configs.keys()
            if any(known.configs[n]["config_digest"] == row["config_digest"] for n in nodes):
                values[row["label_key"]][key].add(row["label_value"])
    rows = []
    for label in sorted(values):
        for key in registry.within():
            values[label][key] = values[label][key] or {None}
        found = sorted(set().union(*values[label].values()), key=lambda v: (v is None, v or ""))
        shares = _label_shares(registry, values[label])
        for value in found:
            keys = [key for key in registry.within() if value in values[label][key]]
            rows.append(_label_row(registry, label, value, keys, shares[value]))
    return rows


def _label_row(
    registry: Registry, label: str, value: str | None, keys: list[Key], share: int
) -> Row:
    some = registry.listed(keys)
    basis = registry.basis(some)
    exclusive, exclusive_basis = registry.given_back(some)
    is_known = basis != "unknown"
    is_open = any(registry.tag_basis(key) != "exact" for key in keys)
    others = [d for k, d in registry.state.items() if k not in set(keys)]
    is_upper = bool(registry.unread) or any(map(registry.known.is_unread, others))
    allocated = judge(is_lower=is_open, is_upper=is_upper, in_doubt=bool(registry.doubts))
    return {
        "registry": registry.name,
        "label_key": label,
        "label_value": value,
        "tag_count": len(keys),
        "deduplicated_bytes": registry.deduplicated(keys) if is_known else None,
        "size_basis": basis,
        "exclusive_bytes": exclusive,
        "exclusive_basis": exclusive_basis,
        "allocated_bytes": share if is_known else None,
        "allocated_basis": allocated if is_known else "unknown",
        "as_of": registry.as_of,
    }


def _label_shares(registry: Registry, values: dict[Key, set[str | None]]) -> dict[str | None, int]:
    """Each value's share of all blobs: a repository's share of a blob, divided by tags."""
    known, shares = registry.known, defaultdict[str | None, int](int)
    for blob in known.union(registry.state.values()):
        users = [key for key, digest in registry.state.items() if blob in known.blobs(digest)]
        for namespace, part in divide(known.size(blob) or 0, [key[0] for key in users]).items():
            names = [key[:2] for key in users if key[0] == namespace]
            for name, own in divide(part, names).items():
                _divide_by_tags(own, [values[key] for key in users if key[:2] == name], shares)
    return shares


def _divide_by_tags(total: int, tags: list[set[str | None]], shares: dict[str | None, int]) -> None:
    votes = sorted((value for tag in tags for value in tag), key=lambda v: (v is None, v or ""))
    for value in set(votes):
        before = sum((v is None, v or "") < (value is None, value or "") for v in votes)
        until = before + votes.count(value)
        shares[value] += total * until // len(votes) - total * before // len(votes)
