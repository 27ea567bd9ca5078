"""Reductions, with numpy's `axis` and `keepdims`."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from math import prod as product

from ..core.tensor import Tensor, as_node
from ..core.types import Axis, TensorLike
from ..errors import ShapeError
from ..graph import prims
from . import complex_formulas, families
from .apply import Primitive
from .arithmetic import maximum, minimum, square, subtract
from .axes import one_axis, standardize_axis
from .declare import draw, op, sample
from .elementary import length_of

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "max", "mean", "min", "prod", "std", "sum", "var",
]  # fmt: skip

_FLOATS = [sample(draw(3, 4)), sample(draw(3, 4, 2), axis=(0, -1)), sample(draw(3, 4), axis=1, keepdims=True)]
_WHOLE = sample(draw(6, low=-9, high=9, dtype="int32"))


def _reduce(prim: Primitive, x: TensorLike, axis: Axis, keepdims: bool, what: str, cast: Callable[[str], str] | None = None) -> Tensor:
    node = as_node(x)
    if cast is not None:
        node = prims.cast(node, dtype=cast(node.dtype))
    axes = standardize_axis(axis, node.ndim, what)
    out = prim(node, axes)
    if keepdims:
        out = prims.reshape(out, tuple(1 if i in axes else n for i, n in enumerate(node.shape)))
    return Tensor(out)


def _summed(dtype: str) -> str:
    return "int32" if dtype == "bool" else dtype


def _float(dtype: str) -> str:
    return "float32"


@op(family=families.OVER_AXES, complex_parts="each", dtypes="sum", like="numpy.sum", method="sum", samples=[*_FLOATS, _WHOLE])
def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis`, in the dtype of `x`; booleans count as 0 and 1.

    Example:
        >>> pyml.ops.sum([[1, 2], [3, 4]], axis=0).numpy()
        array([4, 6], dtype=int32)
    """
    return _reduce(prims.reduce_sum, x, axis, keepdims, "sum", _summed)


@op(complex_parts=complex_formulas.prod, dtypes="sum", like="numpy.prod", samples=[*_FLOATS, _WHOLE])
def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False, dtype: str | None = None) -> Tensor:
    """The product over `axis`, in `dtype` or the dtype of `x`.

    Args:
        x: Tensor.
        axis: An axis, or several; None means all.
        keepdims: Keep these axes with size 1.
        dtype: Name of the result's dtype.

    Returns:
        A tensor of `dtype` or the dtype of `x`, without `axis`, or with a size of 1 there where `keepdims` is true.

    Raises:
        ShapeError: An axis is out of range or named twice.
        DtypeError: There is no such dtype.

    Example:
        >>> pyml.ops.prod([1., 2., 3.]).item()
        6.0
    """
    out = _reduce(prims.reduce_prod, x, axis, keepdims, "prod", _summed)
    return out if dtype is None else out.astype(dtype)


_INITIAL = [sample(draw(3, 4), 0, initial=0.5), sample(draw(0), initial=3.0), sample(draw(2, 0), axis=1, keepdims=True, initial=-1.0)]


