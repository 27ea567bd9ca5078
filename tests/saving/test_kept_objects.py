"""What could not be kept before: first states of recurrent layers, configs of functions, and every kind of object by itself."""

import copy
import json
import pickle

import numpy as np
import pytest

import pyml
from pyml import layers as L
from pyml.models import load_model
from pyml.saving import deserialize_keras_object, serialize_keras_object


def seq2seq():
    words, answers = pyml.Input((4, 3)), pyml.Input((5, 2))
    _, h, c = L.LSTM(4, return_state=True)(words)
    return pyml.Model([words, answers], L.LSTM(4, return_sequences=True)(answers, initial_state=[h, c]))


@pytest.mark.parametrize("ending", [".keras", ".h5"])
def test_an_lstm_with_first_states_is_kept(tmp_path, ending, device):
    random = np.random.default_rng(0)
    data = [random.random(shape, "f4") for shape in ((2, 4, 3), (2, 5, 2))]
    model = seq2seq()
    model.save(tmp_path / f"m{ending}")
    found, wanted = (m.predict(data, verbose=0) for m in (load_model(tmp_path / f"m{ending}"), model))
    np.testing.assert_array_equal(found, wanted)
    data[0] += 1.0                                     # and the states do come from the first input
    assert np.abs(load_model(tmp_path / f"m{ending}").predict(data, verbose=0) - wanted).max() > 1e-3


def test_a_model_of_first_states_is_pickled(cpu):
    model, data = seq2seq(), [np.ones((2, 4, 3), "f4"), np.ones((2, 5, 2), "f4")]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(data, verbose=0), model.predict(data, verbose=0))


def pickled(x):
    return pickle.loads(pickle.dumps(x))


@pytest.mark.parametrize("again", [pickled, copy.deepcopy, copy.copy])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16", "int8", "uint32", "bool"])
def test_tensors_and_variables_are_copied_with_their_value(again, dtype, cpu):
    for made in (pyml.ops.cast([1.0, 0.0, 3.0], dtype), pyml.Variable([1.0, 0.0, 3.0], dtype=dtype, name="v") + 0,
                 pyml.Variable([1.0, 0.0, 3.0], dtype=dtype, name="v")):                            # fmt: skip
        other = again(made)
        assert (type(other), other.dtype, other.numpy().tolist()) == (type(made), made.dtype, made.numpy().tolist())
    other.assign([0.0, 0.0, 1.0])
    assert other.name == "v" and made.numpy()[0] == 1


@pytest.mark.parametrize("again", [pickled, copy.deepcopy])
def test_what_holds_variables_is_copied_with_its_state(again, cpu):
    layer, mean, weight = L.Dense(2), pyml.metrics.Mean(), pyml.Variable([1.0, 2.0], name="w")
    layer.build((None, 3))
    mean.update_state([1.0, 2.0])
    plain = pyml.optimizers.SGD(1.0, momentum=0.5, weight_decay=0.5)
    plain.exclude_from_weight_decay([weight])
    whole = pyml.optimizers.MultiOptimizer(pyml.optimizers.OptimizerMap(plain))
    whole.apply([pyml.ops.ones(2)], [weight])
    layer_again, mean_again, whole_again, weight_again = again((layer, mean, whole, weight))
    np.testing.assert_array_equal(layer_again.get_weights()[0], layer.get_weights()[0])
    assert float(mean_again.result()) == 1.5
    mean_again.update_state([6.0])
    assert (float(mean_again.result()), float(mean.result())) == (3.0, 1.5)
    for optimizer, variable in ((whole_again, weight_again), (whole, weight)):  # each moves its own, on from the same state
        assert variable.numpy().tolist() == [0.0, 1.0]
        optimizer.apply([pyml.ops.ones(2)], [variable])
        assert variable.numpy().tolist() == [-1.5, -0.5]


