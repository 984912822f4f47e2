"""The API's own shapes, quirks kept: `Tag` with a capital, manifests as JSON text, numbers as text.

Decodes bodies into records and nothing more: what a manifest means is told by `pipelines.images`,
how a record becomes a row by `pipelines.run.normalize`. One odd field never costs its record: a
record that does not keep to its types is read again, field by field.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import MAXYEAR, MINYEAR, UTC, datetime
from itertools import chain
from typing import Annotated, Any, TypeVar

import msgspec

from pipelines.digests import canonical_digest
from pipelines.swr.json_parts import (
    LARGEST_TEXT,
    UNREADABLE,
    array_elements,
    has_too_many_commas,
    object_members,
)
from pipelines.swr.paging import ListedRecord, RecordVersion

# What the warehouse can hold; a number beyond is a mistake, not a size.
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]


class TagRecord(msgspec.Struct, frozen=True, gc=False):
    """One record of the tag list. Only name, digest and `updated` must be there.

    `unreadable` names the fields that are null because they do not hold what they should.
    """

    digest: str
    updated: datetime
    Tag: str = ""
    tag: str = ""
    id: Int64 | None = None
    repo_id: Int64 | None = None
    image_id: str | None = None
    manifest: str | None = None
    schema: Int32 | None = None
    path: str | None = None
    internal_path: str | None = None
    size: Int64 | None = None
    is_trusted: bool | None = None
    created: datetime | None = None
    pulled: datetime | None = None
    deleted: str | None = None
    domain_id: str | None = None
    scanned: bool | None = None
    tag_type: Int32 | None = None
    unreadable: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The tag's name: `Tag` in the list's records, `tag` in a single tag's."""
        return self.Tag or self.tag


class _ListedFields(msgspec.Struct, frozen=True, gc=False):
    """The fields of a record that paging needs; its manifest is skipped over."""

    digest: str
    updated: datetime
    Tag: str = ""
    tag: str = ""
    deleted: str | None = None


R = TypeVar("R", TagRecord, _ListedFields)


class _Namespace(msgspec.Struct, frozen=True):
    """One organization."""

    name: str


class _NamespaceList(msgspec.Struct, frozen=True):
    """The response that lists organizations; it has no pages."""

    namespaces: msgspec.Raw


class RepositoryRecord(msgspec.Struct, frozen=True):
    """One record of the repository list; `total_range` repeats the total of the query."""

    name: str
    namespace: str = ""
    is_public: bool | None = None
    size: Int64 | None = None
    num_images: Int64 | None = None
    num_download: Int64 | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    total_range: Int64 | None = None


class SingleRepository(msgspec.Struct, frozen=True):
    """The answer about one repository asked for by name."""

    num_images: Int64 | None = None
    domain_id: str | None = None


# The zero time of the language SWR is written in, sent for "never".
_NEVER = "0001-01-01"
# A smaller page is harmless, whatever it holds.
_LARGE = 8 * 2**20
# Eight times what the specification of OCI allows.
_LONGEST_NAME = 1024
_REQUIRED = ("digest", "updated")

# Numbers arrive as text from some regions: hence not strict.
_decode_record = msgspec.json.Decoder(TagRecord, strict=False).decode
_decode_page = msgspec.json.Decoder(list[TagRecord], strict=False).decode
_decode_listed = msgspec.json.Decoder(_ListedFields, strict=False).decode
_decode_listed_page = msgspec.json.Decoder(list[_ListedFields], strict=False).decode
_decode_repository = msgspec.json.Decoder(RepositoryRecord, strict=False).decode
_decode_namespace = msgspec.json.Decoder(_Namespace).decode
_decode_namespace_list = msgspec.json.Decoder(_NamespaceList | None).decode
_decode_single_repository = msgspec.json.Decoder(SingleRepository, strict=False).decode


def _field_decoders(shape: type[msgspec.Struct]) -> dict[str, msgspec.json.Decoder[Any]]:
    """A decoder for each field, to read them one by one."""
    return {
        field.name: msgspec.json.Decoder(field.type, strict=False)
        for field in msgspec.structs.fields(shape)
        if field.name != "unreadable"  # what the reader says, not the registry
    }


_TAG_FIELDS = _field_decoders(TagRecord)
_REPOSITORY_FIELDS = _field_decoders(RepositoryRecord)
_SINGLE_REPOSITORY_FIELDS = _field_decoders(SingleRepository)


