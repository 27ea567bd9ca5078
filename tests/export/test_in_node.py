"""Exported models in Node, on WebAssembly: what Python gives, to the bit."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import graph_cases
import numpy as np
import pytest

import pyml
from pyml import paths
from pyml.export import ExportError, bundle
from pyml.hub.registry import NETWORKS
from pyml.scripts import text_of

HERE = Path(__file__).parent
L = pyml.layers


def in_node(jobs):
    """What tests/export/in_node.mjs prints for jobs."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    done = subprocess.run([node, str(HERE / "in_node.mjs")], input=json.dumps(jobs).encode(), capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-3000:]
    return json.loads(done.stdout)


def array(part):
    return np.frombuffer(base64.b64decode(part["data"]), np.float32).reshape(part["shape"])


@pytest.fixture(scope="module")
def small():
    """A dense model of known weights."""
    model = pyml.Sequential([pyml.Input((3,), name="features"), L.Dense(2, name="out")])
    model.set_weights([np.arange(6, dtype="float32").reshape(3, 2) / 7, np.ones(2, "float32")])
    return model


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """The folder of cases.py, what Python gave, and what Node gave."""
    folder = tmp_path_factory.mktemp("exported")
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    subprocess.run([sys.executable, str(HERE / "cases.py"), str(folder)], check=True, env=environment)
    wanted = json.loads((folder / "wanted.json").read_text())
    return folder, wanted, dict(zip(wanted, in_node(json.loads((folder / "jobs.json").read_text())), strict=True))


@pytest.mark.timeout(400)
def test_layers_give_in_node_what_they_give_in_python_to_the_bit(cases):
    _, wanted, found = cases
    for name, answers in wanted.items():
        if name not in ("learner", "weighted"):
            assert found[name] == answers, name


