"""The built-in registry of a company that does not exist, and what a day changes in it.

Deterministic: sizes and versions never change, dates with the day that is asked for, digests of
images with its month (`Calendar`). `image_lines` has what the company builds.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple

from pipelines.emulator.built_in.builds import WORKING_HOURS, Build, Push, builds_of, pushes_of
from pipelines.emulator.built_in.configurations import Calendar, commit_of
from pipelines.emulator.built_in.image_lines import BASES, LINES
from pipelines.emulator.built_in.manifests import Image, compact, digest_of
from pipelines.emulator.built_in.special_images import special_pushes
from pipelines.emulator.contents import sha256
from pipelines.emulator.records import stamp
from pipelines.emulator.registry import Registry
from pipelines.emulator.repository import StoredTag

_SIGNED_LINE = "shop/payments/api"
_DELETED = "import-0"
_RELEASES_A_DAY = 8
_CLEANUPS_A_DAY = 3
_CLEANED_UP = 4
_WORTH_A_CLEANUP = 30
# A layer of fewer bytes holds settings rather than what was built.
_SMALL = 1000
# A version or numbered build; the next one has the next number.
_NUMBERED = re.compile(r"(\d+\.\d+\.|build-)(\d+)(-[0-9a-f]{7})?")


class Change(NamedTuple):
    """One tag that a day changed."""

    kind: Literal["pushed", "moved", "deleted"]
    namespace: str
    repository: str
    tag: str


def built_in_registry(today: date, seed: int = 1) -> Registry:
    """Build the registry as four years of pushes leave it on the morning of `today` (UTC)."""
    registry = Registry()
    midnight = datetime.combine(today, time(), UTC)
    for push in _history(seed, Calendar(today)):
        namespace, _, repository = push.name.partition("/")
        at = midnight - timedelta(days=push.days_ago)
        for image in push.untagged:
            registry.store_manifest(namespace, repository, image.manifest)
        for image in (push.image, *push.untagged):
            _store_blobs(registry, namespace, repository, image)
        for tag in push.tags:
            text = push.image.manifest
            registry.push(namespace, repository, tag, text, at=at, digest=push.digest)
    _flag_one_as_deleted(registry, midnight)
    for record in registry.repository_records():
        name = f"{record['namespace']}/{record['name']}"
        registry.describe(
            record["namespace"],
            record["name"],
            is_public=name.startswith(BASES),
            download_count=random.Random(f"{seed} pulls {name}").randrange(40, 90_000),  # noqa: S311 - no secret
        )
    return registry


def advance_a_day(registry: Registry, day: date) -> list[Change]:
    """Let a day pass in the built-in registry: releases and clean-ups in its working hours.

    Returns:
        What changed, in this order.
    """
    draw = random.Random(day.isoformat())  # noqa: S311 - no secret
    names = [(record["namespace"], record["name"]) for record in registry.repository_records()]
    releasable = [name for name in names if _newest_release(registry.tags(*name))]
    released = draw.sample(releasable, min(_RELEASES_A_DAY, len(releasable)))
    changes: list[Change] = []
    for name, at in zip(released, _moments(day, len(released), draw), strict=True):
        changes += _release(registry, name, at, draw)
    crowded = [name for name in names if len(registry.tags(*name)) >= _WORTH_A_CLEANUP]
    for name in draw.sample(crowded, min(_CLEANUPS_A_DAY, len(crowded))):
        changes += _clean_up(registry, name)
    return changes


def _store_blobs(registry: Registry, namespace: str, repository: str, image: Image) -> None:
    for blob in image.blobs:
        if blob.content is None:
            registry.describe_blob(namespace, repository, blob.digest, blob.size)
        else:
            registry.store_blob(namespace, repository, blob.content)


def _history(seed: int, calendar: Calendar) -> list[Push]:
    """All pushes, oldest first."""
    builds: dict[str, list[Build]] = {}
    pushes: dict[str, list[Push]] = {}
    for line in LINES:
        draw = random.Random(f"{seed} {line.name}")  # noqa: S311 - no secret
        builds[line.name] = builds_of(line, builds, draw)
        pushed = pushes_of(line, builds[line.name], pushes, calendar, draw)
        pushes[line.name] = list(pushed)
    everything = [push for line in pushes.values() for push in line]
    debian = builds["platform/base/debian"]
    everything += special_pushes(debian, pushes[_SIGNED_LINE], calendar)
    return sorted(everything, key=lambda push: push.days_ago, reverse=True)


def _flag_one_as_deleted(registry: Registry, midnight: datetime) -> None:
    """Leave one record that says of itself that it is deleted."""
    record = registry.tags("data", "scratch/uploads")[0].wire
    path = record["path"].replace(record["Tag"], _DELETED)
    created, updated, deleted = (stamp(midnight - timedelta(days=days)) for days in (340, 339, 300))
    dates = {"created": created, "updated": updated, "deleted": deleted}
    registry.add_record(
        record | {"id": 1, "Tag": _DELETED, "path": path, "internal_path": path} | dates
    )


def _newest_release(tags: Sequence[StoredTag]) -> StoredTag | None:
    """The numbered tag updated last, if it is an image that can be built anew."""
    numbered = [tag for tag in tags if _NUMBERED.fullmatch(tag.name)]
    newest = max(numbered, key=lambda tag: tag.updated, default=None)
    return newest if newest and newest.wire.get("size") else None


def _moments(day: date, count: int, draw: random.Random) -> Iterator[datetime]:
    """Moments of a day's working hours, in order."""
    midnight = datetime.combine(day, time(), UTC)
    parts = sorted(draw.uniform(*WORKING_HOURS) for _ in range(count))
    return (midnight + timedelta(days=part) for part in parts)


