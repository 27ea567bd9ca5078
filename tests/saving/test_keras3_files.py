"""Layers-models that Keras 3 describes: its batch_shape, dtype policies, calls and names of weights."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from keras3_files import GOLDENS, numbers

from pyml.saving import ModelFileError, load_model

CASES = json.loads(GOLDENS.read_text())


def written(folder, case, change=lambda config: None):
    """The files that TensorFlow's converter makes of such a model."""
    config = copy.deepcopy(case["config"])
    change(config)
    data = b"".join(numbers(spec["shape"], spec["name"]).tobytes() for spec in case["weights"])
    (folder / "group1-shard1of1.bin").write_bytes(data)
    (folder / "model.json").write_text(json.dumps({
        "format": "layers-model", "generatedBy": f"keras v{case['keras_version']}", "convertedBy": "TensorFlow.js Converter v4.22.0",
        "modelTopology": {"keras_version": case["keras_version"], "backend": "tensorflow", "model_config": config},
        "weightsManifest": [{"paths": ["group1-shard1of1.bin"], "weights": case["weights"]}],
    }))  # fmt: skip
    return folder


@pytest.mark.parametrize("name", CASES)
def test_a_model_described_by_keras_3_gives_its_outputs(tmp_path, name):
    case = CASES[name]
    model = load_model(written(tmp_path, case))
    inputs = [numbers(i["shape"], f"input {n}", i["dtype"]) for n, i in enumerate(case["inputs"])]
    found = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    for have, want in zip(found if isinstance(found, list) else [found], case["outputs"], strict=True):
        np.testing.assert_allclose(have, want, atol=2e-5)


def layer_of(config, kind):
    return next(layer for layer in config["config"]["layers"] if layer["class_name"] == kind)


def test_a_mixed_policy_is_read_as_float32(tmp_path):
    def change(config):
        layer_of(config, "Dense")["config"]["dtype"]["config"]["name"] = "mixed_float16"

    assert load_model(written(tmp_path, CASES["one in a list"], change)).layers[-1].dtype == "float32"


@pytest.mark.parametrize(("change", "match"), [
    (lambda c: layer_of(c, "Dense").update(module="keras.src.ops.nn", class_name="Relu"), "is the op Relu between layers"),
    (lambda c: layer_of(c, "Dense").update(class_name="Lambda", config={"function": {"class_name": "__lambda__", "config": {}}}),
     "bytecode, which is never run"),
    (lambda c: layer_of(c, "Dense").update(class_name="Lambda", config={"function": ["4wEA", None, None]}), "bytecode, which is never run"),
    (lambda c: layer_of(c, "Dense").update(inbound_nodes=[{"args": 7}]), "needs a list 'args'"),
    (lambda c: layer_of(c, "Dense").update(inbound_nodes=[{"args": [{"class_name": "__numpy__"}], "kwargs": {}}]), "was called with"),
    (lambda c: layer_of(c, "Dense")["inbound_nodes"][0]["args"][0]["config"].update(keras_history=["x"]), "not a reference"),
    (lambda c: c["config"].update(output_layers=7), "not a reference"),
])  # fmt: skip
def test_what_cannot_be_opened_is_named(tmp_path, change, match):
    with pytest.raises(ModelFileError, match=match):
        load_model(written(tmp_path, CASES["one in a list"], change))
