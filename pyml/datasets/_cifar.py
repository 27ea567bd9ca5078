"""The files of CIFAR: pickles of rows of 3072 bytes, red, green and blue after each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyml import settings
from pyml.datasets._origins import unpickled


def batch(path: Path, labels: str = "labels") -> tuple[np.ndarray, np.ndarray]:
    """uint8 images of one file, in the data format of `pyml.config`, and uint8 labels `(images, 1)`.

    Raises:
        ValueError: The file is damaged or asks for more than arrays.
    """
    with open(path, "rb") as file:
        found = unpickled(file, "bytes")
    try:
        images = found[b"data"].reshape(-1, 3, 32, 32)
        y = np.reshape(np.array(found[labels.encode()]), (len(images), 1))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a file of CIFAR ({error!r}); delete it and load the data set again.") from None
    return (images if settings.image_data_format() == "channels_first" else images.transpose(0, 2, 3, 1)), y
