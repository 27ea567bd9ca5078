"""Reverse-mode differentiation: walks the graph and builds the gradient as more graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import NotDifferentiable
from .loop import LoopOp, PartOp
from .node import Node, toposort
from .op import ZERO, Elementwise, Movement
from .prims import add, full, stop_gradient


@dataclass(eq=False)
class HubOp(Movement):
    """Gets the gradients that arrive at several results at once: a dict from their numbers."""


def _first(name: str, grad: Any, kind: type[Movement] = Movement) -> Movement:
    """An op whose value is that of its first source; only the way back tells them apart."""
    return kind(name, lambda *s, **a: s[0], lambda *d, **a: d[0], lambda x, *xs, **a: x, grad, transparent=True,
                index=lambda c, *s, **a: [(c, [], None)])  # fmt: skip


# A function with a gradient of its own: its results are `RESULT(value, hub)` nodes, and the HUB's sources, behind a number
# that stands for its value, are what it is a function of. attrs["rule"](found, *sources) gives one gradient for each.
HUB = _first("gradient_hub", lambda found, hub, zero, *src, rule, own: (None, *rule(found, *src)), HubOp)
RESULT = _first("gradient_result", None)
READ = _first("variable_read", ZERO)  # what a tape saw of a Variable: gradients arrive here and go no further
WATCHED = _first("watched", lambda g, y, x: g)  # a tensor from the moment on from which a tape watches it
# The result of an op of the user's that has no gradient, `attrs["what"]`; behind it what that was made of, which the host may have
# read. Primitives within ops and on the way back have zeros.
GAP = Elementwise("gap", lambda s, *more, **a: s, lambda d, *more, **a: d, lambda x, *more, **a: x, ZERO, transparent=True, wgsl="x",
                  params=("x",))  # fmt: skip
# The same for a result that was made of numbers too that the host had read: behind it those, on a way without a gradient.
BESIDE = _first("beside_gap", lambda g, y, x, *more, **a: (g, *(None for _ in more)))
_pulls = 0


def results_of(values: Sequence[Node], sources: Sequence[Node], rule: Callable[..., Sequence[Node | None]],
               own: bool = False) -> list[Node]:  # fmt: skip
    """`values` as results of `sources`, with the gradient that `rule` gives them; `own`: one of a user's."""
    hub = HUB(full((), 0.0, "float32"), *sources, rule=rule, own=own)
    return [Node(RESULT, (v, hub), {"number": i}, v.shape, v.dtype) for i, v in enumerate(values)]


def gradients(y: Node, targets: list[Node], seed: Node | None = None) -> list[Node]:
    """d y / d target for each target, of the target's shape; zeros where y does not depend on it."""
    return filled(connected_gradients(y, targets, seed), targets)


def filled(found: Sequence[Node | None], targets: Sequence[Node]) -> list[Node]:
    """What was found, zeros of the target's shape for None."""
    return [full(t.shape, 0.0, t.dtype) if g is None else g for t, g in zip(targets, found, strict=True)]


def connected_gradients(y: Node, targets: list[Node], seed: Node | None = None) -> list[Node | None]:
    """d y / d target for each target, of the target's shape; None where y does not depend on it.

    `seed` is the gradient arriving at y (default ones; y need not be scalar).
    """
    if y.dtype != "float32":
        raise NotDifferentiable(f"the gradient of a {y.dtype} value was asked for; cast it to float32.")
    return pullback([(y, seed if seed is not None else full(y.shape, 1.0, y.dtype))], targets)


def pulls() -> int:
    """How many gradients were made so far: where some were in between, a value may be made of them."""
    return _pulls


