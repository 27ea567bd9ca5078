"""How the training loop waits: the same coroutine is driven synchronously or yields to the event loop."""

import asyncio

from pyml import config
from pyml.compile.program import to_host
from pyml.core.variable import settle
from pyml.errors import DeviceError, SyncReadError


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

    async def read_all(self, variables):
        """The values of Variables, all asked for before the first is waited for."""
        return await all_read(variables, self._waited)

    async def _waited(self, read):
        return config.device().sync_wait(read)

    async def wait(self, coroutine):
        """The result of a coroutine that may suspend in the browser."""
        if not config.IN_BROWSER:
            return await coroutine
        from pyodide.ffi import run_sync

        return run_sync(coroutine)

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

    async def read_all(self, variables):
        """The values of Variables, all asked for before the first is waited for."""
        return await all_read(variables, self.wait)

    async def wait(self, coroutine):
        """The result of a coroutine that may suspend."""
        return await coroutine

    async def pause(self):
        """Lets the event loop run."""
        await asyncio.sleep(0)

    async def prepare(self, programs):
        """Compiles the kernels of pairs `(program, arguments)` side by side, without blocking."""
        await asyncio.gather(*(program.prepare(*args) for program, args in programs if hasattr(program, "prepare")))


async def all_read(variables, wait):
    """The values of Variables; `wait` is a coroutine function that brings one read to its end."""
    settle(variables)
    device = config.device()
    reads = [device.read(v._buffer, v.size * 4) for v in variables]
    values, failure = [], None
    for variable, read in zip(variables, reads, strict=True):
        try:
            values.append(to_host(await wait(read), variable))
        except DeviceError as error:                   # the other reads end before anybody hears of it
            failure = failure or error
    if failure is not None:
        raise failure
    return values


def can_wait_synchronously():
    """True everywhere but in browsers that cannot suspend a Python call."""
    if not config.IN_BROWSER or config.get_backend() != "webgpu":
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
