"""Sorting, searching and counting beside numpy: any size, dtype, ties and NaN, and sizes that take every way of sorting."""

from __future__ import annotations

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.errors import TraceError

pytestmark = pytest.mark.in_turn

SIZES = [(1, 1), (3, 64), (5, 65), (60, 400), (2, 513), (1, 2049), (3, 5000), (70_000, 3)]
DTYPES = ["float32", "int32", "uint32", "bool"]


def numbers(seed, shape, dtype, different=50):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, different, shape)
    if dtype == "float32":
        x = (x.astype("float32") - different // 2) * np.float32(0.37)
        x.reshape(-1)[rng.integers(0, x.size, 1 + x.size // 20)] = np.nan
        x.reshape(-1)[rng.integers(0, x.size, 1 + x.size // 20)] = -0.0
        return x
    if dtype == "int32":
        return (x - different // 2).astype("int32") * 40_000_000
    return (x * 80_000_000 if dtype == "uint32" else x % 2).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SIZES, ids=lambda s: "x".join(map(str, s)))
def test_sort_and_argsort_are_numpys_stable_ones(device, shape, dtype):
    x = numbers(len(shape), shape, dtype)
    np.testing.assert_array_equal(ops.argsort(x).numpy(), np.argsort(x, kind="stable"))
    found = ops.sort(x).numpy()
    assert found.dtype == x.dtype
    np.testing.assert_array_equal(found, np.sort(x))


@pytest.mark.parametrize("k", [1, 10, 33])
@pytest.mark.parametrize("shape", [(2, 40), (3, 5000), (1, 30_002)], ids=str)
def test_top_k_takes_the_first_of_equals_and_nan_first(device, shape, k):
    x = numbers(3, shape, "float32")
    values, places = ops.top_k(x, k)
    order = np.lexsort((np.broadcast_to(np.arange(shape[1]), shape), -np.where(np.isnan(x), 0, x), ~np.isnan(x)), axis=-1)[:, :k]
    np.testing.assert_array_equal(places.numpy(), order)
    np.testing.assert_array_equal(values.numpy(), np.take_along_axis(x, order, 1))


@pytest.mark.parametrize("shape", [(1, 3500), (2, 40_000)], ids=str)
def test_top_k_of_an_increasing_row_is_its_end(device, shape):
    """Every element moves all of the list, in loops that some adapters end early."""
    x = np.broadcast_to(np.arange(shape[1], dtype="float32"), shape)
    np.testing.assert_array_equal(ops.top_k(x, 32)[0].numpy(), x[:, :-33:-1])


def test_the_gradient_of_many_largest_goes_to_where_they_were(device):
    x = np.random.default_rng(0).permutation(600).reshape(2, 300).astype("float32")
    found = pyml.grad(lambda x: ops.sum(ops.top_k(x, 40)[0] * np.arange(1, 41, dtype="float32")))(x).numpy()
    rank = np.argsort(np.argsort(-x, axis=1), axis=1)
    np.testing.assert_array_equal(found, np.where(rank < 40, rank + 1, 0))


@pytest.mark.parametrize("shape", [(1, 100_003), (300, 700), (70_000, 3), (2, 1025)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_running_sums_of_any_length(device, shape, dtype):
    x = np.random.default_rng(0).integers(-9, 9, shape).astype(dtype)
    np.testing.assert_array_equal(ops.cumsum(x, axis=1).numpy(), np.cumsum(x, axis=1, dtype=dtype))


def test_a_running_sum_of_many_like_terms_loses_no_more_than_the_document_says(device):
    x = np.full(300_000, 0.1, np.float32)
    expected = np.cumsum(x, dtype=np.float64)
    assert np.max(np.abs(ops.cumsum(x).numpy() / expected - 1)) < (1e-6 if device.name == "cpu" else 2e-4)


def test_running_products_of_a_long_row(device):
    x = np.random.default_rng(0).uniform(0.99, 1.01, (2, 9001)).astype("float32")
    np.testing.assert_allclose(ops.cumprod(x, axis=1).numpy(), np.cumprod(x.astype("float64"), axis=1), rtol=1e-4)


@pytest.mark.parametrize("axis", [0, 1, None])
def test_gradients_of_long_products_are_right_at_zeros_and_read_elements_a_few_times(device, axis):
    x = np.random.default_rng(0).uniform(0.98, 1.02, (3000, 2)).astype("float32")
    x[1234, 0] = 0
    weight = np.random.default_rng(1).uniform(-1, 1, x.shape).astype("float32")

    @pyml.program
    def gradients(x):
        running = pyml.grad(lambda x: ops.sum(ops.cumprod(x, axis) * (weight if axis is not None else weight.ravel())))
        return running(x), pyml.grad(lambda x: ops.sum(ops.prod(x, axis)))(x)

    lines, weights = ([a.ravel()] if axis is None else a.T if axis == 0 else a for a in (x.astype("float64"), weight))
    running, whole = (t.numpy() for t in gradients(x))
    before = [np.cumprod([1, *line[:-1]]) for line in lines]
    worth = [np.zeros(len(line)) for line in lines]
    for line, weight_of, total in zip(lines, weights, worth, strict=True):
        for i in reversed(range(len(line))):
            total[i] = weight_of[i] + (line[i + 1] * total[i + 1] if i + 1 < len(line) else 0)
    behind = [np.cumprod([1, *line[:0:-1]])[::-1] for line in lines]
    shaped = lambda found: np.reshape(found, x.shape) if axis is None else np.transpose(found) if axis == 0 else found
    for found, expected in ((running, np.multiply(before, worth)), (whole, np.multiply(before, behind))):
        np.testing.assert_allclose(found, shaped(expected), atol=1e-5 * np.abs(expected).max(), rtol=0)
    assert sum(kernel.arithmetic for kernel in gradients.last_plan.kernels) < 40 * x.size


def test_the_gradient_of_a_long_sort_goes_to_where_elements_were(device):
    x = np.random.default_rng(1).permutation(6000).astype("float32").reshape(2, 3000)
    weight = np.random.default_rng(2).uniform(size=x.shape).astype("float32")
    found = pyml.grad(lambda x: ops.sum(ops.sort(x) * weight))(x).numpy()
    np.testing.assert_array_equal(found, np.take_along_axis(weight, np.argsort(np.argsort(x, axis=1), axis=1), 1))


def test_a_sort_in_a_program_is_replayed(device):
    program = pyml.program(lambda x: (ops.sort(x), ops.top_k(x, 2)[1], ops.cumsum(x), ops.median(x)))
    for seed in range(6):
        x = np.random.default_rng(seed).uniform(size=3000).astype("float32")
        ordered, places, sums, middle = (t.numpy() for t in program(x))
        np.testing.assert_array_equal(ordered, np.sort(x))
        np.testing.assert_array_equal(places, np.argsort(-x)[:2])
        np.testing.assert_allclose(sums, np.cumsum(x.astype("float64")), rtol=1e-5)
        assert middle == np.median(x)


@pytest.mark.parametrize("side", ["left", "right"])
def test_searchsorted_puts_nan_last_as_numpy_does(device, side):
    edges = np.array([-np.inf, -1, -0.0, 0.0, 2, np.inf, np.nan, np.nan], "float32")
    values = np.array([[np.nan, 0.0, -0.0], [np.inf, -np.inf, 1.5]], "float32")
    np.testing.assert_array_equal(ops.searchsorted(edges, values, side).numpy(), np.searchsorted(edges, values, side))


def test_searchsorted_of_many_edges(device):
    edges, values = np.sort(numbers(1, (5000,), "int32")), numbers(2, (700,), "int32", 53)
    np.testing.assert_array_equal(ops.searchsorted(edges, values).numpy(), np.searchsorted(edges, values))


@pytest.mark.parametrize("bins", [10, 200])
def test_a_histogram_counts_as_numpy_does(device, bins):
    x = np.random.default_rng(5).normal(size=4000).astype("float32")
    counts, edges = ops.histogram(x, bins)
    np.testing.assert_allclose(edges.numpy(), np.histogram(x, bins)[1], atol=1e-5)
    np.testing.assert_array_equal(counts.numpy(), np.histogram(x, edges.numpy())[0])


def test_argpartition_has_the_smaller_elements_first(device):
    x = numbers(4, (3, 90), "int32")
    order = ops.argpartition(x, 30).numpy()
    ordered = np.take_along_axis(x, order, 1)
    np.testing.assert_array_equal(ordered[:, 30], np.sort(x)[:, 30])
    assert (ordered[:, :30].max(1) <= ordered[:, 30]).all() and (ordered[:, 31:].min(1) >= ordered[:, 30]).all()
    np.testing.assert_array_equal(np.sort(order), np.broadcast_to(np.arange(90), x.shape))


def test_quantiles_of_a_long_row(device):
    x = np.random.default_rng(6).normal(size=(2, 20_001)).astype("float32")
    np.testing.assert_allclose(ops.quantile(x, [0.01, 0.5, 0.99], axis=1).numpy(), np.quantile(x, [0.01, 0.5, 0.99], axis=1), rtol=1e-4)


def test_unique_of_a_size_in_a_program_is_that_of_numpy(device):
    x = numbers(7, (40, 30), "int32", 60)
    program = pyml.program(lambda x: ops.unique(x, return_index=True, return_inverse=True, return_counts=True, size=70))
    values, index, inverse, counts = (t.numpy() for t in program(x))
    wanted = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    n = len(wanted[0])
    for got, want in zip((values[:n], index[:n], inverse, counts[:n]), wanted, strict=True):
        np.testing.assert_array_equal(got.reshape(-1), want.reshape(-1))
    assert (values[n:] == 0).all() and (counts[n:] == 0).all()


def test_weights_of_bincount_have_gradients(device):
    x, weights = np.array([0, 2, 2, 5]), np.ones(4, "float32")
    found = pyml.grad(lambda w: ops.sum(ops.bincount(x, w) * np.arange(6, dtype="float32")))(weights)
    assert found.numpy().tolist() == [0.0, 2.0, 2.0, 5.0]


def test_bincount_counts_what_a_device_has_and_what_is_far_apart(device):
    rng = np.random.default_rng(0)
    for x in (rng.integers(0, 300, 5000), rng.integers(0, 40, (3, 70)), rng.integers(0, 5000, 20), rng.integers(0, 2, 9) > 0):
        rows = np.atleast_2d(x).astype(int)
        wanted = [np.bincount(row, minlength=rows.max() + 1) for row in rows]
        np.testing.assert_array_equal(ops.bincount(ops.convert_to_tensor(x)), wanted if x.ndim == 2 else wanted[0])
    with pytest.raises(ValueError, match="Received: -2 among"):
        ops.bincount(ops.convert_to_tensor([3, -2]) * 1)


def test_bincount_of_a_vector_reads_a_core_once_unless_numbers_are_large(wasm, monkeypatch):
    reads, read = [], wasm.read
    monkeypatch.setattr(wasm, "read", lambda buffer, size: reads.append(size) or read(buffer, size))
    for top, wanted in ((1, 1), (4096, 1), (4097, 2)):
        x = np.arange(top).astype("int32").repeat(3)
        for least in (0, 4000):
            reads.clear()
            counted = ops.bincount(ops.convert_to_tensor(x), minlength=least)
            assert len(reads) == wanted
            np.testing.assert_array_equal(counted, np.bincount(x, minlength=least))


def test_isin_of_many_is_what_numpy_says_and_compares_few(device):
    rng = np.random.default_rng(0)
    whole, halves = rng.integers(-400, 400, (30, 40)).astype("int32"), (rng.integers(-400, 400, 900) / 2).astype("float32")
    odd = np.concatenate([halves, np.float32([np.nan, -0.0, np.inf, 2**25])])
    for x1, x2 in ((whole, whole[:3]), (whole, odd), (odd, whole), (odd, odd), (whole > 0, whole), (np.int32(7), whole), (whole[:0], odd)):
        program = pyml.program(lambda a, b: (ops.isin(a, b), ops.isin(a, b, invert=True)))
        found, left = program(x1, x2)
        np.testing.assert_array_equal(found, np.isin(x1, x2))
        np.testing.assert_array_equal(left, ~np.isin(x1, x2))
        assert sum(kernel.arithmetic for kernel in program.last_plan.kernels) < 300 * (x1.size + x2.size)


SEGMENTS = {"sum": (np.add, 0.0), "prod": (np.multiply, 1.0), "max": (np.maximum, -np.inf), "min": (np.minimum, np.inf)}


@pytest.mark.parametrize(("reduction", "rows"), [("sum", 100), ("sum", 20_000), ("prod", 100), ("max", 100), ("min", 100)])
def test_segments_of_many_rows_and_very_different_lengths(device, reduction, rows):
    """One thread would have 35,000 rows, and every segment would look at 70,000."""
    rng, (ufunc, start) = np.random.default_rng(0), SEGMENTS[reduction]
    ids = np.concatenate([np.zeros(35_000), rng.integers(1, rows - 1, 35_000), [rows, -1]]).astype("int32")
    data = np.where(rng.uniform(size=len(ids)) < 0.01, 2.0, 1.0) if reduction == "prod" else rng.integers(-9, 9, len(ids))
    data[:35_000] = 1.0 if reduction == "prod" else data[:35_000]
    wanted = np.full(rows, start, "float32")
    ufunc.at(wanted, ids[:-2], data[:-2].astype("float32"))
    found = getattr(ops, f"segment_{reduction}")(data.astype("float32"), ops.convert_to_tensor(ids), rows)
    np.testing.assert_array_equal(found.numpy(), wanted)


def test_gradients_of_long_segments_are_those_of_short_ones(device, monkeypatch):
    ids, data = np.array([0, 0, 1, 1, 2, 2, 2, 4], "int32"), np.array([1, 0, 3, 3, 0, 0, 2, 5], "float32")
    for reduction in ("prod", "max", "min"):
        sums = lambda x: ops.sum(getattr(ops, f"segment_{reduction}")(x, ids, 4)[:3] * np.array([1, 2, 3], "float32"))  # noqa: B023
        wanted = pyml.grad(sums)(data).numpy()
        with monkeypatch.context() as long:
            long.setattr("pyml.ops.scattering._LOOKS", 0)
            np.testing.assert_allclose(pyml.grad(sums)(data).numpy(), wanted, rtol=1e-6)


def test_the_last_of_many_updates_of_a_place_stays(device):
    rng = np.random.default_rng(0)
    x, places, updates = rng.normal(size=20_000).astype("float32"), rng.integers(0, 19_000, 5000), rng.normal(size=5000).astype("float32")
    wanted = x.copy()
    wanted[places] = updates
    np.testing.assert_array_equal(ops.scatter_update(x, places[:, None], updates), wanted)


UNSHAPED = {
    "nonzero": ops.nonzero,
    "where": ops.where,
    "unique": ops.unique,
    "bincount": lambda x: ops.bincount(ops.cast(x, "int32")),
}


@pytest.mark.parametrize("name", UNSHAPED)
def test_a_result_whose_size_depends_on_values_is_refused_in_words(name):
    with pytest.raises(TraceError, match=rf"{name}: the shape of its result depends on values.* use ops\.\w+"):
        pyml.program(UNSHAPED[name])(pyml.convert_to_tensor([1.0, 0.0]))
    with pytest.raises(TraceError, match=f"{name}: the shape of its result"):
        UNSHAPED[name](pyml.Input((3,)))


WRONG = {
    "k must be from 0 to 3": lambda x: ops.top_k(x, 4),
    "top_k: x must have an axis": lambda x: ops.top_k(1.0, 1),
    "kth must be from -3 to 2": lambda x: ops.argpartition(x, 3),
    "q must be from 0 to 1": lambda x: ops.quantile(x, 1.5),
    "q must be from 0 to 100": lambda x: ops.percentile(x, [50, 101]),
    "q must be a number or a vector": lambda x: ops.quantile(x, [[0.5]]),
    "method must be one of 'linear'": lambda x: ops.quantile(x, 0.5, method="middle"),
    "no quantile of no elements": lambda x: ops.median(x[:0]),
    "axis 2 is out of range": lambda x: ops.sort(x, axis=2),
    "bins must be 1 or more": lambda x: ops.histogram(x, 0),
    "x must be a vector": lambda x: ops.histogram(ops.reshape(x, (1, 3))),
    "range must be a pair": lambda x: ops.histogram(x, 3, (2.0, 1.0)),
    "must not be negative": lambda x: ops.bincount([1, -2]),
    "must have the shape of x": lambda x: ops.bincount([1, 2], x),
    "leave sparse=False": lambda x: ops.bincount([1, 2], sparse=True),
    "size must be 0 or more": lambda x: ops.unique(x, size=-1),
    "both x1 and x2, or neither": lambda x: ops.where(x > 0, x),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_is_said_in_one_sentence(message):
    with pytest.raises(ValueError, match=message):
        WRONG[message](pyml.convert_to_tensor([1.0, 2.0, 3.0]))


def test_bincount_of_floats_is_refused():
    with pytest.raises(TypeError, match="x must be integers"):
        ops.bincount([1.0, 2.0])


@pytest.mark.parametrize("bins", [1, 5, 300])
def test_a_histogram_of_a_range_counts_what_is_on_its_edges_and_nothing_outside(cpu, bins):
    low, high = -1.5, 2.25
    edges = ops.histogram(np.zeros(1), bins, range=(low, high))[1].numpy()
    beside = [np.nextafter(edges, side, dtype="float32") for side in (np.float32(-9), np.float32(9))]
    x = np.concatenate([edges, edges[::-1], *beside, [low, high, high, -7, 9]]).astype("float32")
    np.testing.assert_allclose(edges, np.linspace(low, high, bins + 1), atol=1e-6)
    for given in (x, x[:4], x[-3:]):
        counts, again = ops.histogram(given, bins, range=(low, high))
        np.testing.assert_array_equal(again.numpy(), edges)
        np.testing.assert_array_equal(counts.numpy(), np.histogram(given, edges)[0])


def test_all_bits_of_a_number_are_turned_in_each_dtype(device):
    for dtype in ("int8", "uint8", "int16", "uint16", "int32", "uint32"):
        x = np.array([0, 1, np.iinfo(dtype).max, np.iinfo(dtype).min, 77], dtype)
        found = ops.bitwise_not(ops.array(x))
        assert found.dtype == dtype
        np.testing.assert_array_equal(found.numpy().astype(dtype), np.invert(x))
    assert ops.bitwise_not([True, False]).tolist() == [False, True]
