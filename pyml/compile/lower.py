"""A kernel of a plan as the device takes it: which writer writes it."""

from __future__ import annotations

from ..device.base import DeviceKernel
from ..graph.op import Profile
from .emit_chain import lower_chain
from .emit_group import lower_shared
from .emit_kernel import declarations, elementwise, launch, preamble, reduction
from .kernels import lower_routine
from .plan import Chain, Kernel


def lower_wgsl(kernel: Kernel, profile: Profile, params: int) -> DeviceKernel:
    """The kernel as WGSL text with its bindings."""
    group = kernel.group
    if isinstance(kernel, Chain):
        return lower_chain(kernel, profile)
    if group.kind == "routine":
        return lower_routine(kernel, profile, params)
    if group.kind == "reduction" and (shared := lower_shared(kernel, profile, params)) is not None:
        return shared
    build = reduction if group.kind == "reduction" else elementwise
    scalar: frozenset = frozenset()
    while True:  # a buffer that somebody reads by single elements is an array of scalars for everybody
        emitter, lines, threads = build(kernel, profile, scalar)
        if emitter.settled():
            break
        scalar |= emitter.wants_scalar
    size, grid, guard = launch(threads)
    declared, modes, order = declarations(kernel, emitter, 0, params)
    source = "\n".join([
        f"// {group.label()}", *declared, *preamble(emitter, lines),
        f"@compute @workgroup_size({size})",
        "fn main(@builtin(global_invocation_id) gid: vec3<u32>) {",
        *["  " + line for line in (*guard, *lines)], "}", "",
    ])  # fmt: skip
    return DeviceKernel(group.label(), source, modes, grid, order=order)
