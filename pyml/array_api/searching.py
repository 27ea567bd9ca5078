"""The standard's functions that search, sort, and find what is different."""

from __future__ import annotations

import builtins
from typing import Any, NamedTuple

from .. import ops
from ..core.tensor import Tensor
from ..core.types import Axis, TensorLike
from ..errors import ShapeError

__all__ = [
    "argmax", "argmin", "argsort", "count_nonzero", "nonzero", "searchsorted", "sort", "unique_all", "unique_counts", "unique_inverse",
    "unique_values", "where",
]  # fmt: skip


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Where the largest element is, int32: along an axis or in the flattened `x`."""
    return ops.argmax(x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: builtins.bool = False) -> Tensor:
    """Where the smallest element is, int32: along an axis or in the flattened `x`."""
    return ops.argmin(x, axis, keepdims)


def count_nonzero(x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False) -> Tensor:
    """How many elements are not 0, int32."""
    return ops.sum(ops.cast(ops.not_equal(x, 0), "int32"), axis, keepdims)


def nonzero(x: Tensor, /) -> tuple[Tensor, ...]:
    """Where the elements are that are not 0: int32 positions for each axis. Read from the device, for their number depends on it.

    Raises:
        ShapeError: `x` is a scalar.
        TraceError: A program is being traced.
    """
    if x.ndim == 0:
        raise ShapeError("nonzero: expected an array with an axis. Received: a scalar")
    return ops.nonzero(x)


def searchsorted(x1: Tensor, x2: Tensor, /, *, side: str = "left", sorter: Tensor | None = None) -> Tensor:
    """Where in the increasing vector `x1` each element of `x2` would stand, int32; `sorter` puts `x1` in order.

    Raises:
        ValueError: `side` is neither `"left"` nor `"right"`.
        ShapeError: `x1` is not a vector.
    """
    return ops.searchsorted(x1 if sorter is None else ops.take(x1, sorter, 0), x2, side)


def where(condition: Tensor, x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1` where the condition holds, else `x2`; all broadcast."""
    return ops.where(condition, x1, x2)


def sort(x: Tensor, /, *, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = True) -> Tensor:
    """`x` in order along an axis."""
    found = ops.sort(x, axis)
    return ops.flip(found, axis) if descending else found


def argsort(x: Tensor, /, *, axis: int = -1, descending: builtins.bool = False, stable: builtins.bool = True) -> Tensor:
    """The int32 positions that put `x` in order along an axis; equal elements keep theirs."""
    if not descending:
        return ops.argsort(x, axis)
    last = x.shape[axis] - 1 if x.ndim else 0
    return ops.flip(last - ops.argsort(ops.flip(x, axis), axis), axis)


class UniqueAll(NamedTuple):
    """What `unique_all` finds."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What `unique_counts` finds."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What `unique_inverse` finds."""

    values: Tensor
    inverse_indices: Tensor


def _unique(x: Tensor) -> Any:
    return ops.unique(x, return_index=True, return_inverse=True, return_counts=True)


def unique_all(x: Tensor, /) -> UniqueAll:
    """The different values in order, where each is first, which of them each element is, and how often each is there.

    Found on the host, for how many there are depends on the values. Every NaN is a value of its own.

    Raises:
        TraceError: A program is being traced.

    Example:
        >>> from pyml import array_api as xp
        >>> [found.tolist() for found in xp.unique_all(xp.asarray([3, 1, 3]))]
        [[1, 3], [1, 0], [1, 0, 1], [1, 2]]
    """
    return UniqueAll(*_unique(x))


def unique_counts(x: Tensor, /) -> UniqueCounts:
    """The different values in order, and how often each is there; as `unique_all`."""
    values, _, _, counts = _unique(x)
    return UniqueCounts(values, counts)


def unique_inverse(x: Tensor, /) -> UniqueInverse:
    """The different values in order, and which of them each element is; as `unique_all`."""
    values, _, inverse, _ = _unique(x)
    return UniqueInverse(values, inverse)


def unique_values(x: Tensor, /) -> Tensor:
    """The different values in order; as `unique_all`."""
    return ops.unique(x)
