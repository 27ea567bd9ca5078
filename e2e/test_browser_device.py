"""pyml/device/browser.py in Chromium: bytes, replay, errors, and ops against numpy in the same Pyodide."""

import textwrap

import pytest

from .python_page import PythonPage

KERNEL = '''
import numpy as np, pyml
from pyml import config, ops
from pyml.device.base import Copy, DeviceKernel, Dispatch
device = config.device()
twice = """@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) g: vec3u) {
  if (g.x < 100u) { y[g.x] = x[g.x] * 2.0; }
}"""
a, b = device.alloc(400), device.alloc(400)
kernel = DeviceKernel("twice", twice, ("read", "read_write"), (2, 1, 1))
await device.prepare([kernel])
step = device.record([Dispatch(kernel, (a, b)), Copy(b, a, 400)])
def raised(f):
    try:
        f()
    except Exception as error:
        return [type(error).__name__, str(error)]
'''


@pytest.fixture(scope="module")
def worker(pythons):
    """Python in a Web Worker on WebGPU."""
    python = pythons("backend=webgpu")
    python.page.evaluate("(code) => pyml.runPython(code)", KERNEL)
    return python


def test_the_adapter_is_named_and_known_to_be_software(worker):
    assert worker.info["backend"] == "webgpu" and "swiftshader" in worker.info["summary"]
    assert worker.run("[device.profile.family, device.info['type']]") == ["register", "software"]


def test_arrays_of_any_dtype_and_size_go_up_and_come_back(worker):
    assert (
        worker.run("""
        arrays = [np.arange(7, dtype=np.float32), np.float32(3).reshape(()), np.arange(6, dtype=np.uint32),
                  np.array([1, 2, 3], np.uint8), np.arange(5, dtype=np.float16), np.zeros((0, 4), np.float32)]
        same = []
        for array in arrays:
            buffer = device.alloc(array.nbytes)
            device.write(buffer, array)
            same.append(bytes(await device.read(buffer, array.nbytes)) == array.tobytes())
        same
    """)
        == [True] * 6
    )


def test_a_recording_replays_its_dispatches_and_copies(worker):
    assert worker.run("""
        device.write(a, np.ones(100, np.float32))
        for _ in range(5):
            device.replay(step)
        np.frombuffer(device.sync_wait(device.read(a, 400)), np.float32)[[0, 99]].tolist()
    """) == [32.0, 32.0]


def test_uploads_and_replays_keep_their_order(worker):
    assert worker.run("""
        device.write(a, np.full(100, 1, np.float32))
        device.replay(step)
        first = device.read(a, 4)
        device.write(a, np.full(100, 10, np.float32))
        device.replay(step)
        device.write(a, np.full(100, 100, np.float32))
        second = device.read(a, 4)
        [float(np.frombuffer(await each, np.float32)[0]) for each in (first, second)]
    """) == [2.0, 100.0]


CALLS = """
    class Counting:
        def __init__(self, engine):
            self.engine, self.calls = engine, []
        def __getattr__(self, name):
            def counted(*args):
                self.calls.append(name)
                return getattr(self.engine, name)(*args)
            return counted
    counting = Counting(device._engine)
    kept = device._engine, device._replay, device._write
    device._engine, device._replay, device._write = counting, counting.replay, counting.write
    from pyml import Input, Sequential, layers
    model = Sequential([
        Input((28, 28, 1)), layers.Conv2D(8, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(),
        layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.random.rand(64, 28, 28, 1).astype("float32"), np.zeros(64, "int32")
    for _ in range(2):
        model.train_on_batch(x, y)
    counting.calls.clear()
    for _ in range(3):
        model.train_on_batch(x, y)
    calls = counting.calls
    device._engine, device._replay, device._write = kept
    calls
"""


def test_a_replayed_train_step_is_one_call_and_reading_its_loss_another(worker):
    assert worker.run(CALLS) == ["replay", "read"] * 3


def test_freed_buffers_are_used_again(worker):
    assert (
        worker.run("""
        before = device.usage.buffers
        for _ in range(20):
            kept = device.alloc(12345)
        device.usage.buffers - before
    """)
        <= 2
    )


def test_a_kernel_that_does_not_compile_raises_with_its_name_and_line(worker):
    name, message = worker.run("""
        bad = DeviceKernel("my_kernel", twice.replace("2.0", "nope"), ("read", "read_write"), (1, 1, 1))
        raised(lambda: device.sync_wait(device.prepare([bad])))
    """)
    assert name == "KernelError" and "my_kernel: line 4: unresolved value 'nope'" in message


def test_an_array_larger_than_the_adapter_binds_says_both_sizes(worker):
    name, message = worker.run("raised(lambda: device.alloc(1 << 34))")
    assert name == "BufferTooLarge" and "17,179,869,184" in message and "binds at most" in message


