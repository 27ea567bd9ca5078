"""Bounding boxes as differences from anchors: what detectors learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml import ops
from pyml.settings import epsilon
from pyml.utils.bounding_boxes.formats import convert_format, sizes_of

__all__ = ["decode_deltas_to_boxes", "encode_box_to_deltas"]


def _checked(encoding: str, variance: Any, what: str) -> Any:
    """The variance as a tensor, or None."""
    if encoding not in ("center_xywh", "center_yxhw"):
        raise ValueError(f"{what}: the encoding must be 'center_xywh' or 'center_yxhw'. Received: {encoding!r}")
    if variance is None:
        return None
    found = ops.convert_to_tensor(variance, "float32")
    if found.shape[-1:] != (4,):
        raise ValueError(f"{what}: variance must be 4 numbers. Received: {variance}")
    return found


def encode_box_to_deltas(
    anchors: Any,
    boxes: Any,
    anchor_format: str,
    box_format: str,
    encoding_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """How boxes differ from anchors: the distance of centres in anchors, and the logarithm of the quotient of sizes.

    Args:
        anchors: `(boxes, 4)`.
        boxes: `(batch, boxes, 4)` or `(boxes, 4)`.
        anchor_format, box_format: Formats of `convert_format`.
        encoding_format: `"center_yxhw"` or `"center_xywh"`: the order of the result.
        variance: Four numbers that the result is divided by.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        float32, the shape of `boxes`.

    Raises:
        ValueError: A format is unknown, or there are not four variances.

    Source: Girshick et al. 2014, "Rich feature hierarchies for accurate object detection and semantic segmentation".

    Example:
        >>> anchor, box = [[0., 0., 4., 4.]], [[1., 0., 5., 8.]]
        >>> pyml.utils.bounding_boxes.encode_box_to_deltas(anchor, box, "xyxy", "xyxy").numpy().round(3)
        array([[0.5  , 0.25 , 0.693, 0.   ]], dtype=float32)
    """
    scale = _checked(encoding_format, variance, "encode_box_to_deltas")
    height, width = sizes_of(image_shape, "encode_box_to_deltas")
    base = convert_format(anchors, anchor_format, encoding_format, height, width)
    found = convert_format(boxes, box_format, encoding_format, height, width)
    base_size, size = (ops.maximum(value[..., 2:], epsilon()) for value in (base, found))
    deltas = ops.concatenate([(found[..., :2] - base[..., :2]) / base_size, ops.log(size / base_size)], axis=-1)
    return deltas if scale is None else deltas / scale


def decode_deltas_to_boxes(
    anchors: Any,
    boxes_delta: Any,
    anchor_format: str,
    box_format: str,
    encoded_format: str = "center_yxhw",
    variance: Any = None,
    image_shape: Any = None,
) -> Any:
    """The boxes that differ from anchors so: `encode_box_to_deltas` undone.

    Args:
        anchors: `(boxes, 4)`, or a dict of them.
        boxes_delta: `(batch, boxes, 4)` or `(boxes, 4)`, or a dict with the same keys.
        anchor_format, box_format: Formats of `convert_format`; the second is that of the result.
        encoded_format: `"center_yxhw"` or `"center_xywh"`: the order of the differences.
        variance: Four numbers that they are multiplied by.
        image_shape: `(height, width, channels)`, for relative formats.

    Returns:
        float32, the shape of `boxes_delta`, or a dict.

    Raises:
        ValueError: A format is unknown, or there are not four variances.

    Example:
        >>> anchor, delta = [[0., 0., 4., 4.]], [[0.5, 0.25, 0.0, 0.0]]
        >>> pyml.utils.bounding_boxes.decode_deltas_to_boxes(anchor, delta, "xyxy", "xyxy").numpy()
        array([[1., 2., 5., 6.]], dtype=float32)
    """
    scale = _checked(encoded_format, variance, "decode_deltas_to_boxes")
    height, width = sizes_of(image_shape, "decode_deltas_to_boxes")

    def decoded(anchor: Any, delta: Any) -> Any:
        base = convert_format(anchor, anchor_format, encoded_format, height, width)
        delta = ops.cast(delta, "float32") if scale is None else ops.multiply(delta, scale)
        size = base[..., 2:]
        box = ops.concatenate([delta[..., :2] * size + base[..., :2], ops.exp(delta[..., 2:]) * size], axis=-1)
        return convert_format(box, encoded_format, box_format, height, width)

    if isinstance(anchors, Mapping) and isinstance(boxes_delta, Mapping):
        return {key: decoded(anchor, boxes_delta[key]) for key, anchor in anchors.items()}
    return decoded(anchors, boxes_delta)
