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
    iam_endpoint: str | None = None
    credentials: Credentials | None = None
    namespaces: tuple[str, ...] | None = None
    repositories: tuple[str, ...] | None = None
    requests_per_second: float | None = None
    pulls_per_second: float | None = None
    concurrency: int | None = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    registries: Annotated[tuple[Entry, ...], msgspec.Meta(min_length=1)]


def registry_names() -> tuple[str, ...]:
    """Names in the file of registries, in its order; none where no file is set.

    Raises:
        SettingsError: the file cannot be read, or is wrong.
    """
    path = read_settings().registries_file
    return tuple(entry.name for entry in _read_file(path)) if path else ()


def chosen_names() -> tuple[str | None, ...]:
    """Name the registries that are spoken of: all of the file, or the chosen one; else just None.

    Raises as `registry_names`.
    """
    return (read_settings().registry,) if read_settings().registry else registry_names() or (None,)


def every_directory() -> dict[str, Path]:
    """The directory of each registry of the file, chosen or not, by its name.

    Raises:
        SettingsError: the file cannot be read, or is wrong.
    """
    directory = read_settings().warehouse_dir / DIRECTORY
    return {name: directory / name for name in registry_names()}


def read_each() -> list[Settings]:
    """The settings of each registry; those of the environment where no file names several.

    Raises:
        SettingsError: a setting is wrong, or the file of registries.
    """
    common = read_settings()
    if common.registries_file is None:
        return [_refuse_choice(common)]
    entries = _read_file(common.registries_file)
    chosen = [entry for entry in entries if common.registry in {None, entry.name}]
    if not chosen:
        raise SettingsError(
            f"{common.registries_file} has no registry {common.registry}; {_listed(entries)}"
        )
    return [_settings_of(entry, common.warehouse_dir) for entry in chosen]


def read_one(name: str | None = None) -> Settings:
    """The settings of the registry of this name, of the one that is chosen, or of the only one.

    Raises:
        SettingsError: there are several and none is chosen, or a setting is wrong.
    """
    each = read_each()
    found = [settings for settings in each if name in {None, settings.registry}]
    if len(found) == 1:
        return found[0]
    known = ", ".join(settings.registry or "" for settings in each)
    raise SettingsError(
        f"There is no registry {name}; there are {known}."
        if name
        else f"There are several registries: choose one with --registry ({known})."
    )


def _refuse_choice(common: Settings) -> Settings:
    if common.registry is not None:
        raise SettingsError(
            "SWR_REGISTRY or --registry chooses one of several: name their file by SWR_REGISTRIES."
        )
    return common


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


def _listed(entries: tuple[Entry, ...]) -> str:
    return f"it has {', '.join(entry.name for entry in entries)}."


def _settings_of(entry: Entry, directory: Path) -> Settings:
    given: dict[str, Any] = {
        "registry": entry.name,
        "warehouse_dir": directory / DIRECTORY / entry.name,
        "region": entry.region,
        "cloud": entry.cloud,
        "endpoint_setting": entry.endpoint,
        "iam_endpoint_setting": entry.iam_endpoint,
    }
    own = ("namespaces", "repositories", "requests_per_second", "pulls_per_second", "concurrency")
    given |= {name: value for name in own if (value := getattr(entry, name)) is not None}
    if entry.credentials:
        given |= {"credentials": None, **_credentials(entry.name, entry.credentials)}
    if metrics := read_settings().metrics_setting:
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
