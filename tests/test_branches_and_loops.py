"""Branches and loops: inside programs as outside, differentiated, symbolic, and their errors. Values beside Keras' are goldens."""

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.compile.parts import Repeated, While
from pyml.errors import DtypeError, NotDifferentiable, ShapeError

pytestmark = pytest.mark.in_turn

BRANCHES = [lambda x: x + 1.0, lambda x: x * x, lambda x: ops.sin(x)]


def array(*values):
    return np.array(values, np.float32)


def kernels(fn, *args):
    """How many kernels a program of `fn` has."""
    program = pyml.program(fn)
    program(*args)
    return len(program.explain().splitlines())


# ---- branches
@pytest.mark.parametrize(("dtype", "wanted"), [("uint8", [200, 6]), ("int8", [-56, 6]), ("float16", [200, 6])])
def test_branches_and_functions_with_own_gradients_get_and_give_8_and_16_bits_as_in_keras(cpu, dtype, wanted):
    seen = []

    def twice(x):
        seen.append(x.dtype)
        return x + x

    def switched(i, x):
        return ops.switch(i, [lambda x: x, twice], x)

    def chosen(i, x):
        return ops.cond(i > 0, lambda: twice(x), lambda: x)

    x, one = ops.convert_to_tensor(np.array([100, 3], dtype)), ops.convert_to_tensor(1)
    own = ops.custom_gradient(lambda x: (twice(x), lambda upstream: upstream))
    for got in (switched(1, x), switched(one, x), chosen(one, x), pyml.program(switched)(one, x), pyml.program(chosen)(one, x), own(x)):
        assert got.dtype == dtype and got.tolist() == wanted
    assert set(seen) == {dtype}


@pytest.mark.parametrize("index", [-1, 0, 1, 2, 5])
def test_switch_in_a_program_takes_the_branch_that_the_device_names(device, index):
    chosen = pyml.program(lambda i, x: ops.switch(i, BRANCHES, x))
    got = chosen(np.array([index], np.int32), array(0.5, 2.0))
    np.testing.assert_allclose(got, BRANCHES[min(max(index, 0), 2)](array(0.5, 2.0)), rtol=1e-5)


def test_cond_in_a_program_gives_trees_and_assigns_as_the_branch_that_is_taken(device):
    count, other = pyml.Variable([0.0]), pyml.Variable([5.0])

    def yes(x):
        count.assign_add([1.0])
        return {"a": x, "b": [x * 2, None]}

    def no(x):
        other.assign(count * 10.0 + other)
        return {"a": -x, "b": [x * 3, None]}

    run = pyml.program(lambda x: ops.cond(ops.sum(x) > 0, lambda: yes(x), lambda: no(x)))
    assert run(array(1, 2))["b"][0].tolist() == [2, 4] and (count.numpy(), other.numpy()) == (1, 5)
    assert run(array(-1, 0))["a"].tolist() == [1, 0] and (count.numpy(), other.numpy()) == (1, 15)
    assert run(array(1, 2))["b"][1] is None


def test_the_branch_that_is_not_taken_has_no_part_in_gradients_not_even_nan(device):
    def root(x):
        return ops.cond(x > 0, lambda: ops.sqrt(x), lambda: x * 3.0)

    first, second = (pyml.program(g) for g in (pyml.grad(root), pyml.grad(pyml.grad(root))))
    assert [first(np.float32(x) * np.ones(1, np.float32)).item() for x in (0, 4)] == [3.0, 0.25]
    assert [second(np.float32(x) * np.ones(1, np.float32)).item() for x in (0, 1)] == [0.0, -0.25]


def test_the_gradient_of_cond_reaches_variables_that_a_branch_reads(device):
    w, b = pyml.Variable(array(2.0)), pyml.Variable(array(7.0))

    @pyml.program
    def gradients(x):
        with pyml.core.trace.differentiating():
            y = ops.cond(ops.sum(x) > 0, lambda: w * w * x, lambda: b * x)
            return pyml.core.gradients(ops.sum(y), [w, b])

    assert [g.item() for g in gradients(array(3.0))] == [12.0, 0.0]
    assert [g.item() for g in gradients(array(-3.0))] == [0.0, -3.0]


