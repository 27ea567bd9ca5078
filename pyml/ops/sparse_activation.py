"""Activations that are exactly 0 for small inputs."""

from __future__ import annotations

import numpy as np

from ..core.tensor import Tensor
from ..core.types import TensorLike
from ..graph import prims
from . import families
from .activation import within
from .apply import as_float
from .arithmetic import maximum, square
from .axes import one_axis
from .core import stop_gradient
from .declare import draw, op, sample
from .logic import greater, greater_equal, where
from .reduce import min as _min
from .reduce import sum as _sum
from .running import cumsum
from .shaping import flip, moveaxis
from .sorting import sort

__all__ = ["sparse_plus", "sparse_sigmoid", "sparsemax"]


@op(family=families.EACH_FLOAT, like=lambda x: np.where(x <= -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)), samples=[sample(draw(2, 6))])
def sparse_plus(x: TensorLike) -> Tensor:
    """0 up to -1, `x` from 1 on, `(x + 1)^2 / 4` between.

    Source: Keras `ops.sparse_plus`; Martins and Astudillo 2016.

    Example:
        >>> pyml.ops.sparse_plus([-2., 0., 1.5]).numpy()
        array([0.  , 0.25, 1.5 ], dtype=float32)
    """
    x = as_float(x)
    return where(x < 1.0, square(maximum(x + 1.0, 0.0)) * 0.25, x)


@op(family=families.EACH_FLOAT, like=lambda x: np.clip((x + 1) / 2, 0, 1), samples=[sample(draw(2, 6))])
def sparse_sigmoid(x: TensorLike) -> Tensor:
    """0 up to -1, 1 from 1 on, `(x + 1) / 2` between.

    Source: Keras `ops.sparse_sigmoid`; Martins and Astudillo 2016.

    Example:
        >>> pyml.ops.sparse_sigmoid([-2., 0., 1.5]).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    return within(as_float(x) * 0.5 + 0.5, 0.0, 1.0)


def _projected(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """The same in numpy, by sorting."""
    x = np.moveaxis(x, axis, -1)
    ordered = -np.sort(-x, axis=-1)
    sums, ranks = ordered.cumsum(-1), np.arange(1, x.shape[-1] + 1)
    count = (ordered * ranks > sums - 1).sum(-1, keepdims=True)
    edge = (np.take_along_axis(sums, count - 1, -1) - 1) / count
    return np.moveaxis(np.maximum(x - edge, 0), -1, axis)


@op(like=_projected, samples=[sample(draw(3, 5)), sample(draw(4, 3), axis=0), sample(draw(2, 40, low=-0.1, high=0.1))])
def sparsemax(x: TensorLike, axis: int = -1) -> Tensor:
    """The point with numbers from 0 on that sum to 1 which is nearest to `x` along `axis`: like `softmax`, but many are 0.

    Args:
        x: Tensor.
        axis: Axis whose slices sum to 1.

    Returns:
        float32, in the shape of `x`.

    Raises:
        ShapeError: `axis` is out of range, or `x` is a scalar.

    Source: Martins and Astudillo 2016, "From Softmax to Sparsemax", algorithm 1. Keras 3.15 gives sums other than 1 where
    more than one number is left.

    Example:
        >>> pyml.ops.sparsemax([2., 1.5, -1.]).numpy()
        array([0.75, 0.25, 0.  ], dtype=float32)
    """
    x = as_float(x)
    a = one_axis(axis, x.ndim, "sparsemax")
    if x.size == 0:
        return x
    rows = moveaxis(x, a, -1)
    ordered = stop_gradient(flip(sort(rows), axis=-1))
    ranks = Tensor(prims.cast(prims.iota(rows.shape[-1]), dtype="float32")) + 1.0
    inside = greater(ordered * ranks + 1.0, cumsum(ordered, axis=-1))       # of the largest numbers, the first ones
    kept = greater_equal(rows, _min(where(inside, ordered, float("inf")), axis=-1, keepdims=True))
    count = _sum(where(kept, 1.0, 0.0), axis=-1, keepdims=True)
    edge = (_sum(where(kept, rows, 0.0), axis=-1, keepdims=True) - 1.0) / count
    return moveaxis(maximum(rows - edge, 0.0), -1, a)
