"""What of each report is worth a look: its first rows in the order that matters, and its figures.

Which those are is told by `sql/previews` and `sql/figures`, one file a report. Pictures are drawn
in `charts`.
"""

from importlib.resources import files

from duckdb import DuckDBPyConnection

from pipelines.page.markdown import markdown_table

_SQL = files("sql")
# The reports that `charts` draws; known here without importing what draws.
PICTURED = frozenset(
    {"age_buckets", "daily_growth", "namespace_sizes", "registry_size", "repository_sizes"}
)


def previews(con: DuckDBPyConnection, report: str) -> str:
    """Show the rows of a report that matter most, as a Markdown table.

    Args:
        con: a warehouse with its reports built.
        report: name of a file of `sql/reports`.
    """
    sql = (_SQL / "previews" / f"{report}.sql").read_text("utf-8")
    return markdown_table(con.sql(sql).to_arrow_table())


def figures(con: DuckDBPyConnection, report: str) -> dict[str, int]:
    """The numbers of a report that are worth comparing from run to run; none for most.

    Args:
        con: a warehouse with its reports built.
        report: name of a file of `sql/reports`.
    """
    file = _SQL / "figures" / f"{report}.sql"
    if not file.is_file():
        return {}
    rows = con.sql(file.read_text("utf-8")).to_arrow_table().to_pylist()
    return {name: number for row in rows for name, number in row.items() if number is not None}
