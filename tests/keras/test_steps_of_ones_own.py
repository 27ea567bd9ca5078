"""Steps of training that a user writes: functions of the state, with values for debugging, replayed; and what surrounds them."""

import numpy as np
import pytest

import pyml
from pyml import layers, ops


def rows(count=20):
    x = np.random.RandomState(0).rand(count, 3).astype("float32")
    return x, x[:, :2] * 2


class Stateless(pyml.Model):
    """The guides' style for JAX."""

    def compute_loss_and_updates(self, trained, others, x, y):
        y_pred, others = self.stateless_call(trained, others, x, training=True)
        return self.compute_loss(x, y, y_pred), (y_pred, others)

    def train_step(self, state, data):
        trained, others, optimizer, metrics = state
        x, y = data
        differentiated = pyml.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (loss, (y_pred, others)), grads = differentiated(trained, others, x, y)
        trained, optimizer = self.optimizer.stateless_apply(optimizer, grads, trained)
        updated, logs = [], {}
        for metric in self.metrics:
            own = metrics[len(updated):len(updated) + len(metric.variables)]
            given = (loss,) if metric.name == "loss" else (y, y_pred)
            own = metric.stateless_update_state(own, *given)
            logs[metric.name] = metric.stateless_result(own)
            updated += own
        return logs, (trained, others, optimizer, updated)


def network(cls):
    i = pyml.Input((3,))
    x = layers.BatchNormalization()(i)
    x = layers.Dropout(0.2, seed=3)(layers.Dense(4, "relu")(x))
    model = cls(i, layers.Dense(2)(x))
    model.set_weights([np.random.RandomState(k).rand(*w.shape).astype("float32") for k, w in enumerate(model.get_weights())])
    model.compile(pyml.optimizers.Adam(0.05), "mse", metrics=["mae"])
    return model


def test_a_step_as_a_function_of_the_state_trains_as_fit_does(cpu):
    x, y = rows()
    own, usual = network(Stateless), network(pyml.Model)
    histories = [model.fit(x, y, batch_size=10, epochs=3, verbose=0, shuffle=False).history for model in (own, usual)]
    for name, values in histories[1].items():
        np.testing.assert_allclose(histories[0][name], values, rtol=1e-4)
    for mine, theirs in zip(own.get_weights(), usual.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)


def test_a_stateless_call_leaves_the_model_alone_and_gives_its_losses(cpu):
    x, _ = rows()
    model = pyml.Sequential([pyml.Input((3,)), layers.BatchNormalization(), layers.Dense(2, kernel_regularizer="l2")])
    before = model.get_weights()
    values = [v.value * 2 for v in model.trainable_variables]
    outputs, state, losses = model.stateless_call(values, model.non_trainable_variables, x, training=True, return_losses=True)
    kernel = 2 * model.layers[1].kernel.numpy()
    np.testing.assert_allclose(float(losses[0]), 0.01 * (kernel ** 2).sum(), rtol=1e-4)
    assert outputs.shape == (20, 2) and np.abs(state[0].numpy()).max() > 0
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)) and not model.layers[1]._losses
    with pytest.raises(ValueError, match="corresponding 1:1"):
        model.stateless_call(values[1:], model.non_trainable_variables, x)
    with pytest.raises(ValueError, match="must be built"):
        layers.Dense(2).stateless_call([], [], x)
    with pytest.raises(ValueError, match="must be built"):
        pyml.optimizers.SGD().stateless_apply([], [], [])
    assert [v.tolist() for v in pyml.metrics.Mean().stateless_reset_state()] == [0.0, 0.0]


def test_the_state_of_training_goes_into_a_tree_and_back(cpu):
    x, y = rows()
    model = network(pyml.Model)
    model.fit(x, y, epochs=1, verbose=0)
    tree = model.get_state_tree("numpy_array")
    assert sorted(tree) == ["metrics_variables", "non_trainable_variables", "optimizer_variables", "trainable_variables"]
    assert tree["metrics_variables"]["loss"]["count"] == 20
    for form, kind in (("numpy_array", np.ndarray), ("backend_tensor", pyml.Tensor)):
        leaves = pyml.tree.flatten(model.get_state_tree(form))
        assert len(leaves) == len(pyml.tree.flatten(tree)) and {type(leaf) for leaf in leaves} == {kind}
    expected = model.fit(x, y, epochs=1, verbose=0, shuffle=False).history["loss"]
    model.set_state_tree(tree)
    assert model.fit(x, y, epochs=1, verbose=0, shuffle=False).history["loss"] == pytest.approx(expected)
    with pytest.raises(ValueError, match="no Variable"):
        model.set_state_tree({"trainable_variables": {"nowhere": 1.0}})
    state = [[v.value for v in group] for group in (model.trainable_variables, model.non_trainable_variables, model.metrics_variables)]
    before = model.get_metrics_result()["loss"].numpy()
    loss, parts = model.stateless_compute_loss(*state, x, y, y * 0, training=False)
    assert float(loss) == pytest.approx(float((y ** 2).mean()), rel=1e-5) and len(parts) == 3
    assert model.get_metrics_result()["loss"].numpy() == before


