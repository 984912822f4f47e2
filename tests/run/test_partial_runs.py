"""Runs that could not read everything, or not what they wanted: nothing is lost or invented."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from ingest_site import AT, at_crawl_site, at_plain_site, manifest, small_registry

from pipelines.emulator.messages import Request, Response
from pipelines.errors import NothingRead, SettingsError, WarehouseBusy
from pipelines.warehouse.building import writer_lock


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first run's warehouse is kept: it is the same for each test."""
    return tmp_path_factory.mktemp("kept") / "warehouse"


def only(path: str, response: Response) -> Callable[[Request], Response | None]:
    """A fault of one path."""
    return lambda request: response if request.path.endswith(path) else None


def test_a_repository_that_fails_keeps_its_rows_and_stops_nobody(tmp_path: Path) -> None:
    """The run is partial, says why, and the others are read."""
    registry = small_registry()
    with at_plain_site(tmp_path, registry) as site:
        site.ingest()
        registry.push("shop", "cart", "new", manifest(("new", 7)), at=AT + timedelta(days=1))
        registry.push("data", "spark", "new", manifest(("new", 7)), at=AT + timedelta(days=1))
        site.server.fault = only("/cart/tags", Response(500, {}, b"<html>oops</html>"))
        assert site.ingest() == "partial"
        (crawl,) = site.query(
            "select status, error from ingest.crawls"
            " where repository = 'cart' order by started_at desc limit 1"
        )
        counts = site.query("select repository, count(*) as n from tags group by all order by all")
        (registry_size,) = site.query("from reports.registry_size")
    assert crawl["status"] == "failed"
    assert "status 500" in crawl["error"]
    assert [(row["repository"], row["n"]) for row in counts] == [
        ("cart", 60),
        ("deep/er/app", 1),
        ("spark", 2),
    ]
    assert (registry_size["repositories_complete"], registry_size["repository_count"]) == (2, 3)


def test_a_namespace_that_cannot_be_listed_keeps_its_rows(tmp_path: Path, kept: Path) -> None:
    """Forbidden is not gone."""
    with at_crawl_site(tmp_path, small_registry()) as site:
        site.begin(kept)

        def forbid(request: Request) -> Response | None:
            is_shop = request.path == "/v2/manage/repos" and request.query["namespace"] == "shop"
            return Response(403, {}, b"{}") if is_shop else None

        site.server.fault = forbid
        assert site.ingest() == "partial"
        assert site.query("select count(*) as n from tags") == [{"n": 62}]
        crawls = site.query(
            "select status from ingest.crawls where namespace = 'shop' and run_id ="
            " (select run_id from ingest.runs order by as_of desc limit 1)"
        )
        assert crawls == [{"status": "failed"}] * 2


def test_a_repository_that_is_gone_closes_its_tags(tmp_path: Path, kept: Path) -> None:
    """It is asked for by name first; that is no failure."""
    registry = small_registry()
    with at_crawl_site(tmp_path, registry) as site:
        site.begin(kept)
        registry.delete_repository("shop", "deep/er/app")
        assert site.ingest() == "complete"
        assert site.query("select tag from tags where repository = 'deep/er/app'") == []
        (row,) = site.query("from repositories where repository = 'deep/er/app'")
        (run,) = site.query("from ingest.runs order by as_of desc limit 1")
        assert run["started_at"] <= row["deleted_detected_at"] <= run["finished_at"]
        assert site.query("select count(*) as n from tags") == [{"n": 61}]


