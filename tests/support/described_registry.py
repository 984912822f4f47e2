"""Writes a registry down briefly and expands it into the rows of the warehouse's tables.

A description is what a case of `tests/sql` holds as TOML: `manifests`, and either `tags` (one
run) or `runs`, each with the tags live after it. What it leaves out gets plain defaults:
crawls complete, tags updated a day ago, a manifest known from the first run a tag points at it.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.warehouse.migrations import make_tables

Row = dict[str, Any]
Tables = dict[str, list[Row]]
Description = dict[str, Any]

FIRST_RUN = datetime(2026, 1, 1, 12, tzinfo=UTC)
SIZE = re.compile(r"\d+")


def run_count(description: Description) -> int:
    """How many runs a description has."""
    return len(_described_runs(description))


def expand(description: Description, until: int | None = None) -> Tables:
    """Give the rows of every table of `main` and `ingest`, maybe as so many runs left them."""
    every = [_run(number, run) for number, run in enumerate(_described_runs(description))]
    runs = every[:until]
    for before, run in pairwise(runs):
        run["crawls"] = {
            **dict.fromkeys({*before["tags"]} - {*run["tags"]}, "missing"),
            **run["crawls"],
        }
    tables: Tables = {
        "runs": [run["row"] for run in runs],
        "crawls": [crawl for run in runs for crawl in _crawls(run)],
        "rejected_records": [record for run in runs for record in _rejected(run)],
        "counted_records": [_counted(record) for record in description.get("counted", [])],
        "namespaces": [_namespace(row, runs) for row in description.get("namespaces", [])],
        "tag_history": list(_history(runs)),
        "manifests": [],
        "layers": [],
        "platforms": [],
    }
    for digest, manifest in description.get("manifests", {}).items():
        first_seen_at = _first_seen(digest, manifest, every)
        if runs and first_seen_at > runs[-1]["row"]["as_of"]:
            continue
        tables["manifests"].append(_manifest(digest, manifest, first_seen_at))
        tables["layers"] += _layers(digest, manifest)
        tables["platforms"] += _platforms(digest, manifest)
    tables["tags"] = list(_tags(runs[-1], tables["manifests"])) if runs else []
    tables["repositories"] = list(_repositories(runs, description.get("repositories", {})))
    return tables


def warehouse(tables: Tables) -> duckdb.DuckDBPyConnection:
    """Open a warehouse in memory that holds these rows; reports are not built."""
    con = duckdb.connect(config={"threads": 1})
    con.execute("set timezone = 'UTC'")
    make_tables(con)
    for name, rows in tables.items():
        insert(con, name, rows)
    return con


def replace_rows(con: duckdb.DuckDBPyConnection, tables: Tables) -> None:
    """Bring a warehouse to what these rows say, as a later run does; its reports stay."""
    for name, rows in tables.items():
        con.execute(f"delete from {'main' if name in MAIN else 'ingest'}.{name}")
        insert(con, name, rows)


def insert(con: duckdb.DuckDBPyConnection, table: str, rows: list[Row]) -> None:
    """Insert rows by column name; columns left out are null."""
    schema = "main" if table in MAIN else "ingest"
    if rows:
        # Arrow takes the columns of the first row.
        every = dict.fromkeys(name for row in rows for name in row)
        more = every | DEFAULTS.get(table, {})
        con.register("inserted", pa.Table.from_pylist([more | row for row in rows]))
        con.execute(f"insert into {schema}.{table} by name from inserted")
        con.unregister("inserted")


_OWNED: Row = {"registry": "cn-north-4"}
DEFAULTS: dict[str, Row] = {
    **dict.fromkeys(("crawls", "rejected_records", "counted_records"), _OWNED),
    **dict.fromkeys(("runs", "tags", "tag_history"), _OWNED),
    "namespaces": _OWNED,
    "repositories": _OWNED,
    "manifests": {"source": "tag"},
}
MAIN = {"tags", "tag_history", "repositories", "manifests", "layers", "platforms"}


def read(con: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    """Read a whole table, in its own order."""
    rows: list[Row] = con.sql(f"from {table}").to_arrow_table().to_pylist()
    return rows


def split(repository: str) -> Row:
    """Split `namespace/repository` at the first slash."""
    namespace, name = repository.split("/", 1)
    return {"namespace": namespace, "repository": name}


def _described_runs(description: Description) -> list[Row]:
    if "runs" in description:
        runs: list[Row] = description["runs"]
        return runs
    return [{**description, "tags": description["tags"]}] if "tags" in description else []


def _run(number: int, described: Row) -> Row:
    as_of = FIRST_RUN + timedelta(days=number)
    crawls = described.get("crawls", {})
    finished = all(status in ("complete", "unchanged") for status in crawls.values())
    row = {
        "run_id": f"run-{number + 1}",
        "as_of": as_of,
        "mode": "full",
        "started_at": as_of - timedelta(hours=1),
        "finished_at": as_of,
        "status": "complete" if finished else "partial",
        "scope": "",
        "unread_namespaces": described.get("unread_namespaces", 0),
        "unread_repositories": described.get("unread_repositories", 0),
        "stale_days": described.get("stale_days", 180),
        "exact_hours": described.get("exact_hours", 48),
        "requests": 1,
        "retries": 0,
        "throttled_seconds": 0.0,
    }
    return {**described, "row": row, "crawls": crawls, "seen_at": as_of - timedelta(minutes=30)}


def _crawls(run: Row) -> Iterator[Row]:
    for repository in _crawled(run):
        tags = run["tags"].get(repository, {})
        yield {
            **split(repository),
            "run_id": run["row"]["run_id"],
            "status": _status(run, repository),
            "cause": run.get("causes", {}).get(repository),
            "requests": 1,
            "pages": 1,
            "expected": run.get("expected", {}).get(repository, len(tags)),
            "received": len(tags),
            "duplicates": 0,
            "attempts": 1,
            "unseen_tag_count": run.get("unseen", {}).get(repository, 0),
            "error": run.get("errors", {}).get(repository),
            "started_at": run["seen_at"] - timedelta(minutes=1),
            "finished_at": run["seen_at"],
        }


def _crawled(run: Row) -> list[str]:
    """The repositories a run asked for: all it names, but those it skipped."""
    return sorted({*run["tags"], *run["crawls"]} - {*run.get("skipped", [])})


def _status(run: Row, repository: str) -> str:
    status: str = run["crawls"].get(repository, "complete")
    return status


def _rejected(run: Row) -> Iterator[Row]:
    for record in run.get("rejected", []):
        yield {
            **split(record["repository"]),
            "run_id": run["row"]["run_id"],
            "reason": record["reason"],
            "record": record.get("record", "{}"),
        }


def _counted(record: Row) -> Row:
    owner = split(record["in"]) if "in" in record else {}
    more = {"reason": "rejected", "fingerprint": "x"} | record
    return owner | {name: value for name, value in more.items() if name != "in"}


def _namespace(described: Row, runs: list[Row]) -> Row:
    as_of = runs[-1]["row"]["as_of"]
    listed = {"list_status": "complete", "listed_at": as_of, "unreadable_repositories": 0}
    seen = {"first_seen_at": runs[0]["row"]["as_of"], "last_seen_at": as_of}
    if described.get("list_status") in ("failed", "not_asked"):
        listed["listed_at"] = None
    return listed | seen | described


def _digest(pointer: Any) -> str:
    digest: str = pointer if isinstance(pointer, str) else pointer["manifest"]
    return digest


def _first_seen(digest: str, manifest: Row, runs: list[Row]) -> datetime:
    if "first_run" in manifest:
        return FIRST_RUN + timedelta(days=manifest["first_run"] - 1)
    for run in runs:
        pointers = (p for tags in run["tags"].values() for p in tags.values())
        if digest in map(_digest, pointers):
            seen: datetime = run["row"]["as_of"]
            return seen
    return FIRST_RUN


def _manifest(digest: str, manifest: Row, first_seen_at: datetime) -> Row:
    config, config_bytes, _ = _blob(manifest.get("config"))
    return {
        "manifest_digest": digest,
        "manifest_kind": kind_of(manifest),
        "config_digest": config,
        "config_bytes": config_bytes,
        "layer_count": len(manifest.get("layers", [])),
        "size_basis": "exact",
        "digest_verified": manifest.get("digest_verified", True),
        "subject_digest": manifest.get("subject"),
        "manifest_bytes": manifest.get("manifest_bytes", 500),
        "manifest": "{}",
        "problem": manifest.get("problem"),
        "first_seen_at": first_seen_at,
    }


def kind_of(manifest: Row) -> str:
    """Tell a described manifest's kind from its parts, unless it says it."""
    kind: str = manifest.get("kind", "index" if "children" in manifest else "image")
    return kind


