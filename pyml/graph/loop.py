"""Loops as nodes: a body, traced once, that a `SCAN` node runs for every row of its sequences.

A SCAN has several results; `PART` nodes stand for them: what a carry is after the last step, or any value of the body
in all steps, stacked. Which are used decides what a plan computes.
"""

from __future__ import annotations

import weakref
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..dtypes import NUMPY
from ..errors import TraceError
from .index import Index, Place, Var, constant, variable
from .node import Node, freeze, toposort
from .op import Elementwise, Movement, Op, Routine, Shape, leaf
from .prims import CONST, IOTA, broadcast_to, cast, copy, full, mul, reshape
from .prims.elementwise import ADD

ARG = leaf("loop_input", of_loop="input")  # in a body: a carry, a row of a sequence, or something that is the same in all steps
STEP = leaf("loop_step", in_memory=False, of_loop="turn")  # in a body: how many steps were made before, int32
ENDLESS = 2**31 - 1  # steps of a loop that only its own values end
TURN = "turn[0].x"  # how kernels spell it


@dataclass(eq=False)
class LoopOp(Op):
    """Runs a body for every row of its sequences; it has several results."""

    kind = "loop"


@dataclass(eq=False)
class PartOp(Op):
    """One of the results of a loop."""

    kind = "part"


def _not_here(*args: Any, **attrs: Any) -> Any:
    raise AssertionError("only kernels compute this")


def _row_index(c: Sequence[Index], s: Shape, steps: int, reverse: bool) -> list[Place]:
    step = variable(Var(TURN, steps))
    return [([step * -1 + (steps - 1) if reverse else step, *c], [], None)]


# ROW and KEEP exist in the plan of a body only: the row of a sequence that belongs to the step, and a result of the step,
# which a kernel stores in row `rows = (steps, reverse)` of a sequence, or where the next step finds it (rows None).
ROW = Movement("loop_row", lambda s, **a: s[1:], lambda d, **a: d, _not_here, index=_row_index)
KEEP = Elementwise("loop_keep", lambda s, **a: s, lambda d, **a: d, _not_here, wgsl="x", params=("x",))


def kept_row(node: Node) -> Index | None:
    """The row that a KEEP node is stored in, as an index; None where it has memory of its own."""
    rows = node.attrs.get("rows") if node.op is KEEP else None
    if rows is None:
        return None
    steps, reverse = rows
    step = variable(Var(TURN, steps)) if steps > 1 else constant(0)
    return step * -1 + (steps - 1) if reverse else step


class Body:
    """One step: `roots` (first the carries after it) as functions of `inputs`. Bodies that compute the same are equal."""

    __slots__ = ("_hash", "inputs", "key", "order", "roots")

    def __init__(self, inputs: Sequence[Node], roots: Sequence[Node]):
        self.inputs, self.roots = tuple(inputs), tuple(roots)
        self.order = toposort(self.roots)
        number = {id(n): i for i, n in enumerate(self.order)}
        lines = tuple(
            number[id(n.src[0])] if n.op.transparent  # whose attributes may be functions, which are never equal
            else (n.op.name, freeze(n.attrs), tuple(number[id(s)] for s in n.src), n.shape, n.dtype) for n in self.order
        )  # fmt: skip
        self.key = (lines, tuple(number[id(r)] for r in self.roots), len(self.inputs))
        self._hash = hash(self.key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Body) and self.key == other.key

    def __repr__(self) -> str:
        return f"Body{self.key!r}"

    def live(self, carries: int, parts: Iterable[Node]) -> tuple[list[Node], list[int]]:
        """The nodes that these parts need, in order, and the numbers of the carries among them."""
        needed: set[int] = set()
        stack = [self.roots[p.attrs["number"]] if p.attrs["of"] == "last" else self.order[p.attrs["number"]] for p in parts]
        alive = {p.attrs["number"] for p in parts if p.attrs["of"] == "last"}
        while stack:
            node = stack.pop()
            if id(node) in needed:
                continue
            needed.add(id(node))
            stack.extend(node.src)
            if node.op is ARG and node.attrs["index"] < carries:
                alive.add(node.attrs["index"])
                stack.append(self.roots[node.attrs["index"]])
        return [n for n in self.order if id(n) in needed], sorted(alive)


