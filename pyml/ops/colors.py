"""Colours of images: gray, and hue, saturation and value."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.tensor import Tensor, as_node
from ..core.types import TensorLike
from ..dtypes import is_float
from ..errors import ShapeError
from ..graph import prims
from .arithmetic import clip, maximum, minimum
from .core import cast
from .declare import draw, op, sample
from .elementary import floor
from .indexing import get_item
from .joining import stack
from .layout import check_rank, data_format_of
from .logic import equal, greater, less, where
from .shaping import broadcast_to, expand_dims, reshape

__all__ = ["hsv_to_rgb", "rgb_to_grayscale", "rgb_to_hsv"]


def _channel_axis(images: Tensor, data_format: str | None, what: str, counts: tuple[int, ...]) -> int:
    check_rank(images.shape, what)
    axis = -1 if data_format_of(data_format, what) == "channels_last" else -3
    if images.shape[axis] not in counts:
        wanted = " or ".join(map(str, counts))
        raise ShapeError(f"{what}: expected {wanted} channels on axis {axis}. Received: images of shape {images.shape}")
    return axis


def _planes(images: Tensor, axis: int) -> list[Tensor]:
    rest = (slice(None),) * (-1 - axis)
    return [get_item(images, (Ellipsis, i, *rest)) for i in range(3)]


def _parts(red: Tensor, green: Tensor, blue: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue, saturation and value."""
    red, green, blue = (where(less(abs(plane), float(np.finfo(np.float32).eps)), 0.0, plane) for plane in (red, green, blue))
    value = maximum(maximum(red, green), blue)
    spread = value - minimum(minimum(red, green), blue)
    colored = greater(spread, 0.0)
    bright = greater(value, 0.0)
    saturation = where(bright, spread / where(bright, value, 1.0), 0.0)
    sixth = 1.0 / (where(colored, spread, 1.0) * 6.0)
    hue = where(equal(value, green), sixth * (blue - red) + 2 / 6, sixth * (red - green) + 4 / 6)
    hue = where(equal(value, red), sixth * (green - blue), hue)
    return where(colored, hue, 0.0) + cast(less(hue, 0.0), "float32"), saturation, value


def _mixed(hue: Tensor, saturation: Tensor, value: Tensor, axis: int) -> Tensor:
    """Red, green and blue along `axis`, which has one element or three equal ones."""
    turn = (hue - floor(hue)) * 6.0  # as the remainder, for 0.8 of RandomHue's time in wasmtime
    middle = reshape(Tensor(prims.iota(3, "float32")) * 2.0, (3,) + (1,) * (-1 - axis))  # where green and blue are full; red is not, at 3
    share = where(equal(middle, 0.0), abs(turn - 3.0) - 1.0, 2.0 - abs(turn - middle))
    return value * (1.0 - saturation + saturation * clip(share, 0.0, 1.0))


def recolored(
    images: TensorLike, change: Callable[..., tuple[Any, Any, Any]], data_format: str | None, what: str,
    light: Callable[[Tensor, int], Any],
) -> Tensor:
    """Images whose hue, saturation and value, `(batch, height, width, 3)` each, are what `change` makes of them: one pass.

    Each channel computes those of its pixel for itself, which is less than bringing them to memory and back; `light` says what it
    computes of red, green and blue before, planes of the same shape with the numbers 0 to 2.
    """
    x = _of_floats(images, what)
    axis = _channel_axis(x, data_format, what, (3,))
    planes = (light(broadcast_to(expand_dims(plane, axis), x.shape), i) for i, plane in enumerate(_planes(x, axis)))
    hue, saturation, value = change(*_parts(*planes))
    return _mixed(hue, saturation, value, axis)


def _of_floats(images: TensorLike, what: str) -> Tensor:
    node = as_node(images)
    if not is_float(node.dtype):
        raise ValueError(f"{what}: expected images of floats, from 0 to 1. Received: images of dtype {node.dtype}; divide them by 255.")
    return Tensor(node)


