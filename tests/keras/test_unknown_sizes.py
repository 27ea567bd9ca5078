"""Sizes that are not known are None in every message: those that shapes are found with are nobody's business."""

import inspect
import re

import numpy as np
import pytest
from every import every

import pyml
from pyml import layers, ops
from pyml.core.probes import PROBES, probed, without_probes

ARGUMENTS = {
    "units": 3, "filters": 3, "kernel_size": 2, "rate": 0.5, "n": 2, "dims": (2, 1), "target_shape": (7, 2), "input_dim": 5,
    "output_dim": 3, "num_heads": 2, "key_dim": 3, "size": 2, "output_size": 2, "function": lambda x: ops.reshape(x, (7, -1, 11)),
    "equation": "abc,cd->abd", "output_shape": (None, 3), "height": 4, "width": 4, "stddev": 0.1, "factor": 0.1, "axes": 1,
    "boundaries": [0.0, 1.0], "num_bins": 3, "scale": 2.0, "groups": 2, "activation": "relu", "pool_size": 2, "head_dim": 3,
    "num_query_heads": 2, "num_key_value_heads": 1, "max_number": 4, "height_factor": 0.1, "width_factor": 0.1,
}  # fmt: skip
OTHERS = {  # arguments that are not these, or that a signature does not ask for
    **dict.fromkeys(("SpectralNormalization", "TimeDistributed", "Wrapper"), lambda: {"layer": layers.Dense(3)}),
    "Bidirectional": lambda: {"layer": layers.LSTM(3)}, "CategoryEncoding": lambda: {"num_tokens": 4},
    "Discretization": lambda: {"num_bins": 3}, "InputLayer": lambda: {"shape": (3,)}, "RandomPosterization": lambda: {"factor": 4},
    "Pipeline": lambda: {"layers": [layers.Dense(3)]}, "RNN": lambda: {"cell": layers.LSTMCell(3)},
    "StackedRNNCells": lambda: {"cells": [layers.LSTMCell(3)]},
}  # fmt: skip
SHAPES = [(None,), (None, 3), (None, None), (None, 5, 4), (None, None, 4), (None, 2, 2, 3), (None, None, None, 4), (None, 2, 2, 2, 3)]


