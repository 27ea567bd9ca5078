"""Merges neighbouring groups of one domain: elementwise kernels over as many elements, reductions over the same shape.

Adam's two moments and the weight become one kernel this way, and a bias gradient's sum carries the whole update of the
bias: of 316 groups of a step of ResNet-18 212 are left, of 747 of a transformer of 12 blocks 634. Every pair of groups of
one domain is looked at, so groups are taken in blocks: an unrolled program of 160 steps has 5,500 groups, and looking at
all pairs of them took 16 s. ResNet-50 has 812 groups, so the plans of all these are those of one block.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ..graph.node import Node
from .chain import in_chain_by_size
from .groups import Group, edges, operands
from .pieces import MOST_WORK

if TYPE_CHECKING:
    from .schedule import Scheduler

BLOCK = 1024  # groups that are compared with each other; they lie side by side in the schedule


class Merging:
    """Joins groups of a scheduler that has placed every node and numbered its groups."""

    def __init__(self, scheduler: Scheduler):
        self.of = scheduler
        # where an output is used: ids of groups
        self.users: dict[int, set[int]] = {
            id(o): {id(h) for c, _ in scheduler.consumers[id(o)] for h in scheduler.homes[id(c)]}
            for g in scheduler.groups for o in g.outputs
        }  # fmt: skip

    def run(self) -> list[Group]:
        """The groups that are left, in their order."""
        groups = self.of.groups
        return [g for at in range(0, len(groups), BLOCK) for g in self._block(groups[at : at + BLOCK])]

    def _block(self, groups: list[Group]) -> list[Group]:
        """Groups that follow each other: whatever lies between two of them is one of them."""
        block = _Block(groups, self.of)
        now = 0
        touched = [0] * len(groups)  # when a group was last merged with another
        looked = [-1] * len(groups)  # when a group was last compared with all that follow it
        changed = True
        while changed:  # a merge can make room for another one
            changed = False
            for room in block.rooms:
                x = _lowest(block.rooms[room])
                while x >= 0:
                    pair = next((
                        (a, b)
                        for y in _bits(block.partners(x, room))
                        if touched[x] > looked[x] or touched[y] > looked[x]
                        for a, b in [(y, x) if block.reversed(x, y) else (x, y)]
                        if self._mergeable(groups[a], groups[b], bool(block.after[a] >> b & 1))
                    ), None)  # fmt: skip
                    if pair is not None:
                        a, b = pair
                        self._merge(groups[a], groups[b])
                        block.join(a, b, room)
                        now += 1
                        touched[a] = now
                        changed = True
                    else:
                        looked[x] = now
                    if pair is None or b == x:  # a group that is gone gives its turn to the one after it
                        x = _lowest(block.rooms[room] & -(2 << x))
        return [groups[i] for i in _bits(block.alive)]

    def _mergeable(self, a: Group, b: Group, feeds: bool) -> bool:
        """Whether one kernel can compute two groups of kinds that fit; `feeds` says that b reads from a."""
        if a.work + b.work > MOST_WORK:
            return False
        if a.kind == "routine" and any(o.dtype != a.anchors[0].dtype for o in (*a.outputs, *b.outputs)):
            return False  # the kernel file declares the output's type
        if b.kind == "reduction" and not _same_reduction(a, b):
            return False
        if a.kind == "reduction" and b.kind == "elementwise" and not feeds and self.of.states and not in_chain_by_size(a):
            return False  # by itself the small one joins a chain, where it waits for nobody
        few = len(a.reads) + len(b.reads) + len(a.outputs) + len(b.outputs) <= self.of.budget  # even if none of them is the same
        if few and b.kind != "reduction":
            return not feeds or _follows(a, b)
        loads = {k: v for k, v in a.reads.items() if k not in b.own} | {k: v for k, v in b.reads.items() if k not in a.own}
        if b.kind == "reduction" and {self.of.states.get(k, -1) for k in loads} & {v.attrs.get("leaf") for v in loads.values()}:
            return False  # who reads a Variable's old and its new value keeps it from being written in place
        outs = {id(o) for o in b.outputs} | {id(o) for o in a.outputs if self._needed(o, a, b)}
        if self.of.bindings(loads, outs) > self.of.budget:
            return False
        return not feeds or _follows(a, b)

    def _needed(self, output: Node, *groups: Group) -> bool:
        """Whether anybody but these groups needs it."""
        return id(output) in self.of.roots or not self.users[id(output)] <= {id(g) for g in groups}

    def _merge(self, a: Group, b: Group) -> None:
        for key in b.own:
            homes = self.of.homes[key]
            homes[:] = list(dict.fromkeys(a if g is b else g for g in homes))
        for key in (*b.reads, *map(id, b.outputs)):
            if (users := self.users.get(key)) and id(b) in users:
                users.remove(id(b))
                users.add(id(a))
        a.take_over(b)
        a.outputs = [o for o in (*a.outputs, *b.outputs) if self._needed(o, a)]


def _follows(a: Group, b: Group) -> bool:
    """Whether b reads a's results only at its own output elements, where they are at hand: no reduction of b goes over them."""
    if any(a.computes(v) for anchor in b.anchors for v in operands(anchor)):
        return False
    aligned = all(al and key in b.exact for key, m in b.members.items() for v, al in edges(m) if a.computes(v))
    return aligned and (a.kind == "routine" or all(k in a.exact or k not in a.members for k in b.reads if k in a.own))


