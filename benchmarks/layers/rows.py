"""The rows in pyml: each function makes what is timed. It runs on the desktop and, loaded by a page, in Pyodide."""

import data
import numpy as np

import pyml
from pyml import layers

ROWS = {}
RATE = 0.5


def row(function):
    ROWS[function.__name__] = function
    return function


class Training:
    """A step of SGD on one batch, its loss read; `values` are the losses of the first three."""

    def __init__(self, model, x, y):
        shapes = [((w.shape, 1) if w.name == "gamma" else w.shape) for w in model.weights]
        self.model, self.x, self.y, self.start = model, data.normal(*x), data.normal(*y, seed=99), data.weights(shapes)
        model.set_weights(self.start)
        model.compile(pyml.optimizers.SGD(RATE), "mse")
        self.given = [self.x, self.y, *self.start]

    def step(self):
        return float(self.model.train_on_batch(self.x, self.y))

    def values(self):
        return np.array([self.step() for _ in range(3)], "float32")


class Call:
    """A call of `run`, its result read; `values` is that, where it is the same everywhere."""

    def __init__(self, run, *given, alike=True):
        self.run, self.given, self.alike = run, list(given), alike

    def step(self):
        return self.run()

    def values(self):
        out = np.asarray(self.run(), "float32").ravel()
        return out if self.alike else out[:0]


@row
def conv_lstm_2d():
    """ConvLSTM2D of 16 filters over 10 steps of 24x24x8, batch 8."""
    model = pyml.Sequential([pyml.Input((10, 24, 24, 8)), layers.ConvLSTM2D(16, 3, padding="same")])
    return Training(model, (8, 10, 24, 24, 8), (8, 24, 24, 16))


@row
def conv3d():
    """Conv3D of 16 filters over 16x16x16x4, batch 8."""
    model = pyml.Sequential([pyml.Input((16, 16, 16, 4)), layers.Conv3D(16, 3, padding="same")])
    return Training(model, (8, 16, 16, 16, 4), (8, 16, 16, 16, 16))


@row
def augmentation():
    """Five random layers on 64 pictures of 96x96."""
    model = pyml.Sequential([
        pyml.Input((96, 96, 3)), layers.RandomFlip(seed=1), layers.RandomRotation(0.1, seed=2), layers.RandomZoom(0.2, seed=3),
        layers.RandomTranslation(0.1, 0.1, seed=4), layers.RandomContrast(0.2, seed=5),
    ])  # fmt: skip
    pictures, run = data.normal(64, 96, 96, 3), pyml.program(lambda x: model(x, training=True))
    return Call(lambda: run(pictures).numpy(), pictures, alike=False)


@row
def text_vectorization():
    """TextVectorization of 10,000 texts of 20 words out of 20,000."""
    texts, layer = data.texts(), layers.TextVectorization(output_sequence_length=data.WORDS)
    layer.adapt(texts)
    return Call(lambda: layer(texts).numpy())


@row
def gru():
    """Two GRU layers of 64 units over 50 steps of 32 features, batch 32."""
    model = pyml.Sequential([
        pyml.Input((50, 32)), layers.GRU(64, return_sequences=True, reset_after=False), layers.GRU(64, reset_after=False)])  # fmt: skip
    return Training(model, (32, 50, 32), (32, 64))


@row
def transformer():
    """Four blocks of a transformer: 256 features, 4 heads, 256 tokens, batch 4."""
    x = inputs = pyml.Input((256, 256))
    for _ in range(4):
        y = layers.LayerNormalization()(x)
        x = x + layers.MultiHeadAttention(4, 64)(y, y)
        y = layers.Dense(1024, activation="gelu")(layers.LayerNormalization()(x))
        x = x + layers.Dense(256)(y)
    return Training(pyml.Model(inputs, x), (4, 256, 256), (4, 256, 256))


def make(row):
    """A row for the page of ../beside.mjs; `forward` of it asks for the model's prediction in place of its training."""
    made = ROWS[row["name"]]()
    if row.get("forward"):
        model, x, given = made.model, made.x, made.given
        run = pyml.program(lambda x: model(x, training=False))
        made = Call(lambda: run(x).numpy(), *given)
    return made.step, made.values, made.given


if __name__ == "__main__":
    import worker

    worker.serve(ROWS, pyml.config.describe())