def test_run_eagerly_has_values_in_call_and_train_step(cpu):
    x, y = rows()
    seen = []

    class Watched(pyml.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, inputs):
            outputs = self.dense(inputs)
            if float(ops.max(ops.abs(outputs))) < 1e6:  # a branch on a value
                seen.append(outputs.numpy().shape)
            return outputs

        def train_step(self, data):
            x, y = data
            with pyml.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            assert loss > 0
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            return {"loss": loss, "number": float(loss)}

    model = Watched()
    model.compile("sgd", "mse", run_eagerly=True)
    history = model.fit(x, y, batch_size=10, epochs=2, verbose=0).history
    assert history["loss"] == pytest.approx(history["number"]) and seen.count((10, 2)) >= 4
    assert model.evaluate(x, y, verbose=0) > 0 and model.predict(x, verbose=0).shape == (20, 2)


@pytest.mark.parametrize("run_eagerly", [False, True])
def test_the_look_before_the_first_step_leaves_counters_and_random_numbers_where_they_were(cpu, run_eagerly):
    class Counting(pyml.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.drop = layers.Dense(2), layers.Dropout(0.5, seed=1)
            self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.calls.assign_add(1.0)
            return self.dense(self.drop(x, training=True))

    x, y = rows()
    model = Counting()
    model.build((None, 3))
    model.compile("sgd", "mse", run_eagerly=run_eagerly)
    start, seed = float(model.calls.numpy()), model.drop.seed_generator.state.numpy()
    model.fit(x, y, batch_size=10, epochs=2, verbose=0)
    model.evaluate(x, y, batch_size=10, verbose=0)
    assert float(model.calls.numpy()) - start == 6
    drawn = pyml.random.SeedGenerator(1)
    drawn.state.assign(seed)
    for _ in range(6):
        drawn.next()
    np.testing.assert_array_equal(model.drop.seed_generator.state.numpy(), drawn.state.numpy())


def test_rows_that_a_mask_picks_are_refused_in_fit_before_their_number_is_taken_for_a_fault(cpu):
    class Picking(pyml.Model):
        def call(self, x):
            return x[ops.sum(x, axis=-1) > 1]

    model = Picking()
    model.compile(loss="mse")
    with pytest.raises(pyml.errors.TraceError, match=r"tensor\[mask\] inside a program"):
        model.evaluate(*rows(), verbose=0)


def test_losses_that_calls_add_are_none_after_traced_steps_and_what_a_call_keeps_of_one_is_refused_with_the_cure(cpu):
    class Kept(pyml.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, kernel_regularizer="l2")

        def call(self, x):
            self.add_loss(ops.mean(x))
            self.last = self.dense(x)
            return self.last

    x, y = rows()
    model = Kept()
    model.compile("sgd", "mse")
    for run in (lambda: model.fit(x, y, verbose=0), lambda: model.evaluate(x, y, verbose=0), lambda: model.predict(x, verbose=0)):
        run()
        kernel = model.dense.kernel.numpy()
        np.testing.assert_allclose([float(loss) for loss in model.losses], [0.01 * (kernel ** 2).sum()], rtol=1e-5)
        with pytest.raises(pyml.errors.TraceError, match=r"or keep it in a Variable with assign\(\)"):
            model.last.numpy()
    model(x)
    assert len(model.losses) == 2


def test_fit_validates_with_an_evaluate_of_ones_own(cpu):
    class Reporting(pyml.Sequential):
        def evaluate(self, *args, **kwargs):
            return {**super().evaluate(*args, **kwargs), "rows": float(len(kwargs["x"]))}

    x, y = rows()
    model = Reporting([pyml.Input((x.shape[1],)), layers.Dense(y.shape[1])])
    model.compile("sgd", "mse", metrics=["mae"])
    seen = []

    class Ends(pyml.callbacks.Callback):
        def on_test_end(self, logs=None):
            seen.append(sorted(logs))

    history = model.fit(x, y, epochs=2, verbose=0, validation_split=0.25, callbacks=[Ends()]).history
    assert history["val_rows"] == [5.0, 5.0] and seen == [["loss", "mae"]] * 2
    assert sorted(history) == ["loss", "mae", "val_loss", "val_mae", "val_rows"]


def test_a_step_of_ones_own_runs_python_once_for_each_shape_of_batches(device):
    x, y = rows(25)
    runs = []

    class Counted(pyml.Model):
        def train_step(self, data):
            runs.append(data[0].shape)
            x, y = data
            known = ops.tile(x, ops.array([1, 2]))  # numbers are known while a step is traced
            same = ops.equal(y[:, :1], ops.transpose(y[:, :1]))
            normal = pyml.utils.normalize(x)
            return {"rows": ops.sum(ops.cast(same, "float32")) * 0 + x.shape[0], "norm": ops.sum(normal ** 2), "wide": known.shape[1]}

    i = pyml.Input((3,))
    model = Counted(i, layers.Dense(2)(i))
    model.compile("sgd")
    history = model.fit(x, y, batch_size=10, epochs=3, verbose=0).history
    assert sorted(runs) == [(5, 3), (10, 3)]
    assert history["rows"] == [5.0] * 3 and history["wide"] == [6.0] * 3
    assert history["norm"] == pytest.approx([5.0] * 3, rel=1e-4)


def test_a_loss_that_no_metric_has_taken_is_logged_as_it_is(cpu):
    class Bare(pyml.Model):
        def train_step(self, data):
            return {"loss": ops.mean(data[1]) * 0 + 3.0}

    i = pyml.Input((3,))
    model = Bare(i, layers.Dense(2)(i))
    model.compile("sgd")
    assert model.fit(*rows(), verbose=0).history == {"loss": [3.0]}


@pytest.mark.parametrize("run_eagerly", [False, True])
@pytest.mark.parametrize("updates", [False, True])
def test_logs_of_ones_own_step_are_the_same_however_it_is_run(updates, run_eagerly, cpu):
    class Own(pyml.Model):
        def call(self, x):
            return x

        def train_step(self, data):
            if updates:
                self.metrics[0].update_state(5.0)
            return {"loss": pyml.ops.sum(data[0])}

        test_step = train_step

    model, x = Own(), np.ones((4, 3), "float32")
    model.compile("sgd", run_eagerly=run_eagerly)
    want = 5.0 if updates else 12.0                   # the result of the metric of that name, once something has been put into it
    found = [model.train_on_batch(x, x), model.test_on_batch(x, x), model.evaluate(x, x, verbose=0)]
    assert [*found, *model.fit(x, x, epochs=2, verbose=0).history["loss"], model.train_on_batch(x, x)] == [want] * 6


def test_a_model_of_two_networks_without_a_call_trains_with_optimizers_of_its_own(cpu):
    class Pair(pyml.Model):
        def __init__(self):
            super().__init__()
            self.one = pyml.Sequential([pyml.Input((3,)), layers.Dense(3)])
            self.other = pyml.Sequential([pyml.Input((3,)), layers.Dense(1)])
            self.trackers = [pyml.metrics.Mean(name="a"), pyml.metrics.Mean(name="b")]

        def compile(self, first, second):
            super().compile()
            self.first, self.second = first, second

        def train_step(self, x):
            for net, optimizer, tracker in ((self.one, self.first, self.trackers[0]), (self.other, self.second, self.trackers[1])):
                with pyml.GradientTape() as tape:
                    loss = ops.mean(ops.square(self.other(self.one(x)) - 1.0))
                optimizer.apply(tape.gradient(loss, net.trainable_weights), net.trainable_weights)
                tracker.update_state(loss)
            return {m.name: m.result() for m in self.trackers}

    model = Pair()
    model.compile(pyml.optimizers.Adam(0.05), pyml.optimizers.SGD(0.05))
    seen = []

    class Logs(pyml.callbacks.Callback):
        def on_train_begin(self, logs=None):
            seen.append(logs)

        def on_train_batch_begin(self, batch, logs=None):
            seen.append(logs)

        def on_train_batch_end(self, batch, logs=None):
            seen.append(sorted(logs))

    history = model.fit(rows()[0], batch_size=10, epochs=8, verbose=0, callbacks=[Logs()]).history
    assert sorted(history) == ["a", "b"] and history["a"][-1] < history["a"][0]
    assert seen[:3] == [{}, {}, ["a", "b"]]


def test_steps_per_epoch_take_what_the_last_epoch_has_left_and_class_weights_count(cpu):
    asked = []

    class Rows(pyml.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            asked.append(index)
            return np.full((2, 3), index, "float32"), np.array([0, 1])

    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(2, "softmax", kernel_initializer="zeros")])
    model.compile(pyml.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    with pytest.warns(UserWarning, match="ran out of data after 1 of the 2 steps"):
        history = model.fit(Rows(), steps_per_epoch=2, epochs=3, shuffle=False, verbose=0, class_weight={0: 1.0, 1: 3.0}).history
    assert asked[-5:] == [0, 1, 2, 0, 1]
    assert history["loss"] == pytest.approx([2 * np.log(2)] * 3, rel=1e-4)


def shapes(data):
    """The shapes in a batch, nested as they came."""
    if isinstance(data, dict):
        return {key: shapes(part) for key, part in data.items()}
    return tuple(shapes(part) for part in data) if isinstance(data, (list, tuple)) else tuple(data.shape)


def test_steps_of_ones_own_get_the_batches_of_iterators_as_they_are(cpu):
    x, y = rows(8)
    seen = {}

    class Own(pyml.Model):
        def noted(self, kind, data):
            seen[kind] = shapes(data)
            return {"parts": len(data)}

        def train_step(self, data):
            return self.noted("fit", data)

        def test_step(self, data):
            return self.noted("evaluate", data)

        def predict_step(self, data):
            self.noted("predict", data)
            return self(data[0] if isinstance(data, tuple) else data, training=False)

    def batches(*parts):
        yield from (tuple(part[k:k + 4] for part in parts) for k in (0, 4))

    def model():
        i = pyml.Input((3,))
        own = Own(i, layers.Dense(2)(i))
        own.compile("sgd")
        return own

    four = {"fit": model().fit(batches(x, y, y[:, 0], x), verbose=0).history["parts"],
            "evaluate": [model().evaluate(pyml.data.Dataset.from_tensor_slices((x, y, y[:, 0], x)).batch(4), verbose=0)],
            "predict": model().predict(batches(x, y, y[:, 0], x), verbose=0).shape}
    assert four == {"fit": [4.0], "evaluate": [4.0], "predict": (8, 2)}
    assert set(seen.values()) == {((4, 3), (4, 2), (4,), (4, 3))}
    model().predict(batches(x, y), verbose=0)
    assert seen["predict"] == ((4, 3), (4, 2))
    model().predict(x, verbose=0)
    assert seen["predict"] == (8, 3)
    model().fit(batches(x), verbose=0)
    assert seen["fit"] == ((4, 3),)
    model().fit([x, y], verbose=0)
    assert seen["fit"] == (((8, 3), (8, 2)),)
    plain = pyml.Sequential([pyml.Input((3,)), layers.Dense(2)])
    plain.compile("sgd", "mse")
    with pytest.raises(ValueError, match="a tuple of 4 values"):
        plain.fit(batches(x, y, y[:, 0], x), verbose=0)


def test_mixed_float16_scales_the_loss_by_itself(cpu):
    x, y = rows()
    pyml.config.set_dtype_policy("mixed_float16")
    try:
        model = pyml.Sequential([pyml.Input((3,)), layers.Dense(2)])
        model.compile(pyml.optimizers.SGD(0.1), "mse")
        assert type(model.optimizer) is pyml.optimizers.LossScaleOptimizer and model.optimizer.name == "loss_scale_optimizer"
        history = model.fit(x, y, epochs=5, verbose=0).history["loss"]
        assert history[-1] < history[0]
        assert model.get_compile_config()["optimizer"]["class_name"] == "SGD"
        copy = pyml.Sequential.from_config(model.get_config())
        copy.compile_from_config(model.get_compile_config())
        assert type(copy.optimizer.inner_optimizer) is pyml.optimizers.SGD
        model.compile("sgd", "mse", auto_scale_loss=False)
        assert type(model.optimizer) is pyml.optimizers.SGD
        scaled = pyml.optimizers.LossScaleOptimizer(pyml.optimizers.SGD(0.1))
        model.compile(scaled, "mse")
        assert model.optimizer is scaled and model.get_compile_config()["optimizer"]["class_name"] == "LossScaleOptimizer"
    finally:
        pyml.config.set_dtype_policy("float32")


def test_layers_frozen_after_compile_are_trained_on_and_the_user_is_told_once(cpu):
    x, y = rows()
    model = pyml.Sequential([pyml.Input((3,)), layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)
    model.layers[0].trainable = False
    before = model.layers[0].kernel.numpy()
    with pytest.warns(UserWarning, match="compile the model again") as told:
        model.fit(x, y, verbose=0)
        model.fit(x, y, verbose=0)
    assert len(told) == 1 and not np.array_equal(before, model.layers[0].kernel.numpy())
    model.compile("sgd", "mse")
    before = model.layers[0].kernel.numpy()
    with pytest.warns(UserWarning, match="any trainable weights"):
        model.fit(x, y, verbose=0)
    assert np.array_equal(before, model.layers[0].kernel.numpy())


def test_a_graph_of_one_output_in_a_list_gives_a_tensor_for_values_and_a_list_for_symbols(cpu):
    i = pyml.Input((3,))
    model = pyml.Model([i], [layers.Dense(2)(i)])
    assert model(rows()[0]).shape == (20, 2) and model.predict(rows()[0], verbose=0).shape == (20, 2)
    assert [t.shape for t in model(pyml.Input((3,)))] == [(None, 2)]


class Wrapped(pyml.Model):
    """Step functions around those that come with a model."""

    def make_train_function(self, force=False):
        super().make_train_function(force)
        inner = self.train_function

        def step(iterator):
            logs = inner(iterator)
            self.seen.append(float(logs["loss"]))
            return {**logs, "steps": len(self.seen)}

        self.train_function = step

    def make_predict_function(self, force=False):
        inner = super().make_predict_function(force)
        self.predict_function = lambda iterator: inner(iterator) * 2.0


def test_functions_around_the_steps_run_for_every_batch_and_log_what_they_return(cpu):
    x, y = rows()
    own, usual = network(Wrapped), network(pyml.Model)
    own.seen = []
    found, wanted = (model.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False).history for model in (own, usual))
    assert found.pop("steps") == [3, 6] and len(own.seen) == 6
    for name, values in wanted.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-5)
    np.testing.assert_allclose(own.predict(x, verbose=0), 2 * usual.predict(x, verbose=0), rtol=1e-5)
    assert own.evaluate(x, y, verbose=0) == pytest.approx(usual.evaluate(x, y, verbose=0), rel=1e-5) and own.test_function is None
    assert own.train_on_batch(x, y, return_dict=True)["steps"] == 7


