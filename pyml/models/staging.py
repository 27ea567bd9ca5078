"""Layers that run on the host, as those of text do: what they compute of a batch before the rest of a model is a program."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from pyml.core.tree import flatten, map_structure
from pyml.layers.layer import Layer
from pyml.layers.preprocessing.host import on_host
from pyml.models.beginning import HostStage, begins_on_host, host_stage, staged
from pyml.models.given import GivenInputs
from pyml.models.inner_text import InnerStage, has_host_layers, inner_stage, symbolic_like
from pyml.ops.texts import is_text
from pyml.tracebacks import is_ours


class Staging(GivenInputs, abstract=True):
    """Part of Model: the layers on the host at the beginning of its graph, and those inside calls of the user's own."""

    _graph_stage: tuple[Any, HostStage | None] | None = None

    def _host_stage(self) -> HostStage | None:
        """The graph in two halves, where it begins with layers that run on the host; else None."""
        known = self._graph_stage
        if self._symbolic_graph is not None and (known is None or known[0] is not self._symbolic_graph):
            known = self._symbolic_graph, host_stage(self._symbolic_graph)
            self._keep_apart(_graph_stage=known)
        return None if self._symbolic_graph is None or known is None else known[1]

    _text_stage: tuple[Any, InnerStage | None] | None = None

    def _inner_text_stage(self, x: Any = None) -> InnerStage | None:
        """What layers of text compute that are inside calls of the user's own; found anew for another graph, or of the first batch `x`."""
        known, graph = self._text_stage, self._symbolic_graph
        if known is not None and known[0] is graph:
            return known[1]
        if graph is not None:
            hidden = any(has_host_layers(node.operation) and not begins_on_host(node) for node in graph.steps
                         if isinstance(node.operation, Layer))  # fmt: skip
            inputs: Any = [graph.inputs_struct]
        else:
            hidden = self._may_look_up(x)
            arrays = hidden and x is not None and all(hasattr(leaf, "dtype") and np.ndim(leaf) for leaf in flatten(x))
            inputs = [map_structure(symbolic_like, x), map_structure(lambda a: symbolic_like(a, len(a)), x)] if arrays else None
        if hidden and inputs is None:                  # told by the first batch
            return None
        stage = inner_stage(self, *inputs) if hidden else None
        if hidden or self.built:                       # a subclass may make layers when it is built
            self._keep_apart(_text_stage=(graph, stage))
        return stage

    def _may_look_up(self, x: Any) -> bool:
        """Whether a `call` of the user's own may hide layers of text: there are some, or text comes before `build` makes layers."""
        if self.built or is_ours(type(self).build):
            return has_host_layers(self)
        return has_host_layers(self) or _holds_text(x)

    def _with_inner_text(self, inputs: Any) -> Any:
        """Inputs with what layers of text compute of them, where the model has such inside calls of the user's own."""
        if isinstance(inputs, (list, tuple)) and inputs and isinstance(inputs[0], (str, bytes)):
            inputs = on_host(inputs)
        stage = self._inner_text_stage(inputs)
        if stage is not None and self._symbolic_graph is None and not stage.ran(inputs) and not stage.fits(inputs):
            self._keep_apart(_text_stage=None)
            stage = self._inner_text_stage(inputs)
        if stage is None or stage.ran(inputs):
            return inputs
        return stage.run_first(flatten(inputs) if self._symbolic_graph is None else self._inputs_in_order(inputs))

    def _call_on_values(self, args: Any, kwargs: Any) -> Any:
        stage = None if self._text_stage is None else self._text_stage[1]
        ran = stage is not None and args and stage.ran(args[0])
        batch = None if stage is None else args[0] if ran else stage.batch
        if stage is None or batch is None:
            return super()._call_on_values(args, kwargs)
        with stage.replayed(batch) as inputs:
            return super()._call_on_values((inputs, *args[1:]) if ran else args, kwargs)

    def _inputs_as_given(self, kind: str, data: Any) -> AbstractContextManager[Any]:
        stage = None if self._text_stage is None else self._text_stage[1]
        x = data[0] if isinstance(data, tuple) and data else data
        if stage is None or is_ours(getattr(type(self), f"{kind}_step")) or not stage.ran(x):
            return super()._inputs_as_given(kind, data)
        return stage.given(x, lambda inputs: (inputs, *data[1:]) if isinstance(data, tuple) else inputs)

    def _staged_inputs(self, x: Any) -> Any:
        if x is None:
            return x
        known = self._text_stage
        if known == (None, None) and _holds_text(x):   # it was given numbers alone so far
            known = None
            self._keep_apart(_text_stage=None)
        hidden = known[1] is not None if known is not None and known[0] is self._symbolic_graph else (
            self._may_look_up(x) if self._symbolic_graph is None else self._inner_text_stage() is not None)  # fmt: skip
        if hidden:
            return staged(x, self._with_inner_text)
        stage = self._host_stage()
        if stage is None or x is None:
            return x
        return staged(x, lambda inputs: inputs if stage.ran(inputs) else stage.run_for_device(self._inputs_in_order(inputs)))


def _holds_text(x: Any) -> bool:
    """Whether there is text among arrays or in a list."""
    return any(isinstance(leaf, (str, bytes)) or is_text(leaf) for leaf in flatten(x))
