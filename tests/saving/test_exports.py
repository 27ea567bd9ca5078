"""Whole networks that are taken away: what pyml made of layers TensorFlow.js has not, run by the real TensorFlow.js."""

from __future__ import annotations

import json

import numpy as np
import pytest
from saving.test_layers_model import close, in_node

import pyml
from pyml import hub, layers
from pyml.saving import load_model


def pooled_in_a_row():
    return pyml.Sequential([
        pyml.Input((6, 5, 3)), layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(keepdims=True, name="pool"), layers.Conv2D(2, 1),
    ])  # fmt: skip


def pooled_at_the_start():
    return pyml.Sequential([pyml.Input((6, 3)), layers.GlobalMaxPooling1D(keepdims=True), layers.Conv1D(2, 1)])


def pooled_twice_by_one_layer():
    a, b = pyml.Input((5, 4, 3)), pyml.Input((7, 6, 3))
    pool, taken = layers.GlobalAveragePooling2D(keepdims=True, name="pool"), layers.Rescaling(0.5, name="pool_flat")
    return pyml.Model([a, b], layers.Concatenate()([taken(pool(a)), pool(b), layers.GlobalMaxPooling2D(keepdims=True)(b)]))


@pytest.mark.parametrize("make", [pooled_in_a_row, pooled_at_the_start, pooled_twice_by_one_layer])
def test_pooling_that_keeps_its_axes_is_pooling_and_a_reshape_there(tmp_path, make):
    model, random = make(), np.random.default_rng(3)
    inputs = [random.uniform(-1, 1, (2, *i.shape[1:])).astype(np.float32) for i in model.inputs]
    expected = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    model.save(tmp_path / "model.json")
    again = load_model(tmp_path)
    np.testing.assert_allclose(again.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0), expected, atol=1e-6)
    assert {layer.name for layer in model.layers} <= {layer.name for layer in again.layers}
    check_there(tmp_path, inputs, expected)


def check_there(folder, inputs, expected):
    given = [{"shape": list(x.shape), "data": x.ravel().tolist(), "dtype": "float32"} for x in inputs]
    (folder / "inputs.json").write_text(json.dumps(given))
    (found,) = json.loads(in_node("run", folder / "model.json", folder / "inputs.json"))
    close(np.array(found["data"]).reshape(found["shape"]), [{"shape": list(expected.shape), "data": expected.ravel()}])


def needs(name):
    if hub.store.folder_of(name) is None:
        pytest.skip(f"{name} was not fetched; `make models` does")


@pytest.mark.slow
@pytest.mark.parametrize(("name", "layer"), [("mobilenet_v1", "conv_pw_13_relu"), ("mobilenet_v1", "global_average_pooling2d"),
                                             ("efficientnet_lite0", "top_activation")])  # fmt: skip
def test_a_model_with_a_frozen_network_under_a_trained_head_opens_there(tmp_path, name, layer):
    needs(name)
    base = getattr(hub, name)().keras
    base.trainable = False
    x = base.get_layer(layer).output
    x = layers.GlobalAveragePooling2D(keepdims=True)(x) if layer != "global_average_pooling2d" else x
    model = pyml.Model(base.input, layers.Dense(3, activation="softmax", name="head")(layers.Flatten()(x)))
    model.compile("adam", "sparse_categorical_crossentropy")
    random = np.random.default_rng(0)
    pictures, classes = random.uniform(0, 255, (3, 224, 224, 3)).astype(np.float32), np.arange(3)
    before = base.get_layer("conv1" if name == "mobilenet_v1" else "stem_conv").weights[0].numpy()
    model.fit(pictures, classes, epochs=1, batch_size=3, verbose=0)
    np.testing.assert_array_equal(base.get_layer("conv1" if name == "mobilenet_v1" else "stem_conv").weights[0].numpy(), before)
    model.save(tmp_path / "model.json")
    check_there(tmp_path, [pictures[:1]], model.predict(pictures[:1], verbose=0))


@pytest.mark.slow
def test_a_network_of_the_hub_opens_there(tmp_path):
    needs("mobilenet_v1")
    model = hub.mobilenet_v1().keras
    model.save(tmp_path / "model.json")
    picture = np.random.default_rng(1).uniform(0, 255, (1, 224, 224, 3)).astype(np.float32)
    check_there(tmp_path, [picture], model.predict(picture, verbose=0))
