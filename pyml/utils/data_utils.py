"""Batches as users hand them over: tuples of inputs, targets and sample weights, and `PyDataset`."""

from typing import Any


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """`x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)` as three values, absent ones None.

    Raises:
        ValueError: A tuple of another length.
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
    """The inverse of `unpack_x_y_sample_weight`: the shortest tuple that holds the values."""
    if y is None:
        return x if not isinstance(x, (tuple, list)) else (x,)
    return (x, y) if sample_weight is None else (x, y, sample_weight)


class PyDataset:
    """Base of datasets that make one batch at a time: write `__len__` and `__getitem__`.

    Args:
        workers, use_multiprocessing, max_queue_size: Accepted as Keras does; batches are made in the
            calling thread.

    Example:
        class Squares(pyml.utils.PyDataset):
            def __len__(self):
                return 10

            def __getitem__(self, index):
                x = np.random.rand(32, 1).astype("float32")
                return x, x * x
    """

    def __init__(self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __len__(self) -> int:
        """Batches in one epoch; every dataset writes its own."""
        raise TypeError(f"{type(self).__name__} must define __len__(), the number of its batches.")

    def __getitem__(self, index: int) -> Any:
        """Batch number `index`; every dataset writes its own."""
        raise TypeError(f"{type(self).__name__} must define __getitem__(index), which makes a batch.")

    @property
    def num_batches(self) -> int:
        """Batches in one epoch."""
        return len(self)

    def on_epoch_begin(self) -> None:
        """Called before each epoch."""

    def on_epoch_end(self) -> None:
        """Called after each epoch, for example to shuffle."""
