"""What the wasm device adds to a page: bytes in the wheel, and milliseconds until it is open and has computed something.

    .venv/bin/python benchmarks/wasm_start.py [--pages 5] [--threads 2]

Every page is new and has computed the same on the numpy device already, so the milliseconds are the wasm device's own: its
imports, its memory, its workers; then one product, compiled and read.
"""

import argparse
import json
import statistics
import zipfile

import tab

from pyml import paths
from pyml.cli.browser import chromium
from pyml.cli.serve import running

CODE = """
import json, time
import numpy as np
import pyml
x = pyml.convert_to_tensor(np.ones((16, 16), "float32"))
pyml.ops.matmul(x, x).numpy()
since = time.perf_counter()
await pyml.config.init_async("wasm")
opened = time.perf_counter()
x = pyml.convert_to_tensor(np.ones((16, 16), "float32"))
pyml.ops.matmul(x, x).numpy()
computed = time.perf_counter()
json.dumps([1e3 * (opened - since), 1e3 * (computed - opened), pyml.config.describe()])
"""


def ours(name):
    """Whether a file of the wheel serves the wasm device only."""
    file = name.rpartition("/")[2]
    return "pyml/wasm/" in name or name.endswith(("device/wasm.py", "device/wasm.pyc")) or file == "threads.js" or (
        file.endswith(("_panel.wgsl", "_core.wgsl", "pad_lines.wgsl")))  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pages", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    site = paths.site_dir()
    wheel = site / "pyodide" / json.loads((site / "pyodide" / "pyodide-lock.json").read_text())["packages"]["pyml"]["file_name"]
    with zipfile.ZipFile(wheel) as archive:
        files = [f for f in archive.infolist() if ours(f.filename)]
        size = sum(f.compress_size for f in files)
        print(f"{len(files)} files of the wheel, {size:,} bytes compressed of {wheel.stat().st_size:,}")
    rows = []
    with running(site) as url, chromium() as browser:
        for number in range(options.pages):
            context = browser.new_context()
            opened, computed, about = tab.run(context.new_page(), url, f"backend=cpu&threads={options.threads}", CODE)
            rows.append((opened, computed))
            print(f"page {number + 1}: open after {opened:.0f} ms, first product {computed:.0f} ms later", flush=True)
            context.close()
    print(about)
    print("median: " + ", ".join(f"{statistics.median(column):.0f} ms" for column in zip(*rows, strict=True)))


if __name__ == "__main__":
    main()
