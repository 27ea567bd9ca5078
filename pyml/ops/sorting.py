"""Elements of an axis in order, and the order itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..graph import prims
from ..graph.node import Node
from .axes import one_axis
from .declare import draw, op, sample
from .shaping import moveaxis, ravel

__all__ = [
    "argpartition", "argsort", "sort",
]  # fmt: skip

_TIES = np.array([[2.0, np.nan, -0.0, 0.0], [np.inf, 1.0, 1.0, -np.inf]], np.float32)
_LINES = [sample(draw(3, 5)), sample(draw(3, 2, 4), axis=1), sample(draw(2, 3), axis=None), sample(draw(0, 3)), sample(draw(2, 0))]
_WHOLE = [sample(draw(2, 9, low=-4, high=4, dtype="int32"), axis=-1), sample(draw(7, low=0, high=2, dtype="bool"))]


def along(x: TensorLike, axis: int | None, what: str, rows: Callable[[Node], Node]) -> Tensor:
    """`rows`, which takes a matrix and gives one of the same shape, on the lines of `x` along an axis; None is the flattened x."""
    t = Tensor(as_node(x))
    if axis is None or (t.ndim == 0 and axis in (0, -1)):
        return along(ravel(t), 0, what, rows) if axis is None else Tensor(prims.reshape(rows(prims.reshape(t._node, (1, 1))), ()))
    a = one_axis(axis, t.ndim, what)
    moved = moveaxis(t, a, -1)
    if not t.size:
        return Tensor(prims.full(t.shape, 0, rows(prims.full((1, 1), 0, t.dtype)).dtype))
    found = rows(prims.reshape(moved._node, (prod(moved.shape[:-1]), moved.shape[-1])))
    return moveaxis(Tensor(prims.reshape(found, moved.shape)), -1, a)


@op(like="numpy.sort", samples=[*_LINES, *_WHOLE, sample(_TIES)])
def sort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """The elements along `axis` from the smallest to the largest, a NaN behind all numbers; in the shape and dtype of `x`.

    Gradients go back to where the elements came from.

    Args:
        x: Tensor.
        axis: The axis; None sorts the flattened tensor.

    Returns:
        A tensor of the dtype of `x`, in its shape; without `axis` it has one axis.

    Raises:
        ShapeError: The axis is out of range.

    Source: short rows by counting or Batcher's network, others by radix sort (Satish, Harris and Garland 2009).

    Example:
        >>> pyml.ops.sort([[3, 1, 2], [1, 5, 0]]).numpy()
        array([[1, 2, 3],
               [0, 1, 5]], dtype=int32)
    """
    return along(x, axis, "sort", prims.sort_rows)


def _order(x: np.ndarray, axis: int | None = -1) -> np.ndarray:
    """The same in numpy."""
    return np.argsort(x, axis=axis, kind="stable")


@op(dtypes="index", like=_order, gradient=False, samples=[*_LINES, *_WHOLE, sample(_TIES)])
def argsort(x: TensorLike, axis: int | None = -1) -> Tensor:
    """The indices that `sort` takes the elements from: int32, in the shape of `x`. Equal elements keep their order.

    Args:
        x: Tensor.
        axis: The axis; None sorts the flattened tensor.

    Returns:
        int32, as large as `x`; without `axis` with one axis.

    Raises:
        ShapeError: The axis is out of range.

    Source: `keras.ops.argsort`.

    Example:
        >>> pyml.ops.argsort([3, 1, 2, 1]).numpy()
        array([1, 3, 2, 0], dtype=int32)
    """
    return along(x, axis, "argsort", prims.argsort)


def _partition(x: np.ndarray, kth: int, axis: int | None = -1) -> np.ndarray:
    """One of numpy's answers: sorted altogether."""
    return _order(x, axis)


@op(
    dtypes="index",
    like=_partition, gradient=False, samples=[sample(draw(3, 5), 2), sample(draw(4, 3), kth=-1, axis=0), sample(draw(2, 3), 4, axis=None)],
)
def argpartition(x: TensorLike, kth: int | Sequence[int], axis: int | None = -1) -> Tensor:
    """Indices in an order in which element `kth` stands where sorting would put it, smaller ones before it: int32.

    The order on both sides is free; here it is that of `argsort`.

    Args:
        x: Tensor.
        kth: A place in the order, or several; negative ones count from the end.
        axis: The axis; None means the flattened tensor.

    Returns:
        int32, as large as `x`; without `axis` with one axis.

    Raises:
        ValueError: `kth` is out of range.
        ShapeError: The axis is out of range.

    Source: `keras.ops.argpartition`.

    Example:
        >>> pyml.ops.argpartition([7, 1, 5], 0).numpy()
        array([1, 2, 0], dtype=int32)
    """
    node = as_node(x)
    n = node.size if axis is None else node.shape[one_axis(axis, node.ndim, "argpartition")]
    for k in kth if isinstance(kth, Sequence) else (kth,):
        if not -n <= k < n:
            raise ValueError(f"argpartition: kth must be from {-n} to {n - 1} for {n} elements. Received: kth={kth}")
    return along(x, axis, "argpartition", prims.argsort)
