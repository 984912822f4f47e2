"""What a run leaves for the next to compare with: counted records and the known state."""

from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from warehouse_rows import Row, counted, crawl, deleted, finished, ingest, pushed, rows, tag

from pipelines.errors import WarehouseError
from pipelines.warehouse.known import (
    known_newest,
    known_records,
    known_repositories,
    published_runs,
)
from pipelines.warehouse.query import connect_published

COUNTED = (
    "select record_key, reason, fingerprint, updated_at from ingest.counted_records order by 1"
)
OTHER: Row = {"repository": "other"}


def _known(directory: Path) -> list[tuple[Any, ...]]:
    with closing(connect_published(directory)) as con:
        table = known_repositories(con)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _versions(directory: Path, keys: list[str] | None) -> list[tuple[Any, ...]]:
    with closing(connect_published(directory)) as con:
        table = known_records(con, "team", "app", keys)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def test_records_that_are_no_live_tags_are_counted(tmp_path: Path) -> None:
    """Deleted and rejected ones, with what tells their version."""
    ingest(
        tmp_path,
        1,
        [crawl(1)],
        [tag("a", "A"), deleted("d", "D", 4)],
        rejected=[counted("r", "hash r", 5), counted("#9", "hash 9"), counted("#9", "hash 9")],
    )
    assert rows(tmp_path, COUNTED) == [
        ("#9", "rejected", "hash 9", None),
        ("d", "deleted", "deleted D", pushed(4)),
        ("r", "rejected", "hash r", pushed(5)),
    ]


def test_a_crawl_that_lists_everything_replaces_the_counted_records(tmp_path: Path) -> None:
    """Those of other repositories stay."""
    ingest(
        tmp_path,
        1,
        [crawl(1), crawl(1, **OTHER)],
        rejected=[counted("r", "hash"), counted("s", "hash"), counted("r", "hash", **OTHER)],
    )
    ingest(tmp_path, 2, [crawl(2)], [deleted("s", "S", 1)], rejected=[counted("t", "hash")])
    assert rows(
        tmp_path, "select repository, record_key, reason from ingest.counted_records order by all"
    ) == [("app", "s", "deleted"), ("app", "t", "rejected"), ("other", "r", "rejected")]


def test_a_crawl_of_changes_updates_single_counted_records(tmp_path: Path) -> None:
    """One that became a live tag is counted no more."""
    ingest(
        tmp_path,
        1,
        [crawl(1)],
        [deleted("d", "D", 1), deleted("e", "E", 1)],
        rejected=[counted("r", "old")],
    )
    ingest(
        tmp_path,
        2,
        [crawl(2, everything=False)],
        [tag("d", "D", 2), deleted("f", "F", 3)],
        rejected=[counted("r", "new", 4)],
    )
    assert rows(tmp_path, COUNTED) == [
        ("e", "deleted", "deleted E", pushed(1)),
        ("f", "deleted", "deleted F", pushed(3)),
        ("r", "rejected", "new", pushed(4)),
    ]


def test_a_missing_repository_has_no_counted_records(tmp_path: Path) -> None:
    """Nothing is left to count."""
    ingest(tmp_path, 1, [crawl(1)], [deleted("d", "D", 1)], rejected=[counted("r", "old")])
    ingest(tmp_path, 2, [crawl(2, "missing")])
    assert rows(tmp_path, COUNTED) == []


