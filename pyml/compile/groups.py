"""`Group`: the nodes that one dispatch computes; and how a group sees the values that its nodes read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ..graph.node import Node
from ..graph.op import Profile


@dataclass(eq=False)
class Group:
    """What one dispatch computes: a domain of output elements, at most one kind of anchor (reductions over one shape, or
    a routine), the elementwise nodes evaluated in it, and the nodes it stores.

    What the scheduler asks of a group again and again is kept up to date as nodes join, so that no question costs more
    than the few buffers a kernel may use: `reads`, `stored` and `exact`.
    """

    domain: int  # number of output elements
    kind: str = "elementwise"  # or that of its anchors
    anchors: list[Node] = field(default_factory=list)
    members: dict[int, Node] = field(default_factory=dict)  # elementwise nodes computed here
    outputs: list[Node] = field(default_factory=list)  # nodes stored
    number: int = 0  # position in the schedule
    own: set[int] = field(default_factory=set)  # ids of anchors and members
    reads: dict[int, Node] = field(default_factory=dict)  # values that come from memory
    stored: dict[int, Node] = field(default_factory=dict)  # nodes that somebody outside may need, while groups grow
    exact: set[int] = field(default_factory=set)  # members evaluated at the output element itself, not in a loop or through a view
    work: int = 0  # as `pieces.py` counts it
    hosted: bool = False  # a loop whose steps only the host can run
    _loads: list[Node] | None = None

    def computes(self, node: Node) -> bool:
        return id(node) in self.own

    def anchor(self, node: Node) -> None:
        """Makes `node`, a reduction or a routine, what the group is built around."""
        self.anchors.append(node)
        self.kind = node.op.kind
        self._takes(node)

    def join(self, node: Node, exact: bool) -> None:
        """Evaluates an elementwise node here; its consumers here have joined before."""
        self.members[id(node)] = node
        if exact:
            self.exact.add(id(node))
        self._takes(node)

    def _takes(self, node: Node) -> None:
        self.own.add(id(node))
        self.reads.pop(id(node), None)
        for value in operands(node):
            if id(value) not in self.own and value.op.in_memory:
                self.reads[id(value)] = value

    def take_over(self, other: Group) -> None:
        """Computes all that another group of the same domain does."""
        for key in other.members:
            if key not in other.exact:
                self.exact.discard(key)
            elif key not in self.members:
                self.exact.add(key)
        self.members.update(other.members)
        self.anchors.extend(other.anchors)
        if other.anchors:
            self.kind = other.kind
        self.own |= other.own
        self.work += other.work
        self.reads = {k: v for k, v in (*self.reads.items(), *other.reads.items()) if k not in self.own}

    def loads(self) -> list[Node]:
        """Nodes read from memory, in a fixed order: operands of the anchor first. Asked once the group is whole."""
        if self._loads is None:
            found: dict[int, Node] = {}
            for node in (*self.anchors, *self.members.values()):
                for value in operands(node):
                    if id(value) in self.reads:
                        found.setdefault(id(value), value)
            self._loads = list(found.values())
        return self._loads

    def set_loads(self, loads: list[Node]) -> None:
        """Says what is read from memory, of a group that is made of others."""
        self._loads = loads

    def on_host(self, profile: Profile) -> bool:
        """Whether numpy computes all of it, because of the adapter or of what it is built around."""
        return self.hosted or profile.on_host or any(a.op.on_host(a, profile) for a in self.anchors)

    def label(self) -> str:
        names = [a.op.name for a in self.anchors] + [m.op.name for m in self.members.values()]
        return "+".join(names[:6]) + ("…" if len(names) > 6 else "")


def is_memory(node: Node) -> bool:
    """Whether a value is read from a buffer (constants and counters are not)."""
    return node.op.in_memory


def is_value(node: Node) -> bool:
    return not node.op.is_view


def operands(node: Node) -> list[Node]:
    """The values a node reads, looking through movement ops."""
    if node.reads is not None:
        return node.reads
    out: list[Node] = []
    stack = list(node.src[::-1])
    while stack:
        s = stack.pop()
        if s.op.is_view:
            stack += s.src[::-1]
        else:
            out.append(s)
    node.reads = out
    return out


def edges(node: Node) -> list[tuple[Node, bool]]:
    """(value, aligned) per operand; aligned means element i of one is element i of the other."""
    if node.edges is not None:
        return node.edges
    out: list[tuple[Node, bool]] = []
    for number, s in enumerate(node.src):
        while s.op.keeps_order:
            s = s.src[0]
        if s.op.is_view:
            out += [(value, False) for value in operands(s)]
        else:
            out.append((s, number > 0 or not node.op.looks_up))
    node.edges = out
    return out


def table(lookup: Node) -> Node:
    """The value whose elements a lookup reads."""
    found = lookup.src[0]
    while found.op.keeps_order:
        found = found.src[0]
    return found


def sources_first(sources: Sequence[set[int]], wanted: Iterable[int], highest_first: bool = False) -> list[int]:
    """The wanted numbers and all that they need, each after its sources and as near to its reader as that allows.

    Args:
        sources: For each number those that come before it.
        wanted: The numbers in the order in which they are asked for.
        highest_first: Whether the sources of one are asked for from the highest number down.
    """
    order: list[int] = []
    placed: set[int] = set()
    stack = [(i, False) for i in reversed([*wanted])]
    while stack:
        i, ready = stack.pop()
        if i in placed:
            continue
        if ready:
            placed.add(i)
            order.append(i)
        else:
            stack.append((i, True))
            stack.extend((j, False) for j in sorted(sources[i] - placed, reverse=not highest_first))
    return order
