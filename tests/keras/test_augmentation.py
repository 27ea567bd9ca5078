"""Augmentation layers: what they do beside Keras' numbers, and what they draw."""

import json
from pathlib import Path

import augmentation_cases as cases
import numpy as np
import pytest

import pyml
from pyml.core.tensor import as_node
from pyml.graph.prims.histogram import EQUALIZING
from pyml.random.bits import order_beside, random_order

GOLDENS = json.loads(Path(cases.__file__).with_suffix(".json").read_text(encoding="utf-8"))


def assert_same(got, want, path=""):
    if isinstance(want, dict):
        assert set(got) == set(want), path
        for key in want:
            assert_same(got[key], want[key], f"{path}/{key}")
    else:
        np.testing.assert_allclose(got, want, rtol=1e-4, atol=2e-3, err_msg=path)


@pytest.mark.in_turn(6)
@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_images_labels_boxes_and_masks_change_as_in_keras(device, case):
    assert_same(case(pyml), GOLDENS[case.__name__])


def pictures(count=4, channels=3, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, (count, 8, 9, channels)).astype("float32")


def layers_of_images():
    """One layer of each kind, with its options for strong changes."""
    L = pyml.layers
    return [
        L.RandomFlip(seed=1), L.RandomRotation(0.3, seed=1), L.RandomTranslation(0.3, 0.3, seed=1), L.RandomZoom(0.5, 0.3, seed=1),
        L.RandomShear(0.4, 0.3, seed=1), L.RandomPerspective(seed=1), L.RandomElasticTransform(seed=1), L.RandomBrightness(0.3, seed=1),
        L.RandomContrast(0.9, seed=1), L.RandomInvert(0.5, seed=1), L.RandomPosterization((1, 8), seed=1), L.Solarization(0.3, 0.9, seed=1),
        L.RandomHue(0.9, seed=1), L.RandomSaturation((0.1, 0.9), seed=1), L.RandomColorDegeneration(0.9, seed=1),
        L.RandomGrayscale(0.5, seed=1), L.RandomColorJitter((0, 255), 0.2, 0.5, (0.2, 0.8), 0.3, seed=1), L.RandomSharpness(0.9, seed=1),
        L.RandomGaussianBlur(0.5, 3, (0.3, 0.9), seed=1),
    ]


def test_images_of_a_batch_differ_by_step_and_repeat_by_seed(cpu):
    """The same image several times: its copies come out different, the next call gives others, an equal layer the same."""
    x = np.repeat(pictures(1), 6, axis=0)
    for layer in layers_of_images():
        twin = type(layer).from_config(layer.get_config())
        first, second, again = (one(x, training=True).numpy() for one in (layer, layer, twin))
        name = type(layer).__name__
        assert first.shape == x.shape and np.isfinite(first).all(), name
        assert (first != first[:1]).any(), f"{name} does the same to all images"
        assert (first != second).any(), f"{name} does the same each time"
        np.testing.assert_array_equal(first, again, err_msg=name)
        np.testing.assert_array_equal(layer(x, training=False).numpy(), x, err_msg=name)


def test_color_jitter_is_its_parts_one_after_another(cpu):
    """Saturation and hue, which are one pass together, too: of gray and black pixels, and of more saturation than there is."""
    x = np.concatenate([pictures(2), np.full((1, 8, 9, 3), 99.0, "float32"), np.zeros((1, 8, 9, 3), "float32")])
    for saturation in ((0.1, 0.9), (0.0, 0.0), (0.7, 0.95)):
        first, second = (pyml.layers.RandomColorJitter((0, 255), 0.2, 0.5, saturation, 0.3, seed=1) for _ in range(2))
        want = pyml.ops.convert_to_tensor(x)
        for part in (second.random_brightness, second.random_contrast, second.random_saturation, second.random_hue):
            want = part.transform_images(want, part.get_random_transformation(want, seed=second.generator))
        np.testing.assert_allclose(first(x).numpy(), want.numpy(), rtol=1e-4, atol=2e-3, err_msg=str(saturation))


def test_one_image_is_a_batch_of_one(cpu):
    x = pictures(1)
    for layer in layers_of_images():
        twin = type(layer).from_config(layer.get_config())
        np.testing.assert_allclose(layer(x[0]).numpy(), twin(x).numpy()[0], rtol=1e-5, atol=1e-3, err_msg=type(layer).__name__)


