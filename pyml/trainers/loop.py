"""The loops of `fit`, `evaluate` and `predict`, written once as coroutines."""

import time
import warnings
import weakref

import numpy as np

from pyml.core.tree import flatten, map_structure
from pyml.trainers.interrupts import Interrupts, deferred
from pyml.trainers.keeper import Keeper
from pyml.trainers.logs import BatchLogs
from pyml.trainers.pacer import Pacer

_FLAGS = {"train": "stop_training", "test": "stop_evaluating", "predict": "stop_predicting"}


class Loop:
    """One run of `fit` or `evaluate`.

    Args:
        model: A compiled model.
        io: SyncIO or AsyncIO.
        callbacks: A CallbackList.
    """

    def __init__(self, model, io, callbacks):
        self.model, self.io, self.callbacks = model, io, callbacks
        self.steps = model._steps
        self.keeper = None                             # of fit
        self.done = 0                                  # training steps of earlier epochs
        self.warned = False
        self.interrupts = Interrupts()

    async def fit(self, feed, validation, epochs, initial_epoch, validation_freq):
        """Trains; returns nothing, the History callback keeps the logs."""
        model, callbacks = self.model, self.callbacks
        model.stop_training = False
        await self.compile(feed)
        self.keeper = keeper = Keeper(model, self.io, feed)
        keeper.starts[initial_epoch] = 0
        await keeper.take()
        callbacks.on_train_begin()
        self.steps.begin_program()()
        pacer, logs = Pacer(), {}
        with deferred() as self.interrupts:
            for epoch in range(initial_epoch, epochs):
                self.steps.reset_program()()
                callbacks.on_epoch_begin(epoch)
                logs = await self.run(feed, "train", pacer)
                keeper.starts[epoch + 1] = keeper.ran
                if validation is not None and due(epoch + 1, validation_freq):
                    for name, value in (await self.evaluate(validation)).items():
                        logs[f"val_{name}"] = value
                if epoch + 1 < epochs:
                    await keeper.looked(ended=True)
                callbacks.on_epoch_end(epoch, logs)
                await self.io.pause()
                if model.stop_training:
                    break
        if epochs > 0 and model.optimizer is not None:
            model.optimizer.finalize_variable_values(model.trainable_variables)
        callbacks.on_train_end(logs)

    async def compile(self, feed):
        """Compiles the feed's programs ahead, side by side."""
        steps = self.steps
        programs = [*feed.programs(), *((p, ()) for p in (steps.begin_program(), steps.reset_program(), steps.read_program()))]
        new = [(program, args) for program, args in programs if not getattr(program, "captures", True)]
        if new:
            await self.io.prepare(new)

    async def evaluate(self, feed):
        """One pass without training; returns the logs."""
        self.model.stop_evaluating = False
        await self.compile(feed)
        self.callbacks.on_test_begin()
        self.steps.reset_program()()
        logs = await self.run(feed, "test", Pacer())
        self.callbacks.on_test_end(logs)
        return logs

    async def run(self, feed, kind, pacer):
        """All steps of an epoch. The inner loop does no work per op: one replay, and a look now and then."""
        model, interrupts, keeper, flag = self.model, self.interrupts, self.keeper, _FLAGS[kind]
        training = kind == "train"
        begin_hooks, end_hooks = self.callbacks.batch_hooks(kind)
        index, logs = 0, None
        pacer.restart()
        calls = feed.epoch()
        following = getattr(calls, "following", None)  # of a dataset, which may have to wait for its batches
        calls = iter(()) if following else iter(calls)
        while (run := await following() if following else next(calls, None)) is not None:
            for hook in begin_hooks:
                hook(index)
            run()
            logs = None
            if training:
                keeper.ran += 1
            if end_hooks:
                await self.end_hooks(end_hooks, index)
            index += 1
            if pacer.due():
                logs = await self.look(kind, index)
                pacer.looked()
                if training and await keeper.looked():
                    pacer.restart()                    # copies are no part of the time that steps take
            if interrupts.pending:
                interrupts.check()
            if getattr(model, flag):
                break
        if index == 0:
            raise ValueError(f"{'fit' if kind == 'train' else 'evaluate'}: the data gave no batches.")
        logs = logs or await self.look(kind, index)
        if training:
            self.done += index
        return logs

    async def look(self, kind, index):
        """Reads loss and metrics, moves the progress bar, notices a loss that is not finite."""
        logs, bad = self.steps.unpack(await self.io.read(self.steps.read_program()()))
        if kind == "train" and bad >= 0 and not self.warned:
            self.warned = True
            self.report(bad)
        progbar = self.callbacks._progbar
        if progbar is not None:
            hook = progbar.on_train_batch_end if kind == "train" else progbar.on_test_batch_end
            hook(index - 1, logs)
        await self.io.pause()
        return logs

    def report(self, bad):
        """Says at which step the loss stopped being finite."""
        batch = bad - self.done
        warnings.warn(
            f"The loss stopped being finite at step {bad + 1} of this fit (batch {batch} of its epoch). Look for NaN in "
            "the data, or use a smaller learning rate or clipnorm; callbacks.TerminateOnNaN() stops there.",
            RuntimeWarning, stacklevel=2,
        )
        self.callbacks.notify_nonfinite(batch)

    async def end_hooks(self, hooks, index):
        """Calls batch hooks with logs that are read when looked at."""
        tensor = self.steps.read_program()()
        names = sorted(name for name, _ in self.model._named_metrics())
        logs = BatchLogs(names, tensor, self.steps.unpack)
        if not self.io.can_wait:
            logs = self.steps.unpack(await self.io.read(tensor))[0]
        for hook in hooks:
            hook(index, logs=logs)


