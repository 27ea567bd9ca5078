"""How objects are found by their names, and how their configs describe them."""

import gc
import importlib
import inspect
import json
import os
import subprocess
import sys
import types
import weakref

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.objects import registry

L = pyml.layers
MODULES = ("layers", "losses", "metrics", "optimizers", "initializers", "regularizers", "constraints", "activations")


@pytest.fixture
def registered():
    """Removes what a test registers."""
    before, names = dict(registry._registered), dict(registry._names)
    yield pyml.saving.register_keras_serializable
    registry._registered.clear()
    registry._registered.update(before)
    registry._names.clear()
    registry._names.update(names)


# ---- names
@pytest.mark.parametrize(("module", "identifier", "found"), [
    ("losses", "mse", "mean_squared_error"), ("losses", "MSE", "mean_squared_error"), ("losses", "Huber", "Huber"),
    ("metrics", "mse", "MeanSquaredError"), ("metrics", "kl_divergence", "KLDivergence"), ("metrics", "binary_accuracy", "BinaryAccuracy"),
    ("optimizers", "adam", "Adam"), ("optimizers", "RMSPROP", "RMSprop"), ("initializers", "he_normal", "HeNormal"),
    ("initializers", "uniform", "RandomUniform"), ("initializers", "IdentityInitializer", "Identity"), ("regularizers", "l1_l2", "L1L2"),
    ("constraints", "max_norm", "MaxNorm"), ("activations", "swish", "silu"), ("activations", "relu", "relu"),
])
def test_get_finds_names_and_aliases(module, identifier, found):
    for find in ("get", "deserialize"):                # an object of a class, not the class
        object_ = getattr(importlib.import_module(f"pyml.{module}"), find)(identifier)
        assert not isinstance(object_, type) and getattr(object_, "__name__", type(object_).__name__) == found


@pytest.mark.parametrize("module", MODULES)
def test_an_unknown_name_is_refused_with_the_known_ones(module):
    if module == "layers":
        with pytest.raises(ValueError, match="Unknown class 'Densse'"):
            L.deserialize({"class_name": "Densse", "config": {}})
        return
    with pytest.raises(ValueError, match=r"Could not interpret .*'nothing'.*Known names: "):
        importlib.import_module(f"pyml.{module}").get("nothing")


@pytest.mark.parametrize("alias", ["Convolution2D", "AvgPool2D", "GlobalMaxPool1D", "SeparableConvolution1D"])
def test_layers_are_known_under_their_older_names(alias):
    config = L.serialize(getattr(L, alias)(**({"filters": 2, "kernel_size": 2} if "Conv" in alias else
                                             {} if "Global" in alias else {"pool_size": 2})))
    assert type(L.deserialize({**config, "class_name": alias})) is getattr(L, alias)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_model_is_found_in_a_process_that_has_only_loaded_layers():
    model = pyml.Sequential([pyml.Input((4,)), L.Dense(3)])
    configs = [L.serialize(model), {**L.serialize(model), "module": None}, {**L.serialize(model), "module": "keras.src.models"}]
    code = (f"import json, os, pyml.layers\nfor config in json.loads({json.dumps(configs)!r}):\n"
            "    if not os.fork():\n"  # each in a process that has only loaded layers
            "        model = pyml.layers.deserialize(config)\n"
            "        print(type(model).__name__, model.count_params(), flush=True)\n"
            "        os._exit(0)\n"
            "    os.wait()")
    environment = {**os.environ, "PYML_BACKEND": "cpu"}  # no GPU need be opened for this, three times
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["Sequential 15"] * 3


def test_a_name_of_two_kinds_is_found_by_the_module():
    config = pyml.saving.serialize_keras_object(pyml.metrics.BinaryCrossentropy(from_logits=True))
    assert isinstance(pyml.saving.deserialize_keras_object(config), pyml.metrics.BinaryCrossentropy)
    config = pyml.saving.serialize_keras_object(pyml.initializers.Identity(2.0))
    assert isinstance(pyml.saving.deserialize_keras_object({**config, "module": "keras.initializers"}), pyml.initializers.Identity)


