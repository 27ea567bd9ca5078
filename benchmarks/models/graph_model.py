"""A Model of layers as a TensorFlow.js graph-model, fused as TensorFlow.js' own converter fuses it: for its peers' sake."""

import base64
import json

import numpy as np


def text(value):
    return {"s": base64.b64encode(value.encode()).decode()}


class GraphWriter:
    """Collects nodes and weights."""

    def __init__(self):
        self.nodes, self.specs, self.data = [], [], []

    def const(self, name, array):
        array = np.asarray(array)
        dtype = "int32" if array.dtype.kind == "i" else "float32"
        array = np.ascontiguousarray(array, dtype)
        self.specs.append({"name": name, "shape": list(array.shape), "dtype": dtype})
        self.data.append(array.tobytes())
        kind = {"type": "DT_INT32" if dtype == "int32" else "DT_FLOAT"}
        self.nodes.append({"name": name, "op": "Const", "input": [], "attr": {"dtype": kind, "value": {"tensor": {
            "dtype": kind["type"], "tensorShape": {"dim": [{"size": str(n)} for n in array.shape]}}}}})  # fmt: skip
        return name

    def node(self, name, op, inputs, **attributes):
        self.nodes.append({"name": name, "op": op, "input": inputs, "attr": {"T": {"type": "DT_FLOAT"}, **attributes}})
        return name

    def files(self, inputs, outputs):
        """The files of the model by name."""
        tensor = lambda name, shape: {
            "name": f"{name}:0", "dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": str(n)} for n in shape]},
        }  # fmt: skip
        description = {
            "format": "graph-model", "generatedBy": "benchmarks", "convertedBy": None,
            "modelTopology": {"node": self.nodes, "library": {}, "versions": {}},
            "signature": {"inputs": {n: tensor(n, s) for n, s in inputs.items()}, "outputs": {n: tensor(n, s) for n, s in outputs.items()}},
            "weightsManifest": [{"paths": ["weights.bin"], "weights": self.specs}],
        }  # fmt: skip
        return {"model.json": json.dumps(description).encode(), "weights.bin": b"".join(self.data)}


def classifier(model, arrays):
    """The files of a classifier without normalization, `pyml.hub`'s: convolutions with their ReLU6, means, products.

    Args:
        model: A functional Model, its layers in order, each with at most one reader unless it is an activation or an Add.
        arrays: Weights by `LAYER/NAME`.

    Raises:
        ValueError: The Model has a layer that is not written here.
    """
    config, writer, place = model.get_config(), GraphWriter(), {}
    layers = config["layers"]
    (name,) = (entry["name"] for entry in layers if entry["class_name"] == "InputLayer")
    shape = (1, *model.input_shape[1:])
    writer.nodes.append({"name": name, "op": "Placeholder", "input": [], "attr": {
        "dtype": {"type": "DT_FLOAT"}, "shape": {"shape": {"dim": [{"size": str(n)} for n in shape]}}}})  # fmt: skip
    place[name] = name
    last = {node["name"]: node for node in writer.nodes}
    for entry in layers:
        kind, own, options = entry["class_name"], entry["name"], entry["config"]
        if kind == "InputLayer":
            continue
        read = [t["config"]["keras_history"][0] for call in entry["inbound_nodes"] for t in _flat(call["args"])]
        x = [place[r] for r in read]
        if kind == "Dropout":
            place[own] = x[0]
        elif kind == "ReLU":                            # a part of the convolution before it
            last[x[0]]["attr"]["fused_ops"]["list"]["s"].append(text("Relu6")["s"])
            place[own] = x[0]
        elif kind == "Rescaling":
            scaled = writer.node(f"{own}/mul", "Mul", [x[0], writer.const(f"{own}/scale", np.float32(options["scale"]))])
            place[own] = writer.node(own, "AddV2", [scaled, writer.const(f"{own}/offset", np.float32(options["offset"]))])
        elif kind in ("Conv2D", "DepthwiseConv2D"):
            inputs = [x[0], writer.const(f"{own}/kernel", arrays[f"{own}/kernel"]), writer.const(f"{own}/bias", arrays[f"{own}/bias"])]
            place[own] = writer.node(
                own, "_FusedConv2D" if kind == "Conv2D" else "FusedDepthwiseConv2dNative", inputs,
                strides={"list": {"i": ["1", *[str(n) for n in options["strides"]], "1"]}},
                dilations={"list": {"i": ["1"] * 4}}, explicit_paddings={"list": {}}, num_args={"i": "1"},
                padding=text(options["padding"].upper()), data_format=text("NHWC"), fused_ops={"list": {"s": [text("BiasAdd")["s"]]}},
            )  # fmt: skip
        elif kind == "GlobalAveragePooling2D":
            axes = writer.const(f"{own}/axes", np.array([1, 2], np.int32))
            place[own] = writer.node(own, "Mean", [x[0], axes], keep_dims={"b": bool(options["keepdims"])})
        elif kind == "Add":
            place[own] = writer.node(own, "AddV2", x)
        elif kind == "Reshape":
            shape = writer.const(f"{own}/shape", np.array([-1, *options["target_shape"]], np.int32))
            place[own] = writer.node(own, "Reshape", [x[0], shape])
        elif kind == "Dense":
            product = writer.node(
                f"{own}/MatMul", "_FusedMatMul",
                [x[0], writer.const(f"{own}/kernel", arrays[f"{own}/kernel"]), writer.const(f"{own}/bias", arrays[f"{own}/bias"])],
                transpose_a={"b": False}, transpose_b={"b": False}, num_args={"i": "1"}, fused_ops={"list": {"s": [text("BiasAdd")["s"]]}},
            )  # fmt: skip
            place[own] = writer.node(own, "Softmax", [product])
        elif kind == "Activation" and options["activation"] == "softmax":
            place[own] = writer.node(own, "Softmax", x)
        else:
            raise ValueError(f"layer {own}: {kind} is not written here")
        last = {**last, **{node["name"]: node for node in writer.nodes[-1:]}}
    end = place[layers[-1]["name"]]
    return writer.files({name: shape}, {end: (1, *model.output_shape[1:])})


def _flat(args):
    return [t for a in args for t in (_flat(a) if isinstance(a, (list, tuple)) else [a])]
