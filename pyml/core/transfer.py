"""Arrays to the device and back, for code above that keeps data there and knows of tensors and Variables only."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from .. import config
from ..compile.program import from_host, to_host
from ..device.lock import LOCK
from ..errors import DeviceError
from ..graph import prims
from .memory import settle
from .tensor import Tensor
from .variable import Variable


def overwrite(tensor: Tensor, array: np.ndarray) -> None:
    """Puts other values of the same shape and dtype into a tensor's own memory, so that programs find them there."""
    with LOCK:
        buffer = tensor._node.buffer
        buffer.device.write(buffer, from_host(np.ascontiguousarray(array)))


def take_rows(tensor: Tensor, rows: Tensor) -> Tensor:
    """`tensor[rows]` for row numbers that are known to be in range: one gather without a check."""
    return Tensor(prims.gather(tensor._node, rows._node))


async def read_all(variables: Sequence[Variable], wait: Callable[[Awaitable[bytes]], Awaitable[bytes]]) -> list[np.ndarray]:
    """The values of Variables, all asked for before the first is waited for.

    Args:
        wait: Brings one read to its end.

    Raises:
        DeviceError: One could not be read; the others have ended by then.
    """
    with LOCK:
        held = [v.held for v in variables]
        settle(held)
        device = config.device()
        reads = [device.read(v._buffer, v.size * 4) for v in held]
    values: list[np.ndarray] = []
    failure: DeviceError | None = None
    for variable, read in zip(variables, reads, strict=True):
        try:
            values.append(variable.from_held(to_host(await wait(read), variable.held._as_leaf())))
        except DeviceError as error:  # the other reads end before anybody hears of it
            failure = failure or error
    if failure is not None:
        raise failure
    return values


class Watched:
    """Notices whether the host assigns some Variables from now on; what programs write in place does not count."""

    def __init__(self, variables: Sequence[Variable]):
        self._memory = [(v.held, weakref.ref(v.held._buffer)) for v in variables]

    def assigned(self) -> bool:
        """True when one has been assigned since."""
        return any(v._buffer is not memory() for v, memory in self._memory)