def test_a_users_class_does_not_take_the_place_of_a_built_in_one(registered):
    config = L.serialize(L.Dense(3))
    built_in = L.Dense

    @registered(package="mine")
    class Dense(L.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)

    class Dropout(L.Layer):                                     # not registered at all
        pass

    assert type(L.deserialize(config)) is built_in
    assert type(L.deserialize(L.serialize(Dense(3)))) is Dense
    assert type(L.deserialize({"class_name": "Dropout", "config": {"rate": 0.5}})) is L.Dropout
    with pytest.raises(ValueError, match=r"Unknown class 'Dropout'.*custom_objects"):
        L.deserialize(L.serialize(Dropout()))
    assert type(L.deserialize(L.serialize(Dropout()), custom_objects={"Dropout": Dropout})) is Dropout
    with pyml.saving.CustomObjectScope({"Dense": Dense}) as scope:
        pass
    with scope:  # once more
        assert type(L.deserialize({"class_name": "Dense", "config": {"units": 3}})) is Dense
    assert type(L.deserialize({"class_name": "Dense", "config": {"units": 3}})) is built_in


OWN = """
import pyml
from pyml import ops
class Grow(pyml.layers.Layer):
    def __init__(self, by=2.0, **kwargs):
        super().__init__(**kwargs)
        self.by = by
    def call(self, x):
        return x * self.by
    def get_config(self):
        return {**super().get_config(), "by": self.by}
class Threes(pyml.initializers.Initializer):
    def __call__(self, shape, dtype=None):
        return pyml.ops.full(shape, 3.0, dtype)
class Whole(pyml.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units, self.dense = units, pyml.layers.Dense(units, kernel_initializer=Threes())
    def call(self, x):
        return self.dense(x)
class Told(pyml.callbacks.Callback): pass
class Plain:
    def get_config(self): return {}
def work(x): return x
from pyml.layers import Dense as Taken
from subprocess import Popen
"""


@pytest.mark.parametrize("home", ["own_things", "__main__"])
def test_a_class_that_nobody_registered_is_found_where_a_loaded_module_defines_it(home, monkeypatch, tmp_path):
    script = types.ModuleType(home)
    monkeypatch.setitem(sys.modules, home, script)
    exec(OWN, script.__dict__)
    model = pyml.Sequential([pyml.Input((2,)), L.Dense(1, kernel_initializer=script.Threes()), script.Grow(5.0)])
    models = {"layers": model, "whole": script.Whole(3)}
    for name, made in models.items():
        made(np.ones((1, 2), "float32"))
        made.save(tmp_path / f"{name}.keras")
        again = pyml.saving.load_model(tmp_path / f"{name}.keras")
        assert type(again) is type(made)
        np.testing.assert_array_equal(again(np.ones((1, 2), "float32")), made(np.ones((1, 2), "float32")))
    assert type(pyml.saving.deserialize_keras_object(pyml.saving.serialize_keras_object(script.Threes()))) is script.Threes
    monkeypatch.setitem(sys.modules, home, types.ModuleType(home))   # another session: the names are gone
    for name, missing in (("layers", "Threes"), ("whole", "Whole")):
        with pytest.raises(ValueError, match=rf"Unknown class '{missing}'.*register_keras_serializable.*custom_objects"):
            pyml.saving.load_model(tmp_path / f"{name}.keras")
    if home != "__main__":
        monkeypatch.delitem(sys.modules, home)
        with pytest.raises(ValueError, match="'own_things', which is not loaded: import it"):
            pyml.saving.load_model(tmp_path / "whole.keras")


@pytest.mark.parametrize(("module", "name"), [
    ("own_things", "work"), ("own_things", "Plain"), ("own_things", "Told"), ("own_things", "Taken"), ("own_things", "Popen"),
    ("own_things", "pyml"), ("subprocess", "Popen"), ("os", "system"), ("builtins", "eval"), ("numpy", "save"), ("shutil", "rmtree"),
    ("pyml.layers.attention", "_Projection"),
])  # fmt: skip
def test_what_is_no_users_layer_or_its_like_is_not_taken_from_a_module_that_a_config_names(module, name, monkeypatch):
    script = types.ModuleType("own_things")
    monkeypatch.setitem(sys.modules, "own_things", script)
    exec(OWN, script.__dict__)
    for class_name, config in ((name, {}), ("function", name)):
        for registered in (None, name, f"own>{name}"):
            with pytest.raises(ValueError, match=r"Unknown (class|function)"):
                described = {"module": module, "class_name": class_name, "config": config, "registered_name": registered}
                pyml.saving.deserialize_keras_object(described)


