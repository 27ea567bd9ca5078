"""Matrices as products of simpler ones: Cholesky, LU, QR.

Matrices with up to 32 rows and columns are the device's own work, one a thread; larger ones are computed by numpy on the
host in float64, on every device and inside programs too (docs/engine.md, "On the host"). Gradients are the device's.
"""

from __future__ import annotations

import numpy as np

from ..core.tensor import Tensor
from ..core.types import TensorLike
from ..graph import prims
from ..graph.prims.factor import CHOLESKY, LU, QR, TRIANGULAR
from ..graph.prims.matrices import part, transposed
from . import complex_matrices
from .declare import draw, op, sample
from .matrices import SINGULAR, back, checked, flat, lower_mirrored, matrices, unit

__all__ = [
    "cholesky", "cholesky_inverse", "lu_factor", "qr",
]  # fmt: skip

_POSITIVE = np.array([[4.0, 2.0, 0.4], [2.0, 5.0, 1.0], [0.4, 1.0, 3.0]], np.float32)


@op(complex_parts=complex_matrices.cholesky,
    like=lambda x, upper=False: np.linalg.cholesky(x).swapaxes(-1, -2) if upper else np.linalg.cholesky(x), gradient=False,
    samples=[sample(_POSITIVE), sample(np.stack([_POSITIVE, 2 * _POSITIVE]), upper=True)])  # fmt: skip
def cholesky(x: TensorLike, upper: bool = False) -> Tensor:
    """The Cholesky factor L of positive definite matrices, `x = L L^T`; with `upper` its transpose.

    Args:
        x: `(..., n, n)`; only the lower triangle is read. More than 32 rows are the host's work.
        upper: Whether the upper factor is wanted.

    Returns:
        float32 `(..., n, n)`, zeros beyond the triangle.

    Raises:
        ShapeError: `x` is not square.
        numpy.linalg.LinAlgError: A matrix is not positive definite. Inside programs all of it is NaN instead.

    Source: `keras.ops.linalg.cholesky`.

    Example:
        >>> pyml.ops.cholesky([[4., 2.], [2., 5.]]).numpy()
        array([[2., 0.],
               [1., 2.]], dtype=float32)
    """
    node = matrices(x, "cholesky", square=True)
    found = CHOLESKY(lower_mirrored(flat(node)))
    checked(found, (), "cholesky", "a matrix is not positive definite, or holds NaN; add a little to its diagonal.")
    return back(transposed(found) if upper else found, node.shape[:-2])


@op(complex_parts=complex_matrices.cholesky_inverse,
    like=lambda x, upper=False: np.linalg.inv(np.triu(x).T @ np.triu(x) if upper else np.tril(x) @ np.tril(x).T),
    samples=[sample(draw(3, 3, low=0.5)), sample(draw(3, 3, low=0.5), upper=True)], tolerance=1e-4)  # fmt: skip
def cholesky_inverse(x: TensorLike, upper: bool = False) -> Tensor:
    """The inverse of the matrices whose Cholesky factors are given, `(L L^T)^-1`.

    Args:
        x: Factors L, `(..., n, n)`; what is beyond the triangle is not read.
        upper: Whether these are upper ones, U of `U^T U`.

    Returns:
        float32 `(..., n, n)`.

    Raises:
        ShapeError: `x` is not square.
        numpy.linalg.LinAlgError: There is a 0 on a diagonal. Inside programs the inverse has infinities instead.

    Source: `keras.ops.cholesky_inverse`.

    Example:
        >>> pyml.ops.cholesky_inverse([[2., 0.], [0., 1.]]).numpy()
        array([[0.25, 0.  ],
               [0.  , 1.  ]], dtype=float32)
    """
    node = matrices(x, "cholesky_inverse", square=True)
    factor = flat(node)
    root = TRIANGULAR(factor, unit(*factor.shape), lower=not upper, transposed=False, unit=False)
    found = prims.matmul(root, root, tb=True) if upper else prims.matmul(root, root, ta=True)
    return back(checked(found, (node,), "cholesky_inverse", SINGULAR), node.shape[:-2])


