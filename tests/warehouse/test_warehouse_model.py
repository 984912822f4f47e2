"""Random runs against a model in plain Python that keeps dictionaries instead of tables."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from duckdb import DuckDBPyConnection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from layer_rows import listed_layers
from warehouse_rows import (
    REGISTRY,
    Row,
    as_of,
    begin_building,
    counted,
    crawl,
    deleted,
    finished,
    found_in,
    manifest,
    pushed,
    run_row,
    started,
    table,
    tag,
)

from pipelines import schemas
from pipelines.warehouse import load
from pipelines.warehouse.building import connect_building

TAGS = """
    select repository, tag, manifest_digest, updated_at, last_seen_at, first_seen_at
    from tags
    order by all
"""
HISTORY = """
    select
        repository, tag, change, manifest_digest,
        valid_from, valid_from_earliest, valid_to, valid_to_earliest,
    from tag_history
    order by repository, tag, valid_from, valid_to nulls last
"""
IDS = "select repository, repo_id from repositories order by all"
COUNTED = """
    select repository, record_key, reason, fingerprint, updated_at
    from ingest.counted_records
    order by all
"""
REPOSITORIES = ("one", "two")
KEYS = ("a", "b", "c")
DIGESTS = ("X", "Y")


class Record(NamedTuple):
    """A record of the registry, as staged. A rejected one may lack its minute."""

    state: str
    key: str
    digest: str
    minute: int | None


class Reading(NamedTuple):
    """The crawl of one repository. All its records carry one repository id; 0 says nothing."""

    status: str
    everything: bool
    records: tuple[Record, ...]
    repo_id: int = 0


readable = st.builds(
    Record,
    st.sampled_from(("live", "live", "live", "deleted")),
    st.sampled_from(KEYS),
    st.sampled_from(DIGESTS),
    st.integers(0, 3),
)
rejected = st.builds(
    Record,
    st.just("rejected"),
    st.sampled_from(KEYS),
    st.sampled_from(DIGESTS),
    st.none() | st.integers(0, 3),
)
readings = st.builds(
    Reading,
    st.sampled_from(("complete", "complete", "complete", "incomplete", "failed", "missing")),
    st.booleans(),
    st.lists(readable | readable | rejected, max_size=5).map(tuple),
    st.sampled_from((1, 1, 1, 1, 2, 0)),
)
unchanged = st.just(Reading("unchanged", everything=False, records=()))
runs = st.lists(st.tuples(*[readings | unchanged for _ in REPOSITORIES]), min_size=1, max_size=6)


@dataclass
class Model:
    """What is known of one repository."""

    live: dict[str, tuple[str, datetime, datetime]] = field(default_factory=dict)
    first_seen: dict[str, datetime] = field(default_factory=dict)
    history: dict[str, list[list[Any]]] = field(default_factory=dict)
    counted: dict[str, tuple[str, str, datetime | None]] = field(default_factory=dict)
    proven: datetime | None = None
    repo_id: int | None = None

    def read(self, run: int, reading: Reading) -> None:
        """Follow one reading."""
        if reading.status in ("complete", "incomplete"):
            self.merge(run, reading)
        if reading.status == "missing":
            self.counted.clear()
            for key in list(self.live):
                self.delete(run, key)
        if reading.status in ("complete", "unchanged"):
            self.proven = started(run)

    def merge(self, run: int, reading: Reading) -> None:
        """Take in the newest record of each key."""
        newest: dict[str, Record] = {}
        # Rejected ones first: a readable record of the same moment counts more.
        for record in sorted(reading.records, key=lambda record: record.state != "rejected"):
            before = newest.get(record.key)
            if before is None or _minute(record) >= _minute(before):
                newest[record.key] = record
        everything = reading.everything and reading.status == "complete"
        is_new = everything and self.is_another(reading)
        if everything:
            self.counted.clear()
        if is_new:
            self.repo_id = None
            for key in list(self.live):
                self.delete(run, key)
        for key in KEYS:
            if key in newest:
                self.take(run, newest[key], is_new=is_new)
            elif everything and key in self.live:
                self.delete(run, key)
        if any(self.live[key][2] == as_of(run) for key in self.live):
            self.repo_id = self.repo_id or reading.repo_id or None

    def is_another(self, reading: Reading) -> bool:
        """Whether it was made anew under its name: its records carry another id."""
        carried = {record.state for record in reading.records} - {"rejected"}
        return bool(
            carried and self.repo_id and reading.repo_id and self.repo_id != reading.repo_id
        )

    def take(self, run: int, record: Record, *, is_new: bool) -> None:
        """Take in one record, of a repository made anew or not."""
        moment = None if record.minute is None else pushed(record.minute)
        if record.state == "rejected":
            self.counted[record.key] = ("rejected", record.digest, moment)
        elif record.state == "deleted":
            self.counted[record.key] = ("deleted", f"deleted {record.digest}", moment)
            if record.key in self.live:
                self.delete(run, record.key)
        elif moment:
            self.counted.pop(record.key, None)
            known = self.live.get(record.key)
            if known is None:
                is_back = record.key in self.history and not is_new
                self.log(run, record.key, "restored" if is_back else "created", record.digest)
                self.first_seen[record.key] = self.first_seen_of(record.key)
            elif known[0] != record.digest:
                self.log(run, record.key, "moved", record.digest)
            self.live[record.key] = (record.digest, moment, as_of(run))

    def first_seen_of(self, key: str) -> datetime:
        """When it was created last."""
        moments: list[datetime] = [one[2] for one in self.history[key] if one[0] == "created"]
        return moments[-1]

    def delete(self, run: int, key: str) -> None:
        """End a tag."""
        del self.live[key]
        self.log(run, key, "deleted", None)

    def log(self, run: int, key: str, change: str, digest: str | None) -> None:
        """Close the open interval and begin another."""
        intervals = self.history.setdefault(key, [])
        moments = [finished(run), self.proven]
        if intervals:
            intervals[-1][4:] = moments
        intervals.append([change, digest, *moments, None, None])


@given(runs)
@settings(max_examples=13, deadline=None, suppress_health_check=list(HealthCheck))
def test_tags_history_and_counted_records_follow_the_model(
    tmp_path_factory: Any, sequence: list[tuple[Reading, ...]]
) -> None:
    """After every run of any sequence, in every row and column."""
    assert_follows_the_model(tmp_path_factory.mktemp("model"), sequence)


@pytest.mark.soak
@given(runs)
@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
def test_many_sequences_follow_the_model(
    tmp_path_factory: Any, sequence: list[tuple[Reading, ...]]
) -> None:
    """The same for three hundred."""
    assert_follows_the_model(tmp_path_factory.mktemp("model"), sequence)


def assert_follows_the_model(directory: Path, sequence: list[tuple[Reading, ...]]) -> None:
    """Load run after run into a new warehouse, and compare it with the model after each."""
    models = {name: Model() for name in REPOSITORIES}
    begin_building(directory)
    with connect_building(directory) as con:
        for run, pair in enumerate(sequence, 1):
            _load(con, run, pair)
            for name, reading in zip(REPOSITORIES, pair, strict=True):
                models[name].read(run, reading)
            assert _stored(con) == _expected(models)


def _load(con: DuckDBPyConnection, run: int, pair: tuple[Reading, ...]) -> None:
    make: dict[str, Callable[..., Row]] = {"live": tag, "deleted": deleted, "rejected": counted}
    load.begin(con, REGISTRY)
    for name, reading in zip(REPOSITORIES, pair, strict=True):
        rows = [
            (record.state, make[record.state](*record[1:], **own(record, reading, name)))
            for record in reading.records
        ]
        tags = [row for state, row in rows if state != "rejected"]
        bad = [row for state, row in rows if state == "rejected"]
        load.stage_tags(con, table(tags, schemas.TAGS))
        load.stage_rejected(con, table(bad, schemas.COUNTED), schemas.REJECTED.empty_table())
    manifests = table([manifest(digest) for digest in DIGESTS], schemas.MANIFESTS)
    images = (manifests, *listed_layers([]), schemas.PLATFORMS.empty_table())
    load.load_images(con, images, as_of(run))
    crawls = [
        crawl(run, reading.status, everything=reading.everything, repository=name)
        for name, reading in zip(REPOSITORIES, pair, strict=True)
    ]
    load.apply(con, run_row(run), found_in(), table(crawls, schemas.CRAWLS))


def own(record: Record, reading: Reading, name: str) -> Row:
    """What a record says of its repository; a rejected one is read no further than its name."""
    return {"repository": name} | (
        {} if record.state == "rejected" else {"repo_id": reading.repo_id}
    )


def _stored(con: DuckDBPyConnection) -> list[list[tuple[Any, ...]]]:
    return [con.sql(sql).fetchall() for sql in (TAGS, HISTORY, COUNTED, IDS)]


def _expected(models: dict[str, Model]) -> list[list[tuple[Any, ...]]]:
    return [
        [
            (name, key, *model.live[key], model.first_seen[key])
            for name, model in models.items()
            for key in sorted(model.live)
        ],
        [
            (name, key, *interval)
            for name, model in models.items()
            for key in sorted(model.history)
            for interval in model.history[key]
        ],
        [
            (name, key, *model.counted[key])
            for name, model in models.items()
            for key in sorted(model.counted)
        ],
        [(name, model.repo_id) for name, model in models.items()],
    ]


def _minute(record: Record) -> int:
    return -1 if record.minute is None else record.minute