def made(cls):
    """A layer of the class."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    needed = [p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD and p.name != "self"]
    return cls(**(OTHERS[cls.__name__]() if cls.__name__ in OTHERS else {name: ARGUMENTS[name] for name in needed}))


def shown_sizes(message):
    """The numbers in a message that only come from the sizes that shapes are found with."""
    numbers = [int(n.replace(",", "")) for n in re.findall(r"(?<![\w.])\d+(?:,\d{3})*(?![\w.]*\d)", message)]
    return [n for n in numbers if n and any(n % size == 0 for size in PROBES)]


def messages(call, *shapes):
    try:
        call(*[pyml.KerasTensor(shape) for shape in shapes])
    except Exception as error:
        yield str(error)


def is_layer(value):
    return inspect.isclass(value) and issubclass(value, layers.Layer)


LAYERS = sorted(name for name in dir(layers) if is_layer(getattr(layers, name)))


@every("name", LAYERS)
def test_no_message_of_a_layer_shows_them(name):
    cls, shown = getattr(layers, name), []
    made(cls)  # it takes these arguments

    def in_a_model(x):
        return pyml.Sequential([pyml.Input(x.shape[1:]), made(cls), layers.Dense(2), layers.Reshape((13, 17))])

    for shape in SHAPES:
        for call in (lambda x: made(cls)(x), lambda x: made(cls)([x, pyml.KerasTensor((None, 7, 9))]), in_a_model):
            shown += [(shape, message) for message in messages(call, shape) if shown_sizes(message)]
    assert not shown


@every("name", sorted(name for name in dir(ops) if not name.startswith("_") and inspect.isroutine(getattr(ops, name))), blocks=8)
@pytest.mark.parametrize("shapes", [SHAPES[1::3], pytest.param(SHAPES, marks=pytest.mark.slow)], ids=["some shapes", "all shapes"])
def test_no_message_of_an_op_shows_them(name, shapes):
    op, shown = getattr(ops, name), []
    for shape in shapes:
        for call in (op, lambda x: op(x, 9), lambda x: op(x, (7, 11)), lambda x: op(x, pyml.KerasTensor((None, 7, 3))),
                     lambda x: op([x, pyml.KerasTensor((None, 9))]), lambda x: op(x, x, pyml.KerasTensor((5, None)))):  # fmt: skip
            shown += [(shape, message) for message in messages(call, shape) if shown_sizes(message)]
    assert not shown


def test_a_size_made_of_an_unknown_one_is_unknown_too():
    with pytest.raises(ValueError) as caught:
        probed(lambda size: (_ for _ in ()).throw(ValueError(f"{3 * size} of dense_{size} values, {size:,} rows, 12 columns")))
    assert str(caught.value).startswith("None of dense_") and str(caught.value).endswith("values, None rows, 12 columns")


def test_where_only_one_size_raises_that_size_is_unknown():
    assert without_probes("axis 83 of 12 and dense_167") == "axis None of 12 and dense_167"


def test_what_a_layer_of_the_user_raises_keeps_its_kind_and_its_line():
    class Picky(layers.Layer):
        def call(self, inputs):
            raise KeyError(f"no {inputs.shape}")

    with pytest.raises(KeyError, match=r"no \(None, 3\)") as caught:
        Picky()(pyml.Input((3,)))
    assert "raise KeyError" in str(caught.traceback[-1].statement)


def test_a_call_of_the_user_that_does_not_fit_runs_for_each_size_once_and_not_for_guesses_which_known_size_an_unknown_one_is():
    runs = []

    class Mine(layers.Layer):
        def call(self, a, b):
            runs.append((a.shape, b.shape))
            return ops.matmul(a, b)

    def one_row(row):
        runs.append(row.shape)
        return ops.matmul(row, np.ones((4, 2), "float32"))

    calls = (lambda: Mine()(pyml.Input((None, 6)), pyml.Input((5, 7))), lambda: ops.vectorized_map(one_row, pyml.Input((5, None, 6))))
    for call in calls:
        runs.clear()
        with pytest.raises(pyml.errors.ShapeError, match="matmul"):
            call()
        assert runs and len(runs) == len(set(runs)) <= 4


@pytest.mark.parametrize("run", [
    lambda model, x, y: model.fit(x, y, verbose=0), lambda model, x, y: model.evaluate(x, y, verbose=0),
    lambda model, x, y: model.train_on_batch(x, y), lambda model, x, y: model.fit(iter([(x, y)]), verbose=0)])  # fmt: skip
def test_data_that_does_not_fit_is_shown_with_its_own_sizes(run):
    model = pyml.Sequential([pyml.Input((4,)), layers.Dense(3)])
    model.compile("sgd", "mse")
    with pytest.raises(ValueError, match=r"\(8, 5\)"):
        run(model, np.ones((8, 5)), np.ones((8, 3)))
    with pytest.raises(ValueError, match=r"\(8, 2\)"):
        run(model, np.ones((8, 4)), np.ones((8, 2)))


@pytest.mark.parametrize(("newshape", "shape"), [((6, 4), (6, 4)), ((3, -1), (3, None)), ((-1, 7), (None, 7)), ((2, 3, 4), (2, 3, 4))])
def test_a_batch_of_unknown_size_may_be_the_one_that_a_reshape_asks_for(newshape, shape):
    x = pyml.Input((4,))
    assert ops.reshape(x, newshape).shape == shape
    x7 = np.arange(168, dtype="float32").reshape(42, 4)  # 168 elements fit 3 and 7
    rows = x7 if -1 in newshape else x7[:6]

    class Routed(layers.Layer):  # as where a layer of experts shares the tokens of all rows out among them
        def call(self, inputs):
            return ops.reshape(ops.reshape(inputs, newshape), ops.shape(inputs)) + 1

    routed = Routed()(x)
    assert routed.shape[1] == 4
    np.testing.assert_array_equal(pyml.Model(x, [routed, ops.reshape(x, newshape)])(rows)[1].numpy(), rows.reshape(newshape))
    with pytest.raises(pyml.errors.ShapeError, match=r"\(None, 4\) has a multiple of 4 elements, \(3, 3\) has 9"):
        ops.reshape(x, (3, 3))


@pytest.mark.parametrize(("function", "shape"), [
    (lambda x: ops.concatenate(ops.split(x, 2, axis=1), axis=-1), (None, None, 6)),
    (lambda x: ops.reshape(x, (-1, 2, 6)), (None, 2, 6)),
    (lambda x: x[:, 90], (None, 3)),
])  # fmt: skip
def test_what_only_some_sizes_allow_is_recorded(function, shape):
    inputs = pyml.Input((None, 3))
    model = pyml.Model(inputs, layers.Lambda(function)(inputs))
    assert model.output_shape == shape
    x = np.arange(2 * 100 * 3, dtype="float32").reshape(2, 100, 3)
    np.testing.assert_array_equal(model(x).numpy(), function(pyml.convert_to_tensor(x)).numpy())


MEETING = {  # what it is called with and the shape that it gives; batches of 5 and 3 for what is unknown do for all of them
    "matmul": (ops.matmul, [(None, None), (5, 3)], (None, 3)),
    "matmul of itself": (lambda x, _: ops.matmul(x, x), [(2, None), ()], (2, 2)),
    "dot": (ops.dot, [(None, None), (5, 3)], (None, 3)),
    "tensordot": (lambda x, y: ops.tensordot(x, y, axes=1), [(None, None), (5, 3)], (None, 3)),
    "einsum": (lambda x, y: ops.einsum("ij,jk->ik", x, y), [(None, None), (5, 3)], (None, 3)),
    "inner": (ops.inner, [(None, None), (5, 3)], (None, 5)),
    "concatenate": (lambda x, y: ops.concatenate([x, y], axis=0), [(None, None), (5, 3)], (None, 3)),
    "stack": (lambda x, y: ops.stack([x, y]), [(None, None), (5, 3)], (2, 5, 3)),
    "conv": (ops.conv, [(None, None, None), (3, 4, 8)], (None, None, 8)),
    "diagonal": (lambda x, _: ops.diagonal(x), [(None, 3, 4), ()], (4, None)),
    "diagonal of a matrix": (lambda x, _: ops.diag(x, 1), [(2, None), ()], (None,)),
    "matrix of a diagonal": (lambda x, _: ops.diag(x, -1), [(None,), ()], (None, None)),
}


@pytest.mark.parametrize("name", MEETING)
def test_an_unknown_size_may_be_the_known_one_that_it_meets(name):
    function, shapes, expected = MEETING[name]
    assert function(*map(pyml.KerasTensor, shapes)).shape == expected


def test_an_op_on_unknown_sizes_that_meet_known_ones_runs_in_a_model_and_known_ones_that_differ_are_refused():
    x = pyml.Input((None,))
    model = pyml.Model(x, layers.Lambda(lambda t: t)(ops.matmul(x, np.arange(15, dtype="float32").reshape(5, 3))))
    assert model.output_shape == (None, 3)
    np.testing.assert_array_equal(model(np.ones((2, 5), "float32")).numpy()[0], [30, 35, 40])
    with pytest.raises(pyml.errors.ShapeError, match=r"matmul: x1 is \(None, 4\) and x2 is \(5, 3\); 4 != 5"):
        ops.matmul(pyml.Input((4,)), np.ones((5, 3)))


@pytest.mark.parametrize("stride", [2, 16, 32, 64])
def test_an_unknown_size_stays_unknown_after_large_strides(stride):
    inputs = pyml.Input((None, None, 3))
    assert layers.MaxPooling2D(stride)(inputs).shape == (None, None, None, 3)
    assert layers.Conv2D(4, 3, strides=stride, padding="same")(inputs).shape == (None, None, None, 4)
    assert ops.average_pool(inputs, stride, strides=stride).shape == (None, None, None, 3)
