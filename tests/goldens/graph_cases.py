"""Graphs of one operator each, whose results were taken from TensorFlow.js (`make_with_tensorflow_js.py`)."""

from __future__ import annotations

import base64

import numpy as np


def _random(*shape, seed=0, low=-2.0, high=2.0):
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape).astype(np.float32)


def _whole(*values):
    return np.array(values[0] if len(values) == 1 else values, np.int32)


X = _random(2, 3, 4)
Y = _random(3, 1, seed=1)
POSITIVE = _random(2, 5, seed=2, low=0.1, high=3.0)
UNIT = _random(2, 5, seed=3, low=-0.9, high=0.9)
IMAGE = _random(1, 6, 5, 4, seed=4)
N = _whole([[7, -7, 3], [-3, 8, -8]])
M = _whole([[2, 2, -2], [-2, 3, 3]])
SAME, VALID = {"padding": "SAME"}, {"padding": "VALID"}
S1, S2 = [1, 1, 1, 1], [1, 2, 2, 1]

CASES: dict[str, tuple] = {}  # name -> (op, inputs, attributes, number of outputs)


def case(op, *inputs, outputs=1, name=None, **attrs):
    name = name or op
    while name in CASES:
        name += "'"
    CASES[name] = (op, [np.asarray(i) for i in inputs], attrs, outputs)


for _op in ("Abs", "Neg", "Exp", "Sin", "Cos", "Tan", "Sinh", "Cosh", "Tanh", "Atan", "Floor", "Ceil", "Sign", "Square", "Expm1",
            "Sigmoid", "Relu", "Relu6", "Elu", "Selu", "Softplus", "Erf", "Reciprocal", "IsNan", "IsInf", "IsFinite", "ZerosLike",
            "OnesLike", "Softmax", "LogSoftmax", "Identity", "Asinh"):  # fmt: skip
    case(_op, X)
for _op in ("Log", "Sqrt", "Rsqrt", "Log1p"):
    case(_op, POSITIVE)
for _op in ("Asin", "Acos", "Atanh"):
    case(_op, UNIT)
case("Acosh", POSITIVE + 1)
case("Round", np.array([0.5, 1.5, 2.5, -0.5, 1.2], np.float32))
for _op in ("Add", "AddV2", "Sub", "Mul", "RealDiv", "Maximum", "Minimum", "SquaredDifference", "Equal", "NotEqual", "Less", "LessEqual",
            "Greater", "GreaterEqual", "FloorMod"):  # fmt: skip
    case(_op, X, Y)
for _op in ("Add", "Mul", "RealDiv", "FloorDiv", "FloorMod", "Maximum", "Equal", "Less"):
    case(_op, N, M, name=f"{_op} of integers")
case("Pow", POSITIVE, UNIT)
case("Atan2", X, Y)
case("DivNoNan", X, np.where(np.abs(Y) > 1, Y, 0).astype(np.float32))
case("AddN", X, X * 2, X - 1, N=3)
case("BiasAdd", X, _random(4))
case("LogicalAnd", X > 0, Y > 0)
case("LogicalOr", X > 0, Y > 0)
case("LogicalNot", X > 0)
case("ClipByValue", X, np.float32(-0.5), np.float32(1.0))
case("LeakyRelu", X, alpha=0.3)
case("Prelu", X, _random(4, seed=9))
case("Select", X > 0, X, X * 3)
case("SelectV2", X > 0, X, Y)
case("Cast", X, SrcT="DT_FLOAT", DstT="DT_INT32")
case("Cast", N, SrcT="DT_INT32", DstT="DT_FLOAT")
for _op in ("Sum", "Mean", "Max", "Min", "Prod"):
    case(_op, X, _whole([1]), keep_dims=False)
    case(_op, X, _whole([0, -1]), keep_dims=True)
