"""What `explain` shows of a registry that is worked out by hand."""

import io
from collections.abc import Iterator
from random import Random

import duckdb
import pytest
from brute_force_registry import Registry
from described_registry import Description, reported, snapshots
from random_registries import registry
from rich.console import Console

from pipelines.errors import WarehouseError
from pipelines.page.explanation import explanation
from pipelines.warehouse.explain import explain_on

# What an explanation is made of, beside the tables themselves.
READ = ("tag_sizes", "tag_use", "repository_sizes", "gaps", "registry_size")
# `base` is in three images; one child of the index, and the manifest in c/bad, nobody could read.
DESCRIBED: Description = {
    "tags": {
        "a/app": {"v1": "image-1", "v2": "image-2", "[b]v3[/b]\x1b": "image-2"},
        "b/tool": {"multi": "index"},
        "c/bad": {"v1": "broken"},
        "c/foreign:5000": {"v1": "windows"},
    },
    "manifests": {
        "image-1": {"config": "config-1 10", "layers": ["base 1000", "own 200"]},
        "image-2": {"config": "config-2 11", "layers": ["base 1000"]},
        "image-3": {"config": "config-3 12", "layers": ["base 1000", "tool 300", "unsized"]},
        "index": {"children": ["image-3", "gone"]},
        "broken": {"kind": "invalid", "problem": "is no JSON"},
        "windows": {"layers": ["windows 5000 foreign", "own-2 7"]},
    },
}
NEXT_RUN = "nobody has read it: it is left for the next run"
PULL = "    → Let runs pull it (SWR_RESOLVE), or give it a tag of its own."
PUSH = "    → Push the image again, or delete its tag."
ASK = "    → Let runs ask for it (SWR_RESOLVE), or push the image again."
FIGURES = (
    "logical 3.2 kB, deduplicated 1.2 kB, exclusive ≤ 221 bytes, shared ≤ 1.0 kB,"
    " allocated ≤ 721 bytes"
)
ELSEWHERE = "What it alone uses is not exact, for elsewhere something may use the same blobs:"
SIGNS = ["", "≥ at least, ≤ at most, ≈ about, ? unknown: see docs/sizes.md"]
AS_OF = "Registry as of 2026-01-01 12:00:00 UTC"


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Its warehouse."""
    with reported(DESCRIBED, *READ) as con:
        yield con


def shown(con: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """The lines of a terminal of 100 columns, what is between columns made one blank."""
    file = io.StringIO()
    console = Console(file=file, width=100, markup=False, emoji=False, soft_wrap=True)
    console.print(explanation(explain_on(con, name)))
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert max(map(len, lines)) <= 100
    return [line if line.startswith(" ") else " ".join(line.split()) for line in lines]


def test_a_tag_shows_its_blobs_and_who_shares_them(con: duckdb.DuckDBPyConnection) -> None:
    """In the order of the image, with what elsewhere keeps its figure from being exact."""
    assert shown(con, "a/app:v1") == [
        "a/app:v1 → image-1 (image)",
        AS_OF,
        "Holds 1.2 kB; deleting this tag alone would give back ≤ 210 bytes.",
        "",
        "blob what size tags repositories used by",
        "config-1 configuration 10 bytes 1 1 only this tag",
        "base layer 0 1.0 kB 4 2 :[b]v3[/b]\\x1b, :v2, b/tool:multi",
        "own layer 1 200 bytes 1 1 only this tag",
        "",
        ELSEWHERE,
        "  invalid_manifest c/bad:v1: is no JSON",
        PUSH,
        f"  unread_child b/tool:multi: {NEXT_RUN}",
        PULL,
        *SIGNS,
    ]


def test_a_tag_that_was_seen_running_says_where() -> None:
    """And one that was not is not called unused."""
    described: Description = {
        "tags": {"a/app": {"v1": "image-1", "v2": "image-2"}},
        "manifests": {
            "image-1": {"layers": ["one 1"]},
            "image-2": {"layers": ["two 2"]},
        },
        "in_use": [{"cluster": "[prod]", "hours_ago": 24, "references": ["host/a/app:v1"]}],
    }
    with reported(described, *READ) as con:
        assert shown(con, "a/app:v1")[3] == "Seen in [prod], last on 2025-12-31 12:00 UTC."
        assert shown(con, "a/app:v2")[3] == (
            "Not seen in the snapshots of what runs, which may not show all that does."
        )


def test_what_is_not_known_of_a_tag_is_named(con: duckdb.DuckDBPyConnection) -> None:
    """Each part of it, what it is, and what would make it exact."""
    assert shown(con, "b/tool:multi")[2:] == [
        "Holds ≥ 1.3 kB; deleting this tag alone would give back ≈ 312 bytes.",
        "",
        "blob what size tags repositories used by",
        "base layer 0 1.0 kB 4 2 a/app:[b]v3[/b]\\x1b, a/app:v1, …",
        "tool layer 1 300 bytes 1 1 only this tag",
        "config-3 configuration 12 bytes 1 1 only this tag",
        "unsized layer 2 ? 1 1 only this tag",
        "",
        "Its own bytes are not exact, for of its parts:",
        "  size_unknown unsized: no manifest states the size of unsized",
        ASK,
        f"  unread_child gone: {NEXT_RUN}",
        PULL,
        ELSEWHERE,
        "  invalid_manifest c/bad:v1: is no JSON",
        PUSH,
        *SIGNS,
    ]


def test_a_child_of_an_index_is_a_manifest_of_its_own(con: duckdb.DuckDBPyConnection) -> None:
    """By the first digits of its digest; what of other children is not known is not said."""
    assert shown(con, "b/tool@image-3")[0:4] == [
        "b/tool@image-3 (image)",
        AS_OF,
        "Holds ≥ 1.3 kB.",
        "Reached by :multi.",
    ]
    assert shown(con, "b/tool@image-3")[11:14] == [
        "Its own bytes are not exact, for of its parts:",
        "  size_unknown unsized: no manifest states the size of unsized",
        ASK,
    ]


def test_a_repository_shows_the_largest_blobs_that_it_uses_alone(
    con: duckdb.DuckDBPyConnection,
) -> None:
    """With its figures; whatever the tags' names are."""
    assert shown(con, "a/app")[:9] == [
        "a/app",
        AS_OF,
        "3 tags on 2 manifests.",
        FIGURES,
        "",
        "Largest blobs that it uses alone",
        "blob what size tags repositories used by",
        "own layer 1 200 bytes 1 1 :v1",
        "config-2 configuration 11 bytes 2 1 :[b]v3[/b]\\x1b, :v2",
    ]


