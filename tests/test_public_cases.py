"""Cases from public bug reports, each a registry with what is right: see their README.

Each starts the command several times, which takes minutes in all.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from checkout import ROOT, SHARED

CASES = SHARED / "cases"
_SKIPPED = 77
FOLDERS = sorted(CASES.glob("open/*"))
MISSING = pytest.param(
    None, marks=pytest.mark.skip(reason="the cases are not beside this checkout")
)


@pytest.mark.soak
@pytest.mark.parametrize("case", FOLDERS or [MISSING], ids=lambda path: path and path.name)
def test_a_public_case_comes_out_right(case: Path) -> None:
    """The whole command, as its users run it."""
    runner = [sys.executable, str(CASES / "run_case.py"), "--checkout", str(ROOT), str(case)]
    ended = subprocess.run(runner, capture_output=True, text=True, check=False)
    if ended.returncode == _SKIPPED:
        pytest.skip(ended.stdout.strip())
    assert ended.returncode == 0, ended.stdout