def _same_reduction(a: Group, b: Group) -> bool:
    x, y = a.anchors[0], b.anchors[0]
    return x.src[0].shape == y.src[0].shape and x.attrs["axis"] == y.attrs["axis"]


def _lowest(mask: int) -> int:
    """The position of the lowest one, -1 where there is none."""
    return (mask & -mask).bit_length() - 1


def _bits(mask: int) -> list[int]:
    """The positions of the ones, from the lowest."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


class _Block:
    """Groups as bit sets: of each domain, of each kind, and which depend on which."""

    def __init__(self, groups: list[Group], scheduler: Scheduler):
        self.alive = (1 << len(groups)) - 1
        self.rooms: dict[int, int] = defaultdict(int)  # domain -> its groups
        self.kinds: dict[str, int] = defaultdict(int)  # kind -> its groups, those that are gone too: rooms say which are there
        for i, g in enumerate(groups):
            self.rooms[g.domain] |= 1 << i
            self.kinds[g.kind] |= 1 << i
        first = groups[0].number if groups else 0
        n = range(len(groups))
        self.above = [0 for _ in n]  # the groups that each depends on
        self.below = [0 for _ in n]  # those that depend on it
        self.before = [sum(1 << s - first for s in scheduler.sources(g) if s >= first) for g in groups]  # without others between
        self.after = [0 for _ in n]
        for i in n:
            for s in _bits(self.before[i]):
                self.above[i] |= 1 << s | self.above[s]
                self.after[s] |= 1 << i
        for i in reversed(n):
            for s in _bits(self.before[i]):
                self.below[s] |= 1 << i | self.below[i]

    def partners(self, x: int, room: int) -> int:
        """The later groups of the room that may merge with `x`: no third group lies between, and the kinds fit.

        What follows a routine or a reduction joins it when it reads its result. Of kernels that have nothing to do with each
        other elementwise ones merge, and reductions over one shape; a reduction takes in strangers only where all is one
        number, since their elements are spread over fewer threads there.
        """
        free = self.rooms[room] & -(2 << x)
        one = 1 << x
        elementwise, reduction = self.kinds["elementwise"], self.kinds["reduction"]
        strangers = ~self.before[x] & ~self.after[x]
        if elementwise & one:
            free &= elementwise | self.before[x] | (reduction & strangers if room == 1 else 0)
        elif reduction & one:
            free &= elementwise & (self.after[x] | (strangers if room == 1 else 0)) | reduction
        else:
            free &= elementwise & self.after[x]
        if free:
            for s in _bits(self.after[x]):
                free &= ~self.below[s]
            for s in _bits(self.before[x]):
                free &= ~self.above[s]
        return free

    def reversed(self, x: int, y: int) -> bool:
        """Whether `x` becomes part of `y`: it reads from it, or is computed beside its sum."""
        return bool(self.before[x] >> y & 1 or self.kinds["elementwise"] >> x & self.kinds["reduction"] >> y & ~self.after[x] >> y & 1)

    def join(self, a: int, b: int, room: int) -> None:
        """Group b becomes part of group a, of the same room. Sets of what is above and below may name b further on."""
        one, other = 1 << a, 1 << b
        both = one | other
        self.alive &= ~other
        self.rooms[room] &= ~other
        for near, back in ((self.after, self.before), (self.before, self.after)):
            for g in _bits(near[b] & ~one):
                back[g] = back[g] & ~other | one
            near[a] = (near[a] | near[b]) & ~both
            near[b] = 0
        down, up = (self.below[a] | self.below[b]) & ~both, (self.above[a] | self.above[b]) & ~both
        new_above, new_below = (self.above[a] ^ self.above[b]) & ~both, (self.below[a] ^ self.below[b]) & ~both
        self.below[a], self.above[a] = down, up
        for g in _bits(new_above):  # what was above both has all that is below them
            self.below[g] |= one | down
        for g in _bits(new_below):
            self.above[g] |= one | up
