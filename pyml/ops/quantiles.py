"""Quantiles, percentiles and medians: sorted once, then read at the wanted places."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import Axis, TensorLike
from ..errors import ShapeError
from ..graph import prims
from . import families
from .arithmetic import add, clip, divide, maximum, minimum, multiply, subtract
from .axes import ordered_axes
from .declare import draw, op, sample
from .elementary import ceil, floor
from .elementary import round as _round
from .logic import isinf, isnan, where
from .reduce import sum as _sum
from .shaping import moveaxis, reshape, transpose

__all__ = [
    "median", "nanmedian", "nanpercentile", "nanquantile", "percentile", "quantile",
]  # fmt: skip

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")
_HOLES = np.array([[1.0, np.nan, 3.0, -2.0], [np.nan, np.nan, 0.5, 4.0], [2.0, -1.0, np.nan, 1.5]], np.float32)
_FILLED = np.array([[np.nan, np.nan], [1.0, 5.0]], np.float32)
_WHOLE = sample(draw(6, low=-9, high=9, dtype="int32"))
_MIDDLES = [
    sample(draw(3, 4)), sample(draw(3, 4, 3), axis=(0, -1)), sample(draw(3, 4), axis=1, keepdims=True), sample(draw(5), axis=-1), _WHOLE,
    sample(draw(2, 2, low=0, high=2, dtype="bool"), axis=0),
]  # fmt: skip


def _fractions(q: TensorLike, most: float, what: str) -> Tensor:
    if not isinstance(q, Tensor):
        numbers = np.asarray(q, np.float64) if not hasattr(q, "_node") else np.zeros(0)
        if numbers.size and not (numbers.min() >= 0 and numbers.max() <= most):
            raise ValueError(f"{what}: q must be from 0 to {most:g}. Received: q={q}")
    found = Tensor(prims.cast(as_node(q), dtype="float32"))
    if found.ndim > 1:
        raise ShapeError(f"{what}: q must be a number or a vector. Received: shape {found.shape}")
    return found


def _quantile(x: TensorLike, q: Tensor, axis: Axis, method: str, keepdims: bool, skips: bool, what: str) -> Tensor:
    """Quantiles along axes by one sort; `skips` leaves NaNs out."""
    if method not in _METHODS:
        raise ValueError(f"{what}: method must be one of {', '.join(map(repr, _METHODS))}. Received: method={method!r}")
    t = Tensor(prims.cast(as_node(x), dtype="float32"))
    axes = ordered_axes(axis, t.ndim, what)
    rest = [a for a in range(t.ndim) if a not in axes]
    left = tuple(t.shape[a] for a in rest)
    n, lines = prod(t.shape[a] for a in axes), prod(left)
    shape = tuple(1 if a in axes else size for a, size in enumerate(t.shape)) if keepdims else left
    if not n:
        raise ShapeError(f"{what}: there is no quantile of no elements. Received: shape {t.shape} and axis={axis}")
    if not lines * q.size:
        return Tensor(prims.full((*q.shape, *shape), 0, "float32"))
    rows = reshape(transpose(t, (*rest, *axes)), (lines, n))._node
    ordered = prims.sort_rows(rows)
    lost = isnan(Tensor(ordered))
    counted = _sum((~lost).astype("float32"), axis=1, keepdims=True) if skips else float(n)
    place = maximum(multiply(reshape(clip(q, 0.0, 1.0), (1, q.size)), subtract(counted, 1.0)), 0.0)  # (lines or 1, q)

    def at(places: Tensor) -> Tensor:
        columns = prims.cast(minimum(places, float(n - 1))._node, dtype="int32")
        return Tensor(prims.pick_rows(ordered, prims.broadcast_to(columns, (lines, q.size))))

    if method == "nearest":
        found = at(_round(place))
    elif method in ("lower", "higher"):
        found = at((floor if method == "lower" else ceil)(place))
    else:
        low, high = at(floor(place)), at(ceil(place))
        part = 0.5 if method == "midpoint" else subtract(place, floor(place))
        found = add(low, multiply(subtract(high, low), part))
        found = where(isinf(low) & (low == high), low, found)  # others that are equal share the slope
    if not skips:
        last = Tensor(prims.slice_(lost._node, (0, n - 1), (lines, n)))
        found = where(last, float("nan"), found)
    return reshape(moveaxis(found, -1, 0), (*q.shape, *shape))


_LEVELS = [0.0, 0.3, 0.75, 1.0]
_ARGUMENTS: list[Any] = [
    sample(draw(3, 4), 0.4), sample(draw(3, 4), _LEVELS, axis=0), sample(draw(2, 3, 4), [0.2, 0.9], axis=(0, -1), keepdims=True),
    *(sample(draw(2, 6), _LEVELS, axis=1, method=m) for m in _METHODS), sample(draw(0, 3), 0.5, axis=1),
    sample(draw(7, low=-9, high=9, dtype="int32"), 0.35),
]  # fmt: skip


@op(dtypes="first", like="numpy.quantile", samples=[*_ARGUMENTS, sample(_HOLES, 0.5, axis=1)], tolerance=2e-5)
def quantile(x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """The value below which the share `q` of the elements along `axis` lies, as float32.

    Args:
        x: Tensor; where a NaN is among the elements, the result is NaN.
        q: A number from 0 to 1, or a vector of them, which becomes the first axis of the result.
        axis: An axis, or several; None means all.
        method: Where it lies between two elements: `"linear"` between them, `"lower"`, `"higher"`, `"midpoint"`, or `"nearest"`.
        keepdims: Keep the reduced axes with size 1.

    Returns:
        float32, without `axis`, or with a size of 1 there where `keepdims` is true; of several `q` with an axis for these in front.

    Raises:
        ValueError: `q` is outside 0 to 1, or the method is another. Values of a tensor `q` are clipped instead.
        ShapeError: An axis is out of range, `q` is not a vector, or there are no elements.

    Source: Hyndman and Fan 1996, "Sample Quantiles in Statistical Packages".

    Example:
        >>> pyml.ops.quantile([4., 1., 3., 2.], [0.5, 1.0]).numpy()
        array([2.5, 4. ], dtype=float32)
    """
    return _quantile(x, _fractions(q, 1.0, "quantile"), axis, method, keepdims, False, "quantile")


_FEWER = [*(sample(_HOLES, _LEVELS, axis=1, method=m) for m in _METHODS), sample(_FILLED, 0.5, 1)]


@op(dtypes="first", like="numpy.nanquantile", samples=[*_ARGUMENTS, *_FEWER], tolerance=2e-5)
def nanquantile(x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` of the elements that are not NaN, and NaN where all are; arguments and errors as of `quantile`.

    Args:
        x: Tensor of any shape.
        q: The share, from 0 to 1, or several.
        axis: The axis, or several; None for all. Negative ones count from the end.
        method: What stands between two numbers: `"linear"`, `"lower"`, `"higher"`, `"midpoint"` or `"nearest"`.
        keepdims: Whether the axes stay, with a size of 1.

    Returns:
        float32, without `axis`, or with a size of 1 there where `keepdims` is true; of several `q` with an axis for these in front.

    Example:
        >>> pyml.ops.nanquantile([4., np.nan, 2.], 0.5).item()
        3.0
    """
    return _quantile(x, _fractions(q, 1.0, "nanquantile"), axis, method, keepdims, True, "nanquantile")


