"""Recurrent layers as loops: with every option what they are with each step traced by itself (`unroll=True`)."""

from __future__ import annotations

import numpy as np
import pytest

import pyml
from pyml import Input, Model, Sequential, layers, ops
from pyml.compile.plan import Loop

L = layers
X = np.random.default_rng(0).standard_normal((4, 6, 3)).astype("float32")
MASK = np.array([[1, 1, 0, 1, 0, 1], [0, 0, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0]], bool)
STATE = np.random.default_rng(1).standard_normal((4, 5)).astype("float32")


class Pair(layers.Layer):
    """A cell of a user: two states of different sizes, an output that is neither, losses in every step, no `project`."""

    state_size = (4, 2)
    output_size = 3

    def build(self, input_shape):
        self.inward = self.add_weight(name="inward", shape=(input_shape[-1], 4))
        self.across = self.add_weight(name="across", shape=(4, 2), regularizer="l2")
        self.steps = self.add_weight(name="steps", shape=(), initializer="zeros", trainable=False)

    def call(self, inputs, states):
        a, b = states
        a = ops.tanh(ops.matmul(inputs, self.inward) + a)
        b = 0.5 * b + ops.matmul(a, self.across)
        self.add_loss(0.01 * ops.sum(ops.square(b)))
        self.steps.assign_add(1.0)
        return ops.concatenate([b, a[:, :1]], axis=-1), [a, b]


def test_a_layer_says_whether_its_cell_has_a_single_size_as_in_keras():
    found = [layer.single_state for layer in (L.GRU(2), L.RNN(Picture()), L.LSTM(2), L.RNN(Pair()))]
    assert found == [True, True, False, False]


class Picture(layers.Layer):
    """A convolutional cell: its state is a picture."""

    state_size = 2

    def build(self, input_shape):
        self.kernel = self.add_weight(name="kernel", shape=(3, 3, input_shape[-1] + 2, 2))

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, 4, 5, 2))]

    def call(self, inputs, states):
        h = ops.tanh(ops.conv(ops.concatenate([inputs, states[0]], axis=-1), self.kernel, padding="same"))
        return h, [h]


CELLS = {
    "gru": lambda **kw: L.GRU(5, reset_after=False, **kw),
    "gru_relu": lambda **kw: L.GRU(5, activation="relu", **kw),
    "lstm_dropped": lambda **kw: L.LSTM(5, recurrent_dropout=0.4, dropout=0.2, seed=3, **kw),
    "simple": lambda **kw: L.SimpleRNN(5, activation="sigmoid", **kw),
    "stacked": lambda **kw: L.RNN([L.LSTMCell(4), L.GRUCell(5), L.SimpleRNNCell(5)], **kw),
    "pair": lambda **kw: L.RNN(Pair(), **kw),
    "both_ways": lambda **kw: L.Bidirectional(L.RNN(L.GRUCell(5, reset_after=False), **kw)),
}


def two(make):
    """Two models of the same weights: one that loops, one that has every step traced."""
    models = []
    for unroll in (False, True):
        pyml.utils.set_random_seed(7)
        models.append(make(unroll))
    return models


