"""Models kept by the browser: between pyml and the real TensorFlow.js on one site, both ways, and every failure."""

import json
import re
from pathlib import Path

import pytest

from pyml.assets import tensorflow_js

from .python_page import PythonPage, wrap

SETUP = """
    import json, numpy as np, js, pyml
    from pyml import layers
    from pyml.saving import load_model_async, list_models_async, remove_model_async
    def small(units=3):
        return pyml.Sequential([pyml.Input((4,)), layers.Dense(units, activation="tanh"), layers.Dense(2)])
    x = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
    async def outputs(model):
        return (await model.predict_async(x, verbose=0)).tolist()
    async def said(work):
        try:
            await work
        except Exception as error:
            return [type(error).__name__, str(error)]
    1
"""
RUN_THERE = """async (source) => {
  const x = tf.reshape(tf.linspace(-1, 1, 12), [3, 4]);
  const model = await tf.loadLayersModel(source instanceof Array ? tf.io.browserFiles(source) : source);
  return await model.predict(x).array();
}"""
SAVE_THERE = """async (target) => {
  const model = tf.sequential({ layers: [
    tf.layers.dense({ units: 5, inputShape: [4], activation: "relu" }), tf.layers.dense({ units: 2 })] });
  await model.save(target);
  return await model.predict(tf.reshape(tf.linspace(-1, 1, 12), [3, 4])).array();
}"""
STORES = ["indexeddb", "localstorage"]


def opened(context, site, query):
    page = context.new_page()
    python = PythonPage(page, site, query)
    python.run(SETUP)
    return python


@pytest.fixture(scope="module", params=["backend=wasm", "backend=wasm&thread=main"])
def python(browser, site, request):
    """Python in a worker, and on the page's own thread, each with stores of its own."""
    context = browser.new_context(accept_downloads=True)
    yield opened(context, site, request.param)
    context.close()


@pytest.fixture
def tf(python):
    """TensorFlow.js in the same page."""
    if not python.page.evaluate("() => 'tf' in window"):
        python.page.add_script_tag(path=tensorflow_js.script())
        python.page.evaluate("async () => { await tf.setBackend('cpu'); await tf.ready(); }")
    return python.page


@pytest.fixture(autouse=True)
def nothing_kept(request):
    yield
    if "python" in request.fixturenames:
        left = request.getfixturevalue("python")
        left.run("[await remove_model_async(url) for url in await list_models_async()] and 1")


def assert_close(found, expected):
    assert found == [pytest.approx(row, abs=1e-5) for row in expected]


@pytest.mark.parametrize("store", STORES)
def test_a_model_kept_here_opens_in_tensorflow_js(python, tf, store):
    expected = python.run(f"""
        model = small()
        await model.save_async("{store}://my/net")
        await outputs(model)
    """)
    assert_close(tf.evaluate(RUN_THERE, f"{store}://my/net"), expected)
    assert_close(python.run(f"await outputs(await load_model_async('{store}://my/net'))"), expected)


@pytest.mark.parametrize("store", STORES)
def test_a_model_that_tensorflow_js_has_no_form_for_is_kept_too(python, store):
    kept, warned, back = python.run(f"""
    import warnings
    gru = pyml.Sequential([pyml.Input((6, 4)), layers.GRU(3)])
    sequence = np.linspace(-1, 1, 48, dtype=np.float32).reshape(2, 6, 4)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        await gru.save_async("{store}://gru")
    again = await load_model_async("{store}://gru")
    same = bool(np.array_equal(await gru.predict_async(sequence, verbose=0), await again.predict_async(sequence, verbose=0)))
    [list(await list_models_async()), [str(w.message) for w in seen], same]
    """)
    assert kept == [f"{store}://gru"] and back
    assert any(f"{store}://gru holds a file of Keras instead" in text for text in warned)


@pytest.mark.parametrize("store", STORES)
def test_a_model_that_tensorflow_js_kept_opens_here(python, tf, store):
    expected = tf.evaluate(SAVE_THERE, f"{store}://theirs")
    assert_close(python.run(f"await outputs(await load_model_async('{store}://theirs'))"), expected)


