"""Arrow tables on a terminal: the rows and columns that a person can read there.

Elsewhere, in a pipe or a file, a table is whole. Cells are text, never markup.
"""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipelines.errors import SettingsError
from pipelines.page.plain_text import printable
from pipelines.warehouse.query import format_of, safe_for_spreadsheets, write_result

_NARROW = 80
_BETWEEN = "  "
# A longer cell is folded.
_WIDEST_CELL = 60


def fitted(table: pa.Table, console: Console, *, all_columns: bool, limit: int) -> RenderableType:
    """Show a table as this console can, and say what of it is left out.

    Args:
        table: what to show.
        console: a terminal, or something else that takes a whole table.
        all_columns: show also those that do not fit, a line each on a narrow terminal.
        limit: rows at most on a terminal.
    """
    if not console.is_terminal:
        return aligned(table)
    shown = table.slice(0, limit)
    cells = _cells(shown)
    names = (
        table.column_names if all_columns else _fitting(table.column_names, cells, console.width)
    )
    whole = all_columns and console.width < _NARROW
    body = _lines(table.column_names, cells) if whole else _folded(shown.select(names))
    return Group(body, *_left_out(table, shown.num_rows, names))


def aligned(table: pa.Table) -> str:
    """Every row and column of an Arrow table, a line each; numbers to the right."""
    columns = (
        _padded([printable(field.name), *column], is_number=_is_number(field))
        for field, column in zip(table.schema, _cells(table), strict=True)
    )
    return "\n".join(_BETWEEN.join(row).rstrip() for row in zip(*columns, strict=True))


def write_rows(table: pa.Table, output: Path, *, raw: bool) -> None:
    """Write a table to a file, in the format that its ending says.

    Raises:
        SettingsError: the ending says none.
        WarehouseError: the file cannot be written.
    """
    shape = format_of(output)
    if shape is None:
        raise SettingsError(f"{output}: name a file that ends in .csv, .json or .parquet.")
    is_safe = shape != "csv" or raw
    write_result(table if is_safe else safe_for_spreadsheets(table), shape, output)


def _padded(texts: Sequence[str], *, is_number: bool) -> list[str]:
    """Texts of one column, all as wide as the widest."""
    widths = [cell_len(text) for text in texts]
    widest = max(widths)
    gaps = (" " * (widest - width) for width in widths)
    if is_number:
        return [gap + text for gap, text in zip(gaps, texts, strict=True)]
    return [text + gap for gap, text in zip(gaps, texts, strict=True)]


def _folded(table: pa.Table) -> Table:
    """Show every row and column; what is too wide for the terminal is folded."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for field in table.schema:
        shown.add_column(
            Text(printable(field.name)),
            justify="right" if _is_number(field) else "left",
            overflow="fold",
        )
    for row in zip(*_cells(table), strict=True):
        shown.add_row(*map(Text, row))
    return shown


def _is_number(field: "pa.Field[Any]") -> bool:
    return pa.types.is_integer(field.type) or pa.types.is_floating(field.type)


def _cells(table: pa.Table) -> list[list[str]]:
    """The cells of each column, as text."""
    return [
        ["" if value is None else printable(str(value)) for value in column.to_pylist()]
        for column in table.columns
    ]


def _fitting(names: Sequence[str], cells: Sequence[Sequence[str]], width: int) -> list[str]:
    """The first columns that fit side by side, one at least."""
    widths = (
        min(max(map(len, [name, *column])), _WIDEST_CELL) + len(_BETWEEN)
        for name, column in zip(names, cells, strict=True)
    )
    fitting = sum(taken - len(_BETWEEN) <= width for taken in accumulate(widths))
    return list(names[: max(fitting, 1)])


def _lines(names: Sequence[str], cells: Sequence[Sequence[str]]) -> RenderableType:
    """A line for each cell, an empty one between rows."""
    longest = max(map(len, names), default=0)
    blocks = (
        "\n".join(f"{name:>{longest}} = {cell}" for name, cell in zip(names, row, strict=True))
        for row in zip(*cells, strict=True)
    )
    return Text("\n\n".join(blocks))


def _left_out(table: pa.Table, rows: int, names: Sequence[str]) -> list[Text]:
    notes = []
    if rows < table.num_rows:
        notes.append(f"{rows} of {table.num_rows:,} rows; --limit {table.num_rows} shows all")
    hidden = [printable(name) for name in table.column_names if name not in names]
    if hidden:
        notes.append(f"not shown: {', '.join(hidden)}; --all-columns shows them")
    return [Text(note, style="dim") for note in notes]
