"""Files that do not arrive: whichever it is, the page names it at once and "Try again" works."""

import re
from contextlib import contextmanager
from threading import Thread

import pytest

from pyml import paths
from pyml.cli.serve import make_server

from .patience import patience
from .python_page import BLANK, PythonPage

PAGE = "/demos/mnist/index.html?backend=cpu"
FAILED = "#status[data-phase=failed] button, .notice.bad button, #loss button"
READY = "() => document.querySelector('#status').dataset.phase === 'ready' && !document.querySelector('#train')?.disabled"
# one of each kind; with the others, and the second tries, these are slow tests
QUICK = ("demo.js*", "pyodide.asm.wasm*", "memory-*.gz", "mnist.npz")
OTHERS = ("runtime.js*", "lines.py", "model.py", "mnist/page.js*", "pyml.js*", "status.js*", "charts.js*", "coding.js*", "worker.js*",
          "seeds.js*", "pyodide.mjs*", "pyodide.asm.mjs*", "pyodide-lock.json", "modules-*.gz", "page.py", "vega.min.js*")  # fmt: skip


def one_and_slow(name, *others):
    return pytest.mark.parametrize("name", [name, *(pytest.param(other, marks=pytest.mark.slow) for other in others)])


@pytest.fixture(scope="module")
def visitor(browser):
    """One browser window, so that later starts find what the first that worked downloaded."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, service_workers="block")
    page = context.new_page()
    page.set_default_timeout(patience())
    yield page
    context.close()


def shown(page):
    page.wait_for_selector(FAILED)
    return " ".join(page.locator("#status, #notices, #loss").all_text_contents())


FORGET = """() => caches.delete("pyml-python")"""  # what an earlier visit unpacked, which would not be asked for


def fail(page, site, name):
    page.goto(site + BLANK)
    page.evaluate(FORGET)
    page.route(f"**/{name}", lambda route: route.abort())
    try:
        page.goto(f"{site}{PAGE}")
        assert re.search(rf"Could not download {name.split('/')[-1].replace('*', '.*')}\b", shown(page))
    finally:
        page.unroute(f"**/{name}")


@pytest.mark.parametrize("name", QUICK)
def test_a_file_that_does_not_arrive_is_named_at_once(visitor, site, name):
    fail(visitor, site, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*QUICK, *OTHERS])
def test_a_file_that_did_not_arrive_can_be_tried_again(visitor, site, name):
    fail(visitor, site, name)
    visitor.locator(FAILED).first.click()
    visitor.wait_for_function(READY)
    assert visitor.locator(FAILED).count() == 0


@one_and_slow("pyodide.asm.wasm*", "worker.js*", "demo.js*", "memory-*.gz", "page.py")
def test_a_file_that_the_site_lacks_is_named_with_the_answer(visitor, site, name):
    visitor.goto(site + BLANK)
    visitor.evaluate(FORGET)
    visitor.route(f"**/{name}", lambda route: route.fulfill(status=404, body="no"))
    try:
        visitor.goto(f"{site}{PAGE}")
        assert re.search(rf"Could not download {name.replace('*', '.*')}: the server answered 404", shown(visitor))
    finally:
        visitor.unroute(f"**/{name}")


@contextmanager
def cutting(name):
    """A server of the site that breaks off in the middle of a file, as long as `cut` holds its name."""
    cut = {name}
    server = make_server(paths.site_dir())

    def copy(self, file, part):
        short = self.path.partition("?")[0].endswith(tuple(cut))
        plain(self, file, range(part.start, part.start + len(part) // 2) if short else part)
        self.close_connection = self.close_connection or short

    plain = server.RequestHandlerClass.copy
    server.RequestHandlerClass = type("Cutting", (server.RequestHandlerClass,), {"copy": copy})
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", cut
    server.shutdown()
    server.server_close()
    thread.join()


@one_and_slow("pyodide.asm.wasm", "python_stdlib.zip", "mnist.npz")
def test_a_file_that_ends_early_is_named_and_can_be_tried_again(visitor, name):
    query = "&ready=off" if name == "python_stdlib.zip" else ""  # a start from the kept memory does not wait for it
    with cutting(name) as (url, cut):
        visitor.goto(f"{url}{PAGE}{query}")
        assert re.search(rf"Could not download {name}: it ended early", shown(visitor))
        cut.clear()
        visitor.get_by_role("button", name="Try again").click()
        visitor.wait_for_function(f"() => ({READY})() || document.querySelector('{FAILED}')")
        assert visitor.locator(FAILED).count() == 0, shown(visitor)


def test_files_that_python_and_pages_ask_for_and_that_end_early_are_named(visitor, site):
    with cutting("coding.js") as (url, cut):
        python = PythonPage(visitor, url, "backend=cpu")
        cut |= {"pyodide-lock.json", "penguins.csv", "irises.csv"}
        told = python.run(f"""
            from pyml import saving
            from pyml.datasets import _files
            from pyml.hub import page
            calls = {{
                "pyodide-lock.json": lambda name: saving.load_model_async(f"{url}/pyodide/{{name}}?again"),
                "penguins.csv": lambda name: _files.download("{url}/data/" + name, name),
                "irises.csv": lambda name: page.bring("{url}/data/" + name, "0", 1 << 20),
            }}
            told = {{}}
            for name, call in calls.items():
                try:
                    await call(name)
                except Exception as error:
                    told[name] = [type(error).__name__, str(error)]
            told
        """)
        kinds = {"pyodide-lock.json": "ModelFileError", "penguins.csv": "OSError", "irises.csv": "HubError"}
        assert {name: kind for name, (kind, _) in told.items()} == kinds, told
        assert all(name in text and "ended early" in text for name, (_, text) in told.items()), told
        page = visitor.evaluate("""async () => {
          const { bring } = await import("/web/basics.js");
          return bring("/web/coding.js").then(() => "came", (error) => error.message);
        }""")
        assert page.startswith("Could not download coding.js: it ended early")


@pytest.mark.slow
def test_a_damaged_runtime_is_named(visitor, site):
    visitor.route("**/pyodide.asm.wasm*", lambda route: route.fulfill(body=b"\0asm nonsense", content_type="application/wasm"))
    try:
        visitor.goto(f"{site}{PAGE}")
        assert "pyodide.asm.wasm: it is damaged" in shown(visitor)
    finally:
        visitor.unroute("**/pyodide.asm.wasm*")


def test_files_that_come_in_after_one_failed_do_not_take_the_place_of_its_name(page, site):
    page.goto(site + BLANK)
    text = page.evaluate("""async () => {
      const { showStatus } = await import("/web/status.js");
      const place = document.body.appendChild(document.createElement("p")), heard = showStatus(place);
      heard({ type: "phase", name: "download", text: "Downloading Python" });
      heard({ type: "failed", error: Object.assign(new Error("Could not download a.mjs: it is gone."), { kind: "download" }) });
      heard({ type: "download", loaded: 1e6, total: 2e6 });
      return place.textContent;
    }""")
    assert text.startswith("Could not download a.mjs") and text.endswith("Try again")


@pytest.mark.slow
def test_on_the_main_thread_too_a_file_is_named_and_can_be_tried_again(visitor, site):
    visitor.route("**/pyodide.asm.mjs*", lambda route: route.abort())
    visitor.goto(f"{site}{PAGE}&thread=main")
    assert "Could not download pyodide.asm.mjs" in shown(visitor)
    visitor.unroute("**/pyodide.asm.mjs*")
    visitor.get_by_role("button", name="Try again").click()
    visitor.wait_for_function(READY)
