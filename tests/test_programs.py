"""Record and replay: the traps other libraries fall into, one by one, and replay against re-tracing."""

from __future__ import annotations

import gc
import warnings

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.errors import DtypeError, NotDifferentiable, ShapeError, TraceError


@pyml.program
def doubled(x):
    return x * 2


def test_results_kept_by_the_caller_survive_the_next_call(device):
    first = doubled(np.array([1.0, 2.0], np.float32))
    second = doubled(np.array([5.0, 6.0], np.float32))
    np.testing.assert_array_equal(first.numpy(), [2, 4])
    np.testing.assert_array_equal(second.numpy(), [10, 12])


def test_a_tensor_of_a_trace_that_has_ended_is_refused_wherever_it_is_used(cpu):
    """In another program it was taken for the argument, or for the Variable, of the same number there: wrong numbers in silence."""
    kept, x = [], np.full(3, 5, np.float32)
    added, other = pyml.Variable(np.full(3, 7, np.float32)), pyml.Variable(np.full(3, 9, np.float32))

    @pyml.program
    def first(a):
        kept.append(a + added)
        return a

    first(x)
    dead = kept[0]
    uses = [dead.numpy, lambda: float(ops.sum(dead)), lambda: pyml.program(lambda a: a * 0 + other * 0 + dead)(x),
            lambda: pyml.program(lambda a: dead + a)(x), lambda: pyml.program(lambda: dead)(), lambda: first(dead),
            lambda: ops.fori_loop(0, 2, lambda i, h: h + dead, x).numpy(), lambda: pyml.Variable(x).assign(dead).numpy()]  # fmt: skip
    for use in uses:
        with pytest.raises(TraceError, match="used after that, when it has no value"):
            use()
    np.testing.assert_array_equal(first(x).numpy(), x)


def test_an_output_fed_back_in_is_not_overwritten(device):
    x = doubled(np.ones(3, np.float32))
    for _ in range(3):
        x = doubled(x)
    np.testing.assert_array_equal(x.numpy(), [16, 16, 16])


def test_the_same_tensor_passed_twice(device):
    add = pyml.program(lambda a, b: a + b * 10)
    t = pyml.convert_to_tensor(np.ones(4, np.float32))
    np.testing.assert_array_equal(add(t, t).numpy(), np.full(4, 11))
    other = t + 1
    np.testing.assert_array_equal(add(t, other).numpy(), np.full(4, 21))
    np.testing.assert_array_equal(add(other, other).numpy(), np.full(4, 22))


def test_python_numbers_are_part_of_the_key(device):
    scale = pyml.program(lambda x, k: x * k)
    x = np.ones(2, np.float32)
    assert [scale(x, k).numpy()[0] for k in (1.0, 2.0, -1, -2, True)] == [1, 2, -1, -2, 1]


def test_many_traces_warn_and_name_the_cure(device):
    scale = pyml.program(lambda x, k: x * k, name="scale")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        for k in range(10):
            scale(np.ones(2, np.float32), float(k))
    assert len(seen) == 1 and "scale" in str(seen[0].message) and "Variable" in str(seen[0].message)


def test_methods_of_two_instances_do_not_share_a_capture(device):
    class Scaler:
        def __init__(self, k):
            self.k = pyml.Variable(k)

        @pyml.program
        def __call__(self, x):
            return x * self.k

    a, b = Scaler(2.0), Scaler(3.0)
    x = np.ones(2, np.float32)
    assert a(x).numpy()[0] == 2 and b(x).numpy()[0] == 3 and a(x).numpy()[0] == 2


def test_variables_of_the_closure_are_read_by_buffer(device):
    w = pyml.Variable(np.ones(3, np.float32))
    f = pyml.program(lambda x: x * w)
    x = np.ones(3, np.float32)
    assert f(x).numpy()[0] == 1
    w.assign(np.full(3, 7, np.float32))
    assert f(x).numpy()[0] == 7


def test_reading_a_value_while_tracing_names_the_line(device):
    def item(x):
        return x * float(x.sum())

    def branch(x):
        return x if x.sum() > 0 else -x

    for fn in (item, branch):
        with pytest.raises(TraceError, match=r"test_programs\.py, line \d+"):
            pyml.program(fn)(np.ones(2, np.float32))


def test_inner_programs_inline(device):
    outer = pyml.program(lambda x: doubled(x) + 1)
    np.testing.assert_array_equal(outer(np.ones(2, np.float32)).numpy(), [3, 3])


