"""The numpy device: runs the same Plans by calling each op's numpy lowering. The oracle of the tests."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Sequence
from typing import Any

import numpy as np

from ..graph.op import Profile
from .base import Buffer, Copy, DeviceKernel, Dispatch, Limits, Step, rounded


class Ready:
    """An awaitable that is finished already."""

    def __init__(self, value: Any = None):
        self.value = value

    def __await__(self) -> Generator[Any, None, Any]:
        return self.value
        yield  # makes this a generator, as __await__ must return an iterator


class CpuDevice:
    name = "cpu"
    features: frozenset[str] = frozenset()
    limits = Limits(max_buffer_size=2**40, max_binding_size=2**40, max_storage_buffers=64)
    profile = Profile(family="numpy", max_storage_buffers=64, threads=1)

    def __init__(self) -> None:
        self.info = {"adapter": f"numpy {np.__version__}", "type": "cpu"}
        self.live = self.live_bytes = self.peak_bytes = 0

    def alloc(self, nbytes: int) -> Buffer:
        size = rounded(nbytes)
        self.live += 1
        self.live_bytes += size
        self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        return Buffer(np.zeros(size, np.uint8), size, self._release, self)

    def _release(self, handle: np.ndarray, nbytes: int) -> None:
        self.live -= 1
        self.live_bytes -= nbytes

    def write(self, buffer: Buffer, data: Any, offset: int = 0) -> None:
        raw = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
        buffer.handle[offset : offset + raw.nbytes] = raw

    def prepare(self, kernels: Sequence[DeviceKernel]) -> Ready:
        return Ready()

    def record(self, steps: Sequence[Step]) -> list[Step]:
        return list(steps)

    def replay(self, recorded: list[Step]) -> None:
        with np.errstate(all="ignore"):
            for step in recorded:
                if isinstance(step, Dispatch):
                    run = step.kernel.run
                    assert run is not None
                    run(*(b.handle for b in step.buffers))
                elif isinstance(step, Copy):
                    step.dst.handle[: step.nbytes] = step.src.handle[: step.nbytes]

    def read(self, buffer: Buffer, nbytes: int) -> Ready:
        return Ready(buffer.handle[:nbytes].tobytes())

    def sync_wait(self, awaitable: Awaitable[Any]) -> Any:
        return awaitable.value if isinstance(awaitable, Ready) else drive(awaitable)


def drive(coroutine: Awaitable[Any]) -> Any:
    """Runs a coroutine that never really waits."""
    it = coroutine.__await__()
    while True:
        try:
            next(it)
        except StopIteration as stop:
            return stop.value
