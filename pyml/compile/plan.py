"""`Plan`: kernels in order and the memory they use. Pure data: no device, no buffers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Any, NamedTuple

from ..errors import TraceError
from ..graph.index import forget
from ..graph.loop import ENDLESS, KEEP, ROW
from ..graph.node import Node, freeze, toposort
from ..graph.op import Profile, Shape
from ..graph.prims import BUFFER, CONST, copy
from ..graph.prims.leaf import ended_trace
from .canonical import Canonical, is_given, source
from .chain import chains
from .groups import Group
from .memory import ITEM, Ref, Slots
from .order import ordered
from .schedule import schedule


class Facts(NamedTuple):
    """What is told of a kernel, whether its graph is still there or not (a plan that was kept has none)."""

    label: str
    results: tuple[tuple[str, Shape], ...]  # the op and the shape of each output
    moved: int  # bytes read and written if every element is touched once
    arithmetic: int  # operations if every element is computed once; a multiply-add is two


@dataclass(eq=False)
class Kernel:
    """One dispatch: a group of nodes, what it reads and what it writes.

    A kernel of a plan that was kept (`plan_file`) has no group, but is lowered and has its facts.
    """

    group: Group
    reads: tuple[Ref, ...]
    writes: tuple[Ref, ...]
    lowered: Any = None
    told: Facts | None = None

    @property
    def facts(self) -> Facts:
        if self.told is None:
            g = self.group
            moved = ITEM * sum(n.size for n in (*g.loads(), *g.outputs))
            arithmetic = sum(n.op.arithmetic(n) for n in (*g.anchors, *g.members.values()))
            self.told = Facts(g.label(), tuple((o.op.name, o.shape) for o in g.outputs), moved, arithmetic)
        return self.told

    @property
    def moved(self) -> int:
        """Bytes read and written if every element is touched once."""
        return self.facts.moved

    @property
    def arithmetic(self) -> int:
        """Arithmetic operations if every element is computed once; a multiply-add is two."""
        return self.facts.arithmetic

    def on_host(self, profile: Profile) -> bool:
        """Whether numpy computes it. Such kernels are never kept."""
        return self.group is not None and self.group.on_host(profile)

    def held(self) -> dict[Ref, Node]:
        """What each of its places holds."""
        return {**dict(zip(self.reads, self.group.loads(), strict=True)), **dict(zip(self.writes, self.group.outputs, strict=True))}

    @property
    def nanoseconds(self) -> int:
        """About how long one processor core takes: 8 bytes or 16 operations a nanosecond."""
        return self.moved // 8 + self.arithmetic // 16


    @property
    def dispatches(self) -> int:
        return 1

    def lines(self, number: int) -> list[str]:
        """What `explain` says of it."""
        name = lambda ref: {"leaf": "in", "slot": "t", "out": "out", "params": "p", "inner": "s"}[ref[0]] + str(ref[1])
        shapes = " ".join(str(list(shape)) for _, shape in self.facts.results)
        reads, writes = " ".join(map(name, self.reads)), " ".join(map(name, self.writes))
        return [f"{number:3} {self.facts.label:48} {reads:24} -> {writes:12} {shapes} {_work(self.moved, self.arithmetic)}"]


@dataclass(eq=False)
class Loop(Kernel):
    """A plan that is run once for every step of a loop. A carry has two places, which take turns.

    Its group's one anchor is the SCAN, its other nodes are the parts that are used.
    """

    steps: int = 0
    body: Plan = None  # type: ignore[assignment]
    inputs: tuple[Ref, ...] = ()  # what each leaf of the body is: a place outside, or ("carry", number)
    results: tuple[Ref, ...] = ()  # what each out of the body is
    carries: tuple[tuple[Ref, Ref, Ref], ...] = ()  # where the first value is, and the two places
    temporaries: tuple[Ref, ...] = ()  # what each slot of the body is
    ends: bool = False  # whether the first carry says if the loop goes on; after that no step need run

    @property
    def moved(self) -> int:
        return self.steps * sum(k.moved for k in self.body.kernels)

    @property
    def arithmetic(self) -> int:
        return self.steps * sum(k.arithmetic for k in self.body.kernels)

    @property
    def dispatches(self) -> int:
        return self.steps * self.body.dispatches

    def lines(self, number: int) -> list[str]:
        inner = [line for i, k in enumerate(self.body.kernels) for line in k.lines(i)]
        return [*super().lines(number), *(f"  x {'as many as it takes' if self.steps == ENDLESS else self.steps} {line}" for line in inner)]


@dataclass(eq=False)
class Chain(Kernel):
    """Several small kernels that are one dispatch; its group only says what all of them read, compute and write."""

    links: tuple[Kernel, ...] = ()

    def lines(self, number: int) -> list[str]:
        first, *others = (line for k in self.links for line in k.lines(number))
        return [first, *("  +" + line[3:] for line in others)]


@dataclass(eq=False)
class Plan:
    kernels: list[Kernel]
    slots: list[int]  # bytes of each temporary
    outs: list[Node]  # values given back, each in a buffer of its own
    out_refs: list[Ref]  # where each requested root is
    copies: list[tuple[Ref, Ref, int]]  # after the kernels: state writes that could not be in place
    params: int  # scalars lifted out of the kernels
    live_bytes: int = 0  # most bytes of temporaries alive at one time
    to_keep: str | None = None  # the key under which it is kept once its kernels are written

    @property
    def dispatches(self) -> int:
        return sum(k.dispatches for k in self.kernels)

    @property
    def kernels_made(self) -> int:
        """How many kernels are compiled for it: those of a loop's step count once."""
        return sum(k.body.kernels_made if isinstance(k, Loop) else 1 for k in self.kernels)

    def explain(self) -> str:
        """One line per dispatch: what it computes, reads and writes, the bytes it moves and the arithmetic, at least.

        The dispatches that a loop makes in every step follow it, each once with the number of steps.
        """
        lines = [line for i, k in enumerate(self.kernels) for line in k.lines(i)]
        moved, arithmetic = sum(k.moved for k in self.kernels), sum(k.arithmetic for k in self.kernels)
        lines.append(f"{self.dispatches} dispatches, at least {_work(moved, arithmetic)}, "
                     f"{len(self.copies)} copies, temporaries {sum(self.slots)} bytes "
                     f"in {len(self.slots)} buffers (at most {self.live_bytes} alive at once)")  # fmt: skip
        return "\n".join(lines)


