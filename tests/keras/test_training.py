"""fit, evaluate, predict and the on_batch methods."""

import asyncio
import contextlib
import itertools
import warnings

import numpy as np
import pytest
from helpers import assert_same_weights, blobs, classifier

import pyml
from pyml.trainers import resident


def test_a_classifier_learns(device):
    x, y = blobs()
    model = classifier(optimizer=pyml.optimizers.Adam(0.05))
    history = model.fit(x, y, epochs=8, batch_size=16, verbose=0)
    assert history.history["accuracy"][-1] > 0.95
    assert history.history["loss"][-1] < history.history["loss"][0]
    assert (model.predict(x, verbose=0).argmax(1) == y).mean() > 0.95


def test_replayed_steps_leave_the_same_weights_as_traced_steps(device):
    x, y = blobs(20)
    replayed, traced = classifier(dropout=0.4), classifier(dropout=0.4)
    replayed.fit(x, y, batch_size=16, shuffle=False, verbose=0)            # a whole batch and a short one
    with pyml.config.without_replay():
        traced.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    assert_same_weights(replayed, traced, 1e-6)


def test_a_dataset_on_the_device_trains_like_one_sent_batch_by_batch(monkeypatch):
    x, y = blobs(50)
    on_device, sent = classifier(), classifier()
    weight = np.linspace(0, 1, 50).astype("float32")
    on_device.fit(x, y, epochs=2, batch_size=16, shuffle=False, verbose=0, sample_weight=weight)
    monkeypatch.setattr(resident, "LIMIT", 0)
    sent.fit(x, y, epochs=2, batch_size=16, shuffle=False, verbose=0, sample_weight=weight)
    assert_same_weights(on_device, sent, 1e-6)


def test_fit_yields_to_the_event_loop_and_returns_what_fit_returns():
    x, y = blobs()
    waited, awaited = classifier(), classifier()
    expected = waited.fit(x, y, epochs=3, shuffle=False, verbose=0)
    ticks = 0

    async def ticking():
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async def main():
        other = asyncio.ensure_future(ticking())
        history = await awaited.fit_async(x, y, epochs=3, shuffle=False, verbose=0)
        scores = await awaited.evaluate_async(x, y, verbose=0)
        predictions = await awaited.predict_async(x, verbose=0)
        other.cancel()
        return history, scores, predictions

    history, scores, predictions = asyncio.run(main())
    assert history.history == expected.history
    assert scores == waited.evaluate(x, y, verbose=0)
    np.testing.assert_array_equal(predictions, waited.predict(x, verbose=0))
    assert ticks > 5


def test_fit_twice_with_data_of_the_same_shape_traces_once_and_uses_the_new_data():
    x, y = blobs(48)
    model = classifier(optimizer=pyml.optimizers.SGD(0.0))
    first = model.fit(x, y, batch_size=16, verbose=0).history["loss"]
    programs = dict(model._step_programs.programs)
    second = model.fit(x * 3, y, batch_size=16, verbose=0).history["loss"]
    assert model._step_programs.programs == programs
    assert second != first
    assert model.evaluate(x * 3, y, verbose=0)[0] == pytest.approx(second[0], rel=1e-5)


def test_shuffling_repeats_with_the_seed():
    x, y = blobs()
    runs = []
    for _ in range(2):
        model = classifier(seed=11)
        runs.append(model.fit(x, y, epochs=2, batch_size=7, verbose=0).history["loss"])
    assert runs[0] == runs[1]
    assert runs[0] != classifier(seed=12).fit(x, y, epochs=2, batch_size=7, verbose=0).history["loss"]


def test_validation_split_takes_the_last_samples():
    x, y = blobs(40)
    model = classifier(optimizer=pyml.optimizers.SGD(0.0))
    history = model.fit(x, y, validation_split=0.25, verbose=0).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(x[30:], y[30:], verbose=0)[0], rel=1e-5)
    assert history["loss"][0] == pytest.approx(model.evaluate(x[:30], y[:30], verbose=0)[0], rel=1e-5)


