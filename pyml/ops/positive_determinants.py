"""The logarithm of positive determinants."""

from __future__ import annotations

import numpy as np

from ..core.tensor import Tensor
from ..core.types import TensorLike
from . import complex_matrices
from .declare import op, sample
from .log_determinants import slogdet
from .logic import where
from .matrices import matrices

__all__ = [
    "logdet",
]  # fmt: skip

_POSITIVE = np.array([[4.0, 2.0, 0.4], [2.0, 5.0, 1.0], [0.4, 1.0, 3.0]], np.float32)


@op(complex_parts=complex_matrices.logdet, like=lambda x: np.log(np.linalg.det(x)), gradient=False,
    samples=[sample(_POSITIVE), sample(np.stack([_POSITIVE, _POSITIVE * 2]))])  # fmt: skip
def logdet(x: TensorLike) -> Tensor:
    """The logarithm of the determinant of square matrices: float32 `(...)` of `(..., n, n)`.

    It is -inf for singular matrices and NaN where the determinant is negative; `slogdet` has the sign.
    Of complex matrices it is complex, the phase of the determinant its imaginary part.

    Args:
        x: Square matrices `(..., n, n)`.

    Returns:
        float32, in the shape of `x` without its last two axes.

    Raises:
        ShapeError: `x` is not square.

    Source: `keras.ops.logdet`.

    Example:
        >>> round(pyml.ops.logdet([[2., 0.], [0., 3.]]).item(), 4)
        1.7918
    """
    matrices(x, "logdet", square=True)
    signs, size = slogdet(x)
    return where(signs < 0, signs * float("nan"), size)
