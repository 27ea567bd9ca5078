"""`KerasFileEditor`: what is in a file, what it lacks for a model, and files that were changed."""

from __future__ import annotations

import numpy as np
import pytest

import pyml
from pyml import layers
from pyml.saving import KerasFileEditor


def network(hidden=4):
    inner = pyml.Sequential([pyml.Input((hidden,)), layers.Dense(3, name="inside")], name="inner")
    model = pyml.Sequential([pyml.Input((2,)), layers.Dense(hidden, name="first"), inner, layers.BatchNormalization()])
    model.compile("adam", "mse")
    return model


@pytest.fixture
def files(tmp_path, cpu):
    model = network()
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    return model, tmp_path


def test_a_file_is_listed_with_the_names_of_its_layers(files, capsys):
    _, folder = files
    editor = KerasFileEditor(str(folder / "model.keras"))
    assert editor.config["class_name"] == "Sequential" and "keras_version" in editor.metadata
    editor.summary()
    out = capsys.readouterr().out
    assert "Keras model file" in out and "dense ('first')" in out and "0: shape=(4, 3), dtype=float32" in out


def test_a_file_compares_with_its_own_model_and_tells_what_another_lacks(files, capsys):
    model, folder = files
    editor = KerasFileEditor(folder / "model.weights.h5")
    found = editor.compare(model)
    assert found["status"] == "success" and found["error_count"] == 0 and found["match_count"] >= 8
    wide = editor.compare(network(hidden=5))
    assert wide["status"] == "error" and wide["error_count"] == 3  # the kernel and bias of one layer, the kernel of the next
    assert "shape mismatch for /layers/dense/0" in capsys.readouterr().out
    editor.delete_object("layers/batch_normalization")
    assert editor.compare(model)["error_count"] == 1 and "missing from saved file" in capsys.readouterr().out


def test_a_changed_file_is_loaded_into_a_changed_model(files):
    model, folder = files
    editor = KerasFileEditor(folder / "model.weights.h5")
    editor.delete_weight("layers/dense", "1")
    editor.add_weights("layers/dense", {"1": np.full(4, 7.0, "float32")})
    editor.rename_object("sequential", "other")
    editor.rename_object("layers/other", "sequential")
    editor.add_object("layers/dense_1", {"0": np.ones((3, 1), "float32"), "1": np.zeros(1, "float32")})
    editor.save(folder / "changed.weights.h5")
    longer = pyml.Sequential([*network().layers, layers.Dense(1)])
    longer.build((None, 2))
    longer.load_weights(folder / "changed.weights.h5")
    np.testing.assert_array_equal(longer.layers[0].get_weights()[1], np.full(4, 7.0))
    np.testing.assert_array_equal(longer.layers[1].get_weights()[0], model.layers[1].get_weights()[0])
    np.testing.assert_array_equal(longer.layers[-1].get_weights()[0], np.ones((3, 1)))


def test_weights_are_saved_again_into_a_file_of_another_name(files):
    model, folder = files
    KerasFileEditor(folder / "model.keras").resave_weights(folder / "again.weights.h5")
    other = network()
    other.load_weights(folder / "again.weights.h5")
    for mine, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("change, told", [
    (lambda e: e.rename_object("layers/dense", "a/b"), "leaf name"),
    (lambda e: e.rename_object("layers/dense", "sequential"), "already"),
    (lambda e: e.rename_object("layers/none", "x"), "not found"),
    (lambda e: e.delete_object("nowhere"), "does not appear"),
    (lambda e: e.delete_object("dense"), "more than once"),
    (lambda e: e.delete_weight("layers/dense", "9"), "Weights found"),
    (lambda e: e.add_object("no/where", {}), "Path 'no' not found"),
    (lambda e: e.add_object("layers/dense_9", [1]), "should be a dict"),
    (lambda e: e.add_weights("layers/dense", None), "should be a dict"),
    (lambda e: e.save("x.h5"), r"\.weights\.h5"),
])  # fmt: skip
def test_changes_that_cannot_be_are_refused(files, change, told):
    editor = KerasFileEditor(files[1] / "model.weights.h5")
    with pytest.raises(ValueError, match=told):
        change(editor)


def test_other_files_are_refused(tmp_path):
    with pytest.raises(ValueError, match="Invalid filename"):
        KerasFileEditor(tmp_path / "a.h5")
    with pytest.raises(FileNotFoundError, match="KerasFileEditor"):
        KerasFileEditor(tmp_path / "none.keras")
    (tmp_path / "bad.weights.h5").write_bytes(b"no hdf5")
    with pytest.raises(ValueError, match="bad"):
        KerasFileEditor(tmp_path / "bad.weights.h5")
