"""Where the time of a first load goes, by function, all threads together.

    python benchmarks/hot_path.py [TAGS]

py-spy looks into the running process a hundred times a second and sees every thread that works;
what C and C++ do counts for the Python function that called it.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from compare import PRODUCT
from rounds import PEERS, make_registry, serving

_SPY = ["record", "--function", "--format", "raw", "--rate", "100", "--output"]
_SHOWN = 30
# A step is told by a function, or of a thread by a file, that its stack holds.
_STEPS = {
    "pipelines/run/crawl.py": "crawl",
    "pipelines/landing/writer.py": "crawl",
    "crawl_registry": "crawl",
    "load_landing": "load",
    "build_reports": "reports",
    "run_checks": "reports",
    "publish": "reports",
}


def main(tags: int) -> None:
    """Profile one run; print each function's own share, by step."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, database = Path(temporary) / "registry", Path(temporary) / "warehouse.duckdb"
        stacks = Path(temporary) / "stacks"
        make_registry(folder, 2000, tags)
        with serving(folder) as url:
            program = [*PRODUCT.argv, str(folder), str(database), url, "4"]
            subprocess.run(
                [str(PEERS.with_name("py-spy")), *_SPY, str(stacks), "--", *program],
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"NO_PROXY": "127.0.0.1"},
            )
        own = own_shares(stacks.read_text().splitlines())
    every = own.total()
    print(f"| step | function | share of {every / 100:.1f} s |\n|---|---|--:|")
    steps: Counter[str] = Counter()
    for (step, _), samples in own.items():
        steps[step] += samples
    for step, samples in steps.most_common():
        print(f"| {step} | all | {samples / every:.1%} |")
    for (step, function), samples in own.most_common(_SHOWN):
        print(f"| {step} | {function} | {samples / every:.1%} |")


def own_shares(stacks: list[str]) -> Counter[tuple[str, str]]:
    """Samples by step and by the innermost function, out of lines `outer;inner samples`."""
    own: Counter[tuple[str, str]] = Counter()
    for line in stacks:
        stack, _, samples = line.rpartition(" ")
        step = next((step for sign, step in _STEPS.items() if sign in stack), "start")
        own[step, stack.rpartition(";")[2]] += int(samples)
    return own


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