def _work(moved: int, arithmetic: int) -> str:
    return f"{moved:,} B {arithmetic:,} ops ({arithmetic / max(moved, 1):.2f}/B)"


LIFTED = ("float32",)
_KEPT = (0.0, 1.0, -1.0, 2.0, 0.5)  # worth baking: they simplify the kernel


def graph_key(roots: list[Node], lift: bool) -> tuple[tuple[Any, ...], list[Node], list[Node]]:
    """The graph written out with its leaves numbered: `(key, leaves, lifted constants)`.

    Compared exactly, never by a hash alone. Lifted constants are scalars the kernels read from a uniform block.
    """
    number: dict[int, int] = {}
    leaves: list[Node] = []
    buffers: dict = {}
    params: list[Node] = []
    lines: list[tuple] = []
    for place, node in enumerate(toposort(roots, stop=is_given)):
        number[id(node)] = place
        if node.buffer is not None or node.op.given:
            what = source(node)
            if what not in buffers:
                buffers[what] = len(leaves)
                leaves.append(node)
            elif node.buffer is None and leaves[buffers[what]] is not node:  # a trace has one node for each
                raise ended_trace()
            lines.append((buffers[what], node.shape, node.dtype))
        elif node.op.of_loop:
            raise TraceError("a value of a step of a loop was used outside the loop; return it from the step's function.")
        elif lift and node.op.constant and node.dtype in LIFTED and node.attrs["value"] not in _KEPT:
            lines.append(("param", len(params), node.shape, node.dtype))
            params.append(node)
        elif node.op.transparent:  # its attributes may be functions, which are never equal
            lines.append((number[id(node.src[0])],))
        else:
            attrs = freeze(node.attrs) if node.attrs else ()
            lines.append((node.op.name, attrs, tuple([number[id(s)] for s in node.src]), node.dtype))
    return (tuple(lines), tuple([number[id(r)] for r in roots])), leaves, params


