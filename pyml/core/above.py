"""The parts that stand above the engine and that calls of a user's lead to from there, found by their names."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Literal


def above(part: Literal["array_api", "initializers", "random"]) -> Any:
    """A part of the package that this one knows only the name of; it is imported when it is first asked for.

    A Variable may name its initializer, a tensor its namespace, and an op draws numbers.
    """
    return import_module(f"{__package__.partition('.')[0]}.{part}")
