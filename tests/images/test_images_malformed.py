"""Malformed manifests are invalid, with the reason; nothing makes reading raise."""

import json

import pytest
from manifest_texts import (
    GZIP,
    OCI,
    Json,
    blob,
    image,
    index,
    read,
    schema1,
    sha256,
    without,
)

from pipelines.images.json_shapes import Platform
from pipelines.images.manifest import Manifest, read_manifest
from pipelines.images.media_types import SCHEMA1

IMAGE = json.dumps(image(blob("layer", 5)))


def with_extra(value: str) -> str:
    """The text of an image with one more field, of this JSON."""
    return f'{IMAGE[:-1]}, "extra": {value}}}'


@pytest.mark.parametrize("text", ["", " \n\t"])
def test_an_empty_text_is_no_manifest(text: str) -> None:
    """The API may leave it out."""
    manifest = read(text)
    assert (manifest.kind, manifest.problem) == (
        "invalid",
        "the record carries no manifest text",
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("no json", "the text is not JSON: invalid character"),
        (IMAGE[:50], "the text is not JSON: input data was truncated"),
        ("\ufeff" + IMAGE, "the text is not JSON: invalid character"),
        ('{"a": 1} x', "the text is not JSON: trailing characters"),
        ('{"a": 1}{"a": 1}', "the text is not JSON: trailing characters"),
        ('{"config": {}, "layers": 7', "the text is not JSON: input data was truncated"),
        ('{"a": NaN}', "the text is not JSON: invalid character"),
        ('{"a": "\x01"}', "the text is not JSON: invalid character"),
        # How deep is too deep is up to Python: 1000 levels before 3.12, several thousand since.
        ('{"a": ' * 200_000 + "1" + "}" * 200_000, "the JSON is nested too deeply"),
        ('{"a": [' + "0," * 1_000_001 + "0]}", "the text has more than 1,000,000 parts"),
        ("[]", "the text: expected `object`, got `array`"),
        ("null", "the text: expected `object`, got `null`"),
        ("1e400", "the text: number out of range"),
    ],
)
def test_what_is_no_json_object_is_invalid(text: str, problem: str) -> None:
    """The reason says so, and where."""
    manifest = read(text)
    what = (manifest.problem or "").partition(" (byte ")[0]
    assert (manifest.kind, what) == ("invalid", problem)


@pytest.mark.parametrize(
    "digest",
    [
        "",
        "sha256",
        "sha256:",
        "sha256:abc",
        "sha256:" + "a" * 63,
        "sha256:" + "g" * 64,
        "sha256:" + "a" * 64 + "\n",
        " sha256:" + "a" * 64,
        "sha512:" + "a" * 64,
        "sha384:" + "a" * 128,
        "sha256+foo+-b:" + "a" * 64,
        "md5:" + "a" * 31,
        "blake3:" + "a" * 31 + "/",
        "\u00e4:" + "a" * 64,
    ],
)
def test_a_malformed_digest_is_named(digest: str) -> None:
    """Wherever it stands."""
    bad = {"digest": digest, "size": 1, "mediaType": GZIP}
    for document, place in (
        (image(blob("fine"), bad), "layers[1].digest"),
        (image(config=bad), "config.digest"),
        (index(blob("fine"), blob("fine"), bad), "manifests[2].digest"),
        (schema1("fine") | {"fsLayers": [{"blobSum": digest}]}, "fsLayers[0].blobSum"),
        ({"blobs": [bad]}, "blobs[0].digest"),
    ):
        manifest = read(document)
        assert (manifest.kind, manifest.problem) == ("invalid", f"{place}: not a digest")


@pytest.mark.parametrize(
    "digest",
    [
        "sha384:" + "0" * 96,
        "sha512:" + "f" * 128,
        "blake3:" + "a" * 64,
        "sha256+foo-bar:" + "a" * 64,
        "sha256.foo_bar:" + "a" * 64,
        "multihash+base58:QmRZxt2b1FVZPNqd8hsiykDL3TdBDeTSPX9Kv46HmX4Gx8",
        "tarsum.v1+sha256:" + "a" * 64,
        "blake3:" + "a" * 1000,
    ],
)
def test_other_algorithms_are_as_good_as_sha256(digest: str) -> None:
    """As long as they keep to the grammar of OCI."""
    manifest = read(image({"digest": digest, "size": 1}))
    assert [layer.digest for layer in manifest.layers] == [digest]


