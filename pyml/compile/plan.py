"""`Plan`: kernels in order and the memory they use. Pure data: no device, no buffers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..device.base import rounded
from ..graph.node import Node, toposort
from ..graph.op import Profile
from ..graph.prims import BUFFER, CONST, copy
from .canonical import Canonical, freeze, is_given, source
from .schedule import Group, is_value, schedule

Ref = tuple[str, int]  # ("leaf", number) | ("slot", number) | ("out", number) | ("params", 0)
ITEM = 4  # bytes per element of every dtype; bool is stored as u32


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
    plan = _Planner(schedule(full, profile, states), stored, writes, len(params)).plan()
    budget = min(profile.max_storage_buffers, 8) if profile.family != "numpy" else 1 << 30
    if any(len({*k.reads, *k.writes}) > budget for k in plan.kernels):
        # a write that had to go through a temporary needs a binding of its own: plan without counting on places
        plan = _Planner(schedule(full, profile), stored, writes, len(params)).plan()
    return plan


class _Planner:
    def __init__(self, groups, roots, writes, params):
        self.roots, self.writes, self.params = roots, writes, params
        self.groups, self.in_place = self._order(groups)

    def _order(self, groups):
        """Adds read-before-write edges and decides which state writes happen in place."""
        home = {id(o): g for g in groups for o in g.outputs}
        readers: dict[int, list[Group]] = {}
        feeds = {id(g): set() for g in groups}
        for g in groups:
            for v in g.loads():
                if v.op is BUFFER:
                    readers.setdefault(v.attrs["leaf"], []).append(g)
                elif id(v) in home:
                    feeds[id(g)].add(id(home[id(v)]))
        in_place: dict[int, int] = {}  # id of a root -> leaf number
        uses = [id(r) for r in self.roots]
        for position, leaf in self.writes.items():
            root = self.roots[position]
            if not root.size or uses.count(id(root)) > 1:
                continue
            group = home[id(root)]
            others = [g for g in readers.get(leaf, []) if g is not group]
            if group in readers.get(leaf, []) and not self._own_index(group, leaf):
                continue
            added = {id(g) for g in others} - feeds[id(group)]
            if any(_depends(feeds, g, id(group)) for g in added):
                continue  # a later kernel reads the old value
            feeds[id(group)] |= added
            in_place[id(root)] = leaf
        order, placed = [], set()
        index = {id(g): g for g in groups}
        stack = [(id(g), False) for g in reversed(groups)]
        while stack:
            g, ready = stack.pop()
            if g in placed:
                continue
            if ready:
                placed.add(g)
                order.append(index[g])
            else:
                stack.append((g, True))
                stack.extend((f, False) for f in feeds[g] if f not in placed)
        return order, in_place

    def _own_index(self, group: Group, leaf: int) -> bool:
        """Whether the kernel reads the variable only at the element it then writes."""
        from .schedule import edges, operands

        def reads(n):
            return any(v.attrs.get("leaf") == leaf for v in operands(n))

        if any(reads(a) for a in group.anchors):
            return False
        for node in group.members.values():
            for value, aligned in edges(node):
                if value.attrs.get("leaf") == leaf and not (aligned and node.size == group.domain):
                    return False
        if group.kind == "elementwise":
            return _all_aligned(group)
        # only the epilogue may read it
        return not any(reads(n) for n in _prologue(group))

    def plan(self) -> Plan:
        where: dict[int, Ref] = {}
        outs: list[Node] = []
        out_refs: list[Ref] = []
        copies = []
        for position, root in enumerate(self.roots):
            if id(root) in self.in_place:
                where[id(root)] = ("leaf", self.in_place[id(root)])
            elif position not in self.writes and id(root) not in where:
                where[id(root)] = ("out", len(outs))
                outs.append(root)
        last: dict[int, int] = {}
        for i, g in enumerate(self.groups):
            for v in g.loads():
                last[id(v)] = i
        kept = {id(self.roots[p]) for p in self.writes if id(self.roots[p]) not in where}
        slots: list[int] = []
        free: list[int] = []
        ends: dict[int, list[int]] = {}
        kernels = []
        live = peak = 0
        sizes: dict[int, int] = {}
        for i, g in enumerate(self.groups):
            for out in g.outputs:
                if id(out) in where:
                    continue
                need = rounded(out.size * ITEM)
                fitting = [s for s in free if slots[s] >= need]
                if fitting:
                    slot = min(fitting, key=slots.__getitem__)
                elif free:
                    slot = max(free, key=slots.__getitem__)
                    slots[slot] = need
                else:
                    slot = len(slots)
                    slots.append(need)
                if slot in free:
                    free.remove(slot)
                where[id(out)] = ("slot", slot)
                sizes[slot] = need
                live += need
                peak = max(peak, live)
                end = len(self.groups) if id(out) in kept else last.get(id(out), i)
                ends.setdefault(end, []).append(slot)
            reads = tuple(("leaf", v.attrs["leaf"]) if v.op is BUFFER else where[id(v)] for v in g.loads())
            kernels.append(Kernel(g, reads, tuple(where[id(o)] for o in g.outputs)))
            for slot in ends.pop(i, []):
                free.append(slot)
                live -= sizes[slot]
        for position, root in enumerate(self.roots):
            ref = where.get(id(root), ("none", 0))
            if position in self.writes and id(root) not in self.in_place and root.size:
                copies.append((ref, ("leaf", self.writes[position]), root.size * ITEM))
            out_refs.append(ref)
        return Plan(kernels, slots, outs, out_refs, copies, self.params, peak)


def _depends(feeds, start: int, target: int) -> bool:
    stack, seen = [start], set()
    while stack:
        g = stack.pop()
        if g == target:
            return True
        if g not in seen:
            seen.add(g)
            stack.extend(feeds[g])
    return False


def _all_aligned(group: Group) -> bool:
    """Whether every member is evaluated at the output element itself."""
    from .schedule import edges

    return all(n.size == group.domain for n in group.members.values()) and all(
        aligned for n in group.members.values() for v, aligned in edges(n) if group.computes(v)
    )


def _prologue(group: Group) -> list[Node]:
    found: dict[int, Node] = {}
    stack = [s for a in group.anchors for s in a.src]
    while stack:
        n = stack.pop()
        if id(n) not in found and (id(n) in group.members or not is_value(n)):
            found[id(n)] = n
            stack.extend(n.src)
    return [n for n in found.values() if id(n) in group.members]
