"""WebGPU on the desktop through wgpu-py."""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import tempfile
from collections.abc import Awaitable, Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import BackendUnavailable, BufferTooLarge, DeviceError, DeviceLost, KernelError
from ..graph.op import Profile
from ..recent import Held, Shared
from . import forks
from .base import PIPELINES, Buffer, Copy, Count, DeviceKernel, Dispatch, Limits, Repeat, Step, Usage, dispatches
from .cpu import Ready, drive
from .lock import LOCK
from .pool import BufferPool

_LIMITS = ("max-buffer-size", "max-storage-buffer-binding-size", "max-storage-buffers-per-shader-stage",
           "max-compute-invocations-per-workgroup", "max-compute-workgroup-storage-size",
           "max-compute-workgroup-size-x")  # fmt: skip
_FEATURES = ("shader-f16", "timestamp-query", "subgroup")
SOFTWARE = ("llvmpipe", "lavapipe", "swiftshader", "softpipe", "basic render", "warp")
LAYOUT: dict[str, dict] = {  # of a kernel's bindings
    "read": {"buffer": {"type": "read-only-storage"}},
    "read_write": {"buffer": {"type": "storage"}},
    "uniform": {"buffer": {"type": "uniform"}},
    "turn": {"buffer": {"type": "uniform", "has_dynamic_offset": True}},
    "texture": {"texture": {}},
    "canvas": {"storage_texture": {"format": "rgba8unorm"}},
}
TRIM_AFTER = 512  # pipelines made; 2 to 20 ms with 420 MB on Mesa's software adapter, which 512 pipelines take seconds to make
APART = 256  # bytes between the numbers that "turn" bindings choose from: offsets of bindings are multiples of it


def trim() -> None:
    """Has the C library give the system back what compilers of shaders freed: glibc keeps all but the end of its heap."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None  # others do it by themselves
    if give_back is not None:
        give_back(0)


def _end_without_driver() -> None:
    """At this process's end objects are freed and Mesa joins threads that are not here: both would wait for ever."""
    bindings = sys.modules.get("wgpu.backends.wgpu_native._api")
    if bindings is not None:
        bindings.libf = None  # type: ignore[attr-defined]
    c = ctypes.CDLL(None)
    if hasattr(c, "on_exit"):  # glibc: called before the driver's own handlers, with the exit status
        c.on_exit(c._exit, None)


