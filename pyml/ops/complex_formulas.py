"""Functions of complex numbers as formulas of their parts, with the values at zeros, infinities and NaN that C99 and the array API state.

Each is the `of_complex` of an op, in whose declaration it stands; shorter ones are written out there. `m` is `pyml.ops`, and `z` a
`ComplexTensor`, `x + iy`. A zero part keeps what would become `0 * inf`; where one part is not finite, `where` chooses, and the other
branch is given numbers whose derivatives are finite.

Source: C99, annex G; Kahan 1987, "Branch cuts for complex elementary functions".
"""

from __future__ import annotations

from collections.abc import Callable
from math import log, pi
from typing import Any

import numpy as np

from ..core.complex_tensor import COMPLEX, ComplexTensor, as_complex
from ..errors import DtypeError
from .axes import standardize_axis

_LN2 = log(2.0)
_FAR = 1e9  # from where 1 + z is z in float32

Complex = Any  # a ComplexTensor, whose parts are tensors or symbolic
Formula = Callable[[Any, Complex], Complex]


def _signed(m: Any, size: Any, sign: Any) -> Any:
    """`size`, which is not negative, with the sign of another number, that of -0 too."""
    return m.where(m.signbit(sign), -size, size)


def _wild(m: Any, x: Any) -> Any:
    return m.logical_not(m.isfinite(x))


def turned(of: Formula) -> Formula:
    """The circular function that belongs to a hyperbolic one, and its inverse: `-i f(iz)`."""

    def formula(m: Any, z: Complex) -> Complex:
        found = of(m, ComplexTensor(-z.imag, z.real))
        return ComplexTensor(found.imag, -found.real)

    return formula


# ---- arithmetic
def sum_of(m: Any, x1: Any, x2: Any) -> Complex:
    a, b = as_complex(x1), as_complex(x2)
    return ComplexTensor(a.real + b.real, a.imag + b.imag)


def difference(m: Any, x1: Any, x2: Any) -> Complex:
    a, b = as_complex(x1), as_complex(x2)
    return ComplexTensor(a.real - b.real, a.imag - b.imag)


def product(a: Complex, b: Complex) -> Complex:
    return ComplexTensor(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real)


def quotient(m: Any, x1: Any, x2: Any) -> Complex:
    """`x1 / x2` by the larger part of `x2`, so that no square leaves float32."""
    a = as_complex(x1)
    if not isinstance(x2, ComplexTensor):
        return ComplexTensor(a.real / x2, a.imag / x2)
    swap = abs(x2.real) < abs(x2.imag)
    large, small = m.where(swap, x2.imag, x2.real), m.where(swap, x2.real, x2.imag)
    ratio = small / large
    one, other = m.where(swap, a.imag, a.real), m.where(swap, a.real, a.imag)
    size = large + small * ratio
    imag = (other - one * ratio) / size
    return ComplexTensor((one + other * ratio) / size, m.where(swap, -imag, imag))


def power(m: Any, x1: Any, x2: Any) -> Complex:
    """Whole numbers of Python by repeated products, all else by the logarithm; `0 ** x2` is 0 where `x2` has a positive real part."""
    z = as_complex(x1)
    if isinstance(x2, (int, np.integer)) and not isinstance(x2, bool):
        found, base, left = as_complex(z.real * 0.0 + 1.0), z, abs(int(x2))
        while left:
            found = product(found, base) if left % 2 else found
            base, left = product(base, base), left // 2
        return found if x2 >= 0 else quotient(m, 1.0, found)
    exponent = as_complex(x2)
    nothing = m.logical_and(m.equal(z.real, 0.0), m.equal(z.imag, 0.0))
    size = exponential(m, product(exponent, logarithm(m, ComplexTensor(m.where(nothing, 1.0, z.real), z.imag))))
    zero = m.logical_and(nothing, exponent.real > 0.0)
    none = m.logical_and(m.equal(exponent.real, 0.0), m.equal(exponent.imag, 0.0))
    undefined = m.logical_and(nothing, m.logical_not(m.logical_or(zero, none)))
    part = lambda of: m.where(undefined, float("nan"), m.where(zero, 0.0, of))
    return ComplexTensor(part(size.real), part(size.imag))