def test_steps_per_epoch_goes_on_where_the_last_epoch_stopped():
    x = np.arange(10, dtype="float32")[:, None]
    model = pyml.Sequential([pyml.Input((1,)), pyml.layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.compile(pyml.optimizers.SGD(0.0), "mae")
    with pytest.warns(UserWarning, match="ran out of data after 1 of the 2 steps"):
        history = model.fit(x, 0 * x, batch_size=4, epochs=3, steps_per_epoch=2, shuffle=False, verbose=0)
    # batches 0-3, 4-7 | 8-9, where the data ends | 0-3, 4-7
    assert history.history["loss"] == pytest.approx([3.5, 8.5, 3.5])


def test_generators_and_datasets_of_batches():
    x, y = blobs(64)

    def batches():
        while True:
            for i in range(0, 64, 16):
                yield x[i:i + 16], y[i:i + 16]

    class Dataset(pyml.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return x[16 * index:16 * index + 16], y[16 * index:16 * index + 16]

    from_arrays, from_generator, from_dataset = classifier(), classifier(), classifier()
    expected = from_arrays.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0).history
    generated = from_generator.fit(batches(), steps_per_epoch=4, epochs=2, verbose=0).history
    indexed = from_dataset.fit(Dataset(), epochs=2, shuffle=False, verbose=0).history
    for history in (generated, indexed):
        assert history["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    np.testing.assert_allclose(from_dataset.predict(Dataset(), verbose=0), from_arrays.predict(x, verbose=0), atol=1e-6)


def test_on_batch_methods_return_the_values_of_their_batch():
    x, y = blobs(32)
    model = classifier(optimizer=pyml.optimizers.SGD(0.0))
    first, second = (model.evaluate(x[rows], y[rows], verbose=0) for rows in (slice(0, 16), slice(16, 32)))
    assert model.train_on_batch(x[:16], y[:16]) == pytest.approx(first, rel=1e-5)
    assert model.train_on_batch(x[16:], y[16:]) == pytest.approx(second, rel=1e-5)
    named = model.test_on_batch(x[16:], y[16:], return_dict=True)
    assert named == {"accuracy": pytest.approx(second[1]), "loss": pytest.approx(second[0], rel=1e-5)}
    np.testing.assert_allclose(model.predict_on_batch(x), model.predict(x, verbose=0), atol=1e-6)


def test_a_short_batch_is_computed_by_itself_as_its_rows_may_mix():
    class Share(pyml.layers.Layer):
        def call(self, inputs):
            return inputs / inputs.shape[0]

    inputs = pyml.Input((2,))
    model = pyml.Model(inputs, [inputs - pyml.ops.mean(inputs, axis=0), Share()(inputs)])
    x = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    for rows in range(1, 20):
        batch = np.resize(x, (rows, 2))
        centred, divided = model.predict(batch, verbose=0)
        np.testing.assert_allclose(centred, batch - batch.mean(0), atol=1e-6)
        np.testing.assert_allclose(divided, batch / rows, rtol=1e-6)
    centred = model.predict(x, batch_size=4, verbose=0)[0]
    np.testing.assert_allclose(centred[8], 0, atol=1e-6)                       # the last batch is one row


def test_predict_compiles_for_few_sizes_and_cuts_the_result():
    x, _ = blobs(77)
    model = classifier()
    whole = model.predict(x, batch_size=77, verbose=0)
    for size in (1, 5, 32, 100):
        np.testing.assert_allclose(model.predict(x, batch_size=size, verbose=0), whole, atol=1e-6)
    assert len(model._step_programs.programs[("predict",)].captures) <= 7
    for size in range(33, 60):
        np.testing.assert_allclose(model.predict(x[:size], batch_size=64, verbose=0), whole[:size], atol=1e-6)
    assert len(model._step_programs.programs[("predict",)].captures) <= 12


def test_a_subclassed_model_with_a_train_step_of_its_own():
    class Mine(pyml.Model):
        def __init__(self):
            super().__init__()
            self.hidden = [pyml.layers.Dense(8, activation="relu")]
            self.out = pyml.layers.Dense(3, activation="softmax")

        def call(self, inputs, training=False):
            for layer in self.hidden:
                inputs = layer(inputs)
            return self.out(inputs)

        def train_step(self, data):
            x, y = data  # as in Keras: weights come where fit gets some
            y_pred = self(x, training=True)
            loss = self.compute_loss(x, y, y_pred)
            grads = pyml.core.gradients(loss, self.trainable_variables)
            self.optimizer.apply(grads, self.trainable_variables)
            for metric in self.metrics:
                metric.update_state(loss) if metric.name == "loss" else metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    x, y = blobs()
    model = Mine()
    model.compile(pyml.optimizers.Adam(0.05), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=6, verbose=0).history
    assert history["accuracy"][-1] > 0.9
    assert model.count_params() == 6 * 8 + 8 + 8 * 3 + 3


def test_run_eagerly_gives_the_same_history():
    x, y = blobs(40)
    compiled, eager = classifier(), classifier(run_eagerly=True)
    expected = compiled.fit(x, y, batch_size=16, shuffle=False, verbose=0).history
    assert eager.fit(x, y, batch_size=16, shuffle=False, verbose=0).history["loss"] == pytest.approx(expected["loss"])


def test_losses_added_by_layers_and_regularizers_count():
    class Penalty(pyml.layers.Layer):
        def call(self, inputs):
            self.add_loss(0.5)
            return inputs

    x = np.ones((8, 2), "float32")
    model = pyml.Sequential([pyml.Input((2,)), Penalty(), pyml.layers.Dense(
        1, kernel_initializer="ones", kernel_regularizer=pyml.regularizers.L2(0.25), activity_regularizer="l1")])
    model.compile("sgd", "mse")
    # 0.5, 0.25 * (1 + 1), 0.01 * 2 (the mean over the samples), (2 - 0)^2
    assert model.evaluate(x, np.zeros((8, 1)), verbose=0) == pytest.approx(0.5 + 0.5 + 0.02 + 4, rel=1e-5)


def test_the_number_of_live_buffers_does_not_grow():
    import gc

    from pyml.device.base import Buffer

    x, y = blobs(64)
    model = classifier()
    counts = []
    for _ in range(4):
        model.fit(x, y, epochs=3, verbose=0)
        gc.collect()
        counts.append(sum(isinstance(o, Buffer) for o in gc.get_objects()))
    assert counts[1] == counts[-1]


def test_multi_input_dicts_and_dict_outputs():
    a, b = pyml.Input((2,), name="a"), pyml.Input((3,), name="b")
    model = pyml.Model({"a": a, "b": b}, {"sum": pyml.layers.Dense(1, name="sum")(pyml.layers.concatenate([a, b])),
                                          "double": pyml.layers.Dense(2, name="double")(a)})
    model.compile("sgd", {"sum": "mse", "double": "mae"}, metrics={"sum": ["mae"]})
    x = {"a": np.ones((8, 2), "float32"), "b": np.ones((8, 3), "float32")}
    y = {"sum": np.ones((8, 1), "float32"), "double": np.ones((8, 2), "float32")}
    history = model.fit(x, y, verbose=0).history
    assert {"loss", "sum_loss", "double_loss", "sum_mae"} <= set(history)
    out = model.predict(x, verbose=0)
    assert {name: value.shape for name, value in out.items()} == {"sum": (8, 1), "double": (8, 2)}


def test_a_model_without_an_input_is_built_by_its_first_data():
    x, y = blobs(20)
    model = pyml.Sequential([pyml.layers.Dense(4, activation="relu"), pyml.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, y, verbose=0)
    assert model.output_shape == (None, 3)
    assert isinstance(model.evaluate(x, y, verbose=0), float)


def test_a_schedule_is_computed_on_the_device():
    x, y = blobs(40)
    schedule = pyml.optimizers.schedules.PiecewiseConstantDecay([1], [0.1, 0.0])
    model, other = classifier(optimizer=pyml.optimizers.SGD(schedule)), classifier(optimizer=pyml.optimizers.SGD(0.1))
    model.fit(x, y, batch_size=10, shuffle=False, verbose=0)
    other.fit(x[:20], y[:20], batch_size=10, shuffle=False, verbose=0)     # the rate is 0 from the third step on
    assert_same_weights(model, other)


def test_binary_targets_without_a_last_axis():
    x, y = blobs(60, classes=2)
    model = pyml.Sequential([pyml.Input((6,)), pyml.layers.Dense(1, activation="sigmoid")])
    model.compile(pyml.optimizers.Adam(0.1), "binary_crossentropy", metrics=["accuracy"])
    flat = model.evaluate(x, y, verbose=0)
    assert flat == pytest.approx(model.evaluate(x, y[:, None], verbose=0))
    assert model.fit(x, y, epochs=10, verbose=0).history["accuracy"][-1] > 0.9


def test_setting_the_learning_rate_needs_no_new_trace():
    x, y = blobs(40)
    model = classifier(optimizer=pyml.optimizers.SGD(0.5))
    model.train_on_batch(x, y)
    model.optimizer.learning_rate = 0.0
    before = model.get_weights()
    model.train_on_batch(x, y)
    np.testing.assert_array_equal(before[0], model.get_weights()[0])
    assert len(model._step_programs.programs[("train_on_batch",)].captures) == 1


def test_compiling_again_starts_the_optimizer_anew():
    x, y = blobs(40)
    model = classifier()
    model.fit(x, y, verbose=0)
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=[])
    assert list(model.fit(x, y, verbose=0).history) == ["loss"]
    assert int(model.optimizer.iterations.numpy()) == 2


def test_compiling_again_keeps_the_loss_and_the_metrics_that_are_not_given_anew():
    x, y = np.ones((8, 4), "float32"), np.ones((8, 1), "float32")
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(1)])
    for options, names, loss in (
        ({"loss": "mse", "metrics": ["mae"]}, {"loss", "mae"}, "mse"),
        ({}, {"loss", "mae"}, "mse"),
        ({"loss": "mae"}, {"loss", "mae"}, "mae"),
        ({"weighted_metrics": ["mse"]}, {"loss", "mse"}, "mae"),
        ({"metrics": []}, {"loss"}, "mae"),
    ):
        model.compile("sgd", **options)
        assert (set(model.fit(x, y, verbose=0).history), model.loss) == (names, loss), options


def test_a_softmax_of_one_unit_warns():
    model = pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(1, activation="softmax")])
    with pytest.warns(UserWarning, match=r"axis -1, which has size 1.*sigmoid"):
        model.predict(np.ones((2, 4), "float32"), verbose=0)
    with warnings.catch_warnings(action="error"):  # once for a layer, however often it is traced
        model.predict(np.ones((3, 4), "float32"), batch_size=3, verbose=0)


