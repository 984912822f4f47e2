"""Steps and plans equal the exhaustive optimum over random decisions."""

from random import Random

import numpy as np
import pytest
from random_choices import LARGE, SMALL, best_bytes, choices, hull

from pipelines.deciding.closures import Choices, Steps, best_steps
from pipelines.deciding.plan import Wish, best_plan

NONE = np.empty(0, np.int64)


def drawn(seed: int) -> Choices:
    """Up to nine decisions."""
    random = Random(seed)
    return choices(random, random.randint(1, 9), random.choice([SMALL, LARGE]))


def points(found: Choices, steps: Steps) -> list[tuple[int, int]]:
    """Tags and bytes after each step, counted anew; each is a closed set."""
    sets = [steps.taken(count) for count in range(len(steps.tags) + 1)]
    assert all(map(found.is_closed, sets))
    return [(found.tags_of(taken), found.bytes_of(taken)) for taken in sets]


def assert_best(seed: int) -> None:
    """Compare steps, and plans for every number of tags and for many sizes."""
    random, found = Random(seed), drawn(seed)
    best, steps = best_bytes(found), best_steps(found)
    reached = points(found, steps)
    corners = hull(best)
    assert set(corners) <= set(reached)
    total = max(best.values())
    sizes = {0, total // 2, total, *(random.randint(0, total) for _ in range(4))}
    for most_tried in (20, 3, 0):
        for least in sizes | {given for _, given in reached}:
            optimum = min(tags for tags, given in best.items() if given >= least)
            plan = best_plan(found, steps, Wish(least_bytes=least), most_tried)
            assert found.is_closed(plan.is_taken)
            assert (plan.tags, plan.bytes) == (
                found.tags_of(plan.is_taken),
                found.bytes_of(plan.is_taken),
            )
            assert plan.bytes >= least
            assert plan.bound <= optimum <= plan.tags
            if most_tried == 20 or least in {given for _, given in corners}:
                assert plan.tags == optimum
        for most in range(max(best) + 1):
            optimum = max(given for tags, given in best.items() if tags <= most)
            plan = best_plan(found, steps, Wish(most_tags=most), most_tried)
            assert found.is_closed(plan.is_taken)
            assert plan.tags <= most
            assert plan.bytes == found.bytes_of(plan.is_taken)
            assert plan.bytes <= optimum <= plan.bound
            if most_tried == 20 or most in {tags for tags, _ in corners}:
                assert plan.bytes == optimum


@pytest.mark.parametrize("seed", range(30))
def test_plans_equal_the_best_of_all_sets(seed: int) -> None:
    """At every corner of the hull; between them too where all sets are tried, and never beyond the
    bound where they are not.
    """
    assert_best(seed)


@pytest.mark.soak
@pytest.mark.parametrize("hundred", range(1, 11))
def test_a_thousand_plans_equal_the_best_of_all_sets(hundred: int) -> None:
    """The same for a thousand."""
    for seed in range(100 * hundred, 100 * hundred + 100):
        assert_best(seed)


def test_what_cannot_be_reached_is_said() -> None:
    """With all that there is."""
    two = Choices(np.array([1, 2]), np.array([5, 7]), NONE, (NONE, NONE), (NONE, NONE))
    plan = best_plan(two, best_steps(two), Wish(least_bytes=13))
    assert (plan.is_met, plan.tags, plan.bytes) == (False, 3, 12)


def test_nothing_is_planned_of_nothing() -> None:
    """Also where nothing that may go gives anything back."""
    for found in (
        Choices(NONE, NONE, NONE, (NONE, NONE), (NONE, NONE)),
        Choices(np.array([1]), np.array([0]), NONE, (NONE, NONE), (NONE, NONE)),
    ):
        plan = best_plan(found, best_steps(found), Wish(most_tags=5))
        assert (plan.tags, plan.bytes, plan.bound) == (0, 0, 0)
        assert not best_plan(found, best_steps(found), Wish(least_bytes=1)).is_met


def test_a_gap_between_steps_is_filled_or_pruned() -> None:
    """Three blobs of two tags each, of which two share a user: 10 for a and b, 9 for b and c, 8 for
    d and e. The first step takes a, b and c.
    """
    users = (np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 2, 3, 4]))
    five = Choices(
        np.ones(5, np.int64), np.zeros(5, np.int64), np.array([10, 9, 8]), users, (NONE, NONE)
    )
    steps = best_steps(five)
    assert (steps.tags.tolist(), steps.bytes.tolist()) == ([3, 2], [19, 8])
    plan = best_plan(five, steps, Wish(least_bytes=10), most_tried=0)
    assert (plan.tags, plan.bytes, plan.bound) == (2, 10, 2)
    plan = best_plan(five, steps, Wish(most_tags=2), most_tried=0)
    assert (plan.tags, plan.bytes, plan.bound) == (2, 10, 12)
