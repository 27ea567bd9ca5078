"""Gradients of the gradients of `lstm` and `gru`: their way back as a loop of primitives, which has a gradient.

The routines stay what runs for first derivatives. Where somebody differentiates those, as a gradient penalty does, the same steps
back are a `Loop`, and its gradient is what a scan's is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .grad import pullback
from .loop import Carry, Loop, argument
from .node import Node
from .op import Grads
from .prims import broadcast_to, concat, copy, full, matmul, not_equal, reshape, sigmoid, slice_, tanh, where
from .prims.gru import BACK as GRU_BACK
from .prims.lstm import BACK as LSTM_BACK


def _again(way_back: Callable[..., Node]) -> Callable[..., Grads]:
    """The gradient rule of a routine that gives what `way_back` makes of the same sources."""

    def rule(g: Node, y: Node, *src: Node) -> Grads:
        given = [copy(s) for s in src]  # nodes of their own: some of the sources are made of others
        return tuple(pullback([(way_back(*given), g)], given))

    return rule


def _parts(x: Node, size: int) -> list[Node]:
    """Slices of so many columns."""
    return [slice_(x, (0, first), (x.shape[0], first + size)) for first in range(0, x.shape[1], size)]


def _zeros(*shape: int) -> Node:
    return full(shape, 0.0, "float32")


def _mask(keep: Node, units: int) -> Node:
    there = not_equal(keep, full(keep.shape, 0, "int32"))
    return broadcast_to(reshape(there, (*keep.shape, 1)), (*keep.shape, units))


def _rows(*sources: Node) -> list[tuple[Node, Node]]:
    return [(argument(s.shape[1:], s.dtype), s) for s in sources]


def _before(first: Node, states: Node) -> Node:
    """The state at the beginning of every step."""
    steps, *rest = states.shape
    return concat([reshape(first, (1, *rest)), slice_(states, (0, 0, 0), (steps - 1, *rest))], 0)


def _stacked(loop: Loop, out: Node, firsts: Sequence[Node]) -> Node:
    """What the steps gave, and one row more with the gradients of the first states."""
    rows = loop.each(out)
    _, batch, width = rows.shape
    ends = [loop.last(f) for f in firsts]
    ends.append(_zeros(batch, width - sum(e.shape[1] for e in ends)))
    return concat([rows, reshape(concat(ends, 1), (1, batch, width))], 0)


def _lstm(dy: Node, pre: Node, y: Node, start: Node, rt: Node, keep: Node) -> Node:
    steps, batch, units = dy.shape[0], dy.shape[1], dy.shape[2] // 2
    first = slice_(start, (1, 0, 0), (2, batch, units))
    rows = _rows(dy, pre, _before(first, slice_(y, (0, 0, units), (steps, batch, 2 * units))), keep)
    arrived, gates, before, kept = (row for row, _ in rows)
    dh, dc = argument((batch, units), "float32"), argument((batch, units), "float32")
    mask, (dyh, dyc) = _mask(kept, units), _parts(arrived, units)
    i, f, n, o = (act(x) for act, x in zip((sigmoid, sigmoid, tanh, sigmoid), _parts(gates, units), strict=True))
    gh, gc, c = dh + dyh, dc + dyc, tanh(f * before + i * n)
    total = gc + gh * o * (1 - c * c)
    steps_of = (total * n * i * (1 - i), total * before * f * (1 - f), total * i * (1 - n * n), gh * c * o * (1 - o))
    nothing = _zeros(batch, units)
    out = concat([where(mask, part, nothing) for part in steps_of], 1)
    carries = [Carry(dh, nothing, where(mask, nothing, gh) + matmul(out, rt)), Carry(dc, nothing, where(mask, total * f, gc))]
    return _stacked(Loop(steps, True, carries, rows, [out]), out, (dh, dc))


def _gru(dy: Node, x: Node, inner: Node, y: Node, start: Node, rt: Node, keep: Node) -> Node:
    steps, batch, units = dy.shape
    rows = _rows(dy, x, inner, _before(start, y), keep)
    arrived, given, of_state, before, kept = (row for row, _ in rows)
    dh = argument((batch, units), "float32")
    mask, nothing = _mask(kept, units), _zeros(batch, units)
    (xz, xs, xn), (hz, hs, hn) = _parts(given, units), _parts(of_state, units)
    z, s = sigmoid(xz + hz), sigmoid(xs + hs)
    n = tanh(xn + s * hn)
    gh = dh + arrived
    dn = where(mask, gh * (1 - z) * (1 - n * n), nothing)
    dz = where(mask, gh * (before - n) * z * (1 - z), nothing)
    ds = dn * hn * s * (1 - s)
    out = concat([dz, ds, dn, dn * s], 1)
    after = where(mask, gh * z, gh) + matmul(concat([dz, ds, dn * s], 1), rt)
    return _stacked(Loop(steps, True, [Carry(dh, nothing, after)], rows, [out]), out, (dh,))


LSTM_BACK.grad = _again(_lstm)  # here, because they need loops
GRU_BACK.grad = _again(_gru)
