"""`pyml.array_api` beside numpy: every function, any shapes that broadcast, any axes; and what the standard asks of the array."""

import doctest
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from every import every
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

import pyml
from pyml import array_api as xp
from pyml.errors import DtypeError, ShapeError

pytestmark = pytest.mark.in_turn(4)

FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # of devices
FLOATS = st.floats(-8, 8, width=32).map(lambda v: float(np.float32(round(v * 8) / 8)))
WHOLE = st.integers(-8, 8)


def near(found, expected, tolerance=1e-5):
    assert found.shape == expected.shape
    np.testing.assert_allclose(np.asarray(found, np.float64), expected, rtol=tolerance, atol=tolerance)


UNARY = {
    "abs": "abs", "acos": "arccos", "acosh": "arccosh", "asin": "arcsin", "asinh": "arcsinh", "atan": "arctan", "atanh": "arctanh",
    "ceil": "ceil", "conj": "conj", "cos": "cos", "cosh": "cosh", "exp": "exp", "expm1": "expm1", "floor": "floor", "imag": "imag",
    "isfinite": "isfinite", "isinf": "isinf", "isnan": "isnan", "log": "log", "log10": "log10", "log1p": "log1p", "log2": "log2",
    "negative": "negative", "positive": "positive", "real": "real", "reciprocal": "reciprocal", "round": "round", "sign": "sign",
    "signbit": "signbit", "sin": "sin", "sinh": "sinh", "sqrt": "sqrt", "square": "square", "tan": "tan", "tanh": "tanh", "trunc": "trunc",
}  # fmt: skip
BINARY = {
    "add": "add", "atan2": "arctan2", "copysign": "copysign", "divide": "divide", "equal": "equal", "floor_divide": "floor_divide",
    "greater": "greater", "greater_equal": "greater_equal", "hypot": "hypot", "less": "less", "less_equal": "less_equal",
    "logaddexp": "logaddexp", "maximum": "maximum", "minimum": "minimum", "multiply": "multiply", "nextafter": "nextafter",
    "not_equal": "not_equal", "pow": "power", "remainder": "mod", "subtract": "subtract",
}  # fmt: skip
OF_INTEGERS = ["abs", "ceil", "floor", "negative", "positive", "round", "sign", "square", "trunc"]
OF_TWO_INTEGERS = {
    "add": "add", "bitwise_and": "bitwise_and", "bitwise_left_shift": "left_shift", "bitwise_or": "bitwise_or",
    "bitwise_right_shift": "right_shift", "bitwise_xor": "bitwise_xor", "floor_divide": "floor_divide", "remainder": "mod",
    "maximum": "maximum", "minimum": "minimum", "multiply": "multiply", "subtract": "subtract",
}  # fmt: skip
POINTS = np.array([-2.5, -1.5, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5, 2.5, 7.25, np.inf, -np.inf, np.nan], np.float32)
COUNTS = np.array([-7, -1, 0, 1, 2, 9], np.int32)


@every("name", UNARY)
def test_functions_of_one_array_are_numpys(name, device):
    with np.errstate(all="ignore"):
        expected = getattr(np, UNARY[name])(POINTS)
    near(getattr(xp, name)(xp.asarray(POINTS)), expected, 1e-4)


@every("name", BINARY)
def test_functions_of_two_arrays_are_numpys(name, device):
    a, b = POINTS[:11, None], POINTS[None, :11]
    if name in ("remainder", "floor_divide", "pow"):
        a, b = a[8:], b[:, 6:]
    with np.errstate(all="ignore"):
        expected = getattr(np, BINARY[name])(a, b)
    near(getattr(xp, name)(xp.asarray(a), xp.asarray(b)), expected, 1e-5 if name != "nextafter" else 1e-9)


@every("name", [*OF_INTEGERS, *OF_TWO_INTEGERS, "bitwise_invert"])
def test_integers_stay_integers(name, device):
    two = name in OF_TWO_INTEGERS
    args = [COUNTS, COUNTS[[4, 5, 3, 4, 3, 5]]][: 1 + two]
    found = getattr(xp, name)(*map(xp.asarray, args))
    assert found.dtype == "int32"
    near(found, getattr(np, OF_TWO_INTEGERS.get(name, UNARY.get(name, "invert")))(*args))


TRUTHS = ["logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or", "bitwise_xor", "less", "greater_equal", "equal"]


