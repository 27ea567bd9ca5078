"""Batches one after another, as a generator, a `PyDataset` or another iterable gives them."""

from __future__ import annotations

import itertools
import math
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from pyml.core.tree import flatten
from pyml.tracebacks import warn
from pyml.trainers.one_batch import standard_batch, whole_batch
from pyml.utils.data_utils import PyDataset

_SEEN_AGAIN = 2  # batches of a generator that Keras looks at before it begins, and that every validation with it begins with there


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

    def first_rows(self, batch_size: int) -> int:
        """Samples in the first batch, which is as large as it comes."""
        return next(leaf.shape[0] for leaf in flatten(self.peek()[0]) if leaf is not None)

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


def ran_out(count: int, per_epoch: int) -> None:
    """Says that an epoch was shorter than asked for."""
    warn(
        f"Your input ran out of data after {count} of the {per_epoch} steps asked for, and the epoch ends there; the next one begins "
        "anew. Give a number of steps that divides the number of batches, or repeat the data.",
    )
