"""What grows with the registry: the first load and the next day's, at three sizes.

    python benchmarks/growth.py [TAGS]…

The next day one repository in a hundred has changed. The command is the first load once more, with
Dagster and its pages. A slope of 1 is linear, less is better.
"""

import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import linear_regression
from typing import NamedTuple

from compare import PRODUCT, WHOLE
from rounds import Program, check, make_registry, run, serving

SIZES = (10_000, 100_000, 500_000)
_REPOSITORIES = 2000
_CONNECTIONS = 4


class Case(NamedTuple):
    """What is run, on which day of the registry, into which folder."""

    name: str
    program: Program
    day: int
    folder: str


_RUNS = (
    Case("first load", PRODUCT, 0, "steps"),
    Case("next day", PRODUCT, 1, "steps"),
    Case("the command", WHOLE, 0, "command"),
)


class Point(NamedTuple):
    """What one run took."""

    tags: int
    run: str
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
    for name in [case.name for case in _RUNS]:
        chosen = [point for point in points if point.run == name]
        tags = [math.log(point.tags) for point in chosen]
        wall, cpu, peak = (
            linear_regression(tags, [math.log(getattr(point, what)) for point in chosen]).slope
            for what in ("wall", "cpu", "peak_mb")
        )
        ratio = chosen[-1].peak_mb / chosen[-2].peak_mb
        print(
            f"{name}: slope {wall:.2f} of wall, {cpu:.2f} of CPU, {peak:.2f} of memory;"
            f" peak at {chosen[-1].tags:,} tags {ratio:.2f} times that at {chosen[-2].tags:,}"
        )


def measure(tags: int) -> Iterator[Point]:
    """Run the product on a registry of so many tags."""
    with tempfile.TemporaryDirectory() as temporary:
        registry = Path(temporary) / "registry"
        totals = make_registry(registry, _REPOSITORIES, tags)
        for name, program, day, folder in _RUNS:
            database = Path(temporary) / folder / "warehouse.duckdb"
            with serving(registry, day=day) as url:
                took = run(program, registry, database, url, _CONNECTIONS)
            check(program, database, totals[day])
            point = Point(
                tags,
                name,
                sum(took.wall.values()),
                sum(took.cpu.values()),
                took.peak_mb,
                database.stat().st_size / tags,
            )
            print(
                f"| {tags:,} | {name} | {point.wall:.1f} | {point.cpu:.1f} |"
                f" {point.peak_mb:.0f} | {point.bytes_a_tag:.0f} |",
                flush=True,
            )
            yield point


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
