"""A cross-entropy of what a softmax or sigmoid returned is that of its logits, whatever happened to the value since."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.core.tensor import Tensor

X = np.array([[200.0, 0.0, -200.0]], np.float32)
ONE_HOT = np.array([[0.0, 0.0, 1.0]], np.float32)
LOSSES = {
    "categorical": lambda p: ops.categorical_crossentropy(ONE_HOT, p),
    "sparse": lambda p: ops.sparse_categorical_crossentropy(np.array([2], np.int32), p),
    "binary": lambda p: ops.sum(ops.binary_crossentropy(ONE_HOT, p), axis=-1) - 200.0,  # 200 for the first, 0, 200
}
MADE = {"categorical": ops.softmax, "sparse": ops.softmax, "binary": ops.sigmoid}
OF_PROBABILITIES = {"categorical": 16.118, "sparse": 16.118, "binary": 15.942 + 0.693 + 16.118 - 200}


@pytest.fixture(params=LOSSES)
def kind(request):
    return request.param


def value(loss) -> float:
    return float(np.ravel(loss.numpy())[0])


@pytest.fixture
def expected(kind):
    return 400.0 if kind != "binary" else 200.0 + 0.6931472


def test_a_fresh_activation_and_one_that_was_read_give_the_same_loss(device, kind, expected):
    fresh, read, printed = (MADE[kind](ops.convert_to_tensor(X)) for _ in range(3))
    read.numpy()
    repr(printed)
    assert [value(LOSSES[kind](p)) for p in (fresh, read, printed)] == pytest.approx([expected] * 3)


def test_a_loss_of_an_array_of_probabilities_is_cut_at_epsilon_as_in_keras(device, kind):
    p = MADE[kind](X).numpy()
    assert value(LOSSES[kind](p)) == pytest.approx(OF_PROBABILITIES[kind], abs=0.3)


def test_what_a_program_returns_knows_its_logits(device, kind, expected):
    program = pyml.program(lambda x: {"p": MADE[kind](x * 1.0), "other": x + 1.0})
    first, second = program(X)["p"], program(X / 2)["p"]
    assert value(LOSSES[kind](first)) == pytest.approx(expected)
    assert value(LOSSES[kind](second)) < expected


def test_what_a_program_is_given_knows_its_logits(device, kind, expected):
    program = pyml.program(lambda p: LOSSES[kind](p))
    made = MADE[kind](X)
    assert value(program(made)) == pytest.approx(expected)
    assert value(program(made.numpy())) == pytest.approx(OF_PROBABILITIES[kind], abs=0.3)
    assert value(program(MADE[kind](X))) == pytest.approx(expected)


def test_the_loss_inside_a_program_is_that_of_eager_code(device, kind, expected):
    assert value(pyml.program(lambda x: LOSSES[kind](MADE[kind](x)))(X)) == pytest.approx(expected)


@pytest.mark.parametrize(("activation", "loss", "target"), [
    ("softmax", "categorical_crossentropy", ONE_HOT), ("softmax", "sparse_categorical_crossentropy", np.array([2], np.int32)),
    ("sigmoid", "binary_crossentropy", ONE_HOT),
])  # fmt: skip
def test_evaluate_and_the_loss_of_what_the_model_returned_agree(device, activation, loss, target):
    inputs = pyml.Input((3,))
    outputs = pyml.layers.Activation(activation)(pyml.layers.Dense(3, kernel_initializer="identity")(inputs))
    model = pyml.Model(inputs, outputs)
    model.compile(loss=loss, metrics=["accuracy"])
    evaluated = model.evaluate(X, target, verbose=0)[0]
    p = model(X)
    p.numpy()
    assert value(pyml.losses.get(loss)(target, p)) == pytest.approx(evaluated, rel=1e-5)
    assert evaluated > 100


def test_a_softmax_over_another_axis_is_not_taken_for_that_of_the_classes(device):
    p = ops.softmax(np.array([[3.0, 1.0], [0.0, 2.0]], np.float32), axis=0)
    target = np.eye(2, dtype=np.float32)
    of_values = ops.categorical_crossentropy(target, p.numpy()).numpy()
    np.testing.assert_allclose(ops.categorical_crossentropy(target, p).numpy(), of_values, rtol=1e-6)
    np.testing.assert_allclose(ops.binary_crossentropy(target, p).numpy(), ops.binary_crossentropy(target, p.numpy()).numpy(), rtol=1e-6)


def test_logits_asked_for_of_an_activation_are_its_input_and_a_warning(device):
    with pytest.warns(UserWarning, match="from_logits"):
        loss = ops.categorical_crossentropy(ONE_HOT, ops.softmax(X), from_logits=True)
    assert value(loss) == pytest.approx(400.0)


def test_a_value_that_was_read_keeps_its_logits_but_not_what_they_were_computed_from(device):
    hidden = ops.convert_to_tensor(X) * 2.0
    upstream = weakref.ref(hidden._node)
    p = ops.softmax(hidden + 1.0)
    del hidden
    p.numpy()
    assert upstream() is None
    assert value(ops.categorical_crossentropy(ONE_HOT, p)) == pytest.approx(800.0)


@pytest.mark.parametrize("metric", ["categorical_accuracy", "sparse_categorical_accuracy"])
def test_an_accuracy_judges_the_probabilities_whether_they_were_read_or_not(device, metric):
    logits = np.array([[0.0, 1e-9]], np.float32)  # two equal probabilities: the first one counts
    target = np.array([0], np.int32) if metric.startswith("sparse") else np.array([[1.0, 0.0]], np.float32)
    fresh = ops.softmax(logits)
    judge = pyml.metrics.get(metric)
    assert isinstance(fresh, Tensor)
    np.testing.assert_array_equal(np.ravel(judge(target, fresh)), np.ravel(judge(target, fresh.numpy())))
