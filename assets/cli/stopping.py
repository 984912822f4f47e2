"""What stops a command from outside: Ctrl-C, a termination, a reader that closed the pipe.

What a run writes survives the end of its process at any moment, so nothing is waited for: one
sentence says what is kept, and the process ends. Imports little: it comes before all else.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_WORDS = {signal.SIGINT: "Interrupted", signal.SIGTERM: "Terminated"}
# So many seconds the hooks may take.
_PATIENCE = 5.0
_hooks: list[Callable[[], str | None]] = []


def end_when_stopped() -> None:
    """End this process with a sentence when it is interrupted (130) or terminated (143).

    A signal that whoever started the process has it ignore stays ignored.
    """
    for number in _WORDS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _end)


@contextmanager
def terminable_children() -> Iterator[None]:
    """Have programs that are started meanwhile end when they are terminated.

    A signal that this process ignores they would ignore as well; one that it handles, by doing
    nothing, they do not.
    """
    ignored = [number for number in _WORDS if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


@contextmanager
def on_stop(hook: Callable[[], str | None]) -> Iterator[None]:
    """While this is entered, call the hook before the end; it may say what is kept."""
    _hooks.append(hook)
    try:
        yield
    finally:
        _hooks.remove(hook)


def _end(number: int, _: FrameType | None) -> None:
    # A second one ends at once.
    for other in _WORDS:
        signal.signal(other, signal.SIG_DFL)
    threading.Timer(_PATIENCE, os._exit, [128 + number]).start()
    kept = "nothing is left half done."
    for hook in _hooks:
        # The end comes in any case.
        with suppress(Exception):
            kept = hook() or kept
    with suppress(OSError):
        os.write(2, f"\n{_WORDS[signal.Signals(number)]}: {kept}\n".encode())
    os._exit(128 + number)


def drop_output() -> None:
    """Write what is still to come to nowhere: nobody reads it any more."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        if _is_closed(stream.fileno()):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def _is_closed(descriptor: int) -> bool:
    """Whether it is a pipe that nobody reads."""
    import select  # noqa: PLC0415 - hardly ever needed

    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return any(event & select.POLLERR for _, event in poll.poll(0))