def assert_same(loop: Model, steps: Model, x, epochs=2):
    got, expected = loop.predict(x, verbose=0), steps.predict(x, verbose=0)
    flat = lambda v: v if isinstance(v, (list, tuple)) else [v]
    for a, b in zip(flat(got), flat(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
    targets = [np.ones_like(a) for a in flat(got)]
    histories = []
    for model in (loop, steps):
        model.compile(pyml.optimizers.SGD(0.1), ["mse"] * len(targets))
        y = targets if len(targets) > 1 else targets[0]
        histories.append(model.fit(x, y, epochs=epochs, batch_size=4, shuffle=False, verbose=0).history["loss"])
    np.testing.assert_allclose(*histories, rtol=1e-4)
    for a, b in zip(loop.weights, steps.weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=2e-5, err_msg=a.path)


@pytest.mark.in_turn(16)
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("name", CELLS)
def test_a_loop_trains_as_its_steps_do(device, name, sequences):
    loop, steps = two(lambda unroll: Sequential([Input((4, 3)), CELLS[name](return_sequences=sequences, unroll=unroll)]))
    assert_same(loop, steps, X[:, :4])


@pytest.mark.in_turn(8)
@pytest.mark.parametrize("options", [
    {}, {"return_sequences": True}, {"zero_output_for_mask": True},
    {"go_backwards": True, "return_sequences": True, "zero_output_for_mask": True},
])  # fmt: skip
@pytest.mark.parametrize("cell", [Pair, lambda: L.GRUCell(5, reset_after=False)])
def test_steps_that_a_mask_leaves_out_change_nothing(device, cell, options):
    def make(unroll):
        x, mask = Input((4, 3)), Input((4,), dtype="bool")
        return Model([x, mask], L.RNN(cell(), unroll=unroll, **options)(x, mask=mask))

    loop, steps = two(make)
    assert_same(loop, steps, [X[:, :4], MASK[:, :4]])


@pytest.mark.in_turn(2)
@pytest.mark.parametrize("masked", [False, True])
def test_a_loop_begins_with_the_states_it_is_given_and_gives_them_back(device, masked):
    def make(unroll):
        x, mask, state = Input((4, 3)), Input((4,), dtype="bool"), Input((5,))
        layer = L.GRU(5, reset_after=False, return_sequences=True, return_state=True, unroll=unroll)
        return Model([x, mask, state], layer(x, initial_state=state, mask=mask if masked else None))

    loop, steps = two(make)
    assert_same(loop, steps, [X[:, :4], MASK[:, :4], STATE])


def test_a_stateful_loop_goes_on_where_it_ended(device):
    loop, steps = two(lambda unroll: Sequential([
        Input(batch_shape=(4, 6, 3)), L.RNN([L.GRUCell(5, reset_after=False), L.LSTMCell(2)], stateful=True, unroll=unroll)]))  # fmt: skip
    for _ in range(2):
        np.testing.assert_allclose(loop.predict(X, batch_size=4, verbose=0), steps.predict(X, batch_size=4, verbose=0), atol=1e-6)
    first = loop.predict(X, batch_size=4, verbose=0)
    assert np.abs(first - loop.predict(X, batch_size=4, verbose=0)).max() > 1e-6


def test_states_may_be_pictures(device):
    x = np.random.default_rng(2).standard_normal((4, 3, 4, 5, 1)).astype("float32")
    loop, steps = two(lambda unroll: Sequential([Input((3, 4, 5, 1)), L.RNN(Picture(), return_sequences=True, unroll=unroll)]))
    assert_same(loop, steps, x)


def test_a_cell_is_called_once_however_many_steps_there_are():
    calls = []

    class Counted(L.SimpleRNNCell):
        def _advance_states(self, projected, states, product):
            calls.append(projected.shape)
            return super()._advance_states(projected, states, product)

    layer = L.RNN(Counted(4))
    layer(np.zeros((2, 100, 3), "float32"))
    assert len(calls) == 2  # for its outline, and for the loop


def test_what_a_cell_assigns_in_every_step_is_kept(device):
    layer = L.RNN(Pair())
    layer(X)
    assert float(layer.cell.steps.value) == 6
    model = Sequential([Input((6, 3)), layer])
    model.compile("sgd", "mse")
    model.fit(X, np.zeros((4, 3)), epochs=2, batch_size=2, verbose=0)
    assert float(layer.cell.steps.value) == 6 + 4 * 6


def test_the_input_of_all_steps_is_projected_in_one_product(gpu):
    model = Sequential([Input((30, 3)), L.GRU(5, reset_after=False)])
    run = pyml.program(lambda x: model(x))
    run(np.zeros((2, 30, 3), "float32"))
    (loop,) = [k for k in run.last_plan.kernels if isinstance(k, Loop)]
    assert loop.body.dispatches == 3, run.explain()


def cell_of(units, body):
    class Cell(pyml.layers.Layer):
        def __init__(self):
            super().__init__()
            self.state_size = 4

        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(input_shape[-1], 4))
            self.recurrent = self.add_weight(shape=(units, 4))

        def call(self, inputs, states):
            return body(self, inputs, states)

    return Cell()


def plain_step(cell, x, states):
    h = pyml.ops.matmul(x, cell.kernel) + pyml.ops.matmul(states[0], cell.recurrent)
    return h, [h]


@pytest.mark.parametrize(("units", "body", "told"), [
    (5, plain_step, r"matmul: x1 is \(None, 4\) and x2 is \(5, 4\)"),
    (4, lambda cell, x, states: x, r"must return the output and a list of 1 new state"),
    (4, lambda cell, x, states: (x, []), r"must return the output and a list of 1 new state"),
    (4, lambda cell, x, states: (x, [x]), r"made a state of shape \(None, 3\) from one of shape \(None, 4\)"),
])  # fmt: skip
def test_a_mistake_in_a_cell_shows_when_the_model_is_made(units, body, told):
    with pytest.raises(ValueError, match=told):
        pyml.layers.RNN(cell_of(units, body))(pyml.Input((None, 3)))


def test_a_cell_of_the_user_has_its_shape_before_there_are_data():
    inputs = pyml.Input((None, 3))
    outputs = pyml.layers.RNN(cell_of(4, plain_step), return_sequences=True)(inputs)
    assert outputs.shape == (None, None, 4)
    assert pyml.Model(inputs, outputs)(np.ones((2, 6, 3), "float32")).shape == (2, 6, 4)


@pytest.mark.parametrize("cell", [L.LSTMCell, L.GRUCell, L.SimpleRNNCell])
def test_a_subclass_of_a_cell_computes_what_its_call_says(cell):
    class Shifted(cell):
        def call(self, inputs, states, training=False):
            output, states = super().call(inputs, states, training=training)
            return output + 5.0, states

    pyml.utils.set_random_seed(0)
    own = layers.RNN(Shifted(2), return_sequences=True)
    found = own(X)
    usual = layers.RNN(cell(2), return_sequences=True)
    usual.build(X.shape)
    usual.set_weights(own.get_weights())
    np.testing.assert_allclose(found, usual(X).numpy() + 5.0, atol=1e-5)
