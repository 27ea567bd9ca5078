"""The error function's complement and inverse."""

from __future__ import annotations

from math import erfc as erfc_of_number
from math import sqrt as sqrt_of_number
from statistics import NormalDist

import numpy as np

from ..core.tensor import Tensor
from ..core.types import TensorLike
from . import families
from .apply import as_float
from .arithmetic import abs as _abs
from .declare import draw, op, sample
from .elementary import exp, log1p, sqrt
from .logic import equal, where

__all__ = [
    "erfc", "erfinv",
]  # fmt: skip

_TAIL = (-1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223, 0.17087277)
_MIDDLE = (1.50140941, 0.246640727, -0.00417768164, -0.00125372503,
           0.00021858087, -4.39150654e-06, -3.5233877e-06, 3.43273939e-07, 2.81022636e-08)  # fmt: skip
_ENDS = (2.83297682, 1.00167406, 0.00943887047, -0.0076224613,
         0.00573950773, -0.00367342844, 0.00134934322, 0.000100950558, -0.000200214257)  # fmt: skip


def _polynomial(weights: tuple[float, ...], x: Tensor) -> Tensor:
    total = x * weights[-1] + weights[-2]
    for weight in weights[-3::-1]:
        total = total * x + weight
    return total


@op(
    family=families.EACH_FLOAT,
    like=np.vectorize(erfc_of_number, otypes=[float]), samples=[sample(draw(2, 3)), sample(draw(4, low=2, high=5))],
)
def erfc(x: TensorLike) -> Tensor:
    """`1 - erf(x)`, with its digits where that is next to nothing.

    Source: Press et al. 1992, "Numerical Recipes", 6.2.

    Example:
        >>> pyml.ops.erfc([0., 1.]).numpy().round(4)
        array([1.    , 0.1573], dtype=float32)
    """
    x = as_float(x)
    below = x < 0.0
    z = where(below, -x, x)
    t = 1.0 / (1.0 + 0.5 * z)
    tail = t * exp(_polynomial(_TAIL, t) - z * z)
    return where(below, 2.0 - tail, tail)


_inverse = np.vectorize(lambda x: NormalDist().inv_cdf((x + 1) / 2) / sqrt_of_number(2), otypes=[float])


@op(
    family=families.EACH_FLOAT,
    like=_inverse, samples=[sample(draw(2, 3, low=-0.9, high=0.9)), sample(draw(4, low=0.99, high=0.9999))], tolerance=1e-4,
)
def erfinv(x: TensorLike) -> Tensor:
    """The number whose `erf` is `x`: infinite at -1 and 1, NaN beyond.

    Source: Giles 2010, "Approximating the erfinv function".

    Example:
        >>> pyml.ops.erfinv([0., 0.5]).numpy().round(4)
        array([0.    , 0.4769], dtype=float32)
    """
    x = as_float(x)
    end = equal(_abs(x), 1.0)
    inside = where(end, 0.0, x)
    w = -(log1p(-inside) + log1p(inside))
    far = w >= 5.0
    near = _polynomial(_MIDDLE, where(far, 0.0, w) - 2.5)
    ends = _polynomial(_ENDS, sqrt(where(far, w, 9.0)) - 3.0)
    return where(end, where(end, x, 1.0) * float("inf"), where(far, ends, near) * inside)