def test_cond_within_a_loop_differentiates(device):
    def total(x):
        return ops.sum(ops.map(lambda row: ops.cond(row > 0, lambda: ops.sqrt(row), lambda: row * 5.0), x))

    assert pyml.program(pyml.grad(total))(array(0.0, 4.0)).tolist() == [5.0, 0.25]


def test_outside_a_program_one_branch_runs():
    ran = []
    ops.cond(ops.convert_to_tensor(False), lambda: ran.append("yes"), lambda: ran.append("no"))
    ops.switch(1, [lambda: ran.append(0), lambda: ran.append(1)])
    assert ran == ["no", 1]


# ---- loops
def test_loops_in_a_program_do_not_have_more_kernels_for_more_steps():
    x = array(1, 2, 3)

    def repeated(steps):
        return lambda x: ops.fori_loop(0, steps, lambda i, v: ops.sin(v) + i, x)

    def counted(steps):
        return lambda x: ops.while_loop(lambda i, v: i < steps, lambda i, v: (i + 1, ops.sin(v)), (0, x))[1]

    def mapped(steps):
        return lambda x: ops.map(lambda row: ops.sum(row * x), ops.ones((steps, 3)))

    for make in (repeated, counted, mapped):
        for of in (lambda f: f, lambda f: pyml.grad(lambda x: ops.sum(f(x)))):
            assert kernels(of(make(5)), x) == kernels(of(make(50)), x)


def test_a_loop_whose_end_data_decides_runs_in_a_program_with_a_bound(device):
    def halved(x):
        return ops.while_loop(lambda v: ops.sum(v) > 1.0, lambda v: v * 0.5, x, maximum_iterations=20)

    run = pyml.program(halved)
    for start in (0.5, 6.0, 100.0):
        np.testing.assert_allclose(run(array(start)), halved(ops.convert_to_tensor(array(start))))
    assert pyml.program(pyml.grad(lambda x: ops.sum(halved(x))))(array(6.0)).tolist() == [0.125]


@pytest.mark.parametrize("most", [None, 5, 20, 300, 301])
def test_a_loop_in_a_program_ends_where_data_says_so_or_at_its_bound(device, most):
    run = pyml.program(lambda x: ops.while_loop(lambda n, v: ops.sum(v) > 1.0, lambda n, v: (n + 1, v * 0.5), (0, x), most))
    for start in (0.5, 6.0, 1e30):  # no step, three, a hundred
        n, v = run(array(start))
        steps = min(max(0, int(np.ceil(np.log2(start)))), most or 1000)
        assert (n.item(), v.item()) == (steps, np.float32(start) / 2**steps)


def test_the_most_steps_of_a_loop_may_be_a_tensor(device):
    def halved(x, most):
        return ops.while_loop(lambda v: v > 1.0, lambda v: v * 0.5, x, maximum_iterations=most)

    def counted(x, most):
        return ops.while_loop(lambda i, v: i < 9, lambda i, v: [i + 1, v * 0.5], [0, x], maximum_iterations=most)[1]

    given = ops.convert_to_tensor(np.array([2, 5], "int32"))
    inputs = pyml.Input(batch_shape=()), pyml.Input(batch_shape=(), dtype="int32")
    model = pyml.Model(inputs, halved(*inputs))
    for i, most in enumerate((2, 5)):
        for loop, start, after in ((halved, 16.0, 16.0 / 2 ** min(most, 4)), (counted, 1.0, 0.5**most)):
            for run in (loop, pyml.program(loop)):
                assert run(np.float32(start), given[i]).item() == after
        assert model([np.float32(16.0), np.int32(most)]).item() == 16.0 / 2 ** min(most, 4)
    for wrong in (given, ops.convert_to_tensor(2.0)):
        with pytest.raises(ValueError, match="maximum_iterations must be an integer"):
            halved(np.float32(3.0), wrong)


