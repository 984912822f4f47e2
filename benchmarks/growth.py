"""What grows with the registry: the first load and the next day's, at three sizes.

    python benchmarks/growth.py [TAGS]…

The next day one repository in a hundred has changed. A slope of 1 is linear, less is better.
"""

import math
import sys
import tempfile
from pathlib import Path
from statistics import linear_regression
from typing import NamedTuple

from compare import PRODUCT
from contest import check, make_registry, run, serving
from registry import DAYS

SIZES = (10_000, 100_000, 500_000)
_REPOSITORIES = 2000
_CONNECTIONS = 4
_NAMES = ("first load", "next day")


class Point(NamedTuple):
    """What one run took."""

    tags: int
    day: int
    wall: float
    cpu: float
    peak_mb: float
    bytes_a_tag: float


def main(sizes: tuple[int, ...]) -> None:
    """Print a row for each run, then the slopes and the growth of memory."""
    print("| tags | run | wall s | CPU s | peak MB | warehouse bytes a tag |")
    print("|--:|---|--:|--:|--:|--:|")
    points = [point for size in sizes for point in measure(size)]
    if len(sizes) == 1:
        return
    for day in DAYS:
        chosen = [point for point in points if point.day == day]
        tags = [math.log(point.tags) for point in chosen]
        wall, cpu, peak = (
            linear_regression(tags, [math.log(getattr(point, name)) for point in chosen]).slope
            for name in ("wall", "cpu", "peak_mb")
        )
        ratio = chosen[-1].peak_mb / chosen[-2].peak_mb
        print(
            f"{_NAMES[day]}: slope {wall:.2f} of wall, {cpu:.2f} of CPU, {peak:.2f} of memory;"
            f" peak at {chosen[-1].tags:,} tags {ratio:.2f} times that at {chosen[-2].tags:,}"
        )


def measure(tags: int) -> list[Point]:
    """Run the product on both days of a registry of so many tags."""
    points = []
    with tempfile.TemporaryDirectory() as temporary:
        folder, database = Path(temporary) / "registry", Path(temporary) / "warehouse.duckdb"
        totals = make_registry(folder, _REPOSITORIES, tags)
        for day in DAYS:
            with serving(folder, day=day) as url:
                result = run(PRODUCT, folder, database, url, _CONNECTIONS)
            check(PRODUCT, database, totals[day])
            points.append(
                Point(
                    tags,
                    day,
                    sum(result.wall.values()),
                    sum(result.cpu.values()),
                    result.peak_mb,
                    database.stat().st_size / tags,
                )
            )
            point = points[-1]
            print(
                f"| {tags:,} | {_NAMES[day]} | {point.wall:.1f} | {point.cpu:.1f} |"
                f" {point.peak_mb:.0f} | {point.bytes_a_tag:.0f} |",
                flush=True,
            )
    return points


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
