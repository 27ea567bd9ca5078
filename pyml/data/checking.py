"""Checks that the methods of datasets share: one sentence that says what was given, and what is expected."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml.data.stage import Stage


def need_callable(what: str, name: str, value: Any, why: str = "") -> None:
    """Raises TypeError unless `value` can be called."""
    if not callable(value):
        raise TypeError(f"{what}: {name} must be a function{why}. Received a {type(value).__name__}.")


def need_count(what: str, name: str, value: Any, least: int = 0) -> None:
    """Raises ValueError unless `value` is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        kind = "a positive integer" if least == 1 else f"an integer of at least {least}"
        raise ValueError(f"{what}: {name} must be {kind}. Received: {name}={value!r}")


def need_seed(what: str, seed: Any) -> None:
    """Raises ValueError unless `seed` is an integer, a string or None."""
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer, str))):
        raise ValueError(f"{what}: seed must be an integer, a string or None. Received: seed={seed!r}")


def need_dataset(what: str, value: Any) -> Stage:
    """Raises TypeError unless `value` is a Dataset; returns it."""
    if not isinstance(value, Stage):
        raise TypeError(f"{what}: expected a Dataset. Received a {type(value).__name__}.")
    return value
