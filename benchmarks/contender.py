"""The yardstick's workloads in pyml, written as a user writes them; `contender.mjs` runs it in Pyodide.

A workload is one entry of the yardstick's spec.json; `prepare` returns a `Bench` with `single()` (one step,
its result read back), `loop(k)` (k steps, one read at the end) and `stats()`. Weights and data are the
yardstick's integer hash, so every library starts from the same numbers.
"""

import json

import numpy as np

import pyml
from pyml import layers, ops


def uniform(seed, shape, bound):
    """float32 in [-bound, bound), bit for bit the yardstick's spec.py."""
    n = int(np.prod(shape))
    with np.errstate(over="ignore"):
        x = np.arange(n, dtype=np.uint32) * np.uint32(2654435761)
        x += np.uint32(seed) * np.uint32(40503) + np.uint32(12345)
        x ^= x >> np.uint32(16)
        x *= np.uint32(0x85EBCA6B)
        x ^= x >> np.uint32(13)
        x *= np.uint32(0xC2B2AE35)
        x ^= x >> np.uint32(16)
    return ((x.astype(np.float64) / 4294967296.0 * 2.0 - 1.0) * bound).astype(np.float32).reshape(shape)


def images_and_labels(w):
    x = uniform(7, (w["batch"], *w["input"]), 1)
    classes = w.get("classes", 1)
    spread = (uniform(9, w["batch"], 1).astype(np.float64) + 1) / 2 * classes
    return x, np.minimum(classes - 1, np.floor(spread)).astype(np.int32)


def layer_params(l):
    """Canonical parameters of one layer: HWIO kernels, [in, out] dense kernels."""
    op, seed = l["op"], l.get("seed")
    if op in ("conv", "dw"):
        shape = (l["k"], l["k"], l["cin"], l["cout"]) if op == "conv" else (l["k"], l["k"], l["c"], 1)
        out = [uniform(seed, shape, l["bound"])]
        return out + ([uniform(seed + 1, shape[3] if op == "conv" else l["c"], 0.05)] if l["bias"] else [])
    if op == "dense":
        return [uniform(seed, (l["i"], l["o"]), l["bound"]), uniform(seed + 1, l["o"], 0.05)]
    if op == "bn":
        return [1 + uniform(seed, l["c"], 0.1), uniform(seed + 1, l["c"], 0.05)]
    return []


# ---------------------------------------------------------------- models


def keras_model(w):
    """The workload's layers as a functional model, with the yardstick's weights."""
    setters = []
    training = w["kind"] == "train"

    def parameterised(made, l, extra=()):
        setters.append((made, layer_params(l) + list(extra)))
        return made

    def convolution(l, x):
        padding = "same" if l["p"] and l["s"] == 1 else "valid"
        if l["p"] and l["s"] > 1:   # explicit, as keras.applications does
            x = layers.ZeroPadding2D(l["p"])(x)
        options = {"strides": l["s"], "padding": padding, "use_bias": l["bias"], "activation": l.get("act")}
        if l["op"] == "dw":
            return parameterised(layers.DepthwiseConv2D(l["k"], **options), l)(x)
        return parameterised(layers.Conv2D(l["cout"], l["k"], **options), l)(x)

    def go(net, x):
        for l in net:
            op = l["op"]
            if op in ("conv", "dw"):
                x = convolution(l, x)
            elif op == "bn":
                still = (np.zeros(l["c"], np.float32), np.ones(l["c"], np.float32))
                x = parameterised(layers.BatchNormalization(epsilon=1e-5, momentum=0.9), l, still)(x)
            elif op == "dense":
                act = "softmax" if training and l["o"] == w["classes"] else l.get("act")
                x = parameterised(layers.Dense(l["o"], activation=act), l)(x)
            elif op == "residual":
                body, short = go(l["body"], x), go(l["short"], x) if l["short"] else x
                x = layers.Activation("relu")(layers.Add()([body, short]))
            else:
                kind, args = {
                    "relu": ("Activation", ("relu",)),
                    "pool": ("MaxPooling2D", (2,)),
                    "gap": ("GlobalAveragePooling2D", ()),
                    "flatten": ("Flatten", ()),
                    "dropout": ("Dropout", (l.get("rate"),)),
                }[op]
                x = getattr(layers, kind)(*args)(x)
        return x

    inputs = pyml.Input(tuple(w["input"]))
    model = pyml.Model(inputs, go(w["net"], inputs))
    for made, values in setters:
        made.set_weights(values)
    return model


def make_optimizer(w):
    if w["opt"] == "adam":
        return pyml.optimizers.Adam(w["lr"])
    return pyml.optimizers.SGD(w["lr"], momentum=w["momentum"])


# ---------------------------------------------------------------- the four ways to run


class Bench:
    note = ""

    def step(self):
        raise TypeError("a workload has step() or its own single() and loop()")

    def value(self):
        return float(self.result.numpy())

    def single(self):
        self.step()
        return self.value()

    def loop(self, k):
        for _ in range(k):
            self.step()
        return self.value()

    def stats(self):
        return {}


class ProgramBench(Bench):
    """A function recorded once by @pyml.program and replayed; `read` makes a number of its result."""

    def __init__(self, function, read):
        self.program = pyml.program(function)
        self.read = read
        self.result = None

    def step(self):
        self.result = None   # an old result that is still held would be copied out before the replay
        self.result = self.program()

    def value(self):
        return float(self.read(self.result.numpy()))


