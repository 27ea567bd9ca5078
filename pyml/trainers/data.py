"""Data as `fit`, `evaluate` and `predict` accept it, in one form: flat arrays, or an iterator of batches."""

from __future__ import annotations

import itertools
import math
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from pyml.core import Tensor, Variable
from pyml.core.tree import flatten, map_structure
from pyml.dtypes import host_array, is_sparse
from pyml.errors import DtypeError, ShapeError
from pyml.tracebacks import warn
from pyml.trainers.columns import numbers_of
from pyml.trainers.labels import class_weights
from pyml.trainers.sparse_rows import SparseRows, rows_of
from pyml.utils.data_utils import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight

_SEEN_AGAIN = 2  # batches of a generator that Keras looks at before it begins, and that every validation with it begins with there
_PLAIN = (np.dtype(np.float32), np.dtype(np.int32))


class Arrays:
    """Samples in host memory: `x`, `y` and `sample_weight` of equal length, each nested or None.

    Args:
        x, y, sample_weight: Arrays, tensors or numbers in lists; nested in lists or dicts for several inputs.
        what: Names the caller in errors.
        uneven: The lengths may differ: a batch, of which a loss or a step of the user's may make what it likes.

    Raises:
        ShapeError: The lengths differ, or there are no samples.
        TypeError: Something holds no numbers.
    """

    def __init__(self, x: Any, y: Any = None, sample_weight: Any = None, what: str = "fit", uneven: bool = False):
        if x is None:
            raise ValueError(f"{what}: no data was given; pass x=, an array (samples, ...).")
        self.x = as_arrays(x, "x", what)
        self.y = None if y is None else as_arrays(y, "y", what)
        self.sample_weight = None if sample_weight is None else as_arrays(sample_weight, "sample_weight", what)
        sizes = [leaf.shape[0] for leaf in self.leaves() if leaf is not None]
        if not sizes:
            raise ShapeError(f"{what}: x holds no arrays. Received: x={x!r}")
        self.size: int = sizes[0]
        if not uneven and sizes.count(self.size) != len(sizes):
            own = {name: [str(leaf.shape[0]) for leaf in flatten(part) if leaf is not None] for name, part in self.parts().items()}
            said = ", ".join(f"{name}: {', '.join(lengths)}" for name, lengths in own.items())
            raise ShapeError(f"{what}: all arrays must hold the same number of samples. Received sizes {said}.")
        if self.size == 0:
            shapes = ", ".join(str(leaf.shape) for leaf in self.leaves() if leaf is not None)
            raise ShapeError(f"{what}: the data holds no samples. Received shapes {shapes}.")

    def parts(self) -> dict[str, Any]:
        """The parts that are not None, by name."""
        named = {"x": self.x, "y": self.y, "sample_weight": self.sample_weight}
        return {name: part for name, part in named.items() if part is not None}

    @property
    def struct(self) -> tuple[Any, Any, Any]:
        """`(x, y, sample_weight)`."""
        return (self.x, self.y, self.sample_weight)

    def leaves(self) -> list[np.ndarray]:
        """All arrays, flat."""
        return [leaf for part in self.struct if part is not None for leaf in flatten(part)]

    @property
    def nbytes(self) -> int:
        """Bytes on the device, where every element takes four."""
        return 4 * sum(math.prod(leaf.shape) for leaf in self.leaves() if leaf is not None)

    def take(self, index: Any) -> tuple[Any, Any, Any]:
        """`(x, y, sample_weight)` of some rows: a slice or an array of row numbers."""
        return map_structure(lambda a: None if a is None else np.ascontiguousarray(a[index]), self.struct)

    def weigh(self, class_weight: dict[int, float]) -> None:
        """Sets the sample weights from a dict of class to weight.

        Raises:
            ValueError: There are sample weights already.
        """
        if self.sample_weight is not None:
            raise ValueError("fit: give either class_weight or sample_weight, not both.")
        self.sample_weight = class_weights(self.y, class_weight)

    def split(self, fraction: float) -> tuple[Arrays, Arrays]:
        """The first part and the last `fraction` of the samples."""
        cut = math.floor(self.size * (1.0 - fraction))
        if cut == 0 or cut == self.size:
            raise ValueError(
                f"fit: validation_split={fraction} of {self.size} samples leaves "
                f"{'none to train on' if cut == 0 else 'none to validate on'}."
            )
        return (Arrays(*self.take(slice(0, cut))), Arrays(*self.take(slice(cut, None))))


