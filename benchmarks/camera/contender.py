"""A frame's way to its prediction in pyml, as a user writes it; page.mjs calls this."""

import numpy as np

import pyml


@pyml.program
def square(frame):
    """The middle of a frame as the network takes it."""
    height, width, _ = frame.shape
    left = (width - height) // 2
    return pyml.image.resize(frame[:, left : left + height], (224, 224))


async def load(way):
    """Two functions of a canvas: one waits for the probabilities and returns them, the other only takes the frame in.

    Args:
        way: On WebGPU `"array"` has frames pass through Python; otherwise the GPU copies an opaque canvas and takes the bytes
            of a transparent one.
    """
    network, device = await pyml.hub.mobilenet_v1_async(), pyml.config.device()
    if way:
        device.copies_pictures = way != "array"

    def predict(canvas):
        from pyodide.ffi import to_js  # type: ignore[import-not-found]

        frame = pyml.browser.from_pixels(canvas)
        return to_js(np.ascontiguousarray(network.probabilities(square(frame)).numpy()))

    def take(canvas):
        return pyml.browser.from_pixels(canvas)[0, 0, 0].item()  # so the whole frame is there

    return predict, take, device.info["type"] == "gpu" if way else False
