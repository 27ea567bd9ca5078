"""WGSL expressions as WebAssembly instructions: names, types, loads, constructors and calls.

Functions are inlined and constants folded; vec4 is a 128-bit vector.
"""

from __future__ import annotations

from typing import Any

from ..errors import KernelError
from . import builtins, operators
from .module import I32
from .opcodes import (
    ADD,
    BR,
    END,
    EQZ,
    EXTRACT,
    GETS,
    I32_CONST,
    IF,
    LEB,
    LOAD_LANE,
    REPLACE,
    SETS,
    SHL,
    SPLAT,
    V_LOAD,
    V_SPLAT_LOAD,
    V_ZERO_LOAD,
    lanes_of,
)
from .operators import FOLDED
from .places import Frame, Memory, NeedsMemory, Registers
from .syntax import Expression, Procedure, Source, Type
from .values import ELEMENT, LANES, STORAGE, Value, aggregate, concrete, constant, number

_SHIFTS = {2: I32_CONST + b"\x02" + SHL, 4: I32_CONST + b"\x04" + SHL}  # the number of an element as bytes
LOADS = {"f32": b"\x2a\x02", "i32": b"\x28\x02", "u32": b"\x28\x02"}
_LOADED = {**LOADS, **dict.fromkeys(ELEMENT, V_LOAD + b"\x04")}


