"""Freed device buffers, kept by size class for the next `alloc`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from .base import ALIGN, Buffer, Usage
from .lock import LOCK

SPARE = 16 << 20  # bytes kept whatever else happens; beyond that a quarter of what is in use


def size_class(nbytes: int) -> int:
    """The size a request is rounded up to: a multiple of an eighth of its power of two, 12.5 % waste."""
    if nbytes <= 8 * ALIGN:
        return max(ALIGN, -(-nbytes // ALIGN) * ALIGN)
    step = 1 << ((nbytes - 1).bit_length() - 4)
    return -(-nbytes // step) * step


class BufferPool:
    """Hands out buffers and takes them back.

    Args:
        create: `create(nbytes) -> handle` makes a device buffer.
        destroy: `destroy(handle)` frees one.
        spare: Bytes kept whatever else happens; fewer where making a buffer costs little.

    `usage` counts what the device holds, in use and spare. A buffer freed by the garbage collector, in whatever thread,
    only joins a list; counting and device calls happen in `take`, under the lock, never inside a finalizer.
    """

    def __init__(self, create: Callable[[int], Any], destroy: Callable[[Any], None], device: Any = None, spare: int = SPARE):
        self._create, self._destroy, self._device, self._idle = create, destroy, device, spare
        self._spare: dict[int, list] = {}
        # every handle in use: a Buffer in a reference cycle would take its handle's finalizer along
        self._held: dict[int, Any] = {}
        self._returned: deque[tuple[Any, int]] = deque()
        self._usage = Usage()

    @property
    def usage(self) -> Usage:
        """What the device holds now and held at most."""
        with LOCK:
            self._collect()
            return self._usage

    def take(self, nbytes: int, most: int | None = None) -> Buffer:
        """A buffer of at least `nbytes`; its contents are arbitrary. `most` caps the rounding up."""
        size = size_class(nbytes)
        if most is not None and size > most:
            size = -(-nbytes // ALIGN) * ALIGN
        with LOCK:
            self._collect()
            usage = self._usage
            spare = self._spare.get(size)
            if spare:
                handle = spare.pop()
            else:
                self._trim(size)
                handle = self._create(size)
                usage.buffers += 1
                usage.nbytes += size
                usage.peak = max(usage.peak, usage.nbytes)
            usage.live += 1
            usage.live_bytes += size
            self._held[id(handle)] = handle
            return Buffer(handle, size, self._give_back, self._device)

    def held(self) -> list[Any]:
        """The handles in use."""
        with LOCK:
            self._collect()
            return list(self._held.values())

    def _give_back(self, handle: Any, nbytes: int) -> None:
        self._returned.append((handle, nbytes))

    def _collect(self) -> None:
        """Files what finalizers have given back."""
        while self._returned:
            handle, nbytes = self._returned.popleft()
            self._held.pop(id(handle), None)
            self._usage.live -= 1
            self._usage.live_bytes -= nbytes
            self._spare.setdefault(nbytes, []).append(handle)

    def empty(self) -> None:
        """Frees every spare buffer."""
        with LOCK:
            self._collect()
            self._trim(1 << 62)

    def _trim(self, coming: int) -> None:
        """Frees spare buffers, the largest first, until few enough bytes idle beside `coming` new ones."""
        usage = self._usage
        allowed = self._idle + usage.live_bytes // 4
        if usage.nbytes - usage.live_bytes + coming <= allowed:
            return
        for size in sorted(self._spare, reverse=True):
            handles = self._spare[size]
            while handles and usage.nbytes - usage.live_bytes + coming > allowed:
                self._destroy(handles.pop())
                usage.buffers -= 1
                usage.nbytes -= size
            if not handles:
                del self._spare[size]
