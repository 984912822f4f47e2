"""Configurations of the company's images, which are real: when they were built, of what, by whom.

Builds are reproducible: an image is dated by its commit, and not by the moment of its push.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import NamedTuple

from pipelines.emulator.built_in.image_lines import team_of
from pipelines.emulator.built_in.manifests import Blob, blob_of, compact

_SOURCE = "https://git.example.com"
_STAMP = "%Y-%m-%dT%H:%M:%SZ"
# Older images were built before anybody asked whose they are.
_FIRST_OWNED = 1200


class Step(NamedTuple):
    """One entry of an image's history; `is_empty` if it made no layer."""

    days_ago: float
    command: str
    is_empty: bool = False


class Base(NamedTuple):
    """The image that another one is built on."""

    name: str
    digest: str


class Commit(NamedTuple):
    """What an image is built from, made so many days ago; `stamp` as configurations write it."""

    identifier: str
    days_ago: float
    stamp: str


@dataclass(frozen=True)
class Calendar:
    """When commits were made: counted from the first day of a month.

    Digests of images therefore change with the month, and not with each day.
    """

    today: date

    def commit(self, label: str, days_ago: float) -> Commit:
        """Make up a commit."""
        return Commit(commit_of(label), days_ago, self.stamp(days_ago))

    def stamp(self, days_ago: float) -> str:
        """Write a moment so many days before as configurations do."""
        return _stamp(self.today.replace(day=1), days_ago)


def configuration(
    created: str,
    layers: Sequence[Blob],
    *,
    platform: Mapping[str, str],
    labels: Mapping[str, str] | None = None,
    history: Sequence[Mapping[str, object]] = (),
) -> Blob:
    """Write an image's configuration."""
    content = {
        **platform,
        "config": {"Entrypoint": ["/start"], "Labels": labels or None},
        "created": created,
        "history": history,
        "rootfs": {"type": "layers", "diff_ids": [diff_id(layer) for layer in layers]},
    }
    return blob_of(compact(content).encode())


def history_of(steps: Sequence[Step], calendar: Calendar) -> list[dict[str, object]]:
    """Write the steps that made an image."""
    return [
        {"created": calendar.stamp(step.days_ago), "created_by": step.command}
        | ({"empty_layer": True} if step.is_empty else {})
        for step in steps
    ]


def labels_of(name: str, commit: Commit, base: Base | None = None) -> dict[str, str]:
    """The labels of a repository's images: source, owners, base."""
    labels = {
        "org.opencontainers.image.source": f"{_SOURCE}/{name}",
        "org.opencontainers.image.revision": commit.identifier,
    }
    if commit.days_ago < _FIRST_OWNED:
        team = team_of(name)
        labels |= {"team": team, "maintainer": f"{team}@example.com"}
    if base:
        labels["org.opencontainers.image.base.name"] = base.name
        labels["org.opencontainers.image.base.digest"] = base.digest
    return labels


def commit_of(label: str) -> str:
    """Make up a commit's identifier: same label, same commit."""
    return hashlib.sha1(label.encode(), usedforsecurity=False).hexdigest()


def diff_id(layer: Blob) -> str:
    """The digest of a layer's plain archive; made up where there is no content."""
    return layer.digest if layer.content else _diff_id(layer.digest)


@cache
def _diff_id(digest: str) -> str:
    return "sha256:" + hashlib.sha256(f"plain {digest}".encode()).hexdigest()


@cache
def _stamp(first: date, days_ago: float) -> str:
    moment = datetime.combine(first, time(), UTC) - timedelta(days=days_ago)
    return moment.strftime(_STAMP)
