"""Reads an image's configuration: its platform, when it was built, its labels and history.

Never raises, whatever the text: what cannot be read is null, and named as the problem.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, OverflowError)
_BASE_NAME = "org.opencontainers.image.base.name"
_BASE_DIGEST = "org.opencontainers.image.base.digest"


class _Execution(msgspec.Struct, rename="pascal"):
    """The part of a configuration that says how to run the image; labels are in it."""

    labels: dict[str, str] | None = None


def read_config(digest: str, text: bytes) -> dict[str, Any]:
    """Read a configuration's text as a row of IMAGE_CONFIGS, but for the manifest's digest."""
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
    return row | {"problem": problem}


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
