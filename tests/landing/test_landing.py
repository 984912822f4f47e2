"""A landing keeps what was read, and only what a finished reading vouches for is loaded."""

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pyarrow.parquet as pq
import pytest

from pipelines.errors import LandingError
from pipelines.landing import reader
from pipelines.landing.writer import CrawlRequest, CrawlTotals, LandedPage, LandingWriter
from pipelines.landing.zone import open_landing

NOW = datetime(2026, 5, 1, tzinfo=UTC)
RUN = CrawlRequest(
    mode="incremental", namespaces=(), repositories=(), based_on="r0", started_at=NOW
)
TOTALS = CrawlTotals(
    as_of=NOW,
    unread_namespaces=0,
    failed_namespaces=0,
    unread_repositories=0,
    requests=3,
    retries=0,
    throttled_seconds=0.0,
    bytes=99,
)


def page(repository: str, text: str, walk: int = 1) -> LandedPage:
    """A page of one record."""
    return LandedPage("ns", repository, walk, 1, None, text.encode())


def crawl(repository: str, *, status: str = "complete", first_walk: int = 1) -> dict[str, object]:
    """The outcome of a repository."""
    return {
        "namespace": "ns",
        "repository": repository,
        "status": status,
        "requests": 1,
        "retries": 0,
        "throttled_seconds": 0.0,
        "bytes": 12,
        "pages": 1,
        "expected": 1,
        "received": 1,
        "duplicates": 0,
        "attempts": 1,
        "cause": None,
        "is_listed": True,
        "error": None,
        "started_at": NOW,
        "finished_at": NOW,
        "lists_everything": True,
        "first_walk": first_walk,
    }


def loaded(path: Path) -> list[tuple[str, str]]:
    """What would be loaded, in order."""
    return [(landed.repository, landed.body.decode()) for landed in reader.read_pages(path)]


def open_at(zone: Path, run_id: str, run: CrawlRequest = RUN, now: datetime = NOW) -> LandingWriter:
    """Open a folder as a run does."""
    return open_landing(
        zone,
        run_id,
        run,
        published=frozenset({"r0"}),
        max_age=timedelta(hours=6),
        now=now,
        clock=lambda: 0.0,
    )


def test_what_was_landed_is_read_back_in_order(tmp_path: Path) -> None:
    """Records, outcomes and totals."""
    folder = open_at(tmp_path, "r1")
    folder.add(page("a", "1"))
    folder.add(page("a", "2"))
    folder.finish(crawl("a"))
    folder.close(TOTALS)
    assert loaded(folder.path) == [("a", "1"), ("a", "2")]
    assert reader.read_totals(folder.path) == TOTALS
    assert reader.read_run(folder.path) == RUN
    (row,) = reader.read_crawls(folder.path).to_pylist()
    assert row == crawl("a") | {"first_part": 1}


def test_an_unfinished_repository_is_not_loaded(tmp_path: Path) -> None:
    """Its records are there, its outcome is not."""
    folder = open_at(tmp_path, "r1")
    folder.add(page("a", "1"))
    folder.add(page("b", "1"))
    folder.finish(crawl("b"))
    folder.flush()
    assert loaded(folder.path) == [("b", "1")]


def test_walks_that_proved_nothing_are_not_loaded(tmp_path: Path) -> None:
    """A tag deleted between two walks must not come back through the first."""
    folder = open_at(tmp_path, "r1")
    folder.add(page("a", "gone", walk=1))
    folder.add(page("a", "kept", walk=2))
    folder.finish(crawl("a", first_walk=2))
    folder.flush()
    assert loaded(folder.path) == [("a", "kept")]


def test_what_a_dead_process_read_of_an_unfinished_repository_is_not_loaded(
    tmp_path: Path,
) -> None:
    """The process that took over read it anew, under the same walk numbers."""
    dead = open_at(tmp_path, "r1")
    dead.add(page("a", "gone"))
    dead.add(page("b", "1"))
    dead.finish(crawl("b"))
    dead.flush()
    folder = open_at(tmp_path, "r2")
    assert folder.path == tmp_path / "r2"
    folder.add(page("a", "kept"))
    folder.finish(crawl("a"))
    folder.flush()
    assert sorted(loaded(folder.path)) == [("a", "kept"), ("b", "1")]
    assert [path.name for path in tmp_path.iterdir()] == ["r2"]


