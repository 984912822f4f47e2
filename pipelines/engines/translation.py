"""One text of SQL for both engines: what `sql` has for DuckDB, as Spark takes it.

sqlglot knows most of it. Here is the rest: macros are put in where they are called, tables get the
names of Spark's views, sums have room for more than 64 bits, and a few functions are called
otherwise. A recursive query comes in its parts, for `recursion` to walk.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import NamedTuple, cast

import sqlglot
from sqlglot import exp

from pipelines.warehouse.build_plan import TableName, sql_of, statements_in

_HUGEINT = exp.DataType.build("decimal(38, 0)", dialect="spark")


class Recursion(NamedTuple):
    """The recursive part of a query: what it starts with, and what one step adds to that."""

    name: str
    start: str
    step: str


class TableText(NamedTuple):
    """The statements of a text that makes a table, or adds rows to one that is there."""

    made_before: list[str]
    deleted: exp.Delete | None
    query: exp.Query
    comments: list[str]


class Translated(NamedTuple):
    """A query for Spark; its recursive part, if it has one, is to be walked before."""

    sql: str
    recursion: Recursion | None


def view_of(table: TableName) -> str:
    """The name of the view that stands for a table: those of a session have no schema."""
    return "__".join(table)


def parsed(sql: str) -> list[exp.Expr]:
    """The statements of a text."""
    return [found for found in sqlglot.parse(sql, dialect="duckdb") if found is not None]


@cache
def text_of(table: TableName) -> TableText:
    """The statements that make a table of schema `intermediate` or `reports`."""
    found = parsed(sql_of(*table))
    made = [e for e in found if isinstance(e, exp.Create | exp.Insert) and e.expression]
    return TableText(
        [e.sql("duckdb") for e in found if isinstance(e, exp.Create) and not e.expression],
        next((e for e in found if isinstance(e, exp.Delete)), None),
        made[0].expression,
        [e.sql("duckdb") for e in found if isinstance(e, exp.Comment)],
    )


def tables_in(query: exp.Expr) -> set[TableName]:
    """The tables a query names by their schemas."""
    return {(found.db, found.name) for found in query.find_all(exp.Table) if found.db}


def is_of_catalogue(query: exp.Expr) -> bool:
    """Whether it asks DuckDB for its own tables, which no other engine can answer."""
    return any(call.name.startswith("duckdb_") for call in query.find_all(exp.Anonymous))


def for_spark(query: exp.Query, *, is_rebuilt: bool = False, owner: str = "") -> Translated:
    """Translate a query; `owner` sets apart the view of its recursive part."""
    tree = query.copy()
    _expand_macros(tree, is_rebuilt=is_rebuilt)
    for node in _deepest_first(tree, *_REWRITES):
        rewrite = _REWRITES.get(type(node))  # not of a subclass, such as try_cast
        if rewrite and (other := rewrite(node)) is not node:
            node.replace(other)
    _name_views(tree)
    recursion = _cut_recursion(tree, owner)
    return Translated(as_text(tree), recursion)


def as_text(tree: exp.Expr) -> str:
    """A translated tree as a text."""
    return tree.sql(dialect="spark", comments=False)


def _deepest_first(tree: exp.Expr, *kinds: type[exp.Expr]) -> list[exp.Expr]:
    return [*reversed([*tree.find_all(*kinds)])]


def _expand_macros(tree: exp.Expr, *, is_rebuilt: bool) -> None:
    """Put the bodies of macros in the place of their calls, the innermost first."""
    for call in _deepest_first(tree, exp.Anonymous):
        if call.name == "is_rebuilt":
            call.replace(exp.Boolean(this=is_rebuilt))
        elif macro := _macros().get(call.name):
            names, body = macro
            call.replace(_with_arguments(body, dict(zip(names, call.expressions, strict=True))))


def _with_arguments(body: exp.Expr, arguments: Mapping[str, exp.Expr]) -> exp.Expr:
    def argument(node: exp.Expr) -> exp.Expr:
        is_parameter = isinstance(node, exp.Column) and not node.table and node.name in arguments
        return exp.paren(arguments[node.name]) if is_parameter else node

    return exp.paren(body.transform(argument))


@cache
def _macros() -> Mapping[str, tuple[list[str], exp.Expr]]:
    """The macros of `sql/macros`: the names of their parameters, and their bodies."""
    made = [parsed(sql)[0] for sql in statements_in("macros").values()]
    return {
        macro.this.this.name: ([name.name for name in macro.this.expressions], macro.expression)
        for macro in made
    }


def _sum(node: exp.Expr) -> exp.Expr:
    """A sum of integers is one of decimals, which no number of rows makes overflow."""
    return exp.Sum(this=exp.Mul(this=exp.paren(node.this), expression=exp.var(_ONE)))


def _number(node: exp.Expr) -> exp.Expr:
    """A number that only tells rows apart is one that each worker can give by itself."""
    tells_apart = isinstance(node.this, exp.RowNumber) and not (
        node.args.get("order") or node.args.get("partition_by")
    )
    return exp.Anonymous(this="monotonically_increasing_id") if tells_apart else node


def _type(node: exp.Expr) -> exp.Expr:
    return _HUGEINT.copy() if node.this == exp.DType.INT128 else node


def _call(node: exp.Expr) -> exp.Expr:
    name = _CALLS.get(node.name)
    return exp.Anonymous(this=name, expressions=node.expressions) if name else node


def _extract(node: exp.Expr) -> exp.Expr:
    """Seconds since 1970 with their fractions; other parts go by the same names."""
    if node.name.lower() != "epoch":
        return node
    micros = exp.Anonymous(this="unix_micros", expressions=[node.expression])
    return exp.Div(this=micros, expression=exp.var("1000000D"))


def _days(node: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="make_dt_interval", expressions=[node.this])


# The literal 1 of a type so narrow that it does not change that of what it multiplies.
_ONE = "1BD"
# Spark says them otherwise; every moment is in UTC, as the session is.
_CALLS = {
    "epoch_us": "unix_micros",
    "list_extract": "element_at",
    "to_days": "make_dt_interval",
}
_REWRITES: Mapping[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Sum: _sum,
    exp.Window: _number,
    exp.DataType: _type,
    exp.Anonymous: _call,
    exp.Extract: _extract,
    exp.ToDays: _days,
    exp.AtTimeZone: lambda node: node.this,
}


def _name_views(tree: exp.Expr) -> None:
    """Name tables as views; what was said of a table by its own name goes on to hold."""
    for table in tree.find_all(exp.Table):
        if table.db:
            _rename(table, view_of((table.db, table.name)))
            table.set("db", None)


def _rename(table: exp.Table, name: str) -> None:
    if not table.alias:
        table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
    table.set("this", exp.to_identifier(name))


def _cut_recursion(tree: exp.Query, owner: str) -> Recursion | None:
    """Take the recursive part out of a query, which then reads a view in its place."""
    found = next(filter(_is_recursive, tree.ctes), None)
    if found is None:
        return None
    name = f"{owner}__{found.alias}"
    earlier = [cte for cte in tree.ctes if cte is not found]
    for table in tree.find_all(exp.Table):
        if table.name == found.alias:
            _rename(table, name)
    start, step = (_after(earlier, part) for part in (found.this.left, found.this.right))
    cast("exp.With", found.parent).set("recursive", None)
    found.pop()
    return Recursion(name, start, step)


def _is_recursive(cte: exp.CTE) -> bool:
    return any(table.name == cte.alias for table in cte.this.find_all(exp.Table))


def _after(earlier: Iterable[exp.CTE], part: exp.Query) -> str:
    """A part of a query, with the named ones before it."""
    for cte in earlier:
        part = part.with_(cte.alias, as_=cte.this.copy())
    return as_text(part)
