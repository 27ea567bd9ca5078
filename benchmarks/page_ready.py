"""Where the time of a page's start goes, first visit and later ones, part by part, and what a start with numpy and pyml from
nothing takes beside it.

    .venv/bin/python benchmarks/page_ready.py [--visits 3] [--page demos/mnist/index.html] [--imports] [--bytes]

Each row is a part of the start and how long it took after the row above; downloads run beside all of them, so their row
says when the last one ended. Every visit is timed with the site's kept memory and with `?ready=off`, in turn: compare the
columns of one run. `--imports` lists the slowest imports of `import pyml` in the tab instead; `--bytes` what a first visit loads: a page
with Python, from the kept memory and from nothing, and an exported model, each as it is, with gzip and with brotli.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import tab

from pyml import Sequential, layers, paths
from pyml.cli import compress, ready, stdlib
from pyml.cli.browser import FLAGS, find_chromium, playwright
from pyml.cli.build import build_site
from pyml.cli.serve import running

READY = "globalThis.pymlPython?.info.times && document.body.innerText.includes('Ready:')"
TIMES = """() => {
  const origin = performance.timeOrigin, at = (name) => performance.getEntriesByName(name)[0]?.startTime ?? 0;
  const files = performance.getEntriesByType("resource");
  return {
    origin, paint: at("first-contentful-paint"), times: pymlPython.info.times,
    bytes: files.reduce((sum, file) => sum + file.transferSize, 0),
  };
}"""
IMPORTS = """
import sys, time, importlib.abc
spent, depth = [], []
find = __import__
def timed(name, *rest):
    new = name not in sys.modules
    depth.append(0.0)
    start = time.perf_counter()
    try:
        return find(name, *rest)
    finally:
        took = time.perf_counter() - start
        inner = depth.pop()
        if depth:
            depth[-1] += took
        if new:
            spent.append((took - inner, name))
import builtins
builtins.__import__ = timed
import numpy, pyml
from pyml import layers, models, optimizers, losses, metrics, callbacks
builtins.__import__ = find
import json
json.dumps(sorted(spent, reverse=True)[:25] + [[sum(s for s, _ in spent), "all"]])
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=3)
    parser.add_argument("--page", default="demos/mnist/index.html")
    parser.add_argument("--backend", default="wasm")
    parser.add_argument("--thread", nargs="*", default=["worker", "main"])
    parser.add_argument("--imports", action="store_true", help="list the slowest imports in the tab")
    parser.add_argument("--bytes", action="store_true", help="list what a first visit loads")
    options = parser.parse_args()
    if options.bytes:
        return print_bytes(build_site(paths.site_dir(), say=lambda text: None))
    site = build_site(paths.site_dir(), say=lambda text: None)
    with running(site) as url, playwright() as driver, tempfile.TemporaryDirectory() as folder:

        def window(name):
            """A browser of its own that keeps files, and the machine code of WebAssembly, as users' browsers do."""
            place = f"{folder}/{name}"
            return driver.chromium.launch_persistent_context(place, executable_path=find_chromium(), headless=True, args=list(FLAGS))

        if options.imports:
            return print_imports(window("imports"), url)
        for thread in options.thread:
            contexts = {ready: window(f"{thread}-{ready}") for ready in ("on", "off")}
            for visit in range(1, options.visits + 1):
                columns = {
                    ready: visited(context, f"{url}/{options.page}?backend={options.backend}&thread={thread}&ready={ready}")
                    for ready, context in contexts.items()
                }
                print_table(f"{thread}, visit {visit}", columns["on"], columns["off"])
            for context in contexts.values():
                context.close()
    return None


def visited(context, address):
    """Milliseconds after opening the page by part, in order."""
    page = context.new_page()
    page.goto(address)
    page.wait_for_function(READY, timeout=300_000, polling=100)  # by default it looks, and has all laid out, before each frame
    found = page.evaluate(TIMES)
    page.wait_for_timeout(4000)  # a browser keeps machine code a moment after it has made the better one
    page.close()
    return {"first paint": found["paint"], **{name: at - found["origin"] for name, at in found["times"]}}


def print_table(title, kept, nothing):
    """One visit: when each part ended, from the kept memory and from nothing."""
    print(f"\n{title:42} kept memory     from nothing")
    before = dict.fromkeys(("kept", "nothing"), 0.0)
    for name in dict.fromkeys([*kept, *nothing]):
        cells = []
        for column, times in (("kept", kept), ("nothing", nothing)):
            if name in times:
                cells.append(f"{times[name]:7.0f} +{max(0.0, times[name] - before[column]):5.0f}")
                before[column] = max(before[column], times[name])
            else:
                cells.append(" " * 14)
        print(f"  {name:40} {cells[0]}  {cells[1]}")
    print(f"  ready, kept memory : from nothing = 1 : {max(nothing.values()) / max(kept.values()):.1f}", flush=True)


def print_bytes(site):
    """What a first visit loads before the page's own files, and the files of an exported convnet of the digits."""
    plan = json.loads((site / "pyodide" / "ready.json").read_text())
    memory = {"pyodide.mjs", "pyodide.asm.mjs", "ready.json", *plan["sizes"]} - {stdlib.NAME}  # that comes after the start
    kept = set(ready.names(plan))
    lock = json.loads((site / "pyodide" / "pyodide-lock.json").read_text())
    nothing = (memory - kept) | {stdlib.NAME} | {entry["file_name"] for entry in lock["packages"].values()}
    for title, names in (("Python from the kept memory", memory), ("Python from nothing", nothing)):
        print(f"\n{title}\n{compress.table(site, [f'pyodide/{name}' for name in sorted(names)])}")
    model = Sequential([
        layers.Input((28, 28, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10, activation="softmax"),
    ])  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        model.export(folder, format="web")
        names = [path.relative_to(folder).as_posix() for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        compress.compress(Path(folder), names)
        print(f"\nAn exported model: no Python\n{compress.table(Path(folder), names)}")


def print_imports(browser, url):
    """The slowest imports of numpy and pyml in a tab that starts from nothing, without those within them."""
    page = browser.new_page()
    page.goto(url + tab.BLANK)
    load = """async (code) => {
      const { loadPyodide } = await import("/pyodide/pyodide.mjs");
      const py = await loadPyodide({ indexURL: "/pyodide/" });
      await py.loadPackage("pyml");
      return py.runPython(code);
    }"""
    start = time.perf_counter()
    for seconds, name in json.loads(page.evaluate(load, IMPORTS)):
        print(f"{1000 * seconds:8.1f} ms  {name}")
    print(f"{time.perf_counter() - start:.1f} s in all")
    page.close()


if __name__ == "__main__":
    main()
