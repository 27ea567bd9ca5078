"""Random numbers for ops: `pyml.random`, which is made of ops and stands above them, puts its function here."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from .tensor import Tensor

_NORMAL: list[Callable[..., Tensor]] = []


def draws_normal(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Makes `function(shape, seed=...)` what `normal` calls."""
    _NORMAL[:] = [function]
    return function


def normal(shape: tuple[int, ...], seed: Any) -> Tensor:
    """Normally distributed float32 numbers; `seed` is an integer, a SeedGenerator or None."""
    if not _NORMAL:
        import_module("pyml.random")  # nothing that was imported so far draws numbers
    return _NORMAL[0](shape, seed=seed)
