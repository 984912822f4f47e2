"""Several registries in one warehouse: runs of each, what joins, what is published of all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ingest_site import AT, manifest
from made_once import made_once
from plain_run import run_steps
from two_registries import Two, two_registries

from pipelines.emulator.faults import failing
from pipelines.errors import OtherRegistry, SwrError, WarehouseError
from pipelines.page.registries import registries_overview
from pipelines.registries import chosen_names, read_one
from pipelines.run.forget import forget
from pipelines.run.registries import let_join
from pipelines.settings import read_settings
from pipelines.warehouse.query import run_query

SIZES = "select registry, namespace, deduplicated_bytes from reports.namespace_sizes"
OWN = [("north", "data", 5100), ("north", "shop", 1700)]
THEIRS = [("south", "crew", 130), ("south", "shop", 1107)]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where that is kept which several tests begin with."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """Two registries of equal names that share a layer."""
    with two_registries(tmp_path) as two:
        yield two


def rows(directory: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a query of a published warehouse gives."""
    return [tuple(row.values()) for row in run_query(directory, sql).to_pylist()]


def ingest_all() -> None:
    """Run each registry without Dagster."""
    for name in chosen_names():
        settings = read_one(name)
        let_join(settings)
        run_steps(settings)


@pytest.fixture
def both(two: Two, kept: Path) -> Two:
    """The same, after a run of each."""
    made_once(kept / "both", two.directory, ingest_all)
    return two


def test_each_is_published_alone_and_with_the_others(both: Two) -> None:
    """Bytes are counted within each; the layer of both is named in replicas, and its 100-byte
    configuration.
    """
    assert rows(both.directory, SIZES) == OWN + THEIRS
    for name, its in (("north", OWN), ("south", THEIRS)):
        assert rows(both.directory / "registries" / name, SIZES) == its
    assert rows(both.directory, "select registries, size_bytes from reports.replicas") == [
        ("north, south", 100),
        ("north, south", 1000),
    ]
    assert rows(both.directory, "select registry, endpoint from registries") == [
        ("north", "loopback"),
        ("south", "loopback"),
    ]
    assert (both.directory / "warehouse.duckdb").stat().st_mode & 0o777 == 0o600
    assert not list(both.directory.glob(".building*"))


def test_one_that_fails_keeps_its_last_state_and_stops_no_other(both: Two) -> None:
    """Its figures stay what they were; the other's go on."""
    both.south.faults = (failing(503),)
    both.north.registry.push("data", "spark", "2", manifest(("new", 300)), at=AT)
    run_steps(read_one("north"))
    with pytest.raises(SwrError, match="status 503"):
        run_steps(read_one("south"))
    assert rows(both.directory, SIZES) == [("north", "data", 5400), OWN[1], *THEIRS]


def test_one_that_was_never_read_is_left_out_until_it_is(two: Two) -> None:
    """What is published tells of the others."""
    run_steps(read_one("south"))
    assert rows(two.directory, SIZES) == THEIRS
    run_steps(read_one("north"))
    assert rows(two.directory, SIZES) == OWN + THEIRS


def test_what_is_forgotten_in_one_is_forgotten_in_what_is_published_of_all(both: Two) -> None:
    """The other's namespace of the same name stays."""
    forget(read_one("north"), "shop")
    assert rows(both.directory, SIZES) == [OWN[0], *THEIRS]


@pytest.fixture
def alone(two: Two, kept: Path, monkeypatch: pytest.MonkeyPatch) -> Two:
    """The same, after two runs of the northern one alone, as in the release before."""
    monkeypatch.delenv("SWR_REGISTRIES")
    monkeypatch.setenv("SWR_ENDPOINT", two.north.url)
    monkeypatch.setenv("SWR_AUTH_TOKEN", "token-of-north")
    made_once(kept / "one", two.directory, lambda: run_steps(read_settings()))
    two.north.registry.delete_tag("shop", "deep/er/app", "1")
    made_once(kept / "alone", two.directory, lambda: run_steps(read_settings()))
    monkeypatch.setenv("SWR_REGISTRIES", str(two.file))
    return two


