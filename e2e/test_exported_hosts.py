"""Exported models where hosts and browsers are in the way: files of an earlier export, policies, no storage, lost devices."""

import os
import time

import numpy as np
import pytest

import pyml

from .demo_page import plain_server
from .patience import until
from .python_page import BLANK

L = pyml.layers
X = np.array([[1, -2, 3, -4]], "float32")
PREDICT = """async ([url, device]) => {
  const model = await (await import(url)).load({ device });
  return [...await model.predict(Float32Array.of(1, -2, 3, -4))];
}"""
READY = "() => document.querySelector('#status').textContent.startsWith('Ready, on wasm')"


def exported(folder, seed, units, **options):
    """A model of `units` hidden units in a folder; what it predicts for X."""
    pyml.utils.set_random_seed(seed)
    model = pyml.Sequential([pyml.Input((4,)), L.Dense(units, activation="tanh"), L.Dense(3)])
    model.compile("sgd", "mse")
    pyml.export(model, folder, **options)
    return model.predict(X, verbose=0)[0]


def age(folder, days):
    """As a host has files that nobody changed for days: a browser does not ask about them again for a while."""
    for path in folder.iterdir():
        os.utime(path, (time.time() - 86400 * days,) * 2)


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=2e-4, atol=2e-6)


@pytest.fixture
def host(tmp_path):
    """A folder, and the address at which Python's own file server has it."""
    (tmp_path / "index.html").write_text("<!doctype html><title>A page</title><link rel='icon' href='data:,'>")
    with plain_server(tmp_path) as url:
        yield tmp_path, url


def test_a_later_export_is_taken_at_once_and_never_mixed_with_the_earlier_one(host, new_page):
    """Some files of the first are in the browser's cache, by right; the plans for WebGPU are not."""
    folder, url = host
    page = new_page(fresh=True)
    first = exported(folder / "model", 1, 8)
    age(folder / "model", 10)
    page.goto(f"{url}/index.html")
    close(page.evaluate(PREDICT, [f"{url}/model/model.js", "wasm"]), first)
    later = exported(folder / "model", 2, 16)
    age(folder / "model", 20)  # of an archive that was made before the first one was put there
    assert np.abs(later - first).max() > 0.1
    for device in ("wasm", "webgpu"):
        page.reload()
        close(page.evaluate(PREDICT, [f"{url}/model/model.js", device]), later)


def test_an_app_that_was_exported_again_replaces_the_one_that_was_kept(host, new_page):
    folder, url = host
    page = new_page(fresh=True)
    exported(folder / "app", 1, 8, devices="wasm", app="pwa")
    age(folder / "app", 10)
    page.goto(f"{url}/app/")
    page.wait_for_function(READY)
    assert not page.is_visible("#shown")  # no picture yet, and no broken one
    until(page, "async () => (await navigator.serviceWorker.ready).active.state === 'activated'")
    page.evaluate("() => { navigator.serviceWorker.oncontrollerchange = () => { window.replaced = true; }; }")
    later = exported(folder / "app", 2, 16, devices="wasm", app="pwa")
    age(folder / "app", 5)
    page.evaluate("async () => { (await navigator.serviceWorker.ready).update(); }")
    page.wait_for_function("() => window.replaced")
    page.context.set_offline(True)
    page.reload()
    page.wait_for_function(READY)
    close(page.evaluate(PREDICT, [f"{url}/app/model.js", "wasm"]), later)


TOLD = """async ([url, device]) => {
  const { load } = await import(url);
  return load({ device }).then(() => "", (error) => error.message);
}"""


NO_WASM = "could not load model.relaxed.wasm: "


@pytest.mark.parametrize(
    "name, body, told",
    [
        ("index.html", None, NO_WASM + "this page's Content Security Policy forbids WebAssembly: script-src needs 'wasm-unsafe-eval'."),
        ("plan.json*", "<!doctype html>", "could not load plan.json: it is damaged, or ended early (Unexpected token '<'"),
        ("model*.wasm*", "nonsense", NO_WASM + "it is damaged, or ended early (WebAssembly"),
    ],
)
def test_what_a_host_makes_impossible_is_said(host, page, name, body, told):
    """A policy of the page, and hosts that answer anything with their first page or with damaged files."""
    folder, url = host
    exported(folder / "model", 1, 8, devices="wasm")

    def answer(route):
        reply = route.fetch()
        policy = {} if body else {"content-security-policy": "script-src 'self' 'unsafe-inline'"}
        route.fulfill(response=reply, headers={**reply.headers, **policy}, body=reply.text() if body is None else body)

    page.route(f"**/{name}", answer)
    page.goto(f"{url}/index.html")
    said = page.evaluate(TOLD, [f"{url}/model/model.js", "wasm"])
    assert said.startswith(told) and (name != "plan.json*" or said.endswith(f"(in {url}/model/)"))


NO_STORAGE = """async (url) => {
  const { load } = await import(url), told = (promise) => promise.then(() => "", (error) => error.message);
  const model = await load({ device: "wasm" }), found = [];
  const insecure = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
  for (const place of [{ get: insecure }, { value: { open: insecure } }, { value: undefined }]) {
    Object.defineProperty(globalThis, "indexedDB", { ...place, configurable: true });
    found.push(await told(model.save("indexeddb://mine")), await told(load({ device: "wasm", weights: "indexeddb://mine" })));
  }
  return found;
}"""