def _release(
    registry: Registry, name: tuple[str, str], at: datetime, draw: random.Random
) -> Iterator[Change]:
    """Push the next build of a repository; tags that were on the last one move to it."""
    tags = registry.tags(*name)
    last = _newest_release(tags)
    if last is None:
        return
    tag = _next_name(last.name, draw)
    config = _renewed(registry, name, last.wire["manifest"], tag, at)
    registry.store_blob(*name, config)
    manifest = _rebuilt(last.wire["manifest"], config, draw)
    registry.push(*name, tag, manifest, at=at)
    yield Change("pushed", *name, tag)
    for follower in tags:
        is_moving = not _NUMBERED.fullmatch(follower.name)
        if is_moving and follower.wire["digest"] == last.wire["digest"]:
            registry.push(*name, follower.name, manifest, at=at)
            yield Change("moved", *name, follower.name)


def _next_name(name: str, draw: random.Random) -> str:
    match = _NUMBERED.fullmatch(name)
    if match is None:
        raise ValueError(f"{name} has no number")
    stem, number, commit = match.groups()
    suffix = f"-{draw.getrandbits(28):07x}" if commit else ""
    return f"{stem}{int(number) + 1}{suffix}"


def _renewed(
    registry: Registry, name: tuple[str, str], manifest: str, tag: str, at: datetime
) -> bytes:
    """The configuration of an image or chart as its next build has it."""
    before = registry.blob(*name, json.loads(manifest)["config"]["digest"])
    if before is None:
        raise ValueError(f"{name} has no configuration")
    parsed = json.loads(before)
    if "version" in parsed:
        parsed["version"] = tag
    else:
        parsed["created"] = f"{at:%Y-%m-%dT%H:%M:%SZ}"
        commit = commit_of(f"{name} {tag}")
        parsed["config"]["Labels"]["org.opencontainers.image.revision"] = commit
    return compact(parsed).encode()


def _rebuilt(manifest: str, config: bytes, draw: random.Random) -> str:
    """The image with another config and another last layer, small ones left out of account."""
    parsed = json.loads(manifest)
    layers = parsed["layers"]
    changed = next((layer for layer in reversed(layers) if layer["size"] > _SMALL), layers[-1])
    changed["size"] = round(changed["size"] * draw.uniform(0.9, 1.15))
    changed["digest"] = digest_of(f"{changed['digest']} {draw.random()}")
    parsed["config"] |= {"size": len(config), "digest": sha256(config)}
    return json.dumps(parsed, indent=3) if "\n" in manifest else compact(parsed)


def _clean_up(registry: Registry, name: tuple[str, str]) -> Iterator[Change]:
    """Delete the oldest numbered tags of a repository."""
    numbered = [tag.name for tag in registry.tags(*name) if _NUMBERED.fullmatch(tag.name)]
    for tag in numbered[:_CLEANED_UP]:
        registry.delete_tag(*name, tag)
        yield Change("deleted", *name, tag)
