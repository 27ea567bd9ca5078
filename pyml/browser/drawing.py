"""`draw`: a tensor on a canvas, straight from the GPU where it is there; `next_frame`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import numpy as np

from pyml.browser.pixels import bytes_of, check_image
from pyml.core import Tensor, Variable, convert_to_tensor, pictures

_OPTIONS: dict[str, tuple[str, ...]] = {"image_options": ("alpha",), "context_options": ("context_type", "context_attributes")}


def draw(image: Any, canvas: Any, options: dict | None = None) -> None:
    """Draws a tensor on a canvas, which takes its size.

    On a GPU the picture goes from the device to the canvas without being read: nothing waits, and values outside the range
    are clamped. Elsewhere, and on a canvas that something else has drawn on, it is read first, as by `to_pixels`.

    Args:
        image: As for `to_pixels`: `(height, width)` or `(height, width, channels)` with 1, 3 or 4 channels; float32 from 0 to
            1, or integers from 0 to 255.
        canvas: A `<canvas>` or `OffscreenCanvas` of the page.
        options: `{"image_options": {"alpha": 0.5}}` makes an image of 1 or 3 channels see-through, from 0 to 1;
            `{"context_options": {"context_type": "2d", "context_attributes": {...}}}` names the kind of drawing, `"webgpu"`
            (the default on that device) or `"2d"`, and what `canvas.getContext("2d", ...)` takes. A canvas that was drawn on
            before keeps its kind.

    Raises:
        ShapeError, DtypeError, TypeError, SyncReadError: As for `to_pixels`; `await draw_async(...)` never needs to wait.
        ValueError: An option is unknown or out of range, the canvas is used for another kind of drawing, or, where the
            image is read, a value lies outside the range.

    Source: TensorFlow.js `tf.browser.draw`.

    Example:
        >>> pyml.browser.draw(frame / 255, js.document.querySelector("canvas"))    # doctest: +SKIP
    """
    alpha, kind, attributes = _checked(image, canvas, options)
    if kind == "2d" or not _shown(image, canvas, alpha):
        _put(image.numpy() if isinstance(image, (Tensor, Variable)) else image, canvas, alpha, attributes)


async def draw_async(image: Any, canvas: Any, options: dict | None = None) -> None:
    """`draw` that lets the event loop run if it has to wait; works in every browser.

    Args:
        image: A picture, as `draw` takes it.
        canvas: A canvas of the page.
        options: A dict, as for `draw`.
    """
    alpha, kind, attributes = _checked(image, canvas, options)
    if kind == "2d" or not _shown(image, canvas, alpha):
        _put(await image.data() if isinstance(image, (Tensor, Variable)) else image, canvas, alpha, attributes)


async def next_frame() -> None:
    """Waits until the browser is about to paint, so that a loop leaves the page responsive.

    In a hidden page, which paints nothing, a second passes; outside a browser other tasks get their turn.

    Source: TensorFlow.js `tf.nextFrame`.

    Example:
        >>> import asyncio
        >>> async def count():
        ...     for i in range(3):
        ...         await pyml.browser.next_frame()
        ...     return i
        >>> asyncio.run(count())
        2
    """
    if sys.platform != "emscripten":
        await asyncio.sleep(0)
        return
    from pyml.browser import page

    await page.next_frame()


def _checked(image: Any, canvas: Any, options: dict | None) -> tuple[int, str | None, Any]:
    """Alpha as a byte, the kind of context and its attributes, out of the arguments of `draw`."""
    options = {} if options is None else options
    if not isinstance(options, dict):
        raise ValueError(f"draw: options must be a dict of {' and '.join(_OPTIONS)}. Received a {type(options).__name__}.")
    for name, inner in options.items():
        if name not in _OPTIONS:
            raise ValueError(f"draw: the options are {' and '.join(_OPTIONS)}. Received: {name!r}")
        unknown = sorted(set(inner) - set(_OPTIONS[name]))
        if unknown:
            raise ValueError(f"draw: {name} may hold {' and '.join(_OPTIONS[name])}. Received: {', '.join(unknown)}")
    alpha = options.get("image_options", {}).get("alpha", 1)
    if isinstance(alpha, bool) or not isinstance(alpha, (int, float)) or not 0 <= alpha <= 1:
        raise ValueError(f"draw: alpha must be a number from 0 to 1. Received: alpha={alpha!r}")
    context = options.get("context_options", {})
    kind = context.get("context_type")
    if kind not in (None, "webgpu", "2d"):
        raise ValueError(f"draw: context_type must be 'webgpu' or '2d'. Received: context_type={kind!r}")
    if canvas is None:
        raise TypeError("draw: expected a canvas of the page. Received None; to_pixels gives the bytes alone.")
    check_image(image, canvas, "draw")
    return int(255 * alpha + 0.5), kind, context.get("context_attributes")


def _shown(image: Any, canvas: Any, alpha: int) -> bool:
    return pictures.show(canvas, convert_to_tensor(image), alpha)


def _put(values: Any, canvas: Any, alpha: int, attributes: Any) -> None:
    from pyml.browser.page import draw_pixels

    values = np.asarray(values)
    pixels = bytes_of(values, "draw")
    if values.ndim == 2 or values.shape[2] < 4:
        pixels[..., 3] = alpha
    draw_pixels(canvas, pixels, "draw", attributes)
