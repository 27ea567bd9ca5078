"""Convolutions over one, two or three axes."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..dtypes import promote
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from .declare import draw, op, sample
from .products import whole_product
from .spatial import Widths, along_rows, answer, channels_first, images, padding_widths, standard_sizes, without_rows

__all__ = ["conv", "depthwise_conv", "separable_conv"]


def _views(x: np.ndarray, size: tuple[int, int], stride: int = 1) -> np.ndarray:
    """The windows of images, `(batch, height, width, channels, *size)`: numpy's part in the tests of this file."""
    return np.lib.stride_tricks.sliding_window_view(x, size, axis=(1, 2))[:, ::stride, ::stride]


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(*x.shape[:3], -1)


def _convolved(
    x: Node, w: Node, strides: Sequence[int], widths: Widths, dilation: Sequence[int], groups: int
) -> Node:
    """A convolution of `(batch, *sizes, channels)` with `(*windows, channels / groups, filters)`."""
    if len(strides) == 1:
        y = prims.conv2d(along_rows(x), prims.reshape(w, (1, *w.shape)), (1, *strides), ((0, 0), *widths), (1, *dilation), groups)
        return without_rows(y)
    if len(strides) == 2:
        return prims.conv2d(x, w, strides, widths, dilation, groups)
    # volumes: the slices that a window sees are more channels of an image
    x = prims.pad(x, ((0, 0), widths[0], (0, 0), (0, 0), (0, 0)))
    taps, height, width, each, filters = w.shape
    seen = prims.windows(x, 1, taps, strides[0], dilation[0])
    batch, depth, _, rows, columns, channels = seen.shape
    seen = prims.reshape(seen, (batch, depth, taps, rows, columns, groups, each))
    seen = prims.reshape(prims.permute(seen, (0, 1, 3, 4, 5, 2, 6)), (batch * depth, rows, columns, channels * taps))
    w = prims.reshape(prims.permute(w, (1, 2, 0, 3, 4)), (height, width, taps * each, filters))
    y = prims.conv2d(seen, w, strides[1:], widths[1:], dilation[1:], groups)
    return prims.reshape(y, (batch, depth, *y.shape[1:]))