class TrainBench(Bench):
    """A compiled model on one batch."""

    note = "single = model.train_on_batch, loop = model.fit over k batches"

    def __init__(self, model, x, y):
        self.model, self.x, self.y, self.batch = model, x, y, len(x)
        self.many = None

    def single(self):
        return float(self.model.train_on_batch(self.x, self.y))

    def loop(self, k):
        if self.many is None or len(self.many[1]) != k * self.batch:
            self.many = [np.tile(a, (k,) + (1,) * (a.ndim - 1)) for a in (self.x, self.y)]
        history = self.model.fit(*self.many, batch_size=self.batch, epochs=1, shuffle=False, verbose=0)
        return float(history.history["loss"][0])


def train(w):
    model = keras_model(w)
    model.compile(optimizer=make_optimizer(w), loss="sparse_categorical_crossentropy")
    return TrainBench(model, *images_and_labels(w))


def matmul(w):
    n = w["n"]
    a = pyml.convert_to_tensor(uniform(1, (n, n), 1))
    b = pyml.convert_to_tensor(uniform(2, (n, n), 1))
    return ProgramBench(lambda: ops.matmul(a, b), lambda y: y.ravel()[n + 1])


def eltwise(w):
    x = pyml.convert_to_tensor(uniform(1, w["n"], 2))
    return ProgramBench(lambda: ops.sum(ops.relu(x * 1.5 + 0.25) * ops.tanh(x) + x * 0.5), lambda y: y)


def mean_size(y):
    return np.abs(y).mean(dtype=np.float64)


def infer(w):
    """A model whose batch norms are folded into its convolutions."""
    model = keras_model(w)
    x = pyml.convert_to_tensor(images_and_labels(w)[0])
    return ProgramBench(lambda: model(x), mean_size)


def transformer(w):
    """A post-norm encoder block."""
    d, ffn, heads = w["d"], w["ffn"], w["heads"]
    linear = lambda seed, i, o: uniform(seed, (i, o), (3 / i) ** 0.5)
    vector = lambda seed, n, base: base + uniform(seed, n, 0.05)
    inputs = pyml.Input((w["seq"], d))
    attention = layers.MultiHeadAttention(heads, d // heads)
    first, second = (layers.LayerNormalization(epsilon=1e-5) for _ in range(2))
    wide, narrow = layers.Dense(ffn, activation="relu"), layers.Dense(d)
    h = first(layers.Add()([inputs, attention(inputs, inputs)]))
    model = pyml.Model(inputs, second(layers.Add()([h, narrow(wide(h))])))
    projected = []
    for seed in (100, 104, 108):   # query, key, value; their biases follow
        projected += [linear(seed, d, d).reshape(d, heads, -1), vector(seed + 16, d, 0).reshape(heads, -1)]
    attention.set_weights([*projected, linear(112, d, d).reshape(heads, -1, d), vector(128, d, 0)])
    wide.set_weights([linear(132, d, ffn), vector(136, ffn, 0)])
    narrow.set_weights([linear(140, ffn, d), vector(144, d, 0)])
    first.set_weights([vector(148, d, 1), vector(152, d, 0)])
    second.set_weights([vector(156, d, 1), vector(160, d, 0)])
    x, y = (uniform(seed, (w["batch"], w["seq"], d), bound) for seed, bound in ((7, 1.7), (9, 1)))
    if not w["train"]:
        x = pyml.convert_to_tensor(x)
        return ProgramBench(lambda: model(x), mean_size)
    model.compile(optimizer=make_optimizer(w), loss="mse")
    return TrainBench(model, x, y)


def lstm(w):
    """Embedding, LSTM and a sigmoid, trained on sequences of word numbers."""
    vocab, embed, units = w["vocab"], w["embed"], w["units"]
    k = units**-0.5 * 1.7
    table, memory, verdict = layers.Embedding(vocab, embed), layers.LSTM(units), layers.Dense(1, activation="sigmoid")
    model = pyml.Sequential([pyml.Input((w["seq"],), dtype="int32"), table, memory, verdict])
    table.set_weights([uniform(100, (vocab, embed), 0.5)])
    memory.set_weights([uniform(104, (embed, 4 * units), k), uniform(108, (units, 4 * units), k),
                        uniform(112, 4 * units, 0.1)])
    verdict.set_weights([uniform(116, (units, 1), k), np.zeros(1, np.float32)])
    model.compile(optimizer=make_optimizer(w), loss="binary_crossentropy")
    words = (uniform(7, (w["batch"], w["seq"]), 1).astype(np.float64) + 1) / 2 * vocab
    return TrainBench(model, np.minimum(vocab - 1, np.floor(words)).astype(np.int32),
                      (uniform(9, (w["batch"], 1), 1) > 0).astype(np.float32))


KINDS = {"matmul": matmul, "eltwise": eltwise, "train": train, "infer": infer,
         "transformer": transformer, "lstm": lstm}


def prepare(spec):
    """The workload of one spec.json entry (a JSON string)."""
    w = json.loads(spec)
    return KINDS[w["kind"]](w)


def describe():
    """What the harness stores beside the results."""
    return json.dumps({"pyml": pyml.__version__, "device": pyml.config.describe()})
