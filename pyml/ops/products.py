"""Matrix products."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from ..core.tensor import Tensor, as_node, broadcast_shapes
from ..core.types import TensorLike
from ..dtypes import promote
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from .arithmetic import multiply
from .axes import ordered_axes
from .declare import draw, op, sample

__all__ = [
    "dot", "matmul", "outer", "tensordot",
]  # fmt: skip

_WHOLE_AT_ONCE = 2**24  # products of integers in one sum: what numpy's device holds of them at a time


def whole_product(a: Node, b: Node) -> Node:
    """The product of matrices of integers, or of equal batches of them, every digit of it: kernels of floats would round."""
    *lead, m, k = a.shape
    n = b.shape[-1]
    step = max(1, _WHOLE_AT_ONCE // max(1, prod(lead) * m * n))
    total = prims.full((*lead, m, n), 0, a.dtype)
    for first in range(0, k, step):
        last = min(k, first + step)
        rows = prims.slice_(a, [*(0 for _ in lead), 0, first], [*lead, m, last])
        columns = prims.slice_(b, [*(0 for _ in lead), first, 0], [*lead, last, n])
        columns = prims.permute(columns, [*range(len(lead)), len(lead) + 1, len(lead)])
        wide = (*lead, m, n, last - first)
        products = prims.mul(
            prims.broadcast_to(prims.reshape(rows, (*lead, m, 1, last - first)), wide),
            prims.broadcast_to(prims.reshape(columns, (*lead, 1, n, last - first)), wide),
        )
        total = prims.add(total, prims.reduce_sum(products, (len(wide) - 1,)))
    return total


@op(
    complex_parts="crosswise",
    dtypes="product",
    like="numpy.matmul", operator="matmul",
    samples=[sample(draw(2, 3), draw(3, 4)), sample(draw(5, 2, 3), draw(5, 3, 2)), sample(draw(3), draw(3)),
             sample([[16777217, 1]], [[1], [1]]), sample(draw(2, 2, 3, low=-9, high=9, dtype="int32"), [1, -2, 3]),
             sample(draw(2, 3, low=0, high=2, dtype="bool"), draw(3, 2, low=0, high=2, dtype="bool"))],
)  # fmt: skip
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The matrix product over the last two axes; leading axes broadcast, operands with one axis are vectors.

    Args:
        x1: `(..., rows, inner)` or `(inner,)`.
        x2: `(..., inner, columns)` or `(inner,)`.

    Returns:
        `(..., rows, columns)` in the common dtype, without the axis that a vector lacks. Products of integers are exact; of
        booleans it says whether any pair holds.

    Raises:
        ShapeError: The inner sizes differ, the leading axes do not broadcast, or an operand is a number.

    Example:
        >>> pyml.ops.matmul([[1., 2.], [3., 4.]], [1., 1.]).numpy()
        array([3., 7.], dtype=float32)
    """
    a, b = as_node(x1), as_node(x2)
    kind = promote(a.dtype, b.dtype)
    dtype = "float32" if kind == "bool" else kind
    product = prims.matmul if dtype == "float32" else whole_product
    a, b = prims.cast(a, dtype=dtype), prims.cast(b, dtype=dtype)
    if not a.ndim or not b.ndim:
        raise ShapeError(f"matmul: operands must have at least one axis; shapes are {a.shape} and {b.shape}.")
    rows, cols = a.ndim > 1, b.ndim > 1
    a = a if rows else prims.reshape(a, (1, *a.shape))
    b = b if cols else prims.reshape(b, (*b.shape, 1))
    if a.shape[-1] != b.shape[-2]:
        raise ShapeError(f"matmul: x1 is {as_node(x1).shape} and x2 is {as_node(x2).shape}; {a.shape[-1]} != {b.shape[-2]}.")
    m, k, n = a.shape[-2], a.shape[-1], b.shape[-1]
    if b.ndim == 2:
        lead = a.shape[:-2]
        out = product(prims.reshape(a, (prod(lead) * m, k)), b)
    else:
        lead = broadcast_shapes(a.shape[:-2], b.shape[:-2], what="matmul")
        a = prims.reshape(prims.broadcast_to(a, (*lead, m, k)), (prod(lead), m, k))
        b = prims.reshape(prims.broadcast_to(b, (*lead, k, n)), (prod(lead), k, n))
        out = product(a, b)
    out = prims.cast(out, dtype=kind)
    return Tensor(prims.reshape(out, (*lead, *((m,) if rows else ()), *((n,) if cols else ()))))


