"""`tensor[key]` and `tensor[key] = value` are numpy's: any key, by property, and what assignment means for graphs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import pyml
from pyml import ops
from pyml.errors import DtypeError, ShapeError, TraceError

pytestmark = pytest.mark.in_turn

SHAPES = npst.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


@st.composite
def keys(draw, shape):
    """A key of slices, integers, arrays, a mask, new axes and an ellipsis."""
    parts, used = [], 0
    arrays = draw(npst.array_shapes(min_dims=0, max_dims=2, max_side=3))
    for n in shape[: draw(st.integers(0, len(shape)))]:
        kind = draw(st.sampled_from(["slice", "integer", "array", "new", "mask"]))
        if kind == "new":
            parts.append(None)
        if kind in ("slice", "new"):
            parts.append(draw(st.slices(n)))
        elif kind == "integer":
            parts.append(draw(st.integers(-n, n - 1)))
        elif kind == "array":
            parts.append(draw(npst.arrays(np.int64, arrays, elements=st.integers(-n, n - 1))))
        else:
            mask = np.zeros(n, bool)
            mask[draw(st.integers(0, n - 1))] = True  # one position broadcasts with any array
            parts.append(mask)
        used += kind != "new"
    if draw(st.booleans()):  # in the middle only where it stands for no axis: each part was drawn for its own
        parts.insert(draw(st.integers(0, len(parts))) if used == len(shape) else len(parts), Ellipsis)
    return tuple(parts)


@st.composite
def arrays_and_keys(draw):
    x = draw(npst.arrays(np.float32, SHAPES, elements=st.integers(-99, 99)))
    return x, draw(keys(x.shape))


def on_device(key):
    """Every array of a key as a tensor."""
    return tuple(pyml.convert_to_tensor(k) if isinstance(k, np.ndarray) else k for k in key)


@settings(max_examples=60, deadline=None)
@given(arrays_and_keys())
def test_any_key_picks_what_it_picks_in_numpy(given_):
    x, key = given_
    t = pyml.convert_to_tensor(x)
    np.testing.assert_array_equal(t[key].numpy(), x[key])
    np.testing.assert_array_equal(t[on_device(key)].numpy(), x[key])


@settings(max_examples=60, deadline=None)
@given(arrays_and_keys(), st.integers(0, 2))
def test_any_key_assigns_what_it_assigns_in_numpy(given_, kind):
    x, key = given_
    t = pyml.convert_to_tensor(x)
    expected = x.copy()
    value = np.arange(100, 100 + x[key].size, dtype=np.float32).reshape(x[key].shape)
    value = [value, value[:1] if value.ndim else value, np.float32(7)][kind]
    expected[key] = value
    t[on_device(key)] = pyml.convert_to_tensor(value)
    np.testing.assert_array_equal(t.numpy(), expected)


X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


@pytest.mark.parametrize("key", [
    X > 7, (slice(None), np.array([True, False, True])), (1, X[1] > 14), ([[1], [0]], [2, 1], slice(None, None, -2)),
    (np.array([1, 0]), slice(None), np.array([3, -1])), (None, [0, 1], ..., [2, 3]), np.zeros((0,), int), True, (False, 0),
], ids=str)  # fmt: skip
def test_items_are_picked_and_assigned_on_every_device(device, key):
    t = pyml.convert_to_tensor(X)
    np.testing.assert_array_equal(t[key].numpy(), X[key])
    expected = X.copy()
    expected[key] = -X[key]
    t[key] = -t[key]
    np.testing.assert_array_equal(t.numpy(), expected)


def test_gradients_flow_through_picked_and_assigned_items(device):
    def f(x, rows):
        y = x * 1.0
        y[rows, 0] = y[0, :2] * 3.0
        return (y * y).sum() + (x[x > 2.0] * 5.0).sum()

    x, rows = np.array([[1.0, 2, 3], [4, 5, 6]], np.float32), np.array([1, 0])
    y = np.array([[6.0, 2, 3], [3, 5, 6]], np.float32)  # what `f` makes of it
    expected = 2 * y + 5 * (x > 2)
    expected[:, 0] = (5 * (x > 2))[:, 0]
    expected[0, :2] += 3 * 2 * y[rows, 0]
    np.testing.assert_allclose(pyml.grad(lambda x: f(x, rows))(x).numpy(), expected)


def test_an_argument_that_a_function_assigns_to_has_the_gradient_of_what_was_given():
    def f(x):
        x[0] = x[1] * 3.0
        return (x * x).sum()

    np.testing.assert_allclose(pyml.grad(f)(np.array([1.0, 2.0, 3.0])).numpy(), [0.0, 40.0, 6.0])


def test_what_was_computed_before_an_assignment_keeps_its_value():
    t = pyml.ops.ones(3)
    same, doubled, copied = t, t * 2.0, +t
    t[1] = 5
    assert same.tolist() == [1, 5, 1]
    assert doubled.tolist() == [2, 2, 2] and copied.tolist() == [1, 1, 1]


def test_an_in_place_operator_gives_the_name_a_new_tensor():
    t = pyml.ops.ones(2)
    before = t
    t += 1
    t *= 3
    t -= pyml.ops.ones(2)
    t //= 2
    t **= 2
    t %= 3
    t /= 2
    assert t.tolist() == [0.5, 0.5] and before.tolist() == [1, 1]
    bits = pyml.convert_to_tensor([6, 1])
    bits <<= 2
    bits >>= 1
    bits &= 4
    bits |= 1
    bits ^= 3
    assert bits.tolist() == [6, 2]
    matrix = pyml.ops.eye(2)
    matrix @= pyml.ops.ones((2, 2))
    assert matrix.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize(("key", "error", "words"), [
    ((0, 0, 0, 0), IndexError, "4 indices are too many for a tensor of shape"),
    ((..., ...), IndexError, "one ellipsis"),
    (5, IndexError, "index 5 is out of range for axis 0 of size 2"),
    ((0, [1, -4]), IndexError, "index -4 is out of range for axis 1 of size 3"),
    ("a", TypeError, "cannot be indexed by str"),
    ([0.5], TypeError, "by integers and booleans, not by float64"),
    (np.ones((2, 2), bool), IndexError, "a mask of shape"),
    (([0, 1], [0, 1, 2]), ShapeError, "index arrays"),
], ids=str)  # fmt: skip
def test_a_key_that_cannot_be_is_named(key, error, words):
    with pytest.raises(error, match=words):
        pyml.convert_to_tensor(X)[key]
    with pytest.raises(error, match=words):
        pyml.convert_to_tensor(X)[key] = 0


def test_a_value_that_does_not_fit_is_refused():
    t = pyml.ops.ones((2, 3))
    with pytest.raises(ShapeError, match=r"shape \(3,\); a value of shape \(2,\) does not broadcast"):
        t[0] = [1.0, 2.0]


def test_a_program_says_what_to_write_instead_of_an_assignment_or_a_mask():
    @pyml.program
    def assigns(x):
        x[0] = 1.0
        return x

    @pyml.program
    def masks(x):
        return x[x > 0]

    with pytest.raises(TraceError, match=r"pyml\.ops\.slice_update"):
        assigns(np.ones(3))
    with pytest.raises(TraceError, match=r"pyml\.ops\.where"):
        masks(np.ones(3))


def test_a_program_takes_a_mask_that_is_known_and_arrays_that_are_not():
    mask = np.array([True, False, True])
    picked = pyml.program(lambda x, rows: (x[mask], x[rows, rows]))
    known, computed = picked(X[0, :, :3], np.array([2, 0], np.int32))
    np.testing.assert_array_equal(known.numpy(), X[0, :, :3][mask])
    np.testing.assert_array_equal(computed.numpy(), X[0][[2, 0], [2, 0]])


def test_floats_are_no_indices():
    with pytest.raises(DtypeError, match="float32 tensor cannot be an index"):
        [1, 2][pyml.convert_to_tensor(1.0)]
    with pytest.raises(DtypeError, match="bool tensor cannot be an index"):
        [1, 2][pyml.convert_to_tensor(True)]


REDUCTIONS = {None: 5.0, "add": 6.0, "mul": 5.0, "max": 5.0, "min": 1.0}


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_nothing_is_put_where_an_index_is_out_of_range_along_one_axis(device, reduction):
    x = ops.ones((2, 3))
    for place in ([0, 4], [2, 0], [0, -4], [-3, 2]):
        computed = ops.convert_to_tensor([place]) * 1
        np.testing.assert_array_equal(ops.scatter_update(x, computed, [5.0], reduction=reduction), np.ones((2, 3)))
        np.testing.assert_array_equal(ops.scatter(computed, [5.0], (2, 3)), np.zeros((2, 3)))
    there = ops.scatter_update(x, ops.convert_to_tensor([[-1, 1]]) * 1, [5.0], reduction=reduction)
    np.testing.assert_array_equal(there, [[1, 1, 1], [1, REDUCTIONS[reduction], 1]])


@pytest.mark.parametrize("given", [list, np.array], ids=["a list", "an array"])
def test_indices_that_the_host_has_are_looked_at(given):
    for call in (lambda i: ops.scatter_update(np.ones((2, 3)), i, [5.0]), lambda i: ops.scatter(i, [5.0], (2, 3))):
        with pytest.raises(IndexError, match=r"an axis of size 3 has indices from -3 to 2. Received indices from 4 to 4"):
            call(given([[0, 4]]))
    with pytest.raises(IndexError, match=r"unravel_index: an axis of size 12 has indices from -12 to 11"):
        ops.unravel_index(given([5, 99]), (3, 4))


@pytest.mark.parametrize("start", [0, 2, -1, 7, -9])
def test_blocks_begin_where_a_program_says(device, start):
    x, block = np.arange(24, dtype="float32").reshape(2, 4, 3), np.full((2, 2, 1), -1, "float32")
    first = min(max(start + 4 if start < 0 else start, 0), 2)  # moved so that it lies inside

    def blocks(x, i, block):
        i = i[0]
        return ops.slice(x, [0, i, 1], (2, 2, 1)), ops.slice_update(x, [0, i, 1], block), ops.fori_loop(
            0, 4, lambda j, a: ops.slice_update(a, [0, j, 0], a[:, :1] + 1.0), x)  # fmt: skip

    cut, put, looped = pyml.program(blocks)(x, np.array([start], "int32"), block)
    wanted, filled = x.copy(), x.copy()
    wanted[:, first : first + 2, 1:2] = -1
    for j in range(4):
        filled[:, j] = filled[:, 0] + 1
    np.testing.assert_array_equal(cut, x[:, first : first + 2, 1:2])
    np.testing.assert_array_equal(put, wanted)
    np.testing.assert_array_equal(looped, filled)


def test_gradients_flow_through_blocks_whose_place_is_computed(device):
    def loss(x, block, i):
        return ops.sum(ops.slice_update(x, [i, 0], block) * ops.slice(x, [i, 1], (2, 2))[:1, :1] * weights)

    x, block = np.ones((4, 3), "float32"), np.full((2, 3), 2, "float32")
    weights = np.arange(12, dtype="float32").reshape(4, 3)
    found = pyml.program(lambda x, b, i: pyml.grad(loss, argnums=(0, 1))(x, b, i[0]))(x, block, np.array([1], "int32"))
    wanted = weights.copy()
    wanted[1:3] = 0
    wanted[1, 1] += (wanted + np.where(np.isin(np.arange(4), [1, 2])[:, None], 2 * weights, 0)).sum()
    np.testing.assert_allclose(found[0], wanted)
    np.testing.assert_allclose(found[1], weights[1:3])
