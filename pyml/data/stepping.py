"""Methods of `Dataset` that go through the elements one by one and keep something on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml.data import stepped
from pyml.data.checking import need_callable, need_count, need_seed
from pyml.data.stage import UNKNOWN_CARDINALITY, Stage
from pyml.data.streams import Orders
from pyml.data.structure import mapped_leaves
from pyml.data.waiting import run_now
from pyml.errors import ShapeError

if TYPE_CHECKING:
    from pyml.data.dataset import Dataset


class Stepping(Stage):
    """`enumerate`, `scan`, `reduce`, `take_while`, `unique`, `shard`, `ignore_errors`, `rejection_resample` and the like."""

    def enumerate(self, start: int = 0) -> Dataset:
        """Pairs of a number, counted from `start`, and an element.

        Example:
            >>> list(pyml.data.Dataset.range(5, 7).enumerate())
            [(0, 5), (1, 6)]
        """
        need_count("enumerate", "start", start, least=-(2**63))
        return self._derived(
            partial(stepped.numbered, self._open, start), self._cardinality,
            lambda n: stepped.numbered(partial(self._from, n), start + n),
        )  # fmt: skip

    def scan(self, initial_state: Any, scan_func: Callable) -> Dataset:
        """What `scan_func(state, element)` gives, which also hands on a state, first `initial_state`: it returns `(new_state, output)`.

        Example:
            >>> list(pyml.data.Dataset.range(1, 5).scan(0, lambda total, n: (total + n, total + n)))
            [1, 3, 6, 10]
        """
        need_callable("scan", "scan_func", scan_func)
        return self._derived(partial(stepped.scanned, self._open, initial_state, scan_func), self._cardinality)

    def reduce(self, initial_state: Any, reduce_func: Callable) -> Any:
        """The last state of `state = reduce_func(state, element)`, from `initial_state` on over all elements; waits for them.

        Raises:
            ValueError: The dataset is infinite.

        Example:
            >>> pyml.data.Dataset.range(5).reduce(0, lambda total, n: total + n)
            10
        """
        self._need_an_end("reduce")
        need_callable("reduce", "reduce_func", reduce_func)
        return run_now(stepped.reduced(self._open, initial_state, reduce_func))

    async def reduce_async(self, initial_state: Any, reduce_func: Callable) -> Any:
        """As `reduce`; works in every browser."""
        self._need_an_end("reduce_async")
        need_callable("reduce_async", "reduce_func", reduce_func)
        return await stepped.reduced(self._open, initial_state, reduce_func)

    def take_while(self, predicate: Callable) -> Dataset:
        """The elements before the first of which `predicate` is false."""
        need_callable("take_while", "predicate", predicate)
        return self._derived(partial(stepped.while_true, self._open, predicate), UNKNOWN_CARDINALITY if self._cardinality else 0)

    def unique(self) -> Dataset:
        """Each element once, when it first comes: numbers, strings, or arrays of equal dtype, shape and values.

        Example:
            >>> list(pyml.data.Dataset.from_tensor_slices([1, 3, 1, 2, 3]).unique())
            [np.int32(1), np.int32(3), np.int32(2)]
        """
        return self._derived(partial(stepped.once_each, self._open), UNKNOWN_CARDINALITY if self._cardinality else 0)

    def shard(self, num_shards: int, index: int) -> Dataset:
        """Every `num_shards`-th element, from number `index` on: the share of one of several workers.

        Example:
            >>> list(pyml.data.Dataset.range(7).shard(3, 1))
            [1, 4]
        """
        need_count("shard", "num_shards", num_shards, least=1)
        need_count("shard", "index", index)
        if index >= num_shards:
            raise ValueError(f"shard: index must be below num_shards={num_shards}. Received: index={index}")
        n = self._cardinality
        n = max(0, -(-(n - index) // num_shards)) if n >= 0 else n
        return self._ordered(stepped.every, num_shards, index, cardinality=n)

    def ignore_errors(self, log_warning: bool = False) -> Dataset:
        """Leaves out the elements for which the function of `map` or `filter` right before this fails.

        Args:
            log_warning: Warn of each.

        Raises:
            ValueError: The stage before is another one.

        Example:
            >>> list(pyml.data.Dataset.range(3).map(lambda i: 6 // i).ignore_errors())
            [6, 3]
        """
        if self._lenient is None:
            raise ValueError("ignore_errors: write it right after the `map` or `filter` whose failing elements are to be left out.")
        return self._derived(partial(self._lenient, log_warning), UNKNOWN_CARDINALITY if self._cardinality else 0)

    def rejection_resample(self, class_func: Callable, target_dist: Any, initial_dist: Any = None,
                           seed: int | str | None = None) -> Dataset:  # fmt: skip
        """Pairs `(class, element)` in which the classes have the shares `target_dist`; elements of too frequent ones are left out.

        Args:
            class_func: Takes an element, as the function of `map`, and returns its class, an integer from 0.
            target_dist: The shares that are wanted, numbers that add up to 1.
            initial_dist: The shares there are; None counts them along the way.
            seed: As for `shuffle`.

        Raises:
            ValueError: Shares are negative, do not add up, or a wanted class has the share 0 in `initial_dist`.
        """
        need_callable("rejection_resample", "class_func", class_func)
        need_seed("rejection_resample", seed)
        target = _shares("target_dist", target_dist)
        initial = None if initial_dist is None else _shares("initial_dist", initial_dist)
        if initial is not None and (initial.shape != target.shape or (target[initial == 0] > 0).any()):
            raise ValueError("rejection_resample: initial_dist must have a share above 0 for every class that target_dist wants.")
        orders = Orders(seed, True)
        resampled = partial(stepped.resampled, self._open, class_func, target, initial, orders)
        return self._derived(resampled, UNKNOWN_CARDINALITY)._drawing(orders)

    def apply(self, transformation_func: Callable) -> Dataset:
        """`transformation_func(self)`, a Dataset: a chain of methods by a name of one's own."""
        need_callable("apply", "transformation_func", transformation_func)
        dataset = transformation_func(self)
        if not isinstance(dataset, Stage.made):
            raise TypeError(f"apply: transformation_func must return a Dataset. It returned a {type(dataset).__name__}.")
        return dataset

    def as_numpy_iterator(self) -> Iterator[Any]:
        """The elements with their tensors as numpy arrays."""
        for element in self:
            yield mapped_leaves(lambda leaf: leaf.numpy() if hasattr(leaf, "numpy") else leaf, element)

    def get_single_element(self) -> Any:
        """The only element.

        Raises:
            ValueError: There is none, or more than one.
        """
        found = list(self.take(2))                     # type: ignore[attr-defined]
        if len(found) != 1:
            raise ValueError(f"get_single_element: the dataset must have one element. It has {'none' if not found else 'more'}.")
        return found[0]

    @property
    def element_spec(self) -> Any:
        """Shape and dtype of the parts of an element, as `pyml.KerasTensor`s; reads the first element."""
        from pyml.core import KerasTensor

        first = next(iter(self), None)
        if first is None:
            raise ShapeError("element_spec: the dataset has no elements.")
        spec = lambda leaf: KerasTensor(tuple(np.shape(leaf)), "string" if _is_text(leaf) else str(np.asarray(leaf).dtype))
        return mapped_leaves(lambda leaf: spec(leaf) if not hasattr(leaf, "numpy") else KerasTensor(tuple(leaf.shape), leaf.dtype), first)


def _is_text(leaf: Any) -> bool:
    return np.asarray(leaf).dtype.kind in "UOS"


def _shares(name: str, values: Any) -> np.ndarray:
    shares = np.asarray(values, float)
    if shares.ndim != 1 or not (shares >= 0).all() or not np.isclose(shares.sum(), 1, atol=1e-4):
        raise ValueError(f"rejection_resample: {name} must be numbers of at least 0 that add up to 1. Received: {shares.tolist()}")
    return shares
