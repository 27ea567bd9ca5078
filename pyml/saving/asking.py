"""Work that is written once, as a generator that asks for something, and answered at once or by awaiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias, TypeVar

from .files import Readable

Result = TypeVar("Result")
Asked: TypeAlias = tuple[Readable, str, int]  # a place, the name of a file, the most bytes that it may have
Asking: TypeAlias = Generator[Asked, bytes, Result]  # work that asks for files


def answered(work: Generator[Any, Any, Result], answer: Callable[[Any], Any]) -> Result:
    """What the generator returns; `answer` is called with everything that it asks."""
    reply = None
    while True:
        try:
            asked = work.send(reply)
        except StopIteration as end:
            return end.value
        reply = answer(asked)


async def answered_async(work: Generator[Any, Any, Result], answer: Callable[[Any], Awaitable[Any]]) -> Result:
    """`answered` with answers that have to be awaited."""
    reply = None
    while True:
        try:
            asked = work.send(reply)
        except StopIteration as end:
            return end.value
        reply = await answer(asked)


def read(asked: Asked) -> bytes:
    """The bytes of a file that was asked for as `(place, name, most bytes)`."""
    place, name, most = asked
    return place.read(name, most)


async def read_async(asked: Asked) -> bytes:
    """`read` that does not block a page."""
    place, name, most = asked
    return await place.read_async(name, most)