def test_steps_after_the_end_of_a_loop_do_not_run(device):
    run = pyml.program(lambda x: ops.while_loop(lambda v: v < 3.0, lambda v: v + 1.0, x, maximum_iterations=2**31 - 2))
    assert run(array(0.0)[0]).item() == 3.0  # all of them would take minutes at least


def test_a_loop_that_draws_until_a_number_suits_draws_others_in_every_run(device):
    seeds = pyml.random.SeedGenerator(3)
    run = pyml.program(lambda x: ops.while_loop(lambda v: v < 0.9, lambda v: pyml.random.uniform((), seed=seeds), x))
    found = {run(np.float32(0)).item() for _ in range(3)}
    assert len(found) == 3 and min(found) >= 0.9


def test_bounds_of_a_for_loop_may_be_computed_in_the_program(device):
    run = pyml.program(lambda x, n: ops.fori_loop(n - 3, n, lambda i, v: {"a": v["a"] + i}, {"a": x})["a"])
    assert run(array(1.0), np.int32(5)).tolist() == [10.0] and run(array(1.0), np.int32(7)).tolist() == [16.0]


def test_steps_may_hold_what_only_the_host_computes(device):
    rows = array(5.0, 0.25, 900.0)
    halved = pyml.program(lambda xs: ops.map(lambda x: ops.while_loop(lambda v: v > 1.0, lambda v: v * 0.5, x), xs))
    np.testing.assert_array_equal(halved(rows), [0.625, 0.25, 0.87890625])
    matrices = np.random.default_rng(0).normal(size=(3, 20, 20)).astype("float32")
    values = pyml.program(lambda xs: ops.map(lambda m: ops.svd(m, compute_uv=False), xs) * 2.0)
    np.testing.assert_allclose(values(matrices), 2 * np.linalg.svd(matrices, compute_uv=False), rtol=1e-4, atol=1e-5)


def test_a_loop_that_is_over_has_no_part_in_gradients_not_even_nan(device):
    def run(x):  # 1 / 0 in the steps after the end
        return ops.while_loop(lambda n, v: n > 0, lambda n, v: (n - 1.0, v / n), (ops.stop_gradient(x), x), maximum_iterations=6)[1]

    assert pyml.program(pyml.grad(lambda x: ops.sum(run(x))))(array(3.0)).item() == pytest.approx(1 / 6)


def test_gradients_go_through_loops_that_run_step_by_step(device):
    x = array(2.0, 3.0)
    grad = pyml.grad(lambda x: ops.sum(ops.while_loop(lambda v: ops.sum(v) < 100.0, lambda v: v * v, x)))
    np.testing.assert_allclose(grad(x), 8 * x**7 if (x**4).sum() < 100 else 4 * x**3, rtol=1e-5)


def test_loops_outside_programs_may_read_values_and_change_shapes():
    def grown(i, v):
        return ops.concatenate([v, [float(i)]])

    assert ops.fori_loop(0, 3, grown, ops.zeros(1)).tolist() == [0, 0, 1, 2]
    assert ops.while_loop(lambda v: len(v) < 4, lambda v: ops.concatenate([v, v]), ops.ones(1)).shape == (4,)
    assert ops.fori_loop(0, 4, lambda i, v: v + 1 if float(v) < 2 else v, 0.0).item() == 2


def test_a_number_as_the_first_carry_takes_the_dtype_of_the_steps():
    total, sums = ops.scan(lambda c, x: (c + x, c), 0, array(1, 2.5))
    assert (total.item(), sums.tolist()) == (3.5, [0.0, 1.0])
    assert ops.fori_loop(0, 3, lambda i, v: v + 0.5, 0).item() == 1.5
    assert ops.fori_loop(np.int64(0), pyml.Variable(3), lambda i, v: v + i, 0).item() == 3
    for bounds in ((0, 1.5), (0.0, 2), ("a", 2)):
        with pytest.raises(TypeError, match="fori_loop: lower and upper must be integers"):
            ops.fori_loop(*bounds, lambda i, v: v, 0)
    assert ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v / 2), (0, 4))[1].item() == 0.5


