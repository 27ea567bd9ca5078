"""Keras' older names of functions of `pyml.utils`."""

from pyml import lazily as _lazily
from pyml.data.directories import image_dataset_from_directory, text_dataset_from_directory
from pyml.data.timeseries import timeseries_dataset_from_array
from pyml.preprocessing import image, sequence
from pyml.preprocessing.left_out import NOW

__all__ = ["image", "image_dataset_from_directory", "sequence", "text_dataset_from_directory", "timeseries_dataset_from_array"]

__getattr__ = _lazily.left_out(__name__, NOW)
