"""Pictures and arrays: `load_img`, `save_img` and what lies between. Pillow is needed for the files only."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pyml import ops
from pyml.atomic import write
from pyml.core.types import TensorLike
from pyml.errors import ShapeError, to_install
from pyml.settings import host_floatx, standardize_data_format
from pyml.tracebacks import warn

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]

_FILTERS = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_MODES = {"grayscale": ("L", "I;16", "I"), "rgb": ("RGB",), "rgba": ("RGBA",)}


def _pillow(what: str) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(f"{what}: pictures need Pillow: {to_install('pillow')}.") from None
    return Image


def array_to_img(x: TensorLike, data_format: str | None = None, scale: bool = True, dtype: str | None = None) -> Any:
    """An array as a picture of Pillow.

    Args:
        x: `(height, width, channels)` of 1, 3 or 4 channels.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        scale: Bring the least and largest values to 0 and 255; else they are taken as they are.
        dtype: To compute in, by default float32.

    Returns:
        A `PIL.Image.Image` of mode L (or I, of numbers above 255), RGB or RGBA.

    Raises:
        ImportError: Pillow is not installed.
        ShapeError: `x` is not an image.

    Example:
        >>> pyml.utils.array_to_img(np.arange(12).reshape(2, 2, 3))    # doctest: +SKIP
        <PIL.Image.Image image mode=RGB size=2x2>
    """
    layout, image = standardize_data_format(data_format, "array_to_img"), _pillow("array_to_img")
    pixels = np.array(x, dtype=dtype or "float32")
    if pixels.ndim != 3:
        raise ShapeError(f"array_to_img: expected one image, 3 axes. Received: an array of shape {pixels.shape}")
    pixels = pixels.transpose(1, 2, 0) if layout == "channels_first" else pixels
    if pixels.shape[2] not in (1, 3, 4):
        raise ShapeError(f"array_to_img: expected 1, 3 or 4 channels. Received: {pixels.shape[2]}")
    if scale:
        pixels = pixels - pixels.min()
        most = pixels.max()
        pixels = pixels / (most if most != 0 else 1) * 255
    if pixels.shape[2] > 1:
        return image.fromarray(pixels.astype(np.uint8))
    return image.fromarray(pixels[:, :, 0].astype(np.int32 if pixels.max() > 255 else np.uint8))


def img_to_array(img: Any, data_format: str | None = None, dtype: str | None = None) -> np.ndarray:
    """A picture of Pillow as a numpy array.

    Args:
        img: A picture, or an array of two or three axes.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        dtype: By default floatx, in the place of bfloat16 float32.

    Returns:
        `(height, width, channels)`, or with the channels first.

    Raises:
        ShapeError: It is not a picture.

    Example:
        >>> pyml.utils.img_to_array(np.zeros((4, 5))).shape
        (4, 5, 1)
    """
    layout = standardize_data_format(data_format, "img_to_array")
    pixels = np.asarray(img, dtype=dtype or host_floatx())
    if pixels.ndim not in (2, 3):
        raise ShapeError(f"img_to_array: expected a picture, 2 or 3 axes. Received: shape {pixels.shape}")
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    return pixels.transpose(2, 0, 1) if layout == "channels_first" else pixels


def save_img(
    path: Any, x: TensorLike, data_format: str | None = None, file_format: str | None = None, scale: bool = True, **kwargs: Any
) -> None:
    """Writes an array as a picture.

    Args:
        path: A path, or an open binary file.
        x: `(height, width, channels)` of 1, 3 or 4 channels.
        data_format: `"channels_last"` or `"channels_first"`; by default that of the configuration.
        file_format: `"png"`, `"jpeg"`, ...; by default what the path ends with.
        scale: Bring the least and largest values to 0 and 255.
        **kwargs: For `PIL.Image.Image.save`.

    Raises:
        ImportError: Pillow is not installed.
        ShapeError: `x` is not an image.

    Example:
        >>> pyml.utils.save_img("picture.png", np.zeros((4, 5, 3)))    # doctest: +SKIP
    """
    if file_format is None and isinstance(path, (str, Path)):
        file_format = Path(path).suffix[1:]
    file_format = file_format.lower() if file_format else None
    file_format = "jpeg" if file_format == "jpg" else file_format
    picture = array_to_img(x, data_format, scale)
    if picture.mode == "RGBA" and file_format == "jpeg":
        warn("save_img: JPEG has no transparency; the picture is saved as RGB.")
        picture = picture.convert("RGB")
    if not isinstance(path, (str, os.PathLike)):
        return picture.save(path, format=file_format, **kwargs)
    made = io.BytesIO()
    made.name = os.fspath(path)  # type: ignore[attr-defined]  # its ending says the format where nothing else does
    picture.save(made, format=file_format, **kwargs)
    write(path, made.getvalue())


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Sequence[int] | None = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """Reads a picture from a file.

    Args:
        path: A path, or an `io.BytesIO`.
        color_mode: `"rgb"`, `"rgba"` or `"grayscale"`.
        target_size: Height and width to bring it to.
        interpolation: `"nearest"`, `"bilinear"`, `"bicubic"`, `"hamming"`, `"box"` or `"lanczos"`.
        keep_aspect_ratio: Take only the middle, so that nothing is distorted.

    Returns:
        A `PIL.Image.Image`.

    Raises:
        ImportError: Pillow is not installed.
        TypeError: `path` is neither a path nor a file in memory.
        ValueError: An argument is unknown.

    Example:
        >>> image = pyml.utils.load_img("picture.png", target_size=(32, 32))    # doctest: +SKIP
    """
    image = _pillow("load_img")
    if color_mode not in _MODES:
        raise ValueError(f"load_img: color_mode must be 'grayscale', 'rgb' or 'rgba'. Received: color_mode={color_mode!r}")
    if interpolation not in _FILTERS:
        raise ValueError(f"load_img: interpolation must be one of {', '.join(map(repr, _FILTERS))}. Received: {interpolation!r}")
    if isinstance(path, io.BytesIO):
        picture = image.open(path)
    elif isinstance(path, (str, bytes, os.PathLike)):
        picture = image.open(io.BytesIO(Path(os.fsdecode(path)).read_bytes()))
    else:
        raise TypeError(f"load_img: path must be a path or an io.BytesIO. Received: {type(path).__name__}")
    if picture.mode not in _MODES[color_mode]:
        picture = picture.convert(_MODES[color_mode][0])
    if target_size is None or picture.size == (target_size[1], target_size[0]):
        return picture
    height, width = target_size
    box = None
    if keep_aspect_ratio:
        across, down = min(picture.width, picture.height * width // height), min(picture.height, picture.width * height // width)
        left, top = (picture.width - across) // 2, (picture.height - down) // 2
        box = (left, top, left + across, top + down)
    return picture.resize((width, height), getattr(image.Resampling, interpolation.upper()), box=box)


def smart_resize(
    x: TensorLike, size: Sequence[int], interpolation: str = "bilinear", data_format: str = "channels_last", **kwargs: Any
) -> Any:
    """Images in another size, without distortion: what does not fit its proportions is cut off around the middle.

    Args:
        x: `(batch, height, width, channels)` or one image.
        size: New height and width.
        interpolation, data_format: As for `ops.image.resize`.

    Returns:
        A numpy array for one, else a tensor.

    Raises:
        TypeError: Another argument is given.
        ShapeError: `x` has neither 3 nor 4 axes.

    Example:
        >>> pyml.preprocessing.image.smart_resize(np.ones((6, 8, 3)), (3, 3)).shape
        (3, 3, 3)
    """
    kwargs.pop("backend_module", None)
    if kwargs:
        raise TypeError(f"smart_resize: arguments not recognized: {', '.join(map(repr, kwargs))}")
    found = ops.image.resize(x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format)
    return found.numpy() if isinstance(x, np.ndarray) else found