def test_variables_are_written_in_place_without_copies(device):
    w = pyml.Variable(np.zeros(5, np.float32))

    @pyml.program
    def step(x):
        w.assign_add(x)
        return w.sum()

    assert [float(step(np.ones(5, np.float32))) for _ in range(3)] == [5, 10, 15]
    assert step.last_plan.copies == []


def test_a_value_taken_before_a_step_stays_old(device):
    w = pyml.Variable(np.zeros(3, np.float32))

    @pyml.program
    def step():
        w.assign(w + 1)

    step()
    old = w.value
    pending = old * 10
    step()
    np.testing.assert_array_equal(old.numpy(), [1, 1, 1])
    np.testing.assert_array_equal(pending.numpy(), [10, 10, 10])
    np.testing.assert_array_equal(w.numpy(), [2, 2, 2])


def test_swapping_two_variables(device):
    a, b = pyml.Variable([1.0, 2.0]), pyml.Variable([3.0, 4.0])

    @pyml.program
    def swap():
        x, y = a.value, b.value
        a.assign(y)
        b.assign(x)

    swap()
    np.testing.assert_array_equal(a.numpy(), [3, 4])
    np.testing.assert_array_equal(b.numpy(), [1, 2])
    swap()
    np.testing.assert_array_equal(a.numpy(), [1, 2])


def test_a_variable_that_feeds_a_reversed_copy_of_itself(device):
    a = pyml.Variable(np.arange(6, dtype=np.float32))

    @pyml.program
    def turn():
        a.assign(a.value[::-1])

    turn()
    np.testing.assert_array_equal(a.numpy(), np.arange(6)[::-1])


@pytest.mark.every_device
@pytest.mark.parametrize("formula", [
    lambda a: (a * 2)[::-1] + 1, lambda a: (a * 2)[::-1] + a, lambda a: ops.transpose(a * 2) - a, lambda a: ops.roll(a * a, 1, axis=0),
    lambda a: ops.tanh(a[:1] * 2) + a, lambda a: a * 2 - ops.sum(a * 3, axis=0), lambda a: ops.sum((a * 2)[::-1], axis=0) + a * 0,
])  # fmt: skip
def test_a_variable_that_feeds_what_is_computed_of_it_at_other_places(device, formula):
    """Written where it lies, it would give some places its new value."""
    start = np.arange(16, dtype=np.float32).reshape(4, 4) / 8
    a = pyml.Variable(start)
    step = pyml.program(lambda: a.assign(formula(a.value)))
    step()
    np.testing.assert_allclose(a.numpy(), formula(pyml.convert_to_tensor(start)).numpy(), rtol=1e-5, atol=1e-6)


def test_a_variable_whose_sum_reads_all_of_it_for_each_of_its_elements(device):
    x = np.random.default_rng(0).uniform(-1, 1, (16, 16)).astype(np.float32)
    start = np.arange(16, dtype=np.float32)
    v = pyml.Variable(start)
    pyml.program(lambda: v.assign(ops.sum(x * (v * 2), axis=1) + v))()
    np.testing.assert_allclose(v.numpy(), (x * (start * 2)).sum(1) + start, rtol=1e-4, atol=1e-4)


def test_variables_that_are_made_of_each_other_and_of_a_sum(device):
    a, b, c = (pyml.Variable(np.array(x, np.float32)) for x in ([1, 2], [3, 4], [5, 6]))

    @pyml.program
    def turn(x):
        total = ops.sum(ops.square(x), axis=0)
        old = a.value, b.value, c.value
        a.assign(old[1] * total)
        b.assign(old[2] + total)
        c.assign(old[0] - total)

    turn(np.array([[1, 1], [2, 1], [1, 0]], np.float32))       # sums of 6 and 2
    for variable, expected in ((a, [18, 8]), (b, [11, 8]), (c, [-5, 0])):
        np.testing.assert_allclose(variable.numpy(), expected)


def test_one_value_assigned_to_two_variables_and_returned(device):
    a, b = pyml.Variable(np.zeros(2, np.float32)), pyml.Variable(np.zeros(2, np.float32))

    @pyml.program
    def both(x):
        y = x * 3
        a.assign(y)
        b.assign(y)
        return y

    out = both(np.ones(2, np.float32))
    both(np.full(2, 5, np.float32))
    np.testing.assert_array_equal(out.numpy(), [3, 3])
    np.testing.assert_array_equal(a.numpy(), [15, 15])
    np.testing.assert_array_equal(b.numpy(), [15, 15])


