"""Adaptive pools: as many windows as are asked for, whatever the size of the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from .declare import draw, op, sample
from .joining import take
from .pooling import pooled
from .spatial import answer, images, standard_sizes

__all__ = ["adaptive_average_pool", "adaptive_max_pool"]


def _bounds(size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """First cells and ends of the `count` windows that cover `size` cells."""
    places = np.arange(count)
    return places * size // count, -(-(places + 1) * size // count)


def _adapted(mean: bool) -> Any:
    """An adaptive pool in numpy."""

    def pool(x: np.ndarray, output_size: int | Sequence[int]) -> np.ndarray:
        counts = (output_size,) * (x.ndim - 2) if isinstance(output_size, int) else output_size
        for axis, count in enumerate(counts, 1):
            parts = [x.take(range(a, b), axis) for a, b in zip(*_bounds(x.shape[axis], count), strict=True)]
            x = np.stack([part.mean(axis) if mean else part.max(axis) for part in parts], axis)
        return x

    return pool


def _adaptive(inputs: TensorLike, output_size: Any, what: str, data_format: str | None) -> tuple[Node, tuple[int, ...], bool]:
    x, first = images(inputs, what, data_format)
    counts = standard_sizes(output_size, x.ndim - 2, f"{what}: output_size")
    if 0 in x.shape[1:-1]:
        raise ShapeError(f"{what}: the sizes of inputs must not be 0. Received: {x.shape}")
    return x, counts, first


@op(like=_adapted(mean=True), samples=[sample(draw(2, 7, 4, 3), (3, 2)), sample(draw(2, 5, 2), 4), sample(draw(1, 4, 3, 5, 2), 2)])
def adaptive_average_pool(inputs: TensorLike, output_size: int | Sequence[int], data_format: str | None = None) -> Tensor:
    """The means of as many windows as `output_size` says, which cover the inputs evenly: window `i` of `n` begins at
    `floor(i * size / n)` and ends before `ceil((i + 1) * size / n)`.

    Args:
        inputs: `(batch, *sizes, channels)` with one, two or three sizes.
        output_size: An integer, or one per spatial axis.
        data_format: `"channels_last"`, which None means, or `"channels_first"`: `(batch, channels, *sizes)`.

    Returns:
        float32 `(batch, *output_size, channels)`.

    Raises:
        ShapeError: There are not one to three sizes, or `output_size` is not a positive integer for each.
        ValueError: `data_format` is neither of its words.

    Source: Keras `ops.adaptive_average_pool`.

    Example:
        >>> pyml.ops.adaptive_average_pool(np.arange(5.).reshape(1, 5, 1), 2)[0, :, 0].numpy()
        array([1., 3.], dtype=float32)
    """
    x, counts, first = _adaptive(inputs, output_size, "adaptive_average_pool", data_format)
    if all(n % count == 0 for n, count in zip(x.shape[1:-1], counts, strict=True)):
        size = [n // count for n, count in zip(x.shape[1:-1], counts, strict=True)]
        return answer(pooled(prims.avg_pool2d, x, size, size, ((0, 0),) * len(size)), first)
    for axis, count in enumerate(counts, 1):  # windows side by side; the last cell of short ones is there twice, a half each time
        shape = x.shape
        begin, end = (bound[:, None] for bound in _bounds(shape[axis], count))
        most = int((end - begin).max())
        cells = np.minimum(begin + np.arange(most), end - 1)
        shares = np.repeat(1 / (end - begin), most, axis=1)
        shares[(end - begin < most)[:, 0], -2:] /= 2
        before, after = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
        windows = take(Tensor(x), cells.reshape(-1).astype(np.int32), axis)._node
        weighed = Tensor(prims.reshape(windows, (before, count, most, after))) * shares[:, :, None].astype(np.float32)
        x = prims.reshape(prims.reduce_sum(weighed._node, (2,)), (*shape[:axis], count, *shape[axis + 1 :]))
    return answer(x, first)


@op(like=_adapted(mean=False), samples=[sample(draw(2, 7, 4, 3), (3, 2)), sample(draw(2, 5, 2), 4), sample(draw(1, 4, 3, 5, 2), 2)])
def adaptive_max_pool(inputs: TensorLike, output_size: int | Sequence[int], data_format: str | None = None) -> Tensor:
    """The largest values of as many windows as `output_size` says; see `adaptive_average_pool`.

    Args:
        inputs: `(batch, ..., channels)`, or channels first.
        output_size: How many windows, a number or one for each axis.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        A tensor in the layout of `inputs`: of its dtype for integers, else float32.

    Raises:
        ShapeError: There are not one to three sizes, or `output_size` is not a positive integer for each.
        ValueError: `data_format` is neither of its words.

    Source: Keras `ops.adaptive_max_pool`.

    Example:
        >>> pyml.ops.adaptive_max_pool(np.arange(5.).reshape(1, 5, 1), 2)[0, :, 0].numpy()
        array([2., 4.], dtype=float32)
    """
    x, counts, first = _adaptive(inputs, output_size, "adaptive_max_pool", data_format)
    size = []
    for axis, count in enumerate(counts, 1):            # windows side by side; short ones have their last cell twice
        begin, end = _bounds(x.shape[axis], count)
        size.append(int((end - begin).max()))
        if size[-1] * count != x.shape[axis]:
            cells = np.minimum(begin[:, None] + np.arange(size[-1]), end[:, None] - 1).reshape(-1)
            x = as_node(take(Tensor(x), cells.astype(np.int32), axis))
    return answer(pooled(prims.max_pool2d, x, size, size, ((0, 0),) * len(size)), first)

