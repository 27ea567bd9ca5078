"""Which kernels the choosers can pick: for each file of kernels_wgsl every branch of it, with the smallest case that takes it.

A variant is what a kernel's text depends on beside sizes: its switches and types, the hooks that are filled in, and which way
its conditions over constants go. `variants()` finds them by asking the choosers about many small cases on many adapters.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from types import CodeType
from typing import Any

from pyml.compile import kernels
from pyml.device.wasm import WasmDevice
from pyml.graph.node import Node
from pyml.graph.op import OPS, KernelSpec, Profile
from pyml.graph.prims import INPUT, packed, spectral  # noqa: F401  # some load with the ops that need them
from pyml.graph.prims.fft import table

PROFILES = {
    "register": Profile("register", threads=1024),
    "tile": Profile("tile", threads=65536),
    "tile, a small GPU": Profile("tile", threads=512),  # takes the largest tiles that a result can fill
    "tile, few invocations": Profile("tile", threads=512, max_invocations=64),
    "wasm": WasmDevice.profile,
    "wasm, four rows": replace(WasmDevice.profile, rows=4),  # wasmtime
    "wasm, four cores": replace(WasmDevice.profile, cores=4, threads=64),
}
Operand = tuple[tuple[int, ...], str]  # shape, dtype


@dataclass(frozen=True)
class Case:
    """A node of one op, by shapes."""

    op: str
    operands: tuple[Operand, ...]
    attrs: tuple[tuple[str, Any], ...]
    profile: str

    def node(self) -> Node:
        leaves = (Node(INPUT, (), {"index": i}, shape, dtype) for i, (shape, dtype) in enumerate(self.operands))
        return OPS[self.op](*leaves, **dict(self.attrs))

    def spec(self) -> KernelSpec:
        return OPS[self.op].spec(self.node(), PROFILES[self.profile])

    def lowered(self) -> bool:
        """Whether the adapter makes the same of other nodes."""
        lower = OPS[self.op].lower
        return lower is not None and lower(self.node(), PROFILES[self.profile]) is not None


@dataclass(frozen=True)
class Variant:
    file: str
    switches: tuple[tuple[str, Any], ...]  # parameters that are not sizes
    hooks: tuple[tuple[str, str], ...]  # with a # for every number
    ways: tuple[tuple[str, bool], ...]  # conditions over constants, and where they lead

    def __str__(self) -> str:
        parts = [f"{k}={v}" for k, v in self.switches] + sorted(k for k, _ in self.hooks)
        parts += [("" if way else "!") + f"({text})" for text, way in self.ways]
        return " ".join([self.file, *parts])


def switches_of(file: str) -> list[str]:
    """Names of a file's parameters that are true or false."""
    return re.findall(r"^const (\w+): bool.*// @param", kernels.read(file), re.M)


def hooks_of(file: str) -> list[str]:
    return re.findall(r"^fn (\w+)\(.*// @hook", kernels.read(file), re.M)


@functools.cache
def conditions_of(file: str) -> dict[str, CodeType]:
    """The file's conditions over nothing but constants."""
    text = kernels.read(file)
    constants = set(re.findall(r"^const (\w+)", text, re.M))
    found = dict.fromkeys(re.findall(r"if \(([^(){}]+)\)", text))
    return {c: _code(c) for c in found if (names := set(_code(c).co_names)) and names <= constants}


@functools.cache
def _derived(file: str) -> dict[str, CodeType]:
    """Constants that a file computes from its parameters."""
    lines = re.findall(r"^const (\w+): \w+ = ([^;]+);(?!.*@param)", kernels.read(file), re.M)
    return {name: _code(text) for name, text in lines}


def _code(text: str) -> CodeType:
    """A WGSL expression over constants as Python."""
    text = re.sub(r"\b(0x[0-9a-f]+|\d+)u\b", r"\1", text).replace("&&", " and ").replace("||", " or ").replace("/", "//")
    text = re.sub(r"!(?!=)", " not ", text).replace("true", "True").replace("false", "False")
    return compile(text.strip(), "wgsl", "eval")


_BUILTINS = {"__builtins__": {}, "min": min, "max": max, "select": lambda a, b, test: b if test else a}


