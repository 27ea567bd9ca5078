"""Every elementwise primitive on every device gives what numpy gives for zeros, infinities, NaN, huge, tiny and odd numbers."""

from __future__ import annotations

import itertools

import numpy as np
import op_samples
import pytest
from every import every

import pyml
from pyml.core.tensor import Tensor, as_node
from pyml.graph.op import OPS
from pyml.graph.prims import full

MOST = float(np.finfo(np.float32).max)
TINY = float(np.finfo(np.float32).tiny)
SPECIALS = {
    "float32": np.array([
        0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 1e-30, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 2, -2, 3, -3, 1e-3, 10, -10, 88, -88,
        100, -100, 1e6, -1e6, 8388609, 16777217, 2147483647, -2147483648, 4294967295, 1e10, -1e10, 1e20, -1e20, MOST, -MOST,
    ], np.float32),
    "int32": np.array([0, 1, -1, 2, -2, 3, -3, 7, -7, 31, 33, -5, 2**31 - 1, -(2**31), 65536, 46341, 12345678], np.int32),
    "uint32": np.array([0, 1, 2, 3, 7, 31, 33, 65536, 2**31, 2**32 - 1], np.uint32),
    "bool": np.array([False, True]),
}  # fmt: skip
BITS = {"bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"}
NUMBERS = {"abs", "add", "div", "floor_divide", "greater", "greater_equal", "less", "less_equal", "maximum", "minimum", "mod", "mul",
           "neg", "pow", "relu", "sign", "square", "sub"}  # fmt: skip
ANY = {"copy", "equal", "not_equal", "stop_gradient", "where"}
LOGIC = {"logical_and", "logical_or", "logical_not"}
CONVERSIONS = {"cast", "bitcast"}

# What WGSL may do otherwise than numpy:
#   denormals: an adapter may take a number below 1.2e-38 for 0, whether operand or result.
#   the sign of a zero: which of 0 and -0 is the larger one.
ZEROS_OF_ANY_SIGN = {"maximum", "minimum"}


def _dtypes(name):
    if name in BITS:
        return ["int32", "uint32"]
    if name in LOGIC:
        return ["bool"]
    if name in ANY:
        return list(SPECIALS)
    return ["float32", "int32", "uint32"] if name in NUMBERS else ["float32"]


def _cases():
    for name in sorted(n for n, op in OPS.items() if op.kind == "elementwise" and n != "random_bits"):
        if name in CONVERSIONS:
            for source, target in itertools.permutations(SPECIALS, 2):
                if name == "cast" or "bool" not in (source, target):
                    yield name, source, {"dtype": target}
        else:
            for dtype in _dtypes(name):
                yield name, dtype, {}


def _grid(op, dtype):
    """Every combination of special operands."""
    values = SPECIALS[dtype]
    if op.name == "where":
        a, b = (np.array(v, values.dtype) for v in zip(*itertools.product(values, repeat=2), strict=True))
        return [np.arange(a.size) % 2 == 0, a, b]
    return [np.array(v, values.dtype) for v in zip(*itertools.product(values, repeat=max(1, len(op.params))), strict=True)]


def _denormal(x):
    return (np.abs(x) < TINY) & (x != 0) if x.dtype.kind == "f" else np.zeros(x.shape, bool)


@every("name, dtype, attrs", _cases())
def test_special_values_are_those_of_numpy(device, name, dtype, attrs):
    op = OPS[name]
    arrays = _grid(op, dtype)
    found = Tensor(op(*map(as_node, arrays), **attrs)).numpy()
    with np.errstate(all="ignore"):
        expected = np.asarray(op.numpy(*arrays, **attrs))
    if device.name == "webgpu":
        plain = ~np.any([_denormal(a) for a in arrays] + [_denormal(expected)], axis=0)
        if name in ("div", "floor_divide") and dtype == "float32":
            plain &= ~(np.abs(arrays[1]) > 2.0**126)  # by which WGSL promises no quotient
        arrays, found, expected = [a[plain] for a in arrays], found[plain], expected[plain]
    assert found.dtype == expected.dtype
    if expected.dtype.kind == "f":
        with np.errstate(all="ignore"):
            close = np.abs(found.astype(float) - expected) <= 2e-6 * np.abs(expected.astype(float)) + 1e-42
        right = (found == expected) | close | (np.isnan(found) & np.isnan(expected))
        if name not in ZEROS_OF_ANY_SIGN:
            right &= (expected != 0) | (np.signbit(found) == np.signbit(expected))
    else:
        right = found == expected
    wrong = [f"{name}({', '.join(str(a[i]) for a in arrays)}) = {found[i]}, not {expected[i]}" for i in np.flatnonzero(~right)[:5]]
    assert not wrong