def as_arrays(data: Any, name: str, what: str) -> Any:
    """Nested data as nested numpy arrays of a supported dtype; sparse matrices of scipy with their zeros.

    Raises:
        TypeError: A leaf is not an array of numbers.
        ShapeError: A leaf is a single number, or rows have different lengths.
    """
    if type(data) is np.ndarray and data.ndim and data.dtype in _PLAIN and data.flags.c_contiguous:
        return data  # float32 or int32 by itself: the usual case
    if isinstance(data, (list, tuple, dict)) and not data:
        raise ShapeError(f"{what}: {name} is empty. Received: {name}={data!r}; pass an array (samples, ...).")
    if isinstance(data, (list, tuple)) and not any(is_array(leaf) and not isinstance(leaf, np.generic) for leaf in flatten(data)):
        try:
            data = np.asarray(data)  # a list of numbers, numpy's too
        except ValueError:
            raise ShapeError(
                f"{what}: {name} is a list whose rows have different lengths; pass rows of the same length "
                "(pad shorter ones), or a list of arrays, one for each input."
            ) from None

    def leaf(value: Any) -> np.ndarray | SparseRows | None:
        if value is None:
            return None
        if is_sparse(value):
            value = rows_of(value)
            if isinstance(value, SparseRows):
                return value
        array = value.numpy() if isinstance(value, (Tensor, Variable)) else value if isinstance(value, np.ndarray) else np.asarray(value)
        if array.dtype.kind not in "biuf":
            array = numbers_of(value, array, name, what)
        if array.ndim == 0:
            nested = isinstance(data, (list, tuple, dict))
            cure = " in a list or dict; make one array of each input first, np.array([...])" if nested else ""
            raise ShapeError(f"{what}: {name} must have samples along its first axis. Received a single number{cure}.")
        try:
            return host_array(array)
        except DtypeError as error:
            raise DtypeError(f"{what}: {name}: {error}") from None

    return map_structure(leaf, data)


def is_array(value: Any) -> bool:
    """True for arrays and tensors, of this or of another library."""
    return hasattr(value, "shape") or hasattr(value, "__array__")


