"""Pictures of models: `model_to_dot`, `plot_model`; and `get_source_inputs`."""

from __future__ import annotations

import itertools
import os
import sys
from typing import Any

from pyml.atomic import write
from pyml.core.symbolic import KerasTensor
from pyml.core.tree import flatten
from pyml.errors import to_install

_SPLINES = ("ortho", "curved", "polyline", "spline", "line", "none")


def get_source_inputs(tensor: Any) -> list[Any]:
    """The `Input`s that a symbolic tensor is computed of.

    Args:
        tensor: A symbolic tensor.

    Returns:
        A list of symbolic tensors, each once.

    Example:
        >>> x = pyml.Input((2,))
        >>> pyml.utils.get_source_inputs(pyml.layers.Dense(1)(x))[0] is x
        True
    """
    if not isinstance(tensor, KerasTensor):
        return tensor
    found: dict[int, Any] = {}
    waiting, seen = [tensor], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        history = one._keras_history
        inputs = [] if history is None else history.operation._inbound_nodes[history.node_index].input_tensors
        waiting.extend(inputs)
        if not inputs:
            found[id(one)] = one
    return list(found.values())


def model_to_dot(model: Any, show_shapes: bool = False, show_dtype: bool = False, show_layer_names: bool = True, rankdir: str = "TB",
                 expand_nested: bool = False, dpi: int = 200, subgraph: bool = False, show_layer_activations: bool = False,
                 show_trainable: bool = False, splines: str = "ortho", **kwargs: Any) -> Any:  # fmt: skip
    """A model as a graph of the language DOT; needs pydot.

    Args:
        model: A built model.
        show_shapes, show_dtype: Show shapes and dtypes of the tensors.
        show_layer_names: Show the names of the layers.
        rankdir: `"TB"` for a vertical picture, `"LR"` for a horizontal one.
        expand_nested: Draw the layers of models inside of the model.
        dpi: Dots an inch.
        subgraph: Return a `pydot.Cluster`.
        show_layer_activations: Show the activations of layers.
        show_trainable: Show whether layers are trained.
        splines: How edges run.

    Returns:
        A `pydot.Dot`.

    Raises:
        ImportError: pydot is missing.
        ValueError: The model is not built, or an argument is unknown.

    Example:
        >>> pyml.utils.model_to_dot(model).to_string()    # doctest: +SKIP
    """
    pydot = _pydot()
    if kwargs:
        raise ValueError(f"Unrecognized keyword arguments: {', '.join(kwargs)}")
    if splines not in _SPLINES:
        raise ValueError(f"model_to_dot: splines must be one of {_SPLINES}. Received: splines={splines!r}")
    if not model.built:
        raise ValueError("This model has not yet been built. Build it first by calling `build()` or by calling it on a batch of data.")
    if subgraph:
        dot = pydot.Cluster(style="dashed", graph_name=model.name, label=model.name, labeljust="l")
    else:
        dot = pydot.Dot(rankdir=rankdir, concentrate=True, dpi=dpi, splines=splines)
        dot.set_node_defaults(shape="record")

    def label(layer: Any) -> str:
        """The text of a layer's box."""
        kind = layer._type_in_summary
        parts = [f"{layer.name} ({kind})" if show_layer_names else kind]
        activation = getattr(layer, "activation", None)
        if show_layer_activations and activation is not None:
            parts.append(f"Activation: {getattr(activation, '__name__', type(activation).__name__)}")
        if show_trainable:
            parts.append("Trainable" if getattr(layer, "trainable", True) else "Non-trainable")
        node = layer._inbound_nodes[0] if layer._inbound_nodes else None
        for shown, what, of in ((show_shapes, "shape", lambda t: tuple(t.shape)), (show_dtype, "dtype", lambda t: t.dtype)):
            if shown:
                told = lambda tensors, of=of: ", ".join(str(of(t)) for t in tensors) or "-"
                ends = (told(node.input_tensors), told(node.output_tensors)) if node else ("?", "?")
                parts.append(f"{{Input {what}: {ends[0]}|Output {what}: {ends[1]}}}")
        return "{" + "|".join(parts) + "}"

    graph = _operations(model)
    opened = {id(layer) for layer in graph if expand_nested and getattr(layer, "layers", None)}
    for layer in graph:
        if id(layer) in opened:
            inner = model_to_dot(layer, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, subgraph=True,
                                 show_layer_activations=show_layer_activations, show_trainable=show_trainable)  # fmt: skip
            dot.add_subgraph(inner)
        else:
            dot.add_node(pydot.Node(str(id(layer)), label=label(layer), shape="record"))
    known = {id(layer) for layer in graph}
    sources = [(tensor, i, layer) for layer in graph for node in layer._inbound_nodes for i, tensor in enumerate(node.input_tensors)
               if tensor._keras_history is not None and id(tensor._keras_history.operation) in known]  # fmt: skip
    for tensor, i, layer in sources:
        dot.add_edge(pydot.Edge(_maker(tensor, expand_nested), _taker(layer, i, expand_nested)))
    if not sources:  # a row of layers
        for before, layer in itertools.pairwise(graph):
            dot.add_edge(pydot.Edge(str(id(before)), str(id(layer))))
    return dot


