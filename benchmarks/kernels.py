"""Sorting, the largest elements, running sums, Fourier transforms: pyml beside TensorFlow.js on 1M numbers, in turn on one page.

    .venv/bin/python benchmarks/kernels.py [--devices webgpu,wasm] [--rows sort,cumsum] [--rounds 7] [--size 1048576]

A row is one entry of ROWS: the same function in Python and in JavaScript. Both run to the end and read one number of the
result; before they are timed their results are compared whole. Where one takes over 10 s, that run is all it does.
TensorFlow.js and its backends come from npm into `build/tensorflow-js-all` the first time.
"""

import argparse
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
from typing import NamedTuple

from pyml import paths
from pyml.cli.browser import chromium
from pyml.cli.build import build_site
from pyml.cli.serve import HEADERS

PACKAGES = [f"@tensorflow/tfjs{part}@4.22.0" for part in ("", "-backend-webgpu", "-backend-wasm")]


class Row(NamedTuple):
    pyml: str  # a function of x, `size` float32 numbers from -1 to 1
    tfjs: str  # the same; "" where TensorFlow.js has no such function
    tolerance: float = 0.0  # largest difference, against the largest number of the result
    has: tuple[str, ...] = ("webgpu", "wasm")  # the devices of TensorFlow.js on which it runs


TFJS_FFT = """(x) => { const r = x.reshape([-1, 1024]), z = tf.complex(r, tf.zerosLike(r)), y = tf.spectral.fft(z);
return tf.stack([tf.real(y), tf.imag(y)]); }"""
ROWS = {
    "cumsum": Row("lambda x: ops.cumsum(x)", "(x) => tf.cumsum(x)", 5e-3),
    "top_k, k=10": Row("lambda x: ops.top_k(x, 10)[0]", "(x) => tf.topk(x, 10).values"),
    "argsort (topk, k=n)": Row("lambda x: ops.argsort(x)", "(x) => tf.topk(x, x.size).indices.reverse()"),
    "sort (topk, k=n)": Row("lambda x: ops.sort(x)", "(x) => tf.topk(x, x.size).values.reverse()"),
    # TensorFlow.js' WebAssembly has no transforms. Its WebGPU sums n products for each number: a minute for rows of 1024, a day for
    # one row of 1M, and the sum's error is what the tolerance is for: that of pyml against float64 is 2e-7
    "fft, rows of 1024": Row("lambda x: transformed(ops.fft, x)", TFJS_FFT, 1e-3, ("webgpu",)),
    "rfft, rows of 1024": Row("lambda x: transformed(ops.rfft, x)", TFJS_FFT.replace("fft(z)", "rfft(r)"), 1e-3, ("webgpu",)),
    "fft, one row": Row("lambda x: transformed(ops.fft, x, x.size)", ""),
    "rfft, one row": Row("lambda x: transformed(ops.rfft, x, x.size)", ""),
}