def test_random_numbers_differ_on_every_replay_and_repeat_with_the_seed(device):
    def draws():
        gen = pyml.random.SeedGenerator(5)
        f = pyml.program(lambda: pyml.random.uniform((4,), seed=gen))
        return [f().numpy() for _ in range(3)]

    first, second = draws(), draws()
    assert not np.array_equal(first[0], first[1]) and not np.array_equal(first[1], first[2])
    np.testing.assert_array_equal(first, second)


def test_nested_arguments_and_results(device):
    f = pyml.program(lambda d, pair: {"sum": d["a"] + pair[0], "both": (pair[1], d["a"])})
    one = np.ones(2, np.float32)
    out = f({"a": one}, (one * 2, one * 3))
    np.testing.assert_array_equal(out["sum"].numpy(), [3, 3])
    np.testing.assert_array_equal(out["both"][0].numpy(), [3, 3])


def test_replayed_steps_equal_traced_steps(device):
    def run():
        rng = np.random.default_rng(0)
        w = pyml.Variable(rng.normal(size=(6, 3)).astype(np.float32))
        m = pyml.Variable(np.zeros((6, 3), np.float32))
        gen = pyml.random.SeedGenerator(1)

        @pyml.program
        def step(x):
            h = pyml.random.dropout(x, 0.3, seed=gen)
            loss = ops.mean(ops.square(ops.sum(ops.expand_dims(h, 2) * w, axis=1) - 1))
            (g,) = pyml.core.gradients(loss, [w])
            m.assign(m * 0.9 + g)
            w.assign_sub(0.1 * m)
            return loss

        return [float(step(rng.normal(size=(4, 6)).astype(np.float32))) for _ in range(4)], w.numpy(), m.numpy()

    replayed = run()
    with pyml.config.without_replay():
        traced = run()
    np.testing.assert_allclose(replayed[0], traced[0], rtol=1e-5)
    np.testing.assert_allclose(replayed[1], traced[1], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(replayed[2], traced[2], rtol=1e-5, atol=1e-6)


def test_buffers_return_when_results_die(gpu):
    f = pyml.program(lambda x: ops.exp(x) + 1)
    x = np.ones(1000, np.float32)
    for _ in range(5):
        f(x).numpy()
        (pyml.convert_to_tensor(x) * 2).numpy()
    gc.collect()
    before = gpu.usage.live
    for _ in range(200):
        f(x).numpy()
        (pyml.convert_to_tensor(x) * 2).numpy()
    gc.collect()
    assert gpu.usage.live == before


def test_a_long_eager_loop_flushes_by_itself(device):
    t = pyml.convert_to_tensor(np.zeros(3, np.float32))
    for _ in range(2000):
        t = t + 1
    np.testing.assert_array_equal(t.numpy(), [2000] * 3)


def test_an_eager_loop_over_changing_numbers_compiles_one_kernel(gpu):
    t = pyml.convert_to_tensor(np.ones(8, np.float32))
    (t * 0.3 + 0.7).numpy()
    before = list(gpu._pipelines.recent)
    for k in range(3, 40):
        (t * (k + 0.3) + (k + 0.7)).numpy()
    assert list(gpu._pipelines.recent) == before


# ---- gradients
def test_gradients_over_nested_arguments_with_zeros_for_unused(device):
    def loss(params, x):
        return ops.sum(ops.tanh(x * params["w"])), {"aux": params["w"]}

    params = {"w": np.array([0.5, -1.0], np.float32), "unused": np.ones((2, 2), np.float32)}
    (value, aux), g = pyml.value_and_grad(loss, has_aux=True)(params, np.array([1.0, 2.0], np.float32))
    x, w = np.array([1.0, 2.0]), params["w"]
    np.testing.assert_allclose(g["w"].numpy(), x * (1 - np.tanh(x * w) ** 2), rtol=1e-4)
    np.testing.assert_array_equal(g["unused"].numpy(), np.zeros((2, 2)))
    np.testing.assert_allclose(float(value), np.tanh(x * w).sum(), rtol=1e-5)
    assert "aux" in aux


def test_argnums_and_the_same_array_twice(device):
    x = np.array([2.0, 3.0], np.float32)
    ga, gb = pyml.grad(lambda a, b: ops.sum(a * a * b), argnums=(0, 1))(x, x)
    np.testing.assert_allclose(ga.numpy(), 2 * x * x)
    np.testing.assert_allclose(gb.numpy(), x * x)


def test_a_gradient_of_a_gradient(device):
    x = np.array([0.3, -0.7, 1.1], np.float32)
    second = pyml.grad(lambda v: ops.sum(pyml.grad(lambda u: ops.sum(ops.exp(u) * u))(v)))(x)
    np.testing.assert_allclose(second.numpy(), np.exp(x) * (x + 2), rtol=1e-4)


def test_values_read_while_differentiating_do_not_cut_the_graph(device):
    def f(x):
        y = x * x
        y.numpy()
        return ops.sum(y * x)

    np.testing.assert_allclose(pyml.grad(f)(np.array([2.0], np.float32)).numpy(), [12.0], rtol=1e-5)


def test_custom_gradient(device):
    @pyml.custom_gradient
    def clipped(x):
        return x * 1.0, lambda up: ops.clip(up, -1.0, 1.0)

    g = pyml.grad(lambda x: ops.sum(clipped(x) * np.array([5.0, 0.5], np.float32)))(np.ones(2, np.float32))
    np.testing.assert_allclose(g.numpy(), [1.0, 0.5])


def test_stop_gradient(device):
    g = pyml.grad(lambda x: ops.sum(pyml.stop_gradient(x) * x))(np.array([3.0], np.float32))
    np.testing.assert_allclose(g.numpy(), [3.0])


def test_gradient_errors_say_what_is_wrong():
    with pytest.raises(ShapeError, match="scalar"):
        pyml.grad(lambda x: x * 2)(np.ones(3, np.float32))
    with pytest.raises(NotDifferentiable, match="int32"):
        pyml.grad(lambda x: ops.sum(x))(np.ones(3, np.int32))


# ---- bad input
@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda a: a + np.ones(5, np.float32), ShapeError, ["(3, 4)", "(5,)"]),
        (lambda a: ops.matmul(a, np.ones((3, 4), np.float32)), ShapeError, ["(3, 4)", "4 != 3"]),
        (lambda a: ops.reshape(a, (5, 2)), ShapeError, ["(3, 4)", "(5, 2)"]),
        (lambda a: ops.sum(a, axis=2), ShapeError, ["axis 2", "2 dimensions"]),
        (lambda a: ops.transpose(a, (0, 0)), ShapeError, ["(0, 0)"]),
        (lambda a: ops.concatenate([a, np.ones((2, 5), np.float32)]), ShapeError, ["(3, 4)", "(2, 5)"]),
        (lambda a: ops.cast(a, "float8"), DtypeError, ["float8"]),
        (lambda a: ops.convert_to_tensor(np.array(["x"])), DtypeError, ["numbers"]),
        (lambda a: ops.convert_to_tensor(np.array([2**40])), DtypeError, ["int32"]),
        (lambda a: a[7], IndexError, ["7", "3"]),
    ],
)
def test_bad_input_raises_before_any_dispatch(device, call, error, words):
    a = pyml.convert_to_tensor(np.ones((3, 4), np.float32))
    with pytest.raises(error) as caught:
        call(a)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 4)])
def test_empty_tensors(device, shape):
    t = pyml.convert_to_tensor(np.zeros(shape, np.float32))
    assert (t * 2 + 1).numpy().shape == shape
    assert float(ops.sum(t)) == 0
    assert ops.sum(t, axis=0).numpy().shape == shape[1:]
    assert ops.concatenate([t, t], axis=0).numpy().shape == (shape[0] * 2, *shape[1:])
    with pytest.raises(ShapeError, match="no elements"):
        ops.max(t)


def test_arrays_larger_than_a_binding_say_so_with_the_sizes(gpu):
    big = np.broadcast_to(np.float32(1), (gpu.limits.max_binding_size // 4 + 4,))
    with pytest.raises(pyml.errors.BufferTooLarge, match=f"{gpu.limits.max_binding_size:,}"):
        pyml.convert_to_tensor(big)
    with pytest.raises(pyml.errors.BufferTooLarge, match="holds at most"):
        (pyml.ops.ones((gpu.limits.max_binding_size // 4 + 4,)) * np.float32(2)).numpy()
