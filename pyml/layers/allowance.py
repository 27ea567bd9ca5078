"""How many numbers new weights may hold: while a model is read from a file, no more than the file brings."""

from __future__ import annotations

import contextlib
import contextvars
import math
from typing import Any

from pyml.errors import ShapeError

_SPARE = 1 << 16   # a few more than the file has: then the missing weight is named, which says more
_left: contextvars.ContextVar[list[int] | None] = contextvars.ContextVar("weights_left", default=None)


@contextlib.contextmanager
def at_most(count: Any) -> Any:
    """Weights made within hold `count` numbers together, or a few more."""
    token = _left.set([count + _SPARE])
    try:
        yield
    finally:
        _left.reset(token)


def take(shape: Any, what: Any) -> None:
    """Counts a weight that is about to be made.

    Raises:
        ShapeError: It is larger than what is left.
    """
    left = _left.get()
    if left is None:
        return
    count = math.prod(shape)
    if count > left[0]:
        raise ShapeError(f"{what} has shape {tuple(shape)}, {count:,} numbers; the file has fewer.")
    left[0] -= count
