"""Steps outside of programs: each asks for the graph of the step before, however the step was written and whatever is read of it."""

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.compile import program
from pyml.core.tensor import nothing_pending

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(8, 3)).astype("float32"), np.ones((8, 4), "float32")
START = RNG.normal(size=(3, 4)).astype("float32")


def loss_of(w, b):
    return ops.mean((ops.matmul(X, w) + b - Y) ** 2)


def with_tape(w, b):
    with pyml.GradientTape() as tape:
        loss = loss_of(w, b)
    for v, g in zip((w, b), tape.gradient(loss, (w, b)), strict=True):
        v.assign_sub(0.1 * g)
    return loss


def with_function(w, b):
    loss, grads = pyml.value_and_grad(loss_of, argnums=(0, 1))(w, b)
    for v, g in zip((w, b), grads, strict=True):
        v.assign(v - 0.1 * g)
    return loss


def with_optimizer(make):
    def begin():
        optimizer = make()

        def step(w, b):
            loss, grads = pyml.value_and_grad(loss_of, argnums=(0, 1))(w, b)
            optimizer.apply_gradients(zip(grads, (w, b), strict=True))
            return loss

        return step

    return begin


WAYS = {
    "tape": lambda: with_tape,
    "function": lambda: with_function,
    "adam": with_optimizer(lambda: pyml.optimizers.Adam(0.1)),
    "nadam": with_optimizer(lambda: pyml.optimizers.Nadam(0.1, weight_decay=0.1, use_ema=True, ema_overwrite_frequency=3)),
    "accumulated": with_optimizer(lambda: pyml.optimizers.SGD(0.1, momentum=0.5, gradient_accumulation_steps=2)),
}
READ = {"loss": lambda loss, w, b: float(loss), "one weight": lambda loss, w, b: w.numpy(), "nothing": lambda loss, w, b: None}


@pytest.fixture
def graphs(monkeypatch):
    """The sizes of the graphs that are computed, as they are asked for."""
    found, key = [], program.graph_key
    monkeypatch.setattr(program, "graph_key", lambda *a, **k: found.append(key(*a, **k)) or found[-1])
    return found


@pytest.mark.parametrize("read", READ)
@pytest.mark.parametrize("way", WAYS)
def test_steps_ask_for_no_more_graphs_the_longer_they_go_on(device, graphs, way, read):
    w, b, step = pyml.Variable(START), pyml.Variable(np.zeros(4, "float32")), WAYS[way]()
    nothing_pending()  # of the tests before: after some hundred values one is computed wherever the loop is
    for _ in range(12):
        READ[read](step(w, b), w, b)
    early = {g[0] for g in graphs}
    for _ in range(8):
        READ[read](step(w, b), w, b)
    assert {g[0] for g in graphs} == early
    if read == "loss":
        assert len(graphs) <= 20 + 2, "one run a step, and two for what the optimizer begins with"


@pytest.mark.parametrize("way", WAYS)
def test_what_is_read_changes_no_number(cpu, way):
    ends = []
    for read in READ.values():
        w, b, step = pyml.Variable(START), pyml.Variable(np.zeros(4, "float32")), WAYS[way]()
        for _ in range(9):
            read(step(w, b), w, b)
        ends.append([w.numpy(), b.numpy()])
    for other in ends[1:]:
        for got, expected in zip(other, ends[0], strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-6)


def test_a_value_that_is_replaced_is_not_computed(cpu, graphs):
    v = pyml.Variable(np.ones(3, "float32"))
    v.assign(v * 3.0)
    v.assign(np.full(3, 2.0, "float32"))
    assert v.numpy().tolist() == [2, 2, 2] and not any("mul" in str(line) for g in graphs for line in g[0][0])


def test_a_value_taken_before_an_assignment_stays(cpu):
    v = pyml.Variable(np.ones(2, "float32"))
    before = v.value
    for _ in range(6):
        v.assign_add([1.0, 2.0])
    assert before.tolist() == [1, 1] and v.numpy().tolist() == [7, 13]


def carried(total, x):
    return total + ops.sum(x)


CARRIED = {
    "sum": carried,
    "mean so far": lambda mean, x: mean * 0.9 + ops.mean(x) * 0.1,
    "integers": lambda n, x: n + ops.count_nonzero(x > 0),
    "rows": lambda rows, x: ops.maximum(rows, ops.sum(x, axis=0)),
}


@pytest.mark.parametrize("carry", CARRIED)
@pytest.mark.parametrize("between", [0, 3])
def test_what_a_loop_carries_along_unread_asks_for_no_more_graphs_in_5000_steps_than_in_1000(cpu, graphs, carry, between):
    x, other, total = pyml.convert_to_tensor(X), pyml.convert_to_tensor(Y), 0
    nothing_pending()
    for step in range(5000 if carry == "sum" else 2400):
        total = CARRIED[carry](total, x)
        if between and step % between == 0:
            float(ops.sum(other * 2.0))  # something else is read now and then
        if step == 1000:
            early = {g[0] for g in graphs}
    assert {g[0] for g in graphs} == early
    assert max(len(lines) for (lines, _), *_ in graphs) < (120 if between else 2000)


def test_what_tapes_record_is_carried_along_the_same_way(cpu, graphs):
    w, optimizer, total, losses = pyml.Variable(START), pyml.optimizers.SGD(0.1), 0, []
    for step in range(60):
        with pyml.GradientTape() as tape:
            loss = loss_of(w, 0.0)
            total = total + loss
        optimizer.apply_gradients([(tape.gradient(loss, w), w)])
        losses.append(float(loss))
        if step == 20:
            early = {g[0] for g in graphs}
    assert {g[0] for g in graphs} == early
    np.testing.assert_allclose(float(total), sum(losses), rtol=1e-5)
    assert len(graphs[-1][0][0]) < 20, "the last steps alone were still to be added"


def test_what_a_loop_carries_along_is_the_sum_of_all_steps(device):
    total, steps = 0, [pyml.convert_to_tensor(np.float32(i)) for i in range(40)]
    for step in steps:
        total = total + step * 2.0
        float(step + 1.0)
    assert float(total) == 2.0 * sum(range(40))


def test_a_value_that_waited_for_many_runs_is_computed_with_what_is_made_of_it_alone(cpu, graphs):
    x = pyml.convert_to_tensor(X)
    early = x * 2.0
    for i in range(10):
        float(ops.sum(x + float(i)))
    graphs.clear()
    ops.sum(ops.abs(early + 1.0) * 3.0).numpy()
    assert [len(roots) for (_, roots), *_ in graphs] == [1], "no value on the way is stored"
