"""The gradient of a loop: a loop that runs the other way.

Its step is the derivative of the step. What the step began with, and what the derivative uses and would be dear to
compute again (products, gates), come as sequences from the loop forward. Gradients of weights are
sums over all steps: where they are products or sums, the factors of all steps are kept, and one large product or
sum follows the loop.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import NotDifferentiable
from .grad import pullback
from .loop import ARG, ENDLESS, SCAN, STEP, Body, Carry, Loop, LoopOp, Sizes, argument, counter, each_of
from .loop_sums import Recipe, stack_of, sum_of
from .node import Node, toposort
from .op import Elementwise, Movement
from .prims import add, full

_CHEAP = 4  # against a multiply: less than it takes to write a value and to read it again
_DEAR = 1000


def _gradient(found: dict[tuple[str, int], Node], scan: Node, *src: Node, body: Body, sizes: Sizes, steps: int,
              reverse: bool, ends: bool) -> tuple[Node | None, ...]:  # fmt: skip
    """One gradient for each source, or None. `found` has those of the loop's parts.

    Raises:
        NotDifferentiable: Nothing bounds the number of steps, whose values would have to be kept.
    """
    if steps == ENDLESS:
        raise NotDifferentiable(
            "while_loop: the gradient needs the values of all steps, and nothing says how many there are at most; give "
            "maximum_iterations, or use fori_loop or scan."
        )
    args, first = body.inputs, sizes.carries + sizes.sequences
    reached = _reached(found, body, sizes)
    arriving = {i: argument(args[i].shape, "float32") for i in reached}  # gradients of the carries after the step
    rows = [(argument(g.shape[1:], "float32"), g, body.order[k]) for (of, k), g in found.items() if of == "each"]
    seeds = [(body.roots[i], a) for i, a in arriving.items()] + [(node, row) for row, _, node in rows]
    floats = [i for i, a in enumerate(args) if a.dtype == "float32" and (i >= sizes.carries or i in reached)]
    pulled = pullback(seeds, [args[i] for i in floats])
    parts = {i: g for i, g in zip(floats, pulled, strict=True) if g is not None}

    back = _Back(body, sizes, src, scan, [*arriving.values(), *(row for row, _, _ in rows)])
    carries: list[Carry] = []
    wanted: list[Node] = []
    recipes: dict[int, Recipe] = {}
    for i, g in parts.items():
        if sizes.carries <= i < first:
            recipes[i] = stack_of(g, wanted)
        elif i >= first:
            recipe = sum_of(g, back.varies, wanted)
            if recipe is None:
                total = argument(args[i].shape, "float32")
                carries.append(Carry(total, _zeros(total), add(total, g)))
                recipe = _last(total)
            recipes[i] = recipe
    for i, a in arriving.items():
        carries.append(Carry(a, found.get(("last", i), _zeros(a)), parts.get(i, _zeros(a))))
        recipes[i] = _last(a)
    sequences = [(row, g) for row, g, _ in rows] + back.sequences([*(c.after for c in carries), *wanted])
    step = counter()
    before = full((), steps - 1, "int32") - step  # steps made before, in the loop forward
    inside = {id(n): before for n in body.order if n.op is STEP}
    loop = Loop(steps, not reverse, carries, sequences, wanted, step, back.outside, inside)
    return tuple(recipes[i](loop) if i in recipes else None for i in range(len(src)))


def _zeros(like: Node) -> Node:
    return full(like.shape, 0.0, "float32")


def _last(node: Node) -> Recipe:
    return lambda loop: loop.last(node)


SCAN.grad = _gradient  # here, because it needs the gradients of what is in a body


def _reached(found: Iterable[tuple[str, int]], body: Body, sizes: Sizes) -> list[int]:
    """The carries at which a gradient arrives, directly or from a later step."""
    reached = {k for of, k in found if of == "last"}
    roots = [body.order[k] for of, k in found if of == "each"]
    while True:
        under = toposort([*roots, *(body.roots[i] for i in reached)])
        more = {n.attrs["index"] for n in under if n.op is ARG and n.attrs["index"] < sizes.carries and n.dtype == "float32"}
        if more <= reached:
            return sorted(reached)
        reached |= more


class _Back:
    """What the loop back knows of the loop forward."""

    def __init__(self, body: Body, sizes: Sizes, src: tuple[Node, ...], scan: Node, leaves: list[Node]):
        self.sizes, self.src, self.scan = sizes, src, scan
        first = sizes.carries + sizes.sequences
        self.outside = {id(a): src[i] for i, a in enumerate(body.inputs) if i >= first}
        self.forward = {id(n) for n in body.order}
        self.kept: set[int] = set()  # ids of nodes of the step forward that come as sequences
        self.changing = {id(n) for n in leaves}  # ids of nodes that differ from step to step

    def varies(self, node: Node) -> bool:
        """Whether a node differs from step to step."""
        for n in toposort([node], stop=lambda n: id(n) in self.changing):
            own = n.op in (ARG, STEP) and id(n) in self.forward and id(n) not in self.outside
            if own or any(id(s) in self.changing for s in n.src):
                self.changing.add(id(n))
        return id(node) in self.changing

    def sequences(self, roots: list[Node]) -> list[tuple[Node, Node]]:
        """The sequences from which everything else that `roots` need is cheaply computed, each with its source."""
        self._choose(roots)
        order = toposort(roots, stop=lambda n: id(n) in self.kept)
        return [(n, self._source(n)) for n in order if id(n) in self.kept]

    def _choose(self, roots: list[Node]) -> None:
        """Keeps what the way back uses of the way forward and cannot get from something kept at little cost."""
        order = toposort(roots)
        used: set[int] = set()
        stack = [n for n in roots if id(n) in self.forward]
        stack += [s for n in order if id(n) not in self.forward or isinstance(n.op, LoopOp) for s in n.src if id(s) in self.forward]
        while stack:
            node = stack.pop()
            if node.op.transparent:
                stack.append(node.src[0])  # whose value it has
            elif isinstance(node.op, (Movement, LoopOp)):
                stack.extend(node.src)  # the values that it moves; loops are run again
            else:
                used.add(id(node))
        cost: dict[int, int] = {}  # of computing a node from what is kept
        for node in order:
            if id(node) not in self.forward or not self.varies(node) or node.op is STEP:
                cost[id(node)] = 0
            elif node.op is ARG:
                self.kept.add(id(node))
                cost[id(node)] = 0
            else:
                own = node.op.cost if isinstance(node.op, Elementwise) else 0 if isinstance(node.op, (Movement, LoopOp)) else _DEAR
                cost[id(node)] = own + sum(cost[id(s)] for s in node.src)
                if id(node) in used and cost[id(node)] > _CHEAP:
                    self.kept.add(id(node))
                    cost[id(node)] = 0

    def _source(self, node: Node) -> Node:
        i = node.attrs["index"] if node.op is ARG else -1
        if self.sizes.carries <= i < self.sizes.carries + self.sizes.sequences:
            return self.src[i]
        return each_of(self.scan, node)
