"""Files of what runs: what of them is kept, and what never is."""

import json
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.errors import SnapshotError
from pipelines.running.snapshot import snapshot_of

AT = datetime(2026, 3, 1, tzinfo=UTC)
DIGEST = "sha256:" + "1" * 64
SECRET = "hunter2-is-no-secret"
Kept = list[tuple[str | None, str | None, str, int]]


def kept(*files: bytes) -> Kept:
    """Image, id, where it was found, and containers, of each reference of some files."""
    named = [(f"file {number}", data) for number, data in enumerate(files, start=1)]
    rows = snapshot_of(named, "prod", AT, AT, {}).to_pylist()
    names = ("image", "image_id", "found_in", "container_count")
    return [tuple(row[name] for name in names) for row in rows if row["reference"]]


def pod(*names: str, phase: str = "Running", **more: Any) -> dict[str, Any]:
    """A pod with a container for each image, and an environment."""
    environment = [{"name": "PASSWORD", "value": SECRET}]
    containers = [
        {"name": f"c{number}", "image": name, "env": environment, "args": [SECRET]}
        for number, name in enumerate(names)
    ]
    statuses = [{"name": f"c{number}", "imageID": DIGEST} for number, _ in enumerate(names)]
    return {
        "kind": "Pod",
        "metadata": {"annotations": {"last-applied": json.dumps({"env": SECRET})}},
        "spec": {"containers": containers, **more},
        "status": {"phase": phase, "containerStatuses": statuses},
    }


