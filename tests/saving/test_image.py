"""Images: resizing, cropping, flips and suppression of boxes. Against numpy here; against TensorFlow.js in the operator tests."""

from __future__ import annotations

import numpy as np
import pytest

import pyml
from pyml import image
from pyml.errors import ShapeError

PHOTO = np.random.default_rng(0).uniform(0, 1, (2, 5, 7, 3)).astype(np.float32)


def bilinear(x, size):
    """Half-pixel centres, one axis after the other, in float64."""
    for axis, count in ((1, size[0]), (2, size[1])):
        n = x.shape[axis]
        at = np.clip((np.arange(count) + 0.5) * n / count - 0.5, 0, n - 1)
        low = np.floor(at).astype(int)
        part = (at - low).reshape([-1 if i == axis else 1 for i in range(4)])
        x = np.take(x, low, axis) * (1 - part) + np.take(x, np.minimum(low + 1, n - 1), axis) * part
    return x


@pytest.mark.parametrize("size", [(10, 14), (3, 4), (5, 9), (1, 1), (5, 7)])
def test_bilinear_resizing_equals_its_formula(device, size):
    found = image.resize(PHOTO, size).numpy()
    np.testing.assert_allclose(found, bilinear(PHOTO.astype(float), size), atol=1e-5)
    np.testing.assert_allclose(image.resize(PHOTO[0], size).numpy(), found[0], atol=1e-6)


@pytest.mark.parametrize("size", [(10, 14), (3, 4), (5, 9)])
def test_nearest_resizing_takes_the_pixel_whose_square_holds_the_centre(device, size):
    rows, columns = (((np.arange(c) + 0.5) * n / c).astype(int) for n, c in zip((5, 7), size, strict=True))
    whole = (PHOTO * 255).astype(np.int32)
    found = image.resize(whole, size, interpolation="nearest")
    assert found.dtype == "int32"
    np.testing.assert_array_equal(found.numpy(), whole[:, rows][:, :, columns])


def test_gradient_of_resizing_is_that_of_the_sum(device):
    x = pyml.convert_to_tensor(PHOTO)
    weights = np.random.default_rng(1).uniform(-1, 1, (2, 8, 4, 3)).astype(np.float32)
    slope = pyml.grad(lambda v: (image.resize(v, (8, 4)) * weights).sum())(x).numpy()
    step = np.zeros_like(PHOTO)
    step[1, 2, 3, 1] = 0.5
    change = (bilinear(PHOTO + step, (8, 4)) - bilinear(PHOTO, (8, 4))) * weights
    np.testing.assert_allclose(slope[1, 2, 3, 1] * 0.5, change.sum(), atol=1e-4)


def test_crop_of_the_whole_image_is_the_image_and_outside_is_the_given_value(device):
    boxes = np.array([[0, 0, 1, 1], [0, 1, 1, 0], [2, 2, 3, 3]], np.float32)
    found = image.crop_and_resize(PHOTO, boxes, [1, 0, 0], (5, 7), extrapolation_value=9.0).numpy()
    np.testing.assert_allclose(found[0], PHOTO[1], atol=1e-5)
    np.testing.assert_allclose(found[1], PHOTO[0, :, ::-1], atol=1e-5)
    assert (found[2] == 9).all()


def test_flips(device):
    np.testing.assert_array_equal(image.flip_left_right(PHOTO).numpy(), PHOTO[:, :, ::-1])
    np.testing.assert_array_equal(image.flip_up_down(PHOTO[0]).numpy(), PHOTO[0, ::-1])


def test_suppression_keeps_the_best_of_boxes_that_overlap():
    rng = np.random.default_rng(3)
    middle, half = rng.uniform(0, 1, (600, 2)), rng.uniform(0.02, 0.2, (600, 2))
    boxes = np.concatenate([middle - half, middle + half], 1).astype(np.float32)
    scores = np.round(rng.uniform(0, 1, 600), 2).astype(np.float32)
    kept = []
    for i in np.argsort(-scores, kind="stable"):
        sides = np.minimum(boxes[i, 2:], boxes[kept, 2:]) - np.maximum(boxes[i, :2], boxes[kept, :2]) if kept else np.zeros((0, 2))
        both = np.prod(np.maximum(sides, 0), 1)
        areas = np.prod(boxes[kept, 2:] - boxes[kept, :2], 1) if kept else np.zeros(0)
        if scores[i] > 0.2 and len(kept) < 90 and (both / (areas + np.prod(boxes[i, 2:] - boxes[i, :2]) - both) < 0.4).all():
            kept.append(int(i))
    assert image.non_max_suppression(boxes, scores, 90, 0.4, 0.2).tolist() == kept
    assert image.non_max_suppression(boxes[:, [2, 3, 0, 1]], scores, 90, 0.4, 0.2).tolist() == kept


def test_soft_suppression_lowers_the_scores_of_boxes_that_overlap():
    boxes = [[0, 0, 1, 1], [0, 0, 1, 0.5], [5, 5, 6, 6]]
    kept, scores = image.non_max_suppression_with_scores(boxes, [0.9, 0.8, 0.7], 3, 1.0, 0.0, soft_nms_sigma=0.5)
    assert kept.tolist() == [0, 2, 1]
    np.testing.assert_allclose(scores, [0.9, 0.7, 0.8 * np.exp(-0.25)], rtol=1e-5)


@pytest.mark.parametrize(("call", "error", "match"), [
    (lambda: image.resize(PHOTO[0, 0], (2, 2)), ShapeError, "batch, height, width"),
    (lambda: image.resize(PHOTO, (0, 2)), ShapeError, "integers of at least 1"),
    (lambda: image.resize(PHOTO, (2.5, 2)), ShapeError, "integers of at least 1"),
    (lambda: image.resize(PHOTO[:, :0], (2, 2)), ShapeError, "size 0"),
    (lambda: image.resize(PHOTO, (2, 2), interpolation="cubic"), ValueError, "bilinear"),
    (lambda: image.crop_and_resize(PHOTO, np.zeros((2, 3), np.float32), [0, 0], (2, 2)), ShapeError, "boxes"),
    (lambda: image.non_max_suppression(np.zeros((2, 3)), [1, 2], 3), ShapeError, "boxes"),
    (lambda: image.non_max_suppression(np.zeros((2, 4)), [1, 2], 3, iou_threshold=2), ValueError, "between 0 and 1"),
])  # fmt: skip
def test_bad_arguments_are_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()
