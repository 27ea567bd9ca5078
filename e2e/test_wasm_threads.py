"""pyml/wasm/threads.py in Chromium: workers share a training step; without them one thread does it, and says why."""

import pytest

from .python_page import BLANK, PythonPage

BEGIN = """
import numpy as np, pyml
from pyml import config, layers
from pyml.device.base import DeviceKernel, Dispatch
from pyml.device.wasm import WasmDevice
from pyml.wasm import share
import pyml.wasm.threads as module
device = config.device()
rng = np.random.default_rng(0)
x, y = rng.uniform(0, 1, (64, 28, 28, 1)).astype("float32"), rng.integers(0, 10, 64).astype("int32")
def book():
    pyml.utils.set_random_seed(3)
    model = pyml.Sequential([
        pyml.Input((28, 28, 1)), layers.Conv2D(8, 5, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(16, 5, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model
def dense():
    pyml.utils.set_random_seed(3)
    model = pyml.Sequential([pyml.Input((28, 28, 1)), layers.Flatten(), layers.Dense(10, activation="softmax")])
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return model
def losses(n=12, make=book):
    model = make()
    return [float(model.train_on_batch(x, y)) for _ in range(n)]
def raised(f):
    try:
        f()
    except Exception as error:
        return [type(error).__name__, str(error)]
BUSY = '''
var<workgroup> kept: array<f32, 64>;
@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(1) fn main(@builtin(workgroup_id) g: vec3u) {
  for (var j = 0u; j < 500u; j++) { for (var i = 0u; i < 64u; i++) { kept[i] = f32(g.x + j) + 1.0; } }
  y[g.x] = kept[5] - 500.0;
}'''
"""


@pytest.fixture
def start(new_page, site):
    def open_python(query, prepare=lambda page: None, fresh=False):
        page = new_page(fresh=fresh)
        prepare(page)
        python = PythonPage(page, site, f"backend=wasm&{query}")
        python.run(BEGIN + "\n1")
        return python

    return open_python


@pytest.fixture(scope="module", params=["", "&thread=main"], ids=["beside a worker", "beside the page's thread"])
def two(request, profile, site):
    """Python with two threads; it stays for several tests."""
    python = PythonPage(profile.new_page(), site, f"backend=wasm&threads=2{request.param}")
    python.run(BEGIN + "\n1")
    yield python
    python.page.close()


def threads_of(python):
    return next(line.split(None, 1)[1] for line in python.info["details"].splitlines() if line.startswith("threads"))


@pytest.mark.slow
def test_two_threads_train_the_book_convnet_to_the_losses_of_one(two):
    assert threads_of(two) == "2"
    expected, got, one = two.run("""
        from pyml.wasm.open import one_thread
        got = losses()
        config._device = WasmDevice(one_thread("asked for"))
        one, expected = config._device.info["threads"], losses()
        config._device = device
        [expected, got, one]
    """)
    assert one == "1 (asked for)" and got == pytest.approx(expected, rel=1e-4) and got[-1] < got[0]
    assert two.run("device._engine._pool.word(share.PHASE)") > 12 * 5  # phases of shared work


def test_a_worker_really_computes(two):
    """The scratch memory of the second thread is written by nobody else."""
    used, right = two.run("""
        kernel = DeviceKernel("busy", BUSY, ("read_write",), (4096, 1, 1))
        out = device.alloc(4 * 4096)
        device._scratch = None
        recorded = device.record([Dispatch(kernel, (out,))])
        used = [False, False]
        for _ in range(200):
            device.write(device._scratch, np.zeros(128, "float32"))
            device.replay(recorded)
            scratch = np.frombuffer(device.sync_wait(device.read(device._scratch, 512)), "float32")
            used = [used[0] or bool(scratch[:64].any()), used[1] or bool(scratch[64:].any())]
            if all(used):
                break
        result = np.frombuffer(device.sync_wait(device.read(out, 4 * 4096)), "float32")
        [used, bool((result == np.arange(4096)).all())]
    """)
    assert used == [True, True] and right


def test_a_kernel_that_stops_in_any_thread_is_one_error_and_training_goes_on(two):
    errors = two.run("""
        bad = DeviceKernel("beyond", '''@group(0) @binding(0) var<storage, read_write> y: array<f32>;
        @compute @workgroup_size(1) fn main(@builtin(global_invocation_id) g: vec3u) { y[g.x * 1000000u] = 1.0; }
        ''', ("read_write",), (4096, 1, 1))
        recorded = device.record([Dispatch(bad, (device.alloc(16),))])
        [raised(lambda: device.replay(recorded)) for _ in range(3)]
    """)
    assert all(name == "DeviceError" and "stopped in one of the kernels beyond" in text for name, text in errors)
    values = two.run("losses(4)")
    assert values[-1] < values[0] and two.run("device.info['threads']") == "2"


def test_stopped_workers_leave_the_work_to_python(two):
    before, text, after = two.run("""
        config._device = other = WasmDevice(module.PyodideThreads(2))
        await other.start()
        before = losses(4)
        other._engine.stop("tired")
        after = losses(4)
        config._device = device
        [before, other.info["threads"], after]
    """)
    assert after == before and text == "1 (a thread could not go on: tired)"


def test_a_page_that_forbids_its_workers_computes_with_one_thread_and_says_so(start):
    def forbid(page):
        def answer(route):
            reply = route.fetch()
            route.fulfill(response=reply, headers={**reply.headers, "content-security-policy": "worker-src 'self'"})

        page.console.allow("Content Security Policy")
        page.route(f"**{BLANK}*", answer)

    python = start("threads=2&thread=main", forbid)
    assert threads_of(python).startswith("1 (threads did not start: ")
    values = python.run("losses(make=dense)")
    assert values[-1] < values[0]
    assert python.run("device.info['memory']").startswith("2,147,483,648 bytes")  # Pyodide's own


@pytest.mark.slow
def test_workers_that_never_answer_are_given_up(start):
    python = start("threads=1&thread=main")
    text, threads, error = python.run("""
        from pyodide.code import run_js
        run_js("globalThis.Worker = class { postMessage() {} terminate() {} }; 0")
        module.START = 0.2
        other = WasmDevice(module.PyodideThreads(2))
        waiting = other.info["threads"]
        await other.start()
        run_js("globalThis.Worker = class { constructor() { throw new Error('no more workers'); } }; 0")
        third = WasmDevice(module.PyodideThreads(3))
        await third.start()
        [waiting, other.info["threads"], third.info["threads"]]
    """)
    assert text == "1, 1 more starting"
    assert threads == "1 (threads did not start: workers did not start in 0 s)"
    assert error == "1 (threads did not start: no more workers)"


def test_a_page_without_isolation_has_one_thread_on_pyodides_own_memory(start):
    def leave_open(page):
        def answer(route):
            reply = route.fetch()
            names = ("cross-origin-opener-policy", "cross-origin-embedder-policy")
            route.fulfill(response=reply, headers={k: v for k, v in reply.headers.items() if k not in names})

        page.route(f"**{BLANK}*", answer)

    python = start("", leave_open, fresh=True)  # its service worker would serve other pages
    assert threads_of(python) == "1 (the page is not cross-origin isolated)"
    values = python.run("losses(make=dense)")
    assert values[-1] < values[0]


@pytest.mark.slow
def test_by_itself_an_isolated_page_takes_the_machines_cores(start):
    python = start("")
    cores = python.page.evaluate("navigator.hardwareConcurrency")
    assert threads_of(python) == (str(min(cores, 8)) if cores > 1 else "1 (this machine has one core)")
