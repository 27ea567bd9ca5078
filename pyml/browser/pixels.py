"""Pictures as tensors and tensors as pictures, in a page and on the desktop."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml.core import Tensor, Variable, convert_to_tensor
from pyml.errors import DtypeError, ShapeError


def from_pixels(source: Any, num_channels: int = 3) -> Tensor:
    """The pixels of a picture as an int32 tensor of values from 0 to 255.

    Args:
        source: In a page an `ImageData`, `<canvas>`, `OffscreenCanvas`, `ImageBitmap`, `<img>`, `<video>` or
            `VideoFrame`; a worker has no elements, but all the others. Everywhere a uint8 array `(height, width)`,
            `(height, width, 1)`, `(height, width, 3)` or `(height, width, 4)`, or a Pillow image.
        num_channels: How many of red, green, blue and alpha to keep, 1 to 4.

    Returns:
        int32 `(height, width, num_channels)`. Colours are not multiplied by alpha. An `<img>` has the size of its
        element, as in TensorFlow.js; a `<video>` gives the frame that it shows.

    Raises:
        ShapeError: The picture has no pixels, or an array has another shape.
        DtypeError: An array is not uint8.
        TypeError: `source` is not a picture.
        ValueError: `num_channels` is not 1 to 4, or the picture has not been loaded yet.
        PermissionError: The picture comes from another site that does not allow it to be read.

    Source: TensorFlow.js `tf.browser.fromPixels`.

    Example:
        >>> pyml.browser.from_pixels(np.zeros((2, 3), "uint8")).shape
        (2, 3, 3)
    """
    if isinstance(num_channels, bool) or not isinstance(num_channels, (int, np.integer)) or not 1 <= num_channels <= 4:
        raise ValueError(f"from_pixels: num_channels must be 1, 2, 3 or 4. Received: num_channels={num_channels!r}")
    return picture_tensor(source, int(num_channels))


def picture_tensor(source: Any, channels: int, dtype: str = "int32", opaque: bool = False) -> Tensor:
    """`from_pixels` for callers who know more: the numbers as `"float32"`, or that no pixel is transparent."""
    if hasattr(source, "js_id"):
        from pyml.browser.page import page_picture

        return page_picture(source, channels, dtype, opaque)
    pixels = _rgba(source)
    if pixels.size == 0:
        height, width = pixels.shape[:2]
        raise ShapeError(f"from_pixels: the picture has no pixels: it is {width} wide and {height} high.")
    return convert_to_tensor(pixels[..., :channels].astype(dtype))


def _rgba(source: Any) -> np.ndarray:
    """The pixels of an array or a Pillow image as uint8 `(height, width, 4)`."""
    if isinstance(source, np.ndarray):
        return _of_array(source)
    if hasattr(source, "convert") and hasattr(source, "getbands"):  # a Pillow image
        return np.asarray(source.convert("RGBA"))
    if isinstance(source, (Tensor, Variable)):
        raise TypeError("from_pixels: the source is a tensor already; expected a picture.")
    raise TypeError(
        "from_pixels: expected a picture: an image, canvas, video, ImageBitmap, ImageData or VideoFrame of the page, "
        f"a uint8 array, or a Pillow image. Received a {type(source).__name__}."
    )


def _of_array(array: np.ndarray) -> np.ndarray:
    """A uint8 array as pixels `(height, width, 4)`."""
    if array.dtype != np.uint8:
        raise DtypeError(
            f"from_pixels: an array of pixels must be uint8, with values from 0 to 255. Received {array.dtype}; "
            "for values from 0 to 1 write (255 * x).astype('uint8')."
        )
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[-1] not in (1, 3, 4):
        raise ShapeError(
            "from_pixels: an array of pixels must have the shape (height, width), or (height, width, channels) with 1, 3 or 4 "
            f"channels. Received {array.shape}."
        )
    pixels = np.full((*array.shape[:2], 4), 255, np.uint8)
    pixels[..., : max(array.shape[-1], 3)] = array      # one channel becomes three equal ones
    return pixels


def to_pixels(image: Any, canvas: Any = None) -> np.ndarray:
    """A tensor as the bytes of a picture, drawn on a canvas where one is given; waits for the tensor.

    Args:
        image: `(height, width)`, `(height, width, 1)`, `(height, width, 3)` or `(height, width, 4)`; float32 from 0
            to 1, or integers from 0 to 255. One channel is shown as grey.
        canvas: A `<canvas>` or `OffscreenCanvas` of the page; it takes the size of the picture.

    Returns:
        uint8 `(height, width, 4)`: red, green, blue and alpha.

    Raises:
        ShapeError: `image` has another shape, or no pixels.
        DtypeError: `image` holds something other than floats or integers.
        ValueError: A value lies outside the range; nothing is drawn.
        TypeError: `canvas` is not a canvas.
        SyncReadError: This browser cannot wait; write `await to_pixels_async(image, canvas)`.

    Source: TensorFlow.js `tf.browser.toPixels`.

    Example:
        >>> pyml.browser.to_pixels(np.array([[0.0, 1.0]]))[0].tolist()
        [[0, 0, 0, 255], [255, 255, 255, 255]]
    """
    check_image(image, canvas, "to_pixels")
    return _drawn(np.asarray(image.numpy() if isinstance(image, (Tensor, Variable)) else image), canvas)


async def to_pixels_async(image: Any, canvas: Any = None) -> np.ndarray:
    """`to_pixels` that lets the event loop run while it waits; works in every browser.

    Args:
        image: A picture, as `to_pixels` takes it.
        canvas: A canvas of the page that it is drawn on; None only returns the pixels.
    """
    check_image(image, canvas, "to_pixels")
    return _drawn(np.asarray(await image.data() if isinstance(image, (Tensor, Variable)) else image), canvas)


def check_image(image: Any, canvas: Any, what: str) -> None:
    """Refuses what is wrong before anything is read; `what` is the caller's name."""
    if not hasattr(image, "shape"):
        image = np.asarray(image)
    shape = tuple(image.shape)
    if len(shape) not in (2, 3) or (len(shape) == 3 and shape[2] not in (1, 3, 4)):
        raise ShapeError(
            f"{what}: the image must have the shape (height, width), or (height, width, channels) with 1, 3 or 4 channels. "
            f"Received {shape}."
        )
    if 0 in shape:
        raise ShapeError(f"{what}: the image has no pixels; its shape is {shape}.")
    if np.dtype(image.dtype).kind not in "fiu":
        raise DtypeError(f"{what}: the image must hold floats from 0 to 1 or integers from 0 to 255. Received {image.dtype}.")
    if canvas is not None:
        if not hasattr(canvas, "js_id"):
            raise TypeError(f"{what}: expected a canvas of the page. Received a {type(canvas).__name__}.")
        from pyml.browser.page import check_canvas

        check_canvas(canvas, what)


def _drawn(values: Any, canvas: Any) -> Any:
    pixels = bytes_of(values, "to_pixels")
    if canvas is not None:
        from pyml.browser.page import draw_pixels

        draw_pixels(canvas, pixels, "to_pixels")
    return pixels


def bytes_of(values: np.ndarray, what: str) -> np.ndarray:
    """An image's values as uint8 `(height, width, 4)`; see `to_pixels`."""
    floats = values.dtype.kind == "f"
    low, high = values.min(), values.max()
    most = 1 if floats else 255
    if not (low >= 0 and high <= most):                # also of NaN
        kind = "floats from 0 to 1" if floats else "integers from 0 to 255"
        raise ValueError(f"{what}: the image must hold {kind}. Received values from {low} to {high}.")
    if floats:
        values = np.floor(values.astype(np.float64) * 255 + 0.5)
    return _of_array(values.astype(np.uint8))
