"""Optimizers with their options off their defaults, against their formulas in float64; and learning rates."""

from __future__ import annotations

import copy
import math
import pickle
import warnings

import numpy as np
import pytest

import pyml
from pyml import ops, optimizers
from pyml.optimizers import schedules

RNG = np.random.default_rng(6)
STARTS = [RNG.standard_normal(3), RNG.standard_normal((2, 2))]
GRADIENTS = [[RNG.standard_normal(3) * 0.2, RNG.standard_normal((2, 2)) * 3] for _ in range(6)]


def tensor(value):
    return ops.convert_to_tensor(np.asarray(value, "float32"))


def variables(starts=STARTS):
    return [pyml.Variable(start.astype("float32"), name=f"w{i}") for i, start in enumerate(starts)]


def moved(optimizer, steps=GRADIENTS, then=lambda: None):
    """The weights after each step."""
    own = variables()
    found = []
    for gradients in steps:
        optimizer.apply([tensor(g) for g in gradients], own)
        then()
        found.append([v.numpy() for v in own])
    return found


def assert_moves(optimizer, step, steps=GRADIENTS):
    """`step(weights, gradients, t)` gives the next weights, in float64."""
    weights = [start.copy() for start in STARTS]
    for t, (found, gradients) in enumerate(zip(moved(optimizer, steps), steps, strict=True), 1):
        weights = step(weights, gradients, t)
        for w, f in zip(weights, found, strict=True):
            np.testing.assert_allclose(f, w, rtol=1e-4, atol=1e-5)


def assert_slots(optimizer, slots):
    """What it keeps for each weight, by name, in float64: files have it, and Keras goes on from there."""
    for variable in optimizer.variables[2:]:
        weight, _, slot = variable.name.partition("_")
        np.testing.assert_allclose(variable.numpy(), slots[int(weight[1:])][slot], rtol=1e-4, atol=1e-6, err_msg=variable.name)


def descent(change):
    return lambda ws, gs, t: [w - 0.1 * g for w, g in zip(ws, change(gs), strict=True)]


def norm(*arrays):
    return math.sqrt(sum((a**2).sum() for a in arrays))


# ---- options of all
def test_gradients_are_cut_by_value_by_norm_or_by_the_norm_of_all(cpu):
    assert_moves(optimizers.SGD(0.1, clipvalue=0.5), descent(lambda gs: [np.clip(g, -0.5, 0.5) for g in gs]))
    assert_moves(optimizers.SGD(0.1, clipnorm=1.5), descent(lambda gs: [g * min(1, 1.5 / norm(g)) for g in gs]))
    assert_moves(optimizers.SGD(0.1, global_clipnorm=1.5), descent(lambda gs: [g * min(1, 1.5 / norm(*gs)) for g in gs]))
    assert_moves(optimizers.SGD(0.1, global_clipnorm=1e3), descent(lambda gs: gs))


@pytest.mark.parametrize("options", [{"clipnorm": 1.0, "clipvalue": 1.0}, {"clipnorm": 1.0, "global_clipnorm": 1.0},
                                     {"clipvalue": 1.0, "global_clipnorm": 0.0}])  # fmt: skip
def test_gradients_are_cut_in_one_way(options):
    with pytest.raises(ValueError, match="give only one of clipnorm"):
        optimizers.SGD(**options)


def test_a_weight_decays_by_a_share_unless_it_is_excluded(cpu):
    def decayed(*shares):
        return lambda ws, gs, t: [w - w * share * 0.1 - 0.1 * g for w, g, share in zip(ws, gs, shares, strict=True)]

    assert_moves(optimizers.SGD(0.1, weight_decay=0.5), decayed(0.5, 0.5))
    by_name = optimizers.SGD(0.1, weight_decay=0.5)
    by_name.exclude_from_weight_decay(var_names=["bias", "w1"])
    assert_moves(by_name, decayed(0.5, 0))
    late, again = variables(), optimizers.SGD(0.1, weight_decay=0.5)
    again.exclude_from_weight_decay(var_names=["w1"])
    again.build(late)
    again.exclude_from_weight_decay(var_names=["w0"])  # instead of those before
    again.apply([tensor(g * 0) for g in STARTS], late)
    np.testing.assert_allclose(late[0].numpy(), STARTS[0], rtol=1e-6)
    np.testing.assert_allclose(late[1].numpy(), STARTS[1] * 0.95, rtol=1e-5)
    own = variables()
    by_list = optimizers.SGD(0.1, weight_decay=0.5)
    by_list.exclude_from_weight_decay([own[0]])
    by_list.apply([tensor(g * 0) for g in STARTS], own)
    np.testing.assert_allclose(own[0].numpy(), STARTS[0], rtol=1e-6)
    np.testing.assert_allclose(own[1].numpy(), STARTS[1] * 0.95, rtol=1e-5)


