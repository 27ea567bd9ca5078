"""Distances between all pairs of two collections of vectors."""

from __future__ import annotations

import numpy as np

from ..core.tensor import Tensor
from ..core.types import TensorLike
from ..errors import ShapeError
from .apply import as_float
from .arithmetic import square
from .declare import draw, op, sample
from .elementary import length_of
from .reduce import sum as _sum
from .shaping import expand_dims

__all__ = ["cdist"]


@op(
    like=lambda x, y: np.linalg.norm(x[..., :, None, :] - y[..., None, :, :], axis=-1),
    samples=[sample(draw(3, 2), draw(4, 2)), sample(draw(2, 3, 2), draw(1, 4, 2)), sample(draw(0, 2), draw(4, 2))],
)
def cdist(x: TensorLike, y: TensorLike) -> Tensor:
    """The Euclidean distance of each vector of `x` from each one of `y`.

    Args:
        x: `(..., m, size)`.
        y: `(..., n, size)`; the axes before broadcast.

    Returns:
        float32 `(..., m, n)`. The gradient of a distance of 0 is 0.

    Raises:
        ShapeError: An input has fewer than two axes, or the vectors differ in size.

    Source: Keras `ops.cdist`.

    Example:
        >>> pyml.ops.cdist([[0., 0.], [3., 4.]], [[0., 0.]]).numpy()
        array([[0.],
               [5.]], dtype=float32)
    """
    a, b = as_float(x), as_float(y)
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise ShapeError(f"cdist: expected (..., m, size) and (..., n, size). Received: {a.shape} and {b.shape}")
    return length_of(_sum(square(expand_dims(a, -2) - expand_dims(b, -3)), axis=-1))
