"""The state of a training run on the host, refreshed while it runs, in case the GPU device is lost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pyml import config
from pyml.core import Program, Variable
from pyml.core.transfer import Watched
from pyml.trainers.feed import Feed
from pyml.trainers.io import IO

if TYPE_CHECKING:
    from pyml.trainers.trainer import Trainer

FLOOR = 1.0  # seconds between two copies within an epoch
SHARE = 40  # a copy takes at most a fortieth of the time
WHOLE = 256 * 1024 * 1024  # beyond that many bytes only the weights are kept


class Keeper:
    """A host copy of all that training changes, and what is needed to run the steps since then again.

    Args:
        model: A compiled model.
        io: SyncIO or AsyncIO.
        feed: The feed of `fit`; for arrays, it remembers the order of the rows since the last copy.

    `ran` counts the steps of this fit, `step` is its value at the copy. `values` are pairs of Variable and array.
    """

    def __init__(self, model: Trainer, io: IO, feed: Feed):
        self.model, self.io, self.feed = model, io, feed
        self.on = self.watches()
        self.ran = self.step = self.safe = 0
        self.starts: dict[int, int] = {}  # epoch -> steps before it
        self.values: list[tuple[Variable, np.ndarray]] = []
        self._watched = Watched([])
        self.complete = False  # holds all that the training programs read or write
        self._taken = self._cost = 0.0
        self._traces = 0
        if feed.orders is not None:
            feed.orders.wanted = self.on
        model._state_keeper = self

    def watches(self) -> bool:
        """True on devices that can be lost."""
        return config.get_backend() == "webgpu"

    # ---- copies
    async def take(self) -> None:
        """Reads the state as it is now."""
        if not self.on:
            return
        start = time.perf_counter()
        self._traces, states = self._traced()
        weights, whole = self.model.variables, self._state(states)
        fits = 4 * sum(v.size for v in whole) <= WHOLE
        variables = [v for v in (whole if fits else weights) if v.size]
        values = await self.io.read_all(variables)
        self.values = list(zip(variables, values, strict=True))
        self._watched = Watched(variables)
        self.complete = fits and self._traces > 0
        self.step = self.safe = self.ran
        self.starts = dict(list(self.starts.items())[-1:])
        if self.feed.orders is not None:
            self.feed.orders.forget(self.step)
        self._taken = time.perf_counter()
        self._cost = self._taken - start

    async def looked(self, ended: bool = False) -> bool:
        """The device was waited for: refreshes the copy when one is due; an epoch that has ended need not wait.

        Returns True when it did.
        """
        if not self.on or self.ran == self.step:
            return False
        changed = self.changed()
        if not changed:
            self.safe = self.ran  # so far the steps follow from the copy
        wait = max(0.0 if changed or ended else FLOOR, SHARE * self._cost)
        due = time.perf_counter() >= self._taken + wait or self._grown()
        if due:
            await self.take()
        return due

    def changed(self) -> bool:
        """True when the host has assigned some of the state since the copy, as callbacks do."""
        return self._watched.assigned()

    def repeatable(self) -> int:
        """The last step whose result follows from the copy."""
        self._grown()
        if not self.complete or self.feed.orders is None:
            return self.step
        return self.safe if self.changed() else self.ran

    def keeps(self, variables: Sequence[Variable]) -> bool:
        """True when the copy holds all of these."""
        kept = {id(v) for v, _ in self.values}
        return all(id(v) in kept for v in variables if v.size)

    def place(self, step: int) -> tuple[int, int]:
        """Epoch, from 0, and steps within it after `step` steps of this fit."""
        epoch, before = [item for item in self.starts.items() if item[1] <= step][-1]
        return epoch, step - before

    # ---- what there is to keep
    def _traced(self) -> tuple[int, list[Variable]]:
        """How many traces of training steps there are, and the Variables they read or write."""
        captures = [capture for key, program in self.model._step_programs.programs.items()
                    if key[0] == "train" and isinstance(program, Program) for capture in program.captures.values()]
        return len(captures), [v for capture in captures for v in capture.states]

    def _state(self, states: Sequence[Variable]) -> list[Variable]:
        optimizer = [] if self.model.optimizer is None else self.model.optimizer.variables
        return list({id(v): v for v in (*self.model.variables, *optimizer, *states)}.values())

    def _grown(self) -> bool:
        """True when training has got Variables that the copy lacks: optimizers make theirs in the first step."""
        traces, states = self._traced()
        if traces == self._traces:
            return False
        self._traces = traces
        lacks = not self.keeps(states)
        self.complete = self.complete and not lacks
        return lacks
