"""Writes reductions for GPUs in which the threads of a workgroup share each result.

A thread adds up every LANES-th part of the row, the parts meet in shared memory in a fixed tree, and the first thread of
the row computes what follows. Layout of a workgroup: thread `l` works on result `l % outs` as its lane `l / outs`.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

from ..device.base import DeviceKernel
from ..graph.index import Index, Var, coordinates, linear, variable
from ..graph.node import Node
from ..graph.op import Profile
from ..graph.prims.choose import fold
from ..graph.prims.teams import Team, runs, team
from .emit import LANE, Emitter
from .emit_kernel import accumulator, declarations, preamble
from .loops import Loop
from .loops import write as write_loops
from .plan import Kernel
from .wgsl import expand, typename


def lower_shared(kernel: Kernel, profile: Profile, params: int) -> DeviceKernel | None:
    """The kernel as WGSL text, or None where one thread per result does."""
    anchor = kernel.group.anchors[0]
    shared = team(anchor.src[0].shape, anchor.attrs["axis"], profile, len(kernel.group.anchors))
    if shared is None:
        return None
    scalar: frozenset = frozenset()
    while True:  # a buffer that somebody reads by single elements is an array of scalars for everybody
        writer = _Writer(kernel, profile, shared, scalar)
        lines = writer.lines()
        emitter = writer.emitter
        if emitter.settled():
            break
        scalar |= emitter.wants_scalar
    grid, across = fold(-(-writer.places // shared.outs))
    declared, modes, order = declarations(kernel, emitter, 0, params)
    source = "\n".join([
        f"// {kernel.group.label()}: {shared.lanes} threads share a result", *declared, *preamble(emitter, lines), *writer.parts,
        f"@compute @workgroup_size({shared.lanes * shared.outs})",
        "fn main(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) l: u32) {",
        f"  let place = (wg.y * {across}u + wg.x) * {shared.outs}u + l % {shared.outs}u;",
        f"  let part = l / {shared.outs}u;",
        f"  let i = min(place, {writer.places - 1}u);",
        *("  " + line for line in lines), "}", "",
    ])  # fmt: skip
    return DeviceKernel(kernel.group.label(), source, modes, grid, order=order)


def shared_phase(kernel: Kernel, profile: Profile, scalar: frozenset, taken: dict, size: int,
                 prefix: str) -> tuple[Emitter, list[str], list[str]] | None:  # fmt: skip
    """The reduction as a part of a larger kernel, whose `size` threads share one result after the other; None where one thread
    per result does. Returns the emitter, the statements, and the declarations of shared memory."""
    anchor = kernel.group.anchors[0]
    shared = team(anchor.src[0].shape, anchor.attrs["axis"], profile, len(kernel.group.anchors))
    if shared is None:
        return None
    writer = _Writer(kernel, profile, replace(shared, lanes=size, outs=1), scalar, taken, prefix)
    lines = writer.lines()
    head = [f"for (var place = 0u; place < {writer.places}u; place++) {{", "  let part = l;", "  let i = place;"]
    return writer.emitter, [*head, *("  " + line for line in lines), "  workgroupBarrier();", "}"], writer.parts


class _Writer:
    def __init__(self, kernel: Kernel, profile: Profile, shared: Team, scalar: frozenset, taken: dict | None = None, prefix: str = ""):
        self.kernel, self.group, self.team, self.prefix = kernel, kernel.group, shared, prefix
        self.emitter = Emitter(kernel, profile, shared.width, scalar, taken=taken)
        x, self.axis = self.group.anchors[0].src[0], self.group.anchors[0].attrs["axis"]
        self.shape = x.shape
        self.rows = shared.rows
        self.out_width = 1 if self.rows else shared.width  # the elements of a row's vectors are added up at the end
        self.places = max(1, self.group.domain // self.out_width)
        self.parts: list[str] = []  # shared memory

    def lines(self) -> list[str]:
        emitter, group = self.emitter, self.group
        i = variable(Var("i", self.places))
        at = i * 4 + variable(LANE) if self.out_width == 4 else i
        loops, source = self._loops(at)
        accumulators = [
            accumulator(anchor, f"acc{k}", emitter.value(anchor.src[0], source), self.team.width) for k, anchor in enumerate(group.anchors)
        ]
        lines = [*emitter.bodies[0], *write_loops(loops, accumulators), *self._tree()]
        self._leave_loops()
        stores = [emitter.store(o, r, at, "i") for o, r in zip(group.outputs, self.kernel.writes, strict=True)]
        return [*lines, *emitter.bodies[0], *stores, "}"]

    def _kind(self, anchor: Node, width: int) -> str:
        return typename(anchor.dtype, width)

    def _combined(self, anchor: Node, a: str, b: str, width: int) -> str:
        return expand(anchor.op.combine(anchor.dtype), {"a": a, "b": b}, anchor.dtype, width)

    def _loops(self, at: Index) -> tuple[list[Loop], Index]:
        """The loops, and the index of the element that the innermost one reads."""
        out_shape = tuple(n for k, n in enumerate(self.shape) if k not in self.axis)
        coords: list = [None] * len(self.shape)
        kept = [k for k in range(len(self.shape)) if k not in self.axis]
        for k, c in zip(kept, coordinates(at, out_shape), strict=True):
            coords[k] = c
        loops = []
        for number, run in enumerate(runs(self.axis)):
            sizes = [self.shape[a] for a in run]
            vectors = self.rows and self.team.width == 4 and number == self.team.run
            trips = prod(sizes) // 4 if vectors else prod(sizes)
            var = Var(f"r{number + 1}", trips)
            self.emitter.var_level[var.name] = number + 1
            self.emitter.bodies.append([])
            r = variable(var) * 4 + variable(LANE) if vectors else variable(var)
            for a, c in zip(run, coordinates(r, sizes), strict=True):
                coords[a] = c
            start, step = ("part", self.team.lanes) if number == self.team.run else ("0u", 1)
            loops.append(Loop(var.name, trips, self.emitter.bodies[-1], start, step))
        return loops, linear(coords, self.shape)

    def _tree(self) -> list[str]:
        """Brings the parts together; what follows it is for the first thread of each result."""
        size = self.team.lanes * self.team.outs
        lines, steps, results = [], [], []
        for k, anchor in enumerate(self.group.anchors):
            total = f"acc{k}"
            if self.rows and self.team.width == 4:
                halves = [self._combined(anchor, f"acc{k}.{a}", f"acc{k}.{b}", 1) for a, b in ("xy", "zw")]
                lines += [f"let half{k}_{n}: {self._kind(anchor, 1)} = {half};" for n, half in enumerate(halves)]
                total = self._combined(anchor, f"half{k}_0", f"half{k}_1", 1)
            part = f"{self.prefix}part{k}"
            self.parts.append(f"var<workgroup> {part}: array<{self._kind(anchor, self.out_width)}, {size}>;")
            lines.append(f"{part}[l] = {total};")
            met = self._combined(anchor, f"{part}[l]", f"{part}[l + half * {self.team.outs}u]", self.out_width)
            steps.append(f"{part}[l] = {met};")
            results.append(f"let total{k} = {part}[l];")
            self.emitter.given[id(anchor)] = f"total{k}"
        return [
            *lines, "workgroupBarrier();",
            f"for (var half = {self.team.lanes // 2}u; half > 0u; half /= 2u) {{",
            "  if (part < half) {", *("    " + step for step in steps), "  }",
            "  workgroupBarrier();", "}",
            f"if (part == 0u && place < {self.places}u) {{", *results,
        ]  # fmt: skip

    def _leave_loops(self) -> None:
        """Forgets values of the loops, and those of another width."""
        emitter, same = self.emitter, self.out_width == self.team.width
        emitter.bodies = [[]]
        emitter.memo = {k: v for k, v in emitter.memo.items()
                        if isinstance(v, str) and emitter.level_of.get(v, 0) == 0 and (same or k[0] == "q")}  # fmt: skip
        emitter.var_level = {}
        emitter.width = self.out_width
