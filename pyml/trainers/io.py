"""How the training loop waits: the same coroutine is driven synchronously or yields to the event loop."""

import asyncio

from pyml import config


class SyncIO:
    """Waits in place: for `fit()`. Nothing it awaits ever suspends."""

    can_wait = True

    async def read(self, tensor):
        """The value of a tensor as a numpy array."""
        return tensor.numpy()

    async def pause(self):
        """Nothing: the caller does not want the event loop to run."""

    async def prepare(self, program, *args):
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

    async def prepare(self, program, *args):
        """Compiles the kernels of a program side by side, without blocking."""
        await program.prepare(*args)


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
