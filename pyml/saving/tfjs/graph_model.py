"""`GraphModel`: a TensorFlow.js graph-model, run through Programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...core.tensor import Tensor, convert_to_tensor
from ...errors import ShapeError
from ..asking import answered, answered_async
from ..files import ModelFileError
from . import (  # noqa: F401  (they fill the table)
    ops_basic,
    ops_control,
    ops_detect,
    ops_images,
    ops_reduce,
    ops_shape,
    ops_signal,
    ops_sparse,
    ops_volumes,
    ops_windows,
)
from .executor import Executor, Reading, Weights
from .fold import fold_scales, join_dilated
from .loops import inside_loops, lift_loops
from .ops_control import FUNCTION_ATTRIBUTES
from .rules import RULES, Value
from .topology import Graph, Ref, dtype_of, order_of, parse_functions, parse_graph, shape_of

_HOST_SIZE = 16  # inputs of at most this many numbers may become sizes: they stay on the host
_GIVEN = ("Placeholder", "PlaceholderWithDefault")


class Signature:
    """Name, dtype and shape of one input or output; None stands for any size (or, as the shape, for any shape)."""

    def __init__(self, name: str, dtype: str, shape: tuple[int | None, ...] | None, node: str, output: int = 0):
        self.name, self.dtype, self.shape = name, dtype, shape
        self.ref = (node, output)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.dtype}, {self.shape}>"


class GraphModel:
    """A network read from a TensorFlow.js graph-model; see `pyml.saving.load_model`.

    Attributes:
        inputs, outputs: Lists of signatures with `name`, `dtype` and `shape`.

    Raises:
        ModelFileError: The graph is damaged, or has operators that are not known: the message lists them all.

    Example:
        model = pyml.saving.load_model("selfie/model.json")
        (mask,) = model.execute({"input_1": image}), or model.predict(image)
    """

    def __init__(self, description: dict[str, Any], weights: dict[str, np.ndarray], where: object):
        topology = description.get("modelTopology")
        if not isinstance(topology, dict):
            raise ModelFileError(f"{where}: modelTopology is missing; a graph-model needs one.")
        self.where = str(where)
        self.weights: Weights = {}
        self.executors: dict[Any, Executor] = {}
        self.graph = parse_graph(topology.get("node") or [], self.where, weights)
        try:
            self.functions = parse_functions(topology.get("library"), self.where, weights)
        except (AttributeError, KeyError, TypeError) as e:
            raise ModelFileError(f"{where}: the function library is malformed ({type(e).__name__}: {e}).") from None
        for graph in [self.graph, *self.functions.values()]:
            lift_loops(graph)
            for node in graph.nodes.values():
                if any(a in node.attrs for a in FUNCTION_ATTRIBUTES) and node.value is None:
                    node.value = self.functions
        signature = description.get("signature") or (description.get("userDefinedMetadata") or {}).get("signature") or {}
        self.inputs = self._inputs(signature)
        self.outputs = self._outputs(signature)
        self._check_operators()
        kept = {o.ref[0] for o in self.outputs}
        join_dilated(self.graph, kept)
        fold_scales(self.graph, kept)

    # ---- what goes in and out
    def _inputs(self, signature: dict[str, Any]) -> list[Signature]:
        named = {}
        for name, entry in (signature.get("inputs") or {}).items():
            named[str((entry or {}).get("name", name)).split(":")[0]] = (name.split(":")[0], entry)
        found = []
        for node in self.graph.nodes.values():
            if node.op not in _GIVEN or node.name.startswith("_loop/") or (node.op == _GIVEN[1] and node.name not in named):
                continue
            name, entry = named.get(node.name, (node.name, {}))
            dtype = node.attr("dtype") or dtype_of((entry or {}).get("dtype", 1))
            shape = node.attr("shape")  # what the graph takes; a signature may name one size of many
            found.append(Signature(name, dtype, shape if shape is not None else shape_of((entry or {}).get("tensorShape")), node.name))
        known = list(named)
        return sorted(found, key=lambda s: known.index(s.ref[0]) if s.ref[0] in known else len(known))

    def _outputs(self, signature: dict[str, Any]) -> list[Signature]:
        """The outputs that the signature lists, else the nodes that no other node reads."""
        found = []
        for name, entry in (signature.get("outputs") or {}).items():
            node, _, number = str((entry or {}).get("name", name)).partition(":")
            if node in self.graph.nodes:
                dtype = dtype_of((entry or {}).get("dtype") or 1)
                found.append(Signature(name.split(":")[0], dtype, shape_of((entry or {}).get("tensorShape")), node, int(number or 0)))
        if not found:  # without a signature: whatever no other node reads
            read = {r[0] for n in self.graph.nodes.values() for r in n.inputs} | inside_loops(self.graph)
            skipped = {"Const", "NoOp", "NextIteration", "Assert", *_GIVEN}
            found = [
                Signature(n.name, "float32", None, n.name)
                for n in self.graph.nodes.values() if n.name not in read and n.op not in skipped
            ]  # fmt: skip
        if not found:
            raise ModelFileError(f"{self.where}: the graph has no outputs.")
        return found

    def _check_operators(self) -> None:
        """Every operator that the outputs need, in loops and functions too, must be known."""
        unknown: set[str] = set()
        todo: list[tuple[Graph, list, set]] = [(self.graph, [o.ref for o in self.outputs], {i.ref for i in self.inputs})]
        seen: set = set()
        while todo:
            graph, outputs, feeds = todo.pop()
            for node in order_of(graph, outputs, feeds):
                if node.op == "_Loop" and (id(graph), node.name) not in seen:
                    seen.add((id(graph), node.name))
                    loop = node.value
                    todo.append((graph, [loop.condition], set(loop.condition_feeds)))
                    todo.append((graph, loop.results, set(loop.body_feeds)))
                for attribute in FUNCTION_ATTRIBUTES:
                    function = self.functions.get(node.attr(attribute) or "") if attribute in node.attrs else None
                    if function is not None and id(function) not in seen:
                        seen.add(id(function))
                        todo.append((function, function.results, set(function.arguments)))
                if node.op not in RULES and node.op != "Const":
                    unknown.add(node.op if node.op not in _GIVEN else f"{node.op} {node.name!r} that is not an input")
        if unknown:
            raise ModelFileError(
                f"{self.where}: the graph has operators that pyml does not know: {', '.join(sorted(unknown))}. "
                "Convert the model without them, or read an output before them by its node name."
            )

    # ---- running
    def execute(self, inputs: Any, outputs: str | Sequence[str] | None = None) -> Tensor | list[Tensor]:
        """Runs the graph.

        Args:
            inputs: A dict from input names to arrays or tensors, a list in the order of `model.inputs`, or the one input.
            outputs: Names of nodes (`"name"` or `"name:1"`), or one name; by default the model's outputs.

        Returns:
            A list of tensors, one for each output; a single tensor if `outputs` is one name or the model has one output.

        Raises:
            ValueError: An input is missing or unknown, or an output is.
            ShapeError: An input does not have the shape that the signature asks for.
        """
        refs, single = self._wanted(outputs)
        return self._results(answered(self._start(inputs, refs), lambda asked: [t.numpy() for t in asked]), single)

    async def execute_async(self, inputs: Any, outputs: str | Sequence[str] | None = None) -> Tensor | list[Tensor]:
        """As `execute`; works in every browser, also where a graph with loops has to wait for values."""
        refs, single = self._wanted(outputs)

        async def values(asked: list[Tensor]) -> list[np.ndarray]:
            return [await t.data() for t in asked]

        return self._results(await answered_async(self._start(inputs, refs), values), single)

    def predict(self, x: Any, batch_size: int | None = None) -> np.ndarray | list[np.ndarray]:
        """`execute` with the model's outputs, as numpy arrays.

        Args:
            x: As `inputs` of `execute`.
            batch_size: None runs everything at once; a number cuts the first axis of a single input into batches.

        Returns:
            A numpy array, or a list of them for several outputs.
        """
        if batch_size is None or isinstance(x, (dict, list, tuple)):
            found = self.execute(x)
            return [t.numpy() for t in found] if isinstance(found, list) else found.numpy()
        parts = [self.predict(x[i : i + batch_size]) for i in range(0, len(x), batch_size)]
        if isinstance(parts[0], list):
            return [np.concatenate(p) for p in zip(*parts, strict=True)]
        return np.concatenate(parts)

    __call__ = execute

    def _exported(self) -> tuple[Callable[..., Any], list[np.ndarray] | None]:
        """What `pyml.export` writes: a function of the inputs, and examples of one row, if the graph says how large they are."""
        call = lambda *inputs: self.execute(list(inputs))
        examples = []
        for given in self.inputs:
            sizes = [size for size in (given.shape or ())[1:] if size is not None]
            if not given.shape or len(sizes) != len(given.shape) - 1:
                return call, None
            examples.append(np.zeros((given.shape[0] or 1, *sizes), given.dtype))
        return call, examples

    def _wanted(self, outputs: str | Sequence[str] | None) -> tuple[list[Ref], bool]:
        if outputs is None:
            return [o.ref for o in self.outputs], len(self.outputs) == 1
        single = isinstance(outputs, str)
        refs: list[Ref] = []
        for name in [outputs] if isinstance(outputs, str) else outputs:
            by_name = next((o.ref for o in self.outputs if o.name == name), None)
            node, _, number = name.partition(":")
            if by_name is None and (node not in self.graph.nodes or not (number or "0").isdigit()):
                known = ", ".join(o.name for o in self.outputs)
                raise ValueError(f"execute: there is no node {name!r}; the model's outputs are {known}.")
            refs.append(by_name or (node, int(number or 0)))
        return refs, single

    def _start(self, inputs: Any, refs: list[Ref]) -> Reading[list[Value]]:
        given = self._by_node(inputs)
        feeds, values = list(given), list(given.values())
        devices = tuple(isinstance(v, Tensor) or v.size > _HOST_SIZE for v in values)
        key = (tuple(refs), tuple(feeds), devices)
        if key not in self.executors:
            self.executors[key] = Executor(self.graph, refs, feeds, list(devices), self.weights)
        return self.executors[key].run(values)

    def _by_node(self, inputs: Any) -> dict[Ref, Tensor | np.ndarray]:
        """The inputs of a call by the node that they belong to."""
        if isinstance(inputs, dict):
            given = {}
            for name, value in inputs.items():
                found = next((i for i in self.inputs if name in (i.name, i.ref[0], f"{i.ref[0]}:0")), None)
                ref = found.ref if found else self._inner(name)
                given[ref] = _standard(value, found)
        else:
            listed = isinstance(inputs, (list, tuple)) and (len(self.inputs) != 1 or (len(inputs) == 1 and hasattr(inputs[0], "shape")))
            values = list(inputs) if listed else [inputs]
            if len(values) != len(self.inputs):
                raise ValueError(f"execute: the model has inputs {', '.join(map(repr, self.inputs))}; {len(values)} were given.")
            given = {i.ref: _standard(v, i) for i, v in zip(self.inputs, values, strict=True)}
        missing = [i.name for i in self.inputs if i.ref not in given and self.graph.nodes[i.ref[0]].op == "Placeholder"]
        if missing and isinstance(inputs, dict) and all(next((i for i in self.inputs if i.ref == r), None) for r in given):
            raise ValueError(f"execute: input {', '.join(missing)} is missing; the model has {', '.join(map(repr, self.inputs))}.")
        return given

    def _inner(self, name: str) -> Ref:
        node, _, number = name.partition(":")
        if node not in self.graph.nodes:
            raise ValueError(f"execute: there is no input {name!r}; the model has {', '.join(map(repr, self.inputs))}.")
        return node, int(number or 0)

    @staticmethod
    def _results(values: list[Value], single: bool) -> Tensor | list[Tensor]:
        found = [v if isinstance(v, Tensor) else convert_to_tensor(np.asarray(v)) for v in values]
        return found[0] if single else found


def _standard(value: Any, signature: Signature | None) -> Tensor | np.ndarray:
    """An input as a tensor or array of the signature's dtype."""
    dtype = signature.dtype if signature and signature.dtype in ("float32", "int32", "bool") else None
    if hasattr(value, "_value_node"):
        value = convert_to_tensor(value)
    if isinstance(value, Tensor):
        value = value.astype(dtype) if dtype and value.dtype != dtype else value
    else:
        array = np.asarray(value)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"execute: input {signature.name if signature else ''!r} is {array.dtype}; expected numbers.")
        value = np.ascontiguousarray(array, dtype or {"f": np.float32, "b": np.bool_}.get(array.dtype.kind, np.int32)).reshape(array.shape)
    shape = signature.shape if signature else None
    if shape and (len(shape) != value.ndim or any(n is not None and n != m for n, m in zip(shape, value.shape, strict=True))):
        raise ShapeError(f"execute: input {signature.name!r} has shape {value.shape}; the model expects {shape} (None: any size).")  # type: ignore[union-attr]
    return value
