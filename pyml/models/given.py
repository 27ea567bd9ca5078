"""What a model of a graph is called with, in the order, ranks and dtypes that the graph has."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyml import ops
from pyml.core.symbolic import KerasTensor
from pyml.core.tree import flatten, is_nested
from pyml.errors import ShapeError
from pyml.layers.preprocessing.host import on_host
from pyml.models.beginning import text_inputs
from pyml.models.graph import Graph
from pyml.models.of_graph import OfGraph
from pyml.tracebacks import warn


class GivenInputs(OfGraph, abstract=True):
    """Part of Model: arrays and tensors, nested or by name, as the inputs of its graph."""

    def _inputs_in_order(self, inputs: Any) -> list[Any]:
        """The inputs in the order and dtypes of the graph's, their shapes checked."""
        graph = self._need_graph("graph")
        flat = self._flat_inputs(graph, text_inputs(inputs, graph.inputs))
        if len(flat) != len(graph.inputs):
            hint = "" if all(hasattr(x, "shape") for x in flat) else " Make one array of each input first: np.array([...])."
            raise ShapeError(
                f'Model "{self.name}" expects {len(graph.inputs)} input(s) ({", ".join(graph.input_names)}), '
                f"but it received {len(flat)}.{hint}"
            )
        return [self._fit_input(graph, i, x, spec) for i, (x, spec) in enumerate(zip(flat, graph.inputs, strict=True))]

    def _flat_inputs(self, graph: Graph, inputs: Any) -> list[Any]:
        """Nested inputs flat in the graph's order; dicts go by the names of the inputs."""
        struct = graph.inputs_struct
        if isinstance(struct, dict) and len(struct) > 1 and isinstance(inputs, (list, tuple)):
            said = f'Model "{self.name}" takes a dict with the keys {", ".join(struct)}, not a {type(inputs).__name__}'
            if list(struct) != sorted(struct):
                raise ValueError(f"{said}: it does not say which is which. Received: a {type(inputs).__name__} of {len(inputs)}.")
            self._warn_once(f"{said}; its items are taken in this order.")
        if isinstance(inputs, dict):
            keys = sorted(struct) if isinstance(struct, dict) else graph.input_names
            if isinstance(struct, dict) and len(inputs) > len(keys) and set(keys) < set(inputs):
                unused = ", ".join(repr(key) for key in sorted(set(inputs) - set(keys)))
                self._warn_once(f'Model "{self.name}" has no input {unused}; what was given for it is not used.')
            missing = [key for key in keys if key not in inputs]
            if missing:
                raise ValueError(
                    f'Model "{self.name}": missing data for input(s) {", ".join(missing)}. '
                    f"Received keys: {', '.join(inputs)}."
                )
            inputs = [inputs[key] for key in keys]
        return flatten(inputs) if is_nested(inputs) else [inputs]

    def _warn_once(self, message: str) -> None:
        """Once per model: its graph runs often."""
        said: set[str] = self.__dict__.setdefault("_warned", set())
        if message not in said:
            said.add(message)
            warn(message)

    def _fit_input(self, graph: Graph, index: int, x: Any, spec: KerasTensor) -> Any:
        """One input in the rank and dtype that the graph expects; a last axis of 1 is added or taken away, as in Keras.

        Batches of another size than `Input(batch_size=)` said pass, as there: the last of an epoch may be smaller.
        """
        if x is None:
            history = spec._keras_history
            if history is None or not getattr(history.operation, "optional", False):
                raise ValueError(
                    f"Model \"{self.name}\": the input '{graph.input_names[index]}' is not optional, but None was passed; "
                    "give it a tensor, or make it by Input(optional=True)."
                )
            return None
        if spec.dtype == "string" or not hasattr(x, "dtype"):  # a column or table of pandas
            x = on_host(x)
        given = shape = tuple(x.shape)
        expected = spec.shape
        if len(shape) == len(expected) + 1 and shape[-1] == 1 and expected[-1] != 1:
            x, shape = x[..., 0] if isinstance(x, np.ndarray) else ops.squeeze(x, axis=-1), shape[:-1]
        elif len(shape) == len(expected) - 1 and expected[-1] == 1:
            x, shape = x[..., None] if isinstance(x, np.ndarray) else ops.expand_dims(x, axis=-1), (*shape, 1)
        fits = len(shape) == len(expected)
        same = fits and all(e is None or s is None or e == s for e, s in zip(expected[1:], shape[1:], strict=True))
        if not same and not (fits and self._takes_size(shape)):
            one = expected[1:-1] if len(given) == len(expected) - 2 and expected[-1] == 1 else expected[1:]
            single = len(given) == len(one) and all(e in (s, None) for e, s in zip(one, given, strict=True))
            hint = " A single sample needs an axis for the batch, x[None]." if single else ""
            raise ShapeError(
                f'Input {index} of model "{self.name}" ("{graph.input_names[index]}") has the wrong shape: '
                f"expected {expected}, received {given}.{hint}"
            )
        if x.dtype != spec.dtype and not isinstance(x, np.ndarray):    # text, and numbers for layers on the host
            x = ops.cast(x, spec.dtype)
        return x

    def _takes_size(self, shape: tuple[int | None, ...]) -> bool:
        """Whether inputs of other sizes than the graph's are taken, of the same rank."""
        return False