def test_channels_may_come_first(cpu):
    x = pictures(2)
    for layer in layers_of_images():
        first = type(layer).from_config(layer.get_config() | {"data_format": "channels_first"})
        want = layer(x).numpy()
        np.testing.assert_allclose(first(x.transpose(0, 3, 1, 2)).numpy().transpose(0, 2, 3, 1), want, rtol=1e-5, atol=1e-3,
                                   err_msg=type(layer).__name__)


def test_bad_arguments_and_inputs_are_named():
    L, x = pyml.layers, pictures(2)
    for make, error, told in [
        (lambda: L.RandomFlip("sideways"), ValueError, "mode must be"),
        (lambda: L.RandomRotation(2.0), ValueError, "factor must be a number, or two, in"),
        (lambda: L.RandomRotation(0.1, fill_mode="far"), NotImplementedError, "fill_mode must be one of"),
        (lambda: L.RandomZoom(-1.0), ValueError, "height_factor must be"),
        (lambda: L.RandomBrightness(0.1, value_range=3), ValueError, "value_range must be two numbers"),
        (lambda: L.RandomFlip()(x[0, :, :, 0]), ValueError, "expected an image"),
        (lambda: L.RandomFlip()(pyml.Input((4,))), ValueError, "expected an image"),
        (lambda: L.RandomCrop(2, 2)(pyml.Input(())), ValueError, "expected an image"),
        (lambda: L.MixUp()([pyml.Input((8, 9, 3))] * 2), ValueError, r"expected an image .* shape=\(2, None, 8, 9, 3\)"),
        (lambda: L.RandomZoom(0.1)({"labels": pyml.Input(())}), ValueError, "needs 'images'"),
        (lambda: L.RandomFlip()({"labels": x}), ValueError, "needs 'images'"),
        (lambda: L.RandomFlip()({"images": x, "bounding_boxes": {"boxes": [], "labels": []}}), ValueError, "bounding_box_format"),
        (lambda: L.MixUp()({"images": x, "labels": np.array([0, 1])}), ValueError, "one-hot"),
        (lambda: L.CutMix(bounding_box_format="xyxy")({"images": x, "bounding_boxes": {"boxes": np.zeros((2, 1, 4)), "labels":
            np.zeros((2, 1))}}), NotImplementedError, "no bounding boxes"),
    ]:
        with pytest.raises(error, match=told):
            make()


def test_boxes_may_be_lists_of_different_lengths():
    """What is missing is filled up with labels of -1; a flip moves the others."""
    layer = pyml.layers.RandomFlip("horizontal", bounding_box_format="xyxy", seed=1)
    layer.get_random_transformation = lambda data, training=True, seed=None: {
        "flips": pyml.ops.ones((2, 1, 1, 1), "bool"), "input_shape": (2, 8, 9, 3)}
    boxes = {"boxes": [[[0, 0, 2, 3]], [[1, 1, 4, 5], [0, 0, 9, 8]]], "labels": [[5], [6, 7]]}
    found = layer({"images": pictures(2), "bounding_boxes": boxes})["bounding_boxes"]
    assert found["labels"].numpy().tolist() == [[5, -1], [6, 7]]
    np.testing.assert_allclose(found["boxes"].numpy()[:, 0], [[7, 0, 9, 3], [5, 1, 8, 5]], atol=1e-5)


# What layers of Keras on PyTorch give for uint8 and int32: floats of the policy's compute dtype ("float"), these only while training
# ("training"), or integers as they came ("own"); behind that what symbolic integers become. Floats of another dtype become the policy's.
# (RandomContrast of integers is float32 there by a policy of 16 bits, and RandomSaturation fails.)
LAYERS_OF_INTEGERS = {
    "AugMix": "float", "AutoContrast": "float", "CLAHE": "own float", "CenterCrop": "float", "CutMix": "float",
    "Equalization": "training own", "MixUp": "training float", "RandAugment": "float", "RandomBrightness": "own float",
    "RandomColorDegeneration": "training float", "RandomColorJitter": "training float", "RandomContrast": "training float",
    "RandomCrop": "training float", "RandomElasticTransform": "float", "RandomErasing": "float", "RandomFlip": "float",
    "RandomGaussianBlur": "float", "RandomGrayscale": "own own", "RandomHue": "training float", "RandomInvert": "training float",
    "RandomPerspective": "float", "RandomPosterization": "training float", "RandomRotation": "float", "RandomSaturation": "training float",
    "RandomSharpness": "float", "RandomShear": "float", "RandomTranslation": "float", "RandomZoom": "float", "Rescaling": "float",
    "Resizing": "own own", "Solarization": "float", "Normalization": "float", "Pipeline": "float",
}  # fmt: skip