def test_both_list_the_same_models_and_remove_those_of_the_other(python, tf):
    tf.evaluate(SAVE_THERE, "indexeddb://theirs")
    python.run("""
        await small().save_async("indexeddb://ours/1")
        await small().save_async("localstorage://ours/1")
        1
    """)
    here = python.run("""
        found = await list_models_async()
        {url: {**info, "dateSaved": info["dateSaved"].timestamp()} for url, info in found.items()}
    """)
    there = tf.evaluate("""async () => Object.fromEntries(Object.entries(await tf.io.listModels()).map(
        ([url, info]) => [url, { ...info, dateSaved: new Date(info.dateSaved) / 1000 }]))""")
    assert sorted(here) == ["indexeddb://ours/1", "indexeddb://theirs", "localstorage://ours/1"]
    assert here == there
    assert here["indexeddb://ours/1"]["weightDataBytes"] == 4 * (4 * 3 + 3 + 3 * 2 + 2)
    assert python.run("(await remove_model_async('indexeddb://theirs'))['modelTopologyType']") == "JSON"
    tf.evaluate("async () => { for (const s of ['indexeddb', 'localstorage']) await tf.io.removeModel(s + '://ours/1'); }")
    assert python.run("await list_models_async()") == {}


def test_downloads_are_the_two_files_that_tensorflow_js_writes_and_open_again_when_chosen(python, tf, tmp_path):
    downloads = []
    tf.on("download", lambda download: downloads.append(download))
    expected = python.run("""
        model = small()
        await model.save_async("downloads://my-net")
        await outputs(model)
    """)
    while len(downloads) < 2:
        tf.wait_for_timeout(50)
    files = {}
    for download in downloads:
        download.save_as(tmp_path / download.suggested_filename)
        files[download.suggested_filename] = (tmp_path / download.suggested_filename).read_bytes()
    assert sorted(files) == ["my-net.json", "my-net.weights.bin"]
    assert json.loads(files["my-net.json"])["weightsManifest"][0]["paths"] == ["./my-net.weights.bin"]

    tf.evaluate("""() => { document.documentElement.innerHTML = '<input type=file multiple>';
      window.picked = () => [...document.querySelector("input").files].sort((a, b) => a.name.length - b.name.length); }""")
    tf.set_input_files("input", [tmp_path / name for name in files])
    assert_close(tf.evaluate(f"() => ({RUN_THERE})(picked())"), expected)
    python.run("""
        async def open_files(files):
            return json.dumps(await outputs(await load_model_async(files)))
        async def open_listed(files):
            return json.dumps(await outputs(await load_model_async(pyml.io.browser_files(list(files)))))
        1
    """)
    for function in ("open_files", "open_listed"):
        found = tf.evaluate("(name) => pyml.call(name, picked().reverse())", function)
        assert_close(json.loads(found), expected)


def test_models_are_copied_and_moved_between_stores(python):
    before, after, first = python.run("""
        from pyml.saving import copy_model_async, move_model_async
        model = small()
        await model.save_async("indexeddb://a")
        info = await copy_model_async("indexeddb://a", "localstorage://b")
        before = sorted(await list_models_async())
        await move_model_async("localstorage://b", "indexeddb://c")
        await remove_model_async("indexeddb://a")
        same = await outputs(model) == await outputs(await load_model_async("indexeddb://c"))
        [before, sorted(await list_models_async()), [same, info["weightDataBytes"]]]
    """)
    assert before == ["indexeddb://a", "localstorage://b"]
    assert after == ["indexeddb://c"]
    assert first == [True, 92]


def test_synchronous_calls_wait_where_the_browser_can(python):
    assert python.run("""
        model = small()
        model.save("indexeddb://sync")
        model.save("localstorage://sync")
        same = [pyml.saving.load_model(url).predict(x, verbose=0).tolist() for url in sorted(pyml.saving.list_models())]
        pyml.saving.move_model("indexeddb://sync", "indexeddb://moved")
        pyml.saving.remove_model("indexeddb://moved")
        [same == 2 * [model.predict(x, verbose=0).tolist()], sorted(pyml.saving.list_models())]
    """) == [True, ["localstorage://sync"]]


