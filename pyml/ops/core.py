"""Conversions, shapes and blocks of tensors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.tensor import convert_to_tensor as _convert
from ..core.types import TensorLike
from ..dtypes import standardize
from ..graph import prims
from .declare import op
from .reduce import standardize_axis
from .shaping import split, squeeze

__all__ = [
    "cast", "convert_to_numpy", "convert_to_tensor", "shape", "slice", "stop_gradient", "unstack",
]  # fmt: skip


@op()
def convert_to_tensor(x: TensorLike, dtype: str | None = None, sparse: bool | None = None) -> Tensor:
    """x as a tensor."""
    if sparse:
        raise ValueError("convert_to_tensor: sparse tensors are not supported; use sparse=False.")
    return _convert(x, dtype)


@op(record=False)
def convert_to_numpy(x: TensorLike) -> np.ndarray:
    """x as a numpy array."""
    return _convert(x).numpy()


@op(method="astype")
def cast(x: TensorLike, dtype: str) -> Tensor:
    """x converted to `dtype`; floats to integers drop the fraction."""
    return Tensor(prims.cast(as_node(x), dtype=standardize(dtype)))


@op()
def stop_gradient(variable: TensorLike) -> Tensor:
    """The same value with a gradient of zero."""
    return Tensor(prims.stop_gradient(as_node(variable)))


@op(record=False)
def shape(x: TensorLike) -> tuple[int | None, ...]:
    """The shape of x, a tuple."""
    return tuple(x.shape) if hasattr(x, "shape") else as_node(x).shape


@op()
def unstack(x: TensorLike, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """The slices of x along `axis`, a list."""
    node = as_node(x)
    (a,) = standardize_axis(axis, node.ndim, "unstack")
    return [squeeze(part, a) for part in split(Tensor(node), node.shape[a] if num is None else num, a)]


@op()
def slice(inputs: TensorLike, start_indices: Sequence[int], shape: Sequence[int]) -> Tensor:
    """The block of `shape` that begins at `start_indices`."""
    return Tensor(prims.slice_(as_node(inputs), start_indices, [a + n for a, n in zip(start_indices, shape, strict=True)]))
