"""Inverse circular and hyperbolic functions, angles and lengths, in forms that keep their digits near the ends."""

from __future__ import annotations

from math import pi

import numpy as np

from ..core.tensor import Tensor, elementwise_nodes
from ..core.types import TensorLike
from ..graph import prims
from . import complex_formulas, families
from .apply import as_float
from .arithmetic import absolute, divide, multiply, square
from .declare import draw, op, sample
from .elementary import arctan, log, log1p, sin, sqrt
from .logic import equal, isinf, isnan, where

__all__ = [
    "arccos", "arccosh", "arcsin", "arcsinh", "arctan2", "arctanh", "deg2rad", "hypot", "rad2deg", "sinc",
]  # fmt: skip


def _size(x: Tensor) -> Tensor:
    """`|x|` whose slope at 0 is 1, so that odd functions made of it keep theirs."""
    return where(x < 0.0, -x, x)


def _pair(x1: TensorLike, x2: TensorLike, what: str) -> tuple[Tensor, Tensor]:
    a, b = elementwise_nodes(x1, x2, dtype="float32", what=what)
    return Tensor(a), Tensor(b)


@op(
    family=families.EACH_FLOAT,
    complex_parts=complex_formulas.turned(complex_formulas.inverse_hyperbolic_sine),
    like="numpy.arcsin", samples=[sample(draw(2, 3, low=-0.9, high=0.9))],
)
def arcsin(x: TensorLike) -> Tensor:
    """The inverse sine in radians, between -pi/2 and pi/2; NaN outside -1 to 1.

    Example:
        >>> pyml.ops.arcsin([0., 1.]).numpy().round(4)
        array([0.    , 1.5708], dtype=float32)
    """
    x = as_float(x)
    return 2.0 * arctan(x / (1.0 + sqrt(1.0 - x) * sqrt(1.0 + x)))  # two roots, so that the slope at the ends is infinite


@op(
    family=families.EACH_FLOAT,
    complex_parts=complex_formulas.inverse_cosine, like="numpy.arccos", samples=[sample(draw(2, 3, low=-0.9, high=0.9))],
)
def arccos(x: TensorLike) -> Tensor:
    """The inverse cosine in radians, between 0 and pi; NaN outside -1 to 1.

    Example:
        >>> pyml.ops.arccos([0., 1.]).numpy().round(4)
        array([1.5708, 0.    ], dtype=float32)
    """
    x = as_float(x)
    size = _size(x)
    angle = 2.0 * arctan(sqrt(1.0 - size) / sqrt(1.0 + size))
    return where(x < 0.0, pi - angle, angle)


@op(
    family=families.EACH_FLOAT,
    complex_parts=complex_formulas.inverse_hyperbolic_sine,
    like="numpy.arcsinh", samples=[sample(draw(2, 3)), sample(draw(3, low=1e11, high=3e38))],
)
def arcsinh(x: TensorLike) -> Tensor:
    """The inverse hyperbolic sine.

    Example:
        >>> pyml.ops.arcsinh([0., 1.]).numpy().round(4)
        array([0.    , 0.8814], dtype=float32)
    """
    x = as_float(x)
    size = _size(x)
    far = size > 1e10  # where squares and sums leave float32
    near = where(far, 1.0, size)
    found = where(far, log(where(far, size, 1.0)) + 0.6931471805599453, log1p(near * (1.0 + near / (1.0 + hypot(1.0, near)))))
    return where(x < 0.0, -found, found)


@op(
    family=families.EACH_FLOAT,
    complex_parts=complex_formulas.inverse_hyperbolic_cosine, like="numpy.arccosh", samples=[sample(draw(2, 3, low=1.1, high=4))],
)
def arccosh(x: TensorLike) -> Tensor:
    """The inverse hyperbolic cosine; NaN below 1.

    Example:
        >>> pyml.ops.arccosh([1., 2.]).numpy().round(4)
        array([0.   , 1.317], dtype=float32)
    """
    x = as_float(x)
    far = x > 1e10  # where sums leave float32
    above = where(far, 1.0, x - 1.0)
    return where(far, log(where(far, x, 1.0)) + 0.6931471805599453, log1p(above + sqrt(above) * sqrt(above + 2.0)))


