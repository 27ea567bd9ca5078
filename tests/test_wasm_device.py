"""The wasm device: odd and empty sizes, views, memory limits, relaxed SIMD, refused kernels, memory that stays constant."""

import asyncio
import gc
import sys
import types
from itertools import pairwise

import numpy as np
import pytest

import pyml
from pyml import ops
from pyml.device.base import Copy, DeviceKernel, Dispatch
from pyml.device.wasm import WasmDevice
from pyml.errors import BackendUnavailable, BufferTooLarge, DeviceError, KernelError
from pyml.wasm.engine import WasmtimeEngine
from pyml.wasm.open import open_engine

ODD = [0, 1, 3, 5, 7, 127]
NEGATE = """
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) g: vec3u) { y[g.x] = -x[g.x]; }
"""


def kernel(source=NEGATE, items=4):
    return DeviceKernel("negate", source, ("read", "read_write"), (items, 1, 1))


def filled(device, values):
    values = np.asarray(values, np.float32)
    buffer = device.alloc(values.nbytes)
    device.write(buffer, values)
    return buffer


def floats(device, buffer, n):
    return np.frombuffer(device.sync_wait(device.read(buffer, 4 * n)), np.float32).tolist()


# ---- sizes and views
@pytest.mark.parametrize("n", ODD)
def test_a_chain_and_a_sum_of_odd_length_equal_numpy(wasm, rng, n):
    x = rng.uniform(-1, 1, n).astype(np.float32)
    t = pyml.convert_to_tensor(x)
    np.testing.assert_allclose((ops.tanh(t) * 2 - t).numpy(), np.tanh(x) * 2 - x, atol=1e-6)
    np.testing.assert_allclose(float(ops.sum(t)), x.sum(), atol=1e-5)


@pytest.mark.parametrize("m", ODD)
@pytest.mark.parametrize("k", [0, 1, 5, 127])
@pytest.mark.parametrize("n", [1, 7, 127])
def test_matmul_of_odd_sizes_equals_numpy(wasm, rng, m, k, n):
    a, b = rng.uniform(-1, 1, (m, k)).astype(np.float32), rng.uniform(-1, 1, (k, n)).astype(np.float32)
    y = ops.matmul(pyml.convert_to_tensor(a), pyml.convert_to_tensor(b)).numpy()
    assert y.shape == (m, n)
    np.testing.assert_allclose(y, a @ b, atol=1e-5)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (7, 7), (11, 3)])
def test_convolution_of_odd_images_equals_the_cpu_device(wasm, rng, size):
    x = rng.uniform(-1, 1, (3, *size, 5)).astype(np.float32)
    w = rng.uniform(-1, 1, (3, 3, 5, 7)).astype(np.float32)

    def run():
        return ops.conv(pyml.convert_to_tensor(x), pyml.convert_to_tensor(w), padding="same").numpy()

    y = run()
    pyml.config.set_backend("cpu")
    np.testing.assert_allclose(y, run(), atol=1e-5)


@pytest.mark.parametrize("start", [1, 2, 3, 5])
def test_views_that_begin_inside_a_vector_equal_numpy(wasm, rng, start):
    x = rng.uniform(-1, 1, (9, 13)).astype(np.float32)
    t = pyml.convert_to_tensor(x)
    part = x[start:, start : start + 6]
    np.testing.assert_allclose((t[start:, start : start + 6] * 2 + 1).numpy(), part * 2 + 1, rtol=1e-6)
    np.testing.assert_allclose(ops.sum(t[start:, start:], axis=0).numpy(), x[start:, start:].sum(0), atol=1e-5)
    back = ops.transpose(t)[start:][:, ::-1]
    np.testing.assert_array_equal(back.numpy(), x.T[start:][:, ::-1])


def test_a_numpy_array_in_any_layout_is_taken(wasm, rng):
    x = rng.uniform(-1, 1, (6, 10)).astype(np.float32)
    for view in (x.T, x[::2, 1::3], x[::-1], np.frombuffer(b"\0" + x.tobytes(), np.float32, offset=1)):
        np.testing.assert_array_equal((pyml.convert_to_tensor(view) + 0).numpy(), view)


