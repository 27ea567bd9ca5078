"""The order of a plan's kernels, and which writes of Variables happen in place.

A kernel may write a Variable where it lies once everybody has read the old value. So each such write adds edges to the
graph of the groups: from the readers to the writer. Where they would close a circle (two Variables that are exchanged),
the new value goes through a temporary and is copied after the kernels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..graph.node import Node, toposort
from .groups import Group, edges, is_value, operands, sources_first

Feeds = list[set[int]]  # for each group the numbers of those that come before it


def ordered(groups: list[Group], roots: list[Node], writes: dict[int, int]) -> tuple[list[Group], dict[int, int]]:
    """The groups, sources first, and by the id of a root the leaf it is written to in place."""
    number = {id(o): i for i, g in enumerate(groups) for o in g.outputs}
    readers: dict[int, set[int]] = {}  # of each leaf
    feeds: Feeds = [set() for _ in groups]
    for i, g in enumerate(groups):
        for v in g.loads():
            if v.op.given:
                readers.setdefault(v.attrs["leaf"], set()).add(i)
            elif id(v) in number:
                feeds[i].add(number[id(v)])
    wanted: list[tuple[int, Node, int]] = []  # leaf, its new value, the group that makes it
    uses = Counter(id(r) for r in roots)
    elsewhere: dict[int, set[int]] = {}  # of groups that read what they might write
    for position, leaf in writes.items():
        root = roots[position]
        if root.size and uses[id(root)] == 1:
            writer = number[id(root)]
            if writer in readers.get(leaf, ()):
                if writer not in elsewhere:
                    elsewhere[writer] = _elsewhere(groups[writer])
                if leaf in elsewhere[writer]:
                    continue
            wanted.append((leaf, root, writer))
    in_place: dict[int, int] = {}
    before = {leaf: readers.get(leaf, set()) - {writer} for leaf, _, writer in wanted}
    knot = _knot(feeds, [(before[leaf], writer) for leaf, _, writer in wanted])
    for leaf, root, writer in wanted:
        if writer not in knot or not any(_depends(feeds, g, writer, knot) for g in before[leaf] - feeds[writer]):
            feeds[writer] |= before[leaf]
            in_place[id(root)] = leaf
    lean = any(op.saves_memory for op in {n.op for g in groups for n in g.members.values()})
    order = _leanest(feeds, groups, {id(r) for r in roots}) if lean else sources_first(feeds, range(len(feeds)))
    return [groups[i] for i in order], in_place


def _leanest(feeds: Feeds, groups: list[Group], kept: set[int]) -> list[int]:
    """An order in which little memory is held at once: of the groups that may run, the one after which the least is held."""
    makes = [sum(o.size for o in g.outputs if id(o) not in kept) for g in groups]
    followers: list[list[int]] = [[] for _ in feeds]
    for i, found in enumerate(feeds):
        for j in found:
            followers[j].append(i)
    waiting, readers = [len(found) for found in feeds], [len(found) for found in followers]
    rank = {g: i for i, g in enumerate(sources_first(feeds, range(len(feeds))))}
    ready, order = {i for i, n in enumerate(waiting) if n == 0}, []
    while ready:
        i = min(ready, key=lambda i: (makes[i] - sum(makes[j] for j in feeds[i] if readers[j] == 1), rank[i]))
        ready.remove(i)
        order.append(i)
        for j in feeds[i]:
            readers[j] -= 1
        for j in followers[i]:
            waiting[j] -= 1
            if not waiting[j]:
                ready.add(j)
    return order


def _knot(feeds: Feeds, more: list[tuple[set[int], int]]) -> set[int]:
    """Groups on a circle, or behind one, if all these edges are added: taken away are those with nothing before them."""
    left = [set(f) for f in feeds]
    for before, writer in more:
        left[writer] |= before
    followers: list[list[int]] = [[] for _ in feeds]
    for i, found in enumerate(left):
        for j in found:
            followers[j].append(i)
    waiting = [len(found) for found in left]
    ready = [i for i, n in enumerate(waiting) if n == 0]
    for i in ready:
        for j in followers[i]:
            waiting[j] -= 1
            if waiting[j] == 0:
                ready.append(j)
    return set(range(len(feeds))) - set(ready)


def _depends(feeds: Feeds, start: int, target: int, within: set[int]) -> bool:
    stack, seen = [start], set()
    while stack:
        g = stack.pop()
        if g == target:
            return True
        if g in within and g not in seen:
            seen.add(g)
            stack.extend(feeds[g])
    return False


def _elsewhere(group: Group) -> set[int]:
    """The leaves that a kernel reads not only at the element that it then writes."""
    if group.kind == "elementwise" and not _all_aligned(group):
        return _leaves(group.loads())
    found = _leaves(v for a in group.anchors for v in operands(a))
    for node in group.members.values():
        found |= _leaves(v for v, aligned in edges(node) if not aligned or node.size != group.domain)
    if group.kind != "elementwise":  # only the epilogue may read them
        found |= _leaves(v for n in _prologue(group) for v in operands(n))
    return found


def _leaves(values: Iterable[Node]) -> set[int]:
    return {v.attrs["leaf"] for v in values if v.op.given}


def _all_aligned(group: Group) -> bool:
    """Whether every member is evaluated at the output element itself."""
    return all(n.size == group.domain for n in group.members.values()) and all(
        aligned for n in group.members.values() for v, aligned in edges(n) if group.computes(v)
    )


def _prologue(group: Group) -> list[Node]:
    sources = [s for a in group.anchors for s in a.src]
    return [n for n in toposort(sources, stop=lambda n: is_value(n) and id(n) not in group.members) if id(n) in group.members]
