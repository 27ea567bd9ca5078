"""`ConvLSTM1D`, `ConvLSTM2D` and `ConvLSTM3D`: long short-term memory whose products are convolutions.

One step is traced, as a loop, however long the sequences are; the inputs of all steps are convolved at once before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pyml import ops, random
from pyml.errors import ShapeError
from pyml.layers.input_spec import InputSpec
from pyml.layers.recurrent.cells import LSTMCell
from pyml.layers.recurrent.layers import OfTheCell, _for_the_cell, _Recurrent
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.layers.weights import known_size, make_weight
from pyml.layers.windows import channel_axis, laid_out, output_sizes, spatial, standard_data_format, standard_padding, window_sizes
from pyml.objects.samples import Sample, draw, sample

__all__ = ["ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D"]


class _ConvLSTMCell(LSTMCell):
    """One step: gates i, f and o, the candidate, the carry c, all of them images."""

    def __init__(self, rank: int, filters: int, kernel_size: Any, strides: Any, padding: str, data_format: str | None, dilation_rate: Any,
                 owner: str, **kwargs: Any) -> None:
        super().__init__(filters, **kwargs)
        self.rank, self.filters = rank, filters
        self.kernel_size = window_sizes(kernel_size, rank, "kernel_size", owner)
        self.strides = window_sizes(strides, rank, "strides", owner)
        self.dilation_rate = window_sizes(dilation_rate, rank, "dilation_rate", owner)
        self.padding = standard_padding(padding, owner)
        self.data_format = standard_data_format(data_format, owner)
        self._channels = channel_axis(self.data_format)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                f"{owner}: strides and dilation_rate cannot both be above 1. Received: strides={self.strides}, "
                f"dilation_rate={self.dilation_rate}"
            )

    def build(self, input_shape: Any) -> None:
        self._sides = tuple(spatial(input_shape, self.data_format))
        if None in self._sides:
            raise ShapeError(f"ConvLSTM: the sizes of the images must be known. Received: input shape {tuple(input_shape)}")
        self._depth = known_size(self, input_shape, self._channels)
        self.kernel = make_weight(self, "kernel", (*self.kernel_size, self._depth, 4 * self.filters))
        self.recurrent_kernel = make_weight(
            self, "recurrent", (*self.kernel_size, self.filters, 4 * self.filters), name="recurrent_kernel")
        if self.use_bias:
            self._make_bias(4 * self.filters)
        self.built = True

    def _project_inputs(self, inputs: Any) -> Any:
        """The convolution of `inputs` with the kernel, and the bias; for one step or, with an axis before, for many."""
        steps = inputs.shape[: len(inputs.shape) - self.rank - 2]
        x = ops.reshape(inputs, (-1, *inputs.shape[len(steps) + 1 :])) if steps else inputs
        x = self._convolved(x, self.kernel, self._depth, strides=self.strides, padding=self.padding, dilation_rate=self.dilation_rate)
        if self.bias is not None:
            x = x + (self.bias if self._channels == -1 else ops.reshape(self.bias, (-1, *(1,) * self.rank)))
        return ops.reshape(x, (*steps, -1, *x.shape[1:])) if steps else x

    def _convolved(self, x: Any, kernel: Any, depth: int, **window: Any) -> Any:
        """A convolution for all gates; where `x` has channels for each of them, each gate sees its own."""
        if x.shape[self._channels] == depth:
            return ops.conv(x, kernel, data_format=self.data_format, **window)
        parts = zip(ops.split(x, 4, axis=self._channels), ops.split(kernel, 4, axis=-1), strict=True)
        return ops.concatenate([ops.conv(part, own, data_format=self.data_format, **window) for part, own in parts], axis=self._channels)

    def _for_each_gate(self, x: Any, rate: float, steps: int) -> Any:
        """Four copies of `x` along the channels, each with a dropout of its own, the same in all `steps` axes after the batch."""
        axis = self._channels if self._channels == -1 else 1 + steps
        shape = tuple(1 if 1 <= i <= steps else n for i, n in enumerate(x.shape))
        return ops.concatenate([random.dropout(x, rate, noise_shape=shape, seed=self.seed_generator) for _ in range(4)], axis=axis)

    dropout_mask_count = 4

    def _times(self, x: Any, masks: Any) -> Any:
        return ops.concatenate([x * mask for mask in masks], axis=self._channels)

    def _drop_inputs(self, inputs: Any, training: bool | None) -> Any:
        if not training or not self.dropout:
            return inputs
        if self._dropout_mask is not None:
            return self._times(inputs, self._dropout_mask)
        return self._for_each_gate(inputs, self.dropout, len(inputs.shape) - self.rank - 2)

    def _state_product(self, batch: int, training: bool | None) -> Any:
        """The function `h -> convolution of h with recurrent_kernel`, with one dropout for all steps."""
        prepared = self._recurrent_dropout_mask if training else None
        factors = None if prepared is None else ops.concatenate(prepared, axis=self._channels)
        if factors is None and training and self.recurrent_dropout:
            factors = self._for_each_gate(ops.ones(self._state_shape(batch)), self.recurrent_dropout, 0)

        def apply(h: Any) -> Any:
            if factors is not None:
                h = ops.concatenate([h] * 4, axis=self._channels) * factors
            return self._convolved(h, self.recurrent_kernel, self.filters, strides=1, padding="same")

        return apply

    def _advance_states(self, projected: Any, states: Any, product: Any) -> Any:
        """The output and the new states for `_project_inputs(inputs)` of one step."""
        h, c = states
        i, f, candidate, o = ops.split(projected + product(h), 4, axis=self._channels)
        gate = self.recurrent_activation
        c = gate(f) * c + gate(i) * self.activation(candidate)
        h = gate(o) * self.activation(c)
        return h, [h, c]

    def _run_steps(self, projected: Any, states: Any, keep: Any, training: bool | None) -> Any:
        return None

    def _state_shape(self, batch: Any) -> tuple[Any, ...]:
        sizes = output_sizes(self._sides, self.kernel_size, self.strides, self.padding, self.dilation_rate, self)
        return laid_out(batch, sizes, self.filters, self.data_format)

    def get_initial_state(self, batch_size: Any = None) -> Any:
        return [ops.zeros(self._state_shape(batch_size)) for _ in range(2)]

    def compute_output_shape(self, input_shape: Any, states_shape: Any = None) -> Any:
        sizes = output_sizes(spatial(input_shape, self.data_format), self.kernel_size, self.strides, self.padding, self.dilation_rate, self)
        state = laid_out(input_shape[0], sizes, self.filters, self.data_format)
        return state, [state, state]


class _ConvLSTM(_Recurrent):
    rank: ClassVar[int] = 2
    filters = OfTheCell()
    kernel_size = OfTheCell()
    strides = OfTheCell()
    padding = OfTheCell()
    data_format = OfTheCell()
    dilation_rate = OfTheCell()
    recurrent_activation = OfTheCell()
    unit_forget_bias = OfTheCell()

    def __init__(self, filters: int, kernel_size: Any, strides: Any = 1, padding: str = "valid", data_format: str | None = None,
                 dilation_rate: Any = 1, activation: ActivationLike = "tanh", recurrent_activation: ActivationLike = "sigmoid",
                 use_bias: bool = True, kernel_initializer: InitializerLike = "glorot_uniform",
                 recurrent_initializer: InitializerLike = "orthogonal", bias_initializer: InitializerLike = "zeros",
                 unit_forget_bias: bool = True, kernel_regularizer: RegularizerLike = None, recurrent_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, activity_regularizer: RegularizerLike = None,
                 kernel_constraint: ConstraintLike = None, recurrent_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None,
                 return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False, stateful: bool = False,
                 **kwargs: Any) -> None:
        cell = _ConvLSTMCell(
            self.rank, filters, kernel_size, strides, padding, data_format, dilation_rate, type(self).__name__, activation=activation,
            recurrent_activation=recurrent_activation, use_bias=use_bias, kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer, bias_initializer=bias_initializer, unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer, recurrent_regularizer=recurrent_regularizer, bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint, recurrent_constraint=recurrent_constraint, bias_constraint=bias_constraint,
            dropout=dropout, recurrent_dropout=recurrent_dropout, seed=seed, name="conv_lstm_cell", **_for_the_cell(kwargs))
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, kwargs.pop("unroll", False), seed,
                         activity_regularizer=activity_regularizer, **kwargs)
        self.input_spec = InputSpec(ndim=self.rank + 3)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        batch, steps, *image = sequences_shape
        state, _ = self.cell.compute_output_shape((batch, *image))
        output = (batch, steps, *state[1:]) if self.return_sequences else state
        return (output, state, state) if self.return_state else output


class ConvLSTM1D(_ConvLSTM):
    """Long short-term memory over sequences of rows: all its products are convolutions.

    Args:
        filters: Number of output channels, a positive integer.
        kernel_size, strides, dilation_rate: Integers; the convolution of states has no strides and no dilation.
        padding: `"valid"`, or `"same"`; that of states is always `"same"`.
        Others: see `ConvLSTM2D`.

    Input shape: `(batch, steps, size, channels)`.
    Output shape: `(batch, new_size, filters)`, or `(batch, steps, new_size, filters)` with `return_sequences`.

    Raises:
        ValueError: An argument is out of range, or strides and dilation_rate are both above 1.
        ShapeError: A size of the inputs other than batch and steps is unknown.

    Source: Shi et al. 2015, "Convolutional LSTM Network: A Machine Learning Approach for Precipitation Nowcasting".

    Example:
        >>> pyml.layers.ConvLSTM1D(4, 3)(np.ones((2, 5, 8, 3))).shape
        (2, 6, 4)
    """

    rank = 1

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(2, 2, return_sequences=True), draw(2, 3, 4, 2))


class ConvLSTM2D(_ConvLSTM):
    """Long short-term memory over sequences of images: all its products are convolutions.

    Args:
        filters: Number of output channels, a positive integer.
        kernel_size, strides, dilation_rate: Integers, or pairs; the convolution of states has no strides and no dilation.
        padding: `"valid"`, or `"same"`; that of states is always `"same"`.
        data_format: `"channels_last"`, `"channels_first"`, or None for `pyml.config.image_data_format()`.
        activation: Name or function, for the candidate and the output.
        recurrent_activation: Name or function, for the gates.
        use_bias: Whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Names or objects.
        unit_forget_bias: Whether the bias of the forget gate begins with ones.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: Functions applied after each update.
        dropout, recurrent_dropout: Shares of inputs and of states dropped while training, other ones for each gate, the same
            in every step.
        seed: Integer seed of the dropout.
        return_sequences, return_state, go_backwards, stateful: see `RNN`.

    Input shape: `(batch, steps, height, width, channels)`.
    Output shape: `(batch, new_height, new_width, filters)`, or `(batch, steps, new_height, new_width, filters)` with `return_sequences`.

    Raises:
        ValueError: An argument is out of range, or strides and dilation_rate are both above 1.
        ShapeError: A size of the inputs other than batch and steps is unknown.

    Source: Shi et al. 2015, "Convolutional LSTM Network: A Machine Learning Approach for Precipitation Nowcasting".

    Example:
        >>> pyml.layers.ConvLSTM2D(4, 3, padding="same", return_sequences=True)(np.ones((2, 5, 8, 8, 3))).shape
        (2, 5, 8, 8, 4)
    """

    rank = 2

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(2, 2, strides=2, return_state=True), draw(2, 3, 4, 3, 2))


class ConvLSTM3D(_ConvLSTM):
    """Long short-term memory over sequences of volumes: all its products are convolutions.

    Args:
        filters: Number of output channels, a positive integer.
        kernel_size, strides, dilation_rate: Integers, or three of them; the convolution of states has no strides and no dilation.
        padding: `"valid"`, or `"same"`; that of states is always `"same"`.
        Others: see `ConvLSTM2D`.

    Input shape: `(batch, steps, depth, height, width, channels)`.
    Output shape: `(batch, new_depth, new_height, new_width, filters)`, with `steps` behind `batch` with `return_sequences`.

    Raises:
        ValueError: An argument is out of range, or strides and dilation_rate are both above 1.
        ShapeError: A size of the inputs other than batch and steps is unknown.

    Source: Shi et al. 2015, "Convolutional LSTM Network: A Machine Learning Approach for Precipitation Nowcasting".

    Example:
        >>> pyml.layers.ConvLSTM3D(2, 2)(np.ones((1, 2, 4, 4, 4, 1))).shape
        (1, 3, 3, 3, 2)
    """

    rank = 3

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(1, 2), draw(1, 2, 2, 3, 2, 1))
