"""Settings of `pyml.config` have their effect, and are set back after each test."""

import asyncio
import io
import itertools
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import layers, losses, ops, settings
from pyml.errors import BackendUnavailable, DtypeError


@pytest.fixture(autouse=True)
def as_before():
    values, policy = dict(settings._values), settings.policy()
    yield
    settings._values.clear()
    settings._values.update(values)
    pyml.config.set_floatx(values["floatx"])
    settings.set_policy(policy)


def model():
    made = pyml.Sequential([pyml.Input((2,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


X, Y = np.ones((64, 2), "float32"), np.ones((64, 1), "float32")


def test_epsilon_is_what_losses_add_to_zeros(cpu):
    y = np.zeros((1, 2), "float32"), np.zeros((1, 2), "float32")
    pyml.config.set_epsilon(1e-3)
    assert pyml.config.epsilon() == pyml.backend.epsilon() == 1e-3
    np.testing.assert_allclose(float(losses.Poisson()(y[0] + 1, y[1])), -np.log(1e-3), rtol=1e-5)
    assert float(losses.BinaryCrossentropy()(y[0] + 1, y[1])) == pytest.approx(-np.log(1e-3), rel=1e-5)
    assert float(ops.max(ops.rms_normalization(y[0] + 1e-3))) == pytest.approx(1e-3 / np.sqrt(1e-3 + 1e-6), rel=1e-4)


@pytest.mark.parametrize("value", [0, -1.0, "small", True])
def test_epsilon_is_a_positive_number(value):
    with pytest.raises(ValueError, match="set_epsilon"):
        pyml.config.set_epsilon(value)


I3, F3, U3, H3 = (np.array([1, 2, 3], dtype) for dtype in ("int32", "float32", "uint8", "float16"))
PICTURE = np.ones((1, 4, 4, 3), "float32")

# What Keras 3.15 makes of floatx: dtype -> calls; "floatx" stands for the one that is set. Where its backends do not agree with its
# own `result_type` (roots of integers on PyTorch, bfloat16 taken for float16), `result_type` counts; Python's integers stay int32.
DTYPES = {
    "floatx": [
        lambda: ops.zeros((2,)), lambda: ops.ones(2), lambda: ops.full((2,), 7), lambda: ops.eye(2), lambda: ops.identity(2),
        lambda: ops.tri(2), lambda: ops.arange(3.0), lambda: ops.linspace(0, 1, 3), lambda: ops.geomspace(1, 2, 3),
        lambda: ops.convert_to_tensor(1.5), lambda: ops.convert_to_tensor([1, 2.5]), lambda: ops.convert_to_tensor([]),
        lambda: ops.convert_to_tensor(np.float64(1)), lambda: ops.array([1.0]), lambda: ops.zeros_like([1.0]),
        lambda: ops.convert_to_tensor([ops.ones(()), ops.zeros(())]), lambda: ops.one_hot(I3, 4), lambda: ops.multi_hot(I3, 4),
        lambda: ops.add(I3, 1.5), lambda: ops.add(U3, 1.5), lambda: ops.multiply(2, 3.0), lambda: ops.exp(I3), lambda: ops.exp([True]),
        lambda: ops.log(2.0), lambda: ops.var(I3), lambda: ops.median(I3), lambda: ops.quantile(I3, 0.5), lambda: ops.average(I3),
        lambda: ops.mean([1.0]), lambda: ops.sum([1.0]), lambda: ops.power(I3, 0.5), lambda: ops.where([True], 1.0, 0.0),
        lambda: ops.where([True], I3, 1.5), lambda: ops.maximum(I3, 1.5), lambda: ops.norm(I3), lambda: ops.arctan2(1.0, 2.0),
        lambda: ops.bincount(I3, weights=[1.0, 2.0, 3.0]), lambda: ops.binary_crossentropy([1.0], [0.5]), lambda: 1.5 * ops.ones(2),
        lambda: ops.ones(2) @ ops.ones(2), lambda: -ops.ones(2), lambda: ops.cond(True, lambda: ops.ones(()), lambda: ops.zeros(())),
        lambda: ops.while_loop(lambda x: x < 3, lambda x: x + 1.0, ops.zeros(())), lambda: ops.map(lambda x: x * 2, ops.ones(3)),
        lambda: ops.scan(lambda c, x: (c + x, c), ops.zeros(()), ops.ones(3))[1],
        lambda: ops.vectorized_map(lambda x: x + ops.ones(()), ops.ones(3)),
        lambda: pyml.random.uniform((2,)), lambda: pyml.random.normal((2,)), lambda: pyml.random.gamma((2,), 1.0),
        lambda: pyml.random.truncated_normal((2,)), lambda: pyml.Input((3,)), lambda: pyml.Input((3,)) + 1.5,
        lambda: ops.exp(pyml.Input((3,), dtype="int32")), lambda: ops.one_hot(pyml.Input((3,), dtype="int32"), 3),
        lambda: pyml.Variable(1.0), lambda: pyml.Variable([1.0]), lambda: pyml.Variable("zeros", shape=(2,)),
        lambda: pyml.initializers.Zeros()((2,)), lambda: pyml.initializers.GlorotUniform()((2, 2)), lambda: layers.Dense(2),
        lambda: layers.Dense(2)(np.ones((1, 3))), lambda: layers.Dense(2)(pyml.Input((3,))), lambda: layers.LSTM(2)(np.ones((1, 3, 2))),
        lambda: layers.BatchNormalization()(F3[None]), lambda: layers.Rescaling(0.5)(U3), lambda: layers.CategoryEncoding(4)(I3),
        lambda: layers.Conv2D(2, 2)(PICTURE), lambda: layers.Lambda(lambda x: ops.ones((2,)))(F3),
        lambda: layers.IntegerLookup(vocabulary=[1], output_mode="multi_hot")(I3), lambda: model().weights[0],
        lambda: model()(X[:1]), lambda: pyml.metrics.Mean()(F3), lambda: pyml.metrics.Mean().total,
        lambda: slots(pyml.optimizers.Adam(), pyml.Variable([1.0]))[-1], lambda: pyml.metrics.Precision().variables[0],
        lambda: pyml.metrics.AUC()([0, 1], [0.2, 0.7]),
        lambda: pyml.metrics.Precision()([0, 1], [0.2, 0.7]), lambda: pyml.metrics.MeanSquaredError(), lambda: losses.Huber()(F3, F3),
        lambda: pyml.metrics.binary_accuracy(F3, F3), lambda: losses.MeanSquaredError()(F3, F3), lambda: losses.KLDivergence(),
        lambda: pyml.optimizers.SGD().learning_rate,
        lambda: pyml.optimizers.schedules.CosineDecay(0.1, 2)(1), lambda: pyml.utils.to_categorical(ops.array([0, 1]), 2),
        lambda: pyml.regularizers.L2(0.1)(ops.ones(2)), lambda: pyml.applications.imagenet_utils.preprocess_input(ops.ones((1, 2, 2, 3))),
    ],
    "float32": [
        lambda: ops.convert_to_tensor(F3), lambda: ops.add(F3, 1.5), lambda: ops.zeros_like(F3), lambda: ops.sqrt(F3),
        lambda: ops.mean(I3), lambda: ops.cast(1.5, "float32"), lambda: ops.ones(2, "float32"), lambda: ops.concatenate([I3, F3]),
        lambda: ops.add(H3, F3), lambda: pyml.Variable(F3), lambda: layers.Dense(2, dtype="float32")(F3[None]),
        lambda: losses.mean_squared_error(F3, F3), lambda: losses.MeanSquaredError(dtype="float32")(F3, F3),
        lambda: pyml.metrics.Mean(dtype="float32"), lambda: slots(pyml.optimizers.Adam(), pyml.Variable(F3))[-1],
        lambda: pyml.utils.normalize(F3), lambda: pyml.constraints.UnitNorm()(F3[None]), lambda: pyml.KerasTensor((3,)),
        lambda: layers.Dense(2, dtype="mixed_float16").build((None, 3)) or layers.Dense(2, dtype="mixed_float16"),
    ],
    "float16": [lambda: ops.convert_to_tensor(H3), lambda: ops.add(H3, 1), lambda: layers.Dense(2, dtype="mixed_float16")(F3[None])],
    "int32": [
        lambda: ops.convert_to_tensor(1), lambda: ops.convert_to_tensor([1, 2]), lambda: ops.arange(3), lambda: ops.add(I3, 1),
        lambda: ops.sum(I3), lambda: ops.sum([True]), lambda: ops.power(I3, 2), lambda: ops.relu(I3), lambda: ops.full((2,), 7, "int32"),
        lambda: ops.matmul(I3, I3), lambda: ops.clip(I3, 0, 1), lambda: pyml.optimizers.SGD().iterations, lambda: ops.argmax(F3),
    ],
    "bool": [lambda: ops.convert_to_tensor([True]), lambda: ops.ones(2) > 0.5, lambda: ops.isclose(1.0, 1.0)],
}  # fmt: skip


def slots(optimizer, variable):
    optimizer.build([variable])
    return optimizer.variables


@pytest.mark.parametrize("floatx", ["float16", "bfloat16"])
def test_what_nobody_names_a_dtype_for_has_that_of_floatx_as_in_keras(floatx, cpu):
    pyml.config.set_floatx(floatx)
    assert pyml.backend.floatx() == pyml.config.dtype_policy().name == pyml.utils.standardize_dtype(None) == floatx
    given = ((), (float,), ("int32", float), ("int32", None), (int,), ("float32", float))
    assert [pyml.backend.result_type(*dtypes) for dtypes in given] == [*[floatx] * 4, "int32", "float32"]
    for dtype, calls in DTYPES.items():
        wanted = floatx if dtype == "floatx" else dtype
        for i, call in enumerate(calls):
            assert call().dtype == wanted, (dtype, i)
    xp = pyml.array_api  # the standard has one default
    assert {array.dtype for array in (xp.zeros(2), xp.asarray([1.5]), xp.full(2, 0.5), xp.linspace(0, 1, 3), xp.arange(0.5))} == {"float32"}
    assert pyml.utils.img_to_array(np.ones((2, 2, 1), "uint8")).dtype == {"bfloat16": "float32"}.get(floatx, floatx)  # of numpy
    pyml.config.set_floatx("float32")
    for i, call in enumerate(DTYPES["floatx"]):
        assert call().dtype == "float32", i


@pytest.mark.parametrize("floatx, tenth, third, large, rate", [
    ("float16", 0.0999755859375, 0.333251953125, np.inf, 0.0030002593994140625),
    ("bfloat16", 0.10009765625, 0.333984375, 70144.0, 0.0030059814453125),
])  # fmt: skip
def test_numbers_of_floatx_are_rounded_to_it(floatx, tenth, third, large, rate, cpu):
    pyml.config.set_floatx(floatx)
    for made, wanted in ((ops.full((1,), 0.1), tenth), (ops.linspace(0, 1, 4)[1], third), (pyml.Variable(0.1), tenth),
                         (pyml.optimizers.Adam(0.003).learning_rate, rate), (ops.add(0, 0.1), tenth), (ops.convert_to_tensor([0.1]), tenth),
                         (layers.Dense(1, kernel_initializer=pyml.initializers.Constant(0.1))(np.ones((1, 1), "float32")), tenth),
                         (ops.sum([70000.0]), large)):  # fmt: skip
        assert float(np.squeeze(made.numpy())) == wanted
    assert float(ops.mean(np.full(2048, 60000, "float32"))) == 60000  # arrays say their own dtype


def test_metrics_count_beyond_what_floatx_has(cpu):
    pyml.config.set_floatx("float16")
    mean, right = pyml.metrics.Mean(), pyml.metrics.BinaryAccuracy()
    for _ in range(5):
        mean.update_state(np.full(20_000, 0.25, "float32"))
        right.update_state(np.ones(20_000), np.arange(20_000) % 4 > 0)
    assert [float(m.result()) for m in (mean, right)] == [0.25, 0.75]
    assert float(losses.ctc([[1]], np.zeros((1, 2, 2), "float32"))[0]) == pytest.approx(0.2877, abs=1e-4)  # ops within have 1e30
    rebuilt = pyml.metrics.Mean.from_config(mean.get_config())
    assert (rebuilt.dtype, rebuilt.total.dtype, float(mean.count.numpy())) == ("float16", "float16", 100_000)


def test_a_program_is_traced_anew_for_another_floatx(cpu):
    step = pyml.program(lambda: ops.full((2,), 0.1))
    own = pyml.program(lambda x: x + ops.full((2,), 0.1))
    found = []
    for floatx in ("float32", "float16", "float32", "bfloat16"):
        pyml.config.set_floatx(floatx)
        found.append((step().dtype, float(step().numpy()[0]), float(own(np.zeros(2, "float32")).numpy()[0])))
    tenth = float(np.float32(0.1))
    assert found == [("float32", tenth, tenth), ("float16", 0.0999755859375, 0.0999755859375), ("float32", tenth, tenth),
                     ("bfloat16", 0.10009765625, 0.10009765625)]  # fmt: skip


def test_layers_compute_in_32_bits_and_users_get_floatx_within_theirs(cpu):
    seen = []

    class Seen(layers.Layer):
        def call(self, x):
            seen.append((ops.ones(2).dtype, ops.exp(ops.arange(2)).dtype))
            return x

    pyml.config.set_floatx("float16")
    pyml.Sequential([pyml.Input((4, 3)), layers.TimeDistributed(Seen()), Seen()])(np.ones((1, 4, 3)))
    assert set(seen) == {("float16", "float16")}
    inner = layers.Lambda(lambda x: x + ops.full((1,), 1e-4) - 1.0, dtype="float32")(np.ones((1,), "float32"))
    np.testing.assert_allclose(inner, [1e-4], rtol=1e-2)  # 1 + 1e-4 has more digits than float16


@pytest.mark.parametrize("floatx, backend", [
    ("float16", "cpu"), ("bfloat16", "cpu"), *(pytest.param("float16", name, marks=pytest.mark.slow) for name in ("wasm", "webgpu")),
])  # fmt: skip
def test_a_model_trains_and_comes_back_from_its_files_in_floatx(floatx, backend, cpu, tmp_path):
    def build():
        x = inputs = pyml.Input((3, 2))
        x = layers.Dropout(0.1)(layers.BatchNormalization()(layers.Dense(4, "relu")(x)))
        x = layers.LSTM(4, return_sequences=True)(x)
        x = layers.Flatten()(layers.MultiHeadAttention(1, 4)(x, x))
        return pyml.Model(inputs, layers.Dense(2, "softmax")(x))

    try:
        pyml.config.set_backend(backend)
    except BackendUnavailable as e:
        pytest.skip(str(e))
    pyml.config.set_floatx(floatx)
    pyml.utils.set_random_seed(2)
    made, x = build(), np.random.default_rng(0).standard_normal((32, 3, 2))  # whose moments of Adam are not kept in 16 bits: Keras' diverge
    made.compile(pyml.optimizers.Adam(0.02), "sparse_categorical_crossentropy", metrics=["accuracy"])
    logs = made.fit(x, (x[:, :, 0].sum(1) > 0).astype("int32"), epochs=6, batch_size=16, verbose=0).history
    assert logs["loss"][-1] < 0.3 < logs["loss"][0]
    assert {w.dtype for w in made.weights} == {floatx} and made.output.dtype == floatx
    wanted = made.predict(x, verbose=0)
    assert wanted.dtype == {"bfloat16": "float32"}.get(floatx, floatx)
    made.save(tmp_path / "m.keras")
    made.save_weights(tmp_path / "m.weights.h5")
    again = build()
    again.load_weights(tmp_path / "m.weights.h5")
    pyml.config.set_floatx("float32")                                    # files say what their layers were made with
    for model_of_file in (again, pyml.saving.load_model(tmp_path / "m.keras")):
        np.testing.assert_array_equal(model_of_file.predict(x, verbose=0), wanted)
        assert {w.dtype for w in model_of_file.weights} == {floatx}
    assert {w.dtype for w in build().weights} == {"float32"}


def test_floats_of_64_bits_and_what_is_no_float_are_refused_as_floatx():
    with pytest.raises(DtypeError, match=r"set_floatx: devices compute in 32 bits .* leave 'float32'"):
        pyml.config.set_floatx("float64")
    for value in ("int32", None, np.float16):
        with pytest.raises(ValueError, match="set_floatx: value must be one of"):
            pyml.config.set_floatx(value)
    assert pyml.config.floatx() == "float32"


def test_the_image_data_format_is_that_of_layers_that_name_none(cpu):
    pyml.config.set_image_data_format("channels_first")
    assert pyml.config.image_data_format() == pyml.backend.image_data_format() == "channels_first"
    assert layers.GlobalMaxPooling2D().data_format == "channels_first"
    assert layers.Conv2D(4, 3)(np.ones((2, 3, 8, 8))).shape == (2, 4, 6, 6)
    pyml.config.set_image_data_format("channels_last")
    assert layers.GlobalMaxPooling2D().data_format == "channels_last"
    with pytest.raises(ValueError, match="channels_last"):
        pyml.config.set_image_data_format("first")


def test_epochs_and_steps_are_limited(cpu):
    pyml.config.set_max_epochs(2)
    pyml.config.set_max_steps_per_epoch(3)
    steps = []
    m = model()
    history = m.fit(X, Y, batch_size=8, epochs=5, verbose=0,
                    callbacks=[pyml.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))])  # fmt: skip
    assert len(history.history["loss"]) == 2 and steps == [0, 1, 2, 0, 1, 2]
    assert m.predict(X, batch_size=8, verbose=0).shape == (24, 1)
    assert m.predict(X[:10], batch_size=8, verbose=0).shape == (10, 1)


class FourBatches(pyml.utils.PyDataset):
    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[:5], Y[:5]


# steps asked for in an epoch: the steps that two epochs run, with all data of 20 rows and with at most 3 steps
STEPS = {"whole": {None: ([4, 4], [3, 1]), 2: ([2, 2], [2, 2]), 3: ([3, 1], [3, 1]), 6: ([4, 4], [3, 1])},
         "once": {2: ([2, 2], [2, 2]), 3: ([3, 1], [3, 1])}, "endless": {2: ([2, 2], [2, 2]), 6: ([6, 6], [3, 3])}}  # fmt: skip


@pytest.mark.parametrize("most", [None, 3])
@pytest.mark.parametrize(("kind", "source"), [
    *[("whole", lambda: {"x": X[:20], "y": Y[:20], "batch_size": 5})] * 2, ("whole", lambda: {"x": FourBatches()}),
    ("whole", lambda: {"x": pyml.data.Dataset.from_tensor_slices((X[:20], Y[:20])).batch(5)}),
    ("once", lambda: {"x": iter([(X[:5], Y[:5])] * 4)}), ("endless", lambda: {"x": itertools.repeat((X[:5], Y[:5]))}),
], ids=["arrays", "large arrays", "PyDataset", "Dataset", "iterator", "endless"])  # fmt: skip
def test_steps_of_an_epoch_are_those_asked_for_at_most_those_allowed_and_callbacks_hear_how_many(
    request, monkeypatch, cpu, kind, source, most
):
    if "large" in request.node.name:
        monkeypatch.setattr(pyml.trainers.resident, "LIMIT", 0)  # sent batch by batch
    pyml.config.set_max_steps_per_epoch(most)
    for asked, (all_of_them, limited) in STEPS[kind].items():
        seen = {}
        heard = pyml.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs, seen=seen: seen.setdefault(epoch, seen.pop("now")),
                                              on_train_batch_end=lambda batch, logs, seen=seen: seen.update(now=batch + 1))  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model().fit(**source(), epochs=2, steps_per_epoch=asked, verbose=0, callbacks=[heard])
        assert [*seen.values()] == (limited if most else all_of_them), asked
        assert heard.params["steps"] == min(asked or 4, most or 9), asked


@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_a_limit_is_a_positive_integer(value):
    with pytest.raises(ValueError, match="max_epochs"):
        pyml.config.set_max_epochs(value)


def test_without_interactive_logging_progress_is_logged_and_not_printed(cpu, capsys, caplog):
    pyml.utils.disable_interactive_logging()
    assert not pyml.config.is_interactive_logging_enabled()
    with caplog.at_level(logging.INFO, "pyml"):
        model().fit(X, Y, epochs=2)
    assert capsys.readouterr().out == ""
    assert [r.message for r in caplog.records if r.message.startswith("Epoch")] == ["Epoch 1/2", "Epoch 2/2"]
    assert sum("loss:" in r.message for r in caplog.records) == 2
    pyml.utils.enable_interactive_logging()
    model().fit(X, Y, epochs=1)
    assert "loss:" in capsys.readouterr().out


SAID = ["Epoch 1: LearningRateScheduler setting learning rate to 0.5.", "Epoch 1: saving model to a.weights.h5",
        "Epoch 1: finished saving model to a.weights.h5", "Epoch 2: LearningRateScheduler setting learning rate to 0.5.",
        "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.05.", "Epoch 2: saving model to a.weights.h5",
        "Epoch 2: finished saving model to a.weights.h5", "Epoch 2: early stopping",
        "Restoring model weights from the end of the best epoch: 1."]  # fmt: skip


@pytest.mark.parametrize("printed", [True, False])
def test_what_callbacks_say_is_printed_or_without_interactive_logging_logged(cpu, capsys, caplog, monkeypatch, tmp_path, printed):
    monkeypatch.chdir(tmp_path)
    if not printed:
        pyml.utils.disable_interactive_logging()
    for verbose in (0, 1):
        those = [pyml.callbacks.LearningRateScheduler(lambda epoch: 0.5, verbose=verbose),
                 pyml.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=1e9, verbose=verbose),
                 pyml.callbacks.EarlyStopping("loss", patience=1, min_delta=1e9, restore_best_weights=True, verbose=verbose),
                 pyml.callbacks.ModelCheckpoint("a.weights.h5", save_weights_only=True, verbose=verbose)]  # fmt: skip
        with caplog.at_level(logging.INFO, "pyml"):
            model().fit(X, Y, epochs=5, verbose=0, callbacks=those)
        said = capsys.readouterr().out.split("\n") if printed else [r.message for r in caplog.records if r.name == "pyml"]
        assert [line for line in said if line] == SAID * verbose
    with caplog.at_level(logging.INFO, "pyml"), pytest.warns(RuntimeWarning, match="finite"):
        model().summary()
        model().fit(X * np.nan, Y, verbose=0, callbacks=[pyml.callbacks.TerminateOnNaN()])
    told = capsys.readouterr().out, caplog.text
    assert all(text in told[not printed] and text not in told[printed] for text in ("Total params: ", "Batch 0: Invalid loss"))


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_bars_and_tables_are_printed_in_any_encoding(cpu, monkeypatch, encoding):
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding, newline="\n"))
    network = model()
    network.fit(X, Y, verbose=1)
    network.summary()
    text = out.getvalue().decode(encoding)
    double, single, corner = ("━", "│", "└") if encoding == "utf-8" else ("=", "|", "+")
    assert double * 20 in text and f"\n{single} " in text and f"\n{corner}" in text and "?" not in text
    assert len({len(line) for line in text.split("\n") if line and line[0] in "┏┃┡│└+|"}) == 1  # the columns stand as they did