def test_a_scaled_loss_gives_the_same_step(cpu):
    optimizer = optimizers.SGD(0.1, loss_scale_factor=8.0)
    assert float(optimizer.scale_loss(tensor(2.0))) == 16.0
    assert float(optimizers.SGD().scale_loss(tensor(2.0))) == 2.0
    assert_moves(optimizer, descent(lambda gs: [g / 8 for g in gs]))


@pytest.mark.parametrize("every", [None, 2])
def test_averages_of_weights_are_kept_and_taken_over(every, cpu):
    optimizer = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=every)
    averages = [None, None]

    def step(ws, gs, t):
        for i, (w, g) in enumerate(zip(ws, gs, strict=True)):
            new = w - 0.1 * g
            averages[i] = new if t == 1 else 0.8 * averages[i] + 0.2 * new
            ws[i] = averages[i] if every and t % every == 0 else new
        return ws

    assert_moves(optimizer, step)
    own = optimizer._trainable_variables
    other = pyml.Variable(np.ones(2, "float32"), name="other")
    optimizer.finalize_variable_values([*own, other])
    for variable, average in zip(own, averages, strict=True):
        np.testing.assert_allclose(variable.numpy(), average, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(other.numpy(), [1, 1])


def test_weights_without_averages_stay_at_the_end(cpu):
    for optimizer in (optimizers.SGD(), optimizers.SGD(use_ema=True)):
        own = variables()
        optimizer.finalize_variable_values(own)
        np.testing.assert_array_equal(own[0].numpy(), STARTS[0].astype("float32"))


@pytest.mark.parametrize("momentum", [-0.1, 1.1])
def test_the_momentum_of_averages_is_a_share(momentum):
    with pytest.raises(ValueError, match="ema_momentum must lie in"):
        optimizers.SGD(use_ema=True, ema_momentum=momentum)
    assert optimizers.SGD(ema_momentum=momentum).ema_momentum == momentum
    assert [optimizers.SGD(use_ema=True, ema_momentum=m).ema_momentum for m in (0, 1)] == [0, 1]


@pytest.mark.parametrize("every", [-1, 1.5])
def test_averages_are_taken_over_after_a_whole_number_of_steps(every):
    assert optimizers.SGD(ema_overwrite_frequency=every).ema_overwrite_frequency == every  # there are none, as in Keras
    assert optimizers.SGD(use_ema=True, ema_overwrite_frequency=0).ema_overwrite_frequency == 0
    with pytest.raises(ValueError, match="ema_overwrite_frequency must be an integer from 1 on"):
        optimizers.SGD(use_ema=True, ema_overwrite_frequency=every)


@pytest.mark.parametrize("make", [lambda **more: optimizers.SGD(0.1, momentum=0.9, **more), lambda **more: optimizers.Adam(0.1, **more),
                                  lambda **more: optimizers.RMSprop(0.1, **more)])  # fmt: skip
def test_gathered_gradients_make_one_step_of_their_mean(make, cpu):
    gathering = make(gradient_accumulation_steps=3)
    counts = []
    found = moved(gathering, then=lambda: counts.append(int(gathering.iterations.numpy())))
    means = [[sum(gs[i] for gs in GRADIENTS[at : at + 3]) / 3 for i in (0, 1)] for at in (0, 3)]
    wanted = moved(make(), means)
    for i in (0, 1):
        np.testing.assert_array_equal(found[1][i], STARTS[i].astype("float32"))
        np.testing.assert_array_equal(found[4][i], found[2][i])
        np.testing.assert_allclose(found[2][i], wanted[0][i], rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(found[5][i], wanted[1][i], rtol=1e-4, atol=1e-5)
    assert counts == [0, 0, 1, 1, 1, 2]


@pytest.mark.parametrize(("steps", "wanted"), [(None, [[5, 0], [4, 1], [3, 2], [2, 3]]), (2, [[3, 4], [5, 1], [5, 1], [3, 3]])])
def test_a_variable_may_be_overwritten_with_its_gradient_of_several_with_the_largest(steps, wanted, cpu):
    moving, scale = pyml.Variable([1.0, 2.0]), pyml.Variable([3.0, 4.0])
    scale.overwrite_with_gradient = True
    optimizer, found = optimizers.SGD(0.1, gradient_accumulation_steps=steps), []
    for i in range(4):
        optimizer.apply([tensor([1.0, 2.0]), tensor([5.0 - i, float(i)])], [moving, scale])
        found.append(scale.numpy().tolist())
    assert found == wanted
    np.testing.assert_allclose(moving.numpy(), [0.6, 1.2] if steps is None else [0.8, 1.6], rtol=1e-6)


@pytest.mark.parametrize("name, argument, taken, refused", [
    ("Ftrl", "learning_rate_power", [0.0, -1.0], [0.5]), ("Ftrl", "initial_accumulator_value", [0.0, 1.0], [-0.1]),
    ("Ftrl", "l1_regularization_strength", [0.0, 1.0], [-0.1]), ("Ftrl", "l2_regularization_strength", [0.0, 1.0], [-0.1]),
    ("Ftrl", "l2_shrinkage_regularization_strength", [0.0, 1.0], [-0.1]), ("Lion", "beta_1", [0.1, 1.0], [0.0, 1.1]),
    ("SGD", "momentum", [0, 0.0, 1.0], [-0.1, 1.1, "0.9"]), ("AdamW", "weight_decay", [0.0], [None]),
])  # fmt: skip
def test_an_option_is_taken_up_to_its_limit_and_refused_beyond(name, argument, taken, refused):
    made = getattr(optimizers, name)
    for value in taken:
        assert getattr(made(**{argument: value}), argument) == value
    for value in refused:
        with pytest.raises(ValueError, match=rf"{name}: {argument} must"):
            made(**{argument: value})


def test_gradients_are_gathered_over_two_steps_or_more():
    for steps in (2, 0, None):
        assert optimizers.SGD(gradient_accumulation_steps=steps).gradient_accumulation_steps == steps
    for steps in (1, -1):
        with pytest.raises(ValueError, match="gradient_accumulation_steps must be at least 2"):
            optimizers.SGD(gradient_accumulation_steps=steps)


def test_a_constraint_holds_after_a_step(cpu):
    weight = pyml.layers.Dense(2, kernel_constraint="non_neg")
    weight.build((None, 3))
    before = np.abs(weight.kernel.numpy())
    weight.kernel.assign(before)
    optimizers.SGD(1.0).apply([tensor(np.full((3, 2), 0.3))], [weight.kernel])
    np.testing.assert_allclose(weight.kernel.numpy(), np.maximum(before - 0.3, 0), rtol=1e-5, atol=1e-6)


# ---- steps
def test_a_gradient_of_none_leaves_its_weight_alone_and_no_gradients_are_no_step(cpu):
    own, optimizer = variables(), optimizers.SGD(0.1)
    optimizer.apply([])
    assert not optimizer.built and int(optimizer.iterations.numpy()) == 0
    with pytest.warns(UserWarning, match="Gradients do not exist for variables"):
        optimizer.apply([None, tensor(GRADIENTS[0][1])], own)
    np.testing.assert_array_equal(own[0].numpy(), STARTS[0].astype("float32"))
    assert not np.allclose(own[1].numpy(), STARTS[1])
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.apply_gradients(zip([None, None], own, strict=True))
    assert optimizer.built and int(optimizer.iterations.numpy()) == 1


def test_what_does_not_fit_a_built_optimizer_is_said(cpu):
    own, optimizer = variables(), optimizers.SGD(0.1, name="sgd")
    with pytest.raises(ValueError, match="sgd: pass the variables at the first call"):
        optimizer.apply([tensor(1.0)])
    optimizer.build(own)
    with pytest.raises(ValueError, match="received 1 gradients for 2 variables"):
        optimizer.apply([tensor(1.0)])
    with pytest.raises(ValueError, match="built for other variables"):
        optimizer.apply([tensor(1.0)], [pyml.Variable(1.0, name="other")])
    with pytest.raises(NotImplementedError, match="must define update_step"):
        optimizers.Optimizer(0.1).apply([tensor(1.0)], [pyml.Variable(1.0)])
    with pytest.raises(ValueError, match=r"not recognized: {'speed': 3}"):
        optimizers.Optimizer(0.1, speed=3)
    for given, meant in (("lr", "learning_rate"), ("momentun", "momentum")):
        with pytest.raises(ValueError, match=f"Did you mean '{meant}'"):
            optimizers.SGD(**{given: 0.1})


@pytest.mark.parametrize("again", [copy.deepcopy, lambda both: pickle.loads(pickle.dumps(both))], ids=["copied", "pickled"])
def test_a_copy_of_an_optimizer_and_its_weights_goes_on_by_itself(again, cpu):
    own, optimizer = variables(), optimizers.Adam(0.1)
    optimizer.apply([tensor(g) for g in GRADIENTS[0]], own)
    optimizer_too, own_too = again((optimizer, own))
    for maker, weights in ((optimizer_too, own_too), (optimizer, own)):
        before = [v.numpy() for v in own]
        maker.apply([tensor(g) for g in GRADIENTS[1]], weights)
        assert all(np.array_equal(v.numpy(), old) for v, old in zip(own, before, strict=True)) == (maker is optimizer_too)
    for v, w in zip([*own, *optimizer.variables], [*own_too, *optimizer_too.variables], strict=True):
        np.testing.assert_array_equal(v.numpy(), w.numpy())


SLOTS = [(optimizers.SGD(), []), (optimizers.SGD(momentum=0.5), ["momentum"]), (optimizers.Adam(), ["momentum", "velocity"]),
         (optimizers.Adam(amsgrad=True), ["momentum", "velocity", "velocity_hat"]), (optimizers.RMSprop(), ["velocity"]),
         (optimizers.RMSprop(momentum=0.5, centered=True), ["velocity", "momentum", "average_gradient"]),
         (optimizers.SGD(use_ema=True, gradient_accumulation_steps=2), ["average", "gradient_accumulator"])]  # fmt: skip


@pytest.mark.parametrize(("made", "slots"), SLOTS, ids=lambda value: "-".join(value) if isinstance(value, list) else type(value).__name__)
def test_an_optimizer_has_one_slot_of_each_kind_a_weight_made_once(made, slots, cpu):
    optimizer, own = type(made).from_config(made.get_config()), variables()
    assert not optimizer.built
    optimizer.build(own)
    if type(made).build is not optimizers.Optimizer.build:
        optimizer.build(own)
    assert optimizer.built
    names = [v.name for v in optimizer.variables]
    assert names[:2] == ["iteration", "learning_rate"]
    assert sorted(names[2:]) == sorted(f"w{i}_{slot}" for i in (0, 1) for slot in slots)
    assert [v.shape for v in optimizer.variables[2:]].count((3,)) == len(slots)
    assert not any(v.trainable for v in optimizer.variables)
    assert not any(v.numpy().any() for v in optimizer.variables[2:])


def test_slots_of_ones_own(cpu):
    optimizer, own = optimizers.SGD(), variables()
    (first, second) = optimizer.add_optimizer_variables(own, ["a", "b"], "ones")
    third = optimizer.add_optimizer_variables(own, "c")
    assert [v.name for v in (*first, *second, *third)] == ["w0_a", "w1_a", "w0_b", "w1_b", "w0_c", "w1_c"]
    assert [v.name for v in optimizer.variables[2:]] == ["w0_a", "w0_b", "w1_a", "w1_b", "w0_c", "w1_c"]
    np.testing.assert_array_equal(second[1].numpy(), np.ones((2, 2)))
    np.testing.assert_array_equal(third[1].numpy(), np.zeros((2, 2)))
    assert optimizer.add_variable_from_reference(own[0]).name == "w0_var"
    assert optimizer.add_variable((2,)).dtype == "float32"
    whole = optimizer.add_variable((2,), dtype="int32", name="whole")
    assert (whole.dtype, whole.name, whole.trainable) == ("int32", "whole", False)
    for call, expected in ((optimizer.assign, 3.0), (optimizer.assign_add, 5.0), (optimizer.assign_sub, 3.0)):
        call(first[0], np.full(3, 3.0 if expected == 3.0 and call == optimizer.assign else 2.0, "float32"))
        np.testing.assert_array_equal(first[0].numpy(), np.full(3, expected))


def test_arrays_for_the_state_must_fit(cpu):
    optimizer = optimizers.SGD(0.5, name="sgd")
    optimizer.set_weights([np.int32(7), np.float32(0.25)])
    assert int(optimizer.iterations.numpy()) == 7 and optimizer.host_learning_rate == 0.25
    with pytest.raises(ValueError, match="sgd has 2 variables; received 1 arrays"):
        optimizer.set_weights([np.int32(7)])
    with pytest.raises(ValueError, match=r"'learning_rate' has shape \(\); received \(2,\)"):
        optimizer.set_weights([np.int32(7), np.zeros(2, "float32")])
    store = {}
    optimizer.save_own_variables(store)
    assert sorted(store) == ["0", "1"] and float(store["1"]) == 0.25


# ---- learning rates
def test_a_learning_rate_is_a_number_a_schedule_or_a_function(cpu):
    own = [pyml.Variable(1.0)]
    optimizer = optimizers.SGD(lambda: 0.5)
    optimizer.apply([tensor(1.0)], own)
    assert float(own[0].numpy()) == 0.5 and optimizer.host_learning_rate == 0.5
    scheduled = optimizers.SGD(schedules.PiecewiseConstantDecay([0], [0.5, 0.25]))
    assert scheduled.host_learning_rate == 0.5
    scheduled.apply([tensor(1.0)], own)
    assert scheduled.host_learning_rate == 0.25
    for value in (True, "fast", None):
        with pytest.raises(ValueError, match="learning_rate must be a float"):
            optimizers.SGD(value)
    assert [optimizers.SGD(value).host_learning_rate for value in (1, np.float32(0.5))] == [1.0, 0.5]


def test_a_learning_rate_may_be_set(cpu):
    optimizer = optimizers.SGD(0.5)
    optimizer.learning_rate = 0.25
    assert float(optimizer.learning_rate.numpy()) == 0.25 and optimizer.host_learning_rate == 0.25
    optimizer.learning_rate = tensor(0.125)
    assert optimizer.host_learning_rate == 0.125
    optimizer.learning_rate = pyml.Variable(0.5)
    assert optimizer.host_learning_rate == 0.5 and optimizer.learning_rate is optimizer.variables[1]
    optimizer.learning_rate = lambda: 2.0
    assert optimizer.learning_rate == 2.0
    optimizer.learning_rate = schedules.ExponentialDecay(0.75, 10, 0.5)
    assert optimizer.host_learning_rate == 0.75
    with pytest.raises(TypeError, match="created with a LearningRateSchedule"):
        optimizer.learning_rate = 0.1


def test_the_learning_rate_is_not_read_from_the_device_while_the_host_knows_it(cpu, monkeypatch):
    optimizer = optimizers.SGD(0.1)
    monkeypatch.setattr(type(optimizer.learning_rate), "numpy", lambda self: pytest.fail("read"))
    assert optimizer.host_learning_rate == 0.1


STEPS = (0, 1, 4, 5, 8, 9, 16, 17, 40)


def rates(schedule):
    return [float(schedule(ops.convert_to_tensor(step, dtype="int32")).numpy()) for step in STEPS]


@pytest.mark.parametrize(("schedule", "formula"), [
    (schedules.ExponentialDecay(0.1, 8, 0.5), lambda t: 0.1 * 0.5 ** (t / 8)),
    (schedules.InverseTimeDecay(0.1, 8, 0.5, staircase=True), lambda t: 0.1 / (1 + 0.5 * (t // 8))),
    (schedules.CosineDecay(0.1, 8), lambda t: 0.05 * (1 + math.cos(math.pi * min(t / 8, 1)))),
    (schedules.CosineDecay(0.02, 8, alpha=0.2, warmup_target=0.1, warmup_steps=5),
     lambda t: 0.02 + 0.08 * t / 5 if t < 5 else 0.1 * (0.4 * (1 + math.cos(math.pi * min((t - 5) / 8, 1))) + 0.2)),
    (schedules.CosineDecay(0.1, 8, warmup_steps=5), lambda t: 0.05 * (1 + math.cos(math.pi * min(t / 8, 1)))),
    (schedules.PolynomialDecay(0.1, 8), lambda t: (0.1 - 1e-4) * (1 - min(t, 8) / 8) + 1e-4),
    (schedules.PolynomialDecay(0.1, 8, 0.02, power=3.0, cycle=True),
     lambda t: 0.08 * (1 - t / (8 * max(1, math.ceil(t / 8)))) ** 3 + 0.02),
])  # fmt: skip
def test_a_schedule_with_each_option_follows_its_formula(schedule, formula, cpu):
    np.testing.assert_allclose(rates(schedule), [formula(t) for t in STEPS], rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize(("longer", "higher", "alpha"), [(1.0, 0.5, 0.0), (1.5, 0.8, 0.2), (2.0, 1.0, 0.0), (3.0, 1.5, 0.1)])
def test_a_cosine_with_restarts_follows_its_formula(longer, higher, alpha, cpu):
    found, expected = [], []
    schedule = schedules.CosineDecayRestarts(0.1, 8, longer, higher, alpha)
    for t in (0, 1, 7, 9, 13, 21, 33, 50, 70):
        start, length, height = 0.0, 8.0, 1.0
        while t >= start + length:
            start, length, height = start + length, length * longer, height * higher
        expected.append(0.1 * ((1 - alpha) * 0.5 * height * (1 + math.cos(math.pi * (t - start) / length)) + alpha))
        found.append(float(schedule(t)))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("make", [
    schedules.CosineDecay, schedules.CosineDecayRestarts, schedules.PolynomialDecay,
    lambda rate, steps: schedules.ExponentialDecay(rate, steps, 0.5),
    lambda rate, steps: schedules.InverseTimeDecay(rate, steps, 0.5),
])  # fmt: skip
def test_a_decay_takes_a_step_or_more(make):
    assert math.isfinite(float(make(0.1, 1)(0)))
    for steps in (0, -1):
        with pytest.raises(ValueError, match="decay_steps must be positive"):
            make(0.1, steps)


def test_what_a_schedule_must_be_given_is_said():
    with pytest.raises(ValueError, match="Received: 2 boundaries and 2 values"):
        schedules.PiecewiseConstantDecay([1, 2], [0.1, 0.2])
    with pytest.raises(NotImplementedError, match="LearningRateSchedule must define __call__"):
        schedules.LearningRateSchedule()(0)


# ---- the formulas
def adam(beta_1, beta_2, epsilon=1e-7, amsgrad=False, state=None):
    """The next weights of Adam with a rate of 0.1; `state` gets its means."""
    state = [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]] if state is None else state

    def step(ws, gs, t):
        for i, g in enumerate(gs):
            m, v, top = state[i]
            m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g
            top = np.maximum(top, v) if amsgrad else v
            state[i] = [m, v, top]
            rate = 0.1 * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
            ws[i] = ws[i] - rate * m / (np.sqrt(top) + epsilon)
        return ws

    return step


@pytest.mark.parametrize("options", [{}, {"beta_1": 0.0}, {"beta_1": 0.5, "beta_2": 0.6}, {"epsilon": 0.1},
                                     {"beta_2": 0.3, "amsgrad": True}])  # fmt: skip
def test_adam_with_each_option(options, cpu):
    optimizer, state = optimizers.Adam(0.1, **options), [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    assert_moves(optimizer, adam(**{"beta_1": 0.9, "beta_2": 0.999, **options}, state=state))
    assert_slots(optimizer, [{"momentum": m, "velocity": v, "velocity_hat": top} for m, v, top in state])


def test_adamw_decays_and_asks_for_a_number(cpu):
    inner = adam(0.9, 0.999)
    assert_moves(optimizers.AdamW(0.1, 0.3), lambda ws, gs, t: inner([w - 0.1 * 0.3 * w for w in ws], gs, t))
    with pytest.raises(ValueError, match="AdamW: weight_decay must be a number"):
        optimizers.AdamW(weight_decay=None)


@pytest.mark.parametrize("rho", [0.9, 0.5])
@pytest.mark.parametrize("momentum", [0.0, 0.7])
@pytest.mark.parametrize("centered", [False, True])
def test_rmsprop_with_each_option(rho, momentum, centered, cpu):
    state = [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]

    def step(ws, gs, t):
        for i, g in enumerate(gs):
            v, a, m = state[i]
            v, a = rho * v + (1 - rho) * g * g, rho * a + (1 - rho) * g
            m = momentum * m + 0.1 * g / np.sqrt(v - (a * a if centered else 0) + 1e-2)
            state[i] = [v, a, m]
            ws[i] = ws[i] - m
        return ws

    optimizer = optimizers.RMSprop(0.1, rho, momentum, 1e-2, centered)
    assert_moves(optimizer, step)
    assert_slots(optimizer, [{"velocity": v, "average_gradient": a, "momentum": m} for v, a, m in state])


@pytest.mark.parametrize("momentum", [0.0, 0.6, 1])
@pytest.mark.parametrize("nesterov", [False, True])
def test_sgd_with_each_option(momentum, nesterov, cpu):
    state = [0.0, 0.0]

    def step(ws, gs, t):
        for i, g in enumerate(gs):
            state[i] = momentum * state[i] - 0.1 * g
            ws[i] = ws[i] + (momentum * state[i] - 0.1 * g if nesterov else state[i])
        return ws

    optimizer = optimizers.SGD(0.1, momentum, nesterov)
    assert_moves(optimizer, step)
    assert_slots(optimizer, [{"momentum": m} for m in state])


@pytest.mark.parametrize("momentum", [-0.1, 1.1, "half", None])
def test_the_momentum_of_sgd_is_a_share(momentum):
    with pytest.raises(ValueError, match="momentum must be a number"):
        optimizers.SGD(momentum=momentum)


def test_a_loss_scale_halves_where_gradients_overflow_and_leaves_the_weights_alone(device):
    inner = pyml.optimizers.SGD(0.5)
    optimizer = pyml.optimizers.LossScaleOptimizer(inner, initial_scale=8.0, dynamic_growth_steps=2)
    w = pyml.Variable(1.0)
    seen = []
    for gradient in (8.0, np.inf, 4.0, 4.0, 8.0):
        optimizer.apply([ops.convert_to_tensor(np.float32(gradient))], [w])
        seen.append((float(w.numpy()), float(optimizer.dynamic_scale.numpy()), int(optimizer.iterations.numpy())))
    assert seen == [(0.5, 8.0, 1), (0.5, 4.0, 1), (0.0, 4.0, 2), (-0.5, 8.0, 3), (-1.0, 8.0, 4)]


def test_a_model_learns_the_same_with_a_loss_scale_that_grows(cpu):
    x, y = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
    losses = []
    for wrap in (lambda inner: inner, lambda inner: pyml.optimizers.LossScaleOptimizer(inner, initial_scale=64.0, dynamic_growth_steps=2)):
        model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1, kernel_initializer="zeros")])
        model.compile(wrap(pyml.optimizers.Adam(0.1)), "mse")
        losses.append(model.fit(x, y, epochs=6, verbose=0).history["loss"])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


def test_several_optimizers_move_the_variables_of_their_patterns(cpu):
    both = optimizers.OptimizerMap(optimizers.SGD(0.5))
    both["slow.*"] = optimizers.SGD(0.1)
    optimizer = optimizers.MultiOptimizer(both)
    fast, slow = pyml.Variable(1.0, name="fast"), pyml.Variable(1.0, name="slow_one")
    optimizer.apply([ops.convert_to_tensor(1.0), ops.convert_to_tensor(1.0)], [fast, slow])
    assert [round(float(v.numpy()), 4) for v in (fast, slow)] == [0.5, 0.9]
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()


def test_a_map_of_optimizers_of_ones_own_class_comes_back_as_that(cpu):
    class Mine(optimizers.OptimizerMap):
        pass

    optimizer = optimizers.MultiOptimizer(Mine(optimizers.SGD(0.5), {"w.*": optimizers.Adam(0.1)}))
    again = optimizers.MultiOptimizer.from_config(optimizer.get_config(), {"Mine": Mine})
    assert type(again._optimizer_map) is Mine and again.get_config() == optimizer.get_config()


# ---- the state in files
def test_the_state_of_another_optimizer_is_not_loaded_and_that_of_keras_2_has_no_rate(cpu):
    optimizer, own = optimizers.SGD(0.5, momentum=0.9), variables()
    optimizer.build(own)
    slots = [np.full(start.shape, i + 1.0, "float32") for i, start in enumerate(STARTS)]
    stored = dict(zip("0123", [np.int32(7), *slots], strict=False))
    optimizer.load_own_variables(stored)
    assert int(optimizer.iterations.numpy()) == 7 and float(optimizer.learning_rate.numpy()) == 0.5
    for variable, slot in zip(optimizer.variables[2:], slots, strict=True):
        np.testing.assert_array_equal(variable.numpy(), slot)
    with pytest.warns(UserWarning, match="3 are stored"):                                      # of other shapes
        optimizer.load_own_variables({"0": np.int32(9), "1": slots[1], "2": slots[0]})
    assert int(optimizer.iterations.numpy()) == 7
    optimizer.load_own_variables({"0": np.int32(8), "1": np.float32(0.25), "2": slots[0] * 2, "3": slots[1]})
    assert int(optimizer.iterations.numpy()) == 8 and optimizer.host_learning_rate == 0.25
    np.testing.assert_array_equal(optimizer.variables[2].numpy(), slots[0] * 2)
    for count in (1, 2, 5):
        with pytest.warns(UserWarning, match=f"is not loaded: it has 4 variables, and {count} are stored"):
            optimizer.load_own_variables({str(i): np.int32(1) for i in range(count)})
    assert int(optimizer.iterations.numpy()) == 8
    with warnings.catch_warnings():                                                           # one that has done nothing has no state
        warnings.simplefilter("error")
        optimizer.load_own_variables({"0": np.int32(0), "1": np.float32(0.5)})
    scheduled = optimizers.SGD(schedules.CosineDecay(0.1, 8))                                 # has no variable for the rate
    with pytest.warns(UserWarning, match="it has 1 variables, and 0 are stored"):
        scheduled.load_own_variables({})


def test_a_step_of_values_is_that_of_variables(cpu):
    optimizer, own = optimizers.Adam(0.1, use_ema=True), variables()
    gradients = [tensor(g) for g in GRADIENTS[0]]
    with pytest.raises(ValueError, match="Adam must be built"):
        optimizer.stateless_apply([], gradients, own)
    optimizer.build(own)
    state, weights = ([v.numpy() for v in group] for group in (optimizer.variables, own))
    new_weights, new_state = optimizer.stateless_apply(state, gradients, weights)
    for wrong in ((state[1:], gradients, weights), (state, gradients, weights[1:])):
        with pytest.raises(ValueError, match="Received list with length"):
            optimizer.stateless_apply(*wrong)
    for before, variable in zip([*state, *weights], [*optimizer.variables, *own], strict=True):
        np.testing.assert_array_equal(variable.numpy(), before)
    optimizer.apply(gradients, own)
    for value, variable in zip([*new_state, *new_weights], [*optimizer.variables, *own], strict=True):
        np.testing.assert_allclose(value.numpy(), variable.numpy(), rtol=1e-6, err_msg=variable.name)


@pytest.mark.parametrize("name", ["_step", "_update", "_apply", "_track", "_overwrite", "_shared", "_index", "_once", "_step_number"])
def test_an_optimizer_of_ones_own_may_have_a_helper_of_a_short_name(name):
    class Own(pyml.optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, getattr(self, name)(gradient, learning_rate))

    setattr(Own, name, lambda self, gradient, rate: gradient * rate)
    weight = pyml.Variable([1.0, 2.0])
    Own(learning_rate=0.5).apply([pyml.ops.ones(2)], [weight])
    assert weight.numpy().tolist() == [0.5, 1.5]


def test_a_rate_that_is_assigned_reaches_logs_and_callbacks_and_is_not_read_from_the_device(cpu, monkeypatch):
    class Assigns(pyml.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate.assign(0.25 / (epoch + 1))

    model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(1)])
    model.compile(pyml.optimizers.SGD(0.5), "mse")
    halves = pyml.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    x, y = np.ones((4, 2)), np.ones((4, 1))
    assert model.fit(x, y, epochs=2, verbose=0, callbacks=[Assigns(), halves]).history["learning_rate"] == [0.125, 0.0625]
    rate = model.optimizer.learning_rate
    with monkeypatch.context() as waiting:
        waiting.setattr(type(cpu), "read", None)
        assert float(rate) == rate.numpy() == model.optimizer.get_config()["learning_rate"] == 0.0625
        assert type(pyml.models.clone_model(model)) is pyml.Sequential

    class Decays(pyml.Model):
        def train_step(self, data):
            self.optimizer.learning_rate.assign(self.optimizer.learning_rate * 0.5)
            return super().train_step(data)

    inputs = pyml.Input((2,))
    decaying = Decays(inputs, pyml.layers.Dense(1)(inputs))
    decaying.compile(pyml.optimizers.SGD(0.5), "mse")
    for left in (0.25, 0.125):  # a program writes it: the host does not know it
        decaying.fit(x, y, verbose=0)
        assert float(decaying.optimizer.learning_rate) == left
