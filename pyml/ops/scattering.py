"""Putting elements in places: blocks, single positions, sums by segment."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from ..core.nest import flatten
from ..core.tensor import Tensor, as_node
from ..core.types import Shape, TensorLike
from ..dtypes import LIMITS
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from ..graph.sizes import count_of, shape_of
from . import families
from .apply import Primitive
from .arithmetic import maximum, minimum
from .declare import draw, op, sample
from .joining import check_in_range, first_place, take
from .logic import where
from .shaping import reshape

__all__ = [
    "scatter", "scatter_update", "segment_max", "segment_min", "segment_prod", "segment_sum", "slice_update",
]  # fmt: skip


_LOOKS = 1 << 20  # of places at elements of rows, above which rows are put in order
_REDUCE: dict[str, Primitive] = {"prod": prims.reduce_prod, "max": prims.reduce_max, "min": prims.reduce_min}


def _places(indices: TensorLike, shape: Sequence[int], what: str) -> tuple[Node, tuple[int, ...], int]:
    """Flat positions along the leading axes that `indices` name, their shape, and how many axes those are.

    A place that is out of range along any axis lies behind all, where nothing is put.
    """
    node = prims.cast(as_node(indices), dtype="int32")
    axes = node.shape[-1] if node.ndim else 0
    if not 0 < axes <= len(shape):
        raise ShapeError(f"{what}: the last axis of indices names 1 to {len(shape)} axes of {tuple(shape)}. Received: shape {node.shape}")
    lead = node.shape[:-1]
    numbers = all(isinstance(i, (int, np.integer)) for i in flatten(indices)) if isinstance(indices, (list, tuple)) else False
    on_host = np.asarray(indices) if numbers or isinstance(indices, np.ndarray) else None
    total, outside = Tensor(prims.full(lead, 0, "int32")), Tensor(prims.full(lead, False, "bool"))
    for i, n in enumerate(shape[:axes]):
        one = Tensor(prims.reshape(prims.slice_(node, [*(0 for _ in lead), i], [*lead, i + 1]), lead))
        check_in_range(one if on_host is None else on_host[..., i], n, what)
        one = where(one < 0, one + n, one)
        total, outside = total * n + one, outside | (one < 0) | (one >= n)
    return prims.reshape(where(outside, prod(shape[:axes]), total)._node, (prod(lead),)), lead, axes


def _rows(values: TensorLike, lead: Sequence[int], rest: Sequence[int], dtype: str | None, what: str) -> Node:
    node = as_node(values)
    node = prims.cast(node, dtype=dtype or node.dtype)
    try:
        wide = prims.broadcast_to(node, (*lead, *rest))
    except ShapeError:
        raise ShapeError(f"{what}: values need the shape {(*lead, *rest)}. Received: shape {node.shape}") from None
    return prims.reshape(wide, (prod(lead), *rest))


def _scattered(indices: np.ndarray, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """The same in numpy."""
    out = np.zeros(shape, np.asarray(values).dtype)
    np.add.at(out, tuple(np.moveaxis(np.asarray(indices), -1, 0)), values)
    return out


@op(
    dtypes="second",
    like=_scattered,
    samples=[sample([[0, 1], [1, 2], [0, 1]], draw(3), (2, 3)), sample([[2], [-1]], draw(2, 3), (4, 3)),
             sample([[0], [2]], draw(2, low=-9, high=9, dtype="int32"), (3,))],
)  # fmt: skip
def scatter(indices: TensorLike, values: TensorLike, shape: Shape) -> Tensor:
    """Zeros in `shape` with `values` added at `indices`, in the dtype of `values`; those of one place add up.

    Args:
        indices: Integers `(..., axes)`: a position along each of the leading axes.
        values: `(..., *shape[axes:])`.
        shape: The sizes of the result.

    Returns:
        A tensor of the dtype of `values`, of shape `shape`.

    Raises:
        ShapeError: The shapes do not fit.
        IndexError: A list or an array of `indices` holds one that is out of range; those that a device computed put nothing.

    Source: `keras.ops.scatter`.

    Example:
        >>> pyml.ops.scatter([[0], [2]], [5., 7.], (4,)).numpy()
        array([5., 0., 7., 0.], dtype=float32)
    """
    sizes = shape_of(shape, "scatter")
    places, lead, axes = _places(indices, sizes, "scatter")
    rows = _rows(values, lead, sizes[axes:], None, "scatter")
    kind = rows.dtype
    rows = prims.cast(rows, dtype="int32" if kind == "bool" else kind)
    found = prims.scatter_add(places, rows, prod(sizes[:axes]))
    return Tensor(prims.reshape(prims.cast(found, dtype=kind), sizes))


def _neutral(dtype: str, largest: bool) -> float:
    """What a maximum (or a minimum) of `dtype` begins with."""
    low, high = LIMITS.get(dtype, (float("-inf"), float("inf")))
    return low if largest else high


def _gathered(by: str, places: Node, rows: Node, count: int, neutral: float) -> Node:
    """For each of `count` places the rows that belong to it, joined: where there are few, every place looks at every row."""
    if count * rows.size > _LOOKS and rows.dtype != "bool":
        found = prims.scatter_by(places, rows, count, by)
        any_row = prims.greater_equal(prims.last(places, count), prims.full((count,), 0, "int32"))
        any_row = prims.broadcast_to(prims.reshape(any_row, (count, *(1,) * (found.ndim - 1))), found.shape)
        return prims.where(any_row, found, prims.full(found.shape, neutral, found.dtype))
    rest = rows.shape[1:]
    wide = (count, rows.shape[0], *rest)
    ones = (1,) * len(rest)
    mine = prims.equal(
        prims.broadcast_to(prims.reshape(prims.iota(count), (count, 1, *ones)), wide),
        prims.broadcast_to(prims.reshape(places, (1, rows.shape[0], *ones)), wide),
    )
    each = prims.broadcast_to(prims.reshape(rows, (1, *rows.shape)), wide)
    return _REDUCE[by](prims.where(mine, each, prims.full(wide, neutral, rows.dtype)), (1,))


def _updated(inputs: np.ndarray, indices: np.ndarray, updates: np.ndarray, reduction: str | None = None) -> np.ndarray:
    """The same in numpy."""
    out, key = np.array(inputs), tuple(np.moveaxis(np.asarray(indices), -1, 0))
    ufuncs: dict[str | None, Any] = {"add": np.add, "max": np.maximum, "min": np.minimum, "mul": np.multiply}
    if reduction is None:
        out[key] = updates
    else:
        ufuncs[reduction].at(out, key, updates)
    return out


_REPEATED = [[0, 1], [1, 2], [0, 1], [0, 0]]


@op(
    dtypes="first",
    like=_updated,
    samples=[*(sample(draw(2, 3), _REPEATED, draw(4), reduction) for reduction in (None, "add", "max", "min", "mul")),
             sample(draw(4, 2), [[3], [-4]], draw(2, 2)), sample(draw(5, low=-9, high=9, dtype="int32"), [[1], [1]], [7, 8], "max")],
)  # fmt: skip
def scatter_update(inputs: TensorLike, indices: TensorLike, updates: TensorLike, reduction: str | None = None) -> Tensor:
    """`inputs` with `updates` put at `indices`, in its shape and dtype.

    Args:
        inputs: Tensor.
        indices: Integers `(..., axes)`: a position along each of the leading axes.
        updates: `(..., *inputs.shape[axes:])`.
        reduction: None replaces, and the last update of a place stays; `"add"`, `"mul"`, `"max"` and `"min"` combine with what is there.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ShapeError: The shapes do not fit.
        ValueError: There is no such reduction.
        IndexError: A list or an array of `indices` holds one that is out of range; those that a device computed put nothing.

    Source: `keras.ops.scatter_update`.

    Example:
        >>> pyml.ops.scatter_update([1., 2., 3.], [[0], [2]], [7., 9.]).numpy()
        array([7., 2., 9.], dtype=float32)
    """
    if reduction not in (None, "add", "mul", "max", "min"):
        raise ValueError(f"scatter_update: reduction must be None, 'add', 'mul', 'max' or 'min'. Received: reduction={reduction!r}")
    node = as_node(inputs)
    kind = node.dtype
    node = prims.cast(node, dtype="int32" if kind == "bool" else kind)
    places, lead, axes = _places(indices, node.shape, "scatter_update")
    rest = node.shape[axes:]
    rows = _rows(updates, lead, rest, node.dtype, "scatter_update")
    count = prod(node.shape[:axes])
    there = Tensor(prims.reshape(node, (count, *rest)))
    if not rows.size:
        found = there
    elif reduction is None:
        which = Tensor(prims.last(places, count))
        put = Tensor(prims.gather(rows, which._node))  # zeros for -1
        found = where(reshape(which >= 0, (count, *(1,) * len(rest))), put, there)
    elif reduction == "add":
        found = there + Tensor(prims.scatter_add(places, rows, count))
    elif reduction == "mul":
        found = there * Tensor(_gathered("prod", places, rows, count, 1))
    else:
        largest = reduction == "max"
        among = Tensor(_gathered(reduction, places, rows, count, _neutral(node.dtype, largest)))
        found = (maximum if largest else minimum)(there, among)
    return Tensor(prims.cast(prims.reshape(found._node, node.shape), dtype=kind))


def _block(inputs: np.ndarray, start_indices: Sequence[int], updates: np.ndarray) -> np.ndarray:
    """The same in numpy."""
    out = np.array(inputs)
    out[tuple(np.s_[a : a + n] for a, n in zip(start_indices, updates.shape, strict=True))] = updates
    return out


@op(
    dtypes="first",
    like=_block, samples=[sample(draw(3, 4), (1, 2), draw(2, 2)), sample(draw(4), [0], draw(4)), sample(draw(2, 3), (0, 1), draw(0, 2))],
)
def slice_update(inputs: TensorLike, start_indices: Sequence[int], updates: TensorLike) -> Tensor:
    """`inputs` with the block `updates` put where `start_indices` says, in its shape and dtype.

    Args:
        inputs: Tensor.
        start_indices: The block's first place along each axis; negative ones count from the end. One that the program under way
            computes, such as the counter of a loop, is moved so that the block lies in `inputs`.
        updates: The block.

    Returns:
        A tensor of the shape and dtype of `inputs`.

    Raises:
        ShapeError: There are more or fewer numbers or axes than `inputs` has, or the block does not lie in it.

    Source: `keras.ops.slice_update`.

    Example:
        >>> pyml.ops.slice_update([1., 2., 3., 4.], [1], [7., 8.]).numpy()
        array([1., 7., 8., 4.], dtype=float32)
    """
    node, block = as_node(inputs), as_node(updates)
    if not len(start_indices) == block.ndim == node.ndim:
        raise ShapeError(
            f"slice_update: start_indices and updates need as many axes as inputs, {node.ndim}. "
            f"Received: {len(start_indices)} and {block.ndim}"
        )
    starts = [first_place(s, n, m) for s, n, m in zip(start_indices, node.shape, block.shape, strict=True)]
    axes = list(zip(starts, node.shape, block.shape, strict=True))
    widths = [(0, 0) if isinstance(s, Tensor) else (s, n - s - m) for s, n, m in axes]
    if any(min(w) < 0 for w in widths) or any(m > n for _, n, m in axes):
        at = ", ".join("computed" if isinstance(s, Tensor) else str(s) for s in starts)
        raise ShapeError(f"slice_update: a block of {block.shape} at ({at}) does not lie in {node.shape}.")
    if not block.size:
        return Tensor(node)
    inside = Tensor(prims.cast(prims.pad(prims.full(block.shape, 1, "int32"), widths), dtype="bool"))
    put = Tensor(prims.pad(prims.cast(block, dtype=node.dtype), widths))
    for axis, (start, n, m) in enumerate(axes):
        if isinstance(start, Tensor):  # the block is drawn out over the axis; a mask says which of it counts
            place = Tensor(prims.iota(n)) - start
            within = reshape((place >= 0) & (place < m), [-1 if a == axis else 1 for a in range(node.ndim)])
            nearest = minimum(maximum(place, 0), m - 1)
            inside, put = take(inside, nearest, axis=axis) & within, take(put, nearest, axis=axis)
    return where(inside, put, Tensor(node))


def _segments(data: TensorLike, segment_ids: TensorLike, num_segments: int | None, what: str) -> tuple[Node, Node, int]:
    node, ids = as_node(data), prims.cast(as_node(segment_ids), dtype="int32")
    if ids.ndim != 1 or not node.ndim or ids.shape[0] != node.shape[0]:
        raise ShapeError(f"{what}: segment_ids must be a vector with a number for each row of data. Received: {ids.shape} and {node.shape}")
    if num_segments is None:
        on_host = isinstance(segment_ids, (list, tuple, np.ndarray))  # known while a model is recorded too
        known = np.asarray(segment_ids) if on_host else Tensor(ids).numpy()
        num_segments = int(known.max(initial=-1)) + 1
    return node, ids, count_of(num_segments, what, "num_segments")


_IDS = [sample(draw(5), [0, 0, 2, 1, 2], 3), sample(draw(4, 2), [2, 0, 1, 0]), sample(draw(4, low=-9, high=9, dtype="int32"), [0, 1, 1, 0])]


def _by_segment(ufunc: Any, start: float) -> Any:
    """What numpy says of segments that all have rows."""

    def like(data: np.ndarray, ids: Sequence[int], num_segments: int | None = None) -> np.ndarray:
        out = np.full((max(ids) + 1, *data.shape[1:]), start).astype(data.dtype)
        ufunc.at(out, np.asarray(ids), data)
        return out

    return like


@op(dtypes="first", like=_by_segment(np.add, 0), samples=_IDS)
def segment_sum(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The sum of the rows of each segment, in the dtype of `data`: `(num_segments, *data.shape[1:])`; 0 where there are none.

    Of booleans it is whether any holds.

    Args:
        data: Tensor with rows.
        segment_ids: An integer for each row, the segment it belongs to.
        num_segments: How many segments; by default up to the largest, which waits for the device to say.
        sorted: Nothing here: the order of the rows does not matter.

    Returns:
        A tensor of the dtype of `data`: `(num_segments, *data.shape[1:])`.

    Raises:
        ShapeError: There is not a number for each row.

    Source: `keras.ops.segment_sum`.

    Example:
        >>> pyml.ops.segment_sum([1, 2, 3], [0, 0, 1], num_segments=2).numpy()
        array([3, 3], dtype=int32)
    """
    node, ids, count = _segments(data, segment_ids, num_segments, "segment_sum")
    found = prims.scatter_add(ids, prims.cast(node, dtype="int32" if node.dtype == "bool" else node.dtype), count)
    return Tensor(prims.cast(found, dtype=node.dtype))


