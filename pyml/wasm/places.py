"""Where a kernel's variables live while it is compiled, and what interrupts compiling."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from .values import Value


class Memory:
    """An array in storage or in scratch memory."""

    __slots__ = ("base", "offset", "type")

    def __init__(self, kind: str, base: int, offset: int = 0):
        self.type, self.base, self.offset = kind, base, offset


class Before(NamedTuple):
    """The state of compiling before a statement: that one, lengths of what grows, and copies of what is replaced."""

    statement: Any
    lengths: tuple[int, ...]
    labels: int
    scratch: int
    depth: int
    names: dict[str, Any]
    mutable: set[bytes]


class Registers:
    """An array in locals: every index is known now. `before` is where compiling goes on from where one is not."""

    __slots__ = ("before", "items", "type")

    def __init__(self, kind: str, items: list[Value], before: Before):
        self.type, self.items, self.before = kind, items, before


Holder: TypeAlias = Value | dict[str, Any]  # where a result goes: a variable, or one of these for each member of a struct


class NeedsMemory(Exception):
    """An array in locals is indexed by a value known only at run time."""

    def __init__(self, array: Registers):
        super().__init__()
        self.before = array.before


class NeedsBlock(Exception):
    """A function returns from inside a branch or loop."""


class Frame:
    """A function being compiled: where `return` goes, and the holder of its result."""

    def __init__(self, label: int | None = None, result: Holder | None = None):
        self.label, self.result = label, result
        self.depth = 0  # of run-time branches and loops