def test_what_module_objects_have_is_made_by_its_name_and_further_keywords_say_nothing():
    known = {"grow": pyml.initializers.Zeros, "work": np.negative, "plain": 7}
    made = [pyml.saving.deserialize_keras_object(name, module_objects=known,
                                                 printable_module_name="things") for name in (*known, "nothing")]
    assert type(made[0]) is pyml.initializers.Zeros and made[1:] == [np.negative, 7, "nothing"]
    assert pyml.saving.deserialize_keras_object("grow", {"grow": L.Dropout}, module_objects=known) is L.Dropout


def test_registered_names_are_found_with_and_without_their_package(registered):
    @registered(package="mine")
    def doubled(x):
        return 2 * x

    assert pyml.activations.get("mine>doubled") is doubled
    layer = L.deserialize(json.loads(json.dumps(L.serialize(L.Dense(2, activation=doubled)))))
    assert layer.activation is doubled


def test_custom_objects_reach_layers_inside_layers():
    class Twice(L.Layer):
        def call(self, inputs):
            return 2 * inputs

    def tripled(x):
        return 3 * x

    model = pyml.Sequential([pyml.Input((3, 4)), L.TimeDistributed(Twice()), L.Dense(2, activation=tripled)])
    config = json.loads(model.to_json())
    again = L.deserialize(config, custom_objects={"Twice": Twice, "tripled": tripled})
    assert isinstance(again.layers[0].layer, Twice)
    assert again.layers[1].activation is tripled
    with pytest.raises(ValueError, match="Unknown"):
        L.deserialize(config)


def test_two_built_in_classes_of_one_name_are_refused():
    kind = registry.Kind("toy", __name__.partition(".")[0])
    kind.add(type("Toy", (), {"__module__": __name__}))
    with pytest.raises(ValueError, match="'Toy' is the name of"):
        kind.add(type("Toy", (), {"__module__": __name__}))


# ---- configs
def test_a_config_holds_positional_and_keyword_arguments_and_defaults():
    config = L.ReLU(2.0, threshold=0.5).get_config()
    assert {name: config[name] for name in ("max_value", "negative_slope", "threshold")} == {
        "max_value": 2.0, "negative_slope": 0.0, "threshold": 0.5}


def test_a_config_describes_a_built_in_layer_as_it_is_now():
    layer = L.Dropout(0.3, seed=4)
    layer.rate, layer.trainable = 0.1, False
    config = layer.get_config()
    assert (config["rate"], config["trainable"]) == (0.1, False)
    dense = L.Dense(3)
    dense.activation, dense.kernel_regularizer = pyml.activations.tanh, pyml.regularizers.L2(0.5)
    config = dense.get_config()
    assert config["activation"] == "tanh"
    assert config["kernel_regularizer"]["config"] == {"l2": 0.5}
    optimizer = pyml.optimizers.Adam(0.1)
    optimizer.learning_rate, optimizer.beta_1 = 0.25, 0.5
    assert (optimizer.get_config()["learning_rate"], optimizer.get_config()["beta_1"]) == (0.25, 0.5)


def test_a_users_layer_without_get_config_is_made_again_from_its_arguments(registered):
    @registered()
    class Blocks(L.Layer):
        def __init__(self, units, sizes=(1, 2), inner=None, rate=0.5, **kwargs):
            super().__init__(**kwargs)
            self.dense = [L.Dense(units) for _ in sizes]
            self.sizes, self.inner = sizes, inner

    layer = Blocks(4, inner=L.Dense(2, activation="relu"), name="blocks")
    assert layer.get_config()["rate"] == 0.5
    again = L.deserialize(json.loads(json.dumps(L.serialize(layer))))
    assert (again.name, list(again.sizes), len(again.dense), again.inner.units) == ("blocks", [1, 2], 2, 2)  # JSON has no tuples
    assert json.dumps(again.get_config()) == json.dumps(layer.get_config())


def test_arrays_that_a_users_layer_takes_come_back(registered):
    @registered()
    class Shifted(L.Layer):
        def __init__(self, by, **kwargs):
            super().__init__(**kwargs)
            self.by = by

    layer = L.deserialize(json.loads(json.dumps(L.serialize(Shifted(np.arange(3, dtype="int16"))))))
    assert layer.by.dtype == np.int16
    np.testing.assert_array_equal(layer.by, [0, 1, 2])
    with pytest.raises(NotImplementedError, match="object objects cannot be serialized"):
        Shifted(object()).get_config()


def test_a_users_layer_need_not_take_the_arguments_of_every_layer(registered):
    @registered()
    class Plain(L.Layer):
        def __init__(self, units):
            super().__init__()
            self.units = units

    assert L.deserialize(L.serialize(Plain(3))).units == 3


