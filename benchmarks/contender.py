"""The yardstick's workloads in pyml, written as a user writes them; `contender.mjs` runs it in Pyodide.

A workload is one entry of the yardstick's spec.json; `prepare` returns a `Bench` with `single()` (one step,
its result read back), `loop(k)` (k steps, one read at the end) and `stats()`. Weights and data are the
yardstick's integer hash, so every library starts from the same numbers.
"""

import json

import numpy as np

import pyml
from pyml import ops


class Unavailable(Exception):
    """The workload needs a layer that this version of pyml does not have."""


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


def layer(name, *args, **kwargs):
    if not hasattr(pyml.layers, name):
        raise Unavailable(f"needs layers.{name}, which comes later")
    return getattr(pyml.layers, name)(*args, **kwargs)


def keras_model(w):
    """The workload's layers as a functional model, with the yardstick's weights."""
    setters = []

    def parameterised(made, l, extra=()):
        setters.append((made, layer_params(l) + list(extra)))
        return made

    def go(layers, x):
        for l in layers:
            op = l["op"]
            if op == "conv":
                padding = "valid"
                if l["p"] and l["s"] == 1:
                    padding = "same"
                elif l["p"]:   # explicit, as keras.applications does
                    x = layer("ZeroPadding2D", l["p"])(x)
                made = layer("Conv2D", l["cout"], l["k"], strides=l["s"], padding=padding,
                             use_bias=l["bias"], activation=l.get("act"))
                x = parameterised(made, l)(x)
            elif op == "bn":
                still = (np.zeros(l["c"], np.float32), np.ones(l["c"], np.float32))
                x = parameterised(layer("BatchNormalization", epsilon=1e-5, momentum=0.9), l, still)(x)
            elif op == "dense":
                act = "softmax" if l["o"] == 10 and not l.get("act") else l.get("act")
                x = parameterised(layer("Dense", l["o"], activation=act), l)(x)
            elif op == "residual":
                body, short = go(l["body"], x), go(l["short"], x) if l["short"] else x
                x = layer("Activation", "relu")(layer("Add")([body, short]))
            else:
                kind, args = {
                    "relu": ("Activation", ("relu",)),
                    "pool": ("MaxPooling2D", (2,)),
                    "gap": ("GlobalAveragePooling2D", ()),
                    "flatten": ("Flatten", ()),
                    "dropout": ("Dropout", (l.get("rate"),)),
                }[op]
                x = layer(kind, *args)(x)
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
    note = "single = model.train_on_batch, loop = model.fit over k batches"

    def __init__(self, w):
        self.model, self.batch = keras_model(w), w["batch"]
        self.x, self.y = images_and_labels(w)
        self.model.compile(optimizer=make_optimizer(w), loss="sparse_categorical_crossentropy")
        self.many = None

    def single(self):
        return float(self.model.train_on_batch(self.x, self.y))

    def loop(self, k):
        if self.many is None or len(self.many[1]) != k * self.batch:
            self.many = np.tile(self.x, (k,) + (1,) * (self.x.ndim - 1)), np.tile(self.y, k)
        history = self.model.fit(*self.many, batch_size=self.batch, epochs=1, shuffle=False, verbose=0)
        return float(history.history["loss"][0])


def matmul(w):
    n = w["n"]
    a = pyml.convert_to_tensor(uniform(1, (n, n), 1))
    b = pyml.convert_to_tensor(uniform(2, (n, n), 1))
    return ProgramBench(lambda: ops.matmul(a, b), lambda y: y.ravel()[n + 1])


def eltwise(w):
    x = pyml.convert_to_tensor(uniform(1, w["n"], 2))
    return ProgramBench(lambda: ops.sum(ops.relu(x * 1.5 + 0.25) * ops.tanh(x) + x * 0.5), lambda y: y)


def infer(w):
    """Folded batch norms, so only convolutions and a dense layer: Keras ops in one program."""
    params = {}

    def collect(layers):
        for l in layers:
            if l["op"] == "residual":
                collect(l["body"]), collect(l["short"])
            elif layer_params(l):
                params[l["seed"]] = [pyml.convert_to_tensor(p) for p in layer_params(l)]

    acts = {None: lambda x: x, "relu": ops.relu, "relu6": ops.relu6}

    def go(layers, x):
        for l in layers:
            op, p = l["op"], params.get(l.get("seed"))
            if op in ("conv", "dw"):
                conv = ops.conv if op == "conv" else ops.depthwise_conv
                padding = "same" if l["p"] and l["s"] == 1 else "valid"
                if l["p"] and l["s"] > 1:
                    x = ops.pad(x, ((0, 0), (l["p"], l["p"]), (l["p"], l["p"]), (0, 0)))
                x = acts[l.get("act")](conv(x, p[0], strides=l["s"], padding=padding) + p[1])
            elif op == "gap":
                x = ops.mean(x, axis=(1, 2))
            elif op == "dense":
                x = acts[l.get("act")](ops.matmul(x, p[0]) + p[1])
            elif op == "residual":
                x = ops.relu(go(l["body"], x) + (go(l["short"], x) if l["short"] else x))
            else:
                raise Unavailable(f"op {op}")
        return x

    for name in ("conv", "depthwise_conv", "pad", "relu6"):
        if not hasattr(ops, name):
            raise Unavailable(f"needs ops.{name}, which comes later")
    collect(w["net"])
    x = pyml.convert_to_tensor(images_and_labels(w)[0])
    return ProgramBench(lambda: go(w["net"], x), lambda y: np.abs(y).mean(dtype=np.float64))


