"""The kernels of pictures: one takes them apart into numbers, the other draws numbers on a canvas."""

from __future__ import annotations

from functools import cache

from ..device.base import DeviceKernel
from ..dtypes import WGSL
from .kernels import fill


@cache
def unpacking(channels: int, dtype: str) -> DeviceKernel:
    """From a texture to `(height, width, channels)`."""
    source = fill("unpack_pixels", {"CHANNELS": channels, "T": WGSL[dtype]}, {})
    return DeviceKernel("unpack_pixels", source, ("texture", "read_write"), (1, 1, 1))


@cache
def showing(channels: int, dtype: str, alpha: int) -> DeviceKernel:
    """From `(height, width, channels)` to a canvas; `alpha` is that of all pixels, from 0 to 255, unless there are 4 channels."""
    params = {"CHANNELS": channels, "T": WGSL[dtype], "SCALE": 255.0 if dtype == "float32" else 1.0, "ALPHA": alpha / 255}
    return DeviceKernel("draw_pixels", fill("draw_pixels", params, {}), ("read", "canvas"), (1, 1, 1))


@cache
def fitting() -> DeviceKernel:
    """From a texture to rows of a network's input, resized: what exported models run, whose pictures have any size."""
    return DeviceKernel("fit_pixels", fill("fit_pixels", {}, {}), ("texture", "read_write", "read"), (1, 1, 1))
