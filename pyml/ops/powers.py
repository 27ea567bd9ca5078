"""Further arithmetic element by element: roots and powers, what passes over NaN, remainders towards zero, parts of numbers."""

from __future__ import annotations

from math import log as log_of_number

import numpy as np

from ..core.complex_tensor import ComplexTensor
from ..core.tensor import Tensor, as_node, elementwise_nodes
from ..core.types import TensorLike
from ..graph import prims
from . import families
from .apply import as_float, floating, unary
from .arithmetic import abs as _abs
from .arithmetic import mod, multiply, power
from .declare import draw, op, sample
from .elementary import floor, logaddexp, sqrt
from .logic import equal, greater_equal, isnan, less_equal, logical_or, where

__all__ = [
    "cbrt", "conj", "conjugate", "copy", "divide_no_nan", "exp2", "fabs", "fmax", "fmin", "fmod", "imag", "ldexp", "logaddexp2", "real",
]  # fmt: skip

_LN2 = log_of_number(2.0)
_PAIR = [sample(draw(2, 3), draw(2, 3)), sample(draw(2, 1), draw(3))]
_WHOLE = sample(draw(2, 3, low=-9, high=9, dtype="int32"), draw(3, low=1, high=5, dtype="int32"))
_HOLES = sample(np.array([1.0, np.nan, np.nan], np.float32), np.array([np.nan, 2.0, np.nan], np.float32))


@op(family=families.EACH_FLOAT, like="numpy.fabs", samples=[sample(draw(2, 3)), sample(draw(4, low=-9, high=9, dtype="int32"))])
def fabs(x: TensorLike) -> Tensor:
    """`|x|`.

    Example:
        >>> pyml.ops.fabs([1, -2]).numpy()
        array([1., 2.], dtype=float32)
    """
    return floating(prims.abs_, x)


@op(family=families.EACH_FLOAT, like="numpy.cbrt", samples=[sample(draw(2, 3)), sample(np.array([-27.0, 0.0, 1e-30, 1e30], np.float32))])
def cbrt(x: TensorLike) -> Tensor:
    """The cube root, of negative numbers too.

    Example:
        >>> pyml.ops.cbrt([8., -27.]).numpy().round(4)
        array([ 2., -3.], dtype=float32)
    """
    x = as_float(x)
    zero, endless = equal(x, 0.0), ~Tensor(prims.isfinite(x._node))
    plain = zero | endless
    size = where(plain, 1.0, _abs(x))
    near = power(size, 1.0 / 3.0)
    root = near - (near - size / near / near) / 3.0  # a step of Newton's: the digits that a device's power lacks
    root = where(zero, sqrt(where(zero, x, 1.0)), where(x < 0.0, -root, root))  # 0, where the slope is infinite
    return where(endless, Tensor(prims.stop_gradient(x._node)), root)


@op(family=families.EACH_FLOAT, like="numpy.exp2", samples=[sample(draw(2, 3)), sample(draw(4, low=-3, high=9, dtype="int32"))])
def exp2(x: TensorLike) -> Tensor:
    """2 to the power of `x`.

    Example:
        >>> pyml.ops.exp2([0., 3.]).numpy()
        array([1., 8.], dtype=float32)
    """
    return power(2.0, as_float(x))


