"""`Node`: an immutable vertex of the graph. Building one runs nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

ARITHMETIC: dict[str, Callable[..., Node]] = {}  # the primitives behind a node's operators put themselves here
_PASSED = 1 << 16  # what it counts in `Node.piled` that a run has passed a value by; levels count 1
_runs = 0
_ticks = itertools.count(1)
_now = 0


def tick() -> int:
    """The clock of nodes goes on: those made from now on have this time, or a later one."""
    global _now
    _now = next(_ticks)
    return _now


class Node:
    """One value: an op applied to source nodes. No links to consumers, so no reference cycles.

    `buffer` is set once the value has been computed; the sources are dropped then. `time` is when it was made, by a
    clock that goes on only where somebody will ask (`tick`). `piled` is what `piled` found, once somebody asked.
    """

    __slots__ = ("__weakref__", "attrs", "buffer", "dtype", "edges", "op", "piled", "reads", "shape", "size", "src", "time")

    def __init__(self, op: Any, src: tuple[Node, ...], attrs: dict[str, Any], shape: tuple[int, ...], dtype: str):
        self.op, self.src, self.attrs = op, src, attrs
        self.shape, self.dtype = shape, dtype
        self.size: int = prod(shape)
        self.buffer: Any = None
        self.time = _now
        self.piled = -1
        self.reads: list[Node] | None = None  # the scheduler's notes of `operands` and `edges`
        self.edges: list[tuple[Node, bool]] | None = None

    @property
    def ndim(self) -> int:
        return len(self.shape)

    # ---- arithmetic for the rules of primitives; a number takes this node's dtype and shape
    def __add__(self, other: Node | float) -> Node:
        return ARITHMETIC["add"](self, other)

    def __radd__(self, other: Node | float) -> Node:
        return ARITHMETIC["add"](other, self)

    def __sub__(self, other: Node | float) -> Node:
        return ARITHMETIC["sub"](self, other)

    def __rsub__(self, other: Node | float) -> Node:
        return ARITHMETIC["sub"](other, self)

    def __mul__(self, other: Node | float) -> Node:
        return ARITHMETIC["mul"](self, other)

    def __rmul__(self, other: Node | float) -> Node:
        return ARITHMETIC["mul"](other, self)

    def __truediv__(self, other: Node | float) -> Node:
        return ARITHMETIC["div"](self, other)

    def __rtruediv__(self, other: Node | float) -> Node:
        return ARITHMETIC["div"](other, self)

    def __pow__(self, other: Node | float) -> Node:
        return ARITHMETIC["pow"](self, other)

    def __neg__(self) -> Node:
        return ARITHMETIC["neg"](self)

    def __repr__(self) -> str:
        return f"<{self.op.name} {self.dtype}{list(self.shape)}>"


def toposort(roots: Sequence[Node], stop: Callable[[Node], bool] | None = None) -> list[Node]:
    """Every node reachable from `roots`, sources first. Iterative: deep graphs overflow the wasm stack."""
    order: list[Node] = []
    seen: set[int] = set()
    stack: list[Node | None] = list(reversed(roots))
    while stack:
        node = stack.pop()
        if node is None:  # the sources of the one below are in order
            order.append(stack.pop())  # type: ignore[arg-type]
        elif id(node) not in seen:
            seen.add(id(node))
            if node.src and (stop is None or not stop(node)):
                stack += (node, None)
                stack += [s for s in reversed(node.src) if id(s) not in seen]
            else:
                order.append(node)
    return order


def ran() -> None:
    """Values have been computed: what still waits was passed by once more."""
    global _runs
    _runs += 1


def piled(node: Node) -> tuple[int, int]:
    """How much waits below a value that is not computed: by how many runs it was passed by, and how many levels deep it is.

    Asked when the value is made; it is kept with the number of the run (`Node.piled`), so that each node is looked at once.
    """
    stack = [node] if node.piled < 0 else []
    while stack:
        here, most, waits = stack[-1], 0, False
        for s in here.src:
            if s.src and s.buffer is None:
                if s.piled < 0:
                    stack.append(s)
                    waits = True
                elif not waits:
                    most = max(most, (s.piled & 0xFFFF_FFFF) + 1 + (_PASSED if s.piled >> 32 != _runs else 0))
        if not waits:
            here.piled = most | _runs << 32
            stack.pop()
    return (node.piled & 0xFFFF_FFFF) // _PASSED, node.piled % _PASSED


def freeze(value: Any) -> Any:
    """Attributes as a hashable key."""
    kind = type(value)
    if kind is str:
        return value
    if kind is int or kind is bool or kind is float:
        return kind.__name__, value if value else str(value)  # -0.0 is equal to 0.0, and another constant
    if kind is tuple or kind is list:
        return tuple([("int", v) if v.__class__ is int and v else freeze(v) for v in value])  # most are shapes and axes
    if isinstance(value, dict):
        return tuple([(k, freeze(v)) for k, v in sorted(value.items())]) if value else ()
    if isinstance(value, (list, tuple)):
        return tuple(freeze(v) for v in value)
    if isinstance(value, (bool, int, float)):
        return type(value).__name__, value if value else str(value)
    return value
