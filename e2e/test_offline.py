"""A second visit without a network: the service worker answers with what the first one needed."""

from pyml import paths
from pyml.cli.build import build_site
from pyml.cli.serve import running

from .patience import until

READY = "() => document.querySelector('#status').dataset.phase === 'ready' && window.pymlPython"  # which comes a moment later
KEPT = """async () => {
  const needed = performance.getEntriesByType("resource").map((entry) => entry.name);
  const wanted = [location.href.split("?")[0], ...needed, ...pymlPython.info.files].filter((url) => url.startsWith("http"));
  const kept = new Set((await (await caches.open("pyml-site")).keys()).map((request) => request.url));
  return wanted.every((url) => kept.has(url));
}"""


# What the page and Python load long after the start: a script, a file that Python reads, the programs that came with the page.
LATER = ("web/visor.js", "data/cars.csv")
LOAD = """async (names) => {
  await import(new URL(names[0], document.baseURI.replace(/demos.*/, "")));
  return pymlPython.runPython(`
from pyodide.http import pyfetch
answer = await pyfetch("../${names[1]}")
from pyml import kept
kept.store().get("00" * 32)
[len(await answer.bytes()), len(kept.store())]`);
}"""
KEPT_LATER = """async (names) => {
  const kept = (await (await caches.open("pyml-site")).keys()).map(({ url }) => url);
  const programs = kept.filter((url) => /web\\/programs\\/demos\\/mnist\\/wasm-1[-a-z]*-[0-9a-f]{10}\\.gz$/.test(url));
  return programs.length === 1 && names.every((name) => kept.some((url) => url.endsWith(name)));
}"""


def test_what_a_page_loads_late_is_there_without_a_network_and_so_is_what_the_browser_dropped(new_page):
    page = new_page()
    address = "demos/mnist/index.html?backend=wasm&threads=1"
    with running(build_site(paths.site_dir(), say=lambda text: None)) as url:
        page.goto(f"{url}/{address}")
        page.wait_for_function(READY)
        until(page, KEPT)
        size, programs = page.evaluate(LOAD, LATER)
        assert size > 1000 and programs > 10
        until(page, KEPT_LATER, LATER)
    page.console.allow("Failed to load resource")
    for dropped in ("pyml-programs", "pyml-python"):  # with and without the copies of what was unpacked
        page.evaluate("(name) => caches.delete(name)", dropped)
        page.goto(f"{url}/{address}")
        page.wait_for_function(READY)
        assert page.evaluate(LOAD, LATER) == [size, programs]


def test_a_page_that_was_open_once_opens_again_when_its_server_is_gone(new_page):
    page = new_page()
    with running(build_site(paths.site_dir(), say=lambda text: None)) as url:
        page.goto(f"{url}/demos/mnist/index.html?backend=cpu")
        page.wait_for_function(READY)
        until(page, KEPT)
    page.console.allow("Failed to load resource")
    page.goto(f"{url}/demos/mnist/index.html?backend=cpu")
    page.wait_for_function(READY)
    assert page.evaluate("() => pymlPython.runPython('import numpy; float(numpy.ones(3).sum())')") == 3
    # as pages do that were here before a newer build, whose other pages brought the scripts that all have in common
    assert page.evaluate("async () => (await import('/web/basics.js?0123456789')).sentence('ValueError: so')") == "so"
    assert page.evaluate("crossOriginIsolated")
