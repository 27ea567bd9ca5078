"""Windows of the last axis, which may overlap, and their sum back at their places."""

from __future__ import annotations

from math import prod

import numpy as np

from ...errors import ShapeError
from ..node import Node
from ..op import Grads, Shape, movement
from .choose import ceil_div
from .move import pad, permute, reshape, slice_
from .reduce import reduce_sum


def _shape(s: Shape, *, length: int, stride: int) -> Shape:
    if not s or length < 1 or stride < 1 or length > s[-1]:
        raise ShapeError(f"frames: windows of {length}, {stride} apart, do not fit the last axis of {s}.")
    return (*s[:-1], 1 + (s[-1] - length) // stride, length)


def _numpy(x: np.ndarray, length: int, stride: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, length, axis=-1)[..., ::stride, :]


def _grad(g: Node, y: Node, x: Node, length: int, stride: int) -> Grads:
    back = overlap_add(g, stride)
    return (pad(back, ((0, 0),) * (x.ndim - 1) + ((0, x.shape[-1] - back.shape[-1]),)),)


_X = np.random.default_rng(6).uniform(-1, 1, (2, 11)).astype(np.float32)

FRAMES = movement(
    "frames",
    shape=_shape,
    index=lambda c, s, length, stride: [([*c[:-2], c[-2] * stride + c[-1]], [], None)],
    numpy=_numpy,
    grad=_grad,
    samples=[
        ((_X,), {"length": 4, "stride": 3}),
        ((_X,), {"length": 3, "stride": 5}),
        ((_X,), {"length": 5, "stride": 1}),
    ],
)


def frames(x: Node, length: int, stride: int) -> Node:
    """`x[..., i * stride : i * stride + length]` for every i that fits: `(..., windows, length)`.

    Raises:
        ShapeError: No window fits.
    """
    return FRAMES(x, length=int(length), stride=int(stride))


def overlap_add(x: Node, stride: int) -> Node:
    """The sum of windows `(..., windows, length)` that lie `stride` apart: `(..., (windows - 1) * stride + length)`."""
    *batch, count, length = x.shape
    steps = ceil_div(length, stride)
    x = pad(reshape(x, (prod(batch), count, length)), ((0, 0), (0, 0), (0, steps * stride - length)))
    rows = x.shape[0]
    if steps > 1:
        # blocks (step, window, stride); after a row of zeros is added to each step, step s begins s rows later than the first
        x = permute(reshape(x, (rows, count, steps, stride)), (0, 2, 1, 3))
        x = pad(x, ((0, 0), (0, 0), (0, steps), (0, 0)))
        x = reshape(x, (rows, steps * (count + steps) * stride))
        x = reshape(slice_(x, (0, 0), (rows, steps * (count + steps - 1) * stride)), (rows, steps, (count + steps - 1) * stride))
        x = reduce_sum(x, axis=(1,))
    x = reshape(x, (rows, (count + steps - 1) * stride))
    return reshape(slice_(x, (0, 0), (rows, (count - 1) * stride + length)), (*batch, (count - 1) * stride + length))
