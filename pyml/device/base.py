"""What every device offers, and the plain data that passes between the compiler and a device."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from ..errors import DeviceError, SyncReadError
from ..graph.op import Profile

PIPELINES = 128  # kept beside those in use, for a model made again: 0.13 to 0.2 MB each on a software adapter
ALIGN = 16  # buffers are whole vec4s, so a vector kernel may read past the last element


def rounded(nbytes: int) -> int:
    """The size a buffer really gets."""
    return max(ALIGN, -(-nbytes // ALIGN) * ALIGN)


class Buffer:
    """Memory of a device; it goes back to the device's pool when the last Python reference dies."""

    __slots__ = ("__weakref__", "_release", "device", "handle", "nbytes")

    def __init__(self, handle: Any, nbytes: int, release: Callable[[Any, int], None] | None = None, device: Any = None):
        self.handle, self.nbytes, self._release, self.device = handle, nbytes, release, device

    def __del__(self) -> None:
        release = self._release
        if release is not None:
            try:
                release(self.handle, self.nbytes)
            except Exception:
                pass


def brought(buffer: Buffer, device: Device) -> Buffer:
    """The buffer, or where it is another device's, one of this device with the same bytes.

    Raises:
        DeviceError: This browser cannot wait for the device that has the bytes.
    """
    if buffer.device is device or buffer.device is None:
        return buffer
    home = buffer.device
    try:
        raw = home.sync_wait(home.read(buffer, buffer.nbytes))
    except SyncReadError as e:
        raise DeviceError(
            f"a value is stored on '{home.name}', and this browser cannot wait for a copy on '{device.name}': read it with "
            "'await t.data()' before set_backend, or create it again on this device."
        ) from e
    own = device.alloc(buffer.nbytes)
    device.write(own, np.frombuffer(raw, np.uint8))
    return own


@dataclass(frozen=True)
class Limits:
    """The adapter's limits that matter to plans, in bytes and counts."""

    max_buffer_size: int
    max_binding_size: int
    max_storage_buffers: int = 8
    max_invocations: int = 256
    max_shared: int = 16384
    max_workgroups: int = 65535


@dataclass(eq=False)
class DeviceKernel:
    """A kernel as a GPU device takes it: WGSL text with entry point `main`, bindings of group 0 in order.

    Bindings are buffers, "read", "read_write" or "uniform", or "turn", a uniform number that `Count` steps change; kernels
    of pictures also have a "texture" that they read or a "canvas" that they write, both rgba8unorm.
    """

    label: str
    source: str
    bindings: tuple[str, ...]
    grid: tuple[int, int, int]
    run: Callable | None = None  # the cpu device: run(*arrays)
    order: tuple = ()  # what each binding is: ("read", i) | ("write", i) | ("params", 0) | ("turn", 0) of the plan's kernel
    cache: Any = None  # the device's compiled pipeline
    work: int | None = None  # about how many nanoseconds one processor core takes; None where that is not known


@dataclass(frozen=True, eq=False)
class Dispatch:
    kernel: DeviceKernel
    buffers: tuple[Buffer, ...]


@dataclass(frozen=True, eq=False)
class Copy:
    src: Buffer
    dst: Buffer
    nbytes: int


@dataclass(frozen=True, eq=False)
class Count:
    """A number in memory is set, or where `value` is None raised by one: kernels read it by a binding "turn"."""

    number: Buffer
    value: int | None


@dataclass(frozen=True, eq=False)
class Repeat:
    """The same steps several times; what differs between them follows from numbers that they count."""

    times: int
    steps: tuple[Step, ...]


Step = Dispatch | Copy | Count | Repeat


def dispatches(steps: Sequence[Step]) -> Iterator[Dispatch]:
    """The dispatches among steps, those in a repeated section once."""
    for step in steps:
        if isinstance(step, Dispatch):
            yield step
        elif isinstance(step, Repeat):
            yield from dispatches(step.steps)


def machine_of(device: Device) -> str:
    """By which name `pyml build` ships what a device takes: "wasm-4-relaxed", "wasm-1", "tile" of GPUs."""
    return device.profile.named + ("-relaxed" if "relaxed-simd" in device.features else "")


@dataclass
class Usage:
    """What a device holds now and held at most, in bytes and buffers (pooled buffers included)."""

    buffers: int = 0
    nbytes: int = 0
    peak: int = 0
    live: int = 0  # buffers in use
    live_bytes: int = 0
    calls: dict[str, int] = field(default_factory=dict)


class Device(Protocol):
    name: str
    limits: Limits
    features: frozenset[str]
    profile: Profile
    info: dict[str, str]

    def alloc(self, nbytes: int) -> Buffer: ...
    def write(self, buffer: Buffer, data: Any, offset: int = 0) -> None: ...
    def prepare(self, kernels: Sequence[DeviceKernel]) -> Awaitable[None]: ...
    def record(self, steps: Sequence[Step]) -> Any: ...
    def replay(self, recorded: Any) -> None: ...
    def read(self, buffer: Buffer, nbytes: int) -> Awaitable[bytes | bytearray]: ...
    def sync_wait(self, awaitable: Awaitable) -> Any: ...
