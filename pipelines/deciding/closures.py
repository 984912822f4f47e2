"""Which decisions to take together: the sets that no other beats, for every price of a tag.

A decision costs tags and gives bytes back; a blob that several use comes with the last of them, and
some decisions require others. So the best sets for a price are closures, found by minimum cuts;
they lie within one another, and what comes from one to the next is a step. Between two of them
the problem is as hard as packing: `plan` goes on there.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from pipelines.deciding.min_cut import UNLIMITED, Bools, Edges, Ints, source_side

# Products stay below this.
_LARGEST = 2**61


@dataclass(frozen=True)
class Choices:
    """Decisions, numbered from 0, and what several of them share.

    Attributes:
        tags: what each decision costs.
        own: bytes that each gives back by itself.
        shared: bytes of each blob, or of several with the same users, that comes with the last
            decision that uses it.
        users: pairs of one of those and a decision that uses it; two users at least.
        requires: pairs of a decision and another that has to be taken with it.
    """

    tags: Ints
    own: Ints
    shared: Ints
    users: tuple[Ints, Ints]
    requires: tuple[Ints, Ints]

    def bytes_of(self, is_taken: Bools) -> int:
        """What a set of decisions gives back."""
        return int(self.own[is_taken].sum()) + int(self.shared[self.complete(is_taken)].sum())

    def tags_of(self, is_taken: Bools) -> int:
        """What a set of decisions costs."""
        return int(self.tags[is_taken].sum())

    def complete(self, is_taken: Bools) -> Bools:
        """Which blobs come with a set of decisions: those all of whose users are in it."""
        blobs, decisions = self.users
        missing = np.bincount(blobs[~is_taken[decisions]], minlength=len(self.shared))
        return np.asarray(missing == 0, np.bool_)

    def is_closed(self, is_taken: Bools) -> bool:
        """Whether a set has all that its decisions require."""
        needing, needed = self.requires
        return not bool((is_taken[needing] & ~is_taken[needed]).any())


@dataclass(frozen=True)
class Steps:
    """The way from nothing to all that gives anything back, the most bytes a tag first.

    After each step what is taken is the best for some price: no set of as many tags gives more.

    Attributes:
        step_of: the number of the step that takes each decision, from 0; -1 where none does.
        tags: what each step costs.
        bytes: what it gives back.
    """

    step_of: Ints
    tags: Ints
    bytes: Ints

    def taken(self, count: int) -> Bools:
        """The decisions of the first so many steps."""
        return (self.step_of >= 0) & (self.step_of < count)


def best_steps(choices: Choices) -> Steps:
    """Find the steps."""
    part = _Search(choices).finished()
    tags, given = _totals(choices, part)
    # Python divides whole numbers correctly rounded, so that no later step comes before another
    # of its own graph: each has less a tag.
    pairs = zip(given.tolist(), tags.tolist(), strict=True)
    order = np.argsort([-size / count for size, count in pairs], kind="stable")
    order = order[given[order] > 0]
    number = np.full(len(tags), -1, np.int64)
    number[order] = np.arange(len(order))
    return Steps(number[part], tags[order], given[order])


def _totals(choices: Choices, part: Ints) -> tuple[Ints, Ints]:
    """Tags and bytes of each part; a blob comes with the last of its users."""
    count = int(part.max(initial=-1)) + 1
    blobs, decisions = choices.users
    last = _largest(len(choices.shared), blobs, part[decisions])
    given = sums(count, part, choices.own) + sums(count, last, choices.shared)
    return sums(count, part, choices.tags), given


class _Open(NamedTuple):
    """What is still to be split: decisions, users of blobs, requirements."""

    rows: Ints
    users: tuple[Ints, Ints]
    requires: tuple[Ints, Ints]


class _Search:
    """Parts of the decisions that are split further and further, all at the same time.

    A part is split at its own price, what it gives for a tag, into what is worth more together
    than it costs, and the rest, of which blobs that also the first half uses may be the last user.
    """

    def __init__(self, choices: Choices) -> None:
        self._choices = choices
        # The number of each decision's part; of two halves the first has the smaller.
        self._part = np.zeros(len(choices.tags), np.int64)
        self._open = _Open(np.arange(len(choices.tags)), choices.users, choices.requires)
        # Whether a price in whole bytes did not split a decision's part.
        self._is_exact = np.zeros(len(choices.tags), np.bool_)
        count = len(choices.tags)
        self._keep_connected(np.zeros(count, np.int64), np.ones(count, np.bool_))

    def finished(self) -> Ints:
        """Split until no part has a better half; give the number of each decision's part."""
        while len(self._open.rows):
            self._split()
        return self._part

    def _split(self) -> None:
        rows = self._open.rows
        parts, part = np.unique(self._part[rows], return_inverse=True)
        is_exact = np.zeros(len(parts), np.bool_)
        is_exact[part] = self._is_exact[rows]
        graph = _Graph(self._choices, self._open, part, is_exact)
        is_first = graph.first_halves()
        is_split = graph.is_better(is_first)
        self._is_exact[rows] = ~is_split[part]
        halves = part * 2 + (is_split[part] & ~is_first)
        self._keep_connected(halves, is_open=(is_split | ~is_exact)[part])

    def _keep_connected(self, halves: Ints, is_open: Bools) -> None:
        """Number parts anew, those that nothing connects apart; go on with the open ones."""
        rows, (blobs, users), (needing, needed) = self._open
        place = _places(len(self._part), rows)
        half = halves[place[users]]
        is_last = half == _largest(len(self._choices.shared), blobs, half)[blobs]
        is_within = halves[place[needing]] == halves[place[needed]]
        labels = _connected(
            len(rows),
            (blobs[is_last], place[users[is_last]]),
            (place[needing[is_within]], place[needed[is_within]]),
        )
        _, sub = np.unique(halves * (len(rows) + 1) + labels, return_inverse=True)
        self._renumber(sub)
        is_open = is_open & (np.bincount(sub)[sub] > 1)
        is_kept = is_last & is_open[place[users]]
        is_required = is_within & is_open[place[needing]]
        self._open = _Open(
            rows[is_open],
            (blobs[is_kept], users[is_kept]),
            (needing[is_required], needed[is_required]),
        )

    def _renumber(self, sub: Ints) -> None:
        """Give parts of open ones numbers of their own, and move those after them up."""
        if not len(sub):
            return
        old = self._part[self._open.rows]
        first = np.full(len(self._part) + 1, len(sub), np.int64)
        np.minimum.at(first, old, sub)
        most = np.full(len(self._part) + 1, -1, np.int64)
        np.maximum.at(most, old, sub)
        more = np.maximum(most - first, 0)
        offset = np.cumsum(more) - more
        self._part += offset[self._part]
        self._part[self._open.rows] += sub - first[old]


