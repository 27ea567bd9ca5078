"""Names and paths as Keras has them: `model.metrics`, and the Variables of metrics and optimizers, in the order that files have."""

import numpy as np
import pytest

import pyml
from pyml import layers

X, Y = np.linspace(-1, 1, 32, dtype="float32").reshape(8, 4), np.ones((8, 2), "float32")
ADAM = ["iteration", "learning_rate", "d_kernel_momentum", "d_kernel_velocity", "d_bias_momentum", "d_bias_velocity"]
SLOTS = {
    "adam": ADAM,
    "nadam": [*ADAM, "variable"],
    "ftrl": ["iteration", "learning_rate", "d_kernel_accumulator", "d_kernel_linear", "d_bias_accumulator", "d_bias_linear"],
    "adafactor": ["iteration", "learning_rate", "kernel", "kernel", "d_kernel_velocity", "bias", "bias", "d_bias_velocity"],
}  # fmt: skip


def model(outputs=None):
    inputs = pyml.Input((4,))
    return pyml.Model(inputs, layers.Dense(2, name="d")(inputs), name="s") if outputs is None else pyml.Model(
        inputs, {name: layers.Dense(2, name=name)(inputs) for name in outputs})


@pytest.mark.parametrize("name", SLOTS)
def test_an_optimizer_has_the_variables_of_keras_in_the_order_of_keras(name):
    found = model()
    found.compile(name, "mse")
    found.fit(X, Y, verbose=0)
    own = found.optimizer
    assert [variable.path for variable in own.variables] == [f"{own.name}/{slot}" for slot in SLOTS[name]]
    assert [variable.name for variable in own.variables] == SLOTS[name]


def test_the_metrics_of_compile_are_one_metric_of_the_model():
    found = model()
    found.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mape"])
    assert found.metrics_names == ["loss", "compile_metrics"]
    history = found.fit(X, Y, verbose=0).history
    assert found.metrics_names == [metric.name for metric in found.metrics] == ["loss", "compile_metrics"]
    assert list(found.metrics[1].result()) == ["mae", "mape"]
    assert float(found.metrics[1].result()["mae"].numpy()) == pytest.approx(history["mae"][0])
    assert [variable.path for variable in found.metrics_variables] == [
        "loss/total", "loss/count", "mean_absolute_error/total", "mean_absolute_error/count", "mean_absolute_percentage_error/total",
        "mean_absolute_percentage_error/count"]  # fmt: skip
    found.reset_metrics()
    assert all(float(np.sum(variable.numpy())) == 0 for variable in found.metrics_variables)


def test_a_step_of_ones_own_updates_the_metrics_of_several_outputs():
    class Own(pyml.Model):
        def train_step(self, data):
            x, y = data
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                elif metric.name == "compile_metrics":
                    metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    inputs = pyml.Input((4,))
    pyml.utils.set_random_seed(0)
    found = Own(inputs, {name: layers.Dense(2, name=name)(inputs) for name in "ab"})
    found.compile("sgd", {"a": "mse", "b": "mae"}, metrics={"a": ["mae"], "b": ["mse", "mae"]})
    history = found.fit(X, {"a": Y, "b": Y}, verbose=0).history
    assert sorted(history) == ["a_loss", "a_mae", "b_loss", "b_mae", "b_mse", "loss"]
    assert found.metrics_names == ["loss", "compile_metrics", "a_loss", "b_loss"]
    first = found.predict(X, verbose=0)                # nothing was trained: the metrics are those of the first weights
    assert history["a_mae"][0] == pytest.approx(np.abs(first["a"] - Y).mean(), rel=1e-5)
    assert history["b_mse"][0] == pytest.approx(np.square(first["b"] - Y).mean(), rel=1e-5)


def test_evaluate_lists_the_losses_of_outputs_and_then_their_metrics_by_name(cpu):
    i = pyml.Input((2,))
    model = pyml.Model(i, [pyml.layers.Dense(1, name="b")(i), pyml.layers.Dense(1, name="a")(i)])
    model.compile("sgd", ["mse", "mae"], metrics=[["mae", "mse"], ["mae"]])
    data = {"x": np.ones((4, 2)), "y": [np.ones((4, 1))] * 2, "verbose": 0}
    named = model.evaluate(**data, return_dict=True)
    assert model.evaluate(**data) == [named[k] for k in ("loss", "b_loss", "a_loss", "a_mae", "b_mae", "b_mse")]


