"""`xp.linalg`: the standard's linear algebra. Matrices are the last two axes; the others are batches."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import ops
from ..core.complex_tensor import ComplexTensor, as_complex
from ..core.tensor import Tensor, broadcast_shapes
from ..core.types import Axis
from ..errors import ShapeError
from ..ops.elementary import length_of
from .data_types import floating
from .linear_algebra import matmul, matrix_transpose, tensordot, vecdot

__all__ = [
    "cholesky", "cross", "det", "diagonal", "eigh", "eigvalsh", "inv", "matmul", "matrix_norm", "matrix_power", "matrix_rank",
    "matrix_transpose", "outer", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip

_EPSILON = float(np.finfo(np.float32).eps)
_INFINITE = float("inf")


class EighResult(NamedTuple):
    """What `eigh` finds."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """What `qr` finds."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """What `slogdet` finds."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(NamedTuple):
    """What `svd` finds."""

    U: Tensor
    S: Tensor
    Vh: Tensor


def _matrices(x: Tensor, what: str) -> Tensor:
    if x.ndim < 2:
        raise ShapeError(f"{what}: a matrix has two axes or more. Received: shape {x.shape}")
    return x


def _float_matrices(x: Tensor, what: str) -> Tensor:
    return floating(_matrices(x, what), what)


def _as_real(z: ComplexTensor) -> Tensor:
    """Complex matrices as real ones of twice the size, whose products, inverses and pseudo-inverses are theirs."""
    return ops.concatenate([ops.concatenate([z.real, -z.imag], -1), ops.concatenate([z.imag, z.real], -1)], -2)


def _as_complex(x: Tensor) -> Any:
    """The inverse of `_as_real`, of the first half of the columns."""
    rows, columns = x.shape[-2] // 2, x.shape[-1] // 2
    return ComplexTensor(x[..., :rows, :columns], x[..., rows:, :columns])


