"""CIFAR-10: 60,000 small colour pictures of ten kinds of things."""

from __future__ import annotations

import numpy as np

from pyml.datasets._cifar import batch
from pyml.datasets._origins import Split, fetched


def load_data() -> tuple[Split, Split]:
    """Loads the data set; it is fetched once, 170 MB.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)`, or channels first as
        `pyml.config` says, and uint8 labels `(50000, 1)` and `(10000, 1)`: airplane, automobile, bird, cat, deer, dog, frog, horse,
        ship, truck.

    Raises:
        ValueError: A file is damaged.
        OSError: The files are not on this machine and cannot be fetched.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".

    Example:
        >>> (x_train, y_train), (x_test, y_test) = pyml.datasets.cifar10.load_data()    # doctest: +SKIP
    """
    folder = fetched("cifar-10-batches-py-target", "cifar-10-batches-py-target", extract=True) / "cifar-10-batches-py"
    images, labels = zip(*(batch(folder / f"data_batch_{i}") for i in range(1, 6)), strict=True)
    x_test, y_test = batch(folder / "test_batch")
    return (np.concatenate(images), np.concatenate(labels).astype("uint8")), (x_test, y_test.astype("uint8"))
