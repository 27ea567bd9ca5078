"""The end of a step outside of programs: what it assigned is computed, and the next step begins with values."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

from ..device.lock import LOCK
from ..graph.node import Node
from . import trace
from .memory import settle
from .tensor import nothing_pending
from .variable import Variable

_differentiated: weakref.WeakSet[Node] = weakref.WeakSet()  # since the last step of an optimizer, outside of programs


def differentiated(node: Node) -> None:
    """Notes a value whose gradient is asked for: computed by itself afterwards, it would run the way forward twice."""
    if trace.current() is None:
        _differentiated.add(node)


def end_of_step(variables: Sequence[Variable]) -> None:
    """Computes what a step outside of programs assigned, and its loss, in one run.

    Without that, what is yet to be computed would grow from step to step until somebody reads all of it: each step a graph of its
    own, planned again.
    """
    if trace.current() is None and not trace.gradient_depth():
        with LOCK:
            losses = [n for n in _differentiated if n.buffer is None]
            _differentiated.clear()
            settle(list(variables), losses)
            nothing_pending()