OPS = """
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 7)).astype(np.float32); y = rng.normal(size=(5, 7)).astype(np.float32)
    w = rng.normal(size=(7, 6)).astype(np.float32); i = np.array([4, 0, 2])
    softmax = np.exp(x - x.max(1, keepdims=True)); softmax /= softmax.sum(1, keepdims=True)
    image = rng.normal(size=(2, 8, 8, 3)).astype(np.float32)
    cases = {
        "add": (ops.add(x, y), x + y),
        "broadcast": (ops.multiply(x, y[:1]), x * y[:1]),
        "tanh": (ops.tanh(x), np.tanh(x)),
        "exp": (ops.exp(x), np.exp(x)),
        "where": (ops.where(x > 0, x, y), np.where(x > 0, x, y)),
        "sum": (ops.sum(x, axis=0), x.sum(0)),
        "mean": (ops.mean(x), x.mean()),
        "max": (ops.max(x, axis=1), x.max(1)),
        "argmax": (ops.argmax(x, axis=1), x.argmax(1)),
        "matmul": (ops.matmul(x, w), x @ w),
        "transpose": (ops.transpose(x), x.T),
        "reshape": (ops.reshape(x, (7, 5)), x.reshape(7, 5)),
        "concatenate": (ops.concatenate([x, y], axis=1), np.concatenate([x, y], 1)),
        "take": (ops.take(x, i, axis=0), x[i]),
        "softmax": (ops.softmax(x), softmax),
        "max_pool": (ops.max_pool(image, 2), image.reshape(2, 4, 2, 4, 2, 3).max((2, 4))),
        "fused": (ops.sum(ops.square(ops.relu(x * 2.0 + y)), axis=1), (np.maximum(x * 2 + y, 0) ** 2).sum(1)),
    }
    wrong = {}
    for name, (ours, theirs) in cases.items():
        got = await ours.data()
        if got.shape != np.shape(theirs) or not np.allclose(got, theirs, rtol=1e-4, atol=1e-4):
            wrong[name] = [str(got), str(theirs)]
    wrong
"""


def test_ops_compute_what_numpy_computes(worker):
    assert worker.run(OPS) == {}


def test_values_read_without_await_where_the_browser_can_wait(worker):
    assert worker.info["canWait"]
    assert worker.run("ops.sum(ops.ones((3, 4))).numpy().item()") == 12


SMALL = """
    from pyml import Input, Sequential, layers
    model = Sequential([Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")
    x = np.random.default_rng(1).normal(size=(256, 8)).astype("float32")
    y = x.sum(1, keepdims=True)
"""


def test_fit_written_as_on_the_desktop_trains_where_the_browser_can_wait(worker):
    losses = worker.run(SMALL + '    model.fit(x, y, epochs=3, verbose=0).history["loss"]')
    assert len(losses) == 3 and losses[2] < losses[0]


def test_buffers_stay_constant_from_step_20_on(worker):
    steps = """
    counts = []
    for step_number in range(1, 121):
        loss = model.train_on_batch(x, y)
        if step_number % 20 == 0:
            counts.append([device.usage.buffers, device.usage.live_bytes])
    """
    counts = worker.run(SMALL + steps + "counts")
    assert all(count == counts[0] for count in counts)


def test_without_jspi_reading_asks_for_await_and_await_works(profile, site):
    python = PythonPage(profile.new_page(), site, "backend=webgpu&jspi=off")
    assert not python.info["canWait"]
    python.page.evaluate("(code) => pyml.runPython(code)", KERNEL)
    assert python.run("float(ops.sum(ops.ones((3, 4))).numpy())") == 12  # of what no GPU has made, the host finds it
    python.page.evaluate("(code) => pyml.runPython(code)", textwrap.dedent(SMALL))
    name, message = python.run("raised(lambda: model.fit(x, y, verbose=0))")
    assert name == "SyncReadError" and "fit_async" in message
    assert len(python.run('(await model.fit_async(x, y, epochs=2, verbose=0)).history["loss"]')) == 2
    python.page.evaluate("(code) => pyml.runPython(code)", "trained = ops.sum(model.layers[0].kernel)")
    name, message = python.run("raised(lambda: trained.numpy())")
    assert name == "SyncReadError" and "await t.data()" in message
    assert python.run("float(abs(await trained.data() - (await model.layers[0].kernel.data()).sum()))") < 1e-3
    assert python.run("""
        from pyml.saving import load_model_async
        expected = (await model.predict_async(x, verbose=0)).tolist()
        found = []
        for url in ("kept.keras", "indexeddb://kept.keras", "kept.h5"):
            await model.save_async(url)
            found.append((await (await load_model_async(url)).predict_async(x, verbose=0)).tolist() == expected)
        await model.save_weights_async("kept.weights.h5")
        await model.load_weights_async("kept.weights.h5")
        found + [(await model.predict_async(x, verbose=0)).tolist() == expected]
    """) == [True] * 4
    python.page.close()


