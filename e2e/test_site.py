"""The built site: isolation, the runtime, and pyml found through the lock file."""

import json
import os
import urllib.error
import urllib.request

import pytest

from pyml.cli import numbers

from .hosting import KeptScripts, hosted
from .python_page import BLANK

LOAD = """async (base) => {
  const { loadPyodide } = await import(base + "pyodide/pyodide.mjs");
  window.py = await loadPyodide({ indexURL: base + "pyodide/" });
  await py.loadPackage("pyml");
  return py.runPython(`
import importlib.metadata, importlib.util, json
json.dumps({"version": importlib.metadata.version("pyml"), "where": importlib.util.find_spec("pyml").origin,
            "numpy": importlib.metadata.version("numpy")})`);
}"""

REGISTER = "async () => { await navigator.serviceWorker.register('sw.js'); }"


@pytest.fixture
def plain(site):
    """A page of the site with nothing on it."""
    return site + BLANK


def test_pages_are_isolated_and_see_webgpu(page, plain):
    page.goto(plain)
    isolated, adapter = page.evaluate(
        "async () => [crossOriginIsolated, !!(await navigator.gpu.requestAdapter())]"
    )
    assert isolated and adapter


def test_pages_see_no_adapter_where_the_browser_has_none(new_page, browser_without_webgpu, plain):
    page = new_page(browser=browser_without_webgpu)
    page.goto(plain)
    assert page.evaluate("async () => !(await navigator.gpu?.requestAdapter())")


def test_second_request_is_answered_from_the_cache(site):
    url = f"{site}/pyodide/pyodide-lock.json"
    with urllib.request.urlopen(url) as answer:
        tag = answer.headers["ETag"]
        assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    request = urllib.request.Request(url, headers={"If-None-Match": tag})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 304


def test_service_worker_isolates_a_host_that_sends_no_headers(new_page, tmp_path):
    """The site of a user's page, served by Python's plain file server."""
    import functools
    import http.server
    import threading

    from pyml.cli.build import build_site

    (tmp_path / "mine").mkdir()
    module = '<script type="module">import { n } from "./part.js"; window.n = n;</script>'
    (tmp_path / "mine" / "index.html").write_text(f"<!doctype html><title>mine</title>{module}", encoding="utf-8")
    (tmp_path / "mine" / "part.js").write_text("export const n = 1;")
    build_site(tmp_path / "out", page=tmp_path / "mine", say=lambda text: None)

    class Plain(http.server.SimpleHTTPRequestHandler):
        def end_headers(self):
            if self.path.endswith(".js"):
                self.send_header("Cache-Control", "max-age=600")
            super().end_headers()

        def log_message(self, *args):
            pass

    handler = functools.partial(Plain, directory=str(tmp_path / "out"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = new_page()
        page.goto(f"http://127.0.0.1:{server.server_address[1]}/")
        assert not page.evaluate("crossOriginIsolated")
        page.evaluate(REGISTER)
        page.wait_for_function("navigator.serviceWorker.controller !== null")
        page.reload()
        assert page.evaluate("crossOriginIsolated")
        assert page.title() == "mine" and page.evaluate("window.n") == 1
        part = tmp_path / "out" / "part.js"
        part.write_text("export const n = 2;")
        os.utime(part, (2e9, 2e9))  # the server tells seconds apart
        later = page.context.new_page()
        later.goto(page.url)
        assert later.evaluate("window.n") == 2  # though the browser might keep it for ten minutes
        later.close()
        server.shutdown()


def test_a_page_of_a_new_build_meets_no_module_of_an_old_one(new_page, tmp_path):
    """On a host that lets browsers keep scripts for long, with no service worker: modules that changed are other files."""
    files = {"index.html": '<script type="module" src="web/one.js"></script>', "web/one.js": 'import { n } from "./two.js";\nwindow.n = n;'}
    page = new_page(fresh=True, service_workers="block")
    with hosted(tmp_path / "out", KeptScripts) as url:
        for n in (1, 2):
            files["web/two.js"] = f"export const n = {n};"
            for name, text in files.items():
                for folder in ("plain", "out"):
                    (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (tmp_path / folder / name).write_text(text)
            for name, text in numbers.numbered({name: tmp_path / "plain" / name for name in files}).items():
                (tmp_path / "out" / name).write_text(text)
            for name in files:
                os.utime(tmp_path / "out" / name, (2e9 + n, 2e9 + n))  # the server tells seconds apart
            page.goto(url)
            assert page.evaluate("window.n") == n
            page.goto("about:blank")


DIGITS = """async (code) => py.runPythonAsync("from pyml.datasets import mnist\\n" + code)"""
SHAPE = "str((x.shape, str(x.dtype), y.shape))"


def test_load_package_finds_pyml_and_its_digits_in_a_page_that_does_not_use_web_pyml_js(page, site, plain):
    page.goto(plain)
    found = json.loads(page.evaluate(LOAD, site + "/"))
    assert found["version"] == "0.1.0"
    assert found["where"].endswith("site-packages/pyml/__init__.py")
    assert found["numpy"]
    for load in ("mnist.load_data()", "await mnist.load_data_async()"):
        assert page.evaluate(DIGITS, f"_, (x, y) = {load}\n{SHAPE}") == "((1500, 28, 28), 'uint8', (1500,))"
    page.console.allow("404")
    load = "await mnist.load_data_async('none.npz')"
    code = f"try:\n  {load}\nexcept OSError as error:\n  found = str(error)\nfound"
    message = page.evaluate(DIGITS, code)
    assert message == f"none.npz: could not be downloaded from {site}/data/none.npz: the server answered 404"
