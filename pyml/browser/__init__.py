"""Pictures in and out: `from_pixels` makes tensors of them, `to_pixels` shows tensors."""

from pyml.browser.pixels import from_pixels, to_pixels, to_pixels_async

__all__ = ["from_pixels", "to_pixels", "to_pixels_async"]
