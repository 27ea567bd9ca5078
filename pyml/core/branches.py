"""Branches of a traced program: both are traced, and the device takes the results of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..dtypes import NARROW, result_type
from ..errors import DtypeError, ShapeError
from ..graph.node import Node, tick
from ..graph.region import select, templates
from . import trace
from .narrow import labelled
from .nest import aligned, flatten, outlined, pack, structure
from .tensor import Tensor, as_node
from .variable import Variable


class _BranchTrace(trace.Trace):
    """What a branch reads is read outside; what it assigns stays in it."""

    def __init__(self) -> None:
        super().__init__()
        self.outer = trace.current()
        self.in_region = True

    def read(self, variable: Variable) -> Node:
        if id(variable) in self.writes:
            return self.writes[id(variable)][1]
        with trace.tracing(self.outer):
            return variable._value_node()

    def write(self, variable: Variable, node: Node) -> None:
        self.writes[id(variable)] = (variable, node)


def select_one(pred: Node, yes: Callable[[], Any], no: Callable[[], Any], what: str = "cond") -> Any:
    """What `yes()` gives where the bool scalar `pred` holds, and what `no()` gives where it does not.

    Both run on the device. The results need one structure, shapes and dtypes. Variables that one of them assigns change
    only where it is the one that is taken.

    Raises:
        ValueError: The structures differ.
        ShapeError, DtypeError: The shapes or the dtypes do.
    """
    since = tick()
    traces, results = [], []
    for branch in (yes, no):
        traces.append(_BranchTrace())
        with trace.tracing(traces[-1]):
            results.append(branch())
    results[1] = aligned(results[1], results[0], f"{what}: inside a program all branches need results of the same structure")
    first, second = ([as_node(x) for x in flatten(r) if x is not None] for r in results)
    _check(results, first, second, what)
    written = {key: v for t in traces for key, (v, _) in t.writes.items()}
    parts = [nodes + [t.read(v) for v in written.values()] for nodes, t in zip((first, second), traces, strict=True)]
    (a, b), sources = templates(parts, since)
    chosen = [Tensor(n) for n in select(pred, a, b, sources)]
    for variable, value in zip(written.values(), chosen[len(first) :], strict=True):
        variable.assign(value)
    rest = iter(chosen)
    return pack(results[0], [None if x is None else _as_given(next(rest), x, y) for x, y in zip(*map(flatten, results), strict=True)])


def _as_given(chosen: Tensor, *given: Any) -> Tensor:
    """What was chosen, in the dtype that both results have together, which may be one of 8 or 16 bits."""
    dtype = result_type(*(str(getattr(x, "dtype", chosen.dtype)) for x in given))
    return labelled(chosen, dtype) if dtype in NARROW else chosen


def _check(results: list[Any], first: list[Node], second: list[Node], what: str) -> None:
    if structure(results[0]) != structure(results[1]) or len(first) != len(second):
        raise ValueError(f"{what}: inside a program all branches need results of the same structure. "
                         f"Received: {outlined(results[0])} and {outlined(results[1])}")  # fmt: skip
    for a, b in zip(first, second, strict=True):
        if a.shape != b.shape:
            raise ShapeError(f"{what}: inside a program all branches need results of the same shape. Received: {a.shape} and {b.shape}")
        if a.dtype != b.dtype:
            raise DtypeError(f"{what}: inside a program all branches need results of the same dtype; cast one of them. "
                             f"Received: {a.dtype} and {b.dtype}")  # fmt: skip


__all__ = ["select_one"]