@pytest.mark.parametrize("name", TRUTHS)
def test_booleans_stay_booleans(name, device):
    a, b = np.array([[True], [False]]), np.array([True, False])
    found = getattr(xp, name)(xp.asarray(a), xp.asarray(b))
    assert found.dtype == "bool"
    near(found, getattr(np, name)(a, b))
    near(xp.logical_not(xp.asarray(a)), ~a)
    near(xp.bitwise_invert(xp.asarray(a)), ~a)


@st.composite
def broadcasting(draw):
    shapes = draw(npst.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3)).input_shapes
    dtypes = draw(st.tuples(*[st.sampled_from(["float32", "int32", "bool", "uint32"])] * 2))
    numbers = [draw(npst.arrays(np.float32, s, elements=st.integers(0, 9))) for s in shapes]
    return [x.astype(d) for x, d in zip(numbers, (*dtypes, "bool"), strict=True)]


RANK = ["bool", "uint32", "int32", "float32"]


@FEW
@given(broadcasting())
def test_shapes_broadcast_and_dtypes_promote(device, arrays):
    a, b, condition = arrays
    x, y = xp.asarray(a), xp.asarray(b)
    common = max(a.dtype.name, b.dtype.name, key=RANK.index)
    assert xp.result_type(x, y) == xp.result_type(x.dtype, b.dtype) == common
    found = xp.where(xp.asarray(condition), x, y)
    assert found.dtype == common
    near(found, np.where(condition, a, b))
    near(xp.maximum(x, y), np.maximum(a, b))
    near(xp.less(x, y), a < b)
    assert [t.shape for t in xp.broadcast_arrays(x, y)] == [t.shape for t in np.broadcast_arrays(a, b)]
    np.testing.assert_allclose(xp.multiply(x, y).numpy(), np.multiply(a.astype(np.float64), b), rtol=1e-6)


@st.composite
def reducing(draw, whole=False):
    x = draw(npst.arrays(np.float32, npst.array_shapes(min_dims=1, max_dims=3, max_side=4), elements=WHOLE if whole else FLOATS))
    axis = draw(st.none() | st.integers(-x.ndim, x.ndim - 1) | npst.valid_tuple_axes(x.ndim, min_size=1))
    return x, axis, draw(st.booleans())


@FEW
@given(reducing(), st.sampled_from([0, 0.5, 1]))
def test_reductions_take_any_axis_and_correction(device, drawn, correction):
    x, axis, keepdims = drawn
    t, where = xp.asarray(x), {"axis": axis, "keepdims": keepdims}
    for name in ("sum", "max", "min", "mean"):
        near(getattr(xp, name)(t, **where), getattr(np, name)(x.astype(np.float64), **where))
    count = np.size(x) / max(1, np.size(np.sum(x, axis=axis)))
    if count > correction:
        near(xp.var(t, correction=correction, **where), np.var(x.astype(np.float64), ddof=correction, **where), 1e-4)
        near(xp.std(t, correction=correction, **where), np.std(x.astype(np.float64), ddof=correction, **where), 1e-4)
    near(xp.any(t > 0, **where), np.any(x > 0, **where))
    near(xp.all(t > 0, **where), np.all(x > 0, **where))
    near(xp.count_nonzero(t, **where), np.count_nonzero(x, **where))


@FEW
@given(reducing(whole=True))
def test_integer_reductions_and_running_sums(device, drawn):
    x, axis, keepdims = drawn
    x = x.astype(np.int32)
    t = xp.asarray(x)
    found = xp.sum(t, axis=axis, keepdims=keepdims)
    assert found.dtype == "int32" and xp.sum(t, dtype=xp.float32).dtype == "float32"
    near(found, np.sum(x, axis=axis, keepdims=keepdims))
    one = axis[0] if isinstance(axis, tuple) else axis
    for name in ("argmax", "argmin"):
        near(getattr(xp, name)(t, axis=one, keepdims=keepdims), getattr(np, name)(x, axis=one, keepdims=keepdims))
    if one is not None:
        near(xp.cumulative_sum(t, axis=one, include_initial=True), np.cumulative_sum(x, axis=one, include_initial=True))
        near(xp.diff(t, axis=one, prepend=xp.take(t, xp.asarray([0]), axis=one)), np.diff(x, axis=one, prepend=x.take([0], one)))
        near(xp.flip(t, axis=one), np.flip(x, one))
        near(xp.roll(t, 2, axis=one), np.roll(x, 2, one))


