"""The emulator runs rules by each reading; what runs read of its log names that reading."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from brute_force_retention import verdicts
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_site import Site, at_crawl_site, at_plain_site, manifest

from assets.cli.main import main
from pipelines.deciding.rules import (
    DOCUMENTED,
    SWITCHES,
    Rule,
    Selector,
    other_readings,
    reading_of,
)
from pipelines.deciding.simulate import simulate
from pipelines.emulator.registry import Registry
from pipelines.schemas import MOMENT

Row = dict[str, Any]
NOW = datetime.now(UTC).replace(microsecond=0)
NAMES = ["v1", "v2", "v1.0", "v2.0", "latest", "pr-1", "V1"]
CLOCKS = ("updated_at", "created_at")


def body(template: str, keeps: int, selectors: list[tuple[str, str]]) -> Row:
    """A rule as the API has it."""
    parameter = {"tag_rule": "num", "date_rule": "days"}[template]
    return {
        "template": template,
        "params": {parameter: str(keeps)},
        "tag_selectors": [{"kind": kind, "pattern": pattern} for kind, pattern in selectors],
    }


def push(registry: Registry, name: str, tag: Row) -> None:
    """Push a tag at the time it was created, and once more when it was updated."""
    for clock in ("created_at", "updated_at"):
        text = manifest((tag["layer"], 10))
        registry.push("team", name, tag["tag"], text, at=tag[clock])


def in_order(tag: Row) -> Row:
    """The same, created before it was updated."""
    first, last = sorted([tag["created_at"], tag["updated_at"]])
    return tag | {"created_at": first, "updated_at": last}


SELECTORS = st.one_of(
    st.tuples(st.just("label"), st.sampled_from(NAMES)),
    st.tuples(st.just("regexp"), st.sampled_from(["^v2.*", "v1", "^v1$", "1|2", "x", r"\."])),
)
MOMENTS = st.sampled_from([NOW - timedelta(hours=h) for h in (0, 5, 11, 13, 24, 25, 30, 48, 72)])
TAGS: st.SearchStrategy[list[Row]] = st.lists(
    st.fixed_dictionaries(
        {
            "tag": st.sampled_from(NAMES),
            "layer": st.sampled_from("xyz"),
            "updated_at": MOMENTS,
            "created_at": MOMENTS,
        }
    ).map(in_order),
    unique_by=lambda tag: tag["tag"],
    min_size=1,
)
READINGS = st.fixed_dictionaries({name: st.sampled_from(v) for name, v in SWITCHES.items()})


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    TAGS,
    st.sampled_from(["tag_rule", "date_rule"]),
    st.integers(1, 4),
    st.lists(SELECTORS, max_size=2),
    READINGS,
)
def test_the_emulator_deletes_what_the_simulator_says(
    tags: list[Row], template: Any, keeps: int, selectors: list[Any], turned: dict[str, str]
) -> None:
    """By any reading, though they share no code; and it writes down what it deletes."""
    registry = Registry()
    for tag in tags:
        push(registry, "app", tag)
    registry.set_retention("team", "app", [body(template, keeps, selectors)])
    reading = reading_of([f"{name}={value}" for name, value in turned.items()])
    rows = [
        {
            "namespace": "team",
            "repository": "app",
            "tag": stored.name,
            "manifest_digest": stored.wire["digest"],
            **{
                f"{prefix}{clock}_at": datetime.fromisoformat(stored.wire[clock])
                for clock in ("updated", "created")
                for prefix in ("", "known_")
            },
        }
        for stored in registry.tags("team", "app")
    ]
    names = ("namespace", "repository", "tag", "manifest_digest")
    moments = [f"{prefix}{clock}" for prefix in ("", "known_") for clock in CLOCKS]
    schema = pa.schema([(n, pa.string()) for n in names] + [(m, MOMENT) for m in moments])
    rule = Rule("*", template, keeps, tuple(Selector(*selector) for selector in selectors))
    found = simulate(pa.Table.from_pylist(rows, schema=schema), [rule], NOW, reading)
    expected = {
        row["tag"]
        for row, verdict in zip(rows, found["verdict"].to_pylist(), strict=True)
        if verdict == "deleted"
    }
    assert set(registry.run_retention("team", "app", at=NOW, reading=reading)) == expected
    _, log = registry.retention("team", "app")
    assert {entry["tag"] for entry in log} == expected


# Noon: a moment from which midnights of two time zones are not as far as whole days.
EXECUTED_AT = (NOW + timedelta(days=1)).replace(hour=12, minute=0, second=0)
PATTERNS = [("regexp", "v2"), ("label", "keep")]
# By hours before the execution: name, content, created, updated.
CONTENT = [
    ("a", "a", 100, 1),
    ("b", "b", 2, 2),
    ("tie-1", "c", 30, 30),
    ("tie-2", "d", 30, 30),
    ("same-as-b", "b", 31, 31),
    ("v2", "e", 35, 3),
    ("xv2y", "f", 99, 4),
    ("keep", "g", 98, 98),
    ("h40", "h", 40, 40),
    ("h46", "i", 46, 46),
    ("h50", "j", 50, 50),
    ("h80", "k", 80, 80),
    ("xv2z", "l", 96, 96),
]
RULES = {"tag_rule": body("tag_rule", 3, PATTERNS), "date_rule": body("date_rule", 2, PATTERNS)}
ONE_OTHER = {"documented": DOCUMENTED, **dict(other_readings(DOCUMENTED))}


def hours_before(hours: float) -> datetime:
    """So long before the execution."""
    return EXECUTED_AT - timedelta(hours=hours)


def filled(name: str, registry: Registry) -> None:
    """Push the content to a repository."""
    for tag, layer, created, updated in CONTENT:
        moments = {"created_at": hours_before(created), "updated_at": hours_before(updated)}
        push(registry, name, {"tag": tag, "layer": layer} | moments)


def verdict_set(registry: Registry, name: str, template: str, reading: Row) -> frozenset[str]:
    """The tags that the independent simulation deletes."""
    tags = [
        {
            "namespace": "team",
            "repository": name,
            "tag": stored.name,
            "manifest_digest": stored.wire["digest"],
            **{
                f"{prefix}{clock}_at": datetime.fromisoformat(stored.wire[clock])
                for clock in ("updated", "created")
                for prefix in ("", "known_")
            },
        }
        for stored in registry.tags("team", name)
    ]
    keeps = {"tag_rule": 3, "date_rule": 2}[template]
    rule = {"repositories": "*", "template": template, "keeps": keeps, "selectors": PATTERNS}
    found = verdicts(tags, [rule], EXECUTED_AT, asdict(DOCUMENTED) | reading)
    pairs = zip(tags, found, strict=True)
    return frozenset(tag["tag"] for tag, (verdict, _) in pairs if verdict == "deleted")


def relevant(template: str) -> list[dict[str, str]]:
    """Every reading that may make a difference to such a rule."""
    by_kind = {"tag_rule": ("unit", "ties"), "date_rule": ("days",)}[template]
    names = ("clock", *by_kind, "selectors", "match")
    return [
        dict(zip(names, values, strict=True))
        for values in product(*(SWITCHES[name] for name in names))
    ]


def as_items(turned: dict[str, str]) -> frozenset[tuple[str, str]]:
    """Something to compare."""
    return frozenset(turned.items())


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, Row]]:
    """Runs before and after rules were executed, a repository for each reading in its own way.

    With the site, by repository: which readings cannot be told from the right one.
    """
    registry = Registry()
    expected: Row = {}
    for template in ("tag_rule", "date_rule"):
        for number, reading in enumerate(ONE_OTHER.values()):
            name = f"{template}-{number:02}"
            filled(name, registry)
            registry.set_retention("team", name, [RULES[template]])
            right = verdict_set(registry, name, template, asdict(reading))
            expected[name] = [
                turned
                for turned in relevant(template)
                if verdict_set(registry, name, template, turned) == right
            ]
    before = dict(os.environ)
    with at_plain_site(tmp_path_factory.mktemp("executed"), registry) as site:
        site.settings["SWR_READ_RULES"] = "true"
        site.ingest()
        for template in ("tag_rule", "date_rule"):
            for number, reading in enumerate(ONE_OTHER.values()):
                name = f"{template}-{number:02}"
                assert registry.run_retention("team", name, at=EXECUTED_AT, reading=reading)
                registry.push("team", name, "new", manifest(("new", 1)), at=hours_before(-1))
        site.ingest()
        yield site, expected
    os.environ.clear()
    os.environ.update(before)


def test_the_right_reading_agrees_wholly_and_is_named(executed: tuple[Site, Row]) -> None:
    """With each that this log cannot tell from it, and no other."""
    site, expected = executed
    rows = site.query("from reports.retention_agreement where scope = 'repository'")
    found: Row = {name: [] for name in expected}
    for row in rows:
        assert (row["execution_count"], row["agreement_percent"] == 100) == (1, row["is_best"])
        if row["is_best"]:
            turned = {name: row[name] for name in SWITCHES if row[name] is not None}
            found[row["repository"]].append(turned)
    for name, readings in expected.items():
        assert {*map(as_items, found[name])} == {*map(as_items, readings)}, name


def test_the_content_tells_every_switch_apart(executed: tuple[Site, Row]) -> None:
    """But for exceptions after a count that a rule by days does not make."""
    _, expected = executed
    for template in ("tag_rule", "date_rule"):
        for number, reading in enumerate(ONE_OTHER.values()):
            readings = expected[f"{template}-{number:02}"]
            for switch in relevant(template)[0]:
                value = getattr(reading, switch)
                is_turned = value != getattr(DOCUMENTED, switch) or reading == DOCUMENTED
                if is_turned and (template, switch) == ("date_rule", "selectors"):
                    assert value in {turned[switch] for turned in readings}
                elif is_turned:
                    assert {turned[switch] for turned in readings} == {value}, (template, reading)


def test_nothing_is_predicted_twice(executed: tuple[Site, Row]) -> None:
    """A full run reads the same log again and adds nothing."""
    site, _ = executed
    before = site.query("select count(*) as n from ingest.retention_fits")
    site.ingest(full=True)
    assert site.query("select count(*) as n from ingest.retention_fits") == before


def command(site: Site, *arguments: str) -> str:
    """What the command prints."""
    site.set_environment()
    result = CliRunner().invoke(main, ["retention", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_without_a_file_the_rules_are_those_of_the_registry(executed: tuple[Site, Row]) -> None:
    """What they take next is what the coverage says, though that is made in SQL; rules that are
    alike are one.
    """
    site, _ = executed
    told = json.loads(command(site, "--json"))
    assert [(row["repositories"], row["params"]) for row in told["rules"]] == [
        ("team/date_rule-00 and 10 more", {"days": 2}),
        ("team/tag_rule-00 and 10 more", {"num": 3}),
    ]
    names = "repository, now_tag_count, now_reclaimable_bytes, now_reclaimable_basis"
    coverage = site.query(f"select {names} from reports.retention_coverage")
    assert {row["coverage"] for row in site.query("from reports.retention_coverage")} == {"rule"}
    columns = ("repository", "deleted_tag_count", "reclaimable_bytes", "reclaimable_basis")
    found = [tuple(row[name] for name in columns) for row in told["repositories"]]
    assert found == [tuple(row.values()) for row in coverage]
    assert sum(row["now_tag_count"] for row in coverage) > 0


def test_the_log_is_compared_in_one_line(executed: tuple[Site, Row]) -> None:
    """Each repository's rule ran by a reading of its own here, so none fits all."""
    last = command(executed[0]).splitlines()[-1]
    assert last.startswith("The registry's log of 22 executions agrees to ")
    assert " % with: update time, " in last


