"""Fashion-MNIST: 70,000 small grey pictures of ten kinds of clothes."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np

from pyml.datasets._origins import Split, fetched

_PACKAGED = Path("/usr/share/datasets/fashion-mnist")  # where the package `dataset-fashion-mnist` of Debian has the same pictures


def load_data() -> tuple[Split, Split]:
    """Loads the data set; it is fetched once, 31 MB, or taken from Debian's package `dataset-fashion-mnist` where that is installed.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images `(60000, 28, 28)` and `(10000, 28, 28)`, and uint8 labels: T-shirt,
        trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot.

    Raises:
        ValueError: A file is damaged.
        OSError: The files are not on this machine and cannot be fetched.

    Source: Xiao, Rasul and Vollgraf 2017, "Fashion-MNIST"; MIT license.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = pyml.datasets.fashion_mnist.load_data()    # doctest: +SKIP
    """
    return _split("train"), _split("t10k")


def _split(part: str) -> Split:
    labels = _bytes(f"{part}-labels-idx1-ubyte.gz", 8)
    images = _bytes(f"{part}-images-idx3-ubyte.gz", 16)
    if images.size != labels.size * 28 * 28:
        raise ValueError(f"Fashion-MNIST: {images.size} bytes of images do not fit {labels.size} labels; delete the files and load again.")
    return images.reshape(len(labels), 28, 28), labels


def _bytes(name: str, header: int) -> np.ndarray:
    packaged = _PACKAGED / name
    path = packaged if packaged.is_file() else fetched(name, name, os.path.join("datasets", "fashion-mnist"))
    try:
        with gzip.open(path) as file:
            return np.frombuffer(file.read(), np.uint8, offset=header)
    except (EOFError, gzip.BadGzipFile, ValueError) as error:
        raise ValueError(f"{path} is not a file of Fashion-MNIST ({error}); delete it and load the data set again.") from None
