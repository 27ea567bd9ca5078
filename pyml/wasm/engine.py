"""Where modules run: Pyodide's own memory in the browser, wasmtime natively; `threads` has those for several threads.

Both give memory as numpy arrays at addresses that modules can use, and turn the bytes of a module into a function.
"""

from __future__ import annotations

import ctypes
import os
import weakref
from collections.abc import Callable
from importlib import metadata
from typing import Any, Protocol

import numpy as np

from ..errors import BackendUnavailable, KernelError
from .heap import ALIGN, Heap
from .module import PAGES, V128, Function, encode

PAGE = 65536
GROWTH = 16 << 20  # wasmtime's memory grows by at least so much, so that many small buffers do not each make a call


class Block:
    """Memory at `address`, a multiple of 64; `view` is the same bytes as a numpy array where Python can look at them."""

    __slots__ = ("address", "nbytes", "view")

    def __init__(self, address: int, view: Any, nbytes: int):
        self.address, self.view, self.nbytes = address, view, nbytes


class Loading(Protocol):
    """Whatever opens modules."""

    shared: bool

    def load(self, module: bytes) -> Callable[[int], Any]: ...


class Engine(Protocol):
    """What a WebAssembly engine offers to the device.

    `info` names it; `shared` says whether modules must import a shared memory; `relaxed` whether it compiles
    relaxed SIMD (fused multiply-add); `sinks` whether it moves arithmetic behind all loads of a block, to where a
    result is needed first, as Cranelift does, so that what is written out there waits for itself; `memory` is the most
    bytes all blocks may take; `Trap` is what a module raises that was stopped; `threads` is how many may work on one module.
    """

    info: str
    memory: int
    shared: bool
    relaxed: bool
    sinks: bool
    threads: int
    Trap: type[Exception]

    def allocate(self, nbytes: int) -> Block:
        """Memory with arbitrary contents. Raises MemoryError where there is no more."""

    def free(self, block: Block) -> None:
        """Takes memory back."""

    def write(self, block: Block, offset: int, raw: np.ndarray) -> None:
        """Copies bytes into a block."""

    def read(self, block: Block, nbytes: int) -> bytearray | np.ndarray:
        """A writable copy of a block's first bytes."""

    def move(self, target: Block, source: Block, nbytes: int) -> None:
        """Copies bytes from one block to another."""

    def state(self) -> str:
        """How many threads work now, and why so few where it is one."""

    async def started(self) -> str | None:
        """Waits until all threads are ready, or says why they are not."""

    def stop(self, reason: str = "stopped") -> None:
        """Ends all threads but this one."""

    def load(self, module: bytes) -> Callable[[int], Any]:
        """The module's `run`, a function of the table's address. Raises KernelError where the engine refuses it."""

    def share(self, module: bytes) -> Callable[[int], Any]:
        """The same for a module that `share.link_shared` made; only where `threads` is more than one."""


SIMD_ADD, RELAXED_MADD = b"\xfd\xe4\x01", b"\x20\x01\xfd\x85\x02"  # f32x4.add, f32x4.relaxed_madd


def probe(instructions: bytes, shared: bool) -> bytes:
    """A module that every engine with these instructions accepts; running it does nothing that can be seen."""
    code = b"\x20\x01\x20\x01" + instructions + b"\x1a"  # two zero vectors, then drop the result
    return encode([Function((0x7F,), [V128], code)], {"run": 0}, shared)


def has_simd(engine: Loading) -> str:
    """Why the engine takes no module with 128-bit SIMD; empty where it does."""
    try:
        engine.load(probe(SIMD_ADD, engine.shared))
    except KernelError as e:
        return str(e)
    return ""


def has_relaxed(engine: Loading) -> bool:
    if os.environ.get("PYML_WASM_RELAXED") == "0":
        return False
    try:
        engine.load(probe(RELAXED_MADD, engine.shared))
    except KernelError:
        return False
    return True


def refused(module: bytes, reason: object) -> KernelError:
    first = " ".join(str(reason).split())
    return KernelError(f"the WebAssembly engine refused a module of {len(module):,} bytes: {first[:300]}")


