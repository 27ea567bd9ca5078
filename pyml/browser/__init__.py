"""Pictures in and out: `from_pixels` makes tensors of them, `to_pixels` and `draw` show tensors."""

from pyml.browser.drawing import draw, draw_async, next_frame
from pyml.browser.pixels import from_pixels, to_pixels, to_pixels_async

__all__ = ["draw", "draw_async", "from_pixels", "next_frame", "to_pixels", "to_pixels_async"]