@op(like="numpy.max", method="max", samples=[*_FLOATS, _WHOLE, *_INITIAL])
def max(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The largest element over `axis`, in the dtype of `x`; a NaN wins. Ties share the gradient equally.

    Args:
        x: Tensor.
        axis: An axis, or several; None means all.
        keepdims: Keep these axes with size 1.
        initial: The result is at least this number.

    Returns:
        A tensor of the dtype of `x`, without `axis`, or with a size of 1 there where `keepdims` is true.

    Raises:
        ShapeError: An axis is out of range, or there are no elements and no `initial`.

    Source: `keras.ops.amax`, `numpy.max`.

    Example:
        >>> pyml.ops.max([[1, 5], [4, 2]], axis=1).numpy()
        array([5, 4], dtype=int32)
    """
    return _extreme(prims.reduce_max, x, axis, keepdims, initial, "max")


@op(like="numpy.min", method="min", samples=[*_FLOATS, _WHOLE, *_INITIAL])
def min(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The smallest element over `axis`, in the dtype of `x`; a NaN wins. Ties share the gradient equally.

    Args:
        x: Tensor.
        axis: An axis, or several; None means all.
        keepdims: Keep these axes with size 1.
        initial: The result is at most this number.

    Returns:
        A tensor of the dtype of `x`, without `axis`, or with a size of 1 there where `keepdims` is true.

    Raises:
        ShapeError: An axis is out of range, or there are no elements.

    Source: `keras.ops.amin`, `numpy.min`.

    Example:
        >>> pyml.ops.min([[1, 5], [4, 2]], axis=1).numpy()
        array([1, 2], dtype=int32)
    """
    return _extreme(prims.reduce_min, x, axis, keepdims, initial, "min")


amax, amin = max, min


def _extreme(prim: Primitive, x: TensorLike, axis: Axis, keepdims: bool, initial: float | None, what: str) -> Tensor:
    node = as_node(x)
    if initial is not None and node.size == 0:  # what is empty has `initial` for its extreme
        empty = _reduce(prims.reduce_sum, Tensor(node), axis, keepdims, what)
        return Tensor(prims.full(empty.shape, initial, node.dtype))
    if builtins.any(node.shape[a] == 0 for a in standardize_axis(axis, node.ndim, what)):
        raise ShapeError(f"{what}: axis {axis} of shape {node.shape} has no elements.")
    if node.dtype == "bool":
        return _reduce(prim, x, axis, keepdims, what, _summed).astype("bool")
    out = _reduce(prim, x, axis, keepdims, what)
    if initial is None:
        return out
    return (maximum if what == "max" else minimum)(out, initial)


@op(
    family=families.OVER_AXES_FLOAT, complex_parts="each", dtypes="at_least_32", like="numpy.mean", method="mean",
    samples=[*_FLOATS, _WHOLE],
)  # fmt: skip
def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean over `axis`; NaN of no elements.

    Example:
        >>> pyml.ops.mean([1, 2, 6]).item()
        3.0
    """
    node = as_node(x)
    axes = standardize_axis(axis, node.ndim, "mean")
    count = product(node.shape[a] for a in axes)
    total = _reduce(prims.reduce_sum, x, axis, keepdims, "mean", _float)
    return Tensor(total._node * (1.0 / count) if count else total._node * float("nan"))


@op(family=families.OVER_AXES_FLOAT, like="numpy.var", samples=_FLOATS)
def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The population variance over `axis`.

    Example:
        >>> pyml.ops.var([1., 3.]).item()
        1.0
    """
    return mean(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)


@op(family=families.OVER_AXES_FLOAT, like="numpy.std", samples=_FLOATS)
def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The population standard deviation over `axis`.

    Example:
        >>> pyml.ops.std([1., 5.]).item()
        2.0
    """
    return length_of(var(x, axis, keepdims))


_TRUTHS = [
    sample(draw(3, 4, low=0, high=2, dtype="bool"), axis=1),
    sample(draw(5, low=0, high=2, dtype="int32")),
    sample(draw(0, low=0, high=2, dtype="bool")),
    sample(draw(2, 0, low=0, high=2, dtype="int32"), axis=-1, keepdims=True),
]


@op(complex_parts=lambda m, z, *args, **kwargs: m.any(m.not_equal(z, 0.0), *args, **kwargs), like="numpy.any", samples=_TRUTHS)
def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element over `axis` holds (is not 0), as bool.

    Args:
        x: Tensor.
        axis: An axis, or several; None means all.
        keepdims: Keep these axes with size 1.

    Returns:
        bool, without `axis`, or with a size of 1 there where `keepdims` is true.

    Raises:
        ShapeError: An axis is out of range or named twice.

    Example:
        >>> pyml.ops.any([[False, True], [False, False]], axis=1).numpy()
        array([ True, False])
    """
    return _truth(prims.reduce_max, x, axis, keepdims, "any")


@op(complex_parts=lambda m, z, *args, **kwargs: m.all(m.not_equal(z, 0.0), *args, **kwargs), like="numpy.all", samples=_TRUTHS)
def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements over `axis` hold (are not 0), as bool.

    Args:
        x: Tensor.
        axis: An axis, or several; None means all.
        keepdims: Keep these axes with size 1.

    Returns:
        bool, without `axis`, or with a size of 1 there where `keepdims` is true.

    Raises:
        ShapeError: An axis is out of range or named twice.

    Example:
        >>> pyml.ops.all([[True, True], [True, False]], axis=1).numpy()
        array([ True, False])
    """
    return _truth(prims.reduce_min, x, axis, keepdims, "all")


def _truth(prim: Primitive, x: TensorLike, axis: Axis, keepdims: bool, what: str) -> Tensor:
    node = prims.cast(prims.cast(as_node(x), dtype="bool"), dtype="int32")
    if node.size == 0:  # of no elements none holds, and all do
        prim = prims.reduce_sum if what == "any" else prims.reduce_prod
    return _reduce(prim, Tensor(node), axis, keepdims, what).astype("bool")


def _arg(x: TensorLike, axis: int | None, keepdims: bool, what: str) -> Tensor:
    """The place of the extreme element along an axis, or among all."""
    node = as_node(x)
    shape = node.shape
    if axis is None:
        node, a = prims.reshape(node, (node.size,)), 0
    else:
        a = one_axis(axis, node.ndim, what)
    if node.dtype == "bool":
        node = prims.cast(node, dtype="int32")
    if node.shape[a] == 0:
        raise ShapeError(f"{what}: axis {axis} of shape {shape} has no elements.")
    moved = prims.permute(node, [i for i in range(node.ndim) if i != a] + [a])
    rows = prims.reshape(moved, (product(moved.shape[:-1]), moved.shape[-1]))
    out = prims.reshape((prims.argmax if what == "argmax" else prims.argmin)(rows), moved.shape[:-1])
    if keepdims:
        out = prims.reshape(out, tuple(1 if axis is None or i == a else n for i, n in enumerate(shape)))
    return Tensor(out)


@op(
    dtypes="index",
    like="numpy.argmax", method="argmax", gradient=False, samples=[sample(draw(3, 4)), sample(draw(3, 4), axis=1, keepdims=True)],
)
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the largest element along `axis`, int32; the first of ties.

    Args:
        x: Tensor.
        axis: One axis; None means the flattened tensor.
        keepdims: Keep the axis with size 1.

    Returns:
        int32, without `axis`, or with a size of 1 there where `keepdims` is true.

    Raises:
        ShapeError: An axis is out of range, or there are no elements.

    Example:
        >>> pyml.ops.argmax([[1, 5], [4, 2]], axis=1).numpy()
        array([1, 0], dtype=int32)
    """
    return _arg(x, axis, keepdims, "argmax")


@op(dtypes="index", like="numpy.argmin", gradient=False, samples=[sample(draw(3, 4)), sample(draw(3, 4), axis=0, keepdims=True)])
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the smallest element along `axis`, int32; the first of ties. Arguments as for `argmax`.

    Args:
        x: Tensor of any shape.
        axis: The axis; None for the flattened `x`.
        keepdims: Whether the axes stay, with a size of 1.

    Returns:
        int32, without `axis`, or with a size of 1 there where `keepdims` is true.

    Raises:
        ShapeError: An axis is out of range, or there are no elements.

    Example:
        >>> pyml.ops.argmin([[1, 5], [4, 2]], axis=1).numpy()
        array([0, 1], dtype=int32)
    """
    return _arg(x, axis, keepdims, "argmin")


@op(
    dtypes="index",
    like="numpy.count_nonzero", gradient=False, samples=[sample(draw(3, 4, low=0, high=2, dtype="int32"), axis=1), sample(draw(5))],
)
def count_nonzero(x: TensorLike, axis: Axis = None) -> Tensor:
    """How many elements over `axis` (all axes by default) are not zero, int32.

    Args:
        x: Tensor.
        axis: An axis, or several; None means all.

    Returns:
        int32, in the shape of `x` without `axis`.

    Raises:
        ShapeError: An axis is out of range or named twice.

    Example:
        >>> pyml.ops.count_nonzero([[0, 2], [3, 4]], axis=1).numpy()
        array([1, 2], dtype=int32)
    """
    return sum(Tensor(prims.cast(as_node(x), dtype="bool")), axis)