class Sizes(NamedTuple):
    """How the sources of a SCAN divide: carries, then sequences, then what is the same in all steps."""

    carries: int
    sequences: int


def _evaluate(*src: np.ndarray, body: Body, sizes: Sizes, steps: int, reverse: bool, ends: bool,
              parts: Sequence[Node]) -> dict[tuple[str, int], np.ndarray]:  # fmt: skip
    """What numpy says: a dict from `(of, number)` of the parts to arrays."""
    nodes, alive = body.live(sizes.carries, parts)
    now = {i: src[i] for i in alive}
    each = {p.attrs["number"]: np.empty(p.shape, NUMPY[p.dtype]) for p in parts if p.attrs["of"] == "each"}
    first = sizes.carries + sizes.sequences
    for t in range(steps):
        if ends and not each and not now[0]:
            break
        row = steps - 1 - t if reverse else t
        env: dict[int, Any] = {}
        for node in nodes:
            if node.op is ARG:
                k = node.attrs["index"]
                env[id(node)] = now[k] if k < sizes.carries else src[k][row] if k < first else src[k]
            elif node.op is STEP:
                env[id(node)] = np.int32(t)
            elif node.op is SCAN:
                inner = [n for n in nodes if n.op is PART and n.src[0] is node]
                env[id(node)] = _evaluate(*(env[id(s)] for s in node.src), **node.attrs, parts=inner)
            else:
                env[id(node)] = np.asarray(node.op.numpy(*(env[id(s)] for s in node.src), **node.attrs))
        for k, out in each.items():
            out[row] = env[id(body.order[k])]
        now = {i: np.asarray(env[id(body.roots[i])], NUMPY[body.roots[i].dtype]) for i in alive}
    found: dict[tuple[str, int], Any] = {("each", k): v for k, v in each.items()}
    return found | {("last", i): v for i, v in now.items()}


SCAN = LoopOp("scan", lambda *s, **a: (), lambda *d, **a: "float32", _evaluate)
PART = PartOp("scan_part", lambda s, shape, **a: shape, lambda d, dtype, **a: dtype, lambda found, of, number, **a: found[of, number])


def _part(scan: Node, of: str, number: int, shape: tuple[int, ...], dtype: str) -> Node:
    return Node(PART, (scan,), {"of": of, "number": number, "shape": shape, "dtype": dtype}, shape, dtype)


def each_of(scan: Node, node: Node) -> Node:
    """A node of a loop's body in all steps, `(steps, …)`."""
    order = scan.attrs["body"].order
    number = next(i for i, n in enumerate(order) if n is node)
    return _part(scan, "each", number, (scan.attrs["steps"], *node.shape), node.dtype)


def argument(shape: Sequence[int], dtype: str) -> Node:
    """A fresh input of a body that is being traced."""
    shape = tuple(shape)
    return Node(ARG, (), {"index": -1, "shape": shape, "dtype": dtype}, shape, dtype)


def counter() -> Node:
    """The number of the step, in a body that is being traced."""
    return Node(STEP, (), {"shape": (), "dtype": "int32"}, (), "int32")


_together: weakref.WeakKeyDictionary[Node, tuple[weakref.ref[Node], ...]] = weakref.WeakKeyDictionary()


def together(nodes: Sequence[Node]) -> None:
    """Notes results of one loop: whoever computes one of them computes all that are still held, in the same run."""
    refs = tuple(weakref.ref(n) for n in nodes)
    for n in nodes:
        if n.op is PART:
            _together[n] = refs


def others(nodes: Sequence[Node]) -> list[Node]:
    """The results that were noted together with those that `nodes` depend on, and have no value yet."""
    if not _together:
        return []
    known = [r() for n in toposort(nodes, stop=lambda n: n.buffer is not None) for r in _together.get(n, ())]
    return [n for n in known if n is not None and n.op is PART and n.buffer is None]


