"""One file over several registries: each as it was, and what several of them hold."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from described_registry import Description, expand, read, reported, warehouse
from random_registries import registry

from pipelines.errors import WarehouseError
from pipelines.page.limits import Limits, judge
from pipelines.page.overview import overview
from pipelines.schemas import TABLES
from pipelines.warehouse.build_plan import report_names
from pipelines.warehouse.query import open_published
from pipelines.warehouse.reclaimable import reclaimable_bytes
from pipelines.warehouse.restore import restore
from pipelines.warehouse.union import publish_union

Row = dict[str, Any]
NAMES = ("beijing", "hongkong", "shanghai")
OF_CONTENT = {
    "manifests",
    "layer_prefixes",
    "manifest_prefixes",
    "platforms",
    "image_configs",
    "image_labels",
}
OF_CLUSTERS = {"in_use_snapshots", "in_use_references"}
AT = "2026-01-02 12:00:00+00"


def publish_described(
    directory: Path, description: Description, name: str, *, has_reports: bool = True
) -> Path:
    """Publish the warehouse of a description under the name of a registry."""
    path = directory / name
    path.mkdir()
    described = description | {"registry": name}
    with reported(described) if has_reports else warehouse(expand(described)) as con:
        con.execute(f"attach '{path / 'warehouse.duckdb'}' as published")
        con.execute("copy from database memory to published")
    return path


def all_rows(directory: Path, tables: Iterable[str]) -> dict[str, list[Row]]:
    """Whole tables of a published warehouse, each in its own order."""
    with open_published(directory) as con:
        return {table: read(con, table) for table in tables}


def rows_of(directory: Path, table: str) -> list[Row]:
    """A whole table of a published warehouse, in its own order."""
    with open_published(directory) as con:
        return read(con, table)


@pytest.mark.parametrize("seed", range(2))
def test_nothing_of_a_place_is_mixed_and_nothing_of_content_is_twice(
    tmp_path: Path, seed: int
) -> None:
    """Whatever the registries hold, of equal names and shared digests."""
    random = Random(seed)
    members = [
        publish_described(tmp_path, registry(random, random.randint(1, 15)), name) for name in NAMES
    ]
    publish_union(tmp_path, members)
    reports = [f"reports.{name}" for name in report_names()]
    places = [f"{schema}.{name}" for schema, name in TABLES if name not in OF_CONTENT | OF_CLUSTERS]
    tables = [*reports, *places]
    whole, *parts = (all_rows(path, tables) for path in [tmp_path, *members])
    for table in tables:
        assert whole[table] == [row for part in parts for row in part[table]], table
    for key, table in (
        ("manifest_digest", "manifests"),
        ("manifest_digest", "image_configs"),
    ):
        held = {row[key] for member in members for row in rows_of(member, table)}
        assert sorted(row[key] for row in rows_of(tmp_path, table)) == sorted(held)
    assert rows_of(tmp_path, "reports.replicas") == replicas(tmp_path)


def replicas(directory: Path) -> list[Row]:
    """Walk from each registry's tags to blobs, by hand."""
    tags, manifests = rows_of(directory, "tags"), rows_of(directory, "manifests")
    layers, platforms = rows_of(directory, "layers"), rows_of(directory, "platforms")
    children = defaultdict(set)
    stated: dict[str, list[tuple[str, int | None]]] = defaultdict(list)
    for row in platforms:
        if row["is_blob"]:
            stated[row["index_digest"]].append((row["manifest_digest"], row["manifest_bytes"]))
        else:
            children[row["index_digest"]].add(row["manifest_digest"])
    for row in layers:
        if row["is_stored"]:
            stated[row["manifest_digest"]].append((row["blob_digest"], row["size_bytes"]))
    for row in manifests:
        if row["config_digest"]:
            stated[row["manifest_digest"]].append((row["config_digest"], row["config_bytes"]))
    holders, sizes = defaultdict(set), defaultdict(set)
    for name in NAMES:
        todo = {tag["manifest_digest"] for tag in tags if tag["registry"] == name}
        seen: set[str] = set()
        while todo:
            digest = todo.pop()
            seen.add(digest)
            todo |= children[digest] - seen
            for blob, size in stated[digest]:
                holders[blob].add(name)
                sizes[blob].add(size)
    return [
        {
            "blob_digest": blob,
            "registry_count": len(holders[blob]),
            "registries": ", ".join(sorted(holders[blob])),
            "size_bytes": min(known, default=None),
            "size_basis": ("unknown", "exact")[len(known)] if len(known) < 2 else "lower_bound",
        }
        for blob in sorted(holders)
        if len(holders[blob]) > 1
        for known in [{size for size in sizes[blob] if size is not None}]
    ]


SHARED: Description = {
    "manifests": {
        "one": {"kind": "image", "layers": ["base 1000", "app 10"]},
        "two": {"kind": "image", "layers": ["base 1000", "other 20"]},
    },
}


