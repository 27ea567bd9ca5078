"""Exported models in Chromium, from a host that knows nothing of them: both devices, a worker, pictures, training, storage."""

import functools
import hashlib
import http.server
import re
import threading
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml.cli import browser as browsers
from pyml.cli.serve import running

from .demo_page import plain_server
from .patience import until

L = pyml.layers
ROOT = Path(__file__).resolve().parent.parent

PAGE = """async ([url, gpu, x, pixels, big, targets]) => {
  const { load } = await import(url);
  const found = { isolated: crossOriginIsolated };
  const data = new Float32Array(x);
  const picture = new ImageData(Uint8ClampedArray.from(pixels), 13, 9);
  const canvas = Object.assign(document.createElement("canvas"), { width: 13, height: 9 });
  canvas.getContext("2d").putImageData(picture, 0, 0);
  const bitmap = await createImageBitmap(canvas);
  const frame = new VideoFrame(bitmap, { timestamp: 0 });
  const image = new Image();
  image.src = URL.createObjectURL(await new Promise((resolve) => canvas.toBlob(resolve)));
  await image.decode();
  const shown = Object.assign(new Image(5, 4), { src: image.src }); // how large it is shown counts, as in TensorFlow.js
  await shown.decode();
  const drawn = Object.assign(document.createElement("canvas"), { width: 5, height: 4 });
  drawn.getContext("2d").drawImage(image, 0, 0, 5, 4);
  const plain = Object.assign(document.createElement("canvas"), { width: 32, height: 24 });
  Object.assign(plain.getContext("2d"), { fillStyle: "rgb(200 100 50)" }).fillRect(0, 0, 32, 24);
  const video = document.createElement("video"), empty = document.createElement("video");
  Object.assign(video, { muted: true, srcObject: plain.captureStream() });
  await Promise.all([video.play(), new Promise((resolve) => video.requestVideoFrameCallback(resolve))]);
  for (const device of ["wasm", "webgpu"]) {
    const model = await (await import(device === "webgpu" ? gpu : url)).load({ device });
    const own = (found[device] = { device: model.device, threads: model.threads });
    own.y = [...await model.predict(data)];
    own.shape = (await model.predict(data)).shape;
    own.pictures = [];
    for (const source of [picture, canvas, bitmap, frame, image]) own.pictures.push([...await model.predict(source)]);
    own.shown = [[...await model.predict(shown)], [...await model.predict(drawn)]];
    own.scaled = [...await model.predict(picture, { scale: 1 / 255, offset: -0.5 })];
    own.plain = [...await model.predict(plain, { scale: 1 / 255 })];
    own.film = [...await model.predict(video, { scale: 1 / 255 })];
    own.early = [await model.predict(empty).catch((e) => e.message), await model.predict(new Image()).catch((e) => e.message)];
    own.error = await model.predict(new Float32Array(5)).catch((e) => e.message);
    const fit = () => model.fit(new Float32Array(big), new Int32Array(targets), { epochs: 3, batchSize: 4 });
    if (device === "wasm" || gpu === url) own.history = await fit();
    if (device === "wasm") {
      await model.save("indexeddb://mine");
      const again = await load({ device, weights: "indexeddb://mine" });
      own.kept = [...await again.predict(data)];
      own.now = [...await model.predict(data)];
      own.nothing = await load({ device, weights: "indexeddb://none" }).catch((e) => e.message);
    }
    model.close();
    own.closed = await model.predict(data).catch((e) => `${model.threads} ${e.message}`);
  }
  found.chosen = (await load()).device; // the only adapter here is software
  found.unknown = await load({ device: "npu" }).catch((e) => e.message);
  found.missing = await load("/nowhere/").catch((e) => e.message);
  const code = `onmessage = async ({ data: [url, x] }) => {
    const { load } = await import(url);
    const y = await (await load({ device: "wasm" })).predict(new Float32Array(x));
    postMessage([...y]);
  };`;
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { type: "module" });
  found.worker = await new Promise((resolve, reject) => {
    worker.onmessage = (event) => resolve(event.data);
    worker.onerror = (event) => reject(new Error(event.message));
    worker.postMessage([url, x]);
  });
  return found;
}"""


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files as they are, no headers of ours."""

    def log_message(self, *args):
        """Nothing."""


@pytest.fixture(scope="module")
def plain():
    """A model of one layer."""
    pyml.utils.set_random_seed(6)
    model = pyml.Sequential([pyml.Input((6, 8, 3), name="image"), L.Flatten(), L.Dense(3, activation="softmax")])
    model.compile(pyml.optimizers.SGD(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture(scope="module")
def exported(tmp_path_factory, plain):
    """A model that was trained nowhere yet, and the folder it was exported to.

    A software adapter compiles half a minute for all of `model`; `seen` in the folder only predicts, and `plain` has plans for
    such an adapter too.
    """
    pyml.utils.set_random_seed(5)
    layers = [L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(3, activation="softmax")]
    model = pyml.Sequential([pyml.Input((6, 8, 3), name="image"), *layers])
    model.compile(pyml.optimizers.SGD(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    folder = tmp_path_factory.mktemp("host")
    pyml.export(model, folder / "model", batch_sizes=(1, 2, 4), training=True)
    pyml.export(plain, folder / "plain", batch_sizes=(1, 2, 4), training=True, devices=("webgpu", "wasm", "software"))
    pyml.export(model, folder / "seen", batch_sizes=(1, 2), devices="webgpu")
    (folder / "index.html").write_text("<!doctype html><title>A page</title>")
    return model, folder


@pytest.fixture(scope="module")
def host(exported):
    """The address of a plain file server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(exported[1])))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("gpu", ["seen", pytest.param("model", marks=pytest.mark.slow)])