def batches(count, rows=4):
    x, y = blobs(count * rows)
    yield from ((x[i * rows : (i + 1) * rows], y[i * rows : (i + 1) * rows]) for i in range(count))


@pytest.mark.parametrize(("count", "options", "epochs", "told"), [
    (5, {"epochs": 2}, 1, "epoch 2 of 2"),
    (4, {"epochs": 3, "steps_per_epoch": 3}, 2, "epoch 2 of 3"),
    (3, {"epochs": 3, "steps_per_epoch": 3}, 1, "epoch 2 of 3"),
])  # fmt: skip
def test_a_generator_that_ends_early_ends_the_training_with_a_warning(count, options, epochs, told):
    model = classifier()
    with pytest.warns(UserWarning, match=f"ran out of data in {told}"):
        history = model.fit(batches(count), verbose=0, **options)
    assert len(history.history["loss"]) == epochs
    assert int(model.optimizer.iterations.numpy()) == count


def test_a_generator_of_just_enough_batches_warns_of_nothing(recwarn):
    history = classifier().fit(batches(6), epochs=2, steps_per_epoch=3, verbose=0)
    assert len(history.history["loss"]) == 2
    assert not [w for w in recwarn if "ran out" in str(w.message)]


@pytest.mark.parametrize(("count", "steps", "wanted"), [
    (None, 3, [0.33388, 0.45678, 0.58549]), (7, 3, [0.33388, 0.45678, 0.58549]), (3, None, [0.33388, 0.17119, 0.14471]),
])  # fmt: skip
def test_a_validation_with_a_generator_goes_on_after_its_first_two_batches_as_in_keras(count, steps, wanted):
    def made(count):
        for i in itertools.count() if count is None else range(count):
            yield np.full((4, 3), 0.1 * (i + 1), "float32"), np.full((4, 2), 0.05 * i, "float32")

    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(2, kernel_initializer="ones")])
    model.compile(pyml.optimizers.SGD(0.01), "mse")
    history = model.fit(made(None), steps_per_epoch=2, epochs=3, validation_data=made(count), validation_steps=steps, verbose=0).history
    np.testing.assert_allclose(history["loss"], [0.19451, 0.8418, 1.8986], rtol=1e-4)
    np.testing.assert_allclose(history["val_loss"], wanted, rtol=1e-4)


