"""WGSL statements as WebAssembly instructions: variables, branches, loops, calls of functions.

Each `do_` method returns None, the value of the function, or Value("none") where the function has ended.
"""

from __future__ import annotations

from typing import Any

from . import operators
from .library import library
from .opcodes import BLOCK, BR_IF, ELSE, GETS, IF, LEB, LOOP, REPLACE, SETS, V_STORE
from .places import Before, Frame, Holder, Memory, NeedsBlock, NeedsMemory, Registers
from .rounds import UNROLL, Rounds
from .syntax import Block, Expression, Procedure, Statement
from .values import ELEMENT, LANES, STORAGE, Value, aggregate, concrete, constant, fields_of, variable

_STORES = {"f32": b"\x38\x02", "i32": b"\x36\x02", "u32": b"\x36\x02"}
_NESTED = 6 * UNROLL  # … and one inside of others, all its copies together: else sums in blocks grow with their terms
_LIBRARY = 64  # most copies of a loop's body that calls a function of the library, such as exp: as many as a tile has results
_NO = Value("none")  # says that a loop was not unrolled


class Statements(Rounds):
    """Everything that acts."""

    # ---- functions
    def inline(self, p: Procedure, args: list[Value], aliases: dict | None = None) -> Value:
        """Writes a procedure at the place of its call, as a block only where it returns early."""
        if aliases is not None:
            self.aliases.append(aliases)
            self.types.append(self.known_types.setdefault(id(aliases), {}))
        scope: dict = {}
        for (name, kind, _), v in zip(p.params, args, strict=True):
            if kind not in STORAGE:
                kind = self.type(kind)
            scope[name] = self.frozen(v if v.type == kind else self.convert(v, kind))
        start, labels = len(self.out), self.labels
        result: Any = self.type(p.result) if p.result is not None else None
        try:
            value = self.body(p, dict(scope), Frame())
        except NeedsBlock:
            del self.out[start:]
            self.labels = labels
            holder = None if result is None else self.holder(result)
            label = self.open(BLOCK)
            self.body(p, dict(scope), Frame(label, holder))
            self.close()
            value = None if holder is None else self.held(holder, result)
        if aliases is not None:
            self.aliases.pop()
            self.types.pop()
        return value if value is not None else Value("none")

    def holder(self, kind: str) -> Holder:
        fields = self.fields_of(kind)
        if fields is not None:
            return {n: self.holder(t) for n, t in fields.items()}
        return variable(kind, self.local(STORAGE[kind]))

    def held(self, holder: Holder, kind: str) -> Value:
        if isinstance(holder, Value):
            return holder
        kinds = self.fields_of(kind) or {}
        return aggregate(kind, {n: self.held(h, kinds[n]) for n, h in holder.items()})

    def fill(self, holder: Holder, v: Value) -> None:
        if isinstance(holder, Value):
            self.assign(holder, v)
        else:
            for n, h in holder.items():
                self.fill(h, fields_of(v)[n])

    def body(self, p: Procedure, scope: dict[str, Any], frame: Frame) -> Value | None:
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

    # ---- statements
    def statements(self, body: list[Statement]) -> Value | None:
        left = body
        while True:
            try:
                for s in left:
                    done = _DO[s[0]](self, s)
                    if done is not None:
                        return done
                return None
            except NeedsMemory as e:
                at = next((i for i, s in enumerate(body) if s is e.before.statement), None)
                if at is None:
                    raise
                self.go_back(e.before)
                left = body[at:]

    def before(self, s: Statement) -> Before:
        """The state before a declaration, to which compiling may go back."""
        lengths = tuple([len(one) for one in self.growing()])
        return Before(s, lengths, self.labels, self.scratch, self.frames[-1].depth, self.scopes[-1].copy(), self.mutable.copy())

    def go_back(self, before: Before) -> None:
        """Forgets what came after the declaration of an array, which will be in memory."""
        for one, length in zip(self.growing(), before.lengths, strict=True):
            del one[length:]
        self.labels, self.scratch, self.frames[-1].depth = before.labels, before.scratch, before.depth
        self.scopes[-1], self.mutable = before.names, before.mutable
        self.in_memory.add(id(before.statement))

    def growing(self) -> tuple[Any, ...]:
        return self.out, self.locals, self.scopes, self.frames, self.loops, self.aliases, self.types

    def do_let(self, s: Statement) -> Value | None:
        v = self.expression(s[3])
        kind = s[2]
        if kind is not None and v.type != kind:
            v = self.convert(v, self.type(kind))
        plain = v.fields is None and v.plus is None and v.code not in self.mutable  # as `frozen` looks at it
        self.scopes[-1][s[1]] = self.keep(v) if plain else self.frozen(v)
        return None

    do_const = do_let

    def frozen(self, v: Value) -> Value:
        """The value as it is now: a variable is copied, as it may change."""
        if v.fields is not None:
            return aggregate(v.type, {n: self.frozen(f) for n, f in v.fields.items()})
        if v.code not in self.mutable:
            if v.plus is not None:  # the constant stays apart, for the offset of a load
                base, extra = v.plus
                return operators.binary(self, "+", self.frozen(base), constant("u32", extra))
            return self.keep(v)
        index = self.local(STORAGE[v.type])
        self.out += v.code + SETS[index]
        return self.get(index, v.type)

    def do_var(self, s: Statement) -> Value | None:
        _, name, kind, e = s
        if e is not None and e[0] == "call" and e[1] == "array":
            before = self.before(s)
            self.array(before, [concrete(self.expression(a)) for a in e[2]])
            return None
        if kind is not None and isinstance(self.type(kind), tuple):
            _, inner, size = self.type(kind)
            self.array(self.before(s), [self.zero(inner)] * int(self.expression(size).const))
            return None
        v = self.zero(self.type(kind)) if e is None else self.expression(e)
        v = concrete(v) if kind is None else self.convert(v, self.type(kind))
        self.scopes[-1][name] = self.variable(v)
        return None

    def variable(self, v: Value) -> Value | dict[str, Any]:
        if v.fields is not None:
            return {"type": v.type, "vars": {n: self.variable(f) for n, f in v.fields.items()}}
        index = self.local(STORAGE[v.type])
        self.out += v.code + SETS[index]
        self.mutable.add(GETS[index])
        return variable(v.type, index)

    def array(self, before: Before, values: list[Value]) -> None:
        """Declares an array, in locals unless one of its indices was not known."""
        kind, name = values[0].type, before.statement[1]
        if id(before.statement) in self.in_memory or len(values) > 64:
            m = self.reserve(kind, len(values))
            for i, v in enumerate(values):
                self.store(m, constant("u32", i), v)
            self.scopes[-1][name] = m
            return
        items = []
        for v in values:
            var = variable(kind, self.local(STORAGE[kind]))
            items.append(var)
            self.out += v.code + SETS[var.index]
            self.mutable.add(var.code)
        self.scopes[-1][name] = Registers(kind, items, before)

    def reserve(self, kind: str, count: int) -> Memory:
        """An array in scratch memory."""
        size = 16 if kind in ELEMENT else 4
        m = Memory(kind, self.scratch_base, self.scratch)
        self.scratch += -(-count * size // 16) * 16
        return m

    def store(self, m: Memory, i: Value, v: Value) -> None:
        code, offset = self.address(m, i)
        if v.type != m.type:
            v = self.convert(v, m.type)
        self.out += code + v.code + (V_STORE + b"\x04" if m.type in ELEMENT else _STORES[m.type]) + LEB[offset]

    def assign(self, var: Value, v: Value) -> None:
        """Writes a variable."""
        if v.type != var.type:
            v = self.convert(v, var.type)
        self.out += v.code + SETS[var.index]

    def do_set(self, s: Statement) -> Value | None:
        """An assignment to a variable, an element, a member or a lane."""
        _, place, op, e = s
        v = self.expression(e)
        kind, name = place[0], place[1] if place[0] == "id" else place[1][1]
        target = self.scopes[-1].get(name) or self.scopes[0].get(name) or self.lookup(name)
        cls = target.__class__
        if cls is Memory:
            i = self.expression(place[2])
            if op:
                i = self.keep(i)
                code, offset = self.address(target, i)
                v = operators.binary(self, op, self.loaded(target.type, code, offset), v)
            self.store(target, i, v)
            return None
        if cls is dict:
            if kind == "id":
                self.fill(target["vars"], v)
                return None
            target = target["vars"][place[2] if kind == "member" else str(self.expression(place[2]).const)]
            self.assign(target, operators.binary(self, op, target, v) if op else v)
            return None
        if cls is Registers:
            target = self.register(target, place[2])
        elif kind != "id":
            k = LANES.index(place[2]) if kind == "member" else self.expression(place[2]).const
            element = ELEMENT[target.type]
            if op:
                v = operators.binary(self, op, self.extract(target, k), v)
            v = self.convert(v, element)
            self.emit(GETS[target.index], v.code, REPLACE[element] + bytes((k,)), SETS[target.index])
            return None
        if op:
            if self.sinks:
                v.product = ()  # a sum goes on in its own register, into which a multiply-add of Cranelift does not write
            v = operators.binary(self, op, target, v)
        if v.type != target.type:
            v = self.convert(v, target.type)
        self.out += v.code + SETS[target.index]  # `assign`, without a call
        return None

    def do_block(self, s: Statement) -> Value | None:
        self.push_scope()
        done = self.statements(s[1])
        self.pop_scope()
        return done

    def do_do(self, s: Statement) -> Value | None:
        if s[1][0] == "call" and s[1][1] in ("workgroupBarrier", "storageBarrier"):
            return None  # the threads of a workgroup that needs one are one (checked by compile_kernel)
        self.expression(s[1])
        return None

    def do_if(self, s: Statement) -> Value | None:
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

    def do_for(self, s: Statement) -> Value | None:
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

    def loop(self, first: Statement | None, test: Expression | None, step: Statement | None, body: Block) -> None:
        """A loop; the test before the first round is left out where it is known to hold."""
        leaves, skips = body.facts.leaves, body.facts.skips
        end = self.open(BLOCK) if leaves else -1
        guard = None if test is None or self.enters(first, test) else test
        if guard is not None:
            self.emit(self.expression(guard).code)
            self.open(IF)
        top = self.open(LOOP)
        self.frames[-1].depth += 1
        again = self.open(BLOCK) if skips else -1
        self.loops.append((end, again, top))
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
        if guard is not None:
            self.close()
        if leaves:
            self.close()

    def unrolled(self, s: Statement) -> Value | None:
        """Writes a short loop with known bounds out, its variable a constant; _NO where that cannot be."""
        _, first, test, step, body = s
        if first is None or test is None or step is None or first[0] != "var" or step[0] != "set" or step[1] != ("id", first[1]):
            return _NO
        if body.facts.leaves or body.facts.skips or first[1] in body.facts.assigned:
            return _NO
        values = self.rounds(s)
        if values is None:
            return _NO
        extent = self.extent(body)
        if len(values) * extent.nodes * self.copies > _NESTED:
            return _NO
        if len(values) * self.copies > _LIBRARY and not extent.calls.isdisjoint(library().procedures):
            return _NO
        outer, self.copies = self.copies, self.copies * max(1, len(values))
        try:
            for v in values:
                self.scopes.append({**self.scopes[-1], first[1]: v})
                done = self.statements(body)
                self.scopes.pop()
                if done is not None:
                    return done
            return None
        finally:
            self.copies = outer

    def do_return(self, s: Statement) -> Value | None:
        frame = self.frames[-1]
        v = None if s[1] is None else self.expression(s[1])
        if frame.label is None:
            if frame.depth:
                raise NeedsBlock
            return Value("none") if v is None else v
        if v is not None and frame.result is not None:
            self.fill(frame.result, v)
        self.branch(frame.label)
        return Value("none")

    def do_break(self, s: Statement) -> Value | None:
        self.branch(self.loops[-1][0])
        return Value("none")

    def do_continue(self, s: Statement) -> Value | None:
        self.branch(self.loops[-1][1])
        return Value("none")


_DO = {name[3:]: method for name, method in vars(Statements).items() if name[:3] == "do_"}  # by the kind of a statement