def test_an_exported_model_runs_from_any_host_without_any_other(exported, host, page, gpu):
    model, _ = exported
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2, 6, 8, 3)).astype("float32")
    pixels = rng.integers(0, 256, (9, 13, 4)).astype("uint8")
    pixels[..., 3] = 255
    big, targets = rng.normal(size=(12, 6, 8, 3)).astype("float32"), rng.integers(0, 3, 12).astype("int32")
    elsewhere = []
    page.route(lambda url: not url.startswith((host, "blob:")), lambda route: (elsewhere.append(route.request.url), route.abort()))
    page.console.allow("404")
    page.goto(f"{host}/index.html")
    numbers = [a.ravel().tolist() for a in (x, pixels, big, targets)]
    found = page.evaluate(PAGE, [f"{host}/model/model.js", f"{host}/{gpu}/model.js", *numbers])
    assert elsewhere == [] and found["isolated"] is False
    close = functools.partial(np.testing.assert_allclose, rtol=2e-4, atol=2e-6)
    before = model.predict(x, verbose=0)
    small = np.asarray(pyml.ops.image.resize(pyml.ops.cast(pyml.browser.from_pixels(pixels), "float32"), (6, 8)))[None]
    shown, scaled = model.predict(small, verbose=0)[0], model.predict(small / 255 - 0.5, verbose=0)[0]
    weights = model.get_weights()
    history = model.fit(big, targets, epochs=3, batch_size=4, shuffle=False, verbose=0).history
    model.set_weights(weights)
    for device in ("wasm", "webgpu"):
        own = found[device]
        assert own["device"] == device and own["threads"] == 1 and own["shape"] == [2, 3]
        close(np.reshape(own["y"], (2, 3)), before)
        for picture in own["pictures"]:
            close(picture, shown, rtol=1e-3, atol=1e-5)
        close(*own["shown"], rtol=1e-3, atol=1e-4)
        assert np.abs(np.subtract(own["shown"][0], own["pictures"][0])).max() > 1e-4
        close(own["scaled"], scaled, rtol=1e-3)
        np.testing.assert_allclose(own["film"], own["plain"], atol=0.02)  # a video's colours are a little different
        assert all("has not been loaded yet, or has no pixels" in told for told in own["early"])
        assert own["error"].startswith('predict: input "image": expected 144 numbers for each row, of the shape (rows, 6, 8, 3)')
        assert own["closed"] == "0 this model was closed; load it again."
        assert ("history" in own) == (device == "wasm" or gpu == "model")  # `plain` learns on a GPU in the quick tests too
        for name, values in own.get("history", {}).items():
            close(values, history[name])
    assert found["wasm"]["history"].keys() == {"loss", "accuracy"}
    assert found["wasm"]["kept"] == found["wasm"]["now"] != found["wasm"]["y"]
    assert found["wasm"]["nothing"] == "load: nothing is kept under indexeddb://none."
    assert found["chosen"] == "wasm"
    assert found["unknown"].startswith("load: device must be one of webgpu, wasm")
    assert found["missing"] == "could not load plan.json: the server answered 404"
    assert found["worker"] == found["wasm"]["y"]


