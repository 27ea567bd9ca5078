"""Every layer and every network of the hub, exported and run in Chromium: on both devices, in the page and in a worker, with one thread
and two.
"""

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pyml
from pyml import paths
from pyml.cli.serve import running
from pyml.hub.registry import NETWORKS

SCRIPT = Path(__file__).parent.parent / "tests" / "export" / "every_layer.py"

# What all of the folder's models give, as jobs.json calls them; the text of this function runs in a worker too.
RUN = """async ({ url, options, from = 0, to }) => {
  const found = {};
  for (const { folder, calls: [{ inputs }] } of (await (await fetch(`${url}/jobs.json`)).json()).slice(from, to)) {
    const name = folder.split("/").pop(), { load } = await import(`${url}/${name}/model.js`);
    const model = await load(options);
    const parts = inputs.map(({ data, dtype, shape }) => Object.assign(new globalThis[dtype](data), { shape }));
    const given = await model.predict(parts.length === 1 ? parts[0] : parts);
    const all = Array.isArray(given) ? given : ArrayBuffer.isView(given) ? [given] : Object.values(given);
    const y = all.map(({ shape, ...data }) => ({ shape, data: Object.values(data) }));
    found[name] = { device: model.device, threads: model.threads, y };
    model.close();
  }
  return found;
}"""
IN_A_WORKER = """async ([text, given]) => {
  const code = `(${text})(${JSON.stringify(given)}).then((found) => postMessage(found), (error) => postMessage({ error: error.stack }));`;
  const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.error ? reject(new Error(data.error)) : resolve(data));
    worker.onerror = (event) => reject(new Error(event.message));
  });
}"""


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """The address of a server whose pages are isolated, with all the models, and what Python gave."""
    folder = tmp_path_factory.mktemp("layers")
    subprocess.run([sys.executable, str(SCRIPT), str(folder)], check=True, env={**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])})
    (folder / "index.html").write_text("<!doctype html><title>A page</title>")
    with running(folder) as url:
        yield url, json.loads((folder / "wanted.json").read_text())


def far(given, wanted):
    """Whether what JavaScript gave are other numbers than Python's, whose bytes may be of any dtype."""
    found, raw = np.asarray(given["data"], "f8").reshape(given["shape"]), base64.b64decode(wanted["data"])
    kinds = ("f4", "i4", "u4") if len(raw) == 4 * found.size else ("u1",)
    known = [np.frombuffer(raw, kind).reshape(wanted["shape"]) for kind in kinds]
    return given["shape"] != wanted["shape"] or not any(np.allclose(found, k, rtol=2e-4, atol=2e-5, equal_nan=True) for k in known)


WAYS = [{"device": "webgpu"}, {"device": "wasm", "threads": 1}, {"device": "wasm", "threads": 2}]


@pytest.mark.slow
@pytest.mark.parametrize("worker", [False, True], ids=["page", "worker"])
@pytest.mark.parametrize("options", WAYS, ids=["webgpu", "one thread", "two threads"])
def test_every_layer_gives_in_a_browser_what_it_gives_in_python(layers, page, options, worker):
    url, wanted = layers
    found = {}
    for first in range(0, len(wanted), 40):  # a tab has room for a hundred shared memories, which are gone when it goes elsewhere
        page.goto(f"{url}/index.html")
        given = {"url": url, "options": options, "from": first, "to": first + 40}
        found |= page.evaluate(IN_A_WORKER, [RUN, given]) if worker else page.evaluate(RUN, given)
    assert found.keys() == wanted.keys()
    assert {answer["device"] for answer in found.values()} == {options["device"]}
    assert max(answer["threads"] for answer in found.values()) == options.get("threads", 1)
    wrong = [name for name, answers in wanted.items() if len(found[name]["y"]) != len(answers) or any(map(far, found[name]["y"], answers))]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("name", [entry.name for entry in NETWORKS])
def test_every_network_of_the_hub_gives_in_a_browser_what_it_gives_in_python(name, page, tmp_path):
    if not (paths.assets_dir() / "models" / name).is_dir():
        pytest.skip(f"{name} has not been fetched")
    network = getattr(pyml.hub, name)()
    function, example = network._exported()
    shape = example[0].shape if example else {"speech_embedding": (1, 84, 32, 1)}.get(name, (1, 224, 224, 3))
    sizes = {} if example else {"input_shapes": shape[1:]}
    pyml.export(network, tmp_path / name, devices=("webgpu", "wasm", "software"), **sizes)
    x = np.random.default_rng(0).integers(0, 255, shape).astype("float32")
    wanted = function(pyml.ops.convert_to_tensor(x))
    wanted = [part.numpy().ravel() for part in (wanted if isinstance(wanted, list) else [wanted])]
    (tmp_path / "index.html").write_text("<!doctype html><title>A page</title>")
    data = {"data": x.ravel().tolist(), "dtype": "Float32Array", "shape": list(shape)}
    (tmp_path / "jobs.json").write_text(json.dumps([{"folder": name, "calls": [{"inputs": [data]}]}]))
    with running(tmp_path) as url:
        page.goto(f"{url}/index.html")
        for options in WAYS:
            for worker in (False, True):
                given = {"url": url, "options": options}
                found = (page.evaluate(IN_A_WORKER, [RUN, given]) if worker else page.evaluate(RUN, given))[name]
                assert (found["device"], found["threads"]) == (options["device"], options.get("threads", 1))
                assert len(found["y"]) == len(wanted)
                for answer, value in zip(found["y"], wanted, strict=True):
                    np.testing.assert_allclose(answer["data"], value, rtol=2e-3, atol=1e-4 * np.abs(value).max())
        page.goto("about:blank")
