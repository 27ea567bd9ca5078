"""What programs with a mistake in them are told: one sentence under the user's own names, and objects that still work afterwards."""

import traceback
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import layers, optimizers
from pyml.errors import ShapeError, did_you_mean

A = pyml.Input((3,))
KINDS = (AttributeError, RuntimeError, TypeError, ValueError)


class Own(layers.Layer):
    def call(self, x):
        return pyml.ops.matmul(x, pyml.ops.ones((5, 3)))


class Owner(pyml.Model):
    def __init__(self):
        super().__init__(name="owner")
        self.inner = pyml.Sequential([layers.Dense(4, name="wide"), Own(name="own")], name="middle")

    def call(self, x):
        return self.inner(x)


@pytest.mark.parametrize(("make", "said"), [
    (lambda: layers.LSTM(4, activation="rellu"), "LSTM: Could not interpret activation function: 'rellu'. Did you mean 'relu'?"),
    (lambda: layers.GRU(4, kernel_initializer="ons"),
     "GRU: kernel_initializer: Could not interpret initializer: 'ons'. Did you mean 'ones'?"),
    (lambda: layers.ConvLSTM2D(4, "a"), "ConvLSTM2D: kernel_size must be one or two positive integers. Received: kernel_size='a'"),
    (lambda: layers.MultiHeadAttention(2, 2, kernel_initializer="ons"),
     "MultiHeadAttention: kernel_initializer: Could not interpret initializer: 'ons'. Did you mean 'ones'?"),
    (lambda: layers.SpatialDropout1D(), "SpatialDropout1D.__init__() missing 1 required positional argument: 'rate'"),
    (lambda: layers.Add(3), "Add.__init__() takes 1 positional argument but 2 were given"),
    (lambda: layers.Add([A, A]),
     ("Add: a tensor was passed to the constructor, which takes options alone; write Add(...)([x, ...]), a call of the layer that it "
      "makes.")),
    (lambda: pyml.dtype_policies.Int4DTypePolicy(), "Int4DTypePolicy.__init__() missing 1 required positional argument: 'mode'"),
    (lambda: pyml.wrappers.SKLearnClassifier(modle=3),
     "SKLearnClassifier.__init__() got an unexpected keyword argument 'modle'. Did you mean 'model'?"),
    (lambda: pyml.losses.get("msee"), "Could not interpret loss identifier: 'msee'. Did you mean 'mse'?"),
    (lambda: optimizers.get("Adma"), "Could not interpret optimizer identifier: 'Adma'. Did you mean 'Adam'?"),
    (lambda: optimizers.get("zzz"),
     ("Could not interpret optimizer identifier: 'zzz'. Known names: adadelta, adafactor, adagrad, adam, adamax, adamw, ftrl, lamb, lion, "
      "lossscaleoptimizer, multioptimizer, muon, nadam, rmsprop, schedulefreeadamw, sgd")),
    (lambda: optimizers.LossScaleOptimizer("adam"),
     "LossScaleOptimizer: inner_optimizer must be an optimizer. Received: inner_optimizer='adam'"),
    (lambda: pyml.Sequential(A), "Sequential: expected a list of layers. Received: <KerasTensor "),
    (lambda: pyml.Sequential([pyml.Input((4,)), Own(name="o")]), "matmul: x1 is (None, 4) and x2 is (5, 3); 4 != 5."),
])  # fmt: skip
def test_a_constructor_is_told_its_own_name_once_and_no_part_of_its_own(make, said, cpu):
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    assert str(caught.value).startswith(said) and (
        str(caught.value) == said or said.endswith(("KerasTensor ", "sgd"))  # other tests may have optimizers of their own
    )
    assert caught.value.__cause__ is None and (caught.value.__context__ is None or caught.value.__suppress_context__)


