"""`Function`: a graph of symbolic tensors as a function of values."""

from __future__ import annotations

from typing import Any

from pyml.core.symbolic import KerasTensor
from pyml.core.tree import flatten, map_structure, pack_sequence_as
from pyml.errors import ShapeError
from pyml.models.graph import Graph
from pyml.objects.operation import Operation


class Function(Operation):
    """Computes symbolic outputs for values of the inputs they come from.

    Args:
        inputs: Symbolic tensors, or nested lists and dicts of them.
        outputs: Symbolic tensors computed from them.
        name: Name of the function.

    Raises:
        ValueError: An output cannot be computed from the inputs, or other numbers of values are given.
        ShapeError: A value has another shape than its input.

    Source: `keras.Function`.

    Example:
        >>> x = pyml.Input((2,))
        >>> pyml.Function(x, x * 2)(np.ones((1, 2))).numpy()
        array([[2., 2.]], dtype=float32)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self._symbolic_graph = Graph(inputs, outputs)
        self._outputs_struct = outputs

    @property
    def inputs(self) -> list[Any]:
        """The symbolic inputs in order."""
        return self._symbolic_graph.inputs

    @property
    def outputs(self) -> list[Any]:
        """The symbolic outputs in order."""
        return self._symbolic_graph.outputs

    @property
    def operations(self) -> list[Any]:
        """Layers and ops on the way, in order."""
        return self._symbolic_graph.operations

    def call(self, inputs: Any) -> Any:
        """The outputs for values of the inputs."""
        values = flatten(inputs)
        if len(values) != len(self.inputs):
            raise ValueError(f"Function {self.name!r} takes {len(self.inputs)} inputs. Received: {len(values)}")
        for value, known in zip(values, self.inputs, strict=True):
            given, wanted = tuple(getattr(value, "shape", known.shape)), known.shape
            if len(given) != len(wanted) or any(n not in (m, None) for m, n in zip(given, wanted, strict=True)):
                raise ShapeError(f"Function {self.name!r}: input {known.name!r} has shape {wanted}. Received: a tensor of shape {given}")
        return self._symbolic_graph.run(values)

    def __call__(self, inputs: Any) -> Any:
        if any(hasattr(leaf, "_keras_history") for leaf in flatten(inputs)):
            return self.symbolic_call(inputs)
        return self.call(inputs)

    def compute_output_shape(self, input_shape: Any = None) -> Any:
        """The shapes of the outputs for those of the inputs, one or a list of them; without, those that the graph has."""
        if input_shape is None:
            return pack_sequence_as(self._outputs_struct, [tuple(t.shape) for t in self.outputs])
        shapes = [input_shape] if len(self.inputs) == 1 and all(n is None or isinstance(n, int) for n in input_shape) else input_shape
        given = [KerasTensor(shape, dtype=t.dtype) for shape, t in zip(shapes, self.inputs, strict=True)]
        return map_structure(lambda t: t.shape, self.compute_output_spec(given))