@pytest.mark.parametrize("inside", [False, True])
def test_steps_and_branches_may_write_the_keys_of_a_dict_in_another_order(cpu, inside):
    start = {"a": np.float32(0.0), "b": np.float32(5.0)}
    grown = lambda c: {"b": c["b"], "a": c["a"] + 1.0}
    for run, wanted in (
        (lambda: ops.scan(lambda c, _: (grown(c), None), start, length=3)[0], (3, 5)),
        (lambda: ops.while_loop(lambda c: c["a"] < 3.0, grown, start), (3, 5)),
        (lambda: ops.while_loop(lambda i, c: i < 3, lambda i, c: (i + 1, grown(c)), (0, start))[1], (3, 5)),
        (lambda: ops.fori_loop(0, 3, lambda i, c: grown(c), start), (3, 5)),
        (lambda: ops.fori_loop(0, 3, lambda i, c: grown(c), {"a": 0, "b": 5.0}), (3, 5)),
        (lambda: ops.cond(ops.sum(array(1, 2)) < 0, lambda: start, lambda: grown(start)), (1, 5)),
        (lambda: ops.switch(ops.argmax(array(1, 2)), [lambda: start, lambda: grown(start)]), (1, 5)),
        (lambda: {k: v[-1] for k, v in ops.associative_scan(
            lambda p, q: {"b": p["b"] * q["b"], "a": p["a"] + q["a"]}, {"a": array(1, 2, 3), "b": array(1, 2, 4)}).items()}, (6, 8)),
    ):  # fmt: skip
        found = (pyml.program(run) if inside else run)()
        assert (float(found["a"]), float(found["b"])) == wanted
    with pytest.raises(ValueError, match=r"scan: expected a dict with the keys 'a', 'b'.*'a', 'c'"):
        ops.scan(lambda c, _: ({"a": c["a"], "c": c["b"]}, None), start, length=3)
    with pytest.raises(ValueError, match="scan: the carry is nested differently after a step"):
        ops.scan(lambda c, _: ((c[0][0], (c[0][1], c[1])), None), ((0.0, 1.0), 2.0), length=3)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(("loop", "error", "words"), [
    (lambda x: ops.scan(lambda c, row: c + row, ops.zeros(()), x), TypeError, "scan: f must return two values.*Received: Tensor"),
    (lambda x: ops.scan(lambda c, row: None, ops.zeros(()), x), TypeError, "scan: f must return two values.*Received: NoneType"),
    (lambda x: ops.scan(lambda c, row: (c, row, row), ops.zeros(()), x, unroll=True), TypeError, "two values.*Received: 3 values"),
    (lambda x: ops.while_loop(lambda i, s: i < 3, lambda i, s: i + 1, (0, x)), TypeError, "values as loop_vars has, 2. Received: 1"),
    (lambda x: ops.while_loop(lambda s: ops.sum(s) < 9, lambda s: None, x), TypeError, "values as loop_vars has, 1. Received: None"),
    (lambda x: ops.while_loop(lambda s: s < 9, lambda s: s + 1, x), ShapeError, r"what cond returns must be a scalar.*\(3,\)"),
    (lambda x: ops.fori_loop(0, 3, lambda i, s: None, x), TypeError, "fori_loop: body_fun must return the next value. Received: None"),
    (lambda x: ops.map(lambda rows: rows[0] + rows[1], (x, x[:2])), ShapeError, r"^map: xs has shapes \(3,\), \(2,\); expected one number"),
    (lambda x: pyml.program(lambda x: ops.fori_loop(0, 3, lambda i, s: ops.concatenate([s, s]), x))(x), ShapeError,
     r"^fori_loop: value 0 has shape \(3,\) before a step and \(6,\) after it"),
], ids=["no pair", "nothing", "three", "too few", "no values", "several conditions", "no value", "other rows", "grown"])  # fmt: skip
def test_what_steps_and_conditions_have_to_return_is_said(cpu, loop, error, words, inside):
    with pytest.raises(error, match=words):
        (pyml.program(loop) if inside else loop)(ops.ones((3,)))


