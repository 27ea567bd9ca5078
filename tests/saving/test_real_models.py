"""Real graph-models give the outputs that TensorFlow.js gives; `fetch_models.py` fetches them."""

from __future__ import annotations

import numpy as np
import pytest
from fetch_models import PINS, path_of

from pyml.saving import load_model

SMALL = ("antispoof", "liveness", "age", "emotion", "mobileface")  # the others take seconds each on numpy


def given(inputs):
    """Element i of every input is `(i * 131) % 251`, over 251 for floats; rvm's states are 0 and it halves the image."""
    out = {}
    for name, spec in inputs.items():
        values = (np.arange(int(np.prod(spec["shape"])), dtype=np.int64) * 131) % 251
        array = values.astype(np.int32) if spec["dtype"] == "int32" else (values / 251).astype(np.float32)
        out[name] = array.reshape(spec["shape"])
        if not spec["shape"]:
            out[name] = np.float32(0.5 if name == "downsample_ratio" else 0)
    return out


def check(name):
    if not path_of(name).is_file():
        pytest.skip(f"{name} is not fetched: run tests/saving/fetch_models.py {name}")
    pins = PINS["models"][name]
    model = load_model(path_of(name))
    for _ in range(2):  # the second run is a replay
        found = model.execute(given(pins["inputs"]), list(pins["outputs"]))
        for (output, expected), result in zip(pins["outputs"].items(), found, strict=True):
            array = result.numpy()
            assert list(array.shape) == expected["shape"], output
            assert array.dtype.name == expected["dtype"], output
            numbers = array.astype(np.float64)
            have = [numbers.mean(), numbers.min(), numbers.max(), *numbers.reshape(-1)[:6]]
            want = [expected["mean"], expected["min"], expected["max"], *expected["first"]]
            scale = max(1.0, abs(expected["min"]), abs(expected["max"]))
            np.testing.assert_allclose(have, want, atol=1e-3 * scale, err_msg=output)


@pytest.mark.parametrize("name", SMALL)
def test_small_model_equals_tensorflow_js_on_every_device(device, name):
    check(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in PINS["models"] if n not in SMALL])
def test_model_equals_tensorflow_js(wasm, name):
    check(name)
