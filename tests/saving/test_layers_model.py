"""Layers-models between pyml and the real TensorFlow.js, both ways, and what cannot be written."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import layers
from pyml.assets import tensorflow_js
from pyml.saving import ModelFileError, keras2_hard_sigmoid, load_model

SCRIPT = Path(__file__).parent / "layers_in_node.mjs"


def in_node(*arguments) -> str:
    tensorflow_js.script()                             # tells what to do if it is not there
    environment = {**os.environ, "TFJS_FOLDER": str(tensorflow_js.folder())}
    run = subprocess.run(["node", SCRIPT, *map(str, arguments)], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr[-800:]
    return run.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Models that TensorFlow.js made, with inputs and outputs."""
    folder = tmp_path_factory.mktemp("tfjs")
    in_node("make", folder)
    return folder


def close(found, expected, tol=2e-5):
    for have, want in zip(found if isinstance(found, list) else [found], expected, strict=True):
        assert list(have.shape) == want["shape"]
        np.testing.assert_allclose(have.reshape(-1), want["data"], rtol=tol, atol=tol)


@pytest.mark.parametrize("name", ["conv", "branches", "recurrent", "states"])
def test_models_of_tensorflow_js_give_the_same_outputs_here_and_back_there(made, tmp_path, name):
    model = load_model(made / name)
    case = json.loads((made / name / "expected.json").read_text())
    inputs = [np.array(i["data"], i["dtype"]).reshape(i["shape"]) for i in case["inputs"]]
    close(model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0), case["outputs"])
    (tmp_path / "inputs.json").write_text(json.dumps(case["inputs"]))
    for quantize, tol in ((None, 2e-5), ("float16", 5e-3), ("uint16", 2e-3)):
        model.save(tmp_path / "again/model.json", quantize=quantize)
        back = json.loads(in_node("run", tmp_path / "again/model.json", tmp_path / "inputs.json"))
        close([np.array(o["data"]).reshape(o["shape"]) for o in back], case["outputs"], tol)


def small(**more):
    return pyml.Sequential([
        pyml.Input((6, 6, 3)), layers.Conv2D(4, 3, activation="relu", **more), layers.BatchNormalization(),
        layers.Flatten(), layers.Dense(2),
    ])  # fmt: skip


def test_a_saved_model_loads_with_the_same_outputs(device, tmp_path):
    model, x = small(), np.random.default_rng(0).uniform(-1, 1, (2, 6, 6, 3)).astype(np.float32)
    model.save(tmp_path)
    again = load_model(tmp_path)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert [w.name for w in again.weights] == [w.name for w in model.weights]


def test_models_inside_models_and_shared_layers_keep_their_structure(tmp_path):
    a, b = pyml.Input((4,)), pyml.Input((4,))
    inner = pyml.Sequential([pyml.Input((4,)), layers.Dense(3, activation=keras2_hard_sigmoid)], name="inner")
    model = pyml.Model([a, b], [layers.Concatenate()([inner(a), inner(b)]), layers.LeakyReLU(0.3)(a)])
    model.save(tmp_path)
    again = load_model(tmp_path / "model.json")
    x = [np.random.default_rng(i).uniform(-1, 1, (2, 4)).astype(np.float32) for i in (0, 1)]
    for have, want in zip(again.predict(x, verbose=0), model.predict(x, verbose=0), strict=True):
        np.testing.assert_array_equal(have, want)
    assert len(again.weights) == 2


def test_large_weights_go_into_several_shards(tmp_path):
    model = pyml.Sequential([pyml.Input((1100,)), layers.Dense(1000)])
    model.save(tmp_path)
    shards = sorted(p.name for p in tmp_path.glob("*.bin"))
    assert [name.rpartition("-")[2] for name in shards] == ["shard1of2.bin", "shard2of2.bin"]
    np.testing.assert_array_equal(load_model(tmp_path).weights[0].numpy(), model.weights[0].numpy())


@pytest.mark.parametrize(("make", "match"), [
    (lambda: pyml.Sequential([pyml.Input((4, 3)), layers.GRU(2)]), "reset_after"),
    (lambda: pyml.Sequential([pyml.Input((2, 4, 3)), layers.TimeDistributed(layers.GlobalMaxPooling1D(keepdims=True))]), "keepdims"),
    (lambda: pyml.Sequential([pyml.Input((4,)), layers.Dense(2, activation="hard_sigmoid")]), "hard_sigmoid"),
    (lambda: pyml.Sequential([pyml.Input((4,)), layers.ReLU(negative_slope=0.1)]), "LeakyReLU"),
    (lambda: pyml.Sequential([pyml.Input((6, 6, 4)), layers.Conv2D(4, 3, groups=2)]), "groups"),
    (lambda: pyml.Sequential([layers.Dense(2)]), "no graph"),
])  # fmt: skip
def test_what_tensorflow_js_has_not_is_refused_before_anything_is_written(tmp_path, make, match):
    with pytest.raises(ValueError, match=match):
        make().save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []


def test_existing_files_stay_if_asked(tmp_path):
    small().save(tmp_path)
    with pytest.raises(FileExistsError, match="overwrite"):
        small().save(tmp_path, overwrite=False)


@pytest.mark.parametrize("save", [lambda model, path: model.save(path), lambda model, path: asyncio.run(model.save_async(path))])
def test_no_folder_gets_the_name_of_a_file_unless_it_is_there_or_a_slash_says_so(tmp_path, save):
    for name in ("model.foo", "model.keras3", "v1.2/model.H5"):
        with pytest.raises(ValueError, match=r"save: \.\w+ is no form of file.*\.keras, \.h5 or \.json; in a slash for a folder"):
            save(small(), tmp_path / name)
    assert not list(tmp_path.iterdir())
    (tmp_path / "there.v1").mkdir()
    for folder in ("there.v1", "made.v2/", "plain", "run-0.5"):
        save(small(), f"{tmp_path}/{folder}")
        assert load_model(f"{tmp_path}/{folder}").count_params() == small().count_params()


def test_weights_of_another_shape_are_refused(tmp_path):
    small().save(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    description["weightsManifest"][0]["weights"][0]["shape"] = [3, 3, 4, 3]
    (tmp_path / "model.json").write_text(json.dumps(description))
    with pytest.raises(ModelFileError, match="kernel' has shape"):
        load_model(tmp_path)
