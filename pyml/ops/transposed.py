"""Transposed convolutions over one, two or three axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from .declare import draw, op, sample
from .spatial import along_rows, answer, images, standard_sizes, transposed_span, without_rows

__all__ = ["conv_transpose"]


def _spread(x: np.ndarray, kernel: np.ndarray, strides: int = 1) -> np.ndarray:
    """`conv_transpose` in numpy: each cell of x adds the kernel to the result."""
    (batch, h, w, _), (rows, columns, filters, _) = x.shape, kernel.shape
    height, width = (h - 1) * strides, (w - 1) * strides
    out = np.zeros((batch, height + rows, width + columns, filters))
    for i, j in np.ndindex(rows, columns):
        out[:, i : i + height + 1 : strides, j : j + width + 1 : strides] += x @ kernel[i, j].T
    return out


def _images(x: Node, w: Node, strides: Sequence[int], dilation: Sequence[int], spans: Sequence[tuple[int, int]]) -> Node:
    """The sum of kernels over two axes, of which `spans` says the lengths and beginnings."""
    widths = []                                        # what is left out of the sum of all kernels
    for n, k, s, d, (length, start) in zip(x.shape[1:3], w.shape[:2], strides, dilation, spans, strict=True):
        widths.append((start, max(0, (n - 1) * s + (k - 1) * d + 1 - start - length)))
    sizes = [length for length, _ in spans]
    return prims.conv2d_input_grad(x, w, sizes, strides=strides, padding=widths, dilation=dilation)


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
    """The transpose of `conv`, as float32: each input cell adds the kernel to the output, `strides` apart.

    Args:
        inputs: `(batch, *sizes, channels)` with one, two or three sizes.
        kernel: `(*windows, filters, channels)`.
        strides: An integer, or one per spatial axis.
        padding: `"valid"` or `"same"`: the output is `strides` times as large as the input.
        output_padding: Cells added to the smallest output, an integer or one per spatial axis, below the strides.
        data_format: `"channels_last"`, which None means, or `"channels_first"`: `(batch, channels, *sizes)`. Kernels
            are the same in both.
        dilation_rate: An integer, or one per spatial axis.

    Returns:
        `(batch, *new_sizes, filters)`, or the filters first.

    Raises:
        ShapeError: The channels do not fit the kernel.
        ShapeError: `output_padding` is not below the strides.
        ValueError: `padding` or `data_format` is none of its words.

    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning".

    Example:
        >>> pyml.ops.conv_transpose(np.ones((1, 7, 7, 4)), np.ones((3, 3, 2, 4)), strides=2, padding="same").shape
        (1, 14, 14, 2)
    """
    x, first = images(inputs, "conv_transpose", data_format)
    w = prims.cast(as_node(kernel), dtype="float32")
    spatial = x.ndim - 2
    if w.ndim != x.ndim or w.shape[-1] != x.shape[-1]:
        raise ShapeError(f"conv_transpose: inputs are {as_node(inputs).shape} and kernel is {w.shape}; the channels differ.")
    steps = standard_sizes(strides, spatial, "conv_transpose: strides")
    dilation = standard_sizes(dilation_rate, spatial, "conv_transpose: dilation_rate")
    extras: tuple[int | None, ...] = (None,) * spatial
    if output_padding is not None:
        extras = standard_sizes(output_padding, spatial, "conv_transpose: output_padding", least=0)
        if any(e >= max(s, d) for e, s, d in zip(extras, steps, dilation, strict=True)):
            raise ShapeError(f"conv_transpose: output_padding must be below strides. Received: {output_padding} with strides={strides}")
    spans = [transposed_span(n, k, s, padding, e, d)
             for n, k, s, e, d in zip(x.shape[1:-1], w.shape[:-2], steps, extras, dilation, strict=True)]
    if spatial == 1:
        y = _images(along_rows(x), prims.reshape(w, (1, *w.shape)), (1, *steps), (1, *dilation), [(1, 0), *spans])
        return answer(without_rows(y), first)
    if spatial == 2:
        return answer(_images(x, w, steps, dilation, spans), first)
    # volumes: the slices that a cell adds to are more filters of an image
    batch, depth, *rest = x.shape
    taps, height, width, filters, channels = w.shape
    w = prims.reshape(prims.permute(w, (1, 2, 0, 3, 4)), (height, width, taps * filters, channels))
    y = _images(prims.reshape(x, (batch * depth, *rest)), w, steps[1:], dilation[1:], spans[1:])
    rows, columns = y.shape[1:3]
    y = prims.permute(prims.reshape(y, (batch, depth, rows, columns, taps, filters)), (0, 1, 4, 2, 3, 5))
    length, start = spans[0]
    return answer(prims.overlapped(y, 1, length, steps[0], dilation[0], start), first)
