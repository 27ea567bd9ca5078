"""Convolution and pooling on channels-last arrays of one or two spatial axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from .apply import Primitive
from .declare import draw, op, sample

__all__ = [
    "average_pool", "conv", "conv_transpose", "depthwise_conv", "max_pool", "separable_conv",
]  # fmt: skip


def _views(x: np.ndarray, size: tuple[int, int], stride: int) -> np.ndarray:
    """The windows of images, `(batch, height, width, channels, *size)`: numpy's part in the tests of this file."""
    return np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))[:, ::stride, ::stride]


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(*x.shape[:3], -1)


def _spread(x: np.ndarray, kernel: np.ndarray, strides: int = 1) -> np.ndarray:
    """`conv_transpose` in numpy: each cell of x adds the kernel to the result."""
    (batch, h, w, _), (rows, columns, filters, _) = x.shape, kernel.shape
    height, width = (h - 1) * strides, (w - 1) * strides
    out = np.zeros((batch, height + rows, width + columns, filters))
    for i, j in np.ndindex(rows, columns):
        out[:, i : i + height + 1 : strides, j : j + width + 1 : strides] += x @ kernel[i, j].T
    return out


def _pair(value: int | Sequence[int], spatial: int, name: str) -> tuple[int, ...]:
    """One size per spatial axis, as two (a single axis gets a height of 1)."""
    sizes = (value,) * spatial if isinstance(value, int) else tuple(value)
    if len(sizes) != spatial or any(size < 1 for size in sizes):
        raise ShapeError(f"{name}: expected {spatial} positive integers. Received: {value}")
    return (1, *sizes) if spatial == 1 else sizes


def _image(x: TensorLike, what: str, data_format: str | None) -> tuple[Node, int]:
    """The node of `x` as float32 `(batch, height, width, channels)`, and its number of spatial axes."""
    if data_format not in (None, "channels_last"):
        raise ValueError(
            f"{what}: only data_format='channels_last' is supported. Received: data_format={data_format!r}. "
            "Move the channels to the last axis."
        )
    node = prims.cast(as_node(x), dtype="float32")
    if node.ndim not in (3, 4):
        raise ShapeError(f"{what}: expected (batch, height, width, channels) or (batch, steps, channels). Received: {node.shape}")
    spatial = node.ndim - 2
    return (prims.reshape(node, (node.shape[0], 1, *node.shape[1:])) if spatial == 1 else node), spatial


def _padding(
    padding: str, sizes: Sequence[int], windows: Sequence[int], strides: Sequence[int], dilations: Sequence[int], what: str
) -> tuple[tuple[int, int], ...]:
    """Cells to add before and after each spatial axis: none, or as many as keep `ceil(size / stride)` outputs."""
    widths: tuple[tuple[int, int], ...]
    if padding == "valid":
        widths = ((0, 0), (0, 0))
    elif padding == "same":
        widths = tuple(_same(*args) for args in zip(sizes, windows, strides, dilations, strict=True))
    else:
        raise ValueError(f"{what}: padding must be 'valid' or 'same'. Received: padding={padding!r}")
    for n, k, d, (low, high) in zip(sizes, windows, dilations, widths, strict=True):
        if n + low + high < (k - 1) * d + 1:
            raise ShapeError(f"{what}: a window of {windows} does not fit inputs of {tuple(sizes)}; use padding='same'.")
    return widths


