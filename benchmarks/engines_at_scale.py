"""What the reports of some tags cost on each engine: wall and CPU seconds, with what each starts.

    .venv/bin/python benchmarks/engines_at_scale.py [tags]...

Makes the warehouse of a million tags after a month of daily runs (`reports_at_scale`), leaves as
many of its repositories as hold so many tags (10,000, 100,000 and 300,000 unless others are given),
and builds all reports from nothing, each time in a process of its own. Spark takes the cores of
this machine, as `spark-defaults.conf` has it.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

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


def main() -> None:
    """Make the warehouses, then measure in fresh processes."""
    if "--measure" in sys.argv:
        measure(Path(sys.argv[-1]))
        return
    sizes = [int(size) for size in sys.argv[1:]] or [10_000, 100_000, 300_000]
    with TemporaryDirectory() as directory:
        make(Path(directory) / "million", "month")
        for tags in sizes:
            for engine in ("duckdb", "spark"):
                own = Path(directory) / f"{engine}-{tags}"
                shutil.copytree(Path(directory) / "million", own)
                cut(own, tags)
                print(f"{tags:>9,} tags, {engine:6}", end=" ", flush=True)
                subprocess.run(
                    [sys.executable, "-W", "ignore", __file__, "--measure", str(own)],
                    env=os.environ | {"SWR_ENGINE": engine, "SWR_WAREHOUSE_DIR": str(own)},
                    check=True,
                )
                shutil.rmtree(own)


def cut(directory: Path, tags: int) -> None:
    """Leave the first repositories."""
    name = f"repo-{tags // _TAGS_A_REPOSITORY:04}"
    with connect_building(directory) as con:
        for sql in _CUT.split(";\n")[:-1]:
            con.execute(sql, {"first_left_out": name} if "$" in sql else {})


def measure(directory: Path) -> None:
    """Build the reports; print what it took."""
    settings = read_settings()
    resources = resources_of(settings)
    began = time.perf_counter()
    with connect_building(directory, resources) as con:
        built = engine_of(settings).build_reports(con, resources.cursors)
    seconds = time.perf_counter() - began
    rows = sum(report.rows for report in built)
    print(f"{seconds:7.1f} s, {cpu_seconds():7.1f} s of CPU, {rows:,} rows", flush=True)


def cpu_seconds() -> float:
    """Of this process and of those that it has started and that still run, as Linux counts them."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    counts = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in children]
    ticks = sum(int(user) + int(system) for *_, user, system in (count[:13] for count in counts))
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
