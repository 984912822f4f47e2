"""Manifests become rows: of themselves, of their layers, of an index's children."""

import hashlib
import itertools
import json

import pytest
from layer_rows import layer_rows
from manifest_texts import (
    FOREIGN,
    GZIP,
    OCI,
    OCI_CONFIG,
    OCI_INDEX,
    Json,
    blob,
    image,
    index,
    schema1,
    sha256,
    tables_of,
)

from pipelines.images.manifest import read_manifest
from pipelines.images.tables import ImageTables, image_tables
from pipelines.schemas import LAYER_PREFIXES, LAYERS_TABLE, MANIFEST_PREFIXES, MANIFESTS, PLATFORMS


def tables(*documents: Json) -> ImageTables:
    """Tables of documents under their own digests."""
    texts = [json.dumps(document) for document in documents]
    return image_tables([read_manifest(text, sha256(text)) for text in texts])


def test_an_image_is_a_row_and_so_is_each_of_its_layers() -> None:
    """The text is kept verbatim, the base is at position 0."""
    document = image(
        blob("base", 2**32 + 1), blob("top", 7, FOREIGN), subject={"digest": sha256("other")}
    )
    text = json.dumps(document, indent=3, ensure_ascii=False) + "\n"
    made = tables_of([(sha256(text), text)])
    assert made.manifests.schema == MANIFESTS
    assert made.manifests.to_pylist() == [
        {
            "manifest_digest": sha256(text),
            "source": "tag",
            "manifest_kind": "image",
            "media_type": OCI,
            "artifact_type": None,
            "schema_version": 2,
            "config_digest": sha256("config"),
            "config_media_type": OCI_CONFIG,
            "config_bytes": 100,
            "layer_count": 2,
            "logical_bytes": 4_294_967_397,
            "size_basis": "exact",
            "digest_verified": True,
            "subject_digest": sha256("other"),
            "manifest_bytes": len(text.encode()),
            "manifest": text,
            "problem": None,
        }
    ]
    base, top = sha256("base"), sha256("top")
    assert layer_rows(made).schema == LAYERS_TABLE
    assert layer_rows(made).to_pylist() == [
        {
            "manifest_digest": sha256(text),
            "position": 0,
            "blob_digest": base,
            "size_bytes": 4_294_967_297,
            "media_type": GZIP,
            "is_stored": True,
            "prefix_digest": sha256(f"{base}\n"),
        },
        {
            "manifest_digest": sha256(text),
            "position": 1,
            "blob_digest": top,
            "size_bytes": 7,
            "media_type": FOREIGN,
            "is_stored": False,
            "prefix_digest": sha256(f"{base}\n{top}\n"),
        },
    ]
    assert made.platforms.schema == PLATFORMS
    assert made.platforms.num_rows == 0


def test_an_index_is_a_row_and_so_is_each_of_its_children() -> None:
    """What a platform says stays verbatim, what it leaves out is null."""
    windows = {
        "os": "windows",
        "architecture": "amd64",
        "os.version": "10.0.17763.5329",
        "os.features": ["win32k"],
    }
    arm = {"os": "linux", "architecture": "arm", "variant": "v7"}
    nowhere = {"os": "unknown", "architecture": "unknown"}
    note = {"vnd.docker.reference.type": "attestation-manifest", "other": 7}
    made = tables(
        index(
            blob("a", 1, OCI, platform=windows),
            blob("b", None, OCI_INDEX, platform=arm, annotations={"other": "x"}),
            blob("c", 3, OCI, platform=nowhere, annotations=note),
            blob("a", 1, OCI, platform=None),
        )
    )
    columns = ("position", "manifest_digest", "media_type", "manifest_bytes")
    platform = ("os", "architecture", "variant", "os_version", "is_attestation")
    rows = made.platforms.to_pylist()
    assert [tuple(row[column] for column in columns) for row in rows] == [
        (0, sha256("a"), OCI, 1),
        (1, sha256("b"), OCI_INDEX, None),
        (2, sha256("c"), OCI, 3),
        (3, sha256("a"), OCI, 1),
    ]
    assert [tuple(row[column] for column in platform) for row in rows] == [
        ("windows", "amd64", None, "10.0.17763.5329", False),
        ("linux", "arm", "v7", None, False),
        ("unknown", "unknown", None, None, True),
        (None, None, None, None, False),
    ]
    assert {row["index_digest"] for row in rows} == set(
        made.manifests["manifest_digest"].to_pylist()
    )
    assert layer_rows(made).num_rows == 0