def test_fifty_steps_of_training_in_node_are_those_of_python_to_the_bit(cases):
    folder, wanted, found = cases
    assert found["learner"]["history"] == wanted["learner"]["history"]
    assert found["learner"]["tested"] == found["learner"]["again"] == wanted["learner"]["tested"]
    assert found["learner"]["batches"] == 50
    model = pyml.Sequential([pyml.Input((6, 6, 1)), L.Conv2D(4, 3), L.BatchNormalization(), L.Dropout(0.5), L.Flatten(), L.Dense(10)])
    model.load_weights(folder / "learner" / "trained.npz")
    with np.load(folder / "weights.npz") as arrays:
        for mine, theirs in zip(model.get_weights(), arrays.values(), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_rows_weigh_in_node_what_they_weigh_in_python(cases):
    found, wanted = cases[2]["weighted"], cases[1]["weighted"]
    assert {name: found[name] for name in wanted} == wanted
    assert wanted["plain"]["loss"] != wanted["tested"]["loss"]
    assert found["wrong"] == "fit: sampleWeight: expected 24 numbers, one for each row of x; received 23."


def test_data_that_does_not_fit_training_is_refused(cases):
    rows, rest, kind, fit, predict = cases[2]["learner"]["errors"]
    assert rows == "fit: y: expected 68 numbers, one for each row of x; received 67."
    assert rest.startswith("fit: 7 rows in batches of 16 leave one of 7; this model was exported for batches of 4, 16")
    assert kind == "fit: y: expected int32 numbers in an Int32Array; received a Float32Array."
    assert fit.startswith('fit: there is no option "epoch"; the options are epochs, batchSize, ')
    assert predict == 'predict: there is no option "batchsize"; the options are batchSize, scale, offset.'


TWO = """async (load, told) => {
  const model = await load(), { stringify } = JSON;
  const left = new Float32Array(8).fill(0.5), right = Int32Array.of(1, 2, 3, 4), a = Float32Array.of(1, 2), b = Int32Array.of(0, 2);
  const fit = (y, options) => told(model.fit({ left, right }, y, options)), x = { left, right };
  const found = {
    indices: [await told(model.predict({ left, right: Int32Array.of(1, 2, 3, 10) })),
              await told(model.fit([left, Int32Array.of(-11, 2, 3, 4)], [a, b])),
              (await model.predict({ left, right: Int32Array.of(-10, 9, 0, 0) })).a.length],
    labels: [await fit([a, Int32Array.of(0, 3)]), await fit({ a, b: [-1, 0] })],
    targets: [await fit({ a }), await fit(a), await fit()],
    options: [await fit([a, b], null), await fit([a, b], { seed: "1" }), await fit([a, b], { epochs: "2" })],
    places: [await told(model.load("two.npz")), await told(model.save("indexeddb://"))],
    folders: [await told(load(5)), await told(load(null))],
  };
  const alone = await (await load()).fit(x, [a, b], { epochs: 3 });
  found.same = stringify(await fit({ a, b }, { epochs: 0 })) === "{}";
  const midst = [], between = [];
  const [first, second, tested] = await Promise.all([
    model.fit(x, { a, b }, {
      epochs: 3,
      async onBatchEnd() { midst.push(await told(model.evaluate(x, [a, b]))); },
      async onEpochEnd() { between.push(await told(model.evaluate(x, [a, b])), await fit([a, b])); },
    }),
    fit([a, b]),
    told(model.evaluate(x, [a, b])),
  ]);
  found.same &&= stringify(first) === stringify(alone);
  found.together = [midst[0], between[1], second];
  found.tested = [between[0].loss, typeof tested];
  found.again = (await fit([a, b])).loss.length;
  return found;
}"""


def test_what_python_refuses_of_numbers_and_of_calls_at_once_is_refused_without_it_too(tmp_path):
    left, right = pyml.Input((4,), name="left"), pyml.Input((2,), dtype="int32", name="right")
    row = L.Concatenate()([left, L.Flatten()(L.Embedding(10, 2, name="words")(right))])
    model = pyml.Model([left, right], {"a": L.Dense(1, name="first")(row), "b": L.Dense(3, "softmax", name="second")(row)})
    model.compile("adam", {"a": "mse", "b": "sparse_categorical_crossentropy"})
    targets = {"a": np.zeros(1, "float32"), "b": np.zeros(1, "int32")}
    folder = pyml.export(model, tmp_path / "two", batch_sizes=2, training=True, targets=targets, devices="wasm")
    (found,) = in_node([{"folder": str(folder), "script": TWO}])
    words = "Embedding 'words' has rows for indices from 0 to 9 (input_dim=10). Received indices from {0} to {0}; input_dim must be "
    high, low, taken = found["indices"]
    assert high.startswith('predict: input "right": ' + words.format(10)) and low.startswith('fit: input "right": ' + words.format(-11))
    assert taken == 2
    told = "expected class numbers from 0 to 2, one for each of the model's 3 outputs; received"
    assert found["labels"] == [f'fit: y "b": {told} 3.', f'fit: y "b": {told} -1.']
    by_name, array, nothing = found["targets"]
    assert by_name == "fit: expected the targets a, b; received a."
    assert array == nothing == "fit: expected an array of 2 targets (a, b), or an object by name."
    options, seed, epochs = found["options"]
    assert options == "fit: options must be an object; received null."
    assert seed == 'fit: seed must be an integer; received "1".'
    assert epochs == 'fit: epochs must be an integer of at least 0; received "2".'
    assert found["places"] == ['load: expected "indexeddb://NAME", or what state() gave; received "two.npz".',
                               "expected indexeddb://NAME; received no name."]  # fmt: skip
    assert found["folders"] == [f"load: options must be an object; received {word}." for word in ("5", "null")]
    midst, nested, second = found["together"]
    assert midst == "evaluate: an epoch of fit is running; call it in onEpochEnd, or when fit has ended."
    assert nested == second
    assert second == "fit: this model is training; wait until that fit has ended, or end it: with false from onBatchEnd or onEpochEnd."
    loss, kind = found["tested"]
    assert loss > 0 and kind == "object" and found["same"] and found["again"] == 1


UNSORTED = """async (load, told) => {
  const model = await load(), x = { words: Int32Array.of(1, 2, 3, 4), facts: Float32Array.of(1, 2, 3, 4, 5, 6) };
  const y = await model.predict(x);
  const history = await told(model.fit(x, { wide: new Float32Array(4), narrow: new Float32Array(2).fill(1) }));
  return [Array.from(y.wide), Array.from(y.narrow), history.wide_loss?.[0], history.narrow_loss?.[0]];
}"""


def test_names_that_are_not_in_order_are_those_of_python(tmp_path):
    words, facts = pyml.Input((2,), dtype="int32", name="words"), pyml.Input((3,), name="facts")
    row = L.Concatenate()([facts, L.Flatten()(L.Embedding(5, 2)(words))])
    model = pyml.Model({"words": words, "facts": facts}, {"wide": L.Dense(2)(row), "narrow": L.Dense(1)(row)})
    model.compile("sgd", {"wide": "mse", "narrow": "mae"})
    targets = {"wide": np.zeros((2, 2), "float32"), "narrow": np.ones((2, 1), "float32")}
    folder = pyml.export(model, tmp_path / "unsorted", batch_sizes=2, training=True, targets=targets, devices="wasm")
    (found,) = in_node([{"folder": str(folder), "script": UNSORTED}])
    x = {"words": np.array([[1, 2], [3, 4]], "int32"), "facts": np.arange(1, 7, dtype="float32").reshape(2, 3)}
    y, history = model.predict(x, verbose=0), model.fit(x, targets, batch_size=2, verbose=0).history
    for mine, theirs in zip(found, [y["wide"], y["narrow"], *(history[f"{name}_loss"][0] for name in ("wide", "narrow"))], strict=True):
        np.testing.assert_allclose(mine, np.ravel(theirs) if np.ndim(theirs) else theirs, rtol=1e-5)


class Named(pyml.Model):
    def call(self, x):
        return {"b": [x[:, :1], x], "a": x[:, :2]}


def test_outputs_of_every_structure_have_names(tmp_path):
    x = pyml.Input((3,))
    script = "async (load) => Object.entries(await (await load()).predict(new Float32Array(3))).map(([name, { length }]) => [name, length])"
    jobs = []
    for model in (pyml.Model(x, {"b": [L.Dense(1)(x), L.Dense(3)(x)], "a": L.Dense(2)(x)}), Named(name="named")):
        jobs.append({"folder": str(pyml.export(model, tmp_path / model.name, input_shapes=(3,), devices="wasm")), "script": script})
    assert in_node(jobs) == 2 * [[["a", 2], ["b/0", 1], ["b/1", 3]]]


GIVEN_BACK = """async (load, told) => {
  let open = 0;
  const limits = { maxBufferSize: 1, maxStorageBufferBindingSize: 1 };
  const device = () => ({ limits, features: new Set(), queue: {}, lost: new Promise(() => {}), destroy() { open -= 1; } });
  const adapter = { limits, features: new Set(), info: {}, requestDevice: async () => { open += 1; return device(); } };
  Object.defineProperty(globalThis, "navigator", { value: { gpu: { requestAdapter: async () => adapter } }, configurable: true });
  const refused = await told(load({ device: "webgpu" })), { warn } = console;
  console.warn = () => {};
  const model = await load();
  console.warn = warn;
  return { refused, device: model.device, open };
}"""


def test_a_gpu_that_is_too_small_for_a_model_is_given_back(small, tmp_path):
    folder = pyml.export(small, tmp_path / "small")
    (found,) = in_node([{"folder": str(folder), "script": GIVEN_BACK}])
    assert found["refused"].startswith("this adapter holds at most 1 bytes in a buffer, and this model needs ")
    assert found["device"] == "wasm" and found["open"] == 0


def test_steps_that_need_python_are_refused_by_name(small, tmp_path):
    with pytest.raises(ExportError, match="not compiled"):
        pyml.export(small, tmp_path / "a", training=True)
    with pytest.raises(ExportError, match="sample_weight=True is for training=True"):
        pyml.export(small, tmp_path / "a", sample_weight=True)

    class Printing(pyml.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            logs = super().train_step(data)
            float(logs["loss"])
            return logs

    model = Printing()
    model.compile("sgd", "mse")
    with pytest.raises(ExportError, match=r"train step of model .* runs Python"):
        pyml.export(model, tmp_path / "a", input_shapes=(3,), training=True)
    model.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ExportError, match="run_eagerly"):
        pyml.export(model, tmp_path / "a", input_shapes=(3,), training=True)
    assert not list(tmp_path.iterdir())


def test_targets_are_class_numbers_for_the_loss_that_takes_such_however_it_is_given(tmp_path):
    sparse = pyml.losses.SparseCategoricalCrossentropy
    for i, loss in enumerate((pyml.losses.sparse_categorical_crossentropy, sparse(axis=1, name="mine"))):
        model = pyml.Sequential([pyml.Input((3, 3)), L.Softmax(axis=1)])
        model.compile("sgd", loss)
        plan = json.loads((pyml.export(model, tmp_path / str(i), training=True, devices="wasm") / "plan.json").read_text())
        assert [target["classes"] for target in plan["train"]["targets"]] == [3]
        assert plan["train"]["batches"]["1"]["inputs"][-1] == {"shape": [1, 3], "dtype": "int32"}


GOES_ON = """async (load, told) => {
  const model = await load(), x = Float32Array.from({ length: 16 }, (_, i) => i / 8 - 1), y = Float32Array.of(0, 1, 2, 3);
  const history = await told(model.fit(x, y, { epochs: 2, batchSize: 2 }));
  return { loss: history.loss, after: [...await model.predict(x.subarray(0, 8))] };
}"""


def test_layers_that_go_on_from_batch_to_batch_train_as_in_python(tmp_path):
    lstm = L.LSTM(2, stateful=True, bias_initializer="ones")
    model = pyml.Sequential([pyml.Input(batch_shape=(2, 2, 2)), lstm, L.Dense(1)])
    model.compile("sgd", "mse")
    folder = pyml.export(model, tmp_path / "stateful", batch_sizes=2, training=True, devices="wasm")
    assert not np.any(lstm.states[0])  # what was traced did not run
    (found,) = in_node([{"folder": str(folder), "script": GOES_ON}])
    x, y = np.arange(16, dtype="float32").reshape(4, 2, 2) / 8 - 1, np.arange(4, dtype="float32")[:, None]
    history = model.fit(x, y, epochs=2, batch_size=2, shuffle=False, verbose=0).history
    np.testing.assert_allclose(found["loss"], history["loss"], rtol=1e-5)
    np.testing.assert_allclose(found["after"], model.predict(x[:2], batch_size=2, verbose=0).ravel(), rtol=1e-5)


def test_what_does_not_fit_is_an_error_that_says_what_does(small, tmp_path):
    folder = pyml.export(small, tmp_path / "small", batch_sizes=(1, 4), devices="wasm")
    ask = lambda data, dtype="Float32Array", **options: {"inputs": [{"data": data, "dtype": dtype}], "options": options}
    calls = [ask([1, 2, 3], "Float64Array"), ask([1, 2]), ask([0] * 6), ask([0] * 6, batchSize=3)]
    calls += [{"inputs": [{"data": [1, 2, 3], "dtype": "Float32Array", "shape": [3, 1]}], "options": {}}]
    kind, length, rows, size, shape = in_node([{"folder": str(folder), "calls": calls}])[0]
    assert kind == 'predict: input "features": expected float32 numbers in a Float32Array; received a Float64Array.'
    assert length == 'predict: input "features": expected 3 numbers for each row, of the shape (rows, 3); received 2 numbers.'
    assert rows.startswith("predict: received 2 rows; this model was exported for batches of 1, 4:")
    assert size == "predict: batchSize 3; this model was exported for batches of 1, 4."
    assert shape == 'predict: input "features": expected the shape (rows, 3); received (3, 1).'


def test_fewer_bits_for_weights_and_functions_without_layers(small, tmp_path):
    x = np.array([[0.5, -1, 2]], "float32")
    wide = pyml.Sequential([pyml.Input((3,)), L.Dense(64)])
    wide.set_weights([np.linspace(-1, 1, 192, dtype="float32").reshape(3, 64), np.zeros(64, "float32")])
    jobs, sizes = [], []
    for weights in ("float32", "float16", "int8"):
        folder = pyml.export(wide, tmp_path / weights, weights=weights, devices="wasm")
        sizes.append((folder / "weights.bin").stat().st_size)
        jobs.append({"folder": str(folder), "calls": [{"inputs": [{"data": x.ravel().tolist(), "dtype": "Float32Array"}], "options": {}}]})
    folder = pyml.export(lambda a: pyml.ops.sum(a * a, axis=1), tmp_path / "function", inputs=[x], devices="wasm")
    jobs.append({**jobs[0], "folder": str(folder)})
    wild = pyml.Sequential([pyml.Input((3,)), L.Dense(2, name="wild")])
    wild.set_weights([np.array([[1, np.nan], [2, np.inf], [3, 4]], "float32"), np.array([7e4, 1], "float32")])
    for weights, held in (("int8", "wild/kernel' holds NaN or inf"), ("float16", "wild/bias' holds numbers beyond 65,504")):
        with pytest.warns(UserWarning, match=f"{held}.* which weights='{weights}' cannot keep; it is float32"):
            folder = pyml.export(wild, tmp_path / "wild", weights=weights, devices="wasm")
    assert not any("as" in state for state in json.loads((folder / "plan.json").read_text())["states"])
    narrow = pyml.Sequential([pyml.Input((3,), dtype="uint8"), L.Dense(2, dtype="float16")])
    folder = pyml.export(narrow, tmp_path / "narrow", devices="wasm")
    jobs.append({"folder": str(folder), "calls": [{"inputs": [{"data": [1, 2, 250], "dtype": "Int32Array"}], "options": {}}]})
    exact, half, eighth, function, rounded = (array(answers[0][0]) for answers in in_node(jobs))
    want = np.asarray(wide(x))
    np.testing.assert_allclose(exact, want, rtol=1e-6)
    np.testing.assert_allclose(half, want, atol=3e-3)
    np.testing.assert_allclose(eighth, want, atol=3e-2)
    assert sizes == [4 * 256, 2 * 256, 192 + 4 * 64 + 2 * 64]
    np.testing.assert_allclose(function, [5.25])
    np.testing.assert_allclose(rounded, narrow(np.array([[1, 2, 250]], "uint8")), rtol=2e-3)


def test_several_sizes_of_inputs_are_exported_and_another_one_is_told_which_there_are(tmp_path):
    model = pyml.Sequential([pyml.Input((None, None, 1)), L.Conv2D(2, 3), L.GlobalAveragePooling2D()])
    folder = pyml.export(model, tmp_path / "any", input_shapes=[(4, 4, 1), (5, 3, 1)], batch_sizes=(1, 2), devices="wasm")
    pick = np.random.default_rng(1)
    given = [pick.normal(size=(2, 4, 4, 1)).astype("float32"), pick.normal(size=(1, 5, 3, 1)).astype("float32"), np.zeros((1, 5, 5, 1))]
    ask = lambda x: {"inputs": [{"data": x.ravel().tolist(), "dtype": "Float32Array", "shape": list(x.shape)}], "options": {}}
    *answers, wrong = in_node([{"folder": str(folder), "calls": [ask(x) for x in given]}])[0]
    for x, (answer,) in zip(given, answers, strict=False):
        np.testing.assert_allclose(array(answer), model.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    first, *sizes = wrong.splitlines()
    assert first == "predict: none of the sizes that were exported fits:"
    assert [re.search(r"expected the shape (\(.*?\)); received (\(.*?\))", size).groups() for size in sizes] == [
        ("(rows, 4, 4, 1)", "(1, 5, 5, 1)"), ("(rows, 5, 3, 1)", "(1, 5, 5, 1)")]  # fmt: skip


def test_a_program_is_exported_as_a_function_is(tmp_path):
    scale = pyml.Variable([2.0, 3.0])

    @pyml.program
    def scaled(x):
        return {"twice": x * scale, "rows": 1, "sum": pyml.ops.sum(x)}

    folder = pyml.export(scaled, tmp_path / "program", inputs=[np.zeros((1, 2), "float32")], devices="wasm")
    script = """async (load) => {
      const given = await (await load({ device: "wasm" })).predict(Float32Array.of(1, 2));
      return Object.fromEntries(Object.entries(given).map(([name, values]) => [name, [...values]]));
    }"""
    assert in_node([{"folder": str(folder), "script": script}]) == [{"sum": [3], "twice": [2, 6]}]


def test_weights_that_were_cut_short_are_refused(small, tmp_path):
    folder = pyml.export(small, tmp_path / "short", devices="wasm")
    weights = folder / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:-4])
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    script = f"import({json.dumps(str(folder / 'model.js'))}).then((m) => m.load()).catch((e) => console.log(e.message))"
    done = subprocess.run([node, "-e", script], capture_output=True, text=True)
    assert done.stdout.strip() == "could not load weights.bin: it is shorter than it should be."


