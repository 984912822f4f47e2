"""Which columns each column of a report comes from, as `lineage_of_sql` derives it from the SQL.

Read from what `derived` keeps; derived anew only where the SQL has changed since.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from pipelines.warehouse.derived import derived

# Stands for the rows of a table, where a column counts them.
ROWS = "*"


class ColumnSource(NamedTuple):
    """A column of the warehouse that a report's column comes from."""

    schema: str
    table: str
    column: str


def column_lineage(report: str) -> Mapping[str, tuple[ColumnSource, ...]]:
    """Map each column of a report to the columns it comes from, of the tables the report reads."""
    return {
        name: tuple(source for source in found if source.column != ROWS)
        for name, found in _lineage(report).items()
    }


def counted_tables(report: str) -> Mapping[str, tuple[str, ...]]:
    """Map each column of a report to the tables, `schema.table`, whose rows it counts."""
    return {
        name: tuple(f"{source.schema}.{source.table}" for source in found if source.column == ROWS)
        for name, found in _lineage(report).items()
    }


def lineage_markdown(report: str) -> str:
    """Write a table of a report's columns and what they come from, equal ones together.

    Each table that they come from has a row of its own: Dagster's pages keep no break in a cell.
    """
    together: dict[tuple[ColumnSource, ...], list[str]] = defaultdict(list)
    for name, found in _lineage(report).items():
        together[found].append(f"`{name}`")
    rows = [row for found, names in together.items() for row in _rows(", ".join(names), found)]
    return "\n".join(["| column | comes from |", "|---|---|", *rows])


def _rows(names: str, found: tuple[ColumnSource, ...]) -> Iterator[str]:
    """The first row names the columns."""
    tables: dict[str, list[str]] = defaultdict(list)
    for source in found:
        name = "its rows" if source.column == ROWS else source.column
        tables[f"{source.schema}.{source.table}"].append(name)
    cells = [f"`{table}`: {', '.join(names)}" for table, names in tables.items()]
    for number, cell in enumerate(cells or ["constants of the SQL"]):
        yield f"| {'' if number else names} | {cell} |"


@cache
def _lineage(report: str) -> Mapping[str, tuple[ColumnSource, ...]]:
    """Follow each column of a report to tables that are no intermediates."""
    if kept := derived():
        return {
            name: tuple(ColumnSource(*source.split(".")) for source in found)
            for name, found in kept.lineage[report].items()
        }
    from pipelines.warehouse.lineage_of_sql import derive_lineage  # noqa: PLC0415 - parses SQL

    return derive_lineage(report, "intermediate")
