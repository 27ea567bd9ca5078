"""Boxes and masks on images, and galleries."""

import sys

import numpy as np
import pytest

import pyml
from pyml import visualization

BOXES = {"boxes": np.array([[[2.0, 1.0, 6.0, 5.0], [0.0, 0.0, 3.0, 3.0]]]), "labels": np.array([[0, -1]])}
RED = (255, 0, 0)


def test_a_box_is_a_border_of_its_colour_and_those_of_label_minus_1_are_left_out():
    drawn = visualization.draw_bounding_boxes(np.zeros((1, 8, 9, 3)), BOXES, "xyxy", color=RED, line_thickness=1)
    want = np.zeros((8, 9), bool)
    want[1:6, 2:7] = True
    want[2:5, 3:6] = False
    np.testing.assert_array_equal(drawn[0, :, :, 0] == 255, want)
    assert drawn.dtype == np.uint8
    assert not drawn[..., 1:].any()


def test_boxes_may_be_relative_and_images_have_their_channels_first():
    relative = BOXES | {"boxes": pyml.utils.bounding_boxes.convert_format(BOXES["boxes"], "xyxy", "rel_xywh", 8, 9)}
    first = visualization.draw_bounding_boxes(np.zeros((1, 3, 8, 9)), relative, "rel_xywh", data_format="channels_first")
    np.testing.assert_array_equal(first, visualization.draw_bounding_boxes(np.zeros((1, 8, 9, 3)), BOXES, "xyxy"))


def test_the_name_of_a_class_is_written_beside_its_box():
    pytest.importorskip("PIL")
    images, boxes = np.zeros((1, 80, 120, 3)), {"boxes": np.array([[[5, 50, 90, 70]]]), "labels": np.array([[3]])}
    plain = visualization.draw_bounding_boxes(images, boxes, "xyxy", color=RED)
    named = visualization.draw_bounding_boxes(images, boxes | {"confidences": np.array([[0.5]])}, "xyxy", {3: "cat"}, RED)
    assert (named[0, 20:45] > 0).sum() > (plain[0, 20:45] > 0).sum() == 0


def test_masks_cover_images_but_for_the_ignored_class():
    image = np.full((1, 1, 3, 3), 100.0)
    masks = np.array([0, 1, -1]).reshape(1, 1, 3, 1)
    colors = {0: (0, 0, 0), 1: (200, 100, 0)}
    drawn = visualization.draw_segmentation_masks(image, masks, 2, colors, alpha=0.5)
    np.testing.assert_array_equal(drawn[0, 0], [[50, 50, 50], [150, 100, 50], [100, 100, 100]])
    alone = visualization.draw_segmentation_masks(image, masks, color_mapping=colors, blend=False)
    np.testing.assert_array_equal(alone.numpy()[0, 0], [[0, 0, 0], [200, 100, 0], [100, 100, 100]])


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: visualization.draw_bounding_boxes(np.zeros((8, 9, 3)), BOXES, "xyxy"), ValueError, "4 axes"),
    (lambda: visualization.draw_bounding_boxes(np.zeros((1, 8, 9, 3)), [1], "xyxy"), TypeError, "must be a dict"),
    (lambda: visualization.draw_bounding_boxes(np.zeros((1, 8, 9, 3)), {"boxes": 1}, "xyxy"), ValueError, "'boxes' and 'labels'"),
    (lambda: visualization.draw_segmentation_masks(np.zeros((1, 8, 9, 3)), np.zeros((1, 8, 9, 1))), TypeError, "integers"),
])  # fmt: skip
def test_what_cannot_be_drawn_is_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_without_matplotlib_a_gallery_names_the_package_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    images = np.zeros((1, 8, 9, 3))
    for call in (lambda: visualization.plot_image_gallery(images), lambda: visualization.plot_bounding_box_gallery(images, "xyxy"),
                 lambda: visualization.plot_segmentation_mask_gallery(images, 2)):
        with pytest.raises(ImportError, match="pip install matplotlib"):
            call()


def test_galleries_are_written_to_files(tmp_path):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    images, masks = np.zeros((3, 8, 9, 3)), np.zeros((3, 8, 9, 1), int)
    boxes = {"boxes": np.repeat(BOXES["boxes"], 3, 0), "labels": np.repeat(BOXES["labels"], 3, 0)}
    visualization.plot_image_gallery(images, np.array([0, 1, 2]), label_map={0: "a"}, path=tmp_path / "images.png")
    visualization.plot_bounding_box_gallery(images, "xyxy", boxes, boxes, legend=True, path=tmp_path / "boxes.png")
    visualization.plot_segmentation_mask_gallery(images, 2, y_true=masks, path=tmp_path / "masks.png")
    assert {p.name for p in tmp_path.iterdir()} == {"images.png", "boxes.png", "masks.png"}