def test_an_error_of_a_call_says_once_which_layer_of_which_models_it_is_of(cpu):
    model = Owner()
    model.compile("sgd", "mse")
    for call in (model, lambda x: model.predict(x, verbose=0), lambda x: model.fit(x, x, verbose=0)):
        with pytest.raises(ShapeError, match="matmul: ") as caught:
            call(np.ones((2, 3)))
        assert caught.value.__notes__ == ['In "own" (Own) of "middle" (Sequential) of "owner" (Owner).']
    with pytest.raises(ShapeError, match='layer "wide"') as caught:
        model.inner.layers[0](np.ones((2, 7)))
    assert not hasattr(caught.value, "__notes__")  # it names the layer, which stands alone


def test_two_letters_that_changed_places_come_before_other_near_names():
    assert did_you_mean("ADMA", ["adamax", "adam"]) == " Did you mean 'adam'?"
    assert did_you_mean("relu6 ", ["relu", "relu6"]) == " Did you mean 'relu6'?"
    assert did_you_mean("zzz", ["adam"]) == ""


ONES = np.ones((4, 2), "float32")


class Small(pyml.Model):
    """A model of which one method is to be written wrong."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)


def written(base, **methods):
    """A class of one's own, called Own, with these methods."""
    return type("Own", (base,), methods)


def fitted(cls=Small, optimizer="sgd", loss="mse", verb="fit", **kwargs):
    model = cls()
    model.compile(optimizer, loss, **kwargs)
    return model.predict(ONES, verbose=0) if verb == "predict" else model.fit(ONES, ONES, verbose=0)


def dense(**kwargs):
    """`fitted` of a Sequential with such a layer."""
    return fitted(lambda: pyml.Sequential([pyml.Input((2,)), layers.Dense(2, name="d", **kwargs)], name="s"))


def nothing(*args, **kwargs):
    """Forgot to return."""


def late(self, *args):
    """A constructor that forgot `super().__init__()`."""
    self.number = 3


FORGOTTEN = "Own: call super().__init__() first in __init__()."
SCHEDULE, RATE = optimizers.schedules.LearningRateSchedule, "o: the learning rate Own must return a number"


@pytest.mark.parametrize(("kinds", "call", "said"), [
    ("TypeError", lambda: fitted(written(Small, train_step=nothing)),
     "train_step() of Own must return a dict of logs, such as {'loss': loss}; end it with `return`. It returned None."),
    ("TypeError", lambda: fitted(written(Small, train_step=lambda self, data: 0.5)),
     "train_step() of Own must return a dict of logs, such as {'loss': loss}. It returned 0.5."),
    ("TypeError", lambda: fitted(written(Small, compute_metrics=nothing)), "compute_metrics() of Own must return a dict of logs"),
    ("ValueError", lambda: fitted(written(Small, compute_loss=nothing)),
     "compute_loss() of Own must return a scalar tensor; end it with `return`. It returned None."),
    ("ValueError", lambda: fitted(written(Small, compute_loss=lambda self, x, y, y_pred: y - y_pred)),
     "compute_loss() of Own must return a scalar tensor. It returned one of shape (4, 2); reduce it with ops.mean."),
    ("ValueError", lambda: fitted(written(Small, compute_loss=lambda self, x: 1.0)), "No gradients provided for any variable"),
    ("ValueError", lambda: fitted(written(Small, predict_step=nothing), verb="predict"),
     "predict: Own must give outputs with the batch as their first axis. It gave None; end the call() of the model, "),
    ("ValueError", lambda: fitted(written(Small, call=lambda self, x: pyml.ops.mean(self.dense(x))), verb="predict"),
     "predict: Own must give outputs with the batch as their first axis. It gave a single number."),
    ("RuntimeError AttributeError",
     lambda: fitted(metrics=[written(pyml.metrics.Metric, update_state=nothing, __init__=late)()]), FORGOTTEN),
    ("RuntimeError AttributeError", lambda: fitted(optimizer=written(optimizers.Optimizer, __init__=late)(0.1)), FORGOTTEN),
    ("RuntimeError AttributeError", lambda: fitted(loss=written(pyml.losses.Loss, __init__=late, call=nothing)()), FORGOTTEN),
    ("TypeError", lambda: fitted(metrics=[written(pyml.metrics.Metric, result=nothing, update_state=nothing)(name="me")]),
     "result() of the metric 'me' must return a tensor or a dict of tensors; end it with `return`. It returned None."),
    ("TypeError",
     lambda: fitted(optimizer=optimizers.SGD(written(SCHEDULE, __call__=nothing)(), name="o")), f"{RATE}; end it with `return`."),
    ("ValueError", lambda: fitted(optimizer=optimizers.SGD(written(SCHEDULE, __call__=lambda self, step: pyml.ops.ones(2))(), name="o")),
     f"{RATE}. It returned a tensor of shape (2,)."),
    ("ValueError", lambda: dense(kernel_initializer=nothing), "the initializer nothing must return a tensor; end it with `return`."),
    ("ValueError", lambda: dense(kernel_constraint=nothing), "the constraint of 's/d/kernel' must return a tensor; end it with `return`."),
    ("ValueError", lambda: dense(kernel_regularizer=nothing), "the regularizer of 's/d/kernel' must return a tensor; end it "),
    ("ValueError", lambda: layers.Dense(2, name="d").add_weight(shape=(2.5, 3), name="w"),
     """Layer "d": the sizes of weight 'w' must be integers from 0 on. Received: shape=(2.5, 3)"""),
    ("ValueError", lambda: written(layers.Layer, compute_output_shape=nothing)()(A), "compute_output_shape() must return a tuple of sizes"),
    ("TypeError", lambda: pyml.models.clone_model(pyml.Sequential([A, written(Own, get_config=nothing, call=lambda self, x: x)()])),
     "Own.from_config: expected the dict that get_config() returns. Received: None"),
    ("TypeError", lambda: pyml.saving.register_keras_serializable(Own),
     "register_keras_serializable: write @register_keras_serializable(), with parentheses."),
])  # fmt: skip
def test_what_is_written_wrong_in_a_class_of_ones_own_is_told_under_its_name(kinds, call, said, cpu):
    with pytest.raises(KINDS) as caught:  # which of them is compared
        call()
    assert str(caught.value).startswith(said)
    assert set(kinds.split()) <= {kind.__name__ for kind in type(caught.value).__mro__}
    assert pyml.ops.sum(ONES).numpy() == 8  # nothing is left half done


