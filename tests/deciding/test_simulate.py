"""What rules delete: SWR's own examples, and an independent simulation over anything."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from brute_force_retention import rule_for, verdicts
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.deciding.rules import (
    DOCUMENTED,
    SWITCHES,
    Reading,
    Rule,
    Selector,
    other_readings,
    reading_of,
    words,
)
from pipelines.deciding.simulate import simulate
from pipelines.errors import RulesError
from pipelines.schemas import MOMENT

Row = dict[str, Any]
AS_OF = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLOCKS = ("updated_at", "created_at", "known_updated_at", "known_created_at")
SCHEMA = pa.schema(
    [(name, pa.string()) for name in ("namespace", "repository", "tag", "manifest_digest")]
    + [(name, MOMENT) for name in CLOCKS]
)


def tag(name: str, days: float = 0, **other: Any) -> Row:
    """A tag updated so many days ago."""
    at = AS_OF - timedelta(days=days)
    row = {"namespace": "team", "repository": "app", "tag": name, "manifest_digest": name}
    return row | dict.fromkeys(CLOCKS, at) | other


def judged(tags: Sequence[Row], rules: Sequence[Rule], reading: Reading = DOCUMENTED) -> list[Row]:
    """What the simulation says of each tag."""
    table = pa.Table.from_pylist(list(tags), schema=SCHEMA)
    return simulate(table, rules, AS_OF, reading).to_pylist()


def reasons(tags: Sequence[Row], rules: Sequence[Rule], *switches: str) -> dict[str, str]:
    """The reason for each tag, by its name."""
    rows = judged(tags, rules, reading_of(switches))
    return {tag["tag"]: row["reason"] for tag, row in zip(tags, rows, strict=True)}


def test_the_documented_example_of_counting() -> None:
    """Of v1, v2, v1.0.0 and v2.0.0 the v2 are excepted and do not count; of the others the
    newer one stays.
    """
    tags = [tag("v1", 3), tag("v2", 2), tag("v1.0.0", 1), tag("v2.0.0", 0)]
    rule = Rule("team/app", "tag_rule", 1, (Selector("regexp", "^v2.*"),))
    assert reasons(tags, [rule]) == {
        "v1": "deleted: rank 2, keeps 1",
        "v2": "excepted by ^v2.*",
        "v1.0.0": "kept: rank 1, keeps 1",
        "v2.0.0": "excepted by ^v2.*",
    }


def test_the_documented_example_of_days() -> None:
    """Thirty days by the update time, but for the labels v5 and 1.0.1 and the pattern ^123$."""
    tags = [tag("new", 29.99), tag("old", 30), tag("v5", 99), tag("1.0.1", 99), tag("123", 99)]
    selectors = (Selector("label", "v5"), Selector("label", "1.0.1"), Selector("regexp", "^123$"))
    assert reasons(tags, [Rule("*", "date_rule", 30, selectors)]) == {
        "new": "kept: 29 days, keeps 30",
        "old": "deleted: 30 days, keeps 30",
        "v5": "excepted by v5",
        "1.0.1": "excepted by 1.0.1",
        "123": "excepted by ^123$",
    }


def test_the_first_rule_that_matches_counts() -> None:
    """A glob's `*` crosses a slash; a repository that none matches has no rule."""
    tags = [
        tag("a", 50, repository="deep/er"),
        tag("b", 50, repository="app"),
        tag("c", 50, namespace="other"),
    ]
    rules = [Rule("team/d*", "date_rule", 60), Rule("team/*", "date_rule", 40)]
    rows = judged(tags, rules)
    assert [row["rule"] for row in rows] == [1, 2, None]
    assert [row["verdict"] for row in rows] == ["kept", "deleted", "kept"]
    assert rows[2]["reason"] == "no rule"


NEWER = tag("b", 1, manifest_digest="same", created_at=AS_OF - timedelta(days=9))
OLDER = tag("a", 1, manifest_digest="same", created_at=AS_OF - timedelta(days=2))


@pytest.mark.parametrize(
    ("switch", "kept"),
    [
        # a and b are of one moment; c is older.
        ("clock=updated", {"a"}),
        ("clock=created", {"a"}),
        ("ties=last_name", {"b"}),
        ("ties=kept", {"a", "b"}),
        ("unit=digests", {"a", "b"}),
        ("selectors=excepted_after_count", {"a"}),
        ("selectors=included", {"a"}),
    ],
)
def test_each_switch_has_its_effect_on_the_count(switch: str, kept: set[str]) -> None:
    """Of three tags the newest is to stay."""
    tags = [OLDER, NEWER, tag("c", 5)]
    found = judged(tags, [Rule("*", "tag_rule", 1)], reading_of([switch]))
    assert {
        t["tag"] for t, row in zip(tags, found, strict=True) if row["verdict"] == "kept"
    } == kept


