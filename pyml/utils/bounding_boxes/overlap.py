"""How much bounding boxes overlap."""

from __future__ import annotations

import math
from typing import Any

from pyml import ops
from pyml.core import Tensor
from pyml.errors import ShapeError
from pyml.settings import epsilon
from pyml.utils.bounding_boxes.formats import check_boxes, check_format, columns, convert_format, sizes_of

__all__ = ["compute_ciou", "compute_iou"]


def _sizes_for(name: str, image_shape: Any, what: str) -> tuple[Any, Any]:
    height, width = sizes_of(image_shape, what)
    if check_format(name, what).startswith("rel_") and height is None:
        raise ValueError(f"{what}: {name!r} needs image_shape=(height, width, channels).")
    return height, width


def compute_iou(
    boxes1: Any, boxes2: Any, bounding_box_format: str, use_masking: bool = False, mask_val: float = -1, image_shape: Any = None
) -> Tensor:
    """Of each box of one set with each of another: the area of what they share in that of both, from 0 to 1.

    Args:
        boxes1, boxes2: `(batch, boxes, 4)` or `(boxes, 4)`; one may have a batch and the other none.
        bounding_box_format: A format of `convert_format`.
        use_masking: Boxes of which all corners are negative stand for none.
        mask_val: What is written for those.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        float32 `(batch, boxes of the first, boxes of the second)`, without the batch where neither has one.

    Raises:
        ShapeError: The boxes have neither 2 nor 3 axes.
        ValueError: The format is unknown, or needs `image_shape`.

    Source: Jaccard 1912.

    Example:
        >>> pyml.utils.bounding_boxes.compute_iou([[0., 0., 2., 2.]], [[1., 0., 3., 2.], [0., 0., 2., 2.]], "xyxy").numpy().round(3)
        array([[0.333, 1.   ]], dtype=float32)
    """
    height, width = _sizes_for(bounding_box_format, image_shape, "compute_iou")
    first, second = check_boxes(boxes1, "compute_iou"), check_boxes(boxes2, "compute_iou")
    if len(first.shape) not in (2, 3) or len(second.shape) not in (2, 3):
        raise ShapeError(
            "compute_iou: boxes1 and boxes2 must be (batch, boxes, 4) or (boxes, 4). "
            f"Received: {tuple(first.shape)} and {tuple(second.shape)}"
        )
    first, second = (convert_format(boxes, bounding_box_format, "xyxy", height, width) for boxes in (first, second))
    left, top, right, bottom = columns(first)  # (..., boxes, 1), against (..., 1, boxes)
    left2, top2, right2, bottom2 = (ops.swapaxes(column, -1, -2) for column in columns(second))
    across = ops.maximum(ops.minimum(right, right2) - ops.maximum(left, left2), 0.0)
    down = ops.maximum(ops.minimum(bottom, bottom2) - ops.maximum(top, top2), 0.0)
    shared = across * down
    whole = (right - left) * (bottom - top) + (right2 - left2) * (bottom2 - top2) - shared
    found = shared / (whole + epsilon())
    if not use_masking:
        return found
    none = ops.less(ops.max(first, axis=-1, keepdims=True), 0.0)
    none2 = ops.swapaxes(ops.less(ops.max(second, axis=-1, keepdims=True), 0.0), -1, -2)
    return ops.where(ops.logical_or(none, none2), float(mask_val), found)


def compute_ciou(boxes1: Any, boxes2: Any, bounding_box_format: str, image_shape: Any = None) -> Tensor:
    """The complete overlap of boxes, pair by pair: that of `compute_iou`, less for distant centres and other proportions.

    Args:
        boxes1, boxes2: `(..., 4)`, of shapes that broadcast.
        bounding_box_format: A format of `convert_format`.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        float32, the shape of the boxes without the last axis; 1 where they are equal, from there down to -1 or so.

    Raises:
        ValueError: The format is unknown, or needs `image_shape`.

    Source: Zheng et al. 2020, "Distance-IoU loss: faster and better learning for bounding box regression".

    Example:
        >>> pyml.utils.bounding_boxes.compute_ciou([[0., 0., 2., 2.]], [[1., 0., 3., 2.]], "xyxy").numpy().round(3)
        array([0.256], dtype=float32)
    """
    height, width = _sizes_for(bounding_box_format, image_shape, "compute_ciou")
    first, second = (convert_format(boxes, bounding_box_format, "xyxy", height, width) for boxes in (boxes1, boxes2))
    left, top, right, bottom = columns(first)
    left2, top2, right2, bottom2 = columns(second)
    wide, high = right - left, bottom - top + epsilon()
    wide2, high2 = right2 - left2, bottom2 - top2 + epsilon()
    across = ops.maximum(ops.minimum(right, right2) - ops.maximum(left, left2), 0.0)
    down = ops.maximum(ops.minimum(bottom, bottom2) - ops.maximum(top, top2), 0.0)
    shared = across * down
    overlap = shared / (wide * high + wide2 * high2 - shared + 2 * epsilon())
    around_x, around_y = ops.maximum(right, right2) - ops.minimum(left, left2), ops.maximum(bottom, bottom2) - ops.minimum(top, top2)
    diagonal = around_x**2 + around_y**2 + epsilon()
    apart = ((left + right - left2 - right2) / 2.0) ** 2 + ((top + bottom - top2 - bottom2) / 2.0) ** 2
    shape = (ops.arctan(wide2 / high2) - ops.arctan(wide / high)) ** 2 * (4 / math.pi**2)
    share = shape / (shape - overlap + (1 + epsilon()))
    return ops.squeeze(overlap - (apart / diagonal + shape * share), axis=-1)
