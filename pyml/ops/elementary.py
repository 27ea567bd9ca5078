"""Elementary functions element by element: powers of e, logarithms, circular and hyperbolic functions, rounding."""

from __future__ import annotations

import builtins

import numpy as np

from ..core.complex_tensor import ComplexTensor
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..graph import prims
from . import complex_formulas, families
from .apply import as_float, floating
from .arithmetic import abs, add, divide, floor_divide, maximum, mod, multiply, negative, subtract
from .declare import draw, op, sample
from .logic import equal, where

__all__ = [
    "arctan", "ceil", "cos", "cosh", "exp", "expm1", "floor", "log", "log10", "log1p", "log2", "logaddexp", "round",
    "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
]  # fmt: skip


@op(family=families.EACH_FLOAT, complex_parts=complex_formulas.root, like="numpy.sqrt", samples=[sample(draw(2, 3, low=0.2))])
def sqrt(x: TensorLike) -> Tensor:
    """The square root; NaN below 0.

    Example:
        >>> pyml.ops.sqrt([4., 9.]).numpy()
        array([2., 3.], dtype=float32)
    """
    return floating(prims.sqrt, x)


def length_of(squares: Tensor) -> Tensor:
    """The root of a sum of squares; where that is 0 its gradient is 0, as on PyTorch, and not NaN."""
    some = squares > 0.0
    return where(some, sqrt(where(some, squares, 1.0)), squares)


@op(family=families.EACH_FLOAT, complex_parts=complex_formulas.exponential, like="numpy.exp", samples=[sample(draw(2, 3))])
def exp(x: TensorLike) -> Tensor:
    """`e` to the power of `x`.

    Example:
        >>> pyml.ops.exp([0., 1.]).numpy().round(4)
        array([1.    , 2.7183], dtype=float32)
    """
    return floating(prims.exp, x)


@op(family=families.EACH_FLOAT, complex_parts=complex_formulas.exponential_less_1, like="numpy.expm1", samples=[sample(draw(2, 3))])
def expm1(x: TensorLike) -> Tensor:
    """`exp(x) - 1`, accurate near 0.

    Example:
        >>> float(pyml.ops.expm1(1e-6)) > 1e-6
        True
    """
    return floating(prims.expm1, x)


@op(family=families.EACH_FLOAT, complex_parts=complex_formulas.logarithm, like="numpy.log", samples=[sample(draw(2, 3, low=0.2))])
def log(x: TensorLike) -> Tensor:
    """The natural logarithm; NaN below 0, `-inf` at 0.

    Example:
        >>> pyml.ops.log([1., 10.]).numpy().round(4)
        array([0.    , 2.3026], dtype=float32)
    """
    return floating(prims.log, x)


@op(
    family=families.EACH_FLOAT,
    complex_parts=complex_formulas.logarithm_of_1_more, like="numpy.log1p", samples=[sample(draw(2, 3, low=-0.5))],
)
def log1p(x: TensorLike) -> Tensor:
    """`log(1 + x)`, accurate near 0.

    Example:
        >>> pyml.ops.log1p([0., 1.]).numpy().round(4)
        array([0.    , 0.6931], dtype=float32)
    """
    return floating(prims.log1p, x)


@op(
    family=families.EACH_FLOAT,
    complex_parts=lambda m, z: m.log(z) * (1 / np.log(2)), like="numpy.log2", samples=[sample(draw(2, 3, low=0.2))],
)
def log2(x: TensorLike) -> Tensor:
    """The logarithm to base 2.

    Example:
        >>> pyml.ops.log2([1., 8.]).numpy().round(4)
        array([0., 3.], dtype=float32)
    """
    return floating(prims.log2, x)