def make_plan(roots: list[Node], profile: Profile, leaves: list[Node], writes: dict[int, int] | None = None,
              params: Sequence[Node] = (), given: Sequence[tuple[Node, Node]] = ()) -> Plan:  # fmt: skip
    """Plans `roots`. `writes` maps a root's position to the number of the leaf it is written back to.

    `given` has nodes of the graph that stand for others, made of leaves with numbers.
    """
    forget()
    writes = writes or {}
    canonical = Canonical(profile, leaves)
    for i, node in enumerate(params):
        lifted = Node(CONST, (), {**node.attrs, "value": None, "param": i}, node.shape, node.dtype)
        canonical.mapped[id(node)] = canonical._merge(lifted)
    for node, other in given:
        canonical.give(node, other)
    stored = canonical(roots)
    written: set[int] = set()
    for position in sorted(writes):  # metrics that hold equal counts: each Variable is written by the kernel, not by a copy of the other
        if id(stored[position]) in written:
            stored[position] = copy(stored[position])
        written.add(id(stored[position]))
    full = [r for r in stored if r.size]
    states = {id(stored[p]): leaf for p, leaf in writes.items()}
    plan = _laid_out(schedule(full, profile, states), stored, writes, len(params), profile)
    for tries in range(4):
        kernels = [k for k in plan.kernels if not isinstance(k, Loop) and not k.group.on_host(profile)]
        crowded = [k for k in kernels if len({*k.reads, *k.writes}) > profile.most_bindings]
        if not crowded:
            break
        # a write that had to go through a temporary needs a binding of its own: plan without counting on the places of these
        lost = {id(o) for k in crowded for o in k.group.outputs} if tries < 3 else states.keys()
        states = {root: leaf for root, leaf in states.items() if root not in lost}
        plan = _laid_out(schedule(full, profile, states), stored, writes, len(params), profile)
    return plan


def _laid_out(groups: list[Group], roots: list[Node], writes: dict[int, int], params: int, profile: Profile) -> Plan:
    """Orders the groups and gives every value a place."""
    groups, in_place = ordered(groups, roots, writes)
    linked, inner = chains(groups, roots, in_place, profile) if writes and not profile.on_host else ([[g] for g in groups], [])
    groups = [g for links in linked for g in links]
    where: dict[int, Ref] = {id(node): ("inner", number) for number, node in enumerate(inner)}
    outs: list[Node] = []
    for position, root in enumerate(roots):
        if id(root) in in_place:
            where[id(root)] = ("leaf", in_place[id(root)])
        elif position not in writes and id(root) not in where:
            where[id(root)] = ("out", len(outs))
            outs.append(root)
    kept = {id(roots[p]) for p in writes if id(roots[p]) not in where}  # copied to their Variables after the kernels
    slots = Slots()
    loops = {i: _Body(g, profile) for i, g in enumerate(groups) if g.kind == "loop" and not g.on_host(profile)}
    for i in [i for i, body in loops.items() if body.for_host]:
        del loops[i]
        groups[i].hosted = True
    until = [end - 1 for end, links in zip(accumulate(map(len, linked)), linked, strict=True) for _ in links]
    bodies = slots.share(groups, where, kept, {i: b.temporaries for i, b in loops.items()}, until)
    kernels = [loops[i].placed(where, bodies[i]) if i in loops else Kernel(g, *_places(g, where)) for i, g in enumerate(groups)]
    left = iter(kernels)
    kernels = [_chained(list(islice(left, len(links)))) for links in linked]
    out_refs = [where.get(id(root), ("none", 0)) for root in roots]
    copies = [(out_refs[p], ("leaf", leaf), roots[p].size * ITEM)
              for p, leaf in sorted(writes.items()) if id(roots[p]) not in in_place and roots[p].size]  # fmt: skip
    return Plan(kernels, slots.sizes, outs, out_refs, copies, params, slots.peak)