PAGE = r"""<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module">
const { size, rows, rounds, devices } = JSON.parse(new URLSearchParams(location.search).get('q'));
const out = window.out = {}, SITE = '/site/pyodide/', NPM = '/tensorflow-js-all/node_modules/@tensorflow/';
const data = new Float32Array(size);  // each number once, so that there is one right order
for (let i = 0, s = 12345; i < size; i++) { s = (Math.imul(s, 1664525) + 1013904223) & (size - 1); data[i] = s / size * 2 - 1; }
const script = (src) => new Promise((ok, no) => document.head.append(
  Object.assign(document.createElement('script'), { src, onload: ok, onerror: () => no(new Error(`cannot load ${src}`)) })));
const PYTHON = `
import numpy as np, pyml
from pyml import ops
def transformed(op, x, length=1024):
    rows = ops.reshape(x, (-1, length))
    return ops.stack(op(rows) if op is ops.rfft else op((rows, rows * 0.0)))
def make(text, data):
    x, function = pyml.convert_to_tensor(np.asarray(data.to_py(), "float32")), eval(text)
    @pyml.program
    def run(x):
        y = ops.reshape(function(x), (-1,))
        return y, y[-1:]
    from pyodide.ffi import to_js
    return lambda: float(run(x)[1].numpy()[0]), lambda: to_js(run(x)[0].numpy().astype("float32"))
`;
async function pyml(device) {
  const { loadPyodide } = await import(`${SITE}pyodide.mjs`);
  const py = await loadPyodide({ indexURL: SITE });
  await py.loadPackage(['numpy', 'pyml']);
  await py.runPythonAsync(`import pyml\nawait pyml.config.init_async("${device}")`);
  py.runPython(PYTHON);
  const about = py.runPython('pyml.config.describe()');
  console.log(about);
  return (row) => {
    const [step, whole] = py.globals.get('make')(row.pyml, data);
    return { step: () => step.callPromising(), whole: () => whole.callPromising() };
  };
}
async function tensorflow(device) {
  if (!globalThis.tf) await script(`${NPM}tfjs/dist/tf.min.js`);
  await script(`${NPM}tfjs-backend-${device}/dist/tf-backend-${device}.min.js`);
  if (device === 'wasm') {
    tf.wasm.setWasmPaths(`${NPM}tfjs-backend-wasm/dist/`);
    tf.wasm.setThreadsCount(navigator.hardwareConcurrency);
  }
  if (!await tf.setBackend(device)) throw new Error(`tf.setBackend('${device}') refused`);
  const x = tf.tensor1d(data);
  return (row) => {
    const made = eval(row.tfjs);
    const run = () => tf.tidy(() => { const y = made(x).flatten(); return [y, y.slice([y.size - 1], [1])]; });
    const read = async (which) => { const t = run(), v = await t[which].data(); tf.dispose(t); return v; };
    return { step: async () => (await read(1))[0], whole: async () => Float32Array.from(await read(0)) };
  };
}
const timed = async (work) => { const t = performance.now(); await work(); return performance.now() - t; };
for (const device of devices) {
  const found = out[device] = {}, ours = await pyml(device), theirs = await tensorflow(device);
  for (const [name, row] of Object.entries(rows)) {
    const record = found[name] = { pyml: [], tfjs: [] };
    try {
      const pair = { pyml: ours(row) }, first = {};
      const whole = async (who) => {
        let values;
        first[who] = await timed(async () => { values = await pair[who].whole(); });
        return values;
      };
      const a = await whole('pyml');
      if (row.tfjs && row.has.includes(device)) {
        pair.tfjs = theirs(row);
        const b = await whole('tfjs');
        let most = 0, apart = 0;
        for (let i = 0; i < a.length; i++) { most = Math.max(most, Math.abs(a[i])); apart = Math.max(apart, Math.abs(a[i] - b[i])); }
        record.apart = a.length === b.length ? apart / most : NaN;
      }
      const patient = Math.max(...Object.values(first)) < 10_000;  // else one round, and the first run counts for the slow one
      for (let i = 0; i < 3; i++) for (const who of Object.keys(pair)) if (first[who] < 10_000) await pair[who].step();
      for (let round = 0; round < (patient ? rounds : 1); round++) {
        const names = Object.keys(pair);
        if (round % 2) names.reverse();
        for (const who of names) {
          await new Promise((go) => setTimeout(go, 10));
          record[who].push(first[who] < 10_000 ? await timed(pair[who].step) : first[who]);
        }
      }
    } catch (error) { record.error = String(error?.message ?? error).trim().split('\n').at(-1).slice(0, 200); }
    console.log(device, name, JSON.stringify(record));
  }
}
window.done = true;
</script>"""


class Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}

    def do_GET(self):
        if not self.path.startswith("/?"):
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE.encode())

    def end_headers(self):
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *args):
        pass


@contextlib.contextmanager
def served():
    handler = functools.partial(Handler, directory=str(paths.build_dir()))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def measure(query):
    """What the page found."""
    from urllib.parse import quote

    folder = paths.build_dir() / "tensorflow-js-all"
    if not (folder / "node_modules" / "@tensorflow" / "tfjs-backend-wasm").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), *PACKAGES], check=True)
    build_site(paths.site_dir(), say=lambda text: None)
    with served() as url, chromium() as browser:
        page = browser.new_page()
        page.on("console", lambda message: print(message.text, file=sys.stderr))
        page.on("pageerror", lambda error: print(error, file=sys.stderr))
        page.goto(f"{url}?q={quote(json.dumps(query))}")
        page.wait_for_function("window.done", timeout=900_000)
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", default="webgpu,wasm")
    parser.add_argument("--rows", default="", help="beginnings of their names")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--size", type=int, default=1 << 20)
    options = parser.parse_args()
    if options.size & (options.size - 1):
        parser.error(f"--size must be a power of two. Received: {options.size}")
    wanted = tuple(options.rows.split(","))
    rows = {name: row._asdict() for name, row in ROWS.items() if name.startswith(wanted)}
    found = measure({"size": options.size, "rows": rows, "rounds": options.rounds, "devices": options.devices.split(",")})
    for device, records in found.items():
        print("\n".join(["", *table(device, records)]))
    print(f"\n{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}.")
    wrong = [name for records in found.values() for name, record in records.items()
             if record.get("error") or not record.get("apart", 0) <= ROWS[name].tolerance]  # fmt: skip
    print(f"differ or failed: {', '.join(wrong)}" if wrong else "all computed the same values.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
