"""A release that reads manifests better reads the stored texts once more, and only then."""

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import duckdb
import pytest
from ingest_site import AT, CrawlSite, at_crawl_site, small_registry
from manifest_texts import OCI, blob, image, index, sha256

from pipelines.warehouse.state import STATE

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
CACHE = json.dumps(index(blob("one", 70, LAYER), blob("two", 30, LAYER)))
CHILD = json.dumps(image(blob("layer", 7)))
EMBEDDED = {
    "mediaType": OCI,
    "digest": sha256(CHILD),
    "size": len(CHILD),
    "data": b64encode(CHILD.encode()).decode(),
}
MULTI = json.dumps(index(EMBEDDED))
# As a reader would leave them that takes the layers of a cache for manifests that nobody has read,
# and knows nothing of embedded children.
READ_BY_ANOTHER = [
    (
        "delete from ingest.manifest_prefixes where manifest_digest in ($1, $2)",
        [sha256(CACHE), sha256(CHILD)],
    ),
    ("delete from manifests where manifest_digest = $1", [sha256(CHILD)]),
    ("update manifests set manifest_kind = 'index' where manifest_digest = $1", [sha256(CACHE)]),
    ("update manifests set layer_count = null where manifest_digest = $1", [sha256(CACHE)]),
    ("update tags set manifest_kind = 'index' where manifest_digest = $1", [sha256(CACHE)]),
    ("update platforms set is_blob = false", []),
]
TABLES = {
    "manifests": "select * exclude (first_seen_at) from manifests order by all",
    "ages": "select first_seen_at, manifest_digest from manifests where source = 'tag' order by 2",
    "layers": "from layers order by all",
    "platforms": "from platforms order by all",
    "tags": "select tag, manifest_kind from tags order by all",
}


def tables(site: CrawlSite) -> dict[str, list[dict[str, Any]]]:
    """What is stored of manifests, their kinds and parts."""
    return {name: site.query(sql) for name, sql in TABLES.items()}


@pytest.mark.parametrize(("version", "is_read_anew"), [(None, True), (0, True), (1, False)])
def test_stored_texts_are_read_anew_where_another_reader_read_them(
    tmp_path: Path, version: int | None, *, is_read_anew: bool
) -> None:
    """Nothing of the registry is read for it, and each manifest is as old as it was."""
    registry = small_registry()
    registry.push("data", "spark", "cache", CACHE, at=AT)
    registry.push("data", "spark", "multi", MULTI, at=AT)
    with at_crawl_site(tmp_path, registry) as site:
        site.ingest()
        right = tables(site)
        with duckdb.connect(site.directory / STATE) as con:
            for sql, digests in READ_BY_ANOTHER:
                con.execute(sql, digests)
            con.execute("update ingest.runs set reader_version = ?", [version])
        assert site.ingest() == "complete"
        assert (tables(site) == right) is is_read_anew
    assert right["tags"][0] == {"tag": "1", "manifest_kind": "image"}
