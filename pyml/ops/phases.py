"""Complex numbers by size and direction."""

from __future__ import annotations

from math import pi

import numpy as np

from ..core.tensor import Tensor
from ..core.types import TensorLike
from . import families
from .apply import as_float
from .declare import draw, op, sample
from .logic import isnan, where

__all__ = [
    "angle",
]  # fmt: skip


@op(
    family=families.EACH_FLOAT,
    complex_parts=lambda m, z: m.arctan2(z.imag, z.real),
    like=np.angle, gradient=False, samples=[sample(draw(2, 3)), sample(draw(4, low=-3, high=3, dtype="int32"))],
)
def angle(x: TensorLike) -> Tensor:
    """The direction of complex numbers in radians, from -pi to pi; of real ones 0, or pi where they are negative.

    Source: `keras.ops.angle`.

    Example:
        >>> pyml.ops.angle(np.array([1j, -2.])).numpy().round(4)
        array([1.5708, 3.1416], dtype=float32)
    """
    real = as_float(x)
    return where(isnan(real), real, where(real < 0.0, pi, 0.0))
