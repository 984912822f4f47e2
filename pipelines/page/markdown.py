"""Tables as Markdown, for pages that people read: cells are escaped, bytes made readable.

`previews` and `assets` decide which tables are shown. A name from the registry must not break a
table or pass for markup.
"""

import re
from datetime import datetime
from typing import Any

import pyarrow as pa
from rich.filesize import decimal
from tabulate import tabulate

# What Markdown or HTML would take for its own; a line break would end the row.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#+!|~$])")
# What is made a link without any markup, and cannot be escaped.
_ADDRESS = re.compile(r"://|www\.|mailto:|xmpp:|\S@\S", re.IGNORECASE)
_LONGEST_CELL = 300


def markdown_table(table: pa.Table) -> str:
    """Show every row of an Arrow table; columns named `…_bytes` in units, `null` as nothing."""
    cells = {
        name: [_cell(name, value) for value in table[name].to_pylist()]
        for name in table.column_names
    }
    align = ["right" if _is_number(field) else "left" for field in table.schema]
    text: str = tabulate(
        cells,
        headers="keys",
        tablefmt="pipe",
        disable_numparse=True,
        colalign=align if table.num_rows else None,
    )
    return text


def _is_number(field: "pa.Field[Any]") -> bool:
    return pa.types.is_integer(field.type) or pa.types.is_floating(field.type)


def _cell(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return decimal(value) if name.endswith("_bytes") and value >= 0 else f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return escaped(str(value))


def escaped(text: str) -> str:
    """Keep a text from being taken for markup, on one line of a bearable length."""
    line = " ".join(text.split())
    short = line if len(line) <= _LONGEST_CELL else line[: _LONGEST_CELL - 1] + "…"
    return _as_code(short) if _ADDRESS.search(short) else _MARKUP.sub(r"\\\1", short)


def _as_code(text: str) -> str:
    """A text as code in a cell of a table, in which nothing is markup but the cell's end."""
    runs = re.findall("`+", text)
    fence = "`" * (1 + max(map(len, runs), default=0))
    blank = " " * bool(runs)
    return f"{fence}{blank}{text.replace('|', chr(92) + '|')}{blank}{fence}"
