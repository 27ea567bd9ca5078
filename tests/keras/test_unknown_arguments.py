"""An argument that does not exist is named, with the nearest one that does; old names do what they do in Keras."""

import importlib
import inspect
import pkgutil
import warnings

import numpy as np
import pytest

import pyml
from pyml import layers as L
from pyml.ops.declare import DECLARED

FAMILIES = {  # the error of each family, as Keras has it
    "layers": ValueError, "optimizers": ValueError, "losses": TypeError, "metrics": TypeError, "initializers": TypeError,
    "regularizers": TypeError, "constraints": TypeError, "callbacks": TypeError, "optimizers.schedules": TypeError,
}  # fmt: skip
NESTED = {"layer": lambda: L.LSTM(2), "cell": lambda: L.LSTMCell(2), "cells": lambda: [L.LSTMCell(2)], "function": lambda: abs,
          "optimizer": lambda: pyml.optimizers.SGD(), "inner_optimizer": lambda: pyml.optimizers.SGD()}  # fmt: skip
PASSES_ON = {"CallbackList", "LambdaCallback", "LossFunctionWrapper", "MeanMetricWrapper"}  # to a function, or keeps it, as Keras


def public(family):
    home = pyml
    for part in family.split("."):
        home = getattr(home, part)
    found = {name: getattr(home, name) for name in sorted(dir(home)) if name[0].isupper()}
    return [(name, cls) for name, cls in found.items() if inspect.isclass(cls) and cls.__module__.startswith(f"pyml.{family[:6]}")]