@pytest.mark.parametrize(
    ("size", "problem"),
    [
        ("-1", "expected `int` >= 0"),
        ("1e400", "number out of range"),
        ("1.5", "expected `int | null`, got `float`"),
        ('"7"', "expected `int | null`, got `str`"),
        ("true", "expected `int | null`, got `bool`"),
        ("[7]", "expected `int | null`, got `array`"),
    ],
)
def test_a_size_is_a_whole_number(size: str, problem: str) -> None:
    """Of a configuration, a layer, a child, or an artifact's blob alike."""
    for document, place in (
        (image(config=blob("a", "SIZE")), "config"),
        (image(blob("a"), blob("b", "SIZE")), "layers[1]"),
        (index(blob("a", "SIZE")), "manifests[0]"),
        ({"blobs": [blob("a", "SIZE")]}, "blobs[0]"),
    ):
        manifest = read(json.dumps(document).replace('"SIZE"', size))
        assert (manifest.kind, manifest.problem) == ("invalid", f"{place}.size: {problem}")


@pytest.mark.parametrize("size", [str(2**46 + 1), "9007199254740993", "9" * 5000])
def test_a_size_that_no_blob_can_have_is_none(size: str) -> None:
    """It is named; the digest, and the manifest's other parts, still count."""
    text = json.dumps(image(blob("a"), blob("b", "SIZE"))).replace('"SIZE"', size)
    manifest = read(text)
    assert [(layer.digest, layer.size) for layer in manifest.layers] == [
        (sha256("a"), 1),
        (sha256("b"), None),
    ]
    assert (manifest.kind, manifest.problem) == ("image", "layers[1].size: more than 2^46 bytes")


@pytest.mark.parametrize("size", [0, 2**32 + 1, 2**46, None])
def test_sizes_may_be_large_nothing_or_unknown(size: int | None) -> None:
    """Up to seventy terabytes."""
    assert [layer.size for layer in read(image(blob("a", size))).layers] == [size]


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (without(image(), "config"), "config is missing"),
        (image(config=None), "config is missing"),
        (image(config={"size": 1}), "config: object missing required field `digest`"),
        (image(blob("a"), {}), "layers[1]: object missing required field `digest`"),
        (image(layers={}), "layers: expected `array | null`, got `object`"),
        (image(layers=[None]), "layers[0]: expected `object`, got `null`"),
        (without(image(), "layers"), "layers is missing"),
        (without(index(), "manifests"), "manifests is missing"),
        (without(schema1(), "fsLayers") | {"mediaType": SCHEMA1}, "fsLayers is missing"),
        (image(schemaVersion=1), "schemaVersion is 1 instead of 2"),
        (index(schemaVersion=1), "schemaVersion is 1 instead of 2"),
        (schema1(schemaVersion=2), "schemaVersion is 2 instead of 1"),
        (index(manifests="none"), "manifests: expected `array | null`, got `str`"),
    ],
)
def test_a_field_that_does_not_hold_what_it_must_is_named(document: Json, problem: str) -> None:
    """One sentence, the field first."""
    manifest = read(document)
    assert (manifest.kind, manifest.problem) == ("invalid", problem)
    assert (manifest.config, [*manifest.layers], [*manifest.children]) == (None, [], [])


CHILD = blob("a", 7, OCI)
ODD_PLATFORM = {"os": "linux", "architecture": "arm64", "variant": 8}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (image(blob("a", 7), artifactType=1), "artifactType: expected `str | null`, got `int`"),
        (image(blob("a", 7), mediaType=1), "mediaType: expected `str | null`, got `int`"),
        (image(blob("a", 7), schemaVersion="2"), "schemaVersion: expected `int | null`, got `str`"),
        (image(blob("a", 7, 5)), "layers[0].mediaType: expected `str | null`, got `int`"),
        (
            image(blob("a", 7, "x" * 1001)),
            "layers[0].mediaType: expected `str` of length <= 1000",
        ),
        (image(blob("a", 7), subject=9), "subject: expected `object | null`, got `int`"),
        (image(blob("a", 7), subject={"digest": "x"}), "subject.digest: not a digest"),
    ],
)
def test_an_odd_optional_field_is_null_and_named(document: Json, problem: str) -> None:
    """What it stands beside is read."""
    manifest = read(document)
    assert (manifest.kind, manifest.problem) == ("image", problem)
    assert [(layer.digest, layer.size) for layer in manifest.layers] == [(sha256("a"), 7)]