class Unnamed(pyml.Model):
    """Two outputs without names, and metrics of its own."""

    def __init__(self):
        super().__init__()
        self.several = {"a": pyml.metrics.Mean(name="first"), "b": [pyml.metrics.Mean(name="second")]}
        self.one = pyml.metrics.Mean(name="third")
        self.parts = [layers.Dense(1), layers.Dense(1)]

    def call(self, x):
        return self.parts[0](x), self.parts[1](x)


def test_evaluate_of_outputs_without_names_lists_metrics_first_as_keras_does(cpu):
    model = Unnamed()
    model.compile("sgd", ["mse", "mae"], metrics=[["mae"], ["mse"]])
    data = {"x": np.ones((4, 2)), "y": [np.zeros((4, 1)), np.ones((4, 1))], "verbose": 0}
    named = model.evaluate(**data, return_dict=True)
    assert model.metrics_names == ["loss", "compile_metrics", "mse_loss", "mae_loss", "first", "second", "third"]
    assert model.evaluate(**data) == [named[k] for k in (
        "loss", "mae", "mse", "mse_loss", "mae_loss", "first", "second", "third")]  # fmt: skip


@pytest.mark.parametrize(("weights", "factors"), [
    (None, (1, 1, 1)), ({"a": [0.5, 2.0], "b": 3.0}, (0.5, 2, 3)), ({"a": 0.5}, (0.5, 0.5, 1)),
])  # fmt: skip
def test_several_losses_of_one_output_are_added_and_the_log_is_of_the_last_as_in_keras(weights, factors, cpu):
    two, truth = model(["a", "b"]), {"a": Y, "b": 2 * Y}
    said = {name: np.asarray(array) for name, array in two.predict(X, verbose=0).items()}
    each = np.mean((said["a"] - Y) ** 2), np.mean(np.abs(said["a"] - Y)), np.mean((said["b"] - 2 * Y) ** 2)
    two.compile("sgd", {"a": ["mse", "mae"], "b": "mse"}, loss_weights=weights)
    logs = two.evaluate(X, truth, verbose=0, return_dict=True)
    assert logs == pytest.approx({"loss": np.dot(each, factors), "a_loss": each[1], "b_loss": each[2]}, rel=1e-5)
    two.fit(X, truth, verbose=0)
    assert two.evaluate(X, truth, verbose=0, return_dict=True)["loss"] < logs["loss"]


def test_losses_and_weights_of_one_output_that_differ_in_number_are_refused(cpu):
    two = model(["a", "b"])
    two.compile("sgd", {"a": ["mse", "mae"], "b": "mse"}, loss_weights={"a": [1, 2, 3]})
    with pytest.raises(ValueError, match="2 losses of one output need as many loss_weights, or one"):
        two.fit(X, {"a": Y, "b": Y}, verbose=0)


class Parts(layers.Layer):
    """Builds its parts itself; `self` has another name, and there is a Variable without one."""

    def __init__(this, **kwargs):
        super().__init__(**kwargs)
        this.first, this.rest = layers.Dense(3, name="first"), {"x": layers.EinsumDense("ab,bc->ac", 2, name="x")}
        this.attention = layers.MultiHeadAttention(1, 2, name="attention")

    def build(this, shape):
        this.first.build(shape)
        this.rest["x"].build(this.first.compute_output_shape(shape))
        this.attention.build((None, 2, 2), value_shape=(None, 4, 2))
        this.offset = pyml.Variable([0.0, 0.0], name="offset")

    def call(this, x):
        return this.rest["x"](this.first(x)) + this.offset


