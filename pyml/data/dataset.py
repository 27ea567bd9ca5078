"""`Dataset`: a long or endless row of elements, made when they are asked for."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from pyml.data import streams
from pyml.data.structure import is_tensor, leaves, mapped_leaves, narrowed
from pyml.data.waiting import driven, settled
from pyml.errors import ShapeError

INFINITE_CARDINALITY = -1
UNKNOWN_CARDINALITY = -2


class Dataset:
    """Elements one after the other, made lazily: nothing is read or computed before somebody asks for it.

    An element is a number, a string, an array or a Tensor, or tuples and dicts of these. Make datasets with
    `from_tensor_slices`, `from_generator`, `from_function`, `range`, `pyml.data.csv` or `TextLineDataset`, and shape
    them with `map`, `filter`, `batch`, `shuffle` and so on: each returns a new Dataset and leaves this one as it is.
    `for element in dataset` starts from the beginning each time, and so does `async for`, which also lets the event
    loop run where a source has to wait. `fit`, `evaluate` and `predict` take a Dataset of batches.

    Args:
        open_stream: Function that returns a new asynchronous generator of the elements.
        cardinality: Number of elements, `INFINITE_CARDINALITY` or `UNKNOWN_CARDINALITY`.

    Source: tf.data (https://www.tensorflow.org/api_docs/python/tf/data/Dataset) and TensorFlow.js `tf.data`.

    Example:
        >>> ds = pyml.data.Dataset.range(10).filter(lambda i: i % 2).map(lambda i: i * i).batch(2)
        >>> [batch.tolist() for batch in ds]
        [[1, 9], [25, 49], [81]]
    """

    def __init__(self, open_stream: Callable[[], Any], cardinality: int = UNKNOWN_CARDINALITY):
        self._open = open_stream
        self._cardinality = cardinality
        self._rows: Any = None                         # where the elements are rows of arrays: brings the arrays,
        self._numbers: Any = None                      # and opens a stream of the numbers of the rows

    # ---- sources
    @staticmethod
    def from_tensor_slices(tensors: Any) -> Dataset:
        """The rows of arrays: element `i` holds row `i` of each.

        Args:
            tensors: An array, list or Tensor `(n, ...)`, or tuples and dicts of them, all of the same `n`.

        Raises:
            ShapeError: The numbers of rows differ, or something is a single number.

        Example:
            >>> list(pyml.data.Dataset.from_tensor_slices({"a": [1, 2], "b": [3.0, 4.0]}).take(1))
            [{'a': np.int32(1), 'b': np.float32(3.0)}]
        """
        arrays = mapped_leaves(_as_array, tensors)
        shapes = [tuple(leaf.shape) for leaf in leaves(arrays)]
        if not shapes:
            raise ShapeError("from_tensor_slices: there is no array in the data.")
        if () in shapes:
            raise ShapeError("from_tensor_slices: every part must have rows along its first axis. Received a single number.")
        sizes = [shape[0] for shape in shapes]
        if sizes.count(sizes[0]) != len(sizes):
            raise ShapeError(
                f"from_tensor_slices: all parts must have the same number of rows. Received {', '.join(map(str, sizes))}."
            )
        rows = _Rows(arrays, sizes[0])
        dataset = Dataset(partial(streams.sliced, rows), sizes[0])
        dataset._rows, dataset._numbers = rows, partial(streams.counted, 0, sizes[0], 1)
        return dataset

    @staticmethod
    def from_generator(generator: Callable[[], Any]) -> Dataset:
        """What the iterator gives that `generator()` returns, called anew for every pass.

        Args:
            generator: A generator function, or any function without arguments that returns an iterable or an
                asynchronous iterable (or a coroutine that brings one).

        Raises:
            TypeError: `generator` cannot be called: an iterator itself could be passed over only once.

        Example:
            >>> def squares():
            ...     for i in range(3):
            ...         yield i * i
            >>> list(pyml.data.Dataset.from_generator(squares))
            [0, 1, 4]
        """
        _need_callable("from_generator", "generator", generator, ", so that every pass can start anew")
        return Dataset(partial(streams.generated, generator))

    @staticmethod
    def from_function(function: Callable[[], Any]) -> Dataset:
        """What `function()` returns, called again and again until it raises StopIteration."""
        _need_callable("from_function", "function", function)
        return Dataset(partial(streams.called, function))

    @staticmethod
    def range(*args: int) -> Dataset:
        """Integers like Python's `range`: `range(stop)`, `range(start, stop)` or `range(start, stop, step)`."""
        numbers = range(*args)
        return Dataset(partial(streams.counted, numbers.start, numbers.stop, numbers.step), len(numbers))

    @staticmethod
    def zip(*datasets: Any) -> Dataset:
        """Datasets side by side, until the shortest ends.

        Args:
            datasets: Several Datasets, or one tuple or dict that nests them; elements take the same form.

        Raises:
            TypeError: Something is no Dataset.

        Example:
            >>> numbers = pyml.data.Dataset.range(3)
            >>> list(pyml.data.Dataset.zip({"n": numbers, "square": numbers.map(lambda n: n * n)}))[-1]
            {'n': 2, 'square': 4}
        """
        structure = datasets[0] if len(datasets) == 1 else datasets
        if isinstance(structure, list):
            structure = tuple(structure)
        parts = leaves(structure)
        for part in parts:
            if not isinstance(part, Dataset):
                raise TypeError(f"zip: expected Datasets. Received a {type(part).__name__}.")
        if not parts:
            raise ValueError("zip: give at least one Dataset.")
        counts = [part._cardinality for part in parts]
        finite = [count for count in counts if count >= 0]
        if UNKNOWN_CARDINALITY in counts:
            cardinality = UNKNOWN_CARDINALITY
        else:
            cardinality = min(finite) if finite else INFINITE_CARDINALITY
        return Dataset(partial(streams.zipped, structure, lambda part: part._open()), cardinality)

    # ---- element by element
    def map(self, function: Callable) -> Dataset:
        """`function` of each element; where it returns a coroutine, its result.

        Args:
            function: Takes an element; the parts of a tuple come as several arguments, as in tf.data.

        Example:
            >>> pairs = pyml.data.Dataset.from_tensor_slices(([1, 2], [3, 4]))
            >>> [int(v) for v in pairs.map(lambda x, y: x * y)]
            [3, 8]
        """
        _need_callable("map", "function", function)
        return Dataset(partial(streams.mapped, self._open, function), self._cardinality)

    def filter(self, predicate: Callable) -> Dataset:
        """The elements of which `predicate` is true; it takes them as the function of `map` does."""
        _need_callable("filter", "predicate", predicate)
        known = self._cardinality in (0, INFINITE_CARDINALITY)
        cardinality = self._cardinality if known else UNKNOWN_CARDINALITY
        return Dataset(partial(streams.filtered, self._open, predicate), cardinality)

    def batch(self, batch_size: int, drop_remainder: bool = False) -> Dataset:
        """Stacks of consecutive elements, each leaf along a new first axis.

        Args:
            batch_size: Elements per batch.
            drop_remainder: Leave out the last batch where it is shorter.

        Python's own numbers become float32 or int32; arrays keep their dtype.

        Raises:
            ShapeError: While iterating: elements of one batch differ in form or shape.
        """
        _need_count("batch", "batch_size", batch_size, least=1)
        n = self._cardinality
        if n >= 0:
            n = n // batch_size if drop_remainder else math.ceil(n / batch_size)
        if self._rows is not None:
            return Dataset(partial(streams.in_gathered_batches, self._rows, self._numbers, batch_size, drop_remainder), n)
        return Dataset(partial(streams.in_batches, self._open, batch_size, drop_remainder), n)

    # ---- order and number
    def shuffle(self, buffer_size: int, seed: int | str | None = None, reshuffle_each_iteration: bool = True) -> Dataset:
        """A random order: each element is drawn from a buffer that holds the next `buffer_size`.

        Args:
            buffer_size: Elements in memory at a time. The order is uniform when it is at least the number of
                elements; `1` changes nothing.
            seed: Integer or string; the same seed gives the same orders on every platform. Without one the order
                follows `pyml.utils.set_random_seed`.
            reshuffle_each_iteration: Another order in each pass; passes of a seeded dataset are numbered, so a script
                that runs again repeats all of them.
        """
        _need_count("shuffle", "buffer_size", buffer_size, least=1)
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, (int, np.integer, str))):
            raise ValueError(f"shuffle: seed must be an integer, a string or None. Received: seed={seed!r}")
        orders = streams.Orders(seed, reshuffle_each_iteration)
        return self._ordered(streams.shuffled, buffer_size, orders, cardinality=self._cardinality)

    def repeat(self, count: int | None = None) -> Dataset:
        """This dataset `count` times in a row; without end for None or -1."""
        if count in (None, -1):
            endless = INFINITE_CARDINALITY if self._cardinality else 0
            return self._ordered(streams.repeated, None, cardinality=endless)
        _need_count("repeat", "count", count)
        n = self._cardinality
        return self._ordered(streams.repeated, count, cardinality=n * count if n >= 0 else n if count else 0)

    def take(self, count: int) -> Dataset:
        """The first `count` elements, all of them for -1."""
        if count == -1:
            return self
        _need_count("take", "count", count)
        n = self._cardinality
        if n == INFINITE_CARDINALITY or count == 0:
            n = count
        return self._ordered(streams.taken, count, cardinality=min(n, count) if n >= 0 else n)

    def skip(self, count: int) -> Dataset:
        """All elements but the first `count`; none for -1."""
        if count == -1:
            return self.take(0)
        _need_count("skip", "count", count)
        n = self._cardinality
        return self._ordered(streams.skipped, count, cardinality=max(n - count, 0) if n >= 0 else n)

    def concatenate(self, dataset: Dataset) -> Dataset:
        """The elements of this dataset, then those of another."""
        if not isinstance(dataset, Dataset):
            raise TypeError(f"concatenate: expected a Dataset. Received a {type(dataset).__name__}.")
        counts = (self._cardinality, dataset._cardinality)
        if INFINITE_CARDINALITY in counts:
            n = INFINITE_CARDINALITY
        else:
            n = UNKNOWN_CARDINALITY if UNKNOWN_CARDINALITY in counts else sum(counts)
        return Dataset(partial(streams.joined, self._open, dataset._open), n)

    def prefetch(self, buffer_size: int) -> Dataset:
        """Makes up to `buffer_size` elements ahead while the last one is used.

        Only `async for` and `fit_async` have something to gain: there a source that waits (for the network, say) goes
        on while the model trains. A plain `for` makes each element when it is asked for.
        """
        _need_count("prefetch", "buffer_size", buffer_size, least=1)
        return Dataset(partial(streams.prefetched, self._open, buffer_size), self._cardinality)

    def _ordered(self, stage, *args, cardinality):
        """A stage that only chooses and orders elements; over rows of arrays it may work on their numbers."""
        dataset = Dataset(partial(stage, self._open, *args), cardinality)
        if self._rows is not None:
            dataset._rows, dataset._numbers = self._rows, partial(stage, self._numbers, *args)
        return dataset

    # ---- use
    def __iter__(self) -> Iterator:
        return driven(self._open())

    def __aiter__(self) -> AsyncIterator:
        return self._open()

    async def for_each_async(self, function: Callable) -> None:
        """Calls `function` with each element, as `map` does; where it returns a coroutine, waits for it."""
        _need_callable("for_each_async", "function", function)
        async for _ in self.map(function):
            pass

    def to_array(self) -> list:
        """All elements in a list; waits for them.

        Raises:
            ValueError: The dataset is infinite.
        """
        self._need_an_end("to_array")
        return list(self)

    async def to_array_async(self) -> list:
        """All elements in a list; works in every browser."""
        self._need_an_end("to_array_async")
        return [element async for element in self]

    def cardinality(self) -> int:
        """The number of elements, `INFINITE_CARDINALITY` (-1), or `UNKNOWN_CARDINALITY` (-2) before they are counted."""
        return self._cardinality

    def __len__(self) -> int:
        if self._cardinality < 0:
            kind = "infinite" if self._cardinality == INFINITE_CARDINALITY else "not known before it was iterated"
            raise TypeError(f"the length of this dataset is {kind}; see `cardinality()`.")
        return self._cardinality

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        known = {INFINITE_CARDINALITY: "infinitely many", UNKNOWN_CARDINALITY: "an unknown number of"}
        count = known.get(self._cardinality, self._cardinality)
        return f"<{type(self).__name__} of {count} element{'s' if count != 1 else ''}>"

    def _need_an_end(self, what):
        if self._cardinality == INFINITE_CARDINALITY:
            raise ValueError(f"{what}: this dataset is infinite; choose a part of it with `take(count)` first.")


class _Rows:
    """Brings the arrays of `from_tensor_slices` to host memory, once.

    Args:
        arrays: Nested arrays and Tensors.
        size: Number of rows.
    """

    def __init__(self, arrays, size):
        self.arrays, self.size = arrays, size

    async def __call__(self):
        tensors = {id(leaf): leaf for leaf in leaves(self.arrays) if is_tensor(leaf)}
        if tensors:
            host = {key: await settled(tensor.data()) for key, tensor in tensors.items()}
            self.arrays = mapped_leaves(lambda leaf: host.get(id(leaf), leaf), self.arrays)
        return self.arrays, self.size


def _as_array(value):
    if isinstance(value, np.ndarray) or is_tensor(value):
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        raise ShapeError("from_tensor_slices: the rows of a list must have equal shapes; use from_generator for others.") from None
    return narrowed(array)


def _need_callable(what, name, value, why=""):
    if not callable(value):
        raise TypeError(f"{what}: {name} must be a function{why}. Received a {type(value).__name__}.")


def _need_count(what, name, value, least=0):
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least:
        kind = "a positive integer" if least else "an integer of at least 0"
        raise ValueError(f"{what}: {name} must be {kind}. Received: {name}={value!r}")
