"""Builds of the image lines, one after the other, each on the newest base of its day.

Turns the figures of `image_lines` into pushes.
"""

import hashlib
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pipelines.emulator.built_in.image_lines import Line, Part
from pipelines.emulator.built_in.manifests import Blob, blob, docker_image, oci_image

_NEW_MINOR, _NEW_MAJOR = 0.16, 0.03
_STABLE_EVERY = 6
# 1 spreads builds evenly over the years; more moves them towards today.
_GROWTH = 1.5
# As parts of a day, from 8 to 18 o'clock.
WORKING_HOURS = (8 / 24, 18 / 24)


class Push(NamedTuple):
    """A manifest pushed to some tags of a repository, so many days before today."""

    days_ago: float
    name: str
    tags: tuple[str, ...]
    manifest: str
    digest: str | None = None


class Build(NamedTuple):
    """One image of a line, layers from the base up."""

    days_ago: float
    layers: tuple[Blob, ...]


def builds_of(
    line: Line, earlier: Mapping[str, Sequence[Build]], draw: random.Random
) -> list[Build]:
    """Build a line from its first to its last day.

    Args:
        line: what to build.
        earlier: the builds of the lines it may be based on, oldest first.
        draw: where chance comes from.
    """
    bases = earlier[line.base] if line.base else [Build(math.inf, ())]
    own: list[Blob] = []
    built = []
    for number, days_ago in enumerate(_days(line, draw)):
        own = [
            _layer(line, part, f"{number}.{position}", draw)
            if not own or draw.random() < 1 / part.lasts
            else own[position]
            for position, part in enumerate(line.parts)
        ]
        base = next((base for base in reversed(bases) if base.days_ago > days_ago), bases[0])
        built.append(Build(days_ago, (*base.layers, *own)))
    return built


def pushes_of(line: Line, builds: Sequence[Build], draw: random.Random) -> Iterator[Push]:
    """Push a line's builds to its tags: the version or number of the build, and moving ones."""
    image = oci_image if line.is_oci else docker_image
    all_tags = _nightly_tags(line) if line.is_nightly else _release_tags(line, draw)
    for number, (build, tags) in enumerate(zip(builds, all_tags, strict=True)):
        config = blob(f"config {line.name} {number}", 1_400 + 310 * len(build.layers))
        yield Push(build.days_ago, line.name, tags, image(config, build.layers))


def _days(line: Line, draw: random.Random) -> list[float]:
    """Days before today of each build, oldest first, in working hours, more often of late."""
    span = line.first_day - line.last_day
    days = [line.last_day + round(span * draw.random() ** _GROWTH) for _ in range(line.builds)]
    return sorted((day - draw.uniform(*WORKING_HOURS) for day in days), reverse=True)


def _layer(line: Line, part: Part, label: str, draw: random.Random) -> Blob:
    size = round(draw.lognormvariate(math.log(part.size), part.spread))
    return blob(f"layer {line.name} {label} {draw.random()}", size)


def _release_tags(line: Line, draw: random.Random) -> Iterator[tuple[str, ...]]:
    """Versions that follow each other, each with its moving tags."""
    major, minor, patch = 1, 0, 0
    for _ in range(line.builds):
        yield f"{major}.{minor}.{patch}", f"{major}.{minor}", str(major), "latest"
        chance = draw.random()
        if chance < _NEW_MAJOR:
            major, minor, patch = major + 1, 0, 0
        elif chance < _NEW_MAJOR + _NEW_MINOR:
            minor, patch = minor + 1, 0
        else:
            patch += 1


def _nightly_tags(line: Line) -> Iterator[tuple[str, ...]]:
    """Numbers that follow each other with the commit built; some builds are found stable."""
    for number in range(line.builds):
        commit = hashlib.sha256(f"{line.name} {number}".encode()).hexdigest()[:7]
        stable = ("stable",) if number % _STABLE_EVERY == 0 else ()
        yield f"build-{1000 + number}-{commit}", "nightly", *stable
