"""The part of a model that runs on the host before a batch goes to the device: layers of text, and what leads to them.

`StringLookup`, `TextVectorization`, `Hashing` and `HashedCrossing` work on text and on hashes of 64 bits, which devices do
not have. A graph with such layers is cut behind them: Python computes the first half for each batch, the second is the
program.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pyml.core import Tensor
from pyml.core.symbolic import CallNode, KerasTensor
from pyml.core.tree import is_nested, map_structure
from pyml.data.dataset import Dataset
from pyml.errors import DtypeError
from pyml.layers.input_layer import InputLayer
from pyml.layers.preprocessing.host import HostLayer, answering_with_arrays, on_host
from pyml.models.graph import Graph
from pyml.utils.data_utils import PyDataset, pack_x_y_sample_weight, unpack_x_y_sample_weight


class HostStage:
    """A graph in two halves.

    Args:
        graph: A graph in which some layers run on the host.
        host: The ids of their calls, and of those that lead to them.
    """

    def __init__(self, graph: Graph, host: set[int]) -> None:
        made = [*graph.inputs, *(t for node in graph.steps if id(node) in host for t in node.output_tensors)]
        needed = {id(t) for node in graph.steps if id(node) not in host for t in node.input_tensors} | {id(t) for t in graph.outputs}
        self.cut: list[KerasTensor] = [t for t in made if id(t) in needed]
        self.first = Graph(graph.inputs, self.cut, named=False)
        self.rest = Graph(self.cut, graph.outputs_struct, named=False)
        self.names = [f"on_host_{i}" for i in range(len(self.cut))]

    def ran(self, inputs: Any) -> bool:
        """Whether inputs come from the first half."""
        return isinstance(inputs, dict) and sorted(inputs) == sorted(self.names)

    def run_first(self, values: list[Any]) -> dict[str, Any]:
        """What the first half makes of a batch, as arrays by name."""
        with answering_with_arrays():
            found = self.first.run(values)
        return {name: value.numpy() if isinstance(value, Tensor) else value for name, value in zip(self.names, found, strict=True)}

    def run_for_device(self, values: list[Any]) -> dict[str, Any]:
        """The same for a program of the second half.

        Raises:
            DtypeError: A layer of the first half gives text.
        """
        found = self.run_first(values)
        for tensor, value in zip(self.cut, found.values(), strict=True):
            maker = tensor._keras_history.operation if tensor._keras_history else None
            if isinstance(maker, HostLayer) and np.asarray(value).dtype.kind in "OUS":
                raise DtypeError(f'Layer "{maker.name}" ({type(maker).__name__}) gives text, which goes to no device. Call the model '
                                 "itself, model(x): that gives a numpy array of text.")  # fmt: skip
        return found

    def run_rest(self, inputs: dict[str, Any]) -> Any:
        """The outputs of the second half."""
        outputs = self.rest.run([inputs[name] for name in self.names])
        return outputs[0] if isinstance(outputs, (list, tuple)) and len(outputs) == 1 else outputs


def host_stage(graph: Graph) -> HostStage | None:
    """A graph in two halves, where it has layers that run on the host only, in models within it too; else None."""
    graph = _opened(graph)
    waiting = [node for node in graph.steps if getattr(node.operation, "runs_on_host", False)]
    if not waiting:
        return None
    inside, host = {id(node): node for node in graph.steps}, set()
    while waiting:
        node: CallNode = waiting.pop()
        if id(node) in inside and id(node) not in host:
            host.add(id(node))
            waiting.extend(node.parents)
    known = {id(t) for t in graph.inputs}
    for node in graph.steps:                           # others that can run there, before anything is sent
        if id(node) in host or (isinstance(node.operation, HostLayer) and all(id(t) in known for t in node.input_tensors)):
            host.add(id(node))
            known.update(id(t) for t in node.output_tensors)
    return HostStage(graph, host)


def _opened(graph: Graph) -> Graph:
    """The graph with the layers of models in it that begin on the host in the place of these models."""
    if not any(begins_on_host(node) for node in graph.steps):
        return graph

    def copied(leaf: Any, made: dict[int, Any]) -> Any:
        if isinstance(leaf, KerasTensor) and id(leaf) not in made:
            made[id(leaf)] = _like(leaf)
        return made[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

    def copy(part: Graph, made: dict[int, Any]) -> dict[int, Any]:
        for node in part.steps:
            args, kwargs, outputs = (map_structure(lambda leaf: copied(leaf, made), of) for of in (node.args, node.kwargs, node.outputs))
            if begins_on_host(node):
                inner: Graph = node.operation._symbolic_graph
                within = copy(inner, dict(zip(map(id, inner.inputs), node.operation._flat_inputs(inner, args[0]), strict=True)))
                made.update(zip(map(id, node.output_tensors), (copied(t, within) for t in inner.outputs), strict=True))
            elif not isinstance(node.operation, InputLayer):
                CallNode(node.operation, args, kwargs, outputs)
        return made

    made = copy(graph, {id(tensor): tensor for tensor in graph.inputs})
    return Graph(graph.inputs, map_structure(lambda leaf: copied(leaf, made), graph.outputs_struct), named=False)


def _like(tensor: KerasTensor) -> KerasTensor:
    found = KerasTensor(tensor.shape, dtype=tensor.dtype, name=tensor.name)
    found._keras_mask = tensor._keras_mask
    return found


def begins_on_host(node: CallNode) -> bool:
    """Whether a call is one of a model, with a `call` of pyml's, that has layers which run on the host."""
    model, given = node.operation, {key: value for key, value in node.kwargs.items() if value is not None}
    ours = hasattr(model, "_host_stage") and type(model).call.__module__.startswith("pyml.models.")
    return ours and not given and len(node.args) == 1 and model._host_stage() is not None


