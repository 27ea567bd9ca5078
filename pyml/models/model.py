"""`Model`: layers with a training loop and a summary."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pyml.core.probes import without_probe
from pyml.core.symbolic import KerasTensor, any_symbolic, infer_output_spec
from pyml.core.tree import flatten, map_structure, pack_sequence_as
from pyml.errors import TraceError, Undefined
from pyml.layers import call_context
from pyml.layers.layer import Layer
from pyml.layers.signature import overridden, specs_of, with_masks
from pyml.lazily import LeftOut
from pyml.models.configs import OF_GRAPHS, graph_config, model_from_graph_config
from pyml.models.graph import Graph
from pyml.models.quantizing import quantize_layers
from pyml.models.staging import Staging
from pyml.models.summary import print_summary
from pyml.objects import later_arguments
from pyml.objects.configured import plain
from pyml.objects.serialization import serialize_keras_object
from pyml.ops.texts import is_text
from pyml.tracebacks import is_ours, warn


class Model(Staging):
    """Layers with `compile`, `fit`, `evaluate` and `predict`.

    Either a graph of symbolic tensors, `Model(inputs, outputs)`, or a subclass that makes layers in `__init__` and
    writes `call`.

    Args:
        inputs: Symbolic tensor from `Input`, or nested lists or dicts of them.
        outputs: Symbolic tensors computed from them.
        name: Name of the model.

    Raises:
        ValueError: Inputs and outputs are not symbolic tensors.
        Undefined: A subclass is called that does not define `call`.

    Example:
        >>> x = pyml.Input((4,))
        >>> model = pyml.Model(inputs=x, outputs=pyml.layers.Dense(1)(x))
        >>> model.output_shape
        (None, 1)
    """

    _rounds_outputs = False
    fit_generator = LeftOut("fit() takes generators")
    evaluate_generator = LeftOut("evaluate() takes generators")
    predict_generator = LeftOut("predict() takes generators")
    predict_proba = LeftOut("predict() gives the probabilities")
    predict_classes = LeftOut("np.argmax(model.predict(x), axis=-1) gives the classes")

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and _is_functional(args, kwargs):
            return super().__new__(Functional, *args, **kwargs)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        graph = None
        if _is_functional(args, kwargs):
            inputs = args[0] if args else kwargs.pop("inputs")
            outputs = args[1] if len(args) > 1 else kwargs.pop("outputs")
            if len(args) > 2:
                kwargs["name"] = args[2]
            graph = Graph(inputs, outputs).from_inputs()
            if not is_ours(type(self)):
                kwargs = self._without_others(kwargs)
        elif args:
            raise ValueError(
                f"{type(self).__name__}: expected Model(inputs, outputs) of symbolic tensors. "
                f"Received: {', '.join(type(a).__name__ for a in args)}"
            )
        elif symbolic := [name for name, value in kwargs.items() if any_symbolic(value)]:
            missing = " and ".join(name for name in ("inputs", "outputs") if name not in kwargs)
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {', '.join(symbolic)}. A model of symbolic tensors is "
                f"Model(inputs=..., outputs=...). Missing: {missing}."
            )
        super().__init__(**kwargs)
        self._symbolic_graph: Graph | None = None
        if graph is not None:
            self._set_graph(graph)

    def _without_others(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        """Arguments without those that no layer takes: of a subclass with a graph Keras drops them without a word."""
        known = inspect.signature(Layer.__init__).parameters
        others = [name for name in kwargs if name not in known]
        if others:
            warn(f"{type(self).__name__}: a model of inputs and outputs does nothing with these arguments: {', '.join(others)}.")
        return {name: value for name, value in kwargs.items() if name in known}

    def _set_graph(self, graph: Graph) -> None:
        self._symbolic_graph = graph
        self._graph_layers = [op for op in graph.operations if isinstance(op, Layer)]
        self.built = True

    # ---- calling
    if TYPE_CHECKING:

        def call(self, *args: Any, **kwargs: Any) -> Any:
            """The outputs; the `call` of a subclass takes what it likes, with type checkers' leave."""

    else:

        def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
            """The outputs for `inputs`; a subclass without a graph writes its own."""
            if training is not None and training is not call_context.innermost()[1]:
                return call_context.hearing(training, Model.call, self, inputs, None, mask)
            stage = self._host_stage()
            if stage is not None and stage.ran(inputs):
                return stage.run_rest(inputs)
            if self._symbolic_graph is None:
                raise Undefined(f"{type(self).__name__} must define call(inputs), or be made as Model(inputs, outputs).")
            outputs = self._symbolic_graph.run(with_masks(self._inputs_in_order(inputs), mask))
            return outputs[0] if isinstance(outputs, (list, tuple)) and len(outputs) == 1 else outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        if self._symbolic_graph is not None and not args and "inputs" in kwargs:
            kwargs = dict(kwargs)
            args = (kwargs.pop("inputs"),)
        if self._symbolic_graph is not None and len(args) == 1:
            flat = flatten(args[0])
            same = all(isinstance(t, KerasTensor) and t.shape == own.shape
                       for t, own in zip(flat, self._symbolic_graph.inputs, strict=False))
            if same and len(flat) == len(self._symbolic_graph.inputs):
                return map_structure(_like, self._symbolic_graph.outputs_struct)
            known = {id(t): KerasTensor([own if size is None else size for size, own in zip(t.shape, spec.shape, strict=True)], t.dtype)
                     for t, spec in zip(self._flat_inputs(self._symbolic_graph, args[0]), self._symbolic_graph.inputs, strict=False)
                     if isinstance(t, KerasTensor) and len(t.shape) == len(spec.shape)}  # an unknown size is the one that the graph has
            args = (map_structure(lambda t: known.get(id(t), t), args[0]),)
        found = infer_output_spec(self._call_on_probes, args, kwargs)
        graph = self._symbolic_graph
        listed = graph is not None and isinstance(graph.outputs_struct, (list, tuple)) and len(graph.outputs) == 1
        return [found] if listed and isinstance(found, KerasTensor) else found

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._symbolic_graph is not None and input_shape == map_structure(lambda t: t.shape, self._symbolic_graph.inputs_struct):
            return map_structure(lambda t: t.shape, self._symbolic_graph.outputs_struct)
        return super().compute_output_shape(input_shape)

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights of a subclass for inputs of `input_shape`, by calling it on nothing; with a graph they are there."""
        self.built = True
        own = getattr(type(self).build, "theirs", False)  # it has made what it needs, and `call` may take more than one argument
        if self._symbolic_graph is None and input_shape is not None and not own and "call" in overridden(type(self)):
            self._keep_apart(_build_shapes=input_shape)
            self._call_on_nothing(input_shape)

    _build_dtypes: Any = None  # of inputs among which is text, which shapes alone do not tell
    _build_more: Any = None    # shapes and dtypes of what `call` takes after its first argument

    def _call_on_nothing(self, input_shape: Any) -> None:
        specs = _specs(input_shape, self._build_dtypes, self.dtype)
        more = {name: _specs(shapes, dtypes, self.dtype) for name, (shapes, dtypes) in (self._build_more or {}).items()}
        infer_output_spec(self._call_on_probes, (specs,), more)

    def _maybe_build(self, args: Any, kwargs: Any) -> None:
        if not self.built and self._symbolic_graph is None:
            self._keep_apart(_build_more=without_probe(self._signature.further(args, kwargs)) or None)
        if not self.built and type(self).build is Model.build:  # the call that follows builds the layers
            self._keep_apart(_build_shapes=self._signature.build_shapes(args, kwargs)[0])
            given = self._signature.first(args, kwargs)
            if any(map(is_text, flatten(given))):
                self._keep_apart(_build_dtypes=map_structure(lambda leaf: "string" if is_text(leaf) else str(leaf.dtype), given))
            self.built = True
        else:
            super()._maybe_build(args, kwargs)

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Builds from what `get_build_config` returned; with a warning, and without weights, where `call` asks for values of inputs."""
        if config and "input_dtype" in config:
            self._keep_apart(_build_dtypes=config["input_dtype"])
        if config and "further_inputs" in config:
            self._keep_apart(_build_more=config["further_inputs"])
        try:
            super().build_from_config(config)
            if "input_shape" in (config or ()) and getattr(type(self).build, "theirs", False) and self._symbolic_graph is None and not all(
                    layer.built for layer in self._flatten_layers(include_self=False)):  # fmt: skip
                self._call_on_nothing(config["input_shape"])  # the build of the user's makes weights, and leaves the layers to `call`
        except (TraceError, TypeError, KeyError, AttributeError) as error:
            self.built = False
            warn(f"Model '{self.name}' cannot be built from the shapes in its config, and has no weights before its first call: {error} "
                 "Give it a build_from_config(config) that makes them.")

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that a subclass was built for; a graph needs none."""
        if self._symbolic_graph is not None:
            return {"input_shape": None}
        shapes = super().get_build_config()
        if shapes is not None and self._build_dtypes is not None:
            shapes = {**shapes, "input_dtype": self._build_dtypes}
        return shapes if shapes is None or self._build_more is None else {**shapes, "further_inputs": self._build_more}

    # ---- printing and configs
    def summary(
        self,
        line_length: int | None = None,
        positions: Sequence[float] | None = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Sequence[str] | None = None,
    ) -> None:
        """Prints a table of the layers, their output shapes and numbers of weights, as Keras does.

        Args:
            line_length: Width of the table, by default 88 or what the terminal has.
            positions: Relative ends of the columns.
            print_fn: Function that receives the text, instead of `print`.
            expand_nested: Also list the layers of models inside the model.
            show_trainable: Add a column that says which layers are trainable.
            layer_range: Names of the first and last layer to list.

        Example:
            >>> model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(3)])
            >>> lines = []
            >>> model.summary(print_fn=lambda text, **kwargs: lines.append(text))
            >>> "15 (60.00 B)" in "".join(lines)
            True
        """
        print_summary(self, line_length, positions, print_fn, expand_nested, show_trainable, layer_range)

    def quantize(self, mode: str | None = None, config: Any = None, filters: Any = None, **kwargs: Any) -> None:  # type: ignore[override]
        """Replaces the weights of all layers that can be quantized by integers; those that cannot keep theirs, with a warning.

        Args:
            mode: `"int8"` or `"int4"`.
            config: A `pyml.quantizers.QuantizationConfig`; by default that of the mode.
            filters: Which layers: a regular expression that is searched in their names, a list of such, or a function of the layer.
            type_check: Refuse subclasses of layers, whose `call` may know nothing of quantized weights.

        Raises:
            ValueError: The mode is none or contradicts the config, or an argument is not known.
            NotImplementedError: `mode` is `"float8"`, `"gptq"` or `"awq"`; the message says why.

        Example:
            >>> model = pyml.Sequential([pyml.Input((8,)), pyml.layers.Dense(4)])
            >>> model.quantize("int8")
            >>> model.layers[0].kernel.dtype
            'int8'
        """
        quantize_layers(self, mode, config, filters, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """The graph, or the constructor arguments of a subclass, as a dict of plain values."""
        if self._has_given_graph():
            return {**graph_config(self), **self._further_arguments()}
        return super().get_config()

    def _has_given_graph(self) -> bool:
        """Whether the graph is what the constructor was given, and so describes the model; else its other arguments do."""
        return self._symbolic_graph is not None and _is_functional(*self._constructor)

    def _further_arguments(self) -> dict[str, Any]:
        """What a user's class was given beside `inputs` and `outputs`."""
        args, kwargs = self._constructor
        if is_ours(type(self)):
            return {}
        names = [name for name, parameter in inspect.signature(type(self)).parameters.items()
                 if parameter.kind is parameter.POSITIONAL_OR_KEYWORD]
        given = {**dict(zip(names[2:], args[2:], strict=False)), **kwargs}
        return {name: plain(value) for name, value in given.items() if name not in OF_GRAPHS and name not in ("inputs", "outputs")}

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any:
        """A model from what `get_config` returned."""
        if "input_layers" in config:
            return model_from_graph_config(Functional if cls is Model else cls, config, custom_objects)
        return super().from_config(dict(config), custom_objects)

    def to_json(self, **kwargs: Any) -> str:
        """The config as JSON text; `model_from_json` reads it."""
        with later_arguments.left_out():
            return json.dumps(serialize_keras_object(self), **kwargs)


def _specs(shapes: Any, dtypes: Any, default: Any) -> Any:
    specs = specs_of(shapes, default)
    if dtypes is None:
        return specs
    pairs = zip(flatten(specs), flatten(dtypes), strict=True)
    return pack_sequence_as(specs, [KerasTensor(spec.shape, dtype=dtype) for spec, dtype in pairs])


def _like(tensor: KerasTensor) -> KerasTensor:
    made = KerasTensor(tensor.shape, dtype=tensor.dtype)
    made._keras_mask = tensor._keras_mask
    return made


class Functional(Model):
    """A Model made of a graph of symbolic tensors; `Model(inputs, outputs)` returns one.

    Example:
        >>> x = pyml.Input((4,))
        >>> type(pyml.Model(x, pyml.layers.Dense(1)(x))).__name__
        'Functional'
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(inputs, outputs, **({} if name is None else {"name": name}), **kwargs)


def _is_functional(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    return (len(args) >= 2 and any_symbolic(args[0])) or (len(args) == 1 and "outputs" in kwargs) or (
        "inputs" in kwargs and "outputs" in kwargs)