@pytest.mark.parametrize(
    ("odd", "platform", "problem"),
    [
        ({"platform": []}, None, "platform: expected `object | null`, got `array`"),
        ({"platform": ODD_PLATFORM}, Platform("linux", "arm64"), "platform.variant: expected"),
        ({"annotations": "none"}, None, "annotations: expected `object | null`, got `str`"),
        ({"data": 5}, None, "data: expected `str | null`, got `int`"),
    ],
)
def test_an_odd_field_of_a_child_loses_no_child(
    odd: Json, platform: Platform | None, problem: str
) -> None:
    """Its digest is what matters."""
    manifest = read(index(CHILD, CHILD | odd))
    assert [child.digest for child in manifest.children] == [sha256("a"), sha256("a")]
    assert manifest.children[1].platform == platform
    assert manifest.kind == "index"
    assert (manifest.problem or "").startswith(f"manifests[1].{problem}")


def test_many_odd_fields_are_named_in_one_sentence() -> None:
    """The first three, and how many more."""
    manifest = read(image(*(blob(name, 7, 5) for name in "abcde")))
    expected = "; ".join(
        f"layers[{number}].mediaType: expected `str | null`, got `int`" for number in range(3)
    )
    assert manifest.problem == f"{expected}; and 2 more"


@pytest.mark.parametrize(
    "extra",
    ["1e400", "9" * 5000, "[" * 500 + "]" * 500, '"\\ud800"', '{"\\udfff\\ud800": 1}', "-0.0e-999"],
)
def test_odd_values_elsewhere_are_no_matter(extra: str) -> None:
    """The image is read all the same."""
    manifest = read(with_extra(extra))
    assert (manifest.kind, manifest.problem) == ("image", None)
    assert [layer.size for layer in manifest.layers] == [5]


def test_half_a_character_becomes_the_replacement_character() -> None:
    """Escaped ones are allowed in JSON and can be stored nowhere; whole pairs stay."""
    halves = '"\\ud83d\\ude00 \\ud83d \\\\ud83d \\uDE00\\uD83D"'
    manifest = read(f'{IMAGE[:-1]}, "artifactType": {halves}}}')
    assert manifest.artifact_type == "\U0001f600 \ufffd \\ud83d \ufffd\ufffd"


def test_half_a_character_in_the_text_itself_is_stored_as_an_escape() -> None:
    """The text's digest is then no digest of it."""
    manifest = read_raw(with_extra('"\ud800"'))
    assert manifest.kind == "image"
    assert manifest.text == with_extra('"\\ud800"')
    assert manifest.text_bytes == len(with_extra('"\\ud800"'))
    assert manifest.digest_verified is False


def read_raw(text: str) -> Manifest:
    """Read a text that has no digest of its own."""
    return read_manifest(text, sha256(""))


def test_of_a_field_stated_twice_the_last_one_counts() -> None:
    """As most readers of JSON have it."""
    again = json.dumps([blob("other", 6)])
    manifest = read(f'{IMAGE[:-1]}, "layers": {again}}}')
    assert [layer.digest for layer in manifest.layers] == [sha256("other")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (with_extra('"' + "x" * 2**24 + '"'), "image"),
        (with_extra("[" * 2**24), "invalid"),
        ('{"layers":' * (2**24 // 10), "invalid"),
        ("x" * 2**24, "invalid"),
        (with_extra('"' + "\\ud800" * 2**20 + '"'), "image"),
        (json.dumps(image() | {"config": {"digest": "a" * 2**24}}), "invalid"),
        (json.dumps(image() | {"config": {"digest": "a-" * 2**23 + ":"}}), "invalid"),
        (json.dumps(image() | {"mediaType": "x" * 2**24}), "image"),
    ],
    ids=["long", "deep", "deep object", "no json", "halves", "word", "words", "media type"],
)
def test_sixteen_megabytes_are_no_problem(text: str, kind: str) -> None:
    """Neither long strings nor deep nesting nor slow patterns."""
    assert read(text).kind == kind