def variant(spec: KernelSpec) -> Variant:
    """What the text of a kernel depends on, sizes apart."""
    switches = tuple(sorted((k, v) for k, v in spec.params.items() if isinstance(v, (bool, str))))
    hooks = tuple(sorted((k, re.sub(r"\d+", "#", body)) for k, body in spec.hooks.items()))
    values: dict[str, Any] = dict(spec.params)
    ways = []
    if conditions := conditions_of(spec.file):
        for name, code in _derived(spec.file).items():
            values[name] = eval(code, _BUILTINS, values)
        ways = [(text, bool(eval(code, _BUILTINS, values))) for text, code in conditions.items()]
    return Variant(spec.file, switches, hooks, tuple(ways))


# ---- cases
F, I = "float32", "int32"
WINDOWS = [  # size of an image, window, strides, padding, dilation
    ((5, 6), (3, 2), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ((5, 6), (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((6, 7), (3, 3), (2, 2), ((0, 1), (1, 1)), (1, 1)),
    ((7, 6), (3, 3), (2, 1), ((1, 0), (0, 1)), (1, 1)),
    ((6, 7), (3, 3), (1, 2), ((0, 1), (1, 1)), (1, 1)),
    ((9, 8), (3, 2), (1, 1), ((2, 2), (0, 3)), (2, 3)),
    ((4, 5), (1, 1), (1, 1), ((0, 0), (0, 0)), (1, 1)),
    ((5, 7), (1, 1), (2, 3), ((0, 0), (0, 0)), (1, 1)),
    ((20, 20), (3, 3), (1, 1), ((0, 0), (0, 0)), (1, 1)),
]
CHANNELS = [
    (1, 4, 1), (3, 8, 1), (4, 4, 1), (8, 16, 1), (4, 3, 1), (7, 5, 1), (6, 2, 2), (12, 8, 4), (4, 4, 4), (8, 8, 8), (3, 6, 3),
    (8, 8, 2), (6, 16, 2),
]  # fmt: skip
POOLS = [
    ((6, 4), (2, 2), (2, 2), ((0, 0), (0, 0))), ((7, 5), (2, 2), (2, 2), ((0, 1), (0, 0))), ((6, 7), (3, 3), (2, 2), ((1, 1), (1, 1))),
    ((4, 4), (4, 4), (1, 1), ((0, 0), (0, 0))),
]  # fmt: skip


def cases() -> Iterator[tuple[str, tuple[Operand, ...], dict[str, Any]]]:
    """Ops, operands and attributes, the small ones first."""
    for cols in (1, 3, 4, 7, 8, 32, 33, 64, 100, 300, 1024, 1030):
        for name in ("softmax", "log_softmax"):
            yield name, (((5, cols), F),), {}
        for name in ("argmax", "argmin"):
            for dtype in (F, I, "uint32", "bool"):
                yield name, (((5, cols), dtype),), {}
    for m, n, k in itertools.product((1, 3, 4, 8, 17, 64, 130), (1, 3, 4, 8, 20, 64, 132), (1, 4, 6, 16, 100)):
        for ta, tb, batch in itertools.product((False, True), (False, True), ((), (3,))):
            a, b = (*batch, *((k, m) if ta else (m, k))), (*batch, *((n, k) if tb else (k, n)))
            yield "matmul", ((a, F), (b, F)), {"ta": ta, "tb": tb}
            if not batch and k >= 16 and max(m, n) < 65:
                yield "matmul_partials", ((a, F), (b, F)), {"ta": ta, "tb": tb, "splits": 4}
    ways = [(8, False, 0, 1, False, 0), (8, True, 8, 1, False, 0), (8, False, 0, 4, False, 0), (4, False, 8, 1, False, 0),
            (4, True, 0, 1, False, 0), (4, False, 0, 1, False, 16), (4, False, 8, 1, False, 16), (4, False, 0, 4, False, 16),
            (8, False, 0, 1, True, 0), (8, True, 8, 1, True, 0), (4, False, 8, 1, True, 0), (4, True, 0, 1, True, 0)]  # fmt: skip
    for (bits, tb, first, splits, exact, block), m, n, k in itertools.product(ways, (1, 8, 130), (4, 6, 132), (4, 100)):
        if splits == 1 or k > 16:
            rows, columns = (n, first + k) if tb else (first + k, n)
            attrs = {"n": n, "bits": bits, "tb": tb, "first": first, "splits": splits, "exact": exact}
            parts = (((-(-(first + k) // block), n), F),) * 2 if block else ()
            words = ((rows, -(-columns * bits // 32)), I)
            yield "packed_matmul", (((m, k), F), words, *parts), attrs | ({"block": block} if block else {})
    for k in (8, 35):  # a row of whole numbers
        attrs = {"n": 48, "bits": 8, "tb": False, "first": 0, "splits": 1, "exact": True}
        yield "packed_matmul", (((1, k), F), ((k, 12), I)), attrs
    for k, first, block, exact in ((35, 0, 0, True), (200, 8, 0, False), (24, 0, 24, False), (100, 0, 16, False)):  # one of 4 bits
        attrs = {"n": 64, "bits": 4, "tb": False, "first": first, "splits": 1, "exact": exact}
        parts = (((-(-k // block), 64), F),) * 2 if block else ()
        yield "packed_matmul", (((1, k), F), ((first + k, 9), I), *parts), attrs | ({"block": block} if block else {})
    sizes = itertools.product(WINDOWS, CHANNELS, (None,))
    whole = itertools.product(WINDOWS, [(16, 4, 1), (16, 16, 1), (32, 32, 1), (64, 64, 4)], (16, 17))  # with a ragged edge and without
    for (image, window, strides, padding, dilation), (channels, filters, groups), side in itertools.chain(sizes, whole):
        attrs = {"strides": strides, "padding": padding, "dilation": dilation, "groups": groups}
        if side is not None:
            each = zip(strides, window, dilation, padding, strict=True)
            image = tuple((side - 1) * step + (taps - 1) * apart + 1 - sum(pads) for step, taps, apart, pads in each)
        x, w = (2 if side is None else 4, *image, channels), (*window, channels // groups, filters)
        y = OPS["conv2d"].shape(x, w, **attrs)
        yield "conv2d", ((x, F), (w, F)), attrs
        yield "conv2d_input_grad", ((y, F), (w, F)), attrs | {"input_hw": image}
        yield "conv2d_filter_grad", ((x, F), (y, F)), attrs | {"kernel_hw": window}
        yield "conv2d_filter_partials", ((x, F), (y, F)), attrs | {"kernel_hw": window, "splits": 3}
    for channels, padding, apart, step in ((3, ((1, 1), (1, 1)), 1, 1), (1, ((2, 0), (0, 3)), 2, 1), (6, ((0, 0), (0, 0)), 1, 2)):
        attrs = {"strides": (step, 1), "padding": padding, "dilation": (1, apart), "groups": channels}  # lines of numbers
        x, w = (2, 7, 8 + 2 * apart - sum(padding[1]), channels), (3, 3, 1, channels)
        yield "conv2d", ((x, F), (w, F)), attrs
        y = OPS["conv2d"].shape(x, w, **attrs)
        yield "conv2d_input_grad", ((y, F), (w, F)), attrs | {"input_hw": x[1:3]}
    for (image, size, strides, padding), channels in itertools.product(POOLS, (3, 4, 8)):
        pool = {"size": size, "strides": strides, "padding": padding}
        x = (2, *image, channels)
        y = OPS["max_pool2d"].shape(x, **pool)
        for dtype in (F, I, "uint32"):
            yield "max_pool2d", ((x, dtype),), pool
        yield "max_pool2d_grad", ((x, F), (y, F), (y, F)), pool
        yield "max_pool2d_pick", ((x, F), (y, F), (x, F)), pool
        yield "avg_pool2d", ((x, F),), pool
        yield "avg_pool2d_grad", ((y, F),), pool | {"input_hw": image}
    for dtype, inner in itertools.product((F, I, "uint32", "bool"), ((), (3,), (4,), (2, 6), (136,))):
        yield "gather", (((5, *inner), dtype), ((7,), I)), {}
        if dtype != "bool":
            for rows in (5, 9):
                yield "scatter_add", (((7,), I), ((7, *inner), dtype)), {"rows": rows}
                yield "scatter_add_sorted", (((7,), I), ((7,), I), ((7, *inner), dtype)), {"rows": rows}
            yield "scatter_add_parts", (((7,), I), ((7, *inner), dtype)), {"rows": 5, "chunk": 3}
            for by in ("sum", "prod", "max", "min"):
                yield "segment_runs", (((7,), I), ((7,), I), ((7, *inner), dtype)), {"by": by, "chunk": 3}
                yield "segment_ends", (((7,), I), ((7, *inner), dtype)), {"rows": 5, "by": by, "chunk": 3}
                if by != "sum":
                    yield "scatter_by", (((7,), I), ((7, *inner), dtype)), {"rows": 5, "by": by}
    for count, inner in ((1500, ()), (1100, (8,))):  # longer than one chain of sums may be
        places, terms = ((count,), I), ((count, *inner), F)
        yield "scatter_add", (places, terms), {"rows": 3}
        yield "scatter_add_sorted", (places, places, terms), {"rows": 3}
        yield "segment_ends", (places, terms), {"rows": 3, "by": "sum", "chunk": 7}
    yield "avg_pool2d", (((1, 20, 90, 4), F),), {"size": (4, 70), "strides": (3, 5), "padding": ((1, 1), (2, 3))}
    yield "scatter_add", (((1500,), I), ((1500,), F)), {"rows": 1 << 16}  # of which none may be that long
    for rows in (5, 5000):
        yield "bincount", (((11,), I),), {"rows": rows, "chunk": 6}
    yield "last_place", (((7,), I),), {"rows": 5}
    yield "last_place_sorted", (((7,), I), ((7,), I)), {"rows": 5}
    for units, batch, steps in itertools.product((3, 4, 8, 20, 70), (5, 1, 30), (3, 1)):
        keep, yes = ((steps, batch), I), ((steps, batch, 2 * units), F)
        gates = ((steps, batch, 4 * units), F)
        yield "lstm", (gates, ((units, 4 * units), F), ((2, batch, units), F), keep), {}
        yield "lstm_grad", (yes, gates, yes, ((2, batch, units), F), ((4 * units, units), F), keep), {}
        h, three, start = ((steps, batch, units), F), ((steps, batch, 3 * units), F), ((batch, units), F)
        yield "gru", (three, ((units, 3 * units), F), ((3 * units,), F), start, keep), {}
        yield "gru_grad", (h, three, three, h, start, ((3 * units, units), F), keep), {}
    for n, rows, columns, form in itertools.product((2, 3, 8), (1, 3), (1, 4, 68), ("planar", "from pairs", "to pairs")):
        if form == "planar" or columns == 1:
            x = (rows, n, 1, 2) if form == "from pairs" else (2, rows, n, columns)
            for inverse in (False, True):
                yield "fft", ((x, F), (table(n).shape, F)), {"inverse": inverse, "form": form}
    for radix, m, s, form in itertools.product((2, 3, 4, 8), (1, 3, 4, 640), (1, 8, 12), ("planar", "from pairs", "to pairs")):
        if form == "planar" or (s == 1 if form == "from pairs" else m == 1):
            x = (2, radix, m, s, 2) if form == "from pairs" else (2, 2, radix, m, s)
            if m * radix * s > 1:
                yield "fft_pass", ((x, F), (table(radix * m * s).shape, F)), {"inner": 1, "inverse": radix in (2, 8), "form": form}
    for channels in (1, 3, 4, 8):
        yield "resize_bilinear", (((1, 4, 5, channels), F),), {"size": (8, 7), "rows": (8, -4, 16), "columns": (10, -2, 14)}
        yield "resize_bilinear", (((2, 5, 4, channels), F),), {"size": (3, 9), "rows": (5, 0, 3), "columns": (4, 0, 9)}
        yield "pad_lines", (((2, 3, 4, channels), F),), {"padding": ((1, 2), (0, 1))}
        for transposed, n in ((False, 5), (True, 3)):
            sizes = {"n": 5, "count": 3, "taps": 2, "back": 2, "transposed": transposed}
            yield "resample", (((2, n, channels), F), ((24,), I)), sizes
    for channels, mode in itertools.product((1, 3, 4, 6, 8), ("constant", "nearest", "wrap", "mirror", "reflect")):
        x = ((2, 4, 5, channels), F)
        for places, linear in itertools.product(((1, 6), (2, 9), (2, 4, 5, 2)), (True, False)):
            yield "warp", (x, (places, F)), {"mode": mode, "linear": linear, "fill": 0.5}
    for inner, (low, high), chunk in itertools.product((1, 3, 8), ((0, 255), (-1, 1)), (7, 32)):
        yield "histogram", (((4, 3, inner), F),), {"bins": 16, "low": low, "high": high, "chunk": chunk}
        yield "equalizing", (((chunk // 7, 3, 9), I),), {"count": 40}
    yield from cases_of_sorting()
    yield from cases_of_matrices()


def cases_of_sorting() -> Iterator[tuple[str, tuple[Operand, ...], dict[str, Any]]]:
    for dtype, n, rows in itertools.product((F, I, "uint32", "bool"), (1, 7, 64, 65, 100, 300, 1030), (1, 3)):
        x, few = ((rows, n), dtype), ((rows, 1), I)
        yield "argsort", (x,), {"descending": False}
        if dtype == F:
            yield "argsort", (x,), {"descending": True}
        if dtype != "bool":
            yield "sort", (x,), {}
        yield "pick_rows", (x, few), {"whole": False}
        yield "put_rows", (x, ((rows, n), I)), {}
        yield "search", (((n,), "uint32"), ((rows, 3), dtype)), {"right": rows == 1}
        for k, chunks in ((1, 1), (3, 1), (4, 3), (70, 1)):
            if k <= n:
                yield "top_places", (x,), {"k": k, "chunks": chunks}
        for product, chunk in itertools.product((False, True), (n, 1024, 200)):
            if dtype != "bool" and chunk <= n:
                yield "scan", (x, ((rows, -(-n // chunk)), dtype)), {"product": product, "chunk": chunk}
                if dtype == F:
                    yield "recurrence", (x, x, ((rows, -(-n // chunk)), F)), {"reverse": product, "chunk": chunk}
        for digit, chunk, first, columns in itertools.product((1, 4, 8), (200, 512), (True, False), (True, False)):
            attrs = {"shape": (rows, n), "chunk": chunk, "shift": 0, "digit": digit, "descending": False}
            attrs |= {"first": first, "columns": columns}
            moved = x if first else ((2, rows, n) if columns else (rows, n), "uint32")
            if n == 300 and dtype in (F, "uint32"):
                yield "radix_count", (moved,), attrs
                for last in ("", dtype):
                    yield "radix_move", (moved, ((rows, -(-n // chunk) << digit), "uint32")), attrs | {"last": last}


def cases_of_matrices() -> Iterator[tuple[str, tuple[Operand, ...], dict[str, Any]]]:
    for lower, transposed, unit in itertools.product((True, False), repeat=3):
        yield "solve_triangular", (((2, 3, 3), F), ((2, 3, 2), F)), {"lower": lower, "transposed": transposed, "unit": unit}
    yield from ((name, (((2, 3, 3), F),), {}) for name in ("cholesky", "eigh", "lu_factor", "svd"))
    yield "qr", (((2, 4, 3), F),), {"complete": False}


@functools.cache
def survey() -> tuple[dict[Variant, Case], dict[tuple[str, str], dict[str, list[int]]]]:
    """Every variant, with its first case, if possible one that is not lowered; and for each op and adapter how many cases take which file,
    in how many workgroups, and with how many statements of their own."""
    variants: dict[Variant, Case] = {}
    never: set[Variant] = set()  # taken by no case so far that is not made of other nodes first
    table: dict[tuple[str, str], dict[str, list[int]]] = {}
    for (name, operands, attrs), profile in itertools.product(cases(), PROFILES):
        case = Case(name, operands, tuple(attrs.items()), profile)
        spec = case.spec()
        kind = variant(spec)
        if kind not in variants or (kind in never and not case.lowered()):
            variants[kind] = case
            (never.add if case.lowered() else never.discard)(kind)
        of_file = table.setdefault((name, profile), {}).setdefault(spec.file, [0, 0, 0])
        of_file[0] += 1
        of_file[1] += prod(spec.grid)
        of_file[2] += sum(body.count(";") for body in spec.hooks.values())
    return variants, table


def variants() -> dict[Variant, Case]:
    """Every variant, with the first case that takes it; asked for by tests, so that collecting them stays quick."""
    return survey()[0]


@functools.cache
def cover() -> list[Variant]:
    """As few of them as hold each file's switches, hooks and conditions both ways, as far as there are both."""

    def traits(v: Variant) -> set[tuple[object, ...]]:
        hooks = [(hook, hook in dict(v.hooks)) for hook in hooks_of(v.file)]
        return {(v.file,), *((v.file, *one) for one in (*v.switches, *hooks, *v.ways))}

    every = {v: traits(v) for v in variants()}
    missing, found = set[tuple[object, ...]]().union(*every.values()), []
    while missing:
        found.append(max(every, key=lambda v: len(every[v] & missing)))
        missing -= every[found[-1]]
    return found


def choices() -> Iterator[str]:
    """For each op and adapter: how many of the cases take which file, and in how many workgroups, with how many statements, altogether."""
    for (name, profile), files in survey()[1].items():
        taken = "; ".join(f"{file} {count} in {groups} with {own}" for file, (count, groups, own) in sorted(files.items()))
        yield f"{name} ({profile}): {taken}"


if __name__ == "__main__":
    print("\n".join(choices()))