def test_an_exception_that_is_counted_takes_a_place() -> None:
    """Two are to stay, and the newest is an exception."""
    tags = [tag("release", 0), tag("b", 1), tag("c", 2)]
    rule = Rule("*", "tag_rule", 2, (Selector("label", "release"),))
    assert reasons(tags, [rule])["c"] == "kept: rank 2, keeps 2"
    after = reasons(tags, [rule], "selectors=excepted_after_count")
    assert after == {
        "release": "excepted by release",
        "b": "kept: rank 2, keeps 2",
        "c": "deleted: rank 3, keeps 2",
    }


def test_selectors_may_be_what_a_rule_is_for() -> None:
    """The other tags then neither go nor count."""
    tags = [tag("release", 0), tag("pr-2", 1), tag("pr-1", 2)]
    rule = Rule("*", "tag_rule", 1, (Selector("regexp", "^pr-"),))
    assert reasons(tags, [rule], "selectors=included") == {
        "release": "no selector includes it",
        "pr-2": "kept: rank 1, keeps 1",
        "pr-1": "deleted: rank 2, keeps 1",
    }


@pytest.mark.parametrize(
    ("switch", "days"),
    [("days=24h", 1), ("days=24h_passed", 1), ("days=utc", 2), ("days=utc+8", 1)],
)
def test_days_end_where_a_reading_says(switch: str, days: int) -> None:
    """From 20:00 UTC two dates ago, which is 4:00 of the next day at UTC+8, to noon."""
    tags = [tag("a", 40 / 24)]
    assert reasons(tags, [Rule("*", "date_rule", 2)], switch)["a"].endswith(f"{days} days, keeps 2")


def test_one_day_more_may_have_to_pass() -> None:
    """Thirty whole days are not more than thirty."""
    rule = Rule("*", "date_rule", 30)
    assert reasons([tag("a", 30.5)], [rule])["a"].startswith("deleted")
    assert reasons([tag("a", 30.5)], [rule], "days=24h_passed")["a"].startswith("kept")
    assert reasons([tag("a", 31)], [rule], "days=24h_passed")["a"].startswith("deleted")


def test_a_pattern_may_have_to_match_the_whole_name() -> None:
    """Also where it has alternatives."""
    rule = Rule("*", "date_rule", 1, (Selector("regexp", "a|b"),))
    tags = [tag("a", 9), tag("xb", 9)]
    assert reasons(tags, [rule]) == dict.fromkeys(["a", "xb"], "excepted by a|b")
    full = reasons(tags, [rule], "match=full")
    assert full == {"a": "excepted by a|b", "xb": "deleted: 9 days, keeps 1"}


def test_a_date_that_is_none_has_no_age_and_is_the_oldest_of_all() -> None:
    """A rule by days cannot take it; a rule by number goes by the registry's own order."""
    tags = [tag("a", 9), tag("b", 20_000, known_updated_at=None)]
    assert reasons(tags, [Rule("*", "date_rule", 1)])["b"] == "kept: no date"
    assert reasons(tags, [Rule("*", "tag_rule", 1)])["b"] == "deleted: rank 2, keeps 1"


def test_a_rule_for_no_repository_is_an_error() -> None:
    """It says whether the glob is wrong or another rule comes before."""
    with pytest.raises(RulesError, match=r"^f, line 3: no repository with tags matches x/\*\.$"):
        judged([tag("a")], [Rule("x/*", "tag_rule", 1, (), "f, line 3")])
    rules = [Rule("*", "tag_rule", 1), Rule("team/*", "tag_rule", 2, (), "f, line 9")]
    with pytest.raises(RulesError, match=r"line 9: earlier rules match every .* team/\* matches"):
        judged([tag("a")], rules)


def test_nothing_is_deleted_of_nothing() -> None:
    """No tags and no rules."""
    assert judged([], []) == []


def test_every_reading_has_words_of_its_own() -> None:
    """One switch differs in each of the others."""
    others = dict(other_readings(DOCUMENTED))
    assert len(others) == sum(len(values) - 1 for values in SWITCHES.values()) == 10
    assert all(
        set(words(other)) - set(words(DOCUMENTED)) == {name} for name, other in others.items()
    )


