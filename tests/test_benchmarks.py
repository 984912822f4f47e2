"""What the figures rest on: a registry that is what it says, and wrong loads that are caught."""

import hashlib
import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import requests
from limits import insert, pages_of, parse, tags_path
from registry import Repository, write_registry
from rounds import Program, WrongDatabase, check, serving

LIMIT = Program("limit", (), layers="tag_layers")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry of 120 repositories and 1,500 tags."""
    path = tmp_path_factory.mktemp("registry")
    write_registry(path, 120, 1500)
    return path


def table_spec(folder: Path) -> tuple[list[Repository], list[dict[str, int]]]:
    """What the generator wrote down of it."""
    text = json.loads((folder / "registry.json").read_text())
    return [Repository(*row) for row in text["repositories"]], text["totals"]


@pytest.mark.parametrize("day", [0, 1])
def test_the_totals_are_those_of_the_records_served(folder: Path, day: int) -> None:
    """Counted anew from what a client reads, on both days; every manifest has its digest."""
    repositories, totals = table_spec(folder)
    with serving(folder, day=day) as url, requests.Session() as session:
        rows = [
            record
            for repository in repositories
            for record in session.get(f"{url}{tags_path(repository)}?limit=1000").json()
        ]
    texts = {row["digest"]: row["manifest"] for row in rows}
    layers = {key: json.loads(text).get("layers", []) for key, text in texts.items()}
    of_tags = [layer for row in rows for layer in layers[row["digest"]]]
    assert totals[day] | {"wire_bytes": 0} == {
        "tags": len(rows),
        "manifests": len(texts),
        "layer_rows": sum(map(len, layers.values())),
        "tag_layers": len(of_tags),
        "tag_layer_bytes": sum(layer["size"] for layer in of_tags),
        "wire_bytes": 0,
        "blobs": len({layer["digest"] for layer in of_tags}),
    }
    assert len(rows) == 1500 + 3 * day
    for digest, text in texts.items():
        assert "sha256:" + hashlib.sha256(text.encode()).hexdigest() == digest


def test_pages_of_both_orders_hold_the_same_records(folder: Path) -> None:
    """Ascending pages, turned round, are the descending list; the total comes with each."""
    largest = max(table_spec(folder)[0], key=lambda row: row.tags)
    total = largest.tags + largest.pushes
    with serving(folder, day=1) as url, requests.Session() as session:
        path = f"{url}{tags_path(largest)}?limit=100"
        assert session.get(path).headers["Content-Range"] == f"0-100/{total}"
        pages = {
            order: [
                row["id"]
                for offset in range(0, total, 100)
                for row in session.get(f"{path}&offset={offset}&order_type={order}").json()
            ]
            for order in ("asc", "desc")
        }
    assert pages["asc"] == pages["desc"][::-1]
    assert len(set(pages["asc"])) == total


@pytest.mark.parametrize(
    "damage",
    [
        "delete from tags where id = (select min(id) from tags)",
        "update tag_layers set size_bytes = size_bytes + 1 where position = 0",
        "update tag_layers set blob_digest = 'sha256:0' where position = 1",
        "insert into tag_layers from tag_layers limit 1",
        "update tags set digest = 'sha256:0'",
    ],
)
def test_a_wrong_database_is_caught(folder: Path, tmp_path: Path, damage: str) -> None:
    """A right one passes; one row or byte off does not."""
    totals = table_spec(folder)[1][0]
    database = tmp_path / "out.duckdb"
    tags, layers = map(pa.concat_tables, zip(*parse(pages_of(folder)), strict=True))
    insert(str(database), tags, layers)
    check(LIMIT, database, totals)
    with duckdb.connect(str(database)) as con:
        con.execute(damage)
    with pytest.raises(WrongDatabase):
        check(LIMIT, database, totals)
