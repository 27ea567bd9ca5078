"""Writes a chain of kernels as the WGSL of one workgroup."""

from __future__ import annotations

from collections.abc import Sequence

from ..device.base import DeviceKernel
from ..graph.op import Profile
from ..graph.prims.teams import chain_size
from .emit_group import shared_phase
from .emit_kernel import elementwise, preamble, reduction
from .memory import Ref
from .plan import Chain, Kernel
from .wgsl import MEMORY

_WAIT = ("storageBarrier();", "workgroupBarrier();")


def lower_chain(chain: Chain, profile: Profile) -> DeviceKernel:
    """A workgroup whose threads divide each kernel's work, and wait for each other where one needs another's results."""
    size = chain_size(profile)
    scalar: frozenset[Ref] = frozenset()
    while True:  # a buffer that somebody reads by single elements is an array of scalars for everybody
        phases: list[list[str]] = []
        shared: list[str] = []
        names: dict[Ref, str] = {}
        helpers: dict[str, None] = {}
        wants: set[Ref] = set()
        by_four: set[Ref] = set()
        for number, link in enumerate(chain.links):
            if link.group.kind == "reduction" and (found := shared_phase(link, profile, scalar, names, size, f"s{number}_")) is not None:
                emitter, lines, parts = found
                shared += parts
            else:
                build = reduction if link.group.kind == "reduction" else elementwise
                emitter, lines, threads = build(link, profile, scalar, names)
                lines = [f"for (var i = l; i < {threads}u; i += {size}u) {{", *("  " + line for line in lines), "}"]
            names = emitter.names
            helpers |= dict.fromkeys(preamble(emitter, lines))
            wants |= emitter.wants_scalar
            by_four |= emitter.by_four
            phases.append(lines)
        scalar |= wants
        if not wants & by_four:
            break
    nodes = {ref: node for link in chain.links for ref, node in link.held().items()}
    declared: list[str] = []
    modes: list[str] = []
    order: list[tuple[str, int]] = []
    for ref, name in names.items():
        kind, size_of = MEMORY[nodes[ref].dtype], -(-nodes[ref].size // 4)
        one_by_one = ref in scalar
        element = kind if one_by_one else f"vec4<{kind}>"
        if ref[0] == "inner":
            shared.append(f"var<workgroup> {name}: array<{element}, {size_of * 4 if one_by_one else size_of}>;")
            continue
        mode = "read_write" if ref in chain.writes else "read"
        declared.append(f"@group(0) @binding({len(modes)}) var<storage, {mode}> {name}: array<{element}>;")
        modes.append(mode)
        order.append(("write", chain.writes.index(ref)) if ref in chain.writes else ("read", chain.reads.index(ref)))
    waits = _waits(chain.links)
    body = [line for wait, lines in zip(waits, phases, strict=True) for line in (*(_WAIT if wait and size > 1 else ()), *lines)]
    source = "\n".join([
        f"// {chain.group.label()}: {len(phases)} kernels one after another", *declared, *helpers, *shared,
        f"@compute @workgroup_size({size})",
        "fn main(@builtin(local_invocation_index) l: u32) {",
        *("  " + line for line in body), "}", "",
    ])  # fmt: skip
    return DeviceKernel(chain.group.label(), source, tuple(modes), (1, 1, 1), order=tuple(order))


def _waits(links: Sequence[Kernel]) -> list[bool]:
    """Before which kernels all threads have to be done with those before."""
    waits: list[bool] = []
    reads: set[Ref] = set()
    writes: set[Ref] = set()
    for k in links:
        wait = bool(writes & {*k.reads, *k.writes} or reads & set(k.writes))
        if wait:
            reads, writes = set(), set()
        waits.append(wait)
        reads |= set(k.reads)
        writes |= set(k.writes)
    return waits
