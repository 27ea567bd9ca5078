"""Sums and stacks over the steps of a loop, built outside from as little as the loop must keep.

The sum over all steps of a product of matrices is one product of matrices that lie side by side; sums and movements of
elements are done once to all steps. So a loop keeps the factors, and its steps need no kernel for the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .loop import Loop
from .node import Node
from .op import Op
from .prims import add, broadcast_to, concat, flip, pad, permute, reduce_sum, reshape, slice_
from .prims.contract import MATMUL
from .prims.elementwise import ADD
from .prims.move import BROADCAST, CONCAT, FLIP, PAD, PERMUTE, RESHAPE, SLICE
from .prims.reduce import SUM

Recipe = Callable[[Loop], Node]  # builds something from the results of a loop
Varies = Callable[[Node], bool]

_MOVES: dict[Op, tuple[Callable[..., Node], Callable[..., dict[str, Any]]]] = {
    # how a movement is made of its attributes, and these attributes where it is done to all steps, along a new first axis
    RESHAPE: (reshape, lambda steps, shape: {"shape": (steps, *shape)}),
    PERMUTE: (permute, lambda steps, axes: {"axes": (0, *(a + 1 for a in axes))}),
    BROADCAST: (broadcast_to, lambda steps, shape: {"shape": (steps, *shape)}),
    SLICE: (slice_, lambda steps, start, stop, step: {"start": (0, *start), "stop": (steps, *stop), "step": (1, *step)}),
    FLIP: (flip, lambda steps, axes: {"axes": tuple(a + 1 for a in axes)}),
    PAD: (pad, lambda steps, widths, value: {"widths": ((0, 0), *widths), "value": value}),
    CONCAT: (lambda *xs, axis: concat(xs, axis), lambda steps, axis: {"axis": axis + 1}),
}


def stack_of(g: Node, wanted: list[Node]) -> Recipe:
    """How `g` of all steps, stacked, follows from sequences that the loop keeps; they are added to `wanted`."""
    parts: list[Node] = []
    recipe = _taken_apart(g, parts)
    if sum(p.size for p in {id(p): p for p in parts}.values()) > g.size:
        parts, recipe = [g], lambda loop: loop.each(g)
    wanted.extend(parts)
    return recipe


def _taken_apart(g: Node, parts: list[Node]) -> Recipe:
    """What is put together from parts, as gradients of slices are, is put together outside."""
    if g.op is ADD:
        a, b = (_taken_apart(s, parts) for s in g.src)
        return lambda loop: add(a(loop), b(loop))
    if g.op not in _MOVES or g.buffer is not None:
        parts.append(g)
        return lambda loop: loop.each(g)
    (move, shifted), inner = _MOVES[g.op], [_taken_apart(s, parts) for s in g.src]

    def moved(loop: Loop) -> Node:
        sources = [r(loop) for r in inner]
        if g.op is BROADCAST:
            sources = [reshape(s, (s.shape[0], *(1,) * (g.ndim + 1 - s.ndim), *s.shape[1:])) for s in sources]
        return move(*sources, **shifted(loop.steps, **g.attrs))

    return moved


def sum_of(g: Node, varies: Varies, wanted: list[Node]) -> Recipe | None:
    """How the sum of `g` over all steps follows from sequences that the loop keeps; they are added to `wanted`.

    None where it must be added up step by step.
    """
    if g.op is ADD or (g.op in _MOVES and g.attrs.get("value", 0) == 0):
        return _summed_apart(g, varies, wanted)
    if g.op is SUM and varies(g.src[0]):
        stack = stack_of(g.src[0], wanted)
        return lambda loop: reduce_sum(stack(loop), (0, *(a + 1 for a in g.attrs["axis"])))
    if g.op is MATMUL and g.ndim == 2 and varies(g.src[0]) and varies(g.src[1]):
        a, b = (stack_of(s, wanted) for s in g.src)
        ta, tb = g.attrs["ta"], g.attrs["tb"]
        return lambda loop: MATMUL(_rows(a(loop), ta), _rows(b(loop), not tb), ta=ta, tb=tb)
    return None


def _summed_apart(g: Node, varies: Varies, wanted: list[Node]) -> Recipe | None:
    """The sum of something linear is made of the sums of its parts."""
    kept: list[Node] = []
    parts = [sum_of(s, varies, kept) for s in g.src]
    recipes = [p for p in parts if p is not None]
    if len(recipes) < len(parts):
        return None
    wanted.extend(kept)
    move = _MOVES[g.op][0] if g.op in _MOVES else add
    return lambda loop: move(*(p(loop) for p in recipes), **g.attrs)


def _rows(x: Node, inner_first: bool) -> Node:
    """The matrices of all steps next to each other along the axis that a product sums over."""
    steps, m, n = x.shape
    return reshape(x, (steps * m, n)) if inner_first else reshape(permute(x, (1, 0, 2)), (m, steps * n))
