"""`Dataset`: a long or endless row of elements, made when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from pyml.data import parallel, streams
from pyml.data.checking import need_callable as _need_callable
from pyml.data.checking import need_count as _need_count
from pyml.data.checking import need_seed
from pyml.data.combining import Combining
from pyml.data.files import Filing
from pyml.data.grouping import Grouping
from pyml.data.keeping import Keeping
from pyml.data.kinds import Element
from pyml.data.signature import Shape, Signature, shapes_like
from pyml.data.stage import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY, Stage
from pyml.data.stepping import Stepping
from pyml.data.structure import is_tensor, leaves, mapped_leaves, narrowed
from pyml.data.waiting import settled
from pyml.errors import ShapeError

AUTOTUNE = -1


class Dataset(Grouping, Combining, Stepping, Keeping, Filing, Stage):
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

    class_names: Any                                   # of a dataset of a folder: the names of its classes, None without labels
    file_paths: list[str]                              # of the same

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
        dataset._rows = rows, partial(streams.counted, 0, sizes[0], 1)
        dataset._at = partial(streams.sliced, rows)
        return dataset

    @staticmethod
    def from_tensors(tensors: Any) -> Dataset:
        """One element, which is all of `tensors`.

        Example:
            >>> list(pyml.data.Dataset.from_tensors([1, 2]))
            [array([1, 2], dtype=int32)]
        """
        return Dataset(partial(streams.once, mapped_leaves(_as_array, tensors)), 1)

    @staticmethod
    def from_generator(generator: Callable[..., Any], output_types: Any = None, output_shapes: Any = None, args: Any = None,
                       output_signature: Any = None) -> Dataset:  # fmt: skip
        """What the iterator gives that `generator()` returns, called anew for every pass.

        Args:
            generator: A generator function, or any function that returns an iterable or an asynchronous iterable (or a
                coroutine that brings one).
            output_types: Dtypes by name, in the form of an element; what is given becomes arrays of these. None leaves all
                as it is.
            output_shapes: Shapes in the same form, None for sizes that differ; what does not fit is an error.
            args: Arguments of `generator`.
            output_signature: Objects with `shape` and `dtype` (such as `pyml.KerasTensor`) instead of the two before.

        Raises:
            TypeError: `generator` cannot be called: an iterator itself could be passed over only once.
            ShapeError: While iterating: an element does not fit its signature.

        Example:
            >>> def squares():
            ...     for i in range(3):
            ...         yield i * i
            >>> list(pyml.data.Dataset.from_generator(squares))
            [0, 1, 4]
        """
        _need_callable("from_generator", "generator", generator, ", so that every pass can start anew")
        called = generator if args is None else partial(generator, *args)
        dataset = Dataset(partial(streams.generated, called))
        if output_signature is not None:
            output_types = mapped_leaves(lambda spec: spec.dtype, output_signature)
            output_shapes = mapped_leaves(lambda spec: Shape(spec.shape), output_signature)
        elif output_types is not None and output_shapes is not None:
            output_shapes = shapes_like(output_types, output_shapes)
        if output_types is None:
            return dataset
        return dataset._derived(partial(streams.mapped, dataset._open, Signature(output_types, output_shapes)), UNKNOWN_CARDINALITY)

    @staticmethod
    def from_function(function: Callable[[], Any]) -> Dataset:
        """What `function()` returns, called again and again until it raises StopIteration."""
        _need_callable("from_function", "function", function)
        return Dataset(partial(streams.called, function))

    @staticmethod
    def range(*args: int) -> Dataset:
        """Integers like Python's `range`: `range(stop)`, `range(start, stop)` or `range(start, stop, step)`."""
        numbers = range(*args)
        dataset = Dataset(partial(streams.counted, numbers.start, numbers.stop, numbers.step), len(numbers))
        dataset._at = lambda n: streams.counted(numbers.start + n * numbers.step, numbers.stop, numbers.step)
        return dataset

    @staticmethod
    def counter(start: int = 0, step: int = 1) -> Dataset:
        """Integers from `start` on, `step` apart, without end."""
        dataset = Dataset(partial(streams.endless, start, step), INFINITE_CARDINALITY)
        dataset._at = lambda n: streams.endless(start + n * step, step)
        return dataset

    @staticmethod
    def random(seed: int | str | None = None, rerandomize_each_iteration: bool | None = None) -> Dataset:
        """Random integers from 0 to 2**32 - 1, without end.

        Args:
            seed: As for `shuffle`.
            rerandomize_each_iteration: Other numbers in each pass; by default the same in all.
        """
        need_seed("random", seed)
        orders = streams.Orders(seed, bool(rerandomize_each_iteration))
        return Dataset(partial(streams.drawn, orders), INFINITE_CARDINALITY)._drawing(orders)

    @staticmethod
    def zip(*datasets: Any) -> Dataset:
        """Datasets side by side, until the shortest ends.

        Args:
            datasets: Several Datasets, or one tuple or dict that nests them; elements take the same form.

        Raises:
            TypeError: Something is not a Dataset.

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
        dataset = Dataset(partial(streams.zipped, structure, lambda part: part._open()), cardinality)
        dataset._parents = tuple(parts)
        dataset._at = lambda n: streams.zipped(structure, lambda part: part._from(n))
        return dataset

    # ---- element by element
    def map(self, map_func: Callable, num_parallel_calls: int | None = None, deterministic: bool | None = None) -> Dataset:
        """`map_func` of each element; where it returns a coroutine, its result.

        Args:
            map_func: Takes an element; the parts of a tuple come as several arguments, as in tf.data.
            num_parallel_calls: Elements that are worked on at a time, `AUTOTUNE` for as many as there are cores: coroutines
                wait side by side under `async for`, and plain functions run in threads (not in a browser). Order stays.
            deterministic: For tf.data's signature; the order of the elements is always kept.

        An error in `map_func` carries a note that names the element and the line of the function.

        Example:
            >>> pairs = pyml.data.Dataset.from_tensor_slices(([1, 2], [3, 4]))
            >>> [int(v) for v in pairs.map(lambda x, y: x * y)]
            [3, 8]
        """
        _need_callable("map", "map_func", map_func)
        many = parallel.calls("map", num_parallel_calls)
        stage = streams.mapped if many == 1 else partial(parallel.mapped, many)
        at = lambda n: stage(partial(self._from, n), map_func, n)
        dataset = self._derived(partial(stage, self._open, map_func), self._cardinality, at)
        dataset._lenient = partial(streams.lenient, "map", self._open, map_func)
        return dataset

    def filter(self, predicate: Callable) -> Dataset:
        """The elements of which `predicate` is true; it takes them as the function of `map` does."""
        _need_callable("filter", "predicate", predicate)
        known = self._cardinality in (0, INFINITE_CARDINALITY)
        cardinality = self._cardinality if known else UNKNOWN_CARDINALITY
        dataset = self._derived(partial(streams.filtered, self._open, predicate), cardinality)
        dataset._lenient = partial(streams.lenient, "filter", self._open, predicate)
        return dataset

    def batch(self, batch_size: int, drop_remainder: bool = False, num_parallel_calls: int | None = None,
              deterministic: bool | None = None) -> Dataset:  # fmt: skip
        """Stacks of consecutive elements, each leaf along a new first axis.

        Args:
            batch_size: Elements per batch.
            drop_remainder: Leave out the last batch where it is shorter.
            num_parallel_calls, deterministic: For tf.data's signature.

        Python's own numbers become float32 or int32; arrays keep their dtype.

        Raises:
            ShapeError: While iterating: elements of one batch differ in form or shape.
        """
        _need_count("batch", "batch_size", batch_size, least=1)
        n = self._cardinality
        if n >= 0:
            n = n // batch_size if drop_remainder else math.ceil(n / batch_size)
        if self._rows is not None:
            rows, numbers = self._rows
            later = lambda k: partial(streams.skipped, numbers, k * batch_size)
            return self._derived(
                partial(streams.in_gathered_batches, rows, numbers, batch_size, drop_remainder), n,
                lambda k: streams.in_gathered_batches(rows, later(k), batch_size, drop_remainder),
            )  # fmt: skip
        return self._derived(
            partial(streams.in_batches, self._open, batch_size, drop_remainder), n,
            lambda k: streams.in_batches(partial(self._from, k * batch_size), batch_size, drop_remainder, k),
        )  # fmt: skip

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
        need_seed("shuffle", seed)
        orders = streams.Orders(seed, reshuffle_each_iteration)
        return self._ordered(streams.shuffled, buffer_size, orders, cardinality=self._cardinality)._drawing(orders)

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
        joined = self._derived(partial(streams.joined, self._open, dataset._open), n)
        joined._parents = (self, dataset)
        return joined

    def prefetch(self, buffer_size: int) -> Dataset:
        """Makes up to `buffer_size` elements ahead while the last one is used; 2 for `AUTOTUNE`.

        On the desktop a thread makes them, so reading and `map` go on while the device trains. In a browser there are no
        threads: there only `async for` and `fit_async` have something to gain, from sources that wait (for the network, say).
        """
        if buffer_size == AUTOTUNE:
            buffer_size = 2
        _need_count("prefetch", "buffer_size", buffer_size, least=1)
        return self._derived(
            partial(streams.prefetched, self._open, buffer_size), self._cardinality,
            lambda n: streams.prefetched(partial(self._from, n), buffer_size),
        )  # fmt: skip

    # ---- use
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


Stage.made = Dataset


class _Rows:
    """Brings the arrays of `from_tensor_slices` to host memory, once.

    Args:
        arrays: Nested arrays and Tensors.
        size: Number of rows.
    """

    made_of = ("arrays",)                              # for `pyml.data.fingerprint`

    def __init__(self, arrays: Element, size: int):
        self.arrays, self.size = arrays, size

    async def __call__(self) -> tuple[Element, int]:
        tensors = {id(leaf): leaf for leaf in leaves(self.arrays) if is_tensor(leaf)}
        if tensors:
            host = {key: await settled(tensor.data()) for key, tensor in tensors.items()}
            self.arrays = mapped_leaves(lambda leaf: host.get(id(leaf), leaf), self.arrays)
        return self.arrays, self.size


def _as_array(value: Any) -> Any:
    if isinstance(value, np.ndarray) or is_tensor(value):
        return value
    try:
        array = np.asarray(value)
    except ValueError:
        raise ShapeError("from_tensor_slices: the rows of a list must have equal shapes; use from_generator for others.") from None
    return narrowed(array)
