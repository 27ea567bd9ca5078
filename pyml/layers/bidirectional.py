"""`Bidirectional`: a recurrent layer from the first step to the last, and another one the other way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.core.tree import flatten
from pyml.layers.layer import Layer
from pyml.layers.recurrent import LSTM
from pyml.layers.wrapper import build_inside
from pyml.objects.registry import LAYERS
from pyml.objects.samples import Sample, draw, sample
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object

__all__ = ["Bidirectional"]

_MODES = ("sum", "mul", "ave", "concat", None)


class Bidirectional(Layer, not_in_config=("weights",)):
    """Runs a recurrent layer forwards and a copy of it backwards, and joins the outputs.

    Args:
        layer: A recurrent layer; both directions are made from its config, with new weights.
        merge_mode: How outputs are joined: `"concat"`, `"sum"`, `"mul"`, `"ave"`; None gives back both.
        weights: First weights: those of the forward layer, then those of the backward layer.
        backward_layer: A layer for the other direction in place of the copy; its `go_backwards` must differ.

    Input shape: that of the layer. Output shape: that of the layer, twice as wide with `"concat"`.
    Weights: those of `forward_layer`, then those of `backward_layer`.

    Raises:
        ValueError: `merge_mode` is unknown, or the two layers do not go together.

    Example:
        >>> pyml.layers.Bidirectional(pyml.layers.LSTM(4, return_sequences=True))(np.ones((2, 5, 3))).shape
        (2, 5, 8)

    Source: Schuster and Paliwal 1997, "Bidirectional Recurrent Neural Networks".
    """

    def __init__(self, layer: Any, merge_mode: str | None = "concat", weights: Any = None, backward_layer: Any = None,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not all(isinstance(one, Layer) for one in (layer, backward_layer) if one is not None) or layer is None:
            raise ValueError(f"Bidirectional: expected layers. Received: layer={layer!r}, backward_layer={backward_layer!r}")
        if not hasattr(layer, "go_backwards"):
            raise ValueError(f"Bidirectional: expected a recurrent layer, such as LSTM. Received: layer={layer!r}")
        if merge_mode not in _MODES:
            raise ValueError(f"Bidirectional: merge_mode must be one of {_MODES}. Received: merge_mode={merge_mode!r}")

        def copy(direction: str, **changes: Any) -> Any:
            config = serialize_keras_object(layer)
            name = f"{direction}_{layer.name.removeprefix(f'{direction}_')}"
            return deserialize_keras_object({**config, "config": {**config["config"], "name": name, **changes}}, kind=LAYERS)

        self.forward_layer = copy("forward")
        self.backward_layer = backward_layer
        if backward_layer is None:
            self.backward_layer = copy("backward", go_backwards=not layer.go_backwards)
        self._check()
        for one in (self.forward_layer, self.backward_layer):
            one.zero_output_for_mask = one.return_sequences
        self.merge_mode = merge_mode
        self._keep_apart(_first_weights=weights)
        self.stateful = layer.stateful
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.supports_masking = True
        self.input_spec = layer.input_spec

    def _check(self) -> None:
        first, second = self.forward_layer, self.backward_layer
        if first.go_backwards == second.go_backwards:
            raise ValueError(f"Bidirectional: both layers have go_backwards={first.go_backwards}; they must differ.")
        for name in ("stateful", "return_sequences", "return_state"):
            if getattr(first, name) != getattr(second, name):
                raise ValueError(
                    f"Bidirectional: both layers must have the same {name}. "
                    f"Received: {getattr(first, name)} and {getattr(second, name)}"
                )

    _first_weights: Any

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        build_inside(self, self.forward_layer, sequences_shape)
        build_inside(self, self.backward_layer, sequences_shape)
        self.built = True
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool | None = None) -> Any:
        """What both layers give, merged.

        Args:
            sequences: `(batch, steps, ...)`.
            initial_state: The states before the first step, those of the forward layer first; zeros by default.
            mask: bool `(batch, steps)`: which steps count.
            training: Whether there is dropout.
        """
        half = 0 if initial_state is None else len(initial_state) // 2
        starts = (initial_state[:half], initial_state[half:]) if half else (None, None)
        ahead, back = (
            layer(sequences, initial_state=start, mask=mask, training=training)
            for layer, start in zip((self.forward_layer, self.backward_layer), starts, strict=True)
        )
        states = []
        if self.return_state:
            states = [*ahead[1:], *back[1:]]
            ahead, back = ahead[0], back[0]
        if self.return_sequences:
            back = ops.flip(back, axis=1)
        joined = self._join(ahead, back)
        return (*joined, *states) if self.return_state or self.merge_mode is None else joined[0]

    def _join(self, ahead: Any, back: Any) -> Any:
        if self.merge_mode is None:
            return [ahead, back]
        if self.merge_mode == "concat":
            return [ops.concatenate([ahead, back], axis=-1)]
        if self.merge_mode == "mul":
            return [ahead * back]
        return [(ahead + back) * (0.5 if self.merge_mode == "ave" else 1.0)]

    def reset_state(self) -> None:
        """Zeros as the states of both directions."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        shape, states = self.forward_layer.compute_output_shape(sequences_shape), []
        if self.return_state:
            shape, states = shape[0], 2 * shape[1:]
        if self.merge_mode == "concat":
            shape = (*shape[:-1], 2 * shape[-1])
        shapes = [shape, shape] if self.merge_mode is None else [shape]
        return (*shapes, *states) if self.return_state or self.merge_mode is None else shape

    @property
    def states(self) -> Any:
        """The states of stateful layers, those of the forward layer first; None of others."""
        ahead, back = self.forward_layer.states, self.backward_layer.states
        return None if not ahead or not back else (*ahead, *back)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask, where there are still steps."""
        mask = flatten(mask)[0] if self.return_sequences and mask is not None else None
        masks = [mask] * (2 if self.merge_mode is None else 1)
        if self.return_state:
            masks += [None] * (2 * len(self.forward_layer.state_size))
        return tuple(masks) if len(masks) > 1 else mask

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "layer": serialize_keras_object(self.forward_layer)}

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(LSTM(2, return_sequences=True)), draw(2, 4, 3))
        yield sample(cls(LSTM(2), merge_mode="ave"), draw(2, 4, 3))
