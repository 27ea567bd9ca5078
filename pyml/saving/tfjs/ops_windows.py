"""Convolution, pooling, normalization and resizing of images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from ...core.tensor import Tensor, as_node
from ...graph import prims
from ...graph.node import Node as GraphNode
from .ops_reduce import fused
from .rules import Value, Xp, check_window, ints, rule
from .topology import Node

Widths: TypeAlias = tuple[tuple[int, int], ...]


def _float(x: Value) -> GraphNode:
    return prims.cast(as_node(x), dtype="float32")


def _hw(values: Sequence[int] | None, first: bool) -> tuple[int, ...]:
    values = list(values or (1, 1, 1, 1))
    if len(values) == 4:
        return tuple(values[2:] if first else values[1:3])
    return tuple(values * 2 if len(values) == 1 else values[-2:])


class _Window:
    """What the attributes of a window say; images are turned to channels last."""

    def __init__(self, node: Node):
        self.op = node.op
        self.first = node.attr("data_format", "NHWC") == "NCHW"
        self.strides = _hw(node.attr("strides"), self.first)
        self.dilation = _hw(node.attr("dilations"), self.first)
        self.padding = node.attr("padding", "VALID")
        self.explicit = node.attr("explicit_paddings") or []

    def image(self, x: GraphNode) -> GraphNode:
        return prims.permute(x, (0, 2, 3, 1)) if self.first else x

    def result(self, y: GraphNode) -> Tensor:
        return Tensor(prims.permute(y, (0, 3, 1, 2)) if self.first else y)

    def widths(self, sizes: Sequence[int], window: Sequence[int]) -> Widths:
        """What is padded before and after rows and columns."""
        if min(*self.strides, *self.dilation) < 1:
            raise ValueError(f"strides {self.strides} and dilations {self.dilation} must be positive")
        widths = self._widths(sizes, window)
        check_window(window, [n + a + b for n, (a, b) in zip(sizes, widths, strict=True)], self.op)
        return widths

    def _widths(self, sizes: Sequence[int], window: Sequence[int]) -> Widths:
        if self.padding == "EXPLICIT":
            pairs = list(zip(self.explicit[::2], self.explicit[1::2], strict=True))
            return tuple(pairs[2:] if self.first else pairs[1:3])
        if self.padding == "VALID":
            return ((0, 0), (0, 0))
        out = []
        for n, k, s, d in zip(sizes, window, self.strides, self.dilation, strict=True):
            total = max((-(-n // s) - 1) * s + (k - 1) * d + 1 - n, 0)
            out.append((total // 2, total - total // 2))
        return tuple(out)


@rule("Conv2D", "_FusedConv2D", device=True)
def _conv2d(node: Node, xp: Xp, x: Value, w: Value, *others: Value) -> Value:
    v = _Window(node)
    x, w = v.image(_float(x)), _float(w)
    y = prims.conv2d(x, w, v.strides, v.widths(x.shape[1:3], w.shape[:2]), v.dilation, max(1, x.shape[3] // max(1, w.shape[2])))
    return fused(node, xp, v.result(y), others)


@rule("DepthwiseConv2d", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative", device=True)
def _depthwise(node: Node, xp: Xp, x: Value, w: Value, *others: Value) -> Value:
    v = _Window(node)
    x, w = v.image(_float(x)), _float(w)
    if w.ndim != 4 or w.shape[2] != x.shape[3]:
        raise ValueError(f"the image is {x.shape} and the kernel {w.shape}; the channels differ")
    widths = v.widths(x.shape[1:3], w.shape[:2])
    w = prims.reshape(w, (*w.shape[:2], 1, w.shape[2] * w.shape[3]))
    return fused(node, xp, v.result(prims.conv2d(x, w, v.strides, widths, v.dilation, x.shape[3])), others)


@rule("_Dilated", static=(1, 2), device=True)
def _dilated(node: Node, xp: Xp, x: Value, paddings: Value, crops: Value, w: Value, *others: Value) -> Value:
    """A convolution between SpaceToBatchND and BatchToSpaceND: what is cropped at an end was padded there."""
    kind, block = node.value
    (top, bottom), (left, right) = np.asarray(paddings).reshape(2, 2).tolist()
    (above, below), (before, after) = np.asarray(crops).reshape(2, 2).tolist()
    x, w = _float(x), _float(w)
    groups = x.shape[3] if "Depthwise" in kind else max(1, x.shape[3] // max(1, w.shape[2]))
    if "Depthwise" in kind:
        w = prims.reshape(w, (*w.shape[:2], 1, w.shape[2] * w.shape[3]))
    # crops may exceed what was padded: pad first, cut afterwards
    widths = ((top, max(bottom - below, 0)), (left, max(right - after, 0)))
    y = prims.conv2d(x, w, (1, 1), widths, block, groups)
    rows, columns = y.shape[1] - max(below - bottom, 0), y.shape[2] - max(after - right, 0)
    if (above, before, rows, columns) != (0, 0, *y.shape[1:3]):
        y = prims.slice_(y, (0, above, before, 0), (y.shape[0], rows, columns, y.shape[3]))
    return fused(node, xp, Tensor(y), others)


@rule("Conv1D", device=True)
def _conv1d(node: Node, xp: Xp, x: Value, w: Value) -> Value:
    x, w = _float(x), _float(w)
    v = _Window(node)
    stride = max(ints(node.attr("stride", 1)) if not isinstance(node.attr("strides"), list) else node.attr("strides"))
    v.strides, v.dilation = (1, stride), (1, max(ints(node.attr("dilation", 1))))
    x, w = prims.reshape(x, (x.shape[0], 1, *x.shape[1:])), prims.reshape(w, (1, *w.shape))
    y = prims.conv2d(x, w, v.strides, v.widths(x.shape[1:3], w.shape[:2]), v.dilation, 1)
    return Tensor(prims.reshape(y, (y.shape[0], *y.shape[2:])))


@rule("Conv2DBackpropInput", static=(0,), device=True)
def _conv_transpose(node: Node, xp: Xp, shape: Value, w: Value, dy: Value) -> Value:
    v = _Window(node)
    dy, w, shape = v.image(_float(dy)), _float(w), ints(shape)
    hw = shape[2:4] if v.first else shape[1:3]
    return v.result(prims.conv2d_input_grad(dy, w, hw, v.strides, v.widths(hw, w.shape[:2]), v.dilation, 1))


def _pool(prim: Callable[..., GraphNode], node: Node, x: Value) -> Tensor:
    v = _Window(node)
    size = _hw(node.attr("ksize"), v.first)
    x = v.image(_float(x))
    return v.result(prim(x, size, v.strides, v.widths(x.shape[1:3], size)))


@rule("MaxPool", device=True)
def _max_pool(node: Node, xp: Xp, x: Value) -> Value:
    return _pool(prims.max_pool2d, node, x)


@rule("AvgPool", device=True)
def _avg_pool(node: Node, xp: Xp, x: Value) -> Value:
    return _pool(prims.avg_pool2d, node, x)


@rule("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", device=True)
def _batch_norm(node: Node, xp: Xp, x: Value, scale: Value, offset: Value, mean: Value, variance: Value) -> Value:
    first = node.attr("data_format", "NHWC") == "NCHW"
    lay = (lambda t: xp.reshape(t, (-1, 1, 1))) if first else (lambda t: t)
    factor = xp.multiply(lay(scale), xp.rsqrt(xp.add(lay(variance), node.attr("epsilon", 1e-3))))
    return [xp.add(xp.multiply(xp.subtract(x, lay(mean)), factor), lay(offset)), mean, variance]


@rule("LRN", device=True)
def _local_response(node: Node, xp: Xp, x: Value) -> Value:
    """x / (bias + alpha * sum of squares over neighbouring channels) ** beta."""
    radius, channels = int(node.attr("depth_radius", 5)), x.shape[-1]
    squares = xp.pad(xp.square(x), ((0, 0), (0, 0), (0, 0), (radius, radius)))
    total = None
    for k in range(2 * radius + 1):
        part = squares[..., k : k + channels]
        total = part if total is None else xp.add(total, part)
    return xp.divide(x, xp.power(xp.add(xp.multiply(total, node.attr("alpha", 1.0)), node.attr("bias", 1.0)), node.attr("beta", 0.5)))


def _resize(node: Node, x: Value, size: Value, method: str) -> Tensor:
    from ...image import resize

    corners, centers = bool(node.attr("align_corners", False)), bool(node.attr("half_pixel_centers", False))
    picture = Tensor(_float(x)) if method == "bilinear" else x
    return resize(picture, tuple(ints(size)), interpolation=method, align_corners=corners, half_pixel_centers=centers)


@rule("ResizeBilinear", static=(1,), device=True)
def _resize_bilinear(node: Node, xp: Xp, x: Value, size: Value) -> Value:
    return _resize(node, x, size, "bilinear")


@rule("ResizeNearestNeighbor", static=(1,), device=True)
def _resize_nearest(node: Node, xp: Xp, x: Value, size: Value) -> Value:
    return _resize(node, x, size, "nearest")


@rule("CropAndResize", static=(3,), device=True)
def _crop_and_resize(node: Node, xp: Xp, image: Value, boxes: Value, box_index: Value, size: Value) -> Value:
    from ...image import crop_and_resize

    outside = node.attr("extrapolation_value", 0.0) or 0.0
    return crop_and_resize(image, boxes, box_index, tuple(ints(size)), node.attr("method", "bilinear"), outside)
