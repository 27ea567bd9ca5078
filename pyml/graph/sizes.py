"""Shapes and counts that a user gave, checked before anything is made of them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import index
from typing import Any

from ..errors import ShapeError


def integers_of(value: Any) -> tuple[int, ...]:
    """`value`, an integer or a sequence or array of integers, as a tuple.

    Raises:
        TypeError: It is something else.

    Example:
        >>> integers_of(3)
        (3,)
    """
    items = value if isinstance(value, Sequence) and not isinstance(value, str) else getattr(value, "tolist", lambda: value)()
    return tuple(index(n) for n in (items if isinstance(items, (tuple, list)) else (items,)))


def shape_of(value: Any, what: str, name: str = "shape", least: int = 0) -> tuple[int, ...]:
    """`value`, a size or a sequence of sizes, as a tuple.

    Args:
        value: Whole numbers from 0.
        what: Who asks, for the message.
        name: The argument's name.
        least: The least size, -1 where that means something.

    Raises:
        ShapeError: A size is smaller or not an integer.

    Example:
        >>> shape_of(3, "zeros")
        (3,)
    """
    try:
        out = integers_of(value)
    except TypeError:
        raise ShapeError(f"{what}: {name} must hold integers of at least 0. Received: {name}={value!r}") from None
    if any(n < least for n in out):
        raise ShapeError(f"{what}: sizes cannot be negative. Received: {name}={value!r}")
    return out


def count_of(value: Any, what: str, name: str, least: int = 0) -> int:
    """`value` as an integer of at least `least`.

    Raises:
        ShapeError: It is smaller, or not an integer.

    Example:
        >>> count_of(3, "linspace", "num")
        3
    """
    try:
        n = index(value)
    except TypeError:
        n = least - 1
    if n < least:
        raise ShapeError(f"{what}: {name} must be an integer of at least {least}. Received: {name}={value!r}")
    return n