# ---- the device's own methods
def test_a_value_that_was_read_is_not_changed_by_the_next_replay(wasm):
    v = pyml.Variable(np.zeros(4, np.float32))

    @pyml.program
    def step():
        v.assign_add(1.0)

    step()
    first = v.numpy()
    step()
    assert first.tolist() == [1] * 4 and v.numpy().tolist() == [2] * 4


def test_dispatches_and_copies_run_in_order_in_one_module(wasm):
    a, b, c = filled(wasm, [1, 2, 3, 4]), filled(wasm, [0] * 4), filled(wasm, [0] * 4)
    k = kernel()
    recorded = wasm.record([Dispatch(k, (a, b)), Copy(b, c, 12), Dispatch(k, (c, a))])
    wasm.replay(recorded)
    assert floats(wasm, b, 4) == [-1, -2, -3, -4] and floats(wasm, a, 4) == [1, 2, 3, 0]
    wasm.replay(recorded)
    assert floats(wasm, a, 4) == [1, 2, 3, 0]


def test_a_recording_of_copies_alone_needs_no_module(wasm):
    a, b = filled(wasm, [1, 2, 3, 4]), filled(wasm, [0] * 4)
    wasm.replay(wasm.record([Copy(a, b, 8)]))
    assert floats(wasm, b, 4) == [1, 2, 0, 0]


def test_kernels_recorded_again_with_other_buffers_are_not_linked_again(wasm, monkeypatch):
    loaded = []
    name = "share" if wasm._engine.threads > 1 else "load"
    load = getattr(wasm._engine, name)
    monkeypatch.setattr(wasm._engine, name, lambda module: loaded.append(1) or load(module))
    k = kernel()
    for value in (1, 2, 3):
        x, y = filled(wasm, [value] * 4), wasm.alloc(16)
        wasm.replay(wasm.record([Dispatch(k, (x, y))]))
        assert floats(wasm, y, 1) == [-value]
    assert len(loaded) == 1


def test_the_modules_kept_are_bounded_and_an_old_one_is_linked_again(wasm, monkeypatch):
    monkeypatch.setattr(wasm, "_modules", type(wasm._modules)(2))
    kernels = [kernel() for _ in range(4)]
    x = filled(wasm, [5] * 4)
    for k in (*kernels, kernels[0]):
        y = wasm.alloc(16)
        wasm.replay(wasm.record([Dispatch(k, (x, y))]))
        assert floats(wasm, y, 4) == [-5] * 4 and len(wasm._modules.recent) <= 2


def test_a_kernel_that_does_not_compile_is_named(wasm):
    bad = kernel(NEGATE.replace("-x[g.x]", "nothing(x[g.x])"))
    with pytest.raises(KernelError, match="negate"):
        wasm.sync_wait(wasm.prepare([bad]))
    with pytest.raises(KernelError, match="negate"):
        wasm.record([Dispatch(bad, (filled(wasm, [1] * 4), wasm.alloc(16)))])


def test_a_stopped_kernel_is_an_error_that_names_it(wasm, monkeypatch):
    recorded = wasm.record([Dispatch(kernel(), (filled(wasm, [1] * 4), wasm.alloc(16)))])
    recorded.address = (1 << 32) - 4
    with pytest.raises(DeviceError, match="stopped in one of the kernels negate"):
        wasm.replay(recorded)


# ---- memory
def test_a_layer_too_large_for_a_tab_is_refused_before_its_values_are_drawn(wasm):
    def drawn(shape, dtype=None):
        raise AssertionError("a tab has no room for that")

    picture = pyml.Input((508, 508, 64))
    with pytest.raises(BufferTooLarge, match=r"Layer \"wide\": weight 'kernel' of shape \(16516096, 512\) needs 33,824,964,608 bytes"):
        pyml.layers.Dense(512, kernel_initializer=drawn, name="wide")(pyml.layers.Flatten()(picture))


def test_an_array_beyond_the_largest_buffer_is_refused_before_any_work(wasm):
    gc.collect()
    used = wasm.usage.live
    with pytest.raises(BufferTooLarge, match=r"1,073,741,824"):
        pyml.convert_to_tensor(np.broadcast_to(np.float32(0), ((1 << 28) + 1,)))
    with pytest.raises(BufferTooLarge, match=r"1,073,741,825"):
        wasm.alloc((1 << 30) + 1)
    assert wasm.usage.live <= used  # what other tests left may go at any time


