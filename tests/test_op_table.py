"""Tests that the op table generates: numpy parity on every device, and gradients against finite differences."""

from __future__ import annotations

import operator

import numpy as np
import pytest
from every import every

from pyml.core.tensor import Tensor, as_node
from pyml.dtypes import NUMPY
from pyml.errors import ShapeError
from pyml.graph import grad as graph_grad
from pyml.graph import prims
from pyml.graph.op import OPS, ZERO
from pyml.graph.prims.skew import windows

ELEMENTWISE = sorted(n for n, op in OPS.items() if op.kind == "elementwise")
SAMPLED = sorted(n for n, op in OPS.items() if op.kind in ("reduction", "movement", "routine") and op.samples)
INTEGERS = {"bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift", "floor_divide", "mod"}
LOGIC = {"logical_and", "logical_or", "logical_not"}


def _attrs(op):
    return {"dtype": "int32"} if op.name in ("cast", "bitcast") else {}


def _operands(op, dtype, n=67):
    rng = np.random.default_rng(7)
    low, high = op.probe
    if op.name == "random_bits":
        return [rng.integers(0, 2**32, n, dtype=np.uint32) for _ in op.params]
    if op.name in LOGIC:
        return [rng.integers(0, 2, n).astype(bool) for _ in op.params]
    if dtype == "int32":
        out = [rng.integers(1, 9, n).astype(np.int32) for _ in op.params]
        out[0] = out[0] * rng.choice([-1, 1], n).astype(np.int32) if op.name != "where" else out[0] > 4
        return out
    out = [rng.uniform(low, high, n).astype(np.float32) for _ in op.params]
    if op.samples:
        out[0][: len(op.samples)] = op.samples
    if op.name == "where":
        out[0] = out[0] > 0
    return out


def _dtypes(op):
    if op.name in ("bitwise_and", "bitwise_or", "bitwise_xor", "left_shift", "right_shift"):
        return ["int32"]
    if op.name in INTEGERS | {"add", "sub", "mul", "maximum", "minimum", "equal", "less", "neg", "abs", "sign", "square", "where"}:
        return ["float32", "int32"]
    return ["float32"]


CASES = [(n, d) for n in ELEMENTWISE for d in _dtypes(OPS[n])]


@every("name, dtype, n", [(*case, n) for case in CASES for n in (67, 1)], blocks=8)
def test_elementwise_equals_numpy(device, name, dtype, n):
    op = OPS[name]
    arrays = _operands(op, dtype, max(n, 67))
    arrays = [a[-n:] for a in arrays]
    nodes = [as_node(a) for a in arrays]
    got = Tensor(op(*nodes, **_attrs(op))).numpy()
    with np.errstate(all="ignore"):
        expected = op.numpy(*arrays, **_attrs(op))
    assert got.dtype == NUMPY[op(*nodes, **_attrs(op)).dtype]
    np.testing.assert_allclose(got, expected, rtol=op.tol, atol=1e-6)


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "exp", "log", "maximum", "minimum", "erf", "sqrt", "add", "abs", "where"])
def test_nan_and_infinity_pass_through_as_in_numpy(device, name):
    op = OPS[name]
    special = np.array([np.nan, np.inf, -np.inf, 1.0, -0.0], np.float32)
    arrays = [special] + [np.ones(5, np.float32)] * (len(op.params) - 1)
    if name == "where":
        arrays = [np.array([True, False, True, False, True]), special, special[::-1].copy()]
    with np.errstate(all="ignore"):
        expected = op.numpy(*arrays)
    np.testing.assert_allclose(Tensor(op(*map(as_node, arrays))).numpy(), expected, rtol=op.tol, atol=1e-6)


def test_no_text_takes_the_remainder_of_a_signed_integer():
    """Vulkan leaves that of negative numbers open; an NVIDIA driver gives that of the unsigned ones."""
    texts = {name: [OPS[name].expression("int32"), *OPS[name].helpers("int32")] for name, dtype in CASES if dtype == "int32"}
    assert len(texts) > 10
    assert [name for name, parts in texts.items() if any("%" in part for part in parts)] == []


