"""Reads a manifest's JSON field by field, where it does not keep to the types of `json_shapes`.

An optional field that cannot be read is null and named, and costs neither its neighbours nor the
manifest. A digest or a size that is none makes the manifest malformed: nothing could be summed up.
Nothing is decoded more than once a level, so time stays linear in the text.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, UnsetType

from pipelines.digests import canonical_digest, is_well_formed
from pipelines.images.encoding import with_whole_characters
from pipelines.images.json_shapes import (
    MAXIMUM_SIZE,
    Annotations,
    Child,
    Descriptor,
    Document,
    Malformed,
    Platform,
    Schema1Layer,
    SchemaVersion,
    Size,
    Subject,
)

T = TypeVar("T")
_ABSENT = Raw()
_NAMED_PROBLEMS = 3
_LONGEST_SIZE = len(str(MAXIMUM_SIZE))


class _Fields(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A document whose fields may hold anything."""

    schema_version: Raw = _ABSENT
    media_type: Raw = _ABSENT
    artifact_type: Raw = _ABSENT
    config: Raw = _ABSENT
    layers: Raw = _ABSENT
    blobs: Raw = _ABSENT
    manifests: Raw = _ABSENT
    fs_layers: Raw = _ABSENT
    signatures: Raw = _ABSENT
    subject: Raw = _ABSENT


