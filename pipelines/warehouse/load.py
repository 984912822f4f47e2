"""Load one run into the building file: what was read becomes tables, history and a crawl log.

    begin(con); stage_tags(con, …) and load_images(con, …) as often as needed; apply(con, …)

The schemas here are exactly what callers pass. What a record or a manifest means is not known
here; the merge itself is SQL, in sql/load. What the next run compares with: see `known`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.warehouse.connection import retry_with_more_memory, transaction
from pipelines.warehouse.statements import Step, run_step, statement

_MOMENT: pa.DataType = pa.timestamp("us", tz="UTC")


def _schema(**columns: pa.DataType) -> pa.Schema:
    return pa.schema(list(columns.items()))


TAGS = _schema(
    namespace=pa.string(),
    repository=pa.string(),
    tag=pa.string(),
    tag_id=pa.int64(),
    repo_id=pa.int64(),
    manifest_digest=pa.string(),
    image_id=pa.string(),
    schema_version=pa.int32(),
    tag_type=pa.int32(),
    api_size_bytes=pa.int64(),
    is_trusted=pa.bool_(),
    is_scanned=pa.bool_(),
    path=pa.string(),
    internal_path=pa.string(),
    domain_id=pa.string(),
    created_at=_MOMENT,
    updated_at=_MOMENT,
    api_deleted_at=_MOMENT,
)
# Records that could not be used, as the registry's total counts them: `record_key` is the tag's
# name where that is readable, else # and what tells the record apart.
COUNTED = _schema(
    namespace=pa.string(),
    repository=pa.string(),
    record_key=pa.string(),
    fingerprint=pa.string(),
    updated_at=_MOMENT,
)
# The same records as received.
REJECTED = _schema(
    namespace=pa.string(),
    repository=pa.string(),
    reason=pa.string(),
    record=pa.string(),
)
# `lists_everything`: the rows staged for this repository are all the registry holds, so that a
# live tag that is neither among them nor among its rejected keys is gone.
CRAWLS = _schema(
    namespace=pa.string(),
    repository=pa.string(),
    status=pa.string(),
    requests=pa.int32(),
    pages=pa.int32(),
    expected=pa.int64(),
    received=pa.int64(),
    duplicates=pa.int64(),
    attempts=pa.int32(),
    error=pa.string(),
    started_at=_MOMENT,
    finished_at=_MOMENT,
    lists_everything=pa.bool_(),
)
REPOSITORIES = _schema(
    namespace=pa.string(),
    repository=pa.string(),
    is_public=pa.bool_(),
    api_size_bytes=pa.int64(),
    api_tag_count=pa.int64(),
    download_count=pa.int64(),
    created_at=_MOMENT,
    updated_at=_MOMENT,
)
MANIFESTS = _schema(
    manifest_digest=pa.string(),
    manifest_kind=pa.string(),
    media_type=pa.string(),
    artifact_type=pa.string(),
    schema_version=pa.int32(),
    config_digest=pa.string(),
    config_media_type=pa.string(),
    config_bytes=pa.int64(),
    layer_count=pa.int32(),
    logical_bytes=pa.int64(),
    size_basis=pa.string(),
    digest_verified=pa.bool_(),
    subject_digest=pa.string(),
    manifest_bytes=pa.int64(),
    manifest=pa.string(),
    problem=pa.string(),
)
LAYERS = _schema(
    manifest_digest=pa.string(),
    position=pa.int32(),
    blob_digest=pa.string(),
    size_bytes=pa.int64(),
    media_type=pa.string(),
    is_stored=pa.bool_(),
    prefix_digest=pa.string(),
)
PLATFORMS = _schema(
    index_digest=pa.string(),
    position=pa.int32(),
    manifest_digest=pa.string(),
    media_type=pa.string(),
    manifest_bytes=pa.int64(),
    os=pa.string(),
    architecture=pa.string(),
    variant=pa.string(),
    os_version=pa.string(),
    is_attestation=pa.bool_(),
)


@dataclass(frozen=True)
class Run:
    """What `ingest.runs` is told of a run; its comments say what each field means.

    The other counters of that table are counted from the rows that are loaded.
    """

    run_id: str
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


def begin(con: DuckDBPyConnection) -> None:
    """Make the empty temporary tables that one run is staged in; earlier ones are dropped."""
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
    manifests: pa.Table,
    layers: pa.Table,
    platforms: pa.Table,
    as_of: datetime,
) -> None:
    """Store MANIFESTS that are new, or better than the stored one of that digest, and their parts.

    Better: digest verified, then not `invalid`, then fewer bytes, then the lesser text. A digest
    comes once in a call, and may come again in another.
    """
    arriving = {
        "arriving_manifests": manifests.cast(MANIFESTS),
        "arriving_layers": layers.cast(LAYERS),
        "arriving_platforms": platforms.cast(PLATFORMS),
    }
    con.execute("set variable as_of = ?", [as_of])
    with _registered(con, arriving):
        _run_whole(con, Step.IMAGES)


def settled_digests(con: DuckDBPyConnection, digests: Sequence[str]) -> set[str]:
    """Of some digests, those stored with a text that no other can better; after `begin`."""
    rows = con.execute(statement("settled_digests"), {"digests": digests}).fetchall()
    return {digest for (digest,) in rows}


def apply(con: DuckDBPyConnection, run: Run, crawls: pa.Table, repositories: pa.Table) -> None:
    """Merge everything staged, as told by CRAWLS (one row a repository read in this run).

    Rows staged for a repository that failed, is missing or was not crawled are not used. Commits
    chunk by chunk: if it fails, the building file is to be thrown away.

    Args:
        con: the building file, with all manifests loaded.
        run: what to log; its `as_of` marks what was seen.
        crawls: how each reading went.
        repositories: rows of REPOSITORIES, those listed in this run.
    """
    _insert(con, "staged_crawls", crawls, CRAWLS)
    _insert(con, "staged_repositories", repositories, REPOSITORIES)
    row = pa.Table.from_pylist([asdict(run)])
    with _registered(con, {"arriving": row}):
        con.execute("insert into staged_run by name from arriving")
    con.execute("set variable as_of = ?", [run.as_of])
    run_step(con, Step.PLAN)
    chunks = con.execute("select distinct chunk from planned_crawls order by chunk").fetchall()
    for number in chunks:
        con.execute("set variable chunk = ?", number)
        _run_whole(con, Step.CHUNK)
    _run_whole(con, Step.FINISH)


def row_counts(con: DuckDBPyConnection) -> dict[str, int]:
    """Rows by table, `schema.table`, of schemas main and ingest."""
    tables = con.execute(
        "select schema_name || '.' || table_name from duckdb_tables()"
        " where database_name = current_database() and schema_name in ('main', 'ingest')"
        " order by all"
    ).fetchall()
    return {name: con.table(name).count("*").fetchall()[0][0] for (name,) in tables}


def _run_whole(con: DuckDBPyConnection, step: Step) -> None:
    """Run a step in one transaction, with as much memory as that takes."""

    def attempt() -> None:
        with transaction(con):
            run_step(con, step)

    retry_with_more_memory(con, attempt)


def _insert(con: DuckDBPyConnection, target: str, table: pa.Table, schema: pa.Schema) -> None:
    with _registered(con, {"arriving": table.cast(schema)}):
        con.execute(f"insert into {target} from arriving")


@contextmanager
def _registered(con: DuckDBPyConnection, tables: dict[str, pa.Table]) -> Iterator[None]:
    """Let SQL read Arrow tables by these names, without copying them."""
    for name, table in tables.items():
        con.register(name, table)
    try:
        yield
    finally:
        for name in tables:
            con.unregister(name)