def image_layer(name):
    own = {
        "CenterCrop": (4, 4), "Resizing": (4, 4), "RandomCrop": (4, 4), "Rescaling": (0.5,), "RandomPosterization": (4,), "CutMix": (),
        "MixUp": (), "RandomFlip": (), "RandomColorJitter": (), "Equalization": (), "AugMix": (), "RandAugment": (), "AutoContrast": (),
        "CLAHE": (), "Solarization": (), "RandomShear": (0.2, 0.2), "RandomTranslation": (0.2, 0.2), "RandomGrayscale": (1.0,),
    }.get(name, (0.2,))  # fmt: skip
    L = pyml.layers
    if name == "Normalization":
        return L.Normalization(mean=3.0, variance=2.0)
    if name == "Pipeline":
        return L.Pipeline([L.RandomFlip(), L.RandomBrightness(0.2)])
    return getattr(L, {"CLAHE": "ContrastLimitedAdaptiveHistogramEqualization"}.get(name, name))(*own)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_images_of_integers_become_floats_where_they_do_in_keras(cpu, policy):
    pyml.config.set_dtype_policy(policy)
    floats = pyml.config.dtype_policy().compute_dtype
    x = np.random.default_rng(0).integers(0, 255, (2, 8, 8, 3))
    for name, said in LAYERS_OF_INTEGERS.items():
        layer, (real, *symbolic) = image_layer(name), said.split()
        for dtype in ("uint8", "int32", "float16"):
            images = pyml.ops.cast(x, dtype)
            for training in (True, False):
                own = real == "own" or (real == "training" and not training)
                wanted = dtype if own and (dtype != "float16" or (name == "RandomCrop" and not training)) else floats
                options = {"training": training} if layer._signature.takes_training else {}
                assert layer(images, **options).dtype == wanted, (name, dtype, training)
            kept = symbolic == ["own"] and dtype != "float16"
            assert layer(pyml.KerasTensor(x.shape, dtype=dtype)).dtype == (dtype if kept else floats), (name, dtype)
    assert pyml.layers.CategoryEncoding(5)(np.array([1])).dtype == "float32"
    integers = pyml.ops.cast(np.array([[[100, 200, 250]]]), "uint8")  # where Keras adds beyond 255 it begins at 0 again
    assert pyml.layers.RandomBrightness((0.2, 0.2))(integers, training=True).tolist() == [[[151, 251, 255]]]
    assert pyml.layers.RandomGrayscale(1.0)(integers, training=True).tolist() == [[[175, 175, 175]]]


def test_a_histogram_counted_in_chunks_spreads_values_as_one(device):
    images = np.random.default_rng(0).integers(40, 200, (2, 64, 50, 3)).astype("float32")
    images[..., 2] = 77.0
    places = images.astype(int)
    wanted = images.copy()  # one that has one value stays as it is
    for c in range(2):
        below = np.cumsum(np.bincount(places[..., c].ravel(), minlength=256))
        steps = (below - below[40]) * 255 / (below[-1] - below[40])
        wanted[..., c] = np.round(steps)[places[..., c]]
    np.testing.assert_allclose(pyml.layers.Equalization()(images, training=True).numpy(), wanted, atol=1e-4)


def test_a_table_of_many_millions_of_pixels_does_not_overflow(device):
    below = np.array([[[1, 20_000_000, 60_000_001]]], "int32")
    found = pyml.Tensor(EQUALIZING(as_node(below), count=60_000_001))
    assert found.tolist() == [[0.0, 85.0, 255.0]]