def test_what_cannot_be_exported_is_refused_before_anything_is_written(small, tmp_path):
    anything = pyml.Sequential([pyml.Input((None, None, 3)), L.Conv2D(2, 3)])
    with pytest.raises(ExportError, match="name those to export"):
        pyml.export(anything, tmp_path / "a")
    with pytest.raises(ExportError, match="takes"):
        pyml.export(small, tmp_path / "a", input_shapes=[(4,)])
    with pytest.raises(ExportError, match="batch_sizes must be positive"):
        pyml.export(small, tmp_path / "a", batch_sizes=0)
    with pytest.raises(ExportError, match="weights must be one of"):
        pyml.export(small, tmp_path / "a", weights="int3")
    with pytest.raises(ExportError, match="computed by numpy in Python"):
        pyml.export(lambda a: pyml.ops.svd(a)[1], tmp_path / "a", inputs=[np.ones((60, 60))])
    with pytest.raises(ExportError, match="in addition to those of 'webgpu'"):
        pyml.export(small, tmp_path / "a", devices=("wasm", "software"))
    with pytest.raises(ExportError, match="expected a model"):
        pyml.export(3, tmp_path / "a")
    with pytest.raises(ValueError, match="format must be 'web'"):
        small.export(tmp_path / "a", format="onnx")
    assert not list(tmp_path.iterdir())
    small.export(tmp_path / "a", devices="wasm")
    with pytest.raises(ExportError, match="overwrite"):
        pyml.export(small, tmp_path / "a", overwrite=False)


