"""Convolution and its gradients in numpy: windows laid out as a matrix (im2col), then one matrix product a group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..op import Padding, Shape, Sizes
from .choose import chunk_of
from .contract import product_numpy

_MANY_TAPS = 64  # added one by one, 5,000 lose 12 times as much in float32 as a dot product does


def _sums(shape: Shape, taps: Sizes, dtype: np.dtype) -> np.ndarray:
    """Zeros to which the products of each tap are added."""
    return np.zeros(shape, np.float64 if taps[0] * taps[1] > _MANY_TAPS else dtype)


def _padded(x: np.ndarray, padding: Padding) -> np.ndarray:
    return np.pad(x, ((0, 0), *padding, (0, 0))) if any(n for side in padding for n in side) else x


def _columns(x: np.ndarray, window: Sizes, out_hw: Sizes, strides: Sizes, padding: Padding, dilation: Sizes, groups: int) -> np.ndarray:
    """(groups, pixels, taps * channels per group)."""
    x = np.ascontiguousarray(_padded(x, padding))
    batch, channels = x.shape[0], x.shape[3]
    b, r, s, c = x.strides
    each = channels // groups
    view = np.lib.stride_tricks.as_strided(
        x, (groups, batch, *out_hw, *window, each),
        (each * c, b, r * strides[0], s * strides[1], r * dilation[0], s * dilation[1], c), writeable=False,
    )  # fmt: skip
    return view.reshape(groups, batch * out_hw[0] * out_hw[1], window[0] * window[1] * each)


def _by_group(x: np.ndarray, groups: int) -> np.ndarray:
    """(…, channels) as (groups, everything else, channels per group)."""
    return np.moveaxis(x.reshape(-1, groups, x.shape[-1] // groups), 1, 0)


def _out_hw(x: np.ndarray, window: Sizes, strides: Sizes, padding: Padding, dilation: Sizes) -> Shape:
    sizes = zip(x.shape[1:3], window, strides, padding, dilation, strict=True)
    return tuple((n + sum(p) - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in sizes)


def _taps(kernel_hw: Sizes, out_hw: Sizes, strides: Sizes, dilation: Sizes) -> Iterator[tuple[int, int, slice, slice]]:
    """For every tap its position and the rows and columns of the padded image that it sees."""
    for i in range(kernel_hw[0]):
        for j in range(kernel_hw[1]):
            a, b = i * dilation[0], j * dilation[1]
            rows = slice(a, a + (out_hw[0] - 1) * strides[0] + 1, strides[0])
            yield i, j, rows, slice(b, b + (out_hw[1] - 1) * strides[1] + 1, strides[1])


def _is_depthwise(x: np.ndarray, w_channels: int, filters: int, groups: int) -> bool:
    return groups == x.shape[3] == filters and w_channels == 1


def conv_numpy(x: np.ndarray, w: np.ndarray, strides: Sizes, padding: Padding, dilation: Sizes, groups: int) -> np.ndarray:
    if _is_depthwise(x, w.shape[2], w.shape[3], groups):  # a matrix product a channel would be mostly calls
        out_hw = _out_hw(x, w.shape[:2], strides, padding, dilation)
        x = _padded(x, padding)
        y = _sums((x.shape[0], *out_hw, w.shape[3]), w.shape[:2], x.dtype)
        for i, j, rows, across in _taps(w.shape[:2], out_hw, strides, dilation):
            y += x[:, rows, across] * w[i, j, 0]
        return y.astype(x.dtype, copy=False)
    out_hw = _out_hw(x, w.shape[:2], strides, padding, dilation)
    columns = _columns(x, w.shape[:2], out_hw, strides, padding, dilation, groups)
    y = product_numpy(columns, _by_group(w, groups))
    return np.ascontiguousarray(np.moveaxis(y, 0, 1)).reshape(x.shape[0], *out_hw, w.shape[3])


def input_grad_numpy(dy: np.ndarray, w: np.ndarray, input_hw: Sizes, strides: Sizes, padding: Padding, dilation: Sizes,
                     groups: int) -> np.ndarray:
    """The gradient of the images: each tap of the kernel adds its product to the cells that it saw."""
    kh, kw, each, _ = w.shape
    batch, oh, ow, _ = dy.shape
    if _is_depthwise(dy, each, w.shape[3], groups):
        (top, bottom), (left, right) = padding
        x = _sums((batch, input_hw[0] + top + bottom, input_hw[1] + left + right, groups), (kh, kw), dy.dtype)
        for i, j, rows, across in _taps((kh, kw), (oh, ow), strides, dilation):
            x[:, rows, across] += dy * w[i, j, 0]
        return np.ascontiguousarray(x[:, top : top + input_hw[0], left : left + input_hw[1]], dy.dtype)
    columns = product_numpy(_by_group(dy, groups), np.swapaxes(_by_group(w, groups), 1, 2))
    columns = columns.reshape(groups, batch, oh, ow, kh, kw, each)
    (top, bottom), (left, right) = padding
    x = np.zeros((batch, input_hw[0] + top + bottom, input_hw[1] + left + right, groups, each), dy.dtype)
    for i, j, rows, across in _taps((kh, kw), (oh, ow), strides, dilation):
        x[:, rows, across] += np.moveaxis(columns[:, :, :, :, i, j], 0, 3)
    x = x.reshape(*x.shape[:3], groups * each)
    return np.ascontiguousarray(x[:, top : top + input_hw[0], left : left + input_hw[1]])


def filter_partials_numpy(x: np.ndarray, dy: np.ndarray, kernel_hw: Sizes, strides: Sizes, padding: Padding,
                          dilation: Sizes, groups: int, splits: int, whole: int = 4) -> np.ndarray:
    columns = _columns(x, kernel_hw, dy.shape[1:3], strides, padding, dilation, groups)
    d = _by_group(dy, groups)
    chunk = chunk_of(d.shape[1], splits, whole)
    parts = [np.swapaxes(columns[:, i : i + chunk], 1, 2) @ d[:, i : i + chunk] for i in range(0, splits * chunk, chunk)]
    w = np.moveaxis(np.stack(parts), 1, 2)  # (splits, rows, groups, filters per group)
    return np.ascontiguousarray(w).reshape(splits, *kernel_hw, x.shape[3] // groups, dy.shape[3])


def filter_grad_numpy(x: np.ndarray, dy: np.ndarray, kernel_hw: Sizes, strides: Sizes, padding: Padding, dilation: Sizes,
                      groups: int) -> np.ndarray:
    if _is_depthwise(x, 1, dy.shape[3], groups):
        x = _padded(x, padding)
        w = np.empty((*kernel_hw, 1, dy.shape[3]), x.dtype)
        for i, j, rows, across in _taps(kernel_hw, dy.shape[1:3], strides, dilation):
            w[i, j, 0] = np.einsum("bhwc,bhwc->c", x[:, rows, across], dy, dtype=np.float64)
        return w
    return filter_partials_numpy(x, dy, kernel_hw, strides, padding, dilation, groups, 1)[0]
