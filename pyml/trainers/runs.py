"""`fit`, `evaluate` and `predict` from the checked arguments to the result, each written once as a coroutine."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from pyml.callbacks.callback_list import CallbackList
from pyml.callbacks.history import History
from pyml.errors import DeviceLost
from pyml.trainers import recovery
from pyml.trainers.adapt import Source, adapt, training_data
from pyml.trainers.batches import Batches
from pyml.trainers.data import Arrays
from pyml.trainers.datasets import opened
from pyml.trainers.feed import Feed
from pyml.trainers.feeds import make_feed, rows_of, steps_of
from pyml.trainers.io import IO
from pyml.trainers.loop import Evaluation, Loop
from pyml.trainers.one_batch import is_whole
from pyml.trainers.options import Options
from pyml.trainers.predicting import batches_of, predicted
from pyml.trainers.running import in_progress

if TYPE_CHECKING:
    from pyml.trainers.trainer import Trainer


async def fit(model: Trainer, io: IO, options: Options) -> History:
    """Trains; see `Trainer.fit`."""
    model._need_compile("fit")
    with in_progress(model, "fit", io):
        staged(model, options)
        source, held_out = training_data(options)
        whole_for(model, "train", source)
        whole_for(model, "test", held_out)
        batch_size = rows_of(model, source, options.batch_size, "fit", options.steps)
        async with opened(io, source, held_out):
            steps = steps_of(source, batch_size, options.steps)
            make = functools.partial(make_feed, model, "train", source, batch_size, options.shuffle, steps)
            feed = make()
            validation: Feed | Evaluation | None = None
            if held_out is not None:
                if isinstance(held_out, Arrays) and held_out.y is None and model._needs_targets():
                    raise ValueError("fit: validation_data holds no targets y for the loss given to compile; pass validation_data=(x, y).")
                size = rows_of(model, held_out, options.validation_batch_size or options.batch_size, "validation_data",
                               options.validation_steps)  # fmt: skip
                validation = evaluation(model, io, held_out, size, options) or make_feed(
                    model, "test", held_out, size, False, steps_of(held_out, size, options.validation_steps))
            callbacks = called(model, options, feed.num_batches, history=True)
            try:
                await Loop(model, io, callbacks).fit(feed, validation, options)
            except DeviceLost as error:
                raise await recovery.recovered(model, io, make, error) from error
            except BaseException as error:             # Ctrl-C too
                callbacks.broke(error)
                raise
            finally:
                model._state_keeper = None
                model._resident_data.drop_large(model)
        assert model.history is not None
        return model.history


def evaluation(model: Trainer, io: IO, held_out: Source, size: int, options: Options) -> Evaluation | None:
    """A subclass' own `evaluate` over the validation data, where there is one and it can wait for its results."""
    if not (model._writes_evaluate() and io.can_wait):
        return None
    x, y, weight = held_out.struct if isinstance(held_out, Arrays) else (options.validation_data, None, None)
    given = {"x": x, "y": y, "sample_weight": weight, "batch_size": size, "steps": options.validation_steps}
    return functools.partial(model.evaluate, **given, return_dict=True)


async def evaluate(model: Trainer, io: IO, options: Options) -> dict[str, Any]:
    """One pass over some data; returns the logs."""
    model._need_compile("evaluate")
    with in_progress(model, "evaluate", io) as nested:
        staged(model, options)
        source = adapt(options.x, options.y, options.sample_weight, "evaluate", options.steps)
        whole_for(model, "test", source)
        batch_size = rows_of(model, source, options.batch_size, "evaluate", options.steps)
        async with opened(io, source):
            feed = make_feed(model, "test", source, batch_size, False, steps_of(source, batch_size, options.steps), nested)
            logs = await Loop(model, io, called(model, options, feed.num_batches)).evaluate(feed)
        model._resident_data.drop_large(model)
        return logs


async def predict(model: Trainer, io: IO, options: Options) -> Any:
    """Predictions in the structure of the model's outputs."""
    staged(model, options)
    source = adapt(options.x, what="predict", steps=options.steps)
    whole_for(model, "predict", source)
    batch_size = rows_of(model, source, options.batch_size, "predict", options.steps)
    async with opened(io, source):
        model._build_for(source, batch_size)
        whole = isinstance(source, Batches) and is_whole(source.peek())
        count, batches = batches_of(source, batch_size, steps_of(source, batch_size, options.steps))
        return await predicted(model, io, batches, called(model, options, count), batch_size, whole)


def staged(model: Trainer, options: Options) -> None:
    """Has the model compute on the host what it does there, for the inputs of a call."""
    options.x = model._staged_inputs(options.x)
    given = options.validation_data
    if isinstance(given, (tuple, list)) and given:
        options.validation_data = (model._staged_inputs(given[0]), *given[1:])
    else:
        options.validation_data = model._staged_inputs(given)


def whole_for(model: Trainer, kind: str, source: Source | None) -> None:
    """A step that a subclass wrote gets the batches of an iterator as they are."""
    if isinstance(source, Batches):
        source.whole = model._step_programs.writes(kind)


def called(model: Trainer, options: Options, steps: int | None, history: bool = False) -> CallbackList:
    """The callbacks of a call."""
    given = options.callbacks
    if isinstance(given, CallbackList):
        return given
    return CallbackList(given, add_history=history, add_progbar=options.verbose != 0, model=model, verbose=options.verbose,
                        epochs=options.epochs, steps=steps)  # fmt: skip
