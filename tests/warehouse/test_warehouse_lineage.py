"""Where the columns of the reports come from, worked out by hand from the SQL."""

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.lineage import lineage as told_by_sqlglot
from sqlglot.optimizer.scope import Scope, build_scope

from pipelines.warehouse import lineage_of_sql as lineage
from pipelines.warehouse.build_plan import queries, report_inputs, report_names
from pipelines.warehouse.catalog import empty_catalog
from pipelines.warehouse.column_lineage import (
    column_lineage,
    counted_tables,
    lineage_markdown,
)
from pipelines.warehouse.lineage_of_sql import derive_lineage

BY_HAND = {
    # A column as it is, through two intermediates.
    ("tag_ages", "created_at"): "main.tags.created_at",
    # An expression over two tables, through an intermediate.
    ("tag_ages", "created_age_days"): "ingest.runs.as_of main.tags.created_at",
    # A sum over case.
    ("daily_growth", "moved_count"): "main.tag_history.change",
    # The branches of a union, by position; of 0 bytes the digest says whether they are a size.
    ("shared_layers", "size_bytes"): (
        "ingest.pulls.size_bytes main.layers.blob_digest main.layers.size_bytes"
        " main.manifests.config_bytes main.manifests.config_digest"
        " main.platforms.manifest_bytes main.platforms.manifest_digest"
    ),
    # Through another report.
    ("registry_size", "exact_size_tag_count"): "reports.tag_sizes.size_basis",
    # A window's order is part of what it says: rows are summed up run by run.
    ("daily_growth", "tag_count"): "ingest.runs.as_of ingest.runs.run_id main.tag_history.change",
    # count(*), of crawls.
    ("daily_growth", "repository_count"): "",
    # count(*) of namespaces and repositories, each named once by a union.
    ("registry_size", "repository_count"): (
        "main.repositories.namespace main.repositories.registry main.repositories.repository"
        " main.tags.namespace main.tags.registry main.tags.repository"
    ),
    # count(*) of rows that are grouped by blob and namespace: the ranks of their names.
    ("shared_layers", "namespace_count"): (
        "main.layers.blob_digest main.manifests.config_digest main.platforms.manifest_digest"
        " main.repositories.namespace main.repositories.registry"
        " main.tags.namespace main.tags.registry"
    ),
    # A constant of a list, chosen by the age of a tag.
    ("tag_ages", "age_bucket"): "ingest.runs.as_of main.tags.updated_at",
    # A constant of the same list, joined to every repository.
    ("age_buckets", "age_bucket"): "",
}


@pytest.mark.parametrize(("report", "column"), BY_HAND)
def test_a_column_comes_from_what_its_expression_reads(report: str, column: str) -> None:
    """Through CTEs, intermediates, unions, sums and windows."""
    found = column_lineage(report)[column]
    told = [f"{source.schema}.{source.table}.{source.column}" for source in found]
    assert " ".join(told) == BY_HAND[report, column]


def test_a_count_comes_from_the_rows_of_a_table() -> None:
    """It reads no column."""
    assert counted_tables("daily_growth")["repository_count"] == ("ingest.crawls",)
    assert counted_tables("tag_sizes")["tags_on_same_digest"] == ("main.tags",)
    assert counted_tables("tag_sizes")["tag"] == ()


def test_the_roots_of_a_column_are_below_the_reports() -> None:
    """What stale_tags reads of tag_sizes is what tag_sizes reads."""
    roots = derive_lineage("stale_tags", "intermediate", "reports")
    assert roots["logical_bytes"] == column_lineage("tag_sizes")["logical_bytes"]
    assert roots["tag"] == column_lineage("stale_tags")["tag"]


# What `begin` and `step` are made of before the first round; later `begin` is also the last `step`.
RECURSIVE = """
    with recursive walk as (
        select first.begin, first.step from main.first
        union
        select walk.step, second.step from walk inner join main.second on true
    )
    select walk.begin from walk
"""


def test_a_recursive_query_is_followed_round_and_round() -> None:
    """What comes in by one column may go out by another."""
    assert sources(RECURSIVE, "begin") == ["first.begin", "first.step", "second.step"]


def test_a_query_in_an_expression_is_read_as_well() -> None:
    """Whole: what it filters by decides on its value."""
    sql = "select a.x, (select max(b.y) from main.b where b.z > 0) as most from main.a"
    assert sources(sql, "most") == ["b.y", "b.z"]


def sources(sql: str, column: str) -> list[str]:
    """The lineage of a column of some SQL."""
    scope = build_scope(sqlglot.parse_one(sql, dialect="duckdb"))
    assert isinstance(scope, Scope)
    found = sorted(lineage._sources((scope, column), ()))
    return [f"{source.table}.{source.column}" for source in found]


# They read another column of their own query by its name, which sqlglot takes for a whole row.
NAMED_BY_ANOTHER = {"bucket_number", "is_old"}


@pytest.mark.parametrize("table", queries(), ids=".".join)
def test_nothing_sqlglot_finds_is_missing(table: tuple[str, str]) -> None:
    """Its own lineage, a column and a query at a time, knows neither counts nor lookups."""
    scope = lineage._scopes()[table]
    for column in set(lineage._names(scope)) - NAMED_BY_ANOTHER:
        node = told_by_sqlglot(column, scope.expression, {}, scope=scope, trim_selects=False)
        told = {
            (leaf.expression.db, leaf.expression.name, leaf.name.rsplit(".", 1)[-1])
            for leaf in node.walk()
            if isinstance(leaf.expression, exp.Table)
        }
        found = lineage._sources((scope, column), ())
        assert told <= {(source.schema, source.table, source.column) for source in found}, column


def test_equal_columns_share_a_row() -> None:
    """Sources are told table by table, each in a row of its own."""
    head, line, *rows = lineage_markdown("age_buckets").splitlines()
    assert (head, line) == ("| column | comes from |", "|---|---|")
    # What was not read decides whether nothing is known.
    assert rows[6:14] == [
        "| `bucket_number`, `age_bucket` | constants of the SQL |",
        "| `tag_count` | `main.tags`: its rows |",
        "| `logical_bytes`, `reclaimable_bytes` | `ingest.crawls`: status |",
        "|  | `ingest.pulls`: size_bytes |",
        "|  | `main.layers`: blob_digest, manifest_digest, size_bytes |",
        "|  | `main.manifests`: config_bytes, config_digest, manifest_kind |",
        "|  | `main.platforms`: manifest_bytes, manifest_digest |",
        "|  | `main.repositories`: read_at |",
    ]


@pytest.mark.parametrize("report", report_names())
def test_every_column_of_a_report_comes_from_columns_there_are(report: str) -> None:
    """In the warehouse's own order, from the tables the report reads."""
    columns = {
        (entry.schema, entry.name): [column.name for column in entry.columns]
        for entry in empty_catalog()
    }
    told = column_lineage(report)
    assert list(told) == columns["reports", report]
    sources = {source for found in told.values() for source in found}
    assert [s for s in sources if s.column not in columns[s.schema, s.table]] == []
    # A report that keeps its rows of earlier runs reads itself.
    own = {f"reports.{report}"}
    assert {f"{s.schema}.{s.table}" for s in sources} - own <= report_inputs(report)
