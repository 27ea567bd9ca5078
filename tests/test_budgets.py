"""Counts that must not grow: dispatches, device calls, live buffers, peak memory. No times."""

import gc
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml.compile import emit_kernel

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))
import contender
import meter
import step_cost

BATCH = 8
BYTES = 4


def book_convnet_bench():
    return contender.train(step_cost.book_convnet(BATCH))


def test_a_book_convnet_step_takes_at_most_32_dispatches(device):
    bench = book_convnet_bench()
    with meter.Meter() as seen:
        bench.single()
    assert seen.plan.dispatches <= 32, seen.plan.explain()


# dispatches per step of three layers, as benchmarks/README.md lists them: one more in any row is a change for the worse
OF_A_STEP = {
    "SGD": 14, "RMSprop": 14, "Adam": 15, "AdamW": 15, "Adadelta": 16, "Adafactor": 19, "Adagrad": 14, "Adamax": 15, "Ftrl": 16,
    "Lamb": 18, "Lion": 14, "Muon": 18, "Nadam": 17, "ScheduleFreeAdamW": 19, "LossScaleOptimizer(Adam)": 20, "Adam(clipnorm=1.0)": 17,
    "Adam(global_clipnorm=1.0)": 20, "Adam(clipvalue=1.0)": 15, "Adam(weight_decay=0.1)": 15, "Adam(loss_scale_factor=8.0)": 15,
    "Adam(gradient_accumulation_steps=2)": 16, "Adam(use_ema=True, ema_overwrite_frequency=4)": 19,
}  # fmt: skip


def test_no_optimizer_takes_more_dispatches_than_adam_and_one_a_shape_of_the_weights(wasm):
    taken = {name: step_cost.step_of(optimizer).dispatches for name, optimizer in step_cost.optimizers().items()}
    bound = taken["Adam"] + len({tuple(w.shape) for w in step_cost.small_net().weights})
    assert {name: count for name, count in taken.items() if count > bound} == {}
    assert {name: count for name, count in taken.items() if count > OF_A_STEP[name]} == {}


def test_norms_of_larger_weights_keep_to_that_bound_too(wasm, monkeypatch):
    monkeypatch.setattr(step_cost, "WIDTHS", (64, 96, 80, 48))  # weights that no chain takes in
    made = step_cost.optimizers()
    taken = {name: step_cost.step_of(made[name]).dispatches for name in ("Adam", "Lamb", "LossScaleOptimizer(Adam)", "Adam(clipnorm=1.0)")}
    assert max(taken.values()) <= taken["Adam"] + len({tuple(w.shape) for w in step_cost.small_net().weights}), taken


def test_every_variable_of_a_book_convnet_step_is_written_in_place(device):
    bench = book_convnet_bench()
    with meter.Meter() as seen:
        bench.single()
    assert not seen.plan.copies, seen.plan.explain()


