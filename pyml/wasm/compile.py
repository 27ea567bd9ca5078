"""Compiles a kernel's WGSL to one WebAssembly function over a range of workgroups.

A workgroup's threads run one after another. The result is left to the engine's optimiser, which finds common
subexpressions and allocates registers.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable
from dataclasses import dataclass

from .. import kept
from ..device.base import DeviceKernel
from ..errors import KernelError
from . import operators
from .expressions import LOADS
from .module import I32, Function, leb, sleb
from .opcodes import ADD, BLOCK, BR_IF, GET, I32_CONST, IF, LOOP, SET
from .parse import parse
from .places import Frame, Memory
from .statements import Statements
from .syntax import Procedure
from .values import Value, aggregate, constant


@dataclass
class Compiled:
    """One kernel: `function(table, lo, hi)` runs items lo … hi - 1, which are workgroups, or threads where each is for itself."""

    function: Function
    words: int  # addresses it takes from the table: its bindings, then scratch memory
    items: int
    scratch: int  # bytes of scratch memory


def compile_kernel(kernel: DeviceKernel, relaxed: bool = True, sinks: bool = False) -> Compiled:
    """The kernel as a function `(table, lo, hi)`; equal kernels are compiled once.

    Raises:
        KernelError: the text uses something that is not compiled, such as a barrier between threads.
    """
    return _compiled(kernel.source, kernel.grid, relaxed, sinks)


@functools.lru_cache(512)
def _compiled(text: str, grid: tuple[int, int, int], relaxed: bool, sinks: bool) -> Compiled:
    key = None if kept.store() is None else _key(text, grid, relaxed, sinks)
    found = kept.find(key)
    if found is not None and (made := from_bytes(found)) is not None:
        kept.counts["kernels found"] += 1
        return made
    kept.counts["kernels compiled"] += 1
    made = _compile_text(text, grid, relaxed, sinks)
    kept.keep(key, to_bytes(made))
    return made


def key_of(kernel: DeviceKernel, relaxed: bool = True, sinks: bool = False) -> str:
    """Under which the kernel is kept."""
    return _key(kernel.source, kernel.grid, relaxed, sinks)


def _key(text: str, grid: tuple[int, int, int], relaxed: bool, sinks: bool) -> str:
    return kept.key_of("kernel", (text, grid, relaxed, sinks))


_HEAD = struct.Struct("<IIIII")


def to_bytes(kernel: Compiled) -> bytes:
    """A compiled kernel as it is kept: words, items, scratch bytes, and how many bytes say types of parameters and locals."""
    f = kernel.function
    return _HEAD.pack(kernel.words, kernel.items, kernel.scratch, len(f.params), len(f.locals)) + bytes(f.params) + bytes(f.locals) + f.code


def from_bytes(raw: bytes) -> Compiled | None:
    """The opposite; None where it is not a kernel."""
    if len(raw) < _HEAD.size:
        return None
    words, items, scratch, params, count = _HEAD.unpack_from(raw)
    a, b = _HEAD.size, _HEAD.size + params
    return Compiled(Function(tuple(raw[a:b]), list(raw[b : b + count]), raw[b + count :]), words, items, scratch)


def _compile_text(text: str, grid: tuple[int, int, int], relaxed: bool, sinks: bool) -> Compiled:
    """The function of a kernel: bindings and scratch memory become locals, the entry point a loop over workgroups."""
    source = parse(text)
    entry = source.entry
    if entry is None:
        raise KernelError("the WGSL has no entry point.")
    c = Statements(source, relaxed, sinks)
    top = c.scopes[0]
    bindings = sorted(source.bindings.items(), key=lambda item: item[1][0])
    for position, (name, (_, kind)) in enumerate(bindings):
        kind = c.type(kind)
        element = kind[1] if isinstance(kind, tuple) else kind
        base = c.local(I32)
        c.emit(GET, b"\x00", LOADS["u32"], leb(4 * position), SET, leb(base))
        top[name] = Memory("u32" if element == "bool" else element, base)
    c.scratch_base = c.local(I32)
    c.emit(GET, b"\x00", LOADS["u32"], leb(4 * len(bindings)), SET, leb(c.scratch_base))
    for name, kind in source.workgroup.items():
        _, inner, size = c.type(kind)
        top[name] = c.reserve(inner, int(c.expression(size).const))
    threads = [c.expression(e).const for e in entry.workgroup]
    if source.workgroup and max(threads) > 1:
        raise KernelError("threads share memory, which the wasm device runs only with one thread a workgroup.")
    items = _main(c, entry, threads, grid)
    function = Function((I32, I32, I32), c.locals, bytes(c.out))
    return Compiled(function, len(bindings) + 1, items, c.scratch)


def _main(c: Statements, entry: Procedure, threads: list[int], grid: tuple[int, int, int]) -> int:
    """for each workgroup, for each of its threads: the entry point. Returns how many items that is."""
    threads = [*threads, 1, 1][:3]
    if threads[1] > 1 or threads[2] > 1:
        raise KernelError("WGSL: a workgroup of more than one dimension.")
    lo, hi = 1, 2
    width = threads[0]
    builtins_used = {b for _, _, b in entry.params}
    w = c.local(I32)
    along = len(set(grid) - {1}) == 0 or (grid[1] == grid[2] == 1)
    if along and builtins_used <= {"global_invocation_id"}:  # one loop over all threads
        c.emit(GET, bytes((lo,)), SET, leb(w))
        given = {"global_invocation_id": _triple(c.get(w, "u32"))}
        _count(c, w, hi, lambda: _enter(c, entry, given))
        return grid[0] * width
    c.emit(GET, bytes((lo,)), SET, leb(w))

    def group() -> None:
        """One workgroup: its place in the grid, then each of its threads."""
        index = c.get(w, "u32")
        if along:
            gx, gy, gz = index, constant("u32", 0), constant("u32", 0)
        else:
            gx = c.keep(operators.binary(c, "%", index, constant("u32", grid[0])))
            rest = c.keep(operators.binary(c, "/", index, constant("u32", grid[0])))
            gy = c.keep(operators.binary(c, "%", rest, constant("u32", grid[1]))) if grid[2] > 1 else rest
            gz = c.keep(operators.binary(c, "/", rest, constant("u32", grid[1]))) if grid[2] > 1 else constant("u32", 0)
        workgroup = aggregate("vec3<u32>", {"x": gx, "y": gy, "z": gz})

        def thread(l: Value) -> None:
            x = c.keep(operators.binary(c, "+", operators.binary(c, "*", gx, constant("u32", width)), l))
            given = {
                "workgroup_id": workgroup, "local_invocation_index": l, "local_invocation_id": _triple(l),
                "global_invocation_id": aggregate("vec3<u32>", {"x": x, "y": gy, "z": gz}),
                "num_workgroups": aggregate("vec3<u32>", {n: constant("u32", g) for n, g in zip("xyz", grid, strict=True)}),
            }  # fmt: skip
            _enter(c, entry, given)

        if width == 1:
            thread(constant("u32", 0))
        else:
            l = c.local(I32)
            limit = c.local(I32)
            c.emit(I32_CONST, b"\x00", SET, leb(l), I32_CONST, sleb(width), SET, leb(limit))
            _count(c, l, limit, lambda: thread(c.get(l, "u32")))

    _count(c, w, hi, group)
    return grid[0] * grid[1] * grid[2]


def _triple(x: Value) -> Value:
    return aggregate("vec3<u32>", {"x": x, "y": constant("u32", 0), "z": constant("u32", 0)})


def _count(c: Statements, index: int, limit: int, body: Callable[[], None]) -> None:
    """while (index < limit) { body; index++; }"""
    c.emit(GET, leb(index), GET, leb(limit), b"\x49")
    c.open(IF)
    top = c.open(LOOP)
    body()
    c.emit(GET, leb(index), I32_CONST, b"\x01", ADD, SET, leb(index), GET, leb(index), GET, leb(limit), b"\x49")
    c.branch(top, BR_IF)
    c.close()
    c.close()


def _enter(c: Statements, entry: Procedure, given: dict[str, Value]) -> None:
    scope: dict = {}
    for name, _, builtin in entry.params:
        if builtin not in given:
            raise KernelError(f"WGSL: the builtin {builtin!r} is not supported.")
        scope[name] = given[builtin]
    label = c.open(BLOCK)
    c.body(entry, scope, Frame(label))
    c.close()
