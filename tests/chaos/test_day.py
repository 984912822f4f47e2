"""A day of runs in one process leaves nothing behind in it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from day import Holdings, pass_a_day, table


def test_a_few_runs_leave_no_file_open_and_no_thread_running(tmp_path: Path) -> None:
    """Compared with the state after the third."""
    early, late = pass_a_day(12, tmp_path, {3, 12})
    assert held(late) == held(early)


@pytest.mark.soak
def test_two_thousand_runs(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Memory after the last is that after the hundredth, but for a tenth of it."""
    looks = list(pass_a_day(2000, tmp_path, {100, 500, 1000, 2000}))
    record_property("printed", table(looks))
    assert held(looks[-1]) == held(looks[0])
    assert looks[-1].memory <= 1.1 * looks[0].memory


def held(look: Holdings) -> tuple[int, int]:
    """What must not grow at all."""
    return look.open_files, look.threads
