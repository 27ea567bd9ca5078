"""Small callbacks: LambdaCallback, TerminateOnNaN, LearningRateScheduler, CSVLogger."""


from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable
from typing import Any

from pyml import settings
from pyml.atomic import append, write
from pyml.callbacks.callback import Callback, log_rates, rated

__all__ = ["CSVLogger", "LambdaCallback", "LearningRateScheduler", "TerminateOnNaN"]


class LambdaCallback(Callback):
    """A callback from functions.

    Args:
        on_epoch_begin, on_epoch_end: Functions of `epoch, logs`.
        on_train_begin, on_train_end: Functions of `logs`.
        on_train_batch_begin, on_train_batch_end: Functions of `batch, logs`.
        kwargs: Functions for any other hook, and further attributes.

    Raises:
        TypeError: What a hook is given is no function.

    Example:
        >>> pyml.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs)).on_epoch_end(0, {"loss": 0.5})
        0 {'loss': 0.5}
    """

    def __init__(self, on_epoch_begin: Any = None, on_epoch_end: Any = None, on_train_begin: Any = None, on_train_end: Any = None,
                 on_train_batch_begin: Any = None, on_train_batch_end: Any = None, **kwargs: Any) -> None:
        super().__init__()
        given = {"on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
                 "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
                 "on_train_batch_end": on_train_batch_end, **kwargs}
        for name, function in given.items():
            if name.startswith("on_") and function is not None and not callable(function):
                raise TypeError(f"LambdaCallback: {name} must be a function or None. Received: {name}={function!r}")
            if function is not None:
                setattr(self, name, function)


class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite.

    The device notes the first such step by itself, so nothing is read per batch; training stops a fraction of a
    second after it.

    Args:
        raise_error: Raise RuntimeError instead of stopping.

    Example:
        >>> model.compile("sgd", "mse")
        >>> callback = pyml.callbacks.TerminateOnNaN()
        >>> history = model.fit(np.ones((8, 4)), np.ones((8, 3)), epochs=2, verbose=0, callbacks=[callback])
        >>> len(history.epoch)
        2
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_nonfinite_loss(self, batch: int) -> None:
        """Called by `fit` with the batch at which the loss stopped being finite."""
        if self.raise_error:
            raise RuntimeError(f"NaN or Inf loss encountered at batch {batch}. Terminating training immediately.")
        settings.print_msg(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch to `schedule(epoch, learning_rate)`.

    Args:
        schedule: Function of the epoch and the present rate; returns a float.
        verbose: 1 prints each rate.

    Raises:
        TypeError: `schedule` is no function.

    Example:
        >>> model.compile("sgd", "mse")
        >>> callback = pyml.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5**epoch)
        >>> history = model.fit(np.ones((8, 4)), np.ones((8, 3)), epochs=2, verbose=0, callbacks=[callback])
        >>> history.history["learning_rate"]
        [1.0, 0.5]
    """

    def __init__(self, schedule: Callable[..., float], verbose: Any = 0) -> None:
        super().__init__()
        if not callable(schedule):
            raise TypeError(f"LearningRateScheduler: schedule must be a function (epoch, learning_rate). Received: schedule={schedule!r}")
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        optimizers = rated(self.model)
        for optimizer in optimizers.values():
            try:
                rate = self.schedule(epoch, optimizer.host_learning_rate)
            except TypeError as error:                 # the older form takes the epoch only
                try:
                    rate = self.schedule(epoch)
                except TypeError:
                    raise error from None
            if isinstance(rate, str) or not hasattr(rate, "__float__"):
                raise ValueError(f"LearningRateScheduler: schedule(epoch, learning_rate) must return a number. Received: {rate!r}")
            optimizer.learning_rate = float(rate)
            if self.verbose > 0:
                whose = f"{optimizer.name} " if len(optimizers) > 1 else ""
                settings.print_msg(f"\nEpoch {epoch + 1}: LearningRateScheduler setting {whose}learning rate to {rate}.")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        log_rates(self.model, logs)


def _columns(logs: dict[str, Any]) -> list[str]:
    """The names in the logs of the first epoch, and those of a validation that it had not: later epochs may have one."""
    names = sorted(logs)
    return names if any(name.startswith("val_") for name in names) else names + [f"val_{name}" for name in names]


class CSVLogger(Callback):
    """Writes one line per epoch into a CSV file. An old file stays until the first line of the new one is there; a line is whole or absent.

    There are columns for a validation too, with NA in epochs without one, as in Keras.

    Args:
        filename: Path of the file.
        separator: Character between columns.
        append: Go on with an existing file.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "log.csv")
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> x = np.zeros((4, 2), "float32")
        >>> _ = model.fit(x, x[:, :1], epochs=2, verbose=0, callbacks=[pyml.callbacks.CSVLogger(path)])
        >>> len(open(path).readlines())
        3
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._keys: list[str] | None = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._keys = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        first = self._keys is None
        keys = self._keys = self._keys if self._keys is not None else _columns(logs)
        kept = os.path.exists(self.filename) and os.path.getsize(self.filename) > 0 and (self.append or not first)
        text = io.StringIO(newline="")
        writer = csv.writer(text, delimiter=self.separator)
        if not kept:
            writer.writerow(["epoch", *keys])
        writer.writerow([epoch, *(logs.get(key, "NA") for key in keys)])
        lines = text.getvalue().encode()
        append(self.filename, lines) if kept else write(self.filename, lines)
