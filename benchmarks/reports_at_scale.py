"""What the reports of a million tags cost: seconds for each, and the memory of the whole process.

    .venv/bin/python benchmarks/reports_at_scale.py

Makes a synthetic warehouse (million_tags.sql) in a temporary directory, then builds and audits the
reports in a process of their own, on two threads.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pipelines.warehouse.building import connect_building, start_building
from pipelines.warehouse.models import audit, build_reports, run_checks

_THREADS = 2


def main() -> None:
    """Make the warehouse, then measure in a fresh process, whose memory is the reports' alone."""
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as directory:
        make(Path(directory))
        subprocess.run([sys.executable, __file__, directory], check=True)


def make(directory: Path) -> None:
    """Make the synthetic building file."""
    start_building(directory)
    sql = Path(__file__).with_name("million_tags.sql").read_text()
    with connect_building(directory) as con:
        con.execute(sql)
        for table in ("tags", "manifests", "layers", "platforms", "tag_history"):
            print(f"{table:12} {con.table(table).count('*').fetchall()[0][0]:>10,} rows")


def measure(directory: Path) -> None:
    """Build and audit; print what it took."""
    with connect_building(directory) as con:
        con.execute(f"set threads = {_THREADS}")
        began = time.perf_counter()
        built = build_reports(con)
        seconds = time.perf_counter() - began
        began = time.perf_counter()
        outcomes = run_checks(con)
        audit(outcomes)
    for report in sorted(built, key=lambda report: -report.seconds):
        print(f"{report.name:18} {report.seconds:6.2f} s {report.rows:>10,} rows")
    shared = seconds - sum(report.seconds for report in built)
    print(f"{'what they share':18} {shared:6.2f} s")
    print(
        f"all reports {seconds:.1f} s, {len(outcomes)} checks {time.perf_counter() - began:.1f} s"
    )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MB; load of the machine {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
