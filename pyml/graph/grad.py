"""Reverse-mode differentiation: walks the graph and builds the gradient as more graph."""

from __future__ import annotations

from ..errors import NotDifferentiable
from .node import Node, toposort
from .op import ZERO, movement
from .prims import add, full

# forward: the first source. backward: attrs["vjp"](g) gives one gradient per further source.
CUSTOM = movement(
    "custom_gradient",
    shape=lambda *s, vjp: s[0],
    index=lambda c, *s, vjp: [(c, [], None)],
    numpy=lambda y, *xs, vjp: y,
    grad=lambda g, y, *src, vjp: (None, *vjp(g)),
    dtype=lambda *d, vjp: d[0],
    transparent=True,
)


def gradients(y: Node, targets: list[Node], seed: Node | None = None) -> list[Node]:
    """d y / d target for each target, of the target's shape; zeros where y does not depend on it.

    `seed` is the gradient arriving at y (default ones; y need not be scalar).
    """
    if y.dtype != "float32":
        raise NotDifferentiable(f"the gradient of a {y.dtype} value was asked for; cast it to float32.")
    order = toposort([y])
    wanted = {id(t) for t in targets}
    needed: set[int] = set()  # nodes on a path from a target to y
    for node in order:
        if id(node) in wanted or any(id(s) in needed for s in node.src):
            needed.add(id(node))
    total: dict[int, Node] = {id(y): seed if seed is not None else full(y.shape, 1.0, y.dtype)}
    for node in reversed(order):
        g = total.get(id(node))
        if g is None or id(node) not in needed or not node.src:
            continue
        rule = node.op.grad
        if rule is None:
            raise NotDifferentiable(f"{node.op.name} has no gradient; wrap its input in stop_gradient if none is wanted.")
        if rule == ZERO:
            continue
        parts = rule(g, node, *node.src, **node.attrs)  # type: ignore[operator]
        for s, part in zip(node.src, parts if isinstance(parts, tuple) else (parts,), strict=True):
            if part is not None and id(s) in needed and s.dtype == "float32":
                total[id(s)] = add(total[id(s)], part) if id(s) in total else part
    return [total[id(t)] if id(t) in total else full(t.shape, 0.0, t.dtype) for t in targets]
