"""Runs the checks of a warehouse: the files of `sql/checks` and the lines of `check_rules`.

A check is a query that finds the rows that should not be. What a failed one means for a run is
known to the callers.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache, partial
from itertools import takewhile

import duckdb
import pyarrow as pa

from pipelines.errors import CheckFailed
from pipelines.warehouse.build_plan import report_names, statements_in
from pipelines.warehouse.check_rules import RULES, Check
from pipelines.warehouse.connection import retry_with_more_memory
from pipelines.warehouse.cursors import side_by_side

SAMPLE_ROWS = 10


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What one check found: `count` offending rows, at most ten of them in `sample`."""

    name: str
    is_blocking: bool
    count: int
    sample: pa.Table


@cache
def all_checks() -> tuple[Check, ...]:
    """Every check, in alphabetical order."""
    files = (_from_file(name, sql) for name, sql in statements_in("checks").items())
    return tuple(sorted([*files, *RULES], key=lambda check: check.name))


def check_names() -> list[str]:
    """Name every check, `<table>__<rule>`, in alphabetical order."""
    return [check.name for check in all_checks()]


def report_checks() -> set[str]:
    """Name the checks that need the reports; those of `warehouse` look at every table."""
    built = {*report_names(), "warehouse"}
    return {name for name in check_names() if name.split("__", 1)[0] in built}


def table_checks() -> set[str]:
    """Name the checks that need only what was loaded."""
    return set(check_names()) - report_checks()


def chosen_checks(names: Collection[str] | None) -> list[Check]:
    """The checks of these names, or every one, in alphabetical order."""
    return [check for check in all_checks() if names is None or check.name in names]


def run_checks(
    con: duckdb.DuckDBPyConnection, names: Collection[str] | None = None, cursors: int = 1
) -> list[CheckOutcome]:
    """Run the checks of these names, or every one, several at a time, in alphabetical order."""
    chosen = chosen_checks(names)
    with side_by_side(con, cursors) as opened:
        going = [opened.submit(partial(_run, check)) for check in chosen]
        return [future.result() for future in going]


def raise_if_blocked(outcomes: Iterable[CheckOutcome]) -> None:
    """Refuse a warehouse in which a blocking check found rows.

    Raises:
        CheckFailed: Names each failed blocking check with its number of rows.
    """
    failed = [f"{o.name} ({o.count})" for o in outcomes if o.is_blocking and o.count]
    if failed:
        raise CheckFailed(
            f"{len(failed)} blocking checks found rows, nothing was published: {', '.join(failed)}"
        )


def _from_file(name: str, sql: str) -> Check:
    """Read a check's opening comment: its severity on the first line, its meaning below."""
    lines = takewhile(lambda line: line.startswith("--"), sql.splitlines())
    severity, *meaning = [line.removeprefix("--").strip() for line in lines]
    return Check(name, severity, " ".join(meaning), sql.rstrip().removesuffix(";"))


def _run(check: Check, con: duckdb.DuckDBPyConnection) -> CheckOutcome:
    found = f"from ({check.sql}\n) as found"
    count = _count(con, found)
    sample = con.sql(f"{found} limit {SAMPLE_ROWS}").to_arrow_table() if count else pa.table({})
    return CheckOutcome(check.name, check.is_blocking, count, sample)


def _count(con: duckdb.DuckDBPyConnection, source: str) -> int:
    sql = f"select count(*) {source}"
    [(count,)] = retry_with_more_memory(con, lambda: con.execute(sql).fetchall())
    return int(count)
