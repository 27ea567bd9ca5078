"""Work that is written once, as a generator that asks for something, and answered at once or by awaiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeAlias, TypeVar

from .files import ModelFileNotFound, Readable

Result = TypeVar("Result")
Asked: TypeAlias = tuple[Readable, str, int]  # a place, the name of a file, the most bytes that it may have
Asking: TypeAlias = Generator[Asked, bytes, Result]  # work that asks for files
READINGS = 20  # … of files that another process replaces meanwhile


def answered(work: Generator[Any, Any, Result], answer: Callable[[Any], Any]) -> Result:
    """What the generator returns; `answer` is called with everything that it asks. That a file is not there is raised where it asks."""
    reply, gone = None, None
    while True:
        try:
            asked = work.send(reply) if gone is None else work.throw(gone)
        except StopIteration as end:
            return end.value
        try:
            reply, gone = answer(asked), None
        except ModelFileNotFound as error:
            gone = error


async def answered_async(work: Generator[Any, Any, Result], answer: Callable[[Any], Awaitable[Any]]) -> Result:
    """`answered` with answers that have to be awaited."""
    reply, gone = None, None
    while True:
        try:
            asked = work.send(reply) if gone is None else work.throw(gone)
        except StopIteration as end:
            return end.value
        try:
            reply, gone = await answer(asked), None
        except ModelFileNotFound as error:
            gone = error


def whole(place: Readable, name: str, most: int, rest: Callable[[bytes], Asking[Result]]) -> Asking[Result]:
    """What `rest` makes of a file that lists others. They go when a new list is in place: then it begins again, with the new one."""
    for _ in range(READINGS):
        listing = yield place, name, most
        try:
            return (yield from rest(listing))
        except ModelFileNotFound:
            if (yield place, name, most) == listing:
                raise
    raise ModelFileNotFound(f"{place}: it was replaced {READINGS} times while it was read; wait until the saving ends.")


def read(asked: Asked) -> bytes:
    """The bytes of a file that was asked for as `(place, name, most bytes)`."""
    place, name, most = asked
    return place.read(name, most)


async def read_async(asked: Asked) -> bytes:
    """`read` that does not block a page."""
    place, name, most = asked
    return await place.read_async(name, most)
