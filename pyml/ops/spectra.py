"""Eigenvalues and singular values, and what follows from these: pseudo-inverses, least squares, ranks.

Matrices with up to 21 rows (`eigh`) or 14 columns (`svd`) are the device's own work, one a thread; larger ones, and `eig`,
are computed by numpy on the host in float64, on every device and inside programs too (docs/engine.md, "On the host").
Gradients are the device's. Vectors have a sign, which one rule settles: of the elements within a tenth of the largest, the
first is positive.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, overload

import numpy as np

from ..core.custom import custom_gradient
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from ..graph.prims.factor import QR
from ..graph.prims.matrices import part, transposed
from ..graph.prims.spectral import EIGH, SVD
from . import complex_matrices
from .arithmetic import divide
from .declare import draw, op, sample
from .logic import where
from .matrices import back, checked, flat, lower_mirrored, matrices, unit
from .products import matmul
from .reduce import sum as _sum
from .shaping import swapaxes

__all__ = [
    "eigh", "lstsq", "matrix_rank", "pinv", "svd",
]  # fmt: skip

_NONE = "there is no answer; the iteration did not end."
_EPSILON = 1.1920929e-07


def _numpy_eigh(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    w, v = np.linalg.eigh(x)
    return w, v * _signs(v)


def _signs(v: np.ndarray) -> np.ndarray:
    size = np.abs(v)
    first = np.argmax(size >= 0.9 * size.max(-2, keepdims=True), -2)
    return np.where(np.take_along_axis(v, first[..., None, :], -2) < 0, -1, 1)


@op(complex_parts=complex_matrices.eigh,
    like=_numpy_eigh, samples=[sample(draw(4, 4)), sample(draw(2, 3, 3))], gradient=False, tolerance=1e-4)
def eigh(x: TensorLike) -> tuple[Tensor, Tensor]:
    """Eigenvalues, the least first, and eigenvectors of symmetric matrices: `x V = V diag(w)`.

    The gradient is that of symmetric changes of `x`; vectors of equal eigenvalues are not told apart, and have none.

    Args:
        x: `(..., n, n)`; only the lower triangle is read. More than 21 rows are the host's work.

    Returns:
        float32 w `(..., n)` and V `(..., n, n)`, the vectors its columns.

    Raises:
        ShapeError: `x` is not square.
        numpy.linalg.LinAlgError: A matrix holds NaN or infinity. Inside programs the answer does too.

    Source: `keras.ops.linalg.eigh`.

    Example:
        >>> w, v = pyml.ops.eigh([[2., 1.], [1., 2.]])
        >>> w.numpy().round(4)
        array([1., 3.], dtype=float32)
    """
    node = matrices(x, "eigh", square=True)
    n, lead = node.shape[-1], node.shape[:-2]
    found = checked(EIGH(lower_mirrored(flat(node))), (node,), "eigh", _NONE, nan_too=True)
    values = part(found, (n, n + 1), (0, n))
    return back(prims.reshape(values, (values.shape[0], n)), lead), back(part(found, (0, n), (0, n)), lead)


def _thin(x: Node, what: str) -> tuple[Node, Node, Node]:
    """U `(b, m, k)`, s `(b, 1, k)` and V `(b, n, k)` of a flat batch `(b, m, n)`, k = min(m, n)."""
    (m, n), k = x.shape[1:], min(x.shape[1:])
    tall = x if m >= n else transposed(x)
    found = checked(SVD(tall), (x,), what, _NONE, nan_too=True)
    rows = tall.shape[1]
    u, v = part(found, (0, rows), (0, k)), part(found, (rows, rows + k), (0, k))
    s = part(found, (rows + k, rows + k + 1), (0, k))
    return (u, s, v) if m >= n else (v, s, u)


def _completed(u: Node) -> Node:
    """`(b, m, k)` orthonormal columns and as many more as make a basis."""
    b, m, k = u.shape
    if not u.size:
        return unit(b, m, m)
    if k == m:
        return u
    return prims.concat([u, part(QR(prims.stop_gradient(u), complete=True), (0, m), (k, m))], 2)


def _numpy_svd(x: np.ndarray, full_matrices: bool = True, compute_uv: bool = True) -> object:
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    signs = np.swapaxes(_signs(np.swapaxes(vt, -1, -2)) if x.shape[-2] >= x.shape[-1] else _signs(u), -1, -2)
    return (u * np.swapaxes(signs, -1, -2), s, vt * signs) if compute_uv else s


@overload
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: Literal[True] = True) -> tuple[Tensor, Tensor, Tensor]: ...


@overload
def svd(x: TensorLike, full_matrices: bool = True, *, compute_uv: Literal[False]) -> Tensor: ...


@op(complex_parts=complex_matrices.svd, like=_numpy_svd, tolerance=1e-4, samples=[
    sample(draw(2, 3, 3)), sample(draw(2, 3), full_matrices=False), sample(draw(3, 2), compute_uv=False),
])  # fmt: skip
def svd(x: TensorLike, full_matrices: bool = True, compute_uv: bool = True) -> Tensor | tuple[Tensor, Tensor, Tensor]:
    """Singular values, the largest first, with their vectors: `x = U diag(s) V^T`.

    Vectors of equal values are not told apart, and have no gradient. Those that `full_matrices` adds are constants to gradients.

    Args:
        x: `(..., m, n)`. More than 14 rows and columns are the host's work; of a thin matrix some more.
        full_matrices: Whether U and V are whole bases, `(..., m, m)` and `(..., n, n)`, or have only k = min(m, n) vectors.
        compute_uv: Whether the vectors are wanted.

    Returns:
        float32 U `(..., m, k)`, s `(..., k)` and V^T `(..., k, n)`; without `compute_uv` s alone.

    Raises:
        ShapeError: `x` has fewer than two axes.
        numpy.linalg.LinAlgError: A matrix holds NaN or infinity. Inside programs the answer does too.

    Source: `keras.ops.linalg.svd`.

    Example:
        >>> pyml.ops.svd([[3., 0.], [0., -4.]], compute_uv=False).numpy()
        array([4., 3.], dtype=float32)
    """
    node = matrices(x, "svd")
    lead = node.shape[:-2]
    u, s, v = _thin(flat(node), "svd")
    values = back(prims.reshape(s, (s.shape[0], s.shape[2])), lead)
    if not compute_uv:
        return values
    if full_matrices:
        u, v = _completed(u), _completed(v)
    return back(u, lead), values, back(transposed(v), lead)


def _pinv(x: Node, rcond: float | None) -> Tensor:
    """The pseudo-inverse of a flat batch; its gradient is that for changes that leave the rank as it is."""

    def forward(x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """The pseudo-inverse of each matrix, and the function of its gradient."""
        u, s, v = _thin(x._node, "pinv")
        values = Tensor(s)
        ratio = _EPSILON * max(x.shape[1:]) if rcond is None else rcond
        kept = values > ratio * Tensor(part(s, (0, 1), (0, 1))) if s.size else values > 0
        inverses = where(kept, divide(1.0, where(kept, values, 1.0)), 0.0)
        found = matmul(Tensor(v) * inverses, swapaxes(Tensor(u), 1, 2))

        def backward(g: Tensor) -> Tensor:
            p = _pinv(x._node, rcond)
            pt, gt = swapaxes(p, 1, 2), swapaxes(g, 1, 2)
            first = -matmul(pt, matmul(g, pt))
            left = matmul(gt, matmul(p, pt))  # (1 - x p) g^T p p^T
            right = matmul(matmul(pt, p), gt)  # p^T p g^T (1 - p x)
            return first + left - matmul(x, matmul(p, left)) + right - matmul(matmul(right, p), x)

        return found, backward

    return custom_gradient(forward)(Tensor(x))


@op(complex_parts=complex_matrices.pinv,
    like=np.linalg.pinv, samples=[sample(draw(3, 2)), sample(np.ones((3, 2), np.float32))], tolerance=1e-4)
def pinv(x: TensorLike, rcond: float | None = None) -> Tensor:
    """The pseudo-inverse of Moore and Penrose.

    Args:
        x: `(..., m, n)`. More than 14 rows and columns are the host's work; of a thin matrix some more.
        rcond: Singular values up to this part of the largest count as 0. By default `max(m, n)` times 1.2e-7.

    Returns:
        float32 `(..., n, m)`.

    Raises:
        ShapeError: `x` has fewer than two axes.
        numpy.linalg.LinAlgError: A matrix holds NaN or infinity. Inside programs the answer does too.

    Source: `keras.ops.linalg.pinv`; the gradient is of Golub and Pereyra 1973.

    Example:
        >>> pyml.ops.pinv([[1., 0.], [0., 0.]]).numpy()
        array([[1., 0.],
               [0., 0.]], dtype=float32)
    """
    node = matrices(x, "pinv")
    return back(_pinv(flat(node), rcond)._node, node.shape[:-2])


@op(complex_parts=complex_matrices.lstsq, like=lambda a, b, rcond=None: np.linalg.lstsq(a, b, rcond=rcond)[0], tolerance=1e-4, samples=[
    sample(draw(3, 2), draw(3, 3)), sample(draw(2, 3), draw(2), rcond=1e-3),
])  # fmt: skip
def lstsq(a: TensorLike, b: TensorLike, rcond: float | None = None) -> Tensor:
    """The x that makes `|a x - b|` least, and of several the shortest one.

    Args:
        a: `(m, n)`. More than 14 rows and columns are the host's work; of a thin matrix some more.
        b: `(m,)` or `(m, k)`.
        rcond: Singular values up to this part of the largest count as 0. By default `max(m, n)` times 1.2e-7.

    Returns:
        float32 `(n,)` or `(n, k)`. numpy's residuals, rank and singular values are not given, as in Keras.

    Raises:
        ShapeError: The shapes do not fit.
        numpy.linalg.LinAlgError: `a` holds NaN or infinity. Inside programs the answer does too.

    Source: `keras.ops.linalg.lstsq`.

    Example:
        >>> pyml.ops.lstsq([[1., 0.], [1., 1.], [1., 2.]], [1., 3., 5.]).numpy().round(4)
        array([1., 2.], dtype=float32)
    """
    left, right = matrices(a, "lstsq"), prims.cast(as_node(b), dtype="float32")
    if left.ndim != 2 or right.ndim not in (1, 2) or right.shape[0] != left.shape[0]:
        raise ShapeError(f"lstsq: expected a matrix (m, n) and b (m,) or (m, k). Received: {left.shape} and {right.shape}")
    return matmul(pinv(Tensor(left), rcond), Tensor(right))


@op(complex_parts=complex_matrices.matrix_rank,
    like=lambda x, tol=None: np.asarray(np.linalg.matrix_rank(x, tol=tol), np.int32), gradient=False, samples=[
    sample(draw(3, 2)), sample(np.ones((2, 3, 3), np.float32)), sample(np.diag([3.0, 2.0, 1.0]).astype(np.float32), tol=1.5),
])  # fmt: skip
def matrix_rank(x: TensorLike, tol: float | None = None) -> Tensor:
    """How many singular values of each matrix are not 0: int32 `(...)` of `(..., m, n)`.

    Args:
        x: `(..., m, n)`. More than 14 rows and columns are the host's work; of a thin matrix some more.
        tol: Singular values up to this count as 0. By default `max(m, n)` times 1.2e-7 of the largest.

    Returns:
        int32, in the shape of `x` without its last two axes.

    Raises:
        ShapeError: `x` has fewer than two axes.
        numpy.linalg.LinAlgError: A matrix holds NaN or infinity. Inside programs its rank is 0.

    Source: `keras.ops.linalg.matrix_rank`.

    Example:
        >>> pyml.ops.matrix_rank([[1., 2.], [2., 4.]]).item()
        1
    """
    node = matrices(x, "matrix_rank")
    _, s, _ = _thin(flat(node), "matrix_rank")
    if not s.size:
        return back(prims.full((s.shape[0],), 0, "int32"), node.shape[:-2])
    least = tol if tol is not None else Tensor(part(s, (0, 1), (0, 1))) * (_EPSILON * max(node.shape[-2:]))
    return back(_sum((Tensor(s) > least).astype("int32"), axis=(1, 2))._node, node.shape[:-2])
