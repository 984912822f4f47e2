"""A run takes up what a dead one read, where that can help, and says so."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dead_runs import LONG_AGO, redate
from ingest_site import AT, CrawlSite, manifest, small_registry
from plain_run import run_steps

from pipelines.emulator.server import Emulator
from pipelines.errors import CheckFailed
from pipelines.landing.reader import read_run
from pipelines.run.ingest import ingest
from pipelines.run.progress import NoProgress
from pipelines.run.request import RunRequest, Scope
from pipelines.settings import read_settings
from pipelines.warehouse.query import connect_published


class Heard(NoProgress):
    """Keeps what was taken up."""

    def __init__(self) -> None:
        self.taken_up_from: list[tuple[int, datetime]] = []

    def taken_up(self, repositories: int, began: datetime) -> None:
        """Keep it."""
        self.taken_up_from.append((repositories, began))


@pytest.fixture
def server() -> Iterator[Emulator]:
    """A small registry of three repositories."""
    with Emulator(small_registry()) as running:
        yield running


@pytest.fixture(autouse=True)
def directory(server: Emulator, site_settings: Callable[[str], Path]) -> Path:
    """Settings, and the directory of the warehouse."""
    return site_settings(server.url)


def die_at(wanted: str) -> Callable[[str], None]:
    """Interrupt a run before this step."""

    def enter(step: str) -> None:
        if step == wanted:
            raise KeyboardInterrupt

    return enter


def dead_run(directory: Path, at: str = "load") -> Path:
    """The landing of a run that read all and was interrupted."""
    with pytest.raises(KeyboardInterrupt):
        run_steps(read_settings(), enter=die_at(at))
    return max((directory / "landing").iterdir(), key=lambda path: path.stat().st_mtime)


def go_on(server: Emulator, directory: Path) -> list[tuple[int, datetime]]:
    """A run but for its reports; what it says that it took up."""
    heard = Heard()
    CrawlSite(server, directory, progress=heard).ingest()
    return heard.taken_up_from


def run_and_hear() -> list[tuple[int, datetime]]:
    """A whole run; what it says that it took up."""
    heard = Heard()
    ingest(read_settings(), RunRequest("the-next", full=False, scope=Scope()), heard)
    return heard.taken_up_from


def rows(directory: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of the published warehouse."""
    with closing(connect_published(directory)) as con:
        return con.sql(sql).fetchall()


def asked_for(server: Emulator) -> list[str]:
    """Repositories whose tags were asked for since the log was cleared."""
    paths = {entry.path for entry in server.log if entry.path.endswith("/tags")}
    return sorted(path.split("/")[-2] for path in paths)


def test_figures_speak_of_the_time_they_were_read(server: Emulator, directory: Path) -> None:
    """A tag deleted since then counts as of then: the run bears the date of the reading."""
    landing = dead_run(directory)
    began = read_run(landing).started_at
    server.registry.delete_tag("shop", "cart", "v3")
    server.log.clear()
    assert go_on(server, directory) == [(3, began)]
    assert asked_for(server) == []
    (times,) = rows(directory, "select as_of, started_at from ingest.runs")
    assert times == (began, began)
    assert rows(
        directory, "select count(*) from tags where last_seen_at = (select as_of from ingest.runs)"
    ) == [(62,)]
    go_on(server, directory)
    assert rows(
        directory, "select change from tag_history where tag = 'v3' and valid_to is null"
    ) == [("deleted",)]


def test_what_is_listed_no_more_is_asked_again(server: Emulator, directory: Path) -> None:
    """Also a repository that no published run has ever seen: it is not counted as there."""
    dead_run(directory)
    server.registry.delete_repository("data", "spark")
    server.log.clear()
    [(count, _)] = go_on(server, directory)
    assert count == 2
    assert "/v2/manage/namespaces/data/repos/spark" in {entry.path for entry in server.log}
    assert rows(directory, "select distinct repository from tags order by all") == [
        ("cart",),
        ("deep/er/app",),
    ]


@pytest.mark.parametrize("step", ["load", "build", "publish"])
def test_an_interrupted_run_leaves_nothing_that_it_built(directory: Path, step: str) -> None:
    """What it read stays, and is taken up."""
    dead_run(directory, step)
    assert list(directory.glob(".building*")) == []
    assert [count for count, _ in run_and_hear()] == [3]


def test_what_failed_a_check_is_read_anew(server: Emulator, directory: Path) -> None:
    """A clock set back during one run fails that run, and not those of the next six hours."""
    go_on(server, directory)
    server.registry.push("shop", "cart", "new", manifest(("n", 1)), at=AT + timedelta(days=1))
    redate(dead_run(directory), LONG_AGO)
    with pytest.raises(CheckFailed, match="tag_history__intervals_run_forward"):
        run_and_hear()
    assert list(directory.glob(".building*")) == []
    go_on(server, directory)
    assert len(asked_for(server)) == 3
    assert rows(directory, "select count(*) from tags") == [(63,)]


def test_a_half_written_part_goes(server: Emulator, directory: Path) -> None:
    """A dead run left it; nobody reads it."""
    landing = dead_run(directory)
    (landing / "pages-000009.part").write_bytes(bytes(1000))
    go_on(server, directory)
    (folder,) = (directory / "landing").iterdir()
    assert list(folder.glob("*.part")) == []


def test_moments_go_on_from_those_that_were_landed(server: Emulator, directory: Path) -> None:
    """Where the clock was set back since, nothing is dated before what it follows."""
    ahead = datetime.now(UTC) + timedelta(minutes=1)
    redate(dead_run(directory), ahead, without="spark")
    assert [count for count, _ in go_on(server, directory)] == [2]
    ends = "select repository, finished_at from ingest.crawls order by all"
    assert dict(rows(directory, ends)) == dict.fromkeys(("cart", "deep/er/app", "spark"), ahead)
    assert rows(directory, "select finished_at from ingest.runs") == [(ahead,)]
