"""What the parser makes of WGSL: declarations, and blocks of statements. Expressions and statements are plain tuples.

Expressions: ("num", text) ("id", name) ("call", callee, arguments) ("new", type, arguments) ("un", op, a)
("bin", op, a, b, whether it may be the same wherever it stands) ("member", a, name) ("index", a, i). Types are names, or
("array", type, size expression or None).
Statements: ("let" | "var" | "const", name, type or None, expression or None) ("set", place, op, expression)
("if", test, then, otherwise) ("for", first, test, step, body) ("return", expression or None) ("block", body)
("do", expression) ("break",) ("continue",).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

_CALL = re.compile(r"\('call', '(\w+)'")

Expression: TypeAlias = tuple[Any, ...]
Statement: TypeAlias = tuple[Any, ...]
Type: TypeAlias = Any  # a name, or ("array", type, size)


class Facts(NamedTuple):
    """What is in a block, those in it included: syntax nodes, the functions it calls and how often, the variables it assigns, and
    whether it has a `break` or `continue` of the loop around it."""

    nodes: int
    calls: Counter[str]
    assigned: set[str]
    leaves: bool
    skips: bool


class Block(list[Statement]):
    """Statements; what is in them is counted once, however many kernels have the block."""

    @functools.cached_property
    def facts(self) -> Facts:
        text = repr(self)  # every node is a bracket in it; to walk over the nodes takes many times as long
        assigned, leaves, skips = set[str](), False, False
        for s in self:
            if s[0] == "set" and s[1][0] == "id":
                assigned.add(s[1][1])
            leaves |= s[0] == "break"
            skips |= s[0] == "continue"
            for inner in [part.facts for part in s if part.__class__ is Block]:
                assigned |= inner.assigned
                leaves |= inner.leaves and s[0] != "for"
                skips |= inner.skips and s[0] != "for"
        return Facts(text.count("(") + text.count("["), Counter(_CALL.findall(text)), assigned, leaves, skips)


@dataclass
class Procedure:
    name: str
    params: list[tuple[str, object, str]]  # name, type, builtin
    result: object
    body: Block
    workgroup: Any = None
    entry: bool = False


@dataclass
class Source:
    """Everything a WGSL text declares."""

    consts: dict = field(default_factory=dict)  # name -> (type or None, expression)
    aliases: dict = field(default_factory=dict)
    structs: dict = field(default_factory=dict)  # name -> [(field, type)]
    bindings: dict = field(default_factory=dict)  # name -> (number, type)
    workgroup: dict = field(default_factory=dict)  # name -> type
    procedures: dict = field(default_factory=dict)
    locals: set = field(default_factory=set)  # names that functions declare
    entry: Procedure | None = None
