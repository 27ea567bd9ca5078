"""Functions that give no tensors: the dtype of one, and a function with a gradient of its own."""

from __future__ import annotations

from ..core.complex_tensor import ComplexTensor
from ..core.custom import custom_gradient
from ..core.symbolic import KerasTensor
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..core.variable import Variable

__all__ = ["custom_gradient", "dtype"]


def dtype(x: TensorLike) -> str:
    """The name of the dtype of `x`, symbolic or not; for data that is not a tensor, that of the tensor it would become.

    Example:
        >>> pyml.ops.dtype(pyml.ops.zeros((8, 12)))
        'float32'
    """
    return x.dtype if isinstance(x, (Tensor, Variable, KerasTensor, ComplexTensor)) else as_node(x).dtype
