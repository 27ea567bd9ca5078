"""What a page compiled is kept in its storage: a second visit compiles nothing, and computes the same."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from pyml.cli.build import build_site
from pyml.cli.programs import ProgramsError
from pyml.cli.serve import running

from .patience import patience
from .python_page import BLANK, PythonPage, wrap

STEP = """
import numpy as np
import pyml
from pyml import kept, layers
pyml.utils.set_random_seed(1)
model = pyml.Sequential([layers.Input((6,)), layers.Dense(5, "relu"), layers.Dropout(0.5), layers.Dense(2)])
model.compile("adam", "mse")
loss = float(model.train_on_batch(np.ones((4, 6)), np.ones((4, 2))))
found = float(model.predict(np.ones((4, 6)), verbose=0).sum())
"""
FORBIDDEN = """
from pyml.wasm import compile as compiler
from pyml.compile import plan, program
def refuse(*args, **kwargs):
    raise AssertionError("something was compiled")
compiler._compile_text = program.make_plan = refuse
from pyml.core import capture
capture.make_plan = refuse
"""
SAVED = "[await kept.store().save(), loss, found, dict(kept.counts)][1:]"
DAMAGE = """async (what) => {
  const cache = await caches.open("pyml-programs");
  const [request] = await cache.keys();
  const answer = await cache.match(request), bytes = new Uint8Array(await answer.arrayBuffer());
  if (what === "cut") await cache.put(request, new Response(bytes.slice(0, bytes.length / 2)));
  if (what === "another version") { bytes[9] ^= 1; await cache.put(request, new Response(bytes)); }
  return bytes.length;
}"""


def visit(browser_context, site, code, query="backend=wasm&threads=1"):
    page = browser_context.new_page()
    try:
        return PythonPage(page, site, query).run(code)
    finally:
        page.close()


@pytest.mark.slow
def test_a_second_visit_compiles_nothing_and_a_damaged_storage_is_replaced(new_page, site):
    page = new_page(fresh=True)  # other tests' pages write into the storage of their window
    context = page.context
    *first, counts = visit(context, site, STEP + SAVED)
    assert counts["kernels compiled"] and "kernels found" not in counts
    *second, again = visit(context, site, FORBIDDEN + STEP + SAVED)
    assert second == first
    assert again == {"plans found": counts["plans made"], "kernels found": counts["kernels compiled"]}
    page.goto(site + BLANK)
    assert page.evaluate(DAMAGE, "cut") > 1000
    *third, some = visit(context, site, STEP + SAVED)
    assert third == first and some["kernels compiled"] < counts["kernels compiled"]
    page.evaluate(DAMAGE, "another version")
    *fourth, all_ = visit(context, site, STEP + SAVED)
    assert [*fourth, all_] == [*first, counts]


@pytest.mark.slow
def test_a_page_without_storage_compiles_and_says_so_once(page, site, console):
    page.add_init_script("Object.defineProperty(globalThis, 'caches', { value: undefined })")
    one = PythonPage(page, site, "backend=wasm&threads=1&thread=main").run(STEP + SAVED)
    assert one[2]["kernels compiled"]
    told = [e["text"] for e in page.evaluate("events") if e["type"] == "stderr" and "cannot be kept" in e["text"]]
    assert len(told) == 1


# A visit of a page that compiles is refused; where Python starts from the site's memory and where it starts from nothing.
VISIT = """async ({ options, code }) => {
  const pyml = await (await import(new URL('web/pyml.js', window.root ?? location.href))).loadPyml({ status: () => {}, ...options });
  const started = pyml.info.times.map(([name]) => name);
  return [started, JSON.parse(await pyml.runPython(code))];
}"""
GOES_ON = "Python goes on from its memory"


def first_visit(browser, url, code, root=None, **options):
    """What a visitor's first visit of a page gives, who has kept nothing: how it started, and the value of the code's last line."""
    with closing(browser.new_context()) as context:
        page = context.new_page()
        page.set_default_timeout(patience())
        page.goto(url)
        page.evaluate("(root) => { window.root = root ?? undefined; }", root)
        return page.evaluate(VISIT, {"options": options, "code": wrap(code)})


@pytest.mark.slow
def test_a_site_that_is_built_with_its_programs_compiles_nothing_for_its_first_visitor(browser, tmp_path):
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>A page</title>")
    (folder / "programs.py").write_text("from network import *")
    (folder / "network.py").write_text(STEP)
    host = tmp_path / "host"  # of which the site is a part, as many hosts have it
    build_site(host / "my site", folder, say=lambda text: None)
    (host / "index.html").write_text("<!doctype html>")
    ways = {
        "ready": "wasm&threads=1", "ready, no worker": "wasm&threads=1&thread=main", "from nothing": "wasm&threads=2&ready=off",
        "plain": "wasm&threads=4&relaxed=off", "software": "webgpu",
    }  # fmt: skip
    found = {}
    with running(host) as url:
        for name, way in ways.items():
            started, found[name] = first_visit(browser, f"{url}/my%20site/?backend={way}", FORBIDDEN + STEP + "[loss, dict(kept.counts)]")
            assert (GOES_ON in started) == (name != "from nothing")
            assert found[name][1].keys() == ({"plans found"} if way == "webgpu" else {"plans found", "kernels found"})
            assert found[name][0] == pytest.approx(found["ready"][0], rel=1e-5)


DIGITS = """
import asyncio, json
from pyml import kept
from page import read_digit, train
result = await train(open("model.py").read(), 1, 64, DIGITS)
assert "error" not in result, result
await read_digit([0.0] * 784)
[result["tested"], result["accuracy"] > 0.5, dict(kept.counts)]
"""


@pytest.mark.quick
def test_the_digits_page_compiles_nothing_for_its_first_visitor(browser, site):
    demo = Path(__file__).parent.parent / "demos" / "mnist"
    files = [{"path": path.name, "url": f"{site}/demos/mnist/{path.name}"} for path in demo.glob("*.py")]
    shared = [{"path": name, "url": f"{site}/demos/shared/{name}"} for name in ("exports.py", "project.py")]
    data = {"path": "mnist.npz", "url": f"{site}/data/mnist.npz"}
    given = {"page": "/demos/mnist/", "files": [*files, *shared, data], "backend": "wasm", "threads": "2"}
    _, (tested, good, counts) = first_visit(browser, site + BLANK, FORBIDDEN + DIGITS.replace("DIGITS", "None"), site, **given)
    assert (tested, good) == (1500, True)
    assert counts.keys() == {"plans found", "kernels found"}


@pytest.mark.slow
def test_a_page_whose_programs_fail_is_named_and_the_folder_can_be_built_again(tmp_path):
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("<!doctype html><title>A page</title>")
    (folder / "programs.py").write_text("import helper\nhelper.divide()")
    (folder / "helper.py").write_text("def divide():\n    return 1 / 0")
    with pytest.raises(ProgramsError, match=r"^programs.py, line 2: ZeroDivisionError: division by zero$"):
        build_site(tmp_path / "site", folder, say=lambda text: None)
    build_site(tmp_path / "site", folder, say=lambda text: None, programs=False)
    assert json.loads((tmp_path / "site" / "web" / "programs.json").read_text()) == {}
