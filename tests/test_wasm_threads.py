"""Sharing the work of the wasm device: Python threads over wasmtime run the code that workers run in a browser."""

import asyncio
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import pyml
from pyml import layers, ops
from pyml.device.base import Copy, Count, DeviceKernel, Dispatch, Repeat
from pyml.device.wasm import WasmDevice
from pyml.errors import BackendUnavailable, DeviceError
from pyml.wasm import compile_kernel, link_shared, share
from pyml.wasm import threads as module
from pyml.wasm.open import one_thread, open_engine
from pyml.wasm.threads import WasmtimeThreads, wanted

ADD_ONE = """
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) g: vec3u) { y[g.x] = y[g.x] + 1.0; }
"""
SLOW = """
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) g: vec3u) {
  var x = y[g.x];
  for (var i = 0u; i < 200000u; i++) { x = x * 0.5 + 1.0; }
  y[g.x] = x;
}
"""
TURN = """
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<uniform> turn: array<vec4<u32>, 1>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) g: vec3u) { y[g.x] = y[g.x] * 0.5 + f32(turn[0].x + g.x); }
"""
OUTSIDE = """
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) g: vec3u) { y[g.x * 1000000u] = 1.0; }
"""
TAKEN = """
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) g: vec3u) {
  y[g.x] = g.x + 1u;
  if (g.x == 5u) { y[y[64u]] = y[y[64u]] + 1u; }
}
"""
PARTLY = """
var<workgroup> kept: array<f32, 64>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) g: vec3u) {
  for (var i = 0u; i < 64u; i++) { kept[i] = f32(g.x); }
  var sum = 0.0;
  for (var j = 0u; j < 200u; j++) { for (var i = 0u; i < 64u; i++) { sum += kept[i]; } }
  y[g.x] = sum / 12800.0;
}
"""


@pytest.fixture(params=[2, 3, 5])
def threads(request):
    """A device with so many threads, more than this machine may have cores."""
    device = WasmDevice(WasmtimeThreads(request.param))
    yield device
    device._engine.stop()


@pytest.fixture
def pair():
    device = WasmDevice(WasmtimeThreads(2))
    yield device
    device._engine.stop()


def kernel(source=ADD_ONE, items=64, work=None):
    return DeviceKernel("mine", source, ("read_write",), (items, 1, 1), work=work)


def filled(device, values):
    values = np.asarray(values, np.float32)
    buffer = device.alloc(max(values.nbytes, 16))
    device.write(buffer, values)
    return buffer


def floats(device, buffer, n):
    return np.frombuffer(device.sync_wait(device.read(buffer, 4 * n)), np.float32)