def test_loops_of_no_steps_give_what_they_began_with():
    assert ops.fori_loop(3, 3, lambda i, v: v * 2, array(1.0)).tolist() == [1.0]
    assert ops.while_loop(lambda i: i < 0, lambda i: i + 1, 5).item() == 5
    assert ops.map(lambda x: x * 2, np.zeros((0, 3), np.float32)).shape == (0, 3)
    assert ops.vectorized_map(lambda x: x * 2, np.zeros((0, 3), np.float32)).shape == (0, 3)
    assert ops.associative_scan(lambda a, b: a + b, np.zeros((0, 3), np.float32)).shape == (0, 3)


# What Keras on PyTorch gives for [100, 3, 7] of uint8, int8, float16 and bfloat16, and the dtype that integers become, if another.
LOOPS_OF_FEW_BITS = {
    "scan": (lambda x: ops.scan(lambda c, r: (c + r, c * r), x[0], x)[1], None,
             ([16, 88, 141], [16, 88, -115], [10000, 600, 1421], [9984, 600, 1424])),
    "scan whose first step changes the dtype": (
        lambda x: ops.scan(lambda c, r: (ops.add(c, r), c), x, np.array([[1] * 3, [5] * 3]))[0], "int32", ([106, 9, 13],) * 4),
    "scan from the end whose first step changes the dtype": (
        lambda x: ops.scan(lambda c, r: (ops.multiply(c, 1.5), c), x, x, reverse=True)[1][:, 0], "float32", ([225, 150, 100],) * 4),
    "fori_loop": (lambda x: ops.fori_loop(1, 4, lambda i, v: v * i + 1, x), None,
                  ([98, 28, 52], [98, 28, 52], [610, 28, 52], [608, 28, 52])),
    "fori_loop of halves": (lambda x: ops.fori_loop(0, 3, lambda i, v: v + i * 0.5, x), "float32", ([101.5, 4.5, 8.5],) * 4),
    "fori_loop from a number": (lambda x: ops.fori_loop(0, 3, lambda i, v: v + x[i], 0), None, (110,) * 4),
    "fori_loop with a number": (lambda x: ops.fori_loop(0, 3, lambda i, v: (v[0] + 1, v[1] * v[0]), (1, x))[1], None,
                                ([88, 18, 42], [88, 18, 42], [600, 18, 42], [600, 18, 42])),
    "while_loop": (lambda x: ops.while_loop(lambda i, v: i < 3, lambda i, v: (i + 1, v + v), (0, x))[1], None,
                   ([32, 24, 56], [32, 24, 56], [800, 24, 56], [800, 24, 56])),
    "while_loop until data says so": (
        lambda x: ops.while_loop(lambda v: ops.max(v) < 120, lambda v: v + v[1], x, maximum_iterations=30), None, ([121, 24, 28],) * 4),
    "while_loop until data says so whose first step changes the dtype": (
        lambda x: ops.while_loop(lambda v: ops.max(v) < 120, lambda v: ops.multiply(v, 1.5), x, maximum_iterations=30), "float32",
        ([150, 4.5, 10.5],) * 4),
    "map": (lambda x: ops.map(lambda r: r * 2 + 1, x), None, ([201, 7, 15], [-55, 7, 15], [201, 7, 15], [201, 7, 15])),
    "vectorized_map": (lambda x: ops.vectorized_map(lambda r: r * r, x), None,
                       ([16, 9, 49], [16, 9, 49], [10000, 9, 49], [9984, 9, 49])),
    "vectorize": (lambda x: ops.vectorize(lambda a, b: a * b)(x, x), None, ([16, 9, 49], [16, 9, 49], [10000, 9, 49], [9984, 9, 49])),
    "associative_scan": (lambda x: ops.associative_scan(lambda a, b: a * b, x), None,
                         ([100, 44, 52], [100, 44, 52], [100, 300, 2100], [100, 300, 2096])),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOPS_OF_FEW_BITS)
def test_loops_get_and_give_8_and_16_bits_as_in_keras(device, name):
    run, integers_become, wanted = LOOPS_OF_FEW_BITS[name]
    for dtype, values in zip(("uint8", "int8", "float16", "bfloat16"), wanted, strict=True):
        x = ops.cast(np.array([100, 3, 7]), dtype)
        for got in (run(x), pyml.program(run)(x)):
            assert got.dtype == (integers_become if integers_become and "int" in dtype else dtype)
            assert got.tolist() == values