class _Graph:
    """The open parts as one graph, with what everything is worth at the price of its part."""

    def __init__(self, choices: Choices, opened: _Open, part: Ints, is_exact: Bools) -> None:
        count, rows = len(is_exact), opened.rows
        place = _places(len(choices.tags), rows)
        named, self._blobs = np.unique(opened.users[0], return_inverse=True)
        self._users = place[opened.users[1]]
        self._needing, self._needed = (place[side] for side in opened.requires)
        self._part, self._count = part, count
        self._part_of_blob = np.zeros(len(named), np.int64)
        self._part_of_blob[self._blobs] = part[self._users]
        tags, own, shared = choices.tags[rows], choices.own[rows], choices.shared[named]
        cost = sums(count, part, tags)
        given = sums(count, part, own) + sums(count, self._part_of_blob, shared)
        factors, prices = _price(cost, given, is_exact)
        self._own = own * factors[part] - tags * prices[part]
        self._shared = shared * factors[self._part_of_blob]

    def first_halves(self) -> Bools:
        """The closure of decisions that is worth most, by a minimum cut."""
        first, count = 2, len(self._own)
        blob = first + count
        edges = [
            _from_source_or_to_sink(np.arange(count) + first, self._own),
            _from_source_or_to_sink(np.arange(len(self._shared)) + blob, self._shared),
            _unlimited(self._blobs + blob, self._users + first),
            _unlimited(self._needing + first, self._needed + first),
        ]
        joined = Edges(*(np.concatenate(parts) for parts in zip(*map(_parts, edges), strict=True)))
        side = source_side(blob + len(self._shared), joined, 0, 1)
        return side[first:blob]

    def is_better(self, is_first: Bools) -> Bools:
        """Of each part whether its first half is worth more than nothing, as all of it is."""
        missing = np.bincount(self._blobs[~is_first[self._users]], minlength=len(self._shared))
        is_complete = missing == 0
        gains = sums(self._count, self._part[is_first], self._own[is_first])
        gains += sums(self._count, self._part_of_blob[is_complete], self._shared[is_complete])
        sizes = np.bincount(self._part, minlength=self._count)
        firsts = np.bincount(self._part[is_first], minlength=self._count)
        return (gains > 0) & (firsts < sizes)


