"""Compiles a kernel's WGSL to one WebAssembly function over a range of workgroups.

Functions are inlined and constants folded; vec4 is a 128-bit vector, a workgroup's threads run one after another.
The result is left to the engine's optimiser, which finds common subexpressions and allocates registers.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from ..device.base import DeviceKernel
from ..errors import KernelError
from . import builtins, operators
from .module import I32, Function, leb, sleb
from .opcodes import (
    ADD,
    BLOCK,
    BR,
    BR_IF,
    ELSE,
    END,
    EQZ,
    EXTRACT,
    GET,
    I32_CONST,
    IF,
    LOAD_LANE,
    LOOP,
    REPLACE,
    SET,
    SHL,
    SPLAT,
    V_LOAD,
    V_SPLAT_LOAD,
    V_STORE,
    V_ZERO_LOAD,
    lanes_of,
)  # fmt: skip
from .parse import Procedure, Source, parse
from .values import ELEMENT, LANES, STORAGE, Value, aggregate, concrete, constant, fields_of, number

_LOADS = {"f32": b"\x2a\x02", "i32": b"\x28\x02", "u32": b"\x28\x02"}
_STORES = {"f32": b"\x38\x02", "i32": b"\x36\x02", "u32": b"\x36\x02"}
_UNROLL = 1500  # most syntax nodes an unrolled loop may have


@dataclass
class Compiled:
    """One kernel: `function(table, lo, hi)` runs workgroups lo … hi - 1."""

    function: Function
    words: int  # addresses it takes from the table: its bindings, then scratch memory
    items: int  # workgroups
    scratch: int  # bytes of scratch memory


class Var:
    """A mutable variable in one local."""

    __slots__ = ("index", "type")

    def __init__(self, kind: str, index: int):
        self.type, self.index = kind, index


class Memory:
    """An array in storage or in scratch memory."""

    __slots__ = ("base", "offset", "type")

    def __init__(self, kind: str, base: int, offset: int = 0):
        self.type, self.base, self.offset = kind, base, offset


class Registers:
    """An array in locals: every index is known now."""

    __slots__ = ("items", "type")

    def __init__(self, kind: str, items: list[int]):
        self.type, self.items = kind, items


class _NeedsMemory(Exception):
    """An array is indexed by a value known only at run time."""


class _NeedsBlock(Exception):
    """A function returns from inside a branch or loop."""


class _Frame:
    def __init__(self, label=None, result=None):
        self.label, self.result = label, result
        self.depth = 0  # of run-time branches and loops


class Compiler:
    def __init__(self, source: Source, relaxed: bool, in_memory: frozenset[str] = frozenset()):
        self.source, self.relaxed = source, relaxed
        self.in_memory = in_memory  # arrays that are indexed by values known only at run time
        self.out = bytearray()
        self.locals: list[int] = []
        self.labels = 0
        self.scopes: list[dict] = [{}]
        self.aliases: list[dict] = [source.aliases]
        self.sources = [source]
        self.frames: list[_Frame] = []
        self.loops: list[tuple[int, int]] = []  # (break label, continue label)
        self.scratch = 0
        self.scratch_base = 0
        self.consts: dict[str, Value] = {}
        self.weights: dict[str, int] = {}
        self.mutable: set[bytes] = set()  # instructions that read a variable

    # ---- code and locals
    def emit(self, *parts: bytes) -> None:
        for p in parts:
            self.out += p

    def local(self, kind: int) -> int:
        self.locals.append(kind)
        return 2 + len(self.locals)

    def get(self, index: int, kind: str) -> Value:
        return Value(kind, GET + leb(index), simple=True)

    def keep(self, v: Value) -> Value:
        """The value in a local, unless it is a constant or in one already."""
        if v.fields is not None:
            return aggregate(v.type, {k: self.keep(f) for k, f in v.fields.items()})
        v = concrete(v)
        if v.simple:
            return v
        index = self.local(STORAGE[v.type])
        self.emit(v.code, SET, leb(index))
        kept = self.get(index, v.type)
        kept.wraps = v.wraps
        return kept

    def open(self, opcode: bytes) -> int:
        self.emit(opcode)
        self.labels += 1
        return self.labels - 1

    def close(self) -> None:
        self.emit(END)
        self.labels -= 1

    def branch(self, label: int, opcode: bytes = BR) -> None:
        self.emit(opcode, leb(self.labels - 1 - label))

    # ---- types
    def type(self, t):
        if isinstance(t, tuple):
            return ("array", self.type(t[1]), t[2])
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
    def lookup(self, name: str):
        for start in (self.scopes[-1], self.scopes[0]):
            scope: Any = start
            while scope is not None:
                if name in scope:
                    return scope[name]
                scope = scope.get(None)
        if name in self.source.consts:
            if name not in self.consts:
                kind, e = self.source.consts[name]
                v = self.expression(e)
                self.consts[name] = v if kind is None else self.convert(v, self.type(kind))
            return self.consts[name]
        if name in ("true", "false"):
            return constant("bool", name == "true")
        raise KernelError(f"WGSL: {name!r} is not declared.")

    def push_scope(self) -> None:
        self.scopes.append({None: self.scopes[-1]})

    def pop_scope(self) -> None:
        self.scopes.pop()

    # ---- expressions
    def expression(self, e) -> Value:
        kind = e[0]
        if kind == "id":
            found = self.lookup(e[1])
            if isinstance(found, Value):
                return found
            if isinstance(found, Var):
                return self.get(found.index, found.type)
            if isinstance(found, dict):
                return aggregate(found["type"], {n: self.get(v.index, v.type) for n, v in found["vars"].items()})
            raise KernelError(f"WGSL: the array {e[1]!r} is used without an index.")
        if kind == "num":
            return number(e[1])
        if kind == "bin":
            return self.binary(e)
        if kind == "call":
            return self.call(e[1], e[2])
        if kind == "member":
            return self.member(self.expression(e[1]), e[2])
        if kind == "index":
            return self.element(e)
        if kind == "new":
            return self.construct(self.type(e[1]), e[2])
        return operators.unary(self, e[1], self.expression(e[2]))

    def binary(self, e) -> Value:
        op = e[1]
        a = self.expression(e[2])
        if op in ("&&", "||"):
            if a.const is not None:
                return self.expression(e[3]) if bool(a.const) == (op == "&&") else a
            return self.shortcut(op, a, e[3])
        return operators.binary(self, op, a, self.expression(e[3]))

    def shortcut(self, op: str, a: Value, rest) -> Value:
        """Evaluates the second operand only when it decides: it may read where it must not."""
        before = len(self.out)
        result = self.local(I32)
        self.emit(a.code, SET, leb(result), GET, leb(result), b"" if op == "&&" else EQZ)
        start = len(self.out)
        self.open(IF)
        inside = len(self.out)
        b = self.expression(rest)
        if len(self.out) == inside and not _reads(b.code):
            del self.out[before:]
            self.labels -= 1
            return Value("bool", a.code + b.code + operators.SCALAR["bool"]["&" if op == "&&" else "|"])
        assert start < inside
        self.emit(b.code, SET, leb(result))
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

    def element(self, e) -> Value:
        target = e[1]
        if target[0] == "id":
            found = self.lookup(target[1])
            if isinstance(found, Memory):
                code, offset = self.address(found, self.expression(e[2]))
                return self.loaded(found.type, code, offset)
            if isinstance(found, Registers):
                return self.get(self.register(found, target[1], e[2]), found.type)
        v = self.expression(target)
        i = self.expression(e[2])
        if i.const is None:
            raise KernelError("WGSL: a matrix or vector is indexed by a value known only at run time.")
        if v.fields is not None:
            return v.fields[str(i.const) if v.type[:3] == "mat" else LANES[int(i.const)]]
        return self.extract(v, i.const)

    def register(self, array: Registers, name: str, index) -> int:
        i = self.expression(index)
        if i.const is None:
            raise _NeedsMemory(name)
        return array.items[i.const]

    def loaded(self, kind: str, code: bytes, offset: int) -> Value:
        v = Value(kind, code + (V_LOAD + b"\x04" if kind in ELEMENT else _LOADS[kind]) + leb(offset))
        v.load = (code, offset)
        return v

    def address(self, m: Memory, i: Value) -> tuple[bytes, int]:
        """Instructions that push the address of element i, and a constant to add."""
        shift = 4 if m.type in ELEMENT else 2
        base = GET + leb(m.base)
        if i.const is not None:
            return base, m.offset + (i.const << shift)
        extra = 0
        if i.plus is not None:
            i, extra = i.plus
        return i.code + I32_CONST + bytes((shift,)) + SHL + base + ADD, m.offset + (extra << shift)

    # ---- constructors
    def construct(self, kind, args) -> Value:
        if isinstance(kind, tuple):
            raise KernelError("WGSL: an array is made only where a variable is declared.")
        values = [self.expression(a) for a in args]
        if not values:
            return self.zero(kind)
        if kind[:8] == "bitcast<":
            return operators.bitcast(self, values[0], kind[8:-1])
        fields = self.fields_of(kind)
        if fields is not None:
            if len(values) == 1 and len(fields) > 1:
                values *= len(fields)
            return aggregate(kind, {n: self.keep(self.convert(v, t)) for (n, t), v in zip(fields.items(), values, strict=True)})
        if kind in ELEMENT:
            if len(values) == 1:
                return self.convert(values[0], kind)
            return self.gathered(kind, [self.convert(v, ELEMENT[kind]) for v in values])
        return self.convert(values[0], kind)

    def gathered(self, kind: str, lanes: list[Value]) -> Value:
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
                return Value(kind, places[0][0] + V_LOAD + b"\x02" + leb(places[0][1]))
            first, *rest = places
            code = b"".join(address for address, _ in reversed(rest)) + first[0] + V_ZERO_LOAD + b"\x02" + leb(first[1])
            return Value(kind, code + b"".join(LOAD_LANE + b"\x02" + leb(offset) + bytes((k,)) for k, (_, offset) in enumerate(rest, 1)))
        code = lanes[0].code + SPLAT[e]
        return Value(kind, code + b"".join(v.code + REPLACE[e] + bytes((k,)) for k, v in enumerate(lanes[1:], 1)))

    def splat(self, v: Value, kind: str) -> Value:
        if v.const is not None:
            return constant(kind, v.const)
        if v.load is not None:
            return Value(kind, v.load[0] + V_SPLAT_LOAD + b"\x02" + leb(v.load[1]))
        if v.lane is not None:
            vector, k = v.lane
            return Value(kind, vector.code + vector.code + lanes_of(k))
        if v.type == "bool":
            return Value(kind, I32_CONST + b"\x00" + v.code + b"\x6b" + SPLAT["i32"])
        return Value(kind, v.code + SPLAT[v.type])

    def convert(self, v: Value, kind: str) -> Value:
        return operators.convert(self, v, kind)

    # ---- calls
    def call(self, name: str, args) -> Value:
        if name in self.source.structs:
            return self.construct(name, args)
        kind = self.type(name)
        if kind != name or name in STORAGE:
            return self.construct(kind, args)
        p = self.source.procedures.get(name)
        if p is not None:
            return self.inline(p, [self.expression(a) for a in args])
        return builtins.call(self, name, args)

    def inline(self, p: Procedure, args: list[Value], aliases: dict | None = None) -> Value:
        if aliases is not None:
            self.aliases.append(aliases)
        scope: dict = {None: None}
        for (name, kind, _), v in zip(p.params, args, strict=True):
            scope[name] = self.frozen(self.convert(v, self.type(kind)))
        start, labels = len(self.out), self.labels
        result = self.type(p.result) if p.result is not None else None
        try:
            value = self.body(p, dict(scope), _Frame(), result)
        except _NeedsBlock:
            del self.out[start:]
            self.labels = labels
            holder = None if result is None else self.holder(result)
            label = self.open(BLOCK)
            self.body(p, dict(scope), _Frame(label, holder), result)
            self.close()
            value = None if holder is None else self.held(holder, result)
        if aliases is not None:
            self.aliases.pop()
        return value if value is not None else Value("none")

    def holder(self, kind):
        fields = self.fields_of(kind)
        if fields is not None:
            return {n: self.holder(t) for n, t in fields.items()}
        return Var(kind, self.local(STORAGE[kind]))

    def held(self, holder, kind) -> Value:
        if isinstance(holder, Var):
            return self.get(holder.index, holder.type)
        kinds = self.fields_of(kind) or {}
        return aggregate(kind, {n: self.held(h, kinds[n]) for n, h in holder.items()})

    def fill(self, holder, v: Value) -> None:
        if isinstance(holder, Var):
            self.emit(self.convert(v, holder.type).code, SET, leb(holder.index))
        else:
            for n, h in holder.items():
                self.fill(h, fields_of(v)[n])

    def body(self, p: Procedure, scope: dict, frame: _Frame, result) -> Value | None:
        depth = len(self.scopes)
        self.scopes.append(scope)
        self.frames.append(frame)
        loops, self.loops = self.loops, []
        try:
            return self.statements(p.body)
        finally:
            del self.scopes[depth:]
            self.frames.pop()
            self.loops = loops

    # ---- statements; each returns None, a value (the function's result), or Value("none") when it has ended
    def statements(self, body):
        for s in body:
            done = getattr(self, "do_" + s[0])(s)
            if done is not None:
                return done
        return None

    def do_let(self, s):
        v = self.expression(s[3])
        if s[2] is not None:
            v = self.convert(v, self.type(s[2]))
        self.scopes[-1][s[1]] = self.frozen(v)
        return None

    do_const = do_let

    def frozen(self, v: Value) -> Value:
        """The value as it is now: a variable is copied, as it may change."""
        if v.fields is not None:
            return aggregate(v.type, {n: self.frozen(f) for n, f in v.fields.items()})
        if v.code not in self.mutable:
            return self.keep(v)
        index = self.local(STORAGE[v.type])
        self.emit(v.code, SET, leb(index))
        return self.get(index, v.type)

    def do_var(self, s):
        _, name, kind, e = s
        if e is not None and e[0] == "call" and e[1] == "array":
            self.array(name, [concrete(self.expression(a)) for a in e[2]])
            return None
        if kind is not None and isinstance(self.type(kind), tuple):
            _, inner, size = self.type(kind)
            self.array(name, [self.zero(inner)] * int(self.expression(size).const))
            return None
        v = self.zero(self.type(kind)) if e is None else self.expression(e)
        v = concrete(v) if kind is None else self.convert(v, self.type(kind))
        self.scopes[-1][name] = self.variable(v)
        return None

    def variable(self, v: Value):
        if v.fields is not None:
            return {"type": v.type, "vars": {n: self.variable(f) for n, f in v.fields.items()}}
        index = self.local(STORAGE[v.type])
        self.emit(v.code, SET, leb(index))
        self.mutable.add(GET + leb(index))
        return Var(v.type, index)

    def array(self, name: str, values: list[Value]) -> None:
        """Declares an array, in locals unless `in_memory` names it."""
        kind = values[0].type
        if name in self.in_memory or len(values) > 64:
            m = self.reserve(kind, len(values))
            for i, v in enumerate(values):
                self.store(m, constant("u32", i), v)
            self.scopes[-1][name] = m
            return
        items = []
        for v in values:
            items.append(self.local(STORAGE[kind]))
            self.emit(v.code, SET, leb(items[-1]))
            self.mutable.add(GET + leb(items[-1]))
        self.scopes[-1][name] = Registers(kind, items)

    def reserve(self, kind: str, count: int) -> Memory:
        """An array in scratch memory."""
        size = 16 if kind in ELEMENT else 4
        m = Memory(kind, self.scratch_base, self.scratch)
        self.scratch += -(-count * size // 16) * 16
        return m

    def store(self, m: Memory, i: Value, v: Value) -> None:
        code, offset = self.address(m, i)
        self.emit(code, self.convert(v, m.type).code, V_STORE + b"\x04" if m.type in ELEMENT else _STORES[m.type], leb(offset))

    def do_set(self, s):
        _, place, op, e = s
        v = self.expression(e)
        if place[0] == "id":
            var = self.lookup(place[1])
            if place[1] == "_":
                return None
            if isinstance(var, dict):
                self.fill(var["vars"], v)
                return None
            if op:
                v = operators.binary(self, op, self.get(var.index, var.type), v)
            self.emit(self.convert(v, var.type).code, SET, leb(var.index))
            return None
        target = self.lookup(place[1][1])
        if place[0] == "index" and isinstance(target, Memory):
            i = self.expression(place[2])
            if op:
                i = self.keep(i)
                code, offset = self.address(target, i)
                v = operators.binary(self, op, self.loaded(target.type, code, offset), v)
            self.store(target, i, v)
            return None
        if isinstance(target, Registers):
            index = self.register(target, place[1][1], place[2])
            v = operators.binary(self, op, self.get(index, target.type), v) if op else v
            self.emit(self.convert(v, target.type).code, SET, leb(index))
            return None
        if isinstance(target, dict):
            var = target["vars"][place[2] if place[0] == "member" else str(self.expression(place[2]).const)]
            v = operators.binary(self, op, self.get(var.index, var.type), v) if op else v
            self.emit(self.convert(v, var.type).code, SET, leb(var.index))
            return None
        k = LANES.index(place[2]) if place[0] == "member" else self.expression(place[2]).const
        element = ELEMENT[target.type]
        if op:
            v = operators.binary(self, op, self.extract(self.get(target.index, target.type), k), v)
        v = self.convert(v, element)
        self.emit(GET, leb(target.index), v.code, REPLACE[element] + bytes((k,)), SET, leb(target.index))
        return None

    def do_block(self, s):
        self.push_scope()
        done = self.statements(s[1])
        self.pop_scope()
        return done

    def do_do(self, s):
        if s[1][0] == "call" and s[1][1] in ("workgroupBarrier", "storageBarrier"):
            return None  # the threads of a workgroup that needs one are one (checked by compile_kernel)
        self.expression(s[1])
        return None

    def do_if(self, s):
        test = self.expression(s[1])
        if test.const is not None:
            return self.do_block(("block", s[2] if test.const else s[3]))
        self.emit(test.code)
        self.open(IF)
        self.frames[-1].depth += 1
        self.do_block(("block", s[2]))
        if s[3]:
            self.emit(ELSE)
            self.do_block(("block", s[3]))
        self.frames[-1].depth -= 1
        self.close()
        return None

    def do_for(self, s):
        _, first, test, step, body = s
        self.push_scope()
        done = self.unrolled(s)
        if done is _NO:
            if first is not None:
                self.statements([first])
            self.loop(first, test, step, body)
            done = None
        self.pop_scope()
        return done

    def loop(self, first, test, step, body):
        leaves, skips = _contains(body, "break"), _contains(body, "continue")
        end = self.open(BLOCK) if leaves else -1
        guard = test is not None and not self.enters(first, test)
        if guard:
            self.emit(self.expression(test).code)
            self.open(IF)
        top = self.open(LOOP)
        self.frames[-1].depth += 1
        again = self.open(BLOCK) if skips else -1
        self.loops.append((end, again))
        self.do_block(("block", body))
        self.loops.pop()
        if skips:
            self.close()
        if step is not None:
            self.statements([step])
        if test is None:
            self.branch(top)
        else:
            self.emit(self.expression(test).code)
            self.branch(top, BR_IF)
        self.frames[-1].depth -= 1
        self.close()
        if guard:
            self.close()
        if leaves:
            self.close()

    def enters(self, first, test) -> bool:
        """Whether the loop surely runs once."""
        if first is None or first[0] != "var":
            return False
        start = self.trial(first[3])
        if start is None:
            return False
        self.scopes.append({None: self.scopes[-1], first[1]: start})
        found = self.trial(test)
        self.scopes.pop()
        return found is not None and bool(found.const)

    def trial(self, e) -> Value | None:
        """The expression if it is constant; leaves no code behind."""
        start, n = len(self.out), len(self.locals)
        v = self.expression(e)
        del self.out[start:]
        del self.locals[n:]
        return v if v.const is not None else None

    def unrolled(self, s):
        """Writes a short loop with known bounds out, its variable a constant; _NO where that cannot be."""
        _, first, test, step, body = s
        if first is None or test is None or step is None or first[0] != "var" or step[0] != "set" or step[1] != ("id", first[1]):
            return _NO
        if _contains(body, "break") or _contains(body, "continue") or _assigns(body, first[1]):
            return _NO
        start = self.trial(first[3])
        by = self.trial(step[3])
        if start is None or by is None:
            return _NO
        kind = first[2] and self.type(first[2])
        v = concrete(start) if kind is None else self.convert(start, kind)
        values = []
        size = self.weight(body)
        while True:
            self.scopes.append({None: self.scopes[-1], first[1]: v})
            more = self.trial(test)
            self.scopes.pop()
            if more is None:
                return _NO
            if not more.const:
                break
            values.append(v)
            if len(values) * size > _UNROLL:
                return _NO
            v = operators.binary(self, step[2], v, by)
        for v in values:
            self.scopes.append({None: self.scopes[-1], first[1]: v})
            done = self.statements(body)
            self.scopes.pop()
            if done is not None:
                return done
        return None

    def weight(self, node) -> int:
        """Syntax nodes of a body, those of the functions it calls included."""
        if not isinstance(node, (tuple, list)):
            return 0
        n = 1 + sum(self.weight(m) for m in node)
        if isinstance(node, tuple) and node[0] == "call" and node[1] in self.source.procedures:
            if node[1] not in self.weights:
                self.weights[node[1]] = self.weight(self.source.procedures[node[1]].body)
            n += self.weights[node[1]]
        return n

    def do_return(self, s):
        frame = self.frames[-1]
        v = None if s[1] is None else self.expression(s[1])
        if frame.label is None:
            if frame.depth:
                raise _NeedsBlock
            return Value("none") if v is None else self.keep_lazy(v)
        if v is not None:
            self.fill(frame.result, v)
        self.branch(frame.label)
        return Value("none")

    def keep_lazy(self, v: Value) -> Value:
        return v

    def do_break(self, s):
        self.branch(self.loops[-1][0])
        return Value("none")

    def do_continue(self, s):
        self.branch(self.loops[-1][1])
        return Value("none")


_NO = object()


def _reads(code: bytes) -> bool:
    """Whether the instructions might load from memory; may say yes wrongly."""
    return b"\x28\x02" in code or b"\x2a\x02" in code or b"\xfd\x00" in code


def _contains(body, kind: str) -> bool:
    """Whether a `break` or `continue` of this loop is in the body."""
    for s in body:
        if s[0] == kind:
            return True
        if s[0] == "if" and (_contains(s[2], kind) or _contains(s[3], kind)):
            return True
        if s[0] == "block" and _contains(s[1], kind):
            return True
    return False


def _assigns(body, name: str) -> bool:
    for s in body:
        if s[0] == "set" and s[1] == ("id", name):
            return True
        if s[0] == "if" and (_assigns(s[2], name) or _assigns(s[3], name)):
            return True
        if s[0] == "block" and _assigns(s[1], name):
            return True
        if s[0] == "for" and _assigns(s[4], name):
            return True
    return False


# ---- whole kernels
def compile_kernel(kernel: DeviceKernel, relaxed: bool = True) -> Compiled:
    """The kernel as a function `(table, lo, hi)`; equal kernels are compiled once.

    Raises:
        KernelError: the text uses something that is not compiled, such as a barrier between threads.
    """
    return _compiled(kernel.source, kernel.grid, relaxed)


@functools.lru_cache(1024)
def _compiled(text: str, grid: tuple[int, int, int], relaxed: bool) -> Compiled:
    source = parse(text)
    in_memory: frozenset[str] = frozenset()
    while True:
        try:
            return _compile(source, grid, relaxed, in_memory)
        except _NeedsMemory as e:
            in_memory |= {str(e)}


def _compile(source: Source, grid: tuple[int, int, int], relaxed: bool, in_memory: frozenset[str]) -> Compiled:
    entry = source.entry
    if entry is None:
        raise KernelError("the WGSL has no entry point.")
    c = Compiler(source, relaxed, in_memory)
    top = c.scopes[0]
    bindings = sorted(source.bindings.items(), key=lambda item: item[1][0])
    for position, (name, (_, kind)) in enumerate(bindings):
        kind = c.type(kind)
        element = kind[1] if isinstance(kind, tuple) else kind
        base = c.local(I32)
        c.emit(GET, b"\x00", _LOADS["u32"], leb(4 * position), SET, leb(base))
        top[name] = Memory("u32" if element == "bool" else element, base)
    c.scratch_base = c.local(I32)
    c.emit(GET, b"\x00", _LOADS["u32"], leb(4 * len(bindings)), SET, leb(c.scratch_base))
    for name, kind in source.workgroup.items():
        _, inner, size = c.type(kind)
        top[name] = c.reserve(inner, int(c.expression(size).const))
    threads = [c.expression(e).const for e in entry.workgroup]
    if source.workgroup and max(threads) > 1:
        raise KernelError("threads share memory, which the wasm device runs only with one thread a workgroup.")
    _main(c, entry, threads, grid)
    function = Function((I32, I32, I32), c.locals, bytes(c.out))
    return Compiled(function, len(bindings) + 1, grid[0] * grid[1] * grid[2], c.scratch)


def _main(c: Compiler, entry: Procedure, threads: list[int], grid) -> None:
    """for each workgroup, for each of its threads: the entry point."""
    threads = [*threads, 1, 1][:3]
    if threads[1] > 1 or threads[2] > 1:
        raise KernelError("WGSL: a workgroup of more than one dimension.")
    lo, hi = 1, 2
    width = threads[0]
    builtins_used = {b for _, _, b in entry.params}
    w = c.local(I32)
    along = len(set(grid) - {1}) == 0 or (grid[1] == grid[2] == 1)
    if along and builtins_used <= {"global_invocation_id"}:  # one loop over all threads
        c.emit(GET, bytes((lo,)), I32_CONST, sleb(width), b"\x6c", SET, leb(w))
        limit = c.local(I32)
        c.emit(GET, bytes((hi,)), I32_CONST, sleb(width), b"\x6c", SET, leb(limit))
        given = {"global_invocation_id": _triple(c.get(w, "u32"))}
        _count(c, w, limit, lambda: c_inline(c, entry, given))
        return
    c.emit(GET, bytes((lo,)), SET, leb(w))

    def group():
        index = c.get(w, "u32")
        if along:
            gx, gy, gz = index, constant("u32", 0), constant("u32", 0)
        else:
            gx = c.keep(operators.binary(c, "%", index, constant("u32", grid[0])))
            rest = c.keep(operators.binary(c, "/", index, constant("u32", grid[0])))
            gy = c.keep(operators.binary(c, "%", rest, constant("u32", grid[1]))) if grid[2] > 1 else rest
            gz = c.keep(operators.binary(c, "/", rest, constant("u32", grid[1]))) if grid[2] > 1 else constant("u32", 0)
        workgroup = aggregate("vec3<u32>", {"x": gx, "y": gy, "z": gz})

        def thread(l: Value):
            x = c.keep(operators.binary(c, "+", operators.binary(c, "*", gx, constant("u32", width)), l))
            given = {
                "workgroup_id": workgroup, "local_invocation_index": l, "local_invocation_id": _triple(l),
                "global_invocation_id": aggregate("vec3<u32>", {"x": x, "y": gy, "z": gz}),
                "num_workgroups": aggregate("vec3<u32>", {n: constant("u32", g) for n, g in zip("xyz", grid, strict=True)}),
            }  # fmt: skip
            c_inline(c, entry, given)

        if width == 1:
            thread(constant("u32", 0))
        else:
            l = c.local(I32)
            limit = c.local(I32)
            c.emit(I32_CONST, b"\x00", SET, leb(l), I32_CONST, sleb(width), SET, leb(limit))
            _count(c, l, limit, lambda: thread(c.get(l, "u32")))

    _count(c, w, hi, group)


def _triple(x: Value) -> Value:
    return aggregate("vec3<u32>", {"x": x, "y": constant("u32", 0), "z": constant("u32", 0)})


def _count(c: Compiler, index: int, limit: int, body) -> None:
    """while (index < limit) { body; index++; }"""
    c.emit(GET, leb(index), GET, leb(limit), b"\x49")
    c.open(IF)
    top = c.open(LOOP)
    body()
    c.emit(GET, leb(index), I32_CONST, b"\x01", ADD, SET, leb(index), GET, leb(index), GET, leb(limit), b"\x49")
    c.branch(top, BR_IF)
    c.close()
    c.close()


def c_inline(c: Compiler, entry: Procedure, given: dict[str, Value]) -> None:
    scope: dict = {None: None}
    for name, _, builtin in entry.params:
        if builtin not in given:
            raise KernelError(f"WGSL: the builtin {builtin!r} is not supported.")
        scope[name] = given[builtin]
    label = c.open(BLOCK)
    c.body(entry, scope, _Frame(label), None)
    c.close()
