"""The brute force's table of findings; what is wrong in words is left out."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from brute_force_coverage import taken_within_30_days
from brute_force_knowledge import Knowledge, Row, both_sums
from brute_force_registry import Key, Name, Registry, name_of
from brute_force_sizes import COMPLETE, is_beyond
from brute_force_use import Use

COLUMNS = ("finding", "registry", "namespace", "repository", "tag", "digest", "child_digest")
FINDINGS = {"invalid": "invalid_manifest", "unknown": "unknown_manifest"}
Concern = Callable[[str], bool]


def integrity(registries: list[Registry], sizes: list[Row]) -> list[Row]:
    """One row per finding. `sizes` are all rows of the size tables, as they are without a limit."""
    known = registries[0].known
    rows: list[Row] = []
    for finding, digest, child, concerns in (*_manifests(known), *_children(known), *_blobs(known)):
        rows += _found(registries, finding, digest, child, concerns)
    for registry in registries:
        for found in (*_tags(registry), *_repositories(registry), *_service(registry)):
            rows.append({**found, "registry": registry.name, "as_of": registry.as_of})
    latest = {registry.name: registry.as_of for registry in registries}
    for row in filter(is_beyond, sizes):
        rows.append(_scope_beyond(row, latest))
    return sorted(rows, key=lambda row: [(row[c] is None, row[c] or "") for c in COLUMNS])


def _found(
    registries: list[Registry], finding: str, digest: str, child: str | None, concerns: Concern
) -> Iterator[Row]:
    """A finding in each registry that it concerns; else one that concerns nobody."""
    latest = max(registry.as_of for registry in registries)
    columns = {"finding": finding, "digest": digest, "child_digest": child}
    is_live = False
    for registry in registries:
        users = [key for key in registry.within() if concerns(registry.state[key])]
        if users:
            is_live = True
            where = _place(users[0])
            count = {"live_tag_count": len(users), "as_of": registry.as_of}
            yield {"registry": registry.name, **where, **columns, **count}
    if not is_live:
        where = _place((None, None, None))
        yield {"registry": None, **where, **columns, "live_tag_count": 0, "as_of": latest}


def _place(key: Key | tuple[str | None, str | None, str | None]) -> Row:
    return dict(zip(("namespace", "repository", "tag"), key, strict=True))


Finding = tuple[str, str, str | None, Concern]


def _manifests(known: Knowledge) -> Iterator[Finding]:
    for digest, row in known.manifests.items():
        kind = row["manifest_kind"]
        if row["digest_verified"] is False:
            yield "digest_mismatch", digest, None, _reaching(known, digest)
        if kind in FINDINGS:
            yield FINDINGS[kind], digest, None, _reaching(known, digest)
        elif row["problem"] is not None:
            yield "manifest_problem", digest, None, _reaching(known, digest)


def _reaching(known: Knowledge, digest: str) -> Concern:
    return lambda root: digest in known.reachable(root)


def _children(known: Knowledge) -> Iterator[Finding]:
    found = set()
    for index in known.manifests:
        for row in known.child_manifests(index):
            child, stated = row["manifest_digest"], row["manifest_bytes"]
            if child not in known.manifests:
                found.add(("unresolved_child", index, child, None))
            elif stated is not None and stated != known.manifests[child]["manifest_bytes"]:
                found.add(("child_length_mismatch", index, child, stated))
    for finding, index, child, _ in found:
        yield finding, index, child, _reaching(known, index)


def _blobs(known: Knowledge) -> Iterator[Finding]:
    for blob in known.stored:
        if len(known.statements[blob]) > 1:
            yield (
                "conflicting_blob_size",
                blob,
                None,
                lambda root, blob=blob: blob in known.blobs(root),  # type: ignore[misc]  # bound now
            )


def _tags(registry: Registry) -> Iterator[Row]:
    at_risk = Use(registry).uses().keys() & set(taken_within_30_days(registry))
    for key, tag in registry.tags.items():
        dates = [at for at in (tag["created_at"], tag["updated_at"]) if at is not None]
        findings = {
            "api_size_mismatch": _is_size_wrong(registry, key),
            "unreadable_field": tag["unreadable_fields"] is not None,
            "date_out_of_range": not all(map(registry.is_date, dates)),
            "updated_in_the_future": tag["updated_at"] > registry.as_of + timedelta(minutes=1),
            "rule_takes_what_runs": key in at_risk,
        }
        for finding in (finding for finding, is_so in findings.items() if is_so):
            digest = {"digest": registry.state[key], "child_digest": None, "live_tag_count": 1}
            yield {"finding": finding, **_place(key), **digest}


def _is_size_wrong(registry: Registry, key: Key) -> bool:
    """Whether no way of counting an image gives the registry's own size of it."""
    known, digest = registry.known, registry.state[key]
    said = registry.tags[key]["api_size_bytes"]
    if said is None or known.kind(digest) != "image" or known.basis(digest) != "exact":
        return False
    stated = known.named_blobs(digest)
    named = [(blob, known.size(blob), says) for blob, _, says in stated]
    ways = (
        stated,
        named,
        [blob for blob in stated if blob[2]],
        [blob for blob in named if blob[2]],
        [blob for blob in named if blob[0] in known.stored],
    )
    return all(said not in both_sums(way) for way in ways)


