"""The registry as a file for ncdu, read back and counted as ncdu does."""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import duckdb
import pytest
from brute_force_registry import Registry
from described_registry import Description, reported, snapshots
from random_registries import registry

from pipelines.page.ncdu import ncdu_file
from pipelines.warehouse.asking import asking_on
from pipelines.warehouse.reclaimable import select_tags
from pipelines.warehouse.tag_tree import QUESTIONS, head_of, tree_of

Path = tuple[str, ...]
# All that the file takes from a report: which registry it is of, and as of when.
HEAD = "registry_size"
HOSTILE = ["a\x1b[31m", '"', "\\", "\u202e", "[b]", "back\nslash", "deep/er"]


def exported(con: duckdb.DuckDBPyConnection, choice: str = "from tags") -> list[Any]:
    """The file, read as JSON."""
    head, named = head_of(con), select_tags(con, choice)
    with asking_on(con, QUESTIONS) as asked:
        text = b"".join(ncdu_file(tree_of(asked, head, named)))
    whole: list[Any] = json.loads(text)
    return whole


def counted(directory: list[Any], path: Path = ()) -> Iterator[tuple[Path, dict[Any, int]]]:
    """The directories by their paths below the root, each with the files that ncdu counts once."""
    inodes: dict[Any, int] = {}
    info, *entries = directory
    for number, entry in enumerate(entries):
        if isinstance(entry, list):
            for below, found in counted(entry, (*path, entry[0]["name"])):
                yield below, found
                if len(below) == len(path) + 1:
                    inodes |= {
                        key if key[0] == "ino" else (below, key): size
                        for key, size in found.items()
                    }
        else:
            assert entry["asize" if "asize" in entry else "read_error"] is not None
            assert entry.get("asize") == entry.get("dsize")
            assert entry.get("hlnkc", False) is (entry.get("nlink", 1) > 1)
            key = ("ino", entry["ino"]) if entry.get("hlnkc") else ("file", number)
            inodes[key] = entry.get("asize", 0)
    assert info["name"]
    yield path, inodes


def sizes(directory: list[Any]) -> dict[Path, int]:
    """The size that ncdu shows of each directory."""
    return {path: sum(found.values()) for path, found in counted(directory)}


def test_the_file_is_of_the_format() -> None:
    """Version 1.2; a blob of two tags is one file with two links, another is a file."""
    described: Description = {
        "tags": {"a/app": {"v1": "one", "v2": "two"}},
        "manifests": {
            "one": {"layers": ["base 100", "own 7"]},
            "two": {"layers": ["base 100", "unsized"]},
        },
    }
    with reported(described, HEAD) as con:
        major, minor, about, root = exported(con)
    assert (major, minor, about["progname"]) == (1, 2, "swr-warehouse")
    assert about["timestamp"] == 1767268800
    base = {"name": "base", "asize": 100, "dsize": 100, "ino": 1, "hlnkc": True, "nlink": 2}
    assert root == [
        {"name": "/cn-north-4", "dev": 1},
        [
            {"name": "a"},
            [
                {"name": "app"},
                [{"name": "v1"}, base, {"name": "own", "asize": 7, "dsize": 7}],
                [
                    {"name": "v2", "read_error": True},
                    base,
                    {"name": "unsized", "read_error": True},
                ],
            ],
        ],
    ]


def assert_bytes_are_those_of_our_figures(seed: int) -> None:
    """Compare each directory of a random registry with the brute force."""
    description = registry(Random(seed), 30)
    known = Registry(snapshots(description)[-1])
    with reported(description, HEAD) as con:
        *_, root = exported(con)
    found = sizes(root)
    assert found.pop(()) == known.deduplicated(known.within())
    places = {key[:depth] for key in known.within() for depth in (1, 2, 3)}
    assert found == {place: known.deduplicated(known.within(*place)) for place in places}


@pytest.mark.parametrize("seed", range(6))
def test_every_directory_has_the_bytes_of_our_figures(seed: int) -> None:
    """To the byte: registry, namespaces and repositories deduplicated, tags logical."""
    assert_bytes_are_those_of_our_figures(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(6, 100))
def test_every_directory_of_many_registries_has_the_bytes_of_our_figures(seed: int) -> None:
    """The same for a hundred."""
    assert_bytes_are_those_of_our_figures(seed)


def test_a_query_chooses_the_tags() -> None:
    """What they hold together, whatever others use it too; links are those in the file."""
    described: Description = {
        "tags": {"a/app": {"v1": "one", "v2": "one"}, "b/app": {"v1": "one"}},
        "manifests": {"one": {"layers": ["base 100"]}},
    }
    with reported(described, HEAD) as con:
        *_, root = exported(con, "from tags where namespace = 'a'")
        assert sizes(root) == dict.fromkeys(
            [(), ("a",), ("a", "app"), ("a", "app", "v1"), ("a", "app", "v2")], 100
        )
        *_, empty = exported(con, "from tags where false")
    assert root[1][1][1][1]["nlink"] == 2
    assert empty == [{"name": "/cn-north-4", "dev": 1}]


def test_names_are_kept_whatever_they_are() -> None:
    """JSON says them in letters of its own."""
    described: Description = {
        "tags": {"a/deep/er": dict.fromkeys(HOSTILE, "one")},
        "manifests": {"one": {"layers": ["base 100"]}},
    }
    with reported(described, HEAD) as con:
        *_, root = exported(con)
    assert {path[2] for path in sizes(root) if len(path) == 3} == set(HOSTILE)
