"""`GradientTape` as TensorFlow's documentation and the books on it use it: the values they print, and whole training loops."""

from __future__ import annotations

import gc
import itertools

import numpy as np
import pytest

import pyml
from pyml import GradientTape, ops
from pyml.compile import program as runner
from pyml.errors import NotDifferentiable, ShapeError

pytestmark = pytest.mark.in_turn


def constant(*values):
    return ops.convert_to_tensor(np.array(values, np.float32))


def either(inside):
    """A function as it is, or as a program."""
    return pyml.program if inside else lambda f: f


INSIDE = pytest.mark.parametrize("inside", [False, True], ids=["eagerly", "in a program"])


# ---- what is watched
@INSIDE
def test_variables_are_watched_by_themselves_and_tensors_when_asked(device, inside):
    v, frozen, x = pyml.Variable(3.0), pyml.Variable(2.0, trainable=False), constant(5.0)

    @either(inside)
    def step(x, watch):
        with GradientTape() as tape:
            if watch:
                tape.watch([x, frozen])
            y = v * v * x * frozen
        return tape.gradient(y, {"v": v, "more": [x, frozen]})

    found = step(x, False)
    assert found["v"].item() == 60.0 and found["more"] == [None, None]
    found = step(x, True)
    assert (found["v"].item(), found["more"][0].item(), found["more"][1].item()) == (60.0, 18.0, 45.0)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_variables_and_tensors_of_16_bits_have_gradients_of_16_bits(dtype):
    v, x = pyml.Variable(3.0, dtype=dtype), ops.cast(5.0, dtype)
    with GradientTape() as tape:
        tape.watch(x)
        y = v * v * x
    assert [(g.item(), g.dtype) for g in tape.gradient(y, [v, x])] == [(30.0, dtype), (9.0, dtype)]


def test_a_tape_that_watches_nothing_by_itself_watches_what_it_is_told():
    a, b = pyml.Variable(2.0), pyml.Variable(3.0)
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(a)
        y = a * b
    assert tape.watched_variables() == (a,)
    first, second = tape.gradient(y, [a, b])
    assert first.item() == 3.0 and second is None


def test_watched_variables_are_those_that_were_read_in_their_order():
    a, b, c = (pyml.Variable(float(i)) for i in range(3))
    with GradientTape() as tape:
        b + a
        b + b
    assert tape.watched_variables() == (b, a) and c not in tape.watched_variables()


def test_only_what_was_computed_while_the_tape_recorded_has_gradients():
    x = constant(2.0)
    before = x * 3.0
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        inside = x * x
        late = before * x
        with tape.stop_recording():
            hidden = inside * 10.0
    after = inside * 5.0
    assert tape.gradient(inside, x).item() == 4.0
    assert tape.gradient(late, x).item() == 6.0  # not through what was there before
    assert tape.gradient(hidden, x) is None and tape.gradient(after, x) is None


def test_a_value_that_is_read_before_the_gradient_is_asked_for_keeps_it(device):
    v = pyml.Variable(3.0)
    with GradientTape() as tape:
        y = v * v
        z = y * y
    assert (float(z), float(y)) == (81.0, 9.0)
    assert tape.gradient(z, v).item() == 108.0


@INSIDE
def test_intermediate_tensors_may_be_sources(inside):
    @either(inside)
    def step(x):
        with GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = x * x
            z = y * y
        return tape.gradient(z, y), tape.gradient(z, [x])[0], tape.gradient(x, x)

    assert [g.item() for g in step(constant(2.0))] == [8.0, 32.0, 1.0]


def test_a_variable_may_be_the_target():
    """The guide of TensorFlow: only what was connected in the branch that was taken has a gradient."""
    first, second, x = pyml.Variable(1.0), pyml.Variable(2.0), ops.convert_to_tensor(1.0)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        result = first if x > 0.0 else second**2
    through_first, through_second, through_x = tape.gradient(result, [first, second, x])
    assert through_first.item() == 1.0 and through_second is None and through_x is None


