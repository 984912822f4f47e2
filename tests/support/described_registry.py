"""Writes a registry down briefly and expands it into the rows of the warehouse's tables.

A description is what a case of `tests/sql` holds as TOML: `manifests`, and either `tags` (one
run) or `runs`, each with the tags live after it; what else it says beside `runs` holds for each.
What it leaves out gets plain defaults: crawls complete, tags updated a day ago, a run a day, a
manifest known from the first run a tag points at it. Of a run see `described_runs`.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
from described_pulls import download_counts, own_pulls
from described_rules import retention
from described_runs import FIRST_RUN, Record, Row, Run, Tables, digest_of, row_of
from described_use import references, snapshots_of_use
from layer_rows import listed_layers

from pipelines.schemas import TABLES
from pipelines.warehouse.build_plan import report_inputs, report_names
from pipelines.warehouse.load import registered, store_layers
from pipelines.warehouse.migrations import make_tables
from pipelines.warehouse.reports import build_reports

Description = dict[str, Any]

SIZE = re.compile(r"\d+")


def snapshots(description: Description) -> list[Tables]:
    """Give the rows of every table of `main` and `ingest` after each run."""
    runs = _runs(description)
    record = Record()
    return [_with_manifests(record.after(run), description, runs, run) for run in runs]


def expand(description: Description) -> Tables:
    """Give the rows of every table of `main` and `ingest` after the last run."""
    every = snapshots(description)
    return every[-1] if every else _with_manifests(Record().tables, description, [], None)


def warehouse(tables: Tables) -> duckdb.DuckDBPyConnection:
    """Open a warehouse in memory that holds these rows; reports are not built."""
    con = duckdb.connect(config={"threads": 1})
    con.execute("set timezone = 'UTC'")
    make_tables(con)
    refill(con, tables)
    return con


def reported(description: Description, *reports: str) -> duckdb.DuckDBPyConnection:
    """Open a warehouse in memory whose reports, or some of them, were built after each run."""
    names = {name for report in reports for name in with_what_it_reads(report)} or None
    con = warehouse({})
    for tables in snapshots(description) or [expand(description)]:
        refill(con, tables)
        build_reports(con, names=names)
    return con


def with_what_it_reads(report: str) -> set[str]:
    """Name a report and every other that has to be built before it."""
    read = {name for name in report_names() if f"reports.{name}" in report_inputs(report)}
    return {report}.union(*(with_what_it_reads(name) for name in read - {report}))


@contextmanager
def in_a_copy(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let whatever is done to a warehouse be done to a copy that does not last."""
    [(database,)] = con.execute("select current_database()").fetchall()
    con.execute(f"attach ':memory:' as trial; copy from database {database} to trial; use trial")
    yield
    con.execute(f"use {database}; detach trial")


def refill(con: duckdb.DuckDBPyConnection, tables: Tables) -> None:
    """Put other rows in the place of those a warehouse has."""
    for (schema, name), columns in TABLES.items():
        con.execute(f"delete from {schema}.{name}")
        if tables.get(name):
            con.register("inserted", pa.Table.from_pylist(tables[name], schema=columns))
            con.execute(f"insert into {schema}.{name} by name from inserted")
            con.unregister("inserted")
    prefixes, lists = listed_layers(tables.get("layers", []))
    with registered(con, {"arriving_prefixes": prefixes, "arriving_lists": lists}):
        store_layers(con, lists)


