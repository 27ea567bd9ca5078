"""Models with named inputs and outputs keep the names in TensorFlow.js files, and layers with odd arguments are named."""

import json

import numpy as np
import pytest
from saving.test_layers_model import close, in_node

import pyml
from pyml import layers


def named_model():
    a, b = pyml.Input((3,), name="a"), pyml.Input((3,), name="b")
    joined = layers.Add()([a, b])
    return pyml.Model({"left": a, "right": b}, {"y": layers.Dense(1)(joined), "z": layers.Dense(2)(joined)})


def test_a_model_with_named_ends_comes_back_with_them(tmp_path):
    model, x = named_model(), {"left": np.ones((2, 3), "float32"), "right": np.full((2, 3), 2.0, "float32")}
    model.save(tmp_path / "model")
    loaded = pyml.saving.load_model(tmp_path / "model")
    found, wanted = loaded(x), model(x)
    assert list(found) == ["y", "z"]
    for name in found:
        np.testing.assert_array_equal(found[name].numpy(), wanted[name].numpy())


def test_tensorflow_js_opens_it_with_lists(tmp_path):
    model, x = named_model(), {"left": np.ones((2, 3), "float32"), "right": np.full((2, 3), 2.0, "float32")}
    model.save(tmp_path)
    given = [{"shape": [2, 3], "data": value.ravel().tolist(), "dtype": "float32"} for value in x.values()]
    (tmp_path / "inputs.json").write_text(json.dumps(given))
    found = json.loads(in_node("run", tmp_path / "model.json", tmp_path / "inputs.json"))
    wanted = [{"shape": list(value.shape), "data": value.numpy().ravel()} for value in model(x).values()]
    close([np.array(value["data"]).reshape(value["shape"]) for value in found], wanted)


def test_the_argument_that_json_has_no_form_for_is_named(tmp_path):
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(1), layers.LeakyReLU(0.2, name="leaky")])
    model.layers[-1].negative_slope = float("nan")
    with pytest.raises(ValueError, match=r"layer 'leaky' \(LeakyReLU\): its argument alpha is NaN"):
        model.save(tmp_path / "model" / "model.json")
    assert not (tmp_path / "model").exists()
