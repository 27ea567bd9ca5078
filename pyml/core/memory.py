"""The memory of Variables: room for it, pending values computed into it, and tensors that look at it."""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .. import config
from ..compile.program import check_size, realize
from ..device import forks
from ..device.base import Copy, brought
from ..graph.node import Node
from . import trace
from .tensor import take_waiting

if TYPE_CHECKING:
    from .variable import Variable

_LARGE = 1 << 27  # bytes that every device has in one array
_versions = itertools.count(1)
version = 0  # changes when the host assigns a Variable or one gets another buffer; programs look only then
lent: weakref.WeakSet = weakref.WeakSet()  # nodes over a Variable's own buffer that somebody may still hold


def check_room(shape: Sequence[int], what: str) -> None:
    """Asked before the values of a Variable are drawn, for which a tab has no room.

    Raises:
        BufferTooLarge: No array of the device is so large.
    """
    if (nbytes := 4 * math.prod(shape)) > _LARGE:
        cure = "Make the layer smaller, or what it takes (pooling before Flatten)."
        check_size(nbytes, f"{what} of shape {tuple(shape)}", config.device(), cure)


def changed() -> None:
    """Programs look at their Variables again before they run."""
    global version
    version = next(_versions)


@contextmanager
def unchanged(variables: Iterable[Variable]) -> Iterator[None]:
    """Gives Variables that are assigned inside the values back that they had before."""
    before = [(variable, variable.value, variable._pending, variable._buffer) for variable in variables]
    try:
        yield
    finally:
        for variable, value, pending, buffer in before:
            if variable._pending is not pending or variable._buffer is not buffer:
                variable.assign(value)


def settle(variables: list[Variable], also: Sequence[Node] = ()) -> None:
    """Computes pending values, all in one flush, into buffers of the Variables' own; the caller holds the lock.

    What lies on another device comes to the one in use.

    `also` are other nodes that are computed with them.
    """
    device = config.device()
    for v in variables:
        if v._pending is None and v._buffer.device is not device:
            v._buffer = brought(v._buffer, device)
            forks.weights.add(v._buffer)
            v._lent = None   # whoever holds the value has it where it was
            changed()
    waiting = [v for v in variables if v._pending is not None]
    if not waiting:
        return
    with trace.tracing(None):
        pending = [v._pending for v in waiting if v._pending is not None]
        realize(pending, device, keep_graph=trace.gradient_depth() > 0, also=[*also, *take_waiting()])
    copies = []
    for v in waiting:
        node = v._pending
        assert node is not None
        v._pending, v._lent = None, None
        # the node may be somebody's Tensor, or a constant: a Variable's memory is its own
        own = device.alloc(v.size * 4)
        if v.size:
            node.buffer = brought(node.buffer, device)
            copies.append(Copy(node.buffer, own, v.size * 4))
        v._buffer = own
        forks.weights.add(own)
        changed()
    if copies:
        device.replay(device.record(copies))


def protect(variables: Iterable[Variable]) -> None:
    """Gives tensors that look at these Variables' memory a copy, before a program writes it in place; the caller holds the lock."""
    device = config.device()
    for v in variables:
        node = v._lent() if v._lent is not None else None
        if node is not None and node.buffer is v._buffer:
            own = device.alloc(v.size * 4)
            device.replay(device.record([Copy(v._buffer, own, v.size * 4)]))
            node.buffer = own
            lent.discard(node)
            v._lent = None
