"""A repository deleted and made anew under its name begins anew: ids, first sight, history."""

from pathlib import Path
from typing import Any

import pytest
from made_once import made_once
from warehouse_rows import (
    Row,
    as_of,
    crawl,
    deleted,
    finished,
    ingest,
    listed,
    pushed,
    rows,
    started,
    tag,
)

HISTORY = """
    select tag, change, manifest_digest, valid_from, valid_to
    from tag_history order by tag, valid_from, valid_to nulls last
"""
IDENTITY = "select repo_id, first_seen_at, tag_count from repositories"
LIVE = "select tag, tag_id, repo_id, first_seen_at from tags order by tag"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where first runs are kept that several cases begin with."""
    return tmp_path_factory.mktemp("kept")


def old(name: str, digest: str, repo_id: Any = 7) -> Row:
    """A tag of the first repository of that name."""
    return tag(name, digest, 1, repo_id=repo_id, tag_id=1)


def new(name: str, digest: str, repo_id: Any = 8) -> Row:
    """A tag of the second."""
    return tag(name, digest, 2, repo_id=repo_id, tag_id=2)


def test_another_id_tells_a_repository_made_anew(tmp_path: Path) -> None:
    """All its tags end, and those of the new one are created, in one moment."""
    ingest(tmp_path, 1, [crawl(1)], [old("both", "A"), old("first", "B"), old("same", "C")])
    ingest(tmp_path, 2, [crawl(2)], [new("both", "X"), new("second", "Y"), new("same", "C")])
    assert rows(tmp_path, IDENTITY) == [(8, as_of(2), 3)]
    assert rows(tmp_path, LIVE) == [
        ("both", 2, 8, finished(2)),
        ("same", 2, 8, finished(2)),
        ("second", 2, 8, finished(2)),
    ]
    one, two = finished(1), finished(2)
    assert rows(tmp_path, HISTORY) == [
        ("both", "created", "A", one, two),
        ("both", "deleted", None, two, two),
        ("both", "created", "X", two, None),
        ("first", "created", "B", one, two),
        ("first", "deleted", None, two, None),
        ("same", "created", "C", one, two),
        ("same", "deleted", None, two, two),
        ("same", "created", "C", two, None),
        ("second", "created", "Y", two, None),
    ]
    earliest = "select distinct valid_to_earliest from tag_history where valid_to is not null"
    assert rows(tmp_path, earliest) == [(started(1),)]
    # From then on it is known by the new id.
    ingest(tmp_path, 3, [crawl(3)], [new("both", "Z"), new("second", "Y")])
    assert rows(tmp_path, IDENTITY) == [(8, as_of(2), 2)]
    assert rows(tmp_path, f"select tag, change from ({HISTORY}) where valid_to is null") == [
        ("both", "moved"),
        ("first", "deleted"),
        ("same", "deleted"),
        ("second", "created"),
    ]


@pytest.mark.parametrize(
    ("before", "after"), [(7, 7), (7, 0), (7, None), (0, 8), (None, 8), (0, 0), (None, None)]
)
def test_the_same_id_or_none_tells_nothing(
    tmp_path: Path, kept: Path, before: Any, after: Any
) -> None:
    """0 is no id."""
    made_once(
        kept / f"of id {before}",
        tmp_path,
        lambda: ingest(tmp_path, 1, [crawl(1)], [old("a", "A", before)]),
    )
    ingest(tmp_path, 2, [crawl(2)], [new("a", "B", after)])
    changes = f"select change from ({HISTORY})"
    assert rows(tmp_path, changes) == [("created",), ("moved",)]
    [(_, first_seen_at, _)] = rows(tmp_path, IDENTITY)
    assert first_seen_at == as_of(1)


def test_one_record_with_an_odd_id_tells_nothing(tmp_path: Path) -> None:
    """As long as another record has the known one; nor does a reading of changes only."""
    ingest(tmp_path, 1, [crawl(1)], [old("a", "A"), old("b", "B")])
    ingest(tmp_path, 2, [crawl(2)], [new("a", "C"), old("b", "B")])
    ingest(tmp_path, 3, [crawl(3, everything=False)], [new("a", "D", 9)])
    assert rows(tmp_path, f"select tag, change from ({HISTORY})") == [
        ("a", "created"),
        ("a", "moved"),
        ("a", "moved"),
        ("b", "created"),
    ]
    assert rows(tmp_path, IDENTITY) == [(7, as_of(1), 2)]


def test_an_incomplete_reading_tells_it_not_yet(tmp_path: Path) -> None:
    """Nothing is inferred from it; the next complete one ends what was mixed."""
    ingest(tmp_path, 1, [crawl(1)], [old("a", "A"), old("b", "B")])
    ingest(tmp_path, 2, [crawl(2, "incomplete")], [new("a", "X")])
    assert rows(tmp_path, IDENTITY) == [(7, as_of(1), 2)]
    ingest(tmp_path, 3, [crawl(3)], [new("a", "X")])
    assert rows(tmp_path, IDENTITY) == [(8, as_of(3), 1)]
    assert rows(tmp_path, f"select tag, change, valid_to is null from ({HISTORY})") == [
        ("a", "created", False),
        ("a", "moved", False),
        ("a", "deleted", False),
        ("a", "created", True),
        ("b", "created", False),
        ("b", "deleted", True),
    ]


@pytest.mark.parametrize(
    ("created_at", "is_new"),
    [(as_of(1), False), (finished(1), True), (pushed(5), False), (None, False)],
    ids=["as the run began", "after the reading", "long before", "unknown"],
)
@pytest.mark.parametrize(("before", "after"), [(7, 0), (None, 8), (0, None)])
def test_without_ids_a_repository_created_after_our_reading_is_another(
    tmp_path: Path, kept: Path, created_at: Any, before: Any, after: Any, *, is_new: bool
) -> None:
    """The registry's own word on its creation."""
    made = [listed(created_at=pushed(0))]
    made_once(
        kept / f"of id {before}, made long before",
        tmp_path,
        lambda: ingest(tmp_path, 1, [crawl(1)], [old("a", "A", before)], repositories=made),
    )
    ingest(
        tmp_path,
        2,
        [crawl(2)],
        [new("a", "A", after)],
        repositories=[listed(created_at=created_at)],
    )
    changes = ["created", "deleted", "created"] if is_new else ["created"]
    assert [change for (change,) in rows(tmp_path, f"select change from ({HISTORY})")] == changes
    [(_, first_seen_at, _)] = rows(tmp_path, IDENTITY)
    assert first_seen_at == (as_of(2) if is_new else as_of(1))


