"""Caches that keep what was used last, so that nothing grows for ever."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

V = TypeVar("V")


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
        found = self._values.get(key)
        if found is None:
            return None
        try:
            self._values.move_to_end(key)
        except KeyError:  # another thread put something in its place just now
            pass
        return found[0]

    def put(self, key: Hashable, value: V) -> V:
        """Keeps `value`, and lets go of what is too much. Returns `value`."""
        self._drop(key)
        weight = self._weigh(value)
        self._values[key] = value, weight
        self.weight += weight
        while self.weight > self.most and len(self._values) > self.least:
            _, gone = self._values.popitem(last=False)  # one call: readers in other threads move what they use
            self.weight -= gone[1]
        return value

    def _drop(self, key: Hashable) -> None:
        gone = self._values.pop(key, None)
        if gone is not None:
            self.weight -= gone[1]

    def clear(self) -> None:
        self._values.clear()
        self.weight = 0

    def values(self) -> list[V]:
        found = [self._values.get(key) for key in self]
        return [value[0] for value in found if value is not None]

    def __iter__(self) -> Iterator[Hashable]:
        while True:
            try:
                return iter(list(self._values))
            except RuntimeError:  # another thread used a value just now, which moves it to the end
                continue

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Hashable) -> bool:
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
