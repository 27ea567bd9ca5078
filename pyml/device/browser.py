"""WebGPU in the browser: `navigator.gpu` driven through web/replay.js, one JavaScript call per replayed step.

Works in a Web Worker and on the page's own thread, in any Pyodide page: replay.js is package data.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Awaitable, Generator, Iterator, Sequence
from typing import Any

from ..errors import BackendUnavailable, BufferTooLarge, DeviceError, DeviceLost, KernelError, SyncReadError
from ..graph.op import Profile
from ..recent import Held, Shared
from ..scripts import text_of
from .base import PIPELINES, Buffer, Copy, Count, DeviceKernel, Dispatch, Limits, Step, Usage, dispatches
from .pool import BufferPool

DISPATCH, COPY, COUNT, REPEAT = 0, 1, 2, 3  # step codes of replay.js
NEXT = 0xFFFFFFFF  # of a COUNT: one more than before
BATCHED = 1 << 20  # uploads of at most so many bytes wait for the next replay, which saves a call each
BATCH = 16  # and at most so many of them
GPU, SOFT = Profile(family="tile"), Profile(family="register", threads=1024)  # of every GPU; of adapters that are software
SOFTWARE = ("swiftshader", "llvmpipe", "lavapipe", "softpipe", "basic render", "warp")


async def open_browser_device() -> BrowserDevice:
    """Asks the browser for its fastest adapter and opens a device with the adapter's own limits.

    Raises:
        BackendUnavailable: The browser has no WebGPU, or no adapter to offer.
    """
    from pyodide.code import run_js
    from pyodide.ffi import JsException

    try:
        engine = await run_js(text_of("replay.js")).open()
    except JsException as error:
        raise BackendUnavailable(f"WebGPU could not start: {error.message}; use the wasm backend.") from None
    if engine is None:
        raise BackendUnavailable(
            "this browser offers no WebGPU adapter; use the wasm backend, or a browser with WebGPU "
            "(Chrome, Edge, Safari 26, Firefox) over https or localhost."
        )
    return BrowserDevice(engine)


def flattened(steps: Sequence[Step], pipelines: Iterator[int], most: int) -> array:
    """Steps as the numbers that replay.js reads; a repeated section has its steps once.

    Args:
        pipelines: The number of each dispatch's pipeline, in order.
        most: Workgroups that the adapter takes along one axis.
    """
    flat = array("I")
    for step in steps:
        if isinstance(step, Dispatch):
            kernel = step.kernel
            if max(kernel.grid) > most:
                raise KernelError(f"{kernel.label}: grid {kernel.grid} exceeds {most} workgroups; fold it.")
            flat.extend((DISPATCH, next(pipelines), *kernel.grid, len(step.buffers)))
            flat.extend(buffer.handle for buffer in step.buffers)
        elif isinstance(step, Copy):
            flat.extend((COPY, step.src.handle, step.dst.handle, step.nbytes))
        elif isinstance(step, Count):
            flat.extend((COUNT, step.number.handle, NEXT if step.value is None else step.value))
        else:
            inner = flattened(step.steps, pipelines, most)
            flat.extend((REPEAT, step.times, len(inner)))
            flat.extend(inner)
    return flat


class _Compiling:
    """What `prepare` returns. Waiting is polite, not needed: `record` makes pipelines that are not ready."""

    def __init__(self, device: BrowserDevice, promise: Any):
        self._device, self._promise = device, promise

    def __await__(self) -> Generator[Any, None, None]:
        if self._promise is not None:
            yield from self._device._awaited(self._promise).__await__()


class _Arriving:
    """What `read` returns: bytes on their way into `target`."""

    __slots__ = ("_device", "promise", "target")

    def __init__(self, device: BrowserDevice, promise: Any, target: bytearray):
        self._device, self.promise, self.target = device, promise, target

    def __await__(self) -> Generator[Any, None, bytearray]:
        if self.promise is not None:
            yield from self._device._awaited(self.promise).__await__()
        return self.target


class Pipeline:
    """A kernel that JavaScript has compiled; it drops it when nobody holds this any longer."""

    __slots__ = ("__weakref__", "_dropped", "id")

    def __init__(self, id: int, dropped: list[int]):
        self.id, self._dropped = id, dropped

    def __del__(self) -> None:
        self._dropped.append(self.id)  # as for recordings below


class Recorded:
    """Steps bound to buffers, ready to replay. Keeps its buffers and pipelines; JavaScript keeps the bind groups."""

    __slots__ = ("_forgotten", "id", "pipelines", "steps")

    def __init__(self, id: int, steps: tuple[Step, ...], pipelines: list[Held[Pipeline]], forgotten: list[int]):
        self.id, self.steps, self.pipelines, self._forgotten = id, steps, pipelines, forgotten

    def __del__(self) -> None:
        self._forgotten.append(self.id)  # JavaScript hears at the next record: no device calls in finalizers


class BrowserDevice:
    """The six device methods over replay.js."""

    name = "webgpu"

    def __init__(self, engine: Any):
        from pyodide.ffi import JsException

        self._engine, self._JsException = engine, JsException
        facts = json.loads(engine.describe())
        limits = facts["limits"]
        named = [facts[part] for part in ("vendor", "architecture", "device", "description") if facts[part]]
        software = facts["fallback"] or any(word in " ".join(named).lower() for word in SOFTWARE)
        self.features = frozenset(facts["features"])
        self.limits = Limits(
            max_buffer_size=limits["maxBufferSize"],
            max_binding_size=limits["maxStorageBufferBindingSize"],
            max_storage_buffers=limits["maxStorageBuffersPerShaderStage"],
            max_invocations=limits["maxComputeInvocationsPerWorkgroup"],
            max_shared=limits["maxComputeWorkgroupStorageSize"],
            max_workgroups=limits["maxComputeWorkgroupsPerDimension"],
        )
        self.profile = SOFT if software else GPU
        self.info = {
            "adapter": " ".join(dict.fromkeys(named)) or "unnamed",
            "type": "software" if software else "gpu",
            "api": "navigator.gpu",
        }
        # Not on software: copying a picture of 640x480 takes 75 ms there and reading it 17 (benchmarks/camera); and drawing
        # loses the device in Chromium 156, unless its pages are composed by the same adapter.
        self.copies_pictures = self.draws_pictures = not software
        self._pool = BufferPool(self._create, engine.destroy, self)
        self._next_buffer = 1
        self._pipelines: Shared[Pipeline] = Shared(PIPELINES)  # by source and bindings
        self._next_pipeline = 1
        self._forgotten: list[int] = []  # recordings to drop
        self._dropped: list[int] = []  # pipelines to drop
        self._uploads: list = []  # handle, offset, bytes, ... that go with the next replay
        self._replay, self._write = engine.replay, engine.write  # saves a lookup at every call

    @property
    def usage(self) -> Usage:
        """Buffers and bytes held now and at most."""
        return self._pool.usage

    # ---- memory

    def alloc(self, nbytes: int) -> Buffer:
        """A buffer of at least `nbytes` bytes with arbitrary contents.

        Raises:
            BufferTooLarge: The adapter cannot bind so much at once.
        """
        most = min(self.limits.max_buffer_size, self.limits.max_binding_size)
        if nbytes > most:
            raise BufferTooLarge(
                f"an array of {nbytes:,} bytes does not fit one buffer: this adapter binds at most {most:,} "
                "bytes; use smaller batches or split the array."
            )
        return self._pool.take(nbytes, most)

    def _create(self, nbytes: int) -> int:
        handle = self._next_buffer
        self._next_buffer += 1
        self._call(self._engine.create, handle, nbytes)
        return handle

    def write(self, buffer: Buffer, data: Any, offset: int = 0) -> None:
        """Queues an upload; the bytes are taken before this returns and arrive before the next replay or read."""
        view = memoryview(data)  # crosses into JavaScript twice as fast as the array itself
        if 0 < view.nbytes <= BATCHED:
            self._uploads += (buffer.handle, offset, view.tobytes())
            if len(self._uploads) > 3 * BATCH:
                self._send_uploads()
        elif view.nbytes:
            self._send_uploads()
            self._call(self._write, buffer.handle, offset, view)

    def _send_uploads(self) -> None:
        for i in range(0, len(self._uploads), 3):
            self._call(self._write, *self._uploads[i : i + 3])
        self._uploads.clear()

    def read(self, buffer: Buffer, nbytes: int) -> Awaitable[bytearray]:
        """The first `nbytes` bytes, after everything queued before; raises DeviceLost."""
        self._send_uploads()
        target = bytearray(nbytes)  # JavaScript copies the mapped range straight into it
        promise = self._call(self._engine.read, buffer.handle, nbytes, target) if nbytes else None
        return _Arriving(self, promise, target)

    # ---- running

    def prepare(self, kernels: Sequence[DeviceKernel]) -> Awaitable[None]:
        """Starts compiling every kernel, side by side.

        Raises:
            KernelError: When awaited, if one does not compile; names the kernel and the line of WGSL.
        """
        return _Compiling(self, self._declare(kernels, wait=True)[1])

    def _declare(self, kernels: Sequence[DeviceKernel], wait: bool) -> tuple[list[Held[Pipeline]], Any]:
        """The kernels' pipelines, new ones handed to JavaScript; and with `wait` a promise, or None when all are known."""
        found, wanted = [], []
        for kernel in kernels:
            key = (kernel.source, tuple(kernel.bindings))
            pipeline = self._pipelines.get(key)
            if pipeline is None:
                pipeline = self._pipelines.put(key, Pipeline(self._next_pipeline, self._dropped))
                self._next_pipeline += 1
                wanted.append([pipeline.value.id, kernel.label, kernel.source, list(kernel.bindings)])
            found.append(pipeline)
        while self._dropped:
            self._engine.drop(self._dropped.pop())
        return found, self._call(self._engine.prepare, json.dumps(wanted), wait) if wanted else None

    def record(self, steps: Sequence[Step]) -> Recorded:
        """Makes every bind group of a list of dispatches and copies."""
        while self._forgotten:
            self._engine.forget(self._forgotten.pop())
        pipelines, _ = self._declare([step.kernel for step in dispatches(steps)], wait=False)
        flat = flattened(steps, (p.value.id for p in pipelines), self.limits.max_workgroups)
        return Recorded(self._call(self._engine.record, flat), tuple(steps), pipelines, self._forgotten)

    def replay(self, recorded: Recorded) -> None:
        """Submits a recording, and the uploads before it: one call into JavaScript, one encoder, one submit."""
        try:
            if self._uploads:
                uploads, self._uploads = self._uploads, []
                self._replay(recorded.id, *uploads)
            else:
                self._replay(recorded.id)
        except self._JsException as error:
            raise self._translated(error) from None

    # ---- pictures

    def unpack(self, buffer: Buffer, kernel: DeviceKernel, source: Any, width: int, height: int) -> bool:
        """Fills a buffer from a picture that never passes through Python, by a kernel with bindings "texture", "read_write".

        Args:
            source: A JavaScript object that WebGPU copies pictures from, or the bytes of one, red, green, blue and alpha.

        Returns:
            False where this browser does not copy from `source`; nothing was done then.
        """
        return self._pixels(self._engine.unpack, buffer, kernel, source, width, height)

    def show(self, buffer: Buffer, kernel: DeviceKernel, canvas: Any, width: int, height: int) -> bool:
        """Draws a buffer on a canvas, which takes this size, by a kernel with bindings "read", "canvas".

        Returns:
            False where WebGPU does not draw on `canvas`: it was used for another kind of drawing.
        """
        return self._pixels(self._engine.show, buffer, kernel, canvas, width, height)

    def _pixels(self, function: Any, buffer: Buffer, kernel: DeviceKernel, thing: Any, width: int, height: int) -> Any:
        self._send_uploads()  # some may be meant for whoever had this buffer before
        (pipeline,), _ = self._declare([kernel], wait=False)
        return self._call(function, pipeline.value.id, buffer.handle, thing, width, height)

    async def timings(self, recorded: Recorded) -> list[float] | None:
        """GPU nanoseconds of each dispatch of a recording (it runs once more), or None where unsupported."""
        spans = await self._awaited(self._call(self._engine.timings, recorded.id))
        return None if spans is None else spans.to_py()

    def sync_wait(self, awaitable: Awaitable) -> Any:
        """Waits for `awaitable` from synchronous Python.

        Raises:
            SyncReadError: This browser, or this caller, cannot pause Python (no JSPI).
        """
        from pyodide.ffi import can_run_sync, run_sync

        if isinstance(awaitable, _Compiling) and (awaitable._promise is None or not can_run_sync()):
            return None  # `record` makes pipelines that are not ready, and reports those that failed
        if not can_run_sync():
            if hasattr(awaitable, "close"):
                awaitable.close()
            raise SyncReadError(
                "this browser cannot wait synchronously; write 'await t.data()' or 'await model.fit_async()' "
                "or use runPythonAsync in a browser with JSPI."
            )
        if isinstance(awaitable, _Arriving):  # straight on the promise: 0.9 ms, against 1.8 through a coroutine
            try:
                if awaitable.promise is not None:
                    run_sync(awaitable.promise)
            except self._JsException as error:
                raise self._translated(error) from None
            return awaitable.target
        return run_sync(awaitable)

    async def lose(self) -> None:
        """Ends the device as a driver reset would, for tests of what follows."""
        await self._engine.lose()

    @property
    def lost(self) -> bool:
        """Whether nothing works on it any more."""
        return bool(self._engine.isLost())

    # ---- errors
    def _call(self, function: Any, *args: Any) -> Any:
        try:
            return function(*args)
        except self._JsException as error:
            raise self._translated(error) from None

    async def _awaited(self, promise: Awaitable[Any]) -> Any:
        try:
            return await promise
        except self._JsException as error:
            raise self._translated(error) from None

    def _translated(self, error: Any) -> Exception:
        name, message = error.name, error.message
        if name == "DeviceLost":
            return DeviceLost.told(message)
        if name == "KernelError":
            return KernelError(message)
        if name == "OutOfMemory":
            return DeviceError(f"the GPU is out of memory: {message} Use smaller batches or free arrays.")
        return DeviceError(f"the browser's WebGPU reported: {message}")
