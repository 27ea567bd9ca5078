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
