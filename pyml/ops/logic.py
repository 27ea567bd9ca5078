"""Comparisons, logic, bits and choices, element by element; operands broadcast."""

from __future__ import annotations

from collections.abc import Callable

from ..core.tensor import Tensor, as_node, broadcast_shapes, elementwise_nodes
from ..core.types import TensorLike
from ..errors import DtypeError
from ..graph import prims
from . import complex_formulas, families
from .apply import Primitive, arithmetic, binary, floating
from .declare import draw, op, sample
from .reading import places_of

__all__ = [
    "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "equal", "greater", "greater_equal", "isfinite", "isinf", "isnan",
    "left_shift", "less", "less_equal", "logical_and", "logical_not", "logical_or", "logical_xor", "not_equal",
    "right_shift", "where",
]  # fmt: skip

_PAIR = sample(draw(2, 1), draw(3))
_WHOLE = sample(draw(2, 3, low=0, high=4, dtype="int32"), draw(3, low=0, high=4, dtype="int32"))
_TRUTH = sample(draw(2, 3, low=0, high=2, dtype="bool"), draw(3, low=0, high=2, dtype="bool"))


@op(family=families.PAIR_TRUTH, complex_parts=complex_formulas.equal, like="numpy.equal", operator="eq", gradient=False, samples=[_WHOLE])
def equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where `x1 == x2`.

    Example:
        >>> pyml.ops.equal([1, 2, 3], 2).numpy()
        array([False,  True, False])
    """
    return binary(prims.equal, x1, x2, "equal")


@op(
    family=families.PAIR_TRUTH,
    complex_parts=lambda m, x1, x2: m.logical_not(m.equal(x1, x2)), like="numpy.not_equal", operator="ne", gradient=False, samples=[_WHOLE],
)
def not_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where `x1 != x2`.

    Example:
        >>> pyml.ops.not_equal([1, 2, 3], 2).numpy()
        array([ True, False,  True])
    """
    return binary(prims.not_equal, x1, x2, "not_equal")


