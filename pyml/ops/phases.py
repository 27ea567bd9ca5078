"""Complex numbers by size and direction, and bits taken for another dtype."""

from __future__ import annotations

from math import pi
from typing import Any

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..dtypes import standardize
from ..errors import DtypeError
from ..graph import prims
from .apply import as_float
from .declare import draw, op, sample
from .logic import isnan, where

__all__ = [
    "angle", "view",
]  # fmt: skip


@op(like=np.angle, gradient=False, samples=[sample(draw(2, 3)), sample(draw(4, low=-3, high=3, dtype="int32"))])
def angle(x: TensorLike) -> Tensor:
    """The direction of complex numbers in radians, from -pi to pi; of real ones 0, or pi where they are negative.

    Returns:
        float32, in the shape of `x`.

    Example:
        >>> pyml.ops.angle(np.array([1j, -2.])).numpy().round(4)
        array([1.5708, 3.1416], dtype=float32)

    Source: `keras.ops.angle`.
    """
    real = as_float(x)
    return where(isnan(real), real, where(real < 0.0, pi, 0.0))


@op(like=lambda x, dtype=None: x.view(dtype), gradient=False,
    samples=[sample(draw(4, low=0, high=99, dtype="int32"), "uint32"), sample(np.array([0.5, -1.0], np.float32), "int32")])  # fmt: skip
def view(x: TensorLike, dtype: Any = None) -> Tensor:
    """The bits of `x` taken for numbers of another dtype, in its shape; without `dtype` `x` itself.

    Args:
        x: float32, int32 or uint32.
        dtype: One of these: what tensors hold has 32 bits each.

    Raises:
        DtypeError: `x` or `dtype` is another one.

    Example:
        >>> pyml.ops.view([1., -0.], "int32").numpy()
        array([ 1065353216, -2147483648], dtype=int32)

    Source: `keras.ops.view`.
    """
    node = as_node(x)
    if dtype is None:
        return Tensor(node)
    given = dtype if isinstance(dtype, str) else np.dtype(dtype).name
    wide = ("float32", "int32", "uint32")
    if given not in (*wide, "float", "int") or node.dtype not in wide:
        raise DtypeError(f"view: bits of float32, int32 and uint32 can be taken for each other's. Received: {node.dtype}, {dtype!r}")
    target = standardize(given)
    return Tensor(node if node.dtype == target else prims.BITCAST(node, dtype=target))