def test_the_command_exports_the_training_of_a_model_that_was_compiled(tmp_path, capsys):
    from pyml.cli import main

    model = pyml.Sequential([pyml.Input((3,)), L.Dense(2)])
    model.save(tmp_path / "plain.keras")
    model.compile("adam", "mse", metrics=["mae"])
    model.train_on_batch(np.ones((4, 3)), np.ones((4, 2)))
    model.save(tmp_path / "compiled.keras")
    folder, options = tmp_path / "out", ["--training", "--device", "wasm", "--batch", "4"]
    assert main(["export", str(tmp_path / "compiled.keras"), str(folder), *options]) == 0
    train = json.loads((folder / "plan.json").read_text())["train"]
    assert [*train["batches"]] == ["4"] and {name for name, *_ in train["results"]["test"]["logs"]} == {"loss", "mae"}
    assert main(["export", str(tmp_path / "plain.keras"), str(tmp_path / "none"), *options]) == 1
    assert "compile" in capsys.readouterr().err and not (tmp_path / "none").exists()


def test_the_command_exports_a_file(small, tmp_path, capsys):
    from pyml.cli import main

    small.save(tmp_path / "small.keras")
    assert main(["export", str(tmp_path / "small.keras"), str(tmp_path / "out"), "--batch", "2", "--device", "wasm"]) == 0
    assert "model.js" in capsys.readouterr().out
    assert json.loads((tmp_path / "out" / "plan.json").read_text())["predict"][0]["batches"].keys() == {"2"}
    assert main(["export", str(tmp_path / "none.keras"), str(tmp_path / "out")]) != 0


