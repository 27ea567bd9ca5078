"""Optimizers at the edges of their formulas, Muon, and optimizers that hold others."""

from __future__ import annotations

import math

import numpy as np
import pytest

import pyml
from pyml import ops, optimizers
from pyml.optimizers import muon
from pyml.optimizers.loss_scale import all_finite

RNG = np.random.default_rng(8)


def tensor(value):
    return ops.convert_to_tensor(np.asarray(value, "float32"))


def named(name, *shape):
    variable = pyml.Variable(RNG.standard_normal(shape).astype("float32"), name=name.rpartition("/")[2])
    variable.path = name
    return variable


# ---- edges of formulas
@pytest.mark.parametrize("start, gradient", [(0.0, 0.5), (2.0, 0.0), (0.0, 0.0), (2.0, -0.5)])
def test_lamb_steps_by_the_rate_where_weights_or_steps_are_0(start, gradient, cpu):
    w, m, v = start, 0.0, 0.0
    optimizer, own = optimizers.Lamb(0.1, beta_1=0.5, beta_2=0.8), pyml.Variable(np.full(3, start, "float32"))
    for t in (1, 2):
        optimizer.apply([tensor(np.full(3, gradient))], [own])
        m, v = 0.5 * m + 0.5 * gradient, 0.8 * v + 0.2 * gradient**2
        step = m / (1 - 0.5**t) / (math.sqrt(v / (1 - 0.8**t)) + 1e-7)
        w -= 0.1 * step * (abs(w) / abs(step) if w and step else 1.0)
        np.testing.assert_allclose(own.numpy(), np.full(3, w), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("start, gradient", [(0.0, 0.5), (1e-4, 0.5), (0.5, 1e-20)])
def test_adafactor_steps_by_the_scale_of_the_weights_or_the_least_one(start, gradient, cpu):
    optimizer, own = optimizers.Adafactor(0.1), pyml.Variable(np.full((2, 3), start, "float32"))
    optimizer.apply([tensor(np.full((2, 3), gradient))], [own])
    share = min(1.0, gradient / 1e-15)                       # of a step: epsilon_1 is added to the squares
    np.testing.assert_allclose(own.numpy(), start - max(1e-3, start) * 0.1 * share, rtol=1e-4, atol=1e-9)


def test_adafactor_keeps_rows_and_columns_of_each_matrix_of_a_kernel(cpu):
    w, r, c = RNG.standard_normal((2, 3, 4)), 0.0, 0.0
    optimizer, own = optimizers.Adafactor(0.5, clip_threshold=0.8), pyml.Variable(w.astype("float32"))
    for t in (1, 2, 3):
        g = RNG.standard_normal((2, 3, 4))
        optimizer.apply([tensor(g)], [own])
        kept = 1 - t**-0.8
        r, c = kept * r + (1 - kept) * (g * g).mean(-1), kept * c + (1 - kept) * (g * g).mean(-2)
        u = g / np.sqrt((r / r.mean(-1, keepdims=True))[..., None] * c[..., None, :])
        u /= max(1, np.sqrt((u * u).mean()) / 0.8)
        w = w - max(1e-3, np.sqrt((w * w).mean())) * min(0.5, t**-0.5) * u
        np.testing.assert_allclose(own.numpy(), w, rtol=1e-4, atol=1e-5)


def test_adafactor_has_three_variables_a_weight_in_the_order_of_files(cpu):
    optimizer = optimizers.Adafactor()
    optimizer.build([named("b", 3), named("k", 2, 3, 4)])
    found = [(v.name, v.shape, v.dtype) for v in optimizer.variables[2:]]
    assert found == [("b", (), "int32"), ("b", (), "int32"), ("b_velocity", (3,), "float32"),
                     ("k", (2, 3), "float32"), ("k", (2, 4), "float32"), ("k_velocity", (2, 3, 4), "float32")]  # fmt: skip


def test_ftrl_holds_weights_at_0_while_the_sum_of_gradients_is_within_l1(cpu):
    optimizer, own = optimizers.Ftrl(0.5, l1_regularization_strength=0.5), pyml.Variable(np.zeros(4, "float32"))
    optimizer.apply([tensor([0.25, -0.5, 0.75, -1.0])], [own])
    root = np.sqrt(0.1 + np.array([0.75, 1.0]) ** 2)
    np.testing.assert_allclose(own.numpy(), [0, 0, *(np.array([-0.25, 0.5]) * 0.5 / root)], rtol=1e-5)


# ---- Muon
def test_muon_moves_matrices_but_those_that_are_left_out_and_adam_the_others(cpu):
    own = [named("dense/kernel", 3, 2), named("dense/bias", 2), named("Embedding/table", 4, 2), named("head/kernel", 2, 2),
           named("conv", 1, 2, 3)]  # fmt: skip
    for options, by_adam in (({}, [1, 2, 4]), ({"exclude_embeddings": False}, [1, 4]), ({"exclude_layers": ["^head"]}, [1, 2, 3, 4]),
                             ({"exclude_layers": ["ker", "able"], "exclude_embeddings": False}, [0, 1, 2, 3, 4])):  # fmt: skip
        optimizer = optimizers.Muon(0.1, adam_weight_decay=0.5, weight_decay=0.25, adam_lr_ratio=0.5, **options)
        optimizer.build(own)
        optimizer.build(own)
        slots = [v.name for v in optimizer.variables[2:]]
        assert slots == [f"{v.path.replace('/', '_')}_{slot}" for i, v in enumerate(own)
                         for slot in ("momentum", "velocity")[: 2 if i in by_adam else 1]]  # fmt: skip
        before = [v.numpy() for v in own]
        optimizer.apply([tensor(np.ones(v.shape)) for v in own], own)
        for i, (variable, old) in enumerate(zip(own, before, strict=True)):
            if i in by_adam:                                                       # its first step is the rate
                np.testing.assert_allclose(variable.numpy(), old * (1 - 0.5 * 0.1) - 0.05, rtol=1e-4, atol=1e-5)
            else:                                                                  # all singular values of a step are about 1
                step = (old * (1 - 0.25 * 0.1) - variable.numpy()) / (0.1 * 0.2 * math.sqrt(max(variable.shape)))
                assert 0.6 < np.linalg.norm(step, 2) < 1.3


def test_what_adam_moves_in_muon_moves_as_by_adam(cpu):
    options = {"adam_beta_1": 0.7, "adam_beta_2": 0.8, "epsilon": 0.1, "adam_weight_decay": 0.2}
    made = optimizers.Muon(0.1, adam_lr_ratio=0.5, **options), optimizers.Adam(0.05, 0.7, 0.8, 0.1, weight_decay=0.4)
    start, gradients = RNG.standard_normal(3).astype("float32"), RNG.standard_normal((3, 3))
    own = [pyml.Variable(start) for _ in made]
    for gradient in gradients:
        for optimizer, variable in zip(made, own, strict=True):
            optimizer.apply([tensor(gradient)], [variable])
    np.testing.assert_allclose(own[0].numpy(), own[1].numpy(), rtol=1e-5, atol=1e-6)


def test_muon_moves_many_matrices_as_one_whatever_multiplies_them(cpu, monkeypatch):
    groups = []
    orthogonal = optimizers.Muon.zeropower_via_newtonschulz5

    def counted(self, x, steps):
        groups.append(x.shape[0] if x.ndim == 3 else 1)
        return orthogonal(self, x, steps)

    monkeypatch.setattr(optimizers.Muon, "zeropower_via_newtonschulz5", counted)

    def after(rows, columns, count, together=1 << 22, tiny=4096):
        monkeypatch.setattr(muon, "_TOGETHER", together)
        monkeypatch.setattr(muon, "_TINY", tiny)
        rng = np.random.default_rng(3)
        own = [pyml.Variable(rng.standard_normal((rows, columns)).astype("float32"), name=f"m{i}") for i in range(count)]
        optimizers.Muon(0.1, ns_steps=2).apply([tensor(rng.standard_normal((rows, columns))) for _ in own], own)
        return np.stack([v.numpy() for v in own])

    for shape in ((3, 5), (5, 3)):
        wanted = after(*shape, 3)
        for options in ({"together": 1}, {"together": 2 * shape[0] * shape[1]}, {"tiny": 0}):
            np.testing.assert_allclose(after(*shape, 3, **options), wanted, rtol=1e-3, atol=1e-5)
    assert groups == [3, *[1, 1, 1], *[2, 1], 3] * 2


def test_the_parts_of_a_step_of_muon_are_those_of_keras(cpu):
    muon_of_keras, x = optimizers.Muon(), np.array([[1.0, 2.0, 0.5], [0.0, 1.0, -1.0]])
    for matrix, steps, wanted in (
            (x, 5, [[0.371248722, 0.517188072, 0.410933852], [-0.225309476, 0.408800364, -0.972073913]]),
            (x.T, 2, [[0.423728108, -0.088170707], [0.75928545, 0.438423276], [0.300034761, -0.658849955]])):  # fmt: skip
        np.testing.assert_allclose(muon_of_keras.zeropower_via_newtonschulz5(tensor(matrix), steps).numpy(), wanted, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(muon_of_keras.lr_adjust(tensor(x)).numpy(), 0.2 * math.sqrt(3) * x, rtol=1e-6)
    np.testing.assert_array_equal(optimizers.Muon(rms_rate=None).lr_adjust(tensor(x)).numpy(), x)
    np.testing.assert_array_equal(muon_of_keras.transpose_last_axis(tensor([x, x])).numpy(), [x.T, x.T])
    with pytest.raises(ValueError, match=r"at least 2 dimensions. Received: shape=\(3,\)"):
        muon_of_keras.zeropower_via_newtonschulz5(tensor(x[0]), 5)


@pytest.mark.parametrize("rows, columns, count, sums", [(16, 16, 1, True), (16, 17, 1, False), (17, 16, 1, False), (16, 16, 2, False),
                                                       (8, 64, 1, True), (64, 8, 1, True), (8, 16, 4, True), (8, 16, 5, False)])
def test_products_of_at_most_4096_steps_are_sums(rows, columns, count, sums, cpu, monkeypatch):
    seen = []
    monkeypatch.setattr(muon, "_sums", lambda a, b: seen.append(1) or ops.matmul(a, b))
    optimizers.Muon().zeropower_via_newtonschulz5(ops.ones((count, rows, columns)), 1)
    assert bool(seen) == sums


# ---- optimizers of optimizers
def test_a_map_of_optimizers_gives_the_one_whose_pattern_is_the_whole_path():
    default, a, b = optimizers.SGD(0.1), optimizers.SGD(0.2), optimizers.SGD(0.3)
    made = optimizers.OptimizerMap(default, {"dense.*": a})
    made["dense/bias"] = b
    assert made.default_optimizer is default
    assert [made[key] for key in ("dense/kernel", "dense/bias", "my/dense/kernel", "other")] == [a, b, default, default]
    assert (len(made), list(made), made(named("dense/x", 1))) == (2, ["dense.*", "dense/bias"], a)
    made[".*/kernel"] = b
    with pytest.raises(ValueError, match=r"'dense/kernel' matches several patterns: dense\.\*, \.\*/kernel"):
        made["dense/kernel"]
    del made[".*/kernel"]
    assert made["dense/kernel"] is a and len(optimizers.OptimizerMap(default)) == 0
    scaled = optimizers.LossScaleOptimizer(optimizers.SGD())
    for key, value, said in ((3, a, "must be a string"), ("dense/bias", a, "has an optimizer already"), ("x", scaled, "a plain optimizer"),
                             ("x", optimizers.MultiOptimizer(made), "a plain optimizer"), ("x", "sgd", "a plain optimizer")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            made[key] = value
    for arguments, said in ((("sgd",), "default_optimizer must be"), ((default, [a]), "optimizer_map must be a dict")):
        with pytest.raises(TypeError, match=said):
            optimizers.OptimizerMap(*arguments)


def test_a_function_may_say_which_optimizer_moves_a_variable(cpu):
    slow, fast, idle = optimizers.SGD(0.25), optimizers.SGD(0.5, use_ema=True, ema_momentum=0.5), optimizers.SGD()
    optimizer = optimizers.MultiOptimizer(lambda v: slow if v.name.startswith("slow") else fast, loss_scale_factor=2.0)
    own = [named("slow", 1), named("fast", 1), named("slower", 1)]
    before = [float(v.numpy()[0]) for v in own]
    assert optimizer.optimizers == [] and float(optimizer.scale_loss(tensor(3.0))) == 6.0
    optimizer.apply([tensor([2.0])] * 3, own)
    optimizer.build(own)
    assert optimizer.optimizers == [slow, fast] and [one.loss_scale_factor for one in (slow, fast, idle)] == [2.0, 2.0, None]
    np.testing.assert_allclose([v.numpy()[0] for v in own], np.array(before) - [0.25, 0.5, 0.25], rtol=1e-5)
    assert [v.path for v in optimizer.variables].count(slow.iterations.path) >= 1
    assert len(optimizer.variables) == 2 + len(slow.variables) + len(fast.variables)
    optimizer.apply([tensor([2.0])] * 3, own)
    optimizer.finalize_variable_values(own)
    np.testing.assert_allclose([v.numpy()[0] for v in own], np.array(before) - [0.5, 0.75, 0.5], rtol=1e-5)
    for use in (lambda: optimizer.learning_rate, lambda: setattr(optimizer, "learning_rate", 0.1)):
        with pytest.raises(AttributeError, match="MultiOptimizer has no learning rate of its own"):
            use()
    for wrong in (optimizers.LossScaleOptimizer(idle), optimizer, "sgd"):
        with pytest.raises(ValueError, match="MultiOptimizer: expected a plain optimizer"):
            optimizers.MultiOptimizer(lambda v, wrong=wrong: wrong).build(own)


def test_a_map_without_variables_for_one_of_its_optimizers_leaves_it_alone(cpu):
    default, other = optimizers.SGD(0.5), optimizers.SGD(0.1)
    optimizer = optimizers.MultiOptimizer(optimizers.OptimizerMap(default, {"nothing": other}))
    own = named("w", 2)
    optimizer.apply([tensor([1.0, 1.0])], [own])
    assert (optimizer.optimizers, default.built, other.built) == ([other, default], True, False)
    assert int(other.iterations.numpy()) == 0 and int(default.iterations.numpy()) == 1


def test_a_loss_scale_takes_no_options_of_other_optimizers(cpu):
    inner = optimizers.SGD(0.5, loss_scale_factor=4.0, use_ema=True, ema_momentum=0.5)
    optimizer = optimizers.LossScaleOptimizer(inner, initial_scale=8.0, dynamic=True, use_ema=False, ema_momentum=0.99, weight_decay=None)
    assert inner.loss_scale_factor is None and float(optimizer.scale_loss(tensor(0.5))) == 4.0
    for options, said in (({"dynamic": False}, "dynamic=False is gone"), ({"use_ema": True}, "does not take use_ema"),
                          ({"ema_momentum": 0.5, "clipnorm": 1.0}, "does not take ema_momentum, clipnorm")):  # fmt: skip
        with pytest.raises(ValueError, match=said):
            optimizers.LossScaleOptimizer(inner, **options)
    own = [named("a", 2), named("b", 2)]
    before = [v.numpy() for v in own]
    optimizer.build(own)
    optimizer.build(own)
    with pytest.warns(UserWarning, match="do not exist"):
        optimizer.apply([tensor([8.0, 16.0]), None])
    np.testing.assert_allclose(own[0].numpy(), before[0] - [0.5, 1.0], rtol=1e-5)
    np.testing.assert_array_equal(own[1].numpy(), before[1])
    assert (int(optimizer.iterations.numpy()), int(optimizer.step_counter.numpy())) == (1, 1)
    optimizer.learning_rate = 0.25
    assert (optimizer.host_learning_rate, inner.host_learning_rate, optimizer.learning_rate) == (0.25, 0.25, inner.learning_rate)
    moved_to = own[0].numpy()
    optimizer.apply([tensor([8.0, 0.0]), tensor([0.0, 0.0])], own)
    optimizer.finalize_variable_values(own)
    np.testing.assert_allclose(own[0].numpy(), moved_to - [0.125, 0.0], rtol=1e-5)
    assert [v.name for v in optimizer.variables[:4]] == ["iteration", "learning_rate", "step_counter", "dynamic_scale"]
    assert optimizer.variables[4:] == inner.variables


def test_a_loss_scale_scales_once_whatever_it_wraps_and_leaves_what_is_overwritten(cpu):
    inner = optimizers.MultiOptimizer(optimizers.OptimizerMap(optimizers.SGD(0.5), {"a": optimizers.SGD(1.0)}), loss_scale_factor=4.0)
    assert [one.loss_scale_factor for one in inner.optimizers] == [4.0, 4.0]
    optimizer, own = optimizers.LossScaleOptimizer(inner, initial_scale=8.0), [named("a", 2), named("b", 2)]
    assert [one.loss_scale_factor for one in (inner, *inner.optimizers)] == [None] * 3
    before = own[0].numpy()
    own[1].overwrite_with_gradient = True
    optimizer.apply([tensor([8.0, 16.0]), tensor([3.0, 5.0])], own)
    np.testing.assert_allclose(own[0].numpy(), before - [1.0, 2.0], rtol=1e-5)
    assert own[1].numpy().tolist() == [3.0, 5.0]
    assert bool(optimizer.check_finite([tensor([1.0]), None]).numpy()) and not bool(optimizer.check_finite([tensor([np.inf])]).numpy())


def test_a_schedule_in_place_of_a_rate_takes_the_rate_out_of_the_state(cpu):
    optimizer = optimizers.Adam(0.5)
    optimizer.learning_rate = optimizers.schedules.ExponentialDecay(0.5, 1, 0.5)
    assert [v.name for v in optimizer.variables] == ["iteration"] and optimizer.host_learning_rate == 0.5


def test_gradients_that_overflow_at_the_first_step_leave_no_trace_in_the_state(cpu):
    optimizer, own = optimizers.LossScaleOptimizer(optimizers.Adam(0.1), initial_scale=4.0), named("w", 2)
    optimizer.apply([tensor([np.inf, 1.0])], [own])
    assert [v.name for v in optimizer.variables[6:]] == ["w_momentum", "w_velocity"]
    assert not any(v.numpy().any() for v in optimizer.variables[6:]) and float(optimizer.dynamic_scale.numpy()) == 2.0
    before = own.numpy()
    optimizer.apply([tensor([2.0, -4.0])], [own])
    np.testing.assert_allclose(own.numpy(), before - [0.1, -0.1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("sizes", [[], [3], [2] * 7, [1 << 14, 4], [(1 << 14) + 1, 4, 1]])
def test_a_number_that_is_not_finite_is_found_wherever_it_is(sizes, cpu):
    gradients = [np.ones(size, "float32") for size in sizes]
    assert bool(all_finite([tensor(g) for g in gradients]).numpy())
    for i, gradient in enumerate(gradients):
        for wrong in (np.inf, -np.inf, np.nan):
            gradient[-1] = wrong
            assert not bool(all_finite([tensor(g) for g in gradients]).numpy()), (i, wrong)
            gradient[-1] = 1.0
