"""The slow reference is itself held to cases worked out by hand, and to what it could not see.

That its rules are right is shown by hiding: of a registry of which everything is known, some runs
see a part; no claim about that part may contradict the whole.
"""

import csv
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import brute_force
import pytest
from brute_force_registry import Registry
from checkout import ROOT
from described_registry import snapshots
from hidden_registries import holds, refuted, seen, truth

CASES = ROOT / "tests" / "sql"
# Before the first run there is no registry whose rows could be counted.
WITHOUT_RUNS = {"an_empty_warehouse_is_one_row_of_zeros"}
WORDS = {"detail", "remedy"}


def cases() -> list[Path]:
    """Find the folder of every case that has runs."""
    found = (path.parent for path in CASES.glob("*/*/expect.csv"))
    return sorted(case for case in found if case.name not in WITHOUT_RUNS)


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value).replace(" ", "T")


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}/{case.name}")
def test_the_reference_says_what_a_case_expects(case: Path) -> None:
    """Counting by hand and the brute force agree on every case."""
    description = tomllib.loads((case / "input.toml").read_text("utf-8"))
    with (case / "expect.csv").open(encoding="utf-8", newline="") as file:
        expected = list(csv.DictReader(file))
    columns = [column for column in expected[0] if column not in WORDS]
    rows = brute_force.reports(snapshots(description))[case.parent.name]
    assert [{c: _text(row[c]) for c in columns} for row in rows] == [
        {c: row[c].replace(" ", "T") for c in columns} for row in expected
    ]


def assert_not_refuted(seed: int) -> None:
    """What runs see of one registry is compared with all that there was."""
    random = Random(seed)
    everything = truth(random, random.randint(1, 4))
    shown, as_read = map(snapshots, seen(random, everything))
    assert list(refuted(brute_force.reports(shown), brute_force.reports(as_read))) == []
    claimed, right = Registry(shown[-1]), Registry(as_read[-1])
    same = [key for key, digest in claimed.state.items() if right.state.get(key) == digest]
    some = [key for key in same if random.random() < 0.5]
    claim, basis = claimed.given_back(claimed.listed(some))
    assert holds(basis, claim, right.given_back(right.listed(some))[0])


def test_no_claim_is_refuted_by_what_was_hidden() -> None:
    """What is called exact is the truth as last read, a lower bound is not above it and an upper
    one not below, whatever was unread, unreadable, rejected, missed or in doubt.
    """
    for seed in range(200):
        assert_not_refuted(seed)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_ten_thousand_registries_refute_no_claim() -> None:
    """The same for ten thousand registries."""
    for seed in range(10_000):
        assert_not_refuted(seed)


@pytest.mark.parametrize(
    ("basis", "claim", "right", "expected"),
    [
        ("exact", 5, 5, True),
        ("exact", 5, 6, False),
        ("lower_bound", 5, 6, True),
        ("lower_bound", 6, 5, False),
        ("upper_bound", 6, 5, True),
        ("upper_bound", 5, 6, False),
        ("estimate", 5, 6, True),
        ("estimate", None, 6, False),
        ("unknown", None, 6, True),
        ("unknown", 5, 5, False),
        ("exact", 0, None, True),
    ],
)
def test_a_claim_is_held_to_its_basis(
    basis: str, claim: int | None, right: int | None, *, expected: bool
) -> None:
    """Bounds bound, known bytes never say unknown, and unknown ones say nothing else."""
    assert holds(basis, claim, right) is expected