def _blob(text: str | None) -> tuple[str | None, int | None, bool]:
    """Read 'name', 'name 123', 'name 123 foreign'."""
    if text is None:
        return None, None, True
    name, *rest = text.split()
    size = next((int(word) for word in rest if SIZE.fullmatch(word)), None)
    return name, size, "foreign" not in rest


def _layers(digest: str, manifest: Row) -> Iterator[Row]:
    prefix = ""
    for position, text in enumerate(manifest.get("layers", [])):
        name, size, is_stored = _blob(text)
        prefix = f"{prefix}/{name}"
        yield {
            "manifest_digest": digest,
            "position": position,
            "blob_digest": name,
            "size_bytes": size,
            "is_stored": is_stored,
            "prefix_digest": prefix,
        }


def _platforms(digest: str, manifest: Row) -> Iterator[Row]:
    for position, text in enumerate(manifest.get("children", [])):
        name, stated_bytes, _ = _blob(text)
        yield {
            "index_digest": digest,
            "position": position,
            "manifest_digest": name,
            "manifest_bytes": stated_bytes,
            "os": "linux",
            "architecture": "amd64",
            "is_attestation": False,
            "is_blob": text.endswith(" blob"),
        }


def _tags(run: Row, manifests: Iterable[Row]) -> Iterator[Row]:
    kinds = {row["manifest_digest"]: row["manifest_kind"] for row in manifests}
    as_of = run["row"]["as_of"]
    for repository, tags in run["tags"].items():
        for tag, pointer in tags.items():
            more = {} if isinstance(pointer, str) else pointer
            created = more.get("created_days_ago", 1)
            yield {
                **split(repository),
                "tag": tag,
                "manifest_digest": _digest(pointer),
                "manifest_kind": kinds.get(_digest(pointer), "unknown"),
                "api_size_bytes": more.get("api_size_bytes"),
                "created_at": None if created is None else as_of - timedelta(days=created),
                "updated_at": as_of - timedelta(days=more.get("updated_days_ago", 1)),
                "tag_type": more.get("tag_type"),
                "unreadable_fields": more.get("unreadable_fields"),
                "first_seen_at": as_of,
                "last_seen_at": as_of,
                **{name: more[name] for name in ("created_at", "updated_at") if name in more},
            }


