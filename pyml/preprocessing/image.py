"""Keras' older names of functions on pictures."""

from pyml import lazily as _lazily
from pyml.preprocessing.left_out import NOW
from pyml.utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]

__getattr__ = _lazily.left_out(__name__, NOW)
