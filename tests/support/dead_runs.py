"""Landings of runs that did not publish, and what is done to them."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from pipelines.landing.files import write_table
from pipelines.landing.reader import read_crawls

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def redate(landing: Path, finished_at: datetime, *, without: str = "") -> None:
    """Leave a landing as of a machine with another clock, and one repository unfinished.

    Dated before earlier runs, no check lets it pass.
    """
    crawls = read_crawls(landing)
    rows = [
        row | {"finished_at": finished_at}
        for row in crawls.to_pylist()
        if row["repository"] != without
    ]
    (part,) = landing.glob("crawls-*.parquet")
    write_table(part, pa.Table.from_pylist(rows, schema=crawls.schema))