def test_metrics_that_hold_equal_counts_are_written_in_place_too(device):
    model = pyml.Sequential([pyml.Input((6,)), pyml.layers.Dense(3, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.ones((8, 6), np.float32), np.arange(8, dtype=np.int32) % 3
    with meter.Meter() as seen:
        for _ in range(3):
            model.train_on_batch(x, y)
    assert not seen.plan.copies, seen.plan.explain()
    assert [float(metric.count.numpy()) for metric in (model.metrics[0], *model.metrics[1].metrics)] == [8, 8]


def test_metrics_of_confusion_matrices_are_written_in_place_by_every_step(device):
    metrics = [pyml.metrics.AUC(num_thresholds=5), pyml.metrics.Precision(), pyml.metrics.BinaryIoU()]
    model = pyml.Sequential([pyml.Input((6,)), pyml.layers.Dense(1, activation="sigmoid")])
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=metrics)
    x, y = np.ones((8, 6), np.float32), (np.arange(8, dtype=np.float32) % 2)[:, None]
    with meter.Meter() as seen:
        for _ in range(3):
            model.train_on_batch(x, y)
    assert not seen.plan.copies, seen.plan.explain()
    auc, precision, iou = metrics
    positives = auc.true_positives.numpy() + auc.false_negatives.numpy()
    np.testing.assert_array_equal(positives, [4] * 5)  # train_on_batch begins anew each time
    assert precision.true_positives.numpy() + precision.false_positives.numpy() in (0, 8)
    assert iou.total_cm.numpy().sum() == 8


def test_a_step_of_fit_between_two_looks_at_the_loss_is_one_device_call(device, monkeypatch):
    monkeypatch.setattr("pyml.trainers.pacer.Pacer.due", lambda pacer: False)
    monkeypatch.setattr("pyml.trainers.keeper.SHARE", 1e9)   # no copies to the host but the first
    bench = book_convnet_bench()
    few, many = meter.loop_meter(bench, 2), meter.loop_meter(bench, 10)
    added = {name: many.counts[name] - few.counts[name] for name in meter.WORK}
    assert (added["replay"], added["write"], added["read"]) == (8, 0, 0)


def test_a_step_of_fit_with_a_look_at_the_loss_takes_3_device_calls(device, monkeypatch):
    monkeypatch.setattr("pyml.trainers.pacer.Pacer.due", lambda pacer: True)
    monkeypatch.setattr("pyml.trainers.keeper.SHARE", 1e9)
    bench = book_convnet_bench()
    few, many = meter.loop_meter(bench, 2), meter.loop_meter(bench, 6)
    added = {name: many.counts[name] - few.counts[name] for name in meter.WORK}
    assert (added["replay"], added["write"], added["read"]) == (8, 0, 4)


def test_a_train_on_batch_writes_two_arrays_replays_once_and_reads_once(device):
    bench = book_convnet_bench()
    for _ in range(2):
        bench.single()
    with meter.Meter() as seen:
        for _ in range(4):
            bench.single()
    work = {name: seen.counts[name] / 4 for name in ("write", "replay", "read", "record", "alloc", "prepare")}
    assert work == {"write": 2, "replay": 1, "read": 1, "record": 0, "alloc": 0, "prepare": 0}


def test_live_buffers_and_bytes_stay_the_same_from_step_20_to_step_150(device):
    model = pyml.Sequential([
        pyml.Input((6, 6, 1)), pyml.layers.Conv2D(2, 3, activation="relu"), pyml.layers.Flatten(),
        pyml.layers.Dropout(0.2), pyml.layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.ones((8, 6, 6, 1), np.float32), np.arange(8, dtype=np.int32) % 3

    def steps(n):
        for _ in range(n):
            model.train_on_batch(x, y)
        gc.collect()
        now = meter.memory()
        return now["buffers"], now["bytes"]

    at_20 = steps(20)
    assert steps(130) == at_20


@pytest.mark.slow
def test_a_long_fit_holds_no_more_than_a_short_one(device):
    bench = book_convnet_bench()
    x, y = bench.x, bench.y

    def after_epochs(n):
        bench.model.fit(x, y, batch_size=BATCH // 2, epochs=n, verbose=0)
        gc.collect()
        now = meter.memory()
        return now["buffers"], now["bytes"]

    after_epochs(2)   # the first fit compiles
    assert after_epochs(8) == after_epochs(2)


def test_peak_memory_is_at_most_1_3_times_the_live_set(device):
    gc.collect()
    before = meter.memory()["bytes"]
    with meter.Meter() as seen:
        bench = book_convnet_bench()
        for _ in range(3):
            bench.single()
    plan = seen.plan
    state = [*bench.model.variables, *bench.model.optimizer.variables]
    arrays = [np.prod(v.shape, dtype=int) for v in state] + [bench.x.size, bench.y.size]
    live_set = BYTES * (sum(arrays) + sum(node.size for node in plan.outs)) + plan.live_bytes
    assert seen.peak_bytes - before <= 1.3 * live_set, (seen.peak_bytes - before, live_set, plan.explain())


@pytest.mark.parametrize(("threads", "size"), [
    (1, 8), (31, 8), (32, 16), (127, 16), (128, 32), (511, 32), (512, 64), (65535 * 64, 64), (65535 * 64 + 1, 64), (1 << 30, 64),
])  # fmt: skip
def test_a_grid_covers_its_threads_and_few_threads_make_more_than_one_group(threads, size):
    found, (x, y, z), (index, check) = emit_kernel.launch(threads)
    assert found == size and z == 1 and max(x, y) <= 65535
    assert threads <= x * y * size < threads + (size if y == 1 else x * size)
    assert check == f"if (i >= {threads}u) {{ return; }}"
    assert index == ("let i = gid.x;" if y == 1 else f"let i = gid.x + gid.y * {x * size}u;")


def test_more_threads_than_webgpu_can_dispatch_are_refused():
    with pytest.raises(pyml.errors.ShapeError, match="larger than WebGPU can dispatch"):
        emit_kernel.launch(65536 * 32768 * 64)


def python_calls(function):
    """Python functions, written in Python or in C, that a call of `function` calls."""
    made = [0]

    def count(frame, event, arg):
        made[0] += event in ("call", "c_call")

    gc.collect()
    gc.disable()  # what it takes away has functions of its own, and buffers that the next call takes back
    try:
        function()
        sys.setprofile(count)
        function()
    finally:
        sys.setprofile(None)
        gc.enable()
    return made[0]


def test_python_does_no_more_in_a_step_of_a_deep_model_than_in_one_of_a_flat_model(wasm, monkeypatch):
    monkeypatch.setattr("pyml.trainers.pacer.Pacer.due", lambda pacer: False)
    monkeypatch.setattr("pyml.trainers.keeper.SHARE", 1e9)

    def calls(depth):
        model = pyml.Sequential([pyml.Input((4,)), *(pyml.layers.Dense(4) for _ in range(depth))])
        model.compile(optimizer="adam", loss="mse", metrics=["mae"])
        x, y = np.ones((8, 4), np.float32), np.ones((8, 4), np.float32)
        fit = lambda steps: model.fit(np.ones((2 * steps, 4), np.float32), np.ones((2 * steps, 4), np.float32), 2, verbose=0)
        found = {}
        for name, run in {"train_on_batch": lambda: model.train_on_batch(x, y), "test_on_batch": lambda: model.test_on_batch(x, y),
                          "predict_on_batch": lambda: model.predict_on_batch(x)}.items():  # fmt: skip
            for _ in range(3):
                run()
            found[name] = python_calls(run)
        of_fit = []
        for steps in (2, 12):
            for _ in range(3):
                fit(steps)
            of_fit.append(python_calls(lambda steps=steps: fit(steps)))
        found["ten steps of fit"] = of_fit[1] - of_fit[0]
        return found

    flat, deep = calls(1), calls(12)
    assert deep == flat
    assert max(flat.values()) < 1500, flat  # about 290 a batch, 135 a step of fit


def test_a_call_outside_of_programs_takes_few_python_functions(wasm, monkeypatch):
    monkeypatch.setattr("pyml.layers.added_losses._holding", weakref.WeakSet())  # other tests' models may hold losses,
    monkeypatch.setattr("pyml.compile.program._scratch", weakref.WeakKeyDictionary())  # and their programs temporaries
    model = pyml.Sequential([pyml.Input((20,)), pyml.layers.Dense(8, activation="relu"), pyml.layers.Dense(3, activation="softmax")])
    x = np.ones((4, 20), np.float32)
    on_device = pyml.convert_to_tensor(x)
    found = {}
    for name, run in {"a layer": lambda: model.layers[0](on_device), "a model": lambda: model(on_device),
                      "of an array, and read": lambda: model(x).numpy()}.items():  # fmt: skip
        for _ in range(4):
            run()
        pyml.core.tensor.nothing_pending()  # else some hundredth value is computed in one of these calls
        found[name] = python_calls(run)
    assert all(found[name] < most for name, most in {"a layer": 220, "a model": 480, "of an array, and read": 1320}.items()), found


def test_losses_that_are_gone_cost_no_walk_through_the_layers():
    module = sys.modules["pyml.layers.added_losses"]
    model = pyml.Sequential([pyml.Input((3,)), pyml.layers.ActivityRegularization(l2=1.0), pyml.layers.Dense(2)])
    x = pyml.convert_to_tensor(np.ones((1, 3), np.float32))
    model(x)
    holder = model.layers[0]
    assert len(model.losses) == 1 and holder in module._holding
    holder.activity_regularizer = None
    model(x)
    assert not model.losses and holder not in module._holding


def test_steps_of_a_stencil_do_not_compute_each_other_again(gpu):
    def step(x, roll):
        return x + 0.2 * (roll(x, 1, 0) + roll(x, -1, 0) + roll(x, 1, 1) + roll(x, -1, 1) - 4 * x)

    x = wanted = np.random.default_rng(0).uniform(size=(10, 10)).astype("float32")
    with meter.Meter() as seen:
        found = pyml.ops.convert_to_tensor(x)
        for _ in range(8):  # one kernel would compute the first step at 9^8 places
            found = step(found, pyml.ops.roll)
        found = pyml.ops.convert_to_numpy(found)
    for _ in range(8):
        wanted = step(wanted, np.roll)
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    assert 4 <= seen.plan.dispatches <= 8, seen.plan.explain()
