"""One writer at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import WarehouseBusy, WarehouseError
from pipelines.warehouse.building import writer_lock

HOLD = """
import sys
from pathlib import Path
from pipelines.warehouse.building import writer_lock
with writer_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_told_who_is_first(tmp_path: Path) -> None:
    """At once, without waiting; afterwards the lock is free."""
    with writer_lock(tmp_path):
        with (
            pytest.raises(WarehouseBusy, match=rf"\(process {os.getpid()}\)"),
            writer_lock(tmp_path),
        ):
            pass
        with pytest.raises(WarehouseBusy), writer_lock(tmp_path):
            pass
    with writer_lock(tmp_path):
        pass


def test_the_lock_is_free_after_an_error(tmp_path: Path) -> None:
    """Whatever happened inside."""
    with pytest.raises(ZeroDivisionError), writer_lock(tmp_path):
        raise ZeroDivisionError
    with writer_lock(tmp_path):
        pass


def test_another_process_holds_the_lock_until_it_dies(tmp_path: Path) -> None:
    """Killed without a chance to clean up, it leaves the lock free."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with (
            pytest.raises(WarehouseBusy, match=rf"\(process {holder.pid}\)"),
            writer_lock(tmp_path),
        ):
            pass
        holder.kill()
        holder.wait()
        with writer_lock(tmp_path):
            pass


def test_a_lock_of_an_unknown_process_is_reported_without_its_number(tmp_path: Path) -> None:
    """The note beside the lock may be missing or unreadable."""
    with writer_lock(tmp_path):
        (tmp_path / ".lock.pid").write_text("?")
        with pytest.raises(WarehouseBusy, match="Another run is writing"), writer_lock(tmp_path):
            pass


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """A file is in its place."""
    (tmp_path / "data").write_text("")
    with pytest.raises(WarehouseError, match="cannot be written"), writer_lock(tmp_path / "data"):
        pass
