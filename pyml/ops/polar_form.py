"""Complex numbers from size and direction."""

from __future__ import annotations

import numpy as np

from ..core.complex_tensor import ComplexTensor
from ..core.types import TensorLike
from .apply import as_float
from .declare import op, sample
from .elementary import cos, sin

__all__ = [
    "polar",
]  # fmt: skip


@op(like=lambda abs_, angle: abs_ * np.exp(1j * angle), gradient=False,
    samples=[sample(np.array([1.0, 2.0], np.float32), np.array([0.5, -3.0], np.float32))])  # fmt: skip
def polar(abs_: TensorLike, angle: TensorLike) -> ComplexTensor:
    """The complex numbers of these sizes and directions, `abs_ * exp(i angle)`: a `ComplexTensor`, complex64.

    Args:
        abs_: Sizes.
        angle: Directions in radians; the shapes broadcast.

    Returns:
        A `ComplexTensor`, complex64, in the shape that both broadcast to.

    Raises:
        ShapeError: The shapes do not broadcast.

    Source: `keras.ops.polar`.

    Example:
        >>> pyml.ops.polar([1., 2.], [0., np.pi]).numpy().round(4)
        array([ 1.+0.j, -2.-0.j], dtype=complex64)
    """
    size, direction = as_float(abs_), as_float(angle)
    return ComplexTensor(size * cos(direction), size * sin(direction))