def test_a_scope_reads_its_part_and_infers_nothing_about_the_rest(
    tmp_path: Path, kept: Path
) -> None:
    """Neither a namespace nor a repository outside it is taken for deleted."""
    with at_crawl_site(tmp_path, small_registry()) as site:
        site.begin(kept)
        site.ingest(namespaces=("data",))
        assert list(site.tags_requests()) == ["/v2/manage/namespaces/data/repos/spark/tags"]
        site.ingest(repositories=("shop/deep/er/app",))
        assert list(site.tags_requests()) == ["/v2/manage/namespaces/shop/repos/deep$er$app/tags"]
        assert site.query("select count(*) as n from tags") == [{"n": 62}]
        (run,) = site.query("from ingest.runs order by as_of desc limit 1")
        assert (run["unread_namespaces"], run["unread_repositories"]) == (1, 1)
        with pytest.raises(SettingsError, match="'dta' is not visible"):
            site.ingest(namespaces=("dta",))
        with pytest.raises(SettingsError, match="'shop/crat' was not found"):
            site.ingest(repositories=("shop/crat",))


def test_when_nothing_can_be_read_nothing_is_published(tmp_path: Path, kept: Path) -> None:
    """Yesterday's warehouse stays."""
    with at_crawl_site(tmp_path, small_registry()) as site:
        site.begin(kept)
        before = (site.directory / "warehouse.duckdb").read_bytes()
        site.server.fault = only("/tags", Response(500))
        with pytest.raises(NothingRead, match="status 500"):
            site.ingest()
        assert (site.directory / "warehouse.duckdb").read_bytes() == before


def test_a_second_run_meanwhile_is_refused(tmp_path: Path) -> None:
    """One writer."""
    with at_plain_site(tmp_path, small_registry()) as site, writer_lock(site.directory):
        with pytest.raises(WarehouseBusy):
            site.ingest()
        assert site.server.log == []


def test_finished_repositories_of_a_dead_run_are_not_fetched_again(tmp_path: Path) -> None:
    """The landing is taken up, whatever killed the run."""
    with at_crawl_site(tmp_path, small_registry()) as site:
        site.server.fault = only("/spark/tags", Response(500))
        site.ingest()
        site.server.fault = None
        landings = list((site.directory / "landing").iterdir())
        assert len(landings) == 1
        (site.directory / "warehouse.duckdb").unlink()
        (site.directory / ".state.duckdb").unlink()
        site.ingest()
        assert list(site.tags_requests()) == ["/v2/manage/namespaces/data/repos/spark/tags"]
        assert site.query("select count(*) as n from tags") == [{"n": 62}]


def test_a_record_that_cannot_be_used_is_kept_aside_alone(tmp_path: Path) -> None:
    """Its text verbatim, its neighbours untouched, the repository still unchanged next time."""
    registry = small_registry()
    path = "swr.cn-north-4.myhuaweicloud.com/shop/cart:bad"
    bad = {"id": 99, "Tag": "bad", "path": path, "digest": 5, "updated": "2026-01-01T00:00:00Z"}
    registry.add_record(bad)
    with at_crawl_site(tmp_path, registry) as site:
        assert site.ingest() == "complete"
        (rejected,) = site.query("from ingest.rejected_records")
        assert json.loads(rejected["record"]) == bad
        assert (rejected["namespace"], rejected["repository"]) == ("shop", "cart")
        assert "digest" in rejected["reason"]
        assert site.query("select count(*) as n from tags") == [{"n": 62}]
        site.ingest()
        assert set(site.tags_requests().values()) == {1}


def test_a_name_that_cannot_be_asked_for_leaves_the_page_size_alone(tmp_path: Path) -> None:
    """Its repository fails; the others are read in pages as large as before."""
    registry = small_registry()
    for number in range(61):
        registry.push("shop", "..", f"v{number}", manifest(("a", 1)), at=AT)
    with at_crawl_site(tmp_path, registry) as site:
        site.settings = {"SWR_CONCURRENCY": "1"}
        assert site.ingest() == "partial"
        failed = site.query("select repository from ingest.crawls where status = 'failed'")
        limits = {entry.query["limit"] for entry in site.server.log if "/tags" in entry.path}
    assert failed == [{"repository": ".."}]
    assert limits == {"1000"}
