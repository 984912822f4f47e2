"""One published file over the warehouses of several registries.

What belongs to a place has its registry in every row and is put side by side: bytes are counted
within a registry. What a digest stands for is the same everywhere, so that manifests and all that
is read from one are held once. The file is made anew from published files; nothing is read back.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.schemas import BEHIND_LAYERS, TABLES
from pipelines.warehouse.build_plan import statements_in
from pipelines.warehouse.building import connect_empty_building
from pipelines.warehouse.connection import one_line, retry_with_more_memory, transaction
from pipelines.warehouse.load import store_layers
from pipelines.warehouse.migrations import literal, make_tables
from pipelines.warehouse.publish import publish_without_state
from pipelines.warehouse.resources import LEAST, Resources
from pipelines.warehouse.state import PUBLISHED

TableName = tuple[str, str]
# Tables whose rows no registry's name is in, by the column that says what a row is about.
_OF_TEXTS: Mapping[TableName, str] = {
    ("main", "manifests"): "manifest_digest",
    ("main", "platforms"): "index_digest",
}
_OF_ALL: Mapping[TableName, str] = {
    ("main", "image_configs"): "manifest_digest",
    ("main", "image_labels"): "config_digest",
    ("ingest", "in_use_snapshots"): "snapshot_id",
    ("ingest", "in_use_references"): "snapshot_id",
}
# Of a digest of which registries hold other texts, one that fits it is taken, then one that can be
# read, then that of the first registry.
_CHOSEN_TEXTS = """
    create temp table chosen_texts as
    select
        manifest_digest,
        arg_min(member, row(digest_verified is not true, problem is not null, member)) as member
    from ({texts})
    group by manifest_digest
"""
_ARRIVING = (
    "select * exclude (prefix_key), prefix_key as place from {member}.ingest.layer_prefixes",
    """
    select manifest_digest, prefix_keys as places
    from {member}.ingest.manifest_prefixes
    where manifest_digest in {chosen}
    """,
)
# Of a member that an earlier release has published, which holds each manifest's layers as rows.
_ARRIVING_ROWS = (
    "select * exclude (manifest_digest), rowid as place from {member}.main.layers",
    """
    select manifest_digest, list(rowid order by position) as places
    from {member}.main.layers
    where manifest_digest in {chosen}
    group by manifest_digest
    """,
)
_REPORTS = """
    select distinct table_name, comment
    from duckdb_tables()
    where schema_name = 'reports' and database_name in (select unnest($members))
    order by all
"""
_COMMENTS = """
    select column_name, min(comment)
    from duckdb_columns()
    where
        schema_name = 'reports' and table_name = $table
        and database_name in (select unnest($members))
    group by column_name
"""
_COLUMNS = """
    select string_agg(column_name, ', ' order by column_index)
    from duckdb_columns()
    where database_name = $database and schema_name = $schema and table_name = $table
