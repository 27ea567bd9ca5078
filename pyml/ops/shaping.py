"""Reshaping: the same elements in other shapes and orders."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..core.probes import fitting
from ..core.symbolic import KerasTensor
from ..core.tensor import Tensor, as_node
from ..core.types import Axis, Shape, TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.sizes import integers_of, shape_of
from .axes import one_axis, ordered_axes, standardize_axis
from .declare import draw, op, sample

__all__ = [
    "broadcast_to", "expand_dims", "flip", "moveaxis", "pad", "ravel", "reshape", "squeeze", "swapaxes", "transpose",
]  # fmt: skip


def _sizes_of(newshape: Any) -> list[int]:
    if newshape is None or (isinstance(newshape, (tuple, list)) and any(n is None for n in newshape)):
        raise TypeError(f"reshape: a size that is not known yet is -1, not None. Received: newshape={newshape}")
    try:
        new = list(integers_of(newshape))
    except TypeError:
        raise TypeError(f"reshape: newshape must hold integers. Received: newshape={newshape!r}") from None
    if new.count(-1) > 1 or any(n < -1 for n in new):
        raise ShapeError(f"reshape: {tuple(new)} has sizes below -1 or more than one -1.")
    return new


def _unfit(shape: Any, new: list[int], what: str) -> ShapeError:
    error = ShapeError(f"reshape: shape {tuple(shape)} {what}.")
    error.would_fit = fitting(shape, new)
    return error


def _fitting_sizes(shape: Sequence[int | None], newshape: Any) -> list[int]:
    """`newshape` without -1, unless sizes of `shape` are unknown: then it has to be possible only."""
    new = _sizes_of(newshape)
    count, size = prod(n for n in new if n != -1), prod(n for n in shape if n is not None)
    if None in shape:
        if -1 not in new and (count % size if size else count):
            raise ShapeError(f"reshape: shape {tuple(shape)} has a multiple of {size} elements, {tuple(new)} has {count}.")
    elif -1 in new:
        if count == 0 or size % count:
            raise _unfit(shape, new, f"with {size} elements does not fit {tuple(new)}")
        new[new.index(-1)] = size // count
    elif size != count:
        raise _unfit(shape, new, f"has {size} elements, {tuple(new)} has {count}")
    return new


def _reshaped(x: KerasTensor, newshape: Any) -> KerasTensor:
    return KerasTensor([None if n == -1 else n for n in _fitting_sizes(x.shape, newshape)], x.dtype)


@op(
    spec=_reshaped, complex_parts="each", like="numpy.reshape", text=True, method="reshape",
    samples=[sample(draw(2, 6), (3, 4)), sample(draw(2, 6), (-1, 2))],
)  # fmt: skip
def reshape(x: TensorLike, newshape: Shape) -> Tensor:
    """`x` in another shape of as many elements, in the same order, in the dtype of `x`.

    Args:
        x: Tensor.
        newshape: The sizes; one may be -1, for what is left.

    Returns:
        A tensor of the dtype of `x`, of shape `newshape`.

    Raises:
        ShapeError: The elements do not fit, or a size is below -1.
        TypeError: A size is None, or not an integer.

    Example:
        >>> pyml.ops.reshape([1, 2, 3, 4], (2, -1)).numpy()
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    node = as_node(x)
    return Tensor(prims.reshape(node, _fitting_sizes(node.shape, newshape)))


@op(complex_parts="each", like="numpy.transpose", method="transpose", samples=[sample(draw(2, 3)), sample(draw(2, 3, 4), (1, 0, 2))])
def transpose(x: TensorLike, axes: Sequence[int] | None = None) -> Tensor:
    """`x` with its axes in another order (reversed by default), in its dtype.

    Args:
        x: Tensor of any shape.
        axes: The axes of `x` in their new order; None reverses them.

    Returns:
        A tensor of the dtype of `x`, its axes in the order of `axes`.

    Raises:
        ShapeError: `axes` does not name each axis once.

    Example:
        >>> pyml.ops.transpose(np.ones((2, 3, 4)), (2, 0, 1)).shape
        (4, 2, 3)
    """
    node = as_node(x)
    order = list(reversed(range(node.ndim))) if axes is None else ordered_axes(axes, node.ndim, "transpose")
    if len(order) != node.ndim:
        raise ShapeError(f"transpose: axes must name each of the {node.ndim} axes of shape {node.shape} once. Received: axes={axes}")
    return Tensor(prims.permute(node, order))


