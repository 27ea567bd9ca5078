"""Determinants, from LU factors."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..core.custom import custom_gradient
from ..core.tensor import Tensor
from ..core.types import TensorLike
from ..graph import prims
from ..graph.node import Node
from ..graph.prims.factor import LU, TRIANGULAR, rows_ordered
from ..graph.prims.matrices import diagonal_part, part, upper_part
from . import complex_matrices
from .arithmetic import absolute, multiply
from .declare import draw, op, sample
from .logic import equal, where
from .matrices import back, flat, matrices, unit
from .reduce import max as _max
from .reduce import prod as _prod

__all__ = [
    "det",
]  # fmt: skip


def pivots_of(x: Node) -> tuple[Node, Tensor, Tensor]:
    """LU factors of a flat batch, the diagonal of U `(batch, n)`, and what exchanging rows did to the sign `(batch,)`."""
    batch, n, _ = x.shape
    factors = LU(x)
    ones = prims.full((batch, n, 1), 1.0, "float32")
    diagonal = prims.matmul(diagonal_part(part(factors, (0, n), (0, n))), ones)
    swapped = prims.reshape(part(factors, (0, n), (n, n + 1)), (batch, n))
    stayed = prims.equal(swapped, prims.broadcast_to(prims.cast(prims.iota(n), dtype="float32"), (batch, n)))
    return factors, Tensor(prims.reshape(diagonal, (batch, n))), _prod(where(Tensor(stayed), 1.0, -1.0), axis=1)


def _cofactors(x: Node) -> Tensor:
    """The derivative of determinants, `det(x) x^-T`, of singular matrices too: a pivot of 0 is taken for a very small one."""
    batch, n, _ = x.shape
    factors, diagonal, swaps = pivots_of(x)
    small = _max(absolute(diagonal), axis=1, keepdims=True) * 1e-6
    filled = where(equal(diagonal, 0.0), where(equal(small, 0.0), 1e-30, small), diagonal)
    factor = part(factors, (0, n), (0, n))
    more = prims.broadcast_to(prims.reshape((filled - diagonal)._node, (batch, n, 1)), x.shape)
    upper = prims.add(upper_part(factor), diagonal_part(more))
    inner = TRIANGULAR(upper, unit(*x.shape), lower=False, transposed=True, unit=False)
    inner = TRIANGULAR(factor, inner, lower=True, transposed=True, unit=True)
    inverse = Tensor(rows_ordered(part(factors, (0, n), (n + 1, n + 2)), inner, back=True))
    return multiply(inverse, Tensor(prims.reshape((_prod(filled, axis=1) * swaps)._node, (batch, 1, 1))))


def _det(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    _, diagonal, swaps = pivots_of(x._node)
    spread = lambda g: Tensor(prims.reshape(g._node, (x.shape[0], 1, 1)))
    return _prod(diagonal, axis=1) * swaps, lambda g: spread(g) * _cofactors(x._node)


@op(complex_parts=complex_matrices.det,
    like=np.linalg.det, samples=[sample(draw(3, 3)), sample(draw(2, 2, 4, 4)), sample(np.zeros((0, 0), np.float32))])
def det(x: TensorLike) -> Tensor:
    """The determinant of square matrices: float32 `(...)` of `(..., n, n)`. More than 32 rows are the host's work.

    Args:
        x: Square matrices `(..., n, n)`.

    Returns:
        float32, in the shape of `x` without its last two axes.

    Raises:
        ShapeError: `x` is not square.

    Source: `keras.ops.linalg.det`.

    Example:
        >>> pyml.ops.det([[2., 1.], [0., 3.]]).item()
        6.0
    """
    node = matrices(x, "det", square=True)
    return back(custom_gradient(_det)(Tensor(flat(node)))._node, node.shape[:-2])