def _numpy_lu(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same in numpy, for one matrix."""
    a, pivots = x.copy(), []
    for k in range(min(x.shape)):
        pivots.append(k + int(np.argmax(abs(a[k:, k]))))
        a[[k, pivots[-1]]] = a[[pivots[-1], k]]
        a[k + 1 :, k] /= a[k, k]
        a[k + 1 :, k + 1 :] -= np.outer(a[k + 1 :, k], a[k, k + 1 :])
    return a, np.array(pivots, np.int32)


@op(complex_parts=complex_matrices.lu_factor,
    like=_numpy_lu, samples=[sample(draw(4, 4)), sample(draw(3, 5)), sample(draw(5, 3))], tolerance=1e-4)
def lu_factor(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The factors of `x = P L U`, with the largest pivot of each column.

    Args:
        x: `(..., m, n)`. More than 32 rows or columns are the host's work.

    Returns:
        float32 `(..., m, n)` with U from the diagonal on and L, whose diagonal are ones, below it; and int32 `(..., min(m, n))`:
        step i exchanged row i with this one.

    Raises:
        ShapeError: `x` has fewer than two axes.

    Source: `keras.ops.linalg.lu_factor`, `scipy.linalg.lu_factor`.

    Example:
        >>> lu, pivots = pyml.ops.lu_factor([[1., 2.], [2., 2.]])
        >>> lu.tolist(), pivots.tolist()
        ([[2.0, 2.0], [0.5, 1.0]], [1, 1])
    """
    node = matrices(x, "lu_factor")
    m, n = node.shape[-2:]
    k = min(m, n)
    factors = LU(flat(node))
    pivots = prims.cast(part(factors, (0, k), (n, n + 1)), dtype="int32")
    lead = node.shape[:-2]
    return back(part(factors, (0, m), (0, n)), lead), back(prims.reshape(pivots, pivots.shape[:-1]), lead)


def _numpy_qr(x: np.ndarray, mode: str = "reduced") -> tuple[np.ndarray, np.ndarray]:
    q, r = np.linalg.qr(x, mode)  # type: ignore[call-overload]
    return q, r


@op(complex_parts=complex_matrices.qr, like=_numpy_qr, tolerance=1e-4, samples=[
    sample(draw(3, 3)), sample(draw(2, 4, 3)), sample(draw(3, 5)), sample(draw(2, 3), mode="complete"),
])  # fmt: skip
def qr(x: TensorLike, mode: str = "reduced") -> tuple[Tensor, Tensor]:
    """`x = Q R`, the columns of Q orthonormal, R an upper triangle; signs as LAPACK has them.

    Args:
        x: `(..., m, n)`. More than 32 rows or columns, or some fewer of both, are the host's work.
        mode: "reduced", with k = min(m, n) columns in Q; or "complete", with k = m, which has no gradient where m > n.

    Returns:
        float32 `(..., m, k)` and `(..., k, n)`.

    Raises:
        ShapeError: `x` has fewer than two axes.
        ValueError: There is no such mode.

    Source: `keras.ops.linalg.qr`.

    Example:
        >>> q, r = pyml.ops.qr([[3., 1.], [4., 2.]])
        >>> r.numpy().round(4)
        array([[-5. , -2.2],
               [ 0. ,  0.4]], dtype=float32)
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete'. Received: mode={mode!r}")
    node = matrices(x, "qr")
    (m, n), lead, a = node.shape[-2:], node.shape[:-2], flat(node)
    k = m if mode == "complete" else min(m, n)
    if not a.size:
        return back(unit(a.shape[0], m, k), lead), back(prims.full((a.shape[0], k, n), 0.0, "float32"), lead)
    found = QR(part(a, (0, m), (0, min(m, n))), complete=mode == "complete")
    q, r = part(found, (0, m), (0, k)), part(found, (0, k), (k, found.shape[2]))
    if n > m:  # R of the other columns follows from Q, and so does the gradient
        r = prims.concat([r, prims.matmul(q, part(a, (0, m), (m, n)), ta=True)], 2)
    return back(q, lead), back(r, lead)