def due(epoch, frequency):
    """True where validation runs after epoch number `epoch`, counted from 1."""
    return epoch % frequency == 0 if isinstance(frequency, int) else epoch in frequency


async def predict(model, io, batches, callbacks, batch_size):
    """Predictions for batches of inputs, as nested numpy arrays.

    Args:
        model: A built model.
        io: SyncIO or AsyncIO.
        batches: Iterator of nested inputs.
        callbacks: A CallbackList.
        batch_size: Rows per step; shorter batches are padded to the next power of two.
    """
    model.stop_predicting = False
    step = model._steps.program(("predict",), lambda: predictor(model._steps))
    begin_hooks, end_hooks = callbacks.batch_hooks("predict")
    callbacks.on_predict_begin()
    parts, struct, waiting = [], None, None
    shown = time.perf_counter()

    async def collect(outputs, rows):
        parts.append([(await io.read(leaf))[:rows] for leaf in flatten(outputs)])

    following = getattr(batches, "following", None)
    index = -1
    while (x := await following() if following else next(batches, None)) is not None:
        x, index = x[0] if following else x, index + 1
        for hook in begin_hooks:
            hook(index)
        rows = next(leaf.shape[0] for leaf in flatten(x) if leaf is not None)
        x = padded(x, rows, batch_size)
        if not getattr(step, "captures", True):
            await io.prepare([(step, (x,))])
        outputs = step(x)
        struct = outputs
        if waiting is not None:                        # the device works on this batch while the last one is read
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
    if struct is None:
        raise ValueError("predict: the data gave no batches.")
    callbacks.on_predict_end()
    columns = [np.concatenate(column) if len(parts) > 1 else column[0] for column in zip(*parts, strict=True)]
    return unflatten(struct, columns)


def predictor(steps):
    """The traced function of `predict`."""
    ref = weakref.ref(steps)
    return lambda x: ref().predict(x)


def unflatten(struct, leaves):
    """Flat arrays in the structure of the model's outputs."""
    iterator = iter(leaves)
    if not isinstance(struct, dict):
        return map_structure(lambda _: next(iterator), struct)
    values = dict(zip(sorted(struct), leaves, strict=True))
    return {key: values[key] for key in struct}


def padded(x, rows, batch_size):
    """Inputs with zero rows added up to the next power of two, so that few shapes have to be compiled."""
    size = min(1 << max(rows - 1, 0).bit_length(), batch_size) if rows < batch_size else rows

    def pad(array):
        if array is None or size == rows:
            return array
        return np.concatenate([array, np.zeros((size - rows, *array.shape[1:]), array.dtype)])

    return map_structure(pad, x)
