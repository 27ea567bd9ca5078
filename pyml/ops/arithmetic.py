"""Arithmetic element by element: operands broadcast, Python numbers take the dtype of the tensors."""

from __future__ import annotations

from ..core.tensor import Tensor, as_node, elementwise_nodes
from ..core.types import TensorLike
from ..errors import DtypeError
from ..graph import prims
from ..graph.node import Node
from . import complex_formulas, families
from .apply import arithmetic, binary, unary
from .declare import draw, op, sample

__all__ = [
    "abs", "absolute", "add", "clip", "divide", "floor_divide", "maximum", "minimum", "mod", "multiply", "negative", "power",
    "reciprocal", "sign", "square", "subtract", "true_divide",
]  # fmt: skip

_PAIR = sample(draw(2, 3), draw(2, 3))
_BROADCAST = sample(draw(2, 1), draw(3))
_WHOLE = sample(draw(2, 3, low=-9, high=9, dtype="int32"), draw(3, low=1, high=5, dtype="int32"))
_POSITIVE = sample(draw(2, 3, low=0.5), draw(2, 3, low=0.5))


def _number(x: TensorLike) -> TensorLike:
    """`x`, with int32 in the place of a tensor of booleans."""
    node = as_node(x)
    return Tensor(prims.cast(node, dtype="int32")) if node.dtype == "bool" else x