def needed(cls):
    """A value for each argument without a default."""
    own = list(inspect.signature(cls).parameters.values())
    plain = [p for p in own if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
    return {"shape": (2,)} if cls is L.InputLayer else {p.name: NESTED.get(p.name, lambda: 1)() for p in plain}


@pytest.mark.parametrize("family", FAMILIES)
def test_every_class_names_an_argument_that_does_not_exist(family, cpu):
    silent, known = [], public(family)
    assert len(known) > 4
    for name, cls in known:
        try:
            cls(**needed(cls), no_such_argument=3)
        except FAMILIES[family] as error:
            silent += [name] * ("no_such_argument" not in str(error))
        except (TypeError, ImportError) as error:  # a class of functions, or of a package that is not there
            silent += [name] * ("no_such_argument" not in str(error) and not isinstance(error, ImportError))
        else:
            silent += [name] * (name not in PASSES_ON)
    assert silent == []


def test_every_op_names_an_argument_that_does_not_exist(cpu):
    silent = []
    for _, file, _ in pkgutil.iter_modules(pyml.ops.__path__):
        importlib.import_module(f"pyml.ops.{file}")
    for name, op in DECLARED.items():
        takes = inspect.signature(op.function).parameters.values()
        if any(p.kind is p.VAR_KEYWORD for p in takes):
            continue
        args = [np.ones(2, "float32") for p in takes if p.kind is p.POSITIONAL_OR_KEYWORD and p.default is p.empty]
        try:
            op.function(*args, no_such_argument=3)
        except (TypeError, ValueError) as error:
            silent += [name] * ("no_such_argument" not in str(error))
        else:
            silent.append(name)
    assert silent == [] and len(DECLARED) > 300


def trained(**options):
    model = pyml.Sequential([pyml.Input((2,)), L.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), **{"verbose": 0, **options})


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: L.Dense(4, unit=3), ValueError, "passed to Dense: {'unit': 3}. Did you mean 'units'?"),
    (lambda: L.Conv2D(4, 3, stride=2), ValueError, "Did you mean 'strides'?"),
    (lambda: L.LSTM(4, return_sequence=True), ValueError, "Did you mean 'return_sequences'?"),
    (lambda: L.Dense(4, names="a"), ValueError, "Did you mean 'name'?"),
    (lambda: pyml.optimizers.Adam(lr=0.1), ValueError, "Did you mean 'learning_rate'?"),
    (lambda: pyml.optimizers.Adam(clip_norm=0.1), ValueError, "Did you mean 'clipnorm'?"),
    (lambda: pyml.losses.Huber(deltas=2.0), TypeError, "'deltas'. Did you mean 'delta'?"),
    (lambda: pyml.losses.BinaryCrossentropy(from_logit=True), TypeError, "Did you mean 'from_logits'?"),
    (lambda: pyml.constraints.NonNeg(axis=1), TypeError, "NonNeg() takes no arguments. Received: 'axis'"),
    (lambda: pyml.initializers.Zeros(3), TypeError, "Zeros() takes no arguments. Received: 3"),
    (lambda: pyml.ops.sum([1.0], axes=0), TypeError, "sum() got an unexpected keyword argument 'axes'. Did you mean 'axis'?"),
    (lambda: pyml.random.SeedGenerator(1, seeds=2), ValueError, "Did you mean 'seed'?"),
    (lambda: pyml.Variable(1.0, train=False), TypeError, "Did you mean 'trainable'?"),
    (lambda: pyml.Variable(1.0, name="a/b"), ValueError, "name must be a string without '/'"),
    (lambda: pyml.Variable(1.0, aggregation="all"), ValueError, "aggregation must be None, 'none', 'mean'"),
    (lambda: pyml.Variable(1.0, synchronization="all"), ValueError, "synchronization must be None, 'none', 'on_read'"),
    (lambda: setattr(pyml.Variable(1.0), "overwrite_with_gradient", 1), TypeError, "overwrite_with_gradient must be True or False"),
    (lambda: len(pyml.Variable(1.0)), TypeError, "len() of a Variable without axes"),
    (lambda: pyml.name_scope("a/b"), ValueError, "name must be a string without '/'"),
    (lambda: pyml.device("bad"), ValueError, "expected 'cpu', 'gpu' or 'tpu'"),
    (lambda: pyml.KerasTensor((2, -1)), ValueError, "shape must hold sizes of at least 0, or None. Received: shape=(2, -1)"),
    (lambda: pyml.KerasTensor((2, 1.5)), ValueError, "shape must hold sizes of at least 0, or None"),
    (lambda: pyml.InputSpec(ndim=2, axes={5: 3}), ValueError, "axis 5 is out of range for 2 axes"),
    (lambda: pyml.InputSpec(axes=5), TypeError, "axes must be a dict of axis to size"),
    (lambda: pyml.InputSpec(shape=3), ValueError, "shape must be a tuple of sizes"),
    (lambda: pyml.InputSpec(dtype="bad"), ValueError, "Invalid dtype: 'bad'"),
    (lambda: pyml.Operation(name="a/b"), ValueError, "name must be a string without '/'"),
    (lambda: L.Dense(2, name="d").input, AttributeError, "d was not called symbolically, so its input is not defined"),
    (lambda: pyml.KerasTensor(3), ValueError, "shape must be a tuple of sizes"),
    (lambda: pyml.ops.convert_to_numpy(pyml.KerasTensor((2,))), ValueError, "a symbolic KerasTensor was passed"),
    (lambda: pyml.KerasTensor("ab"), ValueError, "shape must be a tuple of sizes"),
    (lambda: pyml.optimizers.Adam(clipnorm="x"), ValueError, "Adam: clipnorm must be a number or None. Received: clipnorm='x'"),
    (lambda: pyml.optimizers.Adam(0.1, "0.9"), ValueError, "Adam: beta_1 must be a number. Received: beta_1='0.9'"),
    (lambda: L.Rescaling("1/255"), ValueError, "Rescaling: scale must be a number or a list of numbers. Received: scale='1/255'"),
    (lambda: L.Dense(2, input_shape=3), ValueError, "Dense: input_shape must be a list of sizes or None. Received: input_shape=3"),
    (lambda: pyml.utils.to_categorical(["a"]), ValueError, "classes must be integers in an array or a list. Received: x=['a']"),
    (lambda: pyml.metrics.AUC(thresholds=0.5), TypeError, "AUC: 'float' object is not iterable. Received: thresholds=0.5"),
    (lambda: L.EinsumDense(None, 3), TypeError, "EinsumDense: equation must be text. Received: equation=None"),
    (lambda: L.Lambda(abs, arguments=3), TypeError, "Lambda: arguments must be a dict or None. Received: arguments=3"),
    (lambda: L.Conv2D("3", 2), ValueError, "Conv2D: filters must be"),
    (lambda: L.Dense(2, bias_initializer=3), ValueError, "Dense: bias_initializer: Could not interpret initializer: 3."),
    (lambda: L.RandomColorJitter(hue_factor=1.5), ValueError, "RandomColorJitter: hue_factor: factor must be a number, or two"),
    (lambda: L.SpatialDropout1D(0.5, noise_shape=(2,)), TypeError, "SpatialDropout1D: noise_shape is set by the class itself"),
    (lambda: L.Dense(2, units=3), TypeError, "Dense: units is given twice, by its place and by its name. Received: units=3"),
    (lambda: L.Conv2D(3, (3, "3")), ValueError, "Conv2D: kernel_size must be one or two positive integers. Received: kernel_size=(3, '3')"),
    (lambda: L.MaxPooling2D(2, strides=(2, "2")), ValueError, "MaxPooling2D: strides must be"),
    (lambda: pyml.optimizers.schedules.PiecewiseConstantDecay(["1"], [1, 2]), ValueError, "boundaries must be a list of numbers"),
    (lambda: pyml.metrics.Precision("0.5"), ValueError, "Precision: thresholds must lie in [0, 1]. Received: thresholds='0.5'"),
    (lambda: pyml.callbacks.CSVLogger(3), TypeError, "CSVLogger: filename must be text or a path. Received: filename=3"),
    (lambda: pyml.callbacks.LambdaCallback(on_epoch_end=3), TypeError, "LambdaCallback: on_epoch_end must be a function or None"),
    (lambda: pyml.metrics.Mean(name=5), ValueError, "Mean: name must be a string. Received: name=5"),
    (lambda: L.RandomContrast(None), ValueError, "RandomContrast: factor must be a number, or two, in [0, 1]. Received: factor=None"),
    (lambda: L.RandomHue([]), ValueError, "RandomHue: factor must be a number, or two, in [0, 1]. Received: factor=[]"),
    (lambda: pyml.optimizers.SGD(gradient_accumulation_steps=np.nan), ValueError, "gradient_accumulation_steps must be at least 2"),
    (lambda: pyml.losses.Huber(reduction="all"), ValueError, "Huber: reduction must be one of"),
    (lambda: pyml.optimizers.schedules.CosineDecayRestarts(0.1, 0), ValueError, "CosineDecayRestarts: first_decay_steps must be positive"),
    (lambda: L.STFTSpectrogram(frame_length=0), ValueError, "STFTSpectrogram: frame_length must be a positive integer"),
    (lambda: L.RepeatVector(0), ValueError, "RepeatVector: n must be a positive integer"),
    (lambda: L.RepeatVector("3"), TypeError, "RepeatVector: n must be a positive integer"),
    (lambda: L.UpSampling1D(2.5), TypeError, "UpSampling1D: size must be a positive integer"),
    (lambda: L.Dense(2, trainable="yes"), ValueError, "trainable must be True or False. Received: trainable='yes'"),
    (lambda: L.Dense(2, name="d")(), TypeError, "Layer \"d\": missing a required argument: 'inputs'"),
    (lambda: L.Dense(2, name="d")(None), ValueError, "Layer \"d\": `inputs` must be tensors. Received: None"),
    (lambda: L.Dense(2, name="d")("abc"), ValueError, "only tensors may be passed as positional arguments. Received: 'abc'"),
    (lambda: L.Dot(axes=7)([np.ones((2, 3)), np.ones((2, 3))]), ValueError, "7"),
    (lambda: L.Dense(1, activation="rellu"), ValueError, "'rellu'. Did you mean 'relu'?"),
    (lambda: trained(epoch=2), TypeError, "fit() got an unexpected keyword argument 'epoch'. Did you mean 'epochs'?"),
    (lambda: trained(batchsize=2), TypeError, "Did you mean 'batch_size'?"),
    (lambda: trained(validation_data=np.ones((4, 2))), ValueError, "pass validation_data=(x, y)"),
    (lambda: trained(validation_data=(np.ones((4, 2)),)), ValueError, "pass validation_data=(x, y)"),
    (lambda: pyml.Sequential().compile(optimiser="sgd"), TypeError, "Did you mean 'optimizer'?"),
    (lambda: pyml.Model(input=pyml.Input((2,))), ValueError, "Model(inputs=..., outputs=...). Missing: inputs and outputs"),
    (lambda: pyml.Model(inputs=pyml.Input((2,))), ValueError, "passed to Model: inputs. A model of symbolic tensors is"),
    (lambda: pyml.Model(pyml.Input((2,)), []), ValueError, "Model: outputs holds no tensor"),
    (lambda: pyml.Sequential(L.Dense), TypeError, "Sequential: expected a list of layers. Received: <class"),
    (lambda: pyml.losses.get("mean_square_error"), ValueError, "Did you mean 'mean_squared_error'?"),
])  # fmt: skip
def test_the_nearest_name_is_proposed(call, kind, message):
    with pytest.raises(kind) as caught:
        call()
    assert message in str(caught.value)