def test_kernels_whose_threads_share_a_result_compile_and_are_right_here_too(worker):
    shapes = [[[21, 513], [1]], [[300, 24], [0]], [[50, 400], [0, 1]], [[8, 28, 28, 32], [0, 1, 2]], [[7, 9, 200], [0, 2]]]
    differences, shared = worker.run(f"""
        from pyml.graph.op import Profile
        before, device.profile = device.profile, Profile("tile")
        differences, shared = [], []
        for shape, axis in {shapes}:
            x = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
            run = pyml.program(lambda x: (ops.sum(x * 2, axis=tuple(axis)) + 1, ops.max(x, axis=tuple(axis))))
            total, largest = run(x)
            differences.append(float(abs(total.numpy() - (x.astype(np.float64) * 2).sum(tuple(axis)) - 1).max()))
            differences.append(float(abs(largest.numpy() - x.max(tuple(axis))).max()))
            shared.append(any("share a result" in kernel.lowered.source for kernel in run.last_plan.kernels))
        device.profile = before
        [differences, shared]
    """)
    assert max(differences) < 1e-2 and all(shared)


def test_a_lost_device_is_reported_as_device_lost(profile, site):
    python = PythonPage(profile.new_page(), site, "backend=webgpu&thread=main")
    python.page.evaluate("(code) => pyml.runPython(code)", KERNEL)
    assert python.run("(await (ops.ones((3,)) * 2).data()).tolist()") == [2, 2, 2]
    python.page.evaluate("() => pyml.runPython('await device.lose()')")
    for use in ("(ops.ones((3,)) * 3).numpy()", "device.write(device.alloc(16), b'1234')"):
        name, message = python.run(f"raised(lambda: {use})")
        assert name == "DeviceLost" and message.startswith("the GPU device was lost (Device was destroyed.). What lay on it is gone: ")
    assert python.run("pyml.config.device().lost") is True
    python.page.evaluate("""() => pyml.runPython('import pyml; await pyml.config.init_async("webgpu")')""")
    assert python.run("(await (ops.ones((3,)) * 3).data()).tolist()") == [3, 3, 3]
    python.page.close()


def test_a_fit_that_waits_leaves_the_weights_of_its_last_completed_step_on_another_device(profile, site):
    python = PythonPage(profile.new_page(), site, "backend=webgpu")
    same, message, compiled = python.run("""
        import numpy as np, pyml
        from pyml import Input, Sequential, callbacks, config, layers
        from pyodide.ffi import run_sync
        x = np.random.default_rng(1).normal(size=(70, 8)).astype("float32")
        y = x.sum(1, keepdims=True)
        class At(callbacks.Callback):
            def __init__(self, batch, what):
                super().__init__()
                self.batch, self.what = batch, what
            def on_train_batch_end(self, batch, logs=None):
                if batch == self.batch:
                    self.what(self.model)
        def trained(what):
            pyml.utils.set_random_seed(1)
            model = Sequential([Input((8,)), layers.Dense(16, activation="relu"), layers.Dropout(0.2, seed=2), layers.Dense(1)])
            model.compile(optimizer="adam", loss="mse")
            try:
                model.fit(x, y, batch_size=16, verbose=0, callbacks=[At(3, what)])
            except pyml.errors.DeviceLost as error:
                return model, str(error)
            return model, ""
        model, message = trained(lambda model: run_sync(config.device().lose()))
        other, _ = trained(lambda model: setattr(model, "stop_training", True))
        same = [bool((a == b).all()) for a, b in zip(model.get_weights(), other.get_weights())]
        [same, message, model.compiled]
    """)
    assert same == [True] * 4, message
    assert "after step 4 of epoch 1 again, on 'webgpu'; go on with fit(initial_epoch=0)" in message and compiled
    python.page.close()


def test_pipelines_that_nobody_uses_any_longer_are_dropped_beyond_a_bound(worker):
    kept, used, held = worker.run("""
        import gc
        from pyml.compile import program as plans
        pipelines = device._pipelines
        most, pipelines.recent.most = pipelines.recent.most, 3
        plans._plans.clear()
        for i in range(2, 10):
            (pyml.convert_to_tensor(np.ones(i * 70, np.float32)) * 0.3 + i).numpy()
        total = pyml.program(lambda x: ops.sum(ops.softmax(x * 3)))
        values = [float(total(np.ones((4, 5), np.float32)))]
        plans._plans.clear()
        for i in range(2, 10):
            (pyml.convert_to_tensor(np.ones(i * 90, np.float32)) * 0.4 + i).numpy()
        gc.collect()
        values.append(float(total(pyml.convert_to_tensor(np.ones((4, 5), np.float32)))))
        (pyml.convert_to_tensor(np.ones(7, np.float32)) * 0.7).numpy()
        counts = device._engine.counts()
        pipelines.recent.most = most
        [counts.pipelines - len({*pipelines._used, *pipelines.recent}), values, len(pipelines) < 20]
    """)
    assert kept == 0 and used == [4.0, 4.0] and held
