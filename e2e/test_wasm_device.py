"""pyml/device/wasm.py in Chromium: Pyodide's own memory, relaxed SIMD, memory limits, and what happens without it."""

import re
import zipfile

import pytest

from pyml import paths

from .python_page import PythonPage

BEGIN = """
import gc
import numpy as np, pyml
from pyml import config, layers, ops
from pyml.device.base import DeviceKernel, Dispatch
device = config.device()
def raised(f):
    try:
        f()
    except Exception as error:
        return [type(error).__name__, str(error)]
def classifier():
    pyml.utils.set_random_seed(3)
    model = pyml.Sequential([
        pyml.Input((12, 12, 1)), layers.Conv2D(8, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(),
        layers.Dropout(0.2), layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model
rng = np.random.default_rng(0)
x, y = rng.uniform(0, 1, (33, 12, 12, 1)).astype("float32"), rng.integers(0, 10, 33).astype("int32")
"""


WAYS = {
    "worker": "threads=1", "main thread": "threads=1&thread=main", "not relaxed": "threads=1&relaxed=off",
    "2 threads": "threads=2", "2 threads beside the main one": "threads=2&thread=main",
}  # fmt: skip


@pytest.fixture(scope="module", params=WAYS.values(), ids=WAYS)
def python(request, browser, site):
    """Python with the wasm device: in a worker, on the page's own thread, without relaxed SIMD, with threads."""
    context = browser.new_context()
    python = PythonPage(context.new_page(), site, f"backend=wasm&{request.param}")
    python.relaxed = "relaxed=off" not in request.param
    python.run(BEGIN + "\n1")
    yield python
    context.close()


def test_the_device_says_what_it_runs_on(python):
    assert python.info["backend"] == "wasm" and "WebAssembly" in python.info["summary"]
    relaxed = python.run("[device.info['relaxed'].split(',')[0], 'relaxed-simd' in device.features]")
    assert relaxed == (["yes", True] if python.relaxed else ["no", False])
    assert python.info["canWait"]  # nothing to wait for


@pytest.mark.parametrize("n", [0, 1, 3, 5, 7, 127])
def test_odd_sizes_equal_numpy(python, n):
    assert python.run(f"""
        a = rng.uniform(-1, 1, ({n}, 7)).astype("float32")
        b = rng.uniform(-1, 1, (7, 5)).astype("float32")
        got = ops.tanh(ops.matmul(pyml.convert_to_tensor(a), pyml.convert_to_tensor(b)) + 1).numpy()
        got.shape == ({n}, 5) and bool(np.allclose(got, np.tanh(a @ b + 1), atol=1e-5))
    """)


def test_training_gives_the_numbers_of_the_cpu_device(python):
    wasm, cpu = python.run("""
        def losses():
            model = classifier()
            return [float(model.train_on_batch(x, y)) for _ in range(5)]
        wasm = losses()
        config.set_backend("cpu")
        cpu = losses()
        config.set_backend("wasm")
        [wasm, cpu]
    """)
    assert wasm == pytest.approx(cpu, rel=1e-4)


def test_a_replayed_step_is_one_call_into_webassembly(python):
    assert python.run("""
        model = classifier()
        model.train_on_batch(x, y)
        model.train_on_batch(x, y)
        calls, replay = [], device.replay
        def counting(recorded):
            run = recorded.run
            recorded.run = lambda table: calls.append(1) or run(table)
            replay(recorded)
            recorded.run = run
        device.replay = counting
        model.train_on_batch(x, y)
        del device.replay
        len(calls)
    """) == 1


def test_memory_stays_constant_from_step_20_to_step_500(python):
    before, after = python.run("""
        import js, pyodide_js
        model = classifier()
        def held():
            gc.collect()
            return [device.usage.live, device.usage.live_bytes, device.usage.nbytes, len(device._modules.recent),
                    pyodide_js._module.HEAP8.length]
        for step in range(500):
            model.train_on_batch(x, y)
            if step == 20:
                before = held()
        [before, held()]
    """)
    assert before == after


def test_modules_nobody_holds_are_freed_by_the_browser(python):
    """Eager code makes many; opened through ctypes each would stay for ever."""
    alive = python.run("""
        from pyml.wasm.engine import SIMD_ADD, probe
        from pyodide.code import run_js
        count = run_js("() => { let n = 0; const f = new FinalizationRegistry(() => { n += 1; }); "
                       "return { watch(x) { f.register(x, 0); }, freed: () => n }; }")()
        for _ in range(300):
            count.watch(device._engine.load(probe(SIMD_ADD, device._engine.shared)))
        import asyncio
        for _ in range(2000):                          # the browser collects when it likes
            junk = run_js("Array.from({length: 200}, () => new ArrayBuffer(100000)).length")
            await asyncio.sleep(0.01)
            if count.freed() > 200:
                break
        count.freed()
    """)
    assert alive > 200


def test_a_refused_module_and_a_kernel_that_does_not_compile_say_so(python):
    assert python.run("raised(lambda: device._engine.load(b'no module'))[0]") == "KernelError"
    kernel = "DeviceKernel('mine', 'fn main() { nothing }', ('read',), (1, 1, 1))"
    name, message = python.run(f"raised(lambda: device.record([Dispatch({kernel}, (device.alloc(4),))]))")
    assert name == "KernelError" and "'mine'" in message


