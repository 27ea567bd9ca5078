"""Damaged and malicious model files: one clear error, soon, before anything large is allocated."""

from __future__ import annotations

import copy
import json
import pickle
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from graph_cases import graph, node

import pyml
from pyml.saving import ModelFileError, load_model, load_safetensors, load_state_dict, load_torch

W = np.arange(6, dtype=np.float32).reshape(2, 3)
ADD = [node("x", "Placeholder", dtype="DT_FLOAT"), node("w", "Const", dtype="DT_FLOAT"), node("y", "AddV2", ["x", "w"])]


def write(folder, nodes=ADD, weights=None, change=lambda d: None, data=None):
    description, packed = graph(copy.deepcopy(nodes), {"w": W} if weights is None else weights)
    change(description)
    (folder / "model.json").write_text(json.dumps(description))
    (folder / "w.bin").write_bytes(packed if data is None else data)
    return folder


def refused(run, match):
    """`run` raises ModelFileError with such a message, in less than 32 MB; pytest bounds the time."""
    tracemalloc.start()
    with pytest.raises(ModelFileError, match=match) as caught:
        run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20
    assert len(str(caught.value)) < 700
    return str(caught.value)


def spec(**changes):
    return lambda d: d["weightsManifest"][0]["weights"][0].update(changes)


def test_the_file_that_the_others_are_made_from_is_good(tmp_path):
    model = load_model(write(tmp_path))
    np.testing.assert_allclose(model.predict(W), 2 * W)


@pytest.mark.parametrize(("change", "match"), [
    (spec(shape=[1 << 40, 1 << 40]), "cannot be right"),
    (spec(shape=[1 << 20, 3]), "cut short"),
    (spec(shape=[-1, 3]), "integers"),
    (spec(shape=[float("nan"), 3]), "integers"),
    (spec(shape=[2.0, 3]), "integers"),
    (spec(shape=[True, 3]), "integers"),
    (spec(shape="2,3"), "integers"),
    (spec(shape=[1] * 500), "integers"),
    (spec(dtype="float128"), "dtype 'float128'"),
    (spec(dtype=["float32"]), "dtype"),
    (spec(name=None), "no name"),
    (spec(quantization={"dtype": "uint8", "scale": float("nan"), "min": 0}), "finite"),
    (spec(quantization={"dtype": "uint8", "scale": True, "min": 0}), "finite"),
    (spec(quantization={"dtype": "uint64", "scale": 1, "min": 0}), "quantized"),
    (lambda d: d["weightsManifest"].append(d["weightsManifest"][0]), "listed twice"),
    (lambda d: d.update(weightsManifest={"paths": []}), "must be a list"),
    (lambda d: d["weightsManifest"][0].update(paths=None), "lists 'paths'"),
    (lambda d: d["weightsManifest"][0].update(paths=["../w.bin"]), "leads out"),
    (lambda d: d["weightsManifest"][0].update(paths=["/etc/passwd"]), "leads out"),
    (lambda d: d["weightsManifest"][0].update(paths=["..\\w.bin"]), "leads out"),
    (lambda d: d["weightsManifest"][0].update(paths=["%2e%2e/w.bin"]), "leads out"),
    (lambda d: d["weightsManifest"][0].update(paths=["file:///etc/passwd"]), "leads out"),
    (lambda d: d["weightsManifest"][0].update(paths=[7]), "not a file name"),
    (lambda d: d["weightsManifest"][0].update(paths=["missing.bin"]), "cannot be read"),
    (lambda d: d.update(format="onnx"), "format is 'onnx'"),
    (lambda d: d.pop("modelTopology"), "modelTopology is missing"),
    (lambda d: d["modelTopology"].update(node=7), "no list of nodes"),
    (lambda d: d["modelTopology"]["node"].append(7), "no name or no op"),
    (lambda d: d["modelTopology"]["node"].append(node("y", "Relu", ["x"])), "two nodes"),
    (lambda d: d["modelTopology"]["node"].append(node("z", "Relu", ["nowhere"])), "no such node"),
    (lambda d: d["modelTopology"]["node"].append(node("z", "Relu", ["x:one"])), "names no output"),
    (lambda d: d["modelTopology"].update(library={"function": [7]}), "function library"),
])  # fmt: skip
def test_manifest_or_topology_that_cannot_be_right_is_refused(tmp_path, change, match):
    refused(lambda: load_model(write(tmp_path, change=change)), match)