@op(
    family=families.EACH_FLOAT,
    complex_parts=complex_formulas.inverse_hyperbolic_tangent, like="numpy.arctanh", samples=[sample(draw(2, 3, low=-0.9, high=0.9))],
)
def arctanh(x: TensorLike) -> Tensor:
    """The inverse hyperbolic tangent; NaN outside -1 to 1.

    Example:
        >>> pyml.ops.arctanh([0., 0.5]).numpy().round(4)
        array([0.    , 0.5493], dtype=float32)
    """
    x = as_float(x)
    return 0.5 * (log1p(x) - log1p(-x))


def _quotient(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Whether `a > b`, the larger of two numbers from 0, and the smaller divided by it: from 0 to 1, 0 of two zeros."""
    swap = a > b
    small, large = where(swap, b, a), where(swap, a, b)
    return swap, large, small / where(equal(large, 0.0), 1e37, large)  # not 1: beside two zeros the slope is 0


@op(family=families.PAIR_FLOAT, counted=True, like="numpy.hypot", samples=[sample(draw(2, 3), draw(2, 3)), sample(draw(2, 1), draw(3))])
def hypot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`sqrt(x1**2 + x2**2)`, without overflow on the way; shapes broadcast.

    Example:
        >>> pyml.ops.hypot([3., 5.], [4., 12.]).numpy()
        array([ 5., 13.], dtype=float32)
    """
    a, b = _pair(x1, x2, "hypot")
    _, large, ratio = _quotient(_size(a), _size(b))
    found = large * sqrt(1.0 + where(isinf(large), 0.0, ratio) ** 2)
    return where(isinf(a), float("inf"), found)  # beside a NaN too


@op(family=families.PAIR_FLOAT, counted=True, like="numpy.arctan2", samples=[sample(draw(2, 3), draw(2, 3)), sample(draw(2, 1), draw(3))])
def arctan2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The angle of the point `(x2, x1)` in radians, between -pi and pi.

    Example:
        >>> pyml.ops.arctan2([1., 0., -1.], [1., -1., -1.]).numpy().round(4)
        array([ 0.7854,  3.1416, -2.3562], dtype=float32)
    """
    y, x = _pair(x1, x2, "arctan2")
    below, left = (Tensor(prims.BITCAST(v._node, dtype="int32")) < 0 for v in (y, x))  # of -0.0 too
    high, wide = where(below, -y, y), _size(x)
    swap, large, ratio = _quotient(high, wide)
    both = isinf(high) & isinf(wide)
    angle = where(both, pi / 4, arctan(where(isinf(large) & ~isnan(high), 0.0, ratio)))
    angle = where(swap, pi / 2 - angle, angle)
    angle = where(left, pi - angle, angle)
    return where(below, -angle, angle)


@op(family=families.EACH_FLOAT, like="numpy.deg2rad", samples=[sample(draw(2, 3, low=-360, high=360))])
def deg2rad(x: TensorLike) -> Tensor:
    """Degrees to radians.

    Example:
        >>> pyml.ops.deg2rad([0., 180.]).numpy().round(4)
        array([0.    , 3.1416], dtype=float32)
    """
    return multiply(as_float(x), pi / 180)


@op(family=families.EACH_FLOAT, like="numpy.rad2deg", samples=[sample(draw(2, 3))])
def rad2deg(x: TensorLike) -> Tensor:
    """Radians to degrees.

    Example:
        >>> pyml.ops.rad2deg([0., np.pi]).numpy().round(2)
        array([  0., 180.], dtype=float32)
    """
    return multiply(as_float(x), 180 / pi)


@op(family=families.EACH_FLOAT, like="numpy.sinc", samples=[sample(draw(2, 3))])
def sinc(x: TensorLike) -> Tensor:
    """`sin(pi x) / (pi x)`, and 1 at 0.

    Example:
        >>> pyml.ops.sinc([0., 0.5]).numpy().round(4)
        array([1.    , 0.6366], dtype=float32)
    """
    x = as_float(x)
    near = absolute(x) < 0.1
    angle = multiply(where(near, 1.0, x), np.pi)
    q = square(multiply(where(near, x, 0.0), np.pi))
    series = 1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0))  # whose slope keeps its digits, which divided ones do not
    return where(near, series, divide(sin(angle), angle))