X = np.arange(24, dtype=np.float32).reshape(2, 3, 4) % 7


@every("mine, theirs", [
    (lambda x: xp.concat([x, x], axis=1), lambda x: np.concatenate([x, x], 1)),
    (lambda x: xp.concat([x, x[0]], axis=None), lambda x: np.concatenate([x, x[0]], None)),
    (lambda x: xp.expand_dims(x, -1), lambda x: np.expand_dims(x, -1)),
    (lambda x: xp.expand_dims(x, (0, 2)), lambda x: np.expand_dims(x, (0, 2))),
    (lambda x: xp.flip(x), np.flip),
    (lambda x: xp.moveaxis(x, 0, -1), lambda x: np.moveaxis(x, 0, -1)),
    (lambda x: xp.permute_dims(x, (1, 2, 0)), lambda x: np.transpose(x, (1, 2, 0))),
    (lambda x: xp.repeat(x, 2, axis=1), lambda x: np.repeat(x, 2, 1)),
    (lambda x: xp.repeat(x, xp.asarray([1, 0, 2]), axis=1), lambda x: np.repeat(x, [1, 0, 2], 1)),
    (lambda x: xp.reshape(x, (4, -1)), lambda x: np.reshape(x, (4, -1))),
    (lambda x: xp.roll(x, (1, 2), axis=(0, 2)), lambda x: np.roll(x, (1, 2), (0, 2))),
    (lambda x: xp.squeeze(x[:1], 0), lambda x: x[0]),
    (lambda x: xp.stack([x, x], axis=-1), lambda x: np.stack([x, x], -1)),
    (lambda x: xp.tile(x, (2, 1)), lambda x: np.tile(x, (2, 1))),
    (lambda x: xp.unstack(x, axis=1)[2], lambda x: x[:, 2]),
    (lambda x: xp.take(x, xp.asarray([2, 0]), axis=1), lambda x: np.take(x, [2, 0], 1)),
    (lambda x: xp.take_along_axis(x, xp.asarray([[[1, 0]]])), lambda x: np.take_along_axis(x, np.array([[[1, 0]]]), -1)),
    (lambda x: xp.tril(x, k=1), lambda x: np.tril(x, 1)),
    (lambda x: xp.triu(x), np.triu),
    (lambda x: xp.matmul(x, xp.matrix_transpose(x)), lambda x: x @ np.swapaxes(x, 1, 2)),
    (lambda x: xp.tensordot(x, x, axes=((0, 2), (0, 2))), lambda x: np.tensordot(x, x, ((0, 2), (0, 2)))),
    (lambda x: xp.vecdot(x, x[:1], axis=-2), lambda x: np.sum(x * x[:1], -2)),
    (lambda x: xp.clip(x, min=2), lambda x: np.clip(x, 2, None)),
    (lambda x: xp.clip(x, max=3), lambda x: np.clip(x, None, 3)),
    (lambda x: xp.prod(x[0] + 1, axis=0), lambda x: np.prod(x[0] + 1, 0)),
    (lambda x: xp.cumulative_prod(x[0, 0] + 1, include_initial=True), lambda x: np.cumulative_prod(x[0, 0] + 1, include_initial=True)),
    (lambda x: xp.searchsorted(xp.asarray([3.0, 1.0, 5.0]), x, sorter=xp.asarray([1, 0, 2]), side="right"),
     lambda x: np.searchsorted([1.0, 3, 5], x, side="right")),
    (lambda x: xp.nonzero(x)[2], lambda x: np.nonzero(x)[2]),
    (lambda x: xp.sort(x, axis=1), lambda x: np.sort(x, 1)),
    (lambda x: xp.sort(x, descending=True), lambda x: -np.sort(-x)),
    (lambda x: xp.argsort(x, axis=0), lambda x: np.argsort(x, 0, stable=True)),
    (lambda x: xp.argsort(x, descending=True), lambda x: np.argsort(-x, stable=True)),
    (lambda x: xp.unique_values(x), np.unique),
    (lambda x: xp.unique_inverse(x).inverse_indices, lambda x: np.unique_inverse(x).inverse_indices),
    (lambda x: xp.unique_counts(x).counts, lambda x: np.unique_counts(x).counts),
    (lambda x: xp.unique_all(x).indices, lambda x: np.unique_all(x).indices),
    (lambda x: xp.meshgrid(x[0, 0], x[0, :2, 0])[1], lambda x: np.meshgrid(x[0, 0], x[0, :2, 0])[1]),
    (lambda x: xp.eye(3, 4, k=-1), lambda x: np.eye(3, 4, -1)),
    (lambda x: xp.linspace(0, 1, 5, endpoint=False), lambda x: np.linspace(0, 1, 5, endpoint=False)),
    (lambda x: xp.arange(7, 1, -2), lambda x: np.arange(7, 1, -2)),
    (lambda x: xp.full_like(x, 3), lambda x: np.full_like(x, 3)),
    (lambda x: xp.empty((2, 0)), lambda x: np.zeros((2, 0))),
    (lambda x: xp.ones_like(x) - xp.zeros_like(x) + xp.empty_like(x), np.ones_like),
])  # fmt: skip
def test_functions_that_arrange_and_search_are_numpys(mine, theirs, device):
    near(mine(xp.asarray(X)), theirs(X))


