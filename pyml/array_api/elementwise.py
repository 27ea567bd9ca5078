"""The standard's functions element by element: operands broadcast, numbers take the dtype of the arrays."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any, TypeVar

from .. import ops
from ..core.complex_tensor import ComplexTensor
from ..core.tensor import Tensor
from ..core.types import TensorLike
from .data_types import isdtype

__all__ = [
    "abs", "acos", "acosh", "add", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_invert", "bitwise_left_shift",
    "bitwise_or", "bitwise_right_shift", "bitwise_xor", "ceil", "clip", "conj", "copysign", "cos", "cosh", "divide", "equal", "exp",
    "expm1", "floor", "floor_divide", "greater", "greater_equal", "hypot", "imag", "isfinite", "isinf", "isnan", "less", "less_equal",
    "log", "log10", "log1p", "log2", "logaddexp", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum",
    "multiply", "negative", "nextafter", "not_equal", "positive", "pow", "real", "reciprocal", "remainder", "round", "sign", "signbit",
    "sin", "sinh", "sqrt", "square", "subtract", "tan", "tanh", "trunc",
]  # fmt: skip


Array = TypeVar("Array", Tensor, ComplexTensor)


def _rounded(op: Callable[..., Tensor], x: Tensor) -> Tensor:
    """Integers are whole as they are."""
    return op(x) if isdtype(x.dtype, ("real floating", "complex floating")) else +x


def abs(x: Tensor | ComplexTensor, /) -> Tensor:
    """`|x|`, of complex numbers too."""
    found: Any = builtins.abs(x)
    return found


def acos(x: Tensor, /) -> Tensor:
    """The angle whose cosine is `x`; NaN outside -1 to 1."""
    return ops.arccos(x)


def acosh(x: Tensor, /) -> Tensor:
    """The inverse of `cosh`; NaN below 1."""
    return ops.arccosh(x)


def add(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 + x2`."""
    return ops.add(x1, x2)


def asin(x: Tensor, /) -> Tensor:
    """The angle whose sine is `x`; NaN outside -1 to 1."""
    return ops.arcsin(x)


def asinh(x: Tensor, /) -> Tensor:
    """The inverse of `sinh`."""
    return ops.arcsinh(x)


def atan(x: Tensor, /) -> Tensor:
    """The angle whose tangent is `x`."""
    return ops.arctan(x)