class Carry(NamedTuple):
    """A value that goes from step to step: its node in the body, its first value, and the node of its next value."""

    node: Node
    first: Node
    after: Node


class Loop:
    """The graph of a loop whose step was traced; `last` and `each` give its results.

    What does not depend on the step stays outside and is computed once.

    Args:
        steps: How many, at least one.
        reverse: Whether to begin with the last row of the sequences.
        carries: What goes from step to step.
        sequences: `(node, source)`: in each step `node` is a row of `source`, whatever it was computed from.
        wanted: Further nodes of the step of which `each` will be asked.
        step: The step's own `counter`, where it has one.
        outside: Nodes of the step that are something outside the loop, by id.
        inside: Nodes of the step that are another node of the step, by id.
        ends: Whether the first carry is a bool that says if the loop goes on; after that a step changes nothing, and need not run.
    """

    def __init__(self, steps: int, reverse: bool, carries: Sequence[Carry], sequences: Sequence[tuple[Node, Node]] = (),
                 wanted: Sequence[Node] = (), step: Node | None = None, outside: Mapping[int, Node] | None = None,
                 inside: Mapping[int, Node] | None = None, ends: bool = False):  # fmt: skip
        self.steps, self.counts = steps, not ends
        self.step = step if step is not None else counter()
        self.outside, self.inside = dict(outside or {}), dict(inside or {})
        self.ends: dict[int, Node] = {}  # id of a carry's node -> its last value, where no loop is needed for it
        self.copies: dict[int, Node] = {id(self.step): self.step}  # id of a traced node -> its node in the body
        self.fixed: set[int] = set()  # ids of traced nodes that are made of numbers only
        self.captured: dict[int, tuple[Node, Node]] = {}  # id of an outer node -> itself and its argument
        self.traced: list[Node] = []  # keeps ids valid
        self.carries = [c for c in carries if not self._settled(c)]
        ends = ends and self.carries[:1] == [carries[0]]
        if steps == ENDLESS and not ends:
            raise TraceError("while_loop: cond is the same after every step, so the loop never ends; give maximum_iterations.")
        self.sequences = [(n, s) for n, s in sequences if not self._is_one_number(n, s)]
        leads = [*(c.node for c in self.carries), *(n for n, _ in self.sequences)]
        self.copies |= {id(n): argument(n.shape, n.dtype) for n in leads}
        for key, value in self.inside.items():
            self._read([value])
            self.copies[key] = self._copied(value)
        self._read([*(c.after for c in self.carries), *wanted])
        roots = [self._copied(c.after) for c in self.carries] + [self.copies[id(n)] for n in wanted if id(n) in self.copies]
        inputs = [self.copies[id(n)] for n in leads] + [a for _, a in self.captured.values()]
        for i, node in enumerate(inputs):
            node.attrs["index"] = i
        body = Body(inputs, roots)
        sources = [c.first for c in self.carries] + [s for _, s in self.sequences] + [n for n, _ in self.captured.values()]
        sizes = Sizes(len(self.carries), len(self.sequences))
        self.number = {id(n): i for i, n in enumerate(body.order)}
        self.scan = SCAN(*sources, body=body, sizes=sizes, steps=steps, reverse=reverse, ends=ends)

    # ---- results
    def last(self, carry: Node) -> Node:
        """What a carry is after the last step; `carry` is its node in the traced step."""
        if id(carry) in self.ends:
            return self.ends[id(carry)]
        place = next(i for i, c in enumerate(self.carries) if c.node is carry)
        return _part(self.scan, "last", place, carry.shape, carry.dtype)

    def each(self, node: Node) -> Node:
        """A wanted node of the traced step in all steps, `(steps, …)`."""
        shape = (self.steps, *node.shape)
        for n, source in self.sequences:
            if n is node:
                return source
        if id(node) in self.copies:
            return _part(self.scan, "each", self.number[id(self.copies[id(node)])], shape, node.dtype)
        return broadcast_to(reshape(self.outside.get(id(node), node), (1, *node.shape)), shape)

    # ---- the body
    def _settled(self, c: Carry) -> bool:
        """Whether a carry needs no memory: it stays as it is, or grows by the same number in every step."""
        if c.after is c.node:
            self.outside[id(c.node)] = self.ends[id(c.node)] = c.first
            return True
        growth = _growth(c) if self.counts else None  # steps that are left out count nothing
        if growth is None:
            return False
        times = broadcast_to(cast(self.step, c.node.dtype), c.node.shape)
        self.inside[id(c.node)] = ADD(c.first, mul(times, growth))
        self.ends[id(c.node)] = ADD(c.first, mul(full(c.node.shape, self.steps, c.node.dtype), growth))
        return True

    def _is_one_number(self, node: Node, source: Node) -> bool:
        if source.op is CONST:
            self.outside[id(node)] = full(node.shape, source.attrs["value"], node.dtype)
            self.fixed.add(id(self.outside[id(node)]))
        return source.op is CONST

    def _read(self, roots: Sequence[Node]) -> None:
        """Copies into the body what varies from step to step."""
        for node in toposort(roots, stop=lambda n: id(n) in self.copies or id(n) in self.outside):
            self.traced.append(node)
            if id(node) in self.copies or id(node) in self.outside:
                continue
            if any(id(s) in self.copies for s in node.src):
                src = tuple(self._copied(s, not isinstance(node.op, (Routine, LoopOp))) for s in node.src)
                self.copies[id(node)] = Node(node.op, src, node.attrs, node.shape, node.dtype)
            elif any(id(s) in self.outside for s in node.src):
                src = tuple(self.outside.get(id(s), s) for s in node.src)
                self.outside[id(node)] = outer = Node(node.op, src, node.attrs, node.shape, node.dtype)
                if _is_number(outer, self.fixed):
                    self.fixed.add(id(outer))
            elif _is_number(node, self.fixed):
                self.fixed.add(id(node))

    def _copied(self, node: Node, views: bool = True) -> Node:
        """The node of the body for a traced node. What does not vary is an argument, or a view of one if `views`."""
        if id(node) in self.copies:
            return self.copies[id(node)]
        outer = self.outside.get(id(node), node)
        if id(outer) in self.fixed or _is_number(outer, self.fixed):
            return outer
        if views and outer.buffer is None and _is_view(outer):
            return Node(outer.op, (self._copied(outer.src[0]),), outer.attrs, outer.shape, outer.dtype)
        if id(outer) not in self.captured:
            self.captured[id(outer)] = outer, argument(outer.shape, outer.dtype)
        return self.captured[id(outer)][1]