def test_an_unknown_reading_is_an_error() -> None:
    """It lists the known ones."""
    with pytest.raises(RulesError, match=r"clock=pushed is no reading; .* clock=updated\|created"):
        reading_of(["clock=pushed"])


NAMES = ["v1", "v2", "v1.0", "v2.0", "latest", "pr-1", "é", "V1"]
SELECTORS = st.one_of(
    st.tuples(st.just("label"), st.sampled_from(NAMES)),
    st.tuples(st.just("regexp"), st.sampled_from(["^v2.*", "v1", "^v1$", "1|2", "x", r"\.", "é"])),
)
RULES = st.fixed_dictionaries(
    {
        "repositories": st.sampled_from(["*", "a/*", "a/one", "*/two", "b/?ne"]),
        "template": st.sampled_from(["tag_rule", "date_rule"]),
        "keeps": st.integers(1, 4),
        "selectors": st.lists(SELECTORS, max_size=3),
    }
)
MOMENTS = st.sampled_from([AS_OF - timedelta(hours=h) for h in (-5, 0, 11, 12, 13, 24, 30, 48, 72)])
DATES = st.one_of(
    MOMENTS,
    st.datetimes(
        AS_OF.replace(tzinfo=None) - timedelta(days=5),
        AS_OF.replace(tzinfo=None),
        timezones=st.just(UTC),
    ),
)


@st.composite
def many_tags(draw: st.DrawFn) -> list[Row]:
    """Tags of up to four repositories, with shared digests, equal moments and lost dates."""
    keys = draw(
        st.sets(
            st.tuples(
                st.sampled_from("ab"), st.sampled_from(["one", "two"]), st.sampled_from(NAMES)
            ),
            max_size=20,
        )
    )
    rows = []
    for key in draw(st.permutations(sorted(keys))):
        row: Row = dict(zip(("namespace", "repository", "tag"), key, strict=True))
        row["manifest_digest"] = draw(st.sampled_from("xyz"))
        row["updated_at"], row["created_at"] = draw(DATES), draw(st.one_of(DATES, st.none()))
        for clock in ("updated_at", "created_at"):
            row[f"known_{clock}"] = draw(st.sampled_from([row[clock], row[clock], None]))
        rows.append(row)
    return rows


READINGS = st.fixed_dictionaries({name: st.sampled_from(v) for name, v in SWITCHES.items()})


@settings(max_examples=400, deadline=None, derandomize=True)
@given(many_tags(), st.lists(RULES, max_size=3), READINGS)
def test_verdicts_equal_an_independent_simulation(
    tags: list[Row], rules: list[Row], reading: dict[str, str]
) -> None:
    """Over any rules, tags, dates and readings."""
    expected = verdicts(tags, rules, AS_OF, reading)
    ours = [
        Rule(
            rule["repositories"],
            rule["template"],
            rule["keeps"],
            tuple(Selector(*selector) for selector in rule["selectors"]),
        )
        for rule in rules
        if any(rule_for(tag, rules) is rule for tag in tags)
    ]
    found = judged(tags, ours, reading_of([f"{n}={v}" for n, v in reading.items()]))
    assert [(row["verdict"], row["reason"]) for row in found] == expected


@pytest.mark.parametrize(("count", "seconds"), [(2_000, 0.1), (500_000, 5)])
def test_a_simulation_is_quick(count: int, seconds: float) -> None:
    """A tenth of a second of processor time for 2,000 tags, five seconds for 500,000."""
    at = pa.array([AS_OF - timedelta(minutes=7 * n % 500_000) for n in range(count)], MOMENT)
    columns = {
        "namespace": [f"ns{n % 20}" for n in range(count)],
        "repository": [f"app{n % 2000}" for n in range(count)],
        "tag": [f"v{n}" for n in range(count)],
        "manifest_digest": [f"sha256:{n // 2}" for n in range(count)],
    }
    tags = pa.table({**columns, **dict.fromkeys(CLOCKS, at)})
    selectors = (Selector("regexp", "^v2.*"), Selector("label", "v7"))
    rules = [Rule("ns1/*", "date_rule", 30, selectors), Rule("*", "tag_rule", 10, selectors)]
    began = time.process_time()
    found = simulate(tags, rules, AS_OF)
    assert time.process_time() - began < seconds
    assert found.num_rows == count