ON_A_GPU = """async ([url, pixels]) => {
  Object.defineProperty(GPUAdapter.prototype, "info", { get: () => ({ vendor: "nobody" }) }); // not by name a software adapter
  const taken = [], unpacked = GPUQueue.prototype.copyExternalImageToTexture, written = GPUQueue.prototype.writeTexture;
  GPUQueue.prototype.copyExternalImageToTexture = function (...given) { taken.push("picture"); return unpacked.apply(this, given); };
  GPUQueue.prototype.writeTexture = function (...given) { taken.push("bytes"); return written.apply(this, given); };
  const { load } = await import(url), model = await load({ device: "webgpu" }), found = { taken };
  const data = new ImageData(Uint8ClampedArray.from(pixels), 13, 9);
  const make = (alpha) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 13, height: 9 });
    canvas.getContext("2d", { alpha }).putImageData(data, 0, 0);
    return canvas;
  };
  const [clear, opaque] = [make(true), make(false)], frame = new VideoFrame(opaque, { timestamp: 0 });
  found.one = [];
  for (const source of [data, clear, opaque, frame]) found.one.push([...await model.predict(source)]);
  found.scaled = [...await model.predict(opaque, { scale: 1 / 255, offset: -0.5 })];
  const flat = new ImageData(20, 10);
  for (let i = 0; i < flat.data.length; i++) flat.data[i] = i % 4 === 3 ? 255 : 50;
  found.flat = [...await model.predict(flat)];
  found.several = [...await model.predict([flat, data, opaque], { batchSize: 2 })];
  model.close();
  return found;
}"""


def test_pictures_are_resized_on_the_gpu_to_the_numbers_of_python(exported, host, page):
    model, _ = exported
    pixels = np.random.default_rng(2).integers(0, 256, (9, 13, 4)).astype("uint8")
    pixels[..., 3] = 255
    page.goto(f"{host}/index.html")
    found = page.evaluate(ON_A_GPU, [f"{host}/seen/model.js", pixels.ravel().tolist()])
    small = np.asarray(pyml.ops.image.resize(pyml.ops.cast(pyml.browser.from_pixels(pixels), "float32"), (6, 8)))[None]
    shown, scaled, flat = (model.predict(x, verbose=0)[0] for x in (small, small / 255 - 0.5, np.full((1, 6, 8, 3), 50.0)))
    close = functools.partial(np.testing.assert_allclose, rtol=1e-3, atol=1e-5)
    assert [*found["taken"]] == [*["bytes", "bytes", "picture", "picture"], "picture", "bytes", *["bytes"] * 4]
    for one in found["one"]:
        close(one, shown)
    close(found["scaled"], scaled)
    close(found["flat"], flat)
    close(found["several"], [*flat, *shown, *shown])


