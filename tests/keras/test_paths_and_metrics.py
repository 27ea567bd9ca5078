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
