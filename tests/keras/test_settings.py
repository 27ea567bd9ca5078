"""Settings of `pyml.config` have their effect, and are set back after each test."""

import asyncio
import logging
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import layers, losses, ops, settings
from pyml.errors import DtypeError


@pytest.fixture(autouse=True)
def as_before():
    values, policy = dict(settings._values), settings.policy()
    yield
    settings._values.clear()
    settings._values.update(values)
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


def test_floatx_is_float32_and_other_floats_are_refused():
    pyml.config.set_floatx("float32")
    assert pyml.backend.floatx() == "float32"
    with pytest.raises(DtypeError, match="mixed_float16"):
        pyml.config.set_floatx("float16")
    with pytest.raises(ValueError, match="set_floatx"):
        pyml.config.set_floatx("int32")


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