def _repositories(runs: list[Row], described: dict[str, Row]) -> Iterator[Row]:
    for repository in sorted({*described, *(name for run in runs for name in run["tags"])}):
        seen = [run["row"]["as_of"] for run in runs if repository in run["tags"]]
        last = runs[-1]["tags"].get(repository)
        is_gone = last is None and bool(seen)
        yield {
            **split(repository),
            "tag_count": len(last or {}),
            "first_seen_at": (seen or [runs[-1]["row"]["as_of"]])[0],
            "last_seen_at": seen[-1] if seen else None,
            "deleted_detected_at": runs[-1]["row"]["as_of"] if is_gone else None,
            **_last_crawl(repository, runs),
            **described.get(repository, {}),
        }


def _last_crawl(repository: str, runs: list[Row]) -> Row:
    """What the loader keeps of the crawls of a repository."""
    crawled = [run for run in runs if repository in _crawled(run)]
    proven = [run for run in crawled if _status(run, repository) in ("complete", "unchanged")]
    if not crawled:
        return {"unseen_tag_count": 0}
    last = crawled[-1]
    return {
        "read_at": proven[-1]["row"]["as_of"] if proven else None,
        "crawl_status": _status(last, repository),
        "crawl_cause": last.get("causes", {}).get(repository),
        "crawl_error": last.get("errors", {}).get(repository),
        "unseen_tag_count": last.get("unseen", {}).get(repository, 0),
    }


def _history(runs: list[Row]) -> Iterator[Row]:
    open_rows: dict[tuple[str, str], Row] = {}
    previous: datetime | None = None
    for run in runs:
        state = {
            (repository, tag): _digest(pointer)
            for repository, tags in run["tags"].items()
            for tag, pointer in tags.items()
        }
        for key in sorted({*state, *open_rows}):
            before, digest = open_rows.get(key), state.get(key)
            if before is None or before["manifest_digest"] != digest:
                if before is not None:
                    before.update(valid_to=run["seen_at"], valid_to_earliest=previous)
                    yield before
                open_rows[key] = _interval(key, before, digest, run["seen_at"], previous)
                if digest is None and key[0] in run.get("forgets", []):
                    open_rows[key]["change"] = "forgotten"
        previous = run["seen_at"]
    yield from open_rows.values()


def _interval(
    key: tuple[str, str],
    before: Row | None,
    digest: str | None,
    seen_at: datetime,
    previous: datetime | None,
) -> Row:
    if before is None:
        change = "created"
    elif digest is None:
        change = "deleted"
    else:
        change = "moved" if before["manifest_digest"] else "restored"
    return {
        **split(key[0]),
        "tag": key[1],
        "manifest_digest": digest,
        "change": change,
        "valid_from": seen_at,
        "valid_from_earliest": previous,
        "valid_to": None,
        "valid_to_earliest": None,
    }
