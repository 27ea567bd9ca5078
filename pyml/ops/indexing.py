"""`tensor[key]` and `tensor[key] = value`, as numpy has them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..core.installed import INSTALLED
from ..core.numpy_functions import NumpyFunctions
from ..core.tensor import Tensor, as_node, broadcast_shapes
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from .declare import draw, op, sample
from .joining import take
from .keys import Key, read_key
from .logic import where

__all__ = ["get_item"]

_ROWS, _COLUMNS = np.array([2, 0, -1]), np.array([[1], [3]])
_MASK = np.array([True, False, True])
_KEYS: list[Any] = [
    1, (slice(None), -1), (slice(1, 3), None), (Ellipsis, slice(None, None, -2)), [2, 0], (None, [2, 0], slice(None, 2)),
    (_ROWS, _COLUMNS), (0, None, _COLUMNS), _MASK, (slice(None), np.array([True, False, False, True])), [], (-1, Ellipsis, None),
]  # fmt: skip
_SAMPLES = [sample(draw(3, 4), key) for key in _KEYS]
_SAMPLES += [sample(draw(3, 2, 4), (_ROWS, slice(None), _COLUMNS)), sample(draw(3, 2, 4), (slice(1, None), 1, [0, 3, 3]))]


@op(complex_parts="each", dtypes="first", like=lambda x, key: x[key], text=True, operator="getitem", samples=_SAMPLES)
def get_item(x: TensorLike, key: Any) -> Tensor:
    """`x[key]`, as numpy reads it.

    Args:
        x: Tensor.
        key: An integer, slice, `...`, None (a new axis), an array or list of integers or booleans, or a tuple of them. Arrays of
            integers broadcast, and negative ones count from the end. A mask picks where it holds; a mask that is a tensor is read
            from the device, for the shape of the result depends on it.

    Returns:
        A tensor of the dtype of `x`, of the shape that numpy gives it.

    Raises:
        ShapeError: There are more indices than axes, or a mask has another shape than what it masks.
        IndexError: An integer, or one in a list or a numpy array, is out of range. One in a tensor picks zeros.
        TypeError: Something is not an index.
        TraceError: A mask is computed in the program that is being traced.

    Source: `keras.ops.get_item`.

    Example:
        >>> pyml.ops.get_item(np.arange(6).reshape(2, 3), (slice(None), 1)).numpy()
        array([1, 4], dtype=int32)
        >>> x = pyml.ops.arange(5)
        >>> x[x > 2].numpy()
        array([3, 4], dtype=int32)
    """
    node = as_node(x)
    read = read_key(key, node.shape)
    out = prims.slice_(prims.reshape(node, read.shape), read.start, read.stop, read.step)
    if read.flips:
        out = prims.flip(out, read.flips)
    return Tensor(_picked(out, read) if read.arrays else prims.reshape(out, _shape(out.shape, read)))


def _shape(block: tuple[int, ...], key: Key, arrays: tuple[int, ...] = ()) -> list[int]:
    """The result's sizes: those of slices, of new axes and of the arrays."""
    sizes: list[int] = []
    for part in key.layout:
        sizes += arrays if isinstance(part, str) else [1 if part is None else block[part]]
    return sizes


def _picked(block: Node, key: Key) -> Node:
    """The rows of a block that arrays name, laid out as the key says."""
    axes = list(key.arrays)
    sliced = [part for part in key.layout if isinstance(part, int)]
    if len(axes) == 1:
        index, size = key.arrays[axes[0]], block.shape[axes[0]]
    else:
        index, size = _flat(key, [block.shape[a] for a in axes]), prod(block.shape[a] for a in axes)
    rows = prims.reshape(prims.permute(block, [*axes, *sliced, *_dropped(block, axes, sliced)]), (size, *(block.shape[a] for a in sliced)))
    found = take(Tensor(rows), Tensor(as_node(index)), 0)._node
    index_ndim = found.ndim - len(sliced)
    first = len([part for part in key.layout[: key.layout.index("arrays")] if isinstance(part, int)])
    after = range(index_ndim + first, found.ndim)
    order = [*range(index_ndim, index_ndim + first), *range(index_ndim), *after]
    return prims.reshape(prims.permute(found, order), _shape(block.shape, key, found.shape[:index_ndim]))


