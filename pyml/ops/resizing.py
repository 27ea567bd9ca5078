"""Images: `ops.image.resize`, and enlarging by whole factors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..errors import ShapeError
from ..graph import prims
from .core import slice as _slice
from .declare import draw, op, sample
from .joining import concatenate, repeat, stack, take
from .shaping import expand_dims, pad, reshape

__all__ = ["resize"]

INTERPOLATIONS = ("bilinear", "nearest")


def check_interpolation(interpolation: str, owner: str) -> str:
    """`interpolation`, one of `INTERPOLATIONS`.

    Raises:
        ValueError: It is something else.
    """
    text = str(interpolation).lower()
    if text not in INTERPOLATIONS:
        raise ValueError(f"{owner}: interpolation must be 'bilinear' or 'nearest'. Received: interpolation={interpolation!r}")
    return text


def _along(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    begin = [start if a == axis else 0 for a in range(x.ndim)]
    return _slice(x, begin, [stop - start if a == axis else n for a, n in enumerate(x.shape)])


def enlarge(x: Tensor, factor: int, axis: int, interpolation: str = "nearest") -> Tensor:
    """`x` with `factor` elements for each one along `axis`; bilinear takes them from between it and its neighbours."""
    if interpolation == "nearest" or factor == 1:
        return repeat(x, factor, axis)
    n = x.shape[axis]
    before = concatenate([_along(x, axis, 0, 1), _along(x, axis, 0, n - 1)], axis)
    after = concatenate([_along(x, axis, 1, n), _along(x, axis, n - 1, n)], axis)
    parts = []
    for phase in range(factor):
        shift = (phase + 0.5) / factor - 0.5           # of the centre of a new cell from that of the old one
        parts.append(x * (1 - abs(shift)) + (before if shift < 0 else after) * abs(shift))
    joined = stack(parts, axis + 1)
    return reshape(joined, [n * factor if a == axis else m for a, m in enumerate(x.shape)])


def _resize_axis(x: Tensor, size: int, axis: int, interpolation: str) -> Tensor:
    n = x.shape[axis]
    if n == size:
        return x
    if size % n == 0:
        return enlarge(x, size // n, axis, interpolation)
    centre = (np.arange(size) + 0.5) * (n / size)
    if interpolation == "nearest":
        return take(x, np.minimum(np.floor(centre), n - 1).astype(np.int32), axis)
    place = np.clip(centre - 0.5, 0, n - 1)
    low = np.floor(place).astype(np.int32)
    share = (place - low).astype(np.float32).reshape([size if a == axis else 1 for a in range(x.ndim)])
    return take(x, low, axis) * (1 - share) + take(x, np.minimum(low + 1, n - 1), axis) * share


def _centre(x: Tensor, height: int, width: int) -> Tensor:
    """The middle of the images, of the proportions `height` to `width`."""
    h, w = x.shape[1:3]
    new = max(min(h, int(w * height / width)), 1), max(min(w, int(h * width / height)), 1)
    start = (0, int((h - new[0]) / 2), int((w - new[1]) / 2), 0)
    return _slice(x, start, (x.shape[0], *new, x.shape[3]))


def _surrounded(x: Tensor, height: int, width: int, fill_value: float) -> Tensor:
    """The images with a border that gives them the proportions `height` to `width`."""
    h, w = x.shape[1:3]
    top = int((max(h, int(w * height / width)) - h) / 2)
    left = int((max(w, int(h * width / height)) - w) / 2)
    return pad(x, ((0, 0), (top, top), (left, left), (0, 0)), constant_values=fill_value)


def _resized(x: np.ndarray, size: tuple[int, int], interpolation: str = "bilinear") -> np.ndarray:
    """The same in numpy."""
    for axis, count in zip((-3, -2), size):
        n = x.shape[axis]
        centre = (np.arange(count) + 0.5) * n / count
        if interpolation == "nearest":
            x = np.take(x, centre.astype(int), axis)
        else:
            shares = np.stack([np.interp(centre - 0.5, np.arange(n), cell) for cell in np.eye(n)])
            x = np.moveaxis(np.tensordot(x, shares, (axis, 0)), -1, axis)
    return x


@op(
    like=_resized,
    samples=[sample(draw(2, 3, 4, 2), (6, 8)), sample(draw(1, 4, 4, 1), (3, 7)), sample(draw(3, 5, 2), (6, 4), interpolation="nearest")],
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
    """Images in another size; cells have their values in the middle, as in Keras.

    Args:
        images: `(batch, height, width, channels)`, or one image without the batch.
        size: New height and width.
        interpolation: `"bilinear"` or `"nearest"`.
        antialias: Only False is supported.
        crop_to_aspect_ratio: Take only the middle of the images, so that nothing is distorted.
        pad_to_aspect_ratio: Add borders instead.
        fill_mode: Only `"constant"`.
        fill_value: Value of these borders.
        data_format: None or `"channels_last"`.

    Returns:
        float32 `(batch, *size, channels)`.

    Raises:
        ValueError: An argument is not supported, or `size` is not a pair.
        ShapeError: `images` has neither three nor four axes.

    Example:
        >>> pyml.ops.image.resize(np.ones((1, 4, 4, 3)), (8, 6)).shape
        (1, 8, 6, 3)
    """
    interpolation = check_interpolation(interpolation, "resize")
    if antialias or fill_mode != "constant" or data_format not in (None, "channels_last"):
        raise ValueError(
            "resize: only antialias=False, fill_mode='constant' and data_format='channels_last' are supported. Received: "
            f"antialias={antialias}, fill_mode={fill_mode!r}, data_format={data_format!r}"
        )
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ValueError("resize: only one of crop_to_aspect_ratio and pad_to_aspect_ratio may be True.")
    height, width = (int(n) for n in size)
    x = Tensor(prims.cast(as_node(images), dtype="float32"))
    if x.ndim not in (3, 4):
        raise ShapeError(f"resize: expected (batch, height, width, channels) or one image. Received: {x.shape}")
    single = x.ndim == 3
    if single:
        x = expand_dims(x, 0)
    if crop_to_aspect_ratio:
        x = _centre(x, height, width)
    if pad_to_aspect_ratio:
        x = _surrounded(x, height, width, fill_value)
    y = _resize_axis(_resize_axis(x, height, 1, interpolation), width, 2, interpolation)
    return reshape(y, y.shape[1:]) if single else y