@every("name", SAMPLED)
def test_sampled_op_equals_numpy(device, name):
    op = OPS[name]
    for arrays, attrs in op.samples:
        nodes = [as_node(a) for a in arrays]
        got = Tensor(op(*nodes, **attrs))
        expected = op.numpy(*arrays, **attrs)
        assert got.shape == np.shape(expected)
        scale = max(1.0, float(np.abs(expected).max())) if np.size(expected) else 1.0
        np.testing.assert_allclose(got.numpy(), expected, rtol=op.tol, atol=op.tol * scale)


DIFFERENTIABLE = sorted(
    n for n, op in OPS.items()
    if op.kind != "leaf" and op.grad not in (None, ZERO) and n not in ("cast", "round_float16", "round_bfloat16")  # steps: passed through
    and (op.kind == "elementwise" or op.samples)
)  # fmt: skip


@every("name", DIFFERENTIABLE)
def test_gradient_equals_finite_differences(name):
    """Differences of the numpy lowering in float64, so that only the rule is tested."""
    op = OPS[name]
    if op.kind == "elementwise":
        cases = [([a[:12] for a in _operands(op, "float32")], {})]
    else:
        floats = [[a for a in map(np.asarray, arrays) if a.dtype == np.float32] for arrays, _ in op.samples]
        cases = [case for case, those in zip(op.samples, floats, strict=True) if those and all(np.isfinite(a).all() for a in those)]
    assert cases
    for arrays, attrs in cases:
        _check_gradient(op, [np.array(a) for a in arrays], attrs)


def _check_gradient(op, arrays, attrs):
    rng = np.random.default_rng(3)
    leaves = [_leaf(a) for a in arrays]
    y = op(*leaves, **attrs)
    seed = rng.uniform(-1, 1, y.shape).astype(np.float32)
    wanted = [i for i, a in enumerate(arrays) if a.dtype == np.float32]
    found = graph_grad.gradients(y, [leaves[i] for i in wanted], seed=_leaf(seed))
    compared = kinks = 0
    for i, node in zip(wanted, found, strict=True):
        got = Tensor(node).numpy()
        assert got.shape == arrays[i].shape
        flat = arrays[i].astype(np.float64).reshape(-1)
        some = rng.permutation(flat.size)[:12]
        for k in some:
            h = 1e-4
            if abs(flat[k] - round(flat[k])) < 2e-3 and op.name in ("mod", "floor_divide"):
                kinks += 1
                continue

            def at(v, i=i, k=k, flat=flat):
                moved = flat.copy()
                moved[k] = v
                xs = [a.astype(np.float64) if a.dtype == np.float32 else a for a in arrays]
                xs[i] = moved.reshape(arrays[i].shape)
                with np.errstate(all="ignore"):
                    return float((np.asarray(op.numpy(*xs, **attrs), np.float64) * seed).sum())

            left, mid, right = at(flat[k] - h), at(flat[k]), at(flat[k] + h)
            slope = (right - left) / (2 * h)
            if abs((right - mid) - (mid - left)) > 1e-2 * h * (1 + abs(slope)) + 1e-6:
                kinks += 1  # one lies between
                continue
            compared += 1
            scale = 1 + abs(slope)
            assert abs(got.reshape(-1)[k] - slope) < 2e-3 * scale, f"{op.name} d/dx{i}[{k}]: {got.reshape(-1)[k]} against {slope}"
    assert compared >= max(kinks, 1)


def _leaf(array):
    """A leaf with memory, whatever its shape."""
    node = as_node(np.atleast_1d(np.asarray(array)))
    return prims.reshape(node, np.shape(array)) if node.shape != np.shape(array) else node


