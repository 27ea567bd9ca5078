"""BackupAndRestore: training that was killed goes on where it was."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyml import atomic
from pyml.callbacks.callback import Callback
from pyml.callbacks.keeping import Batches, Reading, batches_of, idle, save, state_of
from pyml.core import Variable

__all__ = ["BackupAndRestore"]


class BackupAndRestore(Reading, Callback):
    """Keeps the state of training in a folder; `fit` of the same model with the same folder goes on from there.

    Weights, optimizer, states of random numbers and the order of the rows come back, and what EarlyStopping (but one that restores the
    best weights), ReduceLROnPlateau and ModelCheckpoint have counted and found best, so that training on arrays ends with the weights
    it would have had. An epoch is kept as ended when all callbacks have seen its end. Logs of an epoch that is resumed in its middle
    are means over its remaining batches; batches of iterators are passed over until the place is reached.

    Args:
        backup_dir: Folder for nothing but this.
        save_freq: `"epoch"`, or a number of batches from one backup to the next.
        double_checkpoint: Also keep the backup before, for the case that the last one is damaged.
        delete_checkpoint: Delete the folder when `fit` ends.

    Raises:
        ValueError: `backup_dir` is empty, `save_freq` is no such number, the model is not built, or the backup is damaged or of
            another model.
        OSError: The folder cannot be written to; the last backup is as it was.

    Source: keras.callbacks.BackupAndRestore.

    Example:
        >>> import os, tempfile
        >>> folder = os.path.join(tempfile.mkdtemp(), "backup")
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> keep = lambda: [pyml.callbacks.BackupAndRestore(folder, delete_checkpoint=False)]
        >>> _ = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=2, verbose=0, callbacks=keep())
        >>> model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=5, verbose=0, callbacks=keep()).epoch
        [2, 3, 4]
    """

    def __init__(self, backup_dir: str | os.PathLike[str], save_freq: Any = "epoch", double_checkpoint: bool = False,
                 delete_checkpoint: bool = True) -> None:
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: empty `backup_dir` argument passed; give the path of a folder.")
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._batches = Batches(batches_of("BackupAndRestore", save_freq))
        self._epoch = 0
        self._ended = False   # a backup was due at the last batch of the epoch
        self._others: list[Callback] = []
        self._returning: list[Any] = []  # what the other callbacks had counted
        self._random: Any = None  # numpy's state when the epoch began, from which its order of rows follows
        self._weights_path = os.path.join(self.backup_dir, "latest.weights.h5")
        self._metadata_path = os.path.join(self.backup_dir, "training_metadata.json")
        if self._batches.every is None:
            idle(self, BackupAndRestore.on_train_batch_end)

    _ends_last = True         # an epoch whose end the others have not seen is not over

    def _set_others(self, callbacks: list[Callback]) -> None:
        self._others = [callback for callback in callbacks if callback is not self]

    def reads(self, hook: str, number: int) -> Sequence[Variable]:
        if hook == "on_epoch_end":
            due = self.save_freq == "epoch" or self._ended
        else:
            due = hook == "on_train_batch_end" and self._batches.due(number) and not self._is_last(number)
        return state_of(self.model) if due else ()

    def _is_last(self, batch: int) -> bool:
        steps = (self.params or {}).get("steps")
        return steps is not None and batch + 1 >= steps

    # ---- restoring
    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        model, self._returning = self.model, []
        if not model.built:
            raise ValueError(
                f"BackupAndRestore: the model must be built before `fit()`, and {model.name!r} is not; call it on a batch of data first.")
        try:
            self._restore(self._weights_path, self._metadata_path)
        except (OSError, ValueError):
            if not os.path.exists(f"{self._weights_path}.bkp"):
                raise
            self._restore(f"{self._weights_path}.bkp", f"{self._metadata_path}.bkp")

    def _restore(self, weights: str, metadata: str) -> None:
        """Goes back to a kept state: weights, place in the training, seeds and the order of rows."""
        if not os.path.exists(weights):
            if os.path.exists(f"{self._weights_path}.bkp") and weights == self._weights_path:
                raise FileNotFoundError(weights)
            return
        model = self.model
        place = self._place(weights, metadata)
        if model.optimizer is not None and not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        with open(weights, "rb") as file:
            model._load_state(file.read(), weights)
        if place is None:
            return
        model._initial_epoch, model._initial_batch = int(place["epoch"]), int(place.get("next_batch", 0))
        for variable, seed in zip(_seeds(model), place.get("seeds", ()), strict=False):
            variable.assign(np.array(seed, variable.dtype))
        self._returning = place.get("callbacks", [])
        if "random" in place:
            name, keys, *rest = place["random"]
            np.random.set_state((name, np.array(keys, "uint32"), *rest))

    def _place(self, weights: str, metadata: str) -> dict[str, Any] | None:
        """What is known of weights: the kill may have come between the two files, so the first lists the two last weights."""
        if not os.path.exists(metadata):
            return None
        with open(metadata, encoding="utf-8") as file:
            place = json.load(file)
        if not isinstance(place, dict) or not isinstance(place.get("epoch"), int):
            raise ValueError(f"BackupAndRestore: {metadata} is damaged; delete {self.backup_dir} to start over.")
        if "sum" not in place:  # Keras wrote it
            return place
        found = _sum(weights)
        for known in (place, place.get("before") or {}):
            if known.get("sum") == found:
                return known
        raise ValueError(f"BackupAndRestore: {weights} is damaged; delete {self.backup_dir} to start over.")

    # ---- backups
    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch, self._ended = epoch, False
        self._random = _random_state()
        for callback, (kind, values) in zip(self._others, self._returning, strict=False):
            if kind == type(callback).__name__:        # each of them has begun anew by now
                vars(callback).update({name: values[name] for name in callback._progress_names() if name in values})
        self._returning = []

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        if self._batches.count(batch):
            self._ended = self._is_last(batch)
            if not self._ended:
                self._save(self._epoch, batch + 1)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self.save_freq == "epoch" or self._ended:
            self._save(epoch + 1, 0)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self.delete_checkpoint and os.path.exists(self.backup_dir):
            for weights in (f"{self._weights_path}.bkp", self._weights_path):  # first: weights without their place mean another thing
                if os.path.exists(weights):
                    os.remove(weights)
            shutil.rmtree(self.backup_dir)

    def _save(self, epoch: int, batch: int) -> None:
        """Keeps the state; the old one stays valid until the new one is complete."""
        seeds = [self.value_of(variable).tolist() for variable in _seeds(self.model)]
        new = os.path.join(self.backup_dir, "next.weights.h5")
        save(self, new, weights_only=True)
        place = {"epoch": epoch, "batch": max(batch - 1, 0), "next_batch": batch, "sum": _sum(new),
                 "random": self._random if batch else _random_state(), "seeds": seeds,
                 "callbacks": [[type(one).__name__, {name: _number(getattr(one, name)) for name in one._progress_names()}]
                               for one in self._others]}  # fmt: skip
        old = self._old()
        if old is not None:
            place["before"] = old
            if self.double_checkpoint:
                with open(self._weights_path, "rb") as file:
                    atomic.write(f"{self._weights_path}.bkp", file.read())
                atomic.write(f"{self._metadata_path}.bkp", json.dumps(old).encode())
        atomic.write(self._metadata_path, json.dumps(place).encode())
        os.replace(new, self._weights_path)

    def _old(self) -> dict[str, Any] | None:
        try:
            place = self._place(self._weights_path, self._metadata_path)
        except (OSError, ValueError):
            return None
        return None if place is None else {key: value for key, value in place.items() if key != "before"}


def _seeds(model: Any) -> list[Variable]:
    """The states of random numbers of layers, such as Dropout, which are not weights."""
    weights = {id(variable) for variable in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


def _number(value: Any) -> Any:
    return value if value is None or isinstance(value, int) else float(value)


def _random_state() -> list[Any]:
    name, keys, *rest = np.random.get_state()
    return [name, np.asarray(keys).tolist(), *rest]


def _sum(path: str) -> int:
    with open(path, "rb") as file:
        return zlib.crc32(file.read())
