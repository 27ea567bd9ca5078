"""Helpers of `utils` that no other test is about: seeds, packed batches, a progress bar's numbers, features of a model, classes."""

import io
import random
import types
from contextlib import redirect_stdout

import numpy as np
import pytest

import pyml
from pyml import layers, utils
from pyml.applications import imagenet_utils


def test_a_seed_sets_the_numbers_of_python_numpy_weights_and_dropout(device):
    def drawn(seed):
        utils.set_random_seed(seed)
        dense = layers.Dense(3)
        dense.build((None, 4))
        dropped = layers.Dropout(0.5)(np.ones((2, 9), "f4"), training=True)
        drawn = [dense.kernel, dropped, pyml.random.normal((3,))]
        return [random.random(), np.random.rand(), *(float(value) for tensor in drawn for value in tensor.numpy().ravel())]

    first = drawn(5)
    assert drawn(5) == first
    assert drawn(6) != first


@pytest.mark.parametrize(("packed", "apart"), [("x", ("x", None, None)), (("x", "y"), ("x", "y", None)), (("x", "y", "w"), ("x", "y", "w")),
                                               ((["a", "b"],), (["a", "b"], None, None))])  # fmt: skip
def test_batches_are_packed_and_unpacked(packed, apart):
    assert utils.unpack_x_y_sample_weight(packed) == apart
    assert utils.pack_x_y_sample_weight(*apart) == packed
    assert utils.unpack_x_y_sample_weight(list(packed) if isinstance(packed, tuple) else packed) == apart
    for wrong in ((), ("x", "y", "w", "z")):
        with pytest.raises(ValueError, match=rf"Received a tuple of {len(wrong)} values"):
            utils.unpack_x_y_sample_weight(wrong)


def test_a_progress_bar_of_two_lines_ends_with_the_last_values():
    told = io.StringIO()
    with redirect_stdout(told):
        bar = utils.Progbar(4, verbose=2, stateful_metrics=["rate"])
        for step in range(1, 5):
            bar.update(step, [("loss", float(step)), ("rate", float(step))])
    assert told.getvalue().rstrip().endswith("- loss: 4.0000 - rate: 4.0000")


def test_the_features_of_every_layer_come_from_a_model_over_its_outputs(device):
    edges = layers.Conv2D(2, 3, activation="relu", name="edges")
    model = pyml.Sequential([pyml.Input((6, 6, 1)), edges, layers.Flatten(), layers.Dense(3)])
    x = np.random.default_rng(0).random((2, 6, 6, 1), "f4")
    features = pyml.Model(model.inputs, [layer.output for layer in model.layers])(x)
    assert [tuple(one.shape) for one in features] == [(2, 4, 4, 2), (2, 32), (2, 3)]
    one = pyml.Model(model.inputs, model.get_layer("edges").output)(x)
    np.testing.assert_array_equal(one.numpy(), features[0].numpy())
    np.testing.assert_allclose(features[-1].numpy(), model(x).numpy(), rtol=1e-5, atol=1e-6)


def test_a_summary_lists_layers_shapes_and_numbers_of_weights():
    model = pyml.Sequential([pyml.Input((4,)), layers.Dense(3, name="first"), layers.Dense(2, name="second", trainable=False)])
    lines = []
    model.summary(print_fn=lines.append, show_trainable=True)
    assert lines[0].endswith(" B)\n")
    text = "\n".join(lines)
    assert all(part in text for part in ("first (Dense)", "(None, 3)", "15", "second (Dense)", "8"))
    assert "Total params: 23" in text and "Trainable params: 15" in text and "Non-trainable params: 8" in text
    lines.clear()
    type("Mine", (pyml.Sequential,), {})(model._stack, name=model.name).summary(print_fn=lines.append, show_trainable=True)
    assert "\n".join(lines) == text


def test_a_summary_says_how_layers_are_connected_where_they_are_no_row():
    i = pyml.Input((4,), name="i")
    first, again = layers.Dense(4, name="a"), layers.Dense(4, name="b")
    told = {}
    for kind, output in (("row", again(first(i))), ("two inputs", layers.Add()([first(i), i])), ("twice", first(first(i)))):
        pyml.Model(i, output).summary(print_fn=lambda text, kind=kind: told.__setitem__(kind, text))
    assert [kind for kind, text in told.items() if "Connected to" in text] == ["two inputs", "twice"]


