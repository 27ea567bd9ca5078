"""Pictures between a page and the GPU without passing through Python."""

from __future__ import annotations

from typing import Any

from .. import config
from ..compile.pictures import showing, unpacking
from ..device.base import brought
from ..device.lock import LOCK
from .tensor import Tensor, allocated


def copied_on_gpu() -> bool:
    """Whether the device copies pictures itself, and better than Python could hand it their bytes."""
    return getattr(config.device(), "copies_pictures", False)


def unpack(source: Any, width: int, height: int, channels: int, dtype: str) -> Tensor | None:
    """A picture, or its bytes in JavaScript, as `(height, width, channels)`; None where the device does not take `source`."""
    with LOCK:
        node = allocated((height, width, channels), dtype)
        taken = config.device().unpack(node.buffer, unpacking(channels, dtype), source, width, height)
    return Tensor(node) if taken else None


def show(canvas: Any, image: Tensor, alpha: int) -> bool:
    """Draws a tensor of `(height, width)` or `(height, width, channels)` on a canvas without reading it.

    Args:
        alpha: Of all pixels, from 0 to 255, unless the image has four channels.

    Returns:
        False where that does not work: the device is not a GPU, or the canvas is used otherwise.
    """
    device = config.device()
    if not getattr(device, "draws_pictures", False):
        return False
    with LOCK:
        image._realize()
        node = image._node
        height, width, channels = (*node.shape, 1)[:3]
        return device.show(brought(node.buffer, device), showing(channels, node.dtype, alpha), canvas, width, height)


__all__ = ["copied_on_gpu", "show", "unpack"]