def test_gradients_of_loops_of_16_bits_are_those_of_the_steps_written_out(device):
    def looped(x, w):
        return ops.sum(ops.fori_loop(0, 3, lambda i, v: ops.tanh(v * w + i), x))

    def written_out(x, w):
        return ops.sum(ops.tanh(ops.tanh(ops.tanh(x * w) * w + 1) * w + 2))

    x, w = (ops.cast(array(*v), "float16") for v in ((0.5, -1.25), (0.75, 0.3)))
    wanted = pyml.grad(written_out, argnums=(0, 1))(x, w)
    for grads in (pyml.grad(looped, argnums=(0, 1)), pyml.program(pyml.grad(looped, argnums=(0, 1)))):
        for got, expected in zip(grads(x, w), wanted, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-3)


# ---- all rows at once
def test_vectorized_map_has_no_loop_where_all_ops_take_one_axis_more(device):
    x, w = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32), np.ones((4, 2), np.float32)

    def row(m):
        joined = ops.concatenate([m @ w, m[:, :1]], axis=1)
        return ops.softmax(ops.transpose(m) @ m, axis=-1), ops.sum(joined, axis=0), ops.argmax(m, axis=1)

    run = pyml.program(lambda x: ops.vectorized_map(row, x))
    got = run(x)
    assert " x 5" not in run.explain()
    for k, part in enumerate(got):
        np.testing.assert_allclose(part, np.stack([np.asarray(row(ops.convert_to_tensor(m))[k]) for m in x]), rtol=1e-5)


def test_vectorized_map_is_a_loop_where_an_op_has_no_such_form(device):
    table = ops.convert_to_tensor(array(10, 20, 30))
    run = pyml.program(lambda i: ops.vectorized_map(lambda j: ops.take(table, j), i))
    assert run(np.array([2, 0], np.int32)).tolist() == [30, 10]
    assert ops.vectorized_map(lambda x: ops.cond(x > 0, lambda: x, lambda: -x), array(1, -2)).tolist() == [1, 2]


def test_gradients_go_through_vectorized_map_and_associative_scan(device):
    x = array(1.0, 2.0, 3.0)
    assert pyml.grad(lambda x: ops.sum(ops.vectorized_map(lambda v: v * v * v, x)))(x).tolist() == [3.0, 12.0, 27.0]
    products = pyml.grad(lambda x: ops.sum(ops.associative_scan(lambda a, b: a * b, x)))
    np.testing.assert_allclose(products(x), [1 + 2 + 6, 1 + 3, 2], rtol=1e-5)


def test_associative_scan_keeps_integers_and_pairs(device):
    assert ops.associative_scan(lambda a, b: a + b, np.arange(7), reverse=True).tolist() == [21, 21, 20, 18, 15, 11, 6]
    count, last = ops.associative_scan(lambda a, b: (a[0] + b[0], b[1]), (np.ones(4, np.int32), array(5, 6, 7, 8)))
    assert (count.tolist(), last.tolist()) == ([1, 2, 3, 4], [5, 6, 7, 8])


@pytest.mark.parametrize(("signature", "shapes"), [
    (None, [(3, 1), (4,)]), ("(n),(n)->()", [(2, 1, 3), (5, 3)]), ("(m,n),(n)->(m)", [(2, 3), (4, 3)]), ("(n),(n)->(n)", [(3,), (3,)]),
])  # fmt: skip
def test_vectorize_broadcasts_as_numpy_does(device, signature, shapes):
    arrays = [np.random.default_rng(i).normal(size=s).astype(np.float32) for i, s in enumerate(shapes)]
    functions = {None: lambda a, b: a * b, "(n),(n)->()": lambda a, b: (a * b).sum(), "(m,n),(n)->(m)": lambda a, b: (a * b).sum(axis=-1),
                 "(n),(n)->(n)": lambda a, b: a - b}  # fmt: skip
    f = functions[signature]
    np.testing.assert_allclose(ops.vectorize(f, signature=signature)(*arrays), np.vectorize(f, signature=signature)(*arrays), rtol=1e-4)