@op(family=families.PAIR_TRUTH, like="numpy.less", operator="lt", gradient=False, samples=[_PAIR, _WHOLE])
def less(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where `x1 < x2`.

    Example:
        >>> pyml.ops.less([1, 2, 3], 2).numpy()
        array([ True, False, False])
    """
    return arithmetic(prims.less, x1, x2, "less")


@op(family=families.PAIR_TRUTH, like="numpy.less_equal", operator="le", gradient=False, samples=[_PAIR, _WHOLE])
def less_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where `x1 <= x2`.

    Example:
        >>> pyml.ops.less_equal([1, 2, 3], 2).numpy()
        array([ True,  True, False])
    """
    return arithmetic(prims.less_equal, x1, x2, "less_equal")


@op(family=families.PAIR_TRUTH, like="numpy.greater", operator="gt", gradient=False, samples=[_PAIR, _WHOLE])
def greater(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where `x1 > x2`.

    Example:
        >>> pyml.ops.greater([1, 2, 3], 2).numpy()
        array([False, False,  True])
    """
    return arithmetic(prims.greater, x1, x2, "greater")


@op(family=families.PAIR_TRUTH, like="numpy.greater_equal", operator="ge", gradient=False, samples=[_PAIR, _WHOLE])
def greater_equal(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where `x1 >= x2`.

    Example:
        >>> pyml.ops.greater_equal([1, 2, 3], 2).numpy()
        array([False,  True,  True])
    """
    return arithmetic(prims.greater_equal, x1, x2, "greater_equal")


@op(family=families.PAIR_TRUTH, like="numpy.logical_and", operator="logical_and", gradient=False, samples=[_TRUTH])
def logical_and(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where both `x1` and `x2` hold (are not 0): bool; shapes broadcast.

    Example:
        >>> pyml.ops.logical_and([True, True], [True, False]).numpy()
        array([ True, False])
    """
    return Tensor(prims.logical_and(*elementwise_nodes(x1, x2, dtype="bool", what="logical_and")))


@op(family=families.PAIR_TRUTH, like="numpy.logical_or", operator="logical_or", gradient=False, samples=[_TRUTH])
def logical_or(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where `x1` or `x2` holds (is not 0): bool; shapes broadcast.

    Example:
        >>> pyml.ops.logical_or([True, False], [False, False]).numpy()
        array([ True, False])
    """
    return Tensor(prims.logical_or(*elementwise_nodes(x1, x2, dtype="bool", what="logical_or")))


@op(family=families.PAIR_TRUTH, like="numpy.logical_xor", operator="logical_xor", gradient=False, samples=[_TRUTH])
def logical_xor(x1: TensorLike, x2: TensorLike) -> Tensor:
    """Where exactly one of `x1` and `x2` holds: bool; shapes broadcast.

    Example:
        >>> pyml.ops.logical_xor([True, False], [True, True]).numpy()
        array([False,  True])
    """
    return Tensor(prims.not_equal(*elementwise_nodes(x1, x2, dtype="bool", what="logical_xor")))


@op(
    family=families.EACH_TRUTH,
    complex_parts=lambda m, z: m.equal(z, 0.0),
    like="numpy.logical_not", operator="logical_not", gradient=False, samples=[sample(draw(5, low=0, high=2, dtype="bool"))],
)
def logical_not(x: TensorLike) -> Tensor:
    """Where `x` does not hold (is 0).

    Example:
        >>> pyml.ops.logical_not([True, False]).numpy()
        array([False,  True])
    """
    return Tensor(prims.logical_not(prims.cast(as_node(x), dtype="bool")))


def _bits(prim: Primitive, logical: Callable[..., Tensor], x: TensorLike, y: TensorLike, what: str) -> Tensor:
    a, b = elementwise_nodes(x, y, what=what)
    if a.dtype == "bool":
        return logical(Tensor(a), Tensor(b))
    if a.dtype == "float32":
        raise DtypeError(f"{what}: operands must hold integers or booleans. Received: float32; cast them first.")
    return Tensor(prim(a, b))


@op(family=families.PAIR_BITS, like="numpy.bitwise_and", operator="and", gradient=False, samples=[_WHOLE, _TRUTH])
def bitwise_and(x: TensorLike, y: TensorLike) -> Tensor:
    """`x & y` bit by bit, of integers; of booleans as such. Shapes broadcast.

    Example:
        >>> pyml.ops.bitwise_and([3, 4], 2).numpy()
        array([2, 0], dtype=int32)
    """
    return _bits(prims.bitwise_and, logical_and, x, y, "bitwise_and")


@op(family=families.PAIR_BITS, like="numpy.bitwise_or", operator="or", gradient=False, samples=[_WHOLE, _TRUTH])
def bitwise_or(x: TensorLike, y: TensorLike) -> Tensor:
    """`x | y` bit by bit, of integers; of booleans as such. Shapes broadcast.

    Example:
        >>> pyml.ops.bitwise_or([3, 4], 2).numpy()
        array([3, 6], dtype=int32)
    """
    return _bits(prims.bitwise_or, logical_or, x, y, "bitwise_or")


@op(family=families.PAIR_BITS, like="numpy.bitwise_xor", operator="xor", gradient=False, samples=[_WHOLE, _TRUTH])
def bitwise_xor(x: TensorLike, y: TensorLike) -> Tensor:
    """`x ^ y` bit by bit, of integers; of booleans as such. Shapes broadcast.

    Example:
        >>> pyml.ops.bitwise_xor([3, 4], 2).numpy()
        array([1, 6], dtype=int32)
    """
    return _bits(prims.bitwise_xor, logical_xor, x, y, "bitwise_xor")


def _shift(prim: Primitive, x: TensorLike, y: TensorLike, what: str) -> Tensor:
    if elementwise_nodes(x, y, what=what)[0].dtype == "float32":
        raise DtypeError(f"{what}: operands must hold integers. Received: float32; cast them first.")
    return arithmetic(prim, x, y, what)


@op(like="numpy.left_shift", operator="lshift", gradient=False, samples=[_WHOLE])
def left_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """`x << y`, of integers; shapes broadcast.

    Args:
        x: Tensor of integers.
        y: How many bits, integers.

    Returns:
        A tensor of the common dtype, in the shape that both broadcast to.

    Raises:
        ShapeError: The shapes do not broadcast.
        DtypeError: An operand holds floats.

    Source: `keras.ops.bitwise_left_shift`, `numpy.left_shift`.

    Example:
        >>> pyml.ops.left_shift([1, 3], 2).numpy()
        array([ 4, 12], dtype=int32)
    """
    return _shift(prims.left_shift, x, y, "left_shift")


@op(like="numpy.right_shift", operator="rshift", gradient=False, samples=[_WHOLE])
def right_shift(x: TensorLike, y: TensorLike) -> Tensor:
    """`x >> y`, of integers; the sign stays. Shapes broadcast.

    Args:
        x: Tensor of integers.
        y: How many bits, integers.

    Returns:
        A tensor of the common dtype, in the shape that both broadcast to.

    Raises:
        ShapeError: The shapes do not broadcast.
        DtypeError: An operand holds floats.

    Source: `keras.ops.bitwise_right_shift`, `numpy.right_shift`.

    Example:
        >>> pyml.ops.right_shift([4, -12], 2).numpy()
        array([ 1, -3], dtype=int32)
    """
    return _shift(prims.right_shift, x, y, "right_shift")


@op(
    family=families.EACH_TRUTH,
    complex_parts=lambda m, z: m.logical_or(m.isnan(z.real), m.isnan(z.imag)),
    like="numpy.isnan", gradient=False, samples=[sample(draw(2, 3))],
)
def isnan(x: TensorLike) -> Tensor:
    """Where `x` is NaN.

    Example:
        >>> pyml.ops.isnan([np.nan, np.inf, 1.]).numpy()
        array([ True, False, False])
    """
    return floating(prims.isnan, x)


@op(
    family=families.EACH_TRUTH,
    complex_parts=lambda m, z: m.logical_or(m.isinf(z.real), m.isinf(z.imag)),
    like="numpy.isinf", gradient=False, samples=[sample(draw(2, 3))],
)
def isinf(x: TensorLike) -> Tensor:
    """Where `x` is infinite.

    Example:
        >>> pyml.ops.isinf([np.nan, np.inf, 1.]).numpy()
        array([False,  True, False])
    """
    return floating(prims.isinf, x)


@op(
    family=families.EACH_TRUTH,
    complex_parts=lambda m, z: m.logical_and(m.isfinite(z.real), m.isfinite(z.imag)),
    like="numpy.isfinite", gradient=False, samples=[sample(draw(2, 3))],
)
def isfinite(x: TensorLike) -> Tensor:
    """Where `x` is neither NaN nor infinite.

    Example:
        >>> pyml.ops.isfinite([np.nan, np.inf, 1.]).numpy()
        array([False, False,  True])
    """
    return floating(prims.isfinite, x)


@op(
    complex_parts=complex_formulas.where, dtypes="rest",
    like="numpy.where", samples=[sample(draw(2, 3, low=0, high=2, dtype="bool"), draw(2, 3), draw(3))],
)
def where(condition: TensorLike, x1: TensorLike | None = None, x2: TensorLike | None = None) -> Tensor:
    """`x1` where `condition` holds, else `x2`, in the common dtype; all three broadcast to the shape of the result.

    Without `x1` and `x2` it is `nonzero(condition)`, a tuple of indices, which is read back and so not for programs.

    Args:
        condition: Tensor of booleans; of others, what is not 0 holds.
        x1: What is taken where it holds, a tensor or number.
        x2: What is taken elsewhere.

    Returns:
        A tensor of the common dtype of `x1` and `x2`, in the shape that all three broadcast to; without both a tuple of int32 vectors.

    Raises:
        ValueError: One of `x1` and `x2` is missing.
        ShapeError: The shapes do not broadcast.
        TraceError: Both are missing while a program is traced, or with a symbolic condition.

    Example:
        >>> pyml.ops.where([True, False], [1., 2.], 0.).numpy()
        array([1., 0.], dtype=float32)
    """
    if x1 is None and x2 is None:
        return places_of(condition, "where")  # type: ignore[return-value]  # what almost all callers write returns a Tensor
    if x1 is None or x2 is None:
        raise ValueError("where: give both x1 and x2, or neither for the indices of what is true. Received: one of them")
    c = prims.cast(as_node(condition), dtype="bool")
    a, b = elementwise_nodes(x1, x2, what="where")
    shape = broadcast_shapes(c.shape, a.shape, what="where")
    return Tensor(prims.where(*(prims.broadcast_to(n, shape) for n in (c, a, b))))


@op(
    like="numpy.invert",
    operator="invert",
    gradient=False,
    samples=[sample(draw(5, low=-9, high=9, dtype="int32")), sample(draw(5, low=0, high=2, dtype="bool"))],
)
def bitwise_not(x: TensorLike) -> Tensor:
    """All bits of integers turned, `-x - 1`; of booleans their opposite. In the shape and dtype of `x`.

    Args:
        x: Tensor of integers or booleans.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        DtypeError: `x` is neither.

    Source: `keras.ops.bitwise_invert`, `numpy.invert`.

    Example:
        >>> pyml.ops.bitwise_not([0, 5]).numpy()
        array([-1, -6], dtype=int32)
    """
    node = as_node(x)
    if node.dtype == "bool":
        return logical_not(x)
    if node.dtype == "float32":
        raise DtypeError("bitwise_not: x must hold integers or booleans. Received: float32; cast it first.")
    return bitwise_xor(Tensor(node), Tensor(prims.full(node.shape, -1 if node.dtype == "int32" else 2**32 - 1, node.dtype)))
