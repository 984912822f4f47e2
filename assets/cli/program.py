"""This program by the name it was called by, for hints that can be copied into the same shell."""

import re
import shlex
import shutil
import sys
from pathlib import Path

NAME = "swr-warehouse"
_HINT = re.compile(rf"`{NAME} ")


def program() -> str:
    """Name it as it is found on the path, else as it was called."""
    called = Path(sys.argv[0])
    found = shutil.which(NAME)
    if called.name == NAME and not (found and Path(found).samefile(called)):
        return shlex.quote(sys.argv[0])
    if called.name == "__main__.py" and not found:
        return f"{shlex.quote(sys.executable)} -m assets.cli"
    return NAME


def as_called(text: str) -> str:
    """Have the commands that a text advises begin as this one was called."""
    return _HINT.sub(lambda _: f"`{program()} ", text)
