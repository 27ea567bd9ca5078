"""Milliseconds of a training step or a call of whole layers and models, Python included, on the device that PYML_BACKEND names.

    PYML_BACKEND=wasm python benchmarks/layers.py [--rows conv3d,gru] [--rounds 7]

A row is one function of ROWS: it makes its model and data, and gives what is timed. The first run is shown by itself, as it
traces and compiles; of the others the median counts. Texts per second of TextVectorization with other options: text.py.
"""

import argparse
import statistics
import time

import numpy as np

import pyml
from pyml import layers

ROWS = {}


def row(function):
    ROWS[function.__name__] = function
    return function


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def training(model, x, y):
    """A step of `model` on one batch; it reads the loss."""
    model.compile("sgd", "mse")
    return lambda: model.train_on_batch(x, y)


@row
def conv_lstm_2d():
    """ConvLSTM2D of 16 filters over 10 steps of 24x24x8, batch 8."""
    model = pyml.Sequential([pyml.Input((10, 24, 24, 8)), layers.ConvLSTM2D(16, 3, padding="same")])
    return training(model, normal(8, 10, 24, 24, 8), normal(8, 24, 24, 16))


@row
def conv3d():
    """Conv3D of 16 filters over 16x16x16x4, batch 8."""
    model = pyml.Sequential([pyml.Input((16, 16, 16, 4)), layers.Conv3D(16, 3, padding="same")])
    return training(model, normal(8, 16, 16, 16, 4), normal(8, 16, 16, 16, 16))


@row
def augmentation():
    """Five random layers on 64 pictures of 96x96."""
    model = pyml.Sequential([
        pyml.Input((96, 96, 3)), layers.RandomFlip(seed=1), layers.RandomRotation(0.1, seed=2), layers.RandomZoom(0.2, seed=3),
        layers.RandomTranslation(0.1, 0.1, seed=4), layers.RandomContrast(0.2, seed=5),
    ])  # fmt: skip
    pictures, run = normal(64, 96, 96, 3), pyml.program(lambda x: model(x, training=True))
    return lambda: run(pictures).numpy()


@row
def text_vectorization():
    """TextVectorization of 10,000 texts of 20 words out of 20,000."""
    rng = np.random.default_rng(0)
    words = np.array([f"Word{i:x}" for i in range(20_000)])
    texts = [" ".join(some) + "!" for some in words[rng.zipf(1.3, (10_000, 20)) % 20_000]]
    layer = layers.TextVectorization(output_sequence_length=20)
    layer.adapt(texts)
    return lambda: layer(texts).numpy()


@row
def gru():
    """Two GRU layers of 64 units over 50 steps of 32 features, batch 32."""
    model = pyml.Sequential([
        pyml.Input((50, 32)), layers.GRU(64, return_sequences=True, reset_after=False), layers.GRU(64, reset_after=False)])  # fmt: skip
    return training(model, normal(32, 50, 32), normal(32, 64))


@row
def transformer():
    """Four blocks of a transformer: 256 features, 4 heads, 256 tokens, batch 4."""
    x = inputs = pyml.Input((256, 256))
    for _ in range(4):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(4, 64)(y, y)
        y = layers.Dense(1024, activation="gelu")(layers.LayerNormalization()(x))
        x = x + layers.Dense(256)(y)
    return training(pyml.Model(inputs, x), normal(4, 256, 256), normal(4, 256, 256))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", default=",".join(ROWS))
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    print(pyml.config.describe())
    for name in options.rows.split(","):
        run, times = ROWS[name](), []
        for _ in range(options.rounds + 1):
            start = time.perf_counter()
            run()
            times.append(1000 * (time.perf_counter() - start))
        print(f"{name:20} first {times[0]:10,.1f} ms   then {statistics.median(times[1:]):10,.1f} ms   {ROWS[name].__doc__}", flush=True)


if __name__ == "__main__":
    main()
