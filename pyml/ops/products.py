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
from .arithmetic import multiply
from .declare import op

__all__ = [
    "dot", "matmul", "outer", "tensordot",
]  # fmt: skip


@op(operator="matmul")
def matmul(x1: TensorLike, x2: TensorLike) -> Tensor:
    """The matrix product over the last two axes; leading axes broadcast, 1-D operands are vectors."""
    a, b = as_node(x1), as_node(x2)
    dtype = promote(a.dtype, b.dtype, "float32")
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
        out = prims.matmul(prims.reshape(a, (prod(lead) * m, k)), b)
    else:
        lead = broadcast_shapes(a.shape[:-2], b.shape[:-2], what="matmul")
        a = prims.reshape(prims.broadcast_to(a, (*lead, m, k)), (prod(lead), m, k))
        b = prims.reshape(prims.broadcast_to(b, (*lead, k, n)), (prod(lead), k, n))
        out = prims.matmul(a, b)
    return Tensor(prims.reshape(out, (*lead, *((m,) if rows else ()), *((n,) if cols else ()))))


@op()
def dot(x1: TensorLike, x2: TensorLike) -> Tensor:
    """numpy's dot: a product of numbers, vectors or matrices."""
    a, b = as_node(x1), as_node(x2)
    if not a.ndim or not b.ndim:
        return multiply(x1, x2)
    return tensordot(x1, x2, axes=([a.ndim - 1], [max(0, b.ndim - 2)]))


@op()
def tensordot(x1: TensorLike, x2: TensorLike, axes: int | Sequence[Any] = 2) -> Tensor:
    """The sum of products over pairs of axes: a number of trailing/leading axes, or two lists of axes."""
    a, b = as_node(x1), as_node(x2)
    if isinstance(axes, int):
        left, right = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        left, right = ([v] if isinstance(v, int) else list(v) for v in axes)
        left, right = [v % a.ndim for v in left], [v % b.ndim for v in right]
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise ShapeError(f"tensordot: axes {left} of {a.shape} and {right} of {b.shape} have different sizes.")
    keep_a = [i for i in range(a.ndim) if i not in left]
    keep_b = [i for i in range(b.ndim) if i not in right]
    k = prod(a.shape[i] for i in left)
    shape = [a.shape[i] for i in keep_a] + [b.shape[i] for i in keep_b]
    a = prims.reshape(prims.permute(a, keep_a + left), (prod(a.shape[i] for i in keep_a), k))
    b = prims.reshape(prims.permute(b, right + keep_b), (k, prod(b.shape[i] for i in keep_b)))
    return Tensor(prims.reshape(matmul(Tensor(a), Tensor(b))._node, shape))


@op()
def outer(x1: TensorLike, x2: TensorLike) -> Tensor:
    """All products of an element of x1 and one of x2."""
    a, b = as_node(x1), as_node(x2)
    return multiply(Tensor(prims.reshape(a, (a.size, 1))), Tensor(prims.reshape(b, (1, b.size))))
