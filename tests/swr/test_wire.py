"""Records are read as they come, each judged on its own."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pipelines.swr.paging import RecordVersion
from pipelines.swr.wire import deletion_time, list_records, list_repositories, read_record

DIGEST = "sha256:" + "a" * 64
GOOD: dict[str, Any] = {
    "id": 7,
    "repo_id": 3,
    "Tag": "1.0",
    "manifest": "{}",
    "digest": DIGEST,
    "size": 12,
    "updated": "2026-03-26T07:42:40.069829Z",
    "deleted": None,
}
SEEN = datetime(2026, 3, 26, 7, 42, 40, 69829, UTC)


def page(*records: Any) -> bytes:
    """A page's body."""
    return json.dumps(records).encode()


def without(name: str) -> dict[str, Any]:
    """The good record without one field."""
    return {key: value for key, value in GOOD.items() if key != name}


def test_a_record_is_listed_by_name_time_and_digest() -> None:
    """And its text is kept as it came, white space and all."""
    raw = json.dumps(GOOD, indent=2).encode()
    (record,) = list_records(b"[ " + raw + b" ]")
    assert record == ("1.0", RecordVersion(SEEN, DIGEST), raw)


@pytest.mark.parametrize(
    ("record", "key"),
    [
        ("no object", "#sha256:"),
        (None, "#sha256:"),
        ({}, "#sha256:"),
        (without("Tag"), "#7"),
        (GOOD | {"Tag": 5}, "#7"),
        (without("updated"), "1.0"),
        (GOOD | {"updated": "yesterday"}, "1.0"),
        (GOOD | {"updated": "0001-01-01T00:00:00+08:00"}, "1.0"),
        (without("digest"), "1.0"),
        (GOOD | {"digest": ""}, "1.0"),
    ],
)
def test_an_unusable_record_is_counted_by_what_can_be_read_of_it(record: Any, key: str) -> None:
    """Its name, else its id, else the hash of its text; its neighbours are not disturbed."""
    before, bad, after = list_records(page(GOOD, record, GOOD | {"Tag": "2.0"}))
    assert (before.key, after.key) == ("1.0", "2.0")
    assert bad.key.startswith(key)
    assert bad.version.updated is None


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"<html>", b'[{"Tag": "1', b'"x"', b"7"])
def test_a_body_that_is_no_array_is_an_error(body: bytes) -> None:
    """Never an empty list of tags."""
    with pytest.raises(msgspec.MsgspecError):
        list_records(body)


def test_bytes_that_are_no_utf8_reject_their_record_alone() -> None:
    """The page goes on."""
    body = page(GOOD).replace(b'"1.0"', b'"\xff"') + b""
    (record,) = list_records(body)
    assert record.key.startswith("#sha256:")
    assert record.raw == body[1:-1]


def test_a_record_flagged_as_deleted_is_no_longer_what_it_was() -> None:
    """Its fingerprint differs from the live tag's, so that the flag is news."""
    (record,) = list_records(page(GOOD | {"deleted": "2026-04-01T00:00:00Z"}))
    assert record.version == RecordVersion(SEEN, f"deleted {DIGEST}")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2018-07-06T06:18:55Z", datetime(2018, 7, 6, 6, 18, 55, tzinfo=UTC)),
        ("2018-07-06T06:18:55.5Z", datetime(2018, 7, 6, 6, 18, 55, 500_000, UTC)),
        ("2017-09-11T03:00:02.542841141Z", datetime(2017, 9, 11, 3, 0, 2, 542_841, UTC)),
        ("2018-07-06T14:18:55+08:00", datetime(2018, 7, 6, 6, 18, 55, tzinfo=UTC)),
        ("2018-07-06T06:18:55", datetime(2018, 7, 6, 6, 18, 55, tzinfo=UTC)),
    ],
)
def test_times_have_up_to_nine_fraction_digits(text: str, moment: datetime) -> None:
    """All that the service is known to send; finer than microseconds is rounded."""
    (record,) = list_records(page(GOOD | {"updated": text}))
    assert record.version.updated == moment


def test_numbers_may_come_as_text() -> None:
    """Some regions send them so."""
    record = read_record(json.dumps(GOOD | {"size": "1304902", "id": "7"}).encode())
    assert (record.size, record.id) == (1_304_902, 7)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", 2**63),
        ("size", 1.5),
        ("size", "many"),
        ("created", "nonsense"),
        ("schema", 2**31),
        ("path", 5),
        ("is_trusted", "perhaps"),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(field: str, value: Any) -> None:
    """The reason a record is rejected says where to look."""
    with pytest.raises(ValueError, match=rf"\$\.{field}"):
        read_record(json.dumps(GOOD | {field: value}).encode())


def test_unknown_fields_and_absent_ones_do_no_harm() -> None:
    """The API has grown before."""
    record = read_record(json.dumps(without("size") | {"colour": {"deep": [1]}}).encode())
    assert (record.name, record.size, record.scanned) == ("1.0", None, None)


def test_the_largest_size_the_api_allows_is_kept() -> None:
    """2^63 - 1."""
    assert read_record(json.dumps(GOOD | {"size": 2**63 - 1}).encode()).size == 2**63 - 1


@pytest.mark.parametrize("never", [None, "", "0001-01-01T00:00:00Z"])
def test_a_live_tag_was_never_deleted(never: str | None) -> None:
    """Null, empty, and the zero time all mean never."""
    assert deletion_time(read_record(json.dumps(GOOD | {"deleted": never}).encode())) is None


def test_a_deletion_time_is_read_or_named() -> None:
    """A time is a time; anything else is said."""
    deleted = read_record(json.dumps(GOOD | {"deleted": "2026-04-01T00:00:00Z"}).encode())
    assert deletion_time(deleted) == datetime(2026, 4, 1, tzinfo=UTC)
    nonsense = read_record(json.dumps(GOOD | {"deleted": "maybe"}).encode())
    with pytest.raises(ValueError, match="deleted"):
        deletion_time(nonsense)


def test_a_repository_with_an_unreadable_stamp_keeps_its_name() -> None:
    """What is not needed to read it must not hide it; what has no name is said to be there."""
    body = page({"name": "nginx", "namespace": "a", "created_at": "?"}, {"namespace": "a"})
    named, nameless = list_repositories(body)
    assert named is not None
    assert (named.namespace, named.name, named.created_at) == ("a", "nginx", None)
    assert nameless is None