@op(
    like=lambda x, **_: (x * [0.2989, 0.587, 0.114]).sum(-1, keepdims=True) if x.shape[-1] == 3 else x,
    samples=[sample(draw(2, 3, 4, 3, low=0, high=1)), sample(draw(3, 4, 3)), sample(draw(3, 4, 1))],
)
def rgb_to_grayscale(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Images in gray: `0.2989 red + 0.587 green + 0.114 blue`.

    Args:
        images: `(batch, height, width, 3)` or one image; those of one channel stay as they are.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        The same with one channel, in the dtype of `images`; for integers the fraction is dropped.

    Raises:
        ShapeError: There are neither 3 nor 1 channels, or neither 3 nor 4 axes.
        ValueError: `data_format` is neither of its words.

    Source: ITU-R BT.601.

    Example:
        >>> pyml.ops.image.rgb_to_grayscale([[[1., 0., 0.], [1., 1., 1.]]]).numpy().round(4)
        array([[[0.2989],
                [0.9999]]], dtype=float32)
    """
    x = Tensor(as_node(images))
    axis = _channel_axis(x, data_format, "rgb_to_grayscale", (3, 1))
    if x.shape[axis] == 1:
        return x
    red, green, blue = (cast(plane, "float32") for plane in _planes(x, axis))
    return cast(expand_dims(red * 0.2989 + green * 0.587 + blue * 0.114, axis), x.dtype)


def _by_pixel(convert: Callable[..., Any]) -> Callable[..., np.ndarray]:
    """A function of one pixel for arrays of them: numpy's part in the tests of this file."""
    return lambda x, **_: np.array([convert(*pixel) for pixel in x.reshape(-1, 3)]).reshape(x.shape)


@op(
    like=_by_pixel(colorsys.rgb_to_hsv),
    samples=[sample(draw(2, 3, 4, 3, low=0.05, high=1)), sample(draw(2, 4, 3, low=0.05, high=1), data_format="channels_last")],
)
def rgb_to_hsv(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Red, green and blue as hue, saturation and value.

    Args:
        images: float `(batch, height, width, 3)` or one image, from 0 to 1.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        The shape and dtype of `images`; all from 0 to 1, the hue of gray is 0.

    Raises:
        ValueError: The images are not floats.
        ShapeError: There are not 3 channels, or neither 3 nor 4 axes.

    Source: Smith 1978, "Color Gamut Transform Pairs".

    Example:
        >>> pyml.ops.image.rgb_to_hsv([[[0., 1., 0.], [0.5, 0.5, 0.5]]]).numpy().round(4)
        array([[[0.3333, 1.    , 1.    ],
                [0.    , 0.    , 0.5   ]]], dtype=float32)
    """
    x = _of_floats(images, "rgb_to_hsv")
    axis = _channel_axis(x, data_format, "rgb_to_hsv", (3,))
    return stack(_parts(*_planes(x, axis)), axis)


@op(
    like=_by_pixel(colorsys.hsv_to_rgb),
    samples=[sample(draw(2, 3, 4, 3, low=0.05, high=0.95)), sample(draw(2, 4, 3, low=0.05, high=0.95), data_format="channels_last")],
)
def hsv_to_rgb(images: TensorLike, data_format: str | None = None) -> Tensor:
    """Hue, saturation and value as red, green and blue: `rgb_to_hsv` undone.

    Args:
        images: float `(batch, height, width, 3)` or one image; hues repeat with period 1.
        data_format: `"channels_last"` (None) or `"channels_first"`.

    Returns:
        The shape and dtype of `images`.

    Raises:
        ValueError: The images are not floats.
        ShapeError: There are not 3 channels, or neither 3 nor 4 axes.

    Source: Smith 1978, "Color Gamut Transform Pairs".

    Example:
        >>> pyml.ops.image.hsv_to_rgb([[[0.5, 1., 1.], [0., 0., 0.5]]]).numpy()
        array([[[0. , 1. , 1. ],
                [0.5, 0.5, 0.5]]], dtype=float32)
    """
    x = _of_floats(images, "hsv_to_rgb")
    axis = _channel_axis(x, data_format, "hsv_to_rgb", (3,))
    hue, saturation, value = (expand_dims(plane, axis) for plane in _planes(x, axis))
    return _mixed(hue, saturation, value, axis)