def absolute(m: Any, z: Complex) -> Any:
    """The size, whose derivative at 0 counts as 0."""
    nothing = m.logical_and(m.equal(z.real, 0.0), m.equal(z.imag, 0.0))
    return m.where(nothing, 0.0, m.hypot(m.where(nothing, 1.0, z.real), z.imag))


def sign(m: Any, z: Complex) -> Complex:
    size = absolute(m, z)
    nothing = m.equal(size, 0.0)
    size = m.where(nothing, 1.0, size)
    return ComplexTensor(m.where(nothing, 0.0, z.real / size), m.where(nothing, 0.0, z.imag / size))


# ---- exponentials and logarithms
def exponential(m: Any, z: Complex) -> Complex:
    size, wild = m.exp(z.real), _wild(m, z.imag)
    real = m.where(m.logical_and(wild, m.isinf(z.real)), size, size * m.cos(z.imag))
    imag = m.where(m.logical_and(wild, m.isneginf(z.real)), 0.0, size * m.sin(z.imag))
    return ComplexTensor(real, m.where(m.equal(z.imag, 0.0), z.imag, imag))


def exponential_less_1(m: Any, z: Complex) -> Complex:
    size, half = m.expm1(z.real), m.sin(z.imag * 0.5)
    known = m.logical_and(_wild(m, z.imag), m.isinf(z.real))
    known = m.logical_or(known, m.equal(z.imag, 0.0))
    real = m.where(known, m.where(m.equal(size, 0.0), 0.0, size), size * m.cos(z.imag) - 2.0 * half * half)
    return ComplexTensor(real, exponential(m, z).imag)


def logarithm(m: Any, z: Complex) -> Complex:
    return ComplexTensor(m.log(absolute(m, z)), m.arctan2(z.imag, z.real))


def logarithm_of_1_more(m: Any, z: Complex) -> Complex:
    """Of small numbers by `log1p(2x + x² + y²) / 2`, which keeps the digits of x."""
    x, y = z.real, z.imag
    small = m.hypot(x, y) < 0.5
    a, b = m.where(small, x, 0.0), m.where(small, y, 0.0)
    near = 0.5 * m.log1p(a * (2.0 + a) + b * b)
    return ComplexTensor(m.where(small, near, m.log(m.hypot(1.0 + x, y))), m.arctan2(y, 1.0 + x))


def root(m: Any, z: Complex) -> Complex:
    """The square root with a real part that is not negative."""
    larger = m.sqrt(m.hypot(z.real, z.imag) * 0.5 + abs(z.real) * 0.5)
    nothing, endless = m.equal(larger, 0.0), m.isinf(z.imag)
    smaller = m.where(nothing, 0.0, abs(z.imag) * 0.5 / m.where(nothing, 1.0, larger))
    right = z.real >= 0.0
    real = m.where(right, larger, smaller)
    imag = _signed(m, m.where(right, smaller, larger), z.imag)
    return ComplexTensor(m.where(endless, float("inf"), real), m.where(endless, z.imag, imag))


# ---- hyperbolic functions
def hyperbolic_sine(m: Any, z: Complex) -> Complex:
    x, y = z.real, z.imag
    kept = m.logical_or(m.equal(x, 0.0), m.logical_and(_wild(m, y), m.isinf(x)))
    return ComplexTensor(
        m.where(kept, x, m.sinh(x) * m.cos(y)),
        m.where(m.equal(y, 0.0), y, m.cosh(x) * m.sin(y)),
    )


def hyperbolic_cosine(m: Any, z: Complex) -> Complex:
    x, y = z.real, z.imag
    endless = m.logical_and(_wild(m, y), m.isinf(x))
    flat = m.logical_or(m.equal(x, 0.0), m.equal(y, 0.0))
    return ComplexTensor(
        m.where(endless, float("inf"), m.cosh(x) * m.cos(y)),
        m.where(flat, 0.0, m.sinh(x) * m.sin(y)),
    )


