"""What a tensor is: its size, axes and dtype, and whether it is one; tensors of given numbers, or of any."""

from __future__ import annotations

from typing import Any, overload

import numpy as np

from ..core.tensor import Tensor, as_node, convert_to_tensor
from ..core.types import Shape, TensorLike
from ..core.variable import Variable
from . import families
from .creation import zeros
from .declare import draw, op, sample

__all__ = [
    "array", "empty", "empty_like", "ndim", "size",
]  # fmt: skip


@op(like="numpy.array", samples=[sample(draw(2, 3)), sample([1, 2, 3]), sample([1, 2], "float32")])
def array(x: TensorLike, dtype: str | None = None) -> Tensor:
    """`x` (a number, nested list, numpy array, tensor) as a tensor of its shape, in `dtype` or its own.

    Args:
        x: A number, nested list, numpy array or tensor.
        dtype: The dtype of the result; None for its own.

    Returns:
        A tensor of the shape of `x`, of `dtype` or its own.

    Raises:
        DtypeError: Integers do not fit into 32 bits.

    Example:
        >>> pyml.ops.array([1, 2]).numpy()
        array([1, 2], dtype=int32)
    """
    return convert_to_tensor(x, dtype)


@op(family=families.FILLED, like="numpy.zeros", samples=[sample((2, 3)), sample(4, dtype="int32")])
def empty(shape: Shape, dtype: str | None = None) -> Tensor:
    """A tensor of `shape` whose elements are yet to be told, float32 by default; here they are zeros.

    Example:
        >>> pyml.ops.empty((2, 3)).shape
        (2, 3)
    """
    return zeros(shape, dtype)


@op(family=families.FILLED_LIKE, like="numpy.zeros_like", gradient=False, samples=[sample(draw(2, 3)), sample(draw(2), dtype="int32")])
def empty_like(x: TensorLike, dtype: str | None = None) -> Tensor:
    """A tensor in the shape and dtype of `x`, or in `dtype`, whose elements are yet to be told; here they are zeros.

    Example:
        >>> pyml.ops.empty_like([1, 2]).dtype
        'int32'
    """
    node = as_node(x)
    return zeros(node.shape, dtype or node.dtype)


def _shape(x: Any) -> tuple[int | None, ...]:
    return tuple(x.shape) if hasattr(x, "shape") else as_node(x).shape


@op(like="numpy.ndim", record=False, gradient=False, samples=[sample(draw(2, 3)), sample(3.0)])
def ndim(x: TensorLike) -> int:
    """How many axes `x` has, symbolic or not, of any dtype.

    Args:
        x: A tensor, symbolic or not, or what makes one.

    Returns:
        A Python integer.

    Example:
        >>> pyml.ops.ndim([[1, 2], [3, 4]])
        2
    """
    return len(_shape(x))


@overload
def size(x: Tensor | Variable | np.ndarray) -> int: ...


@overload
def size(x: TensorLike) -> int | None: ...


@op(dtypes="index", like="numpy.size", record=False, gradient=False, samples=[sample(draw(2, 3)), sample(3.0)])
def size(x: TensorLike) -> int | None:
    """How many elements `x` has, of any dtype; None where a symbolic tensor does not know.

    Args:
        x: A tensor, symbolic or not, or what makes one.

    Returns:
        A Python integer, or None.

    Example:
        >>> pyml.ops.size([[1, 2], [3, 4]])
        4
    """
    total = 1
    for n in _shape(x):
        if n is None:
            return None
        total *= n
    return total
