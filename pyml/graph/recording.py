"""What a tape has recorded: the nodes that were made while it ran."""

from __future__ import annotations

import weakref
from math import inf

from .node import Node, tick

_running: weakref.WeakSet[Recording] = weakref.WeakSet()


class Recording:
    """Spans of time; the nodes made in them keep their sources until the recording is let go of."""

    def __init__(self) -> None:
        self.spans: list[tuple[float, float]] = []
        _running.add(self)

    def begin(self) -> None:
        """Nodes made from now on are recorded."""
        self.spans.append((tick(), inf))

    def end(self) -> None:
        """Nodes made from now on are not."""
        self.spans[-1] = (self.spans[-1][0], tick())

    def __contains__(self, node: Node) -> bool:
        return any(begin <= node.time < end for begin, end in self.spans)


def recorded(node: Node) -> bool:
    """Whether somebody may still ask how a node was computed."""
    return bool(_running) and any(node in recording for recording in list(_running))
