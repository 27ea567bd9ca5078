"""Gradients that were asked for together: whoever reads one of them computes all that somebody still holds, in one run.

Read one after the other they would each plan, compile and run the way back (and the way forward) anew. What nobody holds any more
is not computed for that: it is the tensors that are remembered, weakly, not their nodes, which what was made of them may hold.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

from ..graph.node import Node, toposort
from . import trace

_groups: weakref.WeakKeyDictionary[Node, tuple[weakref.ref[Any], ...]] = weakref.WeakKeyDictionary()


def siblings(made: Iterable[Any], with_them: Iterable[Any] = ()) -> None:
    """Notes the tensors that one call made; what is not a tensor is passed by.

    Args:
        made: Gradients. Who reads one of them, or what was made of it, computes all.
        with_them: Values on the way to them, as a loss is: computed with gradients, but reading one asks for no gradient.
    """
    if trace.current() is not None:
        return
    tensors = [t for t in made if hasattr(t, "_node") and t._node.src]
    if tensors:
        refs = tuple(weakref.ref(t) for t in (*tensors, *(t for t in with_them if hasattr(t, "_node"))))
        for t in tensors:
            _groups[t._node] = refs


def living(node: Node) -> list[Node]:
    """What is still held of the groups that a value is of, or was made of, as far as it has no value yet."""
    if not _groups:
        return []
    known = {id(n): refs for n, refs in list(_groups.items()) if n.buffer is None}
    if not known:
        return []
    met = [known[id(n)] for n in toposort([node], stop=lambda n: n.buffer is not None) if id(n) in known]
    tensors = [r() for refs in {id(refs): refs for refs in met}.values() for r in refs]  # in order: the next step asks for the same graph
    return [t._node for t in tensors if t is not None and t._node.buffer is None]


__all__ = ["living", "siblings"]