def test_get_config_in_the_way_of_keras_finds_what_is_below_it(registered):
    @registered()
    class Own(L.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units

        def get_config(self):
            config = super().get_config()
            assert sorted(config) == ["dtype", "name", "trainable"]
            config.update({"units": self.units})
            return config

    @registered()
    class Scaled(L.Dense):
        def __init__(self, units, factor=2.0, **kwargs):
            super().__init__(units, **kwargs)
            self.factor = factor

        def get_config(self):
            config = super().get_config()
            assert config["activation"] == "relu"
            config.update({"factor": self.factor})
            return config

    layer = Scaled(3, factor=5.0, activation="relu", use_bias=False)
    again = L.deserialize(L.serialize(layer))
    assert (again.factor, again.units, again.use_bias) == (5.0, 3, False)
    assert L.deserialize(L.serialize(Own(7))).units == 7


def test_a_subclass_of_a_built_in_layer_needs_no_get_config(registered):
    @registered()
    class Loud(L.Dense):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)

    @registered()
    class Wide(L.Dense):
        def __init__(self, factor=2, **kwargs):
            super().__init__(4 * factor, **kwargs)

    again = L.deserialize(L.serialize(Loud(3, "relu", use_bias=False)))
    assert (again.units, again.activation, again.use_bias) == (3, pyml.activations.relu, False)
    again = L.deserialize(L.serialize(Wide(factor=3, activation="tanh")))
    assert (again.units, again.activation) == (12, pyml.activations.tanh)


def test_users_losses_metrics_and_optimizers_have_configs_of_their_arguments(registered):
    @registered()
    class Power(pyml.losses.Loss):
        def __init__(self, power=2, **kwargs):
            super().__init__(**kwargs)
            self.power = power

        def call(self, y_true, y_pred):
            return pyml.ops.mean((y_true - y_pred) ** self.power, axis=-1)

    @registered()
    class Largest(pyml.metrics.Metric):
        def __init__(self, floor=0.0, name="largest", dtype=None):
            super().__init__(name=name, dtype=dtype)
            self.floor = floor

    @registered()
    class Slow(pyml.optimizers.SGD):
        def __init__(self, patience=3, **kwargs):
            super().__init__(**kwargs)
            self.patience = patience

    loss = pyml.losses.deserialize(pyml.losses.serialize(Power(4, reduction="sum")))
    assert (loss.power, loss.reduction) == (4, "sum")
    metric = pyml.metrics.deserialize(pyml.metrics.serialize(Largest(0.5, name="top")))
    assert (metric.floor, metric.name) == (0.5, "top")
    optimizer = pyml.optimizers.deserialize(pyml.optimizers.serialize(Slow(5, momentum=0.5, learning_rate=0.25)))
    assert (optimizer.patience, optimizer.momentum, float(optimizer.learning_rate.numpy())) == (5, 0.5, 0.25)


def test_a_schedule_comes_back_inside_its_optimizer():
    rate = pyml.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9, staircase=True)
    config = json.loads(json.dumps(pyml.optimizers.serialize(pyml.optimizers.Adam(rate, amsgrad=True))))
    again = pyml.optimizers.deserialize(config)
    assert again.amsgrad
    assert again._learning_rate.get_config() == rate.get_config()


def test_functions_as_losses_and_metrics_come_back():
    for wrapper, module in ((pyml.losses.LossFunctionWrapper(pyml.losses.huber, delta=0.5), pyml.losses),
                            (pyml.metrics.MeanMetricWrapper(pyml.metrics.binary_accuracy, threshold=0.3), pyml.metrics)):
        again = type(wrapper).from_config(json.loads(json.dumps(module.serialize(wrapper)["config"])))
        assert again.get_config() == wrapper.get_config()
        assert again._fn_kwargs == wrapper._fn_kwargs


def test_an_initializer_of_ones_own_may_write_call_only():
    class Sevens(pyml.initializers.Initializer):
        def __call__(self, shape, dtype=None):
            return pyml.ops.full(shape, 7.0, dtype)

    class Halved(pyml.initializers.Ones):
        def __call__(self, shape, dtype=None):
            return pyml.ops.full(shape, 0.5, dtype)

    layer = L.Dense(2, kernel_initializer=Sevens(), bias_initializer=Halved())
    layer.build((None, 3))
    assert (layer.kernel.numpy() == 7).all()
    assert (layer.bias.numpy() == 0.5).all()