def test_an_assigned_variable_is_a_new_beginning():
    v, x = pyml.Variable(3.0), ops.convert_to_tensor(2.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = v * v
        v.assign(x * 5.0)
        z = y + v * v
    through_v, through_x = tape.gradient(z, [v, x])
    assert through_v.item() == 6.0 + 20.0 and through_x is None


# ---- answers
def test_targets_are_added_up_and_may_be_weighed():
    x = pyml.Variable([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        y = {"a": x * x, "b": [x * 3.0]}
    assert tape.gradient(y, x).tolist() == [5.0, 7.0]
    assert tape.gradient(y["a"], x, output_gradients=constant(10.0, 1.0)).tolist() == [20.0, 4.0]
    assert tape.gradient(y, x, output_gradients={"a": None, "b": [constant(0.0, 1.0)]}).tolist() == [2.0, 7.0]


def test_sources_that_have_no_part_get_none_or_zeros():
    x, other = pyml.Variable([1.0, 2.0]), pyml.Variable([[1.0]])
    with GradientTape(persistent=True) as tape:
        y = ops.stop_gradient(x) * 2.0 + ops.sum(x * x)
    assert tape.gradient(y, [other]) == [None]
    assert tape.gradient(y, other, unconnected_gradients="zero").tolist() == [[0.0]]
    assert tape.jacobian(y, other) is None
    assert tape.jacobian(y, other, unconnected_gradients="zero").shape == (2, 1, 1)


def test_what_is_flat_everywhere_cuts_gradients_off_and_integers_have_none():
    flat = [ops.round, ops.floor, lambda x: ops.cast(x > 1.0, "float32"), lambda x: ops.cast(ops.argmax(x), "float32")]
    x = pyml.Variable([1.0, 2.0])
    for f in flat:
        with GradientTape() as tape:
            y = f(x)
        assert tape.gradient(y, x) is None
        assert pyml.grad(lambda x, f=f: ops.sum(f(x)) + x[0])(constant(1.0, 2.0)).tolist() == [1.0, 0.0]
        model = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(2)])
        model.compile("sgd", lambda y_true, y_pred, f=f: f(y_pred))
        with pytest.raises(ValueError, match="No gradients provided"):
            model.fit(np.ones((2, 2)), np.ones((2, 2)), verbose=0)
    with pytest.raises(NotDifferentiable, match="int32"):
        pyml.grad(ops.argmax)(constant(1.0, 2.0))


def test_a_tape_that_is_not_persistent_answers_once():
    x = pyml.Variable(1.0)
    with GradientTape() as tape:
        y = x * x
    tape.gradient(y, x)
    with pytest.raises(RuntimeError, match="can only be used to compute one set of gradients"):
        tape.gradient(y, x)
    tape.reset()
    with tape:
        y = x * 3.0
    assert tape.gradient(y, x).item() == 3.0


def test_a_tape_asked_inside_of_itself_stops_recording():
    x = pyml.Variable(2.0)
    with GradientTape() as tape:
        y = x * x
        g = tape.gradient(y, x)
        x * 5.0
    assert g.item() == 4.0 and pyml.core.trace.gradient_depth() == 0 and not pyml.core.trace.tapes()


def test_reset_forgets_what_was_recorded():
    x = pyml.Variable(2.0)
    with GradientTape() as tape:
        y = x * x
        tape.reset()
        z = x * 3.0
    assert tape.gradient([y, z], x).item() == 3.0


# ---- derivatives of derivatives
@INSIDE
def test_nested_tapes_give_second_and_third_derivatives(device, inside):
    v = pyml.Variable(2.0)

    @either(inside)
    def step():
        with GradientTape() as outermost:
            with GradientTape() as outer:
                with GradientTape() as inner:
                    y = v**4
                first = inner.gradient(y, v)
            second = outer.gradient(first, v)
        return first, second, outermost.gradient(second, v)

    assert [g.item() for g in step()] == [32.0, 48.0, 48.0]


@INSIDE
def test_a_gradient_penalty_trains(inside):
    critic = pyml.Sequential([pyml.Input((3,)), pyml.layers.Dense(4, activation="tanh"), pyml.layers.Dense(1)])
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)

    @either(inside)
    def gradients(x):
        with GradientTape() as outer:
            with GradientTape() as tape:
                tape.watch(x)
                scores = critic(x)
            slopes = tape.gradient(scores, x)
            penalty = ops.mean((ops.sqrt(ops.sum(slopes * slopes, axis=1)) - 1.0) ** 2)
        return penalty, outer.gradient(penalty, critic.trainable_variables)

    _, grads = gradients(ops.convert_to_tensor(x))
    assert grads[-1] is None  # the last bias has no part in slopes
    kernel, step = critic.layers[0].kernel, 1e-2
    at = kernel.numpy()
    sides = []
    for sign in (-1, 1):
        moved = at.copy()
        moved[1, 2] += sign * step
        kernel.assign(moved)
        sides.append(float(gradients(ops.convert_to_tensor(x))[0]))
    assert abs((sides[1] - sides[0]) / (2 * step) - grads[0].numpy()[1, 2]) < 1e-3


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_a_gradient_penalty_goes_through_recurrent_layers(cpu, kind):
    rng = np.random.default_rng(0)
    layer = getattr(pyml.layers, kind)(3, return_sequences=True, bias_initializer="uniform", recurrent_initializer="uniform")
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    mask = np.array([[1, 1, 0, 1], [1, 1, 1, 0]], bool)

    def penalty(x):
        with GradientTape() as tape:
            tape.watch(x)
            score = ops.sum(ops.sin(layer(x, mask=mask)))
        return ops.sum(tape.gradient(score, x) ** 2)

    layer(x)
    point = ops.convert_to_tensor(x)
    with GradientTape() as tape:
        tape.watch(point)
        loss = penalty(point)
    sources = [point, *layer.trainable_variables]
    found = tape.gradient(loss, sources)
    along = [rng.normal(size=s.shape).astype("float32") * 0.1 for s in sources]
    values = [s.numpy() for s in sources]

    def at(step):
        for variable, value, d in zip(sources[1:], values[1:], along[1:], strict=True):
            variable.assign(value + step * d)
        return penalty(ops.convert_to_tensor(values[0] + np.float32(step) * along[0])).item()

    slope = sum(float((g.numpy() * d).sum()) for g, d in zip(found, along, strict=True))
    assert slope == pytest.approx((at(0.05) - at(-0.05)) / 0.1, rel=5e-3)


