"""Where things are: elements by their positions, positions by their values."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from ..core.tensor import Tensor, as_node, broadcast_shapes, elementwise_nodes
from ..core.types import Shape, TensorLike
from ..dtypes import promote
from ..errors import ShapeError
from ..graph import prims
from ..graph.sizes import shape_of
from .arithmetic import floor_divide, mod
from .axes import one_axis
from .declare import draw, op, sample
from .joining import check_in_range, take
from .logic import where
from .shaping import moveaxis, ravel

__all__ = [
    "digitize", "searchsorted", "select", "take_along_axis", "unravel_index",
]  # fmt: skip

_SORTED = np.array([-1.0, 0.0, 0.0, 0.5, 1.5], np.float32)


@op(
    complex_parts="each",
    dtypes="first",
    like="numpy.take_along_axis",
    samples=[
        sample(draw(3, 4), draw(3, 2, low=-4, high=4, dtype="int32"), 1),
        sample(draw(3, 4), draw(5, 4, low=0, high=3, dtype="int32"), axis=0),
        sample(draw(2, 3, 2), draw(2, 1, 1, low=0, high=3, dtype="int32"), axis=-2),
        sample(draw(2, 3), draw(4, low=-6, high=6, dtype="int32"), None),
    ],
)
def take_along_axis(x: TensorLike, indices: TensorLike, axis: int | None = None) -> Tensor:
    """For each line of `x` along `axis` the elements at its own `indices`.

    Args:
        x: Tensor.
        indices: Integers with as many axes as `x`, whose other sizes broadcast with those of `x`; negative ones count from the end.
        axis: The axis; None takes from the flattened `x` by a vector of indices.

    Returns:
        A tensor of the dtype of `x`, in the shape of `indices`, its other axes broadcast with those of `x`.

    Raises:
        IndexError: A number, list or array of `indices` holds one that is out of range; those that a device computed give zeros.
        ShapeError: The shapes do not fit, or the axis is out of range.

    Example:
        >>> pyml.ops.take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1).numpy()
        array([[20],
               [30]], dtype=int32)
    """
    if axis is None:
        line = ravel(x)
        check_in_range(indices, line.size, "take_along_axis")
        return take(line, ravel(indices))
    node, where_ = as_node(x), as_node(indices)
    a = one_axis(axis, node.ndim, "take_along_axis")
    if where_.ndim != node.ndim:
        raise ShapeError(f"take_along_axis: indices need as many axes as x. Received: shapes {where_.shape} and {node.shape}")
    check_in_range(indices, node.shape[a], "take_along_axis")
    x, places = moveaxis(Tensor(node), a, -1), moveaxis(Tensor(prims.cast(where_, dtype="int32")), a, -1)
    lead = broadcast_shapes(x.shape[:-1], places.shape[:-1], what="take_along_axis")
    n, lines = x.shape[-1], prod(lead)
    flat = prims.reshape(prims.broadcast_to(x._node, (*lead, n)), (lines * n,))
    spread = Tensor(prims.broadcast_to(places._node, (*lead, places.shape[-1])))
    spread = where(spread < 0, spread + n, spread)
    outside = (spread < 0) | (spread >= n)
    first = Tensor(prims.reshape(prims.iota(lines), (*lead, 1))) * n
    found = prims.gather(flat, where(outside, -1, first + spread)._node)
    return moveaxis(Tensor(found), -1, a)


def _search(edges: Tensor, values: TensorLike, right: bool) -> Tensor:
    """How many of the increasing `edges` lie before each value, by bisection."""
    a, b = as_node(edges), as_node(values)
    dtype = promote(a.dtype, b.dtype)
    if not edges.size:
        return Tensor(prims.full(b.shape, 0, "int32"))
    return Tensor(prims.search(prims.cast(a, dtype=dtype), prims.cast(b, dtype=dtype), right))


@op(
    dtypes="index",
    like="numpy.searchsorted",
    gradient=False,
    samples=[sample(_SORTED, draw(2, 3)), sample(_SORTED, [0.0, 0.5, 9.0], side="right"), sample([1, 3, 5], 3), sample(draw(0), draw(2))],
)
def searchsorted(sorted_sequence: TensorLike, values: TensorLike, side: str = "left") -> Tensor:
    """Where in an increasing vector each value would stand: int32, in the shape of `values`.

    Args:
        sorted_sequence: The vector.
        values: What is looked for.
        side: `"left"`: before its equals; `"right"`: behind them.

    Returns:
        int32, in the shape of `values`.

    Raises:
        ShapeError: `sorted_sequence` is not a vector.
        ValueError: `side` is another.

    Example:
        >>> pyml.ops.searchsorted([1, 3, 5], [0, 3, 9]).numpy()
        array([0, 1, 3], dtype=int32)
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right'. Received: side={side!r}")
    edges = Tensor(as_node(sorted_sequence))
    if edges.ndim != 1:
        raise ShapeError(f"searchsorted: sorted_sequence must be a vector. Received: shape {edges.shape}")
    return _search(edges, values, side == "right")