@op(family=families.SEGMENTS, dtypes="first", like=_by_segment(np.multiply, 1), samples=_IDS)
def segment_prod(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The product of the rows of each segment, 1 where there are none; arguments, shape and dtype as for `segment_sum`.

    Source: `keras.ops.segment_prod`.

    Example:
        >>> pyml.ops.segment_prod([2, 2, 3], [0, 0, 1], num_segments=2).numpy()
        array([4, 3], dtype=int32)
    """
    node, ids, count = _segments(data, segment_ids, num_segments, "segment_prod")
    return Tensor(_gathered("prod", ids, node, count, 1))


@op(family=families.SEGMENTS, dtypes="first", like=_by_segment(np.maximum, -1e9), samples=_IDS)
def segment_max(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The largest of the rows of each segment, the lowest number where there are none; arguments, shape and dtype as of `segment_sum`.

    Source: `keras.ops.segment_max`.

    Example:
        >>> pyml.ops.segment_max([1, 2, 3], [0, 0, 1], num_segments=2).numpy()
        array([2, 3], dtype=int32)
    """
    node, ids, count = _segments(data, segment_ids, num_segments, "segment_max")
    return Tensor(_gathered("max", ids, node, count, _neutral(node.dtype, True)))


@op(family=families.SEGMENTS, dtypes="first", like=_by_segment(np.minimum, 1e9), samples=_IDS)
def segment_min(data: TensorLike, segment_ids: TensorLike, num_segments: int | None = None, sorted: bool = False) -> Tensor:
    """The smallest of the rows of each segment, the highest number where there are none; arguments, shape and dtype as of `segment_sum`.

    Source: `keras.ops.segment_min`.

    Example:
        >>> pyml.ops.segment_min([1, 2, 3], [0, 0, 1], num_segments=2).numpy()
        array([1, 3], dtype=int32)
    """
    node, ids, count = _segments(data, segment_ids, num_segments, "segment_min")
    return Tensor(_gathered("min", ids, node, count, _neutral(node.dtype, False)))
