"""What of each report is worth a look: its first rows in the order that matters, as Markdown.

Which rows and columns those are is told by `sql/previews`, one file a report. Pictures are drawn
in `charts`.
"""

from importlib.resources import files

from duckdb import DuckDBPyConnection

from pipelines.page.markdown import markdown_table

_FOLDER = files("sql") / "previews"
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
    sql = (_FOLDER / f"{report}.sql").read_text("utf-8")
    return markdown_table(con.sql(sql).to_arrow_table())
