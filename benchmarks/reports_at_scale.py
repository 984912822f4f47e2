"""What the reports of a million tags cost: seconds for each, and the memory of the whole process.

    .venv/bin/python benchmarks/reports_at_scale.py [month|year]

Makes a synthetic warehouse (million_tags.sql) in a temporary directory, then builds and checks the
reports in a process of their own, on what SWR_MEMORY_LIMIT and SWR_THREADS allow. A month is 30
daily runs that saw one tag in ten move; a year is 365 of which each saw 0.5 % of the tags move, and
manifests left behind by them. First all reports are built from nothing; then, in another process,
those of a day: the last run's changes alone are new, and the warehouse is published.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipelines.settings import read_settings
from pipelines.warehouse.building import BUILDING, connect_building, start_building
from pipelines.warehouse.checks import raise_if_blocked, run_checks
from pipelines.warehouse.publish import publish
from pipelines.warehouse.reports import build_reports
from pipelines.warehouse.resources import resources_of
from pipelines.warehouse.state import APPENDED_REPORTS

_OF_LATEST = "run_id = (select run_id from ingest.runs order by as_of desc limit 1)"
_PERIODS = {
    "month": {"runs": 30, "moves": 0.1, "abandoned": 0},
    "year": {"runs": 365, "moves": 364 * 0.005, "abandoned": 546_000},
}


def main() -> None:
    """Make the warehouse, then measure in fresh processes, whose memory is the reports' alone."""
    if len(sys.argv) > 2:  # noqa: PLR2004 - called by the lines below
        measure(Path(sys.argv[2]), sys.argv[1])
        return
    period = sys.argv[1] if len(sys.argv) > 1 else "month"
    with tempfile.TemporaryDirectory() as directory:
        make(Path(directory), period)
        for what in ("all", "day"):
            subprocess.run([sys.executable, __file__, what, directory], check=True)


def make(directory: Path, period: str) -> None:
    """Make the synthetic building file."""
    start_building(directory)
    sql = Path(__file__).with_name("million_tags.sql").read_text()
    with connect_building(directory) as con:
        for name, value in _PERIODS[period].items():
            con.execute(f"set variable {name} = {value}")
        con.execute(sql)
        for table in ("tags", "manifests", "layers", "platforms", "tag_history"):
            print(f"{table:12} {con.table(table).count('*').fetchall()[0][0]:>10,} rows")
    print(f"warehouse {(directory / BUILDING).stat().st_size / 1e6:,.0f} MB before the reports")


def measure(directory: Path, what: str) -> None:
    """Build, check and publish; print what it took."""
    resources = resources_of(read_settings())
    with connect_building(directory, resources) as con:
        if what == "day":
            for table in APPENDED_REPORTS:
                con.execute(f"delete from reports.{table} where {_OF_LATEST}")  # noqa: S608 - ours
        began = time.perf_counter()
        built = build_reports(con, resources.cursors)
        reports_built = time.perf_counter()
        raise_if_blocked(run_checks(con, cursors=resources.cursors))
        checked = time.perf_counter()
    if what == "day":
        publish(directory)
    published = time.perf_counter()
    for report in sorted(built, key=lambda report: -report.seconds):
        print(f"{report.name:18} {report.seconds:6.2f} s {report.rows:>10,} rows")
    print(
        f"{what}: reports {reports_built - began:.1f} s, checks {checked - reports_built:.1f} s,"
        f" writing {published - checked:.1f} s, CPU {time.process_time():.1f} s"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MB; load of the machine {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
