"""Artifacts, which instances of the enterprise edition list, as the tag records that others list.

An artifact has the digest of a manifest and any number of tags; the list states how many artifacts
there are, is paged by offset, and has no order that is documented. Which HTTP request a page
becomes is told in `instance`.
"""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from pipelines.digests import canonical_digest
from pipelines.swr.json_parts import UNREADABLE, array_elements
from pipelines.swr.paging import CrawlOutcome, CrawlStatus, Land, Page
from pipelines.swr.wire import list_records

# The API's own maximum; an offset must be a multiple of the limit.
MAXIMUM_LIMIT = 100
_MAXIMUM_WALKS = 4
_MAXIMUM_PAGES = 10_000
_NULL = msgspec.Raw(b"null")


class _Tag(msgspec.Struct):
    """A tag of an artifact, its fields as they are: what they mean is told in `wire`."""

    name: msgspec.Raw = _NULL
    id: msgspec.Raw = _NULL
    push_time: msgspec.Raw = _NULL
    pull_time: msgspec.Raw = _NULL


class _Artifact(msgspec.Struct):
    digest: str
    size: msgspec.Raw = _NULL
    push_time: msgspec.Raw = _NULL
    tags: list[_Tag] | None = None


class _Record(msgspec.Struct):
    """A tag record, by the names that the tag list of the other edition has."""

    Tag: msgspec.Raw
    id: msgspec.Raw
    digest: str
    size: msgspec.Raw
    updated: msgspec.Raw
    pulled: msgspec.Raw


class _List(msgspec.Struct):
    artifacts: msgspec.Raw = _NULL
    total: int | None = None


class ArtifactPage(NamedTuple):
    """A page of artifacts: their tags as a page of tag records, and what tells the artifacts.

    `versions` has an entry for each artifact: its digest, and what of it may change but for the
    time of its last pull. `total` counts artifacts, tagged or not.
    """

    tags: Page
    versions: tuple[tuple[str, bytes], ...]
    total: int | None


class _Walk(NamedTuple):
    """What one walk through the list has read; `keys` are those of the tag records."""

    versions: frozenset[tuple[str, bytes]]
    keys: frozenset[str]
    rows: int
    pages: int
    is_whole: bool


def artifact_page(body: bytes) -> ArtifactPage:
    """Read an answer of the artifacts call.

    Raises:
        msgspec.MsgspecError: it is no object with a list of artifacts.
    """
    answer = msgspec.json.decode(body, type=_List, strict=False)
    is_none = bytes(answer.artifacts) == b"null"
    texts = [] if is_none else array_elements(bytes(answer.artifacts))
    records, versions = [], []
    for text in texts:
        own, version = _read(text)
        records += own
        versions.append(version)
    tags = b"[%b]" % b",".join(records)
    return ArtifactPage(Page(list_records(tags), None, None, tags), tuple(versions), answer.total)


def _read(text: bytes) -> tuple[list[bytes], tuple[str, bytes]]:
    """The records of an artifact's tags, and its version; one that is unreadable is a record."""
    try:
        artifact = msgspec.json.decode(text, type=_Artifact)
    except UNREADABLE:
        return [text], (f"#{hashlib.sha256(text).hexdigest()}", b"")
    tags = artifact.tags or []
    records = [msgspec.json.encode(_record(artifact, tag)) for tag in tags]
    pushed = sorted(bytes(tag.name) + bytes(tag.push_time) for tag in tags)
    return records, (canonical_digest(artifact.digest), b",".join(pushed))


def _record(artifact: _Artifact, tag: _Tag) -> _Record:
    is_pushed = bytes(tag.push_time) not in {b"null", b'""'}
    return _Record(
        Tag=tag.name,
        id=tag.id,
        digest=artifact.digest,
        size=artifact.size,
        updated=tag.push_time if is_pushed else artifact.push_time,
        pulled=tag.pull_time,
    )


def read_artifacts(ask: Callable[[int], ArtifactPage], land: Land) -> CrawlOutcome:
    """Read the artifacts of a repository, and land their tags.

    A single page is one answer, so it cannot miss anything. A longer list may move while it is
    read: an artifact that is deleted lets the others move up, and one is skipped that neither the
    total nor the number of artifacts need tell, where another was pushed. So it is read until two
    walks in a row show the same.

    Args:
        ask: gives the page at an offset, of up to `MAXIMUM_LIMIT` artifacts.
        land: receives pages of tag records, by the number of the walk.

    Raises:
        SwrError: a page could not be had.
    """
    pages = 0
    before: _Walk | None = None
    for number in range(1, _MAXIMUM_WALKS + 1):
        walk = _walk(number, ask, land)
        pages += walk.pages
        is_same = before is not None and before.versions == walk.versions
        if walk.is_whole and (walk.pages == 1 or is_same):
            return _outcome(CrawlStatus.COMPLETE, walk, number, pages)
        before = walk
    return _outcome(CrawlStatus.INCOMPLETE, walk, number, pages)


def _walk(number: int, ask: Callable[[int], ArtifactPage], land: Land) -> _Walk:
    """Read page after page to the stated end, or to an empty one."""
    versions: set[tuple[str, bytes]] = set()
    keys: set[str] = set()
    totals: set[int | None] = set()
    rows = pages = 0
    while pages < _MAXIMUM_PAGES:
        page = ask(pages * MAXIMUM_LIMIT)
        pages += 1
        if count := len(page.tags.records):
            land(number, page.tags, range(count))
        rows += count
        keys |= page.tags.keys
        totals.add(page.total)
        versions.update(page.versions)
        if not page.versions or pages * MAXIMUM_LIMIT >= (page.total or 0):
            break
    is_whole = totals == {len({digest for digest, _ in versions})}
    return _Walk(frozenset(versions), frozenset(keys), rows, pages, is_whole)


def _outcome(status: CrawlStatus, walk: _Walk, walks: int, pages: int) -> CrawlOutcome:
    """The totals of a reading; how many tags there should be is not stated."""
    is_complete = status is CrawlStatus.COMPLETE
    return CrawlOutcome(
        status=status,
        first_walk=walks if is_complete else 1,
        lists_everything=is_complete and not any(key.startswith("#") for key in walk.keys),
        walks=walks,
        pages=pages,
        expected=None,
        received=len(walk.keys),
        duplicates=walk.rows - len(walk.keys),
    )
