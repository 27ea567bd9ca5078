"""What a model makes before its first step: weights, losses and metrics, by a look at the first batch; nothing runs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from pyml import ops
from pyml.core import Tensor
from pyml.core.memory import unchanged
from pyml.core.tensor import tensor_of
from pyml.core.trace import current
from pyml.core.tree import flatten, map_structure
from pyml.device.lock import LOCK
from pyml.dtypes import standardize
from pyml.layers.embedding import Embedding
from pyml.layers.signature import Tracing
from pyml.trainers.adapt import Source
from pyml.trainers.data import Arrays
from pyml.trainers.functions import StepFunctions
from pyml.trainers.labels import Indices, check_labels
from pyml.trainers.one_batch import inputs_of, is_whole
from pyml.trainers.outputs import names_of

if TYPE_CHECKING:
    from pyml.trainers.steps import Steps


class Preparation(StepFunctions):
    """Base of Trainer: its weights, losses and metrics are made here."""

    run_eagerly: bool
    _step_programs: Steps

    def _start_over(self) -> None:
        """Nothing is prepared."""
        self._has_weights = False  # all layers are known to be built
        self._ready_kinds: set[str] = set()  # the kinds of steps for which losses and metrics are made
        self._classed_outputs: list[tuple[int, Any, int, str]] = []  # outputs with class numbers: place, loss, classes, name
        self._index_inputs: Indices | None = None  # what of the inputs is used as indices, once the model was called

    def _build_for(self, source: Source, batch_size: int) -> None:
        """Makes the weights for the first batch of `source`, and finds out which inputs are indices."""
        inputs = inputs_of(source.peek())
        rows = source.first_rows(batch_size)
        self._build_on(inputs, rows)
        if self._index_inputs is None:  # the model was built before: it is called once more, if something in it may ask
            if any(isinstance(layer, Embedding) for layer in self._flatten_layers()):
                with LOCK, contextlib.suppress(Exception), self._trial_trace():
                    self(self._inputs_tried(inputs, rows))
            self._index_inputs = self._index_inputs or Indices()
            self._clear_losses()

    def _prepare_steps(self, source: Source, batch_size: int, kind: str) -> None:
        """Makes weights, losses and metrics for the first batch of `source`, and checks its shapes."""
        if kind in self._ready_kinds:
            return
        if self._step_programs.owns(kind):
            self._prepare_own(source, batch_size, kind)
            return
        with LOCK:
            rows = source.first_rows(batch_size)
            struct = source.peek()
            self._build_on(struct[0], rows)
            # weights come first and by themselves, so that a wrong label shape leaves a model that is built
            with self._trial_trace():
                x, y, sample_weight = self._tried_rows(struct, rows if isinstance(source, Arrays) else None)
                self._index_inputs = Indices(x, rows)
                y_pred = self(x, training=False)
                outputs = self._named_outputs(y_pred)
                assert self._compilation is not None
                self._compute_loss(x, y, y_pred, sample_weight, training=False)
                self._compilation.update(y, outputs, sample_weight)  # metrics that make their state now have it in every program
                self._clear_losses()
            shapes = [tuple(output.shape) for output in flatten(y_pred)]
            self._classed_outputs = [(*found, outputs.called(found[0])) for found in self._compilation.classed(shapes)]
            self._ready_kinds.add(kind)

    def _prepare_own(self, source: Source, batch_size: int, kind: str) -> None:
        """The same for a step that a subclass wrote: what it calls and computes is its own affair, so nothing is refused here."""
        with LOCK, contextlib.suppress(Exception):
            struct = source.peek()
            with self._trial_trace():
                batch = self._tried_rows(struct, source.first_rows(batch_size) if isinstance(source, Arrays) else None)
                y = batch[1]
                self._index_inputs = Indices(inputs_of(batch), source.first_rows(batch_size))
                y_pred = self(inputs_of(batch), training=False)
                if self._compilation is not None and not is_whole(batch):
                    self._compilation.update(y, self._named_outputs(y_pred), batch[2])
        self._clear_losses()
        self._ready_kinds.add(kind)

    def _build_on(self, inputs: Any, rows: int) -> None:
        """Makes all weights for batches of so many rows of data like `inputs`."""
        if self._has_weights:
            return
        with LOCK:
            if not self.built or not all(layer.built for layer in self._flatten_layers()):
                with self._trial_trace():
                    self(self._inputs_tried(inputs, rows))
                    self._clear_losses()
            self._has_weights = True

    def _trial_trace(self) -> Any:
        """What is computed inside is only looked at; with `run_eagerly` it has values, and what it assigns is undone."""
        return unchanged(self.variables) if self.run_eagerly else Tracing()

    def _tried_rows(self, struct: Any, rows: int | None) -> Any:
        """The first rows of some data, all of a batch: zeros where nothing runs, the values with `run_eagerly`."""
        if not self.run_eagerly:
            return like(struct, rows)
        return map_structure(lambda a: None if a is None else ops.convert_to_tensor(a[:rows]), struct)

    def _inputs_tried(self, inputs: Any, rows: int) -> Any:
        """The same of what the model itself takes; what it does with them as indices will be known."""
        tried = self._tried_rows(inputs, rows)
        self._index_inputs = Indices(tried, rows)
        return tried

    def _indices_of(self, x: Any) -> Indices:
        """What the model uses of arrays like `x` as indices."""
        if any(isinstance(layer, Embedding) for layer in self._flatten_layers()) or any(a.dtype.kind in "iu" for a in flatten(x)):
            with LOCK, contextlib.suppress(Exception), self._trial_trace():
                self(self._inputs_tried(x, len(flatten(x)[0])))
                self._clear_losses()
        return self._index_inputs or Indices()

    def _check_indices(self, x: Any) -> None:
        if self._index_inputs is not None:
            self._index_inputs.check(x, lambda: () if self._symbolic_graph is None else self._symbolic_graph.input_names)

    def _check_numbers(self, x: Any, y: Any) -> None:
        self._check_indices(inputs_of((x, y, None)))
        if y is None or not self._classed_outputs:
            return
        targets = flatten(y)
        for i, loss, classes, name in self._class_targets(y):
            check_labels(targets[i], loss, classes, name)

    def _class_targets(self, y: Any) -> list[tuple[int, Any, int, str]]:
        """Which of the flat targets are class numbers: place, loss, classes, the output's name."""
        count = len(flatten(y))
        if not isinstance(y, dict):
            return [found for found in self._classed_outputs if found[0] < count]
        keys, outputs = sorted(y), names_of(self) or ()
        if count != len(keys):  # parts that are structures themselves
            return []
        given = [({name, *outputs[i : i + 1]}, (loss, classes, name)) for i, loss, classes, name in self._classed_outputs]
        return [(keys.index(key), *rest) for called, rest in given for key in called & set(keys)]


def like(struct: Any, rows: int | None) -> Any:
    """What stands for nested arrays, with so many rows, None for their own, in the trace in progress: nothing is known of the numbers."""
    trace = current()
    assert trace is not None, "only a trace has arguments"

    def argument(array: np.ndarray | None) -> Tensor | None:
        if array is None:
            return None
        shape = (array.shape[0] if rows is None else rows, *array.shape[1:])
        return tensor_of(trace.input(shape, standardize(str(array.dtype))), str(array.dtype))

    return map_structure(argument, struct)