def test_only_kinds_with_layers_count_them() -> None:
    """Zero layers are 0, none that could be known are null."""
    counted = tables(
        image(), schema1("b", "a"), {"blobs": []}, index(), {}, {"layers": 7}
    ).manifests
    assert counted["manifest_kind"].to_pylist() == [
        "image",
        "schema1",
        "artifact",
        "index",
        "unknown",
        "invalid",
    ]
    assert counted["layer_count"].to_pylist() == [0, 2, 0, None, None, None]
    assert counted["logical_bytes"].to_pylist() == [100, None, 0, None, None, None]


def test_the_same_layer_twice_is_two_rows() -> None:
    """Each position has its own prefix."""
    layers = layer_rows(tables(image(blob("a", 7), blob("a", 7))))
    a = sha256("a")
    assert layers["position"].to_pylist() == [0, 1]
    assert layers["blob_digest"].to_pylist() == [a, a]
    assert layers["prefix_digest"].to_pylist() == [sha256(f"{a}\n"), sha256(f"{a}\n{a}\n")]


def test_equal_prefixes_are_equal_bases() -> None:
    """Whatever is on top, of whatever kind and with whatever sizes."""
    made = tables(
        image(blob("base"), blob("middle"), blob("top")),
        image(blob("base", 9), blob("middle"), blob("other")),
        schema1("middle", "base"),
    )
    prefixes = layer_rows(made)["prefix_digest"].to_pylist()
    assert prefixes[:2] == prefixes[3:5] == prefixes[6:8]
    assert len(set(prefixes)) == 4


def test_an_invalid_manifest_does_not_disturb_its_neighbours() -> None:
    """It is a row with a problem, its neighbours are as without it."""
    good, other = image(blob("a", 7)), index(blob("b", 3, OCI))
    made = tables(good, {"layers": 7}, other)
    assert made.manifests["problem"].to_pylist() == [
        None,
        "layers: expected `array | null`, got `int`",
        None,
    ]
    assert layer_rows(made) == layer_rows(tables(good))
    assert made.platforms == tables(other).platforms


def test_no_manifests_make_empty_tables() -> None:
    """With all their columns."""
    made = tables_of([])
    assert [table.schema for table in made] == [
        MANIFESTS,
        LAYER_PREFIXES,
        MANIFEST_PREFIXES,
        PLATFORMS,
    ]
    assert [table.num_rows for table in made] == [0, 0, 0, 0]


# Texts for one digest, the best first: verified, else not invalid, else short, else lesser.
VERIFIED = "not even JSON, but what the digest is of"
CANDIDATES = [VERIFIED, '{"a":1}', '{"b":1}', '{"a":11}', '{"\u00e4":1}', "{", "no manifest at all"]


@pytest.mark.parametrize("first", range(len(CANDIDATES) - 1))
def test_of_several_texts_for_a_digest_the_best_is_kept(first: int) -> None:
    """In whatever order they come."""
    for order in itertools.permutations(CANDIDATES[first:], min(3, len(CANDIDATES) - first)):
        best = min(order, key=CANDIDATES.index)
        made = tables_of((sha256(VERIFIED), text) for text in order)
        assert made.manifests["manifest"].to_pylist() == [best]


def test_the_rows_are_those_of_the_text_that_is_kept() -> None:
    """And other digests keep theirs."""
    right, wrong = json.dumps(image(blob("right"))), json.dumps(image(blob("wrong"), blob("w")))
    made = tables_of(
        [
            (sha256(right), wrong),
            (sha256(right), right),
            (sha256("x"), wrong),
            (sha256(right), wrong),
        ]
    )
    assert [
        (row["manifest_digest"], row["blob_digest"]) for row in layer_rows(made).to_pylist()
    ] == [
        (sha256(right), sha256("right")),
        (sha256("x"), sha256("wrong")),
        (sha256("x"), sha256("w")),
    ]


def test_texts_that_are_no_unicode_can_be_stored() -> None:
    """A lone surrogate becomes an escape."""
    made = tables_of([(sha256(""), '{"a": "\ud800"}')])
    assert made.manifests["manifest"].to_pylist() == ['{"a": "\\ud800"}']
    assert made.manifests["manifest_bytes"].to_pylist() == [15]
    assert made.manifests["digest_verified"].to_pylist() == [False]


def test_a_sha512_registry_is_read_like_any_other() -> None:
    """Digests of manifests, configurations and layers."""
    layer = "sha512:" + hashlib.sha512(b"layer").hexdigest()
    text = json.dumps(image({"digest": layer, "size": 5}))
    digest = "sha512:" + hashlib.sha512(text.encode()).hexdigest()
    made = tables_of([(digest, text)])
    assert made.manifests["digest_verified"].to_pylist() == [True]
    assert layer_rows(made)["blob_digest"].to_pylist() == [layer]
    assert layer_rows(made)["prefix_digest"].to_pylist() == [sha256(f"{layer}\n")]
