"""A million hostile inputs, guided by coverage, without a crash, a hang or memory blown up."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import ROOT

pytest.importorskip("atheris", reason="has no wheel for this platform")

# A process starts with the peak of the one that started it: a small one starts the fuzzer.
SHELL = ["sh", "-c", '"$@"; exit $?', "sh"]
# Seconds an input may take, and megabytes the whole process.
BOUNDS = ["-timeout=5", "-rss_limit_mb=800", "-max_len=4096"]


def fuzz(target: str, runs: int, folder: Path) -> str:
    """What the fuzzer says in the end, having found nothing."""
    corpus = folder / "corpus"
    corpus.mkdir()
    flags = [f"-runs={runs}", "-seed=20261124", "-print_final_stats=1", *BOUNDS]
    done = subprocess.run(
        [
            *SHELL,
            *(sys.executable, "-W", "ignore", "tests/support/fuzz_targets.py", target, str(corpus)),
            *(*flags, f"-artifact_prefix={folder}/"),
        ],
        capture_output=True,
        check=False,
        cwd=ROOT,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-5000:] + done.stdout[-5000:]
    assert f"Done {runs} runs" in done.stderr
    ends = re.findall(r"^(?:#.*DONE.*|Done .*|stat::.*)$", done.stderr, re.MULTILINE)
    return "\n".join([f"\n{target}", *ends])


@pytest.mark.parametrize("target", ["manifest", "record"])
def test_hostile_inputs_are_read_or_set_aside(target: str, tmp_path: Path) -> None:
    """A thousand of them: each is rows or a problem, the same twice, and no neighbour's matter."""
    fuzz(target, 1000, tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("target", ["manifest", "record"])
def test_half_a_million_hostile_inputs(
    target: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """As above, in at most 800 MB, and none in more than five seconds."""
    record_property("printed", fuzz(target, 500_000, tmp_path))