def frames(error):
    files, traceback = [], error.__traceback__
    while traceback:
        files.append(traceback.tb_frame.f_code.co_filename)
        traceback = traceback.tb_next
    return [file for file in files if Path(pyml.__file__).parent in Path(file).parents]


def test_a_traceback_has_the_users_lines_alone_unless_filtering_is_off(cpu):
    model = pyml.Sequential([pyml.Input((2,)), layers.Dense(2)])
    model.compile("sgd", "mse")

    def failing(call):
        with pytest.raises(Exception, match=r"dense|targets") as caught:
            call()
        return len(frames(caught.value))

    for call in (
        lambda: layers.Dense(2, name="dense")(np.ones(())), lambda: model.fit(np.ones((2, 2)), np.ones((2, 3)), verbose=0),
        lambda: asyncio.run(model.fit_async(np.ones((2, 2)), np.ones((2, 3)), verbose=0)),
        lambda: pyml.Sequential([pyml.Input(()), layers.Dense(2, name="dense")]),
    ):  # fmt: skip
        pyml.config.enable_traceback_filtering()
        assert failing(call) == 0
        pyml.config.disable_traceback_filtering()
        assert failing(call) > 1


def test_warnings_point_at_the_users_line(cpu):
    model = pyml.Sequential([pyml.Input((2,)), layers.Activation("relu")])
    model.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="does not have any trainable weights") as caught:
        model.fit(np.ones((2, 2)), np.ones((2, 2)), verbose=0)
    assert caught[0].filename == __file__


