"""Formats of bounding boxes, and boxes brought from one to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyml import ops
from pyml.errors import ShapeError

__all__ = ["convert_format"]

FORMATS = (
    "xyxy", "yxyx", "xywh", "center_xywh", "center_yxhw", "rel_xyxy", "rel_yxyx", "rel_xywh", "rel_center_xywh",
)  # fmt: skip


def columns(boxes: Any) -> list[Any]:
    """The four numbers of boxes `(..., 4)`, each `(..., 1)`."""
    return ops.split(boxes, 4, axis=-1)


def check_boxes(boxes: Any, what: str) -> Any:
    """`boxes` as a tensor `(..., 4)`.

    Raises:
        ShapeError: They are something else.
    """
    found = boxes if hasattr(boxes, "_keras_history") else ops.convert_to_tensor(boxes)
    if not found.shape or found.shape[-1] != 4:
        raise ShapeError(f"{what}: boxes need a last axis of 4 numbers. Received: boxes of shape {tuple(found.shape)}")
    return found


def check_format(name: str, what: str) -> str:
    """The name of a format in small letters.

    Raises:
        ValueError: There is no such format.
    """
    text = str(name).lower()
    if text not in FORMATS:
        raise ValueError(f"{what}: a box format is one of {', '.join(map(repr, FORMATS))}. Received: {name!r}")
    return text


def sizes_of(image_shape: Any, what: str) -> tuple[Any, Any]:
    """Height and width of `(height, width, channels)`; None twice where it is None."""
    if image_shape is None:
        return None, None
    if len(image_shape) != 3:
        raise ValueError(f"{what}: image_shape must be (height, width, channels). Received: {image_shape}")
    return image_shape[0], image_shape[1]


def _corners(boxes: Any, source: str) -> list[Any]:
    """Left, top, right and bottom."""
    a, b, c, d = columns(boxes)
    if source == "xyxy":
        return [a, b, c, d]
    if source == "yxyx":
        return [b, a, d, c]
    if source == "xywh":
        return [a, b, a + c, b + d]
    if source == "center_yxhw":
        a, b, c, d = b, a, d, c
    return [a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0]


def _of_corners(corners: list[Any], target: str) -> list[Any]:
    left, top, right, bottom = corners
    if target == "xyxy":
        return corners
    if target == "yxyx":
        return [top, left, bottom, right]
    width, height = right - left, bottom - top
    if target == "xywh":
        return [left, top, width, height]
    x, y = left + width / 2.0, top + height / 2.0
    return [x, y, width, height] if target == "center_xywh" else [y, x, height, width]


def convert_format(
    boxes: Any, source: str, target: str, height: Any = None, width: Any = None, dtype: str = "float32"
) -> Any:
    """Bounding boxes in another format.

    The formats, in small or capital letters: `"xyxy"` (left, top, right, bottom), `"yxyx"`, `"xywh"` (left, top, width,
    height), `"center_xywh"`, `"center_yxhw"`; and `"rel_xyxy"`, `"rel_yxyx"`, `"rel_xywh"`, `"rel_center_xywh"`, in which
    0 and 1 are the borders of the image.

    Args:
        boxes: `(..., 4)`, or a dict with them as `"boxes"`.
        source, target: The formats.
        height, width: Size of the image, needed between relative formats and others.
        dtype: Of the result.

    Returns:
        The shape of `boxes`; a dict with the new boxes for a dict.

    Raises:
        ValueError: A format is unknown, or the size of the image is needed.
        ShapeError: The last axis is not of size 4.

    Example:
        >>> pyml.utils.bounding_boxes.convert_format([[10, 20, 30, 50]], "xyxy", "center_xywh").numpy()
        array([[20., 35., 20., 30.]], dtype=float32)
    """
    if isinstance(boxes, Mapping):
        return {**boxes, "boxes": convert_format(boxes["boxes"], source, target, height, width, dtype)}
    found = check_boxes(boxes, "convert_format")
    source, target = check_format(source, "convert_format"), check_format(target, "convert_format")
    relative = source.startswith("rel_"), target.startswith("rel_")
    if any(relative) and (height is None or width is None):
        raise ValueError(
            f"convert_format: {source!r} to {target!r} needs the size of the image. Received: height={height}, width={width}"
        )
    found = ops.cast(found, dtype)
    if source == target:
        return found
    corners = _corners(found, source.removeprefix("rel_"))
    if relative == (True, False):
        corners = [corner * size for corner, size in zip(corners, (width, height) * 2, strict=True)]
    if relative == (False, True):
        corners = [corner / size for corner, size in zip(corners, (width, height) * 2, strict=True)]
    return ops.concatenate(_of_corners(corners, target.removeprefix("rel_")), axis=-1)


def through_corners(boxes: Any, name: str, what: str, change: Any) -> Any:
    """`change(left, top, right, bottom)` of boxes in any format; those of corners keep their dtype."""
    found, name = check_boxes(boxes, what), check_format(name, what)
    if name == "xyxy":
        return ops.concatenate(change(*columns(found)), axis=-1)
    corners = convert_format(found, name, "xyxy")
    return convert_format(ops.concatenate(change(*columns(corners)), axis=-1), "xyxy", name)
