"""Every way the choosers could run a product or a convolution on this GPU, timed beside the one they choose.

    python -m benchmarks.gpu --variants [--only matmul filter …] [--minutes 2]

For each shape: the chosen kernels, every tile of `choose.TILES`, other numbers of partial sums, and the kernel that reads operands
one by one. Milliseconds by timestamps, all kernels together, the least of a few runs; results must agree with the chosen way's.
What is quickest here and not chosen says which constant of `pyml/graph/prims/choose.py` to change.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

RUNS = 5
WARM = 0.1  # seconds of work before the first is timed
TOLERANCE = 1e-3  # of the largest value: sums in other orders


@dataclass(frozen=True)
class Case:
    """One op of one shape."""

    name: str
    op: str
    shapes: tuple[tuple[int, ...], ...]
    attrs: dict[str, Any]


@dataclass(frozen=True)
class Way:
    """How it is run: `tile` an index into `choose.TILES`, `parts` a number of partial sums; None leaves it to the chooser."""

    name: str
    tile: int | None = None
    parts: int | None = None
    one_by_one: bool = False


def cases(small: bool) -> Iterator[Case]:
    """Those of the workloads of `make gpu-check`."""
    for n in (64, 128) if small else (512, 1024, 2048, 4096):
        yield Case(f"matmul {n}", "matmul", ((n, n), (n, n)), {"ta": False, "tb": False})
    if not small:
        yield Case("matmul 1024x128x128", "matmul", ((1024, 128), (128, 128)), {"ta": False, "tb": False})
        yield Case("matmul 4096x768x3072, tb", "matmul", ((4096, 3072), (768, 3072)), {"ta": False, "tb": True})
        yield Case("matmul 768x3072x4096, ta", "matmul", ((4096, 768), (4096, 3072)), {"ta": True, "tb": False})
        yield Case("matmul 96 x 512x512x64, tb", "matmul", ((96, 512, 64), (96, 512, 64)), {"ta": False, "tb": True})
    layers = [(2, 8, 16, 1, 1)] if small else [(64, 32, 64, 1, 64), (64, 16, 128, 1, 128), (64, 8, 256, 1, 256), (64, 4, 512, 1, 512)]
    strided = [] if small else [(64, 16, 128, 2, 64)]
    for batch, side, filters, stride, channels in layers + strided:
        channels = channels if channels > 1 else 16
        full = side * stride
        pads = ((1, 1), (1, 1)) if stride == 1 else ((0, 1), (0, 1))
        attrs = {"strides": (stride, stride), "padding": pads, "dilation": (1, 1), "groups": 1}
        x, w, y = (batch, full, full, channels), (3, 3, channels, filters), (batch, side, side, filters)
        name = f"{batch}x{full}x{full}x{channels}, {filters} filters" + (", stride 2" if stride > 1 else "")
        yield Case(f"conv {name}", "conv2d", (x, w), attrs)
        yield Case(f"input gradient {name}", "conv2d_input_grad", (y, w), attrs | {"input_hw": (full, full)})
        yield Case(f"filter gradient {name}", "conv2d_filter_grad", (x, y), attrs | {"kernel_hw": (3, 3)})
    if not small:
        plain = {"strides": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1), "groups": 1, "kernel_hw": (5, 5)}
        yield Case("filter gradient 512x28x28x1, 8 filters", "conv2d_filter_grad", ((512, 28, 28, 1), (512, 24, 24, 8)), plain)
        yield Case("filter gradient 512x12x12x8, 16 filters", "conv2d_filter_grad", ((512, 12, 12, 8), (512, 8, 8, 16)), plain)


def ways(case: Case) -> Iterator[Way]:
    from pyml.graph.prims import choose

    yield Way("chosen")
    for i, t in enumerate(choose.TILES):
        if t.threads >= 128:
            yield Way(f"{8 * t.ty}x{8 * t.tx}, {t.slices} slices", tile=i)
    yield Way("one by one", one_by_one=True)
    if case.op == "conv2d_filter_grad" or (case.op == "matmul" and len(case.shapes[0]) == 2):
        inner = case.shapes[0][0 if case.attrs.get("ta") else 1] if case.op == "matmul" else prod(case.shapes[1][:3])
        for parts in (2**i for i in range(11) if inner >= 64 * 2**i):
            yield Way(f"{parts} parts", parts=parts)


@contextlib.contextmanager
def taken(way: Way) -> Iterator[None]:
    """The choosers choose that way."""
    from pyml.graph.prims import choose

    kept = choose.tile_of, choose._parts, choose._THIN
    module: Any = choose
    if way.tile is not None:
        module.tile_of = lambda *sizes: choose.TILES[way.tile]
    if way.parts is not None:
        module._parts = lambda *sizes: way.parts
    if way.one_by_one:
        module._THIN = 1 << 30
    try:
        yield
    finally:
        module.tile_of, module._parts, module._THIN = kept


@dataclass
class Made:
    """A way that is ready to run: its replay, the kernels' files, and how far its values are off the chosen way's."""

    way: Way
    bound: Any
    what: str
    seconds: float = float("inf")


def made(device: Any, case: Case, way: Way, leaves: list[Any]) -> tuple[Made, np.ndarray]:
    """The way, compiled and run once, and its result."""
    from pyml.compile.plan import make_plan
    from pyml.compile.program import Bound, to_host
    from pyml.graph.op import OPS

    with taken(way):
        root = OPS[case.op](*leaves, **case.attrs)
        plan = make_plan([root], device.profile, leaves)
        specs = [k.group.anchors[0].op.spec(k.group.anchors[0], device.profile) for k in plan.kernels if k.group.kind == "routine"]
        bound = Bound(plan, device, [n.buffer for n in leaves])
    bound.run()
    value = to_host(device.sync_wait(device.read(bound.at(plan.out_refs[0]), root.size * 4)), root)
    what = ", ".join(f"{s.file} {s.params.get('TX')}x{s.params.get('TY')}x{s.params.get('S', 1)} in {s.grid[0] * s.grid[1]}" for s in specs)
    return Made(way, bound, what + (f" + {len(plan.kernels) - 1}" if len(plan.kernels) > 1 else "")), value


def time_all(device: Any, found: list[Made]) -> None:
    """The least of a few rounds in turn, each right behind other work: a GPU that idled runs at a fraction of its clock."""
    from pyml.device.timestamps import seconds_of

    ends = time.monotonic() + WARM
    while time.monotonic() < ends:
        for _ in range(8):
            found[0].bound.run()
        device.sync_wait(device.read(found[0].bound.at(found[0].bound.plan.out_refs[0]), 4))
    for _ in range(RUNS):
        for one in found:
            for _ in range(3):
                one.bound.run()
            times = seconds_of(device, one.bound.parts[0])
            one.seconds = min(one.seconds, sum(times)) if times is not None else float("nan")


def run(device: Any, small: bool, wanted: Callable[[str], bool], minutes: float) -> dict[str, list[dict[str, Any]]]:
    """Prints a block for each case as it is done."""
    from pyml.core.tensor import upload
    from pyml.graph.op import OPS
    from pyml.graph.profile import Profile

    if device.profile.family != "tile":
        device.profile = Profile()  # a software adapter shows that the ways are right, not how fast a GPU is
    ends, out = time.monotonic() + 60 * minutes, {}
    rng = np.random.default_rng(0)
    for case in cases(small):
        if not wanted(case.name) or time.monotonic() > ends:
            continue
        leaves = [upload(rng.uniform(-1, 1, shape).astype(np.float32)) for shape in case.shapes]
        node = OPS[case.op](*leaves, **case.attrs)
        work, rows, right, ready = node.op.arithmetic(node), [], None, []
        for way in ways(case):
            try:
                one, value = made(device, case, way, leaves)
            except Exception as e:  # one way that fails must not lose the others
                rows.append({"way": way.name, "s": None, "what": f"{type(e).__name__}: {str(e).splitlines()[0][:120]}"})
                continue
            right = value if right is None else right
            off = float(np.abs(value - right).max() / max(1e-30, float(np.abs(right).max())))
            one.what += "" if off <= TOLERANCE else f"  WRONG by {off:.1e}"
            if one.what not in {other.what for other in ready}:
                ready.append(one)
        time_all(device, ready)
        rows += [{"way": one.way.name, "s": one.seconds, "what": one.what} for one in ready]
        out[case.name] = rows
        print(f"\n{case.name}  ({work / 1e9:.2f} GFLOP)")
        for row in sorted(rows, key=lambda r: (r["way"] != "chosen", r["s"] is None, r["s"])):
            rate = f"{row['s'] * 1e3:9.4f} ms {work / max(row['s'], 1e-9) / 1e12:7.2f} TFLOP/s" if row["s"] else " " * 28
            print(f"  {row['way']:22}{rate}  {row['what']}", flush=True)
    return out
