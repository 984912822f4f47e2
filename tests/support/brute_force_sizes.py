"""The brute force's size and age tables: registry, namespaces, repositories, tags, buckets."""

from collections import Counter
from collections.abc import Collection

from brute_force_gaps import gaps
from brute_force_knowledge import Row
from brute_force_registry import BUCKET_NAMES, Key, Name, Registry, TagSet, divide, named

LARGEST_SUM = 2**63 - 1
LEDGER = ("one_tag", "one_repository", "one_namespace", "many_namespaces")
COMPLETE = ("complete", "unchanged")
# What a row says that states sizes, and whether those are known.
BYTES = (
    "logical_bytes",
    "deduplicated_bytes",
    "saved_bytes",
    "exclusive_bytes",
    "shared_bytes",
    "allocated_bytes",
    "reclaimable_bytes",
    "dedup_ratio",
    *(f"{name}_bytes" for name in LEDGER),
)


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
    """The oldest and newest dates of both clocks."""
    row = {}
    for clock in ("created_at", "updated_at"):
        moments = [registry.tags[key][clock] for key in keys]
        dates = sorted(moment for moment in moments if registry.is_date(moment))
        row[f"oldest_{clock}"] = dates[0] if dates else None
        row[f"newest_{clock}"] = dates[-1] if dates else None
    return row


def is_beyond(row: Row) -> bool:
    """Whether one of a row's sums does not fit."""
    return any((row.get(name) or 0) > LARGEST_SUM for name in BYTES if name != "dedup_ratio")


def within_bigint(row: Row) -> Row:
    """A row as it is, or without any bytes if one of its sums does not fit."""
    if not is_beyond(row):
        return row
    bases = {name: "unknown" for name in row if name.endswith("_basis")}
    return {**row, **{name: None for name in BYTES if name in row}, **bases}


