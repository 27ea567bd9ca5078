"""`timeseries_dataset_from_array`: windows of a series, and what belongs to each."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml.data.dataset import Dataset


def timeseries_dataset_from_array(data: Any, targets: Any, sequence_length: int, sequence_stride: int = 1, sampling_rate: int = 1,
                                  batch_size: int | None = 128, shuffle: bool = False, seed: int | None = None,
                                  start_index: int | None = None, end_index: int | None = None, format: str = "tf") -> Dataset:  # fmt: skip
    """Windows of a series of steps, as a Dataset of batches.

    Args:
        data: Array `(steps, ...)`.
        targets: Array with what belongs to the window that begins at each step; None for windows alone.
        sequence_length: Steps in a window.
        sequence_stride: Steps from the beginning of one window to that of the next.
        sampling_rate: Steps from one to the next inside a window.
        batch_size: Windows in a batch; None for single windows.
        shuffle: New order of the windows, and again at each pass.
        seed: Of the order.
        start_index, end_index: Part of the steps that is used.
        format: `"tf"` or `"grain"`, for Keras' signature; it is a `pyml.data.Dataset` in both cases.

    Returns:
        A Dataset of `(windows, targets)`, or of `windows`; windows are `(batch, sequence_length, ...)`.

    Raises:
        ValueError: A number is out of range.

    Source: `keras.utils.timeseries_dataset_from_array`.

    Example:
        >>> ds = pyml.utils.timeseries_dataset_from_array(np.arange(6), np.arange(6) * 10, sequence_length=3, batch_size=2)
        >>> [y.tolist() for x, y in ds]
        [[0, 10], [20, 30]]
    """
    what = "timeseries_dataset_from_array"
    size = len(data)
    if format not in ("tf", "grain"):
        raise ValueError(f'`format` should be either "tf" or "grain". Received: format={format}')
    if start_index is not None and not 0 <= start_index < size:
        raise ValueError(f"{what}: start_index must be from 0 to below {size}, the steps of data. Received: start_index={start_index}")
    if end_index is not None and not (start_index or 0) < end_index < size:
        raise ValueError(
            f"{what}: end_index must be above start_index and below {size}, the steps of data. Received: end_index={end_index}"
        )
    for name, value in (("sampling_rate", sampling_rate), ("sequence_stride", sequence_stride)):
        if not 0 < value < size:
            raise ValueError(f"{what}: {name} must be above 0 and below {size}, the steps of data. Received: {name}={value}")
    if sequence_length < 1:
        raise ValueError(f"{what}: sequence_length must be a positive integer. Received: sequence_length={sequence_length}")
    first, last = start_index or 0, size if end_index is None else end_index
    count = last - first - (sequence_length - 1) * sampling_rate
    if targets is not None:
        count = min(count, len(targets))
    starts = np.arange(0, max(count, 0), sequence_stride, dtype=np.int32)
    if shuffle:
        seed = int(np.random.randint(10**6)) if seed is None else seed
        np.random.RandomState(seed).shuffle(starts)
    rows = np.asarray(data)[first:last]
    belonging = None if targets is None else np.asarray(targets)[first:last]
    steps = np.arange(sequence_length) * sampling_rate

    def windows(start: Any) -> Any:
        found = rows[np.asarray(start)[..., None] + steps]
        return found if belonging is None else (found, belonging[np.asarray(start)])

    dataset = Dataset.from_tensor_slices(starts)
    if shuffle:
        dataset = dataset.shuffle(1024 if batch_size is None else batch_size * 8, seed=seed)
    return (dataset if batch_size is None else dataset.batch(batch_size)).map(windows)
