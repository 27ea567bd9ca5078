"""Small kernels that one workgroup runs one after another: a chain is one dispatch.

What a step of training does beside products and convolutions is often tiny: the sum of a bias gradient, the norm of a
small matrix, the update behind it, metrics. On a GPU each of these costs a dispatch and a wait, far more than its work.
A chain waits inside a workgroup instead. Only programs that write Variables are looked at; others hardly have small
kernels in a row, as what is small there is part of another kernel already.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable, Sequence
from itertools import accumulate

from ..graph.node import Node
from ..graph.op import Profile
from ..graph.prims.teams import in_chain
from .groups import Group
from .pieces import MOST_WORK

# Numbers below are dispatches of the plans of 7 models (dense, convolutions, a small ResNet, LSTM, two transformer blocks, Lamb) on a
# GPU: predicting, evaluating and training of each, 588 with these bounds, 625 without chains.
_MOST = 2048  # elements that a kernel of a chain works on: 2 rounds of 256 threads with four elements each. 512: 631; 4096: 588
_TERMS = 4096  # … and that its sums read: 4 rounds. 1024: 629; 8192: 595
# Elements of a value in memory of the workgroup, and of all: 10 of the 16 KB that every browser has. None: 632; up to 1024 each: 600, as
# the first ones take the room of others
_INSIDE, _ALL_INSIDE = 256, 2560
_BACK = 64  # kernels over which a small one may move ahead to join others. 4: 601; 256: 588, for four times the looking

Place = Hashable  # the number of a leaf, or a node by its id


def chains(groups: Sequence[Group], roots: Sequence[Node], in_place: dict[int, int],
           profile: Profile) -> tuple[list[list[Group]], list[Node]]:  # fmt: skip
    """The groups in an order that is as good, and which of them are one dispatch; and what only a chain itself needs.

    A small group joins the nearest chain before it that it can reach without passing anything that touches the same values,
    or the nearest one that can reach it.
    """
    values = _Values(groups, {id(r) for r in roots}, in_place)
    found: list[_Open] = []
    for group in groups:
        one = _Open(group, values, profile)
        if not (one.small and (_rises(one, found, profile.wanted_bindings) or _sinks(one, found, profile.wanted_bindings))):
            found.append(one)
    return [one.links for one in found], [node for one in found for node in one.inner(one.links)]


def _rises(one: _Open, found: list[_Open], most: int) -> bool:
    """Adds a group to a chain before it, if it can move there."""
    for other in reversed(found[-_BACK:]):
        if other.takes(one, most):
            other.add(one)
            return True
        if other.closed or one.writes.keys() & (other.reads.keys() | other.writes.keys()) or one.reads.keys() & other.writes.keys():
            return False
    return False


def _sinks(one: _Open, found: list[_Open], most: int) -> bool:
    """Adds a group to a chain before it that can move behind all that is between."""
    reads: set[Place] = set()
    writes: set[Place] = set()
    for i in reversed(range(len(found))[-_BACK:]):
        other = found[i]
        if not (other.writes.keys() & (reads | writes) or other.reads.keys() & writes) and other.takes(one, most):
            del found[i]
            other.add(one)
            found.append(other)
            return True
        if other.closed:
            return False
        reads |= other.reads.keys()
        writes |= other.writes.keys()
    return False


class _Values:
    """Where values lie, and who reads them."""

    def __init__(self, groups: Sequence[Group], kept: set[int], in_place: dict[int, int]):
        self.kept, self.in_place = kept, in_place
        self.readers: dict[Place, set[int]] = {}
        for group in groups:
            for value in group.loads():
                self.readers.setdefault(self.place(value), set()).add(id(group))

    def place(self, value: Node) -> Place:
        """A Variable's new value lies where the old one was."""
        while value.op.keeps_order:
            value = value.src[0]
        leaf = value.attrs["leaf"] if value.op.given else self.in_place.get(id(value))
        return id(value) if leaf is None else ("leaf", leaf)


class _Open:
    """Groups that will be one dispatch, and the places they touch."""

    def __init__(self, group: Group, values: _Values, profile: Profile):
        self.values = values
        self.links = [group]
        self.reads: dict[Place, Node] = {values.place(v): v for v in group.loads()}
        self.writes: dict[Place, Node] = {values.place(o): o for o in group.outputs}
        self.closed = group.kind == "loop" or group.on_host(profile)  # nothing passes it
        self.small = not self.closed and _small(group, profile)

    def takes(self, other: _Open, most: int) -> bool:
        """Whether both can be one kernel, with so many buffers."""
        if not self.small or sum(g.work for g in (*self.links, *other.links)) > MOST_WORK:
            return False
        reads, writes = self.reads | other.reads, self.writes | other.writes
        inner = {id(n) for n in self._inner([*self.links, *other.links], writes)}
        return len(reads.keys() | writes.keys()) - len(inner) <= most

    def inner(self, links: Sequence[Group]) -> list[Node]:
        """What nobody else reads: it can be in memory of the workgroup."""
        return self._inner(links, self.writes) if len(links) > 1 else []

    def _inner(self, links: Sequence[Group], writes: dict[Place, Node]) -> list[Node]:
        own = {id(g) for g in links}
        small = [n for place, n in writes.items() if place == id(n) and place not in self.values.kept and n.size <= _INSIDE
                 and self.values.readers.get(place, set()) <= own]  # fmt: skip
        ends = list(accumulate(n.size for n in small))
        return small[: bisect_right(ends, _ALL_INSIDE)]

    def add(self, other: _Open) -> None:
        self.links += other.links
        self.reads |= other.reads
        self.writes |= other.writes


def in_chain_by_size(group: Group) -> bool:
    """Whether the sums of a group read few enough elements for a chain."""
    return all(a.src[0].size <= _TERMS for a in group.anchors)


def _small(group: Group, profile: Profile) -> bool:
    if group.kind not in ("elementwise", "reduction") or not 0 < group.domain <= _MOST:
        return False
    sources = [(a.src[0].shape, a.attrs["axis"]) for a in group.anchors]
    return in_chain_by_size(group) and (not sources or in_chain(*sources[0], profile, len(sources)))


__all__ = ["chains", "in_chain_by_size"]
