"""What ops say to arguments that cannot be: one sentence, before anything runs."""

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.errors import ShapeError

X = np.ones((2, 3), np.float32)


@pytest.mark.parametrize(("call", "words"), [
    (lambda x: ops.transpose(x, (0, 2)), "transpose: axis 2 is out of range for 2 dimensions"),
    (lambda x: ops.transpose(x, (0,)), "transpose: axes must name each of the 2 axes"),
    (lambda x: ops.transpose(x, (1, 1)), "transpose: axis .* names an axis twice"),
    (lambda x: ops.moveaxis(x, 0, 2), "moveaxis: axis 2 is out of range"),
    (lambda x: ops.moveaxis(x, (0, 1), 0), "moveaxis: source and destination must name the same number of axes"),
    (lambda x: ops.swapaxes(x, 0, 2), "swapaxes: axis 2 is out of range"),
    (lambda x: ops.expand_dims(x, 4), "expand_dims: axis 4 is out of range for 3 dimensions"),
    (lambda x: ops.expand_dims(x, (0, 0)), "expand_dims: axis .* names an axis twice"),
    (lambda x: ops.stack([x, x], axis=3), "stack: axis 3 is out of range"),
    (lambda x: ops.slice(x, (0,), (1, 1)), "slice: start_indices and shape need a number for each of the 2 axes"),
    (lambda x: ops.one_hot([1], 3, axis=5), "one_hot: axis 5 is out of range"),
    (lambda x: ops.sum(2.0, axis=0), "sum: axis 0 is out of range for 0 dimensions; a scalar has none"),
    (lambda x: ops.add(x, np.ones(4)), "add: shapes .* do not broadcast"),
    (lambda x: ops.linalg.norm(x, axis=(0, 1, 1)), "norm: axis must name one axis or two"),
])  # fmt: skip
def test_an_argument_that_does_not_fit_the_shape_is_named(call, words):
    with pytest.raises((ShapeError, ValueError), match=words):
        call(X)
    with pytest.raises((ShapeError, ValueError), match=words):
        call(pyml.Input((3,), batch_size=2))


def test_an_axis_is_an_integer():
    for op in (ops.sum, ops.softmax, ops.norm):
        for axis in (1.5, "a", (0, 1.0)):
            with pytest.raises(TypeError, match=f"^{op.__name__}: an axis must be an integer"):
                op(X, axis=axis)


@pytest.mark.parametrize(("data", "words"), [
    ([[1, 2], [3]], "a nested list whose rows differ in length or shape; pad them"),
    ([np.ones(2), np.ones((2, 2))], "a nested list whose rows differ in length or shape"),
    (None, "None; expected numbers or booleans"),
    ([1, None], "object data; expected numbers or booleans"),
    (["a", "b"], "text; expected numbers or booleans"),
    (np.array(["2026-01-01"], "datetime64[D]"), r"datetime64\[D\] data; expected numbers"),
])  # fmt: skip
def test_what_holds_no_numbers_is_refused_by_the_op_that_was_called(data, words):
    for name, call in (("convert_to_tensor", ops.convert_to_tensor), ("add", lambda x: ops.add(x, 1.0)), ("exp", ops.exp)):
        with pytest.raises(ValueError, match=f"^{name}: cannot make a tensor from {words}"):
            call(data)


def test_a_sparse_matrix_is_asked_for_its_zeros():
    sparse = pytest.importorskip("scipy.sparse")
    for matrix in (sparse.csr_matrix(X), sparse.coo_array(X)):
        with pytest.raises(TypeError, match=rf"^matmul: cannot make .* a sparse {type(matrix).__name__}; pass its \.toarray\(\)"):
            ops.matmul(matrix, X.T)


@pytest.mark.parametrize("name", ["max", "min", "amax", "argmax", "argmin", "median", "quantile"])
def test_the_largest_of_nothing_is_refused(name):
    more = (0.5,) if name == "quantile" else ()
    for x, axis in ((np.ones((0,), np.float32), None), (np.ones((2, 0), np.float32), 1)):
        with pytest.raises(ValueError, match=rf"{name.removeprefix('a') if name == 'amax' else name}.*(no elements|empty|nothing)"):
            getattr(ops, name)(x, *more, axis=axis)


def test_joining_nothing_is_refused():
    for join in (ops.stack, ops.concatenate):
        with pytest.raises(ValueError, match="no tensors were given"):
            join([])


