"""Errors show the lines of the user's code: pyml's own are left out of tracebacks unless one asks for them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from . import settings

F = TypeVar("F", bound=Callable[..., Any])
_INSIDE = str(Path(__file__).parent)


def shortened(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without the frames of pyml itself."""
    kept = []
    while traceback is not None:
        if not traceback.tb_frame.f_code.co_filename.startswith(_INSIDE):
            kept.append(traceback)
        traceback = traceback.tb_next
    result: TracebackType | None = None
    for frame in reversed(kept):
        result = TracebackType(result, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    return result


def shown(function: F) -> F:
    """Decorator of what users call: its errors have the lines of users' code, and this one of pyml's.

    `pyml.config.disable_traceback_filtering()` shows all of them.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            if settings.is_traceback_filtering_enabled():
                error.__traceback__ = shortened(error.__traceback__)
            raise

    return call  # type: ignore[return-value]
