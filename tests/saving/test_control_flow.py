"""Branches and loops of graph-models, signatures, functions, URLs, and reading values between Programs."""

from __future__ import annotations

import asyncio
import functools
import http.server
import json
import threading

import numpy as np
import pytest
from graph_cases import graph, node

from pyml.errors import ShapeError
from pyml.saving import ModelFileError, load_model, load_model_async

X = np.array([[1.0, -2.0], [3.0, 4.0]], np.float32)


def load(folder, nodes, weights=None, library=None, **more):
    description, packed = graph(nodes, weights, **more)
    description["modelTopology"]["library"] = {"function": library or []}
    (folder / "model.json").write_text(json.dumps(description))
    (folder / "w.bin").write_bytes(packed)
    return load_model(folder)


def whole(*values):
    return np.array(values if len(values) != 1 else values[0], np.int32)


def const(name):
    return node(name, "Const", dtype="DT_FLOAT")


def given(name, dtype="DT_FLOAT"):
    return node(name, "Placeholder", dtype=dtype)


def function(name, arguments, nodes, results):
    return {
        "signature": {"name": name, "inputArg": [{"name": a} for a in arguments], "outputArg": [{"name": r} for r in results]},
        "nodeDef": nodes, "ret": results,
    }  # fmt: skip


def calls(op, inputs, **functions):
    return {**node("y", op, inputs), "attr": {k: {"func": {"name": v}} for k, v in functions.items()}}


HALVE = [
    function("more", ["i", "v"], [node("two", "Const"), node("less", "Less", ["i", "two"])], {"going": "less:z:0"}),
    function("step", ["i", "v"], [node("one", "Const"), node("next", "AddV2", ["i", "one"]), node("half", "Const"),
                                  node("w", "Mul", ["v", "half"])], {"i2": "next:z:0", "v2": "w:z:0"}),
]  # fmt: skip
COUNTS = {"zero": whole(0), "two": whole(2), "one": whole(1), "half": np.array(0.5, np.float32)}


@pytest.mark.parametrize("op", ["While", "StatelessWhile"])
def test_a_while_loop_of_functions_runs_until_its_condition_fails(device, tmp_path, op):
    nodes = [given("x"), const("zero"), calls(op, ["zero", "x"], cond="more", body="step"), node("end", "Identity", ["y:1"])]
    model = load(tmp_path, nodes, {**COUNTS}, HALVE)
    for _ in range(2):
        np.testing.assert_allclose(model.predict(X), X / 4)


@pytest.mark.parametrize(("flag", "factor"), [(True, 2), (False, -1)])
def test_an_if_takes_the_branch_of_its_condition(device, tmp_path, flag, factor):
    library = [function("double", ["v"], [node("d", "AddV2", ["v", "v"])], {"o": "d:z:0"}),
               function("turn", ["v"], [node("n", "Neg", ["v"])], {"o": "n:y:0"})]  # fmt: skip
    nodes = [given("flag", "DT_BOOL"), given("x"), calls("If", ["flag", "x"], then_branch="double", else_branch="turn")]
    model = load(tmp_path, nodes, {}, library)
    np.testing.assert_allclose(model.execute({"flag": np.bool_(flag), "x": X}, "y").numpy(), X * factor)


def test_switch_and_merge_take_one_branch(device, tmp_path):
    nodes = [given("x"), const("axes"), node("total", "Sum", ["x", "axes"]), const("zero"), node("up", "Greater", ["total", "zero"]),
             node("s", "Switch", ["x", "up"]), node("low", "Neg", ["s"]), node("high", "Square", ["s:1"]),
             node("y", "Merge", ["low", "high"], N=2), node("end", "Identity", ["y"])]  # fmt: skip
    model = load(tmp_path, nodes, {"axes": whole(0, 1), "zero": np.array(0, np.float32)})
    np.testing.assert_allclose(model.predict(X), X**2)
    np.testing.assert_allclose(model.predict(-X), X)


