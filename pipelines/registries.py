"""Which registries one warehouse directory is of: one, or those of the file `SWR_REGISTRIES`.

Each of several has a directory of its own below it, with all that a single one's has, and settings
of its own: nothing that reads, builds or asks needs to know of the others. What is published for
all of them together is made in `pipelines.run.registries`.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from pipelines.errors import SettingsError
from pipelines.settings import Settings, read_settings, read_settings_with

DIRECTORY = "registries"
_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
# So strict that hardly a secret is taken for the name of the variable that holds it.
_Variable = Annotated[str, msgspec.Meta(pattern=r"^[A-Z_][A-Z0-9_]{0,99}$")]


class Credentials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names of the environment variables that hold what logs in; fields are those of Settings."""

    auth_token: _Variable | None = None
    username: _Variable | None = None
    password: _Variable | None = None
    domain_name: _Variable | None = None
    project_name: _Variable | None = None
    access_key: _Variable | None = None
    secret_key: _Variable | None = None
    security_token: _Variable | None = None
    project_id: _Variable | None = None


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A registry as the file describes it; what is None is as the environment has it for all.

    Of place and credentials nothing is mixed: either of them is the entry's as a whole.
    """

    name: _Name
    region: str | None = None
    cloud: str | None = None
    endpoint: str | None = None
    instance_id: str | None = None
    iam_endpoint: str | None = None
    credentials: Credentials | None = None
    namespaces: tuple[str, ...] | None = None
    repositories: tuple[str, ...] | None = None
    requests_per_second: float | None = None
    pulls_per_second: float | None = None
    concurrency: int | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    registries: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1)]


def chosen_names() -> tuple[str | None, ...]:
    """Name the registries that are spoken of: all of the file, or the chosen one; else just None.

    Raises:
        SettingsError: the file cannot be read, or is wrong.
    """
    common = read_settings()
    return (common.registry,) if common.registry else tuple(_entries(common)) or (None,)


def every_directory() -> dict[str, Path]:
    """The directory of each registry of the file, chosen or not, by its name.

    Raises as `chosen_names`.
    """
    common = read_settings()
    return {name: _directory(common, name) for name in _entries(common)}


def read_one(name: str | None = None) -> Settings:
    """The settings of the registry of this name, of the one that is chosen, or of the only one.

    Raises:
        SettingsError: there are several and none is chosen, or a setting of it is wrong.
    """
    common = read_settings()
    entries = _entries(common)
    if not entries:
        return _of_the_only_one(common, name)
    chosen = name or common.registry or (next(iter(entries)) if len(entries) == 1 else None)
    if entry := entries.get(chosen or ""):
        return _settings_of(entry, common)
    known = ", ".join(entries)
    raise SettingsError(
        f"{common.registries_file} has no registry {chosen}; it has {known}."
        if chosen
        else f"There are several registries: choose one with --registry ({known})."
    )


def _of_the_only_one(common: Settings, name: str | None) -> Settings:
    if name or common.registry:
        raise SettingsError(
            "SWR_REGISTRY or --registry chooses one of several: name their file by SWR_REGISTRIES."
        )
    return common


def _entries(common: Settings) -> dict[str, Entry]:
    """The entries of the file of registries by their names; none where no file is set."""
    path = common.registries_file
    return {entry.name: entry for entry in _read_file(path)} if path else {}


def _directory(common: Settings, name: str) -> Path:
    return common.warehouse_dir / DIRECTORY / name


def _read_file(path: Path) -> tuple[Entry, ...]:
    try:
        entries = msgspec.yaml.decode(path.read_bytes(), type=_File).registries
    except OSError as error:
        raise SettingsError(f"SWR_REGISTRIES: {path} cannot be read: {error.strerror}") from None
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        # Without a quotation of the file: somebody may have put a secret in it.
        reason = error if isinstance(error, msgspec.ValidationError) else "it is no YAML"
        raise SettingsError(f"SWR_REGISTRIES: {path}: {reason}") from None
    for number, entry in enumerate(entries):
        if entry.name in {other.name for other in entries[:number]}:
            raise SettingsError(f"SWR_REGISTRIES: {path} has {entry.name} twice.")
        if not (entry.region or entry.endpoint):
            raise SettingsError(f"SWR_REGISTRIES: {path}: {entry.name} needs region or endpoint.")
    return entries


def _settings_of(entry: Entry, common: Settings) -> Settings:
    given: dict[str, Any] = {
        "registry": entry.name,
        "warehouse_dir": _directory(common, entry.name),
        "region": entry.region,
        "cloud": entry.cloud,
        "endpoint_setting": entry.endpoint,
        "instance_id": entry.instance_id,
        "iam_endpoint_setting": entry.iam_endpoint,
    }
    own = ("namespaces", "repositories", "requests_per_second", "pulls_per_second", "concurrency")
    given |= {name: value for name in own if (value := getattr(entry, name)) is not None}
    if entry.credentials:
        given |= {"credentials": None, **_credentials(entry.name, entry.credentials)}
    if metrics := common.metrics_setting:
        given["metrics_setting"] = metrics.with_suffix(f".{entry.name}{metrics.suffix}")
    try:
        return read_settings_with(given)
    except SettingsError as error:
        raise SettingsError(f"{entry.name}: {error}") from None


def _credentials(registry: str, names: Credentials) -> Mapping[str, str | None]:
    """What the variables hold; whatever else the environment has to log in with does not hold."""
    values: dict[str, str | None] = {}
    for field in names.__struct_fields__:
        variable = getattr(names, field)
        values[field] = os.environ.get(variable) if variable else None
        if variable and not values[field]:
            raise SettingsError(f"{registry}: {variable}, its {field}, is not set.")
    return values