def test_a_record_is_known_once_by_its_newest_version(tmp_path: Path) -> None:
    """A live tag whose newest record was rejected counts as that record."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A", 1), tag("b", "B", 2)])
    ingest(
        tmp_path,
        2,
        [crawl(2)],
        [tag("b", "B", 2), deleted("d", "D", 3)],
        rejected=[counted("a", "hash", 4), counted("#9", "hash 9")],
    )
    assert rows(tmp_path, "select tag from tags order by tag") == [("a",), ("b",)]
    assert _versions(tmp_path, None) == [
        ("#9", "hash 9", None),
        ("a", "hash", pushed(4)),
        ("b", "B", pushed(2)),
        ("d", "deleted D", pushed(3)),
    ]
    assert _versions(tmp_path, ["b", "d", "z"]) == [
        ("b", "B", pushed(2)),
        ("d", "deleted D", pushed(3)),
    ]
    assert _versions(tmp_path, []) == []
    assert _known(tmp_path) == [("team", "app", "complete", 4, pushed(4), 1, True)]


def test_records_tied_at_the_newest_second_are_counted(tmp_path: Path) -> None:
    """Fractions of a second do not tell them apart."""
    newest = pushed(7)
    ingest(
        tmp_path,
        1,
        [crawl(1), crawl(1, **OTHER)],
        [
            tag("a", "A", 6),
            tag("b", "B", 7),
            tag("c", "C", updated_at=newest.replace(microsecond=900_000)),
            deleted("d", "D", 7),
        ],
        rejected=[counted("r", "hash"), counted("#1", "hash", **OTHER)],
    )
    assert _known(tmp_path) == [
        ("team", "app", "complete", 5, newest.replace(microsecond=900_000), 3, True),
        ("team", "other", "complete", 1, None, 0, True),
    ]


def test_the_newest_records_are_known_at_once(tmp_path: Path) -> None:
    """As many as asked for, with all that are tied at the newest second, by repository."""
    ingest(
        tmp_path,
        1,
        [crawl(1), crawl(1, **OTHER)],
        [
            *(tag(f"v{minute}", "A", minute) for minute in range(1, 6)),
            *(tag(name, "B", 9, **OTHER) for name in ("x", "y", "z")),
            tag("old", "C", 8, **OTHER),
        ],
        rejected=[counted("v4", "hash", 7), counted("#9", "hash 9")],
    )
    with closing(connect_published(tmp_path)) as con:
        table = known_newest(con, 2)
    found = list(zip(*(column.to_pylist() for column in table.columns), strict=True))
    assert [row[:2] for row in found] == [("team", "app")] * 2 + [("team", "other")] * 3
    assert sorted(row[2:] for row in found) == [
        ("v4", "hash", pushed(7)),
        ("v5", "A", pushed(5)),
        ("x", "B", pushed(9)),
        ("y", "B", pushed(9)),
        ("z", "B", pushed(9)),
    ]


def test_a_failed_crawl_does_not_hide_how_the_last_one_ended(tmp_path: Path) -> None:
    """But incomplete and unchanged ones do; a repository without any but failed ones has none."""
    new: Row = {"repository": "new"}
    ingest(tmp_path, 1, [crawl(1), crawl(1, "incomplete", **OTHER), crawl(1, "failed", **new)])
    ingest(tmp_path, 2, [crawl(2, "failed"), crawl(2, "failed", **OTHER)])
    assert _known(tmp_path) == [
        ("team", "app", "complete", 0, None, 0, False),
        ("team", "new", None, 0, None, 0, False),
        ("team", "other", "incomplete", 0, None, 0, False),
    ]
    ingest(tmp_path, 3, [crawl(3, "unchanged"), crawl(3, "missing", **OTHER)])
    assert _known(tmp_path) == [
        ("team", "app", "unchanged", 0, None, 0, False),
        ("team", "new", None, 0, None, 0, False),
    ]


@pytest.mark.parametrize(
    ("record", "is_misdated"),
    [
        (tag("a", "A", updated_at=finished(1)), False),
        (tag("a", "A", updated_at=finished(1) + timedelta(minutes=1)), False),
        (tag("a", "A", updated_at=finished(1) + timedelta(seconds=61)), True),
        (deleted("a", "A", updated_at=finished(1) + timedelta(days=900)), True),
    ],
    ids=["at the time", "a minute later", "more than a minute later", "deleted, years later"],
)
def test_a_record_dated_after_it_was_read_may_hide_changes(
    tmp_path: Path, record: Row, is_misdated: bool
) -> None:
    """By more than a minute, which clocks may differ; until a later reading has passed it."""
    ingest(tmp_path, 1, [crawl(1), crawl(1, **OTHER)], [record, tag("b", "B", **OTHER)])
    assert [row[-1] for row in _known(tmp_path)] == [is_misdated, False]
    ingest(tmp_path, 2, [crawl(2), crawl(2, **OTHER)], [record, tag("b", "B", **OTHER)])
    is_ahead = record["updated_at"] > finished(2)
    assert [row[-1] for row in _known(tmp_path)] == [is_ahead, False]


def test_published_runs_are_in_order(tmp_path: Path) -> None:
    """The latest is last."""
    ingest(tmp_path, 2, [crawl(2)])
    ingest(tmp_path, 3, [crawl(3)])
    with closing(connect_published(tmp_path)) as con:
        assert published_runs(con) == ["run 2", "run 3"]


def test_a_damaged_warehouse_is_reported_in_a_sentence(tmp_path: Path) -> None:
    """Also when the damage shows only while it is read."""
    tags = [tag(f"tag {number}", f"digest {number}") for number in range(2000)]
    ingest(tmp_path, 1, [crawl(1)], tags)
    with closing(connect_published(tmp_path)) as con:
        path = tmp_path / "warehouse.duckdb"
        path.write_bytes(bytes(path.stat().st_size))
        with pytest.raises(WarehouseError, match=r"is damaged .*swr-warehouse restore"):
            known_repositories(con)