class Batches:
    """Batches made one at a time: by a PyDataset, a generator or any iterable of batches.

    `whole` is set where a step of the user's own takes them: tuples of any length then reach it as they are. `uneven` is for batches
    whose parts may have different lengths: one of labelled beside one of unlabelled pictures.

    Args:
        source: The iterable.
        steps: Batches per epoch, None for as many as there are.
        what: Names the caller in errors.
    """

    whole = False
    uneven = True
    _shuffle = False  # each pass over a dataset has an order of its own
    _begun = False  # whether `begin` was called

    def __init__(self, source: Any, steps: int | None = None, what: str = "fit"):
        self.source, self.what = source, what
        self.dataset = isinstance(source, PyDataset) or (hasattr(source, "__getitem__") and hasattr(source, "__len__"))
        if isinstance(source, PyDataset) and not source._begun:
            warn(
                f"{type(source).__name__} should call super().__init__(**kwargs) in its constructor; **kwargs may hold workers, "
                "use_multiprocessing and max_queue_size."
            )
        self.steps = steps if steps is not None else self._count()
        self.per_epoch = steps
        self.class_weight: dict[int, float] | None = None
        self._iterator: Iterator[Any] | None = None
        self._stream: Iterator[Any] | None = None  # of a dataset: an epoch that began, where the next one takes what it has left
        self._within = False  # whether the dataset heard of the beginning of an epoch, and not yet of its end
        self._left: float = 0
        self._first: tuple[Any, Any, Any] | None = None
        self._again: list[tuple[Any, Any, Any]] | None = None  # of an iterator that validates: what each pass begins with

    def _count(self) -> int | None:
        """Batches of the source, None where it has no end or does not say."""
        if isinstance(self.source, PyDataset):
            return self.source.num_batches
        return len(self.source) if hasattr(self.source, "__len__") else None

    def begin(self, new: bool, shuffle: bool) -> None:
        """Before `fit` and `evaluate`: a PyDataset hears what Keras tells it then.

        Args:
            new: Losses and metrics of the model have seen no batch since `compile`: they see the first one now, in an epoch of its own.
            shuffle: Passes over a dataset have another order each time.
        """
        self._shuffle = shuffle
        if not self._begun and isinstance(self.source, PyDataset) and self.what != "validation_data":
            if new:
                self._tell_begin()
                self._first = self.standard(self.source[0]) if self._count() != 0 else None
            self._tell_end()  # Keras resets its data before the first epoch, also where none was begun
        self._begun = True

    def peek(self) -> tuple[Any, Any, Any]:
        """The first batch, which is still given later. A PyDataset makes it as part of the coming epoch.

        Raises:
            ValueError: There is none.
        """
        if self._first is None and isinstance(self.source, PyDataset):
            if self.what == "validation_data":
                self._tell_end()
            self._tell_begin()
            self._left, rest = _size(self._count()), self._one_pass(self._shuffle)
            self._first = next(rest, None)
            self._stream = rest if self._first is None else itertools.chain([self._first], rest)
        elif self._first is None:
            self._first = next(iter(self._fresh()), None)
        if self._first is None:
            raise ValueError(f"{self.what}: x gives no batches. Received: {type(self.source).__name__}; is it exhausted?")
        return self._first

    def _tell_begin(self) -> None:
        """Tells the source that an epoch begins, unless it knows."""
        if not self._within and hasattr(self.source, "on_epoch_begin"):
            self.source.on_epoch_begin()
        self._within = True

    def _tell_end(self) -> None:
        """Tells the source that an epoch ended."""
        if hasattr(self.source, "on_epoch_end"):
            self.source.on_epoch_end()
        self._within = False

    def _fresh(self) -> Iterable[tuple[Any, Any, Any]]:
        if self.dataset:
            return self._one_pass(False)
        if self._iterator is None:
            self._iterator = iter(self.source)
        return (self.standard(batch) for batch in self._iterator)

    def standard(self, batch: Any) -> tuple[Any, Any, Any]:
        """A batch as `(x, y, sample_weight)` of arrays."""
        if self.whole and isinstance(batch, tuple) and (self.what == "predict" or len(batch) not in (2, 3)):
            return whole_batch(batch, self.what)
        return standard_batch(batch, self.what, self.class_weight, uneven=self.uneven or self.whole)

    @property
    def once(self) -> bool:
        """Whether they come from an iterator, which gives them only once."""
        return not self.dataset and hasattr(self.source, "__next__")

    def _one_pass(self, shuffle: bool) -> Iterator[tuple[Any, Any, Any]]:
        """One pass over a dataset."""
        count = self._count()
        order = itertools.count() if count is None else np.random.permutation(count) if shuffle else range(count)
        return (self.standard(batch) for batch in made_ahead(self.source, map(int, order)))

    def epoch(self) -> Iterator[tuple[Any, Any, Any]]:
        """Yields the batches of one epoch."""
        if self.what == "validation_data" and not self._within and isinstance(self.source, PyDataset):
            self._tell_end()  # Keras resets its data before each pass of `evaluate`
        self._tell_begin()
        batches: Iterable[tuple[Any, Any, Any]]
        if self.dataset:
            goes_on = self.what == "fit" and self.per_epoch is not None  # from epoch to epoch
            if self._stream is None:
                self._stream, self._left = self._one_pass(self._shuffle), _size(self._count())
            batches = self._stream
            if self.per_epoch is not None:
                if self._left < self.per_epoch:
                    ran_out(int(self._left), self.per_epoch)
                self._left -= min(self._left, self.per_epoch)
            if not goes_on or not self._left:
                self._stream = None
        else:
            if not hasattr(self.source, "__next__"):
                self._iterator = None  # a list of batches starts again each epoch
            batches = self._fresh()
        if self._first is not None and hasattr(self.source, "__next__"):
            batches = itertools.chain([self._first], batches)
        self._first = None
        if self.once and self.what == "validation_data":
            if self._again is None:
                self._again = list(itertools.islice(batches, _SEEN_AGAIN))
            batches = itertools.chain(self._again, self._fresh())
        for done, batch in enumerate(batches, 1):
            yield batch
            if done == self.steps:
                break
        self._tell_end()


