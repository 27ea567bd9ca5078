"""What becomes one when a graph is loaded: a convolution and the scale after it, a dilated convolution written in three steps."""

from __future__ import annotations

import numpy as np

from .topology import Graph, Node, Ref

_CONV = {"Conv2D": 3, "_FusedConv2D": 3, "DepthwiseConv2dNative": -1, "FusedDepthwiseConv2dNative": -1}


def fold_scales(graph: Graph, kept: set[str]) -> int:
    """Folds into convolutions what follows them; nodes in `kept` keep their values. Returns how many were folded.

    A multiplication by one number a channel, and FusedBatchNorm, change the weights of a convolution that nothing
    else reads; the offset stays as an addition, which the convolution's kernel does where the sum is.
    """
    readers: dict[str, int] = {}
    for node in graph.nodes.values():
        for name, _ in node.inputs:
            readers[name] = readers.get(name, 0) + 1
    folded = 0
    for node in list(graph.nodes.values()):
        source = graph.nodes[node.inputs[0][0]] if node.inputs else None
        if source is None or source.op not in _CONV or source.name in kept or readers[source.name] != 1 or source.attr("fused_ops"):
            continue
        if source.attr("data_format", "NHWC") == "NCHW":
            continue
        if node.op == "Mul":
            folded += _multiply(graph, source, node)
        elif node.op.startswith("FusedBatchNorm") and node.name not in kept:
            folded += _normalize(graph, source, node)
    return folded


def _array(graph: Graph, ref: Ref) -> np.ndarray | None:
    node = graph.nodes[ref[0]]
    return node.value if node.op == "Const" and isinstance(node.value, np.ndarray) and node.value.dtype == np.float32 else None


def _scale(graph: Graph, conv: Node, factor: np.ndarray) -> bool:
    w = _array(graph, conv.inputs[1])
    if w is None or w.ndim != 4:
        return False
    depthwise = _CONV[conv.op] == -1
    channels = w.shape[2] * w.shape[3] if depthwise else w.shape[3]
    if factor.size not in (1, channels) or (factor.ndim and factor.shape[-1] != factor.size):
        return False
    factor = factor.reshape(w.shape[2:] if depthwise and factor.size > 1 else -1)
    name = f"{conv.name}/_scaled"
    graph.nodes[name] = Node(name, "Const", [], value=w * factor)
    conv.inputs = [conv.inputs[0], (name, 0), *conv.inputs[2:]]
    return True


def _multiply(graph: Graph, conv: Node, node: Node) -> bool:
    factor = _array(graph, node.inputs[1])
    if factor is None or not _scale(graph, conv, factor):
        return False
    node.op, node.inputs = "Identity", [node.inputs[0]]
    return True


def _normalize(graph: Graph, conv: Node, node: Node) -> bool:
    arrays = [array for ref in node.inputs[1:5] if (array := _array(graph, ref)) is not None]
    if len(arrays) != len(node.inputs[1:5]):
        return False
    scale, offset, mean, variance = arrays
    factor = scale / np.sqrt(variance + np.float32(node.attr("epsilon", 1e-3)))
    if not _scale(graph, conv, factor):
        return False
    name = f"{node.name}/_offset"
    graph.nodes[name] = Node(name, "Const", [], value=offset - mean * factor)
    node.op, node.inputs = "AddV2", [node.inputs[0], (name, 0)]
    return True


def join_dilated(graph: Graph, kept: set[str]) -> int:
    """SpaceToBatchND, a convolution and BatchToSpaceND are a convolution with dilation. Returns how many were joined."""
    readers: dict[str, int] = {}
    for node in graph.nodes.values():
        for name, _ in node.inputs:
            readers[name] = readers.get(name, 0) + 1
    joined = 0
    for node in graph.nodes.values():
        if node.op != "BatchToSpaceND" or len(node.inputs) != 3:
            continue
        conv = graph.nodes[node.inputs[0][0]]
        split = graph.nodes[conv.inputs[0][0]] if conv.op in _CONV else None
        if split is None or split.op != "SpaceToBatchND" or any(readers[n.name] != 1 or n.name in kept for n in (conv, split)):
            continue
        blocks = [graph.nodes[n.inputs[1][0]].value for n in (node, split)]
        simple = conv.attr("padding") == "VALID" and conv.attr("data_format", "NHWC") == "NHWC" and set(conv.attr("strides") or [1]) == {1}
        if not simple or any(b is None or np.size(b) != 2 for b in blocks) or list(blocks[0]) != list(blocks[1]):
            continue
        node.op = "_Dilated"
        node.attrs = conv.attrs
        node.value = (conv.op, tuple(int(b) for b in blocks[0]))
        node.inputs = [split.inputs[0], split.inputs[2], node.inputs[2], *conv.inputs[1:]]
        joined += 1
    return joined
