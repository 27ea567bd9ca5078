"""The graph between symbolic inputs and outputs: which calls, in which order, and running them on values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyml.core.symbolic import CallNode, KerasTensor
from pyml.core.tree import flatten, map_structure
from pyml.layers.input_layer import Input, InputLayer


class Graph:
    """All calls that lead from `inputs` to `outputs`.

    Args:
        inputs: Symbolic tensors (nested), made by `Input`.
        outputs: Symbolic tensors (nested) computed from them.
        named: Whether two layers of one name are refused.

    Raises:
        ValueError: An output cannot be computed from the inputs, or two layers have one name.
    """

    def __init__(self, inputs: Any, outputs: Any, named: bool = True) -> None:
        self.inputs_struct = inputs
        self.outputs_struct = outputs
        self.inputs: list[KerasTensor] = flatten(inputs)
        self.outputs: list[KerasTensor] = flatten(outputs)
        if not self.outputs:
            raise ValueError(f"Model: outputs holds no tensor, so there is nothing to compute. Received: {outputs!r}")
        for tensor in self.inputs + self.outputs:
            if not isinstance(tensor, KerasTensor):
                raise ValueError(
                    f"Model: inputs and outputs must be symbolic tensors made by Input and calls on it. "
                    f"Received: {tensor!r}"
                )
        self.nodes = self._order()
        self.steps = [node for node in self.nodes if id(node.output_tensors[0]) not in self._input_ids()]
        self._check_reachable()
        if named:
            self._check_names()

    def _check_names(self) -> None:
        seen: dict[str, Any] = {}
        for node in self.nodes:
            operation = node.operation
            if seen.setdefault(operation.name, operation) is not operation:
                raise ValueError(
                    f"Model: the name {operation.name!r} belongs to two of its layers; names in a model must differ, as files and "
                    "get_layer find layers by them. Give one of them another name."
                )

    def _input_ids(self) -> set[int]:
        return {id(tensor) for tensor in self.inputs}

    def _order(self) -> list[CallNode]:
        """Calls sorted as Keras does: by distance from the outputs, farthest first, then as met from the outputs."""
        stop = self._input_ids()
        order: list[CallNode] = []
        met: dict[int, int] = {}
        finished: set[int] = set()
        stack = [(_node_of(t), False) for t in reversed(self.outputs)]
        while stack:
            node, ready = stack.pop()
            if node is None or id(node) in finished:
                continue
            if ready:
                finished.add(id(node))
                order.append(node)
                continue
            met.setdefault(id(node.operation), len(met))
            stack.append((node, True))
            if not any(id(t) in stop for t in node.output_tensors):
                stack.extend((_node_of(t), False) for t in reversed(node.input_tensors))
        depth: dict[int, int] = {}
        for node in reversed(order):                   # consumers before producers
            own = depth.setdefault(id(node), 0)
            if not any(id(t) in stop for t in node.output_tensors):
                for tensor in node.input_tensors:
                    parent = _node_of(tensor)
                    if parent is not None:
                        depth[id(parent)] = max(depth.get(id(parent), 0), own + 1)
        for tensor in self.inputs:                     # an input that no output uses still belongs to the model
            node = _node_of(tensor)
            if node is not None and id(node) not in finished:
                order.insert(0, node)
                depth[id(node)] = 0
                met.setdefault(id(node.operation), len(met))
        self.depths = depth
        place = {id(node): i for i, node in enumerate(order)}
        return sorted(order, key=lambda n: (-depth[id(n)], met[id(n.operation)], place[id(n)]))

    def _check_reachable(self) -> None:
        """Raises ValueError for an output, or a tensor on the way to one, that the inputs do not determine."""
        known = self._input_ids()
        for node in self.steps:
            if isinstance(node.operation, InputLayer):
                continue                               # an Input that was not passed: an error where it is used
            for tensor in node.input_tensors:
                if id(tensor) not in known:
                    raise ValueError(
                        f"Model: {tensor!r}, an input of '{node.operation.name}', cannot be computed from the model's "
                        f"inputs {[t.name for t in self.inputs]}. Pass the Input it comes from as well."
                    )
            known.update(id(tensor) for tensor in node.output_tensors)
        for tensor in self.outputs:
            if id(tensor) not in known:
                raise ValueError(f"Model: output {tensor!r} cannot be computed from the model's inputs.")

    def from_inputs(self) -> Graph:
        """The graph with an `Input` in the place of every tensor that it begins with and that layers outside made, as in Keras: those
        layers are no part of a model that begins behind them. Without such, itself."""
        if all(_begins(tensor) for tensor in self.inputs):
            return self
        made: dict[int, KerasTensor] = {}
        for tensor in self.inputs:
            made[id(tensor)] = tensor if _begins(tensor) else Input(
                batch_shape=tensor.shape, dtype=tensor.dtype, name=f"{tensor.name}CLONE")

        def copied(leaf: Any) -> Any:
            if not isinstance(leaf, KerasTensor):
                return leaf
            if id(leaf) not in made:
                made[id(leaf)] = KerasTensor(leaf.shape, dtype=leaf.dtype, name=leaf.name)
                made[id(leaf)]._keras_mask = leaf._keras_mask
            return made[id(leaf)]

        for node in self.steps:
            if not isinstance(node.operation, InputLayer):
                args, kwargs, outputs = (map_structure(copied, part) for part in (node.args, node.kwargs, node.outputs))
                CallNode(node.operation, args, kwargs, outputs)
        return Graph(map_structure(copied, self.inputs_struct), map_structure(copied, self.outputs_struct))

    @property
    def operations(self) -> list[Any]:
        """Layers and ops in order, inputs included, each once."""
        found: list[Any] = []
        seen: set[int] = set()
        for node in self.nodes:
            if id(node.operation) not in seen:
                seen.add(id(node.operation))
                found.append(node.operation)
        return found

    @property
    def output_names(self) -> list[str]:
        """Names of the operations that make the outputs."""
        return [tensor._keras_history.operation.name for tensor in self.outputs if tensor._keras_history is not None]

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs."""
        return [tensor._keras_history.operation.name if tensor._keras_history and isinstance(
            tensor._keras_history.operation, InputLayer) else tensor.name for tensor in self.inputs]

    def run(self, values: Sequence[Any]) -> Any:
        """The outputs for `values`, one per input in order."""
        known = {id(tensor): value for tensor, value in zip(self.inputs, values, strict=True)}

        def look_up(leaf: Any) -> Any:
            return known[id(leaf)] if isinstance(leaf, KerasTensor) else leaf

        for node in self.steps:
            args = map_structure(look_up, node.args)
            kwargs = map_structure(look_up, node.kwargs)
            results = flatten(node.operation(*args, **kwargs))
            for tensor, result in zip(node.output_tensors, results, strict=len(results) < len(node.output_tensors)):
                known[id(tensor)] = result  # a layer may return more than its compute_output_shape tells of, as in Keras
        return map_structure(look_up, self.outputs_struct)


def _begins(tensor: KerasTensor) -> bool:
    return tensor._keras_history is not None and isinstance(tensor._keras_history.operation, InputLayer)


def _node_of(tensor: KerasTensor) -> CallNode | None:
    history = tensor._keras_history
    return None if history is None else history.operation._inbound_nodes[history.node_index]
