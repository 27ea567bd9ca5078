"""`split_dataset`: two datasets of the elements of one."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml.data.dataset import Dataset
from pyml.random.seeds import of_numpy


def split_dataset(dataset: Any, left_size: float | None = None, right_size: float | None = None, shuffle: bool = False,
                  seed: int | None = None, preferred_backend: Any = None) -> tuple[Dataset, Dataset]:  # fmt: skip
    """The elements of a dataset as two Datasets: some of them from the beginning, and the rest from the end.

    Args:
        dataset: A `pyml.data.Dataset` that ends, an array, or a list or tuple of arrays with one number of rows.
        left_size: Elements of the first one, or their share, between 0 and 1; by default what is left.
        right_size: The same of the second one.
        shuffle: Take the elements in random order.
        seed: Of that order.
        preferred_backend: For Keras' signature.

    All elements are read at once.

    Raises:
        ValueError: Neither size is given, or they do not fit.
        TypeError: `dataset` or a size is of another kind.

    Source: `keras.utils.split_dataset`.

    Example:
        >>> left, right = pyml.utils.split_dataset(np.arange(10), left_size=0.8)
        >>> len(left), len(right)
        (8, 2)
    """
    if isinstance(dataset, Dataset):
        rows: list[Any] = dataset.to_array()
    elif isinstance(dataset, (list, tuple)) and dataset and all(isinstance(part, np.ndarray) for part in dataset):
        rows = Dataset.from_tensor_slices(tuple(dataset)).to_array()
    elif isinstance(dataset, np.ndarray) or hasattr(dataset, "__array__") or isinstance(dataset, (list, tuple)):
        rows = list(dataset if isinstance(dataset, (list, tuple)) else np.asarray(dataset))
    else:
        raise TypeError(f"split_dataset: dataset must be a Dataset, an array or a list of arrays. Received: {type(dataset).__name__}")
    left, right = _sizes(len(rows), left_size, right_size)
    if shuffle:
        order = np.random.RandomState(None if seed is None else of_numpy(seed)).permutation(len(rows))
        rows = [rows[i] for i in order]
    return _dataset(rows[:left]), _dataset(rows[len(rows) - right :])


def _dataset(rows: list[Any]) -> Dataset:
    made = Dataset.from_generator(lambda: iter(rows))
    made._cardinality = len(rows)
    return made


def _sizes(total: int, left: float | None, right: float | None) -> tuple[int, int]:
    """Both sizes as numbers of elements."""
    if left is None and right is None:
        raise ValueError("split_dataset: at least one of left_size and right_size must be given. Received: both None")
    counts: list[int | None] = []
    for name, size in (("left_size", left), ("right_size", right)):
        if size is None:
            counts.append(None)
            continue
        if isinstance(size, bool) or not isinstance(size, (int, float, np.integer, np.floating)):
            raise TypeError(f"split_dataset: {name} must be an integer or a share between 0 and 1. Received: {name}={size!r}")
        share = isinstance(size, (float, np.floating))
        if not (0 < size < 1 if share else 0 < size < total):
            limits = "between 0 and 1" if share else f"from 1 to below {total}, the number of elements"
            raise ValueError(f"split_dataset: {name} must be {limits}. Received: {name}={size!r}")
        counts.append(round(size * total) if share else int(size))
    first = total - counts[1] if counts[0] is None else counts[0]  # type: ignore[operator]
    second = total - first if counts[1] is None else counts[1]
    if first + second > total:
        raise ValueError(f"split_dataset: {first} and {second} elements are more than the {total} there are.")
    if not first or not second:
        raise ValueError(f"split_dataset: one of the two would have none of the {total} elements; choose other sizes.")
    return first, second