@op(
    complex_parts="each",
    dtypes="first", like="numpy.moveaxis", samples=[sample(draw(2, 3, 4), 0, -1), sample(draw(2, 3, 4), (0, 1), (-1, 0))],
)
def moveaxis(x: TensorLike, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """`x` with axis `source` (or several) moved to position `destination`, in its dtype.

    Args:
        x: Tensor of any shape.
        source: The axis, or several.
        destination: Where it goes; as many.

    Returns:
        A tensor of the dtype of `x`, with the sizes of its axes in the new order.

    Raises:
        ShapeError: An axis is out of range or named twice, or the two differ in number.

    Example:
        >>> pyml.ops.moveaxis(np.ones((2, 3, 4)), 0, -1).shape
        (3, 4, 2)
    """
    node = as_node(x)
    src, dst = ordered_axes(source, node.ndim, "moveaxis"), ordered_axes(destination, node.ndim, "moveaxis")
    if len(src) != len(dst):
        raise ShapeError(f"moveaxis: source and destination must name the same number of axes. Received: {source} and {destination}")
    order = [i for i in range(node.ndim) if i not in src]
    for d, s in sorted(zip(dst, src, strict=True)):
        order.insert(d, s)
    return Tensor(prims.permute(node, order))


@op(complex_parts="each", like="numpy.swapaxes", samples=[sample(draw(2, 3, 4), 0, -1)])
def swapaxes(x: TensorLike, axis1: int, axis2: int) -> Tensor:
    """`x` with two axes exchanged, in its dtype.

    Args:
        x: Tensor.
        axis1, axis2: The two axes.

    Returns:
        A tensor of the dtype of `x`, with the sizes of its axes in the new order.

    Raises:
        ShapeError: An axis is out of range.

    Example:
        >>> pyml.ops.swapaxes(np.ones((2, 3, 4)), 0, 2).shape
        (4, 3, 2)
    """
    node = as_node(x)
    order = list(range(node.ndim))
    a, b = one_axis(axis1, node.ndim, "swapaxes"), one_axis(axis2, node.ndim, "swapaxes")
    order[a], order[b] = b, a
    return Tensor(prims.permute(node, order))


@op(complex_parts="each", like="numpy.expand_dims", text=True, samples=[sample(draw(2, 3), 1), sample(draw(2, 3), (0, -1))])
def expand_dims(x: TensorLike, axis: int | Sequence[int]) -> Tensor:
    """`x` with a new axis of size 1 at `axis`, or several, in its dtype.

    Args:
        x: Tensor of any shape.
        axis: Where the new axis is in the result, or several.

    Returns:
        A tensor of the dtype of `x`, with a size of 1 more for each new axis.

    Raises:
        ShapeError: An axis is out of range or named twice.

    Example:
        >>> pyml.ops.expand_dims([1, 2, 3], 0).shape
        (1, 3)
    """
    node = as_node(x)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    total = node.ndim + len(axes)
    where = ordered_axes(axes, total, "expand_dims")
    sizes = iter(node.shape)
    return Tensor(prims.reshape(node, [1 if i in where else next(sizes) for i in range(total)]))


@op(
    complex_parts="each", like="numpy.squeeze", text=True, method="squeeze",
    samples=[sample(draw(2, 1, 3)), sample(draw(1, 2, 1), axis=-1)],
)  # fmt: skip
def squeeze(x: TensorLike, axis: Axis = None) -> Tensor:
    """`x` without its axes of size 1, or without `axis`, in its dtype.

    Args:
        x: Tensor of any shape.
        axis: An axis of size 1, or several; None for all of that size.

    Returns:
        A tensor of the dtype of `x`, without the axes of size 1 that are meant.

    Raises:
        ShapeError: `axis` is not of size 1.

    Example:
        >>> pyml.ops.squeeze(np.ones((1, 3, 1))).shape
        (3,)
    """
    node = as_node(x)
    if axis is None:
        return Tensor(prims.reshape(node, [n for n in node.shape if n != 1]))
    axes = standardize_axis(axis, node.ndim, "squeeze")
    if any(node.shape[a] != 1 for a in axes):
        raise ShapeError(f"squeeze: axis {axis} of shape {node.shape} is not of size 1.")
    return Tensor(prims.reshape(node, [n for i, n in enumerate(node.shape) if i not in axes]))


@op(complex_parts="each", like="numpy.broadcast_to", samples=[sample(draw(3), (2, 3)), sample(draw(2, 1), (2, 4))])
def broadcast_to(x: TensorLike, shape: Shape) -> Tensor:
    """`x` repeated to `shape` by numpy's rules, in the dtype of `x`; costs no memory.

    Args:
        x: Tensor of any shape.
        shape: The sizes of the result.

    Returns:
        A tensor of the dtype of `x`, of shape `shape`.

    Raises:
        ShapeError: It does not fit.

    Example:
        >>> pyml.ops.broadcast_to([1, 2], (2, 2)).numpy()
        array([[1, 2],
               [1, 2]], dtype=int32)
    """
    return Tensor(prims.broadcast_to(as_node(x), shape_of(shape, "broadcast_to")))


@op(complex_parts="each", like="numpy.flip", samples=[sample(draw(2, 3)), sample(draw(2, 3), axis=1)])
def flip(x: TensorLike, axis: Axis = None) -> Tensor:
    """`x` reversed along `axis` (along all by default).

    Args:
        x: Tensor of any shape.
        axis: The axis, or several; None for all.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        ShapeError: An axis is out of range or named twice.

    Example:
        >>> pyml.ops.flip([1, 2, 3]).numpy()
        array([3, 2, 1], dtype=int32)
    """
    node = as_node(x)
    return Tensor(prims.flip(node, standardize_axis(axis, node.ndim, "flip")))


def _widths(pad_width: Any, ndim: int) -> list[tuple[int, int]]:
    """What is added before and after each axis, of a number, a pair for all axes or a pair for each."""
    try:
        rows = [integers_of(row) for row in pad_width] if np.ndim(pad_width) == 2 else [integers_of(pad_width)]
        rows = [row * 2 for row in rows] if np.ndim(pad_width) == 0 else rows
        found = [(before, after) for before, after in rows]
    except (TypeError, ValueError):
        raise ShapeError(f"pad: pad_width must be an integer, a pair, or a pair for each axis. Received: pad_width={pad_width!r}") from None
    found = found * ndim if len(found) == 1 else found
    if len(found) != ndim or any(n < 0 for pair in found for n in pair):
        raise ShapeError(f"pad: x has {ndim} axes; give pad_width one pair that is not negative for each. Received: {pad_width!r}")
    return found


@op(
    dtypes="first",
    like="numpy.pad",
    samples=[
        sample(draw(2, 3), ((1, 0), (2, 1))),
        sample(draw(4), 2, constant_values=1.5),
        sample(draw(4, 3), 1, mode="reflect"),
        sample(draw(4), 2, mode="symmetric"),
    ],
)
def pad(x: TensorLike, pad_width: int | Sequence[Any], mode: str = "constant", constant_values: float | None = None) -> Tensor:
    """`x` with elements added at the ends of each axis, in the dtype of `x`.

    Args:
        x: Tensor.
        pad_width: `(before, after)` per axis, one pair for all, or one number.
        mode: `"constant"`, `"reflect"` or `"symmetric"`.
        constant_values: The number to pad with, default 0; only for `"constant"`.

    Returns:
        A tensor of the dtype of `x`, each axis longer by what is added to it.

    Raises:
        ValueError: The mode is unknown, or there are `constant_values` with another than `"constant"`.
        ShapeError: `pad_width` is something else, is negative, or has more or fewer pairs than `x` axes; or an axis has too few
            elements to reflect.

    Example:
        >>> pyml.ops.pad([1, 2], (1, 2)).numpy()
        array([0, 1, 2, 0, 0], dtype=int32)
    """
    node = as_node(x)
    widths = _widths(pad_width, node.ndim)
    if mode != "constant" and constant_values is not None:
        raise ValueError(f"pad: constant_values goes with mode 'constant' only. Received: {constant_values!r} with mode={mode!r}")
    if mode == "constant":
        return Tensor(prims.pad(node, widths, constant_values or 0))
    if mode not in ("reflect", "symmetric"):
        raise ValueError(f"pad: mode {mode!r} is unknown; use 'constant', 'reflect' or 'symmetric'.")
    skip = 1 if mode == "reflect" else 0
    for axis, (lo, hi) in enumerate(widths):
        n = node.shape[axis]
        if (lo, hi) == (0, 0):
            continue
        if max(lo, hi) > n - skip:
            raise ShapeError(f"pad: {mode} by {(lo, hi)} needs more than the {n} elements of axis {axis}.")
        full = [(0, m) for m in node.shape]
        parts = []
        for start, stop in ((skip, lo + skip), (n - skip - hi, n - skip)):
            span = [(start, stop) if i == axis else r for i, r in enumerate(full)]
            parts.append(prims.flip(prims.slice_(node, [a for a, _ in span], [b for _, b in span]), (axis,)))
        node = prims.concat([parts[0], node, parts[1]], axis)
    return Tensor(node)


@op(complex_parts="each", like="numpy.ravel", samples=[sample(draw(2, 3))])
def ravel(x: TensorLike) -> Tensor:
    """`x` as one axis, in the dtype of `x`: `(x.size,)`.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the dtype of `x`: `(x.size,)`.

    Example:
        >>> pyml.ops.ravel([[1, 2], [3, 4]]).numpy()
        array([1, 2, 3, 4], dtype=int32)
    """
    return reshape(x, (-1,))
