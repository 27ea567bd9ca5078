"""Images in blocks: taken apart into windows and put together, and channels against size; and how alike two are."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from .apply import as_float
from .arithmetic import square
from .declare import draw, op, sample
from .elementary import log10 as _log10
from .reduce import mean
from .spatial import channels_first, standard_sizes

__all__ = ["depth_to_space", "fold", "psnr", "space_to_depth", "unfold"]


def _block(x: TensorLike, block_size: int, data_format: str | None, what: str) -> bool:
    shape = as_node(x).shape
    if isinstance(block_size, bool) or not hasattr(block_size, "__index__") or block_size < 2:
        raise ValueError(f"{what}: block_size must be an integer of at least 2. Received: block_size={block_size}")
    if len(shape) != 4:
        raise ShapeError(f"{what}: expected images (batch, height, width, channels), or the channels first. Received: {shape}")
    return channels_first(data_format, what)


def _deep(x: np.ndarray, n: int) -> np.ndarray:
    """`space_to_depth` in numpy, block by block."""
    return np.concatenate([x[:, i::n, j::n] for i in range(n) for j in range(n)], -1)


def _wide(x: np.ndarray, n: int) -> np.ndarray:
    """`depth_to_space` in numpy."""
    batch, h, w, channels = x.shape
    out = np.empty((batch, h * n, w * n, channels // n**2))
    for i, part in enumerate(np.split(x, n * n, -1)):
        out[:, i // n :: n, i % n :: n] = part
    return out


@op(like=_wide, samples=[sample(draw(2, 3, 2, 8), 2)])
def depth_to_space(x: TensorLike, block_size: int, data_format: str | None = "channels_last") -> Tensor:
    """Channels become blocks of cells: `(batch, h, w, c * n^2)` becomes `(batch, h * n, w * n, c)`.

    Args:
        x: Images.
        block_size: Height and width of a block, at least 2.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        The dtype of `x`.

    Raises:
        ValueError: `block_size` is below 2.
        ShapeError: The channels do not divide into blocks.

    Source: Keras `ops.depth_to_space`; Shi et al. 2016, "Sub-pixel convolution".

    Example:
        >>> pyml.ops.depth_to_space([[[[1, 2, 3, 4]]]], 2)[0, :, :, 0].numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    first = _block(x, block_size, data_format, "depth_to_space")
    node, n = as_node(x), int(block_size)
    channels = node.shape[1 if first else 3]
    if channels % n**2:
        raise ShapeError(f"depth_to_space: {channels} channels do not divide into blocks of {n} x {n}. Received: {node.shape}")
    c = channels // n**2
    if first:
        batch, _, h, w = node.shape
        parts = prims.permute(prims.reshape(node, (batch, c, n, n, h, w)), (0, 1, 4, 2, 5, 3))
        return Tensor(prims.reshape(parts, (batch, c, h * n, w * n)))
    batch, h, w, _ = node.shape
    parts = prims.permute(prims.reshape(node, (batch, h, w, n, n, c)), (0, 1, 3, 2, 4, 5))
    return Tensor(prims.reshape(parts, (batch, h * n, w * n, c)))


