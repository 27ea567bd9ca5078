"""Reductions that pass over NaN; arguments and results are otherwise those of the ops without `nan` in their names."""

from __future__ import annotations

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import Axis, TensorLike
from . import families
from .apply import as_float
from .arithmetic import divide, multiply, subtract
from .declare import draw, op, sample
from .elementary import length_of
from .logic import isnan, where
from .reduce import all as _all
from .reduce import argmax, argmin, prod
from .reduce import max as _max
from .reduce import min as _min
from .reduce import sum as _sum

__all__ = [
    "nanargmax", "nanargmin", "nanmax", "nanmean", "nanmin", "nanprod", "nanstd", "nansum", "nanvar",
]  # fmt: skip

_HOLES = np.array([[1.0, np.nan, 3.0, -2.0], [np.nan, np.nan, 0.5, 4.0], [2.0, -1.0, np.nan, 1.5]], np.float32)
_SAMPLES = [
    sample(draw(3, 4)), sample(draw(3, 4, 2), axis=(0, -1)), sample(draw(3, 4), axis=1, keepdims=True),
    sample(_HOLES), sample(_HOLES, axis=0), sample(_HOLES, axis=-1, keepdims=True),
]  # fmt: skip
_WHOLE = sample(draw(6, low=-9, high=9, dtype="int32"))
_PLACES = [sample(draw(3, 4)), sample(_HOLES), sample(_HOLES, axis=0), sample(_HOLES, axis=-1, keepdims=True), _WHOLE]
_LOWEST = float("-inf")


def _filled(x: TensorLike, number: float) -> Tensor:
    """`x` with a number in the places of NaN; integers as they are."""
    x = Tensor(as_node(x))
    return where(isnan(x), number, x) if x.dtype == "float32" else x


def _extreme(x: TensorLike, axis: Axis, keepdims: bool, largest: bool) -> Tensor:
    found = (_max if largest else _min)(_filled(x, _LOWEST if largest else -_LOWEST), axis, keepdims)
    return where(_all(isnan(x), axis, keepdims), float("nan"), found) if found.dtype == "float32" else found


@op(family=families.OVER_AXES, like="numpy.nanmax", samples=[*_SAMPLES, _WHOLE])
def nanmax(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The largest element over `axis` that is not a NaN, in the dtype of `x`; NaN where all are; arguments and errors as of `max`.

    Example:
        >>> pyml.ops.nanmax([1., np.nan, 3.]).item()
        3.0
    """
    return _extreme(x, axis, keepdims, True)


@op(family=families.OVER_AXES, like="numpy.nanmin", samples=[*_SAMPLES, _WHOLE])
def nanmin(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The smallest element over `axis` that is not a NaN, in the dtype of `x`; NaN where all are; arguments and errors as of `min`.

    Example:
        >>> pyml.ops.nanmin([1., np.nan, 3.]).item()
        1.0
    """
    return _extreme(x, axis, keepdims, False)


@op(family=families.OVER_AXES, dtypes="sum", like="numpy.nansum", samples=[*_SAMPLES, _WHOLE])
def nansum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis` of what is not a NaN, in the dtype of `x`; arguments and errors as of `sum`.

    Example:
        >>> pyml.ops.nansum([1., np.nan, 3.]).item()
        4.0
    """
    return _sum(_filled(x, 0.0), axis, keepdims)


@op(family=families.OVER_AXES, dtypes="sum", like="numpy.nanprod", samples=[*_SAMPLES, _WHOLE])
def nanprod(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The product over `axis` of what is not a NaN, in the dtype of `x`; arguments and errors as of `prod`.

    Example:
        >>> pyml.ops.nanprod([2., np.nan, 3.]).item()
        6.0
    """
    return prod(_filled(x, 1.0), axis, keepdims)


def _count(x: TensorLike, axis: Axis, keepdims: bool) -> Tensor:
    return _sum((~isnan(x)).astype("float32"), axis, keepdims)


@op(family=families.OVER_AXES_FLOAT, like="numpy.nanmean", samples=[*_SAMPLES, _WHOLE])
def nanmean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The mean over `axis` of what is not a NaN; NaN where all are; arguments and errors as of `mean`.

    Example:
        >>> pyml.ops.nanmean([1., np.nan, 3.]).item()
        2.0
    """
    return divide(nansum(as_float(x), axis, keepdims), _count(x, axis, keepdims))


@op(family=families.OVER_AXES_FLOAT, like="numpy.nanvar", samples=_SAMPLES)
def nanvar(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The population variance over `axis` of what is not a NaN; NaN where all are; arguments and errors as of `var`.

    Example:
        >>> pyml.ops.nanvar([1., np.nan, 3.]).item()
        1.0
    """
    gap = where(isnan(x), 0.0, subtract(_filled(as_float(x), 0.0), nanmean(x, axis, keepdims=True)))
    return divide(_sum(multiply(gap, gap), axis, keepdims), _count(x, axis, keepdims))


@op(family=families.OVER_AXES_FLOAT, like="numpy.nanstd", samples=_SAMPLES)
def nanstd(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The population standard deviation over `axis` of what is not a NaN; NaN where all are; arguments and errors as of `std`.

    Example:
        >>> pyml.ops.nanstd([1., np.nan, 5.]).item()
        2.0
    """
    return length_of(nanvar(x, axis, keepdims))


def _place(x: TensorLike, axis: int | None, keepdims: bool, largest: bool) -> Tensor:
    found = (argmax if largest else argmin)(_filled(x, _LOWEST if largest else -_LOWEST), axis, keepdims)
    return where(_all(isnan(x), axis, keepdims), -1, found)


@op(dtypes="index", like="numpy.nanargmax", gradient=False, samples=_PLACES)
def nanargmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the largest element along `axis` that is not a NaN, int32; -1 where all are; arguments and errors as of `argmax`.

    Args:
        x: Tensor of any shape.
        axis: The axis; None for the flattened `x`.
        keepdims: Whether the axes stay, with a size of 1.

    Returns:
        int32, without `axis`, or with a size of 1 there where `keepdims` is true.

    Example:
        >>> pyml.ops.nanargmax([1., np.nan, 3.]).item()
        2
    """
    return _place(x, axis, keepdims, True)


@op(dtypes="index", like="numpy.nanargmin", gradient=False, samples=_PLACES)
def nanargmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the smallest element along `axis` that is not a NaN, int32; -1 where all are; arguments and errors as of `argmin`.

    Args:
        x: Tensor of any shape.
        axis: The axis; None for the flattened `x`.
        keepdims: Whether the axes stay, with a size of 1.

    Returns:
        int32, without `axis`, or with a size of 1 there where `keepdims` is true.

    Example:
        >>> pyml.ops.nanargmin([1., np.nan, 3.]).item()
        0
    """
    return _place(x, axis, keepdims, False)