def test_a_software_adapter_takes_plans_for_such(exported, host, page):
    model, folder = exported
    pyml.export(model, folder / "software", batch_sizes=1, devices=("webgpu", "software"))
    page.goto(f"{host}/index.html")
    asked = []
    page.on("request", lambda request: asked.append(request.url.split("/")[-1].partition("?")[0]))
    x = np.random.default_rng(8).normal(size=(1, 6, 8, 3)).astype("float32")
    run = """async ([url, x]) => {
      const model = await (await import(url)).load();
      return [model.device, [...await model.predict(new Float32Array(x))]];
    }"""
    device, y = page.evaluate(run, [f"{host}/software/model.js", x.ravel().tolist()])
    assert device == "webgpu" and "software.json" in asked and "webgpu.json" not in asked
    np.testing.assert_allclose([y], model.predict(x, verbose=0), rtol=2e-4, atol=2e-6)


SHOW = """async ([pixels, unit]) => {
  const canvas = new OffscreenCanvas(8, 6), rgba = new Uint8ClampedArray(4 * 48).fill(255);
  pixels.forEach((value, i) => { rgba[4 * Math.floor(i / 3) + (i % 3)] = value; });
  canvas.getContext("2d").putImageData(new ImageData(rgba, 8, 6), 0, 0);
  const files = new DataTransfer(), answer = document.querySelector("#answer"), file = document.querySelector("#file");
  files.items.add(new File([await canvas.convertToBlob()], "picture.png"));
  document.querySelector("#unit").checked = unit;
  answer.textContent = "";
  file.files = files.files;
  file.dispatchEvent(new Event("change"));
  while (!answer.textContent) await new Promise((resolve) => { setTimeout(resolve, 10); });
  return Object.fromEntries(answer.textContent.split("\\n").slice(1).map((line) => line.split(": ")));
}"""


def test_an_app_opens_without_a_network(exported, host, page):
    model, folder = exported
    pyml.export(model, folder / "app", devices="wasm", app="pwa")
    page.goto(f"{host}/app/")
    until(page, "async () => (await navigator.serviceWorker.ready).active.state === 'activated'")
    page.wait_for_function("() => document.querySelector('#status').textContent.startsWith('Ready, on wasm')")
    missing = page.context.new_cdp_session(page).send("Page.getInstallabilityErrors")["installabilityErrors"]
    assert {error["errorId"] for error in missing} <= {"in-incognito"}
    page.context.set_offline(True)
    page.reload()
    page.wait_for_function("() => document.querySelector('#status').textContent.startsWith('Ready, on wasm')")
    pixels = np.arange(144, dtype="float32").reshape(6, 8, 3)
    for unit in (False, True):  # its page shows a picture to the model, with the values that the model knows
        said = page.evaluate(SHOW, [pixels.ravel().tolist(), unit])
        wanted = model.predict(pixels[None] / (255 if unit else 1), verbose=0)[0]
        np.testing.assert_allclose([float(said[str(i)]) for i in range(len(wanted))], wanted, rtol=2e-3, atol=1e-4)
        assert page.is_visible("#shown")


