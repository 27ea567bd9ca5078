"""Bounding boxes after what was done to their images: clipped, cropped, padded, turned."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from pyml import ops
from pyml.errors import ShapeError
from pyml.utils.bounding_boxes.formats import check_boxes, check_format, columns, convert_format, through_corners

__all__ = ["affine_transform", "clip_to_image_size", "crop", "pad"]


def _absolute(name: str, what: str) -> str:
    if check_format(name, what).startswith("rel_"):
        raise ValueError(f"{what}: relative boxes do not say how large the image is; use convert_format first. Received: {name!r}")
    return name


def clip_to_image_size(bounding_boxes: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy") -> Any:
    """Bounding boxes without what lies outside of the image; labels of those of which nothing is left become -1.

    Args:
        bounding_boxes: A dict with `"boxes"` `(..., boxes, 4)` and perhaps `"labels"` `(..., boxes)`.
        height, width: Size of the image; not needed for relative formats.
        bounding_box_format: Any format of `convert_format`.

    Returns:
        A dict like it.

    Raises:
        ValueError: The format is unknown, or the size is needed.

    Example:
        >>> boxes = {"boxes": np.array([[-5, 2, 8, 30]]), "labels": np.array([1])}
        >>> pyml.utils.bounding_boxes.clip_to_image_size(boxes, height=20, width=10)["boxes"].numpy()
        array([[ 0,  2,  8, 20]], dtype=int32)
    """
    what = "clip_to_image_size"
    if not isinstance(bounding_boxes, Mapping) or "boxes" not in bounding_boxes:
        raise ValueError(f"{what}: expected a dict with 'boxes', and perhaps 'labels'. Received: {type(bounding_boxes).__name__}")
    name = check_format(bounding_box_format, what)
    relative = name.startswith("rel_")
    if not relative and (height is None or width is None):
        raise ValueError(f"{what}: height and width of the image are needed for {name!r}. Received: height={height}, width={width}")
    if relative:
        height = width = 1.0
    corners = check_boxes(bounding_boxes["boxes"], what)
    if name not in ("xyxy", "rel_xyxy"):
        corners = convert_format(corners, name.removeprefix("rel_"), "xyxy")
    x1, y1, x2, y2 = (ops.clip(c, 0, size) for c, size in zip(columns(corners), (width, height) * 2, strict=True))
    inside = ops.concatenate([x1, y1, x2, y2], axis=-1)
    found = {**bounding_boxes, "boxes": inside}
    if name not in ("xyxy", "rel_xyxy"):
        found["boxes"] = convert_format(inside, "xyxy", name.removeprefix("rel_"))
    if bounding_boxes.get("labels") is not None:
        area = ops.squeeze((x2 - x1) * (y2 - y1), axis=-1)
        found["labels"] = ops.where(ops.greater(area, 0), bounding_boxes["labels"], -1)
    return found


def crop(boxes: Any, top: Any, left: Any, height: Any, width: Any, bounding_box_format: str = "xyxy") -> Any:
    """Bounding boxes in a part of the image: from its corner, and clipped to it.

    Args:
        boxes: `(..., 4)`.
        top, left: Where the part begins.
        height, width: Its size.
        bounding_box_format: A format of `convert_format` that is not relative.

    Returns:
        The shape of `boxes`; those of corners keep their dtype.

    Raises:
        ValueError: The format is unknown, or relative.

    Example:
        >>> pyml.utils.bounding_boxes.crop(np.array([[10, 20, 50, 60]]), top=10, left=20, height=40, width=30).numpy()
        array([[ 0, 10, 30, 40]], dtype=int32)
    """

    def moved(x1: Any, y1: Any, x2: Any, y2: Any) -> list[Any]:
        return [ops.clip(x - start, 0, size) for x, start, size in ((x1, left, width), (y1, top, height), (x2, left, width),
                                                                   (y2, top, height))]  # fmt: skip

    return through_corners(boxes, _absolute(bounding_box_format, "crop"), "crop", moved)


def pad(boxes: Any, top: Any, left: Any, height: Any = None, width: Any = None, bounding_box_format: str = "xyxy") -> Any:
    """Bounding boxes in an image that got rows above it and columns on its left.

    Args:
        boxes: `(..., 4)`.
        top, left: How many.
        height, width: Not used, as in Keras.
        bounding_box_format: A format of `convert_format` that is not relative.

    Returns:
        The shape of `boxes`; those of corners keep their dtype.

    Raises:
        ValueError: The format is unknown, or relative.

    Example:
        >>> pyml.utils.bounding_boxes.pad(np.array([[10, 20, 50, 60]]), top=1, left=2).numpy()
        array([[12, 21, 52, 61]], dtype=int32)
    """
    name = _absolute(bounding_box_format, "pad")
    return through_corners(boxes, name, "pad", lambda x1, y1, x2, y2: [x1 + left, y1 + top, x2 + left, y2 + top])


def affine_transform(
    boxes: Any,
    angle: Any,
    translate_x: Any,
    translate_y: Any,
    scale: Any,
    shear_x: Any,
    shear_y: Any,
    height: Any,
    width: Any,
    center_x: Any = None,
    center_y: Any = None,
    bounding_box_format: str = "xyxy",
) -> Any:
    """Bounding boxes around the boxes of a turned, scaled, sheared and shifted image.

    Args:
        boxes: `(batch, boxes, 4)`, or `(boxes, 4)` of one image.
        angle, shear_x, shear_y: In degrees, a number or one for each image.
        translate_x, translate_y: Parts of the width and height, in the same way.
        scale: Factor, in the same way.
        height, width: Size of the images.
        center_x, center_y: The point that stays, in parts of the size; the middle by default.
        bounding_box_format: Any format of `convert_format`.

    Returns:
        float32, the shape of `boxes`.

    Raises:
        ValueError: The format is unknown.
        ShapeError: The boxes have neither 2 nor 3 axes.

    Example:
        >>> moved = pyml.utils.bounding_boxes.affine_transform([[0., 0., 4., 2.]], 0., 0.1, 0., 1., 0., 0., height=11, width=11)
        >>> moved.numpy()
        array([[1., 0., 5., 2.]], dtype=float32)
    """
    what = "affine_transform"
    corners = convert_format(boxes, check_format(bounding_box_format, what), "xyxy", height, width)
    single = len(corners.shape) == 2
    if len(corners.shape) not in (2, 3):
        raise ShapeError(f"{what}: expected boxes (batch, boxes, 4) or (boxes, 4). Received: {tuple(corners.shape)}")
    corners = ops.expand_dims(corners, 0) if single else corners
    each = [ops.reshape(ops.cast(value, "float32"), (-1, 1, 1)) for value in (angle, translate_x, translate_y, scale, shear_x, shear_y)]
    (a0, a1, a2), (b0, b1, b2) = _matrix(each, height, width, 0.5 if center_x is None else center_x, 0.5 if center_y is None else center_y)
    x1, y1, x2, y2 = columns(corners)
    x, y = ops.concatenate([x1, x2, x2, x1], -1), ops.concatenate([y1, y1, y2, y2], -1)
    x, y = x * a0 + y * a1 + a2, x * b0 + y * b1 + b2
    around = [ops.min(x, -1, keepdims=True), ops.min(y, -1, keepdims=True), ops.max(x, -1, keepdims=True), ops.max(y, -1, keepdims=True)]
    found = ops.concatenate(around, axis=-1)
    found = ops.squeeze(found, 0) if single else found
    return convert_format(found, "xyxy", bounding_box_format, height, width)


def _matrix(
    each: list[Any], height: Any, width: Any, center_x: Any, center_y: Any
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """The rows of the map of the plane, as Keras (and torchvision) make it of these numbers."""
    angle, shift_x, shift_y, scale, shear_x, shear_y = each
    turn, lean_x, lean_y = (value * (-math.pi / 180.0) for value in (angle, shear_x, shear_y))
    x, y = center_x * (width - 1), center_y * (height - 1)
    from_x, from_y = x - shift_x * (width - 1), y - shift_y * (height - 1)
    a, c = ops.cos(turn - lean_y) / ops.cos(lean_y), -ops.sin(turn - lean_y) / ops.cos(lean_y)
    b, d = a * ops.tan(lean_x) + ops.sin(turn), ops.cos(turn) - c * ops.tan(lean_x)
    a0, a1, b0, b1 = d * scale, -b * scale, -c * scale, a * scale
    return (a0, a1, x - a0 * from_x - a1 * from_y), (b0, b1, y - b0 * from_x - b1 * from_y)
