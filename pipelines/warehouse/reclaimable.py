"""What deleting some tags together would give back, and what it would break.

Reports hold it for each tag, for tags of an age and for stale ones; this is for any tags.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipelines.errors import WarehouseError
from pipelines.warehouse.asking import Asked, asking, asking_on
from pipelines.warehouse.query import open_published, query_relation
from pipelines.warehouse.resources import LEAST, Resources

QUESTIONS = ("named_tags", "reclaimable", "breaks")
# An Arrow column or a list of tags' keys, as `decidable_tags` has them.
Keys = Any
# What is said of each set, of the columns that a question about it has.
GIVEN_BACK = ("reclaimable_bytes", "reclaimable_basis", "reclaimable_monthly_cost", "currency")
_NAMES = ("namespace", "repository", "tag")
_SETS = pa.schema([("set_key", pa.int64())])
_CHOSEN = pa.schema([("set_key", pa.int64()), ("tag_key", pa.int64())])


def reclaimable_bytes(directory: Path, choice: str, resources: Resources = LEAST) -> pa.Table:
    """Count the bytes that the tags chosen by a query would give back together.

    Args:
        directory: of the published warehouse.
        choice: SQL that gives `namespace`, `repository` and `tag`, and whatever else.
        resources: that counting may take.

    Returns:
        One row: `tag_count`, `not_live_count` (rows that are no live tag), the columns of
        sql/questions/reclaimable.sql (sizes are in bytes), and `break_count`: what other tags
        or clusters would lose.

    Raises:
        WarehouseMissing: there is no warehouse yet.
        WarehouseError: the SQL is wrong, in DuckDB's words; or it does not give tags.
    """
    with open_published(directory) as con:
        chosen = select_tags(con, choice)
    with asking(directory, QUESTIONS, resources) as asked:
        return _count(asked, chosen)


def select_tags(con: DuckDBPyConnection, choice: str) -> pa.Table:
    """The names of the tags that a query gives.

    Raises:
        WarehouseError: it gives none.
        duckdb.Error: it is wrong.
    """
    answer = query_relation(con, choice)
    if answer is None or not set(_NAMES).issubset(answer.columns):
        raise WarehouseError(
            "The query has to give the columns namespace, repository and tag, as in:"
            " from reports.tag_ages where updated_age_days > 365"
        )
    table: pa.Table = answer.select(*_NAMES).to_arrow_table()
    return table


def count_reclaimable(con: DuckDBPyConnection, chosen: pa.Table) -> pa.Table:
    """Count them for tags given by namespace, repository and tag."""
    with asking_on(con, QUESTIONS) as asked:
        return _count(asked, chosen)


def count_sets(asked: Asked, sets: Mapping[int, Keys]) -> pa.Table:
    """Count what each of some sets of tags, given by their keys, would give back by itself.

    Returns:
        A row for each, in the order of their numbers: the columns of
        sql/questions/reclaimable.sql.
    """
    keys = pa.table([pa.array(sets, pa.int64())], schema=_SETS)
    return asked.ask("reclaimable", sets=keys, chosen=chosen_tags(sets))


def chosen_tags(sets: Mapping[int, Keys]) -> pa.Table:
    """A row for each set and tag of it, as the questions read them."""
    numbers = np.repeat(np.array([*sets], np.int64), [len(keys) for keys in sets.values()])
    keys = np.concatenate([np.empty(0, np.int64), *map(np.asarray, sets.values())])
    columns: Any = [numbers, keys.astype(np.int64)]
    return pa.table(columns, schema=_CHOSEN)


def _count(asked: Asked, chosen: pa.Table) -> pa.Table:
    named = asked.ask("named_tags", named=chosen)["tag_key"]
    live = {0: named.drop_null()}
    answer = count_sets(asked, live).drop_columns(["set_key"])
    breaks = asked.ask("breaks", chosen=chosen_tags(live))
    return answer.add_column(
        1, "not_live_count", pa.array([named.null_count], pa.int64())
    ).append_column("break_count", pa.array([breaks.num_rows], pa.int64()))