@pytest.mark.parametrize("store", STORES)
def test_what_is_not_there_and_what_is_there_already_are_said(python, store):
    missing, gone, exists, same = python.run(f"""
        missing = await said(load_model_async("{store}://nothing"))
        gone = await said(remove_model_async("{store}://nothing"))
        first = small()
        await first.save_async("{store}://net")
        exists = await said(small(units=7).save_async("{store}://net", overwrite=False))
        same = await outputs(await load_model_async("{store}://net")) == await outputs(first)
        await small(units=7).save_async("{store}://net")
        replaced = (await load_model_async("{store}://net")).layers[0].units
        [missing, gone, exists, [same, replaced]]
    """)
    for found in (missing, gone):
        assert found == ["ModelFileError", f"{store}://nothing: there is no such model; list_models() says which there are."]
    assert exists[0] == "FileExistsError" and "pass overwrite=True" in exists[1]
    assert same == [True, 7]


DAMAGE = {
    "no weights": "localStorage.removeItem('tensorflowjs_models/net/weight_data')",
    "no base64": "localStorage.setItem('tensorflowjs_models/net/weight_data', '%%%')",
    "no JSON": "localStorage.setItem('tensorflowjs_models/net/model_topology', '{')",
    "cut short": "localStorage.setItem('tensorflowjs_models/net/weight_data', 'AAAA')",
    "no specs": "localStorage.setItem('tensorflowjs_models/net/weight_specs', '7')",
    "no topology": "localStorage.setItem('tensorflowjs_models/net/model_topology', '[]')",
}


@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_entries_are_refused_and_can_be_removed(python, how):
    python.run("await small().save_async('localstorage://net')")
    python.page.evaluate(f"() => {{ {DAMAGE[how]}; }}")
    name, message = python.run("await said(load_model_async('localstorage://net'))")
    assert name == "ModelFileError" and message.startswith("localstorage://net: ")
    if how in ("no weights", "no base64", "no JSON"):
        assert "the entry is damaged" in message and "remove it with remove_model" in message
    assert python.run("await remove_model_async('localstorage://net') and list(await list_models_async())") == []


def test_a_damaged_entry_of_the_database_is_refused_and_can_be_removed(python):
    python.run("await small().save_async('indexeddb://net')")
    change = """(how) => new Promise((resolve) => {
      indexedDB.open("tensorflowjs").onsuccess = ({ target: { result: database } }) => {
        const store = database.transaction("models_store", "readwrite").objectStore("models_store");
        store.get("net").onsuccess = ({ target: { result } }) => {
          const model = result?.modelArtifacts;
          if (how === "text") model.weightData = "text";
          if (how === "short") model.weightData = [new ArrayBuffer(4), new ArrayBuffer(4)];
          if (how === "gone") store.delete("net"); else store.put(result);
          store.transaction.oncomplete = () => { database.close(); resolve(); };
        };
      };
    })"""
    for how, expected in (("short", "cut short"), ("text", "its weights are not bytes"), ("gone", "listed, but has no content")):
        python.page.evaluate(change, how)
        name, message = python.run("await said(load_model_async('indexeddb://net'))")
        assert name == "ModelFileError" and message.startswith("indexeddb://net: ") and expected in message
    assert python.run("await remove_model_async('indexeddb://net') and list(await list_models_async())") == []


def test_a_model_too_large_for_localstorage_leaves_the_old_one_whole(python):
    found, same, keys = python.run("""
        old = small()
        await old.save_async("localstorage://net")
        large = pyml.Sequential([pyml.Input((4,)), layers.Dense(1_000_000)])
        found = [await said(large.save_async(f"localstorage://{name}")) for name in ("net", "other")]
        same = await outputs(await load_model_async("localstorage://net")) == await outputs(old)
        [found, same, sorted(await list_models_async())]
    """)
    for name, message in found:
        assert name == "ModelStoreError" and "no room" in message and "use indexeddb://" in message
    assert same and keys == ["localstorage://net"]
    assert python.page.evaluate("() => Object.keys(localStorage).filter((k) => k.startsWith('tensorflowjs')).length") == 5


