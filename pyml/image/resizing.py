"""Resizing by the nearest neighbour and by linear interpolation. Positions are quotients of integers: exact everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node


def image_node(images: TensorLike, what: str) -> tuple[Node, bool]:
    """The node of a batch of images, and whether `images` was a single one."""
    node = as_node(images)
    if node.ndim not in (3, 4) or 0 in node.shape:
        raise ShapeError(
            f"{what}: expected (batch, height, width, channels) or (height, width, channels), none of size 0. Received: {node.shape}"
        )
    single = node.ndim == 3
    return (prims.reshape(node, (1, *node.shape)) if single else node), single


def check_size(size: int | Sequence[int], what: str) -> tuple[int, int]:
    values = (size, size) if isinstance(size, int) else tuple(size)
    if len(values) != 2 or any(isinstance(n, bool) or int(n) != n or n < 1 for n in values):
        raise ShapeError(f"{what}: size must be two integers of at least 1. Received: {size}")
    return int(values[0]), int(values[1])


def resize(
    images: TensorLike,
    size: int | Sequence[int],
    interpolation: str = "bilinear",
    align_corners: bool = False,
    half_pixel_centers: bool = True,
    data_format: str | None = "channels_last",
) -> Tensor:
    """Images of another height and width, without smoothing beforehand.

    Args:
        images: `(batch, height, width, channels)` or `(height, width, channels)`.
        size: `(new_height, new_width)`.
        interpolation: `"bilinear"` or `"nearest"`.
        align_corners: The corners of both images are the same points.
        half_pixel_centers: Pixels are squares whose centres correspond (as in Keras); False takes their upper left
            corners, as TensorFlow 1 did.
        data_format: Only `"channels_last"`.

    Returns:
        float32 for `"bilinear"`, the dtype of `images` for `"nearest"`; `(…, new_height, new_width, channels)`.

    Raises:
        ShapeError: `images` are not images, or `size` is not two positive numbers.
        ValueError: An option is unknown, or both `align_corners` and `half_pixel_centers` are asked for.

    Source: keras.ops.image.resize; tf.image.resizeBilinear and resizeNearestNeighbor for the options.

    Example:
        >>> pyml.image.resize(np.ones((1, 4, 4, 3)), (8, 6)).shape
        (1, 8, 6, 3)
    """
    if data_format not in (None, "channels_last"):
        raise ValueError(f"resize: only data_format='channels_last' is supported. Received: {data_format!r}")
    if interpolation not in ("bilinear", "nearest"):
        raise ValueError(f"resize: interpolation must be 'bilinear' or 'nearest'. Received: {interpolation!r}")
    node, single = image_node(images, "resize")
    size = check_size(size, "resize")
    if align_corners:
        half_pixel_centers = False
    if interpolation == "nearest":
        for axis, count in ((1, size[0]), (2, size[1])):
            node = _nearest(node, axis, count, align_corners, half_pixel_centers)
    else:
        node = prims.cast(node, dtype="float32")
        if size != node.shape[1:3]:
            places = [_positions(n, count, align_corners, half_pixel_centers) for n, count in zip(node.shape[1:3], size, strict=True)]
            node = prims.resize_bilinear(node, size, *places)
    return Tensor(prims.reshape(node, node.shape[1:]) if single else node)


def _positions(n: int, count: int, align_corners: bool, half_pixel: bool) -> tuple[int, int, int]:
    """The position of pixel i in the old image as `(mul * i + add) / div`, in integers."""
    if align_corners and count > 1:
        return n - 1, 0, count - 1
    if half_pixel:
        return 2 * n, n - count, 2 * count
    return n, 0, count


def _nearest(x: Node, axis: int, count: int, align_corners: bool, half_pixel: bool) -> Node:
    n = x.shape[axis]
    if align_corners and count > 1:  # rounded, halves up
        return prims.sample(x, axis, count, 2 * (n - 1), count - 1, 2 * (count - 1))
    return prims.sample(x, axis, count, *((2 * n, n, 2 * count) if half_pixel else (n, 0, count)))