def test_arrays_in_configs_are_plain_values():
    layer = L.Dense(2, kernel_initializer=pyml.initializers.Constant(np.ones((3, 2))))
    again = L.deserialize(json.loads(json.dumps(L.serialize(layer))))
    again.build((None, 3))
    assert (again.kernel.numpy() == 1).all()


FLOAT32 = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}


@pytest.mark.parametrize(("module", "name", "more"), [
    ("keras.layers", "Dense", {"units": 3, "quantization_config": None, "activation": "relu"}),
    ("keras.layers", "LayerNormalization", {"axis": -1, "rms_scaling": False}),
    ("keras.src.layers.rnn.lstm", "LSTM", {"units": 3, "zero_output_for_mask": False, "activity_regularizer": None}),
    ("keras.layers", "BatchNormalization", {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99}),
    ("keras.layers", "Conv2D", {"filters": 2, "kernel_size": [3, 3], "kernel_initializer": {
        "module": "keras.initializers", "class_name": "HeNormal", "config": {"seed": None}, "registered_name": None}}),
])
def test_configs_that_keras_wrote_make_layers(module, name, more):
    config = {"name": "one", "trainable": True, "dtype": FLOAT32, **more}
    layer = L.deserialize({"module": module, "class_name": name, "config": config, "registered_name": None})
    assert (type(layer).__name__, layer.name, layer.dtype) == (name, "one", "float32")


def test_classes_that_nobody_uses_any_more_are_forgotten():
    def define():
        class Passing(L.Layer):
            def __init__(self, rate=0.5, **kwargs):
                super().__init__(**kwargs)

            def call(self, inputs):
                return inputs

        layer = Passing()
        layer(np.ones((1, 2), "float32"))
        layer.get_config()
        return weakref.ref(Passing)

    before = define()
    gc.collect()
    assert before() is None


# ---- optimizers
def test_a_scaled_learning_rate_reaches_the_step_of_adam():
    class Halved(pyml.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, learning_rate * 0.5)

    moved = []
    for optimizer in (pyml.optimizers.Adam(0.1), Halved(0.1)):
        w, v = pyml.Variable(1.0), pyml.Variable(2.0)
        optimizer.apply([pyml.convert_to_tensor(2.0), pyml.convert_to_tensor(-1.0)], [w, v])
        moved.append((1.0 - float(w.numpy()), 2.0 - float(v.numpy())))
    np.testing.assert_allclose(moved[1], np.array(moved[0]) / 2, rtol=1e-5)


def test_optimizers_take_the_arguments_of_all_by_place_in_the_order_of_keras():
    optimizer = pyml.optimizers.Adam(0.1, 0.8, 0.9, 1e-3, True, 0.5, None, 2.0)
    assert (optimizer.amsgrad, optimizer.weight_decay, optimizer.clipnorm, optimizer.clipvalue) == (True, 0.5, None, 2.0)
    names = list(inspect.signature(pyml.optimizers.AdamW).parameters)
    assert names[:8] == ["learning_rate", "weight_decay", "beta_1", "beta_2", "epsilon", "amsgrad", "clipnorm", "clipvalue"]
    with pytest.warns(UserWarning, match="`decay` is no longer supported"):
        assert "decay" not in pyml.optimizers.SGD(decay=0.1).get_config()


