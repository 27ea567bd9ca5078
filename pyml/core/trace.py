"""The trace in progress: which Variables a program reads and writes, and which arguments it takes.

What is in progress belongs to a thread and to an asyncio task: another one sees none of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ..errors import TraceError
from ..graph.loop import ARG, STEP
from ..graph.node import Node
from ..graph.prims import INPUT, STATE

if TYPE_CHECKING:
    from .stateless import StatelessScope
    from .tape import GradientTape
    from .variable import Variable


class Trace:
    """What a program reads, writes and takes. `in_region`: what is traced will be copied, as the step of a loop is."""

    def __init__(self) -> None:
        self.in_region = False
        self.inputs: list[Node] = []
        self.trainable: list[Node] = []  # those of them that stand for trainable Variables: tapes watch these by themselves
        self.states: dict[int, tuple] = {}  # id(variable) -> (variable, leaf)
        self.writes: dict[int, tuple] = {}  # id(variable) -> (variable, node)

    def input(self, shape: tuple[int, ...], dtype: str) -> Node:
        node = Node(INPUT, (), {"index": len(self.inputs), "shape": shape, "dtype": dtype}, shape, dtype)
        self.inputs.append(node)
        return node

    def read(self, variable: Variable) -> Node:
        if id(variable) in self.writes:
            return self.writes[id(variable)][1]
        if id(variable) not in self.states:
            attrs = {"index": len(self.states), "shape": variable.shape, "dtype": variable._stored}
            self.states[id(variable)] = (variable, Node(STATE, (), attrs, variable.shape, variable._stored))
        return self.states[id(variable)][1]

    def write(self, variable: Variable, node: Node) -> None:
        self.read(variable)  # a state has a leaf, written or not
        self.writes[id(variable)] = (variable, node)


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)
_gradient_depth: ContextVar[int] = ContextVar("gradient_depth", default=0)
current = _current.get  # current() is the Trace in progress, or None
gradient_depth = _gradient_depth.get  # above 0 while a function is differentiated: computed nodes keep their sources
gaps_marked: ContextVar[str | None] = ContextVar("gaps_marked", default=None)
marks_gaps = gaps_marked.get  # not None where ops mark results without a gradient, for somebody to be told; the op called, or ""

_reads: ContextVar[list[Node] | None] = ContextVar("reads", default=None)  # what Python was given the numbers of, where somebody asks


_tapes: ContextVar[tuple[GradientTape, ...]] = ContextVar("tapes", default=())
tapes = _tapes.get  # tapes() are those that record, the outermost first


_stateless: ContextVar[StatelessScope | None] = ContextVar("stateless_scope", default=None)
stateless = _stateless.get  # stateless() is the innermost StatelessScope, or None
set_stateless = _stateless.set


def stateless_here() -> StatelessScope | None:
    """The innermost StatelessScope if it was entered where we are, not around the step or the branch that is being traced."""
    scope = _stateless.get()
    return scope if scope is not None and scope.here else None


def run_tape(tape: GradientTape) -> None:
    """From now on `tape` sees which Variables are read, and values keep the graph they came from."""
    _tapes.set((*_tapes.get(), tape))
    _gradient_depth.set(_gradient_depth.get() + 1)


def stop_tape(tape: GradientTape) -> None:
    """The opposite."""
    _tapes.set(tuple(t for t in _tapes.get() if t is not tape))
    _gradient_depth.set(max(0, _gradient_depth.get() - 1))


@contextmanager
def tracing(trace: Trace | None) -> Iterator[Trace | None]:
    """Makes `trace` the current one; None suspends tracing (for initial values of new Variables)."""
    before = _current.set(trace)
    try:
        yield trace
    finally:
        _current.reset(before)


@contextmanager
def differentiating() -> Iterator[None]:
    """Inside, values that are computed keep the graph they came from."""
    before = _gradient_depth.set(_gradient_depth.get() + 1)
    try:
        yield
    finally:
        _gradient_depth.reset(before)


@contextmanager
def noting_reads(reads: list[Node] | None) -> Iterator[None]:
    """Inside, nodes whose numbers are read go into the list; None for reads that no value is made of: a condition, a print."""
    before = _reads.set(reads)
    try:
        yield
    finally:
        _reads.reset(before)


def note_reads(*nodes: Node) -> None:
    """Python has the numbers of these from now on; what it makes of them has no gradient."""
    reads = _reads.get()
    if reads is not None:
        reads.extend(nodes)


def notes_reads() -> bool:
    return _reads.get() is not None


def is_known(node: Node) -> bool:
    """Whether a value depends on nothing that a program or step being traced gets or reads: numbers made into tensors, and what follows."""
    waiting, seen = [node], set()
    while waiting:
        node = waiting.pop()
        if node.op in (INPUT, STATE, ARG, STEP):
            return False
        if id(node) not in seen and node.buffer is None:
            seen.add(id(node))
            waiting.extend(node.src)
    return True


def refuse_in_trace(what: str, node: Node | None = None) -> None:
    """Values do not exist while a program is traced, but for those that are known."""
    if current() is not None and not (node is not None and is_known(node)):
        frame = sys._getframe(1)
        while frame is not None and frame.f_globals.get("__name__", "").startswith("pyml."):
            frame = frame.f_back  # type: ignore[assignment]
        where = f" ({frame.f_code.co_filename}, line {frame.f_lineno})" if frame is not None else ""
        raise TraceError(
            f"{what} asks for a value while a program is being traced{where}; values exist only after the program has run. "
            "Use ops.where or ops.cond instead of Python branches, and return the tensor to read it."
        )