def hyperbolic_tangent(m: Any, z: Complex) -> Complex:
    """`tanh x` and `tan y` by the sum formula; `1 - tanh(x)²` as `1 / cosh(x)²`, which does not cancel."""
    x, y = z.real, z.imag
    steep, slope, decay = m.tanh(x), m.tan(y), 1.0 / m.cosh(x)
    size = 1.0 + (steep * slope) ** 2
    endless = m.logical_and(_wild(m, y), m.isinf(x))
    real = m.where(endless, steep, steep * (1.0 + slope * slope) / size)
    imag = m.where(endless, 0.0, slope * decay * decay / size)
    return ComplexTensor(m.where(m.equal(x, 0.0), x, real), m.where(m.equal(y, 0.0), y, imag))


# ---- their inverses
def _near(m: Any, z: Complex) -> tuple[Any, Complex]:
    """Whether a number is far from 0 or not finite, and the number with 0 in the place of such."""
    far = m.logical_not(m.logical_and(abs(z.real) < _FAR, abs(z.imag) < _FAR))
    return far, ComplexTensor(m.where(far, 0.5, z.real), m.where(far, 0.5, z.imag))


def inverse_hyperbolic_cosine(m: Any, z: Complex) -> Complex:
    far, near = _near(m, z)
    a, b = (root(m, ComplexTensor(near.real + shift, near.imag)) for shift in (-1.0, 1.0))
    away = logarithm(m, ComplexTensor(m.where(far, z.real, 1.0), m.where(far, z.imag, 0.0)))
    real = m.where(far, away.real + _LN2, m.arcsinh(a.real * b.real + a.imag * b.imag))
    imag = m.where(far, away.imag, 2.0 * m.arctan2(a.imag, b.real))
    upright = m.logical_and(m.equal(z.real, 0.0), m.isnan(z.imag))
    return ComplexTensor(real, m.where(upright, pi / 2, imag))


def inverse_cosine(m: Any, z: Complex) -> Complex:
    found = inverse_hyperbolic_cosine(m, z)
    return ComplexTensor(abs(found.imag), _signed(m, -found.real, z.imag))


def inverse_hyperbolic_sine(m: Any, z: Complex) -> Complex:
    far, near = _near(m, z)
    a, b = (root(m, ComplexTensor(1.0 - near.imag * side, near.real * side)) for side in (1.0, -1.0))
    away = logarithm(m, ComplexTensor(m.where(far, abs(z.real), 1.0), m.where(far, z.imag, 0.0)))
    real = m.where(far, _signed(m, away.real + _LN2, z.real), m.arcsinh(a.imag * b.real - a.real * b.imag))
    imag = m.where(far, away.imag, m.arctan2(near.imag, a.real * b.real - a.imag * b.imag))
    return ComplexTensor(real, m.where(m.equal(z.imag, 0.0), z.imag, imag))


def inverse_hyperbolic_tangent(m: Any, z: Complex) -> Complex:
    x, y = z.real, z.imag
    far, near = _near(m, z)
    size = abs(near.real)
    real = 0.25 * m.log1p(4.0 * size / ((1.0 - size) ** 2 + near.imag**2))
    imag = 0.5 * m.arctan2(2.0 * near.imag, (1.0 - size) * (1.0 + size) - near.imag**2)
    endless = m.logical_or(m.isinf(x), m.isinf(y))
    real = _signed(m, m.where(endless, 0.0, m.where(far, abs(x) * 0.0, real)), x)
    turn = m.where(m.isnan(y), y, _signed(m, pi / 2, y))
    imag = m.where(far, m.where(m.logical_and(m.isnan(x), m.logical_not(m.isinf(y))), x, turn), imag)
    known = m.equal(x, 0.0)
    return ComplexTensor(m.where(known, x, m.where(m.logical_and(m.isnan(y), m.logical_not(endless)), y, real)), imag)


# ---- comparisons and choices
def equal(m: Any, x1: Any, x2: Any) -> Any:
    a, b = as_complex(x1), as_complex(x2)
    return m.logical_and(m.equal(a.real, b.real), m.equal(a.imag, b.imag))


