"""Values that decide the shape of a result: read back from the device, which only eager code can do."""

from __future__ import annotations

import numpy as np

from ..core import trace
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..dtypes import host_array
from ..errors import TraceError


def values_for_shape(x: TensorLike, what: str, instead: str) -> np.ndarray:
    """The values of `x`: at any time those of an array, of numbers, and of tensors that depend on nothing that a program is called with.

    Raises:
        TraceError: A tensor has none yet, as a program is traced or a model is built.
    """
    if not hasattr(x, "_value_node"):
        return host_array(x)
    node = as_node(x)
    if trace.current() is not None and not trace.is_known(node):
        raise TraceError(f"{what}: the shape of its result depends on values, which a program or a model has only when it runs; "
                         f"call it outside, or use {instead}.")  # fmt: skip
    return Tensor(node).numpy()


def places_of(condition: TensorLike, what: str) -> tuple[Tensor, ...]:
    """For each axis the int32 indices of the elements that are not 0."""
    found = np.nonzero(np.atleast_1d(values_for_shape(condition, what, "ops.where(condition, x1, x2)")))
    return tuple(Tensor(as_node(axis.astype(np.int32))) for axis in found)
