"""Derives from the SQL which columns each column of a report comes from.

A column comes from the columns its expression reads, windows included, followed through every CTE
and the temporary tables of `sql/intermediate`. Columns that only join, filter or group decide which
rows there are, not what they say, and are not named, unless they choose from a list of constants.
`count(*)` reads no column: it comes from what tells the counted rows apart, the keys they are
grouped by or else the rows of a table. So does a number of rows that have no order.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import cast

from sqlglot import exp
from sqlglot.optimizer.qualify_columns import qualify_columns
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.optimizer.scope import Scope, build_scope
from sqlglot.schema import MappingSchema

from pipelines.warehouse.build_plan import known_as, queries
from pipelines.warehouse.catalog import empty_catalog
from pipelines.warehouse.column_lineage import ROWS, ColumnSource

# Columns, or the rows, of a query or of a table given by schema and name.
_Relation = Scope | tuple[str, str]
_Node = tuple[_Relation, str]


def derive_lineage(report: str, *through: str) -> Mapping[str, tuple[ColumnSource, ...]]:
    """Follow each column of a report to tables that are in none of the schemas `through`."""
    scope = _scopes()["reports", report]
    return {
        name: tuple(sorted(set(map(_as_known, _sources((scope, name), through)))))
        for name in _names(scope)
    }


def _sources(start: _Node, through: tuple[str, ...]) -> Iterator[ColumnSource]:
    seen, waiting = {start}, [start]
    while waiting:
        relation, column = waiting.pop()
        if isinstance(relation, tuple):
            if relation[0] not in through:
                yield ColumnSource(*relation, column)
                continue
            relation = _scopes()[relation]
        found = set(_reads(relation, column)) - seen
        seen |= found
        waiting += found


def _as_known(source: ColumnSource) -> ColumnSource:
    """A source as people know it; the keys of a table they do not know only tell rows apart."""
    known = known_as((source.schema, source.table))
    is_key = source.column in {"prefix_key", "prefix_keys"}
    return ColumnSource(*known, ROWS if is_key else source.column)


@cache
def _reads(scope: Scope, column: str) -> tuple[_Node, ...]:
    """Name what a column, or the rows, of a query are made of, one step back."""
    if column == ROWS:
        return tuple(_row_reads(scope))
    return tuple(_column_reads(scope, _names(scope).index(column)))


def _column_reads(scope: Scope, position: int) -> Iterator[_Node]:
    if scope.set_operation_scopes:
        for branch in scope.set_operation_scopes:
            yield from _column_reads(branch, position)
    else:
        selected = _query(scope).selects[position]
        yield from _expression_reads(scope, selected)
        yield from _looked_up_by(scope, selected)


def _row_reads(scope: Scope) -> Iterator[_Node]:
    """Name what tells the rows of a query apart."""
    query = scope.expression
    if query.args.get("distinct"):
        yield from ((scope, name) for name in _names(scope))
    elif scope.set_operation_scopes:
        yield from ((branch, ROWS) for branch in scope.set_operation_scopes)
    elif group := query.args.get("group"):
        yield from _expression_reads(scope, group)
    else:
        yield from _first_rows(scope)


def _expression_reads(scope: Scope, expression: exp.Expr) -> Iterator[_Node]:
    for column in expression.find_all(exp.Column):
        # One without a table is the name another column of this query is given.
        yield _relation(scope, column.table) if column.table else scope, column.name
    if expression.find(exp.Star) or _numbers_rows(expression):
        yield from _first_rows(scope)


def _numbers_rows(expression: exp.Expr) -> bool:
    """Whether it is `row_number()` of rows in no order, which only tells them apart."""
    windows = expression.find_all(exp.Window)
    return any(isinstance(w.this, exp.RowNumber) and not w.args.get("order") for w in windows)


def _looked_up_by(scope: Scope, expression: exp.Expr) -> Iterator[_Node]:
    """Name what a constant is chosen by, where it is joined from a list of them."""
    tables = {column.table for column in expression.find_all(exp.Column)}
    for join in scope.expression.args.get("joins") or []:
        name, condition = join.alias_or_name, join.args.get("on")
        if name in tables and condition and _is_listed(_relation(scope, name)):
            yield from _expression_reads(scope, condition)


def _is_listed(relation: _Relation) -> bool:
    """Whether these are `values` written down in the SQL, maybe by another name."""
    if isinstance(relation, tuple):
        return relation in _scopes() and _is_listed(_scopes()[relation])
    if isinstance(relation.expression, exp.Values):
        return True
    sources = [source for source, _ in _first_rows(relation)]
    return len(relation.selected_sources) == len(sources) == 1 and _is_listed(sources[0])


def _first_rows(scope: Scope) -> Iterator[_Node]:
    """Name the rows of the first table a query reads; those joined to it add columns."""
    if read := scope.expression.args.get("from_"):
        yield _relation(scope, read.alias_or_name), ROWS


def _relation(scope: Scope, name: str) -> _Relation:
    around = (scope, *scope.subquery_scopes)
    source = next(query.sources[name] for query in around if name in query.sources)
    if isinstance(source, exp.Table):
        return source.db, source.name
    # In a recursive CTE its own name stands for its first part: take the whole.
    whole = source.expression.parent
    return _enclosing(scope, whole) if isinstance(whole, exp.SetOperation) else source


def _enclosing(scope: Scope, query: exp.Expr) -> Scope:
    """Find the scope around this one that is of a query."""
    around = scope
    while around.expression is not query:
        around = cast("Scope", around.parent)
    return around


def _query(scope: Scope) -> exp.Query:
    return cast("exp.Query", scope.expression)


def _names(scope: Scope) -> list[str]:
    return _query(scope).named_selects


@cache
def _scopes() -> Mapping[tuple[str, str], Scope]:
    """Give the query of every table that is built, names resolved and stars expanded."""
    schema = MappingSchema(dialect="duckdb", normalize=False)
    for entry in empty_catalog():
        _add(schema, (entry.schema, entry.name), [column.name for column in entry.columns])
    scopes = {}
    for table, query in queries().items():
        named = qualify_tables(query.copy(), db="intermediate")
        resolved = qualify_columns(named, schema, expand_alias_refs=False)
        scopes[table] = cast("Scope", build_scope(resolved))
        _add(schema, table, _names(scopes[table]))
    return scopes


def _add(schema: MappingSchema, table: tuple[str, str], columns: Iterable[str]) -> None:
    name = exp.table_(table[1], db=table[0])
    schema.add_table(name, dict.fromkeys(columns, "unknown"), match_depth=False)
