"""Several registries in one warehouse directory: how one joins, and what is published of all."""

import shutil
from contextlib import closing
from pathlib import Path

import duckdb

from pipelines.errors import OtherRegistry, WarehouseError
from pipelines.registries import DIRECTORY, every_directory
from pipelines.run.known import registry_in
from pipelines.settings import Settings
from pipelines.warehouse.building import writer_lock
from pipelines.warehouse.query import is_published, open_published
from pipelines.warehouse.resources import resources_of
from pipelines.warehouse.state import STATE, connect_state, has_state, is_of_several
from pipelines.warehouse.union import publish_union

# Dagster's own folders and the locks stay where they are when a single registry joins others.
_STAYING = {DIRECTORY, "dagster", "demo", ".lock", ".lock.pid"}
_PATIENCE_SECONDS = 600


def let_join(settings: Settings) -> None:
    """Move what the directory holds of a single registry to where it is one of several.

    None of it changes: its history goes on. The state goes last, so that a move that broke off is
    gone on with.

    Raises:
        OtherRegistry: it is none of the file's.
        WarehouseError: it cannot be read or moved.
    """
    if not settings.registry:
        return
    directory = settings.warehouse_dir.parents[1]
    if not _holds_a_single_one(directory):
        return
    with writer_lock(directory, _PATIENCE_SECONDS):
        if _holds_a_single_one(directory):
            _move(directory, _its_directory(directory, settings))


def publish_all(settings: Settings) -> Path | None:
    """Publish what all registries of the file hold as one warehouse; None where there is but one.

    A registry that no run has published yet is left out; one whose latest run failed is in it as
    it was read last.

    Raises:
        WarehouseError: it cannot be written.
    """
    if not settings.registry:
        return None
    directory = settings.warehouse_dir.parents[1]
    with writer_lock(directory, _PATIENCE_SECONDS):
        members = every_directory()
        published = [members[name] for name in sorted(members) if is_published(members[name])]
        return publish_union(directory, published, resources_of(settings))


def _holds_a_single_one(directory: Path) -> bool:
    """Whether a directory is that of a single registry: has a state, or a file published of one."""
    if has_state(directory) or not is_published(directory):
        return has_state(directory)
    with open_published(directory) as con:
        return not is_of_several(con)


def _its_directory(directory: Path, settings: Settings) -> Path:
    """Where the single registry of a directory belongs among several."""
    name = _name_of_single(directory)
    if found := every_directory().get(name):
        return found
    raise OtherRegistry(
        f"{directory} holds the registry {name}, which {settings.registries_file} does not have:"
        " add it under this name, or set SWR_WAREHOUSE_DIR to another directory."
    )


def _name_of_single(directory: Path) -> str:
    try:
        with closing(connect_state(directory)) as con:
            registry = registry_in(con)
    except (duckdb.CatalogException, WarehouseError):
        registry = None
    if registry is None:
        raise WarehouseError(
            f"{directory} does not say which registry it holds: run `swr-warehouse ingest` once"
            " without SWR_REGISTRIES, so that it does."
        )
    return registry.name


def _move(directory: Path, target: Path) -> None:
    """Move all that belongs to one registry."""
    if has_state(target):
        raise WarehouseError(f"{directory} and {target} both hold a state: move one of them away.")
    parts = [path for path in directory.iterdir() if path.name not in _STAYING]
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in sorted(parts, key=lambda path: path.name == STATE):
            shutil.move(path, target / path.name)
    except OSError as error:
        raise WarehouseError(
            f"{directory} cannot be moved to {target} ({error.strerror}): run ingest again."
        ) from error
