"""Rewrites before scheduling: equal subgraphs merge, operands of routines become memory, ops are lowered for the adapter."""

from __future__ import annotations

from ..graph.loop import LoopOp
from ..graph.node import Node, freeze, toposort
from ..graph.op import Profile, Routine
from ..graph.prims import BUFFER, copy, full


def is_given(node: Node) -> bool:
    """Whether a node's bytes come from outside the plan."""
    return node.buffer is not None or node.op.given


def source(node: Node) -> tuple[str, int]:
    """What a given node's bytes are: nodes over one buffer, argument or Variable are one leaf."""
    return ("buffer", id(node.buffer)) if node.buffer is not None else (node.op.name, node.attrs["index"])


class Canonical:
    """Maps nodes to their canonical form; remembers what it has seen, so equal subgraphs are one node."""

    def __init__(self, profile: Profile, leaves: list[Node]):
        self.profile = profile
        self.leaves = {source(n): i for i, n in enumerate(leaves)}
        self.seen: dict = {}  # structural key -> node
        self.mapped: dict[int, Node] = {}  # id of a node -> its canonical node
        self.alive: list[Node] = []  # keeps ids valid

    def __call__(self, roots: list[Node]) -> list[Node]:
        """Canonical roots, each of them in memory of its own: a movement at a root is copied out."""
        return [self._stored(n, root=True) for n in self._map(roots)]

    def give(self, node: Node, other: Node) -> None:
        """Takes `other`, which is made of leaves with numbers, for `node`."""
        src = tuple(self._merge(s) for s in other.src)
        self.mapped[id(node)] = self._merge(Node(other.op, src, other.attrs, other.shape, other.dtype))
        self.alive.append(node)

    def _map(self, roots: list[Node]) -> list[Node]:
        for node in toposort(roots, stop=lambda n: id(n) in self.mapped or is_given(n)):
            if id(node) not in self.mapped:
                self.alive.append(node)
                self.mapped[id(node)] = self._one(node)
        return [self.mapped[id(r)] for r in roots]

    def _one(self, node: Node) -> Node:
        """The plan's own node for a node whose sources are mapped already: merged with an equal one, absorbed or lowered."""
        if is_given(node):
            k = self.leaves[source(node)]
            return self._merge(Node(BUFFER, (), {"leaf": k}, node.shape, node.dtype))
        if not node.src:
            return self._merge(node)
        src = tuple([self.mapped[id(s)] for s in node.src])
        op = node.op
        if op.transparent:
            return src[0]
        if node.size == 0 or (0 in [s.size for s in src] and not isinstance(op, LoopOp)):
            return self._merge(_of_nothing(node))
        # always a node of the plan's own: users' nodes let go of their sources once computed
        node = Node(op, src, node.attrs, node.shape, node.dtype)
        if op.absorb is not None:
            better = op.absorb(node)
            if better is not None and better is not node:
                return self._map([better])[0]
        if op.lower is not None and not self.profile.on_host:
            lowered = op.lower(node, self.profile)
            if lowered is not None and lowered is not node:
                return self._map([lowered])[0]
        if isinstance(op, (Routine, LoopOp)) or op.looks_up:
            src = (self._stored(node.src[0]), *node.src[1:]) if op.looks_up else tuple(self._stored(s) for s in node.src)
            if src != node.src:
                node = Node(op, src, node.attrs, node.shape, node.dtype)
        return self._merge(node)

    def _merge(self, node: Node) -> Node:
        key = (node.op.name, freeze(node.attrs) if node.attrs else (), tuple([id(s) for s in node.src]), node.shape, node.dtype)
        found = self.seen.setdefault(key, node)
        self.alive.append(found)
        self.mapped[id(found)] = found
        return found

    def _stored(self, node: Node, root: bool = False) -> Node:
        """A node whose elements lie in memory in order: a movement other than a reshape is copied first."""
        base = node
        while base.op.keeps_order:
            base = base.src[0]
        if base.op.is_view or not base.op.in_memory:
            return self._merge(copy(node))
        if root and (base is not node or base.op.given):
            # a result that would share memory with another value gets its own
            return self._merge(copy(node))
        return node


def _of_nothing(node: Node) -> Node:
    """What a node without elements, or made from none, is: a constant. Empty tensors never reach a kernel."""
    return full(node.shape, node.op.of_nothing(node), node.dtype)
