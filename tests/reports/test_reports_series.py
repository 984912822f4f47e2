"""Series of runs after which a repository used a blob, made of many stays that begin at once.

Registries of the other tests are too small for it: a database orders equal rows of few as they
came, and of many as its threads meet them.
"""

from collections import defaultdict
from random import Random

import duckdb
import pyarrow as pa

from pipelines.warehouse.build_plan import sql_of

RUNS = 12
STAYS = 20_000
Use = tuple[int, int]
Stay = tuple[int, int, int, int, int]

TABLES = """
attach ':memory:' as intermediate;
create table intermediate.touched_uses (
    place integer, blob_key integer,
    from_run_key integer, to_run_key integer, since_run_key integer
);
create table intermediate.new_history as select 1 as first_run_key;
create table intermediate.blob_changes (blob_key integer);
create table intermediate.repository_blobs (repository_key integer, blob_key integer);
create table intermediate.history_repositories (place integer, repository_key integer)
"""


def random_stays(random: Random) -> list[Stay]:
    """Stays of forty users, most of them from the first run on."""
    stays = []
    for _ in range(STAYS):
        begin = random.choice([1, 1, 1, random.randint(1, RUNS)])
        end = random.randint(begin + 1, RUNS + 1)
        stays.append((random.randint(1, 2), random.randint(1, 20), begin, end, 0))
    return stays


def series_by_hand(stays: list[Stay]) -> list[tuple[int, int, int, int]]:
    """Each user's runs, one by one."""
    runs_of: dict[Use, set[int]] = defaultdict(set)
    for place, blob, begin, end, _ in stays:
        runs_of[place, blob].update(range(begin, end))
    return sorted(
        (*use, run, min(set(range(run, RUNS + 2)) - runs))
        for use, runs in runs_of.items()
        for run in runs - {run + 1 for run in runs}
    )


def test_stays_that_begin_at_once_are_one_series() -> None:
    """Whatever order a database gives equal rows in."""
    stays = random_stays(Random(1))
    with duckdb.connect() as con:
        # With one thread, equal rows stay in order.
        con.execute("set threads = 2")
        con.execute(TABLES)
        columns = [pa.array(column, pa.int32()) for column in zip(*stays, strict=True)]
        con.register("stays", pa.table(columns, names=list("abcde")))
        con.execute("insert into intermediate.touched_uses from stays")
        con.execute(sql_of("intermediate", "blob_uses"))
        found = con.execute("from intermediate.blob_uses").fetchall()
    assert sorted(found) == series_by_hand(stays)
