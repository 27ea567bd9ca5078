"""`pyml.io`: models in memory, behind functions and on servers, routers, and weights as bytes."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import graph_cases
import numpy as np
import pytest

import pyml
from pyml import io, layers
from pyml.saving import ModelFileError, deregister_op, handlers, load_model, load_model_async, register_op
from pyml.saving.files import Place
from pyml.saving.tfjs.graph_model import GraphModel

X = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


def small():
    return pyml.Sequential([pyml.Input((4,)), layers.Dense(3, activation="tanh"), layers.Dense(2)])


def same(model, other):
    np.testing.assert_array_equal(model.predict(X, verbose=0), other.predict(X, verbose=0))


def artifacts(model):
    kept = []
    model.save(io.with_save_handler(kept.append))
    return kept[0]


def test_what_a_save_handler_is_given_loads_from_memory():
    model = small()
    found = artifacts(model)
    assert isinstance(found["weightData"], bytes)
    assert len(found["weightData"]) == 4 * (4 * 3 + 3 + 3 * 2 + 2)
    assert [spec["shape"] for spec in found["weightSpecs"]] == [[4, 3], [3], [3, 2], [2]]
    same(load_model(io.from_memory(found)), model)
    same(load_model(io.from_memory(found["modelTopology"], found["weightSpecs"], found["weightData"])), model)
    same(asyncio.run(load_model_async(io.from_memory(found))), model)


def test_handlers_may_be_coroutines():
    model, kept = small(), []

    async def keep(found):
        kept.append(found)
        return "kept"

    class Slow:
        async def load(self):
            return kept[0]

    asyncio.run(model.save_async(io.with_save_handler(keep)))
    same(asyncio.run(load_model_async(Slow())), model)
    with pytest.raises(pyml.errors.SyncReadError, match="load_model_async"):
        load_model(Slow())


def test_routers_make_addresses_known(monkeypatch):
    monkeypatch.setattr(handlers, "_LOADERS", [])
    monkeypatch.setattr(handlers, "_SAVERS", [])
    shelf = {}
    io.register_load_router(lambda url: io.from_memory(shelf[url]) if url in shelf else None)
    io.register_save_router(lambda url: io.with_save_handler(lambda a: shelf.update({url: a})) if url.startswith("shelf:") else None)
    model = small()
    model.save("shelf:one")
    same(load_model("shelf:one"), model)
    assert len(io.get_load_handlers("shelf:one")) == len(io.get_save_handlers("shelf:two")) == 1
    assert io.get_load_handlers("shelf:two") == io.get_save_handlers("elsewhere") == []
    with pytest.raises(ModelFileError, match="there is no file"):
        load_model("shelf:two")
    io.register_load_router(lambda url: io.from_memory({}))
    with pytest.raises(ValueError, match="2 routers"):
        load_model("shelf:one")


@pytest.fixture
def server(tmp_path):
    """Serves a folder, and keeps the requests that send something."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            sent.append(("GET", self.path, dict(self.headers), b""))
            file = tmp_path / self.path.strip("/")
            self.send_response(200 if file.is_file() else 404)
            self.end_headers()
            self.wfile.write(file.read_bytes() if file.is_file() else b"")

        def do_PUT(self):
            sent.append((self.command, self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if "broken" in self.path else 200)
            self.end_headers()

        do_POST = do_PUT

        def log_message(self, *args):
            pass

    sent: list = []
    service = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{service.server_port}", tmp_path, sent
    service.shutdown()
    service.server_close()


def test_a_model_is_sent_to_a_server_as_tensorflow_js_sends_it(server):
    address, folder, sent = server
    model = small()
    model.save(io.http(f"{address}/upload", {"method": "PUT", "headers": {"X-Key": "k"}}))
    method, path, headers, body = sent.pop()
    assert (method, path, headers["X-Key"]) == ("PUT", "/upload", "k")
    line = headers["Content-Type"].removeprefix("multipart/form-data; boundary=").encode()
    parts = {}
    for part in body.split(b"--" + line)[1:-1]:
        head, _, data = part.strip(b"\r\n").partition(b"\r\n\r\n") if b"model.json" in part else part[2:-2].partition(b"\r\n\r\n")
        name = head.split(b'name="')[1].split(b'"')[0].decode()
        assert f'filename="{name}"'.encode() in head
        (folder / name).write_bytes(data)
        parts[name] = data
    assert json.loads(parts["model.json"])["weightsManifest"][0]["paths"] == ["./model.weights.bin"]
    same(load_model(f"{address}/model.json"), model)
    same(load_model(io.http(f"{address}/model.json", {"headers": {"X-Key": "k"}})), model)
    assert sent[-1][2]["X-Key"] == "k"
    assert io.http(f"{address}/model.json").load()["weightData"] == parts["model.weights.bin"]


def test_weights_may_lie_elsewhere(server):
    address, folder, _ = server
    model = small()
    model.save(folder / "model.json")
    (folder / "weights").mkdir()
    for file in folder.glob("*.bin"):
        file.rename(folder / "weights" / file.name)
    same(load_model(io.http(f"{address}/model.json", weight_path_prefix=f"{address}/weights")), model)
    same(load_model(io.http(f"{address}/model.json", weight_url_converter=lambda name: f"{address}/weights/{name}")), model)
    with pytest.raises(ModelFileError, match="404"):
        load_model(io.http(f"{address}/model.json"))


def test_servers_that_refuse_are_named(server):
    address, _, _ = server
    with pytest.raises(ModelFileError, match="/broken: the server answered 500"):
        small().save(io.http(f"{address}/broken"))
    with pytest.raises(ValueError, match="expected an address"):
        io.http("folder/model.json")
    with pytest.raises(ValueError, match="redirect"):
        io.http(address, {"redirect": "follow"})
    assert [io.is_http_scheme(u) for u in ("https://a", "indexeddb://a", 3)] == [True, False, False]


@pytest.mark.parametrize("place", [lambda url: Place(url), lambda url: io.http(url, {"headers": {"a": "b"}})], ids=["address", "http"])
def test_servers_that_a_page_does_not_reach_are_named(place, monkeypatch):
    async def pyfetch(url, **options):
        if "far" in url:
            raise OSError("Failed to fetch")
        return SimpleNamespace(ok=False, status=503)

    monkeypatch.setitem(sys.modules, "pyodide.http", SimpleNamespace(pyfetch=pyfetch))
    monkeypatch.setitem(sys.modules, "pyodide.ffi", SimpleNamespace(JsException=ZeroDivisionError))
    for url, said in (("https://far.example/model.json", "cannot be reached (Failed to fetch)."),
                      ("https://near.example/model.json", "the server answered 503.")):  # fmt: skip
        reading = place(url).read_async("model.json", 10)
        with monkeypatch.context() as page, pytest.raises(ModelFileError) as told:
            page.setattr(sys, "platform", "emscripten")
            reading.send(None)
        assert str(told.value) == f"{url}: {said}"


def test_weights_come_back_from_bytes():
    weights = {"a": X, "b": np.array([True, False]), "c": np.array(7, np.int32), "e": np.zeros((0, 2), np.float32)}
    data, specs = io.encode_weights(weights)
    assert len(data) == 48 + 2 + 4

    async def parts():
        for i in range(0, len(data), 7):
            yield data[i : i + 7]

    streamed = asyncio.run(io.decode_weights_stream(parts(), specs))
    for found in (io.decode_weights(data, specs), io.decode_weights([data[:5], data[5:]], specs), streamed):
        assert found.keys() == weights.keys()
        for name, array in weights.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype
    model = small()
    data, specs = io.encode_weights(model.weights[:1])
    np.testing.assert_array_equal(next(iter(io.decode_weights(data, specs).values())), model.weights[0].numpy())
    with pytest.raises(ModelFileError, match="cut short"):
        io.decode_weights(data[:-1], specs)
    with pytest.raises(TypeError, match="expected numbers"):
        io.encode_weights({"t": np.array(["text"])})


def test_a_stream_that_does_not_end_is_left():
    _, specs = io.encode_weights({"a": X})

    async def endless():
        while True:
            yield bytes(4096)

    with pytest.raises(ModelFileError, match="more than the 48 bytes"):
        asyncio.run(io.decode_weights_stream(endless(), specs))


def test_weights_of_a_manifest_are_read_by_name(tmp_path):
    model = small()
    model.save(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    manifest = description["weightsManifest"]
    names = [spec["name"] for spec in io.get_weight_specs(manifest)]
    found = asyncio.run(io.load_weights(manifest, str(tmp_path)))
    assert list(found) == names
    np.testing.assert_array_equal(found[names[2]], model.weights[2].numpy())
    asked = []

    def fetch(paths):
        asked.extend(paths)
        return [(tmp_path / Path(path).name).read_bytes() for path in paths]

    load = io.weights_loader_factory(fetch)
    assert list(asyncio.run(load(manifest, "there", [names[1]]))) == [names[1]]
    assert asked == [f"there/{path}" for path in manifest[0]["paths"]]
    with pytest.raises(ModelFileError, match="no weights 'other'"):
        asyncio.run(io.load_weights(manifest, str(tmp_path), ["other"]))
    with pytest.raises(ModelFileError, match="leads out"):
        asyncio.run(io.load_weights([{**manifest[0], "paths": ["../w.bin"]}], str(tmp_path)))


def test_descriptions_become_artifacts(tmp_path):
    model = small()
    model.save(tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    data = b"".join((tmp_path / path).read_bytes() for path in description["weightsManifest"][0]["paths"])

    async def bring(manifest):
        return io.get_weight_specs(manifest), [data[:8], data[8:]]

    found = asyncio.run(io.get_model_artifacts_for_json(description, bring))
    assert found == io.get_model_artifacts_for_json_sync(description, io.get_weight_specs(description["weightsManifest"]), data)
    same(load_model(io.from_memory(found)), model)
    info = io.get_model_artifacts_info_for_json(found)
    assert (info["modelTopologyType"], info["weightDataBytes"]) == ("JSON", len(data))
    with pytest.raises(ModelFileError, match="specs and their bytes"):
        io.get_model_artifacts_for_json_sync(description)
    with pytest.raises(ModelFileError, match="modelTopology"):
        load_model(io.from_memory({"modelTopology": 3}))


def test_bytes_in_parts_read_as_one():
    whole = bytes(range(50))
    parts = io.composite_array_buffer([whole[:3], whole[3:3], whole[3:40], whole[40:]])
    for span in ((0, None), (2, 41), (3, 3), (-7, None), (45, 99)):
        assert parts.slice(*span) == whole[slice(*span)]
    assert (parts.byte_length, io.concatenate_array_buffers([whole, whole])) == (50, whole * 2)
    with pytest.raises(TypeError, match="expected bytes"):
        io.concatenate_array_buffers(["text"])


def test_operators_of_ones_own(device):
    nodes = [graph_cases.node("x", "Placeholder", dtype="DT_FLOAT"), graph_cases.node("y", "Swish", ["x"], beta=2.0)]
    register_op("Swish", lambda node, x: x * pyml.ops.sigmoid(x * node.attr("beta", 1.0)))
    try:
        model = GraphModel(graph_cases.graph(nodes)[0], {}, "test")
        np.testing.assert_allclose(model.predict(X), X / (1 + np.exp(-2 * X)), rtol=1e-5)
    finally:
        deregister_op("Swish")
    with pytest.raises(ModelFileError, match="Swish"):
        GraphModel(graph_cases.graph(nodes)[0], {}, "test")
    with pytest.raises(ValueError, match="no operator 'Swish'"):
        deregister_op("Swish")


def test_texts_among_weights_are_as_long_as_each_says():
    texts = [b"one", b"", "zwei ä".encode(), b"\0\1"]
    specs = [{"name": "before", "shape": [2], "dtype": "float32"}, {"name": "words", "shape": [2, 2], "dtype": "string"},
             {"name": "after", "shape": [1], "dtype": "int32"}]  # fmt: skip
    data = np.array([1, 2], "<f4").tobytes() + b"".join(len(t).to_bytes(4, "little") + t for t in texts) + np.array([7], "<i4").tobytes()
    found = io.decode_weights(data, specs)
    assert found["words"].tolist() == [texts[:2], texts[2:]] and found["before"].tolist() == [1, 2] and found["after"].tolist() == [7]
    for cut in (2, 12, 25):
        with pytest.raises(ModelFileError):
            io.decode_weights(data[:-cut], specs)
