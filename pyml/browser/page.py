"""The browser's half of `from_pixels`, `to_pixels` and `draw`: the pixels of the page's objects.

On a GPU no picture passes through Python. What is opaque is copied on the GPU (`straight` below); everything else is drawn
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

_SOURCE = """
(() => {
  let context = null;                                  // of the canvas for reading
  let sheet = null;                                    // of the opaque canvas that the GPU copies from
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

  // What `read` gives as bytes, as something that WebGPU can copy; undefined where the bytes could differ.
  //  - Transparent pictures are kept multiplied by their alpha. Dividing by it again rounds otherwise on the GPU than in
  //    getImageData (one byte in 350 of all pairs of colour and alpha in Chromium 156 on software, more on an accelerated
  //    canvas), and an ImageBitmap does not tell whether it is multiplied at all. So only what is opaque goes this way.
  //  - Videos are drawn on an opaque canvas first: that converts their colours as `drawn` does. importExternalTexture and a
  //    copy from the frame itself convert them anew and miss by up to 200 of 255 where colours change (NV12).
  //  - Nothing is scaled here, and no more than 8 bits are brought down to 8: the GPU and the processor may do that
  //    differently.
  function straight(x, opaque) {
    try {
      switch (kind(x)) {
        case "HTMLCanvasElement":
        case "OffscreenCanvas": return opaqueCanvas(x);
        case "ImageBitmap": return opaque ? onSheet(x, x.width, x.height) : undefined;
        case "VideoFrame": return opaqueFrame(x) ? onSheet(x, x.displayWidth, x.displayHeight) : undefined;
        case "HTMLVideoElement": {
          if (x.readyState < 2) return undefined;
          const frame = new VideoFrame(x);             // 10 µs: it shares the pixels
          const fits = opaqueFrame(frame) && frame.displayWidth === x.videoWidth && frame.displayHeight === x.videoHeight;
          frame.close();
          return fits ? onSheet(x, x.videoWidth, x.videoHeight) : undefined;
        }
      }
    } catch { /* `read` says what is wrong, if it cannot read this either */ }
    return undefined;
  }

  function onSheet(source, width, height) {
    if (!(width > 0 && height > 0)) return undefined;
    sheet ??= new OffscreenCanvas(width, height).getContext("2d", { alpha: false });
    const { canvas } = sheet;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    sheet.drawImage(source, 0, 0, width, height);
    return { width, height, source: canvas };
  }

  function opaqueFrame(frame) {                        // of 8 bits; a format of null is one that the browser does not tell
    const { format, visibleRect, displayWidth, displayHeight } = frame;
    return /^(I4\\d\\d|NV12|RGBX|BGRX)$/.test(format) && visibleRect.width === displayWidth && visibleRect.height === displayHeight;
  }

  function opaqueCanvas(canvas) {
    const { width, height } = canvas;
    if (!(width > 0 && height > 0)) return undefined;
    const own = canvas.getContext("2d");
    const { alpha, colorSpace, colorType } = (own ?? canvas.getContext("webgl2") ?? canvas.getContext("webgl")).getContextAttributes();
    if (alpha !== false) return undefined;
    if (own === null) return onSheet(canvas, width, height);
    return (colorSpace ?? "srgb") === "srgb" && (colorType ?? "unorm8") === "unorm8" ? { width, height, source: canvas } : undefined;
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
    straight,
    read(x) {
      try { return read(x); }
      catch (error) {
        if (error.name !== "SecurityError") return fail("other", error.message);
        sheet = null;                                  // it may have been drawn on that too
        return fail("tainted", error.message);
      }
    },
    isCanvas: (x) => ["HTMLCanvasElement", "OffscreenCanvas"].includes(kind(x)),
    draw(canvas, bytes, width, height, attributes) {
      try {
        const context = canvas.getContext("2d", attributes);
        if (context === null) return "it is used for another kind of drawing already";
        Object.assign(canvas, { width, height });
        const pixels = new Uint8ClampedArray(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        context.putImageData(new ImageData(pixels, width, height), 0, 0);
        return "";
      } catch (error) { return error.message; }
    },
    // a hidden page paints nothing; then a second passes
    frame: () => new Promise((resolve) => {
      globalThis.requestAnimationFrame?.(resolve);
      setTimeout(resolve, globalThis.requestAnimationFrame ? 1000 : 16);
    }),
  };
})()
"""


@cache
def _script() -> Any:
    from pyodide.code import run_js

    return run_js(_SOURCE)


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