def list_namespaces(body: bytes) -> list[str]:
    """The names of organizations; their list may be null.

    Raises:
        msgspec.MsgspecError: the body is not a list of organizations.
    """
    listed = _decode_namespace_list(body)
    if listed is None or bytes(listed.namespaces) == b"null":
        return []
    return [_decode_namespace(raw).name for raw in array_elements(bytes(listed.namespaces))]


def list_records(body: bytes) -> list[ListedRecord]:
    """Tell the records of a page apart, each judged on its own.

    Raises:
        msgspec.MsgspecError: the body is not a JSON array.
    """
    records = _decoded_at_once(body, _decode_listed_page)
    if records is None:
        return [listed_record(raw) for raw in array_elements(body)]
    return [
        ListedRecord(
            record.Tag or record.tag, RecordVersion(record.updated, canonical_digest(record.digest))
        )
        for record in records
    ]


def read_page(body: bytes) -> list[TagRecord] | None:
    """Decode all records of a page at once; None if any is odd: then `read_record` reads each."""
    records = _decoded_at_once(body, _decode_page)
    if records is None or any(record.unreadable for record in records):
        return None
    dates = chain.from_iterable((record.created, record.pulled) for record in records)
    if not all(date is None or date.tzinfo is UTC for date in dates):
        return None
    return records if all(canonical_digest(r.digest) == r.digest for r in records) else None


def _decoded_at_once(body: bytes, decode: Callable[[bytes], list[R]]) -> list[R] | None:
    """Decode a page's records; None if one is not what records usually are.

    A usual one has name and digest, a date in UTC, and is not flagged as deleted.
    """
    if len(body) > LARGEST_TEXT or (len(body) > _LARGE and has_too_many_commas(body)):
        return None
    try:
        records = decode(body)
    except UNREADABLE:
        return None
    usual = all(
        record.updated.tzinfo is UTC
        and record.digest
        and (record.Tag or record.tag)
        and _is_never(record.deleted)
        for record in records
    )
    return records if usual else None


def list_repositories(body: bytes) -> tuple[list[RepositoryRecord], list[bytes]]:
    """Split a page into its repositories and the texts of records without a readable name.

    Raises:
        msgspec.MsgspecError: the body is not a JSON array.
    """
    records, unreadable = [], []
    for raw in array_elements(body):
        try:
            records.append(_repository(raw))
        except UNREADABLE:
            unreadable.append(raw)
    return records, unreadable


def single_repository(body: bytes) -> SingleRepository:
    """Read the answer about one repository.

    Raises:
        msgspec.MsgspecError: the body is not a JSON object.
    """
    try:
        return _decode_single_repository(body)
    except UNREADABLE:
        values, _ = _readable_fields(body, _SINGLE_REPOSITORY_FIELDS)
        return SingleRepository(**values)


def read_record(raw: bytes) -> TagRecord:
    """Decode a whole record; its digest is in canonical form.

    Raises:
        ValueError: it is not usable; the text says why.
    """
    if is_too_large(raw):
        raise ValueError("the record is larger than 32 MB")
    try:
        record = _decode_record(raw)
        is_odd = bool(record.unreadable) or _has_odd_date(record, record.created)
    except UNREADABLE:
        is_odd = True
    if is_odd:
        record = _read_fields(raw)
    if not record.name:
        raise ValueError("the tag name is missing")
    if not record.digest:
        raise ValueError("the digest is missing")
    digest = canonical_digest(record.digest)
    return record if digest == record.digest else msgspec.structs.replace(record, digest=digest)


def is_too_large(raw: bytes) -> bool:
    """Whether a record is larger than any that a registry makes."""
    return len(raw) > LARGEST_TEXT


def deletion_time(record: TagRecord) -> datetime | None:
    """When a record says it was deleted; None for a live tag."""
    return _deletion_time(record.deleted)


def pull_time(record: TagRecord) -> datetime | None:
    """When a record says it was last pulled; None where it never was, or that is no date."""
    pulled = record.pulled
    return as_utc(pulled) if pulled and MINYEAR < pulled.year < MAXYEAR else None


