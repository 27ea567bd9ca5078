"""Loops that go on while something holds: counted where numbers decide, masked where a program needs an end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import config
from ..compile.program import realize
from ..graph.loop import ARG, STEP, argument
from ..graph.node import Node, toposort
from ..graph.prims import CONST
from . import trace
from .loop import StepTrace
from .nest import flatten, pack
from .tensor import Tensor, as_node
from .weak import like, taken

_MOST_COUNTED = 100_000  # steps that the host counts; each takes some microseconds


def known(value: Any) -> Any:
    """The number that a tensor is made of, or a Python number itself; None where the device has it."""
    if isinstance(value, Tensor):
        return value._node.attrs["value"] if value._node.op is CONST and value._node.buffer is None else None
    if isinstance(value, (np.generic, np.ndarray)) and value.size == 1:
        return value.item()
    return value if isinstance(value, (bool, int, float)) else None


def trips(go_on: Callable[..., Any], body: Callable[..., Any], first: Any, most: int | None) -> int | None:
    """How often `body` runs, where only numbers decide that: constants, and what the steps make of them. Else None.

    Raises:
        Whatever the functions do when they are traced.
    """
    values = [taken(x) for x in flatten(first)]
    firsts = [x._node for x in values]
    carries = [argument(n.shape, n.dtype) for n in firsts]
    with trace.tracing(StepTrace()):
        given = pack(first, [like(a, x) for a, x in zip(carries, values, strict=True)])
        decides = as_node(go_on(*given))
        steps = [taken(x) for x in flatten(body(*given))]
    afters = [x._node for x in steps]
    number = {id(a): i for i, a in enumerate(carries)}
    if len(afters) != len(carries):
        return None
    deciding: set[int] = set()
    roots = [decides]
    while roots:  # the carries that decide, and those that decide what they become
        order = toposort(roots)
        if any(not n.src and (n.op.given or (n.op is ARG and id(n) not in number)) for n in order):
            return None
        more = {number[id(n)] for n in order if id(n) in number} - deciding
        deciding |= more
        if any(steps[i].dtype != values[i].dtype for i in more):  # the next steps compute something else
            return None
        roots = [afters[i] for i in more]
    order = toposort([decides, *(afters[i] for i in deciding)])
    if not all(_evaluable(n) for n in [*toposort([firsts[i] for i in deciding]), *order] if id(n) not in number):
        return None
    now = _evaluated([firsts[i] for i in deciding], {})
    places = [id(carries[i]) for i in deciding]
    for count in range(_MOST_COUNTED):
        if most is not None and count >= most:
            return most
        answer, *now = _evaluated([decides, *(afters[i] for i in deciding)], dict(zip(places, now, strict=True)))
        if not answer:
            return count
    return None


def _evaluable(node: Node) -> bool:
    if node.buffer is not None or node.op.given or node.op in (ARG, STEP):
        return False
    return node.op.kind in ("leaf", "elementwise", "movement", "reduction")


def _evaluated(roots: Sequence[Node], env: dict[int, Any]) -> list[Any]:
    for node in toposort(roots, stop=lambda n: id(n) in env):
        if id(node) not in env:
            with np.errstate(all="ignore"):
                env[id(node)] = np.asarray(node.op.numpy(*(env[id(s)] for s in node.src), **node.attrs))
    return [env[id(r)] for r in roots]


def computed(*trees: Any) -> None:
    """Computes all tensors of nested structures in one run, so that steps do not grow longer."""
    nodes = [x._node for x in flatten(trees) if isinstance(x, Tensor)]
    realize(nodes, config.device(), keep_graph=trace.gradient_depth() > 0)


__all__ = ["computed", "known", "trips"]
