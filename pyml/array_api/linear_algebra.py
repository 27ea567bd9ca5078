"""The standard's products of arrays."""

from __future__ import annotations

from collections.abc import Sequence

from .. import ops
from ..core.tensor import Tensor
from ..errors import ShapeError

__all__ = [
    "matmul", "matrix_transpose", "tensordot", "vecdot",
]  # fmt: skip


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The product of matrices, of many at once, and of vectors."""
    return ops.matmul(x1, x2)


def matrix_transpose(x: Tensor, /) -> Tensor:
    """The last two axes changed for each other.

    Raises:
        ShapeError: There are fewer.
    """
    return x.mT


def tensordot(x1: Tensor, x2: Tensor, /, *, axes: int | Sequence[Sequence[int]] = 2) -> Tensor:
    """The sum of products over several axes: how many at the end of `x1` and the start of `x2`, or which."""
    return ops.tensordot(x1, x2, axes)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The sum of products along an axis, which counts from the end; the others broadcast. Of complex numbers `x1` is conjugated.

    Raises:
        ShapeError: The axis has two sizes, or is not counted from the end.
    """
    if not -min(x1.ndim, x2.ndim) <= axis < 0 or x1.shape[axis] != x2.shape[axis]:
        raise ShapeError(f"vecdot: axis {axis}, counted from the end, must have the same size. Received: shapes {x1.shape} and {x2.shape}")
    return ops.sum(ops.multiply(ops.conj(x1), x2), axis)