@pytest.mark.parametrize("app, files", [
    ("page", set()), ("pwa", {"manifest.webmanifest", "icon.svg", "sw.js"}), ("extension", {"manifest.json"})])
def test_the_command_makes_an_app_with_weights_of_fewer_bits(small, tmp_path, monkeypatch, app, files):
    from pyml.cli import main

    monkeypatch.setattr(small, "name", "sequential_7")  # as one that was given no name
    small.save(tmp_path / "small.keras")
    for folder, more in (("plain", ()), ("app", (f"--{app}", "--weights", "int8"))):
        assert main(["export", str(tmp_path / "small.keras"), str(tmp_path / folder), *more]) == 0
    plain, made = ({path.name for path in (tmp_path / folder).iterdir()} for folder in ("plain", "app"))
    assert made - plain == {"index.html", "page.js", "guard.js", *files} and plain <= made
    assert "<h1>app</h1>" in (tmp_path / "app" / "index.html").read_text()
    assert json.loads((tmp_path / "app" / "plan.json").read_text())["states"][0]["as"] in ("float16", "int8")


def test_the_loader_is_one_source_with_that_of_pages():
    source = bundle.bundled()
    assert "import " not in re.sub(r"^\s*(//|\*|/\*).*$|import\(|import\.meta", "", source, flags=re.MULTILINE)
    assert text_of("replay.js").split("function layoutFor")[1][:400] in source


