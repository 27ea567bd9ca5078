"""Whether the calls in progress are training; inner layers inherit it from the outer call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_innermost: ContextVar[tuple[int, bool | None]] = ContextVar("layer_call", default=(0, None))  # of this thread and task


def depth() -> int:
    """Number of layer calls in progress."""
    return _innermost.get()[0]


def training() -> bool | None:
    """What the enclosing calls decided, or None."""
    return _innermost.get()[1]


@contextmanager
def entered(value: bool | None) -> Iterator[None]:
    """A layer call with the given `training`."""
    before = _innermost.set((depth() + 1, value))
    try:
        yield
    finally:
        _innermost.reset(before)
