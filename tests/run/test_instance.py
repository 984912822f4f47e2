"""An instance of the enterprise edition is read like the other edition, by its own calls."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ingest_site import AT, PlainSite, at_crawl_site, at_plain_site, manifest

from pipelines.deciding.plan import Wish
from pipelines.deciding.protection import Protection
from pipelines.emulator.api_instance import INSTANCE_ID, PROJECT_ID
from pipelines.emulator.messages import Request, Response
from pipelines.emulator.registry import Registry
from pipelines.errors import NoPullsKnown, OtherRegistry, SettingsError, SwrUnknownPath
from pipelines.warehouse.planning import plan_deletion

TAGS = """
    select namespace, repository, tag, manifest_digest, api_size_bytes, updated_at
    from tags order by all
"""
LAYERS = "select manifest_digest, position, blob_digest, size_bytes from layers order by all"
CRAWLS = "select repository, status, requests, received from ingest.crawls order by all"


def shop() -> Registry:
    """Two repositories, one with levels in its name; an image with two tags, and one with none."""
    registry = Registry()
    registry.push("shop", "cart", "v1", manifest(("base", 10), ("cart1", 1)), at=AT)
    registry.push("shop", "cart", "v2", manifest(("base", 10), ("cart2", 2)), at=AT)
    registry.push("shop", "cart", "stable", manifest(("base", 10), ("cart2", 2)), at=AT)
    registry.push("shop", "team/tool", "v1", manifest(("tool", 7)), at=AT)
    registry.store_manifest("shop", "cart", manifest(("left", 5)))
    return registry


def as_instance(site: PlainSite) -> PlainSite:
    """Have the runs of a site read the emulator's instance."""
    site.settings |= {"SWR_INSTANCE_ID": INSTANCE_ID, "HUAWEICLOUD_SDK_PROJECT_ID": PROJECT_ID}
    return site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[PlainSite]:
    """The instance, and a warehouse; a report says how old tags are."""
    with at_crawl_site(tmp_path, shop(), reports=("tag_ages",)) as own:
        yield as_instance(own)


def test_an_instance_gives_the_rows_that_the_service_gives(tmp_path: Path) -> None:
    """Manifests are pulled, since artifacts have none; what no tag names is not counted."""
    registry = shop()
    with at_plain_site(tmp_path / "service", registry) as service:
        assert service.ingest() == "complete"
        tags, layers = service.query(TAGS), service.query(LAYERS)
    with at_plain_site(tmp_path / "instance", registry) as served:
        instance = as_instance(served)
        assert instance.ingest() == "complete"
        assert instance.query(TAGS) == tags
        assert instance.query(LAYERS) == layers
        sizes = "select deduplicated_bytes, size_basis, tag_count from reports.registry_size"
        assert instance.query(sizes) == [
            {"deduplicated_bytes": 120, "size_basis": "exact", "tag_count": 4}
        ]
        assert instance.query("select registry, endpoint from registries") == [
            {"registry": INSTANCE_ID, "endpoint": f"loopback/{INSTANCE_ID}"}
        ]


def test_when_a_tag_was_pulled_is_told(site: PlainSite) -> None:
    """Of each tag on its own; one that never was has no such moment."""
    pulled = AT + timedelta(days=2)
    site.server.registry.pull("shop", "cart", "v2", at=pulled)
    site.ingest()
    found = site.query(
        "select tag, pulled_at, as_of::date - pulled_at::date as days, pulled_age_days"
        " from reports.tag_ages where repository = 'cart' order by tag"
    )
    assert [(row["tag"], row["pulled_at"]) for row in found] == [
        ("stable", None),
        ("v1", None),
        ("v2", pulled),
    ]
    assert found[2]["pulled_age_days"] == found[2]["days"]


