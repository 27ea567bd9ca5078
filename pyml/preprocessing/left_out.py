"""Names of Keras 2 that Keras 3 left out, and what takes their places: an older book has its reader type them."""

from __future__ import annotations

NOW = {
    "ImageDataGenerator": "pyml.utils.image_dataset_from_directory reads the pictures, and layers such as pyml.layers.RandomFlip and "
                          "RandomRotation change them while a model is trained",
    "TimeseriesGenerator": "pyml.utils.timeseries_dataset_from_array cuts the windows",
    "text": "pyml.layers.TextVectorization splits texts and numbers their words, as Tokenizer did",
}  # fmt: skip
