"""The plan for a wish: so many bytes for the fewest tags, or the most bytes for so many tags.

At a step of `closures` the plan is the best there is. Between two steps it is filled greedily,
pruned, and where at most twenty decisions are open, found by trying all. The straight line between
the steps is what no plan can beat.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

from pipelines.deciding.closures import Choices, Steps, sums
from pipelines.deciding.min_cut import Bools, Ints

Floats = npt.NDArray[np.float64]
_TRIED = 20
# Decisions beyond the next step that filling looks at, and how often it takes some.
_NEAR = 2_000
_ROUNDS = 200


@dataclass(frozen=True)
class Wish:
    """So many bytes at least, or so many tags at most; the other is None."""

    least_bytes: int | None = None
    most_tags: int | None = None

    def is_met(self, tags: int, given: int) -> bool:
        """Whether a set of so many tags that gives so much back will do."""
        if self.least_bytes is not None:
            return given >= self.least_bytes
        return self.most_tags is None or tags <= self.most_tags

    def cost(self, tags: int, given: int) -> tuple[int, int]:
        """What of two sets that will do makes the better one; the smaller is better."""
        return (-given, tags) if self.least_bytes is None else (tags, -given)


@dataclass(frozen=True)
class Plan:
    """Decisions to take.

    Attributes:
        is_taken: which.
        tags: what they cost.
        bytes: what they give back together.
        bound: tags that no plan of so many bytes can do without, or the bytes that no plan of so
            many tags can pass.
        is_met: whether the wish can be met at all; otherwise all that gives anything is taken.
    """

    is_taken: Bools
    tags: int
    bytes: int
    bound: int
    is_met: bool = True


def best_plan(choices: Choices, steps: Steps, wish: Wish, most_tried: int = _TRIED) -> Plan:
    """Find the plan for a wish.

    Args:
        choices: the decisions.
        steps: the best sets of them.
        wish: what the plan is to reach.
        most_tried: of so many decisions at most all sets are tried.
    """
    everything = steps.taken(len(steps.tags))
    tags, given = int(steps.tags.sum()), int(steps.bytes.sum())
    if wish.least_bytes is not None and given < wish.least_bytes:
        return Plan(everything, tags, given, tags, is_met=False)
    plans = _candidates(choices, steps, wish, most_tried)
    found = min(plans, key=lambda plan: wish.cost(plan.tags, plan.bytes))
    if int(everything.sum()) > most_tried:
        return found
    proven = found.tags if wish.least_bytes is not None else found.bytes
    return Plan(found.is_taken, found.tags, found.bytes, proven)


def _candidates(choices: Choices, steps: Steps, wish: Wish, most_tried: int) -> Iterator[Plan]:
    """Sets of decisions that meet a wish, found in several ways."""
    before = _steps_before(steps, wish)
    bound = _bound(steps, wish, before)
    ways = chain(
        _filled_sets(choices, steps, wish, before),
        _tried_sets(choices, steps, wish, before, most_tried),
    )
    for is_taken in ways:
        tags, given = choices.tags_of(is_taken), choices.bytes_of(is_taken)
        if wish.is_met(tags, given):
            yield Plan(is_taken, tags, given, bound)


def _filled_sets(choices: Choices, steps: Steps, wish: Wish, before: int) -> Iterator[Bools]:
    """The sets of the steps before and after, and what lies between."""
    taken = steps.taken(before)
    yield taken
    for filled in (steps.taken(before + 1), _Filling(choices, steps, wish, before).filled()):
        yield filled
        if wish.least_bytes is not None:
            pruning = _Pruning(choices, filled)
            yield pruning.pruned(np.flatnonzero(filled & ~taken), wish.least_bytes)


def _tried_sets(
    choices: Choices, steps: Steps, wish: Wish, before: int, most_tried: int
) -> Iterator[Bools]:
    """The best of all sets, or of those beside the steps before, if they are few enough."""
    everything = np.flatnonzero(steps.step_of >= 0)
    if len(everything) <= most_tried:
        yield from _best_of_all(choices, np.zeros(len(choices.tags), np.bool_), everything, wish)
    else:
        some = _next_decisions(steps, before, most_tried)
        yield from _best_of_all(choices, steps.taken(before), some, wish)


def _steps_before(steps: Steps, wish: Wish) -> int:
    """How many steps can be taken before the wish is met, or until it just is."""
    if wish.least_bytes is not None:
        before = np.searchsorted(np.cumsum(steps.bytes), wish.least_bytes, side="right")
    else:
        before = np.searchsorted(np.cumsum(steps.tags), wish.most_tags or 0, side="right")
    return int(before)


def _bound(steps: Steps, wish: Wish, before: int) -> int:
    """What no plan can beat: the line between two steps."""
    tags, given = int(steps.tags[:before].sum()), int(steps.bytes[:before].sum())
    if before == len(steps.tags):
        return tags if wish.least_bytes is not None else given
    next_tags, next_bytes = int(steps.tags[before]), int(steps.bytes[before])
    if wish.least_bytes is not None:
        return tags - (-(wish.least_bytes - given) * next_tags // next_bytes)
    return given + ((wish.most_tags or 0) - tags) * next_bytes // next_tags


def _next_decisions(steps: Steps, before: int, most: int) -> Ints:
    """The decisions of the steps to come, as many whole steps as have so many."""
    rows = np.flatnonzero(steps.step_of >= before)
    rows = rows[np.argsort(steps.step_of[rows], kind="stable")]
    ends = np.flatnonzero(np.diff(steps.step_of[rows], append=-1)) + 1
    return rows[: max((int(end) for end in ends if end <= most), default=0)]


class _Filling:
    """Takes what gives most a tag, a decision or all that a blob lacks, as far as it may go."""

    def __init__(self, choices: Choices, steps: Steps, wish: Wish, before: int) -> None:
        self._choices, self._wish = choices, wish
        self._is_taken = steps.taken(before)
        self._may = steps.step_of == before
        self._may[_next_decisions(steps, before, _NEAR)] = True
        blobs, users = choices.users
        is_far = ~(self._may | self._is_taken)[users]
        self._is_open = np.bincount(blobs[is_far], minlength=len(choices.shared)) == 0

    def filled(self) -> Bools:
        for _ in range(_ROUNDS):
            if not self._take_one():
                break
        return self._is_taken

    def _take_one(self) -> bool:
        """Take the best that there is, or give it up; False where there is none, or enough."""
        (decision, own), (blob, shared) = map(_highest, self._ratios())
        if max(own, shared) <= 0:
            return False
        is_blob = shared >= own
        added = self._lacking(blob) if is_blob else self._alone(decision)
        if self._fits(added):
            self._is_taken |= added
            return self._is_short()
        if is_blob:
            self._is_open[blob] = False
        else:
            self._may[decision] = False
        return True

    def _ratios(self) -> tuple[Floats, Floats]:
        """Bytes a tag of each decision, and of each blob with all that it lacks."""
        choices, (blobs, users) = self._choices, self._choices.users
        is_new = ~self._is_taken[users]
        lacking, count = users[is_new], len(choices.shared)
        tags = sums(count, blobs[is_new], choices.tags[lacking])
        given = choices.shared + sums(count, blobs[is_new], choices.own[lacking])
        shared = np.where(self._is_open & (tags > 0), given / np.maximum(tags, 1), 0)
        own = np.where(self._may & ~self._is_taken, choices.own / choices.tags, 0)
        return own, shared

    def _lacking(self, blob: int) -> Bools:
        blobs, users = self._choices.users
        return self._with_required(users[blobs == blob])

    def _alone(self, decision: int) -> Bools:
        return self._with_required(np.array([decision]))

    def _with_required(self, decisions: Ints) -> Bools:
        """The decisions that are not taken yet of these and all that they require."""
        added = np.zeros(len(self._is_taken), np.bool_)
        added[decisions] = True
        needing, needed = self._choices.requires
        while (is_lacking := added[needing] & ~added[needed]).any():
            added[needed[is_lacking]] = True
        return added & ~self._is_taken

    def _fits(self, added: Bools) -> bool:
        """Whether decisions may be taken, and within the tags wished for."""
        most = self._wish.most_tags
        if not self._may[added].all():
            return False
        return most is None or self._choices.tags_of(self._is_taken | added) <= most

    def _is_short(self) -> bool:
        least = self._wish.least_bytes
        return least is None or self._choices.bytes_of(self._is_taken) < least


def _highest(ratios: Floats) -> tuple[int, float]:
    """The place of the highest, and it; 0 where there is none."""
    if not len(ratios):
        return 0, 0.0
    place = int(ratios.argmax())
    return place, float(ratios[place])


class _Pruning:
    """Leaves out what is not needed for so many bytes, the least given a tag first."""

    def __init__(self, choices: Choices, is_taken: Bools) -> None:
        self._choices = choices
        self._is_taken = is_taken.copy()
        self._bytes = choices.bytes_of(is_taken)
        blobs, users = choices.users
        order = np.argsort(users, kind="stable")
        self._blobs = blobs[order]
        self._starts = np.searchsorted(users[order], np.arange(len(choices.tags) + 1))
        self._is_complete = choices.complete(is_taken)
        needing, needed = choices.requires
        self._needers = {int(place): needing[needed == place] for place in np.unique(needed)}

    def pruned(self, decisions: Ints, least_bytes: int) -> Bools:
        losses = np.array([self._loss(int(decision)) for decision in decisions])
        for decision in decisions[
            np.argsort(losses / self._choices.tags[decisions], kind="stable")
        ]:
            self._leave_out(int(decision), least_bytes)
        return self._is_taken

    def _own_blobs(self, decision: int) -> Ints:
        """The blobs of a decision that come with what is taken."""
        blobs = self._blobs[self._starts[decision] : self._starts[decision + 1]]
        return blobs[self._is_complete[blobs]]

    def _loss(self, decision: int) -> int:
        shared = self._choices.shared[self._own_blobs(decision)]
        return int(self._choices.own[decision]) + int(shared.sum())

    def _leave_out(self, decision: int, least_bytes: int) -> None:
        loss = self._loss(decision)
        needers = self._needers.get(decision, np.empty(0, np.int64))
        if self._bytes - loss >= least_bytes and not self._is_taken[needers].any():
            self._is_complete[self._own_blobs(decision)] = False
            self._is_taken[decision] = False
            self._bytes -= loss


def _best_of_all(choices: Choices, taken: Bools, decisions: Ints, wish: Wish) -> Iterator[Bools]:
    """Try every set of these decisions beside those taken; give the best, if any will do."""
    tags, given, is_closed = _all_sets(choices, taken, decisions)
    is_met = is_closed
    if wish.least_bytes is not None:
        is_met = is_met & (given >= wish.least_bytes)
    else:
        is_met = is_met & (tags <= (wish.most_tags or 0))
    masks = np.flatnonzero(is_met)
    if len(masks):
        keys = (-given[masks], tags[masks])
        order = np.lexsort(keys if wish.least_bytes is not None else keys[::-1])
        best = taken.copy()
        best[decisions] = masks[order[0]] >> np.arange(len(decisions)) & 1 == 1
        yield best


def _all_sets(choices: Choices, taken: Bools, decisions: Ints) -> tuple[Ints, Ints, Bools]:
    """Tags and bytes of every set of some decisions beside those taken, and whether it is closed.

    A set is the number whose bits are its decisions.
    """
    tags = np.array([choices.tags_of(taken)])
    given = np.array([int(choices.own[taken].sum())])
    for decision in decisions:
        tags = np.concatenate([tags, tags + choices.tags[decision]])
        given = np.concatenate([given, given + choices.own[decision]])
    given += _shared_of_all(choices, taken, decisions)
    bit = np.full(len(taken), -1, np.int64)
    bit[decisions] = np.arange(len(decisions))
    masks, is_closed = np.arange(len(tags)), np.ones(len(tags), np.bool_)
    for needing, needed in zip(*choices.requires, strict=True):
        if bit[needing] >= 0 and not taken[needed]:
            has_needed = masks >> bit[needed] & 1 if bit[needed] >= 0 else 0
            is_closed &= (masks >> bit[needing] & 1) <= has_needed
    return tags, given, is_closed


def _shared_of_all(choices: Choices, taken: Bools, decisions: Ints) -> Ints:
    """The bytes of the shared blobs that come with every set: a sum over all its subsets."""
    bits = np.zeros(len(taken), np.int64)
    bits[decisions] = 1 << np.arange(len(decisions))
    blobs, users = choices.users
    is_out = ~taken[users] & (bits[users] == 0)
    is_possible = np.bincount(blobs[is_out], minlength=len(choices.shared)) == 0
    masks = sums(len(choices.shared), blobs, bits[users] * ~taken[users])
    given = sums(1 << len(decisions), masks[is_possible], choices.shared[is_possible])
    for place in range(len(decisions)):
        halves = given.reshape(-1, 2, 1 << place)
        halves[:, 1] += halves[:, 0]
    return given