def test_a_plan_spares_what_was_pulled_of_late(site: PlainSite) -> None:
    """Where nothing says so of any tag, the wish is refused; v2 is on the digest of stable."""
    site.ingest()
    days = (datetime.now(UTC) - AT).days - 5
    wish, protection = Wish(most_tags=9), Protection(not_pulled_for=days)
    with pytest.raises(NoPullsKnown, match="No tag has a time of its last pull"):
        plan_deletion(site.directory, wish, protection)
    site.server.registry.pull("shop", "cart", "v2", at=AT + timedelta(days=9))
    site.server.registry.pull("shop", "cart", "v1", at=AT + timedelta(days=2))
    site.ingest()
    planned = plan_deletion(site.directory, wish, protection)
    chosen = planned.tags.select(["repository", "tag"]).sort_by("repository").to_pylist()
    assert chosen == [
        {"repository": "cart", "tag": "v1"},
        {"repository": "team/tool", "tag": "v1"},
    ]


def test_a_day_later_only_what_is_new_is_pulled(site: PlainSite) -> None:
    """A tag moved, one went, one came; a repository went."""
    site.ingest()
    registry = site.server.registry
    later = AT + timedelta(days=1)
    registry.push("shop", "cart", "stable", manifest(("base", 10), ("cart3", 3)), at=later)
    registry.push("shop", "cart", "v3", manifest(("base", 10), ("cart3", 3)), at=later)
    registry.delete_tag("shop", "cart", "v1")
    registry.delete_repository("shop", "team/tool")
    assert site.ingest() == "complete"
    pulls = [entry.path for entry in site.server.log if "/manifests/" in entry.path]
    assert len(pulls) == 1
    assert site.query("select repository, tag from tags order by all") == [
        {"repository": "cart", "tag": "stable"},
        {"repository": "cart", "tag": "v2"},
        {"repository": "cart", "tag": "v3"},
    ]


def test_long_lists_are_read_to_their_end(tmp_path: Path) -> None:
    """Of namespaces, of repositories, and of artifacts, which are read twice then."""
    registry = Registry()
    for number in range(101):
        registry.push(f"team-{number:03}", "app", "v1", manifest(("base", 10)), at=AT)
        registry.push("many", f"app-{number:03}", "v1", manifest(("base", 10)), at=AT)
        registry.push(
            "many", "tags", f"v{number}", manifest(("base", 10), (f"t{number}", 1)), at=AT
        )
    with at_crawl_site(tmp_path, registry) as own:
        assert as_instance(own).ingest() == "complete"
        assert own.query("select count(*) as n from repositories") == [{"n": 203}]
        crawl = (
            "select status, pages, received, expected from ingest.crawls where repository = 'tags'"
        )
        assert own.query(crawl) == [
            {"status": "complete", "pages": 4, "received": 101, "expected": None}
        ]


def test_an_artifact_list_that_contradicts_itself_is_incomplete(site: PlainSite) -> None:
    """Nothing is taken for gone then."""
    site.ingest()

    def promise_more(request: Request, response: Response) -> Response:
        if request.segments[-1] != "artifacts":
            return response
        body = response.body.replace(b'"total": ', b'"total": 1')
        return Response(200, response.headers, body)

    site.server.registry.delete_tag("shop", "cart", "v1")
    site.server.faults = [promise_more]
    assert site.ingest() == "partial"
    crawls = "select status, count(*) as n from ingest.crawls group by all order by all"
    assert site.query(crawls) == [
        {"status": "complete", "n": 2},
        {"status": "incomplete", "n": 2},
    ]
    assert site.query("select count(*) as n from tags") == [{"n": 4}]


def test_what_is_wrong_is_said(site: PlainSite) -> None:
    """An instance that is not there, a project that is not set, another edition's warehouse."""
    site.settings["SWR_INSTANCE_ID"] = "another"
    with pytest.raises(SwrUnknownPath, match="instances/another"):
        site.ingest()
    site.settings["HUAWEICLOUD_SDK_PROJECT_ID"] = ""
    with pytest.raises(SettingsError, match="SWR_INSTANCE_ID needs HUAWEICLOUD_SDK_PROJECT_ID"):
        site.ingest()
    as_instance(site).ingest()
    site.settings["SWR_INSTANCE_ID"] = ""
    with pytest.raises(OtherRegistry, match=f"loopback/{INSTANCE_ID}"):
        site.ingest()