@INSIDE
def test_jacobians_have_all_derivatives(device, inside):
    x, w = constant(1.0, 2.0, 3.0), pyml.Variable(np.arange(6, dtype=np.float32).reshape(3, 2))

    @either(inside)
    def step(x):
        with GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = ops.tanh(ops.matmul(ops.reshape(x, (1, 3)), w) * 0.1)
        return tape.jacobian(y, [x, w])

    by_x, by_w = step(x)
    slope = 0.1 * (1 - np.tanh(np.array([[16.0, 22.0]]) * 0.1) ** 2)
    np.testing.assert_allclose(by_x, slope[:, :, None] * w.numpy().T[None], rtol=1e-4)
    assert by_w.shape == (1, 2, 3, 2)
    np.testing.assert_allclose(by_w.numpy()[0, 1, :, 1], slope[0, 1] * np.array([1, 2, 3]), rtol=1e-4)
    np.testing.assert_allclose(by_w.numpy()[0, 1, :, 0], 0.0)


def test_a_hessian_is_the_jacobian_of_a_gradient():
    x = pyml.Variable([1.0, 2.0])
    with GradientTape() as outer:
        with GradientTape() as inner:
            y = x[0] ** 2 * x[1]
        g = inner.gradient(y, x)
    assert outer.jacobian(g, x).tolist() == [[4.0, 2.0], [2.0, 0.0]]


def test_batch_jacobian_is_a_jacobian_for_each_sample(device):
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    layer = pyml.layers.Dense(2, activation="tanh")
    layer(x)
    with GradientTape(persistent=True) as tape:
        t = ops.convert_to_tensor(x)
        tape.watch(t)
        y = layer(t)
    each, whole = tape.batch_jacobian(y, t), tape.jacobian(y, t)
    np.testing.assert_allclose(each, np.stack([whole.numpy()[i, :, i] for i in range(4)]), rtol=1e-5)
    with pytest.raises(ValueError, match="the same size along their first axis"):
        tape.batch_jacobian(y, ops.ones((3, 3)))


# ---- a chapter, as books on deep learning tell it
def test_speed_and_acceleration_of_a_fall_are_nested_tapes(device):
    time = pyml.Variable(3.0)
    with GradientTape() as outer:
        with GradientTape() as inner:
            position = 4.9 * time**2
        speed = inner.gradient(position, time)
    acceleration = outer.gradient(speed, time)
    assert (round(speed.item(), 4), round(acceleration.item(), 4)) == (29.4, 9.8)