def _dropped(block: Node, axes: list[int], sliced: list[int]) -> list[int]:
    return [a for a in range(block.ndim) if a not in axes and a not in sliced]


def _flat(key: Key, sizes: list[int]) -> np.ndarray | Node:
    """Several arrays of positions as one of positions in the flattened axes; -1 where one is out of range."""
    arrays = list(key.arrays.values())
    shape = broadcast_shapes(*(a.shape for a in arrays), what="index arrays")
    if all(isinstance(a, np.ndarray) for a in arrays):
        known = [np.broadcast_to(np.asarray(a), shape) for a in arrays]
        return np.ravel_multi_index(known, sizes).astype(np.int32) if prod(shape) else np.zeros(shape, np.int32)
    total: Any = 0
    outside: Any = None
    for array, n in zip(arrays, sizes, strict=True):
        one = Tensor(prims.broadcast_to(prims.cast(as_node(array), dtype="int32"), shape))
        one = where(one < 0, one + n, one)
        wrong = (one < 0) | (one >= n)
        outside = wrong if outside is None else outside | wrong
        total = total * n + one
    # take counts -1 from the end, so what is out of range lies behind all
    return where(outside, prod(sizes), total)._node


def set_item(x: TensorLike, key: Any, value: TensorLike) -> Tensor:
    """`x` with `value` at `key`, in its shape and dtype; of several values for one place the last one stays.

    Raises:
        ShapeError: The value does not broadcast to the shape of `x[key]`.
    """
    node = as_node(x)
    put = prims.cast(as_node(value), dtype=node.dtype)
    if put.ndim == 0 and str(getattr(key, "dtype", None)) == "bool" and key.shape == node.shape[: key.ndim]:
        mask = prims.reshape(as_node(key), (*key.shape, *(1,) * (node.ndim - key.ndim)))
        return where(Tensor(mask), Tensor(put), Tensor(node))
    if isinstance(key, tuple):
        key = tuple(_known(k) for k in key)
    read = read_key(_known(key), node.shape)
    sizes = [hi - lo for lo, hi in zip(read.start, read.stop, strict=True)]
    if not read.arrays and not read.flips and all(s == 1 for s in read.step):
        block = prims.reshape(_spread(put, tuple(_shape(tuple(sizes), read)), key), sizes)
        around = [(lo, n - hi) for lo, hi, n in zip(read.start, read.stop, node.shape, strict=True)]
        inside = prims.cast(prims.pad(prims.full(block.shape, 1, "int32"), around), dtype="bool")
        return Tensor(prims.where(inside, prims.pad(block, around), node))
    places = np.arange(node.size).reshape(node.shape)[_known(key)]
    rows = prims.reshape(_spread(put, places.shape, key), (places.size,))
    source = np.full(node.size, -1, np.int32)
    source[places.reshape(-1)] = np.arange(places.size, dtype=np.int32)
    there = Tensor(as_node(source.reshape(node.shape)))
    if not places.size:
        return Tensor(node)
    return where(there >= 0, take(Tensor(rows), where(there >= 0, there, 0), 0), Tensor(node))


def _known(part: Any) -> Any:
    """A part of a key whose arrays are on the host."""
    if isinstance(part, NumpyFunctions):
        return np.asarray(part)
    if isinstance(part, list):
        found = np.asarray([np.asarray(p) for p in part])
        return found if found.size else found.astype(np.int32)
    return part


def _spread(value: Node, shape: tuple[int, ...], key: Any) -> Node:
    """The value in the shape of what it replaces; leading axes of size 1 too many do not count."""
    extra = value.ndim - len(shape)
    if extra > 0 and all(n == 1 for n in value.shape[:extra]):
        value = prims.reshape(value, value.shape[extra:])
    try:
        return prims.broadcast_to(value, shape)
    except ShapeError:
        raise ShapeError(f"tensor[{key!r}] has shape {shape}; a value of shape {value.shape} does not broadcast to it.") from None


INSTALLED["setitem"] = set_item
