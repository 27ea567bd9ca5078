"""Feeds: the batches of an epoch as calls that run one step each."""

import functools
import math

import numpy as np

from pyml.trainers.data import Arrays


class Orders:
    """The row orders of a feed's passes, for as long as their steps may have to be run again.

    Args:
        steps: Steps per pass.
    """

    def __init__(self, steps):
        self.steps = steps
        self.wanted = False                            # somebody asks, and forgets in time
        self.passes = {}                               # number of the pass -> order of its rows, None as they lie
        self.begun = 0

    def add(self, order):
        """Another pass begins, with this order."""
        if self.wanted:
            self.passes[self.begun] = order
        self.begun += 1

    def forget(self, step):
        """Steps before this one will not be asked for any more."""
        for number in [n for n in self.passes if n < step // self.steps]:
            del self.passes[number]

    def places(self, first, stop):
        """For steps `first` to `stop`: the order of the pass, the place of the step in it, and whether to go there."""
        for step in range(first, stop):
            number, at = divmod(step, self.steps)
            yield self.passes[number], at, at == 0 or step == first


class ResidentFeed:
    """Batches gathered on the device from a Resident dataset.

    Args:
        steps: The model's Steps.
        kind: `"train"` or `"test"`.
        data: A Resident.
        batch_size: Rows per step; the last batch of a pass may be shorter and has a program of its own.
        shuffle: New order each pass.
        per_epoch: Steps per epoch where the user asked for a number; passes then run on across epochs.
    """

    def __init__(self, steps, kind, data, batch_size, shuffle=False, per_epoch=None):
        self.steps, self.kind, self.data = steps, kind, data
        self.shuffle = shuffle
        self.batch_size = min(batch_size, data.size)
        full, rest = divmod(data.size, self.batch_size)
        self.tails = [False] * full + ([True] if rest else [])
        self.num_batches = per_epoch or len(self.tails)
        self._stream = None if per_epoch is None else self._endless()
        self.orders = Orders(len(self.tails))
        data.shuffle(np.arange(data.size), self.batch_size)

    def _program(self, tail):
        return self.steps.resident_step(self.kind, self.data, self.batch_size, tail)

    def programs(self):
        """The programs this feed runs, for compiling ahead."""
        return [(self._program(tail), ()) for tail in dict.fromkeys(self.tails)]

    def _one_pass(self):
        order = np.random.permutation(self.data.size) if self.shuffle else None
        self.orders.add(order)
        if self.shuffle:
            self.data.shuffle(order, self.batch_size)
        self.steps.rewind_program(self.data)()
        runs = [self._program(tail) for tail in (False, True)]
        return [runs[tail] for tail in self.tails]

    def _endless(self):
        while True:
            yield from self._one_pass()

    def epoch(self):
        """Calls without arguments, one per step."""
        if self._stream is None:
            return self._one_pass()
        return (next(self._stream) for _ in range(self.num_batches))

    def again(self, orders, first, stop):
        """Calls that repeat steps `first` to `stop` of a feed of the same data, which had these `orders`."""
        for order, at, go in orders.places(first, stop):
            if go:
                self.data.shuffle(np.arange(self.data.size) if order is None else order, self.batch_size)
                self.data.place.assign(at)
            yield self._program(self.tails[at])


class BatchFeed:
    """Batches sent from the host: for datasets too large for the device, and for iterators.

    Args:
        steps, kind, batch_size, shuffle, per_epoch: As for ResidentFeed.
        source: Arrays or Batches.
    """

    def __init__(self, steps, kind, source, batch_size, shuffle=False, per_epoch=None):
        self.steps, self.kind, self.source = steps, kind, source
        self.batch_size = batch_size
        self.shuffle = shuffle
        if isinstance(source, Arrays):
            self.num_batches = per_epoch or math.ceil(source.size / batch_size)
        else:
            self.num_batches = source.steps
        self._stream = self._endless() if per_epoch is not None and isinstance(source, Arrays) else None
        # iterators give each batch once
        self.orders = Orders(math.ceil(source.size / batch_size)) if isinstance(source, Arrays) else None

    def programs(self):
        """Nothing to compile ahead: batches are not known yet."""
        return []

    def _one_pass(self):
        if not isinstance(self.source, Arrays):
            yield from self.source.epoch(self.shuffle)
            return
        size = self.source.size
        order = np.random.permutation(size) if self.shuffle else None
        self.orders.add(order)
        for start in range(0, size, self.batch_size):
            yield self._rows(order, start)

    def _rows(self, order, start):
        rows = slice(start, start + self.batch_size)
        return self.source.take(rows if order is None else order[rows])

    def _endless(self):
        while True:
            yield from self._one_pass()

    def epoch(self):
        """Calls without arguments, one per step."""
        step = self.steps.batch_step(self.kind)
        batches = self._one_pass() if self._stream is None else (
            next(self._stream) for _ in range(self.num_batches))
        for x, y, weight in batches:
            yield lambda x=x, y=y, weight=weight: step(x, y, weight)

    def again(self, orders, first, stop):
        """Calls that repeat steps `first` to `stop` of a feed of the same arrays, which had these `orders`."""
        step = self.steps.batch_step(self.kind)
        for order, at, _ in orders.places(first, stop):
            yield functools.partial(step, *self._rows(order, at * self.batch_size))