ON_THE_HOST = {  # without a kernel -> why
    "complex_matrices": "numpy's work: factors of complex matrices have no kernels",
    "eig": "numpy's work: the iteration for matrices without symmetry is not worth a kernel",
}
WITHOUT_GRADIENT = {  # their own gradient, when somebody asks, is told to be missing -> why
    "complex_matrices": "ops/complex_matrices.py has the gradients of what is made of it",
    "conv2d_filter_partials": "a part of conv2d_filter_grad, made when that is lowered", "matmul_partials": "a part of matmul",
    "lookup": "what gather is lowered to", "scatter_add_sorted": "what scatter_add is lowered to",
    "scatter_add_parts": "a part of scatter_add", "segment_runs": "a part of sums by index", "segment_ends": "a part of sums by index",
    "warp": "ops/warping.py composes what gradients are asked of",
    "fft_pass": "a part of fft", "radix_count": "a part of sort", "radix_move": "a part of sort", "pad_lines": "a part of conv2d",
}


def test_every_primitive_has_its_rules_and_a_form_for_devices_or_says_why_not():
    def form(op):
        if op.kind == "leaf":
            return op.given or hasattr(op, "counts")
        if op.kind == "elementwise":
            return bool(op.wgsl or op.converts)
        if op.kind == "lookup":
            return op.looks_up
        if op.kind == "reduction":
            return bool(op.combine("float32"))
        return bool(op.index if op.kind == "movement" else op.kernel or op.lower)

    assert [n for n, op in OPS.items() if not (callable(op.shape) and callable(op.dtype) and callable(op.numpy))] == []
    assert {n for n, op in OPS.items() if not form(op)} == set(ON_THE_HOST)
    assert {n for n, op in OPS.items() if op.grad is None and op.kind != "leaf"} == set(WITHOUT_GRADIENT)


def test_every_differentiable_op_has_samples():
    """A routine, reduction or movement without samples would escape the tests above."""
    without = [n for n, op in OPS.items() if op.kind in ("reduction", "movement", "routine") and not op.samples]
    assert without == []


UNCHECKED = {  # ops that do not look at all shapes -> who has
    "lstm_grad": "made by lstm's gradient", "gru_grad": "made by gru's", "conv2d_filter_grad": "made by conv2d's",
    "avg_pool2d_grad": "made by avg_pool2d's", "conv2d_filter_partials": "a part of conv2d_filter_grad", "fft_pass": "a part of fft",
    "flip": "axes are looked at by ops", "pick_rows": "which values an operand holds is not seen", "packed_matmul": "made by quantizers",
}  # fmt: skip


def _other_shapes(array):
    """An array with an axis more, with one less, and with each axis longer or shorter by one."""
    yield array[None]
    if array.ndim and len(array):
        yield array[0]
    for axis, n in enumerate(array.shape):
        if n:
            yield np.concatenate([array, array.take([0], axis)], axis)
        if n > 1:
            yield array.take(range(n - 1), axis)


@every("name", [n for n, op in OPS.items() if op.kind in ("reduction", "movement", "routine") and n not in UNCHECKED])
def test_shapes_that_an_op_does_not_refuse_are_those_that_it_computes(name):
    op = OPS[name]
    for arrays, attrs in op.samples:
        arrays = [np.asarray(a) for a in arrays]
        for i, array in enumerate(arrays):
            for other in _other_shapes(array):
                given = [*arrays[:i], other, *arrays[i + 1 :]]
                shapes = [a.shape for a in given]
                try:
                    shape = op.shape(*shapes, **attrs)
                except (ShapeError, ValueError):
                    continue
                with np.errstate(all="ignore"):
                    assert np.shape(op.numpy(*given, **attrs)) == tuple(shape), (shapes, attrs)


def test_windows_that_fit_just_once_are_one_and_those_that_do_not_fit_are_refused():
    x = np.arange(10, dtype=np.float32).reshape(2, 5)
    one = windows(as_node(x), 1, 3, stride=2, dilation=2)
    assert one.shape == (2, 1, 3)
    np.testing.assert_array_equal(Tensor(one).numpy(), x[:, None, ::2])
    for size, dilation in ((6, 1), (4, 2), (0, 1)):
        with pytest.raises(ShapeError, match="do not fit"):
            windows(as_node(x), 1, size, dilation=dilation)


