"""The browser's half of `from_pixels`, `to_pixels` and `draw`: the pixels of the page's objects.

On a GPU no picture passes through Python. What is opaque is copied on the GPU (`straight` of web/pixels.js); everything else is drawn
on one canvas kept for reading, which stays in main memory, and its bytes go to the device from JavaScript. Both give the
same numbers. The other devices take those bytes as an array.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from pyml.core import pictures
from pyml.core.tensor import Tensor, convert_to_tensor
from pyml.errors import ShapeError
from pyml.scripts import text_of


@cache
def _script() -> Any:
    from pyodide.code import run_js

    return run_js(text_of("pixels.js"))


def page_picture(source: Any, channels: int, dtype: str, opaque: bool) -> Tensor:
    """The first channels of a JavaScript object's pixels, `(height, width, channels)`; see `from_pixels`.

    Args:
        dtype: `"int32"` or `"float32"`.
        opaque: The caller knows that the picture has no transparent pixels.
    """
    script, on_gpu = _script(), pictures.copied_on_gpu()
    if on_gpu:
        found = script.straight(source, opaque)
        if found is not None:
            tensor = pictures.unpack(found.source, int(found.width), int(found.height), channels, dtype)
            if tensor is not None:
                return tensor
    found = script.read(source)
    failed = getattr(found, "failed", None)
    if failed is not None:
        raise _refusal(failed, found.more)
    width, height, data = int(found.width), int(found.height), found.data
    if data.length != 4 * width * height or data.BYTES_PER_ELEMENT != 1:
        raise ShapeError(
            f"from_pixels: a picture of {width}x{height} needs {4 * width * height} bytes, four for each pixel. "
            f"Received {data.length} values of {data.BYTES_PER_ELEMENT} bytes."
        )
    if on_gpu and (tensor := pictures.unpack(data, width, height, channels, dtype)) is not None:
        return tensor
    pixels = np.empty((height, width, 4), np.uint8)
    data.assign_to(pixels.reshape(-1))
    return convert_to_tensor(pixels[..., :channels].astype(dtype))


def _refusal(failed: str, more: str) -> Exception:
    """The exception for a picture that the page could not read."""
    if failed == "tainted":
        return PermissionError(
            "from_pixels: the picture comes from another site that does not allow it to be read; load it with "
            "crossorigin=\"anonymous\" from a server that sends Access-Control-Allow-Origin."
        )
    if failed == "empty":
        return ShapeError(f"from_pixels: the picture has no pixels: its size is {more}.")
    if failed == "kind":
        return TypeError(
            "from_pixels: expected an image, canvas, video, ImageBitmap, ImageData or VideoFrame of the page. "
            f"Received a JavaScript {more}."
        )
    return ValueError({
        "closed": "from_pixels: the picture was closed, or sent away, and has no pixels any more.",
        "video": "from_pixels: the video has no frame yet; wait for its 'loadeddata' event.",
        "image": "from_pixels: the image could not be loaded." if more == "broken" else
                 "from_pixels: the image is still loading; wait with `await image.decode()`.",
    }.get(failed, f"from_pixels: the browser could not read the picture: {more}"))


def check_canvas(canvas: Any, what: str) -> None:
    """Raises TypeError unless `canvas` is one; `what` is the caller's name."""
    if not _script().isCanvas(canvas):
        name = getattr(getattr(canvas, "constructor", None), "name", "object")
        raise TypeError(f"{what}: expected a canvas of the page. Received a JavaScript {name}.")


def draw_pixels(canvas: Any, pixels: np.ndarray, what: str, attributes: dict | None = None) -> None:
    """Puts uint8 pixels `(height, width, 4)` on a canvas, which takes their size.

    Args:
        what: The caller's name, for errors.
        attributes: Of the canvas's 2-D context, if it has none yet.
    """
    from js import Object
    from pyodide.ffi import to_js

    height, width = pixels.shape[:2]
    given = to_js(attributes or {}, dict_converter=Object.fromEntries)
    problem = _script().draw(canvas, to_js(np.ascontiguousarray(pixels).reshape(-1).data), width, height, given)
    if problem:
        raise ValueError(f"{what}: the canvas cannot be drawn on: {problem}")


async def next_frame() -> None:
    """What `pyml.browser.next_frame` does in a page."""
    await _script().frame()
