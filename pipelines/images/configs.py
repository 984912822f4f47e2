"""Reads an image's configuration: its platform, when it was built, its labels and history.

Never raises, whatever the text: what cannot be read is null, and named as the problem.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

import msgspec
import pyarrow as pa

from pipelines.schemas import IMAGE_CONFIGS, IMAGE_LABELS

T = TypeVar("T")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError)
_BASE_NAME = "org.opencontainers.image.base.name"
_BASE_DIGEST = "org.opencontainers.image.base.digest"


class _Execution(msgspec.Struct, rename="pascal"):
    """The part of a configuration that says how to run the image; labels are in it."""

    labels: dict[str, str] | None = None


class ConfigTables(NamedTuple):
    """Rows of IMAGE_CONFIGS and IMAGE_LABELS."""

    configs: pa.Table
    labels: pa.Table


def config_tables(texts: Iterable[tuple[str, bytes]]) -> ConfigTables:
    """Rows of configurations, given as (digest, text), and of their labels."""
    configs, labels = [], []
    for digest, text in texts:
        row, own = _read(digest, text)
        configs.append(row)
        labels += [
            {"config_digest": digest, "label_key": key, "label_value": value}
            for key, value in sorted(own.items())
        ]
    return ConfigTables(
        pa.Table.from_pylist(configs, schema=IMAGE_CONFIGS),
        pa.Table.from_pylist(labels, schema=IMAGE_LABELS),
    )


def _read(digest: str, text: bytes) -> tuple[dict[str, Any], dict[str, str]]:
    fields, problem = _fields(text)
    unreadable: list[str] = []

    def read(name: str, shape: type[T]) -> T | None:
        raw = fields.get(name)
        if raw is None:
            return None
        try:
            value: T | None = msgspec.json.decode(raw, type=shape | None)
        except _UNREADABLE:
            unreadable.append(name)
            return None
        return value

    execution = read("config", _Execution)
    labels = (execution and execution.labels) or {}
    history = read("history", list[msgspec.Raw])
    row = {
        "config_digest": digest,
        "os": read("os", str),
        "architecture": read("architecture", str),
        "variant": read("variant", str),
        "built_at": _as_utc(read("created", datetime)),
        "labels": msgspec.json.encode(labels, order="sorted").decode(),
        "base_name": labels.get(_BASE_NAME),
        "base_digest": labels.get(_BASE_DIGEST),
        "history_steps": None if history is None else len(history),
    }
    if unreadable:
        problem = f"cannot be read: {', '.join(unreadable)}"
    return row | {"problem": problem}, labels


def _fields(text: bytes) -> tuple[Mapping[str, msgspec.Raw], str | None]:
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw]), None
    except _UNREADABLE:
        return {}, "it is no JSON object"


def _as_utc(moment: datetime | None) -> datetime | None:
    """A moment in UTC; one without a time zone says no moment."""
    if moment is None or moment.tzinfo is None:
        return None
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        return None