def test_constraints_of_weights_are_found_by_name():
    class Kept(L.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(name="w", shape=(3,), constraint="non_neg")

        def call(self, inputs):
            return inputs * self.w

    model = pyml.Sequential([pyml.Input((3,)), Kept()])
    model.compile(pyml.optimizers.SGD(1.0), "mse")
    model.fit(np.ones((4, 3)), -np.ones((4, 3)), epochs=2, verbose=0)
    assert model.layers[0].w.numpy().min() >= 0


def test_a_function_of_a_user_that_has_the_name_of_ours_is_not_taken_for_ours(tmp_path):
    def sin(x):
        return x + 1

    def mse(y, found):
        return pyml.ops.mean(found - y)

    model = pyml.Sequential([pyml.Input((2,)), L.Lambda(sin), L.Dense(1)])
    model.compile("sgd", mse)
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match="Unknown function 'sin'"):
        pyml.saving.load_model(tmp_path / "m.keras")
    again = pyml.saving.load_model(tmp_path / "m.keras", custom_objects={"sin": sin, "mse": mse})
    x = np.ones((1, 2), "float32")
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.evaluate(x, x[:, :1], verbose=0) == pytest.approx(model.evaluate(x, x[:, :1], verbose=0))
    assert L.Lambda.from_config(L.Lambda(pyml.ops.sin).get_config())(np.zeros(2)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_a_config_has_the_policy_as_keras_writes_it_and_names_are_read_too(policy):
    config = L.Dense(3, dtype=policy).get_config()
    assert config["dtype"] == {"module": "keras", "class_name": "DTypePolicy", "config": {"name": policy}, "registered_name": None}
    for written in (config["dtype"], policy):
        assert L.Dense.from_config(config | {"dtype": written}).dtype_policy.name == policy
    assert pyml.Sequential([L.Dense(3)]).get_config()["dtype"]["config"] == {"name": "float32"}


def test_a_build_config_says_for_which_shapes_as_keras_does():
    """Whoever called `build`; a graph needs no shape, and says so."""
    x = pyml.Input((4,))
    model = pyml.Model([x, pyml.Input((3,))], L.Dense(2)(x))
    assert model.get_build_config() == {"input_shape": None}
    again = pyml.saving.deserialize_keras_object(pyml.saving.serialize_keras_object(model))
    assert again.get_build_config() == {"input_shape": None}
    for layer in (L.Dense(2), L.LSTM(2), L.Bidirectional(L.LSTM(2)), L.Conv1D(2, 2)):
        assert layer.get_build_config() is None
        layer.build((None, 3, 4))
        assert layer.get_build_config() == {"input_shape": (None, 3, 4)}
    heads = L.MultiHeadAttention(2, 3)
    heads.build((2, 3, 4), value_shape=(2, 5, 4))
    assert heads.get_build_config() == {"shapes_dict": {"query_shape": (2, 3, 4), "value_shape": (2, 5, 4)}}


class AsksForValues(pyml.Model):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = L.Dense(2)

    def call(self, x):
        return self.inner(x)[: int(ops.max(x).numpy())]


def test_a_model_that_only_values_build_is_made_from_its_config_with_a_warning():
    model = AsksForValues()
    model(np.ones((3, 4), "float32"))
    config = pyml.saving.serialize_keras_object(model)
    with pytest.warns(UserWarning, match="cannot be built from the shapes in its config"):
        again = pyml.saving.deserialize_keras_object(config, custom_objects={"AsksForValues": AsksForValues})
    assert again(np.ones((3, 4), "float32")).shape == (1, 2) and len(again.weights) == 2


class TellsItsSpec(L.Layer):
    def __init__(self, builds, **kwargs):
        super().__init__(**kwargs)
        self.builds, self.inner = builds, L.Dense(2, name="inner")

    def call(self, x):
        return self.inner(x)

    def compute_output_spec(self, x):
        if self.builds and not self.inner.built:
            self.inner.build(x.shape)
        return pyml.KerasTensor((*x.shape[:-1], 2))


def test_a_layer_with_a_compute_output_spec_of_its_own_has_weights_with_its_name_after_a_symbolic_call():
    for builds in (True, False):
        outer = TellsItsSpec(builds, name="outer")
        outer(pyml.Input((3,)))
        assert [w.path for w in outer.weights] == ["outer/inner/kernel", "outer/inner/bias"]


def test_ops_between_layers_have_the_names_of_keras():
    pyml.backend.clear_session()
    x = pyml.Input((4,))
    made = (x / 2, 2 / x, ops.divide(x, x), ops.swish(x), ops.hard_swish(x), ops.abs(x))
    assert [y._keras_history.operation.name for y in made] == ["true_divide", "true_divide_1", "divide", "silu", "hard_silu", "absolute"]


def test_configs_have_the_settings_that_none_was_given_for_as_those_of_keras():
    """Wrappers of other people copy them by name."""
    made = {layer: layer.get_config() for layer in (
        L.Conv2D(2, 3), L.DepthwiseConv1D(2), L.SeparableConv1D(2, 2), L.Conv1DTranspose(2, 2), L.LSTM(2), L.ConvLSTM1D(2, 2),
        L.Embedding(3, 2), L.EinsumDense("ab,bc->ac", 2), L.MultiHeadAttention(2, 3), L.GroupQueryAttention(2, 2, 1), L.Dense(2),
        L.Dropout(0.1))}
    says = {type(layer).__name__: layer for layer, config in made.items() if config.get("activity_regularizer", "no") is None}
    assert says.keys() == {type(layer).__name__ for layer in made} - {"Dense", "Dropout"}
    quantizable = [type(layer).__name__ for layer, config in made.items() if config.get("quantization_config", "no") is None]
    assert quantizable == ["Embedding", "EinsumDense", "Dense"] and made[says["ConvLSTM1D"]]["unroll"] is False
    for layer, config in made.items():
        assert type(layer).from_config(config).get_config() == config


def test_a_sequential_says_for_which_shape_it_was_built():
    model = pyml.Sequential([L.Dense(3)])
    assert model.get_build_config() is None
    model.build((None, 4))
    assert model.get_build_config() == {"input_shape": (None, 4)}
    again = pyml.saving.deserialize_keras_object(pyml.saving.serialize_keras_object(model))
    assert again.built and again.input_shape == (None, 4)


def test_configs_that_are_not_what_they_seem_are_refused():
    dense = {"class_name": "Dense", "module": "keras.layers", "config": {"units": 2}}
    function = {"class_name": "function", "module": "builtins"}
    for config, error, told in (
        ({**dense, "config": [1, 2]}, TypeError, "config of Dense must be a dict"),
        ({**dense, "class_name": ["Dense"]}, TypeError, "class_name must be text"),
        ({**function, "config": ["relu"], "registered_name": "function"}, TypeError, "names a list where a class or function"),
        ({**function, "config": "relu", "registered_name": "mine"}, ValueError, "registered_name='mine', but names relu"),
        ({**dense, "registered_name": "mine>Dense"}, ValueError, "registered_name='mine>Dense', but names Dense"),
        ({"class_name": "Sequential", "module": "keras", "config": {"layers": [dense]}}, ValueError, "a dict with name and layers"),
        ({"class_name": "Pipeline", "module": "keras.layers", "config": {"name": "p"}}, ValueError, "config must have layers"),
    ):
        with pytest.raises(error, match=told):
            pyml.saving.deserialize_keras_object(config)


def test_objects_in_dicts_come_back_as_objects():
    given = {"a": L.Dense(2), "b": {"c": [pyml.ops.ones((2,)), "relu", None]}, "d": lambda x: x + 1}
    described = pyml.saving.serialize_keras_object(given)
    with pytest.raises(ValueError, match="lambda"):
        pyml.saving.deserialize_keras_object(described)
    back = pyml.saving.deserialize_keras_object(described, safe_mode=False)
    assert back["a"].units == 2 and back["d"](1) == 2 and back["b"]["c"][1:] == ["relu", None]
    np.testing.assert_array_equal(back["b"]["c"][0].numpy(), [1, 1])


def test_objects_in_a_config_of_ones_own_are_written_with_it(tmp_path):
    class Wrapped(L.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = pyml.saving.deserialize_keras_object(inner) if isinstance(inner, dict) else inner

        def call(self, inputs):
            return self.inner(inputs)

        def get_config(self):
            return {**super().get_config(), "inner": self.inner}

    x = pyml.Input((2,))
    model = pyml.Model(x, Wrapped(L.Dense(3))(x))
    model.save(tmp_path / "own.keras", True, True)
    again = pyml.models.load_model(tmp_path / "own.keras", custom_objects={"Wrapped": Wrapped})
    np.testing.assert_array_equal(again(np.ones((1, 2))).numpy(), model(np.ones((1, 2))).numpy())
    for path, more in (("own.keras", {"unknown": 1}), ("own", {"save_format": "keras"})):
        with pytest.raises(ValueError, match="save"):
            model.save(tmp_path / path, **more)


def test_weights_are_found_under_another_name_of_the_same_layer(tmp_path):
    class Plain(pyml.Model):
        def __init__(self):
            super().__init__()
            self.dense = L.Dense(3)

        def call(self, x):
            return self.dense(x)

    class Renamed(pyml.Model):
        def __init__(self):
            super().__init__()
            self.a_dense = L.Dense(3)

        @property
        def dense(self):
            return self.a_dense

        def call(self, x):
            return self.dense(x)

    one, two, x = Plain(), Renamed(), np.ones((1, 2))
    wanted, _ = one(x).numpy(), two(x)
    one.save_weights(tmp_path / "one.weights.h5")
    two.load_weights(tmp_path / "one.weights.h5")
    np.testing.assert_array_equal(two(x).numpy(), wanted)


def test_a_graph_as_keras_2_wrote_it_is_read():
    def layer(name, calls, kind="Dense", **config):
        return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": calls}

    config = {"name": "old", "input_layers": [["x", 0, 0]], "output_layers": [["both", 0, 0]], "layers": [
        layer("x", [], "InputLayer", batch_input_shape=[None, 2], dtype="float32"),
        layer("both", [[["a", 0, 0, {}], ["b", 0, 0, {}]]], "Concatenate"),
        layer("a", [[["x", 0, 0, {}]]], units=3), layer("b", [[["x", 0, 0, {}]]], units=1)]}  # fmt: skip
    model = pyml.Model.from_config(config)
    assert model.output_shape == (None, 4) and [one.name for one in model.layers if one.weights] == ["a", "b"]
    config["layers"][2]["inbound_nodes"] = [[["both", 0, 0, {}]]]
    with pytest.raises(ValueError, match="circle"):
        pyml.Model.from_config(config)


def test_the_older_way_of_configs_finds_names_that_it_is_given():
    class Span:
        def __init__(self, name, by, inner=None):
            self.name, self.by, self.inner = name, by, inner

        def get_config(self):
            return {"name": self.name, "by": self.by, "inner": self.inner}

        @classmethod
        def from_config(cls, config):
            return cls(**config)

    def double(x):
        return x * 2

    old, known = pyml.utils.legacy, {"Span": Span, "double": double}
    config = old.serialize_keras_object(Span("double", double, Span("b", [1])))
    inner = {"class_name": "Span", "config": {"name": "b", "by": [1], "inner": None}, "__passive_serialization__": True}
    assert config == {"class_name": "Span", "config": {"name": "double", "by": "double", "inner": inner}}
    for given in ((known,), (None, known)):
        made = old.deserialize_keras_object(config, *given)
        assert (made.name, made.by, made.inner.name, made.inner.by) == ("double", double, "b", [1])
    assert old.deserialize_keras_object(None) is None and old.deserialize_keras_object(double) is double
    assert old.deserialize_keras_object("double", known) is double
    assert type(old.deserialize_keras_object("L2", vars(pyml.regularizers))) is pyml.regularizers.L2
    assert old.serialize_keras_object(None) is None and old.serialize_keras_object(Span) == "Span"
    for call, given in ((old.serialize_keras_object, 3), (old.deserialize_keras_object, 3), (old.deserialize_keras_object, "Span"),
                        (old.deserialize_keras_object, {"class_name": "L2"}), (old.deserialize_keras_object, config)):  # fmt: skip
        with pytest.raises(ValueError, match=r"keras_object|Unknown"):
            call(given)


def test_the_version_is_that_of_the_keras_whose_code_runs():
    assert pyml.version().split(".")[:2] == ["3", "15"] and pyml.__version__ != pyml.version()


@pytest.mark.parametrize("layer, told", [
    (lambda: L.BatchNormalization(), {"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99}),
    (lambda: L.LSTM(2), {"zero_output_for_mask": False, "unroll": False}),
    (lambda: L.GRU(2, zero_output_for_mask=True), {"zero_output_for_mask": True}),
    (lambda: L.ConvLSTM2D(2, 3), {"zero_output_for_mask": False}),
    (lambda: L.ReversibleEmbedding(4, 2), {"quantization_config": None}),
])
def test_configs_tell_what_those_of_keras_tell(layer, told):
    made = layer()
    config = made.get_config()
    assert {name: config.get(name, "nothing") for name in told} == told
    assert type(made).from_config(config).get_config() == config


def test_a_model_tells_its_operations_and_what_its_inputs_must_be():
    a, b = pyml.Input((3,), name="a"), pyml.Input((4, 1), name="b", optional=True)
    model = pyml.Model({"second": b, "first": a}, L.Dense(2, name="out")(a) + 1.0)
    assert [(s.name, s.shape, s.ndim, s.allow_last_axis_squeeze, s.optional) for s in model.input_spec] == [
        ("first", (None, 3), 2, True, False), ("second", (None, 4, 1), 3, True, True)]
    assert [s.name for s in pyml.Model([a, b], model({"second": b, "first": a})).input_spec] == ["a", "b"]
    assert pyml.Model({"x": {"y": a}, "z": b}, L.Dense(2)(a)).input_spec is None
    assert {o.name.partition("_")[0] for o in model.operations} == {"a", "b", "out", "add"}
    assert pyml.Sequential([a, L.Dense(2)]).input_spec is None
    with pytest.raises(ValueError, match="wrong shape"):
        model({"first": np.ones((2, 5)), "second": None})
    model.input_spec = pyml.InputSpec(ndim=7)
    with pytest.raises(ValueError, match="ndim=7"):
        model({"first": np.ones((2, 3))})
