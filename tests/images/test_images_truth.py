"""Real manifests mean what an independent reading of them says."""

import gzip
import json
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from checkout import SHARED
from layer_rows import layer_rows
from manifest_texts import tables_of

DATA = SHARED / "data"
pytestmark = pytest.mark.skipif(
    not (DATA / "manifests.truth.jsonl.gz").exists(), reason="the shared test data is not here"
)
files = pytest.mark.parametrize("name", ["manifests", "registry"])
Row = dict[str, Any]
# Judged by ours to be images although their configurations have no image's type.
UNNAMED = "application/octet-stream"
KINDS = {
    "docker-list": "index",
    "oci-index": "index",
    "docker-schema1": "schema1",
    "docker-schema1-signed": "schema1",
    "invalid": "invalid",
}
FOREIGN = ("foreign", "nondistributable")


class Reading(NamedTuple):
    """One record: what the truth says, and our rows."""

    truth: Row
    manifest: Row
    layers: list[Row]
    platforms: list[Row]


def _rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


@cache
def readings(name: str) -> list[Reading]:
    """All records of a file, read in one go, invalid ones among the others."""
    records = _rows(DATA / f"{name}.jsonl.gz")
    truths = {truth["id"]: truth for truth in _rows(DATA / f"{name}.truth.jsonl.gz")}
    made = tables_of((record["digest"], record["manifest"]) for record in records)
    manifests = {row["manifest_digest"]: row for row in made.manifests.to_pylist()}
    layers, platforms = defaultdict(list), defaultdict(list)
    for row in layer_rows(made).to_pylist():
        layers[row["manifest_digest"]].append(row)
    for row in made.platforms.to_pylist():
        platforms[row["index_digest"]].append(row)
    digests = [(truths[record["id"]], record["digest"]) for record in records]
    return [Reading(t, manifests[d], layers[d], platforms[d]) for t, d in digests]


def valid(name: str) -> list[Reading]:
    """The records whose rows must agree exactly."""
    return [reading for reading in readings(name) if reading.truth["status"] == "valid"]


def _expected_kind(truth: Row) -> str:
    kind = KINDS.get(truth["kind"])
    if kind is not None:
        return kind
    is_named = truth["config"]["mediaType"] != UNNAMED
    is_other = "non-image-config" in truth["flags"] and is_named
    return "artifact" if is_other or "artifactType" in truth["flags"] else "image"


@pytest.mark.parametrize(("name", "count"), [("manifests", 543), ("registry", 2388)])
def test_every_valid_record_is_of_its_kind(name: str, count: int) -> None:
    """And none of them has a problem."""
    found = valid(name)
    assert len(found) == count
    assert [r.manifest["manifest_kind"] for r in found] == [_expected_kind(r.truth) for r in found]
    assert {r.manifest["problem"] for r in found} == {None}
    for reading in found:
        stated = reading.truth["mediaType"]
        assert stated in {None, reading.manifest["media_type"]}
        assert reading.manifest["schema_version"] == reading.truth["schemaVersion"]


@files
def test_layers_agree(name: str) -> None:
    """Positions from the base up, digests, sizes and media types."""
    columns = ("position", "blob_digest", "size_bytes", "media_type")
    for reading in valid(name):
        expected = sorted(
            (layer.get("base_first_position", layer["position"]), *_stated(layer))
            for layer in reading.truth["layers"]
        )
        assert [tuple(row[c] for c in columns) for row in reading.layers] == expected
        if reading.manifest["manifest_kind"] != "index":
            assert reading.manifest["layer_count"] == reading.truth["n_layers"]


def _stated(descriptor: Row) -> tuple[str, int | None, str | None]:
    return descriptor["digest"], descriptor["size"], descriptor["mediaType"]


@files
def test_configurations_agree(name: str) -> None:
    """Digest, size and media type."""
    columns = ("config_digest", "config_bytes", "config_media_type")
    for reading in valid(name):
        config = reading.truth["config"]
        expected = _stated(config) if config else (None, None, None)
        assert tuple(reading.manifest[column] for column in columns) == expected


