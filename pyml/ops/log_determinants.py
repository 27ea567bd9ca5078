"""The logarithm of determinants and their sign."""

from __future__ import annotations

import numpy as np

from ..core.tensor import Tensor
from ..core.types import TensorLike
from . import complex_matrices
from .arithmetic import absolute, sign
from .declare import draw, op, sample
from .determinants import pivots_of
from .elementary import log
from .matrices import back, flat, matrices
from .reduce import prod as _prod
from .reduce import sum as _sum

__all__ = [
    "slogdet",
]  # fmt: skip


@op(complex_parts=complex_matrices.slogdet, like=np.linalg.slogdet, samples=[sample(draw(3, 3)), sample(draw(2, 4, 4))])
def slogdet(x: TensorLike) -> tuple[Tensor, Tensor]:
    """The sign of the determinant of square matrices, and the logarithm of its magnitude, which does not overflow.

    Args:
        x: `(..., n, n)`. More than 32 rows are the host's work.

    Returns:
        Two float32 tensors `(...)`; 0 and -inf for singular matrices.

    Raises:
        ShapeError: `x` is not square.

    Source: `keras.ops.numpy.slogdet`.

    Example:
        >>> sign, logarithm = pyml.ops.slogdet([[1e30, 0.], [0., -1e30]])
        >>> sign.item(), round(logarithm.item(), 2)
        (-1.0, 138.16)
    """
    node = matrices(x, "slogdet", square=True)
    _, diagonal, swaps = pivots_of(flat(node))
    signs, size = _prod(sign(diagonal), axis=1) * swaps, _sum(log(absolute(diagonal)), axis=1)
    return back(signs._node, node.shape[:-2]), back(size._node, node.shape[:-2])
