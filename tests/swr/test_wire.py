"""Records are read as they come, each judged on its own."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from pipelines.swr.paging import RecordVersion
from pipelines.swr.wire import (
    SingleRepository,
    TagRecord,
    deletion_time,
    list_records,
    list_repositories,
    read_record,
    single_repository,
)

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
OPTIONAL: dict[str, Any] = {
    "id": 7,
    "repo_id": 3,
    "image_id": "c0ffee",
    "manifest": "{}",
    "schema": 2,
    "path": "h/a/b:1.0",
    "internal_path": "i/a/b:1.0",
    "size": 12,
    "is_trusted": True,
    "created": "2026-03-01T00:00:00Z",
    "deleted": "",
    "domain_id": "d",
    "scanned": True,
    "tag_type": 1,
}
FULL = GOOD | OPTIONAL
DEEP = "[" * 5000 + "]" * 5000
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
    assert record == ("1.0", RecordVersion(SEEN, DIGEST))


@pytest.mark.parametrize(
    ("record", "key", "updated"),
    [
        ("no object", "#sha256:", None),
        (None, "#sha256:", None),
        ({}, "#sha256:", None),
        (without("Tag"), "#7", SEEN),
        (GOOD | {"Tag": 5}, "#7", SEEN),
        (without("updated"), "1.0", None),
        (GOOD | {"updated": "yesterday"}, "1.0", None),
        (GOOD | {"updated": "0001-01-01T00:00:00+08:00"}, "1.0", None),
        (without("digest"), "1.0", SEEN),
        (GOOD | {"digest": ""}, "1.0", SEEN),
    ],
)
def test_an_unusable_record_is_counted_by_what_can_be_read_of_it(
    record: Any, key: str, updated: datetime | None
) -> None:
    """Its name, else its id, else the hash of its text, and its date where that is one."""
    before, bad, after = list_records(page(GOOD, record, GOOD | {"Tag": "2.0"}))
    assert (before.key, after.key) == ("1.0", "2.0")
    assert bad.key.startswith(key)
    assert bad.version.updated == updated


@pytest.mark.parametrize("body", [b"", b"null", b"{}", b"<html>", b'[{"Tag": "1', b'"x"', b"7"])
def test_a_body_that_is_no_array_is_an_error(body: bytes) -> None:
    """Never an empty list of tags."""
    with pytest.raises(msgspec.MsgspecError):
        list_records(body)


def test_bytes_that_are_no_utf8_reject_their_record_alone() -> None:
    """The page goes on."""
    body = page(GOOD).replace(b'"1.0"', b'"\xff"')
    (record,) = list_records(body)
    assert record.key == "#7"


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


ODD = [2**63, 1.5, "", "many", "N/A", [], {"a": 1}, True, "0001-01-01T00:00:00+08:00", -1, DEEP]


@pytest.mark.parametrize("value", ODD, ids=[str(value)[:8] for value in ODD])
@pytest.mark.parametrize("field", sorted(OPTIONAL))
def test_one_odd_field_costs_no_record(field: str, value: Any) -> None:
    """The field is null and named, or it can be read; the others are what they are."""
    raw = json.dumps(FULL | {field: "?"}).replace('"?"', as_json(value)).encode()
    record, plain = read_record(raw), read_record(json.dumps(FULL).encode())
    others = [name for name in plain.__struct_fields__ if name not in {field, "unreadable"}]
    assert [getattr(record, name) for name in others] == [getattr(plain, name) for name in others]
    assert record.unreadable in {(), (field,)}
    if record.unreadable:
        assert getattr(record, field) is None
    (listed,) = list_records(b"[" + raw + b"]")
    assert listed == ("1.0", RecordVersion(SEEN, fingerprint(record)))


def as_json(value: Any) -> str:
    """A value as JSON, deep ones included."""
    return value if value is DEEP else json.dumps(value)


def fingerprint(record: TagRecord) -> str:
    """What tells this version of a record from others."""
    return f"deleted {DIGEST}" if deletion_time(record) else DIGEST


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("size", "34.1 MB"),
        ("size", 2**63),
        ("size", 1.5),
        ("created", "nonsense"),
        ("created", "0001-01-01T00:00:00+08:00"),
        ("deleted", "maybe"),
        ("deleted", True),
        ("schema", "two"),
        ("schema", 2**31),
        ("path", 5),
        ("is_trusted", "perhaps"),
        ("manifest", {"schemaVersion": 2}),
        ("id", []),
    ],
)
def test_a_field_that_cannot_be_read_is_null_and_named(field: str, value: Any) -> None:
    """Whoever reads the record can say so; a tag that may be deleted is live."""
    record = read_record(json.dumps(FULL | {field: value}).encode())
    assert (getattr(record, field), record.unreadable) == (None, (field,))
    assert deletion_time(record) is None


def test_fields_without_a_value_are_null_and_no_problem() -> None:
    """Absent, null, or a date that means never."""
    nulls = dict.fromkeys(OPTIONAL) | {"deleted": "0001-01-01T00:00:00Z", "tag": None}
    record = read_record(json.dumps(FULL | nulls).encode())
    assert record == read_record(json.dumps(FULL | nulls | {"unreadable": ["size"]}).encode())
    assert (record.size, record.unreadable) == (None, ())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"Tag": 5}, "the tag name is missing"),
        ({"digest": None}, "the field 'digest' is missing"),
        ({"digest": ""}, "the digest is missing"),
        ({"digest": 5}, "the field 'digest' is unreadable"),
        ({"updated": "yesterday"}, "the field 'updated' is unreadable"),
        ({"updated": None}, "the field 'updated' is missing"),
        ({"updated": "0001-01-01T00:00:00+08:00"}, "the field 'updated' is unreadable"),
    ],
)
def test_a_record_is_rejected_for_what_it_needs(changed: dict[str, Any], reason: str) -> None:
    """Name, digest and time of update; the reason says which."""
    with pytest.raises(ValueError, match=f"^{reason}$"):
        read_record(json.dumps(FULL | changed).encode())


@pytest.mark.parametrize(
    "written", [DIGEST, DIGEST.upper(), "a" * 64, "A" * 64, "SHA256:" + "a" * 64]
)
def test_a_digest_is_the_same_however_it_is_written(written: str) -> None:
    """Without its algorithm or in upper case; the record's text keeps it as it came."""
    raw = json.dumps(GOOD | {"digest": written}).encode()
    (listed,) = list_records(b"[" + raw + b"]")
    assert listed == ("1.0", RecordVersion(SEEN, DIGEST))
    assert read_record(raw).digest == DIGEST


