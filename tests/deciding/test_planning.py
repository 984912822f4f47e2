"""Plans for random registries equal the exhaustive optimum, and what `reclaimable` says of them."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from brute_force_followers import reaching, subject_of
from brute_force_registry import Key, Registry
from brute_force_use import Use
from described_registry import expand, warehouse
from random_choices import hull
from random_registries import registry

from pipelines.deciding.plan import Wish
from pipelines.deciding.protection import Protection
from pipelines.warehouse.asking import asking_on
from pipelines.warehouse.planning import QUESTIONS, plan

MOST = 14
Decision = tuple[str, str, str]


class Exhaustive:
    """Every set of decisions that may go, tried by hand."""

    def __init__(self, found: Registry, protection: Protection) -> None:
        self._registry = found
        self._tags: dict[Decision, list[Key]] = {}
        for key in found.within():
            self._tags.setdefault((key[0], key[1], found.state[key]), []).append(key)
        self._needs = {decision: set(self._needed(decision)) for decision in self._tags}
        seen = Use(found).uses() if protection.in_use else {}
        stays = {
            decision
            for decision, keys in self._tags.items()
            if any(key in seen or _stays(found, key, protection) for key in keys)
        }
        while more := {d for d, needs in self._needs.items() if needs & stays} - stays:
            stays |= more
        self.open = sorted(set(self._tags) - stays)

    def _needed(self, decision: Decision) -> Iterator[Decision]:
        """The indexes that reach it in its repository, and whatever reaches what it follows."""
        found, (namespace, repository, digest) = self._registry, decision
        for other in self._tags:
            is_here = other[:2] == (namespace, repository) and other != decision
            if is_here and digest in found.known.reachable(other[2]):
                yield other
        for key in self._tags[decision]:
            subject = subject_of(found, key)
            for followed in reaching(found, subject) if subject else []:
                other = (followed[0], followed[1], found.state[followed])
                if other != decision:
                    yield other

    def best(self) -> dict[int, int]:
        """For each number of tags the most bytes that so many give back."""
        found = self._registry
        best: dict[int, int] = {}
        users: dict[str, int] = {}
        for decision in self._tags:
            bit = 1 << self.open.index(decision) if decision in self.open else 1 << MOST
            for blob in found.known.blobs(decision[2]):
                users[blob] = users.get(blob, 0) | bit
        sizes = [(mask, found.known.size(blob) or 0) for blob, mask in users.items()]
        needs = [
            sum(1 << self.open.index(other) for other in self._needs[decision])
            for decision in self.open
        ]
        counts = [len(self._tags[decision]) for decision in self.open]
        for mask in range(1 << len(self.open)):
            taken = [number for number in range(len(self.open)) if mask >> number & 1]
            if all(needs[number] & mask == needs[number] for number in taken):
                tags = sum(counts[number] for number in taken)
                given = sum(size for used, size in sizes if used & mask == used)
                best[tags] = max(best.get(tags, 0), given)
        return best


def _stays(found: Registry, key: Key, protection: Protection) -> bool:
    if protection.older_than is not None:
        age = found.age(key, "updated_at")
        if age is None or age < protection.older_than:
            return True
    at = found.tags[key]["updated_at"]
    newer = [
        other
        for other in found.within(*key[:2])
        if (found.tags[other]["updated_at"], key) > (at, other)
    ]
    return len(newer) < protection.keep_newest or key[2] in protection.globs


def drawn(seed: int) -> tuple[Any, Protection]:
    """A registry and what of it is to stay."""
    random = Random(seed)
    protection = Protection(
        random.choice([None, None, 1, 8, 31]),
        random.choice([0, 0, 1, 2]),
        tuple(random.sample(["v1", "latest", "main"], random.randint(0, 2))),
        in_use=random.random() < 0.7,
    )
    return registry(random, random.randint(2, 9)), protection


def assert_best(seed: int) -> bool:
    """Compare the plans for a registry; False if it has too many decisions, or none."""
    description, protection = drawn(seed)
    tables = expand(description)
    by_hand = Exhaustive(Registry(tables), protection)
    if not 1 <= len(by_hand.open) <= MOST:
        return False
    best = by_hand.best()
    corners = hull(best)
    total, random = max(best.values()), Random(seed)
    with warehouse(tables) as con, asking_on(con, QUESTIONS) as asked:
        for least in {given for _, given in corners} | {random.randint(0, total)}:
            planned = plan(asked, Wish(least_bytes=least), protection)
            optimum = min(tags for tags, given in best.items() if given >= least)
            found = planned.plan
            assert (found.tags, found.bound) == (optimum, optimum)
            assert found.bytes == max(given for tags, given in best.items() if tags == optimum)
            assert planned.tags.num_rows == found.tags
            assert (planned.together["reclaimable_bytes"] or 0) == found.bytes
            assert sum(size or 0 for size in planned.tags["bytes"].to_pylist()) == found.bytes
            kinds = set(planned.breaks["kind"].to_pylist())
            assert kinds <= {"left_behind", *([] if protection.in_use else ["in_use"])}
        most = random.randint(0, max(best))
        planned = plan(asked, Wish(most_tags=most), protection)
        optimum = max(given for tags, given in best.items() if tags <= most)
        assert (planned.plan.bytes, planned.plan.bound) == (optimum, optimum)
    return True


@pytest.mark.parametrize("ten", range(3))
def test_plans_equal_the_exhaustive_optimum(ten: int) -> None:
    """To the byte, with followers, shared digests, indexes and protections."""
    done, seed = 0, 1000 * ten
    while done < 10:
        done += assert_best(seed)
        seed += 1


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("fifty", range(10))
def test_five_hundred_plans_equal_the_exhaustive_optimum(fifty: int) -> None:
    """The same for five hundred registries."""
    done, seed = 0, 10_000 * (fifty + 1)
    while done < 50:
        done += assert_best(seed)
        seed += 1