@pytest.mark.parametrize(("frequency", "validated"), [
    (1, [0, 1, 2, 3]), (2, [1, 3]), (np.int64(2), [1, 3]), (3, [2]), ([1, 4], [0, 3]), ((2,), [1]), (range(1, 4), [0, 1, 2]), (5, []),
])  # fmt: skip
def test_validation_comes_after_every_so_many_epochs_or_those_of_a_list(frequency, validated):
    x, y = blobs(20)
    seen = []
    heard = pyml.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(epoch) if "val_loss" in logs else None)
    classifier().fit(x, y, epochs=4, verbose=0, validation_data=(x, y), validation_freq=frequency, callbacks=[heard])
    assert seen == validated


def test_a_set_of_numbers_is_no_data():
    with pytest.raises(TypeError, match=r"predict: x must be arrays .* Received: \{1, 2\} \(set\)"):
        classifier().predict({1, 2})


@pytest.mark.parametrize("rows", [3, 4, 40])
def test_predict_keeps_all_rows_of_outputs_that_are_no_rows_of_the_batch(device, rows):
    inputs = pyml.Input((None, 3))
    model = pyml.Model(inputs, [pyml.ops.reshape(inputs, (-1, 2, 6)), inputs * 2.0])
    x = np.arange(rows * 24, dtype="float32").reshape(rows, 8, 3)
    pieces, twice = model.predict(x, verbose=0)
    np.testing.assert_array_equal(pieces, x.reshape(-1, 2, 6))
    np.testing.assert_array_equal(twice, 2 * x)