def test_a_repository_that_failed_and_was_retried_counts_once(tmp_path: Path) -> None:
    """With how it ended last."""
    dead = open_at(tmp_path, "r1")
    dead.finish(crawl("a", status="failed"))
    dead.flush()
    folder = open_at(tmp_path, "r2")
    folder.finish(crawl("a"))
    folder.flush()
    statuses = reader.read_crawls(folder.path)["status"].to_pylist()
    assert statuses == ["complete"]


@pytest.mark.parametrize(
    "other",
    [
        CrawlRequest("full", (), (), "r0", NOW),
        CrawlRequest("incremental", ("a",), (), "r0", NOW),
        CrawlRequest("incremental", (), ("a/b",), "r0", NOW),
        CrawlRequest("incremental", (), (), "r9", NOW),
        CrawlRequest("incremental", (), (), "r0", NOW - timedelta(hours=6, seconds=1)),
    ],
)
def test_a_landing_that_does_not_fit_is_discarded(tmp_path: Path, other: CrawlRequest) -> None:
    """Another mode, scope or base, or too old."""
    stale = open_at(tmp_path, "stale", other, now=other.started_at)
    stale.add(page("a", "1"))
    stale.flush()
    folder = open_at(tmp_path, "r1")
    assert folder.first_part == 1
    assert [path.name for path in tmp_path.iterdir()] == ["r1"]


def test_published_landings_are_left_alone(tmp_path: Path) -> None:
    """They can be replayed."""
    (tmp_path / "r0").mkdir()
    open_at(tmp_path, "r1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r0", "r1"]


def walks(path: Path) -> list[list[Any]]:
    """The walks of the pages in each part."""
    return [pq.read_table(part)["walk"].to_pylist() for part in sorted(path.glob("pages-*"))]


def test_parts_are_written_by_size_and_by_time(tmp_path: Path) -> None:
    """So that memory stays flat and little is lost when a run dies."""
    seconds = count(0.0, 1.5)
    folder = LandingWriter(tmp_path, lambda: next(seconds))
    folder.add(page("a", "", walk=1))  # 1.5 s after the start: waits
    assert list(tmp_path.glob("pages-*")) == []
    folder.add(page("a", "", walk=2))  # 3 s: due
    folder.flush()  # waits for what is being written
    assert walks(tmp_path) == [[1, 2]]
    folder.add(page("a", Random(1).randbytes(3 * 2**20).hex(), walk=3))  # packed 3 MB
    folder.add(page("a", "", walk=4))
    folder.flush()
    assert walks(tmp_path) == [[1, 2], [3], [4]]


def test_files_are_for_their_owner_only(tmp_path: Path) -> None:
    """A manifest can hold what a build left in it."""
    folder = open_at(tmp_path / "landing", "r1")
    folder.add(page("a", "1"))
    folder.finish(crawl("a"))
    folder.close(TOTALS)
    modes = {path.stat().st_mode & 0o777 for path in folder.path.iterdir()}
    assert modes == {0o600}
    assert folder.path.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("name", ["run.json", "crawl.json", "pages-000001.parquet"])
def test_an_unreadable_file_is_named_with_the_way_out(tmp_path: Path, name: str) -> None:
    """Remove the folder and run again."""
    folder = open_at(tmp_path, "r1")
    folder.add(page("a", "1"))
    folder.finish(crawl("a"))
    folder.close(TOTALS)
    (folder.path / name).write_bytes(b"garbage")
    with pytest.raises(LandingError, match="remove the folder") as error:
        _ = reader.read_run(folder.path), reader.read_totals(folder.path), loaded(folder.path)
    assert str(folder.path / name) in str(error.value)


def test_no_part_follows_one_that_could_not_be_written(tmp_path: Path) -> None:
    """It would vouch for a repository whose records are lost."""
    folder = open_at(tmp_path, "r1")
    in_the_way = folder.path / "pages-000001.part"
    in_the_way.mkdir()
    folder.add(page("a", "lost"))
    with pytest.raises(LandingError):
        folder.flush()
    in_the_way.rmdir()
    folder.finish(crawl("a"))
    with pytest.raises(LandingError):
        folder.close(TOTALS)
    assert [path.name for path in folder.path.iterdir()] == ["run.json"]
