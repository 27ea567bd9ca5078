"""Starting from the memory that `pyml build` made: what is the same at every visit, what must not be, and every way back."""

import json
import re

import pytest

from pyml import paths
from pyml.cli.serve import running

from .patience import until
from .python_page import BLANK, PythonPage

GOES_ON = "Python goes on from its memory"
DRAWN = """
import random, numpy, pyml
drawn = [random.random(), numpy.random.rand(), pyml.random.make_default_seed(), hash("text"), hash(b"bytes"), hash(("of", "text"))]
drawn
"""


def went_on(python):
    return GOES_ON in [name for name, _ in python.info["times"]]


@pytest.mark.parametrize("query", [
    "backend=cpu", pytest.param("backend=wasm&thread=main", marks=pytest.mark.slow)], ids=["worker", "main thread"])  # fmt: skip
def test_a_page_goes_on_from_the_sites_memory_and_every_visit_draws_its_own_numbers(browser, site, query):
    context = browser.new_context()
    asked = []
    context.on("request", lambda request: asked.append(request.url.split("/")[-1]))
    first, second = (PythonPage(context.new_page(), site, query) for _ in range(2))
    assert went_on(first) and went_on(second)
    assert not [name for name in asked if name.endswith(".whl")]
    assert all(a != b for a, b in zip(first.run(DRAWN), second.run(DRAWN), strict=True))
    # modules that the memory holds, modules that come from the pack, numpy's libraries, metadata
    code = """
    import importlib.metadata, numpy as np, numpy.polynomial, pyml, pyml.applications, pyml.wrappers
    model = pyml.Sequential([pyml.layers.Input((3,)), pyml.layers.Dense(1, kernel_initializer="ones")])
    [float(np.linalg.det(np.eye(2))), model.predict(np.ones((1, 3)), verbose=0).tolist(), importlib.metadata.version("pyml")]
    """
    assert first.run(code) == [1.0, [[3.0]], "0.1.0"]
    # Python's own modules that the memory does not hold come when they are wanted, or soon after the start
    assert first.run("import colorsys\ncolorsys.rgb_to_hsv(1, 0, 0)") == [0.0, 1.0, 1]
    assert first.run("import numpy\nnumpy.random.seed(5)\nnumpy.random.randint(0, 100, 3).tolist()") == [99, 78, 61]
    events = first.page.evaluate("() => events.filter((e) => e.type === 'download')")
    assert {event["total"] for event in events} == {events[-1]["loaded"]}  # known from the first byte on
    context.close()


@pytest.mark.parametrize("thread", ["worker", "main"])
def test_everything_that_a_start_needs_is_asked_for_before_any_of_it_has_come(browser, site, thread):
    """Scripts and the small file that says what there is are answered; of all else nothing until all has been asked for."""
    plan = json.loads((paths.site_dir() / "pyodide" / "ready.json").read_text())
    wanted = {plan["memory"], plan["modules"], "pyodide.asm.wasm", *(file for _, file in plan["libraries"] if file)}
    context = browser.new_context(service_workers="block")
    held = {}

    def answer(route):
        name = route.request.url.split("/")[-1].partition("?")[0]
        if name in wanted:
            held[name] = route
        else:
            route.continue_()

    context.route("**/pyodide/**", answer)
    page = context.new_page()
    page.goto(f"{site}/demos/mnist/index.html?backend=cpu&thread={thread}", wait_until="commit")
    while held.keys() != wanted:
        page.wait_for_timeout(50)
    for route in held.values():
        route.continue_()
    page.wait_for_function("() => document.querySelector('#status').dataset.phase === 'ready' && window.pymlPython?.info")
    assert GOES_ON in page.evaluate("pymlPython.info.times.map(([name]) => name)")
    context.close()


FORGET = """() => caches.delete("pyml-python")"""
UNPACKED = """async (wanted) => {
  const keys = await (await caches.open("pyml-python")).keys();
  return JSON.stringify(keys.map(({ url }) => url.split("/").at(-1)).sort()) === JSON.stringify(wanted);
}"""
DAMAGED = """async () => {
  const cache = await caches.open("pyml-python");
  for (const { url } of await cache.keys()) if (url.includes("memory-")) await cache.put(url, new Response("nonsense"));
}"""


def forget(page, site):
    """Forgets what earlier visits unpacked."""
    page.goto(f"{site}{BLANK}")
    page.evaluate(FORGET)


def visited(browser, site):
    """A window that was on a page once; what that unpacked is kept."""
    plan = json.loads((paths.site_dir() / "pyodide" / "ready.json").read_text())
    context = browser.new_context(service_workers="block")
    page = context.new_page()
    page.goto(f"{site}{BLANK}")
    page.evaluate("""() => caches.open("pyml-python").then((cache) => cache.put("/pyodide/memory-0123456789.gz", new Response("old")))""")
    first = PythonPage(page, site, "backend=cpu&thread=main")
    until(first.page, UNPACKED, [plan["memory"], plan["modules"]])
    return context