class _Visible:
    """An engine whose memory numpy looks into, with one thread."""

    threads = 1
    why = ""

    def write(self, block: Block, offset: int, raw: np.ndarray) -> None:
        block.view[offset : offset + raw.nbytes] = raw

    def read(self, block: Block, nbytes: int) -> bytearray:
        return bytearray(block.view[:nbytes])

    def move(self, target: Block, source: Block, nbytes: int) -> None:
        target.view[:nbytes] = source.view[:nbytes]

    def state(self) -> str:
        return f"1 ({self.why})" if self.why else "1"

    async def started(self) -> str | None:
        return None

    def stop(self, reason: str = "stopped") -> None:
        pass  # there are none

    def share(self, module: bytes) -> Callable[[int], Any]:
        raise KernelError("this WebAssembly engine has one thread; link the module for one.")


class PyodideEngine(_Visible):
    """Modules that share the memory of Pyodide itself: numpy arrays are the buffers.

    A module is made by the interpreter's own `WebAssembly` object: 0.13 ms to open a small one and 2.2 µs a call
    (Chromium), and one that nobody holds any longer is freed. ctypes.CDLL on a file takes the same modules and is the
    way where a Pyodide does not show its memory or the page forbids `eval`, but it costs 6.5 ms a module (Emscripten's
    loader looks through every symbol of Python again) and 3 µs a call, and what it opened stays: dlclose frees
    nothing, about the module's own size is lost each time.

    Blocks lie in the lower half of the 4 GiB: Pyodide 314 hands strings and bytes that lie above to JavaScript as other
    bytes (measured), so Python's own objects must keep room below.
    """

    shared = False
    sinks = False
    memory = 1 << 31

    def __init__(self, direct: bool = True):
        import pyodide_js
        from pyodide.ffi import JsException

        inner = getattr(pyodide_js, "_module", None)
        memory = getattr(inner, "wasmMemory", None) or getattr(inner, "memory", None)
        self.Trap: type[Exception] = JsException
        self.info = f"Pyodide {pyodide_js.version}"
        self._opened = 0
        self._make = _maker(memory) if direct and memory is not None else None
        self.relaxed = has_relaxed(self)

    def allocate(self, nbytes: int) -> Block:
        array = np.empty(nbytes + ALIGN, np.uint8)
        address = array.ctypes.data
        if address + array.nbytes > self.memory:
            raise MemoryError(f"the lower {self.memory:,} bytes of Pyodide's memory are full")
        slack = -address % ALIGN
        return Block(address + slack, array[slack : slack + nbytes], nbytes)

    def free(self, block: Block) -> None:
        block.view = block.view[:0].copy()  # lets the array go even while somebody holds the block

    def load(self, module: bytes) -> Callable[[int], Any]:
        if self._make is None:
            return self._dlopen(module)
        address = np.frombuffer(module, np.uint8).ctypes.data if module else 0  # read in place
        try:
            return self._make(address, len(module))
        except self.Trap as e:
            raise refused(module, e) from None

    def _dlopen(self, module: bytes) -> Callable[[int], Any]:
        self._opened += 1
        path = f"/tmp/pyml-{os.getpid()}-{self._opened}.so"
        with open(path, "wb") as file:
            file.write(module)
        try:
            run = ctypes.CDLL(path).run
        except OSError as e:
            raise refused(module, str(e).partition("\n")[2] or e) from None
        finally:
            os.remove(path)
        run.argtypes, run.restype = [ctypes.c_uint32], None
        return run


_MAKE = """(memory) => (address, length) => {
  const code = new Uint8Array(memory.buffer, address, length);
  return new WebAssembly.Instance(new WebAssembly.Module(code), { env: { memory } }).exports.run;
}"""


def _maker(memory: Any) -> Callable[[int, int], Any] | None:
    """Makes `run` of the module at an address; None where the page's rules forbid it.

    One call: Python would spend ten times as long on proxies of the classes and of `exports`.
    """
    from pyodide.code import run_js
    from pyodide.ffi import JsException

    try:
        return run_js(_MAKE)(memory)
    except JsException:
        return None


