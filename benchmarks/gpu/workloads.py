"""What is timed: products, the book convnet, ResNet-18, a transformer block; in pyml as a user writes it, and in PyTorch.

Both start from the yardstick's weights (`contender.uniform`), so their first losses must agree.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import contender
import step_cost

Layer = dict[str, Any]


@dataclass(frozen=True)
class Workload:
    """One row of the table; `spec` is an entry of the yardstick, `flops` the arithmetic of a step."""

    name: str
    spec: dict[str, Any]
    flops: float


def workloads(small: bool) -> Iterator[Workload]:
    """All rows; small sizes are for software adapters."""
    for n in (128, 256) if small else (512, 1024, 2048, 4096):
        yield Workload(f"matmul {n}", {"kind": "matmul", "n": n}, 2.0 * n**3)
    batch = 16 if small else 512
    book = step_cost.book_convnet(batch)
    yield Workload(f"book convnet, batch {batch}", book, 3 * batch * forward_flops(book["net"], (28, 28, 1)))
    width, batch = (4, 4) if small else (64, 64)
    net = resnet18(width)
    resnet = {"kind": "train", "net": net, "input": [32, 32, 3], "batch": batch, "classes": 10, "opt": "sgd", "lr": 0.01, "momentum": 0.9}
    yield Workload(f"ResNet-18, width {width}, batch {batch}", resnet, 3 * batch * forward_flops(net, (32, 32, 3)))
    for d, heads, seq, batch, ffn in ((32, 4, 16, 2, 64),) if small else ((128, 4, 128, 8, 512), (768, 12, 512, 8, 3072)):
        block = {"kind": "transformer", "train": True, "d": d, "heads": heads, "seq": seq, "batch": batch, "ffn": ffn,
                 "opt": "adam", "lr": 1e-3}  # fmt: skip
        tokens = batch * seq
        forward = tokens * (8 * d * d + 4 * d * ffn + 4 * seq * d)
        yield Workload(f"transformer block {d}, {seq} tokens, batch {batch}", block, 3.0 * forward)


def resnet18(w: int) -> list[Layer]:
    """The yardstick's ResNet-18 for 32x32 pictures, of base width `w`."""
    seeds = iter(range(100, 10_000, 4))

    def conv(k: int, cin: int, cout: int, s: int, p: int, act: bool) -> list[Layer]:
        bound = (6 / (k * k * cin)) ** 0.5
        made = {"op": "conv", "k": k, "cin": cin, "cout": cout, "s": s, "p": p, "bias": False, "act": None,
                "seed": next(seeds), "bound": bound}  # fmt: skip
        return [made, {"op": "bn", "c": cout, "seed": next(seeds)}, *([{"op": "relu"}] if act else [])]

    def block(cin: int, cout: int, s: int) -> Layer:
        body = conv(3, cin, cout, s, 1, True) + conv(3, cout, cout, 1, 1, False)
        return {"op": "residual", "body": body, "short": conv(1, cin, cout, s, 0, False) if s != 1 or cin != cout else []}

    net = conv(3, 3, w, 1, 1, True)
    for cin, cout, s in ((1, 1, 1), (1, 1, 1), (1, 2, 2), (2, 2, 1), (2, 4, 2), (4, 4, 1), (4, 8, 2), (8, 8, 1)):
        net.append(block(cin * w, cout * w, s))
    return [*net, {"op": "gap"}, {"op": "dense", "i": 8 * w, "o": 10, "act": None, "seed": next(seeds), "bound": (3 / (8 * w)) ** 0.5}]


def forward_flops(net: list[Layer], shape: tuple[int, int, int]) -> float:
    """Floating-point operations of one example's forward pass in products and convolutions."""
    return _forward(net, shape)[0]


