#!/usr/bin/env python3
"""What one replayed training step costs besides arithmetic: dispatches, device calls, Python, memory.

    PYML_BACKEND=cpu python benchmarks/step_cost.py              the book convnet at batch 64
    PYML_BACKEND=webgpu python benchmarks/step_cost.py --batch 512 --explain
    PYML_BACKEND=wasm python benchmarks/step_cost.py --optimizers          dispatches per step of each optimizer
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import contender
import meter
import numpy as np

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


WIDTHS = (12, 16, 8, 3)


def small_net():
    """Three layers, six weights, no two of the same shape."""
    layers = [pyml.layers.Dense(width, activation="relu") for width in WIDTHS[1:-1]]
    return pyml.Sequential([pyml.Input((WIDTHS[0],)), *layers, pyml.layers.Dense(WIDTHS[-1])])


def optimizers():
    """Every optimizer with its defaults, and what may be asked of all of them."""
    kinds = ("SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adafactor", "Adagrad", "Adamax", "Ftrl", "Lamb", "Lion", "Muon", "Nadam",
             "ScheduleFreeAdamW")  # fmt: skip
    made = {kind: getattr(pyml.optimizers, kind)() for kind in kinds}
    made["LossScaleOptimizer(Adam)"] = pyml.optimizers.LossScaleOptimizer(pyml.optimizers.Adam())
    for options in ({"clipnorm": 1.0}, {"global_clipnorm": 1.0}, {"clipvalue": 1.0}, {"weight_decay": 0.1}, {"loss_scale_factor": 8.0},
                    {"gradient_accumulation_steps": 2}, {"use_ema": True, "ema_overwrite_frequency": 4}):  # fmt: skip
        made[f"Adam({', '.join(f'{k}={v}' for k, v in options.items())})"] = pyml.optimizers.Adam(**options)
    return made


def step_of(optimizer):
    """The plan of a step of the small net."""
    model = small_net()
    model.compile(optimizer=optimizer, loss="mse")
    x, y = np.ones((8, WIDTHS[0]), np.float32), np.ones((8, WIDTHS[-1]), np.float32)
    with meter.Meter() as seen:
        for _ in range(2):
            model.train_on_batch(x, y)
    return seen.plan


def print_optimizers():
    """A line of dispatches and copies for each; the bound is that of Adam and one more for each shape of the weights."""
    plans = {name: step_of(optimizer) for name, optimizer in optimizers().items()}
    bound = plans["Adam"].dispatches + len(small_net().weights)
    print(f"| optimizer | dispatches per step (bound {bound}) | copies |\n|---|---:|---:|")
    for name, plan in plans.items():
        print(f"| {name} | {plan.dispatches}{' (above)' if plan.dispatches > bound else ''} | {len(plan.copies)} |")


def main():
    raw = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=raw)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--explain", action="store_true", help="list the kernels of the step")
    parser.add_argument("--optimizers", action="store_true", help="a table of the dispatches of every optimizer instead")
    options = parser.parse_args()
    print(pyml.config.describe())
    if options.optimizers:
        return print_optimizers()
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
