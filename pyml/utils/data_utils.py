"""Batches as users hand them over: tuples of inputs, targets and sample weights, and `PyDataset`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

from pyml.errors import Undefined


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """`x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)` as three values, absent ones None.

    Args:
        data: An array, or a tuple of one to three.

    Raises:
        ValueError: A tuple of another length.

    Example:
        >>> pyml.utils.unpack_x_y_sample_weight(("x", "y"))
        ('x', 'y', None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if 1 <= len(data) <= 3:
        return data + (None,) * (3 - len(data))
    raise ValueError(
        f"A batch must be x, (x, y) or (x, y, sample_weight). Received a tuple of {len(data)} values."
    )


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The inverse of `unpack_x_y_sample_weight`: the shortest tuple that holds the values.

    Example:
        >>> pyml.utils.pack_x_y_sample_weight("x", "y")
        ('x', 'y')
    """
    if y is None:
        return x if not isinstance(x, (tuple, list)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


class PyDataset:
    """Base of datasets that make one batch at a time: write `__len__` and `__getitem__`.

    `fit` and `evaluate` call `on_epoch_end` once before they begin, as Keras does: training four epochs calls it five times. The first
    of them after `compile` looks at batch 0 before that, in an epoch of its own. A dataset without an end writes `num_batches` instead
    of `__len__`, and returns None.

    Args:
        workers: Threads that make batches ahead of the loop; with 1, and in a browser's tab, the loop makes them itself.
        use_multiprocessing: Accepted as in Keras; workers are threads all the same.
        max_queue_size: Batches that workers make ahead, at most.

    Example:
        >>> class Squares(pyml.utils.PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.full((2, 1), float(index))
        ...         return x, x * x
        >>> model = pyml.Sequential([pyml.Input((1,)), pyml.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> list(model.fit(Squares(), epochs=2, verbose=0).history)
        ['loss']
    """

    workers = 1
    use_multiprocessing = False
    max_queue_size = 10
    _begun = False  # whether `__init__` ran

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size
        self._begun = True

    def __getitem__(self, index: int) -> Any:
        """Batch number `index`; every dataset writes its own."""
        raise Undefined(f"{type(self).__name__} must define __getitem__(index), which makes a batch.")

    def __iter__(self) -> Iterator[Any]:
        """The batches of one epoch, made one by one."""
        try:
            count = self.num_batches
        except Undefined:                              # nobody said where it ends: as long as it is asked, as in Keras
            count = None
        return (self[index] for index in (itertools.count() if count is None else range(count)))

    @property
    def num_batches(self) -> int | None:
        """Batches in one epoch, None for a dataset without an end."""
        if hasattr(self, "__len__"):
            return len(self)
        raise Undefined(f"{type(self).__name__} must define __len__() or the property num_batches, the number of its batches.")

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch, for example to shuffle."""
