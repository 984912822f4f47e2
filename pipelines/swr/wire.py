"""The API's own shapes, quirks kept: `Tag` with a capital, manifests as JSON text, numbers as text.

Decodes bodies into records and nothing more: what a manifest means is told by `pipelines.images`,
how a record becomes a row by `pipelines.run.normalize`.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from pipelines.swr.json_arrays import array_elements
from pipelines.swr.paging import ListedRecord, RecordVersion

# What the warehouse can hold; a number beyond is a mistake, not a size.
Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]


class TagRecord(msgspec.Struct, frozen=True, gc=False):
    """One record of the tag list. Only name, digest and `updated` must be there."""

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
    deleted: str | None = None
    domain_id: str | None = None
    scanned: bool | None = None
    tag_type: Int32 | None = None

    @property
    def name(self) -> str:
        """The tag's name: `Tag` in the list's records, `tag` in a single tag's."""
        return self.Tag or self.tag


class _Heading(msgspec.Struct, frozen=True, gc=False):
    """What the reading order needs of a record; its manifest is skipped over."""

    digest: str
    updated: datetime
    Tag: str = ""
    tag: str = ""
    deleted: str | None = None


class NamespaceRecord(msgspec.Struct, frozen=True):
    """One organization."""

    name: str


class NamespaceList(msgspec.Struct, frozen=True):
    """The response that lists organizations; it has no pages."""

    namespaces: list[NamespaceRecord]


class _RepositoryName(msgspec.Struct, frozen=True):
    """What a repository record must at least hold."""

    name: str
    namespace: str = ""


class RepositoryRecord(msgspec.Struct, frozen=True):
    """One record of the repository list."""

    name: str
    namespace: str = ""
    is_public: bool | None = None
    size: Int64 | None = None
    num_images: Int64 | None = None
    num_download: Int64 | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class SingleRepository(msgspec.Struct, frozen=True):
    """The answer about one repository asked for by name: what its list of tags is held against."""

    num_images: Int64 | None = None
    domain_id: str | None = None


# The zero time of the language SWR is written in, sent for "never".
_NEVER = "0001-01-01"

# Numbers arrive as text from some regions: hence not strict.
_record = msgspec.json.Decoder(TagRecord, strict=False)
_heading = msgspec.json.Decoder(_Heading, strict=False)
_repository_record = msgspec.json.Decoder(RepositoryRecord, strict=False)
_single_repository = msgspec.json.Decoder(SingleRepository, strict=False)
_repository_name = msgspec.json.Decoder(_RepositoryName)
_anything = msgspec.json.Decoder()
# What reading a hostile record can raise: wrong shape or syntax, bytes that are no UTF-8, depth.
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def list_records(body: bytes) -> list[ListedRecord]:
    """Split a page's body into records, each judged on its own.

    Raises:
        msgspec.MsgspecError: the body is not a JSON array.
    """
    return [_listed(raw) for raw in array_elements(body)]


def list_repositories(body: bytes) -> list[RepositoryRecord | None]:
    """Split a page of repositories; None stands for a record without a readable name.

    Raises:
        msgspec.MsgspecError: the body is not a JSON array.
    """
    return [_repository(raw) for raw in array_elements(body)]


def single_repository(body: bytes) -> SingleRepository:
    """Read the answer about one repository; of one whose numbers are odd nothing is known.

    Raises:
        msgspec.MsgspecError: the body is not a JSON object.
    """
    try:
        return _single_repository.decode(body)
    except UNREADABLE:
        msgspec.json.decode(body, type=dict[str, object])
        return SingleRepository()


def read_record(raw: bytes) -> TagRecord:
    """Decode a whole record.

    Raises:
        ValueError: it is not usable; the text says why.
    """
    try:
        record = _record.decode(raw)
    except UNREADABLE as error:
        raise ValueError(str(error)) from None
    if not record.name:
        raise ValueError("the tag name is missing")
    if not record.digest:
        raise ValueError("the digest is empty")
    return record


def deletion_time(record: TagRecord) -> datetime | None:
    """When the record says it was deleted; None for a live tag.

    Raises:
        ValueError: it says something unreadable.
    """
    if not record.deleted or record.deleted.startswith(_NEVER):
        return None
    try:
        return as_utc(msgspec.convert(record.deleted, datetime))
    except msgspec.MsgspecError as error:
        raise ValueError(f"deleted: {error}") from None


def as_utc(moment: datetime) -> datetime:
    """Put a moment in UTC; the API means UTC where it names no zone."""
    if moment.tzinfo is UTC:
        return moment
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _listed(raw: bytes) -> ListedRecord:
    try:
        heading = _heading.decode(raw)
        updated = as_utc(heading.updated)
    except (*UNREADABLE, OverflowError):
        return _rejected(raw)
    name = heading.Tag or heading.tag
    if not name or not heading.digest:
        return _rejected(raw)
    is_live = not heading.deleted or heading.deleted.startswith(_NEVER)
    # A record flagged as deleted must not pass for the live tag it was.
    fingerprint = heading.digest if is_live else f"deleted {heading.digest}"
    return ListedRecord(name, RecordVersion(updated, fingerprint), raw)


def _repository(raw: bytes) -> RepositoryRecord | None:
    """Read a repository record; if only its name is readable, that must do."""
    try:
        return _repository_record.decode(raw)
    except UNREADABLE:
        pass
    try:
        least = _repository_name.decode(raw)
    except UNREADABLE:
        return None
    return RepositoryRecord(name=least.name, namespace=least.namespace)


def _rejected(raw: bytes) -> ListedRecord:
    name, record_id = _name_and_id(raw)
    text_hash = "sha256:" + hashlib.sha256(raw).hexdigest()
    key = name or f"#{record_id if record_id is not None else text_hash}"
    return ListedRecord(key, RecordVersion(None, text_hash), raw)


def _name_and_id(raw: bytes) -> tuple[str | None, int | None]:
    try:
        record = _anything.decode(raw)
    except UNREADABLE:
        return None, None
    if not isinstance(record, dict):
        return None, None
    names: Sequence[object] = (record.get("Tag"), record.get("tag"))
    name = next((value for value in names if isinstance(value, str) and value), None)
    record_id = record.get("id")
    return name, record_id if isinstance(record_id, int) else None
