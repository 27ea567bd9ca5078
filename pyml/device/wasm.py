"""WebAssembly SIMD: every recording is one module, compiled here and run by the browser's own engine (or wasmtime).

For browsers without a usable GPU. Replaying is one call, and it has finished when it returns.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import BufferTooLarge, DeviceError, KernelError
from ..graph.op import Profile
from ..recent import Held, Shared
from ..wasm import Again, Compiled, Tick, compile_kernel, link, link_shared
from ..wasm.engine import Block, Engine
from ..wasm.open import one_thread, open_engine
from .base import Buffer, Copy, Count, DeviceKernel, Dispatch, Limits, Repeat, Step, Usage, dispatches
from .cpu import Ready, drive
from .lock import LOCK
from .pool import BufferPool

MODULES = 512  # kernels in the linked modules that are kept beside those in use: 13 kB each (wasmtime)
LEAST = 16  # modules kept however many kernels they have
APART = 128  # bytes: scratch memory of different threads lies in different cache lines
SPLIT = 16  # partial results a thread that a long reduction is cut into
SPARE = 4 << 20  # bytes of freed arrays that are kept: a memory that has grown never shrinks, and making an array takes microseconds
PAUSE = 0.01  # seconds of compiling between two looks at the page


class Linked:
    """A module that the engine has opened: `run(table)`, and how many kernels are in it."""

    __slots__ = ("__weakref__", "kernels", "run")

    def __init__(self, run: Callable[[int], Any], kernels: int):
        self.run, self.kernels = run, kernels


class Recorded:
    """A linked module and the table of its buffers' addresses; keeps them all."""

    __slots__ = ("address", "held", "run", "steps")

    def __init__(self, run: Callable[[int], Any] | None, address: int, steps: tuple[Step, ...], held: tuple):
        self.run, self.address, self.steps, self.held = run, address, steps, held


def profile_of(cores: int, sinks: bool = False) -> Profile:
    """What is known of an engine with so many threads; browsers' engines do not sink arithmetic (`Engine`)."""
    threads, rows = 1 if cores == 1 else SPLIT * cores, 4 if sinks else 6
    return replace(WasmDevice.profile, cores=cores, threads=threads, rows=rows)


