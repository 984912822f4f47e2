"""`swr-warehouse forget` gives up what answers 403 for ever; a later list brings it back."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from ingest_site import AT, Site, at_crawl_site, at_plain_site, manifest, small_registry

from assets.cli.main import main
from pipelines.emulator.messages import Request, Response, gateway_error
from pipelines.errors import SettingsError, WarehouseMissing
from pipelines.run.forget import forget
from pipelines.settings import read_settings

HISTORY = """
    select tag, change, manifest_digest is null as is_gone, valid_to is null as is_open
    from tag_history where namespace = 'data' order by tag, valid_from
"""
ROW = """
    select tag_count, read_at, deleted_detected_at is null as is_live, crawl_status
    from repositories where namespace = 'data'
"""


def hidden(request: Request, response: Response) -> Response:
    """The namespace `data` is not in the list any more, and its repository is forbidden."""
    if request.path == "/v2/manage/namespaces":
        return Response(200, response.headers, b'{"namespaces":[{"name":"shop"}]}')
    if "/namespaces/data/" in request.path:
        return gateway_error(403, "SVCSTG.SWR.4030170", "Insufficient permissions")
    return response


def values(site: Site, sql: str) -> list[tuple[object, ...]]:
    """Rows of the published warehouse."""
    return [tuple(row.values()) for row in site.query(sql)]


@pytest.mark.parametrize("name", ["data", "data/spark"])
def test_what_is_forgotten_ends_and_comes_back_when_it_is_listed(tmp_path: Path, name: str) -> None:
    """Its history says so, nothing else changes, and a list that shows it restores its tags."""
    registry = small_registry()
    registry.push("data", "spark", "gone", manifest(("gone", 1)), at=AT)
    with at_crawl_site(tmp_path, registry) as site:
        site.ingest()
        registry.delete_tag("data", "spark", "gone")
        site.ingest()
        site.server.faults = [hidden]
        assert site.ingest() == "partial"
        [(_, read_at, is_live, status)] = values(site, ROW)
        assert (read_at is not None, is_live, status) == (True, True, "failed")
        assert forget(read_settings(), name) == ([("data", "spark")], 1)
        assert values(site, ROW) == [(0, None, False, "forgotten")]
        assert values(site, HISTORY) == [
            ("gone", "created", False, False),
            ("gone", "deleted", True, True),
            ("latest", "created", False, False),
            ("latest", "forgotten", True, True),
        ]
        assert values(site, "select count(*) from tags where namespace = 'shop'") == [(61,)]
        modes = "select mode, status, scope from ingest.runs order by as_of desc limit 1"
        scope = f'{{"namespaces":["{name}"],"repositories":[]}}'
        if "/" in name:
            scope = f'{{"namespaces":[],"repositories":["{name}"]}}'
        assert values(site, modes) == [("forget", "complete", scope)]
        # What is forgotten is not asked for any more.
        assert site.ingest() == "complete"
        assert not [entry for entry in site.server.log if "/namespaces/data/" in entry.path]
        site.server.faults = []
        assert site.ingest() == "complete"
        [(tag_count, read_at, is_live, status)] = values(site, ROW)
        assert (tag_count, read_at is not None, is_live, status) == (1, True, True, "complete")
        assert values(site, HISTORY)[2:] == [
            ("latest", "created", False, False),
            ("latest", "forgotten", True, False),
            ("latest", "restored", False, True),
        ]


def test_what_is_forgotten_orphans_what_only_it_held(tmp_path: Path) -> None:
    """As a deletion does: its event has the bytes, and the day's growth balances."""
    with at_plain_site(tmp_path, small_registry()) as site:
        site.ingest()
        forget(read_settings(), "data")
        events = "select change, orphaned_bytes from reports.tag_events where change = 'forgotten'"
        # A layer of 5,000 bytes; the configuration of 100 is the others' too.
        assert values(site, events) == [("forgotten", 5000)]
        growth = "select orphaned_bytes from reports.daily_growth order by as_of desc limit 1"
        assert values(site, growth) == [(5000,)]


def test_a_namespace_that_cannot_be_listed_is_forgotten_with_its_row(tmp_path: Path) -> None:
    """It comes back as soon as it is seen again."""
    with at_crawl_site(tmp_path, small_registry()) as site:
        site.ingest()
        names = "select namespace from ingest.namespaces order by all"
        forget(read_settings(), "data/spark")
        assert values(site, names) == [("data",), ("shop",)]
        forget(read_settings(), "data")
        assert values(site, names) == [("shop",)]
        site.ingest()
        assert values(site, names) == [("data",), ("shop",)]


def test_a_name_that_is_not_held_is_refused(tmp_path: Path) -> None:
    """And nothing changes, nor is anything forgotten twice."""
    with at_plain_site(tmp_path, small_registry()) as site:
        site.ingest()
        before = (site.directory / "warehouse.duckdb").read_bytes()
        for name in ("shop/crat", "sho", "data/", ""):
            with pytest.raises(SettingsError, match=f"holds nothing named '{name}'"):
                forget(read_settings(), name)
        assert (site.directory / "warehouse.duckdb").read_bytes() == before
        result = CliRunner().invoke(main, ["forget", "shop/cart"])
        assert result.output == "Forgot 1 repositories with 60 tags, and published.\n"
        with pytest.raises(SettingsError, match="holds nothing named 'shop/cart'"):
            forget(read_settings(), "shop/cart")


def test_there_must_be_something_to_forget(tmp_path: Path) -> None:
    """Before the first run there is nothing."""
    with pytest.raises(WarehouseMissing, match="holds nothing yet"):
        forget(read_settings(warehouse_dir=tmp_path / "warehouse"), "shop")