@pytest.mark.parametrize("count", [1, 2, 33, 64, 65])
def test_the_order_of_a_batch_is_the_same_found_by_counting_or_by_sorting(wasm, count):
    assert order_beside(count, 5).tolist() == random_order(count, 5).tolist()


# dispatches of a call for 9 pictures and for 200, with the random state's own: one that draws and one pass over the pictures, and
# - one more that reads pictures where a number of the whole picture comes first: a mean (RandomColorJitter, RandomContrast), the range
#   (AutoContrast, which draws nothing), a histogram and the small table made of it (Equalization)
# - the map that RandomElasticTransform draws and smooths, in one pass here, in two where windows are larger
# - the rectangles as a plane of their own (RandomErasing, CutMix), the order of a batch and numbers that fill kernels (MixUp, CutMix)
# - of AugMix what its chains are made of
PASSES = {
    "RandomBrightness": (2, 2), "RandomColorDegeneration": (2, 2), "RandomColorJitter": (3, 3), "RandomContrast": (3, 3),
    "RandomCrop": (1, 2), "RandomElasticTransform": (4, 4), "RandomErasing": (2, 3), "RandomFlip": (2, 2), "RandomGaussianBlur": (2, 2),
    "RandomGrayscale": (2, 2), "RandomHue": (2, 2), "RandomInvert": (2, 2), "RandomPerspective": (2, 3), "RandomPosterization": (2, 2),
    "RandomRotation": (2, 2), "RandomSaturation": (2, 2), "RandomSharpness": (2, 2), "RandomShear": (2, 2), "RandomTranslation": (2, 2),
    "RandomZoom": (2, 2), "Solarization": (2, 2), "AutoContrast": (2, 2), "Equalization": (3, 3), "MixUp": (3, 4), "CutMix": (5, 7),
    "AugMix": (15, 15),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSES)
def test_a_random_layer_takes_few_dispatches_however_many_pictures_there_are(wasm, name):
    for count, passes in zip((9, 200), PASSES[name], strict=True):
        layer = next(iter(getattr(pyml.layers, name)._samples())).made
        run = pyml.program(lambda x, layer=layer: layer(x, training=True))
        run(np.random.RandomState(0).rand(count, 16, 12, 3).astype("float32") * 255)
        assert run.last_plan.dispatches == passes, run.explain()


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_random_crop_is_any_window_of_the_image(cpu, data_format):
    image = np.arange(56, dtype="float32").reshape(1, 7, 8, 1)
    layer = pyml.layers.RandomCrop(5, 4, seed=3, data_format=data_format)
    crop = pyml.core.Program(lambda x: layer(x, training=True))
    given = pyml.ops.array(image if data_format == "channels_last" else image.transpose(0, 3, 1, 2))
    found = set()
    for _ in range(120):
        cut = crop(given).numpy().reshape(5, 4)
        top, left = divmod(int(cut[0, 0]), 8)
        np.testing.assert_array_equal(cut, image[0, top : top + 5, left : left + 4, 0])
        found.add((top, left))
    assert found == {(top, left) for top in range(3) for left in range(5)}


def test_a_share_of_images_to_turn_gray_is_one_from_0_to_1(cpu):
    colours = np.random.default_rng(0).random((9, 2, 2, 3), "float32")
    for factor in (0, 1):
        gray = pyml.layers.RandomGrayscale(factor, seed=1)(colours, training=True).numpy()
        assert np.ptp(gray, axis=-1).max() < 1e-6 if factor else np.array_equal(gray, colours)
    for wrong in (-0.1, 1.1):
        with pytest.raises(ValueError, match="factor must be in"):
            pyml.layers.RandomGrayscale(wrong)


def test_a_policy_does_as_many_operations_as_it_is_told(cpu):
    images = np.random.default_rng(1).integers(0, 256, (2, 6, 6, 3)).astype("float32")
    for count in (0, 1, 2):
        layer = pyml.layers.RandAugment(num_ops=count, factor=1.0, seed=1)
        changed = not np.allclose(layer(images, training=True).numpy(), images)
        assert layer.num_ops == layer.get_config()["num_ops"] == count and changed == (count > 0)
    for wrong in (-1, 1.5):
        with pytest.raises((TypeError, ValueError), match="num_ops"):
            pyml.layers.RandAugment(num_ops=wrong)