class _Reference(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """A reference whose fields may hold anything."""

    digest: Raw = _ABSENT
    blob_sum: Raw = _ABSENT
    size: Raw = _ABSENT
    media_type: Raw = _ABSENT
    platform: Raw = _ABSENT
    annotations: Raw = _ABSENT
    data: Raw = _ABSENT


class _PlatformFields(msgspec.Struct, frozen=True, gc=False, rename={"os_version": "os.version"}):
    """A platform whose fields may hold anything."""

    os: Raw = _ABSENT
    architecture: Raw = _ABSENT
    variant: Raw = _ABSENT
    os_version: Raw = _ABSENT


class LenientReader:
    """Reads one document; `problem` then names the fields that could not be read."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    @property
    def problem(self) -> str | None:
        """The first few fields that could not be read, in one sentence; None for none."""
        more = len(self._problems) - _NAMED_PROBLEMS
        named = "; ".join(self._problems[:_NAMED_PROBLEMS])
        return (f"{named}; and {more} more" if more > 0 else named) or None

    def outline(self, json: bytes) -> tuple[str | None, set[str]]:
        """Tell the stated media type and which fields are there. Raises Malformed."""
        fields = _decoded(json, _Fields)
        there = {name for name in _Fields.__struct_fields__ if _is_there(getattr(fields, name))}
        return self._optional(fields.media_type, str, "mediaType"), there

    def document(self, json: bytes) -> Document:
        """Read a document of a known kind. Raises Malformed."""
        self._problems.clear()
        fields = _decoded(json, _Fields)
        return Document(
            schema_version=self._optional(fields.schema_version, SchemaVersion, "schemaVersion"),
            media_type=self._optional(fields.media_type, str, "mediaType"),
            artifact_type=self._optional(fields.artifact_type, str, "artifactType"),
            config=self._config(fields.config),
            layers=self._list(fields.layers, "layers", self._descriptor),
            blobs=self._list(fields.blobs, "blobs", self._descriptor),
            manifests=self._list(fields.manifests, "manifests", self._child),
            fs_layers=self._list(fields.fs_layers, "fsLayers", self._schema1_layer),
            signatures=fields.signatures,
            subject=self._subject(fields.subject),
        )

    def _config(self, raw: Raw) -> Descriptor | UnsetType | None:
        if not _is_there(raw):
            return UNSET
        return None if bytes(raw) == b"null" else self._descriptor(raw, "config")

    def _list(
        self, raw: Raw, place: str, read: Callable[[Raw, str], T]
    ) -> list[T] | UnsetType | None:
        if not _is_there(raw):
            return UNSET
        elements = _required(raw, list[Raw] | None, place)
        if elements is None:
            return None
        return [read(element, f"{place}[{number}]") for number, element in enumerate(elements)]

    def _descriptor(self, raw: Raw, place: str) -> Descriptor:
        fields = _required(raw, _Reference, place)
        return Descriptor(
            digest=_digest(fields.digest, place, "digest"),
            size=self._size(fields.size, f"{place}.size"),
            media_type=self._optional(fields.media_type, str, f"{place}.mediaType"),
        )

    def _child(self, raw: Raw, place: str) -> Child:
        fields = _required(raw, _Reference, place)
        return Child(
            digest=_digest(fields.digest, place, "digest"),
            size=self._size(fields.size, f"{place}.size"),
            media_type=self._optional(fields.media_type, str, f"{place}.mediaType"),
            platform=self._platform(fields.platform, f"{place}.platform"),
            annotations=self._optional(fields.annotations, Annotations, f"{place}.annotations"),
            data=self._optional(fields.data, str, f"{place}.data"),
        )

    def _platform(self, raw: Raw, place: str) -> Platform | None:
        fields = self._optional(raw, _PlatformFields, place)
        if fields is None:
            return None
        return Platform(
            os=self._optional(fields.os, str, f"{place}.os"),
            architecture=self._optional(fields.architecture, str, f"{place}.architecture"),
            variant=self._optional(fields.variant, str, f"{place}.variant"),
            os_version=self._optional(fields.os_version, str, f"{place}.os.version"),
        )

    def _schema1_layer(self, raw: Raw, place: str) -> Schema1Layer:
        return Schema1Layer(_digest(_required(raw, _Reference, place).blob_sum, place, "blobSum"))

    def _subject(self, raw: Raw) -> Subject | None:
        fields = self._optional(raw, _Reference, "subject")
        if fields is None:
            return None
        try:
            return Subject(_digest(fields.digest, "subject", "digest"))
        except Malformed as malformed:
            self._problems.append(str(malformed))
            return None

    def _size(self, raw: Raw, place: str) -> int | None:
        """Decode a size; one too large to be true is null and named. Raises Malformed."""
        if not _is_there(raw):
            return None
        if bytes(raw).isdigit() and (len(bytes(raw)) > _LONGEST_SIZE or int(raw) > MAXIMUM_SIZE):
            self._problems.append(f"{place}: more than 2^46 bytes")
            return None
        size: int | None = _required(raw, Size | None, place)
        return size

    def _optional(self, raw: Raw, kind: Any, place: str) -> Any:
        """Decode a field; null, and named, if it does not hold what it should."""
        if not _is_there(raw):
            return None
        try:
            return _required(raw, kind | None, place)
        except Malformed as malformed:
            self._problems.append(str(malformed))
            return None


def _is_there(raw: Raw) -> bool:
    return bytes(raw) != b""


def _digest(raw: Raw, place: str, field: str) -> str:
    if not _is_there(raw):
        raise Malformed(f"{place}: object missing required field `{field}`")
    try:
        digest = canonical_digest(msgspec.json.decode(raw, type=str))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        digest = ""
    if not is_well_formed(digest):
        raise Malformed(f"{place}.{field}: not a digest")
    return digest


def _required(raw: Raw, kind: Any, place: str) -> Any:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        what, _, inside = str(error).partition(" - at `$")
        raise Malformed(f"{place}{inside.removesuffix('`')}: {_lowered(what)}") from None


def _decoded(json: bytes, kind: type[T]) -> T:
    """Decode a whole text; an escaped half of a character, which JSON allows, becomes a whole one.

    Raises:
        Malformed: it is no JSON object.
    """
    for text in _readings(json):
        try:
            return msgspec.json.decode(text, type=kind)
        except msgspec.ValidationError as error:
            raise Malformed(f"the text: {_lowered(str(error))}") from None
        except msgspec.DecodeError as error:
            what = str(error).removeprefix("JSON is malformed: ")
            malformed = Malformed(f"the text is not JSON: {_lowered(what)}")
        except RecursionError:
            raise Malformed("the JSON is nested too deeply") from None
    raise malformed


def _readings(json: bytes) -> Iterator[bytes]:
    yield json
    whole = with_whole_characters(json)
    if whole != json:
        yield whole


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
