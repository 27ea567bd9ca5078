"""Seconds from opening the digits page until Python runs with pyml imported and the device open, visit by visit.

    .venv/bin/python benchmarks/page_ready.py [--visits 4]

The first visit fills the browser's cache; the later ones are what a user with a warm cache sees.
"""

import argparse
import time

from pyml import paths
from pyml.cli.browser import chromium
from pyml.cli.serve import running

READY = "document.body.innerText.includes('Ready:')"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=4)
    options = parser.parse_args()
    with running(paths.site_dir()) as url, chromium() as browser:
        for thread in ("worker", "main"):
            context = browser.new_context()
            for visit in range(1, options.visits + 1):
                page = context.new_page()
                start = time.perf_counter()
                page.goto(f"{url}/demos/mnist/index.html?backend=webgpu&thread={thread}")
                page.wait_for_function(READY, timeout=120_000)
                print(f"{thread:6}  visit {visit}: {time.perf_counter() - start:.2f} s", flush=True)
                page.close()
            context.close()


if __name__ == "__main__":
    main()
