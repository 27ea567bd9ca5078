"""ModelCheckpoint: the model in a file, after every epoch or so many batches, or where it is the best so far."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyml import settings
from pyml.callbacks.keeping import Batches, Reading, batches_of, idle, save, state_of
from pyml.callbacks.monitor import MonitorCallback
from pyml.core import Variable
from pyml.tracebacks import warn

__all__ = ["ModelCheckpoint"]


class ModelCheckpoint(Reading, MonitorCallback):
    """Saves the model, or its weights, while it is trained. A file is replaced whole: a crash while it is written leaves the old one.

    Args:
        filepath: Path that ends in `.keras` or `.h5`, or in `.weights.h5` with `save_weights_only`. `{epoch}`, `{batch}` and names of
            the logs are filled in: `"{epoch:02d}-{val_loss:.2f}.keras"`. Folders are made.
        monitor: Name in the logs that says which model is best.
        verbose: 1 prints what is saved.
        save_best_only: Save only where `monitor` has improved.
        save_weights_only: Save weights and the state of the optimizer only.
        mode: `"min"`, `"max"` or `"auto"`, which decides by the name.
        save_freq: `"epoch"`, or a number of batches from one save to the next.
        initial_value_threshold: Value to beat first.

    Raises:
        ValueError: The path ends otherwise, or `save_freq` is no such number.
        KeyError: A name in the path is not in the logs.
        OSError: The file cannot be written, or is a folder; the old one is as it was.

    Source: keras.callbacks.ModelCheckpoint.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "best.keras")
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> callback = pyml.callbacks.ModelCheckpoint(path, monitor="loss", save_best_only=True)
        >>> _ = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=2, verbose=0, callbacks=[callback])
        >>> pyml.saving.load_model(path).output_shape
        (None, 1)
    """

    def __init__(self, filepath: str | os.PathLike[str], monitor: str = "val_loss", verbose: Any = 0, save_best_only: bool = False,
                 save_weights_only: bool = False, mode: str = "auto", save_freq: Any = "epoch",
                 initial_value_threshold: float | None = None) -> None:
        super().__init__(monitor, mode, initial_value_threshold)
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self._batches = Batches(batches_of("ModelCheckpoint", save_freq))
        self._epoch = 0
        if save_weights_only and not self.filepath.endswith(".weights.h5"):
            raise ValueError(
                f"ModelCheckpoint: with save_weights_only=True the filepath must end in `.weights.h5`. Received: filepath={self.filepath}")
        if not save_weights_only and not self.filepath.endswith((".keras", ".h5")):
            raise ValueError(f"ModelCheckpoint: the filepath must end in `.keras` (or in `.h5`). Received: filepath={self.filepath}")
        if save_freq == "epoch":
            idle(self, ModelCheckpoint.on_train_batch_end)

    def _progress_names(self) -> tuple[str, ...]:
        return ("best",)

    def reads(self, hook: str, number: int) -> Sequence[Variable]:
        due = self.save_freq == "epoch" if hook == "on_epoch_end" else hook == "on_train_batch_end" and self._batches.due(number)
        return state_of(self.model) if due else ()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._batches.count(batch):
            self._save_model(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.save_freq == "epoch":
            self._save_model(epoch, None, logs)

    def _save_model(self, epoch: int, batch: int | None, logs: Mapping[str, Any] | None) -> None:
        if self.monitor_op is None:
            self._set_monitor_op()
        path = self._path(epoch, batch, logs or {})
        if not self._wanted(epoch, logs or {}, path):
            self.arrays = None
            return
        if os.path.isdir(path):
            raise OSError(f"Please specify a non-directory filepath for ModelCheckpoint. Filepath used is an existing directory: {path}")
        save(self, path, self.save_weights_only)
        self._print(f"\nEpoch {epoch + 1}: finished saving model to {path}")

    def _wanted(self, epoch: int, logs: Mapping[str, Any], path: str) -> bool:
        """Whether the model is to be saved now; prints why."""
        if not self.save_best_only:
            self._print(f"\nEpoch {epoch + 1}: saving model to {path}")
            return True
        current = logs.get(self.monitor)
        if current is None:
            warn(f"Can save best model only with {self.monitor} available. There are: {', '.join(logs)}.")
            return True
        if np.ndim(current) > 0:
            warn(f"Can save best model only when `monitor` is a scalar value. Received: {current}. Falling back to "
                 "`save_best_only=False`.")  # fmt: skip
            return True
        best = "None" if self.best is None else f"{self.best:.5f}"
        if not self._is_improvement(current, self.best):
            self._print(f"\nEpoch {epoch + 1}: {self.monitor} did not improve from {best}")
            return False
        self._print(f"\nEpoch {epoch + 1}: {self.monitor} improved from {best} to {current:.5f}, saving model to {path}")
        self.best = current
        return True

    def _path(self, epoch: int, batch: int | None, logs: Mapping[str, Any]) -> str:
        names: dict[str, Any] = {} if "{" not in self.filepath else dict(logs)
        if batch is not None:
            names.setdefault("batch", batch + 1)
        try:
            return self.filepath.format(**{"epoch": epoch + 1, **names})
        except KeyError as error:
            raise KeyError(f'Failed to format this callback filepath: "{self.filepath}". Reason: {error}') from None

    def _print(self, text: str) -> None:
        if self.verbose:
            settings.print_msg(text)
