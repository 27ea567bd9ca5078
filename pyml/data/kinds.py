"""The types that the files of datasets share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any, Protocol, TypeAlias

Element: TypeAlias = Any  # a number, a string, an array or a tensor, or these nested in tuples and dicts; structures of them too
Stream: TypeAlias = AsyncGenerator[Element, None]
Opens: TypeAlias = Callable[[], Stream]  # a source, from its beginning
Function: TypeAlias = Callable[..., Any]  # of the user's: takes an element, its parts where it is a tuple, and may return a coroutine


class Rows(Protocol):
    """Brings nested arrays of equally many rows, and that number."""

    async def __call__(self) -> tuple[Element, int]: ...
