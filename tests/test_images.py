"""Ops on images beyond their samples and Keras' numbers: filters that Keras on PyTorch lacks, unknown sizes, seeds, counts."""

import sys
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import ops

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
import meter

pytestmark = pytest.mark.in_turn


def random(seed, *shape):
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype(np.float32)


@pytest.mark.parametrize("method", ["lanczos3", "lanczos5"])
@pytest.mark.parametrize("antialias", [True, False])
def test_lanczos_is_that_of_scale_and_translate(device, method, antialias):
    images = random(1, 1, 11, 7, 2)
    got = ops.image.resize(images, (4, 15), method, antialias)
    want = ops.image.scale_and_translate(images, (1, 4, 15, 2), [4 / 11, 15 / 7], [0.0, 0.0], (1, 2), method, antialias)
    np.testing.assert_allclose(got.numpy(), want.numpy(), atol=2e-5)


@pytest.mark.parametrize("size", [(2, 3), (4, 5), (9, 4)])
def test_area_is_the_mean_of_what_lies_under_a_new_pixel(device, size):
    image = random(2, 6, 9, 2)
    fine = image.repeat(size[0], 0).repeat(size[1], 1)  # every old pixel as many as there are new ones
    want = fine.reshape(size[0], 6, size[1], 9, 2).mean((1, 3))
    np.testing.assert_allclose(ops.image.resize(image, size, "area").numpy(), want, atol=1e-5)


@pytest.mark.parametrize("interpolation", ["bicubic", "lanczos3", "area"])
def test_the_gradient_of_a_filter_is_its_transpose(device, interpolation):
    image, weights = random(3, 7, 6, 2), random(4, 3, 10, 2)
    total = lambda x: ops.sum(ops.image.resize(x, (3, 10), interpolation, antialias=True) * weights)
    gradient = pyml.grad(total)(image).numpy()
    other = random(5, 7, 6, 2)
    np.testing.assert_allclose((gradient * other).sum(), float(total(other)), rtol=1e-3)


def test_a_constant_image_stays_constant_in_every_filter():
    for interpolation in ("nearest", "bilinear", "bicubic", "lanczos3", "lanczos5", "area"):
        for antialias in (False, True):
            image = ops.image.resize(np.full((5, 8, 1), 3.0, "float32"), (9, 3), interpolation, antialias).numpy()
            np.testing.assert_allclose(image, 3.0, rtol=1e-5)


def test_sizes_may_be_unknown_where_the_answer_does_not_depend_on_them():
    x = pyml.Input((None, None, 3))
    assert ops.image.resize(x, (4, 5)).shape == (None, 4, 5, 3)
    assert ops.image.crop_images(x, 0, 0, target_height=224, target_width=200).shape == (None, 224, 200, 3)
    assert ops.image.pad_images(x, 1, 1, target_height=64, target_width=65).shape == (None, 64, 65, 3)
    assert ops.image.pad_images(x, 1, 1, 1, 1).shape == (None, None, None, 3)
    assert ops.image.affine_transform(x, np.ones((16, 8), "float32")).shape == (None, None, None, 3)
    assert ops.image.extract_patches(x, 16).shape == (None, None, None, 768)
    assert ops.image.rgb_to_grayscale(x).shape == (None, None, None, 1)
    assert ops.image.ssim(x, x).shape == (None,)
    with pytest.raises(ValueError, match="give the target size"):
        ops.image.crop_images(x, 1, 1, 1, 1)


def test_a_model_crops_pads_and_warps_what_it_is_given(device):
    x = pyml.Input((None, 6, 1))
    y = ops.image.pad_images(ops.image.crop_images(x, 1, 1, target_height=2, target_width=3), 0, 1, 1, 0)
    model = pyml.Model(x, ops.image.affine_transform(y, np.array([1, 0, 1, 0, 1, 0, 0, 0], "float32")))
    images = random(6, 2, 5, 6, 1)
    want = np.zeros((2, 3, 4, 1), "float32")
    want[:, :2, :3] = images[:, 1:3, 1:4]
    np.testing.assert_allclose(model(images).numpy(), want, atol=1e-6)


