"""Kernels that would be too long are cut: a compiler of shaders takes far more than twice the time for twice the text.

Work is counted in `terms`, of each place of one element's work at which a value is computed.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..graph.node import Node
from ..graph.op import Elementwise
from .groups import Group, edges
from .terms import terms

# The most work of a kernel; the longest among the layers of augmentation, which draw random numbers, have 1,446. Processor's time of
# Mesa's compiler for processors, in one kernel and cut: 50 nested `sin` (8,800 terms) 3 s and 0.6 s, 128 of them 19 s and 0.2 s (pieces
# that are equal are compiled once), 50 `pow` 4.5 s and 0.3 s, 50 `mod` 13 s and 0.4 s. A chain of `where` adds nothing visible at
# 1,600, 3.5 s at 3,200, 17 s at 6,400 and 88 s at 12,800.
MOST_WORK = 2048


def work_of(node: Node, places: int = 1) -> int:
    """What a node adds to a kernel that computes it at so many places."""
    return terms(node.op, node.src[-1].dtype) * places if isinstance(node.op, Elementwise) else 1


def walls(group: Group, position: Mapping[int, int]) -> list[Node]:
    """The values that a kernel stores for the next one so that none does more than `MOST_WORK`; `position` has sources first.

    From the results backwards each piece takes at least half of what it may, and of the places to end it the one that the least
    bytes cross.
    """
    nodes = sorted((*group.anchors, *group.members.values()), key=lambda n: -position[id(n)])
    found: list[Node] = []
    crossing: dict[int, Node] = {}  # computed before all that has been looked at, and read by it
    first = 0
    while first < len(nodes):
        piece = _Piece(crossing)
        best = first
        least = 0
        here = first
        while here < len(nodes) and (piece.add(nodes[here], group) <= MOST_WORK or here == first):
            here += 1
            size = sum(n.size for n in piece.crossing.values())
            if here == first + 1 or 2 * piece.work <= MOST_WORK or size <= least:
                best, least, crossing = here, size, dict(piece.crossing)
        if here == len(nodes):
            break
        found += crossing.values()
        first = best
    return found


class _Piece:
    """Nodes of one kernel, which are added consumers first."""

    def __init__(self, crossing: dict[int, Node]):
        self.crossing = dict(crossing)
        self.places: dict[int, tuple[int, int]] = {}  # of a value that the piece reads: where it stands, and once more for each view
        self.work = 0

    def add(self, node: Node, group: Group) -> int:
        """The work with this node."""
        self.crossing.pop(id(node), None)
        aligned, apart = self.places.pop(id(node), (1, 0))
        places = 1 if node.size <= 1 else max(1, aligned + apart)
        self.work += work_of(node, places)
        for value, same in edges(node):
            if group.computes(value):
                self.crossing[id(value)] = value
                at, others = self.places.get(id(value), (0, 0))
                self.places[id(value)] = (max(at, places), others) if same else (at, others + places)
        return self.work
