"""Images: `ops.image.resize`, and enlarging by whole factors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from ..graph.node import Node
from .declare import draw, op, sample
from .filters import INTERPOLATIONS, table
from .layout import data_format_of, image_batch, unbatched

__all__ = ["resize"]


def check_interpolation(interpolation: str, owner: str) -> str:
    """`interpolation`, one of `INTERPOLATIONS`.

    Raises:
        ValueError: It is something else.
    """
    text = str(interpolation).lower()
    if text not in INTERPOLATIONS:
        names = ", ".join(repr(name) for name in INTERPOLATIONS)
        raise ValueError(f"{owner}: interpolation must be one of {names}. Received: interpolation={interpolation!r}")
    return text


def check_aspect(crop_to_aspect_ratio: bool, pad_to_aspect_ratio: bool, fill_mode: str, owner: str) -> None:
    """Raises a ValueError where both ratios are to be kept, or borders are to be filled otherwise than with a constant."""
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError(f"{owner}: only one of crop_to_aspect_ratio and pad_to_aspect_ratio may be True.")
    if fill_mode != "constant":
        raise ValueError(f"{owner}: fill_mode must be 'constant', as in Keras. Received: fill_mode={fill_mode!r}")


def check_size(size: Sequence[int], owner: str) -> tuple[int, int]:
    """Height and width, two integers of at least 1.

    Raises:
        ShapeError: They are something else.
    """
    size = size.tolist() if isinstance(size, np.ndarray) else size
    if isinstance(size, (tuple, list)) and len(size) == 2 and all(not isinstance(n, float) and int(n) > 0 for n in size):
        return int(size[0]), int(size[1])
    raise ShapeError(f"{owner}: size must be a height and a width, integers of at least 1. Received: size={size!r}")


def back_to(node: Node, dtype: str) -> Node:
    """float32 values as `dtype`; integer results are rounded, halves to the even neighbour."""
    return prims.cast(prims.round_(node) if dtype in ("int32", "uint32") else node, dtype=dtype)


def _middle(x: Node, axis: int, sizes: tuple[int, int]) -> Node:
    """The middle of the images, of the proportions `sizes`."""
    start, stop = [0] * x.ndim, list(x.shape)
    for a, n, other, ratio in _sides(x, axis, sizes):
        length = max(min(n, int(other * ratio[0] / ratio[1])), 1)
        start[a] = int((n - length) / 2)
        stop[a] = start[a] + length
    return prims.slice_(x, start, stop)


def _surrounded(x: Node, axis: int, sizes: tuple[int, int], fill_value: float) -> Node:
    """The images with a border that gives them the proportions `sizes`."""
    widths = [(0, 0)] * x.ndim
    for a, n, other, ratio in _sides(x, axis, sizes):
        widths[a] = (int((max(n, int(other * ratio[0] / ratio[1])) - n) / 2),) * 2
    return prims.pad(x, widths, fill_value)


def _sides(x: Node, axis: int, sizes: tuple[int, int]) -> list[tuple[int, int, int, tuple[int, int]]]:
    """Of height and width: the axis, its size, that of the other one, and the proportion to it."""
    h, w = x.shape[axis : axis + 2]
    return [(axis, h, w, sizes), (axis + 1, w, h, sizes[::-1])]


def _nearest(x: Node, axis: int, count: int) -> Node:
    n = x.shape[axis]
    if count % n == 0:
        outer, inner = x.shape[:axis], x.shape[axis + 1 :]
        wide = prims.broadcast_to(prims.reshape(x, (*outer, n, 1, *inner)), (*outer, n, count // n, *inner))
        return prims.reshape(wide, (*outer, count, *inner))
    return prims.sample(x, axis, count, 2 * n, n, 2 * count)


def _bilinear(x: Node, axis: int, sizes: tuple[int, int]) -> Node:
    old = x.shape[axis : axis + 2]
    rows = x if axis == 1 else prims.reshape(x, (x.shape[0] * x.shape[1], *old, 1))
    places = [(2 * n, n - count, 2 * count) for n, count in zip(old, sizes, strict=True)]
    return prims.reshape(prims.resize_bilinear(rows, sizes, *places), (*x.shape[:axis], *sizes, *x.shape[axis + 2 :]))


def _filtered(x: Node, axis: int, count: int, interpolation: str, antialias: bool) -> Node:
    n, outer, inner = x.shape[axis], x.shape[:axis], x.shape[axis + 1 :]
    if n == count:
        return x
    numbers, sizes = table(n, count, interpolation, antialias)
    rows = prims.reshape(x, (int(np.prod(outer)), n, int(np.prod(inner))))
    return prims.reshape(prims.resample(rows, as_node(numbers), sizes), (*outer, count, *inner))


def resized(x: Node, axis: int, sizes: tuple[int, int], interpolation: str, antialias: bool = False) -> Node:
    """A batch of images whose height is `axis` and whose width is the next one, at `sizes`; integer images stay integers."""
    if 0 in x.shape:
        return prims.full((*x.shape[:axis], *sizes, *x.shape[axis + 2 :]), 0, x.dtype)
    if x.shape[axis : axis + 2] == sizes:
        return x
    if interpolation == "nearest":
        return _nearest(_nearest(x, axis, sizes[0]), axis + 1, sizes[1])
    y = prims.cast(x, dtype="float32")
    if interpolation == "bilinear" and not antialias:
        return back_to(_bilinear(y, axis, sizes), x.dtype)
    order = sorted((0, 1), key=lambda side: sizes[side] / x.shape[axis + side])  # what becomes smaller first
    for side in order:
        y = _filtered(y, axis + side, sizes[side], interpolation, antialias)
    return back_to(y, x.dtype)


def _resized(x: np.ndarray, size: tuple[int, int], interpolation: str = "bilinear", data_format: str = "channels_last") -> np.ndarray:
    """The same in numpy."""
    first = -3 if data_format == "channels_last" else -2
    for axis, count in enumerate(size, first):
        n = x.shape[axis]
        centre = (np.arange(count) + 0.5) * n / count
        if interpolation == "nearest":
            x = np.take(x, centre.astype(int), axis)
        else:
            shares = np.stack([np.interp(centre - 0.5, np.arange(n), cell) for cell in np.eye(n)])
            x = np.moveaxis(np.tensordot(x, shares, (axis, 0)), -1, axis)
    return x


@op(
    limited=True,
    like=_resized,
    samples=[
        sample(draw(2, 3, 4, 2), (6, 8)),
        sample(draw(1, 4, 4, 1), (3, 7)),
        sample(draw(3, 5, 2), (6, 4), interpolation="nearest"),
        sample(draw(2, 5, 4), (3, 9), data_format="channels_first"),
    ],
)
def resize(
    images: TensorLike,
    size: Sequence[int],
    interpolation: str = "bilinear",
    antialias: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    fill_mode: str = "constant",
    fill_value: float = 0.0,
    data_format: str | None = None,
) -> Tensor:
    """Images in another size; pixels have their values in the middle, as in Keras.

    Args:
        images: `(batch, height, width, channels)`, or one image without the batch.
        size: New height and width.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"lanczos3"`, `"lanczos5"`, or `"area"`: the mean of what lies
            under the new pixel. Values of the first four are those of Keras on PyTorch, of the others those of TensorFlow.
        antialias: Widen the filter where images become smaller, so that no pixel is passed over; nothing to `"nearest"`
            and `"area"`.
        crop_to_aspect_ratio: Take only the middle of the images, so that nothing is distorted.
        pad_to_aspect_ratio: Add borders instead.
        fill_mode: Only `"constant"`, as in Keras.
        fill_value: Value of these borders.
        data_format: `"channels_last"` (None), or `"channels_first"`: `(batch, channels, height, width)`.

    Returns:
        The images at `size`, in their layout and dtype; integer results are rounded.

    Raises:
        ValueError: An argument is unknown, or both ratios are to be kept.
        ShapeError: `images` has neither three nor four axes, or `size` is not a pair of positive numbers.

    Source: Keys 1981 (bicubic), Duchon 1979 (lanczos).

    Example:
        >>> pyml.ops.image.resize(np.ones((1, 4, 4, 3)), (8, 6)).shape
        (1, 8, 6, 3)
    """
    interpolation = check_interpolation(interpolation, "resize")
    check_aspect(crop_to_aspect_ratio, pad_to_aspect_ratio, fill_mode, "resize")
    sizes = check_size(size, "resize")
    axis = 1 if data_format_of(data_format, "resize") == "channels_last" else 2
    x, single = image_batch(images, "resize")
    if crop_to_aspect_ratio:
        x = _middle(x, axis, sizes)
    elif pad_to_aspect_ratio:
        x = _surrounded(x, axis, sizes, fill_value)
    return Tensor(unbatched(resized(x, axis, sizes, interpolation, antialias), single))