def _repositories(registry: Registry) -> Iterator[Row]:
    for name, row in registry.repositories.items():
        status = row["crawl_status"]
        if status not in COMPLETE:
            never = status is None or status == "missing"
            yield _of_repository("crawl_never" if never else f"crawl_{status}", name)
        if row["read_at"] == registry.as_of and _is_count_wrong(registry, name):
            yield _of_repository("api_tag_count_mismatch", name)
    for record in registry.rows("rejected_records"):
        if record["run_id"] == registry.run["run_id"]:
            yield _of_repository("rejected_record", name_of(record))


def _service(registry: Registry) -> Iterator[Row]:
    """What the service says of the whole account, where a run has read all of it."""
    run = registry.run
    said = [r for r in registry.tables.get("service_figures", []) if r["run_id"] == run["run_id"]]
    if run["status"] != "complete" or run["unread_namespaces"] or not said:
        return
    [row] = said
    if row["repository_count"] not in (None, len(registry.repositories)):
        yield _of_account("service_count_mismatch")
    counted = {(*name_of(r), r["record_key"]) for r in registry.rows("counted_records")}
    names = counted | set(registry.state)
    if not run["unread_repositories"] and row["tag_count"] not in (None, len(names)):
        yield _of_account("service_count_mismatch")
    listed = sum(r["api_size_bytes"] or 0 for r in registry.repositories.values())
    units = [base**power for base in (1000, 1024) for power in range(4)]
    is_explained = any(100 * abs(row["stored"] * unit - listed) <= listed for unit in units)
    if not is_explained:
        yield _of_account("service_storage_mismatch")


def _of_account(finding: str) -> Row:
    where = _place((None, None, None))
    return (
        where
        | {"finding": finding, "digest": None, "child_digest": None}
        | {"live_tag_count": None}
    )


def _is_count_wrong(registry: Registry, name: Name) -> bool:
    counted = registry.rows("counted_records")
    names = {row["record_key"] for row in counted if name_of(row) == name}
    names |= {key[2] for key in registry.within(*name)}
    said = registry.repositories[name]["api_tag_count"]
    return said is not None and said < len(names)


def _of_repository(finding: str, name: Name | tuple[str | None, str | None]) -> Row:
    where = _place((name[0], name[1], None))
    rest = {"digest": None, "child_digest": None, "live_tag_count": None}
    return {"finding": finding, **where, **rest}


def _scope_beyond(row: Row, latest: Row) -> Row:
    found = _of_repository("sum_beyond_bigint", (row.get("namespace"), row.get("repository")))
    return {**found, "registry": row["registry"], "as_of": latest[row["registry"]]}
