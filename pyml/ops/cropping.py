"""Images with borders taken away or added."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core.symbolic import KerasTensor
from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from .declare import draw, op, sample
from .layout import check_rank, data_format_of

__all__ = ["crop_images", "pad_images"]


class _Side(NamedTuple):
    """What is known of an axis: the border before it, the border after it, and the size that it shall have."""

    before: int | None
    after: int | None
    target: int | None


def _sides(what: str, word: str, top: Any, left: Any, bottom: Any, right: Any, height: Any, width: Any) -> tuple[_Side, _Side]:
    """Both axes, each with exactly two of three numbers from 0."""
    found = []
    for names, values in (
        ((f"top_{word}", f"bottom_{word}", "target_height"), (top, bottom, height)),
        ((f"left_{word}", f"right_{word}", "target_width"), (left, right, width)),
    ):
        said = ", ".join(f"{name}={value}" for name, value in zip(names, values, strict=True))
        if values.count(None) != 1:
            raise ValueError(f"{what}: give exactly two of {', '.join(names)}. Received: {said}")
        if any(value is not None and value < 0 for value in values):
            raise ValueError(f"{what}: {', '.join(names)} must be 0 or more. Received: {said}")
        found.append(_Side(*(None if value is None else int(value) for value in values)))
    return found[0], found[1]


def _axes(ndim: int, data_format: str | None, what: str) -> tuple[int, int]:
    return (ndim - 3, ndim - 2) if data_format_of(data_format, what) == "channels_last" else (ndim - 2, ndim - 1)


def _borders(side: _Side, size: int, sign: int, what: str) -> tuple[int, int]:
    """Pixels before and after; `sign` is 1 where they are added, -1 where they are taken away."""
    before, after, target = side
    if target is not None:
        total = sign * (target - size)
        before = total - (after or 0) if before is None else before
        after = total - before
    assert before is not None and after is not None
    if min(before, after) < 0 or size + sign * (before + after) < 0:
        raise ShapeError(f"{what}: an axis of size {size} cannot be brought to {target if target is not None else (before, after)}.")
    return before, after


def _spec(sign: int, what: str, word: str) -> Callable[..., KerasTensor]:
    """The KerasTensor of a call with symbolic images: sizes may be unknown, but those that are known are checked."""

    names = (f"top_{word}", f"left_{word}", f"bottom_{word}", f"right_{word}", "target_height", "target_width", "data_format")

    def spec(images: Any, *args: Any, **kwargs: Any) -> KerasTensor:
        """The symbolic result of a call with these arguments."""
        given = dict.fromkeys(names) | dict(zip(names, args, strict=False)) | kwargs
        data_format = given.pop("data_format")
        check_rank(images.shape, what)
        shape = list(images.shape)
        sides = _sides(what, word, *given.values())
        for axis, side in zip(_axes(len(shape), data_format, what), sides, strict=True):
            size = shape[axis]
            if size is not None:
                shape[axis] = size + sign * sum(_borders(side, size, sign, what))
            elif side.target is None and sign < 0:
                raise ValueError(f"{what}: give the target size, as a size is unknown. Received: images of shape {images.shape}")
            else:
                shape[axis] = side.target
        return KerasTensor(shape, dtype=images.dtype)

    return spec


@op(
    like=lambda x, *borders, **_: x[..., borders[0] : x.shape[-3] - borders[2], borders[1] : x.shape[-2] - borders[3], :],
    samples=[sample(draw(2, 5, 6, 2), 1, 2, 0, 1), sample(draw(4, 5, 3), 0, 0, 2, 3)],
    spec=_spec(-1, "crop_images", "cropping"),
)
def crop_images(
    images: TensorLike,
    top_cropping: int | None = None,
    left_cropping: int | None = None,
    bottom_cropping: int | None = None,
    right_cropping: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images without some of their borders. Give exactly two of top, bottom and height, and two of left, right and width.

    Args:
        images: `(batch, height, width, channels)` or one image.
        top_cropping, left_cropping, bottom_cropping, right_cropping: Rows and columns to take away.
        target_height, target_width: What is to be left.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        The rest, in the layout and dtype of `images`.

    Raises:
        ValueError: Not exactly two numbers of an axis are given, or one is negative.
        ShapeError: The images are smaller than that.

    Source: `keras.ops.image.crop_images`.

    Example:
        >>> pyml.ops.image.crop_images(np.ones((2, 8, 8, 3)), 1, 0, target_height=4, target_width=5).shape
        (2, 4, 5, 3)
    """
    sides = _sides("crop_images", "cropping", top_cropping, left_cropping, bottom_cropping, right_cropping, target_height, target_width)
    x = as_node(images)
    check_rank(x.shape, "crop_images")
    start, stop = [0] * x.ndim, list(x.shape)
    for axis, side in zip(_axes(x.ndim, data_format, "crop_images"), sides, strict=True):
        before, after = _borders(side, x.shape[axis], -1, "crop_images")
        start[axis], stop[axis] = before, x.shape[axis] - after
    return Tensor(prims.slice_(x, start, stop))


@op(
    like=lambda x, t, l, b, r, **_: np.pad(x, ((0, 0),) * (x.ndim - 3) + ((t, b), (l, r), (0, 0))),
    samples=[sample(draw(2, 3, 4, 2), 1, 2, 0, 1), sample(draw(4, 5, 3), 0, 0, 2, 3)],
    spec=_spec(1, "pad_images", "padding"),
)
def pad_images(
    images: TensorLike,
    top_padding: int | None = None,
    left_padding: int | None = None,
    bottom_padding: int | None = None,
    right_padding: int | None = None,
    target_height: int | None = None,
    target_width: int | None = None,
    data_format: str | None = None,
) -> Tensor:
    """Images with zeros around them. Give exactly two of top, bottom and height, and two of left, right and width.

    Args:
        images: `(batch, height, width, channels)` or one image.
        top_padding, left_padding, bottom_padding, right_padding: Rows and columns to add.
        target_height, target_width: The new size.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        The larger images, in the layout and dtype of `images`.

    Raises:
        ValueError: Not exactly two numbers of an axis are given, or one is negative.
        ShapeError: The images are larger than that.

    Source: `keras.ops.image.pad_images`.

    Example:
        >>> pyml.ops.image.pad_images(np.ones((2, 3, 4, 1)), 1, 2, target_height=6, right_padding=0).shape
        (2, 6, 6, 1)
    """
    sides = _sides("pad_images", "padding", top_padding, left_padding, bottom_padding, right_padding, target_height, target_width)
    x = as_node(images)
    check_rank(x.shape, "pad_images")
    widths = [(0, 0)] * x.ndim
    for axis, side in zip(_axes(x.ndim, data_format, "pad_images"), sides, strict=True):
        widths[axis] = _borders(side, x.shape[axis], 1, "pad_images")
    return Tensor(prims.pad(x, widths))
