"""Tables of text for a terminal, and bytes as people read them.

Bytes are made readable here and nowhere before. A sign stands before a figure that is not exact.
"""

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.filesize import decimal
from rich.table import Table
from rich.text import Text

from pipelines.page.plain_text import printable

_SIGNS = {"exact": "", "lower_bound": "≥ ", "upper_bound": "≤ ", "estimate": "≈ "}
SIGNS_EXPLAINED = ["", "≥ at least, ≤ at most, ≈ about, ? unknown: see docs/sizes.md"]


def shown_bytes(row: dict[str, Any], column: str, basis: str) -> str:
    """A size of a row, with the sign of its basis."""
    value = row[column]
    return "?" if value is None else signed(decimal(value), row[basis])


def shown_reclaimable(row: dict[str, Any]) -> str:
    """What deleting some tags gives back, in bytes and, where a price was set, in money a month."""
    size = shown_bytes(row, "reclaimable_bytes", "reclaimable_basis")
    cost = row["reclaimable_monthly_cost"]
    return size if cost is None else f"{size} ({cost:,} {row['currency']} a month)"


def signed(figure: str, basis: str) -> str:
    """A figure after the sign of its basis."""
    return f"{_SIGNS.get(basis, '? ')}{figure}"


def plain_table(*columns: str, numbers: Sequence[str] = (), title: str | None = None) -> Table:
    """A table without lines whose cells are text, whoever wrote it; numbers stand to the right."""
    table = _PlainTable(
        box=None, pad_edge=False, title=title, title_justify="left", title_style="bold"
    )
    for column in columns:
        is_number = column in numbers
        table.add_column(column, justify="right" if is_number else "left", header_style="dim")
    return table


class _PlainTable(Table):
    """A table whose cells are text."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Add a row of texts."""
        super().add_row(*(Text(printable(str(cell or ""))) for cell in cells), **options)
