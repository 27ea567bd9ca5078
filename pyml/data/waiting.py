"""How a dataset waits: the same streams serve `for` and `async for`.

Streams are asynchronous generators. `for` drives them in place; whatever has to be waited for inside goes through
`settled`, which then waits by a private event loop natively and by suspending the call in the browser.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, TypeVar

from pyml.errors import SyncReadError

T = TypeVar("T")
_waiter: ContextVar[_Waiter | None] = ContextVar("pyml_data_waiter", default=None)


class _Waiter:
    """Waits for awaitables on behalf of one `for` loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None

    def wait(self, awaitable: Awaitable[T]) -> T:
        """The result of an awaitable, now.

        Raises:
            SyncReadError: This browser cannot wait here.
            RuntimeError: An event loop runs in this thread already.
        """
        token = _waiter.set(None)                      # what runs meanwhile may await by itself
        try:
            if sys.platform == "emscripten":
                return _suspended(awaitable)
            if asyncio._get_running_loop() is not None:
                _drop(awaitable)
                raise RuntimeError(
                    "this dataset has to wait for something and an event loop is running; "
                    "write `async for element in dataset` or `await model.fit_async(dataset)`."
                )
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
            return self._loop.run_until_complete(_awaited(awaitable))
        finally:
            _waiter.reset(token)

    def close(self) -> None:
        """Ends the private event loop."""
        if self._loop is not None:
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
            self._loop = None


async def _awaited(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _suspended(awaitable: Awaitable[T]) -> T:
    """Waits in the browser, where the call can be suspended."""
    from pyodide.ffi import can_run_sync, run_sync

    if not can_run_sync():
        _drop(awaitable)
        raise SyncReadError(
            "This browser cannot wait synchronously; write `async for element in dataset` or "
            "`await model.fit_async(dataset)`."
        )
    return run_sync(_awaited(awaitable))


def _drop(awaitable: Awaitable[Any]) -> None:
    """Gives up on a coroutine without a warning that it was never awaited."""
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()


async def settled(awaitable: Awaitable[T]) -> T:
    """The result of an awaitable; under `for` it never suspends the stream."""
    waiter = _waiter.get()
    return await awaitable if waiter is None else waiter.wait(awaitable)


def in_for_loop() -> bool:
    """True inside a stream that a plain `for` drives."""
    return _waiter.get() is not None


def driven(stream: AsyncGenerator[T, None]) -> Generator[T, None, None]:
    """The elements of a stream for a plain `for` loop; the stream is closed when the loop is left."""
    waiter = _Waiter()
    try:
        while True:
            try:
                element = _step(stream.__anext__(), waiter)
            except StopAsyncIteration:
                return
            yield element
    finally:
        _step(stream.aclose(), waiter)
        waiter.close()


def run_now(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine whose every wait goes through `settled`."""
    waiter = _Waiter()
    try:
        return _step(coroutine, waiter)
    finally:
        waiter.close()


def _step(awaitable: Coroutine[Any, Any, T], waiter: _Waiter) -> T:
    """Runs an awaitable of a stream to its end; it has no reason to suspend."""
    token = _waiter.set(waiter)
    try:
        awaitable.send(None)
    except StopIteration as stop:
        return stop.value
    finally:
        _waiter.reset(token)
    awaitable.close()
    raise RuntimeError("a dataset driven by a plain `for` tried to suspend; write `async for element in dataset`.")
