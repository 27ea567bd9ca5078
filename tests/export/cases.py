"""Models of many kinds of layers, exported and run by Python without threads and without fused multiply-add, as Node does it.

A script: `python cases.py FOLDER` exports all, writes `jobs.json` for in_node.mjs, and `wanted.json`.
"""

import base64
import json
import os
import sys
from pathlib import Path

os.environ["PYML_WASM_RELAXED"] = "0"
os.environ["PYML_WASM_THREADS"] = "1"

import numpy as np

import pyml

L = pyml.layers
KINDS = {"float32": "Float32Array", "int32": "Int32Array"}


def models():
    """Name, model, inputs without the batch and their dtypes."""
    pyml.utils.set_random_seed(7)
    x = pyml.Input((12, 12, 3))
    y = L.Rescaling(1 / 255)(x)
    y = L.BatchNormalization()(L.Conv2D(6, 3, padding="same", activation="relu")(y))
    y = L.Dropout(0.5)(L.MaxPooling2D()(L.SeparableConv2D(8, 3)(L.DepthwiseConv2D(3)(y))))
    yield "convnet", pyml.Model(x, L.Dense(5, activation="softmax")(L.Flatten()(y))), "float32"
    yield "mlp", pyml.Sequential([pyml.Input((9,)), L.Dense(33, activation="gelu"), L.LayerNormalization(), L.Dense(3)]), "float32"
    ids = pyml.Input((8,), dtype="int32")
    y = L.Embedding(20, 6)(ids)
    y = L.Bidirectional(L.LSTM(4, return_sequences=True))(y)
    y = L.MultiHeadAttention(2, 4)(y, y)
    yield "sequence", pyml.Model(ids, [L.GRU(3)(y), L.GlobalAveragePooling1D()(y)]), "int32"
    x = pyml.Input((6, 6, 2))
    y = L.Add()([L.Conv2DTranspose(2, 2, strides=2)(x), L.UpSampling2D()(x)])
    y = L.GroupNormalization(2)(L.ZeroPadding2D()(y))
    y = L.Concatenate()([L.GlobalMaxPooling2D()(y), L.GlobalAveragePooling2D()(y)])
    yield "pictures", pyml.Model(x, {"a": L.PReLU()(y), "b": L.UnitNormalization()(y)}), "float32"
    yield "simple_rnn", pyml.Sequential([pyml.Input((5, 3)), L.SimpleRNN(4), L.Activation("swish"), L.RepeatVector(2)]), "float32"


def encoded(array):
    return {"shape": list(array.shape), "data": base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()}


def learner():
    """A small convnet with all that lives on the device: dropout, moving statistics, a schedule, metrics."""
    pyml.utils.set_random_seed(1)
    layers = [L.Conv2D(4, 3, activation="relu"), L.BatchNormalization(), L.Dropout(0.5), L.Flatten(), L.Dense(10, activation="softmax")]
    model = pyml.Sequential([pyml.Input((6, 6, 1)), *layers])
    rate = pyml.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    model.compile(pyml.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def training(folder, wanted, rng):
    """The job of 50 steps, and what Python makes of the same rows in the same order."""
    model = learner()
    path = pyml.export(model, folder / "learner", batch_sizes=(16, 4), training=True, devices="wasm")
    x, y = rng.normal(size=(68, 6, 6, 1)).astype("float32"), rng.integers(0, 10, 68).astype("int32")
    history = model.fit(x, y, epochs=10, batch_size=16, shuffle=False, verbose=0).history
    tested = model.evaluate(x, y, batch_size=16, verbose=0, return_dict=True)
    wanted["learner"] = {"history": history, "tested": tested}
    np.savez(folder / "weights.npz", *model.get_weights())
    return {"folder": str(path), "train": {"x": x.ravel().tolist(), "y": y.tolist(), "options": {"epochs": 10, "batchSize": 16}}}


def weighing(folder, wanted, rng):
    """The job of rows that weigh differently, and what Python makes of them."""
    pyml.utils.set_random_seed(2)
    model = pyml.Sequential([pyml.Input((3,)), L.Dense(8, activation="tanh"), L.Dense(4, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], weighted_metrics=["accuracy"])
    path = pyml.export(model, folder / "weighted", batch_sizes=8, training=True, sample_weight=True, devices="wasm")
    x, y = rng.normal(size=(24, 3)).astype("float32"), rng.integers(0, 4, 24).astype("int32")
    weights = rng.uniform(0, 3, 24).astype("float32")
    options = {"batch_size": 8, "verbose": 0}
    plain = model.evaluate(x, y, sample_weight=np.ones_like(weights), return_dict=True, **options)
    unseen = (x[:8], y[:8], weights[:8])
    history = model.fit(x, y, sample_weight=weights, validation_data=unseen, epochs=3, shuffle=False, **options).history
    tested = model.evaluate(x, y, sample_weight=weights, return_dict=True, **options)
    wanted["weighted"] = {"history": history, "plain": plain, "tested": tested}
    return {"folder": str(path), "weighted": {"x": x.ravel().tolist(), "y": y.tolist(), "sampleWeight": weights.tolist()}}


def main(folder):
    """Exports the models to folders in `folder`."""
    pyml.config.set_backend("wasm")
    jobs, wanted, rng = [], {}, np.random.default_rng(3)
    for name, model, dtype in models():
        path = pyml.export(model, folder / name, batch_sizes=(2, 1))
        shape = (3, *model.input_shape[1:])
        x = rng.integers(0, 20, shape).astype("int32") if dtype == "int32" else rng.normal(size=shape).astype("float32")
        data = {"data": x.ravel().tolist(), "dtype": KINDS[dtype]}
        calls = [{"inputs": [data], "options": {"batchSize": 1}}]
        calls.append({"inputs": [{**data, "data": x[:2].ravel().tolist(), "shape": list(x[:2].shape)}], "options": {}})
        jobs.append({"folder": str(path), "calls": calls})
        answers = []
        for rows, size in ((x, 1), (x[:2], 2)):
            y = model.predict(rows, batch_size=size, verbose=0)
            answers.append([encoded(part) for part in (list(y.values()) if isinstance(y, dict) else y if isinstance(y, list) else [y])])
        wanted[name] = answers
    jobs.append(training(folder, wanted, rng))
    jobs.append(weighing(folder, wanted, rng))
    (folder / "jobs.json").write_text(json.dumps(jobs))
    (folder / "wanted.json").write_text(json.dumps(wanted))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
