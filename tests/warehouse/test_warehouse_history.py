"""How tags and their history follow what successive runs read; expected rows are by hand."""

from pathlib import Path
from typing import Any

from warehouse_rows import (
    Row,
    as_of,
    counted,
    crawl,
    deleted,
    finished,
    ingest,
    pushed,
    rows,
    started,
    tag,
)

HISTORY = """
    select
        tag, change, manifest_digest, valid_from, valid_from_earliest, valid_to, valid_to_earliest,
    from tag_history
    order by tag, valid_from
"""
LIVE = "select tag, manifest_digest, first_seen_at, last_seen_at from tags order by tag"
SINCE_RUN_1 = (finished(1), None)
OPEN = (None, None)


def seen(run: int, before: int | None) -> tuple[Any, Any]:
    """When a run saw a change, and the start of the last proven crawl before it."""
    return finished(run), started(before) if before else None


def test_a_first_run_creates_tags_of_unknown_age(tmp_path: Path) -> None:
    """Tags of the first run begin when it saw them, with no moment before which they were not."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A"), tag("b", "B")])
    assert rows(tmp_path, LIVE) == [
        ("a", "A", finished(1), as_of(1)),
        ("b", "B", finished(1), as_of(1)),
    ]
    assert rows(tmp_path, HISTORY) == [
        ("a", "created", "A", *SINCE_RUN_1, *OPEN),
        ("b", "created", "B", *SINCE_RUN_1, *OPEN),
    ]


def test_a_moved_tag_closes_one_interval_and_opens_another(tmp_path: Path) -> None:
    """Both ends of the change get the same two moments, and the row keeps its first sight."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A"), tag("b", "B")])
    ingest(tmp_path, 2, [crawl(2)], [tag("a", "X", 5), tag("b", "B")])
    assert rows(tmp_path, LIVE) == [
        ("a", "X", finished(1), as_of(2)),
        ("b", "B", finished(1), as_of(2)),
    ]
    assert rows(tmp_path, HISTORY) == [
        ("a", "created", "A", *SINCE_RUN_1, *seen(2, 1)),
        ("a", "moved", "X", *seen(2, 1), *OPEN),
        ("b", "created", "B", *SINCE_RUN_1, *OPEN),
    ]


def test_pushing_the_same_digest_again_makes_no_interval(tmp_path: Path) -> None:
    """Only the row's clock moves."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    ingest(tmp_path, 2, [crawl(2, everything=False)], [tag("a", "A", 9)])
    assert rows(tmp_path, "select tag, updated_at, first_seen_at, last_seen_at from tags") == [
        ("a", pushed(9), finished(1), as_of(2))
    ]
    assert rows(tmp_path, HISTORY) == [("a", "created", "A", *SINCE_RUN_1, *OPEN)]


def test_a_tag_is_deleted_and_restored(tmp_path: Path) -> None:
    """A deletion opens an interval without digest, which the restoration closes; the restored tag
    is as old as its first sight.
    """
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A"), tag("b", "B")])
    ingest(tmp_path, 2, [crawl(2)], [tag("b", "B")])
    assert rows(tmp_path, LIVE) == [("b", "B", finished(1), as_of(2))]
    ingest(tmp_path, 3, [crawl(3, everything=False)], [tag("a", "A", 3)])
    assert rows(tmp_path, LIVE) == [
        ("a", "A", finished(1), as_of(3)),
        ("b", "B", finished(1), as_of(2)),
    ]
    assert rows(tmp_path, HISTORY) == [
        ("a", "created", "A", *SINCE_RUN_1, *seen(2, 1)),
        ("a", "deleted", None, *seen(2, 1), *seen(3, 2)),
        ("a", "restored", "A", *seen(3, 2), *OPEN),
        ("b", "created", "B", *SINCE_RUN_1, *OPEN),
    ]


def test_an_incremental_crawl_infers_no_deletion(tmp_path: Path) -> None:
    """What only brings changes says nothing of what it does not bring."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A"), tag("b", "B")])
    ingest(tmp_path, 2, [crawl(2, everything=False)], [tag("c", "C", 4)])
    assert rows(tmp_path, LIVE) == [
        ("a", "A", finished(1), as_of(1)),
        ("b", "B", finished(1), as_of(1)),
        ("c", "C", finished(2), as_of(2)),
    ]


