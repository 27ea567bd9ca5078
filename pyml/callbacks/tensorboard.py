"""TensorBoard: training as event files, without TensorFlow."""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyml import atomic, config
from pyml.callbacks.callback import Callback, rated
from pyml.callbacks.event_file import EventFile
from pyml.callbacks.keeping import Reading, idle, save, state_of
from pyml.core import Variable
from pyml.objects.registry import LAYERS
from pyml.saving import whole_files
from pyml.tracebacks import warn

__all__ = ["TensorBoard"]


class TensorBoard(Reading, Callback):
    """Writes scalars, histograms of weights and the model's graph for TensorBoard: `tensorboard --logdir logs`.

    Args:
        log_dir: Folder; the runs `train` and `validation` go into it.
        histogram_freq: Epochs from one set of histograms to the next; 0 writes none.
        write_graph: Write the model's config, which TensorBoard draws; of Sequential and functional models.
        write_images: With the histograms, also write weights as pictures.
        write_steps_per_second: Also write how fast training goes.
        update_freq: `"epoch"`, `"batch"`, or a number of batches from one record of batches to the next.
        profile_batch: A batch, or the first and last of some, as in Keras; none is profiled, and a number above 0 is told so.
        embeddings_freq: Epochs from one file of weights for the projector to the next; 0 writes none.
        embeddings_metadata: File with the labels of an Embedding's rows, or a dict from names of layers to files.

    Raises:
        ValueError: `profile_batch` names no batches, `update_freq` is no such number, or `embeddings_metadata` names another layer.
        OSError: The folder cannot be written to.

    In a tab the files lie in the tab's own folders, which end with it; `await board.download_async()` lets the user keep them.

    Source: keras.callbacks.TensorBoard.

    Example:
        >>> import os, tempfile
        >>> folder = tempfile.mkdtemp()
        >>> model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> _ = model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0, callbacks=[pyml.callbacks.TensorBoard(folder)])
        >>> os.listdir(folder)
        ['train']
    """

    def __init__(self, log_dir: str | os.PathLike[str] = "logs", histogram_freq: int = 0, write_graph: bool = True,
                 write_images: bool = False, write_steps_per_second: bool = False, update_freq: Any = "epoch", profile_batch: Any = 0,
                 embeddings_freq: int = 0, embeddings_metadata: Any = None) -> None:
        super().__init__()
        if profile_batch:
            _check_batches(profile_batch)
            warn(f"TensorBoard: batches are not profiled here: profile_batch={profile_batch!r} does nothing, all else is written.")
        every = 1 if update_freq == "batch" else update_freq
        if every != "epoch" and (isinstance(every, bool) or not isinstance(every, int) or every < 1):
            raise ValueError(f"TensorBoard: update_freq must be 'epoch', 'batch' or a number of batches. Received: {update_freq!r}")
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = every
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._files: dict[str, EventFile] = {}
        self._batch = self._steps = 0
        self._batch_began = self._epoch_began = 0.0
        if every == "epoch":
            idle(self, TensorBoard.on_train_batch_begin, TensorBoard.on_train_batch_end)

    def reads(self, hook: str, number: int) -> Sequence[Variable]:
        if hook != "on_epoch_end":
            return [self.model.optimizer.iterations] if hook == "on_test_end" else ()
        weights = _due(self.histogram_freq, number) or _due(self.embeddings_freq, number)
        return state_of(self.model) if weights else [v for v in state_of(self.model) if v.size == 1]  # learning rates

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        self.close()
        drawn = isinstance(model, LAYERS.classes["Sequential"]) or model._symbolic_graph is not None
        if self.write_graph and drawn and model.built:
            self._file("train").model("keras", model.to_json())
        if self.embeddings_freq:
            self._write_projector()

    def close(self) -> None:
        """Ends the files; `fit` does it."""
        for file in self._files.values():
            file.close()
        self._files = {}

    async def download_async(self, name: str = "logs.zip") -> None:
        """In a tab: gives the user the folder as a .zip file, for `tensorboard --logdir` on a desktop.

        Raises:
            ValueError: `name` has slashes or does not end in `.zip`.
            FileNotFoundError: Nothing was written to the folder so far.
            RuntimeError: This is no tab, and the folder lies on this machine already.
        """
        if not name.endswith(".zip") or "/" in name:
            raise ValueError(f"TensorBoard: a download has a plain name that ends in .zip. Received: {name!r}")
        if not config.IN_BROWSER:
            raise RuntimeError(f"TensorBoard: only a tab downloads; here the files are in {os.path.abspath(self.log_dir)}.")
        paths = [os.path.join(folder, file) for folder, _, files in os.walk(self.log_dir) for file in sorted(files)]
        if not paths:
            raise FileNotFoundError(f"TensorBoard: there is nothing in {self.log_dir!r}; train with this callback first.")
        for file in self._files.values():
            file.flush()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in paths:
                archive.write(path)
        await whole_files.keep(("downloads", name), [packed.getvalue()], True)

    def _file(self, run: str) -> EventFile:
        if run not in self._files:
            self._files[run] = EventFile(os.path.join(self.log_dir, run))
        return self._files[run]

    # ---- scalars
    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._batch = 0

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.close()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch_began, self._steps = time.perf_counter(), self._batch

    def on_train_batch_begin(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._batch += 1
        if self._batch % self.update_freq:
            return
        file = self._file("train")
        if self.write_steps_per_second:
            file.scalar("batch_steps_per_second", 1 / max(time.perf_counter() - self._batch_began, 1e-9), self._batch)
        for name, value in (logs or {}).items():
            _write(file, f"batch_{name}", value, self._batch)
        file.flush()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = logs or {}
        trained = {name: value for name, value in logs.items() if not name.startswith("val_")} | (self._rates() if logs else {})
        steps = (self.params or {}).get("steps")
        if logs and self.write_steps_per_second and steps:
            trained["steps_per_second"] = steps / max(time.perf_counter() - self._epoch_began, 1e-9)
        self._scalars("train", {f"epoch_{name}": value for name, value in trained.items()}, epoch)
        self._scalars("validation", {f"epoch_{name[4:]}": v for name, v in logs.items() if name.startswith("val_")}, epoch)
        if _due(self.histogram_freq, epoch):
            self._weights(epoch)
        if _due(self.embeddings_freq, epoch):
            save(self, os.path.join(self.log_dir, "train", f"keras_embedding.ckpt-{epoch}.weights.h5"), weights_only=True)
        self.arrays = None

    def on_test_end(self, logs: dict[str, Any] | None = None) -> None:
        optimizer = self.model.optimizer
        if optimizer is None or not logs:
            return
        step = optimizer.iterations
        step = int(self.value_of(step) if isinstance(step, Variable) else step.numpy())
        self._scalars("validation", {f"evaluation_{name}_vs_iterations": value for name, value in logs.items()}, step)
        self.arrays = None

    def _scalars(self, run: str, values: Mapping[str, Any], step: int) -> None:
        if values:
            file = self._file(run)
            for tag, value in values.items():
                _write(file, tag, value, step)
            file.flush()

    def _rates(self) -> dict[str, float]:
        rate = lambda one: one.learning_rate
        return {name: float(self.value_of(rate(one))) if isinstance(rate(one), Variable) else one.host_learning_rate
                for name, one in rated(self.model).items() if one is not None}

    # ---- weights
    def _weights(self, epoch: int) -> None:
        file = self._file("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                name, values = weight.path.replace(":", "_"), np.asarray(self.value_of(weight))
                file.histogram(f"{name}/histogram", values, epoch)
                images = as_images(values) if self.write_images else None
                if images is not None:
                    file.images(f"{name}/image", images, epoch)
        file.flush()

    def _write_projector(self) -> None:
        metadata = self.embeddings_metadata
        named = dict(metadata) if isinstance(metadata, dict) else {}
        lines = []
        embedding: Any = LAYERS.classes["Embedding"]
        for layer in self.model.layers:
            if isinstance(layer, embedding):
                path = metadata if isinstance(metadata, str) else named.pop(layer.name, None)
                label = "" if path is None else f'  metadata_path: "{path}"\n'
                lines.append(f'embeddings {{\n  tensor_name: "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"\n{label}}}\n')
        if named:
            raise ValueError(f"TensorBoard: embeddings_metadata names what is not an Embedding of the model:  {', '.join(named)}.")
        os.makedirs(self.log_dir, exist_ok=True)
        atomic.write(os.path.join(self.log_dir, "projector_config.pbtxt"), "".join(lines).encode())


def as_images(weight: np.ndarray) -> np.ndarray | None:
    """A weight as pictures `(count, height, width, channels)`, None where it has no such form."""
    weight = np.squeeze(weight)
    if weight.ndim == 1:
        return weight.reshape(1, -1, 1, 1)
    if weight.ndim == 2:
        weight = weight.T if weight.shape[0] > weight.shape[1] else weight
        return weight[None, :, :, None]
    if weight.ndim == 3:
        return np.moveaxis(weight, -1, 0)[..., None]
    return weight if weight.ndim == 4 and weight.shape[-1] in (1, 3, 4) else None


def _due(every: int, epoch: int) -> bool:
    return bool(every) and epoch % every == 0


def _write(file: Any, tag: str, value: Any, step: int) -> None:
    """A number under its tag; those of a metric with one for each class under the tag and the class."""
    numbers = np.ravel(np.asarray(value, float)).tolist()
    for i, number in enumerate(numbers):
        file.scalar(tag if len(numbers) == 1 else f"{tag}_{i}", number, step)


def _check_batches(given: Any) -> None:
    """`profile_batch` is a batch, "10,20" or a pair of them, as in Keras."""
    pair = given.split(",") if isinstance(given, str) else given if isinstance(given, tuple | list) else [given]
    try:
        batches = [int(batch) for batch in pair]
    except (TypeError, ValueError):
        batches = []
    if not 1 <= len(batches) <= 2 or batches[0] < 0 or batches[-1] < batches[0]:
        raise ValueError(f"TensorBoard: profile_batch must be a batch or the first and last of some, 0 for none. Received: {given!r}")
