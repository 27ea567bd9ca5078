"""Temporaries of a plan: values share memory when the last reader of one comes before the other is made."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Mapping, Sequence

from ..device.base import rounded
from .groups import Group

Ref = tuple[str, int]  # ("leaf", number) | ("slot", number) | ("out", number) | ("params", 0) | ("none", 0)
ITEM = 4  # bytes per element of every dtype; bool is stored as u32


class Slots:
    """Pieces of memory that are handed out, given back, and handed out again.

    The smallest free one that is large enough is taken; where none is, the largest grows.
    """

    def __init__(self) -> None:
        self.sizes: list[int] = []  # bytes of each slot, at most
        self.peak = 0  # most bytes in use at one time
        self._live = 0
        self._used: dict[int, int] = {}  # slot -> bytes of the value in it
        self._free: list[tuple[int, int, int]] = []  # (size, when it was given back, slot), in order
        self._given = 0

    def share(self, groups: list[Group], where: dict[int, Ref], kept: set[int],
              inner: Mapping[int, Sequence[int]], until: Sequence[int]) -> dict[int, list[Ref]]:  # fmt: skip
        """Gives every output that has no place yet a slot, in `where`; those in `kept` stay to the end.

        `inner` has sizes in bytes of what some of the groups need only while they run; returned are the places. `until` says
        for each group which one is the last of its dispatch: a kernel knows one kind of number in a buffer, so a slot holds
        one value as long as it runs.
        """
        found: dict[int, list[Ref]] = {}
        last = {id(v): until[i] for i, g in enumerate(groups) for v in g.loads()}
        ends: list[list[int]] = [[] for _ in range(len(groups) + 1)]  # slots that are free after each group
        for i, group in enumerate(groups):
            for out in group.outputs:
                if id(out) not in where:
                    slot = self._take(out.size * ITEM)
                    where[id(out)] = ("slot", slot)
                    ends[len(groups) if id(out) in kept else last.get(id(out), until[i])].append(slot)
            own = [self._take(nbytes) for nbytes in inner.get(i, ())]
            found[i] = [("slot", slot) for slot in own]
            for slot in (*own, *ends[i]):
                self._give_back(slot)
        return found

    def _take(self, nbytes: int) -> int:
        """The number of a free slot, the smallest that is large enough; else the largest free one grows, or a new one is made."""
        need = rounded(nbytes)
        if self._free:
            at = bisect_left(self._free, (need,))
            if at == len(self._free):  # none is large enough
                at = bisect_left(self._free, (self._free[-1][0],))
            slot = self._free.pop(at)[2]
            self.sizes[slot] = max(self.sizes[slot], need)
        else:
            slot = len(self.sizes)
            self.sizes.append(need)
        self._used[slot] = need
        self._live += need
        self.peak = max(self.peak, self._live)
        return slot

    def _give_back(self, slot: int) -> None:
        self._live -= self._used.pop(slot)
        self._given += 1
        insort(self._free, (self.sizes[slot], self._given, slot))