def _maker(tensor: Any, opened: bool) -> str:
    """The node of the layer that a tensor comes from; of an opened model, that of the layer within it."""
    operation, _, index = tensor._keras_history
    outputs = flatten(getattr(operation, "outputs", None) or []) if opened and getattr(operation, "layers", None) else []
    return _maker(outputs[index], opened) if outputs else str(id(operation))


def _taker(layer: Any, index: int, opened: bool) -> str:
    """The node that takes input `index` of a layer; of an opened model, that of its own input."""
    inputs = flatten(getattr(layer, "inputs", None) or []) if opened and getattr(layer, "layers", None) else []
    return str(id(inputs[index]._keras_history.operation)) if index < len(inputs) else str(id(layer))


def _operations(model: Any) -> list[Any]:
    """The layers and ops of a model, from its inputs on."""
    outputs = flatten(getattr(model, "outputs", None) or [])
    if not outputs:
        return list(model.layers)
    order: list[Any] = []
    seen: set[int] = set()
    waiting: list[tuple[Any, bool]] = [(t._keras_history.operation, False) for t in outputs if t._keras_history]
    while waiting:
        operation, ready = waiting.pop()
        if ready:
            order.append(operation)
        elif id(operation) not in seen:
            seen.add(id(operation))
            waiting.append((operation, True))
            waiting.extend((before.operation, False) for node in operation._inbound_nodes for before in node.parents)
    return order


def plot_model(model: Any, to_file: str = "model.png", show_shapes: bool = False, show_dtype: bool = False, show_layer_names: bool = False,
               rankdir: str = "TB", expand_nested: bool = False, dpi: int = 200, show_layer_activations: bool = False,
               show_trainable: bool = False, splines: str = "ortho", **kwargs: Any) -> None:  # fmt: skip
    """Writes a picture of a model to a file; needs pydot and Graphviz, which a browser tab has not: `vis.model_graph` draws there.

    Args:
        to_file: Path of the picture; its ending says the format, and `.dot` needs no Graphviz.
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, show_layer_activations, show_trainable,
            splines: As for `model_to_dot`.

    Raises:
        ImportError: pydot or Graphviz is missing.
        ValueError: The model is not built, an argument is unknown, or Graphviz does not draw that format.
        OSError: The file cannot be written.

    Example:
        >>> pyml.utils.plot_model(model, "model.svg", show_shapes=True)    # doctest: +SKIP
    """
    ending = os.path.splitext(os.fspath(to_file))[1].lstrip(".").lower() or "png"
    if sys.platform == "emscripten" and ending != "dot":
        raise ImportError(f"plot_model: a browser tab has no Graphviz to draw {os.fspath(to_file)} with; pyml.vis.model_graph(model) is a "
                          "figure of the model that needs none.")  # fmt: skip
    dot = model_to_dot(model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi,
                       show_layer_activations=show_layer_activations, show_trainable=show_trainable, splines=splines, **kwargs)  # fmt: skip
    try:
        picture = dot.to_string().encode() if ending == "dot" else dot.create(format=ending)
    except OSError as error:
        raise ImportError(f"plot_model: the picture could not be drawn; is Graphviz installed? ({error})") from None
    except AssertionError:  # how pydot says that Graphviz refused; it has printed what Graphviz said
        raise ValueError(
            f"plot_model: Graphviz draws no {ending!r}; use .png, .svg, .pdf or .dot. Received: to_file={os.fspath(to_file)!r}"
        ) from None
    write(to_file, picture)


def _pydot() -> Any:
    try:
        import pydot
    except ImportError:
        raise ImportError(f"model_to_dot and plot_model need pydot: {to_install('pydot', in_pyodide=False)}.") from None
    return pydot