def test_layers_take_the_policy_that_is_set():
    pyml.config.set_dtype_policy("mixed_float16")
    layer = layers.Dense(2)
    assert (layer.dtype_policy.name, layer.compute_dtype, layer.variable_dtype) == ("mixed_float16", "float16", "float32")
    assert layer.get_config()["dtype"]["config"] == {"name": "mixed_float16"}
    assert layers.Dense(2, dtype="float32").compute_dtype == "float32"
    assert pyml.mixed_precision.global_policy() == pyml.mixed_precision.Policy("mixed_float16")


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", pyml.dtype_policies.DTypePolicy("mixed_float16")])
def test_a_layer_takes_a_policy_or_its_name_and_keeps_it_in_its_config(cpu, dtype):
    layer = layers.Dense(2, dtype=dtype)
    again = layers.Dense.from_config(layer.get_config())
    assert layer.dtype_policy == again.dtype_policy == pyml.dtype_policies.get(dtype)
    assert layer(X).shape == (64, 2)
    assert layer.kernel.dtype == "float32"


def test_a_layer_finds_its_policy_in_a_map_by_its_path(cpu):
    policies = pyml.dtype_policies.DTypePolicyMap(policy_map={"first": pyml.DTypePolicy("mixed_float16")})
    layer, other = layers.Dense(1, name="first", dtype=policies), layers.Dense(1, name="second", dtype=policies)
    assert (layer.compute_dtype, other.compute_dtype) == ("float16", "float32")
    assert layers.Dense.from_config(layer.get_config()).compute_dtype == "float16"