def isclose(m: Any, x1: Any, x2: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    a, b = as_complex(x1), as_complex(x2)
    near = m.less_equal(absolute(m, difference(m, a, b)), absolute(m, b) * rtol + atol)
    near = m.logical_or(near, equal(m, a, b))
    return m.logical_or(near, m.logical_and(m.isnan(a), m.isnan(b))) if equal_nan else near


def where(m: Any, condition: Any, x1: Any, x2: Any) -> Complex:
    if isinstance(condition, ComplexTensor):
        condition = m.not_equal(condition, 0.0)
    a, b = as_complex(x1), as_complex(x2)
    return ComplexTensor(m.where(condition, a.real, b.real), m.where(condition, a.imag, b.imag))


# ---- conversions
def cast(m: Any, x: Any, dtype: Any) -> Complex:
    name = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    if name == "bool":
        return m.not_equal(x, 0.0)
    if name not in COMPLEX:
        raise DtypeError(f"cast: complex numbers have no {name} value; take ops.real, ops.imag or ops.abs of them.")
    return as_complex(x)


def full_like(m: Any, x: Any, fill_value: Any, dtype: Any = None) -> Any:
    return m.full(x.shape, fill_value, dtype=dtype or x.dtype)


def zeros_like(m: Any, x: Any, dtype: Any = None) -> Any:
    return m.zeros(x.shape, dtype=dtype or x.dtype)


def ones_like(m: Any, x: Any, dtype: Any = None) -> Any:
    return m.ones(x.shape, dtype=dtype or x.dtype)


def linspace(m: Any, start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
             axis: int = 0) -> Any:  # fmt: skip
    a, b = as_complex(start), as_complex(stop)
    lines = [m.linspace(low, high, num, endpoint, retstep, None, axis) for low, high in ((a.real, b.real), (a.imag, b.imag))]
    return tuple(ComplexTensor(*both) for both in zip(*lines, strict=True)) if retstep else ComplexTensor(*lines)


# ---- of many numbers
def prod(m: Any, z: Complex, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Complex:
    """Halves of an axis multiplied with each other until one number is left."""
    axes = standardize_axis(axis, z.ndim, "prod")
    for a in axes:
        while (n := z.shape[a]) > 1:
            half = [tuple(slice(i, n, 2) if b == a else slice(None) for b in range(z.ndim)) for i in (0, 1)]
            even, odd = z[half[0]], z[half[1]]
            if n % 2:
                one = list(z.shape)
                one[a] = 1
                odd = m.concatenate([odd, m.ones(one, dtype=z.dtype)], axis=a)
            z = product(even, odd)
        if not n:
            z = m.ones([1 if b == a else size for b, size in enumerate(z.shape)], dtype=z.dtype)
    return z if keepdims or not axes else m.squeeze(z, axes)


def cumprod(m: Any, z: Complex, axis: int | None = None, dtype: Any = None) -> Complex:
    z, (axis,) = (m.reshape(z, (-1,)), (0,)) if axis is None else (z, standardize_axis(axis, z.ndim, "cumprod"))
    return m.associative_scan(product, z, axis=axis) if z.size else z


def unique(m: Any, z: Complex, sorted: bool = True, return_index: bool = False, return_inverse: bool = False,
           return_counts: bool = False, axis: int | None = None, **size: Any) -> Any:  # fmt: skip
    """Those of the pairs of parts, whose order is that of numpy's complex numbers."""
    if axis is not None or size:
        raise DtypeError("unique: of complex tensors axis, size and fill_value are not supported; give ops.view_as_real of them.")
    asked = return_index or return_inverse or return_counts
    pairs = m.reshape(m.view_as_real(z), (-1, 2))
    found = m.unique(pairs, sorted, return_index, return_inverse, return_counts, axis=0)
    values, *others = found if asked else [found]
    if return_inverse:
        others[int(return_index)] = m.reshape(others[int(return_index)], z.shape)
    values = ComplexTensor(values[:, 0], values[:, 1])
    return (values, *others) if asked else values


def vdot(m: Any, x1: Any, x2: Any) -> Complex:
    a, b = (as_complex(x) for x in (x1, x2))
    line = lambda part: m.reshape(part, (-1,))
    found = product(ComplexTensor(line(a.real), line(-a.imag)), ComplexTensor(line(b.real), line(b.imag)))
    return ComplexTensor(m.sum(found.real), m.sum(found.imag))