def _same(size: int, window: int, stride: int, dilation: int) -> tuple[int, int]:
    total = max((-(-size // stride) - 1) * stride + (window - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def _result(node: Node, spatial: int) -> Tensor:
    return Tensor(prims.reshape(node, (node.shape[0], *node.shape[2:])) if spatial == 1 else node)


@op(
    like=lambda x, w, strides=1: np.einsum("bhwcij,ijcf->bhwf", _views(x, w.shape[:2], strides), w),
    samples=[sample(draw(2, 5, 6, 3), draw(3, 2, 3, 4)), sample(draw(1, 7, 7, 2), draw(3, 3, 2, 3), strides=2)],
)
def conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Convolution (cross-correlation) of images or sequences.

    Args:
        inputs: `(batch, height, width, channels)` or `(batch, steps, channels)`.
        kernel: `(height, width, channels / groups, filters)`, or without the height.
        strides: An integer, or one per spatial axis.
        padding: `"valid"` or `"same"`.
        data_format: None or `"channels_last"`.
        dilation_rate: An integer, or one per spatial axis.

    Returns:
        `(batch, new_height, new_width, filters)`.

    Raises:
        ShapeError: The channels do not fit the kernel, or the window does not fit the image.

    Example:
        >>> pyml.ops.conv(np.ones((1, 28, 28, 3)), np.ones((3, 3, 3, 8)), strides=2, padding="same").shape
        (1, 14, 14, 8)
    """
    x, spatial = _image(inputs, "conv", data_format)
    w = prims.cast(as_node(kernel), dtype="float32")
    if w.ndim != spatial + 2:
        raise ShapeError(f"conv: kernel of shape {w.shape} does not fit inputs of shape {as_node(inputs).shape}.")
    w = prims.reshape(w, (1, *w.shape)) if spatial == 1 else w
    channels, per_group, filters = x.shape[3], w.shape[2], w.shape[3]
    if per_group == 0 or channels % per_group or filters % (channels // per_group):
        raise ShapeError(
            f"conv: inputs are {as_node(inputs).shape} and kernel is {as_node(kernel).shape}; "
            f"{channels} channels and {filters} filters do not split into groups of {per_group} channels."
        )
    strides, dilation = _pair(strides, spatial, "strides"), _pair(dilation_rate, spatial, "dilation_rate")
    widths = _padding(padding, x.shape[1:3], w.shape[:2], strides, dilation, "conv")
    y = prims.conv2d(x, w, strides=strides, padding=widths, dilation=dilation, groups=channels // per_group)
    return _result(y, spatial)


@op(
    like=lambda x, w, strides=1: _flat(np.einsum("bhwcij,ijcm->bhwcm", _views(x, w.shape[:2], strides), w)),
    samples=[sample(draw(2, 5, 6, 3), draw(3, 2, 3, 2))],
)
def depthwise_conv(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """Convolution of each channel on its own.

    Args:
        inputs: `(batch, height, width, channels)` or `(batch, steps, channels)`.
        kernel: `(height, width, channels, multiplier)`, or without the height.
        strides, padding, data_format, dilation_rate: see `conv`.

    Returns:
        `(batch, new_height, new_width, channels * multiplier)`.

    Example:
        >>> pyml.ops.depthwise_conv(np.ones((1, 8, 8, 3)), np.ones((3, 3, 3, 2))).shape
        (1, 6, 6, 6)
    """
    w = as_node(kernel)
    if w.ndim < 3 or w.shape[-2] != as_node(inputs).shape[-1]:
        raise ShapeError(f"depthwise_conv: inputs are {as_node(inputs).shape} and kernel is {w.shape}; the channels differ.")
    grouped = prims.reshape(w, (*w.shape[:-2], 1, w.shape[-2] * w.shape[-1]))
    return conv(inputs, Tensor(grouped), strides, padding, data_format, dilation_rate)


@op(
    like=lambda x, w, p: _flat(np.einsum("bhwcij,ijcm->bhwcm", _views(x, w.shape[:2], 1), w)) @ p[0, 0],
    samples=[sample(draw(2, 5, 6, 3), draw(3, 2, 3, 2), draw(1, 1, 6, 4))],
)
def separable_conv(
    inputs: TensorLike,
    depthwise_kernel: TensorLike,
    pointwise_kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """A depthwise convolution, then a convolution of size 1 that mixes the channels.

    Args:
        inputs: `(batch, height, width, channels)` or `(batch, steps, channels)`.
        depthwise_kernel: `(height, width, channels, multiplier)`, or without the height.
        pointwise_kernel: `(1, 1, channels * multiplier, filters)`, or without the first axis.
        strides, padding, data_format, dilation_rate: see `conv`; they belong to the depthwise part.

    Example:
        >>> pyml.ops.separable_conv(np.ones((1, 8, 8, 3)), np.ones((3, 3, 3, 1)), np.ones((1, 1, 3, 5))).shape
        (1, 6, 6, 5)
    """
    wide = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(wide, pointwise_kernel)


def _transposed(size: int, window: int, stride: int, padding: str, extra: int | None, dilation: int) -> tuple[int, int]:
    """Output size of a transposed convolution along one axis, and where it begins in the sum of all kernels."""
    reach = (window - 1) * dilation + 1
    if padding == "valid":
        return (size - 1) * stride + reach + (max(reach, stride) - reach if extra is None else extra), 0
    if padding != "same":
        raise ValueError(f"conv_transpose: padding must be 'valid' or 'same'. Received: padding={padding!r}")
    length = size * stride if extra is None else (size - 1) * stride + reach % 2 + extra
    cells = stride + reach - 2 if extra is None else reach + reach % 2 - 2 + extra
    return length, reach - 1 - min(cells // 2 + cells % 2, reach - 1)


def transposed_sizes(
    sizes: Sequence[int | None],
    windows: Sequence[int],
    strides: Sequence[int],
    padding: str,
    output_padding: Sequence[int] | None,
    dilations: Sequence[int],
) -> tuple[int | None, ...]:
    """Output sizes of a transposed convolution, None where the input's is unknown."""
    extras = output_padding or (None,) * len(sizes)
    return tuple(None if n is None else _transposed(n, *rest)[0]
                 for n, *rest in zip(sizes, windows, strides, (padding,) * len(sizes), extras, dilations, strict=True))


@op(like=_spread, samples=[sample(draw(2, 3, 4, 3), draw(3, 2, 2, 3)), sample(draw(1, 3, 3, 2), draw(3, 3, 4, 2), strides=2)])
def conv_transpose(
    inputs: TensorLike,
    kernel: TensorLike,
    strides: int | Sequence[int] = 1,
    padding: str = "valid",
    output_padding: int | Sequence[int] | None = None,
    data_format: str | None = None,
    dilation_rate: int | Sequence[int] = 1,
) -> Tensor:
    """The transpose of `conv`: each input cell adds the kernel to the output, `strides` apart.

    Args:
        inputs: `(batch, height, width, channels)` or `(batch, steps, channels)`.
        kernel: `(height, width, filters, channels)`, or without the height.
        strides: An integer, or one per spatial axis.
        padding: `"valid"` or `"same"`: the output is `strides` times as large as the input.
        output_padding: Cells added to the smallest output, an integer or one per spatial axis, below the strides.
        data_format: None or `"channels_last"`.
        dilation_rate: An integer, or one per spatial axis.

    Returns:
        `(batch, new_height, new_width, filters)`.

    Raises:
        ShapeError: The channels do not fit the kernel.

    Example:
        >>> pyml.ops.conv_transpose(np.ones((1, 7, 7, 4)), np.ones((3, 3, 2, 4)), strides=2, padding="same").shape
        (1, 14, 14, 2)
    """
    x, spatial = _image(inputs, "conv_transpose", data_format)
    w = prims.cast(as_node(kernel), dtype="float32")
    if w.ndim != spatial + 2 or w.shape[-1] != x.shape[-1]:
        raise ShapeError(f"conv_transpose: inputs are {as_node(inputs).shape} and kernel is {w.shape}; the channels differ.")
    w = prims.reshape(w, (1, *w.shape)) if spatial == 1 else w
    strides, dilation = _pair(strides, spatial, "strides"), _pair(dilation_rate, spatial, "dilation_rate")
    extra: tuple[int | None, ...] = (None, None)
    if output_padding is not None:
        given = (output_padding,) * spatial if isinstance(output_padding, int) else tuple(output_padding)
        extra = (0, *given) if spatial == 1 else given
    spans = [_transposed(n, k, s, padding, e, d)
             for n, k, s, e, d in zip(x.shape[1:3], w.shape[:2], strides, extra, dilation, strict=True)]
    widths = []                                        # what is left out of the sum of all kernels
    for n, k, s, d, (length, start) in zip(x.shape[1:3], w.shape[:2], strides, dilation, spans, strict=True):
        widths.append((start, max(0, (n - 1) * s + (k - 1) * d + 1 - start - length)))
    sizes = [length for length, _ in spans]
    return _result(prims.conv2d_input_grad(x, w, sizes, strides=strides, padding=widths, dilation=dilation), spatial)


def _pool(
    prim: Primitive,
    what: str,
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None,
    padding: str,
    data_format: str | None,
) -> Tensor:
    x, spatial = _image(inputs, what, data_format)
    size = _pair(pool_size, spatial, "pool_size")
    strides = size if strides is None else _pair(strides, spatial, "strides")
    widths = _padding(padding, x.shape[1:3], size, strides, (1, 1), what)
    return _result(prim(x, size=size, strides=strides, padding=widths), spatial)


@op(
    like=lambda x, size, strides=None: _views(x, (size, size), strides or size).max((-2, -1)),
    samples=[sample(draw(2, 5, 6, 2), 2), sample(draw(2, 5, 6, 2), 3, strides=1)],
)
def max_pool(
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The largest value in each window.

    Args:
        inputs: `(batch, height, width, channels)` or `(batch, steps, channels)`.
        pool_size: An integer, or one per spatial axis.
        strides: The same; by default `pool_size`.
        padding: `"valid"` or `"same"`.
        data_format: None or `"channels_last"`.

    Example:
        >>> pyml.ops.max_pool(np.arange(16).reshape(1, 4, 4, 1), 2)[0, :, :, 0].numpy()
        array([[ 5.,  7.],
               [13., 15.]], dtype=float32)
    """
    return _pool(prims.max_pool2d, "max_pool", inputs, pool_size, strides, padding, data_format)


@op(
    like=lambda x, size, strides=None: _views(x, (size, size), strides or size).mean((-2, -1)),
    samples=[sample(draw(2, 5, 6, 2), 2), sample(draw(2, 5, 6, 2), 3, strides=1)],
)
def average_pool(
    inputs: TensorLike,
    pool_size: int | Sequence[int],
    strides: int | Sequence[int] | None = None,
    padding: str = "valid",
    data_format: str | None = None,
) -> Tensor:
    """The mean of each window; cells outside the image do not count. Arguments as for `max_pool`.

    Raises:
        ShapeError: The window does not fit the image.

    Example:
        >>> pyml.ops.average_pool(np.arange(16).reshape(1, 4, 4, 1), 2)[0, :, :, 0].numpy()
        array([[ 2.5,  4.5],
               [10.5, 12.5]], dtype=float32)
    """
    return _pool(prims.avg_pool2d, "average_pool", inputs, pool_size, strides, padding, data_format)