@pytest.mark.filterwarnings("ignore:A lambda is kept")
def test_a_lambda_has_the_config_of_keras():
    config = L.Lambda(lambda x, by=1: x * by, output_shape=(3,), arguments={"by": 2}, name="twice").get_config()
    assert list(config) == ["name", "trainable", "dtype", "function", "output_shape", "mask", "arguments"]
    assert config["function"]["class_name"] == "__lambda__" and config["arguments"] == {"by": 2}
    config = json.loads(json.dumps(config))
    for made in (lambda: L.Lambda.from_config(config), lambda: L.Lambda.from_config(config, safe_mode=True)):
        with pytest.raises(ValueError, match="safe_mode=False"):
            made()
    again = L.Lambda.from_config(config, safe_mode=False)
    assert again(np.ones(3, "f4")).tolist() == [2.0, 2.0, 2.0] and again.name == "twice"


@pytest.mark.parametrize("make", [
    lambda: pyml.losses.Huber(0.3, reduction="sum"), lambda: pyml.metrics.AUC(num_thresholds=20), lambda: pyml.regularizers.L1L2(0.1, 0.2),
    lambda: pyml.optimizers.schedules.CosineDecay(0.1, 10, warmup_steps=3), lambda: pyml.optimizers.Adam(0.2, clipnorm=1.0),
    lambda: pyml.random.SeedGenerator(3), lambda: pyml.initializers.HeNormal(4), lambda: pyml.constraints.MaxNorm(2.0),
    lambda: pyml.DTypePolicy("mixed_float16"),
], ids=["loss", "metric", "regularizer", "schedule", "optimizer", "seed generator", "initializer", "constraint", "policy"])  # fmt: skip
def test_an_object_of_each_kind_comes_back_from_its_config(make):
    made = make()
    config = json.loads(json.dumps(serialize_keras_object(made)))
    assert config["module"].startswith("keras")        # as Keras writes it, and reads it
    again = deserialize_keras_object(config)
    assert type(again) is type(made) and again.get_config() == made.get_config()


def test_models_and_saving_have_one_load_model():
    assert pyml.models.load_model is pyml.saving.load_model


@pyml.saving.register_keras_serializable("tests")
def _power_of_distance(y_true, y_pred, power=1):
    return abs(y_true - y_pred) ** power


def test_losses_and_metrics_of_a_registered_function_come_back():
    metric = pyml.metrics.MeanMetricWrapper(_power_of_distance, name="cubed", power=3)
    again = pyml.metrics.deserialize(pyml.metrics.serialize(metric))
    again.update_state(np.array([0.0, 0.0]), np.array([1.0, 2.0]))
    assert again.name == "cubed" and float(again.result()) == 4.5
    loss = pyml.losses.deserialize(pyml.losses.serialize(pyml.losses.LossFunctionWrapper(_power_of_distance, name="cubed", power=3)))
    assert loss.name == "cubed" and float(loss(np.array([0.0, 0.0]), np.array([1.0, 2.0]))) == 4.5


@pytest.mark.filterwarnings("ignore:A lambda is kept")
def test_bytecode_stands_in_a_lambda_layer_where_that_of_keras_looks_for_it():
    config = L.Lambda(lambda x: x + 1, output_shape=lambda shape: shape, mask=lambda x, mask: mask).get_config()
    for name in ("function", "output_shape", "mask"):
        assert list(config[name]["config"]) == ["code", "defaults", "closure"]
    assert list(serialize_keras_object(lambda x: x)["config"]) == ["value"]  # as Keras has it everywhere else
    again = L.Lambda.from_config(json.loads(json.dumps(config)), safe_mode=False)
    assert again(np.zeros(2, "f4")).tolist() == [1.0, 1.0] and again.compute_output_shape((3, 4)) == (3, 4)


def called_with(model, name):
    """The class of an op between the layers, and the values of its call that are no tensors."""
    (op,) = [layer for layer in model.get_config()["layers"] if layer["class_name"] == name]
    return [value for value in op["inbound_nodes"][0]["args"] if not isinstance(value, dict)]


def test_an_op_is_called_with_all_its_tensors_since_classes_of_keras_have_no_defaults():
    x, ones = pyml.Input((4,)), np.ones(4, "f4")
    for result, name, left_out in (
        (pyml.ops.rms_normalization(x), "RMSNorm", [None]),
        (pyml.ops.layer_normalization(x), "LayerNorm", [None, None]),
        (pyml.ops.batch_normalization(x, ones, ones, -1), "BatchNorm", [None, None]),
        (pyml.ops.isclose(x, x + 1, atol=0.1), "Isclose", [1e-5, 0.1]),
    ):
        assert called_with(pyml.Model(x, result), name) == left_out, name


