"""Minimum cuts with capacities of 62 bits, by a library that has 31.

Knows graphs and no tags.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

# As much as no flow brings to its end.
UNLIMITED = 2**62
# The library adds what may flow along an edge to what may flow back, and has 31 bits for it.
_BITS = 30
_MOST = 2**_BITS - 1


@dataclass(frozen=True)
class Edges:
    """Edges of a graph: where each begins and ends, and what may flow along it."""

    tails: Ints
    heads: Ints
    capacities: Ints


def source_side(node_count: int, edges: Edges, source: int, sink: int) -> Bools:
    """Which nodes are on the source's side of a minimum cut, the smallest such side.

    The flow is found in the highest bits of the capacities first. What is then left of a cut
    limits what may still flow, which needs fewer bits; and so on down to the last one.

    Args:
        node_count: nodes are 0 to this, exclusive.
        edges: at most one with a limit between two nodes; those without one have `UNLIMITED`.
        source: where the flow begins.
        sink: where it ends.
    """
    residual = _Residual(node_count, edges)
    finite = edges.capacities[edges.capacities < UNLIMITED]
    left = int(finite.sum(dtype=object)) if len(finite) else 0
    while left:
        shift = max(left.bit_length() - _BITS, 0)
        left = residual.push(shift, source, sink)
        if not shift:
            break
    return residual.reached_from(source, 0)


class _Residual:
    """What may still flow along each edge, and back along it."""

    def __init__(self, node_count: int, edges: Edges) -> None:
        self._node_count = node_count
        # Of two edges between the same nodes, one both ways, the larger stands for both.
        pairs = np.concatenate(
            [edges.tails * node_count + edges.heads, edges.heads * node_count + edges.tails]
        )
        capacities = np.concatenate([edges.capacities, np.zeros(len(edges.tails), np.int64)])
        order = np.lexsort((-capacities, pairs))
        distinct, first = np.unique(pairs[order], return_index=True)
        self._tails, self._heads = distinct // node_count, distinct % node_count
        self._rest = capacities[order][first]
        self._is_unlimited = self._rest >= UNLIMITED
        counts = np.bincount(self._tails, minlength=node_count)
        self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    def push(self, shift: int, source: int, sink: int) -> int:
        """Let flow what can, in units of two to the power of `shift`; give what may be left."""
        units = np.minimum(self._rest >> shift, _MOST).astype(np.int32)
        units[self._is_unlimited] = _MOST
        flow: Any = maximum_flow(self._matrix(units), source, sink).flow
        self._rest -= self._aligned(flow) << shift
        self._rest[self._is_unlimited] = UNLIMITED
        if not shift:
            return 0
        side = self.reached_from(source, shift)
        is_cut = side[self._tails] & ~side[self._heads]
        return int(self._rest[is_cut].sum(dtype=object))

    def _aligned(self, flow: Any) -> Ints:
        """The flow along each edge, in the order of the edges."""
        if flow.nnz == len(self._heads) and np.array_equal(flow.indices, self._heads):
            return np.asarray(flow.data, np.int64)
        return np.asarray(flow[self._tails, self._heads], np.int64).ravel()

    def reached_from(self, source: int, shift: int) -> Bools:
        """The nodes to which a unit may still flow."""
        graph = self._matrix((self._rest >> shift > 0).astype(np.int8))
        graph.eliminate_zeros()
        order = breadth_first_order(graph, source, return_predecessors=False)
        is_reached = np.zeros(self._node_count, np.bool_)
        is_reached[order] = True
        return is_reached

    def _matrix(self, data: Any) -> Any:
        shape = (self._node_count, self._node_count)
        return csr_array((data, self._heads.astype(np.int32), self._starts.copy()), shape=shape)
