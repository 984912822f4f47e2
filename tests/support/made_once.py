"""What several tests begin with, made by the first of them and copied by the others."""

import shutil
from collections.abc import Callable
from pathlib import Path


def made_once(kept: Path, directory: Path, make: Callable[[], object]) -> None:
    """Have a directory as `make` fills it: a copy of what is kept, and kept if nothing is yet.

    Copying a warehouse takes milliseconds, a run of it seconds. What is kept is never changed.
    """
    if kept.exists():
        shutil.copytree(kept, directory, dirs_exist_ok=True)
        return
    make()
    shutil.copytree(directory, kept)
