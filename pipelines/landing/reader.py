"""Reads a crawl's folder back: what was asked, how it went, and the records to load.

What the files are called and hold is described in `writer`.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.errors import LandingError
from pipelines.landing.files import read_json, read_table
from pipelines.landing.writer import CODEC, CrawlRequest, CrawlTotals, LandedPage, part_number
from pipelines.schemas import (
    LANDED_CRAWLS,
    NAMESPACES,
    PAGES,
    REPOSITORIES,
    RETENTION_LOG,
    RETENTION_RULES,
    SERVICE_FIGURES,
)

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
    held: Counter[tuple[str, str]] = Counter()
    try:
        for page in read_pages(path):
            held[page.namespace, page.repository] += page.record_count
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


def read_service_figures(path: Path) -> pa.Table:
    """What the service says of the account: SERVICE_FIGURES; none in folders of before."""
    return _read_if_there(path / "service_figures.parquet", SERVICE_FIGURES)


def read_retention(path: Path) -> tuple[pa.Table, pa.Table]:
    """What was read of retention: RETENTION_RULES and RETENTION_LOG; mostly none."""
    return (
        _read_if_there(path / "retention_rules.parquet", RETENTION_RULES),
        _read_if_there(path / "retention_log.parquet", RETENTION_LOG),
    )


def _read_if_there(part: Path, schema: pa.Schema) -> pa.Table:
    return read_table(part, schema) if part.exists() else schema.empty_table()


def read_crawls(path: Path) -> pa.Table:
    """Outcomes of the finished repositories: LANDED_CRAWLS, one row each, the latest."""
    parts = [read_table(part, LANDED_CRAWLS) for part in sorted(path.glob("crawls-*.parquet"))]
    crawls = pa.concat_tables([*parts, LANDED_CRAWLS.empty_table()])
    latest = {name: place for place, name in enumerate(_columns(crawls, *_NAME))}
    return crawls.take(pa.array(latest.values(), pa.int64()))


def read_pages(path: Path) -> Iterator[LandedPage]:
    """The pages to load, in the order they were read.

    Pages of walks that proved nothing, and of unfinished repositories, are left out.
    """
    first = _first_to_load(read_crawls(path))
    for part in sorted(path.glob("pages-*.parquet")):
        number = part_number(part)
        for row in read_table(part, PAGES).to_pylist():
            if _is_wanted(number, row["walk"], first.get((row["namespace"], row["repository"]))):
                yield _unpacked(row)


def _unpacked(row: dict[str, Any]) -> LandedPage:
    page, size = row.pop("page"), row.pop("page_bytes")
    return LandedPage(**row, body=CODEC.decompress(page, decompressed_size=size, asbytes=True))


def _is_wanted(part: int, walk: int, first: tuple[int, int] | None) -> bool:
    return first is not None and part >= first[0] and walk >= first[1]


def _first_to_load(crawls: pa.Table) -> dict[tuple[str, str], tuple[int, int]]:
    """First part and first walk to load, by repository; parts of an earlier process are not."""
    firsts = _columns(crawls, "first_part", "first_walk")
    return dict(zip(_columns(crawls, *_NAME), firsts, strict=True))


def _columns(table: pa.Table, *names: str) -> Iterator[tuple[Any, ...]]:
    """Some columns of each row: whole rows take ten times as long, for the moments in them."""
    return zip(*(table[name].to_pylist() for name in names), strict=True)