def test_an_incomplete_crawl_adds_and_moves_but_never_deletes(tmp_path: Path) -> None:
    """Nor does it count as the last proven crawl for the changes seen after it."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A"), tag("b", "B")])
    claim = {"lists_everything": True}
    changed = [tag("b", "X", 4), tag("c", "C", 5)]
    ingest(tmp_path, 2, [crawl(2, "incomplete") | claim], changed)
    assert rows(tmp_path, "select tag from tags order by tag") == [("a",), ("b",), ("c",)]
    ingest(tmp_path, 3, [crawl(3)], [tag("b", "X", 4), tag("c", "C", 5)])
    assert rows(tmp_path, HISTORY) == [
        ("a", "created", "A", *SINCE_RUN_1, *seen(3, 1)),
        ("a", "deleted", None, *seen(3, 1), *OPEN),
        ("b", "created", "B", *SINCE_RUN_1, *seen(2, 1)),
        ("b", "moved", "X", *seen(2, 1), *OPEN),
        ("c", "created", "C", *seen(2, 1), *OPEN),
    ]


def test_a_failed_crawl_keeps_the_last_known_rows(tmp_path: Path) -> None:
    """Even pages that arrived before the failure are not used: they would pass for proven."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A"), tag("b", "B")])
    ingest(tmp_path, 2, [crawl(2, "failed")], [tag("a", "X", 4)])
    assert rows(tmp_path, LIVE) == [
        ("a", "A", finished(1), as_of(1)),
        ("b", "B", finished(1), as_of(1)),
    ]
    assert rows(tmp_path, HISTORY) == [
        ("a", "created", "A", *SINCE_RUN_1, *OPEN),
        ("b", "created", "B", *SINCE_RUN_1, *OPEN),
    ]


def test_a_missing_repository_closes_its_tags_until_it_is_back(tmp_path: Path) -> None:
    """Its neighbours stay; rows staged for it before it was found missing are not used."""
    other: Row = {"namespace": "team", "repository": "other"}
    ingest(tmp_path, 1, [crawl(1), crawl(1, **other)], [tag("a", "A"), tag("a", "A", **other)])
    ingest(tmp_path, 2, [crawl(2, "missing"), crawl(2, "unchanged", **other)], [tag("z", "Z", 4)])
    where = "select repository, tag from tags order by all"
    assert rows(tmp_path, where) == [("other", "a")]
    gone = "select repository, tag_count, repo_id, deleted_detected_at from repositories order by 1"
    assert rows(tmp_path, gone) == [("app", 0, 7, finished(2)), ("other", 1, 7, None)]
    ingest(tmp_path, 3, [crawl(3, "missing"), crawl(3, "unchanged", **other)])
    assert rows(tmp_path, gone) == [("app", 0, 7, finished(2)), ("other", 1, 7, None)]
    ingest(tmp_path, 4, [crawl(4)], [tag("a", "B", 5)])
    assert rows(tmp_path, gone) == [("app", 1, 7, None), ("other", 1, 7, None)]
    assert rows(
        tmp_path, HISTORY.replace("from tag_history", "from tag_history where repository = 'app'")
    ) == [
        ("a", "created", "A", *SINCE_RUN_1, *seen(2, 1)),
        ("a", "deleted", None, *seen(2, 1), *seen(4, 1)),
        ("a", "restored", "B", *seen(4, 1), *OPEN),
    ]


def test_a_record_that_says_it_is_deleted_deletes_its_tag(tmp_path: Path) -> None:
    """In a crawl of changes too; a tag first met so never was, as far as we know."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A"), tag("b", "B")])
    ingest(
        tmp_path, 2, [crawl(2, everything=False)], [deleted("a", "A", 3), deleted("new", "N", 4)]
    )
    assert rows(tmp_path, LIVE) == [("b", "B", finished(1), as_of(1))]
    assert rows(tmp_path, HISTORY) == [
        ("a", "created", "A", *SINCE_RUN_1, *seen(2, 1)),
        ("a", "deleted", None, *seen(2, 1), *OPEN),
        ("b", "created", "B", *SINCE_RUN_1, *OPEN),
    ]


def test_a_rejected_record_keeps_the_tag_it_names(tmp_path: Path) -> None:
    """The tag is there, only its news is unreadable: the last row stays as it was."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A"), tag("b", "B")])
    ingest(tmp_path, 2, [crawl(2)], [tag("b", "B")], rejected=[counted("a", "hash")])
    assert rows(tmp_path, LIVE) == [
        ("a", "A", finished(1), as_of(1)),
        ("b", "B", finished(1), as_of(2)),
    ]
    assert rows(tmp_path, HISTORY) == [
        ("a", "created", "A", *SINCE_RUN_1, *OPEN),
        ("b", "created", "B", *SINCE_RUN_1, *OPEN),
    ]


