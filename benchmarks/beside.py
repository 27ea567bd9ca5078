"""Drives beside.mjs: pyml and TensorFlow.js in turns on one browser page, and the tables of what it found.

TensorFlow.js and its backends come from npm into `build/tensorflow-js-all` the first time.
"""

import contextlib
import functools
import http.server
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from pyml import paths
from pyml.cli.browser import chromium
from pyml.cli.build import build_site
from pyml.cli.serve import HEADERS

PACKAGES = [f"@tensorflow/tfjs{part}@4.22.0" for part in ("", "-backend-webgpu", "-backend-wasm")]
PAGE = b'<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="/beside.mjs"></script>'


class Handler(http.server.SimpleHTTPRequestHandler):
    """The page at `/`, its script, what it is to run at `/query`, and the build folder."""

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}
    query = b""

    def do_GET(self):
        own = {
            "/": ("text/html", lambda: PAGE),
            "/beside.mjs": ("text/javascript", Path(__file__).with_suffix(".mjs").read_bytes),
            "/query": ("application/json", lambda: self.query),
        }
        if self.path not in own:
            return super().do_GET()
        kind, content = own[self.path]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(content())

    def end_headers(self):
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def served(query):
    handler = functools.partial(type("Page", (Handler,), {"query": json.dumps(query).encode()}), directory=str(paths.build_dir()))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def measure(query, seconds=1800):
    """What the page found: for each device and row the milliseconds of both, and how far their values are apart."""
    folder = paths.build_dir() / "tensorflow-js-all"
    if not (folder / "node_modules" / "@tensorflow" / "tfjs-backend-wasm").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *PACKAGES], check=True)
    build_site(paths.site_dir(), say=lambda text: None)
    with served(query) as url, chromium() as browser:
        page = browser.new_page()
        page.on("console", lambda message: print(message.text, file=sys.stderr))
        page.on("pageerror", lambda error: print(error, file=sys.stderr))
        page.goto(url)
        page.wait_for_function("window.done", timeout=1000 * seconds)
        return page.evaluate("window.out")


def table(device, found):
    """Lines of markdown: milliseconds, and quotients paired by round."""
    lines = [f"| {device} | pyml ms | TensorFlow.js ms | TensorFlow.js / pyml (range) | largest difference |", "|---|---:|---:|---:|---:|"]
    shown = lambda ms: f"{statistics.median(ms):.3g}" if ms else "none"
    for name, record in found.items():
        ratios = [b / a for a, b in zip(record["pyml"], record["tfjs"], strict=False)]
        ratio = f"{statistics.median(ratios):.2f}x ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else record.get("error", "–")
        apart = f"{record['apart']:.0e}" if "apart" in record else "–"
        lines.append(f"| {name} | {shown(record['pyml'])} | {shown(record['tfjs'])} | {ratio} | {apart} |")
    return lines


def report(found, tolerance):
    """Prints the tables; 1 where a row failed or its values differ by more than `tolerance(name)`, against the largest of them."""
    for device, records in found.items():
        print("\n".join(["", *table(device, records)]))
    print(f"\n{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}.")
    wrong = [name for records in found.values() for name, record in records.items()
             if record.get("error") or not (record.get("apart") or 0) <= tolerance(name)]  # fmt: skip
    print(f"differ or failed: {', '.join(wrong)}" if wrong else "all computed the same values.")
    return 1 if wrong else 0
