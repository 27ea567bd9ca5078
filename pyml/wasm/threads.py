"""Engines whose modules several threads run: workers over a shared memory in the browser, Python threads over wasmtime.

Pyodide's memory is not shared, so the browser's engine has a memory of its own, and arrays are copied in and out.
How threads divide the work is in `share`.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import BackendUnavailable, DeviceError
from ..scripts import text_of
from . import share
from .engine import GROWTH, PAGE, Block, Engine, WasmtimeEngine, has_relaxed, refused
from .heap import Heap
from .module import PAGES

MOST = 8  # threads, the one of Python included: more share one memory's bandwidth
START = 10.0  # seconds until workers must have started
QUIET = 5.0  # seconds until threads must have left a job that failed
INSTANCES = 128  # modules a native thread keeps

_FACTS = """[
  globalThis.crossOriginIsolated === true && typeof SharedArrayBuffer === "function",
  typeof Worker === "function" && typeof Blob === "function",
  globalThis.navigator?.hardwareConcurrency ?? 1,
]"""


def wanted() -> tuple[int, str]:
    """How many threads to use, and why so few where it is one.

    `PYML_WASM_THREADS` forces a number; without it the desktop uses one.
    """
    text = os.environ.get("PYML_WASM_THREADS")
    if text is not None:
        try:
            n = int(text)
        except ValueError:
            n = 0
        if n < 1:
            raise BackendUnavailable(f"PYML_WASM_THREADS is {text!r}; expected a number of threads from 1 to {share.MOST + 1}.")
        if n == 1:
            return 1, "PYML_WASM_THREADS is 1"
        n = min(n, share.MOST + 1)
    if sys.platform != "emscripten":
        return (n, "") if text is not None else (1, "PYML_WASM_THREADS asks for more")
    from pyodide.code import run_js

    isolated, workers, cores = run_js(_FACTS)
    if not isolated:
        return 1, "the page is not cross-origin isolated"
    if not workers:
        return 1, "this thread cannot start workers"
    if text is None:
        n = min(int(cores), MOST)
    return (n, "") if n > 1 else (1, "this machine has one core")


def open_threads(n: int) -> Engine:
    """An engine for n threads.

    Raises:
        BackendUnavailable: there can be no shared memory here.
    """
    return PyodideThreads(n) if sys.platform == "emscripten" else WasmtimeThreads(n)


class PyodideThreads:
    """A shared memory beside Pyodide's, and workers that help the thread Python is on.

    Workers start while Python goes on: until they are ready, and when they never are, Python's thread does all the work.

    Raises:
        BackendUnavailable: the browser gives no shared memory.
    """

    shared = True
    sinks = False
    memory = PAGES * PAGE

    def __init__(self, threads: int):
        import js
        import pyodide_js
        from pyodide.code import run_js
        from pyodide.ffi import JsException, to_js

        inner = getattr(pyodide_js, "_module", None)
        memory = getattr(inner, "wasmMemory", None) or getattr(inner, "memory", None)
        if memory is None:
            raise BackendUnavailable("this Pyodide does not show its memory")
        names = ("PHASE", "FIRST", "MODULE", "TABLE", "SLEEPERS", "FAILED", "MAY_WAIT", "STATE")
        layout = to_js({name: getattr(share, name) for name in names}, dict_converter=js.Object.fromEntries)
        self.Trap: type[Exception] = JsException
        try:
            self._pool = run_js(text_of("threads.js"))(memory, layout)
        except JsException as e:
            raise BackendUnavailable(f"no shared memory: {e}") from None
        # a method of a JavaScript object is a new proxy each time Python asks for it, ten times the cost of the call
        self._put, self._get, self._make = self._pool.write, self._pool.read, self._pool.load
        self.info = f"Pyodide {pyodide_js.version}"
        self.threads = threads
        self._size = int(self._pool.size())
        self._heap = Heap(share.RESERVED, self._size, self._grow)
        self._numbers = itertools.count(1)
        self._gone: list[Block] = []
        self.relaxed = has_relaxed(self)
        self._pool.start(threads - 1)

    def state(self) -> str:
        """How many threads work now, and why not more."""
        failure, ready = self._pool.failure, int(self._pool.ready)
        if failure:
            return f"1 (a thread could not go on: {failure})"
        return str(self.threads) if ready == self.threads - 1 else f"{ready + 1}, {self.threads - 1 - ready} more starting"

    async def started(self) -> str | None:
        """Waits until all threads are ready, or says why they are not."""
        try:
            await asyncio.wait_for(self._pool.decided, START)
        except TimeoutError:
            self._pool.stop(f"workers did not start in {START:.0f} s")
        return self._pool.failure

    def stop(self, reason: str = "stopped") -> None:
        """Ends the workers; Python's thread goes on alone."""
        self._pool.stop(reason)

    # ---- memory
    def _grow(self, nbytes: int) -> int:
        pages = min(-(-max(nbytes, GROWTH) // PAGE), PAGES - self._size // PAGE)
        if pages * PAGE < nbytes:
            raise MemoryError(f"{nbytes:,} bytes more than {self._size:,} are beyond the 4 GiB of a 32-bit memory")
        try:
            self._pool.grow(pages)
        except self.Trap as e:
            raise MemoryError(str(e)) from None
        self._size += pages * PAGE
        return pages * PAGE

    def allocate(self, nbytes: int) -> Block:
        while self._gone:
            self.free(self._gone.pop())
        return Block(self._heap.take(nbytes), None, nbytes)

    def free(self, block: Block) -> None:
        self._heap.give(block.address, block.nbytes)

    def write(self, block: Block, offset: int, raw: np.ndarray) -> None:
        if raw.nbytes:
            self._put(block.address + offset, raw.__array_interface__["data"][0], raw.nbytes)

    def read(self, block: Block, nbytes: int) -> np.ndarray:
        out = np.empty(nbytes, np.uint8)  # a bytearray would be filled with zeros first
        if nbytes:
            self._get(block.address, out.__array_interface__["data"][0], nbytes)
        return out

    def move(self, target: Block, source: Block, nbytes: int) -> None:
        self._pool.move(target.address, source.address, nbytes)

    # ---- modules
    def load(self, module: bytes) -> Callable[[int], Any]:
        address = np.frombuffer(module, np.uint8).__array_interface__["data"][0] if module else 0
        try:
            return self._make(address, len(module))
        except self.Trap as e:
            raise refused(module, e) from None

    def share(self, module: bytes) -> Callable[[int], Any]:
        """`run` of a module that `share.link_shared` made."""
        run: Any = self.load(module)
        block = self.allocate(8 + len(module))
        head = np.array([next(self._numbers), len(module)], np.uint32).tobytes()
        self.write(block, 0, np.frombuffer(head + module, np.uint8))

        def lead(table: int) -> None:
            try:
                run(table, block.address)
            except self.Trap:
                self._settle()
                raise

        weakref.finalize(lead, self._gone.append, block)  # a finalizer may run inside `allocate`, so it only notes it
        return lead

    def _settle(self) -> None:
        pool = self._pool
        failed = settle(lambda a: int(pool.word(a)), pool.setWord, self.threads)
        if failed:
            pool.stop(failed)
            raise stopped(failed)


class WasmtimeThreads(WasmtimeEngine):
    """The memory of WasmtimeEngine and Python threads that help; they leave Python while they do.

    Raises:
        BackendUnavailable: the package wasmtime is not installed.
    """

    def __init__(self, threads: int):
        super().__init__()
        self.threads = threads
        self._heap = Heap(share.RESERVED, self._memory.data_len(), self._grow)
        self._words = self._bytes[: share.RESERVED].view(np.int32)
        self._words[share.MAY_WAIT >> 2] = 1
        self._numbers = itertools.count(1)
        self._known: dict[int, Any] = {}  # modules alive, by number
        self._failure: str | None = None
        self._crew = [threading.Thread(target=self._help, args=(i,), daemon=True) for i in range(threads - 1)]
        for thread in self._crew:
            thread.start()

    def state(self) -> str:
        return str(self.threads) if self._failure is None else f"1 (a thread could not go on: {self._failure})"

    async def started(self) -> str | None:
        return self._failure

    def stop(self, reason: str = "stopped") -> None:
        self._failure = self._failure or reason

    def share(self, module: bytes) -> Callable[[int], Any]:
        """A function that runs a linked module at a table, leading the threads that help."""
        number, store = next(self._numbers), self._wasmtime.Store(self._engine)
        try:
            code = self._module(module)
        except self._wasmtime.WasmtimeError as e:
            raise refused(module, e) from None
        run: Any = self._wasmtime.Instance(store, code, [self._memory]).exports(store)["run"]
        self._known[number] = code

        def lead(table: int) -> None:
            try:
                run(store, _signed(table), number)
            except self.Trap:
                self._settle()
                raise

        weakref.finalize(lead, self._known.pop, number, None)
        return lead

    def _settle(self) -> None:
        def put(address: int, value: int) -> None:
            self._words[address >> 2] = value

        failed = settle(lambda a: int(self._words[a >> 2]), put, self.threads)
        if failed:
            self.stop(failed)
            raise stopped(failed)

    def _help(self, number: int) -> None:
        """A thread's life: sleeps until a phase opens and helps with it, until the threads are stopped."""
        words, state = self._words, share.STATE + 64 * number
        store = self._wasmtime.Store(self._engine)
        sleep: Any = self._instance(store, self._wasmtime.Module(self._engine, share.doze()))["run"]
        kept: OrderedDict[int, tuple] = OrderedDict()
        while self._failure is None:
            before, job = (int(words[a >> 2]) for a in (share.PHASE, share.FIRST))
            module, table = (int(words[a >> 2]) for a in (share.MODULE, share.TABLE))
            if job and int(words[share.FIRST >> 2]) == job and (module in kept or module in self._known):
                try:
                    found = kept.pop(module, None) or self._helper(self._known[module])
                    kept[module] = found
                    if len(kept) > INSTANCES:
                        kept.popitem(last=False)
                    found[1](found[0], table, job, state, number)
                except Exception as e:
                    if words[state >> 2]:
                        words[share.FAILED >> 2] += 1
                        words[state >> 2] = 0
                    elif not isinstance(e, KeyError):  # a module that is gone already
                        self.stop(" ".join(str(e).split())[:200])
            if int(words[share.PHASE >> 2]) == before:
                sleep(store, before)

    def _helper(self, code: Any) -> tuple[Any, Any]:
        store = self._wasmtime.Store(self._engine)
        return store, self._instance(store, code)["help"]

    def _instance(self, store: Any, code: Any) -> Any:
        return self._wasmtime.Instance(store, code, [self._memory]).exports(store)


def _signed(address: int) -> int:
    return address if address < 1 << 31 else address - (1 << 32)


def settle(word: Callable[[int], int], put: Callable[[int, int], Any], threads: int) -> str | None:
    """After a job was stopped: nobody takes work any more, and those that have some finish it.

    Returns why other threads cannot be counted on any longer; None where a kernel stopped, in whatever thread.
    """
    put(share.FIRST, 0)
    put(share.TICKET, -1)
    failed = word(share.FAILED)
    until = time.monotonic() + QUIET
    while any(word(share.STATE + 64 * i) for i in range(threads - 1)):
        if time.monotonic() > until:
            failed += share.STUCK
            break
        time.sleep(0.001)
    put(share.FAILED, 0)
    return "it did not answer any more" if failed >= share.STUCK else None


def stopped(reason: str) -> DeviceError:
    return DeviceError(f"a thread of the wasm device could not go on ({reason}), and the step was not finished; "
                       "pyml goes on with one thread: run the step again.")  # fmt: skip


__all__ = ["PyodideThreads", "WasmtimeThreads", "open_threads", "wanted"]
