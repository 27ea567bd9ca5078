"""Each operator of graph-models equals TensorFlow.js, for values on the device and for values known on the host."""

from __future__ import annotations

import json
from pathlib import Path

import graph_cases
import numpy as np
import pytest
from every import every

from pyml.core.tensor import Tensor
from pyml.saving import ModelFileError
from pyml.saving.tfjs.graph_model import GraphModel
from pyml.saving.tfjs.weights import decode, read_manifest

GOLDENS = json.loads(Path(graph_cases.__file__).with_suffix(".json").read_text())


def make(description, weights):
    ((_, specs, nbytes),) = read_manifest(description["weightsManifest"], "test")
    return GraphModel(description, decode([weights], specs, nbytes, "test"), "test")


def check(model, given, name):
    count = graph_cases.CASES[name][3]
    found = model.execute(given, [f"y:{i}" for i in range(count)])
    for result, expected in zip(found, GOLDENS[name], strict=True):
        array = result.numpy()
        assert isinstance(result, Tensor)
        assert array.shape == tuple(expected["shape"])
        assert array.dtype.name == expected["dtype"]
        wanted = np.array(expected["data"], float).reshape(expected["shape"])
        np.testing.assert_allclose(array.astype(float), wanted, rtol=2e-5, atol=3e-5)


@every("name", GOLDENS)
def test_operator_on_the_device_equals_tensorflow_js(device, name):
    description, weights, given = graph_cases.case_graph(name)
    check(make(description, weights), given, name)


@every("name", GOLDENS)
def test_operator_on_the_host_equals_tensorflow_js(name):
    """Everything constant: the operator is folded when the graph is loaded (or made a Program without inputs)."""
    op, inputs, attrs, _ = graph_cases.CASES[name]
    nodes = [graph_cases.node(f"x{i}", "Const") for i in range(len(inputs))]
    nodes.append(graph_cases.node("y", op, [f"x{i}" for i in range(len(inputs))], **attrs))
    with np.errstate(divide="raise", invalid="raise"):
        check(make(*graph_cases.graph(nodes, {f"x{i}": v for i, v in enumerate(inputs)})), {}, name)


def test_goldens_cover_the_cases():
    assert set(graph_cases.CASES) == set(GOLDENS)


def run(nodes, given, *outputs):
    """What a graph of several nodes gives, as arrays; the inputs are placeholders."""
    placed = [graph_cases.node(k, "Placeholder", dtype=graph_cases._TYPES[v.dtype.name]) for k, v in given.items()]
    found = make(*graph_cases.graph([*placed, *nodes])).execute(given, list(outputs))
    return [t.numpy() for t in found]


def test_fourier_transforms_and_complex_numbers_equal_numpy(device):
    x = np.random.default_rng(4).uniform(-1, 1, (2, 12)).astype(np.float32)
    node = graph_cases.node
    half, whole, there, back, size = run([
        node("spectrum", "RFFT", ["x", "n"]), node("size", "ComplexAbs", ["spectrum"]), node("again", "IRFFT", ["spectrum", "n"]),
        node("pair", "Complex", ["x", "again"]), node("full", "FFT", ["pair"]), node("inverse", "IFFT", ["full"]),
        node("re", "Real", ["full"]), node("im", "Imag", ["inverse"]), node("kept", "Reshape", ["full", "shape"]),
        node("ends", "Imag", ["kept"]),
    ], {"x": x, "n": np.array([12], np.int32), "shape": np.array([24], np.int32)}, "size", "re", "im", "again", "ends")  # fmt: skip
    np.testing.assert_allclose(half, np.abs(np.fft.rfft(x)), atol=1e-5)
    np.testing.assert_allclose(whole, np.fft.fft(x + 1j * x).real, atol=1e-4)
    np.testing.assert_allclose(there, x, atol=1e-5)
    np.testing.assert_allclose(back, x, atol=1e-5)
    np.testing.assert_allclose(size, np.fft.fft(x + 1j * x).imag.ravel(), atol=1e-4)


