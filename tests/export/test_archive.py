"""`ExportArchive`: endpoints that are written, what they are called, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

import pyml
from pyml.export import ExportArchive, ExportError


def network():
    return pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2), pyml.layers.Dropout(0.5)])


def test_endpoints_and_collections_are_written_side_by_side(tmp_path, capsys):
    model, archive = network(), ExportArchive()
    archive.track_and_add_endpoint("serve", model, None, devices="wasm")
    spec = pyml.InputSpec(shape=(None, 3), dtype="float32")
    fn = lambda pair: pair[0] * 2.0 + model(pair[1], training=False)[:, :1]
    assert archive.add_endpoint("mixed", fn, [[spec, spec]], batch_size=4, devices="wasm") is fn
    archive.add_variable_collection("weights", model.trainable_variables)
    assert [v.path for v in archive.trainable_variables] == [v.path for v in model.trainable_variables]
    assert len(archive.variables) == len(model.variables) == len(archive.trainable_variables) + len(archive.non_trainable_variables)
    archive.write_out(tmp_path / "out")
    assert "endpoints are available: serve, mixed" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "endpoints.json").read_text()) == ["serve", "mixed"]
    plan = json.loads((tmp_path / "out" / "mixed" / "plan.json").read_text())
    assert plan["name"] == "mixed" and plan["predict"][0]["shapes"] == [[4, 3], [4, 3]]
    assert (tmp_path / "out" / "serve" / "model.js").is_file()
    kept = pyml.saving.load_safetensors(tmp_path / "out" / "weights.safetensors")
    for v in model.trainable_variables:
        np.testing.assert_array_equal(kept[v.path], v.numpy())


@pytest.mark.parametrize("act, told", [
    (lambda a: ExportArchive("other"), "Unsupported format"),
    (lambda a: a.track(3), "layer or model"),
    (lambda a: a.track(pyml.layers.Dense(2)), "not built"),
    (lambda a: a.add_endpoint("a/b", abs, []), "names of folders"),
    (lambda a: a.add_endpoint("a", abs), "input_signature"),
    (lambda a: a.add_endpoint("a", abs, ["x"]), "shape of every input"),
    (lambda a: a.add_variable_collection("v", 3), "list/tuple/set"),
    (lambda a: a.add_variable_collection("v", [3]), "Variables"),
])  # fmt: skip
def test_what_cannot_be_added_is_refused(act, told):
    with pytest.raises(ValueError, match=told):
        act(ExportArchive())


def test_an_archive_without_endpoints_is_not_written(tmp_path):
    with pytest.raises(ExportError, match="add_endpoint"):
        ExportArchive().write_out(tmp_path / "none")
    assert not (tmp_path / "none").exists()
