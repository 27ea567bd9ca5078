"""Seconds of the first prediction and the first training step in a tab: cold, with what `pyml build` ships, and at a second visit.

    .venv/bin/python benchmarks/first_run.py [--rounds 3] [--threads 1] [--backend wasm] [--before SITE]

`--before` is a site built from an older checkout, measured in turn with this one. Every number is of a new page: MobileNetV1
(weights loaded before) on one picture, and one step of the digits network on 64 digits; medians of the rounds. "cold" and
"shipped" are first visits, of a page that comes without programs and of one that comes with them.
"""

import argparse
import statistics
import tempfile
from contextlib import closing
from pathlib import Path

import tab

from pyml.cli.browser import chromium
from pyml.cli.build import build_site
from pyml.cli.serve import running

HEAD = """
import json, time
import numpy as np
import pyml
from pyml import hub
rng = np.random.default_rng(0)
"""
TAIL = """
try:
    from pyml import kept
    await kept.store().save()
    counts = dict(kept.counts)
except (ImportError, AttributeError):
    counts = {}
json.dumps([first, later, counts])
"""
PREDICT = """
net = await hub.mobilenet_v1_async()
x = rng.random((224, 224, 3)).astype("float32") * 255
t = time.perf_counter(); await net.classify_async(x); first = time.perf_counter() - t
t = time.perf_counter(); await net.classify_async(x); later = time.perf_counter() - t
"""
TRAIN = """
model = build_model()
x, y = rng.random((64, 28, 28, 1)).astype("float32"), rng.integers(0, 10, 64)
t = time.perf_counter(); model.train_on_batch(x, y); first = time.perf_counter() - t
t = time.perf_counter(); model.train_on_batch(x, y); later = time.perf_counter() - t
"""
DIGITS = (Path(__file__).parent.parent / "demos" / "mnist" / "model.py").read_text()
WORK = {"MobileNetV1, first prediction": HEAD + PREDICT + TAIL, "digits, first training step": HEAD + DIGITS + TRAIN + TAIL}


def site_of_the_work(folder: Path) -> Path:
    """A site whose page, the root, comes with the programs of all the work."""
    (folder / "page").mkdir()
    (folder / "page" / "index.html").write_text("<!doctype html><title>First run</title>")
    (folder / "page" / "programs.py").write_text(HEAD + PREDICT + DIGITS + TRAIN)
    return build_site(folder / "site", folder / "page", say=lambda text: None)


def measured(context, url: str, query: str, code: str, path: str = tab.BLANK) -> list:
    """The code's result in a new page."""
    page = context.new_page()
    found = tab.run(page, url, query, code, path)
    page.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--backend", default="wasm")
    parser.add_argument("--before", type=Path)
    options = parser.parse_args()
    query = f"backend={options.backend}&threads={options.threads}"
    seconds: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        site = site_of_the_work(Path(folder))
        with running(site) as url, running(options.before or site) as old:
            for _ in range(options.rounds):
                for name, code in WORK.items():
                    if options.before:
                        with closing(browser.new_context()) as context:
                            seconds.setdefault((name, "before"), []).append(measured(context, old, query, code)[0])
                    with closing(browser.new_context()) as context:
                        for visit, path in (("cold", tab.BLANK), ("warm", tab.BLANK), ("shipped", "/index.html")):
                            first, later, counts = measured(context, url, query, code, path)
                            seconds.setdefault((name, visit), []).append(first)
                            seconds.setdefault((name, "later"), []).append(later)
                            print(f"{name}, {visit}: {first:.2f} s, later {later:.3f} s, {counts}", flush=True)
    columns = [*(["before"] if options.before else []), "cold", "shipped", "warm", "later"]
    print("| " + " | ".join(["seconds", *columns]) + " |\n|---|" + "--:|" * len(columns))
    for name in WORK:
        print("| " + " | ".join([name, *(f"{statistics.median(seconds[name, c]):.2f}" for c in columns)]) + " |")


if __name__ == "__main__":
    main()