def test_records_without_name_and_id_are_told_apart() -> None:
    """Where every id is 0, by the hash of their text."""
    first, second = list_records(page({"id": 0, "size": 1}, {"id": 0, "size": 2}))
    assert first.key.startswith("#sha256:")
    assert first.key != second.key


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


def test_a_deletion_time_is_read() -> None:
    """A tag with one is not live."""
    deleted = read_record(json.dumps(GOOD | {"deleted": "2026-04-01T00:00:00Z"}).encode())
    assert deletion_time(deleted) == datetime(2026, 4, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("created_at", "?"),
        ("updated_at", "0001-01-01T00:00:00+08:00"),
        ("num_images", "some"),
        ("size", -(2**64)),
        ("is_public", "maybe"),
        ("total_range", []),
        ("namespace", 5),
    ],
)
def test_one_odd_field_costs_no_repository(field: str, value: Any) -> None:
    """What is not needed to read it must not hide it."""
    fields = {"name": "nginx", "num_images": 2, "total_range": 4, "is_public": True}
    ((record,), unreadable) = list_repositories(page(fields | {field: value}))
    expected = {"num_images": 2, "total_range": 4, "is_public": True, field: None}
    assert record.name == "nginx"
    assert {name: getattr(record, name) or None for name in expected} == expected
    assert unreadable == []


@pytest.mark.parametrize("nameless", [{"namespace": "a"}, {"name": ""}, {"name": 5}, "nginx", None])
def test_a_repository_without_a_name_is_said_to_be_there(nameless: Any) -> None:
    """Its neighbours are read."""
    records, unreadable = list_repositories(page({"name": "nginx"}, nameless))
    assert [record.name for record in records] == ["nginx"]
    assert unreadable == [json.dumps(nameless).encode()]


def test_a_single_repository_tells_its_count_and_account() -> None:
    """As far as they can be read."""
    assert single_repository(b'{"num_images": "17", "domain_id": "d"}') == SingleRepository(17, "d")
    assert single_repository(b'{"num_images": "some", "domain_id": "d"}') == SingleRepository(
        None, "d"
    )
    with pytest.raises(msgspec.MsgspecError):
        single_repository(b"[]")