@pytest.mark.parametrize("size", [0, 1, 23])
def test_a_shard_that_is_cut_short_is_refused(tmp_path, size):
    refused(lambda: load_model(write(tmp_path, data=W.tobytes()[:size])), "cut short")


def test_a_shard_far_larger_than_the_manifest_is_not_read(tmp_path):
    write(tmp_path)
    with open(tmp_path / "w.bin", "wb") as file:
        file.truncate(1 << 40)  # sparse: takes no room on disk
    refused(lambda: load_model(tmp_path), "at most")


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    inside = tmp_path / "model"
    inside.mkdir()
    write(inside)
    (tmp_path / "secret.bin").write_bytes(W.tobytes())
    (inside / "w.bin").unlink()
    (inside / "w.bin").symlink_to(tmp_path / "secret.bin")
    refused(lambda: load_model(inside), "leads out")


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", "\xff", "[" * 100_000, '{"format": ' + "[" * 100_000])
def test_what_is_no_json_object_is_refused(tmp_path, text):
    (tmp_path / "model.json").write_text(text, encoding="latin-1")
    refused(lambda: load_model(tmp_path), "JSON")


def test_a_cyclic_graph_is_refused(tmp_path):
    nodes = [*ADD, node("a", "AddV2", ["b", "x"]), node("b", "Relu", ["c"]), node("c", "Relu", ["a"]), node("end", "Relu", ["c"])]
    refused(lambda: load_model(write(tmp_path, nodes)), "cyclic")
    refused(lambda: load_model(write(tmp_path, [*ADD, node("a", "AddV2", ["a", "x"]), node("end", "Relu", ["a"])])), "cyclic")


def test_a_deep_graph_needs_no_deep_stack(tmp_path):
    nodes = [ADD[0], *(node(f"n{i}", "Identity", [f"n{i - 1}" if i else "x"]) for i in range(20_000))]
    assert load_model(write(tmp_path, nodes, {})).predict(W).tolist() == W.tolist()


def test_unknown_operators_are_listed_all_at_once(tmp_path):
    nodes = [*ADD, node("a", "Fancy", ["y"]), node("b", "Rare", ["a"]), node("c", "Fancy", ["b"])]
    message = refused(lambda: load_model(write(tmp_path, nodes)), "does not know")
    assert "Fancy, Rare" in message


@pytest.mark.parametrize(("op", "inputs", "match"), [
    ("Fill", [np.array([1 << 20, 1 << 20], np.int32), np.float32(1)], "cannot be right"),
    ("Range", [np.int32(0), np.int32(2**31 - 1), np.int32(1)], "cannot be right"),
    ("Range", [np.int32(0), np.int32(5), np.int32(0)], "step"),
    ("Tile", [W, np.array([1 << 20, 1 << 20], np.int32)], "cannot be right"),
    ("BroadcastTo", [W, np.array([1 << 28, 2, 3], np.int32)], "cannot be right"),
    ("OneHot", [np.array([1], np.int32), np.int32(2**31 - 1), np.float32(1), np.float32(0)], "cannot be right"),
    ("Pad", [W, np.array([[0, 1 << 30], [0, 0]], np.int32)], "cannot be right"),
    ("Fill", [np.array([-4], np.int32), np.float32(1)], "negative"),
    ("Reshape", [W, np.array([7, 7], np.int32)], "node 'y' \\(Reshape\\)"),
    ("Reshape", [W], "node 'y' \\(Reshape\\)"),
    ("GatherV2", [W, np.array([9], np.int32), np.int32(0)], "node 'y' \\(GatherV2\\)"),
    ("MatMul", [W, W], "node 'y' \\(MatMul\\)"),
])  # fmt: skip
def test_sizes_in_constants_that_cannot_be_right_are_refused(tmp_path, op, inputs, match):
    nodes = [node(f"x{i}", "Const") for i in range(len(inputs))] + [node("y", op, [f"x{i}" for i in range(len(inputs))])]
    model = load_model(write(tmp_path, nodes, {f"x{i}": np.asarray(v) for i, v in enumerate(inputs)}))
    refused(lambda: model.execute({}), match)


def whole(*values):
    return np.array(values, np.int32)


_ONE, _PIXELS, _VOXELS = np.ones(1, np.float32), np.ones((1, 4, 4, 1), np.float32), np.ones((1, 2, 2, 2, 1), np.float32)
_HUGE, _S1 = 2**31 - 1, [1, 1, 1, 1]
_SAME, _SPLITS = {"strides": _S1, "padding": "SAME"}, {"row_partition_types": ["ROW_SPLITS"]}


@pytest.mark.parametrize(("op", "inputs", "attrs", "match"), [
    ("Conv2D", [_PIXELS, np.ones((2, 2, 1, 1), np.float32)], {**_SAME, "dilations": [1, 1 << 30, 1 << 30, 1]}, "cannot be right"),
    ("Conv2D", [_PIXELS, np.ones((2, 2, 1, 1), np.float32)], {**_SAME, "dilations": [1, 0, 0, 1]}, "positive"),
    ("MaxPool", [_PIXELS], {**_SAME, "ksize": [1, 1 << 13, 1 << 13, 1]}, "a window of"),
    ("Dilation2D", [_PIXELS, np.ones((2, 2, 1), np.float32)], {**_SAME, "rates": [1, 1 << 30, 1 << 30, 1]}, "cannot be right"),
    ("MaxPoolWithArgmax", [_PIXELS], {**_SAME, "ksize": [1, 1 << 9, 1 << 9, 1]}, "larger than 4096"),
    ("Conv3D", [_VOXELS, np.ones((2, 1, 1, 1, 1), np.float32)], {"strides": [1] * 5, "dilations": [1, 1 << 30, 1, 1, 1], "padding": "SAME"},
     "cannot be right"),
    ("MaxPool3D", [_VOXELS], {"ksize": [1, 1 << 30, 1 << 30, 1, 1], "strides": [1] * 5, "padding": "SAME"}, "cannot be right"),
    ("AvgPool3D", [_VOXELS], {"ksize": [1, 0, 1, 1, 1], "strides": [1] * 5, "padding": "SAME"}, "positive"),
    ("ResizeBilinear", [_PIXELS, whole(1 << 20, 1 << 20)], {}, "cannot be right"),
    ("CropAndResize", [_PIXELS, np.ones((1, 4), np.float32), whole(0), whole(1 << 20, 1 << 20)], {}, "cannot be right"),
    ("Conv2DBackpropInput", [whole(1, 1 << 20, 1 << 20, 1), np.ones((2, 2, 1, 1), np.float32), _PIXELS], _SAME, "cannot be right"),
    ("ImageProjectiveTransformV3", [_PIXELS, np.ones(8, np.float32), whole(1 << 20, 1 << 20), np.float32(0)], {}, "cannot be right"),
    ("SpaceToBatchND", [_PIXELS, whole(2, 2), whole(0, 1 << 29, 0, 0).reshape(2, 2)], {}, "cannot be right"),
    ("LinSpace", [np.float32(0), np.float32(1), np.int32(_HUGE)], {}, "cannot be right"),
    ("Bincount", [whole(1), np.int32(_HUGE), _ONE[:0]], {}, "cannot be right"),
    ("RandomUniform", [whole(1 << 20, 1 << 20)], {}, "cannot be right"),
    ("NonMaxSuppressionV4", [np.ones((1, 4), np.float32), _ONE, np.int32(_HUGE), np.float32(0.5), np.float32(0)],
     {"pad_to_max_output_size": True}, "cannot be right"),
    ("ScatterNd", [whole(0).reshape(1, 1), _ONE, whole(_HUGE)], {}, "cannot be right"),
    ("SparseFillEmptyRows", [whole(0, 0).reshape(1, 2), _ONE, whole(_HUGE, 1), np.float32(0)], {}, "cannot be right"),
    ("SparseSegmentSum", [W, whole(0), whole(_HUGE)], {}, "cannot be right"),
    ("SparseSegmentSum", [W, whole(9), whole(0)], {}, "leaves the 2 rows"),
    ("SparseReshape", [whole(0).reshape(1, 1), whole(4), whole(3)], {}, "cannot become"),
    ("RaggedRange", [whole(0), whole(_HUGE), whole(1)], {}, "cannot be right"),
    ("RaggedGather", [whole(0, _HUGE), _ONE, whole(0)], {}, "cannot be right"),
    ("RaggedGather", [whole(0, 1), _ONE, whole(7)], {}, "leaves the 1 rows"),
    ("RaggedTensorToTensor", [whole(1 << 20, 1 << 20), _ONE, np.float32(0), whole(0, 1)], _SPLITS, "cannot be right"),
    ("RaggedTensorToTensor", [whole(-1, -1), _ONE, np.float32(0), whole(0, _HUGE)], _SPLITS, "row splits"),
    ("RaggedTensorToTensor", [whole(-1, -1), _ONE, np.float32(0), whole(5, 0)], _SPLITS, "row splits"),
])  # fmt: skip
def test_sizes_that_would_fill_the_memory_are_refused_before_they_do(tmp_path, op, inputs, attrs, match):
    nodes = [node(f"x{i}", "Const") for i in range(len(inputs))] + [node("y", op, [f"x{i}" for i in range(len(inputs))], **attrs)]
    model = load_model(write(tmp_path, nodes, {f"x{i}": np.asarray(v) for i, v in enumerate(inputs)}))
    refused(lambda: model.execute({}, ["y"]), match)


def test_numbers_that_are_counted_take_no_memory_of_their_size(tmp_path):
    nodes = [*(node(f"x{i}", "Const") for i in range(3)), node("y", "Bincount", ["x0", "x1", "x2"])]
    model = load_model(write(tmp_path, nodes, {"x0": whole(1, _HUGE, 1), "x1": np.int32(3), "x2": _ONE[:0]}))
    tracemalloc.start()
    assert model.predict({}).tolist() == [0, 2, 0]
    assert tracemalloc.get_traced_memory()[1] < 32 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("value", ["NaN", "1e9", 1.5, None, {}, "x"])
def test_attributes_that_are_no_numbers_are_refused(tmp_path, value):
    bad = node("y", "Pack", ["x", "x"])
    bad["attr"]["axis"] = {"i": value}
    model = load_model(write(tmp_path, [ADD[0], bad], {}))
    refused(lambda: model.execute(W), "axis")


def test_an_endless_loop_of_calls_is_refused(tmp_path):
    nodes = [ADD[0], node("y", "While", ["x"])]
    nodes[1]["attr"] = {"cond": {"func": {"name": "missing"}}, "body": {"func": {"name": "missing"}}}
    model = load_model(write(tmp_path, nodes, {}))
    refused(lambda: model.execute(W), "does not have")


def test_a_function_that_calls_itself_is_refused(tmp_path):
    call = node("again", "PartitionedCall", ["a"])
    call["attr"] = {"f": {"func": {"name": "f"}}}
    body = {"signature": {"name": "f", "inputArg": [{"name": "a"}], "outputArg": [{"name": "r"}]}, "nodeDef": [call], "ret": {"r": "again"}}
    start = {**call, "name": "y", "input": ["x"]}
    model = load_model(write(tmp_path, [ADD[0], start], {}, lambda d: d["modelTopology"].update(library={"function": [body]})))
    refused(lambda: model.execute(W), "more than 64 deep")


# ---- layers-models
def layers_model(folder, config):
    topology = {"class_name": "Sequential", "config": config}
    description = {"format": "layers-model", "modelTopology": topology, "weightsManifest": []}
    (folder / "model.json").write_text(json.dumps(description))
    return folder


DENSE = {"class_name": "Dense", "config": {"units": 2, "name": "d", "batch_input_shape": [None, 3]}}


@pytest.mark.parametrize(("config", "match"), [
    ({"layers": [DENSE]}, "weight 'd/kernel'"),
    ({"layers": []}, "list of layers"),
    ({"layers": [7]}, "class_name"),
    ({"layers": [{**DENSE, "class_name": "os.system"}]}, "cannot be built"),
    ({"layers": [{"class_name": "Dense", "config": {**DENSE["config"], "units": -1}}]}, "cannot be built"),
    ({"layers": [{"class_name": "Dense", "config": {**DENSE["config"], "batch_input_shape": ["a"]}}]}, "an input has shape"),
    ({"layers": [{"class_name": "Dense", "config": {"units": 2}}]}, "batch_input_shape"),
    ({"layers": [DENSE, {"class_name": "Activation", "config": {"activation": "nonsense"}}]}, "cannot be built"),
])  # fmt: skip
def test_layers_that_cannot_be_built_are_refused(tmp_path, config, match):
    refused(lambda: load_model(layers_model(tmp_path, config)), match)


@pytest.mark.parametrize("layer", [
    {"class_name": "Dense", "config": {**DENSE["config"], "units": 1 << 30}},
    {"class_name": "Dense", "config": {**DENSE["config"], "units": 1 << 62}},
    {"class_name": "Conv2D", "config": {"filters": 1 << 20, "kernel_size": [999, 999], "batch_input_shape": [None, 999, 999, 3]}},
    {"class_name": "Embedding", "config": {"input_dim": 1 << 40, "output_dim": 8, "batch_input_shape": [None, 8]}},
])  # fmt: skip
def test_layers_with_more_weights_than_the_file_has_are_refused_before_these_are_made(tmp_path, layer):
    refused(lambda: load_model(layers_model(tmp_path, {"layers": [layer]})), "the file has fewer")


def functional(folder, calls, output):
    """A model of activations: which layers each of them reads."""
    made = [{"class_name": "InputLayer", "name": "i", "config": {"batch_input_shape": [None, 3], "name": "i"}, "inbound_nodes": []}]
    for name, read in calls.items():
        made.append({"class_name": "Activation", "name": name, "config": {"name": name, "activation": "relu"},
                     "inbound_nodes": [[[r, 0, 0, {}] for r in read]]})  # fmt: skip
    config = {"name": "m", "layers": made, "input_layers": [["i", 0, 0]], "output_layers": [output]}
    description = {"format": "layers-model", "modelTopology": {"class_name": "Model", "config": config}, "weightsManifest": []}
    (folder / "model.json").write_text(json.dumps(description))
    return folder


@pytest.mark.parametrize(("calls", "output", "match"), [
    ({"a": ["b"], "b": ["a"]}, ["b", 0, 0], "in a circle"),
    ({"a": ["a"]}, ["a", 0, 0], "in a circle"),
    ({"a": ["nowhere"]}, ["a", 0, 0], "layers 'a' read layers that are not there"),
    ({"a": ["i"]}, ["nowhere", 0, 0], "outputs are of layers or calls that are not there"),
    ({"a": ["i"]}, ["a", 9, 0], "outputs are of layers or calls that are not there"),
])  # fmt: skip
def test_layers_that_read_each_other_in_a_circle_or_nothing_are_refused(tmp_path, calls, output, match):
    refused(lambda: load_model(functional(tmp_path, calls, output)), match)


@pytest.mark.parametrize("size", [0, 7, 31])
def test_a_shard_of_a_layers_model_that_is_cut_short_is_refused(tmp_path, size):
    layers_model(tmp_path, {"layers": [DENSE]})
    description = json.loads((tmp_path / "model.json").read_text())
    specs = [{"name": "d/kernel", "shape": [3, 2], "dtype": "float32"}, {"name": "d/bias", "shape": [2], "dtype": "float32"}]
    description["weightsManifest"] = [{"paths": ["w.bin"], "weights": specs}]
    (tmp_path / "model.json").write_text(json.dumps(description))
    (tmp_path / "w.bin").write_bytes(bytes(32))
    assert load_model(tmp_path).count_params() == 8
    (tmp_path / "w.bin").write_bytes(bytes(size))
    refused(lambda: load_model(tmp_path), "cut short")


def test_a_description_nested_too_deeply_is_refused(tmp_path):
    inner: dict = {"layers": [DENSE]}
    for _ in range(200):
        inner = {"layers": [{"class_name": "Sequential", "config": inner}]}
    refused(lambda: load_model(layers_model(tmp_path, inner)), "nested too deeply")


# ---- weights of other frameworks
def safetensors(folder, header, data=b"\0" * 24, length=None):
    text = json.dumps(header).encode() if isinstance(header, dict) else header
    path = folder / "w.safetensors"
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


@pytest.mark.parametrize(("header", "match"), [
    ({"a": {"dtype": "F32", "shape": [1 << 60], "data_offsets": [0, 24]}}, "needs"),
    ({"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [8, 32]}}, "needs"),
    ({"a": {"dtype": "F32", "shape": [2, -3], "data_offsets": [0, 24]}}, "integers"),
    ({"a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [-24, 0]}}, "integers"),
    ({"a": {"dtype": "F4", "shape": [6], "data_offsets": [0, 24]}}, "dtype"),
    ({"a": {"shape": [6]}}, "data_offsets"),
    ({"a": 7}, "data_offsets"),
    (b"{nonsense", "JSON"),
])  # fmt: skip
def test_a_safetensors_header_that_cannot_be_right_is_refused(tmp_path, header, match):
    refused(lambda: load_safetensors(safetensors(tmp_path, header)), match)


def test_a_safetensors_header_longer_than_the_file_is_refused(tmp_path):
    refused(lambda: load_safetensors(safetensors(tmp_path, {}, length=1 << 60)), "cut short")


def torch_file(folder, value_pickle: bytes, storages=None, name="w.pt"):
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w/data.pkl", value_pickle)
        for key, data in (storages or {"0": W.tobytes()}).items():
            archive.writestr(f"w/data/{key}", data)
    return path


def state_dict(size=(2, 3), stride=(3, 1), offset=0, count=6, storage="torch\nFloatStorage") -> bytes:
    """A pickle of `OrderedDict(w=tensor)` written opcode by opcode, as torch does."""

    def number(n):
        return b"J" + n.to_bytes(4, "little", signed=True) if -(2**31) <= n < 2**31 else pickle.LONG1 + b"\x0a" + n.to_bytes(10, "little")

    def whole(values):
        return b"(" + b"".join(map(number, values)) + b"t"

    out = b"\x80\x02ccollections\nOrderedDict\n)R(X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n"
    out += b"((X\x07\0\0\0storagec" + storage.encode() + b"\nX\x01\0\0\x000X\x03\0\0\0cpu" + number(count) + b"tQ"
    return out + number(offset) + whole(size) + whole(stride) + b"\x89ccollections\nOrderedDict\n)RtRu."


def test_a_torch_file_is_read(tmp_path):
    found = load_torch(torch_file(tmp_path, state_dict()))
    np.testing.assert_array_equal(found["w"], W)
    found = load_state_dict(torch_file(tmp_path, state_dict((3, 2), (1, 3))))
    np.testing.assert_array_equal(found["w"], W.T)


@pytest.mark.parametrize(("pickled", "match"), [
    (b"cos\nsystem\n(X\x04\0\0\0truetR.", "os.system"),
    (pickle.dumps(print), "builtins.print"),
    (b"cbuiltins\neval\n(X\x03\0\0\x001+1tR.", "builtins.eval"),
    (state_dict(storage="torch\nEvil"), "torch.Evil"),
    (state_dict(size=(2, 4)), "numbers"),
    (state_dict(stride=(300, 1)), "numbers"),
    (state_dict(offset=5), "numbers"),
    (state_dict(size=(-2, 3)), "cannot be right"),
    (state_dict(size=(1 << 40,), stride=(0,)), "numbers"),
    (state_dict(count=1 << 40), "storage"),
    (state_dict()[:-3], "damaged"),
    (b"\x80\x02r\xff\xff\xff\xff.", "damaged"),
    (b"\x80\x05\x96\0\0\0\0\0\x01\0\0.", "damaged"),
    (b"", "damaged"),
])  # fmt: skip
def test_a_pickle_that_asks_for_more_than_tensors_is_refused(tmp_path, pickled, match):
    refused(lambda: load_torch(torch_file(tmp_path, pickled)), match)


def test_a_torch_storage_that_is_missing_short_or_a_zip_bomb_is_refused(tmp_path):
    refused(lambda: load_torch(torch_file(tmp_path, state_dict(), {"1": b""})), "missing")
    refused(lambda: load_torch(torch_file(tmp_path, state_dict(), {"0": b"1234"})), "4 bytes long")
    path = tmp_path / "bomb.pt"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w/data.pkl", state_dict(size=(4 << 20,), stride=(1,), count=4 << 20))
        archive.writestr("w/data/0", bytes(16 << 20))
    refused(lambda: load_torch(path), "compressed")


def test_files_that_are_no_torch_files_are_refused(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"nothing")
    refused(lambda: load_torch(tmp_path / "a.pt"), "not a PyTorch file")
    (tmp_path / "b.pth").write_bytes(pickle.dumps({"a": 1}, 2))
    refused(lambda: load_torch(tmp_path / "b.pth"), "not a PyTorch file")
    refused(lambda: load_torch(tmp_path / "c.pt"), "there is no file")
    refused(lambda: load_state_dict(tmp_path / "c.onnx"), "onnx")


# ---- npz
class Fires:
    def __reduce__(self):
        return (pytest.fail, ("the pickle was run",))


def npz(folder, name="w.npz", **arrays):
    np.savez(folder / name, **arrays)
    return folder / name


def zipped(path, *members, compress=zipfile.ZIP_STORED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compress) as archive:
        warnings.simplefilter("ignore")                # a name twice is what some of them are about
        for name, data in members:
            archive.writestr(name, data)
    return path


def npy(shape, dtype="<f4", data=b"", version=b"\x01\x00"):
    head = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    head += b" " * ((64 - (len(head) + 11) % 64) % 64) + b"\n"
    return b"\x93NUMPY" + version + len(head).to_bytes(2, "little") + head + data


def test_a_npz_is_read_with_every_dtype_and_order(tmp_path):
    given = {"0:a": np.arange(6, dtype="f4").reshape(2, 3), "b": np.asfortranarray(np.arange(6, dtype="i8").reshape(2, 3)),
             "c": np.array(True), "big": np.arange(3, dtype=">f8"), "none": np.zeros((0, 4), "f4"), "text": np.array("word")}  # fmt: skip
    for name, found in load_state_dict(npz(tmp_path, **given)).items():
        np.testing.assert_array_equal(found, given[name])
        assert found.dtype.isnative
        assert found.flags.writeable
    np.savez_compressed(tmp_path / "c.npz", a=given["0:a"])
    np.testing.assert_array_equal(load_state_dict(tmp_path / "c.npz")["a"], given["0:a"])


def test_a_npz_with_pickled_objects_is_refused_and_they_are_not_run(tmp_path):
    refused(lambda: load_state_dict(npz(tmp_path, a=np.array([Fires()], object))), "never unpacked")


@pytest.mark.parametrize(("members", "match"), [
    ([("a.npy", npy((2,), data=bytes(8))), ("a.npy", npy((2,), data=bytes(8)))], "twice"),
    ([("a.txt", b"hello")], "not a numpy array"),
    ([("a.npy", b"hello")], "damaged"),
    ([("a.npy", npy((1 << 40, 1 << 40)))], "needs"),
    ([("a.npy", npy((-2, -4), data=bytes(32)))], "needs|damaged"),
    ([("a.npy", npy((3,), data=bytes(8)))], "needs 12 bytes; it has 8"),
    ([("a.npy", npy((2,), data=bytes(80)))], "needs 8 bytes; it has 80"),
    ([("a.npy", npy((2,), "|O", bytes(16)))], "never unpacked"),
    ([("a.npy", npy((2,), "|V8", bytes(16)))], "expected numbers"),
    ([("a.npy", npy((2,), "|i4096", bytes(16)))], "damaged"),
    ([("a.npy", npy((2,), data=bytes(8), version=b"\x09\x00"))], "version"),
    ([("a.npy", npy("(" * 3000 + ")" * 3000))], "damaged"),
])  # fmt: skip
def test_a_npz_that_cannot_be_right_is_refused(tmp_path, members, match):
    refused(lambda: load_state_dict(zipped(tmp_path / "w.npz", *members)), match)


def test_a_npz_that_would_unpack_to_far_more_than_its_size_is_refused_before_it_does(tmp_path):
    path = zipped(tmp_path / "w.npz", ("a.npy", npy((16 << 20,), data=bytes(64 << 20))), compress=zipfile.ZIP_DEFLATED)
    refused(lambda: load_state_dict(path), "would unpack to 67,108")
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
    refused(lambda: model.load_weights(path), "would unpack")


def test_a_npz_cut_anywhere_or_with_a_changed_byte_of_data_is_refused(tmp_path):
    path = npz(tmp_path, **{"0:w": np.arange(40, dtype="f4")})
    data = path.read_bytes()
    for size in range(0, len(data), 7):
        path.write_bytes(data[:size])
        refused(lambda: load_state_dict(path), "damaged")
    path.write_bytes(data[:200] + b"!" + data[201:])
    refused(lambda: load_state_dict(path), "CRC")


# ---- places that are none
def small():
    return pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])


@pytest.mark.parametrize("load", [lambda p: small().load_weights(p), load_state_dict, lambda p: pyml.models.KNNClassifier.load(p)])
def test_a_file_that_is_not_there_is_named_with_the_working_folder(tmp_path, monkeypatch, load):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"there is no file no/w.npz \(the working folder is .*\)") as caught:
        load("no/w.npz")
    assert isinstance(caught.value, ModelFileError)


def test_a_folder_an_empty_path_and_what_is_no_path_are_refused(tmp_path):
    (tmp_path / "w.npz").mkdir()
    with pytest.raises(ModelFileError, match="is a folder"):
        small().load_weights(tmp_path / "w.npz")
    for call in (small().load_weights, small().save_weights, small().save, load_state_dict, load_model):
        with pytest.raises(ValueError, match=r"expected the path of a file. Received: ''"):
            call("")
        with pytest.raises(TypeError, match="expected a path"):
            call(7)
    with pytest.raises(ModelFileError, match="there is no file"):
        load_model(tmp_path / "nothing")


def test_an_array_that_save_weights_did_not_write_is_named(tmp_path):
    for arrays, match in (({"kernel": W}, "'kernel'"), ({"1:a": W}, "from 0"), ({"0:a": np.array("text")}, "'0:a'")):
        refused(lambda arrays=arrays: small().load_weights(npz(tmp_path, **arrays)), match)


@pytest.mark.parametrize("name", ["w.weights.h5", "w.npz", "w.safetensors", "w.pt"])
def test_a_file_of_another_kind_is_named_with_what_opens_it(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    refused(lambda: load_model(tmp_path / name), "opens whole models.*load_weights.*load_state_dict")


def test_an_hdf5_file_of_a_version_that_there_is_not_is_damaged(tmp_path):
    (tmp_path / "net.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"0" * 50)
    refused(lambda: load_model(tmp_path / "net.h5"), "damaged: HDF5 has no superblock of version 48")