def loop_nodes(frame):
    """v1: for (i = 0; i < 3; i++) { rows[i] = x[i] * scale }, the rows in a TensorArray."""
    def enter(name, source, constant=False):
        return node(name, "Enter", [source], frame_name=frame, is_constant=constant)

    return [
        given("x"), const("zero"), const("three"), const("one"), const("scale"), const("all"),
        node("rows", "TensorArrayV3", ["three"], dtype="DT_FLOAT"), node("source", "TensorArrayV3", ["three"], dtype="DT_FLOAT"),
        node("filled", "TensorArrayScatterV3", ["source", "all", "x", "source:1"]),
        enter("e_i", "zero"), enter("e_flow", "rows:1"), enter("e_rows", "rows", True), enter("e_source", "source", True),
        enter("e_filled", "filled", True), enter("e_three", "three", True), enter("e_one", "one", True), enter("e_scale", "scale", True),
        node("m_i", "Merge", ["e_i", "n_i"], N=2), node("m_flow", "Merge", ["e_flow", "n_flow"], N=2),
        node("less", "Less", ["m_i", "e_three"]), node("go", "LoopCond", ["less"]),
        node("s_i", "Switch", ["m_i", "go"]), node("s_flow", "Switch", ["m_flow", "go"]),
        node("i", "Identity", ["s_i:1"]), node("next", "AddV2", ["i", "e_one"]), node("n_i", "NextIteration", ["next"]),
        node("row", "TensorArrayReadV3", ["e_source", "i", "e_filled"], dtype="DT_FLOAT"), node("scaled", "Mul", ["row", "e_scale"]),
        node("put", "TensorArrayWriteV3", ["e_rows", "i", "scaled", "s_flow:1"]), node("n_flow", "NextIteration", ["put"]),
        node("exit", "Exit", ["s_flow"]), node("y", "TensorArrayGatherV3", ["rows", "all", "exit"], dtype="DT_FLOAT"),
    ]  # fmt: skip


def test_a_loop_of_enter_and_exit_fills_a_tensor_array(device, tmp_path):
    weights = {"zero": whole(0), "three": whole(3), "one": whole(1), "scale": np.array([1, 10], np.float32), "all": whole(0, 1, 2)}
    model = load(tmp_path, loop_nodes("loop"), weights)
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    for _ in range(2):
        np.testing.assert_allclose(model.predict(rows), rows * [1, 10])


def test_a_loop_without_a_condition_is_refused(tmp_path):
    nodes = [n for n in loop_nodes("loop") if n["name"] not in ("s_i", "s_flow", "i", "next", "row", "scaled", "put", "exit", "y")]
    nodes += [node("n_i", "NextIteration", ["m_i"]), node("n_flow", "NextIteration", ["m_flow"])]
    nodes = list({n["name"]: n for n in nodes}.values())
    with pytest.raises(ModelFileError, match="0 conditions"):
        load(tmp_path, nodes, {k: whole(0) for k in ("zero", "three", "one", "scale", "all")})


def test_lists_of_tensors(device, tmp_path):
    nodes = [given("x"), const("shape"), const("two"), const("at"),
             node("empty", "TensorListReserve", ["shape", "two"], element_dtype="DT_FLOAT"),
             node("l1", "TensorListSetItem", ["empty", "at", "x"]),
             node("y", "TensorListStack", ["l1", "shape"], element_dtype="DT_FLOAT")]  # fmt: skip
    model = load(tmp_path, nodes, {"shape": whole(2, 2), "two": whole(2), "at": whole(1)})
    np.testing.assert_allclose(model.predict(X), np.stack([np.zeros_like(X), X]))


def test_a_size_that_depends_on_values_is_read_between_two_programs(device, tmp_path):
    nodes = [given("x"), const("axis"), node("best", "ArgMax", ["x", "axis"]), const("flat"), const("one"),
             node("n", "AddV2", ["best", "one"]), const("number"), node("y", "Fill", ["shape", "number"]),
             node("shape", "ConcatV2", ["n", "flat", "axis"], N=2)]  # fmt: skip
    model = load(tmp_path, nodes, {"axis": whole(0), "flat": whole([2]), "one": whole(1), "number": np.array(5, np.float32)})
    assert model.predict(np.array([[1], [9], [3]], np.float32)).tolist() == np.full((2, 2), 5).tolist()
    assert model.predict(np.array([[1], [2], [3]], np.float32)).tolist() == np.full((3, 2), 5).tolist()