def test_a_foreign_layer_is_named_as_such(con: duckdb.DuckDBPyConnection) -> None:
    """Also where the repository's name holds what begins a tag's."""
    assert shown(con, "c/foreign:5000:v1")[4:7] == [
        "blob what size tags repositories used by",
        "windows layer 0, foreign - 0 0 the registry does not store it",
        "own-2 layer 1 7 bytes 1 1 only this tag",
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("a/ap", "no repository a/ap; the nearest are a/app: give NS/REPO"),
        ("zzz", "no repository zzz: give NS/REPO"),
        ("a/app:v9", r"^a/app has no live tag v9; the nearest are v1, v2\.$"),
        ("a/app@image-3", "No live tag of a/app reaches a manifest image-3"),
        ("a/app@image-", "begins several digests of a/app: image-1, image-2"),
        ("a/app@imag", "at least 6 digits"),
    ],
)
def test_what_is_not_there_is_told_with_the_nearest(
    con: duckdb.DuckDBPyConnection, name: str, told: str
) -> None:
    """In one sentence."""
    with pytest.raises(WarehouseError, match=told):
        explain_on(con, name)


def assert_equal(seed: int, tag_count: int) -> None:
    """Compare what is explained of the first tags of a random registry with the brute force."""
    description = registry(Random(seed), 25)
    known = Registry(snapshots(description)[-1])
    with reported(description, *READ) as con:
        for key in known.within()[:tag_count]:
            found = explain_on(con, f"{key[0]}/{key[1]}:{key[2]}")
            stored = [row for row in found.blobs if row["is_stored"]]
            assert {row["blob_digest"] for row in stored} == known.known.blobs(known.state[key])
            assert any(row["is_inside"] for row in found.gaps) == (known.tag_basis(key) != "exact")
            for row in stored:
                users = [
                    other
                    for other in known.within()
                    if row["blob_digest"] in known.known.blobs(known.state[other])
                ]
                assert row["size_bytes"] == known.known.size(row["blob_digest"])
                assert row["tag_count"] == len(users)
                assert [user[:3] for user in row["users"]] == users[:4]


@pytest.mark.parametrize("seed", range(6))
def test_blobs_and_their_users_equal_the_brute_force(seed: int) -> None:
    """For tags of a random registry: sizes, counts, first users, reasons."""
    assert_equal(seed, 6)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(50))
def test_blobs_and_users_of_many_registries_equal_the_brute_force(seed: int) -> None:
    """The same for fifty, and twice as many tags of each."""
    assert_equal(seed, 12)


def test_every_tag_of_an_exact_registry_is_said_to_be_exact() -> None:
    """Nothing is missing anywhere."""
    described = {"tags": {"a/app": {"v1": "image"}}, "manifests": {"image": {"layers": ["a 1"]}}}
    with reported(described, *READ) as con:
        assert shown(con, "a/app:v1")[-1] == "Every figure is exact."
        assert shown(con, "a/app")[-1] == "Every figure is exact."
