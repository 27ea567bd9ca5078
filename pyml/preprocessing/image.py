"""Keras' older names of functions on pictures."""

from pyml.preprocessing.left_out import told_by
from pyml.utils.images import array_to_img, img_to_array, load_img, save_img, smart_resize

__all__ = ["array_to_img", "img_to_array", "load_img", "save_img", "smart_resize"]

__getattr__ = told_by(__name__, __all__)
