"""What the SQL of reports reads, and in which order to build them, derived from the SQL alone.

Intermediates (`sql/intermediate`) are tables that last as long as the building. `reports` executes
the plan; `lineage_of_sql` derives which column comes from which. The SQL is parsed only where
`derived` keeps nothing of it.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from enum import Enum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pipelines.schemas import BEHIND_LAYERS, LAYERS_VIEW
from pipelines.warehouse.derived import derived

if TYPE_CHECKING:
    from sqlglot import exp

T = TypeVar("T")
TableName = tuple[str, str]

# Reports of which an intermediate reads only what an earlier building has left.
_BUILT_BEFORE: Mapping[TableName, tuple[TableName, ...]] = {
    ("intermediate", "told_runs"): (("reports", "daily_growth"),),
    ("intermediate", "told_repositories"): (("reports", "repository_growth"),),
}


class Action(Enum):
    """What can be done with a table."""

    CREATE = "create"
    DROP = "drop"


class BuildStep(NamedTuple):
    """Something to do with a table, given by schema (`intermediate` or `reports`) and name."""

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
    """The SQL that makes a table of schema `intermediate` or `reports`."""
    return intermediates()[name] if schema == "intermediate" else statements_in("reports")[name]


@cache
def queries() -> "Mapping[TableName, exp.Query]":
    """Give the query of every table that is built, by schema and name, in building order."""
    made = [step for step in build_steps() if step.action is Action.CREATE]
    return {(schema, name): _one_query(sql_of(schema, name)) for _, schema, name in made}


@cache
def build_steps() -> tuple[BuildStep, ...]:
    """Give the steps that build all reports, one after another, as a `Walk` has them."""
    return tuple(_steps(walk_to_reports()))


def steps_for_queries(sqls: Sequence[str], given: frozenset[TableName]) -> list[BuildStep]:
    """Give the steps that build the intermediates some queries read, themselves or through others.

    Those they read themselves stay; some are given.
    """
    named = frozenset[TableName]().union(*(_tables_in(_one_query(sql)) for sql in sqls))
    read = named.intersection(_temporary())
    needed = read.union(*map(_all_inputs, read)) - given
    return [*_steps(Walk([table for table in _temporary() if table in needed], kept=read))]


@cache
def report_inputs(name: str) -> frozenset[str]:
    """Name the tables a report reads, `schema.table`, itself or through intermediates."""
    made_from = map(known_as, _all_inputs(("reports", name)))
    return frozenset(f"{schema}.{table}" for schema, table in made_from if schema != "intermediate")


def known_as(table: TableName) -> TableName:
    """What people know a table as: one that a view's rows are stored in, as that view."""
    return LAYERS_VIEW if table in BEHIND_LAYERS else table


class Walk:
    """A way through the tables that are to be built, with few intermediates at a time.

    A report is built as soon as all it reads is there, an intermediate when the next report needs
    it; it is dropped as soon as nothing is left that reads it. Several tables may be on the way.
    """

    def __init__(
        self, tables: Sequence[TableName], kept: frozenset[TableName] = frozenset()
    ) -> None:
        """Begin with nothing built; what is `kept` is not dropped."""
        self.tables = tuple(tables)
        self._unread = {table: _direct_inputs(table).intersection(tables) for table in tables}
        self._waiting = list(tables)
        self._made = set[TableName]()
        self._kept = kept

    def next(self) -> TableName | None:
        """A table of which all that it reads is there; None if there is none just now."""
        for table in self._waiting:
            if self._unread[table] <= self._made:
                self._waiting.remove(table)
                return table
        return None

    def built(self, table: TableName) -> list[TableName]:
        """Note that a table is there; give the intermediates that nothing will read any more."""
        self._made.add(table)
        del self._unread[table]
        done = self._made.difference(*self._unread.values(), self._kept)
        dropped = sorted(old for old in done if old[0] == "intermediate")
        self._made.difference_update(dropped)
        return dropped


def going_through(
    walk: Walk,
    count: int,
    start: "Callable[[TableName], Future[T]]",
    drop: Callable[[TableName], object],
) -> Iterator[tuple[TableName, T]]:
    """Have what a walk leads to made, so many at a time; give each as it comes, with its result."""
    going: dict[Future[T], TableName] = {}
    while True:
        while len(going) < count and (table := walk.next()):
            going[start(table)] = table
        if not going:
            return
        for future in wait(going, return_when=FIRST_COMPLETED).done:
            result, table = future.result(), going.pop(future)
            for old in walk.built(table):
                drop(old)
            yield table, result


def walk_to_reports(names: Collection[str] | None = None) -> Walk:
    """Begin a way through reports, all unless some are named, and the intermediates they need."""
    wanted = [("reports", name) for name in report_names() if names is None or name in names]
    needed = frozenset[TableName]().union(*map(_all_inputs, wanted))
    return Walk([*wanted, *(table for table in _temporary() if table in needed)])


def _steps(walk: Walk) -> Iterator[BuildStep]:
    while table := walk.next():
        yield BuildStep(Action.CREATE, *table)
        yield from (BuildStep(Action.DROP, *old) for old in walk.built(table))


@cache
def _temporary() -> tuple[TableName, ...]:
    """The intermediates, each after those it reads, as the reports need them one by one."""
    ordered: dict[TableName, None] = {}

    def add(table: TableName) -> None:
        for read in sorted(_direct_inputs(table)):
            if read not in ordered and read[0] in {"intermediate", "reports"}:
                add(read)
        ordered.setdefault(table)

    for name in report_names():
        add(("reports", name))
    for name in intermediates():
        add(("intermediate", name))
    return tuple(table for table in ordered if table[0] == "intermediate")


@cache
def _all_inputs(table: TableName) -> frozenset[TableName]:
    """The tables a table is made from, itself or through temporary ones."""
    read = _direct_inputs(table)
    return read.union(*(_all_inputs(other) for other in read if other[0] == "intermediate"))


@cache
def _direct_inputs(table: TableName) -> frozenset[TableName]:
    """The tables a table is made from; one whose rows are appended reads itself too.

    What of such a one has been built before is an intermediate that comes before it.
    """
    if kept := derived():
        return frozenset(_as_name(read) for read in kept.inputs[".".join(table)])
    return derive_inputs(table)


def _as_name(text: str) -> TableName:
    schema, name = text.split(".")
    return schema, name


def derive_inputs(table: TableName) -> frozenset[TableName]:
    """The tables a table is made from, by its SQL."""
    named = frozenset[TableName]().union(*map(_tables_in, _parsed(sql_of(*table))))
    return named - {table, *_BUILT_BEFORE.get(table, ())}


def _tables_in(query: "exp.Expr") -> frozenset[TableName]:
    """The tables a query names; those of its own CTEs are none."""
    from sqlglot import exp  # noqa: PLC0415 - hardly ever needed

    named = [(found.db or "intermediate", found.name) for found in query.find_all(exp.Table)]
    temporary = intermediates()
    return frozenset(
        (schema, name) for schema, name in named if schema != "intermediate" or name in temporary
    )


def _one_query(sql: str) -> "exp.Query":
    """The one query in some SQL, be it that of a table that is created or added to."""
    from sqlglot import exp  # noqa: PLC0415 - hardly ever needed

    found = [e.expression if isinstance(e, exp.Create | exp.Insert) else e for e in _parsed(sql)]
    [query] = [e for e in found if isinstance(e, exp.Query)]
    return query


def _parsed(sql: str) -> "list[exp.Expr]":
    import sqlglot  # noqa: PLC0415 - hardly ever needed

    return [found for found in sqlglot.parse(sql, dialect="duckdb") if found is not None]