def test_a_function_of_ones_own_is_the_step_until_compile(cpu):
    x, y = rows()
    model = network(pyml.Model)
    model.train_function = lambda data: {"loss": ops.sum(next(data)[0])}
    assert model.fit(x, y, batch_size=10, epochs=1, verbose=0, shuffle=False).history["loss"] == [pytest.approx(x[10:].sum(), rel=1e-5)]
    model.compile("sgd", "mse")
    assert model.train_function is None
    batches = iter([(x, y), (x, y)])
    step = model.make_train_function()
    first, second = float(step(batches)["loss"]), float(step(batches)["loss"])
    assert second < first and next(batches, None) is None and model.make_train_function() is step


def test_steps_called_one_by_one_leave_no_penalties_behind(cpu):
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(1, activity_regularizer="l2")])
    model.compile("sgd", "mse")
    batches = [(np.ones((4, 3)), np.ones((4, 1)))]
    for step in (model.make_train_function(), model.make_test_function(), model.make_predict_function()):
        for _ in range(2):
            step(batches)
            assert model.losses == []


class OfKeras2(pyml.Model):
    """A step as books on Keras 2 write it."""

    def train_step(self, data):
        x, y = data
        with pyml.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
        self.optimizer.apply_gradients(zip(tape.gradient(loss, self.trainable_weights), self.trainable_weights, strict=True))
        self.compiled_metrics.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


