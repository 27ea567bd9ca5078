"""Operators of images that few networks use: dilation, pooling that tells where, projection."""

from __future__ import annotations

import numpy as np

from .ops_windows import _Window
from .rules import Value, Xp, check_count, ints, number, rule
from .topology import Node


@rule("Dilation2D")
def _dilation(node: Node, xp: Xp, x: Value, w: Value) -> Value:
    """The largest sum of a pixel and its weight in each window; outside of the image there is nothing."""
    v = _Window(node)
    rates = node.attr("rates") or node.attr("dilations") or [1] * 4
    v.dilation = tuple(int(n) for n in rates[1:3]) if len(rates) == 4 else tuple(int(n) for n in rates)
    (top, bottom), (left, right) = v.widths(x.shape[1:3], w.shape[:2])
    x = xp.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=-3e38)
    counts = [(n - (k - 1) * d - 1) // s + 1 for n, k, d, s in zip(x.shape[1:3], w.shape[:2], v.dilation, v.strides, strict=True)]
    if min(counts) < 1:
        raise ValueError(f"the window {tuple(w.shape)} does not fit into {tuple(x.shape)}")
    best = None
    for i, j in np.ndindex(*w.shape[:2]):
        spans = [slice(k * d, k * d + (n - 1) * s + 1, s) for k, d, n, s in zip((i, j), v.dilation, counts, v.strides, strict=True)]
        part = xp.add(x[(slice(None), *spans)], w[i, j])
        best = part if best is None else xp.maximum(best, part)
    return best


@rule("MaxPoolWithArgmax", host=True, pure=True)
def _pool_with_places(node: Node, xp: Xp, x: Value) -> Value:
    """The largest of each window, and where in the flat image (or, `include_batch_in_index`, in the batch) it is."""
    v = _Window(node)
    size = tuple(int(n) for n in node.attr("ksize")[1:3])
    if size[0] * size[1] > 4096:
        raise ValueError(f"a window of {size} is larger than 4096 pixels")
    (top, bottom), (left, right) = v.widths(x.shape[1:3], size)
    batch, rows, columns, channels = x.shape
    places = np.arange(rows * columns * channels, dtype=np.int32).reshape(1, rows, columns, channels)
    widths = ((0, 0), (top, bottom), (left, right), (0, 0))
    values, places = np.pad(x, widths, constant_values=-np.inf), np.pad(places, widths)
    counts = [(n - k) // s + 1 for n, k, s in zip(values.shape[1:3], size, v.strides, strict=True)]
    best, where = np.full((batch, *counts, channels), -np.inf, np.float32), np.zeros((batch, *counts, channels), np.int32)
    for i, j in np.ndindex(*size):
        spans = [slice(k, k + (n - 1) * s + 1, s) for k, n, s in zip((i, j), counts, v.strides, strict=True)]
        part = values[(slice(None), *spans)]
        where = np.where(part > best, places[(slice(None), *spans)], where)
        best = np.maximum(part, best)
    if node.attr("include_batch_in_index", False):
        where = where + (np.arange(batch, dtype=np.int32) * rows * columns * channels).reshape(-1, 1, 1, 1)
    return [best, where]


@rule("ImageProjectiveTransformV3", host=True, pure=True)
def _project(node: Node, xp: Xp, images: Value, transforms: Value, shape: Value, fill: Value = 0.0) -> Value:
    """Each new pixel from the place `(a x + b y + c, d x + e y + f) / (g x + h y + 1)` of the image."""
    batch, rows, columns, channels = images.shape
    height, width = check_count(ints(shape), "ImageProjectiveTransformV3")
    check_count((batch, height, width, channels), "ImageProjectiveTransformV3")
    mode, fill = node.attr("fill_mode", "CONSTANT").lower(), float(number(fill)) if np.size(fill) else 0.0
    t = np.broadcast_to(np.asarray(transforms, np.float32).reshape(-1, 8), (batch, 8))[:, :, None, None]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    below = t[:, 6] * x + t[:, 7] * y + 1
    seen = below != 0
    safe = np.where(seen, below, 1)
    xs = _folded((t[:, 0] * x + t[:, 1] * y + t[:, 2]) / safe, columns, mode)
    ys = _folded((t[:, 3] * x + t[:, 4] * y + t[:, 5]) / safe, rows, mode)
    which = np.arange(batch)[:, None, None]

    def read(r: np.ndarray, c: np.ndarray) -> np.ndarray:
        inside = (r >= 0) & (r < rows) & (c >= 0) & (c < columns)
        found = images[which, np.clip(r, 0, rows - 1).astype(int), np.clip(c, 0, columns - 1).astype(int)]
        return np.where(inside[..., None], found, fill)

    if node.attr("interpolation", "NEAREST").lower() == "nearest":
        found = read(_rounded(ys), _rounded(xs))
    else:
        r, c = np.floor(ys), np.floor(xs)
        down, across = (ys - r)[..., None], (xs - c)[..., None]
        above = (1 - across) * read(r, c) + across * read(r, c + 1)
        found = (1 - down) * above + down * ((1 - across) * read(r + 1, c) + across * read(r + 1, c + 1))
    return np.where(seen[..., None], found, fill).astype(np.float32)


def _rounded(x: np.ndarray) -> np.ndarray:
    return np.floor(x + 0.5)


def _folded(at: np.ndarray, size: int, mode: str) -> np.ndarray:
    """Places outside of 0 … size - 1 as the fill mode takes them."""
    if mode == "constant":
        return at
    if mode == "nearest":
        return np.clip(at, 0, size - 1)
    if mode not in ("reflect", "wrap"):
        raise ValueError(f"the fill mode {mode!r} is not known; expected constant, nearest, reflect or wrap")
    if size <= 1:
        return np.zeros_like(at)
    if mode == "reflect":
        twice = 2 * size
        low = np.where(at < twice, twice * np.trunc(-at / twice) + at, at)
        low = np.where(low < -size, low + twice, -low - 1)
        high = at - twice * np.trunc(at / twice)
        high = np.where(high >= size, twice - high - 1, high)
    else:
        low = at + size * (np.trunc(-at / (size - 1)) + 1)
        high = at - size * np.trunc(at / (size - 1))
    return np.clip(np.where(at < 0, low, np.where(at > size - 1, high, at)), 0, size - 1)
