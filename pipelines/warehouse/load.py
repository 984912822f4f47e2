"""Load one run into the building file: what was read becomes tables, history and a crawl log.

    begin(con); stage_tags(con, …) and load_images(con, …) as often as needed; apply(con, …)

Tables have the schemas of `pipelines.schemas`. What a record or a manifest means is not known
here; the merge itself is SQL, in sql/load. What the next run compares with: see `known`.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection

from pipelines.schemas import (
    COUNTED,
    CRAWLS,
    LAYER_PREFIXES,
    MANIFEST_PREFIXES,
    MANIFESTS,
    NAMESPACES,
    PLATFORMS,
    REGISTRIES,
    REJECTED,
    REPOSITORIES,
    RETENTION_LOG,
    RETENTION_RULES,
    SERVICE_FIGURES,
    TAGS,
)
from pipelines.warehouse.connection import retry_with_more_memory, transaction
from pipelines.warehouse.statements import Step, run_step, statement

_TEXTS_AT_A_TIME = 5000


@dataclass(frozen=True)
class Run:
    """A run's row in `ingest.runs`, whose comments say what each field means.

    The other counters of that table are counted from the rows that are loaded.
    """

    run_id: str
    registry: str
    as_of: datetime
    mode: str
    started_at: datetime
    finished_at: datetime | None
    status: str
    scope: str
    unread_namespaces: int
    unread_repositories: int
    stale_days: int
    requests: int
    retries: int
    throttled_seconds: float
    failed_namespaces: int
    received_bytes: int
    exact_hours: float
    clock_set_back_seconds: float | None
    clock_offset_seconds: float | None
    reader_version: int | None
    report_labels: str | None
    price_per_gb_month: Decimal | None
    currency: str | None
    in_use_days: int | None


class Found(NamedTuple):
    """What a run found to be there: one row of REGISTRIES, NAMESPACES, REPOSITORIES.

    `figures` are SERVICE_FIGURES, what the service itself says of the account; `rules` and `log`
    RETENTION_RULES and RETENTION_LOG.
    """

    registry: pa.Table
    namespaces: pa.Table
    repositories: pa.Table
    figures: pa.Table = SERVICE_FIGURES.empty_table()
    rules: pa.Table = RETENTION_RULES.empty_table()
    log: pa.Table = RETENTION_LOG.empty_table()


def begin(con: DuckDBPyConnection, registry: str) -> None:
    """Make the empty temporary tables that one run is staged in; earlier ones are dropped.

    Args:
        con: the building file.
        registry: short name of the registry that all rows of this run belong to.
    """
    con.execute("set variable registry = ?", [registry])
    run_step(con, Step.BEGIN)


def stage_tags(con: DuckDBPyConnection, tags: pa.Table) -> None:
    """Keep rows of TAGS for `apply`; of several for one tag the newest, then the later counts."""
    _insert(con, "staged_tags", tags, TAGS)


def stage_rejected(con: DuckDBPyConnection, counted: pa.Table, rejected: pa.Table) -> None:
    """Keep rows of COUNTED and of REJECTED for `apply`."""
    _insert(con, "staged_counted", counted, COUNTED)
    _insert(con, "staged_rejected", rejected, REJECTED)


def load_images(
    con: DuckDBPyConnection,
    images: tuple[pa.Table, pa.Table, pa.Table, pa.Table],
    as_of: datetime,
    *,
    is_reread: bool = False,
) -> None:
    """Store manifests that are new, or better than the stored one of that digest, and their parts.

    These are rows of MANIFESTS, LAYER_PREFIXES, MANIFEST_PREFIXES and PLATFORMS.
    Better: digest verified, then not `invalid`, then fewer bytes, then the lesser text. A digest
    comes once in a call, and may come again in another. What was read anew from stored texts
    replaces what is stored.
    """
    manifests, prefixes, listed, platforms = images
    arriving = {
        "arriving_manifests": manifests.cast(MANIFESTS),
        "arriving_lists": listed.cast(MANIFEST_PREFIXES),
        "arriving_platforms": platforms.cast(PLATFORMS),
    }
    con.execute("set variable as_of = ?", [as_of])
    con.execute("set variable is_reread = ?", [is_reread])
    with registered(con, {"arriving_manifests": arriving["arriving_manifests"]}):
        _run_whole(con, Step.CHOICE)
    # Mostly all of them: to look each layer's manifest up takes as long as to store it.
    accepted = con.table("accepted")
    if accepted.count("*").fetchall() != [(manifests.num_rows,)]:
        digests = pa.array([row[0] for row in accepted.fetchall()], pa.string())
        arriving = {
            name: table.filter(pc.is_in(table[0], digests)) for name, table in arriving.items()
        }
    arriving["arriving_prefixes"] = prefixes.cast(LAYER_PREFIXES)
    with registered(con, arriving):
        _run_whole(con, Step.IMAGES, lambda: store_layers(con, arriving["arriving_lists"]))


def store_layers(con: DuckDBPyConnection, lists: pa.Table) -> None:
    """Store the layers of some manifests; each series of them, that of the base first, once.

    Args:
        con: where SQL sees LAYER_PREFIXES as `arriving_prefixes`, and the lists.
        lists: MANIFEST_PREFIXES, which SQL sees as `arriving_lists`.
    """
    con.execute(statement("store_prefixes"))
    stored = con.sql(statement("keys_of_places")).to_arrow_table()
    places: Any = lists["places"].combine_chunks()
    at = pc.index_in(places.values, stored["place"].combine_chunks())
    keys = pa.ListArray.from_arrays(places.offsets, stored["prefix_key"].combine_chunks().take(at))
    table = lists.select(["manifest_digest"]).append_column("prefix_keys", keys)
    with registered(con, {"arriving": table}):
        con.execute("insert into ingest.manifest_prefixes from arriving")


def reader_version(con: DuckDBPyConnection) -> int | None:
    """Which reader of manifests the stored texts were read with; None if none or an old one."""
    [(version,)] = con.execute("select max(reader_version) from ingest.runs").fetchall()
    return None if version is None else int(version)


def stored_texts(con: DuckDBPyConnection) -> Iterator[list[tuple[str, str, str]]]:
    """Texts as (digest, text, source), some at a time, as stored when the first is asked for."""
    [(name,)] = con.execute("select current_database()").fetchall()
    with con.cursor() as stored:
        stored.execute(f"use {name}")
        stored.execute("select manifest_digest, manifest, source from manifests")
        while texts := stored.fetchmany(_TEXTS_AT_A_TIME):
            yield texts


def final_digests(con: DuckDBPyConnection, digests: Sequence[str]) -> set[str]:
    """Of some digests, those stored with a text that no other can better; after `begin`."""
    rows = con.execute(statement("final_digests"), {"digests": digests}).fetchall()
    return {digest for (digest,) in rows}


def staged_accounts(con: DuckDBPyConnection) -> list[str]:
    """Ids of the accounts that the staged tags name, the most frequent first."""
    return [account for (account,) in con.execute(statement("staged_accounts")).fetchall()]


def apply(con: DuckDBPyConnection, run: Run, found: Found, crawls: pa.Table) -> None:
    """Merge everything staged, as CRAWLS says (one row a repository read in this run).

    Rows staged for a repository that failed, is missing or was not crawled are not used. Commits
    chunk by chunk: if it fails, the building file is to be thrown away.

    Args:
        con: the building file, with all manifests loaded.
        run: what to log; its `as_of` marks what was seen.
        found: what there is in the registry.
        crawls: how each reading went.
    """
    _insert(con, "staged_crawls", crawls, CRAWLS)
    _insert(con, "staged_registries", found.registry, REGISTRIES)
    _insert(con, "staged_namespaces", found.namespaces, NAMESPACES)
    _insert(con, "staged_repositories", found.repositories, REPOSITORIES)
    _insert(con, "staged_service_figures", found.figures, SERVICE_FIGURES)
    _insert(con, "staged_retention_rules", found.rules, RETENTION_RULES)
    _insert(con, "staged_retention_log", found.log, RETENTION_LOG)
    row = pa.Table.from_pylist([asdict(run)])
    with registered(con, {"arriving": row}):
        con.execute("insert into staged_run by name from arriving")
    con.execute("set variable as_of = ?", [run.as_of])
    run_step(con, Step.PLAN)
    chunks = con.execute("select distinct chunk from planned_crawls order by chunk").fetchall()
    for number in chunks:
        con.execute("set variable chunk = ?", number)
        _run_whole(con, Step.CHUNK)
    _run_whole(con, Step.FINISH)


def forget_namespace(con: DuckDBPyConnection, registry: str, namespace: str) -> bool:
    """Delete what is known of a namespace's list; return whether anything was."""
    asked = {"registry": registry, "namespace": namespace}
    return bool(con.execute(statement("forget_namespace"), asked).fetchall())