class Outer(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.parts = Parts(name="parts")

    def build(self):                                   # as in Keras, of no shape where it asks for none
        self.scale = self.add_weight(shape=(), name="scale")

    def call(self, x):
        return self.parts(x) * self.scale


def test_layers_built_by_hand_have_the_paths_and_build_configs_of_keras(tmp_path):
    inputs = pyml.Input((4,))
    found = pyml.Model(inputs, Outer(name="outer")(inputs))
    outer = found.get_layer("outer")
    assert [w.path for w in outer.weights][:6] == [
        "outer/scale", "outer/parts/offset", "outer/parts/first/kernel", "outer/parts/first/bias", "outer/parts/x/kernel",
        "outer/parts/attention/query/kernel"]  # fmt: skip
    parts = outer.parts
    assert (parts.first.path, parts.path) == ("outer/parts/first", "outer/parts")
    assert outer.get_build_config() == {"shapes_dict": {}} and parts.get_build_config() == {"input_shape": (None, 4)}
    assert parts.attention.get_build_config() == {"shapes_dict": {"query_shape": (None, 2, 2), "value_shape": (None, 4, 2)}}
    found.save(tmp_path / "m.keras")
    back = pyml.models.load_model(tmp_path / "m.keras", {"Outer": Outer, "Parts": Parts})
    np.testing.assert_array_equal(back.predict(X, verbose=0), found.predict(X, verbose=0))


class Holding(pyml.Model):
    def __init__(self, inner):
        super().__init__()
        self.inner, self.gru = inner, layers.GRU(3, return_state=True, name="gru")

    def call(self, x):
        x = self.inner(x)
        return self.gru(x[:, None], initial_state=pyml.ops.zeros((8, 3)))[0]


def test_the_summary_of_a_subclass_says_what_models_inside_return():
    found = Holding(pyml.Sequential([pyml.Input((4,)), layers.Dense(2)], name="inner"))
    found(X)
    lines = []
    found.summary(print_fn=lines.append, line_length=80)
    assert [[cell.strip() for cell in line.split("│")[1:3]] for line in lines[0].split("\n") if "inner (" in line or "gru (" in line] == [
        ["inner (Sequential)", "(None, 2)"], ["gru (GRU)", "((8, 3), (8, 3))"]]


def test_history_has_its_names_in_order():
    found = model()
    found.compile("sgd", "mse", weighted_metrics=[pyml.metrics.MeanAbsoluteError(name="w")])
    assert list(found.fit(X, Y, verbose=0, validation_data=(X, Y)).history) == ["loss", "val_loss", "val_w", "w"]


def test_a_summary_counts_the_bytes_that_weights_take():
    found = pyml.Sequential([pyml.Input((8,)), layers.Dense(4, use_bias=False), layers.Dense(2, dtype="float16", use_bias=False)])
    found.layers[0].quantize("int8")
    lines = []
    found.summary(print_fn=lines.append)
    assert "Total params: 44 (64.00 B)" in lines[0]    # 32 of one byte, 4 scales of four, 8 of two


def test_a_summary_has_the_shapes_of_outputs_in_a_dict():
    class Head(layers.Layer):
        def call(self, x):
            return {"head": x[:, :3]}

    class Own(pyml.Model):
        def __init__(self):
            super().__init__()
            self.head = Head()

        def call(self, x):
            return self.head(x)

    model, lines = Own(), []
    model(np.zeros((1, 4)))
    model.summary(print_fn=lambda text, **kwargs: lines.append(text))
    assert "(1, 3)" in "".join(lines)


OUTPUTS = {"sequence": lambda i, a, b: a, "list of one": lambda i, a, b: [a], "list": lambda i, a, b: [a, b],
           "dict": lambda i, a, b: {"a": a, "b": b}, "dict of one": lambda i, a, b: {"a": a}}  # fmt: skip


@pytest.mark.parametrize("kind", OUTPUTS)
@pytest.mark.parametrize("argument", ["loss", "metrics", "weighted_metrics", "loss_weights"])
def test_what_compile_is_given_by_name_is_of_outputs_that_there_are(kind, argument):
    value = {"loss": "mse", "loss_weights": 0.5}.get(argument, ["mae"])
    inputs = pyml.Input((4,))
    outputs = OUTPUTS[kind](inputs, layers.Dense(2, name="a")(inputs), layers.Dense(2, name="b")(inputs))
    targets = {"sequence": Y, "list of one": [Y], "list": [Y, Y], "dict": {"a": Y, "b": Y}, "dict of one": {"a": Y}}[kind]
    names = ["a", "b"] if kind in ("list", "dict") else ["a"]
    loss = pyml.tree.map_structure(lambda target: "mse", targets)
    found = pyml.Model(inputs, outputs)
    found.compile("sgd", **{"loss": loss, argument: dict.fromkeys(names, value)})
    history = found.fit(X, targets, verbose=0).history
    metrics = {"mae" if len(names) == 1 else f"{name}_mae" for name in names} if "metrics" in argument else set()
    assert set(history) == {"loss", *metrics, *(f"{name}_loss" for name in names if len(names) > 1)}
    found = pyml.Model(inputs, outputs)
    with pytest.raises(ValueError, match=rf"compile: {argument} name outputs \['wrong'\]; the model has"):
        found.compile("sgd", **{"loss": loss, argument: {"wrong": value, "a": value}})
        found.fit(X, targets, verbose=0)


def test_weights_of_samples_are_of_each_output_or_of_all(cpu):
    inputs = pyml.Input((4,))
    a, b = layers.Dense(2, name="a")(inputs), layers.Dense(2, name="b")(inputs)
    first, second = np.linspace(0, 2, 8), np.linspace(3, 1, 8) ** 2
    alone = {}
    for name, output, weights in (("a", a, first), ("b", b, second), ("a of b", a, second)):
        found = pyml.Model(inputs, output)
        found.compile("sgd", "mse", weighted_metrics=["mae"])
        alone[name] = found.evaluate(X, Y, sample_weight=weights, verbose=0, return_dict=True)
        assert found.evaluate(X, [Y], sample_weight=[weights], verbose=0, return_dict=True) == alone[name]
    for outputs, targets, weights, expected in (
        ([a, b], [Y, Y], [first, second], ("a", "b")), ([a, b], [Y, Y], {"a": first, "b": second}, ("a", "b")),
        ([a, b], [Y, Y], second, ("a of b", "b")), ({"a": a, "b": b}, {"a": Y, "b": Y}, {"b": second, "a": first}, ("a", "b")),
        ({"a": a, "b": b}, {"a": Y, "b": Y}, second, ("a of b", "b")),
    ):  # fmt: skip
        found = pyml.Model(inputs, outputs)
        found.compile("sgd", pyml.tree.map_structure(lambda target: "mse", targets), weighted_metrics={"a": ["mae"], "b": ["mae"]})
        logs = found.evaluate(X, targets, sample_weight=weights, verbose=0, return_dict=True)
        for name, one in zip("ab", expected, strict=True):
            assert logs[f"{name}_loss"] == pytest.approx(alone[one]["loss"]) and logs[f"{name}_mae"] == pytest.approx(alone[one]["mae"])


@pytest.mark.parametrize("steps", [(), (5,)])
def test_crossentropy_and_accuracy_are_those_of_the_shapes(cpu, steps):
    random = np.random.default_rng(3)
    classes = random.integers(0, 3, (8, *steps))
    for columns, targets, kind in ((1, classes[..., None] > 0, "binary"), (3, classes, "sparse_categorical"),
                                   (3, np.eye(3)[classes], "categorical"), (3, classes[..., None], "sparse_categorical")):  # fmt: skip
        inputs = pyml.Input((*steps, 4))
        outputs = layers.Dense(columns, "sigmoid" if columns == 1 else "softmax")(inputs)
        x, logs = random.normal(size=(8, *steps, 4)), []
        for loss, metric in (("crossentropy", "accuracy"), ("ce", "acc"), (f"{kind}_crossentropy", f"{kind}_accuracy")):
            found = pyml.Model(inputs, outputs)
            found.compile("sgd", loss, metrics=[metric])
            logs.append(found.evaluate(x, targets, verbose=0))
        assert logs[0] == logs[1] == logs[2], (columns, kind)


def test_logs_of_outputs_come_in_the_order_of_their_losses_as_in_keras(cpu):
    inputs = pyml.Input((4,))
    outputs = {name: layers.Dense(2, name=name, kernel_initializer=kind)(inputs) for name, kind in (("a", "ones"), ("b", "zeros"))}
    for loss, expected in (({"b": "mse", "a": "mae"}, [4, 1, 3]), ({"a": "mae", "b": "mse"}, [4, 3, 1])):
        found = pyml.Model(inputs, outputs)
        found.compile("sgd", loss)
        assert found.evaluate(np.ones((8, 4)), dict.fromkeys("ab", Y), verbose=0) == expected
