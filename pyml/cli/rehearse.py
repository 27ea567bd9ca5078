"""Runs a page's `programs.py` without computing anything, and writes down what visitors' devices would have to compile.

    python -m pyml.cli.rehearse FOLDER SCRIPT MODELS VERSION TARGET KNOWN SECONDS

Python traces as it does in the page. For each graph that is to run, the plan of every kind of device is made that visitors
have, with its kernels as WGSL and for WebAssembly compiled, and kept under the keys that the page will ask for. The device that stands
for all of them runs nothing: bytes that were written are there, and whatever a kernel should have computed is 0. What an earlier
rehearsal left in the file KNOWN need not be compiled again.

A process of its own for each page: scripts of different pages have the same names, and leave things behind.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import faulthandler
import gzip
import inspect
import json
import os
import sys
import types
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyml import config, kept
from pyml.compile import parts, restore
from pyml.compile.plan import Plan
from pyml.compile.plan_file import to_bytes
from pyml.compile.program import lower
from pyml.device.base import Buffer, Device, DeviceKernel, Limits, Step, rounded
from pyml.device.browser import GPU, SOFT
from pyml.device.cpu import Ready, drive
from pyml.device.wasm import profile_of
from pyml.graph.op import Profile
from pyml.hub import store
from pyml.paths import PACKAGE
from pyml.wasm.compile import compile_kernel, key_of
from pyml.wasm.compile import to_bytes as kernel_bytes

THREADS = (1, 2, 4, 6, 8)  # what `wasm` takes on most machines
MOST = 1 << 30  # bytes of what comes with a page, which no store may leave out


class Silent(Device):
    """Runs nothing: what was written is read, and the rest is 0."""

    name = "wasm"
    limits = Limits(max_buffer_size=1 << 30, max_binding_size=1 << 30, max_storage_buffers=64)
    features: frozenset[str] = frozenset()

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.info = {"adapter": "none, for a page that is built"}

    def alloc(self, nbytes: int) -> Buffer:
        """Memory that is all 0."""
        return Buffer(np.zeros(rounded(nbytes), np.uint8), rounded(nbytes), device=self)

    def write(self, buffer: Buffer, data: Any, offset: int = 0) -> None:
        """Copies bytes into a buffer."""
        raw = np.ascontiguousarray(data).reshape(-1).view(np.uint8)
        buffer.handle[offset : offset + raw.nbytes] = raw

    def read(self, buffer: Buffer, nbytes: int) -> Awaitable[bytes]:
        """A copy of a buffer's first bytes."""
        return Ready(bytearray(buffer.handle[:nbytes]))

    async def prepare(self, kernels: Sequence[Any]) -> None:
        """Nothing need be prepared."""

    def record(self, steps: Sequence[Step]) -> None:
        """Nothing need be recorded."""

    def replay(self, recorded: None) -> None:
        """Nothing runs."""

    def sync_wait(self, awaitable: Awaitable[Any]) -> Any:
        """The value, which is there."""
        return awaitable.value if isinstance(awaitable, Ready) else drive(awaitable)


class Known:
    """What earlier rehearsals of a page compiled, and what this one has used of it or compiled itself.

    Args:
        file: What `packed` gave then, if it is there and of this version of the compiler.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._before, self._used = kept.MemoryStore(MOST), kept.MemoryStore(MOST)
        if file is not None and file.is_file():
            self._before.unpack(file.read_bytes())

    def get(self, key: str, make: Callable[[], bytes]) -> bytes:
        """What is known under a key; else what `make` gives, which is known from now on."""
        data = self._used.get(key)
        if data is None:
            data = self._before.get(key) or make()
            self._used.put(key, data)
        return data

    def packed(self) -> bytes:
        """All that was used."""
        return self._used.pack()


class Kind:
    """A kind of device: what it takes, for each way in which its engine may compile kernels."""

    def __init__(self, profile: Profile, ways: Sequence[bool | None], known: Known) -> None:
        self.device, self._known = Silent(profile), known
        self.shelves = {way: kept.MemoryStore(MOST) for way in ways}

    def take(self, key: tuple, make: Callable[[Profile], Plan]) -> None:
        """Makes a graph's plan and its kernels, and keeps both."""
        name = restore.name_of(key, self.device.profile)
        if name is None:
            return
        kernels: list[DeviceKernel] = []

        def planned() -> bytes:
            kernels.clear()
            plan = make(self.device.profile)
            kernels.extend(lower(plan, self.device))
            raw = to_bytes(plan, effort=0)
            # what numpy computes some of is planned anew at every visit
            names = {str(way): [key_of(k, way) for k in kernels] for way in self.shelves if way is not None and raw}
            return json.dumps(names).encode() + b"\n" + (raw or b"")

        head, _, raw = self._known.get(kept.key_of("rehearsed", (name,)), planned).partition(b"\n")
        names = json.loads(head)
        if not raw:
            return
        for way, shelf in self.shelves.items():
            shelf.put(name, raw)
            for number, kernel in enumerate(names.get(str(way), ())):

                def compiled(number: int = number, relaxed: bool = bool(way)) -> bytes:
                    if not kernels:
                        planned()
                    return kernel_bytes(compile_kernel(kernels[number], relaxed))

                shelf.put(kernel, self._known.get(kernel, compiled))

    def packed(self) -> dict[str, bytes]:
        """Everything, by the names of `device.base.machine_of`."""
        ending = {True: "-relaxed", False: "", None: ""}
        named = self.device.profile.named
        return {named + ending[way]: gzip.compress(shelf.pack(), 9, mtime=0) for way, shelf in self.shelves.items() if len(shelf)}