def _percents(q: TensorLike, what: str) -> Tensor:
    return divide(_fractions(q, 100.0, what), 100.0)


_PERCENTS = [
    sample(draw(3, 4), 40), sample(draw(3, 4), [0, 25, 80.0], axis=0, method="nearest"),
    sample(draw(5, 2), 10.0, axis=-1, keepdims=True),
]  # fmt: skip


@op(like="numpy.percentile", samples=_PERCENTS, tolerance=2e-5)
def percentile(x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`quantile` whose `q` counts from 0 to 100; dtypes, shapes, the other arguments and the errors as of `quantile`.

    Args:
        x: Tensor of any shape.
        q: The share, from 0 to 100, or several.
        axis: The axis, or several; None for all. Negative ones count from the end.
        method: What stands between two numbers: `"linear"`, `"lower"`, `"higher"`, `"midpoint"` or `"nearest"`.
        keepdims: Whether the axes stay, with a size of 1.

    Returns:
        float32, without `axis`, or with a size of 1 there where `keepdims` is true; of several `q` with an axis for these in front.

    Example:
        >>> pyml.ops.percentile([1., 2., 3., 4.], [25, 75]).numpy()
        array([1.75, 3.25], dtype=float32)
    """
    return _quantile(x, _percents(q, "percentile"), axis, method, keepdims, False, "percentile")


@op(like="numpy.nanpercentile", samples=[*_PERCENTS, sample(_HOLES, [10, 60], axis=0)], tolerance=2e-5)
def nanpercentile(x: TensorLike, q: TensorLike, axis: Axis = None, method: str = "linear", keepdims: bool = False) -> Tensor:
    """`percentile` of the elements that are not NaN, and NaN where all are; arguments and errors as of `percentile`.

    Args:
        x: Tensor of any shape.
        q: The share, from 0 to 100, or several.
        axis: The axis, or several; None for all. Negative ones count from the end.
        method: What stands between two numbers: `"linear"`, `"lower"`, `"higher"`, `"midpoint"` or `"nearest"`.
        keepdims: Whether the axes stay, with a size of 1.

    Returns:
        float32, without `axis`, or with a size of 1 there where `keepdims` is true; of several `q` with an axis for these in front.

    Example:
        >>> pyml.ops.nanpercentile([4., np.nan, 2.], 100).item()
        4.0
    """
    return _quantile(x, _percents(q, "nanpercentile"), axis, method, keepdims, True, "nanpercentile")


@op(like="numpy.median", samples=[*_MIDDLES, sample(_HOLES, axis=1)])
def median(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The element in the middle of those along `axis`, or half of the sum of the two there, as float32.

    Args:
        x: Tensor; where a NaN is among the elements, the result is NaN.
        axis: An axis, or several; None means all.
        keepdims: Keep the reduced axes with size 1.

    Returns:
        float32, without `axis`, or with a size of 1 there where `keepdims` is true.

    Raises:
        ShapeError: An axis is out of range, or there are no elements.

    Example:
        >>> pyml.ops.median([[1., 5., 2.], [9., 7., 8.]], axis=1).numpy()
        array([2., 8.], dtype=float32)
    """
    return _quantile(x, Tensor(as_node(0.5)), axis, "linear", keepdims, False, "median")


@op(
    family=families.OVER_AXES_FLOAT,
    like="numpy.nanmedian", samples=[*_MIDDLES, sample(_HOLES, axis=1), sample(_HOLES), sample(_FILLED, axis=1)],
)
def nanmedian(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`median` of the elements that are not NaN, and NaN where all are; arguments and errors as of `median`.

    Example:
        >>> pyml.ops.nanmedian([1., np.nan, 4., 2.]).item()
        2.0
    """
    return _quantile(x, Tensor(as_node(0.5)), axis, "linear", keepdims, True, "nanmedian")
