"""Pages in browsers that keep nothing, or have no room: they work, and say so once."""

import functools
import http.server
import threading
from contextlib import contextmanager

import pytest

from pyml import paths

from .patience import until
from .python_page import BLANK, PythonPage, wrap

pytestmark = pytest.mark.slow

# What a browser does that keeps nothing of a site: asking for its storage is an error.
NOTHING = """
for (const name of ["caches", "indexedDB", "localStorage", "sessionStorage"]) {
  const get = () => { throw new DOMException("The operation is insecure.", "SecurityError"); };
  if (name in globalThis) Object.defineProperty(globalThis, name, { get });
}
"""
STEP = """
import numpy as np
import pyml
from pyml import kept, layers
model = pyml.Sequential([layers.Input((6,)), layers.Dense(5, "relu"), layers.Dense(2)])
model.compile("adam", "mse")
loss = float(model.train_on_batch(np.ones((4, 6)), np.ones((4, 2))))
"""


@pytest.mark.parametrize("thread", ["worker", "main"])
def test_in_a_window_that_keeps_nothing_the_digits_page_trains(new_page, site, thread):
    page = new_page(fresh=True, service_workers="block")
    page.add_init_script(NOTHING)

    def without(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=f"{NOTHING}\n{answer.text()}")

    page.route("**/web/worker.js*", without)
    page.goto(f"{site}/demos/mnist/index.html?backend=wasm&autorun=1&epochs=1&digits=640&thread={thread}")
    page.wait_for_function("() => window.pymlDemo?.done")
    assert page.evaluate("() => pymlDemo.error") is None
    assert page.evaluate("() => pymlDemo.testAccuracy") > 0.2


def test_without_room_what_was_compiled_is_not_kept_and_that_is_said_once(new_page, site):
    page = new_page(fresh=True)
    page.goto(site + BLANK)
    page.context.new_cdp_session(page).send("Storage.overrideQuotaForOrigin", {"origin": site, "quotaSize": 1000})
    python = PythonPage(page, site, "backend=wasm&threads=1")
    twice = "await kept.store().save(); kept.store().changed = True; await kept.store().save()"
    python.run(f"{STEP}\n{twice}\nloss")
    told = [e["text"] for e in page.evaluate("events") if e["type"] == "stderr" and "cannot be kept" in e["text"]]
    assert len(told) == 1 and "Quota" in told[0]
    again = new_page_of(page).run(f"{STEP}\ndict(kept.counts)")
    assert again["kernels compiled"] and "kernels found" not in again


def new_page_of(page):
    """Another page of the same window."""
    other = page.context.new_page()
    return PythonPage(other, page.url.split("/vendor")[0], "backend=wasm&threads=1")


@contextmanager
def plain(folder):
    """A folder served by Python's plain file server, which sends no isolation headers."""

    class Plain(http.server.SimpleHTTPRequestHandler):
        extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".wasm": "application/wasm", ".mjs": "text/javascript"}

        def log_message(self, *args):
            pass

    handler = functools.partial(Plain, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_on_a_host_without_isolation_headers_python_starts_and_the_second_visit_has_threads(new_page, site):
    code = wrap(STEP + "[bool(loss > 0), kept.store() is not None, pyml.config.describe()]")
    with plain(paths.site_dir()) as url:
        page = new_page(fresh=True)
        page.goto(f"{url}/demos/mnist/index.html?backend=wasm")
        for isolated, threads in ((False, "1 (the page is not cross-origin isolated)"), (True, None)):
            page.wait_for_function("() => window.pymlPython?.info && !document.querySelector('#train').disabled")
            assert page.evaluate("crossOriginIsolated") is isolated
            assert "Python goes on from its memory" in page.evaluate("pymlPython.info.times.map(([name]) => name)")
            trained, keeps, details = page.evaluate("async (code) => JSON.parse(await pymlPython.runPython(code))", code)
            assert trained and keeps
            assert threads is None or threads in details
            if not isolated:
                until(page, "async () => (await navigator.serviceWorker.ready).active?.state === 'activated'")
                page.reload()
