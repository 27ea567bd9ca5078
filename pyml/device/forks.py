"""A fork: the driver of a GPU stays in the process before it, and the values that lie there go along.

A driver's threads are not forked, so in the child any call of it would wait for ever. Before a fork the values on a GPU are
read into this process's memory, of which the child has a copy: there the device answers reading from it and refuses all else, and
`config` computes on `cpu`, to which values come as they do from any other device. The parent lets go of what was read.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ..errors import DeviceError
from .base import Buffer
from .lock import LOCK

MOST = 256 << 20  # bytes of Variables that are read: on a graphics card some 50 ms for each fork
BESIDE = 64 << 20  # bytes of all else, such as tensors, the smallest first
PATIENCE = 30.0  # seconds for another thread to end its step
STAYED = (
    "this process was forked from one that had opened WebGPU, and the driver's threads stayed there; start it with "
    "multiprocessing.get_context('spawn'), use pyml first in the child, or choose set_backend('cpu') before the fork."
)


class Opened(Protocol):
    """A device whose driver has threads in this process."""

    left: Left | None

    @property
    def lost(self) -> bool: ...

    def held(self) -> list[Any]:
        """The handles of all memory in use."""

    def read_together(self, handles: Sequence[Any]) -> bytes: ...

    def leave(self, left: Left) -> None: ...


class Left:
    """What the queue, and all else, of a device of the process before the fork becomes in the child.

    Args:
        places: For the `id` of each handle that was read, its first byte and its length in `values`.
        why: Why nothing else was read.
    """

    def __init__(self, values: bytes = b"", places: dict[int, tuple[int, int]] | None = None, why: str = ""):
        self._values, self._places, self._why = memoryview(values), places or {}, why

    @property
    def empty(self) -> bool:
        """Whether no value is here."""
        return not self._places

    def read_buffer(self, handle: Any, offset: int, nbytes: int) -> memoryview:
        if id(handle) not in self._places:
            raise self._error(f"What lay there was not read before the fork: {self._why}.")
        start, length = self._places[id(handle)]
        return self._values[start + offset : start + min(offset + nbytes, length)]

    def _error(self, why: str) -> DeviceError:
        return DeviceError(f"the WebGPU device cannot be used here: {STAYED} {why}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise self._error("What ran at the fork does not go on here; call it anew.")


opened: weakref.WeakSet[Any] = weakref.WeakSet()  # of `Opened`
weights: weakref.WeakSet[Buffer] = weakref.WeakSet()  # the memory of Variables
scratch: weakref.WeakSet[Buffer] = weakref.WeakSet()  # memory whose contents nobody will ask for
leaving: list[Callable[[], Any]] = []  # what is done in a child that has left a device
forked = False  # this process is a child of one that had opened a device
_before: dict[int, Left] = {}  # by the `id` of a device
_here = threading.local()


def prepare() -> None:
    """Before a fork: nobody is within a step, and what lies on a GPU is read."""
    within = LOCK._is_owned()  # type: ignore[attr-defined]  # as `Condition` asks it
    _here.held = LOCK.acquire(timeout=PATIENCE)
    for device in list(opened):
        if within or not _here.held:
            _before[id(device)] = Left(why="a step was being traced or run")
            continue
        try:
            _before[id(device)] = _read(device)
        except Exception as error:  # the fork goes on; the child will say it
            _before[id(device)] = Left(why=f"it could not be read ({error})")


def _read(device: Opened) -> Left:
    """The values on a device: those of Variables, and of all else what is small."""
    if device.lost:
        return Left(why="the device was lost")
    mine = {id(buffer.handle) for buffer in list(weights) if buffer.device is device}
    unasked = {id(buffer.handle) for buffer in list(scratch)}
    wanted, others = [], []
    for handle in device.held():
        if id(handle) in mine:
            wanted.append(handle)
        elif id(handle) not in unasked:
            others.append(handle)
    nbytes = sum(handle.size for handle in wanted)
    if nbytes > MOST:
        return Left(why=f"its Variables take {nbytes:,} bytes, and at most {MOST:,} are read for a fork")
    beside = 0
    for handle in sorted(others, key=lambda handle: handle.size):
        if (beside := beside + handle.size) > BESIDE:
            break
        wanted.append(handle)
    places, start = {}, 0
    for handle in wanted:
        places[id(handle)] = (start, handle.size)
        start += handle.size
    values = device.read_together(wanted) if wanted else b""
    return Left(values, places, f"of tensors {BESIDE:,} bytes are read for a fork, the smallest first")


def go_on() -> None:
    """In the parent: all is as before."""
    _before.clear()
    if getattr(_here, "held", False):
        LOCK.release()


def leave() -> None:
    """In the child: there is no driver, and no other thread."""
    global forked
    if getattr(_here, "held", False):
        LOCK.release()
    else:
        LOCK._at_fork_reinit()  # type: ignore[attr-defined]  # threading has it for its own use, and typeshed does not
    if not opened:
        return
    forked = True
    for device in list(opened):
        device.leave(_before.get(id(device)) or Left())
    opened.clear()
    _before.clear()
    for step in leaving:
        step()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=prepare, after_in_parent=go_on, after_in_child=leave)