def test_a_seed_makes_the_same_elastic_distortion_and_none_another(device):
    images = random(7, 2, 12, 10, 2)
    bend = lambda seed: ops.image.elastic_transform(images, alpha=5.0, sigma=1.5, seed=seed).numpy()
    np.testing.assert_array_equal(bend(3), bend(3))
    assert np.abs(bend(3) - bend(4)).max() > 0.1
    generator = pyml.random.SeedGenerator(5)
    assert np.abs(bend(generator) - bend(generator)).max() > 0.1


def test_an_elastic_distortion_moves_channels_alike_and_images_apart(device):
    image = random(8, 12, 10, 1)
    images = np.stack([np.concatenate([image, image], -1)] * 2)
    bent = ops.image.elastic_transform(images, alpha=5.0, sigma=1.5, seed=1).numpy()
    np.testing.assert_array_equal(bent[..., 0], bent[..., 1])
    assert np.abs(bent[0] - bent[1]).max() > 0.1


@pytest.mark.parametrize(("fill_mode", "pad"), [("wrap", "wrap"), ("nearest", "edge"), ("mirror", "reflect"), ("reflect", "symmetric")])
def test_elements_far_outside_are_those_that_numpy_pads_with(device, fill_mode, pad):
    far = 4000
    for n in (1, 2, 5, 96):
        x = random(n, n)
        at = np.concatenate([np.arange(-2 * n - 3, 3 * n + 3), [-far, 1 - far, far, far - 1]])
        found = ops.image.map_coordinates(x, at[None].astype("float32"), 0, fill_mode).numpy()
        np.testing.assert_array_equal(found, np.pad(x, far, pad)[at + far])


@pytest.mark.parametrize(("most", "call"), [
    (1, lambda x: ops.image.resize(x, (9, 7))),
    (1, lambda x: ops.image.resize(x, (9, 7), "nearest")),
    (2, lambda x: ops.image.resize(x, (3, 7), "bicubic", antialias=True)),
    (5, lambda x: ops.image.affine_transform(x, np.array([0.9, 0.1, 1, 0.2, 1, 0, 0, 0], "float32"))),
    (5, lambda x: ops.image.affine_transform(x, np.ones((4, 8), "float32"), fill_mode="reflect")),
    (5, lambda x: ops.image.affine_transform(x, np.ones((4, 8), "float32"), "nearest")),
    (11, lambda x: ops.image.perspective_transform(x, random(1, 4, 2), random(2, 4, 2))),
    (3, lambda x: ops.image.rgb_to_hsv(x)),
    (1, lambda x: ops.image.sobel_edges(x)),
    (3, lambda x: ops.image.gaussian_blur(x)),
])  # fmt: skip
def test_an_op_on_a_batch_of_images_is_a_few_kernels(device, most, call):
    images = pyml.convert_to_tensor(random(9, 4, 6, 8, 3))
    images.numpy()
    with meter.Meter() as seen:
        call(images).numpy()
    assert seen.plan.dispatches <= most, seen.plan.explain()