def _whole(x: Node, w: Node, strides: Sequence[int], widths: Widths, dilation: Sequence[int], groups: int) -> Node:
    """The same of integers, every digit of it: kernels of floats would round."""
    spatial, (*windows, each, filters) = len(strides), w.shape
    for axis in range(spatial, 0, -1):
        i = axis - 1
        x = prims.pad(x, [widths[i] if k == axis else (0, 0) for k in range(x.ndim)])
        x = prims.windows(x, axis, windows[i], strides[i], dilation[i])
    batch, *sizes = x.shape[0], *x.shape[1 : 2 * spatial : 2]
    taps, places = prod(windows), batch * prod(sizes)
    x = prims.permute(x, (0, *range(1, 2 * spatial, 2), *range(2, 2 * spatial + 1, 2), 2 * spatial + 1))
    x = prims.reshape(prims.permute(prims.reshape(x, (places, taps, groups, each)), (2, 0, 1, 3)), (groups, places, taps * each))
    w = prims.permute(prims.reshape(w, (taps * each, groups, filters // groups)), (1, 0, 2))
    return prims.reshape(prims.permute(whole_product(x, w), (1, 0, 2)), (batch, *sizes, filters))


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
    """Convolution (cross-correlation) of sequences, images or volumes: of integers in their dtype, else as float32.

    Args:
        inputs: `(batch, *sizes, channels)` with one, two or three sizes.
        kernel: `(*windows, channels / groups, filters)`; it says how many groups there are.
        strides: An integer, or one per spatial axis.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"`, which None means, or `"channels_first"`: `(batch, channels, *sizes)`. Kernels
            are the same in both.
        dilation_rate: An integer, or one per spatial axis.

    Returns:
        `(batch, *new_sizes, filters)`, or the filters first.

    Raises:
        ShapeError: The channels do not fit the kernel, or the window does not fit the image.
        ValueError: `padding` or `data_format` is none of its words.

    Source: LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition".

    Example:
        >>> pyml.ops.conv(np.ones((1, 28, 28, 3)), np.ones((3, 3, 3, 8)), strides=2, padding="same").shape
        (1, 14, 14, 8)
        >>> pyml.ops.conv(np.ones((1, 3, 28, 28)), np.ones((3, 3, 3, 8)), data_format="channels_first").shape
        (1, 8, 26, 26)
    """
    w = as_node(kernel)
    x, first = images(inputs, "conv", data_format, whole=w.dtype in ("int32", "uint32"))
    dtype = promote(x.dtype, w.dtype) if x.dtype != "float32" else "float32"
    x, w = prims.cast(x, dtype=dtype), prims.cast(w, dtype=dtype)
    spatial = x.ndim - 2
    if w.ndim != x.ndim:
        raise ShapeError(f"conv: kernel of shape {w.shape} does not fit inputs of shape {as_node(inputs).shape}.")
    channels, per_group, filters = x.shape[-1], w.shape[-2], w.shape[-1]
    if per_group == 0 or channels < per_group or channels % per_group or filters % (channels // per_group):
        raise ShapeError(
            f"conv: inputs are {as_node(inputs).shape} and kernel is {w.shape}; "
            f"{channels} channels and {filters} filters do not split into groups of {per_group} channels."
        )
    steps, dilation = standard_sizes(strides, spatial, "conv: strides"), standard_sizes(dilation_rate, spatial, "conv: dilation_rate")
    widths = padding_widths(padding, x.shape[1:-1], w.shape[:-2], steps, dilation, "conv")
    convolved = _convolved if dtype == "float32" else _whole
    return answer(convolved(x, w, steps, widths, dilation, channels // per_group), first)


def _channels_fit(inputs: TensorLike, kernel: Node, data_format: str | None, what: str) -> None:
    shape = as_node(inputs).shape
    axis = 1 if channels_first(data_format, what) else -1
    if kernel.ndim < 3 or len(shape) != kernel.ndim or kernel.shape[-2] != shape[axis]:
        raise ShapeError(f"{what}: inputs are {shape} and kernel is {kernel.shape}; the channels differ.")


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
    """Convolution of each channel on its own: of integers in their dtype, else as float32.

    Args:
        inputs: `(batch, *sizes, channels)` with one, two or three sizes.
        kernel: `(*windows, channels, multiplier)`.
        strides, padding, data_format, dilation_rate: see `conv`.

    Returns:
        `(batch, *new_sizes, channels * multiplier)`.

    Raises:
        ShapeError: The channels differ, or the window does not fit.
        ValueError: `padding` or `data_format` is none of its words.

    Source: Howard et al. 2017, "MobileNets: Efficient Convolutional Neural Networks for Mobile Vision Applications".

    Example:
        >>> pyml.ops.depthwise_conv(np.ones((1, 8, 8, 3)), np.ones((3, 3, 3, 2))).shape
        (1, 6, 6, 6)
    """
    w = as_node(kernel)
    _channels_fit(inputs, w, data_format, "depthwise_conv")
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
    """A depthwise convolution, then a convolution of size 1 that mixes the channels: of integers in their dtype, else as float32.

    Args:
        inputs: `(batch, *sizes, channels)` with one, two or three sizes.
        depthwise_kernel: `(*windows, channels, multiplier)`.
        pointwise_kernel: `(1, 1, channels * multiplier, filters)`, with as many 1 as there are sizes.
        strides, padding, data_format, dilation_rate: see `conv`; they belong to the depthwise part.

    Returns:
        A tensor in the layout of `inputs`, with the channels of the pointwise kernel: of its dtype for integers, else float32.

    Raises:
        ShapeError: The channels do not fit the kernels, or the window does not fit the inputs.
        ValueError: `padding` or `data_format` is none of its words.

    Source: Chollet 2017, "Xception: Deep Learning with Depthwise Separable Convolutions".

    Example:
        >>> pyml.ops.separable_conv(np.ones((1, 8, 8, 3)), np.ones((3, 3, 3, 1)), np.ones((1, 1, 3, 5))).shape
        (1, 6, 6, 5)
    """
    wide = depthwise_conv(inputs, depthwise_kernel, strides, padding, data_format, dilation_rate)
    return conv(wide, pointwise_kernel, data_format=data_format)
