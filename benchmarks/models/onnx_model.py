"""A TensorFlow.js graph-model as an ONNX file: batch 1, convolutions in ONNX' own order of axes, nothing transposed between them."""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BINARY = {"AddV2": "Add", "Add": "Add", "Sub": "Sub", "Mul": "Mul", "RealDiv": "Div", "FloorDiv": "Div"}
UNARY = {"Sigmoid": "Sigmoid", "Sqrt": "Sqrt", "Relu": "Relu"}
VIEWS = ("Unpack", "ExpandDims", "Squeeze", "Reshape")
TO_FIRST, TO_LAST = (0, 3, 1, 2), (0, 2, 3, 1)
TYPES = {"float32": TensorProto.FLOAT, "int32": TensorProto.INT32}


class Value:
    """A tensor: its shape in the graph, and the ONNX name that holds it, `first`: with the channels before the pixels.

    `array` is a constant's. Other shapes of the same numbers are views, `base` is what they show.
    """

    def __init__(self, name, shape, dtype="float32", first=False, array=None, base=None):
        self.name, self.shape, self.dtype, self.first, self.array, self.base = name, tuple(shape), dtype, first, array, base


class Converter:
    """Nodes of a graph as `pyml.saving` reads them (`pyml.saving.tfjs.topology`), converted one after another."""

    def __init__(self):
        self.nodes, self.initializers, self.made, self.moved = [], [], {}, {}

    # ---- names in the ONNX graph
    def const(self, array):
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def op(self, kind, inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], name=name, **attributes))
        return name

    def plain(self, value):
        """The name of a value in the graph's own order and shape."""
        if value.array is not None:
            return self.const(value.array)
        if value.base is not None:
            return self._once(value, "plain", lambda: self.op("Reshape", [self.plain(value.base), self.const(np.array(value.shape))]))
        return self._once(value, "plain", lambda: self.op("Transpose", [value.name], perm=TO_LAST)) if value.first else value.name

    def channels_first(self, value):
        """The name of a value of four axes with the channels second."""
        if value.first:
            return value.name
        return self._once(value, "first", lambda: self.op("Transpose", [self.plain(value)], perm=TO_FIRST))

    def _once(self, value, what, make):
        key = (id(value), what)
        if key not in self.moved:
            self.moved[key] = (make(), value)
        return self.moved[key][0]

    # ---- the operators
    def view(self, value, shape):
        if value.array is not None:
            return Value(None, shape, value.dtype, array=value.array.reshape(shape))
        base = value.base or value
        return base if base.shape == tuple(shape) else Value(None, shape, value.dtype, base=base)

    def convolution(self, node, x, kernel, bias=None):
        depthwise = "epthwise" in node.op
        height, width = kernel.shape[:2]
        strides = [int(n) for n in node.attr("strides")[1:3]]
        dilations = [int(n) for n in (node.attr("dilations") or [1] * 4)[1:3]]
        kernels = kernel.array.transpose(2, 3, 0, 1) if depthwise else kernel.array.transpose(3, 2, 0, 1)
        kernels = kernels.reshape(-1, 1 if depthwise else kernel.shape[2], height, width)
        pads, sizes = [], []
        for size, k, stride, dilation in zip(x.shape[1:3], (height, width), strides, dilations, strict=True):
            reach = (k - 1) * dilation + 1
            same = node.attr("padding") == "SAME"
            count = -(-size // stride) if same else (size - reach) // stride + 1
            total = max(0, (count - 1) * stride + reach - size) if same else 0
            pads.append((total // 2, total - total // 2))
            sizes.append(count)
        inputs = [self.channels_first(x), self.const(kernels)] + ([self.const(bias.array)] if bias is not None else [])
        name = self.op("Conv", inputs, kernel_shape=[height, width], strides=strides, dilations=dilations,
                       pads=[p[0] for p in pads] + [p[1] for p in pads], group=x.shape[3] if depthwise else 1)  # fmt: skip
        return Value(self._activated(name, node), (x.shape[0], *sizes, len(kernels)), first=True)

    def _activated(self, name, node):
        for fused in node.attr("fused_ops") or []:
            if fused in ("Relu", "Relu6"):
                bounds = [] if fused == "Relu" else [self.const(np.float32(0)), self.const(np.float32(6))]
                name = self.op("Relu" if fused == "Relu" else "Clip", [name, *bounds])
            elif fused != "BiasAdd":
                raise ValueError(f"{node.name}: fused {fused} is not converted")
        return name

    def binary(self, node, a, b):
        kind = BINARY.get(node.op, "Sub")
        shape = np.broadcast_shapes(a.shape, b.shape)
        first = len(shape) == 4 and any(v.first for v in (a, b))
        names = [self._operand(v, first) for v in (a, b)]
        name = self.op(kind, names)
        if node.op == "SquaredDifference":
            name = self.op("Mul", [name, name])
        return Value(name, shape, a.dtype, first)

    def _operand(self, value, first):
        if not first:
            return self.plain(value)
        if value.array is not None:
            array = value.array.reshape((1,) * (4 - len(value.shape)) + value.shape)
            return self.const(array.transpose(TO_FIRST) if array.size > 1 else value.array.reshape(()))
        return self.channels_first(self.view(value, (1,) * (4 - len(value.shape)) + value.shape))

    def convert(self, node, inputs):
        """The value of a node whose inputs are values."""
        op, x = node.op, inputs[0] if inputs else None
        if op in ("_FusedConv2D", "FusedDepthwiseConv2dNative", "Conv2D", "DepthwiseConv2dNative"):
            return self.convolution(node, *inputs)
        if op in BINARY or op == "SquaredDifference":
            return self.binary(node, *inputs)
        if op in UNARY:
            return Value(self.op(UNARY[op], [x.name if x.first else self.plain(x)]), x.shape, first=x.first)
        if op == "Identity":
            return x
        if op in VIEWS:
            return self._view(node, inputs)
        if op == "Cast":
            to = node.attr("DstT")
            if to == x.dtype:
                return x
            base = x.base or x                          # a view is cast before it is looked at
            cast = Value(self.op("Cast", [base.name], to=TYPES[to]), base.shape, to, base.first)
            return self.view(cast, x.shape)
        if op == "ResizeBilinear":
            if not node.attr("half_pixel_centers"):
                raise ValueError(f"{node.name}: only half-pixel centres are converted")
            sizes = [int(n) for n in inputs[1].array]
            target = self.const(np.array([x.shape[0], x.shape[3], *sizes]))
            name = self.op("Resize", [self.channels_first(x), "", "", target], mode="linear", coordinate_transformation_mode="half_pixel")
            return Value(name, (x.shape[0], *sizes, x.shape[3]), first=True)
        if op == "Mean" and sorted(inputs[1].array.tolist()) == [1, 2] and x.first:
            mean = Value(self.op("GlobalAveragePool", [x.name]), (x.shape[0], 1, 1, x.shape[3]), first=True)
            return mean if node.attr("keep_dims") else self.flat(mean)
        if op == "_FusedMatMul":
            name = self.op("Gemm", [self.plain(x), self.const(inputs[1].array), self.const(inputs[2].array)])
            return Value(self._activated(name, node), (x.shape[0], inputs[1].shape[1]))
        if op == "Softmax":
            return Value(self.op("Softmax", [self.plain(x)], axis=-1), x.shape)
        if op == "ArgMax":
            axis = int(inputs[1].array)
            name = self.op("ArgMax", [self.plain(x)], axis=axis, keepdims=0)
            shape = x.shape[:axis] + x.shape[axis:][1:]
            return Value(self.op("Cast", [name], to=TensorProto.INT32), shape, "int32")
        if op == "GatherNd":
            depth = inputs[1].shape[-1]
            where = self.const(inputs[1].array.astype(np.int64)) if inputs[1].array is not None else \
                self.op("Cast", [self.plain(inputs[1])], to=TensorProto.INT64)  # fmt: skip
            return Value(self.op("GatherND", [self.plain(x), where]), inputs[1].shape[:-1] + x.shape[depth:], x.dtype)
        if op == "Pack":
            axis = node.attr("axis", 0)
            parts = [self.plain(self.view(v, (*v.shape[:axis], 1, *v.shape[axis:]))) for v in inputs]
            return Value(self.op("Concat", parts, axis=axis), (*x.shape[:axis], len(inputs), *x.shape[axis:]), x.dtype)
        if op == "ConcatV2":
            axis = int(inputs[-1].array) % len(x.shape)
            sizes = sum(v.shape[axis] for v in inputs[:-1])
            name = self.op("Concat", [self.plain(v) for v in inputs[:-1]], axis=axis)
            return Value(name, (*x.shape[:axis], sizes, *x.shape[axis + 1 :]), x.dtype)
        raise ValueError(f"{node.name}: {op} is not converted")

    def flat(self, x):
        """`(1, 1, 1, channels)` as `(1, channels)`: the same numbers in either order."""
        return Value(self.op("Flatten", [x.name], axis=1), (x.shape[0], x.shape[3]))

    def _view(self, node, inputs):
        x = inputs[0]
        if node.op == "Unpack":
            axis = node.attr("axis", 0)
            if x.shape[axis] == 1:
                return [self.view(x, x.shape[:axis] + x.shape[axis:][1:])]
            parts = [self.op("Gather", [self.plain(x), self.const(np.array(i))], axis=axis) for i in range(x.shape[axis])]
            return [Value(p, x.shape[:axis] + x.shape[axis + 1 :], x.dtype) for p in parts]
        if node.op == "ExpandDims":
            axis = int(inputs[1].array) % (len(x.shape) + 1)
            shape = (*x.shape[:axis], 1, *x.shape[axis:])
        elif node.op == "Squeeze":
            axes = [a % len(x.shape) for a in node.attr("squeeze_dims") or [i for i, n in enumerate(x.shape) if n == 1]]
            shape = tuple(n for i, n in enumerate(x.shape) if i not in axes)
        else:
            shape = [int(n) for n in inputs[1].array]
            shape = tuple(-math.prod(x.shape) // math.prod(shape) if n == -1 else n for n in shape)
        if x.first and node.op == "Reshape" and x.shape[1:3] == (1, 1):
            x = self.flat(x)
        return self.view(x, shape)

    def run(self, nodes, inputs, outputs):
        """Converts nodes in order.

        Args:
            nodes: Sources first.
            inputs: `{name: shape}`; those of four axes are taken with their channels second.
            outputs: References `(node, number)`; given in the graph's own order of axes.
        """
        found, taken = {}, []
        for node in nodes:
            if node.op == "Placeholder":
                shape, first = inputs[node.name], len(inputs[node.name]) == 4
                taken.append((f"x{len(taken)}", [shape[i] for i in TO_FIRST] if first else list(shape), node.attr("dtype") or "float32"))
                value = Value(taken[-1][0], shape, taken[-1][2], first)
            elif node.op == "Const":
                value = Value(None, node.value.shape, node.value.dtype.name, array=node.value)
            else:
                value = self.convert(node, [found[ref] for ref in node.inputs])
            for number, one in enumerate(value if isinstance(value, list) else [value]):
                found[node.name, number] = one
        results = []
        for number, ref in enumerate(outputs):
            self.nodes.append(helper.make_node("Identity", [self.plain(found[ref])], [f"y{number}"]))
            results.append(helper.make_tensor_value_info(f"y{number}", TYPES[found[ref].dtype], found[ref].shape))
        graph = helper.make_graph(
            self.nodes, "graph", [helper.make_tensor_value_info(n, TYPES[d], s) for n, s, d in taken], results, self.initializers
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()


def onnx_of(model, outputs):
    """The bytes of an ONNX file.

    Args:
        model: A `pyml.saving.tfjs.topology.Graph` and its input signatures: `GraphModel`'s, batch 1.
        outputs: Names of nodes.
    """
    from pyml.saving.tfjs.topology import order_of

    refs = [(name, 0) for name in outputs]
    inputs = {i.ref[0]: tuple(n or 1 for n in i.shape) for i in model.inputs}
    return Converter().run(order_of(model.graph, refs, set()), inputs, refs)
