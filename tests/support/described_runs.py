"""What runs leave in the tables that tell of them: a described run after another is recorded.

Knows repositories, tags and their history, crawls, namespaces and records; manifests are
`described_registry`'s. It does what the loader does, by hand and without a registry to read.
"""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pipelines.schemas import LOADED

Row = dict[str, Any]
Tables = dict[str, list[Row]]
Name = tuple[str, str, str]

FIRST_RUN = datetime(2026, 1, 1, 12, tzinfo=UTC)
REGISTRY = "cn-north-4"
PROVEN = ("complete", "unchanged")
RECORDED = (
    "runs",
    "crawls",
    "rejected_records",
    "counted_records",
    "namespaces",
    "tag_history",
    "tags",
    "repositories",
)
_SCHEMAS = {name: schema for (_, name), schema in LOADED.items()}


def row_of(table: str, **values: Any) -> Row:
    """A whole row; what is left out is null."""
    return {**dict.fromkeys(_SCHEMAS[table].names), **values}


def split(repository: str) -> Row:
    """Split `namespace/repository` at the first slash."""
    namespace, name = repository.split("/", 1)
    return {"namespace": namespace, "repository": name}


def digest_of(pointer: Any) -> str:
    """The digest a described tag points at."""
    digest: str = pointer if isinstance(pointer, str) else pointer["manifest"]
    return digest


@dataclass
class Run:
    """A described run and when it was."""

    described: Row
    number: int
    as_of: datetime

    @property
    def registry(self) -> str:
        """The registry it read."""
        name: str = self.described.get("registry", REGISTRY)
        return name

    @property
    def seen_at(self) -> datetime:
        """When its crawls ended."""
        return self.as_of - timedelta(minutes=30)

    @property
    def run_id(self) -> str:
        """Its name."""
        return f"run-{self.number}"

    @property
    def mode(self) -> str:
        """Incremental, full, or forget: a run that reads nothing."""
        mode: str = self.described.get("mode", "full")
        return mode

    @property
    def skipped(self) -> list[str]:
        """The repositories that it knows of and did not ask for."""
        names: list[str] = self.described.get("skipped", [])
        return names

    @property
    def forgets(self) -> list[str]:
        """The repositories that it gives up."""
        return [name for name in self.described.get("forgets", []) if "/" in name]

    def of(self, kind: str, repository: str, default: Any = None) -> Any:
        """What is described of a repository: its status, its error, its count and the like."""
        return self.described.get(kind, {}).get(repository, default)

    @property
    def tags(self) -> dict[str, dict[str, Any]]:
        """The live tags after it."""
        tags: dict[str, dict[str, Any]] = self.described["tags"]
        return tags


