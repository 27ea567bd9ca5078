#!/usr/bin/env python3
"""Whether memory stays flat: one program called with ever new shapes, and ever new models trained and dropped.

    PYML_BACKEND=webgpu python benchmarks/growth.py
    PYML_BACKEND=wasm python benchmarks/growth.py --shapes 400 --models 0

Prints resident memory and what is kept every 200 shapes and every 50 models; ends with 1 if the resident memory after the
first 200 shapes, or the first 200 models, rose by more than 30 MB.
"""

import argparse
import gc
import sys
import time

import numpy as np

import pyml
from pyml import Input, Sequential, config, layers, ops
from pyml.compile import program as plans

MOST = 30  # MB


def resident() -> float:
    """Megabytes of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096 / 2**20


def kept() -> str:
    device = config.device()
    counts = {"plans": len(plans._plans), "buffers": getattr(getattr(device, "usage", device), "live", 0)}
    for name in ("_pipelines", "_modules"):
        if hasattr(device, name):
            counts[name.strip("_")] = len(getattr(device, name).recent)
    return ", ".join(f"{n} {name}" for name, n in counts.items())


def shapes(number: int) -> float:
    """A program of a few kernels, called with arrays of 1, 2, 3, … rows."""
    weight = pyml.Variable(np.ones((4, 8), np.float32))
    program = pyml.program(lambda x: ops.sum(ops.softmax(ops.matmul(x, weight) * 2 + 1)))
    return repeated("shapes", number, 200, lambda i: float(program(np.ones((i + 1, 4), np.float32))))


def models(number: int) -> float:
    """Models of different widths: compiled, trained for two steps, asked, and dropped."""

    def one(i: int) -> None:
        x, y = np.ones((8, 20), np.float32), np.ones((8, 3), np.float32)
        model = Sequential([Input((20,)), layers.Dense(8 + i, activation="relu"), layers.Dense(3)])
        model.compile("adam", "mse")
        model.fit(x, y, batch_size=4, verbose=0)
        model.predict(x, verbose=0)

    return repeated("models", number, 50, one)


def repeated(what: str, number: int, every: int, one) -> float:
    """Calls `one(i)`; how many megabytes the memory rose after the first 200 calls."""
    start, since = None, time.perf_counter()
    for i in range(number):
        one(i)
        if (i + 1) % every == 0:
            gc.collect()
            now = resident()
            start = now if i + 1 == 200 else start
            print(f"{i + 1:5} {what}: {now:7.1f} MB, {kept()}, {time.perf_counter() - since:.0f} s", flush=True)
    return resident() - start if start is not None else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", type=int, default=2000)
    parser.add_argument("--models", type=int, default=300)
    options = parser.parse_args()
    print(pyml.config.describe())
    rose = {"shapes": shapes(options.shapes), "models": models(options.models)}
    print(", ".join(f"{what}: {mb:+.1f} MB after the first 200" for what, mb in rose.items()))
    return int(max(rose.values()) > MOST)


if __name__ == "__main__":
    sys.exit(main())
