"""The JSON of manifests: the fields that any known kind has, typed as the formats demand.

Fields nobody asks for may hold anything. What a document means is told in `manifest`.
"""

from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec

from pipelines.images.digests import Digest, is_well_formed
from pipelines.images.encoding import with_whole_characters

# Beyond this, numbers in JSON are no longer exact everywhere, and sums could overflow.
MAXIMUM_SIZE = 2**53
Size = Annotated[int, msgspec.Meta(ge=0, le=MAXIMUM_SIZE)]
SchemaVersion = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
ABSENT = msgspec.Raw()


class Descriptor(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A reference to a blob; in a document that was read, its digest is well-formed."""

    digest: str
    size: Size | None = None
    media_type: str | None = None


class Platform(msgspec.Struct, frozen=True, gc=False, rename={"os_version": "os.version"}):
    """What a child of an index runs on, verbatim."""

    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    os_version: str | None = None


class _Annotations(
    msgspec.Struct, frozen=True, gc=False, rename={"reference_type": "vnd.docker.reference.type"}
):
    reference_type: str | None = None


class Child(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A reference from an index to a manifest."""

    digest: Digest
    size: Size | None = None
    media_type: str | None = None
    platform: Platform | None = None
    annotations: _Annotations | None = None

    @property
    def is_attestation(self) -> bool:
        """Whether the child attests how an image was built, and is none itself."""
        noted = self.annotations
        return noted is not None and noted.reference_type == "attestation-manifest"


class _Schema1Layer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    blob_sum: Digest


class _Subject(msgspec.Struct, frozen=True, gc=False):
    digest: Digest


class Document(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A manifest's JSON; null is as good as absent."""

    schema_version: SchemaVersion | None = None
    media_type: str | None = None
    artifact_type: str | None = None
    config: Descriptor | None = None
    layers: list[Descriptor] | None = None
    blobs: list[Descriptor] | None = None
    manifests: list[Child] | None = None
    fs_layers: list[_Schema1Layer] | None = None
    signatures: msgspec.Raw = ABSENT
    subject: _Subject | None = None

    @property
    def is_signed(self) -> bool:
        """Whether it carries signatures, as only schema 1 does."""
        return bytes(self.signatures) not in {b"", b"null"}


class Outline(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """As much of a manifest's JSON as tells its kind, whatever its fields hold."""

    media_type: str | None = None
    config: msgspec.Raw = ABSENT
    layers: msgspec.Raw = ABSENT
    blobs: msgspec.Raw = ABSENT
    manifests: msgspec.Raw = ABSENT
    fs_layers: msgspec.Raw = ABSENT


class Malformed(Exception):
    """The text is no JSON object, or a field does not hold what it must. Says which."""


_Read = TypeVar("_Read", Document, Outline)
_decode_document = msgspec.json.Decoder(Document).decode
_decode_outline = msgspec.json.Decoder(Outline).decode


def read_document(json: bytes) -> Document:
    """Read a manifest's JSON. Raises Malformed."""
    document = _read(_decode_document, json)
    _check_digests(document)
    return document


def read_outline(json: bytes) -> Outline:
    """Read what tells its kind. Raises Malformed."""
    return _read(_decode_outline, json)


def _check_digests(document: Document) -> None:
    for field, blobs in (("layers", document.layers), ("blobs", document.blobs)):
        for position, blob in enumerate(blobs or ()):
            if not is_well_formed(blob.digest):
                raise Malformed(f"{field}[{position}].digest: not a digest")
    if document.config is not None and not is_well_formed(document.config.digest):
        raise Malformed("config.digest: not a digest")


def _read(decode: Callable[[bytes], _Read], json: bytes) -> _Read:
    try:
        return _decode_characters(decode, json)
    except msgspec.ValidationError as error:
        raise Malformed(_sentence(error)) from None
    except msgspec.DecodeError as error:
        what = str(error).removeprefix("JSON is malformed: ")
        raise Malformed(f"the text is not JSON: {_lowered(what)}") from None
    except RecursionError:
        raise Malformed("the JSON is nested too deeply") from None


def _decode_characters(decode: Callable[[bytes], _Read], json: bytes) -> _Read:
    """Decode; an escaped half of a character, which JSON allows, becomes a whole one."""
    try:
        return decode(json)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        whole = with_whole_characters(json)
        if whole == json:
            raise
        return decode(whole)


def _sentence(error: msgspec.ValidationError) -> str:
    """Put the field first: `config.size: expected `int`, got `str``."""
    what, _, place = str(error).partition(" - at `$.")
    if "matching regex" in what:
        what = "not a digest"
    return f"{place.removesuffix('`') or 'the text'}: {_lowered(what)}"


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
