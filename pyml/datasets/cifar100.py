"""CIFAR-100: 60,000 small colour pictures of a hundred kinds of things."""

from __future__ import annotations

from pyml.datasets._cifar import batch
from pyml.datasets._origins import Split, fetched


def load_data(label_mode: str = "fine") -> tuple[Split, Split]:
    """Loads the data set; it is fetched once, 169 MB.

    Args:
        label_mode: `"fine"` for the hundred kinds, `"coarse"` for the twenty that these belong to.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images `(50000, 32, 32, 3)` and `(10000, 32, 32, 3)`, or channels first as
        `pyml.config` says, and int64 labels `(50000, 1)` and `(10000, 1)`.

    Raises:
        ValueError: Another `label_mode`, or a file is damaged.
        OSError: The files are not on this machine and cannot be fetched.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images".

    Example:
        >>> (x_train, y_train), (x_test, y_test) = pyml.datasets.cifar100.load_data("coarse")    # doctest: +SKIP
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.')
    folder = fetched("cifar-100-python-target", "cifar-100-python-target", extract=True) / "cifar-100-python"
    return batch(folder / "train", f"{label_mode}_labels"), batch(folder / "test", f"{label_mode}_labels")
