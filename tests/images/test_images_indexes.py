"""What an index lists: manifests, blobs that it holds itself, manifests whose text it embeds."""

import json
from base64 import b64encode

import pytest
from layer_rows import layer_rows
from manifest_texts import (
    GZIP,
    OCI,
    OCI_CONFIG,
    OCI_INDEX,
    Json,
    blob,
    image,
    index,
    read,
    sha256,
    tables_of,
)

from pipelines.images.media_types import is_blob_in_index
from pipelines.images.sizes import own_bytes
from pipelines.images.text_choice import TextChoice

CHILD = blob("a", 7, OCI)


def test_a_cache_holds_the_blobs_that_its_index_lists() -> None:
    """All of them, as BuildKit writes it; sizes as stated."""
    config = blob("config", 1_732, "application/vnd.buildkit.cacheconfig.v0")
    manifest = read(index(blob("a", 40), blob("b", 12), config))
    assert manifest.kind == "cache"
    assert [layer.digest for layer in manifest.layers] == [*map(sha256, ("a", "b", "config"))]
    assert own_bytes(manifest) == (1_784, "exact")


@pytest.mark.parametrize(
    ("media_type", "is_blob"),
    [
        (OCI, False),
        (f"{OCI_INDEX}; a=b", False),
        ("application/customized.manifest+json", False),
        ("application/vnd.mine+json", False),
        (None, False),
        ("", False),
        ("no-media-type", False),
        ("application/xml", True),
        (GZIP, True),
        ("application/vnd.oci.image.config.v1+json", True),
        ("application/vnd.docker.container.image.v1+json", True),
        ("application/vnd.buildkit.cacheconfig.v0", True),
    ],
)
def test_a_child_is_a_manifest_or_a_blob_by_its_type(media_type: str | None, is_blob: bool) -> None:
    """One without a type is taken for a manifest; an index with any is no cache."""
    assert is_blob_in_index(media_type) is is_blob
    odd = {"digest": sha256("x"), "size": 5, "mediaType": media_type}
    assert read(index(odd)).kind == ("cache" if is_blob else "index")
    assert read(index(odd, CHILD)).kind == "index"


def test_an_embedded_child_has_been_read() -> None:
    """If it is a manifest and verifies; through indexes in indexes."""
    child = json.dumps(image(blob("a", 7)))
    inner = json.dumps(index(embedding(child)))
    forged = embedding(child) | {"data": b64encode(b"{}").decode()}
    config = embedding("{}") | {"mediaType": OCI_CONFIG}
    unreadable = blob("x", 1, OCI, data="no base64")
    outer = json.dumps(index(embedding(inner), forged, config, unreadable))
    chosen = TextChoice(()).choose([(sha256(outer), outer)])
    assert [(each.digest, each.source, each.kind, each.digest_verified) for each in chosen] == [
        (sha256(outer), "tag", "index", True),
        (sha256(inner), "embedded", "index", True),
        (sha256(child), "embedded", "image", True),
    ]


def embedding(text: str) -> Json:
    """A descriptor that holds the text itself."""
    data = b64encode(text.encode()).decode()
    return {"mediaType": OCI, "digest": sha256(text), "size": len(text), "data": data}


def test_an_embedded_child_is_the_manifest_of_a_tag_too() -> None:
    """It is given once: where the tag's own text comes first, as that of the tag."""
    child = json.dumps(image(blob("a", 7)))
    outer = json.dumps(index(embedding(child)))
    texts = [(sha256(outer), outer), (sha256(child), child)]
    assert tables_of(texts).manifests["source"].to_pylist() == ["tag", "tag"]


def test_children_embedded_in_each_other_come_to_an_end() -> None:
    """However deep."""
    text = json.dumps(image(blob("a", 7)))
    depth = 20
    for _ in range(depth):
        text = json.dumps(index(embedding(text) | {"mediaType": OCI_INDEX}))
    made = tables_of([(sha256(text), text)])
    assert made.manifests["source"].to_pylist() == ["tag"] + ["embedded"] * depth
    assert layer_rows(made)["size_bytes"].to_pylist() == [7]