def test_of_several_versions_of_a_record_the_newest_counts(tmp_path: Path) -> None:
    """On a tie the one staged later; a rejected one counts if it is newer than the readable."""
    ingest(
        tmp_path,
        1,
        [crawl(1)],
        [
            tag("newest", "new", 9),
            tag("newest", "old", 1),
            tag("tied", "first", 5),
            tag("tied", "second", 5),
            deleted("gone", "G", 6),
            tag("gone", "G", 5),
            tag("unreadable now", "U", 5),
            tag("readable again", "R", 5),
            tag("both at once", "B", 5),
        ],
        rejected=[
            counted("unreadable now", "hash", 6),
            counted("readable again", "hash", 4),
            counted("both at once", "hash", 5),
        ],
    )
    assert rows(tmp_path, "select tag, manifest_digest from tags order by tag") == [
        ("both at once", "B"),
        ("newest", "new"),
        ("readable again", "R"),
        ("tied", "second"),
    ]


def test_unchanged_crawls_prove_what_later_changes_are_dated_by(tmp_path: Path) -> None:
    """The start of the last complete or unchanged crawl is the earliest moment of a change."""
    ingest(tmp_path, 1, [crawl(1)], [tag("a", "A")])
    ingest(tmp_path, 2, [crawl(2, "unchanged")])
    ingest(tmp_path, 3, [crawl(3, "failed")])
    ingest(tmp_path, 4, [crawl(4, everything=False)], [tag("a", "B", 8)])
    assert rows(tmp_path, HISTORY) == [
        ("a", "created", "A", *SINCE_RUN_1, *seen(4, 2)),
        ("a", "moved", "B", *seen(4, 2), *OPEN),
    ]


def test_runs_larger_than_a_chunk_are_merged_whole(tmp_path: Path) -> None:
    """A repository of more records than a chunk holds, and those after it."""
    names = [f"tag {number}" for number in range(100_001)]
    large = [tag(name, "A") for name in names]
    small = [tag(name, "A", repository="small") for name in names[:3]]
    crawls = [crawl(1), crawl(1, repository="last"), crawl(1, repository="small")]
    ingest(tmp_path, 1, crawls, large + small)
    counts = """
        select repository, tags, intervals, tag_count
        from repositories
        left join (select repository, count(*) as tags from tags group by all)
            using (repository)
        left join (select repository, count(*) as intervals from tag_history group by all)
            using (repository)
        order by repository
    """
    assert rows(tmp_path, counts) == [
        ("app", 100_001, 100_001, 100_001),
        ("last", None, None, 0),
        ("small", 3, 3, 3),
    ]
    again = [crawl(2), crawl(2, repository="last"), crawl(2, repository="small")]
    ingest(tmp_path, 2, again, [*large[1:], *small[1:]])
    assert rows(tmp_path, counts) == [
        ("app", 100_000, 100_002, 100_000),
        ("last", None, None, 0),
        ("small", 2, 4, 2),
    ]


def test_a_repository_whose_tags_exceed_the_memory_limit_is_merged(tmp_path: Path) -> None:
    """All of its tags at once, for a repository is never split: with as much memory as it takes."""
    names = [f"{number:05}" for number in range(50_000)]
    ingest(tmp_path, 1, [crawl(1)], [tag(name, "A") for name in names], memory_bytes=15_000_000)
    ingest(tmp_path, 2, [crawl(2)], [tag(name, "B", 5) for name in names], memory_bytes=15_000_000)
    counts = "select change, manifest_digest, count(*), count(distinct tag) from {} group by all"
    assert rows(tmp_path, f"{counts.format('tag_history')} order by all") == [
        ("created", "A", 50_000, 50_000),
        ("moved", "B", 50_000, 50_000),
    ]
    assert rows(tmp_path, "select count(*), min(manifest_digest) from tags") == [(50_000, "B")]