case("Any", X > 1, _whole([1]), keep_dims=False)
case("All", X > -1, _whole([1]), keep_dims=False)
case("EuclideanNorm", X, _whole([1]), keep_dims=False)
case("ArgMax", X, _whole(1), output_type="DT_INT32")
case("ArgMin", X, _whole(-1), output_type="DT_INT32")
case("TopKV2", X, _whole(2), outputs=2, sorted=True)
case("Cumsum", X, _whole(1), exclusive=False, reverse=False)
case("Cumsum", X, _whole(2), exclusive=True, reverse=True)
case("MatMul", _random(3, 4), _random(5, 4), transpose_a=False, transpose_b=True)
case("BatchMatMulV2", _random(2, 3, 4), _random(2, 5, 4), adj_x=False, adj_y=True)
case("_FusedMatMul", _random(3, 4), _random(4, 5), _random(5), fused_ops=["BiasAdd", "Relu"], num_args=1)
case("_FusedMatMul", _random(3, 4), _random(4, 5), _random(5), _random(5, seed=7), fused_ops=["BiasAdd", "Prelu"], num_args=2)
case("Einsum", _random(2, 3, 4), _random(4, 5), equation="abc,cd->abd", N=2)
case("Shape", X)
case("Size", X)
case("Rank", X)
case("Reshape", X, _whole([4, -1]))
case("Squeeze", X[:, :1], squeeze_dims=[1])
case("ExpandDims", X, _whole(1))
case("Transpose", X, _whole([2, 0, 1]))
case("Pack", X, X + 1, axis=1, N=2)
case("Pack", np.float32(1), np.float32(2), np.float32(3), axis=0, N=3)
case("Unpack", X, outputs=3, axis=1, num=3)
case("Split", _whole(2), X, outputs=2, num_split=2)
case("SplitV", X, _whole([1, 3]), _whole(2), outputs=2, num_split=2)
case("ConcatV2", X, X[:, :1], _whole(1), N=2)
case("Slice", X, _whole([0, 1, 1]), _whole([1, -1, 2]))
case("StridedSlice", X, _whole([0, -1, 0]), _whole([2, 0, 4]), _whole([1, -1, 2]), begin_mask=0, end_mask=0)
case("StridedSlice", X, _whole([1, 0, 1]), _whole([2, 3, 2]), _whole([1, 1, 1]), begin_mask=2, end_mask=2, shrink_axis_mask=5)
case("StridedSlice", X, _whole([0, 1]), _whole([0, 3]), _whole([1, 1]), ellipsis_mask=1, new_axis_mask=0)
case("Tile", X, _whole([1, 2, 1]))
case("BroadcastTo", Y, _whole([2, 3, 4]))
case("Pad", X, _whole([[0, 1], [2, 0], [0, 0]]))
case("PadV2", X, _whole([[0, 1], [0, 0], [1, 1]]), np.float32(7))
case("MirrorPad", X, _whole([[0, 0], [1, 1], [2, 0]]), mode="REFLECT")
case("MirrorPad", X, _whole([[1, 0], [1, 1], [0, 2]]), mode="SYMMETRIC")
case("ReverseV2", X, _whole([0, 2]))
case("GatherV2", X, _whole([2, 0]), _whole(1), batch_dims=0)
case("GatherV2", X, _whole([[2, 0], [1, 1]]), _whole(1), batch_dims=1)
case("GatherNd", X, _whole([[0, 2], [1, 0]]))
case("ScatterNd", _whole([[1], [3]]), _random(2, 4), _whole([5, 4]))
case("TensorScatterUpdate", _random(5, 2), _whole([[1], [3]]), _random(2, 2))
case("SparseToDense", _whole([1, 3]), _whole([5]), np.array([2.0, 4.0], np.float32), np.float32(-1), validate_indices=True)
case("DepthToSpace", IMAGE, block_size=2, data_format="NHWC")
case("SpaceToBatchND", IMAGE, _whole([2, 3]), _whole([[0, 0], [0, 1]]))
case("BatchToSpaceND", _random(4, 3, 2, 1), _whole([2, 2]), _whole([[0, 1], [1, 0]]))
case("Fill", _whole([2, 3]), np.float32(4))
case("Range", _whole(2), _whole(9), _whole(3), Tidx="DT_INT32")
case("LinSpace", np.float32(1), np.float32(2), _whole(5))
case("OneHot", _whole([0, 2, 5]), _whole(4), np.float32(3), np.float32(-1), axis=-1, T="DT_FLOAT")
case("Where", X > 0)
case("Unique", _whole([3, 1, 3, 2, 1]), outputs=2)
for _name, _attrs in {"same": SAME, "valid": VALID}.items():
    _attrs = {"dilations": S1, "data_format": "NHWC", **_attrs}
    case("Conv2D", IMAGE, _random(3, 3, 4, 5), strides=S2, name=f"Conv2D {_name}", **_attrs)
    case("DepthwiseConv2dNative", IMAGE, _random(3, 3, 4, 2), strides=S1, name=f"Depthwise {_name}", **_attrs)
    case("MaxPool", IMAGE, ksize=[1, 3, 3, 1], strides=S2, name=f"MaxPool {_name}", **_attrs)
    case("AvgPool", IMAGE, ksize=[1, 3, 3, 1], strides=S2, name=f"AvgPool {_name}", **_attrs)
