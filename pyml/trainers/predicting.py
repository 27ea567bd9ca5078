"""The loop of `predict`."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml.callbacks.callback_list import CallbackList
from pyml.core.tree import flatten, map_structure, pack_sequence_as
from pyml.trainers.adapt import Source
from pyml.trainers.batches import Batches
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


async def predicted(
    model: Trainer, io: IO, batches: Iterator[Any] | Epoch, callbacks: CallbackList, batch_size: int, whole: bool = False
) -> Any:
    """Predictions for batches of inputs, as nested numpy arrays.

    Args:
        model: A built model.
        whole: The batches are tuples that its own `predict_step` takes as they are.
        batch_size: Rows per step; for shorter batches see `answered`.
    """
    model.stop_predicting = False
    step = model._step_programs.program(("predict_whole" if whole else "predict",))
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
        model._check_indices(x[0] if whole else x)
        outputs, rows = await answered(step, io, x, batch_size)
        struct = outputs
        if index == 0:
            for leaf in flatten(outputs):
                if not getattr(leaf, "shape", ()):
                    told = "None; end the call() of the model, or its predict_step(), with `return`" if leaf is None else "a single number"
                    name = type(model).__name__
                    raise ValueError(f"predict: {name} must give outputs with the batch as their first axis. It gave {told}.")
        if waiting is not None:  # the device works on this batch while the last one is read
            await collect(*waiting)
        waiting = (outputs, rows)
        if end_hooks:
            await collect(*waiting)
            waiting = None
            for hook in end_hooks:
                hook(index, {"outputs": pack_sequence_as(outputs, parts[-1])})
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
    return pack_sequence_as(struct, columns)


async def answered(step: Any, io: IO, x: Any, batch_size: int) -> tuple[Any, int | None]:
    """The outputs for a batch, and how many of their rows belong to it (None: all).

    A short batch has a program of its own size, as a model may mix the rows of a batch. Only where there are batches of ever
    more sizes, and it makes no difference, they are filled up with rows that nobody asked for: with zeros, and once more with
    rows of the batch itself. Where the rows that count are not the same to the last bit, the size gets its program, and all
    later ones too.
    """
    rows = next(leaf.shape[0] for leaf in flatten(x) if leaf is not None)
    if not getattr(step, "captures", True):
        await io.prepare([(step, (x,))])
    if not hasattr(step, "captures"):  # a model that runs without programs
        return step(x), None
    known = _sizes.setdefault(step, Sizes())
    step.many = 1 << 30  # batches of many sizes are what is expected here
    if rows >= batch_size or rows in known.own or len(known.own) < SIZES or known.mixed or any(c.written for c in step.captures.values()):
        known.own.add(rows)
        return step(x), None

    async def read(outputs: Any) -> list[np.ndarray]:
        return [await io.read(leaf) for leaf in flatten(outputs)]

    size = min(1 << (rows - 1).bit_length(), batch_size)
    with_zeros = await read(step(padded(x, size, lambda array: np.zeros((size - rows, *array.shape[1:]), array.dtype))))
    outputs = step(padded(x, size, lambda array: np.resize(array, (size - rows, *array.shape[1:]))))
    with_rows = await read(outputs)
    same = all(a.shape[:1] == (size,) and np.array_equal(a[:rows], b[:rows], equal_nan=a.dtype.kind == "f")
               for a, b in zip(with_zeros, with_rows, strict=True))  # fmt: skip
    if same and known.checked:
        return outputs, rows
    alone = step(x)  # once it is also asked what the batch by itself gives: a model may look at the number of its rows
    known.checked = True
    known.mixed = not same or not all(np.allclose(a, b[:rows], 1e-4, 1e-5, equal_nan=True)
                                      for a, b in zip(await read(alone), with_rows, strict=True))  # fmt: skip
    return alone, None


class Sizes:
    """Of a program: the sizes of batches that it was compiled for, and whether others may be filled up."""

    def __init__(self) -> None:
        self.own: set[int] = set()
        self.checked = self.mixed = False


SIZES = 8  # programs, each for batches of one size, before short ones are filled up
_sizes: weakref.WeakKeyDictionary[Any, Sizes] = weakref.WeakKeyDictionary()


def padded(x: Any, size: int, more: Callable[[np.ndarray], np.ndarray]) -> Any:
    """Inputs of `size` rows."""
    return map_structure(lambda array: array if array is None else np.concatenate([array, more(array)]), x)
