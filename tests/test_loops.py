"""`scan`: one traced body for all steps, with the values and gradients of the steps written out one by one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from op_calls import compute

import pyml
from pyml import ops
from pyml.compile.plan import Loop
from pyml.compile.program import lower
from pyml.core.loop import scan
from pyml.errors import DtypeError, ShapeError, TraceError
from pyml.graph.profile import Profile

UNARY = (ops.tanh, ops.sigmoid, ops.relu, lambda x: x * 0.5, lambda x: ops.flip(x, axis=-1))


def written_out(f, init, xs, length, reverse=False):
    """What `scan` means, in Python."""
    carry, outputs = init, [None] * length
    for t in reversed(range(length)) if reverse else range(length):
        carry, outputs[t] = f(carry, None if xs is None else xs[t])
    return carry, ops.stack(outputs, axis=0)


def arrays(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.uniform(-1, 1, shape).astype(np.float32) for shape in shapes]


def assert_near(got, expected, tolerance=2e-5):
    compute(got)
    compute(expected)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tolerance, atol=tolerance)


# ---- values and gradients against the steps written out
@settings(max_examples=6, deadline=None)
@given(st.data())
def test_a_loop_equals_its_steps_written_out_and_so_do_its_gradients(data):
    steps, batch, units = (data.draw(st.integers(1, n)) for n in (5, 3, 6))
    reverse, shared = data.draw(st.booleans()), data.draw(st.booleans())
    before, after = data.draw(st.sampled_from(UNARY)), data.draw(st.sampled_from(UNARY))
    device = data.draw(st.sampled_from(["cpu", "wasm", "webgpu"]))
    xs, h, c, w, b = arrays(steps, (steps, batch, units), (batch, units), (batch, units), (units, units), (units,))
    original = pyml.config.device().name

    def loss(run):
        def of(xs, h, c, w, b):
            def step(carry, x):
                h, c = carry
                inner = ops.matmul(before(h), w) + (x if shared else b)
                c = c * ops.sigmoid(inner) + ops.mean(inner, axis=-1, keepdims=True)
                h = after(inner + c)
                return (h, c), h - c * x

            (h, c), ys = run(step, (h, c), xs, steps, reverse)
            return ops.sum(h * 0.3) + ops.sum(c) + ops.sum(ops.sin(ys))

        return pyml.value_and_grad(of, argnums=(0, 1, 2, 3, 4))(xs, h, c, w, b)

    pyml.config.set_backend(device)
    try:
        value, grads = loss(scan)
        expected, wanted = loss(written_out)
        assert_near([value, *grads], [expected, *wanted], 1e-4)
    finally:
        pyml.config.set_backend(original)


def test_the_gradient_of_a_loop_is_that_of_finite_differences(device):
    x, h, w = arrays(3, (4, 2, 3), (2, 3), (3, 3))

    def loss(w):
        last, ys = scan(lambda h, x: (ops.tanh(h @ w + x), h * x), pyml.convert_to_tensor(h), x)
        return ops.sum(last * last) + ops.sum(ys)

    (_, found), step = pyml.value_and_grad(loss)(w), 1e-2
    for i, j in ((0, 0), (1, 2), (2, 1)):
        change = np.zeros_like(w)
        change[i, j] = step
        slope = (float(loss(w + change)) - float(loss(w - change))) / (2 * step)
        assert abs(slope - found.numpy()[i, j]) < 2e-3


def test_the_gradient_of_a_gradient_of_a_loop_is_that_of_the_steps_written_out(device):
    x, h, w = arrays(4, (3, 2, 3), (2, 3), (3, 3))

    def second(run):
        def loss(w):
            last, _ = run(lambda h, x: (ops.tanh(ops.matmul(h, w) + x), h), pyml.convert_to_tensor(h), pyml.convert_to_tensor(x), 3)
            return ops.sum(last)

        inner = pyml.grad(loss)
        return pyml.grad(lambda w: ops.sum(ops.square(inner(w))))(w)

    assert_near([second(scan)], [second(written_out)], 1e-4)


def test_the_kernels_for_gpus_compute_the_same_loop(gpu, monkeypatch):
    """Tiles of products, and reductions whose threads share a result, store rows of a stack too."""
    xs, h, w = arrays(8, (3, 5, 40), (5, 40), (40, 40))

    def loss(run):
        def of(xs, h, w):
            def step(h, x):
                h = ops.tanh(ops.matmul(h, w) + x - ops.mean(h * x, axis=-1, keepdims=True))
                return h, ops.sum(h * h, axis=0)

            last, ys = run(step, h, xs, 3)
            return ops.sum(last) + ops.sum(ys)

        value, grads = pyml.value_and_grad(of, argnums=(0, 1, 2))(xs, h, w)
        return [np.asarray(v) for v in (value, *grads)]

    expected = loss(written_out)
    monkeypatch.setattr(gpu, "profile", Profile())
    assert_near(loss(scan), expected, 1e-4)


@pytest.mark.parametrize("reverse", [False, True])
def test_rows_that_are_no_multiple_of_four_do_not_run_into_each_other(device, reverse):
    (xs,) = arrays(5, (5, 3))
    last, ys = scan(lambda c, x: (c + x, c * x), ops.zeros((3,)), xs, reverse=reverse)
    expected, rows = written_out(lambda c, x: (c + x, c * x), ops.zeros((3,)), pyml.convert_to_tensor(xs), 5, reverse)
    assert_near([last, ys], [expected, rows])


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 7])
def test_carries_take_turns_whatever_the_number_of_steps(device, steps):
    """Fibonacci: the two carries change places in every step."""
    (a, b), _ = scan(lambda c, _: ((c[1], c[0] + c[1]), c[0]), (np.int32(0), np.int32(1)), length=steps)
    expected = [0, 1]
    for _ in range(steps):
        expected = [expected[1], sum(expected)]
    assert [int(a), int(b)] == expected


def test_a_loop_within_a_loop(device):
    (x,) = arrays(6, (3, 4, 2))

    def outer(c, rows):
        inner, sums = scan(lambda a, row: (a * 0.5 + row, a), c, rows)
        return inner, ops.sum(sums * c)

    def plain(c, rows):
        inner, sums = written_out(lambda a, row: (a * 0.5 + row, a), c, rows, 4)
        return inner, ops.sum(sums * c)

    def loss(run, f):
        def of(x):
            last, ys = run(f, ops.ones((2,)), x, 3)
            return ops.sum(last) + ops.sum(ys * ys)

        return pyml.value_and_grad(of)(x)

    (value, grad), (expected, wanted) = loss(scan, outer), loss(written_out, plain)
    assert_near([value, grad], [expected, wanted], 1e-4)


def test_booleans_and_integers_go_through_a_loop(device):
    xs = np.array([3, 1, 4, 1, 5], np.int32)

    def step(carry, x):
        most, odd = carry
        return (ops.maximum(most, x), ops.logical_xor(odd, x % 2 == 1)), x > most

    (most, odd), seen = scan(step, (np.int32(0), np.bool_(False)), xs)
    assert int(most) == 5
    assert bool(odd) is False
    assert seen.numpy().tolist() == [True, False, True, False, True]


def test_no_steps_give_back_the_first_carry(device):
    last, ys = scan(lambda c, x: (c + x, c), ops.ones((2,)), np.zeros((0, 2), np.float32))
    assert last.numpy().tolist() == [1, 1]
    assert ys.shape == (0, 2)


# ---- programs
def test_a_loop_in_a_program_changes_what_it_assigns(device):
    count, total = pyml.Variable(np.int32(0)), pyml.Variable(np.zeros(2, np.float32))

    @pyml.program
    def run(xs):
        def step(c, x):
            count.assign_add(1)
            total.assign(total.value * 0.5 + x)
            return c + total.value, total.value

        return scan(step, ops.zeros((2,)), xs)

    xs = np.arange(6, dtype=np.float32).reshape(3, 2)
    expected, rows = np.zeros(2), []
    for _ in range(2):
        run(xs)
        for x in xs:
            expected = expected * 0.5 + x
            rows.append(expected)
    last, ys = run(xs)
    assert int(count) == 9
    assert not np.allclose(ys.numpy()[0], ys.numpy()[1])
    for x in xs:
        expected = expected * 0.5 + x
    np.testing.assert_allclose(total.numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(ys.numpy().sum(0), last.numpy(), rtol=1e-5)


def test_random_numbers_differ_between_steps_and_are_those_of_the_steps_written_out(device):
    def draws(run):
        generator = pyml.random.SeedGenerator(7)
        _, ys = run(lambda c, _: (c, pyml.random.uniform((3,), seed=generator)), ops.zeros(()), None, 4)
        return ys.numpy(), generator.state.numpy()

    (rows, state), (expected, after) = draws(scan), draws(written_out)
    assert len(np.unique(rows)) == 12
    np.testing.assert_array_equal(rows, expected)
    np.testing.assert_array_equal(state, after)


def test_a_counter_of_random_numbers_takes_no_kernel_of_the_loop(gpu):
    generator = pyml.random.SeedGenerator(7)
    run = pyml.program(lambda c: scan(lambda c, _: (c + pyml.random.uniform((3,), seed=generator), None), c, length=5)[0])
    run(np.zeros(3, np.float32))
    (loop,) = [k for k in run.last_plan.kernels if isinstance(k, Loop)]
    assert loop.body.dispatches == 1, run.explain()


@pytest.mark.parametrize("steps", [3, 7])
def test_what_a_step_of_a_loop_does_counts_once_for_each_step(gpu, steps):
    run = pyml.program(lambda c: scan(lambda c, _: (ops.matmul(ops.matmul(c, c), c) + 1.0, None), c, length=steps)[0])
    run(np.full((3, 3), 0.1, np.float32))
    (loop,) = [k for k in run.last_plan.kernels if isinstance(k, Loop)]
    body = loop.body
    assert body.dispatches == len(body.kernels) > 1
    assert loop.dispatches == steps * body.dispatches
    assert loop.moved == steps * sum(k.moved for k in body.kernels) > 0
    assert run.last_plan.dispatches == sum(k.dispatches for k in run.last_plan.kernels)
    assert run.last_plan.kernels_made == len(body.kernels) + len(run.last_plan.kernels) - 1
    lines = run.explain().splitlines()
    assert sum(line.startswith(f"  x {steps} ") for line in lines) == body.dispatches
    assert lines[-1].startswith(f"{run.last_plan.dispatches} dispatches")


def test_values_of_one_loop_are_computed_together(device, monkeypatch):
    last, ys = scan(lambda c, x: (c + x, c), ops.zeros((2,)), np.ones((3, 2), np.float32))
    last.numpy()
    assert ys._node.buffer is not None


@pytest.mark.parametrize("backend", ["webgpu", "wasm"])
def test_kernels_do_not_become_more_with_the_number_of_steps(backend):
    before = pyml.config.device().name
    pyml.config.set_backend(backend)
    try:
        counts = [kernels_of(steps) for steps in (10, 200)]
    finally:
        pyml.config.set_backend(before)
    (few, loops), (many, as_many) = counts
    assert as_many == loops
    assert few == many or (backend == "webgpu" and few < many <= few + 4)  # a GPU cuts the longer sums of the weights' gradients


def kernels_of(steps: int) -> tuple[int, int]:
    """How many kernels are compiled to train a GRU on so many steps, and how many dispatches its loops make in one."""
    model = pyml.Sequential([pyml.Input((steps, 3)), pyml.layers.GRU(4, reset_after=False), pyml.layers.Dense(1)])

    @pyml.program
    def step(x):
        loss = ops.sum(model(x))
        return pyml.core.gradients(loss, list(model.trainable_weights))

    step(np.zeros((2, steps, 3), np.float32))
    plan = step.last_plan
    loops = [k.body.dispatches for k in plan.kernels if isinstance(k, Loop)]
    assert sorted(loops) == [3, 4], step.explain()
    return len(lower(plan, pyml.config.device())), sum(loops)


def test_explain_shows_the_kernels_of_a_loop_once_with_the_number_of_steps(gpu):
    run = pyml.program(lambda x: scan(lambda c, x: (ops.tanh(c + x), None), ops.zeros((2,)), x)[0])
    run(np.zeros((30, 2), np.float32))
    text = run.explain()
    assert text.count("x 30 ") == 1
    assert "tanh" in text


# ---- mistakes
def test_a_carry_that_changes_its_shape_is_refused():
    with pytest.raises(ShapeError, match=r"carry 0 has shape \(2,\) before a step and \(4,\) after"):
        scan(lambda c, x: (ops.concatenate([c, c]), None), ops.zeros((2,)), length=3)


def test_a_carry_whose_dtype_no_step_settles_is_refused():
    with pytest.raises(DtypeError, match="carry 0 is float32 before a step and int32 after"):
        scan(lambda c, x: (ops.cast(c, "int32" if c.dtype == "float32" else "float32"), None), ops.zeros((2,)), length=30)


def test_a_step_that_changes_a_dtype_runs_by_itself_once_with_what_it_assigns(device):
    count = pyml.Variable(0)

    def step(carry, x):
        count.assign_add(1)
        return ops.cast(carry, "int32") + x, carry

    last, before = scan(step, ops.ones(()), np.arange(4))
    assert (last.dtype, last.item(), before.dtype, before.tolist(), int(count.numpy())) == ("int32", 7, "float32", [1, 1, 2, 4], 4)
    assert scan(step, ops.ones(()), np.arange(1), reverse=True)[0].item() == 1


def test_sequences_of_different_lengths_are_refused():
    with pytest.raises(ShapeError, match=r"\(3, 2\), \(4,\)"):
        scan(lambda c, x: (c, None), ops.zeros(()), (np.zeros((3, 2)), np.zeros(4)))


def test_a_value_asked_for_within_a_step_is_refused():
    with pytest.raises(TraceError, match="asks for a value"):
        scan(lambda c, x: (c, float(x)), ops.zeros(()), np.zeros(3))


def test_a_value_of_a_step_used_outside_the_loop_is_refused():
    leaked = []
    scan(lambda c, x: (c, leaked.append(x)), ops.zeros(()), np.zeros(3, np.float32))
    with pytest.raises(TraceError, match="step of a loop"):
        leaked[0].numpy()
