"""Layers that prepare data: goldens of Keras (made by tests/goldens/make_with_tensorflow.py), configs, files, bad input."""

import doctest
import json
from pathlib import Path

import numpy as np
import preprocessing_cases
import pytest

import pyml

GOLDENS = json.loads((Path(__file__).parents[1] / "goldens" / "preprocessing_cases.json").read_text(encoding="utf-8"))


def assert_matches(got, want, where, tolerance=2e-4):
    if isinstance(want, dict):
        assert set(got) == set(want), where
        for key in want:
            assert_matches(got[key], want[key], f"{where}: {key}")
    elif isinstance(want, list) and want and isinstance(want[0], list) and len({np.shape(part) for part in want}) > 1:
        assert len(got) == len(want), where
        for g, w in zip(got, want, strict=True):
            assert_matches(g, w, where)
    elif np.asarray(want).dtype.kind in "iuf":
        assert np.shape(got) == np.shape(want), where
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance, err_msg=where)
    else:
        assert np.asarray(got).tolist() == np.asarray(want).tolist(), where


@pytest.mark.in_turn
@pytest.mark.parametrize("case", preprocessing_cases.CASES, ids=lambda case: case.__name__)
def test_layers_that_prepare_data_give_what_keras_gives(device, case):
    assert_matches(case(pyml), GOLDENS[case.__name__], case.__name__)


# ---- text
L = pyml.layers


def adapted(layer, data):
    layer.adapt(data)
    return layer


TEXTS = ["the cat sat", "The mat, the cat", "a dog"]
TEXT_LAYERS = {
    "given": lambda: L.StringLookup(vocabulary=["a", "b", "c"], num_oov_indices=2, mask_token="-", salt=3),
    "adapted": lambda: adapted(L.StringLookup(max_tokens=4), [["b", "a"], ["b", "c"]]),
    "weighted": lambda: adapted(L.StringLookup(output_mode="tf_idf", max_tokens=9, pad_to_max_tokens=True), [["b", "a"], ["b", "c"]]),
    "texts": lambda: adapted(L.TextVectorization(ngrams=(1, 2), output_sequence_length=5), TEXTS),
    "weighted texts": lambda: adapted(L.TextVectorization(output_mode="tf_idf"), TEXTS),
}


@pytest.mark.parametrize("name", TEXT_LAYERS)
def test_a_layer_of_text_comes_back_from_its_config_with_its_vocabulary(name, cpu):
    layer = TEXT_LAYERS[name]()
    config = json.loads(json.dumps(pyml.saving.serialize_keras_object(layer)))
    again = pyml.saving.deserialize_keras_object(config)
    assert type(again) is type(layer) and again.get_vocabulary() == layer.get_vocabulary()
    np.testing.assert_array_equal(again(["b", "the cat"]).numpy(), layer(["b", "the cat"]).numpy())
    assert again.get_config() == layer.get_config()


@pytest.mark.parametrize("name", ["adapted", "weighted", "texts"])
def test_a_vocabulary_that_was_learnt_may_be_learnt_anew(name, cpu):
    layer = TEXT_LAYERS[name]()
    again = type(layer).from_config(layer.get_config())
    again.adapt(["x"])
    assert again.get_vocabulary(include_special_tokens=False) == ["x"]


def test_text_may_be_lists_tuples_strings_bytes_and_arrays_of_all_kinds(cpu):
    layer = L.StringLookup(vocabulary=["ä", "b"])
    listed, encoded = ["ä", "z"], ["ä".encode(), b"z"]
    kinds = (listed, tuple(listed), np.array(listed), np.array(listed, object), encoded, np.array(encoded))
    assert [layer(kind).numpy().tolist() for kind in kinds] == [[1, 0]] * 6
    assert (layer("b").numpy().item(), layer("b").shape) == (2, ())


