"""Running sums and products along an axis."""

from __future__ import annotations

from math import prod as product

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..dtypes import standardize
from ..graph import prims
from . import complex_formulas, families
from .axes import one_axis
from .declare import draw, op, sample
from .logic import isnan, where
from .shaping import moveaxis, ravel

__all__ = [
    "cumprod", "cumsum", "nancumprod", "nancumsum",
]  # fmt: skip

_LINES = [sample(draw(2, 5), axis=1), sample(draw(3, 2)), sample(draw(40, 2), axis=0), sample(draw(2, 0), axis=-1)]
_WHOLE = [sample(draw(6, low=-3, high=3, dtype="int32")), sample(draw(5, low=0, high=2, dtype="bool"))]
_HOLES = np.array([[1.0, np.nan, 3.0], [np.nan, 2.0, 0.5]], np.float32)


def _running(x: TensorLike, axis: int | None, dtype: str | None, what: str) -> Tensor:
    node = as_node(x)
    node = prims.cast(node, dtype=standardize(dtype) if dtype else "int32" if node.dtype == "bool" else node.dtype)
    if axis is None:
        node, axis = ravel(Tensor(node))._node, 0
    a = one_axis(axis, node.ndim, what)
    moved = moveaxis(Tensor(node), a, -1)._node
    if not node.size:
        return Tensor(node)
    rows = prims.reshape(moved, (product(moved.shape[:-1]), moved.shape[-1]))
    found = prims.scan(rows, product=what.endswith("prod"))
    return moveaxis(Tensor(prims.reshape(found, moved.shape)), -1, a)


@op(complex_parts="each", like="numpy.cumsum", samples=[*_LINES, *_WHOLE])
def cumsum(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """The sum of each element and all before it along `axis`.

    Args:
        x: Tensor.
        axis: The axis; None means the flattened tensor.
        dtype: Name of the result's dtype, by default that of `x`; booleans count as int32.

    Returns:
        A tensor in the shape of `x` (one axis without `axis`), of `dtype` or its dtype (int32 of booleans).

    Raises:
        ShapeError: The axis is out of range.
        DtypeError: There is no such dtype.

    Example:
        >>> pyml.ops.cumsum([1, 2, 3]).numpy()
        array([1, 3, 6], dtype=int32)
    """
    return _running(x, axis, dtype, "cumsum")


@op(family=families.RUNNING, complex_parts=complex_formulas.cumprod, like="numpy.cumprod", samples=[*_LINES, *_WHOLE])
def cumprod(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """The product of each element and all before it along `axis`; arguments as for `cumsum`.

    Example:
        >>> pyml.ops.cumprod([1, 2, 3]).numpy()
        array([1, 2, 6], dtype=int32)
    """
    return _running(x, axis, dtype, "cumprod")


def _filled(x: TensorLike, number: float) -> Tensor:
    x = Tensor(as_node(x))
    return where(isnan(x), number, x) if x.dtype == "float32" else x


@op(family=families.RUNNING, like="numpy.nancumsum", samples=[*_LINES, *_WHOLE, sample(_HOLES, axis=1)])
def nancumsum(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """`cumsum` in which a NaN counts as 0, in the dtype of `cumsum`.

    Example:
        >>> pyml.ops.nancumsum([1., np.nan, 3.]).numpy()
        array([1., 1., 4.], dtype=float32)
    """
    return _running(_filled(x, 0.0), axis, dtype, "nancumsum")


@op(family=families.RUNNING, like="numpy.nancumprod", samples=[*_LINES, *_WHOLE, sample(_HOLES, axis=1)])
def nancumprod(x: TensorLike, axis: int | None = None, dtype: str | None = None) -> Tensor:
    """`cumprod` in which a NaN counts as 1, in the dtype of `cumprod`.

    Example:
        >>> pyml.ops.nancumprod([2., np.nan, 3.]).numpy()
        array([2., 2., 6.], dtype=float32)
    """
    return _running(_filled(x, 1.0), axis, dtype, "nancumprod")
