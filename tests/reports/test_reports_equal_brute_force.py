"""Every report over random registries equals the slow reference."""

from typing import Any

import brute_force
import pytest
from described_registry import read, reported, snapshots
from hypothesis import HealthCheck, assume, given, settings
from random_registries import registries

from pipelines.warehouse.build_plan import report_names

TOO_BIG = [HealthCheck.too_slow, HealthCheck.data_too_large]
# What is told in words.
WORDS = {"detail", "remedy"}


def assert_equal_to_brute_force(description: dict[str, Any]) -> None:
    """Build all reports of a registry after each of its runs and compare them row by row."""
    manifests = description["manifests"].items()
    # No text can hold its own digest.
    assume(all(manifest.get("subject") != digest for digest, manifest in manifests))
    expected = brute_force.reports(snapshots(description))
    with reported(description) as con:
        for name in report_names():
            rows = [
                {column: value for column, value in row.items() if column not in WORDS}
                for row in read(con, f"reports.{name}")
            ]
            assert rows == expected[name], name


@pytest.mark.soak
@pytest.mark.timeout(1200)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=TOO_BIG)
@given(registries())
def test_reports_equal_the_brute_force(description: dict[str, Any]) -> None:
    """Whatever the registry looks like and its runs read of it, every row of every report is what
    counting by hand gives.
    """
    assert_equal_to_brute_force(description)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(max_examples=1000, deadline=None, derandomize=True, suppress_health_check=TOO_BIG)
@given(registries())
def test_a_thousand_registries_equal_the_brute_force(description: dict[str, Any]) -> None:
    """The same for a thousand registries of up to sixty manifests."""
    assert_equal_to_brute_force(description)