def test_a_vocabulary_is_read_from_a_file(cpu, tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("one\ntwo words\n", encoding="utf-8")
    assert L.StringLookup(vocabulary=str(path)).get_vocabulary() == ["[UNK]", "one", "two words"]
    assert L.TextVectorization(vocabulary=path).get_vocabulary() == ["", "[UNK]", "one", "two words"]
    for kind in (L.StringLookup, L.IntegerLookup, L.TextVectorization):
        with pytest.raises(ValueError, match="outside of the model archive"):
            kind.from_config({**kind().get_config(), "vocabulary": str(path)})


def test_what_is_learnt_from_batches_of_a_dataset_is_what_is_learnt_from_all(cpu):
    texts = ["a b", "b c", "b"] * 5
    for data in (pyml.data.Dataset.from_tensor_slices(np.array(texts)), pyml.data.Dataset.from_tensor_slices(np.array(texts)).batch(4)):
        assert adapted(L.TextVectorization(), data).get_vocabulary() == ["", "[UNK]", "b", "c", "a"]
    numbers = pyml.data.Dataset.from_tensor_slices(np.arange(12.0).reshape(6, 2))
    for data in (numbers, numbers.batch(4), ((batch, 0) for batch in numbers.batch(4))):
        np.testing.assert_allclose(adapted(L.Normalization(), data).adapt_mean.numpy(), [5, 6])


def test_layers_that_prepare_data_run_within_dataset_map(cpu):
    layer = adapted(L.TextVectorization(output_sequence_length=3), TEXTS)
    dataset = pyml.data.Dataset.from_tensor_slices((np.array(TEXTS), np.arange(3))).batch(2).map(lambda x, y: (layer(x), y))
    model = pyml.Sequential([pyml.Input((3,), dtype="int32"), L.Embedding(layer.vocabulary_size(), 2), L.Flatten(), L.Dense(1)])
    model.compile("sgd", "mse")
    assert len(model.fit(dataset, epochs=2, verbose=0).history["loss"]) == 2
    assert model.predict(dataset, verbose=0).shape == (3, 1)


def test_own_functions_standardize_and_split(cpu):
    layer = adapted(L.TextVectorization(standardize=lambda x: np.char.replace(x, "-", " "), split=np.char.split), ["a-b", "b"])
    assert layer.get_vocabulary() == ["", "[UNK]", "b", "a"]
    assert layer(["b-b-q", "a"]).numpy().tolist() == [[2, 2, 1], [3, 0, 0]]


def test_spectrograms_with_channels_first_are_those_with_channels_last(cpu):
    layer = L.STFTSpectrogram("psd", 16)
    layer.build((None, 40, 3))
    assert layer.built
    x = np.random.default_rng(0).normal(size=(2, 40, 3)).astype("float32")
    for wide in (False, True):
        last, first = (L.STFTSpectrogram("psd", 16, expand_dims=wide, data_format=f"channels_{where}") for where in ("last", "first"))
        found = first(x.transpose(0, 2, 1)).numpy()
        wanted = last(x).numpy()
        wanted = wanted.transpose(0, 3, 1, 2) if wide else wanted.reshape(2, 4, 3, 9).transpose(0, 2, 3, 1).reshape(2, 27, 4)
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def with_boxes(layer):
    boxes = {"boxes": np.array([[[1, 1, 4, 5], [0, 0, 2, 2], [3, 2, 8, 6]]], "float32"), "labels": np.array([[1, 2, 3]])}
    image = np.ones((1, 6, 9, 1), "float32")
    found = layer({"images": image, "bounding_boxes": boxes, "segmentation_masks": image})
    assert found["images"].shape == found["segmentation_masks"].shape == (1, layer.height, layer.width, 1)
    return found["bounding_boxes"]["boxes"].numpy()[0].round(3).tolist(), found["bounding_boxes"]["labels"].numpy()[0].tolist()


def test_boxes_move_with_what_is_cropped_or_resized(cpu):
    """The numbers are those of Keras 3.15 on PyTorch."""
    crop = lambda *size: with_boxes(L.CenterCrop(*size, bounding_box_format="xyxy"))
    resize = lambda *size, **options: with_boxes(L.Resizing(*size, bounding_box_format="xyxy", **options))
    for (boxes, labels), wanted, kept in (
        (crop(4, 4), [[0, 0, 2, 4], [0, 0, 0, 1], [1, 1, 4, 4]], [1, -1, 3]),
        (crop(8, 3), [[0, 1.333, 1.5, 6.667], [0, 0, 0, 2.667], [0, 2.667, 3, 8]], [1, -1, 3]),
        (resize(5, 4, crop_to_aspect_ratio=True), [[0, 0.833, 2.333, 4.167], [0, 0, 0.667, 1.667], [1.5, 1.667, 4, 5]], [1, 2, 3]),
    ):
        np.testing.assert_allclose(boxes, wanted, atol=1e-3)
        assert labels == kept
    assert resize(12, 9)[0] == [[1, 2, 4, 10], [0, 0, 2, 4], [3, 4, 8, 12]]
    assert resize(6, 18, pad_to_aspect_ratio=True)[0] == [[5, 1, 8, 5], [4, 0, 6, 2], [7, 2, 12, 6]]


# ---- bad input
@pytest.mark.parametrize(("call", "error", "told"), [
    (lambda: L.StringLookup()(["a"]), RuntimeError, "call `adapt`"),
    (lambda: L.TextVectorization(output_mode="count")(["a"]), RuntimeError, "call `adapt`"),
    (lambda: L.StringLookup(vocabulary=["a"])(np.array([1])), TypeError, "takes text"),
    (lambda: L.StringLookup(vocabulary=["a"])([["a"], ["a", "b"]]), ValueError, "different lengths"),
    (lambda: L.StringLookup(vocabulary=["a", "a"]), ValueError, "repeated"),
    (lambda: L.StringLookup(vocabulary=[]), ValueError, "empty vocabulary"),
    (lambda: L.StringLookup(vocabulary="nowhere.txt"), ValueError, "does not exist"),
    (lambda: L.StringLookup(2, vocabulary=["a", "b"]), ValueError, "max_tokens"),
    (lambda: L.StringLookup(1), ValueError, "greater than 1"),
    (lambda: L.StringLookup(pad_to_max_tokens=True), ValueError, "max_tokens"),
    (lambda: L.StringLookup(output_mode="tf_idf", vocabulary=["a"]), ValueError, "idf_weights"),
    (lambda: L.StringLookup(vocabulary=["a"], num_oov_indices=0)(["b"]), ValueError, "found OOV values 'b'"),
    (lambda: L.StringLookup(vocabulary=["a"]).adapt(["b"]), ValueError, "static vocabulary"),
    (lambda: L.StringLookup(vocabulary=["b", ""], mask_token=""), ValueError, "reserved mask token"),
    (lambda: L.StringLookup(sparse=True), ValueError, "sparse"),
    (lambda: L.StringLookup(output_mode="words"), ValueError, "output_mode"),
    (lambda: L.IntegerLookup(salt=3), ValueError, "farmhash"),
    (lambda: L.IntegerLookup(vocabulary_dtype="int32"), ValueError, "int64"),
    (lambda: L.IntegerLookup(vocabulary=[1])(["a"]), ValueError, "StringLookup"),
    (lambda: L.TextVectorization(ragged=True), ValueError, "ragged"),
    (lambda: L.TextVectorization(standardize="upper"), ValueError, "standardize"),
    (lambda: L.TextVectorization(ngrams=[1]), ValueError, "ngrams"),
    (lambda: L.TextVectorization(output_mode="count", output_sequence_length=3), ValueError, "output_sequence_length"),
    (lambda: L.TextVectorization(vocabulary=["a"])([["a", "b"]]), ValueError, "last shape dimension"),
    (lambda: L.Hashing(0), ValueError, "num_bins"),
    (lambda: L.Hashing(3, salt="a"), ValueError, "salt"),
    (lambda: L.Hashing(3, dtype="float32"), ValueError, "integer"),
    (lambda: L.HashedCrossing(3)(np.array([1])), ValueError, "list or tuple"),
    (lambda: L.HashedCrossing(3)([np.array([1])]), ValueError, "at least two"),
    (lambda: L.HashedCrossing(3)([np.array([1]), np.array([1, 2])]), ValueError, "equal shape"),
    (lambda: L.HashedCrossing(3)([np.array([1.5]), np.array([1])]), ValueError, "integer or string"),
    (lambda: L.CategoryEncoding(), ValueError, "IntegerLookup"),
    (lambda: L.CategoryEncoding(3)(np.array([[1]]), count_weights=np.array([[1.0]])), ValueError, "count_weights"),
    (lambda: L.Discretization(num_bins=3)(np.ones(3)), ValueError, r"call `adapt\(dataset\)`"),
    (lambda: L.Discretization(), ValueError, "bin_boundaries"),
    (lambda: L.Discretization([1.0]).adapt([1.0]), ValueError, "num_bins"),
    (lambda: L.Normalization(mean=1.0), ValueError, "both `mean` and `variance`"),
    (lambda: L.Normalization(3)(np.ones((2, 2))), ValueError, "range"),
    (lambda: L.Normalization().adapt([]), ValueError, "empty iterable"),
    (lambda: L.Normalization().adapt([1.0]), TypeError, "shape"),
    (lambda: L.Normalization().adapt([np.ones((2, 3)), np.ones((2, 4))]), ValueError, "incompatible shape"),
    (lambda: L.STFTSpectrogram("loud"), ValueError, "mode"),
    (lambda: L.STFTSpectrogram(frame_length=8, fft_length=4), ValueError, "fft_length"),
    (lambda: L.MelSpectrogram(fft_length=8, sequence_length=16), ValueError, "fft_length"),
])  # fmt: skip
def test_what_cannot_be_is_said_before_anything_runs(call, error, told, cpu):
    with pytest.raises(error, match=told):
        call()


def test_the_page_of_the_documentation_runs(cpu):
    page = Path(pyml.__file__).parents[1] / "docs" / "preprocessing.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert result.attempted > 20 and result.failed == 0


@pytest.mark.parametrize("mode", ["multi_hot", "count"])
def test_categories_of_several_axes_are_counted_along_the_second(mode, cpu):
    """As Keras does, and as it says in the shape; on the device, and on the host for text and hashes."""
    numbers = np.arange(12).reshape(2, 3, 2) % 4
    counts = np.stack([(numbers == i).sum(axis=1) for i in range(4)], axis=-1)
    wanted = counts if mode == "count" else counts > 0
    lookup = L.StringLookup(vocabulary=["a", "b", "c"], output_mode=mode, oov_token="?")
    for layer, x in ((L.CategoryEncoding(4, mode), numbers), (L.Discretization([0.5, 1.5, 2.5], output_mode=mode), numbers),
                     (lookup, np.array(["?", "a", "b", "c"])[numbers])):  # fmt: skip
        found = layer(x)
        np.testing.assert_array_equal(np.asarray(found), wanted)
        assert layer.compute_output_shape((None, 3, 2)) == (None, *found.shape[1:])


def test_rescaling_by_channels_that_come_first(cpu):
    pyml.config.set_image_data_format("channels_first")
    try:
        found = L.Rescaling([1.0, 2.0], offset=[0.0, 1.0], dtype="float16")(np.ones((1, 2, 3, 3), "f4"))
    finally:
        pyml.config.set_image_data_format("channels_last")
    np.testing.assert_array_equal(found.numpy(), np.broadcast_to(np.float16([1, 3])[None, :, None, None], (1, 2, 3, 3)))
    for layer in (L.Rescaling(2.0, dtype="float16"), L.Resizing(2, 2, dtype="float16")):
        assert layer(np.ones((1, 3, 3, 1), "f4")).dtype == layer(pyml.Input((3, 3, 1))).dtype == "float16"
