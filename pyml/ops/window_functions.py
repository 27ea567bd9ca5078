"""Windows for spectra, one vector each, and the Bessel function that one of them needs."""

from __future__ import annotations

from math import pi

import numpy as np

from ..core.tensor import Tensor
from ..core.types import TensorLike
from ..graph.sizes import count_of
from . import families
from .apply import as_float
from .arithmetic import abs as _abs
from .arithmetic import divide
from .creation import arange
from .declare import draw, op, sample
from .elementary import cos, exp, sqrt
from .logic import where

__all__ = [
    "bartlett", "blackman", "hamming", "hanning", "i0", "kaiser",
]  # fmt: skip

_LENGTHS = [sample(7), sample(4), sample(1), sample(0)]
# Abramowitz and Stegun 1964, 9.8.1 and 9.8.2: errors below 2e-7 of the value
_NEAR = (1.0, 3.5156229, 3.0899424, 1.2067492, 0.2659732, 0.0360768, 0.0045813)
_FAR = (0.39894228, 0.01328592, 0.00225319, -0.00157565, 0.00916281, -0.02057706, 0.02635537, -0.01647633, 0.00392377)


def _places(x: int, what: str) -> tuple[Tensor, int]:
    """`0, 1, …` as many as the window has, and the number of steps between its ends."""
    n = count_of(x, what, "x")
    return arange(n, dtype="float32"), max(1, n - 1)


def _cosines(x: int, weights: tuple[float, ...], what: str) -> Tensor:
    """The sum of cosines of 0, 1, … turns over the window; a window of one place is 1."""
    places, steps = _places(x, what)
    if places.size == 1:
        return places + 1.0
    total = places * 0.0 + weights[0]
    for turns, weight in enumerate(weights[1:], 1):
        total = total + weight * cos(places * (2 * pi * turns / steps))
    return total


@op(family=families.WINDOW, like="numpy.bartlett", samples=_LENGTHS)
def bartlett(x: int) -> Tensor:
    """Bartlett's window of `x` places, a triangle from 0 to 1 and back: float32 `(x,)`.

    Source: Harris 1978, "On the Use of Windows for Harmonic Analysis with the Discrete Fourier Transform".

    Example:
        >>> pyml.ops.bartlett(5).numpy()
        array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    places, steps = _places(x, "bartlett")
    return places + 1.0 if places.size == 1 else 1.0 - _abs(places * (2.0 / steps) - 1.0)


@op(family=families.WINDOW, like="numpy.blackman", samples=_LENGTHS)
def blackman(x: int) -> Tensor:
    """Blackman's window of `x` places: float32 `(x,)`.

    Source: Harris 1978, "On the Use of Windows for Harmonic Analysis with the Discrete Fourier Transform".

    Example:
        >>> pyml.ops.blackman(5).numpy().round(2) + 0.0
        array([0.  , 0.34, 1.  , 0.34, 0.  ], dtype=float32)
    """
    return _cosines(x, (0.42, -0.5, 0.08), "blackman")


@op(family=families.WINDOW, like="numpy.hamming", samples=_LENGTHS)
def hamming(x: int) -> Tensor:
    """Hamming's window of `x` places, from 0.08 to 1 and back: float32 `(x,)`.

    Source: Harris 1978, "On the Use of Windows for Harmonic Analysis with the Discrete Fourier Transform".

    Example:
        >>> pyml.ops.hamming(5).numpy().round(2)
        array([0.08, 0.54, 1.  , 0.54, 0.08], dtype=float32)
    """
    return _cosines(x, (0.54, -0.46), "hamming")


@op(family=families.WINDOW, like="numpy.hanning", samples=_LENGTHS)
def hanning(x: int) -> Tensor:
    """Von Hann's window of `x` places, from 0 to 1 and back: float32 `(x,)`.

    Source: Harris 1978, "On the Use of Windows for Harmonic Analysis with the Discrete Fourier Transform".

    Example:
        >>> pyml.ops.hanning(5).numpy().round(2)
        array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _cosines(x, (0.5, -0.5), "hanning")


def _polynomial(weights: tuple[float, ...], x: Tensor) -> Tensor:
    total = x * weights[-1] + weights[-2]
    for weight in weights[-3::-1]:
        total = total * x + weight
    return total


@op(
    family=families.EACH_FLOAT,
    like="numpy.i0", samples=[sample(draw(2, 3)), sample(draw(4, low=-9, high=9)), sample(draw(3, low=0, high=4, dtype="int32"))],
)
def i0(x: TensorLike) -> Tensor:
    """The modified Bessel function of the first kind of order 0.

    Source: Abramowitz and Stegun 1964, 9.8.1 and 9.8.2.

    Example:
        >>> pyml.ops.i0([0., 1.]).numpy().round(4)
        array([1.    , 1.2661], dtype=float32)
    """
    size = _abs(as_float(x))
    far = size > 3.75
    near = _polynomial(_NEAR, (where(far, 0.0, size) / 3.75) ** 2)
    large = where(far, size, 3.75)
    return where(far, exp(large) / sqrt(large) * _polynomial(_FAR, 3.75 / large), near)


@op(like="numpy.kaiser", samples=[sample(7, 8.6), sample(4, 2.0), sample(1, 3.0), sample(0, 3.0)])
def kaiser(x: int, beta: float) -> Tensor:
    """Kaiser's window of `x` places: float32 `(x,)`.

    Args:
        x: How many places.
        beta: How narrow it is; 0 is a rectangle.

    Returns:
        float32 `(x,)`.

    Raises:
        ShapeError: `x` is not an integer of at least 0.

    Source: Kaiser and Schafer 1980, "On the use of the I0-sinh window for spectrum analysis".

    Example:
        >>> pyml.ops.kaiser(5, 2.0).numpy().round(2)
        array([0.44, 0.83, 1.  , 0.83, 0.44], dtype=float32)
    """
    places, steps = _places(x, "kaiser")
    if places.size == 1:
        return places + 1.0
    side = places * (2.0 / steps) - 1.0
    inside = 1.0 - side * side
    return divide(i0(sqrt(where(inside < 0.0, 0.0, inside)) * float(beta)), i0(np.float32(beta)))