HISTORY = "select * exclude (registry) from tag_history order by all"
EVENTS = "select * exclude (registry) from reports.tag_events order by all"


def test_a_single_registry_becomes_one_of_several_with_its_history(alone: Two) -> None:
    """Named as it was: localhost. Nothing is read anew or lost."""
    alone.file.write_text(alone.file.read_text().replace("name: north", "name: localhost"))
    before = [rows(alone.directory, sql) for sql in (HISTORY, EVENTS)]
    assert len(before[0]) == 63
    ingest_all()
    own = alone.directory / "registries" / "localhost"
    assert [rows(own, sql) for sql in (HISTORY, EVENTS)] == before
    of_it = "(select * from {}) where registry = 'localhost'"
    assert [
        rows(
            alone.directory,
            sql.replace("tag_history", of_it.format("tag_history")).replace(
                "reports.tag_events", of_it.format("reports.tag_events")
            ),
        )
        for sql in (HISTORY, EVENTS)
    ] == before
    assert {path.name for path in alone.directory.iterdir()} == {
        ".lock",
        "registries",
        "warehouse.duckdb",
    }
    statuses = "select status, count(*) from ingest.crawls group by all order by all"
    assert rows(own, statuses) == [("complete", 4), ("unchanged", 5)]


def test_a_move_that_broke_off_is_gone_on_with(alone: Two) -> None:
    """The state goes last, and until it has gone the directory is that of a single registry."""
    alone.file.write_text(alone.file.read_text().replace("name: north", "name: localhost"))
    own = alone.directory / "registries" / "localhost"
    own.mkdir(parents=True)
    (alone.directory / "landing").rename(own / "landing")
    (alone.directory / "warehouse.duckdb").rename(own / "warehouse.duckdb")
    let_join(read_one("south"))
    assert (own / ".state.duckdb").exists()
    assert {path.name for path in alone.directory.iterdir()} == {".lock", "registries"}


def test_a_single_registry_that_the_file_does_not_have_stays_as_it_is(alone: Two) -> None:
    """Nothing is moved or replaced, and the sentence says what to do."""
    published = (alone.directory / "warehouse.duckdb").read_bytes()
    with pytest.raises(OtherRegistry, match=r"holds the registry localhost, which .* does not"):
        let_join(read_one("south"))
    assert (alone.directory / "warehouse.duckdb").read_bytes() == published
    assert not (alone.directory / "registries").exists()


def test_what_is_published_of_one_is_not_shown_as_that_of_several(alone: Two) -> None:
    """Before the first run that reads the file of registries."""
    with pytest.raises(WarehouseError, match=r"does not hold the registries of SWR_REGISTRIES yet"):
        registries_overview(alone.directory)


def test_a_published_file_without_its_state_is_not_replaced(alone: Two) -> None:
    """It may be the only copy of a history, of a release before there was a state."""
    (alone.directory / ".state.duckdb").unlink()
    with pytest.raises(WarehouseError, match="does not say which registry it holds"):
        let_join(read_one("south"))
    assert (alone.directory / "warehouse.duckdb").exists()


def test_a_registry_keeps_the_name_that_its_rows_have(both: Two) -> None:
    """Another one in the file is refused before anything is read."""
    directory = both.directory / "registries"
    (directory / "south").rename(directory / "cape")
    both.file.write_text(both.file.read_text().replace("name: south", "name: cape"))
    with pytest.raises(OtherRegistry, match=r"by the name south: give it that name"):
        run_steps(read_one("cape"))


def test_another_registry_at_the_address_of_one_is_refused(both: Two) -> None:
    """As for a single one: by host and account."""
    text = both.file.read_text()
    both.file.write_text(text.replace(both.south.url, "https://swr.example.org"))
    with pytest.raises(OtherRegistry, match="holds another registry"):
        run_steps(read_one("south"))