def test_the_loader_is_30_kilobytes_at_most_with_what_trains_and_keeps_weights_a_little_more(small, tmp_path):
    made = [path for path in paths.minified() if path.is_file() and path.read_text().startswith(bundle.first_line(bundle.bundled()))]
    if not made:
        pytest.skip("the loader is not minified: run `make setup`, which needs npm")
    folder = pyml.export(small, tmp_path / "small", devices="wasm")
    assert 10_000 < (folder / "model.js").stat().st_size <= 30_000
    assert (folder / "store.js").stat().st_size < 8_000
    written = {path.name for path in folder.iterdir() if path.suffix in (".js", ".ts")}
    assert written == {"model.js", "store.js", "model.d.ts"}


@pytest.mark.slow
@pytest.mark.parametrize("name", [entry.name for entry in NETWORKS])
def test_networks_of_the_hub_give_in_node_what_they_give_in_python(name, tmp_path, capsys):
    from pyml.cli import main

    if not (paths.assets_dir() / "models" / name).is_dir():
        pytest.skip(f"{name} has not been fetched")
    size = ["--input", "84x32x1"] if name == "speech_embedding" else []
    assert main(["export", name, str(tmp_path / name), "--device", "wasm", *size]) == 0, capsys.readouterr().err
    plan = json.loads((tmp_path / name / "plan.json").read_text())
    (shape,) = plan["predict"][0]["shapes"]
    assert plan["name"] == name
    shape = shape if len(shape) == 4 else [1, *shape]
    x = np.random.default_rng(0).integers(0, 255, shape).astype("float32")
    call = {"inputs": [{"data": x.ravel().tolist(), "dtype": "Float32Array"}], "options": {}}
    ((answers,),) = in_node([{"folder": str(tmp_path / name), "calls": [call]}])
    network, _ = getattr(pyml.hub, name)()._exported()
    wanted = network(pyml.ops.convert_to_tensor(x))
    wanted = [part.numpy() for part in (wanted if isinstance(wanted, list) else [wanted])]
    assert len(answers) == len(wanted)
    for answer, value in zip(answers, wanted, strict=True):
        np.testing.assert_allclose(array(answer), value, rtol=1e-3, atol=1e-5 * np.abs(value).max())


