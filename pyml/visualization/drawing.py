"""Boxes and masks drawn on images, on the host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyml.core.tensor import Tensor, convert_to_tensor
from pyml.core.types import TensorLike
from pyml.errors import DtypeError, ShapeError, to_install
from pyml.settings import standardize_data_format
from pyml.utils.bounding_boxes import convert_format

__all__ = ["batch_of_images", "draw_bounding_boxes", "draw_segmentation_masks"]


def batch_of_images(images: TensorLike, data_format: str | None, what: str) -> np.ndarray:
    """Images as a numpy array `(batch, height, width, channels)`.

    Raises:
        ShapeError: They have not 4 axes.
    """
    pixels = np.asarray(images)
    if pixels.ndim != 4:
        raise ShapeError(f"{what}: expected a batch of images, 4 axes. Received: images of shape {pixels.shape}")
    return pixels.transpose(0, 2, 3, 1) if standardize_data_format(data_format, what) == "channels_first" else pixels


def _bytes(pixels: np.ndarray) -> np.ndarray:
    """Pixels from 0 to 255; floats that are at most 1 are taken to be from 0 to 1."""
    if pixels.dtype.kind == "f" and pixels.size:
        pixels = np.clip(pixels, 0, 1) * 255 if pixels.max() <= 1.0 else np.clip(pixels, 0, 255)
    return np.array(pixels, np.uint8)


def _frame(image: np.ndarray, corners: Sequence[int], color: Sequence[int], thickness: int) -> None:
    """The border of a rectangle, `thickness` pixels around its line; all of it where the thickness is negative."""
    left, top, right, bottom = corners
    low, high = (thickness - 1) // 2, thickness // 2
    if thickness < 0:
        image[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = color
        return
    for first, last in ((top, top), (bottom, bottom)):
        image[max(first - low, 0) : max(last + high + 1, 0), max(left - low, 0) : max(right + high + 1, 0)] = color
    for first, last in ((left, left), (right, right)):
        image[max(top - low, 0) : max(bottom + high + 1, 0), max(first - low, 0) : max(last + high + 1, 0)] = color


def _write(image: np.ndarray, text: str, x: int, y: int, color: Sequence[int], scale: float, thickness: int) -> np.ndarray:
    """The image with a text whose lowest line begins at (x, y)."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise ImportError(f"draw_bounding_boxes: names of classes are written with Pillow: {to_install('pillow')}.") from None
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    font = ImageFont.load_default(size=max(1.0, 22 * scale))
    fill = color[0] if image.shape[-1] == 1 else tuple(color)
    ImageDraw.Draw(picture).text((x, y), text, fill=fill, font=font, anchor="ls", stroke_width=max(0, thickness - 1))
    return np.array(picture).reshape(image.shape)


def draw_bounding_boxes(
    images: TensorLike,
    bounding_boxes: Mapping[str, Any],
    bounding_box_format: str,
    class_mapping: Mapping[int, str] | None = None,
    color: Sequence[int] = (128, 128, 128),
    line_thickness: int = 2,
    text_thickness: int = 1,
    font_scale: float = 1.0,
    data_format: str | None = None,
) -> np.ndarray:
    """Images with the borders of boxes on them.

    Args:
        images: `(batch, height, width, channels)` from 0 to 255, or floats from 0 to 1.
        bounding_boxes: A dict: `"boxes"` `(batch, boxes, 4)`, `"labels"` `(batch, boxes)` (those of -1 are left out), and
            perhaps `"confidences"` `(batch, boxes)`.
        bounding_box_format: Any format of `utils.bounding_boxes.convert_format`.
        class_mapping: Names of labels, written at the boxes; this needs Pillow.
        color: Red, green and blue, from 0 to 255.
        line_thickness, text_thickness: In pixels.
        font_scale: Size of the text; 1 is about 22 pixels.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        uint8 `(batch, height, width, channels)`, a numpy array.

    Raises:
        TypeError: The boxes are not a dict.
        ValueError: Boxes or labels are missing.
        ShapeError: The images have not 4 axes.
        ImportError: Names are to be written, and Pillow is not installed.

    Example:
        >>> boxes = {"boxes": np.array([[[1, 1, 6, 5]]]), "labels": np.array([[0]])}
        >>> drawn = pyml.visualization.draw_bounding_boxes(np.zeros((1, 8, 8, 3)), boxes, "xyxy", line_thickness=1)
        >>> int((drawn[0, :, :, 0] > 0).sum())
        18
    """
    pixels = _bytes(batch_of_images(images, data_format, "draw_bounding_boxes"))
    if not isinstance(bounding_boxes, Mapping):
        raise TypeError(f"draw_bounding_boxes: bounding_boxes must be a dict. Received: {type(bounding_boxes).__name__}")
    if "boxes" not in bounding_boxes or "labels" not in bounding_boxes:
        raise ValueError(f"draw_bounding_boxes: bounding_boxes needs 'boxes' and 'labels'. Received: {list(bounding_boxes)}")
    height, width = pixels.shape[1:3]
    boxes = np.asarray(convert_format(bounding_boxes["boxes"], bounding_box_format, "xyxy", height, width)).astype(int)
    labels, sure = np.asarray(bounding_boxes["labels"]).astype(int), bounding_boxes.get("confidences")
    for i, image in enumerate(pixels):
        for j, (corners, label) in enumerate(zip(boxes[i], labels[i], strict=True)):
            if label == -1:
                continue
            _frame(image, corners.tolist(), color, line_thickness)
            if class_mapping and int(label) in class_mapping:
                text = class_mapping[int(label)] + ("" if sure is None else f" | {float(np.asarray(sure)[i][j]):.2f}")
                x, y = _beside(int(corners[0]), int(corners[1]), font_scale, text_thickness or line_thickness)
                image[:] = _write(image, text, x, y, color, font_scale, text_thickness or line_thickness)
    return pixels


