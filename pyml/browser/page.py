"""The browser's half of `from_pixels` and `to_pixels`: one call into JavaScript for each picture.

Pictures that hold no bytes of their own are drawn on one canvas kept for reading, which stays in main memory.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from pyml.errors import ShapeError

_SOURCE = """
(() => {
  let context = null;                                  // of the canvas for reading
  const kind = (x) => Object.prototype.toString.call(x).slice(8, -1);
  const fail = (what, more) => ({ failed: what, more: more ?? "" });

  function reader(width, height) {
    if (context === null) {
      const canvas = typeof document === "object" ? document.createElement("canvas") : new OffscreenCanvas(1, 1);
      context = canvas.getContext("2d", { willReadFrequently: true });
    }
    const { canvas } = context;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    else context.clearRect(0, 0, width, height);
    return context;
  }

  function drawn(source, width, height) {
    if (!(width > 0 && height > 0)) return fail("empty", `${width}x${height}`);
    const from = reader(width, height);
    try {
      from.drawImage(source, 0, 0, width, height);
      return { width, height, data: from.getImageData(0, 0, width, height).data };
    } catch (error) {
      if (error.name === "SecurityError") context = null;  // this canvas is tainted for good
      throw error;
    }
  }

  function canvasPixels(canvas) {
    const { width, height } = canvas;
    if (!(width > 0 && height > 0)) return fail("empty", `${width}x${height}`);
    let own = null;
    try { own = canvas.getContext("2d"); } catch { /* it was handed to a worker: only what it shows can be read */ }
    if (own === null) return drawn(canvas, width, height);
    return { width, height, data: own.getImageData(0, 0, width, height).data };
  }

  function read(x) {
    switch (kind(x)) {
      case "ImageData": return { width: x.width, height: x.height, data: x.data };
      case "HTMLCanvasElement":
      case "OffscreenCanvas": return canvasPixels(x);
      case "ImageBitmap": return x.width ? drawn(x, x.width, x.height) : fail("closed");
      case "HTMLImageElement":
        return x.complete && x.naturalWidth ? drawn(x, x.width, x.height) : fail("image", x.complete ? "broken" : "loading");
      case "HTMLVideoElement": return x.readyState >= 2 ? drawn(x, x.videoWidth, x.videoHeight) : fail("video");
      case "VideoFrame": return x.codedWidth ? drawn(x, x.displayWidth, x.displayHeight) : fail("closed");
    }
    if (ArrayBuffer.isView(x?.data) && x.width > 0 && x.height > 0) return { width: x.width, height: x.height, data: x.data };
    return fail("kind", kind(x));
  }

  return {
    read(x) {
      try { return read(x); }
      catch (error) { return fail(error.name === "SecurityError" ? "tainted" : "other", error.message); }
    },
    isCanvas: (x) => ["HTMLCanvasElement", "OffscreenCanvas"].includes(kind(x)),
    draw(canvas, bytes, width, height) {
      try {
        Object.assign(canvas, { width, height });
        const context = canvas.getContext("2d");
        if (context === null) return "it is used for another kind of drawing already";
        const pixels = new Uint8ClampedArray(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        context.putImageData(new ImageData(pixels, width, height), 0, 0);
        return "";
      } catch (error) { return error.message; }
    },
  };
})()
"""


@cache
def _script() -> Any:
    from pyodide.code import run_js

    return run_js(_SOURCE)


def read_pixels(source: Any) -> np.ndarray:
    """The pixels of a JavaScript object as uint8 `(height, width, 4)`; see `from_pixels`."""
    found = _script().read(source)
    failed = getattr(found, "failed", None)
    if failed is not None:
        raise _refusal(failed, found.more)
    width, height, data = int(found.width), int(found.height), found.data
    if data.length != 4 * width * height or data.BYTES_PER_ELEMENT != 1:
        raise ShapeError(
            f"from_pixels: a picture of {width}x{height} needs {4 * width * height} bytes, four for each pixel. "
            f"Received {data.length} values of {data.BYTES_PER_ELEMENT} bytes."
        )
    pixels = np.empty((height, width, 4), np.uint8)
    data.assign_to(pixels.reshape(-1))
    return pixels


def _refusal(failed: str, more: str) -> Exception:
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


def check_canvas(canvas: Any) -> None:
    """Raises TypeError unless `canvas` is one."""
    if not _script().isCanvas(canvas):
        name = getattr(getattr(canvas, "constructor", None), "name", "object")
        raise TypeError(f"to_pixels: expected a canvas of the page. Received a JavaScript {name}.")


def draw_pixels(canvas: Any, pixels: np.ndarray) -> None:
    """Puts uint8 pixels `(height, width, 4)` on a canvas, which takes their size."""
    from pyodide.ffi import to_js

    height, width = pixels.shape[:2]
    problem = _script().draw(canvas, to_js(np.ascontiguousarray(pixels).reshape(-1).data), width, height)
    if problem:
        raise ValueError(f"to_pixels: the canvas cannot be drawn on: {problem}")