def rehearse(folder: Path, script: str, known: Known) -> dict[str, bytes]:
    """What each kind of device takes of a page, packed; nothing of kinds that take nothing.

    Args:
        folder: The page's folder.
        script: The name of the file in it that does once what the page will do.
        known: What need not be compiled.
    """
    kinds = [Kind(GPU, [None], known), Kind(SOFT, [None], known), *(Kind(profile_of(cores), [True, False], known) for cores in THREADS)]

    def told(key: tuple, make: Callable[[Profile], Plan]) -> None:
        for kind in kinds:
            kind.take(key, make)

    kept.use(kept.Nowhere())
    config._opened["wasm"] = Silent(profile_of(1))
    config.set_backend("wasm")
    parts.OnHost.run = lambda self, device: None  # type: ignore[method-assign]  # numpy would not like zeros everywhere
    store.fetching = False
    restore.watching.append(told)
    try:
        run(folder, script)
    finally:
        restore.watching.remove(told)
    return {name: data for kind in kinds for name, data in kind.packed().items()}


def run(folder: Path, script: str) -> None:
    """Runs a script as a page does: its last await may be at the top, and a function `main` is called."""
    sys.path.insert(0, str(folder))
    os.chdir(folder)
    source = (folder / script).read_text(encoding="utf-8")
    code = compile(source, script, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    scope: dict[str, Any] = {"__name__": "__main__", "__file__": script, "__builtins__": builtins}

    async def all_of_it() -> None:
        begun = types.FunctionType(code, scope)()
        if inspect.isawaitable(begun):
            await begun
        main = scope.get("main")
        if inspect.isfunction(main) and inspect.isawaitable(begun := main()):
            await begun

    asyncio.run(all_of_it())


def main(folder: str, script: str, models: str, version: str, target: str, before: str, seconds: str) -> int:
    """Writes what each kind of device takes into `target`, a file each, with the names of the modules of pyml that were imported in
    `needs.json` and all that was compiled in `known.pack`; an error of the script goes to its `error.json`. After so many seconds the
    process ends, and `late.txt` says where it was.
    """
    os.environ["PYML_MODELS"] = models
    kept.stand_in_for(version)
    known = Known(Path(before))
    with Path(target, "late.txt").open("w") as late:
        faulthandler.dump_traceback_later(float(seconds), file=late, exit=True)
        try:
            found = rehearse(Path(folder), script, known)
        except Exception as error:
            places = traceback_lines(error, script)
            told = {"line": places[-1] if places else None, "error": f"{type(error).__name__}: {error}"}
            Path(target, "error.json").write_text(json.dumps(told))
            return 1
        finally:
            faulthandler.cancel_dump_traceback_later()
    for name, data in found.items():
        Path(target, f"{name}.bin").write_bytes(data)
    Path(target, "known.pack").write_bytes(known.packed())
    Path(target, "needs.json").write_text(json.dumps(sorted(own_modules())))
    return 0


def own_modules() -> Iterator[str]:
    """The files of pyml that were imported, as they are named in a wheel."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.partition(".")[0] == "pyml" and file:
            yield f"pyml/{Path(file).relative_to(PACKAGE).as_posix()}"


def traceback_lines(error: BaseException, script: str) -> list[int]:
    """The lines of a script that an error passed through."""
    lines, at = [], error.__traceback__
    while at is not None:
        if at.tb_frame.f_code.co_filename == script:
            lines.append(at.tb_lineno)
        at = at.tb_next
    return lines


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
