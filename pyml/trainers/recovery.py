"""After a lost GPU device: the weights of the last completed step on a working device."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyml import config
from pyml.errors import DeviceLost
from pyml.trainers.feed import Feed
from pyml.trainers.io import IO
from pyml.trainers.keeper import Keeper
from pyml.trainers.pacer import Pacer

if TYPE_CHECKING:
    from pyml.trainers.trainer import Trainer

PATIENCE = 10.0  # seconds that steps are run again


async def recovered(model: Trainer, io: IO, remake: Callable[[], Feed], error: DeviceLost) -> DeviceLost:
    """Puts the state of a lost run on a device that works and returns the error to raise.

    The copy that fit kept is some steps old. Where the data can be had again, those steps are run once more: from the
    same state, with the same rows, so they end in the same weights.

    Args:
        model: A model in `fit`.
        io: SyncIO or AsyncIO.
        remake: Makes the feed of this `fit` again.
        error: The DeviceLost.
    """
    keeper = model._state_keeper
    if keeper is None or not keeper.values:
        return error
    last = keeper.repeatable()
    try:
        backend = await restored(model, io, keeper)
        step = keeper.step
        if last > step:
            try:
                step = await rerun(model, io, keeper, remake, last)
            except DeviceLost:  # perhaps it is these steps that the device cannot bear
                backend = await restored(model, io, keeper)
    except Exception as failure:  # the page may have no device left at all
        return DeviceLost(f"{error} The weights could not be restored: {failure}")
    return DeviceLost(f"{str(error).removesuffix(DeviceLost.CURE).rstrip()} {said(model, keeper, step, backend)}")


async def restored(model: Trainer, io: IO, keeper: Keeper) -> str:
    """Opens a device and gives it the kept copy. Returns the backend's name."""
    backend = await io.wait(config.reopen_async())
    for variable, value in keeper.values:
        variable.assign(value)
    model._forget_device(keeper.keeps([] if model.optimizer is None else model.optimizer.variables))
    return backend


async def rerun(model: Trainer, io: IO, keeper: Keeper, remake: Callable[[], Feed], last: int) -> int:
    """Runs the steps after the copy again, up to `last` or as many as time allows. Returns the last step run."""
    feed, pacer, step = remake(), Pacer(), keeper.step
    end = time.perf_counter() + PATIENCE
    assert keeper.feed.orders is not None and feed.orders is not None, "steps can be repeated only where batches come twice"
    for call in feed.again(keeper.feed.orders, step, last):
        call()
        step += 1
        if pacer.due():
            await io.read(model._loss_watch.step)
            await io.pause()
            pacer.looked()
            if time.perf_counter() > end:
                break
    await io.read(model._loss_watch.step)  # it has all arrived
    return step


def said(model: Trainer, keeper: Keeper, step: int, backend: str) -> str:
    """What the model has now, as a sentence."""
    epoch, done = keeper.place(step)
    if step == 0:
        weights = "the weights that fit began with"
    elif done == 0:
        weights = f"the weights of the end of epoch {epoch}"
    else:
        weights = f"the weights after step {done} of epoch {epoch + 1}"
    lost = keeper.ran - step
    later = f" ({lost} later step{'s are' if lost > 1 else ' is'} lost)" if lost else ""
    cure = "go on" if model.compiled else "compile it and go on"
    return f"The model has {weights}{later} again, on '{backend}'; {cure} with fit(initial_epoch={epoch})."