def scope_columns(registry: Registry, some: TagSet, names: Collection[Name]) -> Row:
    """The columns all size tables share."""
    known, basis, keys = registry.known, registry.basis(some), some.keys
    is_known = basis != "unknown"
    logical, deduplicated = registry.logical(keys), registry.deduplicated(keys)
    exclusive, exclusive_basis = registry.given_back(some)
    read = [registry.repositories[name]["read_at"] for name in names]
    return {
        **extremes(registry, keys),
        "as_of": registry.as_of,
        "oldest_read_at": min((at for at in read if at is not None), default=None),
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


def allocated_columns(registry: Registry, some: TagSet, allocated: int) -> Row:
    """A fair share, and how far it is known."""
    if registry.is_unknown(some):
        return {"allocated_bytes": None, "allocated_basis": "unknown"}
    blobs = registry.known.union(registry.state[key] for key in some.keys)
    basis = registry.basis_beside_others(some, blobs)
    return {"allocated_bytes": allocated, "allocated_basis": basis}


def registry_size(registry: Registry) -> list[Row]:
    """The ledger."""
    columns = scope_columns(registry, registry.scope(), registry.repositories)
    for name in ("exclusive_bytes", "shared_bytes", "exclusive_basis"):
        del columns[name]
    is_fully_read = not gaps(registry)
    is_known = columns["size_basis"] != "unknown"
    sizes = [registry.tag_basis(key) for key in registry.within()]
    back = [registry.given_back(registry.listed([key]))[1] for key in registry.within()]
    row = {
        **columns,
        **{f"{name}_bytes": n if is_known else None for name, n in ledger(registry).items()},
        "ledger_basis": ("exact" if is_fully_read else "estimate") if is_known else "unknown",
        "registry": registry.name,
        "run_id": registry.run["run_id"],
        "namespace_count": len(registry.namespaces),
        **crawled(registry, registry.repositories),
        "unread_namespaces": registry.run["unread_namespaces"],
        "unread_repositories": registry.run["unread_repositories"],
        "unread_tag_count": sum(map(registry.known.is_unread, registry.state.values())),
        "exact_size_tag_count": sizes.count("exact"),
        "exact_reclaimable_tag_count": back.count("exact"),
        "is_fully_read": is_fully_read,
    }
    return [row]


def ledger(registry: Registry) -> dict[str, int]:
    """The bytes by who uses them."""
    classes = dict.fromkeys(LEDGER, 0)
    for blob in registry.known.union(registry.state.values()):
        users = [key for key, d in registry.state.items() if blob in registry.known.blobs(d)]
        counts = [len(users), len({u[:2] for u in users}), len({u[0] for u in users})]
        name = LEDGER[sum(count > 1 for count in counts)]
        classes[name] += registry.known.size(blob) or 0
    return classes


def crawled(registry: Registry, names: Collection[Name]) -> Row:
    """Repositories, and those whose latest crawl proved them."""
    statuses = [registry.repositories[name]["crawl_status"] for name in names]
    complete = sum(status in COMPLETE for status in statuses)
    return {"repository_count": len(names), "repositories_complete": complete}


def namespace_sizes(registry: Registry) -> list[Row]:
    """One row per namespace."""
    shares = allocations(registry)
    rows = []
    for namespace in registry.namespaces:
        mine = [name for name in registry.repositories if name[0] == namespace]
        some = registry.scope(namespace)
        columns = scope_columns(registry, some, mine)
        del columns["blob_count"]
        row = {
            "registry": registry.name,
            "namespace": namespace,
            **columns,
            **crawled(registry, mine),
            **allocated_columns(registry, some, sum(shares[name] for name in mine)),
        }
        rows.append(row)
    return rows


def repository_sizes(registry: Registry) -> list[Row]:
    """One row per repository."""
    shares = allocations(registry)
    rows = []
    for name in sorted(registry.repositories):
        some, details = registry.scope(*name), registry.repositories[name]
        columns = scope_columns(registry, some, [name])
        del columns["blob_count"]
        copied = ("is_public", "api_size_bytes", "api_tag_count", "download_count", "crawl_status")
        row = {
            "registry": registry.name,
            "namespace": name[0],
            "repository": name[1],
            **columns,
            **{column: details[column] for column in copied},
            **allocated_columns(registry, some, shares[name]),
        }
        rows.append(row)
    return rows


def tag_sizes(registry: Registry) -> list[Row]:
    """One row per tag."""
    return [tag_size(registry, key) for key in registry.within()]


def tag_size(registry: Registry, key: Key) -> Row:
    """What a tag holds, alone and beside others."""
    digest, kind = registry.state[key], registry.known.kind(registry.state[key])
    logical = registry.known.logical(digest)
    back, basis = registry.given_back(registry.listed([key]))
    return {
        **named(registry, key),
        "manifest_digest": digest,
        "manifest_kind": "unknown" if kind == "unread" else kind,
        "logical_bytes": logical,
        "exclusive_bytes": back,
        "reclaimable_bytes": back,
        "shared_bytes": None if logical is None or back is None else logical - back,
        "tags_on_same_digest": sum(registry.state[k] == digest for k in registry.within(*key[:2])),
        "size_basis": registry.tag_basis(key),
        "exclusive_basis": basis,
        "reclaimable_basis": basis,
        "updated_at": registry.tags[key]["updated_at"],
        "as_of": registry.as_of,
    }


def tag_ages(registry: Registry) -> list[Row]:
    """One row per tag."""
    return [
        {
            **named(registry, key),
            "created_at": registry.tags[key]["created_at"],
            "updated_at": registry.tags[key]["updated_at"],
            "pulled_at": registry.pulled_at(key),
            "built_at": registry.built_at(key),
            "created_age_days": registry.age(key, "created_at"),
            "updated_age_days": registry.age(key, "updated_at"),
            "pulled_age_days": registry.days_since(registry.pulled_at(key)),
            "built_age_days": registry.days_since(registry.built_at(key)),
            "age_bucket": registry.bucket(key),
            "as_of": registry.as_of,
        }
        for key in registry.within()
    ]


def age_buckets(registry: Registry) -> list[Row]:
    """One row per repository and bucket."""
    rows = []
    for name in sorted(registry.repositories):
        for number, bucket in enumerate(BUCKET_NAMES, start=1):
            some = registry.bucket_of(name, bucket)
            back, back_basis = registry.given_back(some)
            basis = registry.basis(some)
            row = {
                "registry": registry.name,
                "namespace": name[0],
                "repository": name[1],
                "bucket_number": number,
                "age_bucket": bucket,
                "tag_count": len(some.keys),
                "logical_bytes": None if basis == "unknown" else registry.logical(some.keys),
                "reclaimable_bytes": back,
                "size_basis": basis,
                "reclaimable_basis": back_basis,
                "as_of": registry.as_of,
            }
            rows.append(row)
    return rows
