"""Where the command `swr-warehouse` begins, also as `python -m assets.cli`.

Importing all that a command needs takes a while, and may be interrupted too. Half of that while is
looking for garbage there is none of, and tidying up a process that ends: both are left out.
"""

import gc
import os
import sys

from assets.cli.stopping import end_when_stopped

# Objects made before Python looks for garbage among them; it would after seven hundred.
_OBJECTS = 100_000


def run() -> None:
    """Run the command line; this process ends with it."""
    end_when_stopped()
    gc.set_threshold(_OBJECTS)
    from assets.cli.main import main  # noqa: PLC0415 - see above

    try:
        main()
    except SystemExit as end:
        if isinstance(end.code, int) and _is_written():
            os._exit(end.code)
        raise


def _is_written() -> bool:
    """Write what is still to be written; False where Python has to say that it cannot."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    run()
