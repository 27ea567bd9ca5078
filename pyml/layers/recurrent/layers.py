"""`SimpleRNN`, `GRU` and `LSTM`: an RNN with the cell of that name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pyml.layers.input_spec import InputSpec
from pyml.layers.recurrent.cells import GRUCell, LSTMCell, SimpleRNNCell
from pyml.layers.recurrent.rnn import RNN
from pyml.layers.types import ActivationLike, ConstraintLike, InitializerLike, RegularizerLike
from pyml.objects.samples import Sample, draw, sample


class OfTheCell:
    """An argument that a layer has from its cell."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, layer: Any, owner: type) -> Any:
        return self if layer is None else getattr(layer.cell, self.name)

    def __set__(self, layer: Any, value: Any) -> None:
        raise AttributeError(f"{self.name} of {type(layer).__name__} {layer.name!r} is that of its cell and cannot be set.")


class _Recurrent(RNN):
    """An RNN whose arguments are those of its cell."""

    _always_says_penalty = True
    units = OfTheCell()
    activation = OfTheCell()
    use_bias = OfTheCell()
    kernel_initializer = OfTheCell()
    recurrent_initializer = OfTheCell()
    bias_initializer = OfTheCell()
    kernel_regularizer = OfTheCell()
    recurrent_regularizer = OfTheCell()
    bias_regularizer = OfTheCell()
    kernel_constraint = OfTheCell()
    recurrent_constraint = OfTheCell()
    bias_constraint = OfTheCell()
    dropout = OfTheCell()
    recurrent_dropout = OfTheCell()

    def __init__(self, cell: Any, return_sequences: bool, return_state: bool, go_backwards: bool, stateful: bool, unroll: bool,
                 seed: int | None, **kwargs: Any) -> None:
        super().__init__(cell, return_sequences=return_sequences, return_state=return_state, go_backwards=go_backwards,
                         stateful=stateful, unroll=unroll, **kwargs)
        self.seed = seed
        self.input_spec = InputSpec(ndim=3)

    def _base_config(self) -> dict[str, Any]:
        return {**super()._base_config(), "unroll": self.unroll, "zero_output_for_mask": self.zero_output_for_mask}


def _for_the_cell(kwargs: Any) -> Any:
    """Arguments of a layer that its cell takes over."""
    return {name: kwargs[name] for name in ("dtype", "trainable") if name in kwargs}


class SimpleRNN(_Recurrent):
    """A fully connected recurrent layer: `h = activation(inputs @ kernel + bias + h @ recurrent_kernel)`.

    Args:
        units: Size of the output and of the state.
        activation: Name or function.
        use_bias: Whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Names or objects.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: Functions applied after each update.
        dropout, recurrent_dropout: Shares of inputs and of states dropped while training, the same ones in every step.
        return_sequences, return_state, go_backwards, stateful, unroll: see `RNN`.
        seed: Integer seed of the dropout.

    Input shape: `(batch, steps, features)`.
    Output shape: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.

    Source: Elman 1990, "Finding Structure in Time".

    Example:
        >>> pyml.layers.SimpleRNN(4)(np.ones((2, 5, 3))).shape
        (2, 4)
    """

    def __init__(self, units: int, activation: ActivationLike = "tanh", use_bias: bool = True,
                 kernel_initializer: InitializerLike = "glorot_uniform", recurrent_initializer: InitializerLike = "orthogonal",
                 bias_initializer: InitializerLike = "zeros", kernel_regularizer: RegularizerLike = None,
                 recurrent_regularizer: RegularizerLike = None, bias_regularizer: RegularizerLike = None,
                 activity_regularizer: RegularizerLike = None, kernel_constraint: ConstraintLike = None,
                 recurrent_constraint: ConstraintLike = None, bias_constraint: ConstraintLike = None, dropout: float = 0.0,
                 recurrent_dropout: float = 0.0, return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False,
                 stateful: bool = False, unroll: bool = False, seed: int | None = None, **kwargs: Any) -> None:
        cell = SimpleRNNCell(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, kernel_regularizer,
            recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint, bias_constraint, dropout,
            recurrent_dropout, seed, name="simple_rnn_cell", **_for_the_cell(kwargs))
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll, seed,
                         activity_regularizer=activity_regularizer, **kwargs)

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        def like(x: Any, kernel: Any, recurrent_kernel: Any, bias: Any) -> Any:
            h = np.zeros((2, 3))
            for t in range(4):
                h = np.tanh(x[:, t] @ kernel + bias + h @ recurrent_kernel)
            return h

        yield sample(cls(3), draw(2, 4, 5), like=like)


