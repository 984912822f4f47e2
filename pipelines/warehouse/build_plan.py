"""What the SQL of reports reads, and in which order to build them, derived from the SQL alone.

Intermediates (`sql/intermediate`) are temporary tables. `reports` executes the plan;
`lineage_of_sql` derives which column comes from which. The SQL is parsed only where `derived` keeps
nothing of it.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple

from pipelines.warehouse.derived import derived

if TYPE_CHECKING:
    from sqlglot import exp

TableName = tuple[str, str]


class Action(Enum):
    """What can be done with a table."""

    CREATE = "create"
    DROP = "drop"


class BuildStep(NamedTuple):
    """Something to do with a table, given by schema (`temp` or `reports`) and name."""

    action: Action
    schema: str
    name: str


@cache
def statements_in(folder: str) -> Mapping[str, str]:
    """Map the name of every SQL file in a folder of `sql` to its text, in name order."""
    entries = (e for e in files("sql").joinpath(folder).iterdir() if e.name.endswith(".sql"))
    ordered = sorted(entries, key=lambda entry: entry.name)
    return {entry.name.removesuffix(".sql"): entry.read_text("utf-8") for entry in ordered}


def report_names() -> list[str]:
    """Name every report, in alphabetical order."""
    return list(statements_in("reports"))


def intermediates() -> dict[str, str]:
    """Map every temporary table to its SQL, in alphabetical order."""
    return dict(statements_in("intermediate"))


def sql_of(schema: str, name: str) -> str:
    """The SQL that makes a table of schema `temp` or `reports`."""
    return intermediates()[name] if schema == "temp" else statements_in("reports")[name]


@cache
def queries() -> "Mapping[TableName, exp.Query]":
    """Give the query of every table that is built, by schema and name, in building order."""
    made = [step for step in build_steps() if step.action is Action.CREATE]
    return {(schema, name): _parsed(sql_of(schema, name)) for _, schema, name in made}


@cache
def build_steps() -> tuple[BuildStep, ...]:
    """Give the steps that build all reports, with few intermediates at a time.

    A report is created as soon as all it reads is there, an intermediate when the next report
    needs it; it is dropped as soon as nothing is left that reads it.
    """
    tables = [("reports", name) for name in report_names()]
    return tuple(_steps([*tables, *_temporary()]))


def steps_for_query(sql: str) -> list[BuildStep]:
    """Give the steps that build the intermediates a query reads, itself or through others.

    Those it reads itself stay.
    """
    read = _tables_in(_parsed(sql)).intersection(_temporary())
    needed = read.union(*map(_all_inputs, read))
    return [*_steps([table for table in _temporary() if table in needed], kept=read)]


@cache
def report_inputs(name: str) -> frozenset[str]:
    """Name the tables a report reads, `schema.table`, itself or through intermediates."""
    made_from = _all_inputs(("reports", name))
    return frozenset(f"{schema}.{table}" for schema, table in made_from if schema != "temp")


def _steps(
    tables: Sequence[TableName], kept: frozenset[TableName] = frozenset()
) -> Iterator[BuildStep]:
    waiting = {table: _direct_inputs(table).intersection(tables) for table in tables}
    made: set[TableName] = set()
    while waiting:
        table = next(table for table, read in waiting.items() if read <= made)
        del waiting[table]
        made.add(table)
        yield BuildStep(Action.CREATE, *table)
        done = made.difference(*waiting.values(), kept)
        yield from (BuildStep(Action.DROP, *old) for old in sorted(done) if old[0] == "temp")
        made -= {old for old in done if old[0] == "temp"}


@cache
def _temporary() -> tuple[TableName, ...]:
    """The intermediates, each after those it reads, as the reports need them one by one."""
    ordered: dict[TableName, None] = {}

    def add(table: TableName) -> None:
        for read in sorted(_direct_inputs(table)):
            if read not in ordered and read[0] in {"temp", "reports"}:
                add(read)
        ordered.setdefault(table)

    for name in report_names():
        add(("reports", name))
    for name in intermediates():
        add(("temp", name))
    return tuple(table for table in ordered if table[0] == "temp")


@cache
def _all_inputs(table: TableName) -> frozenset[TableName]:
    """The tables a table is made from, itself or through temporary ones."""
    read = _direct_inputs(table)
    return read.union(*(_all_inputs(other) for other in read if other[0] == "temp"))


@cache
def _direct_inputs(table: TableName) -> frozenset[TableName]:
    """The tables a table is made from; one whose rows are appended reads itself too."""
    if kept := derived():
        return frozenset(_as_name(read) for read in kept.inputs[".".join(table)])
    return derive_inputs(table)


def _as_name(text: str) -> TableName:
    schema, name = text.split(".")
    return schema, name


def derive_inputs(table: TableName) -> frozenset[TableName]:
    """The tables a table is made from, by its SQL."""
    return _tables_in(_parsed(sql_of(*table))) - {table}


def _tables_in(query: "exp.Query") -> frozenset[TableName]:
    """The tables a query names; those of its own CTEs are none."""
    from sqlglot import exp  # noqa: PLC0415 - hardly ever needed

    named = [(found.db or "temp", found.name) for found in query.find_all(exp.Table)]
    temporary = intermediates()
    return frozenset(
        (schema, name) for schema, name in named if schema != "temp" or name in temporary
    )


def _parsed(sql: str) -> "exp.Query":
    """The one query in some SQL, be it that of a table that is created or added to."""
    import sqlglot  # noqa: PLC0415 - hardly ever needed
    from sqlglot import exp  # noqa: PLC0415 - hardly ever needed

    statements = sqlglot.parse(sql, dialect="duckdb")
    found = [e.expression if isinstance(e, exp.Create | exp.Insert) else e for e in statements]
    [query] = [e for e in found if isinstance(e, exp.Query)]
    return query
