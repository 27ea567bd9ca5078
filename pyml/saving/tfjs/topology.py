"""A graph as written in `model.json`: nodes, attributes, functions; checked, nothing run."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..files import ModelFileError

# TensorFlow's DataType numbers and names -> dtypes here
_BY_NUMBER = {1: "FLOAT", 2: "DOUBLE", 3: "INT32", 4: "UINT8", 5: "INT16", 6: "INT8", 7: "STRING", 8: "COMPLEX64", 9: "INT64",
              10: "BOOL", 14: "BFLOAT16", 17: "UINT16", 19: "HALF", 20: "RESOURCE", 21: "VARIANT", 22: "UINT32", 23: "UINT64"}  # fmt: skip
_DTYPE = {"FLOAT": "float32", "DOUBLE": "float32", "HALF": "float32", "BFLOAT16": "float32", "BOOL": "bool", "STRING": "string",
          "VARIANT": "variant", "RESOURCE": "resource", "COMPLEX64": "complex64"}  # fmt: skip
# operators whose outputs have names of their own in functions; all others call theirs "output" and count
_OUTPUTS = {
    "TopKV2": ("values", "indices"), "Unique": ("y", "idx"), "UniqueV2": ("y", "idx"), "Switch": ("output_false", "output_true"),
    "Merge": ("output", "value_index"), "TensorArrayV3": ("handle", "flow"), "NonMaxSuppressionV4": ("selected_indices", "valid_outputs"),
    "NonMaxSuppressionV5": ("selected_indices", "selected_scores", "valid_outputs"), "MaxPoolWithArgmax": ("output", "argmax"),
    "FusedBatchNormV3": ("y", "batch_mean", "batch_variance"), "ListDiff": ("out", "idx"), "TensorListPopBack": ("output_handle", "tensor"),
}  # fmt: skip

Ref = tuple[str, int]


@dataclass
class Node:
    """One operation: its inputs are `(node name, output number)`; `controls` are nodes that must be alive for it."""

    name: str
    op: str
    inputs: list[Ref]
    attrs: dict[str, Any] = field(default_factory=dict)
    controls: list[str] = field(default_factory=list)
    value: Any = None  # a constant's array

    def attr(self, name: str, default: Any = None) -> Any:
        """A plain value: number, bool, text, dtype, list, shape (with None for unknown), or function name."""
        raw = self.attrs.get(name)
        return default if raw is None else _plain(raw, f"node {self.name!r}, attribute {name!r}")


def _plain(raw: Any, what: str) -> Any:
    if not isinstance(raw, dict):
        raise ModelFileError(f"{what}: {str(raw)[:60]} is not an attribute.")
    for key, convert in _KINDS.items():
        if key in raw:
            try:
                return convert(raw[key])
            except ModelFileError:
                raise
            except Exception:
                raise ModelFileError(f"{what}: {str(raw)[:60]} is not a valid value.") from None
    return None


def _whole(value: Any) -> int:
    number = int(value)  # "NaN" and "1.5" raise
    if isinstance(value, float) and value != number:
        raise ValueError(value)
    return number


def _text(value: Any) -> str:
    if isinstance(value, str):
        return base64.b64decode(value).decode("utf-8")
    return bytes(value).decode("utf-8")


def dtype_of(value: int | str) -> str:
    name = _BY_NUMBER[value] if isinstance(value, int) else str(value).removeprefix("DT_")
    return _DTYPE.get(name, "int32")


def shape_of(value: Any) -> tuple[int | None, ...] | None:
    """A tuple with None for unknown sizes, or None where even the number of axes is unknown."""
    if not isinstance(value, dict) or value.get("unknownRank"):
        return None
    dims = [_whole(d.get("size", 0)) for d in value.get("dim") or []]
    return tuple(None if d < 0 else d for d in dims)


def _list(value: dict[str, Any]) -> list[Any]:
    for key in ("i", "s", "f", "b", "type", "shape"):
        if key in value:
            return [_KINDS[key](v) for v in value[key]]
    return []


_KINDS: dict[str, Callable[[Any], Any]] = {
    "i": _whole, "f": float, "b": bool, "s": _text, "type": dtype_of, "shape": shape_of, "list": _list,
    "func": lambda f: f["name"], "tensor": lambda t: t,
}  # fmt: skip


@dataclass
class Graph:
    """Nodes by name, the arguments and results of a function, and where it came from (for messages)."""

    nodes: dict[str, Node]
    where: str
    arguments: list[Ref] = field(default_factory=list)
    results: list[Ref] = field(default_factory=list)


def parse_graph(raw: Any, where: str, weights: dict[str, np.ndarray], arguments: Iterable[str] = ()) -> Graph:
    """Nodes from `nodeDef` lists; constants take their arrays from `weights`.

    Raises:
        ModelFileError: Nodes are malformed, named twice, or read nodes that do not exist.
    """
    nodes: dict[str, Node] = {name: Node(name, "Placeholder", []) for name in arguments}
    if not isinstance(raw, list):
        raise ModelFileError(f"{where}: the topology has no list of nodes.")
    for n in raw:
        if not isinstance(n, dict) or not isinstance(n.get("name"), str) or not isinstance(n.get("op"), str):
            raise ModelFileError(f"{where}: a node has no name or no op: {str(n)[:80]}.")
        name, inputs = n["name"], n.get("input") or []
        if name in nodes:
            raise ModelFileError(f"{where}: two nodes are named {name!r}.")
        if not isinstance(inputs, list) or not all(isinstance(i, str) for i in inputs):
            raise ModelFileError(f"{where}: node {name!r} has inputs that are not names.")
        node = nodes[name] = Node(name, n["op"], [], n.get("attr") or {}, [i[1:] for i in inputs if i.startswith("^")])
        node.inputs = [i for i in inputs if not i.startswith("^")]
        if node.op == "Const":
            node.value = _constant(node, weights, where)
    for node in nodes.values():
        node.inputs = [_reference(i, nodes, f"{where}: node {node.name!r}") for i in node.inputs]  # type: ignore[arg-type]
    return Graph(nodes, where)


def _reference(text: str, nodes: dict[str, Node], what: str) -> Ref:
    parts = text.split(":")
    name, number = parts[0], parts[-1] if len(parts) > 1 else "0"
    if name not in nodes:
        raise ModelFileError(f"{what} reads {text!r}, and there is no such node.")
    if not number.isdigit():
        raise ModelFileError(f"{what} reads {text!r}, which names no output.")
    if len(parts) == 3 and (names := _OUTPUTS.get(nodes[name].op)) and parts[1] in names:
        return name, names.index(parts[1]) + int(number)
    return name, int(number)


def _constant(node: Node, weights: dict[str, np.ndarray], where: str) -> np.ndarray:
    if node.name in weights:
        return weights[node.name]
    tensor = node.attr("value")
    if not isinstance(tensor, dict):
        raise ModelFileError(f"{where}: constant {node.name!r} is not among the weights.")
    return _inline(tensor, node, where)


def _inline(tensor: dict[str, Any], node: Node, where: str) -> np.ndarray:
    """A constant written into the topology itself."""
    shape = tuple(n or 0 for n in shape_of(tensor.get("tensorShape")) or ())
    dtype = dtype_of(tensor.get("dtype", 1))
    content = tensor.get("tensorContent")
    stored = np.dtype({"float32": "<f4", "bool": "?"}.get(dtype, "<i8" if str(tensor.get("dtype")) in ("9", "DT_INT64") else "<i4"))
    if content:
        values = np.frombuffer(base64.b64decode(content), stored)
    else:
        key = {"float32": "floatVal", "bool": "boolVal"}.get(dtype, "int64Val" if stored.itemsize == 8 else "intVal")
        listed = tensor.get(key) or []
        values = np.array(listed if isinstance(listed, list) else [listed], stored)
    count = math.prod(shape)
    if values.size not in (1, count) or count > 1 << 24:
        raise ModelFileError(f"{where}: constant {node.name!r} has {values.size} values for shape {shape}.")
    array = np.broadcast_to(values.reshape(-1)[:1] if values.size == 1 else values, (count,)).reshape(shape)
    return array.astype({"float32": np.float32, "bool": np.bool_}.get(dtype, np.int32))


def parse_functions(library: Any, where: str, weights: dict[str, np.ndarray]) -> dict[str, Graph]:
    """The function library: name -> graph with arguments and results."""
    out = {}
    for f in (library or {}).get("function") or []:
        signature = f.get("signature") or {}
        arguments = [a["name"] for a in signature.get("inputArg") or []]
        name = signature.get("name", "?")
        graph = parse_graph(f.get("nodeDef") or [], f"{where}, function {name!r}", weights, arguments)
        graph.arguments = [(a, 0) for a in arguments]
        ret = f.get("ret") or {}
        results = [ret.get(a["name"], a["name"]) for a in signature.get("outputArg") or []]
        graph.results = [_reference(r, graph.nodes, graph.where) for r in results]
        out[name] = graph
    return out


def order_of(graph: Graph, outputs: list[Ref], feeds: set[Ref]) -> list[Node]:
    """The nodes that `outputs` need, sources first; `feeds` are given from outside.

    Raises:
        ModelFileError: The nodes depend on each other in a circle.
    """
    order: list[Node] = []
    state: dict[str, int] = {}  # 1: on the path, 2: done
    stack = [(name, False) for name, i in reversed(outputs) if (name, i) not in feeds]
    while stack:
        name, ready = stack.pop()
        if ready:
            state[name] = 2
            order.append(graph.nodes[name])
            continue
        if state.get(name) == 2:
            continue
        if state.get(name) == 1:  # asked for twice before it was reached, and now on the path
            raise ModelFileError(f"{graph.where}: the graph is cyclic at node {name!r}, outside any loop.")
        state[name] = 1
        stack.append((name, True))
        node = graph.nodes[name]
        for ref in [*node.inputs, *((c, 0) for c in node.controls)]:
            if ref in feeds or state.get(ref[0]) == 2:
                continue
            if state.get(ref[0]) == 1:
                raise ModelFileError(f"{graph.where}: the graph is cyclic at node {ref[0]!r}, outside any loop.")
            stack.append((ref[0], False))
    return order
