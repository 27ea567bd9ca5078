"""How the training loop waits: the same coroutine is driven synchronously or yields to the event loop."""

import asyncio

from pyml import config
from pyml.errors import SyncReadError


class SyncIO:
    """Waits in place: for `fit()`. Nothing it awaits ever suspends."""

    can_wait = True

    def __init__(self, what="fit"):
        if not can_wait_synchronously():
            raise SyncReadError(
                f"This browser cannot wait synchronously; write 'await model.{what}_async(...)' instead of "
                f"'model.{what}(...)'."
            )

    async def read(self, tensor):
        """The value of a tensor as a numpy array."""
        return tensor.numpy()

    async def pause(self):
        """Nothing: the caller does not want the event loop to run."""

    async def prepare(self, programs):
        """Nothing: kernels compile when they are first needed."""


class AsyncIO:
    """Suspends: for `await fit_async()`, so that pages paint and servers answer while the model trains."""

    def __init__(self):
        self.can_wait = can_wait_synchronously()

    async def read(self, tensor):
        """The value of a tensor as a numpy array."""
        return await tensor.data()

    async def pause(self):
        """Lets the event loop run."""
        await asyncio.sleep(0)

    async def prepare(self, programs):
        """Compiles the kernels of pairs `(program, arguments)` side by side, without blocking."""
        await asyncio.gather(*(program.prepare(*args) for program, args in programs if hasattr(program, "prepare")))


def can_wait_synchronously():
    """True everywhere but in browsers that cannot suspend a Python call."""
    if not config.IN_BROWSER or config.get_backend() == "cpu":
        return True
    from pyodide.ffi import can_run_sync

    return can_run_sync()


def drive(coroutine):
    """Runs a coroutine that uses SyncIO to its end and returns its result."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    coroutine.close()
    raise RuntimeError("a coroutine driven synchronously tried to suspend")