def test_a_full_database_leaves_the_old_model_whole(browser, site):
    context = browser.new_context()
    python = opened(context, site, "backend=wasm")
    used = python.page.evaluate("""async () => {
      for (let before = -1; ;) {                       // what a start keeps in the cache counts too
        const { usage } = await navigator.storage.estimate();
        if (usage === before) return usage;
        before = usage;
        await new Promise((resolve) => { setTimeout(resolve, 500); });
      }
    }""")
    session = context.new_cdp_session(python.page)
    session.send("Storage.overrideQuotaForOrigin", {"origin": site.rstrip("/"), "quotaSize": used + (4 << 20)})
    (name, message), same = python.run("""
        old = small()
        await old.save_async("indexeddb://net")
        large = pyml.Sequential([pyml.Input((4,)), layers.Dense(1_000_000), layers.Dense(4)])
        found = await said(large.save_async("indexeddb://net"))
        [found, await outputs(await load_model_async('indexeddb://net')) == await outputs(old)]
    """)
    context.close()
    assert name == "ModelStoreError" and "no room" in message and "nothing was written" in message
    assert same


def test_a_save_that_breaks_off_between_its_two_records_leaves_the_old_model_whole(python):
    change = """() => {
      const put = IDBObjectStore.prototype.put;
      IDBObjectStore.prototype.put = function (...args) {
        if (this.name !== "models_store") return put.apply(this, args);
        IDBObjectStore.prototype.put = put;
        throw new DOMException("no more", "UnknownError");
      };
    }"""
    (name, message), same, listed = python.run(f"""
        from pyodide.code import run_js
        old = small()
        await old.save_async("indexeddb://net")
        run_js({change!r})()
        found = await said(small(units=50).save_async("indexeddb://net"))
        run_js({change!r})()
        await said(small().save_async("indexeddb://other"))
        info = await list_models_async()
        same = await outputs(await load_model_async('indexeddb://net')) == await outputs(old)
        [found, same, [[url, info[url]["weightDataBytes"]] for url in info]]
    """)
    assert (name, message) == ("ModelStoreError", "indexeddb://net: the browser could not do it (no more).")
    assert same and listed == [["indexeddb://net", 92]]


def test_the_examples_of_the_document_run(python):
    text = (Path(__file__).parents[1] / "docs" / "saving.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    code = "\n".join(blocks) + "\nlist(await list_models_async())"
    assert json.loads(python.page.evaluate("(code) => pyml.runPython(code)", wrap(code))) == ["indexeddb://digits"]
    weights = 4 * (4 * 8 + 8 + 8 * 2 + 2)
    assert any(line.startswith(f"indexeddb://digits {weights} 20") for line in python.printed())
    assert python.run("""
        model.save("digits")
        from pathlib import Path
        await open_model([(path.name, path.read_bytes()) for path in Path("digits").iterdir()])
        model.layers[0].units
    """) == 8


def test_a_browser_that_cannot_wait_names_the_asynchronous_call(browser, site):
    context = browser.new_context()
    found = opened(context, site, "backend=wasm&jspi=off").run("""
        def refused(call, *args):
            try:
                call(*args)
            except Exception as error:
                return [type(error).__name__, str(error)]
        model = small()
        found = [refused(model.save, "indexeddb://a"), refused(pyml.saving.load_model, "indexeddb://a")]
        found += [refused(pyml.saving.list_models), refused(pyml.saving.remove_model, "indexeddb://a")]
        await model.save_async("indexeddb://a")
        [found, await outputs(await load_model_async("indexeddb://a")) == await outputs(model)]
    """)
    context.close()
    assert found[1]
    calls = ("model.save_async('indexeddb://a')", "load_model_async('indexeddb://a')", "list_models_async()",
             "remove_model_async('indexeddb://a')")  # fmt: skip
    assert found[0] == [["SyncReadError", f"This browser cannot wait here; write `await {call}`."] for call in calls]


def test_a_worker_whose_page_does_not_answer_says_so_and_keeps_indexeddb(browser, site):
    context = browser.new_context()
    said, same = opened(context, site, "backend=wasm").run("""
        from pyodide.code import run_js
        await small().save_async("indexeddb://net")
        post = run_js("const post = postMessage; globalThis.postMessage = () => {}; post")
        found = await said(small().save_async("localstorage://net"))
        run_js("(post) => { globalThis.postMessage = post; }")(post)
        [found, (await load_model_async("indexeddb://net")).layers[0].units]
    """)
    context.close()
    assert said[0] == "ModelStoreError"
    assert said[1] == ("localstorage://net: a worker reaches it through its page, which does not answer; "
                       "load Python with web/pyml.js, or use indexeddb://.")  # fmt: skip
    assert same == 3
