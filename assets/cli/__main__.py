"""Where the command `swr-warehouse` begins, also as `python -m assets.cli`.

Importing all that a command needs takes a while, and may be interrupted too. To look for garbage
during imports and to tear the process down at its end would take another second: both are avoided.
"""

import gc
import os
import sys

from assets.cli.stopping import end_when_stopped

# New objects before Python looks for garbage among them; its own default is 700.
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
    """Flush the standard streams; False if that fails, which Python then reports itself."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    run()