def test_modules_open_through_ctypes_where_the_page_cannot_make_them(python):
    numbers, refused = python.run("""
        from pyml.device.wasm import WasmDevice
        from pyml.wasm.engine import PyodideEngine
        other = WasmDevice(PyodideEngine(direct=False))
        source = '''@group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) g: vec3u) { y[g.x] = y[g.x] * 3.0; }'''
        buffer = other.alloc(16)
        other.write(buffer, np.arange(4, dtype="float32"))
        other.replay(other.record([Dispatch(DeviceKernel("mine", source, ("read_write",), (3, 1, 1)), (buffer,))]))
        numbers = np.frombuffer(other.sync_wait(other.read(buffer, 16)), np.float32).tolist()
        [numbers, raised(lambda: other._engine.load(b"no module"))]
    """)
    assert numbers == [0, 3, 6, 3] and refused[0] == "KernelError"


def test_a_stopped_kernel_is_an_error_and_python_goes_on(python):
    name, message = python.run("""
        source = '''@group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn main() { y[0] = 1.0; }'''
        recorded = device.record([Dispatch(DeviceKernel("mine", source, ("read_write",), (1, 1, 1)), (device.alloc(4),))])
        recorded.address = (1 << 32) - 4
        raised(lambda: device.replay(recorded))
    """)
    assert name == "DeviceError" and "kernels mine" in message
    assert python.run("float(ops.sum(pyml.convert_to_tensor(np.ones(5, 'float32'))))") == 5


def test_a_buffer_beyond_the_limit_is_refused_before_any_work(python):
    name, message = python.run("raised(lambda: device.alloc((1 << 30) + 1))")
    assert name == "BufferTooLarge" and "1,073,741,824" in message


@pytest.mark.parametrize(("threads", "total", "fitting"), [(1, "2,147,483,648", 1), (2, "4,294,967,296", 3)])
def test_a_full_memory_is_an_error_and_harms_nothing(browser, site, threads, total, fitting):
    context = browser.new_context()
    python = PythonPage(context.new_page(), site, f"backend=wasm&threads={threads}")
    python.run(BEGIN + "\n1")
    (name, message), most, same, after = python.run("""
        kept = pyml.convert_to_tensor(np.arange(1000, dtype="float32"))
        large = []
        def fill():
            while True:
                large.append(device.alloc(1 << 30))
        error = raised(fill)
        most = len(large)
        same = bool((kept.numpy() == np.arange(1000)).all()) and float(ops.sum(kept)) == 499500
        large.clear()
        [error, most, same, device.alloc(1 << 30).nbytes]
    """)
    assert name == "DeviceError" and f"{total} bytes of memory have no room for another 1,073,741,824 bytes" in message
    assert most == fitting and same and after == 1 << 30
    context.close()


@pytest.mark.parametrize("thread", ["worker", "main"])
def test_a_page_that_is_not_isolated_computes_with_one_thread_and_says_why(browser, site, thread):
    context = browser.new_context(service_workers="block")
    page = context.new_page()

    def bare(route):
        reply = route.fetch()
        kept = {name: value for name, value in reply.headers.items() if not name.startswith("cross-origin-")}
        route.fulfill(response=reply, headers=kept)

    page.route("**/vega.LICENSE.txt?*", bare)
    python = PythonPage(page, site, f"backend=wasm&thread={thread}")
    assert not page.evaluate("() => crossOriginIsolated")
    assert python.run(BEGIN + "\ndevice.info['threads']") == "1 (the page is not cross-origin isolated)"
    assert python.run("float(ops.sum(pyml.convert_to_tensor(np.ones((7, 5), 'float32')) * 2))") == 70
    context.close()


def test_the_device_adds_less_than_300_kb_to_a_page(site):
    wheels = (paths.site_dir() / "pyodide").glob("pyml-*.whl")
    with zipfile.ZipFile(max(wheels, key=lambda path: path.stat().st_mtime)) as wheel:
        parts = [f for f in wheel.infolist() if re.search(r"pyml/(wasm/|device/(__pycache__/)?wasm|_data/web/threads)", f.filename)]
    assert any(f.filename == "pyml/wasm/engine.py" for f in parts)
    assert sum(f.compress_size for f in parts) < 300_000


def test_without_simd_numpy_computes_and_describe_says_why(python):
    text = python.run("""
        from pyml.errors import BackendUnavailable
        import pyml.device.wasm as module
        def refuse():
            raise BackendUnavailable("no SIMD on this machine")
        kept = config._opened.pop("wasm"), module.open_engine, config._device, config._reason
        module.open_engine = refuse
        config._device = None
        text = config.describe()
        config._opened["wasm"], module.open_engine, config._device, config._reason = kept
        text
    """)
    first = text.splitlines()[0]  # why there is no WebGPU depends on the page
    assert first.startswith("backend   cpu (") and first.endswith("; no WebAssembly SIMD: no SIMD on this machine)")