class WasmDevice:
    """One WebAssembly memory and the modules that work on it.

    Args:
        engine: Where modules run; the default is this interpreter's own.

    Raises:
        BackendUnavailable: there is no engine with 128-bit SIMD; on the desktop also where wasmtime is missing.
    """

    name = "wasm"
    limits = Limits(max_buffer_size=1 << 30, max_binding_size=1 << 30, max_storage_buffers=64)
    profile = Profile(family="wasm", max_storage_buffers=64, threads=1)

    def __init__(self, engine: Engine | None = None):
        self._modules: Shared[Linked] = Shared(MODULES, lambda module: module.kernels, LEAST)
        self._scratch: Buffer | None = None
        self._use(engine or open_engine())

    def _use(self, engine: Engine) -> None:
        self._engine = engine
        self.features = frozenset(["relaxed-simd"] if engine.relaxed else [])
        self._pool = BufferPool(self._create, engine.free, self, spare=SPARE)
        self.profile = profile_of(engine.threads, engine.sinks)

    @property
    def info(self) -> dict[str, str]:
        """What `pyml.config.describe` says of it."""
        engine = self._engine
        return {
            "adapter": f"WebAssembly SIMD ({engine.info})",
            "type": "wasm",
            "relaxed": "yes, fused multiply-add" if engine.relaxed else "no, separate multiply and add",
            "threads": engine.state(),
            "memory": f"{engine.memory:,} bytes, {self.limits.max_buffer_size:,} a buffer",
        }

    async def start(self) -> None:
        """Waits for the engine's threads; where they do not start and nothing is in memory yet, one thread it is."""
        engine = self._engine
        if engine.threads > 1 and (failure := await engine.started()) and not self.usage.buffers:
            engine.stop(failure)
            self._use(one_thread(f"threads did not start: {failure}"))

    @property
    def usage(self) -> Usage:
        """Buffers and bytes held now and at most."""
        return self._pool.usage

    # ---- memory
    def alloc(self, nbytes: int) -> Buffer:
        """A buffer of at least `nbytes` bytes with arbitrary contents.

        Raises:
            BufferTooLarge: more than one buffer can hold.
            DeviceError: the memory is full.
        """
        most = self.limits.max_buffer_size
        if nbytes > most:
            raise BufferTooLarge(
                f"a buffer of {nbytes:,} bytes was asked for; the wasm device allows {most:,}; "
                "use smaller batches or split the array."
            )  # fmt: skip
        return self._pool.take(nbytes, most)

    def _create(self, nbytes: int) -> Block:
        try:
            return self._engine.allocate(nbytes)
        except MemoryError:
            self._pool.empty()
        try:
            return self._engine.allocate(nbytes)
        except MemoryError:
            used = self.usage
            raise DeviceError(
                f"the wasm device's {self._engine.memory:,} bytes of memory have no room for another {nbytes:,} bytes: "
                f"{used.live:,} arrays hold {used.live_bytes:,} bytes; use smaller batches or free arrays."
            ) from None

    def write(self, buffer: Buffer, data: Any, offset: int = 0) -> None:
        raw = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
        self._engine.write(buffer.handle, offset, raw)

    def read(self, buffer: Buffer, nbytes: int) -> Awaitable[bytes]:
        """A copy of the first `nbytes` bytes. Not a view: the next replay writes into the same memory."""
        return Ready(self._engine.read(buffer.handle, nbytes))

    # ---- kernels
    def _compiled(self, kernel: DeviceKernel) -> Compiled:
        how = self._engine.relaxed, self._engine.sinks
        if kernel.cache is None or kernel.cache[0] != how:
            try:
                kernel.cache = how, compile_kernel(kernel, *how)
            except KernelError as e:
                raise KernelError(f"kernel {kernel.label!r} does not compile: {e}") from None
        return kernel.cache[1]

    async def prepare(self, kernels: Sequence[DeviceKernel]) -> None:
        """Compiles kernels, letting the page live in between.

        Raises:
            KernelError: one does not compile.
        """
        since = time.perf_counter()
        for kernel in kernels:
            with LOCK:
                self._compiled(kernel)
            if time.perf_counter() - since > PAUSE:
                await asyncio.sleep(0)
                since = time.perf_counter()

    def _module(self, form: tuple, kernels: int) -> Held[Linked]:
        """The module that runs steps of this form, which has so many kernels."""
        found = self._modules.get(form)
        if found is not None:
            return found
        work: dict[int, int | None] = {}

        def part(step: Any) -> Any:
            if isinstance(step, DeviceKernel):
                made = self._compiled(step)
                work[id(made)] = step.work
                return made
            if step is None:
                return None
            what, number, *inner = step
            return Again(number, tuple(map(part, inner))) if what is Repeat else Tick(number)

        parts, engine = tuple(map(part, form)), self._engine
        if engine.threads > 1:
            run = engine.share(link_shared(parts, work))
        else:
            run = engine.load(link(parts, shared=engine.shared))
        return self._modules.put(form, Linked(run, kernels))

    def record(self, steps: Sequence[Step]) -> Recorded:
        """Links the steps into one module and writes down where their buffers are.

        Raises:
            KernelError: a kernel does not compile, or the engine refuses the module.
        """
        steps = tuple(steps)
        kernels = [s.kernel for s in dispatches(steps)]
        if not kernels:
            return Recorded(None, 0, steps, ())
        module = self._module(_form(steps), len(kernels))
        apart = -(-max(self._compiled(k).scratch for k in kernels) // APART) * APART
        threads = self._engine.threads
        scratch = self._scratch_for(apart * threads)
        words: list[int] = []
        for own in range(scratch.handle.address, scratch.handle.address + apart * threads, apart) if apart else [0] * threads:
            _addresses(steps, own, words)
        table = self.alloc(4 * len(words))
        self.write(table, np.array(words, np.uint32))
        return Recorded(module.value.run, table.handle.address, steps, (table, scratch, module))

    def _scratch_for(self, nbytes: int) -> Buffer:
        """Scratch memory, shared by recordings as they run one after another; older ones keep theirs."""
        if self._scratch is None or self._scratch.nbytes < nbytes:
            self._scratch = None
            self._scratch = self.alloc(nbytes)
        return self._scratch

    def replay(self, recorded: Recorded) -> None:
        if recorded.run is None:
            for step in recorded.steps:
                assert isinstance(step, Copy)
                self._engine.move(step.dst.handle, step.src.handle, step.nbytes)
            return
        try:
            recorded.run(recorded.address)
        except self._engine.Trap as e:
            labels = ", ".join(dict.fromkeys(s.kernel.label for s in dispatches(recorded.steps)))
            raise DeviceError(f"WebAssembly stopped in one of the kernels {labels}: {e}") from None

    def sync_wait(self, awaitable: Awaitable) -> Any:
        return awaitable.value if isinstance(awaitable, Ready) else drive(awaitable)


def _form(steps: Sequence[Step]) -> tuple:
    """What a module depends on: the kernels in order, None for a copy, what is counted and what is repeated."""
    return tuple(
        s.kernel if isinstance(s, Dispatch) else None if isinstance(s, Copy)
        else (Repeat, s.times, *_form(s.steps)) if isinstance(s, Repeat) else (Count, s.value)
        for s in steps
    )  # fmt: skip


def _addresses(steps: Sequence[Step], scratch: int, words: list[int]) -> None:
    """The words of a table as `link` wants them."""
    for step in steps:
        if isinstance(step, Dispatch):
            words += [b.handle.address for b in step.buffers]
            words.append(scratch)
        elif isinstance(step, Copy):
            words += [step.dst.handle.address, step.src.handle.address, step.nbytes]
        elif isinstance(step, Count):
            words.append(step.number.handle.address)
        else:
            _addresses(step.steps, scratch, words)
