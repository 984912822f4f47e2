"""What retention rules were predicted to delete, beside what the registry's log says they did.

Each execution that a run reads of for the first time is judged by every reading that may make a
difference, over the tags that were known before. What follows from all of them is a report.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.deciding.rules import Rule, deciding_switches, reading_of, readings_by
from pipelines.deciding.simulate import Ruled, simulate_ruled
from pipelines.schemas import RETENTION_FITS
from pipelines.warehouse.live_rules import stored_rule
from pipelines.warehouse.load import registered
from pipelines.warehouse.reports import create_macros
from pipelines.warehouse.statements import statement

_Ints = npt.NDArray[np.int64]
_Bools = npt.NDArray[np.bool_]
_OF_EXECUTION = ("namespace", "repository", "executed_at", "retention_id", "template")
_STORE = """
    insert into ingest.retention_fits by name
    select getvariable('registry') as registry, (select run_id from staged_run) as run_id, *
    from arriving
"""


def store_fits(con: DuckDBPyConnection) -> None:
    """Judge the executions that `load.apply` has found, and store what each reading says."""
    found = con.sql("from judged_executions order by execution_key").to_arrow_table().to_pylist()
    if not found:
        return
    create_macros(con)
    tags = con.sql(statement("judged_tags")).to_arrow_table()
    fits = pa.Table.from_pylist([*_fits(found, tags)], schema=RETENTION_FITS)
    with registered(con, {"arriving": fits}):
        con.execute(_STORE)


def _fits(executions: list[dict[str, Any]], tags: pa.Table) -> Iterator[dict[str, Any]]:
    """A row for each execution and reading; those whose rules depend on the same go together."""
    rules = [stored_rule(row) for row in executions]
    switches = [deciding_switches(rule) for rule in rules]
    for names in sorted({*switches}):
        chosen = [number for number, own in enumerate(switches) if own == names]
        judged = _Judged(tags, rules, chosen)
        for turned in readings_by(names):
            counts = judged.counts(turned)
            for number in chosen:
                execution = {name: executions[number][name] for name in _OF_EXECUTION}
                yield execution | turned | {name: int(n[number]) for name, n in counts.items()}


class _Judged:
    """The tags of some executions, and what the log says of them."""

    def __init__(self, tags: pa.Table, rules: Sequence[Rule], chosen: Sequence[int]) -> None:
        keys: _Ints = tags["execution_key"].to_numpy().astype(np.int64)
        rows: Any = np.flatnonzero(np.isin(keys, chosen))
        distinct = [*dict.fromkeys(rules)]
        rule_of = np.array([distinct.index(rule) for rule in rules], np.int64)
        self._ruled = Ruled(distinct, keys[rows], rule_of[keys[rows]])
        self._tags, self._execution_count = tags.take(rows), len(rules)
        self._is_sure = _bools(self._tags["is_sure"])
        self._is_logged = _bools(self._tags["is_logged"])

    def counts(self, turned: Mapping[str, str]) -> dict[str, _Ints]:
        """Of each execution: tags it is about, and how many of them are logged and predicted."""
        reading = reading_of([f"{name}={value}" for name, value in turned.items()])
        found = simulate_ruled(self._tags, self._ruled, self._tags["executed_at"], reading)
        is_taken = np.asarray(np.asarray(found["verdict"]) == "deleted", np.bool_)
        is_predicted = is_taken & self._is_sure
        return {
            "tag_count": self._count(self._is_sure),
            "logged_count": self._count(self._is_logged),
            "predicted_count": self._count(is_predicted),
            "agreed_count": self._count(is_predicted & self._is_logged),
        }

    def _count(self, is_meant: _Bools) -> _Ints:
        return np.bincount(self._ruled.codes[is_meant], minlength=self._execution_count)


def _bools(column: Any) -> _Bools:
    return np.asarray(column.to_numpy(), np.bool_)