@op(
    family=families.EACH_FLOAT,
    complex_parts=lambda m, z: m.log(z) * (1 / np.log(10)), like="numpy.log10", samples=[sample(draw(2, 3, low=0.2))],
)
def log10(x: TensorLike) -> Tensor:
    """The logarithm to base 10.

    Example:
        >>> pyml.ops.log10([1., 100.]).numpy().round(4)
        array([0., 2.], dtype=float32)
    """
    return floating(prims.log10, x)


_COUNTS = draw(4, low=0, high=5, dtype="uint32")


@op(
    family=families.PAIR_FLOAT,
    counted=True, like="numpy.logaddexp", samples=[sample(draw(2, 3), draw(2, 3)), sample(draw(2, 1), draw(3)), sample(_COUNTS, _COUNTS)],
)
def logaddexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`log(exp(x1) + exp(x2))` without overflow.

    Example:
        >>> round(float(pyml.ops.logaddexp(200., 200.)), 3)
        200.693
    """
    x1, x2 = as_float(x1), as_float(x2)  # a difference of unsigned integers wraps
    apart = where(equal(x1, x2), 0.0, subtract(x1, x2))  # of equal infinities too
    return add(maximum(x1, x2), log1p(exp(negative(abs(apart)))))


@op(
    family=families.EACH_FLOAT,
    complex_parts=complex_formulas.turned(complex_formulas.hyperbolic_sine), like="numpy.sin", samples=[sample(draw(2, 3))],
)
def sin(x: TensorLike) -> Tensor:
    """The sine of `x` in radians.

    Example:
        >>> pyml.ops.sin([0., np.pi / 2]).numpy().round(4)
        array([0., 1.], dtype=float32)
    """
    return floating(prims.sin, x)


@op(
    family=families.EACH_FLOAT,
    complex_parts=lambda m, z: m.cosh(ComplexTensor(-z.imag, z.real)), like="numpy.cos", samples=[sample(draw(2, 3))],
)
def cos(x: TensorLike) -> Tensor:
    """The cosine of `x` in radians.

    Example:
        >>> pyml.ops.cos([0., np.pi]).numpy().round(4)
        array([ 1., -1.], dtype=float32)
    """
    return floating(prims.cos, x)


@op(
    family=families.EACH_FLOAT,
    complex_parts=complex_formulas.turned(complex_formulas.hyperbolic_tangent),
    like="numpy.tan", samples=[sample(draw(2, 3, low=-1, high=1))],
)
def tan(x: TensorLike) -> Tensor:
    """The tangent of `x` in radians.

    Example:
        >>> pyml.ops.tan([0., np.pi / 4]).numpy().round(4)
        array([0., 1.], dtype=float32)
    """
    return divide(sin(x), cos(x))


@op(
    family=families.EACH_FLOAT,
    complex_parts=complex_formulas.turned(complex_formulas.inverse_hyperbolic_tangent), like="numpy.arctan", samples=[sample(draw(2, 3))],
)
def arctan(x: TensorLike) -> Tensor:
    """The inverse tangent in radians, between -pi/2 and pi/2.

    Example:
        >>> pyml.ops.arctan([0., 1.]).numpy().round(4)
        array([0.    , 0.7854], dtype=float32)
    """
    return floating(prims.atan, x)


@op(family=families.EACH_FLOAT, complex_parts=complex_formulas.hyperbolic_sine, like="numpy.sinh", samples=[sample(draw(2, 3))])
def sinh(x: TensorLike) -> Tensor:
    """The hyperbolic sine, `(exp(x) - exp(-x)) / 2`.

    Example:
        >>> pyml.ops.sinh([0., 1.]).numpy().round(4)
        array([0.    , 1.1752], dtype=float32)
    """
    return floating(prims.sinh, x)


@op(family=families.EACH_FLOAT, complex_parts=complex_formulas.hyperbolic_cosine, like="numpy.cosh", samples=[sample(draw(2, 3))])
def cosh(x: TensorLike) -> Tensor:
    """The hyperbolic cosine, `(exp(x) + exp(-x)) / 2`.

    Example:
        >>> pyml.ops.cosh([0., 1.]).numpy().round(4)
        array([1.    , 1.5431], dtype=float32)
    """
    return floating(prims.cosh, x)


@op(family=families.EACH_FLOAT, complex_parts=complex_formulas.hyperbolic_tangent, like="numpy.tanh", samples=[sample(draw(2, 3))])
def tanh(x: TensorLike) -> Tensor:
    """The hyperbolic tangent, between -1 and 1.

    Example:
        >>> pyml.ops.tanh([0., 1.]).numpy().round(4)
        array([0.    , 0.7616], dtype=float32)
    """
    return floating(prims.tanh, x)


@op(family=families.EACH_FLOAT, like="numpy.floor", gradient=False, samples=[sample(draw(2, 3))])
def floor(x: TensorLike) -> Tensor:
    """The largest integer not above `x`.

    Example:
        >>> pyml.ops.floor([1.7, -1.2]).numpy()
        array([ 1., -2.], dtype=float32)
    """
    return floating(prims.floor, x)


@op(family=families.EACH_FLOAT, like="numpy.ceil", gradient=False, samples=[sample(draw(2, 3))])
def ceil(x: TensorLike) -> Tensor:
    """The smallest integer not below `x`.

    Example:
        >>> pyml.ops.ceil([1.2, -1.7]).numpy()
        array([ 2., -1.], dtype=float32)
    """
    return floating(prims.ceil, x)


@op(family=families.EACH, like="numpy.trunc", gradient=False, samples=[sample(draw(2, 3))])
def trunc(x: TensorLike) -> Tensor:
    """`x` without its fraction.

    Example:
        >>> pyml.ops.trunc([1.7, -1.7]).numpy()
        array([ 1., -1.], dtype=float32)
    """
    node = as_node(x)
    return floating(prims.trunc, x) if node.dtype == "float32" else Tensor(node)


@op(
    complex_parts="each",
    like=lambda x, decimals=0: np.round(x, decimals),
    operator="round",
    gradient=False,
    samples=[sample(draw(2, 3)), sample(draw(4), 1), sample(draw(4, low=-900, high=900), -2), sample([15, 25, -35], -1), sample([7], 2)],
)
def round(x: TensorLike, decimals: int = 0) -> Tensor:
    """`x` rounded to `decimals` places, halves to even.

    Args:
        x: Tensor.
        decimals: Places behind the point; negative ones lie before it.

    Returns:
        A tensor of the shape and dtype of `x`.

    Source: `keras.ops.round`.

    Example:
        >>> pyml.ops.round([0.5, 1.5, 2.4]).numpy()
        array([0., 2., 2.], dtype=float32)
    """
    node = as_node(x)
    if node.dtype == "bool":
        return Tensor(node)
    if node.dtype in ("int32", "uint32"):
        if decimals < -9:  # every number of 32 bits is nearer to 0 than to 10**10
            return Tensor(prims.full(node.shape, 0, node.dtype))
        return Tensor(node) if decimals >= 0 else _round_whole(Tensor(node), 10**-decimals)
    if builtins.abs(decimals) > 38:  # beyond the powers of ten that float32 has
        return multiply(Tensor(node), 1.0 if decimals > 0 else 0.0)
    if decimals == 0:
        return floating(prims.round_, x)
    scale = 10.0 ** builtins.abs(decimals)
    if decimals < 0:
        return multiply(floating(prims.round_, divide(x, scale)), scale)
    return divide(floating(prims.round_, multiply(x, scale)), scale)


def _round_whole(x: Tensor, step: int) -> Tensor:
    """Integers rounded to multiples of `step`, halves to even multiples."""
    count, rest = floor_divide(x, step), mod(x, step)
    up = where((rest * 2 > step) | (equal(rest * 2, step) & equal(mod(count, 2), 1)), 1, 0)
    return multiply(add(count, up), step)
