"""Draws decisions that share blobs and require one another, and tries every set of them."""

from collections.abc import Sequence
from random import Random

import numpy as np

from pipelines.deciding.closures import Choices
from pipelines.deciding.min_cut import Ints

SMALL = [1, 2, 3, 7, 70, 100]
LARGE = [*SMALL, 0, 2**40 + 1, 2**46]


def choices(random: Random, count: int, sizes: list[int]) -> Choices:
    """Make up so many decisions."""
    blobs = random.randint(0, 2 * count) if count > 1 else 0
    uses = [
        (blob, user)
        for blob in range(blobs)
        for user in random.sample(range(count), random.randint(2, min(count, 5)))
    ]
    pairs = {tuple(random.sample(range(count), 2)) for _ in range(count // 2) if count > 1}
    return Choices(
        tags=np.array([random.randint(1, 3) for _ in range(count)], np.int64),
        own=np.array([random.choice([0, random.choice(sizes)]) for _ in range(count)], np.int64),
        shared=np.array([random.choice(sizes) for _ in range(blobs)], np.int64),
        users=_columns(uses),
        requires=_columns(sorted(pairs)),
    )


def _columns(pairs: Sequence[tuple[int, ...]]) -> tuple[Ints, Ints]:
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def best_bytes(drawn: Choices) -> dict[int, int]:
    """For each number of tags that a closed set has the most bytes that one gives back."""
    best: dict[int, int] = {}
    users = list(zip(*(side.tolist() for side in drawn.users), strict=True))
    requires = list(zip(*(side.tolist() for side in drawn.requires), strict=True))
    for mask in range(1 << len(drawn.tags)):
        taken = {number for number in range(len(drawn.tags)) if mask >> number & 1}
        if all(needed in taken for needing, needed in requires if needing in taken):
            lacking = {blob for blob, user in users if user not in taken}
            given = sum(int(drawn.own[number]) for number in taken)
            given += sum(
                size for blob, size in enumerate(drawn.shared.tolist()) if blob not in lacking
            )
            tags = sum(int(drawn.tags[number]) for number in taken)
            best[tags] = max(best.get(tags, 0), given)
    return best


def hull(best: dict[int, int]) -> list[tuple[int, int]]:
    """The corners of the line above all points, up to the most bytes."""
    corners: list[tuple[int, int]] = []
    for tags, given in sorted(best.items()):
        while len(corners) > 1 and _is_below(corners[-2], corners[-1], (tags, given)):
            corners.pop()
        corners.append((tags, given))
    highest = max(given for _, given in corners)
    last = next(place for place, (_, given) in enumerate(corners) if given == highest)
    return corners[: last + 1]


def _is_below(first: tuple[int, int], middle: tuple[int, int], last: tuple[int, int]) -> bool:
    """Whether the middle point is not above the line between the others."""
    rise, run = last[1] - first[1], last[0] - first[0]
    return (middle[1] - first[1]) * run <= rise * (middle[0] - first[0])
