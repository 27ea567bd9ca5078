"""The loop of `predict`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml.callbacks.callback_list import CallbackList
from pyml.core.tree import flatten, map_structure
from pyml.trainers.adapt import Source
from pyml.trainers.data import Batches
from pyml.trainers.datasets import DatasetBatches, Epoch
from pyml.trainers.io import IO

if TYPE_CHECKING:
    from pyml.trainers.trainer import Trainer


def batches_of(source: Source, batch_size: int, steps: int | None) -> tuple[int | None, Iterator[Any] | Epoch]:
    """How many batches of inputs there are, where that is known, and the batches."""
    if isinstance(source, DatasetBatches):
        return source.steps, source.waited()
    if isinstance(source, Batches):
        return source.steps, (batch[0] for batch in source.epoch())
    count = min(-(-source.size // batch_size), steps or source.size)
    return count, (source.take(slice(i * batch_size, (i + 1) * batch_size))[0] for i in range(count))


async def following(batches: Iterator[Any] | Epoch) -> Any:
    """The next inputs, or None."""
    if isinstance(batches, Epoch):
        batch = await batches.following()
        return None if batch is None else batch[0]
    return next(batches, None)


async def predicted(model: Trainer, io: IO, batches: Iterator[Any] | Epoch, callbacks: CallbackList, batch_size: int) -> Any:
    """Predictions for batches of inputs, as nested numpy arrays.

    Args:
        model: A built model.
        batch_size: Rows per step; shorter batches are padded to the next power of two.
    """
    model.stop_predicting = False
    step = model._steps.program(("predict",))
    begin_hooks, end_hooks = callbacks.batch_hooks("predict")
    callbacks.on_predict_begin()
    parts: list[list[np.ndarray]] = []
    struct = waiting = None
    shown, index = time.perf_counter(), -1

    async def collect(outputs: Any, rows: int | None) -> None:
        parts.append([(await io.read(leaf))[:rows] for leaf in flatten(outputs)])

    while (x := await following(batches)) is not None:
        index += 1
        for hook in begin_hooks:
            hook(index, {})
        rows = next(leaf.shape[0] for leaf in flatten(x) if leaf is not None)
        given, x = x, padded(x, rows, batch_size)
        size = next(leaf.shape[0] for leaf in flatten(x) if leaf is not None)
        if not getattr(step, "captures", True):
            await io.prepare([(step, (x,))])
        outputs = struct = step(x)
        if any(leaf.shape[:1] != (size,) for leaf in flatten(outputs)):  # not a row for each row: none can be left out
            if size != rows:
                outputs = struct = step(given)
            rows = None
        if waiting is not None:  # the device works on this batch while the last one is read
            await collect(*waiting)
        waiting = (outputs, rows)
        if end_hooks:
            await collect(*waiting)
            waiting = None
            for hook in end_hooks:
                hook(index, {"outputs": unflatten(outputs, parts[-1])})
        if time.perf_counter() - shown > 0.1:
            shown = time.perf_counter()
            if callbacks._progbar is not None:
                callbacks._progbar.on_predict_batch_end(index)
            await io.pause()
        if model.stop_predicting:
            break
    if waiting is not None:
        await collect(*waiting)
    if index < 0:
        raise ValueError("predict: the data gave no batches.")
    callbacks.on_predict_end()
    columns = [np.concatenate(column) if len(parts) > 1 else column[0] for column in zip(*parts, strict=True)]
    return unflatten(struct, columns)


def unflatten(struct: Any, leaves: list[np.ndarray]) -> Any:
    """Flat arrays in the structure of the model's outputs."""
    iterator = iter(leaves)
    if not isinstance(struct, dict):
        return map_structure(lambda _: next(iterator), struct)
    values = dict(zip(sorted(struct), leaves, strict=True))
    return {key: values[key] for key in struct}


def padded(x: Any, rows: int, batch_size: int) -> Any:
    """Inputs with zero rows added up to the next power of two, so that few shapes have to be compiled."""
    size = min(1 << max(rows - 1, 0).bit_length(), batch_size) if rows < batch_size else rows

    def pad(array: np.ndarray | None) -> np.ndarray | None:
        if array is None or size == rows:
            return array
        return np.concatenate([array, np.zeros((size - rows, *array.shape[1:]), array.dtype)])

    return map_structure(pad, x)
