"""What deleting some tags gives back to each, and what it would break, over any registry."""

from collections.abc import Sequence
from random import Random

import pytest
from brute_force_breaks import breaks, shares
from brute_force_registry import Key, Registry
from described_registry import Description, expand, warehouse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_registries import registries

from pipelines.warehouse.asking import Asked, asking_on
from pipelines.warehouse.reclaimable import chosen_tags, count_sets

TOO_BIG = [HealthCheck.too_slow, HealthCheck.data_too_large]
QUESTIONS = ("decidable_tags", "reclaimable", "shares", "breaks")
SUBJECT = "sha256:" + "1" * 64
SIGNATURE = "sha256-" + "1" * 64 + ".sig"


def keys_of(asked: Asked) -> dict[Key, int]:
    """The key of each live tag."""
    rows = asked.ask("decidable_tags").to_pylist()
    return {(row["namespace"], row["repository"], row["tag"]): row["tag_key"] for row in rows}


def found(description: Description, *deleted: str) -> list[tuple[str, str, str, str]]:
    """The kind of each break, whom it hits, what is lost and which tag goes first."""
    with warehouse(expand(description)) as con, asking_on(con, QUESTIONS) as asked:
        keys = keys_of(asked)
        named = [key for name, key in keys.items() if "{}/{}:{}".format(*name) in deleted]
        rows = asked.ask("breaks", chosen=chosen_tags({0: named})).to_pylist()
    return [
        (
            row["kind"],
            "{namespace}/{repository}:{tag}".format(**row),
            row["lost_digest"],
            "{deleted_namespace}/{deleted_repository}:{deleted_tag}".format(**row),
        )
        for row in rows
    ]


DESCRIBED: Description = {
    "tags": {
        "team/app": {
            "multi": "index",
            "amd64": "child",
            "amd64-too": "child",
            "latest": "image",
            "v1": "image",
            SIGNATURE: "signature",
            "signed": SUBJECT,
        },
        "team/tool": {"multi": "index", "signed": SUBJECT, "v1": "image"},
    },
    "manifests": {
        "index": {"children": ["child"]},
        "child": {"layers": ["a 1"]},
        "image": {"layers": ["b 2"]},
        SUBJECT: {"layers": ["c 3"]},
        "signature": {"kind": "artifact", "layers": ["s 4"]},
    },
}


@pytest.mark.parametrize(
    ("deleted", "expected"),
    [
        ([], []),
        # One of two tags on the child: the other keeps it, but SWR might delete the manifest.
        (
            ["team/app:amd64"],
            [("shared_digest", "team/app:amd64-too", "child", "team/app:amd64")],
        ),
        # Both: the index of this repository loses it. The other's never had a tag for it.
        (
            ["team/app:amd64", "team/app:amd64-too"],
            [("lost_child", "team/app:multi", "child", "team/app:amd64")],
        ),
        (["team/app:amd64", "team/app:amd64-too", "team/app:multi"], []),
        # The other repository is another.
        (["team/app:v1"], [("shared_digest", "team/app:latest", "image", "team/app:v1")]),
        (["team/app:v1", "team/app:latest"], []),
        # A subject that another repository has as well is not lost.
        (["team/app:signed"], []),
        (
            ["team/app:signed", "team/tool:signed"],
            [("left_behind", f"team/app:{SIGNATURE}", SUBJECT, "team/app:signed")],
        ),
        (["team/app:signed", "team/tool:signed", f"team/app:{SIGNATURE}"], []),
        ([f"team/app:{SIGNATURE}"], []),
    ],
)
def test_each_kind_of_break_is_found_and_nothing_else(
    deleted: list[str], expected: list[tuple[str, str, str, str]]
) -> None:
    """With the tag it hits, what that loses, and which tag is to blame."""
    assert found(DESCRIBED, *deleted) == expected


def assert_equal(asked: Asked, registry: Registry, chosen: Sequence[Key]) -> None:
    """Compare breaks and shares of a set with those by hand, and with its bytes."""
    keys = keys_of(asked)
    numbers = {0: [keys[key] for key in chosen]}
    rows = asked.ask("breaks", chosen=chosen_tags(numbers)).to_pylist()
    assert rows == breaks(registry, set(chosen))
    given_back = asked.ask("shares", chosen=chosen_tags(numbers)).to_pylist()
    assert {row["tag_key"]: row["bytes"] for row in given_back} == {
        keys[key]: share for key, share in shares(registry, set(chosen)).items()
    }
    [row] = count_sets(asked, numbers).to_pylist()
    assert sum(row["bytes"] or 0 for row in given_back) == (row["reclaimable_bytes"] or 0)


def assert_any_deletion_equals(description: Description, random: Random) -> None:
    """Compare what is found of sets of any size with the brute force."""
    tables = expand(description)
    registry = Registry(tables)
    with warehouse(tables) as con, asking_on(con, QUESTIONS) as asked:
        for share in (0.1, 0.5, 0.9, 1.0):
            assert_equal(asked, registry, [k for k in registry.within() if random.random() < share])


@settings(max_examples=13, deadline=None, derandomize=True, suppress_health_check=TOO_BIG)
@given(registries(), st.randoms(use_true_random=False))
def test_any_deletion_equals_the_brute_force(description: Description, random: Random) -> None:
    """Each planted break and nothing else; the shares add up to what the set gives back."""
    assert_any_deletion_equals(description, random)


@pytest.mark.soak
@settings(max_examples=100, suppress_health_check=TOO_BIG)
@given(registries(), st.randoms(use_true_random=False))
def test_any_deletion_of_many_registries_equals_the_brute_force(
    description: Description, random: Random
) -> None:
    """The same for a hundred."""
    assert_any_deletion_equals(description, random)


def assert_counted_as_each_alone(description: Description, random: Random) -> None:
    """Compare several sets counted together with each counted alone."""
    with warehouse(expand(description)) as con, asking_on(con, QUESTIONS) as asked:
        keys = list(keys_of(asked).values())
        sets = {n: [key for key in keys if random.random() < n / 4] for n in range(5)}
        together = count_sets(asked, sets).to_pylist()
        for number, row in zip(sets, together, strict=True):
            [alone] = count_sets(asked, {0: sets[number]}).to_pylist()
            assert alone | {"set_key": number} == row


@settings(max_examples=5, deadline=None, derandomize=True, suppress_health_check=TOO_BIG)
@given(registries(), st.randoms(use_true_random=False))
def test_several_sets_are_counted_as_each_alone(description: Description, random: Random) -> None:
    """Also empty ones and such that overlap."""
    assert_counted_as_each_alone(description, random)


@pytest.mark.soak
@settings(max_examples=50, suppress_health_check=TOO_BIG)
@given(registries(), st.randoms(use_true_random=False))
def test_several_sets_of_many_registries_are_counted_as_each_alone(
    description: Description, random: Random
) -> None:
    """The same for fifty."""
    assert_counted_as_each_alone(description, random)