class NativeDevice:
    """The machine's fastest WebGPU adapter.

    Raises:
        BackendUnavailable: wgpu is not installed or finds no adapter.
    """

    name = "webgpu"

    def __init__(self) -> None:
        if forks.forked:
            raise BackendUnavailable(f"WebGPU cannot be opened here: {forks.STAYED}")
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.gettempdir())  # Vulkan loaders complain on stderr without it
        try:
            import wgpu
        except ImportError as e:
            raise BackendUnavailable(f"WebGPU on the desktop needs the package wgpu ({e}); pip install wgpu.") from None
        try:
            adapter = wgpu.gpu.request_adapter_sync(power_preference="high-performance")
        except Exception as e:
            raise BackendUnavailable(f"no WebGPU adapter was found ({e}); install a Vulkan, Metal or D3D12 driver.") from None
        if adapter is None:
            raise BackendUnavailable("no WebGPU adapter was found; install a Vulkan, Metal or D3D12 driver.")
        self._wgpu = wgpu
        limits = {k: adapter.limits[k] for k in _LIMITS if k in adapter.limits}
        features = [f for f in _FEATURES if f in adapter.features]
        self._device = adapter.request_device_sync(required_limits=limits, required_features=features)
        self._queue = self._device.queue
        have = self._device.limits
        self.features = frozenset(features)
        self.limits = Limits(
            max_buffer_size=have["max-buffer-size"],
            max_binding_size=have["max-storage-buffer-binding-size"],
            max_storage_buffers=have["max-storage-buffers-per-shader-stage"],
            max_invocations=have["max-compute-invocations-per-workgroup"],
            max_shared=have["max-compute-workgroup-storage-size"],
        )
        info = adapter.info
        name = info.get("device") or info.get("description") or "unknown adapter"
        software = info.get("adapter_type") == "CPU" or any(s in f"{name} {info.get('description', '')}".lower() for s in SOFTWARE)
        self.info = {
            "adapter": f"{name} ({info.get('backend_type', '')})",
            "type": "software" if software else "gpu",
            "driver": info.get("description", ""),
            "wgpu": wgpu.__version__,
        }
        self.profile = Profile(family="register", threads=1024) if software else Profile()
        self._pool = BufferPool(self._create, lambda handle: handle.destroy(), self)
        self._numbers: tuple[Any, int] = (None, 0)  # 0, 1, 2, … for "turn" bindings, and how many
        self._layouts: dict = {}
        self._pipelines: Shared[Any] = Shared(PIPELINES)
        self._made = 0
        self._lost = ""
        self.left: forks.Left | None = None  # in a process forked from the one of the device
        forks.opened.add(self)

    @property
    def usage(self) -> Usage:
        return self._pool.usage

    def _create(self, nbytes: int) -> Any:
        u = self._wgpu.BufferUsage
        usage = u.STORAGE | u.COPY_SRC | u.COPY_DST | u.UNIFORM
        try:
            return self._device.create_buffer(size=nbytes, usage=usage)
        except Exception as e:
            self._check(e)
            raise BufferTooLarge(f"the device could not allocate {nbytes:,} bytes ({e}).") from None

    def alloc(self, nbytes: int) -> Buffer:
        if nbytes > self.limits.max_buffer_size:
            raise BufferTooLarge(f"a buffer of {nbytes:,} bytes was asked for; the adapter allows {self.limits.max_buffer_size:,}.")
        return self._pool.take(nbytes, self.limits.max_buffer_size)

    def write(self, buffer: Buffer, data: Any, offset: int = 0) -> None:
        data = np.ascontiguousarray(data) if isinstance(data, np.ndarray) else data
        view = memoryview(data).cast("B") if not isinstance(data, np.ndarray) else data.reshape(-1).view(np.uint8)
        if len(view) % 4:  # WebGPU writes whole words
            view = np.concatenate([np.frombuffer(view, np.uint8), np.zeros(-len(view) % 4, np.uint8)])
        if len(view):
            try:
                self._queue.write_buffer(buffer.handle, offset, view)
            except Exception as e:
                self._check(e)
                raise

    # ---- kernels
    def _layout(self, modes: tuple[str, ...]) -> tuple[Any, Any]:
        if modes not in self._layouts:
            entries = [{"binding": i, "visibility": self._wgpu.ShaderStage.COMPUTE, **LAYOUT[m]} for i, m in enumerate(modes)]
            group = self._device.create_bind_group_layout(entries=entries)
            self._layouts[modes] = group, self._device.create_pipeline_layout(bind_group_layouts=[group])
        return self._layouts[modes]

    def _pipeline(self, kernel: DeviceKernel) -> Held[Any]:
        key = (kernel.source, kernel.bindings)
        found = self._pipelines.get(key)
        if found is not None:
            return found
        try:
            module = self._device.create_shader_module(code=kernel.source, label=kernel.label)
            made = self._device.create_compute_pipeline(
                layout=self._layout(kernel.bindings)[1], compute={"module": module, "entry_point": "main"}
            )
        except Exception as e:
            self._check(e)
            raise KernelError(f"kernel {kernel.label!r} does not compile: {e}") from None
        self._made += 1
        if self._made % TRIM_AFTER == 0:
            trim()
        return self._pipelines.put(key, made)

    async def prepare(self, kernels: Sequence[DeviceKernel]) -> None:
        for k in kernels:
            with LOCK:
                self._pipeline(k)
            await asyncio.sleep(0)

    def record(self, steps: Sequence[Step]) -> list[tuple[Any, ...]]:
        """Dispatches and copies with their bind groups made; repeated ones have one, and a number that differs."""
        out: list[tuple[Any, ...]] = []
        groups: dict[int, tuple[Any, ...]] = {}
        played = list(_played(steps, {}))
        counting = any("turn" in s.kernel.bindings for s in dispatches(steps))
        numbers = self._counted(max(n for _, n in played) + 1) if counting else None
        for step, number in played:
            if isinstance(step, Copy):
                out.append((None, step.src.handle, step.dst.handle, -(-step.nbytes // 4) * 4, step.src, step.dst))
                continue
            if id(step) not in groups:
                groups[id(step)] = self._bound(step, numbers)
            out.append((*groups[id(step)], [APART * number] if "turn" in step.kernel.bindings else ()))
        return out

    def _bound(self, step: Dispatch, numbers: Buffer | None) -> tuple:
        kernel = step.kernel
        pipeline = self._pipeline(kernel)
        entries = []
        for i, (mode, b) in enumerate(zip(kernel.bindings, step.buffers, strict=True)):
            handle, size = (numbers.handle, 16) if mode == "turn" and numbers is not None else (b.handle, b.nbytes)
            entries.append({"binding": i, "resource": {"buffer": handle, "offset": 0, "size": size}})
        try:
            group = self._device.create_bind_group(layout=self._layout(kernel.bindings)[0], entries=entries)
        except Exception as e:
            self._check(e)
            raise
        return pipeline.value, group, kernel.grid, (pipeline, *step.buffers, numbers)

    def _counted(self, n: int) -> Buffer:
        """The numbers from 0, at least n of them."""
        if n > self._numbers[1]:
            words = np.zeros((n, APART // 4), np.uint32)
            words[:, 0] = np.arange(n)
            self._numbers = self.alloc(words.nbytes), n
            self.write(self._numbers[0], words)
        return self._numbers[0]

    def replay(self, recorded: list[tuple[Any, ...]]) -> None:
        self._check()
        try:
            self._submit(recorded)
        except Exception as e:
            self._check(e)
            raise

    def _submit(self, recorded: list[tuple[Any, ...]]) -> None:
        """One encoder and one submit; copies end the compute pass, and the next dispatch begins another."""
        encoder = self._device.create_command_encoder()
        run = pipeline = None
        for step in recorded:
            if step[0] is not None:
                if run is None:
                    run, pipeline = encoder.begin_compute_pass(), None
                if step[0] is not pipeline:
                    run.set_pipeline(pipeline := step[0])
                run.set_bind_group(0, step[1], step[4])
                run.dispatch_workgroups(*step[2])
            else:
                if run is not None:
                    run.end()
                    run = None
                encoder.copy_buffer_to_buffer(step[1], 0, step[2], 0, step[3])
        if run is not None:
            run.end()
        self._queue.submit([encoder.finish()])

    @property
    def lost(self) -> bool:
        """Whether something was told that it is lost, or it stayed behind at a fork with all that lay on it."""
        return bool(self._lost) or (self.left is not None and self.left.empty)

    # ---- reading
    def _check(self, error: Exception | None = None) -> None:
        """Raises DeviceLost if the device is known to be lost, or `error` says so; an error of ours as it is."""
        if isinstance(error, DeviceError):
            raise error
        if error is not None and "lost" in str(error).lower():
            self._lost = str(error).strip().splitlines()[-1].strip()
        if self._lost:
            raise DeviceLost.told(self._lost)

    def read(self, buffer: Buffer, nbytes: int) -> Ready:
        """The first `nbytes` bytes of now: what is queued later does not change them."""
        self._check()
        try:
            return Ready(bytes(self._queue.read_buffer(buffer.handle, 0, -(-nbytes // 4) * 4))[:nbytes])
        except Exception as e:
            self._check(e)
            raise DeviceError(f"reading {nbytes} bytes from the device failed: {e}") from None

    # ---- forks
    def held(self) -> list[Any]:
        """The handles of all memory in use."""
        return self._pool.held()

    def read_together(self, handles: Sequence[Any]) -> bytes:
        """The bytes of several buffers, one after the other, at the price of one read."""
        usage = self._wgpu.BufferUsage
        stage = self._device.create_buffer(size=sum(h.size for h in handles), usage=usage.COPY_DST | usage.MAP_READ)
        encoder, at = self._device.create_command_encoder(), 0
        for handle in handles:
            encoder.copy_buffer_to_buffer(handle, 0, stage, at, handle.size)
            at += handle.size
        self._queue.submit([encoder.finish()])
        stage.map_sync(self._wgpu.MapMode.READ)
        values = bytes(stage.read_mapped(copy=False))
        stage.destroy()
        return values

    def leave(self, left: forks.Left) -> None:
        """The process before the fork has the device; here is what was read of it."""
        self.left = self._device = self._queue = left
        _end_without_driver()

    def sync_wait(self, awaitable: Awaitable) -> Any:
        return awaitable.value if isinstance(awaitable, Ready) else drive(awaitable)


def _played(steps: Sequence[Step], numbers: dict[int, int]) -> Iterator[tuple[Dispatch | Copy, int]]:
    """The steps one after another, as often as they run, each with the number that its "turn" binding has then."""
    for step in steps:
        if isinstance(step, Repeat):
            for _ in range(step.times):
                yield from _played(step.steps, numbers)
        elif isinstance(step, Count):
            numbers[id(step.number)] = numbers[id(step.number)] + 1 if step.value is None else step.value
        elif isinstance(step, Copy):
            yield step, 0
        else:
            at = step.kernel.bindings.index("turn") if "turn" in step.kernel.bindings else -1
            yield step, numbers[id(step.buffers[at])] if at >= 0 else 0