def test_nodes_and_numbers_of_python_compute_what_numpy_does(cpu):
    x = np.array([0.5, 1.0, 2.5], np.float32)
    signs = (operator.add, operator.sub, operator.mul, operator.truediv)
    for number in (0.0, 1.0, 2.0, 3.0, 4.0, 0.5, -1.0, -2.5):  # some of them are shortcuts: x * 1 is x, x ** 2 is a product
        for sign in (*signs, operator.pow):
            with np.errstate(divide="ignore"):
                right = sign(x, np.float32(number))
            np.testing.assert_allclose(Tensor(sign(as_node(x), number)).numpy(), right, rtol=1e-6, err_msg=f"x {sign.__name__} {number}")
        for sign in signs:
            if sign is not operator.truediv:
                got = Tensor(sign(number, as_node(x))).numpy()
                np.testing.assert_allclose(got, sign(np.float32(number), x), rtol=1e-6, err_msg=f"{number} {sign.__name__} x")


@pytest.mark.parametrize("exponent", [-2, -1, -0.5, 0, 0.5, 1, 1.5, 2, 3, 4, 5])
def test_a_power_with_a_constant_exponent_is_the_power(cpu, exponent):
    x = np.array([0.5, 1.0, 3.0], np.float32)
    found = prims.pow_(as_node(x), prims.full((3,), exponent, "float32"))
    np.testing.assert_allclose(Tensor(found).numpy(), x**exponent, rtol=1e-6)
    assert (found.op is prims.POW) == (exponent in (-2, -0.5, 1.5, 5))  # the others are products, roots and quotients


def test_padding_by_nothing_is_nothing_and_by_one_is_something(cpu):
    x = as_node(np.ones((2, 2), np.float32))
    assert prims.pad(x, ((0, 0), (0, 0))) is x
    for widths in (((1, 0), (1, 0)), ((0, 1), (0, 1)), ((0, 0), (0, 1))):
        np.testing.assert_array_equal(Tensor(prims.pad(x, widths)).numpy(), np.pad(np.ones((2, 2)), widths))


def test_positions_in_a_picture_may_stand_still_but_not_go_back_or_begin_before_it():
    shape = lambda rows: OPS["resize_bilinear"].shape((1, 4, 5, 2), size=(3, 3), rows=rows, columns=(1, 0, 1))
    assert shape((0, 2, 1)) == shape((2, -3, 3)) == shape((1, -1, 1)) == (1, 3, 3, 2)
    for rows in ((-1, 3, 1), (1, -2, 1), (1, -4, 3), (1, 0, 0)):
        with pytest.raises(ShapeError, match="begin before -1"):
            shape(rows)


def test_words_hold_all_rows_and_columns_of_a_product():
    plain = {"n": 4, "bits": 8, "tb": False, "first": 0, "splits": 1, "exact": False}
    shape = lambda a, words, *parts, **attrs: OPS["packed_matmul"].shape(a, words, *parts, **plain | attrs)
    assert shape((2, 4), (6, 1), first=2) == (2, 4) == shape((2, 4), (4, 2), first=4, tb=True)
    wrong = [((2, 4), 5, {"first": 2}), ((2, 4), 4, {"first": 1, "tb": True}), ((2, 4), 4, {"n": 5}), ((3, 2, 4), 12, {})]
    for a, rows, attrs in wrong:
        with pytest.raises(ShapeError, match="do not hold"):
            shape(a, (rows, 1), **attrs)
    assert shape((2, 5), (9, 1), (3, 4), (3, 4), block=3, first=4) == (2, 4)
    for parts, block in [(((2, 4), (3, 4)), 3), (((3, 4),), 3), (((3, 5), (3, 5)), 3), ((), 3), (((3, 4), (3, 4)), 0)]:
        with pytest.raises(ShapeError, match="scales and zero points"):
            shape((2, 5), (9, 1), *parts, block=block, first=4)
