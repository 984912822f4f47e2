"""Rooms that may not know each other still speak of the same columns."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from layer_rows import layer_rows

from pipelines.images import tables as images
from pipelines.images.text_choice import TextChoice
from pipelines.schemas import BEHIND_LAYERS, LOADED, TABLES, comment_of
from pipelines.warehouse import load
from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.catalog import empty_catalog

DIGEST = "sha256:" + "0" * 64


def image(size: int, padding: str = "") -> str:
    """An image of one layer."""
    blob = {"digest": "sha256:" + "a" * 64, "size": size}
    return json.dumps({"schemaVersion": 2, "config": blob, "layers": [blob]}) + padding


def rows(*texts: str) -> images.ImageTables:
    """What is kept of texts for the digest."""
    choice = TextChoice(())
    assert choice.choose((DIGEST, text) for text in texts) == []
    return images.image_tables(choice.undecided())


# None verifies; of those that are valid the shortest is best, of equally short ones the lesser.
TEXTS = [image(5), image(5, " "), image(5, "  "), image(4), "", "not json", "{"]


ARROW = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "BIGINT[]": pa.list_(pa.int64()),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "DECIMAL(12,6)": pa.decimal128(12, 6),
    "TIMESTAMP WITH TIME ZONE": pa.timestamp("us", tz="UTC"),
}


def test_the_migrations_make_the_tables_of_the_schemas() -> None:
    """Same columns in the same order, of the same types, with the same comments."""
    tables = {
        (entry.schema, entry.name): entry
        for entry in empty_catalog()
        if entry.schema in {"main", "ingest"}
    }
    views = {
        ("main", name)
        for name in ("tag_layers", "images", "downloads", "retention_rules", "retention_log")
    }
    others = {*views, ("ingest", "migrations")}
    assert tables.keys() - others == LOADED.keys() | BEHIND_LAYERS
    for name, schema in {**LOADED, **TABLES}.items():
        assert tables[name].comment == comment_of(schema), name
        columns = tables[name].columns
        made = [(column.name, ARROW[column.type], column.comment) for column in columns]
        assert made == [(field.name, field.type, comment_of(field)) for field in schema], name


@pytest.mark.parametrize("seed", range(5))
def test_the_loader_keeps_the_text_that_reading_would_keep(tmp_path: Path, seed: int) -> None:
    """Of several texts for one digest, in whatever order and in however many loads they come."""
    texts = random.Random(seed).sample(TEXTS, len(TEXTS))
    together = rows(*texts)
    start_building(tmp_path)
    with connect_building(tmp_path) as con:
        load.begin(con, "cn-north-4")
        for text in texts:
            load.load_images(con, rows(text), datetime.now(UTC))
        manifests = con.sql("select * exclude (first_seen_at) from manifests").to_arrow_table()
        layers = con.sql("from layers order by position").to_arrow_table()
    assert manifests.to_pylist() == together.manifests.to_pylist()
    assert layers.to_pylist() == layer_rows(together).to_pylist()
    assert manifests["manifest"].to_pylist() == [image(4)]