def test_sizes_are_told_in_the_largest_unit_that_they_fill():
    from pyml.models.summary import readable_size

    of = lambda dtype, *shape: types.SimpleNamespace(shape=shape, dtype=dtype)
    for text, variables in {
        "0.00 B": [], "1020.00 B": [of("float32", 255)], "1.00 KB": [of("float32", 256)], "3.00 B": [of("bool", 3)],
        "1.50 KB": [of("float16", 512), of("int8", 512)], "1.00 MB": [of("float32", 2**18)], "1023.00 MB": [of("uint8", 2**30 - 2**20)],
        "8.00 TB": [of("float64", 2**40)], "1024.00 PB": [of("int8", 2**60)],
    }.items():  # fmt: skip
        assert readable_size(variables) == text
    one = of("float32", 2)
    assert readable_size([one, one]) == "8.00 B"  # the same one


def test_the_likeliest_classes_have_their_names_best_first(monkeypatch):
    monkeypatch.setattr(imagenet_utils, "_names", {str(i): (f"n{i:08}", f"thing {i}") for i in range(1000)})
    scores = np.zeros((2, 1000), "f4")
    scores[0, [7, 300, 999]] = 0.2, 0.5, 0.3
    scores[1, 4] = 1.0
    first, second = imagenet_utils.decode_predictions(scores, top=3)
    assert first == [("n00000300", "thing 300", np.float32(0.5)), ("n00000999", "thing 999", np.float32(0.3)),
                     ("n00000007", "thing 7", np.float32(0.2))]  # fmt: skip
    assert second[0][1] == "thing 4" and len(second) == 3
    assert pyml.applications.resnet50.decode_predictions(scores, top=1)[0] == first[:1]


def test_a_list_is_normalized_as_a_tensor_and_an_array_as_an_array(cpu):
    of_list, of_array = pyml.utils.normalize([3, 4]), pyml.utils.normalize(np.array([[3.0, 0.0], [4.0, 2.0]]), axis=0)
    assert (type(of_list), of_list.dtype, type(of_array)) == (pyml.Tensor, "float32", np.ndarray)
    np.testing.assert_allclose(of_list.numpy(), [0.6, 0.8], rtol=1e-6)
    np.testing.assert_allclose(of_array, [[0.6, 0.0], [0.8, 1.0]], rtol=1e-6)


@pytest.mark.parametrize(("module", "name", "told"), [
    (pyml.preprocessing.image, "ImageDataGenerator", "Keras 3 left out: pyml.utils.image_dataset_from_directory"),
    (pyml.preprocessing.sequence, "TimeseriesGenerator", "pyml.utils.timeseries_dataset_from_array"),
    (pyml.layers, "experimental", "are in pyml.layers itself"), (pyml.layers, "CuDNNGRU", "pyml.layers.GRU"),
    (pyml.preprocessing, "text", "pyml.layers.TextVectorization"), (pyml.preprocessing.sequence, "pad_sequence", "mean 'pad_sequences'"),
])  # fmt: skip
def test_names_of_older_books_are_told_what_took_their_places(module, name, told):
    with pytest.raises(AttributeError, match=told):
        getattr(module, name)
    assert not hasattr(module, name)


def test_the_batch_input_shape_of_older_books_is_told_what_took_its_place():
    with pytest.raises(ValueError, match=r"begin with Input\(batch_shape=\.\.\.\)"):
        pyml.layers.LSTM(3, stateful=True, batch_input_shape=(2, None, 1))


def test_no_number_of_classes_and_0_are_the_largest_class_and_one(cpu):
    for none in (None, 0):
        for labels in ([2, 0], np.array([[2], [0]]), pyml.ops.array([2, 0])):
            np.testing.assert_array_equal(np.asarray(utils.to_categorical(labels, none)), [[0, 0, 1], [1, 0, 0]])