def test_vectorize_hands_on_what_is_excluded():
    power = ops.vectorize(lambda x, n, scale=1.0: sum(x * scale for _ in range(n)), excluded={1, "scale"})
    assert power(array(1, 2), 3, scale=2.0).tolist() == [6, 12]
    with pytest.raises(ValueError, match="signature must be like"):
        ops.vectorize(lambda x: x, signature="n->n")
    with pytest.raises(ValueError, match="axis n is 2 in one array and 3"):
        ops.vectorize(lambda a, b: a, signature="(n),(n)->(n)")(np.zeros(2), np.zeros(3))


# ---- symbolic tensors
def test_symbolic_tensors_go_through_branches_and_loops():
    x = pyml.Input((3,))
    outputs = [
        ops.map(lambda row: row * 2.0, x),
        ops.scan(lambda c, row: (c + row, c), np.zeros(3, np.float32), x)[1],
        ops.while_loop(lambda v: ops.sum(v) < 50.0, lambda v: v * 2.0, x),
        ops.fori_loop(0, 3, lambda i, v: v + i, x),
        ops.vectorized_map(lambda row: ops.sum(row), x),
        ops.cond(ops.sum(x) > 0, lambda: x + 1.0, lambda: x - 1.0),
        ops.switch(1, BRANCHES, x),
        ops.jvp(lambda v: v * v, (x,), (x,))[1],
        pyml.ops.custom_gradient(lambda v: (v * 3.0, lambda g: g))(x),
        ops.vectorize(lambda v: v * v)(x),
    ]
    assert [o.shape for o in outputs] == [(None, 3)] * 4 + [(None,)] + [(None, 3)] * 5
    model = pyml.Model(x, outputs)
    data = np.arange(6, dtype=np.float32).reshape(2, 3)
    got = [o.numpy() for o in model(data)]
    sums = np.stack([np.zeros(3), data[0]])
    wanted = [data * 2, sums, data * 4, data + 3, data.sum(1), data + 1, data**2, 2 * data**2, data * 3, data**2]
    for g, w in zip(got, wanted, strict=True):
        np.testing.assert_allclose(g, w)


# ---- errors
@pytest.mark.parametrize(("error", "words", "run"), [
    (ValueError, "the same structure", lambda x: ops.cond(x[0] > 0, lambda: x, lambda: (x, x))),
    (ShapeError, r"the same shape.*\(2,\) and \(4,\)", lambda x: ops.cond(x[0] > 0, lambda: x, lambda: ops.concatenate([x, x]))),
    (DtypeError, "float32 and int32", lambda x: ops.cond(x[0] > 0, lambda: x, lambda: ops.cast(x, "int32"))),
    (ShapeError, "pred must be a scalar", lambda x: ops.cond(x > 0, lambda: x, lambda: x)),
    (NotDifferentiable, "give maximum_iterations",
     lambda x: pyml.grad(lambda x: ops.sum(ops.while_loop(lambda v: ops.sum(v) < 9, lambda v: v * 2, x)))(x)),
    (ShapeError, "value 0 has shape", lambda x: ops.fori_loop(0, 3, lambda i, v: ops.concatenate([v, v]), x)),
    (TypeError, "true_fn must be a function", lambda x: ops.cond(x[0] > 0, x, lambda: x)),
    (TypeError, "body must be a function", lambda x: ops.while_loop(lambda v: v, None, x)),
    (TypeError, "f must be a function", lambda x: ops.map(3, x)),
    (TypeError, "f must be a function", lambda x: ops.associative_scan(3, x)),
    (ShapeError, "the same length", lambda x: ops.vectorized_map(lambda v: v, (x, ops.zeros(3)))),
    (ShapeError, "the same size along axis 0", lambda x: ops.associative_scan(lambda a, b: a, (x, ops.zeros(3)))),
    (ValueError, "give xs or length", lambda x: ops.scan(lambda c, v: (c, v), x)),
    (ValueError, "unroll must be", lambda x: ops.scan(lambda c, v: (c, v), x, x, unroll=0)),
    (ValueError, "branches must be", lambda x: ops.switch(0, [], x)),
])  # fmt: skip
def test_errors_say_what_was_expected(error, words, run):
    with pytest.raises(error, match=words):
        pyml.program(run)(array(1.0, 2.0))


