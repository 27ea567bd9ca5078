"""A device that runs nothing: it writes down which buffers there are and what the steps would be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyml.device.base import Buffer, Device, Limits, Step, rounded
from pyml.graph.op import Profile

GPU = Profile(family="tile")  # what every browser with a GPU has; a plan for it runs on a software adapter too, if slowly
SOFTWARE = Profile(family="register", threads=1024)
# Sums are those of one thread, so that numbers do not depend on how many there are; workgroups are enough for several.
WASM = Profile(family="wasm", max_storage_buffers=64, threads=1, cores=4)


class Recorder(Device):
    """Stands for the machine that an exported model will meet.

    Buffers are numbers, places in `sizes`; `record` gives the steps back as they are.
    """

    def __init__(self, name: str, profile: Profile) -> None:
        most = 1 << 30 if name == "wasm" else 128 << 20  # a storage binding that every WebGPU adapter offers
        self.name, self.profile = name, profile
        self.limits = Limits(max_buffer_size=most, max_binding_size=most)
        self.features: frozenset[str] = frozenset()
        self.info = {"adapter": f"any {'WebAssembly engine' if name == 'wasm' else 'WebGPU adapter'}"}
        self.sizes: list[int] = []
        self.buffers: list[Buffer] = []  # held, so that temporaries are shared by all programs

    def alloc(self, nbytes: int) -> Buffer:
        """The next number."""
        buffer = Buffer(len(self.sizes), rounded(nbytes), device=self)
        self.sizes.append(buffer.nbytes)
        self.buffers.append(buffer)
        return buffer

    def record(self, steps: Sequence[Step]) -> tuple[Step, ...]:
        """The steps."""
        return tuple(steps)

    def write(self, buffer: Buffer, data: Any, offset: int = 0) -> None:
        """Never called: what an exported program reads are states and inputs."""
        raise AssertionError("a recorder holds no bytes")

    async def prepare(self, kernels: Sequence[Any]) -> None:
        """Nothing is compiled."""

    def replay(self, recorded: Any) -> None:
        """Never called."""
        raise AssertionError("a recorder runs nothing")

    async def read(self, buffer: Buffer, nbytes: int) -> bytes:
        """Never called."""
        raise AssertionError("a recorder holds no bytes")

    def sync_wait(self, awaitable: Any) -> Any:
        """Never called."""
        raise AssertionError("a recorder waits for nothing")


__all__ = ["GPU", "SOFTWARE", "WASM", "Recorder"]
