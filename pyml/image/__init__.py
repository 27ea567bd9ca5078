"""Images as tensors `(batch, height, width, channels)` or `(height, width, channels)`: resizing, cropping, detection boxes."""

from pyml.image.crop import crop_and_resize, flip_left_right, flip_up_down
from pyml.image.detection import non_max_suppression, non_max_suppression_with_scores
from pyml.image.resizing import resize

__all__ = ["crop_and_resize", "flip_left_right", "flip_up_down", "non_max_suppression", "non_max_suppression_with_scores", "resize"]
