"""The emulator's registry: what pushes, deletions and given records leave behind."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipelines.emulator.registry import Registry

FIRST = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 9, 30, 0, 120_000, tzinfo=UTC)
IMAGE = json.dumps(
    {
        "schemaVersion": 2,
        "config": {"digest": "sha256:" + "c" * 64, "size": 1862},
        "layers": [{"size": 1_292_800}, {"size": 10_240}],
    }
)


def names(registry: Registry, *, column: str = "updated_at", descending: bool = False) -> list[str]:
    """Names of the tags of the one repository used here, in order."""
    tags = registry.tags("group", "app", column=column, descending=descending)
    return [tag.name for tag in tags]


def recorded(registry: Registry, tag: str, updated: str) -> None:
    """Add a record that says little more than when it was updated."""
    registry.add_record({"Tag": tag, "path": f"swr.example/group/app:{tag}", "updated": updated})


def test_a_push_makes_the_record_that_the_api_returns() -> None:
    """Every field of the API's page, with the sizes of config and layers added up."""
    registry = Registry()
    record = registry.push("group", "a/b", "latest", IMAGE, at=FIRST)
    path = "swr.cn-north-4.myhuaweicloud.com/group/a/b:latest"
    assert record == {
        "id": 32_900_000,
        "repo_id": 3_300_000,
        "Tag": "latest",
        "image_id": "c" * 64,
        "manifest": IMAGE,
        "digest": "sha256:" + hashlib.sha256(IMAGE.encode()).hexdigest(),
        "schema": 2,
        "path": path,
        "internal_path": path,
        "size": 1_304_902,
        "is_trusted": False,
        "created": "2026-03-01T09:30:00Z",
        "updated": "2026-03-01T09:30:00Z",
        "deleted": None,
        "domain_id": "0503dda878000fed0f75c0096d70a960",
        "scanned": False,
        "tag_type": 0,
    }
    assert [tag.wire for tag in registry.tags("group", "a/b")] == [record]


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        ("", (2, 0, 0, "")),
        ("[1]", (2, 0, 0, "")),
        ('{"schemaVersion": 1, "fsLayers": []}', (1, 0, 0, "")),
        ('{"schemaVersion": 2, "manifests": []}', (2, 1, 0, "")),
        ('{"config": {"size": 1, "digest": 7}, "layers": [{"size": "2"}]}', (2, 0, 0, "")),
        ('{"config": {"size": 1}, "layers": [{"size": 2}, 3]}', (2, 0, 0, "")),
        ('{"config": {"size": 1, "digest": "sha256:ab"}, "layers": []}', (2, 0, 1, "ab")),
        ("[" * 100_000, (2, 0, 0, "")),
    ],
)
def test_any_text_can_be_pushed(manifest: str, expected: tuple[int, int, int, str]) -> None:
    """What a manifest does not tell is 0 or empty in its record."""
    record = Registry().push("group", "app", "x", manifest, at=FIRST)
    told = (record["schema"], record["tag_type"], record["size"], record["image_id"])
    assert told == expected
    assert record["manifest"] == manifest


def test_a_pushed_tag_that_exists_moves() -> None:
    """It keeps its id and the time it was created; digest and `updated` are new."""
    registry = Registry()
    before = registry.push("group", "app", "latest", "old", at=FIRST)
    registry.push("group", "app", "other", "other", at=FIRST)
    after = registry.push("group", "app", "latest", "new", at=LATER, digest="sha256:given")
    assert after == before | {
        "manifest": "new",
        "digest": "sha256:given",
        "updated": "2026-03-02T09:30:00.12Z",
    }
    assert names(registry) == ["other", "latest"]
    assert registry.tag_count == 2


def test_a_push_is_stamped_in_utc() -> None:
    """Whatever zone its moment is given in."""
    china = timezone(timedelta(hours=8))
    at = datetime(2026, 1, 1, 4, 0, 0, 70, tzinfo=china)
    record = Registry().push("group", "app", "x", "{}", at=at)
    assert record["updated"] == "2025-12-31T20:00:00.00007Z"


def test_deletions_leave_what_held_the_deleted() -> None:
    """A repository without tags stays, and a namespace without repositories."""
    registry = Registry()
    registry.push("group", "app", "a", "{}", at=FIRST)
    registry.push("group", "app", "b", "{}", at=FIRST)
    registry.delete_tag("group", "app", "a")
    assert names(registry) == ["b"]
    registry.delete_tag("group", "app", "b")
    assert names(registry) == []
    record = registry.repository_record("group", "app")
    assert record is not None
    assert record["num_images"] == 0
    registry.delete_repository("group", "app")
    assert registry.repository_record("group", "app") is None
    assert [record["repo_count"] for record in registry.namespace_records()] == [0]


def test_what_is_not_there_cannot_be_deleted() -> None:
    """A mistyped name must not pass for a deletion."""
    registry = Registry()
    registry.push("group", "app", "a", "{}", at=FIRST)
    with pytest.raises(KeyError):
        registry.delete_tag("group", "app", "b")
    with pytest.raises(KeyError):
        registry.delete_repository("group", "ap")
    with pytest.raises(KeyError):
        registry.tags("group", "ap")


