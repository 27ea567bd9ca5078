"""`RNN`: runs a cell over the steps of sequences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.core import Variable
from pyml.core.symbolic import KerasTensor, infer_output_spec
from pyml.core.tree import flatten, is_nested, map_structure
from pyml.errors import ShapeError
from pyml.layers.layer import Layer
from pyml.layers.recurrent.cells import GRUCell, LSTMCell, SimpleRNNCell
from pyml.layers.recurrent.stacked import StackedRNNCells, draw_dropout, forget_dropout
from pyml.layers.recurrent.steps import looped, of_rank, swap_steps, unrolled
from pyml.layers.signature import call_signature
from pyml.layers.wrapper import build_inside
from pyml.objects.samples import Sample, draw, sample
from pyml.tracebacks import is_ours


class RNN(Layer):
    """Runs a cell over sequences, one step after another.

    The cell is traced once, however long the sequences are; what it assigns goes from step to step. `LSTM` and `GRU` with
    their usual activations have all their steps in one kernel.

    Args:
        cell: A cell, or a list of them that are stacked: a layer with `state_size` (an integer, or a list of them) and
            `call(inputs, states)`, which returns the output and the new states.
        return_sequences: Give back the outputs of all steps; only the last otherwise.
        return_state: Also give back the states after the last step.
        go_backwards: Begin with the last step; sequences given back are in that order too.
        stateful: Begin with the states in which the last batch ended; needs a fixed batch size.
        unroll: Trace every step by itself: the kernels of a few short steps may join, but the time to compile them grows
            with the number of steps.
        zero_output_for_mask: Zeros as outputs of steps that are left out; the output of the step before otherwise.

    Input shape: `(batch, steps, features)`.
    Output shape: `(batch, units)`, or `(batch, steps, units)`; a list with the states behind it with `return_state`.

    Raises:
        ValueError: The cell has no `call` or no `state_size`.

    Example:
        >>> layer = pyml.layers.RNN([pyml.layers.GRUCell(4), pyml.layers.SimpleRNNCell(2)], return_sequences=True)
        >>> layer(np.ones((3, 5, 6))).shape
        (3, 5, 2)
    """

    def __init__(self, cell: Any, return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False,
                 stateful: bool = False, unroll: bool = False, zero_output_for_mask: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        for needed in ("call", "state_size"):
            if not hasattr(cell, needed):
                raise ValueError(f"{type(self).__name__}: the cell needs `{needed}`. Received: cell={cell!r}")
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.supports_masking = True
        self._keep_apart(states=None)  # no weights: they are not saved

    states: Any

    @property
    def state_size(self) -> Any:
        """Sizes of the states, a list."""
        size = self.cell.state_size
        return [size] if isinstance(size, int) else list(size)

    @property
    def single_state(self) -> bool:
        """Whether the cell says its state as one size instead of a list."""
        return isinstance(self.cell.state_size, int)

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        if isinstance(self.cell, Layer) and not self.cell.built:
            build_inside(self, self.cell, (sequences_shape[0], *sequences_shape[2:]))
            if not hasattr(self.cell, "_project_inputs"):  # not one of pyml's own: a mistake in it shows before there are any data
                step = KerasTensor((sequences_shape[0], *sequences_shape[2:]))
                infer_output_spec(lambda x: self._checked_step(x, self.get_initial_state(x.shape[0])), (step,), {})
                forget_dropout(self.cell)
        if self.stateful and self.states is None:
            if sequences_shape[0] is None:
                raise ShapeError(f'Layer "{self.name}" is stateful and needs a fixed batch size: Input(..., batch_size=...).')
            start = self.get_initial_state(sequences_shape[0])
            self._keep_apart(states=map_structure(lambda state: Variable(state, trainable=False, name="rnn_state"), start))
        self.built = True

    def _checked_step(self, x: Any, states: Any) -> Any:
        found = self.cell(x, states)
        if not isinstance(found, (tuple, list)) or len(found) != 2 or len(flatten(found[1])) != len(flatten(states)):
            raise ValueError(
                f'Layer "{self.name}": its cell {type(self.cell).__name__} must return the output and a list of '
                f"{len(flatten(states))} new state(s), as many as its state_size names. Received: {found!r}"
            )
        for new, old in zip(flatten(found[1]), flatten(states), strict=True):
            if tuple(new.shape) != tuple(old.shape):
                raise ShapeError(
                    f'Layer "{self.name}": its cell {type(self.cell).__name__} made a state of shape {tuple(new.shape)} from one '
                    f"of shape {tuple(old.shape)}; a state keeps its shape, (batch, state_size)."
                )
        return found

    def get_initial_state(self, batch_size: int) -> Any:
        """States of zeros for `batch_size` sequences, a list."""
        if hasattr(self.cell, "get_initial_state"):
            state = self.cell.get_initial_state(batch_size=batch_size)
            return list(state) if is_nested(state) else [state]
        return [ops.zeros((batch_size, size)) for size in self.state_size]

    def reset_state(self) -> None:
        """Zeros as the states of a stateful layer."""
        for state in flatten(self.states or []):
            state.assign(ops.zeros(state.shape))

    reset_states = reset_state

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = False) -> Any:
        """The output of the last step, or of all.

        Args:
            sequences: `(batch, steps, ...)`.
            initial_state: The states before the first step, a list; zeros by default.
            mask: bool `(batch, steps)`: which steps count.
            training: Whether there is dropout.
        """
        batch = sequences.shape[0]
        if sequences.shape[1] == 0:
            raise ShapeError(f'Layer "{self.name}" needs sequences of one step or more; received shape {tuple(sequences.shape)}.')
        states = self._first_states(initial_state, batch)
        if mask is not None:
            mask = flatten(mask)[0]
            if len(mask.shape) != 2:
                raise ShapeError(f'Layer "{self.name}": the mask of a sequence has shape (batch, steps). Received: {tuple(mask.shape)}')
            if mask.shape[1] != sequences.shape[1] or mask.shape[0] not in (1, batch):
                raise ShapeError(f'Layer "{self.name}": the mask must have the batch and the steps of the inputs, '
                                 f"{tuple(sequences.shape[:2])}. Received: a mask of shape {tuple(mask.shape)}")  # fmt: skip
        if type(self).inner_loop is RNN.inner_loop:
            fresh = initial_state is None and not self.stateful
            last, outputs, states = self._all_steps(sequences, states, mask, training, fresh)
        else:
            last, outputs, states = self.inner_loop(sequences=sequences, initial_state=states, mask=mask, training=training)
        if self.stateful:
            for own, new in zip(flatten(self.states), flatten(states), strict=True):
                own.assign(new)
        output = outputs if self.return_sequences else last
        return (output, *states) if self.return_state else output

    def inner_loop(self, sequences: Any, initial_state: Any, mask: Any, training: bool | None = False) -> Any:
        """All steps: the last output, the outputs `(batch, steps, …)` and the last states; a subclass may do something else here.

        Args:
            sequences: `(batch, steps, …)`.
            initial_state: List of the states before the first step.
            mask: Booleans `(batch, steps)`, or None.
        """
        return self._all_steps(sequences, list(initial_state) if is_nested(initial_state) else [initial_state], mask, training, False)

    def _all_steps(self, sequences: Any, states: Any, mask: Any, training: bool | None, fresh: bool) -> Any:
        if mask is not None:
            mask = ops.transpose(mask, (1, 0))
            mask = ops.flip(mask, axis=0) if self.go_backwards else mask
        if self.go_backwards:
            sequences = ops.flip(sequences, axis=1)
        last, outputs, states = self._run(sequences, states, mask, training, fresh)
        if mask is not None and self.zero_output_for_mask:
            outputs = ops.where(of_rank(mask, outputs.ndim), outputs, 0.0)
            last = outputs[-1]
        return last, swap_steps(outputs) if self.return_sequences else ops.expand_dims(last, 1), states

    def _first_states(self, given: Any, batch: int) -> Any:
        if given is None:
            if self.stateful and flatten(self.states)[0].shape[0] != batch:
                raise ShapeError(
                    f'Layer "{self.name}" is stateful for batches of {flatten(self.states)[0].shape[0]} samples; '
                    f"received {batch}."
                )
            given = self.states if self.stateful else self.get_initial_state(batch)
        given = list(given) if is_nested(given) else [given]
        if len(given) != len(self.state_size):
            raise ShapeError(f'Layer "{self.name}" has {len(self.state_size)} state(s); initial_state has {len(given)}.')
        given = map_structure(ops.convert_to_tensor, given)
        for place, (state, size) in enumerate(zip(given, self.state_size, strict=True)):
            flat = isinstance(size, int) and not is_nested(state) and len(state.shape) == 2 and is_ours(type(self.cell))
            if flat and (state.shape[1] != size or state.shape[0] not in (1, batch)):
                raise ShapeError(f'Layer "{self.name}": state {place} of initial_state must have the shape {(batch, size)}: the batch and '
                                 f"the units. Received: {tuple(state.shape)}")  # fmt: skip
        return given

    def _run(self, sequences: Any, states: Any, mask: Any, training: bool | None, fresh: Any) -> Any:
        """The last output, the outputs `(steps, batch, …)` and the last states."""
        run, cell = unrolled if self.unroll else looped, self.cell
        if not getattr(cell, "_runs_in_parts", False):
            known = {"training": training} if call_signature(type(cell)).takes_training else {}
            draw_dropout(cell, sequences[:, 0], states, training)
            try:
                return run(cell, lambda x, states: cell(x, states, **known), swap_steps(sequences), states, mask, fresh)
            finally:
                forget_dropout(cell)
        projected = cell._project_inputs(swap_steps(cell._drop_inputs(sequences, training)))
        if mask is None or fresh:                      # a first step that is left out gives zeros, not the first state
            keep = ops.ones(projected.shape[:2], "int32") if mask is None else ops.cast(mask, "int32")
            found = cell._run_steps(projected, states, keep, training)
            if found is not None:
                return found[0][-1], *found
        product = cell._state_product(sequences.shape[0], training)
        return run(cell, lambda x, states: cell._advance_states(x, states, product), projected, states, mask, fresh)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        batch = sequences_shape[0]
        size = getattr(self.cell, "output_size", None) or flatten(self.state_size)[0]
        output = (batch, sequences_shape[1], size) if self.return_sequences else (batch, size)
        return (output, *map_structure(lambda n: (batch, n), self.state_size)) if self.return_state else output

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask, where there are still steps; of several the first, as a step is left out for all inputs."""
        mask = flatten(mask)[0] if self.return_sequences and mask is not None else None
        return [mask, *(None for _ in self.state_size)] if self.return_state else mask

    def _flags(self) -> Any:
        return {"return_sequences": self.return_sequences, "return_state": self.return_state,
                "go_backwards": self.go_backwards, "stateful": self.stateful, "unroll": self.unroll}

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls([LSTMCell(3), GRUCell(2)], return_sequences=True), draw(2, 4, 3))
        yield sample(cls(SimpleRNNCell(3), return_state=True, go_backwards=True), draw(2, 4, 3))