def staged(x: Any, of_inputs: Callable[[Any], Any]) -> Any:
    """Data with `of_inputs` applied to the inputs: to arrays at once, to batches when they come."""

    def of_batch(*parts: Any) -> Any:
        inputs, y, weight = unpack_x_y_sample_weight(parts)
        return pack_x_y_sample_weight(of_inputs(inputs), y, weight)

    def of_element(element: Any) -> Any:
        return of_batch(*element) if isinstance(element, tuple) else of_batch(element)

    if isinstance(x, Dataset):
        return x.map(of_batch)
    if isinstance(x, PyDataset):
        return _Batches(x, of_element)
    if isinstance(x, np.ndarray) or hasattr(x, "shape") or is_nested(x):
        return of_inputs(x)
    if hasattr(x, "__next__"):
        return map(of_element, x)
    return _Stream(x, of_element) if hasattr(x, "__iter__") and not isinstance(x, (str, bytes)) else x


class _Batches(PyDataset):
    """A PyDataset with a function applied to its batches."""

    def __init__(self, source: PyDataset, function: Callable[[Any], Any]) -> None:
        super().__init__(source.workers, source.use_multiprocessing, source.max_queue_size)
        self.source, self.function = source, function

    @property
    def num_batches(self) -> int | None:
        return self.source.num_batches

    def __getitem__(self, index: int) -> Any:
        return self.function(self.source[index])

    def on_epoch_begin(self) -> None:
        self.source.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.source.on_epoch_end()


class _Stream:
    """An iterable with a function applied to what it gives, from the beginning each time."""

    def __init__(self, source: Any, function: Callable[[Any], Any]) -> None:
        self.source, self.function = source, function

    def __iter__(self) -> Iterator[Any]:
        return map(self.function, self.source)


def text_inputs(x: Any, inputs: list[KerasTensor]) -> Any:
    """Plain lists of text for a model of one input, as an array."""
    if len(inputs) == 1 and inputs[0].dtype == "string" and isinstance(x, (str, bytes, list, tuple)):
        return on_host(x[0] if isinstance(x, (list, tuple)) and len(x) == 1 and hasattr(x[0], "shape") else x)
    return x
