"""What `tensor[key]` says: a key as numpy reads it, taken apart."""

from __future__ import annotations

import builtins
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..core import trace
from ..core.numpy_functions import NumpyFunctions
from ..core.tensor import Tensor, as_node, broadcast_shapes
from ..errors import AxisError, TraceError
from ..graph.node import Node

Slice = builtins.slice


@dataclass
class Key:
    """A key for one shape: a block of it first, then positions along some of its axes.

    An integer is a block of size 1 whose axis is dropped. `layout` says what the key's parts leave behind, in their order: the
    axis of a slice, None for a new axis, `"arrays"` where the arrays stand (in front, where something stands between them).
    """

    shape: tuple[int, ...]  # the tensor's, with an axis of size 1 for each True or False
    start: list[int] = field(default_factory=list)
    stop: list[int] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    flips: list[int] = field(default_factory=list)
    arrays: dict[int, np.ndarray | Node] = field(default_factory=dict)
    layout: list[int | str | None] = field(default_factory=list)


def parts_of(key: Any, shape: tuple[int, ...]) -> tuple[list[Any], tuple[int, ...]]:
    """The parts of a key, one for each axis and each new one: slices, integers, None, arrays of positions; and the shape they are for.

    Raises:
        AxisError: There are more indices than axes, several ellipses, or a mask has another shape.
        TypeError: Something is not an index.
        TraceError: A mask is a value that a program has yet to compute.
    """
    parts: list[Any] = []
    used = 0
    if isinstance(key, list) and builtins.any(part is None or part is Ellipsis or isinstance(part, Slice) for part in key):
        key = tuple(key)  # as in TensorFlow and PyTorch; a list of numbers are positions along the first axis
    for part in key if isinstance(key, tuple) else (key,):
        if part is None or part is Ellipsis or isinstance(part, Slice):
            parts.append(part)
            used += isinstance(part, Slice)
        elif isinstance(part, (int, np.integer)) and not isinstance(part, (bool, np.bool_)):
            parts.append(int(part))
            used += 1
        else:
            array = _array(part)
            found = _of_mask(array) if array.dtype == "bool" else [array]
            if array.dtype == "bool":
                parts.append((array.shape, found))
                used += len(array.shape)
            else:
                parts.append(array)
                used += 1
    if used > len(shape):
        raise AxisError(f"{used} indices are too many for a tensor of shape {shape}.")
    if sum(part is Ellipsis for part in parts) > 1:
        raise AxisError("an index holds at most one ellipsis.")
    if not builtins.any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    out: list[Any] = []
    axis, between = 0, len(shape) - used
    for part in parts:
        if part is Ellipsis:
            out += [Slice(None)] * between
            axis += between
        elif isinstance(part, tuple):
            sizes, found = part
            if not sizes:  # True or False: a row of an axis that is not there
                shape, found = (*shape[:axis], 1, *shape[axis:]), [np.zeros(len(found[0]), np.int64)]
                sizes = (1,)
            elif sizes != shape[axis : axis + len(sizes)]:
                axes = shape[axis : axis + len(sizes)]
                raise AxisError(f"a mask of shape {sizes} does not match {axes}, the axes of a tensor of shape {shape}.")
            out += found
            axis += len(sizes)
        else:
            out.append(part)
            axis += part is not None
    return out, shape


def _array(part: Any) -> np.ndarray | Node:
    """An index array: on the host where it is known there."""
    if isinstance(part, NumpyFunctions):
        node = as_node(part)
        if node.dtype not in ("float32",):
            return node
        found: Any = node
    elif isinstance(part, (list, np.ndarray, bool, np.bool_)):
        if isinstance(part, list) and builtins.any(isinstance(p, NumpyFunctions) for p in part):
            return _array(Tensor(as_node(part)))
        found = np.asarray(part)
        if found.size == 0 and isinstance(part, list):
            found = found.astype(np.int32)
        if found.dtype.kind in "iu":
            return found.astype(np.int64)
        if found.dtype.kind == "b":
            return found
    else:
        raise TypeError(f"tensors cannot be indexed by {type(part).__name__}.")
    raise TypeError(f"tensors are indexed by integers and booleans, not by {found.dtype} arrays; cast them first.")


def _of_mask(mask: np.ndarray | Node) -> list[np.ndarray]:
    """The positions where a mask holds, for each of its axes."""
    if isinstance(mask, Node):
        if trace.current() is not None and not trace.is_known(mask):
            raise TraceError(
                "tensor[mask] inside a program that is being traced: how many elements a mask picks is known only after the program "
                "has run; use pyml.ops.where, or multiply by the mask."
            )
        mask = Tensor(mask).numpy()
    return list(np.nonzero(np.atleast_1d(mask)))


def read_key(key: Any, shape: tuple[int, ...]) -> Key:
    """A key taken apart.

    Raises:
        AxisError: There are more indices than axes, several ellipses, or a mask has another shape.
        IndexError: An index is out of range.
        TypeError: Something is not an index.
    """
    parts, shape = parts_of(key, shape)
    found = Key(shape)
    arrays = builtins.any(isinstance(p, (np.ndarray, Node)) for p in parts)
    before: int | None = None  # the place among the parts of the last array or, beside arrays, integer
    in_front = False
    axis = 0
    for place, part in enumerate(parts):
        if part is None:
            found.layout.append(None)
            continue
        n = shape[axis]
        if isinstance(part, Slice):
            _slice(found, part, n, axis)
            found.layout.append(axis)
        else:
            if arrays:
                in_front |= before is not None and before != place - 1
                if before is None:
                    found.layout.append("arrays")
                before = place
            if isinstance(part, int):
                if not -n <= part < n:
                    raise IndexError(f"index {part} is out of range for axis {axis} of size {n}.")
                _block(found, part % n, part % n + 1)
            else:
                _block(found, 0, n)
                found.arrays[axis] = _in_range(part, n, axis)
        axis += 1
    if len(found.arrays) > 1:
        broadcast_shapes(*(a.shape for a in found.arrays.values()), what="index arrays")
    if in_front:
        found.layout = ["arrays", *(p for p in found.layout if p != "arrays")]
    return found


def _block(key: Key, start: int, stop: int, step: int = 1) -> None:
    key.start.append(start)
    key.stop.append(stop)
    key.step.append(step)


def _slice(key: Key, part: Slice, n: int, axis: int) -> None:
    first, last, step = part.indices(n)
    if step > 0:
        _block(key, first, max(first, last), step)
        return
    count = max(0, -(-(first - last) // -step))
    low = first + (count - 1) * step if count else 0
    _block(key, low, first + 1 if count else low, -step)
    key.flips.append(axis)


def _in_range(array: np.ndarray | Node, n: int, axis: int) -> np.ndarray | Node:
    """Positions from 0; those that are known here are looked at."""
    if isinstance(array, Node):
        return array
    outside = array[(array < -n) | (array >= n)]
    if outside.size:
        raise IndexError(f"index {outside.flat[0]} is out of range for axis {axis} of size {n}.")
    return np.where(array < 0, array + n, array).astype(np.int32)