def row_counts(con: DuckDBPyConnection) -> dict[str, int]:
    """Rows by table, `schema.table`, of schemas main and ingest; of `main.layers` as well."""
    tables = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = current_database() and schema_name in ('main', 'ingest')"
        " order by all"
    ).fetchall()
    rows = {name: con.table(name).count("*").fetchall()[0][0] for (name,) in tables}
    [(rows["main.layers"],)] = con.execute(statement("layer_rows")).fetchall()
    return rows


def _run_whole(
    con: DuckDBPyConnection, step: Step, afterwards: Callable[[], object] = lambda: None
) -> None:
    """Run a step, and what belongs to it, in one transaction, with as much memory as that takes."""

    def attempt() -> None:
        with transaction(con):
            run_step(con, step)
            afterwards()

    retry_with_more_memory(con, attempt)


def _insert(con: DuckDBPyConnection, target: str, table: pa.Table, schema: pa.Schema) -> None:
    with registered(con, {"arriving": table.cast(schema)}):
        own = "select getvariable('registry') as registry, * from arriving"
        con.execute(f"insert into {target} by name {own}")


@contextmanager
def registered(con: DuckDBPyConnection, tables: dict[str, pa.Table]) -> Iterator[None]:
    """Let SQL read Arrow tables by these names, without copying them."""
    for name, table in tables.items():
        con.register(name, table)
    try:
        yield
    finally:
        for name in tables:
            con.unregister(name)