def _forward(net: list[Layer], shape: tuple[int, int, int]) -> tuple[float, tuple[int, int, int]]:
    total, (h, w, c) = 0.0, shape
    for l in net:
        if l["op"] == "conv":
            h, w = ((n + 2 * l["p"] - l["k"]) // l["s"] + 1 for n in (h, w))
            total += 2.0 * h * w * l["k"] ** 2 * l["cin"] * l["cout"]
            c = l["cout"]
        elif l["op"] == "pool":
            h, w = h // 2, w // 2
        elif l["op"] == "dense":
            total += 2.0 * l["i"] * l["o"]
        elif l["op"] == "residual":
            short = _forward(l["short"], (h, w, c))[0]
            body, (h, w, c) = _forward(l["body"], (h, w, c))
            total += short + body
    return total, (h, w, c)


def per_step(run: Callable[[int], None], wait: Callable[[], Any], budget: float) -> float:
    """Median seconds a step: `run(k)` starts k steps, `wait()` ends when they are done. Both were warmed up before."""
    start = time.perf_counter()
    run(2), wait()
    k = max(2, min(200, int(budget / 5 / max(1e-5, (time.perf_counter() - start) / 2))))
    times = []
    for _ in range(5):
        start = time.perf_counter()
        run(k), wait()
        times.append((time.perf_counter() - start) / k)
        if sum(times) * k > budget:
            break
    return statistics.median(times)


def warm_up(seconds: float) -> None:
    """Work for a GPU that idled, and would run the first workloads at a fraction of its clock: it must not wait in between."""
    ends = time.perf_counter() + seconds
    bench = contender.KINDS["matmul"]({"kind": "matmul", "n": 256 if seconds < 1 else 2048})
    while time.perf_counter() < ends:
        for _ in range(16):
            bench.step()
        bench.single()


def pyml_side(spec: dict[str, Any], budget: float) -> dict[str, Any]:
    """First value, seconds until it was there, seconds a step, and seconds of each kernel of a step."""
    from pyml import config

    device = config.device()
    start = time.perf_counter()
    bench = contender.KINDS[spec["kind"]](spec)
    value = bench.single()
    out: dict[str, Any] = {"first_s": time.perf_counter() - start, "value": value}
    if spec["kind"] == "matmul":

        def run(k: int) -> None:
            for _ in range(k):
                bench.step()

        bench.single()
        out["step_s"] = per_step(run, lambda: bench.result[0, 0].numpy(), budget)
    else:
        seconds, k = [], 4
        bench.loop(k)
        start = time.perf_counter()
        bench.loop(k)
        k = max(4, min(100, int(budget / 3 / max(1e-5, (time.perf_counter() - start) / k))))
        bench.loop(k)
        for _ in range(3):
            start = time.perf_counter()
            bench.loop(k)
            seconds.append((time.perf_counter() - start) / k)
            if sum(seconds) * k > budget:
                break
        out["step_s"] = statistics.median(seconds)
    out["kernels"] = kernel_times(device, bench.single)
    return out


def kernel_times(device: Any, step: Callable[[], Any]) -> list[dict[str, Any]] | None:
    """Every dispatch of the longest Plan that `step` runs, with its seconds on the adapter; None without timestamps."""
    from pyml.compile.program import Bound
    from pyml.device.timestamps import seconds_of

    seen: list[Bound] = []
    original = Bound.run

    def run(bound: Bound) -> None:
        original(bound)
        seen.append(bound)

    Bound.run = run  # type: ignore[method-assign]
    try:
        step()
    finally:
        Bound.run = original  # type: ignore[method-assign]
    bound = max(seen, key=lambda b: len(b.plan.kernels))
    runs = [seconds_of(device, bound.parts[0]) for _ in range(3)]  # the first may be that of an adapter which idled
    times = [min(of_one) for of_one in zip(*(run for run in runs if run is not None), strict=True)]
    if not times:
        return None
    names = [k.group.label() for k in bound.plan.kernels]
    work = [k.arithmetic for k in bound.plan.kernels]
    moved = [k.moved for k in bound.plan.kernels]
    rows = zip(names, times, work, moved, strict=False)
    return [{"kernel": n, "s": s, "operations": w, "bytes": b} for n, s, w, b in rows]
