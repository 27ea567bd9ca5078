"""Feeds: the batches of an epoch as calls that run one step each."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from pyml.trainers.batches import Batches, ran_out
from pyml.trainers.data import Arrays
from pyml.trainers.resident import Resident
from pyml.trainers.steps import Steps

Call = Callable[[], Any]


class Orders:
    """The row orders of a feed's passes, for as long as their steps may have to be run again.

    Args:
        steps: Steps per pass.
    """

    def __init__(self, steps: int):
        self.steps = steps
        self.wanted = False  # somebody asks, and forgets in time
        self.passes: dict[int, np.ndarray | None] = {}  # number of the pass -> order of its rows, None as they lie
        self.begun = 0

    def add(self, order: np.ndarray | None) -> None:
        """Another pass begins, with this order."""
        if self.wanted:
            self.passes[self.begun] = order
        self.begun += 1

    def forget(self, step: int) -> None:
        """Steps before this one will not be asked for any more."""
        for number in [n for n in self.passes if n < step // self.steps]:
            del self.passes[number]

    def places(self, first: int, stop: int) -> Iterator[tuple[np.ndarray | None, int, bool]]:
        """For steps `first` to `stop`: the order of the pass, the place of the step in it, and whether to go there."""
        for step in range(first, stop):
            number, at = divmod(step, self.steps)
            yield self.passes[number], at, at == 0 or step == first


class Pass:
    """Passes over some data, of which an epoch may take a part: it ends with the data at the latest, as in Keras.

    Args:
        begin: Begins a pass.
        steps: Steps in it.
        per_epoch: Steps of an epoch, None for all.
        goes_on: The next epoch takes what the last one has left; otherwise each starts over.
    """

    def __init__(self, begin: Callable[[], Iterable[Any]], steps: int, per_epoch: int | None, goes_on: bool):
        self._begin, self.steps, self.per_epoch, self.goes_on = begin, steps, per_epoch, goes_on
        self._stream: Iterator[Any] | None = None
        self._left = 0

    def epoch(self) -> Iterable[Any]:
        """The steps of one epoch."""
        if self.per_epoch is None:
            return self._begin()
        if self._stream is None or not self.goes_on:
            self._stream, self._left = iter(self._begin()), self.steps
        count = min(self.per_epoch, self._left)
        if count < self.per_epoch:
            ran_out(count, self.per_epoch)
        taken = itertools.islice(self._stream, count)
        self._left -= count
        if not self._left:
            self._stream = None
        return taken


class Feed:
    """The batches of some data, an epoch at a time, as calls that run one step each."""

    num_batches: int | None  # of an epoch, where that is known
    orders: Orders | None = None  # None where batches come once, and no step can be run again
    once = False  # whether the batches of all epochs come from one iterator

    def programs(self) -> list[tuple[Any, tuple]]:
        """The programs that it runs and their arguments, for compiling ahead, where the form of the batches is known."""
        return []

    def epoch(self) -> Iterable[Call] | Calls:
        """The calls of one epoch, without arguments, one for a step."""
        raise NotImplementedError

    def skipped(self, steps: int) -> None:
        """So many calls of this epoch were taken and not made: goes to the place after them."""

    def again(self, orders: Orders, first: int, stop: int) -> Iterator[Call]:
        """Calls that repeat steps `first` to `stop` of a feed of the same data, which had these `orders`."""
        raise NotImplementedError


class Calls:
    """Calls of an epoch that may have to be waited for."""

    async def following(self) -> Call | None:
        """The next one, or None."""
        raise NotImplementedError


class ResidentFeed(Feed):
    """Batches gathered on the device from a Resident dataset.

    Args:
        steps: The model's Steps.
        kind: `"train"` or `"test"`.
        data: A Resident.
        batch_size: Rows per step; the last batch of a pass may be shorter and has a program of its own.
        shuffle: New order each pass.
        per_epoch: Steps per epoch where the user asked for a number. In training the next epoch goes on where the last one
            stopped, and ends with the data.
    """

    orders: Orders

    def __init__(
        self, steps: Steps, kind: str, data: Resident, batch_size: int, shuffle: bool = False, per_epoch: int | None = None
    ):
        self.steps, self.kind, self.data = steps, kind, data
        self.shuffle = shuffle
        self.batch_size = min(batch_size, data.size)
        full, rest = divmod(data.size, self.batch_size)
        self.tails = [False] * full + ([True] if rest else [])
        self.num_batches = per_epoch or len(self.tails)
        self._pass = Pass(self._one_pass, len(self.tails), per_epoch, goes_on=kind == "train")
        self.orders = Orders(len(self.tails))
        data.shuffle(np.arange(data.size), self.batch_size)

    def _program(self, tail: bool) -> Call:
        return self.steps.resident_step(self.kind, self.data, self.batch_size, tail)

    def programs(self) -> list[tuple[Any, tuple]]:
        return [(self._program(tail), ()) for tail in dict.fromkeys(self.tails)]

    def _one_pass(self) -> list[Call]:
        order = np.random.permutation(self.data.size) if self.shuffle else None
        self.orders.add(order)
        if order is not None:
            self.data.shuffle(order, self.batch_size)
        self.steps.rewind(self.data)()
        runs = [self._program(tail) for tail in (False, True)]
        return [runs[tail] for tail in self.tails]

    def epoch(self) -> Iterable[Call]:
        return self._pass.epoch()

    def skipped(self, steps: int) -> None:
        self.data.place.assign(steps % len(self.tails))

    def again(self, orders: Orders, first: int, stop: int) -> Iterator[Call]:
        for order, at, go in orders.places(first, stop):
            if go:
                self.data.shuffle(np.arange(self.data.size) if order is None else order, self.batch_size)
                self.data.place.assign(at)
            yield self._program(self.tails[at])


class ArrayFeed(Feed):
    """Batches of arrays that are sent from the host: for datasets too large for the device, and for steps of one's own.

    Args:
        steps, kind, batch_size, shuffle, per_epoch: As for ResidentFeed.
        source: The arrays.
    """

    orders: Orders

    def __init__(self, steps: Steps, kind: str, source: Arrays, batch_size: int, shuffle: bool = False, per_epoch: int | None = None):
        self.steps, self.kind, self.source = steps, kind, source
        self.batch_size = batch_size
        self.shuffle = shuffle
        steps_of_all = math.ceil(source.size / batch_size)
        self.num_batches = per_epoch or steps_of_all
        self.orders = Orders(steps_of_all)
        self._pass = Pass(self._one_pass, steps_of_all, per_epoch, goes_on=kind == "train")

    def _one_pass(self) -> Iterator[tuple[Any, Any, Any]]:
        size = self.source.size
        order = np.random.permutation(size) if self.shuffle else None
        self.orders.add(order)
        for start in range(0, size, self.batch_size):
            yield self._rows(order, start)

    def _rows(self, order: np.ndarray | None, start: int) -> tuple[Any, Any, Any]:
        rows = slice(start, start + self.batch_size)
        return self.source.take(rows if order is None else order[rows])

    def epoch(self) -> Iterator[Call]:
        step = self.steps.batch_step(self.kind)
        for batch in self._pass.epoch():
            yield functools.partial(step, *batch)

    def again(self, orders: Orders, first: int, stop: int) -> Iterator[Call]:
        step = self.steps.batch_step(self.kind)
        for order, at, _ in orders.places(first, stop):
            yield functools.partial(step, *self._rows(order, at * self.batch_size))


class BatchFeed(Feed):
    """Batches that the user's data makes, sent from the host as they come.

    Args:
        steps, kind: As for ResidentFeed.
        source: The batches.
    """

    def __init__(self, steps: Steps, kind: str, source: Batches):
        self.steps, self.kind, self.source = steps, kind, source
        self.num_batches = source.steps
        self.once = source.once

    def epoch(self) -> Iterator[Call]:
        step = self.steps.batch_step(self.kind)
        for batch in self.source.epoch():
            self.steps.model._check_numbers(batch[0], batch[1])
            yield functools.partial(step, *batch)
