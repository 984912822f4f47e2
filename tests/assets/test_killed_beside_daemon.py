"""What a running daemon makes of a command line run whose process is gone."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import dagster as dg
import pytest
from checkout import ROOT
from deployment import await_that, deployed
from ingest_site import small_registry

from pipelines.emulator.messages import Request
from pipelines.emulator.server import Emulator


@pytest.mark.soak
def test_a_killed_run_of_the_command_line_is_told_and_not_tried_again(tmp_path: Path) -> None:
    """Whoever began it was there when it died; one alert says that nothing tries it again."""
    asked, go_on = threading.Event(), threading.Event()

    def hold_tags(request: Request) -> None:
        if request.path.endswith("/tags"):
            asked.set()
            go_on.wait()

    with Emulator(small_registry(), fault=hold_tags) as server:
        environment = {
            "SWR_ENDPOINT": server.url,
            "SWR_AUTH_TOKEN": "emulator-token",
            "SWR_REQUESTS_PER_SECOND": "0",
            "SWR_WAREHOUSE_DIR": str(tmp_path / "warehouse"),
            "PYTHONWARNINGS": "ignore",
        }
        definitions = ROOT / "assets" / "definitions.py"
        with deployed(tmp_path / "home", definitions, environment) as deployment:
            command = [sys.executable, "-m", "assets.cli", "ingest"]
            home = {"DAGSTER_HOME": str(tmp_path / "home")}
            with subprocess.Popen(command, cwd=ROOT, env=os.environ | environment | home) as run:
                assert asked.wait(60)
                run.send_signal(signal.SIGKILL)
            go_on.set()
            await_that(lambda: bool(deployment.alerts), "an alert")
            [killed] = deployment.instance.get_runs()
            assert killed.status is dg.DagsterRunStatus.FAILURE
            [alert] = deployment.alerts
            assert (alert["run_id"], alert["will_retry"]) == (killed.run_id, False)