def test_tags_are_ordered_by_instants_not_by_the_text_of_their_stamps() -> None:
    """Stamps have 0 to 9 fraction digits; a nanosecond counts, and unreadable ones come first."""
    registry = Registry()
    for tag, updated in [
        ("e", "2026-03-01T09:30:00.1Z"),
        ("b", "2026-03-01T09:30:00Z"),
        ("d", "2026-03-01T09:30:00.000000002Z"),
        ("a", "2026-03-01T17:29:59.9999999+08:00"),
        ("c", "2026-03-01T09:30:00.000000001Z"),
        ("z", "yesterday"),
    ]:
        recorded(registry, tag, updated)
    assert names(registry) == ["z", "a", "b", "c", "d", "e"]
    assert names(registry, descending=True) == ["e", "d", "c", "b", "a", "z"]


def test_tied_tags_keep_one_order_in_each_direction() -> None:
    """Whatever order they came in and whatever is pushed afterwards; it is not mirrored."""
    registry = Registry()
    for tag in ("b", "c", "a"):
        recorded(registry, tag, "2026-03-01T09:30:00Z")
    registry.push("group", "app", "later", "{}", at=LATER)
    assert names(registry) == ["a", "b", "c", "later"]
    assert names(registry, descending=True) == ["later", "a", "b", "c"]
    registry.delete_tag("group", "app", "b")
    assert names(registry, descending=True) == ["later", "a", "c"]


def test_tags_are_ordered_by_name_too() -> None:
    """The order that newer versions of the API offer."""
    registry = Registry()
    for tag in ("v10", "v2", "V3"):
        registry.push("group", "app", tag, "{}", at=FIRST)
    assert names(registry, column="tag") == ["V3", "v10", "v2"]
    assert names(registry, column="tag", descending=True) == ["v2", "v10", "V3"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("swr.example.com/group/app:1.0", ("group", "app")),
        ("10.125.0.198:20202/group/app:1.0", ("group", "app")),
        ("localhost:5000/group/with/many/levels:sha256-ab.sig", ("group", "with/many/levels")),
        ("swr.example.com/group/app", ("group", "app")),
    ],
)
def test_a_records_path_tells_where_it_belongs(path: str, expected: tuple[str, str]) -> None:
    """The host may have a port, the repository levels."""
    registry = Registry()
    record = {"id": 5, "repo_id": 77, "Tag": "1.0", "path": path, "strange": [1e400, None]}
    registry.add_record(record)
    assert [tag.wire for tag in registry.tags(*expected)] == [record]
    described = registry.repository_record(*expected)
    assert described is not None
    assert described["id"] == 77


@pytest.mark.parametrize("path", [None, 3, "", "app:1.0", "host/app:1.0", "host/group/", "h//a:1"])
def test_a_record_without_a_place_is_refused(path: object) -> None:
    """It could not be served anywhere."""
    with pytest.raises(ValueError, match="path"):
        Registry().add_record({"Tag": "x", "path": path})


def test_records_without_a_readable_name_do_not_replace_each_other() -> None:
    """They are served like any other, for a client to judge."""
    registry = Registry()
    for tag in ("", None, 5):
        registry.add_record({"Tag": tag, "path": "swr.example/group/app:x", "digest": "d"})
    assert [tag.wire["Tag"] for tag in registry.tags("group", "app")] == ["", None, 5]


def test_a_repository_is_as_old_as_its_oldest_tag_and_as_new_as_its_newest() -> None:
    """Its size is the sum of what the records say; what no push tells can be set."""
    registry = Registry()
    registry.push("group", "app", "b", IMAGE, at=LATER)
    registry.push("group", "app", "a", IMAGE, at=FIRST)
    registry.describe("group", "app", is_public=True, download_count=12)
    path = "swr.cn-north-4.myhuaweicloud.com/group/app"
    described = {
        "name": "app",
        "category": "other",
        "description": "",
        "size": 2_609_804,
        "is_public": True,
        "num_images": 2,
        "num_download": 12,
        "url": "",
        "path": path,
        "internal_path": path,
    }
    assert registry.repository_records() == [
        {
            **described,
            "created_at": "2026-03-01T09:30:00Z",
            "updated_at": "2026-03-02T09:30:00.12Z",
            "domain_name": "0503dda878000fed0f75c0096d70a960",
            "namespace": "group",
            "tags": ["b", "a"],
            "status": False,
        }
    ]
    assert registry.repository_record("group", "app") == {
        "id": 3_300_000,
        "ns_id": 3_800_000,
        **described,
        "creator_id": "0503dda878000fed0f75c0096d70a960",
        "creator_name": "emulator",
        "created": "2026-03-01T09:30:00Z",
        "updated": "2026-03-02T09:30:00.12Z",
        "domain_id": "0503dda878000fed0f75c0096d70a960",
        "priority": 0,
    }
