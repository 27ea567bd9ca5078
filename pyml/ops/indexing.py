"""`tensor[key]`: integers, slices, ellipsis, new axes and integer arrays (one of them)."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.operators import Operators
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from .declare import draw, op, sample
from .joining import take
from .shaping import expand_dims

__all__ = ["get_item"]

_KEYS: list[Any] = [1, (slice(None), -1), (slice(1, 3), None), (Ellipsis, slice(None, None, -2)), [2, 0]]
_SAMPLES = [sample(draw(3, 4), key) for key in _KEYS]


@op(like=lambda x, key: x[key], operator="getitem", samples=_SAMPLES)
def get_item(x: TensorLike, key: Any) -> Tensor:
    """`x[key]`: numpy's basic indexing, and one integer array or list.

    Args:
        x: Tensor.
        key: An integer, slice, `...`, None (a new axis), an array or list of integers, or a tuple of them.

    Raises:
        ShapeError: There are more indices than axes, or several arrays.
        IndexError: An integer is out of range.
        TypeError: Something is no index.

    Example:
        >>> pyml.ops.get_item(np.arange(6).reshape(2, 3), (slice(None), 1)).numpy()
        array([1, 4], dtype=int32)
    """
    keys = list(key) if isinstance(key, tuple) else [key]
    node = as_node(x)
    used = sum(1 for k in keys if k is not None and k is not Ellipsis)
    if used > node.ndim:
        raise ShapeError(f"{used} indices for a tensor of shape {node.shape}.")
    if sum(1 for k in keys if k is Ellipsis) > 1:
        raise ShapeError("an index holds at most one ellipsis.")
    full = slice(None)
    if Ellipsis in [k for k in keys if not isinstance(k, (Operators, np.ndarray, list))]:
        at = next(i for i, k in enumerate(keys) if k is Ellipsis)
        keys[at : at + 1] = [full] * (node.ndim - used)
    else:
        keys += [full] * (node.ndim - used)
    start, stop, step, flips, drop, add, gathers = [], [], [], [], [], [], []
    axis = out_axis = 0
    for k in keys:
        if k is None:
            add.append(out_axis)
            out_axis += 1
            continue
        n = node.shape[axis]
        if isinstance(k, slice):
            if k.step is not None and k.step < 0:
                first, last, s = k.indices(n)
                count = max(0, -(-(first - last) // -s))
                lo = first + (count - 1) * s if count else 0
                start.append(lo)
                stop.append(first + 1 if count else lo)
                step.append(-s)
                flips.append(axis)
            else:
                a, b, s = k.indices(n)
                start.append(a)
                stop.append(max(a, b))
                step.append(s)
            out_axis += 1
        elif isinstance(k, (int, np.integer)) and not isinstance(k, bool):
            if not -n <= k < n:
                raise IndexError(f"index {k} is out of range for axis {axis} of size {n}.")
            start.append(int(k) % n)
            stop.append(int(k) % n + 1)
            step.append(1)
            drop.append(axis)
        elif isinstance(k, (Operators, np.ndarray, list)):
            index = as_node(k)
            if index.dtype == "bool":
                raise ShapeError("a boolean mask has no fixed result shape; use ops.where.")
            start.append(0)
            stop.append(n)
            step.append(1)
            gathers.append((axis, index))
            out_axis += index.ndim
        else:
            raise TypeError(f"tensors cannot be indexed by {type(k).__name__}.")
        axis += 1
    if len(gathers) > 1 or (gathers and add):
        raise ShapeError("one index array per expression, without new axes; index in steps.")
    out = prims.slice_(node, start, stop, step)
    if flips:
        out = prims.flip(out, flips)
    if gathers:
        a, index = gathers[0]
        t = take(Tensor(out), Tensor(index), a)
        extra = index.ndim - 1
        shift = {d if d < a else d + extra for d in drop}
        return Tensor(prims.reshape(t._node, [n for i, n in enumerate(t.shape) if i not in shift]))
    out = prims.reshape(out, [n for i, n in enumerate(out.shape) if i not in drop])
    t = Tensor(out)
    for a in add:
        t = expand_dims(t, a)
    return t
