"""Pooling: the largest value or the mean of windows over one, two or three axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.tensor import Tensor
from ..core.types import TensorLike
from ..graph import prims
from ..graph.node import Node
from .apply import Primitive
from .declare import draw, op, sample
from .spatial import along_rows, answer, images, padding_widths, standard_sizes, without_rows

__all__ = ["average_pool", "max_pool"]


def _views(x: np.ndarray, size: int, strides: int | None = None) -> np.ndarray:
    """The windows of images, `(batch, height, width, channels, size, size)`: numpy's part in the tests of this file."""
    step = strides or size
    return np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))[:, ::step, ::step]


def _pool(
    prim: Primitive, what: str, inputs: TensorLike, pool_size: Any, strides: Any, padding: str, data_format: str | None
) -> Tensor:
    x, first = images(inputs, what, data_format, whole=prim is prims.max_pool2d)
    sizes = x.shape[1:-1]
    size = standard_sizes(pool_size, len(sizes), f"{what}: pool_size")
    step = size if strides is None else standard_sizes(strides, len(sizes), f"{what}: strides")
    widths = padding_widths(padding, sizes, size, step, (1,) * len(sizes), what)
    return answer(pooled(prim, x, size, step, widths), first)


def _largest(x: Node, size: Sequence[int], step: Sequence[int], widths: Sequence[tuple[int, int]]) -> Node:
    """The largest integer of each window, every digit of it: kernels of pools hold floats."""
    least = np.iinfo(x.dtype).min
    for axis, (window, stride, width) in enumerate(zip(size, step, widths, strict=True), 1):
        x = prims.pad(x, [width if i == axis else (0, 0) for i in range(x.ndim)], value=least)
        x = prims.reduce_max(prims.windows(x, axis, window, stride), (axis + 1,))
    return x


def pooled(prim: Primitive, x: Node, size: Sequence[int], step: Sequence[int], widths: Sequence[tuple[int, int]]) -> Node:
    """A pool of images, or its like, over one to three axes of `(batch, *sizes, channels)`."""
    if x.dtype != "float32":
        return _largest(x, size, step, widths)
    if len(size) == 1:
        return without_rows(prim(along_rows(x), size=(1, *size), strides=(1, *step), padding=((0, 0), *widths)))
    if len(size) == 2:
        return prim(x, size=size, strides=step, padding=widths)
    batch, depth, rows, columns, channels = x.shape                 # each slice, then the slices of each place
    y = prim(prims.reshape(x, (batch * depth, rows, columns, channels)), size=size[1:], strides=step[1:], padding=widths[1:])
    rows, columns = y.shape[1:3]
    y = prims.reshape(y, (batch, depth, rows * columns, channels))
    y = prim(y, size=(size[0], 1), strides=(step[0], 1), padding=(widths[0], (0, 0)))
    return prims.reshape(y, (batch, y.shape[1], rows, columns, channels))


@op(
    like=lambda x, size, strides=None: _views(x, size, strides).max((-2, -1)),
    samples=[sample(draw(2, 5, 6, 2), 2), sample(draw(2, 5, 6, 2), 3, strides=1)],
)
def max_pool(
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest value in each window; integers keep their dtype, anything else is float32.

    Args:
        inputs: `(batch, *sizes, channels)` with one, two or three sizes.
        pool_size: An integer, or one per spatial axis.
        strides: The same; by default `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"`, which None means, or `"channels_first"`: `(batch, channels, *sizes)`.

    Returns:
        A tensor in the layout of `inputs`: of its dtype for integers, else float32.

    Raises:
        ShapeError: The window does not fit the inputs.
        ValueError: `padding` or `data_format` is none of its words.

    Source: `keras.ops.max_pool`.

    Example:
        >>> pyml.ops.max_pool(np.arange(16.0).reshape(1, 4, 4, 1), 2)[0, :, :, 0].numpy()
        array([[ 5.,  7.],
               [13., 15.]], dtype=float32)
    """
    return _pool(prims.max_pool2d, "max_pool", inputs, pool_size, strides, padding, data_format)


@op(
    like=lambda x, size, strides=None: _views(x, size, strides).mean((-2, -1)),
    samples=[sample(draw(2, 5, 6, 2), 2), sample(draw(2, 5, 6, 2), 3, strides=1)],
)
def average_pool(
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window, float32; cells outside the image do not count. Arguments and shapes as for `max_pool`.

    Args:
        inputs: `(batch, ..., channels)`, or channels first.
        pool_size: The window, a number or one for each axis.
        strides: How far windows are apart; None for `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        float32, in the layout of `inputs`.

    Raises:
        ShapeError: The window does not fit the image.
        ValueError: `padding` or `data_format` is none of its words.

    Source: `keras.ops.average_pool`.

    Example:
        >>> pyml.ops.average_pool(np.arange(16).reshape(1, 4, 4, 1), 2)[0, :, :, 0].numpy()
        array([[ 2.5,  4.5],
               [10.5, 12.5]], dtype=float32)
    """
    return _pool(prims.avg_pool2d, "average_pool", inputs, pool_size, strides, padding, data_format)
