"""Whether the calls in progress are training; inner layers inherit it from the outer call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

# of this thread and task: how many layer calls are in progress, and what they decided about training, or None
_innermost: ContextVar[tuple[int, bool | None]] = ContextVar("layer_call", default=(0, None))
innermost = _innermost.get
enter = _innermost.set  # a call with its depth and `training` begins; gives what `leave` takes
leave = _innermost.reset

opens: ContextVar[Callable[[Any], bool] | None] = ContextVar("layers whose symbolic calls go through their `call`", default=None)


@contextmanager
def opening(which: Callable[[Any], bool]) -> Iterator[None]:
    """Symbolic calls of these layers go through their `call`, so that what is called in it is seen."""
    token = opens.set(which)
    try:
        yield
    finally:
        opens.reset(token)


def hearing(training: Any, call: Callable[..., Any], *args: Any) -> Any:
    """`call(*args)`, in which layers hear what a model's `call` was given, as code written for Keras calls it by itself."""
    outer = enter((innermost()[0], bool(training)))
    try:
        return call(*args)
    finally:
        leave(outer)