@dataclass
class Record:
    """The tables so far."""

    tables: Tables = field(default_factory=lambda: {name: [] for name in RECORDED})
    # Open rows of tag_history by tag, and when each repository was last proven.
    open_rows: dict[tuple[str, str, str], Row] = field(default_factory=dict)
    proven: dict[str, datetime] = field(default_factory=dict)

    def after(self, run: Run) -> Tables:
        """Record a run; give a copy of the tables after it."""
        self.tables["runs"].append(_run_row(run))
        crawled = self._crawled(run)
        self.tables["crawls"] += [_crawl(run, name, crawled[name]) for name in sorted(crawled)]
        self.tables["rejected_records"] += _rejected(run)
        self._replace("counted_records", run, list(_counted(run)))
        self._replace("tags", run, list(_tags(run)))
        self._update_namespaces(run)
        self._update_history(run, crawled)
        self._update_repositories(run, crawled)
        return deepcopy(self.tables)

    def _replace(self, table: str, run: Run, rows: list[Row]) -> None:
        others = [row for row in self.tables[table] if row["registry"] != run.registry]
        self.tables[table] = others + rows

    def _crawled(self, run: Run) -> dict[str, str]:
        """The status of each repository that the run read or tried to."""
        if run.mode == "forget":
            return dict.fromkeys(run.forgets, "forgotten")
        crawls = dict.fromkeys(run.tags, "complete") | dict.fromkeys(run.forgets, "forgotten")
        for row in self.tables["repositories"]:
            name = f"{row['namespace']}/{row['repository']}"
            is_here = row["registry"] == run.registry and row["deleted_detected_at"] is None
            if is_here and name not in run.tags and name not in run.forgets:
                crawls[name] = "missing"
        crawls |= run.described.get("crawls", {})
        return {name: status for name, status in crawls.items() if name not in run.skipped}

    def _update_namespaces(self, run: Run) -> None:
        for row in _lists(run):
            listed = self._namespace(run, row["namespace"])
            known = {}
            if row.get("list_status") in ("failed", "not_asked"):
                known = _hole(listed)
            listed.update(last_seen_at=run.as_of, list_status="complete", unreadable_repositories=0)
            listed.update(row | known)
            if listed["list_status"] == "complete":
                listed["listed_at"] = row.get("listed_at", run.as_of)
        forgotten = [name for name in run.described.get("forgets", []) if "/" not in name]
        self.tables["namespaces"] = [
            row for row in self.tables["namespaces"] if row["namespace"] not in forgotten
        ]

    def _namespace(self, run: Run, namespace: str) -> Row:
        for row in self.tables["namespaces"]:
            if (row["registry"], row["namespace"]) == (run.registry, namespace):
                return row
        new = row_of(
            "namespaces", registry=run.registry, namespace=namespace, first_seen_at=run.as_of
        )
        self.tables["namespaces"].append(new)
        return new

    def _update_repositories(self, run: Run, crawled: dict[str, str]) -> None:
        known = {
            (row["registry"], row["namespace"], row["repository"]): row
            for row in self.tables["repositories"]
        }
        overrides = run.described.get("repositories", {})
        for name in sorted({*run.tags, *crawled, *overrides}):
            place = split(name)
            row = known.get((run.registry, place["namespace"], place["repository"]))
            if row is None:
                row = row_of("repositories", registry=run.registry, **place)
                self.tables["repositories"].append(row)
            if row["first_seen_at"] is None or name in run.described.get("recreated", []):
                row["first_seen_at"] = run.as_of
            _update_repository(row, run, name, crawled.get(name))
            row.update(overrides.get(name, {}))

    def _update_history(self, run: Run, crawled: dict[str, str]) -> None:
        state = {
            (run.registry, name, tag): digest_of(pointer)
            for name, tags in run.tags.items()
            for tag, pointer in tags.items()
        }
        mine = {key for key in self.open_rows if key[0] == run.registry}
        for key in sorted({*state, *mine}):
            self._change(run, key, state.get(key))
        for name, status in crawled.items():
            if status in PROVEN:
                self.proven[f"{run.registry} {name}"] = run.seen_at

    def _change(self, run: Run, key: tuple[str, str, str], digest: str | None) -> None:
        before = self.open_rows.get(key)
        old = before and before["manifest_digest"]
        at, is_forgotten = run.seen_at, key[1] in run.forgets
        if before and key[1] in run.described.get("recreated", []) and old and digest:
            self._open(key, None, "deleted", at)
            self._open(key, digest, "created", at)
        elif before is None or old != digest:
            self._open(key, digest, _change_of(before, digest, is_forgotten=is_forgotten), at)

    def _open(
        self, key: tuple[str, str, str], digest: str | None, change: str, at: datetime
    ) -> None:
        earliest = self.proven.get(f"{key[0]} {key[1]}")
        if key in self.open_rows:
            self.open_rows[key].update(valid_to=at, valid_to_earliest=earliest)
        row = row_of(
            "tag_history",
            registry=key[0],
            **split(key[1]),
            tag=key[2],
            manifest_digest=digest,
            change=change,
            valid_from=at,
            valid_from_earliest=earliest,
        )
        self.open_rows[key] = row
        self.tables["tag_history"].append(row)


def _hole(listed: Row) -> Row:
    """What stays unknown of a namespace's list until there is a list again."""
    if listed["list_status"] is None:
        return {}
    names = ("list_status", "error") if listed["list_status"] == "incomplete" else ()
    return {name: listed[name] for name in (*names, "unreadable_repositories")}


def _change_of(before: Row | None, digest: str | None, *, is_forgotten: bool) -> str:
    if before is None:
        return "created"
    if digest is None:
        return "forgotten" if is_forgotten else "deleted"
    return "moved" if before["manifest_digest"] else "restored"