@op(
    complex_parts="crosswise",
    counted=True,
    like="numpy.dot",
    samples=[sample(draw(2, 3), draw(3, 4)), sample(draw(3), draw(3)), sample(2.0, draw(3)), sample(draw(2, 2, 3), draw(3, 4))],
)
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """numpy's dot, in the common dtype: of numbers, vectors or matrices, over the last axis of `x1` and the last but one of `x2`.

    Args:
        x1, x2: Tensors, or numbers.

    Returns:
        A tensor of the common dtype: `x1`'s shape without its last axis, then `x2`'s without its last but one.

    Raises:
        ShapeError: These axes have different sizes.

    Example:
        >>> pyml.ops.dot([1., 2.], [3., 4.]).item()
        11.0
    """
    a, b = as_node(x1), as_node(x2)
    if not a.ndim or not b.ndim:
        return multiply(x1, x2)
    return tensordot(x1, x2, axes=([a.ndim - 1], [max(0, b.ndim - 2)]))


@op(
    complex_parts="crosswise",
    like="numpy.tensordot", samples=[sample(draw(2, 3, 4), draw(3, 4, 5)), sample(draw(2, 3), draw(4, 3), axes=([1], [1]))],
)
def tensordot(x1: TensorLike, x2: TensorLike, axes: int | Sequence[Any] = 2) -> Tensor:
    """The sum of products over pairs of axes.

    Args:
        x1, x2: Tensors.
        axes: How many of the last axes of `x1` meet as many of the first of `x2`, or two lists of axes.

    Returns:
        The common dtype; the axes of `x1` that are left, then those of `x2`.

    Raises:
        ShapeError: An axis is out of range, or axes that meet have different sizes.

    Example:
        >>> pyml.ops.tensordot(np.ones((2, 3)), np.ones((3, 4)), axes=1).shape
        (2, 4)
    """
    a, b = as_node(x1), as_node(x2)
    if isinstance(axes, int):
        if not 0 <= axes <= min(a.ndim, b.ndim):
            raise ShapeError(f"tensordot: axes={axes} must give the same number of axes for both. Received: shapes {a.shape} and {b.shape}")
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    elif not isinstance(axes, (tuple, list)) or len(axes) != 2:
        raise ShapeError(f"tensordot: axes must be a number of axes, or two lists of them. Received: axes={axes!r}")
    else:
        left, right = (list(ordered_axes(v, n.ndim, "tensordot")) for v, n in zip(axes, (a, b), strict=True))
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ShapeError(f"tensordot: axes {left} of {a.shape} and {right} of {b.shape} have different sizes.")
    keep_a = [i for i in range(a.ndim) if i not in left]
    keep_b = [i for i in range(b.ndim) if i not in right]
    k = prod(a.shape[i] for i in left)
    shape = [a.shape[i] for i in keep_a] + [b.shape[i] for i in keep_b]
    a = prims.reshape(prims.permute(a, keep_a + left), (prod(a.shape[i] for i in keep_a), k))
    b = prims.reshape(prims.permute(b, right + keep_b), (k, prod(b.shape[i] for i in keep_b)))
    return Tensor(prims.reshape(matmul(Tensor(a), Tensor(b))._node, shape))


@op(complex_parts="crosswise", counted=True, like="numpy.outer", samples=[sample(draw(3), draw(2)), sample(draw(2, 2), draw(3))])
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """All products of an element of `x1` and one of `x2`, in the common dtype: `(x1.size, x2.size)`.

    Args:
        x1, x2: Tensors, or numbers.

    Returns:
        A tensor of the common dtype: `(x1.size, x2.size)`.

    Example:
        >>> pyml.ops.outer([1, 2], [10, 20]).numpy()
        array([[10, 20],
               [20, 40]], dtype=int32)
    """
    a, b = as_node(x1), as_node(x2)
    return multiply(Tensor(prims.reshape(a, (a.size, 1))), Tensor(prims.reshape(b, (1, b.size))))
