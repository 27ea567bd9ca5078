"""The networks of `pyml.applications`: Keras' names, shapes of weights and outputs; arguments that do not fit."""

import functools
import http.server
import json
import threading
from pathlib import Path

import application_cases as cases
import numpy as np
import pytest

import pyml
from pyml import applications, utils
from pyml.applications import building
from pyml.saving.keras import hdf5, legacy

GOLDENS = json.loads((Path(cases.__file__).parent / "application_cases.json").read_text(encoding="utf-8"))


def agrees(case):
    found, wanted = cases.outputs(pyml, case), GOLDENS[case]
    assert {key: found[key] for key in found if key != "output"} == {key: wanted[key] for key in wanted if key != "output"}
    np.testing.assert_allclose(found["output"], wanted["output"], rtol=2e-4, atol=2e-4 * np.abs(wanted["output"]).max())


@pytest.mark.parametrize("case", cases.SMALL)
def test_a_network_with_keras_weights_has_its_outputs(case, cpu):
    agrees(case)


@pytest.mark.slow
@pytest.mark.parametrize("case", cases.LARGE)
def test_a_wide_or_deep_network_with_keras_weights_has_its_outputs(case, cpu):
    agrees(case)


@pytest.mark.parametrize("given, says", [
    ({"weights": "nowhere.weights.h5"}, "path to the weights file"),
    ({"weights": "imagenet", "classes": 3}, "should be 1000"),
    ({"weights": None, "input_shape": (31, 32, 3)}, "at least 32x32"),
    ({"weights": None, "input_shape": (None, 32, 3)}, "static `input_shape`"),
    ({"weights": None, "input_shape": (32, 32)}, "three integers"),
    ({"weights": None, "input_tensor": np.zeros((1, 32, 32, 3))}, "symbolic tensor"),
])  # fmt: skip
def test_arguments_that_fit_no_network_are_refused(given, says):
    with pytest.raises(ValueError, match=says):
        applications.ResNet50(**given)


def test_a_file_of_weights_is_loaded_and_an_input_tensor_built_upon(tmp_path, cpu):
    options = {"alpha": 0.25, "input_shape": (32, 32, 3), "include_top": False, "pooling": "avg"}
    first = applications.MobileNet(weights=None, **options)
    first.save_weights(tmp_path / "small.weights.h5")
    image = pyml.Input((32, 32, 3))
    second = applications.MobileNet(weights=tmp_path / "small.weights.h5", input_tensor=pyml.layers.Rescaling(2.0)(image), **options)
    x = np.full((1, 32, 32, 3), 0.5, np.float32)
    np.testing.assert_allclose(np.asarray(second(x)), np.asarray(first(2 * x)), rtol=1e-5, atol=1e-7)


def test_pixels_are_scaled_as_the_family_wants_and_the_given_array_stays():
    x = np.array([[[[0.0, 127.5, 255.0]]]])
    caffe, tf, torch = (getattr(applications, family).preprocess_input for family in ("vgg16", "mobilenet_v2", "densenet"))
    np.testing.assert_allclose(caffe(x).ravel(), [255 - 103.939, 127.5 - 116.779, -123.68])
    np.testing.assert_allclose(tf(x).ravel(), [-1, 0, 1])
    wanted = [-0.485 / 0.229, (0.5 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    np.testing.assert_allclose(torch(x).ravel(), wanted)
    np.testing.assert_allclose(torch(x.transpose(0, 3, 1, 2), "channels_first").ravel(), wanted)
    np.testing.assert_allclose(np.asarray(caffe(pyml.convert_to_tensor(x.astype(np.float32)))), caffe(x), rtol=1e-5)
    np.testing.assert_array_equal(x.ravel(), [0.0, 127.5, 255.0])


def test_predictions_are_decoded_only_of_a_thousand_classes():
    with pytest.raises(ValueError, match=r"\(samples, 1000\)"):
        applications.vgg16.decode_predictions(np.zeros((1, 3)))


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A server of this machine in place of the public store, an empty cache, and the addresses that were asked for."""
    served, asked = tmp_path / "served", []
    served.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=served)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here = f"http://127.0.0.1:{server.server_port}/"

    def local(name, address, **options):
        asked.append((name, address, options))
        return utils.get_file(name, here + address.rpartition("/")[2], **options)

    monkeypatch.setattr(building, "get_file", local)
    yield served, asked, here
    server.shutdown()


def test_weights_of_the_public_store_are_fetched_in_the_layout_of_old_files(store, cpu):
    served, asked, here = store
    options = {"alpha": 0.25, "include_top": False, "pooling": "avg", "input_shape": (128, 128, 3)}
    first = applications.MobileNet(weights=None, **options)
    with open(served / "mobilenet_2_5_128_tf_no_top.h5", "wb") as file:
        for piece in hdf5.write(legacy.weights_group(first, lambda variable: variable.numpy())):
            file.write(piece)
    for weights in ("imagenet", f"{here}mobilenet_2_5_128_tf_no_top.h5"):
        found = applications.MobileNet(weights=weights, **options)
        for a, b in zip(first.get_weights(), found.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    address = "https://storage.googleapis.com/tensorflow/keras-applications/mobilenet/mobilenet_2_5_128_tf_no_top.h5"
    assert asked[0][:2] == ("mobilenet_2_5_128_tf_no_top.h5", address) and asked[0][2]["cache_subdir"] == "models"


def test_without_a_network_one_message_says_what_to_fetch_and_how_to_use_it(store, cpu):
    with pytest.raises(OSError, match=r"fetch https://storage\S*/mobilenet_2_5_128_tf_no_top\.h5 elsewhere and pass the path"):
        applications.MobileNet(weights="imagenet", alpha=0.25, include_top=False, input_shape=(128, 128, 3))