def test_a_later_visit_reads_what_the_first_one_unpacked(browser, site):
    context = visited(browser, site)
    for name in ("memory-*.gz", "modules-*.gz"):
        context.route(f"**/{name}", lambda route: route.abort())
    python = PythonPage(context.new_page(), site, "backend=cpu&thread=main")
    assert went_on(python)
    events = python.page.evaluate("() => events.filter((e) => e.type === 'download')")
    assert events[-1]["total"] == events[-1]["loaded"]
    context.close()


@pytest.mark.slow
@pytest.mark.parametrize("missing", [
    "delete globalThis.caches; Object.defineProperty(globalThis, 'caches', { get() { throw new DOMException('no', 'SecurityError'); } })",
    "CacheStorage.prototype.open = () => Promise.reject(new DOMException('no', 'SecurityError'))",
    "Cache.prototype.put = () => Promise.reject(new DOMException('full', 'QuotaExceededError'))",
    "Cache.prototype.match = () => Promise.reject(new DOMException('unreadable', 'OperationError'))"],
    ids=["none", "private window", "full", "unreadable"])  # fmt: skip
def test_where_the_browser_keeps_nothing_every_visit_unpacks(browser, site, missing):
    context = browser.new_context(service_workers="block")
    context.add_init_script(missing)
    for _ in range(2):
        page = context.new_page()
        errors = []
        page.on("pageerror", lambda error, errors=errors: errors.append(error))
        python = PythonPage(page, site, "backend=cpu&thread=main")
        assert went_on(python) and not errors
        assert python.run("import colorsys\ncolorsys.rgb_to_hsv(1, 0, 0)") == [0.0, 1.0, 1]
    context.close()


@pytest.mark.slow
def test_what_was_unpacked_and_is_damaged_is_unpacked_again(browser, site):
    context = visited(browser, site)
    page = context.new_page()
    page.goto(f"{site}{BLANK}")
    page.evaluate(DAMAGED)
    assert not went_on(PythonPage(page, site, "backend=cpu&thread=main"))
    assert went_on(PythonPage(context.new_page(), site, "backend=cpu&thread=main"))
    context.close()


@pytest.mark.parametrize("query", [
    "backend=cpu", pytest.param("backend=cpu&thread=main", marks=pytest.mark.slow)], ids=["worker", "main thread"])  # fmt: skip
def test_a_memory_of_another_runtime_is_refused_and_python_starts_from_nothing(page, site, tmp_path, query):
    import gzip

    plan = json.loads((paths.site_dir() / "pyodide" / "ready.json").read_text())
    memory = bytearray(gzip.decompress((paths.site_dir() / "pyodide" / plan["memory"]).read_bytes()))
    runs = int.from_bytes(memory[4:8], "little")
    memory[16 + 8 * runs + 16] ^= 255  # in the build's number, which Pyodide compares
    (tmp_path / "memory.gz").write_bytes(gzip.compress(bytes(memory), 1))
    forget(page, site)
    page.console.allow("fatal error")
    with running(tmp_path) as other:  # what a route answers itself takes a busy machine longer than a page waits
        page.route("**/memory-*.gz", lambda route: route.continue_(url=f"{other}/memory.gz"))
        python = PythonPage(page, site, query)
    assert not went_on(python)
    assert python.run("import numpy\nfloat(numpy.ones(3).sum())") == 3
    assert any(re.search("starting Python from nothing, Snapshot build id mismatch", line) for line in page.console.lines)


@pytest.mark.slow
@pytest.mark.parametrize("name, body", [
    ("memory-*.gz", b"nonsense"), ("modules-*.gz", b"nonsense"), ("library-*.wasm", b"nonsense"), ("ready.json", b"{}"),
    ("ready.json", b"no JSON"), ("ready.json", b'{"format": 99}')])  # fmt: skip
def test_whatever_of_it_is_damaged_or_missing_python_starts_from_nothing(page, site, name, body):
    forget(page, site)
    page.route(f"**/{name}", lambda route: route.fulfill(body=body, content_type="application/wasm"))
    python = PythonPage(page, site, "backend=cpu")
    assert not any("packages placed" in name for name, _ in python.info["times"])
    assert python.run("import numpy\nfloat(numpy.ones(3).sum())") == 3


def test_python_starts_before_its_own_modules_are_there_and_finds_them_once_they_are(page, site):
    page.route("**/python_stdlib.zip", lambda route: route.abort())
    page.console.allow("Failed to load resource")
    python = PythonPage(page, site, "backend=cpu&thread=main")
    assert went_on(python)
    found = """
    try:
        import colorsys
        found = colorsys.rgb_to_hsv(1, 0, 0)
    except ImportError as error:
        found = str(error)
    found
    """
    assert python.run(found) == "bad local file header: '/lib/python314.zip'"
    page.unroute("**/python_stdlib.zip")
    assert python.run(found) == [0.0, 1.0, 1]
