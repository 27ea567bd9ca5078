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
def test_what_a_loop_carries_along_unread_asks_for_no_more_graphs_in_1600_steps_than_in_800(cpu, graphs, carry, between):
    x, other, total = pyml.convert_to_tensor(X), pyml.convert_to_tensor(Y), 0
    nothing_pending()
    for step in range(1600):
        total = CARRIED[carry](total, x)
        if between and step % between == 0:
            float(ops.sum(other * 2.0))  # something else is read now and then
        if step == 800:
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


def of_tape(w, b, persistent=False):
    with pyml.GradientTape(persistent=persistent) as tape:
        loss = loss_of(w, b)
    return loss, tape.gradient(loss, [w, b])


def of_vjp(w, b):
    loss, back = pyml.vjp(loss_of, w.value, b.value)
    return loss, back(1.0)


MADE = {
    "tape": of_tape,
    "persistent tape": lambda w, b: of_tape(w, b, persistent=True),
    "value_and_grad": lambda w, b: pyml.value_and_grad(loss_of, argnums=(0, 1))(w, b),
    "vjp": of_vjp,
    "jacobian": lambda w, b: (loss_of(w, b), pyml.jacobian(lambda w, b: ops.matmul(X, w)[0] + b, argnums=(0, 1))(w, b)),
}
LOOKS = {"value": lambda g: g.numpy(), "repr": repr, "made of it": lambda g: float(ops.sum(ops.abs(g)))}


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("made", MADE)
def test_gradients_of_one_call_are_computed_by_the_first_look_at_one_of_them(cpu, graphs, made, look):
    w, b = pyml.Variable(START), pyml.Variable(np.zeros(4, "float32"))
    nothing_pending()
    loss, found = MADE[made](w, b)
    before = len(graphs)
    for g in found:
        LOOKS[look](g)
    lines = [len(g[0][0]) for g in graphs[before:]]
    assert lines[1:] == ([] if look != "made of it" else [3]), "what follows looks at values that are there"
    graphs.clear()
    float(loss)
    assert not graphs or made == "jacobian", "the loss was on the way"


def test_gradients_that_nobody_holds_are_not_computed_for_their_siblings(cpu, graphs):
    w, b = pyml.Variable(START), pyml.Variable(np.zeros(4, "float32"))
    loss, found = of_tape(w, b)
    of_w = found[0]
    del loss, found
    of_w.numpy()
    assert [len(roots) for (_, roots), *_ in graphs] == [1]


def test_a_step_that_reads_its_loss_stores_no_gradient_that_somebody_still_holds(cpu, graphs):
    w, b = pyml.Variable(START), pyml.Variable(np.zeros(4, "float32"))
    loss, found = of_tape(w, b)
    for v, g in zip((w, b), found, strict=True):
        v.assign_sub(0.1 * g)
    float(loss)
    assert [len(roots) for (_, roots), *_ in graphs] == [3] and all(g._node.buffer is None for g in found)


def too_large():
    return ops.sum(ops.sort(ops.broadcast_to(ops.convert_to_tensor(X), (60000, 8, 3)), axis=0))


def test_what_is_wrong_with_a_value_that_waits_is_told_to_who_reads_it(device, monkeypatch):
    v, w = pyml.Variable(1.0), pyml.Variable(START)
    limits = type(pyml.config.device().limits)
    monkeypatch.setattr(pyml.config.device(), "limits", limits(max_binding_size=100_000, max_buffer_size=100_000), raising=True)
    v.assign(too_large())
    w.assign(w * 2.0)
    assert ops.sum(ops.convert_to_tensor(Y)).numpy() == 32.0
    np.testing.assert_allclose(w.numpy(), START * 2)
    for _ in range(2):
        with pytest.raises(pyml.errors.BufferTooLarge, match="60000"):
            v.numpy()
    v.assign(3.0)
    assert float(v) == 3.0
