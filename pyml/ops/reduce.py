"""Reductions, with numpy's `axis` and `keepdims`."""

from __future__ import annotations

import builtins
from math import prod as product

from ..core.tensor import Tensor, as_node
from ..errors import ShapeError
from ..graph import prims


def standardize_axis(axis, ndim: int, what: str) -> tuple[int, ...]:
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


def _reduce(prim, x, axis, keepdims, what, cast=None) -> Tensor:
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


def _summed(dtype):
    return "int32" if dtype == "bool" else dtype


def _float(dtype):
    return "float32"


def sum(x, axis=None, keepdims=False):
    """The sum over `axis` (all axes by default); booleans count as 0 and 1."""
    return _reduce(prims.reduce_sum, x, axis, keepdims, "sum", _summed)


def prod(x, axis=None, keepdims=False, dtype=None):
    """The product over `axis`."""
    out = _reduce(prims.reduce_prod, x, axis, keepdims, "prod", _summed)
    return out if dtype is None else out.astype(dtype)


def max(x, axis=None, keepdims=False, initial=None):
    """The largest element over `axis`; a NaN wins. Ties share the gradient equally."""
    return _extreme(prims.reduce_max, x, axis, keepdims, initial, "max")


def min(x, axis=None, keepdims=False, initial=None):
    """The smallest element over `axis`; a NaN wins. Ties share the gradient equally."""
    return _extreme(prims.reduce_min, x, axis, keepdims, initial, "min")


amax, amin = max, min


def _extreme(prim, x, axis, keepdims, initial, what):
    if as_node(x).dtype == "bool":
        return _reduce(prim, x, axis, keepdims, what, _summed).astype("bool")
    out = _reduce(prim, x, axis, keepdims, what)
    if initial is None:
        return out
    from .math import maximum, minimum

    return (maximum if what == "max" else minimum)(out, initial)


def mean(x, axis=None, keepdims=False):
    """The arithmetic mean over `axis`, as float32."""
    node = as_node(x)
    axes = standardize_axis(axis, node.ndim, "mean")
    count = product(node.shape[a] for a in axes)
    total = _reduce(prims.reduce_sum, x, axis, keepdims, "mean", _float)
    return Tensor(total._node * (1.0 / count) if count else total._node * float("nan"))


def var(x, axis=None, keepdims=False):
    """The population variance over `axis`."""
    from .math import square, subtract

    return mean(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)


def std(x, axis=None, keepdims=False):
    """The population standard deviation over `axis`."""
    from .math import sqrt

    return sqrt(var(x, axis, keepdims))


def any(x, axis=None, keepdims=False):
    """Whether any element over `axis` holds."""
    return _truth(prims.reduce_max, x, axis, keepdims, "any")


def all(x, axis=None, keepdims=False):
    """Whether all elements over `axis` hold."""
    return _truth(prims.reduce_min, x, axis, keepdims, "all")


def _truth(prim, x, axis, keepdims, what):
    node = prims.cast(prims.cast(as_node(x), dtype="bool"), dtype="int32")
    return _reduce(prim, Tensor(node), axis, keepdims, what).astype("bool")


def logsumexp(x, axis=None, keepdims=False):
    """log(sum(exp(x))) over `axis` without overflow."""
    from .math import add, exp, log, subtract, where
    from .shape import reshape

    top = max(x, axis, keepdims=True)
    top = Tensor(prims.stop_gradient(where(abs_finite(top), top, 0.0)._node))
    out = add(log(sum(exp(subtract(x, top)), axis, keepdims=True)), top)
    if keepdims:
        return out
    axes = standardize_axis(axis, out.ndim, "logsumexp")
    return reshape(out, tuple(n for i, n in enumerate(out.shape) if i not in axes))


def abs_finite(x):
    from .math import isfinite

    return isfinite(x)


def _arg(x, axis, keepdims, what):
    node = as_node(x)
    shape = node.shape
    if axis is None:
        node, axes = prims.reshape(node, (node.size,)), (0,)
    else:
        axes = standardize_axis(axis, node.ndim, what)
    if node.dtype == "bool":
        node = prims.cast(node, dtype="int32")
    a = axes[0]
    if node.shape[a] == 0:
        raise ShapeError(f"{what}: axis {axis} of shape {shape} has no elements.")
    moved = prims.permute(node, [i for i in range(node.ndim) if i != a] + [a])
    rows = prims.reshape(moved, (product(moved.shape[:-1]), moved.shape[-1]))
    out = prims.reshape((prims.argmax if what == "argmax" else prims.argmin)(rows), moved.shape[:-1])
    if keepdims:
        out = prims.reshape(out, tuple(1 if axis is None or i == a else n for i, n in enumerate(shape)))
    return Tensor(out)


def argmax(x, axis=None, keepdims=False):
    """The position of the largest element along `axis` (of the flattened tensor by default), int32; the first of ties."""
    return _arg(x, axis, keepdims, "argmax")


def argmin(x, axis=None, keepdims=False):
    """The position of the smallest element along `axis`, int32; the first of ties."""
    return _arg(x, axis, keepdims, "argmin")


def count_nonzero(x, axis=None):
    """How many elements over `axis` are not zero, int32."""
    return sum(prims_bool(x), axis)


def prims_bool(x):
    return Tensor(prims.cast(as_node(x), dtype="bool"))