def as_utc(moment: datetime) -> datetime:
    """Put a moment in UTC; the API means UTC where it names no zone."""
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def listed_record(raw: bytes) -> ListedRecord:
    """Tell one record from others, whatever it holds."""
    if is_too_large(raw):
        return _rejected(raw)
    fields: _ListedFields | TagRecord
    try:
        fields = _decode_listed(raw)
        is_odd = _has_odd_date(fields)
    except UNREADABLE:
        is_odd = True
    try:
        fields = read_record(raw) if is_odd else fields
    except ValueError:
        return _rejected(raw)
    name = fields.Tag or fields.tag
    if not name or not fields.digest:
        return _rejected(raw)
    digest = canonical_digest(fields.digest)
    # A record flagged as deleted must not pass for the live tag it was.
    fingerprint = f"deleted {digest}" if _deletion_time(fields.deleted) else digest
    return ListedRecord(name, RecordVersion(as_utc(fields.updated), fingerprint))


def _has_odd_date(fields: _ListedFields | TagRecord, created: datetime | None = None) -> bool:
    """Whether a date may be none, or none that can be put in UTC."""
    dates = (fields.updated, created or fields.updated)
    try:
        _deletion_time(fields.deleted)
    except ValueError:
        return True
    return not all(MINYEAR < date.year < MAXYEAR for date in dates)


def _read_fields(raw: bytes) -> TagRecord:
    """Read a record field by field.

    Raises:
        ValueError: digest or `updated` is missing or unreadable.
    """
    try:
        values, unreadable = _readable_fields(raw, _TAG_FIELDS)
    except msgspec.MsgspecError as error:
        raise ValueError(f"not a record: {error}") from None
    try:
        _deletion_time(values.get("deleted"))
    except ValueError:
        unreadable.append("deleted")
        del values["deleted"]
    for name in _REQUIRED:
        if name not in values:
            state = "unreadable" if name in unreadable else "missing"
            raise ValueError(f"the field {name!r} is {state}")
    return TagRecord(**values, unreadable=tuple(unreadable))


def _readable_fields(
    raw: bytes, decoders: Mapping[str, msgspec.json.Decoder[Any]]
) -> tuple[dict[str, Any], list[str]]:
    """Decode the fields of an object one by one; those that hold nothing are left out.

    Returns:
        Values by name, and the names of those that do not hold what they should.

    Raises:
        msgspec.MsgspecError: it is not a JSON object.
    """
    values: dict[str, Any] = {}
    unreadable = []
    for name, text in object_members(raw).items():
        if name not in decoders or text == b"null":
            continue
        try:
            value = decoders[name].decode(text)
            values[name] = as_utc(value) if isinstance(value, datetime) else value
        except (*UNREADABLE, OverflowError):
            unreadable.append(name)
    return values, unreadable


def _large_fields(raw: bytes) -> dict[str, Any]:
    """Name and date of a record too large to be cut, unless it is the name that is large.

    Raises:
        msgspec.MsgspecError: they cannot be read.
    """
    fields = _decode_listed(raw)
    name = fields.Tag or fields.tag
    if len(name) > _LONGEST_NAME or _has_odd_date(fields):
        return {}
    return {"Tag": name, "updated": as_utc(fields.updated)}


def _is_never(deleted: str | None) -> bool:
    return not deleted or deleted.startswith(_NEVER)


def _deletion_time(deleted: str | None) -> datetime | None:
    """Read the field `deleted`; None for a live tag.

    Raises:
        ValueError: it is not a date.
    """
    if deleted is None or _is_never(deleted):
        return None
    try:
        return as_utc(msgspec.convert(deleted, datetime))
    except (msgspec.MsgspecError, OverflowError) as error:
        raise ValueError(str(error)) from None


def _repository(raw: bytes) -> RepositoryRecord:
    """Read a record of the repository list.

    Raises:
        msgspec.MsgspecError: it has no readable name.
    """
    try:
        record = _decode_repository(raw)
        for date in filter(None, (record.created_at, record.updated_at)):
            as_utc(date)
    except (*UNREADABLE, OverflowError):
        values, _ = _readable_fields(raw, _REPOSITORY_FIELDS)
        record = RepositoryRecord(**{"name": "", **values})
    if not record.name:
        raise msgspec.DecodeError("it has no name")
    return record


def _rejected(raw: bytes) -> ListedRecord:
    text_hash = "sha256:" + hashlib.sha256(raw).hexdigest()
    try:
        values = _large_fields(raw) if is_too_large(raw) else _readable_fields(raw, _TAG_FIELDS)[0]
    except UNREADABLE:
        values = {}
    name = values.get("Tag") or values.get("tag")
    # Regions that send no ids send 0.
    key = name or f"#{values.get('id') or text_hash}"
    # A date that is readable still says where in the list the record stands.
    return ListedRecord(key, RecordVersion(values.get("updated"), text_hash))