@pytest.mark.parametrize("indices", [5, [0, 3], np.array([-4, 0]), (3,)])
def test_indices_that_the_host_has_are_within_the_axis(indices):
    for take in (ops.take, lambda x, i, axis: ops.take_along_axis(x, np.reshape(i, (1, -1)), axis)):
        with pytest.raises(IndexError, match=r"an axis of size 3 has indices from -3 to 2\. Received indices from"):
            take(X, indices, axis=1)
    with pytest.raises(IndexError, match="take: an axis of size 3"):
        ops.take(pyml.Input((3,)), indices, axis=1)
    assert ops.take(pyml.Input((None,)), [300], axis=1).shape == (None, 1)  # who knows
    assert ops.take(X, [[-3, 2]], axis=1).shape == (2, 1, 2) and ops.take(X, [], axis=1).shape == (2, 0)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: ops.arange(0, "3"), "arange: start, stop and step must be numbers"),
    (lambda: ops.array_split(X, 1.5), "array_split: indices_or_sections must be an integer of at least 1"),
    (lambda: ops.take(X, 0, axis=(0, 1)), "take: axis must be one axis"),
    (lambda: ops.swapaxes(X, (0, 1), 0), "swapaxes: axis must be one axis"),
    (lambda: ops.categorical_crossentropy(X, X, axis=(0, 1)), "categorical_crossentropy: axis must be one axis"),
    (lambda: ops.tensordot(X, X, axes=1.5), "tensordot: axes must be a number of axes, or two lists"),
    (lambda: ops.pad(X, 1.5), "pad: pad_width must be an integer, a pair"),
    (lambda: ops.pad(X, ((1,),)), "pad: pad_width must be an integer, a pair"),
    (lambda: ops.pad(X, ((1, 1), (1, 1), (1, 1)), mode="reflect"), "pad: x has 2 axes; give pad_width one pair"),
    (lambda: ops.pad(X, 1, mode="reflect", constant_values=2), "pad: constant_values goes with mode 'constant' only"),
    (lambda: ops.scan(lambda c, x: (c, x), 0.0, length="a"), "scan: length must be an integer of at least 0"),
    (lambda: ops.unique(X, size=1.5), "unique: size must be an integer"),
    (lambda: ops.unstack(X, 1.5), "unstack: axis 0 of .* has 2 slices"),
    (lambda: ops.conv(np.ones((1, 2, 0)), np.ones((1, 2, 2))), "conv: .* 0 channels and 2 filters"),
    (lambda: ops.conv_transpose(np.ones((1, 2, 1)), np.ones((2, 1, 1)), output_padding=9), "conv_transpose: output_padding must be below"),
    (lambda: ops.unfold(np.ones((1, 1, 3, 3)), 2, dilation=9), "unfold: windows of .* do not fit"),
    (lambda: ops.image.elastic_transform(np.ones((4, 4, 1)), seed=1.5), "elastic_transform: seed must be an integer"),
])  # fmt: skip
def test_a_value_of_another_kind_is_refused_by_the_op_that_was_called(call, words):
    with pytest.raises(ValueError, match=f"^{words}"):
        call()


def test_what_python_says_is_preceded_by_the_op_and_followed_by_what_was_given():
    for call, error, words in (
        (lambda: ops.round(X, "a"), TypeError, r"round: .*\. Received: x=<float32 \(2, 3\)>, decimals='a'"),
        (lambda: ops.concatenate(None), TypeError, r"concatenate: .* not iterable\. Received: xs=None"),
        (lambda: ops.einsum(None, X), AttributeError, r"einsum: .*\. Received: subscripts=None, 1=<float32 \(2, 3\)>"),
        (lambda: ops.sum(X, keepdims=X), ValueError, r"sum: .*\. Received: x=<float32 \(2, 3\)>, keepdims=<float32 \(2, 3\)>"),
        (lambda: ops.sum(X, axis=np.array([0, 1])), TypeError, r"sum: an axis must be an integer\. Received: axis=array\(\[0, 1\]\)"),
        (lambda: ops.reshape(X, "a"), TypeError, "reshape: newshape must hold integers. Received: newshape='a'"),
        (lambda: ops.reshape(X, (2, 1.5)), TypeError, "reshape: newshape must hold integers"),
        (lambda: ops.fori_loop(None, 3, lambda i, x: x, X), TypeError, "fori_loop: lower and upper must be integers"),
        (lambda: ops.map(lambda row: row + "a", X), ValueError, "add: cannot make a tensor from text"),
    ):
        with pytest.raises(error, match=f"^{words}"):
            call()
    with pytest.raises(TypeError, match=r"^can only concatenate list"):  # in a user's function
        ops.cond(True, lambda: [1] + 2, lambda: 3)


def test_round_takes_more_places_than_a_dtype_has():
    for places, floats, integers in ((99, [1.5, -2e30], [7, 2**31 - 1]), (-99, [0, 0], [0, 0])):
        assert ops.round([1.5, -2e30], places).tolist() == pytest.approx(floats)
        assert ops.round([7, 2**31 - 1], places).tolist() == integers