def _chained(links: list[Kernel]) -> Kernel:
    """The kernels as one dispatch."""
    if len(links) == 1:
        return links[0]
    bound = lambda ref: ref[0] != "inner"
    writes = tuple(dict.fromkeys(ref for k in links for ref in k.writes if bound(ref)))
    loads = {ref: v for k in reversed(links) for v, ref in zip(k.group.loads(), k.reads, strict=True) if bound(ref) and ref not in writes}
    group = Group(-1, "chain")
    for k in links:
        group.anchors += k.group.anchors
        group.members |= k.group.members
        group.outputs += [o for o, ref in zip(k.group.outputs, k.writes, strict=True) if bound(ref)]
    group.set_loads(list(loads.values()))
    return Chain(group, tuple(loads), writes, links=tuple(links))


def _places(group: Group, where: dict[int, Ref]) -> tuple[tuple[Ref, ...], tuple[Ref, ...]]:
    """Where a group's values are read and written."""
    return tuple(_place(v, where) for v in group.loads()), tuple(where[id(o)] for o in group.outputs)


def _place(value: Node, where: dict[int, Ref]) -> Ref:
    while value.op.keeps_order:
        value = value.src[0]
    return ("leaf", value.attrs["leaf"]) if value.op.given else where[id(value)]


class _Body:
    """The plan of one step of a loop, with those results only that are used."""

    def __init__(self, group: Group, profile: Profile):
        self.group = group
        (self.scan,) = group.anchors
        attrs = self.scan.attrs
        self.steps, body, sizes, rows = attrs["steps"], attrs["body"], attrs["sizes"], (attrs["steps"], attrs["reverse"])
        nodes, self.alive = body.live(sizes.carries, group.outputs)
        self.arguments = [n.attrs["index"] for n in nodes if n.op.of_loop == "input"]
        given = []
        for number, node in enumerate(n for n in nodes if n.op.of_loop == "input"):
            row = sizes.carries <= node.attrs["index"] < sizes.carries + sizes.sequences
            leaf = Node(BUFFER, (), {"leaf": number}, (self.steps, *node.shape) if row else node.shape, node.dtype)
            given.append((node, ROW(leaf, steps=self.steps, reverse=attrs["reverse"]) if row else leaf))
        self.each = [p for p in group.outputs if p.attrs["of"] == "each"]
        roots = [KEEP(body.roots[i], carry=i) for i in self.alive]
        roots += [KEEP(body.order[p.attrs["number"]], part=p.attrs["number"], rows=rows) for p in self.each]
        self.plan = make_plan(roots, profile, [], given=given)
        inner = [k for k in self.plan.kernels if isinstance(k, Loop)]
        # numpy runs all steps where one of them needs it, or where a loop within has no other end than what its values say
        self.for_host = any(k.group.on_host(profile) for k in self.plan.kernels) or any(k.steps == ENDLESS for k in inner)
        self.ends = attrs["ends"] and not self.each
        self.last = {p.attrs["number"]: p for p in group.outputs if p.attrs["of"] == "last"}
        # of each carry, bytes of the places that are nobody's result
        places = {i: min(self.steps, 2) - (i in self.last) for i in self.alive}
        own = [body.roots[i].size * ITEM for i, n in places.items() for _ in range(n)]
        self.temporaries = [*own, *self.plan.slots]

    def placed(self, where: dict[int, Ref], inner: list[Ref]) -> Loop:
        """The loop with its memory: `where` has the values outside, `inner` is for `temporaries`."""
        free = iter(inner)
        carries = []
        for i in self.alive:
            first = _place(self.scan.src[i], where)
            a = where[id(self.last[i])] if i in self.last else next(free)
            b = next(free) if self.steps > 1 else a
            # the steps write a, b, a, …; the last one writes the result
            carries.append((first, a, b) if self.steps % 2 else (first, b, a))
        number = {i: ("carry", k) for k, i in enumerate(self.alive)}
        inputs = tuple(number[i] if i in number else _place(self.scan.src[i], where) for i in self.arguments)
        places = [*number.values(), *(where[id(p)] for p in self.each)]
        results = {ref[1]: place for ref, place in zip(self.plan.out_refs, places, strict=True) if ref[0] == "out"}
        return Loop(self.group, *_places(self.group, where), None, None, self.steps, self.plan, inputs,
                    tuple(results[k] for k in sorted(results)), tuple(carries), tuple(free), self.ends)  # fmt: skip
