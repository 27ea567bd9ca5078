"""How the training loop waits: the same coroutine is driven synchronously or yields to the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from pyml import config
from pyml.core import Tensor, Variable
from pyml.core.transfer import read_all
from pyml.errors import SyncReadError

T = TypeVar("T")


class IO(Protocol):
    """A way to wait. `can_wait` is False where values arrive only after a real wait; `suspends` says whether others run meanwhile."""

    can_wait: bool
    suspends: bool

    async def read(self, tensor: Tensor | Variable) -> np.ndarray:
        """The value of a tensor as a numpy array."""

    async def read_all(self, variables: Sequence[Variable]) -> list[np.ndarray]:
        """The values of Variables, all asked for before the first is waited for."""

    async def wait(self, coroutine: Awaitable[T]) -> T:
        """The result of a coroutine that may suspend."""

    async def pause(self) -> None:
        """Lets the event loop run, where somebody wants that."""

    async def prepare(self, programs: Iterable[tuple[Any, tuple]]) -> None:
        """Compiles the kernels of pairs `(program, arguments)` ahead, where that can happen side by side."""


class SyncIO:
    """Waits in place: for `fit()`. Nothing it awaits ever suspends."""

    can_wait = True
    suspends = False

    def __init__(self, what: str = "fit"):
        if not config.waits():
            raise SyncReadError(
                f"This browser cannot wait synchronously; write 'await model.{what}_async(...)' instead of "
                f"'model.{what}(...)'."
            )  # fmt: skip

    async def read(self, tensor: Tensor | Variable) -> np.ndarray:
        return tensor.numpy()

    async def read_all(self, variables: Sequence[Variable]) -> list[np.ndarray]:
        async def waited(read: Awaitable[bytes]) -> bytes:
            return config.device().sync_wait(read)

        return await read_all(variables, waited)

    async def wait(self, coroutine: Awaitable[T]) -> T:
        if not config.IN_BROWSER:
            return await coroutine
        from pyodide.ffi import run_sync

        return run_sync(coroutine)

    async def pause(self) -> None:
        """Nothing: the caller does not want the event loop to run."""

    async def prepare(self, programs: Iterable[tuple[Any, tuple]]) -> None:
        """Nothing: kernels compile when they are first needed."""


class AsyncIO:
    """Suspends: for `await fit_async()`, so that pages paint and servers answer while the model trains."""

    suspends = True

    def __init__(self) -> None:
        self.can_wait = config.waits()

    async def read(self, tensor: Tensor | Variable) -> np.ndarray:
        return await tensor.data()

    async def read_all(self, variables: Sequence[Variable]) -> list[np.ndarray]:
        return await read_all(variables, self.wait)

    async def wait(self, coroutine: Awaitable[T]) -> T:
        return await coroutine

    async def pause(self) -> None:
        await asyncio.sleep(0)

    async def prepare(self, programs: Iterable[tuple[Any, tuple]]) -> None:
        await asyncio.gather(*(program.prepare(*args) for program, args in programs if hasattr(program, "prepare")))


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine that uses SyncIO to its end and returns its result."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise RuntimeError("a coroutine driven synchronously tried to suspend")