def way_between(outs: Sequence[Node], targets: Sequence[Node]) -> str | None:
    """How `outs` depend on `targets`: "" where gradients have a way, else the op without one through which all ways lead, the one
    nearest to `outs`; None where no way is.

    Ops whose gradient is zero, as `round`, are a way; `stop_gradient` is none, as somebody wanted none.
    """
    wanted = {id(t) for t in targets}
    through: dict[int, str] = {}  # id of what depends on a target -> a gap that is on each way to it, "" where one has none
    for node in toposort(outs):
        if id(node) in wanted:
            through[id(node)] = ""
        elif node.op is not stop_gradient:
            first, beside = _ways(node)
            ways = [through[id(s)] for s in first if id(s) in through]
            if ways:
                through[id(node)] = _gap(node, through) or ("" if "" in ways else ways[-1])
            elif any(id(s) in through for s in beside):
                through[id(node)] = node.attrs["what"] if node.op is BESIDE else _NO_ARGUMENT
    found = [through[id(y)] for y in outs if id(y) in through]
    return None if not found else "" if "" in found else found[-1]


_NO_ARGUMENT = "a tensor that is no positional argument of the function with a custom_gradient"


def _ways(node: Node) -> tuple[Sequence[Node], Sequence[Node]]:
    """The sources of a node that gradients go to, and those that its value has beside them."""
    if node.op is BESIDE:
        return node.src[:1], node.src[1:]
    if node.op is RESULT:
        return (node.src[1:], node.src[:1]) if node.src[1].attrs["own"] else (node.src[:1], ())
    return node.src, ()


def depends(outs: Sequence[Node], targets: Sequence[Node]) -> bool:
    """Whether any way leads from `outs` to `targets`, one that gradients do not go as well."""
    wanted = {id(t) for t in targets}
    return any(id(node) in wanted for node in toposort(outs))


def _gap(node: Node, through: dict[int, str]) -> str | None:
    if isinstance(node.op, LoopOp):  # one whose step has no gradient by what comes from a target
        body = node.attrs["body"]
        return way_between(body.roots, [x for x, s in zip(body.inputs, node.src, strict=True) if through.get(id(s)) == ""])
    return node.attrs["what"] if node.op is GAP else None


def pullback(seeds: Sequence[tuple[Node, Node]], targets: Sequence[Node],
             leaf: Callable[[Node], bool] = lambda node: False) -> list[Node | None]:  # fmt: skip
    """What gradients `(node, gradient that arrives there)` become at the targets; None where nothing arrives.

    Gradients go through no node that is a `leaf`.
    """
    global _pulls
    _pulls += 1
    order = toposort([y for y, _ in seeds], stop=leaf)
    wanted = {id(t) for t in targets}
    needed: set[int] = set()  # nodes on a path from a target to a seed; none leads through what has a gradient of 0
    for node in order:
        if id(node) in wanted or (node.op.grad != ZERO and any(id(s) in needed for s in node.src) and not leaf(node)):
            needed.add(id(node))
    total: dict[int, Node] = {}
    results: dict[int, dict[Any, Node]] = {}  # of a loop or a hub: which result -> gradient that arrives there
    for y, seed in seeds:
        total[id(y)] = add(total[id(y)], seed) if id(y) in total else seed
    for node in reversed(order):
        if id(node) not in needed or not node.src or leaf(node):
            continue
        g: Any = results.get(id(node)) if isinstance(node.op, (LoopOp, HubOp)) else total.get(id(node))
        if g is None:
            continue
        if isinstance(node.op, PartOp) or node.op is RESULT:
            arrived, key = results.setdefault(id(node.src[-1]), {}), (node.attrs.get("of", ""), node.attrs["number"])
            arrived[key] = add(arrived[key], g) if key in arrived else g
            continue
        rule = node.op.grad
        if rule is None:
            name = f"{node.op.name} ({node.attrs['what']})" if "what" in node.attrs else node.op.name
            raise NotDifferentiable(f"{name} has no gradient; wrap its input in stop_gradient if none is wanted.")
        if rule == ZERO:
            continue
        parts = rule(g, node, *node.src, **node.attrs)
        for s, part in zip(node.src, parts if isinstance(parts, tuple) else (parts,), strict=True):
            if part is not None and id(s) in needed and s.dtype == "float32":
                total[id(s)] = add(total[id(s)], part) if id(s) in total else part
    return [total.get(id(t)) for t in targets]
