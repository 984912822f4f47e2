"""The brute force's size and age tables: registry, namespaces, repositories, tags, buckets."""

from collections import Counter
from collections.abc import Collection

from brute_force_registry import BUCKETS, Key, Name, Registry, Row, divide, named


def allocations(registry: Registry) -> Counter[Name]:
    """Each repository's fair share."""
    shares: Counter[Name] = Counter()
    for blob in registry.known.union(registry.state.values()):
        users = {key[:2] for key, d in registry.state.items() if blob in registry.known.blobs(d)}
        size = registry.known.size(blob) or 0
        for namespace, part in divide(size, [user[0] for user in users]).items():
            shares.update(divide(part, [user for user in users if user[0] == namespace]))
    return shares


def extremes(registry: Registry, keys: list[Key]) -> Row:
    """The oldest and newest moments of both clocks."""
    row = {}
    for clock in ("created_at", "updated_at"):
        moments = [registry.tags[key][clock] for key in keys]
        known = sorted(moment for moment in moments if moment is not None)
        row[f"oldest_{clock}"] = known[0] if known else None
        row[f"newest_{clock}"] = known[-1] if known else None
    return row


def scope_columns(registry: Registry, keys: list[Key]) -> Row:
    """The columns all size tables share."""
    known, basis = registry.known, registry.basis(keys)
    is_known = basis != "unknown"
    logical, deduplicated = registry.logical(keys), registry.deduplicated(keys)
    exclusive, exclusive_basis = registry.given_back(keys)
    return {
        **extremes(registry, keys),
        "as_of": registry.run["as_of"],
        "tag_count": len(keys),
        "manifest_count": len({registry.state[key] for key in keys}),
        "blob_count": len(known.union(registry.state[key] for key in keys)),
        "logical_bytes": logical if is_known else None,
        "deduplicated_bytes": deduplicated if is_known else None,
        "saved_bytes": logical - deduplicated if is_known else None,
        "exclusive_bytes": exclusive,
        "shared_bytes": None if exclusive is None else deduplicated - exclusive,
        "dedup_ratio": float(logical) / float(deduplicated) if is_known and deduplicated else None,
        "size_basis": basis,
        "exclusive_basis": exclusive_basis,
    }


def registry_size(registry: Registry) -> list[Row]:
    """The ledger."""
    columns = scope_columns(registry, registry.within())
    for name in ("exclusive_bytes", "shared_bytes", "exclusive_basis"):
        del columns[name]
    classes = dict.fromkeys(("one_tag", "one_repository", "one_namespace", "many_namespaces"), 0)
    for blob in registry.known.union(registry.state.values()):
        users = [key for key, d in registry.state.items() if blob in registry.known.blobs(d)]
        counts = [len(users), len({u[:2] for u in users}), len({u[0] for u in users})]
        name = list(classes)[sum(count > 1 for count in counts)]
        classes[name] += registry.known.size(blob) or 0
    unread = [key for key, d in registry.state.items() if registry.known.is_unread(d)]
    is_known = columns["size_basis"] != "unknown"
    return [
        {
            **columns,
            **{f"{name}_bytes": n if is_known else None for name, n in classes.items()},
            "run_id": registry.run["run_id"],
            "namespace_count": len(registry.namespaces),
            **_crawled(registry, registry.repositories),
            "unread_namespaces": registry.run["unread_namespaces"],
            "unread_repositories": registry.run["unread_repositories"],
            "unread_tag_count": len(unread),
            "is_fully_read": registry.is_crawled and not unread,
        }
    ]


def _crawled(registry: Registry, names: Collection[Name]) -> Row:
    statuses = [registry.crawls[name]["status"] for name in names]
    complete = sum(status in ("complete", "unchanged") for status in statuses)
    return {"repository_count": len(names), "repositories_complete": complete}


def namespace_sizes(registry: Registry) -> list[Row]:
    """One row per namespace."""
    shares = allocations(registry)
    rows = []
    for namespace in registry.namespaces:
        columns = scope_columns(registry, registry.within(namespace))
        del columns["blob_count"]
        mine = [name for name in registry.repositories if name[0] == namespace]
        allocated = sum(shares[name] for name in mine)
        is_known = columns["size_basis"] != "unknown"
        rows.append(
            {
                "namespace": namespace,
                **columns,
                **_crawled(registry, mine),
                "allocated_bytes": allocated if is_known else None,
            }
        )
    return rows


def repository_sizes(registry: Registry) -> list[Row]:
    """One row per repository."""
    shares = allocations(registry)
    rows = []
    for name in sorted(registry.repositories):
        columns = scope_columns(registry, registry.within(*name))
        del columns["blob_count"]
        details = registry.repositories[name]
        copied = ("is_public", "api_size_bytes", "api_tag_count", "download_count")
        is_known = columns["size_basis"] != "unknown"
        rows.append(
            {
                "namespace": name[0],
                "repository": name[1],
                **columns,
                **{column: details.get(column) for column in copied},
                "crawl_status": registry.crawls[name]["status"],
                "allocated_bytes": shares[name] if is_known else None,
            }
        )
    return rows


def tag_sizes(registry: Registry) -> list[Row]:
    """One row per tag."""
    rows = []
    for key in registry.within():
        digest = registry.state[key]
        logical, (back, back_basis) = registry.known.logical(digest), registry.given_back([key])
        kind = registry.known.kind(digest)
        same = [k for k in registry.within(*key[:2]) if registry.state[k] == digest]
        rows.append(
            {
                **named(key),
                "manifest_digest": digest,
                "manifest_kind": "unknown" if kind == "unread" else kind,
                "logical_bytes": logical,
                "exclusive_bytes": back,
                "reclaimable_bytes": back,
                "shared_bytes": None if logical is None or back is None else logical - back,
                "tags_on_same_digest": len(same),
                "size_basis": registry.known.basis(digest),
                "reclaimable_basis": back_basis,
                "updated_at": registry.tags[key]["updated_at"],
                "as_of": registry.run["as_of"],
            }
        )
    return rows


def tag_ages(registry: Registry) -> list[Row]:
    """One row per tag."""
    return [
        {
            **named(key),
            "created_at": registry.tags[key]["created_at"],
            "updated_at": registry.tags[key]["updated_at"],
            "created_age_days": registry.age(key, "created_at"),
            "updated_age_days": registry.age(key, "updated_at"),
            "age_bucket": registry.bucket(key),
            "as_of": registry.run["as_of"],
        }
        for key in registry.within()
    ]


def age_buckets(registry: Registry) -> list[Row]:
    """One row per repository and bucket."""
    rows = []
    names = [*(name for _, name in BUCKETS), ">365d"]
    for namespace, repository in sorted(registry.repositories):
        for number, bucket in enumerate(names, start=1):
            mine = registry.within(namespace, repository)
            keys = [key for key in mine if registry.bucket(key) == bucket]
            back, back_basis = registry.given_back(keys)
            basis = registry.basis(keys)
            rows.append(
                {
                    "namespace": namespace,
                    "repository": repository,
                    "bucket_number": number,
                    "age_bucket": bucket,
                    "tag_count": len(keys),
                    "logical_bytes": None if basis == "unknown" else registry.logical(keys),
                    "reclaimable_bytes": back,
                    "size_basis": basis,
                    "reclaimable_basis": back_basis,
                    "as_of": registry.run["as_of"],
                }
            )
    return rows
