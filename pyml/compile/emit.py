"""Writes nodes as WGSL statements at given indices; `emit_kernel.py` and `emit_group.py` make kernels of them.

Elements are handled four at a time where that is possible: a load whose index is lane + 4 * something is one vec4
load, one that does not depend on the lane is a splat, any other is four loads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from ..errors import ShapeError
from ..graph.index import Index, Quotient, Var, constant, coordinates, linear
from ..graph.loop import TURN, kept_row
from ..graph.node import Node
from ..graph.op import Profile
from .groups import table
from .memory import Ref
from .plan import Kernel
from .wgsl import MEMORY, cast, expand, index_text, lane_split, literal, typename

LANE = Var("lane", 4)
Moved: TypeAlias = tuple[Index, Sequence[tuple[Index, int]], float | None]  # of an element: its number, `0 <= index < size`, or what it is


class Emitter:
    """Statements that compute nodes at index expressions; every value is computed once per scope."""

    def __init__(self, kernel: Kernel, profile: Profile, width: int, scalar_refs: frozenset, prefix: str = "", taken: dict | None = None):
        self.kernel, self.group = kernel, kernel.group
        self.profile = profile
        self.width = width
        self.prefix = prefix
        self.scalar_refs = scalar_refs  # buffers bound as array<f32> because somebody needs single elements
        self.wants_scalar: set = set()
        self.by_four: set = set()  # buffers that are read or written four elements at a time
        self.bodies: list[list[str]] = [[]]
        self.memo: dict = {}
        self.level_of: dict[str, int] = {}
        self.var_level: dict[str, int] = {}
        self.count = 0
        self.helpers: dict[str, None] = {}
        self.vectors: set[str] = set()  # tests that have an answer for each lane
        self.uses_params = self.uses_turn = False
        self.loads = self.group.loads()
        self.ref_of = {id(v): r for v, r in zip(self.loads, kernel.reads, strict=True)}
        self.names: dict = dict(taken or {})  # ref -> binding name
        self.given: dict[int, str] = {}  # anchors whose value is at hand

    def settled(self) -> bool:
        """Whether the statements hold as they are written: then what is read by single elements, and never by four, is bound so."""
        if self.wants_scalar & self.by_four:
            return False
        self.scalar_refs |= self.wants_scalar
        return True

    # ---- names and scopes
    def put(self, text: str, kind: str, level: int) -> str:
        self.count += 1
        name = f"{self.prefix}t{self.count}"
        self.level_of[name] = level
        self.bodies[level].append(f"let {name}: {kind} = {text};")
        return name

    def binding(self, ref: Ref) -> str:
        if ref not in self.names:
            self.names[ref] = f"{self.prefix}b{len(self.names)}"
        return self.names[ref]

    # ---- indices
    def atom(self, atom: Var | Quotient) -> str:
        """The text of a variable, or the name of a quotient or remainder that was computed before."""
        if isinstance(atom, Var):
            self.uses_turn |= atom.name == TURN
            return atom.name
        key = ("q", atom.key)
        if key not in self.memo:
            if atom.expr.high >= 2**32:
                raise ShapeError(
                    f"{self.group.label()}: more than {2**32:,} elements cannot be indexed on this device; reduce or split "
                    "them axis by axis."
                )
            op = "/" if atom.op == "/" else "%"
            text = f"({index_text(atom.expr, self.atom)}) {op} {atom.k}u"
            self.memo[key] = self.put(text, "u32", self.level(atom.expr))
        return self.memo[key]

    def level(self, e: Index) -> int:
        return max([self.var_level.get(n, 0) for n in e.variables()], default=0) if self.var_level else 0

    def index(self, e: Index) -> str:
        return index_text(e, self.atom)

    def lanes(self, e: Index) -> list[str]:
        return [self.index(e.substitute("lane", constant(k))) for k in range(4)]

    def index_vector(self, e: Index) -> str:
        """The index of every lane."""
        split = lane_split(e, "lane")
        if split is None:
            return f"vec4<u32>({', '.join(self.lanes(e))})"
        c, rest = split
        if not rest.terms:  # literals: a compiler that folds constants may refuse a difference below zero
            return f"vec4<u32>({', '.join(literal(rest.const + k * c, 'uint32') for k in range(4))})"
        base = f"vec4<u32>({self.index(rest)})"
        apart = ", ".join(f"{c * k % 2**32}u" for k in range(4))  # backwards where c is negative
        return base if not c else f"({base} + vec4<u32>({apart}))"

    def condition(self, e: Index, size: int) -> tuple[str, int] | None:
        """Whether 0 <= e < size (in u32 a negative index is large); None when always."""
        if e.low >= 0 and e.high < size:
            return None
        level = self.level(e)
        if self.width == 4 and "lane" in e.variables():
            name = self.put(f"{self.index_vector(e)} < vec4<u32>({size}u)", "vec4<bool>", level)
            self.vectors.add(name)
            return name, level
        return self.put(f"({self.index(e)}) < {size}u", "bool", level), level

    # ---- values
    def value(self, node: Node, e: Index) -> str:
        """The name of `node`'s element(s) at row-major index `e`. Iterative: chains can be hundreds long."""
        memo, stack = self.memo, [(node, e, (id(node), e.key), False)]
        while stack:
            n, at, key, ready = stack.pop()
            if key in memo:
                continue
            waiting = [] if ready else [
                (s, i, k, False) for s, i in self.children(n, at) if (k := (id(s), i.key)) not in memo
            ]  # fmt: skip
            if waiting:
                stack.append((n, at, key, True))
                stack += waiting[::-1]
            else:
                memo[key] = self.compute(n, at)
        return memo[id(node), e.key]

    def children(self, n: Node, at: Index) -> list[tuple[Node, Index]]:
        if id(n) in self.given or id(n) in self.ref_of:
            return []
        if n.op.is_view:
            return [(s, i) for s, (i, _, _) in self.moved(n, at)]
        return [(s, at) for s in (n.src[1:] if n.op.looks_up else n.src)]

    def moved(self, n: Node, at: Index) -> list[tuple[Node, Moved]]:
        """(source, (index, conditions, otherwise)) of a movement node."""
        key = ("moved", id(n), at.key)
        if key not in self.memo:
            found = n.op.index(coordinates(at, n.shape), *(s.shape for s in n.src), **n.attrs)
            self.memo[key] = [
                (s, (linear(coords, s.shape), tests, otherwise))
                for s, (coords, tests, otherwise) in zip(n.src, found, strict=False)
            ]
        return self.memo[key]

    def compute(self, n: Node, at: Index) -> str:
        if id(n) in self.given:
            return self.given[id(n)]
        if id(n) in self.ref_of:
            return self.load(n, at)
        if not n.src:
            return self.leaf(n, at)
        if n.op.is_view:
            return self.move(n, at)
        if n.op.looks_up:
            return self.looked_up(n, self.memo[(id(n.src[1]), at.key)])
        args = [self.memo[(id(s), at.key)] for s in n.src]
        return self.apply(n, args)

    def apply(self, n: Node, args: list[str]) -> str:
        level = max([self.level_of.get(a, 0) for a in args])
        operand = n.src[-1].dtype
        if n.op.converts == "value":
            text = cast(args[0], operand, n.dtype, self.width, saturates=self.profile.casts_saturate)
        elif n.op.converts == "bits":
            text = f"bitcast<{typename(n.dtype, self.width)}>({args[0]})"
        else:
            text = expand(n.op.expression(operand), dict(zip(n.op.params, args, strict=True)), operand, self.width)
            for helper in n.op.helpers(operand):
                self.helpers[expand(helper, {}, operand, self.width)] = None
        return self.put(text, typename(n.dtype, self.width), level)

    def leaf(self, n: Node, at: Index) -> str:
        """A node without sources: a counter, the number of a loop's step, a parameter or a constant."""
        kind = typename(n.dtype, self.width)
        if n.op.counts:
            level = self.level(at)
            if self.width == 4:
                return self.put(f"{kind}({self.index_vector(at)})", kind, level)
            return self.put(f"{kind}({self.index(at)})", kind, level)
        if n.op.of_loop == "turn":
            self.uses_turn = True
            return self.put(f"{kind}(i32({TURN}))", kind, 0)
        if "param" in n.attrs:
            k = n.attrs["param"]
            self.uses_params = True
            return self.put(f"{kind}(params[{k // 4}].{'xyzw'[k % 4]})", kind, 0)
        text = literal(n.attrs["value"], n.dtype)
        return self.put(text if self.width == 1 else f"{kind}({text})", kind, 0)

    def move(self, n: Node, at: Index) -> str:
        """A movement node: of its sources the one whose conditions hold at this index."""
        kind = typename(n.dtype, self.width)
        result = None
        for s, (index, tests, otherwise) in reversed(self.moved(n, at)):
            value = self.memo[(id(s), index.key)]
            found = [t for t in (self.condition(e, size) for e, size in tests) if t is not None]
            if not found:
                result = value
                continue
            if otherwise is not None:
                text = literal(otherwise, n.dtype)
                result = text if self.width == 1 else f"{kind}({text})"
            if result is None:  # the last source has whatever the others have not
                result = value
                continue
            level = max(lv for _, lv in found)
            names = [t for t, _ in found]
            if self.width == 4 and len(names) > 1:
                names = [t if t in self.vectors else f"vec4<bool>({t})" for t in names]
            test = " & ".join(names)
            level = max(level, self.level_of[value], self.level_of.get(result, 0))
            result = self.put(f"select({result}, {value}, {test})", kind, level)
        return result  # type: ignore[return-value]

    def load(self, n: Node, at: Index) -> str:
        """The element(s) of a buffer at an index: one vector load where four lie side by side, else one for each lane."""
        at = _not_before(at)
        ref = self.ref_of[id(n)]
        name, level, kind = self.binding(ref), self.level(at), typename(n.dtype, self.width)
        scalar = ref in self.scalar_refs
        last = self.last_element(n, at)
        wrap = (lambda t: f"({t} != {typename('uint32', self.width)}(0u))") if n.dtype == "bool" else lambda t: t
        if self.width == 1:
            self.wants_scalar.add(ref)
            return self.put(wrap(f"{name}[{last(self.index(at))}]"), kind, level)
        memory = f"vec4<{MEMORY[n.dtype]}>"
        split = lane_split(at, "lane")
        if split is not None and split[0] == 0:
            self.wants_scalar.add(ref)
            return self.put(wrap(f"{memory}({name}[{last(self.index(at))}])"), kind, level)
        if split is not None and split[0] == 1:
            q = _quarter(split[1])
            if q is not None and not scalar:
                self.by_four.add(ref)
                return self.put(wrap(f"{name}[{last(self.index(q), 4)}]"), kind, level)
        self.wants_scalar.add(ref)
        each = (self.index(_not_before(at.substitute("lane", constant(k)))) for k in range(4))
        return self.put(wrap(f"{memory}({', '.join(f'{name}[{last(i)}]' for i in each)})"), kind, level)

    def looked_up(self, n: Node, place: str) -> str:
        """The element(s) of a table at places that are values, each 0 where there is no such element."""
        found = table(n)
        ref, level, size = self.ref_of[id(found)], self.level_of.get(place, 0), found.size
        self.wants_scalar.add(ref)
        kind, places = typename(n.dtype, self.width), typename("uint32", self.width)
        number = self.put(f"{places}({place})", places, level)  # a negative number wraps to a large one
        inside = self.put(f"{number} < {places}({size}u)", typename("bool", self.width), level)
        safe = self.put(f"select({places}(0u), {number}, {inside})", places, level)
        name = self.binding(ref)
        if self.width == 1:
            text = f"{name}[{safe}]"
        else:
            text = f"vec4<{MEMORY[n.dtype]}>({', '.join(f'{name}[{safe}.{k}]' for k in 'xyzw')})"
        if n.dtype == "bool":
            text = f"({text} != {places}(0u))"
        return self.put(f"select({kind}({literal(0, n.dtype)}), {text}, {inside})", kind, level)

    def last_element(self, n: Node, at: Index) -> Callable[..., str]:
        """Wraps the text of an index that may lie outside its buffer, where no adapter checks it."""
        if self.profile.checks_bounds or (at.low >= 0 and at.high < -(-n.size // 4) * 4 and not at.wraps):
            return lambda text, width=1: text
        return lambda text, width=1: f"min({text}, {-(-n.size // width) - 1}u)"

    def store(self, node: Node, ref: Ref, at: Index, position: str) -> str:
        """A statement that writes the element(s) at `at`; `position` is the index in units of the width."""
        value = self.value(node, at)
        kind = typename("uint32" if node.dtype == "bool" else node.dtype, self.width)
        if node.dtype == "bool":
            value = f"select({kind}(0u), {kind}(1u), {value})"
        name = self.binding(ref)
        row = kept_row(node)
        if row is not None and self.width == 4 and node.size % 4:
            return self.store_in_row(name, ref, row * node.size, node.size, self.put(value, kind, 0), position)
        if row is not None:
            position = f"{position} + {self.index(row * (node.size // self.width))}"
        if self.width == 4 and ref in self.scalar_refs:
            v = self.put(value, kind, 0)
            return " ".join(f"{name}[({position}) * 4u + {k}u] = {v}.{'xyzw'[k]};" for k in range(4))
        (self.wants_scalar if self.width == 1 else self.by_four).add(ref)
        return f"{name}[{position}] = {value};"

    def store_in_row(self, name: str, ref: Ref, first: Index, size: int, v: str, position: str) -> str:
        """Stores up to four elements of a row that others follow: lanes beyond its end would fall into the next one."""
        self.wants_scalar.add(ref)
        at = self.put(f"({position}) * 4u", "u32", 0)
        first_text = self.index(first)
        return " ".join(f"if ({at} < {size - k}u) {{ {name}[{at} + {k}u + {first_text}] = {v}.{'xyzw'[k]}; }}" for k in range(4))


def _not_before(at: Index) -> Index:
    """A place that is always before the start, and so never used, becomes 0: compilers refuse constants out of range."""
    return constant(0) if at.high < 0 else at


def _quarter(rest: Index) -> Index | None:
    if rest.const % 4 or any(c % 4 for c in rest.terms.values()):
        return None
    return Index({k: c // 4 for k, c in rest.terms.items()}, rest.const // 4, rest.atoms)
