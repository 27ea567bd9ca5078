"""Windows over volumes, `(batch, depth, rows, columns, channels)`: made of windows over their slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...core.tensor import Tensor, as_node
from ...graph import prims
from ...graph.node import Node as GraphNode
from .rules import Value, Xp, check_window, rule
from .topology import Node


def _dhw(node: Node, name: str) -> tuple[int, int, int]:
    values = tuple(int(n) for n in node.attr(name) or (1,))
    values = values[1:4] if len(values) == 5 else values * 3 if len(values) == 1 else values
    if len(values) != 3 or min(values) < 1:
        raise ValueError(f"{name} is {values}; expected one positive number for depth, rows and columns each")
    return values


def _widths(
    node: Node, sizes: Sequence[int], window: Sequence[int], strides: Sequence[int], dilation: Sequence[int] = (1, 1, 1)
) -> tuple[tuple[int, int], ...]:
    padding = node.attr("padding", "VALID")
    if padding not in ("SAME", "VALID"):
        raise ValueError(f"padding {padding} of volumes is not known; expected SAME or VALID")
    totals = [0, 0, 0]
    if padding == "SAME":
        totals = [max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0) for n, k, s, d in zip(sizes, window, strides, dilation, strict=True)]
    check_window(window, [n + t for n, t in zip(sizes, totals, strict=True)], node.op)
    return tuple((t // 2, t - t // 2) for t in totals)


def _volume(node: Node, x: Value) -> GraphNode:
    x = prims.cast(as_node(x), dtype="float32")
    if x.ndim != 5 or node.attr("data_format", "NDHWC") not in ("NDHWC", "NHWC"):
        raise ValueError(f"expected a volume (batch, depth, rows, columns, channels). Received: {tuple(x.shape)}")
    return x


@rule("Conv3D", device=True)
def _conv3d(node: Node, xp: Xp, x: Value, w: Value) -> Value:
    """One convolution of all slices for each depth of the kernel, added up."""
    x, w = _volume(node, x), prims.cast(as_node(w), dtype="float32")
    strides, dilation, window = _dhw(node, "strides"), _dhw(node, "dilations"), tuple(w.shape[:3])
    front, *flat = _widths(node, x.shape[1:4], window, strides, dilation)
    x = prims.pad(x, ((0, 0), front, (0, 0), (0, 0), (0, 0))) if any(front) else x
    batch, depth, rows, columns, channels = x.shape
    count = (depth - (window[0] - 1) * dilation[0] - 1) // strides[0] + 1
    if count < 1:
        raise ValueError(f"the kernel {tuple(w.shape)} does not fit into {tuple(x.shape)}")
    total = None
    for k in range(window[0]):
        part = Tensor(x)[:, k * dilation[0] : k * dilation[0] + (count - 1) * strides[0] + 1 : strides[0]]
        images = prims.reshape(as_node(part), (batch * count, rows, columns, channels))
        y = prims.conv2d(images, as_node(Tensor(w)[k]), strides[1:], tuple(flat), dilation[1:], 1)
        total = Tensor(y) if total is None else xp.add(total, Tensor(y))
    assert total is not None, "a window has at least one place"
    return xp.reshape(total, (batch, count, *total.shape[1:]))


def _pool3d(prim: Callable[..., GraphNode], node: Node, x: Value) -> Tensor:
    """Over rows and columns of each slice, then over depth."""
    x = _volume(node, x)
    window, strides = _dhw(node, "ksize"), _dhw(node, "strides")
    front, *flat = _widths(node, x.shape[1:4], window, strides)
    batch, depth, rows, columns, channels = x.shape
    y = prim(prims.reshape(x, (batch * depth, rows, columns, channels)), window[1:], strides[1:], tuple(flat))
    rows, columns = y.shape[1:3]
    y = prim(prims.reshape(y, (batch, depth, rows * columns, channels)), (window[0], 1), (strides[0], 1), (front, (0, 0)))
    return Tensor(prims.reshape(y, (batch, y.shape[1], rows, columns, channels)))


@rule("MaxPool3D", device=True)
def _max_pool3d(node: Node, xp: Xp, x: Value) -> Value:
    return _pool3d(prims.max_pool2d, node, x)


@rule("AvgPool3D", device=True)
def _avg_pool3d(node: Node, xp: Xp, x: Value) -> Value:
    return _pool3d(prims.avg_pool2d, node, x)
