"""Complex numbers made and taken apart. What other ops do with them their declarations say."""

from __future__ import annotations

import numpy as np

from ..core.complex_tensor import ComplexTensor, as_complex
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from .apply import as_float
from .declare import draw, op, sample
from .joining import stack

__all__ = [
    "view_as_complex", "view_as_real",
]  # fmt: skip


@op(like=lambda x: x[..., 0] + 1j * x[..., 1], samples=[sample(np.array([[1.0, 2.0], [3.0, -4.0]], np.float32))], gradient=False)
def view_as_complex(x: TensorLike) -> ComplexTensor:
    """Pairs of numbers as complex ones: a `ComplexTensor`, complex64, `(...)` of `(..., 2)`.

    It takes part in arithmetic, products of matrices, powers, exponential, circular and hyperbolic functions and their inverses,
    sums, products and means, comparisons, indexing and everything that only moves elements, on every device, with gradients; other
    ops say that they do not take it.

    Args:
        x: `(..., 2)`, real and imaginary parts along the last axis.

    Returns:
        A `ComplexTensor`, complex64, in the shape of `x` without its last axis.

    Raises:
        ShapeError: The last axis does not have two elements.

    Source: `keras.ops.view_as_complex`, `torch.view_as_complex`.

    Example:
        >>> pyml.ops.view_as_complex([[1., 2.], [0., -1.]]).numpy()
        array([1.+2.j, 0.-1.j], dtype=complex64)
    """
    real = as_float(x)
    if real.ndim < 1 or real.shape[-1] != 2:
        raise ShapeError(f"view_as_complex: the last axis needs two elements, real and imaginary part. Received: shape {real.shape}")
    return ComplexTensor(real[..., 0], real[..., 1])


@op(
    complex_parts=lambda m, z: m.stack([z.real, z.imag], axis=-1),
    like=lambda x: np.stack([np.real(x), np.imag(x)], -1), samples=[sample(np.array([1 + 2j, -3j], np.complex64)), sample(draw(2, 3))],
)
def view_as_real(x: TensorLike | ComplexTensor) -> Tensor:
    """Complex numbers as pairs of real ones: float32 `(..., 2)` of `(...)`; real numbers have zeros beside them.

    Args:
        x: Tensor of complex or real numbers.

    Returns:
        float32, in the shape of `x` with a last axis of 2.

    Source: `keras.ops.view_as_real`, `torch.view_as_real`.

    Example:
        >>> pyml.ops.view_as_real(np.array([1 + 2j, 3j])).numpy()
        array([[1., 2.],
               [0., 3.]], dtype=float32)
    """
    z = as_complex(x if isinstance(x, ComplexTensor) else Tensor(as_node(x)))
    return stack([z.real, z.imag], axis=-1)
