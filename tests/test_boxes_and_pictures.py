"""`utils.bounding_boxes` beyond Keras' numbers, and pictures as arrays."""

import doctest
import importlib
import io
import sys

import numpy as np
import pytest

import pyml
from pyml.utils import bounding_boxes as bb

CORNERS = np.array([[[1.0, 2.0, 5.0, 9.0], [0.0, 3.0, 4.0, 4.0]]], "float32")
FORMATS = ("yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh")


@pytest.mark.parametrize("module", ["formats", "changes", "overlap", "deltas"])
def test_the_examples_of_the_module_print_what_they_say(module):
    found = importlib.import_module(f"pyml.utils.bounding_boxes.{module}")
    results = doctest.testmod(found, extraglobs={"pyml": pyml, "np": np})
    assert results.attempted >= 1
    assert results.failed == 0


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_and_back_leaves_the_boxes(name):
    there = bb.convert_format(CORNERS, "xyxy", name, 10, 8)
    np.testing.assert_allclose(bb.convert_format(there, name, "xyxy", 10, 8).numpy(), CORNERS, atol=1e-5)


@pytest.mark.parametrize("name", FORMATS)
def test_boxes_are_clipped_in_every_format(name):
    want = bb.clip_to_image_size({"boxes": CORNERS, "labels": np.array([[3, 4]])}, 3, 6)
    boxes = bb.convert_format(CORNERS, "xyxy", name, 3, 6)
    got = bb.clip_to_image_size({"boxes": boxes, "labels": np.array([[3, 4]])}, 3, 6, name)
    np.testing.assert_allclose(bb.convert_format(got["boxes"], name, "xyxy", 3, 6).numpy(), want["boxes"].numpy(), atol=1e-5)
    assert got["labels"].tolist() == want["labels"].tolist() == [[3, -1]]


def test_boxes_are_cropped_padded_and_turned_in_other_formats():
    centers = bb.convert_format(CORNERS, "xyxy", "center_xywh")
    back = lambda boxes: bb.convert_format(boxes, "center_xywh", "xyxy").numpy()
    np.testing.assert_allclose(back(bb.crop(centers, 1, 2, 6, 5, "center_xywh")), bb.crop(CORNERS, 1, 2, 6, 5).numpy(), atol=1e-5)
    np.testing.assert_allclose(back(bb.pad(centers, 1, 2, bounding_box_format="center_xywh")), bb.pad(CORNERS, 1, 2).numpy(), atol=1e-5)
    turn = {"angle": 30.0, "translate_x": 0.1, "translate_y": 0.0, "scale": 1.2, "shear_x": 0.0, "shear_y": 5.0, "height": 10, "width": 8}
    turned = bb.affine_transform(centers, **turn, bounding_box_format="center_xywh")
    np.testing.assert_allclose(back(turned), bb.affine_transform(CORNERS, **turn).numpy(), atol=1e-4)


@pytest.mark.parametrize("encoding", ["center_xywh", "center_yxhw"])
def test_decoding_undoes_encoding(device, encoding):
    anchors = CORNERS[0] + np.array([0.5, -1.0, 2.0, 1.0], "float32")
    options = {"variance": [0.1, 0.1, 0.2, 0.2], "image_shape": (10, 8, 3)}
    deltas = bb.encode_box_to_deltas(anchors, CORNERS / 10, "xyxy", "rel_xyxy", encoding, **options)
    boxes = bb.decode_deltas_to_boxes(anchors, deltas, "xyxy", "rel_xyxy", encoding, **options)
    np.testing.assert_allclose(boxes.numpy(), CORNERS / 10, atol=1e-5)
    levels = bb.decode_deltas_to_boxes({"P3": anchors}, {"P3": deltas}, "xyxy", "rel_xyxy", encoding, **options)
    np.testing.assert_array_equal(levels["P3"].numpy(), boxes.numpy())


