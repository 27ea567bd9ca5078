"""Divides one linear memory into blocks: first fit, neighbours joined again when they are freed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable

ALIGN = 64  # a cache line, and four 128-bit vectors


class Heap:
    """Addresses of blocks in a memory that grows.

    Args:
        start: The first address to hand out.
        size: Bytes the memory has now.
        grow: `grow(nbytes)` makes the memory at least so many bytes larger and returns how many; it raises
            MemoryError where the memory cannot grow, and then nothing has changed.
    """

    def __init__(self, start: int, size: int, grow: Callable[[int], int]):
        self._grow = grow
        self._end = size
        begin = -(-start // ALIGN) * ALIGN
        self._starts, self._sizes = [begin], [size - begin]  # the free blocks, by address

    @property
    def free_bytes(self) -> int:
        return sum(self._sizes)

    def take(self, nbytes: int) -> int:
        """The address of a free block of `nbytes` rounded up to a multiple of 64.

        Raises:
            MemoryError: No free block is large enough and the memory cannot grow.
        """
        size = rounded(nbytes)
        place = next((i for i, free in enumerate(self._sizes) if free >= size), None)
        if place is None:
            last = self._sizes[-1] if self._starts and self._starts[-1] + self._sizes[-1] == self._end else 0
            grown = self._grow(size - last)
            self._end += grown
            self._put(self._end - grown, grown)
            place = len(self._starts) - 1
        address = self._starts[place]
        if self._sizes[place] == size:
            del self._starts[place], self._sizes[place]
        else:
            self._starts[place] += size
            self._sizes[place] -= size
        return address

    def give(self, address: int, nbytes: int) -> None:
        """Takes a block back."""
        self._put(address, rounded(nbytes))

    def _put(self, address: int, size: int) -> None:
        i = bisect_left(self._starts, address)
        if i < len(self._starts) and self._starts[i] == address + size:
            size += self._sizes[i]
            del self._starts[i], self._sizes[i]
        if i and self._starts[i - 1] + self._sizes[i - 1] == address:
            self._sizes[i - 1] += size
        else:
            self._starts.insert(i, address)
            self._sizes.insert(i, size)


def rounded(nbytes: int) -> int:
    """The bytes a block really takes."""
    return max(ALIGN, -(-nbytes // ALIGN) * ALIGN)