def test_a_nan_is_a_value_of_its_own():
    assert xp.unique_counts(xp.asarray([np.nan, 1.0, np.nan])).counts.tolist() == [1, 1, 1]


def test_32_bits_are_the_widest():
    assert xp.asarray(1.5).dtype == xp.float64 == "float32" and xp.asarray([1]).dtype == xp.int64 == "int32"
    assert xp.zeros(2, dtype=xp.int8).dtype == "int32" and xp.ones(1, dtype="uint64").dtype == "uint32"
    info = xp.__array_namespace_info__()
    assert info.dtypes(kind=("bool", "real floating")) == {"float32": "float32", "bool": "bool"}
    assert info.default_dtypes()["integral"] == "int32" and info.devices() == [info.default_device()]
    assert info.capabilities()["boolean indexing"] is True
    assert xp.finfo(xp.float64).eps == np.finfo(np.float32).eps and xp.iinfo(xp.asarray([1])).bits == 32
    assert xp.can_cast(xp.int32, xp.float32) and not xp.can_cast(xp.float32, xp.int32) and not xp.can_cast(xp.float32, xp.bool)
    assert xp.isdtype(xp.uint32, "integral") and not xp.isdtype(xp.float32, "integral") and xp.isdtype(xp.complex64, "complex floating")
    assert xp.result_type(xp.int32, 1.0) == "float32"
    assert xp.result_type(xp.bool, 1) == "int32" and xp.result_type(xp.uint32, True) == "uint32"


def test_complex_numbers_are_arrays_of_their_own():
    z, w = np.array([1 + 2j, -3.5j]), np.array([2 - 1j, 0.5 + 4j])
    a, b = xp.asarray(z), xp.asarray(w)
    for found, expected in [(a + b, z + w), (a * b, z * w), (a / b, z / w), (-a, -z), (a[1:], z[1:]), (xp.conj(a), z.conj()),
                            (xp.abs(a), abs(z)), (xp.real(a), z.real), (xp.imag(a), z.imag), (xp.asarray(1j), 1j),
                            (xp.asarray([1.0], dtype=xp.complex64), [1 + 0j])]:  # fmt: skip
        np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-6)
    assert a.dtype == xp.complex64 and complex(a[0]) == 1 + 2j
    assert xp.zeros(2, dtype=xp.complex128).tolist() == [0j, 0j] and xp.astype(a, xp.bool).tolist() == [True, True]
    assert xp.result_type(xp.float32, 1j) == xp.result_type(a, xp.int32) == xp.complex64 and xp.can_cast("float32", "complex64")
    assert a.__array_namespace__() is xp and xp.reshape(a, (2, 1), copy=True).shape == (2, 1)
    with pytest.raises(DtypeError, match="take real or imag"):
        xp.asarray(1j, dtype=xp.float32)


def test_the_namespace_is_found_from_an_array():
    t = xp.asarray([1.0])
    assert t.__array_namespace__() is t.__array_namespace__(api_version="2024.12") is xp
    with pytest.raises(ValueError, match=r"follows 2024\.12"):
        t.__array_namespace__(api_version="1999.01")


