"""A sum that passes 2^63 - 1 is null and unknown, and stops nothing."""

import duckdb
import pytest
from described_registry import expand, read, warehouse

from pipelines.warehouse.reports import build_reports

LARGEST_BLOB = 2**46
# 2^17 times 2^46 is 2^63: one more than fits.
BEYOND = 2**17
DESCRIBED = {
    "tags": {"a/beyond": {"t0": "huge"}, "b/within": {"t0": "huge"}, "c/small": {"v1": "small"}},
    "manifests": {
        "huge": {"layers": [f"huge {LARGEST_BLOB}"]},
        "small": {"config": "config 10", "layers": ["base 100"]},
    },
}


def copy_tags(con: duckdb.DuckDBPyConnection, namespace: str, count: int) -> None:
    """Let the first tag of a namespace be one of so many on the same manifest."""
    con.execute(
        """
        insert into tags
        select tags.* replace ('t' || number as tag)
        from tags
        cross join range(1, ?) as numbers(number)
        where namespace = ?
        """,
        [count, namespace],
    )


@pytest.fixture(scope="module")
def huge() -> duckdb.DuckDBPyConnection:
    """A repository whose sum does not fit, one whose just does, and one like any other."""
    con = warehouse(expand(DESCRIBED))
    copy_tags(con, "a", BEYOND)
    copy_tags(con, "b", BEYOND - 1)
    build_reports(con)
    return con


def test_what_does_not_fit_is_null_and_unknown(huge: duckdb.DuckDBPyConnection) -> None:
    """The row tells no bytes at all; its neighbours tell theirs."""
    rows = read(huge, "reports.repository_sizes")
    columns = ("logical_bytes", "deduplicated_bytes", "exclusive_bytes", "size_basis")
    assert {row["namespace"]: tuple(row[c] for c in columns) for row in rows} == {
        "a": (None, None, None, "unknown"),
        "b": (2**63 - LARGEST_BLOB, LARGEST_BLOB, 0, "exact"),
        "c": (110, 110, 110, "exact"),
    }


def test_each_scope_beyond_is_a_finding(huge: duckdb.DuckDBPyConnection) -> None:
    """The repository, its namespace and the registry have a row each in `integrity`."""
    found = [
        (row["namespace"], row["repository"])
        for row in read(huge, "reports.integrity")
        if row["finding"] == "sum_beyond_bigint"
    ]
    assert sorted(found, key=str) == [("a", "beyond"), ("a", None), (None, None)]
    [ledger] = read(huge, "reports.registry_size")
    assert (ledger["logical_bytes"], ledger["one_tag_bytes"]) == (None, None)
    assert (ledger["size_basis"], ledger["ledger_basis"]) == ("unknown", "unknown")