def told(shape):
    """Ones of that shape, which attention and recurrent layers are called on."""
    return np.ones(shape, "float32")


X, Q, V = told((2, 4, 5)), told((2, 3, 4)), told((2, 5, 4))


@pytest.mark.parametrize(("kind", "call", "said"), [
    (ShapeError, lambda: layers.LSTM(3, name="r")(X, initial_state=[told((2, 4)), told((2, 3))]),
     'Layer "r": state 0 of initial_state must have the shape (2, 3): the batch and the units. Received: (2, 4)'),
    (ShapeError, lambda: layers.GRU(3, name="r")(X, initial_state=told((3, 3))),
     'Layer "r": state 0 of initial_state must have the shape (2, 3)'),
    (ShapeError, lambda: layers.LSTM(3, name="r")(X, mask=np.ones((2, 3), bool)),
     'Layer "r": the mask must have the batch and the steps of the inputs, (2, 4). Received: a mask of shape (2, 3)'),
    (ShapeError, lambda: layers.LSTMCell(3, name="c")(X[0], told((4, 3))), 'Layer "c" has 2 state(s); states has 1.'),
    (ShapeError, lambda: layers.Attention(name="a")([Q, told((2, 5, 6))]),
     'Layer "a": query and key must have as many features. Received: query'),
    (ShapeError, lambda: layers.AdditiveAttention(name="a")([Q, told((2, 5, 6))]), 'Layer "a": query and key must have as many features.'),
    (ShapeError, lambda: layers.Attention(name="a")([Q, V, told((2, 6, 4))]), 'Layer "a": key and value must have as many steps.'),
    (ShapeError, lambda: layers.Attention(name="a")([Q, V], mask=[None, np.ones((2, 4), bool)]),
     'Layer "a": the second mask must have the steps of value.'),
    (ShapeError, lambda: layers.MultiHeadAttention(2, 3, name="a")(Q, V, attention_mask=np.ones((2, 5, 3), bool)),
     'Layer "a": attention_mask must have the shape (batch, targets, sources), (2, 3, 5). Received: (2, 5, 3)'),
    (TypeError, lambda: layers.MultiHeadAttention(2, 3, name="a")([Q, V]),
     "Layer \"a\": missing a required argument: 'value'. It takes its tensors one by one: layer(query, value), not as a list."),
    (ValueError, lambda: layers.TextVectorization(vocabulary=3),
     "TextVectorization: vocabulary must be a list of tokens or the path of a file"),
    (ValueError, lambda: layers.TextVectorization(vocabulary=["a", "a"]),
     "TextVectorization: The passed vocabulary has at least one repeated"),
    (ValueError, lambda: layers.StringLookup(vocabulary=["a"], invert=True)(["a"]), "StringLookup: with invert=True inputs are places"),
    (ShapeError, lambda: layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0] * 3, name="n")(ONES),
     'Layer "n": mean and variance must have the sizes of the inputs along axis=(-1,), (2,). Received: one of shape (3,)'),
    (ValueError, lambda: pyml.applications.MobileNetV2(weights=None, input_shape=224), "`input_shape` must be a tuple of three integers."),
    (AttributeError, lambda: optimizers.legacy.Adam(), "module 'pyml.optimizers' has no legacy, which Keras 3 left out: pyml.optimizers"),
    (AttributeError, lambda: pyml.losses.Reduction.SUM,
     "module 'pyml.losses' has no Reduction, which Keras 3 left out: write its name as text"),
    (AttributeError, lambda: Small().add_metric(3), "Small has no add_metric, which Keras 3 left out: make the metric in __init__()"),
    (AttributeError, lambda: Small().fit_generator(3), "Small has no fit_generator, which Keras 3 left out: fit() takes generators."),
    (AttributeError, lambda: optimizers.Adam().lr, "Adam has no lr, which Keras 3 left out: it is learning_rate."),
])  # fmt: skip
def test_shapes_and_names_that_do_not_fit_are_told_what_would(kind, call, said, cpu):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(said) and "mask_token" not in str(caught.value)


