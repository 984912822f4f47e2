"""Every report over random registries equals the slow reference."""

from random import Random
from typing import Any

import brute_force
import pytest
from described_registry import Description, read, reported, snapshots
from random_registries import registry

from pipelines.warehouse.build_plan import report_names

Row = dict[str, Any]
# What is told in words; these reports order rows that are else alike by them.
WORDS = {"detail", "remedy"}
ORDERED_BY_WORDS = {"gaps", "integrity"}


def _without_words(name: str, rows: list[Row]) -> list[Row]:
    bare = [{key: value for key, value in row.items() if key not in WORDS} for row in rows]
    return sorted(bare, key=_text_of) if name in ORDERED_BY_WORDS else bare


def _text_of(row: Row) -> list[str]:
    return [f"{name} {row[name]}" for name in sorted(row)]


def assert_equal_to_brute_force(description: Description) -> None:
    """Build all reports of a registry after each of its runs and compare them row by row."""
    expected = brute_force.reports(snapshots(description))
    with reported(description) as con:
        for name in report_names():
            rows = _without_words(name, read(con, f"reports.{name}"))
            assert rows == _without_words(name, expected[name]), name


def drawn(seed: int) -> Description:
    """A registry of up to forty manifests, read by up to four runs."""
    random = Random(seed)
    return registry(random, random.randint(1, 40))


@pytest.mark.parametrize("seed", range(6))
def test_reports_equal_the_brute_force(seed: int) -> None:
    """Whatever the registry looks like and its runs read of it, every row of every report is what
    counting by hand gives.
    """
    assert_equal_to_brute_force(drawn(seed))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("hundred", range(10))
def test_a_thousand_registries_equal_the_brute_force(hundred: int) -> None:
    """The same for a thousand registries."""
    for seed in range(100 * hundred, 100 * hundred + 100):
        assert_equal_to_brute_force(drawn(seed))
