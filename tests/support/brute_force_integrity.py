"""The brute force's table of findings."""

from collections.abc import Callable, Iterator

from brute_force_registry import Registry, Row


def integrity(registry: Registry) -> list[Row]:
    """One row per finding."""
    rows = [
        {"as_of": registry.run["as_of"], **found}
        for findings in (_of_manifests, _of_children, _of_blobs, _of_tags, _of_crawls)
        for found in findings(registry)
    ]
    columns = ("finding", "namespace", "repository", "tag", "digest", "child_digest", "detail")
    return sorted(rows, key=lambda row: [(row[c] is None, row[c] or "") for c in columns])


def _found(
    registry: Registry,
    finding: str,
    digest: str,
    detail: str,
    *,
    child: str | None = None,
    concerns: Callable[[str], bool],
) -> Row:
    users = [key for key in registry.within() if concerns(registry.state[key])]
    first = users[0] if users else (None, None, None)
    return {
        "finding": finding,
        "namespace": first[0],
        "repository": first[1],
        "tag": first[2],
        "digest": digest,
        "child_digest": child,
        "detail": detail,
        "live_tag_count": len(users),
    }


def _of_manifests(registry: Registry) -> Iterator[Row]:
    for digest, row in registry.known.manifests.items():
        found = []
        if row["digest_verified"] is False:
            found.append(("digest_mismatch", "the text's digest is not the one the registry says"))
        if row["manifest_kind"] in ("invalid", "unknown"):
            problem = row["problem"] or "not understood"
            found.append((f"{row['manifest_kind']}_manifest", problem))
        for finding, detail in found:
            reaching = _reaching(registry, digest)
            yield _found(registry, finding, digest, detail, concerns=reaching)


def _reaching(registry: Registry, digest: str) -> Callable[[str], bool]:
    return lambda root: digest in registry.known.reachable(root)


def _of_children(registry: Registry) -> Iterator[Row]:
    known = registry.known
    for index, child, stated in sorted(
        {
            (row["index_digest"], row["manifest_digest"], row["manifest_bytes"])
            for row in registry.tables["platforms"]
        },
        key=str,
    ):
        reaching = _reaching(registry, index)
        if child in known.manifests:
            length = known.manifests[child]["manifest_bytes"]
            if stated is not None and stated != length:
                detail = f"the index states {stated} bytes, the child has {length}"
                yield _found(
                    registry,
                    "child_length_mismatch",
                    index,
                    detail,
                    child=child,
                    concerns=reaching,
                )
    for index, child in sorted(
        {(row["index_digest"], row["manifest_digest"]) for row in registry.tables["platforms"]}
    ):
        if child not in known.manifests:
            detail = "no tag ever showed this child"
            reaching = _reaching(registry, index)
            yield _found(
                registry, "unresolved_child", index, detail, child=child, concerns=reaching
            )


def _of_blobs(registry: Registry) -> Iterator[Row]:
    known = registry.known
    for blob in known.stored:
        sizes = known.statements[blob]
        if len(set(sizes)) > 1:
            detail = f"manifests state from {min(sizes)} to {max(sizes)} bytes"
            yield _found(
                registry,
                "conflicting_blob_size",
                blob,
                detail,
                concerns=lambda root, blob=blob: blob in known.blobs(root),  # type: ignore[misc]  # bound now
            )


def _of_tags(registry: Registry) -> Iterator[Row]:
    known = registry.known
    for key, tag in registry.tags.items():
        digest, said = registry.state[key], tag["api_size_bytes"]
        is_sized = known.kind(digest) == "image" and known.basis(digest) == "exact"
        if is_sized and said is not None and said != known.logical(digest):
            yield {
                "finding": "api_size_mismatch",
                "namespace": key[0],
                "repository": key[1],
                "tag": key[2],
                "digest": digest,
                "child_digest": None,
                "detail": f"the registry says {said} bytes, the manifest {known.logical(digest)}",
                "live_tag_count": 1,
            }


def _of_crawls(registry: Registry) -> Iterator[Row]:
    for name, crawl in registry.crawls.items():
        if crawl["status"] not in ("complete", "unchanged"):
            detail = crawl["error"] or "no reason recorded"
            yield _on_repository(f"crawl_{crawl['status']}", name, detail)
    for record in registry.tables["rejected_records"]:
        if record["run_id"] == registry.run["run_id"]:
            name = (record["namespace"], record["repository"])
            yield _on_repository("rejected_record", name, record["reason"])


def _on_repository(finding: str, name: tuple[str, str], detail: str) -> Row:
    return {
        "finding": finding,
        "namespace": name[0],
        "repository": name[1],
        "tag": None,
        "digest": None,
        "child_digest": None,
        "detail": detail,
        "live_tag_count": None,
    }