def atan2(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The angle of the point `(x2, x1)`."""
    return ops.arctan2(x1, x2)


def atanh(x: Tensor, /) -> Tensor:
    """The inverse of `tanh`; NaN outside -1 to 1."""
    return ops.arctanh(x)


def bitwise_and(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 & x2`, of integers or booleans."""
    return ops.bitwise_and(x1, x2)


def bitwise_invert(x: Tensor, /) -> Tensor:
    """`~x`, of integers or booleans."""
    return ops.bitwise_not(x)


def bitwise_left_shift(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 << x2`, of integers."""
    return ops.left_shift(x1, x2)


def bitwise_or(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 | x2`, of integers or booleans."""
    return ops.bitwise_or(x1, x2)


def bitwise_right_shift(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 >> x2`, of integers; the sign stays."""
    return ops.right_shift(x1, x2)


def bitwise_xor(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 ^ x2`, of integers or booleans."""
    return ops.bitwise_xor(x1, x2)


def ceil(x: Tensor, /) -> Tensor:
    """The smallest integer not below `x`, in the dtype of `x`."""
    return _rounded(ops.ceil, x)


def clip(x: Tensor, /, min: TensorLike | None = None, max: TensorLike | None = None) -> Tensor:
    """`x` between `min` and `max`, where they are given, in the dtype of `x`."""
    found = x if min is None else ops.maximum(x, min)
    found = found if max is None else ops.minimum(found, max)
    return ops.cast(found, x.dtype)


def conj(x: Array, /) -> Array:
    """The complex conjugate, which of real numbers is `x`."""
    return ComplexTensor(x.real, -x.imag) if isinstance(x, ComplexTensor) else +x


def copysign(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`|x1|` with the sign of `x2`."""
    return ops.where(ops.signbit(x2), -ops.absolute(x1), ops.absolute(x1))


def cos(x: Tensor, /) -> Tensor:
    """The cosine."""
    return ops.cos(x)


def cosh(x: Tensor, /) -> Tensor:
    """The hyperbolic cosine."""
    return ops.cosh(x)


def divide(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 / x2`, float32."""
    return ops.divide(x1, x2)


def equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 == x2`."""
    return ops.equal(x1, x2)


def exp(x: Tensor, /) -> Tensor:
    """e to the power of `x`."""
    return ops.exp(x)


def expm1(x: Tensor, /) -> Tensor:
    """`exp(x) - 1`, exact near 0."""
    return ops.expm1(x)


def floor(x: Tensor, /) -> Tensor:
    """The largest integer not above `x`, in the dtype of `x`."""
    return _rounded(ops.floor, x)


def floor_divide(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The largest integer not above `x1 / x2`."""
    return ops.floor_divide(x1, x2)


def greater(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 > x2`."""
    return ops.greater(x1, x2)


def greater_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 >= x2`."""
    return ops.greater_equal(x1, x2)


def hypot(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The square root of `x1² + x2²`."""
    return ops.hypot(x1, x2)


def imag(x: Tensor | ComplexTensor, /) -> Tensor:
    """The imaginary part, which of real numbers is 0."""
    return x.imag if isinstance(x, ComplexTensor) else ops.zeros_like(x)


def isfinite(x: Tensor, /) -> Tensor:
    """Whether `x` is neither infinite nor NaN."""
    return ops.isfinite(x)


def isinf(x: Tensor, /) -> Tensor:
    """Whether `x` is infinite."""
    return ops.isinf(x)


def isnan(x: Tensor, /) -> Tensor:
    """Whether `x` is NaN."""
    return ops.isnan(x)


def less(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 < x2`."""
    return ops.less(x1, x2)


def less_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 <= x2`."""
    return ops.less_equal(x1, x2)


def log(x: Tensor, /) -> Tensor:
    """The natural logarithm; NaN below 0."""
    return ops.log(x)


def log10(x: Tensor, /) -> Tensor:
    """The logarithm to base 10; NaN below 0."""
    return ops.log10(x)


def log1p(x: Tensor, /) -> Tensor:
    """`log(1 + x)`, exact near 0."""
    return ops.log1p(x)


def log2(x: Tensor, /) -> Tensor:
    """The logarithm to base 2; NaN below 0."""
    return ops.log2(x)


def logaddexp(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`log(exp(x1) + exp(x2))`, without overflow."""
    return ops.logaddexp(x1, x2)


def logical_and(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Whether both hold."""
    return ops.logical_and(x1, x2)


def logical_not(x: Tensor, /) -> Tensor:
    """Whether `x` does not hold."""
    return ops.logical_not(x)


def logical_or(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Whether one holds."""
    return ops.logical_or(x1, x2)


def logical_xor(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """Whether exactly one holds."""
    return ops.logical_xor(x1, x2)


def maximum(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The larger one; a NaN wins."""
    return ops.maximum(x1, x2)


def minimum(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The smaller one; a NaN wins."""
    return ops.minimum(x1, x2)


def multiply(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 * x2`."""
    return ops.multiply(x1, x2)


def negative(x: Tensor, /) -> Tensor:
    """`-x`."""
    return ops.negative(x)


def nextafter(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The next float32 after `x1` on the way to `x2`."""
    return ops.nextafter(x1, x2)


def not_equal(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 != x2`."""
    return ops.not_equal(x1, x2)


def positive(x: Tensor, /) -> Tensor:
    """`x`, as another array."""
    return +x


def pow(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 ** x2`."""
    return ops.power(x1, x2)


def real(x: Tensor | ComplexTensor, /) -> Tensor:
    """The real part, which of real numbers is `x`."""
    return x.real if isinstance(x, ComplexTensor) else +x


def reciprocal(x: Tensor, /) -> Tensor:
    """`1 / x`, float32."""
    return ops.reciprocal(x)


def remainder(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """The remainder of `x1 / x2`, with the sign of `x2`."""
    return ops.mod(x1, x2)


def round(x: Tensor, /) -> Tensor:
    """The nearest integer, of two the even one, in the dtype of `x`."""
    return _rounded(ops.round, x)


def sign(x: Tensor, /) -> Tensor:
    """-1, 0 or 1; NaN of NaN."""
    return ops.sign(x)


def signbit(x: Tensor, /) -> Tensor:
    """Whether the sign is minus, that of -0.0 too."""
    return ops.signbit(x)


def sin(x: Tensor, /) -> Tensor:
    """The sine."""
    return ops.sin(x)


def sinh(x: Tensor, /) -> Tensor:
    """The hyperbolic sine."""
    return ops.sinh(x)


def sqrt(x: Tensor, /) -> Tensor:
    """The square root; NaN below 0."""
    return ops.sqrt(x)


def square(x: Tensor, /) -> Tensor:
    """`x * x`."""
    return ops.square(x)


def subtract(x1: TensorLike, x2: TensorLike, /) -> Tensor:
    """`x1 - x2`."""
    return ops.subtract(x1, x2)


def tan(x: Tensor, /) -> Tensor:
    """The tangent."""
    return ops.tan(x)


def tanh(x: Tensor, /) -> Tensor:
    """The hyperbolic tangent."""
    return ops.tanh(x)


def trunc(x: Tensor, /) -> Tensor:
    """`x` without what is behind the point, in the dtype of `x`."""
    return _rounded(ops.trunc, x)

