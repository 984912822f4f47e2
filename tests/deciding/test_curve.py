"""The curve of a rule equals the simulation of it at every number."""

from random import Random
from typing import Any

import pytest
from described_registry import expand, read, warehouse, with_what_it_reads
from random_registries import registry

from pipelines.deciding.rules import DOCUMENTED, LIMITS, Rule, Template
from pipelines.deciding.simulate import simulate
from pipelines.warehouse.asking import asking_on
from pipelines.warehouse.reclaimable import count_sets
from pipelines.warehouse.reports import build_reports

Point = tuple[int, int | None, str]
FIRST = 12


def curve_at(curve: list[dict[str, Any]], template: str, name: str | None, keeps: int) -> Point:
    """What the curve says: the last row up to this number."""
    row = [
        row
        for row in curve
        if row["template"] == template
        and (row["namespace"] and "{namespace}/{repository}".format(**row)) == name
        and row["keeps"] <= keeps
    ][-1]
    return row["deleted_tag_count"], row["reclaimable_bytes"], row["reclaimable_basis"]


def assert_equal(seed: int) -> None:
    """At every number up to twelve and wherever a row is, of each repository and of all."""
    with warehouse(expand(registry(Random(seed), 25))) as con:
        build_reports(con, names=with_what_it_reads("retention_curve"))
        curve = read(con, "reports.retention_curve")
        with asking_on(con, ["decidable_tags", "reclaimable"]) as asked:
            tags = asked.ask("decidable_tags")
            [as_of] = count_sets(asked, {0: []})["as_of"].to_pylist()
            names = {f"{row['namespace']}/{row['repository']}" for row in tags.to_pylist()}
            asked_for = {
                (template, name, keeps)
                for template in LIMITS
                for name in {None, *names}
                for keeps in {*range(1, FIRST), *(row["keeps"] for row in curve), 365}
            }
            points = dict(enumerate(asked_for if names else []))
            sets = {
                number: deleted(tags, template, name, keeps, as_of)
                for number, (template, name, keeps) in points.items()
                if keeps <= LIMITS[template][1]
            }
            for row in count_sets(asked, sets).to_pylist():
                point = row["tag_count"], row["reclaimable_bytes"], row["reclaimable_basis"]
                assert curve_at(curve, *points[row["set_key"]]) == point, points[row["set_key"]]


def deleted(tags: Any, template: Template, name: str | None, keeps: int, as_of: Any) -> list[int]:
    """The keys of the tags that a rule takes."""
    found = simulate(tags, [Rule(name or "*", template, keeps)], as_of, DOCUMENTED)
    pairs = zip(tags["tag_key"].to_pylist(), found["verdict"].to_pylist(), strict=True)
    return [key for key, verdict in pairs if verdict == "deleted"]


@pytest.mark.parametrize("seed", range(8))
def test_the_curve_equals_the_simulator_at_every_point(seed: int) -> None:
    """Tags, bytes and basis."""
    assert_equal(seed)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 300))
def test_the_curve_equals_the_simulator_for_many_registries(seed: int) -> None:
    """The same for two hundred."""
    assert_equal(seed)
