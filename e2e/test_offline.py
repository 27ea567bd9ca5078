"""A second visit without a network: the service worker answers with what the first one needed."""

from pyml import paths
from pyml.cli.build import build_site
from pyml.cli.serve import running

from .patience import until

READY = "() => document.querySelector('#status').dataset.phase === 'ready'"
KEPT = """async () => {
  const needed = performance.getEntriesByType("resource").map((entry) => entry.name);
  const wanted = [location.href.split("?")[0], ...needed, ...pymlPython.info.files].filter((url) => url.startsWith("http"));
  const kept = new Set((await (await caches.open("pyml-site")).keys()).map((request) => request.url));
  return wanted.every((url) => kept.has(url));
}"""


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
    assert page.evaluate("crossOriginIsolated")