"""


def publish_union(directory: Path, members: Sequence[Path], resources: Resources = LEAST) -> Path:
    """Publish what several warehouses hold as one; to be called with the writer lock.

    Args:
        directory: where to publish it.
        members: directories of the registries' warehouses, in the order of their names.
        resources: that this may take.

    Returns:
        The published file.

    Raises:
        WarehouseError: it cannot be written, or a member cannot be read.
    """
    with connect_empty_building(directory, resources) as con:
        make_tables(con)
        with _attached(con, members) as names:
            _unite_texts(con, names)
            for table, key in _OF_ALL.items():
                _unite_by_key(con, names, table, key)
            for table in TABLES.keys() - _OF_TEXTS.keys() - BEHIND_LAYERS - _OF_ALL.keys():
                _unite_places(con, names, table)
            _unite_reports(con, names)
        _run(con, statements_in("registries")["replicas"])
    return publish_without_state(directory)


@contextmanager
def _attached(con: DuckDBPyConnection, members: Sequence[Path]) -> Iterator[list[str]]:
    """Attach what is published of each, to read; give the names they have in SQL."""
    names = [f"member_{number:04}" for number in range(len(members))]
    for name, member in zip(names, members, strict=True):
        path = member / PUBLISHED
        try:
            con.execute(f"attach ? as {name} (read_only)", [str(path)])
        except duckdb.Error as error:
            raise WarehouseError(f"{path} cannot be read ({one_line(error)}).") from error
    yield names
    for name in names:
        con.execute(f"detach {name}")


def _unite_texts(con: DuckDBPyConnection, members: Sequence[str]) -> None:
    """Take each digest's text from one member, and with it all that was read from that text."""
    columns = "manifest_digest, digest_verified, problem"
    texts = " union all ".join(
        f"select {columns}, '{member}' as member from {member}.main.manifests"  # noqa: S608 - ours
        for member in members
    )
    _run(con, _CHOSEN_TEXTS.format(texts=texts))
    for member in members:
        chosen = f"(select manifest_digest from chosen_texts where member = '{member}')"  # noqa: S608 - ours
        for table, key in _OF_TEXTS.items():
            _insert(con, member, table, f"where {key} in {chosen}")
        _insert_layers(con, member, chosen)
    con.execute("drop table chosen_texts")


def _insert_layers(con: DuckDBPyConnection, member: str, chosen: str) -> None:
    """Add the layers of chosen texts; a member has keys of its own, so they get others."""
    behind = {"database": member, "schema": "ingest", "table": "layer_prefixes"}
    is_behind = con.execute(_COLUMNS, behind).fetchall() != [(None,)]
    prefixes, lists = _ARRIVING if is_behind else _ARRIVING_ROWS
    _run(con, f"create or replace temp table arriving_prefixes as {prefixes.format(member=member)}")
    arriving = lists.format(member=member, chosen=chosen)
    _run(con, f"create or replace temp table arriving_lists as {arriving}")
    found = con.sql("from arriving_lists").to_arrow_table()

    def store() -> None:
        with transaction(con):
            store_layers(con, found)

    retry_with_more_memory(con, store)
    con.execute("drop table arriving_prefixes; drop table arriving_lists")


def _unite_by_key(
    con: DuckDBPyConnection, members: Sequence[str], table: TableName, key: str
) -> None:
    """Take what is said of each key from the first member that says something."""
    for member in members:
        known = f"(select {key} from {'.'.join(table)})"  # noqa: S608 - ours
        _insert(con, member, table, f"where {key} not in {known}")


def _unite_places(con: DuckDBPyConnection, members: Sequence[str], table: TableName) -> None:
    for member in members:
        _insert(con, member, table)


def _insert(con: DuckDBPyConnection, member: str, table: TableName, condition: str = "") -> None:
    """Add a member's rows; it lacks tables and columns that a later release has."""
    given = {"database": member, "schema": table[0], "table": table[1]}
    [(columns,)] = con.execute(_COLUMNS, given).fetchall()
    if columns:
        name = ".".join(table)
        source = f"select {columns} from {member}.{name} {condition}"  # noqa: S608 - ours
        _run(con, f"insert into {name} by name {source}")


def _unite_reports(con: DuckDBPyConnection, members: Sequence[str]) -> None:
    """Put the reports side by side, with their comments; a member may lack one."""
    for table, comment in con.execute(_REPORTS, {"members": members}).fetchall():
        given = {"schema": "reports", "table": table}
        holders = [
            member
            for member in members
            if con.execute(_COLUMNS, {"database": member, **given}).fetchall() != [(None,)]
        ]
        rows = " union all by name ".join(f"from {member}.reports.{table}" for member in holders)
        _run(con, f"create or replace table reports.{table} as {rows}")
        con.execute(f"comment on table reports.{table} is {literal(comment)}")
        for column, text in con.execute(_COMMENTS, {"members": holders, "table": table}).fetchall():
            con.execute(f"comment on column reports.{table}.{column} is {literal(text)}")


def _run(con: DuckDBPyConnection, sql: str) -> None:
    retry_with_more_memory(con, lambda: con.execute(sql))
