"""Caches that keep what was used last, so that nothing grows for ever."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

V = TypeVar("V")
_LOCK = threading.RLock()  # of every cache: readers move what they use, so even a look changes the order


def _renew() -> None:
    """In a forked child: the thread that may have held the lock does not live here."""
    _LOCK._at_fork_reinit()  # type: ignore[attr-defined]  # threading has it for its own use, and typeshed does not


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


class Recent(Generic[V]):
    """Values by key; the ones that were not used for longest go when there are too many.

    Args:
        most: What all values together may weigh.
        weigh: What one value weighs; each weighs 1 without it.
        least: How many stay whatever they weigh.

    Example:
        >>> cache = Recent(2)
        >>> cache.put("a", 1), cache.put("b", 2), cache.get("a"), cache.put("c", 3)
        (1, 2, 1, 3)
        >>> list(cache)
        ['a', 'c']
    """

    def __init__(self, most: int, weigh: Callable[[V], int] = lambda value: 1, least: int = 1):
        self.most, self.least = most, least
        self.weight = 0
        self._weigh = weigh
        self._values: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()

    def get(self, key: Hashable) -> V | None:
        """The value, which counts as used now, or None."""
        with _LOCK:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def put(self, key: Hashable, value: V) -> V:
        """Keeps `value`, and lets go of what is too much. Returns `value`."""
        weight = self._weigh(value)
        with _LOCK:
            gone = [self._values.pop(key)] if key in self._values else []  # held until the lock is free: it may have a finalizer
            self.weight += weight - sum(size for _, size in gone)
            self._values[key] = value, weight
            while self.weight > self.most and len(self._values) > self.least:
                gone.append(self._values.popitem(last=False)[1])
                self.weight -= gone[-1][1]
        return value

    def clear(self) -> None:
        with _LOCK:
            self._values, gone, self.weight = OrderedDict(), self._values, 0
        gone.clear()

    def values(self) -> list[V]:
        with _LOCK:
            return [value for value, _ in self._values.values()]

    def __iter__(self) -> Iterator[Hashable]:
        with _LOCK:
            return iter(list(self._values))

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Hashable) -> bool:
        with _LOCK:
            return key in self._values


class Held(Generic[V]):
    """A value in use: it stays as long as anybody holds this."""

    __slots__ = ("__weakref__", "value")

    def __init__(self, value: V):
        self.value = value


class Shared(Generic[V]):
    """Things that are made once however many use them: those in use, and beside them the ones used last (`recent`).

    The length is how many are in use. Arguments as for `Recent`.
    """

    def __init__(self, most: int, weigh: Callable[[V], int] = lambda value: 1, least: int = 1):
        self.recent: Recent[V] = Recent(most, weigh, least)
        self._used: WeakValueDictionary[Hashable, Held[V]] = WeakValueDictionary()

    def get(self, key: Hashable) -> Held[V] | None:
        """The value for somebody who uses it from now on, or None."""
        recent, held = self.recent.get(key), self._used.get(key)
        if held is not None and recent is None:
            self.recent.put(key, held.value)
        elif held is None and recent is not None:
            held = self._used[key] = Held(recent)
        return held

    def put(self, key: Hashable, value: V) -> Held[V]:
        """Shares a value that was made just now."""
        held = self._used[key] = Held(self.recent.put(key, value))
        return held

    def clear(self) -> None:
        """Forgets everything; who uses something keeps it."""
        self.recent.clear()
        self._used.clear()

    def __len__(self) -> int:
        return len(self._used)
