"""Whole kernels: how many threads run, which buffers are bound, and the bodies of elementwise kernels and reductions."""

from __future__ import annotations

from collections.abc import Collection
from math import prod
from typing import TypeAlias

from ..errors import ShapeError
from ..graph.index import Var, coordinates, linear, variable
from ..graph.node import Node
from ..graph.op import Profile
from ..graph.prims.teams import runs
from .emit import LANE, Emitter
from .groups import Group
from .loops import Accumulator, Loop
from .loops import write as write_loops
from .memory import Ref
from .plan import Kernel
from .wgsl import MEMORY, PRIVATE, expand, literal, typename

Names: TypeAlias = dict[Ref, str]  # of bindings


def launch(threads: int) -> tuple[int, tuple[int, int, int], list[str]]:
    """Workgroup size, grid (folded to two dimensions over 65,535) and the lines that find and check `i`."""
    size = 64 if threads >= 512 else 32 if threads >= 128 else 16 if threads >= 32 else 8
    groups = -(-threads // size)
    if groups <= 65535:
        grid = (groups, 1, 1)
        find = "let i = gid.x;"
    else:
        wide = 32768
        grid = (wide, -(-groups // wide), 1)
        find = f"let i = gid.x + gid.y * {wide * size}u;"
        if grid[1] > 65535:
            raise ShapeError(f"a kernel over {threads} elements is larger than WebGPU can dispatch; split the array.")
    return size, grid, [find, f"if (i >= {threads}u) {{ return; }}"]


def declarations(
    kernel: Kernel, emitter: Emitter, first: int, params: int, skip: Collection[Ref] = ()
) -> tuple[list[str], tuple[str, ...], tuple[tuple[str, int], ...]]:
    """Binding declarations from number `first`; `skip` are refs that the kernel file declares itself."""
    lines: list[str] = []
    modes: list[str] = []
    order: list[tuple[str, int]] = []
    written = {r: i for i, r in enumerate(kernel.writes)}
    read = {r: i for i, r in reversed(list(enumerate(kernel.reads)))}
    nodes = {r: n for n, r in zip(emitter.loads, kernel.reads, strict=True)}
    nodes |= {r: n for n, r in zip(kernel.group.outputs, kernel.writes, strict=True)}
    for ref, name in emitter.names.items():
        if ref in skip:
            continue
        element = MEMORY[nodes[ref].dtype]
        if ref not in emitter.scalar_refs:
            element = f"vec4<{element}>"
        mode = "read_write" if ref in written else "read"
        lines.append(f"@group(0) @binding({first + len(modes)}) var<storage, {mode}> {name}: array<{element}>;")
        modes.append(mode)
        order.append(("write", written[ref]) if ref in written else ("read", read[ref]))
    if emitter.uses_params:
        lines.append(f"@group(0) @binding({first + len(modes)}) var<uniform> params: array<vec4<f32>, {max(1, -(-params // 4))}>;")
        modes.append("uniform")
        order.append(("params", 0))
    if emitter.uses_turn:
        lines.append(f"@group(0) @binding({first + len(modes)}) var<uniform> turn: array<vec4<u32>, 1>;")
        modes.append("turn")
        order.append(("turn", 0))
    return lines, tuple(modes), tuple(order)


def preamble(emitter: Emitter, lines: list[str]) -> list[str]:
    text = "\n".join((*emitter.helpers, *lines))
    return [line for name, line in PRIVATE.items() if name in text] + list(emitter.helpers)


def elementwise(kernel: Kernel, profile: Profile, scalar: frozenset[Ref], taken: Names | None = None) -> tuple[Emitter, list[str], int]:
    group = kernel.group
    n = group.domain
    width = 4 if n >= 4 else 1
    emitter = Emitter(kernel, profile, width, scalar, taken=taken)
    # the last lanes of a size that is not a multiple of four fall into the buffers' padding
    i = variable(Var("i", -(-n // width)))
    at = i * 4 + variable(LANE) if width == 4 else i
    stores = [emitter.store(o, r, at, "i") for o, r in zip(group.outputs, kernel.writes, strict=True)]
    return emitter, [*emitter.bodies[0], *stores], -(-n // width)


def accumulator(anchor: Node, name: str, value: str, width: int) -> Accumulator:
    """How a reduction node combines `value` into the variable `name`."""
    dtype, op = anchor.dtype, anchor.op
    combine = lambda a, b: expand(op.combine(dtype), {"a": a, "b": b}, dtype, width)
    start = literal(op.neutral(dtype), dtype)
    return Accumulator(name, typename(dtype, width), start, combine, value, rounds=op.rounds and dtype == "float32")


def reduction(kernel: Kernel, profile: Profile, scalar: frozenset[Ref], taken: Names | None = None) -> tuple[Emitter, list[str], int]:
    """A kernel of reductions over the same shape, one thread for each result, with what follows them. Returns as `elementwise`."""
    group: Group = kernel.group
    x, axis = group.anchors[0].src[0], group.anchors[0].attrs["axis"]
    shape = x.shape
    out_shape = tuple(n for k, n in enumerate(shape) if k not in axis)
    loops_over = runs(axis)
    sizes = [prod(shape[a] for a in r) for r in loops_over]
    last_reduced = bool(axis) and axis[-1] == len(shape) - 1
    by_lane = last_reduced and sizes[-1] % 4 == 0
    by_out = not last_reduced and bool(out_shape) and shape[-1] % 4 == 0
    width = 4 if by_lane or by_out else 1
    emitter = Emitter(kernel, profile, width, scalar, taken=taken)
    n = group.domain
    i = variable(Var("i", max(1, n // 4 if by_out else n)))
    at = i * 4 + variable(LANE) if by_out else i
    # loops
    coords: list = [None] * len(shape)
    for k, c in zip([k for k in range(len(shape)) if k not in axis], coordinates(at, out_shape), strict=True):
        coords[k] = c
    loops = []
    for level, (run, size) in enumerate(zip(loops_over, sizes, strict=True), 1):
        trips = size // 4 if by_lane and run is loops_over[-1] else size
        var = Var(f"r{level}", trips)
        emitter.var_level[var.name] = level
        emitter.bodies.append([])
        r = variable(var)
        if by_lane and run is loops_over[-1]:
            r = r * 4 + variable(LANE)
        for a, c in zip(run, coordinates(r, [shape[a] for a in run]), strict=True):
            coords[a] = c
        loops.append(Loop(var.name, trips, emitter.bodies[level]))
    source = linear(coords, shape)
    accumulators = [accumulator(anchor, f"acc{k}", emitter.value(anchor.src[0], source), width) for k, anchor in enumerate(group.anchors)]
    lines = [*emitter.bodies[0], *write_loops(loops, accumulators, jumps=profile.chooses_by_jumps)]
    # epilogue: values of the loops are out of scope
    emitter.bodies = [[]]
    emitter.memo = {k: v for k, v in emitter.memo.items() if (isinstance(v, str) and emitter.level_of.get(v, 0) == 0 and not by_lane)
                    or (k[0] == "q" and emitter.level_of.get(v, 0) == 0)}  # fmt: skip
    emitter.var_level = {}
    for k, anchor in enumerate(group.anchors):
        name, dtype = f"acc{k}", anchor.dtype
        if by_lane:
            pairs = (f"acc{k}.x", f"acc{k}.y", f"acc{k}.z", f"acc{k}.w")
            for half in ((0, 1), (2, 3)):
                text = expand(anchor.op.combine(dtype), {"a": pairs[half[0]], "b": pairs[half[1]]}, dtype, 1)
                lines.append(f"let half{k}_{half[0]}: {typename(dtype, 1)} = {text};")
            text = expand(anchor.op.combine(dtype), {"a": f"half{k}_0", "b": f"half{k}_2"}, dtype, 1)
            lines.append(f"let total{k}: {typename(dtype, 1)} = {text};")
            name = f"total{k}"
        emitter.given[id(anchor)] = name
    if by_lane:
        emitter.width = 1
    stores = [emitter.store(o, r, at, "i") for o, r in zip(group.outputs, kernel.writes, strict=True)]
    return emitter, [*lines, *emitter.bodies[0], *stores], -(-n // (4 if by_out else 1))
