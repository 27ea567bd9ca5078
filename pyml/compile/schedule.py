"""Groups nodes into kernels. Knows nothing of any emitter.

Nodes are placed consumers first: one joins the group that holds all its consumers, or begins a group. So every group is
convex, and no order of the kernels can be wrong. Then neighbours merge (`merge.py`). The work grows with the number of
nodes and edges, however long a program is.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..graph.loop import LoopOp, PartOp
from ..graph.node import Node, toposort
from ..graph.op import Elementwise, Profile, Reduction, Routine
from .groups import Group, edges, is_memory, is_value, operands, sources_first, table
from .merge import Merging
from .pieces import MOST_WORK, walls, work_of

# Numbers below are sums over 57 plans, the steps of training and predicting of 17 models (dense, convolutions, ResNet, recurrent,
# a transformer), on a GPU: 1,625 dispatches that move 56.3 MB.
#
# An expression this cheap, against a multiply, is computed again in each of several kernels rather than stored for them. With 0 the
# plans move 59.8 MB in 1,557 dispatches; with 20 it is 1,592 dispatches and as many bytes as with 6, but each of these kernels may
# then compute an exponential, which costs 8, again.
_CHEAP = 6
# … by at most so many kernels, as each loads the expression's operands again, and with so few operands, as each takes a binding in
# each kernel. Of the 588 dispatches of the plans that chain.py counts 1 kernel makes 600 and moves 7 % more bytes, 2 make 619 and
# move 3 % more, 8 change nothing; 1 operand makes 598 (7 % more bytes), 3 make 595, 8 make 621.
_SHARED = 4
_SHARED_OPERANDS = 2
# … or computed again for every element that a broadcast repeats it to. With 0, 1,655 dispatches; with more than 6 these models'
# plans stay the same: the bound is for an exponential or a division of a few values that millions of elements use.
_RECOMPUTE = 6
# How often one kernel may compute an expression, each time at another place (through shifts, as of a stencil). Ten steps of a heat
# equation by `roll` would be one kernel with 9^10 of them.
_COPIES = 64


class Scheduler:
    def __init__(self, roots: list[Node], profile: Profile, states: dict[int, int]):
        self.states = states  # id of a root -> the leaf it is written back to, in the same binding
        self.budget = profile.wanted_bindings
        self.roots = {id(r) for r in roots}
        order = [n for n in toposort(roots) if is_value(n)]
        self.values = [n for n in order if n.src]
        self.consumers: dict[int, list[tuple[Node, bool]]] = {id(n): [] for n in order}
        for node in self.values:
            for value, aligned in edges(node):
                self.consumers[id(value)].append((node, aligned))
        self.deep: dict[int, int] = {}
        self.walls: set[int] = set()  # what is stored so that no kernel is too long
        self.position = {id(n): i for i, n in enumerate(self.values)}
        self._clear()

    def _clear(self) -> None:
        self.homes: dict[int, list[Group]] = {}  # where a node is computed
        self.groups: list[Group] = []
        self.evaluations: dict[tuple[int, int], int] = {}  # (node, group) -> how many elements of it the group's kernel computes
        self.copies: dict[tuple[int, int], int] = {}  # (node, group) -> at how many places of the group's kernel it is computed, at most

    def run(self) -> list[Group]:
        for node in self.values:
            self.deep[id(node)] = self._deep_cost(node)
        self._place_all()
        while long := [g for g in self.groups if g.work > MOST_WORK and g.kind != "loop"]:
            self.walls |= {id(n) for g in long for n in walls(g, self.position)}
            self._clear()
            self._place_all()
        self._find_outputs()
        self._number()
        self.groups = Merging(self).run()
        return self._ordered()

    def _deep_cost(self, node: Node) -> int:
        """What computing a value again costs: with it goes all that only it needs."""
        if not isinstance(node.op, Elementwise):
            return 0
        single = [self.deep.get(id(v), 0) for v in operands(node) if len(self.consumers[id(v)]) == 1]
        return min(999, node.op.cost + sum(single))

    def _place_all(self) -> None:
        for node in reversed(self.values):
            self._place(node)

    # ---- placing one node; its consumers have been placed
    def _place(self, node: Node) -> None:
        """Puts a node into the group of its consumers, into copies in several groups, or into a group of its own."""
        uses = self.consumers[id(node)]
        homes = {id(g): g for c, _ in uses for g in self.homes[id(c)]}
        root = id(node) in self.roots
        if id(node) in self.walls:
            homes = {}
        if isinstance(node.op, PartOp):
            return self._join(node, self._loop(node.src[0]))
        if isinstance(node.op, LoopOp):
            return None  # its parts, which were placed before, have made its group
        if isinstance(node.op, Elementwise):
            if len(homes) == 1:
                (group,) = homes.values()
                if self._joins_as_output(node, uses, group) if root else self._inlines(node, uses, group):
                    return self._join(node, group)
            elif homes and self._worth_computing_again(node, root, len(homes)):
                groups = list(homes.values())
                if all(self._inlines(node, [u for u in uses if g in self.homes[id(u[0])]], g) for g in groups):
                    for g in groups:
                        self._join(node, g)
                    return None
            group = Group(node.size)
            self.groups.append(group)
            return self._join(node, group)
        # a routine's file declares the type of its output: what follows it in its kernel is stored beside it as float32 only
        if len(homes) == 1 and not (root and isinstance(node.op, Routine) and node.dtype != "float32"):
            (group,) = homes.values()
            if self._anchors(node, uses, group):
                return self._anchor(node, group)
        group = Group(node.size)
        self.groups.append(group)
        return self._anchor(node, group)

    def _loop(self, scan: Node) -> Group:
        """The group of a loop, which nothing joins but the loop's parts."""
        if id(scan) not in self.homes:
            group = Group(-1)
            self.groups.append(group)
            self._anchor(scan, group)
        return self.homes[id(scan)][0]

    def _worth_computing_again(self, node: Node, root: bool, homes: int) -> bool:
        """Whether each of several kernels may compute a value for itself; a result that is asked for is stored anyway."""
        few = homes <= _SHARED and len(operands(node)) <= _SHARED_OPERANDS
        return few and not root and self.deep[id(node)] <= _CHEAP

    def _join(self, node: Node, group: Group) -> None:
        uses = [u for u in self.consumers[id(node)] if group in self.homes[id(u[0])]]
        key = id(node), id(group)
        self.copies[key] = places = self._places(node, uses, group)
        if node.size > 1:  # a number is the same for all threads: to compute it in each costs less than a kernel of its own
            self.evaluations[key] = max([self._evaluated(c, group) for c, _ in uses], default=node.size)
        group.work += work_of(node, places)
        group.join(node, node.size == group.domain and self._all_exact(uses, group))
        if id(node) in self.roots or not self._only_here(node, group):
            group.stored[id(node)] = node
        self.homes.setdefault(id(node), []).append(group)

    def _anchor(self, node: Node, group: Group) -> None:
        group.anchor(node)
        if id(node) in self.roots:
            group.stored[id(node)] = node
        self.homes[id(node)] = [group]

    def _all_exact(self, uses: list[tuple[Node, bool]], group: Group) -> bool:
        """Whether a value is used only at the group's output elements (not in a reduction's loop, not through a view)."""
        return not [c for c, aligned in uses if not aligned or id(c) not in group.exact]

    def _only_here(self, node: Node, group: Group) -> bool:
        uses = self.consumers[id(node)]
        return bool(uses) and not [c for c, _ in uses if self.homes[id(c)] != [group]]

    def _inlines(self, node: Node, uses: list[tuple[Node, bool]], group: Group) -> bool:
        """Whether the kernel of a value's consumers computes it: not what a routine or a lookup reads from memory, and
        nothing dear that a broadcast or the loop of a reduction would evaluate more often than it has elements."""
        for consumer, _aligned in uses:
            if isinstance(consumer.op, (Routine, LoopOp)) or (consumer.op.looks_up and table(consumer) is node):
                return False
            if self.deep[id(node)] > _RECOMPUTE and self._evaluated(consumer, group) > max(1, node.size):
                return False
        return self._places(node, uses, group) <= _COPIES and self._fits(node, group)

    def _evaluated(self, node: Node, group: Group) -> int:
        """How often a group evaluates the operands of one of its nodes."""
        if isinstance(node.op, Reduction):
            return node.src[0].size
        return self.evaluations.get((id(node), id(group)), node.size)

    def _places(self, node: Node, uses: list[tuple[Node, bool]], group: Group) -> int:
        """At how many places of one element's work a group computes a value: where its consumers stand, and once more for each view."""
        if node.size <= 1:
            return 1
        most = apart = 0
        for c, aligned in uses:
            n = self.copies.get((id(c), id(group)), 1)
            if not aligned:
                apart += n
            elif n > most:
                most = n
        return max(1, most + apart)

    def _joins_as_output(self, node: Node, uses: list[tuple[Node, bool]], group: Group) -> bool:
        """A root computed on the way to the group's other results, at the same elements."""
        return node.size == group.domain and self._fits(node, group, extra=1) and self._all_exact(uses, group)

    def _anchors(self, node: Node, uses: list[tuple[Node, bool]], group: Group) -> bool:
        """Whether the group can be what follows a reduction or a routine in the same kernel."""
        if group.anchors or group.domain != node.size:
            return False
        if isinstance(node.op, Routine) and any(m.dtype != node.dtype for m in group.stored.values()):
            return False  # the kernel file declares the output's type
        return self._all_exact(uses, group) and self._fits(node, group)

    def _fits(self, node: Node, group: Group, extra: int = 0) -> bool:
        """Whether the kernel stays within the storage buffers every browser offers: 8. Adapters with more take the same plans,
        so that what is measured on one holds for others."""
        if len(group.reads) + len(operands(node)) + max(1, len(group.stored)) + extra <= self.budget:
            return True  # even if none of them is the same
        loads = {k: v for k, v in group.reads.items() if v is not node}
        loads |= {id(v): v for v in operands(node) if is_memory(v) and not group.computes(v)}
        return self.bindings(loads, group.stored) + extra <= self.budget

    def bindings(self, loads: dict[int, Node], stores: Iterable[int]) -> int:
        """Storage buffers of a kernel; a state that is written where it is read takes one, not two."""
        read = {v.attrs.get("leaf") for v in loads.values()}
        written = {s for s in stores if self.states.get(s, -1) not in read}
        return len(loads) + max(len(written), 0 if stores else 1)

    # ---- after placing
    def _find_outputs(self) -> None:
        for node in self.values:
            homes = self.homes[id(node)]
            if id(node) in self.roots or [c for c, _ in self.consumers[id(node)] for g in self.homes[id(c)] if g not in homes]:
                homes[0].outputs.append(node)

    # ---- order
    def sources(self, group: Group) -> set[int]:
        """Numbers of the groups that a group reads from."""
        return {self.homes[k][0].number for k in group.reads if k in self.homes} - {group.number}

    def _number(self) -> None:
        """Orders and numbers the groups so that sources come first, as near to their readers as they can."""
        for i, g in enumerate(self.groups):
            g.number = i
        wanted = sorted(range(len(self.groups)), key=lambda i: min(self.position[id(o)] for o in self.groups[i].outputs))
        order = sources_first([self.sources(g) for g in self.groups], wanted, highest_first=True)
        self.groups = [self.groups[i] for i in order]
        for i, g in enumerate(self.groups):
            g.number = i

    def _ordered(self) -> list[Group]:
        self._number()
        for g in self.groups:
            g.loads()  # in the order in which nodes joined, which has what follows an anchor before what leads to it
            g.members = dict(sorted(g.members.items(), key=lambda kv: self.position[kv[0]]))
            g.outputs.sort(key=lambda n: self.position[id(n)])
        return self.groups


def schedule(roots: list[Node], profile: Profile, states: dict[int, int] | None = None) -> list[Group]:
    """Kernels that compute `roots` (canonical nodes), in order.

    `states` maps the id of a root to the leaf it is written back to, for kernels that hope to do it in place.
    """
    return Scheduler(roots, profile, states or {}).run()


__all__ = ["Group", "schedule"]
