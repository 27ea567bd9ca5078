"""Eigenvalues of any square matrix, which are complex."""

from __future__ import annotations

import numpy as np

from ..core.complex_tensor import ComplexTensor
from ..core.types import TensorLike
from ..graph import prims
from ..graph.prims.matrices import part
from ..graph.prims.spectral import EIG
from . import complex_matrices
from .declare import op, sample
from .matrices import back, checked, flat, matrices

__all__ = [
    "eig",
]  # fmt: skip

_MATRIX = np.array([[2.0, 1.0, 0.5], [-1.0, 3.0, 0.2], [0.3, 0.1, 7.0]], np.float32)


def _numpy_eig(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    w, v = np.linalg.eig(x)
    return w.astype(complex), v.astype(complex)


@op(complex_parts=complex_matrices.eig,
    like=_numpy_eig, gradient=False, samples=[sample(_MATRIX), sample(np.stack([_MATRIX, -_MATRIX.T]))], tolerance=1e-4)
def eig(x: TensorLike) -> tuple[ComplexTensor, ComplexTensor]:
    """Eigenvalues, in no order, and eigenvectors of square matrices, both complex64: `x V = V diag(w)`. Always numpy's work on the host.

    The phase of a vector is LAPACK's. The gradient is right where the result does not depend on phases, and there is none
    between equal eigenvalues.

    Args:
        x: `(..., n, n)`.

    Returns:
        Two `ComplexTensor`s, w `(..., n)` and V `(..., n, n)`, whose columns are vectors of length 1.

    Raises:
        ShapeError: `x` is not square.
        numpy.linalg.LinAlgError: A matrix holds NaN or infinity. Inside programs the answer is NaN.

    Source: `keras.ops.linalg.eig`.

    Example:
        >>> w, v = pyml.ops.eig([[0., 1.], [-1., 0.]])
        >>> w.numpy()
        array([0.+1.j, 0.-1.j], dtype=complex64)
    """
    node = matrices(x, "eig", square=True)
    n, lead = node.shape[-1], node.shape[:-2]
    found = checked(EIG(flat(node)), (node,), "eig", "there is no answer; the iteration did not end.", nan_too=True)
    vectors = [back(part(found, (first, first + n), (0, n)), lead) for first in (0, n)]
    rows = [part(found, (row, row + 1), (0, n)) for row in (2 * n, 2 * n + 1)]
    values = [back(prims.reshape(row, (row.shape[0], n)), lead) for row in rows]
    return ComplexTensor(*values), ComplexTensor(*vectors)
