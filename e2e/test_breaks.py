"""Files of a page with Python that do not come, or not whole, in every way that a server has: named, and never waited for on end."""

import re

import pytest

from pyml import paths

from .breaking import HASTE, breaking
from .test_failures import FAILED, FORGET, READY

PAGE = "/demos/mnist/index.html?backend=cpu"
CUT = r"it ended early \(.+\)|it is damaged, or ended early|it did not come, or ended early|no answer came \(.+\)|it is damaged \(.+\)"
SAID = {
    "404": "the server answered 404", "500": "the server answered 500", "reset": CUT, "ends early": CUT,
    "a page": "the server answered with a page", "silent": "nothing came for 30 seconds", "stalls": "nothing came for 30 seconds",
}  # fmt: skip
WORKER = ("worker.js", "runtime.js", "seeds.js")
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json")
FROM_NOTHING = ("python_stdlib.zip", "numpy-*.whl", "pyml-*.whl")  # what a start from the site's memory does not wait for
CASES = [(name, way) for name in (*WORKER, *RUNTIME, *FROM_NOTHING) for way in SAID]
OTHERS = ("memory-*.gz", "library-*.wasm", "ready.json", "page.py", "mnist.npz")  # half of the first three is done without
CASES += [(name, way) for name in OTHERS for way in SAID if way != "ends early"]
QUICK = {("worker.js", "ends early"), ("pyodide-lock.json", "ends early"), ("pyodide.asm.mjs", "stalls"), ("page.py", "a page")}


@pytest.fixture(scope="module")
def server(site):
    with breaking(paths.site_dir(), isolated=True) as server:
        yield server


def opened(server, hasty_window, name, way, query):
    """A page that has failed as the server does."""
    page = hasty_window.new_page()

    def hasty(route):
        answer = route.fetch()
        route.fulfill(response=answer, body=HASTE + answer.text())

    if name != "worker.js":                            # through a route it would fail in another way
        page.route("**/worker.js*", hasty)
    page.goto(f"{server.url}/vendor/vega.LICENSE.txt")
    page.evaluate(FORGET)
    server.breaks(name, way)
    page.goto(f"{server.url}{PAGE}{query}", wait_until="commit")
    page.wait_for_selector(FAILED)
    return page


@pytest.mark.parametrize("name, way", [pytest.param(*case, marks=() if case in QUICK else pytest.mark.slow) for case in CASES])
def test_a_file_is_named_in_whatever_way_it_fails(server, hasty_window, name, way):
    page = opened(server, hasty_window, name, way, "&ready=off" if name in FROM_NOTHING else "")
    shown = page.inner_text("#status")
    assert re.match(rf"Could not download {name.replace('*', '.*')}: ({SAID[way]})\. ", shown), shown
    assert server.failed
    server.mend()
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("name, way", [("worker.js", "ends early"), ("runtime.js", "silent"), ("pyodide.asm.wasm", "stalls"),
                                       ("pyodide-lock.json", "ends early"), ("page.py", "a page")])  # fmt: skip
def test_once_the_server_is_whole_another_try_starts_python(server, hasty_window, name, way):
    page = opened(server, hasty_window, name, way, "")
    server.mend()
    page.get_by_role("button", name="Try again").first.click()
    page.wait_for_function(READY)
    page.close()


GONE = "it did not come, or ended early"
NO_CHART = {"ends early": "it is damaged, or ended early", "404": GONE, "reset": GONE, "stalls": "nothing came for 30 seconds"}


@pytest.mark.parametrize("way", ["ends early", *(pytest.param(way, marks=pytest.mark.slow) for way in ("404", "reset", "stalls"))])
@pytest.mark.parametrize("name", ["vega.min.js", pytest.param("vega-embed.min.js", marks=pytest.mark.slow)])
def test_a_chart_says_what_is_wrong_with_its_library(server, hasty_window, name, way):
    page = opened(server, hasty_window, name, way, "&thread=main")
    page.wait_for_selector("#loss button")
    assert f"Could not download {name}: {NO_CHART[way]}." in page.inner_text("#loss")
    server.mend()
    page.close()


def test_a_file_that_a_page_brings_itself_and_that_stalls_is_given_up(server, hasty_window):
    page = hasty_window.new_page()
    page.goto(f"{server.url}/vendor/vega.LICENSE.txt")
    told = {}
    for way in ("silent", "stalls", "a page"):
        server.breaks("cars.csv", way)
        told[way] = page.evaluate("""async () => {
          const { bring } = await import("/web/basics.js");
          return bring("/data/cars.csv").then(() => "came", (error) => error.message);
        }""")
    assert told == {way: f"Could not download cars.csv: {SAID[way]}." for way in told}
    server.mend()
    page.close()