@every("name, dtype", [(n, d) for n, d, attrs in _cases() if not attrs and len(OPS[n].params) == 2])
def test_a_special_value_that_the_compiler_knows_gives_what_numpy_gives(device, name, dtype):
    op, values = OPS[name], SPECIALS[dtype]
    if device.name == "webgpu":
        values = values[~_denormal(values)]
    constants = [v for v in values if v == 0 or not np.isfinite(v) or abs(v) == 1]
    wrong = []
    for constant in constants:
        known = full(values.shape, constant.item(), dtype)
        for k, (found, operands) in enumerate([
            (Tensor(op(as_node(values), known)).numpy(), (values, np.full_like(values, constant))),
            (Tensor(op(known, as_node(values))).numpy(), (np.full_like(values, constant), values)),
        ]):  # fmt: skip
            with np.errstate(all="ignore"):
                expected = np.asarray(op.numpy(*operands))
            right = (found == expected) | ((found != found) & (expected != expected))
            if expected.dtype.kind == "f":
                plain = ~_denormal(expected) if device.name == "webgpu" else np.ones(right.shape, bool)
                with np.errstate(all="ignore"):
                    right |= np.abs(found.astype(float) - expected) <= 2e-6 * np.abs(expected.astype(float))
                if device.name == "webgpu" and constant == 0 and k == 1 and name not in ("mul", "div"):
                    plain &= ~np.isnan(expected)
                if device.name == "webgpu" and name in ("div", "floor_divide"):
                    plain &= ~(np.abs(operands[1].astype(float)) > 2.0**126)
                right |= ~plain
            wrong += [f"{name} of {values[i]} and the constant {constant} at place {1 - k}: {found[i]}, not {expected[i]}"
                      for i in np.flatnonzero(~right)[:2]]
    assert not wrong