def test_a_window_without_storage_says_how_weights_are_taken_along_instead(host, page):
    folder, url = host
    exported(folder / "model", 1, 8, devices="wasm", training=True)
    page.goto(f"{url}/index.html")
    found = page.evaluate(NO_STORAGE, f"{url}/model/model.js")
    assert len(found) == 6
    for told in found:
        assert told.startswith("the browser keeps nothing here (")
        assert told.endswith('take the weights along: model.save("NAME.npz"), or model.npz().')


LOST = """async (url) => {
  const { load } = await import(url), { requestDevice } = GPUAdapter.prototype;
  let device, when = null;
  GPUAdapter.prototype.requestDevice = async function (...given) {
    device = await requestDevice.apply(this, given);
    when?.();
    return device;
  };
  const told = (promise) => promise.then(() => "it went on", ({ name, message }) => `${name}: ${message}`);
  const x = new Float32Array(64).fill(1), y = new Float32Array(48), found = {};
  let model = await load({ device: "webgpu" });
  const before = [...await model.predict(x, { batchSize: 1 })], predicting = model.predict(x, { batchSize: 1 });
  device.destroy();
  found.predict = await told(predicting);
  model = await load({ device: "webgpu" });
  found.fit = await told(model.fit(x, y, { epochs: 2, onBatchEnd(batch) { if (batch === 2) device.destroy(); } }));
  found.state = await told(model.state());
  model = await load({ device: "webgpu" });
  const fitting = model.fit(x, y, { epochs: 50 });
  setTimeout(() => device.destroy());
  found.later = await told(fitting);
  when = () => device.destroy();
  found.loading = await told(load({ device: "webgpu" }));
  when = null;
  model = await load({ device: "webgpu" });
  return [found, before, [...await model.predict(x, { batchSize: 1 })]];
}"""


def test_a_gpu_that_is_lost_while_it_predicts_learns_or_loads_is_told_and_another_load_goes_on(host, page):
    folder, url = host
    exported(folder / "model", 1, 8, devices=("webgpu", "software"), training=True)
    page.goto(f"{url}/index.html")
    found, before, after = page.evaluate(LOST, f"{url}/model/model.js")
    assert found == dict.fromkeys(("predict", "fit", "state", "later", "loading"),
                                  "DeviceLost: the GPU was lost (Device was destroyed.): load the model again.")  # fmt: skip
    np.testing.assert_array_equal(before, after)


# in place of model.js: the first model that it loads loses the GPU
FRAIL = """let loaded = 0;
const lost = () => Object.assign(new Error("the GPU was lost (a test): load the model again."), { name: "DeviceLost" });
export const load = async () => {
  const number = ++loaded;
  return { device: "webgpu", inputs: [{ name: "x", shapes: [[2]] }],
    predict: async () => { if (number === 1) throw lost(); return Float32Array.of(number); } };
};"""
TWIN = """async (module) => {
  document.body.innerHTML = '<p id="status"></p>';
  const [{ openTwin }, { load }] = await Promise.all([import("/web/twin.js"), import(module)]);
  const model = await openTwin(load);
  const told = await model.predict([1, 2]).catch(({ name }) => name);
  return [told, document.getElementById("status").innerHTML];
}"""


def test_pages_of_an_export_go_on_or_say_what_helps_where_the_gpu_is_lost(host, page, site):
    folder, url = host
    exported(folder / "model", 1, 8, devices="wasm", app="page")
    page.route("**/model.js", lambda route: route.fulfill(body=FRAIL, content_type="text/javascript"))
    page.goto(f"{url}/model/index.html")
    page.fill("#values", "[1, 2]")
    page.click("#predict")
    page.wait_for_function("() => document.querySelector('#answer').textContent.endsWith('0: 2.000')")  # of the model that was loaded again
    page.goto(site + BLANK)
    told, status = page.evaluate(TWIN, f"{site}/model.js")
    assert told == "DeviceLost" and "was taken away" in status and "Load the page again</button>" in status


FLAT = """async (url) => {
  const { load } = await import(url), x = new Float32Array(4), counts = [];
  const model = await load({ device: "webgpu" });
  let made = 0;
  for (const name of ["createBuffer", "createBindGroup", "createComputePipeline", "createComputePipelineAsync", "createTexture"]) {
    const plain = GPUDevice.prototype[name];
    GPUDevice.prototype[name] = function (...given) { made += 1; return plain.apply(this, given); };
  }
  for (let i = 0; i < 1000; i++) {
    await model.predict(x);
    if (i === 20 || i === 999) counts.push(made);
  }
  return counts;
}"""


def test_a_thousand_predictions_make_nothing_that_twenty_had_not_made(host, page):
    folder, url = host
    exported(folder / "model", 1, 8, devices=("webgpu", "software"))
    page.goto(f"{url}/index.html")
    early, late = page.evaluate(FLAT, f"{url}/model/model.js")
    assert early == late
