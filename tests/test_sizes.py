"""Sizes and counts below zero are refused by whoever takes one, in the words of who was asked, before anything is made."""

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.errors import ShapeError
from pyml.graph import prims

X = np.ones((4, 2), np.float32)
NEGATIVE = {
    "zeros": lambda: ops.zeros((-1, 3)),
    "ones": lambda: ops.ones(-2),
    "full": lambda: ops.full((2, -1), 3.0),
    "linspace": lambda: ops.linspace(0, 1, -1),
    "eye": lambda: ops.eye(-1),
    "eye: M": lambda: ops.eye(2, -3),
    "identity": lambda: ops.identity(-1),
    "tile": lambda: ops.tile(X, (-1, 1)),
    "repeat": lambda: ops.repeat(X, -2),
    "split": lambda: ops.split(X, -2),
    "split: 0": lambda: ops.split(X, 0),
    "one_hot": lambda: ops.one_hot([0, 1], -3),
    "broadcast_to": lambda: ops.broadcast_to(np.ones((1, 2), np.float32), (-4, 2)),
    "slice": lambda: ops.slice(X, (1, 0), (-2, 2)),
    "slice: a rest of nothing": lambda: ops.slice(X, (5, 0), (-1, 2)),
    "reshape": lambda: ops.reshape(X, (-1, -1)),
    "reshape: -2": lambda: ops.reshape(X, (-2, 4)),
    "pad": lambda: ops.pad(X, ((-1, 0), (0, 0))),
    "bincount": lambda: ops.bincount([0, 1], minlength=-1),
    "uniform": lambda: pyml.random.uniform((-1, 2)),
    "normal": lambda: pyml.random.normal(-1),
    "truncated_normal": lambda: pyml.random.truncated_normal((2, -1)),
    "randint": lambda: pyml.random.randint((-1,), 0, 5),
    "Variable": lambda: pyml.Variable(pyml.initializers.Zeros(), shape=(2, -1)),
}
FRACTIONS = {
    "zeros": lambda: ops.zeros((2.5, 1)),
    "linspace": lambda: ops.linspace(0, 1, 2.5),
    "tile": lambda: ops.tile(X, 1.5),
    "uniform": lambda: pyml.random.uniform((1.5,)),
}


@pytest.mark.parametrize("name", NEGATIVE)
def test_a_negative_size_is_a_clear_error(name):
    with pytest.raises(ShapeError, match=name.partition(":")[0]):
        NEGATIVE[name]()


@pytest.mark.parametrize("name", FRACTIONS)
def test_a_fraction_of_a_size_is_a_clear_error(name):
    with pytest.raises(ShapeError, match=f"{name}: .*integer"):
        FRACTIONS[name]()


@pytest.mark.parametrize("make", [lambda: prims.full((-1,), 0, "float32"), lambda: prims.iota(-1)])
def test_no_node_has_a_negative_size(make):
    with pytest.raises(ShapeError, match="negative"):
        make()


def test_sizes_of_zero_and_numpy_numbers_are_sizes(device):
    assert ops.zeros((0, 3)).numpy().shape == (0, 3)
    assert ops.linspace(0, 1, np.int64(3)).numpy().tolist() == [0.0, 0.5, 1.0]
    assert ops.zeros(np.array([2, 1])).numpy().shape == (2, 1)
    assert ops.tile(X, (0, 1)).numpy().shape == (0, 2)
    assert ops.eye(0).numpy().shape == (0, 0)


def test_a_slice_of_size_minus_1_is_the_rest(device):
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    for starts, sizes, wanted in (((1, 1), (-1, 2), x[1:, 1:3]), ((-2, 4), (-1, -1), x[1:, 4:]), (ops.array([0, 3]), (2, -1), x[:2, 3:])):
        assert ops.slice(x, starts, sizes).numpy().tolist() == wanted.tolist()
    rest = ops.slice(pyml.KerasTensor((None, 4)), (1, 1), (-1, -1))
    assert (rest.shape, rest.sparse, rest.ragged) == ((None, 3), False, False)
    with pytest.raises(ShapeError, match="-1 needs a start that is a number"):
        ops.slice(pyml.KerasTensor((3, 4)), pyml.KerasTensor((2,), "int32"), (-1, 2))
