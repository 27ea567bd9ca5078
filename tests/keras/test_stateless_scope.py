"""`StatelessScope`: layers, metrics, loops and programs as functions of their state."""

import numpy as np
import pytest

import pyml
from pyml.core.stateless import in_stateless_scope, in_symbolic_scope


def test_an_assignment_stays_in_the_scope():
    v = pyml.Variable([1.0, 2.0])
    with pyml.StatelessScope([(v, np.array([3.0, 4.0]))]) as scope:
        v.assign_add([1.0, 1.0])
        assert v.numpy().tolist() == [4.0, 5.0] and (v * 2).numpy().tolist() == [8.0, 10.0]
    assert scope.get_current_value(v).numpy().tolist() == [4.0, 5.0]
    assert v.numpy().tolist() == [1.0, 2.0]


def test_what_the_scope_does_not_know_is_as_it_is_outside():
    v, w = pyml.Variable(1.0), pyml.Variable(2.0)
    with pyml.StatelessScope() as scope:
        assert float(v + w) == 3.0
        w.assign(5.0)
    assert scope.get_current_value(v) is None and float(scope.get_current_value(w)) == 5.0


def test_scopes_inside_each_other_keep_their_own_values():
    v = pyml.Variable(1.0)
    with pyml.StatelessScope([(v, 2.0)]) as outer:
        with pyml.StatelessScope([(v, 3.0)]) as inner:
            v.assign_add(10.0)
        assert float(v) == 2.0
    assert float(inner.get_current_value(v)) == 13.0 and float(outer.get_current_value(v)) == 2.0


def test_a_narrow_variable_is_narrow_in_the_scope():
    v = pyml.Variable([1, 2], dtype="int8")
    with pyml.StatelessScope([(v, [3, 4])]) as scope:
        v.assign_add([127, 0])
        assert v.numpy().dtype == np.int8
    value = scope.get_current_value(v)
    assert value.dtype == "int8" and value.numpy().tolist() == [-126, 4]


def test_state_that_gathers_is_of_32_bits_in_the_scope_too():
    total = pyml.metrics.Sum(dtype="float16")
    (state,) = total.stateless_update_state([v.value for v in total.variables], np.float32([60000, 60000]))
    assert state.numpy() == 120000


def test_a_variable_keeps_its_dtype():
    with pytest.raises(AttributeError, match="dtype"):
        pyml.Variable([1.0]).dtype = "float16"


def test_values_of_a_wrong_shape_or_kind_are_refused():
    v = pyml.Variable([1.0, 2.0])
    with pytest.raises(ValueError, match=r"has shape \(2,\), the given value \(3,\)"):
        pyml.StatelessScope([(v, [1.0, 2.0, 3.0])])
    with pytest.raises(ValueError, match=r"pairs \(variable, value\)"):
        pyml.StatelessScope([(np.ones(2), [1.0, 2.0])])


def test_a_layer_gives_its_new_statistics_and_keeps_its_own():
    layer = pyml.layers.BatchNormalization(momentum=0.5)
    x = np.array([[1.0], [3.0]], "float32")
    layer(x)
    given = [pyml.ops.ones(v.shape) * 4.0 for v in layer.weights]
    with pyml.StatelessScope(zip(layer.weights, given, strict=True)) as scope:
        y = layer(x, training=True)
    mean, variance = layer.non_trainable_weights
    assert float(mean.value[0]) == 0.0
    assert np.allclose(scope.get_current_value(mean), 3.0) and np.allclose(scope.get_current_value(variance), 2.5)
    assert np.allclose(y, 4.0 + 4.0 * (x - 2.0) / np.sqrt(1.001), atol=1e-5)


def test_metrics_and_seeds_are_functions_of_their_state():
    metric, seeds = pyml.metrics.Mean(), pyml.random.SeedGenerator(1)
    variables = [*metric.variables, seeds.state]
    before = [v.numpy() for v in variables]
    draws = []
    for _ in range(2):
        with pyml.StatelessScope([(v, b) for v, b in zip(variables, before, strict=True)]) as scope:
            metric.update_state([2.0, 4.0])
            draws.append(pyml.random.uniform((3,), seed=seeds).numpy())
            assert float(metric.result()) == 3.0
    assert np.array_equal(*draws)
    assert not np.array_equal(scope.get_current_value(seeds.state), before[-1])
    assert all(np.array_equal(v, b) for v, b in zip(variables, before, strict=True))


def test_gradients_reach_the_given_values():
    v = pyml.Variable([1.0, 2.0])

    def loss(value):
        with pyml.StatelessScope([(v, value)]):
            return (v * v).sum()

    assert pyml.grad(loss)(np.array([3.0, 4.0])).numpy().tolist() == [6.0, 8.0]


def test_a_program_may_hold_a_scope_and_a_scope_a_program(device):
    v = pyml.Variable([1.0, 2.0])

    @pyml.program
    def step(value, x):
        with pyml.StatelessScope([(v, value)]) as scope:
            v.assign(v + x)
        return scope.get_current_value(v)

    @pyml.program
    def count():
        v.assign_add([1.0, 1.0])
        return v * 1.0

    value = pyml.ops.zeros(2)
    for x in ([1.0, 2.0], [3.0, 4.0]):
        value = step(value, np.array(x, "float32"))
    assert value.numpy().tolist() == [4.0, 6.0] and v.numpy().tolist() == [1.0, 2.0]
    with pyml.StatelessScope([(v, value)]) as scope:
        assert count().numpy().tolist() == [5.0, 7.0]
    assert scope.get_current_value(v).numpy().tolist() == [5.0, 7.0] and v.numpy().tolist() == [1.0, 2.0]
    assert count().numpy().tolist() == [2.0, 3.0]


def test_loops_and_branches_in_a_scope_go_on_from_its_values():
    v = pyml.Variable(1.0)

    def step(carry, x):
        v.assign_add(x)
        return carry, v * 1.0

    with pyml.StatelessScope([(v, 10.0)]) as scope:
        _, seen = pyml.ops.scan(step, pyml.ops.zeros(()), np.array([1.0, 2.0, 3.0], "float32"))
        assert seen.numpy().tolist() == [11.0, 13.0, 16.0] and float(v) == 16.0
        pyml.ops.cond(v > 15.0, lambda: v.assign_add(100.0), lambda: v.assign_add(0.0))
    assert float(scope.get_current_value(v)) == 116.0 and float(v) == 1.0


def test_losses_are_collected_on_demand():
    layer = pyml.layers.ActivityRegularization(l1=1.0)
    x = np.ones((1, 3), "float32")
    for collect in (True, False):
        with pyml.StatelessScope(collect_losses=collect) as scope:
            layer(x)
            assert len(layer.losses) == len(scope.losses) == collect
    assert layer.losses == []


def test_scopes_know_whether_they_are_open():
    assert not in_stateless_scope() and not in_symbolic_scope()
    with pyml.SymbolicScope(), pyml.StatelessScope():
        assert in_stateless_scope() and in_symbolic_scope()
    assert not in_stateless_scope() and not in_symbolic_scope()
