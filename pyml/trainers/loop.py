"""The loop of `fit` and `evaluate`, written once as a coroutine."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pyml.callbacks.callback_list import CallbackList
from pyml.callbacks.keeping import Reading
from pyml.tracebacks import warn
from pyml.trainers.feed import Call, Calls, Feed
from pyml.trainers.interrupts import Interrupts, deferred
from pyml.trainers.io import IO
from pyml.trainers.keeper import Keeper
from pyml.trainers.logs import BatchLogs
from pyml.trainers.options import Options
from pyml.trainers.pacer import Pacer

if TYPE_CHECKING:
    from pyml.trainers.trainer import Trainer

_RAN_OUT = (
    "Your input ran out of data in epoch {epoch} of {epochs}; fit ends there. An iterator yields its batches only once: make it give "
    "steps_per_epoch * epochs of them, or pass arrays, a list of batches, a PyDataset or a pyml.data.Dataset."
)
Evaluation = Callable[..., dict[str, Any]]  # of callbacks: a model's own `evaluate`
_FLAGS = {"train": "stop_training", "test": "stop_evaluating"}


class Loop:
    """One run of `fit` or `evaluate`.

    Args:
        model: A compiled model.
        io: SyncIO or AsyncIO.
        callbacks: A CallbackList.
    """

    def __init__(self, model: Trainer, io: IO, callbacks: CallbackList):
        self.model, self.io, self.callbacks = model, io, callbacks
        self.steps = model._step_programs
        self.keeper: Keeper | None = None  # of fit
        self.done = 0  # training steps of earlier epochs
        self.warned = False
        self.interrupts = Interrupts()

    async def fit(self, feed: Feed, validation: Feed | Evaluation | None, options: Options) -> None:
        """Trains; returns nothing, the History callback keeps the logs."""
        model, callbacks, epochs = self.model, self.callbacks, options.epochs
        model.stop_training = False
        await self.compile(feed, "train")
        self.keeper = keeper = Keeper(model, self.io, feed)
        await keeper.take()
        model._initial_epoch, model._initial_batch = options.initial_epoch, 0
        callbacks.on_train_begin()
        first, skip = model._initial_epoch or options.initial_epoch, model._initial_batch
        self.done = -skip  # batches are numbered as in a whole epoch
        keeper.starts = {first: 0}
        keeper.ran = keeper.step = keeper.safe = skip
        self.steps.program(("begin",))()
        pacer = Pacer()
        logs: dict[str, Any] = {}
        with deferred() as self.interrupts:
            for epoch in range(first, epochs):
                self.steps.program(("reset",))()
                callbacks.on_epoch_begin(epoch)
                before = self.done
                found = await self.run(feed, "train", pacer, skip=skip if epoch == first else 0)
                ended = feed.once and not model.stop_training and self.done - before < (feed.num_batches or 1)
                if ended:
                    warn(_RAN_OUT.format(epoch=epoch + 1, epochs=epochs))
                if not found and skip and epoch == first:  # all its batches were done before
                    continue
                if not found:
                    break
                logs = found
                keeper.starts[epoch + 1] = keeper.ran
                if validation is not None and options.validates_after(epoch + 1):
                    tested = validation(callbacks=callbacks) if callable(validation) else await self.evaluate(validation)
                    logs |= {f"val_{name}": value for name, value in tested.items()}
                if epoch + 1 < epochs:
                    await keeper.looked(ended=True)
                await self.provide("on_epoch_end", epoch)
                logs = dict(sorted(logs.items()))      # as Keras keeps them
                callbacks.on_epoch_end(epoch, dict(logs))  # what callbacks add is for those after them
                await self.io.pause()
                if model.stop_training or ended:
                    break
        if epochs > 0 and model.optimizer is not None:
            model.optimizer.finalize_variable_values(model.trainable_variables)
        callbacks.on_train_end(logs)

    async def compile(self, feed: Feed, kind: str) -> None:
        """Compiles the feed's programs ahead, side by side."""
        programs = [*feed.programs(), *((self.steps.program((name,)), ()) for name in ("begin", "reset"))]
        if not self.steps.owns(kind):  # a step of one's own says what it logs when it is traced
            programs.append((self.steps.results_program(kind), ()))
        new = [(program, args) for program, args in programs if not getattr(program, "captures", True)]
        if new:
            await self.io.prepare(new)

    async def evaluate(self, feed: Feed) -> dict[str, Any]:
        """One pass without training; returns the logs."""
        self.model.stop_evaluating = False
        await self.compile(feed, "test")
        self.callbacks.on_test_begin()
        self.steps.program(("reset",))()
        logs = await self.run(feed, "test", Pacer())
        await self.provide("on_test_end", 0)
        self.callbacks.on_test_end(dict(logs))
        return logs

    async def run(self, feed: Feed, kind: str, pacer: Pacer, skip: int = 0) -> dict[str, Any]:
        """All steps of an epoch, but the first `skip`. The inner loop does no work per op: one replay, and a look now and then."""
        model, interrupts, flag = self.model, self.interrupts, _FLAGS[kind]
        keeper = self.keeper if kind == "train" else None
        begin_hooks, end_hooks = self.callbacks.batch_hooks(kind)
        index = 0
        logs: dict[str, Any] | None = None
        pacer.restart()
        given = feed.epoch()
        following = given.following if isinstance(given, Calls) else None  # of a dataset, which may have to wait for its batches
        calls: Iterator[Call] = iter(()) if isinstance(given, Calls) else iter(given)
        if skip:
            while index < skip and (await following() if following else next(calls, None)) is not None:
                index += 1
            feed.skipped(skip)
        while (run := await following() if following else next(calls, None)) is not None:
            for hook in begin_hooks:
                hook(index, {})
            run()
            logs = None
            if keeper is not None:
                keeper.ran += 1
            if end_hooks:
                await self.end_hooks(end_hooks, index, kind)
            index += 1
            if pacer.due():
                logs = await self.look(kind, index)
                pacer.looked()
                if keeper is not None and await keeper.looked():
                    pacer.restart()  # copies are no part of the time that steps take
            if interrupts.pending:
                interrupts.check()
            if getattr(model, flag):
                break
        if index == 0 and (kind != "train" or not self.done):
            raise ValueError(
                f"{'fit' if kind == 'train' else 'evaluate'}: the data gave no batches. An iterator yields its batches only once; for "
                "several epochs pass arrays, a list of batches, a PyDataset or a pyml.data.Dataset."
            )
        if index <= skip:  # an iterator that ended with the last epoch, or nothing to resume
            self.done += index
            return {}
        logs = logs or await self.look(kind, index)
        if kind == "train":
            self.done += index
        return logs

    async def look(self, kind: str, index: int) -> dict[str, Any]:
        """Reads loss and metrics, moves the progress bar, notices a loss that is not finite."""
        logs, bad = self.steps.unpack(await self.io.read(self.steps.results_program(kind)()), kind)
        if kind == "train" and bad >= 0 and not self.warned:
            self.warned = True
            self.report(bad)
        progbar = self.callbacks._progbar
        if progbar is not None:
            hook = progbar.on_train_batch_end if kind == "train" else progbar.on_test_batch_end
            hook(index - 1, logs)
        await self.io.pause()
        return logs

    def report(self, bad: int) -> None:
        """Says at which step the loss stopped being finite."""
        batch = bad - self.done
        warn(
            f"The loss stopped being finite at step {bad + 1} of this fit (batch {batch} of its epoch). Look for NaN in "
            "the data, or use a smaller learning rate or clipnorm; callbacks.TerminateOnNaN() stops there.",
            RuntimeWarning,
        )
        self.callbacks.notify_nonfinite(batch)

    async def end_hooks(self, hooks: Sequence[Any], index: int, kind: str) -> None:
        """Calls batch hooks with logs that are computed when looked at, or where a hook kept them."""
        if self.io.can_wait or not any(looks_at_logs(hook) for hook in hooks):
            logs: Any = BatchLogs(self.steps, kind)
            kept = weakref.ref(logs)
        else:
            logs = self.steps.unpack(await self.io.read(self.steps.results_program(kind)()), kind)[0]
            kept = None
        await self.provide(f"on_{kind}_batch_end", index)
        for hook in hooks:
            hook(index, logs)
        del logs
        if kept is not None and (logs := kept()) is not None:  # somebody has them, and may look after the next step
            logs.fix()

    async def provide(self, hook: str, number: int) -> None:
        """Reads what callbacks will look at in a hook, where the hook could not wait for it."""
        if self.io.can_wait:
            return
        for callback in self.callbacks:
            if isinstance(callback, Reading) and (variables := callback.reads(hook, number)):
                callback.take(variables, await self.io.read_all(variables))


def looks_at_logs(hook: Any) -> bool:
    """Whether a batch hook may look at its logs this time; callbacks that know have a method of this name."""
    known = getattr(getattr(hook, "__self__", None), "looks_at_logs", None)
    return known is None or known()
