"""Large reductions in two stages, so that many threads take part."""

from __future__ import annotations

from math import prod

from ..node import Node
from ..op import Profile, Reduction, Shape
from .choose import is_software
from .move import pad, reshape
from .teams import runs, team

_COUNTED = 2**32  # elements have 32-bit numbers
_LONGEST = 2**15  # more terms than this are never one thread's work where loops may end early
_FROM = 1024  # fewer elements per result than this are summed by one thread


def split(node: Node, profile: Profile) -> Node | None:
    """A reduction to few elements from many, in two stages so that many threads take part.

    Partial results are formed in an order fixed by the shapes alone.
    """
    x, axis = node.src[0], node.attrs["axis"]
    if x.size >= _COUNTED:  # more than can be numbered: axis by axis
        first = max(axis, key=lambda i: (x.shape[i] <= _LONGEST, x.shape[i]))
        rest = tuple(i - (i > first) for i in axis if i != first)
        return node.op(node.op(x, axis=(first,)), axis=rest) if rest else None
    terms = prod(x.shape[a] for a in axis)
    wanted = profile.threads // max(1, node.size)
    too_long = is_software(profile) and terms > _LONGEST
    if too_long:
        wanted = max(wanted, -(-terms // _LONGEST))
    if terms < _FROM or (wanted < 4 and not too_long):
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
        most = 512 if is_software(profile) else wanted  # one thread sums the rest without a third stage
        parts = parts if shared is not None else min(wanted, most, terms // 64)
        parts = max(4, parts - parts % 4)
        each = -(-terms // parts)
        each += -each % 4
        flat = _padded(reshape(x, (terms,)), 0, parts * each, node)
        # neighbouring elements belong to one thread of a processor, and to one workgroup of a GPU
        by_rows = is_software(profile) or shared is not None
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
    inside = tuple(i if i < a else i + 1 for i in axis)
    return node.op(node.op(x, axis=tuple(sorted(inside))), axis=(a - sum(i < a for i in axis),))


def _joined(x: Node, axis: Shape) -> tuple[Node, Shape]:
    """The operand with neighbouring reduced axes as one, and the axes that remain to be reduced."""
    shape = list(x.shape)
    left: list[int] = []
    for run in reversed(runs(axis)):
        shape[run[0] : run[-1] + 1] = [prod(x.shape[a] for a in run)]
    for run in runs(axis):
        left.append(run[0] - sum(1 for a in axis if a < run[0]) + len(left))
    return reshape(x, tuple(shape)), tuple(left)


def _padded(x: Node, axis: int, size: int, node: Node) -> Node:
    """`x` made as long as `size` by elements that change nothing."""
    assert isinstance(node.op, Reduction)
    widths = [(0, 0)] * x.ndim
    widths[axis] = (0, size - x.shape[axis])
    return pad(x, widths, node.op.neutral(x.dtype))
