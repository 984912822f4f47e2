"""Digests have one form; a manifest's is compared with its text, or a signed one's payload."""

import base64
import hashlib
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from manifest_texts import Json, blob, image, index, read, schema1, sha256

from pipelines.digests import canonical_digest, is_well_formed
from pipelines.images.manifest import read_manifest

TEXT = json.dumps(image(blob("layer")), indent=3, ensure_ascii=False)
PAYLOAD = json.dumps(schema1("top", "base", author="\u00c5sa"), indent=3, ensure_ascii=False)
TAIL = "\n}"


def encode(raw: bytes) -> str:
    """Base64 as signatures have it: for URLs, without padding."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def protected(length: object, tail: object) -> str:
    """What a signature says of the text it signs."""
    return encode(json.dumps({"formatLength": length, "formatTail": tail}).encode())


def sign(payload: str, *signatures: Json) -> str:
    """Put signatures before the end of a payload, as Docker does."""
    return f'{payload.removesuffix(TAIL)},\n   "signatures": {json.dumps(signatures)}\n}}'


LENGTH = len(PAYLOAD.removesuffix(TAIL).encode())
RIGHT: Json = {"protected": protected(LENGTH, encode(TAIL.encode())), "signature": "x"}


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_a_digest_is_that_of_the_text(algorithm: str) -> None:
    """In bytes of UTF-8."""
    text = TEXT.replace("layer", "l\u00e4yer")
    hexadecimal = hashlib.new(algorithm, text.encode()).hexdigest()
    assert read_manifest(text, f"{algorithm}:{hexadecimal}").digest_verified is True
    assert read_manifest(text + " ", f"{algorithm}:{hexadecimal}").digest_verified is False


@pytest.mark.parametrize("digest", ["blake3:" + "a" * 64, "md5:" + "a" * 32, "", "nonsense"])
def test_a_digest_of_an_algorithm_not_known_here_is_not_judged(digest: str) -> None:
    """Null, neither true nor false."""
    assert read_manifest(TEXT, digest).digest_verified is None


def test_a_mismatch_is_a_fact_and_no_problem() -> None:
    """The digest stays as the registry says it, and the manifest is read all the same."""
    manifest = read_manifest(TEXT, sha256("something else"))
    assert (manifest.digest, manifest.digest_verified) == (sha256("something else"), False)
    assert (manifest.kind, manifest.problem) == ("image", None)


def test_an_unsigned_schema1_is_hashed_as_it_stands() -> None:
    """Its text is its payload."""
    assert read_manifest(PAYLOAD, sha256(PAYLOAD)).digest_verified is True


def test_a_signed_schema1_is_hashed_without_its_signatures() -> None:
    """Every signature names the same payload."""
    for signed in (sign(PAYLOAD, RIGHT), sign(PAYLOAD, RIGHT, RIGHT)):
        manifest = read_manifest(signed, sha256(PAYLOAD))
        assert (manifest.kind, manifest.digest_verified) == ("schema1", True)
        assert manifest.text == signed
        assert read_manifest(signed, sha256("something else")).digest_verified is False


def test_a_signed_schema1_may_be_hashed_whole() -> None:
    """Whoever hashed it with its signatures is right as well."""
    signed = sign(PAYLOAD, RIGHT)
    assert read_manifest(signed, sha256(signed)).digest_verified is True


def test_the_payload_of_an_invalid_schema1_verifies_too() -> None:
    """The text is the one the digest means, however little it says."""
    payload = PAYLOAD.replace(sha256("base"), "sha256:abc")
    length = len(payload.removesuffix(TAIL).encode())
    right = {"protected": protected(length, encode(TAIL.encode()))}
    manifest = read_manifest(sign(payload, right), sha256(payload))
    assert (manifest.kind, manifest.digest_verified) == ("invalid", True)


def test_no_signature_covers_for_other_kinds() -> None:
    """An image's digest is over all of its text."""
    length = len(TEXT.removesuffix(TAIL).encode())
    signature = {"protected": protected(length, encode(TAIL.encode()))}
    manifest = read_manifest(sign(TEXT, signature), sha256(TEXT))
    assert (manifest.kind, manifest.digest_verified) == ("image", False)


@pytest.mark.parametrize(
    "signature",
    [
        {},
        {"protected": 7},
        {"protected": "\u00e4"},
        {"protected": "a"},
        {"protected": encode(b"no json")},
        {"protected": encode(b"\xff\xfe")},
        {"protected": encode(b'{"a":' * 5000)},
        {"protected": protected(-2, encode(TAIL.encode()))},
        {"protected": protected(LENGTH - 1, encode(TAIL.encode()))},
        {"protected": protected(10**30, encode(TAIL.encode()))},
        {"protected": protected("1", encode(TAIL.encode()))},
        {"protected": protected(LENGTH, None)},
        {"protected": protected(LENGTH, "a")},
    ],
)
def test_nonsense_in_a_signature_verifies_nothing(signature: Json) -> None:
    """It is a mismatch, not a crash."""
    manifest = read_manifest(sign(PAYLOAD, signature), sha256(PAYLOAD))
    assert (manifest.kind, manifest.digest_verified) == ("schema1", False)


@pytest.mark.parametrize("signatures", ["[]", "{}", "null", "7", "[null]"])
def test_signatures_may_be_none(signatures: str) -> None:
    """Or nothing one could read."""
    text = f'{PAYLOAD.removesuffix(TAIL)}, "signatures": {signatures}}}'
    manifest = read_manifest(text, sha256(PAYLOAD))
    assert (manifest.kind, manifest.digest_verified) == ("schema1", False)


@pytest.mark.parametrize(
    "spelled", ["{hex}", "SHA256:{hex}", "sha256:{HEX}", "Sha256:{HEX}", "{HEX}"]
)
def test_a_digest_has_one_canonical_form(spelled: str) -> None:
    """Whichever way it is written."""
    plain = sha256("a").removeprefix("sha256:")
    digest = spelled.format(hex=plain, HEX=plain.upper())
    manifest = read(image({"digest": digest, "size": 1}, config=blob("c") | {"digest": digest}))
    assert manifest.config is not None
    assert [manifest.config.digest, manifest.layers[0].digest] == [sha256("a")] * 2
    children = read(index({"digest": digest}, subject={"digest": digest}))
    assert (children.children[0].digest, children.subject_digest) == (sha256("a"),) * 2


@given(st.binary(), st.sampled_from(["sha256", "sha384", "sha512"]), st.randoms())
def test_every_spelling_of_a_digest_has_the_same_canonical_form(
    content: bytes, algorithm: str, chance: random.Random
) -> None:
    """Upper case anywhere, with the algorithm or without; the canonical form is its own."""
    plain = hashlib.new(algorithm, content).hexdigest()
    for spelled in (plain, f"{algorithm}:{plain}"):
        odd = "".join(chance.choice([letter, letter.upper()]) for letter in spelled)
        assert canonical_digest(odd) == f"{algorithm}:{plain}"


@given(st.text() | st.from_regex(r"[A-Za-z0-9+._-]*:?[A-Fa-f0-9]{30,130}", fullmatch=True))
def test_a_canonical_form_is_well_formed_or_as_it_was(text: str) -> None:
    """Nothing that is no digest is made to look like one, and twice is as once."""
    canonical = canonical_digest(text)
    assert canonical_digest(canonical) == canonical
    assert canonical == text or canonical.lower().endswith(text.lower())
    assert is_well_formed(canonical) or not is_well_formed(text)
