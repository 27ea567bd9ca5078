"""`Sequential`: layers one after another."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from pyml import dtype_policies
from pyml.core.naming import auto_name, name_scope
from pyml.core.probes import without_probe
from pyml.core.symbolic import CallNode, KerasTensor, infer_output_spec
from pyml.core.tree import flatten, is_nested
from pyml.errors import Undefined
from pyml.layers import call_context
from pyml.layers.input_layer import InputLayer
from pyml.layers.layer import Layer
from pyml.layers.signature import with_masks
from pyml.models.graph import Graph
from pyml.models.model import Model
from pyml.objects.registry import LAYERS
from pyml.objects.serialization import deserialize_keras_object, serialize_keras_object
from pyml.ops.texts import is_text
from pyml.tracebacks import shown


class Sequential(Model):
    """Layers one after another, each with one input and one output.

    Args:
        layers: List of layers; the first may be an `Input`, then the weights are made at once.
        trainable: False freezes all weights.
        name: Name of the model.

    Raises:
        TypeError: `layers` holds something else than layers.
        ValueError: It is built or called without layers.

    Example:
        >>> model = pyml.Sequential([
        ...     pyml.Input((28, 28, 1)),
        ...     pyml.layers.Conv2D(8, 3, activation="relu"),
        ...     pyml.layers.Flatten(),
        ...     pyml.layers.Dense(10, activation="softmax"),
        ... ])
        >>> model.output_shape
        (None, 10)
    """

    _graph_calls: list[tuple[Layer, CallNode]]         # symbolic calls this model made, from `_graph_source`
    _graph_source: InputLayer | None
    input_spec: Any = None  # as in Keras, where only models of inputs and outputs tell it

    @shown
    def __init__(self, layers: Iterable[Any] | None = None, trainable: bool = True, name: str | None = None) -> None:
        listed = isinstance(layers, Iterable) and not isinstance(layers, KerasTensor)
        if layers is not None and not listed:  # before a second layer is taken for `trainable`
            raise TypeError(f"Sequential: expected a list of layers. Received: {layers!r} (of type {type(layers).__name__}); "
                            "write Sequential([...])")  # fmt: skip
        super().__init__(trainable=trainable, **({} if name is None else {"name": name}))
        self._stack: list[Layer] = []
        self._keep_apart(_graph_calls=[], _graph_source=None)  # neither is a layer of the model
        for layer in layers or []:
            self.add(layer, rebuild=False)
        self._maybe_rebuild()

    @shown
    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Appends a layer.

        Args:
            layer: A layer, a model, or, as the first, an `Input`.
            rebuild: Make the weights at once where the input's shape is known.

        Raises:
            ValueError: It is not a layer, its name is taken, or it is an Input that does not come first.

        Example:
            >>> model = pyml.Sequential()
            >>> model.add(pyml.Input((4,)))
            >>> model.add(pyml.layers.Dense(3))
            >>> model.output_shape
            (None, 3)
        """
        if isinstance(layer, KerasTensor) and layer._keras_history is not None:
            origin = layer._keras_history.operation
            layer = origin if isinstance(origin, InputLayer) else layer
        if not isinstance(layer, Layer):
            hint = f"; make a layer of the class, {layer.__name__}(...)" if isinstance(layer, type) else ""
            raise ValueError(f"Sequential: only layers can be added. Received: {layer!r} (of type {type(layer).__name__}){hint}")
        layer._check_super_called()
        if any(own.name == layer.name for own in self._stack):
            raise ValueError(
                f"Sequential: a layer named '{layer.name}' was added already; all layers need names of their own.")
        if isinstance(layer, InputLayer) and self._stack:
            raise ValueError(
                f"Sequential: an Input must come first; '{self.name}' has {len(self._stack)} layer(s) already.")
        shape = getattr(layer, "_input_shape_argument", None)
        if not self._stack and shape is not None and not isinstance(layer, InputLayer):
            self._stack.append(InputLayer(shape=shape))
        self._stack.append(layer)
        self._changed(rebuild)

    def pop(self, rebuild: bool = True) -> Layer:
        """Removes and returns the last layer; `rebuild` as for `add`.

        Raises:
            IndexError: There is none.
        """
        if not self._stack:
            raise IndexError(f"pop: Sequential '{self.name}' has no layers.")
        layer = self._stack.pop()
        self._changed(rebuild)
        return layer

    def _changed(self, rebuild: bool) -> None:
        self._symbolic_graph = None
        self.__dict__.pop("_other_sizes", None)
        self.built = False
        self._reset_programs()
        if rebuild:
            self._maybe_rebuild()

    def _maybe_rebuild(self) -> None:
        if len(self._stack) > 1 and isinstance(self._stack[0], InputLayer):
            self.build(self._stack[0].batch_shape)
        elif len(self._stack) > 1 and (graph := self._given_graph()) is not None:
            self.build(graph.inputs[0].shape)

    def _given_graph(self) -> Graph | None:
        """The graph of a model that stands first and so says what the input is."""
        first = self._stack[0]
        graph = first._symbolic_graph if isinstance(first, Model) else None
        return graph if graph is not None and len(graph.inputs) == 1 else None

    @property
    def layers(self) -> list[Layer]:
        """The layers in order, without the Input."""
        return [layer for layer in self._stack if not isinstance(layer, InputLayer)]

    @property
    def _layers_in_summary(self) -> list[Any]:
        return self.layers

    def build(self, input_shape: Any = None) -> None:
        """Makes all weights for inputs of `input_shape`, the batch size first (usually None)."""
        if not self._stack:
            raise ValueError(f"Sequential '{self.name}' has no layers yet; add() some first.")
        first = self._stack[0]
        if isinstance(first, InputLayer):
            if input_shape is not None and tuple(input_shape) != tuple(first.batch_shape):
                raise ValueError(
                    f"Sequential '{self.name}' begins with an Input of the shape {first.batch_shape}; it cannot be built for another. "
                    f"Received: input_shape={tuple(input_shape)}")
            source = first
        else:
            if input_shape is None:
                raise ValueError(f"Sequential '{self.name}': give build() the shape of the inputs.")
            source = self._source_of(tuple(input_shape), "string" if self._begins_on_host() else None)
        kept, calls = self._graph_calls, list[tuple[Layer, CallNode]]()
        if source is not self._graph_source:           # the calls for another shape are undone
            for layer, node in kept:
                layer._inbound_nodes[:] = [own for own in layer._inbound_nodes if own is not node]
            kept = []
        self._keep_apart(_graph_calls=calls, _graph_source=source)
        x = inputs = source.output
        try:
            with name_scope(self.name, self):
                for place, layer in enumerate(self.layers):
                    kept = kept if place < len(kept) and kept[place][0] is layer else []
                    if not kept:                       # the calls of the layers before it stand: other models may have their tensors
                        x = _given_one(layer, x)
                    calls.append(kept[place] if kept else (layer, layer._inbound_nodes[-1]))
                    x = calls[-1][1].outputs
        except NotImplementedError as error:           # a layer's compute_output_spec: no graph, the layers are called one after another
            if isinstance(error, Undefined):
                raise
        else:
            self._symbolic_graph = Graph(inputs, x)
            auto_name("functional")                    # Keras makes an inner model here, which takes a name
        self.built = True

    def _source_of(self, shape: tuple[int | None, ...], dtype: str | None) -> InputLayer:
        """The input for a model that does not begin with one: the same for the same shape."""
        known = self._graph_source
        if known is not None and known.batch_shape == shape and (known.output.dtype == "string") is (dtype == "string"):
            return known
        return InputLayer(batch_shape=shape, dtype=dtype)

    def _takes_size(self, shape: tuple[int | None, ...]) -> bool:
        """As in Keras, the layers judge: an Input says what the weights were made for, and a picture may be larger."""
        if not isinstance(self._stack[0], InputLayer):
            return True
        taken: dict[Any, bool] = self.__dict__.setdefault("_other_sizes", {})
        if shape[1:] not in taken:
            try:
                infer_output_spec(self._through, (KerasTensor((None, *shape[1:]), self._stack[0].dtype),), {})
                taken[shape[1:]] = True
            except Exception:  # the model says it, with the name of its input
                taken[shape[1:]] = False
        return taken[shape[1:]]

    def _through(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def _begins_on_host(self) -> bool:
        if not self._stack:
            return False
        graph = self._given_graph()
        return (self._given_text_inputs or getattr(self._stack[0], "runs_on_host", False)
                or (graph is not None and graph.inputs[0].dtype == "string"))  # fmt: skip

    _given_text_inputs = False

    def _staged_inputs(self, x: Any) -> Any:
        if self._symbolic_graph is None and (self._hears_of_text(x) or self._begins_on_host()):
            self.build((None, *x.shape[1:]) if hasattr(x, "shape") else (None, 1))
        return super()._staged_inputs(x)

    def _hears_of_text(self, x: Any) -> bool:
        """Keeps in mind that what the model is given is text."""
        self._given_text_inputs = self._given_text_inputs or is_text(x)
        return self._given_text_inputs

    def _maybe_build(self, args: Any, kwargs: Any) -> None:
        if not self.built and args:
            self._hears_of_text(args[0])
        if not self.built and args and hasattr(args[0], "shape"):
            shape = tuple(args[0].shape[1:])
            try:
                self.build((None, *without_probe(shape)))
            except Exception:  # a layer needs the size
                if without_probe(shape) == shape:
                    raise
                self.build((None, *shape))
        elif not self.built and self._stack and args and isinstance(args[0], (dict, list, tuple)):
            self.built = True                          # nested inputs: no graph, the layers are called one after another
        elif not self.built:
            self.build(None)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The outputs for `inputs`."""
        if training is not None and training is not call_context.innermost()[1]:
            return call_context.hearing(training, Sequential.call, self, inputs, None, mask)
        stage = self._host_stage()
        if stage is not None and stage.ran(inputs):
            return stage.run_rest(inputs)
        if self._symbolic_graph is None:
            return self._through(with_masks(flatten(inputs), mask)[0] if not is_nested(inputs) else inputs)
        return self._through(with_masks(self._inputs_in_order(inputs), mask)[0])

    def get_config(self) -> dict[str, Any]:
        """Name and layers, as a dict of plain values."""
        config = {"name": self.name, "trainable": self._trainable, "dtype": dtype_policies.serialize(self._dtype_policy),
                  "layers": [serialize_keras_object(layer) for layer in self._stack]}
        if self._symbolic_graph is not None:
            config["build_input_shape"] = self._symbolic_graph.inputs[0].shape
        return config

    def get_build_config(self) -> dict[str, Any] | None:
        """The shape that the model was built for, None before."""
        return None if self._symbolic_graph is None else {"input_shape": self._symbolic_graph.inputs[0].shape}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model from what `get_config` returned.

        Raises:
            ValueError: It lacks the name or the layers.
        """
        if "name" not in config or "layers" not in config:
            raise ValueError(f"Sequential.from_config: config must be a dict with name and layers. Received: config={str(config)[:200]}")
        model = cls(name=config.get("name"), trainable=config.get("trainable", True))
        for layer in config["layers"]:
            model.add(deserialize_keras_object(layer, custom_objects, kind=LAYERS), rebuild=False)
        shape = config.get("build_input_shape")
        if shape is not None:
            model.build(tuple(shape))
        return model


def _given_one(layer: Layer, x: Any) -> Any:
    """`layer(x)`; a layer whose `call` takes no input, or needs more than one, is refused by name."""
    try:
        return layer(x)
    except TypeError:
        _check_one_input(layer)
        raise


def _check_one_input(layer: Layer) -> None:
    places = [p for p in inspect.signature(layer.call).parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = [p.name for p in places if p.default is p.empty]
    if not places or len(needed) > 1:
        what = f"needs {', '.join(needed)}" if needed else "takes no input"
        raise ValueError(f"Sequential: layers get one input, the output of the layer before; call of '{layer.name}' {what}.")
