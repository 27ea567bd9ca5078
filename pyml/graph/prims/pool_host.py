"""Pooling and its gradients in numpy: one step for each cell of the window, over all windows at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..op import Padding, Shape, Sizes

_LONG = 64  # cells of a window that are added up one after another: longer chains of floats lose digits


def _out_hw(x: np.ndarray, size: Sizes, strides: Sizes, padding: Padding) -> Shape:
    return tuple((n + sum(p) - k) // s + 1 for n, p, k, s in zip(x.shape[1:3], padding, size, strides, strict=True))


def _taps(out_hw: Sizes, size: Sizes, strides: Sizes) -> Iterator[tuple[slice, slice]]:
    """For each cell of the window, row by row: the rows and columns of the padded image where all windows have it."""
    for i in range(size[0]):
        for j in range(size[1]):
            rows = slice(i, i + (out_hw[0] - 1) * strides[0] + 1, strides[0])
            yield rows, slice(j, j + (out_hw[1] - 1) * strides[1] + 1, strides[1])


def _padded(x: np.ndarray, padding: Padding, value: float) -> np.ndarray:
    return np.pad(x, ((0, 0), *padding, (0, 0)), constant_values=value) if any(n for side in padding for n in side) else x


def _lowest(dtype: np.dtype) -> float:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


def max_numpy(x: np.ndarray, size: Sizes, strides: Sizes, padding: Padding) -> np.ndarray:
    out_hw = _out_hw(x, size, strides, padding)
    x = _padded(x, padding, _lowest(x.dtype))
    taps = _taps(out_hw, size, strides)
    y = x[(slice(None), *next(taps))].copy()
    for tap in taps:
        np.maximum(y, x[(slice(None), *tap)], out=y)
    return y


def _cropped(x: np.ndarray, padding: Padding, hw: Sizes) -> np.ndarray:
    return np.ascontiguousarray(x[:, padding[0][0] : padding[0][0] + hw[0], padding[1][0] : padding[1][0] + hw[1]])


def max_grad_numpy(x: np.ndarray, y: np.ndarray, d: np.ndarray, size: Sizes, strides: Sizes, padding: Padding) -> np.ndarray:
    padded = _padded(x, padding, np.nan)
    out, open_ = np.zeros(padded.shape, d.dtype), np.ones(y.shape, bool)
    for tap in _taps(y.shape[1:3], size, strides):
        hit = open_ & (padded[(slice(None), *tap)] == y)
        open_ &= ~hit
        out[(slice(None), *tap)] += np.where(hit, d, 0)
    return _cropped(out, padding, x.shape[1:3])


def pick_numpy(x: np.ndarray, y: np.ndarray, v: np.ndarray, size: Sizes, strides: Sizes, padding: Padding) -> np.ndarray:
    x, v = _padded(x, padding, np.nan), _padded(v, padding, 0)
    out, open_ = np.zeros(y.shape, v.dtype), np.ones(y.shape, bool)
    for tap in _taps(y.shape[1:3], size, strides):
        hit = open_ & (x[(slice(None), *tap)] == y)
        open_ &= ~hit
        out += np.where(hit, v[(slice(None), *tap)], 0)
    return out


def _cells(input_hw: Sizes, out_hw: Sizes, size: Sizes, strides: Sizes, padding: Padding) -> np.ndarray:
    """How many cells of the image each window covers, (oh, ow, 1)."""
    counts = []
    for n, m, k, s, (lo, _) in zip(input_hw, out_hw, size, strides, padding, strict=True):
        start = np.arange(m) * s - lo
        counts.append(np.minimum(start + k, n) - np.maximum(start, 0))
    return np.outer(*counts)[:, :, None].astype(np.float32)


def avg_numpy(x: np.ndarray, size: Sizes, strides: Sizes, padding: Padding) -> np.ndarray:
    out_hw = _out_hw(x, size, strides, padding)
    padded = _padded(x, padding, 0)
    y = np.zeros((x.shape[0], *out_hw, x.shape[3]), np.float64 if size[0] * size[1] > _LONG else x.dtype)
    for tap in _taps(out_hw, size, strides):
        y += padded[(slice(None), *tap)]
    return y.astype(x.dtype, copy=False) / _cells(x.shape[1:3], out_hw, size, strides, padding)


def avg_grad_numpy(d: np.ndarray, input_hw: Sizes, size: Sizes, strides: Sizes, padding: Padding) -> np.ndarray:
    each = d / _cells(input_hw, d.shape[1:3], size, strides, padding)
    (top, bottom), (left, right) = padding
    out = np.zeros((d.shape[0], input_hw[0] + top + bottom, input_hw[1] + left + right, d.shape[3]), d.dtype)
    for tap in _taps(d.shape[1:3], size, strides):
        out[(slice(None), *tap)] += each
    return _cropped(out, padding, input_hw)