BAD = """async ([url, x]) => {
  const { load } = await import(url);
  const told = (promise) => promise.then((value) => value, (error) => `${error.name}: ${error.message}`);
  const data = new Float32Array(x), found = {}, counted = { runs: 0 };
  found.load = [await told(load({ devices: "wasm" })), await told(load({ device: "wasm", threads: 0 }))];
  const model = await load({ device: "wasm" });
  const targets = Int32Array.of(0, 1), fit = (x, y, options) => told(model.fit(x, y, options));
  found.predict = [
    await told(model.predict(null)), await told(model.predict("0.5")), await told(model.predict([[1, 2], [3]])),
    await told(model.predict(data, { batchSize: "2" })), await told(model.predict(data, { scale: "1/255" })),
    await told(model.predict({ picture: data })), await told(model.predict(Float64Array.from(data))),
  ];
  found.fit = [
    await fit(data, targets, { batchSize: "2" }), await fit(data, targets, { batchSize: 2, onBatchEnd: 3 }),
    await fit(data, targets, { batchSize: 2, validationData: data }), await fit(data, targets, { batchSize: 3 }),
    await fit(data.subarray(1), targets, { batchSize: 2 }), await fit(data, targets, { batchSize: 2, epochs: -1 }),
  ];
  found.untouched = String(Object.values(await model.state())) === String(Object.values(await (await load({ device: "wasm" })).state()));
  const { validate } = WebAssembly, { gpu } = navigator;
  WebAssembly.validate = () => false;
  found.plain = await told(load({ device: "wasm" }));
  WebAssembly.validate = validate;
  Object.defineProperty(navigator, "gpu", { value: undefined, configurable: true });
  found.without = [(await load()).device, await told(load({ device: "webgpu" }))];
  Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
  const { requestDevice } = GPUAdapter.prototype, devices = [];
  GPUAdapter.prototype.requestDevice = async function (...given) {
    devices.push(await requestDevice.apply(this, given));
    return devices.at(-1);
  };
  let own = await load({ device: "webgpu" });
  found.history = await own.fit(data, targets, { batchSize: 2 });
  const state = await own.state(), before = [...await own.predict(data)];
  devices[0].destroy();
  await devices[0].lost;
  found.lost = [await told(own.predict(data)), await told(own.fit(data, targets, { batchSize: 2 }))];
  own = await load({ device: "webgpu", weights: state });
  found.again = [before, [...await own.predict(data)]];
  own.close();
  return found;
}"""


def test_what_is_wrong_is_said_before_a_device_works_and_then_it_learns(exported, plain, host, page):
    x = np.random.default_rng(4).normal(size=(2, 6, 8, 3)).astype("float32")
    page.goto(f"{host}/index.html")
    found = page.evaluate(BAD, [f"{host}/plain/model.js", x.ravel().tolist()])
    assert found["load"] == ['Error: load: there is no option "devices"; the options are device, weights, threads.',
                             "Error: load: threads must be an integer of at least 1; received 0."]  # fmt: skip
    nothing, text, ragged, size, scale, name, dtype = found["predict"]
    for told, received in ((nothing, "null"), (text, "String")):
        assert told.startswith('Error: predict: input "image": expected a Float32Array, nested arrays of numbers, or a picture')
        assert told.endswith(f"; received {received}.")
    assert ragged.endswith("the rows have different lengths.")
    assert size == 'Error: predict: batchSize must be a number; received "2".'
    assert scale == 'Error: predict: scale must be a number; received "1/255".'
    assert name == "Error: predict: expected the inputs image; received picture."
    assert dtype.endswith("expected float32 numbers in a Float32Array; received a Float64Array.")
    size, hear, unseen, batch, rows, epochs = found["fit"]
    assert size == 'Error: fit: batchSize must be a number; received "2".'
    assert hear == "Error: fit: onBatchEnd must be a function; received 3."
    assert unseen == "Error: fit: validationData must be [x, y]."
    assert batch == "Error: fit: batchSize 3; this model was exported for batches of 1, 2, 4."
    assert rows.startswith('Error: fit: input "image": expected 144 numbers for each row, of the shape (rows, 6, 8, 3); received 287')
    assert epochs == "Error: fit: epochs must be an integer of at least 0; received -1."
    assert found["untouched"]
    assert found["plain"] == "Error: this browser has no WebAssembly SIMD; use a newer one."
    assert found["without"] == ["wasm", "Error: this browser offers no WebGPU adapter."]
    assert set(found["lost"]) == {"DeviceLost: the GPU was lost (Device was destroyed.): load the model again."}
    np.testing.assert_array_equal(*found["again"])
    history = plain.fit(x, np.array([0, 1]), batch_size=2, verbose=0).history
    np.testing.assert_allclose(found["history"]["loss"], history["loss"], rtol=2e-4)
    np.testing.assert_allclose(found["again"][0], plain.predict(x, verbose=0).ravel(), rtol=2e-4)