def test_a_full_memory_is_a_clear_error_and_harms_nothing():
    device = WasmDevice(WasmtimeEngine())
    kept = filled(device, range(8))
    large = []
    with pytest.raises(DeviceError, match=r"no room for another 1,073,741,824 bytes: 4 arrays hold 3,221,225,\d+ bytes"):
        for _ in range(5):
            large.append(device.alloc(1 << 30))
    assert len(large) == 3 and floats(device, kept, 8) == list(range(8))
    spans = sorted((b.handle.address, b.handle.address + b.nbytes) for b in [kept, *large])
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    y = device.alloc(32)
    device.replay(device.record([Dispatch(kernel(items=8), (kept, y))]))
    assert floats(device, y, 8) == [-float(i) for i in range(8)]
    del large
    assert device.alloc(1 << 30).nbytes == 1 << 30  # what was freed is there again


def test_spare_buffers_are_given_up_before_memory_is_called_full():
    device = WasmDevice(WasmtimeEngine())
    large = [device.alloc((900 + i) << 20) for i in range(4)]
    del large
    assert len([device.alloc(1 << 30) for _ in range(3)]) == 3


def test_memory_stays_constant_from_step_20_to_step_500(wasm, rng):
    model = pyml.Sequential([pyml.Input((9,)), pyml.layers.Dense(13, activation="relu"), pyml.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = rng.uniform(-1, 1, (17, 9)).astype(np.float32), rng.integers(0, 3, 17)

    def held():
        u = wasm.usage
        return u.live, u.live_bytes, u.buffers, u.nbytes, len(wasm._modules.recent), wasm._engine._heap.free_bytes

    gc.collect()
    for step in range(500):
        model.train_on_batch(x, y)
        if step == 20:
            before = held()
    assert held() == before


def test_eager_steps_keep_memory_constant_too(wasm, rng):
    x = pyml.convert_to_tensor(rng.uniform(-1, 1, (31, 7)).astype(np.float32))

    def step():
        y = ops.softmax(ops.relu(x) * 2 - 1)
        return float(ops.sum(y)), wasm.usage.live, wasm.usage.nbytes, len(wasm._modules.recent)

    gc.collect()  # what other tests left
    values = [step() for _ in range(60)]
    assert values[20] == values[-1]


# ---- relaxed SIMD
def test_relaxed_simd_can_be_switched_off_and_gives_the_same_to_rounding(wasm, rng, monkeypatch):
    a, b = (rng.uniform(-1, 1, (33, 33)).astype(np.float32) for _ in range(2))

    def product():
        return ops.matmul(pyml.convert_to_tensor(a), pyml.convert_to_tensor(b)).numpy()

    fused = product()
    monkeypatch.setenv("PYML_WASM_RELAXED", "0")
    plain = WasmDevice(open_engine())
    assert "relaxed-simd" not in plain.features and plain.info["relaxed"].startswith("no")
    monkeypatch.setattr(pyml.config, "_device", plain)
    np.testing.assert_allclose(product(), a @ b, atol=1e-5)
    np.testing.assert_allclose(fused, a @ b, atol=1e-5)


def test_without_relaxed_simd_no_module_uses_it(wasm, monkeypatch):
    monkeypatch.setenv("PYML_WASM_RELAXED", "0")
    device = WasmDevice(WasmtimeEngine())
    modules = []
    load = device._engine.load
    monkeypatch.setattr(device._engine, "load", lambda module: modules.append(module) or load(module))
    monkeypatch.setattr(pyml.config, "_device", device)
    ops.matmul(*(pyml.convert_to_tensor(np.ones((16, 16), np.float32)) for _ in range(2))).numpy()
    assert modules and not any(b"\xfd\x85\x02" in module or b"\xfd\x86\x02" in module for module in modules)


# ---- choosing it
def test_describe_names_the_engine_and_what_it_can(wasm):
    lines = dict(line.split(None, 1) for line in pyml.config.describe().splitlines())
    assert lines["backend"] == "wasm (chosen by set_backend)"
    assert lines["adapter"].startswith("WebAssembly SIMD (wasmtime ")
    assert lines["relaxed"].split(",")[0] in ("yes", "no") and lines["threads"].startswith("1")
    assert lines["memory"] == "4,294,967,296 bytes, 1,073,741,824 a buffer"


def test_without_wasmtime_the_backend_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    with pytest.raises(BackendUnavailable, match="pip install wasmtime"):
        WasmDevice()


@pytest.fixture
def page(monkeypatch):
    """As in a browser that has not opened WebGPU: nothing is chosen yet."""
    monkeypatch.delenv("PYML_BACKEND", raising=False)
    monkeypatch.setattr(pyml.config, "IN_BROWSER", True)
    for name, value in (("_device", None), ("_reason", ""), ("_opened", {})):
        monkeypatch.setattr(pyml.config, name, value)


def test_a_page_without_webgpu_takes_wasm_and_says_why(page):
    assert pyml.config.describe().startswith("backend   wasm (WebGPU has not been opened on this page)")


def test_a_page_without_webassembly_simd_either_takes_cpu_and_says_why(page, monkeypatch):
    monkeypatch.setitem(sys.modules, "wasmtime", None)
    first = pyml.config.describe().splitlines()[0]
    assert first.startswith("backend   cpu (WebGPU has not been opened on this page; no WebAssembly SIMD: the wasm backend")


def opening(monkeypatch, result):
    """What asking for an adapter gives: a device, or an error."""
    module = types.ModuleType("pyml.device.browser")

    async def open_browser_device():
        if isinstance(result, Exception):
            raise result
        return result

    module.open_browser_device = open_browser_device
    monkeypatch.setitem(sys.modules, "pyml.device.browser", module)


def gpu(kind):
    return types.SimpleNamespace(name="webgpu", info={"type": kind, "adapter": f"a {kind} adapter"})


@pytest.mark.parametrize(
    ("found", "asked", "name", "reason"),
    [
        (gpu("gpu"), None, "webgpu", "a GPU was found"),
        (gpu("gpu"), "wasm", "wasm", "asked for"),
        (gpu("software"), None, "wasm", "the only WebGPU adapter is software (a software adapter); set_backend(\"webgpu\") takes it"),
        (gpu("software"), "webgpu", "webgpu", "asked for"),
        (BackendUnavailable("no adapter"), None, "wasm", "no WebGPU here: no adapter"),
        (BackendUnavailable("no adapter"), "cpu", "cpu", "asked for"),
    ],
)
def test_what_a_page_takes(page, monkeypatch, found, asked, name, reason):
    opening(monkeypatch, found)
    assert asyncio.run(pyml.config.init_async(asked)) == name == pyml.config.get_backend()
    assert pyml.config._reason == reason


def test_webgpu_by_name_is_an_error_where_there_is_none(page, monkeypatch):
    opening(monkeypatch, BackendUnavailable("no adapter"))
    with pytest.raises(BackendUnavailable, match="no adapter"):
        asyncio.run(pyml.config.init_async("webgpu"))


def test_after_a_lost_gpu_that_does_not_come_back_wasm_goes_on(page, monkeypatch):
    opening(monkeypatch, gpu("gpu"))
    asyncio.run(pyml.config.init_async())
    opening(monkeypatch, BackendUnavailable("it is gone"))
    assert asyncio.run(pyml.config.reopen_async()) == "wasm"
    assert pyml.config._reason == "webgpu was lost and could not be opened again: it is gone"


def test_a_tensor_shares_no_memory_with_the_arrays_it_came_from_and_went_to(wasm):
    x = np.ones(4, np.float32)
    t = pyml.convert_to_tensor(x)
    x[:] = 5
    y = t.numpy()
    y[:] = 7
    assert t.numpy().tolist() == [1] * 4


def test_the_code_of_a_sum_does_not_grow_with_its_terms(wasm, monkeypatch):
    sizes = []
    load = wasm._engine.load
    monkeypatch.setattr(wasm._engine, "load", lambda module: sizes.append(len(module)) or load(module))
    for rows in (64, 500, 997, 3000):
        assert float(ops.sum(pyml.convert_to_tensor(np.ones((rows, 8), np.float32)) * 2)) == 16 * rows
    assert max(sizes) < 12_000