# ---- chunks
@pytest.mark.parametrize("items", [1, 2, 3, 5, 7, 63, 64, 65, 127, 1000, 4_000_000])
@pytest.mark.parametrize("work", [None, 0, 1, 39_999, 40_000, 50_000, 10**9])
def test_chunks_cover_all_items_and_are_neither_many_nor_tiny(items, work):
    each = share.chunk_size(items, work)
    chunks = -(-items // each)
    assert 1 <= chunks <= min(items, share.CHUNKS) and (chunks - 1) * each < items <= chunks * each
    if work is not None:
        assert chunks == 1 or work / chunks >= share.GRAIN / 2


@pytest.mark.parametrize("items", [1, 2, 3, 5, 7, 63, 65, 127, 1000])
def test_every_item_runs_once_in_each_of_many_phases(threads, items):
    y = filled(threads, np.zeros(items))
    k = kernel(items=items)
    recorded = threads.record([Dispatch(k, (y,))] * 30)
    for _ in range(20):
        threads.replay(recorded)
    assert (floats(threads, y, items) == 600).all()


def test_phases_and_copies_keep_their_order(threads):
    n = 64
    a, b = filled(threads, np.zeros(n)), filled(threads, np.zeros(n))
    k, small = kernel(items=n), kernel(items=n, work=10)
    steps = []
    for _ in range(40):
        steps += [Dispatch(k, (a,)), Copy(a, b, 4 * n), Dispatch(small, (b,)), Dispatch(k, (b,)), Copy(b, a, 4 * n)]
    recorded = threads.record(steps)
    for _ in range(10):
        threads.replay(recorded)
    assert (floats(threads, a, n) == 40 * 10 * 3).all()


def test_work_is_really_shared(pair):
    """Every thread that may hold a chunk says so at its state."""
    engine, seen = pair._engine, []
    state = share.STATE >> 2
    y = filled(pair, np.zeros(64))
    recorded = pair.record([Dispatch(kernel(SLOW), (y,))] * 4)
    done = threading.Event()

    def watch():
        while not done.is_set():
            seen.append(int(engine._words[state]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    pair.replay(recorded)
    while 1 not in seen:  # the system gives a thread its turn when it likes
        pair.replay(recorded)
    done.set()
    watcher.join()
    assert (floats(pair, y, 64) == 2).all()


def test_scratch_memory_is_each_threads_own(threads):
    y = filled(threads, np.zeros(512))
    k = DeviceKernel("mine", PARTLY, ("read_write",), (512, 1, 1))
    recorded = threads.record([Dispatch(k, (y,))])
    for _ in range(20):
        threads.replay(recorded)
        assert floats(threads, y, 512).tolist() == list(range(512))


def test_many_jobs_of_many_modules_in_turn(threads):
    """Helpers meet modules they have not seen, jobs that are over, and modules that are gone."""
    y = filled(threads, np.zeros(64))
    count = 0
    for _ in range(3):
        made = [threads.record([Dispatch(kernel(), (y,))] * n) for n in (1, 2, 3)]
        for _ in range(30):
            for n, recorded in enumerate(made, 1):
                threads.replay(recorded)
                count += n
        threads._modules.clear()
    assert (floats(threads, y, 64) == count).all()


def test_repeated_kernels_of_different_sizes_see_the_number_of_their_turn(threads):
    """Each opening of a kernel is a phase of its own, and helpers must not take one kernel's chunks for another's."""
    wide, narrow = filled(threads, np.zeros(300)), filled(threads, np.zeros(40))
    outer, inner = threads.alloc(16), threads.alloc(16)
    at = lambda y, n, turn: Dispatch(DeviceKernel("turn", TURN, ("read_write", "turn"), (n, 1, 1)), (y, turn))
    inside = (Count(inner, 0), Repeat(3, (at(narrow, 40, inner), Count(inner, None))))
    recorded = threads.record([Count(outer, 2), Repeat(5, (at(wide, 300, outer), *inside, Count(outer, None))), at(wide, 300, outer)])
    places = {300: np.arange(300), 40: np.arange(40)}
    expected = {n: np.zeros(n) for n in places}
    for _ in range(20):
        threads.replay(recorded)
        for turn in range(2, 8):
            expected[300] = expected[300] * 0.5 + turn + places[300]
            for t in range(3) if turn < 7 else ():
                expected[40] = expected[40] * 0.5 + t + places[40]
    np.testing.assert_allclose(floats(threads, wide, 300), expected[300], rtol=1e-5)
    np.testing.assert_allclose(floats(threads, narrow, 40), expected[40], rtol=1e-5)


def test_a_module_nobody_holds_is_forgotten(pair):
    engine = pair._engine
    y = filled(pair, np.zeros(64))
    recorded = pair.record([Dispatch(kernel(), (y,))])
    assert len(engine._known) == 1
    pair._modules.clear()
    del recorded
    assert not engine._known


def test_a_kernel_too_small_to_share_is_run_by_the_leader(pair):
    small, large = (compile_kernel(kernel(work=work)) for work in (10, None))
    assert b"\xfe\x49\x03\x40" not in link_shared([small], {id(small): 10})  # no ticket is ever raised
    assert b"\xfe\x49\x03\x40" in link_shared([large], {id(large): None})
    y = filled(pair, np.zeros(64))
    pair.replay(pair.record([Dispatch(kernel(work=10), (y,))]))
    assert (floats(pair, y, 64) == 1).all() and pair._engine._words[share.PHASE >> 2] == 0


# ---- whole programs
def model():
    pyml.utils.set_random_seed(5)
    net = pyml.Sequential([
        pyml.Input((14, 14, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(24, 3, padding="same", activation="relu"), layers.Flatten(), layers.Dense(10, activation="softmax")])  # fmt: skip
    net.compile("adam", "sparse_categorical_crossentropy")
    return net


def test_training_gives_the_losses_of_one_thread(threads, monkeypatch, rng):
    x, y = rng.uniform(0, 1, (64, 14, 14, 1)).astype(np.float32), rng.integers(0, 10, 64)

    def losses(device):
        monkeypatch.setattr(pyml.config, "_device", device)
        net = model()
        return [float(net.train_on_batch(x, y)) for _ in range(8)]

    assert losses(threads) == pytest.approx(losses(WasmDevice(one_thread("test"))), rel=2e-5)
    assert threads._engine._words[share.PHASE >> 2] > 50


@pytest.mark.parametrize("size", [(64, 64, 64), (127, 1, 5), (200, 300, 100), (3, 700, 264), (7, 5, 127)])
@pytest.mark.parametrize("transposed", [False, True])
def test_products_cut_by_columns_equal_numpy(threads, monkeypatch, rng, size, transposed):
    m, k, n = size
    a, b = rng.uniform(-1, 1, (m, k)).astype(np.float32), rng.uniform(-1, 1, (k, n)).astype(np.float32)
    monkeypatch.setattr(pyml.config, "_device", threads)
    left = ops.transpose(pyml.convert_to_tensor(a.T.copy())) if transposed else pyml.convert_to_tensor(a)
    np.testing.assert_allclose(ops.matmul(left, pyml.convert_to_tensor(b)).numpy(), a @ b, atol=1e-4)


@pytest.mark.parametrize("batch", [1, 6, 13, 32])
def test_the_sequences_of_an_lstm_are_divided_among_threads(threads, monkeypatch, rng, batch):
    x = rng.uniform(-1, 1, (batch, 9, 5)).astype(np.float32)

    def gradients(device):
        monkeypatch.setattr(pyml.config, "_device", device)
        pyml.utils.set_random_seed(3)
        layer = layers.LSTM(8)
        layer.build((batch, 9, 5))
        loss, grads = pyml.value_and_grad(lambda v: ops.sum(ops.square(layer(v))))(pyml.convert_to_tensor(x))
        return np.append(grads.numpy().ravel(), loss.numpy())

    np.testing.assert_allclose(gradients(threads), gradients(WasmDevice(one_thread("test"))), atol=1e-5)


def test_two_devices_of_different_threads_give_the_same_bits(monkeypatch, rng):
    """Chunks compute the same whoever takes them; only how sums are cut depends on the number."""
    a, b = (rng.uniform(-1, 1, (190, 190)).astype(np.float32) for _ in range(2))
    results = []
    for n in (2, 4):
        device = WasmDevice(WasmtimeThreads(n))
        monkeypatch.setattr(pyml.config, "_device", device)
        y = ops.tanh(ops.matmul(pyml.convert_to_tensor(a), pyml.convert_to_tensor(b)))
        results.append(y.numpy())
        device._engine.stop()
    np.testing.assert_array_equal(*results)


# ---- when something goes wrong
def test_a_kernel_that_stops_is_an_error_that_names_it_and_work_goes_on(threads):
    y = filled(threads, np.zeros(64))
    bad = threads.record([Dispatch(kernel(OUTSIDE, 4096), (y,))])
    good = threads.record([Dispatch(kernel(), (y,))] * 5)
    for _ in range(5):
        with pytest.raises(DeviceError, match="stopped in one of the kernels mine"):
            threads.replay(bad)
        before = floats(threads, y, 64)[1]
        threads.replay(good)
        assert floats(threads, y, 64)[1] == before + 5
    assert threads.info["threads"] == str(threads._engine.threads)


def test_a_helper_that_never_answers_ends_the_wait_with_an_error_and_one_thread_goes_on(monkeypatch, pair):
    """A thread that took a chunk and died: its ticket is raised, the chunk is never done. Here the leader raises it within a chunk."""
    monkeypatch.setattr(share, "PATIENCE", 1 << 22)  # four waits
    monkeypatch.setattr(module, "QUIET", 0.05)
    pair._engine.stop("test")  # no real helper
    pair._engine._failure = None
    words = pair._engine._words
    y = pair.alloc(4 * 65)
    numbers = np.zeros(65, np.uint32)
    numbers[64] = (share.TICKET - y.handle.address) % (1 << 32) >> 2  # from the buffer on, around the whole of the memory
    pair.write(y, numbers)
    words[share.STATE >> 2] = 1
    with pytest.raises(DeviceError, match=r"a thread of the wasm device could not go on .it did not answer any more.*one thread"):
        pair.replay(pair.record([Dispatch(kernel(TAKEN), (y,))]))
    left = np.frombuffer(pair.sync_wait(pair.read(y, 4 * 64)), np.uint32)
    assert left.tolist() == [*range(1, 7), 0, *range(8, 65)]
    assert pair.info["threads"] == "1 (a thread could not go on: it did not answer any more)"
    words[share.STATE >> 2] = 0
    pair.write(y, np.zeros(64, np.float32))
    pair.replay(pair.record([Dispatch(kernel(), (y,))]))
    assert (floats(pair, y, 64) == 1).all()


def test_helpers_that_are_gone_leave_all_work_to_the_leader(threads):
    y = filled(threads, np.zeros(64))
    recorded = threads.record([Dispatch(kernel(), (y,))] * 10)
    threads.replay(recorded)
    threads._engine.stop("they left")
    for thread in threads._engine._crew:
        thread.join()
    threads.replay(recorded)
    assert (floats(threads, y, 64) == 20).all()
    assert threads.info["threads"] == "1 (a thread could not go on: they left)"


def test_threads_that_do_not_start_are_replaced_by_one_thread_before_anything_is_in_memory(monkeypatch):
    engine = WasmtimeThreads(2)
    engine.stop("no worker here")
    device = WasmDevice(engine)
    asyncio.run(device.start())
    assert device.info["threads"] == "1 (threads did not start: no worker here)"
    assert device._engine.threads == 1 and device.profile.threads == 1
    y = filled(device, np.zeros(64))
    device.replay(device.record([Dispatch(kernel(), (y,))]))
    assert (floats(device, y, 64) == 1).all()

    engine = WasmtimeThreads(2)
    device = WasmDevice(engine)
    held = filled(device, np.zeros(64))
    engine.stop("later")
    asyncio.run(device.start())
    assert device._engine is engine  # what is in its memory must stay
    assert (floats(device, held, 64) == 0).all()


# ---- how many
def test_the_number_of_threads_is_what_is_asked_for(monkeypatch):
    monkeypatch.delenv("PYML_WASM_THREADS", raising=False)
    assert wanted() == (1, "PYML_WASM_THREADS asks for more")
    for text, n in (("1", 1), ("2", 2), ("7", 7), ("1000", share.MOST + 1)):
        monkeypatch.setenv("PYML_WASM_THREADS", text)
        assert wanted()[0] == n
    for text in ("0", "-1", "many", ""):
        monkeypatch.setenv("PYML_WASM_THREADS", text)
        with pytest.raises(BackendUnavailable, match="expected a number of threads from 1 to 17"):
            wanted()
    monkeypatch.setenv("PYML_WASM_THREADS", "2")
    engine = open_engine()
    assert WasmDevice(engine).info["threads"] == "2"
    engine.stop()


def test_an_interpreter_ends_though_helpers_sleep():
    code = ("import pyml; pyml.config.set_backend('wasm'); from pyml import ops\n"
            "print(float(ops.sum(ops.matmul(pyml.ops.ones((200, 200)), pyml.ops.ones((200, 200))))))")  # fmt: skip
    env = {**os.environ, "PYML_WASM_THREADS": "3"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0 and float(done.stdout) == 8e6, done.stderr