def test_the_default_layout_is_that_of_the_configuration():
    images = random(10, 1, 2, 4, 6)
    pyml.config.set_image_data_format("channels_first")
    try:
        assert ops.image.resize(images, (3, 3)).shape == (1, 2, 3, 3)
        assert pyml.layers.UpSampling2D(2)(images).shape == (1, 2, 8, 12)
    finally:
        pyml.config.set_image_data_format("channels_last")
    assert ops.image.resize(images, (3, 3)).shape == (1, 3, 3, 6)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda x: ops.image.resize(x, (4, 0)), ValueError, "size must be a height and a width"),
    (lambda x: ops.image.resize(x, (4,)), ValueError, "size must be a height and a width"),
    (lambda x: ops.image.resize(x, (4, 4), "cubic"), ValueError, "interpolation must be one of 'nearest'"),
    (lambda x: ops.image.resize(x[0, 0], (4, 4)), ValueError, "must have 3 axes"),
    (lambda x: ops.image.resize(x, (4, 4), fill_mode="reflect"), ValueError, "fill_mode must be 'constant'"),
    (lambda x: ops.image.resize(x, (4, 4), crop_to_aspect_ratio=True, pad_to_aspect_ratio=True), ValueError, "only one of"),
    (lambda x: ops.image.affine_transform(x, np.ones(6, "float32")), ValueError, "transform must be 8 numbers"),
    (lambda x: ops.image.affine_transform(x, np.ones((3, 8), "float32")), ValueError, "3 maps were given for 2 images"),
    (lambda x: ops.image.affine_transform(x, np.ones(8, "float32"), fill_mode="edge"), ValueError, "fill_mode must be one of"),
    (lambda x: ops.image.map_coordinates(x, np.ones((3, 2), "float32"), 1), ValueError, "a first axis as long as inputs have axes"),
    (lambda x: ops.image.map_coordinates(x[0, 0, 0], np.ones((1, 2), "float32"), 3), NotImplementedError, "order must be 0 or 1"),
    (lambda x: ops.image.rgb_to_hsv(x), ValueError, "expected 3 channels"),
    (lambda x: ops.image.rgb_to_hsv(np.ones((2, 2, 3), "int32")), ValueError, "expected images of floats"),
    (lambda x: ops.image.crop_images(x, 1, 1, 1), ValueError, "give exactly two of left_cropping"),
    (lambda x: ops.image.crop_images(x, 3, 0, target_height=3, target_width=2), ValueError, "cannot be brought to 3"),
    (lambda x: ops.image.pad_images(x, 0, 0, target_height=2, target_width=9), ValueError, "cannot be brought to 2"),
    (lambda x: ops.image.pad_images(x, -1, 0, 0, 0), ValueError, "must be 0 or more"),
    (lambda x: ops.image.extract_patches(x, 9), ValueError, "does not fit"),
    (lambda x: ops.image.ssim(x, x), ValueError, "a window of 11 pixels does not fit"),
    (lambda x: ops.image.sobel_edges(x[0]), ValueError, "4 axes"),
    (lambda x: ops.image.elastic_transform(x, sigma=0), ValueError, "sigma must be a number above 0"),
    (lambda x: ops.image.scale_and_translate(x, (2, 5, 6, 2), [1.0], [1.0], (1,), "bilinar"), ValueError, "method must be one of"),
    (lambda x: ops.image.resize(x, (4, 4), data_format="last"), ValueError, "data_format must be"),
])  # fmt: skip
def test_bad_arguments_are_named_before_anything_runs(call, error, message):
    with pytest.raises(error, match=message):
        call(random(11, 2, 5, 6, 2))


def test_images_of_bytes_stay_bytes():
    images, turn = np.random.default_rng(12).integers(0, 255, (2, 5, 6, 3)).astype("uint8"), np.array([1, 0, 0.5, 0, 1, 0, 0, 0], "float32")
    for call in (lambda x: ops.image.resize(x, (3, 9)), lambda x: ops.image.affine_transform(x, turn), ops.image.gaussian_blur):
        got, want = call(images), call(images.astype("int32"))
        assert got.dtype == "uint8"
        np.testing.assert_array_equal(got.numpy(), want.numpy())


def test_bytes_are_limited_where_a_filter_goes_beyond_them(device):
    x = (np.random.default_rng(0).random((1, 4, 5, 2)) > 0.5).astype("uint8") * 255
    smooth = ops.image.resize(x.astype("float32"), (7, 9), interpolation="bicubic").numpy()
    got = ops.image.resize(x, (7, 9), interpolation="bicubic")
    assert got.dtype == "uint8" and smooth.min() < -1 and smooth.max() > 256
    np.testing.assert_array_equal(got.numpy(), np.clip(np.round(smooth), 0, 255))
    keras = [255, 0, 151, 0, 0, 0, 69, 125, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2, 203, 0, 93, 0, 142, 56, 255, 168]
    np.testing.assert_array_equal(got.numpy().reshape(-1)[: len(keras)], keras)            # Keras 3.15 on torch
