"""Small callbacks: LambdaCallback, TerminateOnNaN, LearningRateScheduler, CSVLogger."""

import csv
import sys

from pyml.callbacks.callback import Callback


class LambdaCallback(Callback):
    """A callback from functions.

    Args:
        on_epoch_begin, on_epoch_end: Functions of `epoch, logs`.
        on_train_begin, on_train_end: Functions of `logs`.
        on_train_batch_begin, on_train_batch_end: Functions of `batch, logs`.
        kwargs: Functions for any other hook.

    Example:
        pyml.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(self, on_epoch_begin=None, on_epoch_end=None, on_train_begin=None, on_train_end=None,
                 on_train_batch_begin=None, on_train_batch_end=None, **kwargs):
        super().__init__()
        given = {"on_epoch_begin": on_epoch_begin, "on_epoch_end": on_epoch_end, "on_train_begin": on_train_begin,
                 "on_train_end": on_train_end, "on_train_batch_begin": on_train_batch_begin,
                 "on_train_batch_end": on_train_batch_end, **kwargs}
        for name, function in given.items():
            if function is not None:
                setattr(self, name, function)


class TerminateOnNaN(Callback):
    """Stops training when the loss is NaN or infinite.

    The device notes the first such step by itself, so nothing is read per batch; training stops a fraction of a
    second after it.

    Args:
        raise_error: Raise RuntimeError instead of stopping.
    """

    def __init__(self, raise_error=False):
        super().__init__()
        self.raise_error = raise_error

    def on_nonfinite_loss(self, batch):
        """Called by `fit` with the batch at which the loss stopped being finite."""
        if self.raise_error:
            raise RuntimeError(f"NaN or Inf loss encountered at batch {batch}. Terminating training immediately.")
        sys.stdout.write(f"Batch {batch}: Invalid loss, terminating training\n")
        self.model.stop_training = True


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch to `schedule(epoch, learning_rate)`.

    Args:
        schedule: Function of the epoch and the present rate; returns a float.
        verbose: 1 prints each rate.
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose

    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        try:
            rate = self.schedule(epoch, optimizer.host_learning_rate)
        except TypeError:                              # the older form takes the epoch only
            rate = self.schedule(epoch)
        optimizer.learning_rate = float(rate)
        if self.verbose > 0:
            sys.stdout.write(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.\n")

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["learning_rate"] = self.model.optimizer.host_learning_rate


class CSVLogger(Callback):
    """Writes one line per epoch into a CSV file.

    Args:
        filename: Path of the file.
        separator: Character between columns.
        append: Go on with an existing file.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename = filename
        self.separator = separator
        self.append = append
        self._file = None
        self._keys = None

    def on_train_begin(self, logs=None):
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115  closed by on_train_end
        self._keys = None

    def on_epoch_end(self, epoch, logs=None):
        logs = logs or {}
        writer = csv.writer(self._file, delimiter=self.separator)
        if self._keys is None:
            self._keys = sorted(logs)
            if not self.append or self._file.tell() == 0:
                writer.writerow(["epoch", *self._keys])
        writer.writerow([epoch, *(logs.get(key, "NA") for key in self._keys)])
        self._file.flush()

    def on_train_end(self, logs=None):
        if self._file is not None:
            self._file.close()
            self._file = None