def cholesky(x: Tensor, /, *, upper: builtins.bool = False) -> Tensor:
    """The triangular matrix whose product with its transpose is `x`, which is symmetric and positive definite.

    Raises:
        ValueError: It is not.
    """
    return ops.linalg.cholesky(_float_matrices(x, "cholesky"), upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """The vector at right angles to both, along an axis of size 3; the others broadcast.

    Raises:
        ShapeError: The axis has another size.
    """
    if not -min(x1.ndim, x2.ndim) <= axis < min(x1.ndim, x2.ndim) or (x1.shape[axis], x2.shape[axis]) != (3, 3):
        raise ShapeError(f"cross: axis {axis} must have size 3. Received: shapes {x1.shape} and {x2.shape}")
    return ops.cross(x1, x2, axis=axis)


def det(x: Tensor, /) -> Tensor:
    """The determinant."""
    return ops.linalg.det(_float_matrices(x, "det"))


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """The diagonal `offset` places above the main one."""
    return ops.diagonal(_matrices(x, "diagonal"), offset, -2, -1)


def eigh(x: Tensor, /) -> EighResult:
    """Eigenvalues of symmetric matrices in increasing order, and the eigenvectors as columns."""
    return EighResult(*ops.linalg.eigh(_float_matrices(x, "eigh")))


def eigvalsh(x: Tensor, /) -> Tensor:
    """Eigenvalues of symmetric matrices in increasing order."""
    return eigh(x).eigenvalues


def inv(x: Tensor, /) -> Tensor:
    """The inverse matrix, of complex ones too."""
    if isinstance(x, ComplexTensor):
        return _as_complex(inv(_as_real(_matrices(x, "inv"))))
    return ops.linalg.inv(_float_matrices(x, "inv"))


def matrix_norm(x: Tensor, /, *, keepdims: builtins.bool = False, ord: float | str | None = "fro") -> Tensor:
    """The norm of each matrix: `"fro"`, `"nuc"`, 1, -1, 2, -2, inf or -inf.

    Raises:
        ValueError: `ord` is another.
    """
    if isinstance(x, ComplexTensor) and ord in ("fro", None, 1, -1, _INFINITE, -_INFINITE):
        x = ops.absolute(x)  # these norms are of the sizes of the elements
    x = _float_matrices(x, "matrix_norm")
    if ord in ("fro", None):
        return length_of(ops.sum(x * x, (-2, -1), keepdims))
    if ord in (1, -1, _INFINITE, -_INFINITE):
        sums = ops.sum(ops.absolute(x), -2 if ord in (1, -1) else -1, True)
        return (ops.max if ord in (1, _INFINITE) else ops.min)(sums, (-2, -1), keepdims)
    if ord not in ("nuc", 2, -2):
        raise ValueError(f"matrix_norm: ord must be 'fro', 'nuc', 1, -1, 2, -2, inf or -inf. Received: ord={ord!r}")
    values = svdvals(x)
    found = ops.sum(values, -1) if ord == "nuc" else (ops.max if ord == 2 else ops.min)(values, -1)
    return ops.reshape(found, (*found.shape, 1, 1)) if keepdims else found


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """The product of `n` times the matrix; of its inverse where `n` is negative."""
    if _matrices(x, "matrix_power").shape[-1] != x.shape[-2]:
        raise ShapeError(f"matrix_power: matrices must be square. Received: shape {x.shape}")
    factor, found = (inv(x) if n < 0 else x), None
    rest = builtins.abs(n)
    while rest:
        if rest % 2:
            found = factor if found is None else ops.matmul(found, factor)
        rest //= 2
        factor = ops.matmul(factor, factor) if rest else factor
    return ops.broadcast_to(ops.eye(x.shape[-1], dtype=x.dtype), x.shape) if found is None else found


def _tolerance(values: Tensor, shape: Sequence[int], rtol: Any) -> Tensor:
    """Below it singular values count as 0: `rtol` of the largest."""
    share = max(shape[-2:]) * _EPSILON if rtol is None else rtol
    if isinstance(share, Tensor):
        share = ops.reshape(share, (*share.shape, 1))
    return ops.max(values, -1, True, initial=0.0) * share


def matrix_rank(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """How many singular values are larger than `rtol` of the largest, int32."""
    values = svdvals(x)
    return ops.sum(ops.cast(values > _tolerance(values, x.shape, rtol), "int32"), -1)


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The products of all pairs of elements of two vectors.

    Raises:
        ShapeError: One is not a vector.
    """
    if x1.ndim != 1 or x2.ndim != 1:
        raise ShapeError(f"outer: expected two vectors. Received: shapes {x1.shape} and {x2.shape}")
    return ops.outer(x1, x2)


def pinv(x: Tensor, /, *, rtol: float | Tensor | None = None) -> Tensor:
    """The pseudo-inverse, of complex matrices too, for which singular values below `rtol` of the largest count as 0."""
    if isinstance(x, ComplexTensor):
        share = builtins.max(x.shape[-2:], default=0) * _EPSILON if rtol is None else rtol
        return _as_complex(pinv(_as_real(_matrices(x, "pinv")), rtol=share))
    u, s, vh = svd(x, full_matrices=False)
    kept = s > _tolerance(s, x.shape, rtol)
    inverse = ops.where(kept, 1.0 / ops.where(kept, s, 1.0), 0.0)
    return ops.matmul(vh.mT * ops.expand_dims(inverse, -2), u.mT)


def qr(x: Tensor, /, *, mode: str = "reduced") -> QRResult:
    """Orthonormal columns and an upper triangular matrix whose product is `x`; `mode` is `"reduced"` or `"complete"`.

    Raises:
        ValueError: It is another.
    """
    if mode not in ("reduced", "complete"):
        raise ValueError(f"qr: mode must be 'reduced' or 'complete'. Received: mode={mode!r}")
    return QRResult(*ops.linalg.qr(_float_matrices(x, "qr"), mode=mode))


def slogdet(x: Tensor, /) -> SlogdetResult:
    """The sign of the determinant, and the logarithm of its size."""
    return SlogdetResult(*ops.slogdet(_float_matrices(x, "slogdet")))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """What `x1` must be multiplied by to be `x2`: a vector, or matrices whose batches broadcast with those of `x1`.

    Raises:
        ShapeError: The shapes do not fit.
    """
    if isinstance(x1, ComplexTensor) or isinstance(x2, ComplexTensor):
        a, b = as_complex(x1), as_complex(x2 if x2.ndim > 1 else ops.expand_dims(x2, -1))
        both = solve(_as_real(a), ops.concatenate([b.real, b.imag], -2))
        half = both.shape[-2] // 2
        found: Any = ComplexTensor(both[..., :half, :], both[..., half:, :])
        return ops.squeeze(found, -1) if x2.ndim == 1 else found
    floating(x2, "solve")
    a, b = _float_matrices(x1, "solve"), ops.expand_dims(x2, -1) if x2.ndim == 1 else x2
    lead = broadcast_shapes(a.shape[:-2], b.shape[:-2], what="solve")
    found = ops.linalg.solve(ops.broadcast_to(a, (*lead, *a.shape[-2:])), ops.broadcast_to(b, (*lead, *b.shape[-2:])))
    return ops.squeeze(found, -1) if x2.ndim == 1 else found


def svd(x: Tensor, /, *, full_matrices: builtins.bool = True) -> SVDResult:
    """Singular values in decreasing order, between two matrices with orthonormal columns (U) and rows (Vh)."""
    found: Any = ops.linalg.svd(_float_matrices(x, "svd"), full_matrices=full_matrices)
    return SVDResult(*found)


def svdvals(x: Tensor, /) -> Tensor:
    """Singular values in decreasing order."""
    found: Any = ops.linalg.svd(_float_matrices(x, "svdvals"), full_matrices=False, compute_uv=False)
    return found


def trace(x: Tensor, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """The sum of a diagonal."""
    found = diagonal(x, offset=offset)
    return ops.sum(found if dtype is None else ops.cast(found, dtype), -1)


def vector_norm(x: Tensor, /, *, axis: Axis = None, keepdims: builtins.bool = False, ord: float = 2) -> Tensor:
    """The norm along some axes, all by default: the `ord`-th root of the sum of `ord`-th powers; inf, -inf and 0 as limits."""
    size = ops.absolute(x) if isinstance(x, ComplexTensor) else ops.absolute(floating(x, "vector_norm"))
    if ord in (_INFINITE, -_INFINITE):
        return (ops.max if ord > 0 else ops.min)(size, axis, keepdims)
    if ord == 0:
        return ops.sum(ops.cast(ops.not_equal(x, 0), "float32"), axis, keepdims)
    if ord == 2:
        return length_of(ops.sum(size * size, axis, keepdims))
    total = ops.sum(size if ord == 1 else ops.power(size, float(ord)), axis, keepdims)
    return total if ord == 1 else ops.power(total, 1.0 / ord)