FIFTY = """async ([url, device, x, y, unseen]) => {
  const { load } = await import(url);
  const model = await load({ device }), data = new Float32Array(x), targets = new Int32Array(y);
  let batches = 0;
  const history = await model.fit(data, targets, { epochs: 10, batchSize: 16, onBatchEnd() { batches += 1; } });
  const tested = await model.evaluate(data, targets, { batchSize: 16 });
  const predicted = [...await model.predict(new Float32Array(unseen), { batchSize: 16 })];
  model.close();
  return { device: model.device, batches, history, tested, y: predicted };
}"""


@pytest.mark.slow
@pytest.mark.parametrize("device", ["wasm", "webgpu"])
def test_fifty_steps_of_training_in_a_page_are_those_of_python(exported, host, page, device):
    _, folder = exported
    pyml.utils.set_random_seed(1)
    layers = [L.Conv2D(4, 3, activation="relu"), L.BatchNormalization(), L.Dropout(0.5), L.Flatten(), L.Dense(10, activation="softmax")]
    model = pyml.Sequential([pyml.Input((6, 6, 1)), *layers])
    rate = pyml.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    model.compile(pyml.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    devices = ("webgpu", "software") if device == "webgpu" else "wasm"
    pyml.export(model, folder / f"fifty-{device}", batch_sizes=16, training=True, devices=devices)
    pick = np.random.default_rng(3)
    x, y = pick.normal(size=(80, 6, 6, 1)).astype("float32"), pick.integers(0, 10, 80).astype("int32")
    page.goto(f"{host}/index.html")
    given = [f"{host}/fifty-{device}/model.js", device, x.ravel().tolist(), y.tolist(), x[:16].ravel().tolist()]
    found = page.evaluate(FIFTY, given)
    history = model.fit(x, y, epochs=10, batch_size=16, shuffle=False, verbose=0).history
    assert (found["device"], found["batches"], len(found["history"]["loss"])) == (device, 50, 10)
    np.testing.assert_allclose(found["history"]["loss"], history["loss"], rtol=1e-3)
    np.testing.assert_allclose(found["history"]["accuracy"], history["accuracy"], atol=0.026)  # two rows on the edge
    assert history["loss"][-1] < history["loss"][0]
    assert found["tested"]["loss"] == pytest.approx(model.evaluate(x, y, verbose=0, return_dict=True)["loss"], rel=2e-3)
    np.testing.assert_allclose(found["y"], model.predict(x[:16], verbose=0).ravel(), atol=5e-3)


COMPILED = """globalThis.compiled = [];
for (const name of ["compile", "compileStreaming", "instantiateStreaming"]) {
  const plain = WebAssembly[name];
  WebAssembly[name] = (...given) => { compiled.push(name); return plain.apply(WebAssembly, given); };
}
WebAssembly.Module = new Proxy(WebAssembly.Module, {
  construct(made, given) { compiled.push("Module"); return Reflect.construct(made, given); },
});
const { instantiate } = WebAssembly;
WebAssembly.instantiate = (what, ...rest) => {
  if (!(what instanceof WebAssembly.Module)) compiled.push("instantiate");
  return instantiate.call(WebAssembly, what, ...rest);
};"""


def test_a_module_is_compiled_once_while_it_streams(exported, host, new_page):
    """However many predictions there are; nothing else is compiled."""
    page = new_page(fresh=True)
    page.add_init_script(COMPILED)
    page.goto(f"{host}/index.html")
    run = """async (url) => {
      const model = await (await import(url)).load({ device: "wasm" });
      for (const rows of [1, 2, 4]) await model.predict(new Float32Array(rows * 144));
      return compiled;
    }"""
    assert page.evaluate(run, f"{host}/model/model.js") == ["compileStreaming"]


FULL = """async (url) => {
  const { load } = await import(url);
  const model = await load({ device: "wasm" });
  const told = await model.save("indexeddb://full").catch((error) => error.message);
  return [told, await load({ device: "wasm", weights: "indexeddb://full" }).catch((error) => error.message)];
}"""


def test_storage_that_is_full_is_named(exported, host, new_page):
    page = new_page(fresh=True)
    page.goto(f"{host}/index.html")
    page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", {"origin": host, "quotaSize": 1000})
    full, nothing = page.evaluate(FULL, f"{host}/model/model.js")
    assert full.startswith("save: the browser's storage is full; make room there")
    assert nothing == "load: nothing is kept under indexeddb://full."


THREADS = """async ([url, x, y]) => {
  const { load } = await import(url);
  const data = new Float32Array(x), targets = new Int32Array(y), found = { isolated: crossOriginIsolated };
  const { postMessage } = Worker.prototype;
  let job = null;
  Worker.prototype.postMessage = function (message) { job = message; return postMessage.call(this, message); };
  for (const threads of [1, 2]) {
    const model = await load({ device: "wasm", threads }), own = (found[threads] = { threads: model.threads });
    if (threads === 2 && model.threads === 2) { // somebody who watches whether the helper ever has work in hand
      const look = `onmessage = ({ data: [memory, at] }) => {
        const words = new Int32Array(memory.buffer);
        while (Atomics.load(words, at) !== 1);
        postMessage(true);
      };`;
      const watching = new Worker(URL.createObjectURL(new Blob([look])));
      const seen = new Promise((resolve) => { watching.onmessage = resolve; });
      let helped = false;
      seen.then(() => { helped = true; });
      postMessage.call(watching, [job.memory, job.meet.STATE >> 2]);
      while (!helped) {
        await model.predict(data);
        await new Promise((later) => setTimeout(later));
      }
      watching.terminate();
      own.helped = helped;
    }
    own.y = [...await model.predict(data)];
    own.history = await model.fit(data, targets, { epochs: 4 });
    own.trained = [...await model.predict(data)];
    model.close();
  }
  return found;
}"""


@pytest.fixture(scope="module")
def isolated(tmp_path_factory):
    """A model that is worth threads, and the address of a server whose pages are isolated."""
    pyml.utils.set_random_seed(6)
    layers = [L.Conv2D(24, 3, activation="relu"), L.Conv2D(24, 3, activation="relu"), L.Flatten(), L.Dense(3, activation="softmax")]
    model = pyml.Sequential([pyml.Input((24, 24, 8)), *layers])
    model.compile("adam", "sparse_categorical_crossentropy")
    folder = tmp_path_factory.mktemp("isolated")
    pyml.export(model, folder / "model", batch_sizes=4, training=True, devices="wasm")
    (folder / "index.html").write_text("<!doctype html><title>A page</title>")
    with running(folder) as url:
        yield model, url


def test_threads_of_an_isolated_page_give_the_numbers_of_one(isolated, page):
    model, url = isolated
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(4, 24, 24, 8)).astype("float32"), rng.integers(0, 3, 4)
    page.goto(f"{url}/index.html")
    found = page.evaluate(THREADS, [f"{url}/model/model.js", x.ravel().tolist(), y.tolist()])
    one, two = found["1"], found["2"]
    assert found["isolated"] and (one["threads"], two["threads"]) == (1, 2) and two["helped"]
    assert two["y"] == one["y"] and two["history"] == one["history"] and two["trained"] == one["trained"] != one["y"]
    np.testing.assert_allclose(np.reshape(two["y"], (4, 3)), model.predict(x, verbose=0), rtol=2e-4, atol=2e-6)