@pytest.mark.parametrize("call", [
    lambda: L.BatchNormalization(axis="1", momentum=1.5, epsilon=0)(np.ones((2, 3), "float32")),
    lambda: L.LayerNormalization(epsilon=0)(np.ones((2, 3), "float32") * np.arange(3)),
    lambda: L.GroupNormalization(3, epsilon=-1e-9)(np.ones((2, 4, 3), "float32") * np.arange(4)[:, None]),
    lambda: L.ReversibleEmbedding(2, 3, tie_weights=False, weights=[np.ones((2, 3)), np.ones((3, 2))])(np.ones((2, 3), "int32")),
])  # fmt: skip
def test_what_keras_takes_is_taken(call, cpu):
    assert np.isfinite(call().numpy()).all()


def test_a_lambda_callback_keeps_what_is_no_hook_as_an_attribute():
    assert pyml.callbacks.LambdaCallback(_supports_tf_logs=True)._supports_tf_logs is True


def test_a_class_of_ones_own_is_named_where_a_constructor_of_ours_fails():
    class Mine(L.Dense):
        def __init__(self, units, rate):
            super().__init__(units, kernel_initializer=rate)
            self.rate = rate / 2

    with pytest.raises(ValueError, match=r"^Mine: kernel_initializer: Could not interpret initializer: 3\."):
        Mine(2, 3)
    with pytest.raises(TypeError, match=r"^unsupported operand"):       # its own mistakes are its own
        Mine(2, "ones")