def _is_view(node: Node) -> bool:
    """Whether a node is cheaper as index arithmetic than as memory."""
    return isinstance(node.op, Movement) and len(node.src) == 1 and not node.op.otherwise and not node.op.transparent


def _is_number(node: Node, fixed: Container[int]) -> bool:
    """Whether a node is made of numbers only, its sources being known to be: cheaper to compute again than to read."""
    if node.buffer is not None or node.op.transparent or node.op is copy:  # somebody may ask for its gradient
        return False
    computed = isinstance(node.op, (Elementwise, Movement)) and len(node.src) > 0
    return node.op in (CONST, IOTA) or (computed and all(id(s) in fixed for s in node.src))


def _growth(c: Carry) -> Node | None:
    """By what an integer carry grows in every step, where that is a number."""
    total, at = None, c.after
    while at is not c.node:
        if at.op is not ADD or at.dtype == "float32":
            return None
        a, b = at.src
        if not _made_of_numbers(b):
            a, b = b, a
        if not _made_of_numbers(b):
            return None
        total, at = b if total is None else ADD(total, b), a
    return total


def _made_of_numbers(node: Node) -> bool:
    fixed: set[int] = set()
    for n in toposort([node]):
        if not _is_number(n, fixed):
            return False
        fixed.add(id(n))
    return True