def test_platforms_agree() -> None:
    """All that is said of the children of an index."""
    names = {
        "position": "position",
        "manifest_digest": "digest",
        "media_type": "mediaType",
        "manifest_bytes": "size",
        "os": "os",
        "architecture": "architecture",
        "variant": "variant",
        "os_version": "os_version",
        "is_attestation": "attestation",
    }
    for reading in valid("manifests"):
        assert [[row[ours] for ours in names] for row in reading.platforms] == [
            [child[theirs] for theirs in names.values()] for child in reading.truth["platforms"]
        ]


@files
def test_sums_agree(name: str) -> None:
    """As listed, of distinct digests, and with the configuration."""
    for truth, manifest, layers, _ in valid(name):
        if manifest["manifest_kind"] not in {"image", "artifact"}:
            continue
        listed = sum(row["size_bytes"] for row in layers)
        distinct = {row["blob_digest"]: row["size_bytes"] for row in layers}
        assert listed == truth["sum_layers_as_listed"]
        assert sum(distinct.values()) == truth["sum_layers_unique_digests"]
        assert listed + manifest["config_bytes"] == truth["sum_with_config"]


@files
def test_logical_bytes_are_those_of_distinct_stored_blobs(name: str) -> None:
    """Counted here from the truth's own layers."""
    for truth, manifest, rows, _ in valid(name):
        if manifest["manifest_kind"] not in {"image", "artifact"}:
            assert (manifest["logical_bytes"], manifest["size_basis"]) == (None, "unknown")
            continue
        layers = truth["layers"]
        stored = [x for x in layers if not any(word in x["mediaType"] for word in FOREIGN)]
        sizes: dict[str, set[int]] = defaultdict(set)
        for descriptor in (*stored, truth["config"]):
            sizes[descriptor["digest"]].add(descriptor["size"])
        is_exact = all(len(stated) == 1 for stated in sizes.values())
        assert manifest["logical_bytes"] == sum(min(stated) for stated in sizes.values())
        assert manifest["size_basis"] == ("exact" if is_exact else "lower_bound")
        assert [row["is_stored"] for row in rows] == [layer in stored for layer in layers]


@files
def test_every_digest_verifies(name: str) -> None:
    """Signed schema 1 manifests over their payloads, all others over their texts."""
    found = readings(name)
    assert {reading.manifest["digest_verified"] for reading in found} == {True}
    payloads = [r.truth["kind"] for r in found if not r.truth["digest_is_sha256_of_manifest"]]
    assert set(payloads) <= {"docker-schema1-signed"}
    assert len(payloads) == (14 if name == "manifests" else 0)


def test_every_invalid_record_says_why() -> None:
    """It has a problem, and no rows."""
    found = [reading for reading in readings("manifests") if reading.truth["status"] == "invalid"]
    assert len(found) == 27
    for reading in found:
        assert reading.manifest["manifest_kind"] == "invalid"
        reasons = [_field(reason) for reason in reading.truth["hard"]]
        assert _field(reading.manifest["problem"]) in reasons
        assert (reading.layers, reading.platforms) == ([], [])
        assert reading.manifest["logical_bytes"] is None


def _field(problem: str) -> str:
    """The field a problem names: what comes before the colon or the first space."""
    if "not JSON" in problem:
        return "no JSON"
    return problem.replace(":", " ").split()[0].removesuffix(".digest")


def test_where_the_meaning_is_clear_lenient_records_have_rows() -> None:
    """Null layers are none, histories do not matter, a child's media type may be anything."""
    found = [
        reading
        for reading in readings("manifests")
        if reading.truth["status"] in {"lenient", "strict-invalid"}
    ]
    assert Counter(reading.manifest["manifest_kind"] for reading in found) == {
        "index": 5,
        "image": 3,
        "schema1": 3,
        "artifact": 1,
        # It has no layers at all, not even null.
        "invalid": 1,
    }
    for reading in found:
        assert len(reading.layers) == reading.truth["n_layers"]
        assert len(reading.platforms) == reading.truth["n_platforms"]
