"""What a step takes: wall seconds, and CPU seconds of the process and its children, as JSON lines.

Every contestant uses it, in whichever environment it runs.
"""

import importlib
import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_WHOSE = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


@contextmanager
def measured(step: str) -> Iterator[None]:
    """Print what the block took, under this name."""
    # pyarrow does by itself when it first converts something, in the middle of what is measured.
    with suppress(ModuleNotFoundError):
        importlib.import_module("pandas")
    wall, cpu = time.perf_counter(), cpu_seconds()
    yield
    took = {"wall": time.perf_counter() - wall, "cpu": cpu_seconds() - cpu}
    print(json.dumps({"step": step, **took}), flush=True)


def cpu_seconds() -> float:
    """User and system time so far."""
    usages = map(resource.getrusage, _WHOSE)
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
