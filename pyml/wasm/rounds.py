"""What is known of a WGSL loop before its code is written: whether it runs at all, its rounds, and how much its body holds."""

from __future__ import annotations

from typing import NamedTuple

from . import operators
from .builtins import INSTRUCTIONS
from .expressions import Expressions
from .syntax import Block, Expression, Statement
from .values import Value, concrete, constant

UNROLL = 1500  # most syntax nodes an unrolled loop may have
_ANY = Value("u32")  # a number that is not known


class Extent(NamedTuple):
    """The body of a loop: its syntax nodes, and the functions it calls that are not the module's own."""

    nodes: int
    calls: set[str]


class Rounds(Expressions):
    """Trials of expressions, whose code is taken back."""

    def enters(self, first: Statement | None, test: Expression) -> bool:
        """Whether the loop surely runs once."""
        if first is None or first[0] != "var":
            return False
        start = self.trial(first[3])
        if start is None:
            return False
        self.scopes.append({**self.scopes[-1], first[1]: start})
        found = self.trial(test)
        self.scopes.pop()
        return found is not None and bool(found.const)

    def trial(self, e: Expression, unknown: str = "") -> Value | None:
        """The expression if it is constant, whatever the variable `unknown` is; leaves no code behind."""
        start, n = len(self.out), len(self.locals)
        scope = self.scopes[-1]
        if unknown:
            self.scopes[-1] = {**scope, unknown: _ANY}
        v = self.expression(e)
        self.scopes[-1] = scope
        del self.out[start:]
        del self.locals[n:]
        return v if v.const is not None else None

    def rounds(self, s: Statement) -> list[Value] | None:
        """What the variable of a loop is in each round; None where that is not known now, or written out it is too long."""
        if id(s) in self.ranges:
            return self.ranges[id(s)]
        _, first, test, step, body = s
        start, by = self.trial(first[3]), self.trial(step[3])
        if start is None or by is None:
            return None
        kind = first[2] and self.type(first[2])
        v = concrete(start) if kind is None else self.convert(start, kind)
        most = UNROLL // self.extent(body).nodes
        if test[0] == "bin" and test[1] == "<" and test[2] == ("id", first[1]) and step[2] == "+":
            end = self.trial(test[3], first[1])
            if end is not None and (numbers := _numbers(v, end, by)) is not None:
                values = [constant(v.type, n) for n in numbers] if len(numbers) <= most else None
                if self.fixed(test[3]) and self.fixed(first[3]) and self.fixed(step[3]):
                    self.ranges[id(s)] = values  # the same in every copy of the loop; the tree outlives the compiler
                return values
        return self.counted(v, s, by, most)

    def counted(self, v: Value, s: Statement, by: Value, most: int) -> list[Value] | None:
        """What the variable of any loop is in each round, by trying its test."""
        _, first, test, step, _ = s
        values: list[Value] = []
        while len(values) <= most:
            self.scopes.append({**self.scopes[-1], first[1]: v})
            more = self.trial(test)
            self.scopes.pop()
            if more is None:
                return None
            if not more.const:
                return values
            values.append(v)
            v = operators.folded(self, step[2], v, by)
        return None

    def extent(self, body: Block) -> Extent:
        """What a body consists of, the functions that it calls included."""
        found = self.extents.get(id(body))
        if found is None:
            nodes, calls = body.facts.nodes, set()
            for name, times in body.facts.calls.items():
                own = self.source.procedures.get(name)
                if own is None:
                    calls.add(name)
                elif name not in INSTRUCTIONS:
                    inner = self.extent(own.body)
                    nodes += times * inner.nodes
                    calls |= inner.calls
            found = self.extents[id(body)] = Extent(nodes, calls)  # the tree outlives the compiler
        return found


def _numbers(first: Value, end: Value, by: Value) -> range | None:
    """`first`, `first + by`, … below `end`; None where these are no integers, or would wrap around."""
    highest = {"u32": 2**32, "i32": 2**31}.get(first.type, 0)
    alike = end.type in (first.type, "int") and by.type in (first.type, "int")
    return range(first.const, end.const, by.const) if alike and by.const > 0 and end.const + by.const <= highest else None