def test_as_in_keras_only_a_call_that_names_training_hears_of_it_in_fit(cpu):
    heard = []

    class Hears(pyml.layers.Layer):
        def call(self, x, training=None):
            heard.append(training)
            return x

    class Quiet(pyml.Model):
        def __init__(self, inner):
            super().__init__()
            self.inner, self.norm, self.out = inner, pyml.layers.BatchNormalization(), pyml.layers.Dense(1)

        def call(self, x):
            return self.out(self.norm(self.inner(x)))

    class Named(Quiet):
        def call(self, x, training=None):
            return super().call(x)

    x, y = np.full((8, 3), 5.0, "float32"), np.ones((8, 1), "float32")
    for cls, trains, answers in ((Quiet, None, None), (Named, True, False)):
        model = cls(pyml.Sequential([Hears()]))
        model.compile("sgd", "mse", run_eagerly=True)
        model.evaluate(x, y, verbose=0)
        del heard[:]
        model.predict(x, verbose=0)
        assert set(heard) == {answers}
        del heard[:]
        with contextlib.nullcontext() if trains else pytest.warns(UserWarning, match="no `training` argument.*: batch_normalization"):
            model.train_on_batch(x, y)
        assert heard[-1] is trains
        assert bool(np.any(model.norm.moving_mean.numpy())) is bool(trains)
        del heard[:]
        model(x, training=True)
        assert heard == [True]


def test_a_loss_in_a_list_of_its_own_is_that_loss(cpu):
    x = pyml.Input((2,))
    outputs = {"a": pyml.layers.Dense(1, name="a", kernel_initializer="ones")(x), "b": pyml.layers.Dense(1, name="b")(x)}
    model, one, zero = pyml.Model(x, outputs), np.ones((4, 2), "f4"), np.zeros((4, 1), "f4")
    found = []
    for wrap in (lambda given: given, lambda given: [given]):
        model.compile("sgd", {"a": wrap("mse"), "b": wrap("mae")}, loss_weights={"a": wrap(0.5), "b": wrap(0.0)})
        found.append(model.evaluate(one, {"a": zero, "b": zero}, verbose=0, return_dict=True))
    assert found[0] == found[1] and found[0]["loss"] == pytest.approx(2.0)


def test_a_variable_among_loss_weights_is_read_in_every_step(cpu):
    share = pyml.Variable(1.0, trainable=False)
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1, kernel_initializer="ones", use_bias=False)])
    model.compile("sgd", "mse", loss_weights=[share])
    for factor in (1.0, 5.0):
        share.assign(factor)
        assert model.evaluate(np.ones((4, 2), "f4"), np.zeros((4, 1), "f4"), verbose=0) == pytest.approx(4 * factor)


