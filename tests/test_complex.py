"""Complex tensors beside numpy: what they take part in, what they refuse, and that programs and gradients carry them."""

from __future__ import annotations

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.errors import DtypeError, ShapeError

pytestmark = pytest.mark.in_turn(4)

Z = np.array([[1 + 2j, -0.5j, 3], [-1 - 1j, 0.25 + 1j, -2 + 0.5j]], np.complex64)
W = np.array([[0.5 - 1j, 2 + 2j, 1j], [3, -1 + 0.5j, 1 + 1j]], np.complex64)
X = np.array([[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]], np.float32)

# name -> the same expression of numpy's arrays and of ours
EXPRESSIONS = {
    "with numbers": lambda m, z, w: (2 - z) * 3j + z / 2 - 1j / w,
    "with real arrays": lambda m, z, w: X * z + X - z / X,
    "negative": lambda m, z, w: -z,
    "power": lambda m, z, w: z**4 + w**-2,
    "power of a fraction": lambda m, z, w: (z + 4) ** 0.5,
    "matmul": lambda m, z, w: z @ w.T + X @ w.T,
    "einsum": lambda m, z, w: m.einsum("ij,kj->ik", z, w),
    "tensordot": lambda m, z, w: m.tensordot(z, w, axes=2),
    "vdot": lambda m, z, w: m.vdot(z, w),
    "outer": lambda m, z, w: m.outer(z, w),
    "square": lambda m, z, w: m.square(z),
    "reciprocal": lambda m, z, w: m.reciprocal(z),
    "exp": lambda m, z, w: m.exp(z),
    "log": lambda m, z, w: m.log(z),
    "sqrt": lambda m, z, w: m.sqrt(z),
    "sin and cos": lambda m, z, w: m.sin(z) * m.cos(w),
    "sinh and cosh": lambda m, z, w: m.sinh(z) * m.cosh(w),
    "tan and tanh": lambda m, z, w: m.tan(z) + m.tanh(w),
    "expm1 and logarithms": lambda m, z, w: m.expm1(z) + m.log1p(w) + m.log2(z) - m.log10(w),
    "arcsin and arccos": lambda m, z, w: m.arcsin(z) + m.arccos(w) * 2,
    "arctan and arctanh": lambda m, z, w: m.arctan(z + 3) + m.arctanh(w) * 2,
    "arcsinh and arccosh": lambda m, z, w: m.arcsinh(z) + m.arccosh(w) * 2,
    "round and sign": lambda m, z, w: m.round(z) + z / m.absolute(z),
    "prod": lambda m, z, w: m.prod(z, axis=1) + m.prod(w) * m.cumprod(w, axis=0)[:, 0],
    "made": lambda m, z, w: m.ones((2, 3), dtype="complex64") * m.full_like(z, 2 - 1j) + m.linspace(1, 2j, 3),
    "all and any": lambda m, z, w: m.all(z, axis=0) & m.any(w, axis=0),
    "sum": lambda m, z, w: z.sum(axis=0) + z.sum(),
    "mean": lambda m, z, w: z.mean(axis=1, keepdims=True),
    "cumsum": lambda m, z, w: m.cumsum(z, axis=1),
    "equal": lambda m, z, w: (z == w) | (z == z),
    "not equal": lambda m, z, w: z != w,
    "where": lambda m, z, w: m.where(X > 0, z, w),
    "isfinite": lambda m, z, w: m.isfinite(z / 0),
    "isreal": lambda m, z, w: m.isreal(z),
    "reshape": lambda m, z, w: z.reshape(3, 2).T,
    "index": lambda m, z, w: z[1, ::-1] + z[None, 0, 1:2][0],
    "concatenate": lambda m, z, w: m.concatenate([z, X, w], axis=1),
    "stack": lambda m, z, w: m.stack([z, w], axis=1),
    "take": lambda m, z, w: m.take(z, np.array([2, 0]), axis=1),
    "moved": lambda m, z, w: m.roll(m.flip(m.expand_dims(z, 0), 2), 1, 1),
    "diagonal": lambda m, z, w: m.trace(z @ w.T) + m.diagonal(z).sum(),
    "absolute": lambda m, z, w: abs(z) + m.absolute(w),
    "angle": lambda m, z, w: m.angle(z) + m.angle(X),
    "parts": lambda m, z, w: m.real(z) - m.imag(m.conj(w)),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_expression_of_complex_tensors_is_what_numpy_says(device, name):
    with np.errstate(all="ignore"):
        wanted = EXPRESSIONS[name](np, Z, W)
    got = EXPRESSIONS[name](ops, ops.convert_to_tensor(Z), ops.convert_to_tensor(W))
    assert got.shape == np.shape(wanted)
    np.testing.assert_allclose(got.numpy(), wanted, rtol=2e-5, atol=2e-5)
    assert got.dtype == ("complex64" if np.iscomplexobj(wanted) else np.asarray(wanted).dtype.name)


ODD = np.array([complex(a, b) for a in (0.0, -0.0, 0.5, -2.0, np.inf, -np.inf, np.nan) for b in (0.0, -0.0, 1.0, np.inf, -np.inf, np.nan)],
               np.complex64)  # fmt: skip


def _parts(z):
    return [np.float32(part if part else 0) for part in (z.real, z.imag)]  # the sign of a zero is C99's to choose in places


@pytest.mark.parametrize("name", [
    "sqrt", "exp", "log", "log1p", "sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "arccos", "absolute",
])  # fmt: skip
def test_functions_of_infinite_numbers_and_nan_are_what_c99_says(name):
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(ODD)
    got = getattr(ops, name)(ops.convert_to_tensor(ODD)).numpy()
    for z, one, other in zip(ODD, got, wanted, strict=True):
        if name == "sinh" and np.isinf(z.real) and not np.isfinite(z.imag):
            one, other = abs(one.real), abs(other.real)  # the sign of this infinity too
        np.testing.assert_allclose(_parts(one), _parts(other), rtol=1e-5, err_msg=f"{name}({z}) = {one}, not {other}")


def test_elements_of_a_complex_tensor_are_set_and_older_parts_stay():
    z = ops.convert_to_tensor(Z)
    before = ops.real(z)
    z[0, 1:] = [5j, 2]
    assert z[0].tolist() == [1 + 2j, 5j, 2] and before.tolist() == Z.real.tolist()


def test_different_complex_numbers_are_found_in_numpys_order():
    array = np.array([[1j, 2, 1j], [-1 - 1j, 2, -1 + 3j]], np.complex64)
    values, index, inverse, counts = ops.unique(array, return_index=True, return_inverse=True, return_counts=True)
    wanted = np.unique(array, return_index=True, return_inverse=True, return_counts=True)
    assert [values.tolist(), index.tolist(), inverse.tolist(), counts.tolist()] == [
        wanted[0].tolist(), wanted[1].tolist(), wanted[2].reshape(2, 3).tolist(), wanted[3].tolist()]  # fmt: skip
    assert [place.tolist() for place in ops.nonzero(np.array([0, 1j, 0j, 2]))] == [[1, 3]]


def test_arrays_of_complex_numbers_are_taken_as_they_are():
    np.testing.assert_allclose(ops.add(Z, 1).numpy(), Z + 1)
    np.testing.assert_allclose((ops.convert_to_tensor(X) * Z).numpy(), X * Z)
    np.testing.assert_allclose(ops.matmul(Z, W.T).numpy(), Z @ W.T, rtol=1e-5)
    assert ops.convert_to_tensor([1, 2j]).numpy().tolist() == [1, 2j]
    assert ops.cast(X, "complex64").dtype == "complex64"
    assert ops.is_tensor(ops.convert_to_tensor(Z)) and ops.shape(Z) == (2, 3) and ops.dtype(ops.convert_to_tensor(Z)) == "complex64"
    assert ops.convert_to_numpy(ops.convert_to_tensor(Z)).dtype == np.complex64


def test_a_program_takes_and_gives_complex_tensors(device):
    step = pyml.program(lambda z, factor: {"out": z * factor, "size": ops.sum(abs(z))})
    for array in (Z, W, Z):
        found = step(ops.convert_to_tensor(array), 2.0)
        np.testing.assert_allclose(found["out"].numpy(), array * 2, rtol=1e-6)
        assert found["size"].item() == pytest.approx(np.abs(array).sum(), rel=1e-5)


LOOPS = {
    "scan": lambda z: ops.scan(lambda c, x: (c * x, c * 1), ops.convert_to_tensor(np.complex64(1)), z)[0],
    "while_loop": lambda z: ops.while_loop(lambda i, c: i < 3, lambda i, c: (i + 1, c * z), (0, z))[1],
    "fori_loop": lambda z: ops.fori_loop(0, 3, lambda i, c: c * c, z),
    "cond": lambda z: ops.cond(ops.sum(abs(z)) > 0, lambda: z * 2, lambda: z),
    "map": lambda z: ops.map(lambda x: x * x, z),
    "associative_scan": lambda z: ops.associative_scan(lambda a, b: a * b, z),
}
LOOPED = {
    "scan": Z[0].prod(), "while_loop": Z[0] ** 4, "fori_loop": Z[0] ** 8, "cond": Z[0] * 2, "map": Z[0] ** 2,
    "associative_scan": np.cumprod(Z[0]),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOPS)
def test_loops_and_branches_carry_complex_tensors(device, name):
    found = pyml.program(LOOPS[name])(ops.convert_to_tensor(Z[0]))
    np.testing.assert_allclose(found.numpy(), LOOPED[name], rtol=1e-4, atol=1e-4)


def test_the_gradient_by_a_complex_tensor_is_complex_as_in_pytorch(device):
    gradient = pyml.grad(lambda z: ops.sum(ops.real(z * ops.conj(z))))(ops.convert_to_tensor(Z))
    np.testing.assert_allclose(gradient.numpy(), 2 * Z, rtol=1e-6)


def test_the_size_of_zero_has_a_gradient_of_zero():
    gradient = pyml.grad(lambda z: ops.sum(abs(z)))(ops.convert_to_tensor(np.array([0, 3 + 4j], np.complex64)))
    np.testing.assert_allclose(gradient.numpy(), [0, 0.6 + 0.8j], rtol=1e-6)


def test_a_model_computes_with_complex_numbers_inside():
    pairs = pyml.Input((4, 2))
    z = ops.view_as_complex(pairs)
    model = pyml.Model(pairs, ops.view_as_real(ops.exp(z) * 2 + z[:, ::-1]))
    array = np.random.default_rng(0).uniform(-1, 1, (3, 4, 2)).astype(np.float32)
    z = array[..., 0] + 1j * array[..., 1]
    wanted = np.exp(z) * 2 + z[:, ::-1]
    np.testing.assert_allclose(model(array).numpy(), np.stack([wanted.real, wanted.imag], -1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("refused", [
    lambda z: ops.sort(z), lambda z: ops.max(z), lambda z: z < z, lambda z: ops.relu(z), lambda z: ops.cast(z, "float32"),
    lambda z: pyml.Variable(z), lambda z: float(z),
])  # fmt: skip
def test_what_does_not_take_complex_tensors_says_so(refused):
    with pytest.raises((DtypeError, TypeError), match=r"complex|float\(\)"):
        refused(ops.convert_to_tensor(Z))


@pytest.mark.parametrize(("op", "arguments"), [                          # in the order of their places
    (ops.real, {"x": Z}), (ops.exp, {"x": Z}), (ops.sign, {"x": Z}), (ops.sum, {"x": Z, "axis": 1}), (ops.prod, {"x": Z, "axis": 0}),
    (ops.multiply, {"x1": Z, "x2": W}), (ops.matmul, {"x1": X, "x2": W.T}), (ops.tensordot, {"x1": Z, "x2": W, "axes": 2}),
    (ops.where, {"condition": X > 0, "x1": Z, "x2": X}), (ops.subtract, {"x1": X, "x2": Z}),
])  # fmt: skip
def test_complex_arguments_may_be_named(op, arguments):
    found = op(**dict(reversed(arguments.items())))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), ops.convert_to_numpy(op(*arguments.values())))


def test_pairs_of_other_sizes_are_refused():
    with pytest.raises(ShapeError, match="last axis needs two elements"):
        ops.view_as_complex(np.zeros((2, 3), np.float32))


def test_bits_of_half_floats_are_those_of_numpy_and_back(device):
    bits = np.arange(2**16, dtype=np.uint16)
    bits = bits[((bits & 0x7C00) != 0x7C00) | ((bits & 0x3FF) == 0)]  # without NaN, whose bits are an adapter's affair
    halves = ops.view(bits, "float16")
    np.testing.assert_array_equal(halves.numpy().view(np.uint16), bits)
    np.testing.assert_array_equal(ops.view(halves, "uint16").numpy(), bits)
    assert ops.view(ops.cast([1.0, -3.0], "bfloat16"), "uint16").tolist() == [16256, 49216]


def test_bits_are_taken_for_longer_and_for_shorter_numbers(device):
    raw = np.random.default_rng(0).integers(0, 64, (2, 16)).astype("uint8")
    for source in ("int8", "uint16", "int32", "float32", "float16"):
        for target in ("uint8", "int16", "uint32", "float32", "float16"):
            found = ops.view(raw.view(source), target)
            assert found.dtype == target
            np.testing.assert_array_equal(found.numpy(), raw.view(target))


def test_bits_that_do_not_fill_numbers_are_refused():
    with pytest.raises(ShapeError, match="a whole number of int16"):
        ops.view(np.ones(3, "int8"), "int16")


def test_convert_to_numpy_takes_complex_arrays_and_lists():
    for given in ([1 + 2j, 3.0], np.array([1 + 2j, 3]), ops.convert_to_tensor([1 + 2j, 3.0])):
        found = ops.convert_to_numpy(given)
        assert found.dtype == "complex64" and found.tolist() == [1 + 2j, 3]


@pytest.mark.parametrize("given", [1 + 2j, [1 + 2j, 3], np.array([[1j]])])
def test_convert_to_tensor_takes_complex_numbers_under_both_names(given):
    for convert in (pyml.convert_to_tensor, ops.convert_to_tensor):
        np.testing.assert_array_equal(convert(given).numpy(), np.asarray(given, "complex64"))
