"""Skewed windows: what sliding windows over an axis are made of, and what adds them up again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ShapeError
from ..index import Index, Place
from ..node import Node
from ..op import Shape, movement
from .move import broadcast_to, reshape, slice_, spread
from .reduce import reduce_sum


def _shape(s: Shape, *, axis: int, size: int, step: int, start: int) -> Shape:
    if not 0 <= axis < len(s) - 1 or size < 0:
        raise ShapeError(f"skew: axis {axis} of shape {s} has no axis of taps after it, or a size of {size} cannot be.")
    return (*s[:axis], size, *s[axis + 1 :])


def _index(c: Sequence[Index], s: Shape, axis: int, size: int, step: int, start: int) -> list[Place]:
    place = c[axis] + c[axis + 1] * step + start
    return [([*c[:axis], place, *c[axis + 1 :]], [(place, s[axis])], 0)]


def _numpy(x: np.ndarray, axis: int, size: int, step: int, start: int) -> np.ndarray:
    out = np.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)
    lead: tuple[slice, ...] = (slice(None),) * axis
    for tap in range(x.shape[axis + 1]):
        shift = tap * step + start
        first, last = max(0, -shift), min(size, x.shape[axis] - shift)
        if first < last:
            out[lead + (slice(first, last), tap)] = x[lead + (slice(first + shift, last + shift), tap)]
    return out


_X = np.random.default_rng(1).uniform(-1, 1, (2, 5, 3)).astype(np.float32)

# y[.., p, t, ..] = x[.., p + t * step + start, t, ..], 0 outside; p along `axis`, t along the next one
SKEW = movement(
    "skew",
    shape=_shape,
    index=_index,
    numpy=_numpy,
    grad=lambda g, y, x, axis, size, step, start: (skew(g, axis, x.shape[axis], -step, -start),),
    samples=[
        ((_X,), {"axis": 1, "size": 3, "step": 1, "start": 0}),
        ((_X,), {"axis": 1, "size": 7, "step": -2, "start": 1}),
        ((_X,), {"axis": 0, "size": 2, "step": 1, "start": -1}),
    ],
)


def skew(x: Node, axis: int, size: int, step: int, start: int = 0) -> Node:
    """`y[.., p, t, ..] = x[.., p + t * step + start, t, ..]` for `size` places p along `axis`; 0 where x has no such place."""
    return SKEW(x, axis=axis, size=int(size), step=int(step), start=int(start))


def windows(x: Node, axis: int, size: int, stride: int = 1, dilation: int = 1) -> Node:
    """Windows over `axis`, which becomes two: `(.., windows, size, ..)`. A view; its gradient adds what overlaps."""
    count = (x.shape[axis] - (size - 1) * dilation - 1) // stride + 1
    if count < 1 or size < 1:
        raise ShapeError(f"windows: {size} cells {dilation} apart do not fit axis {axis} of shape {x.shape}.")
    rows = (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :])
    x = broadcast_to(reshape(x, rows), (*rows[: axis + 1], size, *rows[axis + 2 :]))
    reach = (count - 1) * stride + 1
    x = skew(x, axis, reach, dilation)
    stop = tuple(reach if i == axis else n for i, n in enumerate(x.shape))
    return slice_(x, (0,) * x.ndim, stop, tuple(stride if i == axis else 1 for i in range(x.ndim)))


def overlapped(x: Node, axis: int, size: int, stride: int, dilation: int, start: int) -> Node:
    """The way back of `windows`: windows along `axis` and `axis + 1` added where they lie, `size` cells of it from `start`."""
    apart = spread(x, tuple(stride if i == axis else 1 for i in range(x.ndim)))
    return reduce_sum(skew(apart, axis, size, -dilation, start), axis=(axis + 1,))
