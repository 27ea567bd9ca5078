"""Files of Keras in the tab: kept in the browser's stores, downloaded, chosen by the user, fetched from an address; and `get_file`."""

import hashlib
import json
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

import pyml
from pyml import layers

GOLDENS = Path(__file__).parents[1] / "tests" / "goldens" / "keras_files.json"
NOT_THERE = {(".h5", "op between layers")}              # which Keras itself does not open again
X = np.linspace(-1, 1, 32, dtype=np.float32).reshape(8, 4)
SETUP = """
    import hashlib, json, os, numpy as np, js, pyml
    from pyml import layers
    from pyml.saving import load_model, load_model_async
    x = np.linspace(-1, 1, 32, dtype=np.float32).reshape(8, 4)
    y = np.sin(np.arange(16, dtype=np.float32)).reshape(8, 2)
    here = str(js.location.origin) + "/served/"
    def made(seed=0):
        pyml.utils.set_random_seed(seed)
        inputs = pyml.Input((4,))
        hidden = layers.Dropout(0.1, seed=1)(layers.Dense(5, activation="tanh")(inputs))
        model = pyml.Model(inputs, layers.Dense(2)(hidden * 2.0))
        model.compile(pyml.optimizers.Adam(0.01), "mse")
        return model
    async def trained(model):
        return (await model.fit_async(x, y, epochs=2, verbose=0, shuffle=False)).history["loss"]
    async def outputs(model):
        return (await model.predict_async(x, verbose=0)).tolist()
    async def same(model, other):
        return await outputs(model) == await outputs(other)
    async def said(work):
        try:
            await work
        except Exception as error:
            return [type(error).__name__, str(error)]
    def refused(call, *args, **kwargs):
        try:
            call(*args, **kwargs)
        except Exception as error:
            return [type(error).__name__, str(error)]
    1
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A trained model of the desktop in all forms of Keras: names, bytes and what it predicts."""
    folder = tmp_path_factory.mktemp("served")
    model = pyml.Sequential([pyml.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(X, np.ones((8, 2)), epochs=1, verbose=0)
    for name in ("net.keras", "net.h5"):
        model.save(folder / name)
    model.save_weights(folder / "net.weights.h5")
    model.save_weights(folder / "cut.weights.json", max_shard_size=1e-7)
    with zipfile.ZipFile(folder / "rows.zip", "w") as packed:
        packed.writestr("rows.csv", "a,b\n1,2\n")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sum(name.startswith("cut-") for name in files) > 1
    return files, model.predict(X, verbose=0)


@pytest.fixture(scope="module")
def other_site(tmp_path_factory):
    """The address of a file on a server that does not let pages of other sites read it."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "data.bin").write_bytes(b"1")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/data.bin"
        server.shutdown()


@pytest.fixture(scope="module", params=["backend=wasm", "backend=wasm&thread=main&jspi=off"])
def python(pythons, request, served):
    """Python in a worker that can wait, and on the page where nothing can."""
    python = pythons(request.param)
    files = served[0]

    def answer(route):
        data = files.get(route.request.url.rpartition("/")[2].partition("?")[0])
        route.fulfill(status=404, body="no") if data is None else route.fulfill(body=data, content_type="application/octet-stream")

    python.page.route("**/served/*", answer)
    python.waits = "jspi" not in request.param
    python.run(SETUP)
    yield python
    python.page.unroute_all()


def test_files_of_keras_are_kept_in_the_stores_and_go_on_training(python):
    found = python.run("""
        model = made()
        await trained(model)
        found = {}
        for url in ("indexeddb://my/net.keras", "indexeddb://net.h5", "localstorage://net.keras"):
            await model.save_async(url)
            again = await load_model_async(url)
            found[url] = [await same(model, again), type(again.optimizer).__name__, float(again.optimizer.iterations.numpy())]
        first, second = await load_model_async("indexeddb://my/net.keras"), await load_model_async("localstorage://net.keras")
        losses = [await trained(first), await trained(second)]
        found
    """)
    assert found == {url: [True, "Adam", 2.0] for url in ("indexeddb://my/net.keras", "indexeddb://net.h5", "localstorage://net.keras")}
    first, second = python.run("losses")
    assert first == second
    kinds, copied, gone = python.run("""
        infos = await pyml.saving.list_models_async()
        kinds = {url: info["weightDataBytes"] > 2000 for url, info in infos.items()}
        await pyml.saving.move_model_async("indexeddb://my/net.keras", "indexeddb://backup")
        copied = await same(model, await load_model_async("indexeddb://backup"))
        gone = await said(load_model_async("indexeddb://my/net.keras"))
        [kinds, copied, gone]
    """)
    assert kinds == {"indexeddb://my/net.keras": True, "indexeddb://net.h5": True, "localstorage://net.keras": True}
    assert copied
    assert gone == ["ModelFileError", "indexeddb://my/net.keras: there is no such model; list_models() says which there are."]
    refusals = python.run("""
        refusals = [await said(made().save_async("indexeddb://backup.keras", zipped=False)),
                    await said(made().save_async("indexeddb://net.h5", overwrite=False))]
        waiting = [refused(model.save, "indexeddb://sync.keras"), refused(load_model, "indexeddb://net.h5")]
        [await pyml.saving.remove_model_async(url) for url in await pyml.saving.list_models_async()]
        refusals + waiting
    """)
    assert refusals[0][0] == "ValueError" and "zipped=False is for folders" in refusals[0][1]
    assert refusals[1][0] == "FileExistsError"
    calls = ("model.save_async('indexeddb://sync.keras')", "load_model_async('indexeddb://net.h5')")
    for refusal, call in zip(refusals[2:], calls, strict=True):
        assert refusal is None if python.waits else refusal == ["SyncReadError", f"This browser cannot wait here; write `await {call}`."]


def test_weights_are_kept_in_the_stores_and_are_no_model(python):
    found, refusals = python.run("""
        model, other = made(0), made(1)
        await trained(model)
        before = await same(model, other)
        await model.save_weights_async("indexeddb://net.weights.h5")
        await other.load_weights_async("indexeddb://net.weights.h5")
        after = await same(model, other)
        wrong = pyml.Sequential([pyml.Input((4,)), layers.Dense(3)])
        refusals = [await said(load_model_async("indexeddb://net.weights.h5")), await said(wrong.load_weights_async("indexeddb://net.weights.h5")),
                    await said(model.save_weights_async("indexeddb://net.npz")), await said(other.load_weights_async("indexeddb://no.weights.h5")),
                    refused(other.load_weights, "indexeddb://net.weights.h5"), refused(model.save_weights, "indexeddb://net.weights.h5")]
        await pyml.saving.remove_model_async("indexeddb://net.weights.h5")
        [[before, after, await same(model, other)], refusals]
    """)
    assert found == [False, True, True]
    whole, wrong, ending, missing, load, save = refusals
    assert whole[0] == "ModelFileError" and "these are weights alone" in whole[1]
    assert wrong[0] == "ModelFileError" and "could not be loaded" in wrong[1]
    assert ending[0] == "ValueError" and "ends in .weights.h5" in ending[1]
    assert missing[0] == "ModelFileError" and "no.weights.h5: there is no such model" in missing[1]
    for refusal, call in ((load, "load"), (save, "save")):
        assert refusal is None if python.waits else refusal[1].endswith(f"write `await model.{call}_weights_async('indexeddb://net.weights.h5')`.")


def test_downloads_are_the_files_themselves_and_open_again_when_chosen(python, tmp_path):
    page = python.page
    downloads = []
    page.on("download", lambda download: downloads.append(download))
    python.run("""
        model = made()
        await trained(model)
        for name in ("net.keras", "net.h5"):
            await model.save_async(f"downloads://{name}")
        await model.save_weights_async("downloads://net.weights.h5")
        expected = await outputs(model)
        1
    """)
    while len(downloads) < 3:
        page.wait_for_timeout(50)
    files = {}
    for download in downloads:
        files[download.suggested_filename] = tmp_path / download.suggested_filename
        download.save_as(files[download.suggested_filename])
    assert sorted(files) == ["net.h5", "net.keras", "net.weights.h5"]
    expected = np.array(python.run("expected"), "float32")
    here = pyml.saving.load_model(files["net.keras"])              # what the tab wrote, the desktop opens
    np.testing.assert_allclose(here.predict(X, verbose=0), expected, atol=1e-6)
    assert here.optimizer.iterations.numpy() == 2
    np.testing.assert_allclose(pyml.saving.load_model(files["net.h5"]).predict(X, verbose=0), expected, atol=1e-6)

    page.evaluate("() => document.body.append(Object.assign(document.createElement('input'), { type: 'file', id: 'pick' }))")
    python.run("""
        async def open_files(files):
            files = list(files)
            if files[0].name.endswith(".weights.h5"):
                other = made(3)
                await other.load_weights_async(pyml.saving.browser_files(files))
            else:
                other = await load_model_async(pyml.saving.browser_files(files))
            return json.dumps(await outputs(other))
        1
    """)
    for path in files.values():
        page.set_input_files("#pick", path)
        found = page.evaluate("() => pyml.call('open_files', [...document.querySelector('#pick').files])")
        np.testing.assert_allclose(np.array(json.loads(found)), expected, atol=1e-6)
    page.evaluate("() => document.querySelector('#pick').remove()")


def test_files_of_keras_come_from_an_address(python, served):
    _, expected = served
    found = python.run("""
        found = []
        for name in ("net.keras", "net.h5", "net.keras?version=2"):
            found.append(await outputs(load_model(here + name)))
            found.append(await outputs(await load_model_async(here + name)))
        for name in ("net.weights.h5", "net.keras", "net.h5", "cut.weights.json"):
            for way in ("sync", "async"):
                model = pyml.Sequential([pyml.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(2)])
                model.compile("adam", "mse")
                if way == "sync":
                    model.load_weights(here + name)
                else:
                    await model.load_weights_async(here + name)
                found.append(await outputs(model))
        found
    """)
    for values in found:
        np.testing.assert_allclose(np.array(values), expected, atol=1e-6)
    refusals = python.run("""
        missing = here + "no.keras"
        [refused(load_model, missing), await said(load_model_async(missing)), refused(model.load_weights, here + "no.weights.h5")]
    """)
    for refusal in refusals:
        assert refusal[0] == "ModelFileError" and "the server answered 404" in refusal[1]


def test_files_that_keras_wrote_open_in_the_tab_and_train_on(python):
    cases = json.loads(GOLDENS.read_text(encoding="utf-8"))["cases"]
    python.run("import base64, zlib\nfrom pyml.saving import load_model\n1")
    for name in ("trained", "op between layers", "masked", "nested", "shared", "quantized and adapted"):
        case = cases[name]
        kept = {ending: data for ending, data in case["files"].items() if ending in (".keras", ".h5") and (ending, name) not in NOT_THERE}
        found = python.run(f"""
            files, given, found = {json.dumps(kept)}, np.array({case["x"]}, "{case["dtype"]}"), {{}}
            for ending, data in files.items():
                with open("of_keras" + ending, "wb") as file:
                    file.write(zlib.decompress(base64.b64decode(data)))
                model = load_model("of_keras" + ending)
                outputs = await model.predict_async(given, verbose=0)
                found[ending] = [[one.tolist() for one in (outputs if isinstance(outputs, list) else [outputs])], None]
                if {"y" in case}:
                    history = await model.fit_async(given, np.array({case.get("y")}, "float32"), epochs=2, shuffle=False, verbose=0)
                    found[ending][1] = history.history["loss"]
            found
        """)
        assert sorted(found) == sorted(kept) and kept
        for outputs, losses in found.values():
            for have, want in zip(outputs, case["outputs"], strict=True):
                np.testing.assert_allclose(np.array(have), want, atol=1e-4, err_msg=name)
            if losses:
                np.testing.assert_allclose(losses, case["loss"], rtol=1e-3)


def test_get_file_fetches_keeps_checks_and_unpacks(python, served, other_site):
    files, _ = served
    whole = hashlib.sha256(files["net.keras"]).hexdigest()
    same, again, rows, refusals, left = python.run(f"""
        get = pyml.utils.get_file
        path = get(origin=here + "net.keras", file_hash="{whole}", cache_dir="/tmp/kept")
        data = open(path, "rb").read()
        same = [path, hashlib.sha256(data).hexdigest() == "{whole}"]
        again = get("net.keras", "https://elsewhere.test/gone", cache_dir="/tmp/kept") == path     # it is there
        model = load_model(path)
        folder = get("rows.zip", here + "rows.zip", extract=True, cache_dir="/tmp/kept")
        rows = open(os.path.join(folder, "rows.csv")).read()
        refusals = [refused(get, origin=here + "none.bin", cache_dir="/tmp/kept"),
                    refused(get, origin="{other_site}", cache_dir="/tmp/kept"),
                    refused(get, "bad.keras", here + "net.keras", file_hash="0" * 64, cache_dir="/tmp/kept")]
        left = sorted(os.listdir("/tmp/kept/datasets"))
        [same, again, rows, refusals, left]
    """)
    assert same == ["/tmp/kept/datasets/net.keras", True]
    assert again
    assert rows == "a,b\n1,2\n"
    missing, unreadable, hashed = refusals
    assert missing[0] == "OSError" and "URL fetch failure on" in missing[1] and "404" in missing[1] and "CORS" not in missing[1]
    assert unreadable[0] == "OSError" and "does not let pages of other sites read it (CORS)" in unreadable[1]
    assert hashed[0] == "ValueError" and "its hash is" in hashed[1]
    assert left == ["net.keras", "rows.zip", "rows_extracted"]
