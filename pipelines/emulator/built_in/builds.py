"""Builds of the image lines, one after the other, each on the newest base of its day.

Turns the figures of `image_lines` into pushes.
"""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pipelines.emulator.built_in.configurations import (
    Base,
    Calendar,
    Step,
    commit_of,
    configuration,
    history_of,
    labels_of,
)
from pipelines.emulator.built_in.image_lines import BASES, Line, Part
from pipelines.emulator.built_in.manifests import (
    Blob,
    Image,
    blob,
    digest_of,
    docker_image,
    oci_image,
)
from pipelines.emulator.records import HOST

_NEW_MINOR, _NEW_MAJOR = 0.16, 0.03
_STABLE_EVERY = 6
# 1 spreads builds evenly over the years; more moves them towards today.
_GROWTH = 1.5
# As parts of a day, from 8 to 18 o'clock.
WORKING_HOURS = (8 / 24, 18 / 24)


# Parts of a day before work begins: for what stands on nothing, and for what stands on that.
_FIRST_BASES = (0.2, 0.3)
_PLATFORM = {"architecture": "amd64", "os": "linux"}


class Push(NamedTuple):
    """A manifest pushed to some tags of a repository, so many days before today.

    Attributes:
        digest: of the manifest, where it is not the hash of its text.
        untagged: manifests that come with it: those an index names.
    """

    days_ago: float
    name: str
    tags: tuple[str, ...]
    image: Image
    digest: str | None = None
    untagged: tuple[Image, ...] = ()


class Build(NamedTuple):
    """One image of a line, layers and steps from the base up; `base` is its base's number."""

    days_ago: float
    layers: tuple[Blob, ...]
    steps: tuple[Step, ...] = ()
    base: int | None = None


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
        found = (n for n in reversed(range(len(bases))) if bases[n].days_ago > days_ago)
        base = next(found, 0)
        layers, steps = (*bases[base].layers, *own), (*bases[base].steps, *_steps(days_ago, own))
        built.append(Build(days_ago, layers, steps, base if line.base else None))
    return built


def pushes_of(
    line: Line,
    builds: Sequence[Build],
    earlier: Mapping[str, Sequence[Push]],
    calendar: Calendar,
    draw: random.Random,
) -> Iterator[Push]:
    """Push a line's builds to its tags: the version or number of the build, and moving ones."""
    image = oci_image if line.is_oci else docker_image
    all_tags = _nightly_tags(line) if line.is_nightly else _release_tags(line, draw)
    for number, (build, tags) in enumerate(zip(builds, all_tags, strict=True)):
        base = _base(line, build, earlier)
        commit = calendar.commit(f"{line.name} {number}", build.days_ago)
        config = configuration(
            commit.stamp,
            build.layers,
            platform=_PLATFORM,
            labels=labels_of(line.name, commit, base),
            history=history_of(build.steps, calendar),
        )
        yield Push(build.days_ago, line.name, tags, image(config, build.layers))


def _base(line: Line, build: Build, earlier: Mapping[str, Sequence[Push]]) -> Base | None:
    """The base that an image's labels name: builders of OCI images write it down."""
    if not line.is_oci or line.base is None or build.base is None:
        return None
    push = earlier[line.base][build.base]
    return Base(f"{HOST}/{line.base}:{push.tags[0]}", digest_of(push.image.manifest))


def _steps(days_ago: float, layers: Sequence[Blob]) -> Iterator[Step]:
    """One step a layer, and one that only sets what is started."""
    for layer in layers:
        yield Step(days_ago, f"COPY dir:{layer.digest[7:19]} / # buildkit")
    yield Step(days_ago, 'ENTRYPOINT ["/start"]', is_empty=True)


def _days(line: Line, draw: random.Random) -> list[float]:
    """Days before today of each build, oldest first, in working hours, more often of late.

    A base is first built before anything could be built on it.
    """
    span = line.first_day - line.last_day
    days = [line.last_day + round(span * draw.random() ** _GROWTH) for _ in range(line.builds)]
    moments = sorted((day - draw.uniform(*WORKING_HOURS) for day in days), reverse=True)
    if line.name.startswith(BASES):
        moments[0] = line.first_day - _FIRST_BASES[line.base is not None]
    return moments


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
        commit = commit_of(f"{line.name} {number}")[:7]
        stable = ("stable",) if number % _STABLE_EVERY == 0 else ()
        yield f"build-{1000 + number}-{commit}", "nightly", *stable