@op(
    family=families.PAIR_FLOAT,
    counted=True,
    like="numpy.ldexp",
    gradient=False,
    samples=[sample(draw(2, 3), draw(3, low=-4, high=5, dtype="int32")), sample([1e-30, 3.0], [130, -2])],
)
def ldexp(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 * 2**x2`, also where the power alone is too large; shapes broadcast.

    Example:
        >>> pyml.ops.ldexp([0.5, 3.], [1, 2]).numpy()
        array([ 1., 12.], dtype=float32)
    """
    a, b = (Tensor(n) for n in elementwise_nodes(x1, x2, dtype="float32", what="ldexp"))
    half = floor(b * 0.5)
    return a * power(2.0, half) * power(2.0, b - half)


@op(family=families.PAIR_FLOAT, like="numpy.logaddexp2", samples=_PAIR)
def logaddexp2(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`log2(2**x1 + 2**x2)` without overflow.

    Example:
        >>> round(float(pyml.ops.logaddexp2(200., 200.)), 3)
        201.0
    """
    return multiply(logaddexp(multiply(as_float(x1), _LN2), multiply(as_float(x2), _LN2)), 1.0 / _LN2)


@op(family=families.PAIR, like="numpy.fmax", samples=[*_PAIR, _WHOLE, _HOLES])
def fmax(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of `x1` and `x2`, or the one that is not a NaN.

    Example:
        >>> pyml.ops.fmax([1., np.nan], [2., 3.]).numpy()
        array([2., 3.], dtype=float32)
    """
    return where(logical_or(isnan(x2), greater_equal(x1, x2)), x1, x2)  # of equal ones the first, with all of the gradient


@op(family=families.PAIR, like="numpy.fmin", samples=[*_PAIR, _WHOLE, _HOLES])
def fmin(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of `x1` and `x2`, or the one that is not a NaN.

    Example:
        >>> pyml.ops.fmin([1., np.nan], [2., 3.]).numpy()
        array([1., 3.], dtype=float32)
    """
    return where(logical_or(isnan(x2), less_equal(x1, x2)), x1, x2)


@op(family=families.PAIR, like="numpy.fmod", gradient=False, samples=[_WHOLE, sample(draw(4), 0.75), sample(draw(4), -0.75)])
def fmod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of `x1 / x2`, with the sign of `x1`.

    Example:
        >>> pyml.ops.fmod([7, -7], 3).numpy()
        array([ 1, -1], dtype=int32)
    """
    a, b = (Tensor(n) for n in elementwise_nodes(x1, x2, what="fmod"))
    rest = mod(where(a < 0, -a, a) if a.dtype in ("int32", "float32") else a, _abs(b))  # whose slope at 0 is 1
    return where(a < 0, -rest, rest) if a.dtype in ("int32", "float32") else rest


@op(
    family=families.PAIR_FLOAT,
    like=lambda x1, x2: np.where(x2 == 0, 0, x1 / np.where(x2 == 0, 1, x2)),
    samples=[sample(draw(2, 3), draw(2, 3, low=0.5)), _WHOLE, sample(draw(3), np.array([0, 2, 0], np.float32))],
)
def divide_no_nan(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 / x2`, and 0 where `x2` is 0; shapes broadcast.

    Source: `keras.ops.divide_no_nan`.

    Example:
        >>> pyml.ops.divide_no_nan([1., 3.], [0., 2.]).numpy()
        array([0. , 1.5], dtype=float32)
    """
    a, b = (Tensor(n) for n in elementwise_nodes(x1, x2, dtype="float32", what="divide_no_nan"))
    zero = equal(b, 0.0)
    return where(zero, 0.0, a / where(zero, 1.0, b))


@op(complex_parts="each", like="numpy.copy", samples=[sample(draw(2, 3)), sample(draw(4, low=-9, high=9, dtype="int32"))])
def copy(x: TensorLike) -> Tensor:
    """A tensor of the same elements, in their dtype. Tensors never change, so this costs nothing.

    Args:
        x: Tensor.

    Returns:
        A tensor of the shape and dtype of `x`.

    Example:
        >>> pyml.ops.copy([1, 2]).numpy()
        array([1, 2], dtype=int32)
    """
    return Tensor(as_node(x))


@op(family=families.EACH, complex_parts=lambda m, z: ComplexTensor(z.real, -z.imag), like="numpy.conjugate", samples=[sample(draw(2, 3))])
def conjugate(x: TensorLike) -> Tensor:
    """`x` with its imaginary part negated, in its shape and dtype; of real tensors `x` itself.

    Source: `keras.ops.conj`, `numpy.conjugate`.

    Example:
        >>> pyml.ops.conjugate([1., 2.]).numpy()
        array([1., 2.], dtype=float32)
    """
    return Tensor(as_node(x))


conj = conjugate


@op(complex_parts=lambda m, z: z.real, like="numpy.real", samples=[sample(draw(2, 3))])
def real(x: TensorLike) -> Tensor:
    """The real part of `x`, in its shape and dtype; of real tensors `x` itself.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`, float32 of complex ones.

    Example:
        >>> pyml.ops.real([1., 2.]).numpy()
        array([1., 2.], dtype=float32)
    """
    return Tensor(as_node(x))


@op(complex_parts=lambda m, z: z.imag, like="numpy.imag", gradient=False, samples=[sample(draw(2, 3))])
def imag(x: TensorLike) -> Tensor:
    """The imaginary part of `x`; tensors are real, so zeros in its shape and dtype.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`, float32 of complex ones.

    Example:
        >>> pyml.ops.imag([1., 2.]).numpy()
        array([0., 0.], dtype=float32)
    """
    return unary(prims.zeros_like, x)
