"""Dagster's own disk is full: before the publication one sentence, after it a published run."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from ingest_site import small_registry

from assets.cli.held_lines import store_lines_held
from assets.cli.launch import launch_ingest
from pipelines.emulator.server import Emulator
from pipelines.errors import RunStoreError
from pipelines.run.progress import NoProgress


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder for Dagster on a disk of its own, of 20 MB."""
    home = tmp_path / "home"
    home.mkdir()
    mount = ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(home)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    yield home
    subprocess.run(["/usr/bin/umount", "--lazy", home], check=True)


class Filling(NoProgress):
    """Fills a disk, but for some KB, when the crawl begins or when the run is published."""

    def __init__(self, disk: Path, when: str, kilobytes: int = 0) -> None:
        self.disk, self.when, self.left = disk, when, kilobytes * 1024

    def start(self, repositories: int, tags: int, keep: Callable[[], None]) -> None:
        """The crawl begins."""
        del repositories, tags, keep
        self._fill("crawl")

    def notice(self, text: str) -> None:
        """Something is said of what was published."""
        del text
        self._fill("published")

    def _fill(self, now: str) -> None:
        if now == self.when:
            free = shutil.disk_usage(self.disk).free - self.left
            (self.disk / "ballast").write_bytes(bytes(max(free, 0)))


@pytest.mark.parametrize(("when", "kilobytes"), [("crawl", 0), ("crawl", 300), ("published", 0)])
def test_a_full_disk_of_dagsters_undoes_no_publication(
    home: Path,
    site_settings: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    when: str,
    kilobytes: int,
) -> None:
    """It is named in one sentence; what is published stays, and once there is room all is well."""
    with Emulator(small_registry()) as server:
        directory = site_settings(server.url)
        directory.mkdir()
        # A session's log, of which a publication says that it is set aside.
        (directory / "warehouse.duckdb.wal").touch()
        launch = partial(launch_ingest, full=False, namespaces=(), repositories=())
        monkeypatch.setenv("DAGSTER_HOME", str(home))
        progress = Filling(home, when, kilobytes)
        if when == "published":
            launched = launch(progress=progress)
            assert launched.status == "complete"
            assert f"{home} cannot be written (" in str(launched.unlogged)
        else:
            with pytest.raises(RunStoreError, match=f"{home} cannot be written .*free some space"):
                launch(progress=progress)
            assert not (directory / "warehouse.duckdb").exists()
            assert list(directory.glob(".building*")) == []
        # Dagster's own lines say what the sentence does.
        assert capsys.readouterr().err == ""
        (home / "ballast").unlink()
        assert launch(progress=NoProgress()).unlogged is None


@pytest.mark.parametrize(
    ("error", "said"),
    [(None, True), (ValueError("ours to mend"), True), (RunStoreError("the disk is full"), False)],
)
def test_lines_of_dagsters_store_are_held_only_where_a_sentence_says_the_same(
    capsys: pytest.CaptureFixture[str], error: Exception | None, said: bool
) -> None:
    """As Dagster writes them; everything else passes at once."""
    line = "Exception while writing logger call to event log: (sqlite3.OperationalError) locked\n"
    with suppress(ValueError, RunStoreError), store_lines_held():
        sys.stderr.write(line)
        sys.stderr.write("Reading 3 repositories.\n")
        assert capsys.readouterr().err == "Reading 3 repositories.\n"
        if error:
            raise error
    assert capsys.readouterr().err == (line if said else "")