case("Conv2D", IMAGE, _random(3, 3, 4, 5), strides=S1, dilations=[1, 2, 2, 1], data_format="NHWC", name="Conv2D dilated", **SAME)
case("Conv2D", IMAGE, _random(3, 3, 4, 5), strides=S1, dilations=S1, data_format="NHWC", padding="EXPLICIT",
     explicit_paddings=[0, 0, 1, 2, 0, 1, 0, 0], name="Conv2D explicit")  # fmt: skip
case("DepthwiseConv2dNative", IMAGE, _random(3, 3, 4, 1), strides=S1, dilations=[1, 2, 2, 1], data_format="NHWC", **SAME)
_FUSED = {"strides": S1, "dilations": S1, "data_format": "NHWC", **SAME}
for _activation in ("Relu", "Relu6", "Elu", "LeakyRelu"):
    case("_FusedConv2D", IMAGE, _random(1, 1, 4, 5), _random(5), fused_ops=["BiasAdd", _activation], num_args=1, leakyrelu_alpha=0.3,
         name=f"fused {_activation}", **_FUSED)  # fmt: skip
case("_FusedConv2D", IMAGE, _random(1, 1, 4, 5), _random(5), _random(5, seed=8), fused_ops=["BiasAdd", "Prelu"], num_args=2,
     name="fused Prelu", **_FUSED)  # fmt: skip
case("FusedDepthwiseConv2dNative", IMAGE, _random(3, 3, 4, 1), _random(4), fused_ops=["BiasAdd", "Relu6"], num_args=1, **_FUSED)
case("Conv2DBackpropInput", _whole([1, 12, 10, 3]), _random(3, 3, 3, 4), IMAGE, strides=S2, dilations=S1, data_format="NHWC", **SAME)
case("Conv1D", _random(1, 9, 3), _random(3, 3, 4), stride=2, dilation=1, data_format="NWC", **SAME)
case("FusedBatchNormV3", IMAGE, _random(4), _random(4, seed=1), _random(4, seed=2), np.abs(_random(4, seed=3)) + 0.1, epsilon=0.01,
     data_format="NHWC", is_training=False)  # fmt: skip
case("LRN", IMAGE, depth_radius=2, bias=1.0, alpha=0.5, beta=0.75)
for _corners, _half in ((False, False), (True, False), (False, True)):
    for _size in ([12, 10], [4, 7], [3, 3]):
        _flags = {"align_corners": _corners, "half_pixel_centers": _half}
        case("ResizeBilinear", IMAGE, _whole(_size), name=f"bilinear {_corners} {_half} {_size}", **_flags)
        case("ResizeNearestNeighbor", IMAGE, _whole(_size), name=f"nearest {_corners} {_half} {_size}", **_flags)
_BOXES = np.array([[0.1, 0.2, 0.93, 0.8], [0.8, 0.1, 0.2, 1.3], [0, 0, 1, 1]], np.float32)
_CROP = [np.concatenate([IMAGE, IMAGE * 2]), _BOXES, _whole([0, 1, 1]), _whole([4, 3])]
case("CropAndResize", *_CROP, method="bilinear", extrapolation_value=0.5)
case("CropAndResize", *_CROP, method="nearest", extrapolation_value=0.0)
_CORNERS = np.concatenate([_random(20, 2, low=0, high=1), _random(20, 2, seed=1, low=0.5, high=1.5)], 1)
_SCORES = _random(20, seed=5, low=0, high=1)
case("NonMaxSuppressionV3", _CORNERS, _SCORES, _whole(8), np.float32(0.4), np.float32(0.1))
case("NonMaxSuppressionV5", _CORNERS, _SCORES, _whole(8), np.float32(0.6), np.float32(0.1), np.float32(0.5), outputs=2)
case("FakeQuantWithMinMaxVars", X, np.float32(-1), np.float32(1.5), num_bits=8, narrow_range=False)
VOLUME = _random(2, 5, 6, 7, 3, seed=6)
for _name, _padding in {"same": "SAME", "valid": "VALID"}.items():
    for _op in ("MaxPool3D", "AvgPool3D"):
        case(_op, VOLUME, ksize=[1, 2, 3, 2, 1], strides=[1, 2, 1, 2, 1], padding=_padding, name=f"{_op} {_name}")
    case("Conv3D", VOLUME, _random(2, 3, 3, 3, 4), strides=[1, 1, 2, 2, 1], dilations=[1] * 5, padding=_padding, data_format="NDHWC",
         name=f"Conv3D {_name}")  # fmt: skip
    case("Dilation2D", IMAGE, _random(3, 2, 4), strides=S2, rates=[1, 2, 1, 1], padding=_padding, name=f"Dilation2D {_name}")
    case("MaxPoolWithArgmax", np.concatenate([IMAGE, -IMAGE]), outputs=2, ksize=[1, 3, 2, 1], strides=S2, padding=_padding,
         include_batch_in_index=_name == "same", name=f"MaxPoolWithArgmax {_name}")  # fmt: skip
