"""Batches of a `pyml.data.Dataset`, which may have to wait for them."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml.core import Tensor, Variable
from pyml.core.tree import flatten, map_structure
from pyml.data.dataset import INFINITE_CARDINALITY
from pyml.data.structure import leaves
from pyml.errors import ShapeError
from pyml.trainers.batches import Batches, ran_out
from pyml.trainers.feed import Call, Calls, Feed
from pyml.trainers.io import IO

if TYPE_CHECKING:
    from pyml.data.dataset import Dataset
    from pyml.trainers.trainer import Trainer


@asynccontextmanager
async def opened(io: IO, *sources: Any) -> AsyncIterator[None]:
    """Opens those sources that are DatasetBatches; closes them at the end."""
    datasets = [source for source in sources if isinstance(source, DatasetBatches)]
    try:
        for source in datasets:
            await source.open(io)
        yield
    finally:
        for source in datasets:
            await source.close()


class DatasetBatches(Batches):
    """The batches of a Dataset, in passes.

    Args:
        source: The Dataset.
        steps: Batches per epoch. In training the next epoch then takes what the last one has left, and ends with the data;
            otherwise each starts from the beginning.
        what: Names the caller in errors.

    Raises:
        ValueError: The dataset is infinite and nobody said how long an epoch is.
    """

    uneven = False  # what differs in length may be a single sample

    def __init__(self, source: Dataset, steps: int | None = None, what: str = "fit"):
        self.source, self.what = source, what
        self.dataset = False
        self.per_epoch = steps
        self.steps = steps
        cardinality = source.cardinality()
        if cardinality == INFINITE_CARDINALITY and steps is None:
            name = {"fit": "steps_per_epoch", "validation_data": "validation_steps"}.get(what, "steps")
            raise ValueError(f"{what}: the dataset is infinite; pass {name}=, or choose a part of it with `take(count)`.")
        if cardinality >= 0:
            self.steps = cardinality if steps is None or (what != "fit" and cardinality < steps) else steps
        self._stream: Any = None
        self._first = None
        self._at_start = False                         # the stream has given nothing but the first batch
        self._shapes: Any = None
        self.class_weight = None
        self._io: IO | None = None
        self._number = 0                               # of the batch in its pass

    async def open(self, io: IO) -> None:
        """Reads the first batch, which `peek` shows.

        Raises:
            ValueError: There is none.
            ShapeError: It is not a batch.
        """
        self._io = io
        await self._begin()
        self._first = await self._next()
        if self._first is None:
            raise ValueError(f"{self.what}: the dataset gave no batches.")

    async def close(self) -> None:
        """Closes the files and connections of a pass that has not ended."""
        stream, self._stream, self._first = self._stream, None, None
        if stream is not None:
            if self._suspends:
                await stream.aclose()
            else:
                stream.close()

    @property
    def _suspends(self) -> bool:
        return self._io is not None and self._io.suspends

    def peek(self) -> tuple[Any, Any, Any]:
        """The first batch, which is still given later."""
        assert self._first is not None, "open() has read it"
        return self._first

    def waited(self, runs_on: bool = False) -> Epoch:
        """The batches of one epoch, each of which may have to be waited for."""
        return Epoch(self, runs_on and self.per_epoch is not None)

    # ---- passes
    async def _begin(self) -> None:
        await self.close()
        self._stream = aiter(self.source) if self._suspends else iter(self.source)
        self._number, self._at_start = 0, True

    async def _next(self) -> tuple[Any, Any, Any] | None:
        """The next batch of this pass, or None."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        element = await anext(self._stream, None) if self._suspends else next(self._stream, None)
        if element is None:
            return None
        self._number += 1
        return self._checked(await self._on_host(element))

    async def _on_host(self, element: Any) -> Any:
        """The element with its tensors read."""
        if not any(isinstance(leaf, (Tensor, Variable)) for leaf in flatten(element)):
            return element
        assert self._io is not None
        values = {}
        for leaf in flatten(element):
            if isinstance(leaf, (Tensor, Variable)):
                values[id(leaf)] = await self._io.read(leaf)
        return map_structure(lambda leaf: values.get(id(leaf), leaf), element)

    def _checked(self, element: Any) -> tuple[Any, Any, Any]:
        """The element as `(x, y, sample_weight)`.

        Raises:
            ShapeError: It is a single sample, or formed unlike the batches before.
        """
        if any(np.ndim(leaf) == 0 for leaf in leaves(element) if leaf is not None and not isinstance(leaf, list)):
            raise ShapeError(f"{self.what}: the dataset gives single samples, not batches; write `dataset.batch(32)`.")
        try:
            batch = self.standard(element)
        except ShapeError as error:
            raise ShapeError(f"{error} Where the dataset gives single samples, write `dataset.batch(32)`.") from None
        ranks = map_structure(lambda leaf: None if leaf is None else leaf.ndim, batch)
        if self._shapes is None:
            self._shapes = ranks
        elif ranks != self._shapes:
            raise ShapeError(
                f"{self.what}: batch {self._number} of the dataset has another structure than the first: expected (x, y, "
                f"sample_weight) with {self._shapes} dimensions. Received {ranks}."
            )
        return batch


class Epoch:
    """The batches of one epoch of a DatasetBatches."""

    def __init__(self, batches: DatasetBatches, runs_on: bool):
        self.batches, self.runs_on = batches, runs_on
        self.given = 0

    async def following(self) -> tuple[Any, Any, Any] | None:
        """The next batch, or None at the end of the epoch.

        Raises:
            ValueError: The dataset gave batches before and gives none any more.
        """
        batches = self.batches
        if self.given == batches.per_epoch:
            return None
        if batches._stream is None or (self.given == 0 and not self.runs_on and not batches._at_start):
            await batches._begin()
        batch = await batches._next()
        if batch is None and self.runs_on and self.given == 0:
            await batches._begin()                     # the last epoch took all there were
            batch = await batches._next()
            if batch is None:
                raise ValueError(f"{batches.what}: the dataset gave no batches in this pass.")
        if batch is None:
            batches._stream = None
            if batches.per_epoch is not None:
                ran_out(self.given, batches.per_epoch)
            return None
        self.given += 1
        batches._at_start = False
        return batch


class DatasetFeed(Feed):
    """The batches of a Dataset, sent from the host as they come.

    Args:
        model: A compiled model.
        kind: `"train"` or `"test"`.
        source: A DatasetBatches that is open.
    """

    def __init__(self, model: Trainer, kind: str, source: DatasetBatches):
        self.model, self.kind, self.source = model, kind, source
        self.num_batches = source.steps

    def epoch(self) -> DatasetCalls:
        return DatasetCalls(self.model, self.kind, self.source.waited(runs_on=self.kind == "train"))


class DatasetCalls(Calls):
    """The batches of one epoch of a Dataset as calls."""

    def __init__(self, model: Trainer, kind: str, epoch: Epoch):
        self.model, self.epoch = model, epoch
        self.step = model._step_programs.batch_step(kind)

    async def following(self) -> Call | None:
        batch = await self.epoch.following()
        if batch is None:
            return None
        self.model._check_numbers(batch[0], batch[1])
        return functools.partial(self.step, *batch)
