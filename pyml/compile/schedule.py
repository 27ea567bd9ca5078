"""Groups nodes into kernels. Knows nothing of any emitter.

A Group is what one dispatch computes: a domain of output elements, at most one kind of anchor (reductions over
one shape, or a routine), the elementwise nodes evaluated in it, and the nodes it stores.
Every group is convex: a node joins only the group that holds all its consumers.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..graph.node import Node, toposort
from ..graph.op import Profile

_CHEAP = 6  # an expression this cheap is computed again rather than stored for several kernels
_RECOMPUTE = 6  # … or again for every element that a broadcast repeats it to


@dataclass(eq=False)
class Group:
    domain: int  # number of output elements
    anchors: list[Node] = field(default_factory=list)
    members: dict[int, Node] = field(default_factory=dict)  # elementwise nodes computed here
    outputs: list[Node] = field(default_factory=list)  # nodes stored
    number: int = 0  # position in the schedule
    _loads: tuple = (None, [])

    @property
    def kind(self) -> str:
        return self.anchors[0].op.kind if self.anchors else "elementwise"

    def computes(self, node: Node) -> bool:
        return id(node) in self.members or any(a is node for a in self.anchors)

    def loads(self) -> list[Node]:
        """Nodes read from memory, in a fixed order: operands of the anchor first."""
        state = (len(self.anchors), len(self.members))  # both only grow
        if self._loads[0] != state:
            own = {id(a) for a in self.anchors} | self.members.keys()
            found: dict[int, Node] = {}
            for node in (*self.anchors, *self.members.values()):
                for value in operands(node):
                    if id(value) not in own and is_memory(value):
                        found.setdefault(id(value), value)
            self._loads = (state, list(found.values()))
        return self._loads[1]

    def label(self) -> str:
        names = [a.op.name for a in self.anchors] + [m.op.name for m in self.members.values()]
        return "+".join(names[:6]) + ("…" if len(names) > 6 else "")


def is_memory(node: Node) -> bool:
    """Whether a value is read from a buffer (constants and counters are not)."""
    return node.op.name not in ("const", "iota")


def is_value(node: Node) -> bool:
    return node.op.kind != "movement"


def operands(node: Node) -> list[Node]:
    """The values a node reads, looking through movement ops."""
    if node.reads is not None:
        return node.reads
    out: list[Node] = []
    stack = list(reversed(node.src))
    while stack:
        s = stack.pop()
        if is_value(s):
            out.append(s)
        else:
            stack.extend(reversed(s.src))
    node.reads = out
    return out


def edges(node: Node):
    """(value, aligned) per operand; aligned means element i of one is element i of the other."""
    for s in node.src:
        aligned = True
        while not is_value(s) and s.op.name == "reshape":
            s = s.src[0]
        if is_value(s):
            yield s, aligned
        else:
            for value in operands(s):
                yield value, False


class Scheduler:
    def __init__(self, roots: list[Node], profile: Profile, states: dict[int, int]):
        self.profile = profile
        self.states = states  # id of a root -> the leaf it is written back to, in the same binding
        self.budget = min(profile.max_storage_buffers, 8)
        self.roots = {id(r) for r in roots}
        self.order = [n for n in toposort(roots) if is_value(n)]
        self.values = [n for n in self.order if n.op.kind != "leaf"]
        self.consumers: dict[int, list] = {id(n): [] for n in self.order}
        for node in self.values:
            for value, aligned in edges(node):
                self.consumers[id(value)].append((node, aligned))
        self.homes: dict[int, list[Group]] = {}  # where a node is computed
        self.groups: list[Group] = []
        self.deep: dict[int, int] = {}

    def run(self) -> list[Group]:
        for node in self.values:
            self.deep[id(node)] = self._deep_cost(node)
        for node in reversed(self.values):
            self._place(node)
        self._find_outputs()
        self._merge_neighbours()
        return self._ordered()

    def _deep_cost(self, node: Node) -> int:
        if node.op.kind != "elementwise":
            return 0
        single = [v for v in operands(node) if len(self.consumers[id(v)]) == 1]
        return min(999, node.op.cost + sum(self.deep.get(id(v), 0) for v in single))

    # ---- placing one node; its consumers have been placed
    def _place(self, node: Node) -> None:
        uses = self.consumers[id(node)]
        homes = {id(g): g for c, _ in uses for g in self.homes[id(c)]}
        root = id(node) in self.roots
        if node.op.kind == "elementwise":
            if len(homes) == 1:
                (group,) = homes.values()
                if root:
                    if self._joins_as_output(node, uses, group):
                        return self._join(node, group)
                elif self._inlines(node, uses, group):
                    return self._join(node, group)
            elif homes and not root and self.deep[id(node)] <= _CHEAP and len(operands(node)) <= 2 and len(homes) <= 4:
                groups = list(homes.values())
                if all(self._inlines(node, [u for u in uses if g in self.homes[id(u[0])]], g) for g in groups):
                    for g in groups:
                        self._join(node, g)
                    return None
            return self._new(Group(node.size), node)
        if len(homes) == 1 and not (root and node.op.kind == "routine" and node.dtype != "float32"):
            (group,) = homes.values()
            if self._anchors(node, uses, group):
                group.anchors.append(node)
                self.homes[id(node)] = [group]
                return None
        group = Group(node.size, anchors=[node])
        self.groups.append(group)
        self.homes[id(node)] = [group]
        return None

    def _new(self, group: Group, node: Node) -> None:
        self.groups.append(group)
        self._join(node, group)

    def _join(self, node: Node, group: Group) -> None:
        group.members[id(node)] = node
        self.homes.setdefault(id(node), []).append(group)

    def _evaluations(self, consumer: Node, group: Group) -> int:
        """How often the sources of `consumer` are evaluated in `group`."""
        return consumer.src[0].size if consumer.op.kind == "reduction" else consumer.size

    def _inlines(self, node: Node, uses, group: Group) -> bool:
        for consumer, _aligned in uses:
            if consumer.op.kind == "routine":
                return False
            repeats = self._evaluations(consumer, group) / max(1, node.size)
            if repeats > 1 and self.deep[id(node)] > _RECOMPUTE:
                return False
        return self._fits(node, group)

    def _joins_as_output(self, node: Node, uses, group: Group) -> bool:
        """A root computed on the way to the group's other results, at the same elements."""
        if node.size != group.domain or not self._fits(node, group, extra=1):
            return False
        for consumer, aligned in uses:
            if consumer.op.kind != "elementwise" or not aligned or not self._at_domain(consumer, group):
                return False
        return True

    def _at_domain(self, node: Node, group: Group) -> bool:
        """Whether a member is evaluated exactly at the group's output elements (not in a reduction's loop,
        not through a view)."""
        if node.size != group.domain:
            return False
        if group.kind == "reduction" and self._feeds_anchor(node, group):
            return False
        uses = [(c, al) for c, al in self.consumers[id(node)] if group in self.homes[id(c)]]
        return all(al and c.op.kind == "elementwise" and self._at_domain(c, group) for c, al in uses)

    def _feeds_anchor(self, node: Node, group: Group) -> bool:
        stack, seen = [node], set()
        while stack:
            n = stack.pop()
            for c, _ in self.consumers[id(n)]:
                if any(c is a for a in group.anchors):
                    return True
                if id(c) in group.members and id(c) not in seen:
                    seen.add(id(c))
                    stack.append(c)
        return False

    def _anchors(self, node: Node, uses, group: Group) -> bool:
        if group.anchors or group.domain != node.size:
            return False
        if node.op.kind == "routine" and any(
            m.dtype != node.dtype for m in group.members.values() if id(m) in self.roots or not self._only_here(m, group)
        ):
            return False  # the kernel file declares the output's type
        if not all(al and c.op.kind == "elementwise" and self._at_domain(c, group) for c, al in uses):
            return False
        return self._fits(node, group)

    def _only_here(self, node: Node, group: Group) -> bool:
        return all(self.homes[id(c)] == [group] for c, _ in self.consumers[id(node)]) and bool(self.consumers[id(node)])

    def _fits(self, node: Node, group: Group, extra: int = 0) -> bool:
        """Whether the kernel stays within the storage buffers every browser offers."""
        loads = [v for v in group.loads() if v is not node]
        loads += [v for v in operands(node) if is_memory(v) and not group.computes(v)]
        stores = [m for m in group.members.values() if id(m) in self.roots or not self._only_here(m, group)]
        stores += [a for a in group.anchors if id(a) in self.roots]
        return self._bindings(loads, stores) + extra <= self.budget

    def _bindings(self, loads: list[Node], stores: list[Node]) -> int:
        read = {v.attrs.get("leaf") for v in loads}
        written = {id(s) for s in stores if self.states.get(id(s), -1) not in read}
        return len({id(v) for v in loads}) + max(len(written), 0 if stores else 1)

    # ---- after placing
    def _find_outputs(self) -> None:
        for node in self.values:
            homes = self.homes[id(node)]
            outside = any(g not in homes for c, _ in self.consumers[id(node)] for g in self.homes[id(c)])
            if id(node) in self.roots or outside:
                homes[0].outputs.append(node)

    def _merge_neighbours(self) -> None:
        """Joins elementwise groups over the same number of elements, and reductions over the same shape."""
        self._number()
        groups = list(self.groups)
        below, above = self._reach()
        rooms: dict[int, list[int]] = {}
        for i, g in enumerate(groups):
            rooms.setdefault(g.domain, []).append(i)
        changed = True
        while changed:  # a merge can make room for another one
            changed = False
            for room in rooms.values():
                at = 0
                while at < len(room):
                    found = self._partner(room, at, groups, below, above)
                    if found is None:
                        at += 1
                        continue
                    a, b = found
                    self._merge(groups[a], groups[b])
                    _join(a, b, below, above)
                    room.remove(b)
                    changed = True

    def _partner(self, room, at: int, groups, below, above) -> tuple[int, int] | None:
        """The group at `room[at]` and the first later one that it merges with; the one that feeds the other comes first."""
        x = room[at]
        for y in room[at + 1 :]:
            a, b = (y, x) if below[y] >> x & 1 else (x, y)
            if groups[b].kind == "routine":
                continue
            if (below[a] | below[b]) & (above[a] | above[b]) & ~(1 << a | 1 << b):
                continue  # a third group lies between them
            if self._mergeable(groups[a], groups[b], bool(below[a] >> b & 1)):
                return a, b
        return None

    def _mergeable(self, a: Group, b: Group, feeds: bool) -> bool:
        if b.kind == "elementwise":
            if a.kind == "routine" and (not feeds or any(o.dtype != a.anchors[0].dtype for o in (*a.outputs, *b.outputs))):
                return False
            if a.kind == "reduction" and not feeds and a.domain > 1:
                return False
            if feeds and not all(
                al and self._at_domain(m, b)
                for m in b.members.values()
                for v, al in edges(m)
                if a.computes(v)
            ):
                return False
            if feeds and a.kind != "routine" and not all(
                self._at_domain(v, a) or any(v is x for x in a.anchors) for v in b.loads() if a.computes(v)
            ):
                return False
        elif not (a.kind == b.kind == "reduction" and not feeds and _same_reduction(a, b)):
            return False
        loads = [v for v in (*a.loads(), *b.loads()) if not a.computes(v) and not b.computes(v)]
        outs = [*b.outputs, *(
            o for o in a.outputs if id(o) in self.roots or any(
                g not in (a, b) for c, _ in self.consumers[id(o)] for g in self.homes[id(c)])
        )]  # fmt: skip
        return self._bindings(loads, outs) <= self.budget

    def _merge(self, a: Group, b: Group) -> None:
        for node in (*b.members.values(), *b.anchors):
            homes = self.homes[id(node)]
            homes[:] = list(dict.fromkeys(a if g is b else g for g in homes))
        a.members.update(b.members)
        a.anchors.extend(b.anchors)
        kept = [o for o in (*a.outputs, *b.outputs) if id(o) in self.roots or any(
            g is not a for c, _ in self.consumers[id(o)] for g in self.homes[id(c)])]  # fmt: skip
        a.outputs = kept
        self.groups.remove(b)

    # ---- order
    def _sources(self, group: Group) -> set[int]:
        return {self.homes[id(v)][0].number for v in group.loads() if id(v) in self.homes}

    def _number(self) -> None:
        """Numbers the groups so that sources come first."""
        for i, g in enumerate(self.groups):
            g.number = i
        feeds = [self._sources(g) - {g.number} for g in self.groups]
        done: list[int] = []
        placed: set[int] = set()
        stack = [(i, False) for i in reversed(range(len(self.groups)))]
        first = {id(n): i for i, n in enumerate(self.values)}
        stack.sort(key=lambda t: -min(first[id(o)] for o in self.groups[t[0]].outputs))
        while stack:
            i, ready = stack.pop()
            if i in placed:
                continue
            if ready:
                placed.add(i)
                done.append(i)
            else:
                stack.append((i, True))
                stack.extend((j, False) for j in sorted(feeds[i]) if j not in placed)
        self.groups = [self.groups[i] for i in done]
        for i, g in enumerate(self.groups):
            g.number = i

    def _reach(self) -> tuple[list[int], list[int]]:
        """For each group, bit sets of the groups that depend on it and of those it depends on."""
        below, above = [0] * len(self.groups), [0] * len(self.groups)
        feeds = [self._sources(g) - {g.number} for g in self.groups]
        for i, sources in enumerate(feeds):
            for s in sources:
                above[i] |= 1 << s | above[s]
        for i in reversed(range(len(feeds))):
            for s in feeds[i]:
                below[s] |= 1 << i | below[i]
        return below, above

    def _ordered(self) -> list[Group]:
        self._number()
        position = {id(n): i for i, n in enumerate(self.values)}
        for g in self.groups:
            g.members = dict(sorted(g.members.items(), key=lambda kv: position[kv[0]]))
            g.outputs.sort(key=lambda n: position[id(n)])
        return self.groups


def _join(a: int, b: int, below: list[int], above: list[int]) -> None:
    """Keeps the bit sets true when group b becomes part of group a."""
    both = 1 << a | 1 << b
    down, up = (below[a] | below[b]) & ~both, (above[a] | above[b]) & ~both
    below[a], above[a] = down, up
    for sets, others, more in ((below, up, down), (above, down, up)):
        while others:
            low = others & -others
            g = low.bit_length() - 1
            sets[g] = (sets[g] | 1 << a | more) & ~(1 << b)
            others ^= low


def _same_reduction(a: Group, b: Group) -> bool:
    x, y = a.anchors[0], b.anchors[0]
    return x.src[0].shape == y.src[0].shape and x.attrs["axis"] == y.attrs["axis"]


def schedule(roots: list[Node], profile: Profile, states: dict[int, int] | None = None) -> list[Group]:
    """Kernels that compute `roots` (canonical nodes), in order.

    `states` maps the id of a root to the leaf it is written back to, for kernels that hope to do it in place.
    """
    return Scheduler(roots, profile, states or {}).run()