def test_a_linear_classifier_in_pure_functions_separates_two_clouds(device):
    rng = np.random.default_rng(1)
    spread = [[1, 0.5], [0.5, 1]]
    clouds = [rng.multivariate_normal(mean, spread, 200).astype(np.float32) for mean in ([0, 3], [3, 0])]
    inputs, targets = np.vstack(clouds), np.vstack([np.zeros((200, 1)), np.ones((200, 1))]).astype(np.float32)
    W = pyml.Variable(np.float32([[0.3], [-0.2]]))
    b = pyml.Variable(pyml.initializers.Zeros()((1,)))

    def model(inputs):
        return ops.matmul(inputs, W) + b

    def square_loss(targets, predictions):
        return ops.mean(ops.square(ops.subtract(targets, predictions)))

    def training_step(inputs, targets):
        with GradientTape() as tape:
            loss = square_loss(targets, model(inputs))
        by_w, by_b = tape.gradient(loss, [W, b])
        W.assign_sub(by_w * 0.1)
        b.assign_sub(by_b * 0.1)
        return loss

    losses = [float(training_step(inputs, targets)) for _ in range(40)]
    w, c = np.array([[0.3], [-0.2]]), np.zeros(1)  # the same steps by their formulas
    for loss in losses:
        error = inputs @ w + c - targets
        assert abs(loss - (error**2).mean()) < 1e-4
        w, c = w - 0.1 * 2 * inputs.T @ error / len(inputs), c - 0.1 * 2 * error.mean(0)
    assert losses[-1] < 0.05 and ((model(inputs).numpy() > 0.5) == targets).mean() > 0.98


# ---- training
@INSIDE
def test_the_training_loop_of_the_books_fits_as_fit_does(device, inside):
    x = np.random.default_rng(0).normal(size=(32, 4)).astype(np.float32)
    y = (x @ np.arange(4, dtype=np.float32))[:, None]

    def made():
        pyml.utils.set_random_seed(3)
        return pyml.Sequential([pyml.Input((4,)), pyml.layers.Dense(8, activation="relu"), pyml.layers.Dense(1)])

    model, optimizer, loss_fn = made(), pyml.optimizers.Adam(0.05), pyml.losses.MeanSquaredError()

    @either(inside)
    def train_step(x, y):
        with GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        return loss

    losses = [float(train_step(x, y)) for _ in range(5)]
    other = made()
    other.compile(pyml.optimizers.Adam(0.05), "mse")
    history = other.fit(x, y, batch_size=32, epochs=5, shuffle=False, verbose=0)
    np.testing.assert_allclose(losses, history.history["loss"], rtol=1e-4)


def test_steps_outside_of_programs_do_not_grow(monkeypatch):
    """Nobody reads a loss, and yet each step is the plan of the one before."""
    model, optimizer = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(3)]), pyml.optimizers.SGD(0.1, momentum=0.9)
    x, made, make = np.ones((4, 2), np.float32), [], runner.make_plan

    def step():
        with GradientTape() as tape:
            loss = ops.mean(model(x) ** 2)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)

    for _ in range(3):
        step()
    monkeypatch.setattr(runner, "make_plan", lambda *args, **kwargs: made.append(1) or make(*args, **kwargs))
    for _ in range(20):
        step()
    assert not made


@INSIDE
def test_a_gan_trains_with_two_tapes(inside):
    pyml.utils.set_random_seed(0)
    generator = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(8, activation="relu"), pyml.layers.Dense(2)])
    judge = pyml.Sequential([pyml.Input((2,)), pyml.layers.Dense(8, activation="relu"), pyml.layers.Dense(1)])
    of_generator, of_judge = pyml.optimizers.Adam(0.01), pyml.optimizers.Adam(0.01)
    entropy = pyml.losses.BinaryCrossentropy(from_logits=True)

    @either(inside)
    def train_step(real, noise):
        with GradientTape() as generator_tape, GradientTape() as judge_tape:
            fake = generator(noise, training=True)
            said_real, said_fake = judge(real, training=True), judge(fake, training=True)
            generator_loss = entropy(ops.ones_like(said_fake), said_fake)
            judge_loss = entropy(ops.ones_like(said_real), said_real) + entropy(ops.zeros_like(said_fake), said_fake)
        for tape, loss, model, optimizer in ((generator_tape, generator_loss, generator, of_generator),
                                             (judge_tape, judge_loss, judge, of_judge)):  # fmt: skip
            grads = tape.gradient(loss, model.trainable_variables)
            assert all(g is not None for g in grads)
            optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        return generator_loss, judge_loss

    rng = np.random.default_rng(0)
    losses = []
    for _ in range(40):
        real, noise = rng.normal(3.0, 0.2, (16, 2)).astype(np.float32), rng.normal(size=(16, 2)).astype(np.float32)
        losses.append([float(v) for v in train_step(real, noise)])
    first, last = losses[0], losses[-1]
    assert np.isfinite(losses).all() and last[1] < first[1]  # the judge learns to tell them apart


