"""`Trainer`: compile, fit, evaluate and predict of a model."""

from pyml import metrics as metrics_module
from pyml import optimizers
from pyml.callbacks.callback_list import CallbackList
from pyml.core import Tensor
from pyml.core.tree import flatten
from pyml.errors import DeviceLost
from pyml.trainers import loop, recovery
from pyml.trainers.compile_loss import CompileLoss
from pyml.trainers.compile_metrics import CompileMetrics
from pyml.trainers.data import Arrays, Batches, adapt, check_labels
from pyml.trainers.datasets import DatasetBatches, DatasetFeed, opened
from pyml.trainers.feed import BatchFeed, ResidentFeed
from pyml.trainers.io import AsyncIO, SyncIO, drive
from pyml.trainers.resident import LIMIT, Resident
from pyml.trainers.step_methods import StepMethods
from pyml.trainers.steps import Steps
from pyml.utils.data_utils import unpack_x_y_sample_weight


class Trainer(StepMethods):
    """Mixin of Model: the training loop. `fit` waits; `await fit_async` lets the event loop run meanwhile."""

    def __init__(self):
        put = self.__dict__
        put["optimizer"] = put["loss"] = None
        put["compiled"] = False
        put["run_eagerly"] = False
        put["stop_training"] = put["stop_evaluating"] = put["stop_predicting"] = False
        put["history"] = None
        put["_loss_tracker"] = None
        put["_compile_loss"] = put["_compile_metrics"] = put["_compile_weighted_metrics"] = None
        put["_steps"] = Steps(self)
        put["_resident"] = {}
        put["_kept"] = None

    def compile(self, optimizer="rmsprop", loss=None, loss_weights=None, metrics=None, weighted_metrics=None,
                run_eagerly=False, steps_per_execution=1, jit_compile="auto", auto_scale_loss=True):
        """Chooses how the model is trained.

        Args:
            optimizer: Name or object.
            loss: Name, function or Loss; a list or dict of them for several outputs.
            loss_weights: Factors of the losses.
            metrics: List of names, functions or Metrics; lists or a dict of lists for several outputs.
            weighted_metrics: The same, with sample weights applied.
            run_eagerly: Run every step op by op, for debugging.
            steps_per_execution, jit_compile, auto_scale_loss: Kept for Keras' signature: steps are always compiled
                and sent ahead as far as the device needs.

        Raises:
            ValueError: An identifier is unknown.

        Example:
            >>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        """
        put = self.__dict__
        put["optimizer"] = optimizers.get(optimizer)
        put["loss"] = loss
        put["run_eagerly"] = bool(run_eagerly)
        put["_compile_arguments"] = {"loss": loss, "loss_weights": loss_weights, "metrics": metrics,
                                         "weighted_metrics": weighted_metrics}
        put["_compile_loss"] = None if loss is None else CompileLoss(loss, loss_weights)
        put["_compile_metrics"] = CompileMetrics(metrics) if metrics else None
        put["_compile_weighted_metrics"] = CompileMetrics(weighted_metrics, weighted=True) if weighted_metrics else None
        put["_loss_tracker"] = metrics_module.Mean(name="loss")
        put["compiled"] = True
        put["stop_training"] = False
        self._reset_programs()

    def _reset_programs(self):
        if "_steps" in self.__dict__:
            self.__dict__["_steps"] = Steps(self)
            self.__dict__["_resident"] = {}

    def _forget_device(self, keep_compiled):
        """Drops the programs and data of a lost device; without the optimizer's state `compile` starts anew."""
        self.__dict__["compiled"] = keep_compiled
        self._reset_programs()
        for metric in self.metrics:
            metric.reset_state()

    def _need_compile(self, what):
        if not self.compiled:
            raise ValueError(f"You must call `compile()` before calling `{what}()`.")

    # ---- fit
    def fit(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None, validation_split=0.0,
            validation_data=None, shuffle=True, class_weight=None, sample_weight=None, initial_epoch=0,
            steps_per_epoch=None, validation_steps=None, validation_batch_size=None, validation_freq=1):
        """Trains for some epochs and waits until they are done.

        Args:
            x: Inputs: an array `(samples, ...)`, a list or dict of arrays, a `pyml.data.Dataset` of batches, or an
                iterator of batches; batches are `x`, `(x, y)` or `(x, y, sample_weight)`.
            y: Targets, unless batches bring them.
            batch_size: Samples per step, 32.
            epochs: Number of the last epoch.
            verbose: 0 silent, 1 progress bar, 2 one line per epoch, "auto" 1 in a terminal and 2 elsewhere.
            callbacks: List of callbacks.
            validation_split: Share of the samples, from the end, that is only evaluated.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to evaluate after each epoch.
            shuffle: New order of the samples each epoch.
            class_weight: Dict of class to weight.
            sample_weight: One weight per sample.
            initial_epoch: Number of epochs done before.
            steps_per_epoch: Steps per epoch, instead of all; passes over the data then run on across epochs.
            validation_steps, validation_batch_size: The same for validation.
            validation_freq: Validate every so many epochs, or a list of epochs counted from 1.

        Returns:
            A History; `history.history["loss"]` has one number per epoch.

        Raises:
            ShapeError: Shapes do not fit each other or the model; nothing has run then.
            SyncReadError: This browser cannot wait; write `await model.fit_async(...)`.
        """
        arguments = {**locals()}
        return drive(self._fit(SyncIO(), **_without_self(arguments)))

    async def fit_async(self, x=None, y=None, batch_size=None, epochs=1, verbose="auto", callbacks=None,
                        validation_split=0.0, validation_data=None, shuffle=True, class_weight=None,
                        sample_weight=None, initial_epoch=0, steps_per_epoch=None, validation_steps=None,
                        validation_batch_size=None, validation_freq=1):
        """`fit` that lets the event loop run a few times a second; works in every browser."""
        arguments = {**locals()}
        return await self._fit(AsyncIO(), **_without_self(arguments))

    async def _fit(self, io, x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle,
                   class_weight, sample_weight, initial_epoch, steps_per_epoch, validation_steps,
                   validation_batch_size, validation_freq):
        self._need_compile("fit")
        source = adapt(x, y, sample_weight, "fit", steps_per_epoch)
        if validation_split and validation_data is None:
            if not isinstance(source, Arrays):
                raise ValueError("fit: validation_split needs arrays; pass validation_data with an iterator.")
            source, held_out = source.split(validation_split)
        else:
            held_out = None
        if validation_data is not None:
            vx, vy, vw = (validation_data, None, None) if hasattr(validation_data, "__next__") or not isinstance(
                validation_data, (tuple, list)) else unpack_x_y_sample_weight(validation_data)
            held_out = adapt(vx, vy, vw, "validation_data", validation_steps)
        if class_weight is not None:
            if not isinstance(source, Arrays):
                raise ValueError("fit: class_weight needs arrays; give sample weights with the batches instead.")
            source.weigh(class_weight)
        def make_feed():
            return self._feed("train", source, batch_size, shuffle, steps_per_epoch)

        async with opened(io, source, held_out):
            await self._fit_open(io, make_feed, held_out, batch_size, epochs, verbose, callbacks, initial_epoch,
                                 validation_steps, validation_batch_size, validation_freq)
        return self.history

    async def _fit_open(self, io, make_feed, held_out, batch_size, epochs, verbose, callbacks, initial_epoch,
                        validation_steps, validation_batch_size, validation_freq):
        feed, validation = make_feed(), None
        if held_out is not None:
            validation = self._feed("test", held_out, validation_batch_size or batch_size, False, validation_steps)
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(callbacks, add_history=True, add_progbar=verbose != 0, model=self,
                                     verbose=verbose, epochs=epochs, steps=feed.num_batches)
        try:
            await loop.Loop(self, io, callbacks).fit(feed, validation, epochs, initial_epoch, validation_freq)
        except DeviceLost as error:
            raise await recovery.recovered(self, io, make_feed, error) from error
        finally:
            self.__dict__["_kept"] = None
            self._drop_large()

    def _feed(self, kind, source, batch_size, shuffle=False, per_epoch=None):
        """The batches of `source` as calls; the dataset goes to the device when it fits."""
        batch_size = 32 if batch_size is None else int(batch_size)
        if batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer. Received: batch_size={batch_size}")
        sample = source.peek() if isinstance(source, Batches) else source.struct
        self._steps.build(*sample)
        if isinstance(source, DatasetBatches):
            return DatasetFeed(self._steps, kind, source)
        if isinstance(source, Batches):
            return BatchFeed(self._steps, kind, source, batch_size, shuffle, per_epoch)
        self._check_labels(source.y)
        if source.nbytes > LIMIT:
            return BatchFeed(self._steps, kind, source, batch_size, shuffle, per_epoch)
        data = self._resident.get(kind)
        if data is not None and data.fits(source):
            data.update(source)
        else:
            if data is not None:
                self._steps.forget(data)
            data = self._resident[kind] = Resident(source)
        return ResidentFeed(self._steps, kind, data, batch_size, shuffle, per_epoch)

    def _check_labels(self, y):
        if y is None or self._compile_loss is None:
            return
        classed = self._steps.classed_outputs()
        if classed and not isinstance(y, dict):
            targets = flatten(y)
            if len(targets) == len(self._compile_loss.losses):
                for i, loss, classes, name in classed:
                    check_labels(targets[i], loss, classes, name)

    def _drop_large(self, limit=64 * 1024 * 1024):
        """Datasets stay on the device for the next call, unless they are large."""
        for kind, data in list(self._resident.items()):
            if sum(leaf.size * 4 for leaf in flatten(data.tensors) if leaf is not None) > limit:
                self._steps.forget(data)
                del self._resident[kind]

    # ---- evaluate
    def evaluate(self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None,
                 callbacks=None, return_dict=False, **kwargs):
        """Loss and metrics over some data, without training.

        Args:
            x, y, batch_size, verbose, sample_weight, callbacks: As for `fit`.
            steps: Number of batches, instead of all.
            return_dict: Return a dict by name.

        Returns:
            The loss, or a list of loss and metrics in the order of `metrics_names`, or a dict.
        """
        return drive(self._evaluate(SyncIO("evaluate"), x, y, batch_size, verbose, sample_weight, steps, callbacks,
                                    return_dict, **kwargs))

    async def evaluate_async(self, x=None, y=None, batch_size=None, verbose="auto", sample_weight=None, steps=None,
                             callbacks=None, return_dict=False, **kwargs):
        """`evaluate` that lets the event loop run a few times a second."""
        return await self._evaluate(AsyncIO(), x, y, batch_size, verbose, sample_weight, steps, callbacks,
                                    return_dict, **kwargs)

    async def _evaluate(self, io, x, y, batch_size, verbose, sample_weight, steps, callbacks, return_dict):
        self._need_compile("evaluate")
        source = adapt(x, y, sample_weight, "evaluate", steps)
        async with opened(io, source):
            feed = self._feed("test", source, batch_size, False, steps)
            if not isinstance(callbacks, CallbackList):
                callbacks = CallbackList(callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1,
                                         steps=feed.num_batches)
            logs = await loop.Loop(self, io, callbacks).evaluate(feed)
        self._drop_large()
        return logs if return_dict else self._in_order(logs)

    def _in_order(self, logs):
        values = [logs[name] for name in self._steps.names or self.metrics_names]
        return values[0] if len(values) == 1 else values

    # ---- predict
    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """Outputs for some inputs, as numpy arrays.

        Args:
            x: Inputs, as for `fit`.
            batch_size: Samples per step, 32.
            verbose, callbacks: As for `fit`.
            steps: Number of batches, instead of all.

        Returns:
            Array `(samples, ...)`, or arrays in the structure of the model's outputs.
        """
        return drive(self._predict(SyncIO("predict"), x, batch_size, verbose, steps, callbacks))

    async def predict_async(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None):
        """`predict` that lets the event loop run a few times a second."""
        return await self._predict(AsyncIO(), x, batch_size, verbose, steps, callbacks)

    async def _predict(self, io, x, batch_size, verbose, steps, callbacks):
        source = adapt(x, what="predict", steps=steps)
        batch_size = 32 if batch_size is None else int(batch_size)
        if batch_size < 1:
            raise ValueError(f"batch_size must be a positive integer. Received: batch_size={batch_size}")
        async with opened(io, source):
            return await self._predict_open(io, source, batch_size, verbose, steps, callbacks)

    async def _predict_open(self, io, source, batch_size, verbose, steps, callbacks):
        sample = source.peek()[0] if isinstance(source, Batches) else source.x
        self._build_on(sample)
        if isinstance(source, DatasetBatches):
            count, batches = source.steps, source.epoch()
        elif isinstance(source, Batches):
            count, batches = source.steps, (batch[0] for batch in source.epoch())
        else:
            count = min(-(-source.size // batch_size), steps or source.size)
            batches = (source.take(slice(i * batch_size, (i + 1) * batch_size))[0] for i in range(count))
        if not isinstance(callbacks, CallbackList):
            callbacks = CallbackList(callbacks, add_progbar=verbose != 0, model=self, verbose=verbose, epochs=1,
                                     steps=count)
        return await loop.predict(self, io, batches, callbacks, batch_size)

    # ---- single batches
    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One training step.

        Args:
            x, y, sample_weight, class_weight: One batch, as for `fit`.
            return_dict: Return a dict by name.

        Returns:
            The loss, or a list of loss and metrics, or a dict; of this batch alone.
        """
        self._need_compile("train_on_batch")
        batch = Arrays(x, y, sample_weight, "train_on_batch")
        if class_weight is not None:
            batch.weigh(class_weight)
        return self._on_batch("train", batch, return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Loss and metrics of one batch, without training."""
        self._need_compile("test_on_batch")
        return self._on_batch("test", Arrays(x, y, sample_weight, "test_on_batch"), return_dict)

    def _on_batch(self, kind, batch, return_dict):
        self._steps.build(*batch.struct)
        self._check_labels(batch.y)
        logs, _ = self._steps.unpack(self._steps.batch_step_with_results(kind)(*batch.struct).numpy())
        return logs if return_dict else self._in_order(logs)

    def predict_on_batch(self, x):
        """Predictions for one batch, as numpy arrays."""
        batch = Arrays(x, what="predict_on_batch").x
        self._build_on(batch)
        step = self._steps.program(("predict",), lambda: loop.predictor(self._steps))
        outputs = step(batch)
        return loop.unflatten(outputs, [leaf.numpy() if isinstance(leaf, Tensor) else leaf for leaf in flatten(outputs)])


def _without_self(arguments):
    return {name: value for name, value in arguments.items() if name not in ("self", "__class__")}