@pytest.mark.filterwarnings("ignore:.model.compiled_:UserWarning")
def test_a_step_with_the_compiled_loss_and_metrics_of_keras_2_logs_what_fit_logs(cpu):
    x = np.random.default_rng(0).random((32, 4), "float32")
    y = (x.sum(1) > 2).astype("int32")
    logged = []
    for cls in (OfKeras2, pyml.Model):
        pyml.utils.set_random_seed(1)
        inputs = pyml.Input((4,))
        model = cls(inputs, pyml.layers.Dense(2, "softmax", kernel_regularizer="l2")(inputs))
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        logged.append(model.fit(x, y, epochs=2, batch_size=10, verbose=0, shuffle=False).history)
    assert set(logged[0]) == {"loss", "accuracy"}
    for name, values in logged[1].items():
        assert logged[0][name] == pytest.approx(values)


def test_compiled_metrics_say_what_took_their_place_and_that_compile_makes_them(cpu):
    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
    with pytest.raises(ValueError, match="call compile"):
        _ = model.compiled_metrics
    model.compile("sgd", "mse", metrics=["mae"])
    with pytest.warns(UserWarning, match="use `model.compute_loss") as told:
        model.compiled_loss(np.ones((3, 1)), np.zeros((3, 1), "float32"))
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match="use `model.compute_metrics"):
        model.compiled_metrics.update_state(np.ones((3, 1)), np.zeros((3, 1), "float32"))
