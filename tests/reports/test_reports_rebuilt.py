"""Rows that runs appended, made anew from history: the same, but for what history does not hold."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any

import duckdb
import pytest
from described_registry import (
    Description,
    expand,
    read,
    refill,
    reported,
    snapshots,
    warehouse,
    with_what_it_reads,
)
from random_registries import registry

from pipelines.warehouse.checks import check_names, run_checks
from pipelines.warehouse.rebuild import Rebuilt, rebuild_reports
from pipelines.warehouse.reports import build_reports
from pipelines.warehouse.state import APPENDED_REPORTS

Rows = dict[str, list[dict[str, Any]]]
# Of all reports these alone have rows of earlier runs.
APPENDED = {name for report in APPENDED_REPORTS for name in with_what_it_reads(report)}


def as_history_has_it(description: Description) -> Description:
    """A registry in which no manifest gets another text and the registry holds no foreign layer.

    What such a text said before is not kept, nor what a registry once said of a tag's size.
    """
    for manifest in description["manifests"].values():
        manifest.pop("readable_from_run", None)
        layers = manifest.get("layers", [])
        manifest["layers"] = [text.removesuffix(" foreign") for text in layers]
    return description


def drawn(seed: int) -> Description:
    """A registry of up to forty manifests, read by up to four runs."""
    random = Random(seed)
    return as_history_has_it(registry(random, random.randint(1, 40)))


@contextmanager
def appending(
    description: Description, names: Collection[str] | None = APPENDED
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a warehouse in memory whose reports of these names were built after each run."""
    with warehouse({}) as con:
        for tables in snapshots(description):
            refill(con, tables)
            build_reports(con, names=names)
        yield con


def assert_made_anew_as_appended(seed: int, names: Collection[str] | None) -> None:
    """Build the rows of all runs again, and compare them with those that each run appended."""
    with appending(drawn(seed), names) as con:
        appended: Rows = {name: read(con, f"reports.{name}") for name in APPENDED_REPORTS}
        _, rebuilt = rebuild_reports(con, 2, partial(build_reports, names=names))
        for name in APPENDED_REPORTS:
            assert read(con, f"reports.{name}") == appended[name], name
        assert rebuilt == [Rebuilt(name, len(appended[name]), 0) for name in APPENDED_REPORTS]


@pytest.mark.parametrize("seed", range(8))
def test_rows_made_anew_from_history_are_those_that_were_appended(seed: int) -> None:
    """Whatever the registry looked like, whatever its runs read of it and left unread."""
    assert_made_anew_as_appended(seed, APPENDED)


@pytest.mark.soak
@pytest.mark.parametrize("ten", range(1, 11))
def test_rows_of_a_hundred_registries_made_anew_are_those_that_were_appended(ten: int) -> None:
    """The same for a hundred more, beside every other report."""
    for seed in range(10 * ten, 10 * ten + 10):
        assert_made_anew_as_appended(seed, None)


@pytest.mark.parametrize("seed", range(3))
def test_a_building_that_died_is_made_good_by_the_next(seed: int) -> None:
    """Whichever rows of the latest run it had written, each is there once, and all others stay."""
    latest = "(select run_id from ingest.runs order by as_of desc limit 1)"
    with appending(drawn(seed)) as con:
        appended: Rows = {name: read(con, f"reports.{name}") for name in APPENDED_REPORTS}
        for missing in [*APPENDED_REPORTS, None]:
            if missing:
                con.execute(f"delete from reports.{missing} where run_id = {latest}")
            build_reports(con, names=APPENDED)
            for name in APPENDED_REPORTS:
                assert read(con, f"reports.{name}") == appended[name], (missing, name)


@pytest.mark.parametrize("seed", range(3))
def test_growth_of_scopes_begins_with_the_release_that_knows_it(seed: int) -> None:
    """A warehouse of an earlier one has rows of the runs from then on, the same as any other."""
    description = drawn(seed)
    past = snapshots(description)
    with appending(description) as con:
        growth = [name for name in APPENDED_REPORTS if name.endswith("_growth")][1:]
        latest = past[-1]["runs"][-1]["run_id"]
        appended = {name: read(con, f"reports.{name}") for name in growth}
    with warehouse({}) as con:
        for tables in past[:-1]:
            refill(con, tables)
            build_reports(con, names=APPENDED)
        for name in growth:
            con.execute(f"drop table if exists reports.{name}")
        refill(con, past[-1])
        # All of them: its checks read others too.
        build_reports(con)
        for name in growth:
            rows = [row for row in appended[name] if row["run_id"] == latest]
            assert read(con, f"reports.{name}") == rows
        names = [name for name in check_names() if name.startswith(tuple(growth))]
        assert [outcome.name for outcome in run_checks(con, names) if outcome.count] == []


def test_a_rebuild_says_how_many_rows_changed() -> None:
    """A text that could not be read when its tag went is readable now: 100 bytes were orphaned."""
    description: Description = {
        "manifests": {"image": {"kind": "image", "layers": ["app 100"], "readable_from_run": 3}},
        "runs": [{"tags": {"a/app": {"v1": "image"}}}, {"tags": {"a/app": {}}}],
    }
    with reported(description) as con:
        before = "select orphaned_bytes, orphaned_basis from reports.tag_events"
        assert con.execute(before).fetchall() == [(0, "exact"), (None, "unknown")]
        description["manifests"]["image"].pop("readable_from_run")
        refill(con, expand(description))
        _, rebuilt = rebuild_reports(con)
        assert con.execute(before).fetchall() == [(0, "exact"), (100, "exact")]
    assert [str(one) for one in rebuilt] == [
        "reports.daily_growth: of 2 rows of earlier runs 2 changed.",
        "reports.namespace_growth: of 2 rows of earlier runs 2 changed.",
        "reports.repository_growth: of 2 rows of earlier runs 2 changed.",
        "reports.tag_events: of 2 rows of earlier runs 1 changed.",
    ]