def _beside(x: int, y: int, scale: float, thickness: int) -> tuple[int, int]:
    """Where the text of a box begins: above it, or within where there is no room."""
    tall = 2 * int(scale * 12)
    return (x, y - 8) if y - 8 > tall else (x + 3, y + tall + thickness + 3)


def draw_segmentation_masks(
    images: TensorLike,
    segmentation_masks: TensorLike,
    num_classes: int | None = None,
    color_mapping: Mapping[int, Sequence[int]] | None = None,
    alpha: float = 0.8,
    blend: bool = True,
    ignore_index: int = -1,
    data_format: str | None = None,
) -> Any:
    """Images with the classes of their pixels as colours over them.

    Args:
        images: `(batch, height, width, 3)` from 0 to 255.
        segmentation_masks: Whole numbers `(batch, height, width, 1)`.
        num_classes: How many classes have a colour; by default all there are.
        color_mapping: Red, green and blue of each class, from 0 to 255.
        alpha: How much the colours cover, from 0 to 1.
        blend: False gives the colours alone.
        ignore_index: The class that stays without colour.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.

    Returns:
        uint8 `(batch, height, width, 3)`, a numpy array; without `blend` a float32 tensor.

    Raises:
        ShapeError: The images have not 4 axes.
        DtypeError: The masks are not integers.

    Example:
        >>> masks = np.array([0, 1]).reshape(1, 1, 2, 1)
        >>> pyml.visualization.draw_segmentation_masks(np.zeros((1, 1, 2, 3)), masks, 2, {0: (0, 0, 0), 1: (255, 0, 0)})[0, 0, 1]
        array([204,   0,   0], dtype=uint8)
    """
    pixels = batch_of_images(images, data_format, "draw_segmentation_masks").astype(np.float32)
    masks = batch_of_images(segmentation_masks, data_format, "draw_segmentation_masks")[..., 0]
    if masks.dtype.kind not in "iu":
        raise DtypeError(f"draw_segmentation_masks: masks must be integers. Received: {masks.dtype}")
    # Keras takes one class less where their number is not given, and the last one stays without colour
    count = num_classes if num_classes is not None else int(masks.max(initial=-1)) + 1
    colors = [color_mapping[i] for i in range(count)] if color_mapping is not None else _palette(count)
    covered = pixels.copy()
    for i, color in enumerate(colors):
        covered[masks == i] = color
    if not blend:
        found: Tensor = convert_to_tensor(covered)
        return found
    mixed = pixels * (1 - alpha) + covered * alpha
    return np.where((masks != ignore_index)[..., None], mixed, pixels).astype(np.uint8)


def _palette(count: int) -> list[Sequence[int]]:
    return [(i * np.array([2**25 - 1, 2**15 - 1, 2**21 - 1]) % 255).tolist() for i in range(count)]
