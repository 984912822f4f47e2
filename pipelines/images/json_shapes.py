"""The JSON of manifests: the fields that any known kind has, typed as the formats demand.

Most manifests keep to these types and are decoded at once; `lenient` reads the others field by
field. Other fields may hold anything. `manifest` says what a document means.
"""

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Raw, UnsetType

from pipelines.digests import Digest, is_well_formed

# A size beyond is a mistake: no blob has 70 TB.
MAXIMUM_SIZE = 2**46
Size = Annotated[int, msgspec.Meta(ge=0, le=MAXIMUM_SIZE)]
SchemaVersion = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
# Far more than RFC 6838 allows: what is asked of media types is cached, and bounded by this.
MediaType = Annotated[str, msgspec.Meta(max_length=1000)]
# Checked by `is_well_formed`, whose cache is bounded by this; longer ones are read by `lenient`.
_ShortText = Annotated[str, msgspec.Meta(max_length=255)]


class Descriptor(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A reference to a blob; in a document that was read, its digest is canonical."""

    digest: _ShortText
    size: Size | None = None
    media_type: MediaType | None = None


class Platform(msgspec.Struct, frozen=True, gc=False, rename={"os_version": "os.version"}):
    """What a child of an index runs on, verbatim."""

    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    os_version: str | None = None


class Annotations(
    msgspec.Struct, frozen=True, gc=False, rename={"reference_type": "vnd.docker.reference.type"}
):
    """The one annotation of a child that matters here."""

    reference_type: str | None = None


class Child(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A reference from an index to a manifest or a blob; `data` may embed its text in base64."""

    digest: Digest
    size: Size | None = None
    media_type: MediaType | None = None
    platform: Platform | None = None
    annotations: Annotations | None = None
    data: str | None = None

    @property
    def is_attestation(self) -> bool:
        """Whether the child attests how an image was built, and is no image itself."""
        annotations = self.annotations
        return annotations is not None and annotations.reference_type == "attestation-manifest"


class Schema1Layer(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A layer of schema 1, which states nothing but its digest."""

    blob_sum: Digest


class Subject(msgspec.Struct, frozen=True, gc=False):
    """The manifest that a referrer is about."""

    digest: Digest


class Document(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A manifest's JSON. A list that is null is empty, one that is UNSET is absent."""

    schema_version: SchemaVersion | None = None
    media_type: MediaType | None = None
    artifact_type: str | None = None
    config: Descriptor | UnsetType | None = UNSET
    layers: Sequence[Descriptor] | UnsetType | None = UNSET
    blobs: Sequence[Descriptor] | UnsetType | None = UNSET
    manifests: Sequence[Child] | UnsetType | None = UNSET
    fs_layers: Sequence[Schema1Layer] | UnsetType | None = UNSET
    signatures: Raw = Raw()
    subject: Subject | None = None

    @property
    def is_signed(self) -> bool:
        """Whether it carries signatures, as only schema 1 does."""
        return bytes(self.signatures) not in {b"", b"null"}


class RawDocument(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A document whose fields may hold anything."""

    schema_version: Raw | UnsetType = UNSET
    media_type: Raw | UnsetType = UNSET
    artifact_type: Raw | UnsetType = UNSET
    config: Raw | UnsetType = UNSET
    layers: Raw | UnsetType = UNSET
    blobs: Raw | UnsetType = UNSET
    manifests: Raw | UnsetType = UNSET
    fs_layers: Raw | UnsetType = UNSET
    signatures: Raw = Raw()
    subject: Raw | UnsetType = UNSET


class Malformed(Exception):
    """The text is no JSON object, or lacks what a manifest must have. Says which."""


_decode = msgspec.json.Decoder(Document).decode


def read_typed(json: bytes) -> Document | None:
    """Decode a manifest that keeps to the types, with canonical digests; None for any other."""
    try:
        document = _decode(json)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return document if all(map(is_well_formed, _blob_digests(document))) else None


def _blob_digests(document: Document) -> list[str]:
    digests = [blob.digest for blobs in (document.layers, document.blobs) for blob in blobs or ()]
    if document.config:
        digests.append(document.config.digest)
    return digests