@op(like=_deep, samples=[sample(draw(2, 4, 6, 3), 2)])
def space_to_depth(x: TensorLike, block_size: int, data_format: str | None = "channels_last") -> Tensor:
    """Blocks of cells become channels: the way back of `depth_to_space`.

    Args:
        x: Images, `(batch, h * n, w * n, c)`.
        block_size: Height and width `n` of a block, at least 2.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        `(batch, h, w, c * n^2)`, the dtype of `x`.

    Raises:
        ValueError: `block_size` is below 2.
        ShapeError: Height or width do not divide into blocks.

    Source: Keras `ops.space_to_depth`.

    Example:
        >>> pyml.ops.space_to_depth([[[[1], [2]], [[3], [4]]]], 2).numpy()
        array([[[[1, 2, 3, 4]]]], dtype=int32)
    """
    first = _block(x, block_size, data_format, "space_to_depth")
    node, n = as_node(x), int(block_size)
    h, w = node.shape[2:] if first else node.shape[1:3]
    if h % n or w % n:
        raise ShapeError(f"space_to_depth: {h} x {w} cells do not divide into blocks of {n} x {n}. Received: {node.shape}")
    if first:
        batch, c = node.shape[:2]
        parts = prims.permute(prims.reshape(node, (batch, c, h // n, n, w // n, n)), (0, 1, 3, 5, 2, 4))
        return Tensor(prims.reshape(parts, (batch, c * n * n, h // n, w // n)))
    batch, c = node.shape[0], node.shape[3]
    parts = prims.permute(prims.reshape(node, (batch, h // n, n, w // n, n, c)), (0, 1, 3, 2, 4, 5))
    return Tensor(prims.reshape(parts, (batch, h // n, w // n, c * n * n)))


def _two(value: Any, what: str, least: int = 1) -> tuple[int, ...]:
    return standard_sizes(value, 2, what, least)


def _windows_of(kernel_size: Any, dilation: Any, padding: Any, stride: Any, what: str) -> list[tuple[int, ...]]:
    return [_two(kernel_size, f"{what}: kernel_size"), _two(dilation, f"{what}: dilation"),
            _two(padding, f"{what}: padding", 0), _two(stride, f"{what}: stride")]  # fmt: skip


def _unfolded(x: np.ndarray, size: int, dilation: int = 1, padding: int = 0, stride: int = 1) -> np.ndarray:
    """`unfold` in numpy."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    reach = (size - 1) * dilation + 1
    seen = np.lib.stride_tricks.sliding_window_view(x, (reach, reach), axis=(2, 3))
    seen = seen[:, :, ::stride, ::stride, ::dilation, ::dilation]
    return seen.transpose(0, 1, 4, 5, 2, 3).reshape(x.shape[0], x.shape[1] * size * size, -1)


@op(like=_unfolded, samples=[sample(draw(2, 3, 5, 6), 2), sample(draw(1, 2, 5, 5), 2, dilation=2, padding=1, stride=2)])
def unfold(
    x: TensorLike,
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """The windows of images, each as a column.

    Args:
        x: Images `(batch, channels, height, width)`.
        kernel_size: Size of a window: one or two integers.
        dilation: Distance of its cells.
        padding: Zeros on each side of the image.
        stride: Distance of windows.

    Returns:
        `(batch, channels * rows * columns, windows)`, the dtype of `x`; windows row by row.

    Raises:
        ShapeError: `x` is not a batch of images, or a window does not fit.

    Source: Keras `ops.unfold`.

    Example:
        >>> pyml.ops.unfold(np.arange(9).reshape(1, 1, 3, 3), 2)[0, :, 0].numpy()
        array([0, 1, 3, 4], dtype=int32)
    """
    node = as_node(x)
    if node.ndim != 4:
        raise ShapeError(f"unfold: expected images (batch, channels, height, width). Received: {node.shape}")
    size, dilations, widths, strides = _windows_of(kernel_size, dilation, padding, stride, "unfold")
    node = prims.pad(node, ((0, 0), (0, 0), *((n, n) for n in widths)))
    if any((k - 1) * d >= n for k, d, n in zip(size, dilations, node.shape[2:], strict=True)):
        raise ShapeError(f"unfold: windows of {size}, cells {dilations} apart, do not fit padded images of {node.shape[2:]}.")
    for axis in (1, 0):
        node = prims.windows(node, 2 + axis, size[axis], strides[axis], dilations[axis])
    batch, channels, rows, kh, columns, kw = node.shape
    node = prims.permute(node, (0, 1, 3, 5, 2, 4))
    return Tensor(prims.reshape(node, (batch, channels * kh * kw, rows * columns)))


def _folded(x: np.ndarray, output: tuple[int, int], size: int, stride: int = 1) -> np.ndarray:
    """`fold` in numpy."""
    rows, columns = ((n - size) // stride + 1 for n in output)
    parts = x.reshape(x.shape[0], -1, size, size, rows, columns)
    out = np.zeros((*parts.shape[:2], *output))
    for i, j in np.ndindex(size, size):
        out[:, :, i : i + rows * stride - stride + 1 : stride, j : j + columns * stride - stride + 1 : stride] += parts[:, :, i, j]
    return out


@op(like=_folded, samples=[sample(draw(2, 12, 20), (5, 6), 2), sample(draw(1, 18, 4), (5, 5), 3, stride=2)])
def fold(
    x: TensorLike,
    output_size: int | Sequence[int],
    kernel_size: int | Sequence[int],
    dilation: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    stride: int | Sequence[int] = 1,
) -> Tensor:
    """Windows put together to images; where they overlap they are added.

    Args:
        x: Windows `(batch, channels * rows * columns, windows)`, as `unfold` gives them.
        output_size: Height and width of the images: one or two integers.
        kernel_size, dilation, padding, stride: Those of `unfold`.

    Returns:
        `(batch, channels, height, width)`, the dtype of `x`.

    Raises:
        ShapeError: The columns are not windows of that size, or not as many as the images have.

    Source: Keras `ops.fold`.

    Example:
        >>> pyml.ops.fold(pyml.ops.unfold(np.ones((1, 1, 3, 3)), 2), 3, 2)[0, 0].numpy()
        array([[1., 2., 1.],
               [2., 4., 2.],
               [1., 2., 1.]], dtype=float32)
    """
    node = as_node(x)
    if node.ndim != 3:
        raise ShapeError(f"fold: expected windows (batch, channels * rows * columns, windows). Received: {node.shape}")
    wanted = _two(output_size, "fold: output_size")
    size, dilations, widths, strides = _windows_of(kernel_size, dilation, padding, stride, "fold")
    rows, columns = (
        (n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in zip(wanted, widths, dilations, size, strides, strict=True)
    )
    kh, kw = size
    batch, depth, count = node.shape
    if depth % (kh * kw) or min(rows, columns) < 1 or count != rows * columns:
        raise ShapeError(
            f"fold: windows of {size} of images of {wanted} are (batch, channels * {kh * kw}, {max(rows, 0)} * {max(columns, 0)}). "
            f"Received: {node.shape}"
        )
    node = prims.permute(prims.reshape(node, (batch, depth // (kh * kw), kh, kw, rows, columns)), (0, 1, 4, 2, 5, 3))
    for axis in (1, 0):
        node = prims.overlapped(node, 2 + 2 * axis, wanted[axis], strides[axis], dilations[axis], widths[axis])
    return Tensor(node)


@op(
    like=lambda x1, x2, max_val: 20 * log10(max_val) - 10 * np.log10(np.mean((x1 - x2) ** 2)),
    samples=[sample(draw(2, 3), draw(2, 3), 2.0)],
)
def psnr(x1: TensorLike, x2: TensorLike, max_val: float) -> Tensor:
    """How far the largest signal is above the difference of two: `20 log10(max_val) - 10 log10(mean((x1 - x2)^2))`, in decibels.

    Args:
        x1, x2: Signals of the same shape.
        max_val: The largest value that there could be.

    Returns:
        A float32 scalar; infinite where the signals are equal.

    Raises:
        ShapeError: The shapes differ.

    Source: Keras `ops.psnr`.

    Example:
        >>> pyml.ops.psnr([1., 2.], [1., 2.5], max_val=5.).item()
        23.010299682617188
    """
    a, b = as_float(x1), as_float(x2)
    if a.shape != b.shape:
        raise ShapeError(f"psnr: the signals must be of the same shape. Received: {a.shape} and {b.shape}")
    return 20.0 * _log10(as_float(max_val)) - 10.0 * _log10(mean(square(a - b)))
