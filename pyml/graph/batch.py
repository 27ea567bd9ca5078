"""A graph for all rows at once: each node gets one axis more in front, where its op has a rule for that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod

from .loop_sums import _MOVES as MOVES
from .node import Node, toposort
from .op import Elementwise, Reduction
from .prims import broadcast_to, matmul, reshape
from .prims.contract import MATMUL
from .prims.move import BROADCAST
from .prims.softmax import argmax, argmin, log_softmax, softmax

_OF_ROWS = (softmax, log_softmax, argmax, argmin)  # of matrices, each row for itself


def batched(roots: Sequence[Node], rows: Mapping[int, Node], n: int) -> list[Node] | None:
    """The roots for all `n` rows, `(n, …)`; `rows` has the stacked values of nodes by their ids.

    None where a node that depends on them has no rule: routines such as convolutions, loops, gradients of one's own.
    """
    found = dict(rows)
    for node in toposort(roots, stop=lambda m: id(m) in found):
        if id(node) in found or not any(id(s) in found for s in node.src):
            continue
        whole = _product(node, found, n)
        if whole is None:
            sources = [found[id(s)] if id(s) in found else _repeated(s, n) for s in node.src]
            whole = _one(node, sources, n)
        if whole is None:
            return None
        found[id(node)] = whole
    return [found[id(r)] if id(r) in found else _repeated(r, n) for r in roots]


def _repeated(node: Node, n: int) -> Node:
    return broadcast_to(reshape(node, (1, *node.shape)), (n, *node.shape))


def _product(node: Node, found: Mapping[int, Node], n: int) -> Node | None:
    """A matrix of each row times one that all rows share is one product of all rows' rows; else None."""
    if node.op is not MATMUL or node.ndim != 2 or id(node.src[0]) not in found or id(node.src[1]) in found or node.attrs["ta"]:
        return None
    x = found[id(node.src[0])]
    return reshape(matmul(reshape(x, (n * x.shape[1], x.shape[2])), node.src[1], tb=node.attrs["tb"]), (n, *node.shape))


def _one(node: Node, sources: list[Node], n: int) -> Node | None:
    """A node with one axis more in front, of `n` rows; None where the op has no rule."""
    op = node.op
    if isinstance(op, Elementwise):
        return op(*sources, **node.attrs)
    if isinstance(op, Reduction):
        return op(*sources, axis=tuple(a + 1 for a in node.attrs["axis"]))
    if op in MOVES:
        move, shifted = MOVES[op]
        if op is BROADCAST:
            sources = [reshape(s, (n, *(1,) * (node.ndim + 1 - s.ndim), *s.shape[1:])) for s in sources]
        return move(*sources, **shifted(n, **node.attrs))
    if op is MATMUL:
        a, b = (reshape(s, (prod(s.shape[:-2]), *s.shape[-2:])) for s in sources)
        return reshape(matmul(a, b, **node.attrs), (n, *node.shape))
    if op in _OF_ROWS:
        (x,) = sources
        return reshape(op(reshape(x, (prod(x.shape[:-1]), x.shape[-1])), **node.attrs), (n, *node.shape))
    return None
