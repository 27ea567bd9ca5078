"""Whole numbers: numpy 2's names of the bit operations, common divisors and multiples."""

from __future__ import annotations

from ..core.tensor import Tensor, elementwise_nodes
from ..core.types import TensorLike
from ..errors import DtypeError
from .arithmetic import abs as _abs
from .arithmetic import floor_divide, mod
from .declare import draw, op, sample
from .logic import bitwise_not, equal, left_shift, right_shift, where

__all__ = [
    "bitwise_invert", "bitwise_left_shift", "bitwise_right_shift", "gcd", "lcm",
]  # fmt: skip

_WHOLE = sample(draw(2, 3, low=-30, high=30, dtype="int32"), draw(3, low=-12, high=12, dtype="int32"))
_FAR = sample([1836311903, 2147483647, 0, 0, 12], [1134903170, 2147483646, 0, 5, 0])
_STEPS = 46  # of Euclid's algorithm, as many as neighbours in Fibonacci's row below 2**31 take

bitwise_left_shift = left_shift
bitwise_right_shift = right_shift


bitwise_invert = bitwise_not


def _whole(x1: TensorLike, x2: TensorLike, what: str) -> tuple[Tensor, Tensor]:
    a, b = elementwise_nodes(x1, x2, what=what)
    if a.dtype not in ("int32", "uint32"):
        raise DtypeError(f"{what}: operands must be integers. Received: {a.dtype}; cast them first.")
    return (Tensor(a), Tensor(b)) if a.dtype == "uint32" else (_abs(Tensor(a)), _abs(Tensor(b)))


@op(like="numpy.gcd", gradient=False, samples=[_WHOLE, _FAR])
def gcd(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The greatest common divisor of integers, not negative; shapes broadcast.

    Args:
        x1, x2: Tensors of integers.

    Returns:
        A tensor of the common dtype, in the shape that both broadcast to.

    Raises:
        DtypeError: An operand holds no integers.
        ShapeError: The shapes do not broadcast.

    Example:
        >>> pyml.ops.gcd([12, 7], 18).numpy()
        array([6, 1], dtype=int32)
    """
    a, b = _whole(x1, x2, "gcd")
    for _ in range(_STEPS):
        done = equal(b, 0)
        a, b = where(done, a, b), where(done, b, mod(a, where(done, 1, b)))
    return a


@op(like="numpy.lcm", gradient=False, samples=[_WHOLE, sample([0, 0, 4], [0, 5, 6])])
def lcm(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The least common multiple of integers, not negative; 0 where one of them is 0. Shapes broadcast.

    Args:
        x1, x2: Tensors of integers.

    Returns:
        A tensor of the common dtype, in the shape that both broadcast to.

    Raises:
        DtypeError: An operand holds no integers.
        ShapeError: The shapes do not broadcast.

    Example:
        >>> pyml.ops.lcm([12, 7], 18).numpy()
        array([ 36, 126], dtype=int32)
    """
    a, b = _whole(x1, x2, "lcm")
    common = gcd(a, b)
    return floor_divide(a, where(equal(common, 0), 1, common)) * b
