"""The standard's functions that arrange arrays, and those that pick from them."""

from __future__ import annotations

import builtins
from collections.abc import Sequence

from .. import ops
from ..core.tensor import Tensor
from ..core.types import Axis, Shape
from ..errors import ShapeError
from ..ops.axes import one_axis
from .creation import asarray

__all__ = [
    "concat", "expand_dims", "flip", "moveaxis", "permute_dims", "repeat", "reshape", "roll", "squeeze", "stack", "take",
    "take_along_axis", "tile", "unstack",
]  # fmt: skip


def concat(arrays: Sequence[Tensor], /, *, axis: int | None = 0) -> Tensor:
    """The arrays joined along an axis; flattened first where it is None."""
    return ops.concatenate([ops.ravel(a) for a in arrays], 0) if axis is None else ops.concatenate(arrays, axis)


def expand_dims(x: Tensor, /, axis: int | Sequence[int]) -> Tensor:
    """`x` with new axes of size 1."""
    return ops.expand_dims(x, axis)


def flip(x: Tensor, /, *, axis: Axis = None) -> Tensor:
    """`x` in reverse order along some axes, all by default."""
    return ops.flip(x, axis)


def moveaxis(x: Tensor, source: int | Sequence[int], destination: int | Sequence[int], /) -> Tensor:
    """`x` with some axes in other places."""
    return ops.moveaxis(x, source, destination)


def permute_dims(x: Tensor, /, axes: Sequence[int]) -> Tensor:
    """`x` with its axes in another order."""
    return ops.transpose(x, axes)


def repeat(x: Tensor, repeats: int | Tensor, /, *, axis: int | None = None) -> Tensor:
    """Each element several times, along an axis or of the flattened `x`. An array of counts is read from the device."""
    counts = repeats.tolist() if isinstance(repeats, Tensor) else repeats
    return ops.repeat(x, counts, axis)


def reshape(x: Tensor, /, shape: Shape, *, copy: builtins.bool | None = None) -> Tensor:
    """The elements of `x` in another shape, of which one size may be -1. No memory is copied; `copy=True` makes another array."""
    found = ops.reshape(x, shape)
    return asarray(found, copy=True) if copy else found


def roll(x: Tensor, /, shift: int | Sequence[int], *, axis: Axis = None) -> Tensor:
    """`x` shifted along axes, what leaves at one end coming in at the other."""
    return ops.roll(x, shift, axis)


def squeeze(x: Tensor, /, axis: int | Sequence[int]) -> Tensor:
    """`x` without some axes of size 1.

    Raises:
        ShapeError: One has another size, which is a ValueError.
    """
    return ops.squeeze(x, axis)


def stack(arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor:
    """Arrays of the same shape along a new axis."""
    return ops.stack(arrays, axis)


def tile(x: Tensor, repetitions: int | Sequence[int], /) -> Tensor:
    """`x` laid side by side; with fewer repetitions than axes the last axes have them."""
    times = (repetitions,) if isinstance(repetitions, int) else tuple(repetitions)
    return ops.tile(x, (1,) * (x.ndim - len(times)) + times)


def unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
    """The arrays that lie along an axis."""
    a = one_axis(axis, x.ndim, "unstack")
    return tuple(ops.unstack(x, axis=a)) if x.shape[a] else ()


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """The elements at `indices` along an axis, which only a vector may leave out. Indices out of range give zeros.

    Raises:
        ShapeError: `axis` is left out, and `x` is not a vector.
    """
    if axis is None and x.ndim != 1:
        raise ShapeError(f"take: axis is needed for an array of {x.ndim} dimensions.")
    return ops.take(x, indices, axis)


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """For each line of `x` along an axis the elements at its own `indices`."""
    return ops.take_along_axis(x, indices, axis)