_TURN = np.array([[0.8, -0.5, 1.5, 0.4, 0.9, -1.5, 0.01, 0.02], [1.1, 0, -4, 0, 1.2, -9, 0, 0]], np.float32)
for _fill in ("CONSTANT", "REFLECT", "WRAP", "NEAREST"):
    for _between in ("BILINEAR", "NEAREST"):
        case("ImageProjectiveTransformV3", IMAGE, _TURN[:1], _whole([7, 5]), np.float32(0.5), interpolation=_between, fill_mode=_fill,
             name=f"projected {_fill} {_between}")  # fmt: skip
    case("ImageProjectiveTransformV3", IMAGE, _TURN[1:], _whole([7, 5]), np.float32(0.5), interpolation="BILINEAR", fill_mode=_fill,
         name=f"moved {_fill}")  # fmt: skip
case("SparseReshape", _whole([[0, 0], [1, 2], [3, 1]]), _whole([4, 3]), _whole([2, -1]), outputs=2)
case("SparseFillEmptyRows", _whole([[0, 1], [2, 0], [2, 3]]), np.array([5.0, 6.0, 7.0], np.float32), _whole([5, 4]), np.float32(-1),
     outputs=4)  # fmt: skip
for _op in ("SparseSegmentSum", "SparseSegmentMean"):
    case(_op, _random(5, 3), _whole([4, 1, 1, 0]), _whole([0, 0, 2, 3]))


# ---- as model.json
_TYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32", "bool": "DT_BOOL"}


def attribute(value):
    if isinstance(value, bool):
        return {"b": value}
    if isinstance(value, int):
        return {"i": str(value)}
    if isinstance(value, float):
        return {"f": value}
    if isinstance(value, str):
        return {"type": value} if value.startswith("DT_") else {"s": base64.b64encode(value.encode()).decode()}
    key = "s" if isinstance(value[0], str) else "i"
    return {"list": {key: [attribute(v)[key] for v in value]}}


def node(name, op, inputs=(), **attrs):
    return {"name": name, "op": op, "input": list(inputs), "attr": {k: attribute(v) for k, v in attrs.items()}}


def graph(nodes, weights=None, **more):
    """The content of a `model.json`, and its weights as bytes in the file `w.bin`."""
    weights = weights or {}
    specs = [{"name": k, "shape": list(v.shape), "dtype": v.dtype.name} for k, v in weights.items()]
    topology = {"node": nodes, "versions": {"producer": 1}}
    description = {"format": "graph-model", "modelTopology": topology, "weightsManifest": [{"paths": ["w.bin"], "weights": specs}], **more}
    return description, b"".join(v.tobytes() for v in weights.values())


def is_given(op, index, value):
    """Whether an input of a case is given when the graph runs; sizes, axes and weights are constants."""
    if op in ("Split", "Fill", "Range", "LinSpace", "Conv2DBackpropInput"):
        return index == len({"Split": 1, "Conv2DBackpropInput": 2}.get(op, 0) * "x") and op in ("Split", "Conv2DBackpropInput")
    if "Conv" in op or op == "FusedBatchNormV3":
        return index == 0
    return index == 0 or op == "Pack" or (value.ndim > 0 and value.dtype == np.float32)


def case_graph(name):
    """Graph of a case, its weights, and what is given to it."""
    op, inputs, attrs, _ = CASES[name]
    nodes, weights, given = [], {}, {}
    for i, value in enumerate(inputs):
        if is_given(op, i, value):
            nodes.append(node(f"x{i}", "Placeholder", dtype=_TYPES[value.dtype.name]))
            given[f"x{i}"] = value
        else:
            nodes.append(node(f"x{i}", "Const", dtype=_TYPES[value.dtype.name]))
            weights[f"x{i}"] = value
    nodes.append(node("y", op, [f"x{i}" for i in range(len(inputs))], **attrs))
    return *graph(nodes, weights), given
