"""Rewrites before scheduling: equal subgraphs merge, operands of routines become memory, reductions split."""

from __future__ import annotations

from math import prod

from ..graph.grad import CUSTOM
from ..graph.node import Node, toposort
from ..graph.op import OPS, Profile
from ..graph.prims import BUFFER, CONST, INPUT, STATE, copy, full, pad, reshape, stop_gradient
from .teams import runs, team


def is_given(node: Node) -> bool:
    """Whether a node's bytes come from outside the plan."""
    return node.buffer is not None or node.op in (BUFFER, INPUT, STATE)


def source(node: Node):
    """What a given node's bytes are: nodes over one buffer, argument or Variable are one leaf."""
    return ("buffer", id(node.buffer)) if node.buffer is not None else (node.op.name, node.attrs["index"])


_SPLIT_FROM = 1024  # fewer elements per result than this are summed by one thread
_TRANSPARENT = {CUSTOM, stop_gradient}


def freeze(value):
    """Attributes as a hashable key."""
    if isinstance(value, dict):
        return tuple((k, freeze(v)) for k, v in sorted(value.items()))
    if isinstance(value, (list, tuple)):
        return tuple(freeze(v) for v in value)
    return (type(value).__name__, value) if isinstance(value, (bool, int, float)) else value


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

    def _map(self, roots: list[Node]) -> list[Node]:
        for node in toposort(roots, stop=lambda n: id(n) in self.mapped or is_given(n)):
            if id(node) not in self.mapped:
                self.alive.append(node)
                self.mapped[id(node)] = self._one(node)
        return [self.mapped[id(r)] for r in roots]

    def _one(self, node: Node) -> Node:
        if is_given(node):
            k = self.leaves[source(node)]
            return self._merge(Node(BUFFER, (), {"leaf": k}, node.shape, node.dtype))
        if not node.src:
            return self._merge(node)
        src = tuple(self.mapped[id(s)] for s in node.src)
        op = node.op
        if op in _TRANSPARENT:
            return src[0]
        if node.dtype == src[0].dtype and op is OPS["cast"]:
            return src[0]
        if node.size == 0 or any(s.size == 0 for s in src):
            return self._merge(_of_nothing(node))
        # always a node of the plan's own: users' nodes let go of their sources once computed
        node = Node(op, src, node.attrs, node.shape, node.dtype)
        if op.absorb is not None:
            better = op.absorb(node)
            if better is not None and better is not node:
                return self._map([better])[0]
        if self.profile.family != "numpy":
            lowered = _split(node, self.profile) if op.kind == "reduction" else op.lower and op.lower(node, self.profile)
            if lowered is not None and lowered is not node:
                return self._map([lowered])[0]
        if op.kind == "routine":
            src = tuple(self._stored(s) for s in node.src)
            if src != node.src:
                node = Node(op, src, node.attrs, node.shape, node.dtype)
        return self._merge(node)

    def _merge(self, node: Node) -> Node:
        key = (node.op.name, freeze(node.attrs), tuple(id(s) for s in node.src), node.shape, node.dtype)
        found = self.seen.setdefault(key, node)
        self.alive.append(found)
        self.mapped[id(found)] = found
        return found

    def _stored(self, node: Node, root: bool = False) -> Node:
        """A node whose elements lie in memory in order: a movement other than a reshape is copied first."""
        base = node
        while base.op is OPS["reshape"]:
            base = base.src[0]
        leaf = base.op is BUFFER
        if base.op.kind == "movement" or base.op in (CONST, OPS["iota"]):
            return self._merge(copy(node))
        if root and (base is not node or leaf):
            # a result that would share memory with another value gets its own
            return self._merge(copy(node))
        return node


def _split(node: Node, profile: Profile) -> Node | None:
    """A reduction to few elements from many, in two stages so that many threads take part.

    Partial results are formed in an order fixed by the shapes alone.
    """
    x, axis = node.src[0], node.attrs["axis"]
    terms = prod(x.shape[a] for a in axis)
    wanted = profile.threads // max(1, node.size)
    if terms < _SPLIT_FROM or wanted < 4:
        return None
    parts = min(wanted, max(2, int(terms**0.5)))
    shared = team(x.shape, axis, profile)
    if shared is not None:
        if shared.steps(terms) < 64 or (shared.rows and wanted < 4 * shared.lanes):
            return None  # the threads of a workgroup are enough, or the workgroups
        if len(axis) < x.ndim and len(runs(axis)) < len(axis):
            joined, left = _joined(x, axis)
            return node.op(joined, axis=left)
        if shared.rows:
            wanted = parts = min(wanted // shared.lanes, shared.steps(terms) // 16)
    if len(axis) == x.ndim:  # everything: flatten, and keep both stages a multiple of four
        most = 512 if profile.family == "register" else wanted  # one thread sums the rest without a third stage
        parts = parts if shared is not None else min(wanted, most, terms // 64)
        parts = max(4, parts - parts % 4)
        each = -(-terms // parts)
        each += -each % 4
        flat = _padded(reshape(x, (terms,)), 0, parts * each, node)
        # neighbouring elements belong to one thread of a processor, and to one workgroup of a GPU
        by_rows = profile.family == "register" or shared is not None
        shape, inner = ((parts, each), 1) if by_rows else ((each, parts), 0)
        return node.op(node.op(reshape(flat, shape), axis=(inner,)), axis=(0,))
    a = max(axis, key=lambda i: x.shape[i])
    n = x.shape[a]
    parts = min(parts, n)
    divisors = [d for d in range(parts, 1, -1) if n % d == 0]
    if divisors and divisors[0] * 4 >= parts:
        parts = divisors[0]
    if parts < 2:
        return None
    each = -(-n // parts)
    x = _padded(x, a, parts * each, node)
    x = reshape(x, (*x.shape[:a], parts, each, *x.shape[a + 1 :]))
    first = tuple(i if i < a else i + 1 for i in axis)
    return node.op(node.op(x, axis=tuple(sorted(first))), axis=(a - sum(i < a for i in axis),))


def _joined(x: Node, axis):
    """The operand with neighbouring reduced axes as one, and the axes that remain to be reduced."""
    shape = list(x.shape)
    left: list[int] = []
    for run in reversed(runs(axis)):
        shape[run[0] : run[-1] + 1] = [prod(x.shape[a] for a in run)]
    for run in runs(axis):
        left.append(run[0] - sum(1 for a in axis if a < run[0]) + len(left))
    return reshape(x, tuple(shape)), tuple(left)


_NEUTRAL = {
    "reduce_sum": lambda dtype: 0,
    "reduce_prod": lambda dtype: 1,
    "reduce_max": lambda dtype: {"float32": float("-inf"), "int32": -(2**31), "uint32": 0}[dtype],
    "reduce_min": lambda dtype: {"float32": float("inf"), "int32": 2**31 - 1, "uint32": 2**32 - 1}[dtype],
}


def _of_nothing(node: Node) -> Node:
    """What a node without elements, or made from none, is: a constant. Empty tensors never reach a kernel."""
    value: float = 0
    if node.op.kind == "reduction":
        value = _NEUTRAL[node.op.name](node.dtype)
    elif node.op.name == "pad":
        value = node.attrs["value"]
    return full(node.shape, value, node.dtype)


def _padded(x: Node, axis: int, size: int, node: Node) -> Node:
    widths = [(0, 0)] * x.ndim
    widths[axis] = (0, size - x.shape[axis])
    return pad(x, widths, _NEUTRAL[node.op.name](x.dtype))
