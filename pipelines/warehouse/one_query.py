"""Whether some SQL is one query and nothing else, as DuckDB's own parser sees it.

A connection that is read-only is not enough: other statements can detach its file and attach it
to write, or change settings. So only a SELECT passes (PIVOT, DESCRIBE and their like are
SELECTs), or an EXPLAIN of one: EXPLAIN ANALYZE runs what it explains.
"""

import re

import duckdb
from duckdb import StatementType

from pipelines.errors import WarehouseError

_EXPLAIN = re.compile(r"\s*explain\s+(?:analyze\s+)?(?:\([^()]*\)\s*)?", re.IGNORECASE)
_ONLY = "only a query can be asked: one SELECT, or an EXPLAIN of one"


def require_one_query(sql: str) -> None:
    """Refuse everything but one query; SQL with nothing in it passes.

    Raises:
        WarehouseError: it is something else, or more than one statement.
        duckdb.Error: it is no SQL.
    """
    statements = duckdb.extract_statements(sql)
    if len(statements) > 1:
        raise WarehouseError(f"There are {len(statements)} statements, and {_ONLY}.")
    if not statements:
        return
    [statement] = statements
    if statement.type == StatementType.EXPLAIN:
        require_one_query(_EXPLAIN.sub("", sql, count=1))
        return
    # PIVOT is taken apart into several statements; only a query can stand within another.
    is_query = statement.type == StatementType.SELECT or (
        statement.type == StatementType.MULTI and _stands_within_another(sql)
    )
    if not is_query:
        kind = statement.type.name.replace("_", " ")
        raise WarehouseError(f"This is a statement of kind {kind}, and {_ONLY}.")


def _stands_within_another(sql: str) -> bool:
    within = _EXPLAIN.sub("", sql, count=1).strip().rstrip(";")
    try:
        return len(duckdb.extract_statements(f"from (\n{within}\n)")) == 1
    except duckdb.Error:
        return False