@pytest.fixture(scope="module")
def union(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two registries of the same names that share a layer; it is only read."""
    directory = tmp_path_factory.mktemp("union")
    tags = {"beijing": "one", "shanghai": "two"}
    members = [
        publish_described(directory, {**SHARED, "tags": {"a/app": {"v1": digest}}}, name)
        for name, digest in tags.items()
    ]
    publish_union(directory, members)
    return directory


def test_a_shared_layer_is_counted_in_each_registry_and_named_in_replicas(union: Path) -> None:
    """Each registry holds a copy of its own: 1010 and 1020 bytes, of which 1000 are the same."""
    sizes = rows_of(union, "reports.registry_size")
    assert [(row["registry"], row["deduplicated_bytes"]) for row in sizes] == [
        ("beijing", 1010),
        ("shanghai", 1020),
    ]
    assert [
        (row["registries"], row["size_bytes"], row["size_basis"])
        for row in rows_of(union, "reports.replicas")
    ] == [("beijing, shanghai", 1000, "exact")]
    with open_published(union) as con:
        joined = con.sql("select count(*) from tags join layers using (manifest_digest)")
        assert joined.fetchall() == [(4,)]


def test_a_text_that_fits_its_digest_comes_before_another_registrys(tmp_path: Path) -> None:
    """Whichever of them is named first."""
    texts = {"beijing": False, "shanghai": True}
    members = []
    for name, is_verified in texts.items():
        one = {**SHARED, "tags": {"a/app": {"v1": "one"}}}
        path = publish_described(tmp_path, one, name, has_reports=False)
        with warehouse({}) as con:
            con.execute(f"attach '{path / 'warehouse.duckdb'}' as published; use published")
            con.execute("update manifests set digest_verified = ?, source = ?", [is_verified, name])
            con.execute("use memory")
        members.append(path)
    publish_union(tmp_path, members)
    assert {row["source"] for row in rows_of(tmp_path, "manifests")} == {"shanghai"}
    assert len(rows_of(tmp_path, "layers")) == 4


def test_a_member_of_an_earlier_release_lacks_what_that_did_not_know(tmp_path: Path) -> None:
    """Its rows are there all the same; a column it has not is null."""
    members = [
        publish_described(tmp_path, {**SHARED, "tags": {"a/app": {"v1": "one"}}}, name)
        for name in ("beijing", "shanghai")
    ]
    with warehouse({}) as con:
        con.execute(f"attach '{members[0] / 'warehouse.duckdb'}' as published; use published")
        con.execute("alter table reports.registry_size drop column is_fully_read")
        con.execute("drop table reports.tag_use; drop table ingest.in_use_snapshots")
        con.execute("alter table repositories drop column unlisted_since; use memory")
    publish_union(tmp_path, members)
    sizes = rows_of(tmp_path, "reports.registry_size")
    assert [(row["registry"], row["is_fully_read"]) for row in sizes] == [
        ("beijing", None),
        ("shanghai", True),
    ]
    assert {row["registry"] for row in rows_of(tmp_path, "reports.tag_use")} == {"shanghai"}
    assert len(rows_of(tmp_path, "repositories")) == 2


def test_every_table_and_column_is_described(union: Path) -> None:
    """As in the warehouse of one."""
    with open_published(union) as con:
        undescribed = con.sql(
            "select schema_name, table_name, column_name from duckdb_columns()"
            " where not internal and comment is null and schema_name <> 'pg_catalog'"
            " and column_name not in (select column_name from duckdb_columns()"
            " where table_name = 'migrations')"
        )
        assert undescribed.fetchall() == []


def test_what_counts_within_one_registry_is_refused(union: Path) -> None:
    """Also where nobody set SWR_REGISTRIES: on a copy of the file, say."""
    several = r"a warehouse of several registries \(beijing, shanghai\)"
    with pytest.raises(WarehouseError, match=several):
        reclaimable_bytes(union, "from tags")
    with pytest.raises(WarehouseError, match=several):
        overview(union)
    with pytest.raises(WarehouseError, match=several):
        judge(union, Limits(exact=True), now=None)  # type: ignore[arg-type] # not reached


def test_no_state_is_made_from_it(union: Path, tmp_path: Path) -> None:
    """Its registries would be taken for one."""
    with pytest.raises(WarehouseError, match="is of several registries, each of which has its own"):
        restore(tmp_path / "other", union / "warehouse.duckdb")


def test_layers_are_those_of_each_manifest_whatever_release_has_published_them(
    tmp_path: Path,
) -> None:
    """An earlier one held them as rows; numbers of two members stand for different series."""
    described = {
        "beijing": {**SHARED, "tags": {"a/app": {"v1": "one", "v2": "two"}}},
        "shanghai": {
            "manifests": {"three": {"kind": "image", "layers": ["own 5", "app 10", "app 10"]}},
            "tags": {"a/app": {"v1": "three"}},
        },
    }
    members = [
        publish_described(tmp_path, each, name, has_reports=False)
        for name, each in described.items()
    ]
    expected = sorted(layer for member in members for layer in layers_of(member))
    publish_union(tmp_path, members)
    assert layers_of(tmp_path) == expected
    with duckdb.connect(members[0] / "warehouse.duckdb") as con:
        con.execute("create temp table held as from layers; drop view tag_layers; drop view layers")
        con.execute("drop table ingest.layer_prefixes; drop table ingest.manifest_prefixes")
        con.execute("create table layers as from held")
    publish_union(tmp_path, members)
    assert layers_of(tmp_path) == expected


def layers_of(directory: Path) -> list[tuple[Any, ...]]:
    """Every layer of every manifest."""
    return sorted(tuple(row.values()) for row in rows_of(directory, "layers"))
