"""Read this first: what pyml is, from a number to a trained model, in a second. Each test is one idea."""

import numpy as np
import pytest

import pyml
from pyml import Input, Sequential, layers, ops


@pytest.fixture(autouse=True)
def on_numpy():
    """Everything here runs on the `cpu` device; the fixture `device` of conftest.py gives all three in turn."""
    before = pyml.config.get_backend()
    pyml.config.set_backend("cpu")
    yield
    pyml.config.set_backend(before)


def test_operations_of_tensors_are_lazy_until_a_value_is_read():
    y = pyml.convert_to_tensor([1.0, 2.0]) * 2 + 1
    assert y._node.buffer is None  # a graph of two operations, nothing has run
    assert y.numpy().tolist() == [3.0, 5.0]
    assert y._node.buffer is not None  # one kernel ran, and its result stays on the device


def test_a_variable_is_the_only_thing_that_changes():
    v = pyml.Variable([1.0, 2.0])
    before = v.value
    v.assign_add([1.0, 1.0])
    assert before.numpy().tolist() == [1.0, 2.0] and v.numpy().tolist() == [2.0, 3.0]


def test_a_gradient_is_a_graph_too():
    x = pyml.Variable(3.0)
    (g,) = pyml.core.gradients(x * x, [x])
    assert float(g) == 6.0


def test_a_program_is_traced_once_and_replayed():
    traced = []

    @pyml.program
    def double(x):
        traced.append(x.shape)
        return x * 2

    assert double(np.ones(3)).numpy().tolist() == [2, 2, 2]
    assert double(np.full(3, 5.0)).numpy().tolist() == [10, 10, 10]
    assert traced == [(3,)]
    assert double.last_plan.dispatches == 1


def test_a_chain_of_operations_becomes_one_kernel():
    step = pyml.program(lambda x: ops.sum(ops.relu(x * 1.5 + 0.25) * ops.tanh(x)))
    step(np.ones(100))
    assert step.last_plan.dispatches == 1


def test_layers_called_on_a_symbolic_tensor_make_a_model():
    inputs = Input((4,))
    hidden = layers.Dense(8, activation="relu")(inputs)
    assert hidden.shape == (None, 8)  # no data yet, and no batch size
    model = pyml.Model(inputs, layers.Dense(2)(hidden))
    assert model.predict(np.zeros((3, 4)), verbose=0).shape == (3, 2)


def test_a_model_learns():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    x = rng.standard_normal((200, 2)) + 3 * y[:, None]
    pyml.utils.set_random_seed(1)
    model = Sequential([Input((2,)), layers.Dense(8, activation="relu"), layers.Dense(2, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, epochs=15, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert history["accuracy"][-1] > 0.9


def test_an_error_says_what_was_given_and_what_was_expected():
    with pytest.raises(pyml.errors.ShapeError, match=r"\(2, 3\) and .*\(4, 5\)"):
        ops.matmul(np.ones((2, 3)), np.ones((4, 5)))
