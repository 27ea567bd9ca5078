"""What is close, what is out of the ordinary, and NaN and infinity put right."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.custom import custom_gradient
from ..core.tensor import Tensor, as_node, elementwise_nodes
from ..core.types import TensorLike
from ..dtypes import promote
from ..graph import prims
from ..graph.node import Node
from . import complex_formulas, families
from .apply import as_float
from .arithmetic import abs as _abs
from .declare import draw, op, sample
from .logic import equal, isinf, isnan, less, where
from .reduce import all as _all
from .reduce import any as _any
from .shaping import expand_dims, ravel

__all__ = [
    "allclose", "heaviside", "isclose", "isin", "isneginf", "isposinf", "isreal", "nan_to_num", "nextafter", "signbit",
]  # fmt: skip

_ODD = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 2.5], np.float32)
_WHOLE = draw(2, 3, low=0, high=4, dtype="int32")
_COMPARED = 64  # elements that each is compared with; of more those are sorted that many look for
_FINITE = float(np.finfo(np.float32).max)


@op(
    complex_parts=complex_formulas.isclose,
    like="numpy.isclose",
    gradient=False,
    samples=[sample(draw(2, 1), draw(3), rtol=0.5), sample(_WHOLE, _WHOLE), sample(_ODD, _ODD), sample(_ODD, _ODD, equal_nan=True)],
)
def isclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Where `|x1 - x2| <= atol + rtol * |x2|`: bool; shapes broadcast. Infinities are close to themselves.

    Args:
        x1, x2: Tensors.
        rtol, atol: The relative and the absolute error allowed.
        equal_nan: Whether two NaNs are close.

    Returns:
        bool, in the shape that both broadcast to.

    Raises:
        ShapeError: The shapes do not broadcast.

    Example:
        >>> pyml.ops.isclose([1., 2.], [1.000001, 2.1]).numpy()
        array([ True, False])
    """
    a, b = (Tensor(n) for n in elementwise_nodes(x1, x2, dtype="float32", what="isclose"))
    near = equal(a, b) | ((_abs(a - b) <= atol + rtol * _abs(b)) & ~(isinf(a) | isinf(b)))
    return near | (isnan(a) & isnan(b)) if equal_nan else near


