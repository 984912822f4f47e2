"""Pages become rows; a chunk of pages gives each digest one manifest."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.landing.writer import LandedPage
from pipelines.run.normalize import Chunk, _chunk
from pipelines.swr.wire import list_records

TEXT = json.dumps({"schemaVersion": 2, "manifests": []})
DIGEST = "sha256:" + hashlib.sha256(TEXT.encode()).hexdigest()
OTHER = "sha256:" + "0" * 64


def page(*tags: tuple[str, str, str]) -> LandedPage:
    """A landed page of tags given as (name, digest, manifest's text)."""
    return of_records(
        {"Tag": name, "digest": digest, "manifest": text, "updated": "2026-01-01T00:00:00Z"}
        for name, digest, text in tags
    )


def of_records(records: Iterable[dict[str, Any]], kept: list[int] | None = None) -> LandedPage:
    """A landed page of records."""
    body = [*records]
    return LandedPage("n", "r", 1, len(body), kept, json.dumps(body).encode())


def chunk_of(*pages: LandedPage, final: tuple[str, ...] = ()) -> Chunk:
    """Read pages as one chunk."""
    chunk = _chunk(iter(pages), lambda digests: set(final).intersection(digests))
    assert chunk is not None
    return chunk


def texts(chunk: Chunk) -> dict[str, str]:
    """Texts of the chunk's manifests by digest, each there once."""
    table = chunk.images.manifests
    found = {str(row["manifest_digest"]): str(row["manifest"]) for row in table.to_pylist()}
    assert len(found) == table.num_rows
    return found


def test_texts_of_one_digest_meet_across_pages() -> None:
    """The one that verifies is kept whenever it comes, else the shortest."""
    chunk = chunk_of(
        page(("a", DIGEST, "{}"), ("b", OTHER, "{  }")),
        page(("c", DIGEST, TEXT), ("d", OTHER, "{ }")),
        page(("e", DIGEST, "{}"), ("f", OTHER, "{  }")),
    )
    assert chunk.tags["tag"].to_pylist() == ["a", "b", "c", "d", "e", "f"]
    assert texts(chunk) == {DIGEST: TEXT, OTHER: "{ }"}


def test_what_is_stored_for_good_is_not_read_again() -> None:
    """Its tags are rows all the same."""
    chunk = chunk_of(page(("a", DIGEST, TEXT), ("b", OTHER, "{}")), final=(DIGEST,))
    assert chunk.tags["manifest_digest"].to_pylist() == [DIGEST, OTHER]
    assert texts(chunk) == {OTHER: "{}"}


def test_fields_that_cannot_be_read_are_named_in_the_row() -> None:
    """Digests are written one way, so that tags find their manifests."""
    (record,) = json.loads(page(("a", DIGEST.upper().removeprefix("SHA256:"), TEXT)).body)
    landed = of_records([record | {"size": "34.1 MB", "created": "N/A"}])
    (row,) = chunk_of(landed).tags.to_pylist()
    assert (row["manifest_digest"], row["api_size_bytes"], row["created_at"]) == (
        DIGEST,
        None,
        None,
    )
    assert row["unreadable_fields"] == "size,created"


VALUES: dict[str, list[Any]] = {
    "Tag": ["a", "b", "", None, 5, "é"],
    "tag": ["c", "", None],
    "digest": [DIGEST, OTHER, DIGEST.upper(), "0" * 64, "", None, "x"],
    "updated": [
        *("2026-01-01T00:00:00Z", "2026-01-01T08:00:00.5+08:00", "2026-01-01T00:00:00"),
        *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "", None),
    ],
    "created": ["2025-12-01T00:00:00Z", "2025-12-01T00:00:00+08:00", "N/A", "", None],
    "deleted": ["", "0001-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "N/A", None],
    "size": [5, "5", 2**63, -1, 0.5, None],
    "manifest": [TEXT, "", None, 5, "\ud800"],
    "unreadable": [[], ["size"]],
    "is_trusted": [True, "true", 1, None],
}
FIELDS = {name: st.sampled_from(values) for name, values in VALUES.items()}
USUAL = {"Tag": "a", "digest": DIGEST, "updated": "2026-01-01T00:00:00Z"}
RECORD = st.fixed_dictionaries({}, optional=FIELDS).map(lambda odd: USUAL | odd)


@given(st.lists(RECORD, max_size=4))
def test_records_are_the_same_beside_an_odd_one(records: list[dict[str, Any]]) -> None:
    """A page is decoded at once, or record by record where one is odd."""
    alone, beside = of_records(records), of_records([*records, {"id": 1}])
    listed = list_records(alone.body)
    assert listed == list_records(beside.body)[:-1]
    chunk, other = chunk_of(alone), chunk_of(beside)
    assert chunk.tags == other.tags
    assert chunk.rejected == other.rejected.slice(0, chunk.rejected.num_rows)
    assert chunk.counted == other.counted.slice(0, chunk.counted.num_rows)
    assert other.rejected.num_rows == chunk.rejected.num_rows + 1
    assert chunk.tags.num_rows + chunk.rejected.num_rows == len(records)


def test_only_the_records_that_were_kept_are_loaded() -> None:
    """Of a usual page as of one with an odd record, which may be among the kept ones."""
    records = [USUAL | {"Tag": name} for name in "abcd"]
    assert chunk_of(of_records(records, [1, 3])).tags["tag"].to_pylist() == ["b", "d"]
    chunk = chunk_of(of_records([*records, {"id": 7}], [0, 4]))
    assert chunk.tags["tag"].to_pylist() == ["a"]
    assert chunk.counted["record_key"].to_pylist() == ["#7"]
