"""Exported models in Chromium, from a host that knows nothing of them: both devices, a worker, pictures, training, storage."""

import functools
import hashlib
import http.server
import threading

import numpy as np
import pytest

import pyml
from pyml.cli import browser as browsers

L = pyml.layers

PAGE = """async ([url, x, y, pixels, big, targets]) => {
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
  image.width = 5; // how large it is shown is nothing to the model
  const plain = Object.assign(document.createElement("canvas"), { width: 32, height: 24 });
  Object.assign(plain.getContext("2d"), { fillStyle: "rgb(200 100 50)" }).fillRect(0, 0, 32, 24);
  const video = document.createElement("video"), empty = document.createElement("video");
  Object.assign(video, { muted: true, srcObject: plain.captureStream() });
  await Promise.all([video.play(), new Promise((resolve) => video.requestVideoFrameCallback(resolve))]);
  for (const device of ["wasm", "webgpu"]) {
    const model = await load({ device });
    const own = (found[device] = { device: model.device });
    own.y = [...await model.predict(data)];
    own.shape = (await model.predict(data)).shape;
    own.pictures = [];
    for (const source of [picture, canvas, bitmap, frame, image]) own.pictures.push([...await model.predict(source)]);
    own.scaled = [...await model.predict(picture, { scale: 1 / 255, offset: -0.5 })];
    own.plain = [...await model.predict(plain, { scale: 1 / 255 })];
    own.film = [...await model.predict(video, { scale: 1 / 255 })];
    own.early = [await model.predict(empty).catch((e) => e.message), await model.predict(new Image()).catch((e) => e.message)];
    own.error = await model.predict(new Float32Array(5)).catch((e) => e.message);
    own.history = await model.fit(new Float32Array(big), new Int32Array(targets), { epochs: 3, batchSize: 4 });
    own.seeded = [];
    if (device === "wasm") {
      await model.save("indexeddb://mine");
      const again = await load({ device, weights: "indexeddb://mine" });
      own.kept = [...await again.predict(data)];
      own.now = [...await model.predict(data)];
      own.nothing = await load({ device, weights: "indexeddb://none" }).catch((e) => e.message);
    }
    model.close();
    if (device === "webgpu") own.lost = await model.predict(data).catch((e) => e.name);
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
def exported(tmp_path_factory):
    """A model that was trained nowhere yet, and the folder it was exported to."""
    pyml.utils.set_random_seed(5)
    layers = [L.Conv2D(4, 3, activation="relu"), L.Flatten(), L.Dense(3, activation="softmax")]
    model = pyml.Sequential([pyml.Input((6, 8, 3), name="image"), *layers])
    model.compile(pyml.optimizers.SGD(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    folder = tmp_path_factory.mktemp("host")
    pyml.export(model, folder / "model", batch_sizes=(1, 2, 4), training=True)
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


def test_an_exported_model_runs_from_any_host_without_any_other(exported, host, page):
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
    found = page.evaluate(PAGE, [f"{host}/model/model.js", numbers[0], [], *numbers[1:]])
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
        assert own["device"] == device and own["shape"] == [2, 3]
        close(np.reshape(own["y"], (2, 3)), before)
        for picture in own["pictures"]:
            close(picture, shown, rtol=1e-3, atol=1e-5)
        close(own["scaled"], scaled, rtol=1e-3)
        np.testing.assert_allclose(own["film"], own["plain"], atol=0.02)  # a video's colours are a little different
        assert all("has not been loaded yet, or has no pixels" in told for told in own["early"])
        assert own["error"].startswith('predict: input "image": expected 144 numbers for each row, of the shape (rows, 6, 8, 3)')
        close(own["history"]["loss"], history["loss"])
        close(own["history"]["accuracy"], history["accuracy"])
    assert found["wasm"]["kept"] == found["wasm"]["now"] != found["wasm"]["y"]
    assert found["wasm"]["nothing"] == "load: nothing is kept under indexeddb://none."
    assert found["webgpu"]["lost"] == "DeviceLost"
    assert found["chosen"] == "wasm"
    assert found["unknown"].startswith("load: device must be one of webgpu, wasm")
    assert found["missing"] == "could not load plan.json: the server answered 404"
    assert found["worker"] == found["wasm"]["y"]


def test_an_app_opens_without_a_network(exported, host, page):
    model, folder = exported
    pyml.export(model, folder / "app", devices="wasm", app="pwa")
    page.goto(f"{host}/app/")
    page.wait_for_function("async () => (await navigator.serviceWorker.ready).active.state === 'activated'")
    page.wait_for_function("() => document.querySelector('#status').textContent.startsWith('Ready, on wasm')")
    page.context.set_offline(True)
    page.reload()
    page.wait_for_function("() => document.querySelector('#status').textContent.startsWith('Ready, on wasm')")


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