def _price(tags: Ints, given: Ints, is_exact: Bools) -> tuple[Ints, Ints]:
    """A factor for bytes and one for tags that make all of a part worth nothing.

    Or a little less than that, where a price in whole bytes will do, which is quicker, or where the
    products would be too large.
    """
    common = np.maximum(np.gcd(tags, given), 1)
    factors = np.where(is_exact, tags // common, 1)
    prices = np.where(is_exact, given // common, -(-given // tags))
    for part in np.flatnonzero(tags.astype(float) * prices > _LARGEST):
        factors[part] = max(_LARGEST // int(given[part]), 1)
        prices[part] = -(-int(given[part]) * int(factors[part]) // int(tags[part]))
    return factors, prices


def _places(count: int, rows: Ints) -> Ints:
    """The place of each row among these rows."""
    places = np.zeros(count, np.int64)
    places[rows] = np.arange(len(rows))
    return places


def sums(count: int, places: Ints, values: Ints) -> Ints:
    """The sum of the values of each place."""
    sums = np.zeros(count, np.int64)
    np.add.at(sums, places, values)
    return sums


def _largest(count: int, places: Ints, values: Ints) -> Ints:
    """The largest value of each place; 0 where there is none."""
    largest = np.zeros(count, np.int64)
    np.maximum.at(largest, places, values)
    return largest


def _connected(count: int, users: tuple[Ints, Ints], requires: tuple[Ints, Ints]) -> Ints:
    """The number of each decision's component: what a blob or a requirement connects."""
    _, blobs = np.unique(users[0], return_inverse=True)
    size = count + int(blobs.max(initial=-1)) + 1
    tails = np.concatenate([blobs + count, requires[0]])
    heads = np.concatenate([users[1], requires[1]])
    graph = csr_array((np.ones(len(tails), np.int8), (tails, heads)), shape=(size, size))
    _, labels = connected_components(graph, directed=False)
    return np.asarray(labels[:count], np.int64)


def _from_source_or_to_sink(nodes: Ints, values: Ints) -> Edges:
    """An edge for what each node is worth: from the source, or to the sink for what it costs."""
    is_worth, is_cost = values > 0, values < 0
    return Edges(
        np.concatenate([np.zeros(is_worth.sum(), np.int64), nodes[is_cost]]),
        np.concatenate([nodes[is_worth], np.ones(is_cost.sum(), np.int64)]),
        np.concatenate([values[is_worth], -values[is_cost]]),
    )


def _unlimited(tails: Ints, heads: Ints) -> Edges:
    return Edges(tails, heads, np.full(len(tails), UNLIMITED))


def _parts(edges: Edges) -> tuple[Ints, Ints, Ints]:
    return edges.tails, edges.heads, edges.capacities
