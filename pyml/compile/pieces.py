"""Kernels that would be too long are cut: a compiler of shaders takes far more than twice the time for twice the text.

Work is counted as `Elementwise.cost`, about that of a multiply, at each place of one element's work at which a value is computed.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..graph.node import Node
from ..graph.op import Elementwise
from .groups import Group, edges

# The most work of a kernel: three times that of the longest one in the table of plans and among the layers of augmentation (627, of
# AugMix). On Mesa's compiler for processors a chain of `where` adds nothing visible at 1,600, 3.5 s of a processor at 3,200, 17 s at
# 6,400 and 88 s at 12,800. MixUp with its beta numbers drawn in it, 4,700, took 13 s.
MOST_WORK = 2048


def work_of(node: Node, places: int = 1) -> int:
    """What a node adds to a kernel that computes it at so many places."""
    return node.op.cost * places if isinstance(node.op, Elementwise) else 1


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
