"""What DuckDB may take of the machine: the settings, or a share of what there is."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.settings import read_settings
from pipelines.warehouse.connection import open_writable
from pipelines.warehouse.resources import Resources, resources_of


@pytest.mark.parametrize(
    ("text", "bytes_"),
    [
        ("4GB", 4_000_000_000),
        ("512 MiB", 536_870_912),
        ("1.5gb", 1_500_000_000),
        ("100MB", 100_000_000),
        ("250000kb", 250_000_000),
        ("1TiB", 1_099_511_627_776),
    ],
)
def test_the_settings_say_how_much(monkeypatch: pytest.MonkeyPatch, text: str, bytes_: int) -> None:
    """Sizes in the units that DuckDB knows, by thousands or by 1024."""
    monkeypatch.setenv("SWR_MEMORY_LIMIT", text)
    monkeypatch.setenv("SWR_THREADS", "3")
    assert resources_of(read_settings()) == Resources(bytes_, 3)


def test_without_a_word_it_is_a_quarter_of_the_memory_and_every_core() -> None:
    """At least 250 MB; a cgroup, where there is one, allows no more than the machine has."""
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    taken = resources_of(read_settings())
    assert taken.memory_bytes is not None
    assert 250_000_000 <= taken.memory_bytes <= max(250_000_000, machine * 0.2501)
    assert 1 <= taken.threads <= len(os.sched_getaffinity(0))


def test_a_process_that_may_use_one_core_uses_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the machine has."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert resources_of(read_settings()).threads == 1


@pytest.mark.parametrize(
    ("memory_bytes", "threads", "cursors"),
    [
        (250_000_000, 2, 1),
        (999_999_999, 2, 1),
        (1_000_000_000, 2, 2),
        (4_000_000_000, 1, 1),
        (64_000_000_000, 16, 4),
        (None, 3, 3),
    ],
)
def test_statements_run_side_by_side_where_there_is_memory_for_each(
    memory_bytes: int | None, threads: int, cursors: int
) -> None:
    """Half a gigabyte for each, at most a thread for each, and no more than four."""
    assert Resources(memory_bytes, threads).cursors == cursors


def test_duckdb_keeps_to_it(tmp_path: Path) -> None:
    """A file that is opened to write has these limits."""
    resources = Resources(512 * 1024 * 1024, 3)
    ask = "select current_setting('memory_limit'), current_setting('threads')"
    with closing(open_writable(tmp_path / "a", tmp_path / "spill", resources)) as con:
        assert con.execute(ask).fetchall() == [("512.0 MiB", 3)]
