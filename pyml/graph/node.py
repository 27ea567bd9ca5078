"""`Node`: an immutable vertex of the graph. Building one runs nothing."""

from __future__ import annotations

from math import prod
from typing import Any


class Node:
    """One value: an op applied to source nodes. No links to consumers, so no reference cycles.

    `buffer` is set once the value has been computed; the sources are dropped then.
    """

    __slots__ = ("__weakref__", "attrs", "buffer", "dtype", "op", "reads", "shape", "src")

    def __init__(self, op, src: tuple, attrs: dict, shape: tuple[int, ...], dtype: str):
        self.op, self.src, self.attrs = op, src, attrs
        self.shape, self.dtype = shape, dtype
        self.buffer: Any = None
        self.reads: list[Node] | None = None  # the scheduler's note of `operands`

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __repr__(self) -> str:
        return f"<{self.op.name} {self.dtype}{list(self.shape)}>"


def toposort(roots, stop=lambda node: False) -> list[Node]:
    """Every node reachable from `roots`, sources first. Iterative: deep graphs overflow the wasm stack."""
    order: list[Node] = []
    seen: set[int] = set()
    stack = [(r, False) for r in reversed(roots)]
    while stack:
        node, ready = stack.pop()
        if ready:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            if not stop(node):
                stack.extend((s, False) for s in reversed(node.src) if id(s) not in seen)
    return order
