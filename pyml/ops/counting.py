"""How often and where values are: `bincount`, `histogram`, `nonzero`, `unique`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from .. import config
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..dtypes import promote
from ..errors import DtypeError, ShapeError
from ..graph import prims
from ..graph.node import Node
from ..graph.sizes import count_of
from . import complex_formulas
from .arithmetic import add, clip, divide, minimum, multiply, subtract
from .axes import one_axis
from .creation import arange
from .declare import draw, op, sample
from .elementary import floor
from .joining import concatenate
from .logic import where
from .reading import places_of, values_for_shape
from .reduce import max as _max
from .reduce import min as _min
from .reduce import sum as _sum
from .running import cumsum
from .shaping import expand_dims, ravel, reshape

__all__ = [
    "bincount", "histogram", "nonzero", "unique",
]  # fmt: skip

_ROOM = 4096  # numbers below this one are counted in one pass, before the largest is known
_COMPARED = 64  # edges that every element is compared with; with more the bin of each is computed


def _bincount(x: np.ndarray, weights: np.ndarray | None = None, minlength: int = 0) -> np.ndarray:
    """The same in numpy, rows of a matrix on their own."""
    if x.ndim == 1:
        return np.bincount(x, weights, minlength)
    length = max(int(x.max(initial=-1)) + 1, minlength)
    return np.array([np.bincount(row, None if weights is None else weights[i], length) for i, row in enumerate(x)])


_VECTOR = np.array([3, 1, 0, 4, 1, 1, 3], np.int32)  # arrays, as recording needs values
_MATRIX = np.array([[0, 3, 1, 1], [2, 2, 0, 2]], np.int32)


@op(
    dtypes="index",
    like=_bincount,
    samples=[
        sample(_VECTOR), sample(_VECTOR, minlength=8), sample(_VECTOR, draw(7)), sample(_VECTOR, _VECTOR),
        sample(_MATRIX), sample(_MATRIX, draw(2, 4)), sample(np.zeros(0, np.int32), minlength=2),
    ],
)  # fmt: skip
def bincount(x: TensorLike, weights: TensorLike | None = None, minlength: int = 0, sparse: bool = False) -> Tensor:
    """How often each number from 0 on is among the elements of `x`, or the sum of their weights.

    The length of the result depends on the largest element, which is read back: not within a program or a symbolic model.
    Gradients go to the weights.

    Args:
        x: Integers from 0 on: a vector, or a matrix whose rows are counted each for itself.
        weights: What each element counts, in the shape of `x`; without it 1.
        minlength: The least length of the result.
        sparse: Only False.

    Returns:
        `(length,)` or `(rows, length)`: int32, or the common dtype of `x` and `weights`.

    Raises:
        DtypeError: `x` does not hold integers.
        ShapeError: `x` is neither vector nor matrix, the weights have another shape, or `minlength` is negative.
        ValueError: An element is negative, or `sparse` is True.
        TraceError: A program is traced, or `x` is symbolic.

    Source: `keras.ops.bincount`.

    Example:
        >>> pyml.ops.bincount([1, 2, 2, 3]).numpy()
        array([0, 1, 2, 1], dtype=int32)
    """
    if sparse:
        raise ValueError("bincount: there are no sparse tensors; leave sparse=False. Received: sparse=True")
    minlength = count_of(minlength, "bincount", "minlength")
    node = as_node(x)
    if node.ndim not in (1, 2):
        raise ShapeError(f"bincount: x must be a vector or a matrix. Received: shape {node.shape}")
    if node.size and node.dtype == "float32":
        raise DtypeError(f"bincount: x must be integers. Received: {node.dtype}")
    given = None if weights is None else as_node(weights)
    if given is not None and given.shape != node.shape:
        raise ShapeError(f"bincount: weights must have the shape of x, {node.shape}. Received: {given.shape}")
    instead = "ops.sum(ops.one_hot(x, classes), axis=-2)"
    there = hasattr(x, "_value_node") and config.device().profile.counts_quickly
    host = None if there or not node.size else values_for_shape(x, "bincount", instead)
    if host is not None and given is None and node.ndim == 1 and node.dtype == "int32":
        with suppress(ValueError):  # of an element below 0, which is named below; numpy finds the ends itself, in one pass
            return Tensor(as_node(np.bincount(host, minlength=minlength).astype(np.int32)))
    if there and given is None and node.ndim == 1 and node.dtype == "int32" and node.size and minlength <= _ROOM:
        found = values_for_shape(Tensor(prims.counts(node, _ROOM)), "bincount", instead)
        if not found[_ROOM]:  # all of them; the last one that was met is the largest
            return Tensor(as_node(found[: max(minlength, _ROOM - int(np.argmax(found[-2::-1] != 0)))]))
    low, high = (0, -1) if not node.size else (int(host.min()), int(host.max())) if host is not None else _ends(node, instead)
    if low < 0:
        raise ValueError(f"bincount: x must not be negative. Received: {low} among the elements")
    length = max(high + 1, minlength)
    rows = node.shape[0] if node.ndim == 2 else 1
    shape = (*node.shape[:-1], length)
    dtype = "int32" if given is None else promote(node.dtype, given.dtype)
    dtype = "int32" if dtype == "bool" else dtype
    if not node.size or not length:
        return Tensor(prims.full(shape, 0, dtype))
    if given is None and host is not None:
        places = host if rows == 1 else host.astype(np.int64) + np.arange(rows)[:, None] * length
        return Tensor(as_node(np.bincount(places.reshape(-1), minlength=rows * length).astype(np.int32).reshape(shape)))
    worth = prims.full((node.size,), 1, dtype) if given is None else prims.reshape(prims.cast(given, dtype=dtype), (node.size,))
    number = prims.cast(node, dtype="int32")
    if rows > 1:
        starts = prims.mul(prims.iota(rows), prims.full((rows,), length, "int32"))
        number = prims.add(number, prims.broadcast_to(prims.reshape(starts, (rows, 1)), node.shape))
    number = prims.reshape(number, (node.size,))
    return Tensor(prims.reshape(prims.scatter_add(number, worth, rows=rows * length), shape))


def _ends(node: Node, instead: str) -> tuple[int, int]:
    """The smallest and the largest integer."""
    line = prims.reshape(prims.cast(node, dtype="int32") if node.dtype == "bool" else node, (node.size,))
    ends = (prims.reshape(reduce(line, (0,)), (1,)) for reduce in (prims.reduce_min, prims.reduce_max))
    low, high = values_for_shape(Tensor(prims.concat([*ends], 0)), "bincount", instead)
    return int(low), int(high)


def _histogram(x: np.ndarray, bins: int = 10, range: Any = None) -> tuple[np.ndarray, np.ndarray]:
    """The same in numpy, edges in float32 as on the devices."""
    counts, edges = np.histogram(np.asarray(x, np.float32), bins, range)
    return counts, edges


@op(
    like=_histogram, gradient=False,
    samples=[
        sample(draw(40)), sample(draw(300), 100), sample(draw(25), bins=3, range=(-1.0, 0.5)), sample(draw(0), 4),
        sample(np.ones(3, np.float32), 3), sample(draw(9, low=0, high=5, dtype="int32"), 5),
    ],
)  # fmt: skip
def histogram(x: TensorLike, bins: int = 10, range: tuple[float, float] | None = None) -> tuple[Tensor, Tensor]:
    """How many elements of a vector lie in each of `bins` equal parts of a range.

    Args:
        x: A vector.
        bins: How many parts.
        range: The ends of the range; elements outside are not counted. By default the smallest and the largest element.
            An edge belongs to the part above it, the last one to the part below.

    Returns:
        Counts `(bins,)`, float32 as Keras has them (int32 where `x` is integers), and edges `(bins + 1,)`, float32.

    Raises:
        TypeError: `bins` is not an integer.
        ValueError: `bins` is less than 1, `x` is not a vector, or the range is none.

    Source: `keras.ops.histogram`.

    Example:
        >>> counts, edges = pyml.ops.histogram([1., 2., 2., 4.], bins=3)
        >>> counts.tolist(), edges.tolist()
        ([1.0, 2.0, 1.0], [1.0, 2.0, 3.0, 4.0])
    """
    if not isinstance(bins, int) or isinstance(bins, bool):
        raise TypeError(f"histogram: bins must be an integer. Received: bins={bins!r}")
    if bins < 1:
        raise ValueError(f"histogram: bins must be 1 or more. Received: bins={bins}")
    if range is not None and (not isinstance(range, Sequence) or len(range) != 2 or range[1] < range[0]):
        raise ValueError(f"histogram: range must be a pair (low, high) with low <= high. Received: range={range!r}")
    node = as_node(x)
    if node.ndim != 1:
        raise ValueError(f"histogram: x must be a vector. Received: shape {node.shape}")
    values = Tensor(prims.cast(node, dtype="float32"))
    ends = (0.0, 1.0) if range is None and not node.size else range
    low, high = (Tensor(as_node(float(e))) for e in ends) if ends else (_min(values), _max(values))
    flat = low == high
    low, high = where(flat, low - 0.5, low), where(flat, high + 0.5, high)
    share = divide(arange(bins + 1, dtype="float32"), float(bins))
    edges = where(share == 1.0, high, add(low, multiply(subtract(high, low), share)))
    if not node.size:
        counts = Tensor(prims.full((bins,), 0, "int32"))
    elif bins < _COMPARED:
        wide, each = expand_dims(edges, -1), expand_dims(values, 0)
        last = expand_dims(share == 1.0, -1)
        below = _sum(((each < wide) | (last & (each == wide))).astype("int32"), axis=-1)
        counts = subtract(below[1:], below[:-1])
    else:
        # where the bin would be of exact edges, which is next to the right one at most
        near = floor(clip(divide(multiply(subtract(values, low), float(bins)), subtract(high, low)), 0.0, bins - 1.0)).astype("int32")
        edge = lambda places: Tensor(prims.gather(edges._node, places._node))
        bin_of = minimum(near + (values >= edge(near + 1)).astype("int32") - (values < edge(near)).astype("int32"), bins - 1)
        bin_of = where((values >= low) & (values <= high), bin_of, -1)
        counts = Tensor(prims.scatter_add(bin_of._node, prims.full((node.size,), 1, "int32"), bins))
    return (counts.astype("float32") if node.dtype == "float32" else counts), edges


@op(
    complex_parts=lambda m, z: m.nonzero(m.not_equal(z, 0.0)),
    dtypes="index", like="numpy.nonzero", gradient=False, samples=[sample(_VECTOR), sample(_MATRIX), sample(np.eye(3, 4) > 0)],
)  # fmt: skip
def nonzero(x: TensorLike) -> tuple[Tensor, ...]:
    """Where the elements are that are not 0: for each axis a vector of int32 indices.

    How many there are depends on values, so `x` is read back: not within a program or a symbolic model.

    Args:
        x: Tensor with at least one axis.

    Returns:
        A tuple of int32 vectors, one for each axis.

    Raises:
        TraceError: A program is traced, or `x` is symbolic.

    Example:
        >>> [axis.tolist() for axis in pyml.ops.nonzero([[1, 0], [0, 2]])]
        [[0, 1], [0, 1]]
    """
    return places_of(x, "nonzero")


def _unique(x: np.ndarray, **kwargs: Any) -> Any:
    """The same in numpy."""
    kwargs.pop("sorted", None)
    size, fill, axis = kwargs.pop("size", None), kwargs.pop("fill_value", None), kwargs.get("axis")
    asked = [k for k in ("return_index", "return_inverse", "return_counts") if kwargs.get(k)]
    found = np.unique(x, equal_nan=False, **kwargs)
    parts = [found] if not asked else list(found)
    shape = x.shape if axis is None else (x.shape[axis],)
    fills = [0 if fill is None else fill, *({"return_index": 1, "return_counts": 0}.get(k) for k in asked)]
    axes = [axis or 0] + [0] * len(asked)
    for i, (part, filling, a) in enumerate(zip(parts, fills, axes, strict=True)):
        if filling is None:
            parts[i] = part.reshape(shape)
        elif size is not None:
            part = np.take(part, np.arange(min(size, part.shape[a])), a)
            widths = [(0, size - n if j == a % part.ndim else 0) for j, n in enumerate(part.shape)]
            parts[i] = np.pad(part, widths, constant_values=filling)
    return parts[0] if not asked else tuple(parts)


_DIGITS = draw(3, 5, low=0, high=4, dtype="int32")
_ALL = {"return_index": True, "return_inverse": True, "return_counts": True}
_ROWS = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]], np.int32)
_HOLES = np.array([2.0, np.nan, -1.0, np.nan, 2.0], np.float32)


@op(
    complex_parts=complex_formulas.unique,
    dtypes=("first", "index", "index", "index"),
    like=_unique, gradient=False, flat=True,
    samples=[
        sample(_MATRIX), sample(_MATRIX, **_ALL), sample(_DIGITS, size=7, fill_value=9, **_ALL), sample(_DIGITS, size=2, **_ALL),
        sample(_ROWS, axis=0, **_ALL), sample(_ROWS, axis=-1, size=4, return_counts=True), sample(_HOLES, **_ALL),
        sample(_HOLES, size=4, **_ALL), sample(np.zeros(0, np.float32), return_inverse=True),
    ],
)  # fmt: skip
def unique(
    x: TensorLike, sorted: bool = True, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False,
    axis: int | None = None, size: int | None = None, fill_value: float | None = None,
) -> Any:  # fmt: skip
    """The different elements of `x` in order; every NaN is one of its own.

    How many there are depends on values, so `x` is read back and numpy does the work: not within a program or a symbolic model.
    With `size` and without `axis` the device does it, everywhere.

    Args:
        x: Tensor.
        sorted: False allows any order; it is the same one.
        return_index: Also the place of the first of each in the flattened `x`, or along `axis`.
        return_inverse: Also which of them each element is, in the shape of `x`, or of `axis`.
        return_counts: Also how often each is there.
        axis: The axis whose slices are compared; None compares elements.
        size: How many to return: the last ones are cut off, or `fill_value` is put behind them (with index 1 and count 0, as in Keras).
        fill_value: By default 0.

    Returns:
        The elements in the dtype of `x`, or a tuple of them and of int32 tensors in the order above.

    Raises:
        ShapeError: The axis is out of range.
        ValueError: `size` is negative.
        TraceError: A program is traced, or `x` is symbolic, and `size` is missing or `axis` given.

    Source: `keras.ops.unique`.

    Example:
        >>> values, counts = pyml.ops.unique([3, 1, 2, 1], return_counts=True)
        >>> values.tolist(), counts.tolist()
        ([1, 2, 3], [2, 1, 1])
    """
    if size is not None and not hasattr(size, "__index__"):
        raise ValueError(f"unique: size must be an integer. Received: size={size!r}")
    if size is not None and size < 0:
        raise ValueError(f"unique: size must be 0 or more. Received: size={size}")
    node = as_node(x)
    asked = [name for name, wanted in (("index", return_index), ("inverse", return_inverse), ("counts", return_counts)) if wanted]
    if axis is not None:
        axis = one_axis(axis, node.ndim, "unique")
    if size is not None and axis is None and node.size:
        found = _of_a_size(Tensor(node), size, 0 if fill_value is None else fill_value)
        parts = [found["values"], *(found[name] for name in asked)]
    else:
        host = values_for_shape(x, "unique", "ops.unique(x, size=...) without an axis")
        flags = {"return_index": return_index, "return_inverse": return_inverse, "return_counts": return_counts}
        answer = _unique(host, axis=axis, size=size, fill_value=fill_value, **flags)
        arrays = [answer] if not asked else [answer[0], *(a.astype(np.int32) for a in answer[1:])]
        parts = [Tensor(as_node(np.asarray(a))) for a in arrays]
    return tuple(parts) if asked else parts[0]


def _of_a_size(x: Tensor, size: int, fill: float) -> dict[str, Tensor]:
    """The first `size` different elements, by sorting on the device."""
    n = x.size
    rows = prims.reshape(x._node, (1, n))
    order = prims.argsort(rows)
    ordered = Tensor(prims.reshape(prims.pick_rows(rows, order, whole=True), (n,)))
    begins = concatenate([Tensor(prims.full((1,), True, "bool")), ordered[1:] != ordered[:-1]])
    group = subtract(cumsum(begins.astype("int32")), 1)  # which of them each is
    numbers = arange(size, dtype="int32")
    first, behind = (Tensor(prims.search(group._node, numbers._node, right)) for right in (False, True))
    there = first < n
    place = prims.reshape(where(there, first, 0)._node, (1, size))
    values = ravel(Tensor(prims.pick_rows(prims.reshape(ordered._node, (1, n)), place)))
    return {
        "values": where(there, values, Tensor(prims.full((), fill, x.dtype))),
        "index": where(there, ravel(Tensor(prims.pick_rows(order, place))), 1),
        "inverse": reshape(Tensor(prims.PUT(prims.reshape(group._node, (1, n)), order)), x.shape),
        "counts": subtract(behind, first),
    }