class GRU(_Recurrent, not_in_config=("use_cudnn", "implementation")):
    """Gated recurrent units: `h = z * h + (1 - z) * candidate`, with gates z (update) and r (reset).

    With tanh, sigmoid, `reset_after` and no recurrent dropout all steps run in one kernel (and one for the gradient),
    however long the sequences are; otherwise one step is traced, as a loop, see `RNN`.

    Args:
        units: Size of the output and of the state.
        activation: Name or function, for the candidate.
        recurrent_activation: Name or function, for the gates.
        use_bias: Whether to add biases.
        kernel_initializer, recurrent_initializer, bias_initializer: Names or objects.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: Functions applied after each update.
        dropout, recurrent_dropout: Shares of inputs and of states dropped while training, the same ones in every step.
        seed: Integer seed of the dropout.
        return_sequences, return_state, go_backwards, stateful, unroll: see `RNN`.
        reset_after: Whether r scales the state after its product with the recurrent kernel, or before.
        use_cudnn: Kept for Keras' signature.

    Input shape: `(batch, steps, features)`.
    Output shape: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.
    Weights: kernel and recurrent_kernel with columns for z, r and the candidate; bias, two rows with `reset_after`.

    Example:
        >>> pyml.layers.GRU(4, return_sequences=True)(np.ones((2, 5, 3))).shape
        (2, 5, 4)

    Source: Cho et al. 2014, "Learning Phrase Representations using RNN Encoder-Decoder".
    """

    def __init__(self, units: int, activation: ActivationLike = "tanh", recurrent_activation: ActivationLike = "sigmoid",
                 use_bias: bool = True, kernel_initializer: InitializerLike = "glorot_uniform",
                 recurrent_initializer: InitializerLike = "orthogonal", bias_initializer: InitializerLike = "zeros",
                 kernel_regularizer: RegularizerLike = None, recurrent_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, activity_regularizer: RegularizerLike = None,
                 kernel_constraint: ConstraintLike = None, recurrent_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None,
                 return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False, stateful: bool = False,
                 unroll: bool = False, reset_after: bool = True, use_cudnn: Any = "auto", **kwargs: Any) -> None:
        kwargs.pop("implementation", None)  # which of two ways to compute the same, as Keras had them
        cell = GRUCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint, recurrent_constraint,
            bias_constraint, dropout, recurrent_dropout, reset_after, seed, name="gru_cell", **_for_the_cell(kwargs))
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll, seed,
                         activity_regularizer=activity_regularizer, **kwargs)
        self.use_cudnn = use_cudnn

    @property
    def recurrent_activation(self) -> Any:
        """The function of the gates."""
        return self.cell.recurrent_activation

    @property
    def reset_after(self) -> Any:
        """Whether r scales the state after its product."""
        return self.cell.reset_after

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, return_sequences=True), draw(2, 4, 5))
        yield sample(cls(3, reset_after=False, go_backwards=True), draw(2, 4, 5))


class LSTM(_Recurrent, not_in_config=("use_cudnn", "implementation")):
    """Long short-term memory: `c = f * c + i * candidate`, `h = o * activation(c)`, with gates i, f and o.

    With tanh, sigmoid and no recurrent dropout all steps run in one kernel (and one for the gradient), however long the
    sequences are; otherwise one step is traced, as a loop, see `RNN`.

    Args:
        units: Size of the output and of both states.
        activation: Name or function, for the candidate and the output.
        recurrent_activation: Name or function, for the gates.
        use_bias: Whether to add a bias.
        kernel_initializer, recurrent_initializer, bias_initializer: Names or objects.
        unit_forget_bias: Whether the bias of the forget gate starts at 1.
        kernel_regularizer, recurrent_regularizer, bias_regularizer, activity_regularizer: Penalties added to the loss.
        kernel_constraint, recurrent_constraint, bias_constraint: Functions applied after each update.
        dropout, recurrent_dropout: Shares of inputs and of states dropped while training, the same ones in every step.
        seed: Integer seed of the dropout.
        return_sequences, return_state, go_backwards, stateful, unroll: see `RNN`.
        use_cudnn: Kept for Keras' signature.

    Input shape: `(batch, steps, features)`.
    Output shape: `(batch, units)`, or `(batch, steps, units)` with `return_sequences`.
    Weights: kernel, recurrent_kernel and bias with columns for i, f, the candidate and o.

    Example:
        >>> output, h, c = pyml.layers.LSTM(4, return_state=True)(np.ones((2, 5, 3)))
        >>> output.shape, c.shape
        ((2, 4), (2, 4))

    Source: Hochreiter and Schmidhuber 1997, "Long Short-Term Memory".
    """

    def __init__(self, units: int, activation: ActivationLike = "tanh", recurrent_activation: ActivationLike = "sigmoid",
                 use_bias: bool = True, kernel_initializer: InitializerLike = "glorot_uniform",
                 recurrent_initializer: InitializerLike = "orthogonal", bias_initializer: InitializerLike = "zeros",
                 unit_forget_bias: bool = True, kernel_regularizer: RegularizerLike = None, recurrent_regularizer: RegularizerLike = None,
                 bias_regularizer: RegularizerLike = None, activity_regularizer: RegularizerLike = None,
                 kernel_constraint: ConstraintLike = None, recurrent_constraint: ConstraintLike = None,
                 bias_constraint: ConstraintLike = None, dropout: float = 0.0, recurrent_dropout: float = 0.0, seed: int | None = None,
                 return_sequences: bool = False, return_state: bool = False, go_backwards: bool = False, stateful: bool = False,
                 unroll: bool = False, use_cudnn: Any = "auto", **kwargs: Any) -> None:
        kwargs.pop("implementation", None)  # which of two ways to compute the same, as Keras had them
        cell = LSTMCell(
            units, activation, recurrent_activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer,
            unit_forget_bias, kernel_regularizer, recurrent_regularizer, bias_regularizer, kernel_constraint,
            recurrent_constraint, bias_constraint, dropout, recurrent_dropout, seed, name="lstm_cell",
            **_for_the_cell(kwargs))
        super().__init__(cell, return_sequences, return_state, go_backwards, stateful, unroll, seed,
                         activity_regularizer=activity_regularizer, **kwargs)
        self.use_cudnn = use_cudnn

    @property
    def recurrent_activation(self) -> Any:
        """The function of the gates."""
        return self.cell.recurrent_activation

    @property
    def unit_forget_bias(self) -> Any:
        """Whether the bias of the forget gate starts at 1."""
        return self.cell.unit_forget_bias

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(3, return_sequences=True, return_state=True), draw(2, 4, 5))
        yield sample(cls(3, dropout=0.1, seed=4, unit_forget_bias=False), draw(2, 4, 5))