NAMED = {"o1": np.ones((4, 1)), "o2": np.ones((4, 1))}


def two_outputs(as_list=False):
    outputs = {name: layers.Dense(1, name=name)(A) for name in NAMED}
    model = pyml.Model(A, list(outputs.values()) if as_list else outputs)
    model.compile("sgd", ["mse", "mse"] if as_list else {"o1": "mse", "o2": "mse"})
    return model


@pytest.mark.parametrize("as_list", [False, True])
def test_targets_and_weights_for_what_is_no_output_are_refused_by_name(as_list, cpu):
    model, x = two_outputs(as_list), np.ones((4, 3))
    one = pyml.Sequential([pyml.Input((3,)), layers.Dense(1, name="o1")])
    one.compile("sgd", "mse")
    more, weights = NAMED | {"o3": np.ones((4, 1))}, {name: np.ones(4) for name in ("o1", "o2", "o3")}
    for call in (lambda: model.fit(x, more, verbose=0), lambda: model.evaluate(x, more, verbose=0), lambda: model.train_on_batch(x, more),
                 lambda: model.fit(x, NAMED, validation_data=(x, more), verbose=0)):  # fmt: skip
        with pytest.raises(ValueError, match=r"targets were given for o3, which the model has not: its outputs are o1, o2\. Leave"):
            call()
    with pytest.raises(ValueError, match="sample weights were given for o3"):
        model.fit(x, NAMED, sample_weight=weights, verbose=0)
    with pytest.raises(ValueError, match="targets were given for o2"):
        one.fit(x, NAMED, verbose=0)
    assert np.isfinite(model.fit(x, NAMED, verbose=0).history["loss"][0])


def built(cls):
    layer = cls()
    layer(ONES)
    return layer


class Inner(layers.Layer):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)