class WasmtimeEngine(_Visible):
    """One linear memory of up to 4 GiB in wasmtime; runs natively what a browser runs.

    The memory is a shared one: such a memory never moves, so numpy may look into it, and every module gets a store of
    its own over it, so that it is freed when nobody holds it (a store keeps all its instances to its end).

    Raises:
        BackendUnavailable: the package wasmtime is not installed.
    """

    shared = True
    sinks = True
    memory = PAGES * PAGE

    def __init__(self) -> None:
        try:
            import wasmtime
        except ImportError as e:
            raise BackendUnavailable(f"the wasm backend on the desktop needs the package wasmtime ({e}); pip install wasmtime.") from None
        self._wasmtime = wasmtime
        self.Trap: type[Exception] = wasmtime.Trap
        config = wasmtime.Config()
        config.wasm_threads = config.shared_memory = True
        self._engine = wasmtime.Engine(config)
        self._compiler = self._engine
        _running.add(self)
        self._memory = _shared_memory(wasmtime, self._engine)
        self._base = self._place()
        everything = (ctypes.c_uint8 * (PAGES * PAGE)).from_address(self._base)
        self._bytes = np.ctypeslib.as_array(everything)  # looked at only below the memory's size
        self._heap = Heap(ALIGN, self._memory.data_len(), self._grow)
        self.info = f"wasmtime {metadata.version('wasmtime')}"
        self.relaxed = has_relaxed(self)

    def _place(self) -> int:
        return ctypes.cast(self._memory.data_ptr(), ctypes.c_void_p).value or 0

    def _grow(self, nbytes: int) -> int:
        size = self._memory.data_len()
        pages = min(-(-max(nbytes, GROWTH) // PAGE), PAGES - size // PAGE)
        if pages * PAGE < nbytes:
            raise MemoryError(f"{nbytes:,} bytes more than {size:,} are beyond the 4 GiB of a 32-bit memory")
        try:
            self._memory.grow(pages)
        except self._wasmtime.WasmtimeError as e:
            raise MemoryError(str(e)) from None
        assert self._place() == self._base, "the memory moved"
        return pages * PAGE

    def allocate(self, nbytes: int) -> Block:
        address = self._heap.take(nbytes)
        return Block(address, self._bytes[address : address + nbytes], nbytes)

    def free(self, block: Block) -> None:
        self._heap.give(block.address, block.nbytes)

    def load(self, module: bytes) -> Callable[[int], Any]:
        store = self._wasmtime.Store(self._engine)
        try:
            code = self._module(module)
            run: Any = self._wasmtime.Instance(store, code, [self._memory]).exports(store)["run"]
        except self._wasmtime.WasmtimeError as e:
            raise refused(module, e) from None
        return lambda table: run(store, table if table < 1 << 31 else table - (1 << 32))  # wasmtime wants signed numbers


    def _module(self, code: bytes) -> Any:
        if self._compiler is self._engine:
            return self._wasmtime.Module(self._engine, code)
        return self._wasmtime.Module.deserialize(self._engine, self._wasmtime.Module(self._compiler, code).serialize())

    def forked(self) -> None:
        """In a child process: threads stayed behind, those that help and those that wasmtime compiles with."""
        self.stop("this process was forked")
        config = self._wasmtime.Config()
        config.wasm_threads = config.shared_memory = True
        config.parallel_compilation = False
        self._compiler = self._wasmtime.Engine(config)


_running: weakref.WeakSet[WasmtimeEngine] = weakref.WeakSet()


def _go_on() -> None:
    for engine in list(_running):
        engine.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_go_on)


def _shared_memory(wasmtime: Any, engine: Any) -> Any:
    """A shared memory of one page that may grow to 4 GiB."""
    from wasmtime import _ffi as ffi

    class Memory(wasmtime.SharedMemory):
        def _as_extern(self) -> Any:  # wasmtime 50 wraps the pointer once too often
            return ffi.wasmtime_extern_t(ffi.WASMTIME_EXTERN_SHAREDMEMORY, ffi.wasmtime_extern_union(sharedmemory=self.ptr()))

    return Memory(engine, wasmtime.MemoryType(wasmtime.Limits(1, PAGES), shared=True))
