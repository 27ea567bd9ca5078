"""ConvLSTM layers: Keras' numbers, and a loop that compiles once whatever the number of steps."""

import json
from pathlib import Path

import conv_lstm_cases as cases
import numpy as np
import pytest
from test_goldens_of_keras import assert_same

import pyml

L = pyml.layers
GOLDENS = json.loads(Path(cases.__file__).with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_they_train_and_keep_states_as_in_keras(cpu, case):
    assert_same(case(pyml), GOLDENS[case.__name__], 2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("case", cases.CASES, ids=lambda case: case.__name__)
def test_they_do_on_every_device(device, case):
    assert_same(case(pyml), GOLDENS[case.__name__], 2e-4)


def kernels(make, shape, steps):
    """How many kernels it takes to train a layer on so many steps with a mask."""
    layer, x = make(), np.zeros((2, steps, *shape), np.float32)
    layer(x[:, :1])

    @pyml.program
    def step(x, mask):
        return pyml.core.gradients(pyml.ops.sum(layer(x, training=True, mask=mask)), list(layer.trainable_weights))

    step(x, np.ones((2, steps), bool))
    return len(step.last_plan.kernels)


def test_no_option_of_a_recurrent_layer_takes_kernels_for_every_step(cpu):
    """Sums over more than a few steps take a second kernel; beyond that their number is that of one step."""
    many = [
        lambda: L.GRU(3, reset_after=False), lambda: L.SimpleRNN(3), lambda: L.LSTM(3, activation="relu"),
        lambda: L.LSTM(3, recurrent_dropout=0.3, dropout=0.2), lambda: L.RNN([L.LSTMCell(2), L.GRUCell(3)]),
        lambda: L.Bidirectional(L.GRU(3, reset_after=False)),
    ]
    for make in many:
        assert kernels(make, (2,), 40) == kernels(make, (2,), 90) < 30
    convolved = lambda: L.ConvLSTM1D(2, 2, recurrent_dropout=0.3, dropout=0.3)
    assert kernels(convolved, (4, 2), 40) == kernels(convolved, (4, 2), 90) < 40


@pytest.mark.parametrize(("layer", "drawn"), [
    (L.LSTM(2), 1), (L.Bidirectional(L.SimpleRNN(2)), 2), (L.RNN([L.LSTMCell(2), L.GRUCell(3)]), 2),
])  # fmt: skip
def test_every_cell_has_a_seed_generator_as_in_keras_whose_state_is_no_weight(layer, drawn, cpu):
    layer.build((None, 3, 4))
    assert len(layer.non_trainable_variables) == len(layer.variables) - len(layer.weights) == drawn and not layer.non_trainable_weights
