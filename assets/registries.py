"""How Dagster's pages tell several registries apart: runs by a tag, partitions by a prefix."""

from collections.abc import Iterable

import dagster as dg

from pipelines.errors import SettingsError
from pipelines.registries import chosen_names, read_one
from pipelines.settings import Settings

REGISTRY_TAG = "swr_warehouse/registry"
_ONE_ALONE = "A run reads one registry: choose the partitions of one alone."
_PARTITION_TAGS = (
    "dagster/partition",
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
)


def tags_of(registry: str | None) -> dict[str, str]:
    """The tags of a run that reads this one of several registries."""
    return {REGISTRY_TAG: registry} if registry else {}


def registry_of(run: dg.DagsterRun) -> str | None:
    """Which of several registries a run reads: by its tag, or by its partitions.

    Raises:
        SettingsError: its partitions are of several.
    """
    keys = [run.tags[tag] for tag in _PARTITION_TAGS if tag in run.tags]
    named = {key.partition("/")[0] for key in keys if "/" in key}
    if len(named) > 1:
        raise SettingsError(_ONE_ALONE)
    return run.tags.get(REGISTRY_TAG) or next(iter(named), None)


def settings_of(run: dg.DagsterRun | None) -> Settings:
    """The settings of the registry that a run reads.

    Raises:
        SettingsError: there are several, and the run does not say which.
    """
    name = registry_of(run) if run else None
    names = chosen_names()
    if name is None and len(names) > 1:
        raise SettingsError(
            f"There are several registries: give the run the tag {REGISTRY_TAG} with one of"
            f" {', '.join(filter(None, names))}, or choose partitions of one."
        )
    return read_one(name)


def partition_of(registry: str | None, namespace: str) -> str:
    """The partition of a namespace: its name, behind that of its registry if there are several."""
    return f"{registry}/{namespace}" if registry else namespace


def partitions_of(registry: str | None, partitions: Iterable[str]) -> set[str]:
    """Those of all partitions that are this registry's."""
    beginning = partition_of(registry, "")
    return {key for key in partitions if key.startswith(beginning)}


def namespaces_of(registry: str | None, partitions: Iterable[str]) -> tuple[str, ...]:
    """The namespaces of partitions of one registry.

    Raises:
        SettingsError: there are others among them, as in a range over several registries.
    """
    keys = tuple(partitions)
    if len(partitions_of(registry, keys)) < len(keys):
        raise SettingsError(_ONE_ALONE)
    beginning = partition_of(registry, "")
    return tuple(key.removeprefix(beginning) for key in keys)


def query_of(settings: Settings) -> str:
    """What the address of a picture or page ends with, to be that of one registry of several."""
    return f"?registry={settings.registry}" if settings.registry else ""
