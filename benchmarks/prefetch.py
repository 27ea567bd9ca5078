#!/usr/bin/env python3
"""How much of the work that makes batches hides behind training, with `Dataset.prefetch` and without it.

    PYML_BACKEND=wasm python benchmarks/prefetch.py [--rounds 5]

A batch waits as for a file or a server (`wait`), or is computed by numpy (`work`), about as long as a step of training takes. Hidden is the
part of that time by which an epoch with prefetch is shorter; 100 % would be all of it.
"""

import argparse
import statistics
import time

import numpy as np

import pyml
from pyml import layers
from pyml.data import Dataset

STEPS, BATCH, FEATURES = 100, 128, 128


def network() -> pyml.Sequential:
    hidden = [layers.Dense(128, "relu") for _ in range(2)]
    model = pyml.Sequential([pyml.Input((FEATURES,)), *hidden, layers.Dense(1)])
    model.compile("adam", "mse")
    return model


def epoch(model: pyml.Sequential, batches: Dataset) -> float:
    began = time.perf_counter()
    model.fit(batches, epochs=1, verbose=0)
    return time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    x, y = np.random.default_rng(0).normal(size=(BATCH, FEATURES)).astype("float32"), np.zeros((BATCH, 1), "float32")
    model, plain = network(), Dataset.from_tensors((x, y)).repeat(STEPS)
    epoch(model, plain)  # compiles
    step = statistics.median(epoch(model, plain) for _ in range(3)) / STEPS
    table = np.random.default_rng(1).normal(size=10_000)
    began = time.perf_counter()
    for _ in range(10):
        np.sort(table)
    times = max(1, round(step / (time.perf_counter() - began) * 10))  # so that it takes as long as a step

    def wait(x, y):
        time.sleep(step)
        return x, y

    def work(x, y):
        for _ in range(times):
            np.sort(table)
        return x, y

    print(f"{pyml.config.backend()}: a step takes {1000 * step:.1f} ms")
    for make in (wait, work):
        found = []
        for _ in range(options.rounds):
            began = time.perf_counter()
            for _ in range(STEPS):
                make(x, y)
            alone = time.perf_counter() - began
            before, after = epoch(model, plain.map(make)), epoch(model, plain.map(make).prefetch(2))
            found.append((alone, before, after, (before - after) / alone))
        alone, before, after, hidden = (statistics.median(one[i] for one in found) for i in range(4))
        print(f"{make.__name__}: {1000 * alone / STEPS:.1f} ms a batch; a step with its batch takes {1000 * before / STEPS:.1f} ms, "
              f"with prefetch {1000 * after / STEPS:.1f}: {hidden:.0%} of it hidden")  # fmt: skip


if __name__ == "__main__":
    main()
