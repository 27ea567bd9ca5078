"""Filters that images are resized with: for every new pixel along an axis the old ones it is made of, and their weights."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from ..graph.prims import resample_table

Filter = Callable[[np.ndarray], np.ndarray]


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - x, 0)


def _cubic(a: float) -> Filter:
    """Keys 1981, "Cubic convolution interpolation for digital image processing"."""

    def weight(x: np.ndarray) -> np.ndarray:
        near = ((a + 2) * x - (a + 3)) * x * x + 1
        far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
        return np.where(x < 1, near, np.where(x < 2, far, 0))

    return weight


def _lanczos(radius: int) -> Filter:
    return lambda x: np.where(x < radius, np.sinc(x) * np.sinc(x / radius), 0)


# The filter with and without antialias, and how far it reaches. PyTorch's cubic has a = -0.75 unless it is to smooth.
_FILTERS: dict[str, tuple[Filter, Filter, float]] = {
    "bilinear": (_triangle, _triangle, 1),
    "bicubic": (_cubic(-0.5), _cubic(-0.75), 2),
    "lanczos3": (_lanczos(3), _lanczos(3), 3),
    "lanczos5": (_lanczos(5), _lanczos(5), 5),
}
INTERPOLATIONS = ("nearest", *_FILTERS, "area")


def _weights(n: int, count: int, interpolation: str, antialias: bool) -> tuple[np.ndarray, np.ndarray]:
    """For each new pixel old ones in order, some perhaps outside the image, and their weights: two arrays `(count, taps)`."""
    ratio = n / count
    if interpolation == "area":  # as much of each old pixel as lies under the new one
        edges = np.arange(count) * ratio
        old = np.floor(edges)[:, None] + np.arange(int(np.ceil(ratio)) + 1)
        return old, np.clip(np.minimum(old + 1, edges[:, None] + ratio) - np.maximum(old, edges[:, None]), 0, None)
    smooth, plain, radius = _FILTERS[interpolation]
    wide = max(ratio, 1.0) if antialias else 1.0
    centre = (np.arange(count)[:, None] + 0.5) * ratio - 0.5
    old = np.floor(centre - radius * wide) + 1 + np.arange(int(np.ceil(2 * radius * wide)))
    return old, (smooth if antialias else plain)(np.abs(old - centre) / wide)


@functools.lru_cache(64)
def table(n: int, count: int, interpolation: str, antialias: bool) -> tuple[np.ndarray, dict[str, int]]:
    """What `prims.resample` needs to bring an axis of `n` pixels to `count`.

    Without antialias the linear and cubic filters see the border pixels repeated beyond the image, as in PyTorch; all
    others leave out what lies there, and their weights add up to one all the same.
    """
    old, weights = _weights(n, count, interpolation, antialias)
    if antialias or interpolation not in ("bilinear", "bicubic"):
        weights = np.where((old >= 0) & (old < n), weights, 0)
        weights /= weights.sum(1, keepdims=True)
    taps = min(old.shape[1], n)
    first = np.clip(old[:, 0], 0, n - taps).astype(np.int64)
    place = np.clip(old, 0, n - 1).astype(np.int64) - first[:, None]
    inside = np.zeros((count, taps))
    np.add.at(inside, (np.arange(count)[:, None], np.clip(place, 0, taps - 1)), weights)
    return resample_table(first, inside, n)
