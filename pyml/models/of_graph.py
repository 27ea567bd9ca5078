"""What is read off a model's graph: its layers, inputs and outputs, their shapes and names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pyml.core.symbolic import KerasTensor
from pyml.layers.input_spec import InputSpec
from pyml.layers.layer import Layer
from pyml.models.files import KeptInFiles
from pyml.models.graph import Graph

T = TypeVar("T")


class _Read(Generic[T]):
    """What a model reads off its graph; unlike a property, a subclass may keep something of its own under that name."""

    def __init__(self, read: Callable[[Any], T]) -> None:
        self._read = read
        self.__doc__ = read.__doc__

    def __get__(self, model: Any, owner: type | None = None) -> T:
        return self if model is None else self._read(model)  # type: ignore[return-value]


class OfGraph(KeptInFiles, abstract=True):
    """Part of Model: it has a graph, or None for a subclass that writes its own `call`."""

    _symbolic_graph: Graph | None
    _graph_layers: list[Layer]

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, in order; of one with a graph those that it calls."""
        return self._tracked_layers() if self._symbolic_graph is None else list(self._graph_layers)

    @property
    def _layers_in_summary(self) -> list[Any]:
        """What a summary lists: of a graph the operations between its layers too."""
        return self.layers if self._symbolic_graph is None else self._symbolic_graph.operations

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its index in `layers`.

        Args:
            name: Name of a layer.
            index: Number of a layer from 0; give one of the two.

        Raises:
            ValueError: There is none; the message lists the names.

        Example:
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3, name="shares")])
            >>> model.get_layer("shares").units
            3
        """
        if (name is None) == (index is None):
            raise ValueError("get_layer: give either a name or an index.")
        if index is not None:
            if not -len(self.layers) <= index < len(self.layers):
                raise ValueError(f"get_layer: index {index} is out of range; the model has {len(self.layers)} layers.")
            return self.layers[index]
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise ValueError(f"No such layer: {name}. Existing layers are: {[layer.name for layer in self.layers]}.")

    @_Read
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs, flat; a model without a graph has none."""
        return self._need_graph("inputs").inputs

    @_Read
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs, flat; a model without a graph has none."""
        return self._need_graph("outputs").outputs

    @property
    def input(self) -> Any:
        """The symbolic inputs as they were given; of a Sequential or a model with a call of its own, those of its first call in a graph."""
        return super().input if self._is_called_as_layer() else self._need_graph("input").inputs_struct

    @property
    def output(self) -> Any:
        """The symbolic outputs as they were given; of a Sequential or a model with a call of its own, those of its first call there."""
        return super().output if self._is_called_as_layer() else self._need_graph("output").outputs_struct

    def _is_called_as_layer(self) -> bool:
        return bool(self._inbound_nodes) and (self._symbolic_graph is None or hasattr(self, "add"))

    @_Read
    def input_shape(self) -> Any:
        """The shape of the input; of several a list, flat, as in Keras."""
        return _one_or_all([t.shape for t in self._need_graph("input_shape").inputs])

    @_Read
    def output_shape(self) -> Any:
        """The shape of the output; of several a list, flat, as in Keras."""
        return _one_or_all([t.shape for t in self._need_graph("output_shape").outputs])

    @_Read
    def output_names(self) -> list[str]:
        """Names of the outputs; a model without a graph has none."""
        return self._need_graph("output_names").output_names

    @_Read
    def operations(self) -> list[Any]:
        """Layers and ops of the graph, in the order in which they run."""
        return list(self._need_graph("operations").operations)

    @_Read
    def input_spec(self) -> Any:
        """What each input must be, flat; None without a graph, or where dicts of inputs are nested deeper."""
        if self._symbolic_graph is None:
            return None
        struct = self._symbolic_graph.inputs_struct
        if not isinstance(struct, dict):
            return [_spec(t) for t in self._symbolic_graph.inputs]
        if not all(isinstance(t, KerasTensor) for t in struct.values()):
            return None
        return [_spec(struct[name], name) for name in sorted(struct)]

    def _need_graph(self, what: str) -> Graph:
        if self._symbolic_graph is None:
            raise AttributeError(
                f"{type(self).__name__} '{self.name}' has no {what} yet; give it an Input or call it on data first."
            )
        return self._symbolic_graph

    @_Read
    def _inputs_struct(self) -> Any:
        """The nested inputs, by the name that code written for Keras has for them."""
        return self._need_graph("_inputs_struct").inputs_struct

    @_Read
    def _outputs_struct(self) -> Any:
        """The nested outputs, by Keras' name."""
        return self._need_graph("_outputs_struct").outputs_struct


def _spec(tensor: KerasTensor, name: str | None = None) -> InputSpec:
    maker = getattr(getattr(tensor, "_keras_history", None), "operation", None)
    shape = (None, *tensor.shape[1:]) if tensor.shape else ()
    return InputSpec(shape=shape, allow_last_axis_squeeze=True, name=name or getattr(maker, "name", None),
                     optional=bool(getattr(maker, "optional", False)))


def _one_or_all(shapes: list[Any]) -> Any:
    return shapes[0] if len(shapes) == 1 else shapes
