"""A run that finds nothing changed, and one that finds 1 % changed, beside their bare requests.

    python benchmarks/next_day.py

2,000 repositories, 40 ms away, 16 connections. The bare requests are as many and ask for the same,
by threads that throw the answers away.
"""

import tempfile
from pathlib import Path
from statistics import median
from tempfile import mkdtemp

import duckdb
from compare import PRODUCT
from registry import DAYS
from rounds import HERE, Program, Result, check, make_registry, run, serving

_REPOSITORIES, _TAGS, _LATENCY_MS, _CONNECTIONS, _ROUNDS = 2000, 20_000, 40, 16, 3
_BARE = Program("bare requests", [PRODUCT.argv[0], str(HERE / "limits.py"), "newest"])
_LAST_RUN = """
    select runs.requests, count(*) filter (crawls.status = 'unchanged'), sum(crawls.received)
    from ingest.crawls inner join ingest.runs using (run_id)
    where run_id = (select run_id from ingest.runs order by as_of desc limit 1)
    group by runs.requests
"""


def main() -> None:
    """Print medians: the crawl beside the bare requests, and what the rest of the run takes."""
    bare: list[Result] = []
    days: dict[int, list[Result]] = {day: [] for day in DAYS}
    with tempfile.TemporaryDirectory() as temporary:
        folder, first = Path(temporary) / "registry", Path(temporary) / "warehouse.duckdb"
        totals = make_registry(folder, _REPOSITORIES, _TAGS)
        with serving(folder) as url:
            run(PRODUCT, folder, first, url, _CONNECTIONS)
        for _ in range(_ROUNDS):
            for day in DAYS:
                # A landing left here would be taken up: the warehouse put back does not know it.
                database = Path(mkdtemp(dir=temporary)) / first.name
                database.write_bytes(first.read_bytes())
                with serving(folder, day=day, latency_ms=_LATENCY_MS) as url:
                    days[day].append(run(PRODUCT, folder, database, url, _CONNECTIONS))
                    if day == DAYS[0]:
                        bare.append(run(_BARE, folder, database, url, _CONNECTIONS))
                check(PRODUCT, database, totals[day])
                _describe(database, day, len(bare) == 1)
    print("| | wall s | of the bare requests' | CPU s |\n|---|--:|--:|--:|")
    least = median(result.wall["newest"] for result in bare)
    _print("bare requests", bare, "newest", least)
    for day, name in zip(DAYS, ("nothing changed", "1 % changed"), strict=True):
        for step in ("crawl", "load", "reports"):
            _print(f"{name}: {step}", days[day], step, least)


def _describe(database: Path, day: int, is_first: bool) -> None:  # noqa: FBT001 - told by its name
    if is_first:
        with duckdb.connect(str(database), read_only=True) as con:
            requests, unchanged, received = con.execute(_LAST_RUN).fetchall()[0]
        print(f"day {day}: {requests} requests, {unchanged} unchanged, {received} records read")


def _print(name: str, results: list[Result], step: str, least: float) -> None:
    wall, cpu = (
        median(took[step] for took in kind)
        for kind in ([result.wall for result in results], [result.cpu for result in results])
    )
    print(f"| {name} | {wall:.2f} | {wall / least:.2f} | {cpu:.2f} |")


if __name__ == "__main__":
    main()
