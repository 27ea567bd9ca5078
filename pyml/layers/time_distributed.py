"""`TimeDistributed`: one layer for every step of a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyml import ops
from pyml.core.symbolic import FunctionOp, infer_output_spec
from pyml.core.tree import map_structure
from pyml.errors import ShapeError
from pyml.layers.batch_normalization import BatchNormalization
from pyml.layers.dense import Dense
from pyml.layers.plain import Lambda
from pyml.layers.wrapper import Wrapper, build_inside
from pyml.objects.samples import Sample, draw, sample
from pyml.tracebacks import is_ours

__all__ = ["TimeDistributed"]

# What a residual network has between its layers: of tensors with a batch they keep samples apart, so that its steps stay one batch.
_OF_ELEMENTS = {"add", "subtract", "multiply", "divide", "negative", "maximum", "minimum", "relu", "sigmoid", "tanh", "gelu", "silu"}


class TimeDistributed(Wrapper):
    """Applies a layer to every step of sequences, with the same weights.

    All steps of all samples go through built-in layers as one batch. Step by step, as in Keras, it goes where a step may be more
    than its samples: with a BatchNormalization inside while it trains, since the statistics are those of each step, and with
    layers of one's own, a Lambda, or ops between the layers of a model, other than arithmetic and activations, which may reduce
    over the batch, add losses or assign Variables.

    Args:
        layer: The layer for one step.

    Input shape: `(batch, steps, ...)`. Output shape: `(batch, steps, ...)` with the layer's output behind.

    Raises:
        ShapeError: Inputs have fewer than three axes.

    Example:
        >>> images = np.ones((2, 5, 8, 8, 3))
        >>> pyml.layers.TimeDistributed(pyml.layers.Conv2D(4, 3))(images).shape
        (2, 5, 6, 6, 4)
    """

    def __init__(self, layer: Any, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def _of_a_step(self, input_shape: Any) -> Any:
        if len(input_shape) < 3:
            raise ShapeError(f'Layer "{self.name}" needs inputs (batch, steps, ...). Received: {tuple(input_shape)}')
        return (input_shape[0], *input_shape[2:])

    def build(self, input_shape: Any = None) -> None:
        build_inside(self, self.layer, self._of_a_step(input_shape))
        self.built = True

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        batch, steps = inputs.shape[:2]
        if mask is not None and tuple(mask.shape[:2]) != (batch, steps):
            raise ShapeError(f'Layer "{self.name}": the mask must begin with the batch and the steps of the inputs, {(batch, steps)}. '
                             f"Received: a mask of shape {tuple(mask.shape)}")  # fmt: skip
        masked = mask is not None and self.layer._signature.takes_mask
        if self._differs_by_step(training):
            each = [self.layer(inputs[:, step], training=training, **({"mask": mask[:, step]} if masked else {})) for step in range(steps)]
            return map_structure(lambda *outputs: ops.stack(outputs, axis=1), *each)
        x = ops.reshape(inputs, (-1, *inputs.shape[2:]))
        known = {"mask": ops.reshape(mask, (-1, *mask.shape[2:]))} if masked else {}
        outputs = self.layer(x, training=training, **known)
        rows = -1 if batch is None else batch          # symbolic
        return map_structure(lambda y: ops.reshape(y, (rows, steps, *y.shape[1:])), outputs)

    def _differs_by_step(self, training: bool | None) -> bool:
        """Whether one batch of all steps gives something else than each step on its own."""
        layers: list[Any] = self.layer._flatten_layers()
        if training and any(isinstance(layer, BatchNormalization) and layer.trainable for layer in layers):
            return True
        return any(_is_of_user(layer) or getattr(layer, "runs_on_host", False) for layer in layers)

    def compute_output_spec(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if inputs.dtype == "string":                   # shapes alone would be those of numbers
            return infer_output_spec(self._call_on_probes, (inputs,), {"training": training, "mask": mask})
        return super().compute_output_spec(inputs, training=training, mask=mask)

    def compute_output_shape(self, input_shape: Any) -> Any:
        shape = self.layer.compute_output_shape(self._of_a_step(input_shape))
        return (shape[0], input_shape[1], *shape[1:])

    @classmethod
    def _samples(cls) -> Iterator[Sample]:
        yield sample(cls(Dense(3)), draw(2, 4, 5), like=lambda x, kernel, bias: x @ kernel + bias)


def _is_of_user(layer: Any) -> bool:
    """Whether what a layer does with the samples of a batch is written by a user."""
    graph = layer._symbolic_graph
    between = [operation for operation in graph.operations if isinstance(operation, FunctionOp)] if graph is not None else []
    mixing = any(getattr(operation.call, "__name__", "") not in _OF_ELEMENTS for operation in between)
    return isinstance(layer, Lambda) or mixing or not is_ours(type(layer))
