"""Small graphs and what plans of them are, on every kind of adapter; `python tests/plans.py > tests/goldens/plans.txt` writes the table.

A line says how a graph is cut into kernels: `reads>writes` of each with the time that a core may take, its workgroups and threads,
the lines of its WGSL and the places of memory that these name; then bytes of temporaries, alive at once and in all. What changes
only how fast, how large or in which order kernels are is in no value, but here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from math import prod
from random import Random
from typing import Any, NamedTuple

import numpy as np
from kernel_variants import PROFILES as ADAPTERS

from pyml.compile.kernels import read
from pyml.compile.lower import lower_wgsl
from pyml.compile.parts import Repeated
from pyml.compile.plan import Chain, Kernel, Loop, Plan, graph_key, make_plan
from pyml.compile.program import Bound, to_host
from pyml.core.tensor import as_node
from pyml.device.base import Buffer, Copy, Count, Device, Repeat, brought
from pyml.export.recorder import Recorder
from pyml.graph import loop as recurrence
from pyml.graph import prims
from pyml.graph.loop import argument, counter
from pyml.graph.node import Node, toposort
from pyml.graph.op import OPS, Profile
from pyml.graph.prims.choose import cycles_in_parts

PROFILES: dict[str, Profile] = {
    "register": ADAPTERS["register"], "tile": ADAPTERS["tile"], "wasm": ADAPTERS["wasm, four cores"], "numpy": Profile("numpy"),
}  # fmt: skip


class Graph(NamedTuple):
    """Values that are asked for; those at the numbers in `writes` are new ones of Variables."""

    name: str
    roots: Sequence[Node]
    writes: Mapping[int, Node] = {}


FEW = 12  # kernels of a plan that are described one by one
RNG = np.random.default_rng(0)
START = RNG.bit_generator.state


def leaf(*shape: int) -> Node:
    return as_node(RNG.uniform(-1, 1, shape).astype(np.float32))


def spread(x: Node, shape: tuple[int, ...]) -> Node:
    """`x` along the last axes of a larger shape."""
    return prims.broadcast_to(prims.reshape(x, (1,) * (len(shape) - x.ndim) + x.shape), shape)


def deep(x: Node, times: int) -> Node:
    return reduce(lambda y, _: prims.tanh(y), range(times), x)


def cheap(x: Node, times: int) -> Node:
    return reduce(lambda y, _: prims.relu(y), range(times), x)


def total(x: Node) -> Node:
    return prims.reduce_sum(x, tuple(range(x.ndim)))


# ---- sizes at which a rule begins to hold, and the one before
def reductions() -> Iterator[Graph]:
    """Sums: which threads share one, and how their loops are cut."""
    for shape, axes in [
        ((1000,), (0,)), ((5, 127), (1,)), ((5, 128), (1,)), ((5, 130), (1,)), ((2, 8191), (1,)), ((2, 8192), (1,)), ((2, 2048), (1,)),
        ((63, 8), (0,)), ((64, 8), (0,)), ((64, 3), (0,)), ((256, 33), (0,)), ((3, 70, 4, 8), (1, 3)), ((3, 4, 70, 8), (0, 2)),
        ((128, 6, 4), (0, 1)), ((66, 2), (0,)), ((4, 65, 12), (1,)), ((2, 3, 4, 5, 6), (1, 3)), ((64, 9000), (0,)), ((7, 1), (1,)),
    ]:  # fmt: skip
        x = leaf(*shape)
        yield Graph(f"sum of {shape} over {axes}", [prims.reduce_sum(x * 2, axes)])
        yield Graph(f"most, least and sum of {shape} over {axes}", [
            prims.reduce_max(x, axes) - prims.reduce_min(x, axes), prims.sqrt(prims.square(prims.reduce_sum(x, axes))),
        ])  # fmt: skip
    for n in (1, 3, 4, 7, 8, 31, 32, 127, 128, 511, 512, 513, 4096):
        yield Graph(f"one for each of {n}", [prims.exp(leaf(n)) + 1])


def fusions() -> Iterator[Graph]:
    """What is computed again, what is stored, and what joins which kernel."""
    for times, readers in [(6, 2), (7, 2), (1, 4), (1, 5), (3, 3)]:
        h = cheap(leaf(40, 6), times)
        yield Graph(f"{times} cheap steps that {readers} kernels read", [prims.reduce_sum(h * k, (k % 2,)) for k in range(2, 2 + readers)])
    for operands in (1, 2, 3):
        h = reduce(lambda a, b: a + b, [leaf(40, 6) for _ in range(operands)])
        yield Graph(f"a sum of {operands} that 2 kernels read", [prims.reduce_sum(h, (0,)), prims.reduce_sum(h, (1,))])
    for times in (1, 5, 6, 7):
        yield Graph(f"a row after {times} steps beside all rows", [spread(cheap(leaf(8), times), (30, 8)) * leaf(30, 8)])
        yield Graph(f"a number after {times} steps beside a row", [spread(deep(leaf(), times), (12,)) * leaf(12)])
        yield Graph(f"columns after {times} steps in a sum", [prims.reduce_sum(spread(cheap(leaf(8), times), (30, 8)), (0,))])
    for times in (0, 12, 13):
        yield Graph(f"turned, {times} steps, and turned back", [prims.permute(deep(prims.permute(leaf(9, 6), (1, 0)), times), (1, 0))])
    for n in (4, 5):
        yield Graph(f"rows of {n} at computed places", [prims.gather(leaf(9, n), prims.cast(prims.square(leaf(5)) * 8, dtype="int32"))])
    for rounds in (1, 2, 3, 4):
        x = leaf(9, 9)
        for _ in range(rounds):
            x = x + prims.flip(x, (0,)) + prims.flip(x, (1,)) * 0.5
        yield Graph(f"{rounds} rounds of a stencil", [x])
    for count in (6, 7, 8, 9, 20):
        xs = [leaf(40) for _ in range(count)]
        yield Graph(f"a sum of {count}", [reduce(lambda a, b: prims.tanh(a + b), xs)])
        yield Graph(f"a sum of {count} and its double", [h := reduce(lambda a, b: a + b, xs), h * 2])
    for rows in (13, 16):
        x, w, b = leaf(rows, 32), leaf(32, 12), leaf(12)
        h = prims.matmul(x, w)
        y = prims.tanh(h + spread(b, (rows, 12)))
        yield Graph(f"a layer of {rows} rows", [y])
        yield Graph(f"a layer of {rows} rows, and what led to it", [y, h, y * 2])
        yield Graph(f"a layer of {rows} rows, turned", [prims.permute(y, (1, 0)), total(y), prims.reduce_max(y, (1,))])
        yield Graph(f"places in a layer of {rows} rows", [place := prims.argmax(h), prims.cast(place, dtype="float32") * 2])
        yield Graph(f"a layer of {rows} rows as integers", [prims.cast(h, dtype="int32"), prims.greater(h, spread(b, (rows, 12)))])
    x, y = leaf(6, 8), leaf(6, 8)
    yield Graph("views", [prims.reshape(x, (48,)), prims.permute(x, (1, 0)), prims.slice_(x, (1, 0), (4, 8)), x])
    yield Graph("parts side by side", [prims.concat([x, prims.exp(y), x * 2], 1), prims.pad(x, ((1, 1), (0, 2)))])
    yield Graph("one value twice", [h := prims.exp(x), h, prims.exp(x), prims.reshape(h, (8, 6))])
    yield Graph("softmax beside its sum", [h := prims.softmax(x * 3), total(h), prims.log_softmax(x * 3)])
    yield Graph("nothing, and a number", [prims.full((0, 3), 0.0, "float32"), prims.full((2, 3), 2.5, "float32")])
    yield Graph("counting", [prims.iota(50), prims.reshape(prims.cast(prims.iota(30), dtype="float32"), (5, 6)) * spread(leaf(6), (5, 6))])


def updates() -> Iterator[Graph]:
    """Variables that are written: in place, through a copy, and in chains."""
    a, b, c = leaf(30), leaf(30), leaf(30)
    yield Graph("an exchange", [b * 1, a * 1], {0: a, 1: b})
    yield Graph("three in a circle", [b * 2, c * 3, a * 4], {0: a, 1: b, 2: c})
    yield Graph("three in a row", [b * 2, c * 3, c + 1], {0: a, 1: b, 2: c})
    yield Graph("a sum of the old one", [a * 2, total(a), total(a * 2)], {0: a})
    yield Graph("a turned one", [prims.flip(a, (0,)) + a], {0: a})
    yield Graph("two with one value", [h := a + b, h], {0: a, 1: b})
    yield Graph("a value that is a result too", [h := a + b, h * 1], {0: a})
    yield Graph("a reduced one", [prims.reduce_sum(spread(a, (9, 30)) * leaf(9, 30), (0,)) + a], {0: a})
    yield Graph("one of a sum of 8", [reduce(lambda x, y: x + y, [a, *(leaf(30) for _ in range(7))])], {0: a})
    yield Graph("its own rows", [prims.matmul(w := leaf(12, 12), leaf(12, 12)) + w], {0: w})
    yield Graph("its own product", [prims.matmul(w := leaf(12, 12), w) * 0.5], {0: w})
    for n in (16, 17, 256, 257, 2048, 2049):
        w, g = leaf(n), leaf(n)
        yield Graph(f"a step along a normed gradient of {n}", [w - g * spread(prims.sqrt(total(g * g)), (n,))], {0: w})
    for rows in (64, 65, 70):
        w, g = leaf(64), leaf(rows, 64)
        yield Graph(f"a step along a sum of {rows} gradients", [w - prims.reduce_sum(g, (0,)), total(g)], {0: w})
    # small kernels with a large one between them: what may pass it, and which way
    s, r, w, big = leaf(9, 12), leaf(12, 11), leaf(12, 12), leaf(12, 400)
    yield Graph("two, and one that reads the second", [s * 2, prims.matmul(w, big), w * 2], {0: s, 2: w})
    yield Graph("two, and one that reads the first", [h := s * 2, prims.matmul(h, big), w * 2], {0: s, 2: w})
    yield Graph("two, and one that reads both", [h := s * 2, prims.matmul(h, w), w * 2], {0: s, 2: w})
    h = prims.matmul(leaf(12, 4), leaf(4, 11)) + r
    yield Graph("two, and one that writes what the first reads", [total(r), h, w * 2], {1: r, 2: w})
    yield Graph("two, and one that writes what the second reads", [s * 2, h, total(h)], {0: s, 1: r})
    yield Graph("two, and one that writes what both read", [total(r), h, prims.reduce_sum(h, (1,))], {1: r})
    yield Graph("two, and one that writes for the first what the second reads", [total(r), prims.matmul(w, r) * 2 + r, w * 2], {1: r, 2: w})
    yield Graph("one large one between each two", [
        s * 2, prims.matmul(s, r), r * 2, prims.matmul(w, r), w * 2, prims.matmul(w, big), big * 2, total(s) + total(r) + total(w),
    ], {0: s, 2: r, 4: w, 6: big})  # fmt: skip
    for between in (62, 63, 64):
        others = [prims.softmax(leaf(2, 3)) for _ in range(between)]
        yield Graph(f"{between} large ones between two", [s * 2, *others, w * 2], {0: s, between + 1: w})
        others.append(prims.matmul(w, big))
        yield Graph(f"{between} large ones between two, and one that reads", [s * 2, *others, w * 2], {0: s, between + 2: w})
    for count in (2, 5, 12):
        roots, writes = [], {}
        gradients = [leaf(*shape) for shape in ([(8, 16), (16,), (16, 300), (300,)] * 3)[:count]]
        clip = reduce(lambda x, y: x + y, [total(prims.square(g)) for g in gradients])
        for gradient in gradients:
            shape = gradient.shape
            w, m, v = leaf(*shape), leaf(*shape), as_node(np.ones(shape, np.float32))
            g = gradient / spread(prims.sqrt(clip), shape)
            mean, square = m * 0.9 + g * 0.1, v * 0.99 + g * g * 0.01
            for old, new in ((m, mean), (v, square), (w, w - mean / (prims.sqrt(square) + 1e-7) * 1e-3)):
                writes[len(roots)] = old
                roots.append(new)
        yield Graph(f"Adam by a common norm on {count}", roots, writes)


def loops(*counts: int) -> Iterator[Graph]:
    """Loops: what their steps are cut into, and where their carries lie."""
    for steps in counts:
        reverse = steps % 2 == 0
        x, w = leaf(steps, 4, 6), leaf(6, 6)
        h, row, first = argument((4, 6), "float32"), argument((4, 6), "float32"), leaf(4, 6)
        after = prims.tanh(prims.matmul(h, w) + row)
        unrolled = recurrence.Loop(steps, reverse, [recurrence.Carry(h, first, after)], [(row, x)], [after])
        yield Graph(f"a recurrence of {steps} steps", [unrolled.last(h)])
        yield Graph(f"all of a recurrence of {steps} steps", [unrolled.each(after), unrolled.last(h), total(unrolled.each(after))])
        a, b, turn = argument((8,), "float32"), argument((8,), "float32"), counter()
        pair = [recurrence.Carry(a, leaf(8), b * 2 + spread(prims.cast(turn, dtype="float32"), (8,))), recurrence.Carry(b, leaf(8), a)]
        two = recurrence.Loop(steps, reverse, pair, step=turn)
        yield Graph(f"two that take turns in {steps} steps", [two.last(a), two.last(b)])
        yield Graph(f"one of two that take turns in {steps} steps, in its place", [two.last(a)], {0: pair[0].first})
    on, x = argument((), "bool"), argument((8,), "float32")
    on_and_on = recurrence.Carry(on, prims.full((), True, "bool"), prims.less(total(prims.square(x)), prims.const(99.0)))
    carries = [on_and_on, recurrence.Carry(x, leaf(8), prims.where(spread(on, (8,)), x * 1.5, x))]
    for steps in (*counts, recurrence.ENDLESS):
        yield Graph(f"while it is small, {steps} times at most", [recurrence.Loop(steps, False, carries, ends=True).last(x)])


def edges() -> Iterator[Graph]:
    """Shapes at which an operation gets another kernel, or is made of others: the last that is as before, and the next one."""
    calls: list[tuple[str, list[tuple[int, ...]], dict[str, Any]]] = []
    for n in (32, 33, 1023, 1024, 16384, 16385):
        calls += [("softmax", [(2, n)], {}), ("argmax", [(2, n)], {})]
    for n in (127, 128, 1023, 1024, 1025, 32768, 32769):
        calls += [("reduce_sum", [(3, n)], {"axis": (1,)}), ("reduce_sum", [(n, 8)], {"axis": (0,)})]
    for rows, n in [(1024, 256), (1024, 257), (1024, 512), (5155, 50), (5160, 50), (4096, 16), (2048, 16384), (2048, 16385)]:
        calls += [("reduce_sum", [(rows, n)], {"axis": (0,)}), ("reduce_max", [(n, rows)], {"axis": (1,)})]
    for rows, n in [(1, 64), (1, 65), (3, 512), (3, 513), (32, 512), (33, 512), (1, 2048), (1, 2049), (9, 2048), (9, 2049)]:
        calls += [("argsort", [(rows, n)], {"descending": False}), ("top_places", [(rows, n)], {"k": 5, "chunks": 1})]
    calls.append(("argsort", [(60, 9000)], {"descending": False}))  # of which a thread has more than the least
    for rows, n in [(1, 64), (1, 65), (1, 4096), (1, 4097), (1, 16384), (1, 16385), (300, 64), (300, 65), (300, 16384), (300, 16385)]:
        calls.append(("scan", [(rows, n), (rows, 1)], {"product": False, "chunk": n}))
    for k in (1024, 8192, 8193, 16385):
        calls += [("matmul", [(m, k), (k, 8)], {"ta": False, "tb": False}) for m in (1, 12, 13, 600)]
    for size in ((128, 128), (128, 129), (129, 128)):
        shape, attrs = (1, size[0] + 1, size[1] + 1, 1), {"strides": (1, 1), "padding": ((0, 0), (0, 0))}
        calls += [(name, [shape], attrs | {"size": size}) for name in ("max_pool2d", "avg_pool2d")]
        calls.append(("conv2d", [shape, (*size, 1, 2)], attrs | {"dilation": (1, 1), "groups": 1}))
    for image, window in [((15, 16), (1, 1)), ((1, 241), (1, 1)), ((4, 100), (2, 1)), ((5, 101), (2, 1)), ((60, 60), (3, 3))]:
        attrs = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1}
        x, w = (2, *image, 8), (*window, 8, 8)
        y = OPS["conv2d"].shape(x, w, **attrs)
        calls += [("conv2d", [x, w], attrs), ("conv2d_filter_grad", [x, y], attrs | {"kernel_hw": window}),
                  ("conv2d_input_grad", [y, w], attrs | {"input_hw": image})]  # fmt: skip
    calls.append(("conv2d_filter_grad", [(2, 60, 60, 8), (2, 60, 60, 72)], {
        "strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1, "kernel_hw": (1, 1)}))  # nine tiles across
    calls += [("concat", [(2, 3)] * count, {"axis": 0}) for count in (6, 7)]
    for name, shapes, attrs in calls:
        leaves = [Node(prims.INPUT, (), {"index": i}, shape, "float32") for i, shape in enumerate(shapes)]
        yield Graph(" ".join([name, *map(str, shapes), *(f"{k}={v}" for k, v in attrs.items())]), [OPS[name](*leaves, **attrs)])


# ---- any graph
def anything(seed: int) -> Graph:
    """A tangle of elementwise ops, views, sums and products; odd seeds write Variables."""
    number = Random(seed).random
    pick = lambda those: those[int(number() * len(those))]
    shape = pick([(6, 8), (5, 7), (4, 4), (33, 12), (1, 9)])
    leaves = [leaf(*shape) for _ in range(3)]
    nodes: list[Node] = [*leaves] if seed % 5 else [prims.after(leaves[0], leaves[1]), *leaves[1:]]  # of the last the order is another
    ways = {
        "add": lambda a, b: a + b, "mul": lambda a, b: a * b, "tanh": lambda a, b: prims.tanh(a), "relu": lambda a, b: prims.relu(a),
        "half": lambda a, b: a * 0.25, "turn": lambda a, b: prims.flip(a, (0,)), "one": lambda a, b: spread(total(a), shape),
        "columns": lambda a, b: spread(prims.reduce_sum(a, (0,)), shape) * b,
        "rows": lambda a, b: prims.broadcast_to(prims.reshape(prims.reduce_max(a, (1,)), (shape[0], 1)), shape),
        "product": lambda a, b: prims.matmul(prims.matmul(a, b, tb=True), a), "softmax": lambda a, b: prims.softmax(a),
        "shift": lambda a, b: prims.concat([prims.slice_(a, (0, 1), shape), prims.slice_(b, (0, 0), (shape[0], 1))], 1),
        "test": lambda a, b: prims.cast(prims.greater(a, prims.full(shape, 0.05, "float32")), dtype="float32"),
    }  # fmt: skip
    for _ in range(4 + int(number() * 14)):
        nodes.append(ways[pick([*ways])](nodes[-1 - int(number() * min(len(nodes), 4))], pick(nodes)))
    made = nodes[len(leaves) :]
    roots = [made[-1], *(pick(made) for _ in range(int(number() * 4)))]
    return Graph(f"any graph {seed}", roots, dict(enumerate(leaves[: min(len(roots), 2)])) if seed % 2 else {})


def graphs() -> Iterator[Graph]:
    RNG.bit_generator.state = START  # the same values whatever was made before
    yield from reductions()
    yield from fusions()
    yield from updates()
    yield from loops(1, 2, 5, 6)
    yield from map(anything, range(40))


# ---- their values
def expected(graph: Graph) -> list[np.ndarray]:
    """What numpy computes of the values that are asked for, operation by operation."""
    env: dict[int, Any] = {}
    nodes = toposort(list(graph.roots))
    for node in nodes:
        if node.buffer is not None:
            env[id(node)] = held(node.buffer, node)
        elif node.op is recurrence.SCAN:
            parts = [n for n in nodes if node in n.src]
            env[id(node)] = node.op.numpy(*(env[id(s)] for s in node.src), **node.attrs, parts=parts)
        else:
            env[id(node)] = node.op.numpy(*(env[id(s)] for s in node.src), **node.attrs)
    return [np.asarray(env[id(root)]) for root in graph.roots]


def computed(graph: Graph, device: Device) -> list[np.ndarray]:
    """What a device leaves of them: in Variables those that are written."""
    plan, leaves, numbers = planned(graph, device.profile)
    bound = Bound(plan, device, [brought(n.buffer, device) for n in leaves], np.array([n.attrs["value"] for n in numbers], np.float32))
    bound.run()
    own = {position: bound.leaves[[n.buffer for n in leaves].index(old.buffer)] for position, old in graph.writes.items()}
    places = [own[i] if i in own else bound.at(ref) for i, ref in enumerate(plan.out_refs)]
    return [held(place, root) for place, root in zip(places, graph.roots, strict=True)]


def held(buffer: Buffer, node: Node) -> np.ndarray:
    return to_host(buffer.device.sync_wait(buffer.device.read(buffer, buffer.nbytes)), node)


# ---- their plans
def planned(graph: Graph, profile: Profile, lift: bool = True) -> tuple[Plan, list[Node], list[Node]]:
    """The plan, the leaves, and the numbers that are lifted out where nothing is written."""
    roots = list(graph.roots)
    _, leaves, numbers = graph_key([*roots, *graph.writes.values()], lift and not graph.writes)
    at = {id(n.buffer): i for i, n in enumerate(leaves)}
    writes = {position: at[id(old.buffer)] for position, old in graph.writes.items()}
    return make_plan(roots, profile, leaves, writes, numbers), leaves, numbers


def places(refs: Sequence[tuple[str, int]]) -> str:
    short = {"leaf": "", "slot": "t", "out": "o", "inner": "s", "carry": "c", "none": "-"}
    return ",".join(f"{short[kind]}{number}" for kind, number in refs)


def described(kernel: Kernel, profile: Profile, params: int) -> str:
    own = f"{places(kernel.reads)}>{places(kernel.writes)} {kernel.nanoseconds} ns"
    if isinstance(kernel, Loop):
        turns = "; ".join(map(places, kernel.carries))
        inner = " | ".join(described(k, profile, kernel.body.params) for k in kernel.body.kernels)
        return f"{own} {{{places(kernel.inputs)}; {turns}; {places(kernel.temporaries)}; {inner}; {places(kernel.results)}}}"
    if isinstance(kernel, Chain):
        own += f" ({'; '.join(f'{places(k.reads)}>{places(k.writes)}' for k in kernel.links)})"
    if kernel.on_host(profile):
        return own
    code = lower_wgsl(kernel, profile, params)
    if kernel.group.kind != "routine":
        threads = code.source.partition("@workgroup_size(")[2].partition(")")[0]
        return f"{own} {prod(code.grid)}x{threads} {lines_of(code.source)}/{code.source.count('[')}"
    anchor = kernel.group.anchors[0]  # tests of kernel choices say more of it
    return f"{own} {prod(code.grid)}x? +{lines_of(code.source) - lines_of(read(anchor.op.spec(anchor, profile).file))}"


def lines_of(text: str) -> int:
    return len(text.splitlines())


def line(graph: Graph, adapter: str) -> str:
    profile = PROFILES[adapter]
    plan, _, _ = planned(graph, profile)
    copies = "".join(f" | copy {places([a])}>{places([b])} {n}" for a, b, n in plan.copies)
    kernels = " | ".join(described(k, profile, plan.params) for k in plan.kernels[:FEW])
    kernels += f" | {len(plan.kernels) - FEW} others" if len(plan.kernels) > FEW else ""
    return f"{graph.name} ({adapter}): {kernels}{copies} | {places(plan.out_refs)} | {plan.live_bytes} of {sum(plan.slots)} B"


def lines(adapter: str) -> Iterator[str]:
    yield from (line(graph, adapter) for graph in graphs())
    if not PROFILES[adapter].on_host:
        yield from (line(graph, adapter) for graph in edges())
    if PROFILES[adapter].family in ("tile", "wasm"):
        yield from (f"steps of {graph.name} ({adapter}): {steps(graph, adapter)}" for graph in loops(1, 2, 3, 18, 19, 256, 299))


    if PROFILES[adapter].family == "tile":
        for m, n, k, z in [(256, 256, 256, 1), (13, 700, 3000, 2), (12, 700, 3000, 2), (4096, 4096, 4096, 1)]:
            times = [cycles_in_parts(m, n, k, z, four, parts, PROFILES[adapter]) for four in (False, True) for parts in (1, 2, 16)]
            yield f"cycles of {z} products of {m} x {k} and {k} x {n} in parts ({adapter}): {', '.join(f'{t:.2f}' for t in times)}"


def steps(graph: Graph, adapter: str) -> str:
    """What the device is told to do, and when the host looks."""
    device = Recorder(adapter, PROFILES[adapter])
    plan, leaves, _ = planned(graph, device.profile, lift=False)
    bound = Bound(plan, device, [device.alloc(4 * n.size) for n in leaves])
    return " | ".join(step(s) for part in bound.parts for s in (part if isinstance(part, tuple) else [part]))


def step(s: Any) -> str:
    if isinstance(s, Repeated):
        most = f"{s.loop.times} at most" if s.loop.bounded else "any number"
        return f"{most} while {s.loop.goes_on.handle} ({', '.join(map(step, s.recorded))})"
    if isinstance(s, Repeat):
        return f"{s.times} times ({', '.join(map(step, s.steps))})"
    if isinstance(s, Count):
        return f"{s.number.handle} {'+ 1' if s.value is None else s.value}"
    if isinstance(s, Copy):
        return f"{s.src.handle} to {s.dst.handle}"
    return " ".join(str(b.handle) for b in s.buffers)


if __name__ == "__main__":
    print("\n".join(one for adapter in PROFILES for one in lines(adapter)))
