"""Where the files of the data sets are, with their hashes: those that Keras fetches, so that a cache of Keras is used too."""

from __future__ import annotations

import io
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from pyml.utils.files import get_file

Split: TypeAlias = tuple[np.ndarray, np.ndarray]
_STORE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
_CIFAR = "https://www.cs.toronto.edu/~kriz/"
# file -> its address and hash
ORIGINS: dict[str, tuple[str, str | None]] = {
    "boston_housing.npz": (f"{_STORE}boston_housing.npz", "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"),
    "california_housing.npz": (f"{_STORE}california_housing.npz", "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"),
    "cifar-10-batches-py-target": (f"{_CIFAR}cifar-10-python.tar.gz", "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),
    "cifar-100-python-target": (f"{_CIFAR}cifar-100-python.tar.gz", "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"),
    "imdb.npz": (f"{_STORE}imdb.npz", "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"),
    "imdb_word_index.json": (f"{_STORE}imdb_word_index.json", "bfafd718b763782e994055a2d397834f"),
    "reuters.npz": (f"{_STORE}reuters.npz", "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"),
    "reuters_word_index.json": (f"{_STORE}reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921"),
    **{name: (f"{_STORE}{name}", None) for name in ("train-labels-idx1-ubyte.gz", "train-images-idx3-ubyte.gz",
                                                    "t10k-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz")},
}  # fmt: skip
# what arrays of lists need of pickle; nothing else of a file is ever called
_ALLOWED = {("numpy", "ndarray"), ("numpy", "dtype"), ("numpy.core.multiarray", "_reconstruct"),
            ("numpy._core.multiarray", "_reconstruct")}  # fmt: skip


def fetched(name: str, file: str, subdir: str = "datasets", extract: bool = False) -> Path:
    """The path of a file of `ORIGINS`, in the cache under `name`; an absolute `name` of a file is taken as it is.

    Raises:
        OSError: It is not on this machine and cannot be fetched; the message has the address.
        ValueError: What came has another hash.
    """
    if os.path.isabs(name) and os.path.isfile(name):
        return Path(name)
    address, file_hash = ORIGINS[file]
    try:
        return Path(get_file(name, address, cache_subdir=subdir, file_hash=file_hash, extract=extract))
    except OSError as error:
        folder = Path(os.environ.get("KERAS_HOME") or "~/.keras") / subdir
        raise OSError(f"The data set is not on this machine and {address} cannot be fetched ({error}): fetch it elsewhere "
                      f"and put it to {folder / name}.") from None  # fmt: skip


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which no array needs; it is damaged or meant to do harm")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def unpickled(file: Any, encoding: str = "ASCII") -> Any:
    """What a pickle holds, of arrays, lists, dictionaries, texts and numbers.

    Raises:
        ValueError: It is damaged, or asks for anything else.
    """
    try:
        return _Reader(file, encoding=encoding).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"{getattr(file, 'name', 'a file')} is not a pickle of arrays: {error}") from None


def arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` file, arrays of lists too.

    Raises:
        ValueError: It is damaged, or asks for more than arrays; the message names it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy"): archive.read(name) for name in archive.namelist() if name.endswith(".npy")}
        return {name: _array(content) for name, content in members.items()}
    except (ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a file of arrays ({error}); delete it and load the data set again.") from None


def _array(content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    if read(file)[2].hasobject:
        return np.asarray(unpickled(file))
    file.seek(0)
    return np.lib.format.read_array(file, allow_pickle=False)


def shuffled(seed: int, *columns: Any) -> list[Any]:
    """All columns in one random order."""
    order = np.arange(len(columns[0]))
    np.random.RandomState(seed).shuffle(order)
    return [column[order] for column in columns]


def split(x: Any, y: Any, test_split: float, seed: int) -> tuple[Split, Split]:
    """Shuffled rows; the last `test_split` of them for testing."""
    x, y = shuffled(seed, x, y)
    first = int(len(x) * (1 - test_split))
    return (np.array(x[:first]), np.array(y[:first])), (np.array(x[first:]), np.array(y[first:]))


def check_split(test_split: float) -> None:
    """Raises ValueError unless some rows are left to train with."""
    if not 0 <= test_split < 1:
        raise ValueError(f"Invalid `test_split` argument: {test_split}. It must be between 0 and 1 (exclusive of 1).")
