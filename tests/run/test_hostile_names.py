"""Names from the API are values: never a path, never SQL, never another repository."""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ingest_site import AT, manifest
from plain_run import run_steps

from pipelines.emulator.registry import Registry
from pipelines.emulator.server import Emulator
from pipelines.settings import read_settings
from pipelines.warehouse.query import connect_published

HOSTILE = [
    "../../etc/passwd",
    "..",
    "'; drop table tags; --",
    'x" or "1"="1',
    "%2e%2e%2f",
    "line\nbreak",
    "{0}${x}",
    "C:\\temp",
    "\U0001f600",
]


@pytest.fixture
def umask() -> Iterator[None]:
    """The usual one, which lets others read."""
    old = os.umask(0o022)
    yield
    os.umask(old)


@pytest.mark.usefixtures("umask")
def test_hostile_names_become_rows_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file is named by run or number and for its owner only, whatever the umask."""
    registry = Registry()
    for name in HOSTILE:
        registry.push("shop", "app", name, manifest(("base", 1000)), at=AT)
    with Emulator(registry) as server:
        monkeypatch.setenv("SWR_ENDPOINT", server.url)
        monkeypatch.setenv("SWR_AUTH_TOKEN", "emulator-token")
        monkeypatch.setenv("SWR_WAREHOUSE_DIR", str(tmp_path / "warehouse"))
        run = run_steps(read_settings())
    with closing(connect_published(tmp_path / "warehouse")) as con:
        rows = con.sql("select tag from tags").fetchall()
    assert sorted(tag for (tag,) in rows) == sorted(HOSTILE)
    # How many parts there are depends on how fast the machine is.
    left = {
        re.sub(r"-0000\d\d\.", "-N.", str(path.relative_to(tmp_path))): path
        for path in tmp_path.rglob("*")
    }
    landing = f"warehouse/landing/{run}"
    assert set(left) == {
        "warehouse",
        "warehouse/.lock",
        "warehouse/.requests.pace",
        "warehouse/.requests.pace.lock",
        "warehouse/.state.duckdb",
        "warehouse/warehouse.duckdb",
        "warehouse/warehouse.prom",
        "warehouse/landing",
        landing,
        f"{landing}/run.json",
        f"{landing}/crawl.json",
        f"{landing}/namespaces.parquet",
        f"{landing}/service_figures.parquet",
        f"{landing}/repositories.parquet",
        f"{landing}/pages-N.parquet",
        f"{landing}/crawls-N.parquet",
    }
    modes = {stat.S_IMODE(path.stat().st_mode) for path in left.values()}
    assert modes == {0o700, 0o600}
