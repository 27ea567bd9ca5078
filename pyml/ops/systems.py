"""Systems of linear equations, and inverses. Matrices with more than 32 rows are the host's work, as in `factorization.py`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from ..graph.prims.factor import SOLVE, TRIANGULAR
from . import complex_matrices
from .declare import draw, op, sample
from .matrices import SINGULAR, back, checked, flat, matrices, one_batch, unit

__all__ = [
    "inv", "solve", "solve_triangular",
]  # fmt: skip


@op(complex_parts=complex_matrices.inv, like=np.linalg.inv, samples=[sample(draw(3, 3)), sample(draw(2, 2, 2))], tolerance=1e-4)
def inv(x: TensorLike) -> Tensor:
    """The inverse of square matrices: float32, in the shape of `x`, `(..., n, n)`. More than 32 rows are the host's work.

    Args:
        x: Square matrices `(..., n, n)`.

    Returns:
        float32, in the shape of `x`.

    Raises:
        ShapeError: `x` is not square.
        numpy.linalg.LinAlgError: A matrix is singular. Inside programs its inverse has infinities or NaN instead.

    Source: `keras.ops.linalg.inv`.

    Example:
        >>> pyml.ops.inv([[2., 0.], [0., 4.]]).numpy()
        array([[0.5 , 0.  ],
               [0.  , 0.25]], dtype=float32)
    """
    node = matrices(x, "inv", square=True)
    a = flat(node)
    return back(checked(SOLVE(a, unit(*a.shape)), (node,), "inv", SINGULAR), node.shape[:-2])


def _right_side(a: Node, b: TensorLike, what: str) -> tuple[Node, bool]:
    """The right-hand sides as matrices, and whether they were vectors."""
    right = prims.cast(as_node(b), dtype="float32")
    if right.ndim < 1:
        raise ShapeError(f"{what}: b must be a vector or have columns. Received: a scalar")
    vector = right.ndim == 1 or (right.ndim == a.ndim - 1 and right.shape == a.shape[:-1])
    right = prims.reshape(right, (*right.shape, 1)) if vector else right
    if right.shape[-2] != a.shape[-1]:
        raise ShapeError(f"{what}: a {a.shape} needs right-hand sides b of {a.shape[-1]} rows. Received: b of shape {as_node(b).shape}")
    return right, vector


def _solved(solver: Callable[[Node, Node], Node], a: TensorLike, b: TensorLike, what: str) -> Tensor:
    left = matrices(a, what, square=True)
    right, vector = _right_side(left, b, what)
    first, second, lead = one_batch(left, right, what)
    found = checked(solver(first, second), (left, right), what, SINGULAR)
    return back(prims.reshape(found, found.shape[:-1]) if vector else found, lead)


@op(complex_parts=complex_matrices.solve, like=np.linalg.solve, tolerance=1e-4, samples=[
    sample(draw(3, 3), draw(3, 2)), sample(draw(2, 2), draw(2)), sample(draw(2, 3, 3), draw(2, 3, 1)), sample(draw(2, 2, 2), draw(2, 3)),
])  # fmt: skip
def solve(a: TensorLike, b: TensorLike) -> Tensor:
    """x of `a x = b`, for square matrices a. Leading axes broadcast.

    Args:
        a: `(..., n, n)`. More than 32 rows are the host's work.
        b: Vectors `(n,)` or `(..., n)` in the batch of `a`, or columns `(..., n, k)`.

    Returns:
        float32, as `b`.

    Raises:
        ShapeError: The shapes do not fit.
        numpy.linalg.LinAlgError: A matrix is singular. Inside programs the answer has infinities or NaN instead.

    Source: `keras.ops.linalg.solve`.

    Example:
        >>> pyml.ops.solve([[2., 0.], [0., 4.]], [1., 2.]).numpy()
        array([0.5, 0.5], dtype=float32)
    """
    return _solved(lambda a, b: SOLVE(a, b), a, b, "solve")


@op(complex_parts=complex_matrices.solve_triangular,
    like=lambda a, b, lower=False: np.linalg.solve(np.tril(a) if lower else np.triu(a), b), tolerance=1e-4, samples=[
    sample(draw(3, 3, low=0.5), draw(3, 2)), sample(draw(2, 2, low=0.5), draw(2), lower=True),
    sample(draw(2, 3, 3, low=0.5), draw(3, 1), lower=True),
])  # fmt: skip
def solve_triangular(a: TensorLike, b: TensorLike, lower: bool = False) -> Tensor:
    """x of `a x = b`, for triangular matrices a. Leading axes broadcast.

    Args:
        a: `(..., n, n)`; what is beyond the triangle is not read. More than 300 rows are the host's work.
        b: Vectors `(..., n)`, or columns `(..., n, k)`.
        lower: Whether `a` is a lower triangle.

    Returns:
        float32, as `b`.

    Raises:
        ShapeError: The shapes do not fit.
        numpy.linalg.LinAlgError: There is a 0 on a diagonal. Inside programs the answer has infinities or NaN instead.

    Source: `keras.ops.linalg.solve_triangular`.

    Example:
        >>> pyml.ops.solve_triangular([[2., 0.], [1., 4.]], [2., 5.], lower=True).numpy()
        array([1., 1.], dtype=float32)
    """
    return _solved(lambda a, b: TRIANGULAR(a, b, lower=bool(lower), transposed=False, unit=False), a, b, "solve_triangular")