class Expressions:
    """The state of compiling one function, and everything that makes a value."""

    def __init__(self, source: Source, relaxed: bool, sinks: bool = False):
        self.source, self.relaxed, self.sinks = source, relaxed, sinks
        self.in_memory: set[int] = set()  # ids of statements that declare arrays which are indexed by values known only at run time
        self.out = bytearray()
        self.locals: list[int] = []
        self.labels = 0
        self.scopes: list[dict[str, Any]] = [{}]  # each with all names that are seen in it, but for those of the module
        self.aliases: list[dict] = [source.aliases]
        self.types: list[dict[str, str]] = [{}]  # what names of types mean, beside `aliases`
        self.known_types: dict[int, dict[str, str]] = {}  # by the id of the last of `aliases`
        self.sources = [source]
        self.frames: list[Frame] = []
        self.loops: list[tuple[int, int, int]] = []  # labels for a break, a continue and the next round at once
        self.scratch = 0
        self.scratch_base = 0
        self.consts: dict[str, Value] = {}
        self.folded: dict[int, Value] = {}  # by the id of an expression: its value, which is the same wherever it is read
        self.ranges: dict[int, list[Value] | None] = {}  # by the id of a loop: what its variable is in each round, if they are few
        self.extents: dict[int, Any] = {}  # by the id of a body, as statements.py finds them
        self.copies = 1  # how often the statement at hand is written out by the loops around it
        self.mutable: set[bytes] = set()  # instructions that read a variable

    # ---- code and locals
    def emit(self, *parts: bytes) -> None:
        for p in parts:
            self.out += p

    def local(self, kind: int) -> int:
        self.locals.append(kind)
        return 2 + len(self.locals)

    def get(self, index: int, kind: str) -> Value:
        return Value(kind, GETS[index], simple=True)

    def keep(self, v: Value) -> Value:
        """The value in a local, unless it is a constant or in one already."""
        if v.fields is not None:
            return aggregate(v.type, {k: self.keep(f) for k, f in v.fields.items()})
        if v.simple:
            return v if v.type in STORAGE else concrete(v)
        self.locals.append(STORAGE[v.type])
        index = 2 + len(self.locals)
        self.out += v.code + SETS[index]
        kept = Value(v.type, GETS[index], None, True)
        if v.wraps:
            kept.wraps = True
        return kept

    def open(self, opcode: bytes) -> int:
        self.emit(opcode)
        self.labels += 1
        return self.labels - 1

    def close(self) -> None:
        self.emit(END)
        self.labels -= 1

    def branch(self, label: int, opcode: bytes = BR) -> None:
        self.emit(opcode, LEB[self.labels - 1 - label])

    # ---- types
    def type(self, t: Type) -> Type:
        if t.__class__ is tuple:
            return ("array", self.type(t[1]), t[2])
        if t in STORAGE:  # no alias has such a name
            return t
        known = self.types[-1].get(t)
        if known is None:
            known = self.types[-1][t] = self.meant(t)
        return known

    def meant(self, t: str) -> Type:
        """The type of this name."""
        for names in reversed(self.aliases):
            if t in names:
                return self.type(names[t])
        if t[-1] == ">":
            head, inner = t[:-1].split("<", 1)
            return f"{head}<{self.type(inner)}>"
        return t

    def fields_of(self, kind: str) -> dict[str, str] | None:
        if kind in self.source.structs:
            return {n: self.type(t) for n, t in self.source.structs[kind]}
        if kind == "mat4x4<f32>":
            return dict.fromkeys("0123", "vec4<f32>")
        if kind[:4] in ("vec2", "vec3"):
            return dict.fromkeys(LANES[: int(kind[3])], kind[5:-1])
        return None

    def zero(self, kind: str) -> Value:
        fields = self.fields_of(kind)
        if fields is not None:
            return aggregate(kind, {n: self.zero(t) for n, t in fields.items()})
        return constant(kind, False if kind.endswith("bool") else 0)

    # ---- names
    def lookup(self, name: str) -> Any:
        return self.scopes[-1].get(name) or self.scopes[0].get(name) or self.consts.get(name) or self.declared(name)

    def declared(self, name: str) -> Value:
        """A constant of the module that nobody has asked for yet."""
        if name in self.source.consts:
            kind, e = self.source.consts[name]
            v = self.expression(e)
            self.consts[name] = v if kind is None else self.convert(v, self.type(kind))
            return self.consts[name]
        if name in ("true", "false"):
            return constant("bool", name == "true")
        raise KernelError(f"WGSL: {name!r} is not declared.")

    def push_scope(self) -> None:
        self.scopes.append(self.scopes[-1].copy())

    def pop_scope(self) -> None:
        self.scopes.pop()

    # ---- expressions
    def expression(self, e: Expression) -> Value:
        """The value of a parsed expression; constants of an expression are folded once."""
        kind = e[0]
        if kind == "id":
            a = self.scopes[-1].get(e[1])
            return a if a.__class__ is Value else self.named(e[1])
        if kind == "num":
            return number(e[1])
        if kind == "bin":
            _, op, left, right, same = e
            if same and (a := self.folded.get(id(e))) is not None:
                return a
            scope, kind = self.scopes[-1], left[0]
            if kind == "id":  # operands are mostly names, and calls for each would be half of all
                a = scope.get(left[1])
                if a.__class__ is not Value:
                    a = self.named(left[1])
            else:
                a = number(left[1]) if kind == "num" else self.expression(left)
            if op == "&&" or op == "||":
                return self.decided(op, a, right)
            kind = right[0]
            if kind == "id":
                b = scope.get(right[1])
                if b.__class__ is not Value:
                    b = self.named(right[1])
            else:
                b = number(right[1]) if kind == "num" else self.expression(right)
            if a.const is None or b.const is None:
                return operators.binary(self, op, a, b)
            v = FOLDED.get((op, a, b)) or operators.folded(self, op, a, b)
            if same and self.fixed(e):
                self.folded[id(e)] = v
            return v
        if kind == "call":
            name = e[1]
            if name in STORAGE:
                return self.construct(name, e[2])
            p = self.source.procedures.get(name)
            if p is not None:
                found_as = builtins.INSTRUCTIONS.get(name)
                args = [self.expression(a) for a in e[2]]
                return self.inline(p, args) if found_as is None else found_as(self, *args)
            return self.call(name, e[2])
        if kind == "member":
            return self.member(self.expression(e[1]), e[2])
        if kind == "index":
            return self.element(e)
        if kind == "new":
            return self.construct(e[1] if e[1] in STORAGE else self.type(e[1]), e[2])
        return operators.unary(self, e[1], self.expression(e[2]))

    def named(self, name: str) -> Value:
        """The value of a name; that of a constant of the module is found at once from now on."""
        found = self.scopes[-1].get(name) or self.scopes[0].get(name) or self.consts.get(name) or self.declared(name)
        if found.__class__ is Value:
            self.scopes[-1][name] = found
            return found
        if isinstance(found, dict):
            return aggregate(found["type"], dict(found["vars"]))
        raise KernelError(f"WGSL: the array {name!r} is used without an index.")

    def fixed(self, e: Expression) -> bool:
        """Whether an expression is made of literals and constants of the module, so that it is the same wherever it stands."""
        kind = e[0]
        if kind == "num":
            return True
        if kind == "bin":
            return e[4] and self.fixed(e[2]) and self.fixed(e[3])
        return kind == "id" and e[1] in self.source.consts and e[1] not in self.source.locals

    def decided(self, op: str, a: Value, rest: Expression) -> Value:
        """`a && rest` or `a || rest`."""
        if a.const is not None:
            return self.expression(rest) if bool(a.const) == (op == "&&") else a
        return self.shortcut(op, a, rest)

    def shortcut(self, op: str, a: Value, rest: Expression) -> Value:
        """Evaluates the second operand only when it decides: it may read where it must not."""
        before = len(self.out)
        result = self.local(I32)
        self.emit(a.code, SETS[result], GETS[result], b"" if op == "&&" else EQZ)
        start = len(self.out)
        self.open(IF)
        inside = len(self.out)
        b = self.expression(rest)
        if len(self.out) == inside and not _reads(b.code):
            del self.out[before:]
            self.labels -= 1
            return Value("bool", a.code + b.code + operators.SCALAR["bool"]["&" if op == "&&" else "|"])
        assert start < inside
        self.emit(b.code, SETS[result])
        self.close()
        return self.get(result, "bool")

    def member(self, v: Value, name: str) -> Value:
        if v.fields is not None:
            if name not in v.fields:
                raise KernelError(f"WGSL: {v.type} has no member {name!r}.")
            return v.fields[name]
        return self.extract(v, LANES.index(name))

    def extract(self, v: Value, k: int) -> Value:
        e = ELEMENT[v.type]
        if v.const is not None:
            return constant(e, v.const[k])
        if v.load is not None and e != "bool":
            return self.loaded(e, v.load[0], v.load[1] + 4 * k)
        v = self.keep(v)
        if e == "bool":
            return Value("bool", v.code + EXTRACT["i32"] + bytes((k,)) + I32_CONST + b"\x01" + b"\x71")
        found = Value(e, v.code + EXTRACT[e] + bytes((k,)))
        found.lane = (v, k)
        found.wraps = e == "u32"
        return found

    def element(self, e: Expression) -> Value:
        """An element of an array, vector or matrix."""
        target = e[1]
        if target[0] == "id":
            name = target[1]
            found = self.scopes[-1].get(name) or self.scopes[0].get(name) or self.lookup(name)
            if found.__class__ is Memory:
                code, offset = self.address(found, self.expression(e[2]))
                v = Value(found.type, code + _LOADED[found.type] + LEB[offset])  # `loaded`, without a call
                v.load = (code, offset)
                return v
            if found.__class__ is Registers:
                return self.register(found, e[2])
        v = self.expression(target)
        i = self.expression(e[2])
        if i.const is None:
            raise KernelError("WGSL: a matrix or vector is indexed by a value known only at run time.")
        if v.fields is not None:
            return v.fields[str(i.const) if v.type[:3] == "mat" else LANES[int(i.const)]]
        return self.extract(v, i.const)

    def register(self, array: Registers, index: Expression) -> Value:
        """An element of an array of variables."""
        i = self.scopes[-1].get(index[1]) if index[0] == "id" else None
        if i.__class__ is not Value:
            i = self.expression(index)
        if i.const is None:
            raise NeedsMemory(array)
        return array.items[i.const]

    def loaded(self, kind: str, code: bytes, offset: int) -> Value:
        v = Value(kind, code + _LOADED[kind] + LEB[offset])
        v.load = (code, offset)
        return v

    def address(self, m: Memory, i: Value) -> tuple[bytes, int]:
        """Instructions that push the address of element i, and a constant to add."""
        shift = 4 if m.type in ELEMENT else 2
        base = GETS[m.base]
        if i.const is not None:
            return base, m.offset + (i.const << shift)
        extra = 0
        if i.plus is not None:
            i, extra = i.plus
        return i.code + _SHIFTS[shift] + base + ADD, m.offset + (extra << shift)

    # ---- constructors
    def construct(self, kind: Type, args: list[Expression]) -> Value:
        """A value of a type: zeros, a conversion, a vector of four values, or the members of a struct."""
        if kind.__class__ is tuple:
            raise KernelError("WGSL: an array is made only where a variable is declared.")
        if not args:
            return self.zero(kind)
        if kind in STORAGE and (len(args) == 1 or kind not in ELEMENT):
            v = self.expression(args[0])
            return v if v.type == kind else self.convert(v, kind)
        values = [self.expression(a) for a in args]
        if kind in STORAGE:
            return self.gathered(kind, [self.convert(v, ELEMENT[kind]) for v in values])
        if kind[:8] == "bitcast<":
            return operators.bitcast(self, values[0], kind[8:-1])
        fields = self.fields_of(kind)
        if fields is not None:
            if len(values) == 1 and len(fields) > 1:
                values *= len(fields)
            return aggregate(kind, {n: self.keep(self.convert(v, t)) for (n, t), v in zip(fields.items(), values, strict=True)})
        return self.convert(values[0], kind)

    def gathered(self, kind: str, lanes: list[Value]) -> Value:
        """A vector of four values: a constant, one load where they lie side by side, or lane by lane."""
        e = ELEMENT[kind]
        if len(lanes) != 4:
            raise KernelError(f"WGSL: {kind} of {len(lanes)} values; expected one or four.")
        if all(v.const is not None for v in lanes):
            return constant(kind, tuple(v.const for v in lanes))
        if e == "bool":
            masks = [Value("i32", I32_CONST + b"\x00" + v.code + b"\x6b") for v in lanes]
            return Value(kind, self.gathered("vec4<i32>", masks).code)
        if all(v.load is not None for v in lanes):
            if len({v.code for v in lanes}) == 1:
                return self.splat(lanes[0], kind)
            places = [v.load for v in lanes if v.load is not None]
            if len({code for code, _ in places}) == 1 and [o - places[0][1] for _, o in places] == [0, 4, 8, 12]:
                return Value(kind, places[0][0] + V_LOAD + b"\x02" + LEB[places[0][1]])
            first, *rest = places
            code = b"".join(address for address, _ in reversed(rest)) + first[0] + V_ZERO_LOAD + b"\x02" + LEB[first[1]]
            return Value(kind, code + b"".join(LOAD_LANE + b"\x02" + LEB[offset] + bytes((k,)) for k, (_, offset) in enumerate(rest, 1)))
        code = lanes[0].code + SPLAT[e]
        return Value(kind, code + b"".join(v.code + REPLACE[e] + bytes((k,)) for k, v in enumerate(lanes[1:], 1)))

    def splat(self, v: Value, kind: str) -> Value:
        if v.const is not None:
            return constant(kind, v.const)
        if v.load is not None and not (self.sinks and v.type == "f32"):  # there the value would wait outside of the vector registers
            return Value(kind, v.load[0] + V_SPLAT_LOAD + b"\x02" + LEB[v.load[1]])
        if v.lane is not None:
            vector, k = v.lane
            return Value(kind, vector.code + vector.code + lanes_of(k))
        if v.type == "bool":
            return Value(kind, I32_CONST + b"\x00" + v.code + b"\x6b" + SPLAT["i32"])
        return Value(kind, v.code + SPLAT[v.type])

    convert = operators.convert

    # ---- calls
    def call(self, name: str, args: list[Expression]) -> Value:
        if name in self.source.structs:
            return self.construct(name, args)
        kind = self.types[-1].get(name) or self.type(name)
        if kind != name:
            return self.construct(kind, args)
        return builtins.call(self, name, args)

    def inline(self, p: Procedure, args: list[Value], aliases: dict | None = None) -> Value:
        """The value of a call; statements.py has it."""
        raise KernelError(f"WGSL: {p.name} is called where only expressions are compiled.")


def _reads(code: bytes) -> bool:
    """Whether the instructions might load from memory; may say yes wrongly."""
    return b"\x28\x02" in code or b"\x2a\x02" in code or b"\xfd\x00" in code