def test_boxes_of_unknown_number_are_recorded_in_a_model():
    x = pyml.Input((None, 4))
    model = pyml.Model(x, bb.convert_format(x, "xyxy", "rel_xywh", 10, 8))
    assert model.output_shape == (None, None, 4)
    np.testing.assert_allclose(model(CORNERS).numpy(), bb.convert_format(CORNERS, "xyxy", "rel_xywh", 10, 8).numpy(), atol=1e-6)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: bb.convert_format(CORNERS, "xyxy", "xyhw"), "a box format is one of"),
    (lambda: bb.convert_format(CORNERS, "xyxy", "rel_xyxy"), "needs the size of the image"),
    (lambda: bb.convert_format(CORNERS, "rel_xyxy", "xyxy", height=5), "needs the size of the image"),
    (lambda: bb.convert_format(CORNERS, "xyxy", "rel_xyxy", width=5), "needs the size of the image"),
    (lambda: bb.convert_format(CORNERS[..., :3], "xyxy", "xywh"), "a last axis of 4"),
    (lambda: bb.clip_to_image_size({"boxes": CORNERS}), "height and width of the image are needed"),
    (lambda: bb.clip_to_image_size(CORNERS, 3, 4), "expected a dict"),
    (lambda: bb.crop(CORNERS, 1, 1, 2, 2, "rel_xyxy"), "relative boxes do not say"),
    (lambda: bb.compute_iou(CORNERS[0, 0], CORNERS, "xyxy"), r"must be \(batch, boxes, 4\)"),
    (lambda: bb.compute_ciou(CORNERS, CORNERS, "rel_xyxy"), "needs image_shape"),
    (lambda: bb.encode_box_to_deltas(CORNERS[0], CORNERS, "xyxy", "xyxy", "xyxy"), "the encoding must be"),
    (lambda: bb.encode_box_to_deltas(CORNERS[0], CORNERS, "xyxy", "xyxy", variance=[1.0]), "variance must be 4"),
])  # fmt: skip
def test_bad_boxes_are_refused_in_words(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- pictures
PIXELS = np.arange(60, dtype="float32").reshape(4, 5, 3) * 4


def test_an_array_of_a_picture_may_have_its_channels_first():
    assert pyml.utils.img_to_array(PIXELS[..., 0]).shape == (4, 5, 1)
    assert pyml.utils.img_to_array(PIXELS, "channels_first").shape == (3, 4, 5)
    assert pyml.preprocessing.image.img_to_array(PIXELS, dtype="int32").dtype == np.int32
    with pytest.raises(ValueError, match="expected a picture"):
        pyml.utils.img_to_array(np.zeros(3))


def test_smart_resize_cuts_around_the_middle_and_keeps_the_kind():
    image = pyml.preprocessing.image.smart_resize(PIXELS, (2, 2))
    want = pyml.ops.image.resize(PIXELS[:, 0:4], (2, 2)).numpy()
    assert isinstance(image, np.ndarray)
    np.testing.assert_allclose(image, want, atol=1e-4)
    assert isinstance(pyml.preprocessing.image.smart_resize(pyml.convert_to_tensor(PIXELS), (2, 2)), pyml.Tensor)
    with pytest.raises(TypeError, match="arguments not recognized: 'mode'"):
        pyml.preprocessing.image.smart_resize(PIXELS, (2, 2), mode="x")


def test_without_pillow_a_picture_is_refused_with_the_package_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    utils = pyml.utils
    for call in (lambda: utils.array_to_img(PIXELS), lambda: utils.load_img("x.png"), lambda: utils.save_img("x.png", PIXELS)):
        with pytest.raises(ImportError, match="pip install pillow"):
            call()
        with monkeypatch.context() as tab, pytest.raises(ImportError, match=r"await pyodide_js.loadPackage\('pillow'\)\.$"):
            tab.setattr(sys, "platform", "emscripten")
            call()


def test_a_picture_is_saved_and_loaded_again(tmp_path):
    pytest.importorskip("PIL")
    path = tmp_path / "picture.png"
    pyml.utils.save_img(path, PIXELS, scale=False)
    loaded = pyml.utils.load_img(path)
    np.testing.assert_array_equal(pyml.utils.img_to_array(loaded), PIXELS)
    small = pyml.utils.load_img(str(path), "grayscale", (2, 2), "bilinear", keep_aspect_ratio=True)
    assert (small.mode, small.size) == ("L", (2, 2))
    assert pyml.utils.load_img(io.BytesIO(path.read_bytes()), "rgba").mode == "RGBA"
    with pytest.raises(ValueError, match="interpolation must be one of"):
        pyml.utils.load_img(path, interpolation="cubic")
    with pytest.raises(ValueError, match="color_mode must be"):
        pyml.utils.load_img(path, "gray")
    with pytest.raises(TypeError, match="path must be"):
        pyml.utils.load_img(3)


def test_an_array_becomes_a_picture_of_as_many_channels(tmp_path):
    pytest.importorskip("PIL")
    assert pyml.utils.array_to_img(PIXELS).mode == "RGB"
    assert pyml.utils.array_to_img(PIXELS.transpose(2, 0, 1), "channels_first").size == (5, 4)
    assert pyml.utils.array_to_img(PIXELS[..., :1]).getextrema() == (0, 255)
    assert pyml.utils.array_to_img(PIXELS[..., :1] * 9, scale=False).mode == "I"
    transparent = np.concatenate([PIXELS, PIXELS[..., :1]], -1)
    assert pyml.utils.array_to_img(transparent).mode == "RGBA"
    with pytest.warns(UserWarning, match="JPEG has no transparency"):
        pyml.utils.save_img(tmp_path / "picture.jpg", transparent)
    with pytest.raises(ValueError, match="1, 3 or 4 channels"):
        pyml.utils.array_to_img(PIXELS[..., :2])