def transformer(w):
    """A post-norm encoder block out of Keras ops; training is value_and_grad and Adam in one program."""
    d, ffn, heads, shape = w["d"], w["ffn"], w["heads"], (w["batch"], w["seq"], w["d"])
    linear = lambda seed, i, o: uniform(seed, (i, o), (3 / i) ** 0.5)
    vector = lambda seed, n, base: base + uniform(seed, n, 0.05)
    start = {
        "wq": linear(100, d, d), "wk": linear(104, d, d), "wv": linear(108, d, d), "wo": linear(112, d, d),
        "bq": vector(116, d, 0), "bk": vector(120, d, 0), "bv": vector(124, d, 0), "bo": vector(128, d, 0),
        "w1": linear(132, d, ffn), "b1": vector(136, ffn, 0), "w2": linear(140, ffn, d),
        "b2": vector(144, d, 0), "g1": vector(148, d, 1), "e1": vector(152, d, 0),
        "g2": vector(156, d, 1), "e2": vector(160, d, 0),
    }  # fmt: skip
    x, y = (pyml.convert_to_tensor(uniform(s, shape, b)) for s, b in ((7, 1.7), (9, 1)))

    def normalise(x, gain, shift):
        c = x - ops.mean(x, axis=-1, keepdims=True)
        return c * ops.rsqrt(ops.mean(ops.square(c), axis=-1, keepdims=True) + 1e-5) * gain + shift

    def forward(p):
        flat = ops.reshape(x, (-1, d))
        split = lambda t: ops.transpose(ops.reshape(t, (*shape[:2], heads, d // heads)), (0, 2, 1, 3))
        q, k, v = (split(ops.matmul(flat, p["w" + c]) + p["b" + c]) for c in "qkv")
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * (d // heads) ** -0.5
        joined = ops.transpose(ops.matmul(ops.softmax(scores), v), (0, 2, 1, 3))
        h = flat + ops.matmul(ops.reshape(joined, (-1, d)), p["wo"]) + p["bo"]
        h = normalise(h, p["g1"], p["e1"])
        f = ops.matmul(ops.relu(ops.matmul(h, p["w1"]) + p["b1"]), p["w2"]) + p["b2"]
        return ops.reshape(normalise(h + f, p["g2"], p["e2"]), shape)

    if not w["train"]:
        p = {k: pyml.convert_to_tensor(v) for k, v in start.items()}
        return ProgramBench(lambda: forward(p), lambda z: np.abs(z).mean(dtype=np.float64))
    p = {k: pyml.Variable(v, name=k) for k, v in start.items()}
    optimizer = pyml.optimizers.Adam(w["lr"])
    optimizer.build(list(p.values()))
    gradients = pyml.value_and_grad(lambda q: ops.mean(ops.square(forward(q) - y)))

    def step():
        loss, grads = gradients({k: v.value for k, v in p.items()})
        optimizer.apply_gradients([(grads[k], p[k]) for k in p])
        return loss

    return ProgramBench(step, float)


def lstm(w):
    """Embedding, LSTM and a sigmoid, trained on sequences of word numbers."""
    vocab, embed, units = w["vocab"], w["embed"], w["units"]
    k = units**-0.5 * 1.7
    layers = [layer("Embedding", vocab, embed), layer("LSTM", units), layer("Dense", 1, activation="sigmoid")]
    model = pyml.Sequential([pyml.Input((w["seq"],), dtype="int32"), *layers])
    layers[0].set_weights([uniform(100, (vocab, embed), 0.5)])
    layers[1].set_weights([uniform(104, (embed, 4 * units), k), uniform(108, (units, 4 * units), k),
                           uniform(112, 4 * units, 0.1)])
    layers[2].set_weights([uniform(116, (units, 1), k), np.zeros(1, np.float32)])
    model.compile(optimizer=make_optimizer(w), loss="binary_crossentropy")
    bench = TrainBench.__new__(TrainBench)
    bench.model, bench.batch, bench.many = model, w["batch"], None
    words = (uniform(7, (w["batch"], w["seq"]), 1).astype(np.float64) + 1) / 2 * vocab
    bench.x = np.minimum(vocab - 1, np.floor(words)).astype(np.int32)
    bench.y = (uniform(9, (w["batch"], 1), 1) > 0).astype(np.float32)
    return bench


KINDS = {"matmul": matmul, "eltwise": eltwise, "train": TrainBench, "infer": infer,
         "transformer": transformer, "lstm": lstm}


def prepare(spec):
    """The workload of one spec.json entry (a JSON string), or a string that says why there is none."""
    w = json.loads(spec)
    try:
        return KINDS[w["kind"]](w)
    except Unavailable as reason:
        return str(reason)


def describe():
    """What the harness stores beside the results."""
    return json.dumps({"pyml": pyml.__version__, "device": pyml.config.describe()})
