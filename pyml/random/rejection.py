"""Draws by rejection that a program can replay: all tries are made at once, and the first that fits is taken."""

from __future__ import annotations

from typing import Any

from pyml import ops
from pyml.core.tensor import Tensor


def first_fit(fits: Tensor, values: Tensor, otherwise: Any) -> Tensor:
    """The first of `values` along axis 0 that fits, or `otherwise`."""
    place = ops.reshape(ops.arange(fits.shape[0]), (-1,) + (1,) * (fits.ndim - 1))
    chosen = ops.equal(place, ops.argmax(ops.cast(fits, "int32"), axis=0))
    return ops.where(ops.any(fits, axis=0), ops.sum(ops.where(chosen, values, 0.0), axis=0), otherwise)
