"""Lineage against the reports themselves: what changes with a column names it as its source."""

from collections.abc import Iterator
from random import Random
from typing import Any

import duckdb
import pytest
from described_registry import expand, in_a_copy, warehouse
from random_registries import registry

from pipelines.warehouse.build_plan import report_names
from pipelines.warehouse.lineage_of_sql import derive_lineage
from pipelines.warehouse.reports import build_reports

Columns = dict[tuple[str, str], list[Any]]

# Columns changed together, so that tables still join, and by how much: so little that rows keep
# their order, their groups and their filters. What changes then changed by value.
CHANGES = {
    "main.layers.size_bytes main.manifests.config_bytes": "{} + 7",
    "main.layers.blob_digest main.manifests.config_digest": "'x' || {}",
    "main.layers.prefix_digest": "'x' || {}",
    "main.manifests.manifest_digest main.manifests.subject_digest main.tags.manifest_digest"
    " main.tag_history.manifest_digest main.layers.manifest_digest main.platforms.index_digest"
    " main.platforms.manifest_digest ingest.in_use_references.digest"
    " ingest.in_use_references.id_digest": "'x' || {}",
    "main.tags.namespace main.repositories.namespace main.tag_history.namespace"
    " ingest.crawls.namespace ingest.counted_records.namespace"
    " ingest.download_counts.namespace ingest.pulls.namespace ingest.retention_rules.namespace"
    " ingest.retention_selectors.namespace ingest.retention_fits.namespace"
    " ingest.in_use_references.namespace ingest.in_use_references.id_namespace": "'x' || {}",
    "main.tags.repository main.repositories.repository main.tag_history.repository"
    " ingest.crawls.repository ingest.counted_records.repository"
    " ingest.download_counts.repository ingest.pulls.repository"
    " ingest.retention_rules.repository ingest.retention_selectors.repository"
    " ingest.retention_fits.repository"
    " ingest.in_use_references.repository ingest.in_use_references.id_repository": "'x' || {}",
    "main.tags.api_size_bytes": "{} + 1",
    "main.tags.created_at": "{} + interval 1 second",
    "main.tags.updated_at": "{} - interval 1 second",
    "main.tag_history.valid_from_earliest": "{} - interval 1 second",
    "main.tag_history.valid_from main.tag_history.valid_to"
    " ingest.crawls.finished_at": "{} + interval 1 second",
    "ingest.runs.as_of main.manifests.first_seen_at main.repositories.read_at"
    " ingest.namespaces.last_seen_at ingest.namespaces.listed_at": "{} + interval 1 second",
    "ingest.runs.run_id ingest.crawls.run_id ingest.download_counts.run_id"
    " ingest.pulls.run_id": "'x' || {}",
    "ingest.runs.unread_namespaces": "{} + 1",
    "ingest.in_use_snapshots.taken_at": "{} + interval 1 second",
    "ingest.in_use_snapshots.cluster": "'x' || {}",
    "ingest.in_use_references.container_count": "{} + 1",
}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A random registry of forty manifests in which a small change has small effects."""
    with warehouse(expand(registry(Random(1), 40, is_plain=True))) as con:
        yield con


@pytest.fixture(scope="module")
def before(con: duckdb.DuckDBPyConnection) -> Columns:
    """Every column of its reports."""
    return built(con)


def built(con: duckdb.DuckDBPyConnection) -> Columns:
    """Build the reports: the values of each column, in the reports' own order."""
    build_reports(con)
    return {
        (name, column): values
        for name in report_names()
        for column, values in con.sql(f"from reports.{name}").to_arrow_table().to_pydict().items()
    }


@pytest.mark.parametrize("changed", CHANGES)
def test_what_changes_with_a_column_comes_from_it(
    con: duckdb.DuckDBPyConnection, before: Columns, changed: str
) -> None:
    """Change a column of the tables, build again: only columns that name it say something new."""
    with in_a_copy(con):
        # What is past stays: nothing may have been built before.
        for name in report_names():
            con.execute(f"drop table reports.{name}")
        for name in changed.split():
            table, column = name.rsplit(".", 1)
            if table == "main.layers":
                behind = "manifest_prefixes" if column == "manifest_digest" else "layer_prefixes"
                table = f"ingest.{behind}"
            con.execute(f"update {table} set {column} = {CHANGES[changed].format(column)}")
        after = built(con)
    differing = {key for key in before if before[key] != after[key]}
    assert differing != set()
    assert differing <= told(changed)


def told(changed: str) -> set[tuple[str, str]]:
    """The columns of reports whose lineage names one of these."""
    return {
        (report, column)
        for report in report_names()
        for column, sources in derive_lineage(report, "intermediate", "reports").items()
        if {f"{s.schema}.{s.table}.{s.column}" for s in sources} & set(changed.split())
    }
