"""Building: dependency order, repeatability, what is left behind, what a report may say in SQL."""

import re
from random import Random
from typing import Any

import duckdb
import pytest
import sqlglot
from described_registry import expand, in_a_copy, read, warehouse, with_what_it_reads
from random_registries import registry
from sqlglot import exp

from pipelines.warehouse import build_plan
from pipelines.warehouse.build_plan import report_inputs, report_names
from pipelines.warehouse.checks import run_checks
from pipelines.warehouse.reports import build_reports

NAMES = [
    "age_buckets",
    "base_images",
    "cold_repositories",
    "costs",
    "daily_growth",
    "gaps",
    "integrity",
    "label_sizes",
    "namespace_growth",
    "namespace_sizes",
    "orphaned_followers",
    "registry_size",
    "repository_growth",
    "repository_sizes",
    "retention_agreement",
    "retention_coverage",
    "retention_curve",
    "running_untagged",
    "shared_layers",
    "stale_tags",
    "tag_ages",
    "tag_events",
    "tag_sizes",
    "tag_use",
]


def random_tables(seed: int) -> dict[str, list[dict[str, Any]]]:
    """The rows of a random registry of forty manifests."""
    return expand(registry(Random(seed), 40))


def test_every_report_of_the_design_is_built_once() -> None:
    """Building gives one table per file, its rows counted."""
    with warehouse(random_tables(1)) as con:
        built = build_reports(con)
        assert sorted(report.name for report in built) == NAMES == report_names()
        assert {report.name: report.rows for report in built} == {
            name: len(read(con, f"reports.{name}")) for name in NAMES
        }


def test_a_report_comes_after_those_it_reads() -> None:
    """tag_events and registry_size read others and are built later."""
    with warehouse(expand({})) as con:
        order = [report.name for report in build_reports(con)]
    assert order.index("daily_growth") < order.index("tag_events")
    assert order.index("tag_sizes") < order.index("registry_size")


def test_every_intermediate_is_there_while_it_is_read_and_gone_after() -> None:
    """Told apart from the SQL's text: whatever names a table reads it."""
    there: set[str] = set()
    unread = set(build_plan.report_names())
    for step, (action, schema, name) in enumerate(build_plan.build_steps()):
        if action is build_plan.Action.DROP:
            later = [rest for rest in build_plan.build_steps()[step:] if rest.action is not action]
            texts = [build_plan.sql_of(rest.schema, rest.name) for rest in later]
            assert not any(
                re.search(rf"\b(from|join) intermediate\.{name}\b", text) for text in texts
            ), name
            there.remove(name)
        elif schema == "intermediate":
            there.add(name)
        else:
            text = build_plan.sql_of(schema, name)
            named = re.findall(r"\b(?:from|join) intermediate\.(\w+)\b", text)
            assert set(named).intersection(build_plan.intermediates()) <= there, name
            unread.remove(name)
    assert not there
    assert not unread


def test_the_inputs_of_a_report_are_named_through_the_intermediates() -> None:
    """A report's inputs are tables of the warehouse, never its temporary ones."""
    assert report_inputs("tag_ages") == {
        "main.tags",
        "main.manifests",
        "main.repositories",
        "main.tag_history",
        "main.platforms",
        "main.layers",
        "main.image_configs",
        "ingest.crawls",
        "ingest.pulls",
        "ingest.runs",
    }
    assert "reports.tag_sizes" in report_inputs("registry_size")


def test_nothing_temporary_is_left_behind() -> None:
    """Once reports are built, only the warehouse's own tables are there."""
    with warehouse(random_tables(2)) as con:
        before = con.execute("from duckdb_databases() where not internal").fetchall()
        build_reports(con)
        assert con.execute("from duckdb_databases() where not internal").fetchall() == before


@pytest.mark.parametrize("seed", range(3))
def test_rebuilding_gives_identical_tables(seed: int) -> None:
    """The same warehouse gives the same tables, row for row, in the same order."""
    with warehouse(random_tables(seed)) as con:
        build_reports(con)
        first = {name: con.sql(f"from reports.{name}").to_arrow_table() for name in NAMES}
        con.execute("set threads = 4")
        build_reports(con)
        for name in NAMES:
            assert con.sql(f"from reports.{name}").to_arrow_table().equals(first[name]), name


