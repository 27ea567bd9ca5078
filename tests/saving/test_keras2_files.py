"""Files that Keras 2.15 wrote (`tools/make_keras2_files.py`) open here: equal outputs, and training that goes on with equal losses."""

import base64
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from keras2_models import CASES, compiled, inputs_of, train

import pyml
from pyml.saving import load_model

FILES = json.loads((Path(__file__).parents[1] / "goldens" / "keras2_files.json").read_text())["cases"]


@pytest.mark.parametrize("name", CASES)
def test_files_of_keras_2_give_its_outputs(tmp_path, name):
    case = FILES[name]
    for ending, data in case["files"].items():
        path = tmp_path / f"m{ending}"
        path.write_bytes(zlib.decompress(base64.b64decode(data)))
        if "weights" in ending:
            model = CASES[name](pyml)
            model.load_weights(path)
        else:
            model = load_model(path)
        x = inputs_of(model)
        found = model.predict(x, verbose=0)
        for have, want in zip(found if isinstance(found, list) else [found], case["outputs"], strict=True):
            np.testing.assert_allclose(have, want, atol=2e-5, err_msg=ending)
        if name in compiled and "weights" not in ending:
            np.testing.assert_allclose(train(pyml, model, x), case["loss"], atol=2e-5, err_msg=ending)
