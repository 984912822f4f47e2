"""Reads one manifest's text: its kind, its configuration, layers and children, or its problem.

Never raises, whatever the text. A malformed manifest is `invalid` with a problem; a JSON object
of no known kind is `unknown`. The JSON's own shapes are in `documents`.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import msgspec

from pipelines.images import media_types as mt
from pipelines.images.digests import is_digest_of, signed_payload
from pipelines.images.encoding import encoded
from pipelines.images.json_shapes import (
    ABSENT,
    Child,
    Descriptor,
    Document,
    Malformed,
    Outline,
    read_document,
    read_outline,
)


class Kind(StrEnum):
    """What a manifest is; the values of `manifests.manifest_kind`."""

    IMAGE = "image"
    INDEX = "index"
    SCHEMA1 = "schema1"
    ARTIFACT = "artifact"
    UNKNOWN = "unknown"
    INVALID = "invalid"


class Manifest(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a manifest says, and its text as it can be stored; `text_bytes` are of UTF-8.

    `problem` is one sentence if it is invalid. `layers` are base first.
    """

    digest: str = ""
    digest_verified: bool | None = None
    text: str = ""
    text_bytes: int = 0
    kind: Kind
    problem: str | None = None
    media_type: str | None = None
    artifact_type: str | None = None
    schema_version: int | None = None
    config: Descriptor | None = None
    layers: Sequence[Descriptor] = ()
    children: Sequence[Child] = ()
    subject_digest: str | None = None

    @property
    def is_settled(self) -> bool:
        """Whether no other text of the same digest can be better.

        One that verifies is the only one, but for signatures that the digest does not cover. The
        loader asks the same of what is stored: `is_settled` of sql/load.
        """
        return self.digest_verified is True and self.kind not in _SIGNABLE

    @property
    def has_layers(self) -> bool:
        """Whether it is of a kind that has layers, be they none."""
        return self.kind in _WITH_LAYERS


_Reader = Callable[[Document], Manifest]
_WITH_LAYERS = {Kind.IMAGE, Kind.ARTIFACT, Kind.SCHEMA1}
# Only schema 1 may carry signatures that its digest does not cover.
_SIGNABLE = {Kind.SCHEMA1, Kind.INVALID}


def read_manifest(text: str, digest: str) -> Manifest:
    """Read a manifest's text and compare it with the digest it goes by. Never raises."""
    stored, utf8, hashed = encoded(text)
    manifest = _read(utf8)
    return msgspec.structs.replace(
        manifest,
        digest=encoded(digest).stored,
        digest_verified=_is_verified(digest, hashed, manifest.kind),
        text=stored,
        text_bytes=len(utf8),
    )


def _is_verified(digest: str, text: bytes, kind: Kind) -> bool | None:
    verified = is_digest_of(digest, text)
    if verified is False and kind in _SIGNABLE and (payload := signed_payload(text)) is not None:
        return is_digest_of(digest, payload)
    return verified


def _read(text: bytes) -> Manifest:
    if not text.strip():
        return _invalid("the record carries no manifest text")
    try:
        document = read_document(text)
        reader = _reader(document)
        return _unknown(document) if reader is None else reader(document)
    except Malformed as malformed:
        return _misread(text, str(malformed))


def _misread(text: bytes, problem: str) -> Manifest:
    """Tell a malformed manifest from no JSON, and from JSON that need not have our fields."""
    try:
        outline = read_outline(text)
    except Malformed as malformed:
        return _invalid(str(malformed))
    if _reader(outline) is not None:
        return _invalid(problem)
    return Manifest(kind=Kind.UNKNOWN, media_type=outline.media_type or None)


def _reader(document: Document | Outline) -> _Reader | None:
    """Tell the kind by the stated media type, else by the shape: what reads such a document."""
    stated = document.media_type
    if not stated:
        return _reader_of_shape(document)
    if mt.is_image(stated):
        return _image
    if mt.is_index(stated):
        return _index
    if mt.is_schema1(stated):
        return _schema1
    return _oci_artifact if stated == mt.OCI_ARTIFACT else None


def _reader_of_shape(document: Document | Outline) -> _Reader | None:
    shapes = {
        "manifests": _index,
        "fs_layers": _schema1,
        "config": _image,
        "layers": _image,
        "blobs": _oci_artifact,
    }
    readers = (
        reader for field, reader in shapes.items() if getattr(document, field) not in (None, ABSENT)
    )
    return next(readers, None)


def _invalid(problem: str) -> Manifest:
    return Manifest(kind=Kind.INVALID, problem=problem)


def _unknown(document: Document) -> Manifest:
    return Manifest(
        kind=Kind.UNKNOWN,
        media_type=document.media_type or None,
        artifact_type=document.artifact_type,
        schema_version=document.schema_version,
    )


def _schema1(document: Document) -> Manifest:
    """Schema 1 lists its layers topmost first, without sizes."""
    _require_version(document, 1)
    layers = [Descriptor(layer.blob_sum) for layer in document.fs_layers or ()]
    told = mt.SCHEMA1_SIGNED if document.is_signed else mt.SCHEMA1
    return Manifest(
        kind=Kind.SCHEMA1,
        media_type=document.media_type or told,
        schema_version=document.schema_version,
        layers=layers[::-1],
    )


def _index(document: Document) -> Manifest:
    _require_version(document, 2)
    return Manifest(
        kind=Kind.INDEX,
        media_type=document.media_type or mt.OCI_INDEX,
        artifact_type=document.artifact_type,
        schema_version=document.schema_version,
        children=document.manifests or (),
        subject_digest=_subject(document),
    )


def _image(document: Document) -> Manifest:
    """Read an image, or an artifact in the guise of one: see `media_types.is_image_config`."""
    _require_version(document, 2)
    config = document.config
    if config is None:
        raise Malformed("config is missing")
    told = mt.DOCKER_MANIFEST if config.media_type == mt.DOCKER_CONFIG else mt.OCI_MANIFEST
    media_type = document.media_type or told
    is_image = mt.is_image_config(config.media_type, media_type) and not document.artifact_type
    return Manifest(
        kind=Kind.IMAGE if is_image else Kind.ARTIFACT,
        media_type=media_type,
        artifact_type=document.artifact_type,
        schema_version=document.schema_version,
        config=config,
        layers=document.layers or (),
        subject_digest=_subject(document),
    )


def _oci_artifact(document: Document) -> Manifest:
    return Manifest(
        kind=Kind.ARTIFACT,
        media_type=document.media_type or mt.OCI_ARTIFACT,
        artifact_type=document.artifact_type,
        schema_version=document.schema_version,
        layers=document.blobs or (),
        subject_digest=_subject(document),
    )


def _subject(document: Document) -> str | None:
    return None if document.subject is None else document.subject.digest


def _require_version(document: Document, version: int) -> None:
    if document.schema_version not in (None, version):
        raise Malformed(f"schemaVersion is {document.schema_version} instead of {version}")
