"""Runs Plans: lowers kernels for a device, binds buffers, records, replays."""

from __future__ import annotations

import weakref
from bisect import bisect_left
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ..device import forks
from ..device.base import Buffer, Copy, Count, Device, DeviceKernel, Dispatch, Repeat, Step, brought
from ..device.lock import LOCK
from ..dtypes import NUMPY
from ..errors import BufferTooLarge
from ..graph.loop import ENDLESS, others
from ..graph.node import Node, ran
from ..graph.op import Profile
from ..graph.prims.leaf import ended_trace
from ..graph.recording import recorded
from ..recent import Recent
from .memory import ITEM, Ref
from .parts import OnHost, Repeated, While, parted
from .plan import Kernel, Loop, Plan, graph_key, make_plan
from .restore import made, name_of, restored, store


def lower(plan: Plan, device: Device) -> list[DeviceKernel]:
    """The plan's kernels as the device takes them; kept on the plan. Those of a loop's step come once."""
    found: list[DeviceKernel] = []
    for kernel in plan.kernels:
        if isinstance(kernel, Loop):
            found += lower(kernel.body, device)
            continue
        if kernel.lowered is None:
            if kernel.on_host(device.profile):
                from .host import lower_host

                kernel.lowered = lower_host(kernel, plan.params)
            else:
                from .lower import lower_wgsl

                kernel.lowered = lower_wgsl(kernel, device.profile, plan.params)
                kernel.lowered.work = kernel.nanoseconds
        found.append(kernel.lowered)
    if plan.to_keep is not None:
        key, plan.to_keep = plan.to_keep, None
        store(key, plan)
    return found


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
                forks.scratch.add(lent[i])
                alive.append(lent[i])
        self.buffers = [weakref.ref(b) for b in alive]
        return [lent[i] for i in range(len(sizes))]


_scratch: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


def scratch_of(device: Device) -> Scratch:
    if device not in _scratch:
        _scratch[device] = Scratch(device)
    return _scratch[device]


def check_size(nbytes: int, what: str, device: Device, cure: str = "Use smaller batches or split the array.") -> None:
    """Raises BufferTooLarge before any GPU work; `cure` says what to do."""
    most = min(device.limits.max_binding_size, device.limits.max_buffer_size)
    if nbytes > most:
        raise BufferTooLarge(
            f"{what} needs {nbytes:,} bytes; one buffer of this adapter ({device.info.get('adapter', device.name)}) holds "
            f"at most {most:,}. {cure}"
        )