# ---- gradients of one's own
def test_custom_gradient_takes_both_forms_of_gradient_functions(device):
    def keras(x):
        e = ops.exp(x)

        def grad(*args, upstream=None):
            if upstream is None:
                (upstream,) = args
            return ops.multiply(upstream, 1.0 - 1.0 / ops.add(1, e))

        return ops.log(1 + e), grad

    def torch(x, y):
        return x * y, lambda x, y, upstream: (upstream * y * 10, upstream * x)

    assert pyml.grad(lambda x: ops.sum(ops.custom_gradient(keras)(x)))(array(100.0)).tolist() == [1.0]
    grads = pyml.grad(lambda x, y: ops.sum(ops.custom_gradient(torch)(x, y)), argnums=(0, 1))(array(2.0), array(3.0))
    assert [g.item() for g in grads] == [30.0, 2.0]


def test_custom_gradient_of_several_results_gets_a_gradient_for_each(device):
    @ops.custom_gradient
    def both(x, y):
        return (x * 2.0, {"sum": x + y}), lambda a, b: (a * 100.0 + b["sum"], None)

    def loss(x, y):
        first, second = both(x, y)
        return ops.sum(first * 3.0) + ops.sum(second["sum"])

    grads = pyml.grad(loss, argnums=(0, 1))(array(1.0), array(1.0))
    assert [g.item() for g in grads] == [301.0, 0.0]


def test_custom_gradient_works_in_the_step_of_a_loop_and_differentiates_again(device):
    @ops.custom_gradient
    def tenfold(x):
        e = ops.exp(x)
        return e, lambda g: g * e * 10.0

    def total(x):
        return ops.sum(ops.map(tenfold, x))

    assert pyml.grad(total)(array(0, 0)).tolist() == [10, 10]
    assert pyml.grad(lambda x: ops.sum(pyml.grad(total)(x)))(array(0, 0)).tolist() == [10, 10]  # of exp, which the gradient is made of


def test_custom_gradient_refuses_what_is_no_gradient():
    with pytest.raises(TypeError, match="must return its value and a function"):
        pyml.custom_gradient(lambda x: x)(array(1.0))
    with pytest.raises(ShapeError, match=r"gradient of shape \(2,\) for tensor 0, of shape \(1,\)"):
        pyml.grad(lambda x: ops.sum(pyml.custom_gradient(lambda x: (x, lambda g: ops.ones(2)))(x)))(array(1.0))


@pytest.mark.parametrize("most", [1, 2, 7, 16, 17, 129, 130, 131, 200, 263, 300, 301])
def test_a_loop_that_goes_on_takes_as_many_steps_as_it_may(device, most):
    """However often the host looks whether it has ended, and whatever is left over then."""
    program = pyml.program(lambda x: ops.while_loop(lambda i, s: i >= 0, lambda i, s: (i + 1, s + x), (0, ops.zeros(())), most))
    count, total = program(np.float32(2))
    assert (int(count), float(total)) == (most, 2.0 * most)


@pytest.mark.parametrize("most", [1, 2, 3, 7, 8, 50, 10**9])
def test_at_most_half_of_the_rounds_of_a_loop_are_too_many_and_the_host_looks_seldom(most):
    for needed in range(1, min(most, 70) + 1):

        class Device:
            rounds = looks = 0

            def replay(self, recorded):
                self.rounds += 1

            def read(self, buffer, nbytes):
                self.looks += 1

            def sync_wait(self, read):
                return [self.rounds < needed]  # noqa: B023

        device = Device()
        Repeated(None, While((), most, None, True)).run(device)
        assert needed <= device.rounds <= min(most, 2 * needed - 1)
        assert device.looks <= needed.bit_length()