@pytest.mark.parametrize("reduce", ["max", "min", "sum", "prod", "any", "all", "argmax", "argmin", "mean", "logsumexp"])
def test_reductions_of_nan_and_infinity_are_those_of_numpy(device, reduce):
    from pyml import ops

    rows = np.array([[1, np.nan, 3, 2, 5], [-np.inf, 1, 2, np.inf, 0], [np.inf, np.inf, 1, 2, 3], [-np.inf] * 5, [0, -0.0, 0, 0, 0],
                     [3, 2, 1, np.nan, np.nan]], np.float32)  # fmt: skip
    long = np.linspace(-1, 1, 4 * 72, dtype=np.float32).reshape(4, 72)  # so that loops take two elements a round
    long[0, 70], long[1, 35], long[2, 0], long[3, 1] = np.nan, np.nan, np.inf, -np.inf
    for x, axis in ((rows, 0), (rows, 1), (long, 1), (long.T.copy(), 0)):
        found = getattr(ops, reduce)(x, axis=axis).numpy()
        with np.errstate(all="ignore"):
            expected = np.logaddexp.reduce(x, axis=axis) if reduce == "logsumexp" else getattr(np, reduce)(x, axis=axis)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_functions_of_whole_numbers_wrap_around_as_in_numpy(device):
    from pyml import ops

    x = np.array([3, -7, 2**31 - 1, 65536, 46341], np.int32)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(ops.prod(x).numpy(), np.prod(x, dtype=np.int32))
        np.testing.assert_array_equal(ops.sum(x).numpy(), np.sum(x, dtype=np.int32))
        np.testing.assert_array_equal(ops.power(x, 20).numpy(), np.power(x, np.int32(20)))
        np.testing.assert_array_equal(ops.power(x, 3).numpy(), np.power(x, np.int32(3)))


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int8"])
def test_powers_of_whole_numbers_are_pythons_and_below_zero_whole_parts_of_quotients(device, dtype):
    from pyml import ops

    bases = [a for a in (-3, -2, -1, 1, 2, 3, 5) if a > 0 or dtype != "uint32"]
    exponents = [*range(-3 if dtype != "uint32" else 0, 5)]
    a, b = (g.ravel() for g in np.meshgrid(bases, exponents))
    wanted = [int(float(x) ** y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    found = ops.power(a.astype(dtype), b.astype(dtype))
    np.testing.assert_array_equal(found.numpy(), np.array(wanted).astype(dtype))


def test_the_error_function_ends_at_one_and_gelu_at_zero(device):
    from pyml import ops

    far = np.array([-np.inf, -1e4, -88, -6, 6, 1e4, np.inf], np.float32)
    np.testing.assert_array_equal(ops.erf(far).numpy(), np.sign(far))
    np.testing.assert_array_equal(ops.gelu(far[1:4], approximate=False).numpy(), 0)
    near = np.array([3.7, 3.9, 3.93], np.float32)
    np.testing.assert_allclose(ops.erf(np.stack([near, -near])).numpy(), [np.ones(3), -np.ones(3)], rtol=3e-7)


@pytest.mark.parametrize("name", ["clip", "relu", "relu6", "leaky_relu", "hard_sigmoid", "softplus", "elu", "gelu", "silu", "mod", "where",
                                  "hard_shrink", "soft_shrink"])  # fmt: skip
def test_a_nan_goes_through(device, name):
    from pyml import ops

    x = np.array([np.nan, 1.0, -1.0, 0.5, -np.inf], np.float32)
    call = {"clip": lambda x: ops.clip(x, -2.0, 2.0), "mod": lambda x: ops.mod(x, 2.0), "where": lambda x: ops.where(x == x, x, x)}
    np.testing.assert_array_equal(np.isnan(call.get(name, getattr(ops, name))(x).numpy())[:4], [True, False, False, False])


@pytest.mark.parametrize("of", [
    lambda x: x * 0.0, lambda x: -0.0 * x, lambda x: 0.0 / x, lambda x: x - x, lambda x: x / np.float32(0)
], ids=["x * 0", "-0 * x", "0 / x", "x - x", "x / 0"])  # fmt: skip
def test_a_zero_that_a_compiler_knows_hides_no_nan(device, of):
    x = SPECIALS["float32"][~_denormal(SPECIALS["float32"])]
    with np.errstate(all="ignore"):
        want = of(x)
    for found in (of(Tensor(as_node(x))).numpy(), pyml.program(of)(x).numpy()):
        np.testing.assert_array_equal(found, want)
        np.testing.assert_array_equal(np.signbit(found)[~np.isnan(want)], np.signbit(want)[~np.isnan(want)])


def _ufunc(declared):
    """The function of numpy that an op is like, where it is one of floats, number by number."""
    like = getattr(np, declared.like.removeprefix("numpy."), None) if isinstance(declared.like, str) else None
    return like if isinstance(like, np.ufunc) and "f" * like.nin in {types.partition("->")[0] for types in like.types} else None


LIKE_NUMPY = {name: (declared.function, _ufunc(declared)) for name, declared in op_samples.declared().items() if _ufunc(declared)}


@every("name", LIKE_NUMPY)
def test_a_public_op_of_special_values_gives_what_numpy_gives(device, name):
    op, like = LIKE_NUMPY[name]
    values = SPECIALS["float32"][~_denormal(SPECIALS["float32"])]
    arrays = [np.array(v, np.float32) for v in zip(*itertools.product(values, repeat=like.nin), strict=True)]
    with np.errstate(all="ignore"):
        expected = np.asarray(like(*arrays)).astype(float)
        found = np.asarray(op(*map(pyml.convert_to_tensor, arrays))).astype(float)
        right = (found == expected) | (np.isnan(found) & np.isnan(expected))
        right |= np.isfinite(expected) & (np.abs(found - expected) <= 1e-5 * np.maximum(1, np.abs(expected)))
    right |= (np.abs(expected) < TINY) & (np.abs(found) < TINY)
    if device.name == "webgpu" and like.nin == 2:
        right |= np.abs(arrays[1]) > 2.0**126  # by which WGSL promises no quotient
    assert not [f"{name}({', '.join(str(a[i]) for a in arrays)}) = {found[i]}, not {expected[i]}" for i in np.flatnonzero(~right)[:5]]


def test_a_nan_or_an_infinity_is_in_the_adaptive_means_that_see_it_and_in_no_others(device):
    x = np.arange(70, dtype=np.float32).reshape(1, 7, 10, 1)
    x[0, 0, 0], x[0, 6, 9], x[0, 3, 4] = np.nan, np.inf, -np.inf
    for count in (1, 3, 4, 7):
        ends = lambda n, count=count: [(i * n // count, -(-(i + 1) * n // count)) for i in range(count)]
        wanted = [[x[0, a:b, c:d, 0].astype(float).mean() for c, d in ends(10)] for a, b in ends(7)]
        np.testing.assert_allclose(pyml.ops.adaptive_average_pool(x, count).numpy()[0, :, :, 0], wanted, rtol=1e-6)
