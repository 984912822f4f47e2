"""Minimum cuts equal the smallest of all cuts, also where the library has too few bits."""

from itertools import product
from random import Random

import numpy as np
import pytest

from pipelines.deciding.min_cut import UNLIMITED, Edges, source_side

Graph = dict[tuple[int, int], int]
CAPACITIES = [1, 2, 3, 2**31, 2**57 + 1, 2**58 - 1, UNLIMITED]


def drawn(random: Random, count: int) -> Graph:
    """A graph of edges one way, but for some without a limit that go both ways."""
    graph: Graph = {}
    for one in range(count):
        for other in range(one + 1, count):
            if random.random() < 0.6:
                ends = (one, other) if random.random() < 0.5 else (other, one)
                graph[ends] = random.choice([*CAPACITIES, random.randrange(1, 2**58)])
                if graph[ends] == UNLIMITED and random.random() < 0.5:
                    graph[ends[::-1]] = UNLIMITED
    return graph


def cut(graph: Graph, side: tuple[bool, ...]) -> int:
    """The capacity from one side to the other."""
    return sum(limit for (tail, head), limit in graph.items() if side[tail] and not side[head])


@pytest.mark.parametrize("seed", range(200))
def test_a_minimum_cut_is_the_smallest_of_all(seed: int) -> None:
    """And of several of that capacity the one with the fewest nodes."""
    random = Random(seed)
    count = random.randint(2, 7)
    graph = drawn(random, count)
    ends = np.array(list(graph), np.int64).reshape(-1, 2)
    edges = Edges(ends[:, 0], ends[:, 1], np.array(list(graph.values()), np.int64))
    found = tuple(source_side(count, edges, 0, count - 1).tolist())
    sides = [(True, *rest, False) for rest in product([False, True], repeat=count - 2)]
    best = min(sides, key=lambda side: (cut(graph, side), sum(side)))
    if cut(graph, best) < UNLIMITED:
        assert found == best
