"""Walks `tests/sql/<report>/<case>`: a small registry, and what the report says of it."""

import csv
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT
from described_registry import read, reported

from pipelines.warehouse.build_plan import report_names

CASES = ROOT / "tests" / "sql"
SIZES = ROOT / "docs" / "sizes.md"


def cases() -> list[Path]:
    """Find the folder of every case."""
    return sorted(path.parent for path in CASES.glob("*/*/expect.csv"))


def _text(value: Any) -> str:
    """Write a value as an expectation does: empty for null."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_report_says_what_its_case_expects(case: Path) -> None:
    """A report over the registry of `input.toml`, built after each of its runs, has the rows of
    `expect.csv`, in its columns.
    """
    description = tomllib.loads((case / "input.toml").read_text("utf-8"))
    with (case / "expect.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        expected, columns = list(reader), reader.fieldnames or []
    with reported(description, case.parent.name) as con:
        rows = read(con, f"reports.{case.parent.name}")
    assert [{column: _text(row[column]) for column in columns} for row in rows] == expected


def test_every_report_has_a_case() -> None:
    """No report is without an example computed by hand."""
    assert {case.parent.name for case in cases()} == set(report_names())


def test_every_rule_of_the_sizes_page_has_its_case() -> None:
    """The rules of docs/sizes.md and the case folders have the same names."""
    headings = [
        line.removeprefix("### ").lower().replace(" ", "_").replace(",", "")
        for line in SIZES.read_text("utf-8").splitlines()
        if line.startswith("### ")
    ]
    assert sorted(headings) == sorted(case.name for case in cases())
