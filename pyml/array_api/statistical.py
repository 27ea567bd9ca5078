"""The standard's reductions, running sums, and `all`, `any`, `diff`."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from math import prod as product
from typing import Any

from .. import ops
from ..core.tensor import Tensor
from ..core.types import Axis
from ..errors import ShapeError
from ..ops.axes import one_axis, standardize_axis
from ..ops.elementary import length_of
from .data_types import floating

__all__ = [
    "all", "any", "cumulative_prod", "cumulative_sum", "diff", "max", "mean", "min", "prod", "std", "sum", "var",
]  # fmt: skip


def _as(x: Tensor, dtype: Any) -> Tensor:
    return x if dtype is None else ops.cast(x, dtype)


def max(x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
    """The largest element.

    Raises:
        ShapeError: There is none.
    """
    return ops.max(x, axis, keepdims)


def min(x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
    """The smallest element.

    Raises:
        ShapeError: There is none.
    """
    return ops.min(x, axis, keepdims)


def sum(x: Tensor, /, *, axis: Axis = None, dtype: Any = None, keepdims: builtins.bool = False) -> Tensor:
    """The sum, in `dtype` or that of `x`; of booleans int32."""
    return ops.sum(_as(x, dtype), axis, keepdims)


def prod(x: Tensor, /, *, axis: Axis = None, dtype: Any = None, keepdims: builtins.bool = False) -> Tensor:
    """The product, in `dtype` or that of `x`; of booleans int32."""
    return ops.prod(_as(x, dtype), axis, keepdims)


def mean(x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
    """The mean, float32; NaN of nothing."""
    return ops.mean(x, axis, keepdims)


def var(x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: builtins.bool = False) -> Tensor:
    """The variance: the sum of squared distances from the mean, divided by their number less `correction`.

    Raises:
        DtypeError: `x` holds no floats.
    """
    distance = floating(x, "var") - ops.mean(x, axis, keepdims=True)
    count = product(x.shape[a] for a in standardize_axis(axis, x.ndim, "var"))
    return ops.divide(ops.sum(distance * distance, axis, keepdims), float(builtins.max(count - correction, 0)))


def std(x: Tensor, /, *, axis: Axis = None, correction: float = 0.0, keepdims: builtins.bool = False) -> Tensor:
    """The square root of the variance.

    Raises:
        DtypeError: `x` holds no floats.
    """
    return length_of(var(x, axis=axis, correction=correction, keepdims=keepdims))


def cumulative_sum(x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: builtins.bool = False) -> Tensor:
    """Sums of the elements up to each, along an axis, which only a vector may leave out; `include_initial` puts a 0 in front.

    Raises:
        ShapeError: `axis` is left out, and `x` is not a vector.
    """
    return _running(ops.cumsum, ops.zeros, _as(x, dtype), axis, include_initial, "cumulative_sum")


def cumulative_prod(x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: builtins.bool = False) -> Tensor:
    """Products of the elements up to each, along an axis, which only a vector may leave out; `include_initial` puts a 1 in front.

    Raises:
        ShapeError: `axis` is left out, and `x` is not a vector.
    """
    return _running(ops.cumprod, ops.ones, _as(x, dtype), axis, include_initial, "cumulative_prod")


def _running(
    op: Callable[..., Tensor], first: Callable[..., Tensor], x: Tensor, axis: int | None, initial: builtins.bool, what: str
) -> Tensor:
    if axis is None and x.ndim > 1:
        raise ShapeError(f"{what}: axis is needed for an array of {x.ndim} dimensions.")
    x = ops.reshape(x, (1,)) if not x.ndim else x
    a = one_axis(0 if axis is None else axis, x.ndim, what)
    found = op(x, axis=a)
    if not initial:
        return found
    start = first((*x.shape[:a], 1, *x.shape[a + 1 :]), dtype=found.dtype)
    return ops.concatenate([start, found], a)


def all(x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
    """Whether all elements are true, or not 0."""
    return ops.all(x, axis, keepdims)


def any(x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
    """Whether an element is true, or not 0."""
    return ops.any(x, axis, keepdims)


def diff(x: Tensor, /, *, axis: int = -1, n: int = 1, prepend: Tensor | None = None, append: Tensor | None = None) -> Tensor:
    """Each element less the one before it along an axis, `n` times; `prepend` and `append` are joined to `x` first."""
    parts = [part for part in (prepend, x, append) if part is not None]
    return ops.diff(parts[0] if len(parts) == 1 else ops.concatenate(parts, axis), n, axis)