def test_depth_becomes_space_and_space_depth_in_both_layouts(device):
    x = np.random.default_rng(5).random((2, 4, 6, 12)).astype(np.float32)
    blocks = x.reshape(2, 4, 6, 2, 2, 3).transpose(0, 1, 3, 2, 4, 5).reshape(2, 8, 12, 3)
    for layout, axes in (("NHWC", (0, 1, 2, 3)), ("NCHW", (0, 3, 1, 2))):
        how = {"block_size": 2, "data_format": layout}
        nodes = [graph_cases.node("space", "DepthToSpace", ["x"], **how), graph_cases.node("depth", "SpaceToDepth", ["space"], **how)]
        space, depth = run(nodes, {"x": x.transpose(axes)}, "space", "depth")
        np.testing.assert_array_equal(space, blocks.transpose(axes))
        np.testing.assert_array_equal(depth, x.transpose(axes))
    for op, told in (("SpaceToDepth", "4 rows and 6 columns"), ("DepthToSpace", "12 channels")):
        with pytest.raises(ModelFileError, match=f"{told} do not divide into blocks of 5x5"):
            run([graph_cases.node("y", op, ["x"], block_size=5)], {"x": x}, "y")


@pytest.mark.parametrize("conv", ["Conv2D", "DepthwiseConv2dNative"])
@pytest.mark.parametrize("after", ["a number", "a number a channel", "FusedBatchNormV3"])
def test_what_scales_a_convolution_is_folded_into_it_and_changes_nothing(cpu, conv, after):
    """Constants are folded, the same numbers given when the graph runs are not; nor where something else reads the convolution."""
    random, node = np.random.default_rng(6), graph_cases.node
    weights = {"w": random.normal(size=(3, 3, 4, 5 if conv == "Conv2D" else 2)).astype("f4")}
    channels = 5 if conv == "Conv2D" else 8
    parts = {"a number": 1, "a number a channel": 1, "FusedBatchNormV3": 4}[after]
    scales = {f"s{i}": random.uniform(0.5, 2, channels if after != "a number" else ()).astype("f4") for i in range(parts)}
    how = {"strides": [1, 1, 1, 1], "dilations": [1, 1, 1, 1], "data_format": "NHWC", "padding": "SAME"}
    op, more = ("Mul", {}) if parts == 1 else (after, {"epsilon": 0.1, "data_format": "NHWC", "is_training": False})
    place = lambda name: node(name, "Placeholder", dtype=graph_cases._TYPES["float32"])
    found = []
    for constant in (True, False):
        for again in (False, True):
            nodes = [place("x"), node("w", "Const"), *(node(name, "Const") if constant else place(name) for name in scales),
                     node("conv", conv, ["x", "w"], **how), node("y", op, ["conv", *scales], **more), node("end", "Elu", ["y"]),
                     *([node("z", "Neg", ["conv"])] if again else [])]  # fmt: skip
            model = make(*graph_cases.graph(nodes, weights | (scales if constant else {})))
            assert any(name.endswith("_scaled") for name in model.graph.nodes) == (constant and not again)
            given = {"x": graph_cases.IMAGE} | ({} if constant else scales)
            found.append(model.execute(given, "end").numpy())
    for one in found[:-1]:
        np.testing.assert_allclose(one, found[-1], rtol=2e-5, atol=2e-5)


def test_inputs_of_a_graph_come_by_name_in_a_list_or_alone(device):
    a, b = np.ones((2, 2), np.float32), np.full((2, 2), 3, np.float32)
    node = lambda name, op, inputs=(), **attrs: graph_cases.node(name, op, list(inputs), **attrs)
    place = lambda name: node(name, "Placeholder", dtype=graph_cases._TYPES["float32"])
    two = make(*graph_cases.graph([place("a"), place("b"), node("y", "Sub", ["a", "b"])]))
    for given in ([a, b], (a, b.tolist()), {"a": a, "b": b}, {"b:0": b, "a:0": a}):
        np.testing.assert_array_equal(two.execute(given, "y").numpy(), a - b)
    for wrong in ([a], [a, b, a], a):
        with pytest.raises(ValueError, match=r"the model has inputs .*a.*b.*; \d (was|were) given"):
            two.execute(wrong, "y")
    one = make(*graph_cases.graph([place("a"), node("y", "Neg", ["a"])]))
    for given in (a, [a], (a,), a.tolist(), {"a": a}):
        np.testing.assert_array_equal(one.execute(given, "y").numpy(), -a)


