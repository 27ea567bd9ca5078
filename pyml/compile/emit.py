"""Writes a group of nodes as WGSL: elementwise kernels, reductions with prologue and epilogue, epilogues of routines.

Elements are handled four at a time where that is possible: a load whose index is lane + 4 * something is one vec4
load, one that does not depend on the lane is a splat, any other is four loads.
"""

from __future__ import annotations

from math import prod

from ..errors import ShapeError
from ..graph.index import Index, Var, constant, coordinates, linear, variable
from ..graph.loop import STEP, TURN, kept_row
from ..graph.node import Node
from ..graph.op import Profile
from ..graph.prims.teams import runs
from .groups import Group
from .loops import Accumulator, Loop
from .loops import write as write_loops
from .plan import Kernel
from .wgsl import MEMORY, PRIVATE, cast, expand, index_text, lane_split, literal, typename

LANE = Var("lane", 4)


class Emitter:
    """Statements that compute nodes at index expressions; every value is computed once per scope."""

    def __init__(self, kernel: Kernel, profile: Profile, width: int, scalar_refs: frozenset, prefix: str = "", taken: dict | None = None):
        self.kernel, self.group = kernel, kernel.group
        self.profile = profile
        self.width = width
        self.prefix = prefix
        self.scalar_refs = scalar_refs  # buffers bound as array<f32> because somebody needs single elements
        self.wants_scalar: set = set()
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

    # ---- names and scopes
    def fresh(self, level: int) -> str:
        self.count += 1
        name = f"{self.prefix}t{self.count}"
        self.level_of[name] = level
        return name

    def put(self, text: str, kind: str, level: int) -> str:
        name = self.fresh(level)
        self.bodies[level].append(f"let {name}: {kind} = {text};")
        return name

    def binding(self, ref) -> str:
        if ref not in self.names:
            self.names[ref] = f"{self.prefix}b{len(self.names)}"
        return self.names[ref]

    # ---- indices
    def atom(self, atom) -> str:
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
        return max((self.var_level.get(n, 0) for n in e.variables()), default=0)

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
        stack = [(node, e)]
        while stack:
            n, at = stack[-1]
            key = (id(n), at.key)
            if key in self.memo:
                stack.pop()
                continue
            waiting = [c for c in self.children(n, at) if (id(c[0]), c[1].key) not in self.memo]
            if waiting:
                stack.extend(reversed(waiting))
            else:
                self.memo[key] = self.compute(n, at)
                stack.pop()
        return self.memo[(id(node), e.key)]

    def children(self, n: Node, at: Index):
        if id(n) in self.given or id(n) in self.ref_of:
            return []
        if n.op.is_view:
            return [(s, i) for s, (i, _, _) in self.moved(n, at)]
        return [(s, at) for s in n.src]

    def moved(self, n: Node, at: Index):
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
        args = [self.memo[(id(s), at.key)] for s in n.src]
        return self.apply(n, args)

    def apply(self, n: Node, args: list[str]) -> str:
        level = max(self.level_of.get(a, 0) for a in args)
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
        kind = typename(n.dtype, self.width)
        if n.op.counts:
            level = self.level(at)
            if self.width == 4:
                return self.put(f"{kind}({self.index_vector(at)})", kind, level)
            return self.put(f"{kind}({self.index(at)})", kind, level)
        if n.op is STEP:
            self.uses_turn = True
            return self.put(f"{kind}(i32({TURN}))", kind, 0)
        if "param" in n.attrs:
            k = n.attrs["param"]
            self.uses_params = True
            return self.put(f"{kind}(params[{k // 4}].{'xyzw'[k % 4]})", kind, 0)
        text = literal(n.attrs["value"], n.dtype)
        return self.put(text if self.width == 1 else f"{kind}({text})", kind, 0)

    def move(self, n: Node, at: Index) -> str:
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
            level = max(level, self.level_of.get(value, 0), self.level_of.get(result, 0))
            result = self.put(f"select({result}, {value}, {test})", kind, level)
        return result  # type: ignore[return-value]

    def load(self, n: Node, at: Index) -> str:
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
                return self.put(wrap(f"{name}[{last(self.index(q), 4)}]"), kind, level)
        self.wants_scalar.add(ref)
        each = (self.index(_not_before(at.substitute("lane", constant(k)))) for k in range(4))
        return self.put(wrap(f"{memory}({', '.join(f'{name}[{last(i)}]' for i in each)})"), kind, level)

    def last_element(self, n: Node, at: Index):
        """Wraps the text of an index that may lie outside its buffer, where no adapter checks it."""
        if self.profile.checks_bounds or (at.low >= 0 and at.high < -(-n.size // 4) * 4):
            return lambda text, width=1: text
        return lambda text, width=1: f"min({text}, {-(-n.size // width) - 1}u)"

    def store(self, node: Node, ref, at: Index, position: str) -> str:
        """A statement that writes the element(s) at `at`; `position` is the index in units of the width."""
        value = self.value(node, at)
        if node.dtype == "bool":
            kind = typename("uint32", self.width)
            value = f"select({kind}(0u), {kind}(1u), {value})"
        name = self.binding(ref)
        row = kept_row(node)
        if row is not None and self.width == 4 and node.size % 4:
            return self.store_in_row(name, ref, row * node.size, node, value, position)
        if row is not None:
            position = f"{position} + {self.index(row * (node.size // self.width))}"
        if self.width == 4 and ref in self.scalar_refs:
            v = self.put(value, typename(node.dtype if node.dtype != "bool" else "uint32", 4), 0)
            return " ".join(f"{name}[({position}) * 4u + {k}u] = {v}.{'xyzw'[k]};" for k in range(4))
        if self.width == 1:
            self.wants_scalar.add(ref)
        return f"{name}[{position}] = {value};"

    def store_in_row(self, name: str, ref, first: Index, node: Node, value: str, position: str) -> str:
        """Stores up to four elements of a row that others follow: lanes beyond its end would fall into the next one."""
        self.wants_scalar.add(ref)
        v = self.put(value, typename(node.dtype if node.dtype != "bool" else "uint32", 4), 0)
        at = self.put(f"({position}) * 4u", "u32", 0)
        first_text = self.index(first)
        last = lambda k: node.size - k
        return " ".join(f"if ({at} < {last(k)}u) {{ {name}[{at} + {k}u + {first_text}] = {v}.{'xyzw'[k]}; }}" for k in range(4))


def _not_before(at: Index) -> Index:
    """A place that is always before the start, and so never used, becomes 0: compilers refuse constants out of range."""
    return constant(0) if at.high < 0 else at


def _quarter(rest: Index) -> Index | None:
    if rest.const % 4 or any(c % 4 for c in rest.terms.values()):
        return None
    return Index({k: c // 4 for k, c in rest.terms.items()}, rest.const // 4, rest.atoms)


# ---- whole kernels
def launch(threads: int) -> tuple[int, tuple[int, int, int], list[str]]:
    """Workgroup size, grid (folded to two dimensions over 65,535) and the lines that find and check `i`."""
    size = 64 if threads >= 512 else 32 if threads >= 128 else 16 if threads >= 32 else 8
    groups = -(-threads // size)
    if groups <= 65535:
        grid = (groups, 1, 1)
        find = "let i = gid.x;"
    else:
        wide = 32768
        grid = (wide, -(-groups // wide), 1)
        find = f"let i = gid.x + gid.y * {wide * size}u;"
        if grid[1] > 65535:
            raise ShapeError(f"a kernel over {threads} elements is larger than WebGPU can dispatch; split the array.")
    return size, grid, [find, f"if (i >= {threads}u) {{ return; }}"]


def declarations(kernel: Kernel, emitter: Emitter, first: int, params: int, skip=()):
    """Binding declarations from number `first`; `skip` are refs that the kernel file declares itself."""
    lines: list[str] = []
    modes: list[str] = []
    order: list[tuple] = []
    written = {r: i for i, r in enumerate(kernel.writes)}
    read = {r: i for i, r in reversed(list(enumerate(kernel.reads)))}
    nodes = {r: n for n, r in zip(emitter.loads, kernel.reads, strict=True)}
    nodes |= {r: n for n, r in zip(kernel.group.outputs, kernel.writes, strict=True)}
    for ref, name in emitter.names.items():
        if ref in skip:
            continue
        element = MEMORY[nodes[ref].dtype]
        if ref not in emitter.scalar_refs:
            element = f"vec4<{element}>"
        mode = "read_write" if ref in written else "read"
        lines.append(f"@group(0) @binding({first + len(modes)}) var<storage, {mode}> {name}: array<{element}>;")
        modes.append(mode)
        order.append(("write", written[ref]) if ref in written else ("read", read[ref]))
    if emitter.uses_params:
        lines.append(f"@group(0) @binding({first + len(modes)}) var<uniform> params: array<vec4<f32>, {max(1, -(-params // 4))}>;")
        modes.append("uniform")
        order.append(("params", 0))
    if emitter.uses_turn:
        lines.append(f"@group(0) @binding({first + len(modes)}) var<uniform> turn: array<vec4<u32>, 1>;")
        modes.append("turn")
        order.append(("turn", 0))
    return lines, tuple(modes), tuple(order)


def preamble(emitter: Emitter, lines: list[str]) -> list[str]:
    text = "\n".join((*emitter.helpers, *lines))
    return [line for name, line in PRIVATE.items() if name in text] + list(emitter.helpers)


def elementwise(kernel: Kernel, profile: Profile, scalar: frozenset, taken: dict | None = None):
    group = kernel.group
    n = group.domain
    width = 4 if n >= 4 else 1
    emitter = Emitter(kernel, profile, width, scalar, taken=taken)
    # the last lanes of a size that is not a multiple of four fall into the buffers' padding
    i = variable(Var("i", -(-n // width)))
    at = i * 4 + variable(LANE) if width == 4 else i
    stores = [emitter.store(o, r, at, "i") for o, r in zip(group.outputs, kernel.writes, strict=True)]
    return emitter, [*emitter.bodies[0], *stores], -(-n // width)


def accumulator(anchor: Node, name: str, value: str, width: int) -> Accumulator:
    """How a reduction node combines `value` into the variable `name`."""
    dtype, op = anchor.dtype, anchor.op
    combine = lambda a, b: expand(op.combine(dtype), {"a": a, "b": b}, dtype, width)
    start = literal(op.neutral(dtype), dtype)
    return Accumulator(name, typename(dtype, width), start, combine, value, rounds=op.rounds and dtype == "float32")


def reduction(kernel: Kernel, profile: Profile, scalar: frozenset, taken: dict | None = None):
    group: Group = kernel.group
    x, axis = group.anchors[0].src[0], group.anchors[0].attrs["axis"]
    shape = x.shape
    out_shape = tuple(n for k, n in enumerate(shape) if k not in axis)
    loops_over = runs(axis)
    sizes = [prod(shape[a] for a in r) for r in loops_over]
    last_reduced = bool(axis) and axis[-1] == len(shape) - 1
    by_lane = last_reduced and sizes[-1] % 4 == 0
    by_out = not last_reduced and bool(out_shape) and shape[-1] % 4 == 0
    width = 4 if by_lane or by_out else 1
    emitter = Emitter(kernel, profile, width, scalar, taken=taken)
    n = group.domain
    i = variable(Var("i", max(1, n // 4 if by_out else n)))
    at = i * 4 + variable(LANE) if by_out else i
    # loops
    coords: list = [None] * len(shape)
    for k, c in zip([k for k in range(len(shape)) if k not in axis], coordinates(at, out_shape), strict=True):
        coords[k] = c
    loops = []
    for level, (run, size) in enumerate(zip(loops_over, sizes, strict=True), 1):
        trips = size // 4 if by_lane and run is loops_over[-1] else size
        var = Var(f"r{level}", trips)
        emitter.var_level[var.name] = level
        emitter.bodies.append([])
        r = variable(var)
        if by_lane and run is loops_over[-1]:
            r = r * 4 + variable(LANE)
        for a, c in zip(run, coordinates(r, [shape[a] for a in run]), strict=True):
            coords[a] = c
        loops.append(Loop(var.name, trips, emitter.bodies[level]))
    source = linear(coords, shape)
    accumulators = [accumulator(anchor, f"acc{k}", emitter.value(anchor.src[0], source), width) for k, anchor in enumerate(group.anchors)]
    lines = [*emitter.bodies[0], *write_loops(loops, accumulators)]
    # epilogue: values of the loops are out of scope
    emitter.bodies = [[]]
    emitter.memo = {k: v for k, v in emitter.memo.items() if (isinstance(v, str) and emitter.level_of.get(v, 0) == 0 and not by_lane)
                    or (k[0] == "q" and emitter.level_of.get(v, 0) == 0)}  # fmt: skip
    emitter.var_level = {}
    for k, anchor in enumerate(group.anchors):
        name, dtype = f"acc{k}", anchor.dtype
        if by_lane:
            pairs = (f"acc{k}.x", f"acc{k}.y", f"acc{k}.z", f"acc{k}.w")
            for half in ((0, 1), (2, 3)):
                text = expand(anchor.op.combine(dtype), {"a": pairs[half[0]], "b": pairs[half[1]]}, dtype, 1)
                lines.append(f"let half{k}_{half[0]}: {typename(dtype, 1)} = {text};")
            text = expand(anchor.op.combine(dtype), {"a": f"half{k}_0", "b": f"half{k}_2"}, dtype, 1)
            lines.append(f"let total{k}: {typename(dtype, 1)} = {text};")
            name = f"total{k}"
        emitter.given[id(anchor)] = name
    if by_lane:
        emitter.width = 1
    stores = [emitter.store(o, r, at, "i") for o, r in zip(group.outputs, kernel.writes, strict=True)]
    return emitter, [*lines, *emitter.bodies[0], *stores], -(-n // (4 if by_out else 1))
