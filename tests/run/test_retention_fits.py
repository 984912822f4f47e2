"""Executions that the log names are judged over the tags that were known before, and no others."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ingest_site import CrawlSite, at_crawl_site, manifest

from pipelines.emulator.messages import Request, Response, gateway_error
from pipelines.emulator.registry import Registry

NOW = datetime.now(UTC).replace(microsecond=0)
# After every crawl of a test.
LATER = NOW + timedelta(days=1)
KEEP_TWO = {"template": "tag_rule", "params": {"num": "2"}}
# What the documented reading came to.
FITS = """
    select executed_at, tag_count as tags, logged_count as logged, predicted_count as predicted,
        agreed_count as agreed
    from ingest.retention_fits where clock = 'updated' and unit = 'tags' and ties = 'first_name'
    order by executed_at
"""


@pytest.fixture
def registry() -> Registry:
    """A repository of four tags, the first the oldest, whose rule keeps two."""
    made = Registry()
    for number in range(1, 5):
        push(made, f"v{number}", NOW - timedelta(days=9 - number))
    made.set_retention("team", "app", [KEEP_TWO])
    return made


@pytest.fixture
def site(tmp_path: Path, registry: Registry) -> Iterator[CrawlSite]:
    """A site whose runs read rules."""
    with at_crawl_site(tmp_path, registry) as opened:
        opened.settings["SWR_READ_RULES"] = "true"
        yield opened


def push(registry: Registry, tag: str, at: datetime) -> None:
    """Push an image of its own."""
    registry.push("team", "app", tag, manifest((tag, 10)), at=at)


def fits(site: CrawlSite) -> list[tuple[Any, ...]]:
    """Hours after LATER, and the counts."""
    return [
        ((row.pop("executed_at") - LATER) // timedelta(hours=1), *row.values())
        for row in site.query(FITS)
    ]


def test_what_was_before_the_first_reading_is_not_judged(
    site: CrawlSite, registry: Registry
) -> None:
    """Nobody knows which tags there were; the log is kept all the same."""
    registry.run_retention("team", "app", at=LATER)
    site.ingest()
    assert site.query("select tag from retention_log order by tag") == [
        {"tag": "v1"},
        {"tag": "v2"},
    ]
    assert fits(site) == []
    site.ingest(full=True)
    assert fits(site) == []


def test_an_execution_is_judged_once(site: CrawlSite, registry: Registry) -> None:
    """Of four tags two are deleted, as predicted; six readings of such a rule differ."""
    site.ingest()
    registry.run_retention("team", "app", at=LATER)
    site.ingest()
    assert fits(site) == [(0, 4, 2, 2, 2)]
    site.ingest(full=True)
    assert fits(site) == [(0, 4, 2, 2, 2)]
    [row] = site.query("select count(*) as rows, count(days) as by_days from ingest.retention_fits")
    assert row == {"rows": 2 * 2 * 3, "by_days": 0}


def test_one_execution_after_another(site: CrawlSite, registry: Registry) -> None:
    """What an earlier one has deleted is not there any more; what was pushed between them is."""
    site.ingest()
    registry.run_retention("team", "app", at=LATER)
    push(registry, "v5", LATER + timedelta(hours=1))
    registry.run_retention("team", "app", at=LATER + timedelta(hours=2))
    site.ingest()
    assert fits(site) == [(0, 4, 2, 2, 2), (2, 3, 1, 1, 1)]


def test_deletions_close_to_one_another_are_one_execution(
    site: CrawlSite, registry: Registry
) -> None:
    """As of the first of them; ten minutes without any end it."""
    site.ingest()
    for tag, minutes in (("v1", 0), ("v2", 9), ("v3", 60)):
        at = LATER + timedelta(minutes=minutes)
        registry.delete_by_retention("team", "app", tag, at=at)
    site.ingest()
    assert fits(site) == [(0, 4, 2, 2, 2), (1, 2, 1, 0, 0)]


def test_what_somebody_else_deleted_is_no_prediction(site: CrawlSite, registry: Registry) -> None:
    """Whether the rule would have, and when it went, is not known; it takes its place all the
    same.
    """
    site.ingest()
    registry.delete_tag("team", "app", "v2")
    registry.delete_by_retention("team", "app", "v1", at=LATER)
    site.ingest()
    assert fits(site) == [(0, 3, 1, 1, 1)]


def test_a_tag_that_nobody_saw_is_none_to_judge(site: CrawlSite, registry: Registry) -> None:
    """Pushed and deleted between two runs."""
    site.ingest()
    push(registry, "brief", NOW - timedelta(days=99))
    registry.run_retention("team", "app", at=LATER)
    site.ingest()
    assert site.query("select count(*) as n from retention_log") == [{"n": 3}]
    assert fits(site) == [(0, 4, 2, 2, 2)]


def test_a_tag_that_was_pushed_again_since_is_judged_as_it_was_before(
    site: CrawlSite, registry: Registry
) -> None:
    """Its record of today is younger than the execution."""
    site.ingest()
    registry.run_retention("team", "app", at=LATER)
    push(registry, "v1", LATER + timedelta(hours=1))
    push(registry, "v3", LATER + timedelta(hours=1))
    site.ingest()
    assert fits(site) == [(0, 4, 2, 2, 2)]


def test_the_rule_is_the_one_that_the_log_names(site: CrawlSite, registry: Registry) -> None:
    """Another with another id has taken its place; the first was read before."""
    site.ingest()
    registry.run_retention("team", "app", at=LATER)
    registry.set_retention("team", "app", [KEEP_TWO | {"params": {"num": "1"}}])
    registry.run_retention("team", "app", at=LATER + timedelta(hours=1))
    site.ingest()
    assert fits(site) == [(0, 4, 2, 2, 2), (1, 2, 1, 1, 1)]


def test_what_was_not_read_whole_is_not_judged(site: CrawlSite, registry: Registry) -> None:
    """Its tags could not be read afterwards; the log could."""
    site.ingest()
    registry.run_retention("team", "app", at=LATER)

    def refused(request: Request) -> Response | None:
        is_tags = request.path.endswith("/app/tags")
        return gateway_error(403, "APIGW.0302", "no") if is_tags else None

    push(registry, "v5", NOW)
    registry.push("team", "other", "v1", manifest(("o", 1)), at=NOW)
    site.server.fault = refused
    assert site.ingest() == "partial"
    assert site.query("select count(*) as n from retention_log") == [{"n": 2}]
    assert fits(site) == []
