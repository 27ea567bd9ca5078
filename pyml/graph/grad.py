"""Reverse-mode differentiation: walks the graph and builds the gradient as more graph."""

from __future__ import annotations

from typing import Any

from ..errors import NotDifferentiable
from .loop import LoopOp, PartOp
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
    found = pullback([(y, seed if seed is not None else full(y.shape, 1.0, y.dtype))], targets)
    return [full(t.shape, 0.0, t.dtype) if g is None else g for t, g in zip(targets, found, strict=True)]


def pullback(seeds: list[tuple[Node, Node]], targets: list[Node]) -> list[Node | None]:
    """What gradients `(node, gradient that arrives there)` become at the targets; None where nothing arrives."""
    order = toposort([y for y, _ in seeds])
    wanted = {id(t) for t in targets}
    needed: set[int] = set()  # nodes on a path from a target to a seed
    for node in order:
        if id(node) in wanted or any(id(s) in needed for s in node.src):
            needed.add(id(node))
    total: dict[int, Node] = {}
    results: dict[int, dict[tuple[str, int], Node]] = {}  # of a loop: part -> gradient that arrives there
    for y, seed in seeds:
        total[id(y)] = add(total[id(y)], seed) if id(y) in total else seed
    for node in reversed(order):
        if id(node) not in needed or not node.src:
            continue
        g: Any = results.get(id(node)) if isinstance(node.op, LoopOp) else total.get(id(node))
        if g is None:
            continue
        if isinstance(node.op, PartOp):
            arrived, key = results.setdefault(id(node.src[0]), {}), (node.attrs["of"], node.attrs["number"])
            arrived[key] = add(arrived[key], g) if key in arrived else g
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
    return [total.get(id(t)) for t in targets]
