"""Runs Plans: lowers kernels for a device, binds buffers, records, replays."""

from __future__ import annotations

import weakref
from bisect import bisect_left
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np

from ..device.base import Buffer, Copy, Device, Dispatch
from ..device.lock import LOCK
from ..dtypes import NUMPY
from ..errors import BufferTooLarge
from ..graph.node import Node
from ..recent import Recent
from .plan import ITEM, Plan, graph_key, make_plan


def lower(plan: Plan, device: Device) -> list:
    """The plan's kernels as the device takes them; kept on the plan."""
    for kernel in plan.kernels:
        if kernel.lowered is None:
            if device.profile.on_host:
                from .host import lower_host

                kernel.lowered = lower_host(kernel)
            else:
                from .lower import lower_wgsl

                kernel.lowered = lower_wgsl(kernel, device.profile, plan.params)
                kernel.lowered.work = kernel.nanoseconds
    return [k.lowered for k in plan.kernels]


class Scratch:
    """Temporaries, shared by all programs of a device: they run one after another, so nothing is in two at once."""

    def __init__(self, device: Device):
        self.device = device
        self.buffers: list[weakref.ref] = []

    def borrow(self, sizes: list[int]) -> list[Buffer]:
        """A buffer for each size, the smallest one that is at most twice as large as need be."""
        alive = [b for b in (r() for r in self.buffers) if b is not None]
        free = sorted((b.nbytes, i) for i, b in enumerate(alive))
        lent: dict[int, Buffer] = {}
        for i in sorted(range(len(sizes)), key=lambda i: -sizes[i]):
            at = bisect_left(free, (sizes[i], 0))
            if at < len(free) and free[at][0] <= 2 * sizes[i]:
                lent[i] = alive[free.pop(at)[1]]
            else:
                lent[i] = self.device.alloc(sizes[i])
                alive.append(lent[i])
        self.buffers = [weakref.ref(b) for b in alive]
        return [lent[i] for i in range(len(sizes))]


_scratch: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def scratch_of(device: Device) -> Scratch:
    if device not in _scratch:
        _scratch[device] = Scratch(device)
    return _scratch[device]


def check_size(nbytes: int, what: str, device: Device) -> None:
    """Raises BufferTooLarge before any GPU work."""
    most = min(device.limits.max_binding_size, device.limits.max_buffer_size)
    if nbytes > most:
        raise BufferTooLarge(
            f"{what} needs {nbytes:,} bytes; one buffer of this adapter ({device.info.get('adapter', device.name)}) holds "
            f"at most {most:,}. Use smaller batches or split the array."
        )


class Bound:
    """A Plan with buffers: `run()` is one replay."""

    def __init__(self, plan: Plan, device: Device, leaves: list[Buffer], params: np.ndarray | None = None):
        self.plan, self.device = plan, device
        for kernel in plan.kernels:
            for o in kernel.group.outputs:
                check_size(o.size * ITEM, f"{o.op.name} of shape {o.shape}", device)
        kernels = lower(plan, device)
        self.outs = [device.alloc(o.size * ITEM) for o in plan.outs]
        self.slots = scratch_of(device).borrow(plan.slots)
        self.params = device.alloc(max(16, 4 * plan.params)) if plan.params else None
        if params is not None and self.params is not None:
            device.write(self.params, params)
        self.leaves = leaves
        steps: list[Any] = []
        for kernel, lowered in zip(plan.kernels, kernels, strict=True):
            steps.append(Dispatch(lowered, tuple(self._bindings(kernel))))
        steps += [Copy(self.at(a), self.at(b), n) for a, b, n in plan.copies]
        self.recorded = device.record(steps)

    def at(self, ref) -> Buffer:
        kind, number = ref
        return {"leaf": self.leaves, "slot": self.slots, "out": self.outs}[kind][number]

    def _bindings(self, kernel):
        """Buffers in the order of the kernel's bindings; `order` names a read, a write or the lifted scalars."""
        for kind, i in kernel.lowered.order or _host_order(kernel, self.params):
            yield self.params if kind == "params" else self.at((kernel.reads if kind == "read" else kernel.writes)[i])

    def run(self) -> None:
        self.device.replay(self.recorded)


def _host_order(kernel, params):
    yield from (("read", i) for i in range(len(kernel.reads)))
    yield from (("write", i) for i in range(len(kernel.writes)))
    if params is not None:
        yield "params", 0


def weight(plan: Plan) -> int:
    """What a plan weighs where plans are kept: its kernels, and the graph around them as much as two more."""
    return 2 + plan.dispatches


# ---- eager values
_plans: Recent[Plan] = Recent(1024, weight, least=16)  # 45 kB for each kernel, text and graph (cpu and wasm)


def plan_for(key: Hashable, make: Callable[[], Plan]) -> Plan:
    """The plan kept under a key, or else the one that `make` makes."""
    plan = _plans.get(key)
    return _plans.put(key, make()) if plan is None else plan


def realize(nodes: list[Node], device: Device, keep_graph: bool = False) -> None:
    """Computes the nodes: each gets a buffer, and lets go of its sources (unless `keep_graph`)."""
    with LOCK:
        nodes = list({id(n): n for n in nodes if n.buffer is None}.values())
        if nodes:
            _compute(nodes, device, keep_graph)


def _compute(nodes: list[Node], device: Device, keep_graph: bool) -> None:
    key, leaves, params = graph_key(nodes, lift=True)
    plan = plan_for((key, device.profile), lambda: make_plan(nodes, device.profile, list(leaves), params=params))
    values = np.array([n.attrs["value"] for n in params], np.float32) if params else None
    bound = Bound(plan, device, [n.buffer for n in leaves], values)
    bound.run()
    for node, ref in zip(nodes, plan.out_refs, strict=True):
        node.buffer = device.alloc(0) if ref[0] == "none" else bound.at(ref)
        if not keep_graph:
            node.src = ()


def to_host(raw: bytes, node: Node) -> np.ndarray:
    """Bytes read from the device as the array they stand for."""
    memory = np.uint32 if node.dtype == "bool" else NUMPY[node.dtype]
    array = np.frombuffer(raw, memory, count=node.size).reshape(node.shape)
    if node.dtype == "bool":
        return array.astype(bool)
    return array if isinstance(raw, bytearray) else array.copy()  # a bytearray is nobody else's


def from_host(array: np.ndarray) -> np.ndarray:
    """An array of a supported dtype in the layout devices use."""
    return array.astype(np.uint32) if array.dtype == np.bool_ else array