class Doubled(layers.Layer):
    def build(self, input_shape):
        self.inner = layers.Dense(2, dtype=self.dtype_policy, name="inner")
        self.inner.build(input_shape)

    def call(self, x):
        return self.inner(x) * 2


def test_a_layer_hands_its_map_of_policies_on_to_those_inside(cpu):
    inside = {"outer/inner": pyml.dtype_policies.get("int8_from_float32"), "outer": pyml.DTypePolicy("mixed_float16")}
    layer = Doubled(name="outer", dtype=pyml.dtype_policies.DTypePolicyMap("float32", inside))
    assert layer(X).shape == (64, 2) and layer.compute_dtype == "float16"
    assert (layer.inner.quantization_mode, layer.inner.kernel.dtype) == ("int8", "int8") and layer.quantization_mode is None
    again = Doubled.from_config(layer.get_config())
    assert layer.get_config() == again.get_config() and again.dtype_policy == layer.dtype_policy
    again.build(X.shape)
    again.set_weights(layer.get_weights())
    np.testing.assert_array_equal(again(X), layer(X))


def test_a_layer_that_has_no_quantized_weights_refuses_their_policy():
    with pytest.raises(DtypeError, match=r"Conv2D: the layer does not compute with weights of int8; Dense.*int8_from_float32"):
        layers.Conv2D(2, 3, dtype="int8_from_float32")


def test_a_loss_and_a_metric_take_a_policy(cpu):
    policy = pyml.DTypePolicy("float32")
    assert losses.MeanSquaredError(dtype=policy).dtype == pyml.metrics.Mean(dtype=policy).dtype == "float32"
