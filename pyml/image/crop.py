"""Flips, and boxes cut out of images and brought to one size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .. import ops
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..ops import logical_and
from .resizing import check_size, image_node


def flip_left_right(images: TensorLike) -> Tensor:
    """Images mirrored along their width, in their shape and dtype.

    Args:
        images: `(batch, height, width, channels)` or `(height, width, channels)`.

    Raises:
        ShapeError: They are not images.

    Example:
        >>> pyml.image.flip_left_right(np.arange(3).reshape(1, 3, 1))[0, :, 0].numpy()
        array([2, 1, 0], dtype=int32)
    """
    image_node(images, "flip_left_right")
    return ops.flip(images, axis=-2)


def flip_up_down(images: TensorLike) -> Tensor:
    """Images upside down, in their shape and dtype.

    Args:
        images: `(batch, height, width, channels)` or `(height, width, channels)`.

    Raises:
        ShapeError: They are not images.

    Example:
        >>> pyml.image.flip_up_down(np.arange(3).reshape(3, 1, 1))[:, 0, 0].numpy()
        array([2, 1, 0], dtype=int32)
    """
    image_node(images, "flip_up_down")
    return ops.flip(images, axis=-3)


def crop_and_resize(
    images: TensorLike,
    boxes: TensorLike,
    box_indices: TensorLike,
    crop_size: Sequence[int],
    method: str = "bilinear",
    extrapolation_value: float = 0.0,
) -> Tensor:
    """Boxes cut out of images, each resized to `crop_size`.

    Args:
        images: float `(batch, height, width, channels)`.
        boxes: float `(boxes, 4)`: y1, x1, y2, x2, where 0 and 1 are the first and last row or column; y1 > y2 flips.
        box_indices: int `(boxes,)`: which image each box is of.
        crop_size: `(crop_height, crop_width)`.
        method: `"bilinear"` or `"nearest"`.
        extrapolation_value: What lies outside the image.

    Returns:
        float32 `(boxes, crop_height, crop_width, channels)`.

    Raises:
        ShapeError: The shapes do not fit together.
        ValueError: `method` is none of these words.
        ShapeError: The boxes or their indices have another shape.

    Source: tf.image.cropAndResize.

    Example:
        >>> pyml.image.crop_and_resize(np.ones((1, 8, 8, 3)), [[0., 0., 0.5, 0.5]], [0], (2, 2)).shape
        (1, 2, 2, 3)
    """
    if method not in ("bilinear", "nearest"):
        raise ValueError(f"crop_and_resize: method must be 'bilinear' or 'nearest'. Received: {method!r}")
    node, single = image_node(images, "crop_and_resize")
    corners, which = as_node(boxes), as_node(box_indices)
    if single or corners.ndim != 2 or corners.shape[1] != 4 or which.shape != corners.shape[:1]:
        raise ShapeError(
            f"crop_and_resize: expected images (batch, h, w, channels), boxes (n, 4) and box_indices (n,). "
            f"Received: {as_node(images).shape}, {corners.shape}, {which.shape}"
        )
    height, width = check_size(crop_size, "crop_and_resize")
    batch, h, w, channels = node.shape
    if corners.shape[0] == 0:
        return ops.zeros((0, height, width, channels))
    pixels = Tensor(prims.reshape(prims.cast(node, dtype="float32"), (batch * h * w, channels)))
    edges = Tensor(prims.cast(corners, dtype="float32"))
    rows = _positions(edges[:, 0:1], edges[:, 2:3], height, h)  # (n, crop_height)
    columns = _positions(edges[:, 1:2], edges[:, 3:4], width, w)
    inside = logical_and(ops.expand_dims(_within(rows, h), 2), ops.expand_dims(_within(columns, w), 1))
    first = ops.reshape(ops.cast(Tensor(which), "int32") * (h * w), (-1, 1, 1))

    def at(row: Tensor, column: Tensor) -> Tensor:
        row, column = (ops.cast(ops.clip(v, 0.0, n - 1.0), "int32") for v, n in ((row, h), (column, w)))
        return ops.take(pixels, ops.expand_dims(row, 2) * w + ops.expand_dims(column, 1) + first, axis=0)

    if method == "nearest":
        y = at(ops.floor(rows + 0.5), ops.floor(columns + 0.5))
    else:
        top, left = ops.floor(rows), ops.floor(columns)
        across = ops.reshape(columns - left, (-1, 1, width, 1))
        upper = _between(at(top, left), at(top, left + 1.0), across)
        lower = _between(at(top + 1.0, left), at(top + 1.0, left + 1.0), across)
        y = _between(upper, lower, ops.reshape(rows - top, (-1, height, 1, 1)))
    return ops.where(ops.expand_dims(inside, 3), y, float(extrapolation_value))


def _between(a: Tensor, b: Tensor, weight: Tensor) -> Tensor:
    return a + (b - a) * weight


def _positions(start: Tensor, stop: Tensor, count: int, n: int) -> Tensor:
    """Rows (or columns) of the image for each of `count` rows of the crop."""
    if count == 1:
        return (start + stop) * (0.5 * (n - 1))
    steps = (np.arange(count) / (count - 1)).astype(np.float32)[None]
    return (start + (stop - start) * steps) * float(n - 1)


def _within(positions: Tensor, n: int) -> Tensor:
    return logical_and(positions >= 0.0, positions <= n - 1.0)
