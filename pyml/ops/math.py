"""Functions that Keras keeps beside numpy's: `erf`, `rsqrt`, `logsumexp`, `in_top_k`."""

from __future__ import annotations

from math import erf as erf_of_number
from typing import Any

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import Axis, TensorLike
from ..errors import ShapeError
from ..graph import prims
from . import families
from .apply import as_float, floating
from .arithmetic import add, subtract
from .axes import standardize_axis
from .declare import draw, op, sample
from .elementary import exp, log
from .later import later
from .logic import isfinite, where
from .positions import take_along_axis
from .reduce import max as _max
from .reduce import sum as _sum
from .shaping import reshape

__all__ = [
    "erf", "in_top_k", "logsumexp", "rsqrt",
]  # fmt: skip

__getattr__, __dir__ = later(
    __name__, "scattering", "signal", "special_functions", "largest", "positive_determinants", "distances", "complex_numbers",
)  # fmt: skip


@op(family=families.EACH_FLOAT, like=lambda x: 1 / np.sqrt(x), samples=[sample(draw(2, 3, low=0.2))])
def rsqrt(x: TensorLike) -> Tensor:
    """`1 / sqrt(x)`.

    Source: `keras.ops.rsqrt`.

    Example:
        >>> pyml.ops.rsqrt([4., 0.25]).numpy()
        array([0.5, 2. ], dtype=float32)
    """
    return floating(prims.rsqrt, x)


@op(family=families.EACH_FLOAT, like=np.vectorize(erf_of_number, otypes=[float]), samples=[sample(draw(2, 3))])
def erf(x: TensorLike) -> Tensor:
    """The error function.

    Source: `keras.ops.erf`.

    Example:
        >>> pyml.ops.erf([0., 1.]).numpy().round(4)
        array([0.    , 0.8427], dtype=float32)
    """
    return floating(prims.erf, x)


def _among_first(targets: np.ndarray, predictions: np.ndarray, k: int) -> np.ndarray:
    """The same in numpy."""
    return np.array([(row > row[t]).sum() < k for t, row in zip(targets, predictions, strict=True)])


@op(like=_among_first, gradient=False, samples=[sample(draw(4, low=0, high=5, dtype="int32"), draw(4, 5), 2)])
def in_top_k(targets: TensorLike, predictions: TensorLike, k: int) -> Tensor:
    """Whether the score of the target is among the `k` highest of its row: bool `(batch,)`; equal scores are all among them.

    Args:
        targets: Integers `(batch,)`, the class of each row.
        predictions: Scores `(batch, classes)`.
        k: How many.

    Returns:
        bool `(batch,)`.

    Raises:
        ShapeError: The shapes do not fit.

    Source: `keras.ops.in_top_k`.

    Example:
        >>> pyml.ops.in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], k=1).numpy()
        array([ True, False])
    """
    classes, scores = as_node(targets), as_float(predictions)
    if scores.ndim != 2 or classes.shape != scores.shape[:1]:
        raise ShapeError(f"in_top_k: predictions need the shape (batch, classes) and targets (batch,). "
                         f"Received: {scores.shape} and {classes.shape}")
    own = take_along_axis(scores, reshape(Tensor(classes), (-1, 1)), axis=1)
    inside = (Tensor(classes) >= 0) & (Tensor(classes) < scores.shape[1])
    return (_sum((scores > own).astype("int32"), axis=1) < k) & inside & isfinite(reshape(own, classes.shape))


def _logsumexp(x: np.ndarray, **kwargs: Any) -> np.ndarray:
    """The same in numpy, for small numbers."""
    return np.log(np.sum(np.exp(x), **kwargs))


@op(
    family=families.OVER_AXES_FLOAT,
    like=_logsumexp, samples=[sample(draw(3, 4)), sample(draw(3, 4, 2), axis=(0, -1)), sample(draw(3, 4), axis=1, keepdims=True)],
)
def logsumexp(x: TensorLike, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """`log(sum(exp(x)))` over `axis` without overflow.

    Source: Blanchard et al. 2021, "Accurately computing the log-sum-exp and softmax functions".

    Example:
        >>> round(pyml.ops.logsumexp([100., 100.]).item(), 3)
        100.693
    """
    if 0 in as_node(x).shape:  # nothing is added up: minus infinity
        return log(_sum(exp(x), axis, keepdims=keepdims))
    top = _max(x, axis, keepdims=True)
    top = Tensor(prims.stop_gradient(where(isfinite(top), top, 0.0)._node))
    out = add(log(_sum(exp(subtract(x, top)), axis, keepdims=True)), top)
    if keepdims:
        return out
    axes = standardize_axis(axis, out.ndim, "logsumexp")
    return reshape(out, tuple(n for i, n in enumerate(out.shape) if i not in axes))