@op(
    dtypes="index",
    like="numpy.digitize",
    gradient=False,
    samples=[sample(draw(2, 3), _SORTED), sample(draw(4, low=-3, high=6, dtype="int32"), [1, 3]), sample(draw(2), draw(0))],
)
def digitize(x: TensorLike, bins: TensorLike) -> Tensor:
    """The number of the bin that each element of `x` falls into: int32, in the shape of `x`.

    Args:
        x: Tensor.
        bins: The increasing edges, a vector; bin 0 lies below the first, an edge belongs to the bin above it.

    Returns:
        int32, in the shape of `x`.

    Raises:
        ShapeError: `bins` is not a vector.

    Example:
        >>> pyml.ops.digitize([0., 1., 9.], [1., 5.]).numpy()
        array([0, 1, 2], dtype=int32)
    """
    edges = Tensor(as_node(bins))
    if edges.ndim != 1:
        raise ShapeError(f"digitize: bins must be a vector. Received: shape {edges.shape}")
    return _search(edges, x, True)


@op(
    like="numpy.unravel_index",
    gradient=False,
    samples=[sample(draw(4, low=0, high=24, dtype="int32"), (2, 3, 4)), sample(5, (2, 3)), sample([[0, 3]], (4,))],
)
def unravel_index(indices: TensorLike, shape: Shape) -> tuple[Tensor, ...]:
    """Positions in a flattened tensor as positions along each axis of its `shape`.

    Args:
        indices: Integers from 0; negative ones count from the end.
        shape: The sizes.

    Returns:
        An int32 tensor for each axis, in the shape of `indices`.

    Raises:
        IndexError: A number, list or array of `indices` holds one that is out of range.
        ShapeError: `shape` has a negative size.

    Example:
        >>> [axis.tolist() for axis in pyml.ops.unravel_index([1, 5], (2, 3))]
        [[0, 1], [1, 2]]
    """
    sizes = shape_of(shape, "unravel_index")
    check_in_range(indices, prod(sizes), "unravel_index")
    rest = Tensor(prims.cast(as_node(indices), dtype="int32"))
    rest = where(rest < 0, rest + prod(sizes), rest)
    out = []
    for n in reversed(sizes):
        out.append(mod(rest, n))
        rest = floor_divide(rest, n)
    return tuple(reversed(out))


_TRUTHS = [draw(2, 3, low=0, high=2, dtype="bool"), draw(2, 3, low=0, high=2, dtype="bool")]


@op(like="numpy.select", samples=[sample(_TRUTHS, [draw(2, 3), draw(2, 3)]), sample(_TRUTHS, [draw(3), draw(2, 1)], 1.5)])
def select(condlist: Sequence[TensorLike], choicelist: Sequence[TensorLike], default: TensorLike = 0) -> Tensor:
    """In each place the element of the first choice whose condition holds there.

    Args:
        condlist: Booleans.
        choicelist: As many tensors; all broadcast.
        default: Where no condition holds.

    Returns:
        A tensor of the common dtype of the choices and `default`, in the shape that all broadcast to.

    Raises:
        ValueError: There are none, or not as many choices as conditions.
        ShapeError: The shapes do not broadcast.

    Example:
        >>> pyml.ops.select([[True, False], [True, True]], [[1, 2], [3, 4]]).numpy()
        array([1, 4], dtype=int32)
    """
    if not len(condlist) == len(choicelist) > 0:
        raise ValueError(
            "select: condlist and choicelist must have the same number of elements, at least one. "
            f"Received: {len(condlist)} and {len(choicelist)}"
        )
    *choices, found = (Tensor(n) for n in elementwise_nodes(*choicelist, default, what="select"))
    for condition, choice in zip(reversed(condlist), reversed(choices), strict=True):
        found = where(condition, choice, found)
    return found
