"""What the command `ingest` does: a run for each registry, one after the other."""

from collections.abc import Sequence
from typing import NamedTuple

from rich.console import Console

from assets.cli.program import as_called
from assets.cli.stopping import on_stop
from assets.cli.terminal import TerminalProgress
from pipelines.errors import SwrWarehouseError
from pipelines.page.plain_text import printable
from pipelines.registries import read_one
from pipelines.run.ingest import check_access, rejected_record_count

_COMPLETE, _PARTIAL, _NOTHING = 0, 1, 2


class Asked(NamedTuple):
    """What the flags say."""

    full: bool
    namespaces: tuple[str, ...]
    repositories: tuple[str, ...]
    rebuild: bool


def ingest_each(names: Sequence[str | None], asked: Asked, out: Console, err: Console) -> int:
    """Ingest each registry; one of several that fails does not stop the others.

    Args:
        names: of the registries; just None where there is but one.
        asked: what of each.
        out: where to say how it went.
        err: where to say what went wrong.

    Returns:
        The exit code: 0 if all is complete, 1 if some is not, 2 if nothing was published.

    Raises:
        SwrWarehouseError: of the only registry nothing was published.
    """
    if len(names) == 1:
        return _ingest(names[0], asked, out, err)
    codes = [_ingest_one_of(name, asked, out, err) for name in names]
    if set(codes) == {_NOTHING}:
        return _NOTHING
    return _PARTIAL if any(codes) else _COMPLETE


def _ingest_one_of(name: str | None, asked: Asked, out: Console, err: Console) -> int:
    out.print(f"{name}:", markup=False)
    try:
        return _ingest(name, asked, out, err)
    except SwrWarehouseError as error:
        err.print(printable(as_called(f"Error: {error}")))
        return _NOTHING


def _ingest(name: str | None, asked: Asked, out: Console, err: Console) -> int:
    """Ingest one registry, and say how it went."""
    settings = read_one(name)
    check_access(settings)
    # It imports Dagster, which takes seconds: wrong credentials are said at once.
    from assets.cli.launch import launch_ingest  # noqa: PLC0415 - see above

    console = Console(quiet=True) if settings.log_format == "json" else err
    with TerminalProgress(console) as progress, on_stop(progress.kept):
        launched = launch_ingest(**asked._asdict(), progress=progress, registry=settings.registry)
    if launched.unlogged:
        err.print(printable(launched.unlogged))
    out.print(f"Published in {launched.seconds:.1f} s. Repositories: {progress.ended()}.")
    if rejected := rejected_record_count(settings):
        out.print(f"Tag records that could not be used: {rejected}. See ingest.rejected_records.")
    return _COMPLETE if launched.status == "complete" else _PARTIAL