def test_copies_are_asked_for():
    t = xp.asarray([1.0, 2.0])
    assert xp.asarray(t) is t and xp.asarray(t, copy=False) is t and xp.astype(t, "float32", copy=False) is t
    copies = [xp.asarray(t, copy=True), xp.from_dlpack(t, copy=True), xp.reshape(t, (2,), copy=True)]
    for other in (*copies, xp.astype(t, xp.float32), xp.positive(t)):
        other[0] = 9.0
    assert t.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="copy=False"):
        xp.asarray([1.0], copy=False)
    with pytest.raises(BufferError, match="copy=False"):
        xp.from_dlpack(np.ones(2), copy=False)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda: xp.zeros(2, device="cuda"), ValueError, "device in use"),
    (lambda: xp.squeeze(xp.ones((2, 1)), 0), ValueError, "squeeze"),
    (lambda: xp.cumulative_sum(xp.ones((2, 2))), ShapeError, "cumulative_sum: axis is needed"),
    (lambda: xp.take(xp.ones((2, 2)), xp.asarray([0])), ShapeError, "take: axis is needed"),
    (lambda: xp.nonzero(xp.asarray(1)), ShapeError, "nonzero: .* a scalar"),
    (lambda: xp.vecdot(xp.ones(3), xp.ones(2)), ShapeError, "vecdot"),
    (lambda: xp.var(xp.asarray([1])), DtypeError, "var: expected an array of floats"),
    (lambda: xp.max(xp.ones(0)), ShapeError, "no elements"),
    (lambda: xp.isdtype("float32", "decimal"), DtypeError, "isdtype: kind"),
    (lambda: xp.finfo("int32"), DtypeError, "finfo"),
    (lambda: xp.iinfo("float32"), DtypeError, "iinfo"),
    (lambda: xp.result_type(1.0), ValueError, "one array or dtype"),
    (lambda: xp.asarray([2**40]), DtypeError, "do not fit int32"),
    (lambda: xp.add(x1=1, x2=2), TypeError, "positional"),
    (lambda: xp.sum(xp.ones(2), 0), TypeError, "positional"),
    (lambda: xp.bitwise_and(xp.ones(2), xp.ones(2)), DtypeError, "integers or booleans"),
])  # fmt: skip
def test_what_cannot_be_is_said_in_a_sentence(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_a_function_of_the_standard_is_part_of_programs_and_gradients():
    f = lambda x: xp.sum(xp.where(x > 0, xp.pow(x, 2), xp.abs(x)))
    assert pyml.program(f)(X - 3).item() == np.where(X > 3, (X - 3) ** 2, abs(X - 3)).sum()
    near(pyml.grad(f)(X - 2.5), np.where(X > 2.5, 2 * (X - 2.5), -1))


def test_a_zero_keeps_its_sign(device):
    for zero in (0.0, -0.0):  # numbers of equal value, one after the other: graphs of both are kept
        assert xp.signbit(xp.asarray(zero)).item() == np.signbit(zero)
        assert (3.0 / xp.asarray(zero)).item() == np.copysign(np.inf, zero)
        for name in ("atan2", "copysign"):
            near(xp.signbit(getattr(xp, name)(xp.asarray([zero]), xp.asarray([2.0]))), np.signbit([getattr(np, BINARY[name])(zero, 2.0)]))
    minus = xp.asarray([-0.0])
    odd = ("asin", "asinh", "atan", "atanh", "ceil", "expm1", "floor", "log1p", "round", "sin", "sinh", "sqrt", "tan", "tanh", "trunc")
    assert [name for name in odd if not xp.signbit(getattr(xp, name)(minus)).item()] == []


def test_nothing_is_unstacked_into_nothing():
    assert xp.unstack(xp.ones((0, 2))) == () and len(xp.unstack(xp.ones((2, 0)))) == 2


def test_examples_of_the_docs_and_of_docstrings_run():
    page = (Path(__file__).parents[1] / "docs" / "array_api.md").read_text(encoding="utf-8")
    found = doctest.DocTestParser().get_doctest(page.replace("```", ""), {}, "array_api.md", None, 0)
    texts = [found]
    for module in ("", ".creation", ".data_types", ".inspection", ".searching"):
        names = {"np": np, "pyml": pyml}
        texts += [t for t in doctest.DocTestFinder().find(import_module("pyml.array_api" + module), globs=names) if t.examples]
    assert len(texts) > 7
    before = pyml.config.get_backend()
    pyml.config.set_backend("cpu")
    try:
        runner = doctest.DocTestRunner()
        assert [t.name for t in texts if runner.run(t).failed] == []
    finally:
        pyml.config.set_backend(before)