class Bound:
    """A Plan with buffers: `run()` is one replay."""

    def __init__(self, plan: Plan, device: Device, leaves: list[Buffer], params: np.ndarray | None = None):
        self.plan, self.device = plan, device
        for kernel in plan.kernels:
            for name, shape in kernel.facts.results:
                check_size(prod(shape) * ITEM, f"{name} of shape {shape}", device)
        lower(plan, device)
        self.outs = [device.alloc(o.size * ITEM) for o in plan.outs]
        self.slots = scratch_of(device).borrow(plan.slots)
        self.params = device.alloc(ITEM * plan.params) if plan.params else None
        if params is not None and self.params is not None:
            device.write(self.params, params)
        self.leaves = leaves
        steps = self._steps(plan, self.at)
        steps += [Copy(self.at(a), self.at(b), n) for a, b, n in plan.copies]
        self.parts = parted(steps, device)

    def at(self, ref: Ref) -> Buffer:
        kind, number = ref
        if kind == "params":
            return self.params  # type: ignore[return-value]
        return (self.leaves if kind == "leaf" else self.slots if kind == "slot" else self.outs)[number]

    def _steps(self, plan: Plan, at: Callable[[Ref], Buffer], inner: bool = False) -> list[Any]:
        """The kernels with their buffers; `at` finds what a place of the plan is. `inner`: they are a step of a loop."""
        steps: list[Any] = []
        for kernel in plan.kernels:
            if isinstance(kernel, Loop):
                steps += self._loop(kernel, at, inner)
            else:
                steps.append(Dispatch(kernel.lowered, tuple([at(ref) for ref in _bindings(kernel, self.params)])))
        return steps

    def _loop(self, loop: Loop, at: Callable[[Ref], Buffer], inner: bool) -> list[Any]:
        """The first step reads the first values of the carries; then two steps take turns, so that bindings repeat."""
        turn = self.device.alloc(16)

        def section(source: int, target: int) -> list[Step]:
            def inside(ref: Ref) -> Buffer:
                kind, number = ref
                if kind == "turn":
                    return turn
                place = {"leaf": loop.inputs, "out": loop.results, "slot": loop.temporaries}[kind][number]
                if place[0] == "carry":
                    place = loop.carries[place[1]][source if kind == "leaf" else target]
                return at(place)

            return self._steps(loop.body, inside, inner=True)

        count, left = Count(turn, None), loop.steps - 1
        first = section(0, 1)
        if not loop.carries:
            return [Count(turn, 0), *first, Repeat(left, (count, *first))]
        odd, even = (section(1, 2), section(2, 1)) if left else ([], [])
        tail = [count, *odd] if left % 2 else []
        # a loop that ends has no sequences and stacks nothing, so that none of its kernels looks at the turn
        if loop.ends and not inner and (pairs := self.device.profile.pairs_between_looks) < left // 8:
            some = While((Repeat(pairs, (*odd, *even)),), left // 2 // pairs, at(loop.carries[0][1]), loop.steps != ENDLESS)
            return [*first, some, Repeat(left // 2 % pairs, (*odd, *even)), *(odd if left % 2 else [])]
        return [Count(turn, 0), *first, Repeat(left // 2, (count, *odd, count, *even)), *tail]

    def run(self) -> None:
        for part in self.parts:
            if isinstance(part, (OnHost, Repeated)):
                part.run(self.device)
            else:
                self.device.replay(part)


def _bindings(kernel: Kernel, params: Buffer | None) -> list[Ref]:
    """Places in the order of a kernel's bindings; a device kernel's `order` names a read, a write, or itself."""
    if not kernel.lowered.order:  # the host's functions
        return [*kernel.reads, *kernel.writes, *([("params", 0)] if params is not None else [])]
    reads, writes = kernel.reads, kernel.writes
    return [reads[i] if kind == "read" else writes[i] if kind == "write" else (kind, i) for kind, i in kernel.lowered.order]


def weight(plan: Plan) -> int:
    """What a plan weighs where plans are kept: its kernels, and the graph around them as much as two more."""
    return 2 + plan.kernels_made


# ---- eager values
_plans: Recent[Plan] = Recent(512, weight, least=16)  # 45 kB for each kernel, text and graph (cpu and wasm)


def plan_for(key: tuple, profile: Profile, make: Callable[[Profile], Plan]) -> Plan:
    """The plan of a graph for an adapter: one of this run, one that an earlier run left, or else the one that `make` makes."""
    whole = (key, profile)
    plan = _plans.get(whole)
    if plan is None:
        name = name_of(key, profile)
        plan = _plans.put(whole, restored(name) or made(name, key, profile, make))
    return plan


def realize(nodes: list[Node], device: Device, keep_graph: bool = False, also: Sequence[Node] = ()) -> None:
    """Computes the nodes: each gets a buffer, and lets go of its sources (unless `keep_graph`).

    `also` are computed in the same run. They are somebody else's: where the run fails, the nodes are computed without them, and
    what is wrong with `also` is told to whoever reads it.
    """
    with LOCK:
        own = _unknown(nodes)
        every = _unknown([*own, *also])
        every = _unknown([*every, *others(every)])
        if len(every) > len(own):
            try:
                _compute(every, device, keep_graph)
            except Exception:
                every = own
            else:
                own = []
        if own:
            _compute(own, device, keep_graph)
        if every:
            ran()


def _unknown(nodes: Sequence[Node]) -> list[Node]:
    """Those without a value, each once."""
    return list({id(n): n for n in nodes if n.buffer is None}.values())


def _compute(nodes: list[Node], device: Device, keep_graph: bool) -> None:
    key, leaves, params = graph_key(nodes, lift=True)
    plan = plan_for(key, device.profile, lambda profile: make_plan(nodes, profile, list(leaves), params=params))
    values = np.array([n.attrs["value"] for n in params], np.float32) if params else None
    for node in leaves:
        if node.buffer is None:
            raise ended_trace()
        node.buffer = brought(node.buffer, device)
    bound = Bound(plan, device, [n.buffer for n in leaves], values)
    bound.run()
    for node, ref in zip(nodes, plan.out_refs, strict=True):
        node.buffer = bound.at(ref)
        if not keep_graph and not recorded(node):
            node.src = ()


def to_host(raw: bytes | bytearray, node: Node) -> np.ndarray:
    """Bytes read from the device as the array they stand for."""
    memory = np.uint32 if node.dtype == "bool" else NUMPY[node.dtype]
    array = np.frombuffer(raw, memory, count=node.size).reshape(node.shape)
    if node.dtype == "bool":
        return array.astype(bool)
    return array if isinstance(raw, bytearray) else array.copy()  # a bytearray is nobody else's


def from_host(array: np.ndarray) -> np.ndarray:
    """An array of a supported dtype in the layout devices use."""
    return array.astype(np.uint32) if array.dtype == np.bool_ else array