@pytest.mark.parametrize("make", [Small, Inner, lambda: layers.Dense(2)])
@pytest.mark.parametrize("late", [lambda: layers.Dense(2), lambda: pyml.Variable(np.ones(2)), lambda: [layers.Dense(2)],
                                  lambda: {"a": layers.Dropout(0.5)}])  # fmt: skip
def test_layers_and_weights_that_come_after_build_are_refused(make, late, cpu):
    layer = built(make)
    with pytest.raises(ValueError, match=f"{type(layer).__name__}: 'late' cannot become state .* already built"):
        layer.late = late()
    assert not hasattr(layer, "late") and len(layer.weights) == 2
    layer.number, layer.sizes, layer.mean = 3, [1, 2], pyml.metrics.Mean()  # which are no weights
    assert layer(ONES).shape == (4, 2)


def test_build_may_add_to_what_the_build_that_it_calls_has_made(cpu):
    def build(self, shape):
        layers.Dense.build(self, shape)
        self.more, self.inner = pyml.Variable(np.ones(2)), layers.Dense(2)
        self.inner.build(shape)

    layer = written(layers.Dense, build=build)(2)
    layer(ONES)
    assert len(layer.weights) == 5
    layer.enable_lora(1)  # pyml's own additions
    assert len(layer.weights) == 7
    model = pyml.Model(A, layers.Dense(2)(A))
    model.more = layers.Dense(2)  # a graph is its layers, as in Keras
    assert model.predict(np.ones((2, 3)), verbose=0).shape == (2, 2)


CELLS = [lambda: layers.GRUCell(3, name="c"), lambda: layers.LSTMCell(3, name="c"), lambda: layers.SimpleRNNCell(3, name="c"),
         lambda: layers.StackedRNNCells([layers.GRUCell(3)], name="c")]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
def test_cells_without_states_are_told_so(cell, cpu):
    with pytest.raises(TypeError, match="missing a required argument: 'states'"):
        cell()(ONES)
    with pytest.raises(ValueError, match=r'Layer "c": `states` must be tensors\. Received: None'):
        cell()(ONES, None)
    with pytest.raises(ShapeError, match=r'Layer "c" has . (state|cell)'):
        cell()(ONES, [])


@pytest.mark.parametrize(("kind", "call", "said"), [
    (ValueError, lambda: pyml.Input(3), "InputLayer: shape must be a tuple of sizes such as (3,)"),
    (ValueError, lambda: pyml.Input(np.int64(3)), "InputLayer: shape must be a tuple of sizes such as (3,)"),
    (ValueError, lambda: layers.InputLayer(batch_shape=3), "InputLayer: batch_shape must be a tuple of sizes such as (3,)"),
    (ShapeError, lambda: layers.GroupQueryAttention(2, 2, 1, name="g")(ONES, ONES),
     'Layer "g": query must be (batch, steps, features). Received: shape (4, 2)'),
    (ShapeError, lambda: layers.GroupQueryAttention(2, 2, 1, name="g")(ONES[None], ONES[None, None]),
     'Layer "g": value must be (batch, steps, features). Received: shape (1, 1, 4, 2)'),
    *((kind, lambda name=name: getattr(pyml.applications, name)(weights=None, alpha="b"),
       f"{name}: alpha must be a number. Received: alpha='b'")
      for name in ("MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large") for kind in (TypeError, ValueError)),
    (TypeError, lambda: pyml.applications.MobileNetV3Small(weights=None, dropout_rate="b"),
     "MobileNetV3Small: dropout_rate must be a number"),
    *((ValueError, lambda name=name: getattr(pyml.applications, name)(weights=None, input_shape=(32,)),
       "`input_shape` must be a tuple of three integers. Received: input_shape=(32,)")
      for name in ("MobileNet", "MobileNetV2", "MobileNetV3Small", "VGG16")),
    *((kind, lambda verb=verb: getattr(Small(), verb)(3), f"{verb}: expected a path. Received an int: 3")
      for verb in ("load_weights", "save", "save_weights") for kind in (TypeError, ValueError)),
    (ValueError, lambda: pyml.models.load_model(3), "load_model: expected a path. Received an int: 3"),
])  # fmt: skip
def test_numbers_and_shapes_of_another_kind_are_told_what_is_expected(kind, call, said, cpu):
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).startswith(said)


