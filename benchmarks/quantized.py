"""Milliseconds of `predict_on_batch` with weights of float32, int8 and int4, and the bytes that the weights take.

    PYML_BACKEND=wasm python benchmarks/quantized.py [--rounds 40] [--rows dense,einsum]

The three models of a row take turns in one process, so that what else the machine does falls on all of them; the least counts.
"""

import argparse
import math
import statistics
import time

import numpy as np

import pyml
from pyml import layers

MODES = (None, "int8", "int4")


def dense():
    """Dense layers 512-1024-1024-10, batch 64."""
    model = pyml.Sequential([pyml.Input((512,)), layers.Dense(1024, "relu"), layers.Dense(1024, "relu"), layers.Dense(10)])
    return model, (64, 512)


def one():
    """The same layers, one row."""
    return dense()[0], (1, 512)


def transformer():
    """A block of a transformer: 256 features, 4 heads, 256 tokens, batch 1."""
    x = pyml.Input((256, 256))
    y = layers.LayerNormalization()(x)
    y = x + layers.MultiHeadAttention(4, 64)(y, y)
    hidden = layers.Dense(1024, activation="gelu")(layers.LayerNormalization()(y))
    return pyml.Model(x, y + layers.Dense(256)(hidden)), (1, 256, 256)


def einsum():
    """EinsumDense of 256 features into 8 heads of 64, 256 tokens, batch 1."""
    return pyml.Sequential([pyml.Input((256, 256)), layers.EinsumDense("abc,cde->abde", (None, 8, 64))]), (1, 256, 256)


ROWS = {made.__name__: made for made in (dense, one, transformer, einsum)}


def quantized(row, mode):
    """The model of a row in a mode, and its input; the weights are the same in all modes."""
    pyml.utils.set_random_seed(0)
    model, shape = ROWS[row]()
    if mode is not None:
        model.quantize(mode)
    return model, np.random.default_rng(0).normal(size=shape).astype("float32")


def weight_bytes(model):
    """Bytes of a model's weights as the device has them, numbers of 8 and 4 bits packed in words."""
    return sum(4 * math.prod(w.held.shape) for w in model.weights)


def measured(row, rounds):
    """By mode: the least and the median of the milliseconds, and the bytes of the weights."""
    made = {mode: quantized(row, mode) for mode in MODES}
    times = {mode: [] for mode in MODES}
    for number in range(rounds + 2):  # the first two trace and compile
        for mode in MODES[:: -1 if number % 2 else 1]:
            model, x = made[mode]
            start = time.perf_counter()
            model.predict_on_batch(x)
            if number > 1:
                times[mode].append(1000 * (time.perf_counter() - start))
    return {mode: (min(times[mode]), statistics.median(times[mode]), weight_bytes(made[mode][0])) for mode in MODES}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--rows", default=",".join(ROWS))
    asked = parser.parse_args()
    print(pyml.config.describe())
    print("\n| model | float32 ms, least (median) | int8 | int4 | kB of weights |\n|---|---:|---:|---:|---:|")
    for row in asked.rows.split(","):
        found = measured(row, asked.rounds)
        cells = [f"{least:.2f} ({median:.2f})" for least, median, _ in found.values()]
        sizes = ", ".join(f"{size / 1000:,.0f}" for *_, size in found.values())
        print(f"| {ROWS[row].__doc__.rstrip('.')} | {' | '.join(cells)} | {sizes} |", flush=True)


if __name__ == "__main__":
    main()
