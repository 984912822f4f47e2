"""A warehouse of several registries on one screen: a line for each, and what is held twice.

`overview` shows one registry.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Group, RenderableType
from rich.filesize import decimal

from pipelines.errors import WarehouseError
from pipelines.page.plain_text import printable_json
from pipelines.page.tables import SIGNS_EXPLAINED, plain_table, shown_bytes, signed
from pipelines.warehouse.build_plan import statements_in
from pipelines.warehouse.query import open_published
from pipelines.warehouse.state import is_of_several

Row = dict[str, Any]


class Registries(NamedTuple):
    """What one screen shows of several registries.

    Attributes:
        registries: rows of sql/registries/overview.sql, the largest first.
        copies: the row of sql/registries/copies.sql.
    """

    registries: list[Row]
    copies: Row


def registries_overview(directory: Path) -> Registries:
    """What the published warehouse of several registries holds.

    Raises:
        WarehouseMissing: there is none yet.
        WarehouseError: it cannot be read, or is not one of several.
    """
    queries = statements_in("registries")
    with open_published(directory) as con:
        if not is_of_several(con):
            raise WarehouseError(
                f"{directory} does not hold the registries of SWR_REGISTRIES yet: run"
                " `swr-warehouse ingest` first."
            )
        rows = con.sql(queries["overview"]).to_arrow_table().to_pylist()
        [copies] = con.sql(queries["copies"]).to_arrow_table().to_pylist()
    rows.sort(key=lambda row: (-(row["deduplicated_bytes"] or 0), row["registry"]))
    return Registries(rows, copies)


def registries_json(found: Registries) -> str:
    """The same numbers as one JSON object, by the names of their columns."""
    encoded = msgspec.json.encode(found._asdict())
    return printable_json(msgspec.json.format(encoded, indent=1).decode())


def registries_answer(found: Registries, program: str = "swr-warehouse") -> RenderableType:
    """One screen of 100 columns; the command it ends with begins with `program`."""
    is_exact = all(
        row["size_basis"] == "exact" and not row["gap_count"] for row in found.registries
    )
    largest = found.registries[0]["registry"]
    return Group(
        _table(found.registries),
        "",
        *_copies(found.copies),
        f"Next: {program} report --registry {largest}",
        *([] if is_exact else SIGNS_EXPLAINED),
    )


def _table(rows: Sequence[Row]) -> RenderableType:
    has_price = any(row["monthly_cost"] is not None for row in rows)
    numbers = ["complete", "tags", "deduplicated", "growth", "stale gives back"]
    numbers += ["cost a month"] if has_price else []
    table = plain_table("registry", "as of", *numbers, numbers=numbers, title="Registries")
    for row in rows:
        cost = row["monthly_cost"]
        shown = "?" if cost is None else f"{cost:,} {row['currency']}"
        table.add_row(
            row["registry"],
            f"{row['as_of']:%Y-%m-%d %H:%M}",
            f"{row['repositories_complete']:,}/{row['repository_count']:,}",
            f"{row['tag_count']:,}",
            shown_bytes(row, "deduplicated_bytes", "size_basis"),
            _growth(row),
            shown_bytes(row, "stale_reclaimable_bytes", "stale_reclaimable_basis"),
            *([shown] if has_price else []),
        )
    return table


def _growth(row: Row) -> str:
    size = row["growth_bytes"]
    return signed(f"{'-' if size < 0 else '+'}{decimal(abs(size))}", row["growth_basis"])


def _copies(copies: Row) -> list[str]:
    """Say how much is the same in several."""
    if not copies["blob_count"]:
        return ["No blob is held in several of them."]
    repeated = shown_bytes(copies, "repeated_bytes", "repeated_basis")
    held = f"{copies['blob_count']:,} blobs are held in several of them"
    return [f"{held}: {repeated} beyond one copy of each (reports.replicas)."]
