"""Every report over random registries equals the slow reference."""

from typing import Any

import brute_force
import pytest
from described_registry import expand, read, warehouse
from hypothesis import HealthCheck, given, settings
from random_registries import registries

from pipelines.warehouse.build_plan import report_names
from pipelines.warehouse.reports import build_reports

TOO_BIG = [HealthCheck.too_slow, HealthCheck.data_too_large]


def assert_equal_to_brute_force(description: dict[str, Any]) -> None:
    """Build all reports of a registry and compare them row by row."""
    tables = expand(description)
    expected = brute_force.reports(tables)
    with warehouse(tables) as con:
        build_reports(con)
        for name in report_names():
            assert read(con, f"reports.{name}") == expected[name], name


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=TOO_BIG)
@given(registries())
def test_reports_equal_the_brute_force(description: dict[str, Any]) -> None:
    """Whatever the registry looks like, every row of every report is what counting by hand
    gives.
    """
    assert_equal_to_brute_force(description)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(max_examples=1000, deadline=None, derandomize=True, suppress_health_check=TOO_BIG)
@given(registries())
def test_a_thousand_registries_equal_the_brute_force(description: dict[str, Any]) -> None:
    """The same for a thousand registries of up to sixty manifests."""
    assert_equal_to_brute_force(description)
