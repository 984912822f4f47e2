"""Reads one manifest's text: its kind, its configuration, layers and children, its problem.

Never raises, whatever the text. A malformed or ambiguous manifest is `invalid`; a JSON object of
no known kind is `unknown`. Other kinds may have a problem too: an unreadable optional field.
"""

from base64 import b64decode
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import lru_cache

import msgspec
from msgspec import UNSET

from pipelines.images import media_types as mt
from pipelines.images.digests import is_digest_of, signed_payload
from pipelines.images.encoding import encode_text
from pipelines.images.json_shapes import (
    Child,
    Descriptor,
    Document,
    Malformed,
    RawDocument,
    read_typed,
)
from pipelines.images.lenient import LenientReader

# Raise it when a text is read differently from now on: the next run reads all stored texts anew.
READER_VERSION = 1


# A layer has two commas of its own, and no client makes more than a hundred layers.
_MOST_COMMAS = 1_000_000


class Kind(StrEnum):
    """What a manifest is; the values of `manifests.manifest_kind`."""

    IMAGE = "image"
    INDEX = "index"
    SCHEMA1 = "schema1"
    ARTIFACT = "artifact"
    CACHE = "cache"
    UNKNOWN = "unknown"
    INVALID = "invalid"


class Manifest(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a manifest says, and its text as it can be stored; `text_bytes` are of UTF-8.

    `layers` are base first; those of a cache are the blobs that it lists. `embedded` are the
    texts of children that the index holds itself, as (digest, text).
    """

    digest: str = ""
    source: str = "tag"
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
    embedded: Sequence[tuple[str, str]] = ()

    @property
    def is_final(self) -> bool:
        """Whether no other text of the same digest can be better.

        A text that verifies is the only one, but for signatures that the digest does not cover.
        The loader asks the same of stored manifests: sql/load/02_macros.sql.
        """
        return self.digest_verified is True and self.kind not in _SIGNABLE

    @property
    def has_layers(self) -> bool:
        """Whether it is of a kind that has layers, even if it lists none."""
        return self.kind in _WITH_LAYERS


_Reader = Callable[[Document], Manifest]
_WITH_LAYERS = {Kind.IMAGE, Kind.ARTIFACT, Kind.SCHEMA1, Kind.CACHE}
# Only schema 1 may carry signatures that its digest does not cover.
_SIGNABLE = {Kind.SCHEMA1, Kind.INVALID}


def read_manifest(text: str, digest: str, source: str = "tag") -> Manifest:
    """Read a manifest's text and compare it with the digest it goes by. Never raises.

    Args:
        text: as received.
        digest: in its canonical form.
        source: where the text came from, a value of `manifests.source`.
    """
    stored, utf8, hashed = encode_text(text)
    manifest = _read(utf8)
    return msgspec.structs.replace(
        manifest,
        digest=digest,
        source=source,
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
    if len(text) > _MOST_COMMAS and text.count(b",") > _MOST_COMMAS:
        return _invalid("the text has more than 1,000,000 parts")
    try:
        document = read_typed(text)
        return _read_leniently(text) if document is None else _interpret(document)
    except Malformed as malformed:
        return _invalid(str(malformed))


def _read_leniently(text: bytes) -> Manifest:
    reader = LenientReader(text)
    if _reader_for(reader.media_type, reader.fields) is None:
        return Manifest(kind=Kind.UNKNOWN, media_type=reader.media_type or None)
    manifest = _interpret(reader.document())
    return msgspec.structs.replace(manifest, problem=reader.problem)


def _interpret(document: Document) -> Manifest:
    reader = _reader_for(document.media_type, document)
    return _unknown(document) if reader is None else reader(document)


def _reader_for(media_type: str | None, document: Document | RawDocument) -> _Reader | None:
    """Choose what reads a document by the media type it states, else by the fields it has.

    Raises:
        Malformed: clients may take it for different things (CVE-2021-41190).
    """
    is_image = document.layers is not UNSET or document.config is not UNSET
    is_index = document.manifests is not UNSET
    if is_image + is_index + (document.fs_layers is not UNSET) > 1:
        raise _ambiguous(document)
    return _reader_of_type(media_type) if media_type else _reader_of_fields(document)


@lru_cache(256)
def _reader_of_type(media_type: str) -> _Reader | None:
    if mt.is_image(media_type):
        return _image
    if mt.is_index(media_type):
        return _index
    if mt.is_schema1(media_type):
        return _schema1
    return _oci_artifact if mt.is_oci_artifact(media_type) else None


def _reader_of_fields(document: Document | RawDocument) -> _Reader | None:
    readers = {_READERS[field] for field in _fields(document)}
    if len(readers) > 1:
        raise _ambiguous(document)
    return next(iter(readers), None)


def _fields(document: Document | RawDocument) -> list[str]:
    """The fields it has, even as null, that only some kinds have."""
    return [field for field in _READERS if getattr(document, field) is not UNSET]


def _ambiguous(document: Document | RawDocument) -> Malformed:
    *others, last = _fields(document)
    names = f"{', '.join(others)} and {last}".replace("fs_layers", "fsLayers")
    return Malformed(f"ambiguous: it has {names}")


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
    if document.fs_layers is UNSET:
        raise Malformed("fsLayers is missing")
    layers = [Descriptor(layer.blob_sum) for layer in document.fs_layers or ()]
    default = mt.SCHEMA1_SIGNED if document.is_signed else mt.SCHEMA1
    return Manifest(
        kind=Kind.SCHEMA1,
        media_type=document.media_type or default,
        schema_version=document.schema_version,
        layers=layers[::-1],
    )


def _index(document: Document) -> Manifest:
    """Read an index; one that lists nothing but blobs, as BuildKit's cache does, is a cache."""
    _require_version(document, 2)
    if document.manifests is UNSET:
        raise Malformed("manifests is missing")
    children = document.manifests or ()
    is_cache = _is_cache(children)
    return Manifest(
        kind=Kind.CACHE if is_cache else Kind.INDEX,
        media_type=document.media_type or mt.OCI_INDEX,
        artifact_type=document.artifact_type,
        schema_version=document.schema_version,
        layers=[Descriptor(c.digest, c.size, c.media_type) for c in children] if is_cache else (),
        children=children,
        subject_digest=_subject(document),
        embedded=_embedded([child for child in children if child.data]),
    )


def _is_cache(children: Sequence[Child]) -> bool:
    for child in children:
        if not mt.is_blob_in_index(child.media_type):
            return False
    return bool(children)


def _embedded(children: Sequence[Child]) -> list[tuple[str, str]]:
    """The texts of those children that are manifests and whose `data` verifies."""
    texts = []
    for child in children:
        with suppress(ValueError):
            text = b64decode(child.data or "", validate=True)
            if not mt.is_blob_in_index(child.media_type) and is_digest_of(child.digest, text):
                texts.append((child.digest, text.decode()))
    return texts


def _image(document: Document) -> Manifest:
    """Read an image, or an artifact with an image's fields: see `media_types.is_image_config`."""
    _require_version(document, 2)
    config = document.config
    if config is None or config is UNSET:
        raise Malformed("config is missing")
    if document.layers is UNSET:
        raise Malformed("layers is missing")
    media_type = document.media_type or mt.image_of_config(config.media_type)
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


# What reads a document that states no media type, by the fields it has.
_READERS: dict[str, _Reader] = {
    "config": _image,
    "layers": _image,
    "manifests": _index,
    "fs_layers": _schema1,
    "blobs": _oci_artifact,
}
