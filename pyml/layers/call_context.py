"""Whether the calls in progress are training; inner layers inherit it from the outer call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# of this thread and task: how many layer calls are in progress, and what they decided about training, or None
_innermost: ContextVar[tuple[int, bool | None]] = ContextVar("layer_call", default=(0, None))
innermost = _innermost.get
enter = _innermost.set  # a call with its depth and `training` begins; gives what `leave` takes
leave = _innermost.reset


@contextmanager
def hearing(training: bool | None) -> Iterator[None]:
    """Layers called inside hear what a model's `call` was given, which code written for Keras calls by itself; None changes nothing."""
    depth, around = innermost()
    if training is None or training is around:
        yield
        return
    outer = enter((depth, bool(training)))
    try:
        yield
    finally:
        leave(outer)