@op(
    complex_parts=lambda m, *args, **kwargs: m.all(m.isclose(*args, **kwargs)),
    like="numpy.allclose", gradient=False, samples=[sample(draw(2, 3), draw(3)), sample(_ODD, _ODD, equal_nan=True)],
)
def allclose(x1: TensorLike, x2: TensorLike, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether all elements are close, as `isclose` says: one bool.

    Args:
        x1, x2: Tensors, or numbers.
        rtol: The difference that is allowed, relative to `x2`.
        atol: The difference that is allowed beside that.
        equal_nan: Whether NaN is close to NaN.

    Returns:
        One bool, a tensor without axes.

    Raises:
        ShapeError: The shapes do not broadcast.

    Example:
        >>> bool(pyml.ops.allclose([1., 2.], [1.000001, 2.]))
        True
    """
    return _all(isclose(x1, x2, rtol, atol, equal_nan))


@op(
    like=lambda x1, x2, assume_unique=False, invert=False: np.isin(x1, x2, invert=invert),
    gradient=False,
    samples=[sample(_WHOLE, [1, 3]), sample(_WHOLE, draw(2, 2, low=0, high=4, dtype="int32"), invert=True), sample(_WHOLE, draw(0))],
)
def isin(x1: TensorLike, x2: TensorLike, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """Where an element of `x1` is one of those of `x2`: bool, in the shape of `x1`.

    Args:
        x1: Tensor.
        x2: The elements looked for, in any shape.
        assume_unique: Nothing here: each is compared with all, or looked for among many in order.
        invert: Say where it is none of them.

    Returns:
        bool, in the shape of `x1`.

    Source: `keras.ops.isin`.

    Example:
        >>> pyml.ops.isin([1, 2, 3], [3, 1]).numpy()
        array([ True, False,  True])
    """
    values, among = as_node(x1), as_node(x2)
    if among.size > _COMPARED and among.size * values.size > 1024 * _COMPARED:
        found = equal(Tensor(_nearest_in(among, values)), x1)
    else:
        found = _any(equal(expand_dims(x1, -1), ravel(x2)), axis=-1)
    return ~found if invert else found


def _nearest_in(among: Node, values: Node) -> Node:
    """For each value the least of `among` that is no less, or the largest."""
    dtype = promote(values.dtype, among.dtype)
    dtype = "int32" if dtype == "bool" else dtype
    row, wanted = (prims.cast(prims.reshape(x, (x.size,)), dtype=dtype) for x in (among, values))
    edges = prims.reshape(prims.sort_rows(prims.reshape(row, (1, row.size))), row.shape)
    last = prims.full(wanted.shape, row.size - 1, "int32")
    return prims.reshape(prims.gather(edges, prims.minimum(prims.search(edges, wanted), last)), values.shape)


@op(family=families.EACH_TRUTH, like="numpy.isposinf", gradient=False, samples=[sample(draw(2, 3)), sample(_ODD)])
def isposinf(x: TensorLike) -> Tensor:
    """Where `x` is `inf`.

    Example:
        >>> pyml.ops.isposinf([np.inf, -np.inf, 1.]).numpy()
        array([ True, False, False])
    """
    x = as_float(x)
    return isinf(x) & (x > 0.0)


@op(family=families.EACH_TRUTH, like="numpy.isneginf", gradient=False, samples=[sample(draw(2, 3)), sample(_ODD)])
def isneginf(x: TensorLike) -> Tensor:
    """Where `x` is `-inf`.

    Example:
        >>> pyml.ops.isneginf([np.inf, -np.inf, 1.]).numpy()
        array([False,  True, False])
    """
    x = as_float(x)
    return isinf(x) & (x < 0.0)


@op(
    family=families.EACH_TRUTH,
    complex_parts=lambda m, z: m.equal(z.imag, 0.0), like="numpy.isreal", gradient=False, samples=[sample(draw(2, 3)), sample(_ODD)],
)
def isreal(x: TensorLike) -> Tensor:
    """Where `x` has no imaginary part, so everywhere.

    Example:
        >>> pyml.ops.isreal([1., 2.]).numpy()
        array([ True,  True])
    """
    return Tensor(prims.full(as_node(x).shape, True, "bool"))


@op(
    family=families.EACH_TRUTH,
    like="numpy.signbit", gradient=False, samples=[sample(draw(2, 3)), sample(_ODD[1:]), sample(draw(4, low=-3, high=3, dtype="int32"))],
)
def signbit(x: TensorLike) -> Tensor:
    """Where the sign of `x` is set, that of -0.0 too.

    Example:
        >>> pyml.ops.signbit([-1., 0., -0.]).numpy()
        array([ True, False,  True])
    """
    node = as_node(x)
    if node.dtype in ("bool", "uint32"):
        return Tensor(prims.full(node.shape, False, "bool"))
    return less(Tensor(node if node.dtype == "int32" else prims.BITCAST(node, dtype="int32")), 0)


_LEAST = -(2**31)


def _next(x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    """The same in numpy: of float32 neighbours."""
    return np.nextafter(np.float32(x1), np.float32(x2))


@op(
    family=families.PAIR_FLOAT,
    counted=True,
    like=_next,
    gradient=False,  # that finite differences in float64 show
    tolerance=0.0,
    samples=[sample(_ODD, draw(6)), sample(draw(2, 1), draw(3)), sample([1.0, -1.0, 2.0], [np.inf, -np.inf, 2.0]),
             sample(draw(3), _ODD[:1])],
)  # fmt: skip
def nextafter(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The next float32 after `x1` on the way to `x2`; `x2` where they are equal, NaN where one is. Shapes broadcast.

    As on PyTorch the gradient is that of `x1`, and zeros where both are equal.

    Source: `keras.ops.nextafter`.

    Example:
        >>> pyml.ops.nextafter([1., 1.], [2., 0.]).numpy() - 1
        array([ 1.1920929e-07, -5.9604645e-08], dtype=float32)
    """
    a, b = elementwise_nodes(x1, x2, dtype="float32", what="nextafter")
    bits, there = (Tensor(prims.BITCAST(n, dtype="int32")) for n in (a, b))
    place, goal = (where(n < 0, _LEAST - n, n) for n in (bits, there))  # in the order of the numbers, both zeros at 0
    place = where(goal > place, place + 1, place - 1)
    moved = Tensor(prims.BITCAST(where(place < 0, _LEAST - place, place)._node, dtype="float32"))
    moved = where(isnan(Tensor(a)) | isnan(Tensor(b)), float("nan"), moved)
    beside = custom_gradient(lambda x: (moved, lambda upstream: upstream))(Tensor(a))
    there = custom_gradient(lambda x: (x, lambda upstream: upstream * 0.0))(Tensor(b))
    return where(equal(Tensor(a), Tensor(b)), there, beside)


@op(
    counted=True,
    like="numpy.heaviside",
    gradient=False,
    flat=True,
    samples=[sample(draw(2, 1), draw(3)), sample(_ODD, 0.5), sample(_WHOLE, 2)],
)
def heaviside(x1: TensorLike, x2: TensorLike) -> Tensor:
    """0 where `x1` is negative, 1 where it is positive, `x2` where it is 0, as float32 (booleans of two booleans); shapes broadcast.

    Args:
        x1, x2: Tensors, or numbers.

    Returns:
        float32 (bool of two booleans), in the shape that both broadcast to.

    Raises:
        ShapeError: The shapes do not broadcast.

    Example:
        >>> pyml.ops.heaviside([-2., 0., 3.], 0.5).numpy()
        array([0. , 0.5, 1. ], dtype=float32)
    """
    whether = all(isinstance(x, bool) or as_node(x).dtype == "bool" for x in (x1, x2))
    a, b = (Tensor(n) for n in elementwise_nodes(x1, x2, dtype="float32", what="heaviside"))
    step = where(equal(a, 0.0), b, where(isnan(a), a, (a > 0.0).astype("float32")))
    return step.astype("bool") if whether else step


def _put_right(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """The same in numpy, with the largest number of float32."""
    high, low = (_FINITE if posinf is None else posinf), (-_FINITE if neginf is None else neginf)
    return np.nan_to_num(x, nan=nan, posinf=high, neginf=low)


@op(dtypes="first", limited=True, like=_put_right, samples=[sample(draw(2, 3)), sample(_ODD), sample(_ODD, 1.0, 9.0, -9.0), sample(_WHOLE)])
def nan_to_num(x: TensorLike, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """`x` with numbers in the places of NaN and infinity.

    Args:
        x: Tensor.
        nan: For NaN.
        posinf, neginf: For `inf` and `-inf`; by default the largest and the smallest number of its dtype.

    Returns:
        A tensor of the shape and dtype of `x`.

    Source: `keras.ops.nan_to_num`.

    Example:
        >>> pyml.ops.nan_to_num([np.nan, np.inf, 1.], posinf=9.).numpy()
        array([0., 9., 1.], dtype=float32)
    """
    x = Tensor(as_node(x))
    if x.dtype != "float32":
        return x
    high, low = (_FINITE if posinf is None else posinf), (-_FINITE if neginf is None else neginf)
    infinite = where(x > 0.0, float(high), float(low))
    return where(isnan(x), float(nan), where(isinf(x), infinite, x))
