"""Errors show the lines of the user's code: pyml's own are left out of tracebacks unless one asks for them."""

from __future__ import annotations

import functools
import inspect
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from . import settings
from .errors import did_you_mean

F = TypeVar("F", bound=Callable[..., Any])
_INSIDE = str(Path(__file__).parent)


def is_ours(defined: Any) -> bool:
    """Whether pyml defines a class or function, and no user: a user's may do what no class of ours does."""
    return str(getattr(defined, "__module__", "")).startswith("pyml.")


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


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warns at the line of the user's code, however deep in pyml the reason was found."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_INSIDE):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def shown(function: F) -> F:
    """Decorator of what users call: its errors have the lines of users' code, and this one of pyml's.

    `pyml.config.disable_traceback_filtering()` shows all of them.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:  # an interrupt too
            _reword(function, error, args)
            raise

    return call  # type: ignore[return-value]


def of_class(cls: type, said: str) -> str:
    """Python's words about a constructor's arguments, with the class that was called in the place of the base that has the constructor.

    Example:
        >>> of_class(int, "object.__init__() takes 1 positional argument but 2 were given")
        'int.__init__() takes 1 positional argument but 2 were given'
    """
    found = re.match(r"(\w+)\.__init__\(\) ", said)
    return f"{cls.__name__}{said[found.end(1) :]}" if found and found[1] in {base.__name__ for base in cls.__mro__} else said


def _reword(function: Any, error: BaseException, args: tuple[Any, ...] = ()) -> None:
    """Python's words for an argument that there is not get the name that is near, as Python 3.13 does by itself; frames of pyml go."""
    own = isinstance(error, TypeError) and error.__traceback__ is not None and error.__traceback__.tb_next is None
    if own and args and function.__name__ == "__init__":
        error.args = (of_class(type(args[0]), str(error)),)
    found = re.search(r"got an unexpected keyword argument '(\w+)'$", str(error)) if own else None
    if found:
        hint = did_you_mean(found[1], inspect.signature(function).parameters)
        called = f"{type(args[0]).__name__}.__init__" if args and function.__name__ == "__init__" else function.__name__
        error.args = (f"{called}() {found[0]}.{hint}",)
    hide(error)


def hide(error: BaseException) -> None:
    """Leaves pyml's own frames out of the tracebacks of an error and of those that led to it, unless one asks for them."""
    if settings.is_traceback_filtering_enabled():
        error.__traceback__ = shortened(error.__traceback__)
        _shorten_causes(error)


def _shorten_causes(error: BaseException) -> None:
    """Those that led to an error show users' lines too; one that has none, and whose words the error repeats, is left out."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is None:
        return
    cause.__traceback__ = shortened(cause.__traceback__)
    _shorten_causes(cause)
    if cause.__traceback__ is None and str(cause) in str(error):
        error.__cause__ = None  # suppresses the context as well
        if cause.__cause__ is not None:
            error.__cause__ = cause.__cause__


def shown_async(function: F) -> F:
    """As `shown`, for coroutines."""

    @functools.wraps(function)
    async def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return await function(*args, **kwargs)
        except BaseException as error:  # an interrupt too
            _reword(function, error)
            raise

    return call  # type: ignore[return-value]