@pytest.mark.parametrize("seed", range(3))
def test_several_cursors_build_and_find_what_one_does(seed: int) -> None:
    """Reports and checks are the same, however many statements run at a time."""
    with warehouse(random_tables(seed)) as con:
        con.execute("set threads = 4")
        build_reports(con)
        first = {name: con.sql(f"from reports.{name}").to_arrow_table() for name in NAMES}
        found = [(outcome.name, outcome.count) for outcome in run_checks(con)]
        build_reports(con, 4)
        for name in NAMES:
            assert con.sql(f"from reports.{name}").to_arrow_table().equals(first[name]), name
        assert [(outcome.name, outcome.count) for outcome in run_checks(con, cursors=4)] == found
        assert con.sql("select current_setting('threads')").fetchall() == [(4,)]


def test_a_statement_that_fails_ends_the_building() -> None:
    """With its error, whichever cursor met it; nothing stays behind."""
    with warehouse(random_tables(1)) as con:
        before = con.execute("from duckdb_databases() where not internal").fetchall()
        con.execute(
            "drop view tag_layers; drop view layers;"
            " alter table ingest.layer_prefixes drop column size_bytes"
        )
        with pytest.raises(duckdb.BinderException, match="size_bytes"):
            build_reports(con, 3)
        assert con.execute("from duckdb_databases() where not internal").fetchall() == before


def assert_reclaimable_is_the_drop(seed: int, tag_count: int) -> None:
    """Take out some tags of a random registry, one at a time, and rebuild."""
    random = Random(seed)
    names = with_what_it_reads("registry_size")
    with warehouse(random_tables(seed)) as con:
        build_reports(con, names=names)
        tags = read(con, "reports.tag_sizes")
        before = read(con, "reports.registry_size")[0]["deduplicated_bytes"] or 0
        for tag in random.sample(tags, min(tag_count, len(tags))):
            key = [tag["namespace"], tag["repository"], tag["tag"]]
            with in_a_copy(con):
                con.execute("delete from tags where (namespace, repository, tag) = (?, ?, ?)", key)
                build_reports(con, names=names)
                after = read(con, "reports.registry_size")[0]["deduplicated_bytes"] or 0
            assert before - after == (tag["reclaimable_bytes"] or 0), key


@pytest.mark.parametrize("seed", range(8))
def test_reclaimable_is_what_deleting_the_tag_gives_back(seed: int) -> None:
    """Reclaimable bytes are the drop in deduplicated bytes when that one row is taken out of
    `tags` and the reports are rebuilt.
    """
    assert_reclaimable_is_the_drop(seed, 2)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 120))
def test_reclaimable_of_many_tags_is_what_deleting_each_gives_back(seed: int) -> None:
    """The same for two hundred tags and more, up to twenty a registry."""
    assert_reclaimable_is_the_drop(seed, 20)


def sql_files() -> list[tuple[str, str]]:
    """Every file that makes a table, with its text."""
    return [
        (f"{folder}/{name}", sql)
        for folder in ("intermediate", "reports")
        for name, sql in build_plan.statements_in(folder).items()
    ]


@pytest.mark.parametrize(("name", "sql"), sql_files(), ids=[name for name, _ in sql_files()])
def test_the_sql_could_move_to_another_engine(name: str, sql: str) -> None:
    """Every file opens with its grain and uses no feature only DuckDB has."""
    assert re.match(r"-- (One row|Exactly one row)", sql), name
    banned = (exp.DateDiff, exp.Quantile, exp.ApproxQuantile, exp.List, exp.Array, exp.Struct)
    for statement in sqlglot.parse(sql, dialect="duckdb"):
        assert statement is not None
        assert not list(statement.find_all(*banned)), name
    assert not re.search(r"count\(distinct \w+(\.\w+)?\) = 1|date_diff|quantile|median", sql)
    assert max(map(len, _code(sql))) <= 90, name


@pytest.mark.parametrize("folder", ["checks", "intermediate", "questions", "reports"])
def test_a_cte_says_more_than_a_name(folder: str) -> None:
    """None only gives a table another name, or has the name of an intermediate, which it hides."""
    for name, sql in build_plan.statements_in(folder).items():
        for statement in sqlglot.parse(sql, dialect="duckdb"):
            assert statement is not None
            for cte in statement.find_all(exp.CTE):
                assert not re.fullmatch(r"SELECT \* FROM [\w.]+", cte.this.sql()), name
                assert cte.alias not in build_plan.intermediates(), name


def _code(sql: str) -> list[str]:
    return [line for line in sql.splitlines() if not line.startswith("comment on")]
