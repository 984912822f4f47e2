"""Dagster's daemon on our definitions, as a service runs it: schedules, sensors, the queue of runs.

`assets.cli.pages` is the other service. Neither wants more than the environment it is installed in.
"""

import os
import sys

from assets.cli.launch import WORKSPACE, prepare_home


def main() -> None:
    """Become the daemon; what it writes is its user's alone."""
    os.umask(0o077)
    os.environ["DAGSTER_HOME"] = str(prepare_home())
    daemon = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(WORKSPACE)]
    os.execv(sys.executable, daemon)  # noqa: S606 - this environment's own program


if __name__ == "__main__":
    main()
