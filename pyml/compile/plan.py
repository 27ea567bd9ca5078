"""`Plan`: kernels in order and the memory they use. Pure data: no device, no buffers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..graph.node import Node, toposort
from ..graph.op import Profile
from ..graph.prims import BUFFER, CONST, copy
from .canonical import Canonical, freeze, is_given, source
from .groups import Group
from .memory import ITEM, Ref, Slots
from .order import ordered
from .schedule import schedule


@dataclass(eq=False)
class Kernel:
    """One dispatch: a group of nodes, what it reads and what it writes."""

    group: Group
    reads: tuple[Ref, ...]
    writes: tuple[Ref, ...]
    lowered: object = None

    @property
    def moved(self) -> int:
        """Bytes read and written if every element is touched once."""
        return ITEM * sum(n.size for n in (*self.group.loads(), *self.group.outputs))

    @property
    def arithmetic(self) -> int:
        """Arithmetic operations if every element is computed once; a multiply-add is two."""
        return sum(n.op.arithmetic(n) for n in (*self.group.anchors, *self.group.members.values()))

    @property
    def nanoseconds(self) -> int:
        """About how long one processor core takes: 8 bytes or 16 operations a nanosecond."""
        return self.moved // 8 + self.arithmetic // 16


@dataclass(eq=False)
class Plan:
    kernels: list[Kernel]
    slots: list[int]  # bytes of each temporary
    outs: list[Node]  # values given back, each in a buffer of its own
    out_refs: list[Ref]  # where each requested root is
    copies: list[tuple[Ref, Ref, int]]  # after the kernels: state writes that could not be in place
    params: int  # scalars lifted out of the kernels
    live_bytes: int = 0  # most bytes of temporaries alive at one time

    @property
    def dispatches(self) -> int:
        return len(self.kernels)

    def explain(self) -> str:
        """One line per dispatch: what it computes, reads and writes, the bytes it moves and the arithmetic, at least."""
        name = lambda ref: {"leaf": "in", "slot": "t", "out": "out", "params": "p"}[ref[0]] + str(ref[1])
        lines = []
        for i, k in enumerate(self.kernels):
            shapes = " ".join(str(list(o.shape)) for o in k.group.outputs)
            reads, writes = " ".join(map(name, k.reads)), " ".join(map(name, k.writes))
            lines.append(f"{i:3} {k.group.label():48} {reads:24} -> {writes:12} {shapes} {_work(k.moved, k.arithmetic)}")
        moved, arithmetic = sum(k.moved for k in self.kernels), sum(k.arithmetic for k in self.kernels)
        lines.append(f"{len(self.kernels)} dispatches, at least {_work(moved, arithmetic)}, "
                     f"{len(self.copies)} copies, temporaries {sum(self.slots)} bytes "
                     f"in {len(self.slots)} buffers (at most {self.live_bytes} alive at once)")  # fmt: skip
        return "\n".join(lines)


def _work(moved: int, arithmetic: int) -> str:
    return f"{moved:,} B {arithmetic:,} ops ({arithmetic / max(moved, 1):.2f}/B)"


LIFTED = ("float32",)
_KEPT = (0.0, 1.0, -1.0, 2.0, 0.5)  # worth baking: they simplify the kernel


def graph_key(roots: list[Node], lift: bool):
    """The graph written out with its leaves numbered: `(key, leaves, lifted constants)`.

    Compared exactly, never by a hash alone. Lifted constants are scalars the kernels read from a uniform block.
    """
    number: dict[int, int] = {}
    leaves: list[Node] = []
    buffers: dict = {}
    params: list[Node] = []
    lines: list[tuple] = []
    for node in toposort(roots, stop=is_given):
        number[id(node)] = len(number)
        if is_given(node):
            what = source(node)
            if what not in buffers:
                buffers[what] = len(leaves)
                leaves.append(node)
            lines.append((buffers[what], node.shape, node.dtype))
        elif lift and node.op is CONST and node.dtype in LIFTED and node.attrs["value"] not in _KEPT:
            lines.append(("param", len(params), node.shape, node.dtype))
            params.append(node)
        else:
            lines.append((node.op.name, freeze(node.attrs), tuple(number[id(s)] for s in node.src), node.dtype))
    return (tuple(lines), tuple(number[id(r)] for r in roots)), leaves, params


def make_plan(roots: list[Node], profile: Profile, leaves: list[Node], writes: dict[int, int] | None = None,
              params: Sequence[Node] = ()) -> Plan:  # fmt: skip
    """Plans `roots`. `writes` maps a root's position to the number of the leaf it is written back to."""
    writes = writes or {}
    canonical = Canonical(profile, leaves)
    for i, node in enumerate(params):
        lifted = Node(CONST, (), {**node.attrs, "value": None, "param": i}, node.shape, node.dtype)
        canonical.mapped[id(node)] = canonical._merge(lifted)
    stored = canonical(roots)
    for position in writes:  # metrics that hold equal counts: each Variable is written by the kernel, not by a copy of the other
        if any(stored[p] is stored[position] for p in writes if p < position):
            stored[position] = copy(stored[position])
    full = [r for r in stored if r.size]
    states = {id(stored[p]): leaf for p, leaf in writes.items()}
    plan = _laid_out(schedule(full, profile, states), stored, writes, len(params))
    if any(len({*k.reads, *k.writes}) > profile.most_bindings for k in plan.kernels):
        # a write that had to go through a temporary needs a binding of its own: plan without counting on places
        plan = _laid_out(schedule(full, profile), stored, writes, len(params))
    return plan


def _laid_out(groups: list[Group], roots: list[Node], writes: dict[int, int], params: int) -> Plan:
    """Orders the groups and gives every value a place."""
    groups, in_place = ordered(groups, roots, writes)
    where: dict[int, Ref] = {}
    outs: list[Node] = []
    for position, root in enumerate(roots):
        if id(root) in in_place:
            where[id(root)] = ("leaf", in_place[id(root)])
        elif position not in writes and id(root) not in where:
            where[id(root)] = ("out", len(outs))
            outs.append(root)
    kept = {id(roots[p]) for p in writes if id(roots[p]) not in where}  # copied to their Variables after the kernels
    slots = Slots()
    slots.share(groups, where, kept)
    kernels = [Kernel(g, tuple(_place(v, where) for v in g.loads()), tuple(where[id(o)] for o in g.outputs)) for g in groups]
    out_refs = [where.get(id(root), ("none", 0)) for root in roots]
    copies = [(out_refs[p], ("leaf", leaf), roots[p].size * ITEM)
              for p, leaf in sorted(writes.items()) if id(roots[p]) not in in_place and roots[p].size]  # fmt: skip
    return Plan(kernels, slots.sizes, outs, out_refs, copies, params, slots.peak)


def _place(value: Node, where: dict[int, Ref]) -> Ref:
    return ("leaf", value.attrs["leaf"]) if value.op is BUFFER else where[id(value)]