def test_the_reading_of_a_registry_is_named(tmp_path: Path) -> None:
    """Where the rules of all its repositories are read alike: two switches turned at once, which
    rules of two kinds tell together.
    """
    registry = Registry()
    reading = reading_of(["days=24h_passed", "unit=digests"])
    for template, rule in RULES.items():
        filled(template, registry)
        registry.set_retention("team", template, [rule])
    with at_crawl_site(tmp_path, registry, reports=("retention_agreement",)) as site:
        site.settings["SWR_READ_RULES"] = "true"
        site.ingest()
        assert "names no deletion yet" in command(site)
        for template in RULES:
            assert registry.run_retention("team", template, at=EXECUTED_AT, reading=reading)
        site.ingest()
        [best] = site.query("from reports.retention_agreement where scope = 'registry' and is_best")
        line = command(site).splitlines()[-1]
    assert {name: best[name] for name in SWITCHES} == asdict(reading)
    assert (best["execution_count"], best["agreement_percent"]) == (2, 100)
    assert not best["is_documented"]
    assert line == (
        "The registry's log of 2 executions agrees to 100 % with: update time, one 24-hour day"
        " more, exceptions first, digests counted, patterns search, ties by name."
    )


def test_without_rules_it_says_what_to_do(tmp_path: Path) -> None:
    """They may not have been asked for."""
    registry = Registry()
    filled("app", registry)
    with at_crawl_site(tmp_path, registry) as site:
        site.ingest()
        result = CliRunner().invoke(main, ["retention"])
    assert result.exit_code == 2
    assert "SWR_READ_RULES=true" in result.stderr
