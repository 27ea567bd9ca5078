"""Whether the calls in progress are training; inner layers inherit it from the outer call."""

from __future__ import annotations

from contextvars import ContextVar

# of this thread and task: how many layer calls are in progress, and what they decided about training, or None
_innermost: ContextVar[tuple[int, bool | None]] = ContextVar("layer_call", default=(0, None))
innermost = _innermost.get
enter = _innermost.set  # a call with its depth and `training` begins; gives what `leave` takes
leave = _innermost.reset
