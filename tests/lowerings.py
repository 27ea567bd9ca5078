"""Sizes at which ops are made of others, and what each adapter makes of them; `python tests/lowerings.py` prints the table.

numpy computes what was made, node by node: the rules for adapters that no machine of the tests has are seen here too.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
from kernel_variants import PROFILES

from pyml.compile.canonical import Canonical
from pyml.core.tensor import as_node
from pyml.graph.node import Node, freeze, toposort
from pyml.graph.op import OPS, Profile
from pyml.graph.prims import BUFFER
from pyml.graph.prims.fft import table

Case = tuple[str, list[np.ndarray], dict[str, Any]]
RNG = np.random.default_rng(0)


def floats(*shape: int) -> np.ndarray:
    return RNG.uniform(-1, 1, shape).astype(np.float32)


def cases() -> Iterator[Case]:
    """Ops, operands and attributes."""
    for shape, axis in [((100_003,), (0,)), ((300, 4096), (0,)), ((300, 409), (0, 1)), ((7, 2049, 3), (1,)), ((64, 33, 65), (0, 2)),
                        ((2, 40_001), (1,)), ((5, 1025), (1,)), ((8, 128, 64, 4), (0, 1, 2)), ((6, 50, 3, 8, 40), (0, 1, 3)),
                        ((6, 50, 3, 8, 40), (0, 1, 3, 4))]:  # fmt: skip
        yield from ((op, [floats(*shape)], {"axis": axis}) for op in ("reduce_sum", "reduce_max"))
        yield "reduce_prod", [1 + floats(*shape) * 1e-3], {"axis": axis}
    sizes = [(3, 5, 20_000), (8, 8, 9000), (130, 7, 3), (1, 5, 900), (33, 66, 2050), (8, 1, 33), (7, 1, 9), (1, 1, 9001), (5, 6, 1)]
    for (m, n, k), ta, tb in itertools.product(sizes, (False, True), (False, True)):
        for batch in ((), (2,)) if k == 9000 else ((),):
            a, b = floats(*batch, *((k, m) if ta else (m, k))), floats(*batch, *((n, k) if tb else (k, n)))
            yield "matmul", [a, b], {"ta": ta, "tb": tb}
    for m, n, k in [(3, 8, 9000), (1, 12, 1000), (5, 6, 16_500), (70, 8, 130), (2, 8, 600)]:
        for tb, exact, bits in [(False, False, 8), (True, False, 8), (False, True, 8), (False, False, 4)]:
            words = RNG.integers(-(2**31), 2**31, (n, -(-k * bits // 32)) if tb else (k, -(-n * bits // 32))).astype(np.int32)
            a = RNG.integers(-5, 6, (m, k)).astype(np.float32) if exact else floats(m, k)
            yield "packed_matmul", [a, words], {"n": n, "bits": bits, "tb": tb, "first": 0, "splits": 1, "exact": exact}
        words, parts = RNG.integers(-(2**31), 2**31, (k, -(-n // 8))).astype(np.int32), [floats(-(-k // 128), n) for _ in range(2)]
        attrs = {"n": n, "bits": 4, "tb": False, "first": 0, "splits": 1, "exact": False, "block": 128}
        yield "packed_matmul", [floats(m, k), words, *parts], attrs
    yield from rows()
    for n, form, inverse in itertools.product((2, 30, 34, 97, 485, 640, 1009), ("planar", "from pairs", "to pairs"), (False, True)):
        x = floats(3, n, 1, 2) if form == "from pairs" else floats(2, 3, n, 1 if form == "to pairs" else 4)
        yield "fft", [x, table(n)], {"inverse": inverse, "form": form}
    yield "bincount", [RNG.integers(-1, 40, 300_000).astype(np.int32)], {"rows": 33, "chunk": 300_000}
    for count, width in ((5, (3,)), (9000, (4,)), (20_000, ())):
        yield "scatter_add", [RNG.integers(-1, 7, count).astype(np.int32), floats(count, *width)], {"rows": 6}
    rng = np.random.default_rng(1)  # of its own, so that the cases below stay as they were
    for count, most, width in ((1500, 3000, (8,)), (6400, 700, (4,)), (40_000, 500, ())):
        indices, updates = rng.integers(-1, most + 1, count).astype(np.int32), rng.uniform(-1, 1, (count, *width)).astype(np.float32)
        yield "scatter_add", [indices, updates], {"rows": most}
    for units, batch, steps in ((4, 3, 5), (20, 2, 400), (64, 1, 100)):
        keep, weights = (RNG.uniform(size=(steps, batch)) < 0.8).astype(np.int32), floats(units, 4 * units) / 5
        z, start = floats(steps, batch, 4 * units), floats(2, batch, units)
        y = OPS["lstm"].numpy(z, weights, start, keep)
        yield "lstm", [z, weights, start, keep], {}
        yield "lstm_grad", [floats(*y.shape), z, y, start, np.ascontiguousarray(weights.T), keep], {}
        z, weights = floats(steps, batch, 3 * units), floats(units, 3 * units) / 5
        yield "gru", [z, weights, floats(3 * units), floats(batch, units), keep], {}
    yield from windows()


def rows() -> Iterator[Case]:
    """What takes each row by itself."""
    for n, count in itertools.product((300, 1030, 5000), (1, 3)):
        for dtype in (np.float32, np.int32):
            x = (RNG.normal(size=(count, n)) * 50).round().astype(dtype)
            yield from ((op, [x], {}) for op in ("sort", "argmax", "argmin"))
            yield from (("argsort", [x], {"descending": descending}) for descending in (False, True))
            yield "top_places", [x], {"k": 5, "chunks": 1}
        for product in (False, True):
            ends = np.full((count, 1), product, np.float32)
            yield "scan", [1 + floats(count, n) * 1e-3, ends], {"product": product, "chunk": n}
            yield "recurrence", [floats(count, n), floats(count, n), 0 * ends], {"reverse": product, "chunk": n}
        yield from ((op, [floats(count, n)], {}) for op in ("softmax", "log_softmax"))
    yield from ((op, [floats(2, 70_001)], {}) for op in ("argmax", "argmin", "softmax", "log_softmax"))
    yield "top_places", [floats(2, 70_001)], {"k": 40, "chunks": 1}
    for dtype, least, most in [(np.float32, -np.inf, np.inf), (np.int32, -(2**31), 2**31 - 1), (np.uint32, 0, 2**32 - 1)]:
        yield "argmax", [np.full((2, 70_001), least, dtype)], {}
        yield "argmin", [np.full((2, 70_001), most, dtype)], {}


def windows() -> Iterator[Case]:
    for shape, size, strides, padding in [((1, 100, 100, 2), (95, 90), (1, 2), ((0, 0), (0, 0))),
                                          ((1, 90, 120, 2), (80, 110), (2, 1), ((5, 3), (0, 9)))]:  # fmt: skip
        for op in ("max_pool2d", "avg_pool2d"):
            yield op, [floats(*shape)], {"size": size, "strides": strides, "padding": padding}
    for x, w, strides, padding, dilation, groups in [
        ((2, 9, 8, 3), (3, 2, 3, 5), (1, 1), ((2, 2), (0, 3)), (2, 3), 1),
        ((2, 6, 7, 8), (3, 3, 2, 8), (2, 2), ((0, 1), (1, 1)), (1, 1), 4),
        ((2, 6, 7, 4), (3, 3, 1, 4), (2, 1), ((0, 1), (1, 1)), (1, 1), 4),
        ((1, 8, 8, 600), (6, 5, 600, 2), (1, 1), ((0, 0), (1, 0)), (1, 1), 1),
        ((1, 99, 90, 2), (95, 88, 2, 3), (1, 2), ((3, 0), (0, 4)), (1, 1), 1),
        ((4, 20, 20, 3), (3, 3, 3, 6), (1, 1), ((1, 1), (1, 1)), (1, 1), 1),
        ((2, 12, 12, 4), (3, 3, 4, 8), (2, 2), ((1, 0), (1, 0)), (1, 1), 1),
        ((2, 12, 11, 4), (5, 4, 4, 7), (3, 2), ((1, 2), (0, 3)), (1, 1), 1),
        ((2, 6, 7, 3), (3, 3, 1, 12), (2, 1), ((0, 1), (1, 1)), (1, 1), 3),
        ((2, 6, 7, 7), (3, 3, 1, 7), (2, 2), ((0, 1), (1, 1)), (1, 1), 7),
        ((2, 6, 7, 6), (3, 3, 2, 9), (1, 1), ((1, 1), (1, 1)), (1, 1), 3),
        ((2, 6, 7, 8), (3, 3, 4, 24), (1, 1), ((1, 1), (1, 1)), (1, 1), 2),
    ]:
        attrs = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
        image, filters = floats(*x), floats(*w)
        y = floats(*OPS["conv2d"].shape(x, w, **attrs))
        yield "conv2d", [image, filters], attrs
        yield "conv2d_input_grad", [y, filters], attrs | {"input_hw": x[1:3]}
        yield "conv2d_filter_grad", [image, y], attrs | {"kernel_hw": w[:2]}


def made(case: Case, profile: Profile) -> Node:
    """What an adapter computes in the place of an op."""
    name, arrays, attrs = case
    leaves = [as_node(a) for a in arrays]
    return Canonical(profile, leaves)([OPS[name](*leaves, **attrs)])[0]


def written(root: Node) -> tuple[Any, ...]:
    """A graph as values that are equal for equal ones."""
    nodes = toposort([root])
    number = {id(n): i for i, n in enumerate(nodes)}
    return tuple((n.op.name, n.shape, freeze(n.attrs), *(number[id(s)] for s in n.src)) for n in nodes)


def computed(root: Node, arrays: list[np.ndarray]) -> np.ndarray:
    """The value of a graph over numbered leaves."""
    values: dict[int, np.ndarray] = {}
    for node in toposort([root]):
        if node.op is BUFFER:
            values[id(node)] = arrays[node.attrs["leaf"]]
            continue
        with np.errstate(all="ignore"):
            values[id(node)] = np.asarray(node.op.numpy(*(values[id(s)] for s in node.src), **node.attrs))
        assert values[id(node)].shape == node.shape, node
    return values[id(root)]


def choices() -> Iterator[str]:
    """For each op and adapter: of how many nodes of which kind all the cases are made."""
    table: dict[tuple[str, str], Counter[str]] = {}
    for case in cases():
        for adapter, profile in PROFILES.items():
            of = table.setdefault((case[0], adapter), Counter())
            of.update(n.op.name for n in toposort([made(case, profile)]) if n.op is not BUFFER)
    for (name, adapter), counts in table.items():
        yield f"{name} ({adapter}): {', '.join(f'{n} {op}' for op, n in sorted(counts.items()))}"


if __name__ == "__main__":
    print("\n".join(choices()))
