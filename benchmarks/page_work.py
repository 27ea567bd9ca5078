#!/usr/bin/env python3
"""What a page does in a second, on wasm in Chromium: t-SNE, a snake that learns, charts that change, csv and pipelines beside tf.data.js.

    python benchmarks/page_work.py [tsne snake charts data] [--rounds 3] [--threads 1]

Beside the seconds stands the processor time of the page's process, which says what a loaded machine would have taken when idle.
"""

import argparse
import re
import statistics
import time

import numpy as np
from tab import BLANK, LOAD, run

from pyml import paths
from pyml.assets import tensorflow_js
from pyml.cli.browser import chromium
from pyml.cli.build import build_site
from pyml.cli.serve import running

ROWS, COLUMNS = 20_000, 8
TSNE = """
import io, json, time
import numpy as np
from pyodide.http import pyfetch
from pyml.vis.projections import spread
with np.load(io.BytesIO(await (await pyfetch("/data/mnist.npz")).bytes())) as file:
    x = file["x_train"][:2000].reshape(2000, -1) / 255.0
began = time.perf_counter()
places = spread("tsne", x, 30.0, 500, 0, 2)
json.dumps([time.perf_counter() - began, float(np.isfinite(places).all())])
"""
CHARTS = """
import asyncio, json, time
import numpy as np
from pyml import vis
rng = np.random.default_rng(0)
began, sent = time.perf_counter(), 0
while time.perf_counter() - began < 5:
    vis.scatter_plot(rng.normal(size=(10_000, 2)), title="Cloud").show()
    sent += 1
    await asyncio.sleep(max(0.0, began + sent / 60 - time.perf_counter()))
json.dumps([sent / (time.perf_counter() - began)])
"""
DATA = """
import json, time
import numpy as np
from pyml import data
csv = []
for turn in range(4):
    began = time.perf_counter()
    rows = 0
    async for row in data.csv("/table.csv", column_configs={"c0": {"is_label": True}}):
        rows += 1
    csv.append(time.perf_counter() - began)
x = np.zeros((32_000, 8), "float32")
pipeline = data.Dataset.from_tensor_slices(x).shuffle(256).batch(32)
began = time.perf_counter()
batches = 0
async for batch in pipeline:
    batches += 1
json.dumps([rows, csv, batches, time.perf_counter() - began])
"""
THEIRS = """async () => {
  const csv = [];
  let rows;
  for (let turn = 0; turn < 4; turn++) {
    const began = performance.now();
    rows = 0;
    const table = tf.data.csv(new URL("/table.csv", location.href).href, { columnConfigs: { c0: { isLabel: true } } });
    await table.forEachAsync(() => { rows++; });
    csv.push((performance.now() - began) / 1000);
  }
  const x = Array.from({ length: 32000 }, () => new Array(8).fill(0));
  const pipeline = tf.data.array(x).shuffle(256).batch(32);
  const then = performance.now();
  let batches = 0;
  await pipeline.forEachAsync((batch) => { batch.dispose(); batches++; });
  return [rows, csv, batches, (performance.now() - then) / 1000];
}"""
FRAMES = """() => {
  const seen = (window.frames_ = { count: 0, longest: 0, began: performance.now(), last: performance.now() });
  const step = (now) => {
    Object.assign(seen, { longest: Math.max(seen.longest, now - seen.last), last: now, count: seen.count + 1 });
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}"""


def processor(browser) -> float:
    """Seconds that the browser's pages have had of a processor."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    return sum(one["cpuTime"] for one in found if one["type"] == "renderer")


def tsne(browser, context, url, query):
    page = context.new_page()
    page.set_default_timeout(600_000)
    run(page, url, query, "import json, pyml.vis\njson.dumps([])")
    before = processor(browser)
    seconds, finite = run_here(page, TSNE)
    assert finite
    return {"seconds": seconds, "processor": processor(browser) - before}, page


def run_here(page, code):
    """As `tab.run`, in the Python that the page has."""
    import json

    return json.loads(page.evaluate("(code) => pyml.runPython(code)", code))


def snake(browser, context, url, query):
    page = context.new_page()
    page.set_default_timeout(900_000)
    page.goto(f"{url}/demos/snake/index.html?{query}")
    page.wait_for_function("() => !document.querySelector('#run').disabled")
    before = processor(browser)
    page.click("#run")
    page.locator(".printed", has_text="in a second").wait_for()
    after = processor(browser) - before
    found = re.search(r"(\d+) steps, (\d+) in a second", page.inner_text("#cells"))
    assert found is not None
    steps, rate = map(int, found.groups())
    return {"steps a second": rate, "steps a second of processor": steps / after}, page


def charts(browser, context, url, query):
    page = context.new_page()
    page.set_default_timeout(120_000)
    run(page, url, query, 'import json\nfrom pyml import vis\nvis.line_chart([1, 2], title="Cloud").show()\njson.dumps([])')
    page.wait_for_timeout(1500)
    page.evaluate(FRAMES)
    (sent,) = run_here(page, CHARTS)
    frames, longest = page.evaluate("() => [1000 * frames_.count / (performance.now() - frames_.began), frames_.longest]")
    return {"figures a second": sent, "frames a second": frames, "longest gap, ms": longest}, page


def data(browser, context, url, query):
    table = ",".join(f"c{i}" for i in range(COLUMNS)) + "\n"
    table += "\n".join(",".join(f"{v:.4f}" for v in row) for row in np.random.default_rng(0).normal(size=(ROWS, COLUMNS))) + "\n"
    page = context.new_page()
    page.set_default_timeout(300_000)
    page.goto(f"{url}{BLANK}?{query}")
    page.evaluate(LOAD)
    page.add_script_tag(path=tensorflow_js.script())
    context.route("**/table.csv", lambda route: route.fulfill(body=table, content_type="text/csv"))
    before = processor(browser)
    rows, csv, batches, pipeline = run_here(page, DATA)
    between = processor(browser)
    their_rows, their_csv, their_batches, their_pipeline = page.evaluate(THEIRS)
    assert (rows, batches) == (their_rows, their_batches) == (ROWS, 1000)
    return {
        "csv rows a second": rows / min(csv), "tf.data.js": rows / min(their_csv), "times as many": min(their_csv) / min(csv),
        "in the first pass": their_csv[0] / csv[0],    # when the browser has not yet compiled Python's own code for long use
        "ms a batch": 1000 * pipeline / batches, "tf.data.js, ms": 1000 * their_pipeline / batches,
        "times as quick": their_pipeline / pipeline, "processor, both": (between - before) / max(processor(browser) - between, 1e-9),
    }, page  # fmt: skip


PARTS = {"tsne": tsne, "snake": snake, "charts": charts, "data": data}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=[])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    query = f"backend=wasm&threads={options.threads}"
    with running(build_site(paths.site_dir(), say=lambda text: None)) as url, chromium() as browser:
        for name in options.parts or PARTS:
            found = []
            for _ in range(options.rounds):
                context = browser.new_context()
                began = time.perf_counter()
                result, _ = PARTS[name](browser, context, url, query)
                found.append(result)
                context.close()
                print(f"  {name} ({time.perf_counter() - began:.0f} s): {result}", flush=True)
            print(f"{name}: " + ", ".join(f"{key} {statistics.median(one[key] for one in found):.3g}" for key in found[0]), flush=True)


if __name__ == "__main__":
    main()