def _nested_outputs():
    x = pyml.Input((2,))
    constant = pyml.initializers.Constant
    y1, y2, y3 = (pyml.layers.Dense(1, kernel_initializer=constant(n), use_bias=False, name=f"y{n}")(x) for n in (1, 2, 3))
    return pyml.Model(x, {"a": (y1, y2), "b": y3})  # 2, 4 and 6 for ones


_SUM = lambda true, pred: pyml.ops.sum(true[0] + pred[0]) + pyml.ops.sum(pred[1])


@pytest.mark.parametrize(("loss", "factors", "weight", "want"), [
    ({"a": "mse", "b": "mae"}, None, None, {"loss": 16.0, "a_loss": 10.0, "b_loss": 6.0}),
    ({"a": "mse", "b": "mae"}, {"a": 2.0, "b": 1.0}, None, {"loss": 26.0, "a_loss": 10.0, "b_loss": 6.0}),
    ({"a": "mse", "b": "mae"}, None, [1.0, 2.0, 3.0, 4.0], {"loss": 40.0, "a_loss": 25.0, "b_loss": 15.0}),
    ({"a": ["mse", ("mse", None)], "b": "mae"}, None, None, {"loss": 20.0, "a_loss": 10.0, "a/y1_loss": 4.0, "b_loss": 6.0}),
    ({"a": _SUM, "b": "mae"}, None, None, {"loss": 30.0, "a_loss": 24.0, "b_loss": 6.0}),
    ([lambda true, pred: pred["b"][:, 0] + pred["a"][1][:, 0], {"b": "mae"}], [3.0, {"b": 1.0}], None,
     {"loss": 36.0, "a_b_loss": 10.0, "b_loss": 6.0}),
])  # fmt: skip
def test_a_loss_of_a_nested_part_gets_the_part_as_it_is_nested(loss, factors, weight, want, cpu):
    """The numbers of Keras 3.15."""
    model, x, zero = _nested_outputs(), np.ones((4, 2), "f4"), np.zeros((4, 1), "f4")
    model.compile("sgd", loss, loss_weights=factors)
    targets, weight = {"a": (zero, zero), "b": zero}, None if weight is None else np.array(weight)
    assert model.evaluate(x, targets, sample_weight=weight, verbose=0, return_dict=True) == pytest.approx(want)
    assert np.isfinite(model.fit(x, targets, sample_weight=weight, verbose=0).history["loss"][0])


def test_steps_share_out_arrays_where_no_batch_size_is_said(cpu):
    """As in Keras: 10 samples in 4 steps are batches of 3 in `fit`, `evaluate`, `predict` and in validation."""
    model = pyml.Sequential([pyml.Input((1,)), pyml.layers.Dense(1)])
    model.compile(pyml.optimizers.SGD(0.0), "mse")
    x, seen = np.arange(10.0)[:, None], []
    note = pyml.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(("train", batch, logs["loss"])))
    note.on_test_batch_end = lambda batch, logs: seen.append(("test", batch, logs["loss"]))
    note.on_predict_batch_end = lambda batch, logs: seen.append(("predict", batch, len(logs["outputs"])))
    model.layers[0].set_weights([np.zeros((1, 1)), np.zeros(1)])
    data = {"validation_data": (x, x), "validation_steps": 2}
    model.fit(x, x, steps_per_epoch=4, shuffle=False, verbose=0, callbacks=[note], **data)
    mean = lambda n: float(np.mean(np.arange(n) ** 2))
    means = [("train", i, pytest.approx(mean(n))) for i, n in enumerate((3, 6, 9, 10))] + [
        ("test", 0, pytest.approx(mean(5))), ("test", 1, pytest.approx(mean(10)))]
    assert seen == means
    seen.clear()
    model.evaluate(x, x, steps=5, verbose=0, callbacks=[note])
    model.predict(x, steps=4, verbose=0, callbacks=[note])
    assert seen == [("test", i, pytest.approx(mean(2 * i + 2))) for i in range(5)] + [
        ("predict", i, n) for i, n in enumerate((3, 3, 3, 1))]
