"""Pictures of any kind as float32 tensors of values from 0 to 255, cut and resized on the device."""

from __future__ import annotations

import functools
import math
import operator
import os
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import pyml
from pyml import ops
from pyml.browser import from_pixels
from pyml.core import Tensor, Variable, convert_to_tensor
from pyml.errors import ShapeError, to_install


def pixels(image: Any, what: str) -> Tensor:
    """A picture as a tensor `(height, width, 3)`, or pictures as `(batch, height, width, 3)`.

    Args:
        image: What `pyml.browser.from_pixels` takes; a path, on a desktop with Pillow; or a tensor or array
            `(height, width, 3)` or `(batch, height, width, 3)` of values from 0 to 255. Alpha is left out.
        what: The caller's name, for errors.

    Raises:
        ShapeError: The shape is not that of pictures, or there are no pixels.
        ValueError: An array holds floats from 0 to 1.
        FileNotFoundError: There is no file at the path.
    """
    if isinstance(image, (str, os.PathLike)):
        image = open_picture(image, what)
    if isinstance(image, (list, tuple)):
        image = np.asarray(image)
    if isinstance(image, np.ndarray) and image.ndim <= 3 and image.dtype == np.uint8:
        image = from_pixels(image)
    elif isinstance(image, np.ndarray):
        _check_range(image, what)
        image = convert_to_tensor(image)
    elif isinstance(image, Variable):
        image = convert_to_tensor(image)
    elif not isinstance(image, Tensor):
        image = from_pixels(image)
    if image.ndim not in (3, 4) or image.shape[-1] != 3 or 0 in image.shape:
        raise ShapeError(
            f"{what}: expected a picture (height, width, 3), or several (batch, height, width, 3), none of size 0. "
            f"Received: {image.shape}"
        )
    return image


class PerShape:
    """A function of a picture, as a Program for each shape of pictures that comes; the last eight are kept.

    Live video has one shape, so its frames replay one Program; the photos of a user all have different ones.
    """

    def __init__(self, function: Callable):
        self.function = function
        self.programs: dict[tuple, Callable] = {}

    def __call__(self, image: Tensor, *options: Any) -> Any:
        key = (image.shape, image.dtype, options)
        program = self.programs.pop(key, None) or pyml.program(lambda x: self.function(ops.cast(x, "float32"), *options))
        self.programs[key] = program                   # the last used is the last in the dict
        if len(self.programs) > 8:
            del self.programs[next(iter(self.programs))]
        return program(image)


class Stream:
    """Preparation and a network: two Programs, and one for pictures of a shape that keeps coming, as in live video.

    On WebGPU one Program is one call into JavaScript; elsewhere there is nothing to gain, and it is compiled again.
    """

    AFTER = 4  # so many pictures of a shape in a row are not photos of all sizes

    def __init__(self, prepare: PerShape, network: Callable[[Tensor], Tensor]):
        alone = lambda rows, image: rows[0] if image.ndim == 3 else rows
        self._prepare = prepare
        self._network = {3: pyml.program(lambda x: network(x)[0]), 4: pyml.program(network)}
        self._whole = PerShape(lambda image, *options: alone(network(prepare.function(image, *options)), image))
        self._last: tuple | None = None
        self._count = 0

    def __call__(self, image: Tensor, *options: Any) -> Tensor:
        """What the network makes of pictures, one row each; of a single picture, its row."""
        key = (image.shape, image.dtype, options)
        self._count = self._count + 1 if key == self._last else 1
        self._last = key
        if self._count > self.AFTER and pyml.config.get_backend() == "webgpu":
            return self._whole(image, *options)
        return self._network[image.ndim](self._prepare(image, *options))


def open_picture(path: Any, what: str) -> Any:
    """A picture file as a Pillow image, turned as the camera says."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ImportError(f"{what}: reading {os.fspath(path)} needs Pillow; `{to_install('pillow')}`, or pass an array.") from None
    with Image.open(path) as file:
        return ImageOps.exif_transpose(file).convert("RGB")


def _check_range(array: np.ndarray, what: str) -> None:
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{what}: expected numbers from 0 to 255. Received an array of {array.dtype}.")
    if array.dtype.kind == "f" and array.size and 0 < array.max() <= 1:
        raise ValueError(f"{what}: expected values from 0 to 255; the largest is {array.max():.3g}. Multiply by 255.")


def cropped(image: Tensor) -> Tensor:
    """The largest square in the middle of pictures."""
    height, width = image.shape[-3:-1]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[..., top : top + side, left : left + side, :]


def resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures of another size, smoothed where they shrink: each new pixel is a weighted mean under a triangle.

    Args:
        image: float32 `(…, height, width, channels)`.
        size: `(height, width)`.

    Source: the "antialias" of tf.image.resize and Pillow's BILINEAR.
    """
    for axis, count in ((-3, size[0]), (-2, size[1])):
        if image.shape[axis] != count:
            image = _along(image, image.ndim + axis, count)
    return image


def _along(image: Tensor, axis: int, count: int) -> Tensor:
    places, weights = taps(image.shape[axis], count)
    shape = [count if i == axis else 1 for i in range(image.ndim)]
    parts = [
        ops.take(image, place, axis=axis) * ops.reshape(convert_to_tensor(weight), shape)
        for place, weight in zip(places, weights, strict=True)
    ]
    return functools.reduce(operator.add, parts)


@functools.lru_cache(maxsize=64)
def taps(size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """For each of `count` new pixels, which of `size` old ones are summed with which weights: two `(taps, count)`."""
    scale = size / count
    reach = max(scale, 1.0)                            # half the width of the triangle
    centres = (np.arange(count) + 0.5) * scale
    most = 2 * math.ceil(reach) + 1
    places = np.floor(centres - reach).astype(int) + np.arange(most)[:, None]
    weights = np.maximum(0, 1 - np.abs((places + 0.5 - centres) / reach))
    weights[(places < 0) | (places >= size)] = 0
    used = weights.any(axis=1)
    weights, places = weights[used] / weights[used].sum(0), np.clip(places[used], 0, size - 1)
    return places.astype(np.int32), weights.astype(np.float32)


class Fit(NamedTuple):
    """How a picture of some size is scaled to fit into a square, with black around it, and how to go back."""

    size: int
    height: int
    width: int

    @property
    def scale(self) -> float:
        return self.size / max(self.height, self.width)

    @property
    def inside(self) -> tuple[int, int]:
        """The height and width that the picture gets."""
        return max(1, round(self.height * self.scale)), max(1, round(self.width * self.scale))

    @property
    def corner(self) -> tuple[int, int]:
        """Where in the square the picture begins: rows above it, columns before it."""
        rows, columns = self.inside
        return (self.size - rows) // 2, (self.size - columns) // 2

    def square(self, image: Tensor) -> Tensor:
        """The picture in its square, float32 `(size, size, channels)`."""
        (rows, columns), (top, left) = self.inside, self.corner
        inside = resized(image, (rows, columns))
        if (rows, columns) == (self.size, self.size):
            return inside
        return ops.pad(inside, [(top, self.size - rows - top), (left, self.size - columns - left), (0, 0)])

    def back(self, x: float, y: float) -> tuple[float, float]:
        """The place in the picture of a place in the square."""
        top, left = self.corner
        return (x - left) / self.scale, (y - top) / self.scale
