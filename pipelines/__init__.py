"""Verbs: what runs, in flow order, as plain Python. Nothing here imports Dagster or `assets`."""

import os
import sys

# Of Arrow's allocators the one that gives back what it needs no more: its own choice keeps some
# sixty megabytes. Arrow looks here once, when it is imported.
if sys.platform == "linux":
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "jemalloc")
# numpy starts threads for matrices, of which there are none here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
