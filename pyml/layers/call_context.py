"""Whether the calls in progress are training; inner layers inherit it from the outer call."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

# of this thread and task: how many layer calls are in progress, and what they decided about training, or None
_innermost: ContextVar[tuple[int, bool | None]] = ContextVar("layer_call", default=(0, None))
innermost = _innermost.get
enter = _innermost.set  # a call with its depth and `training` begins; gives what `leave` takes
leave = _innermost.reset


def hearing(training: Any, call: Callable[..., Any], *args: Any) -> Any:
    """`call(*args)`, in which layers hear what a model's `call` was given, as code written for Keras calls it by itself."""
    outer = enter((innermost()[0], bool(training)))
    try:
        return call(*args)
    finally:
        leave(outer)
