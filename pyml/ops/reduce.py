"""Reductions, with numpy's `axis` and `keepdims`."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from math import prod as product

from ..core.tensor import Tensor, as_node
from ..core.types import Axis, TensorLike
from ..errors import ShapeError
from ..graph import prims
from .apply import Primitive
from .arithmetic import maximum, minimum, square, subtract
from .declare import op
from .elementary import sqrt

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "count_nonzero", "max", "mean", "min", "prod", "std", "sum", "var",
]  # fmt: skip



def standardize_axis(axis: Axis, ndim: int, what: str) -> tuple[int, ...]:
    """Increasing non-negative axes; None means all."""
    if axis is None:
        return tuple(range(ndim))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    out = []
    for a in axes:
        if not -ndim <= a < ndim:
            raise ShapeError(f"{what}: axis {a} is out of range for {ndim} dimensions; use {-ndim} to {ndim - 1}.")
        out.append(a % ndim)
    if len(set(out)) != len(out):
        raise ShapeError(f"{what}: axis {axis} names an axis twice.")
    return tuple(sorted(out))


def _reduce(prim: Primitive, x: TensorLike, axis: Axis, keepdims: bool, what: str, cast: Callable[[str], str] | None = None) -> Tensor:
    node = as_node(x)
    if cast is not None:
        node = prims.cast(node, dtype=cast(node.dtype))
    axes = standardize_axis(axis, node.ndim, what)
    if what in ("max", "min", "amax", "amin") and builtins.any(node.shape[a] == 0 for a in axes):
        raise ShapeError(f"{what}: axis {axis} of shape {node.shape} has no elements.")
    out = prim(node, axes)
    if keepdims:
        out = prims.reshape(out, tuple(1 if i in axes else n for i, n in enumerate(node.shape)))
    return Tensor(out)


def _summed(dtype: str) -> str:
    return "int32" if dtype == "bool" else dtype


def _float(dtype: str) -> str:
    return "float32"


@op(method="sum")
def sum(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The sum over `axis` (all axes by default); booleans count as 0 and 1."""
    return _reduce(prims.reduce_sum, x, axis, keepdims, "sum", _summed)


@op()
def prod(x: TensorLike, axis: Axis = None, keepdims: bool = False, dtype: str | None = None) -> Tensor:
    """The product over `axis`."""
    out = _reduce(prims.reduce_prod, x, axis, keepdims, "prod", _summed)
    return out if dtype is None else out.astype(dtype)


@op(method="max")
def max(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The largest element over `axis`; a NaN wins. Ties share the gradient equally."""
    return _extreme(prims.reduce_max, x, axis, keepdims, initial, "max")


@op(method="min")
def min(x: TensorLike, axis: Axis = None, keepdims: bool = False, initial: float | None = None) -> Tensor:
    """The smallest element over `axis`; a NaN wins. Ties share the gradient equally."""
    return _extreme(prims.reduce_min, x, axis, keepdims, initial, "min")


amax, amin = max, min


def _extreme(prim: Primitive, x: TensorLike, axis: Axis, keepdims: bool, initial: float | None, what: str) -> Tensor:
    if as_node(x).dtype == "bool":
        return _reduce(prim, x, axis, keepdims, what, _summed).astype("bool")
    out = _reduce(prim, x, axis, keepdims, what)
    if initial is None:
        return out
    return (maximum if what == "max" else minimum)(out, initial)


@op(method="mean")
def mean(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The arithmetic mean over `axis`, as float32."""
    node = as_node(x)
    axes = standardize_axis(axis, node.ndim, "mean")
    count = product(node.shape[a] for a in axes)
    total = _reduce(prims.reduce_sum, x, axis, keepdims, "mean", _float)
    return Tensor(total._node * (1.0 / count) if count else total._node * float("nan"))


@op()
def var(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The population variance over `axis`."""
    return mean(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)


@op()
def std(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """The population standard deviation over `axis`."""
    return sqrt(var(x, axis, keepdims))


@op()
def any(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether any element over `axis` holds."""
    return _truth(prims.reduce_max, x, axis, keepdims, "any")


@op()
def all(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Whether all elements over `axis` hold."""
    return _truth(prims.reduce_min, x, axis, keepdims, "all")


def _truth(prim: Primitive, x: TensorLike, axis: Axis, keepdims: bool, what: str) -> Tensor:
    node = prims.cast(prims.cast(as_node(x), dtype="bool"), dtype="int32")
    return _reduce(prim, Tensor(node), axis, keepdims, what).astype("bool")


def _arg(x: TensorLike, axis: int | None, keepdims: bool, what: str) -> Tensor:
    node = as_node(x)
    shape = node.shape
    if axis is None:
        node, a = prims.reshape(node, (node.size,)), 0
    else:
        a = standardize_axis(axis, node.ndim, what)[0]
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


@op(method="argmax")
def argmax(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the largest element along `axis` (of the flattened tensor by default), int32; the first of ties."""
    return _arg(x, axis, keepdims, "argmax")


@op()
def argmin(x: TensorLike, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """The position of the smallest element along `axis`, int32; the first of ties."""
    return _arg(x, axis, keepdims, "argmin")


@op()
def count_nonzero(x: TensorLike, axis: Axis = None) -> Tensor:
    """How many elements over `axis` are not zero, int32."""
    return sum(Tensor(prims.cast(as_node(x), dtype="bool")), axis)