def test_a_page_that_forbids_workers_computes_alone(isolated, page):
    _, url = isolated
    forbid = {"content-security-policy": "worker-src 'self'"}
    page.console.allow("Content Security Policy")
    page.console.allow("Creating a worker")

    def answer(route):
        reply = route.fetch()
        route.fulfill(response=reply, headers={**reply.headers, **forbid})

    page.route("**/index.html", answer)
    page.goto(f"{url}/index.html")
    y = page.evaluate("async (url) => [...await (await (await import(url)).load({ threads: 2 })).predict(new Float32Array(18432))]",
                      f"{url}/model/model.js")  # fmt: skip
    assert np.reshape(y, (4, 3)).sum(axis=1) == pytest.approx(1)


def blocks(document, language):
    """The code of a document in a language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / document).read_text(), re.DOTALL)


def shown_by(page, host, name, script):
    """What a page with this module, and a canvas, writes to its console; the page lies beside the exported folder."""
    body = f'<canvas id="canvas"></canvas><script type="module">{script}\nwindow.done = true;</script>'
    (host / name).write_text(f"<!doctype html><title>A page</title><link rel='icon' href='data:,'>{body}")
    page.goto(f"{page.host}/{name}")
    page.wait_for_function("() => window.done")
    return page.console.lines


def test_what_readme_and_guide_write_runs_from_a_plain_server(tmp_path, monkeypatch, new_page):
    """As a reader does it: the guide's Python makes a folder, Python's own server serves it, the pages are those lines."""
    monkeypatch.chdir(tmp_path)
    (python,) = (block for block in blocks("docs/export.md", "python") if "training=True" in block)
    exec(python, {})
    (first,) = blocks("README.md", "js")
    begin, learn = blocks("docs/export.md", "js")[:2]
    with plain_server(tmp_path) as url:
        page = new_page(fresh=True)
        page.host = url
        lines = shown_by(page, tmp_path, "readme.html", first)
        assert re.fullmatch(r"\[1, 10\] \d", lines[-1]), lines
        rows = ("const x = Float32Array.from({ length: 48 * 784 }, (_, i) => (i % 97) / 97);\n"
                "const y = Int32Array.from({ length: 48 }, (_, i) => i % 10);")  # fmt: skip
        lines = shown_by(page, tmp_path, "begin.html", f"const x = new Float32Array(784);\n{begin}\nconsole.log(y.shape);")
        assert lines[-1] == "[1, 10]"
        again = "const other = await load({ weights: 'indexeddb://digits' });\nconsole.log(loss, (await other.evaluate(x, y)).loss);"
        with page.expect_download() as download:
            lines = shown_by(page, tmp_path, "guide.html", f"{begin.split('const y')[0]}\n{rows}\n{learn}\n{again}")
        own, kept = map(float, lines[-1].split())
        assert own == kept > 0
        weights = tmp_path / "digits.npz"
        download.value.save_as(weights)
        page.goto("about:blank")
    model = pyml.Sequential([pyml.Input((28, 28, 1)), L.Flatten(), L.Dense(10, activation="softmax")])
    model.load_weights(weights)
    assert np.abs(model.get_weights()[0]).max() > 0


@pytest.mark.slow
def test_an_extension_of_the_browser_runs_a_model(exported, driver, tmp_path):
    folder = pyml.export(exported[0], tmp_path / "extension", devices="wasm", app="extension")
    number = hashlib.sha256(str(folder).encode()).hexdigest()[:32]  # Chromium's name for what lies there
    name = "".join(chr(ord("a") + int(digit, 16)) for digit in number)
    flags = [f"--disable-extensions-except={folder}", f"--load-extension={folder}", "--headless=new", "--no-sandbox"]
    path = browsers.find_chromium()
    with driver.chromium.launch_persistent_context(str(tmp_path / "profile"), executable_path=path, headless=False, args=flags) as context:
        page = context.new_page()
        page.goto(f"chrome-extension://{name}/index.html")
        page.wait_for_function("() => document.querySelector('#status').textContent.startsWith('Ready, on wasm')")
        answer = page.evaluate("async () => [...await (await (await import('./model.js')).load()).predict(new Float32Array(144))]")
    np.testing.assert_allclose(answer, exported[0].predict(np.zeros((1, 6, 8, 3), "float32"), verbose=0)[0], rtol=1e-4)
