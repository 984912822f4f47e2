"""Layers spelled out, a row for each manifest and position, and back as the loader takes them."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import pyarrow as pa

from pipelines.images.tables import ImageTables
from pipelines.schemas import LAYER_PREFIXES, LAYERS_TABLE, MANIFEST_PREFIXES

Row = dict[str, Any]


def layer_rows(made: ImageTables) -> pa.Table:
    """Rows of `main.layers` that tables of images stand for."""
    stored = {row.pop("place"): row for row in made.prefixes.to_pylist()}
    rows = [
        {"manifest_digest": listed["manifest_digest"], **stored[place]}
        for listed in made.listed.to_pylist()
        for place in listed["places"]
    ]
    return pa.Table.from_pylist(rows, schema=LAYERS_TABLE)


def listed_layers(layers: Sequence[Row]) -> tuple[pa.Table, pa.Table]:
    """LAYER_PREFIXES and MANIFEST_PREFIXES of rows that follow each other, a place for each."""
    prefixes = [{"place": place, **row} for place, row in enumerate(layers)]
    lists = [
        {"manifest_digest": digest, "places": [row["place"] for row in rows]}
        for digest, rows in groupby(prefixes, lambda row: row["manifest_digest"])
    ]
    return (
        pa.Table.from_pylist(prefixes, schema=LAYER_PREFIXES),
        pa.Table.from_pylist(lists, schema=MANIFEST_PREFIXES),
    )
