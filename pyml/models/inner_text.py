"""Layers of text inside layers and models with a `call` of the user's own.

No graph shows where such a `call` looks text up. It is called once with symbolic inputs, which tells what the layers of the host
compute, and of what. Python computes that for each batch; inside the program the `call` runs as it is written, with empty text,
and each layer of the host gives what was computed for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pyml.core import StatelessScope, Tensor
from pyml.core.nest import outlined
from pyml.core.probes import PROBES
from pyml.core.symbolic import KerasTensor
from pyml.core.tree import flatten, map_structure, pack_sequence_as
from pyml.layers import call_context
from pyml.layers.layer import Layer
from pyml.layers.preprocessing.host import HostLayer, Lookups, answering_with_arrays, looking_up
from pyml.models.graph import Graph
from pyml.ops.texts import is_text
from pyml.trainers.outputs import paths


class InnerStage:
    """What the layers of the host inside a model compute before a batch is sent.

    Args:
        inputs: Symbolic inputs of a model, nested as its `call` gets them.
        found: The layers that run on the host, and what each call of them gives.
    """

    batch: dict[str, Any] | None = None  # that a step of the user's own works on

    def __init__(self, inputs: Any, found: list[tuple[HostLayer, KerasTensor]]) -> None:
        self.struct, flat = inputs, flatten(inputs)
        self.layers = [layer for layer, _ in found]
        self.first = Graph(flat, [output for _, output in found], named=False)
        told = ["/".join(map(str, path)) for path in paths(inputs)]  # a program of inputs of other names is another one
        self.names = [f"inner_{name}" for name in told] + [f"inner_on_host_{i}" for i in range(len(self.layers))]

    def fits(self, inputs: Any) -> bool:
        """Whether inputs are nested as those that `call` was seen to work on."""
        return outlined(inputs) == outlined(self.struct)

    def ran(self, inputs: Any) -> bool:
        """Whether inputs come from `run_first`."""
        return isinstance(inputs, dict) and list(inputs) == self.names

    def run_first(self, flat: list[Any]) -> dict[str, Any]:
        """Inputs of a batch, for text a shape alone, and what the layers of the host make of them."""
        with answering_with_arrays():
            made = self.first.run(flat)
        given = [np.zeros(np.shape(x), np.int32) if t.dtype == "string" else x for x, t in zip(flat, self.first.inputs, strict=True)]
        return dict(zip(self.names, [*given, *(x.numpy() if isinstance(x, Tensor) else x for x in made)], strict=True))

    @contextmanager
    def replayed(self, inputs: dict[str, Any]) -> Iterator[Any]:
        """The inputs for `call`; inside, the layers of the host give what is in `inputs`."""
        made = [inputs[name] for name in self.names[len(self.first.inputs):]]
        with looking_up(Lookups(made=list(zip(self.layers, made, strict=True)))):
            yield self._as_given(inputs)

    @contextmanager
    def given(self, inputs: dict[str, Any], batch: Callable[[Any], Any]) -> Iterator[Any]:
        """`batch` of the inputs as `fit` was given them, text empty; each call of the model inside looks up what it would in them."""
        outer, self.batch = self.batch, inputs
        try:
            yield batch(self._as_given(inputs))
        finally:
            self.batch = outer

    def _as_given(self, inputs: dict[str, Any]) -> Any:
        values = [inputs[name] for name in self.names]
        return pack_sequence_as(self.struct, [np.full(tuple(x.shape), "", object) if t.dtype == "string" else x
                                              for x, t in zip(values, self.first.inputs, strict=False)])  # fmt: skip


class _Looking(StatelessScope):
    """What calls assign inside is of no batch, and stays away; it may be symbolic."""

    only_looks = True


def inner_stage(model: Layer, *given: Any) -> InnerStage | None:
    """What a symbolic call of a model shows; None where it calls no layer that runs on the host, or takes no symbolic numbers.

    Args:
        model: The model.
        given: Its symbolic inputs; a `call` that does not take the first of them, as one of an unknown size, is given the next, and
            the last once more with sizes in the place of unknown ones, the number of words among them.
    """
    refused: Exception | None = None
    for inputs, known in (*((inputs, False) for inputs in given), (given[-1], True)):
        try:
            return _seen(model, inputs, known)
        except Exception as error:
            refused = error if refused is None or not known else refused
    if refused is not None and any(tensor.dtype == "string" for tensor in flatten(given[-1])):
        raise refused
    return None                                        # numbers can be looked up on the device: `call` is traced, and raises what it may


def _seen(model: Layer, inputs: Any, known: bool) -> InnerStage | None:
    found: list[tuple[HostLayer, KerasTensor]] = []

    def note(call: tuple[HostLayer, KerasTensor]) -> None:
        found.append(call)
        if known:
            call[1]._shape = _without_unknown(call[1].shape)

    if known:
        inputs = map_structure(lambda t: KerasTensor(_without_unknown(t.shape), dtype=t.dtype), inputs)
    before = {id(layer): len(layer._inbound_nodes) for layer in model._flatten_layers()}
    try:
        with call_context.opening(has_host_layers), _Looking(), looking_up(Lookups(note)):
            model(inputs)                              # builds: a Sequential calls its layers then, with an input of its own
            found.clear()
            model(inputs)
        return InnerStage(inputs, found) if found else None
    finally:
        layers = list(model._flatten_layers())
        graphs = [graph for layer in layers if (graph := layer._symbolic_graph) is not None]
        kept = {id(node) for graph in graphs for node in graph.nodes}
        for layer in layers:                           # these calls are none of the model's, but those in which models inside were built
            nodes, own = layer._inbound_nodes, before.get(id(layer), 0)
            nodes[own:] = [node for node in nodes[own:] if id(node) in kept]


def _without_unknown(shape: Any) -> tuple[int, ...]:
    """A shape with the same size for all batches that are unknown, and another for the words in them."""
    return tuple(PROBES[min(i, 1)] if size is None else size for i, size in enumerate(shape))


def has_host_layers(layer: Any) -> bool:
    """Whether layers that run on the host are inside a layer."""
    return not isinstance(layer, HostLayer) and any(getattr(inner, "runs_on_host", False) for inner in layer._flatten_layers())


def symbolic_like(x: Any, rows: int | None = None) -> KerasTensor:
    """A symbolic input for arrays of this kind."""
    dtype = "string" if is_text(x) else "float32" if getattr(x.dtype, "kind", "") == "f" else str(x.dtype)
    return KerasTensor((rows, *np.shape(x)[1:]), dtype=dtype)