SIGNATURE = {
    "inputs": {"image": {"name": "x:0", "dtype": "DT_FLOAT", "tensorShape": {"dim": [{"size": "-1"}, {"size": "2"}]}}},
    "outputs": {"sum": {"name": "a:0"}, "difference": {"name": "b:0"}},
}
TWO = [given("x"), const("w"), node("a", "AddV2", ["x", "w"]), node("b", "Sub", ["a", "w"]), node("c", "Neg", ["b"])]


def test_signature_names_inputs_and_outputs(tmp_path):
    model = load(tmp_path, TWO, {"w": X}, signature=SIGNATURE)
    assert [i.name for i in model.inputs] == ["image"]
    assert model.inputs[0].shape == (None, 2)
    assert [o.name for o in model.outputs] == ["sum", "difference"]
    for value in (X, [X], {"image": X}, {"x": X}, {"x:0": X}):
        total, difference = model.execute(value)
        np.testing.assert_allclose(total.numpy(), 2 * X)
        np.testing.assert_allclose(difference.numpy(), X)
    np.testing.assert_allclose(model.execute(X, "c").numpy(), -X)
    np.testing.assert_allclose(model.execute(X, ["difference", "c:0"])[1].numpy(), -X)
    np.testing.assert_allclose(model.execute({"a": X}, "b").numpy(), 0 * X)  # an inner node may be given
    assert [p.shape for p in model.predict(np.concatenate([X, X]), batch_size=2)] == [(4, 2), (4, 2)]


def test_bad_calls_are_refused(tmp_path):
    model = load(tmp_path, TWO, {"w": X}, signature=SIGNATURE)
    with pytest.raises(ShapeError, match=r"\(2, 3\).*\(None, 2\)"):
        model.execute(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match="no node 'nothing'"):
        model.execute(X, "nothing")
    with pytest.raises(ValueError, match="no input 'picture'"):
        model.execute({"picture": X})
    with pytest.raises(ValueError, match="image is missing"):
        model.execute({})
    with pytest.raises(TypeError, match="numbers"):
        model.execute({"image": np.array([["a", "b"]])})


def test_asynchronous_calls_give_the_same(tmp_path):
    load(tmp_path, TWO, {"w": X}, signature=SIGNATURE)

    async def run():
        model = await load_model_async(tmp_path)
        return [t.numpy() for t in await model.execute_async(X)]

    np.testing.assert_allclose(asyncio.run(run())[0], 2 * X)


def test_a_model_is_read_from_a_url(tmp_path):
    load(tmp_path, TWO, {"w": X}, signature=SIGNATURE)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        base = f"http://127.0.0.1:{server.server_port}"
        np.testing.assert_allclose(load_model(f"{base}/model.json").execute(X)[0].numpy(), 2 * X)
        np.testing.assert_allclose(load_model(base).execute(X)[0].numpy(), 2 * X)
        with pytest.raises(ModelFileError, match="404"):
            load_model(f"{base}/nothing/model.json")
    finally:
        server.shutdown()
        server.server_close()


def test_batch_normalization_and_scales_after_a_convolution_are_folded(tmp_path):
    rng = np.random.default_rng(0)
    image = rng.uniform(-1, 1, (1, 5, 5, 3)).astype(np.float32)
    w = {"k": rng.uniform(-1, 1, (3, 3, 3, 4)), "f": rng.uniform(0.5, 2, 4), "s": rng.uniform(0.5, 2, 4), "o": rng.uniform(-1, 1, 4),
         "m": rng.uniform(-1, 1, 4), "v": rng.uniform(0.5, 2, 4)}  # fmt: skip
    w = {k: v.astype(np.float32) for k, v in w.items()}
    window = {"strides": [1, 1, 1, 1], "padding": "SAME", "data_format": "NHWC"}
    nodes = [given("x"), *map(const, w), node("c", "Conv2D", ["x", "k"], **window), node("scaled", "Mul", ["c", "f"]),
             node("y", "FusedBatchNormV3", ["scaled", "s", "o", "m", "v"], epsilon=0.01), node("end", "Relu", ["y"])]  # fmt: skip
    model = load(tmp_path, nodes, w)
    assert model.graph.nodes["scaled"].op == "Identity"
    plain = load(tmp_path, nodes[:-3], w).predict(image)
    expected = (plain * w["f"] - w["m"]) / np.sqrt(w["v"] + 0.01) * w["s"] + w["o"]
    np.testing.assert_allclose(model.predict(image), np.maximum(expected, 0), rtol=1e-4, atol=1e-5)