@INSIDE
def test_gradient_ascent_on_an_image_raises_what_it_climbs(device, inside):
    net = pyml.Sequential([pyml.Input((8, 8, 1)), pyml.layers.Conv2D(4, 3, activation="relu"), pyml.layers.GlobalAveragePooling2D()])

    @either(inside)
    def ascend(image):
        with GradientTape() as tape:
            tape.watch(image)
            score = ops.mean(net(image)[:, 2])
        slope = tape.gradient(score, image)
        slope = slope / ops.maximum(ops.sqrt(ops.mean(slope * slope)), 1e-6)
        return score, image + 0.1 * slope

    image, scores = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(1, 8, 8, 1)).astype(np.float32)), []
    for _ in range(10):
        score, image = ascend(image)
        scores.append(float(score))
    assert all(b > a for a, b in itertools.pairwise(scores))


def test_a_train_step_of_ones_own_with_a_tape_runs_in_fit(device):
    class Custom(pyml.Model):
        def __init__(self):
            super().__init__()
            self.dense = pyml.layers.Dense(1)

        def call(self, x):
            return self.dense(x)

        def train_step(self, data):
            x, y = data
            with GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics}

    x = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
    model = Custom()
    model.compile(pyml.optimizers.SGD(0.1), "mse", metrics=["mae"])
    history = model.fit(x, x.sum(1, keepdims=True), epochs=8, verbose=0).history
    assert history["loss"][-1] < 0.1 * history["loss"][0] and history["mae"][-1] < history["mae"][0]


def test_gradients_go_through_loops_and_layers_that_loop(device):
    lstm, x = pyml.layers.GRU(3, reset_after=False), np.ones((2, 5, 4), np.float32)
    lstm(x)
    scale = pyml.Variable(2.0)
    with GradientTape() as tape:
        y = ops.sum(lstm(x)) + ops.fori_loop(0, 3, lambda i, v: v * scale, 1.0)
    grads = tape.gradient(y, [*lstm.trainable_variables, scale])
    assert all(np.abs(g.numpy()).sum() > 0 for g in grads) and grads[-1].item() == 12.0


def test_a_program_that_is_called_inside_a_tape_is_differentiated():
    square = pyml.program(lambda x: x * x)
    x = pyml.Variable(3.0)
    with GradientTape() as tape:
        y = square(x) * 2.0
    assert tape.gradient(y, x).item() == 12.0


def test_a_tape_lets_go_of_what_it_recorded():
    import weakref

    x = pyml.Variable([1.0, 2.0])
    with GradientTape() as tape:
        y = x * x
    node = weakref.ref(y._node.src[0])
    tape.gradient(y, x).numpy()
    y.numpy()
    del y
    gc.collect()
    assert node() is None or node().op.name == "variable_read"


# ---- errors
def test_errors_say_what_was_expected():
    x, n = pyml.Variable(1.0), ops.convert_to_tensor([1])
    with GradientTape(persistent=True) as tape:
        y = x * x
        with pytest.raises(ValueError, match="is already recording"), tape:
            pass
        with pytest.raises(ValueError, match=r"expected tensors or Variables.*ndarray"):
            tape.watch(np.ones(2))
        with pytest.warns(UserWarning, match="int32 tensors have no gradients"):
            tape.watch(n)
    with pytest.raises(ValueError, match='must be "none" or "zero"'):
        tape.gradient(y, x, unconnected_gradients="maybe")
    with pytest.raises(ValueError, match="sources must be tensors or Variables"):
        tape.gradient(y, 3.0)
    with pytest.raises(ShapeError, match="output_gradients must have the shape"):
        tape.gradient(y, x, output_gradients=ops.ones(3))
    with pytest.raises(ValueError, match="one tensor, or None, for each of 1 targets"):
        tape.gradient(y, x, output_gradients=[ops.ones(2), ops.ones(2)])
    with pytest.warns(UserWarning, match="the target is int32"):
        assert tape.gradient(n, x) is None
    with pytest.raises(ValueError, match="is not recording"), tape.stop_recording():
        pass
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        GradientTape().gradient(y, x)
    with pytest.raises(NotDifferentiable, match="'params'\\['w'\\]\\[0\\] holds int32"):
        pyml.grad(lambda params: 0.0)({"w": [n]})