def test_a_graph_model_is_exported_for_the_sizes_that_it_says_or_those_that_are_given(tmp_path):
    given = graph_cases.node("x", "Placeholder", dtype="DT_FLOAT")
    for folder, size in (("says", 3), ("any", -1)):
        given["attr"]["shape"] = {"shape": {"dim": [{"size": "-1"}, {"size": str(size)}]}}
        description, _ = graph_cases.graph([given, graph_cases.node("y", "Relu", ["x"])])
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "model.json").write_text(json.dumps(description))
        (tmp_path / folder / "w.bin").write_bytes(b"")
    with pytest.raises(ExportError, match=r"pass inputs=\[\.\.\.\]"):
        pyml.export(pyml.saving.load_model(tmp_path / "any"), tmp_path / "out")
    with pytest.raises(ExportError, match=r"input_shapes= and batch_sizes= are for models with layers"):
        pyml.export(pyml.saving.load_model(tmp_path / "says"), tmp_path / "out", batch_sizes=2)
    assert not (tmp_path / "out").exists()
    jobs = []
    for folder, options in (("says", {}), ("any", {"inputs": [np.zeros((1, 3), "float32")]})):
        place = pyml.export(pyml.saving.load_model(tmp_path / folder), tmp_path / f"{folder}-out", devices="wasm", **options)
        jobs.append({"folder": str(place), "calls": [{"inputs": [{"data": [1, -2, 3], "dtype": "Float32Array"}], "options": {}}]})
    assert [array(answers[0][0]).tolist() for answers in in_node(jobs)] == [[[1, 0, 3]]] * 2