@op(complex_parts=complex_formulas.sum_of, like="numpy.add", operator="add", samples=[_PAIR, _BROADCAST, _WHOLE, sample(draw(3), 2.0)])
def add(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 + x2`, element by element.

    Args:
        x1, x2: Tensors whose shapes broadcast; the result has the common shape and dtype. Booleans count as 0 and 1;
            of two of them the result is a boolean, whether the sum is not 0.

    Returns:
        A tensor of the common dtype, in the shape that both broadcast to.

    Raises:
        ShapeError: The shapes do not broadcast.

    Example:
        >>> pyml.ops.add([1, 2], [[10], [20]]).numpy()
        array([[11, 12],
               [21, 22]], dtype=int32)
    """
    return arithmetic(prims.add, x1, x2, "add")


@op(
    family=families.PAIR,
    complex_parts=complex_formulas.difference,
    like="numpy.subtract", operator="sub", samples=[_PAIR, _BROADCAST, _WHOLE, sample(1.0, draw(3))],
)
def subtract(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 - x2`, element by element; shapes and dtypes as for `add`.

    Example:
        >>> pyml.ops.subtract([3., 2.], 1).numpy()
        array([2., 1.], dtype=float32)
    """
    return arithmetic(prims.sub, x1, x2, "subtract")


@op(
    family=families.PAIR,
    complex_parts="crosswise", like="numpy.multiply", operator="mul", samples=[_PAIR, _BROADCAST, _WHOLE, sample(draw(3), 2.0)],
)
def multiply(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 * x2`, element by element; shapes and dtypes as for `add`.

    Example:
        >>> pyml.ops.multiply([1., 2.], [3., 4.]).numpy()
        array([3., 8.], dtype=float32)
    """
    return arithmetic(prims.mul, x1, x2, "multiply")


@op(
    family=families.PAIR_FLOAT,
    complex_parts=complex_formulas.quotient,
    like="numpy.divide", samples=[_POSITIVE, sample(draw(2, 1), draw(3, low=0.5)), _WHOLE],
)
def divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 / x2`, element by element; shapes broadcast. By 0 it is infinite, and 0 / 0 is NaN.

    Example:
        >>> pyml.ops.divide([1, 3], 2).numpy()
        array([0.5, 1.5], dtype=float32)
    """
    return _quotient(x1, x2, "divide")


def _quotient(x1: TensorLike, x2: TensorLike, what: str) -> Tensor:
    a, b = elementwise_nodes(x1, x2, what=what)
    return Tensor(prims.div(prims.cast(a, dtype="float32"), prims.cast(b, dtype="float32")))


@op(family=families.PAIR_FLOAT, complex_parts=complex_formulas.quotient, like="numpy.divide", operator="truediv", samples=[_WHOLE])
def true_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 / x2`, as `divide`; the operator `/` of tensors is this one, so that models name it as Keras does.

    Example:
        >>> pyml.ops.true_divide([1, 3], 2).numpy()
        array([0.5, 1.5], dtype=float32)
    """
    return _quotient(x1, x2, "true_divide")


@op(
    family=families.PAIR,
    like="numpy.floor_divide", operator="floordiv", gradient=False, flat=True, samples=[_WHOLE, sample(draw(4), 0.75)],
)
def floor_divide(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The largest integer not above `x1 / x2`.

    Example:
        >>> pyml.ops.floor_divide([7, -7], 2).numpy()
        array([ 3, -4], dtype=int32)
    """
    return arithmetic(prims.floor_divide, x1, x2, "floor_divide")


@op(family=families.PAIR, like="numpy.mod", operator="mod", gradient=False, samples=[_WHOLE, sample(draw(4), 0.75)])
def mod(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The remainder of `x1 / x2`, with the sign of `x2`, in the common dtype, int32 of booleans; shapes broadcast.

    Example:
        >>> pyml.ops.mod([7, -7], 3).numpy()
        array([1, 2], dtype=int32)
    """
    a, b = elementwise_nodes(x1, x2, what="mod")
    return binary(prims.mod, _number(Tensor(a)), _number(Tensor(b)), "mod")


@op(
    family=families.PAIR,
    complex_parts=complex_formulas.power,
    like="numpy.power", operator="pow", samples=[_POSITIVE, sample(draw(2, 3), 2.0), sample(2.0, draw(3))],
)
def power(x1: TensorLike, x2: TensorLike) -> Tensor:
    """`x1 ** x2`, element by element, in the common dtype; a negative base needs a whole exponent, else it is NaN. Shapes broadcast.

    Example:
        >>> pyml.ops.power([2., 3.], 2).numpy()
        array([4., 9.], dtype=float32)
    """
    return arithmetic(prims.pow_, x1, x2, "power")


@op(family=families.PAIR, like="numpy.maximum", samples=[_PAIR, _BROADCAST, _WHOLE])
def maximum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The larger of `x1` and `x2`, element by element, in the common dtype; a NaN in either wins. Shapes broadcast.

    Example:
        >>> pyml.ops.maximum([-1., 2.], 0).numpy()
        array([0., 2.], dtype=float32)
    """
    return arithmetic(prims.maximum, x1, x2, "maximum")


@op(family=families.PAIR, like="numpy.minimum", samples=[_PAIR, _BROADCAST, _WHOLE])
def minimum(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The smaller of `x1` and `x2`, element by element, in the common dtype; a NaN in either wins. Shapes broadcast.

    Example:
        >>> pyml.ops.minimum([-1., 2.], 0).numpy()
        array([-1.,  0.], dtype=float32)
    """
    return arithmetic(prims.minimum, x1, x2, "minimum")


@op(dtypes="limits", like="numpy.clip", samples=[sample(draw(2, 3), -0.5, 0.75)])
def clip(x: TensorLike, x_min: TensorLike | None, x_max: TensorLike | None) -> Tensor:
    """`x` limited to `x_min` … `x_max`, whose shapes broadcast with its own, in the common dtype (int32 for booleans, float16 for
    float16); NaN stays NaN.

    Args:
        x: Tensor of any shape.
        x_min: The least, a number or tensor; None for none, which Keras refuses.
        x_max: The greatest, likewise.

    Returns:
        A tensor of the common dtype, in the shape that all broadcast to.

    Example:
        >>> pyml.ops.clip([-2., 0.5, 2.], -1, 1).numpy()
        array([-1. ,  0.5,  1. ], dtype=float32)
    """
    if isinstance(x_min, (int, float)) and isinstance(x_max, (int, float)) and x_min <= x_max and as_node(x).dtype == "float32":
        return Tensor(_cut(as_node(x), float(x_min), float(x_max)))
    above = _number(x) if x_min is None else maximum(_number(x), x_min)
    found = as_node(above if x_max is None else minimum(above, x_max))
    if found.dtype == "float32":  # with a slope of 1 at the bounds here too, and none of theirs
        kept = Tensor(prims.broadcast_to(prims.cast(as_node(x), dtype="float32"), found.shape))
        inside = [holds(*elementwise_nodes(kept, bound)) for bound, holds in ((x_min, prims.greater_equal), (x_max, prims.less_equal))
                  if bound is not None]  # fmt: skip
        found = prims.where(inside[0] if len(inside) == 1 else prims.logical_and(*inside), kept._node, found) if inside else found
    return Tensor(found)


def _cut(x: Node, low: float, high: float) -> Node:
    """`x` limited to two numbers, with a slope of 1 at both, where `minimum` and `maximum` would have a half."""
    least, most = (prims.full(x.shape, bound, "float32") for bound in (low, high))
    return prims.where(prims.greater(x, most), most, prims.where(prims.less(x, least), least, x))


@op(
    complex_parts="each",
    like="numpy.negative", operator="neg", samples=[sample(draw(2, 3)), sample(draw(4, low=-9, high=9, dtype="int32"))],
)
def negative(x: TensorLike) -> Tensor:
    """`-x`.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`.

    Raises:
        DtypeError: `x` holds booleans.

    Example:
        >>> pyml.ops.negative([1, -2]).numpy()
        array([-1,  2], dtype=int32)
    """
    if as_node(x).dtype == "bool":
        raise DtypeError("negative: a boolean has no sign. Received: bool; write ~x for its opposite, or cast it first.")
    return unary(prims.neg, x)


@op(
    family=families.EACH,
    complex_parts=complex_formulas.absolute,
    like="numpy.absolute", operator="abs", samples=[sample(draw(2, 3)), sample(draw(4, low=-9, high=9, dtype="int32"))],
)
def absolute(x: TensorLike) -> Tensor:
    """`|x|`.

    Source: `keras.ops.abs`, `numpy.absolute`.

    Example:
        >>> pyml.ops.absolute([1., -2.]).numpy()
        array([1., 2.], dtype=float32)
    """
    return unary(prims.abs_, x)


abs = absolute


@op(
    family=families.EACH,
    complex_parts=complex_formulas.sign,
    like="numpy.sign", gradient=False, samples=[sample(draw(2, 3)), sample(draw(4, low=-2, high=3, dtype="int32"))],
)
def sign(x: TensorLike) -> Tensor:
    """-1, 0 or 1 by the sign of `x`.

    Example:
        >>> pyml.ops.sign([-0.5, 0., 7.]).numpy()
        array([-1.,  0.,  1.], dtype=float32)
    """
    return unary(prims.sign, x) if as_node(x).dtype != "bool" else Tensor(as_node(x))


@op(
    complex_parts=lambda m, z: complex_formulas.product(z, z),
    like="numpy.square", samples=[sample(draw(2, 3)), sample(draw(4, low=-9, high=9, dtype="int32"))],
)
def square(x: TensorLike) -> Tensor:
    """`x * x`, in the shape and dtype of `x`; int32 of booleans.

    Args:
        x: Tensor of any shape.

    Returns:
        A tensor of the shape and dtype of `x`, int32 of booleans.

    Example:
        >>> pyml.ops.square([2, -3]).numpy()
        array([4, 9], dtype=int32)
    """
    return unary(prims.square, _number(x))


@op(
    family=families.EACH_FLOAT,
    complex_parts=lambda m, z: complex_formulas.quotient(m, 1.0, z), like="numpy.reciprocal", samples=[sample(draw(2, 3, low=0.5))],
)
def reciprocal(x: TensorLike) -> Tensor:
    """`1 / x`.

    Example:
        >>> pyml.ops.reciprocal([2., -4.]).numpy()
        array([ 0.5 , -0.25], dtype=float32)
    """
    return divide(1.0, x)