def _run_row(run: Run) -> Row:
    described = run.described
    statuses = described.get("crawls", {}).values()
    finished = all(status in PROVEN for status in statuses)
    return row_of(
        "runs",
        registry=run.registry,
        run_id=run.run_id,
        as_of=run.as_of,
        mode=run.mode,
        started_at=run.as_of - timedelta(hours=1),
        finished_at=run.as_of,
        status="complete" if finished else "partial",
        scope="",
        unread_namespaces=described.get("unread_namespaces", 0),
        unread_repositories=described.get("unread_repositories", 0),
        stale_days=described.get("stale_days", 180),
        exact_hours=described.get("exact_hours", 48),
        report_labels="\n".join(described.get("report_labels", [])) or None,
        price_per_gb_month=_price(described.get("price_per_gb_month")),
        currency=described.get("currency"),
        in_use_days=described.get("in_use_days"),
        requests=1,
        retries=0,
        throttled_seconds=0.0,
    )


def _price(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _crawl(run: Run, name: str, status: str) -> Row:
    tags = run.tags.get(name, {})
    return row_of(
        "crawls",
        registry=run.registry,
        **split(name),
        run_id=run.run_id,
        status=status,
        cause=run.of("causes", name),
        requests=1,
        pages=1,
        expected=run.of("expected", name, len(tags)),
        received=len(tags),
        duplicates=0,
        attempts=1,
        unseen_tag_count=run.of("unseen", name, 0),
        is_listed=name in run.tags and name not in run.described.get("unlisted", []),
        error=run.of("errors", name),
        started_at=run.seen_at - timedelta(minutes=1),
        finished_at=run.seen_at,
    )


def _lists(run: Run) -> list[Row]:
    """What is described of the namespaces that are visible; all others are listed completely."""
    described: list[Row] = run.described.get("namespaces", [])
    if run.mode == "forget":
        return []
    named = {row["namespace"] for row in described}
    others = sorted({name.split("/")[0] for name in run.tags} - named)
    return [*({"namespace": name} for name in others), *described]


def _rejected(run: Run) -> Iterator[Row]:
    for record in run.described.get("rejected", []):
        yield row_of(
            "rejected_records",
            registry=run.registry,
            **split(record["repository"]),
            run_id=run.run_id,
            reason=record["reason"],
            record=record.get("record", "{}"),
        )


def _counted(run: Run) -> Iterator[Row]:
    for record in run.described.get("counted", []):
        yield row_of(
            "counted_records",
            registry=run.registry,
            **split(record["in"]),
            record_key=record["record_key"],
            reason=record.get("reason", "rejected"),
            fingerprint="fingerprint",
        )


def _tags(run: Run) -> Iterator[Row]:
    copied = ("api_size_bytes", "tag_type", "unreadable_fields")
    for repository, tags in run.tags.items():
        for tag, pointer in tags.items():
            more = {} if isinstance(pointer, str) else pointer
            yield row_of(
                "tags",
                registry=run.registry,
                **split(repository),
                tag=tag,
                path=f"host/{repository}:{tag}",
                manifest_digest=digest_of(pointer),
                **{name: more.get(name) for name in copied},
                created_at=_moment(run, more, "created"),
                updated_at=_moment(run, more, "updated"),
                first_seen_at=run.as_of,
                last_seen_at=run.as_of,
            )


def _moment(run: Run, described: Row, clock: str) -> datetime | None:
    """A moment of its own, or so many days before the run; a day if nothing is said."""
    if f"{clock}_at" in described:
        at: datetime = described[f"{clock}_at"]
        return at
    days = described.get(f"{clock}_days_ago", 1)
    return None if days is None else run.as_of - timedelta(days=days)


def _update_repository(row: Row, run: Run, name: str, status: str | None) -> None:
    row["tag_count"] = len(run.tags.get(name, {}))
    row["unseen_tag_count"] = row["unseen_tag_count"] or 0
    if run.of("api_tag_counts", name) is not None:
        row["api_tag_count"] = run.of("api_tag_counts", name)
    row["download_count"] = run.of("downloads", name, row["download_count"])
    if status is not None:
        row["crawl_status"], row["crawl_cause"] = status, run.of("causes", name)
        row["crawl_error"] = run.of("errors", name)
        row["unseen_tag_count"] = run.of("unseen", name, 0)
    if status in PROVEN:
        row["read_at"] = row["last_seen_at"] = run.as_of
    if name in run.described.get("unlisted", []):
        row["unlisted_since"] = row["unlisted_since"] or run.as_of
    else:
        row["unlisted_since"] = None
    row["deleted_detected_at"] = None
    if status in ("missing", "forgotten"):
        row["read_at"] = None
        row["deleted_detected_at"] = run.seen_at
