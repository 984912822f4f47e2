"""What the reports of some tags cost on each engine: wall and CPU seconds, with what each starts.

    .venv/bin/python benchmarks/engines_at_scale.py [tags]...

Makes the warehouse of a million tags after a month of daily runs (`reports_at_scale`), leaves as
many of its repositories as hold so many tags (10,000, 100,000 and 300,000 unless others are given),
and builds all reports from nothing, each time in a process of its own. Spark takes the cores of
this machine, as `spark-defaults.conf` has it. At last a line is laid through what each engine took:
so much to begin with, and so much for each 100,000 tags, a million rows of `tag_layers`.
"""

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory
from typing import NamedTuple

from reports_at_scale import make

from pipelines.engines.engine import engine_of
from pipelines.settings import read_settings
from pipelines.warehouse.building import connect_building
from pipelines.warehouse.resources import resources_of

_TAGS_A_REPOSITORY = 500
_CUT = """
    delete from tags where repository >= $first_left_out;
    delete from tag_history where repository >= $first_left_out;
    delete from repositories where repository >= $first_left_out;
    delete from ingest.crawls where repository >= $first_left_out;
    create temp table kept as
    select manifest_digest from tag_history where manifest_digest is not null
    union
    select platforms.manifest_digest
    from platforms inner join tags on platforms.index_digest = tags.manifest_digest;
    delete from manifests where manifest_digest not in (from kept);
    delete from ingest.manifest_prefixes where manifest_digest not in (from kept);
    delete from platforms where index_digest not in (from kept);
"""


class Point(NamedTuple):
    """What the reports of one warehouse took on one engine."""

    tags: int
    wall: float
    cpu: float
    peak_mb: float
    rows: int


def main() -> None:
    """Make the warehouses, measure in fresh processes, and lay a line through it."""
    if "--measure" in sys.argv:
        print(json.dumps(measure(Path(sys.argv[-1]))))
        return
    sizes = [int(size) for size in sys.argv[1:]] or [10_000, 100_000, 300_000]
    found: dict[str, list[Point]] = {"duckdb": [], "spark": []}
    with TemporaryDirectory() as directory:
        make(Path(directory) / "million", "month")
        print("| tags | engine | wall s | CPU s | peak MB | rows of reports |")
        print("|--:|---|--:|--:|--:|--:|")
        for tags in sizes:
            for engine, points in found.items():
                own = Path(directory) / f"{engine}-{tags}"
                shutil.copytree(Path(directory) / "million", own)
                cut(own, tags)
                points.append(point := measure_apart(engine, own, tags))
                print(
                    f"| {tags:,} | {engine} | {point.wall:.1f} |"
                    f" {point.cpu:.1f} | {point.peak_mb:.0f} | {point.rows:,} |",
                    flush=True,
                )
                shutil.rmtree(own)
    if len(sizes) > 1:
        for engine, points in found.items():
            tell_line(engine, points)


def measure_apart(engine: str, directory: Path, tags: int) -> Point:
    """Build the reports of a warehouse in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", __file__, "--measure", str(directory)],
        env=os.environ | {"SWR_ENGINE": engine, "SWR_WAREHOUSE_DIR": str(directory)},
        check=True,
        stdout=subprocess.PIPE,
    )
    return Point(tags, *json.loads(ended.stdout.splitlines()[-1]))


def tell_line(engine: str, points: list[Point]) -> None:
    """Print what an engine takes to begin with, and what for each 100,000 tags."""
    tags = [point.tags / 100_000 for point in points]
    for what in ("wall", "cpu"):
        slope, start = linear_regression(tags, [getattr(point, what) for point in points])
        print(f"{engine}: {start:.1f} + {slope:.2f} s of {what} for each 100,000 tags")


def cut(directory: Path, tags: int) -> None:
    """Leave the first repositories."""
    name = f"repo-{tags // _TAGS_A_REPOSITORY:04}"
    with connect_building(directory) as con:
        for sql in _CUT.split(";\n")[:-1]:
            con.execute(sql, {"first_left_out": name} if "$" in sql else {})


def measure(directory: Path) -> tuple[float, float, float, int]:
    """Build the reports; what it took, as a Point has it. Spark's memory is not in it."""
    settings = read_settings()
    resources = resources_of(settings)
    began = time.perf_counter()
    with connect_building(directory, resources) as con:
        built = engine_of(settings).build_reports(con, resources.cursors)
    return (
        time.perf_counter() - began,
        cpu_seconds(),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        sum(report.rows for report in built),
    )


def cpu_seconds() -> float:
    """Of this process and of those that it has started and that still run, as Linux counts them."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    counts = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in children]
    ticks = sum(int(user) + int(system) for *_, user, system in (count[:13] for count in counts))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