def test_the_same_id_is_stronger_than_a_later_creation(tmp_path: Path) -> None:
    """Some registries call the oldest tag's creation that of the repository."""
    ingest(tmp_path, 1, [crawl(1)], [old("a", "A")], repositories=[listed(created_at=pushed(0))])
    later = [listed(created_at=finished(1))]
    ingest(tmp_path, 2, [crawl(2)], [old("b", "B")], repositories=later)
    assert rows(tmp_path, IDENTITY) == [(7, as_of(1), 1)]


def test_a_creation_that_was_known_when_it_was_read_is_no_news(tmp_path: Path) -> None:
    """A registry whose clock is ahead may name a moment after our own reading."""
    ahead = [listed(created_at=as_of(3))]
    ingest(tmp_path, 1, [crawl(1)], [old("a", "A", 0)], repositories=ahead)
    ingest(tmp_path, 2, [crawl(2)], [new("a", "B", 0)], repositories=ahead)
    assert rows(tmp_path, IDENTITY) == [(None, as_of(1), 1)]


def test_a_repository_found_gone_and_then_made_anew_creates_its_tags(tmp_path: Path) -> None:
    """With its old id it would be the same one, back again: its tags restored."""
    for repo_id, change in ((8, "created"), (7, "restored")):
        directory = tmp_path / change
        ingest(directory, 1, [crawl(1)], [old("a", "A"), old("b", "B")])
        ingest(directory, 2, [crawl(2, "missing")])
        ingest(directory, 3, [crawl(3)], [new("a", "X", repo_id)])
        assert rows(directory, f"select tag, change, valid_from from ({HISTORY})") == [
            ("a", "created", finished(1)),
            ("a", "deleted", finished(2)),
            ("a", change, finished(3)),
            ("b", "created", finished(1)),
            ("b", "deleted", finished(2)),
        ]
        is_new = repo_id == 8
        first_seen_at = as_of(3) if is_new else as_of(1)
        assert rows(directory, IDENTITY) == [(repo_id, first_seen_at, 1)]
        assert rows(directory, "select first_seen_at from tags") == [
            (finished(3) if is_new else finished(1),)
        ]


def test_a_new_repository_of_records_flagged_as_deleted_is_empty(tmp_path: Path) -> None:
    """Its records tell it is another one, and none of them is a live tag."""
    ingest(tmp_path, 1, [crawl(1)], [old("a", "A")])
    ingest(tmp_path, 2, [crawl(2)], [deleted("a", "X", 2, repo_id=8)])
    assert rows(tmp_path, IDENTITY) == [(None, as_of(2), 0)]
    assert rows(tmp_path, f"select change, valid_to from ({HISTORY})") == [
        ("created", finished(2)),
        ("deleted", None),
    ]


def test_pulls_of_one_made_anew_are_counted_anew(tmp_path: Path) -> None:
    """Runs keep a count where it is another than before, or the first of a repository."""
    for run, (made, count) in enumerate([(old, 5), (old, 5), (old, 6), (new, 6)], start=1):
        ingest(
            tmp_path,
            run,
            [crawl(run)],
            [made("a", "A")],
            repositories=[listed(download_count=count)],
        )
    counts = "select as_of, download_count from downloads order by as_of"
    assert rows(tmp_path, counts) == [(as_of(1), 5), (as_of(3), 6), (as_of(4), 6)]
