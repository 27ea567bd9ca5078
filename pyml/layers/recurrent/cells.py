"""One step of a recurrent layer: SimpleRNNCell, GRUCell, LSTMCell.

A cell has two parts. `_project_inputs` multiplies inputs by the kernel; it knows no states, so a layer does it for all steps at
once. `_advance_states` adds what depends on the states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np

from pyml import activations, constraints, initializers, ops, random, regularizers
from pyml.core import Variable
from pyml.core.symbolic import infer_output_spec
from pyml.errors import ShapeError
from pyml.layers.dense import positive_int
from pyml.layers.layer import Layer
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import known_size, make_weight
from pyml.objects.samples import Sample, draw, sample
from pyml.ops import recurrent


class _Cell(Layer):
    """What the three cells share: weights for `gates` times `units` columns, dropout of inputs and states."""

    _gate_count: ClassVar[int] = 1

    def __init__(self, units: int, activation: ActivationLike, use_bias: bool, kernel_initializer: InitializerLike,
                 recurrent_initializer: InitializerLike, bias_initializer: InitializerLike, kernel_regularizer: RegularizerLike,
                 recurrent_regularizer: RegularizerLike, bias_regularizer: RegularizerLike, kernel_constraint: ConstraintLike,
                 recurrent_constraint: ConstraintLike, bias_constraint: ConstraintLike, dropout: float, recurrent_dropout: float,
                 seed: int | None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        owner = type(self).__name__
        self.units = positive_int(units, "units", owner)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.dropout = min(1.0, max(0.0, dropout))
        self.recurrent_dropout = min(1.0, max(0.0, recurrent_dropout))
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)
        self.state_size: int | list[int] = self.units
        self.output_size = self.units
        self.bias: Variable | None = None

    # dropout that is the same in all steps: a layer draws it before the first one, and forgets it after the last
    dropout_mask_count: ClassVar[int | None] = None    # for how many gates, in a list, where each has its own
    _dropout_mask: Any = None
    _recurrent_dropout_mask: Any = None

    def _create_dropout_mask(self, step_input: Any, dropout_rate: float) -> Any:
        masks = [random.dropout(ops.ones_like(step_input), dropout_rate, seed=self.seed_generator)
                 for _ in range(self.dropout_mask_count or 1)]  # fmt: skip
        return masks[0] if self.dropout_mask_count is None else masks

    def get_dropout_mask(self, step_input: Any) -> Any:
        """The factors of `step_input`, the inputs, of every step, until `reset_dropout_mask()`; None without dropout."""
        if self._dropout_mask is None and self.dropout > 0:
            self._keep_apart(_dropout_mask=self._create_dropout_mask(step_input, self.dropout))
        return self._dropout_mask

    def get_recurrent_dropout_mask(self, step_input: Any) -> Any:
        """The factors of the states, `step_input`, before every step, until `reset_recurrent_dropout_mask()`; None without dropout."""
        if self._recurrent_dropout_mask is None and self.recurrent_dropout > 0:
            self._keep_apart(_recurrent_dropout_mask=self._create_dropout_mask(step_input, self.recurrent_dropout))
        return self._recurrent_dropout_mask

    def reset_dropout_mask(self) -> None:
        """Forgets the factors of the inputs."""
        self._keep_apart(_dropout_mask=None)

    def reset_recurrent_dropout_mask(self) -> None:
        """Forgets the factors of the states."""
        self._keep_apart(_recurrent_dropout_mask=None)

    def _times(self, x: Any, masks: Any) -> Any:
        return x * masks

    def build(self, input_shape: Any) -> None:
        columns = self._gate_count * self.units
        self.kernel = make_weight(self, "kernel", (known_size(self, input_shape, -1), columns))
        self.recurrent_kernel = make_weight(self, "recurrent", (self.units, columns), name="recurrent_kernel")
        if self.use_bias:
            self._make_bias(columns)
        self.built = True

    def _make_bias(self, columns: Any) -> Any:
        self.bias = make_weight(self, "bias", (columns,))

    def _project_inputs(self, inputs: Any) -> Any:
        """`inputs @ kernel + bias`, for one step or for many."""
        x = ops.matmul(inputs, self.kernel)
        return x if self.bias is None else x + self.bias

    @property
    def _runs_in_parts(self) -> bool:
        """Whether `_project_inputs` and `_advance_states` are all of `call`: not in a subclass with a `call` or dropout of its own."""
        cls = type(self)
        return all(getattr(cls, name).__module__ == __name__ for name in ("call", "get_dropout_mask", "get_recurrent_dropout_mask"))

    def call(self, inputs: Any, states: Any, training: bool | None = False) -> Any:
        """The output and the states after one step."""
        nested = isinstance(states, (list, tuple))
        if states is None:
            self._refuse_call((inputs, states), {})
        states = list(states) if nested else [states]
        if len(states) != (count := len(self.state_size) if isinstance(self.state_size, list) else 1):
            raise ShapeError(f'Layer "{self.name}" has {count} state(s); states has {len(states)}.')
        inputs = self._drop_inputs(inputs, training)
        output, new = self._advance_states(self._project_inputs(inputs), states, self._state_product(states[0].shape[0], training))
        return output, new if nested else new[0]

    def _drop_inputs(self, inputs: Any, training: bool | None) -> Any:
        """`inputs` with dropout; all steps of a sequence `(batch, steps, features)` lose the same features."""
        if not training or not self.dropout:
            return inputs
        if self._dropout_mask is not None:
            return self._times(inputs, self._dropout_mask)
        shape = (inputs.shape[0], *(1,) * (len(inputs.shape) - 2), inputs.shape[-1])
        return random.dropout(inputs, self.dropout, noise_shape=shape, seed=self.seed_generator)

    def _state_product(self, batch: int, training: bool | None) -> Any:
        """The function `h, first, last -> h @ recurrent_kernel[:, first:last]`, with one dropout for all steps."""
        factor = self._recurrent_dropout_mask if training else None
        if factor is None and training and self.recurrent_dropout:
            ones = ops.ones((batch, self.units))
            factor = random.dropout(ones, self.recurrent_dropout, seed=self.seed_generator)

        def apply(h: Any, first: Any = 0, last: Any = None) -> Any:
            kernel = self.recurrent_kernel if last is None and not first else self.recurrent_kernel.value[:, first:last]
            return ops.matmul(h if factor is None else h * factor, kernel)

        return apply

    recurrent_activation: Any = None                   # of the gates, where a cell has gates

    def _advance_states(self, projected: Any, states: Any, product: Callable[..., Any]) -> Any:
        """The output and the new states for `_project_inputs(inputs)` of one step; every cell writes its own."""
        raise TypeError(f"{type(self).__name__} must define _advance_states(projected, states, product).")

    def _run_steps(self, projected: Any, states: Any, keep: Any, training: bool | None) -> Any:
        """All steps at once, or None where the cell has no such form.

        Args:
            projected: `(steps, batch, columns)`, from `_project_inputs`.
            states: List of states before the first step.
            keep: int32 `(steps, batch)`, 0 where a step changes nothing.

        Returns:
            Outputs `(steps, batch, units)` and the list of states after the last step.
        """
        return None

    def _usual(self, training: bool | None) -> Any:
        """Whether gates and activations are those that kernels know."""
        usual = self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid
        return usual and recurrent.fits(self.units) and not (training and self.recurrent_dropout)

    def get_initial_state(self, batch_size: Any = None) -> Any:
        """States of zeros for `batch_size` sequences, a list."""
        sizes = self.state_size if isinstance(self.state_size, list) else [self.state_size]
        return [ops.zeros((batch_size, size)) for size in sizes]

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        state = (input_shape[0], self.units)
        return state, [state] * (2 if isinstance(self.state_size, list) else 1)

    def compute_output_spec(self, inputs: Any, states: Any, training: bool | None = False) -> Any:
        return infer_output_spec(self._call_on_probes, (inputs, states), {})


class SimpleRNNCell(_Cell):
    """`h = activation(inputs @ kernel + bias + h @ recurrent_kernel)`. Arguments as for `SimpleRNN`.

    Source: Elman 1990, "Finding Structure in Time".

    Example:
        >>> cell = pyml.layers.SimpleRNNCell(4)
        >>> output, [h] = cell(np.ones((2, 3)), [np.zeros((2, 4), "float32")])
        >>> output.shape
        (2, 4)
    """

    def __init__(self, units: int, activation: ActivationLike = "tanh", use_bias: bool = True,
                 kernel_initializer: InitializerLike = "glorot_uniform", recurrent_initializer: InitializerLike = "orthogonal",
                 bias_initializer: InitializerLike = "zeros", kernel_regularizer: RegularizerLike = None,
                 recurrent_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 kernel_constraint: ConstraintLike = None, recurrent_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None,
                 **kwargs: Any) -> None:
        super().__init__(units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
                         kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
                         bias_constraint, dropout, recurrent_dropout, seed, **kwargs)

    def call(self, sequence: Any, states: Any, training: bool | None = False) -> Any:
        """The output and the states after one step, whose inputs are `sequence`."""
        return super().call(sequence, states, training)

    def _advance_states(self, projected: Any, states: Any, product: Any) -> Any:
        """The output and the new states for `_project_inputs(inputs)` of one step."""
        h = self.activation(projected + product(states[0]))
        return h, [h]

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(x: Any, states: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
            h = np.tanh(x @ kernel + bias + states[0] @ recurrent_kernel)
            return h, [h]

        yield sample(cls(3), draw(2, 4), [draw(2, 3)], like=like)


class GRUCell(_Cell, not_in_config=("implementation",)):
    """One step of a gated recurrent unit: gates z and r, then the candidate. Arguments as for `GRU`.

    Example:
        >>> cell = pyml.layers.GRUCell(4)
        >>> output, [h] = cell(np.ones((2, 3)), [np.zeros((2, 4), "float32")])
        >>> cell.kernel.shape
        (3, 12)

    Source: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder".
    """

    _gate_count = 3

    def __init__(self, units: int, activation: ActivationLike = "tanh", recurrent_activation: ActivationLike = "sigmoid",
                 use_bias: bool = True, kernel_initializer: InitializerLike = "glorot_uniform",
                 recurrent_initializer: InitializerLike = "orthogonal", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, recurrent_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 recurrent_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None, dropout: float = 0.0,
                 recurrent_dropout: float = 0.0, reset_after: bool = True, seed: int | None = None, **kwargs: Any) -> None:
        kwargs.pop("implementation", None)  # which of two ways to compute the same, as Keras had them
        super().__init__(units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
                         kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
                         bias_constraint, dropout, recurrent_dropout, seed, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def _make_bias(self, columns: Any) -> Any:
        self.bias = make_weight(self, "bias", (2, columns) if self.reset_after else (columns,))

    def _project_inputs(self, inputs: Any) -> Any:
        x = ops.matmul(inputs, self.kernel)
        return x if self.bias is None else x + (self.bias.value[0] if self.reset_after else self.bias)

    def _advance_states(self, projected: Any, states: Any, product: Any) -> Any:
        """The output and the new states for `_project_inputs(inputs)` of one step."""
        h, n = states[0], self.units
        if self.reset_after:
            inner = product(h)
            if self.bias is not None:
                inner = inner + self.bias.value[1]
            gates = self.recurrent_activation(projected[:, : 2 * n] + inner[:, : 2 * n])
            candidate = self.activation(projected[:, 2 * n :] + gates[:, n:] * inner[:, 2 * n :])
        else:
            gates = self.recurrent_activation(projected[:, : 2 * n] + product(h, 0, 2 * n))
            candidate = self.activation(projected[:, 2 * n :] + product(gates[:, n:] * h, 2 * n, 3 * n))
        z = gates[:, :n]
        h = z * h + (1.0 - z) * candidate
        return h, [h]

    def _run_steps(self, projected: Any, states: Any, keep: Any, training: bool | None) -> Any:
        if not self.reset_after or not self._usual(training):
            return None
        bias = ops.zeros((3 * self.units,)) if self.bias is None else self.bias.value[1]
        outputs = recurrent.gru(projected, self.recurrent_kernel, bias, states[0], keep)
        return outputs, [outputs[-1]]

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3), draw(2, 4), [draw(2, 3)])
        yield sample(cls(3, reset_after=False), draw(2, 4), [draw(2, 3)])


class LSTMCell(_Cell, not_in_config=("implementation",)):
    """One step of long short-term memory: gates i, f and o, the candidate, the carry c. Arguments as for `LSTM`.

    Example:
        >>> cell = pyml.layers.LSTMCell(4)
        >>> zeros = np.zeros((2, 4), "float32")
        >>> output, [h, c] = cell(np.ones((2, 3)), [zeros, zeros])
        >>> cell.kernel.shape
        (3, 16)

    Source: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory".
    """

    _gate_count = 4

    def __init__(self, units: int, activation: ActivationLike = "tanh", recurrent_activation: ActivationLike = "sigmoid",
                 use_bias: bool = True, kernel_initializer: InitializerLike = "glorot_uniform",
                 recurrent_initializer: InitializerLike = "orthogonal", bias_initializer: InitializerLike = "zeros",
                 unit_forget_bias: bool = True, kernel_regularizer: RegularizerLike = None, recurrent_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 recurrent_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None, dropout: float = 0.0,
                 recurrent_dropout: float = 0.0, seed: int | None = None, **kwargs: Any) -> None:
        kwargs.pop("implementation", None)  # which of two ways to compute the same, as Keras had them
        super().__init__(units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
                         kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
                         bias_constraint, dropout, recurrent_dropout, seed, **kwargs)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.state_size = [self.units, self.units]

    def _make_bias(self, columns: Any) -> Any:
        if not self.unit_forget_bias:
            return super()._make_bias(columns)

        def remembering(shape: Any, dtype: Any = None) -> Any:            # ones for the forget gate
            draw, n = self.bias_initializer, self.units
            return ops.concatenate([draw((n,), dtype=dtype), ops.ones((n,), dtype), draw((2 * n,), dtype=dtype)])

        self.bias = self.add_weight(name="bias", shape=(columns,), initializer=remembering,
                                    regularizer=self.bias_regularizer, constraint=self.bias_constraint)

    def _advance_states(self, projected: Any, states: Any, product: Any) -> Any:
        """The output and the new states for `_project_inputs(inputs)` of one step."""
        h, c = states
        i, f, candidate, o = ops.split(projected + product(h), 4, axis=-1)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(candidate)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def _run_steps(self, projected: Any, states: Any, keep: Any, training: bool | None) -> Any:
        if not self._usual(training):
            return None
        h, c = states
        outputs, c = recurrent.lstm(projected, self.recurrent_kernel, h, c, keep)
        return outputs, [outputs[-1], c]

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3), draw(2, 4), [draw(2, 3), draw(2, 3)])
