"""Callbacks that watch one logged value: EarlyStopping and ReduceLROnPlateau."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from pyml import settings
from pyml.callbacks.callback import Callback, log_rates, rated
from pyml.errors import did_you_mean
from pyml.tracebacks import warn

__all__ = ["EarlyStopping", "MonitorCallback", "ReduceLROnPlateau"]

_HIGHER_IS_BETTER = ("acc", "accuracy", "auc", "precision", "recall", "f1_score", "r2_score")
_LOWER_IS_BETTER = ("loss", "error", "mse", "mae", "rmse")


class MonitorCallback(Callback, abstract=True):
    """Base: knows whether a value of `monitor` is better than another.

    Args:
        monitor: Name in the logs, for example `"val_loss"`.
        mode: `"min"`, `"max"` or `"auto"`, which asks the model's metric of that name, then the name.
        baseline: Value to beat first.
        min_delta: Smaller changes do not count.

    Raises:
        ValueError: After the first epoch, with `mode="auto"`: neither a metric nor the name says what is better.

    Example:
        >>> pyml.callbacks.MonitorCallback("val_loss").get_monitor_value({"loss": 0.25, "val_loss": 0.5})
        0.5
    """

    def __init__(self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0) -> None:
        super().__init__()
        if mode not in ("auto", "min", "max"):
            warn(f"{type(self).__name__}: mode {mode!r} is unknown, 'auto' is used.")
            mode = "auto"
        self.monitor = monitor
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(min_delta)
        self.monitor_op: Callable[[Any, Any], bool] | None = None

    def _set_monitor_op(self) -> None:
        if self.mode == "auto":
            up = self._direction_of(self.monitor.removeprefix("val_")) == "up"
        else:
            up = self.mode == "max"
        self.monitor_op = operator.gt if up else operator.lt

    def _direction_of(self, name: str) -> str:
        """Whether a value of this name is better "up" or "down": what its metric says, else its name."""
        metrics = [metric for group in getattr(self._model, "metrics", ()) for metric in getattr(group, "metrics", (group,))]
        found = {metric.name: direction for metric in metrics if (direction := getattr(metric, "_direction", None)) is not None}
        if known := [known for known in found if f"_{name}".endswith(f"_{known}")]:
            return found[max(known, key=len)]          # `neg_error` itself rather than `error`
        if name.endswith(_HIGHER_IS_BETTER):
            return "up"
        if name.endswith(_LOWER_IS_BETTER):
            return "down"
        names = [metric.name for metric in metrics]
        raise ValueError(
            f"{type(self).__name__}: nothing says whether {self.monitor!r} is better when it grows or when it shrinks; give mode='max' "
            f"or mode='min', or watch 'loss' or a metric: {', '.join(names)}.{did_you_mean(name, names)}"
        )

    def _is_improvement(self, value: Any, reference: Any) -> bool:
        if np.size(value) > 1:
            raise ValueError(
                f"{type(self).__name__}: {self.monitor!r} has {np.size(value)} numbers, and which is better is said of one; watch a metric "
                "of one number, such as F1Score(average='macro')."
            )
        if reference is None:
            return True
        up = self.monitor_op is operator.gt
        return value - self.min_delta > reference if up else value + self.min_delta < reference

    def get_monitor_value(self, logs: dict[str, Any] | None) -> float | None:
        """The watched value, or None with a warning where the logs lack it."""
        logs = logs or {}
        value = logs.get(self.monitor)
        if value is None:
            warn(
                f"{type(self).__name__} watches `{self.monitor}`, which is not in the logs. "
                f"Available: {', '.join(logs)}.",
            )
        return value


class EarlyStopping(MonitorCallback):
    """Stops training when `monitor` has not improved for `patience` epochs.

    Args:
        monitor, min_delta, mode, baseline: see `MonitorCallback`.
        patience: Epochs without improvement.
        verbose: 1 prints when it stops.
        restore_best_weights: Go back to the weights of the best epoch. They stay on the device meanwhile.
        start_from_epoch: Epochs before that are not watched.

    Source: Prechelt 1998, "Early Stopping - But When?".

    Example:
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1, use_bias=False)])
        >>> model.compile("sgd", "mse")
        >>> early = pyml.callbacks.EarlyStopping("loss", patience=2)
        >>> history = model.fit(np.zeros((4, 2)), np.ones((4, 1)), epochs=50, verbose=0, callbacks=[early])
        >>> len(history.epoch)
        3
    """

    def __init__(self, monitor: str = "val_loss", min_delta: float = 0, patience: int = 0, verbose: Any = 0, mode: str = "auto",
                 baseline: float | None = None, restore_best_weights: bool = False, start_from_epoch: int = 0) -> None:
        super().__init__(monitor, mode, None, min_delta)
        self.patience = patience
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self._begin()

    def _begin(self) -> None:
        self.wait = 0
        self.stopped_epoch = 0
        self.best = None
        self.best_epoch = 0
        self.best_weights = None

    def _progress_names(self) -> tuple[str, ...]:
        return ("wait", "best", "best_epoch") if self.best_weights is None else ()  # its weights are in no backup

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._begin()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        current = self.get_monitor_value(logs)
        if current is None or epoch < self.start_from_epoch:
            return
        self.wait += 1
        if self._is_improvement(current, self.best):  # as the first is
            self.best = current
            self.best_epoch = epoch
            if self.restore_best_weights:
                self.best_weights = self.model.copy_weights()
            if self.baseline is None or self._is_improvement(current, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.stopped_epoch > 0 and self.verbose > 0:
            settings.print_msg(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.restore_best_weights and self.best_weights is not None:
            if self.verbose > 0:
                settings.print_msg(f"Restoring model weights from the end of the best epoch: {self.best_epoch + 1}.")
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(MonitorCallback):
    """Multiplies the learning rate by `factor` when `monitor` has not improved for `patience` epochs.

    Args:
        monitor, mode, min_delta: see `MonitorCallback`.
        factor: Below 1.
        patience: Epochs without improvement.
        verbose: 1 prints each change.
        cooldown: Epochs of rest after a change.
        min_lr: Least learning rate.

    Raises:
        ValueError: `factor` is not below 1.

    Example:
        >>> model.compile("sgd", "mse")
        >>> callback = pyml.callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10.0)
        >>> history = model.fit(np.ones((8, 4)), np.ones((8, 3)), epochs=3, verbose=0, callbacks=[callback])
        >>> round(model.optimizer.host_learning_rate, 4)                      # no epoch was 10 better than the first
        0.0025
    """

    def __init__(self, monitor: str = "val_loss", factor: float = 0.1, patience: int = 10, verbose: Any = 0, mode: str = "auto",
                 min_delta: float = 0.0001, cooldown: int = 0, min_lr: float = 0.0) -> None:
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1. Received: factor={factor}")
        super().__init__(monitor, mode, None, min_delta)
        self.factor = factor
        self.patience = patience
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.wait = 0
        self.cooldown_counter = 0

    def _progress_names(self) -> tuple[str, ...]:
        return ("wait", "best", "cooldown_counter")

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.best = None
        self.wait = 0
        self.cooldown_counter = 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        log_rates(self.model, logs)
        current = self.get_monitor_value(logs)
        if current is None:
            return
        if self.in_cooldown():
            self.cooldown_counter -= 1
            self.wait = 0
        if self._is_improvement(current, self.best):
            self.best = current
            self.wait = 0
            return
        if self.in_cooldown():
            return
        self.wait += 1
        if self.wait >= self.patience:
            self._reduce(epoch)

    def in_cooldown(self) -> bool:
        """Whether the epochs of rest after a change are not over."""
        return self.cooldown_counter > 0

    def _reduce(self, epoch: int) -> None:
        optimizers = rated(self.model)
        for optimizer in optimizers.values():
            old = optimizer.host_learning_rate
            if old <= np.float32(self.min_lr):  # the rate may come from a file, as float32
                continue
            optimizer.learning_rate = new = max(old * self.factor, self.min_lr)
            if self.verbose > 0:
                whose = f"{optimizer.name} " if len(optimizers) > 1 else ""
                settings.print_msg(f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing {whose}learning rate to {new}.")
            self.cooldown_counter = self.cooldown
            self.wait = 0
