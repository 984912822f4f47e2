"""Reads a manifest's JSON field by field, where it does not keep to the types of `json_shapes`.

An optional field that cannot be read is null and named, and costs neither its neighbours nor the
manifest. A malformed digest or size makes the manifest malformed: nothing could be summed up.
Each level is decoded once, so time is linear in the length of the text.
"""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from pipelines.digests import Digest, canonical_digest
from pipelines.images.encoding import replace_lone_surrogates
from pipelines.images.json_shapes import (
    MAXIMUM_SIZE,
    Annotations,
    Child,
    Descriptor,
    Document,
    Malformed,
    MediaType,
    Platform,
    RawDocument,
    Schema1Layer,
    SchemaVersion,
    Size,
    Subject,
)

T = TypeVar("T")
_Raw = Raw | UnsetType
_NAMED_PROBLEMS = 3
_LONGEST_SIZE = len(str(MAXIMUM_SIZE))


class _Reference(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A reference whose fields may hold anything."""

    digest: _Raw = UNSET
    blob_sum: _Raw = UNSET
    size: _Raw = UNSET
    media_type: _Raw = UNSET
    platform: _Raw = UNSET
    annotations: _Raw = UNSET
    data: _Raw = UNSET


class _PlatformFields(msgspec.Struct, frozen=True, gc=False, rename={"os_version": "os.version"}):
    """A platform whose fields may hold anything."""

    os: _Raw = UNSET
    architecture: _Raw = UNSET
    variant: _Raw = UNSET
    os_version: _Raw = UNSET


class LenientReader:
    """Reads one document, and collects the names of the fields that it could not read."""

    def __init__(self, json: bytes) -> None:
        """Find the fields. Raises Malformed."""
        self._problems: list[str] = []
        self.fields = _decode_object(json)
        self.media_type = self._optional(self.fields.media_type, MediaType, "mediaType")

    @property
    def problem(self) -> str | None:
        """The first few fields that could not be read, in one sentence; None for none."""
        more = len(self._problems) - _NAMED_PROBLEMS
        named = "; ".join(self._problems[:_NAMED_PROBLEMS])
        return (f"{named}; and {more} more" if more > 0 else named) or None

    def document(self) -> Document:
        """Read a document of a known kind. Raises Malformed."""
        fields = self.fields
        return Document(
            schema_version=self._optional(fields.schema_version, SchemaVersion, "schemaVersion"),
            media_type=self.media_type,
            artifact_type=self._optional(fields.artifact_type, str, "artifactType"),
            config=self._config(fields.config),
            layers=self._list(fields.layers, "layers", self._descriptor),
            blobs=self._list(fields.blobs, "blobs", self._descriptor),
            manifests=self._list(fields.manifests, "manifests", self._child),
            fs_layers=self._list(fields.fs_layers, "fsLayers", _read_schema1_layer),
            signatures=fields.signatures,
            subject=self._subject(fields.subject),
        )

    def _config(self, raw: _Raw) -> Descriptor | UnsetType | None:
        if raw is UNSET:
            return UNSET
        return None if bytes(raw) == b"null" else self._descriptor(raw, "config")

    def _list(
        self, raw: _Raw, place: str, read: Callable[[Raw, str], T]
    ) -> list[T] | UnsetType | None:
        if raw is UNSET:
            return UNSET
        elements = _required(raw, list[Raw] | None, place)
        if elements is None:
            return None
        return [read(element, f"{place}[{number}]") for number, element in enumerate(elements)]

    def _descriptor(self, raw: Raw, place: str) -> Descriptor:
        fields = _required(raw, _Reference, place)
        return Descriptor(
            digest=_read_digest(fields.digest, place, "digest"),
            size=self._size(fields.size, f"{place}.size"),
            media_type=self._optional(fields.media_type, MediaType, f"{place}.mediaType"),
        )

    def _child(self, raw: Raw, place: str) -> Child:
        fields = _required(raw, _Reference, place)
        return Child(
            digest=_read_digest(fields.digest, place, "digest"),
            size=self._size(fields.size, f"{place}.size"),
            media_type=self._optional(fields.media_type, MediaType, f"{place}.mediaType"),
            platform=self._platform(fields.platform, f"{place}.platform"),
            annotations=self._optional(fields.annotations, Annotations, f"{place}.annotations"),
            data=self._optional(fields.data, str, f"{place}.data"),
        )

    def _platform(self, raw: _Raw, place: str) -> Platform | None:
        fields = self._optional(raw, _PlatformFields, place)
        if fields is None:
            return None
        return Platform(
            os=self._optional(fields.os, str, f"{place}.os"),
            architecture=self._optional(fields.architecture, str, f"{place}.architecture"),
            variant=self._optional(fields.variant, str, f"{place}.variant"),
            os_version=self._optional(fields.os_version, str, f"{place}.os.version"),
        )

    def _subject(self, raw: _Raw) -> Subject | None:
        fields = self._optional(raw, _Reference, "subject")
        if fields is None:
            return None
        try:
            return Subject(_read_digest(fields.digest, "subject", "digest"))
        except Malformed as malformed:
            self._problems.append(str(malformed))
            return None

    def _size(self, raw: _Raw, place: str) -> int | None:
        """Read a size; one too large to be true is null and named. Raises Malformed."""
        if raw is UNSET:
            return None
        digits = bytes(raw)
        if digits.isdigit() and (len(digits) > _LONGEST_SIZE or int(digits) > MAXIMUM_SIZE):
            self._problems.append(f"{place}: more than 2^46 bytes")
            return None
        size: int | None = _required(raw, Size | None, place)
        return size

    def _optional(self, raw: _Raw, kind: Any, place: str) -> Any:
        """Read a field; one that does not hold what it should is null and named."""
        if raw is UNSET:
            return None
        try:
            return _required(raw, kind | None, place)
        except Malformed as malformed:
            self._problems.append(str(malformed))
            return None


def _read_schema1_layer(raw: Raw, place: str) -> Schema1Layer:
    fields = _required(raw, _Reference, place)
    return Schema1Layer(_read_digest(fields.blob_sum, place, "blobSum"))


def _read_digest(raw: _Raw, place: str, field: str) -> str:
    if raw is UNSET:
        raise Malformed(f"{place}: object missing required field `{field}`")
    try:
        digest = canonical_digest(msgspec.json.decode(raw, type=str))
        return msgspec.convert(digest, Digest)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Malformed(f"{place}.{field}: not a digest") from None


def _required(raw: Raw, kind: Any, place: str) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        what, _, inside = str(error).partition(" - at `$")
        raise Malformed(f"{place}{inside.removesuffix('`')}: {_uncapitalized(what)}") from None


def _decode_object(json: bytes) -> RawDocument:
    """Decode a whole text. An escaped lone surrogate, which JSON allows, becomes U+FFFD.

    Raises:
        Malformed: it is no JSON object.
    """
    try:
        return _decode_fields(json)
    except Malformed:
        replaced = replace_lone_surrogates(json)
        if replaced == json:
            raise
    return _decode_fields(replaced)


def _decode_fields(json: bytes) -> RawDocument:
    try:
        return msgspec.json.decode(json, type=RawDocument)
    except msgspec.ValidationError as error:
        raise Malformed(f"the text: {_uncapitalized(str(error))}") from None
    except msgspec.DecodeError as error:
        what = str(error).removeprefix("JSON is malformed: ")
        raise Malformed(f"the text is not JSON: {_uncapitalized(what)}") from None
    except RecursionError:
        raise Malformed("the JSON is nested too deeply") from None


def _uncapitalized(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