def read(con: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    """Read a whole table, in its own order."""
    rows: list[Row] = con.sql(f"from {table}").to_arrow_table().to_pylist()
    return rows


def _runs(description: Description) -> list[Run]:
    one = [{**description, "tags": description["tags"]}] if "tags" in description else []
    runs: list[Run] = []
    as_of = FIRST_RUN
    always = {name: value for name, value in description.items() if name != "runs"}
    for number, described in enumerate(description.get("runs", one), start=1):
        if runs:
            as_of += timedelta(hours=described.get("hours", 24))
        runs.append(Run(always | described, number, as_of))
    return runs


def _with_manifests(
    tables: Tables, description: Description, runs: list[Run], now: Run | None
) -> Tables:
    """Add what was known of manifests by a run."""
    tables |= {"manifests": [], "layers": [], "platforms": []}
    tables |= _answers(description, runs, now)
    for digest, described in description.get("manifests", {}).items():
        seen_at = _first_seen(digest, described, runs)
        if now is None or seen_at <= now.as_of:
            manifest = _as_known(described, 0 if now is None else now.number)
            tables["manifests"].append(_manifest(digest, manifest, seen_at))
            tables["layers"] += _layers(digest, manifest)
            tables["platforms"] += _platforms(digest, manifest)
    tables["image_configs"] = list(_configs(description, tables["manifests"]))
    kinds = {row["manifest_digest"]: row["manifest_kind"] for row in tables["manifests"]}
    for tag in tables["tags"]:
        tag["manifest_kind"] = kinds.get(tag["manifest_digest"], "unknown")
    return tables


def _answers(description: Description, runs: list[Run], now: Run | None) -> Tables:
    """What the registry was asked for by a run: sizes of blobs, labels of configurations."""
    measured = [
        row_of(
            "pulls",
            registry=run.registry,
            kind="blob",
            digest=blob,
            namespace="a",
            repository="app",
            outcome="read",
            size_bytes=answer["size"],
            run_id=run.run_id,
            asked_at=run.as_of,
        )
        for blob, answer in description.get("measured", {}).items()
        for run in runs
        if run.number == answer["run"] and now is not None and run.number <= now.number
    ]
    labels = [
        row_of("image_labels", config_digest=config, label_key=key, label_value=value)
        for config, described in description.get("configs", {}).items()
        for key, value in described.get("labels", {}).items()
    ]
    figures = [
        row_of(
            "service_figures",
            registry=run.registry,
            run_id=run.run_id,
            name="overview",
            repository_count=run.described["service"]["repositories"],
            tag_count=run.described["service"]["tags"],
            stored=run.described["service"]["stored"],
            asked_at=run.as_of,
        )
        for run in runs
        if now is not None and run.number <= now.number and "service" in run.described
    ]
    past = [run for run in runs if now is not None and run.number <= now.number]
    return {
        "pulls": [*measured, *own_pulls(past)],
        "image_labels": labels,
        "service_figures": figures,
        "download_counts": list(download_counts(past)),
        **retention(past),
        "in_use_snapshots": list(snapshots_of_use(past)),
        "in_use_references": list(references(past)),
    }


def _configs(description: Description, manifests: list[Row]) -> Iterator[Row]:
    """The configurations that were read, of the images that have them."""
    for manifest in manifests:
        described = description.get("configs", {}).get(manifest["config_digest"])
        if described is not None and manifest["manifest_kind"] == "image":
            yield row_of(
                "image_configs",
                manifest_digest=manifest["manifest_digest"],
                config_digest=manifest["config_digest"],
                built_at=described.get("built_at"),
                labels=json.dumps(described.get("labels", {})),
                base_name=described.get("base_name"),
                base_digest=described.get("base_digest"),
            )


def _first_seen(digest: str, manifest: Row, runs: list[Run]) -> datetime:
    if "first_run" in manifest:
        first: datetime = runs[manifest["first_run"] - 1].as_of
        return first
    for run in runs:
        pointers = (pointer for tags in run.tags.values() for pointer in tags.values())
        if digest in map(digest_of, pointers):
            return run.as_of
    return FIRST_RUN


def _as_known(manifest: Row, number: int) -> Row:
    """What a run knew of a manifest: no more than that it is invalid, before a better text came."""
    if number < manifest.get("readable_from_run", 0):
        return {"kind": "invalid", "problem": "is no JSON"}
    return manifest


def _manifest(digest: str, manifest: Row, first_seen_at: datetime) -> Row:
    config, config_bytes, _ = _blob(manifest.get("config"))
    return row_of(
        "manifests",
        manifest_digest=digest,
        source=manifest.get("source", "tag"),
        manifest_kind=kind_of(manifest),
        config_digest=config,
        config_bytes=config_bytes,
        layer_count=len(manifest.get("layers", [])),
        size_basis="exact",
        digest_verified=manifest.get("digest_verified", True),
        subject_digest=manifest.get("subject"),
        manifest_bytes=manifest.get("manifest_bytes", 500),
        manifest="{}",
        problem=manifest.get("problem"),
        first_seen_at=first_seen_at,
    )


def kind_of(manifest: Row) -> str:
    """Tell a described manifest's kind from its parts, unless it says it."""
    kind: str = manifest.get("kind", "index" if "children" in manifest else "image")
    return kind


def _blob(text: str | None) -> tuple[str | None, int | None, set[str]]:
    """Read 'name', 'name 123', 'name 123 foreign'."""
    if text is None:
        return None, None, set()
    name, *rest = text.split()
    size = next((int(word) for word in rest if SIZE.fullmatch(word)), None)
    return name, size, set(rest)


def _layers(digest: str, manifest: Row) -> Iterator[Row]:
    prefix = ""
    for position, text in enumerate(manifest.get("layers", [])):
        name, size, words = _blob(text)
        prefix = f"{prefix}/{name}"
        yield row_of(
            "layers",
            manifest_digest=digest,
            position=position,
            blob_digest=name,
            size_bytes=size,
            is_stored="foreign" not in words,
            prefix_digest=prefix,
        )


def _platforms(digest: str, manifest: Row) -> Iterator[Row]:
    """The children of an index; those of a cache are the blobs that are its layers, too."""
    is_cache = kind_of(manifest) == "cache"
    children = manifest.get("layers", []) if is_cache else manifest.get("children", [])
    for position, text in enumerate(children):
        name, stated_bytes, words = _blob(text)
        yield row_of(
            "platforms",
            index_digest=digest,
            position=position,
            manifest_digest=name,
            manifest_bytes=stated_bytes,
            os="linux",
            architecture="amd64",
            is_attestation=False,
            is_blob=is_cache or "blob" in words,
        )
