"""Draws by rejection that a program can replay: all tries are made at once, and the first that fits is taken."""

from __future__ import annotations

from typing import Any

from pyml import ops
from pyml.core.tensor import Tensor


def first_fit(fits: Tensor, values: Tensor, otherwise: Any) -> Tensor:
    """The first of `values` along axis 0 that fits, or `otherwise`: no reductions, so that it is part of what follows."""
    found: Any = otherwise
    for i in range(fits.shape[0] - 1, -1, -1):
        found = ops.where(fits[i], values[i], found)
    return found
