"""Writes keras3_files.json: models as Keras 3 describes them, and what they compute. Run with Keras 3 installed:

    KERAS_BACKEND=numpy python tests/goldens/keras3_files.py

Weights and inputs are not kept: `numbers(seed, shape, name)` makes them again.
"""

import json
import zlib
from pathlib import Path

import numpy as np

GOLDENS = Path(__file__).with_suffix(".json")


def numbers(shape, name, dtype="float32"):
    """Values that depend on the name only."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    if dtype == "bool":
        return random.integers(0, 2, shape).astype(bool)
    if dtype == "int32":
        return random.integers(0, 9, shape).astype(np.int32)
    values = (0.4 * random.normal(size=shape)).astype(np.float32)
    return abs(values) + np.float32(0.2) if "variance" in name else values


def models(keras):
    from keras import Input, Model, Sequential
    from keras import layers as L

    x = Input((9, 8, 3))
    y = L.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(L.Conv2D(4, 3, strides=2, activation="relu6")(x))
    yield "convolutions", Model(x, L.GlobalAveragePooling2D()(L.SeparableConv2D(5, 3)(L.LeakyReLU(0.1)(y))))

    a, b, shared = Input((6,), name="left"), Input((6,), name="right"), L.Dense(4, name="shared")
    p, q = shared(a), shared(b)
    yield "shared", Model([a, b], [L.Add()([p, q]), L.Concatenate()([p, L.Multiply()([p, q])])])

    i = Input((4,))
    inner = Model(i, L.Dense(3)(L.BatchNormalization()(i)), name="inner")
    a, b = Input((4,)), Input((4,))
    yield "nested", Model([a, b], L.Dense(1)(L.Add()([inner(a, training=False), inner(b)])))

    base, i, x = Sequential([Input((4,)), L.Dense(4, activation="tanh")], name="base"), Input((4,)), Input((4,))
    middle = Model(i, L.Add()([base(i), i]), name="middle")
    yield "same weights' names", Model(x, L.Dense(2)(middle(x)))

    a, b = Input((4, 3)), Input((5, 2))
    _, h, c = L.LSTM(4, return_state=True)(a)
    yield "states", Model([a, b], L.LSTM(4, return_sequences=True)(b, initial_state=[h, c]))

    yield "cells", Sequential([Input((4, 3)), L.RNN([L.GRUCell(3), L.SimpleRNNCell(2)])])

    x, k = Input((5, 2)), Input((5,), dtype="bool")
    yield "mask", Model([x, k], L.LSTM(3)(x, mask=k))

    x = Input((4, 6))
    yield "causal", Model(x, L.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True))

    yield "tokens", Sequential([Input((5,), dtype="int32"), L.Embedding(10, 4, mask_zero=True), L.GRU(3), L.LayerNormalization()])

    x = Input((6,))
    yield "one in a list", Model([x], [L.Dense(2, activation="hard_sigmoid")(x)])


def main():
    import keras

    cases = {}
    for name, model in models(keras):
        for weight in model.weights:
            weight.assign(numbers(tuple(weight.shape), weight.path))
        shapes = [[2, *i.shape[1:]] for i in model.inputs]
        inputs = [numbers(s, f"input {n}", str(i.dtype)) for n, (s, i) in enumerate(zip(shapes, model.inputs, strict=True))]
        outputs = model(inputs if len(inputs) > 1 else inputs[0])
        cases[name] = {
            "keras_version": keras.__version__, "config": json.loads(model.to_json()),
            "weights": [{"name": w.path, "shape": list(w.shape), "dtype": "float32"} for w in model.weights],
            "inputs": [{"shape": s, "dtype": str(i.dtype)} for s, i in zip(shapes, model.inputs, strict=True)],
            "outputs": [np.round(np.asarray(o), 6).tolist() for o in (outputs if isinstance(outputs, list) else [outputs])],
        }  # fmt: skip
    GOLDENS.write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