def test_a_batch_of_images_is_projected_as_each_of_them():
    images, turn = np.concatenate([graph_cases.IMAGE, -graph_cases.IMAGE]), graph_cases._TURN
    node = graph_cases.node("y", "ImageProjectiveTransformV3", ["x", "t", "n", "f"], interpolation="BILINEAR", fill_mode="REFLECT")
    more = {"n": np.array([7, 5], np.int32), "f": np.float32(0.5)}
    (found,) = run([node], {"x": images, "t": turn, **more}, "y")
    alone = [run([node], {"x": images[i : i + 1], "t": turn[i : i + 1], **more}, "y")[0] for i in (0, 1)]
    np.testing.assert_allclose(found, np.concatenate(alone), atol=1e-6)


def test_a_transform_of_an_absurd_length_is_refused():
    nodes = [graph_cases.node("s", "RFFT", ["x", "n"]), graph_cases.node("y", "ComplexAbs", ["s"])]
    with pytest.raises(ModelFileError, match="2000000000 samples"):
        run(nodes, {"x": np.ones(8, np.float32), "n": np.array([2_000_000_000], np.int32)}, "y")


# TensorFlow.js 4.22 lists the operators of ragged tensors, and knows them in no graph; these are the results of TensorFlow.
RAGGED = {
    "range": ("RaggedRange", [[2, 5, 8], [3, 5, 12], 2], {}, [[0, 1, 1, 3], [2, 8, 10]]),
    "range down": ("RaggedRange", [4, [1, 9], [-1, 3]], {}, [[0, 3, 5], [4, 3, 2, 4, 7]]),
    "rows of rows": ("RaggedGather", [[0, 2, 2, 3], [0, 1, 4, 6], [10, 11, 12, 13, 14, 15], [2, 0, 0]], {"OUTPUT_RAGGED_RANK": 2},
                     [[0, 1, 3, 5], [0, 2, 3, 6, 7, 10], [14, 15, 10, 11, 12, 13, 10, 11, 12, 13]]),
    "rows of a table": ("RaggedGather", [[0, 1, 4], [7, 8, 9, 6], [[1], [0]]], {"OUTPUT_RAGGED_RANK": 2},
                        [[0, 1, 2], [0, 3, 4], [8, 9, 6, 7]]),
    "filled": ("RaggedTensorToTensor", [[3, -1], [1, 2, 3, 4, 5, 6], -1, [0, 2, 2, 6]], {"row_partition_types": ["ROW_SPLITS"]},
               [[[1, 2, -1, -1], [-1] * 4, [3, 4, 5, 6]]]),
    "cut": ("RaggedTensorToTensor", [[-1, 2, 2], [1, 2, 3, 4, 5, 6], 9, 3, [0, 0, 2], [0, 0, 1, 2, 2, 2]],
            {"row_partition_types": ["FIRST_DIM_SIZE", "VALUE_ROWIDS", "VALUE_ROWIDS"]},
            [[[[1, 2], [3, 9]], [[9, 9], [9, 9]], [[4, 5], [9, 9]]]]),
}  # fmt: skip


@pytest.mark.parametrize("name", RAGGED)
def test_ragged_tensors_equal_tensorflow(name):
    op, inputs, attrs, expected = RAGGED[name]
    given = {f"x{i}": np.array(v, np.int32) for i, v in enumerate(inputs)}
    found = run([graph_cases.node("y", op, list(given), **attrs)], given, *(f"y:{i}" for i in range(len(expected))))
    assert [a.tolist() for a in found] == expected
