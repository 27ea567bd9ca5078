#!/usr/bin/env python3
"""What one replayed training step costs besides arithmetic: dispatches, device calls, Python, memory.

    PYML_BACKEND=cpu python benchmarks/step_cost.py              the book convnet at batch 64
    PYML_BACKEND=webgpu python benchmarks/step_cost.py --batch 512 --explain
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import contender
import meter

import pyml

ROWS = {
    "dispatches": "dispatches per step (at most 32)",
    "copies": "buffer copies per step",
    "device_calls": "device calls per train_on_batch (write, replay, read)",
    "loop_device_calls": "device calls per step of fit",
    "python_ms": "Python ms per train_on_batch (under 0.3)",
    "loop_python_ms": "Python ms per step of fit (under 0.3)",
    "allocations": "buffers allocated in all measured steps",
    "buffers": "buffers in use",
    "bytes": "bytes in use",
    "peak_bytes": "most bytes the device ever held",
}


def book_convnet(batch):
    """The yardstick's mnist-book-train workload without its file."""
    plain = {"op": "conv", "k": 5, "s": 1, "p": 0, "bias": True, "act": "relu"}
    bound = lambda cin: (6 / 25 / cin) ** 0.5
    conv = lambda cin, cout, seed: {**plain, "cin": cin, "cout": cout, "seed": seed, "bound": bound(cin)}
    dense = {"op": "dense", "i": 256, "o": 10, "act": None, "seed": 112, "bound": (3 / 256) ** 0.5}
    net = [conv(1, 8, 104), {"op": "pool"}, conv(8, 16, 108), {"op": "pool"}, {"op": "flatten"}, dense]
    return {"kind": "train", "net": net, "input": [28, 28, 1], "batch": batch, "classes": 10, "opt": "adam",
            "lr": 1e-3}  # fmt: skip


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--explain", action="store_true", help="list the kernels of the step")
    options = parser.parse_args()
    print(pyml.config.describe())
    bench = contender.train(book_convnet(options.batch))
    start = time.perf_counter()
    loss = bench.single()
    seconds = time.perf_counter() - start
    print(f"\nbook convnet, batch {options.batch}: first step {seconds:.2f} s, loss {loss:.6f}")
    result = meter.measure(bench)
    for key, label in ROWS.items():
        if key in result:
            print(f"  {label:56s} {result[key]:>12,}")
    if options.explain:
        with meter.Meter() as seen:
            bench.single()
        print(seen.plan.explain())


if __name__ == "__main__":
    main()
