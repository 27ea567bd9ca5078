"""`Trainer`: compile, fit, evaluate and predict of a model."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from pyml import optimizers
from pyml.callbacks.history import History
from pyml.core import Tensor
from pyml.core.symbolic import KerasTensor
from pyml.core.tree import flatten, pack_sequence_as
from pyml.tracebacks import shown, shown_async, warn
from pyml.trainers import compile_config, runs
from pyml.trainers.compilation import Compilation
from pyml.trainers.data import Arrays
from pyml.trainers.feeds import Residents
from pyml.trainers.io import AsyncIO, SyncIO, drive
from pyml.trainers.keeper import Keeper
from pyml.trainers.metric_group import CompiledMetrics, as_given
from pyml.trainers.options import Options
from pyml.trainers.preparation import Preparation
from pyml.trainers.steps import Steps
from pyml.trainers.watch import Trained, Watch


class Trainer(Preparation):
    """A layer with a training loop: base of Model. `fit` waits; `await fit_async` lets the event loop run meanwhile."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.compiled = self.run_eagerly = self.jit_compile = False
        self.steps_per_execution = 1
        self.stop_training = self.stop_evaluating = self.stop_predicting = False
        self.history: History | None = None
        self._state_keeper: Keeper | None = None
        self._initial_epoch = self._initial_batch = 0  # of a fit that a callback resumes
        self._running_calls: tuple[tuple[str, int], ...] = ()
        self._reset_programs()

    @property
    def inputs(self) -> list[KerasTensor] | None:
        """The symbolic inputs, None without a graph."""
        return None

    @property
    def loss(self) -> Any:
        """The loss as it was given to `compile`."""
        return self.__dict__.get("_loss_given") if self._compilation is None else self._compilation.given["loss"]

    @loss.setter
    def loss(self, value: Any) -> None:
        self._keep_apart(_loss_given=value)
        if self._compilation is not None:
            self._compilation.given["loss"] = value

    @shown
    def compile(self, optimizer: Any = "rmsprop", loss: Any = None, loss_weights: Any = None, metrics: Any = None,
                weighted_metrics: Any = None, run_eagerly: bool = False, steps_per_execution: int = 1, jit_compile: Any = "auto",
                auto_scale_loss: bool = True) -> None:  # fmt: skip
        """Chooses how the model is trained.

        Args:
            optimizer: Name or object.
            loss: Name, function or Loss; a list or dict of them for several outputs. A model that is compiled again without one keeps
                the one it has, and so it does with its metrics.
            loss_weights: Factors of the losses.
            metrics: List of names, functions or Metrics; lists or a dict of lists for several outputs.
            weighted_metrics: The same, with sample weights applied.
            run_eagerly: Run every step op by op, for debugging: `print`, breakpoints and Python branches on values work in
                `call` and in `train_step`.
            steps_per_execution, jit_compile: Kept for Keras' signature: steps are always compiled and sent ahead as far as the
                device needs. Configs and files keep `"auto"` as it was given, so that Keras decides where it opens them.
            auto_scale_loss: With the policy `"mixed_float16"`, put the optimizer into a `LossScaleOptimizer`.

        Raises:
            ValueError: The optimizer is unknown. Losses and metrics are looked up when the first data comes, as it says for which
                outputs they are: `fit` and `evaluate` raise it for those.

        Example:
            >>> model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
        """
        self._check_super_called()
        self.optimizer = optimizers.get(optimizer)  # type: ignore[assignment]  # None of None, for models that only evaluate
        self._loss_scaled = False
        if (auto_scale_loss and self.dtype_policy.name == "mixed_float16" and self.optimizer is not None
                and not isinstance(self.optimizer, optimizers.LossScaleOptimizer)):  # fmt: skip
            self._loss_scaled = True
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer, name="loss_scale_optimizer")
        self.run_eagerly = bool(run_eagerly)
        self.steps_per_execution = steps_per_execution
        self.jit_compile = not self.run_eagerly if jit_compile in ("auto", None) else bool(jit_compile) and not self.run_eagerly
        if run_eagerly and jit_compile is True:
            warn("If `run_eagerly` is True, then `jit_compile` cannot also be True. Disabling `jit_compile`.")
        given = {} if self._compilation is None else self._compilation.given
        if loss is None:
            loss, loss_weights = given.get("loss"), given.get("loss_weights")
        if metrics is None and weighted_metrics is None:
            metrics, weighted_metrics = given.get("metrics"), given.get("weighted_metrics")
        self._compilation = Compilation(loss, loss_weights, as_given(metrics), as_given(weighted_metrics))
        self._compilation.group = CompiledMetrics(self)
        self._compiled_with = {"run_eagerly": run_eagerly, "steps_per_execution": steps_per_execution, "jit_compile": jit_compile}
        self._loss_watch, self._trained_weights = Watch(), Trained()
        self._trained_weights.note(self)
        self.compiled, self.stop_training = True, False
        self.train_function = self.test_function = self.predict_function = None
        self._reset_programs()

    def get_compile_config(self) -> dict[str, Any]:
        """What `compile` was given, as a dict of plain values; empty for a model that is not compiled."""
        return compile_config.written(self)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compiles as `get_compile_config` described."""
        compile_config.compile_from(self, config, type(self).compile is not Trainer.compile)

    def _reset_programs(self) -> None:
        self._step_programs, self._resident_data = Steps(self), Residents()
        self._start_over()

    def _forget_device(self, keep_compiled: bool) -> None:
        """Drops the programs and data of a lost device; without the optimizer's state `compile` starts anew."""
        self.compiled = keep_compiled
        self._reset_programs()
        self._loss_watch = Watch()
        for metric in self.metrics:
            metric.reset_state()

    def _need_compile(self, what: str) -> None:
        if not self.compiled:
            raise ValueError(f"You must call `compile()` before calling `{what}()`.")
        changed = self._trained_weights.changed(self)
        if changed:
            warn(
                f"The `trainable` state of {', '.join(changed[:5])} has changed since the model was compiled, and is not taken into "
                "account: compile the model again.")  # fmt: skip

    def _staged_inputs(self, x: Any) -> Any:
        """Data with what a model computes on the host computed, arrays at once and batches when they come."""
        return x

    def _inputs_as_given(self, kind: str, data: Any) -> AbstractContextManager[Any]:
        """A batch for a step as `fit` was given it, whatever `_staged_inputs` made of it."""
        return nullcontext(data)

    # ---- fit
    @shown
    def fit(self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1, verbose: int | str = "auto",
            callbacks: Any = None, validation_split: float = 0.0, validation_data: Any = None, shuffle: bool = True,
            class_weight: dict[int, float] | None = None, sample_weight: Any = None, initial_epoch: int = 0,
            steps_per_epoch: int | None = None, validation_steps: int | None = None, validation_batch_size: int | None = None,
            validation_freq: int | Sequence[int] = 1) -> History:  # fmt: skip
        """Trains for some epochs and waits until they are done.

        Args:
            x: Inputs: an array `(samples, ...)`, a list or dict of arrays, a `pyml.data.Dataset` of batches, or an
                iterator of batches; batches are `x`, `(x, y)` or `(x, y, sample_weight)`.
            y: Targets, unless batches bring them.
            batch_size: Samples per step; 32, or what the model's `Input(batch_size=...)` says.
            epochs: Number of the last epoch.
            verbose: 0 silent, 1 progress bar, 2 one line per epoch, "auto" 1 in a terminal and 2 elsewhere.
            callbacks: List of callbacks.
            validation_split: Share of the samples, from the end, that is only evaluated.
            validation_data: `(x, y)` or `(x, y, sample_weight)` to evaluate after each epoch.
            shuffle: New order of the samples each epoch.
            class_weight: Dict of class to weight.
            sample_weight: One weight per sample.
            initial_epoch: Number of epochs done before.
            steps_per_epoch: Steps per epoch, instead of all; the next epoch takes what the last one has left, and ends with the data.
            validation_steps, validation_batch_size: The same for validation, which starts from the beginning each time.
            validation_freq: Validate every so many epochs, or a list of epochs counted from 1.

        Returns:
            A History; `history.history["loss"]` has one number per epoch.

        Raises:
            ShapeError: Shapes do not fit each other or the model; nothing has run then.
            ValueError: An argument is out of range, or the data gives no batches.
            RuntimeError: The model is being trained or evaluated already.
            SyncReadError: This browser cannot wait; write `await model.fit_async(...)`.

        Example:
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(1)])
            >>> model.compile("adam", "mse")
            >>> history = model.fit(np.ones((32, 4)), np.ones((32, 1)), epochs=3, validation_split=0.25, verbose=0)
            >>> {name: len(values) for name, values in history.history.items()}
            {'loss': 3, 'val_loss': 3}
        """
        options = Options(
            what="fit", x=x, y=y, batch_size=batch_size, epochs=epochs, verbose=verbose, callbacks=callbacks,
            validation_split=validation_split, validation_data=validation_data, shuffle=shuffle, class_weight=class_weight,
            sample_weight=sample_weight, initial_epoch=initial_epoch, steps=steps_per_epoch, validation_steps=validation_steps,
            validation_batch_size=validation_batch_size, validation_freq=validation_freq)  # fmt: skip
        return drive(runs.fit(self, SyncIO(), options))

    @shown_async
    async def fit_async(self, x: Any = None, y: Any = None, batch_size: int | None = None, epochs: int = 1,
                        verbose: int | str = "auto", callbacks: Any = None, validation_split: float = 0.0,
                        validation_data: Any = None, shuffle: bool = True, class_weight: dict[int, float] | None = None,
                        sample_weight: Any = None, initial_epoch: int = 0, steps_per_epoch: int | None = None,
                        validation_steps: int | None = None, validation_batch_size: int | None = None,
                        validation_freq: int | Sequence[int] = 1) -> History:  # fmt: skip
        """`fit` that lets the event loop run a few times a second; works in every browser.

        Takes the arguments of `fit`, returns and raises the same: `history = await model.fit_async(x, y, epochs=3)`.
        """
        options = Options(
            what="fit", x=x, y=y, batch_size=batch_size, epochs=epochs, verbose=verbose, callbacks=callbacks,
            validation_split=validation_split, validation_data=validation_data, shuffle=shuffle, class_weight=class_weight,
            sample_weight=sample_weight, initial_epoch=initial_epoch, steps=steps_per_epoch, validation_steps=validation_steps,
            validation_batch_size=validation_batch_size, validation_freq=validation_freq)  # fmt: skip
        return await runs.fit(self, AsyncIO(), options)

    # ---- evaluate
    @shown
    def evaluate(self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: int | str = "auto",
                 sample_weight: Any = None, steps: int | None = None, callbacks: Any = None, return_dict: bool = False) -> Any:  # fmt: skip
        """Loss and metrics over some data, without training.

        Args:
            x, y, batch_size, verbose, sample_weight, callbacks: As for `fit`.
            steps: Number of batches, instead of all.
            return_dict: Return a dict by name.

        Returns:
            The loss, or a list of the loss and the metrics in the order of `compile`, or a dict.

        Raises:
            RuntimeError: Another thread or task trains or evaluates the model.
            ShapeError: Shapes do not fit each other or the model.
            SyncReadError: This browser cannot wait; write `await model.evaluate_async(...)`.

        Example:
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(1, kernel_initializer="zeros")])
            >>> model.compile("adam", "mse", metrics=["mae"])
            >>> model.evaluate(np.ones((8, 4)), np.ones((8, 1)), verbose=0, return_dict=True)
            {'loss': 1.0, 'mae': 1.0}
        """
        options = Options(what="evaluate", x=x, y=y, batch_size=batch_size, verbose=verbose, sample_weight=sample_weight, steps=steps,
                          callbacks=callbacks)  # fmt: skip
        return self._reported_logs(drive(runs.evaluate(self, SyncIO("evaluate"), options)), return_dict)

    @shown_async
    async def evaluate_async(self, x: Any = None, y: Any = None, batch_size: int | None = None, verbose: int | str = "auto",
                             sample_weight: Any = None, steps: int | None = None, callbacks: Any = None,
                             return_dict: bool = False) -> Any:  # fmt: skip
        """`evaluate` that lets the event loop run a few times a second; works in every browser, with the same arguments."""
        options = Options(what="evaluate", x=x, y=y, batch_size=batch_size, verbose=verbose, sample_weight=sample_weight, steps=steps,
                          callbacks=callbacks)  # fmt: skip
        return self._reported_logs(await runs.evaluate(self, AsyncIO(), options), return_dict)

    def _writes_evaluate(self) -> bool:
        """Whether a subclass wrote its own `evaluate`, which `fit` then calls for validation."""
        return type(self).evaluate is not Trainer.evaluate

    def _reported_logs(self, logs: dict[str, Any], return_dict: bool) -> Any:
        if return_dict:
            return logs
        first = [name for name in self._step_programs.names or self._step_programs.names_in_lists() if name in logs]
        values = [logs[name] for name in [*first, *sorted(set(logs) - set(first))]]
        return values[0] if len(values) == 1 else values

    # ---- predict
    @shown
    def predict(self, x: Any, batch_size: int | None = None, verbose: int | str = "auto", steps: int | None = None,
                callbacks: Any = None) -> Any:  # fmt: skip
        """Outputs for some inputs, as numpy arrays. Several threads may predict with one model.

        Args:
            x: Inputs, as for `fit`.
            batch_size: Samples per step; 32, or what the model's `Input(batch_size=...)` says.
            verbose, callbacks: As for `fit`.
            steps: Number of batches, instead of all.

        Returns:
            Array `(samples, ...)`, or arrays in the structure of the model's outputs.

        Raises:
            ShapeError: The shape of `x` does not fit the model.
            TypeError: `x` holds no numbers.
            SyncReadError: This browser cannot wait; write `await model.predict_async(...)`.

        Example:
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3, activation="softmax")])
            >>> model.predict(np.ones((8, 4)), verbose=0).shape
            (8, 3)
        """
        options = Options(what="predict", x=x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks)
        return drive(runs.predict(self, SyncIO("predict"), options))

    @shown_async
    async def predict_async(self, x: Any, batch_size: int | None = None, verbose: int | str = "auto", steps: int | None = None,
                            callbacks: Any = None) -> Any:  # fmt: skip
        """`predict` that lets the event loop run a few times a second; works in every browser, with the same arguments."""
        options = Options(what="predict", x=x, batch_size=batch_size, verbose=verbose, steps=steps, callbacks=callbacks)
        return await runs.predict(self, AsyncIO(), options)

    # ---- single batches
    @shown
    def train_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, class_weight: dict[int, float] | None = None,
                       return_dict: bool = False) -> Any:  # fmt: skip
        """One training step.

        Args:
            x, y, sample_weight, class_weight: One batch, as for `fit`.
            return_dict: Return a dict by name.

        Returns:
            The loss, or a list of loss and metrics, or a dict; of this batch alone.

        Raises:
            ShapeError: Shapes do not fit each other or the model.
            ValueError: The model is not compiled.

        Example:
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(1, kernel_initializer="zeros")])
            >>> model.compile("sgd", "mse")
            >>> float(model.train_on_batch(np.ones((8, 4)), np.ones((8, 1))))
            1.0
        """
        self._need_compile("train_on_batch")
        batch = Arrays(self._staged_inputs(x), y, sample_weight, "train_on_batch", uneven=self._step_programs.writes("train"))
        if class_weight is not None:
            Options(what="train_on_batch", class_weight=class_weight)
            batch.weigh(class_weight)
        return self._step_on_batch("train", batch, return_dict)

    @shown
    def test_on_batch(self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False) -> Any:
        """Loss and metrics of one batch, without training; arguments and result as of `train_on_batch`."""
        self._need_compile("test_on_batch")
        batch = Arrays(self._staged_inputs(x), y, sample_weight, "test_on_batch", uneven=self._step_programs.writes("test"))
        return self._step_on_batch("test", batch, return_dict)

    def _step_on_batch(self, kind: str, batch: Arrays, return_dict: bool) -> Any:
        self._prepare_steps(batch, batch.size, kind)
        self._check_numbers(batch.x, batch.y)
        vector = self._step_programs.batch_step_with_results(kind)(*batch.struct)
        logs, _ = self._step_programs.unpack(vector.numpy(), kind)
        return self._reported_logs(logs, return_dict)

    @shown
    def predict_on_batch(self, x: Any) -> Any:
        """Predictions for one batch, as numpy arrays.

        Args:
            x: One batch: an array `(samples, ...)`, or a list or dict of such.

        Returns:
            Array `(samples, ...)`, or arrays in the structure of the model's outputs.

        Raises:
            ShapeError: The shape of `x` does not fit the model.

        Example:
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3)])
            >>> model.predict_on_batch(np.ones((2, 4))).shape
            (2, 3)
        """
        batch = Arrays(self._staged_inputs(x), what="predict_on_batch")
        self._build_for(batch, batch.size)
        self._check_indices(batch.x)
        outputs = self._step_programs.program(("predict",))(batch.x)
        return pack_sequence_as(outputs, [leaf.numpy() if isinstance(leaf, Tensor) else leaf for leaf in flatten(outputs)])