def test_predictions_that_would_be_text_are_said_of_the_layer_that_gives_them(cpu):
    places = pyml.Input((1,), dtype="int32")
    model, x = pyml.Model(places, layers.StringLookup(vocabulary=["a"], invert=True, name="words")(places)), np.array([[1], [0]])
    for predict in (lambda: model.predict(x, verbose=0), lambda: model.predict_on_batch(x)):
        with pytest.raises(TypeError, match=r'Layer "words" \(StringLookup\) gives text, which goes to no device. Call the model itself'):
            predict()
    assert model(x).tolist() == [["a"], ["[UNK]"]]


def test_states_of_convolutions_and_masks_that_broadcast_still_fit(cpu):
    frames = told((2, 4, 5, 5, 1))
    assert layers.ConvLSTM2D(3, 2)(frames, initial_state=[told((2, 4, 4, 3))] * 2).shape == (2, 4, 4, 3)
    assert layers.MultiHeadAttention(2, 3)(Q, V, attention_mask=np.ones((1, 1, 5), bool)).shape == (2, 3, 4)
    assert layers.Attention()([Q, V], mask=[None, np.ones((2, 1), bool)]).shape == (2, 3, 4)


def test_a_config_that_cannot_be_written_names_the_layer_that_it_is_of(cpu, tmp_path):
    odd = written(layers.Layer, call=lambda self, x: x, get_config=lambda self: {"kinds": {1, 2}})(name="odd")
    with pytest.raises(TypeError, match="set objects cannot be serialized") as caught:
        pyml.Sequential([A, odd]).save(tmp_path / "model.keras")
    assert caught.value.__notes__ == ["In get_config() of 'odd' (Own)."] and not list(tmp_path.iterdir())


def test_names_of_keras_2_are_not_there_but_for_what_they_are_told():
    assert not hasattr(Small(), "add_metric") and not hasattr(optimizers, "legacy")
    model = Small()
    model.add_metric = 3
    assert model.add_metric == 3


def test_a_gradient_that_does_not_fit_moves_no_variable(cpu):
    first, second, sgd = pyml.Variable(np.ones(3)), pyml.Variable(np.ones(2), name="second"), optimizers.SGD(1.0, name="o")
    with pytest.raises(ShapeError, match=r"o: the gradient of 'second' has the shape \(4,\), the variable \(2,\)\."):
        sgd.apply([pyml.ops.ones(3), pyml.ops.ones(4)], [first, second])
    assert first.numpy().tolist() == [1, 1, 1] and int(sgd.iterations) == 0
    sgd.apply([pyml.ops.ones(3), pyml.ops.ones(())], [first, second])
    assert first.numpy().tolist() == [0, 0, 0] and second.numpy().tolist() == [0, 0]


def test_the_last_screenful_of_an_error_is_the_users_line_and_the_message(cpu, tmp_path, request):
    model = pyml.Sequential([pyml.Input((2,)), written(layers.Layer, get_config=lambda self: {"n": 3}, call=lambda self, x: x)()])
    model.save(tmp_path / "model.keras")
    pyml.config.enable_traceback_filtering()
    request.addfinalizer(pyml.config.disable_traceback_filtering)
    for call in (lambda: pyml.ops.sum(ONES, axis=2), lambda: pyml.ops.take(ONES, 9, axis=0), lambda: A[:, 5],
                 lambda: pyml.ops.einsum("ij,jk->ik", ONES, np.ones((5, 2))), lambda: pyml.models.load_model(tmp_path / "model.keras"),
                 lambda: optimizers.SGD(1.0).apply([pyml.ops.ones(4)], [pyml.Variable(np.ones(3))])):  # fmt: skip
        with pytest.raises((ValueError, IndexError)) as caught:
            call()
        lines = traceback.format_exception(caught.value)
        inside = [line for line in lines if str(Path(pyml.__file__).parent) in line]
        assert len(inside) <= 2 and len(lines) <= 6, "".join(lines)  # of pyml where it was called alone