def listed(*objects: Any) -> bytes:
    """As kubectl prints them."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}).encode()


def test_every_kind_of_container_counts() -> None:
    """With what the runtime says of it, by its name; and volumes that are images."""
    whole = pod(
        "x/a",
        initContainers=[{"name": "i", "image": "x/init"}],
        ephemeralContainers=[{"name": "e", "image": "x/debug"}],
        volumes=[{"name": "data", "image": {"reference": "x/data:1"}}, {"name": "other"}],
    )
    whole["status"]["initContainerStatuses"] = [{"name": "i", "imageID": "docker://" + DIGEST}]
    whole["status"]["ephemeralContainerStatuses"] = [{"name": "e", "imageID": ""}]
    assert kept(listed(whole, pod("x/a"))) == [
        ("x/a", DIGEST, "pod", 2),
        ("x/debug", None, "pod", 1),
        ("x/init", "docker://" + DIGEST, "pod", 1),
        ("x/data:1", None, "volume", 1),
    ]


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ({"spec": {"template": {"spec": {"containers": [{"image": "x/a"}]}}}}, "template"),
        (
            {
                "spec": {
                    "jobTemplate": {
                        "spec": {"template": {"spec": {"initContainers": [{"image": "x/a"}]}}}
                    }
                }
            },
            "template",
        ),
        (
            {"spec": {"template": {"spec": {"volumes": [{"image": {"reference": "x/a"}}]}}}},
            "template",
        ),
        ({"status": {"images": [{"names": ["x/a", "<none>@<none>"]}, {"names": None}]}}, "node"),
        ({"spec": {"containers": [{"image": "x/a"}]}, "status": {"phase": "Failed"}}, "ended_pod"),
    ],
)
def test_what_is_only_named_held_or_ended_runs_nowhere(item: dict[str, Any], expected: str) -> None:
    """Controllers, cron jobs, nodes, pods that have ended."""
    assert kept(listed(item)) == [("x/a", None, expected, 0)]


def test_objects_without_images_are_nothing() -> None:
    """Of any kind, with nulls where lists may be."""
    nulls = {"spec": {"containers": None, "volumes": None, "template": None}, "status": None}
    claim = {"kind": "ConfigMap", "data": {"image": SECRET}}
    assert kept(listed(nulls, claim, pod(), {"spec": {"containers": [{"name": "x"}]}})) == []


def test_one_object_is_a_file_too() -> None:
    """As `kubectl get pod NAME -o json` prints it; and a byte order mark is no harm."""
    one = json.dumps(pod("x/a")).encode()
    expected: Kept = [("x/a", DIGEST, "pod", 1)]
    assert kept(one) == kept(b"\xef\xbb\xbf" + one) == expected
    assert kept(one.decode().encode("utf-16")) == expected


def test_an_odd_object_costs_no_other() -> None:
    """It is a reference that cannot be read, by its place."""
    odd = {"spec": {"containers": [{"image": {"secret": SECRET}}]}}
    assert kept(listed(odd, pod("x/a"))) == [
        ("x/a", DIGEST, "pod", 1),
        ("file 1, object 1", None, "unreadable", 0),
    ]


@pytest.mark.parametrize(
    "data",
    [
        listed(pod("x/a"))[:-3],
        b'{"items": {}}',
        b"{}",
        b'{"a": "\xff"}',
        b"\xff\x00",
        f"PASSWORD: {SECRET}".encode(),
        f"x/a {SECRET} 2".encode(),
    ],
)
def test_a_file_of_something_else_is_refused(data: bytes) -> None:
    """In a sentence that names the file and repeats nothing of it."""
    with pytest.raises(SnapshotError, match="file 1") as refused:
        kept(data)
    assert SECRET not in str(refused.value)
    assert refused.value.__context__ is None or refused.value.__suppress_context__


def test_a_list_may_count() -> None:
    """Before the reference or after it; remarks and empty lines are none."""
    text = b"# what crictl says\n\nx/a\n x/a 2\n  40 x/b:1\nx/a\n7\n"
    assert kept(text) == [
        ("7", None, "list", 1),
        ("x/a", None, "list", 4),
        ("x/b:1", None, "list", 40),
    ]


def test_a_line_that_is_no_reference_is_told_by_its_place() -> None:
    """It may be anything, so its text is not kept."""
    text = f"x/a\nPASSWORD={SECRET}\n".encode()
    assert kept(text) == [
        ("x/a", None, "list", 1),
        ("file 1, line 2", None, "unreadable", 0),
    ]


def test_files_are_one_snapshot_and_the_same_ones_the_same() -> None:
    """Whatever comes with them, whenever they are given."""
    files = [("a", listed(pod("x/a"))), ("b", b"x/b")]
    first = snapshot_of(files, "prod", AT, AT, {}).to_pylist()
    again = snapshot_of(files, "prod", AT, datetime(2026, 4, 1, tzinfo=UTC), {}).to_pylist()
    other = snapshot_of(files, "test", AT, AT, {}).to_pylist()
    assert [row["image"] for row in first] == ["x/b", "x/a"]
    assert {row["snapshot_id"] for row in first + again} == {first[0]["snapshot_id"]}
    assert other[0]["snapshot_id"] != first[0]["snapshot_id"]


def test_nothing_but_images_is_kept() -> None:
    """No environment, no argument, no annotation."""
    snapshot = snapshot_of([("a", listed(pod("x/a")))], "prod", AT, AT, {})
    assert SECRET not in json.dumps(snapshot.to_pylist(), default=str)


def test_an_empty_snapshot_is_one() -> None:
    """It says that nothing ran."""
    [row] = snapshot_of([("a", listed())], "prod", AT, AT, {}).to_pylist()
    assert row["cluster"] == "prod"
    assert row["reference"] is None


@given(st.lists(st.text(), max_size=20), st.lists(st.text(), max_size=20))
def test_every_reference_is_kept(images: list[str], ids: list[str]) -> None:
    """Whatever is written there: each container counts once."""
    pairs = list(zip(images, ids, strict=False))
    item = {
        "spec": {"containers": [{"name": str(n), "image": i} for n, (i, _) in enumerate(pairs)]},
        "status": {
            "containerStatuses": [{"name": str(n), "imageID": i} for n, (_, i) in enumerate(pairs)]
        },
    }
    found = kept(listed(item))
    assert sum(row[3] for row in found) == sum(bool(image or own) for image, own in pairs)
    assert {row[:2] for row in found} == {
        (image or None, own or None) for image, own in pairs if image or own
    }


def test_a_large_file_takes_little_more_than_itself() -> None:
    """Objects are decoded one by one, and only what is written down of them."""
    fat = pod("x/a", volumes=[{"name": "x" * 100, "configMap": {"name": "y" * 20_000}}])
    data = listed(*[fat] * 1000)
    assert len(data) > 20_000_000
    tracemalloc.start()
    try:
        assert kept(data) == [("x/a", DIGEST, "pod", 1000)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(data) / 10