@pytest.mark.parametrize("between", [
    pyml.losses.mean_squared_error, lambda a, b: pyml.losses.Huber(reduction=None)(a, b), pyml.losses.cosine_similarity,
    lambda a, b: pyml.ops.convert_to_tensor(a, "float16"), lambda a, b: pyml.ops.linspace(a, b, 3, axis=-1),
    lambda a, b: pyml.ops.logspace(a, b, 3), lambda a, b: pyml.ops.geomspace(a + 9, b + 9, 3),
    lambda a, b: pyml.random.dropout(a, 0.0),
], ids=["mse", "Huber", "cosine", "convert", "linspace", "logspace", "geomspace", "dropout of nothing"])  # fmt: skip
def test_losses_and_spaces_between_layers_are_kept(tmp_path, between, cpu):
    a, b = pyml.Input((4,)), pyml.Input((4,))
    model = pyml.Model([a, b], between(a, b))
    model.save(tmp_path / "m.keras")
    data = [np.random.default_rng(seed).normal(size=(2, 4)).astype("f4") for seed in (0, 1)]
    wanted = model.predict(data, verbose=0)
    np.testing.assert_array_equal(load_model(tmp_path / "m.keras").predict(data, verbose=0), wanted)


@pytest.mark.parametrize(("name", "config", "wanted"), [
    ("ReLU", {"negative_slope": 0.1, "max_value": 2.0, "threshold": 0.5}, lambda x: np.where(x < 0.5, 0.1 * (x - 0.5), np.minimum(x, 2.0))),
    ("Mish", {}, lambda x: x * np.tanh(np.log1p(np.exp(x)))),
])  # fmt: skip
def test_activations_that_keras_has_as_ops_of_their_own_open(name, config, wanted, cpu):
    x = pyml.Input((4,))
    described = pyml.Model(x, pyml.ops.relu(x)).get_config()
    described["layers"][1].update(module="keras.src.activations.activations", class_name=name, registered_name=name)
    described["layers"][1]["config"] = {"name": described["layers"][1]["config"]["name"], **config}
    data = np.float32([[-2.0, 0.2, 1.0, 3.0]])
    np.testing.assert_allclose(pyml.Model.from_config(described)(data).numpy(), wanted(data), rtol=1e-5)


@pytest.mark.parametrize("module", ["someones.ops", "someones.layers.ops.numpy"])
def test_a_layer_of_ones_own_in_a_module_named_ops_is_no_op_of_keras(module, tmp_path, cpu):
    @pyml.saving.register_keras_serializable("someones")
    class Maximum(L.Layer):
        def call(self, pair):
            return pyml.ops.maximum(*pair) + 1

    Maximum.__module__ = module
    a = pyml.Input((2,))
    model = pyml.Model(a, Maximum()([a, L.ReLU()(a)]))
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        np.testing.assert_array_equal(load_model(tmp_path / name)(np.float32([[3, -1]])).numpy(), [[4, 1]])


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_tensors_among_the_arguments_of_a_lambda_are_kept(ending, tmp_path, cpu):
    x = pyml.Input((2,))
    model = pyml.Model(x, L.Lambda(lambda x, mean: x - mean, arguments={"mean": pyml.ops.convert_to_tensor([1.0, 2.0])})(x))
    with pytest.warns(UserWarning, match="bytecode"):
        model.save(tmp_path / f"m.{ending}")
    np.testing.assert_array_equal(load_model(tmp_path / f"m.{ending}", safe_mode=False)(np.ones((1, 2))).numpy(), [[0, -1]])


def test_a_layer_alone_has_a_keras_file_too(tmp_path, cpu):
    layer, x = L.BatchNormalization(), np.float32([[1, 2], [3, 5]])
    layer(x, training=True)
    pyml.saving.save_model(layer, tmp_path / "a.keras")
    again = pyml.saving.load_model(tmp_path / "a.keras")
    assert type(again) is L.BatchNormalization and again.built
    np.testing.assert_array_equal(again(x).numpy(), layer(x).numpy())