def _size(count: int | None) -> float:
    return math.inf if count is None else count


def made_ahead(source: Any, order: Iterable[int]) -> Iterator[Any]:
    """The batches of a dataset in this order, made ahead by its workers where it asks for several and there are threads."""
    workers = getattr(source, "workers", 1) if isinstance(source, PyDataset) else 1
    if workers > 1 and sys.platform != "emscripten":
        return _by_threads(source, iter(order), workers, max(source.max_queue_size, 1))
    return (source[i] for i in order)


def _by_threads(source: Any, order: Iterator[int], workers: int, ahead: int) -> Iterator[Any]:
    pool = ThreadPoolExecutor(workers, thread_name_prefix="PyDataset")
    try:
        waiting = deque(pool.submit(source.__getitem__, i) for i in itertools.islice(order, ahead))
        while waiting:
            batch = waiting.popleft().result()
            waiting.extend(pool.submit(source.__getitem__, i) for i in itertools.islice(order, 1))
            yield batch
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


WHOLE: tuple[()] = ()  # stands for the targets of a batch that is a tuple of another form


def whole_batch(batch: tuple[Any, ...], what: str) -> tuple[Any, Any, Any]:
    """A tuple of any length as the inputs of a batch, and that it is one."""
    parts = tuple(None if part is None else as_arrays(part, f"part {i} of a batch", what) for i, part in enumerate(batch))
    return parts, WHOLE, None


def is_whole(batch: tuple[Any, Any, Any]) -> bool:
    """Whether a batch is such a tuple."""
    return isinstance(batch[1], tuple) and batch[1] == WHOLE


def inputs_of(batch: tuple[Any, Any, Any]) -> Any:
    """What of a batch the model itself takes."""
    return batch[0][0] if is_whole(batch) else batch[0]


def packed(x: Any, y: Any, sample_weight: Any) -> Any:
    """A batch as a step gets it: `x`, `(x, y)`, `(x, y, sample_weight)`, or the tuple it was."""
    return x if is_whole((x, y, None)) else pack_x_y_sample_weight(x, y, sample_weight)


def ran_out(count: int, per_epoch: int) -> None:
    """Says that an epoch was shorter than asked for."""
    warn(
        f"Your input ran out of data after {count} of the {per_epoch} steps asked for, and the epoch ends there; the next one begins "
        "anew. Give a number of steps that divides the number of batches, or repeat the data.",
    )


def standard_batch(
    batch: Any, what: str = "fit", class_weight: dict[int, float] | None = None, uneven: bool = False
) -> tuple[Any, Any, Any]:
    """A batch as `(x, y, sample_weight)` of arrays, with the weights of its classes; `uneven` as for `Arrays`.

    Raises:
        ValueError: It is none.
    """
    try:
        x, y, weight = unpack_x_y_sample_weight(batch)
    except ValueError as error:
        raise ValueError(f"{what}: {error}") from None
    arrays = Arrays(x, y, weight, what=f"{what}: a batch", uneven=uneven)
    if class_weight is not None:
        arrays.weigh(class_weight)
    return arrays.struct
