"""The largest elements of the last axis."""

from __future__ import annotations

from math import prod

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from .declare import draw, op, sample

__all__ = ["top_k"]

_FEW = 32  # of so many the gradient looks at each for every element
_NEITHER = np.array([[1.0, np.nan, 3.0, 3.0, -0.0], [0.0, -np.inf, np.inf, np.nan, np.nan]], np.float32)


def _largest(x: np.ndarray, k: int, sorted: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """The same in numpy: a NaN is larger than all numbers, the first of equals comes first."""
    rank = np.where(np.isnan(x), np.inf, x.astype(np.float64))
    order = np.lexsort((np.broadcast_to(np.arange(x.shape[-1]), x.shape), -rank, ~np.isnan(x)), axis=-1)[..., :k]
    return np.take_along_axis(x, order, -1), order


@op(
    dtypes=("first", "index"),
    like=_largest,
    samples=[
        sample(draw(3, 5), 2), sample(draw(7), k=7), sample(draw(2, 2, 90), 40, sorted=False), sample(draw(0, 3), 2), sample(_NEITHER, 3),
        sample(draw(2, 40, low=-3, high=3, dtype="int32"), 5), sample(draw(4), 0),
    ],
)  # fmt: skip
def top_k(x: TensorLike, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """The `k` largest elements of the last axis and their indices, the largest first, equal ones in their order.

    Args:
        x: Tensor; a NaN is larger than all numbers.
        k: How many, up to the size of the last axis.
        sorted: False allows any order; it is the same one.

    Returns:
        Values in the dtype of `x` and int32 indices, both `(..., k)`. Gradients of the values go to the elements they are.

    Raises:
        ShapeError: `x` is a scalar.
        ValueError: The last axis has less than `k` elements.

    Source: `keras.ops.top_k`.

    Example:
        >>> values, indices = pyml.ops.top_k([5, 2, 7, 1, 9], k=2)
        >>> values.tolist(), indices.tolist()
        ([9, 7], [4, 2])
    """
    node = as_node(x)
    if not node.ndim:
        raise ShapeError("top_k: x must have an axis. Received: a scalar")
    n = node.shape[-1]
    if not 0 <= k <= n:
        raise ValueError(f"top_k: k must be from 0 to {n}, the size of the last axis. Received: k={k} and shape {node.shape}")
    shape = (*node.shape[:-1], int(k))
    if not prod(shape):
        return Tensor(prims.full(shape, 0, node.dtype)), Tensor(prims.full(shape, 0, "int32"))
    rows = prims.reshape(node, (prod(node.shape[:-1]), n))
    places = prims.top_places(rows, int(k))
    if k <= _FEW:
        values = prims.pick_rows(rows, places)
    else:
        starts = prims.broadcast_to(prims.reshape(prims.iota(rows.shape[0]), (rows.shape[0], 1)), places.shape) * n
        values = prims.gather(prims.reshape(rows, (rows.size,)), prims.add(places, starts))
    return Tensor(prims.reshape(values, shape)), Tensor(prims.reshape(places, shape))