@pytest.mark.parametrize(("mistake", "error"), [
    (lambda: {}["key"], KeyError("key")), (lambda: (0).foo, AttributeError("'int' object has no attribute 'foo'")),
    (lambda: 1 / 0, ZeroDivisionError("division by zero")), (lambda: [][3], IndexError("list index out of range")),
])  # fmt: skip
def test_what_a_layer_of_ones_own_raises_in_its_call_is_not_reworded_by_the_model_that_builds_it(mistake, error):
    class Mine(L.Layer):
        def call(self, x):
            mistake()

    with pytest.raises(type(error)) as found:
        pyml.Sequential([pyml.Input((3,)), Mine()])
    assert found.type is type(error) and found.value.args == error.args


@pytest.mark.parametrize(("call", "said", "kept"), [
    (lambda: L.LeakyReLU(alpha=0.1), "`alpha` is deprecated", {"negative_slope": 0.1}),
    (lambda: L.Embedding(5, 3, input_length=4), "`input_length` is deprecated", {"input_dim": 5}),
    (lambda: L.Dense(2, input_shape=(3,)), "Do not pass an `input_shape`", {"units": 2}),
    (lambda: L.Dense(2, input_dim=3), "Do not pass an `input_shape`", {"units": 2}),
    (lambda: L.InputLayer(input_shape=(3,)), "`input_shape` is deprecated", {"batch_shape": (None, 3)}),
    (lambda: L.InputLayer(batch_input_shape=(2, 3)), None, {"batch_shape": (2, 3)}),
    (lambda: L.LSTM(2, implementation=1), None, {"units": 2}),
    (lambda: L.GRU(2, implementation=2), None, {"units": 2}),
    (lambda: L.LSTMCell(2, implementation=1), None, {"units": 2}),
    (lambda: L.GRUCell(2, implementation=2), None, {"units": 2}),
    (lambda: pyml.optimizers.Adam(0.5, decay=0.1), "`decay` is no longer supported", {"learning_rate": 0.5}),
])  # fmt: skip
def test_an_old_name_does_what_it_does_in_keras(call, said, kept):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        made = call()
    assert [said in str(w.message) for w in heard] == [True] * (said is not None)
    config = made.get_config()
    assert {name: config[name] for name in kept} == kept
    assert not {"alpha", "implementation", "decay", "input_length", "input_shape"} & set(config)


def test_a_variable_may_name_its_initializer():
    assert pyml.Variable("ones", shape=(2,)).numpy().tolist() == [1.0, 1.0]
