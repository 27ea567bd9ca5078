"""What programs with a mistake in them are told: one sentence under the user's own names, and objects that still work afterwards."""

import re

import numpy as np
import pytest

import pyml
from pyml import layers, optimizers
from pyml.errors import ShapeError, did_you_mean

A = pyml.Input((3,))


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
      "lossscaleoptimizer, multioptimizer, muon, nadam, rmsprop, schedulefreeadamw, sgd.")),
    (lambda: optimizers.LossScaleOptimizer("adam"),
     "LossScaleOptimizer: inner_optimizer must be an optimizer. Received: inner_optimizer='adam'"),
    (lambda: pyml.Sequential(A), "Sequential: expected a list of layers. Received: <KerasTensor "),
    (lambda: pyml.Sequential([pyml.Input((4,)), Own(name="o")]), "matmul: x1 is (None, 4) and x2 is (5, 3); 4 != 5."),
])  # fmt: skip
def test_a_constructor_is_told_its_own_name_once_and_no_part_of_its_own(make, said, cpu):
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    assert str(caught.value).startswith(said) and (str(caught.value) == said or said.endswith("KerasTensor "))
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
    assert re.fullmatch("", did_you_mean("zzz", ["adam"]))
