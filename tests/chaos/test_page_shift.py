"""Pages that shift while they are read lose no tag, and nothing is called complete wrongly."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import pytest
from page_shift import Tally, shift_pages

REPOSITORIES = 50


def shift_by(seeds: int, directory: Path) -> Tally:
    """Sum up so many batches of two crawls of every repository."""
    tally = Tally()
    work = partial(shift_pages, repositories=REPOSITORIES, directory=directory)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        for part in pool.map(work, range(seeds)):
            tally.add(part)
    return tally


def test_a_hundred_interleavings(tmp_path: Path) -> None:
    """Of paging with pushes, moves and deletions, over HTTP."""
    tally = shift_pages(0, REPOSITORIES, tmp_path)
    assert tally.ended.total() == 2 * REPOSITORIES
    assert (tally.wrongly_complete, tally.lost) == ([], [])


@pytest.mark.soak
def test_ten_thousand_interleavings(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Also in crawls that ended incomplete no tag is lost that stood still."""
    tally = shift_by(100, tmp_path)
    record_property("printed", tally.table())
    assert tally.ended.total() == 10_000
    assert (tally.wrongly_complete, tally.lost) == ([], [])
