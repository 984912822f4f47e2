"""Whose pages `ui` opens: the demo's or one's own, whichever was published last."""

import os
from pathlib import Path

import pytest

from assets.cli.ui import why_the_demo
from pipelines.settings import read_settings


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty warehouse directory."""
    monkeypatch.setenv("SWR_WAREHOUSE_DIR", str(tmp_path))
    return tmp_path


def publish(directory: Path, at: int) -> None:
    """Leave a published file of some moment."""
    directory.mkdir(exist_ok=True)
    file = directory / "warehouse.duckdb"
    file.touch()
    os.utime(file, (at, at))


@pytest.mark.parametrize(
    ("published_at", "region", "told"),
    [
        ({}, "", "No registry is set (SWR_REGION or SWR_ENDPOINT)"),
        ({}, "cn-north-4", None),
        ({"demo": 1}, "cn-north-4", "The demo ran last"),
        ({".": 1, "demo": 2}, "cn-north-4", "The demo ran last"),
        ({".": 2, "demo": 1}, "cn-north-4", None),
        ({".": 2, "demo": 1}, "", None),
        ({".": 1}, "", None),
    ],
)
def test_what_was_ingested_last_is_shown(
    monkeypatch: pytest.MonkeyPatch,
    data: Path,
    published_at: dict[str, int],
    region: str,
    told: str | None,
) -> None:
    """One's own where it came last; the demo's otherwise, with the reason."""
    monkeypatch.setenv("SWR_REGION", region)
    for name, at in published_at.items():
        publish(data / name, at)
    assert why_the_demo(read_settings()) == told
