"""Reads a crawl's folder back: what was asked, how it went, and the records to load.

What the files are called and hold is described in `writer`.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from pipelines.errors import LandingError
from pipelines.landing.files import read_batches, read_json, read_table
from pipelines.landing.writer import CrawlRequest, CrawlTotals, part_number
from pipelines.schemas import LANDED_CRAWLS, NAMESPACES, RECORDS, REPOSITORIES

_CHECKED_ROWS = 1000
_NAME = ("namespace", "repository")


def read_run(path: Path) -> CrawlRequest:
    """What the crawl in this folder was asked.

    Raises:
        LandingError: the file is missing or unreadable.
    """
    return read_json(path / "run.json", CrawlRequest)


def read_totals(path: Path) -> CrawlTotals:
    """What the finished crawl in this folder came to.

    Raises:
        LandingError: it is not finished.
    """
    return read_json(path / "crawl.json", CrawlTotals)


def is_whole(path: Path) -> bool:
    """Whether this folder can be read to its end and holds as many records as its outcomes say."""
    try:
        held = Counter(
            name
            for table in read_records(path, _CHECKED_ROWS)
            for name in zip(*(table[key].to_pylist() for key in _NAME), strict=True)
        )
        crawls = read_crawls(path).to_pylist()
    except LandingError:
        return False
    return all(
        held[row["namespace"], row["repository"]] >= row["received"]
        for row in crawls
        if row["lists_everything"]
    )


def read_repositories(path: Path) -> pa.Table:
    """What discovery listed: REPOSITORIES."""
    return read_table(path / "repositories.parquet", REPOSITORIES)


def read_namespaces(path: Path) -> pa.Table:
    """The visible namespaces and how listing each went: NAMESPACES."""
    return read_table(path / "namespaces.parquet", NAMESPACES)


def read_crawls(path: Path) -> pa.Table:
    """Outcomes of the finished repositories: LANDED_CRAWLS, one row each, the latest."""
    latest = {
        (row["namespace"], row["repository"]): row
        for part in sorted(path.glob("crawls-*.parquet"))
        for row in read_table(part, LANDED_CRAWLS).to_pylist()
    }
    return pa.Table.from_pylist(list(latest.values()), schema=LANDED_CRAWLS)


def read_records(path: Path, rows: int) -> Iterator[pa.Table]:
    """The records to load, as tables of RECORDS.

    Records of walks that proved nothing, and of unfinished repositories, are left out. Each table
    has up to about `rows` rows, in the order they were read.
    """
    first = _first_to_load(read_crawls(path))
    for part in sorted(path.glob("records-*.parquet")):
        number = part_number(part)
        for batch in read_batches(part, rows):
            columns = (batch[name].to_pylist() for name in ("namespace", "repository", "walk"))
            wanted = [
                _is_wanted(number, walk, first.get((namespace, repository)))
                for namespace, repository, walk in zip(*columns, strict=True)
            ]
            table = pa.Table.from_batches([batch], RECORDS)
            yield table if all(wanted) else table.filter(pa.array(wanted, pa.bool_()))


def _is_wanted(part: int, walk: int, first: tuple[int, int] | None) -> bool:
    return first is not None and part >= first[0] and walk >= first[1]


def _first_to_load(crawls: pa.Table) -> dict[tuple[str, str], tuple[int, int]]:
    """First part and first walk to load, by repository; parts of an earlier process are not."""
    return {
        (row["namespace"], row["repository"]): (row["first_part"], row["first_walk"])
        for row in crawls.to_pylist()
    }
